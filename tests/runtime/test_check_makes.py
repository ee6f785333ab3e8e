"""Check boxes of every make, read with a template: circles, ovals, brackets, print inside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime import Reader, Template
from edge_runtime.bare_boxes import PrintedBox, print_place
from edge_runtime.check_doubts import CIRCLED
from edge_runtime.check_marks import CheckMark, look_at_check
from edge_runtime.preprocess import normalize_ink
from edge_runtime.results import Status

Gray = NDArray[np.uint8]
SIDE, RIM = 44, 22
BOX = (float(RIM), float(RIM), float(RIM + SIDE), float(RIM + SIDE))
MIDDLE = (RIM + SIDE // 2, RIM + SIDE // 2)
FONT = cv2.FONT_HERSHEY_SIMPLEX


def ring(crop: Gray, *, width: int = 2, level: int = 70) -> None:
    cv2.circle(crop, MIDDLE, SIDE // 2 - 1, level, width, cv2.LINE_AA)


def square(crop: Gray) -> None:
    cv2.rectangle(crop, (RIM, RIM), (RIM + SIDE, RIM + SIDE), 70, 2)


def lettered(crop: Gray) -> None:
    ring(crop)
    cv2.putText(crop, "B", (MIDDLE[0] - 10, MIDDLE[1] + 10), FONT, 0.9, 60, 2, cv2.LINE_AA)


def brackets(crop: Gray) -> None:
    for x, way in ((RIM, 1), (RIM + SIDE, -1)):
        ends = [(x + 7 * way, RIM), (x, RIM), (x, RIM + SIDE), (x + 7 * way, RIM + SIDE)]
        cv2.polylines(crop, [np.array(ends)], False, 60, 3)


MARKS: dict[str, list[list[tuple[float, float]]]] = {
    "empty": [],
    "ticked": [[(0.2, 0.5), (0.42, 0.8), (0.9, 0.1)]],
    "crossed": [[(0.1, 0.1), (0.9, 0.9)], [(0.9, 0.1), (0.1, 0.9)]],
    "struck": [[(0.1, 0.1), (0.9, 0.9)], [(0.9, 0.1), (0.1, 0.9)], [(-0.4, 0.5), (1.4, 0.45)]],
    "circled": [
        [(0.5 + 0.8 * float(np.cos(t)), 0.5 + 0.8 * float(np.sin(t))) for t in np.arange(0, 7, 0.2)]
    ],
}


def crop_of(draw: Callable[[Gray], None], mark: str = "empty", *, off: int = 0) -> Gray:
    crop = np.full((SIDE + 2 * RIM, SIDE + 2 * RIM), 240, np.uint8)
    draw(crop)
    for stroke in MARKS[mark]:
        points = np.array([(RIM + x * SIDE, RIM + y * SIDE) for x, y in stroke]).astype(np.int32)
        cv2.polylines(crop, [points], False, 40, 4, cv2.LINE_AA)
    return np.roll(crop, (off, -off), axis=(0, 1))


def look(crop: Gray) -> CheckMark:
    return look_at_check(normalize_ink(crop), BOX)


@pytest.mark.parametrize("width", [1, 2, 6])
@pytest.mark.parametrize("off", [0, 4])
def test_a_circle_of_a_template_is_no_mark(width: int, off: int) -> None:
    def draw(crop: Gray) -> None:
        ring(crop, width=width)

    empty = look(crop_of(draw, off=off))
    assert empty.yes < 0.01
    assert empty.ringed
    for mark in ("ticked", "crossed"):
        seen = look(crop_of(draw, mark, off=off))
        assert seen.yes > 0.85, mark
        assert not seen.doubt


def test_an_oval_is_a_circle_that_was_drawn_out() -> None:
    tall = cv2.resize(crop_of(ring), None, fx=1.5, fy=1)
    box = BOX[0] * 1.5, BOX[1], BOX[2] * 1.5, BOX[3]
    assert look_at_check(normalize_ink(np.asarray(tall, np.uint8)), box).yes < 0.01


def test_a_square_is_no_circle() -> None:
    for mark in MARKS:
        assert not look(crop_of(square, mark)).ringed


@pytest.mark.parametrize("draw", [square, ring])
def test_a_box_with_a_circle_around_it_is_not_accepted_as_empty(
    draw: Callable[[Gray], None],
) -> None:
    circled = look(crop_of(draw, "circled"))
    assert circled.doubt == CIRCLED
    assert 0.5 < circled.yes < 0.9
    assert not look(crop_of(draw)).doubt


def test_lines_of_a_table_around_a_box_are_no_circle() -> None:
    def in_cell(crop: Gray) -> None:
        square(crop)
        for edge in (8, SIDE + 2 * RIM - 9):
            cv2.line(crop, (0, edge), (SIDE + 2 * RIM, edge), 60, 2)
            cv2.line(crop, (edge, 0), (edge, SIDE + 2 * RIM), 60, 2)

    assert not look(crop_of(in_cell)).doubt


@pytest.mark.parametrize("draw", [square, ring])
def test_a_mark_that_is_struck_through_is_not_accepted(draw: Callable[[Gray], None]) -> None:
    struck = look(crop_of(draw, "struck"))
    assert struck.doubt == "struck through" or struck.state == "corrected"
    assert not look(crop_of(draw, "crossed")).doubt


@pytest.mark.parametrize("draw", [ring, lettered, brackets])
def test_what_a_blank_form_prints_in_a_box_is_no_mark(draw: Callable[[Gray], None]) -> None:
    blank = normalize_ink(crop_of(draw))
    place = print_place(blank, BOX)
    assert place is not None
    printed = PrintedBox(blank, place)
    for mark, low, high in (("empty", 0.0, 0.01), ("ticked", 0.9, 1.0), ("crossed", 0.5, 1.0)):
        seen = look_at_check(normalize_ink(crop_of(draw, mark, off=2)), BOX, printed=printed)
        assert low <= seen.yes <= high, mark
        assert not seen.doubt


def test_print_that_is_not_where_the_blank_form_has_it_is_said() -> None:
    blank = normalize_ink(crop_of(brackets))
    printed = PrintedBox(blank, BOX)
    paper = np.full_like(blank, 240)
    seen = look_at_check(normalize_ink(paper), BOX, printed=printed)
    assert seen.doubt == "what the form prints there is not seen"


def test_a_plain_square_is_judged_by_the_page_alone() -> None:
    assert print_place(normalize_ink(crop_of(square)), BOX) is None


# --- whole pages --------------------------------------------------------------------------------

PX = 8  # to a millimetre


def card(letters: str = "") -> Gray:
    """100 x 70 mm: two rows of four circles."""
    page = np.full((70 * PX, 100 * PX), 250, np.uint8)
    for x, y in ((4, 4), (92, 4), (92, 62), (4, 62)):
        cv2.rectangle(page, (x * PX, y * PX), ((x + 4) * PX, (y + 4) * PX), 20, -1)
    cv2.rectangle(page, (12 * PX, 14 * PX), (88 * PX, 22 * PX), 60, 2)
    for k in range(8):
        x, y = (22 + 16 * (k % 4)) * PX, (34 + 14 * (k // 4)) * PX
        cv2.circle(page, (x, y), round(2.4 * PX), 60, 2, cv2.LINE_AA)
        if letters:
            cv2.putText(page, letters[k % 4], (x - 8, y + 9), FONT, 0.8, 60, 2, cv2.LINE_AA)
    return page


def template(folder: Path, blank: Gray | None) -> Template:
    boxes = [(22 + 16 * (k % 4), 34 + 14 * (k // 4)) for k in range(8)]
    raw: dict[str, Any] = {
        "name": "card",
        "page": {"size": [100, 70], "unit": "mm"},
        "marks": [[x, y, x + 4, y + 4] for x, y in ((4, 4), (92, 4), (92, 62), (4, 62))],
        "fields": [{"name": "name", "kind": "text", "box": [12, 14, 88, 22]}]
        + [
            {"name": f"c{k}", "kind": "checkbox", "box": [x - 2.4, y - 2.4, x + 2.4, y + 2.4]}
            for k, (x, y) in enumerate(boxes)
        ],
    }
    if blank is not None:
        cv2.imwrite(str(folder / "blank.png"), blank)
        raw |= {"reference": "blank.png", "reference_blank": True}
    return Template.from_dict(raw, base=folder)


def crossed(page: Gray, k: int) -> Gray:
    x, y, reach = (22 + 16 * (k % 4)) * PX, (34 + 14 * (k // 4)) * PX, round(1.9 * PX)
    for way in (-1, 1):
        ends = (x - reach, y - way * reach), (x + reach, y + way * reach)
        cv2.line(page, *ends, 40, 4, cv2.LINE_AA)
    return page


@pytest.mark.parametrize("with_blank", [False, True])
def test_circles_are_read_with_a_template(tmp_path: Path, with_blank: bool) -> None:
    form = template(tmp_path, card() if with_blank else None)
    read = {one.name: one for one in Reader().read(crossed(card(), 5), template=form).fields}
    for k in range(8):
        assert read[f"c{k}"].text == ("yes" if k == 5 else "no")
        assert k == 5 or read[f"c{k}"].status is Status.ACCEPTED


def test_letters_in_circles_are_told_by_a_blank_reference_or_go_to_review(tmp_path: Path) -> None:
    page = crossed(card("ABCD"), 5)
    without = Reader().read(page, template=template(tmp_path, None)).fields
    assert all(one.status is not Status.ACCEPTED for one in without if one.kind == "checkbox")
    read = Reader().read(page, template=template(tmp_path, card("ABCD"))).fields
    assert [one.text for one in read if one.kind == "checkbox"] == [
        "yes" if k == 5 else "no" for k in range(8)
    ]
