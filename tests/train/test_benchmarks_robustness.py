"""Corruptions change pictures as they say, and what is read of them is counted right."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

from benchmarks import robustness
from benchmarks.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from benchmarks.robustness import FORM_SET, Row
from edge_runtime import FieldReading, Reader, Status
from edge_runtime.drawn import draw_digits, drawn_fields

names = st.sampled_from(sorted(CORRUPTIONS))


def changed(name: str, strength: int, *, seed: int = 3, text: str = "20753") -> np.ndarray:
    crop = draw_digits(text)
    rng = np.random.default_rng(seed)
    return corrupt(name, crop, strength, em_px=crop.shape[0], rng=rng)


@pytest.mark.parametrize("name", sorted(CORRUPTIONS))
def test_a_corruption_does_something_and_more_of_it_with_strength(name: str) -> None:
    crop = draw_digits("20753")
    outs = [changed(name, strength) for strength in STRENGTHS]
    assert all(out.dtype == np.uint8 for out in outs)
    if name in ("shear", "rotate"):  # the paper grows
        assert outs[0].size < outs[1].size < outs[2].size
        return
    if name == "scale":  # the writing shrinks
        inks = [int((out < 128).sum()) for out in outs]
        assert int((crop < 128).sum()) > inks[0] > inks[1] > inks[2] > 0
        return
    apart = [float(np.abs(out.astype(int) - crop).mean()) for out in outs]
    assert apart[0] > 0.1
    assert apart[2] > apart[0]


@settings(deadline=None, max_examples=30)
@given(names, st.integers(0, 1000))
def test_the_same_seed_gives_the_same_picture(name: str, seed: int) -> None:
    assert np.array_equal(changed(name, 2, seed=seed), changed(name, 2, seed=seed))


@settings(deadline=None, max_examples=30)
@given(names, st.integers(4, 40), st.integers(4, 200), st.integers(0, 1000))
def test_any_size_and_colour_is_taken(name: str, h: int, w: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for shape in ((h, w), (h, w, 3)):
        picture = rng.integers(0, 256, shape, dtype=np.uint8)
        out = corrupt(name, picture, 3, em_px=h, rng=rng)
        assert out.ndim == picture.ndim
        assert out.dtype == np.uint8


@pytest.mark.parametrize("name", ["shear", "rotate", "scale"])
def test_turned_writing_stays_on_the_paper(name: str) -> None:
    dark = lambda picture: int((picture < 128).sum())  # noqa: E731
    out, before = changed(name, 3), dark(draw_digits("20753"))
    lost = {"scale": 0.25}.get(name, 1.0)
    assert dark(out) > 0.75 * lost * before
    edge = np.concatenate([out[0], out[-1], out[:, 0], out[:, -1]])
    assert edge.min() > 200


def test_noise_is_as_strong_as_it_says() -> None:
    gray = np.full((400, 400), 128, np.uint8)
    rng = np.random.default_rng(0)
    shot = corrupt("shot_noise", gray, 1, em_px=40, rng=rng).astype(float)
    assert shot.std() == pytest.approx(255 * np.sqrt(60 * 128 / 255) / 60, rel=0.05)
    impulse = corrupt("impulse_noise", gray, 2, em_px=40, rng=rng)
    assert np.mean(impulse != 128) == pytest.approx(0.06, abs=0.005)
    assert np.mean(impulse == 0) == pytest.approx(0.03, abs=0.004)


def test_a_page_gets_marks_all_over() -> None:
    page = np.full((1600, 1000), 240, np.uint8)
    page[::100, ::50] = 20
    out = corrupt("dotted_line", page, 1, em_px=40, rng=np.random.default_rng(1))
    rows = np.flatnonzero((out != page).any(axis=1))
    n, _ = cv2.connectedComponents((out != page).any(axis=1).astype(np.uint8)[:, None])
    assert n > 2
    assert np.ptp(rows) > 600


def reading(text: str, status: Status) -> FieldReading:
    box = (0.0, 0.0, 1.0, 1.0)
    return FieldReading("f", "text", text, None, 0.9, status, "", (), (), text, box)


def test_a_refused_page_has_nothing_right_and_nothing_accepted() -> None:
    read = [
        (reading("Ab", Status.ACCEPTED), "ab"),
        (reading("x", Status.ACCEPTED), "y"),
        (reading("z", Status.REVIEW), "w"),
        (None, "a"),
    ]
    row = robustness.tally("s", "fog", 2, read, refused=1)
    assert (row.n, row.right, row.accepted, row.wrong_accepted, row.refused) == (4, 1, 2, 1, 1)
    accepted, wrong, share, low, high = robustness.pooled([row, row])
    assert (accepted, wrong, share) == (4, 2, 0.5)
    assert low < 0.5 < high


def test_crops_are_read_under_marks_of_their_own() -> None:
    seen: list[list[np.ndarray]] = []

    def read_fields(items: list[tuple[np.ndarray, object]]) -> list[FieldReading]:
        seen.append([crop for crop, _ in items])
        return [reading("1", Status.ACCEPTED) for _ in items]

    items = [(crop, field, "1") for crop, field in drawn_fields(3)]
    items[1] = items[0]
    reader = SimpleNamespace(read_fields=read_fields)
    clean = robustness.strips(reader, "digits", items, "clean", 0, 7)
    row = robustness.strips(reader, "digits", items, "spatter", 2, 7)
    again = robustness.strips(reader, "digits", items, "spatter", 2, 7)
    assert (clean.right, row, row.accepted) == (3, again, 3)
    assert all(np.array_equal(a, b[0]) for a, b in zip(seen[0], items, strict=True))
    assert not np.array_equal(seen[1][0], seen[1][1])  # the same crop, other marks
    assert all(np.array_equal(a, b) for a, b in zip(seen[1], seen[2], strict=True))


def test_whole_forms_are_read_and_a_hidden_one_is_refused() -> None:
    (page, *_) = robustness.drawn_pages([7000])
    with Reader() as reader:
        clean = robustness.forms(reader, [page], "clean", 0, 7)
        assert clean.n == len(page.truth)
        assert clean.right > 0.7 * clean.n
        white = robustness.Page(
            np.full_like(page.pixels, 255), page.template, page.truth, page.em_px
        )
        gone = robustness.forms(reader, [white], "clean", 0, 7)
    assert (gone.right, gone.accepted, gone.refused, gone.n) == (0, 0, 1, clean.n)


def test_the_summary_and_the_picture_say_what_was_asked(tmp_path: Path) -> None:
    rows = [
        Row(name, corruption, strength, 100, 90, 50, 2)
        for name in ("words", FORM_SET)
        for corruption, strength in (("clean", 0), ("fog", 2), ("jpeg", 2))
    ]
    told = list(robustness.summary(rows))
    assert "4.00 %" in told[1]
    assert "asked: 3 %" in told[1]
    assert "asked" not in told[0]
    robustness.plot(rows, tmp_path / "r.png")
    assert cv2.imread(str(tmp_path / "r.png")) is not None
