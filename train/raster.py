"""Glyphs that exist as pixels only: MNIST digits alone and side by side.

Owns:   `side_by_side`.
Needs:  numpy, cv2.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge_runtime.preprocess import Gray

Rng = np.random.Generator


def side_by_side(glyphs: list[Gray], rng: Rng, *, height: float) -> Gray:
    """Digits that exist as pixels only, in a row: one slant and pen for all, places jittered."""
    slant, stretch = (
        float(np.clip(rng.normal(0, 0.15), -0.45, 0.45)),
        float(np.exp(rng.normal(0, 0.12))),
    )
    base = height / 20  # MNIST ink is 20 pixels high
    gap = rng.uniform(-0.12, 0.45) if len(glyphs) > 1 else 0.3
    pad = height * rng.uniform(0.08, 0.5, 4)
    pen, rows = float(pad[0]), int(height * 1.3 + pad[1] + pad[2])
    out = np.zeros((rows, int(pen + len(glyphs) * (height * 1.6 * stretch) + pad[3] + 8)), np.uint8)
    right = pen
    for glyph in glyphs:
        columns = np.flatnonzero(glyph.any(axis=0))
        left, width = int(columns[0]), int(columns[-1] - columns[0] + 1)
        scale = base * float(np.exp(rng.normal(0, 0.05)))
        turn = float(rng.normal(0, 0.05))
        move = np.array(
            [[scale * stretch, -slant * scale, 0], [turn * scale, scale, 0]], np.float64
        )
        drop = pad[1] + height * 0.62 + rng.normal(0, 0.035) * height
        anchor = move[:, :2] @ np.array([left + width / 2, 14.0])
        centre = pen + width * scale * stretch / 2
        move[:, 2] = np.array([centre, drop]) - anchor
        drawn = cv2.warpAffine(glyph, move, (out.shape[1], rows), flags=cv2.INTER_CUBIC)
        np.maximum(out, np.asarray(drawn, np.uint8), out=out)
        right = pen + width * scale * stretch
        pen = right + max(gap + rng.normal(0, 0.07), -0.15) * height
    out = out[:, : max(4, int(right + pad[3]))]
    if (chance := rng.random()) < 0.4:  # other pens
        side = int(rng.integers(2, 2 + max(1, round(height / 24)) + 1))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        out = np.asarray(
            cv2.erode(out, kernel) if chance < 0.25 else cv2.dilate(out, kernel), np.uint8
        )
    return np.asarray(out, np.uint8)
