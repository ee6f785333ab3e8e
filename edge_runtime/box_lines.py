"""Whether the sides of a square are printed lines, and no edges of a tint: told on grey levels.

Owns:   `BoxLines`.
Needs:  numpy, cv2, `found`, `rulings`.
Words:  a mask of ink holds watermarks as well, whose letters and arcs close in squares by chance. A
        printed line is dark, as print and writing are; or it is pale, with paper on both sides.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.found import Rect
from edge_runtime.rulings import MM, Sheet

_DARK = 0.5  # of the depth of the page's own ink: so dark is no tint
_LIKE = 0.8  # of the depth of a box's lines: its like is as dark, and so is what blackens it
_STRAY = 3  # pixels by which a side may lie beside its line
_NEAR, _FAR = 3, 6  # pixels from a line: beyond its own width, short of other print
_RISE = 0.5  # of a pale line's depth: paper beside it is so much lighter
_LEAST = 12.0  # grey levels that a line stands out by: a scanner's grain is 2, its JPEG's 5
_MARGIN = _STRAY + _FAR + 1
_PAPER = round(1.5 * MM)  # around a box: where its paper is measured
_DRAWN, _WORST = 0.6, 0.25  # of four sides together and of the worst; drawn boxes: 99 % have more
_BAR, _SOLID = (0.5, 0.75), 0.95  # sides away from a box; and ink there: no scribble is so dense
# From so many sides beside a box to so many; ink of a bar; bars there.
_CODE_FAR, _BAR_FULL, _CODE_BARS = (0.6, 2.5), 0.85, 6
_PLAIN = 0.75  # of each side of a box that there is no doubt about
_BEYOND, _RUNS = 0.4, 0.75  # of a side: so far its lines run on; and so much of that is ink
_RIM = 0.15  # of a side: its own line


class BoxLines:
    """What tells lines from tints on one sheet.

    Args:
        sheet: The page.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._picture = np.pad(sheet.picture, _MARGIN, mode="edge")
        self._low = np.asarray(cv2.erode(self._picture, np.ones((3, 3), np.uint8)), np.uint8)
        self._ink = sheet.ink
        ink = sheet.picture[sheet.ink > 0]
        paper = float(np.percentile(sheet.picture[::4, ::4], 90))
        self._dark = _DARK * (paper - float(np.percentile(ink, 10))) if ink.size else 255.0
        self._black = paper - self._dark

    def are_drawn(self, box: Rect, *, like: float | None = None) -> bool:
        """Whether its sides are lines, a few gaps and crossing strokes allowed.

        Args:
            box: On the sheet.
            like: Depth of the lines of its like, where one is known: as dark is dark enough.
        """
        sides = self._sides(box, dark=None if like is None else _LIKE * like)[:, 0]
        lines = sides.mean() >= _DRAWN and sides.min() >= _WORST
        return bool(lines and not self._is_in_bar(box) and not self._is_in_code(box))

    def _is_in_bar(self, box: Rect) -> bool:
        """Whether ink without a gap goes on beside it, farther than any scribble."""
        x0, y0, x1, y1 = (round(edge) for edge in box)
        near, far = (round(part * (x1 - x0)) for part in _BAR)
        parts = (
            self._ink[max(0, y0 - far) : max(0, y0 - near), x0:x1],
            self._ink[y1 + near : y1 + far, x0:x1],
            self._ink[y0:y1, max(0, x0 - far) : max(0, x0 - near)],
            self._ink[y0:y1, x1 + near : x1 + far],
        )
        return any(part.size and part.mean() >= _SOLID for part in parts)

    def _is_in_code(self, box: Rect) -> bool:
        """Whether many upright runs of ink as tall as it stand beside it: a bar code's, or those
        between the white letters of a filled heading."""
        x0, y0, x1, y1 = (round(edge) for edge in box)
        near, far = (round(part * (x1 - x0)) for part in _CODE_FAR)  # past a scribble
        bars = 0
        for beside in (slice(max(0, x0 - far), max(0, x0 - near)), slice(x1 + near, x1 + far)):
            band = self._ink[y0:y1, beside]
            if band.size:
                full = np.pad((band.mean(axis=0) >= _BAR_FULL).astype(np.int8), 1)
                bars += int(np.count_nonzero(np.diff(full) > 0))
        return bars >= _CODE_BARS

    def are_plain(self, box: Rect) -> bool:
        """Whether every side is a line nearly all along."""
        return bool(self.drawn(box).min() >= _PLAIN)

    def is_solid(self, box: Rect) -> bool:
        """Whether it is ink throughout, without a trace of paper."""
        x0, y0, x1, y1 = (round(edge) + _MARGIN for edge in box)
        rim = round(_RIM * (x1 - x0))
        core = self._picture[y0 + rim : y1 - rim, x0 + rim : x1 - rim]
        return bool(core.size and core.max() <= self._black)

    def go_on(self, box: Rect) -> bool:
        """Whether its upper and its lower line run on beside it: a cell of a row or a table."""
        x0, y0, x1, y1 = (round(edge) for edge in box)
        long = round(_BEYOND * (y1 - y0))
        return any(
            a >= 0 and all(self._runs(row, a, a + long) for row in (y0, y1))
            for a in (x1 + _STRAY, x0 - _STRAY - long)
        )

    def _runs(self, row: int, start: int, stop: int) -> bool:
        """Whether a thin line runs along a row, or one a little above or below it."""
        band = self._ink[max(0, row - _STRAY - _FAR) : row + _STRAY + _FAR + 1, start:stop]
        if band.shape[0] < 2 * (_STRAY + _FAR) + 1 or band.shape[1] < stop - start:
            return False
        share = band.mean(1)
        middle = _STRAY + _FAR
        at = middle - _STRAY + int(share[middle - _STRAY : middle + _STRAY + 1].argmax())
        line = band[at - 1 : at + 2].any(0).mean()
        return bool(line >= _RUNS and min(share[0], share[-1]) < _RUNS / 2)

    def drawn(self, box: Rect) -> NDArray[np.float64]:
        """float64 (4,): the share of the top, bottom, left and right side that is a line, 0..1."""
        return self._sides(box)[:, 0]

    def depth(self, box: Rect) -> float:
        """Grey levels that its lines are darker than the paper."""
        return float(np.median(self._sides(box)[:, 1]))

    def _sides(self, box: Rect, *, dark: float | None = None) -> NDArray[np.float64]:
        """float64 (4, 2) of top, bottom, left and right: share that is a line, and its depth."""
        x0, y0, x1, y1 = (round(edge) + _MARGIN for edge in box)
        h, w = self._picture.shape
        if min(x0, y0) < _MARGIN or x1 >= w - _MARGIN or y1 >= h - _MARGIN:
            return np.zeros((4, 2))
        around = self._picture[max(0, y0 - _PAPER) : y1 + _PAPER, max(0, x0 - _PAPER) : x1 + _PAPER]
        paper = float(np.percentile(around, 90))
        across, down = slice(x0, x1 + 1), slice(y0, y1 + 1)
        bands = [
            (_band(self._low, y0, across)[::-1], _band(self._picture, y0, across)[::-1]),
            (_band(self._low, y1, across), _band(self._picture, y1, across)),
            (_band(self._low.T, x0, down)[::-1], _band(self._picture.T, x0, down)[::-1]),
            (_band(self._low.T, x1, down), _band(self._picture.T, x1, down)),
        ]
        dark = self._dark if dark is None else min(dark, self._dark)
        return np.array([_side(low, seen, paper, dark) for low, seen in bands])


def _side(
    low: NDArray[np.float64], seen: NDArray[np.float64], paper: float, dark: float
) -> tuple[float, float]:
    """Of bands along a side, rows from inside to outside."""
    middle = low.shape[0] // 2
    rows = range(middle - _STRAY, middle + _STRAY + 1)
    best = min(rows, key=lambda row: float(seen[row].mean()))
    line = low[best]
    depth = paper - line
    inside = np.median(seen[best - _FAR : best - _NEAR + 1], axis=0)
    outside = np.median(seen[best + _NEAR : best + _FAR + 1], axis=0)
    rise = np.maximum(_LEAST, _RISE * depth)
    pale = (inside - line >= rise) & (outside - line >= rise)
    return float(((depth >= dark) | pale).mean()), float(np.median(depth))


def _band(picture: NDArray[np.uint8], row: int, along: slice) -> NDArray[np.float64]:
    return picture[row - _MARGIN : row + _MARGIN + 1, along].astype(np.float64)
