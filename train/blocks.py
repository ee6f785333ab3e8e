"""Fields of several lines, as one writer fills them: addresses, remarks, lists.

Owns:   `Block`, `draw_block`.
Needs:  numpy, `engine`, `compose`, `pen`.
Words:  units are x-heights, as in `compose`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from train import texts
from train.compose import compose, join_words, warp
from train.engine import Engine
from train.pen import Pen, draw_strokes
from train.strokes import Points, Strokes

Gray = NDArray[np.uint8]
Rng = np.random.Generator

_TIGHT, _WIDE = 2.5, 4.6  # from line to line; ascenders and tails together take 2.75
_LEAN, _LEANS = 0.025, 0.01  # of the block, and of its lines apart: standard deviations
_LINE_PX = (24.0, 44.0)  # from line to line: 10 mm at 60 to 110 dpi
_WIDEST = 24.0  # of its line's height
_LETTERS = 2  # a line has at least: a lone bracket under others is no line of a form
_REAL = 0.5  # of the blocks are words as people wrote them, the others glyph by glyph


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A picture and what is written in it."""

    picture: Gray  # (h, w), dark ink on light paper
    lines: tuple[str, ...]


def draw_block(
    engine: Engine, rng: Rng, *, lines: int, wanted: Sequence[str] | None = None
) -> Block | None:
    """A block of `lines` lines by one writer of the engine's part; None where he lacks glyphs.

    Args:
        wanted: What is to be written, a text a line; None: words of his own, or any texts.
    """
    real = wanted is None and rng.random() < _REAL
    rows = _real(engine, rng, lines) if real else _composed(engine, rng, lines, wanted)
    if rows is None or any(sum(map(str.isalnum, text)) < _LETTERS for text, _ in rows):
        return None
    pitch, lean = float(rng.uniform(_TIGHT, _WIDE)), float(rng.normal(0, _LEAN))
    begin = 0.0
    placed: list[Strokes] = []
    for at, (_, strokes) in enumerate(rows):
        own = lean + float(rng.normal(0, _LEANS))
        down = at * pitch + float(rng.normal(0, 0.04)) * pitch
        turned = warp(strokes, rng, strength=0.5)
        placed.append([_set(stroke, begin, down, own) for stroke in turned])
        begin = max(0.0, float(rng.normal(0, 0.5)))
    whole = [stroke for line in placed for stroke in line]
    points = np.concatenate(whole)
    low, high = points.min(axis=0), points.max(axis=0)
    if high[0] - low[0] > _WIDEST * pitch:
        return None
    scale = float(rng.uniform(*_LINE_PX)) / pitch
    left, top, right, bottom = (int(max(2, v)) for v in rng.uniform(0.1, 1.2, 4) * scale)
    pads = (left, top, right, bottom)
    pen = Pen.draw(rng)
    height = float(high[1] - low[1]) * scale
    # A pen is as wide as beside one line.
    width = min(pen.width, 0.09) * 2.75 * scale / height
    ink = draw_strokes(
        whole, replace(pen, width=width), rng, height_px=height, pad_px=pads, scale=scale
    )
    picture = engine.paper.photograph(ink, rng)
    return Block(picture, tuple(text for text, _ in rows))


def _set(stroke: Points, x: float, y: float, lean: float) -> Points:
    moved = stroke + np.array([x, y], np.float32)
    moved[:, 1] += np.float32(lean) * moved[:, 0]
    return moved


def _real(engine: Engine, rng: Rng, lines: int) -> list[tuple[str, Strokes]] | None:
    found = engine.words_of_one(rng)
    rows = []
    for _ in range(lines):
        n = int(rng.integers(1, 4))
        rows.append(join_words([found[i] for i in rng.integers(len(found), size=n)], rng))
    return rows


def _composed(
    engine: Engine, rng: Rng, lines: int, wanted: Sequence[str] | None
) -> list[tuple[str, Strokes]] | None:
    writers = engine.bank.writers
    writer = writers[int(rng.integers(len(writers)))]
    rows = []
    for text in wanted or [texts.draw(rng) for _ in range(lines)]:
        made, strokes = compose(text, engine.bank, writer, rng, tight=rng.random() < 0.35)
        if not strokes or (wanted is not None and made != text):
            return None
        rows.append((made, strokes))
    return rows
