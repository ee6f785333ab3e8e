"""One writer's hand: text to ink on a page, glyph by glyph.

Owns:   `Hand`, a writer against the font; `write_line`, `write_cells`, `mark_box`, `draw_stroke`,
        `scribble`.
Needs:  numpy, cv2, `form_glyph`.
Words:  *ink* is coverage, uint8 (h, w), 0 paper to 255 full ink. *cap*: the height of a capital H.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.field import Box
from edge_runtime.preprocess import Gray
from train.form_glyph import FINE, PX_PER_MM, advance, extent, glyph_shape

_PENS = (  # ball point blue, dark blue, fountain blue, black, gel black
    (38, 62, 158),
    (24, 36, 104),
    (30, 58, 128),
    (40, 40, 46),
    (22, 22, 26),
)


@dataclass(frozen=True, slots=True)
class Hand:
    """What makes a writer; drawn once a form."""

    family: str  # of the font
    pen_mm: float  # width of a stroke
    colour: tuple[int, int, int]  # RGB of full ink
    cap_mm: float  # height of a capital on a line
    slant: float  # shear, to the right
    stretch: float  # width of a glyph against the font's
    tracking: float  # paper between glyphs, in caps, on top of the font's
    shake: float  # how far glyphs differ from each other; 1 is a usual adult


def random_hand(rng: np.random.Generator, *, family: str) -> Hand:
    """A writer of that font."""
    return Hand(
        family=family,
        pen_mm=float(rng.uniform(0.36, 0.58)),
        colour=_PENS[int(rng.integers(len(_PENS)))],
        cap_mm=float(rng.uniform(3.5, 4.4)),
        slant=float(rng.normal(0.02, 0.06)),
        stretch=float(rng.uniform(0.94, 1.1)),
        tracking=float(rng.uniform(0.04, 0.12)),
        shake=float(rng.uniform(0.7, 1.25)),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line of writing goes, in pixels of the sheet."""

    x: float  # left end
    baseline: float
    room: float  # width that the writer may use


def write_line(ink: Gray, text: str, hand: Hand, place: Place, *, rng: np.random.Generator) -> None:
    """Write `text` on a line, smaller where the room is short, as people do."""
    cap = hand.cap_mm * PX_PER_MM * float(rng.uniform(0.96, 1.06))
    steps = [_advance(hand, glyph) for glyph in text]
    cap = min(cap, place.room / max(1e-6, sum(steps)))
    slope = float(rng.normal(0, 0.004))
    phase, wave = rng.uniform(0, 6.3), rng.uniform(0.01, 0.035) * cap
    x = place.x
    for glyph, step in zip(text, steps, strict=True):
        if glyph != " ":
            run = x - place.x
            drift = slope * run + wave * np.sin(phase + run / (5 * cap))
            _place_glyph(ink, glyph, hand, (x, place.baseline + drift), cap=cap, rng=rng)
        x += step * cap * float(1 + rng.normal(0, 0.03 * hand.shake))


def write_cells(
    ink: Gray, text: str, hand: Hand, cells: Sequence[Box], *, rng: np.random.Generator
) -> None:
    """Write one glyph a cell from the left, roughly in the middle of each."""
    scale = float(rng.uniform(0.52, 0.6))
    rise = float(rng.uniform(0.22, 0.27))
    for glyph, (x0, y0, x1, y1) in zip(text, cells, strict=False):
        cap = scale * (y1 - y0)
        left, right = extent(hand.family, glyph)
        wide = (right - left) * cap * hand.stretch
        cap *= min(1.0, 0.8 * (x1 - x0) / wide)
        middle = (x0 + x1) / 2 + float(rng.normal(0, 0.05)) * (x1 - x0)
        x = middle - (left + right) / 2 * cap * hand.stretch
        y = y1 - rise * (y1 - y0) + float(rng.normal(0, 0.02)) * (y1 - y0)
        _place_glyph(ink, glyph, hand, (x, y), cap=cap, rng=rng)


def mark_box(ink: Gray, box: Box, hand: Hand, *, rng: np.random.Generator) -> None:
    """Tick or cross a check box, now and then a little beyond its frame."""
    x0, y0, x1, y1 = box
    if rng.random() < 0.5:
        strokes = [[(0.12, 0.12), (0.5, 0.47), (0.9, 0.9)], [(0.9, 0.08), (0.52, 0.5), (0.1, 0.92)]]
    else:
        strokes = [[(0.12, 0.5), (0.28, 0.68), (0.42, 0.88), (0.68, 0.4), (1.12, -0.12)]]
    for stroke in strokes:
        points = np.array(stroke) + rng.normal(0, 0.04, (len(stroke), 2))
        draw_stroke(ink, points * (x1 - x0, y1 - y0) + (x0, y0), hand, rng=rng)


def scribble(ink: Gray, hand: Hand, place: Place, *, rng: np.random.Generator) -> None:
    """A signature nobody can read: loops that tire towards a flourish."""
    t = np.linspace(0, 1, 90)
    cap = hand.cap_mm * PX_PER_MM
    loops = rng.uniform(5, 8)
    high = (1.5 * np.exp(-6 * t) + 0.35 + 0.2 * np.sin(9 * t + rng.uniform(0, 6))) * cap
    x = place.x + t * place.room + 0.35 * cap * np.cos(loops * 6.28 * t)
    y = place.baseline - high * (0.5 + 0.5 * np.sin(loops * 6.28 * t + 0.8))
    draw_stroke(ink, np.stack([x, y], axis=1), hand, rng=rng)
    under = [(0.1, 0.35), (0.5, 0.25), (1.0, 0.05)]
    draw_stroke(ink, np.array(under) * (place.room, cap) + (place.x, place.baseline), hand, rng=rng)


def _place_glyph(
    ink: Gray,
    glyph: str,
    hand: Hand,
    origin: tuple[float, float],
    *,
    cap: float,
    rng: np.random.Generator,
) -> None:
    """Bend one glyph as a hand does and leave it on the sheet, its origin on the baseline."""
    shape = glyph_shape(hand.family, glyph, round(cap))
    shake = hand.shake
    grow = cap * FINE / shape.cap * float(1 + rng.normal(0, 0.03 * shake))
    x = origin[0] + float(rng.normal(0, 0.012 * shake)) * cap
    y = origin[1] + float(rng.normal(0, 0.025 * shake)) * cap
    turn = float(rng.normal(0, 0.02 * shake))
    shear = hand.slant + float(rng.normal(0, 0.025 * shake))
    if glyph == "/":
        shear = max(shear, 0.0) + 0.08  # nobody writes it upright: it would be a 1
    wide = hand.stretch * grow * float(1 + rng.normal(0, 0.025 * shake))

    margin = int(0.35 * cap) + 4
    left = int(x - margin - 0.5 * cap)
    top = int(y - shape.oy / FINE * grow) - margin
    w = int(shape.distance.shape[1] / FINE * wide + 1.2 * cap) + 2 * margin
    h = int(shape.distance.shape[0] / FINE * grow) + 2 * margin
    grid_x, grid_y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    dx, dy = grid_x + (left - x), grid_y + (top - y)
    dx, dy = dx + turn * dy, dy - turn * dx  # small turn
    dx = dx + shear * dy  # leans right: above the baseline dy < 0 and x grows
    bend = 0.028 * shake * cap
    dx = dx + bend * _smooth_noise((h, w), 4, rng=rng)
    dy = dy + bend * _smooth_noise((h, w), 4, rng=rng)
    map_x = (dx * (FINE / wide) + shape.ox).astype(np.float32)
    map_y = (dy * (FINE / grow) + shape.oy).astype(np.float32)
    far = cv2.remap(shape.distance, map_x, map_y, cv2.INTER_LINEAR, borderValue=-99.0) / FINE * grow

    pen = hand.pen_mm * PX_PER_MM
    drawn = shape.stroke / FINE * grow
    wider = np.clip((pen - drawn) / 2, -0.22 * drawn, 0.35 * drawn)
    press = 0.09 * pen * _smooth_noise((h, w), 5, rng=rng)
    rough = rng.normal(0, 0.12, (h, w)).astype(np.float32)
    cover = np.clip(far + wider + press + rough + 0.5, 0, 1)
    fade = np.clip(0.9 + 0.09 * _smooth_noise((h, w), 5, rng=rng), 0.6, 1)
    _lay(ink, cover * fade * 255, left, top)


def draw_stroke(
    ink: Gray, points: NDArray[np.float64], hand: Hand, *, rng: np.random.Generator
) -> None:
    """A stroke through the points, its width as the pen's pressure."""
    steps = np.linspace(0, len(points) - 1, max(60, 8 * len(points)))
    knots = np.arange(len(points))
    path = np.stack([np.interp(steps, knots, points[:, axis]) for axis in (0, 1)], axis=1)
    path = np.asarray(cv2.GaussianBlur(path, (1, 9), 2.2, borderType=cv2.BORDER_REPLICATE))
    pen = hand.pen_mm * PX_PER_MM * (1 + 0.12 * _smooth_noise((1, len(path)), 6, rng=rng)[0])
    layer = np.zeros_like(ink)
    for a, b, width in zip(path[:-1], path[1:], pen, strict=False):
        ends = [tuple(round(16 * float(v)) for v in end) for end in (a, b)]
        cv2.line(layer, ends[0], ends[1], 232, max(2, round(float(width))), cv2.LINE_AA, shift=4)
    np.maximum(ink, layer, out=ink)


def _lay(ink: Gray, cover: NDArray[np.float32], left: int, top: int) -> None:
    """The darker of both, where the piece meets the sheet."""
    x0, y0 = max(0, left), max(0, top)
    x1 = min(ink.shape[1], left + cover.shape[1])
    y1 = min(ink.shape[0], top + cover.shape[0])
    if x1 > x0 and y1 > y0:
        piece = cover[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.uint8)
        np.maximum(ink[y0:y1, x0:x1], piece, out=ink[y0:y1, x0:x1])


def _smooth_noise(
    shape: tuple[int, int], cells: int, *, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Noise of unit spread that changes `cells` times across."""
    coarse = rng.normal(0, 1, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _advance(hand: Hand, glyph: str) -> float:
    """To the next glyph, in caps. A word space is wide enough to be seen as one."""
    step = advance(hand.family, glyph)
    if glyph == " ":
        step = max(step, 0.55)
    return step * hand.stretch + hand.tracking
