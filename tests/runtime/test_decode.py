"""Decoding held against counting everything: paths, sums, totals, layouts of cells."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime.decode import decode, decode_cells, grammar_log_total, text_log_prob
from edge_runtime.field import Field
from edge_runtime.grammar import Grammar, compile_grammar
from edge_runtime.lattice import lattice_of
from edge_runtime.outputs import Frames
from edge_runtime.search import Prefix, k_best
from edge_runtime.shortlist import OUTSIDE

LABELS = ("", "a", "b", "-")
WITH_SPACE = ("", "a", " ", "-")
ASCII = ("", *map(chr, range(32, 127)))

FIELDS = (
    Field(name="free", charset="ab-"),
    Field(name="skip", charset="ab", skip="-"),
    Field(name="two", charset="ab", min_length=2, max_length=2),
    Field(name="three", charset="ab", min_length=1, max_length=3, skip="-"),
    Field(name="regex", pattern="(ab)*a?-?b"),
    Field(name="doubled", pattern="(aa|bb|ab-)+"),
    Field(name="same", pattern="a{2,3}"),
    Field(name="list", choices=("aa", "ab", "abab", "b")),
    Field(name="listed", choices=("aa", "bba"), skip="-"),
)
GRAMMARS = [compile_grammar(field, LABELS) for field in FIELDS]
SPACED = [
    compile_grammar(Field(name="spaced", charset="a- "), WITH_SPACE),
    compile_grammar(Field(name="gap", pattern="a ?a"), WITH_SPACE),
    compile_grammar(Field(name="mark", charset="a", skip="-"), WITH_SPACE),
    compile_grammar(Field(name="few", charset="a ", skip="-", max_length=3), WITH_SPACE),
]

LogProbs = NDArray[np.float32]


@st.composite
def log_probs(draw: st.DrawFn, *, least: int = 1, most: int = 5, n: int = 4) -> LogProbs:
    """float32 (t, n): softmax of logits that are now flat, now steep, now equal."""
    t = draw(st.integers(least, most))
    steep = draw(st.sampled_from([0.0, 1.0, 5.0, 40.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    logits = (
        rng.integers(-3, 4, (t, n)) * steep
        if draw(st.booleans())
        else rng.normal(0, 1, (t, n)) * max(steep, 0.1)
    )
    return np.asarray(logits - np.logaddexp.reduce(logits, axis=1)[:, None], np.float32)


def every_path(given: LogProbs, grammar: Grammar) -> dict[str, list[float]]:
    """Log-probabilities of all alignments of each text, skip marks taken for blanks."""
    found: dict[str, list[float]] = defaultdict(list)
    for path in itertools.product(range(given.shape[1]), repeat=len(given)):
        seen = [label for label, _ in itertools.groupby(path)]
        text = "".join(grammar.labels[at] for at in seen if not grammar.skip[at])
        found[text].append(float(sum(given[t, at] for t, at in enumerate(path))))
    return found


def sums(given: LogProbs, grammar: Grammar) -> dict[str, float]:
    return {
        text: float(np.logaddexp.reduce(np.array(all_of)))
        for text, all_of in every_path(given, grammar).items()
        if text and grammar.accepts(text)
    }


@settings(max_examples=150, deadline=None)
@given(log_probs(), st.sampled_from(GRAMMARS))
def test_total_and_sums_are_those_of_all_alignments(given: LogProbs, grammar: Grammar) -> None:
    expected = sums(given, grammar)
    total = np.logaddexp.reduce([*expected.values(), -np.inf])
    assert grammar_log_total(given, grammar) == pytest.approx(total, abs=1e-4)
    for text, log_sum in expected.items():
        assert text_log_prob(given, text, grammar) == pytest.approx(log_sum, abs=1e-4)


@settings(max_examples=100, deadline=None)
@given(log_probs(), st.sampled_from(GRAMMARS))
def test_all_roads_to_the_total_agree(given: LogProbs, grammar: Grammar) -> None:
    frames, lattice = Frames(given, grammar), lattice_of(grammar)
    by_logs = lattice._by_logs(frames)
    if by_logs > -600:
        assert lattice._by_frames(frames) == pytest.approx(by_logs, abs=1e-9)
        assert lattice._by_matrices(frames) == pytest.approx(by_logs, abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(log_probs(), st.sampled_from(GRAMMARS))
def test_search_gives_distinct_texts_in_the_order_of_their_best_paths(
    given: LogProbs, grammar: Grammar
) -> None:
    # A skip mark and a blank are one symbol, so what counts as a path has them added.
    merged = np.array(given, np.float64)
    merged[:, 0] = Frames(given, grammar).log[:, 0]
    merged[:, grammar.skip] = -np.inf
    best = {
        text: max(paths)
        for text, paths in every_path(merged, grammar).items()
        if text and grammar.accepts(text) and max(paths) > -np.inf
    }
    frames = Frames(given, grammar)
    found = k_best(frames, grammar, lattice_of(grammar), k=10**4)
    got = [(grammar.spell(one.labels()), float(one.either[-1])) for one in found]
    assert len(got) == len({text for text, _ in got}) == len(best)
    scores = [score for _, score in got]
    assert scores == pytest.approx(sorted(best.values(), reverse=True), abs=1e-4)
    for text, score in got:
        assert score == pytest.approx(best[text], abs=1e-4)
    few = k_best(frames, grammar, lattice_of(grammar), k=3)
    assert [float(one.either[-1]) for one in few] == pytest.approx(scores[:3], abs=1e-6)
    assert all(Prefix.of(frames, one.labels()).runs(frames) == one.runs(frames) for one in few)


@settings(max_examples=150, deadline=None)
@given(log_probs(), st.sampled_from(GRAMMARS), st.integers(1, 40))
def test_decode_ranks_by_sums(given: LogProbs, grammar: Grammar, k: int) -> None:
    expected = sums(given, grammar)
    got = decode(given, grammar, k=k)
    assert got.exact
    if not expected:
        assert got.text == ""
        assert got.log_total == -math.inf
        return
    total = float(np.logaddexp.reduce(list(expected.values())))
    if (
        grammar.texts is not None
    ):  # what is not listed counts too; here every text is of the charset
        total = float(np.logaddexp(total, math.log(OUTSIDE * max(1e-30, 1 - math.exp(total)))))
    assert got.log_prob == pytest.approx(expected[got.text], abs=1e-4)
    assert got.alternatives[0].text == got.text
    for text, posterior in got.alternatives:
        assert posterior == pytest.approx(math.exp(expected[text] - total), abs=1e-4)
    shares = [one.probability for one in got.alternatives]
    assert shares == sorted(shares, reverse=True)
    if k >= len(expected):
        assert got.log_prob == pytest.approx(max(expected.values()), abs=2e-4)
        large = sum(math.exp(one - total) > 2e-4 for one in expected.values())
        assert len(shares) >= large or sum(shares) >= 1 - 1e-4 - 1e-6


@settings(max_examples=100, deadline=None)
@given(log_probs(), st.sampled_from(GRAMMARS))
def test_spans_spell_the_text_in_order(given: LogProbs, grammar: Grammar) -> None:
    got = decode(given, grammar)
    assert "".join(span.char for span in got.spans) == got.text
    ends = [0, *itertools.chain.from_iterable((span.t0, span.t1) for span in got.spans)]
    assert ends == sorted(ends)
    assert ends[-1] <= len(given)
    assert all(span.t0 < span.t1 and 0 <= span.probability <= 1 for span in got.spans)


def taken_over(cell: dict[str, float], grammar: Grammar) -> dict[str, float]:
    """A cell's shares where glyphs that are not allowed are taken for those that are."""
    used = {label for label, on in zip(grammar.labels, grammar.used, strict=True) if on and label}
    glyphs = {said: p for said, p in cell.items() if said not in ("", "mark")}
    allowed = sum(p for said, p in glyphs.items() if said in used)
    lost = sum(glyphs.values()) - allowed
    if lost < 1e-3 or allowed == 0:
        return cell
    still = cell.get("", 0.0) + cell.get("mark", 0.0)
    shrunk = (still + allowed) / (still + allowed + lost)
    grown = (allowed + lost) / allowed * shrunk
    quiet = {said: p * shrunk for said, p in cell.items() if said in ("", "mark")}
    return {**quiet, **{said: p * grown for said, p in glyphs.items() if said in used}}


def every_layout(
    given: list[LogProbs | None], grammar: Grammar, *, within: bool = True
) -> dict[str, float]:
    """Sums over what each cell may say, by the rules for empty and for filled cells."""
    says = []
    for one in given:
        if one is None:
            says.append({"": 1.0})
            continue
        cell: dict[str, float] = defaultdict(float)
        for path in itertools.product(range(one.shape[1]), repeat=len(one)):
            seen = [grammar.labels[label] for label, _ in itertools.groupby(path)]
            marks = [c for c in seen if c and c in (grammar.field.skip or "") and c != " "]
            glyphs = [c for c in seen if c.strip() and c not in (grammar.field.skip or "")]
            if len(glyphs) < 2:
                key = glyphs[0] if glyphs else "mark" if marks else ""
                cell[key] += math.exp(sum(float(one[t, at]) for t, at in enumerate(path)))
        says.append(taken_over(cell, grammar) if within else cell)
    found: dict[str, float] = defaultdict(float)
    for layout in itertools.product(*says):
        mass = math.prod(cell[said] for cell, said in zip(says, layout, strict=True))
        text = "".join(" " if said == "" else "" if said == "mark" else said for said in layout)
        text = text.strip()
        state = 0
        for char in text:
            label = grammar.labels.index(char) if char in grammar.labels else 0
            to = int(grammar.next_state[state, label])
            state = state if char == " " and to < 0 else to
            if state < 0:
                break
        if text and state >= 0 and grammar.accepting[state]:
            found[text] += mass
    return found


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.none() | log_probs(most=3), min_size=1, max_size=4),
    st.sampled_from([*GRAMMARS[:4], *SPACED]),
    st.integers(1, 30),
)
def test_cells_are_those_of_all_layouts(
    given: list[LogProbs | None], grammar: Grammar, k: int
) -> None:
    expected = every_layout(given, grammar)
    total = sum(every_layout(given, grammar, within=False).values())
    log_total = math.log(total) if total > 0 else -math.inf
    total = sum(expected.values())
    assert grammar_log_total(given, grammar) == pytest.approx(log_total, abs=1e-4)
    got = decode_cells(given, grammar, k=k)
    assert got.log_total == pytest.approx(log_total, abs=1e-4)
    if total == 0:
        assert got.text == ""
        return
    assert math.exp(got.log_prob) == pytest.approx(expected[got.text], rel=1e-3, abs=1e-30)
    assert len({one.text for one in got.alternatives}) == len(got.alternatives)
    for text, posterior in got.alternatives:
        assert posterior == pytest.approx(expected[text] / total, abs=1e-4)
        assert text_log_prob(given, text, grammar) == pytest.approx(
            math.log(expected[text]), abs=1e-3
        )
    if k >= len(expected):
        assert expected[got.text] == pytest.approx(max(expected.values()), rel=1e-3)
    assert "".join(span.char for span in got.spans) == got.text
    cells = [span.cell for span in got.spans]
    assert cells == sorted(set(cells))


def test_a_letter_in_a_cell_of_digits_is_no_empty_cell() -> None:
    grammar = compile_grammar(Field(name="n", kind="digits", cells=3, skip=""), ASCII)
    one, three = spelled("1", ASCII), spelled("3", ASCII)
    letter = np.full((2, len(ASCII)), 1e-9)
    letter[:, [0, ASCII.index("B"), ASCII.index("8")]] = 0.02, 0.9798, 2e-4  # empty: 4e-4
    got = decode_cells([one, np.log(letter).astype(np.float32), three], grammar)
    assert (got.text, got.raw_text) == ("183", "1B3")
    assert got.log_total < math.log(0.05)  # what no digit explains is told


def spelled(text: str, labels: tuple[str, ...], *, sure: float = 0.98, wide: int = 2) -> LogProbs:
    """float32 (t, n): each character `wide` frames, a blank between."""
    rows = []
    for char in text:
        rows += [labels.index(char)] * wide + [0]
    probs = np.full((len(rows), len(labels)), (1 - sure) / (len(labels) - 1))
    probs[np.arange(len(rows)), rows] = sure
    return np.log(probs).astype(np.float32)


def test_what_the_network_says_alone_is_kept() -> None:
    grammar = compile_grammar(Field(name="n", kind="digits"), ASCII)
    got = decode(spelled("1.O0", ASCII), grammar)
    assert got.raw_text == "1.O0"
    assert set(got.text) <= set("0123456789")
    assert got.log_total < -1  # the O is ink that no digit explains


def test_marks_are_read_and_left_out() -> None:
    grammar = compile_grammar(Field(name="n", kind="digits"), ASCII)
    got = decode(spelled("10.000.-", ASCII), grammar)
    assert (got.text, got.raw_text) == ("10000", "10.000.-")
    assert [span.char for span in got.spans] == list("10000")


def test_too_few_frames_for_any_text() -> None:
    grammar = compile_grammar(Field(name="n", kind="digits", min_length=5), ASCII)
    got = decode(spelled("1", ASCII), grammar)
    assert (got.text, got.log_total, got.alternatives) == ("", -math.inf, ())
    assert got.raw_text == "1"
    assert decode(np.empty((0, 96), np.float32), grammar).text == ""


def test_a_text_far_below_anything_else_is_still_weighed() -> None:
    """e^-4000 is no float; the sums are done in the log domain there."""
    grammar = compile_grammar(Field(name="n", pattern="b{20}"), LABELS)
    given = np.full((60, 4), -200.0, np.float32)
    given[:, 1] = 0
    got = decode(given, grammar)
    assert got.text == "b" * 20
    assert got.log_total == pytest.approx(got.log_prob, abs=1e-6)
    assert got.log_total < -600


def test_empty_cells_are_spaces_only_between_filled_ones() -> None:
    grammar = compile_grammar(Field(name="n", kind="digits", cells=6), ASCII)
    one, two = spelled("1", ASCII), spelled("2", ASCII)
    assert decode_cells([None, one, None, two, None, None], grammar).text == "1 2"
    assert decode_cells([one, one, two, None, None, None], grammar).text == "112"
    assert decode_cells([one, spelled("-", ASCII), two, None], grammar).text == "12"
    got = decode_cells([None, one, None, two], grammar)
    assert [(span.char, span.cell) for span in got.spans] == [("1", 1), (" ", 2), ("2", 3)]
    assert got.raw_text == "1 2"
    assert decode_cells([None, None], grammar).text == ""


def test_a_lexicon_of_thousands_is_searched_exactly() -> None:
    rng = np.random.default_rng(0)
    words = sorted({"".join(rng.choice(list("abcdefgh"), rng.integers(3, 9))) for _ in range(3000)})
    grammar = compile_grammar(Field(name="w", choices=tuple(words)), ASCII)
    logits = rng.normal(0, 2, (24, 96))
    given = np.asarray(logits - np.logaddexp.reduce(logits, axis=1)[:, None], np.float32)
    each = {word: text_log_prob(given, word, grammar) for word in words}
    got = decode(given, grammar)
    assert got.log_total == pytest.approx(np.logaddexp.reduce(list(each.values())), abs=1e-6)
    assert got.exact
    assert got.log_prob == pytest.approx(each[got.text], abs=1e-9)
    shares = [math.exp(each[one.text] - each[got.text]) for one in got.alternatives]
    assert shares == sorted(shares, reverse=True)
    assert shares[:3] == pytest.approx(
        [math.exp(one - each[got.text]) for one in sorted(each.values(), reverse=True)[:3]][
            : len(shares)
        ]
    )
