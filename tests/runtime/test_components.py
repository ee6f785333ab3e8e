"""Components measured by their runs, and large closings by doubling, against OpenCV's own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime import preprocess
from edge_runtime.components import components_of

Gray = NDArray[np.uint8]


def blots(seed: int, h: int, w: int, share: float) -> Gray:
    """Ink of random strength, in a share of the pixels."""
    rng = np.random.default_rng(seed)
    ink = rng.integers(1, 256, (h, w)).astype(np.uint8)
    return np.where(rng.random((h, w)) < share, ink, np.uint8(0))


pictures = st.builds(
    blots,
    st.integers(0, 10_000),
    st.integers(1, 30),
    st.integers(1, 40),
    st.sampled_from((0.0, 0.05, 0.3, 0.7, 1.0)),
)


@given(pictures, st.sampled_from((1, 48, 90, 255)))
@settings(max_examples=150, deadline=None)
def test_components_are_opencv_s(ink: Gray, least: int) -> None:
    mask = (ink >= least).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    seen = components_of(ink, least)
    assert seen.count == count
    assert np.array_equal(seen.labels, labels)
    assert np.array_equal(seen.stats, stats[1:])
    assert np.array_equal(seen.areas, stats[1:, cv2.CC_STAT_AREA])
    strong = np.unique(labels[(ink >= 140) & (mask > 0)])
    assert np.array_equal(
        np.flatnonzero(seen.holding(ink, max(least, 140))) + 1, strong[strong > 0]
    )


@given(pictures, st.floats(0, 20))
@settings(max_examples=60, deadline=None)
def test_the_box_holds_all_but_the_small_ones(ink: Gray, least: float) -> None:
    seen = components_of(ink, 90)
    kept = np.isin(seen.labels, np.flatnonzero(seen.areas >= least) + 1)
    box = seen.box(least)
    if not kept.any():
        assert box is None
        return
    rows, cols = np.nonzero(kept)
    assert box == (cols.min(), rows.min(), cols.max() + 1, rows.max() + 1)


@given(pictures, st.tuples(*[st.integers(0, 45)] * 4))
@settings(max_examples=60, deadline=None)
def test_pixels_within_a_window_are_counted(ink: Gray, sides: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = sides
    seen = components_of(ink, 90)
    part = seen.labels[top:bottom, left:right]
    want = np.bincount(part.ravel(), minlength=seen.count)[1:]
    assert np.array_equal(seen.within(left, top, right, bottom), want)


@pytest.mark.parametrize(("h", "w", "side"), [(90, 200, 45), (30, 200, 51), (134, 20, 67)])
def test_a_large_closing_is_opencv_s(h: int, w: int, side: int) -> None:
    crop = blots(3, h, w, 0.9)
    want = cv2.morphologyEx(
        crop,
        cv2.MORPH_CLOSE,
        np.ones((side, side), np.uint8),
        borderType=cv2.BORDER_REPLICATE,
    )
    assert np.array_equal(preprocess._closed(crop, side, side), want)
    # A wider square than twice the crop sees no more than the whole of each row.
    assert np.array_equal(preprocess._closed(crop, side, min(side, 2 * w + 1)), want)
