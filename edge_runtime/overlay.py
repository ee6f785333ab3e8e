"""Pictures for people: what was read, drawn onto the page it was read from.

Owns:   `overlay`, `outline`, `of_viewing_size`: boxes, labels, a legend, and where they hide least.
Needs:  `redact`, `results`; numpy, cv2, Pillow (its built-in font: nothing to look up).
Words:  *canvas*: uint8 (h, w, 3) BGR, the upright page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edge_runtime.field import Box
from edge_runtime.redact import Canvas, Rect, as_bgr, hide_secrets, whole_box
from edge_runtime.results import FieldReading, FormReading, Status

_Rgb = tuple[int, int, int]

# Okabe and Ito's palette (colour-blind safe), the red darkened until it differs from the orange in
# lightness as well. Orange is dashed and red doubled, for pictures printed without colour.
COLORS: Mapping[Status, _Rgb] = {
    Status.ACCEPTED: (0, 132, 110),
    Status.REVIEW: (230, 145, 0),
    Status.REJECTED: (178, 24, 43),
    Status.BLANK: (125, 125, 125),
}
_MEANING: Mapping[Status, str] = {
    Status.ACCEPTED: "accepted",
    Status.REVIEW: "review: a person should look",
    Status.REJECTED: "rejected",
    Status.BLANK: "blank",
}
_SIGN_MEANING = "tick: yes, ring: no"
_SIGN_COLOR: _Rgb = (90, 90, 90)
_SIGN_PX = 0.9  # of a label's letters
_OUTLINE: _Rgb = (0, 90, 170)
# Letters of 1/90 of the longer edge are 3.3 mm on A4, a little over print, at any resolution. On
# a card with few large fields they grow with the fields, to 1/36 at most.
_FONT_PER_EDGE, _FONT_MOST_PER_EDGE, _FONT_PER_FIELD = 1 / 90, 1 / 36, 0.3
_FONT_LEAST_PX = 12  # smaller letters of Pillow's font run together
_MOST_PX = 20_000_000  # A4 at 450 dpi
_FIELD_COST = 20.0  # of a pixel of a field or a label; a pixel of print costs 1
_DARK = 150  # a grey level under this is print or ink that a label should not hide


def of_viewing_size(page: Canvas, form: FormReading) -> tuple[Canvas, FormReading]:
    """Page and reading as they are, or smaller where the page is larger than anyone looks at.

    Painting takes several copies in colour: of 80 megapixels they would be over a gigabyte.
    """
    h, w = page.shape[:2]
    scale = math.sqrt(_MOST_PX / (h * w))
    if scale >= 1:
        return page, form
    size = round(w * scale), round(h * scale)
    small = np.asarray(cv2.resize(page, size, interpolation=cv2.INTER_AREA), np.uint8)
    sx, sy = size[0] / w, size[1] / h
    fields = tuple(
        replace(one, box=(one.box[0] * sx, one.box[1] * sy, one.box[2] * sx, one.box[3] * sy))
        for one in form.fields
    )
    return small, replace(form, fields=fields, page_size=size)


def overlay(page: Canvas, form: FormReading, *, reveal: bool = False) -> Canvas:
    """Draw every field's box in the colour of its status, its text beside it, and a legend.

    Args:
        page: uint8 (h, w, 3) BGR or (h, w), the upright page that `form` was read from.
        form: Its reading; boxes in pixels of `page`.
        reveal: Shows secrets. Else their text is masked and their ink painted over.

    Returns:
        uint8 (h, w, 3) BGR, of the page's size; `page` is left as it is. Taller by a footer only
        where no corner is free for the legend.
    """
    canvas = as_bgr(page) if reveal else hide_secrets(page, form)
    marks = [_mark(one, whole_box(one.box, canvas), reveal=reveal) for one in form.fields]
    present = [status for status in Status if any(one.status is status for one in form.fields)]
    legend = [(COLORS[status], _MEANING[status]) for status in present]
    if any(mark.sign for mark in marks):
        legend.append((_SIGN_COLOR, _SIGN_MEANING))
    return _draw(canvas, marks, legend)


def outline(page: Canvas, boxes: Sequence[tuple[str, Box]], *, title: str = "") -> Canvas:
    """Draw boxes and their names: what a template says of a page, before anything is read.

    Args:
        page: uint8 (h, w, 3) BGR or (h, w).
        boxes: Name and box in pixels of `page`.
        title: Stands in the legend; "" for none.

    Returns:
        uint8 (h, w, 3) BGR, as in `overlay`.
    """
    canvas = as_bgr(page)
    marks = [_Mark(whole_box(box, canvas), name, _OUTLINE, None) for name, box in boxes]
    return _draw(canvas, marks, [(_OUTLINE, title)] if title else [])


@dataclass(frozen=True, slots=True)
class _Mark:
    box: Rect
    label: str
    color: _Rgb
    status: Status | None
    sign: str = ""  # of a check box, instead of a label: tick | ring


def _mark(reading: FieldReading, box: Rect, *, reveal: bool) -> _Mark:
    """A check box gets a sign, which hides none of its neighbours; any other field a label."""
    label, sign = _label(reading, reveal=reveal), ""
    if reading.kind == "checkbox" and (reveal or not reading.secret):
        sign = "tick" if reading.text == "yes" else "ring"
        label = "" if reading.status is Status.ACCEPTED else "?"
    return _Mark(box, label, COLORS[reading.status], reading.status, sign)


def _label(reading: FieldReading, *, reveal: bool) -> str:
    if reading.status is Status.BLANK:
        return "blank"
    text = str(reading.to_dict(reveal=reveal)["text"])  # masked there, in one place for all
    # floored, as in tables: 100 % is only said of 1
    return f"{text}  {int(reading.confidence * 100 + 1e-9)} %"


def _draw(canvas: Canvas, marks: Sequence[_Mark], legend: Sequence[tuple[_Rgb, str]]) -> Canvas:
    px = _font_px(canvas, [mark.box[3] - mark.box[1] for mark in marks])
    line = max(1, round(px / 9))
    font = ImageFont.load_default(px)
    busy = _Busy(canvas, [mark.box for mark in marks], px)
    sizes = [_sign_size(mark, px) if mark.sign else _size(mark.label, font, px) for mark in marks]
    tags = [
        (mark, size, busy.place(size, mark.box)) for mark, size in zip(marks, sizes, strict=True)
    ]
    entries = [(color, text, _size(text, font, px)) for color, text in legend]
    canvas, at = busy.place_legend(canvas, entries, px)

    picture = Image.fromarray(np.ascontiguousarray(canvas[:, :, ::-1]))
    draw = ImageDraw.Draw(picture)
    for mark in marks:
        _frame(draw, mark, line)
    for mark, (w, h), (x, y) in tags:
        if mark.sign:
            _sign(draw, mark, (x, y), font, px)
            continue
        draw.rounded_rectangle((x, y, x + w, y + h), px // 3, "white", mark.color, line)
        draw.text((x + w / 2, y + h / 2), mark.label, (20, 20, 20), font, anchor="mm")
    if at is not None:
        _legend(draw, entries, at, font, px)
    return np.ascontiguousarray(np.asarray(picture, np.uint8)[:, :, ::-1])


def _sign_size(mark: _Mark, px: int) -> tuple[int, int]:
    side = round(_SIGN_PX * px)
    return side + (side // 2 if mark.label else 0), side


def _sign(
    draw: ImageDraw.ImageDraw,
    mark: _Mark,
    at: tuple[int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    px: int,
) -> None:
    """What a check box says, in its colour; a question mark behind it where it is in doubt."""
    (x, y), (w, h) = at, _sign_size(mark, px)
    draw.rectangle((x, y, x + w, y + h), "white")
    line = max(2, round(px / 7))
    if mark.sign == "tick":
        points = [(0.1, 0.55), (0.38, 0.85), (0.9, 0.12)]
        draw.line([(x + a * h, y + b * h) for a, b in points], mark.color, line, joint="curve")
    else:
        draw.ellipse(
            (x + 0.15 * h, y + 0.15 * h, x + 0.85 * h, y + 0.85 * h), None, mark.color, line
        )
    if mark.label:
        draw.text((x + w, y + h / 2), mark.label, mark.color, font, anchor="rm")


def _font_px(canvas: Canvas, heights: Sequence[int]) -> int:
    edge = int(max(canvas.shape[:2]))
    wished = _FONT_PER_FIELD * float(np.median(heights)) if heights else 0.0
    px = min(max(edge * _FONT_PER_EDGE, wished), edge * _FONT_MOST_PER_EDGE)
    return max(_FONT_LEAST_PX, round(px))


def _frame(draw: ImageDraw.ImageDraw, mark: _Mark, line: int) -> None:
    x0, y0, x1, y1 = mark.box
    # outside the field, so that the frame hides no ink
    edge = (x0 - line, y0 - line, x1 - 1 + line, y1 - 1 + line)
    if mark.status is Status.REVIEW:
        _dashes(draw, edge, mark.color, line)
        return
    draw.rectangle(edge, None, mark.color, line)
    if mark.status is Status.REJECTED:
        gap = 2 * line
        wide = (edge[0] - gap, edge[1] - gap, edge[2] + gap, edge[3] + gap)
        draw.rectangle(wide, None, mark.color, line)


def _dashes(draw: ImageDraw.ImageDraw, edge: Rect, color: _Rgb, line: int) -> None:
    x0, y0, x1, y1 = edge
    step = 6 * line
    for x in range(x0, x1, step):
        for y in (y0, y1 - line + 1):
            draw.rectangle((x, y, min(x + step * 2 // 3, x1), y + line - 1), color)
    for y in range(y0, y1, step):
        for x in (x0, x1 - line + 1):
            draw.rectangle((x, y, x + line - 1, min(y + step * 2 // 3, y1)), color)


def _legend(
    draw: ImageDraw.ImageDraw,
    entries: Sequence[tuple[_Rgb, str, tuple[int, int]]],
    at: Rect,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    px: int,
) -> None:
    draw.rounded_rectangle((at[0], at[1], at[2] - 1, at[3] - 1), px // 3, "white", (90, 90, 90), 1)
    x, middle = at[0] + px // 2, (at[1] + at[3]) // 2
    for color, text, (w, _) in entries:
        draw.rectangle((x, middle - px // 2, x + px, middle + px // 2), color)
        draw.text((x + px + px // 2, middle), text, (20, 20, 20), font, anchor="lm")
        x += 2 * px + w


class _Busy:
    """What labels should not cover: print and ink a little, fields and other labels a lot."""

    def __init__(self, canvas: Canvas, boxes: Iterable[Rect], px: int) -> None:
        gray = cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY)
        self._cost = (gray < _DARK).astype(np.float32)
        self._size = (canvas.shape[1], canvas.shape[0])
        self._gap = max(2, px // 4)
        for box in boxes:
            self._take(box)

    def _take(self, box: Rect) -> None:
        x0, y0, x1, y1 = box
        self._cost[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = _FIELD_COST

    def _price(self, box: Rect) -> float:
        x0, y0, x1, y1 = box
        return float(self._cost[y0:y1, x0:x1].sum())

    def _most(self, box: Rect) -> float:
        x0, y0, x1, y1 = box
        return float(self._cost[y0:y1, x0:x1].max(initial=0))

    def place(self, size: tuple[int, int], box: Rect) -> tuple[int, int]:
        """Top left of a label of `size`: above its field, or where it hides least."""
        (w, h), (x0, y0, x1, y1), gap = size, box, self._gap
        spots = [
            (x0, y0 - h - gap), (x1 - w, y0 - h - gap), (x1 + gap, (y0 + y1 - h) // 2),
            (x0, y1 + gap), (x1 - w, y1 + gap), (x0 - w - gap, (y0 + y1 - h) // 2),
        ]  # fmt: skip
        page_w, page_h = self._size
        inside = [
            (min(max(0, x), max(0, page_w - w)), min(max(0, y), max(0, page_h - h)))
            for x, y in spots
        ]
        x, y = min(inside, key=lambda at: self._price((at[0], at[1], at[0] + w, at[1] + h)))
        self._take((x, y, x + w, y + h))
        return x, y

    def place_legend(
        self, canvas: Canvas, entries: Sequence[tuple[_Rgb, str, tuple[int, int]]], px: int
    ) -> tuple[Canvas, Rect | None]:
        """A free corner, or a footer under the page where there is none."""
        if not entries:
            return canvas, None
        (page_w, page_h), gap = self._size, px
        w = min(page_w, sum(2 * px + one[2][0] for one in entries) - px // 2)
        h = 2 * px
        spots = [
            (x, y, x + w, y + h)
            for y in (page_h - h - gap, gap)
            for x in (gap, (page_w - w) // 2, page_w - w - gap)
            if x >= 0 and y >= 0 and x + w <= page_w
        ]
        free = [spot for spot in spots if self._most(spot) < _FIELD_COST]
        if free:
            return canvas, min(free, key=self._price)
        footer = np.full((h + gap, page_w, 3), 255, np.uint8)
        taller = np.ascontiguousarray(np.vstack([canvas, footer]))
        return taller, (0, page_h + gap // 2, w, page_h + gap // 2 + h)


def _size(
    label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, px: int
) -> tuple[int, int]:
    """Width and height of a label with its white border."""
    return round(font.getlength(label)) + px, round(1.5 * px)
