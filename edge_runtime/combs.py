"""Rows of cells: which frames make one comb, and how many cells it has where some are hidden.

Owns:   `in_rows`, `mended`, `even_teeth`, `cut`.
Needs:  numpy, `rulings`, `found`.
Words:  a *comb* is a row of cells; its *teeth* are the lines between them, whole or short.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edge_runtime.found import (
    CELL_HIGH,
    CELL_LEAST,
    CHECK,
    LINE_LOW,
    NEAR,
    SQUARE,
    Found,
    Rect,
    around,
    overlap,
)
from edge_runtime.rulings import MM, Ruling, Sheet

_RAILED = 0.6  # of it between two parts of a comb, whose boxes may stand apart
_WALL = 0.7 * MM  # the border that two cells share
_FEW, _CELL_LONG = 4, 11 * MM
_APART = 2.4 * MM  # between boxes of one row that do not share a side
_CELL_LOW, _CELL_WIDE = 0.28, 1.7  # width of a cell over its height
_FEWEST_TEETH = 3
_TEETH = 0.6  # of a comb's teeth that are seen, and of what stands there that are teeth
_CLEAR, _SLANT = 0.7, 0.04  # of a tooth: paper on both sides, and upright


def in_rows(frames: Sequence[Rect], sheet: Sheet) -> list[Found]:
    """Frames of one row that are cells make a comb, others stand alone."""
    out: list[Found] = []
    for run in _runs(frames):
        out += _of_run(run, sheet)
    holders = [one for one in out if not one.cells]
    return [one for one in out if one not in holders or not _holds_any(one.box, frames)]


def _runs(frames: Sequence[Rect]) -> list[list[Rect]]:
    """Frames side by side, of one height, a wall or a little more apart."""
    left = sorted(frames)
    out = []
    while left:
        run = [left.pop(0)]
        while True:
            last = run[-1]
            high = last[3] - last[1]
            near = [
                one for one in left
                if abs(one[1] - last[1]) <= 0.2 * high and abs(one[3] - last[3]) <= 0.2 * high
                and -0.5 * MM <= one[0] - last[2] <= _APART
            ]  # fmt: skip
            if not near:
                break
            run.append(min(near))
            left.remove(run[-1])
        out.append(run)
    return out


def _of_run(run: Sequence[Rect], sheet: Sheet) -> list[Found]:
    out: list[Found] = []
    for group in _like_cells(run):
        if len(group) > 1:
            group = _walled(_to_the_ends(group, sheet))
            out.append(Found(around(group), cells=tuple(group)))
            continue
        box = group[0]
        teeth = _short_teeth(box, sheet)
        if teeth:
            out.append(Found(box, cells=cut(box, teeth)))
        elif (one := _alone(box)) is not None:
            out.append(one)
    return _rejoined(out)


def _like_cells(run: Sequence[Rect]) -> list[list[Rect]]:
    """The run cut into combs and single frames.

    A stem that reaches from rail to rail cuts a cell in two, and a line that the scanner lost makes
    one of two: both are mended where the rest of the row says how wide a cell is.
    """
    widths = np.array([x1 - x0 for x0, _, x1, _ in run])
    high = float(np.median([y1 - y0 for _, y0, _, y1 in run]))
    fit = (widths >= _CELL_LOW * high) & (widths <= _CELL_WIDE * high) & (high >= CELL_LEAST)
    fit &= high <= CELL_HIGH
    if len(run) < _FEW:  # two or three wide ones are columns of a table
        fit &= widths <= _CELL_LONG
    if len(run) < 2 or not fit.any():
        return [[one] for one in run]
    width = _usual(widths[fit])
    alike = np.abs(widths - width) <= 0.16 * width
    if 2 * alike.sum() < len(run) and alike.sum() < 3:
        return [[one] for one in run]
    out: list[list[Rect]] = []
    group: list[Rect] = []
    rest = list(run)
    while rest:
        one = rest.pop(0)
        own = one[2] - one[0]
        times = round(own / width)
        pair = rest[0][2] - one[0] if rest else 0.0
        if abs(own - width) <= 0.16 * width:
            group.append(one)
        elif group and rest and own < 0.85 * width and abs(pair - width) <= 0.16 * width:
            group.append((one[0], one[1], rest.pop(0)[2], one[3]))
        elif 2 <= times <= 4 and abs(own / times - width) <= 0.1 * width and alike.sum() >= 3:
            edges = np.linspace(one[0], one[2], times + 1)
            group += [(float(a), one[1], float(b), one[3]) for a, b in pairwise(edges)]
        else:
            out += [group] if group else []
            out.append([one])
            group = []
    return out + ([group] if group else [])


def _walled(group: Sequence[Rect]) -> list[Rect]:
    """Cells that share a border meet in its middle."""
    edges = [
        ((a[2] + b[0]) / 2, (a[2] + b[0]) / 2) if b[0] - a[2] <= _WALL else (a[2], b[0])
        for a, b in pairwise(group)
    ]
    lefts = [group[0][0], *(right for _, right in edges)]
    rights = [*(left for left, _ in edges), group[-1][2]]
    return [(x0, one[1], x1, one[3]) for x0, x1, one in zip(lefts, rights, group, strict=True)]


def _to_the_ends(group: list[Rect], sheet: Sheet) -> list[Rect]:
    """The row with a cell more where its rails go on by just one: a glyph hid the last border."""
    if len(group) < 3:
        return group
    step = float(np.median(np.diff([one[0] for one in group])))
    x0, y0, x1, y1 = around(group)
    rails = [
        [one for one in sheet.level if abs(one.near((x0 + x1) / 2) - y) <= NEAR and one.stop > x0
         and one.start < x1]
        for y in (y0, y1)
    ]  # fmt: skip
    if not all(rails):
        return group
    left = max(min(one.start for one in rail) for rail in rails)
    right = min(max(one.stop for one in rail) for rail in rails)
    first, last = group[0], group[-1]
    if abs(x0 - left - step) <= 0.2 * step:
        group = [(first[0] - step, y0, first[2] - step, y1), *group]
    if abs(right - x1 - step) <= 0.2 * step:
        group = [*group, (last[0] + step, y0, last[2] + step, y1)]
    return group


def _usual(values: NDArray[np.float64]) -> float:
    """The value that most others lie near to."""
    near = (np.abs(values[:, None] - values) <= 0.12 * values[:, None]).sum(1)
    best = values[int(near.argmax())]
    return float(np.median(values[np.abs(values - best) <= 0.12 * best]))


def _short_teeth(box: Rect, sheet: Sheet) -> list[float]:
    """Columns of a comb's teeth that stand on the lower side of a frame, evenly; else none."""
    x0, y0, x1, y1 = box
    standing = [
        one for one in sheet.upright
        if x0 + 1.5 * MM < one.at < x1 - 1.5 * MM
        and abs(one.stop - y1) <= NEAR
        and one.start > y0 + 1.5
    ]  # fmt: skip
    return even_teeth(x0, x1, y1 - y0, standing)


def even_teeth(x0: float, x1: float, high: float, standing: Sequence[Ruling]) -> list[float]:
    """The columns that divide x0 to x1 into cells, by the teeth that are seen; none if none do."""
    drawn = [one for one in standing if one.clear >= _CLEAR and abs(one.climb) <= _SLANT]
    if len(drawn) < _FEWEST_TEETH:
        return []
    lengths = np.array([one.length for one in drawn])
    usual = _usual(lengths)
    at = np.array([one.at for one in drawn])[np.abs(lengths - usual) <= 0.2 * usual]
    if at.size < _FEWEST_TEETH:
        return []
    best: tuple[float, int] = (0.0, 0)
    for n in range(3, 81):
        pitch = (x1 - x0) / n
        if pitch > _CELL_WIDE * max(high, 4 * MM):
            continue
        if pitch < 2.2 * MM:
            break
        inner = x0 + pitch * np.arange(1, n)
        off = np.abs(inner[:, None] - at)
        seen = (off.min(1) <= 0.12 * pitch).sum()
        used = (off.min(0) <= 0.12 * pitch).sum()
        if seen >= _TEETH * (n - 1) and used >= _TEETH * at.size:
            best = max(best, (seen + used - 0.5 * (n - 1) - 0.5 * at.size, n))
    n = best[1]
    return [] if n == 0 else (x0 + (x1 - x0) / n * np.arange(1, n)).tolist()


def cut(box: Rect, columns: Sequence[float]) -> tuple[Rect, ...]:
    edges = [box[0], *columns, box[2]]
    return tuple((a, box[1], b, box[3]) for a, b in pairwise(edges))


def _rejoined(row: Sequence[Found]) -> list[Found]:
    """Combs of one row with like cells, less than half a cell apart: parts of one field."""
    out: list[Found] = []
    for one in row:
        last = out[-1] if out else None
        if last is not None and last.cells and one.cells and _go_on(last, one):
            cells = (*last.cells, *one.cells)
            out[-1] = Found(around(cells), cells=cells)
        else:
            out.append(one)
    return out


def _go_on(a: Found, b: Found) -> bool:
    wide, other = ((one.box[2] - one.box[0]) / len(one.cells) for one in (a, b))
    return abs(wide - other) <= 0.15 * wide and b.box[0] - a.box[2] <= 0.45 * wide


def _alone(box: Rect) -> Found | None:
    """A frame by itself: a check box, a place for text, or nothing."""
    w, h = box[2] - box[0], box[3] - box[1]
    if max(w, h) <= SQUARE * min(w, h) and CHECK[0] <= min(w, h) and max(w, h) <= CHECK[1]:
        return Found(box, kind="checkbox")
    if h < LINE_LOW or w < h:
        return None
    return Found(box)


def _holds_any(box: Rect, frames: Sequence[Rect]) -> bool:
    return any(
        one != box
        and box[0] <= one[0] and one[2] <= box[2] and box[1] <= one[1] and one[3] <= box[3]
        for one in frames
    )  # fmt: skip


def mended(found: Sequence[Found], sheet: Sheet) -> list[Found]:
    """Parts of one comb put together, where its rails run on and writing hid a border or two."""
    out = list(found)
    combs = sorted((one for one in found if one.cells), key=lambda one: one.box)
    for k, a in enumerate(combs):
        for b in combs[k + 1 :]:
            if a in out and b in out and (gap := _hidden(a, b, sheet)):
                cells = (*a.cells, *gap, *b.cells)
                whole = Found(around(cells), cells=cells)
                out = [one for one in out if not overlap(one.box, whole.box)] + [whole]
                a = whole
    return out


def _hidden(a: Found, b: Found, sheet: Sheet) -> list[Rect]:
    """The cells between two parts of one comb; none where they are two fields."""
    _, y0, x1, y1 = a.box
    high, width = y1 - y0, float(np.median([one[2] - one[0] for one in (*a.cells, *b.cells)]))
    lefts = (
        np.diff([one[0] for one in a.cells]).tolist() + np.diff([c[0] for c in b.cells]).tolist()
    )
    step = float(np.median(lefts))
    if abs(b.box[1] - y0) > 0.2 * high or abs(b.box[3] - y1) > 0.2 * high or b.box[0] < x1:
        return []
    away = (b.cells[0][0] - a.cells[-1][0]) / step
    n = round(away) - 1
    if not 1 <= n <= 3 or abs(away - n - 1) > 0.2 or not _railed(x1, b.box[0], (y0, y1), sheet):
        return []
    first = a.cells[-1][0]
    return [(first + step * k, y0, first + step * k + width, y1) for k in range(1, n + 1)]


def _railed(x0: float, x1: float, rows: Sequence[float], sheet: Sheet) -> bool:
    """Whether ink runs from x0 to x1 along both rows, nearly without a gap."""
    a, b, near = round(x0), round(x1), round(0.3 * MM)
    for row in map(round, rows):
        band = sheet.ink[max(0, row - near) : row + near + 1, a:b]
        if band.size == 0 or band.any(0).mean() < _RAILED:
            return False
    return True
