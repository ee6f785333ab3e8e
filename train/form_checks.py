"""Sheets of check boxes, marked in every way that people mark them: for fitting and measuring.

Owns:   `CheckSheet`, `draw_checks`, `mark_as`, `STATES`.
Needs:  numpy, cv2, `form_print`, `form_hand`, `form_scan`.
Words:  *corrected*: marked by mistake and scribbled over. *filled*: blackened as an answer,
        within the box. Rows of boxes are drawn as questionnaires have them: with labels, dotted
        leaders and arrows.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.field import Box
from train.form_glyph import PX_PER_MM
from train.form_hand import Hand, draw_stroke, random_hand
from train.form_print import Sheet, Theme
from train.form_random import FAMILIES, _label
from train.form_scan import LID_MM, Picture, put_ink, random_look, scan

STATES = ("empty", "ticked", "crossed", "filled", "corrected")
_SHARES = (0.34, 0.17, 0.23, 0.12, 0.14)
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CheckSheet:
    """A sheet and its boxes."""

    picture: Picture  # (h, w) grey
    boxes: tuple[tuple[Box, str], ...]  # pixels of the picture, to half a millimetre; state


def mark_as(ink: Picture, box: Box, hand: Hand, state: str, *, rng: np.random.Generator) -> None:
    """Mark a box."""
    strokes: list[Points] = []
    if state == "ticked" or (state == "corrected" and rng.random() < 0.4):
        strokes.append(np.array([(0.12, 0.5), (0.28, 0.7), (0.42, 0.88), (0.68, 0.4), (1.1, -0.1)]))
    elif state == "crossed" or (state == "corrected" and rng.random() < 0.8):
        over = float(rng.uniform(-0.12, 0.2))
        strokes.append(np.array([(-over, -over), (0.5, 0.5), (1 + over, 1 + over)]))
        strokes.append(np.array([(1 + over, -over), (0.5, 0.5), (-over, 1 + over)]))
        if rng.random() < 0.3:  # gone over once more
            strokes.append(strokes[0] + rng.normal(0, 0.05, strokes[0].shape))
    side = (box[2] - box[0]) / PX_PER_MM
    if state == "filled":
        passes = int(np.ceil(side / hand.pen_mm * rng.uniform(0.9, 1.4)))
        strokes = [_zigzag(passes, (0.04, 0.96), float(rng.uniform(0, np.pi)), rng)]
    elif state == "corrected":
        passes = int(rng.integers(5, 12))
        low, high = float(rng.uniform(-0.45, -0.05)), float(rng.uniform(1.05, 1.5))
        angle = float(rng.uniform(0, np.pi))
        strokes.append(_zigzag(passes, (low, high), angle, rng))
        if rng.random() < 0.4:
            strokes.append(_zigzag(passes // 2 + 2, (low, high), angle + 0.9, rng))
    stretch = rng.normal(1, 0.08, 2)
    move = rng.normal(0, 0.05, 2)
    for stroke in strokes:
        shaken = (stroke - 0.5) * stretch + 0.5 + move + rng.normal(0, 0.03, stroke.shape)
        if state == "filled":
            shaken = np.clip(shaken, 0.02, 0.98)
        wide = np.array([box[2] - box[0], box[3] - box[1]])
        draw_stroke(ink, shaken * wide + np.array(box[:2]), hand, rng=rng)


def _zigzag(
    passes: int, reach: tuple[float, float], angle: float, rng: np.random.Generator
) -> Points:
    t = np.linspace(0.02, 0.98, passes + 1)
    low, high = reach
    along = np.where(np.arange(passes + 1) % 2 == 0, low, high) + rng.normal(0, 0.05, passes + 1)
    points = np.stack([along, t + rng.normal(0, 0.03, passes + 1)], axis=1) - 0.5
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(points @ np.array([[c, s], [-s, c]]) + 0.5)


def draw_checks(rng: np.random.Generator) -> CheckSheet:
    """A page with rows and columns of boxes."""
    grey = int(rng.integers(20, 150))
    theme = Theme("open-sans", (60, 80, 120), (236, 240, 244), (grey, grey, grey))
    sheet = Sheet((210, 297), theme)
    sheet.text(18, 22, "Questions", pt=16, bold=True)
    hand = random_hand(rng, family=FAMILIES[int(rng.integers(len(FAMILIES)))])
    ink = np.zeros((sheet.image.height, sheet.image.width), np.uint8)
    side, thin = float(rng.uniform(2.8, 6)), float(rng.uniform(0.12, 0.4))
    dotted = rng.random() < 0.25
    places: list[tuple[Box, str]] = []
    y = 40.0
    while y < 270:
        n, step = int(rng.integers(1, 6)), float(rng.uniform(max(9.0, side + 4), 26))
        x = float(rng.uniform(70, 80))
        leaders, arrows = rng.random() < 0.3, rng.random() < 0.25
        for _ in range(int(rng.integers(1, 5))):
            sheet.text(20, y + side - 1, _label(rng) + " " + _label(rng).lower(), pt=9)
            for k in range(n):
                x0 = x + k * step
                if x0 + side > 195:
                    break
                box = (x0, y, x0 + side, y + side)
                _frame(sheet, box, thin, dotted=dotted and rng.random() < 0.5)
                if leaders and k + 1 < n and x0 + step + side < 195:
                    for at in np.arange(x0 + side + 0.6, x0 + step - 0.6, 0.7):
                        sheet.rule(at, y + side / 2, at + 0.3, y + side / 2, mm=0.2)
                if arrows:
                    down = [(x0, y + side), (x0 + side, y + side), (x0 + side / 2, y + 1.5 * side)]
                    sheet.polygon(down, fill=(20, 20, 20))
                elif n == 1 or (step > 18 and not leaders):
                    sheet.text(x0 + side + 1.5, y + side - 0.8, _label(rng).lower()[:9], pt=8)
                state = STATES[int(rng.choice(len(STATES), p=_SHARES))]
                left, top, right, bottom = (edge * PX_PER_MM for edge in box)
                mark_as(ink, (left, top, right, bottom), hand, state, rng=rng)
                places.append((box, state))
            y += side * (1.6 if arrows else 1.0) + float(rng.uniform(2.2, 6))
            if y > 270:
                break
        y += float(rng.uniform(6, 16))
    picture = put_ink(np.asarray(sheet.image), ink, hand.colour)
    # Laid on the glass straight, so that where every box stands is known.
    look = replace(random_look(rng, grey=True), skew_deg=float(rng.normal(0, 0.1)))
    # The first that a scanner draws is how far off the middle of the glass a sheet lies.
    off = deepcopy(rng).uniform(-0.4, 0.4, 2) * LID_MM / 25.4 * 200
    picture = scan(picture, look, rng=rng)
    seen = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    if rng.random() < 0.5:
        level = float(rng.uniform(175, 222))
        seen = np.where(np.asarray(seen) > level, 255, 0).astype(np.uint8)
    px = 200 / 25.4
    h, w = seen.shape
    rim = (w - 210 * px) / 2 + off[0], (h - 297 * px) / 2 + off[1]
    boxes = tuple(
        ((a * px + rim[0], b * px + rim[1], c * px + rim[0], d * px + rim[1]), state)
        for (a, b, c, d), state in places
    )
    return CheckSheet(np.ascontiguousarray(seen), boxes)


def _frame(sheet: Sheet, box: Box, mm: float, *, dotted: bool) -> None:
    x0, y0, x1, y1 = box
    for a, b, c, d in ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)):
        if not dotted:
            sheet.rule(a, b, c, d, mm=mm)
            continue
        for t in np.arange(0.0, 1.0, 0.12):
            u = min(1.0, t + 0.08)
            sheet.rule(a + t * (c - a), b + t * (d - b), a + u * (c - a), b + u * (d - b), mm=mm)
