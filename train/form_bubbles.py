"""Answer sheets: rows of bubbles with print in them, one to be marked, and numbers in columns.

Owns:   `BubbleSheet`, `BubbleRow`, `draw_bubbles`, `draw_words`.
Needs:  numpy, cv2, `form_print`, `form_hand`, `form_checks`, `form_makes`.
Words:  a *row* is one question, its bubbles side by side or one below the other. What happened to
        it (*case*): one marked, none, two, one rubbed out beside the one that holds, one crossed
        out beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.field import Box
from train.form_glyph import PX_PER_MM
from train.form_hand import Hand, draw_stroke, random_hand
from train.form_makes import _frame, _ring, mark_made
from train.form_print import Sheet, Theme
from train.form_random import FAMILIES, _label
from train.form_scan import Picture, put_ink

CASES = ("one", "none", "two", "rubbed out", "only rubbed out", "crossed out")
_SHARES = (0.74, 0.08, 0.05, 0.06, 0.02, 0.05)
MANNERS = {  # how a writer marks, and how often each is met
    "fill": {"filled": 0.7, "filled partly": 0.12, "filled over": 0.18},
    "tick": {"ticked": 0.7, "ticked far": 0.3},
    "cross": {"crossed": 0.85, "slash": 0.15},
    "scribble": {"scribble": 0.6, "dot": 0.1, "filled partly": 0.3},
}
_PENCIL = (112, 112, 118)  # RGB
_RUBBED = (0.08, 0.3)  # of its ink that is left
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BubbleRow:
    """One question."""

    name: str
    case: str  # of `CASES`
    text: str | None  # what it says; "" where nothing; None where no answer is right
    manner: str
    marked: tuple[str, ...]  # by name, crossed out or not; what was rubbed out is not


@dataclass(frozen=True, slots=True, eq=False)
class BubbleSheet:
    """A sheet, blank and marked, and its template without reference."""

    blank: Picture  # (h, w, 3) BGR, `DPI` of `form_glyph`
    picture: Picture  # the same, marked
    template: dict[str, Any]
    rows: tuple[BubbleRow, ...]


def draw_bubbles(
    rng: np.random.Generator, *, manner: str = "fill", says: str | None = None
) -> BubbleSheet:
    """A sheet of questions, and a number in columns of figures.

    Args:
        rng: Decides all else.
        manner: Of `MANNERS`.
        says: What the template says of `marks`; None: "fill" for those who fill, else "any".
    """
    sheet = Sheet((210, 297), Theme("open-sans", (60, 80, 120), (236, 240, 244), (60, 60, 60)))
    sheet.corner_marks(7)
    sheet.text(18, 22, "Answers", pt=16, bold=True)
    says = says or ("fill" if manner == "fill" else "any")
    hand = random_hand(rng, family=FAMILIES[0])
    if rng.random() < 0.5:
        hand = replace(hand, colour=_PENCIL, pen_mm=float(rng.uniform(0.45, 0.8)))
    ink = np.zeros((sheet.image.height, sheet.image.width), np.uint8)
    rows: list[BubbleRow] = []
    high = float(rng.uniform(2.8, 5))
    wide = high * float(rng.choice([1.0, 1.0, 1.35, 1.6]))
    make = str(rng.choice(["ring", "ring", "ring", "frame"]))
    grey, line = int(rng.integers(30, 170)), float(rng.uniform(0.15, 0.35))
    print_inside = rng.random() < 0.75

    def bubble(box: Box, letter: str) -> None:
        draw = _ring if make == "ring" else _frame
        draw(sheet, box, mm=line, grey=grey)
        if print_inside:
            sheet.text(
                (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, letter,
                pt=0.55 * high * 72 / 25.4, fill=(grey, grey, grey), anchor="mm",
            )  # fmt: skip

    def question(boxes: list[Box], names: str, name: str) -> None:
        for box, letter in zip(boxes, names, strict=True):
            bubble(box, letter)
        case = str(rng.choice(CASES, p=_SHARES))
        text, marked = _answered(ink, boxes, names, case, hand, MANNERS[manner], rng)
        off = np.clip(rng.normal(0, 0.15, 2), -0.3, 0.3)
        cells = [
            [round(float(v), 2) for v in np.add(box, (*off, *off)) + rng.normal(0, 0.05, 4)]
            for box in boxes
        ]
        sheet.fields.append(
            {"name": name, "kind": "choice", "boxes": cells, "choices": list(names), "marks": says}
        )
        rows.append(BubbleRow(name, case, text, manner, marked))

    y = 32.0
    step = high + float(rng.uniform(0.7, 2))
    if rng.random() < 0.6:  # a number, one figure a column
        across = wide + float(rng.uniform(1, 2.5))
        for k in range(int(rng.integers(4, 9))):
            x = 24 + k * across
            column = [(x, y + j * step, x + wide, y + j * step + high) for j in range(10)]
            question(column, "0123456789", f"number{k + 1}")
        y += 10 * step + 6
    n = int(rng.choice([2, 3, 4, 4, 5, 5, 7]))
    names = "ABCDEFG"[:n] if rng.random() < 0.8 else "1234567"[:n]
    across = wide + float(rng.uniform(0.8, 4))
    block = 12 + n * across + 6
    step = high + float(rng.uniform(1.2, 3.5))
    at, k = 20.0, 0
    top = y
    while at + block < 198:
        y = top
        while y + high < 284 and k < 60:
            k += 1
            sheet.text(at + 8, y + high / 2, str(k), pt=8, anchor="rm")
            left = at + 11
            boxes = [(left + j * across, y, left + j * across + wide, y + high) for j in range(n)]
            question(boxes, names, f"q{k}")
            y += step
        at += block
    if not rows:
        raise AssertionError("a sheet without a row")
    return _made(sheet, ink, hand, rows)


def draw_words(rng: np.random.Generator) -> BubbleSheet:
    """A sheet of questions with printed words, one to be circled."""
    sheet = Sheet((210, 297), Theme("open-sans", (60, 80, 120), (236, 240, 244), (60, 60, 60)))
    sheet.corner_marks(7)
    sheet.text(18, 22, "Circle what applies", pt=16, bold=True)
    hand = random_hand(rng, family=FAMILIES[0])
    ink = np.zeros((sheet.image.height, sheet.image.width), np.uint8)
    rows: list[BubbleRow] = []
    sets = [("Yes", "No"), ("yes", "no", "unknown"), ("1", "2", "3", "4", "5"), ("M", "F")]
    y = 36.0
    pt = float(rng.uniform(8, 11))
    while y < 280:
        names = sets[int(rng.integers(len(sets)))]
        sheet.text(20, y, _label(rng) + " " + _label(rng).lower() + "?", pt=9)
        x, boxes = 100.0, []
        slash = rng.random() < 0.4
        for name in names:
            sheet.text(x, y, name, pt=pt)
            long = 0.19 * pt * len(name) + 0.6
            boxes.append((x - 0.3, y - 0.27 * pt, x + long, y + 0.04 * pt))
            x += long + float(rng.uniform(3, 8))
            if slash and name != names[-1]:
                sheet.text(x - 2, y, "/", pt=pt)
                x += 2
        case = str(
            rng.choice(["one", "none", "two", "struck", "under"], p=[0.7, 0.1, 0.06, 0.07, 0.07])
        )
        at = rng.permutation(len(names))
        text: str | None = "" if case == "none" else names[at[0]]
        many = {"none": 0, "two": 2}.get(case, 1)
        for k in at[:many]:
            _circle(ink, boxes[k], hand, case, rng)
        if case in ("two", "struck", "under"):
            text = None  # it takes a person
        name = f"q{len(rows) + 1}"
        cells = [[round(float(v), 2) for v in np.add(box, rng.normal(0, 0.2, 4))] for box in boxes]
        sheet.fields.append(
            {"name": name, "kind": "choice", "boxes": cells, "choices": list(names),
             "marks": "circle"}
        )  # fmt: skip
        marked = tuple(names[k] for k in at[:many] if case in ("one", "two"))
        rows.append(BubbleRow(name, case, text, "circle", marked))
        y += float(rng.uniform(7, 11))
    return _made(sheet, ink, hand, rows)


def _made(sheet: Sheet, ink: Picture, hand: Hand, rows: list[BubbleRow]) -> BubbleSheet:
    blank = np.asarray(sheet.image)
    marked = put_ink(blank, ink, hand.colour)
    bgr = np.asarray(cv2.cvtColor(blank, cv2.COLOR_RGB2BGR), np.uint8)
    return BubbleSheet(bgr, marked, sheet.template("answers"), tuple(rows))


def _answered(
    ink: Picture,
    boxes: list[Box],
    names: str,
    case: str,
    hand: Hand,
    marks: dict[str, float],
    rng: np.random.Generator,
) -> tuple[str | None, tuple[str, ...]]:
    """Mark a row; what it says, as in `BubbleRow`, and what is marked."""
    first, second = rng.permutation(len(boxes))[:2].tolist()

    def mark(k: int, layer: Picture) -> None:
        kind = str(rng.choice(list(marks), p=list(marks.values())))
        mark_made(layer, boxes[k], hand, kind, rng=rng)

    if "rubbed" in case:
        layer = np.zeros_like(ink)
        mark(second, layer)
        left = cv2.GaussianBlur(layer, (0, 0), 0.12 * PX_PER_MM) * float(rng.uniform(*_RUBBED))
        np.maximum(ink, left.astype(np.uint8), out=ink)
    if case == "none":
        return "", ()
    if case == "only rubbed out":
        return None, ()  # it may be meant, or not
    mark(first, ink)
    if case not in ("two", "crossed out"):
        return names[first], (names[first],)
    mark(second, ink)
    if case == "crossed out":
        _cross_out(ink, boxes[second], hand, rng)
    return (None if case == "two" else names[first]), (names[first], names[second])


def _cross_out(ink: Picture, box: Box, hand: Hand, rng: np.random.Generator) -> None:
    x0, y0, x1, y1 = (edge * PX_PER_MM for edge in box)
    middle, size = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), np.array([x1 - x0, y1 - y0])
    far = float(rng.uniform(0.7, 1.0))
    for way in (-1, 1):
        stroke = np.array([(-far, way * far), (0, 0), (far, -way * far)])
        shaken = stroke + rng.normal(0, 0.05, stroke.shape)
        draw_stroke_near(ink, middle + shaken * size, hand, rng=rng)


def _circle(ink: Picture, box: Box, hand: Hand, case: str, rng: np.random.Generator) -> None:
    x0, y0, x1, y1 = (edge * PX_PER_MM for edge in box)
    middle, half = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), np.array([x1 - x0, y1 - y0]) / 2
    if case == "struck":
        ends = np.array([(-1.2, 0.1), (0, 0), (1.2, -0.1)])
    elif case == "under":
        ends = np.array([(-1.1, 1.3), (0, 1.25), (1.1, 1.2)])
    else:
        turn = np.linspace(0, 2 * np.pi * float(rng.uniform(0.95, 1.12)), 30) + rng.uniform(0, 6)
        room = half + float(rng.uniform(0.5, 1.3)) * PX_PER_MM
        ends = np.stack([np.cos(turn), np.sin(turn)], axis=1) * room / half
    ends = ends + rng.normal(0, 0.05, (1, 2)) + rng.normal(0, 0.02, ends.shape)
    draw_stroke_near(ink, middle + ends * half, hand, rng=rng)


def draw_stroke_near(ink: Picture, points: Points, hand: Hand, *, rng: np.random.Generator) -> None:
    """As `draw_stroke`, on the part of a sheet that the stroke needs: a layer of all takes long."""
    low, high = points.min(0) - 3 * PX_PER_MM, points.max(0) + 3 * PX_PER_MM
    left, top = (max(0, int(v)) for v in low)
    part = ink[top : int(high[1]), left : int(high[0])]
    draw_stroke(part, points - (left, top), hand, rng=rng)
