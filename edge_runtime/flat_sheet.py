"""The sheet in a photo of a desk, drawn as if it lay flat and filled the picture.

Owns:   `FlatSheet`, `flat_sheet`.
Needs:  numpy, cv2, `page_outline`, `sheet_edges`, `nudge`, `raster`, `marks`, `turn`, `features`.
Words:  a *straight* outline is a rectangle to within a degree: a photo from right above, a small
        sheet on a scanner's glass, or a white panel on a tinted page.
Source: a rectangle's proportions from its four corners: Zhang and He, "Whiteboard scanning and
        image enhancement", 2007.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.features import flattened
from edge_runtime.marks import find_homography
from edge_runtime.nudge import Nudge, fit_nudge
from edge_runtime.page_outline import page_outlines
from edge_runtime.raster import Raster, bent_crop
from edge_runtime.rulings import MM, WORK_PX
from edge_runtime.sheet_edges import edge_shifts
from edge_runtime.turn import look_at_sheet, turn_matrix, turned

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Points = NDArray[np.float64]

_MOST = 0.9  # part of the picture above which a sheet is the picture: a scan shows a rim, too
_NARROW = 0.25  # shorter to longer edge, at least: a cheque has 0.4
_LEAST_PX = 300  # of the longer edge: A4 at 25 dpi, where no writing can be read
_LOOK_PX = 700  # longer edge of the photo on which edges are looked at
# Of the sheet's root area: paper and desk are compared so far beside an edge. Beyond a printed
# frame is paper again.
_NEAR, _FAR = 0.02, 0.06
_SAMPLES = 60  # along an edge
_STEP = 0.06  # of the paper's level by which the desk is darker
_SEEN = 0.8  # of an edge's samples at which it is
_RIGHT_DEG = 1.0  # a corner of a straight outline is square to within this
_DARK = 0.7  # of the paper's level: what lies around a straight outline is darker, all of it
_FOCAL = (0.6, 1.7)  # of the photo's longer edge: lenses of 22 to 60 mm, of 35 mm film
_SLANT = 2.0  # times as short as it is does an edge look at most: a tilt of 60 degrees
_INSET = 0.01  # of the sheet, along each edge: paper is never cut or found to the pixel
# On a bare desk as light as the paper, a printed frame may have been taken for the sheet's edge:
# then nothing is printed beyond it, and what is drawn around it does no harm.
_OUTSET = 0.02
_INK, _BARE = 12, 2e-4  # grey levels under what is around; part of a desk that has so dark spots
_BARE_FROM = 0.03  # of the sheet's root area: its shadow is no ink
_PAPER_PX = 31  # 4 mm: wider than any stroke, narrower than a shadow
# Grey levels: drawn photos by 250 lux and more have 1 to 2.3, by 50 lux 5 or 6.
_GRAIN, _SOFT_PX = 3.0, 1.2
_SLACK = 3.0  # of `fit_nudge`: paper on a desk bends more than what a scanner does to it
_LARGEST_PX = 4000  # longer edge of the flat picture
# A sheet's size is not known, but that of small print is: its lines are so high, 7 to 9 points.
_PRINT_MM = 2.5
_LEAST_FIT, _MOST_FIT = 0.5, 3.0  # where headings are all the print there is


@dataclass(frozen=True, slots=True, eq=False)
class FlatSheet:
    """A sheet by itself, upright, and the way back into the photo."""

    picture: Gray  # (h, w), the sheet, about as large as `rulings` takes a scan
    shaded: Gray  # (h, w), the same with its shades, and with tints that went with them
    turn: int  # degrees clockwise by which the photo has to be turned to stand upright
    to_photo: Matrix  # float64 (3, 3), pixels of `picture` to those of the photo so turned
    bend: Nudge  # what that leaves over, pixels of `picture`: paper does not lie flat


def flat_sheet(photo: Gray) -> FlatSheet | None:
    """The sheet that a picture clearly shows with something else all around it.

    Args:
        photo: uint8 (h, w), dark on light, in any turn.

    Returns:
        None where the picture is the page, as scans are, or no sheet stands out from the rest.
    """
    if min(photo.shape) < _NARROW * _LEAST_PX:
        return None
    scale = min(1.0, _LOOK_PX / max(photo.shape))
    size = max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    soft = np.asarray(cv2.medianBlur(small, 5), np.uint8)
    for corners in page_outlines(photo):
        rim = _rim(soft, corners * scale)
        if rim is None:
            continue
        drawn = _drawn(photo, _from_top_left(corners), rim)
        if drawn is not None:
            return _upright(photo, drawn)
    return None


def _upright(photo: Gray, drawn: _Drawn) -> FlatSheet:
    """The sheet turned to stand upright, its print as large as that of a scan."""
    look = look_at_sheet(drawn.picture)
    h, w = drawn.picture.shape
    print_px = look.print_high * max(h, w)
    fit = float(np.clip(_PRINT_MM * MM / print_px, _LEAST_FIT, _MOST_FIT)) if print_px else 1.0
    fit = min(fit, WORK_PX / max(h, w))
    size = max(1, round(w * fit)), max(1, round(h * fit))
    way = cv2.INTER_AREA if fit < 1 else cv2.INTER_CUBIC
    picture = np.asarray(cv2.resize(drawn.picture, size, interpolation=way), np.uint8)
    shrink = np.diag([w / size[0], h / size[1], 1.0])
    back = shrink @ np.linalg.inv(turn_matrix(picture.shape, look.turn))
    to_photo = turn_matrix(photo.shape, look.turn) @ drawn.to_photo @ back
    shaded = turned(picture, look.turn)
    picture = _without_shade(shaded)
    h, w = picture.shape
    bend = drawn.bend.seen_through(back, (w, h))
    return FlatSheet(picture, shaded, look.turn, np.asarray(to_photo, np.float64), bend)


def _without_shade(picture: Gray) -> Gray:
    """Paper made white, and grain that this would bring out taken away first."""
    white = flattened(picture, _PAPER_PX)
    if _grain(white) <= _GRAIN:
        return white
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), _SOFT_PX), np.uint8)
    return flattened(soft, _PAPER_PX)


def _grain(picture: Gray) -> float:
    """Standard deviation of grey levels near by, the middle of many places: bare paper."""
    levels = picture.astype(np.float32)
    mean = cv2.blur(levels, (9, 9))
    spread = cv2.blur(levels * levels, (9, 9)) - mean * mean
    return float(np.sqrt(max(0.0, float(np.median(spread[::4, ::4])))))


def _rim(small: Gray, corners: Points) -> float | None:
    """How much around an outline is drawn, a part of it, less than 0 for a rim left out; None where
    the outline is not that of a sheet that lies on something else."""
    area = float(cv2.contourArea(corners.astype(np.float32)))
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.hypot(*sides.T)
    if area > _MOST * small.size or lengths.min() < _NARROW * lengths.max():
        return None
    root = area**0.5
    levels = [one for k in range(4) if (one := _beside(small, corners, k, root)) is not None]
    if len(levels) < 3:  # one may be that of the photo
        return None
    paper = float(np.median(np.concatenate([inside for inside, _ in levels])))
    around = np.ones(small.shape, np.uint8)
    cv2.fillConvexPoly(around, np.round(corners).astype(np.int32), (0,))
    off = 2 * round(_BARE_FROM * root) + 1
    around = np.asarray(cv2.erode(around, np.ones((off, off), np.uint8)), np.uint8)
    lighter = all((inside - desk >= _STEP * paper).mean() >= _SEEN for inside, desk in levels)
    ways = sides / lengths[:, None]
    off_deg = np.degrees(np.arcsin((ways * np.roll(ways, 1, axis=0)).sum(axis=1).clip(-1, 1)))
    if np.abs(off_deg).max() <= _RIGHT_DEG:
        desk = small[around > 0]
        dark = desk.size > 0 and float(np.percentile(desk, 95)) < _DARK * paper
        return -_INSET if lighter and dark else None
    if lighter:
        return -_INSET
    ink = cv2.morphologyEx(small, cv2.MORPH_BLACKHAT, np.ones((9, 9), np.uint8))[around > 0] > _INK
    return _OUTSET if ink.size and ink.mean() <= _BARE else None


def _beside(small: Gray, corners: Points, k: int, root: float) -> tuple[Points, Points] | None:
    """Levels (n,) on the paper and beside it along an edge; None where the photo ends there."""
    a, b = corners[k], corners[(k + 1) % 4]
    way = (b - a) / max(1e-9, float(np.hypot(*(b - a))))
    inwards = root * np.array([-way[1], way[0]])
    at = a + np.linspace(0.04, 0.96, _SAMPLES)[:, None] * (b - a)
    size = np.array(small.shape[::-1])
    near = at - _NEAR * inwards
    seen = ((near >= 0) & (near < size)).all(axis=1)
    if seen.mean() < _SEEN:
        return None
    # As far as the photo goes.
    room = np.where(inwards > 0, near, near - size) / np.where(inwards == 0, 1e-9, inwards)
    back = np.minimum(_FAR - _NEAR, room.clip(0).min(axis=1))[:, None]
    far = near - back * inwards
    inside = _levels(small, at + _NEAR * inwards)
    outside = np.maximum(_levels(small, near), _levels(small, far))
    return inside[seen], outside[seen]


def _levels(small: Gray, points: Points) -> Points:
    h, w = small.shape
    x, y = points.T.astype(int)
    return np.asarray(small[y.clip(0, h - 1), x.clip(0, w - 1)], np.float64)


def _from_top_left(corners: Points) -> Points:
    """Clockwise corners from the one whose next edge runs most nearly to the right."""
    ways = np.roll(corners, -1, axis=0) - corners
    return np.roll(corners, -int((ways[:, 0] / np.hypot(*ways.T)).argmax()), axis=0)


class _Drawn(NamedTuple):
    """A sheet as it lies in the photo, in whatever turn."""

    picture: Gray
    to_photo: Matrix
    bend: Nudge  # pixels of `picture`


def _drawn(photo: Gray, corners: Points, rim: float) -> _Drawn | None:
    """The sheet at the resolution that its nearest edges have in the photo; None where no writing
    could be read."""
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)  # top, right, bottom, left
    wide, high = max(sides[0], sides[2]), max(sides[1], sides[3])
    seen = float((sides[0] + sides[2]) / (sides[1] + sides[3]))
    ratio = float(np.clip(_proportions(corners, photo.shape), seen / _SLANT, seen * _SLANT))
    wide, high = max(wide, high * ratio), max(high, wide / ratio)
    if max(wide, high) < _LEAST_PX:
        return None
    fit = min(1.0, _LARGEST_PX / max(wide, high))
    wide, high = wide * fit, high * fit
    edges = np.array([(0, 0), (wide, 0), (wide, high), (0, high)], np.float64)
    homography = find_homography(edges, corners)
    rims = edge_shifts(Raster(photo, (wide, high), homography), 0)
    bend = fit_nudge((wide, high), *rims, pins=edges, slack=_SLACK)
    w, h = max(1, round(wide * (1 + 2 * rim))), max(1, round(high * (1 + 2 * rim)))
    to_sheet = np.array([[1, 0, -rim * wide], [0, 1, -rim * high], [0, 0, 1.0]])
    picture = bent_crop(photo, homography, bend, to_sheet, (w, h), way=cv2.INTER_CUBIC)
    return _Drawn(picture, homography @ to_sheet, bend.seen_through(to_sheet, (w, h)))


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
