"""Thin strokes in cells made as wide as the network reads best.

Owns:   `thickened`.
Needs:  numpy, cv2, `lines`, `preprocess`.

A fine pen scanned in black and white at 300 dpi fades to a shadow of a stroke when its cell is
brought to the network's height. Glyphs of tuning writers in cells, drawn with pens of 0.03 to 0.06
of their height: of 1440 digits 68 were wrong as they stood and 15 at 0.1, of 1440 capitals 123 and
91. Free fields are left as they are: nothing was measured there.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge_runtime.lines import Gray, stroke_width_px
from edge_runtime.preprocess import IntBox, ink_box

_STROKE = 0.1  # of the glyph's height
_FLAT = 0.5  # of its width counts as the height of a dash
_INK = 90  # fainter pixels are grain, as in `preprocess`


def thickened(ink: Gray, line: tuple[float, float] | None, *, box: IntBox | None = None) -> Gray:
    """The ink of one cell with strokes no thinner than a tenth of its glyph's height.

    Args:
        ink: uint8 (h, w), ink bright on black.
        line: Top and bottom row of the writing that the glyph is of, where that is known.
        box: The ink's, from `ink_box`, where that is known.

    Returns:
        uint8 (h, w): the very same pixels where the strokes are wide enough.
    """
    box = ink_box(ink) if box is None else box
    if box is None:
        return ink
    x0, y0, x1, y1 = box
    high = max(y1 - y0, _FLAT * (x1 - x0), line[1] - line[0] if line is not None else 0)
    lack = round(_STROKE * high - stroke_width_px(ink))
    if lack < 1:
        return ink
    pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (lack + 1, lack + 1))
    strokes = np.where(ink >= _INK, ink, np.uint8(0))
    return np.asarray(cv2.max(ink, cv2.dilate(strokes, pen)), np.uint8)
