"""Cells that a scan no longer shows: their number by the writing that stands in them.

Owns:   `cells_by_writing`.
Needs:  numpy, cv2.
Words:  forms are printed in pale colours that scanners are made to lose, and the lines between the
        cells go first. Whoever filled them in saw them: the glyphs stand one a cell, near its
        middle. A blank form gives nothing to go by, and is told so.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.rulings import MM, Gray

Rect = tuple[float, float, float, float]
Floats = NDArray[np.float64]
_Sort = tuple[int, ...]  # numbers of boxes

_PITCH = (3.4 * MM, 12 * MM)
_WIDE, _NARROW = 1.5, 0.4  # width of a cell over its height
_FEWEST = 2  # glyphs of a box that has a say
_SPREAD = 0.13  # of a cell's width: how far from its middle a glyph stands; measured on drawn forms
_CLASH = 2.5  # nats that two glyphs in one cell cost
_SURE = 8.0  # nats by which cells must explain the places better than chance; 40 pitches are tried
_SOME = 1.0  # nats from which a box is counted with its like
_ALIKE = 0.15  # of their height: boxes this much alike are of one print
_SAME_PITCH, _SAME_SIZE = 0.03, 0.015
_SPECK, _TOGETHER = 0.8 * MM, 0.3 * MM


def cells_by_writing(boxes: Sequence[Rect], ink: Gray) -> list[int]:
    """How many cells each box seems to have; 0 where the writing does not say.

    Args:
        boxes: Boxes without lines inside, pixels.
        ink: uint8 (h, w), 0 or 1, with the boxes' own lines.
    """
    out = [0] * len(boxes)
    left = _sorts(boxes)
    glyphs = [_glyphs(box, ink) for box in boxes]
    while left:
        gain, cells = max((_like(boxes, glyphs, left, own) for own in left), key=lambda one: one[0])
        if gain < _SURE:
            break
        for sort, n in cells.items():
            for k in sort:
                out[k] = n
        left = [sort for sort in left if sort not in cells]
    return out


def _sorts(boxes: Sequence[Rect]) -> list[_Sort]:
    """Boxes of one size: they have the same cells, or none has any."""
    out: list[_Sort] = []
    for k, box in enumerate(boxes):
        for at, sort in enumerate(out):
            if _same_size(box, boxes[sort[0]]):
                out[at] = (*sort, k)
                break
        else:
            out.append((k,))
    return out


def _like(
    boxes: Sequence[Rect], glyphs: Sequence[Floats], sorts: Sequence[_Sort], own: _Sort
) -> tuple[float, dict[_Sort, int]]:
    """The pitch of sort `own` that explains it and its like best: the gain, and cells by sort."""
    high = boxes[own[0]][3] - boxes[own[0]][1]
    alike = [
        sort for sort in sorts
        if abs(boxes[sort[0]][3] - boxes[sort[0]][1] - high) <= _ALIKE * high
    ]  # fmt: skip
    best: tuple[float, dict[_Sort, int]] = (0.0, {})
    for pitch in _pitches(boxes[own[0]]):
        kept: dict[_Sort, int] = {}
        total = 0.0
        for sort in alike:
            fits = [_fit(boxes[k], glyphs[k], pitch) for k in sort if len(glyphs[k]) >= _FEWEST]
            gain = sum(one for _, one in fits)
            if gain > _SOME:
                kept[sort] = max(n for n, _ in fits)
                total += gain
        if own in kept and total > best[0]:
            best = (total, kept)
    return best


def _same_size(a: Rect, b: Rect) -> bool:
    (w, h), (width, height) = ((one[2] - one[0], one[3] - one[1]) for one in (a, b))
    return abs(w - width) <= _SAME_SIZE * width and abs(h - height) <= _ALIKE * height


def _pitches(box: Rect) -> list[float]:
    wide, high = box[2] - box[0], box[3] - box[1]
    low, most = max(_PITCH[0], _NARROW * high), min(_PITCH[1], _WIDE * high)
    return [wide / n for n in range(2, 81) if low <= wide / n <= most]


def _fit(box: Rect, places: Floats, pitch: float) -> tuple[int, float]:
    """Cells of about this width in a box, and how much better than chance they fit, nats."""
    wide = box[2] - box[0]
    n = round(wide / pitch)
    if n < 2 or abs(wide / n - pitch) > _SAME_PITCH * pitch:
        return 0, 0.0
    at = (places - box[0]) * n / wide
    cell = np.floor(at)
    off = at - cell - 0.5
    gain = -0.5 * (off / _SPREAD) ** 2 - np.log(_SPREAD * np.sqrt(2 * np.pi))
    clashes = at.size - np.unique(cell).size
    return n, float(gain.sum() - _CLASH * clashes)


def _glyphs(box: Rect, ink: Gray) -> Floats:
    """Middles of what stands side by side in a box, columns of the page."""
    pad = round(0.4 * MM)
    x0, y0, x1, y1 = (round(edge) for edge in box)
    part = np.ascontiguousarray(ink[max(0, y0 + pad) : y1 - pad, max(0, x0 + pad) : x1 - pad])
    if part.size == 0:
        return np.zeros(0)
    count, _, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    spans: list[list[float]] = []
    for x, _, w, h, _ in sorted(stats[1:count].tolist()):
        if max(w, h) < _SPECK:
            continue
        if spans and x <= spans[-1][1] + _TOGETHER:
            spans[-1][1] = max(spans[-1][1], x + w)
        else:
            spans.append([x, x + w])
    return np.array([x0 + pad + (a + b) / 2 for a, b in spans])
