"""Fields of PDF forms, taken over as they are. The PDFs are written here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_runtime.acroform import read_acroform
from edge_runtime.cli import app
from edge_runtime.errors import ImageError, TemplateError
from edge_runtime.template import Template

sys.path.insert(0, str(Path(__file__).parent))
from pdf_forms import form_pdf

NAME = "/FT /Tx /T (name) /Rect [20 300 120 320]"
CODE = "/FT /Tx /T (code) /Ff 16777216 /MaxLen 8 /Rect [20 250 180 270]"


def written(folder: Path, data: bytes) -> Path:
    path = folder / "form.pdf"
    path.write_bytes(data)
    return path


def test_every_kind_of_field_is_taken_over(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        form_pdf(
            [
                NAME,
                CODE,
                "/FT /Tx /T (short) /MaxLen 5 /Rect [200 250 280 270]",
                "/FT /Tx /T (pin) /Ff 8192 /Rect [20 200 120 220]",
                "/FT /Btn /T (agree) /Rect [20 150 30 160]",
                "/FT /Ch /T (colour) /Ff 131072 /Opt [(red) (green) (pale blue)]"
                " /Rect [20 100 120 120]",
                "/FT /Ch /T (town) /Ff 393216 /Opt [(Bern) (Rome)] /Rect [150 100 250 120]",
                "/FT /Sig /T (signed) /Rect [20 50 120 80]",
                "/FT /Btn /T (send) /Ff 65536 /Rect [200 50 280 80]",
                "/FT /Tx /T (unseen) /F 2 /Rect [200 10 280 30]",
            ]
        ),
    )
    (page,) = read_acroform(path)
    assert page.size == (300, 400)
    assert page.left_out == ("send", "unseen")
    assert list(page.fields) == [
        {"name": "name", "kind": "text", "box": [20, 80, 120, 100]},
        {"name": "code", "kind": "text", "cells": 8, "box": [20, 130, 180, 150]},
        {"name": "short", "kind": "text", "max_length": 5, "box": [200, 130, 280, 150]},
        {"name": "pin", "kind": "text", "secret": True, "box": [20, 180, 120, 200]},
        {"name": "agree", "kind": "checkbox", "box": [20, 240, 30, 250]},
        {
            "name": "colour", "kind": "choice", "choices": ["red", "green", "pale blue"],
            "box": [20, 280, 120, 300],
        },
        {"name": "town", "kind": "text", "box": [150, 280, 250, 300]},
        {"name": "signed", "kind": "signature", "box": [20, 320, 120, 350]},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("turn", "box", "size"),
    [
        (0, [20, 80, 120, 100], (300, 400)),
        (90, [300, 20, 320, 120], (400, 300)),
        (180, [180, 300, 280, 320], (300, 400)),
        (270, [80, 180, 100, 280], (400, 300)),
    ],
)
def test_a_turned_page_is_taken_as_it_is_shown(
    turn: int, box: list[int], size: tuple[int, int], tmp_path: Path
) -> None:
    (page,) = read_acroform(written(tmp_path, form_pdf([NAME], page=f"/Rotate {turn}")))
    assert page.size == size
    assert page.fields[0]["box"] == box


def test_a_cropped_page_moves_its_fields(tmp_path: Path) -> None:
    cropped = form_pdf([NAME], page="/CropBox [10 50 290 390]")
    (page,) = read_acroform(written(tmp_path, cropped))
    assert page.size == (280, 340)
    assert page.fields[0]["box"] == [10, 70, 110, 90]


def test_cells_of_the_parent_count_and_names_go_from_the_root(tmp_path: Path) -> None:
    kids = ["/Parent 6 0 R /T (code) /Rect [20 250 180 270]"]
    parent = "<< /T (person) /FT /Tx /Ff 16777216 /MaxLen 12 /Kids [5 0 R] >>"
    data = form_pdf(kids, more=[parent]).replace(b"/Fields [5 0 R]", b"/Fields [6 0 R]")
    (page,) = read_acroform(written(tmp_path, data))
    assert page.fields[0]["name"] == "person.code"
    assert page.fields[0]["cells"] == 12


def test_two_widgets_of_one_field_get_two_names(tmp_path: Path) -> None:
    again = NAME.replace("[20 300 120 320]", "[20 10 120 30]")
    (page,) = read_acroform(written(tmp_path, form_pdf([NAME, again])))
    assert [one["name"] for one in page.fields] == ["name", "name_2"]


def test_what_must_be_filled_in_makes_the_rest_optional(tmp_path: Path) -> None:
    must = CODE.replace("/Ff 16777216", "/Ff 16777218")
    (page,) = read_acroform(written(tmp_path, form_pdf([NAME, must])))
    assert [one.get("optional") for one in page.fields] == [True, None]


def test_what_acrobat_formats_as_a_date_is_one(tmp_path: Path) -> None:
    script = '/AA << /F << /S /JavaScript /JS (AFDate_FormatEx\\("dd.mm.yyyy"\\);) >> >>'
    (page,) = read_acroform(written(tmp_path, form_pdf([f"{NAME} {script}"])))
    assert page.fields[0]["kind"] == "date"


def test_a_pdf_without_fields_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="no form fields"):
        read_acroform(written(tmp_path, form_pdf([])))
    with pytest.raises(ImageError):
        read_acroform(written(tmp_path, b"%PDF-1.7 no more"))
    with pytest.raises(ImageError, match="not a PDF"):
        read_acroform(written(tmp_path, b"\x89PNG\r\n\x1a\n"))
    with pytest.raises(ImageError, match=r"none\.pdf: no such file"):
        read_acroform(tmp_path / "none.pdf")


def test_the_command_writes_a_template_that_loads(tmp_path: Path) -> None:
    path, out = written(tmp_path, form_pdf([NAME, CODE])), tmp_path / "form.yaml"
    done = CliRunner().invoke(app, ["template", "from-pdf", str(path), "-o", str(out)])
    assert done.exit_code == 0, done.output
    form = Template.load(out)
    assert [(one.name, one.box, one.cells) for one in form.fields] == [
        ("name", (20, 80, 120, 100), None),
        ("code", (20, 130, 180, 150), 8),
    ]
    assert form.page_size == (300, 400)
    assert form.unit == "pt"
    assert form.reference == path


@pytest.mark.parametrize(("data", "told"), [(None, "no such file"), (b"GIF89a", "not a PDF")])
def test_the_command_says_what_is_no_pdf(data: bytes | None, told: str, tmp_path: Path) -> None:
    path = tmp_path / "form.pdf"
    if data is not None:
        path.write_bytes(data)
    done = CliRunner().invoke(app, ["template", "from-pdf", str(path)])
    assert done.exit_code == 3
    assert f"{path}: {told}" in done.stderr
    assert "password" not in done.stderr


def test_a_field_up_to_the_edge_of_a_page_lies_on_it(tmp_path: Path) -> None:
    """A4 is 595.276 points wide, which rounds up."""
    edge = "/FT /Tx /T (edge) /Rect [400 350 595.276 370]"
    thin = "/FT /Tx /T (thin) /Rect [20 300 20.002 320]"
    data = form_pdf([edge, thin]).replace(b"[0 0 300 400]", b"[0 0 595.276 841.89]")
    out = tmp_path / "form.yaml"
    done = CliRunner().invoke(
        app, ["template", "from-pdf", str(written(tmp_path, data)), "-o", str(out)]
    )
    assert done.exit_code == 0, done.stderr
    assert "left out: thin" in done.stderr
    (field,) = Template.load(out).fields
    assert field.box is not None
    assert field.box[2] <= 595.276


@pytest.mark.parametrize("name", ["a\x7fb", "a\x85b", "a\u2028b", "a\ufffeb", "a\U0001f58bb"])
def test_names_of_odd_characters_are_written_as_they_are(name: str, tmp_path: Path) -> None:
    spelled = "feff" + name.encode("utf-16-be").hex()
    path = written(tmp_path, form_pdf([f"/FT /Tx /T <{spelled}> /Rect [20 300 120 320]"]))
    out = tmp_path / "form.yaml"
    done = CliRunner().invoke(app, ["template", "from-pdf", str(path), "-o", str(out)])
    assert done.exit_code == 0, done.stderr
    assert [one.name for one in Template.load(out).fields] == [
        read_acroform(path)[0].fields[0]["name"]
    ]
