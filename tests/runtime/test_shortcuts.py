"""Shortcuts that save time say what the long way says, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import compress, groupby

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime import alike, lines, near_search, preprocess, printed, strikes
from edge_runtime.components import components_of
from edge_runtime.field import Field
from edge_runtime.grammar import Grammar, compile_grammar
from edge_runtime.lattice import lattice_of
from edge_runtime.near_search import near_of
from edge_runtime.outputs import Frames, frames_of, log_sum
from edge_runtime.preprocess import STROKE
from edge_runtime.presence import surely_written, written_strokes

Gray = NDArray[np.uint8]
LABELS = ("", *map(chr, range(32, 127)))

seeds = st.integers(0, 10_000)


def scrawl(seed: int, h: int = 60, w: int = 200) -> Gray:
    """Blurred strokes, rules and specks, ink bright on black."""
    rng = np.random.default_rng(seed)
    ink = np.zeros((h, w), np.uint8)
    for _ in range(int(rng.integers(0, 9))):
        points = rng.integers(0, (w, h), (int(rng.integers(2, 6)), 1, 2)).astype(np.int32)
        cv2.polylines(ink, [points], False, int(rng.integers(60, 256)), int(rng.integers(1, 5)))
    for y in rng.integers(0, h, int(rng.integers(0, 4))).tolist():
        ink[y : y + 2, int(rng.integers(0, w)) :] = int(rng.integers(60, 256))
    ink[rng.random((h, w)) > rng.choice([0.9, 0.99, 1.0])] = 180
    return np.asarray(cv2.blur(ink, (2, 2)), np.uint8)


def heard(seed: int, t: int, *, sharp: float = 4.0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, sharp, (t, len(LABELS)))
    logits[:, 0] += 6
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logits.astype(np.float32)


def test_more_components_are_counted_than_sixteen_bits_hold() -> None:
    ink = np.zeros((530, 530), np.uint8)
    ink[::2, ::2] = 255
    seen = components_of(ink, STROKE)
    assert seen.count == 265 * 265 + 1
    assert seen.labels.max() == 265 * 265
    assert seen.box(1) == (0, 0, 529, 529)


@given(seeds)
@settings(max_examples=80, deadline=None)
def test_what_is_surely_written_is_written(seed: int) -> None:
    ink = scrawl(seed)
    strokes = components_of(ink, STROKE)
    if surely_written(ink, strokes):
        assert len(written_strokes(ink, strokes))


def test_most_writing_is_surely_written() -> None:
    inks = [scrawl(seed) for seed in range(60)]
    there = [ink for ink in inks if len(written_strokes(ink))]
    assert sum(surely_written(ink, components_of(ink, STROKE)) for ink in there) > len(there) / 2


@given(seeds, st.integers(14, 90), st.integers(14, 260))
@settings(max_examples=120, deadline=None)
def test_half_by_half_a_box_is_suspected_as_in_the_whole(seed: int, h: int, w: int) -> None:
    ink = scrawl(seed, h, w)
    mask = (ink >= printed._INK).astype(np.uint8)
    run = np.ones((1, max(5, min(h, w) // 3)), np.uint8)
    band = np.ones((2 * max(1, round(printed._BAND * h)) + 1, 1), np.uint8)
    filled = cv2.dilate(cv2.morphologyEx(mask, cv2.MORPH_OPEN, run), band)
    left, right = int((1 - printed._SHARE) * w), math.ceil(printed._SHARE * w)
    long = filled[:, left:right].sum(axis=1) >= printed._SHORTEST_RULE * (right - left)
    whole = bool(long[: round(0.45 * h)].any() and long[round(0.55 * h) :].any())
    assert printed.may_hold_box(ink) is whole


@given(seeds)
@settings(max_examples=80, deadline=None)
def test_at_a_glance_nothing_that_is_struck_out_is_plain(seed: int) -> None:
    ink = scrawl(seed)
    strokes = components_of(ink, STROKE)
    box = strikes.strokes_box(strokes)
    for cell, called in ((True, strikes.CALLED["cell"]), (False, strikes.CALLED["line"])):
        if box is not None and strikes.strike_share(ink, cell=cell, box=box) >= called:
            assert not strikes.plainly_writing(strokes, box, cell=cell)


def test_at_a_glance_most_writing_is_plain() -> None:
    rng, plain = np.random.default_rng(7), 0
    for _ in range(40):  # letters of a line, apart from each other
        ink = np.zeros((60, 240), np.uint8)
        for x in range(12, 220, 26):
            y, height = int(rng.integers(14, 20)), int(rng.integers(20, 28))
            cv2.ellipse(ink, (x, y + height // 2), (8, height // 2), 0, 40, 330, 220, 3)
        strokes = components_of(ink, STROKE)
        box = strikes.strokes_box(strokes)
        assert box is not None
        plain += strikes.plainly_writing(strokes, box, cell=False)
    assert plain > 20


@given(seeds, st.integers(6, 48), st.integers(5, 200))
@settings(max_examples=120, deadline=None)
def test_no_run_is_missed(seed: int, h: int, w: int) -> None:
    mask = (scrawl(seed, h, w) >= STROKE).astype(np.uint8)
    k = strikes._long(mask, 5)
    padded = np.pad(mask, ((0, 0), (1, 1))).astype(int)
    there = any(
        (np.flatnonzero(np.diff(row) < 0) - np.flatnonzero(np.diff(row) > 0) >= k).any()
        for row in padded
    )
    assert (strikes._runs(mask, 5) is not None) is there


@given(seeds, st.floats(0.2, 0.95), st.floats(0.2, 1.8), st.floats(-9, 90), st.integers(8, 120))
@settings(max_examples=80, deadline=None)
def test_what_lies_behind_a_strip_has_no_say_in_it(
    seed: int, sy: float, wider: float, left: float, w: int
) -> None:
    ink, sx, top, h = scrawl(seed, 90, 240), sy * wider, 7.25, 40
    small = cv2.resize(ink, None, fx=sx, fy=sy, interpolation=cv2.INTER_AREA)
    fx, fy = small.shape[1] / ink.shape[1], small.shape[0] / ink.shape[0]
    x, y, zx, zy = left * fx, top * fy, sx / fx, sy / fy
    move = np.array([[zx, 0, 0.5 * zx - 0.5 - x * zx], [0, zy, 0.5 * zy - 0.5 - y * zy]])
    want = cv2.warpAffine(small, move, (w, h), flags=cv2.INTER_LINEAR)
    assert np.array_equal(preprocess._resample(ink, left, top, sx, sy, (w, h)), want)


@pytest.mark.parametrize("kind", ["digits", "username", "amount"])
def test_only_what_the_grammar_says_has_a_probability(kind: str) -> None:
    grammar = compile_grammar(Field("a", kind=kind), LABELS)
    frames = Frames(heard(3, 20), grammar)
    want = np.exp(frames.log)
    assert np.array_equal(frames.prob[:, grammar.spoken], want[:, grammar.spoken])


@pytest.mark.parametrize("kind", ["digits", "username", "amount", "upper"])
def test_belief_moves_as_label_by_label(kind: str) -> None:
    grammar, given = compile_grammar(Field("a", kind=kind), LABELS), heard(5, 30)
    on = grammar.used | grammar.skip
    on[0] = False
    want = given.copy()
    character = np.log1p(-np.minimum(np.exp(given[:, 0]), np.float32(1 - 1e-6)))
    want[:, on] += np.maximum(character - log_sum(given[:, on]), 0)[:, None]
    want[:, 1:][:, ~on[1:]] = np.log(1e-30)
    assert alike.within(given, grammar).tobytes() == want.tobytes()


@pytest.mark.parametrize("sharp", [1.0, 4.0, 9.0])
def test_totals_need_no_scaling_on_the_way(sharp: float) -> None:
    grammar = compile_grammar(Field("a", kind="text"), LABELS)
    lattice = lattice_of(grammar)
    for seed in range(8):
        whole, parts = frames_of([heard(seed, 60, sharp=sharp)], grammar)
        whole.log[:] = np.minimum(whole.log - 8.0, 0.0)  # a total of e^-480
        (total,) = lattice.log_totals(whole, parts)
        assert math.isclose(total, lattice._by_logs(whole), rel_tol=1e-12)


@pytest.mark.parametrize("kind", ["digits", "username"])
def test_the_next_level_taken_at_once_changes_no_text(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grammar = compile_grammar(Field("a", kind=kind), LABELS)
    for seed in range(20):
        whole, parts = frames_of([heard(seed, 24, sharp=3.0)], grammar)
        found = []
        for spare in (0, 10**6):
            monkeypatch.setattr(near_search, "_SPARE", spare)
            (near,) = near_of(whole, parts, grammar)
            texts = near.texts(grammar, 5, behind=14.0)
            runs = [near.runs(labels, loss) for labels, loss in texts or ()]
            found.append((texts, runs))
        assert found[0] == found[1]


@given(seeds, st.integers(14, 90), st.integers(14, 260))
@settings(max_examples=80, deadline=None)
def test_lines_that_are_not_wanted_are_left_out_and_others_as_they_are(
    seed: int, h: int, w: int
) -> None:
    def thin_enough(line: lines.Line) -> bool:
        return line.thin >= 0.4

    def found(worth: Callable[[lines.Line], bool] | None) -> list[tuple[object, ...]]:
        its = lines.find_lines(ink, thick_px=5, least=0.3, gap_px=4, worth=worth)
        return [(one.start, one.stop, one.cover, one.bend_px, one.thick_px) for one in its]

    ink = scrawl(seed, h, w)
    every = lines.find_lines(ink, thick_px=5, least=0.3, gap_px=4)
    wanted = [thin_enough(line) for line in every]
    assert found(thin_enough) == list(compress(found(None), wanted))
    assert all(line.thick_px > 0 for line in every)


@given(seeds, st.integers(14, 90), st.integers(30, 260), st.sampled_from((0, 5)))
@settings(max_examples=80, deadline=None)
def test_what_is_printed_does_not_hang_on_when_thickness_is_measured(
    seed: int, h: int, w: int, n: int
) -> None:
    ink = scrawl(seed, h, w)
    seen = printed.find_printed(ink, n)
    with pytest.MonkeyPatch.context() as patch:
        every = partial(find_all_lines, find=printed.find_lines)
        patch.setattr(printed, "find_lines", every)
        plain = printed.find_printed(ink, n)
    assert [line.thick_px for line in seen.level] == [line.thick_px for line in plain.level]
    assert [line.row for line in seen.upright] == [line.row for line in plain.upright]


def find_all_lines(
    ink: Gray, *, find: Callable[..., list[lines.Line]], worth: object = None, **asked: object
) -> list[lines.Line]:
    """Every line, with its thickness, whatever is wanted."""
    return find(ink, **asked)


def _spells_allowed(path: Sequence[int], of: Grammar) -> bool:
    said = [label for label, _ in groupby(path) if label]
    return of.accepts(of.spell(said))


@given(seeds, st.sampled_from(["[0-9]{2}/[0-9]{2}", "(ab|ba)+c?", "1(0|1)*1", "a{2,3}b?a"]))
@settings(max_examples=120, deadline=None)
def test_the_rest_of_a_path_is_allowed_as_its_text_is(seed: int, pattern: str) -> None:
    rng = np.random.default_rng(seed)
    of = compile_grammar(Field("f", "text", pattern=pattern, charset="0123456789/abc"), LABELS)
    texts = ["12/34", "abbac", "101", "aaba", "11", "aab", "ba", "aa", "1011"]
    text = texts[int(rng.integers(len(texts)))]
    path: list[int] = []
    for label in of.labels_of(text):  # a blank between two of a kind, else where it falls
        path += [0] * (int(rng.integers(3)) or int(path[-1:] == [label]))
        path += [label] * int(rng.integers(1, 4))
    path += [0] * int(rng.integers(3))
    rest = near_search._Rest(of, path)
    assert rest.accepted is _spells_allowed(path, of)
    if rest.accepted:
        for at in range(len(path)):
            for other in of.spoken.tolist():
                changed = [*path[:at], other, *path[at + 1 :]]
                assert rest.allows(at, other) is _spells_allowed(changed, of)


def test_some_such_paths_are_allowed() -> None:
    of = compile_grammar(Field("f", "text", pattern="(ab|ba)+c?", charset="abc"), LABELS)
    a, b, c = of.labels_of("abc")
    rest = near_search._Rest(of, [a, 0, b, b, 0, c])
    assert rest.accepted
    assert [rest.allows(at, 0) for at in range(6)] == [False, True, True, True, True, True]
    assert not rest.allows(5, a)
