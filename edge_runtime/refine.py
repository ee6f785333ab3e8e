"""The print under a template: is it there, and how far off does it stand?

Owns:   `settle`: a page laid on its form by a projection, checked and nudged by the fields' lines.
Needs:  numpy, cv2, `form_lines`, `nudge`, `raster`. Never a reference picture.
Words:  *raster*: the page drawn as the form stands, see `raster`. *piece*: a
        short stretch of a box's edge or of the line between two cells. *support*: the part of the
        pieces under which a line was found; *chance*: the part that finds one beside its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.form_lines import PIECE_PX, Lines, template_lines
from edge_runtime.nudge import Measured, Nudge, fit_nudge
from edge_runtime.raster import Raster
from edge_runtime.template import Template

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Points = NDArray[np.float64]

_LINE_PX = 3  # lines are at most so wide; farther off is their paper
_PAPER_PX = 17  # wider than a line, narrower than a shadow
_CAP = 48  # contrast from which on a line counts in full: black writing weighs as pale print
_LEAST = 0.3  # of full contrast that a piece must show over its whole length
_NEAR_PX = 2.0  # a piece so near to where the fit has it is support
_REACH_PX = 22  # profiles are taken so far to either side
_BESIDE_PX = (-14, -10, 10, 14)  # beside its place: what is found there is found by chance
_NEAR_ROUNDS, _FAR_ROUNDS, _BENT_ROUNDS = (6, 5), (14, 5), (10, 6, 4)  # how far is looked, pixels
_CLEAR = 0.62  # support with which no one looks farther
_BENT_CLEAR = 0.86  # and on a photo, where some lines may fit and others not
_WORTH = 0.05  # support that looking farther must bring
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


def settle(
    page: Gray,
    template: Template,
    homography: Matrix,
    *,
    pins: Points,
    bent: bool,
    quick: bool = False,
) -> Settled:
    """Measure where the printed lines of a form's fields are, and follow them.

    Args:
        page: uint8 (h, w).
        template: The form.
        homography: Template unit to page pixels; right to some millimetres.
        pins: float64 (k, 2), points of the template at which the homography holds.
        bent: Look for a bent sheet, too; else for a scanner's stretch.
        quick: Look near by, and nowhere else.
    """
    lines = template_lines(template)
    if len(lines.points) == 0:
        return Settled(None, 0.0, 0.0, 0, (None,) * len(template.fields))
    sheet, n = Raster(page, template.page_size, homography), len(template.fields)
    best = _rounds(sheet, lines, n, pins, None, _NEAR_ROUNDS)
    if quick:
        return best
    if best.support < _CLEAR:  # the nearer lines are, the surer they are the right ones
        best = _better(best, _rounds(sheet, lines, n, pins, None, _FAR_ROUNDS))
    if bent and best.support < _BENT_CLEAR:
        start = _coarse(sheet, lines, pins)
        best = _better(best, _rounds(sheet, lines, n, pins, start, _BENT_ROUNDS))
    return best


def _better(plain: Settled, far: Settled) -> Settled:
    return far if far.support >= plain.support + _WORTH else plain


def _profiles(raster: Gray, at: Points, lines: Lines) -> NDArray[np.float32]:
    """float32 (n, 2 * `_REACH_PX` + 1): how much of each piece is a line, by its shift; 0..1."""
    paper = cv2.blur(cv2.dilate(raster, np.ones((_PAPER_PX, _PAPER_PX), np.uint8)), (9, 9))
    depth = np.asarray(255 - cv2.divide(raster, paper, scale=255), np.uint8)
    out = np.empty((len(at), 2 * _REACH_PX + 1), np.float32)
    for upright in (False, True):
        which = lines.upright == upright
        if not which.any():
            continue
        # One way for both: upright lines are looked at on the raster's transpose.
        image = np.ascontiguousarray(depth.T) if upright else depth
        xy = at[which][:, ::-1] if upright else at[which]
        image = np.asarray(cv2.blur(image, (1, 3)), np.uint8)
        ridge = np.zeros_like(image)
        inner = image[_LINE_PX:-_LINE_PX]
        over = cv2.subtract(inner, image[: -2 * _LINE_PX])
        under = cv2.subtract(inner, image[2 * _LINE_PX :])
        ridge[_LINE_PX:-_LINE_PX] = np.minimum(cv2.min(over, under), _CAP)
        along = np.asarray(cv2.blur(ridge, (PIECE_PX, 1)), np.uint8)
        columns = np.clip(np.round(xy[:, 0] - 0.5).astype(int), 0, image.shape[1] - 1)
        rows = np.round(xy[:, 1] - 0.5).astype(int)[:, None] + np.arange(-_REACH_PX, _REACH_PX + 1)
        rows = np.clip(rows, 0, image.shape[0] - 1)
        out[which] = along[rows, columns[:, None]]
    return out / (_CAP * lines.part[:, None].astype(np.float32))


def _rest(at: Points, lines: Lines) -> Points:
    """What rounding to a whole pixel left of each piece's place across itself."""
    across = np.where(lines.upright, at[:, 0], at[:, 1]) - 0.5
    return np.asarray(np.round(across) - across)


def _peaks(profiles: NDArray[np.float32], reach: int) -> tuple[Points, Points]:
    """Shift (n,), to part of a pixel, and height (n,) of each profile's peak within `reach`."""
    shifts = np.arange(-reach, reach + 1)
    near = profiles[:, _REACH_PX - reach : _REACH_PX + reach + 1]
    best = (near - 0.1 * np.abs(shifts) / reach).argmax(axis=1)
    height = near[np.arange(len(near)), best]
    window = np.clip(best[:, None] + np.arange(-2, 3), 0, near.shape[1] - 1)
    weight = np.take_along_axis(near, window, axis=1).astype(np.float64) ** 2 + 1e-9
    shift = (weight * shifts[window]).sum(axis=1) / weight.sum(axis=1)
    return np.asarray(shift), np.asarray(height, np.float64)


def _rounds(
    sheet: Raster,
    lines: Lines,
    n_fields: int,
    pins: Points,
    start: Nudge | None,
    reaches: tuple[int, ...],
) -> Settled:
    """Measure and fit, each time nearer; the last measurement is the residual."""
    nudge, px = start, 1 / sheet.per_unit
    at = sheet.of(lines.points)
    for reach in reaches:
        profiles = _profiles(sheet.draw(nudge), at, lines)
        shift, height = _peaks(profiles, reach)
        shift = shift + _rest(at, lines)
        hit = height >= _LEAST
        whole = np.bincount(lines.edge, hit) / np.bincount(lines.edge)
        hit &= whole[lines.edge] >= _MOST_OF_EDGE
        drawn = np.zeros(len(shift)) if nudge is None else _along(nudge, lines) / px
        both = Measured(lines.points, (shift + drawn) * px, lines.field, lines.side, lines.sure)
        x, y = (both.part(hit & (lines.upright == upright)) for upright in (True, False))
        nudge = fit_nudge(sheet.size, x, y, pins=pins)
        moved = _along(nudge, lines) / px - drawn
        if np.abs(moved).max() < _STILL_PX:
            break  # the raster need not be drawn anew
    off = shift - moved
    near = hit & (np.abs(off) <= np.where(lines.side == 0, _NEAR_PX, 2 * _NEAR_PX))
    chance = np.mean([_found(profiles, away).mean() for away in _BESIDE_PX])
    residuals = []
    for k in range(n_fields):
        own = off[near & (lines.field == k)]
        residuals.append(float(np.sqrt(np.mean(own**2)) * px) if own.size else None)
    return Settled(
        nudge if nudge is not None and nudge.largest >= _STRAIGHT_PX * px else None,
        float(near.mean()),
        float(chance),
        len(near),
        tuple(residuals),
    )


def _found(profiles: NDArray[np.float32], shift: int) -> NDArray[np.bool_]:
    """Whether a line is within two pixels of a shift."""
    middle = _REACH_PX + shift
    return np.asarray(profiles[:, middle - 2 : middle + 3].max(axis=1) >= _LEAST)


def _along(nudge: Nudge, lines: Lines) -> Points:
    """A nudge's shift of each piece across itself, template units."""
    shift = nudge.moved(lines.points) - lines.points
    return np.asarray(np.where(lines.upright, shift[:, 0], shift[:, 1]))


def _coarse(sheet: Raster, lines: Lines, pins: Points) -> Nudge:
    """The bump, across the page's width and height, under which most lines come to lie."""
    at = sheet.of(lines.points)
    raster = sheet.draw()
    wide = _wide_profiles(raster, at, lines)
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


def _wide_profiles(raster: Gray, at: Points, lines: Lines) -> NDArray[np.float32]:
    """As `_profiles`, three times as far and blurred: a bump hits lines before it fits them."""
    parts = []
    for step in (-1, 0, 1):
        away = step * (2 * _REACH_PX + 1)
        move = np.where(lines.upright[:, None], np.array([away, 0]), np.array([0, away]))
        parts.append(_profiles(raster, at + move, lines))
    wide = np.minimum(np.hstack(parts), 1.0)
    return np.asarray(cv2.GaussianBlur(wide, (0, 0), sigmaX=1.6, sigmaY=0.01), np.float32)
