"""Squares that are letters of printed words: an O has four sides, nearly.

Owns:   `Lettering`.
Needs:  numpy, cv2, `found`, `rulings`.
Words:  a printed square has ink in its four corners. A letter lacks at least one of them, and
        stands among others, on their line and with strokes like theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.found import Rect
from edge_runtime.rulings import MM, Gray

Ints = NDArray[np.int32]

_SMALL = 3.2 * MM  # side of a letter of running text
_REACH, _JOINED = 0.9, 0.6  # of a side: to the next letter; and beyond it, of a joining stroke
_CORNER, _SHARP = 0.12, 0.26  # of a side; and ink at the corners of a small printed square
# Of the ink of two lines that meet: rounded by a fifth of a side they keep 0.6, drawn coarsely 0.3.
_LINES = 0.2
_GROWN, _ARROW = 0.15, 2.0  # of a side: ink beyond it; and times the others' width
_OFF = 2  # pixels by which a side is found outside of its line
# Widths of a stroke from a letter's edge to the paper within; and ink there.
_INNER, _OPEN = 1.25, 0.4
_STROKE, _INK = 0.35, 0.3  # of a side: widest stroke of a letter; and of its middle that is ink
# Of a letter's height: to the next one of its word, to that where it is no plain ring, to one as
# high; and by which both stand higher or lower.
_NEXT, _TIGHT, _APART, _LEVEL = 0.45, 0.13, 1.2, 0.12
_HIGH, _SAME, _THICK = (0.55, 1.6), 1.12, 1.6  # their heights, over each other's, and their strokes
# Of the ink of a square; of its width beside it; and of its height: a letter that is part of it.
_SHARE, _BEYOND, _TALL = 0.15, 0.2, 0.8
# Of a ring's height: off another's top and foot, and from it; and their strokes.
_FLUSH, _BESIDE, _WEIGHT = 0.08, 0.25, 1.4
_WIDE = 1.8  # sides: a letter that has run into the next one


class Lettering:
    """The letters on one sheet.

    Args:
        ink: uint8 (h, w), 0 or 1.
    """

    def __init__(self, ink: Gray) -> None:
        self._ink = ink

    def is_letter(self, box: Rect) -> bool:
        """Whether a square is part of a letter.

        A small one is where ink stands close by on either side, another letter or the stroke that
        joins them; one of any size where a letter of its line stands close by on one side.
        """
        small = _side(box) < _SMALL and self._corner(box) < _SHARP
        if small and all(self._is_near(box, by) for by in (-1, 1)):
            return True
        outer = self._outer(box)
        grown = [abs(a - b) > _GROWN * _side(box) for a, b in zip(box, outer, strict=True)]
        wide = self._widths(outer)
        # Much ink at one side alone is something printed there, an arrow: its corners tell nothing.
        if sum(grown) != 1 or max(wide) < _ARROW * float(np.median(wide)):
            grown = [False] * 4
        left, top, right, bottom = grown
        judged = [not (x or y) for y in (top, bottom) for x in (left, right)]
        lettered = self._is_round(outer, judged) or self._is_of_two(outer)
        return lettered and self._in_word(outer)

    def is_o(self, box: Rect) -> bool:
        """Whether a ring is a letter: another one, as high and of such strokes, stands beside it on
        its very line. The label of a round check box is seldom as high as that."""
        labels, parts = self._parts
        x0, y0, x1, y1 = (round(edge) for edge in box)
        held = np.bincount(labels[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1].ravel())
        held[0] = 0
        own = int(held.argmax())
        left, top, right, foot = parts[own, :4].tolist()
        off = np.abs(parts[:, [1, 3]] - [top, foot]).max(axis=1)
        gap = np.maximum(parts[:, 0] - right, left - parts[:, 2])
        like = (off <= max(_OFF, _FLUSH * (foot - top))) & (gap <= _BESIDE * (foot - top))
        like[[0, own]] = False
        mine = self._stroke(own)
        return any(
            max(mine, other) <= _WEIGHT * min(mine, other)
            for other in (self._stroke(int(k)) for k in np.flatnonzero(like))
        )

    @cached_property
    def _parts(self) -> tuple[Ints, Ints]:
        """int32 (h, w) labels and int32 (n, 5), left, top, right, bottom (exclusive), area."""
        _, labels, stats, _ = cv2.connectedComponentsWithStats(self._ink, connectivity=8)
        boxes = np.asarray(stats, np.int32).copy()
        boxes[:, 2:4] += boxes[:, :2]
        boxes[0] = 0
        return np.asarray(labels, np.int32), boxes

    def _corner(self, box: Rect) -> float:
        """How much ink the emptiest of the four corners holds, 0..1."""
        x0, y0, x1, y1 = (round(edge) for edge in box)
        k = max(2, round(_CORNER * _side(box)))
        patches = [
            self._ink[y : y + k, x : x + k] for y in (y0, y1 - k + 1) for x in (x0, x1 - k + 1)
        ]
        return min(float(patch.mean()) if patch.size else 0.0 for patch in patches)

    def _outer(self, box: Rect) -> Rect:
        """The square as far as its sides are ink: one found within a bold stroke grows, one found
        on the edge of its line shrinks."""
        x0, y0, x1, y1 = (round(edge) for edge in box)
        most, cut = round(_STROKE * _side(box)), round(_side(box) / 4)
        far = max(0, x0 - most), max(0, y0 - most), x1 + most + 1, y1 + most + 1
        across = self._ink[y0 + cut : y1 + 1 - cut, far[0] : far[2]].mean(0) >= _INK
        down = self._ink[far[1] : far[3], x0 + cut : x1 + 1 - cut].mean(1) >= _INK
        x0, x1 = far[0] + _last(across, x0 - far[0], -1), far[0] + _last(across, x1 - far[0], 1)
        y0, y1 = far[1] + _last(down, y0 - far[1], -1), far[1] + _last(down, y1 - far[1], 1)
        return float(x0), float(y0), float(x1), float(y1)

    def _is_open(self, box: Rect, stroke: float) -> bool:
        """Whether little ink stands within its lines: a scribble's does."""
        x0, y0, x1, y1 = (round(edge) for edge in box)
        k = round(_INNER * stroke) + 1
        middle = self._ink[y0 + k : y1 + 1 - k, x0 + k : x1 + 1 - k]
        return bool(middle.size and middle.mean() <= _OPEN)

    def _widths(self, box: Rect) -> list[float]:
        """Of the left, upper, right and lower line, in the middle of each, pixels."""
        x0, y0, x1, y1 = (round(edge) for edge in box)
        w, h = (x1 - x0) // 4, (y1 - y0) // 4
        across = self._ink[y0 + h : y1 + 1 - h, x0 : x1 + 1].T
        down = self._ink[y0 : y1 + 1, x0 + w : x1 + 1 - w]
        return [_width(side) for side in (across, down, across[::-1], down[::-1])]

    def _is_round(self, box: Rect, judged: Sequence[bool]) -> bool:
        """Whether a corner holds less ink than its lines would that meet in it: one of those that
        are to be judged, rows from above."""
        x0, y0, x1, y1 = (round(edge) for edge in box)
        k = max(2, round(_CORNER * _side(box)))
        wide = min(float(np.median(self._widths(box))), k)
        patches = [
            self._ink[y : y + k, x : x + k] for y in (y0, y1 - k + 1) for x in (x0, x1 - k + 1)
        ]
        held = [int(one.sum()) for one, on in zip(patches, judged, strict=True) if on]
        return min(held) < _LINES * (2 * k * wide - wide**2)

    def _is_of_two(self, box: Rect) -> bool:
        """Whether much of the ink is of letters that go on beside the square: an E and an N."""
        labels, parts = self._parts
        x0, y0, x1, y1 = (round(edge) for edge in box)
        held = np.bincount(labels[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1].ravel())
        held[0] = 0
        kept = np.flatnonzero(held >= _SHARE * held.sum())
        beyond = np.maximum(x0 - parts[kept, 0], parts[kept, 2] - 1 - x1) >= _BEYOND * (x1 - x0)
        tall = parts[kept, 3] - parts[kept, 1] >= _TALL * (y1 - y0)
        return len(kept) > 1 and bool((beyond & tall).any())

    def _is_near(self, box: Rect, by: int) -> bool:
        """Whether other ink stands close to the left (-1) or the right (1) of a box, or its own
        reaches far out."""
        labels, _ = self._parts
        x0, y0, x1, y1 = (round(edge) for edge in box)
        own = np.unique(labels[y0 : y1 + 1, x0 : x1 + 1])
        far = round(_REACH * _side(box))
        beside = slice(max(0, x0 - far), x0) if by < 0 else slice(x1 + 1, x1 + 1 + far)
        band = labels[y0 : y1 + 1, beside][:, ::by]
        mine = np.isin(band, own[own > 0])
        reach = round(_JOINED * _side(box))
        return bool((band[~mine] > 0).any() or mine[:, reach:].any())

    def _in_word(self, box: Rect) -> bool:
        """Whether the ink of a square stands in a line with another letter, or is several."""
        labels, parts = self._parts
        x0, y0, x1, y1 = (round(edge) for edge in box)
        held = np.bincount(labels[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1].ravel())
        held[0] = 0
        own = int(held.argmax())
        if not held[own]:
            return False
        mine = self._stroke(own)
        left, top, right, foot = parts[own, :4].tolist()
        high = foot - top
        is_open = self._is_open(box, mine)
        if is_open and right - left > _WIDE * _side(box) and high <= _HIGH[1] * _side(box):
            return True
        gap = np.maximum(parts[:, 0] - right, left - parts[:, 2])
        tall = parts[:, 3] - parts[:, 1]
        # A tail goes below the line: what stands there is the square.
        feet = abs(parts[:, 3, None] - [foot, y1 + 1]).min(1)
        level = np.minimum(feet, abs(parts[:, 1] - top)) <= _LEVEL * high
        alike = np.zeros(len(parts), np.bool_)
        for own_high in (high, y1 + 1 - y0):
            alike |= (tall <= _SAME * own_high) & (own_high <= _SAME * tall)
        near = level & (gap <= (_NEXT if is_open else _TIGHT) * high)
        near &= (tall >= _HIGH[0] * high) & (tall <= _HIGH[1] * high)
        if is_open:
            near |= level & (gap <= _APART * high) & alike
        near[[0, own]] = False
        return any(
            max(mine, other) <= _THICK * min(mine, other)
            for other in (self._stroke(int(k)) for k in np.flatnonzero(near))
        )

    def _stroke(self, part: int) -> float:
        """How wide the strokes of a component are, pixels: its ink over its edges' half."""
        labels, parts = self._parts
        x0, y0, x1, y1, area = parts[part].tolist()
        ink = np.pad((labels[y0:y1, x0:x1] == part).astype(np.uint8), 1)
        inner = int(cv2.erode(ink, np.ones((3, 3), np.uint8)).sum())
        wide: float = 2 * area / max(1, area - inner)
        return wide


def _side(box: Rect) -> float:
    return (box[2] - box[0] + box[3] - box[1]) / 2


def _width(side: Gray) -> float:
    """How many rows of ink follow each other, from the first one on: the median of all columns."""
    begun = np.maximum.accumulate(side[: _OFF + 1], axis=0)[-1] > 0
    first = np.where(begun, side.argmax(0), 0)
    paper = (side == 0) & (np.arange(len(side))[:, None] >= first)
    return float(np.median(np.where(paper.any(0), paper.argmax(0), len(side)) - first))


def _last(ink: NDArray[np.bool_], at: int, by: int) -> int:
    """Where ink that begins at or close to a place ends, going by -1 or 1; the place where there is
    none."""
    starts = [at - by * k for k in range(_OFF + 1) if 0 <= at - by * k < len(ink)]
    found = next((start for start in starts if ink[start]), None)
    if found is None:
        return at
    while 0 <= found + by < len(ink) and ink[found + by]:
        found += by
    return found
