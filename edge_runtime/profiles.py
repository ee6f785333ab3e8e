"""Where pieces of printed lines are, told from writing by what neighbours have in common.

Owns:   `profiles_of` and `wide_profiles` of pieces on a raster, made of `depth_of` and `ridges`;
        `peaks`, `Neighbours` and `neighbours_of`, and `out_of_line`.
Needs:  numpy, cv2, `form_lines`.
Words:  *profile*: how much of a piece is a line, by its shift across itself.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.form_lines import PIECE_PX, Lines

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]

_ONE, _THIRDS = np.ones(1, np.float32), np.full(3, 1 / 3, np.float32)
_LINE_PX = 3  # lines are at most so wide; farther off is their paper
_PAPER_PX = 17  # wider than a line, narrower than a shadow
CAP = 48  # contrast from which on a line counts in full: black writing weighs as pale print
REACH_PX = 22  # profiles are taken so far to either side
NEAR_PX = 2.0  # a piece so near to where the fit has it is support
_FAINT = 0.15  # of full contrast, at which a line counts half where a field is sought as one
_TO_BE_NEAR = 0.15  # of full agreement, to be gained by neighbours sought at the reach's end
_ASIDE_PX = 4  # by which pieces of one field differ: a box drawn beside its line, a tilt, a bend
_ALONE_PX, _AGREED = 6, 0.65  # farther off a line counts only where most others say the same
_BESIDE_EACH_PX = 60.0  # how far neighbours shift alike, 15 mm of A4
TOOTH, _MOST_TEETH, _FEWEST_TEETH = 0.12, 0.7, 3  # of a comb: half a cell high, in thin print
_FEWEST_IN_LINE, _OUT_PX = 5, 2.5


def profiles_of(raster: Gray, at: Points, lines: Lines) -> NDArray[np.float32]:
    """float32 (n, 2 * `REACH_PX` + 1): how much of each piece is a line, by its shift; 0..1."""
    raster, corner = _about(raster, at)
    depth = depth_of(raster)
    out = np.empty((len(at), 2 * REACH_PX + 1), np.float32)
    for upright in (False, True):
        which = lines.upright == upright
        if not which.any():
            continue
        # One way for both: upright lines are looked at on the raster's transpose.
        image = np.asarray(cv2.transpose(depth), np.uint8) if upright else depth
        xy = np.round(at[which] - 0.5).astype(int) - corner
        xy = xy[:, ::-1] if upright else xy
        columns = np.clip(xy[:, 0], 0, image.shape[1] - 1)
        rows = xy[:, 1, None] + np.arange(-REACH_PX, REACH_PX + 1)
        rows = np.clip(rows, 0, image.shape[0] - 1)
        out[which] = _along(ridges(image), rows, columns[:, None])
    return out / (CAP * lines.part[:, None].astype(np.float32))


def _along(ridge: Gray, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.int32]:
    """The mean of `PIECE_PX` pixels of a row about each of some places, whole levels; what
    `cv2.blur` would tell of every pixel, in half the time."""
    half = PIECE_PX // 2
    wide = cv2.copyMakeBorder(ridge, 0, 0, half, half, cv2.BORDER_REFLECT_101)
    sums = np.asarray(cv2.integral(wide), np.int32)
    side = sums.shape[1]
    first = rows * side + columns
    last, flat = first + PIECE_PX, sums.ravel()
    total = flat.take(last + side) - flat.take(last) - flat.take(first + side) + flat.take(first)
    return np.asarray((total + half) // PIECE_PX, np.int32)


def _about(raster: Gray, at: Points) -> tuple[Gray, NDArray[np.intp]]:
    """The part of a raster that tells of pieces at (n, 2), and its corner (x, y)."""
    h, w = raster.shape
    beyond = REACH_PX + PIECE_PX + _PAPER_PX  # more than any of what looks about a pixel
    x0, y0 = np.clip(np.floor(at.min(axis=0)).astype(int) - beyond, 0, (w - 1, h - 1))
    x1, y1 = np.clip(np.ceil(at.max(axis=0)).astype(int) + beyond, 1, (w, h))
    return raster[y0:y1, x0:x1], np.array([x0, y0])


def depth_of(raster: Gray) -> Gray:
    """By how much every pixel is darker than the paper about it."""
    paper = cv2.blur(cv2.dilate(raster, np.ones((_PAPER_PX, _PAPER_PX), np.uint8)), (9, 9))
    return np.asarray(255 - cv2.divide(raster, paper, scale=255), np.uint8)


def ridges(depth: Gray) -> Gray:
    """How much every pixel is part of a thin level line, 0..`CAP`."""
    # The mean of three rows, in a third of the time that `cv2.blur` takes.
    image = np.asarray(cv2.sepFilter2D(depth, -1, _ONE, _THIRDS), np.uint8)
    ridge = np.zeros_like(image)
    inner = image[_LINE_PX:-_LINE_PX]
    over = cv2.subtract(inner, image[: -2 * _LINE_PX])
    under = cv2.subtract(inner, image[2 * _LINE_PX :])
    thin = cv2.min(over, under, dst=over)
    cv2.threshold(thin, CAP, CAP, cv2.THRESH_TRUNC, dst=ridge[_LINE_PX:-_LINE_PX])
    return ridge


def wide_profiles(raster: Gray, at: Points, lines: Lines) -> NDArray[np.float32]:
    """As `profiles_of`, three times as far and blurred: a bump hits lines before it fits them."""
    parts = []
    for step in (-1, 0, 1):
        away = step * (2 * REACH_PX + 1)
        move = np.where(lines.upright[:, None], np.array([away, 0]), np.array([0, away]))
        parts.append(profiles_of(raster, at + move, lines))
    wide = np.minimum(np.hstack(parts), 1.0)
    return np.asarray(cv2.GaussianBlur(wide, (0, 0), sigmaX=1.6, sigmaY=0.01), np.float32)


def rounding(at: Points, lines: Lines) -> Points:
    """What rounding to a whole pixel left of each piece's place across itself."""
    across = np.where(lines.upright, at[:, 0], at[:, 1]) - 0.5
    return np.asarray(np.round(across) - across)


def peaks(
    profiles: NDArray[np.float32], lines: Lines, beside: Neighbours, reach: int
) -> tuple[Points, Points, NDArray[np.bool_]]:
    """Where each piece is, within `reach` of its place: neighbours shift alike.

    Writing makes peaks as high as print does, but each piece has its own; what neighbours have in
    common is their print. So a neighbourhood is placed first, then each piece in it.

    Args:
        profiles: As `profiles_of` has them.
        lines: Their pieces.
        beside: Of these pieces.
        reach: Pixels.

    Returns:
        Shift (n,), to part of a pixel; height (n,) of the profile there; whether it is one of the
        faint teeth of a comb that are held for print because most of them stand together.
    """
    faint = profiles / (profiles + _FAINT)
    joint = beside.mean(np.asarray(cv2.dilate(faint, np.ones((1, 3), np.uint8)), np.float32))
    shifts = np.arange(-reach, reach + 1)
    near = joint[:, REACH_PX - reach : REACH_PX + reach + 1]
    lone = (np.abs(shifts) > _ALONE_PX) & (near < _AGREED)
    common = shifts[(near - lone - _TO_BE_NEAR * np.abs(shifts) / reach).argmax(axis=1)]
    rows = np.arange(len(profiles))[:, None]
    window = np.arange(-_ASIDE_PX, _ASIDE_PX + 1)
    index = np.clip(REACH_PX + common[:, None] + window, 2, profiles.shape[1] - 3)
    best = index[rows[:, 0], (profiles[rows, index] - 0.02 * np.abs(window)).argmax(axis=1)]
    height = profiles[rows[:, 0], best]
    around = best[:, None] + np.arange(-2, 3)
    weight = profiles[rows, around].astype(np.float64) ** 2 + 1e-9
    shift = (weight * (around - REACH_PX)).sum(axis=1) / weight.sum(axis=1)
    tooth = lines.sure & (lines.side == 0) & ~lines.rule
    seen = tooth & (height >= TOOTH) & (np.abs(shift - common) <= NEAR_PX)
    own = np.bincount(lines.field, tooth)
    together = np.bincount(lines.field, seen) >= np.maximum(_FEWEST_TEETH, _MOST_TEETH * own)
    return np.asarray(shift), np.asarray(height, np.float64), seen & together[lines.field]


@lru_cache(maxsize=16)
def _pairs(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Each two of n, the first before the second."""
    a, b = np.triu_indices(n, 1)
    return a, b


def out_of_line(lines: Lines, shift: Points, hit: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Upright strokes of a row of cells that do not follow an even stretch of the row, as its
    print does; by the median of slopes (Theil 1950, Sen 1968)."""
    out = np.zeros(len(shift), bool)
    for field in np.unique(lines.field[hit & lines.sure]):
        own = np.flatnonzero(hit & lines.upright & (lines.field == field))
        if len(own) < _FEWEST_IN_LINE:
            continue
        x, y = lines.points[own, 0], shift[own]
        a, b = _pairs(len(own))
        apart = x[b] > x[a]
        if not apart.any():
            continue
        slope = np.median((y[b] - y[a])[apart] / (x[b] - x[a])[apart])
        rest = y - slope * x
        out[own] = np.abs(rest - np.median(rest)) > _OUT_PX
    return out


@lru_cache(maxsize=2)
def neighbours_of(lines: Lines, per_unit: float) -> Neighbours:
    """Those of a form are the same on each of its pages; arguments as those of `Neighbours`."""
    return Neighbours(lines, per_unit)


class Neighbours:
    """How much each piece says of the shift of another: all of it of lines that run its own way.

    Args:
        lines: Their pieces.
        per_unit: Pixels of the raster to a unit of the template.
    """

    def __init__(self, lines: Lines, per_unit: float) -> None:
        self._of: list[tuple[NDArray[np.intp], NDArray[np.float32]]] = []
        for which in (lines.upright, ~lines.upright):
            own = which.nonzero()[0]
            x, y = (lines.points[own] * (per_unit / _BESIDE_EACH_PX)).T.astype(np.float32)
            weight = np.exp(-0.5 * ((x[:, None] - x) ** 2 + (y[:, None] - y) ** 2))
            self._of.append((own, weight / weight.sum(axis=1, keepdims=True)))

    def mean(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the neighbours of each piece have on average, float32 (n, m) to (n, m)."""
        found = np.empty_like(values)
        for own, weight in self._of:
            found[own] = weight @ values[own]
        return found
