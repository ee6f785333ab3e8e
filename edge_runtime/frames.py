"""Paper that printed lines close in: cells, boxes, tables, check boxes.

Owns:   `frames_of`, `squares`, `is_drawn`, `RULE`.
Needs:  numpy, cv2, `rulings`, `found`.
Words:  a *frame* is paper that rulings close in; *rails* are the level ones, long enough for a row.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.found import (
    CELL_HIGH,
    CHECK,
    LINE_LOW,
    NEAR,
    NEAR_PART,
    SQUARE,
    TALL,
    Rect,
    overlap,
)
from edge_runtime.rulings import MM, Gray, Ruling, Sheet

Floats = NDArray[np.float64]

_FRAME_LOW, _FRAME_HIGH = 2.2 * MM, 130 * MM  # a small check box, a page's half for free text
_FRAME_NARROW = 2.0 * MM
_FULL = 0.85  # of its bounds that a frame fills: else it is what lies around other frames
_RAIL = 8.0 * MM  # shortest line that a row of cells, a box or a table is drawn with
_SEEN = 0.55  # of a rail that the scanner kept
_SIDE = 0.87  # of each side that holds ink
_AROUND = 0.3  # of the paper around it that ink takes up: a cross that is larger than its box
_STEP = 10  # grey levels a pixel, of the edge of a bar or a tint
_FEWEST_MET = 2  # upright lines that end at it
RULE = 11 * MM  # shortest underline


def frames_of(sheet: Sheet) -> list[Rect]:
    """Paper closed in by long lines; a side that the scanner lost is drawn again."""
    h, w = sheet.ink.shape
    rails = [one for one in sheet.level if one.length >= _RAIL and one.cover >= _SEEN]
    rails += _lost_sides(rails, [up for up in sheet.upright if _ends_at(up, rails)[0]])
    rails += _edges_met(sheet, rails)
    walls = np.zeros((h, w), np.uint8)
    for one in rails:
        _draw(walls, one, across=False)
    for one in sheet.upright:
        if all(_ends_at(one, rails)):  # a stem of a letter meets one rail, or none
            _draw(walls, one, across=True)
    count, _, stats, _ = cv2.connectedComponentsWithStats(1 - walls, connectivity=4)
    frames = []
    for x, y, cw, ch, area in stats[1:count].tolist():
        inside = x > 0 and y > 0 and x + cw < w and y + ch < h
        fits = _FRAME_LOW <= ch <= _FRAME_HIGH and cw >= _FRAME_NARROW
        if inside and fits and area >= _FULL * cw * ch:
            frames.append((x - 1.0, y - 1.0, x + cw + 1.0, y + ch + 1.0))
    return frames


def _edges_met(sheet: Sheet, rails: Sequence[Ruling]) -> list[Ruling]:
    """Edges of bars and tints, as of a table's heading, at which upright lines end together.

    Each as far as the first and the last of these lines.
    """
    loose = [
        up for up in sheet.upright
        if up.length >= LINE_LOW and sum(_ends_at(up, rails)) == 1
    ]  # fmt: skip
    if len(loose) < _FEWEST_MET:
        return []
    out = []
    for edge in _edges(sheet.picture):
        met = [up.at for up in loose if any(_ends_at(up, [edge]))]
        if len(met) >= _FEWEST_MET:
            first, last = min(met), max(met)
            middle = edge.near((first + last) / 2)
            out.append(Ruling(first, last, middle, 1.0, edge.climb))
    return out


def _edges(picture: Gray) -> list[Ruling]:
    """Level edges between light and dark, as lines."""
    slope = cv2.convertScaleAbs(cv2.Sobel(picture, cv2.CV_16S, 0, 1, ksize=3), alpha=0.25)
    steep = cv2.dilate((slope >= _STEP).astype(np.uint8), np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(steep, cv2.MORPH_OPEN, np.ones((1, round(_RAIL)), np.uint8))
    count, _, stats, middles = cv2.connectedComponentsWithStats(runs, connectivity=8)
    return [
        Ruling(float(x), float(x + w), float(middle), 1.0)
        for (x, _, w, h, _), (_, middle) in zip(
            stats[1:count].tolist(), middles[1:count].tolist(), strict=True
        )
        if h <= NEAR + 0.01 * w
    ]


def _ends_at(one: Ruling, rails: Sequence[Ruling]) -> tuple[bool, bool]:
    """Whether the upper and the lower end of an upright line meet a level one."""
    near = min(NEAR, NEAR_PART * one.length)  # a letter between two lines meets neither
    rows = [rail.near(one.at) for rail in rails if rail.start - NEAR <= one.at <= rail.stop + NEAR]
    # A line that is crossed on its way ends at the last rail that it reaches.
    inside = [row for row in rows if one.start - near <= row <= one.stop + near]
    return (
        any(row - one.start <= near for row in inside),
        any(one.stop - row <= near for row in inside),
    )


def squares(sheet: Sheet) -> list[Rect]:
    """Small squares with four sides and four corners, whatever is drawn into them."""
    thick = np.asarray(cv2.dilate(sheet.ink, np.ones((3, 3), np.uint8)), np.uint8)
    out: list[Rect] = []
    _between(sheet.level, sheet.upright, thick, out)
    turned: list[Rect] = [(y0, x0, y1, x1) for x0, y0, x1, y1 in out]
    _between(sheet.upright, sheet.level, np.ascontiguousarray(thick.T), turned)
    long = [one for one in sheet.level if one.length >= RULE and is_drawn(one)]
    return [
        (x0, y0, x1, y1)
        for y0, x0, y1, x1 in turned
        if not any(_stands_on(one, (x0, y0, x1, y1)) for one in long)
    ]


def _stands_on(rule: Ruling, box: Rect) -> bool:
    """Whether a side of the box is part of a long line: a letter that touches its underline."""
    beyond = rule.start < box[0] - 2 * MM and rule.stop > box[2] + 2 * MM
    row = rule.near((box[0] + box[2]) / 2)
    return beyond and min(abs(row - box[1]), abs(row - box[3])) <= NEAR


def _between(
    level: Sequence[Ruling], upright: Sequence[Ruling], thick: Gray, out: list[Rect]
) -> None:
    """Add the squares of which the upper and the lower side are seen as lines."""
    low, high = CHECK
    level = sorted((one for one in level if one.length >= 0.5 * low), key=lambda one: one.at)
    upright = sorted((one for one in upright if one.length >= 0.5 * low), key=lambda one: one.at)
    # Longer ones are no side of a square. A page of text has thousands: all below one at once.
    level = [one for one in level if one.length <= 3 * high]
    rows, starts, stops = _columns(level)
    columns, tops, feet = _columns(upright)
    for k, top in enumerate(level):
        last = int(np.searchsorted(rows, top.at + high + 1, side="right"))
        below = slice(k + 1, last)
        tall = rows[below] - top.at
        shared = np.minimum(top.stop, stops[below]) - np.maximum(top.start, starts[below])
        fits = (tall >= low) & (tall <= high) & (shared >= 0.4 * tall)
        for bottom in (level[k + 1 + int(at)] for at in np.flatnonzero(fits)):
            out += _closed(_sides(top, bottom, columns, tops, feet), top.at, bottom.at, thick, out)


def _columns(lines: Sequence[Ruling]) -> tuple[Floats, Floats, Floats]:
    """`at`, `start` and `stop` of lines, float64 (n,) each."""
    table = np.array([(one.at, one.start, one.stop) for one in lines]).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _sides(top: Ruling, bottom: Ruling, columns: Floats, tops: Floats, feet: Floats) -> list[float]:
    """Columns on which a side between two rows may stand: upright lines', and the rows' ends."""
    tall = bottom.at - top.at
    x0, x1 = max(top.start, bottom.start), min(top.stop, bottom.stop)
    a, b = np.searchsorted(columns, (x0 - 0.6 * tall, x1 + 0.6 * tall))
    shared = np.minimum(feet[a:b], bottom.at) - np.maximum(tops[a:b], top.at)
    sides: list[float] = columns[a:b][shared >= 0.4 * tall].tolist()
    sides += [end for one in (top, bottom) for end in (one.start, one.stop - 1)]
    return sorted(sides)


def _closed(
    sides: Sequence[float], top: float, bottom: float, thick: Gray, known: Sequence[Rect]
) -> list[Rect]:
    """The squares between two rows and two of the columns, where ink closes them in."""
    tall, new = bottom - top, list[Rect]()
    for k, left in enumerate(sides):
        for right in sides[k + 1 :]:
            box = (left, top, right, bottom)
            if not tall / TALL <= right - left <= SQUARE * tall:
                continue
            if any(overlap(box, own) for own in (*known, *new)):
                continue
            if has_sides(box, thick) and stands_free(box, thick):
                new.append(box)
    return new


def has_sides(box: Rect, thick: Gray) -> bool:
    """Whether ink stands along all four sides, and at the corners, which no letter has."""
    x0, y0, x1, y1 = (round(edge) for edge in box)
    if x0 < 0 or y0 < 0 or x1 >= thick.shape[1] or y1 >= thick.shape[0]:
        return False
    sides = (
        thick[y0, x0 : x1 + 1], thick[y1, x0 : x1 + 1],
        thick[y0 : y1 + 1, x0], thick[y0 : y1 + 1, x1],
    )  # fmt: skip
    corners = thick[[y0, y0, y1, y1], [x0, x1, x0, x1]]
    return bool(corners.all()) and all(side.mean() >= _SIDE for side in sides)


def stands_free(box: Rect, thick: Gray) -> bool:
    """Whether there is paper around a square: letters have neighbours."""
    x0, y0, x1, y1 = (round(edge) for edge in box)
    near, far = round(0.45 * MM), round(0.75 * MM)
    outer = thick[max(0, y0 - far) : y1 + far + 1, max(0, x0 - far) : x1 + far + 1]
    inner = thick[max(0, y0 - near) : y1 + near + 1, max(0, x0 - near) : x1 + near + 1]
    ring = outer.size - inner.size
    return bool(ring > 0 and int(outer.sum()) - int(inner.sum()) <= _AROUND * ring)


def _lost_sides(level: Sequence[Ruling], tied: Sequence[Ruling]) -> list[Ruling]:
    """The lower side of boxes of which only the upper one and both ends are seen."""
    out = []
    for top in level:
        hanging = [
            one for one in tied
            if abs(one.start - top.near(one.at)) <= NEAR and one.length >= LINE_LOW
        ]  # fmt: skip
        left = [one for one in hanging if abs(one.at - top.start) <= NEAR]
        right = [one for one in hanging if abs(one.at - top.stop) <= NEAR]
        for a in left:
            for b in right:
                if a is b or abs(a.length - b.length) > NEAR or b.at - a.at < LINE_LOW:
                    continue
                if a.length > 1.5 * (b.at - a.at) or a.length > CELL_HIGH:
                    continue
                foot = (a.stop + b.stop) / 2
                if not any(_spans(one, a.at, b.at, foot) for one in level):
                    out.append(Ruling(a.at, b.at, foot, 1, (b.stop - a.stop) / (b.at - a.at)))
    return out


def _spans(one: Ruling, x0: float, x1: float, y: float) -> bool:
    """Whether a level line runs from about x0 to x1 at about y."""
    long = one.start <= x0 + 2 * NEAR and one.stop >= x1 - 2 * NEAR
    return long and abs(one.near((x0 + x1) / 2) - y) <= NEAR


def _draw(walls: Gray, one: Ruling, *, across: bool) -> None:
    """A line with its ends drawn on until they meet what they nearly touch."""
    reach = 0.8 * NEAR
    a, b = one.start - reach, one.stop + reach
    ends = [(a, one.near(a)), (b, one.near(b))]
    points = [(round(y), round(x)) if across else (round(x), round(y)) for x, y in ends]
    cv2.line(walls, points[0], points[1], 1, max(1, min(4, round(one.thick))))


def is_drawn(one: Ruling) -> bool:
    """A line, and no row of letters: whole where it is written on, else alone."""
    return (one.cover >= 0.9 and one.clear >= 0.3) or (one.cover >= _SEEN and one.clear >= 0.9)
