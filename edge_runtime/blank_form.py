"""A blank form out of filled ones: what nearly all pages of one form have at the same place.

Owns:   `BlankForm`.
Needs:  numpy, cv2, `register`, `raster`, `features`, `turn`, `template`. Never a model.
Words:  as in `register`.

Print is dark on every page; where people write, most pages are paper. So each pixel is as light as
most of the pages have it, and a mark has to stand on nearly all of them to stay. A mark that
everybody makes (the same box ticked) does stay: look at the picture.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import TemplateError
from edge_runtime.features import flattened
from edge_runtime.raster import bent_crop
from edge_runtime.register import register
from edge_runtime.template import Template
from edge_runtime.turn import turned

Gray = NDArray[np.uint8]

FEWEST, MOST = 3, 40  # pages; more than that tell nothing more
_LIGHTER = 0.7  # of the pages are this light or darker
_LONGEST_PX = 2339  # of the picture: A4 at 200 dpi, and what a reference is looked at
_PAPER_PX = 41  # what is darker over more than this is shade, not ink
_ROWS = 64  # that are sorted at once


class BlankForm:
    """Collects pages of one form.

    Args:
        template: Of the form. A reference that it may have helps to register, and is not drawn.
    """

    def __init__(self, template: Template) -> None:
        self._template = template
        self._size: tuple[int, int] | None = None  # width and height of the picture
        self._pages: list[Gray] = []

    def __len__(self) -> int:
        return len(self._pages)

    @property
    def is_full(self) -> bool:
        """Whether further pages would tell nothing more."""
        return len(self._pages) >= MOST

    def add(self, page: Gray) -> None:
        """Register a page and keep it as the form stands.

        Args:
            page: uint8 (h, w), dark on light.

        Raises:
            TemplateError: The page is not that form.
        """
        lies = register(page, self._template)
        upright = turned(page, lies.turned_deg)
        wide, high = self._template.page_size
        if self._size is None:  # the first page's own resolution
            middle = np.array([(wide / 2, high / 2), (wide / 2 + 1, high / 2)])
            zoom = float(np.hypot(*np.diff(lies.project(middle), axis=0)[0]))
            zoom = min(zoom, _LONGEST_PX / max(wide, high))
            self._size = max(1, round(wide * zoom)), max(1, round(high * zoom))
        w, h = self._size
        scale = np.diag([wide / w, high / h, 1.0])
        if lies.nudge is not None:
            way = cv2.INTER_LINEAR
            flat = bent_crop(upright, lies.homography, lies.nudge, scale, self._size, way=way)
        else:
            half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
            move = np.linalg.inv(half) @ lies.homography @ scale @ half
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            flat = np.asarray(
                cv2.warpPerspective(
                    upright, move, self._size, flags=flags, borderMode=cv2.BORDER_REPLICATE
                ),
                np.uint8,
            )
        self._pages.append(flattened(flat, _PAPER_PX))  # of several scanners

    def picture(self) -> Gray:
        """The blank form, uint8 (h, w), as the template has it.

        Raises:
            TemplateError: Too few pages: what two people wrote at one place would stay.
        """
        n = len(self._pages)
        if n < FEWEST:
            raise TemplateError(
                f"{n} pages of the form {self._template.name!r}: at least {FEWEST} are needed to "
                "tell what is printed from what is written, ten are better"
            )
        rank = math.ceil(_LIGHTER * (n - 1))
        rows = range(0, len(self._pages[0]), _ROWS)
        parts = (np.stack([one[y : y + _ROWS] for one in self._pages]) for y in rows)
        return np.concatenate([np.partition(part, rank, axis=0)[rank] for part in parts])
