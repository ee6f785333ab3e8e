"""Ways of striking out, as hands do it, and pictures that are no writing.

Owns:   `LINES`, `CELLS` (strokes to strike writing out with), `NO_WRITING` (pictures), `Extent`.
Needs:  numpy, cv2, `train.strokes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from train.strokes import Points, Strokes

Gray = NDArray[np.uint8]
Rng = np.random.Generator
Marks = Callable[["Extent", Rng], Strokes]

_POINTS = 40  # of a stroke drawn here: enough for the pen's pressure to vary along it


@dataclass(frozen=True, slots=True)
class Extent:
    """Where writing stands, in its strokes' unit; y grows downwards."""

    x0: float
    x1: float
    y0: float
    y1: float
    middle: float  # the median row of its ink: the middle of small letters

    @staticmethod
    def of(strokes: Strokes) -> Extent:
        points = np.concatenate(strokes)
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        return Extent(float(x0), float(x1), float(y0), float(y1), float(np.median(points[:, 1])))

    @property
    def h(self) -> float:
        return self.y1 - self.y0

    @property
    def w(self) -> float:
        return self.x1 - self.x0


def _shaky(points: list[tuple[float, float]], at: Extent, rng: Rng) -> Points:
    """A stroke through points, by a hand."""
    knots = np.array(points, np.float64)
    steps = np.linspace(0, len(knots) - 1, max(_POINTS, 10 * len(knots)))
    path = np.stack(
        [np.interp(steps, np.arange(len(knots)), knots[:, axis]) for axis in (0, 1)], axis=1
    )
    path = np.asarray(cv2.GaussianBlur(path, (1, 7), 1.5, borderType=cv2.BORDER_REPLICATE))
    t = np.linspace(0, 2 * np.pi * rng.uniform(0.3, 1.5), len(path))
    path[:, 1] += 0.03 * at.h * np.sin(t + rng.uniform(0, 6))
    return path.astype(np.float32)


def _level(at: Extent, rng: Rng, row: float) -> Points:
    left = at.x0 + rng.uniform(-0.08, 0.06) * min(at.w, 4 * at.h)
    right = at.x1 + rng.uniform(-0.06, 0.12) * min(at.w, 4 * at.h)
    rise = rng.normal(0, 0.05) * at.h
    return _shaky([(left, row + rise), (right, row - rise)], at, rng)


def _lines(at: Extent, rng: Rng, n: int) -> Strokes:
    spread = 0.0 if n == 1 else rng.uniform(0.12, 0.3)
    rows = at.middle + at.h * (rng.normal(0, 0.05) + spread * np.linspace(-0.5, 0.5, n))
    return [_level(at, rng, float(row)) for row in rows]


def once(at: Extent, rng: Rng) -> Strokes:
    return _lines(at, rng, 1)


def twice(at: Extent, rng: Rng) -> Strokes:
    return _lines(at, rng, 2)


def many(at: Extent, rng: Rng) -> Strokes:
    return _lines(at, rng, int(rng.integers(3, 7)))


def zigzag(at: Extent, rng: Rng) -> Strokes:
    """From side to side without lifting the pen."""
    n = int(rng.integers(4, 9))
    rows = np.linspace(at.y0 + 0.1 * at.h, at.y1 - 0.1 * at.h, n)
    rows = at.middle + (rows - rows.mean()) * rng.uniform(0.5, 1.0)
    sides = [at.x0, at.x1]
    path = [(sides[k % 2] + rng.normal(0, 0.08) * at.h, float(rows[k])) for k in range(n)]
    return [_shaky(path, at, rng)]


def coil(at: Extent, rng: Rng) -> Strokes:
    """Loops along the writing."""
    pitch = rng.uniform(0.18, 0.4) * at.h
    turns = max(3.0, at.w / pitch)
    t = np.linspace(0, 1, int(30 * turns))
    x = at.x0 + t * at.w + 0.45 * pitch * rng.uniform(0.8, 2.0) * np.cos(2 * np.pi * turns * t)
    high = 1 + 0.15 * np.sin(7 * t + rng.uniform(0, 6))
    y = at.middle + at.h * rng.uniform(0.28, 0.5) * high * np.sin(2 * np.pi * turns * t)
    return [np.stack([x, y], axis=1).astype(np.float32)]


def hatch(at: Extent, rng: Rng) -> Strokes:
    """Slanted strokes side by side, or to and fro."""
    pitch = rng.uniform(0.12, 0.35) * at.h
    lean = rng.uniform(0.2, 0.8) * at.h * rng.choice((-1, 1))
    feet = np.arange(at.x0 - abs(lean) / 2, at.x1 + abs(lean) / 2, pitch)
    ends = [
        [
            (float(x + lean / 2 + rng.normal(0, 0.2) * pitch), at.y0 + rng.normal(0, 0.08) * at.h),
            (float(x - lean / 2 + rng.normal(0, 0.2) * pitch), at.y1 + rng.normal(0, 0.08) * at.h),
        ]
        for x in feet
    ]
    if rng.random() < 0.5:
        return [_shaky(one, at, rng) for one in ends]
    path = [point for k, one in enumerate(ends) for point in (one if k % 2 else one[::-1])]
    return [_shaky(path, at, rng)]


def crossed(at: Extent, rng: Rng) -> Strokes:
    """Two strokes from corner to corner, once for each piece about as wide as high."""
    pieces = max(1, round(at.w / (at.h * rng.uniform(0.8, 1.6))))
    step = at.w / pieces
    found = []
    for k in range(pieces):
        left, right = at.x0 + k * step, at.x0 + (k + 1) * step
        jolt = rng.normal(0, 0.06 * at.h, 8)
        found += [
            _shaky(
                [(left + jolt[0], at.y0 + jolt[1]), (right + jolt[2], at.y1 + jolt[3])], at, rng
            ),
            _shaky(
                [(right + jolt[4], at.y0 + jolt[5]), (left + jolt[6], at.y1 + jolt[7])], at, rng
            ),
        ]
    return found


def blackened(at: Extent, rng: Rng) -> Strokes:
    """Nothing of the writing can be seen any more, or nearly so."""
    rows = np.arange(at.y0, at.y1, 0.035 * at.h)
    path = [
        ((at.x0, at.x1)[k % 2] + rng.normal(0, 0.03) * at.h, float(row))
        for k, row in enumerate(rows)
    ]
    return [_shaky(path, at, rng)]


def _scratch(at: Extent, rng: Rng) -> Strokes:
    """To and fro over one glyph."""
    n = int(rng.integers(6, 14))
    x = np.where(np.arange(n) % 2 == 0, at.x0 - 0.1 * at.h, at.x1 + 0.1 * at.h)
    y = np.linspace(at.y0, at.y1, n)
    if rng.random() < 0.5:
        x, y = (
            np.linspace(at.x0 - 0.1 * at.h, at.x1 + 0.1 * at.h, n),
            np.where(np.arange(n) % 2 == 0, at.y0, at.y1),
        )
    noise = rng.normal(0, 0.06 * at.h, (2, n))
    return [_shaky(list(zip(x + noise[0], y + noise[1], strict=True)), at, rng)]


LINES: Mapping[str, Marks] = {
    "once": once,
    "twice": twice,
    "many": many,
    "zigzag": zigzag,
    "coil": coil,
    "hatch": hatch,
    "crossed": crossed,
    "blackened": blackened,
}
CELLS: Mapping[str, Marks] = {
    "scratched": _scratch,
    "coil": coil,
    "many": many,
    "crossed": crossed,
    "blackened": blackened,
}


# ---- what is no writing ----


def _box(rng: Rng) -> tuple[int, int]:
    h = int(rng.integers(24, 80))
    return h, int(h * rng.uniform(1.0, 7.0))


def _on_paper(ink: NDArray[Any], rng: Rng) -> Gray:
    light = rng.uniform(0.7, 1.0) * 255
    dark = light * rng.uniform(0.05, 0.5)
    picture = light + (dark - light) * np.clip(ink, 0, 1)
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.2)))
    picture += rng.normal(0, rng.uniform(0.5, 6), ink.shape)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def blot(rng: Rng) -> Gray:
    h, w = _box(rng)
    ink = np.zeros((h, w))
    if rng.random() < 0.5:
        y, x = (rng.uniform(0.05, 0.3) * np.array([h, w])).astype(int)
        ink[y : h - y, x : w - x] = 1
    else:
        axes = (max(4, int(w * rng.uniform(0.15, 0.45))), max(4, int(h * rng.uniform(0.2, 0.45))))
        cv2.ellipse(ink, (w // 2, h // 2), axes, rng.uniform(-20, 20), 0, 360, 1, -1)
    return _on_paper(ink, rng)


def barcode(rng: Rng) -> Gray:
    h, w = _box(rng)
    unit = int(rng.integers(1, 4))
    bars = np.repeat(rng.integers(0, 2, w), rng.integers(1, 4, w))[: w // unit + 1]
    ink = np.tile(np.repeat(bars, unit)[:w], (h, 1)).astype(np.float64)
    y, x = max(1, h // 8), max(1, w // 10)
    ink[:y] = ink[h - y :] = ink[:, :x] = ink[:, w - x :] = 0
    return _on_paper(ink, rng)


def hatching(rng: Rng) -> Gray:
    h, w = _box(rng)
    y, x = np.mgrid[0:h, 0:w]
    turn, pitch = rng.uniform(0.3, 1.3), rng.uniform(4, 12)
    ink = (np.mod(x * np.sin(turn) + y * np.cos(turn), pitch) < pitch * rng.uniform(0.2, 0.5)) * 1.0
    if rng.random() < 0.4:
        other = np.mod(x * np.sin(turn) - y * np.cos(turn), pitch) < pitch * 0.3
        ink = np.maximum(ink, other)
    return _on_paper(ink, rng)


def noise(rng: Rng) -> Gray:
    """A picture of nothing: clouds, cloth, a shadow."""
    h, w = _box(rng)
    side = rng.uniform(0.02, 0.25) * h
    soft = np.asarray(cv2.GaussianBlur(rng.normal(size=(h, w)), (0, 0), max(0.6, side)))
    soft = soft / soft.std()
    if rng.random() < 0.5:
        soft = 4 * (soft > rng.uniform(0, 0.8)) - 2.0
    return np.asarray(np.clip(128 + rng.uniform(20, 50) * soft, 0, 255), np.uint8)


def stamp(rng: Rng) -> Gray:
    """A round or square stamp with print in it, some of it out of the field."""
    h, w = _box(rng)
    ink = np.zeros((h, w), np.uint8)
    at = (int(w * rng.uniform(0.3, 0.7)), int(h * rng.uniform(0.2, 0.8)))
    size, thick = int(h * rng.uniform(0.6, 1.4)), max(1, h // 20)
    if rng.random() < 0.6:
        cv2.circle(ink, at, size, 1, thick)
        cv2.circle(ink, at, int(0.75 * size), 1, max(1, thick // 2))
    else:
        cv2.rectangle(
            ink, (at[0] - size, at[1] - size // 2), (at[0] + size, at[1] + size // 2), 1, thick
        )
    for k, word in enumerate(("RECEIVED", "OFFICE", "12 MAR")):
        row = at[1] - size // 2 + (k + 1) * size // 3
        cv2.putText(ink, word, (at[0] - size // 2, row), 0, size / 90, 1, max(1, thick // 2))
    turn = cv2.getRotationMatrix2D(at, rng.uniform(-25, 25), 1)
    return _on_paper(cv2.warpAffine(ink, turn, (w, h)), rng)


def guilloche(rng: Rng) -> Gray:
    """Print ground alone."""
    h, w = _box(rng)
    y, x = np.mgrid[0:h, 0:w].astype(float)
    ink = np.zeros((h, w))
    for _ in range(int(rng.integers(2, 5))):
        wave = rng.uniform(2, 10) * np.sin(x / rng.uniform(6, 30) + rng.uniform(0, 6))
        pitch = rng.uniform(5, 12)
        ink = np.maximum(ink, np.mod(y + wave + rng.uniform(-0.5, 0.5) * x, pitch) < 1.4)
    return _on_paper(ink, rng)


def squares(rng: Rng) -> Gray:
    """A matrix code, or a chequered ground."""
    h, w = _box(rng)
    unit = int(rng.integers(2, max(3, h // 8)))
    grid = rng.integers(0, 2, (h // unit + 1, w // unit + 1)).astype(float)
    return _on_paper(np.kron(grid, np.ones((unit, unit)))[:h, :w], rng)


NO_WRITING: Mapping[str, Callable[[Rng], Gray]] = {
    "blot": blot,
    "barcode": barcode,
    "hatching": hatching,
    "noise": noise,
    "stamp": stamp,
    "guilloche": guilloche,
    "squares": squares,
}
