"""The fields of a blank or filled form: boxes, combs, check boxes, underlines. For templates.

Owns:   `Detected`, `detect`.
Needs:  numpy, `rulings`, `frames`, `combs`, `underlines`, `leaders`, `dropout`, `wallpaper`.

What it leaves out: places to write that nothing is drawn for. What it finds is a proposal, which a
person looks at: print and writing inside boxes are told apart by size alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from edge_runtime.check_boxes import all_squares
from edge_runtime.circles import circles, is_like_any
from edge_runtime.combs import cut, in_rows, mended
from edge_runtime.dropout import cells_by_writing
from edge_runtime.found import Found, Rect, overlap
from edge_runtime.frames import squares
from edge_runtime.leaders import is_on_dots
from edge_runtime.lettering import Lettering
from edge_runtime.panes import framed, is_panel
from edge_runtime.rooms import beside_print, in_rows_of_print, written_zones
from edge_runtime.rulings import MM, Floats, Gray, Matrix, Sheet, look_at
from edge_runtime.underlines import LEAST_ROOM, underlines, without_letters
from edge_runtime.wallpaper import without_wallpaper
from edge_runtime.writing import Word, words_of

_TRUE = 1.12  # times as long as the other is a side of a box to tick that no line tells of
_TICKS = 2  # further check boxes of a tick list, at least
_IN_CELL, _SAME = 0.8, 0.12  # of a cell's height that a check box takes at most; of its side
_LEAST_PX = 48  # a smaller picture is no page


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """What was found on a page."""

    found: tuple[Found, ...]  # in reading order, pixels of the straightened page
    from_page: Matrix  # (3, 3) pixels of the page to those of the straightened page
    picture: Gray  # (h, w), the straightened page, its longer edge `rulings.WORK_PX` at most
    # (n, 4), boxes on it of the dots that lines are printed with
    dots: Floats = field(default_factory=lambda: np.zeros((0, 4)))


def detect(page: Gray, shaded: Gray | None = None) -> Detected:
    """Find the places to write on a blank or filled form.

    Args:
        page: uint8 (h, w), upright but for a few degrees, dark on light.
        shaded: The same page before its paper was made white, where it was.
    """
    h, w = page.shape
    if min(h, w) < _LEAST_PX:
        return Detected((), np.eye(3), page)
    sheet, sharp, frames, panes = framed(look_at(page, shaded))
    small = [one for one in squares(sheet) if not is_on_dots(one, sheet)]
    frames += [one for one in small if not any(overlap(one, f) for f in frames)]
    closed = _with_lost_cells(mended(in_rows(frames, sheet), sheet), sheet)
    rings = [
        Found(box, kind="checkbox", guessed=not sure, round=True)
        for box, sure in circles(sheet, Lettering(sheet.ink).is_o)
        if not any(one.cells and overlap(one.box, box) for one in closed)
    ]
    closed = [
        one for one in closed
        if one.kind is None or not any(overlap(one.box, ring.box) for ring in rings)
    ]  # fmt: skip
    own = [one.box for one in (*closed, *rings) if one.cells or one.kind is not None]
    words = in_rows_of_print(words_of(sharp, without=own))
    closed = [
        one for one in closed
        if one.box not in panes or not (_is_counter(one) or is_panel(one.box, words))
    ]  # fmt: skip
    under = underlines(sharp, closed, words)
    found = without_letters(_ticked(_beside_print(closed, words), small), under)
    seen = [one.box for one in found if one.kind is not None and one.box not in panes]
    found = [
        replace(one, guessed=True) if one.kind is not None else one
        for one in found
        if one.kind is None or one.box in panes
    ]
    drawn = [one.box for one in (*found, *rings) if one.cells or not one.under]
    hidden = all_squares(sheet, seen, drawn)
    round_ones = [one.box for one in rings]
    found += rings
    found += [
        Found(
            box,
            kind="checkbox",
            guessed=not sure,
            round=is_like_any(box, round_ones, sheet.ink.shape),
        )
        for box, sure in hidden
        if not is_on_dots(box, sheet)
    ]
    found = _apart(without_wallpaper(found, sheet.picture))
    found += written_zones(words, found, sheet)
    return Detected(tuple(_in_reading_order(found)), sheet.from_page, sheet.picture, sheet.dots)


def _is_counter(pane: Found) -> bool:
    """Whether a small pane is no square: boxes to tick are, what a letter shuts in is not."""
    w, h = pane.box[2] - pane.box[0], pane.box[3] - pane.box[1]
    return pane.kind == "checkbox" and max(w, h) > _TRUE * min(w, h)


def _beside_print(found: Sequence[Found], words: Sequence[Word]) -> list[Found]:
    """Boxes without what is printed into them; one that holds nothing else is none."""
    boxes = [one for one in found if not one.cells and one.kind is None]
    rooms = beside_print([one.box for one in boxes], words)
    kept = [one for one in found if one.cells or one.kind is not None]
    return kept + [
        replace(one, box=room) for one, room in zip(boxes, rooms, strict=True) if room is not None
    ]


def _ticked(found: Sequence[Found], small: Sequence[Rect]) -> list[Found]:
    """Cells of a tick list as the check boxes that stand in them: one in each, of one size and in
    one row or column."""
    out = []
    for one in found:
        x0, y0, x1, y1 = one.box
        plain = not one.cells and one.kind is None and not one.under
        inner = [s for s in small if x0 < s[0] and y0 < s[1] and s[2] < x1 and s[3] < y1]
        lone = plain and len(inner) == 1 and inner[0][3] - inner[0][1] <= _IN_CELL * (y1 - y0)
        if lone and _alike(inner[0], small) >= _TICKS:
            one = Found(inner[0], kind="checkbox")
        out.append(one)
    return out


def _alike(one: Rect, small: Sequence[Rect]) -> int:
    """How many squares of its size stand in the row or the column of a square."""
    side = one[3] - one[1]
    return sum(
        other is not one
        and abs(other[3] - other[1] - side) <= _SAME * side
        and min(abs(other[0] - one[0]), abs(other[1] - one[1])) <= MM
        for other in small
    )


def _with_lost_cells(found: Sequence[Found], sheet: Sheet) -> list[Found]:
    """Boxes whose writing stands one glyph a cell get cells, and say that they are a guess."""
    boxes = [one.box for one in found if not one.cells and one.kind is None]
    counts = dict(zip(boxes, cells_by_writing(boxes, sheet.ink), strict=True))
    out = []
    for one in found:
        n = counts.get(one.box, 0) if not one.cells and one.kind is None else 0
        if n:
            columns = np.linspace(one.box[0], one.box[2], n + 1)[1:-1].tolist()
            one = Found(one.box, cells=cut(one.box, columns), guessed=True)
        out.append(one)
    return out


def _apart(found: Sequence[Found]) -> list[Found]:
    """Places that share nothing: of two the surer one stays whole, the other keeps what is left."""
    out: list[Found] = []
    for one in sorted(found, key=lambda f: (not f.cells, f.kind is None, f.under)):
        x0, y0, x1, y1 = one.box
        for x2, y2, x3, y3 in (other.box for other in out):
            if min(x1, x3) - max(x0, x2) <= 1 or min(y1, y3) - max(y0, y2) <= 1:
                continue
            y0, y1 = (max(y0, y3), y1) if y2 + y3 < y0 + y1 else (y0, min(y1, y2))
        least = min(LEAST_ROOM, 0.8 * (one.box[3] - one.box[1]))
        if y1 - y0 >= least:
            cells = tuple((a, max(b, y0), c, min(d, y1)) for a, b, c, d in one.cells)
            out.append(replace(one, box=(x0, y0, x1, y1), cells=cells))
    return out


def _in_reading_order(found: Sequence[Found]) -> list[Found]:
    """Rows from top to bottom, each from left to right; one row is what overlaps by half."""
    rows: list[list[Found]] = []
    for one in sorted(found, key=lambda f: (f.box[1] + f.box[3], f.box[0])):
        _, y0, _, y1 = one.box
        if rows:
            _, top, _, bottom = rows[-1][0].box
            if min(y1, bottom) - max(y0, top) >= 0.5 * min(y1 - y0, bottom - top):
                rows[-1].append(one)
                continue
        rows.append([one])
    return [one for row in rows for one in sorted(row, key=lambda f: f.box[0])]
