"""Digits drawn in memory: something to read where there is no picture, the same on every machine.

Owns:   `draw_digits`, `drawn_fields`, for `doctor` and `bench`. Nothing is trained on them.
Needs:  numpy, cv2. No font: OpenCV's differ between its versions.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.field import Field

Gray = NDArray[np.uint8]

_LENGTHS = (1, 2, 4, 6, 8, 10, 13, 16, 20, 24)  # digits: from a single cell to an account number
_HEIGHT_PX, _STEP_PX, _PAPER, _INK = 64, 30, 235, 40
_GLYPH_PX, _EDGE_PX, _PEN_PX = (18, 36), (15, 14), 3
_WOBBLE_PX = 0.7  # a hand that is steady, but no plotter

# Corners of the strokes in a square, (x, y) of 0..1: a hand that draws digits without lifting.
_DIGITS: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0.5, 0), (0.1, 0.2), (0, 0.6), (0.3, 1), (0.8, 0.9), (1, 0.4), (0.8, 0.1), (0.5, 0)),
    ((0.2, 0.2), (0.6, 0), (0.6, 1)),
    ((0, 0.2), (0.4, 0), (0.9, 0.1), (0.9, 0.4), (0, 1), (1, 1)),
    ((0, 0), (0.9, 0), (0.4, 0.4), (1, 0.6), (0.9, 0.9), (0.4, 1), (0, 0.9)),
    ((0.5, 0), (0, 0.6), (1, 0.6), (0.7, 0.6), (0.7, 0.2), (0.7, 1)),
    ((0.9, 0), (0.1, 0), (0.1, 0.45), (0.7, 0.4), (1, 0.7), (0.7, 1), (0, 0.95)),
    ((0.8, 0), (0.2, 0.4), (0, 0.8), (0.4, 1), (0.9, 0.9), (0.8, 0.6), (0.1, 0.7)),
    ((0, 0), (1, 0), (0.4, 1)),
    ((0.5, 0.45), (0.1, 0.2), (0.5, 0), (0.9, 0.2), (0.1, 0.8), (0.5, 1), (0.9, 0.8), (0.5, 0.45)),
    ((0.9, 0.3), (0.4, 0.5), (0.1, 0.2), (0.5, 0), (0.9, 0.2), (0.8, 1)),
)


def draw_digits(text: str, *, seed: int = 2) -> Gray:
    """Dark strokes on light paper, uint8 (64, w); `text` holds digits alone."""
    rng = np.random.default_rng(seed)
    crop = np.full((_HEIGHT_PX, 2 * _EDGE_PX[0] + _STEP_PX * len(text)), _PAPER, np.uint8)
    for at, char in enumerate(text):
        points = np.array(_DIGITS[int(char)], np.float64) * _GLYPH_PX + _EDGE_PX
        points += rng.normal((_STEP_PX * at, 0), _WOBBLE_PX, points.shape)
        line = np.round(points * 8).astype(np.int32)  # shift=3: eighths of a pixel
        cv2.polylines(crop, [line], False, _INK, _PEN_PX, cv2.LINE_AA, 3)
    return crop


def drawn_fields(n: int) -> list[tuple[Gray, Field]]:
    """Crops and their fields, the same ones every time.

    Widths go from one digit to an account number: what a reading costs depends on the width of the
    ink, hardly on what it says.
    """
    rng = np.random.default_rng(7)
    drawn = []
    for at in range(n):
        length = _LENGTHS[at % len(_LENGTHS)]
        text = "".join(map(str, rng.integers(0, 10, length)))
        drawn.append((draw_digits(text, seed=at), Field(name=f"digits{at}", kind="digits")))
    return drawn
