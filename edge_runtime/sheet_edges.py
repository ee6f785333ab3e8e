"""The sheet's own edges in a photo: straight on the form, so how they bend tells how it lies.

Owns:   `edge_shifts`.
Needs:  numpy, cv2, `nudge`, `raster`.
Words:  *path*: the course of one edge on the raster, a shift at each of some stations along it.
Source: the strongest smooth path by dynamic programming, as seams are found (Avidan and Shamir
        2007). Print is cut off its sheet to a millimetre or two, so where a path lies is left open
        (all of its shifts share one offset); only its shape is told.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.nudge import Measured
from edge_runtime.raster import PAD_PX, Raster

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]

_STATION_PX = 12  # of the raster: 3 mm of A4
_REACH_PX = PAD_PX - 4  # the raster ends there
_BEND = 2  # pixels that a path may move from one station to the next
_STIFF = 0.06  # of full contrast that such a move must be worth
_FULL = 40.0  # grey levels of a step that counts in full, at least; else what most stations have
_LEAST = 0.2  # of full contrast, at nine stations of ten
_AWAY = 0.06  # of an edge at either end that is left out: corners are rounded and folded
_ENDS_PX = 10.0  # by which a path's ends may differ, marks near them being where they are
_OFF_PX = 14.0  # from the page's border, 3.5 mm of A4
_ROUGH_PX = 1.2  # mean square root of a path about its own cubic: an edge is smooth
_OFFSET = 4.0  # times what a box strays from its lines: how far a path may lie beside the border
_MOST = 12  # shifts that are taken of one edge


def edge_shifts(sheet: Raster, first_group: int) -> tuple[Measured, Measured]:
    """Shifts in x and in y, template units, of the edges that are seen.

    Args:
        sheet: The page as a projection has it.
        first_group: Number that the first edge's shifts share; those after it count on.
    """
    picture = np.asarray(cv2.GaussianBlur(sheet.draw(), (0, 0), 1.0), np.uint8)
    w, h = sheet.size
    parts: list[list[Measured]] = [[], []]
    for k, (upright, at) in enumerate(((True, 0.0), (True, w), (False, 0.0), (False, h))):
        along = h if upright else w
        image = picture.T if upright else picture
        n = max(8, round(along * (1 - 2 * _AWAY) * sheet.per_unit / _STATION_PX))
        where = along * (_AWAY + (1 - 2 * _AWAY) * (np.arange(n) + 0.5) / n)
        shifts = _path(image, where * sheet.per_unit + PAD_PX, at * sheet.per_unit + PAD_PX)
        if shifts is None:
            continue
        keep = np.unique(np.linspace(0, n - 1, _MOST).astype(int))
        level = np.full(len(keep), at)
        points = np.stack([level, where[keep]] if upright else [where[keep], level], axis=1)
        parts[0 if upright else 1].append(
            Measured(
                points,
                shifts[keep] / sheet.per_unit,
                np.full(len(keep), first_group + k),
                np.full(len(keep), _OFFSET),
                np.ones(len(keep), bool),
            )
        )
    return Measured.all_of(parts[0]), Measured.all_of(parts[1])


def _path(image: Gray, columns: Points, row: float) -> Points | None:
    """Shifts (n,) of a level edge about `row`, pixels; None if none is seen."""
    half = _STATION_PX // 2
    at = np.round(row - 0.5) + np.arange(-_REACH_PX - 2, _REACH_PX + 3)
    rows = np.clip(at, 0, image.shape[0] - 1).astype(int)
    wide = cv2.blur(image[rows].astype(np.float32), (2 * half + 1, 1))
    profile = wide[:, np.round(columns - 0.5).astype(int)].T  # (n, shifts)
    step = profile[:, 4:] - profile[:, :-4]  # two rows to either side
    best: tuple[float, Points] | None = None
    for sign in (1.0, -1.0):
        full = max(_FULL, float(np.quantile((sign * step).max(axis=1), 0.2)))
        worth = np.clip(sign * step / full, 0, 1)
        if np.quantile(worth.max(axis=1), 0.1) < _LEAST:
            continue  # no path sees more than that
        course = _course(worth)
        seen = worth[np.arange(len(course)), course]
        total = float(seen.mean())
        if np.quantile(seen, 0.1) >= _LEAST and (best is None or total > best[0]):
            best = total, _to_part(worth, course) - _REACH_PX
    if best is None:
        return None
    shifts = best[1] + (np.round(row - 0.5) - (row - 0.5))
    place = np.linspace(-1, 1, len(shifts))
    fit = np.polyfit(place, shifts, 4)
    rough = float(np.sqrt(np.mean((np.polyval(fit, place) - shifts) ** 2)))
    ends = np.polyval(fit, np.array([-1.0, 1.0]))
    if rough > _ROUGH_PX or abs(ends[1] - ends[0]) > _ENDS_PX or np.abs(ends).max() > _OFF_PX:
        return None
    return np.asarray(np.polyval(fit, place), np.float64)


def _course(worth: NDArray[np.float32]) -> NDArray[np.intp]:
    """The best path (n,) through worth (n, m)."""
    n, m = worth.shape
    total, came = worth[0].astype(np.float64), np.zeros((n, m), np.intp)
    at, move = np.arange(m), np.arange(-_BEND, _BEND + 1)[:, None]
    source, cost = at - move + _BEND, _STIFF * np.abs(move)
    beyond = np.full(m + 2 * _BEND, -np.inf)
    for k in range(1, n):
        beyond[_BEND : _BEND + m] = total
        moves = beyond[source] - cost
        pick = moves.argmax(axis=0)
        came[k] = at - (pick - _BEND)
        total = moves[pick, at] + worth[k]
    path = np.empty(n, np.intp)
    path[-1] = int(total.argmax())
    for k in range(n - 1, 0, -1):
        path[k - 1] = came[k, path[k]]
    return path


def _to_part(worth: NDArray[np.float32], course: NDArray[np.intp]) -> Points:
    """A path to part of a pixel, by the middle of what is steep about it."""
    around = np.clip(course[:, None] + np.arange(-2, 3), 0, worth.shape[1] - 1)
    weight = worth[np.arange(len(course))[:, None], around].astype(np.float64) + 1e-9
    return np.asarray((weight * around).sum(axis=1) / weight.sum(axis=1))
