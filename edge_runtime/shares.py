"""From clean ink to cells: their boxes, and to each the strokes that are its own.

Owns:   `Ink`, `cell_boxes`, `share_ink`.
Needs:  numpy, cv2, `components`, `printed`, `field`.
Words:  *ink* is bright on black; *clean* ink is without what is printed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.components import components_of
from edge_runtime.field import Box
from edge_runtime.kernels import full_kernel
from edge_runtime.lines import Gray
from edge_runtime.printed import Printed, rails

_PART = 0.3  # of a component: what two cells hold this much of is two glyphs that touch
_REMAINS = 0.06  # of the cell's height: how far a border's remains stand from its middle
_SIDE = 0.4  # of the cell's width: the most that its borders' remains take on a side
_STROKE = 60  # a pixel of this much ink belongs to a component


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """Ink of a field or a cell, and where in the crop it was."""

    pixels: Gray  # (h, w), ink bright on black
    offset: tuple[int, int]  # (x, y) of its top left pixel in the crop


def cell_boxes(shape: tuple[int, ...], printed: Printed, n: int) -> tuple[Box, ...]:
    h, w = shape
    top, bottom = rails(printed.level, h)
    x = np.array([line.row for line in printed.upright])
    if n == 1:
        left, right = (x.min(), x.max()) if x.size >= 2 else (0.0, float(w))
        spans = [(float(left), float(right))]
    else:
        spans = _spans(printed, w, n)
    boxes = []
    for left, right in spans:
        column = min(w - 1, max(0, round((left + right) / 2)))
        sink = 0 if printed.shear is None else int(printed.shear[column])
        y0 = 0.0 if top is None else max(0.0, float(top + sink))
        y1 = float(h) if bottom is None else min(float(h), float(bottom + sink + 1))
        boxes.append((left, y0, right, y1))
    return tuple(boxes)


def _spans(printed: Printed, w: int, n: int) -> list[tuple[float, float]]:
    """Left and right of every cell: from line to line, evenly where there are none."""
    borders = printed.borders
    if borders is None:
        left = min((line.start for line in printed.level), default=0)
        right = max((line.stop for line in printed.level), default=w)
        borders = np.linspace(left, right, n + 1)
    at = np.array([line.row for line in printed.upright])
    near = 0.3 * (borders[-1] - borders[0]) / n
    # Boxes that stand apart have two lines at a border: the first ends a cell, the last begins one.
    ends, begins = borders.copy(), borders.copy()
    for k, place in enumerate(borders):
        mine = at[np.abs(at - place) <= near]
        if mine.size:
            ends[k], begins[k] = mine.min(), mine.max()
    return [
        (max(0.0, float(x0)), min(float(w), float(x1)))
        for x0, x1 in zip(begins[:-1], ends[1:], strict=True)
    ]


def share_ink(clean: Gray, boxes: Sequence[Box]) -> tuple[Ink, ...]:
    """Give every component to the cell that holds most of it."""
    h, w = clean.shape
    if len(boxes) == 1 and boxes[0] == (0.0, 0.0, float(w), float(h)):
        return (Ink(clean, (0, 0)),)
    edges = np.array(boxes)
    place, border = _places(clean.shape, edges)
    owner = _owners(clean, place, len(boxes), border)
    return tuple(_cut(clean, owner, k, box) for k, box in enumerate(boxes, 1))


def _places(
    shape: tuple[int, ...], edges: NDArray[np.float64]
) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """int16 (h, w), the cell from 1 that a pixel stands in, 0 outside; and uint8 (h, w): 2 near an
    upright border of a cell, 1 near a level one, else 0."""
    h, w = shape
    # Columns to cells; a column between two cells goes to the nearer one.
    middle = (edges[:-1, 2] + edges[1:, 0]) / 2
    column, row = np.arange(w) + 0.5, np.arange(h) + 0.5
    cell = np.searchsorted(middle, column, side="right")
    slack = max(2.0, _REMAINS * float((edges[:, 3] - edges[:, 1]).min()))
    # Where far too many cells were asked for, each keeps its middle: else no ink at all is theirs,
    # and the field would be called blank.
    beside = min(slack, _SIDE * float((edges[:, 2] - edges[:, 0]).min()))
    near_x = np.abs(column - edges[:, [0, 2]].reshape(-1, 1)).min(0) <= beside
    place, border = np.zeros((h, w), np.int16), np.zeros((h, w), np.uint8)
    steps = [0, *(np.flatnonzero(np.diff(cell)) + 1).tolist(), w]
    for left, right in itertools.pairwise(steps):
        k = int(cell[left])
        top, bottom = edges[k, 1], edges[k, 3]
        first, last = np.searchsorted(row, top), np.searchsorted(row, bottom, side="right")
        place[first:last, left:right] = k + 1
        border[: np.searchsorted(row, top + slack), left:right] = 1
        border[np.searchsorted(row, bottom - slack, side="right") :, left:right] = 1
    border[:, near_x] = 2
    place[:, (column < edges[0, 0]) | (column > edges[-1, 2])] = 0
    return place, border


def _owners(
    clean: Gray, place: NDArray[np.int16], n: int, border: NDArray[np.uint8]
) -> NDArray[np.int16]:
    """int16 (h, w): the cell, from 1, that each pixel belongs to; 0 is nobody's.

    `border` is 2 near an upright border of a cell, 1 near a level one, else 0.
    """
    seen = components_of(clean, _STROKE)
    at = np.flatnonzero(clean >= _STROKE)
    if at.size == 0:
        return place
    count = seen.count
    label, cell = seen.labels[clean >= _STROKE].astype(np.intp), place.ravel()[at]
    held = np.bincount(label * (n + 1) + cell, minlength=count * (n + 1)).reshape(count, n + 1)
    most = held.argmax(1).astype(np.int16)
    # Two glyphs that touch across a border are one component: where a second cell holds a good
    # part of it, every cell keeps what stands in it.
    if n > 1:
        second = np.partition(held[:, 1:], -2, axis=1)[:, -2]
        most[(second > 0) & (second >= _PART * held.sum(1))] = -1
    # A glyph that touches what stands outside: again, what stands in a cell is the cell's.
    whole = held.sum(1)
    edge = border.ravel()[at]
    inner = np.bincount(label, (edge == 0) & (cell > 0), count)
    most[(most == 0) & (inner >= 0.15 * whole)] = -1
    # What is left of borders: flat, or specks between two cells, where no full stop stands.
    sides = np.zeros((count, 2), np.int32)
    sides[1:] = seen.stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    flat = sides.max(1) >= 3 * sides.min(1)
    most[flat & (np.bincount(label, edge > 0, count) >= 0.9 * whole)] = 0
    most[np.bincount(label, edge == 2, count) >= 0.9 * whole] = 0
    mine = np.where(most[label] < 0, cell, most[label])
    claimed = np.full(place.shape, -1, np.int16)
    claimed.ravel()[at] = mine
    # The grey edge of a stroke goes where the stroke goes.
    grown = cv2.dilate(claimed, full_kernel(3, 3))
    owner = np.asarray(grown, np.int16)
    np.copyto(owner, place, where=owner < 0)
    owner.ravel()[at] = mine
    return owner


def _cut(clean: Gray, owner: NDArray[np.int16], cell: int, box: Box) -> Ink:
    """The ink of one cell in a window that holds its box, and what of its ink stands outside."""
    h, w = clean.shape
    x0, y0 = min(w - 1, max(0, round(box[0]))), min(h - 1, max(0, round(box[1])))
    x1, y1 = max(x0 + 1, min(w, round(box[2]))), max(y0 + 1, min(h, round(box[3])))
    far = x1 - x0  # a glyph reaches no farther than through the next cell
    left, right = max(0, x0 - far), min(w, x1 + far)
    kept = clean[:, left:right] * (owner[:, left:right] == cell)
    col, row, wide, high = cv2.boundingRect((kept >= _STROKE).view(np.uint8))
    if wide:
        x0, x1 = min(x0, left + col), max(x1, left + col + wide)
        y0, y1 = min(y0, row), max(y1, row + high)
    return Ink(np.ascontiguousarray(kept[y0:y1, x0 - left : x1 - left]), (x0, y0))
