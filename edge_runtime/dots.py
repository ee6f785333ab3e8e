"""Lines that are printed as dots or dashes: leaders of full stops, dotted rules, loose underscores.

Owns:   `DotRow`, `dot_rows`, `without_dots`.
Needs:  numpy, cv2.
Words:  a *dot* is a small solid piece of ink, round or a dash. A *row* of them has one *pitch*,
        from middle to middle. Writing over a row hides dots, but where they stand is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

# Millimetres. A full stop of 12 points is half a millimetre; a dash is three at most.
_HIGH, _WIDE = 0.85, 3.4
_APART = 4.2  # from dot to dot
_LEAST_LENGTH = 6.0
_SOLID = 0.45  # of a dot's bounds that is ink
_SEED, _SEED_DASHES = 5, 4  # dots side by side that begin a row; an ellipsis has three or four
_FEWEST = 4  # free dots of a row
_DASH = 1.8  # width over height
_EVEN, _EVEN_PX = 0.16, 1.4  # of the pitch by which a dot may stray; and pixels
_ALIKE, _ALIKE_PX = 0.4, 2.1  # by which dots' sizes may differ
_DARK = 0.5  # of a row's dots: so dark is a place where one is hidden
_GONE = 2  # places side by side without one, at which a row ends
_FEW, _HIDDEN = 2, 2  # dots behind a wider gap than this that go on with the row
_MISSED = 0.12  # of the dots under writing that may not be seen
_LEAN = 0.08  # as for other lines: a page that leans more is no scan
_MOST = 20_000  # small pieces on a page: more are a screen or noise
_GRID, _SHARED = 2.5, 0.5  # rows so near each other, for so much of their length, are a screen


@dataclass(frozen=True, slots=True, eq=False)
class DotRow:
    """A level row of dots, pixels."""

    start: float
    stop: float
    at: float  # its row in the middle
    climb: float  # rows a column
    thick: float
    dots: Floats  # (n, 4) x0, y0, x1, y1 of those that are not in writing


def dot_rows(ink: Gray, picture: Gray, *, mm: float) -> list[DotRow]:
    """Level rows of dots of one size, evenly spaced.

    Args:
        ink: uint8 (h, w), 0 or 1, leaning by a few degrees at most.
        picture: uint8 (h, w), the page that it is of, dark on light.
        mm: Pixels a millimetre.
    """
    dots = _dots(ink, mm)
    if not _SEED_DASHES <= len(dots) <= _MOST:
        return []
    page = _Page(dots, picture)
    groups = _groups(dots, ink.shape, mm)
    rows = _grown(page, [one for group in groups for one in _seeds(page, group)], mm)
    if rows:  # writing leaves few dots of a short row: what the others are like is known
        styles = sorted({(round(one.pitch), round(one.wide)) for one in rows})
        rows += _grown(page, [one for group in groups for one in _pairs(page, group, styles)], mm)
    found = [one.result() for one in rows]
    return [one for one in found if not _in_screen(one, found, mm)]


def _grown(page: _Page, seeds: Sequence[Ints], mm: float) -> list[_Row]:
    """Rows from their seeds, the surest first."""
    rows = []
    for seed in sorted(seeds, key=len, reverse=True):
        if not page.free[seed].all():
            continue
        row = _Row(page, seed)
        row.extend(1)
        row.extend(-1)
        if row.length >= _LEAST_LENGTH * mm and len(row.members) >= _FEWEST:
            page.free[row.members] = False
            rows.append(row)
    return rows


def without_dots(page: Gray, dots: Floats) -> Gray:
    """The page with paper where dots stand.

    Args:
        page: uint8 (h, w), dark on light.
        dots: float64 (n, 4), boxes on it.

    Returns:
        uint8 (h, w), the very page where there are no dots.
    """
    if not len(dots):
        return page
    out = page.copy()
    h, w = page.shape
    for x0, y0, x1, y1 in dots.tolist():
        pad = 1 + round(0.15 * (y1 - y0))
        left, top = max(0, int(x0) - pad), max(0, int(y0) - pad)
        right, bottom = min(w, int(np.ceil(x1)) + pad), min(h, int(np.ceil(y1)) + pad)
        around = page[max(0, top - pad) : bottom + pad, max(0, left - pad) : right + pad]
        if around.size:
            out[top:bottom, left:right] = np.percentile(around, 85)
    return out


def _dots(ink: Gray, mm: float) -> Floats:
    """float64 (n, 4): boxes of small solid pieces, from left to right."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    x, y, w, h, area = stats[1:count].T
    small = (h <= _HIGH * mm) & (w <= _WIDE * mm) & (area >= _SOLID * w * h)
    boxes = np.stack([x, y, x + w, y + h], axis=1)[small].astype(np.float64)
    return np.asarray(boxes[np.argsort(boxes[:, 0], kind="stable")], np.float64)


def _groups(dots: Floats, shape: tuple[int, ...], mm: float) -> list[Ints]:
    """Dots of which each stands near the next, side by side: numbers, from left to right."""
    mask = np.zeros(shape[:2], np.uint8)
    for x0, y0, x1, y1 in dots.astype(np.intp).tolist():
        mask[y0 : max(y1, y0 + 3), x0 : x1 + round(_APART * mm)] = 1  # on to the next one
    _, labels = cv2.connectedComponents(mask, connectivity=8)
    at = labels[dots[:, 1].astype(np.intp), dots[:, 0].astype(np.intp)]
    order = np.argsort(at, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(at[order])) + 1)
    return [np.sort(part) for part in parts if part.size >= _SEED_DASHES]


class _Page:
    """The dots of a page, from left to right."""

    def __init__(self, dots: Floats, picture: Gray) -> None:
        self.dots, self.picture = dots, picture
        self.x, self.y = (dots[:, 0] + dots[:, 2]) / 2, (dots[:, 1] + dots[:, 3]) / 2
        self.wide, self.high = dots[:, 2] - dots[:, 0], dots[:, 3] - dots[:, 1]
        self.free = np.ones(len(dots), np.bool_)  # of no row yet
        self._order = np.argsort(self.x, kind="stable")
        self._sorted = self.x[self._order]

    def near(self, x: float, by: float) -> Ints:
        a, b = np.searchsorted(self._sorted, (x - by, x + by))
        return np.asarray(self._order[a:b], np.intp)

    def depth(self, x: float, y: float, wide: float) -> float:
        """Grey levels that a place is darker than the paper near by."""
        h, w = self.picture.shape
        row, column = round(y), round(x)
        half = max(1, round(wide / 3))
        if not (1 <= row < h - 1 and half <= column < w - half):
            return 0.0
        far = 4 * half + 4
        around = self.picture[max(0, row - far) : row + far, max(0, column - far) : column + far]
        here = self.picture[row - 1 : row + 2, column - half : column + half + 1]
        return float(around.max()) - float(np.median(here.min(0)))


def _seeds(page: _Page, group: Ints) -> list[Ints]:
    """Runs of a group's dots that have one size, with one step between them."""
    x, y, wide, high = (of[group] for of in (page.x, page.y, page.wide, page.high))
    step, rise = np.diff(x), np.diff(y)
    alike = np.abs(np.diff(wide)) <= np.maximum(_ALIKE_PX, _ALIKE * wide[:-1])
    alike &= np.abs(np.diff(high)) <= np.maximum(_ALIKE_PX, _ALIKE * high[:-1])
    alike &= np.abs(rise) <= np.maximum(_EVEN_PX, _LEAN * step)
    runs, run = [], [0]
    for k in range(1, len(x)):
        last = step[run[0]] if len(run) > 1 else step[k - 1]
        even = abs(step[k - 1] - last) <= max(_EVEN_PX, _EVEN * last)
        if alike[k - 1] and even:
            run.append(k)
            continue
        runs.append(run)
        run = [k - 1, k] if alike[k - 1] else [k]
    runs.append(run)
    out = []
    for one in runs:
        dashed = np.median(wide[one]) >= _DASH * np.median(high[one])
        if len(one) >= (_SEED_DASHES if dashed else _SEED):
            out.append(group[one])
    return out


def _pairs(page: _Page, group: Ints, styles: Sequence[tuple[int, int]]) -> list[Ints]:
    """Two free dots of a group side by side, as far apart and as wide as those of other rows."""
    left = group[page.free[group]]
    step, rise = np.diff(page.x[left]), np.abs(np.diff(page.y[left]))
    wide = np.minimum(page.wide[left[:-1]], page.wide[left[1:]])
    fit = np.zeros(len(step), np.bool_)
    for pitch, usual in styles:
        fit |= (np.abs(step - pitch) <= _EVEN_PX) & (np.abs(wide - usual) <= _ALIKE_PX)
    return [left[k : k + 2] for k in np.flatnonzero(fit & (rise <= _EVEN_PX))]


class _Row:
    """A row that grows from a seed to both sides, under writing as well."""

    def __init__(self, page: _Page, seed: Ints) -> None:
        self._page = page
        self.members = seed.tolist()
        self._at = list(range(len(self.members)))
        self.wide, self.high = (float(np.median(of[seed])) for of in (page.wide, page.high))
        self._fit()
        depths = [page.depth(page.x[k], page.y[k], self.wide) for k in self.members]
        self._dark = max(1.0, _DARK * float(np.median(depths)))  # at the page's edge they have none

    @property
    def length(self) -> float:
        x = self._page.x[self.members]
        return float(np.ptp(x)) + self.wide

    def _fit(self) -> None:
        x, y = self._page.x[self.members], self._page.y[self.members]
        self.pitch, self._first = (float(one) for one in np.polyfit(self._at, x, 1))
        self._climb, self._level = (float(one) for one in np.polyfit(x, y, 1))
        if len(x) < _SEED:  # so few do not tell how it leans
            self._climb, self._level = 0.0, float(y.mean())

    def extend(self, by: int) -> None:
        """Take in the dots beyond the last (`by` 1) or before the first (-1).

        Where none stands free there is something as dark: writing, and the dot in it. Print that
        goes on where a row ends has paper where dots would be.
        """
        k = max(self._at) if by > 0 else min(self._at)
        hidden, gone, in_a_row = 0, 0, 0
        loose: list[tuple[int, int]] = []  # dots behind a gap: one alone may be a full stop
        few = 1 if self.wide >= _DASH * self.high else _FEW
        while in_a_row < _GONE:
            k += by
            x = self._first + k * self.pitch
            if not 0 <= x < self._page.picture.shape[1]:
                return
            y = self._level + self._climb * x
            dot = self._dot_at(x, y)
            if dot is None:
                dark = self._page.depth(x, y, self.wide) >= self._dark
                hidden, gone = hidden + dark, gone + (not dark)
                in_a_row = 0 if dark else in_a_row + 1
                continue
            if gone > max(1, _MISSED * (hidden + gone)):
                return
            in_a_row = 0
            loose.append((dot, k))
            if gone and hidden + gone > _HIDDEN and len(loose) < few:
                continue
            self._take(loose)
            hidden, gone, loose = 0, 0, []

    def _take(self, dots: Sequence[tuple[int, int]]) -> None:
        self.members += [dot for dot, _ in dots]
        self._at += [k for _, k in dots]
        if len(dots) > 1 or len(self._at) % 8 == 0:
            self._fit()

    def _dot_at(self, x: float, y: float) -> int | None:
        page, near = self._page, max(_EVEN_PX, _EVEN * self.pitch)
        fit = [
            k for k in page.near(x, near).tolist()
            if page.free[k] and abs(page.y[k] - y) <= 2 * _EVEN_PX
            and abs(page.wide[k] - self.wide) <= max(_ALIKE_PX, _ALIKE * self.wide)
        ]  # fmt: skip
        return min(fit, key=lambda k: abs(page.x[k] - x)) if fit else None

    def result(self) -> DotRow:
        self._fit()
        own = self._page.dots[sorted(self.members)]
        start, stop = float(own[:, 0].min()), float(own[:, 2].max())
        middle = self._level + self._climb * (start + stop) / 2
        dots = np.concatenate([own, self._page.dots[self._beside(start, stop)]])
        return DotRow(start, stop, middle, self._climb, self.high, dots)

    def _beside(self, start: float, stop: float) -> NDArray[np.bool_]:
        """bool (dots,): what else is as low as a dot and stands on the row: dots run together,
        or out of step."""
        page = self._page
        off = np.abs(page.y - self._level - self._climb * page.x)
        on = (off <= _EVEN_PX) & (page.high <= self.high + _EVEN_PX) & page.free
        return on & (page.dots[:, 0] >= start - self.pitch) & (page.dots[:, 2] <= stop + self.pitch)


def _in_screen(one: DotRow, rows: Sequence[DotRow], mm: float) -> bool:
    """Whether other rows stand so near to it that it is part of a pattern."""
    return any(
        other is not one
        and abs(other.at - one.at) <= _GRID * mm
        and min(one.stop, other.stop) - max(one.start, other.start)
        >= _SHARED * (one.stop - one.start)
        for other in rows
    )
