"""What a form prints inside its fields is no ink: a reference tells it from writing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.place import FieldCrop, take_ink, template_crops
from edge_runtime.preprocess import normalize_ink
from edge_runtime.reader import Reader
from edge_runtime.reference_print import without_print
from edge_runtime.register import choose
from edge_runtime.results import Status
from edge_runtime.template import Template

Gray = NDArray[np.uint8]
PX = 8  # to a millimetre
FONT = cv2.FONT_HERSHEY_SIMPLEX


def form(*, hints: bool = True) -> Gray:
    """A card of 100 x 70 mm: a date with tall hints, a sum with small print, an empty box."""
    page = np.full((70 * PX, 100 * PX), 250, np.uint8)
    for x, y in ((4, 4), (92, 4), (92, 62), (4, 62)):
        cv2.rectangle(page, (x * PX, y * PX), ((x + 4) * PX, (y + 4) * PX), 20, -1)
    for y in (15, 30, 45):
        cv2.rectangle(page, (12 * PX, y * PX), (88 * PX, (y + 10) * PX), 60, 2)
    if hints:
        cv2.putText(page, "DD / MM / YYYY", (14 * PX, 23 * PX), FONT, 1.6, 140, 3, cv2.LINE_AA)
        cv2.putText(page, "(in words)", (68 * PX, 39 * PX), FONT, 0.6, 60, 2, cv2.LINE_AA)
    return page


def written(page: Gray, text: str, y: int) -> Gray:
    out = page.copy()
    cv2.putText(out, text, (16 * PX, (y + 8) * PX), FONT, 1.9, 30, 5, cv2.LINE_AA)
    return out


def scanned(page: Gray) -> Gray:
    """Darker, noisy, and a pixel off."""
    rng = np.random.default_rng(5)
    moved = cv2.warpAffine(page, np.array([[1, 0.002, 1.3], [-0.002, 1, -0.8]]), page.shape[::-1],
                           borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    noisy = 0.9 * moved + rng.normal(0, 3, page.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def template(folder: Path, reference: Gray | None, *, blank: bool | None = None) -> Template:
    raw: dict[str, Any] = {
        "name": "card",
        "page": {"size": [100, 70], "unit": "mm"},
        "marks": [[x, y, x + 4, y + 4] for x, y in ((4, 4), (92, 4), (92, 62), (4, 62))],
        "fields": [
            {"name": name, "kind": kind, "box": [12, y, 88, y + 10]}
            for name, kind, y in (("day", "text", 15), ("sum", "text", 30), ("place", "text", 45))
        ],
    }
    if reference is not None:
        cv2.imwrite(str(folder / "form.png"), reference)
        raw["reference"] = "form.png"
    if blank is not None:
        raw["reference_blank"] = blank
    return Template.from_dict(raw, base=folder)


def crops(page: Gray, of: Template) -> dict[str, FieldCrop]:
    _, found = choose(page, (of,))
    return {crop.field.name: crop for crop in template_crops(page, of, found)}


def test_hints_of_a_blank_reference_go_and_writing_over_them_stays(tmp_path: Path) -> None:
    page = scanned(written(form(), "12 7", 15))
    day = crops(page, template(tmp_path, form(), blank=True))["day"]
    assert day.printed is not None
    ink = normalize_ink(day.pixels)
    bare = without_print(ink, day.printed)
    clean = normalize_ink(crops(scanned(written(form(hints=False), "12 7", 15)),
                                template(tmp_path, None))["day"].pixels)  # fmt: skip
    pen, hint = clean >= 128, (ink >= 60) & (cv2.dilate(clean, np.ones((9, 9))) < 40)
    assert hint.sum() > 500
    assert (bare[hint] >= 60).mean() < 0.05
    assert (bare[pen] >= 60).mean() > 0.95


def test_a_field_with_hints_alone_is_blank(tmp_path: Path) -> None:
    page = scanned(form())
    with Reader() as reader:
        told = reader.read(page, template=template(tmp_path, form(), blank=True))
        assert [one.status for one in told] == [Status.BLANK] * 3
        untold = reader.read(page, template=template(tmp_path, None))
        assert untold["day"].text != ""


def test_a_reference_that_may_be_filled_takes_nothing_out(tmp_path: Path) -> None:
    """Its own page is read as well, where the writing is the very same and as small as print."""
    filled = form(hints=False)
    cv2.putText(filled, "300", (16 * PX, 52 * PX), FONT, 0.9, 30, 3, cv2.LINE_AA)
    of = template(tmp_path, filled)
    assert all(one.printed is None for one in crops(scanned(filled), of).values())
    with Reader() as reader:
        assert reader.read(scanned(filled), template=of)["place"].text == "300"


def test_what_the_page_does_not_show_is_not_taken_out(tmp_path: Path) -> None:
    page = scanned(written(form(hints=False), "12 7", 15))
    day = crops(page, template(tmp_path, form(), blank=True))["day"]
    assert day.printed is not None
    ink = normalize_ink(day.pixels)
    kept = without_print(ink, day.printed)
    assert (kept[ink >= 128] >= 60).mean() > 0.9


def test_fields_without_print_are_left_as_they_are(tmp_path: Path) -> None:
    page = scanned(written(form(), "Bonn", 45))
    told, untold = template(tmp_path, form(), blank=True), template(tmp_path, None)
    place = crops(page, told)["place"]
    assert place.printed is None
    with Reader() as reader:
        inks = [take_ink(replace(crop, doubt=""), reader.spec).inks[0].pixels
                for crop in (place, crops(page, untold)["place"])]  # fmt: skip
    assert np.array_equal(*inks)


@pytest.mark.parametrize("printed", [np.zeros((40, 90), np.uint8), np.full((40, 90), 30, np.uint8)])
def test_no_print_changes_nothing(printed: Gray) -> None:
    ink = np.random.default_rng(1).integers(0, 256, (40, 90), dtype=np.uint8)
    assert without_print(ink, printed) is ink


def test_a_changed_reference_is_looked_at_anew(tmp_path: Path) -> None:
    page = scanned(written(form(), "12 7", 15))
    of = template(tmp_path, form(hints=False), blank=True)
    assert crops(page, of)["day"].printed is None
    cv2.imwrite(str(tmp_path / "form.png"), form())
    assert crops(page, of)["day"].printed is not None
