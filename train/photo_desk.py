"""What lies under and around a sheet in a photo: desks that no registrar was fitted to.

Owns:   `desk`: wood, cloth, stone, tiles, plain boards from black to nearly white, other papers.
Needs:  numpy, cv2.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_Draw = Callable[[int, int, float, np.random.Generator], Floats]


def desk(size: tuple[int, int], *, px_per_mm: float, rng: np.random.Generator) -> Floats:
    """A desk seen from above.

    Args:
        size: Width and height, pixels.
        px_per_mm: Scale of its grain and of what lies on it.
        rng: Decides which desk.

    Returns:
        float32 (h, w, 3) BGR, 0..255.
    """
    w, h = size
    draw = DESKS[sorted(DESKS)[int(rng.integers(len(DESKS)))]]
    return np.clip(draw(w, h, px_per_mm, rng), 0, 255).astype(np.float32)


def _noise(w: int, h: int, cell: tuple[float, float], rng: np.random.Generator) -> Floats:
    """Smooth noise of unit spread, its patches `cell` pixels wide and high."""
    shape = max(2, round(h / cell[1]) + 2), max(2, round(w / cell[0]) + 2)
    small = rng.standard_normal(shape).astype(np.float32)
    return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC), np.float32)


def _tinted(level: Floats, tint: tuple[float, float, float]) -> Floats:
    return np.asarray(level[..., None] * np.array(tint, np.float32), np.float32)


def _colour(rng: np.random.Generator, spread: float) -> tuple[float, float, float]:
    b, g, r = 1 + rng.uniform(-spread, spread, 3)
    return float(b), float(g), float(r)


def _plain(w: int, h: int, mm: float, rng: np.random.Generator) -> Floats:
    level = rng.uniform(15, 245) + rng.uniform(0, 4) * _noise(w, h, (40 * mm, 40 * mm), rng)
    return _tinted(level.astype(np.float32), _colour(rng, 0.2))


def _wood(w: int, h: int, mm: float, rng: np.random.Generator) -> Floats:
    rings = _noise(w, h, (150 * mm, 4 * mm), rng) + 0.6 * _noise(w, h, (60 * mm, 1.2 * mm), rng)
    level = rng.uniform(60, 190) + rng.uniform(6, 18) * rings
    plank = rng.uniform(60, 140) * mm
    for y in np.arange(rng.uniform(0, plank), h, plank):
        level[int(y) : int(y) + max(1, round(0.8 * mm))] *= 0.45  # the joint between two planks
    if rng.random() < 0.5:
        level = np.ascontiguousarray(cv2.resize(level.T, (w, h)))
    return _tinted(level.astype(np.float32), (0.62, 0.85, 1.1))


def _cloth(w: int, h: int, mm: float, rng: np.random.Generator) -> Floats:
    x = np.arange(w, dtype=np.float32)[None] / mm
    y = np.arange(h, dtype=np.float32)[:, None] / mm
    pitch = float(rng.uniform(0.8, 12))
    weave = np.sign(np.sin(6.283 * x / pitch)) + np.sign(np.sin(6.283 * y / pitch))
    level = rng.uniform(40, 210) + rng.uniform(3, 22) * weave
    return _tinted((level + 4 * _noise(w, h, (mm, mm), rng)).astype(np.float32), _colour(rng, 0.3))


def _stone(w: int, h: int, mm: float, rng: np.random.Generator) -> Floats:
    level = rng.uniform(50, 210) + 14 * _noise(w, h, (mm, mm), rng)
    level += 10 * _noise(w, h, (5 * mm, 5 * mm), rng)
    return _tinted(level.astype(np.float32), _colour(rng, 0.08))


def _tiles(w: int, h: int, mm: float, rng: np.random.Generator) -> Floats:
    side, joint = rng.uniform(30, 120) * mm, max(1.0, rng.uniform(1, 4) * mm)
    x = (np.arange(w)[None] + rng.uniform(0, side)) % side < joint
    y = (np.arange(h)[:, None] + rng.uniform(0, side)) % side < joint
    level = np.where(x | y, rng.uniform(60, 220), rng.uniform(60, 235)).astype(np.float32)
    return _tinted(level + 3 * _noise(w, h, (8 * mm, 8 * mm), rng), _colour(rng, 0.1))


def _papers(w: int, h: int, mm: float, rng: np.random.Generator) -> Floats:
    """A desk on which other printed sheets, black boxes among the print, lie about."""
    out = _wood(w, h, mm, rng) if rng.random() < 0.5 else _plain(w, h, mm, rng)
    for _ in range(int(rng.integers(1, 4))):
        pw, ph = (int(edge * mm) for edge in (rng.uniform(80, 220), rng.uniform(80, 300)))
        sheet = np.full((ph, pw, 3), float(rng.uniform(190, 245)), np.float32)
        for y in np.arange(12 * mm, ph - 10 * mm, rng.uniform(5, 9) * mm):
            for x in np.arange(10 * mm, pw - 14 * mm, rng.uniform(3, 12) * mm):
                end = (int(x + rng.uniform(1, 8) * mm), int(y + 1.6 * mm))
                cv2.rectangle(sheet, (int(x), int(y)), end, (70.0, 70.0, 75.0), -1)
        for _ in range(int(rng.integers(0, 5))):
            x, y = rng.uniform(0, pw), rng.uniform(0, ph)
            side = rng.uniform(3, 9) * mm
            cv2.rectangle(
                sheet, (int(x), int(y)), (int(x + side), int(y + side)), (30.0, 30.0, 30.0), -1
            )
        turn = cv2.getRotationMatrix2D((pw / 2, ph / 2), float(rng.uniform(0, 360)), 1)
        away = rng.uniform(-0.1, 1.1, 2) * (w, h) - (pw / 2, ph / 2)
        turn[:, 2] = turn[:, 2] + away
        cv2.warpAffine(sheet, turn, (w, h), dst=out, borderMode=cv2.BORDER_TRANSPARENT)
    return out


DESKS: dict[str, _Draw] = {
    "plain": _plain,
    "wood": _wood,
    "cloth": _cloth,
    "stone": _stone,
    "tiles": _tiles,
    "papers": _papers,
}
