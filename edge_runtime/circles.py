"""Round check boxes: rings that stand beside labels, one chosen among several.

Owns:   `circles`, `is_like_any`.
Needs:  numpy, cv2, `components`, `found`, `rulings`.
Words:  a *ring* is ink along a circle with paper around it. A letter O has neighbours; a lone ring
        is a picture. Two of one size in a row or a column, with print beside them, ask for marks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.components import components_of
from edge_runtime.found import Rect, overlap
from edge_runtime.rulings import Gray, Sheet

Floats = NDArray[np.float64]

# Lengths are millimetres of A4, which every page is taken for.
_A4 = 297.0
_SIDES = (2.4, 5.8)  # of a ring: bullets are smaller
_ROUND, _ROUND_PX = 0.09, 1.6  # of a side by which width and height may differ; and pixels
_ANGLES = 64
_SEEN, _SURE = 0.9, 0.95  # of a ring that is ink: marks add to it; less than the latter is in doubt
_THICK = 0.34  # of the radius: thicker it is a disc
_BEYOND = 0.03  # of a ring's ink that may lie outside of it
_CLEAR_PX, _CLEAR, _CLEAR_INK = 2.0, 0.8, 0.03  # from the ring so far is paper; ink there
_ROOM = (3.0, 1.1)  # of paper at one side at least; times its own side
_ALIKE, _ALIKE_PX = 0.08, 1.6  # by which sides of one group differ
_ALIGNED = 0.25  # of a side by which they may miss a row or a column
_FAR = 75.0  # from a ring to its like
_LABEL = (0.9, 7.0)  # from a ring to its label
_LABELLED = 0.5  # of a group's rings, at least
_GRID = 4  # rings in rows and columns: a table of answers needs no labels beside them
_CORE, _MARK = 0.25, 0.05  # of a ring's side; ink within that is a mark
_NUMBERED = 0.75  # of a group's rings that hold something: those are numbers, or letters
_NEXT = 1.2  # other ink so near to the side: a letter's neighbour
_SOLID = 0.5  # of what is around a ring that is ink: a bar, or a picture


def circles(sheet: Sheet, is_letter: Callable[[Rect], bool]) -> list[tuple[Rect, bool]]:
    """The round check boxes of a sheet.

    Args:
        sheet: The page.
        is_letter: Whether a ring is an O of its print.

    Returns:
        Boxes around them, each with whether its ring is seen nearly whole.
    """
    mm = max(sheet.ink.shape) / _A4
    plain = [one for one in _rings(sheet.ink, mm) if not is_letter(one)]
    groups = [group for group in _groups(plain, mm) if _is_asked(group, sheet.ink, mm)]
    out = [(box, True) for group in groups for box in group]
    for group in groups:
        for box in group:
            out += _marked(box, sheet.ink, [one for one, _ in out], mm)
    return out


def is_like_any(box: Rect, rings: Sequence[Rect], shape: tuple[int, ...]) -> bool:
    """Whether a check box is as large as a ring in its row or column on a sheet of that shape: a
    ring, too, that a cross gave corners."""
    return any(_in_line(box, ring, max(shape) / _A4) for ring in rings)


def _rings(ink: Gray, mm: float) -> list[Rect]:
    """Rings that stand alone, nothing but paper around them."""
    seen = components_of(ink, 1)
    x, y, w, h, area = seen.stats.T
    low, high = (side * mm for side in _SIDES)
    fit = (np.minimum(w, h) >= low) & (np.maximum(w, h) <= high)
    fit &= np.abs(w - h) <= np.maximum(_ROUND_PX, _ROUND * np.maximum(w, h))
    fit &= area <= 0.6 * w * h  # a quarter of a disc's bounds is paper, of a ring's most
    out = []
    for k in np.flatnonzero(fit).tolist():
        box = (float(x[k]), float(y[k]), float(x[k] + w[k]), float(y[k] + h[k]))
        part = (seen.labels[y[k] : y[k] + h[k], x[k] : x[k] + w[k]] == k + 1).astype(np.uint8)
        if _is_ring(part) and _stands_alone(box, ink, mm) and _has_room(box, ink, mm):
            out.append(box)
    return out


def _is_ring(part: Gray) -> bool:
    """Whether a piece of ink goes around once, thin, with nothing outside of its circle."""
    h, w = part.shape
    middle, radius = ((w - 1) / 2, (h - 1) / 2), (w + h) / 4
    rows, columns = np.nonzero(part)
    away = np.hypot(columns - middle[0], rows - middle[1])
    if (away > radius + 1.0).mean() > _BEYOND:
        return False
    # Along each ray from outside: where ink begins, and how deep it goes.
    reach = np.arange(radius, radius * (1 - _THICK) - 2, -0.5)
    t = np.linspace(0, 2 * np.pi, _ANGLES, endpoint=False)
    xs = np.rint(middle[0] + np.outer(np.cos(t), reach)).astype(np.intp).clip(0, w - 1)
    ys = np.rint(middle[1] + np.outer(np.sin(t), reach)).astype(np.intp).clip(0, h - 1)
    ray = part[ys, xs] > 0
    begins = ray[:, : max(4, round(0.4 * radius))].any(1)
    thin = ~ray[:, -1]
    return bool(begins.mean() >= _SEEN and thin.mean() >= _SEEN)


def _stands_alone(box: Rect, ink: Gray, mm: float) -> bool:
    return _ink_around(box, ink, _CLEAR_PX, _CLEAR * mm) <= _CLEAR_INK


def _has_room(box: Rect, ink: Gray, mm: float) -> bool:
    """Whether paper is at the left or at the right: a letter O between words has room at none."""
    x0, y0, x1, y1 = (round(edge) for edge in box)
    room = round(max(_ROOM[0] * mm, _ROOM[1] * _side(box)))
    left, right = ink[y0:y1, max(0, x0 - room) : max(0, x0 - 1)], ink[y0:y1, x1 + 1 : x1 + room]
    return not (left.any() and right.any())


def _ink_around(box: Rect, ink: Gray, near: float, far: float) -> float:
    """The share of ink between two distances from a circle."""
    x0, y0, x1, y1 = box
    cx, cy, radius = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0 + y1 - y0) / 4
    left, top = max(0, int(x0 - far)), max(0, int(y0 - far))
    part = ink[top : int(y1 + far) + 1, left : int(x1 + far) + 1]
    rows, columns = np.mgrid[: part.shape[0], : part.shape[1]]
    away = np.hypot(columns + left + 0.5 - cx, rows + top + 0.5 - cy) - radius
    ring = part[(away >= near) & (away <= far)]
    return float(ring.mean()) if ring.size else 0.0


def _groups(rings: Sequence[Rect], mm: float) -> list[list[Rect]]:
    """Rings of one size, each in a row or a column with another."""
    groups: list[list[Rect]] = []
    for box in rings:
        mine = [group for group in groups if any(_in_line(box, other, mm) for other in group)]
        groups = [group for group in groups if group not in mine]
        groups.append([box, *(one for group in mine for one in group)])
    return [group for group in groups if len(group) > 1]


def _in_line(a: Rect, b: Rect, mm: float) -> bool:
    side, other = _side(a), _side(b)
    off = abs(a[0] + a[2] - b[0] - b[2]) / 2, abs(a[1] + a[3] - b[1] - b[3]) / 2
    alike = abs(side - other) <= max(_ALIKE_PX, _ALIKE * side)
    return alike and min(off) <= _ALIGNED * side and max(off) <= _FAR * mm


def _side(box: Rect) -> float:
    return (box[2] - box[0] + box[3] - box[1]) / 2


def _is_asked(group: Sequence[Rect], ink: Gray, mm: float) -> bool:
    """Whether a group of rings is there to be marked: labels beside them, and not all numbered."""
    full = [_inner_ink(box, ink) for box in group]
    if sum(full) >= _NUMBERED * len(group):
        return False
    labelled = [_has_label(box, ink, mm) for box in group]
    if sum(labelled) >= _LABELLED * len(group):
        return True
    return len(group) >= _GRID and all(
        any(_is_level(box, one) for one in group) and any(_is_under(box, one) for one in group)
        for box in group
    )


def _is_level(a: Rect, b: Rect) -> bool:
    return a is not b and abs(a[1] - b[1]) <= _ALIGNED * _side(a)


def _is_under(a: Rect, b: Rect) -> bool:
    return a is not b and abs(a[0] - b[0]) <= _ALIGNED * _side(a)


def _inner_ink(box: Rect, ink: Gray) -> bool:
    x0, y0, x1, y1 = (round(edge) for edge in box)
    rim = round(0.3 * _side(box))
    return bool(ink[y0 + rim : y1 - rim, x0 + rim : x1 - rim].any())


def _has_label(box: Rect, ink: Gray, mm: float) -> bool:
    """Whether something stands at the right or the left, as high as the ring."""
    x0, y0, x1, y1 = (round(edge) for edge in box)
    near, far = (round(edge * mm) for edge in _LABEL)
    right = ink[y0:y1, x1 + near : x1 + far]
    left = ink[y0:y1, max(0, x0 - far) : max(0, x0 - near)]
    return bool(right.any() or left.any())


def _marked(box: Rect, ink: Gray, known: Sequence[Rect], mm: float) -> list[tuple[Rect, bool]]:
    """Rings of the size of `box` in its row and its column that somebody marked."""
    h, w = ink.shape
    side, far, stray = round(_side(box)), round(_FAR * mm), 3
    cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    out: list[tuple[Rect, bool]] = []
    reach = side // 2 + stray + 2
    for wide, high in ((far, reach), (reach, far)):
        left, top = max(0, round(cx - wide)), max(0, round(cy - high))
        part = ink[top : min(h, round(cy + high) + 1), left : min(w, round(cx + wide) + 1)]
        seen = _support(part, side)
        while seen.size and seen.max() >= _SEEN:
            row, column = np.unravel_index(int(seen.argmax()), seen.shape)
            share = float(seen[row, column])
            seen[max(0, row - side) : row + side, max(0, column - side) : column + side] = 0.0
            x, y = float(left + column) + 0.5, float(top + row) + 0.5
            one = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
            taken = [*known, *(other for other, _ in out)]
            if not any(overlap(one, other) for other in taken) and _may_be(one, ink, mm):
                out.append((one, share >= _SURE))
    return out


def _support(part: Gray, side: int) -> Floats:
    """Of a ring around every pixel of a part of the ink the share that is ink, a pixel of stray
    allowed."""
    radius = side / 2 - 1.0
    size = 2 * (side // 2 + 1) + 1
    if min(part.shape) < size:
        return np.zeros((0, 0))
    t = np.linspace(0, 2 * np.pi, 2 * _ANGLES, endpoint=False)
    kernel = np.zeros((size, size), np.float32)
    at = np.rint(size // 2 + radius * np.stack([np.sin(t), np.cos(t)])).astype(np.intp)
    kernel[at[0], at[1]] = 1
    thick = cv2.dilate(part, np.ones((3, 3), np.uint8)).astype(np.float32)
    seen = cv2.filter2D(thick, cv2.CV_32F, kernel / kernel.sum(), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(seen, np.float64)


def _may_be(box: Rect, ink: Gray, mm: float) -> bool:
    """Whether no letters stand beside it: what touches the ring is a mark, other ink is not."""
    if _ink_around(box, ink, 2.0, 0.25 * _side(box)) > _SOLID:
        return False
    x0, y0, x1, y1 = (round(edge) for edge in box)
    rim = round(_CORE * _side(box))
    if ink[y0 + rim : y1 - rim, x0 + rim : x1 - rim].mean() < _MARK:
        return False  # not marked, and seen plainly it would be known
    near = round(_NEXT * mm)
    left, right = max(0, x0 - near), x1 + near
    part = np.ascontiguousarray(ink[max(0, y0) : y1, left:right])
    if not part.size:
        return False
    _, labels = cv2.connectedComponents(part, connectivity=8)
    own = np.unique(labels[:, x0 - left : x1 - left])
    beside = np.concatenate([labels[:, : x0 - left - 1], labels[:, x1 - left + 1 :]], axis=1)
    return bool(np.isin(beside[beside > 0], own).all())
