"""Squares by their outline alone: how much of each side holds ink, wherever a square may stand.

Owns:   `Outlines`.
Needs:  numpy, cv2.
Words:  *support*: the share of a side that holds ink, a pixel of stray to both sides allowed.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Ints = NDArray[np.intp]
Floats = NDArray[np.float64]


class Outlines:
    """Sums over a mask that give the support of any square at once.

    Args:
        mask: uint8 (h, w), 0 or 1.
    """

    def __init__(self, mask: Gray) -> None:
        thick = np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)
        self._shape = thick.shape
        self._along = np.zeros((thick.shape[0], thick.shape[1] + 1), np.int32)
        np.cumsum(thick, axis=1, out=self._along[:, 1:])
        self._down = np.zeros((thick.shape[0] + 1, thick.shape[1]), np.int32)
        np.cumsum(thick, axis=0, out=self._down[1:])

    def support(self, x: Ints, y: Ints, side: int) -> Floats:
        """Of squares with their upper left corners at (x, y), arrays of one shape (...).

        Returns:
            float64 (..., 4): top, bottom, left, right, 0..1; 0 where a square leaves the mask.
        """
        h, w = self._shape
        on = (x >= 0) & (y >= 0) & (x + side < w) & (y + side < h)
        cx, cy = np.clip(x, 0, max(0, w - 1 - side)), np.clip(y, 0, max(0, h - 1 - side))
        if side >= min(h, w):
            return np.zeros((*x.shape, 4))
        ends = side + 1
        sides = np.stack(
            [
                self._along[cy, cx + ends] - self._along[cy, cx],
                self._along[cy + side, cx + ends] - self._along[cy + side, cx],
                self._down[cy + ends, cx] - self._down[cy, cx],
                self._down[cy + ends, cx + side] - self._down[cy, cx + side],
            ],
            axis=-1,
        )
        return np.asarray(sides / ends * on[..., None])
