"""Rows of cells as training draws them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from train.compose import Hand, place
from train.pen import Pen, draw_strokes
from train.rows import row_ink
from train.strokes import GlyphBank, Strokes

LETTER: Strokes = [np.array([[0, 0], [0, 600], [400, 600], [400, 0]], np.float32)]
DASH: Strokes = [np.stack([np.linspace(0, 300, 20), np.linspace(0, 12, 20)], axis=1)]


class OneHand(GlyphBank):
    """Writes two characters."""

    def __init__(self) -> None:
        self.writers = self.digit_writers = ["w"]

    def glyph(self, writer: str, char: str, rng: np.random.Generator) -> Strokes | None:
        return {"L": LETTER, "-": DASH}.get(char)


def _most_thick(coverage: np.ndarray) -> float:
    """Pixels from the ink's edge to its middle."""
    ink = np.pad((coverage > 110).astype(np.uint8), 1)
    return float(cv2.distanceTransform(ink, cv2.DIST_L2, 5).max())


@pytest.mark.parametrize("seed", range(6))
def test_a_dash_is_as_bold_as_the_letter_beside_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hand, pen = Hand.draw(rng, style=0.0), Pen(0.1, 0.0, 0.0, 0.0, 0.0)
    thick = []
    for char, glyph in (("L", LETTER), ("-", DASH)):
        placed = place(char, glyph, hand, rng)
        drawn = draw_strokes(placed, pen, rng, height_px=60, scale=30, pad_px=(9, 9, 9, 9))
        thick.append(_most_thick(drawn))
    assert thick[1] == pytest.approx(thick[0], abs=1.5)


@pytest.mark.parametrize("seed", range(6))
def test_a_row_is_as_long_as_its_cells_and_holds_its_marks(seed: int) -> None:
    with_mark, without = (
        row_ink(text, OneHand(), np.random.default_rng(seed), style=0.0) for text in ("L- ", "L  ")
    )
    assert with_mark is not None
    assert without is not None
    h, w = with_mark.shape
    # Inside of the second cell: its borders are drawn with whatever the generator says next.
    middle = np.s_[round(0.25 * h) : round(0.75 * h), round(0.42 * w) : round(0.58 * w)]
    assert without.shape == (h, w)
    assert 1.7 * h < w < 3.3 * h
    assert with_mark[middle].any()
    assert not without[middle].any()


def test_a_row_that_nobody_can_write_is_none() -> None:
    assert row_ink("L?", OneHand(), np.random.default_rng(0), style=0.0) is None
