"""Cells of drawn rows, cut out and cleared of their print by the reader's own segmentation.

Owns:   `RowCells`.
Needs:  numpy, `rows`, `paper`, `texts`, `edge_runtime.place`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge_runtime.field import Field
from edge_runtime.place import lone_crop, take_ink
from edge_runtime.preprocess import Gray
from edge_runtime.spec import ModelSpec
from train import texts
from train.paper import Paper
from train.rows import row_ink
from train.strokes import GlyphBank

Rng = np.random.Generator

_POOL = 192  # cells that wait: a batch is not to hold one writer's row
_MOST_CELLS = 14
_MARKED, _MARKS = 0.3, "...,--/"  # of the texts get one mark more
_TEXTS: tuple[Callable[[Rng], str], ...] = (
    *(texts.digit_string, texts.code, texts.code, texts.username, texts.letters, texts.letters),
    texts.draw,
)


class RowCells:
    """Draws rows and hands out their cells, mixed.

    What a reader leaves of borders and takes of glyphs is learnt as it occurs. Rows are left out in
    which other cells hold ink than were written in: there no cell's text is known.

    Args:
        bank: Glyphs of those who may write.
        paper: What rows are photographed on.
        spec: What a strip is.
        style: How far glyphs are made into another writer's, 0..1.
    """

    def __init__(self, bank: GlyphBank, paper: Paper, spec: ModelSpec, *, style: float) -> None:
        self._bank, self._paper, self._spec, self._style = bank, paper, spec, style
        self._waiting: list[tuple[Gray, str]] = []

    def draw(self, rng: Rng) -> tuple[Gray, str]:
        """Strip pixels uint8 (height_px, w), and the character that was written."""
        while len(self._waiting) < _POOL:
            self._waiting += self.cut(_text(rng), rng)
        at = int(rng.integers(len(self._waiting)))
        self._waiting[at], self._waiting[-1] = self._waiting[-1], self._waiting[at]
        return self._waiting.pop()

    def cut(self, text: str, rng: Rng) -> list[tuple[Gray, str]]:
        """The strips and characters of one row of `len(text)` cells; none where it is left out."""
        ink = row_ink(text, self._bank, rng, style=self._style)
        if ink is None:
            return []
        field = Field("row", kind=_kind(text, rng), cells=len(text))
        strips = take_ink(lone_crop(self._paper.photograph(ink, rng), field), self._spec).strips
        if [strip is not None for strip in strips] != [char != " " for char in text]:
            return []
        return [
            (strip.pixels, char)
            for strip, char in zip(strips, text, strict=True)
            if strip is not None
        ]


def _text(rng: Rng) -> str:
    """What is written into a row, with empty cells at its end."""
    text = _TEXTS[int(rng.integers(len(_TEXTS)))](rng)[:_MOST_CELLS].strip()
    if rng.random() < 0.5:  # "in block letters"
        text = text.upper()
    if rng.random() < _MARKED:  # "ST.", "12.50", "A-17"
        at = int(rng.integers(1, len(text) + 1))
        text = text[:at] + _MARKS[int(rng.integers(len(_MARKS)))] + text[at:]
    return text + " " * int(rng.integers(0, 4)) if len(text) > 1 else text + "  "


def _kind(text: str, rng: Rng) -> str:
    """A kind under which the text may be asked for: whether heights count depends on it."""
    if text.replace(" ", "").isdigit() and rng.random() < 0.7:
        return "digits"
    return ("text", "code", "username")[int(rng.integers(3))]
