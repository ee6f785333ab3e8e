"""Whether ink was struck out, scribbled over, or never was writing: blots, hatching, print, bars.

Owns:   `strike_features`, `strike_share`, `CALLED` (the share from which ink is called struck out).
Needs:  numpy, cv2. Its weights are fitted by `python -m benchmarks.struck --fit`.
Words:  *ink* is bright on black. *runs*: level strokes three quarters of the writing's height long.
        *crossings*: how often a row or a column enters ink.

All measures are of shapes, relative to the height of the ink; none asks the network.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

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

_INK = 90  # a pixel of this much ink belongs to a stroke, as in `preprocess`
_HIGH, _WIDE = 48, 960  # pixels that are looked at: more tell nothing more
_RUN = 0.75  # of the height: longer than any bar of a letter among others
_SPECK = 0.0015  # of the height squared
_EDGE, _ACROSS = 0.2, 0.6  # a run this near to foot or head, and so wide, is a printed rule
# Of fields, how many are struck out; and of what the weights were fitted on.
_USUAL, _FITTED = 0.005, 0.25


def strike_share(ink: Gray, *, cell: bool) -> float:
    """How surely ink is no writing that is meant to be read, 0..1, were both equally usual.

    Args:
        ink: uint8 (h, w), ink bright on black, of a line or of one cell.
        cell: Whether it is one glyph in a cell.
    """
    seen = strike_features(ink)
    if seen is None:
        return 0.0
    first, last = _weights(cell)
    hidden = np.maximum(seen @ first[:-1] + first[-1], 0.0)
    z = float(hidden @ last[:-1] + last[-1])
    return 1.0 / (1.0 + math.exp(-min(max(z, -50.0), 50.0)))


def usual_share(share: float) -> float:
    """The same where struck-out fields are as rare as they are."""
    odds = share / max(1e-12, 1.0 - share)
    odds *= _USUAL / (1 - _USUAL) * (1 - _FITTED) / _FITTED
    return odds / (1.0 + odds)


def strike_features(ink: Gray) -> Floats | None:
    """float64 (len(FEATURES),), or None where there is no ink but specks and rules."""
    box = _box((ink >= _INK).astype(np.uint8))
    if box is None:
        return None
    part = ink[box]
    scale = min(1.0, _HIGH / part.shape[0], _WIDE / part.shape[1])
    if scale < 1:
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    bare = _without_rules((part >= _INK).astype(np.uint8))
    return None if bare is None else _measured(bare)


def _measured(bare: Gray) -> Floats:
    mask = cv2.copyMakeBorder(bare, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    h, w = bare.shape
    area = max(1, cv2.countNonZero(bare))
    found, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    contours: list[Any] = list(found)
    above = np.asarray(tree)[0][:, 3]  # the contour that a hole lies in, -1 of an outline
    sizes = np.array([len(one) for one in contours])
    edge = max(1, int(sizes.sum()))
    pen = max(1.0, 2 * area / edge)
    blob = max(1.0, 2 * float(cv2.distanceTransform(mask, cv2.DIST_L2, 3).max()))
    down = (mask[1:] > mask[:-1]).sum(axis=0)[1:-1]
    along = (mask[:, 1:] > mask[:, :-1]).sum(axis=1)[1:-1]
    busy = float(np.sort(along)[-max(1, h // 4) :].mean())
    holes = int((above >= 0).sum())
    at = int(np.where(above < 0, sizes, 0).argmax())
    inner = np.flatnonzero(above == at).tolist()
    own = int(sizes[at]) + sum(int(sizes[one]) for one in inner)
    full = cv2.contourArea(contours[at]) - sum(cv2.contourArea(contours[one]) for one in inner)
    hull = max(4.0, cv2.contourArea(cv2.convexHull(contours[at])))
    _, _, wide, high = cv2.boundingRect(contours[at])
    found_runs = _through(bare, _runs(bare))
    return np.array(
        [
            math.log(w / h),
            area / (h * w),
            math.log(pen / h),
            math.log(blob / h),
            math.log(blob / pen),
            float(down[down > 0].mean()),
            math.log1p(busy * h / w),
            math.log1p(float(along.mean()) * h / w),
            math.log1p(holes * h / w),
            *found_runs,
            math.log(edge / 2 / w),
            math.log(edge / 2 / h),
            full / hull,
            own / edge,
            math.log(own / 2 / max(2.0, math.hypot(wide, high))),
        ]
    )


def _through(bare: Gray, runs: Gray) -> tuple[float, float, float]:
    """Columns that runs cover; where ink stands above and below them; how evenly it does."""
    columns = np.flatnonzero(runs.max(axis=0))
    if not len(columns):
        return 0.0, 0.0, 0.0
    h, w = bare.shape
    covered = len(columns) / w
    top = runs.argmax(axis=0)[columns]
    foot = h - 1 - runs[::-1].argmax(axis=0)[columns]
    near = np.asarray(cv2.dilate(runs, np.ones((3, 1), np.uint8)), np.uint8)
    other = bare & ~near
    so_far = np.cumsum(other, axis=0)
    over, under = so_far[top, columns], so_far[-1, columns] - so_far[foot, columns]
    both = min(float((over > 0).mean()), float((under > 0).mean()))
    even = min(int(over.sum()), int(under.sum())) / max(1, int(so_far[-1].sum()))
    return covered, both * covered, even * covered


def _runs(bare: Gray, *, least: int = 5) -> Gray:
    """Level strokes that are `_RUN` of the height long."""
    k = max(least, round(_RUN * bare.shape[0]))
    wide = cv2.copyMakeBorder(bare, 0, 0, k, k, cv2.BORDER_CONSTANT, value=0)
    opened = cv2.morphologyEx(wide, cv2.MORPH_OPEN, np.ones((1, k), np.uint8))
    return np.asarray(opened[:, k:-k], np.uint8)


def _without_rules(mask: Gray) -> Gray | None:
    """The ink's box without rows of printed rules at foot and head: nobody strikes out there."""
    h, w = mask.shape
    near = max(1, round(_EDGE * h))
    rule = _runs(mask, least=8).sum(axis=1) >= _ACROSS * w
    rule[near : h - near] = False
    if not rule.any():
        return mask
    mask = np.where(rule[:, None], np.uint8(0), mask)
    box = _box(mask)
    return None if box is None else np.ascontiguousarray(mask[box])


def _box(mask: Gray) -> tuple[slice, slice] | None:
    """Of all but specks."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    least = max(3.0, _SPECK * mask.shape[0] ** 2)
    kept = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= least]
    if len(kept) == 0:
        return None
    x0, y0 = int(kept[:, 0].min()), int(kept[:, 1].min())
    x1, y1 = int((kept[:, 0] + kept[:, 2]).max()), int((kept[:, 1] + kept[:, 3]).max())
    return slice(y0, y1), slice(x0, x1)


@lru_cache(maxsize=2)
def _weights(cell: bool) -> tuple[Floats, Floats]:
    """float64 (features + 1, hidden) and (hidden + 1,); the last of each is the bias."""
    rows = [[float(one) for one in row.split()] for row in (CELL if cell else LINE).splitlines()]
    return np.array(rows[:-1]), np.array(rows[-1])
