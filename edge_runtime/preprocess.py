"""From a crop to what the network sees: the one road, for training, calibration and reading.

Owns:   photometry (`normalize_ink`), geometry (`make_strip`), buckets and tensors.
Needs:  numpy, cv2, `edge_runtime.spec`, `edge_runtime.components`, `edge_runtime.kernels`. Never
        torch, never onnxruntime, never a file.
Words:  *crop*: dark ink on light paper. *ink*: the same pixels, bright on black, 255 is full ink.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.components import Components, components_of
from edge_runtime.kernels import full_kernel
from edge_runtime.spec import ModelSpec

Gray = NDArray[np.uint8]
IntBox = tuple[int, int, int, int]  # x0, y0, x1, y1, the last two exclusive

# Paper is told from ink by contrast: under this many grey levels there is no ink, only grain.
# Measured on pencil: faint strokes on exam sheets stand 30 levels under their paper, grain 6.
MIN_CONTRAST = 24
STROKE = 90  # a pixel of this much ink, of 255, belongs to a stroke
_LEVELS = np.arange(256, dtype=np.float32)
# Parts of a crop's pixels: half of them are paper. The darkest 1 % is ink wherever there is any: a
# lone "1" in a square cell covers 4 %.
_GRAIN_AND_FULL = np.array([0.5, 0.99], np.float32)
_WIDEST_PX, _SLIVER_PX = 2047, 1023  # rows over which paper is looked for; and in narrow crops
_LARGE_PX = 45  # the side of a square from which a closing by doubling is faster
_DENSE_ROWS = 3  # rows of a strip that are crossed most often: the middle of small letters
_LEAST_STROKES = 4.0  # across a strip; fewer are a single glyph, whose width is its shape
_MOST_STRETCH = 2.0
_BEHIND = 4  # pixels of a strip: a pixel between two, and one that is averaged of a part


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """A field's ink on one line, height-normalised, and the way back to its crop."""

    pixels: Gray  # (height_px, w), ink bright on black; w is at most the widest bucket
    x0: float  # crop column of the strip's left edge
    y0: float  # crop row of the strip's top edge
    scale_x: float  # strip pixels per crop pixel
    scale_y: float

    def to_crop(self, left: float, right: float) -> tuple[float, float]:
        """Strip columns to crop columns."""
        return self.x0 + left / self.scale_x, self.x0 + right / self.scale_x


def normalize_ink(crop: Gray, *, contrast: int = MIN_CONTRAST) -> Gray:
    """Flatten the paper, stretch the ink.

    Args:
        crop: uint8 (h, w), dark ink on light paper, h and w at least 1.
        contrast: Grey levels under its paper at which ink is full at the latest.

    Returns:
        uint8 (h, w), ink bright on black: 0 is paper, 255 the darkest ink of this crop. Next to
        zero where nothing stands `contrast` grey levels under its paper.
    """
    h, w = crop.shape
    # Paper as a closing sees it: half the crop's height is wider than any stroke, and narrower
    # than a shadow. Three pixels at least, for crops of a dozen rows.
    side = max(3, min(h // 2, _WIDEST_PX)) | 1
    # Of a sliver no more than what lies in it: thousands of pixels beside it would take the room.
    wide = side if side < _SLIVER_PX else min(side, 2 * w + 1)
    paper = cv2.blur(_closed(crop, side, wide), (wide, side), borderType=cv2.BORDER_REPLICATE)
    depth = cv2.subtract(paper, crop)
    counts = cv2.calcHist([depth], [0], None, [256], [0, 256]).ravel().cumsum()
    grain, full = counts.searchsorted(counts[-1] * _GRAIN_AND_FULL).tolist()
    span = max(full - grain, contrast)
    return np.asarray(cv2.LUT(depth, _stretching(grain, span)), np.uint8)


@lru_cache(maxsize=1024)
def _stretching(grain: int, span: int) -> Gray:
    """uint8 (256,), the ink of each depth under the paper."""
    levels = (_LEVELS - grain) * (255.0 / span)
    return np.asarray(levels.clip(0, 255).astype(np.uint8), np.uint8)


def _closed(crop: Gray, side: int, wide: int) -> Gray:
    """A closing by a rectangle of odd sides, `wide` along the rows; what lies beyond the crop has
    no say."""
    if side < _LARGE_PX:
        square = full_kernel(side, wide)
        found = cv2.morphologyEx(crop, cv2.MORPH_CLOSE, square, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(found, np.uint8)
    down, along = (side - 1) // 2, (wide - 1) // 2
    for extreme, paper in ((cv2.max, 0), (cv2.min, 255)):
        # The extreme of 2, 4, 8 .. neighbours, then of the rest: OpenCV looks at one by one.
        crop = np.asarray(
            cv2.copyMakeBorder(crop, down, down, along, along, cv2.BORDER_CONSTANT, value=paper),
            np.uint8,
        )
        done = 1
        while done < side:
            step = min(done, side - done)
            crop = np.asarray(extreme(crop[:-step], crop[step:]), np.uint8)
            done += step
        done = 1
        while done < wide:
            step = min(done, wide - done)
            crop = np.asarray(extreme(crop[:, :-step], crop[:, step:]), np.uint8)
            done += step
    return crop


def ink_box(ink: Gray, strokes: Components | None = None) -> IntBox | None:
    """Box of the strokes, specks left out.

    Args:
        ink: uint8 (h, w), ink bright on black.
        strokes: Its components from `STROKE` on, where they are known.

    Returns:
        (x0, y0, x1, y1), x1 and y1 exclusive; None where there is no ink.
    """
    strokes = components_of(ink, STROKE) if strokes is None else strokes
    # A full stop of a pen half a millimetre wide covers a thousandth of its line's height squared.
    return strokes.box(max(2.0, 0.0008 * ink.shape[0] ** 2))


def make_strip(
    ink: Gray,
    spec: ModelSpec,
    *,
    line: tuple[float, float] | None = None,
    box: IntBox | None = None,
) -> Strip | None:
    """Scale a line's ink to the strip's height, and widen what is written densely.

    Small letters between long ones, written closely, are a few pixels wide when the line's height
    is the strip's: their strokes are brought to `spec.stroke_pitch_px` apart. Nothing is narrowed.

    Args:
        ink: uint8 (h, w), ink bright on black, one line of writing, rules removed.
        spec: Height, ink height, margin and buckets.
        line: Top and bottom row of the writing that this ink is one glyph of, where that is known:
            it tells o from O. The ink's own top and bottom otherwise.
        box: The ink's, from `ink_box`, where that is known.

    Returns:
        The strip, or None where there is no ink. Ink lower than `spec.min_ink_ratio` of its crop (a
        dash, a full stop) keeps its place and is not blown up to the height of a digit.
    """
    box = ink_box(ink) if box is None else box
    if box is None:
        return None
    x0, y0, x1, y1 = map(float, box)
    h = ink.shape[0]
    if line is not None:
        y0, y1 = min(y0, line[0]), max(y1, line[1])
    lack = spec.min_ink_ratio * h - (y1 - y0)
    if lack > 0:
        paper = h - (y1 - y0)
        y0, y1 = y0 - lack * y0 / paper, y1 + lack * (h - y1) / paper
    scale_y = spec.ink_px / (y1 - y0)
    width = (x1 - x0) * scale_y + 2 * spec.margin_px
    most = spec.widths_px[-1]
    squeeze = min(1.0, (most - 2 * spec.margin_px) / (width - 2 * spec.margin_px))
    strip = _strip(ink, spec, (x0, x1, y0), (scale_y * squeeze, scale_y))
    stretch = min(_stretch(strip.pixels, spec), most / strip.pixels.shape[1])
    if line is None and stretch > 1:
        strip = _strip(ink, spec, (x0, x1, y0), (scale_y * squeeze * stretch, scale_y))
    return strip


def _strip(
    ink: Gray, spec: ModelSpec, box: tuple[float, float, float], scale: tuple[float, float]
) -> Strip:
    """The ink from column x0 to x1 and from row y0 down; `box` is (x0, x1, y0)."""
    (x0, x1, y0), (scale_x, scale_y) = box, scale
    w = max(spec.stride_px, round((x1 - x0) * scale_x + 2 * spec.margin_px))
    w = min(spec.widths_px[-1], w)
    left = x0 - spec.margin_px / scale_x
    top = y0 - (spec.height_px - spec.ink_px) / 2 / scale_y
    pixels = _resample(ink, left, top, scale_x, scale_y, (w, spec.height_px))
    return Strip(pixels, left, top, scale_x, scale_y)


def _stretch(pixels: Gray, spec: ModelSpec) -> float:
    """How much wider a strip must be for its strokes to stand far enough apart."""
    stroke = cv2.threshold(pixels, STROKE - 1, 1, cv2.THRESH_BINARY)[1]
    into = cv2.subtract(stroke[:, 1:], stroke[:, :-1])  # stops at 0
    crossed = sorted(cv2.reduce(into, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel().tolist())
    strokes = sum(crossed[-_DENSE_ROWS:]) / _DENSE_ROWS
    if strokes < _LEAST_STROKES:
        return 1.0
    pitch = (pixels.shape[1] - 2 * spec.margin_px) / strokes
    return float(min(max(spec.stroke_pitch_px / max(pitch, 1.0), 1.0), _MOST_STRETCH))


def bucket_px(width_px: int, spec: ModelSpec) -> int:
    """The narrowest bucket that holds a strip: chosen by the strip alone, never by its batch."""
    for bucket in spec.widths_px:
        if width_px <= bucket:
            return bucket
    raise ValueError(f"strip of {width_px} px; `make_strip` gives at most {spec.widths_px[-1]}")


def to_tensor(strips: Sequence[Gray], bucket: int, spec: ModelSpec) -> NDArray[np.float32]:
    """Strips side by side in one batch, padded with paper on the right.

    Returns:
        float32 (n, 1, height_px, bucket), `(ink / 255 - mean) / std`.
    """
    if len(strips) == 1 and not spec.mean:  # paper stays 0: one strip goes straight to its place
        out = np.zeros((1, 1, spec.height_px, bucket), np.float32)
        own = out[0, 0, :, : strips[0].shape[1]]
        np.multiply(strips[0], np.float32(1 / (255 * spec.std)), out=own, dtype=np.float32)
        return out
    batch = np.zeros((len(strips), 1, spec.height_px, bucket), np.uint8)
    for row, pixels in zip(batch, strips, strict=True):
        row[0, :, : pixels.shape[1]] = pixels
    return normalize_tensor(batch, spec)


def normalize_tensor(batch: NDArray[np.uint8], spec: ModelSpec) -> NDArray[np.float32]:
    """uint8 ink to float32 `(ink / 255 - mean) / std`, any shape."""
    out = np.multiply(batch, np.float32(1 / (255 * spec.std)), dtype=np.float32)
    if spec.mean:
        out -= np.float32(spec.mean / spec.std)
    return out


def n_frames(width_px: int, spec: ModelSpec) -> int:
    """Output frames that show a strip of this width; the padding's frames are cut."""
    return -(-width_px // spec.stride_px)


def _resample(
    ink: Gray, left: float, top: float, sx: float, sy: float, size: tuple[int, int]
) -> Gray:
    """The window at (left, top) of `ink`, scaled; outside is paper.

    Shrinking goes through area averages (a thin stroke must fade, not vanish), growing through
    linear interpolation.
    """
    w, h = size
    if sy < 1:
        if not round(ink.shape[1] * sx):  # a sliver of a crop: with paper beside it, a column
            ink = np.pad(ink, ((0, 0), (0, math.ceil(1 / sx) - ink.shape[1])))
        # An affine warp samples points, so shrink by area first and warp the rest of the way.
        fx, fy = round(ink.shape[1] * sx) / ink.shape[1], round(ink.shape[0] * sy) / ink.shape[0]
        # What lies behind the window, and some pixels more, is not looked at.
        right, bottom = math.ceil(left + (w + _BEHIND) / sx), math.ceil(top + (h + _BEHIND) / sy)
        ink = ink[: max(bottom, 1), : max(right, 1)]
        small = cv2.resize(ink, None, fx=sx, fy=sy, interpolation=cv2.INTER_AREA)
        ink, left, top, sx, sy = np.asarray(small, np.uint8), left * fx, top * fy, sx / fx, sy / fy
    # cv2 maps pixel centres: (x + 0.5) * scale - 0.5
    move = np.array(
        [[sx, 0, 0.5 * sx - 0.5 - left * sx], [0, sy, 0.5 * sy - 0.5 - top * sy]], np.float64
    )
    return np.asarray(
        cv2.warpAffine(ink, move, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT),
        np.uint8,
    )
