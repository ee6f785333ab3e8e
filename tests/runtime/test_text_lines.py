"""Fields of several lines: told apart, read line by line, joined; one line is read as ever."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime import EdgeHwrError, Field, Reader, Status, Template, TemplateError
from edge_runtime.place import placed_crops, take_lines
from edge_runtime.preprocess import normalize_ink
from edge_runtime.shares import Ink
from edge_runtime.text_lines import lines_apart, split_lines

Gray = NDArray[np.uint8]

LINES = ("Rio Grande", "Hull", "London 42")


def written(
    lines: tuple[str, ...], *, pitch: int = 52, slope: float = 0.0, rules: bool = False
) -> Gray:
    """Lines of a plain hand, black on white."""
    h, w = 30 + pitch * len(lines), 420
    page = np.full((h, w), 255, np.uint8)
    for at, text in enumerate(lines):
        foot = 45 + pitch * at
        cv2.putText(page, text, (20, foot), cv2.FONT_HERSHEY_SIMPLEX, 1.3, 0, 3, cv2.LINE_AA)
        if rules:
            cv2.line(page, (0, foot + 8), (w, foot + 8), 90, 2)
    if slope:
        turn = np.array([[1, 0, 0], [slope, 1, -slope * w / 2 if slope < 0 else 0]], np.float64)
        size = (w, h + round(abs(slope) * w))
        page = np.asarray(cv2.warpAffine(page, turn, size, borderValue=255), np.uint8)
    return page


def ink_of(page: Gray) -> Ink:
    return Ink(normalize_ink(page), (0, 0))


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize("slope", [0.0, 0.06, -0.06])
@pytest.mark.parametrize("rules", [False, True])
def test_lines_are_told_apart(slope: float, rules: bool) -> None:
    for n in (1, 2, 3):
        found = split_lines(ink_of(written(LINES[:n], slope=slope, rules=rules)), 3)
        assert len(found) == n


def test_ink_is_shared_out_whole() -> None:
    whole = ink_of(written(LINES))
    total = np.zeros(whole.pixels.shape, np.uint32)
    for line in split_lines(whole, 3):
        y, high = line.offset[1], len(line.pixels)
        total[y : y + high] += line.pixels
    strokes = whole.pixels >= 90
    assert (total[strokes] == whole.pixels[strokes]).all()


def test_tails_stay_with_their_line() -> None:
    """Lines so near that tails reach among the letters below."""
    first, second = split_lines(ink_of(written(("gyp jpg", "xenon"), pitch=40)), 2)
    foot = first.offset[1] + len(first.pixels)
    assert foot > 45 + 8, "cut off at the line of writing"
    assert not (second.pixels[:3] >= 90).any()


def test_dots_and_accents_make_no_line() -> None:
    for text in ("mimimi", "iijii", "a:b;c", '"no"', "x = y", "%"):
        page = written((text,))
        assert len(split_lines(ink_of(page), 4)) == 1, text
        assert lines_apart(ink_of(page)) == 1, text


def test_every_line_is_read(reader: Reader) -> None:
    one = reader.read_field(written(LINES), Field("f", lines=3))
    assert one.text.split("\n") == list(LINES)
    assert one.value == one.text
    parts = [reader.read_field(written((line,)), Field("f")) for line in LINES]
    assert one.confidence == pytest.approx(np.prod([part.confidence for part in parts]), abs=0.15)
    assert sum(p for _, p in one.alternatives) + one.confidence <= 1 + 1e-6
    assert [p for _, p in one.alternatives] == sorted(
        (p for _, p in one.alternatives), reverse=True
    )
    assert "".join(glyph.char for glyph in one.glyphs).replace(" ", "") == "RioGrandeHullLondon42"
    tops = [glyph.box[1] for glyph in one.glyphs if glyph.char in "RHL"]
    assert tops == sorted(tops)
    assert tops[2] - tops[0] == pytest.approx(104, abs=12)


def test_one_line_is_read_as_without_lines(reader: Reader) -> None:
    page = written(LINES[:1])
    assert reader.read_field(page, Field("f", lines=3)) == reader.read_field(page, Field("f"))


def test_neighbours_in_a_batch_change_nothing(reader: Reader) -> None:
    items = [
        (written(LINES), Field("a", lines=3)),
        (written(LINES[:1]), Field("b")),
        (np.full((90, 300), 255, np.uint8), Field("c", lines=2)),
        (written(LINES[1:]), Field("d", lines=4)),
    ]
    alone = [reader.read_field(crop, field) for crop, field in items]
    assert reader.read_fields(items) == alone
    assert reader.read_fields(items[::-1]) == alone[::-1]
    assert [one.name for one in alone] == ["a", "b", "c", "d"]
    assert alone[2].status is Status.BLANK


def test_more_lines_than_there_is_room_for_are_read_and_said(reader: Reader) -> None:
    one = reader.read_field(written(LINES), Field("f", lines=2))
    assert one.text.count("\n") == 2
    assert one.status is not Status.ACCEPTED
    assert "3 lines of writing in a field of 2" in one.reason


def test_two_lines_in_a_field_of_one_are_never_accepted(reader: Reader) -> None:
    with Reader(accept=0.3) as easy:
        one = easy.read_field(written(LINES[:2]), Field("f"))
        assert one.status is not Status.ACCEPTED
        assert "2 lines of writing" in one.reason
        assert easy.read_field(written(LINES[:1]), Field("f")).status is Status.ACCEPTED


def test_each_line_is_held_to_the_choices(reader: Reader) -> None:
    field = Field("f", "choice", choices=("Hull", "Rio Grande", "Hall"), lines=2)
    one = reader.read_field(written(("Hull", "Rio Grande")), field)
    assert one.text == "Hull\nRio Grande"


def test_secrets_do_not_tell_how_many_lines_they_have(reader: Reader) -> None:
    one = reader.read_field(written(LINES), Field("f", lines=2, secret=True))
    assert "Rio" not in str(one.to_dict()) + repr(one)
    assert "line 1" not in one.reason
    assert "\n" in one.text


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ({"lines": 0}, "lines must be 1 to"),
        ({"lines": 1000}, "lines must be 1 to"),
        ({"lines": "2"}, "whole number"),
        ({"lines": 2, "kind": "date"}, "a date stands on one line"),
        ({"lines": 2, "kind": "checkbox"}, "a checkbox stands on one line"),
        ({"lines": 2, "cells": 8}, "cells and boxes stand in one row"),
    ],
)
def test_faults_say_what_to_do(told: dict[str, object], fault: str) -> None:
    with pytest.raises(TemplateError, match=fault):
        Field("f", **told)  # type: ignore[arg-type]


def test_a_match_is_on_one_line(reader: Reader) -> None:
    with pytest.raises(EdgeHwrError, match="match what stands on one line"):
        reader.match(written(LINES), Field("f", lines=3), "Rio Grande")


def test_a_template_takes_them_and_a_page_is_read_so(reader: Reader) -> None:
    page = np.full((700, 500), 255, np.uint8)
    block = written(LINES)
    h, w = block.shape
    page[200 : 200 + h, 40 : 40 + w] = block
    for x, y in ((10, 10), (470, 10), (470, 670), (10, 670)):
        cv2.rectangle(page, (x, y), (x + 20, y + 20), 0, -1)
    cv2.rectangle(page, (36, 196), (44 + w, 204 + h), 0, 2)
    told = {
        "name": "address",
        "page": {"size": [500, 700], "unit": "px"},
        "marks": [[x, y, x + 20, y + 20] for x, y in ((10, 10), (470, 10), (470, 670), (10, 670))],
        "fields": [{"name": "to", "box": [36, 196, 44 + w, 204 + h], "lines": 3}],
    }
    form = reader.read(page, template=Template.from_dict(told, base=None, source="test"))
    assert form["to"].text == "\n".join(LINES)
    first = form["to"].glyphs[0]
    assert first.char == "R"
    assert first.box[0] == pytest.approx(60, abs=6)
    assert first.box[1] == pytest.approx(217, abs=8)


@pytest.mark.parametrize("times", [8, 16, 40])
@pytest.mark.parametrize("n", [1, 3])
def test_small_writing_in_a_high_box_is_no_speck(reader: Reader, times: int, n: int) -> None:
    tight = written(LINES[:n])
    h, w = tight.shape
    page = np.full((30 * times + h, w), 255, np.uint8)
    page[8 * times : 8 * times + h] = tight
    one = reader.read_field(page, Field("f"))
    assert one.status is not Status.BLANK
    assert one.text.split("\n") == list(LINES[:n])
    if n > 1:
        assert one.status is not Status.ACCEPTED
        assert "3 lines of writing in a field of 1" in one.reason
    assert one.glyphs[0].char == "R"
    assert one.glyphs[0].box[1] == pytest.approx(8 * times + 17, abs=8)


@pytest.mark.parametrize("text", ["7", "42", "1"])
def test_a_figure_alone_in_a_high_box_is_read(reader: Reader, text: str) -> None:
    page = np.full((800, 420), 255, np.uint8)
    page[300:382] = written((text,))
    assert reader.read_field(page, Field("f", "digits")).text == text


def test_a_match_sees_small_writing_in_a_high_box(reader: Reader) -> None:
    for n in (1, 2):
        tight = written(LINES[:n])
        page = np.full((900, tight.shape[1]), 255, np.uint8)
        page[100 : 100 + len(tight)] = tight
        assert reader.match(page, Field("f"), "") == 0.0
        same = reader.match(page, Field("f"), "Rio Grande")
        assert (
            same == pytest.approx(reader.match(tight, Field("f"), "Rio Grande"), abs=0.1) or n == 2
        )
        assert same == 0.0 or n == 1


def test_a_date_on_two_lines_has_no_value(reader: Reader) -> None:
    tight = written(("12.03.2024", "13.03.2024"))
    page = np.full((600, tight.shape[1]), 255, np.uint8)
    page[100 : 100 + len(tight)] = tight
    one = reader.read_field(page, Field("f", "date"))
    assert one.value is None
    assert one.status is not Status.ACCEPTED


def test_dust_in_a_high_box_stays_blank(reader: Reader) -> None:
    rng = np.random.default_rng(2)
    page = np.full((600, 500), 250, np.uint8)
    for x, y in rng.integers(20, 480, (12, 2)).tolist():
        page[y : y + 3, x : x + 3] = 60
    cv2.circle(page, (200, 200), 7, 40, -1)  # a blob of ink
    assert reader.read_field(page, Field("f")).status is Status.BLANK


def test_a_line_in_a_high_box_of_a_page_is_read(reader: Reader) -> None:
    page = np.full((1754, 1240), 255, np.uint8)
    cv2.putText(page, "Rio Grande", (150, 480), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 0, 2, cv2.LINE_AA)
    corners = ((60, 60), (1150, 60), (1150, 1660), (60, 1660))
    for x, y in corners:
        cv2.rectangle(page, (x, y), (x + 30, y + 30), 0, -1)
    cv2.rectangle(page, (120, 400), (1000, 900), 0, 2)
    told = {
        "name": "remarks",
        "page": {"size": [1240, 1754], "unit": "px"},
        "marks": [[x, y, x + 30, y + 30] for x, y in corners],
        "fields": [{"name": "remark", "box": [120, 400, 1000, 900]}],
    }
    form = reader.read(page, template=Template.from_dict(told, base=None, source="test"))
    assert form["remark"].text == "Rio Grande"


def test_a_number_in_a_high_box_keeps_its_kind_and_its_text(reader: Reader) -> None:
    page = np.full((1200, 900), 255, np.uint8)
    cv2.putText(page, "40572", (140, 500), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 0, 2, cv2.LINE_AA)
    field = Field("f", box=(100, 400, 800, 900), lines=3)
    crops = placed_crops(page, [field], np.eye(3))
    ((ink,),) = reader._told(crops, [take_lines(crop, reader.spec) for crop in crops])
    assert ink.filled
    assert reader.tell_kinds(page, [field])[0].kind == ink.field.kind
