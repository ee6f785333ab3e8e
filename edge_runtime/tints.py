"""Lighter rectangles on a printed tint: fields that nobody drew a line around.

Owns:   `Tint`, `tint_of`, `pane_slopes`.
Needs:  numpy, cv2, `kernels`, `underlay`.
Words:  a *pane* is a rectangle of paper in a tint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.kernels import full_kernel
from edge_runtime.underlay import EDGE, Underlay, underlay_of

Gray = NDArray[np.uint8]
Pane = tuple[float, float, float, float]
Bounds = tuple[slice, slice]

# Millimetres: a pane's sides at least, its height and its width at most; and of a square with a
# mark in it.
_WHOLE, _SMALL = (2.0, 130.0, 205.0), (2.0, 9.0, 9.0)
_BULGE = 2.2  # so far strokes across its side, or a label over it, may carry it
_BESIDE = 1.6  # so near another pane, or the tint, lies beside a pane
_GOES_ON = 2.6  # and on so far, at some sides
_SLOPED = 12.0  # a pane so wide tells how a page leans
# Parts of the paper's light.
_STEP = 0.02  # by which a pane is lighter, at its very edge
# Shares.
_FULL = 0.85  # of its bounds that a pane fills: corners are round
_SIDE = 0.75  # of each of its sides that has tint, or another pane, beside it
_SHUT = 3  # sides of a pane with tint or a pane beside them: one cell of a row may be missed
_BROAD = 2  # sides of a pane at which its tint is broader than a line
_OPEN = 0.2  # of a row that is no stroke: enough to tell its level by
_ALIKE = 3.5  # times as deep at most is the tint at one side of a pane as at another
_DEEP = 0.6  # of the deepest beside a pane that the tint behind it has: else that is a line
_CORNER = 0.12  # of a side, at each end, that a corner may round off
_LINED = 0.75  # of the way outwards: strokes from there on are a line
_BEYOND = 0.12  # of a pane: so much bulges beyond it where strokes cross its sides
_HOLLOW = 0.3  # of its bounds, without what is written into it


class Tint:
    """What is tint on a page, and what is paper in it.

    Args:
        under: The page without its strokes.
        panes: Left, top, right and bottom of each, pixels.
    """

    def __init__(self, under: Underlay, panes: Sequence[Pane]) -> None:
        self._under, self.panes = under, tuple(panes)

    def even(self, panes: Sequence[Pane], white: Gray | None = None) -> Gray:
        """The page with paper in place of the tint around some panes.

        Args:
            panes: Some of them all.
            white: uint8 (h, w), the same page with its paper made white; None: it was not.
        """
        far = self._under.px(_BESIDE)
        places = [strip for pane in panes for strip in _beside(pane, far)]
        return self._under.even(places, white)


def tint_of(page: Gray, mm: float) -> Tint | None:
    """Find tint and the panes in it.

    Args:
        page: uint8 (h, w), dark on light, straight.
        mm: Its pixels a millimetre.

    Returns:
        None for a page without panes; most often that is told at a small size.
    """
    under = underlay_of(page, mm)
    panes = [] if under is None else _Finder(under).panes()
    return Tint(under, panes) if under is not None and panes else None


def pane_slopes(page: Gray, mm: float) -> list[tuple[float, float]] | None:
    """Rows that sides of wide panes climb a column, and the panes' widths in pixels; the page may
    lean. None for a page without panes."""
    under = underlay_of(page, mm)
    return None if under is None else _Finder(under).slopes()


class _Finder:
    """Looks for panes on one page."""

    def __init__(self, under: Underlay) -> None:
        self._under, self._px = under, under.px

    def slopes(self) -> list[tuple[float, float]] | None:
        out, any_pane = [], False
        for _, part, outline in self._parts(self._under.free(), _WHOLE):
            _, (a, b), _ = cv2.minAreaRect(outline)
            full = cv2.contourArea(outline) + len(outline) / 2
            if full < _FULL * (a + 1) * (b + 1):
                continue
            any_pane = True
            if part.shape[1] >= _SLOPED * self._under.mm:
                out += [(slope, float(part.shape[1])) for slope in _slopes(part)]
        return out if any_pane else None

    def panes(self) -> list[Pane]:
        free = self._under.free()
        panes = self._rectangles(free, _WHOLE)
        for x0, y0, x1, y1 in panes:
            free[round(y0) : round(y1), round(x0) : round(x1)] = 0
        # Marks cut small squares into pieces.
        panes += self._rectangles(self._under.through_marks(free), _SMALL)
        return sorted(self._enclosed(panes), key=lambda pane: (pane[1], pane[0]))

    def _rectangles(self, free: Gray, sizes: tuple[float, float, float]) -> list[Pane]:
        out = []
        for bounds, part, outline in self._parts(free, sizes):
            cv2.drawContours(part, [outline], -1, 1, -1)
            pane = self._exact(bounds)
            if pane is not None and self._fills(part, bounds, pane):
                out.append(pane)
        return out

    def _parts(
        self, free: Gray, sizes: tuple[float, float, float]
    ) -> Iterator[tuple[Bounds, Gray, NDArray[np.int32]]]:
        """Rows and columns, pixels 0 or 1 and outline of all paper in the tint that may be a pane,
        at least and at most of the sizes in millimetres."""
        _, labels, stats, _ = cv2.connectedComponentsWithStats(free, connectivity=4)
        h, w = free.shape
        least, high, wide = (edge * self._under.mm for edge in sizes)
        for k, (x, y, cw, ch, area) in enumerate(stats.tolist()):
            if k == 0 or cw < least or ch < least or area < _HOLLOW * least * least:
                continue
            bounds = slice(y, y + ch), slice(x, x + cw)
            part = (labels[bounds] == k).astype(np.uint8)
            if not self._is_lighter(part, bounds):
                self._under.is_tint(part, bounds)
                continue
            inside = x > 0 and y > 0 and x + cw < w and y + ch < h
            if inside and ch <= high and cw <= wide and area >= _HOLLOW * cw * ch:
                lines = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
                yield bounds, part, np.asarray(max(lines, key=len), np.int32)

    def _fills(self, part: Gray, bounds: Bounds, pane: Pane) -> bool:
        """Whether a part, without its holes, is all of a pane and nothing beside it."""
        rim = self._under.mm * EDGE
        x0, y0 = round(pane[0] + rim), round(pane[1] + rim)
        x1, y1 = round(pane[2] - rim), round(pane[3] - rim)
        top, left = bounds[0].start, bounds[1].start
        own = slice(max(0, y0 - top), max(0, y1 - top)), slice(max(0, x0 - left), max(0, x1 - left))
        inside = part[own]
        marks = self._under.strokes[bounds][own] > 0
        beyond = np.count_nonzero(part) - np.count_nonzero(inside)
        rest = (pane[2] - pane[0]) * (pane[3] - pane[1]) - inside.size
        full = np.count_nonzero((inside > 0) | marks) >= _FULL * (y1 - y0) * (x1 - x0)
        return bool(inside.size and full and beyond <= rest + _BEYOND * inside.size)

    def _is_lighter(self, part: Gray, bounds: Bounds) -> bool:
        """Whether the paper of a part is lighter than what is around it: far from any paper, tint
        is the lightest there is."""
        rim = self._px(EDGE) + 2
        rows, columns = (slice(max(0, one.start - rim), one.stop + rim) for one in bounds)
        bare = self._under.bare[rows, columns]
        own = np.zeros(bare.shape, np.uint8)
        top, left = bounds[0].start - rows.start, bounds[1].start - columns.start
        own[top : top + part.shape[0], left : left + part.shape[1]] = part
        kernel = full_kernel(2 * rim + 1, 2 * rim + 1)
        around = (cv2.dilate(own, kernel) > own) & (self._under.strokes[rows, columns] == 0)
        inside = cv2.subtract(own, cv2.erode(own, kernel))
        if not around.any():
            return True
        outside = cv2.mean(bare, around.astype(np.uint8))[0]
        return bool(outside <= cv2.mean(bare, inside)[0] * (1 - _STEP))

    def _enclosed(self, panes: list[Pane]) -> list[Pane]:
        """Those with tint, or others of them, along their sides; all four have fallen off.

        One that holds a pane is not beside it: the middle of a ring on a white field is no pane.
        """
        while True:
            beside = self._tint_and(panes)
            kept = []
            for pane in panes:
                apart = [one for one in panes if not _holds(one, pane)]
                inner = len(apart) < len(panes) - 1  # it holds itself
                if self._is_enclosed(pane, self._tint_and(apart) if inner else beside):
                    kept.append(pane)
            if len(kept) == len(panes):
                return kept
            panes = kept

    def _tint_and(self, panes: Sequence[Pane]) -> Gray:
        beside = self._under.tinted.copy()
        for x0, y0, x1, y1 in panes:
            beside[round(y0) : round(y1), round(x0) : round(x1)] = 255
        return beside

    def _is_enclosed(self, pane: Pane, beside: Gray) -> bool:
        """`beside` is tint or a pane. A broad pale line, as a letter's in a watermark, is no tint:
        that goes on, on some sides at least."""
        near, far = self._px(_BESIDE), self._px(_GOES_ON)
        across = (0, 0, 1, 1)
        shut = sum(
            bool((beside[strip].max(axis=axis, initial=0) > 0).mean() >= _SIDE)
            for strip, axis in zip(_beside(pane, near), across, strict=True)
        )
        if shut < _SHUT:
            return False
        x0, y0, x1, y1 = pane
        wider = _beside((x0 - near, y0 - near, x1 + near, y1 + near), far - near)
        strips = [beside[strip] for strip in wider]
        broad = [bool(one.size > 0 and (one > 0).mean() >= _SIDE) for one in strips]
        return sum(broad) >= _BROAD

    def _exact(self, bounds: Bounds) -> Pane | None:
        """The pane with its sides where its light has fallen by half; None where it has not."""
        (y0, y1), (x0, x1) = ((one.start, one.stop) for one in bounds)
        inner = min(self._px(_BULGE), (min(x1 - x0, y1 - y0) - 1) // 2)
        outer = self._px(2 * EDGE)
        bare, strokes = self._under.bare, self._under.strokes
        across, down = slice(x0, x1), slice(y0, y1)
        top, foot = slice(max(0, y0 - outer), y0 + inner), slice(y1 - inner, y1 + outer)
        left, right = slice(max(0, x0 - outer), x0 + inner), slice(x1 - inner, x1 + outer)
        told = [
            _falls(bare[top, across][::-1], strokes[top, across][::-1]),
            _falls(bare[foot, across], strokes[foot, across]),
            _falls(bare[down, left].T[::-1], strokes[down, left].T[::-1]),
            _falls(bare[down, right].T, strokes[down, right].T),
        ]
        sides = [side for side in told if side is not None]
        beyond = [depth for _, depth in sides if depth > 0]
        if len(sides) < len(told) or (beyond and max(beyond) > _ALIKE * min(beyond)):
            return None
        up, below, before, after = (at for at, _ in sides)
        pane = (x0 + inner - before, y0 + inner - up, x1 - inner + after, y1 - inner + below)
        least = _WHOLE[0] * self._under.mm
        return pane if min(pane[2] - pane[0], pane[3] - pane[1]) >= least else None


def _holds(a: Pane, b: Pane) -> bool:
    """Whether `b` lies in `a`."""
    return a[0] <= b[0] and a[1] <= b[1] and b[2] <= a[2] and b[3] <= a[3]


def _beside(pane: Pane, far: int) -> tuple[Bounds, Bounds, Bounds, Bounds]:
    """Rows and columns above a pane, below it, at its left and its right."""
    x0, y0, x1, y1 = map(round, pane)
    across, down = slice(x0, x1), slice(y0, y1)
    return (
        (slice(max(0, y0 - far), y0), across),
        (slice(y1, y1 + far), across),
        (down, slice(max(0, x0 - far), x0)),
        (down, slice(x1, x1 + far)),
    )


def _falls(rows: Gray, strokes: Gray) -> tuple[float, float] | None:
    """Rows from inside to outside at which half the light is gone, and how deep the tint is there,
    a part of the light, 0 where no tint but a line or a gap lies there; None where it does not
    fall."""
    corner = round(_CORNER * rows.shape[1])
    rows, strokes = rows[:, corner : rows.shape[1] - corner], strokes[:, corner : -corner or None]
    clear = strokes == 0
    count = np.count_nonzero(clear, axis=1)
    told = np.flatnonzero(count >= _OPEN * rows.shape[1])
    if told.size < 2:
        return None
    level = (rows * clear).sum(axis=1, dtype=np.float64)[told] / count[told]
    if told[-1] < _LINED * len(rows):  # a printed line along all of the side
        told, level = np.append(told, len(rows) - 1), np.append(level, rows[-1].mean())
    level = np.interp(np.arange(len(rows)), told, level)
    inner = int(level.argmax())
    low, high = float(level[inner:].min()), float(level[inner])
    if low > high * (1 - _STEP):
        return None
    half = (low + high) / 2
    first = inner + int(np.argmax(level[inner:] <= half))
    above, below = level[first - 1], level[first]
    at = first - 0.5 + float((above - half) / max(above - below, 1e-6))
    behind = high - float(level[-1])
    return at, behind / high if behind >= _DEEP * (high - low) else 0.0


def _slopes(part: Gray) -> list[float]:
    """Rows that the upper and the lower side of a leaning pane climb a column."""
    h, w = part.shape
    inner = slice(round(0.08 * w), round(0.92 * w) + 1)
    xs = np.arange(w)[inner]
    third = max(1, xs.size // 3)
    away = xs[-third:].mean() - xs[:third].mean()
    rows = part.argmax(0)[inner], (h - 1 - part[::-1].argmax(0))[inner]
    return [float((np.median(one[-third:]) - np.median(one[:third])) / away) for one in rows]
