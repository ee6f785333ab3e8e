"""The fields of a page of which no template is known: boxes, combs, underlines, lines of writing.

Owns:   `find_fields`.
Needs:  numpy, cv2, `field`.
Words:  *level* and *upright* are masks of long straight runs of ink, which forms are drawn of. A
        *cell* is paper that such lines close in.

What it leaves out: printed text and handwriting are not told apart, so that lines of writing are
looked for only on pages on which nothing is drawn for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.field import Box, Field

Gray = NDArray[np.uint8]

_WORK_PX = 1800  # height that pages are looked at: 6 pixels a millimetre of A4, a rule still shows
_MM = _WORK_PX / 297  # pixels a millimetre of an A4 page, which others are taken for
_LEAST_PX = 48  # a smaller picture is no page
_CONTRAST = 24  # grey levels under the paper from which on a pixel is ink, as `preprocess` has it
_SIDE = 3  # pixels of the page around a box: its lines belong to the crop


@dataclass(frozen=True, slots=True)
class _Found:
    box: tuple[int, int, int, int]  # of the reduced page
    cells: int | None = None
    kind: str | None = None


def find_fields(page: Gray) -> tuple[Field, ...]:
    """Find what looks like a place to write.

    Args:
        page: uint8 (h, w), an upright page, dark on light.

    Returns:
        Fields named `field_1`, `field_2`, ... in reading order, boxes in pixels of the page. A row
        of like boxes is one field with `cells`, a small lone square a check box. Empty for a page
        without any, or one too small to be a page.
    """
    h, w = page.shape
    if min(h, w) < _LEAST_PX:
        return ()
    scale = min(1.0, _WORK_PX / max(h, w))
    small = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ink = _ink_mask(np.asarray(small, np.uint8))
    level = _runs(ink, round(4 * _MM), across=False)
    upright = _runs(ink, round(3.4 * _MM), across=True)
    found = _rows_of_cells(_cells(level, _attached(upright, level)))
    found += _underlines(level, upright, found)
    if not found:
        found = _lines_of_writing(ink)
    fx, fy = w / ink.shape[1], h / ink.shape[0]
    fields = []
    for k, one in enumerate(_in_reading_order(found), 1):
        x0, y0, x1, y1 = one.box
        box = (
            max(0.0, x0 * fx - _SIDE),
            max(0.0, y0 * fy - _SIDE),
            min(float(w), x1 * fx + _SIDE),
            min(float(h), y1 * fy + _SIDE),
        )
        fields.append(Field(f"field_{k}", kind=one.kind, box=box, cells=one.cells))
    return tuple(fields)


def _ink_mask(page: Gray) -> Gray:
    """Where the page is darker than its paper: 0 or 1."""
    side = round(4 * _MM) | 1  # wider than any stroke, narrower than a shadow
    paper = cv2.morphologyEx(page, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    depth = cv2.subtract(cv2.blur(paper, (side, side)), page)
    dark = depth[depth >= _CONTRAST]
    if dark.size == 0:
        return np.zeros(page.shape, np.uint8)
    # Half of what the darker half of the ink has: pale rules stay, shadows of strokes do not.
    least = max(_CONTRAST, 0.4 * float(np.median(dark)))
    return (depth >= least).astype(np.uint8)


def _runs(ink: Gray, length: int, *, across: bool) -> Gray:
    """Straight thin runs of ink at least `length` long, upright ones where `across`."""
    turned = np.ascontiguousarray(ink.T) if across else ink
    whole = cv2.morphologyEx(turned, cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8))
    runs = cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    # Fields of black, such as table heads, are no lines.
    side = round(1.6 * _MM)
    solid = cv2.morphologyEx(turned, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    runs = np.where(cv2.dilate(solid, np.ones((5, 5), np.uint8)) > 0, 0, runs)
    # A skewed line is a staircase whose steps touch once they are a pixel longer.
    runs = cv2.dilate(runs.astype(np.uint8), np.ones((1, 3), np.uint8))
    return np.ascontiguousarray(np.asarray(runs.T if across else runs, np.uint8))


def _attached(upright: Gray, level: Gray) -> Gray:
    """Upright lines that begin and end at a level one: a stem of a letter does not."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(upright, connectivity=8)
    keep = np.zeros(count, np.uint8)
    for k, (x, y, w, h, _) in enumerate(stats[1:].tolist(), 1):
        ends = (level[max(0, row - 4) : row + 5, max(0, x - 2) : x + w + 2] for row in (y, y + h))
        keep[k] = all(end.any() for end in ends)
    return np.asarray(keep[np.asarray(labels, np.intp)], np.uint8)


def _cells(level: Gray, upright: Gray) -> list[tuple[int, int, int, int]]:
    """Paper closed in by lines, as large as something can be written into."""
    h, w = level.shape
    open_px = np.ones((3, 3), np.uint8)
    walls = cv2.morphologyEx(np.maximum(level, upright), cv2.MORPH_CLOSE, open_px)
    _, _, stats, _ = cv2.connectedComponentsWithStats(1 - walls, connectivity=4)
    cells = []
    for x, y, cw, ch, area in stats[1:].tolist():
        inside = x > 0 and y > 0 and x + cw < w and y + ch < h
        fits = 2 * _MM <= ch <= 30 * _MM and cw >= 2 * _MM
        if inside and fits and area >= 0.85 * cw * ch:
            cells.append((x - 1, y - 1, x + cw + 1, y + ch + 1))
    return cells


def _rows_of_cells(cells: Sequence[tuple[int, int, int, int]]) -> list[_Found]:
    """Like cells side by side are one field; others stand alone."""
    left = sorted(cells)
    found = []
    while left:
        row = [left.pop(0)]
        for box in list(left):
            if _next_to(row[-1], box):
                row.append(box)
                left.remove(box)
        x0, y0 = min(box[0] for box in row), min(box[1] for box in row)
        x1, y1 = max(box[2] for box in row), max(box[3] for box in row)
        if len(row) > 1:
            found.append(_Found((x0, y0, x1, y1), cells=len(row)))
        else:
            square = 0.75 <= (x1 - x0) / (y1 - y0) <= 1.33 and y1 - y0 <= 8 * _MM
            found.append(_Found((x0, y0, x1, y1), kind="checkbox" if square else None))
    return found


def _next_to(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    """Whether `b` is the next cell of the row that `a` belongs to."""
    high, wide = a[3] - a[1], a[2] - a[0]
    glyph = 0.25 * high <= wide <= 1.4 * high  # a cell holds one glyph; a table's cells are wider
    level = abs(a[1] - b[1]) <= 0.2 * high and abs(a[3] - b[3]) <= 0.2 * high
    alike = abs((b[2] - b[0]) - wide) <= 0.3 * wide
    return glyph and level and alike and -0.1 * wide <= b[0] - a[2] <= 0.35 * wide


def _underlines(level: Gray, upright: Gray, found: Sequence[_Found]) -> list[_Found]:
    """Lone level lines, with the room above them; those with teeth are combs."""
    h, w = level.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(level, connectivity=8)
    rules = []
    for x, y, cw, ch, _ in stats[1:].tolist():
        flat = cw >= 12 * _MM and ch <= max(2 * _MM, 0.06 * cw)
        drawn = any(_touches(one.box, (x, y, x + cw, y + ch)) for one in found)
        if flat and not drawn and cw < 0.95 * w:
            rules.append((x, y, x + cw, y + ch))
    lines = []
    for x0, y0, x1, y1 in rules:
        above = [r[3] for r in rules if r[3] < y0 - 3 * _MM and r[0] < x1 and x0 < r[2]]
        room = min([9 * _MM, *(y0 - bottom for bottom in above)])
        box = (x0, max(0, round(y0 - room)), x1, min(h, round(y1 + 0.25 * room)))
        lines.append(_Found(box, cells=_count_teeth(upright[max(0, y0 - 6) : y0, x0:x1])))
    return lines


def _count_teeth(strip: Gray) -> int | None:
    """Cells of a comb from the strip above its rule; None if no teeth stand evenly there."""
    if strip.size == 0:
        return None
    on = np.diff(strip.any(0).astype(np.int8), prepend=0, append=0)
    teeth = (np.flatnonzero(on > 0) + np.flatnonzero(on < 0)) / 2
    if teeth.size < 4:
        return None
    steps = np.diff(teeth)
    if steps.std() > 0.1 * steps.mean():
        return None
    ends = int(teeth[0] > 0.5 * steps.mean()) + int(strip.shape[1] - teeth[-1] > 0.5 * steps.mean())
    return int(teeth.size) - 1 + ends


def _lines_of_writing(ink: Gray) -> list[_Found]:
    """Lines of ink on a page on which nothing is drawn."""
    h, w = ink.shape
    gap, speck = round(6 * _MM) | 1, np.ones((2, 2), np.uint8)
    clean = cv2.morphologyEx(ink, cv2.MORPH_OPEN, speck)
    joined = cv2.morphologyEx(clean, cv2.MORPH_CLOSE, np.ones((3, gap), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    return [
        _Found((x, y, x + cw, y + ch))
        for x, y, cw, ch, _ in stats[1:].tolist()
        if 1.5 * _MM <= ch <= 25 * _MM and cw >= 3 * _MM and (cw < w or ch < h)
    ]


def _touches(a: Box, b: Box) -> bool:
    near = _MM / 2
    return a[0] - near < b[2] and b[0] - near < a[2] and a[1] - near < b[3] and b[1] - near < a[3]


def _in_reading_order(found: Sequence[_Found]) -> list[_Found]:
    """Rows from top to bottom, each from left to right; one row is what overlaps by half."""
    rows: list[list[_Found]] = []
    for one in sorted(found, key=lambda f: (f.box[1] + f.box[3], f.box[0])):
        _, y0, _, y1 = one.box
        if rows:
            _, top, _, bottom = rows[-1][0].box
            shared = min(y1, bottom) - max(y0, top)
            if shared >= 0.5 * min(y1 - y0, bottom - top):
                rows[-1].append(one)
                continue
        rows.append([one])
    return [one for row in rows for one in sorted(row, key=lambda f: f.box[0])]
