"""Strokes in cells, thickened where they are thinner than the network reads well."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_runtime.lines import stroke_width_px
from edge_runtime.thin import thickened


def glyph(width: int) -> np.ndarray:
    ink = np.zeros((110, 80), np.uint8)
    cv2.line(ink, (15, 95), (40, 15), 255, width)
    cv2.line(ink, (40, 15), (65, 95), 255, width)
    return ink


@pytest.mark.parametrize("width", [2, 3, 5])
def test_thin_strokes_become_a_tenth_of_the_height(width: int) -> None:
    seen = thickened(glyph(width), None)
    assert stroke_width_px(seen) == pytest.approx(8.2, abs=1.6)
    assert (seen >= glyph(width)).all()


def test_wide_strokes_blank_cells_and_grain_stay_as_they_are() -> None:
    for ink in (glyph(11), np.zeros((60, 40), np.uint8)):
        assert np.array_equal(thickened(ink, None), ink)
    grain = np.random.default_rng(0).integers(0, 80, (110, 80)).astype(np.uint8)
    grain[:, :40] = np.maximum(grain, glyph(2))[:, :40]
    seen = thickened(grain, None)
    assert np.array_equal(seen[:, 75:], grain[:, 75:])


def test_the_line_says_how_tall_a_low_glyph_would_be() -> None:
    dash = np.zeros((110, 80), np.uint8)
    dash[54:56, 30:50] = 255
    alone, in_line = thickened(dash, None), thickened(dash, (15.0, 95.0))
    assert np.array_equal(alone, dash)
    assert stroke_width_px(in_line) > stroke_width_px(alone)
