"""Whether ink was struck out, scribbled over, or never was writing: blots, hatching, print, bars.

Owns:   `strike_features`, `strike_share`, `plainly_writing` (a glance before those),
        `measured_as_cell`, `strokes_box`, `CALLED` (the share from which ink is called struck out).
Needs:  numpy, cv2, `components`, `preprocess`. Its weights are fitted by
        `python -m benchmarks.struck --fit` and `--fit-glance`.
Words:  *ink* is bright on black. *runs*: level strokes three quarters of the writing's height long.
        *crossings*: how often a row or a column enters ink.

All measures are of shapes, relative to the height of the ink; none asks the network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime import glance_weights
from edge_runtime.components import Components, components_of
from edge_runtime.kernels import full_kernel
from edge_runtime.preprocess import STROKE, IntBox
from edge_runtime.strike_weights import CELL, LINE

Gray = NDArray[np.uint8]
Floats = NDArray[np.float64]

FEATURES = (
    "aspect", "ink", "pen", "blob", "blob_pens", "column_crossings", "busy_row_crossings",
    "row_crossings", "holes", "covered", "both_sides", "balance", "edge_width", "edge_height",
    "hull", "largest", "largest_edge",
)  # fmt: skip
# In 1,980 lines and 1,979 cells of clean writing by tuning writers, out of fold, three were called.
CALLED = {"line": 0.97, "cell": 0.893}

_HIGH, _WIDE = 48, 960  # pixels that are looked at: more tell nothing more
_RUN = 0.75  # of the height: longer than any bar of a letter among others
_SPECK = 0.0015  # of the height squared
_EDGE, _ACROSS = 0.2, 0.6  # a run this near to foot or head, and so wide, is a printed rule
_RUN_LEAST, _RULE_LEAST = 5, 8  # pixels of a run, however low the ink
_LONE = 1.2  # of its height: a glyph by itself is no wider
# Of fields, how many are struck out; and of what the weights were fitted on.
_USUAL, _FITTED = 0.005, 0.25


def strike_share(ink: Gray, *, cell: bool, box: IntBox | None = None) -> float:
    """How surely ink is no writing that is meant to be read, 0..1, were both equally usual.

    Args:
        ink: uint8 (h, w), ink bright on black, of a line or of one cell.
        cell: Whether it is one glyph in a cell.
        box: From `strokes_box`, where it is known.
    """
    seen = strike_features(ink, box)
    if seen is None:
        return 0.0
    first, bias, last, last_bias = _weights(cell)
    hidden = np.maximum(seen @ first + bias, 0.0)
    z = float(hidden @ last) + last_bias
    return 1.0 / (1.0 + math.exp(-min(max(z, -50.0), 50.0)))


def plainly_writing(strokes: Components, box: IntBox, *, cell: bool) -> bool:
    """Whether a glance shows that `strike_share` would be next to nothing: true of most writing.

    Of val writers' 1,430 lines and 685 cells with a share over 0.3 it takes six and two for plain;
    of the 1,229 of those that are called struck out, one (docs/decisions.md).

    Args:
        strokes: The ink's components from `preprocess.STROKE` on.
        box: From `strokes_box`.
        cell: As `strike_share`.
    """
    first, bias, last, most = _glance_weights(cell)
    hidden = np.maximum(glance_features(strokes, box) @ first + bias, 0.0)
    return float(hidden @ last) < most


def glance_features(strokes: Components, box: IntBox) -> Floats:
    """float64 (8,): what the runs of ink tell; arguments as `plainly_writing`."""
    x0, y0, x1, y1 = box
    w, h, runs = x1 - x0, y1 - y0, len(strokes.lengths)
    area, largest = strokes.total, strokes.largest
    down = cv2.countNonZero(cv2.subtract(strokes.mask[1:], strokes.mask[:-1]))
    return np.array(
        [
            math.log(w / h),
            area / (w * h),
            math.log(runs / w),
            math.log(int(np.maximum.reduce(strokes.lengths)) / h),
            math.log(area / runs / h),
            math.log(strokes.count - 1),
            largest / area,
            math.log(max(1, down) / w),
        ]
    )


def measured_as_cell(box: IntBox | None, *, in_cells: bool) -> bool:
    """Whether ink is measured as a glyph's: a 1 alone on a line is as simple as what strikes out.

    Of lone glyphs on lines one in 40 was called struck out; measured as in cells, none.
    """
    if in_cells or box is None:
        return in_cells
    x0, y0, x1, y1 = box
    return x1 - x0 <= _LONE * (y1 - y0)


def strokes_box(strokes: Components) -> IntBox | None:
    """(x0, y0, x1, y1) of an ink without its specks; None where it has nothing else.

    Args:
        strokes: Its components from `preprocess.STROKE` on.
    """
    return strokes.box(max(3.0, _SPECK * strokes.wide.shape[0] ** 2))


def usual_share(share: float) -> float:
    """The same where struck-out fields are as rare as they are."""
    odds = share / max(1e-12, 1.0 - share)
    odds *= _USUAL / (1 - _USUAL) * (1 - _FITTED) / _FITTED
    return odds / (1.0 + odds)


def strike_features(ink: Gray, box: IntBox | None = None) -> Floats | None:
    """float64 (len(FEATURES),), or None where there is no ink but specks and rules. Arguments as
    `strike_share`."""
    box = strokes_box(components_of(ink, STROKE)) if box is None else box
    if box is None:
        return None
    part = _cut(ink, box)
    scale = min(1.0, _HIGH / part.shape[0], _WIDE / part.shape[1])
    if scale < 1:
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    mask = np.asarray(cv2.threshold(part, STROKE - 1, 1, cv2.THRESH_BINARY)[1], np.uint8)
    runs = _runs(mask, _RULE_LEAST)
    bare = _without_rules(mask, runs)
    area = 0 if bare is None else cv2.countNonZero(bare)
    if bare is None or not area:  # hair lines fade where ink is made smaller
        return None
    if bare is not mask or _long(mask, _RUN_LEAST) != _long(mask, _RULE_LEAST):
        runs = _runs(bare, _RUN_LEAST)
    return _measured(bare, area, runs)


def _measured(bare: Gray, area: int, runs: Gray | None) -> Floats:
    """The features of ink, uint8 (h, w) of 0 and 1, of which `area` pixels are 1, 1 at least."""
    mask = cv2.copyMakeBorder(bare, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    h, w = bare.shape
    found, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    contours: Sequence[Any] = found
    above: list[int] = np.asarray(tree)[0, :, 3].tolist()  # the contour that a hole lies in, or -1
    sizes = list(map(len, contours))
    edge = max(1, sum(sizes))
    pen = max(1.0, 2 * area / edge)
    away = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    blob = max(1.0, 2 * cv2.norm(away, cv2.NORM_INF))  # the largest distance to paper
    # How often each column, and each row, enters ink: subtraction stops at 0.
    down = cv2.reduce(cv2.subtract(mask[1:], mask[:-1]), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0]
    right = cv2.subtract(mask[:, 1:], mask[:, :-1])
    along = sorted(cv2.reduce(right, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[1:-1, 0].tolist())
    busiest = along[-max(1, h // 4) :]
    busy = sum(busiest) / len(busiest)
    holes = len(above) - above.count(-1)
    outer = [size if one < 0 else 0 for size, one in zip(sizes, above, strict=True)]
    at = outer.index(max(outer))
    inner = [one for one, around in enumerate(above) if around == at] if holes else []
    own = sizes[at] + sum([sizes[one] for one in inner])
    full = cv2.contourArea(contours[at]) - sum([cv2.contourArea(contours[one]) for one in inner])
    hull = max(4.0, cv2.contourArea(cv2.convexHull(contours[at])))
    _, _, wide, high = cv2.boundingRect(contours[at])
    return np.array(
        [
            math.log(w / h),
            area / (h * w),
            math.log(pen / h),
            math.log(blob / h),
            math.log(blob / pen),
            int(np.add.reduce(down)) / cv2.countNonZero(down),
            math.log1p(busy * h / w),
            math.log1p(sum(along) / len(along) * h / w),
            math.log1p(holes * h / w),
            *_through(bare, runs),
            math.log(edge / 2 / w),
            math.log(edge / 2 / h),
            full / hull,
            own / edge,
            math.log(own / 2 / max(2.0, math.hypot(wide, high))),
        ]
    )


def _through(bare: Gray, runs: Gray | None) -> tuple[float, float, float]:
    """Columns that runs cover; where ink stands above and below them; how evenly it does."""
    if runs is None:
        return 0.0, 0.0, 0.0
    w = bare.shape[1]
    columns = np.maximum.reduce(runs, axis=0).nonzero()[0]
    covered = len(columns) / w
    top = cv2.reduceArgMax(runs, 0)[0, columns]
    foot = cv2.reduceArgMax(runs, 0, lastIndex=True)[0, columns]
    apart = cv2.subtract(bare, cv2.dilate(runs, full_kernel(3, 1)))
    # Sums from the corner; of two neighbours the difference is a column's sum so far.
    sums = cv2.integral(apart)
    below = (sums[1:, 1:] - sums[1:, :-1]).ravel()
    over = below.take(top * w + columns)
    under = below[-w:].take(columns) - below.take(foot * w + columns)
    both = min(cv2.countNonZero(over), cv2.countNonZero(under)) / len(columns)
    even = min(int(np.add.reduce(over)), int(np.add.reduce(under))) / max(1, int(sums[-1, -1]))
    return covered, both * covered, even * covered


def _long(mask: Gray, least: int) -> int:
    return max(least, round(_RUN * len(mask)))


def _runs(mask: Gray, least: int) -> Gray | None:
    """Level strokes that are `_RUN` of the height long; None where there are none."""
    k = _long(mask, least)
    if mask.shape[1] < k:
        return None
    # A run covers four columns of every k // 4, one beside the other.
    seen = mask[:, :: k // 4]
    two = seen[:, 1:] & seen[:, :-1]
    if not (two[:, 2:] & two[:, :-2]).any():
        return None
    kernel = full_kernel(1, k)
    # Of each run of k pixels its first; then all of them again.
    core = cv2.erode(mask, kernel, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    if not cv2.countNonZero(core):
        return None
    runs = cv2.dilate(core, kernel, anchor=(k - 1, 0))
    if k % 2 == 0:  # a pixel to the right, as the weights know them
        runs = cv2.copyMakeBorder(runs, 0, 0, 1, 0, cv2.BORDER_CONSTANT, value=0)[:, :-1]
    return np.asarray(runs, np.uint8)


def _without_rules(mask: Gray, runs: Gray | None) -> Gray | None:
    """The ink's box without rows of printed rules at foot and head: nobody strikes out there."""
    h, w = mask.shape
    if runs is None or cv2.countNonZero(runs) < _ACROSS * w:
        return mask
    near = max(1, round(_EDGE * h))
    rule = cv2.reduce(runs, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0] >= _ACROSS * w
    rule[near : h - near] = False
    if not rule.any():
        return mask
    mask = np.where(rule[:, None], np.uint8(0), mask)
    box = strokes_box(components_of(mask, 1))
    return None if box is None else np.ascontiguousarray(_cut(mask, box))


def _cut(ink: Gray, box: IntBox) -> Gray:
    x0, y0, x1, y1 = box
    return ink[y0:y1, x0:x1]


@lru_cache(maxsize=2)
def _weights(cell: bool) -> tuple[Floats, Floats, Floats, float]:
    """float64 (features, hidden) and their bias, (hidden,); (hidden,) and theirs."""
    rows = [[float(one) for one in row.split()] for row in (CELL if cell else LINE).splitlines()]
    *first, bias, last = map(np.array, rows)
    return np.array(first), bias, last[:-1], float(last[-1])


@lru_cache(maxsize=2)
def _glance_weights(cell: bool) -> tuple[Floats, Floats, Floats, float]:
    """float64 (8, hidden) and their bias, (hidden,); (hidden,), and what is plain below it."""
    told = glance_weights.CELL if cell else glance_weights.LINE
    *units, most = [[float(one) for one in row.split()] for row in told.splitlines()]
    *first, bias, last = np.array(units).T
    return np.array(first), bias, last, most[0]
