"""Pale print that dark ink stands on: the waves of a cheque, the words of a watermark, blots.

Owns:   `underprint`.
Needs:  numpy, cv2, `rulings`, `writing`.
Words:  *depth*: grey levels by which ink is darker than the paper around it.

Nobody writes over the printed words of a form line after line; a security print lies under them as
it lies everywhere. So pale ink right beside dark ink tells what pale ink elsewhere is.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge_runtime.found import Rect
from edge_runtime.kernels import full_kernel
from edge_runtime.rulings import MM, Gray, Sheet
from edge_runtime.writing import Word

_DEEPEST = 0.002  # of the page's pixels: so many are as dark as ink is here
# Of that depth: paler ink is pale; the rest is dark where some of it is that dark. Of a pencil's
# strokes beside black print some are paler and some darker than half, and none is dark.
_DARK, _PALE = 0.75, 0.5
_ALL = 0.95  # of the ink in a box: print and writing that have grown together with a screen stay
_BESIDE = round(2.0 * MM) | 1  # pixels across: around dark ink that is looked at
_EDGE = 11  # the same of what is grey at the edges of dark ink, and of what a JPEG makes of them
_FEWEST_WORDS = 8  # that are pale: fewer may be a remark in pencil
_FEWEST = round(60 * MM * MM)  # pixels of paper that have to be seen beside dark ink
_SHARE, _LEAST = 0.15, 0.015  # of the density on the whole page, and of the paper: beside dark ink
_COARSE = 4  # pixels to one of those that tell how light the paper is


def underprint(sheet: Sheet, words: Sequence[Word]) -> list[bool]:
    """Which of some words are no writing, but pale print that goes on under dark ink.

    Args:
        sheet: The page.
        words: Those that may be writing.
    """
    none = [False] * len(words)
    if len(words) < _FEWEST_WORDS:
        return none
    depth = _depth(sheet.picture)
    full = float(np.quantile(depth, 1 - _DEEPEST))
    light = [_is_light(one.box, sheet.ink, depth, _PALE * full) for one in words]
    if sum(light) < _FEWEST_WORDS:
        return none
    dark = _dark(depth, _PALE * full, _DARK * full)
    edges = cv2.dilate(dark, full_kernel(_EDGE, _EDGE))
    beside = cv2.dilate(dark, full_kernel(_BESIDE, _BESIDE)) > edges
    pale = (sheet.ink > 0) & (depth < _PALE * full) & (edges == 0)
    seen, among = np.count_nonzero(beside), np.count_nonzero(beside & pale)
    least = max(_LEAST, _SHARE * float(pale.mean()))
    return light if seen >= _FEWEST and among >= least * seen else none


def _depth(picture: Gray) -> Gray:
    """(h, w), grey levels under the paper around."""
    h, w = picture.shape
    size = max(1, w // _COARSE), max(1, h // _COARSE)
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    side = round(4 * MM / _COARSE) | 1  # as `rulings.ink_of`
    paper = cv2.blur(
        cv2.morphologyEx(small, cv2.MORPH_CLOSE, full_kernel(side, side)), (side, side)
    )
    return np.asarray(cv2.subtract(cv2.resize(paper, (w, h)), picture), np.uint8)


def _dark(depth: Gray, low: float, high: float) -> Gray:
    """0 or 1: what hangs together over the lower depth and reaches the higher one."""
    _, labels = cv2.connectedComponents((depth >= low).astype(np.uint8), connectivity=8)
    reach = np.bincount(labels[depth >= high], minlength=int(labels.max()) + 1) > 0
    reach[0] = False
    return np.asarray(reach[labels], np.uint8)


def _is_light(box: Rect, ink: Gray, depth: Gray, most: float) -> bool:
    """Whether hardly any ink in a box is darker than that."""
    x0, y0, x1, y1 = (max(0, round(side)) for side in box)
    own = depth[y0:y1, x0:x1][ink[y0:y1, x0:x1] > 0]
    return bool(own.size) and float(np.quantile(own, _ALL)) < most
