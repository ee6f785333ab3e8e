"""Labels on pictures: they hide no ink, name no other field, and leave each other room."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime.labels import Labels, Place
from edge_runtime.overlay import outline, overlay
from edge_runtime.redact import Rect
from edge_runtime.results import FieldReading, FormReading, Status

Page = NDArray[np.uint8]

INK = 60  # a grey level under this is ink of the pages below
LABEL = (90, 24)


def reading(name: str, text: str, box: Rect, *, kind: str = "text", **rest: bool) -> FieldReading:
    return FieldReading(
        name=name,
        kind=kind,
        text=text,
        value=text,
        confidence=0.9996,
        status=Status.ACCEPTED,
        reason="",
        alternatives=(),
        glyphs=(),
        raw_text=text,
        box=tuple(map(float, box)),
        **rest,
    )


def form(*fields: FieldReading, page: Page) -> FormReading:
    return FormReading(fields, page.shape[1::-1], None, None, {"name": "m", "digest": "d"})


def paper(w: int = 1200, h: int = 1700) -> Page:
    return np.full((h, w, 3), 240, np.uint8)


def write(page: Page, text: str, x: int, y: int) -> None:
    cv2.putText(page, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 20), 3)


def table() -> tuple[Page, tuple[FieldReading, ...]]:
    """A list of medicines: rows and columns without gaps, ink at the left of each field."""
    page, fields = paper(), []
    columns = {"medicine": (170, 650), "strength": (650, 900), "times": (900, 1090)}
    rows = [
        ("Ramipril", "10 mg", "4"), ("Furosemide", "40 mg", "4"), ("Lansoprazole", "30 mg", "2"),
        ("Metoprolol", "95 mg", "2"), ("Paracetamol", "500 mg", "2"),
    ]  # fmt: skip
    for n, row in enumerate(rows):
        y = 600 + 92 * n
        write(page, str(n + 1), 130, y + 70)
        for (name, (x0, x1)), text in zip(columns.items(), row, strict=True):
            write(page, text, x0 + 15, y + 76)
            cv2.rectangle(page, (x0 - 1, y - 1), (x1, y + 92), (120, 120, 120), 2)
            fields.append(reading(f"{name}_{n}", text, (x0, y, x1, y + 92)))
    return page, tuple(fields)


def check_boxes() -> tuple[Page, list[tuple[str, Rect]]]:
    """Questions in rows that are as near each other as on printed questionnaires."""
    page, boxes = paper(1664, 2340), []
    for n in range(12):
        x, y = 930 + 118 * (n % 4), 895 + 70 * (n // 4)
        cv2.rectangle(page, (x, y), (x + 44, y + 44), (0, 0, 0), 2)
        cv2.line(page, (x + 46, y + 22), (x + 116, y + 22), (150, 150, 150), 1)
        boxes.append((f"field_{n}", (x, y, x + 44, y + 44)))
    return page, boxes


def inside(picture: Page, box: Rect) -> Page:
    return picture[box[1] : box[3], box[0] : box[2]]


def whole(one: FieldReading) -> Rect:
    x0, y0, x1, y1 = map(int, one.box)
    return x0, y0, x1, y1


def common(some: Rect, other: Rect) -> int:
    w = min(some[2], other[2]) - max(some[0], other[0])
    h = min(some[3], other[3]) - max(some[1], other[1])
    return max(0, w) * max(0, h)


def apart(some: Rect, other: Rect) -> int:
    return max(
        some[0] - other[2], other[0] - some[2], some[1] - other[3], other[1] - some[3], 0
    )  # fmt: skip


def placed(page: Page, boxes: list[Rect], *, outside: bool = False) -> list[Place]:
    """Labels of one size, and of a smaller one."""
    labels = Labels(page, boxes, outside=[outside] * len(boxes), letter_px=18, line=2)
    return labels.place([[LABEL, (60, 16)]] * len(boxes))


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """Where the labels of the picture that is drawn stand, in the fields' order."""
    seen: list[Place] = []
    real = Labels.place

    def noted(self: Labels, sizes: list[list[tuple[int, int]]]) -> list[Place]:
        seen.extend(real(self, sizes))
        return seen

    monkeypatch.setattr(Labels, "place", noted)
    return seen


def test_in_a_table_labels_cover_no_ink() -> None:
    page, fields = table()
    drawn = overlay(page, form(*fields, page=page))
    for one in fields:
        ink = inside(page, whole(one)) < INK
        assert (inside(drawn, whole(one))[ink] < INK).all(), one.name


def test_in_a_table_no_row_shows_what_another_row_says(places: list[Place]) -> None:
    page, fields = table()
    overlay(page, form(*fields, page=page))
    for n, place in enumerate(places):
        assert not any(common(place.at, whole(one)) for one in fields if one is not fields[n])


def test_print_beside_the_fields_stays_readable() -> None:
    page, fields = table()
    drawn = overlay(page, form(*fields, page=page))
    numbers = (120, 600, 165, 1060)
    assert (inside(drawn, numbers)[inside(page, numbers) < INK] < INK).all()


def test_a_field_amid_others_holds_its_own_label(places: list[Place]) -> None:
    page, fields = table()
    overlay(page, form(*fields, page=page))
    middle = next(n for n, one in enumerate(fields) if one.name == "strength_2")
    assert common(places[middle].at, whole(fields[middle])) == (
        (places[middle].at[2] - places[middle].at[0])
        * (places[middle].at[3] - places[middle].at[1])
    )


def test_a_preview_leaves_every_check_box_free() -> None:
    page, boxes = check_boxes()
    drawn = outline(page, [(name, tuple(map(float, box))) for name, box in boxes])
    for name, box in boxes:
        assert np.array_equal(inside(drawn, box), inside(page, box)), name


def test_a_name_in_a_preview_is_nearest_to_its_own_check_box(places: list[Place]) -> None:
    page, boxes = check_boxes()
    outline(page, [(name, tuple(map(float, box))) for name, box in boxes])
    for n, place in enumerate(places):
        own = apart(place.at, boxes[n][1])
        others = [apart(place.at, box) for m, (_, box) in enumerate(boxes) if m != n]
        assert place.leader is not None or own < min(others)


def test_a_check_box_holds_no_label_even_where_it_is_large(places: list[Place]) -> None:
    page, box = paper(), (300, 300, 420, 420)
    overlay(page, form(reading("agreed", "no", box, kind="checkbox"), page=page))
    assert not common(places[0].at, box)


@settings(deadline=None, max_examples=30)
@given(
    columns=st.integers(1, 6),
    rows=st.integers(1, 12),
    gap=st.integers(0, 40),
    size=st.tuples(st.integers(20, 130), st.integers(20, 60)),
)
def test_labels_stand_on_the_page_and_not_on_each_other(
    columns: int, rows: int, gap: int, size: tuple[int, int]
) -> None:
    page, (w, h) = paper(), size
    corners = [
        (60 + c * (w + gap), 60 + r * (h + gap)) for r in range(rows) for c in range(columns)
    ]
    found = placed(page, [(x, y, x + w, y + h) for x, y in corners])
    for n, one in enumerate(found):
        assert 0 <= one.at[0] < one.at[2] <= 1200
        assert 0 <= one.at[1] < one.at[3] <= 1700
        assert not any(common(one.at, other.at) for other in found[:n])


def test_a_label_takes_smaller_letters_before_it_hides_ink() -> None:
    page, box = paper(), (300, 300, 420, 330)
    for y in (285, 355):  # print above and below, and beside the box only room for a small label
        write(page, "print print print", 200, y)
    write(page, "print", 185, 325)
    write(page, "print", 485, 325)
    page[300:330, 300:420] = 240
    page[302:328:6, 302:418] = 0
    (place,) = placed(page, [box])
    assert place.size == 1
    assert (inside(page, place.at) > INK).all()


def test_a_label_without_room_stands_apart_with_a_leader_to_its_field() -> None:
    page, box = paper(), (500, 500, 700, 530)
    page[400:630:4, 300:900] = 0  # dense print all around, too short lines for rules
    page[:, 300:900:9] = 240
    (place,) = placed(page, [box], outside=True)
    assert (inside(page, place.at) == 240).all()
    assert place.leader is not None
    x0, y0, x1, y1 = place.leader
    assert apart((x0, y0, x0, y0), place.at) == 0
    assert apart((x1, y1, x1, y1), box) == 0


def test_a_leader_is_drawn(places: list[Place]) -> None:
    page, box = paper(), (500, 500, 700, 530)
    page[400:630:4, 300:900] = 0
    page[:, 300:900:9] = 240
    drawn = outline(page, [("a_long_name", tuple(map(float, box)))])
    assert places[0].leader is not None
    x0, y0, x1, y1 = places[0].leader
    assert tuple(drawn[(y0 + y1) // 2, (x0 + x1) // 2]) == (170, 90, 0)


def test_rules_of_the_page_drive_no_label_away_from_its_field() -> None:
    page, box = paper(), (300, 300, 700, 350)
    for y in (286, 362):
        cv2.line(page, (100, y), (1100, y + 5), (0, 0, 0), 2)
    (place,) = placed(page, [box])
    assert place.size == 0
    assert place.leader is None


def test_light_print_on_a_dark_ground_is_not_hidden() -> None:
    page, box = paper(), (300, 300, 700, 350)
    page[240:300, 200:800] = (70, 100, 40)
    cv2.putText(page, "Strength", (310, 285), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
    (place,) = placed(page, [box])
    assert not (inside(page, place.at) == 255).any()


def test_what_a_secret_says_moves_no_label() -> None:
    box = (300, 300, 700, 350)
    pages = [paper(), paper()]
    write(pages[1], "hunter2", 310, 340)
    drawn = [
        overlay(page, form(reading("password", "hunter2", box, secret=True), page=page))
        for page in pages
    ]
    assert np.array_equal(*drawn)


def test_a_doubtful_blank_does_not_look_like_a_sure_one() -> None:
    page = paper()
    plain = replace(reading("name", "", (300, 300, 700, 350)), status=Status.BLANK)
    drawn = [
        overlay(page, form(replace(plain, confidence=sure), page=page)) for sure in (1.0, 0.5, 0.5)
    ]
    assert not np.array_equal(drawn[0], drawn[1])
    assert np.array_equal(drawn[1], drawn[2])


def test_a_picture_is_the_same_every_time() -> None:
    page, fields = table()
    one, other = (overlay(page, form(*fields, page=page)) for _ in range(2))
    assert np.array_equal(one, other)


def test_the_legend_becomes_a_footer_where_print_takes_every_corner() -> None:
    page, fields = paper(), [reading("name", "Anna", (300, 800, 700, 850))]
    for y in (*range(20, 120, 20), *range(1600, 1700, 20)):
        cv2.putText(page, "small print " * 16, (0, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1)
    assert overlay(page, form(*fields, page=page)).shape[0] > page.shape[0]


@pytest.mark.parametrize("size", [(1, 1), (40, 3), (3, 400), (3000, 2), (90, 90)])
def test_a_page_smaller_than_its_labels_is_drawn(size: tuple[int, int]) -> None:
    page = paper(*size)
    boxes = [("a_name", (0.0, 0.0, *map(float, size))), ("another", (-9.0, -9.0, 1.0, 1.0))]
    assert outline(page, boxes, title="a form").shape[1] == size[0]


def test_a_page_without_fields_is_drawn() -> None:
    assert np.array_equal(outline(paper(), []), paper())


@pytest.mark.parametrize("negative", [False, True])
def test_of_a_stroke_that_leaves_a_secret_nothing_can_be_read(negative: bool) -> None:
    """Its tail takes the paper's colour: a grey letter is read as well as a black one."""
    page = paper()
    for row in range(20):  # other writing, by which a negative is known
        write(page, "Printed words of a form", 100, 700 + 40 * row)
    cv2.ellipse(page, (330, 300), (25, 40), 0, 0, 300, (20, 20, 20), 6)  # leaves the box below
    one = reading("secret", "g", (200, 200, 500, 280), secret=True)
    given = 255 - page if negative else page
    shown = cv2.cvtColor(overlay(given, form(one, page=given)), cv2.COLOR_BGR2GRAY)
    tail = shown[300:345, 290:370].astype(int)
    before = cv2.cvtColor(given, cv2.COLOR_BGR2GRAY)[300:345, 290:370].astype(int)
    own = int(np.median(before))
    assert (np.abs(before - own) > 100).mean() > 0.05
    assert (np.abs(tail - own) > 12).mean() < 0.01
