"""Secrets kept out of pictures, and crops of fields.

Owns:   `hide_secrets`, `hide_boxes`, `cut`, and from boxes to whole pixels.
Needs:  `results`, `tone`; numpy, cv2.
Words:  *canvas*: uint8 (h, w, 3) BGR, the upright page.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.field import Box
from edge_runtime.results import FieldReading, FormReading
from edge_runtime.tone import positive

Canvas = NDArray[np.uint8]
Rect = tuple[int, int, int, int]  # x0, y0, x1, y1, whole pixels, x1 and y1 exclusive

_COVER = 110  # grey level painted over a secret: neither paper nor ink
# Parts of a field's height. People write over a box's edge by a few per cent (the dots of an i, a
# comma); what leaves the box in one stroke, like the tail of a g, is followed for a whole height.
_AROUND, _TOUCHING, _FAR = 0.2, 0.08, 1.25
_EDGE = 7  # pixels that a stroke is widened to, all of its sides together and itself


def hide_secrets(page: Canvas, form: FormReading) -> Canvas:
    """A BGR copy of the page with the ink of secret fields painted over, as `hide_boxes` does."""
    secrets = [one.box for one in form.fields if one.secret]
    return hide_boxes(page, secrets, [one.box for one in form.fields if not one.secret])


def hide_boxes(page: Canvas, secrets: Sequence[Box], others: Sequence[Box]) -> Canvas:
    """A BGR copy of the page with the ink of some boxes painted over.

    Painted are the box, a fifth of its height around it, and the strokes that leave it: these take
    the paper's colour, for a grey letter is read as well as a black one. Other fields keep their
    pixels, except where they reach into a secret. Negatives are looked at as positives.

    Args:
        page: uint8 (h, w) or (h, w, 3) BGR.
        secrets: Boxes that are hidden, pixels of the page.
        others: Those of all other fields.
    """
    canvas = as_bgr(page)
    if not secrets:
        return canvas
    given = np.asarray(cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY), np.uint8)
    gray = positive(given)
    dark = _dark(gray)
    cover, strokes = np.zeros(canvas.shape[:2], bool), np.zeros(canvas.shape[:2], bool)
    for box in secrets:
        height = box[3] - box[1]
        around, near, far = (
            whole_box(box, canvas, pad=height * part) for part in (_AROUND, _TOUCHING, _FAR)
        )
        cover[around[1] : around[3], around[0] : around[2]] = True
        strokes[far[1] : far[3], far[0] : far[2]] |= _reaching(dark, near, far)
    for box in others:
        x0, y0, x1, y1 = whole_box(box, canvas)
        cover[y0:y1, x0:x1] = strokes[y0:y1, x0:x1] = False
    for box in secrets:  # last, for a field that overlaps a secret must not bring it back
        x0, y0, x1, y1 = whole_box(box, canvas)
        cover[y0:y1, x0:x1] = True
    _erase(canvas, strokes, light=gray is given)
    canvas[cover] = _COVER
    return canvas


def _erase(canvas: Canvas, strokes: NDArray[np.bool_], *, light: bool) -> None:
    """Give strokes, bool (h, w), the colour of the paper around them; `light`: it is lighter."""
    if not strokes.any():
        return
    x, y, w, h = cv2.boundingRect(strokes.astype(np.uint8))
    part, on = canvas[y : y + h, x : x + w], strokes[y : y + h, x : x + w]
    paper = part.copy()
    paper[on] = 0 if light else 255
    # The nearest paper: a closing grows until no stroke is left in it.
    side, kind = 9, cv2.MORPH_DILATE if light else cv2.MORPH_ERODE
    while True:
        near = np.asarray(cv2.morphologyEx(paper, kind, np.ones((side, side), np.uint8)), np.uint8)
        known = cv2.erode(on.astype(np.uint8), np.ones((side, side), np.uint8)) == 0
        if known.all() or side > max(h, w):
            break
        side = 2 * side + 1
    smooth = np.asarray(cv2.blur(near, (side, side)), np.uint8)
    part[on] = smooth[on]


def _dark(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (h, w), 1 where a pixel is darker than its paper, wherever the light falls."""
    side = max(15, min(gray.shape) // 20) | 1
    return np.asarray(
        cv2.adaptiveThreshold(gray, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, side, 12),
        np.uint8,
    )


def _reaching(dark: NDArray[np.uint8], near: Rect, far: Rect) -> NDArray[np.bool_]:
    """bool, of the size of `far`: all of `near`, and dark strokes that run from it into `far`."""
    part = dark[far[1] : far[3], far[0] : far[2]].copy()
    inner = np.s_[near[1] - far[1] : near[3] - far[1], near[0] - far[0] : near[2] - far[0]]
    part[inner] = 1
    if part.size == 0:
        return part.astype(bool)
    _, labels = cv2.connectedComponents(part, connectivity=8)
    reached = np.unique(labels[inner])
    stroke = np.isin(labels, reached[reached > 0]).astype(np.uint8)
    # Some pixels more, for the grey edge of a stroke still shows its shape.
    return np.asarray(cv2.dilate(stroke, np.ones((_EDGE, _EDGE), np.uint8)), np.uint8) > 0


def cut(page: Canvas, reading: FieldReading) -> Canvas | None:
    """The field's part of the page, uint8 (h, w, 3) BGR; None where its box is off the page."""
    canvas = as_bgr(page)
    x0, y0, x1, y1 = whole_box(reading.box, canvas)
    return canvas[y0:y1, x0:x1] if x0 < x1 and y0 < y1 else None


def whole_box(box: Box, canvas: Canvas, *, pad: float = 0) -> Rect:
    """Whole pixels that hold the box, cut to the canvas."""
    h, w = canvas.shape[:2]
    x0, y0 = (int(np.floor(edge - pad)) for edge in box[:2])
    x1, y1 = (int(np.ceil(edge + pad)) for edge in box[2:])
    return min(max(0, x0), w), min(max(0, y0), h), min(max(0, x1), w), min(max(0, y1), h)


def as_bgr(page: Canvas) -> Canvas:
    """A copy, in colour."""
    if page.ndim == 2:
        return np.asarray(cv2.cvtColor(page, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.array(page, np.uint8)
