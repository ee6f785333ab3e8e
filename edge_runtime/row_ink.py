"""What the inks of a row's cells say of each other: their line of writing, specks, dashes.

Owns:   `Seen`, ink and its measures, each taken once; `specks`, `line_of`, `dashes`, `as_line`.
Needs:  numpy, cv2, `components`, `preprocess`, `segment`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from edge_runtime import segment
from edge_runtime.components import Components, components_of
from edge_runtime.preprocess import STROKE, Gray, IntBox, Strip, ink_box, make_strip
from edge_runtime.presence import Strokes
from edge_runtime.spec import ModelSpec

_SPECK = 0.3  # of the longer side that the strokes of a row's glyphs usually have
_FLAT = 2.0  # width over height from which a glyph is a flat stroke
_FEWEST_GLYPHS = 3  # other glyphs that a row's foot is taken from
_LOW = 0.15  # of a glyph's height above the foot: higher stands a dash
_SPARE = 0.12  # of the height of a row's writing: print beyond it is cut off


@dataclass(eq=False)
class Seen:
    """One ink and what is measured of it, when it is asked for."""

    ink: segment.Ink

    @cached_property
    def components(self) -> Components:
        """All of its strokes."""
        return components_of(self.ink.pixels, STROKE)

    @cached_property
    def strokes(self) -> Strokes:
        """Those that are written."""
        return segment.written_strokes(self.ink.pixels, self.components)

    @cached_property
    def box(self) -> IntBox | None:
        """Of the strokes, specks left out, in pixels of the ink."""
        return ink_box(self.ink.pixels, self.components)

    @property
    def surely_written(self) -> bool:
        """Whether somebody wrote here, as far as one look tells; where not, it may be blank."""
        return segment.surely_written(self.ink.pixels, self.components)

    @property
    def blank(self) -> bool:
        """Whether nobody wrote here."""
        return segment.is_blank(self.ink.pixels, self.strokes)

    @property
    def struck(self) -> bool:
        """Whether it is scribbled over."""
        return segment.is_struck(self.ink.pixels, self.strokes)


def specks(cells: Sequence[Strokes]) -> list[bool]:
    """Which cells hold far smaller strokes than the row's glyphs: grain, and bits of borders."""
    sides = np.array(
        [one[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max() if len(one) else 0 for one in cells]
    )
    seen = np.sort(sides[sides > 0])
    if not len(seen):
        return [False] * len(sides)
    usual = float(np.median(seen[len(seen) // 2 :]))  # the smaller half may be specks
    return [bool(0 < side < _SPECK * usual) for side in sides]


def line_of(cells: Sequence[Seen]) -> tuple[float, float] | None:
    """Top and bottom of what is written in a row of cells, rows of the crop."""
    found = [
        (one.box[1] + one.ink.offset[1], one.box[3] + one.ink.offset[1])
        for one in cells
        if one.box is not None
    ]
    if not found:
        return None
    return min(top for top, _ in found), max(bottom for _, bottom in found)


def dashes(cells: Sequence[Seen], filled: Sequence[bool]) -> tuple[str, ...]:
    """Which flat strokes of a row stand on the line of writing, and which above it.

    A dash and an underscore are one shape; what tells them apart is where the other glyphs stand.

    Returns:
        For each cell "-", "_", or "" where it is neither.
    """
    if sum(filled) < _FEWEST_GLYPHS:
        return ("",) * len(cells)
    boxes: list[IntBox | None] = []
    for one, full in zip(cells, filled, strict=True):
        box, y = one.box if full else None, one.ink.offset[1]
        boxes.append(None if box is None else (box[0], box[1] + y, box[2], box[3] + y))
    flat = [box is not None and box[2] - box[0] > _FLAT * (box[3] - box[1]) for box in boxes]
    tall = [box for box, low in zip(boxes, flat, strict=True) if box is not None and not low]
    if len(tall) < _FEWEST_GLYPHS:
        return ("",) * len(boxes)
    foot = float(np.median([box[3] for box in tall]))
    height = float(np.median([box[3] - box[1] for box in tall]))
    return tuple(
        ""
        if box is None or not low
        else "_"
        if (box[1] + box[3]) / 2 > foot - _LOW * height
        else "-"
        for box, low in zip(boxes, flat, strict=True)
    )


def as_line(
    ink: Gray, spec: ModelSpec, cells: Sequence[Seen], filled: Sequence[bool]
) -> tuple[segment.Ink, Strip] | None:
    """The whole row with its print, which the network sees through better than any removal.

    As high as what is written in it, so that glyphs are not small; and up to the first of the empty
    cells at its end.

    Args:
        ink: uint8 (h, w), the crop's ink, bright on black.
        spec: Of the network.
        cells: The row's.
        filled: Which of them are written in; one at least.
    """
    h, w = ink.shape
    level = line_of([one for one, full in zip(cells, filled, strict=True) if full])
    top, bottom = (0.0, float(h)) if level is None else level
    spare = _SPARE * (bottom - top) + 1
    y0, y1 = max(0, int(top - spare)), min(h, math.ceil(bottom + spare))
    last = max(at for at, full in enumerate(filled) if full)
    after = cells[min(last + 1, len(cells) - 1)].ink
    x1 = w if last + 2 >= len(cells) else min(w, after.offset[0] + after.pixels.shape[1])
    cut = np.ascontiguousarray(ink[y0:y1, :x1])
    strip = make_strip(cut, spec)
    return None if strip is None else (segment.Ink(cut, (0, y0)), strip)
