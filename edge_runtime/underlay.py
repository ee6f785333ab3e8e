"""What lies under the strokes of a page: paper, or a tint that is printed on it.

Owns:   `Underlay`, `underlay_of`.
Needs:  numpy, cv2, `kernels`.
Words:  *tint*: an area that is darker than the paper near by, and no stroke. A *gap* is tint too
        thin for anything to stand in, as between the cells of a comb.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.kernels import full_kernel

Gray = NDArray[np.uint8]

# Millimetres.
_NEAR = 10.0  # the lightest so near is the paper
_BAR = 1.2  # thicker ink is no stroke; thinner tint is a gap
_RIM = 0.4  # of a stroke, whose edges are as light as a tint
_FILL = (0.8, 1.6)  # paper or tint so near a stroke is what lies under it
_SCREEN = 0.5  # wider than the dots of a printed screen
_WALL, _BRIDGE = 2.0, 2.5  # a straight gap at least, and the stroke through it at most
_ROOM = 2.0  # paper shut in by tint that one may write on, in both directions
EDGE = 0.35  # so far the blur of a printer and a scanner reaches
# Parts of the paper's light.
_UNDER, _DARK = 0.2, (0.4, 0.62)  # by which ink is darker than the tint; and than any tint
_BARE = 0.37  # less is no tint
_LIGHTER = 0.025  # by which paper is lighter than tint: a scan's grain, smoothed, has 0.01
# Shares.
_LEAST_TINT = 0.003  # of the page: less has no room for a pane
_TELLS = 12  # of 255 around a pixel that is no stroke
_PAGE = 0.6  # of the picture: paper within a scanner's lid
_SURE = 250  # of 255: so light throughout is paper
_SMALLER = 16  # times smaller the light of paper is looked at
_COARSE = 2.0  # pixels a millimetre at which a page is looked at for tint at first
_LEVELS = 3.0  # times the screen's usual contrast: so much darker than the tint is print


class Underlay:
    """A page without its strokes; every picture is uint8 (h, w).

    Args:
        page: Dark on light.
        paper: Level of the paper near each pixel.
        depth: The part of it that the tint has, 0..1.
        mm: Pixels a millimetre.
    """

    def __init__(self, page: Gray, paper: Gray, depth: float, mm: float) -> None:
        self.page, self.mm = page, mm
        low = cv2.convertScaleAbs(paper, alpha=min(max(depth - _UNDER, _DARK[0]), _DARK[1]))
        dark = cv2.compare(page, low, cv2.CMP_LT)
        bar, rim = self.px(_BAR), 2 * self.px(_RIM) + 1
        self.solid = _u8(cv2.morphologyEx(dark, cv2.MORPH_OPEN, full_kernel(bar, bar)))
        thin = cv2.subtract(dark, cv2.dilate(self.solid, full_kernel(3, 3)))
        self.strokes = _u8(cv2.dilate(thin, full_kernel(rim, rim)))  # 0 or 255, as all that follow
        clear = _u8(cv2.bitwise_not(self.strokes))
        soft = self.px(_SCREEN) | 1
        self.bare = _u8(cv2.blur(self._filled(page, clear), (soft, soft)))  # levels without strokes
        edge = cv2.convertScaleAbs(paper, alpha=1 - _LIGHTER)
        light = _u8(cv2.compare(self.bare, edge, cv2.CMP_GE))
        # What strokes lie on is what there is more of around them: their own rims are grey.
        self.light = _u8(cv2.threshold(self._filled(light, clear), 127, 255, cv2.THRESH_BINARY)[1])
        dim = cv2.bitwise_not(self.light)
        self.tinted = _u8(cv2.morphologyEx(dim, cv2.MORPH_OPEN, full_kernel(bar, bar)))

    def px(self, millimetres: float) -> int:
        return max(1, round(millimetres * self.mm))

    def _filled(self, values: Gray, clear: Gray) -> Gray:
        """Values, and under strokes the mean of those close by; where all is strokes, farther
        off."""
        kept, out = cv2.bitwise_and(values, clear), values.copy()
        todo = cv2.bitwise_not(clear)
        for radius in _FILL:
            side = 2 * self.px(radius) + 1
            share = cv2.blur(clear, (side, side))
            mean = cv2.divide(cv2.blur(kept, (side, side)), share, scale=255)
            told = cv2.bitwise_and(todo, cv2.threshold(share, _TELLS, 255, cv2.THRESH_BINARY)[1])
            cv2.copyTo(mean, told, out)
            todo = cv2.subtract(todo, told)
        return out

    def free(self) -> Gray:
        """Paper, cut by gaps; those that are straight are drawn on through strokes."""
        gaps = cv2.bitwise_not(self.light)
        alone = cv2.subtract(gaps, self.strokes)
        long, through = self.px(_WALL), self.px(_BRIDGE)
        upright = cv2.morphologyEx(alone, cv2.MORPH_OPEN, full_kernel(long, 1))
        upright = cv2.morphologyEx(upright, cv2.MORPH_CLOSE, full_kernel(through, 1))
        level = cv2.morphologyEx(alone, cv2.MORPH_OPEN, full_kernel(1, 2 * long))
        level = cv2.morphologyEx(level, cv2.MORPH_CLOSE, full_kernel(1, 2 * through))
        crossed = cv2.bitwise_and(cv2.bitwise_or(upright, level), self.strokes)
        return _u8(cv2.bitwise_not(cv2.bitwise_or(crossed, gaps)))

    def through_marks(self, free: Gray) -> Gray:
        """Free paper put together again where strokes cut it into pieces."""
        side = self.px(_BAR) + 1
        joined = cv2.morphologyEx(free, cv2.MORPH_CLOSE, full_kernel(side, side))
        return _u8(cv2.bitwise_or(free, cv2.bitwise_and(joined, self.strokes)))

    def is_tint(self, part: Gray, bounds: tuple[slice, slice]) -> None:
        """Take back that a part of the page, 0 or 1 within bounds, is paper."""
        self.tinted[bounds] |= 255 * part
        self.light[bounds] &= 255 * (1 - part)

    def even(self, places: Iterable[tuple[slice, slice]], white: Gray | None) -> Gray:
        """The page with paper in place of tint, and of the dots that a screen is printed with.

        Args:
            places: Rows and columns; tint that reaches none of them is left alone.
            white: The same page with its paper made white; None: it was not.
        """
        near = 2 * self.px(EDGE) + 1
        kernel = full_kernel(near, near)
        count, labels = cv2.connectedComponents(self.tinted, connectivity=8)
        wanted = np.zeros(count, np.uint8)
        for place in places:
            wanted[np.unique(labels[place])] = 255
        wanted[0] = 0
        area = cv2.subtract(cv2.dilate(wanted[labels], kernel), cv2.dilate(self.solid, kernel))
        even = (self.page if white is None else white).copy()
        off = cv2.absdiff(self.page, self.bare)
        screen = float(cv2.mean(off, cv2.subtract(area, self.strokes))[0])
        low = np.maximum(_u8(cv2.erode(self.bare, kernel)), 1)
        paper = self._white() if white is None else np.full_like(self.page, 255)
        lift = cv2.divide(paper, low, dtype=cv2.CV_32F)
        clear = cv2.convertScaleAbs(self.page, alpha=1, beta=_LEVELS * screen)
        cv2.copyTo(cv2.min(cv2.multiply(clear, lift, dtype=cv2.CV_8U), paper), area, even)
        return even

    def _white(self) -> Gray:
        """Level of paper at each pixel: of the paper that is nearest."""
        h, w = self.page.shape
        size = max(1, w // _SMALLER), max(1, h // _SMALLER)
        share = cv2.resize(self.light, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        share[share < _SURE] = 0
        level = cv2.resize(self.bare, size, interpolation=cv2.INTER_AREA) * share
        white = np.zeros(share.shape, np.float32)
        side = 3
        while side <= 2 * max(size):
            total, weight = cv2.blur(level, (side, side)), cv2.blur(share, (side, side))
            free = (white == 0) & (weight > 1e-2)
            white[free] = total[free] / weight[free]
            side = 2 * side + 1
        white[white == 0] = 255
        return _u8(cv2.resize(white, (w, h), interpolation=cv2.INTER_LINEAR))


def underlay_of(page: Gray, mm: float) -> Underlay | None:
    """What lies under a page's strokes; None where no paper is shut in by tint, as a look at few
    pixels a millimetre tells."""
    h, w = page.shape
    shrink = max(1.0, mm / _COARSE)
    size = max(1, round(w / shrink)), max(1, round(h / shrink))
    small = cv2.medianBlur(cv2.resize(page, size, interpolation=cv2.INTER_AREA), 3)
    side = 2 * round(_NEAR * mm / shrink) + 1
    most = cv2.dilate(small, full_kernel(side, side))
    bare = cv2.morphologyEx(small, cv2.MORPH_CLOSE, full_kernel(3, 3))
    tinted = cv2.compare(bare, cv2.convertScaleAbs(most, alpha=1 - _LIGHTER), cv2.CMP_LT)
    _, _, stats, _ = cv2.connectedComponentsWithStats(cv2.bitwise_not(tinted), connectivity=4)
    x, y, wide, high, area = stats[1:].T
    shut_in = (x > 0) & (y > 0) & (x + wide < size[0]) & (y + high < size[1])
    least = _ROOM * mm / shrink
    if not (shut_in & (np.minimum(wide, high) >= least) & (area < _PAGE * small.size)).any():
        return None
    ratio = bare[tinted > 0] / np.maximum(most[tinted > 0], 1)
    ratio = ratio[ratio > _BARE]
    if ratio.size < _LEAST_TINT * small.size:
        return None
    most = cv2.blur(most, (side // 2 | 1, side // 2 | 1))
    paper = _u8(cv2.resize(most, (w, h), interpolation=cv2.INTER_LINEAR))
    return Underlay(page, paper, float(np.median(ratio)), mm)


def _u8(values: NDArray[np.integer | np.floating]) -> Gray:
    return np.asarray(values, np.uint8)
