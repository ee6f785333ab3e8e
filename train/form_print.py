"""The printed form: paper as it leaves the press, and the template that goes with it.

Owns:   `Sheet`, which prints a field and notes it in the template in one move, so that both agree.
Needs:  Pillow, and the font files of `train/fonts/examples`.
Words:  everything is placed in millimetres from the top left corner of the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from edge_runtime.field import Box
from train.form_glyph import DPI, FONT_DIR, PX_PER_MM

RGB = tuple[int, int, int]
BLACK: RGB = (34, 34, 38)  # what a scanner makes of toner
_MARK_MM = 5.0
_PT = DPI / 72


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a field's text is to be written."""

    name: str
    look: str  # line | cells | check
    box: Box  # mm
    baseline: float  # mm; 0 where the look says
    cells: tuple[Box, ...] = ()  # mm


@dataclass(frozen=True, slots=True)
class Theme:
    """Type and colours of one house."""

    face: str  # printed font
    main: RGB  # bars and titles
    tint: RGB  # lightly printed areas
    frame: RGB  # boxes and rules


class Sheet:
    """A form being printed. `image`, `slots` and `fields` are what comes of it."""

    def __init__(self, size: tuple[float, float], theme: Theme) -> None:
        self.size, self.theme = size, theme
        self.image = Image.new("RGB", (_px(size[0]), _px(size[1])), (255, 255, 255))
        self.pen = ImageDraw.Draw(self.image)
        self.slots: list[Slot] = []
        self.fields: list[dict[str, Any]] = []
        self.marks: list[list[list[float]]] = []
        self.lines: list[list[float]] = []

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        pt: float = 8,
        bold: bool = False,
        fill: RGB = BLACK,
        anchor: str = "ls",
    ) -> None:
        """Print `words`; `y` is their baseline, `anchor` Pillow's."""
        font = _type(self.theme.face, bold, round(pt * _PT))
        self.pen.text((_px(x), _px(y)), words, font=font, fill=fill, anchor=anchor)

    def paragraph(self, x: float, y: float, words: str, *, width: float, pt: float = 6) -> float:
        """Small print, wrapped to `width` mm; gives the baseline after it."""
        font = _type(self.theme.face, False, round(pt * _PT))
        line: list[str] = []
        for word in [*words.split(), ""]:
            if not word or font.getlength(" ".join([*line, word])) > width * PX_PER_MM:
                self.text(x, y, " ".join(line), pt=pt, fill=(78, 78, 84))
                line, y = [], y + pt * 0.47
            line.append(word)
        return y

    def rule(self, x0: float, y0: float, x1: float, y1: float, *, mm: float = 0.25) -> None:
        """A line of the form, which the template lists."""
        self.lines.append(_plain((x0, y0, x1, y1)))
        self._line(x0, y0, x1, y1, mm=mm)

    def _line(self, x0: float, y0: float, x1: float, y1: float, *, mm: float) -> None:
        ends = [_px(x0), _px(y0), _px(x1), _px(y1)]
        self.pen.line(ends, fill=self.theme.frame, width=max(1, _px(mm)))

    def area(
        self, box: Box, *, fill: RGB | None = None, frame: RGB | None = None, round_mm: float = 0
    ) -> None:
        """A filled or framed rectangle, its corners rounded by `round_mm`."""
        x0, y0, x1, y1 = map(_px, box)
        width = max(1, _px(0.25))
        radius = _px(round_mm)
        self.pen.rounded_rectangle((x0, y0, x1, y1), radius, fill=fill, outline=frame, width=width)

    def bar(self, y: float, words: str, *, left: float, right: float) -> None:
        """The heading of a section."""
        self.area((left, y, right, y + 6), fill=self.theme.main, round_mm=0.8)
        self.text(left + 2.5, y + 4.3, words, pt=9, bold=True, fill=(255, 255, 255))

    def corner_marks(self, inset: float) -> None:
        """Four solid black squares for the registration."""
        w, h = self.size
        far_x, far_y = w - inset - _MARK_MM, h - inset - _MARK_MM
        for x, y in ((inset, inset), (far_x, inset), (inset, far_y), (far_x, far_y)):
            box = (x, y, x + _MARK_MM, y + _MARK_MM)
            self.pen.rectangle(tuple(map(_px, box)), fill=BLACK)
            self.marks.append([_plain(box[:2]), _plain(box[2:])])

    def free(
        self,
        name: str,
        label: str,
        box: Box,
        *,
        ruled: bool = False,
        drop: float = 2.6,
        **says: Any,
    ) -> None:
        """A free field: a white box, or a rule `drop` mm above the lower edge of its box."""
        x0, y0, x1, y1 = box
        if label:
            self.text(x0, y0 - 1.1, label, pt=7)
        if ruled:
            self.rule(x0, y1 - drop, x1, y1 - drop)
        else:
            self.area(box, fill=(255, 255, 255), frame=self.theme.frame)
        lift = 0.35 if ruled else 0.0
        self._note(Slot(name, "line", box, y1 - drop - lift), says)

    def cells(
        self,
        name: str,
        label: str,
        at: tuple[float, float],
        n: int,
        *,
        cell: tuple[float, float] = (6.5, 8.0),
        comb: bool = False,
        **says: Any,
    ) -> None:
        """A row of `n` boxes, or a comb: one glyph in each."""
        (x, y), (w, h) = at, cell
        box = (x, y, x + n * w, y + h)
        self.text(x, y - 1.1, label, pt=7)
        self.area(box, fill=(255, 255, 255), frame=None if comb else self.theme.frame)
        if comb:
            self._line(x, y + h, x + n * w, y + h, mm=0.3)
        for i in range(n + 1) if comb else range(1, n):
            self._line(x + i * w, y + h * (0.55 if comb else 0), x + i * w, y + h, mm=0.2)
        boxes = tuple((x + i * w, y, x + (i + 1) * w, y + h) for i in range(n))
        self._note(Slot(name, "cells", box, 0, boxes), says | {"cells": n})

    def check(self, name: str, label: str, at: tuple[float, float], *, side: float = 5) -> None:
        """A check box with its sentence."""
        x, y = at
        box = (x, y, x + side, y + side)
        self.area(box, fill=(255, 255, 255), frame=BLACK)
        self.text(x + side + 2.5, y + side - 1.4, label, pt=8)
        self._note(Slot(name, "check", box, 0), {"kind": "checkbox"})

    def table_cell(self, name: str, box: Box, **says: Any) -> None:
        """A free field in a table whose rules are printed apart."""
        self._note(Slot(name, "line", box, box[3] - 3.0), says)

    def polygon(self, corners: Sequence[tuple[float, float]], *, fill: RGB) -> None:
        self.pen.polygon([(_px(x), _px(y)) for x, y in corners], fill=fill)

    def _note(self, slot: Slot, says: dict[str, Any]) -> None:
        kind = says.pop("kind")
        self.slots.append(slot)
        self.fields.append({"name": slot.name, "kind": kind, "box": _plain(slot.box)} | says)

    def template(self, name: str) -> dict[str, Any]:
        """The template, ready for YAML."""
        page = {"size": list(self.size), "unit": "mm"}
        whole = {"name": name, "page": page, "marks": self.marks, "fields": self.fields}
        return whole | {"lines": self.lines} if self.lines else whole


def bars(sheet: Sheet, box: Box, widths: Sequence[int]) -> None:
    """Something like a bar code: dark and light stripes by turns, `widths` in parts of the box."""
    x0, y0, x1, y1 = box
    part = (x1 - x0) / sum(widths)
    x = x0
    for i, width in enumerate(widths):
        if i % 2 == 0:
            sheet.area((x, y0, x + 0.8 * part * width, y1), fill=BLACK)
        x += part * width


def _plain(edges: Sequence[float]) -> list[float]:
    """Millimetres as a person writes them: 9, not 9.0."""
    return [int(edge) if edge == int(edge) else round(edge, 2) for edge in edges]


def _px(mm: float) -> int:
    return round(mm * PX_PER_MM)


@lru_cache(maxsize=64)
def _type(face: str, bold: bool, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT_DIR / f"{face}-{700 if bold else 400}.ttf"), size)
