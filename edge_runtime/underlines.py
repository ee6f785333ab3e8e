"""Lines to write on, and combs without an upper rail.

Owns:   `underlines`, `without_letters`, `LEAST_ROOM`.
Needs:  `rulings`, `found`, `frames`, `combs`, `leaders`, `small_print`.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_runtime.combs import cut, even_teeth
from edge_runtime.found import NEAR, Found, Rect, overlap
from edge_runtime.frames import RULE
from edge_runtime.leaders import lines_of_dots
from edge_runtime.rooms import is_heading, print_feet
from edge_runtime.rulings import MM, Ruling, Sheet
from edge_runtime.small_print import print_above
from edge_runtime.writing import Word

_ROOM = 9 * MM  # above an underline, where nothing is nearer
LEAST_ROOM = 3.5 * MM
_RIM = 5 * MM  # along the page's edges, where scanners draw lines of their own


def underlines(sheet: Sheet, found: Sequence[Found], words: Sequence[Word]) -> list[Found]:
    """Level lines with room to write above them, which belong to no frame."""
    h, w = sheet.ink.shape
    dotted, drawn = lines_of_dots(sheet, found, words)
    drawn += dotted
    rules = [
        one for one in drawn
        if RULE <= one.length < 0.95 * w and _RIM < one.at < h - _RIM
    ]  # fmt: skip
    out = []
    for one in rules:
        if any(_belongs(one, other.box) for other in found) or _crossed(one, sheet):
            continue
        x0, x1, y = one.start, one.stop, one.at
        standing = [
            up for up in sheet.upright
            if abs(up.stop - one.near(up.at)) <= NEAR and x0 - NEAR <= up.at <= x1 + NEAR
        ]  # fmt: skip
        inner = [up for up in standing if x0 + NEAR < up.at < x1 - NEAR]
        ends = any(min(abs(up.at - x0), abs(up.at - x1)) <= NEAR for up in standing)
        columns = even_teeth(x0, x1, _ROOM, inner) if ends else []
        above = [other for other in found if not (columns and other.kind == "checkbox")]
        feet = print_feet(one, words, LEAST_ROOM)
        room = min([_room(one, rules, above), *(y - foot for foot in feet)])
        if room < LEAST_ROOM:
            continue
        if columns:
            tall = max(up.length for up in standing)
            box = (x0, max(0.0, y - max(room, tall)), x1, y + 1)
            out.append(Found(box, cells=cut(box, columns), under=True))
        # Dots ask for writing: nobody underlines a heading with them.
        elif one in dotted or not (print_above(one, sheet) or is_heading(one, words)):
            box = (x0, max(0.0, y - room), x1, min(float(h), y + 0.25 * room))
            out.append(Found(box, under=True))
    return out


def without_letters(found: Sequence[Found], under: Sequence[Found]) -> list[Found]:
    """All of both, but for squares in the cells of a comb: an O has four sides, nearly."""
    combs = [one.box for one in under if one.cells]
    kept = [
        one for one in found
        if one.kind != "checkbox" or not any(overlap(one.box, comb) for comb in combs)
    ]  # fmt: skip
    return [*kept, *under]


def _belongs(one: Ruling, box: Rect) -> bool:
    """Whether a level line is a side of a box, or begins or ends at one."""
    high = box[1] - NEAR <= one.at <= box[3] + NEAR
    return high and one.start <= box[2] + NEAR and one.stop >= box[0] - NEAR


def _crossed(one: Ruling, sheet: Sheet) -> bool:
    """Whether a longer line stands on an end of it: a corner of something, no underline."""
    for end in (one.start, one.stop):
        for up in sheet.upright:
            meets = up.start - NEAR <= one.near(end) <= up.stop + NEAR
            if meets and abs(up.at - end) <= NEAR and up.length >= 8 * MM:
                return True
    return False


def _room(one: Ruling, rules: Sequence[Ruling], found: Sequence[Found]) -> float:
    """Free height above an underline, up to the next line or box."""
    over = [
        other.at for other in rules
        if other.at < one.at - 2
        and min(one.stop, other.stop) - max(one.start, other.start) > 2 * MM
    ]  # fmt: skip
    over += [
        other.box[3] for other in found
        if other.box[3] < one.at and min(one.stop, other.box[2]) - max(one.start, other.box[0]) > 0
    ]  # fmt: skip
    return min([_ROOM, *(one.at - edge for edge in over)])
