"""Choices that are marked, not written: bubbles, columns of figures, circled words."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime import Field, Reader, Template
from edge_runtime.bubbles import spread
from edge_runtime.errors import TemplateError
from edge_runtime.results import FormReading, Status

Gray = NDArray[np.uint8]
PX = 8  # to a millimetre
FONT = cv2.FONT_HERSHEY_SIMPLEX
NAMES = "ABCD"
ROWS = 8
SIZE = (100, 90)
MARKS = ((4, 4), (92, 4), (92, 82), (4, 82))


def place(row: int, k: int) -> tuple[float, float, float, float]:
    """Millimetres."""
    x, y = 30 + 8 * k, 14 + 8 * row
    return x, y, x + 4.4, y + 4.4


def middle(row: int, k: int) -> tuple[int, int]:
    x0, y0, x1, y1 = place(row, k)
    return round((x0 + x1) / 2 * PX), round((y0 + y1) / 2 * PX)


def sheet() -> Gray:
    page = np.full((SIZE[1] * PX, SIZE[0] * PX), 250, np.uint8)
    for x, y in MARKS:
        cv2.rectangle(page, (x * PX, y * PX), ((x + 4) * PX, (y + 4) * PX), 20, -1)
    for row in range(ROWS):
        for k, letter in enumerate(NAMES):
            at = middle(row, k)
            cv2.circle(page, at, round(2.2 * PX), 70, 2, cv2.LINE_AA)
            cv2.putText(page, letter, (at[0] - 7, at[1] + 8), FONT, 0.7, 70, 2, cv2.LINE_AA)
    return page


def fill(page: Gray, row: int, k: int, *, level: int = 60, part: float = 0.8) -> None:
    cv2.circle(page, middle(row, k), round(part * 2.2 * PX), level, -1, cv2.LINE_AA)


def tick(page: Gray, row: int, k: int) -> None:
    x, y = middle(row, k)
    points = np.array([(x - 12, y), (x - 4, y + 12), (x + 16, y - 16)])
    cv2.polylines(page, [points], False, 40, 5, cv2.LINE_AA)


def cross_out(page: Gray, row: int, k: int) -> None:
    x, y = middle(row, k)
    for way in (-1, 1):
        cv2.line(page, (x - 28, y - way * 28), (x + 28, y + way * 28), 40, 4, cv2.LINE_AA)


def template(**more: Any) -> Template:
    fields = [
        {
            "name": f"q{row}",
            "kind": "choice",
            "boxes": [list(place(row, k)) for k in range(len(NAMES))],
            "choices": list(NAMES),
            **more,
        }
        for row in range(ROWS)
    ]
    return Template.from_dict(
        {
            "name": "answers",
            "page": {"size": list(SIZE), "unit": "mm"},
            "marks": [[x, y, x + 4, y + 4] for x, y in MARKS],
            "fields": fields,
        }
    )


@cache
def reader() -> Reader:
    return Reader()


def read(page: Gray, **more: Any) -> FormReading:
    noise = np.random.default_rng(1).normal(0, 3, page.shape)
    seen = np.clip(cv2.GaussianBlur(page, (0, 0), 1.0) + noise, 0, 255).astype(np.uint8)
    return reader().read(seen, template=template(**more))


def answered() -> Gray:
    page = sheet()
    for row in range(ROWS):
        fill(page, row, row % 4)
    return page


@pytest.mark.parametrize("marks", ["fill", "any"])
def test_blackened_bubbles_are_accepted(marks: str) -> None:
    form = read(answered(), marks=marks)
    assert [one.text for one in form] == [NAMES[row % 4] for row in range(ROWS)]
    assert {one.status for one in form} == {Status.ACCEPTED}
    assert form["q1"].value == "B"


def test_ticked_bubbles_are_read() -> None:
    page = sheet()
    for row in range(ROWS):
        tick(page, row, (row + 1) % 4)
    form = read(page, marks="any")
    assert [one.text for one in form] == [NAMES[(row + 1) % 4] for row in range(ROWS)]
    assert all(one.confidence > 0.9 for one in form)


def test_a_row_without_a_mark_is_blank_and_one_with_two_is_for_a_person() -> None:
    page = sheet()
    for row in range(2, ROWS):
        fill(page, row, 3)
    fill(page, 1, 0)
    fill(page, 1, 2)
    form = read(page, marks="fill")
    assert (form["q0"].text, form["q0"].status, form["q0"].confidence) == ("", Status.BLANK, 1.0)
    two = form["q1"]
    assert two.status is Status.REVIEW
    assert "more than one is marked: A, C" in two.reason
    assert two.confidence < 0.1
    hidden = read(page, marks="fill", secret=True)["q1"]
    assert "more than one is marked" in hidden.reason
    assert "A, C" not in hidden.reason


def test_what_was_rubbed_out_is_no_second_mark_and_no_sure_blank() -> None:
    page = answered()
    fill(page, 0, 2, level=215)
    form = read(page, marks="fill")
    assert form["q0"].text == "A"
    bare = sheet()
    for row in range(1, ROWS):
        fill(bare, row, row % 4)
    cv2.circle(bare, middle(0, 2), 15, 215, -1)
    cv2.putText(
        bare, "C", (middle(0, 2)[0] - 7, middle(0, 2)[1] + 8), FONT, 0.7, 70, 2, cv2.LINE_AA
    )
    only = read(bare, marks="fill")["q0"]
    assert only.status is Status.REVIEW
    assert only.text == "C"


def test_of_two_marks_the_one_that_is_not_crossed_out_is_the_text() -> None:
    page = answered()
    fill(page, 0, 3)
    cross_out(page, 0, 0)
    one = read(page, marks="fill")["q0"]
    assert (one.text, one.status) == ("D", Status.REVIEW)
    assert "one may be withdrawn: A" in one.reason
    assert 0.5 < one.confidence < 0.9
    fill(page, 0, 1)  # and now nothing tells which of the others stands
    assert read(page, marks="fill")["q0"].confidence < 0.1


def test_a_blackened_bubble_beside_a_ticked_one_was_withdrawn() -> None:
    page = sheet()
    for row in range(ROWS):
        tick(page, row, row % 4)
    fill(page, 0, 2)
    one = read(page, marks="tick")["q0"]
    assert (one.text, one.status) == ("A", Status.REVIEW)


def test_a_page_upside_down_is_turned_by_its_bubbles() -> None:
    page = np.ascontiguousarray(answered()[::-1, ::-1])
    form = read(page, marks="fill")
    assert [one.text for one in form] == [NAMES[row % 4] for row in range(ROWS)]
    assert {one.status for one in form} == {Status.ACCEPTED}


def test_a_page_without_the_bubbles_is_not_the_form() -> None:
    page = np.full((SIZE[1] * PX, SIZE[0] * PX), 250, np.uint8)
    for x, y in MARKS:
        cv2.rectangle(page, (x * PX, y * PX), ((x + 4) * PX, (y + 4) * PX), 20, -1)
    with pytest.raises(TemplateError, match="rows of boxes are where the template has them"):
        read(page, marks="fill")


def test_a_lone_row_is_read_by_its_other_bubbles() -> None:
    page = answered()
    x0, y0, x1, _ = place(2, 0)[0] - 3, place(2, 0)[1] - 3, place(2, 3)[2] + 3, 0
    left, top = round(x0 * PX), round(y0 * PX)
    crop = page[top : round((y0 + 10.4) * PX), left : round(x1 * PX)]
    boxes = [tuple(edge * PX - off for edge, off in zip(place(2, k), (left, top) * 2, strict=True))
             for k in range(4)]  # fmt: skip
    field = Field(name="q", kind="choice", choices=tuple(NAMES), boxes=boxes, marks="fill")
    one = reader().read_field(np.ascontiguousarray(crop), field)
    assert one.text == "C"
    assert reader().match(np.ascontiguousarray(crop), field, "C") > 0.9
    assert reader().match(np.ascontiguousarray(crop), field, "A") < 0.01


def test_a_number_of_bubbles_stands_evenly_from_end_to_end() -> None:
    assert spread((10, 0, 50, 4), 4) == (
        (10, 0, 14, 4), (22, 0, 26, 4), (34, 0, 38, 4), (46, 0, 50, 4),
    )  # fmt: skip
    column = spread((0, 10, 4, 104), 10)
    assert (column[0], column[-1]) == ((0, 10, 4, 14), (0, 100, 4, 104))


def test_a_number_in_columns_of_figures() -> None:
    page = np.full((80 * PX, 100 * PX), 250, np.uint8)
    marks = ((4, 4), (92, 4), (92, 72), (4, 72))
    for x, y in marks:
        cv2.rectangle(page, (x * PX, y * PX), ((x + 4) * PX, (y + 4) * PX), 20, -1)
    said = "30719"
    for k, figure in enumerate(said):
        for j in range(10):
            at = (24 + 8 * k) * PX, (12 + 6 * j) * PX
            cv2.circle(page, at, 2 * PX, 70, 2, cv2.LINE_AA)
            cv2.putText(page, str(j), (at[0] - 7, at[1] + 7), FONT, 0.6, 70, 2, cv2.LINE_AA)
            if j == int(figure):
                cv2.circle(page, at, 14, 60, -1, cv2.LINE_AA)
    form = Template.from_dict(
        {
            "name": "number",
            "page": {"size": [100, 80], "unit": "mm"},
            "marks": [[x, y, x + 4, y + 4] for x, y in marks],
            "fields": [
                {
                    "name": f"d{k}", "kind": "choice", "boxes": 10, "choices": list("0123456789"),
                    "box": [22 + 8 * k, 10, 26 + 8 * k, 68], "marks": "fill",
                }
                for k in range(5)
            ],
        }
    )  # fmt: skip
    told = reader().read(page, template=form)
    assert "".join(one.text for one in told) == said
    assert {one.status for one in told} == {Status.ACCEPTED}


# --- words that are circled ----------------------------------------------------------------------

WORDS = ("Yes", "No")


def word_box(row: int, k: int) -> tuple[float, float, float, float]:
    x, y = 30 + 20 * k, 10 + 12 * row
    return x, y, x + (8 if k == 0 else 6), y + 4


def questions() -> Gray:
    page = np.full((SIZE[1] * PX, SIZE[0] * PX), 250, np.uint8)
    for x, y in MARKS:
        cv2.rectangle(page, (x * PX, y * PX), ((x + 4) * PX, (y + 4) * PX), 20, -1)
    for line in range(3):  # tells which way up the page stands
        text = "Please put a circle around what applies"
        cv2.putText(page, text, (12 * PX, (74 + 4 * line) * PX), FONT, 0.7, 60, 1, cv2.LINE_AA)
    for row in range(5):
        cv2.putText(page, "Question?", (11 * PX, (14 + 12 * row) * PX), FONT, 0.6, 60, 1)
        for k, word in enumerate(WORDS):
            x0, _, _, y1 = word_box(row, k)
            cv2.putText(
                page, word, (round(x0 * PX) + 4, round(y1 * PX) - 4), FONT, 0.9, 60, 2, cv2.LINE_AA
            )
    return page


def test_circled_words_are_told_with_a_blank_reference(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "blank.png"), questions())
    form = Template.from_dict(
        {
            "name": "questions",
            "page": {"size": list(SIZE), "unit": "mm"},
            "marks": [[x, y, x + 4, y + 4] for x, y in MARKS],
            "reference": "blank.png",
            "reference_blank": True,
            "fields": [
                {
                    "name": f"q{row}", "kind": "choice", "choices": list(WORDS), "marks": "circle",
                    "boxes": [list(word_box(row, k)) for k in range(2)],
                }
                for row in range(5)
            ],
        },
        base=tmp_path,
    )  # fmt: skip
    page = questions()

    def at(row: int, k: int) -> tuple[int, int]:
        x0, y0, x1, y1 = word_box(row, k)
        return round((x0 + x1) / 2 * PX), round((y0 + y1) / 2 * PX)

    for row, k in ((0, 0), (1, 1), (3, 0), (3, 1)):
        cv2.ellipse(page, at(row, k), (44, 26), 0, 5, 362, 40, 4, cv2.LINE_AA)
    x, y = at(4, 0)
    cv2.line(page, (x - 42, y + 2), (x + 42, y - 2), 40, 5, cv2.LINE_AA)
    told = reader().read(page, template=form)
    assert [told[f"q{row}"].text for row in (0, 1, 2)] == ["Yes", "No", ""]
    assert [told[f"q{row}"].status for row in (0, 1, 2)] == [
        Status.ACCEPTED, Status.ACCEPTED, Status.BLANK,
    ]  # fmt: skip
    assert "more than one is marked: Yes, No" in told["q3"].reason
    assert told["q3"].status is told["q4"].status is Status.REVIEW  # two; and one struck out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"choices": ["A", "B"]}, "4 boxes and 2 choices"),
        ({"choices": ["A", "A", "B", "C"]}, "give each box a name of its own"),
        ({"kind": "text"}, "boxes are for the kind choice"),
        ({"boxes": None, "marks": "fill"}, "marks are for check boxes"),
        ({"marks": "blob"}, "unknown marks 'blob'"),
        ({"cells": 4}, "is marked, not written"),
        ({"boxes": 0}, "boxes must be 1 or more"),
    ],
)
def test_a_marked_choice_is_checked(more: dict[str, Any], said: str) -> None:
    facts = {"name": "q", "kind": "choice", "boxes": 4, "choices": list(NAMES)} | more
    with pytest.raises(TemplateError, match=said):
        Field(**facts)


def test_names_of_boxes_are_not_read_and_may_hold_any_letter() -> None:
    field = {"name": "q", "kind": "choice", "box": [10, 10, 60, 14], "boxes": 2}
    raw = {"name": "t", "page": {"size": [100, 100]}, "fields": [field | {"choices": ["é", "ß"]}]}
    assert Template.from_dict(raw, thorough=True).fields[0].choices == ("é", "ß")
