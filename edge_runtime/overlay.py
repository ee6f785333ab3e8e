"""Pictures for people: what was read, drawn onto the page it was read from.

Owns:   `overlay`, `outline`, `of_viewing_size`: boxes, labels, a legend.
Needs:  `labels`, `redact`, `results`; numpy, cv2, Pillow (its built-in font: nothing to look up).
Words:  *canvas*: uint8 (h, w, 3) BGR, the upright page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edge_runtime.field import Box
from edge_runtime.labels import Labels, Size
from edge_runtime.redact import Canvas, Rect, as_bgr, hide_secrets, whole_box
from edge_runtime.results import FieldReading, FormReading, Status

_Rgb = tuple[int, int, int]
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

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
_OUTLINE: _Rgb = (0, 90, 170)
# Letters of 1/90 of the longer edge are 3.3 mm on A4, a little over print, at any resolution. On
# a card with few large fields they grow with the fields, to 1/36 at most.
_FONT_PER_EDGE, _FONT_MOST_PER_EDGE, _FONT_PER_FIELD = 1 / 90, 1 / 36, 0.3
_CHECK_BOX_LETTERS = 3  # 10 mm on A4; less than a field where letters grow with the fields
_FONT_STEPS = (1, 0.8, 0.65, 0.5)  # where there is no room for larger letters
_FONT_LEAST_PX = 12  # smaller letters of Pillow's font run together
_MOST_PX = 20_000_000  # A4 at 450 dpi


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
    marks = [
        _Mark(
            whole_box(one.box, canvas),
            _label(one, reveal=reveal),
            COLORS[one.status],
            one.status,
            small=one.kind == "checkbox",
        )
        for one in form.fields
    ]
    present = [status for status in Status if any(one.status is status for one in form.fields)]
    return _draw(canvas, marks, [(COLORS[status], _MEANING[status]) for status in present])


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
    placed = [(name, whole_box(box, canvas)) for name, box in boxes]
    px = _font_px(canvas, [box[3] - box[1] for _, box in placed])
    marks = [
        _Mark(box, name, _OUTLINE, None, small=_like_a_check_box(box, px)) for name, box in placed
    ]
    return _draw(canvas, marks, [(_OUTLINE, title)] if title else [])


@dataclass(frozen=True, slots=True)
class _Mark:
    box: Rect
    label: str
    color: _Rgb
    status: Status | None
    small: bool = False  # a check box: the label is small too, and leaves its room to the mark


def _label(reading: FieldReading, *, reveal: bool) -> str:
    # floored, as in tables: 100 % is only said of 1
    sure = f"{int(reading.confidence * 100 + 1e-9)} %"
    if reading.status is Status.BLANK:
        return "blank" if reading.confidence == 1 else f"blank?  {sure}"
    text = str(reading.to_dict(reveal=reveal)["text"])  # masked there, in one place for all
    text = text.replace("\n", " / ")  # a label has one line
    if reading.kind == "checkbox" and reading.status is Status.ACCEPTED:
        return text
    return f"{text}  {sure}"


def _draw(canvas: Canvas, marks: Sequence[_Mark], legend: Sequence[tuple[_Rgb, str]]) -> Canvas:
    px = _font_px(canvas, [mark.box[3] - mark.box[1] for mark in marks])
    line = max(1, round(px / 9))
    fonts = [(ImageFont.load_default(size), size) for size in _letters(px)]
    font = fonts[0][0]
    labels = Labels(
        canvas,
        [mark.box for mark in marks],
        outside=[mark.small for mark in marks],
        letter_px=px,
        line=line,
    )
    offered = [fonts[min(2, len(fonts) - 1) :] if mark.small else fonts for mark in marks]
    places = labels.place(
        [
            [_size(mark.label, *one) for one in some]
            for mark, some in zip(marks, offered, strict=True)
        ]
    )
    entries = [(color, text, _size(text, font, px)) for color, text in legend]
    canvas, at = _legend_room(canvas, labels, entries, px)

    picture = Image.fromarray(np.asarray(cv2.cvtColor(canvas, cv2.COLOR_BGR2RGB), np.uint8))
    draw = ImageDraw.Draw(picture)
    for mark in marks:
        _frame(draw, mark, line)
    for mark, place in zip(marks, places, strict=True):
        if place.leader is not None:
            draw.line(place.leader, mark.color, line)
    for mark, some, place in zip(marks, offered, places, strict=True):
        (x0, y0, x1, y1), (own, own_px) = place.at, some[place.size]
        draw.rounded_rectangle((x0, y0, x1 - 1, y1 - 1), own_px // 3, "white", mark.color, line)
        draw.text(((x0 + x1) / 2, (y0 + y1) / 2), mark.label, (20, 20, 20), own, anchor="mm")
    if at is not None:
        _legend(draw, entries, at, font, px)
    return np.asarray(cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR), np.uint8)


def _letters(px: int) -> list[int]:
    """Heights of letters that labels may have, largest first."""
    return sorted({max(_FONT_LEAST_PX, round(part * px)) for part in _FONT_STEPS}, reverse=True)


def _like_a_check_box(box: Rect, px: int) -> bool:
    """Whether a field whose kind is not told is about square, and small beside the letters."""
    x0, y0, x1, y1 = box
    return x1 - x0 < 2 * (y1 - y0) and y1 - y0 < _CHECK_BOX_LETTERS * px


def _legend_room(
    canvas: Canvas, labels: Labels, entries: Sequence[tuple[_Rgb, str, Size]], px: int
) -> tuple[Canvas, Rect | None]:
    """The legend's place: a free corner, or a footer under the page where there is none."""
    if not entries:
        return canvas, None
    page_h, page_w = canvas.shape[:2]
    w = min(page_w, sum(2 * px + one[2][0] for one in entries))
    h = 2 * px
    corner = labels.corner((w, h), px)
    if corner is not None:
        return canvas, corner
    footer = np.full((h + px, page_w, 3), 255, np.uint8)
    taller = np.ascontiguousarray(np.vstack([canvas, footer]))
    return taller, (0, page_h + px // 2, w, page_h + px // 2 + h)


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
    entries: Sequence[tuple[_Rgb, str, Size]],
    at: Rect,
    font: _Font,
    px: int,
) -> None:
    draw.rounded_rectangle((at[0], at[1], at[2] - 1, at[3] - 1), px // 3, "white", (90, 90, 90), 1)
    x, middle = at[0] + px // 2, (at[1] + at[3]) // 2
    for color, text, (w, _) in entries:
        draw.rectangle((x, middle - px // 2, x + px, middle + px // 2), color)
        draw.text((x + px + px // 2, middle), text, (20, 20, 20), font, anchor="lm")
        x += 2 * px + w


def _size(label: str, font: _Font, px: int) -> Size:
    """Width and height of a label with its white border."""
    return round(font.getlength(label)) + round(0.8 * px), round(1.4 * px)
