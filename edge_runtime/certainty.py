"""How sure it is that a field stands where it is looked for.

Owns:   `Certainty` of each field of a page, in words too; `field_certainty`.
Needs:  numpy, `cover`, `nudge`, `refine`, `template`.
Words:  *doubt*: why a field may have been read at the wrong place, or may be hidden; "" where there
        is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.cover import covered
from edge_runtime.nudge import Measured, fit_spread
from edge_runtime.refine import Settled
from edge_runtime.template import Template

Points = NDArray[np.float64]

# Set on 54 drawn photos (seeds 30000 to 30026 and 9500 to 9526): the 12 of 635 fields that were
# more than 1 mm of A4 off had 0.53 mm or more, and so had 3 % of the others.
_SPREAD_MM = 0.45  # standard deviation, of A4
# Of a bent sheet, part of a field's lines. On 146 drawn photos (seeds 150000 to 150194) 7 of 1,686
# well-placed fields had no more; of 8 that were misplaced and not in doubt, on three others, 7.
_FEW = 0.5
LEAST_SUPPORT = 0.24  # C1 forms have 0.61 or more; where fields are but underlined, 0.35
OVER_CHANCE = 0.12  # by which support is more than chance on the form itself
# Rollers stray by so much on the hardest of drawn scans, A4; farther off, where a field's own lines
# do not tell it, others were taken for lines of the form.
_MOVED_MM = 1.5
_GLARE = 0.03  # of a field overexposed: a letter may be lost in it
_NEARLY_ALL = 0.97  # of its lines seen: then its ink would be, too
FEWEST_PIECES = 12  # before the fields' lines can speak against a page


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure a field's place is."""

    spread: float  # standard deviation of its worst corner, template units
    found: float | None  # 0..1, part of its own lines that lie where it has them; None: no lines
    doubt: str
    cause: str = ""  # of the doubt: "page", "hidden", "glare", "lines" or "spread"; "" where none


def box_corners(template: Template) -> Points:
    """float64 (n, 4, 2): of each field, clockwise from the top left, template units."""
    boxes = [field.box or (0.0, 0.0, 0.0, 0.0) for field in template.fields]
    sides = [[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes]
    return np.array(sides, np.float64).reshape(-1, 4, 2)


def field_certainty(
    template: Template,
    one: Settled,
    *,
    pins: Points,
    bent: bool,
    measured: tuple[Measured, Measured] | None = None,
    upright: bool = True,
    washed: Sequence[float] = (),
) -> tuple[Certainty, ...]:
    """Of each field, in the template's order.

    Args:
        template: The form.
        one: How its lines lie.
        pins: float64 (k, 2), points of the template whose places are known.
        bent: The page is a photo, its sheet may be bent.
        measured: Shifts that were measured on a reference picture, if there is one; they stand for
            the fields' own lines.
        upright: Lines or print tell which way up the page stands.
        washed: Of each field 0..1, the part of it that is overexposed; left out: none is.
    """
    corners = box_corners(template)
    if not len(corners):
        return ()
    # On a bent sheet a line of a field of which little was found may be another's.
    own = one.trusted if bent else one.measured
    told = own if measured is None else measured
    spread = np.hypot(
        *fit_spread(
            template.page_size, *told, pins=pins, points=corners.reshape(-1, 2), bent=bent
        ).T
    )
    worst = spread.reshape(-1, 4).max(axis=1)
    page = "" if measured is not None else _page_doubt(one)
    if not upright and not page:
        page = "placement in doubt: neither lines nor print tell which way up the page stands"
    mm = 297 / max(template.page_size)
    # What hides a page's print is told of the page.
    hidden = covered(template, one.found) if one.pieces and not page else (False,) * len(corners)
    washed = washed or (0.0,) * len(corners)
    moved = np.zeros(len(corners)) if bent or measured is not None else _moved(one, corners)
    return tuple(
        Certainty(
            float(worst[k]),
            one.found[k] if one.pieces else None,
            *(
                (page, "page")
                if page
                else _hidden(hidden[k], washed[k], one.found[k])
                or _doubt(
                    float(worst[k]),
                    one.elsewhere[k] if measured is None else 0.0,
                    one.found[k] if bent and measured is None else 1.0,
                    float(moved[k]),
                    mm,
                )
            ),
        )
        for k in range(len(corners))
    )


def _hidden(covered: bool, washed: float, found: float) -> tuple[str, str] | None:
    """What may lie over a field, and the cause; `found` is the part of its own lines that is
    seen."""
    if washed >= _GLARE and found < _NEARLY_ALL:
        share = 100 * washed
        return f"overexposed: {share:.0f} % of the field lies in a glare; take it without", "glare"
    if covered:
        return (
            f"print hidden: only {100 * found:.0f} % of the field's printed lines are seen; "
            "something may lie over it",
            "hidden",
        )
    return None


def _page_doubt(one: Settled) -> str:
    """What speaks against the whole page, if anything."""
    if one.pieces >= FEWEST_PIECES and (
        one.support < LEAST_SUPPORT or one.support < one.chance + OVER_CHANCE
    ):
        return (
            f"placement in doubt: {100 * one.support:.0f} % of the form's printed lines are where "
            f"the template has them, {100 * one.chance:.0f} % by chance"
        )
    return ""


def _moved(one: Settled, corners: Points) -> Points:
    """How far each field (n, 4, 2) was moved across lines of which it shows too few itself,
    template units (n,)."""
    if one.nudge is None or not one.pieces:
        return np.zeros(len(corners))
    flat = corners.reshape(-1, 2)
    off = np.abs(one.nudge.moved(flat) - flat).reshape(-1, 4, 2).max(axis=1)
    own = np.stack([each[: len(corners)] for each in one.whole], axis=1)
    return np.asarray(np.where(own, 0.0, off).max(axis=1))


def _doubt(
    spread: float, elsewhere: float, found: float, moved: float, mm: float
) -> tuple[str, str]:
    """What speaks against one field, and the cause; lengths in template units, `mm` of A4 each."""
    if 0 < found <= _FEW:  # 0: it has no lines
        return (
            f"placement in doubt: only {100 * found:.0f} % of the field's printed lines are where "
            "the template has them",
            "lines",
        )
    if elsewhere > 0:
        return (
            f"placement in doubt: lines like the field's own stand {elsewhere * mm:.1f} mm (of A4) "
            "beside it",
            "lines",
        )
    if moved * mm > _MOVED_MM:
        return (
            f"placement in doubt: moved by {moved * mm:.1f} mm (of A4), and too few of the field's "
            "own lines are there",
            "lines",
        )
    if spread * mm > _SPREAD_MM:
        return (
            f"placement in doubt: no print near the field tells its place to better than "
            f"{spread * mm:.1f} mm (of A4)",
            "spread",
        )
    return "", ""
