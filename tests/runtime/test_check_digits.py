"""Check digits: their automata against python-stdnum, decoding under them against all texts."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.decode import decode, decode_cells, grammar_log_total
from edge_runtime.field import Field
from edge_runtime.grammar import Grammar, checksum_ok, compile_grammar
from edge_runtime.holding import holding
from edge_runtime.lattice import lattice_of
from edge_runtime.near_search import near_of
from edge_runtime.outputs import Frames
from edge_runtime.residues import with_residue
from edge_runtime.search import k_best
from edge_runtime.shortlist import StripTexts
from tests.runtime.test_decode import ASCII, LogProbs, every_layout, log_probs, spelled, sums

FEW = ("", "0", "3", "8", " ")
NAMES = ("luhn", "iso7064.mod_11_10", "iso7064.mod_11_2", "iso7064.mod_97_10", "iso7064.mod_37_2")
CHECKED = [
    compile_grammar(Field(name=name, charset="038 ", checksum=name), FEW) for name in NAMES
] + [
    compile_grammar(Field(name="fixed", pattern="[03] ?8?[038]{2}", checksum="luhn"), FEW),
    compile_grammar(Field(name="listed", choices=("80 38", "38", "83"), checksum="luhn"), FEW),
    compile_grammar(Field(name="skip", charset="038", skip=" ", checksum="luhn"), FEW),
]  # fmt: skip
# A number that holds for each, and a pattern of numbers like it.
NUMBERS = {
    "luhn": ("4111 1111 1111 1111", "[0-9]([ -]?[0-9]){11,18}"),
    "iban": ("GB82 WEST 1234 5698 7654 32", "[A-Z]{2} ?[0-9]{2}( ?[A-Z0-9]){11,30}"),
    "ean": ("4006381333931", "[0-9]{13}|[0-9]{8}"),
    "isbn": ("978-0-471-11709-4", "[0-9]([ -]?[0-9X]){8,12}"),
    "issn": ("0317-8471", "[0-9]{4}-?[0-9]{3}[0-9X]"),
    "isni": ("0000 0001 2281 955X", "([0-9]{4} ?){3}[0-9]{3}[0-9X]"),
    "lei": ("213800KUD8LAJWSQ9D15", "[0-9A-Z]{20}"),
    "iso7064.mod_97_10": ("79479479479479479479435", "[0-9]{20,24}"),
    "iso7064.mod_11_10": ("794623", "[0-9]{6}"),
    "iso7064.mod_11_2": ("079X", "[0-9]{3}[0-9X]"),
    "iso7064.mod_37_36": ("A12425GABC1234002M", "[0-9A-Z]{18}"),
    "iso7064.mod_37_2": ("G123489654321Y", "[0-9A-Z]{13}[0-9A-Z*]"),
}


def product_of(grammar: Grammar) -> Grammar:
    name = str(grammar.field.checksum)
    made = with_residue(grammar.edges, grammar.accepting, grammar.labels, name, most=10**7)
    assert made is not None
    return grammar.narrowed(*made)


def ways(grammar: Grammar, text: str) -> int:
    """How many ways a text has through an automaton that may have several first edges alike."""
    states = [0]
    for char in text:
        label = grammar.labels.index(char)
        states = [
            to
            for at, name, to in grammar.edges.tolist()
            for q in states
            if (at, name) == (q, label)
        ]
    return sum(bool(grammar.accepting[q]) for q in states)


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_an_automaton_of_a_check_digit_says_what_stdnum_says(name: str) -> None:
    number, pattern = NUMBERS[name]
    # Few characters, so that the automaton stays small: those of the number and what replaces one.
    field = Field(name="n", pattern=pattern, charset="".join({*number, *"17A"}), checksum=name)
    grammar = compile_grammar(field, ASCII)
    assert checksum_ok(number, grammar.field)
    at = {(q, label): to for q, label, to in grammar.edges.tolist()}
    rng = random.Random(0)
    some = {number, number.replace(" ", "").replace("-", "")}
    chars = sorted(set(str(grammar.field.charset)))
    while len(some) < 60:
        place = rng.randrange(len(number))
        text = number[:place] + rng.choice(chars) + number[place + 1 :]
        if rng.random() < 0.5:
            other = rng.randrange(len(text))
            text = text[:other] + rng.choice(chars) + text[other + 1 :]
        if grammar.accepts(text):
            some.add(text)
    held = 0
    for text in some:
        states = [0]
        for char in text:  # the edges of one text alone: the product stays small whatever the name
            states.append(at[states[-1], grammar.labels.index(char)])
        edges = np.array([(q, ASCII.index(char), q + 1) for q, char in enumerate(text)], np.int32)
        accepting = np.arange(len(text) + 1) == len(text)
        one = product_of(grammar.narrowed(edges, accepting))
        n = ways(one, text) if len(one.edges) else 0
        assert n <= 1
        if checksum_ok(text, grammar.field):
            assert n == 1
            held += 1
        elif n and name not in ("iban", "isbn"):  # countries and prefixes are left to stdnum
            pytest.fail(f"{text} fails by stdnum")
    assert held >= 1


@settings(max_examples=120, deadline=None)
@given(log_probs(n=5), st.sampled_from([one for one in CHECKED if one.texts is None]),
       st.integers(1, 12))  # fmt: skip
def test_the_best_texts_that_hold_are_found_exactly(
    given: LogProbs, grammar: Grammar, k: int
) -> None:
    expected = sums(given, grammar)
    frames, lattice = Frames(given, grammar), lattice_of(grammar)
    (near,) = near_of(frames, [frames], grammar)
    ink = StripTexts(frames, lattice, near, lattice.log_total(frames))
    found = k_best(frames, grammar, lattice, k=10**4)
    every = [(grammar.spell(one.labels()), float(one.either[-1])) for one in found]
    if not every:
        return
    least = every[0][1] - 14
    held = [(t, w) for t, w in every if checksum_ok(t, grammar.field) and w > least]
    texts, exact = holding(ink, grammar, best=every[0][1], k=k)
    assert exact
    best = [w for _, w in held[:k] if w > held[0][1] - 3]
    worths = dict(every)
    assert [worths[t] for t in texts][: len(best)] == pytest.approx(best, abs=1e-6)
    assert all(checksum_ok(text, grammar.field) for text in texts)
    assert len(set(texts)) == len(texts) >= len(best)

    got = decode(given, grammar, k=k)
    total = float(np.logaddexp.reduce(list(expected.values())))
    assert got.log_total == pytest.approx(total, abs=1e-4)
    assert got.log_prob == pytest.approx(expected[got.text], abs=1e-4)
    for text, posterior in got.alternatives:
        assert posterior == pytest.approx(math.exp(expected[text] - total), abs=1e-4)
    shares = [one.probability for one in got.alternatives[1:]]
    assert shares == sorted(shares, reverse=True)
    best = max(expected.values())
    holds = [s for t, s in expected.items() if checksum_ok(t, grammar.field)]
    if k >= len(expected):
        if holds and max(holds) > best + math.log(2e-4):
            assert got.log_prob == pytest.approx(max(holds), abs=2e-4)
        elif not holds or max(holds) < best + math.log(0.5e-4):
            assert got.log_prob == pytest.approx(best, abs=2e-4)
    if (
        best > total + math.log(0.5)
        and checksum_ok(got.text, grammar.field)
        and got.log_prob < best - 1e-3
    ):
        assert got.alternatives[0].probability < 0.5  # corrected, and not sure of it


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.none() | log_probs(most=2, n=5), min_size=1, max_size=4),
    st.sampled_from([one for one in CHECKED if one.texts is None]),
)
def test_cells_hold_too(given: list[LogProbs | None], grammar: Grammar) -> None:
    expected = every_layout(given, grammar)
    total = sum(expected.values())
    got = decode_cells(given, grammar, k=100)
    if total == 0:
        assert got.text == ""
        return
    assert got.exact
    assert got.log_total == pytest.approx(math.log(total), abs=1e-4)
    for text, posterior in got.alternatives:
        assert posterior == pytest.approx(expected[text] / total, abs=1e-4)
    best = max(expected.values())
    held = max((s for t, s in expected.items() if checksum_ok(t, grammar.field)), default=0.0)
    if held > 2e-4 * best:
        assert expected[got.text] == pytest.approx(held, rel=1e-3)
    elif held < 0.5e-4 * best:
        assert expected[got.text] == pytest.approx(best, rel=1e-3)


def doubtful(text: str, other: dict[int, tuple[str, float]]) -> LogProbs:
    """`text` written clearly, but at some places another character is likelier, with odds."""
    given = np.exp(spelled(text, ASCII, sure=0.9999, wide=1)).astype(np.float64)
    for place, (char, odds) in other.items():
        rows = 2 * place
        given[rows, ASCII.index(char)] = given[rows, ASCII.index(text[place])] * odds
    return np.log(given / given.sum(axis=1, keepdims=True)).astype(np.float32)


def test_a_corrected_number_is_never_sure() -> None:
    """The ink says ...718, which fails; ...713 holds. Its probability is its own, not 1."""
    given = doubtful("79927398713", {10: ("8", 1.6)})
    grammar = compile_grammar(Field(name="n", charset="0123456789", checksum="luhn"), ASCII)
    got = decode(given, grammar)
    assert (got.text, got.raw_text) == ("79927398713", "79927398718")
    assert got.alternatives[0].probability < 0.4
    assert got.alternatives[1].text == "79927398718"
    assert got.alternatives[1].probability > got.alternatives[0].probability


def test_ink_that_clearly_says_a_failing_number_is_transcribed() -> None:
    grammar = compile_grammar(Field(name="c", kind="card"), ASCII)
    got = decode(doubtful("4111111111111112", {}), grammar)
    assert got.text == "4111111111111112"
    assert got.alternatives[0].probability > 0.5
    assert grammar_log_total(doubtful("4111111111111112", {}), grammar) == got.log_total


def test_an_iban_behind_hundreds_of_failing_texts_is_found() -> None:
    """Eight places in doubt, the true character the less likely at each: 255 texts are better."""
    text = "GB82WEST12345698765432"
    swaps = dict.fromkeys((9, 10, 11, 13, 15, 17, 19, 21), 1.1)
    other = {at: ("0" if text[at] != "0" else "1", odds) for at, odds in swaps.items()}
    grammar = compile_grammar(Field(name="i", kind="iban"), ASCII)
    got = decode(doubtful(text, other), grammar)
    assert got.exact
    assert checksum_ok(got.text, grammar.field)
    assert got.alternatives[0].probability < 0.05
    cells = [doubtful(char, {0: other[at]} if at in other else {}) for at, char in enumerate(text)]
    in_cells = compile_grammar(Field(name="i", kind="iban", cells=22), ASCII)
    got = decode_cells(cells, in_cells)
    assert got.exact
    assert checksum_ok(got.text, grammar.field)


def test_doubtful_spaces_do_not_hide_a_number_that_holds() -> None:
    """Texts that differ by spaces alone fail all alike; the residue sees through them."""
    number = "4111 1111 1111 1111"
    given = np.exp(doubtful(number, {18: ("7", 2.0)}))
    space = ASCII.index(" ")
    rows = given[:, space] > 0.5
    rows[[1, 3, 5, 13, 15, 23, 25]] = True  # blanks that may be spaces
    given[rows] = 1e-6
    given[rows, space] = given[rows, 0] = 0.5
    grammar = compile_grammar(Field(name="c", kind="card"), ASCII)
    got = decode(np.log(given).astype(np.float32), grammar)
    assert got.exact
    assert got.text.replace(" ", "") == "4111111111111111"


def test_a_national_number_is_found_by_trying_texts() -> None:
    field = Field(name="b", charset="0123456789", min_length=9, max_length=9, checksum="nl.bsn")
    number = "111222333"
    assert checksum_ok(number, field)
    got = decode(doubtful(number, {3: ("7", 1.5), 6: ("5", 1.2)}), compile_grammar(field, ASCII))
    assert checksum_ok(got.text, field)
    assert got.exact
