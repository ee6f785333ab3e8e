"""The sheet in a photo of a desk, drawn as if it lay flat and filled the picture.

Owns:   `FlatSheet`, `flat_sheet`.
Needs:  numpy, cv2, `page_outline`, `turn`.
Words:  a *straight* outline is a rectangle to within a degree: a photo from right above, a small
        sheet on a scanner's glass, or a white panel on a tinted page.
Source: a rectangle's proportions from its four corners: Zhang and He, "Whiteboard scanning and
        image enhancement", 2007.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.page_outline import page_outlines
from edge_runtime.turn import turn_matrix, turned

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Points = NDArray[np.float64]

_MOST = 0.9  # part of the picture above which a sheet is the picture: a scan shows a rim, too
_NARROW = 0.25  # shorter to longer edge, at least: a cheque has 0.4
_LEAST_PX = 300  # of the longer edge: A4 at 25 dpi, where no writing can be read
_LOOK_PX = 700  # longer edge of the photo on which edges are looked at
_BESIDE = 0.02  # of the sheet's root area: paper and desk are compared so far beside an edge
_SAMPLES = 60  # along an edge
_STEP = 0.06  # of the paper's level by which the desk is darker
_SEEN = 0.8  # of an edge's samples at which it is
_RIGHT_DEG = 1.0  # a corner of a straight outline is square to within this
_DARK = 0.7  # of the paper's level: what lies around a straight outline is darker, all of it
_FOCAL = (0.6, 1.7)  # of the photo's longer edge: lenses of 22 to 60 mm, of 35 mm film
_INSET = 0.01  # of the sheet, along each edge: paper is never cut or found to the pixel
_LARGEST_PX = 4000  # longer edge of the flat picture


@dataclass(frozen=True, slots=True, eq=False)
class FlatSheet:
    """A sheet by itself, and the way back into the photo."""

    picture: Gray  # (h, w), the sheet all but its rim
    to_photo: Matrix  # float64 (3, 3), its pixels to those of the photo

    def turned(self, photo: Gray, turn: int) -> FlatSheet:
        """The same where photo and sheet are turned clockwise by 0, 90, 180 or 270 degrees.

        Args:
            photo: uint8 (h, w), as `flat_sheet` was given it.
            turn: Degrees.
        """
        back = np.linalg.inv(turn_matrix(self.picture.shape, turn))
        to_photo = turn_matrix(photo.shape, turn) @ self.to_photo @ back
        return FlatSheet(turned(self.picture, turn), to_photo)


def flat_sheet(photo: Gray) -> FlatSheet | None:
    """The sheet that a picture clearly shows with something else all around it.

    Args:
        photo: uint8 (h, w), dark on light.

    Returns:
        None where the picture is the page, as scans are, or no sheet stands out from the rest.
    """
    scale = min(1.0, _LOOK_PX / max(photo.shape))
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    soft = np.asarray(cv2.medianBlur(small, 5), np.uint8)
    for corners in page_outlines(photo):
        if _is_sheet(soft, corners * scale):
            return _drawn(photo, _from_top_left(corners))
    return None


def _is_sheet(small: Gray, corners: Points) -> bool:
    """Whether the outline is that of paper that lies on something else."""
    h, w = small.shape
    area = float(cv2.contourArea(corners.astype(np.float32)))
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.hypot(*sides.T)
    if area > _MOST * small.size or lengths.min() < _NARROW * lengths.max():
        return False
    levels = [
        one for k in range(4) if (one := _beside(small, corners, k, _BESIDE * area**0.5)) is not None
    ]
    if len(levels) < 3:  # one may be that of the photo
        return False
    paper = float(np.median(np.concatenate([inside for inside, _ in levels])))
    if any((inside - outside >= _STEP * paper).mean() < _SEEN for inside, outside in levels):
        return False
    ways = sides / lengths[:, None]
    off = np.degrees(np.arcsin(np.abs((ways * np.roll(ways, 1, axis=0)).sum(axis=1)).clip(0, 1)))
    if off.max() > _RIGHT_DEG:
        return True
    around = np.ones((h, w), np.uint8)
    cv2.fillConvexPoly(around, np.round(corners).astype(np.int32), (0,))
    around = np.asarray(cv2.erode(around, np.ones((9, 9), np.uint8)), np.uint8)
    outside = small[around > 0]
    return bool(outside.size and np.percentile(outside, 95) < _DARK * paper)


def _beside(
    small: Gray, corners: Points, k: int, step: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Levels (n,) on the paper and beside it along an edge; None where the photo ends there."""
    h, w = small.shape
    a, b = corners[k], corners[(k + 1) % 4]
    way = (b - a) / max(1e-9, float(np.hypot(*(b - a))))
    inwards = max(3.0, step) * np.array([-way[1], way[0]])
    at = a + np.linspace(0.04, 0.96, _SAMPLES)[:, None] * (b - a)
    seen = (((at - inwards) >= 0) & ((at - inwards) < (w, h))).all(axis=1)
    if seen.mean() < _SEEN:
        return None
    inside, outside = (
        small[
            np.clip(points[seen, 1].astype(int), 0, h - 1),
            np.clip(points[seen, 0].astype(int), 0, w - 1),
        ].astype(np.float64)
        for points in (at + inwards, at - inwards)
    )
    return inside, outside


def _from_top_left(corners: Points) -> Points:
    """Clockwise corners from the one whose next edge runs most nearly to the right."""
    ways = np.roll(corners, -1, axis=0) - corners
    return np.roll(corners, -int((ways[:, 0] / np.hypot(*ways.T)).argmax()), axis=0)


def _drawn(photo: Gray, corners: Points) -> FlatSheet | None:
    """The sheet at the resolution that its nearest edges have in the photo."""
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)  # top, right, bottom, left
    wide, high = max(sides[0], sides[2]), max(sides[1], sides[3])
    ratio = _proportions(corners, photo.shape)
    wide, high = max(wide, high * ratio), max(high, wide / ratio)
    fit = min(1.0, _LARGEST_PX / max(wide, high))
    w, h = max(1, round(wide * fit)), max(1, round(high * fit))
    if max(w, h) < _LEAST_PX:
        return None
    x, y = _INSET * w, _INSET * h
    flat = np.array([(-x, -y), (w + x, -y), (w + x, h + y), (-x, h + y)], np.float64)
    to_photo, _ = cv2.findHomography(flat, corners, 0)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    move = np.linalg.inv(half) @ to_photo @ half  # cv2 counts from pixel centres
    picture = cv2.warpPerspective(
        photo,
        move,
        (w, h),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return FlatSheet(np.asarray(picture, np.uint8), np.asarray(to_photo, np.float64))


def _proportions(corners: Points, shape: tuple[int, ...]) -> float:
    """Width to height of the rectangle that a pinhole camera shows at these corners.

    Args:
        corners: float64 (4, 2), clockwise from the top left.
        shape: Of the photo, whose middle the lens looks through.
    """
    longer = max(shape)
    middle = np.array([shape[1] / 2, shape[0] / 2])
    a, b, d, c = np.column_stack([(corners - middle) / longer, np.ones(4)])
    k2 = np.cross(a, d) @ c / (np.cross(b, d) @ c)
    k3 = np.cross(a, d) @ b / (np.cross(c, d) @ b)
    across, down = k2 * b - a, k3 * c - a
    bent = across[2] * down[2]
    focal2 = -(across[:2] @ down[:2]) / bent if abs(bent) > 1e-6 else 1.0
    # Hardly tilted, a sheet tells nothing of the lens, and its proportions ask nothing of it.
    focal2 = float(np.clip(focal2, _FOCAL[0] ** 2, _FOCAL[1] ** 2))
    wide, high = (float(v[:2] @ v[:2] / focal2 + v[2] ** 2) for v in (across, down))
    return float(np.sqrt(wide / high))
