"""The print under a template: is it there, and how far off does it stand?

Owns:   `settle`: a page laid on its form by a projection, checked and nudged by the fields' lines.
Needs:  numpy, cv2, `form_lines`, `nudge`, `raster`. Never a reference picture.
Words:  *raster*: the page drawn as the form stands, see `raster`. *piece*: a
        short stretch of a box's edge or of the line between two cells. *support*: the part of the
        pieces under which a line was found; *chance*: the part that finds one beside its place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.form_lines import Lines, template_lines
from edge_runtime.nudge import Measured, Nudge, fit_nudge
from edge_runtime.profiles import (
    NEAR_PX,
    REACH_PX,
    TOOTH,
    neighbours_of,
    out_of_line,
    peaks,
    profiles_of,
    rounding,
    wide_profiles,
)
from edge_runtime.raster import Raster
from edge_runtime.rule_ends import end_shifts
from edge_runtime.sheet_edges import edge_shifts
from edge_runtime.template import Template

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Points = NDArray[np.float64]

LEAST = 0.3  # of full contrast that a piece must show over its whole length
_BESIDE_PX = (-14, -10, 10, 14)  # beside its place: what is found there is found by chance
_NEAR_ROUNDS, _FAR_ROUNDS, _BENT_ROUNDS = (6, 5), (14, 5), (10, 6, 4)  # how far is looked, pixels
_FURTHER_ROUNDS = (20, 10, 5)
_REGROWN, _REGROWN_ROUNDS = 3, (5, 5, 4)  # times that what was found is built upon
_ENDS = 1_000_000  # number of the first group of rules' ends
_END_ROUNDS, _END_ROW_PX = 2, 4
_WHOLE = 0.6  # part of a field's pieces that makes it sure to be found
_CLEAR = 0.62  # support with which no one looks farther
_BENT_CLEAR = 0.86  # and on a photo, where some lines may fit and others not
_WORTH_MORE = 0.3  # support below which a placing is left as it is
_NO_RIVAL = 0.35  # of another placing's support: what shows less will not come up to it
_LITTLE = 0.02  # support that matters little
_WORTH = 0.05  # support that looking farther must bring
_ALL = 0.8  # of a field's pieces, that must lie elsewhere to speak against its place
_MOST_OF_EDGE = 0.5  # pieces of an edge that must show a line, else it is writing
_STILL_PX = 3.0  # lines that stand no farther off have been measured well enough
_STRAIGHT_PX = 0.25  # a nudge that is smaller everywhere is left out
_BUMPS_PX = np.arange(-32, 33, 4)  # coarse search, pixels of the raster: 8 mm of A4 either way


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """How a template's lines lie on a page."""

    nudge: Nudge | None  # None where nothing has to be shifted
    support: float  # 0..1
    chance: float  # 0..1
    pieces: int
    residuals: tuple[float | None, ...]  # of each field, template units; None: no line found
    measured: tuple[Measured, Measured]  # shifts in x and in y that the nudge was fitted to
    found: tuple[float, ...]  # 0..1, part of each field's own pieces that are support
    elsewhere: tuple[float, ...]  # how far off all lines of a field are else, template units; or 0
    # of each field, and each rule after them: whether its pieces that tell of x, of y, are found
    whole: tuple[NDArray[np.bool_], NDArray[np.bool_]] = (np.empty(0, bool), np.empty(0, bool))
    against: float = 0.0  # 0..1, part of the pieces whose field lies elsewhere

    @property
    def trusted(self) -> tuple[Measured, Measured]:
        """What was measured, but of fields and rules of which too little was found."""
        x, y = (
            each.part(np.append(whole, True)[np.minimum(each.group, len(whole))])
            for each, whole in zip(self.measured, self.whole, strict=True)
        )
        return x, y

    @property
    def worth(self) -> float:
        """Support, less what speaks against it: to choose among several ways to settle a page."""
        return self.support - self.against


def settle(
    page: Gray,
    template: Template,
    homography: Matrix,
    *,
    pins: Points,
    bent: bool,
    quick: bool = False,
    rival: float = 0.0,
    shrunk: dict[int, Gray] | None = None,
) -> Settled:
    """Measure where the printed lines of a form's fields are, and follow them.

    Args:
        page: uint8 (h, w).
        template: The form.
        homography: Template unit to page pixels; right to some millimetres.
        pins: float64 (k, 2), points of the template at which the homography holds.
        bent: Look for a bent sheet, too; else for a scanner's stretch.
        quick: Look near by, and nowhere else.
        rival: Support of another placing. One that shows far less than that at first is not
            followed.
        shrunk: For `Raster`, of this page.
    """
    lines = template_lines(template)
    if len(lines.points) == 0:
        n, nothing = len(template.fields), Measured.nothing()
        return Settled(None, 0.0, 0.0, 0, (None,) * n, (nothing, nothing), (0.0,) * n, (0.0,) * n)
    sheet, n = Raster(page, template.page_size, homography, shrunk), len(template.fields)
    rim = (Measured.nothing(), Measured.nothing())
    begin = None
    if len(pins) and not quick:
        rim = edge_shifts(sheet, n + len(template.lines))
        told = fit_nudge(sheet.size, *rim, pins=pins)
        begin = told if told.largest * sheet.per_unit >= _STILL_PX else None

    def rounds(start: Nudge | None, reaches: tuple[int, ...]) -> Settled:
        return _rounds(sheet, lines, n, pins, rim, start, reaches, least=rival * _NO_RIVAL)

    best = rounds(begin, _NEAR_ROUNDS)
    if quick:
        return best
    if best.support < _CLEAR:  # the nearer lines are, the surer they are the right ones
        best = _better(best, rounds(begin, _FAR_ROUNDS))
    if bent and best.support < _BENT_CLEAR:
        best = _better(best, rounds(_coarse(sheet, lines, pins), _BENT_ROUNDS))
        if best.support < _BENT_CLEAR:  # what lies well holds the rest while that is sought afar
            further = rounds(best.nudge, _FURTHER_ROUNDS)
            best = further if further.worth > best.worth else best
    if bent and best.support >= _WORTH_MORE:
        best = _regrown(sheet, lines, n, pins, rim, best)
    return best


def _regrown(
    sheet: Raster,
    lines: Lines,
    n_fields: int,
    pins: Points,
    rim: tuple[Measured, Measured],
    best: Settled,
) -> Settled:
    """What lies wrongly is let go, and sought anew from what was found whole; and rules are
    followed along themselves, too, by where they end."""
    for _ in range(_REGROWN):
        if all(whole.all() for whole in best.whole) and not lines.rule.any():
            break
        own = [each.part(each.group < _ENDS) for each in best.trusted]
        start, both = fit_nudge(sheet.size, own[0], own[1], pins=pins), rim
        for _ in range(_END_ROUNDS if lines.rule.any() else 0):
            ends = _ends(sheet, lines, start)
            both = _both(rim, ends)
            told = _both((own[0], own[1]), ends)
            start = fit_nudge(sheet.size, *told, pins=pins)
        again = _rounds(sheet, lines, n_fields, pins, both, start, _REGROWN_ROUNDS)
        if again.worth < best.worth - _WORTH:
            break
        gain = again.worth - best.worth
        best = again
        if gain < _LITTLE:
            break
    return best


def _ends(sheet: Raster, lines: Lines, start: Nudge) -> tuple[Measured, Measured]:
    """Shifts in x and in y of where rules end, template units."""
    at, raster = sheet.of(lines.points), sheet.draw(start)
    profiles = profiles_of(raster, at, lines)
    row, height, _ = peaks(profiles, lines, neighbours_of(lines, sheet.per_unit), _END_ROW_PX)
    row = row + rounding(at, lines)
    seen = end_shifts(raster, lines, at, row, height >= LEAST, first_group=_ENDS)
    told = []
    for axis, each in enumerate(seen):
        drawn = (start.moved(each.points) - each.points)[:, axis]
        told.append(replace(each, shifts=each.shifts / sheet.per_unit + drawn))
    return told[0], told[1]


def _both(a: tuple[Measured, Measured], b: tuple[Measured, Measured]) -> tuple[Measured, Measured]:
    return Measured.all_of([a[0], b[0]]), Measured.all_of([a[1], b[1]])


def _better(plain: Settled, far: Settled) -> Settled:
    return far if far.worth >= plain.worth + _WORTH else plain


def _rounds(
    sheet: Raster,
    lines: Lines,
    n_fields: int,
    pins: Points,
    rim: tuple[Measured, Measured],
    start: Nudge | None,
    reaches: tuple[int, ...],
    *,
    least: float = 0.0,
) -> Settled:
    """Measure and fit, each time nearer; the last measurement is the residual. Where less than
    `least` of the pieces are found, there is no next time."""
    nudge, px = start, 1 / sheet.per_unit
    at, beside = sheet.of(lines.points), neighbours_of(lines, sheet.per_unit)
    for reach in reaches:
        profiles = profiles_of(sheet.draw(nudge), at, lines)
        shift, height, tooth = peaks(profiles, lines, beside, reach)
        shift = shift + rounding(at, lines)
        hit = height >= LEAST
        whole = np.bincount(lines.edge, hit) / np.bincount(lines.edge)
        hit &= whole[lines.edge] >= _MOST_OF_EDGE
        hit |= tooth
        hit &= ~out_of_line(lines, shift, hit)
        drawn = np.zeros(len(shift)) if nudge is None else _along(nudge, lines) / px
        both = Measured(lines.points, (shift + drawn) * px, lines.field, lines.side, lines.sure)
        x, y = (
            Measured.all_of([both.part(hit & (lines.upright == upright)), edges])
            for upright, edges in zip((True, False), rim, strict=True)
        )
        nudge = fit_nudge(sheet.size, x, y, pins=pins)
        moved = _along(nudge, lines) / px - drawn
        if np.abs(moved).max() < _STILL_PX or hit.mean() < least:
            break  # the raster need not be drawn anew
    off = shift - moved
    near = hit & (np.abs(off) <= np.where(lines.side == 0, NEAR_PX, 2 * NEAR_PX))
    chance = np.mean([_found(profiles, away).mean() for away in _BESIDE_PX])
    residuals = []
    for k in range(n_fields):
        own = off[near & (lines.field == k)]
        residuals.append(float(np.sqrt(np.mean(own**2)) * px) if own.size else None)
    n_groups = max(n_fields, int(lines.field.max()) + 1)  # rules beside the fields come after them
    size = np.maximum(np.bincount(lines.field, minlength=n_groups), 1)
    elsewhere = _elsewhere(profiles, moved, lines, n_groups)
    held = []
    for which in (lines.upright, ~lines.upright):
        of = np.bincount(lines.field, which, n_groups)
        held.append(np.bincount(lines.field, near & which, n_groups) >= _WHOLE * of)
    return Settled(
        nudge if nudge is not None and nudge.largest >= _STRAIGHT_PX * px else None,
        float(near.mean()),
        float(chance),
        len(near),
        tuple(residuals),
        (x, y),
        tuple((np.bincount(lines.field, near, n_groups) / size)[:n_fields].tolist()),
        tuple((elsewhere * px)[:n_fields].tolist()),
        (held[0], held[1]),
        float((elsewhere[lines.field] > 0).mean()),
    )


def _elsewhere(profiles: NDArray[np.float32], moved: Points, lines: Lines, n_groups: int) -> Points:
    """Shift (n_groups,), pixels, under which more of a field's lines are found; 0 where none is.

    An underline under an empty edge is one line of two: only where nearly all agree is it told.
    """
    rows, span = np.arange(len(profiles))[:, None], REACH_PX - 2
    shifts = np.arange(-span, span + 1)
    index = np.round(REACH_PX + moved[:, None] + shifts).astype(int)
    wide = cv2.dilate(profiles, np.ones((1, 5), np.uint8))
    height = wide[rows, np.clip(index, 0, profiles.shape[1] - 1)]
    height[(index < 0) | (index >= profiles.shape[1])] = 0
    near = np.abs(shifts) <= 2 * NEAR_PX
    seen = height >= np.where(near, TOOTH, LEAST)  # a comb's thin teeth are no worse than writing
    best = np.zeros(n_groups)
    for upright in (True, False):
        which = lines.upright == upright
        size = np.maximum(np.bincount(lines.field[which], minlength=n_groups), 1)
        place = lines.field[which][:, None] * len(shifts) + np.arange(len(shifts))
        counts = np.bincount(place.ravel(), seen[which].ravel(), n_groups * len(shifts))
        joint = counts.reshape(n_groups, len(shifts)) / size[:, None]
        here = joint[:, near].max(axis=1)
        joint[:, near] = 0
        there = joint.argmax(axis=1)
        more = joint[np.arange(n_groups), there]
        told = (more >= _ALL) & (more > here + _WORTH)
        best = np.maximum(best, np.where(told, np.abs(shifts[there]), 0))
    return np.asarray(best)


def _found(profiles: NDArray[np.float32], shift: int) -> NDArray[np.bool_]:
    """Whether a line is within two pixels of a shift."""
    middle = REACH_PX + shift
    return np.asarray(profiles[:, middle - 2 : middle + 3].max(axis=1) >= LEAST)


def _along(nudge: Nudge, lines: Lines) -> Points:
    """A nudge's shift of each piece across itself, template units."""
    shift = nudge.moved(lines.points) - lines.points
    return np.asarray(np.where(lines.upright, shift[:, 0], shift[:, 1]))


def _coarse(sheet: Raster, lines: Lines, pins: Points) -> Nudge:
    """The bump, across the page's width and height, under which most lines come to lie."""
    at = sheet.of(lines.points)
    raster = sheet.draw()
    wide = wide_profiles(raster, at, lines)
    size = np.array(sheet.size)
    u, v = (2 * lines.points / size - 1).T
    a, b = (grid.ravel() for grid in np.meshgrid(_BUMPS_PX, _BUMPS_PX))
    shifts = np.empty(len(at))
    for upright in (True, False):
        which = lines.upright == upright
        if not which.any():
            continue
        want = np.outer(a, 1 - u[which] ** 2) + np.outer(b, 1 - v[which] ** 2)
        reach = wide.shape[1] // 2
        index = np.clip(np.round(want).astype(int) + reach, 0, 2 * reach)
        score = wide[np.flatnonzero(which), index].sum(axis=1)
        score = score - 0.004 * which.sum() * (np.abs(a) + np.abs(b)) / 8
        shifts[which] = want[int(score.argmax())]
    both = Measured(
        lines.points, shifts / sheet.per_unit, lines.field, np.zeros(len(at)), lines.sure
    )
    x, y = (both.part(lines.upright == upright) for upright in (True, False))
    return fit_nudge(sheet.size, x, y, pins=pins, slack=3.0)
