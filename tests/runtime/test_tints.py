"""Fields that are lighter than the tint around them. The pages are drawn here."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.detect import detect
from edge_runtime.locate import locate_fields
from edge_runtime.rulings import look_at
from edge_runtime.tints import pane_slopes, tint_of

Gray = NDArray[np.uint8]
Box = tuple[float, float, float, float]
MM = 200 / 25.4  # A4 at 200 dpi
SIZE = (round(297 * MM), round(210 * MM))
PAPER = 243
PANEL = (14, 40, 196, 250)
FIELDS: tuple[Box, ...] = (
    (20, 60, 120, 67), (130, 60, 190, 67), (20, 80, 190, 87), (20, 100, 60, 107),
    (20, 120, 190, 150),
)  # fmt: skip


def area(page: Gray, box: Box, level: int) -> None:
    x0, y0, x1, y1 = (round(edge * MM) for edge in box)
    page[y0:y1, x0:x1] = level


def scanned(page: Gray, *, seed: int = 1) -> Gray:
    """A little blur and grain, and JPEG."""
    rng = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(page, (0, 0), 0.8) + rng.normal(0, 1.6, page.shape)
    coded = cv2.imencode(".jpg", np.clip(soft, 0, 255).astype(np.uint8), [1, 80])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)


def tinted_page(depth: float, *, fields: tuple[Box, ...] = FIELDS) -> Gray:
    page = np.full(SIZE, PAPER, np.uint8)
    area(page, PANEL, round(PAPER * (1 - depth)))
    for box in fields:
        area(page, box, PAPER)
    return page


def label(page: Gray, words: str, x: float, y: float) -> None:
    at = round(x * MM), round(y * MM)
    cv2.putText(page, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 40, 1, cv2.LINE_AA)


def comb(page: Gray, x: float, y: float, n: int, *, cell: float = 5, gap: float = 0.8) -> Box:
    for k in range(n):
        left = x + k * (cell + gap)
        area(page, (left, y, left + cell, y + 7), PAPER)
    return (x, y, x + n * (cell + gap) - gap, y + 7)


def is_at(found: Box, box: Box, *, near_mm: float = 0.7) -> bool:
    return max(abs(a - b * MM) for a, b in zip(found, box, strict=True)) <= near_mm * MM


def at(page: Gray, box: Box) -> bool:
    return any(is_at(one.box, box) for one in detect(page).found)


@pytest.mark.parametrize("depth", [0.06, 0.12, 0.25, 0.4])
def test_white_fields_on_a_tint_are_found_where_they_are_and_nothing_else(depth: float) -> None:
    found = detect(scanned(tinted_page(depth))).found
    missing = [box for box in FIELDS if not any(is_at(one.box, box) for one in found)]
    assert not missing
    assert len(found) == len(FIELDS)


def test_a_page_that_is_tinted_all_over_has_its_fields_found() -> None:
    page = tinted_page(0.2)
    page[page == PAPER] = round(PAPER * 0.8)
    for box in FIELDS:
        area(page, box, PAPER)
    found = detect(scanned(page)).found
    assert all(any(is_at(one.box, box) for one in found) for box in FIELDS)


@pytest.mark.parametrize("gap", [0.5, 0.8, 1.5])
def test_white_squares_in_a_row_are_the_cells_of_a_comb(gap: float) -> None:
    page = tinted_page(0.25, fields=())
    box = comb(page, 20, 60, 12, gap=gap)
    one = next(one for one in detect(scanned(page)).found if is_at(one.box, box))
    assert len(one.cells) == 12


def test_a_stroke_across_the_side_of_a_field_moves_it_nowhere() -> None:
    page = tinted_page(0.2)
    for x in range(25, 100, 6):
        ends = [(round(x * MM), round(57 * MM)), (round((x + 3) * MM), round(65 * MM))]
        cv2.line(page, ends[0], ends[1], 50, 4, cv2.LINE_AA)
    assert at(scanned(page), FIELDS[0])


def test_white_squares_are_check_boxes_marked_or_not_whose_place_is_in_doubt() -> None:
    page = tinted_page(0.2)
    squares: list[Box] = [(20, 170, 24, 174), (60, 170, 64, 174), (100, 170, 104, 174)]
    for box in squares:
        area(page, box, PAPER)
        label(page, "yes", box[2] + 2, box[3])
    tick = np.array([(60.6, 171.8), (61.6, 173.2), (63.4, 170.6)]) * MM
    cv2.polylines(page, [np.round(tick).astype(np.int32)], False, 50, 4, cv2.LINE_AA)
    page = scanned(page)
    found = [one for one in detect(page).found if one.kind == "checkbox"]
    assert [sum(is_at(one.box, box) for one in found) for box in squares] == [1, 1, 1]
    located = locate_fields(page)
    doubts = [
        doubt for field, doubt in zip(located.fields, located.doubts, strict=True)
        if field.kind == "checkbox"
    ]  # fmt: skip
    assert len(doubts) == 3
    assert all(doubts)


def test_a_page_that_leans_is_made_straight_by_its_tint() -> None:
    page = tinted_page(0.2)
    turn = cv2.getRotationMatrix2D((SIZE[1] / 2, SIZE[0] / 2), 1.5, 1)
    leaning = cv2.warpAffine(page, turn, SIZE[::-1], borderValue=PAPER)
    found = detect(scanned(np.asarray(leaning, np.uint8)))
    back = found.from_page[:2, :2] @ turn[:, :2]
    assert abs(np.degrees(np.arctan2(back[1, 0], back[0, 0]))) < 0.15
    assert len(found.found) == len(FIELDS)


def test_a_page_without_tint_is_looked_at_as_ever() -> None:
    page = np.full(SIZE, PAPER, np.uint8)
    for box in FIELDS:
        x0, y0, x1, y1 = (round(edge * MM) for edge in box)
        cv2.rectangle(page, (x0, y0), (x1, y1), 90, 2)
        label(page, "Name and address", box[0], box[1] - 1.5)
    page = scanned(page)
    assert pane_slopes(page, MM) is None
    assert look_at(page).tint is None


def test_white_rows_between_tinted_ones_are_no_fields() -> None:
    page = np.full(SIZE, PAPER, np.uint8)
    for y in range(60, 200, 16):
        area(page, (20, y, 190, y + 8), round(PAPER * 0.85))
        for x in (25, 80, 140):
            label(page, "Price list", x, y + 6)
            label(page, "Price list", x, y + 14)
    tint = tint_of(scanned(page), MM)
    assert tint is None


def test_a_white_panel_full_of_print_is_no_field() -> None:
    page = np.full(SIZE, round(PAPER * 0.8), np.uint8)
    panel: Box = (30, 60, 180, 110)
    area(page, panel, PAPER)
    for y in range(66, 106, 5):
        label(page, "please fill in this form with a black pen and return it to us", 34, y)
    assert not at(scanned(page), panel)


def test_a_drawn_box_on_a_tint_is_found_once() -> None:
    page = tinted_page(0.15)
    x0, y0, x1, y1 = (round(edge * MM) for edge in FIELDS[2])
    cv2.rectangle(page, (x0, y0), (x1, y1), 70, 2)
    found = detect(scanned(page)).found
    assert sum(is_at(one.box, FIELDS[2]) for one in found) == 1


def test_paper_made_white_keeps_its_tint_in_the_shaded_page() -> None:
    shaded = scanned(tinted_page(0.2))
    white = shaded.copy()
    white[white > 150] = 255
    assert not at(white, FIELDS[0])
    found = detect(white, shaded).found
    assert all(any(is_at(one.box, box) for one in found) for box in FIELDS)


@pytest.mark.parametrize(("high", "there"), [(4.2, True), (5.0, False)])
def test_boxes_to_tick_in_a_tint_are_squares(high: float, there: bool) -> None:
    """What the letters of a watermark shut in is no square."""
    fields: tuple[Box, ...] = tuple((40, y, 44.2, y + high) for y in (70, 100, 130))
    found = detect(scanned(tinted_page(0.2, fields=fields))).found
    assert sum(one.kind == "checkbox" for one in found) == (3 if there else 0)
