"""What looks like check boxes and is none: watermarks, squares in bars, cells of a row."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edge_runtime.detect import detect

Gray = NDArray[np.uint8]
MM = 200 / 25.4  # A4 at 200 dpi


def page_with(boxes: list[tuple[float, float]], *, grey: int, thick: int = 2) -> Gray:
    """Squares at places in mm, beside some black print."""
    page = np.full((round(297 * MM), round(210 * MM)), 250, np.uint8)
    for k in range(6):
        at = round(20 * MM), round((30 + 12 * k) * MM)
        cv2.putText(page, "Printed words of a form", at, cv2.FONT_HERSHEY_SIMPLEX, 0.9, 10, 3)
    for x, y in boxes:
        corners = [(round(a * MM), round(b * MM)) for a, b in ((x, y), (x + 5, y + 5))]
        cv2.rectangle(page, *corners, grey, thick)
    return page


def check_boxes(page: Gray) -> list[tuple[float, ...]]:
    return [one.box for one in detect(page).found if one.kind == "checkbox"]


AT = [(30.0, 150.0), (30.0, 165.0), (30.0, 180.0)]


def test_tints_with_corners_are_none_and_pale_lines_are() -> None:
    assert len(check_boxes(page_with(AT, grey=20))) == 3
    assert len(check_boxes(page_with(AT, grey=150))) == 3  # printed grey
    assert check_boxes(page_with(AT, grey=224, thick=12)) == []  # as letters of a watermark


def test_a_page_without_black_print_may_have_pale_boxes() -> None:
    page = np.full((round(297 * MM), round(210 * MM)), 250, np.uint8)
    for x, y in AT:
        corners = [(round(a * MM), round(b * MM)) for a, b in ((x, y), (x + 5, y + 5))]
        cv2.rectangle(page, *corners, 200, 2)
    assert len(check_boxes(page)) == 3


def test_squares_in_a_black_bar_are_none() -> None:
    page = page_with([], grey=0)
    page[round(142 * MM) : round(162 * MM), round(20 * MM) : round(120 * MM)] = 100
    for x in (30, 60, 90):
        corners = [(round(a * MM), round(b * MM)) for a, b in ((x, 150), (x + 5, 155))]
        cv2.rectangle(page, *corners, 0, 2)
    assert check_boxes(page) == []


def test_squares_that_share_walls_are_no_check_boxes() -> None:
    page = page_with([], grey=0)
    for x in (30, 38, 46, 54):
        corners = [(round(a * MM), round(b * MM)) for a, b in ((x, 150), (x + 8, 158))]
        cv2.rectangle(page, *corners, 40, 2)
    found = detect(page).found
    assert [len(one.cells) for one in found if one.kind is None and one.cells] == [4]
    assert not any(one.kind == "checkbox" for one in found)


def solid(page: Gray, x: float, y: float, side: float = 5) -> None:
    page[round(y * MM) : round((y + side) * MM), round(x * MM) : round((x + side) * MM)] = 15


def test_black_squares_at_the_corners_of_a_sheet_are_marks_and_filled_boxes_are_not() -> None:
    page = page_with(AT, grey=20)
    solid(page, *AT[1])  # filled in
    assert len(check_boxes(page)) == 3
    for x, y in [(8, 8), (197, 8), (8, 284), (197, 284)]:
        solid(page, x, y)
    found = check_boxes(page)
    assert len(found) == 3
    assert all(100 * MM < box[1] < 200 * MM for box in found)


def test_a_table_under_a_filled_heading_has_its_first_row() -> None:
    page = page_with([], grey=0)
    top, left, right = 140, 20, 170
    page[round(top * MM) : round((top + 12) * MM), round(left * MM) : round(right * MM)] = 90
    for row in range(1, 4):
        y = round((top + 12 + 12 * row) * MM)
        cv2.line(page, (round(left * MM), y), (round(right * MM), y), 60, 2)
    for x in (left, 90, 130, right):
        ends = [(round(x * MM), round(y * MM)) for y in (top + 12, top + 48)]
        cv2.line(page, *ends, 60, 2)
    cells = [one.box for one in detect(page).found if not one.under]
    assert len(cells) == 9
    assert min(box[1] for box in cells) < (top + 14) * MM


def test_small_boxes_with_labels_and_crosses_stay() -> None:
    page = page_with([], grey=0)
    side = 2.8
    for k in range(4):
        x, y = 40.0, 150.0 + 8 * k
        a, b = ((round(u * MM), round(v * MM)) for u, v in ((x, y), (x + side, y + side)))
        cv2.rectangle(page, a, b, 20, 2)
        at = round((x + side + 1) * MM), round((y + side) * MM)
        cv2.putText(page, "Yes", at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 10, 2)
        before = round((x - 5.5) * MM), round((y + side) * MM)
        cv2.putText(page, "No", before, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 10, 2)
        if k % 2:  # a cross, somewhat larger than its box
            over = round(0.8 * MM)
            cv2.line(page, (a[0] - over, a[1] - over), (b[0] + over, b[1] + over), 40, 3)
            cv2.line(page, (a[0] - over, b[1] + over), (b[0] + over, a[1] - over), 40, 3)
    assert len(check_boxes(page)) == 4


FONTS = Path(__file__).parents[2] / "train" / "fonts" / "examples"


def printed(lines: list[tuple[float, float, str]], *, font: str, pt: float, mm: float = MM) -> Gray:
    """Lines of print, their upper left corners in mm, on A4."""
    page = Image.new("L", (round(210 * mm), round(297 * mm)), 250)
    face = ImageFont.truetype(FONTS / font, round(pt * mm * 25.4 / 72))
    for x, y, text in lines:
        ImageDraw.Draw(page).text((x * mm, y * mm), text, font=face, fill=10)
    return np.asarray(page, np.uint8)


TITLES = ["Declaration of Domicile", "ORDER DOCUMENT", "Query Online 2020", "O D C Q 0 8"]


@pytest.mark.parametrize(
    "font", ["open-sans-400.ttf", "open-sans-700.ttf", "libre-franklin-700.ttf"]
)
@pytest.mark.parametrize("pt", [15, 22, 30])
def test_letters_of_titles_are_no_check_boxes(font: str, pt: float) -> None:
    lines = [(20.0, 20.0 + 0.6 * pt * k, title) for k, title in enumerate(TITLES)]
    assert check_boxes(printed(lines, font=font, pt=pt)) == []


@pytest.mark.parametrize("radius", [0.0, 0.8])
@pytest.mark.parametrize("label", ["YES", "Owner"])
def test_check_boxes_as_tall_as_the_label_that_follows_stay(label: str, radius: float) -> None:
    places = [(20.0 + 60 * column, 40.0 + 12 * row) for row in range(4) for column in range(3)]
    lines = [(x + 6, y - 0.6, label) for x, y in places]
    page = Image.fromarray(printed(lines, font="open-sans-700.ttf", pt=18))
    for k, (x, y) in enumerate(places):
        corners = [round(edge * MM) for edge in (x, y, x + 5, y + 5)]
        ImageDraw.Draw(page).rounded_rectangle(corners, radius * MM, outline=20, width=3)
        if k % 2:
            ImageDraw.Draw(page).line([corners[0], corners[1], corners[2], corners[3]], 40, 4)
    assert len(check_boxes(np.asarray(page, np.uint8))) == len(places)
