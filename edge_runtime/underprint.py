"""Pale print that other print stands on: the waves of a cheque, the words of a watermark, blots.

Owns:   `underprint`.
Needs:  numpy, cv2, `rulings`, `writing`.
Words:  *depth*: grey levels by which ink is darker than the paper around it.

Nobody writes over the printed words of a form line after line; a security print lies under them as
it lies everywhere. So pale ink between the letters of print tells what pale ink elsewhere is.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.found import Rect
from edge_runtime.rulings import MM, Gray, Sheet
from edge_runtime.writing import Word

_DEEPEST = 3  # the word so many words are darker than tells how dark ink is here
_PALE = 0.5  # of that: darker ink is somebody's
_PAD = round(1.0 * MM)  # around dark words that is looked at
_EDGE = 11  # pixels: what is grey at the edges of dark ink, and what a JPEG makes of them
_FEWEST_WORDS = 12  # that are pale: fewer may be a remark in pencil
_FEWEST = round(60 * MM * MM)  # pixels of paper that have to be seen among dark words
_SHARE, _LEAST = 0.3, 0.02  # of the density on the whole page, and of the paper: among dark words


def underprint(sheet: Sheet, words: Sequence[Word], pale: Sequence[Word]) -> list[bool]:
    """Which of some words are no writing, but pale print that goes on under dark ink.

    Args:
        sheet: The page.
        words: All of its words.
        pale: Those of them that may be writing.
    """
    none = [False] * len(pale)
    if len(pale) < _FEWEST_WORDS:
        return none
    depths = [_depth(sheet, one.box) for one in words]
    most = _PALE * sorted(depths)[-min(len(depths), _DEEPEST)]
    light = [_depth(sheet, one.box) < most for one in pale]
    if sum(light) < _FEWEST_WORDS:
        return none
    among = np.array(
        [
            _pale_ink(sheet, one.box, most, _PAD)
            for one, depth in zip(words, depths, strict=True)
            if depth >= most
        ]
    ).sum(axis=0)
    h, w = sheet.ink.shape
    ours = sum(
        _pale_ink(sheet, one.box, most, 0)[0] for one, so in zip(pale, light, strict=True) if so
    )
    least = max(_LEAST, _SHARE * ours / (h * w))
    return light if among[1] >= _FEWEST and among[0] >= least * among[1] else none


def _part(sheet: Sheet, box: Rect, pad: int = 0) -> tuple[Gray, Gray]:
    x0, y0, x1, y1 = (round(side) for side in box)
    rows, columns = slice(max(0, y0 - pad), y1 + pad), slice(max(0, x0 - pad), x1 + pad)
    return sheet.picture[rows, columns], sheet.ink[rows, columns]


def _depth(sheet: Sheet, box: Rect) -> float:
    """Of the darkest quarter of the ink in a box; 0 where it has no ink or no paper."""
    picture, ink = _part(sheet, box)
    own, paper = picture[ink > 0], picture[ink == 0]
    if not own.size or not paper.size:
        return 0.0
    return float(np.quantile(paper, 0.75)) - float(np.quantile(own, 0.25))


def _pale_ink(sheet: Sheet, box: Rect, most: float, pad: int) -> tuple[int, int]:
    """Pixels of ink paler than `most`, and of all that is not at dark ink, around a box."""
    picture, ink = _part(sheet, box, pad)
    if not (ink == 0).any():
        return 0, 0
    dark = (float(np.quantile(picture[ink == 0], 0.75)) - picture >= most).astype(np.uint8)
    clear: NDArray[np.bool_] = cv2.dilate(dark, np.ones((_EDGE, _EDGE), np.uint8)) == 0
    return int(np.count_nonzero(clear & (ink > 0))), int(np.count_nonzero(clear))
