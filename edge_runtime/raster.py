"""The page drawn as its form stands, bent or not.

Owns:   `Raster`, `bent_crop`.
Needs:  numpy, cv2, `nudge`.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.nudge import Nudge

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Points = NDArray[np.float64]

RASTER_PX = 1200  # longer edge, 4 pixels to a millimetre of A4: a hairline still shows
PAD_PX = 40  # of the raster around the page
_STEP_PX = 16  # of the grid on which a bent page is sampled


class Raster:
    """A page that can be drawn as its form stands.

    Args:
        page: uint8 (h, w).
        size: Of the form's page, template units.
        homography: Template unit to page pixels.
        shrunk: The page by a whole number of times smaller, as it was needed so far.
    """

    def __init__(
        self,
        page: Gray,
        size: tuple[float, float],
        homography: Matrix,
        shrunk: dict[int, Gray] | None = None,
    ) -> None:
        self.size = size
        self.per_unit = RASTER_PX / max(size)
        self.shape = tuple(round(edge * self.per_unit) + 2 * PAD_PX for edge in size[::-1])
        middle = np.array([[size[0] / 2, size[1] / 2]])
        around = middle + np.array([(0, 0), (1, 0), (0, 1)]) / self.per_unit
        at = cv2.perspectiveTransform(around[None], homography)[0]
        zoom = float(np.hypot(*(at[1:] - at[0]).T).min())  # page pixels to one of the raster
        times = max(1, int(zoom))
        shrunk = {} if shrunk is None else shrunk
        if times > 1 and times not in shrunk:
            w, h = page.shape[1] // times, page.shape[0] // times
            even = page[: h * times, : w * times]
            small = cv2.resize(even, (w, h), interpolation=cv2.INTER_AREA)
            shrunk[times] = np.asarray(small, np.uint8)
        self._page = page if times == 1 else shrunk[times]
        self._level: Gray | None = None  # drawn without a nudge
        shrink = np.diag([1 / times, 1 / times, 1.0])
        self._homography = shrink @ homography

    def of(self, points: Points) -> Points:
        """Template units to pixels of the raster."""
        return np.asarray(points * self.per_unit + PAD_PX)

    def draw(self, nudge: Nudge | None = None) -> Gray:
        """uint8, `shape`; read it only."""
        if nudge is None and self._level is not None:
            return self._level
        h, w = self.shape
        to_template = np.array(
            [[1 / self.per_unit, 0, -PAD_PX / self.per_unit],
             [0, 1 / self.per_unit, -PAD_PX / self.per_unit], [0, 0, 1]]
        )  # fmt: skip
        half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
        way, edge = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
        if nudge is None:
            move = np.linalg.inv(half) @ self._homography @ to_template @ half
            flags = way | cv2.WARP_INVERSE_MAP
            out = cv2.warpPerspective(self._page, move, (w, h), flags=flags, borderMode=edge)
            self._level = np.asarray(out, np.uint8)
            return self._level
        return bent_crop(self._page, self._homography, nudge, to_template, (w, h), way=way)


def bent_crop(
    page: Gray,
    homography: Matrix,
    nudge: Nudge,
    to_template: Matrix,
    size: tuple[int, int],
    *,
    way: int,
) -> Gray:
    """The part of a bent page that `to_template` maps onto the template, uint8 (h, w).

    Args:
        page: uint8 (h, w).
        homography: Template unit to page pixels.
        nudge: What the homography leaves over.
        to_template: float64 (3, 3), pixels of the crop to template units.
        size: Width and height of the crop.
        way: Interpolation, cv2's.
    """
    w, h = size
    nx, ny = w // _STEP_PX + 2, h // _STEP_PX + 2
    grid = np.stack(np.meshgrid(np.arange(nx), np.arange(ny)), axis=-1).reshape(-1, 2) * _STEP_PX
    points = cv2.perspectiveTransform(grid[None] + 0.5, to_template)[0]
    on_page = cv2.perspectiveTransform(nudge.moved(points)[None], homography)[0] - 0.5
    coarse = on_page.astype(np.float32).reshape(ny, nx, 2)
    zoom = np.array([[1 / _STEP_PX, 0, 0], [0, 1 / _STEP_PX, 0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    where = cv2.warpAffine(coarse, zoom, (w, h), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    other: Any = None  # rows and columns are told by one map
    out = cv2.remap(page, where, other, way, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)
