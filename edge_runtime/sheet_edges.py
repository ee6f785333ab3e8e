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
_BLUR_PX = 4  # that a blur looks at, at least
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
    picture = sheet.draw()
    w, h = sheet.size
    parts: list[list[Measured]] = [[], []]
    group = first_group
    for upright in (True, False):
        along, levels = (h, (0.0, w)) if upright else (w, (0.0, h))
        n = max(8, round(along * (1 - 2 * _AWAY) * sheet.per_unit / _STATION_PX))
        where = along * (_AWAY + (1 - 2 * _AWAY) * (np.arange(n) + 0.5) / n)
        rows = [at * sheet.per_unit + PAD_PX for at in levels]
        columns = where * sheet.per_unit + PAD_PX
        steps = np.stack([_steps(picture, columns, row, upright=upright) for row in rows])
        keep = np.unique(np.linspace(0, n - 1, _MOST).astype(int))
        for at, shifts in zip(levels, _paths(steps, rows), strict=True):
            group += 1
            if shifts is None:
                continue
            level = np.full(len(keep), at)
            points = np.stack([level, where[keep]] if upright else [where[keep], level], axis=1)
            parts[0 if upright else 1].append(
                Measured(
                    points,
                    shifts[keep] / sheet.per_unit,
                    np.full(len(keep), group - 1),
                    np.full(len(keep), _OFFSET),
                    np.ones(len(keep), bool),
                )
            )
    return Measured.all_of(parts[0]), Measured.all_of(parts[1])


def _steps(picture: Gray, columns: Points, row: float, *, upright: bool) -> NDArray[np.float32]:
    """float32 (n, shifts), how much lighter it is behind a level edge about `row` than before it,
    at each station; of an upright edge about the column `row`, by rows `columns`."""
    at = np.round(row - 0.5) + np.arange(-_REACH_PX - 2, _REACH_PX + 3)
    high = picture.shape[1 if upright else 0]
    rows = np.clip(at, 0, high - 1).astype(int)
    first, last = max(0, rows[0] - _BLUR_PX), min(high, rows[-1] + 1 + _BLUR_PX)
    strip = picture[:, first:last] if upright else picture[first:last]
    strip = np.asarray(cv2.GaussianBlur(strip, (0, 0), 1.0), np.uint8)
    if upright:
        strip = np.asarray(cv2.transpose(strip), np.uint8)
    half = _STATION_PX // 2
    wide = cv2.blur(strip[rows - first].astype(np.float32), (2 * half + 1, 1))
    profile = wide[:, np.round(columns - 0.5).astype(int)].T
    return np.asarray(profile[:, 4:] - profile[:, :-4], np.float32)  # two rows to either side


def _paths(steps: NDArray[np.float32], rows: list[float]) -> list[Points | None]:
    """Shifts (n,) of each of some level edges about `rows`, pixels; None where none is seen.

    Args:
        steps: float32 (edges, n, shifts).
        rows: Of the picture.
    """
    signed = np.concatenate([steps, -steps])  # it is lighter on one side, or on the other
    full = np.quantile(signed.max(axis=2), 0.2, axis=1)
    worth = np.clip(signed / np.maximum(full, np.float32(_FULL))[:, None, None], 0, 1)
    # Where this is too little, no path sees more.
    seen = np.flatnonzero(np.quantile(worth.max(axis=2), 0.1, axis=1) >= _LEAST)
    best: list[tuple[float, Points] | None] = [None] * len(rows)
    for k, one, course in zip(seen.tolist(), worth[seen], _courses(worth[seen]), strict=True):
        along = one[np.arange(len(course)), course]
        total, edge = float(along.mean()), k % len(rows)
        held = best[edge]
        if np.quantile(along, 0.1) >= _LEAST and (held is None or total > held[0]):
            best[edge] = total, _to_part(one, course) - _REACH_PX
    return [
        None if held is None else _smooth(held[1] + (np.round(row - 0.5) - (row - 0.5)))
        for held, row in zip(best, rows, strict=True)
    ]


def _smooth(shifts: Points) -> Points | None:
    """A path's own curve (n,); None where it is none that a sheet's edge may take."""
    place = np.linspace(-1, 1, len(shifts))
    fit = np.polyfit(place, shifts, 4)
    rough = float(np.sqrt(np.mean((np.polyval(fit, place) - shifts) ** 2)))
    ends = np.polyval(fit, np.array([-1.0, 1.0]))
    if rough > _ROUGH_PX or abs(ends[1] - ends[0]) > _ENDS_PX or np.abs(ends).max() > _OFF_PX:
        return None
    return np.asarray(np.polyval(fit, place), np.float64)


def _courses(worth: NDArray[np.float32]) -> NDArray[np.intp]:
    """The best paths (k, n) through worth (k, n, m)."""
    k, n, m = worth.shape
    gain = worth.transpose(1, 0, 2).astype(np.float64)
    path = np.empty((k, n), np.intp)
    if k == 0:
        return path
    cost = _STIFF * np.abs(np.arange(-_BEND, _BEND + 1))[:, None, None]
    total = np.full((k, m + 2 * _BEND), -np.inf)
    total[:, _BEND : _BEND + m] = gain[0]
    inner = total[:, _BEND : _BEND + m]
    # From where a path comes by each move: a window on the totals, which change in place.
    came = np.lib.stride_tricks.sliding_window_view(total, m, axis=1).transpose(1, 0, 2)[::-1]
    moves = np.empty((n, len(cost), k, m))
    for at in range(1, n):
        np.subtract(came, cost, out=moves[at])
        np.maximum.reduce(moves[at], axis=0, out=inner)
        inner += gain[at]
    path[:, -1] = inner.argmax(axis=1)
    for one in range(k):
        here = int(path[one, -1])
        for at in range(n - 1, 0, -1):
            gains = moves[at, :, one, here].tolist()
            here -= gains.index(max(gains)) - _BEND
            path[one, at - 1] = here
    return path


def _to_part(worth: NDArray[np.float32], course: NDArray[np.intp]) -> Points:
    """A path to part of a pixel, by the middle of what is steep about it."""
    around = np.clip(course[:, None] + np.arange(-2, 3), 0, worth.shape[1] - 1)
    weight = worth[np.arange(len(course))[:, None], around].astype(np.float64) + 1e-9
    return np.asarray((weight * around).sum(axis=1) / weight.sum(axis=1))
