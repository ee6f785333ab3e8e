"""Lighter rectangles on a printed tint: fields that nobody drew a line around.

Owns:   `Tint`, `tint_of`, `pane_slopes`.
Needs:  numpy, cv2, `kernels`.
Words:  *tint*: an area that is darker than the paper near by, and no stroke. A *pane* is a
        rectangle of paper in it. A *gap* is tint too thin for anything to stand in, as between the
        cells of a comb.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.kernels import full_kernel

Gray = NDArray[np.uint8]
Pane = tuple[float, float, float, float]
Box = tuple[int, int, int, int]

# Millimetres.
_NEAR = 10.0  # the lightest so near is the paper
_BAR = 1.2  # thicker ink is no stroke; thinner tint is a gap
_RIM = 0.4  # of a stroke, whose edges are as light as a tint
_FILL = (0.8, 1.6)  # paper or tint so near a stroke is what lies under it
_SCREEN = 0.5  # wider than the dots of a printed screen
_WALL, _BRIDGE = 2.0, 2.5  # a straight gap at least, and the stroke through it at most
# A pane's sides at least, its height and its width at most; and of a square with a mark in it.
_WHOLE, _SMALL = (2.0, 130.0, 205.0), (2.0, 9.0, 9.0)
_BULGE = 1.2  # so far a stroke across its side may carry it
_BESIDE = 1.6  # so near another pane, or the tint, lies beside a pane
_EDGE = 0.35  # so far the blur of a printer and a scanner reaches
_SLOPED = 12.0  # a pane so wide tells how a page leans
# Parts of the paper's light.
_UNDER, _DARK = 0.2, (0.4, 0.62)  # by which ink is darker than the tint; and than any tint
_BARE = 0.37  # less is no tint
_STEP = 0.02  # by which a pane is lighter, at its very edge
_LIGHTER = 0.025  # by which paper is lighter than tint: a scan's grain, smoothed, has 0.01
# Shares.
_LEAST_TINT = 0.003  # of the page: less has no room for a pane
_FULL = 0.85  # of its bounds that a pane fills: corners are round
_SIDE = 0.75  # of each of its sides that has tint, or another pane, beside it
_TELLS = 12  # of 255 around a pixel that is no stroke
_OPEN = 0.2  # of a row that is no stroke: enough to tell its level by
_ALIKE = 2.5  # times as deep at most is the tint at one side of a pane as at another
_CORNER = 0.12  # of a side, at each end, that a corner may round off
_LINED = 0.75  # of the way outwards: strokes from there on are a line
_BEYOND = 0.12  # of a pane: so much bulges beyond it where strokes cross its sides
_HOLLOW = 0.3  # of its bounds, without what is written into it
_PAGE = 0.6  # of the picture: paper within a scanner's lid
_SMALLER = 16  # times smaller the light of paper is looked at
_COARSE = 2.0  # pixels a millimetre at which a page is looked at for tint at first
_LEVELS = 3.0  # times the screen's usual contrast: so much darker than the tint is print


class Tint:
    """What is tint on a page, and what is paper in it.

    Args:
        look: The page, looked at.
        panes: Left, top, right and bottom of each, pixels.
    """

    def __init__(self, look: _Look, panes: tuple[Pane, ...]) -> None:
        self._look, self.panes = look, panes

    def even(self, panes: Sequence[Pane], white: Gray | None = None) -> Gray:
        """The page with paper in place of the tint around some panes.

        Args:
            panes: Some of them all.
            white: uint8 (h, w), the same page with its paper made white; None: it was not.
        """
        return self._look.even(panes, white)


def tint_of(page: Gray, mm: float) -> Tint | None:
    """Find tint and the panes in it.

    Args:
        page: uint8 (h, w), dark on light, straight.
        mm: Its pixels a millimetre.

    Returns:
        None for a page without panes; for most pages that is told at a quarter of its size.
    """
    told = _paper(page, mm)
    if told is None:
        return None
    look = _Look(page, *told, mm)
    panes = look.panes()
    return Tint(look, tuple(panes)) if panes else None


def pane_slopes(page: Gray, mm: float) -> list[tuple[float, float]] | None:
    """Rows that sides of wide panes climb a column, and the panes' widths in pixels; the page may
    lean. None for a page without panes."""
    told = _paper(page, mm)
    return None if told is None else _Look(page, *told, mm).slopes()


def _paper(page: Gray, mm: float) -> tuple[Gray, float] | None:
    """Level of the paper near each pixel, uint8 (h, w), and the part of it that the tint has; None
    where no paper is shut in by tint."""
    h, w = page.shape
    shrink = max(1.0, mm / _COARSE)
    size = max(1, round(w / shrink)), max(1, round(h / shrink))
    small = cv2.medianBlur(cv2.resize(page, size, interpolation=cv2.INTER_AREA), 3)
    side = 2 * round(_NEAR * mm / shrink) + 1
    most = cv2.dilate(small, full_kernel(side, side))
    bare = cv2.morphologyEx(small, cv2.MORPH_CLOSE, full_kernel(3, 3))
    tinted = cv2.compare(bare, cv2.multiply(most, 1.0, scale=1 - _LIGHTER), cv2.CMP_LT)
    _, _, stats, _ = cv2.connectedComponentsWithStats(cv2.bitwise_not(tinted), connectivity=4)
    x, y, wide, high, area = stats[1:].T
    shut_in = (x > 0) & (y > 0) & (x + wide < size[0]) & (y + high < size[1])
    least = _WHOLE[0] * mm / shrink
    if not (shut_in & (np.minimum(wide, high) >= least) & (area < _PAGE * small.size)).any():
        return None
    ratio = bare[tinted > 0] / np.maximum(most[tinted > 0], 1)
    ratio = ratio[ratio > _BARE]
    if ratio.size < _LEAST_TINT * small.size:
        return None
    most = cv2.blur(most, (side // 2 | 1, side // 2 | 1))
    level = np.asarray(cv2.resize(most, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)
    return level, float(np.median(ratio))


class _Look:
    """One page looked at for panes."""

    def __init__(self, page: Gray, paper: Gray, depth: float, mm: float) -> None:
        self.page, self.paper, self.mm = page, paper, mm
        low = cv2.multiply(paper, 1.0, scale=min(max(depth - _UNDER, _DARK[0]), _DARK[1]))
        dark = cv2.compare(page, low, cv2.CMP_LT)
        bar = self._px(_BAR)
        self.solid = cv2.morphologyEx(dark, cv2.MORPH_OPEN, full_kernel(bar, bar))
        around = cv2.dilate(self.solid, full_kernel(3, 3))
        rim = 2 * self._px(_RIM) + 1
        strokes = cv2.dilate(cv2.subtract(dark, around), full_kernel(rim, rim))
        self.strokes = strokes
        self.bare, self.light = self._without(strokes)
        self.tinted = cv2.morphologyEx(
            cv2.bitwise_not(self.light), cv2.MORPH_OPEN, full_kernel(bar, bar)
        )

    def _px(self, millimetres: float) -> int:
        return max(1, round(millimetres * self.mm))

    def _without(self, strokes: Gray) -> tuple[Gray, Gray]:
        """The page with what lies under its strokes, screens smoothed; and where that is paper."""
        clear = cv2.bitwise_not(strokes)
        bare = self._filled(self.page, clear)
        soft = self._px(_SCREEN) | 1
        bare = cv2.blur(bare, (soft, soft))
        edge = cv2.multiply(self.paper, 1.0, scale=1 - _LIGHTER)
        light = cv2.compare(bare, edge, cv2.CMP_GE)
        # What strokes lie on is what there is more of around them: their own rims are grey.
        return bare, cv2.compare(self._filled(light, clear), 127, cv2.CMP_GT)

    def _filled(self, values: Gray, clear: Gray) -> Gray:
        """Values, and under strokes the mean of those close by; where all is strokes, farther
        off."""
        kept, out = cv2.bitwise_and(values, clear), values.copy()
        todo = cv2.bitwise_not(clear)
        for radius in _FILL:
            side = 2 * self._px(radius) + 1
            share = cv2.blur(clear, (side, side))
            mean = cv2.divide(cv2.blur(kept, (side, side)), share, scale=255)
            told = cv2.bitwise_and(todo, cv2.compare(share, _TELLS, cv2.CMP_GE))
            cv2.copyTo(mean, told, out)
            todo = cv2.subtract(todo, told)
        return out

    def _walls(self) -> Gray:
        """Gaps, those that are straight drawn on through the strokes that cross them."""
        gaps = cv2.bitwise_not(self.light)
        alone = cv2.subtract(gaps, self.strokes)
        long, through = self._px(_WALL), self._px(_BRIDGE)
        upright = cv2.morphologyEx(alone, cv2.MORPH_OPEN, full_kernel(long, 1))
        upright = cv2.morphologyEx(upright, cv2.MORPH_CLOSE, full_kernel(through, 1))
        level = cv2.morphologyEx(alone, cv2.MORPH_OPEN, full_kernel(1, 2 * long))
        level = cv2.morphologyEx(level, cv2.MORPH_CLOSE, full_kernel(1, 2 * through))
        crossed = cv2.bitwise_and(cv2.bitwise_or(upright, level), self.strokes)
        return cv2.bitwise_or(crossed, gaps)

    def slopes(self) -> list[tuple[float, float]] | None:
        out, any_pane = [], False
        for _, part, outline in self._parts(cv2.bitwise_not(self._walls()), self._in_mm(_WHOLE)):
            _, (a, b), _ = cv2.minAreaRect(outline)
            full = cv2.contourArea(outline) + len(outline) / 2
            wide = part.shape[1]
            if full < _FULL * (a + 1) * (b + 1):
                continue
            any_pane = True
            if wide >= _SLOPED * self.mm:
                out += [(slope, float(wide)) for slope in _slopes(part)]
        return out if any_pane else None

    def panes(self) -> list[Pane]:
        free = cv2.bitwise_not(self._walls())
        panes = self._rectangles(free, self._in_mm(_WHOLE))
        # Marks cut small squares into pieces.
        for x0, y0, x1, y1 in panes:
            free[round(y0) : round(y1), round(x0) : round(x1)] = 0
        side = self._px(_BAR) + 1
        joined = cv2.morphologyEx(free, cv2.MORPH_CLOSE, full_kernel(side, side))
        free = cv2.bitwise_or(free, cv2.bitwise_and(joined, self.strokes))
        panes += self._rectangles(free, self._in_mm(_SMALL))
        return sorted(self._enclosed(panes), key=lambda pane: (pane[1], pane[0]))

    def _in_mm(self, edges: tuple[float, float, float]) -> tuple[float, float, float]:
        a, b, c = edges
        return a * self.mm, b * self.mm, c * self.mm

    def _rectangles(self, free: Gray, sizes: tuple[float, float, float]) -> list[Pane]:
        out = []
        for at, part, outline in self._parts(free, sizes):
            cv2.drawContours(part, [outline], -1, 1, -1)
            pane = self._exact((*at, at[0] + part.shape[1], at[1] + part.shape[0]))
            if pane is not None and self._fills(part, at, pane):
                out.append(pane)
        return out

    def _parts(
        self, free: Gray, sizes: tuple[float, float, float]
    ) -> Iterator[tuple[tuple[int, int], Gray, NDArray[np.int32]]]:
        """Left and top, pixels 0 or 1 and outline of all paper in the tint that may be a pane."""
        _, labels, stats, _ = cv2.connectedComponentsWithStats(free, connectivity=4)
        h, w = self.page.shape
        least, high, wide = sizes
        for k, (x, y, cw, ch, area) in enumerate(stats.tolist()):
            if k == 0 or cw < least or ch < least or area < _HOLLOW * least * least:
                continue
            bounds = slice(y, y + ch), slice(x, x + cw)
            part = (labels[bounds] == k).astype(np.uint8)
            if not self._is_lighter(part, bounds):
                self.tinted[bounds] |= 255 * part
                self.light[bounds] &= 255 * (1 - part)
                continue
            inside = x > 0 and y > 0 and x + cw < w and y + ch < h
            if inside and ch <= high and cw <= wide and area >= _HOLLOW * cw * ch:
                lines = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
                yield (x, y), part, np.asarray(max(lines, key=len), np.int32)

    def _fills(self, part: Gray, at: tuple[int, int], pane: Pane) -> bool:
        """Whether a part, without its holes, is all of a pane and nothing beside it."""
        rim = self.mm * _EDGE
        x, y = at
        x0, y0, x1, y1 = (
            round(pane[0] + rim), round(pane[1] + rim), round(pane[2] - rim), round(pane[3] - rim)
        )  # fmt: skip
        own = slice(max(0, y0 - y), max(0, y1 - y)), slice(max(0, x0 - x), max(0, x1 - x))
        inside = part[own] | (self.strokes[y0:y1, x0:x1][: part[own].shape[0], : part[own].shape[1]] > 0)
        beyond = np.count_nonzero(part) - np.count_nonzero(part[own])
        rest = (pane[2] - pane[0]) * (pane[3] - pane[1]) - inside.size
        return bool(
            inside.size
            and np.count_nonzero(inside) >= _FULL * (y1 - y0) * (x1 - x0)
            and beyond <= rest + _BEYOND * inside.size
        )

    def _is_lighter(self, part: Gray, bounds: tuple[slice, slice]) -> bool:
        """Whether the paper of a part is lighter than what is around it: far from any paper, tint
        is the lightest there is."""
        rim = self._px(_EDGE) + 2
        y, x = bounds
        wide = (
            slice(max(0, y.start - rim), y.stop + rim), slice(max(0, x.start - rim), x.stop + rim)
        )  # fmt: skip
        bare = self.bare[wide]
        own = np.zeros(bare.shape, np.uint8)
        top, left = y.start - wide[0].start, x.start - wide[1].start
        own[top : top + part.shape[0], left : left + part.shape[1]] = part
        kernel = full_kernel(2 * rim + 1, 2 * rim + 1)
        clear = cv2.compare(self.strokes[wide], 0, cv2.CMP_EQ)
        outside = cv2.bitwise_and(cv2.subtract(cv2.dilate(own, kernel), own), clear)
        inside = cv2.subtract(own, cv2.erode(own, kernel))
        if not outside.any():
            return True
        return float(cv2.mean(bare, outside)[0]) <= float(cv2.mean(bare, inside)[0]) * (1 - _STEP)

    def _enclosed(self, panes: list[Pane]) -> list[Pane]:
        """Those with tint, or others of them, along all four sides."""
        while True:
            beside = self.tinted.copy()
            for pane in panes:
                x0, y0, x1, y1 = map(round, pane)
                beside[y0:y1, x0:x1] = 255
            kept = [pane for pane in panes if self._is_enclosed(pane, beside)]
            if len(kept) == len(panes):
                return kept
            panes = kept

    def _is_enclosed(self, pane: Pane, beside: Gray) -> bool:
        x0, y0, x1, y1 = map(round, pane)
        far = self._px(_BESIDE)
        strips = (
            beside[max(0, y0 - far) : y0, x0:x1].max(0, initial=0),
            beside[y1 : y1 + far, x0:x1].max(0, initial=0),
            beside[y0:y1, max(0, x0 - far) : x0].max(1, initial=0),
            beside[y0:y1, x1 : x1 + far].max(1, initial=0),
        )
        return all((strip > 0).mean() >= _SIDE for strip in strips)

    def _exact(self, box: Box) -> Pane | None:
        """The pane with its sides where its light has fallen by half; None where it has not."""
        x0, y0, x1, y1 = box
        inner = min(self._px(_BULGE), (min(x1 - x0, y1 - y0) - 1) // 2)
        outer = self._px(2 * _EDGE)
        bare, strokes = self.bare, self.strokes
        across, down = slice(x0, x1), slice(y0, y1)
        top, foot = slice(max(0, y0 - outer), y0 + inner), slice(y1 - inner, y1 + outer)
        left, right = slice(max(0, x0 - outer), x0 + inner), slice(x1 - inner, x1 + outer)
        sides = [
            _falls(bare[top, across][::-1], strokes[top, across][::-1]),
            _falls(bare[foot, across], strokes[foot, across]),
            _falls(bare[down, left].T[::-1], strokes[down, left].T[::-1]),
            _falls(bare[down, right].T, strokes[down, right].T),
        ]
        told = [side for side in sides if side is not None]
        beyond = [depth for _, depth in told if depth >= _STEP]
        if len(told) < len(sides) or (beyond and max(beyond) > _ALIKE * min(beyond)):
            return None
        up, below, before, after = (at for at, _ in told)
        pane = (x0 + inner - before, y0 + inner - up, x1 - inner + after, y1 - inner + below)
        least = _WHOLE[0] * self.mm
        return pane if min(pane[2] - pane[0], pane[3] - pane[1]) >= least else None

    def even(self, panes: Sequence[Pane], white: Gray | None) -> Gray:
        """The page with paper in place of tint, and of the dots that a screen is printed with."""
        near = 2 * self._px(_EDGE) + 1
        kernel = full_kernel(near, near)
        _, labels = cv2.connectedComponents(self.tinted, connectivity=8)
        far, around = self._px(_BESIDE), set[int]()
        for pane in panes:
            x0, y0, x1, y1 = map(round, pane)
            for strip in (
                labels[max(0, y0 - far) : y1 + far, max(0, x0 - far) : x0],
                labels[max(0, y0 - far) : y1 + far, x1 : x1 + far],
                labels[max(0, y0 - far) : y0, x0:x1],
                labels[y1 : y1 + far, x0:x1],
            ):
                around.update(np.unique(strip).tolist())
        wanted = np.zeros(int(labels.max()) + 1, np.uint8)
        wanted[sorted(around - {0})] = 255
        area = cv2.subtract(cv2.dilate(wanted[labels], kernel), cv2.dilate(self.solid, kernel))
        even = (self.page if white is None else white).copy()
        off = cv2.absdiff(self.page, self.bare)
        screen = float(cv2.mean(off, cv2.subtract(area, self.strokes))[0])
        low = cv2.max(cv2.erode(self.bare, kernel), 1)
        paper = self._white() if white is None else np.full_like(self.page, 255)
        lift = cv2.divide(paper, low, dtype=cv2.CV_32F)
        clear = cv2.add(self.page, round(_LEVELS * screen))
        cv2.copyTo(cv2.min(cv2.multiply(clear, lift, dtype=cv2.CV_8U), paper), area, even)
        return even

    def _white(self) -> Gray:
        """Level of paper at each pixel: of the paper that is nearest."""
        h, w = self.page.shape
        size = max(1, w // _SMALLER), max(1, h // _SMALLER)
        share = cv2.resize(self.light, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        share[share < 250] = 0
        level = cv2.resize(self.bare, size, interpolation=cv2.INTER_AREA) * share
        white = np.zeros(share.shape, np.float32)
        side = 3
        while side <= 2 * max(size):
            total, weight = cv2.blur(level, (side, side)), cv2.blur(share, (side, side))
            free = (white == 0) & (weight > 1e-2)
            white[free] = total[free] / weight[free]
            side = 2 * side + 1
        white[white == 0] = 255
        return np.asarray(cv2.resize(white, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)


def _falls(rows: Gray, strokes: Gray) -> tuple[float, float] | None:
    """Rows from inside to outside at which half the light is gone, and the part of it that is gone
    at the last; None where it does not fall."""
    corner = round(_CORNER * rows.shape[1])
    rows, strokes = rows[:, corner : rows.shape[1] - corner], strokes[:, corner:-corner or None]
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
    return at, 1 - float(level[-1]) / high


def _slopes(part: Gray) -> list[float]:
    """Rows that the upper and the lower side of a leaning pane climb a column."""
    h, w = part.shape
    inner = slice(round(0.08 * w), round(0.92 * w) + 1)
    xs = np.arange(w)[inner]
    third = max(1, xs.size // 3)
    away = xs[-third:].mean() - xs[:third].mean()
    rows = part.argmax(0)[inner], (h - 1 - part[::-1].argmax(0))[inner]
    return [float((np.median(one[-third:]) - np.median(one[:third])) / away) for one in rows]
