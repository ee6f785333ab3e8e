"""A sheet's outline in a photo: four straight edges between paper and what it lies on.

Owns:   `page_outlines`.
Needs:  numpy, cv2.
Source: contours of several thresholds and of edges, as in OpenCV's `squares` sample; their sides
        are fitted anew to the contour, and ranked by how sharply paper ends along them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]

_LOOK_PX = 700  # longer edge of the photo that is looked at
_LEVELS = (35, 50, 65, 80)  # percent between the darkest and the lightest of the photo
_PAGE = 0.08  # least part of the photo that a page takes
_BENT = 0.05  # of its root area a page's contour may stray from straight edges
_MOST = 3
_STEP_PX = 4  # paper and desk are compared so far to either side of an edge


def page_outlines(page: Gray) -> list[Points]:
    """Corners float64 (4, 2) of what may be the sheet, clockwise, page pixels, the likeliest first.

    Args:
        page: uint8 (h, w).
    """
    scale = min(1.0, _LOOK_PX / max(page.shape))
    if min(page.shape) * scale < _STEP_PX:  # a sliver holds no sheet
        return []
    shrunk = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small: Gray = np.asarray(cv2.medianBlur(shrunk, 5), np.uint8)
    found: list[tuple[float, Points]] = []
    for mask in _masks(small):
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for contour in contours:
            if cv2.contourArea(contour) < _PAGE * small.size:
                continue
            corners = _corners(np.asarray(contour, np.int32))
            if corners is not None:
                found.append((_worth(small, corners), corners))
    found.sort(key=lambda one: -one[0])
    kept: list[Points] = []
    for worth, corners in found:
        new = all(np.abs(corners - other).max() > 0.02 * _LOOK_PX for other in kept)
        if worth > 0 and new and len(kept) < _MOST:
            kept.append(corners)
    return [corners / scale for corners in kept]


def _masks(small: Gray) -> list[Gray]:
    """What may be paper: lighter than one of some levels, or closed in by edges."""
    low, high = np.percentile(small, (2, 98))
    levels = [low + percent / 100 * (high - low) for percent in _LEVELS]
    otsu, _ = cv2.threshold(small, 0, 255, cv2.THRESH_OTSU)
    near = np.ones((7, 7), np.uint8)
    masks = [(small > level).astype(np.uint8) for level in [otsu, *levels]]
    # Print is closed, and what else is light beside the sheet cut off.
    masks = [cv2.morphologyEx(mask, cv2.MORPH_CLOSE, near) for mask in masks]
    masks = [cv2.morphologyEx(mask, cv2.MORPH_OPEN, near) for mask in masks]
    edges = cv2.dilate(cv2.Canny(small, 20, 60), np.ones((3, 3), np.uint8))
    return [np.asarray(mask, np.uint8) for mask in [*masks, edges, (1 - edges // 255)]]


def _corners(contour: NDArray[np.int32]) -> Points | None:
    """Four corners whose sides follow the contour's hull; None if it has not four sides."""
    hull = cv2.convexHull(contour)
    length = cv2.arcLength(hull, True)
    for part in (0.02, 0.03, 0.045, 0.06, 0.08):
        few = cv2.approxPolyDP(hull, part * length, True).reshape(-1, 2).astype(np.float64)
        if len(few) <= 4:
            break
    if len(few) != 4:
        return None
    off = few - few.mean(axis=0)
    few = few[np.arctan2(off[:, 1], off[:, 0]).argsort()]
    points = contour.reshape(-1, 2).astype(np.float64)
    lines = []
    for a, b in zip(few, np.roll(few, -1, axis=0), strict=True):
        way = (b - a) / max(1e-9, float(np.hypot(*(b - a))))
        along = (points - a) @ way
        away = np.abs((points - a) @ np.array([-way[1], way[0]]))
        size = float(np.hypot(*(b - a)))
        near = (along > 0.08 * size) & (along < 0.92 * size) & (away < max(3.0, 0.03 * size))
        if near.sum() < 8:
            return None
        vx, vy, x, y = cv2.fitLine(points[near].astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01)
        lines.append(np.array([-vy, vx, vy * x - vx * y], np.float64).ravel())
    corners = []
    for before, after in zip(np.roll(lines, 1, axis=0), lines, strict=True):
        x, y, w = np.cross(before, after)
        if abs(w) < 1e-6:
            return None
        corners.append((x / w + 0.5, y / w + 0.5))
    quad = np.array(corners)
    area = abs(cv2.contourArea(quad.astype(np.float32)))
    stray = abs(area - cv2.contourArea(hull)) / max(area, 1.0)
    return quad if cv2.isContourConvex(quad.astype(np.float32)) and stray < 4 * _BENT else None


def _worth(small: Gray, corners: Points) -> float:
    """How much lighter the inside is than the outside, where that can be seen; size counts too."""
    h, w = small.shape
    steps: list[float] = []
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        way = (b - a) / max(1e-9, float(np.hypot(*(b - a))))
        inwards = np.array([-way[1], way[0]])
        at = a + np.linspace(0.05, 0.95, 40)[:, None] * (b - a)
        inside, outside = at + _STEP_PX * inwards, at - _STEP_PX * inwards
        seen = ((outside >= 0) & (outside < (w, h))).all(axis=1)
        if seen.sum() < 10:
            steps.append(0.0)  # the sheet ends with the photo
            continue
        values = [
            small[
                np.clip(p[seen, 1].astype(int), 0, h - 1), np.clip(p[seen, 0].astype(int), 0, w - 1)
            ].astype(np.float64)
            for p in (inside, outside)
        ]
        steps.append(float(np.median(np.abs(values[0] - values[1]))))
    area = float(cv2.contourArea(corners.astype(np.float32))) / small.size
    return float(np.mean(steps) * np.sqrt(area)) if sum(step > 3 for step in steps) >= 2 else 0.0
