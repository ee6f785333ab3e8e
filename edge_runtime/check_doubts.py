"""What speaks against accepting a check box, however surely it looks marked or empty.

Owns:   `check_doubt`.
Needs:  numpy, cv2.
Words:  a *patch* is a box in the middle of some paper, 0 or 1, strokes 1.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

_CLEAR = 0.12  # of the side, outwards: the box's own lines
_AROUND = 0.05  # of the paper beside three of its sides that is ink, where it is circled
_LONG = 0.75  # of the patch's width or height: a line of the form's, and no stroke around a box
_CORE, _DOT = 0.3, 0.02  # of the side: about its middle; and of that what is no speck
_BAND, _OUT = 0.3, 0.3  # of the side: how far off its middle a box is struck out; and beyond it


def check_doubt(patch: Gray, *, rim: int, marked: bool) -> str:
    """Why not to accept a box; "" where nothing speaks against it.

    Args:
        patch: uint8 (h, w), h and w alike.
        rim: Pixels of paper on each side of the box.
        marked: It looks marked inside.
    """
    side = patch.shape[0] - 2 * rim
    if marked:
        return "struck through" if _is_struck(patch, rim, side) else ""
    if _is_dotted(patch, rim, side):
        return "a dot in the box"
    return "ink around the box" if _is_circled(patch, rim, side) else ""


def _is_struck(patch: Gray, rim: int, side: int) -> bool:
    """Whether ink of one piece goes through the box and beyond it on both sides, at its middle."""
    _, labels = cv2.connectedComponents(patch, connectivity=8)
    middle, half, out = rim + side // 2, round(_BAND * side), round(_OUT * side)
    band = labels[middle - half : middle + half + 1]
    left, right = band[:, max(0, rim - out)], band[:, min(labels.shape[1] - 1, rim + side + out)]
    both = np.intersect1d(left[left > 0], right[right > 0])
    return both.size > 0


def _is_dotted(patch: Gray, rim: int, side: int) -> bool:
    """Whether there is ink in the middle, short as it may be."""
    rows, columns = np.mgrid[: patch.shape[0], : patch.shape[1]]
    middle = rim + side / 2 - 0.5
    core = np.hypot(columns - middle, rows - middle) <= _CORE * side
    return float(patch[core].mean()) >= _DOT


def _is_circled(patch: Gray, rim: int, side: int) -> bool:
    """Whether there is ink beside three sides of the box or all, lines of the form left out."""
    away = rim - round(_CLEAR * side)
    free = _without_lines(patch)
    inside = slice(rim, rim + side)
    beside = (free[:away, inside], free[-away:, inside], free[inside, :away], free[inside, -away:])
    return sorted(float(part.mean()) for part in beside)[1] >= _AROUND


def _without_lines(patch: Gray) -> Gray:
    """Without rows and columns that are ink nearly from end to end, a pixel of slope allowed."""
    out = patch.copy()
    for one, high in ((out, (3, 1)), (out.T, (1, 3))):
        thick = cv2.dilate(patch, np.ones(high, np.uint8))
        seen = thick if one is out else thick.T
        one[seen.mean(1) >= _LONG] = 0
    return out
