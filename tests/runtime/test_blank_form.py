"""A blank form out of filled ones, the reference of a draft, and what a preview shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from edge_runtime import Field, Reader, Template
from edge_runtime.blank_form import FEWEST, BlankForm
from edge_runtime.cli import app
from edge_runtime.errors import TemplateError
from edge_runtime.proposal import without_writing

Gray = NDArray[np.uint8]
PX = 8  # to a millimetre
FONT = cv2.FONT_HERSHEY_SIMPLEX
CORNERS = ((4, 4), (92, 4), (92, 62), (4, 62))
MARKS = [[x, y, x + 4, y + 4] for x, y in CORNERS]
ROWS = (15, 30, 45)


def card() -> Gray:
    """A blank card of 100 x 70 mm with three boxes and a hint in the first."""
    page = np.full((70 * PX, 100 * PX), 250, np.uint8)
    for x, y in CORNERS:
        cv2.rectangle(page, (x * PX, y * PX), ((x + 4) * PX, (y + 4) * PX), 20, -1)
    for y in ROWS:
        cv2.rectangle(page, (12 * PX, y * PX), (88 * PX, (y + 10) * PX), 60, 2)
    cv2.putText(page, "DD / MM / YYYY", (14 * PX, 23 * PX), FONT, 1.6, 140, 3, cv2.LINE_AA)
    return page


def filled(seed: int) -> Gray:
    """Written on at other places each time, scanned a pixel or two off, under other light."""
    rng = np.random.default_rng(seed)
    page = card()
    for y in ROWS:
        x = 16 + int(rng.integers(0, 40))
        text = "".join(chr(int(one)) for one in rng.integers(65, 91, 4))
        cv2.putText(page, text, (x * PX, (y + 8) * PX), FONT, 1.9, 30, 5, cv2.LINE_AA)
    move = np.array([[1, 0.002, rng.normal()], [-0.002, 1, rng.normal()]])
    moved = cv2.warpAffine(page, move, page.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    light = np.linspace(0.75, 1.0, page.shape[1])[None, :]
    return np.clip(moved * light + rng.normal(0, 2, page.shape), 0, 255).astype(np.uint8)


def raw() -> dict[str, Any]:
    return {
        "name": "card",
        "page": {"size": [100, 70], "unit": "mm"},
        "marks": MARKS,
        "fields": [
            {"name": name, "kind": "text", "box": [12, y, 88, y + 10]}
            for name, y in zip(("day", "sum", "place"), ROWS, strict=True)
        ],
    }


def run(*words: Any) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def saved(folder: Path, template: dict[str, Any], name: str = "card.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(template))
    return path


def dark(picture: Gray, *, level: int = 150) -> float:
    """Share of dark pixels within the boxes, their borders and the hint left out."""
    inside = [picture[(y + 1) * PX : (y + 9) * PX, 14 * PX : 86 * PX] for y in ROWS[1:]]
    return float(np.mean([(one < level).mean() for one in inside]))


def test_what_most_pages_have_stays_and_what_one_has_goes() -> None:
    made = BlankForm(Template.from_dict(raw()))
    for seed in range(5):
        made.add(filled(seed))
    blank = made.picture()
    blank = np.asarray(cv2.resize(blank, card().shape[::-1]), np.uint8)
    assert dark(filled(0)) > 0.02
    assert dark(blank) < 0.001
    hint = np.s_[17 * PX : 24 * PX, 13 * PX : 70 * PX]
    printed = card()[hint] < 150
    assert (blank[hint][printed] < 190).mean() > 0.8


def test_too_few_pages_make_no_blank_form() -> None:
    made = BlankForm(Template.from_dict(raw()))
    for seed in range(FEWEST - 1):
        made.add(filled(seed))
    with pytest.raises(TemplateError, match=f"at least {FEWEST}"):
        made.picture()


def test_the_command_makes_a_reference_that_fields_are_read_with(tmp_path: Path) -> None:
    template = saved(tmp_path, raw())
    pages = []
    for seed in range(5):
        pages.append(tmp_path / f"{seed}.png")
        cv2.imwrite(str(pages[-1]), filled(seed))
    other = tmp_path / "other.png"
    cv2.imwrite(str(other), np.full((400, 300), 255, np.uint8))
    out = tmp_path / "blank.png"
    done = run("template", "blank", template, *pages, other, "--output", out)
    assert done.exit_code == 4, done.stderr  # a page is not the form; the others are used
    assert "of 5 pages" in done.stderr
    known = raw() | {"reference": "blank.png", "reference_blank": True}
    with Reader() as reader:
        page = cv2.warpAffine(card(), np.eye(2, 3), card().shape[::-1])
        assert reader.read(page, template=Template.from_dict(raw()))["day"].text != ""
        told = reader.read(page, template=Template.from_dict(known, base=tmp_path))
    assert [one.text for one in told] == ["", "", ""]


def test_the_command_overwrites_no_page(tmp_path: Path) -> None:
    page = tmp_path / "0.png"
    cv2.imwrite(str(page), filled(0))
    before = page.read_bytes()
    done = run("template", "blank", saved(tmp_path, raw()), page, "--output", page)
    assert done.exit_code == 2
    assert page.read_bytes() == before


@pytest.mark.parametrize("written", [True, False])
def test_a_draft_keeps_no_writing_and_says_whether_there_was_any(
    tmp_path: Path, written: bool
) -> None:
    page = tmp_path / "scan.png"
    blank = card()
    blank[17 * PX : 24 * PX, 13 * PX : 70 * PX] = 250  # without the hint
    cv2.imwrite(str(page), filled(3) if written else blank)
    done = run("template", "detect", page, "--output", tmp_path / "form.yaml")
    assert done.exit_code == 0, done.stderr
    told = yaml.safe_load((tmp_path / "form.yaml").read_text())
    assert told.get("reference_blank") == (None if written else True)
    reference = cv2.imread(str(tmp_path / told["reference"]), cv2.IMREAD_GRAYSCALE)
    assert reference is not None
    assert dark(np.asarray(cv2.resize(reference, card().shape[::-1]), np.uint8)) < 0.002


def test_a_draft_keeps_no_marks_of_check_boxes() -> None:
    page = np.full((200, 200), 250, np.uint8)
    fields = [
        Field(name, "checkbox", box=(x, 60, x + 40, 100)) for name, x in (("a", 20), ("b", 120))
    ]
    for x in (20, 120):
        cv2.rectangle(page, (x, 60), (x + 40, 100), 60, 2)
    for ends in (((26, 66), (54, 94)), ((54, 66), (26, 94))):
        cv2.line(page, *ends, 20, 4)
    with Reader() as reader:
        written = reader.written(page, fields)
    assert written == (True, False)
    clean = without_writing(page, fields, written)
    assert (clean[66:94, 26:54] > 200).all()
    assert (clean[58:63, 20:60] < 100).any()  # its sides stay
    assert np.array_equal(clean[:, 100:], page[:, 100:])


def test_a_draft_replaces_no_other_picture(tmp_path: Path) -> None:
    page, other = tmp_path / "scan.png", tmp_path / "form.png"
    cv2.imwrite(str(page), filled(3))
    other.write_bytes(b"a photograph")
    for _ in range(2):  # the second time it replaces its own
        assert run("template", "detect", page, "-o", tmp_path / "form.yaml").exit_code == 0
    assert other.read_bytes() == b"a photograph"
    assert sorted(path.name for path in tmp_path.glob("form*")) == [
        "form.png", "form.reference.png", "form.yaml",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["card.png", "blank.png", "card.yaml"])
def test_a_preview_overwrites_nothing_that_it_was_given(tmp_path: Path, name: str) -> None:
    cv2.imwrite(str(tmp_path / "card.png"), filled(0))
    cv2.imwrite(str(tmp_path / "blank.png"), card())
    template = saved(tmp_path, raw() | {"reference": "blank.png"})
    before = (tmp_path / name).read_bytes()
    done = run("template", "preview", template, tmp_path / "card.png", "-o", tmp_path / name)
    assert done.exit_code == 2
    assert (tmp_path / name).read_bytes() == before


def test_a_preview_hides_secrets(tmp_path: Path) -> None:
    plain = raw()
    plain["fields"][1]["secret"] = True
    cv2.imwrite(str(tmp_path / "page.png"), filled(0))
    out = tmp_path / "out.png"
    done = run("template", "preview", saved(tmp_path, plain), tmp_path / "page.png", "-o", out)
    assert done.exit_code == 0, done.stderr
    shown = cv2.imread(str(out), cv2.IMREAD_GRAYSCALE)
    assert shown is not None
    # Without its border, and without the label, which may stand in it.
    hidden = shown[32 * PX : 38 * PX, 14 * PX : 60 * PX]
    kept = shown[47 * PX : 53 * PX, 14 * PX : 86 * PX]
    assert (hidden < 90).mean() < 0.001
    assert (kept < 90).mean() > 0.01


@pytest.mark.parametrize("turn", [cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE, None])
def test_a_preview_of_a_turned_page_or_a_negative_hides_secrets(
    tmp_path: Path, turn: int | None
) -> None:
    """As of the same page upright: the place of the secret goes with the page."""
    plain = raw()
    plain["fields"][1]["secret"] = True
    page, shown = filled(0), []
    other = 255 - page if turn is None else cv2.rotate(page, turn)
    for name, pixels in (("page", page), ("other", np.asarray(other))):
        cv2.imwrite(str(tmp_path / f"{name}.png"), pixels)
        out = tmp_path / f"{name}.out.png"
        done = run(
            "template", "preview", saved(tmp_path, plain), tmp_path / f"{name}.png", "-o", out
        )
        assert done.exit_code == 0, done.stderr
        shown.append(cv2.imread(str(out), cv2.IMREAD_GRAYSCALE))
    hidden = [one[32 * PX : 38 * PX, 14 * PX : 60 * PX] for one in shown]
    assert np.ptp(hidden[1][4:-4, 4:-4]) < 100
    assert abs(np.median(hidden[1]) - 110) < 4
    assert (np.abs(hidden[0].astype(int) - hidden[1]) > 40).mean() < 0.02
