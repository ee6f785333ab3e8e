"""Lists of choices: the tree against the sums of all texts, and what is not on the list."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.decode import decode, decode_cells, grammar_log_total, text_log_prob
from edge_runtime.field import Field
from edge_runtime.grammar import checksum_ok, compile_grammar
from edge_runtime.lattice import lattice_of
from edge_runtime.lexicon import Lexicon, lexicon_of
from edge_runtime.outputs import Frames
from edge_runtime.shortlist import OUTSIDE
from tests.runtime.test_decode import ASCII, LogProbs, every_path, log_probs, spelled

LABELS = ("", "a", "b", "-")
some_texts = st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=12, unique=True)


@settings(max_examples=150, deadline=None)
@given(log_probs(most=5), some_texts, st.booleans())
def test_a_tree_gives_every_texts_sum_and_their_total(
    given: LogProbs, texts: list[str], skips: bool
) -> None:
    field = Field(name="l", choices=tuple(texts), skip="-" if skips else "")
    grammar = compile_grammar(field, LABELS)
    frames = Frames(given, grammar)
    found = Lexicon(tuple(texts), grammar).sums(frames)
    expected = {text: text_log_prob(given, text, grammar) for text in texts}
    total = float(np.logaddexp.reduce(list(expected.values())))
    if found is None:  # the lattice does what is under all measure
        assert total < -60
        return
    places, log_sums, log_total = found
    lexicon = Lexicon(tuple(texts), grammar)
    got = {lexicon.texts[at]: one for at, one in zip(places.tolist(), log_sums, strict=True)}
    assert log_total == pytest.approx(total, abs=1e-6)
    for text, one in expected.items():
        if one > total + math.log(1e-6):
            assert got[text] == pytest.approx(one, abs=1e-6)


def steep(rng: np.random.Generator, n: int, *, scale: float) -> LogProbs:
    logits = rng.normal(0, scale, (n, 96))
    return np.asarray(logits - np.logaddexp.reduce(logits, axis=1)[:, None], np.float32)


@pytest.mark.parametrize("scale", [0.5, 2.0, 6.0])
def test_tree_and_lattice_agree_on_a_long_list(scale: float) -> None:
    rng = np.random.default_rng(1)
    words = sorted({"".join(rng.choice(list("abcdefgh"), rng.integers(2, 8))) for _ in range(800)})
    grammar = compile_grammar(Field(name="w", choices=tuple(words)), ASCII)
    assert lexicon_of(grammar) is not None
    given = steep(rng, 20, scale=scale)
    lattice = lattice_of(grammar)
    log_total = lattice.log_total(Frames(given, grammar))
    assert grammar_log_total(given, grammar) == pytest.approx(log_total, abs=1e-6)
    got = decode(given, grammar)
    assert got.log_total == pytest.approx(log_total, abs=1e-6)
    best = max(words, key=lambda word: text_log_prob(given, word, grammar))
    assert got.text == best
    assert "".join(span.char for span in got.spans) == best


def test_a_check_digit_on_a_long_list() -> None:
    numbers = tuple(f"{at:04}" for at in range(0, 5000, 7))
    grammar = compile_grammar(Field(name="n", choices=numbers, checksum="luhn"), ASCII)
    for seed in range(3):
        got = decode(steep(np.random.default_rng(seed), 9, scale=2.0), grammar)
        assert checksum_ok(got.text, grammar.field)


@settings(max_examples=100, deadline=None)
@given(log_probs(most=5), some_texts)
def test_what_is_not_listed_stands_against_what_is(given: LogProbs, texts: list[str]) -> None:
    grammar = compile_grammar(Field(name="l", choices=tuple(texts), charset="ab"), LABELS)
    got = decode(given, grammar, k=20)
    if not got.text:
        return
    mass = {
        text: float(np.exp(np.logaddexp.reduce(np.array(paths))))
        for text, paths in every_path(given, grammar).items()
        if "-" not in text
    }
    listed = sum(mass.get(text, 0.0) for text in texts)
    whole = listed + OUTSIDE * (sum(mass.values()) - listed)
    assert got.log_total == pytest.approx(math.log(listed), abs=1e-4)
    for text, share in got.alternatives:
        assert share == pytest.approx(mass[text] / whole, abs=1e-4)


def test_ink_that_says_something_else_is_not_forced_onto_the_list() -> None:
    grammar = compile_grammar(Field(name="drug", choices=("Celebrex", "Celexa", "Xanax")), ASCII)
    listed = decode(spelled("Celexa", ASCII, sure=0.999), grammar)
    assert (listed.text, listed.alternatives[0].probability > 0.95) == ("Celexa", True)
    other = decode(spelled("Zantac", ASCII, sure=0.999), grammar)
    assert other.text in ("Celebrex", "Celexa", "Xanax")
    assert other.alternatives[0].probability < 1e-6
    near = decode(spelled("Celena", ASCII, sure=0.999), grammar)
    assert near.text == "Celexa"
    assert near.alternatives[0].probability < 0.1
    cells = [spelled(char, ASCII, sure=0.999) for char in "Celena"]
    boxed = decode_cells(cells, compile_grammar(Field(name="d", choices=("Celexa",)), ASCII))
    assert boxed.text == "Celexa"
    assert boxed.alternatives[0].probability < 0.1
