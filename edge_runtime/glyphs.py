"""Where each character stands: from the network's frames back to the ink.

Owns:   the boxes of glyphs in a free field and in cells, and carrying boxes over a homography.
Needs:  numpy, cv2; `segment` and `preprocess` for their values.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.field import Box
from edge_runtime.preprocess import Strip
from edge_runtime.segment import Ink

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_STROKE = 90  # a pixel of this much ink, of 255, belongs to a stroke, as in `preprocess`


def line_boxes(
    spans: Sequence[tuple[int, int]], ink: Ink, strip: Strip, stride_px: int
) -> list[Box]:
    """Boxes of the glyphs of a line, in pixels of the crop.

    The network's spikes say about where a glyph is, not where it ends. Between two of them the cut
    goes where a column holds the least ink, and each part is then drawn tight around its strokes.

    Args:
        spans: First and last frame (exclusive) of each glyph, in reading order.
        ink: The line's ink.
        strip: The strip made of it.
        stride_px: Strip pixels for one frame.
    """
    if not spans:
        return []
    w = ink.pixels.shape[1]
    x0, scale = strip.x0, strip.scale_x
    middles = [x0 + t0 * stride_px / scale + (x0 + t1 * stride_px / scale) for t0, t1 in spans]
    centers = [min(w - 1, max(0, round(middle / 2))) for middle in middles]
    columns = cv2.reduce(ink.pixels, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel().tolist()
    first, last = round(strip.to_crop(0, 0)[0]), round(strip.to_crop(0, strip.pixels.shape[1])[1])
    cuts = [max(0, min(first, centers[0])), *(_cut(columns, *pair) for pair in pairwise(centers))]
    cuts.append(min(w, max(last, centers[-1] + 1)))
    mask = _strokes(ink)
    return [_tight(mask, left, max(left + 1, right), ink.offset) for left, right in pairwise(cuts)]


def cell_box(ink: Ink) -> Box:
    """Box of a cell's strokes, in pixels of the crop; all of the cell if there are none."""
    return _tight(_strokes(ink), 0, ink.pixels.shape[1], ink.offset)


def map_box(box: Box, matrix: Matrix) -> Box:
    """The upright box around a box carried over by a homography.

    Args:
        box: In pixels of the one picture.
        matrix: float64 (3, 3), from that picture to the other.
    """
    (moved,) = map_boxes([box], matrix)
    return moved


def map_boxes(boxes: Sequence[Box], matrix: Matrix) -> list[Box]:
    """As `map_box`, of one box or more."""
    x0, y0, x1, y1 = np.array(boxes, np.float64).T
    corners = np.ones((3, 4, len(boxes)))
    corners[:2] = (x0, x1, x1, x0), (y0, y0, y1, y1)
    x, y, z = (matrix @ corners.reshape(3, -1)).reshape(3, 4, -1)
    xs, ys = x / z, y / z
    ends = np.stack([xs.min(0), ys.min(0), xs.max(0), ys.max(0)], axis=1)
    return [(left, top, right, bottom) for left, top, right, bottom in ends.tolist()]


def _strokes(ink: Ink) -> Gray:
    return np.asarray(cv2.threshold(ink.pixels, _STROKE - 1, 1, cv2.THRESH_BINARY)[1], np.uint8)


def _tight(mask: Gray, left: int, right: int, offset: tuple[int, int]) -> Box:
    """Box of what is not 0 in columns left..right; all of them if nothing is."""
    x, y, w, h = cv2.boundingRect(mask[:, left:right])
    if w == 0:
        x, y, w, h = 0, 0, mask[:, left:right].shape[1], mask.shape[0]
    x, y = x + left + offset[0], y + offset[1]
    return float(x), float(y), float(x + w), float(y + h)


def _cut(columns: Sequence[float], left: int, right: int) -> int:
    """The column from left to right with the least ink; of several, the middle one."""
    if right <= left + 1:
        return left + 1
    between = columns[left + 1 : right]
    least = min(between)
    if between.count(least) == 1:
        return left + 1 + between.index(least)
    places = [at for at, ink in enumerate(between) if ink == least]
    return left + 1 + places[len(places) // 2]
