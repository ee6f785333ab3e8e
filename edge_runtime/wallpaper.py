"""Pale tiles all over a page: security print, and no check boxes.

Owns:   `without_wallpaper`.
Needs:  numpy, `found`, `rulings`.
Words:  a *tile* is an area of one tone; a check box has lines around paper.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_runtime.found import Found, Rect
from edge_runtime.rulings import MM, Gray

_FEWEST = 60  # tiles; no form has as many boxes from edge to edge of its paper
_ONE_SIZE = 0.2  # of the usual side, by which they differ at most
_EDGE, _SIDES = 8 * MM, 2.5  # so near they come to each edge, or so many of their sides
_FLAT, _PALE = 0.3, 90.0  # of its depth, by which a tile's rim differs from its middle; its depth
_MOST = 0.8  # of them are such tiles


def without_wallpaper(found: Sequence[Found], picture: Gray) -> list[Found]:
    """The places to write without pale tiles that cover the page from edge to edge.

    Args:
        found: On the sheet.
        picture: uint8 (h, w), the sheet, dark on light.
    """
    marks = [one for one in found if one.kind is not None and not one.round]
    if len(marks) < _FEWEST:
        return list(found)
    boxes = np.array([one.box for one in marks])
    sides = (boxes[:, 2:] - boxes[:, :2]).mean(axis=1)
    usual = float(np.median(sides))
    alike = np.abs(sides - usual) <= _ONE_SIZE * usual
    if alike.sum() < _FEWEST or not _from_edge_to_edge(boxes[alike], usual, picture.shape):
        return list(found)
    tiles = [one for one, like in zip(marks, alike, strict=True) if like]
    if np.mean([_is_tile(one.box, picture) for one in tiles]) < _MOST:
        return list(found)
    gone = set(map(id, tiles))
    return [one for one in found if id(one) not in gone]


def _from_edge_to_edge(boxes: NDArray[np.float64], side: float, shape: tuple[int, ...]) -> bool:
    near = max(_EDGE, _SIDES * side)
    (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return bool(max(x0, y0) <= near and shape[1] - x1 <= near and shape[0] - y1 <= near)


def _is_tile(box: Rect, picture: Gray) -> bool:
    """Whether a box is as dark at its rim as in its middle, and not dark at all."""
    x0, y0, x1, y1 = map(round, box)
    h, w = picture.shape
    rim, out = max(2, round(0.15 * (x1 - x0))), max(3, round(0.25 * (x1 - x0)))
    own = picture[y0 + 1 : y1 - 1, x0 + 1 : x1 - 1].astype(np.float64)
    middle = own[2 * rim : -2 * rim, 2 * rim : -2 * rim]
    if not middle.size:
        return False
    around = picture[max(0, y0 - out) : min(h, y1 + out), max(0, x0 - out) : min(w, x1 + out)]
    paper, inner = float(np.percentile(around, 90)), float(np.median(middle))
    edge = float(np.median(np.concatenate([own[:rim].ravel(), own[-rim:].ravel()])))
    depth = paper - inner
    return 0 < depth <= _PALE and abs(edge - inner) <= _FLAT * depth
