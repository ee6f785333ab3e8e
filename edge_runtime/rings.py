"""The ring of a round check box: where it stands in a crop, and the ink without it.

Owns:   `Ring`, `find_ring`, `roundness`, `is_full`, `has_corners`, `without_ring`.
Needs:  numpy, cv2.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Floats = NDArray[np.float64]

_STRAY, _RADII = 0.2, (0.38, 0.6)  # of the side: how far off its middle may be; its radius
_ANGLES = 64
_COARSE_PX, _KEPT = 2.0, 4  # steps of a first search, and how many of its places are looked at
_SEEN = 0.8  # of a ring that is ink
_DIAGONAL = np.radians(15.0)  # about the diagonals a circle is farthest from its square
_END = (0.08, 0.22)  # of a square's side: there it is farthest from its circle, and not rounded
_FULL = 0.6  # of circles within a ring that is ink: a cross leaves more paper
_CORNERS = 0.8  # of a square's ends that is ink
_LINE = 0.5  # of the circle at one radius that is ink, where the ring is
_THICK = 0.3  # of the radius, inwards: a disc that was filled is no thicker ring
_REST_PX = 1.5  # of the ring's edge that is left beside it
_SECOND, _GAP, _WHOLE = 0.6, 0.2, 0.85  # of the radius; and of a second ring that is ink


@dataclass(frozen=True, slots=True)
class Ring:
    """A circle, pixels of the crop."""

    x: float
    y: float
    radius: float  # of the middle of its line


def find_ring(mask: Gray, box: tuple[float, float, float, float]) -> Ring | None:
    """The ring near the middle of a box; None where none is seen.

    Args:
        mask: uint8 (h, w), 0 or 1.
        box: About where it stands, pixels.
    """
    side = (box[2] - box[0] + box[3] - box[1]) / 2
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    thick = np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)
    step = max(0.5, _COARSE_PX * side / 40)
    wide = 2 * round(step) + 1
    thicker = np.asarray(cv2.dilate(mask, np.ones((wide, wide), np.uint8)), np.uint8)
    places = np.stack(
        np.meshgrid(
            middle[0] + np.arange(-_STRAY * side, _STRAY * side + step, step),
            middle[1] + np.arange(-_STRAY * side, _STRAY * side + step, step),
            np.arange(_RADII[0] * side, _RADII[1] * side, step),
            indexing="ij",
        ),
        axis=-1,
    ).reshape(-1, 3)
    coarse = _score(thicker, places, side, _ANGLES // 2)
    best = places[np.argsort(-coarse, kind="stable")[:_KEPT]]
    near = np.arange(-step / 2, step / 2 + 0.25, 0.5)
    around = np.stack(np.meshgrid(near, near, near, indexing="ij"), axis=-1).reshape(-1, 3)
    fine = (best[:, None] + around).reshape(-1, 3)
    score = _score(thick, fine, side, _ANGLES)
    x, y, radius = fine[int(score.argmax())].tolist()
    ring = Ring(x, y, radius)
    return ring if _on(thick, ring, _circle(_ANGLES)).mean() >= _SEEN else None


def is_full(mask: Gray, ring: Ring) -> bool:
    """Whether a ring is filled nearly all around."""
    within = np.concatenate([k * _circle(_ANGLES) for k in (0.35, 0.5, 0.65)], axis=1)
    return bool(_on(mask, ring, within).mean() >= _FULL)


def has_corners(mask: Gray, x: float, y: float, side: float) -> bool:
    """Whether a square is ink near its corners, a pixel of stray allowed; a circle is none."""
    thick = np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)
    around = Ring(x + side / 2, y + side / 2, side / 2)
    return bool(_on(thick, around, _ends()).mean() >= _CORNERS)


def roundness(mask: Gray, ring: Ring) -> float:
    """How much more a ring is seen, -1..1, than the square around it, where the two differ."""
    thick = np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)
    quarter = np.pi / 4 + np.pi / 2 * np.arange(4)
    t = (quarter[:, None] + np.linspace(-_DIAGONAL, _DIAGONAL, 9)).ravel()
    round_ = _on(thick, ring, np.stack([np.cos(t), np.sin(t)])).mean()
    # A ring in a box is measured by the middle of its line; a square may be a little larger.
    seen = [_on(thick, ring, k * _ends()).mean() for k in (0.95, 1.0, 1.05)]
    return float(round_ - max(seen))


def without_ring(ink: Gray, ring: Ring, *, least: int) -> Gray:
    """The ink without a ring; what crosses it is parted.

    Args:
        ink: uint8 (h, w), bright on black.
        ring: In it.
        least: Of ink in a pixel that is a line's.
    """
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]]
    away = np.hypot(columns - ring.x, rows - ring.y)
    inner, outer = ring.radius, ring.radius
    while inner > (1 - _THICK) * ring.radius and _share(ink, away, inner - 1, least) >= _LINE:
        inner -= 1
    while outer < (1 + _THICK) * ring.radius and _share(ink, away, outer + 1, least) >= _LINE:
        outer += 1
    gone = (away >= inner - _REST_PX) & (away <= outer + _REST_PX)
    # A second ring within the first: thin, or it is what filled the circle.
    for radius in np.arange(inner - 2.0, _SECOND * ring.radius, -0.5):
        gap = _share(ink, away, radius - _GAP * ring.radius, least)
        if _share(ink, away, radius, least) >= _WHOLE and gap <= 1 - _WHOLE:
            gone |= np.abs(away - radius) <= 1 + _REST_PX
    return np.where(gone, np.uint8(0), ink)


def _ends() -> Floats:
    """float64 (2, n), points of the square about the unit circle, near its corners."""
    along = 1 - 2 * np.linspace(*_END, 5)
    one = np.ones_like(along)
    ends = np.stack([np.append(along, one), np.append(one, along)])
    signs = np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)])
    return np.concatenate([ends * sign[:, None] for sign in signs], axis=1)


def _circle(n: int) -> Floats:
    """float64 (2, n), points of the unit circle."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([np.cos(t), np.sin(t)])


def _on(thick: Gray, ring: Ring, points: Floats) -> Floats:
    """float64 (n,), 1 where a point, in radii from the middle, holds ink."""
    column = np.rint(ring.x + ring.radius * points[0]).astype(np.intp)
    row = np.rint(ring.y + ring.radius * points[1]).astype(np.intp)
    h, w = thick.shape
    on = (column >= 0) & (row >= 0) & (column < w) & (row < h)
    return np.asarray((thick[row.clip(0, h - 1), column.clip(0, w - 1)] > 0) & on, np.float64)


def _score(thick: Gray, places: Floats, side: float, n: int) -> Floats:
    """float64 (k,), of circles (k, 3), x, y and radius: the share that is ink, and something for
    size: of a filled disc every circle is ink, and the outermost is its ring."""
    h, w = thick.shape
    points = _circle(n)
    column = np.rint(places[:, :1] + places[:, 2:] * points[0]).astype(np.intp)
    row = np.rint(places[:, 1:2] + places[:, 2:] * points[1]).astype(np.intp)
    on = (column >= 0) & (row >= 0) & (column < w) & (row < h)
    seen = ((thick[row.clip(0, h - 1), column.clip(0, w - 1)] > 0) & on).mean(-1)
    return np.asarray(seen + 0.2 * places[:, 2] / side)


def _share(ink: Gray, away: Floats, radius: float, least: int) -> float:
    """The share of a circle that is ink."""
    on = np.abs(away - radius) <= 0.5
    return float((ink[on] >= least).mean()) if on.any() else 0.0
