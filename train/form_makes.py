"""Check boxes of every make, on sheets with a template: circles, brackets, letters to be blackened.

Owns:   `MAKES`, `MARKS`, `MadeSheet`, `draw_makes`; `lone_box`, one without a sheet.
Needs:  numpy, cv2, `form_print`, `form_hand`, `form_checks`, `form_random`.
Words:  a *make* is what is printed, a *mark* what the writer does with it. The template has every
        box where a person drew it: a little beside what is printed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.field import Box
from train.form_checks import _zigzag, mark_as
from train.form_glyph import PX_PER_MM
from train.form_hand import Hand, draw_stroke, random_hand
from train.form_print import BLACK, Sheet, Theme
from train.form_random import FAMILIES, _label
from train.form_scan import Picture, put_ink

MARKS = {  # and whether it is an answer
    "empty": False, "ticked": True, "ticked far": True, "crossed": True, "slash": True,
    "filled": True, "scribble": True, "dot": True, "circled": True, "corrected": False,
    "crossed out": False,
}  # fmt: skip
# Of sheets on which one person marks all in one manner, one box of a row, and now and then blackens
# what was marked by mistake. Not drawn where every box is marked by chance.
MORE_MARKS = {
    "filled partly": True, "filled over": True, "crossed twice": True, "specks": False,
    "tail": False,
}  # fmt: skip
MANNERS: dict[str, dict[str, float]] = {
    "ticks": {"ticked": 0.7, "ticked far": 0.2, "slash": 0.1},
    "crosses": {"crossed": 0.8, "crossed twice": 0.2},
    "fills": {"filled": 0.6, "filled partly": 0.12, "filled over": 0.18, "scribble": 0.1},
    "circles": {"circled": 1.0},
}
_WITHDRAWN, _STRAY = 0.1, 0.06  # of rows with a withdrawn mark, too; of boxes with a stray one
_SHARES = (0.34, 0.1, 0.06, 0.14, 0.05, 0.08, 0.04, 0.06, 0.04, 0.05, 0.04)
_PENCIL = (112, 112, 118)  # RGB
_PENCILS = 0.2  # of the writers
_BESIDE_MM = 0.25  # spread of a template's box about what is printed
_ROWS = 5
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MadeBox:
    """One check box."""

    name: str
    make: str
    mark: str
    box: Box  # mm, of the print

    @property
    def answer(self) -> bool:
        return (MARKS | MORE_MARKS)[self.mark]


@dataclass(frozen=True, slots=True, eq=False)
class MadeSheet:
    """A sheet, blank and marked, and its template without reference."""

    blank: Picture  # (h, w, 3) BGR, `DPI` of `form_glyph`
    picture: Picture  # the same, marked
    template: dict[str, Any]
    boxes: tuple[MadeBox, ...]


def _ring(sheet: Sheet, box: Box, *, mm: float, grey: int = 34, fill: int | None = None) -> None:
    ends = tuple(round(edge * PX_PER_MM) for edge in box)
    inside = None if fill is None else (fill, fill, fill)
    width = max(1, round(mm * PX_PER_MM))
    sheet.pen.ellipse(ends, fill=inside, outline=(grey, grey, grey), width=width)


def _frame(
    sheet: Sheet, box: Box, *, mm: float, grey: int = 34, fill: int | None = None, corner: float = 0
) -> None:
    ends = tuple(round(edge * PX_PER_MM) for edge in box)
    inside = None if fill is None else (fill, fill, fill)
    sheet.pen.rounded_rectangle(
        ends, corner * PX_PER_MM, fill=inside, outline=(grey, grey, grey),
        width=max(1, round(mm * PX_PER_MM)),
    )  # fmt: skip


def _grown(box: Box, mm: float) -> Box:
    return box[0] - mm, box[1] - mm, box[2] + mm, box[3] + mm


def _double(draw: Callable[..., None], sheet: Sheet, box: Box) -> None:
    draw(sheet, box, mm=0.2)
    draw(sheet, _grown(box, -0.6), mm=0.15)


def _lettered(
    draw: Callable[..., None], sheet: Sheet, box: Box, *, letters: str, grey: int, k: int
) -> None:
    draw(sheet, box, mm=0.2, grey=grey)
    side = box[3] - box[1]
    sheet.text(
        (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, letters[k % len(letters)],
        pt=0.5 * side * 72 / 25.4, fill=(grey, grey, grey), anchor="mm",
    )  # fmt: skip


def _pair(sheet: Sheet, box: Box, *, both: str) -> None:
    """Brackets as typed, as far apart as the box is wide."""
    high = box[3] - box[1]
    for x, sign, anchor in ((box[0], both[0], "lm"), (box[2], both[1], "rm")):
        pt = high / 1.25 * 72 / 25.4
        sheet.text(x, (box[1] + box[3]) / 2, sign, pt=pt, anchor=anchor)


def _under(sheet: Sheet, box: Box) -> None:
    ends = [round(edge * PX_PER_MM) for edge in (box[0], box[3], box[2], box[3])]
    sheet.pen.line(ends, fill=BLACK, width=max(1, round(0.25 * PX_PER_MM)))


def _on_tint(sheet: Sheet, box: Box) -> None:
    sheet.area(_grown(box, 1.1), fill=(205, 214, 222))
    sheet.area(box, fill=(255, 255, 255))


# Side, width over height, and what prints the k-th of them.
_Make = tuple[tuple[float, float], float, Callable[[Sheet, Box, int], None]]


def _plain(draw: Callable[[Sheet, Box], None]) -> Callable[[Sheet, Box, int], None]:
    return lambda sheet, box, k: draw(sheet, box)


MAKES: dict[str, _Make] = {
    "square": ((3, 5), 1, _plain(partial(_frame, mm=0.25))),
    "square, bold": ((3.5, 5.5), 1, _plain(partial(_frame, mm=0.6))),
    "square, double": ((4, 6), 1, _plain(partial(_double, _frame))),
    "square, rounded": ((3.5, 5.5), 1, _plain(partial(_frame, mm=0.25, corner=0.9))),
    "square, grey": ((3.5, 5.5), 1, _plain(partial(_frame, mm=0.25, grey=165))),
    "square, tinted": ((3.5, 5.5), 1, _plain(partial(_frame, mm=0.25, grey=90, fill=220))),
    "square, 2 mm": ((2, 2.2), 1, _plain(partial(_frame, mm=0.2))),
    "square, 8 mm": ((7.5, 8.5), 1, _plain(partial(_frame, mm=0.3))),
    "square, numbered": (
        (4.5, 6), 1, lambda s, b, k: _lettered(_frame, s, b, letters="12345", grey=60, k=k),
    ),
    "circle": ((3, 5), 1, _plain(partial(_ring, mm=0.25))),
    "circle, bold": ((3.5, 5.5), 1, _plain(partial(_ring, mm=0.55))),
    "circle, double": ((4, 5.5), 1, _plain(partial(_double, _ring))),
    "circle, grey": ((3.5, 5), 1, _plain(partial(_ring, mm=0.25, grey=160))),
    "circle, tinted": ((3.5, 5.5), 1, _plain(partial(_ring, mm=0.25, grey=90, fill=222))),
    "circle, 2 mm": ((2.1, 2.5), 1, _plain(partial(_ring, mm=0.2))),
    "circle, 8 mm": ((7, 8), 1, _plain(partial(_ring, mm=0.3))),
    "circle, lettered": (
        (4, 5.5), 1, lambda s, b, k: _lettered(_ring, s, b, letters="ABCDE", grey=40, k=k),
    ),
    "circle, lettered pale": (
        (4, 5.5), 1, lambda s, b, k: _lettered(_ring, s, b, letters="ABCDE", grey=150, k=k),
    ),
    "oval": ((3, 3.6), 1.5, _plain(partial(_ring, mm=0.2))),
    "oval, numbered": (
        (3.2, 4), 1.4, lambda s, b, k: _lettered(_ring, s, b, letters="01234", grey=110, k=k),
    ),
    "brackets": ((4, 5), 1.1, _plain(partial(_pair, both="[]"))),
    "parentheses": ((4, 5), 1.1, _plain(partial(_pair, both="()"))),
    "underscore": ((4, 5), 1.4, _plain(_under)),
    "white on tint": ((3.5, 5.5), 1, _plain(_on_tint)),
}  # fmt: skip


def lone_box(
    rng: np.random.Generator, make: str, mark: str
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Box]:
    """One box alone on paper, blank and marked, uint8 (h, w) grey, and its place in pixels."""
    (low, high), wide, draw = MAKES[make]
    side = float(rng.uniform(low, high))
    room = 1.6 * side
    box = (room, room, room + wide * side, room + side)
    theme = Theme("open-sans", (60, 80, 120), (236, 240, 244), (60, 60, 60))
    sheet = Sheet((wide * side + 2 * room, side + 2 * room), theme)
    draw(sheet, box, int(rng.integers(5)))
    if rng.random() < 0.5:
        sheet.text(box[2] + 1.5, room + side / 2 + 1, _label(rng).lower()[:5], pt=8)
    hand = random_hand(rng, family=FAMILIES[0])
    if rng.random() < _PENCILS:
        hand = replace(hand, colour=_PENCIL)
    ink = np.zeros((sheet.image.height, sheet.image.width), np.uint8)
    mark_made(ink, box, hand, mark, rng=rng)
    blank = np.asarray(sheet.image)
    blank, marked = (
        np.asarray(cv2.cvtColor(one, cv2.COLOR_BGR2GRAY), np.uint8)
        for one in (blank[..., ::-1], put_ink(blank, ink, hand.colour))
    )
    x0, y0, x1, y1 = (edge * PX_PER_MM for edge in box)
    return blank, marked, (x0, y0, x1, y1)


def draw_makes(rng: np.random.Generator, *, blocks: int = 6, manner: str = "mixed") -> MadeSheet:
    """A sheet of questions, each block of another make.

    Args:
        rng: Decides all else.
        blocks: Of questions.
        manner: "mixed", every box marked or not by chance, or one of `MANNERS`.
    """
    grey = int(rng.integers(20, 120))
    face = ("open-sans", "libre-franklin")[int(rng.integers(2))]
    sheet = Sheet((210, 297), Theme(face, (60, 80, 120), (236, 240, 244), (grey, grey, grey)))
    sheet.corner_marks(7)
    sheet.text(18, 22, "Questions", pt=16, bold=True)
    sheet.free("name", _label(rng), (70, 16, 190, 25), kind="text")
    hand = random_hand(rng, family=FAMILIES[int(rng.integers(len(FAMILIES)))])
    if rng.random() < _PENCILS:
        hand = replace(hand, colour=_PENCIL)
    ink = np.zeros((sheet.image.height, sheet.image.width), np.uint8)
    fields = list(sheet.fields)
    boxes: list[MadeBox] = []
    y = 34.0
    for make in rng.choice(list(MAKES), blocks, replace=False).tolist():
        (low, high), wide, draw = MAKES[make]
        side = float(rng.uniform(low, high))
        step = max(float(rng.uniform(16, 24)), 2.2 * wide * side)
        row_mm = max(side + 2.4, float(rng.uniform(6.5, 8.2)))
        sheet.text(18, y, _label(rng) + ":", pt=9, bold=True)
        y += 3.0
        for _ in range(_ROWS):
            if y + row_mm > 286:
                break
            sheet.text(20, y + side / 2 + 1, _label(rng) + " " + _label(rng).lower(), pt=8)
            of_row = [] if manner == "mixed" else _in_one_manner(rng, manner)
            for k in range(5):
                x = 88 + k * step
                if x + wide * side > 196:
                    break
                box = (x, y, x + wide * side, y + side)
                draw(sheet, box, k)
                if step > 17 and rng.random() < 0.8:
                    sheet.text(box[2] + 1.5, y + side / 2 + 1, _label(rng).lower()[:5], pt=8)
                mark = of_row[k] if of_row else str(rng.choice(list(MARKS), p=_SHARES))
                mark_made(ink, box, hand, mark, rng=rng)
                name = f"box{len(boxes) + 1}"
                off = np.clip(rng.normal(0, _BESIDE_MM, 4), -0.5, 0.5) * min(1.0, side / 4)
                placed = [round(float(a + b), 2) for a, b in zip(box, off, strict=True)]
                fields.append({"name": name, "kind": "checkbox", "box": placed})
                boxes.append(MadeBox(name, make, mark, box))
            y += row_mm
        y += 6.5
    blank = np.asarray(sheet.image)
    marked = put_ink(blank, ink, hand.colour)
    template = sheet.template("makes") | {"fields": fields}
    return MadeSheet(
        np.asarray(cv2.cvtColor(blank, cv2.COLOR_RGB2BGR), np.uint8), marked, template, tuple(boxes)
    )


def _in_one_manner(rng: np.random.Generator, manner: str) -> list[str]:
    """What happens to the boxes of a row."""
    stray = ("specks", "tail")
    out = [str(rng.choice(stray)) if rng.random() < _STRAY else "empty" for _ in range(5)]
    marks = MANNERS[manner]
    first, second = rng.permutation(5)[:2].tolist()
    if rng.random() < 0.85:
        out[first] = str(rng.choice(list(marks), p=list(marks.values())))
    if manner in ("ticks", "crosses") and rng.random() < _WITHDRAWN:
        out[second] = str(rng.choice(["corrected", "crossed out"]))
    return out


def mark_made(ink: Picture, box: Box, hand: Hand, mark: str, *, rng: np.random.Generator) -> None:
    """Mark a box, mm, as one of `MARKS`."""
    if mark == "empty":
        return
    # Strokes are drawn on a part of the sheet: a layer of all of it for each takes a minute.
    x0, y0, x1, y1 = (edge * PX_PER_MM for edge in box)
    room = 3 * (x1 - x0)
    left, top = max(0, int(x0 - room)), max(0, int(y0 - room))
    ink = ink[top : int(y1 + room), left : int(x1 + room)]
    x0, y0, x1, y1 = x0 - left, y0 - top, x1 - left, y1 - top
    if mark in ("ticked", "crossed", "filled", "corrected"):
        mark_as(ink, (x0, y0, x1, y1), hand, mark, rng=rng)
        return
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    size = np.array([x1 - x0, y1 - y0])
    if mark == "specks":
        for x, y in rng.uniform(-0.5, 0.5, (int(rng.integers(1, 4)), 2)) * size + middle:
            dot = float(rng.uniform(0.06, 0.16)) * PX_PER_MM
            cv2.circle(ink, (round(x), round(y)), max(1, round(dot)), 200, -1, cv2.LINE_AA)
        return
    for stroke in _strokes(mark, rng):
        shaken = stroke + rng.normal(0, 0.025, stroke.shape) + rng.normal(0, 0.04, 2)
        draw_stroke(ink, middle + shaken * size, hand, rng=rng)


def _strokes(mark: str, rng: np.random.Generator) -> list[Points]:
    """Strokes in parts of the box, its middle at zero."""
    turn = np.linspace(0, 2 * np.pi * 1.06, 30) + rng.uniform(0, 6)
    round_ = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    if mark == "ticked far":
        far = float(rng.uniform(1.0, 1.8))
        return [np.array([(-0.3, 0.05), (-0.08, 0.38), (0.3, -0.3), (far, -far * 0.9)])]
    if mark == "slash":
        reach = float(rng.uniform(0.4, 0.65))
        up = 1 if rng.random() < 0.8 else -1
        return [np.array([(-reach, up * reach), (0, 0), (reach, -up * reach)])]
    if mark == "crossed twice":  # a stroke of it is gone over again, and its ends have hooks
        a, b = rng.uniform(0.42, 0.75, 2)
        again = float(rng.uniform(0.1, 0.9))
        one = [(a, -a), (a * (1 - again), -a * (1 - again)), (a * 0.95, -a * 0.85), (0.0, 0.02)]
        one.append((-a, a))
        if rng.random() < 0.5:
            one.append((-a + float(rng.uniform(-0.05, 0.25)), a - float(rng.uniform(0.05, 0.4))))
        other = [(-b, -b), (0.0, 0.0), (b, b * float(rng.uniform(0.7, 1.1)))]
        turned = np.array([-1, 1]) if rng.random() < 0.5 else np.array([1, 1])
        return [np.array(one) * turned, np.array(other) * turned]
    if mark == "scribble":
        return [_zigzag(int(rng.integers(4, 7)), (0.12, 0.88), rng.uniform(0, np.pi), rng) - 0.5]
    if mark == "filled partly":
        passes, part = int(rng.integers(6, 10)), float(rng.uniform(0.5, 0.85))
        zigzag = _zigzag(passes, (0.08, 0.92), rng.uniform(0, np.pi), rng) - 0.5
        return [np.clip(zigzag, (-0.4, -0.4), (0.4, 0.4)) * (1, part)]
    if mark == "filled over":
        passes, out = int(rng.integers(8, 13)), float(rng.uniform(0.0, 0.12))
        return [_zigzag(passes, (-out, 1 + out), rng.uniform(0, np.pi), rng) - 0.5]
    if mark == "tail":  # of what is written above
        x = float(rng.uniform(-0.4, 0.4))
        return [np.array([(x + 0.2, -1.3), (x + 0.1, -0.8), (x - 0.1, rng.uniform(-0.42, -0.2))])]
    if mark == "dot":
        small = float(rng.uniform(0.06, 0.14))
        return [round_ * small, round_ * small / 2]
    if mark == "circled":
        return [round_ * rng.uniform(0.72, 0.95, 2)]
    over = [np.array([(-0.4, -0.4), (0, 0), (0.4, 0.4)]), np.array([(0.4, -0.4), (-0.4, 0.4)])]
    if rng.random() < 0.5:
        over = [_zigzag(7, (0.1, 0.9), rng.uniform(0, np.pi), rng) - 0.5]
    bars = [(-0.12, 0.1), (0.14, -0.1)][: int(rng.integers(1, 3))]
    far = float(rng.uniform(0.8, 1.2))
    struck = [np.array([(-far, a), (0, (a + b) / 2), (far, b)]) for a, b in bars]
    if len(struck) == 1:
        struck.append(np.add(struck[0][::-1], (0, 0.2)))
    return over + struck
