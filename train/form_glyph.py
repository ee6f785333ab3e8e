"""The shapes a hand starts from: glyphs of a font as distances to their edge.

Owns:   the example fonts' files, their measures in caps, `glyph_shape`; the sheet's resolution.
Needs:  numpy, cv2, Pillow, and the font files of `train/fonts/examples`.
Words:  *cap*: the height of a capital H. *fine* pixels: `FINE` of them to a pixel of the sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edge_runtime.preprocess import Gray

FONT_DIR = Path(__file__).with_name("fonts") / "examples"
DPI = 300  # of the sheet before it is scanned
PX_PER_MM = DPI / 25.4
FINE = 2  # glyphs are drawn this much finer than the sheet, then bent into place
_EM = 400  # px at which fonts are measured


@dataclass(frozen=True, slots=True, eq=False)
class GlyphShape:
    """A glyph before a hand bends it; lengths in fine pixels."""

    distance: NDArray[np.float32]  # (h, w) to the glyph's edge, positive in the ink
    ox: float  # its origin on the baseline
    oy: float
    cap: float
    stroke: float  # usual width of the font's strokes


@lru_cache(maxsize=1024)
def glyph_shape(family: str, glyph: str, cap: int) -> GlyphShape:
    """The glyph at a cap of `cap` pixels of the sheet."""
    size = max(8, round(cap * FINE / _cap_ratio(family)))
    font = _font(family, size)
    left, top, right, bottom = map(int, font.getbbox(glyph, anchor="ls"))
    pad = 8 + size // 10
    picture = Image.new("L", (right - left + 2 * pad, bottom - top + 2 * pad), 0)
    ox, oy = pad - left, pad - top
    ImageDraw.Draw(picture).text((ox, oy), glyph, font=font, fill=255, anchor="ls")
    distance = _signed_distance(np.asarray(picture))
    return GlyphShape(distance, ox, oy, size * _cap_ratio(family), size * _stroke_ratio(family))


@lru_cache(maxsize=1024)
def advance(family: str, glyph: str) -> float:
    """From a glyph's origin to the next one's, in caps."""
    return float(_font(family, _EM).getlength(glyph)) / _EM / _cap_ratio(family)


@lru_cache(maxsize=1024)
def extent(family: str, glyph: str) -> tuple[float, float]:
    """Left and right end of a glyph's ink, in caps from its origin."""
    left, _, right, _ = _font(family, _EM).getbbox(glyph, anchor="ls")
    cap = _EM * _cap_ratio(family)
    return float(left) / cap, float(right) / cap


@lru_cache(maxsize=64)
def _font(family: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT_DIR / f"{family}-400.ttf"), size)


@lru_cache(maxsize=64)
def _cap_ratio(family: str) -> float:
    """Height of a capital H, in ems."""
    _, top, _, bottom = _font(family, _EM).getbbox("H", anchor="ls")
    return float(bottom - top) / _EM


@lru_cache(maxsize=64)
def _stroke_ratio(family: str) -> float:
    """Width of the font's stroke, in ems: twice the usual distance of a ridge to its edge."""
    picture = Image.new("L", (8 * _EM, 2 * _EM), 0)
    font = _font(family, _EM)
    ImageDraw.Draw(picture).text((50, 1.2 * _EM), "HnoatE25", font=font, fill=255, anchor="ls")
    inside = np.maximum(_signed_distance(np.asarray(picture)), 0)
    ridge = (inside >= cv2.dilate(inside, np.ones((3, 3), np.uint8))) & (inside > 2)
    return 2 * float(np.median(inside[ridge])) / _EM


def _signed_distance(picture: Gray) -> NDArray[np.float32]:
    ink = (picture >= 128).astype(np.uint8)
    inside = cv2.distanceTransform(ink, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - ink, cv2.DIST_L2, 5)
    return np.asarray(inside - outside, np.float32)
