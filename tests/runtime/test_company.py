"""What a blackened check box means beside the others of its page."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime import Field, Reader, Template
from edge_runtime.results import FormReading, Status

Gray = NDArray[np.uint8]
PX = 8  # to a millimetre
MARKS = ((4, 4), (92, 4), (92, 62), (4, 62))


@cache
def reader() -> Reader:
    return Reader()


def corner(k: int) -> tuple[int, int]:
    """Of a box of 5 mm, millimetres."""
    return 20 + 16 * (k % 4), 30 + 14 * (k // 4)


def card() -> Gray:
    """Two rows of four boxes under a long box."""
    page = np.full((70 * PX, 100 * PX), 250, np.uint8)
    for x, y in MARKS:
        cv2.rectangle(page, (x * PX, y * PX), ((x + 4) * PX, (y + 4) * PX), 20, -1)
    cv2.rectangle(page, (12 * PX, 14 * PX), (88 * PX, 22 * PX), 60, 2)
    for k in range(8):
        x, y = corner(k)
        cv2.rectangle(page, (x * PX, y * PX), ((x + 5) * PX, (y + 5) * PX), 60, 2)
    return page


def strokes(page: Gray, k: int, *points: tuple[float, float]) -> None:
    at = np.array(corner(k)) * PX + np.array(points) * 5 * PX
    cv2.polylines(page, [at.astype(np.int32)], False, 40, 4, cv2.LINE_AA)


def blacken(page: Gray, k: int, *, low: float = 0.06, high: float = 0.94) -> None:
    zigzag = [(high if j % 2 else low, 0.06 + 0.88 * j / 15) for j in range(16)]
    strokes(page, k, *zigzag)


def tick(page: Gray, k: int) -> None:
    strokes(page, k, (0.15, 0.5), (0.42, 0.85), (0.95, 0.05))


def circle(page: Gray, k: int, *, radius: float) -> None:
    x, y = corner(k)
    at = round((x + 2.5) * PX), round((y + 2.5) * PX)
    cv2.circle(page, at, round(radius * 5 * PX), 40, 4, cv2.LINE_AA)


def read(page: Gray, marks: str | None = None) -> FormReading:
    more: dict[str, Any] = {} if marks is None else {"marks": marks}
    boxes = [
        {"name": f"c{k}", "kind": "checkbox", "box": [x, y, x + 5, y + 5], **more}
        for k, (x, y) in enumerate(map(corner, range(8)))
    ]
    raw = {
        "name": "card",
        "page": {"size": [100, 70], "unit": "mm"},
        "marks": [[x, y, x + 4, y + 4] for x, y in MARKS],
        "fields": [{"name": "name", "kind": "text", "box": [12, 14, 88, 22]}, *boxes],
    }
    return reader().read(page, template=Template.from_dict(raw))


def test_boxes_of_a_page_that_is_answered_by_blackening_are_accepted() -> None:
    page = card()
    for k in (0, 3, 5):
        blacken(page, k)
    form = read(page)
    for k in range(8):
        assert form[f"c{k}"].text == ("yes" if k in (0, 3, 5) else "no")
        assert form[f"c{k}"].status is Status.ACCEPTED, form[f"c{k}"].reason


def test_a_blackened_box_beside_ticked_ones_is_for_a_person() -> None:
    page = card()
    for k in (0, 3):
        tick(page, k)
    blacken(page, 5)
    form = read(page)
    assert [form[f"c{k}"].status for k in (0, 3)] == [Status.ACCEPTED] * 2
    assert form["c5"].status is Status.REVIEW
    assert "perhaps withdrawn" in form["c5"].reason or "scribbled over" in form["c5"].reason


def test_a_template_says_what_a_blackened_box_means() -> None:
    page = card()
    tick(page, 0)
    blacken(page, 5)
    as_fill, as_tick = read(page, "fill")["c5"], read(page, "tick")["c5"]
    assert (as_fill.text, as_fill.status) == ("yes", Status.ACCEPTED)
    assert (as_tick.text, as_tick.status) == ("no", Status.REVIEW)


def test_one_blackened_box_alone_is_for_a_person_unless_the_field_says_so() -> None:
    page = card()
    blacken(page, 5)
    assert read(page)["c5"].status is Status.REVIEW
    x, y = np.array(corner(5)) * PX
    crop = np.ascontiguousarray(page[y - 16 : y + 56, x - 16 : x + 56])
    lone = reader().read_field(crop, Field(name="c", kind="checkbox", marks="fill"))
    assert lone.text == "yes"


def test_a_box_scribbled_far_beyond_its_edges_is_not_accepted_anywhere() -> None:
    page = card()
    for k in (0, 3, 5):
        blacken(page, k)
    blacken(page, 6, low=-0.5, high=1.5)
    assert read(page, "fill")["c6"].status is Status.REVIEW


@pytest.mark.parametrize("radius", [0.72, 0.8, 0.95])
def test_a_circled_box_reads_yes_and_is_for_a_person(radius: float) -> None:
    page = card()
    circle(page, 2, radius=radius)
    one = read(page)["c2"]
    assert (one.text, one.status) == ("yes", Status.REVIEW)
    assert "circled" in one.reason


def test_boxes_that_stand_close_are_no_circle() -> None:
    page = np.full((400, 400), 245, np.uint8)
    for x in range(4):
        for y in range(4):
            at = 20 + 90 * x, 20 + 90 * y
            cv2.rectangle(page, at, (at[0] + 64, at[1] + 64), 60, 2)
    crop = np.ascontiguousarray(page[110 - 28 : 174 + 28, 110 - 28 : 174 + 28])
    assert reader().read_field(crop, Field(name="c", kind="checkbox")).text == "no"
