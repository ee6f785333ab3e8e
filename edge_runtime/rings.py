"""The ring of a round check box: where it stands in a crop, and the ink without it.

Owns:   `Ring`, `find_ring`, `without_ring`.
Needs:  numpy, cv2.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

_STRAY, _RADII = 0.16, (0.4, 0.56)  # of the side: how far off its middle may be; its radius
_ANGLES = 64
_SEEN = 0.8  # of a ring that is ink
_LINE = 0.5  # of the circle at one radius that is ink, where the ring is
_THICK = 0.3  # of the radius, inwards: a disc that was filled is no thicker ring
_REST_PX = 1.5  # of the ring's edge that is left beside it


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
    h, w = mask.shape
    side = (box[2] - box[0] + box[3] - box[1]) / 2
    thick = cv2.dilate(mask, np.ones((3, 3), np.uint8)) > 0
    t = np.linspace(0, 2 * np.pi, _ANGLES, endpoint=False)
    stray = np.arange(-_STRAY * side, _STRAY * side + 0.5)
    xs = (box[0] + box[2]) / 2 + stray[None, :, None]
    ys = (box[1] + box[3]) / 2 + stray[:, None, None]
    best: tuple[float, Ring] | None = None
    for radius in np.arange(_RADII[0] * side, _RADII[1] * side, 0.5):
        x, y = xs + radius * np.cos(t), ys + radius * np.sin(t)
        column, row = np.rint(x).astype(np.intp), np.rint(y).astype(np.intp)
        on = (column >= 0) & (row >= 0) & (column < w) & (row < h)
        seen = (thick[row.clip(0, h - 1), column.clip(0, w - 1)] & on).mean(-1)
        at = np.unravel_index(int(seen.argmax()), seen.shape)
        # Of a filled disc every circle is ink: the outermost is its ring.
        score = float(seen[at]) + 0.2 * float(radius) / side
        if seen[at] >= _SEEN and (best is None or score > best[0]):
            best = score, Ring(float(xs[0, at[1], 0]), float(ys[at[0], 0, 0]), float(radius))
    return None if best is None else best[1]


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
    return np.where(gone, np.uint8(0), ink)


def _share(ink: Gray, away: NDArray[np.float64], radius: float, least: int) -> float:
    """The share of a circle that is ink."""
    on = np.abs(away - radius) <= 0.5
    return float((ink[on] >= least).mean()) if on.any() else 0.0
