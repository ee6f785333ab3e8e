"""Circles of a form that nearly all hold something: letters or numbers are printed in them.

Owns:   `numbered`.
Needs:  `place`.
Words:  a circle's print is not known where no blank reference shows it, and a letter in it looks
        like a mark. Of circles that ask for a choice most are empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_runtime.place import FieldInk

DOUBT = (
    "nearly all circles of its row and column hold something, letters perhaps; a blank reference"
    " (reference_blank) would tell"
)
_MOST = 0.75  # of the circles in line, as `circles` has it
_ALIKE, _IN_LINE = 0.15, 0.5  # of a side by which they differ, and may miss a row or a column


def numbered(inks: Sequence[FieldInk]) -> dict[str, str]:
    """By the names of check boxes why they are not to be accepted.

    A column may be marked all through, and so may a row, but hardly both; a circle that has
    neither is not known to be empty inside.

    Args:
        inks: Of one page.
    """
    rings = [ink for ink in inks if ink.ringed]
    out = {}
    for ink in rings:
        side, (x, y) = _side(ink), _middle(ink)
        alike = [one for one in rings if abs(_side(one) - side) <= _ALIKE * side]
        row = [one for one in alike if abs(_middle(one)[1] - y) <= _IN_LINE * side]
        column = [one for one in alike if abs(_middle(one)[0] - x) <= _IN_LINE * side]
        if _full(ink) and _are_full(row) and _are_full(column):
            out[ink.field.name] = DOUBT
    return out


def _full(ink: FieldInk) -> bool:
    return ink.held or ink.state != "empty"


def _are_full(inks: Sequence[FieldInk]) -> bool:
    return sum(map(_full, inks)) >= _MOST * len(inks)


def _middle(ink: FieldInk) -> tuple[float, float]:
    x0, y0, x1, y1 = ink.field.box or ink.box  # the template's lie upright
    return (x0 + x1) / 2, (y0 + y1) / 2


def _side(ink: FieldInk) -> float:
    x0, y0, x1, y1 = ink.field.box or ink.box  # the template's lie upright
    return (x1 - x0 + y1 - y0) / 2
