"""Pens: from the vectors of strokes to coverage by ink.

Owns:   `Pen` and `draw_strokes`.
Needs:  numpy, cv2.
Words:  *coverage* is uint8 (h, w), 255 where ink covers the paper wholly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.preprocess import Gray
from train.strokes import Points, Strokes

Rng = np.random.Generator
_SHIFT = 4  # cv2 takes points as integers with this many fractional bits
_PIECE = 12  # points of one width and darkness
_SUPER = 3  # drawn this many times larger and shrunk: smooth edges, widths between two pixels


@dataclass(frozen=True, slots=True)
class Pen:
    """A pen, and the hand's pressure on it."""

    width: float  # of the stroke, in parts of the ink's height
    pressure: float  # 0..1: how far the width follows the speed of the hand
    fade: float  # 0..1: how far the coverage does
    skips: float  # expected breaks a stroke
    texture: float  # 0..1: grain of the paper that the pen leaves bare (pencil, dry ball)

    @staticmethod
    def draw(rng: Rng) -> Pen:
        """Ball, gel, felt or pencil."""
        kind = rng.random()
        if kind < 0.45:  # ball
            return Pen(
                rng.uniform(0.03, 0.07),
                rng.uniform(0, 0.4),
                rng.uniform(0, 0.4),
                0.03,
                rng.uniform(0, 0.3),
            )
        if kind < 0.7:  # gel and ink
            return Pen(rng.uniform(0.05, 0.1), rng.uniform(0, 0.5), 0.0, 0.0, 0.0)
        if kind < 0.85:  # felt
            return Pen(rng.uniform(0.09, 0.17), rng.uniform(0, 0.3), 0.0, 0.0, rng.uniform(0, 0.1))
        return Pen(
            rng.uniform(0.03, 0.08),
            rng.uniform(0, 0.5),
            rng.uniform(0.1, 0.6),
            0.05,
            rng.uniform(0.3, 0.8),
        )


def draw_strokes(
    strokes: Strokes,
    pen: Pen,
    rng: Rng,
    *,
    height_px: float,
    pad_px: tuple[int, int, int, int],
    scale: float | None = None,
) -> Gray:
    """Draw with a pen.

    Args:
        strokes: In any unit.
        height_px: Of the ink in the picture.
        pad_px: Paper left, above, right and below of the ink.
        scale: Pixels of the strokes' unit, where the ink is a part of what `height_px` is of: a
            point or a dash beside letters, written with the pen that wrote them.

    Returns:
        Coverage, uint8 (h, w).
    """
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.maximum(high - low, 1e-6)
    # A dash has no height to scale by: then the width counts, as a third of a letter's height.
    scale = scale or height_px / max(float(size[1]), float(size[0]) / 40)
    left, top, right, bottom = pad_px
    w, h = (round(float(v) * scale) for v in size)
    canvas = np.zeros(((h + top + bottom) * _SUPER, (w + left + right) * _SUPER), np.uint8)
    width = pen.width * height_px * _SUPER
    whole = 1 << _SHIFT
    for stroke in strokes:
        at = ((stroke - low) * scale + (left, top)) * _SUPER
        pixels = np.round(at * whole).astype(np.int32)
        if len(at) < 2 or (len(at) < 6 and float(np.ptp(at, axis=0).max()) < width / 2):
            cv2.circle(
                canvas,
                tuple(map(int, pixels[0])),
                int(width * whole * 0.6),
                255,
                -1,
                cv2.LINE_AA,
                _SHIFT,
            )
            continue
        for piece, thick, level in _pieces(at, pixels, pen, width, rng):
            cv2.polylines(canvas, [piece], False, level, thick, cv2.LINE_8, _SHIFT)
    small = cv2.resize(
        canvas, (canvas.shape[1] // _SUPER, canvas.shape[0] // _SUPER), interpolation=cv2.INTER_AREA
    )
    return np.asarray(small, np.uint8)


def _pieces(
    at: Points, pixels: NDArray[np.int32], pen: Pen, width: float, rng: Rng
) -> Iterator[tuple[NDArray[np.int32], int, int]]:
    """A stroke cut where its width or darkness changes: slow parts are wide and dark."""
    n = len(at) // _PIECE
    if n == 0 or (pen.pressure + pen.fade < 0.15 and pen.skips == 0):
        yield pixels, max(1, round(width)), 255
        return
    step = np.abs(np.diff(at, axis=0)).sum(axis=1)
    cuts = np.arange(n) * _PIECE
    pace = np.add.reduceat(step, cuts) / np.diff(np.append(cuts, len(step)))
    haste = np.clip(pace * (n / (pace.sum() + 1e-6)) - 1, -1, 1) + rng.normal(0, 0.2, n)
    thick = np.maximum(1, np.rint(width * (1 - 0.45 * pen.pressure * haste))).astype(int).tolist()
    level = np.clip(255 * (1 - pen.fade * (0.25 + 0.35 * haste)), 70, 255).astype(int).tolist()
    skipped = int(rng.integers(n)) if n > 3 and rng.random() < pen.skips * 3 else -1
    for number, start in enumerate(cuts.tolist()):
        end = len(pixels) if number == n - 1 else start + _PIECE + 1
        if number != skipped:
            yield pixels[start:end], thick[number], level[number]
