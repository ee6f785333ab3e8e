"""Security print under a form: pale emblems, letters, waves and grids that nobody writes into.

Owns:   `put_watermark`. What finds fields is measured on it: none of it is a place to write.
Needs:  numpy, cv2, `train.form_scan`.
Words:  *tint*: grey levels that the print takes away from bare paper.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from train.form_scan import Picture

LOOKS = ("emblems", "letters", "waves", "grid", "texture")
_WORDS = ("ORIGINAL", "COPY", "VOID", "SAMPLE", "BALLOT", "OFFICE", "HEIM UND HOF")
_TINT = (22.0, 60.0)
Cover = NDArray[np.float32]  # (h, w), 0..1


def put_watermark(
    picture: Picture, look: str, *, px_per_mm: float, rng: np.random.Generator
) -> Picture:
    """A page with security print under what stands on it.

    Args:
        picture: uint8 (h, w) or (h, w, 3).
        look: One of `LOOKS`.
        px_per_mm: Of the picture.
        rng: Decides the rest.

    Returns:
        As `picture`.
    """
    cover = _LOOKS[look](picture.shape[:2], px_per_mm, rng)
    soft = np.asarray(cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.4, 0.9))), np.float32)
    if rng.random() < 0.5:  # a press's dots, or what a scanner makes of a tint
        soft = soft * np.asarray(rng.uniform(0.55, 1.0, cover.shape), np.float32)
    light = 1 - float(rng.uniform(*_TINT)) / 255 * soft
    seen = picture * (light if picture.ndim == 2 else light[..., None])
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(55, 90))]
    done, data = cv2.imencode(".jpg", np.clip(np.round(seen), 0, 255).astype(np.uint8), quality)
    assert done
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)


def _emblems(shape: tuple[int, int], mm: float, rng: np.random.Generator) -> Cover:
    """Shields or discs side by side, with broad rims and white letters in them."""
    out, (h, w) = np.zeros(shape, np.uint8), shape
    wide = float(rng.uniform(25, 60)) * mm
    word = str(rng.choice(_WORDS)).split()[0][:6]
    for y in np.arange(wide / 2, h, wide * 1.15):
        for x in np.arange(wide / 2, w, wide * 1.05):
            at, size = (round(x), round(y)), (round(0.45 * wide), round(0.5 * wide))
            if rng.random() < 0.5:
                cv2.ellipse(out, at, size, 0, 0, 360, 255, round(0.12 * wide))
            else:
                a, b = (at[0] - size[0], at[1] - size[1]), (at[0] + size[0], at[1] + size[1])
                cv2.rectangle(out, a, b, 255, round(0.1 * wide))
            cv2.circle(out, at, round(0.2 * wide), 150, round(0.03 * wide))
            low = y + 0.42 * wide
            top = round(low - 0.14 * wide)
            cv2.rectangle(out, (at[0] - size[0], top), (at[0] + size[0], round(low)), 255, -1)
            _text(out, word, (x - 0.4 * wide, low - 0.03 * wide), 0.09 * wide, 0)
    return np.asarray(out / 255, np.float32)


def _letters(shape: tuple[int, int], mm: float, rng: np.random.Generator) -> Cover:
    """Rows of large bold letters, level or leaning."""
    side = int(np.hypot(*shape))
    out = np.zeros((side, side), np.uint8)
    high = float(rng.uniform(4, 22)) * mm
    word = str(rng.choice(_WORDS))
    for k, y in enumerate(np.arange(high, side, 1.9 * high)):
        _text(out, f"{word}   " * 12, (-k * high, y), high, 255)
    lean = float(rng.choice([0.0, rng.uniform(-45, 45)]))
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), lean, 1.0)
    turned = cv2.warpAffine(out, turn, (side, side))
    return np.asarray(turned[: shape[0], : shape[1]] / 255, np.float32)


def _text(out: Picture, words: str, at: tuple[float, float], high: float, value: int) -> None:
    scale, thick = high / 21, max(1, round(0.2 * high))
    face = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(out, words, (round(at[0]), round(at[1])), face, scale, value, thick)


def _waves(shape: tuple[int, int], mm: float, rng: np.random.Generator) -> Cover:
    """Families of fine crossing waves, as on cheques."""
    h, w = shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    out = np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(2, 4))):
        step, swing = float(rng.uniform(2.5, 8)) * mm, float(rng.uniform(1, 6)) * mm
        long, angle = float(rng.uniform(12, 60)) * mm, float(rng.uniform(0, np.pi))
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        phase = (v + swing * np.sin(2 * np.pi * u / long)) % step
        fine = float(rng.uniform(0.15, 0.5)) * mm
        out = np.maximum(out, (phase < fine).astype(np.float32))
    return out


def _grid(shape: tuple[int, int], mm: float, rng: np.random.Generator) -> Cover:
    """Pale tiles with gaps between them: squares that are areas and no lines."""
    h, w = shape
    step = float(rng.uniform(3.5, 12)) * mm
    gap = float(rng.uniform(0.25, 0.5)) * step
    y, x = np.mgrid[:h, :w]
    tiles = ((x % step) > gap) & ((y % step) > gap)
    return np.asarray(tiles, np.float32)


def _texture(shape: tuple[int, int], mm: float, rng: np.random.Generator) -> Cover:
    """Blots: photocopied cloth, worn paper, a photograph under the form."""
    h, w = shape
    grain = float(rng.uniform(0.4, 2.5)) * mm
    small = rng.normal(0, 1, (round(h / grain), round(w / grain))).astype(np.float32)
    large = cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC)
    sharp = float(rng.uniform(0.6, 6))
    return np.asarray(np.clip(0.5 + sharp * (large - 0.4), 0, 1), np.float32)


_LOOKS = {
    "emblems": _emblems, "letters": _letters, "waves": _waves, "grid": _grid, "texture": _texture,
}  # fmt: skip
