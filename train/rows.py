"""Rows of cells by one writer, as a form has them: boxes or combs, a glyph in each.

Owns:   `row_ink`.
Needs:  numpy, cv2, `compose`, `pen`, `strokes`.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from train.compose import Hand, extent, place, warp
from train.pen import Pen, draw_strokes
from train.strokes import GlyphBank, Strokes

Gray = NDArray[np.uint8]
Rng = np.random.Generator

_FILL = (0.45, 0.8)  # a capital's height in parts of its cell's
_RAISED = 0.35  # of the points
_OVER = 0.06  # writing stands this far out of the middle, in parts of a cell


def row_ink(text: str, bank: GlyphBank, rng: Rng, *, style: float) -> Gray | None:
    """Ink and print of a row of `len(text)` cells.

    Args:
        text: A space is an empty cell.
        bank: Glyphs of those who may write it.
        rng: Draws the writer, the pen and the boxes.
        style: How far glyphs are made into another writer's, 0..1.

    Returns:
        Coverage uint8 (h, w), ink bright; None where nobody wrote one of the characters.
    """
    numeric = sum(c.isdigit() for c in text) > 0.6 * len(text.replace(" ", ""))
    writers = bank.digit_writers if numeric else bank.writers
    writer = writers[int(rng.integers(len(writers)))]
    hand, pen = Hand.draw(rng, style=style), Pen.draw(rng)
    height = int(rng.integers(24, 64))
    width = int(height * rng.uniform(0.7, 1.1))
    tall, _ = extent("A", hand.build)
    unit = rng.uniform(*_FILL) * height / -tall
    margin = int(height * rng.uniform(0.05, 0.25)) + 2
    edge = 1 + math.ceil(pen.width * -tall * unit)  # for the pen's width
    ink = np.zeros((height + 2 * margin, len(text) * width + 2 * margin), np.uint8)
    for at, char in enumerate(text):
        if char == " ":
            continue
        glyph = bank.glyph(writer, char, rng)
        if glyph is None:
            return None
        placed = place(char, glyph, hand, rng)
        low, high = _rows(placed)  # before the warp, which keeps no place on the line
        placed = warp(placed, rng, strength=style)
        drawn = draw_strokes(
            placed, pen, rng, height_px=-tall * unit, scale=unit, pad_px=(edge, edge, edge, edge)
        )
        middle = (low + high - tall) / 2  # of the glyph, from the middle of a capital
        if (
            char == "." and rng.random() < _RAISED
        ):  # in a box of its own, anywhere in its lower half
            middle *= rng.random()
        x = margin + at * width + (width - drawn.shape[1]) / 2 + rng.normal(0, _OVER) * width
        y = margin + height / 2 + middle * unit - drawn.shape[0] / 2 + rng.normal(0, _OVER) * height
        _put(ink, drawn, round(x), round(y))
    _rule(ink, margin, width, height, len(text), rng)
    return ink


def _rows(strokes: Strokes) -> tuple[float, float]:
    """Top and bottom."""
    rows = np.concatenate(strokes)[:, 1]
    return float(rows.min()), float(rows.max())


def _put(ink: Gray, glyph: Gray, x: int, y: int) -> None:
    """Add a glyph, its overhang cut off."""
    x, y = max(0, min(x, ink.shape[1] - 1)), max(0, min(y, ink.shape[0] - 1))
    part = ink[y : y + glyph.shape[0], x : x + glyph.shape[1]]
    np.maximum(part, glyph[: part.shape[0], : part.shape[1]], out=part)


def _rule(ink: Gray, margin: int, width: int, height: int, n: int, rng: Rng) -> None:
    """Print boxes, or a comb, in one grey; or one box, its inner lines lost to the scanner."""
    grey, thick = int(rng.integers(70, 230)), int(rng.integers(1, 3))
    comb, lost = rng.random() < 0.35, rng.random() < 0.15
    left, top, right, bottom = margin, margin, margin + n * width, margin + height
    rules = np.zeros_like(ink)
    cv2.line(rules, (left, bottom), (right, bottom), grey, thick)
    if not comb:
        cv2.line(rules, (left, top), (right, top), grey, thick)
    for at in (0, n) if lost else range(n + 1):
        x = left + at * width
        cv2.line(rules, (x, bottom - height // 3 if comb else top), (x, bottom), grey, thick)
    np.maximum(ink, rules, out=ink)
