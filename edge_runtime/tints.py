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
_FILL = 1.5  # paper or tint so near a stroke is what lies under it
_SCREEN = 0.5  # wider than the dots of a printed screen
_WALL, _BRIDGE = 2.0, 2.5  # a straight gap at least, and the stroke through it at most
_LEAST, _HIGH, _WIDE = 2.0, 130.0, 205.0  # of a pane
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
_OPEN = 0.2  # of a row that is no stroke: enough to tell its level by
_BEYOND = 0.12  # of a pane: so much bulges beyond it where strokes cross its sides
_HOLLOW = 0.3  # of its bounds, without what is written into it
_COARSE = 16  # times smaller the light of paper is looked at
_SHRINK = 4  # times smaller a page is looked at to see whether there is tint on it
_LEVELS = 3.0  # times the screen's usual contrast: so much darker than the tint is print


@dataclass(frozen=True, slots=True)
class Tint:
    """What is tint on a page, and what is paper in it."""

    panes: tuple[Pane, ...]  # x0, y0, x1, y1 pixels, from top to bottom
    even: Gray  # (h, w), the page with paper in place of tint


def tint_of(page: Gray, mm: float, *, white: Gray | None = None) -> Tint | None:
    """Find tint and the panes in it.

    Args:
        page: uint8 (h, w), dark on light, straight.
        mm: Its pixels a millimetre.
        white: The same page with its paper made white, to be made even; None: the page itself.

    Returns:
        None for a page without panes; for most pages that is told at a quarter of its size.
    """
    told = _paper(page, mm)
    return None if told is None else _Look(page, *told, mm).tint(white)


def pane_slopes(page: Gray, mm: float) -> list[tuple[float, float]]:
    """Rows that sides of wide panes climb a column, and the panes' widths in pixels; the page may
    lean. None at all for a page without panes."""
    told = _paper(page, mm)
    return [] if told is None else _Look(page, *told, mm).slopes()


def _paper(page: Gray, mm: float) -> tuple[Gray, float] | None:
    """Level of the paper near each pixel, uint8 (h, w), and the part of it that the tint has; None
    where there is hardly any."""
    h, w = page.shape
    size = max(1, w // _SHRINK), max(1, h // _SHRINK)
    small = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    small = cv2.medianBlur(small, 3)
    side = 2 * round(_NEAR * mm / _SHRINK) + 1
    most = cv2.dilate(small, full_kernel(side, side))
    stroke = round(_BAR * mm / _SHRINK) * 2 + 1
    bare = cv2.morphologyEx(small, cv2.MORPH_CLOSE, full_kernel(stroke, stroke))
    ratio = bare.astype(np.float32) / np.maximum(most, 1)
    tinted = (ratio < 1 - _LIGHTER) & (ratio > _BARE)
    if tinted.mean() < _LEAST_TINT:
        return None
    most = cv2.blur(most, (side // 2 | 1, side // 2 | 1))
    level = np.asarray(cv2.resize(most, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)
    return level, float(np.median(ratio[tinted]))


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
        side = 2 * self._px(_FILL) + 1
        clear = cv2.bitwise_not(strokes)
        share = np.maximum(cv2.blur(clear, (side, side)), 1)
        kept = cv2.blur(cv2.bitwise_and(self.page, clear), (side, side))
        filled = cv2.divide(kept, share, scale=255)
        bare = np.where(strokes > 0, filled, self.page)
        soft = self._px(_SCREEN) | 1
        bare = cv2.blur(bare, (soft, soft))
        edge = cv2.multiply(self.paper, 1.0, scale=1 - _LIGHTER)
        light = cv2.compare(bare, edge, cv2.CMP_GE)
        # What strokes lie on is what there is more of around them: their own rims are grey.
        most = cv2.divide(cv2.blur(cv2.bitwise_and(light, clear), (side, side)), share, scale=255)
        return bare, np.where(strokes > 0, cv2.compare(most, 127, cv2.CMP_GT), light)

    def _walls(self) -> Gray:
        """Gaps, straight and drawn on through the strokes that cross them."""
        gaps = cv2.bitwise_not(self.light)
        alone = cv2.subtract(gaps, self.strokes)
        long, through = self._px(_WALL), self._px(_BRIDGE)
        upright = cv2.morphologyEx(alone, cv2.MORPH_OPEN, full_kernel(long, 1))
        upright = cv2.morphologyEx(upright, cv2.MORPH_CLOSE, full_kernel(through, 1))
        level = cv2.morphologyEx(alone, cv2.MORPH_OPEN, full_kernel(1, 2 * long))
        level = cv2.morphologyEx(level, cv2.MORPH_CLOSE, full_kernel(1, 2 * through))
        return cv2.bitwise_or(cv2.bitwise_or(upright, level), gaps)

    def slopes(self) -> list[tuple[float, float]]:
        out = []
        for _, part, outline in self._parts():
            _, (a, b), _ = cv2.minAreaRect(outline)
            full = cv2.contourArea(outline) + len(outline) / 2
            wide = part.shape[1]
            if full >= _FULL * (a + 1) * (b + 1) and wide >= _SLOPED * self.mm:
                out += [(slope, float(wide)) for slope in _slopes(part)]
        return out

    def tint(self, white: Gray | None) -> Tint | None:
        panes = []
        for at, part, outline in self._parts():
            cv2.drawContours(part, [outline], -1, 1, -1)
            pane = self._exact((*at, at[0] + part.shape[1], at[1] + part.shape[0]))
            if pane is not None and self._fills(part, at, pane):
                panes.append(pane)
        panes = sorted(self._enclosed(panes), key=lambda pane: (pane[1], pane[0]))
        return Tint(tuple(panes), self._even(white)) if panes else None

    def _parts(self) -> Iterator[tuple[tuple[int, int], Gray, NDArray[np.int32]]]:
        """Left and top, pixels 0 or 1 and outline of all paper in the tint that may be a pane."""
        free = cv2.bitwise_not(self._walls())
        _, labels, stats, _ = cv2.connectedComponentsWithStats(free, connectivity=4)
        h, w = self.page.shape
        least, high, wide = (self.mm * edge for edge in (_LEAST, _HIGH, _WIDE))
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
        outside = (cv2.dilate(own, kernel) > own) & (self.strokes[wide] == 0)
        inside = own > cv2.erode(own, kernel)
        if not outside.any() or not inside.any():
            return True
        edge = float(np.median(bare[inside]))
        return float(np.median(bare[outside])) <= edge * (1 - _STEP)

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
        if any(side is None for side in sides):
            return None
        up, below, before, after = (float(side or 0.0) for side in sides)
        pane = (x0 + inner - before, y0 + inner - up, x1 - inner + after, y1 - inner + below)
        least = _LEAST * self.mm
        return pane if min(pane[2] - pane[0], pane[3] - pane[1]) >= least else None

    def _even(self, white: Gray | None) -> Gray:
        """The page with paper in place of tint, and of the dots that a screen is printed with."""
        near = 2 * self._px(_EDGE) + 1
        kernel = full_kernel(near, near)
        area = cv2.subtract(cv2.dilate(self.tinted, kernel), cv2.dilate(self.solid, kernel))
        on = area > 0
        even = (self.page if white is None else white).copy()
        if not on.any():
            return even
        paper = self._white()[on].astype(np.float32) if white is None else np.float32(255)
        low = np.maximum(cv2.erode(self.bare, kernel)[on], 1)
        off = cv2.absdiff(self.page, self.bare)
        clear = on & (self.strokes == 0)
        screen = float(off[clear].mean()) if clear.any() else 0.0
        even[on] = np.minimum((self.page[on] + _LEVELS * screen) * (paper / low), paper)
        return even

    def _white(self) -> Gray:
        """Level of paper at each pixel: of the paper that is nearest."""
        h, w = self.page.shape
        size = max(1, w // _COARSE), max(1, h // _COARSE)
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


def _falls(rows: Gray, strokes: Gray) -> float | None:
    """Rows from inside to outside at which half the light is gone; None where it does not fall."""
    clear = strokes == 0
    open_ = np.count_nonzero(clear, axis=1) >= _OPEN * rows.shape[1]
    level = np.array([
        np.median(row[free] if on else row)
        for row, free, on in zip(rows, clear, open_, strict=True)
    ])  # fmt: skip
    low, high = float(level.min()), float(level.max())
    if low > high * (1 - _STEP):
        return None
    half = (low + high) / 2
    first = int(np.argmax(level <= half))
    if first == 0:
        return None
    above, below = level[first - 1], level[first]
    return first - 0.5 + float((above - half) / max(above - below, 1e-6))


def _slopes(part: Gray) -> list[float]:
    """Rows that the upper and the lower side of a leaning pane climb a column."""
    h, w = part.shape
    inner = slice(round(0.08 * w), round(0.92 * w) + 1)
    xs = np.arange(w)[inner]
    third = max(1, xs.size // 3)
    away = xs[-third:].mean() - xs[:third].mean()
    rows = part.argmax(0)[inner], (h - 1 - part[::-1].argmax(0))[inner]
    return [float((np.median(one[-third:]) - np.median(one[:third])) / away) for one in rows]
