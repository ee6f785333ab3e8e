"""Forms of no fixed layout: rows of boxes, combs, underlines and check boxes, drawn anew each time.

Owns:   `RandomForm`, `draw_random`. What finds fields is fitted and measured on them.
Needs:  numpy, cv2, `form_print`, `form_hand`, `form_scan`.
Words:  everything is placed in millimetres from the top left corner of the paper. *lost*: cells
        between which the scanner saw no line, as happens to forms printed in a pale colour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from edge_runtime.field import Box
from train.form_glyph import PX_PER_MM
from train.form_hand import Hand, Place, mark_box, random_hand, write_cells, write_line
from train.form_print import Sheet, Theme
from train.form_scan import Picture, put_ink, random_look, scan

FAMILIES = ("patrick-hand", "kalam", "neucha", "pangolin", "architects-daughter", "delius")
_LABELS = (
    "First name", "Surname", "Date of birth", "Street and number", "Town", "Postcode", "Telephone",
    "E-mail address", "Account number", "Amount", "Purpose", "Customer number", "Nationality",
    "Employer", "Branch", "Reference", "Valid from", "Valid until",
)  # fmt: skip
_PROSE = (
    "please fill in this form with a black or blue pen and return it to the address overleaf the"
    " details are kept as long as the law asks for and passed on to nobody ask at the counter if a"
    " question is not clear leave empty what does not apply to you"
)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_LEFT, _RIGHT, _BOTTOM = 18.0, 192.0, 282.0


@dataclass(frozen=True, slots=True)
class Spot:
    """One field as it was printed."""

    look: str  # comb | boxes | apart | lost | box | rule | check | table
    box: Box  # mm
    cells: tuple[Box, ...] = ()  # mm
    text: str = ""  # what was written; "" where it is blank


@dataclass(frozen=True, slots=True, eq=False)
class RandomForm:
    """A form and what stands on it."""

    picture: Picture  # (h, w, 3) BGR or (h, w) grey
    spots: tuple[Spot, ...]
    px_per_mm: float  # of the picture, nearly: a scan has a rim of some millimetres
    hand: Hand


def draw_random(
    rng: np.random.Generator, *, filled: bool, scanned: bool = True, lost: bool = False
) -> RandomForm:
    """A form of random rows.

    Args:
        rng: Decides everything.
        filled: Whether somebody has written on it.
        scanned: Whether it went through a scanner; else it is as from the printer.
        lost: Whether combs are drawn without the lines between their cells.
    """
    dark = int(rng.integers(20, 130))
    frame = tuple(int(v) for v in np.clip(dark + rng.integers(-15, 40, 3), 0, 175))
    face = "open-sans" if rng.random() < 0.5 else "libre-franklin"
    theme = Theme(face, (60, 80, 120), (236, 240, 244), (frame[0], frame[1], frame[2]))
    sheet = Sheet((210, 297), theme)
    sheet.text(_LEFT, 22, "Application form", pt=16, bold=True)
    spots: list[Spot] = []
    y = 34.0
    while True:
        row = _ROWS[int(rng.integers(len(_ROWS)))]
        high = row(sheet, y, spots, lost, rng)
        y += high + float(rng.uniform(6, 10))
        if y > _BOTTOM - 30:
            break
    hand = random_hand(rng, family=FAMILIES[int(rng.integers(len(FAMILIES)))])
    ink = np.zeros((sheet.image.height, sheet.image.width), np.uint8)
    if filled:
        spots = [_written(spot, ink, hand, rng) for spot in spots]
    picture = put_ink(np.asarray(sheet.image), ink, hand.colour)
    if scanned:
        picture = scan(picture, random_look(rng, grey=rng.random() < 0.5), rng=rng)
        if rng.random() < 0.4:  # a scanner set to black and white
            grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
            level = float(rng.uniform(190, 222))  # hairlines of a pale frame stay, in parts
            picture = np.where(np.asarray(grey) > level, 255, 0).astype(np.uint8)
    return RandomForm(picture, tuple(spots), 200 / 25.4 if scanned else PX_PER_MM, hand)


# --- rows: each prints itself, notes its fields and says how high it is --------------------------


def _cells_row(
    sheet: Sheet, y: float, spots: list[Spot], lost: bool, rng: np.random.Generator
) -> float:
    look = ("comb", "boxes", "boxes", "apart")[int(rng.integers(4))]
    look = "lost" if lost else look
    w = float(rng.uniform(4.6, 8.0))
    h = w * float(rng.uniform(1.0, 1.5))
    x, first = _LEFT + float(rng.uniform(0, 20)), True
    while True:
        n = int(rng.integers(2, 27))
        gap = float(rng.uniform(0.8, 1.6)) if look == "apart" else 0.0
        if x + n * (w + gap) > _RIGHT:
            if not first:
                return h
            n = int((_RIGHT - x) / (w + gap))
        sheet.text(x, y - 1.2, _label(rng), pt=7)
        spots.append(_cells(sheet, look, (x, y), n, (w, h), gap, rng))
        x, first = x + n * (w + gap) + float(rng.uniform(6, 14)), False
        if rng.random() < 0.4 or x > _RIGHT - 30:
            return h


def _cells(
    sheet: Sheet,
    look: str,
    at: tuple[float, float],
    n: int,
    cell: tuple[float, float],
    gap: float,
    rng: np.random.Generator,
) -> Spot:
    (x, y), (w, h) = at, cell
    step, thin = w + gap, float(rng.uniform(0.12, 0.35))
    boxes = tuple((x + i * step, y, x + i * step + w, y + h) for i in range(n))
    box = (x, y, x + n * step - gap, y + h)
    if look == "apart":
        for one in boxes:
            _frame(sheet, one, thin)
        return Spot(look, box, boxes)
    top = y if look != "comb" or rng.random() < 0.3 else None
    short = float(rng.uniform(0.3, 0.6)) if look == "comb" else 1.0
    sheet.rule(box[0], box[3], box[2], box[3], mm=thin)
    if top is not None:
        sheet.rule(box[0], y, box[2], y, mm=thin)
    for i in range(n + 1):
        whole = i in (0, n) and top is not None
        if look != "lost" or i in (0, n):
            column = x + i * w
            sheet.rule(column, y if whole else y + h * (1 - short), column, y + h, mm=thin)
    return Spot(look, box, boxes)


def _box_row(
    sheet: Sheet, y: float, spots: list[Spot], lost: bool, rng: np.random.Generator
) -> float:
    h = float(rng.uniform(6.5, 11))
    x = _LEFT
    while x < _RIGHT - 30:
        w = min(float(rng.uniform(28, 120)), _RIGHT - x)
        box = (x, y, x + w, y + h)
        sheet.text(x, y - 1.2, _label(rng), pt=7)
        _frame(sheet, box, float(rng.uniform(0.12, 0.4)))
        spots.append(Spot("box", box))
        x += w + float(rng.uniform(6, 12))
    return h


def _rule_row(
    sheet: Sheet, y: float, spots: list[Spot], lost: bool, rng: np.random.Generator
) -> float:
    x = _LEFT
    while x < _RIGHT - 45:
        label = _label(rng) + ":"
        sheet.text(x, y + 8, label, pt=9)
        start = x + 2.2 * len(label) + 2
        w = min(float(rng.uniform(25, 90)), _RIGHT - start)
        if w < 20:
            break
        sheet.rule(start, y + 8.3, start + w, y + 8.3, mm=float(rng.uniform(0.12, 0.35)))
        spots.append(Spot("rule", (start, y + 1, start + w, y + 8.3)))
        x = start + w + float(rng.uniform(5, 10))
    return 9.0


def _check_row(
    sheet: Sheet, y: float, spots: list[Spot], lost: bool, rng: np.random.Generator
) -> float:
    side, x = float(rng.uniform(3, 6)), _LEFT
    while x < _RIGHT - 30:
        box = (x, y, x + side, y + side)
        _frame(sheet, box, float(rng.uniform(0.15, 0.4)))
        spots.append(Spot("check", box))
        sheet.text(x + side + 2, y + side - 0.8, _label(rng).lower(), pt=8)
        x += float(rng.uniform(34, 60))
    return side


def _table_row(
    sheet: Sheet, y: float, spots: list[Spot], lost: bool, rng: np.random.Generator
) -> float:
    edges = np.sort(rng.uniform(_LEFT + 35, _RIGHT - 20, 2))
    columns = [_LEFT, float(edges[0]), max(float(edges[1]), float(edges[0]) + 15), _RIGHT]
    rows, h, thin = (
        int(rng.integers(2, 5)),
        float(rng.uniform(7, 10)),
        float(rng.uniform(0.12, 0.4)),
    )
    for k in range(rows + 1):
        sheet.rule(columns[0], y + k * h, columns[-1], y + k * h, mm=thin)
    for x in columns:
        sheet.rule(x, y, x, y + rows * h, mm=thin)
    for k in range(rows):
        sheet.text(columns[0] + 1.5, y + k * h + 4.5, _label(rng), pt=8)
        for x0, x1 in pairwise(columns[1:]):
            spots.append(Spot("table", (x0, y + k * h, x1, y + (k + 1) * h)))
    return rows * h


def _print_row(
    sheet: Sheet, y: float, spots: list[Spot], lost: bool, rng: np.random.Generator
) -> float:
    words = " ".join(rng.choice(_PROSE.split(), int(rng.integers(15, 60))))
    return sheet.paragraph(_LEFT, y, words, width=_RIGHT - _LEFT, pt=float(rng.uniform(6, 9))) - y


def _bar_row(
    sheet: Sheet, y: float, spots: list[Spot], lost: bool, rng: np.random.Generator
) -> float:
    sheet.bar(y, f"{int(rng.integers(1, 9))}   {_label(rng)}", left=_LEFT, right=_RIGHT)
    return 7.0


_Row = Callable[[Sheet, float, list[Spot], bool, np.random.Generator], float]
_ROWS: tuple[_Row, ...] = (
    _cells_row, _cells_row, _cells_row, _cells_row, _box_row, _rule_row, _check_row, _table_row,
    _print_row, _bar_row,
)  # fmt: skip


def _frame(sheet: Sheet, box: Box, mm: float) -> None:
    x0, y0, x1, y1 = box
    for a, b, c, d in ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)):
        sheet.rule(a, b, c, d, mm=mm)


def _label(rng: np.random.Generator) -> str:
    return _LABELS[int(rng.integers(len(_LABELS)))]


def _written(spot: Spot, ink: Picture, hand: Hand, rng: np.random.Generator) -> Spot:
    """The field with something in it, or left blank, as one in five is."""
    if rng.random() < 0.2:
        return spot
    x0, y0, x1, y1 = (edge * PX_PER_MM for edge in spot.box)
    if spot.look == "check":
        mark_box(ink, (x0, y0, x1, y1), hand, rng=rng)
        return replace(spot, text="yes")
    if spot.cells:
        n = int(rng.integers(1, len(spot.cells) + 1))
        text = "".join(rng.choice(list(_LETTERS), n))
        cells = [(a * PX_PER_MM, y0, b * PX_PER_MM, y1) for a, _, b, _ in spot.cells]
        write_cells(ink, text, hand, cells, rng=rng)
        return replace(spot, text=text)
    text = _label(rng)
    baseline = y1 - (0.6 if spot.look == "rule" else 2.4) * PX_PER_MM
    write_line(ink, text, hand, Place(x0 + 20, baseline, x1 - x0 - 40), rng=rng)
    return replace(spot, text=text)
