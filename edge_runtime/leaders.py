"""Rows of dots that are no lines to write on: they lead the eye from a text to its number.

Owns:   `lines_of_dots`, `is_on_dots`.
Needs:  numpy, `rulings`, `found`, `writing`.
Words:  a *leader* is a row of dots with print at its left. What it leads to is a page number or a
        price in a list, or a check box; in a form it is a unit, or the next words of a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_runtime.found import Found, Rect
from edge_runtime.frames import RULE, is_drawn
from edge_runtime.rulings import MM, Ruling, Sheet
from edge_runtime.writing import Word

_TO_BOX = 6 * MM  # from a leader to its check box
_TO_NUMBER = 3.5 * MM  # and to its number
_ALONE = 12 * MM  # paper to the right of a number in a list
_LIST = 3  # leaders, at least, that make a list
_STEP = 7 * MM  # from line to line of a list at most: a hand needs more
_STRAIGHT = 1.0 * MM  # by which the right ends of a list's numbers may miss each other
_SHORT = 14 * MM  # width of a number
_RIM = 8 * MM  # from the paper's edge: a dashed line that reaches it is there to be cut
_SAME, _SHARED = 1.0 * MM, 0.5  # fine dots are seen as a worn line as well


def lines_of_dots(
    sheet: Sheet, found: Sequence[Found], words: Sequence[Word]
) -> tuple[list[Ruling], list[Ruling]]:
    """The rows of dots that may be lines to write on, and the lines that are drawn throughout.

    Args:
        sheet: The page.
        found: Check boxes and other places closed in by lines.
        words: Of the sheet, its lines and dots left out.
    """
    w = sheet.ink.shape[1]
    rows = [one for one in sheet.dotted if one.length >= RULE]
    boxes = [one for one in found if one.kind == "checkbox"]
    in_lists = _of_lists(rows, words)
    dotted = [
        one for one in rows
        if one not in in_lists
        and not any(_leads_to(one, box) for box in boxes)
        and not (one.start < _RIM and one.stop > w - _RIM)
    ]  # fmt: skip
    whole = [
        one for one in sheet.level
        if is_drawn(one) and not any(_is_same(row, one) for row in rows)
    ]  # fmt: skip
    return dotted, whole


def is_on_dots(box: Rect, sheet: Sheet) -> bool:
    """Whether a row of dots runs through a square and on at both sides: a letter closed by it."""
    x0, y0, x1, y1 = box
    return any(
        one.start < x0 - MM and one.stop > x1 + MM
        and y0 + MM <= one.near((x0 + x1) / 2) <= y1 + MM
        for one in sheet.dotted
    )  # fmt: skip


def _is_same(row: Ruling, line: Ruling) -> bool:
    shared = min(row.stop, line.stop) - max(row.start, line.start)
    middle = (row.start + row.stop) / 2
    return shared >= _SHARED * row.length and abs(row.at - line.near(middle)) <= _SAME


def _leads_to(row: Ruling, box: Found) -> bool:
    x0, y0, _, y1 = box.box
    return y0 - MM <= row.near(row.stop) <= y1 + MM and -MM <= x0 - row.stop <= _TO_BOX


def _of_lists(rows: Sequence[Ruling], words: Sequence[Word]) -> list[Ruling]:
    """Leaders of a table of contents or a list of prices: line by line, their numbers flush."""
    led = []
    for one in rows:
        behind = sorted(word.box for word in words if _is_behind(word, one))
        if behind and _is_number(behind, one):
            led.append((one.at, behind[0][2], one))
    led.sort(key=lambda entry: entry[:2])
    out: list[Ruling] = []
    for k, (at, right, one) in enumerate(led):
        near = [
            other
            for row, end, other in led[max(0, k - _LIST) : k + _LIST + 1]
            if abs(row - at) <= (_LIST - 1) * _STEP and abs(end - right) <= _STRAIGHT
        ]
        if len(near) >= _LIST and one not in out:
            steps = sorted(other.at for other in near)
            if steps[-1] - steps[0] <= (len(steps) - 1) * _STEP:
                out.append(one)
    return out


def _is_behind(word: Word, row: Ruling) -> bool:
    x0, y0, _, y1 = word.box
    level = y0 < row.near(row.stop) and y1 > row.near(row.stop) - 2 * MM
    return level and x0 >= row.stop - MM and y1 - y0 <= _STEP


def _is_number(behind: Sequence[tuple[float, ...]], row: Ruling) -> bool:
    """Whether one short word stands there, and nothing near to its right."""
    first = behind[0]
    short = first[0] - row.stop <= _TO_NUMBER and first[2] - first[0] <= _SHORT
    return short and (len(behind) == 1 or behind[1][0] - first[2] >= _ALONE)
