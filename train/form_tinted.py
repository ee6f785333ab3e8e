"""Forms whose fields are bare paper on a printed tint, and pages that only look like it, by seed.

Owns:   `TintedForm`, `draw_tinted`, `draw_untinted`. What finds lighter fields is measured on them.
Needs:  numpy, cv2, `form_print`, `form_hand`, `form_random`.
Words:  *tint*: colour printed flat or as a screen of dots or lines. *depth*: the part of the light
        it takes. A *panel* is a tinted area; on some forms it is the whole page. Millimetres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_runtime.field import Box
from train.form_any import any_sheet, text_sheet
from train.form_glyph import PX_PER_MM
from train.form_hand import Hand, random_hand
from train.form_print import Sheet, Theme
from train.form_random import _PROSE, FAMILIES, Spot, _label, _written, draw_random
from train.form_scan import Picture, put_ink
from train.form_watermark import LOOKS, put_watermark

SIZE = (210.0, 297.0)
# Light that full ink takes of red, green and blue: process colours and usual house colours.
_INKS = (
    (0.95, 0.35, 0.05), (0.15, 0.75, 0.55), (0.05, 0.2, 0.95), (0.75, 0.25, 0.7), (0.7, 0.7, 0.7),
    (0.2, 0.35, 0.6), (0.9, 0.65, 0.2), (0.1, 0.5, 0.8), (0.45, 0.5, 0.6),
)  # fmt: skip
_LUMA = np.array([0.299, 0.587, 0.114])
_DEPTHS = (0.05, 0.4)
_LEFT, _RIGHT, _TOP, _BOTTOM = 14.0, 196.0, 30.0, 284.0
NEGATIVES = ("bordered", "any", "text", "zebra", "watermark", "panels", "headed")


@dataclass(frozen=True, slots=True, eq=False)
class TintedForm:
    """A form and what stands on it."""

    picture: Picture  # (h, w, 3) BGR, the paper edge to edge
    spots: tuple[Spot, ...]  # looks: box | comb | check | area
    depth: float  # grey, 0..1 of the paper's light; 0 without a tint
    size: tuple[float, float] = SIZE


@dataclass(slots=True)
class _Press:
    """What is printed: tint first, then type."""

    tint: NDArray[np.uint8]  # (h, w) coverage
    round_mm: float
    spots: list[Spot] = field(default_factory=list)
    type: list[Callable[[Sheet], None]] = field(default_factory=list)
    lines: list[tuple[Box, float]] = field(default_factory=list)  # and their width

    def area(self, box: Box, value: int, *, round_mm: float | None = None) -> None:
        x0, y0, x1, y1 = (round(edge * PX_PER_MM) for edge in box)
        r = (self.round_mm if round_mm is None else round_mm) * PX_PER_MM
        r = round(min(r, (x1 - x0) / 2, (y1 - y0) / 2))
        cv2.rectangle(self.tint, (x0 + r, y0), (x1 - r - 1, y1 - 1), value, -1)
        cv2.rectangle(self.tint, (x0, y0 + r), (x1 - 1, y1 - r - 1), value, -1)
        for x in (x0 + r, x1 - r - 1):
            for y in (y0 + r, y1 - r - 1):
                cv2.circle(self.tint, (x, y), r, value, -1)

    def text(self, x: float, y: float, words: str, *, pt: float = 7, bold: bool = False) -> None:
        self.type.append(lambda sheet: sheet.text(x, y, words, pt=pt, bold=bold))


def draw_tinted(rng: np.random.Generator, *, filled: bool) -> TintedForm:
    """A form with white fields on a tint.

    Args:
        rng: Decides everything else.
        filled: Whether somebody has written on it.
    """
    shape = round(SIZE[1] * PX_PER_MM), round(SIZE[0] * PX_PER_MM)
    rounded = float(rng.choice([0.0, 0.0, 0.5, 1.0, 1.6]))
    press = _Press(np.zeros(shape, np.uint8), rounded)
    style = _Style.drawn(rng)
    if rng.random() < 0.35:
        press.tint[:] = 255
        _fill_panel(press, (_LEFT - 6, _TOP, _RIGHT + 6, _BOTTOM), style, rng)
    else:
        y = _TOP
        while y < _BOTTOM - 30:
            high = float(rng.uniform(28, 90))
            box = (_LEFT, y, _RIGHT, min(_BOTTOM, y + high))
            if rng.random() < 0.2:  # two side by side, a white gap between them
                middle = float(rng.uniform(90, 115))
                halves = [(_LEFT, y, middle - 1.5, box[3]), (middle + 1.5, y, _RIGHT, box[3])]
            else:
                halves = [box]
            for one in halves:
                press.area(one, 255, round_mm=float(rng.choice([0, 1.5, 3])))
                _fill_panel(press, one, style, rng)
            y = box[3] + float(rng.uniform(2, 9))
    depth = float(rng.uniform(*_DEPTHS))
    return _printed(press, depth, style, rng, filled=filled)


@dataclass(frozen=True, slots=True)
class _Style:
    """What all fields of one form share."""

    high: float
    cell: float
    gap: float  # tint between the cells of a comb; 0: lines between them
    leading: float  # tint between rows
    above: bool  # labels stand above
    shadow: float  # 0..1, a darker line along the upper and the left edge
    outline: float  # 0..1, a darker line all around
    screen: str  # flat | dots | lines

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> _Style:
        above = bool(rng.random() < 0.65)
        return cls(
            high=float(rng.uniform(5, 9.5)),
            cell=float(rng.uniform(4.2, 7.0)),
            gap=float(rng.choice([0.0, 0.35, 0.5, 0.8, 1.2, 1.6])),
            leading=float(rng.uniform(3.6, 6)) if above else float(rng.uniform(0.6, 4)),
            above=above,
            shadow=float(rng.uniform(0.2, 0.6)) if rng.random() < 0.25 else 0.0,
            outline=float(rng.uniform(0.1, 0.4)) if rng.random() < 0.15 else 0.0,
            screen=str(rng.choice(["flat", "flat", "dots", "lines"])),
        )


def _fill_panel(press: _Press, box: Box, style: _Style, rng: np.random.Generator) -> None:
    x0, y0, x1, y1 = box
    y = y0 + float(rng.uniform(1.5, 4))
    if rng.random() < 0.6:
        press.text(x0 + 3, y + 3.2, f"{rng.integers(1, 9)}  {_label(rng)}", pt=9, bold=True)
        y += 5
    while True:
        what = float(rng.random())
        high = style.high * (float(rng.uniform(2.5, 4.5)) if what > 0.93 else 1)
        top = y + (style.leading if style.above else 0.6 * style.leading)
        if top + high > y1 - 2.5:
            return
        if what < 0.12:
            words = " ".join(rng.choice(_PROSE.split(), int(rng.integers(12, 30))))
            _prose(press, (x0 + 3, top + 1), words, x1 - x0 - 8)
            y = top + 6
            continue
        if what < 0.24:
            _checks(press, (x0 + 3, top, x1 - 3), rng)
            y = top + 5
            continue
        _row(press, (x0 + 3, top, x1 - 3, top + high), style, rng, area=what > 0.93)
        y = top + high + (0 if style.above else 0.4 * style.leading)


def _prose(press: _Press, at: tuple[float, float], words: str, width: float) -> None:
    def print_(sheet: Sheet) -> None:
        sheet.paragraph(*at, words, width=width, pt=6)

    press.type.append(print_)


def _checks(press: _Press, room: tuple[float, float, float], rng: np.random.Generator) -> None:
    x, y, end = room
    side = float(rng.uniform(3, 5))
    while x < end - 30:
        box = (x, y, x + side, y + side)
        press.area(box, 0, round_mm=0)
        press.spots.append(Spot("check", box))
        press.text(x + side + 1.5, y + side - 0.7, _label(rng).lower(), pt=7.5)
        x += float(rng.uniform(32, 55))


def _row(press: _Press, room: Box, style: _Style, rng: np.random.Generator, *, area: bool) -> None:
    """Fields side by side."""
    x, y0, end, y1 = room
    while x < end - 18:
        label = _label(rng)
        if style.above:
            press.text(x, y0 - 0.9, label, pt=min(7.0, style.leading * 1.7))
        else:
            press.text(x, y1 - 0.35 * (y1 - y0) + 0.8, label, pt=7.5)
            x += 1.75 * len(label) + 2
            if x > end - 18:
                return
        most = int((end - x) / (style.cell + style.gap))
        if not area and rng.random() < 0.4 and most >= 3:
            n = int(rng.integers(3, min(most, 24) + 1))
            x = _comb(press, (x, y0), n, (style.cell, y1 - y0), style)
        else:
            wide = end - x if area else min(float(rng.uniform(18, 110)), end - x)
            box = (x, y0, x + wide, y1)
            press.area(box, 0)
            _edges(press, box, style)
            if rng.random() < 0.1:  # a label of small print in the field
                press.text(x + 1, y0 + 2.3, _label(rng).lower(), pt=5)
            press.spots.append(Spot("area" if area else "box", box))
            x += wide
        x += float(rng.uniform(2, 9))


def _comb(
    press: _Press, at: tuple[float, float], n: int, cell: tuple[float, float], style: _Style
) -> float:
    (x, y), (w, h) = at, cell
    step = w + style.gap
    cells = tuple((x + k * step, y, x + k * step + w, y + h) for k in range(n))
    whole = (x, y, x + n * step - style.gap, y + h)
    if style.gap:
        for one in cells:
            press.area(one, 0, round_mm=min(press.round_mm, 1.0))
            _edges(press, one, style)
    else:
        press.area(whole, 0)
        _edges(press, whole, style)
        for k in range(1, n):
            press.lines.append(((x + k * step, y, x + k * step, y + h), 0.25))
    press.spots.append(Spot("comb", whole, cells))
    return whole[2]


def _edges(press: _Press, box: Box, style: _Style) -> None:
    x0, y0, x1, y1 = box
    dark = []
    if style.shadow:
        dark = [((x0, y0, x1, y0), style.shadow), ((x0, y0, x0, y1), style.shadow)]
    elif style.outline:
        sides = ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1))
        dark = [(side, style.outline) for side in sides]
    press.lines += [(side, 0.2 + 0.3 * level) for side, level in dark]


def _printed(
    press: _Press, depth: float, style: _Style, rng: np.random.Generator, *, filled: bool
) -> TintedForm:
    """The sheet with its tint as a screen, its type and, if `filled`, somebody's writing."""
    ink = np.array(_INKS[int(rng.integers(len(_INKS)))])
    full = float(_LUMA @ ink)
    share = min(1.0, depth / full)  # a pale ink takes what it can
    cover = _screened(press.tint, share, style.screen, rng)
    paper = 255 * (1 - cover[..., None] * ink.astype(np.float32))
    dark = tuple(int(v) for v in 255 * (1 - ink * min(1.0, 0.62 / full)))
    face = "open-sans" if rng.random() < 0.5 else "libre-franklin"
    sheet = Sheet(SIZE, Theme(face, (60, 80, 120), (236, 240, 244), (dark[0], dark[1], dark[2])))
    sheet.image.paste(Image.fromarray(np.clip(np.round(paper), 0, 255).astype(np.uint8)))
    sheet.text(_LEFT, 20, "Application form", pt=16, bold=True)
    for print_ in press.type:
        print_(sheet)
    for (x0, y0, x1, y1), mm in press.lines:
        sheet.rule(x0, y0, x1, y1, mm=mm)
    hand = random_hand(rng, family=FAMILIES[int(rng.integers(len(FAMILIES)))])
    writing = np.zeros(press.tint.shape, np.uint8)
    spots = press.spots
    if filled:
        spots = [_filled(spot, writing, hand, rng) for spot in spots]
    picture = put_ink(np.asarray(sheet.image), writing, hand.colour)
    return TintedForm(picture, tuple(spots), share * full)


def _filled(spot: Spot, ink: Picture, hand: Hand, rng: np.random.Generator) -> Spot:
    x0, y0, x1, _ = spot.box
    if spot.look == "area":  # a first line of writing, the rest stays free
        line = _written(replace(spot, box=(x0, y0, x1, y0 + 9)), ink, hand, rng)
        return replace(line, box=spot.box)
    return _written(spot, ink, hand, rng)


def _screened(
    tint: NDArray[np.uint8], share: float, screen: str, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Coverage 0..1 of a tint that takes `share` of its ink."""
    on = tint.astype(np.float32) / 255
    if screen == "flat":
        return np.asarray(on * share, np.float32)
    pitch = float(rng.uniform(0.2, 0.34)) * PX_PER_MM  # 75 to 125 lines an inch
    angle = float(rng.choice([0.0, 0.26, 0.785]))
    h, w = tint.shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    u = (x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / pitch)
    wave = 0.5 + 0.5 * np.cos(u)
    if screen == "dots":
        v = (y * np.cos(angle) - x * np.sin(angle)) * (2 * np.pi / pitch)
        wave = 0.5 * wave + 0.25 + 0.25 * np.cos(v)
    level = float(np.quantile(wave[:400, :400], 1 - share))
    dots = np.clip((wave - level) * 6 + 0.5, 0, 1)
    mean = float(dots[:400, :400].mean())
    return np.asarray(on * dots * min(1.0, share / max(mean, 1e-3)), np.float32)


# --- pages that have no such fields ---------------------------------------------------------------


def draw_untinted(rng: np.random.Generator, look: str) -> TintedForm:
    """A page on which nothing lighter is a field; `look` is one of `NEGATIVES`.

    Its spots are the fields that are drawn by lines.
    """
    if look in ("bordered", "watermark"):
        form = draw_random(rng, filled=bool(rng.random() < 0.5), scanned=False)
        picture, spots = form.picture, form.spots
        if look == "watermark":
            which = LOOKS[int(rng.integers(len(LOOKS)))]
            picture = put_watermark(picture, which, px_per_mm=PX_PER_MM, rng=rng)
        return TintedForm(picture, spots, 0.0)
    if look in ("any", "text"):
        page = any_sheet(rng) if look == "any" else text_sheet(rng)
        picture = np.asarray(cv2.cvtColor(np.asarray(page.image), cv2.COLOR_RGB2BGR), np.uint8)
        looks = {"line": "box", "cells": "comb", "check": "check"}
        spots = tuple(Spot(looks[slot.look], slot.box, slot.cells) for slot in page.slots)
        return TintedForm(picture, spots, 0.0, page.size)
    shape = round(SIZE[1] * PX_PER_MM), round(SIZE[0] * PX_PER_MM)
    press = _Press(np.zeros(shape, np.uint8), float(rng.choice([0.0, 1.0, 2.0])))
    _LOOKS[look](press, rng)
    style = replace(_Style.drawn(rng), shadow=0.0, outline=0.0)
    return _printed(press, float(rng.uniform(*_DEPTHS)), style, rng, filled=False)


def _zebra(press: _Press, rng: np.random.Generator) -> None:
    """A price list with every other row tinted, or a tint between white rows."""
    y, high = 34.0, float(rng.uniform(5, 9))
    while y < 260:
        press.area((_LEFT, y, _RIGHT, y + high), 255, round_mm=0)
        for row in (y, y + high):
            x = _LEFT + 2
            for _ in range(4):
                press.text(x, row + 0.68 * high, f"{_label(rng)}", pt=8)
                x += 45
        y += 2 * high


def _panels(press: _Press, rng: np.random.Generator) -> None:
    """A leaflet: white panels on a tinted page, with prose in each, a rule or a drawn box."""
    press.tint[:] = 255
    y = 34.0
    while y < 240:
        high = float(rng.uniform(20, 60))
        x0, x1 = _LEFT, float(rng.choice([_RIGHT, 100.0]))
        for a, b in ((x0, x1), (x1 + 6, _RIGHT)):
            if b - a < 40:
                continue
            press.area((a, y, b, y + high), 0)
            words = " ".join(rng.choice(_PROSE.split(), int(high * (b - a) / 70)))
            _prose(press, (a + 3, y + 5), words, b - a - 6)
        y += high + float(rng.uniform(4, 10))


def _headed(press: _Press, rng: np.random.Generator) -> None:
    """An invoice: tinted headings, totals and rims around white places that hold print."""
    press.area((8, 26, 202, 288), 255)
    press.area((12, 30, 198, 284), 0)
    y = 38.0
    while y < 260:
        press.area((16, y, 194, y + 7), 255)
        press.text(20, y + 4.8, _label(rng), pt=9, bold=True)
        words = " ".join(rng.choice(_PROSE.split(), int(rng.integers(20, 70))))
        _prose(press, (18, y + 12), words, 170)
        if rng.random() < 0.5:  # white letters on the tint would be too small to write in
            press.area((120, y + 1.5, 190, y + 5.5), 0, round_mm=0)
            press.text(122, y + 4.7, f"{_label(rng)} {rng.integers(1000, 99999)}", pt=8)
        y += float(rng.uniform(26, 48))


_LOOKS: dict[str, Callable[[_Press, np.random.Generator], None]] = {
    "zebra": _zebra, "panels": _panels, "headed": _headed,
}  # fmt: skip
