"""Strips decoded together are read as each is alone, and the quick roads lead where the slow do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime.decode import decode, decode_all, favour, favour_all, grammar_log_totals
from edge_runtime.field import Field
from edge_runtime.grammar import Grammar, compile_grammar
from edge_runtime.lattice import lattice_of
from edge_runtime.near_search import near_of
from edge_runtime.outputs import Frames, frames_of
from edge_runtime.prior import Prior, pack
from edge_runtime.search import Prefix, k_best
from edge_runtime.sums import sums_of, text_sums

LABELS = ("", "a", "b", "c", " ", "-", "1")
LogProbs = NDArray[np.float32]

GRAMMARS = [
    compile_grammar(field, LABELS)
    for field in (
        Field("any", "text"),
        Field("free", charset="abc"),
        Field("marked", charset="ab1", skip="-"),
        Field("few", charset="abc", min_length=2, max_length=3),
        Field("strict", pattern="a(b|c)+1?-[ab]{1,2}"),
        Field("listed", choices=("ab", "cab", "a-b", "11")),
    )
]
SEEN = {"a": -1.0, "b": -2.0, "c": -2.5, "ab": -0.5, "b\x03": -0.5, "\x03": -1.0, "\x02": -12.0}
PRIOR = Prior("made-up", 3, 0.4, 1.0, pack(SEEN, {"a": -1.0, "\x02": -0.5}))


@st.composite
def strips(draw: st.DrawFn, *, most: int = 4) -> list[LogProbs]:
    """Some strips of float32 (t, n_labels): nearly sure, doubtful and quite unsure frames."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    found = []
    for _ in range(draw(st.integers(1, most))):
        t = draw(st.integers(1, 12))
        logits = rng.normal(0, 1, (t, len(LABELS))) * draw(st.sampled_from([0.3, 2.0, 5.0]))
        logits[np.arange(t), rng.integers(0, len(LABELS), t) * (rng.random(t) < 0.6)] += 6
        found.append((logits - np.logaddexp.reduce(logits, axis=1)[:, None]).astype(np.float32))
    return found


@settings(max_examples=60, deadline=None)
@given(strips(), st.sampled_from(GRAMMARS), st.integers(1, 8))
def test_strips_decoded_together_are_read_as_each_alone(
    given: list[LogProbs], grammar: Grammar, k: int
) -> None:
    assert decode_all(given, grammar, k=k) == [decode(one, grammar, k=k) for one in given]
    alone = [grammar_log_totals([one], grammar)[0] for one in given]
    assert grammar_log_totals(given, grammar) == alone


@settings(max_examples=60, deadline=None)
@given(strips())
def test_the_prior_says_the_same_of_strips_together_and_alone(given: list[LogProbs]) -> None:
    together = favour_all(given, GRAMMARS[0], PRIOR)
    assert together == [favour(one, GRAMMARS[0], PRIOR) for one in given]


def test_no_strip_and_strips_without_frames_say_nothing() -> None:
    nothing = np.zeros((0, len(LABELS)), np.float32)
    assert decode_all([], GRAMMARS[0]) == []
    (found,) = decode_all([nothing], GRAMMARS[0])
    assert (found.text, found.log_total) == ("", -math.inf)
    assert grammar_log_totals([nothing], GRAMMARS[0]) == [-math.inf]


@settings(max_examples=100, deadline=None)
@given(strips(most=1), st.sampled_from(GRAMMARS), st.integers(1, 12))
def test_the_near_search_misses_none_of_the_best(
    given: list[LogProbs], grammar: Grammar, k: int
) -> None:
    frames = Frames(given[0], grammar)
    (near,) = near_of(frames, [frames], grammar)
    found = near.texts(grammar, k, behind=math.inf)
    if found is None:  # given up
        return
    slow = k_best(frames, grammar, lattice_of(grammar), k=k)
    worths = [float(one.either[-1]) for one in slow]
    assert [near.best - loss for _, loss in found] == pytest.approx(worths, abs=1e-6)
    for labels, loss in found:
        prefix = Prefix.of(frames, labels)
        assert near.best - loss == pytest.approx(float(prefix.either[-1]), abs=1e-6)
        runs = near.runs(labels, loss)
        assert runs is not None
        assert [label for label, _ in zip(labels, runs, strict=True)] == labels
        assert _worth(frames, labels, runs) == pytest.approx(near.best - loss, abs=1e-6)


def _worth(frames: Frames, labels: list[int], runs: list[tuple[int, int]]) -> float:
    """Log-probability of the path that says each label in its frames, and blank elsewhere."""
    path = np.zeros(frames.n, np.intp)
    for label, (first, last) in zip(labels, runs, strict=True):
        assert (path[first:last] == 0).all()
        assert first < last
        path[first:last] = label
    return float(frames.log[np.arange(frames.n), path].sum())


def test_sure_ink_is_found_by_the_near_search() -> None:
    grammar = GRAMMARS[0]
    probs = np.full((9, len(LABELS)), 1e-6)
    probs[np.arange(9), [0, 1, 0, 2, 2, 0, 4, 3, 0]] = 1.0
    frames = Frames(np.log(probs / probs.sum(axis=1, keepdims=True)).astype(np.float32), grammar)
    (near,) = near_of(frames, [frames], grammar)
    found = near.texts(grammar, 1, behind=14.0)
    assert found is not None
    assert grammar.spell(found[0][0]) == "ab c"
    assert near.runs(*found[0]) == [(1, 2), (3, 5), (6, 7), (7, 8)]


@settings(max_examples=60, deadline=None)
@given(strips(), st.data())
def test_sums_do_not_depend_on_the_texts_beside_them(
    given: list[LogProbs], data: st.DataObject
) -> None:
    _, parts = frames_of(given, GRAMMARS[1])
    text = st.lists(st.integers(1, 6), max_size=7)
    asked = [data.draw(st.lists(text, max_size=6)) for _ in parts]
    together = sums_of(parts, asked)
    for frames, texts, sums in zip(parts, asked, together, strict=True):
        assert [text_sums(frames, [one])[0] for one in texts] == sums


def test_few_texts_and_many_of_a_strip_have_the_same_sums() -> None:
    """Few grow into a tree by a loop and go through their own frames, many by arrays."""
    rng = np.random.default_rng(5)
    strips = [
        Frames(np.log(rng.dirichlet(np.full(len(LABELS), 0.2), n)), GRAMMARS[0]) for n in (37, 9)
    ]
    few = [[1, 2, 2], [1, 2], [], [3], [1, 2, 2], [2, 2, 2, 2]]
    many = [*few, *(rng.integers(1, len(LABELS), 6).tolist() for _ in range(300))]
    own = text_sums(strips[0], few)
    assert own == text_sums(strips[0], many)[: len(few)]
    assert own == sums_of(strips, [few, few])[0]


def test_a_text_that_is_as_good_as_impossible_has_its_sum_still() -> None:
    logs = np.full((20, len(LABELS)), -200.0)
    logs[:, 0] = 0.0
    frames = Frames(logs.astype(np.float32), GRAMMARS[1])
    sums = text_sums(frames, [[], [1], [1, 2, 3, 1, 2]])
    assert sums[0] == pytest.approx(0.0, abs=1e-9)
    assert sums[1] == pytest.approx(-200 + math.log(20), abs=1e-6)
    assert sums[2] == pytest.approx(-1000 + math.log(math.comb(20, 5)), abs=1e-6)
