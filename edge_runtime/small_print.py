"""Headings told from lines to write on, by how low their letters are.

Owns:   `print_above`.
Needs:  numpy, cv2, `rulings`, `found`.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge_runtime.found import Rect
from edge_runtime.rulings import MM, Ruling, Sheet

_PRINT = 2.7 * MM  # rows up to this high, tails and all, are print: 8 points and less
_PRINT_GAP = 1.2 * MM  # from letter to letter
_PRINTED = 0.3  # of a frame's width that print takes up
_SPECK = 0.6 * MM
_HEADING, _UNDER = 5.5 * MM, 1.5 * MM  # from a heading's top, and from its foot, to its line


def _bands(box: Rect, sheet: Sheet) -> tuple[list[tuple[int, int, float]], int]:
    """Rows of ink in a box: from, to, share of its width; and the height of its inside."""
    pad = 3
    x0, y0, x1, y1 = (round(edge) for edge in box)
    part = sheet.ink[max(0, y0 + pad) : y1 - pad, x0 + pad : x1 - pad]
    if part.size == 0:
        return [], 0
    edges = np.flatnonzero(np.diff(part.any(1).astype(np.int8), prepend=0, append=0))
    wide = np.ones((1, round(_PRINT_GAP)), np.uint8)
    bands = [
        (a, b, float(cv2.dilate(part[a:b], wide).any(0).mean()))
        for a, b in edges.reshape(-1, 2).tolist()
        if b - a >= _SPECK
    ]
    return bands, part.shape[0]


def print_above(one: Ruling, sheet: Sheet) -> bool:
    """Whether one low row of letters stands right on the line: a heading that is underlined."""
    bands, high = _bands((one.start, one.at - _HEADING, one.stop, one.at), sheet)
    if not bands:
        return False
    top, bottom, taken = bands[-1]
    low = top > 0 and bottom - top <= _PRINT and high - bottom <= _UNDER
    return low and taken >= _PRINTED
