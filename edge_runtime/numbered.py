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
    "most circles of this size hold something, letters perhaps; a blank reference (reference_blank)"
    " would tell"
)
_MOST = 0.75  # of the circles of one size, as `circles` has it
_ALIKE = 0.15  # of a side by which they differ


def numbered(inks: Sequence[FieldInk]) -> dict[str, str]:
    """By the names of check boxes why they are not to be accepted.

    Args:
        inks: Of one page.
    """
    rings = [ink for ink in inks if ink.ringed]
    out = {}
    for ink in rings:
        alike = [one for one in rings if abs(_side(one) - _side(ink)) <= _ALIKE * _side(ink)]
        full = sum(one.state not in ("", "empty") for one in alike)
        if len(alike) > 1 and full >= _MOST * len(alike):
            out[ink.field.name] = DOUBT
    return out


def _side(ink: FieldInk) -> float:
    x0, y0, x1, y1 = ink.box
    return (x1 - x0 + y1 - y0) / 2
