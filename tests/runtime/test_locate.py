"""Fields of a page without a template. The pages are drawn here."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.field import Field
from edge_runtime.locate import find_fields

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


def holds(field: Field, x: float, y: float) -> bool:
    assert field.box is not None
    return field.box[0] <= x <= field.box[2] and field.box[1] <= y <= field.box[3]


@pytest.mark.parametrize("scale", [0.8, 1.0, 2.0])
def test_boxes_combs_and_rules_are_found_in_reading_order(scale: float) -> None:
    page = cv2.resize(draw_form(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    fields = find_fields(np.asarray(page, np.uint8))
    assert [field.name for field in fields] == [f"field_{k}" for k in range(1, 6)]
    assert [(field.cells, field.kind) for field in fields] == [
        (8, None), (None, None), (None, "checkbox"), (None, None), (10, None),
    ]  # fmt: skip
    centres = [(296, 226), (900, 226), (135, 415), (500, 620), (370, 880)]
    for field, (x, y) in zip(fields, centres, strict=True):
        assert holds(field, x * scale, y * scale)


def test_a_skewed_form_keeps_its_fields() -> None:
    turn = cv2.getRotationMatrix2D((620.0, 877.0), 1.0, 1.0)
    page = cv2.warpAffine(draw_form(), turn, (1240, 1754), borderValue=(240,))
    fields = find_fields(np.asarray(page, np.uint8))
    assert 8 in [field.cells for field in fields]
    assert "checkbox" in [field.kind for field in fields]


def test_lines_of_writing_are_fields_where_nothing_is_drawn() -> None:
    page = blank_page()
    for k, text in enumerate(["the first line", "and the second"]):
        cv2.putText(page, text, (150, 300 + 200 * k), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 40, 3)
    fields = find_fields(page)
    assert len(fields) == 2
    assert holds(fields[0], 300, 285)
    assert holds(fields[1], 300, 485)


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (40, 40), (60, 3000), (1754, 1240)])
def test_empty_black_and_tiny_pages_hold_no_field(shape: tuple[int, int], value: int) -> None:
    assert find_fields(np.full(shape, value, np.uint8)) == ()


def test_noise_does_not_break_it() -> None:
    rng = np.random.default_rng(0)
    for shape in ((200, 300), (48, 900), (900, 48)):
        page = rng.integers(0, 256, shape).astype(np.uint8)
        for field in find_fields(page):
            assert field.box is not None
            x0, y0, x1, y1 = field.box
            assert 0 <= x0 < x1 <= shape[1]
            assert 0 <= y0 < y1 <= shape[0]
