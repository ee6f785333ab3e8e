"""What is seen of a row of boxes or bubbles of which one is to be marked.

Owns:   `Bubbles`, `look_at_bubbles`, `are_shown`, `boxes_of`, `spread`, `FEATURES`.
Needs:  numpy, cv2, `field`.
Words:  *dark* is by how much of its paper's light a pixel lacks, 0..1. A row's bubbles are printed
        alike: what one has more than the others of its row, or than its like in other rows, is a
        mark. The *core* of a bubble ends short of its printed line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.field import Box

Gray = NDArray[np.uint8]
Floats = NDArray[np.float64]

PAD = 0.8  # of a bubble's height: paper around a row that is looked at
FEATURES = ("dark", "covered", "solid", "darkest", "around", "streak")
_SIDE, _RIM = 40, 20  # pixels that a bubble and the paper around it are looked at with
_STRAY, _ZOOMS = 8, (0.9, 1.0, 1.1)  # pixels by which a row may be off; and its bubbles' size
_PAPER = 75  # per cent of a bubble's surroundings that are no lighter than its paper
_CORE = 0.7  # of the radius
_AROUND = (1.15, 1.5)  # of the radius, beyond its line
_ON = 0.2  # of the paper's light: a pixel that lacks as much is covered
_BRUSH = 7  # pixels: what is thinner is a letter's stroke, or a pen's
_DARKEST = 90  # per cent of the core that is no darker
_LINE_PX = 1.5  # half the width in which a printed line is sought
_OFF_LINE = (1.2, 1.35)  # of the radius: paper beyond a line, by which it is told
_SECTORS, _MOST = 16, 0.8  # directions; and the part in which a line is seen
_SHOWN = 0.05  # by which a line must be darker than the paper beyond it


@dataclass(frozen=True, slots=True, eq=False)
class Bubbles:
    """One row's bubbles, in order."""

    features: Floats  # (n, len(FEATURES))
    blank: Floats | None  # the same of the form's blank reference; None where it has none
    shown: bool  # whether their printed lines are seen where they should be
    sizes: Floats  # (n, 2), pixels of the crop


def spread(box: Box, n: int) -> tuple[Box, ...]:
    """Bubbles from one end of a box to the other, evenly, each as wide as high (or, in a column,
    as high as wide)."""
    x0, y0, x1, y1 = box
    w, h = x1 - x0, y1 - y0
    side = min(w, h)
    if w >= h:
        lefts = [x0 + (w - side) * k / max(1, n - 1) for k in range(n)]
        return tuple((x, y0, x + side, y1) for x in lefts)
    tops = [y0 + (h - side) * k / max(1, n - 1) for k in range(n)]
    return tuple((x0, y, x1, y + side) for y in tops)


def boxes_of(boxes: int | tuple[Box, ...] | None, box: Box) -> tuple[Box, ...]:
    """The boxes of a choice that is marked: as listed, or as many spread in its own."""
    return boxes if isinstance(boxes, tuple) else spread(box, boxes or 1)


def are_shown(pixels: Gray, boxes: Sequence[Box]) -> bool:
    """Whether the printed lines of a row's bubbles are seen; arguments as in `look_at_bubbles`."""
    return _placed(np.median(np.stack([_patch(pixels, box) for box in boxes]), axis=0))[3]


def look_at_bubbles(pixels: Gray, boxes: Sequence[Box], *, printed: Gray | None = None) -> Bubbles:
    """Measure a row.

    Args:
        pixels: uint8 (h, w), dark on light: the row and `PAD` of paper around it.
        boxes: Where the bubbles are, pixels of it; may be off by a fifth of their height.
        printed: uint8 (h, w), what the form's blank reference shows there, dark on light.
    """
    features, shown = _measured(pixels, boxes)
    blank = None if printed is None else _measured(printed, boxes)[0]
    sizes = np.array([(x1 - x0, y1 - y0) for x0, y0, x1, y1 in boxes])
    return Bubbles(features, blank, shown, sizes)


def _measured(pixels: Gray, boxes: Sequence[Box]) -> tuple[Floats, bool]:
    away = _away()
    wide = np.stack([_patch(pixels, box) for box in boxes])
    # Of most of a row's bubbles nothing but print is seen.
    dx, dy, zoom, shown = _placed(np.median(wide, axis=0))
    k = zoom
    move = np.array([[1 / k, 0, (1 - 1 / k) * _MIDDLE - dx / k],
                     [0, 1 / k, (1 - 1 / k) * _MIDDLE - dy / k]])  # fmt: skip
    out = []
    for patch in wide:
        seen = np.asarray(
            cv2.warpAffine(patch, move, patch.shape[::-1], flags=cv2.INTER_LINEAR), np.float32
        )
        core, around = away <= _CORE, (away >= _AROUND[0]) & (away <= _AROUND[1])
        brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_BRUSH, _BRUSH))
        solid = cv2.morphologyEx(seen, cv2.MORPH_OPEN, brush)
        inner = seen[core]
        sides = _streaks(seen)
        out.append(
            [
                float(inner.mean()),
                float((inner >= _ON).mean()),
                float(np.asarray(solid)[core].mean()),
                float(np.percentile(inner, _DARKEST)),
                float(seen[around].mean()),
                sides,
            ]
        )
    return np.array(out), shown


_MIDDLE = _RIM + _SIDE / 2 - 0.5


def _away() -> Floats:
    """float64, how far every pixel of a patch is from its middle, in radii."""
    size = _SIDE + 2 * _RIM
    rows, columns = np.mgrid[:size, :size]
    return np.asarray(np.hypot(columns - _MIDDLE, rows - _MIDDLE) / (_SIDE / 2))


def _patch(pixels: Gray, box: Box) -> NDArray[np.float32]:
    """How dark a bubble and its surroundings are, its sides brought to `_SIDE`."""
    x0, y0, x1, y1 = box
    kx, ky = _SIDE / max(1.0, x1 - x0), _SIDE / max(1.0, y1 - y0)
    size = _SIDE + 2 * _RIM
    move = np.array([[kx, 0, _RIM - kx * x0], [0, ky, _RIM - ky * y0]])
    if kx * ky < 0.5:  # else fine lines are lost between the pixels that are looked at
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.4 / ky), np.uint8)
    cut = cv2.warpAffine(
        pixels, move, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    paper = max(1.0, float(np.percentile(cut, _PAPER)))
    return np.asarray(np.clip((paper - cut) / paper, 0, 1), np.float32)


def _placed(usual: Floats) -> tuple[int, int, float, bool]:
    """By how much a row stands to the right and below of where it was expected, its size against
    the expected, and whether its lines are seen at all."""
    size = usual.shape[0]
    rows, columns = np.mgrid[:size, :size]
    radius = _SIDE / 2
    best = (-1.0, 0, 0, 1.0)
    found = np.zeros(usual.shape, bool), np.zeros(usual.shape, bool)
    for zoom in _ZOOMS:
        round_ = np.hypot(columns - _MIDDLE, rows - _MIDDLE)
        square = np.maximum(np.abs(columns - _MIDDLE), np.abs(rows - _MIDDLE))
        for away in (round_, square):
            line = np.abs(away - zoom * radius) <= _LINE_PX
            off = (away >= _OFF_LINE[0] * zoom * radius) & (away <= _OFF_LINE[1] * zoom * radius)
            kernel = line / line.sum() - off / off.sum()
            seen = cv2.filter2D(
                usual.astype(np.float32), cv2.CV_32F, kernel.astype(np.float32),
                anchor=(-1, -1), borderType=cv2.BORDER_REPLICATE,
            )  # fmt: skip
            middle = size // 2
            part = seen[
                middle - _STRAY : middle + _STRAY + 1, middle - _STRAY : middle + _STRAY + 1
            ]
            row, column = np.unravel_index(int(part.argmax()), part.shape)
            value = float(part[row, column])
            if value > best[0]:
                best = value, int(column) - _STRAY, int(row) - _STRAY, zoom
                found = line, off
    value, dx, dy, zoom = best
    if value < _SHOWN:
        return 0, 0, 1.0, False
    return dx, dy, zoom, _goes_around(np.roll(usual, (-dy, -dx), (0, 1)), *found)


def _goes_around(usual: Floats, line: NDArray[np.bool_], off: NDArray[np.bool_]) -> bool:
    """Whether a line is seen in most directions, and not halves of two neighbours'."""
    rows, columns = np.nonzero(line)
    turn = np.arctan2(rows - _MIDDLE, columns - _MIDDLE) / (2 * np.pi) + 0.5
    sector = np.minimum((turn * _SECTORS).astype(np.intp), _SECTORS - 1)
    dark = np.bincount(sector, usual[rows, columns], _SECTORS) / np.bincount(sector)
    return bool((dark >= float(usual[off].mean()) + _SHOWN).mean() >= _MOST)


def _streaks(seen: NDArray[np.float32]) -> float:
    """How far strokes reach beyond a bubble: of its surroundings the second of four corners, where
    a cross that strikes it out goes on."""
    n = round(0.6 * _RIM)
    corners = (seen[:n, :n], seen[:n, -n:], seen[-n:, :n], seen[-n:, -n:])
    return float(sorted(part.max() for part in corners)[1])
