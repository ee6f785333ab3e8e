"""Where printed rules end: an underline tells of shifts along itself by its two ends alone.

Owns:   `end_shifts`.
Needs:  numpy, cv2, `form_lines`, `nudge`, `profiles`, `raster`.
Words:  *outwards*: from a rule's middle to the end that is looked at.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_runtime.form_lines import PIECE_PX, Lines
from edge_runtime.nudge import Measured
from edge_runtime.profiles import CAP, depth_of, ridges

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]

_REACH_PX = 28  # 7 mm of A4 to either side of where an end is looked for
_INSIDE_PX = 3 * PIECE_PX  # of the rule that tells how dark it is
_STEP_PX = 10  # to either side of an end that are compared: longer than a blurred gap
_PATCH_PX = 12  # rows to either side of the rule, in which its paper is seen
_ASIDE_PX = 2  # by which a rule strays from its row
_LEAST = 0.3  # of full contrast, that a rule shows
_STEP = 0.6  # of its darkness by which it must be gone beyond its end
_SHRINK, _SLACK_PX = 0.04, 3.0  # by which a bent rule may seem shorter or longer


def end_shifts(
    raster: Gray,
    lines: Lines,
    at: Points,
    shift: Points,
    hit: NDArray[np.bool_],
    *,
    first_group: int,
) -> tuple[Measured, Measured]:
    """Shifts in x of level rules' ends, and in y of upright ones', pixels of the raster.

    Args:
        raster: The page as far as it is known.
        lines: Pieces of the template's lines.
        at: float64 (n, 2), where the raster should have them.
        shift: float64 (n,), by which each was found beside its place, across itself.
        hit: bool (n,), was found.
        first_group: Number of the first rule's measurements; those after it count on.
    """
    parts: list[list[Measured]] = [[], []]
    flipped = np.ascontiguousarray(raster.T)
    for k, rule in enumerate(np.unique(lines.edge[lines.rule])):
        own = np.flatnonzero(lines.edge == rule)
        upright = bool(lines.upright[own[0]])
        image, axis = (flipped, 1) if upright else (raster, 0)
        own = own[np.argsort(at[own, axis])]
        if len(own) < 2:  # too short to tell its end from a letter's
            continue
        half = (at[own[1], axis] - at[own[0], axis]) / 2  # of a piece
        ends = [(own[0], -1), (own[-1], 1)]
        found = []
        for piece, way in ends:
            if not hit[piece]:
                break
            along, row = at[piece, axis] + way * half, at[piece, 1 - axis] + shift[piece]
            off = _end(image, along, row, way)
            if off is None:
                break
            found.append(off)
        length = at[own[-1], axis] - at[own[0], axis] + 2 * half
        if len(found) < 2 or abs(found[1] - found[0]) > _SHRINK * length + _SLACK_PX:
            continue
        points = lines.points[[own[0], own[-1]]]
        group, sure = np.full(2, first_group + k), np.ones(2, bool)
        parts[axis].append(Measured(points, np.array(found), group, np.zeros(2), sure))
    return Measured.all_of(parts[0]), Measured.all_of(parts[1])


def _end(image: Gray, along: float, row: float, way: int) -> float | None:
    """How far off `along` a rule ends, pixels along the row; None where no end is seen."""
    far = _REACH_PX + _INSIDE_PX
    home, level = round(along - 0.5), round(row - 0.5)
    columns = home + way * np.arange(-far, _REACH_PX + _STEP_PX + 1)
    rows = level + np.arange(-_PATCH_PX, _PATCH_PX + 1)
    h, w = image.shape
    if rows[0] < 0 or rows[-1] >= h or columns.min() < 0 or columns.max() >= w:
        return None
    ridge = ridges(depth_of(np.ascontiguousarray(image[rows[:, None], columns])))
    dark = ridge[_PATCH_PX - _ASIDE_PX : _PATCH_PX + _ASIDE_PX + 1].max(axis=0) / CAP
    full = float(np.median(dark[:_INSIDE_PX]))
    if full < _LEAST:
        return None
    seen = np.minimum(dark / full, 1.0)
    sums = np.concatenate([[0.0], np.cumsum(seen)])
    n = np.arange(_INSIDE_PX, len(dark) - _STEP_PX + 1)  # columns of the rule before it ends
    inside, outside = sums[n] - sums[n - _STEP_PX], sums[n + _STEP_PX] - sums[n]
    best = int((inside - outside).argmax())
    if inside[best] - outside[best] < _STEP * _STEP_PX:
        return None
    begin = int(n[best]) - _STEP_PX // 2
    end = begin + sums[begin + _STEP_PX] - sums[begin] - far  # to part of a pixel: half of the fall
    return float(home + end - along if way > 0 else home + 1 - end - along)
