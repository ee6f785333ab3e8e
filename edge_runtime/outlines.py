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

    def supports(self, left: int, top: int, shape: tuple[int, int], side: int) -> Floats:
        """As `support`, of squares at every pixel of a part of the mask.

        Args:
            left: Column of the first squares' left sides; may lie beyond the mask, as `top` may.
            top: Row of the first squares' upper sides.
            shape: Rows and columns at which squares stand.
            side: Of the squares.

        Returns:
            float64 (rows, columns, 4).
        """
        (h, w), (rows, columns) = self._shape, shape
        found = np.zeros((4, rows, columns))
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(w - side, left + columns), min(h - side, top + rows)
        if side < min(h, w) and x0 < x1 and y0 < y1:
            ends = side + 1
            across, down = slice(x0, x1), slice(y0, y1)
            far_x, far_y = slice(x0 + ends, x1 + ends), slice(y0 + ends, y1 + ends)
            last_x, last_y = slice(x0 + side, x1 + side), slice(y0 + side, y1 + side)
            own = found[:, y0 - top : y1 - top, x0 - left : x1 - left]
            own[0] = self._along[down, far_x] - self._along[down, across]
            own[1] = self._along[last_y, far_x] - self._along[last_y, across]
            own[2] = self._down[far_y, across] - self._down[down, across]
            own[3] = self._down[far_y, last_x] - self._down[down, last_x]
            own /= ends
        return np.moveaxis(found, 0, -1)
