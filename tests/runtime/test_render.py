"""Tables, CSV, JSON and pictures: what is shown, and that secrets are not."""

from __future__ import annotations

import copy
import csv
import io
import json
import pickle
import pprint
import re
import traceback
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import TypeAdapter, create_model
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from edge_runtime import render
from edge_runtime.overlay import COLORS, of_viewing_size, outline, overlay
from edge_runtime.redact import cut, hide_secrets
from edge_runtime.results import MASK, Alternative, FieldReading, FormReading, Glyph, Status

SECRET = "hunter2"
INK_BOX = (60.0, 200.0, 360.0, 240.0)


def reading(name: str = "name", text: str = "Anna", **rest: Any) -> FieldReading:
    values: dict[str, Any] = {
        "kind": "text",
        "value": text,
        "confidence": 0.9996,
        "status": Status.ACCEPTED,
        "reason": "",
        "alternatives": (Alternative("Anno", 0.01),),
        "glyphs": (Glyph("A", 0.9, (1, 2, 3, 4)),),
        "raw_text": text,
        "box": (60.0, 100.0, 360.0, 140.0),
    }
    return FieldReading(name=name, text=text, **(values | rest))


def form(*fields: FieldReading, size: tuple[int, int] = (500, 700)) -> FormReading:
    return FormReading(fields, size, None, None, {"name": "m", "digest": "d"})


def secret_form() -> FormReading:
    return form(reading(), reading("password", SECRET, secret=True, box=INK_BOX))


def paper(w: int = 500, h: int = 700) -> NDArray[np.uint8]:
    return np.full((h, w, 3), 240, np.uint8)


def printed(what: FormReading, **options: Any) -> str:
    text = io.StringIO()
    Console(file=text, width=120).print(render.table(what, **options))
    return text.getvalue()


def rgb(status: Status) -> NDArray[np.uint8]:
    return np.array(COLORS[status][::-1], np.uint8)


def test_no_name_gives_orders_to_the_terminal() -> None:
    """A file's name comes from its sender, a field's from the template's author."""
    orders = "a\x1b]0;title\x07\x1b[2Jb\x9bc\u202ed"
    shown = printed(form(reading(orders)), title=orders)
    assert not set("\x1b\x07\x9b\u202e") & set(shown)
    assert shown.count(r"\x1b") == 4
    assert render.harmless("größe\n\t日本") == "größe\n\t日本"


def test_a_table_shows_field_text_confidence_status_and_reason() -> None:
    doubtful = reading("total", "12,5O", status=Status.REVIEW, confidence=0.5, reason="O or 0")
    for word in ("total", "12,5O", "50.0 %", "review", "O or 0"):
        assert word in printed(form(doubtful))


def test_text_that_looks_like_markup_is_shown_as_written() -> None:
    assert "[bold]x[/]" in printed(form(reading(text="[bold]x[/]")))


def test_only_certainty_is_called_100_percent() -> None:
    assert render.percent(0.99999) == "99.9 %"
    assert render.percent(1.0) == "100.0 %"


@pytest.mark.parametrize("kind", list(render.Format))
def test_every_format_masks_a_secret_and_reveals_it_on_demand(kind: render.Format) -> None:
    shown, revealed = io.StringIO(), io.StringIO()
    for stream, reveal in ((shown, False), (revealed, True)):
        writer = render.Writer(stream, kind, many=False, reveal=reveal)
        writer.add(secret_form(), file="a.png")
        writer.close()
    assert SECRET not in shown.getvalue()
    assert MASK in shown.getvalue()
    assert SECRET in revealed.getvalue()


def csv_row(*fields: FieldReading, file: str = "") -> dict[str, str]:
    text = render.to_csv(render.rows(form(*fields), file=file))
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert tuple(row) == render.COLUMNS
    return row


def as_read(shown: str) -> str:
    """What the README says: of quotes before a formula, or before a tab or a line's end that
    begins a cell, one goes."""
    formula = r"(^|[;\t\r\n])'(?=[\s']*[-=+@\uff1d\uff0b\uff0d\uff20]|'*[\t\r\n])"
    return re.sub(formula, r"\1", shown)


def test_printers_loggers_and_tracebacks_mask_a_secret() -> None:
    def failing(whole: FormReading, one: FieldReading) -> None:
        raise ValueError(str(one))

    whole = secret_form()
    try:
        failing(whole, whole["password"])
    except ValueError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        shown = io.StringIO()
        screen = Console(file=shown, width=200)
        screen.print(Traceback(show_locals=True), whole, whole["password"])
        shown.writelines(told.format())
    for one in (whole, whole["password"]):
        shown.write(pprint.pformat([one], width=20) + f"{one}" + pretty_repr(one, max_width=20))
        shown.write(json.dumps([one], default=str))
        with pytest.raises(TypeError):
            vars(one)
        with pytest.raises(TypeError):
            json.dumps(one)
    assert MASK in shown.getvalue()
    assert SECRET not in shown.getvalue()


def test_pydantic_writes_readings_as_to_dict_does() -> None:
    whole = secret_form()
    around = create_model("Around", form=(FormReading, ...), one=(FieldReading, ...))
    held = around(form=whole, one=whole["password"])
    assert SECRET not in held.model_dump_json() + repr(held)
    assert held.model_dump()["form"] == whole.to_dict()
    assert TypeAdapter(FieldReading).dump_python(whole["name"]) == whole["name"].to_dict()
    assert TypeAdapter(FormReading).json_schema(mode="serialization")["type"] == "object"


def test_what_goes_by_the_fields_has_the_plain_text_and_says_that_it_is_secret() -> None:
    secret = secret_form()["password"]
    assert asdict(secret)["text"] == SECRET
    assert asdict(secret)["secret"] is True
    there = pickle.loads(pickle.dumps(secret))
    assert there == secret == copy.deepcopy(secret)
    assert SECRET not in repr(there)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20))
def test_csv_gives_back_the_text_that_went_in(text: str) -> None:
    row = csv_row(reading(text=text))
    assert as_read(row["text"]) == text
    assert row["box"] == "60 100 360 140"


@given(st.text("=+-@;', \t\r\n15.A\uff1d"))
def test_no_cell_of_csv_is_a_formula_however_it_is_cut_into_cells(text: str) -> None:
    shown = csv_row(reading(text=text))["text"]
    assert as_read(shown) == text
    number = re.compile(r"[+-]\d+(?:[ .,]\d+)*")
    for cell in re.split(r"[;\t\r\n]", shown):
        assert number.fullmatch(cell) or cell.lstrip()[:1] not in tuple("=+-@\uff1d")


@pytest.mark.parametrize(
    "text",
    ["=1+2", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "\r=1", " =1", "+49-171-1234", "-A1",
     "\uff1d1+2"],
)  # fmt: skip
def test_csv_quotes_what_a_spreadsheet_would_compute_in_every_column(text: str) -> None:
    one = reading(text, text, kind=text, value=text, reason=text)
    row = csv_row(one, file=text)
    for column in ("file", "field", "kind", "text", "value", "reason"):
        assert row[column][0] == "'"
        assert as_read(row[column]) == text
    assert one.to_dict()["text"] == text


@pytest.mark.parametrize(
    "text", ["-5.00", "-1,234.50", "+49 171 1234", "-3", "a=b", "x-1", "it's", "'quoted'", "*"]
)
def test_csv_leaves_numbers_and_other_texts_as_they_are(text: str) -> None:
    assert csv_row(reading(text=text))["text"] == text


def test_csv_of_a_text_with_other_separators_holds_no_formula_behind_them() -> None:
    assert csv_row(reading(text="x;=1+2;-5;y"))["text"] == "x;'=1+2;-5;y"


def test_csv_writes_truth_values_as_json_does() -> None:
    box = reading("married", "yes", kind="checkbox", value=True)
    assert ",yes,true,0.9996," in render.to_csv(form(box))


def test_csv_of_several_pages_has_one_header() -> None:
    stream = io.StringIO()
    writer = render.Writer(stream, render.Format.CSV, many=True)
    for page in (1, 2):
        writer.add(form(reading()), file="a.pdf", page=page)
    writer.close()
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert [row["page"] for row in rows] == ["1", "2"]


@pytest.mark.parametrize(("many", "pages"), [(False, 1), (False, 2), (True, 0), (True, 1)])
def test_json_is_an_object_for_one_page_and_a_list_for_many(many: bool, pages: int) -> None:
    stream = io.StringIO()
    writer = render.Writer(stream, render.Format.JSON, many=many)
    for page in range(pages):
        writer.add(form(reading()), file="a.pdf", page=page + 1)
    writer.close()
    shown = json.loads(stream.getvalue())
    if many or pages > 1:
        assert len(shown) == pages
    else:
        assert shown["fields"][0]["text"] == "Anna"


def test_json_of_one_file_that_failed_is_nothing() -> None:
    stream = io.StringIO()
    render.Writer(stream, render.Format.JSON, many=False).close()
    assert stream.getvalue() == ""


@pytest.mark.parametrize("status", list(Status))
def test_overlay_frames_a_field_in_the_colour_of_its_status(status: Status) -> None:
    drawn = overlay(paper(), form(reading(status=status)))
    frame = drawn[95:146, 55:366].reshape(-1, 3)
    assert (frame == rgb(status)).all(axis=1).sum() > 100


@pytest.mark.parametrize("size", [(827, 1169), (2480, 3508), (900, 560), (200, 60), (3, 2)])
def test_overlay_leaves_the_page_as_it_is_and_keeps_its_width(size: tuple[int, int]) -> None:
    page, (w, h) = paper(*size), size
    box = (w * 0.1, h * 0.3, w * 0.8, h * 0.6)
    before = page.copy()
    drawn = overlay(page, form(reading(box=box), size=size))
    assert np.array_equal(page, before)
    assert drawn.shape[1] == w
    assert drawn.shape[0] >= h
    assert drawn.dtype == np.uint8


def test_overlay_takes_a_grey_page_and_a_box_off_the_page() -> None:
    drawn = overlay(paper()[:, :, 0], form(reading(box=(-50.0, 650.0, 900.0, 1200.0))))
    assert drawn.shape[2] == 3


def test_overlay_hides_no_ink_of_any_field() -> None:
    page, boxes = paper(), [(60.0, 100.0 + 50 * n, 360.0, 130.0 + 50 * n) for n in range(11)]
    drawn = overlay(page, form(*(reading(f"f{n}", box=box) for n, box in enumerate(boxes))))
    for x0, y0, x1, y1 in (tuple(map(int, box)) for box in boxes):
        assert (drawn[y0:y1, x0:x1] == 240).all()


def test_the_legend_becomes_a_footer_where_fields_take_every_corner() -> None:
    full = overlay(paper(), form(reading(box=(0.0, 0.0, 500.0, 700.0))))
    assert full.shape[0] > 700
    assert overlay(paper(), form(reading())).shape[0] == 700


def page_with_a_secret() -> NDArray[np.uint8]:
    page = paper()
    x0, _, _, y1 = map(int, INK_BOX)
    cv2.putText(page, SECRET, (x0 + 5, y1 - 8), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (20, 20, 20), 2)
    cv2.line(page, (x0 + 30, y1 - 10), (x0 + 25, y1 + 30), (20, 20, 20), 3)  # a tail below the box
    return page


def test_the_ink_of_a_secret_is_painted_over_with_its_tails() -> None:
    drawn = overlay(page_with_a_secret(), secret_form())
    assert (hide_secrets(page_with_a_secret(), secret_form()) > 60).all()
    assert (drawn[200:240, 60:360] > 60).all()


def test_reveal_leaves_the_ink_of_a_secret() -> None:
    drawn = overlay(page_with_a_secret(), secret_form(), reveal=True)
    assert (drawn[200:240, 60:360] < 60).any()


def test_a_field_over_a_secret_does_not_bring_it_back() -> None:
    both = form(reading(box=INK_BOX), reading("pin", SECRET, secret=True, box=INK_BOX))
    assert (hide_secrets(page_with_a_secret(), both)[200:240, 60:360] > 60).all()


def test_hiding_without_secrets_changes_nothing() -> None:
    assert np.array_equal(hide_secrets(page_with_a_secret(), form(reading())), page_with_a_secret())


def test_cut_gives_the_fields_pixels_or_none_off_the_page() -> None:
    found = cut(paper(), reading(box=(10.2, 20.0, 29.8, 40.0)))
    assert found is not None
    assert found.shape == (20, 20, 3)
    assert cut(paper(), reading(box=(900.0, 900.0, 950.0, 950.0))) is None


def test_outline_draws_boxes_that_were_not_read() -> None:
    drawn = outline(paper(), [("total", (60.0, 100.0, 360.0, 140.0))], title="a form")
    assert not np.array_equal(drawn, paper())


def test_a_huge_page_is_drawn_smaller_and_its_boxes_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page, one = paper(), form(reading())
    assert of_viewing_size(page, one)[0] is page
    monkeypatch.setattr("edge_runtime.overlay._MOST_PX", 500 * 700 / 4)
    small, placed = of_viewing_size(page, one)
    assert small.shape[:2] == (350, 250)
    assert placed["name"].box == pytest.approx((30, 50, 180, 70))
    assert overlay(small, placed).shape[1] == 250
