"""From crop to strip: the same ink gives the same strip, and every place leads back to the crop."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.preprocess import (
    Gray,
    bucket_px,
    ink_box,
    make_strip,
    n_frames,
    normalize_ink,
    to_tensor,
)
from edge_runtime.spec import ModelSpec

SPEC = ModelSpec(
    name="test",
    labels=("", "a"),
    height_px=32,
    ink_px=28,
    margin_px=4,
    min_ink_ratio=0.35,
    widths_px=(32, 64, 128, 256, 768),
    stride_px=4,
    mean=0.0,
    std=0.3,
    stroke_pitch_px=10.5,
)


def fence(n: int, pitch: int, *, height: int = 60, thick: int = 2) -> Gray:
    """Ink: `n` upright strokes, `pitch` columns apart."""
    ink = np.zeros((height + 20, n * pitch + 20), np.uint8)
    for number in range(n):
        x = 10 + number * pitch
        ink[10 : 10 + height, x : x + thick] = 255
    return ink


def pitch_of(pixels: Gray) -> float:
    row = pixels[16] >= 90
    starts = np.flatnonzero(row[1:] & ~row[:-1])
    return float(np.diff(starts).mean())


@given(pitch=st.integers(6, 40), n=st.integers(6, 20))
@settings(max_examples=40, deadline=None)
def test_dense_strokes_are_brought_apart_and_wide_ones_left(pitch: int, n: int) -> None:
    ink = fence(n, pitch)
    plain = make_strip(ink, replace(SPEC, stroke_pitch_px=0.0))
    told = make_strip(ink, SPEC)
    assert plain is not None
    assert told is not None
    before, after = pitch_of(plain.pixels), pitch_of(told.pixels)
    if before > 1.25 * SPEC.stroke_pitch_px:  # the width holds one gap less than strokes
        assert np.array_equal(plain.pixels, told.pixels)
    else:
        assert after >= 0.98 * before
        # Twice as wide at most; the pitch over the whole width counts the last stroke's too.
        assert after >= min(SPEC.stroke_pitch_px, 2 * before) * 0.85


def test_a_single_glyph_keeps_its_width() -> None:
    plain = make_strip(fence(3, 6), replace(SPEC, stroke_pitch_px=0.0))
    told = make_strip(fence(3, 6), SPEC)
    assert plain is not None
    assert told is not None
    assert np.array_equal(plain.pixels, told.pixels)


def test_a_glyph_of_a_row_of_cells_keeps_its_width() -> None:
    ink = fence(8, 6)
    line = (0.0, float(ink.shape[0]))
    plain = make_strip(ink, replace(SPEC, stroke_pitch_px=0.0), line=line)
    told = make_strip(ink, SPEC, line=line)
    assert plain is not None
    assert told is not None
    assert np.array_equal(plain.pixels, told.pixels)


@given(n=st.integers(1, 30), pitch=st.integers(5, 60), height=st.integers(12, 120))
@settings(max_examples=60, deadline=None)
def test_a_strip_fits_its_bucket_and_leads_back_to_the_crop(
    n: int, pitch: int, height: int
) -> None:
    ink = fence(n, pitch, height=height)
    strip = make_strip(ink, SPEC)
    assert strip is not None
    w = strip.pixels.shape[1]
    assert strip.pixels.shape[0] == SPEC.height_px
    assert w <= bucket_px(w, SPEC) <= SPEC.widths_px[-1]
    assert n_frames(w, SPEC) * SPEC.stride_px >= w
    box = ink_box(ink)
    assert box is not None
    left, right = strip.to_crop(SPEC.margin_px, w - SPEC.margin_px)
    assert left == pytest.approx(box[0], abs=1.5 / strip.scale_x)
    assert right == pytest.approx(box[2], abs=1.5 / strip.scale_x)


@given(gain=st.floats(0.5, 1.0), offset=st.integers(0, 20))
@settings(max_examples=20, deadline=None)
def test_light_and_pen_do_not_change_the_strip(gain: float, offset: int) -> None:
    crop = (235 - 0.7 * cv2.GaussianBlur(fence(5, 20), (0, 0), 1).astype(np.float32)).astype(
        np.uint8
    )
    other = np.clip(crop * gain + offset, 0, 255).astype(np.uint8)
    first, second = (make_strip(normalize_ink(one), SPEC) for one in (crop, other))
    assert first is not None
    assert second is not None
    assert first.pixels.shape == second.pixels.shape
    assert np.abs(first.pixels.astype(int) - second.pixels.astype(int)).mean() < 6


@pytest.mark.parametrize("level", [0, 128, 255])
def test_paper_alone_has_no_strip(level: int) -> None:
    grain = np.random.default_rng(1).normal(level, 2, (40, 200))
    assert make_strip(normalize_ink(np.clip(grain, 0, 255).astype(np.uint8)), SPEC) is None


def test_a_dash_keeps_its_place_on_the_line() -> None:
    ink = np.zeros((60, 60), np.uint8)
    ink[40:44, 10:50] = 255
    strip = make_strip(ink, SPEC)
    assert strip is not None
    rows = np.flatnonzero(strip.pixels.max(axis=1) > 90)
    assert rows.size < SPEC.height_px / 2
    assert rows.mean() > SPEC.height_px / 2


def test_padding_is_paper_and_scaling_is_that_of_the_spec() -> None:
    strip = make_strip(fence(2, 12), SPEC)
    assert strip is not None
    tensor = to_tensor([strip.pixels], 64, SPEC)
    w = strip.pixels.shape[1]
    assert tensor.shape == (1, 1, 32, 64)
    assert not tensor[..., w:].any()
    assert tensor[0, 0, :, :w] == pytest.approx(strip.pixels / 255 / 0.3, abs=1e-5)


@pytest.mark.parametrize("mean", [0.0, 0.25])
def test_a_strip_alone_gives_the_tensor_it_gives_among_others(mean: float) -> None:
    spec = replace(SPEC, mean=mean)
    pixels = np.arange(32 * 50, dtype=np.uint8).reshape(32, 50)
    (alone,) = to_tensor([pixels], 64, spec)
    assert np.array_equal(alone, to_tensor([pixels, pixels], 64, spec)[1])


def test_a_sliver_takes_no_room_for_what_lies_beside_it() -> None:
    """Of a column of 40,000 pixels the paper was sought in 20,000 beside it."""
    crop = np.full((40_000, 3), 240, np.uint8)
    crop[20_000:20_040, 1] = 20
    tracemalloc.start()
    ink = normalize_ink(crop)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ink[20_020, 1] == 255
    assert not ink[:19_000].any()
    assert most < 20_000_000
