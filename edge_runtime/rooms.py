"""Room to write beside print, and writing that has no place of its own.

Owns:   `in_rows_of_print`, `beside_print`, `is_heading`, `print_feet`, `written_zones`.
Needs:  numpy, `writing`, `found`, `rulings`, `underprint`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edge_runtime.found import LINE_LOW, Found, Rect, around, overlap
from edge_runtime.rulings import MM, Ruling, Sheet
from edge_runtime.underprint import underprint
from edge_runtime.writing import Word

SURE = 0.9  # print is left out of a field; what is doubtful stays
_ROW_GAP = 6 * MM  # between words of one row of print
_ROW_LEVEL, _ROW_SIZE = 0.35, 1.45  # by which their middles and their heights may differ
_ODDS = 6.0  # nats that a word may add to its row
_WIDE_LEAST = 8 * MM  # of what is left of a box beside print
_HEADING, _HEADED = 4.5 * MM, 0.3  # from print to the line under it; share of it that print covers
_HEADING_HIGH = 4.0 * MM  # of such print: larger letters may be somebody's capitals
_PRINT_HIGH = 1.3  # times the page's usual print
_FEWEST = 3  # letters of print in a box: less may be what is left of its walls
_NEXT = 1.2 * MM  # cells of one table share a wall
_READ_ONLY = 0.5  # of a table's cells that are full of print: the others are read, too
_LABEL = 6 * MM  # from a field to its label
_ZONE_GAP = 9 * MM  # between words of one line of writing
_ZONE_LETTERS = 3
_ZONE_LOW, _ZONE_HIGH = 2.0 * MM, 30 * MM
_ZONE_SURE = 0.12  # print share of what is taken for writing outside of any field
_PAD = 0.8 * MM
_TAIL = 0.3  # of a word's height
_RIM = 4 * MM  # along the page's edges, where scanners leave shadows and specks


def in_rows_of_print(words: Sequence[Word]) -> list[Word]:
    """The words, each as sure as its row is: one may be doubtful, all together seldom are."""
    rows: list[list[Word]] = []
    for one in sorted(words, key=lambda word: word.box[0]):
        near = [row for row in rows if _goes_on(row[-1], one)]
        if near:
            max(near, key=lambda row: row[-1].box[2]).append(one)
        else:
            rows.append([one])
    out = []
    for row in rows:
        odds = sum(_odds(one) for one in row) / math.sqrt(len(row))
        share = 1 / (1 + math.exp(-odds))
        out += [replace(one, print_share=share) for one in row]
    return sorted(out, key=lambda word: word.box)


def _odds(one: Word) -> float:
    share = min(max(one.print_share, 1e-9), 1 - 1e-9)
    return min(_ODDS, max(-_ODDS, math.log(share / (1 - share))))


def _goes_on(a: Word, b: Word) -> bool:
    """Whether b may be the next word of a's row."""
    high, other = a.box[3] - a.box[1], b.box[3] - b.box[1]
    level = abs(a.box[1] + a.box[3] - b.box[1] - b.box[3]) / 2 <= _ROW_LEVEL * max(high, other)
    alike = max(high, other) <= _ROW_SIZE * min(high, other)
    return level and alike and -2 * MM <= b.box[0] - a.box[2] <= _ROW_GAP


def beside_print(boxes: Sequence[Rect], words: Sequence[Word]) -> list[Rect | None]:
    """What of each box is there to be written into: all, the part beside its print, or nothing.

    A cell that holds print is the label of its neighbour to the right, or below, that holds none.
    Between two cells of its column that hold none, it is neat writing.

    Args:
        boxes: Closed in by lines, pixels of the sheet.
        words: Of the sheet, by rows.
    """
    tall = [one.box[3] - one.box[1] for one in words if one.print_share >= SURE]
    most = _PRINT_HIGH * float(np.median(tall)) if tall else math.inf
    rooms = [_room_beside_print(box, words, most) for box in boxes]
    tables = _tables(boxes)
    out: list[Rect | None] = []
    for k, (box, room) in enumerate(zip(boxes, rooms, strict=True)):
        table = next(table for table in tables if k in table)
        free = [boxes[at] for at in table if rooms[at] == boxes[at]]
        if any(_is_under(one, box) for one in free) and any(_is_under(box, one) for one in free):
            room = box
        if room is not None and room != box:
            full = sum(rooms[at] is None for at in table)
            is_label = any(_is_next(box, other) or _is_under(box, other) for other in free)
            if is_label or full >= _READ_ONLY * (len(table) - 1) > 0:
                room = None
        out.append(room)
    return out


def _tables(boxes: Sequence[Rect]) -> list[list[int]]:
    """Numbers of the boxes that share walls, each box in one table."""
    tables: list[list[int]] = []
    for k, box in enumerate(boxes):
        mine = [
            table for table in tables
            if any(_touch(box, boxes[at]) for at in table)
        ]  # fmt: skip
        tables = [table for table in tables if table not in mine]
        tables.append([k, *(at for table in mine for at in table)])
    return tables


def _touch(a: Rect, b: Rect) -> bool:
    return (
        a[0] - _NEXT < b[2] and b[0] - _NEXT < a[2] and a[1] - _NEXT < b[3] and b[1] - _NEXT < a[3]
    )


def _is_next(a: Rect, b: Rect) -> bool:
    """Whether b is the cell to the right of a in one row of a table."""
    level = abs(a[1] - b[1]) <= _NEXT and abs(a[3] - b[3]) <= _NEXT
    return level and abs(b[0] - a[2]) <= _NEXT


def _is_under(a: Rect, b: Rect) -> bool:
    straight = abs(a[0] - b[0]) <= _NEXT and abs(a[2] - b[2]) <= _NEXT
    return straight and abs(b[1] - a[3]) <= _NEXT


def _room_beside_print(box: Rect, words: Sequence[Word], most: float) -> Rect | None:
    """`most` is how high print is beside which one may write: what is higher may be written."""
    inside = [one for one in words if _middle_in(one.box, box)]
    sure = [one for one in inside if one.print_share >= SURE and one.letters > 1]
    printed = [one.box for one in sure]
    if sum(one.letters for one in sure) < _FEWEST:
        return box
    x0, y0, x1, y1 = box
    left, top, right, bottom = around(printed)
    rooms = [
        (x0, y0, x1, top - _PAD), (x0, bottom + _PAD, x1, y1),
        (x0, y0, left - _PAD, y1), (right + _PAD, y0, x1, y1),
    ]  # fmt: skip
    others = [one.box for one in inside if one.print_share < SURE]
    fit = [
        room for room in rooms
        if room[3] - room[1] >= LINE_LOW and room[2] - room[0] >= _WIDE_LEAST
        and all(_middle_in(other, room) for other in others)
    ]  # fmt: skip
    if not fit:
        return box if others and _mostly_written(inside) else None
    under = rooms[1]
    if under in fit and bottom <= (y0 + y1) / 2:  # a label over the line that it asks for
        return under
    if max(b[3] - b[1] for b in printed) > most:
        return box
    return max(fit, key=lambda room: (room[2] - room[0]) * (room[3] - room[1]))


def _mostly_written(words: Sequence[Word]) -> bool:
    """Whether handwriting takes more room than print does: it is the print that is doubtful."""
    wide = [(one.box[2] - one.box[0], one.print_share) for one in words]
    return sum(w for w, share in wide if share < 0.5) > sum(w for w, share in wide if share >= 0.5)


def _middle_in(one: Rect, box: Rect) -> bool:
    x, y = (one[0] + one[2]) / 2, (one[1] + one[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def is_heading(line: Ruling, words: Sequence[Word]) -> bool:
    """Whether print stands right on a line, over a good part of it: it is underlined."""
    taken = 0.0
    if any(_is_left_of(one.box, line) and one.print_share >= SURE for one in words):
        return False
    for one in words:
        x0, _, x1, foot = one.box
        above = -MM <= line.near((x0 + x1) / 2) - foot <= _HEADING
        above &= foot - one.box[1] <= _HEADING_HIGH
        if above and one.print_share >= SURE:
            taken += max(0.0, min(x1, line.stop) - max(x0, line.start))
    return taken >= _HEADED * line.length


def _is_left_of(box: Rect, line: Ruling) -> bool:
    """Whether a word stands before a line, as its label does."""
    level = -2 * MM <= line.near(line.start) - box[3] <= MM
    return level and box[0] < line.start and -MM <= line.start - box[2] <= _LABEL


def print_feet(line: Ruling, words: Sequence[Word], least: float) -> list[float]:
    """Rows on which print above a line stands, at least so far above it.

    Tails of letters reach below their word's foot where a scan has torn them off; room is left for
    them as long as `least` is left to write in.
    """
    return [
        min(one.box[3] + _TAIL * (one.box[3] - one.box[1]), line.at - least) for one in words
        if one.print_share >= SURE and line.at - one.box[3] >= least
        and min(line.stop, one.box[2]) - max(line.start, one.box[0]) > MM
    ]  # fmt: skip


def written_zones(words: Sequence[Word], found: Sequence[Found], sheet: Sheet) -> list[Found]:
    """Lines of handwriting that stand in no place that was found, and are no security print."""
    h, w = sheet.ink.shape
    left = [
        one for one in words
        if one.print_share <= _ZONE_SURE
        and _ZONE_LOW <= one.box[3] - one.box[1] <= _ZONE_HIGH
        and one.box[0] > _RIM and one.box[1] > _RIM
        and one.box[2] < w - _RIM and one.box[3] < h - _RIM
        and not any(overlap(one.box, other.box) for other in found)
    ]  # fmt: skip
    under = underprint(sheet, left)
    rows: list[list[Word]] = []
    for one in (word for word, so in zip(left, under, strict=True) if not so):
        near = [row for row in rows if _same_line(row, one)]
        if near:
            near[0].append(one)
        else:
            rows.append([one])
    zones = []
    for row in rows:
        x0, y0, x1, y1 = around([one.box for one in row])
        if sum(one.letters for one in row) < _ZONE_LETTERS or x1 - x0 < y1 - y0:
            continue
        box = (max(0.0, x0 - _PAD), max(0.0, y0 - _PAD), x1 + _PAD, y1 + _PAD)
        if not any(overlap(box, other.box) or _is_label(box, other) for other in found):
            zones.append(Found((box[0], box[1], min(w, box[2]), min(h, box[3]))))
    return zones


def _is_label(box: Rect, field: Found) -> bool:
    """Whether what stands there is where the label of a field stands: at its left or over it,
    at the right of a check box."""
    x0, y0, x1, y1 = field.box
    shared = min(box[3], y1) - max(box[1], y0) >= 0.5 * min(box[3] - box[1], y1 - y0)
    above = -_PAD <= y0 - box[3] <= _LABEL / 2 and box[0] < x1 and x0 < box[2]
    if field.kind == "checkbox":
        return shared and (0 <= box[0] - x1 <= _LABEL or 0 <= x0 - box[2] <= _LABEL)
    return (shared and -_PAD <= x0 - box[2] <= _LABEL) or above


def _same_line(row: Sequence[Word], one: Word) -> bool:
    _, y0, x1, y1 = around([word.box for word in row])
    shared = min(y1, one.box[3]) - max(y0, one.box[1])
    level = shared >= 0.4 * min(y1 - y0, one.box[3] - one.box[1])
    return level and one.box[0] - x1 <= _ZONE_GAP
