"""Whether the bubbles of a form stand on a page where its template has them.

Owns:   `rows_shown`.
Needs:  numpy, `bubbles`, `raster`, `template`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_runtime.bubbles import PAD, are_shown, boxes_of
from edge_runtime.raster import Raster
from edge_runtime.template import Template

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_LOOKED_AT = 16  # rows, spread over the page


def rows_shown(page: Gray, template: Template, homography: Matrix) -> float | None:
    """Of the template's rows of bubbles 0..1, the part that is seen; None: it has none.

    Args:
        page: uint8 (h, w).
        template: The form.
        homography: float64 (3, 3), template unit to page pixels.
    """
    rows = [
        boxes_of(field.boxes, field.box)
        for field in template.fields
        if field.box is not None and field.boxes is not None and field.marks != "circle"
    ]
    if not rows:
        return None
    raster = Raster(page, template.page_size, homography)
    picture = raster.draw()
    h, w = picture.shape
    some = np.unique(np.linspace(0, len(rows) - 1, _LOOKED_AT).round().astype(int))
    shown = []
    for k in some:
        at = raster.of(np.array(rows[k]).reshape(-1, 2)).reshape(-1, 4)
        pad = PAD * float((at[:, 3] - at[:, 1]).min())
        left, top = (int(v) for v in np.clip(at[:, :2].min(axis=0) - pad, 0, (w - 1, h - 1)))
        right, bottom = (int(v) + 1 for v in np.clip(at[:, 2:].max(axis=0) + pad, 1, (w, h)))
        part = picture[top:bottom, left:right]
        inside = [(a - left, b - top, c - left, d - top) for a, b, c, d in at.tolist()]
        shown.append(are_shown(part, inside))
    return float(np.mean(shown))
