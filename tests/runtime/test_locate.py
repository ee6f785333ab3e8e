"""Fields of a page without a template. The pages are drawn here."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.field import Field
from edge_runtime.locate import Located, locate_fields

Gray = NDArray[np.uint8]


def blank_page() -> Gray:
    return np.full((1754, 1240), 240, np.uint8)


def draw_form() -> Gray:
    page = blank_page()
    for k in range(8):  # a row of eight boxes
        cv2.rectangle(page, (120 + 44 * k, 200), (164 + 44 * k, 252), 60, 2)
    cv2.rectangle(page, (700, 200), (1100, 252), 60, 2)  # a box for free text beside it
    cv2.rectangle(page, (120, 400), (150, 430), 60, 2)  # a check box
    cv2.line(page, (120, 640), (900, 640), 60, 2)  # an underline
    cv2.line(page, (120, 900), (120 + 50 * 10, 900), 60, 2)  # a comb of ten
    for k in range(11):
        cv2.line(page, (120 + 50 * k, 868), (120 + 50 * k, 900), 60, 2)
    return page


def scrawl(page: Gray, x: float, y: float, letters: int, rng: np.random.Generator) -> None:
    """Something that a hand may have written: loops and hooks, no two alike."""
    for _ in range(letters):
        high, wide, lean = rng.uniform(12, 34), rng.uniform(10, 26), rng.uniform(2, 10)
        t = np.linspace(0, rng.uniform(4, 8), 40)
        xs = x + wide * (t / 8 + 0.35 * np.sin(t)) + lean * np.cos(t)
        ys = y + rng.uniform(-4, 4) - high * (0.5 + 0.5 * np.cos(t + rng.uniform(0, 2)))
        cv2.polylines(page, [np.stack([xs, ys], 1).astype(np.int32)], False, 40, 3, cv2.LINE_AA)
        x += 1.3 * wide + 6


def holds(located: Located, field: Field, x: float, y: float) -> bool:
    assert field.box is not None
    corners = np.array([[(field.box[0], field.box[1]), (field.box[2], field.box[3])]], np.float64)
    (x0, y0), (x1, y1) = cv2.perspectiveTransform(corners, located.to_page)[0].tolist()
    return bool(x0 <= x <= x1 and y0 <= y <= y1)


@pytest.mark.parametrize("scale", [0.8, 1.0, 2.0])
def test_boxes_combs_and_rules_are_found_in_reading_order(scale: float) -> None:
    page = cv2.resize(draw_form(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    located = locate_fields(np.asarray(page, np.uint8))
    assert [field.name for field in located.fields] == [f"field_{k}" for k in range(1, 6)]
    assert [(field.cells, field.kind) for field in located.fields] == [
        (8, None), (None, None), (None, "checkbox"), (None, None), (10, None),
    ]  # fmt: skip
    centres = [(296, 226), (900, 226), (135, 415), (500, 620), (370, 880)]
    for field, (x, y) in zip(located.fields, centres, strict=True):
        assert holds(located, field, x * scale, y * scale)


def test_a_skewed_form_keeps_its_fields() -> None:
    turn = cv2.getRotationMatrix2D((620.0, 877.0), 1.0, 1.0)
    page = cv2.warpAffine(draw_form(), turn, (1240, 1754), borderValue=(240,))
    located = locate_fields(np.asarray(page, np.uint8))
    assert len(located.fields) == 5
    x, y = turn @ np.array([296, 226, 1.0])
    assert located.fields[0].cells == 8
    assert holds(located, located.fields[0], x, y)


def test_lines_of_writing_are_fields_and_lines_of_print_are_none() -> None:
    rng = np.random.default_rng(3)
    page = blank_page()
    text = "The quick brown fox jumps over the lazy dog near the old river bank"
    for k in range(4):
        at = (150, 700 + 60 * k)
        cv2.putText(page, text, at, cv2.FONT_HERSHEY_COMPLEX, 0.5, 40, 1, cv2.LINE_AA)
    assert locate_fields(page).fields == ()
    scrawl(page, 150, 300, 9, rng)
    scrawl(page, 150, 480, 7, rng)
    located = locate_fields(page)
    assert len(located.fields) == 2
    assert holds(located, located.fields[0], 300, 285)
    assert holds(located, located.fields[1], 300, 465)


def test_print_in_a_box_is_no_field_and_the_room_beside_it_is() -> None:
    page = blank_page()
    for y in (200, 260):
        cv2.rectangle(page, (120, y), (420, y + 50), 60, 2)
        put = (130, y + 32)
        cv2.putText(page, "Family name", put, cv2.FONT_HERSHEY_COMPLEX, 0.55, 40, 1, cv2.LINE_AA)
    cv2.rectangle(page, (420, 200), (1000, 250), 60, 2)  # beside a label, and the other has none
    one, two = locate_fields(page).fields
    assert one.box is not None
    assert two.box is not None
    assert one.box[0] == pytest.approx(420, abs=6)
    assert two.box[0] > 200
    assert two.box[2] == pytest.approx(420, abs=6)


def test_a_label_over_the_line_it_asks_for_leaves_all_of_that_line() -> None:
    page = blank_page()
    for y in (200, 320, 440):
        cv2.rectangle(page, (120, y), (900, y + 95), 60, 2)
        put = (128, y + 20)
        cv2.putText(page, "Account number", put, cv2.FONT_HERSHEY_COMPLEX, 0.45, 40, 1, cv2.LINE_AA)
    found = locate_fields(page).fields
    assert len(found) == 3
    for field, y in zip(found, (200, 320, 440), strict=True):
        assert field.box is not None
        assert field.box[0] == pytest.approx(120, abs=6)
        assert y + 20 <= field.box[1] <= y + 40


def test_beside_letters_far_higher_than_the_print_no_box_is_cut() -> None:
    """They may be neat writing, and a box that is cut beside it would be read as a blank."""
    page = blank_page()
    for k in range(6):
        at = (120, 600 + 40 * k)
        text = "Please write clearly and stay within the boxes of this form"
        cv2.putText(page, text, at, cv2.FONT_HERSHEY_COMPLEX, 0.5, 40, 1, cv2.LINE_AA)
    cv2.rectangle(page, (120, 200), (900, 270), 60, 2)
    cv2.putText(page, "Helena", (135, 252), cv2.FONT_HERSHEY_COMPLEX, 1.2, 40, 2, cv2.LINE_AA)
    boxes = [one.box for one in locate_fields(page).fields]
    assert any(box is not None and box[0] < 130 and box[2] > 890 for box in boxes)


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (40, 40), (60, 3000), (1754, 1240)])
def test_empty_black_and_tiny_pages_hold_no_field(shape: tuple[int, int], value: int) -> None:
    assert locate_fields(np.full(shape, value, np.uint8)).fields == ()


def test_noise_does_not_break_it() -> None:
    rng = np.random.default_rng(0)
    for shape in ((200, 300), (48, 900), (900, 48)):
        locate_fields(rng.integers(0, 256, shape).astype(np.uint8))
