"""Corner marks on a photo: dark blots whose places, sizes and shapes one projection explains.

Owns:   `blot_starts`: projections of a form onto a photo, the most convincing first.
Needs:  numpy, cv2.
Words:  *blot*: a dark component that is as full as a parallelogram, by its area and second moments.
        *spread*: its covariance; of a rectangle with edges J it is J J^T / 12.
Source: a mark's area and spread say how a projection stretches there. Of all projections that put
        four marks onto four blots, few also give every blot its size and shape.
"""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.field import Box

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]

_LOOK_PX = 1300  # longer edge of the photo that is looked at
_PAPER = 0.62  # a blot is darker than this part of the lightest around it
_FULL = (10.6, 13.6)  # area over root of det(spread): 12 for a parallelogram, 12.6 for an ellipse
_LARGEST = 1.6  # times the mark of a page that fills the photo
_SMALLEST = 0.04
_LEAST_PX = 5.0  # edge of a blot
_LONG = 3.2  # longest to shortest edge that a slanted look gives a square
_BLOTS = 22  # the blackest that are kept
_ALIKE = 7.0  # largest to smallest of four marks: 35 degrees give 3
_PAGE = 0.02  # least part of the photo that the marks close in
_MISFIT = 0.55  # of log size and shape, summed over marks, in root mean square
_STARTS = 6


def blot_starts(page: Gray, marks: tuple[Box, ...], size: tuple[float, float]) -> list[Points]:
    """Homographies float64 (3, 3), template unit to page pixels, in whatever turn.

    Args:
        page: uint8 (h, w).
        marks: Four or more boxes in the template's unit.
        size: Width and height of the template's page.
    """
    boxes = np.array(marks, np.float64)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    ring = _outer(centres)
    edges = (boxes[:, 2:] - boxes[:, :2])[ring]
    scale = min(1.0, _LOOK_PX / max(page.shape))
    small = page if scale == 1 else _shrunk(page, scale)
    whole = float(np.prod(edges.mean(axis=0)) / np.prod(size) * small.size)
    where, areas, spreads = _blots(small, whole, float(max(size) / edges.min()))
    found = _explained(where, areas, spreads, centres[ring], edges, small.size)
    back = np.diag([page.shape[1] / small.shape[1], page.shape[0] / small.shape[0], 1.0])
    return [back @ one for one in found]


def _shrunk(page: Gray, scale: float) -> Gray:
    size = (round(page.shape[1] * scale), round(page.shape[0] * scale))
    return np.asarray(cv2.resize(page, size, interpolation=cv2.INTER_AREA), np.uint8)


def _outer(centres: Points) -> NDArray[np.intp]:
    """The four outermost marks, clockwise from the top left."""
    x, y = (centres - centres.mean(axis=0)).T
    return np.array([(x + y).argmin(), (x - y).argmax(), (x + y).argmax(), (x - y).argmin()])


def _blots(small: Gray, whole: float, pages: float) -> tuple[Points, Points, Points]:
    """Centres (n, 2), areas (n,) and spreads (n, 2, 2) of blots, pixels of the small photo.

    Args:
        small: The photo.
        whole: Area of a mark where the page fills the photo.
        pages: Edges of a mark that make the page's.
    """
    largest = _LARGEST * max(small.shape) / pages
    side = int(1.6 * largest) | 1
    quick = cv2.resize(small, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    paper = cv2.dilate(quick, np.ones((side // 2 | 1, side // 2 | 1), np.uint8))
    paper = cv2.blur(paper, (side // 2 | 1, side // 2 | 1))
    paper = cv2.resize(paper, small.shape[::-1], interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(small, (3, 3), 0)
    mask = (soft < _PAPER * paper.astype(np.float32)).astype(np.uint8)
    n, labels, stats, middles = cv2.connectedComponentsWithStats(mask, connectivity=4)
    least = max(_LEAST_PX**2, _SMALLEST * whole)
    blots = []
    for k in range(1, n):
        x, y, w, h, area = (int(v) for v in stats[k])
        if not least <= area <= _LARGEST * whole or area < 0.42 * w * h:
            continue
        own = (labels[y : y + h, x : x + w] == k).astype(np.uint8)
        m = cv2.moments(own, binaryImage=True)
        spread = np.array([[m["mu20"], m["mu11"]], [m["mu11"], m["mu02"]]]) / area + np.eye(2) / 12
        full = area / float(np.sqrt(np.linalg.det(spread)))
        values = np.linalg.eigvalsh(spread)
        if _FULL[0] <= full <= _FULL[1] and values[1] <= _LONG**2 * values[0]:
            core = cv2.mean(small[y : y + h, x : x + w], own)[0]
            light = float(paper[y + h // 2, x + w // 2])
            worth = (1 - core / max(light, 1.0)) - 0.3 * abs(full - 12)
            blots.append((worth, middles[k] + 0.5, float(area), spread))
    blots.sort(key=lambda one: -one[0])
    kept = blots[:_BLOTS]
    return (
        np.array([one[1] for one in kept]).reshape(-1, 2),
        np.array([one[2] for one in kept]),
        np.array([one[3] for one in kept]).reshape(-1, 2, 2),
    )


def _explained(
    where: Points, areas: Points, spreads: Points, marks: Points, edges: Points, pixels: int
) -> list[Points]:
    """Projections of four marks (4, 2), clockwise, onto four blots that fit in size and shape."""
    if len(where) < 4:
        return []
    fours = np.array(list(combinations(range(len(where)), 4)))
    ratio = areas[fours].max(axis=1) / areas[fours].min(axis=1)
    fours = fours[ratio <= _ALIKE]
    at = where[fours]
    off = at - at.mean(axis=1, keepdims=True)
    order = np.arctan2(off[..., 1], off[..., 0]).argsort(axis=1)  # clockwise, y grows downwards
    fours = np.take_along_axis(fours, order, axis=1)
    at = where[fours]
    side = np.roll(at, -1, axis=1) - at
    turn = side[..., 0] * np.roll(side, -1, axis=1)[..., 1]
    turn = turn - side[..., 1] * np.roll(side, -1, axis=1)[..., 0]
    x, y = at[..., 0], at[..., 1]
    area = 0.5 * (x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)
    fours = fours[(turn > 0).all(axis=1) & (area > _PAGE * pixels)]
    if len(fours) == 0:
        return []
    fours = np.concatenate([np.roll(fours, k, axis=1) for k in range(4)])
    fits = _homographies(marks, where[fours])
    rectangle = np.einsum("mi,ij->mij", edges**2 / 12, np.eye(2))
    total = np.zeros(len(fours))
    for k in range(4):
        jacobian = _jacobian(fits, marks[k])
        want = jacobian @ rectangle[k] @ jacobian.transpose(0, 2, 1)
        have = spreads[fours[:, k]]
        # Of the same blot: eigenvalues of want^-1 have are 1, and their logarithms 0.
        ratio = np.linalg.solve(want + 1e-9 * np.eye(2), have)
        trace, det = np.trace(ratio, axis1=1, axis2=2) / 2, np.linalg.det(ratio)
        gap = np.sqrt(np.clip(trace**2 - det, 0, None))
        values = np.stack([trace + gap, trace - gap], axis=1)
        total += (np.log(np.clip(values, 1e-6, 1e6)) ** 2).sum(axis=1) / 8
    misfit = np.sqrt(total)
    best = np.argsort(misfit, kind="stable")[: 4 * _STARTS]
    return [fits[k] for k in best if misfit[k] <= _MISFIT][:_STARTS]


def _homographies(src: Points, dst: Points) -> Points:
    """float64 (n, 3, 3) that map four points (4, 2) onto (n, 4, 2)."""
    n = len(dst)
    rows = np.zeros((n, 8, 8))
    x, y = src.T
    u, v = dst[..., 0], dst[..., 1]
    rows[:, :4, 0], rows[:, :4, 1], rows[:, :4, 2] = x, y, 1
    rows[:, 4:, 3], rows[:, 4:, 4], rows[:, 4:, 5] = x, y, 1
    rows[:, :4, 6], rows[:, :4, 7] = -u * x, -u * y
    rows[:, 4:, 6], rows[:, 4:, 7] = -v * x, -v * y
    flat = np.linalg.solve(rows, np.concatenate([u, v], axis=1)[..., None])[..., 0]
    return np.concatenate([flat, np.ones((n, 1))], axis=1).reshape(n, 3, 3)


def _jacobian(fits: Points, point: Points) -> Points:
    """float64 (n, 2, 2): how each projection stretches at a point."""
    seen = fits @ np.append(point, 1.0)
    w = seen[:, 2:, None]
    return np.asarray((fits[:, :2, :2] - (seen[:, :2, None] / w) * fits[:, 2:, :2]) / w)
