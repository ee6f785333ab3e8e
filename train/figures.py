"""Figures as other schools teach them: shapes that the strokes at hand hold too few of.

Owns:   `Figures` (one hand's way of writing some of the digits), `chain` (noughts in one stroke).
Needs:  numpy, `strokes`.
Words:  a shape is drawn by points that a curve passes through, x right, y down, height 0 to 1; a
        point given twice is a corner.
Source: drawn for this project after what cheques of Spanish-speaking countries and continental
        Europe show: a nine like a P, a five without belly, an open four like an h, a barred seven
        without its flag, a two that begins with a loop (small, or as large as a nine's), a one
        with a long upstroke or a loop, noughts that grow smaller and flatter, noughts like an e.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.strokes import Points, Strokes

Rng = np.random.Generator
_Shape = tuple[tuple[tuple[float, float], ...], ...]

_SHAPES: Mapping[str, tuple[_Shape, ...]] = {
    "0": (
        (((0.45, 0.06), (0.2, 0.0), (0.0, 0.4), (0.1, 0.9), (0.35, 1.0), (0.55, 0.6), (0.45, 0.1),
          (0.55, 0.0), (0.85, 0.06)),),
        (((0.3, 0.45), (0.48, 0.25), (0.35, 0.02), (0.1, 0.1), (0.0, 0.5), (0.1, 0.9), (0.35, 1.0),
          (0.55, 0.7), (0.5, 0.3), (0.35, 0.06)),),
    ),
    "1": (
        (((0.0, 0.5), (0.2, 0.25), (0.42, 0.0), (0.42, 0.0), (0.4, 0.5), (0.38, 1.0)),),
        (((0.0, 0.95), (0.35, 0.0), (0.35, 0.0), (0.45, 1.0)),),
        (((0.0, 0.35), (0.3, 0.0), (0.3, 0.0), (0.3, 1.0)), ((0.05, 1.0), (0.6, 0.98))),
        (((0.0, 0.8), (0.25, 0.35), (0.34, 0.03), (0.22, 0.02), (0.2, 0.45), (0.26, 0.95),
          (0.5, 0.88)),),
        (((0.0, 0.7), (0.45, 0.0), (0.45, 0.0), (0.25, 1.0)),),
    ),
    "2": (
        (((0.35, 0.38), (0.1, 0.38), (0.03, 0.2), (0.2, 0.02), (0.5, 0.05), (0.55, 0.3),
          (0.35, 0.62), (0.08, 0.93), (0.0, 0.85), (0.15, 0.78), (0.4, 0.92), (0.75, 0.88)),),
        (((0.2, 0.3), (0.05, 0.25), (0.1, 0.05), (0.4, 0.0), (0.6, 0.2), (0.4, 0.6), (0.0, 1.0),
          (0.0, 1.0), (0.7, 0.95)),),
        (((0.0, 0.15), (0.25, 0.0), (0.5, 0.15), (0.4, 0.45), (0.0, 1.0), (0.0, 1.0),
          (0.65, 0.97)),),
        (((0.52, 0.5), (0.1, 0.5), (0.0, 0.2), (0.25, 0.0), (0.55, 0.12), (0.58, 0.42),
          (0.35, 0.78), (0.05, 1.0), (0.05, 1.0), (0.4, 0.95), (0.75, 1.0)),),
        (((0.42, 0.35), (0.2, 0.5), (0.0, 0.3), (0.15, 0.03), (0.5, 0.02), (0.6, 0.3),
          (0.4, 0.7), (0.15, 0.98), (0.02, 0.88), (0.2, 0.8), (0.45, 0.95), (0.8, 0.98)),),
    ),
    "3": (
        (((0.0, 0.02), (0.5, 0.0), (0.5, 0.0), (0.2, 0.4), (0.2, 0.4), (0.5, 0.55), (0.5, 0.85),
          (0.2, 1.0), (0.0, 0.9)),),
        (((0.05, 0.12), (0.3, 0.0), (0.5, 0.15), (0.3, 0.42), (0.18, 0.45), (0.28, 0.5),
          (0.5, 0.65), (0.45, 0.92), (0.2, 1.0), (0.0, 0.88)),),
    ),
    "4": (
        (((0.2, 0.0), (0.08, 0.3), (0.0, 0.55), (0.15, 0.5), (0.4, 0.45)),
         ((0.42, 0.33), (0.4, 0.7), (0.36, 1.0))),
        (((0.22, 0.0), (0.1, 0.35), (0.02, 0.62), (0.02, 0.62), (0.2, 0.48), (0.38, 0.5),
          (0.4, 0.7), (0.36, 1.0)),),
        (((0.05, 0.0), (0.0, 0.3), (0.05, 0.5), (0.3, 0.52), (0.5, 0.42)),
         ((0.55, 0.02), (0.5, 0.5), (0.42, 1.0))),
        (((0.3, 0.0), (0.0, 0.55), (0.0, 0.55), (0.55, 0.5)), ((0.4, 0.25), (0.3, 1.0))),
        (((0.42, 0.0), (0.0, 0.6), (0.0, 0.6), (0.6, 0.57)), ((0.46, 0.02), (0.42, 1.0))),
        (((0.4, 1.0), (0.45, 0.0), (0.45, 0.0), (0.0, 0.62), (0.0, 0.62), (0.65, 0.58)),),
        (((0.08, 0.0), (0.0, 0.52), (0.0, 0.52), (0.3, 0.48), (0.46, 0.62), (0.42, 1.0)),),
    ),
    "5": (
        (((0.3, 0.0), (0.22, 0.45), (0.2, 0.8), (0.1, 1.0), (0.0, 0.92)),
         ((0.3, 0.02), (0.55, 0.0), (0.9, 0.0))),
        (((0.0, 0.6), (0.12, 1.0), (0.12, 1.0), (0.35, 0.0), (0.35, 0.0), (0.9, 0.03)),),
        (((0.7, 0.0), (0.4, 0.0), (0.25, 0.05), (0.2, 0.4), (0.2, 0.4), (0.5, 0.5), (0.5, 0.8),
          (0.25, 1.0), (0.0, 0.9)),),
        (((0.2, 0.12), (0.15, 0.45), (0.45, 0.5), (0.5, 0.8), (0.25, 1.0), (0.0, 0.92)),
         ((0.25, 0.1), (0.85, 0.0))),
        (((0.58, 0.0), (0.22, 0.05), (0.06, 0.42), (0.35, 0.44), (0.5, 0.7), (0.28, 1.0),
          (0.0, 0.93)),),
        (((0.6, 0.02), (0.12, 0.04), (0.06, 0.48), (0.06, 0.48), (0.4, 0.42), (0.52, 0.75),
          (0.25, 1.0), (0.02, 0.82)),),
    ),
    "6": (
        (((0.15, 0.0), (0.08, 0.5), (0.03, 0.9), (0.3, 1.0), (0.5, 0.8), (0.35, 0.58),
          (0.08, 0.7)),),
        (((0.5, 0.0), (0.2, 0.3), (0.02, 0.7), (0.2, 1.0), (0.45, 0.85), (0.42, 0.6), (0.2, 0.55),
          (0.05, 0.75)),),
    ),
    "7": (
        (((0.12, 0.1), (0.3, 0.0), (0.45, 0.02), (0.45, 0.02), (0.35, 0.5), (0.25, 1.0)),
         ((0.0, 0.5), (0.7, 0.45))),
        (((0.0, 0.2), (0.02, 0.05), (0.3, 0.12), (0.6, 0.0), (0.6, 0.0), (0.35, 0.5),
          (0.22, 1.0)),),
        (((0.0, 0.02), (0.6, 0.0), (0.6, 0.0), (0.25, 1.0)), ((0.1, 0.5), (0.7, 0.46))),
        (((0.12, 0.1), (0.22, 0.0), (0.3, 0.06), (0.28, 0.5), (0.24, 1.0)),
         ((0.05, 0.52), (0.75, 0.55))),
        (((0.0, 0.25), (0.05, 0.05), (0.55, 0.02), (0.55, 0.02), (0.35, 0.55), (0.25, 1.0)),
         ((0.1, 0.55), (0.6, 0.48))),
        (((0.0, 0.12), (0.15, 0.0), (0.45, 0.03), (0.45, 0.03), (0.32, 0.5), (0.2, 0.93),
          (0.32, 1.0)), ((0.0, 0.52), (0.7, 0.42))),
        (((0.1, 0.16), (0.2, 0.0), (0.34, 0.06), (0.32, 0.5), (0.24, 0.9), (0.4, 1.0)),
         ((0.0, 0.48), (0.72, 0.5))),
    ),
    "8": (
        (((0.55, 0.1), (0.25, 0.0), (0.05, 0.2), (0.3, 0.45), (0.5, 0.72), (0.25, 1.0), (0.0, 0.8),
          (0.25, 0.5), (0.6, 0.05)),),
        (((0.1, 0.0), (0.05, 1.0)),
         ((0.1, 0.02), (0.5, 0.1), (0.45, 0.4), (0.1, 0.47), (0.55, 0.6), (0.5, 0.95),
          (0.05, 1.0))),
        (((0.3, 0.48), (0.06, 0.36), (0.08, 0.08), (0.35, 0.0), (0.52, 0.2), (0.32, 0.46)),
         ((0.3, 0.47), (0.02, 0.66), (0.08, 0.95), (0.4, 1.0), (0.58, 0.76), (0.32, 0.5))),
        (((0.5, 0.22), (0.3, 0.0), (0.05, 0.15), (0.2, 0.42), (0.5, 0.7), (0.35, 1.0),
          (0.05, 0.88), (0.15, 0.6), (0.45, 0.38), (0.62, 0.1)),),
    ),
    "9": (
        (((0.2, 0.05), (0.12, 0.5), (0.0, 1.0)),
         ((0.15, 0.1), (0.45, 0.0), (0.6, 0.18), (0.45, 0.42), (0.15, 0.48))),
        (((0.05, 1.0), (0.2, 0.4), (0.28, 0.08), (0.28, 0.08), (0.5, 0.0), (0.62, 0.2),
          (0.45, 0.42), (0.2, 0.4)),),
        (((0.2, 0.4), (0.05, 0.25), (0.2, 0.05), (0.5, 0.0), (0.6, 0.2), (0.35, 0.42), (0.2, 0.35),
          (0.2, 0.7), (0.1, 1.0)),),
        (((0.5, 0.12), (0.2, 0.0), (0.0, 0.25), (0.2, 0.45), (0.48, 0.3), (0.52, 0.05),
          (0.5, 0.55), (0.4, 0.96), (0.12, 1.0), (0.0, 0.88)),),
        (((0.3, 0.0), (0.25, 0.5), (0.15, 1.0)),
         ((0.3, 0.05), (0.05, 0.2), (0.1, 0.42), (0.35, 0.42), (0.55, 0.2), (0.35, 0.02))),
    ),
}  # fmt: skip

_UPSTROKE = 0.5  # of the ones of another school are drawn with an upstroke of any kind
# Like an e. Rare, and never to be more than that here: at an equal share of the noughts, eights and
# sixes that are nearly closed were read as noughts.
_LIKE_E: tuple[_Shape, ...] = (
    (((0.05, 0.5), (0.42, 0.42), (0.55, 0.15), (0.32, 0.0), (0.06, 0.2), (0.0, 0.65),
      (0.22, 1.0), (0.52, 0.88), (0.6, 0.5)),),
    (((0.02, 0.62), (0.4, 0.5), (0.62, 0.2), (0.4, 0.0), (0.1, 0.15), (0.02, 0.6),
      (0.25, 1.0), (0.6, 0.85), (0.72, 0.4), (0.58, 0.1)),),
    (((0.0, 0.55), (0.3, 0.5), (0.55, 0.3), (0.4, 0.05), (0.15, 0.05), (0.0, 0.4), (0.05, 0.85),
      (0.3, 1.0), (0.6, 0.85)),),
)  # fmt: skip
_LIKE_E_SHARE = 0.1  # of the noughts of another school

_UNIT = 1000.0  # a shape's height, in the units of the stroke sets
_EACH = 0.45  # of the digits are written in the other way, by a hand that has one at all
_HAND, _AGAIN = 0.045, 0.018  # how far points stray: once for a hand, and each time anew
_STEPS = 8  # points of a curve between two of a shape


@dataclass(frozen=True, slots=True)
class Figures:
    """The digits that a hand writes in another way, and how."""

    shapes: Mapping[str, tuple[Points, ...]]
    chained: bool  # noughts beside each other are written without lifting the pen

    @staticmethod
    def draw(rng: Rng, *, share: float) -> Figures:
        """A hand's way; `share` of the hands have one."""
        if rng.random() >= share:
            return NONE
        shapes: dict[str, tuple[Points, ...]] = {}
        for digit, ways in _SHAPES.items():
            if rng.random() < _EACH:
                way = ways[int(rng.integers(len(ways)))]
                if digit == "1" and rng.random() < _UPSTROKE:
                    way = (_with_upstroke(rng),)
                elif digit == "0" and rng.random() < _LIKE_E_SHARE:
                    way = _LIKE_E[int(rng.integers(len(_LIKE_E)))]
                wide = float(np.exp(rng.normal(0, 0.18)))
                shapes[digit] = tuple(_stray(np.array(one), rng, _HAND, wide) for one in way)
        return Figures(shapes, bool(rng.random() < 0.4))

    def glyph(self, digit: str, rng: Rng) -> Strokes | None:
        """The digit in this hand's way; None where it has none of its own."""
        way = self.shapes.get(digit)
        if way is None:
            return None
        return [_curve(_stray(one, rng, _AGAIN, 1.0)) * np.float32(_UNIT) for one in way]


NONE = Figures({}, chained=False)


def _with_upstroke(rng: Rng) -> tuple[tuple[float, float], ...]:
    """A one: from anywhere left of its stem, up to its top, and down."""
    wide, low = float(rng.uniform(0.06, 0.6)), float(rng.uniform(0.12, 1.05))
    lean, bend = float(rng.uniform(-0.2, 0.15)), float(rng.normal(0, 0.05))
    up = [(0.0, low), (wide / 2 + bend, low / 2 + bend), (wide, 0.0), (wide, 0.0)]
    if rng.random() < 0.2:  # the pen lands before it rises
        up = [(-0.08, low - 0.12), *up]
    down = [(wide + lean / 2, 0.5), (wide + lean, 1.0)]
    if rng.random() < 0.25:  # and runs out to the right
        down.append((wide + lean + float(rng.uniform(0.1, 0.3)), float(rng.uniform(0.85, 1.0))))
    return (*up, *down)


def chain(n: int, rng: Rng) -> Strokes:
    """`n` noughts in one stroke, loop after loop, height about 1000."""
    wide, pitch = float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.55, 1.05))
    tail = float(rng.uniform(0, 1.1)) * float(rng.random() < 0.5)
    dip = float(rng.uniform(0, 0.5))  # of the join, from the top of a loop to its middle
    knot = rng.random() < 0.25  # every other one the other way round: they join like an eight
    most = np.pi if rng.random() < 0.25 else 0.3
    start = float(rng.uniform(-most, most))
    smaller = float(rng.uniform(0.8, 1.0)) if rng.random() < 0.4 else 1.0  # nought by nought
    flat = float(rng.uniform(0.4, 0.75)) if rng.random() < 0.15 else 1.0  # the last of them
    closed = float(rng.uniform(-0.4, 0.9))
    out: list[tuple[float, float]] = []
    if rng.random() < 0.06:  # like an e: from within the loop to its right side, then over the top
        knot, start = False, np.pi / 2 + float(rng.normal(0, 0.35))
        out.append((-wide * float(rng.uniform(0.1, 1.3)), float(rng.uniform(0.4, 0.75))))
    elif rng.random() < 0.15:  # the pen comes from the figure before
        out.append((-wide - float(rng.uniform(0.1, 0.5)), float(rng.uniform(0.2, 0.9))))
    middle = 0.0
    for number in range(n):
        size = smaller**number
        rx, ry = wide * size * np.exp(rng.normal(0, 0.1)), 0.5 * size * np.exp(rng.normal(0, 0.08))
        if number == n - 1:
            ry *= flat
        way = -1.0 if not (knot and number % 2) else 1.0
        turn = np.linspace(0, 2 * np.pi + closed, 22) * way - np.pi / 2 + start
        out += list(zip(middle + rx * np.cos(turn), 1 - ry + ry * np.sin(turn), strict=True))
        if number < n - 1 and dip:
            joined = 1 - 2 * ry + dip * float(rng.uniform(0.5, 1.0))
            out.append((middle + pitch * wide * size, joined))
        middle += pitch * 2 * wide * size / 0.8
    if tail:
        out.append((out[-1][0] + tail, out[-1][1] + float(rng.uniform(-0.45, 0.25))))
    points = _stray(np.array(out), rng, 0.01, 1.0)
    return [_curve(points[:: 2 if rng.random() < 0.3 else 1]) * np.float32(_UNIT)]


def _stray(points: NDArray[np.floating], rng: Rng, spread: float, wide: float) -> Points:
    """Points a little elsewhere; a corner given twice stays one."""
    moved = points * (wide, 1.0) + rng.normal(0, spread, points.shape)
    again = np.append(False, (np.diff(points, axis=0) == 0).all(axis=1))
    moved[again] = moved[np.flatnonzero(again) - 1]
    return moved.astype(np.float32)


def _curve(points: Points) -> Points:
    """A Catmull-Rom curve through the points."""
    if len(points) < 3:
        steps = np.linspace(0, 1, 2 * _STEPS, dtype=np.float32)[:, None]
        return points[:1] + (points[-1:] - points[:1]) * steps
    p = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, 1, _STEPS, endpoint=False, dtype=np.float32)[None, :, None]
    a, b, c, d = (p[i : len(p) - 3 + i, None] for i in range(4))
    sharp = (b == c).all(axis=2)[:, 0]  # between the two points of a corner there is no curve
    # At a corner the curve arrives and leaves as a straight line would.
    a = np.where(np.roll(sharp, 1)[:, None, None], b, a)
    d = np.where(np.roll(sharp, -1)[:, None, None], c, d)
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    kept = curve[~sharp].reshape(-1, 2)
    return np.concatenate([kept, points[-1:]]).astype(np.float32)
