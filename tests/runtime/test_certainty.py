"""Where a field is looked for: how sure that is, and that a doubt keeps it from being accepted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from edge_runtime.batch import Templates
from edge_runtime.certainty import Certainty, field_certainty
from edge_runtime.errors import TemplateError
from edge_runtime.imaging import load_page
from edge_runtime.marks import project
from edge_runtime.nudge import Measured, Nudge, fit_spread
from edge_runtime.page_outline import page_outlines
from edge_runtime.reader import Reader
from edge_runtime.refine import settle
from edge_runtime.register import choose, register
from edge_runtime.results import Status
from edge_runtime.template import Template

Gray = NDArray[np.uint8]
EXAMPLES = Path(__file__).parents[2] / "examples"
SIZE = (210.0, 297.0)
MM = 6  # pixels of the drawn pages


@lru_cache(maxsize=4)
def example(name: str, *, marks: bool = True) -> tuple[Gray, Template]:
    told: dict[str, Any] = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))
    if not marks:
        del told["marks"]
    return load_page(EXAMPLES / f"{name}.png").pixels, Template.from_dict(told, source=name)


def form(*, rows: int = 8) -> Template:
    """Marks at the corners and rows of two boxes."""
    marks = [[[x, y], [x + 6, y + 6]] for x, y in ((8, 8), (196, 8), (196, 283), (8, 283))]
    fields: list[dict[str, Any]] = []
    for k in range(rows):
        y = 40 + 26.0 * k
        fields.append({"name": f"left_{k}", "box": [25, y, 95, y + 11]})
        fields.append({"name": f"right_{k}", "box": [110, y, 182, y + 11], "cells": 8})
    return Template.from_dict(
        {"name": "drawn", "page": {"size": SIZE, "unit": "mm"}, "marks": marks, "fields": fields},
        source="drawn",
    )


def drawn(template: Template, *, bare: bool = False, off: dict[str, float] | None = None) -> Gray:
    """The form printed; `bare` without its lines, some boxes `off` to the right by millimetres."""
    page = np.full((round(SIZE[1] * MM), round(SIZE[0] * MM)), 240, np.uint8)
    for x0, y0, x1, y1 in template.marks:
        cv2.rectangle(page, _px(x0, y0), _px(x1, y1), 20, -1)
    for field in () if bare else template.fields:
        assert field.box is not None
        x0, y0, x1, y1 = field.box
        away = (off or {}).get(field.name, 0.0)
        n = field.cells if isinstance(field.cells, int) else 1
        for k in range(n):
            left, right = (x0 + away + (x1 - x0) * at / n for at in (k, k + 1))
            cv2.rectangle(page, _px(left, y0), _px(right, y1), 60, 2)
    return page


def _px(x: float, y: float) -> tuple[int, int]:
    return round(x * MM), round(y * MM)


def doubts(page: Gray, template: Template) -> dict[str, str]:
    found = register(page, template)
    assert len(found.certainty) == len(found.spread_px) == len(template.fields)
    pairs = zip(template.fields, found.certainty, strict=True)
    return {field.name: one.doubt for field, one in pairs if one.doubt}


def test_fields_that_stand_on_their_print_are_sure_of_their_place() -> None:
    template = form()
    found = register(drawn(template), template)
    assert not any(one.doubt for one in found.certainty)
    assert max(found.spread_px) < 0.3 * MM
    assert len(found.to_dict()["spread_px"]) == len(template.fields)


def test_a_field_whose_print_stands_elsewhere_is_in_doubt_and_others_are_not() -> None:
    template = form()
    found = doubts(drawn(template, off={"right_3": 4.0}), template)
    assert set(found) == {"right_3"}
    told = re.search(r"stand ([0-9.]+) mm", found["right_3"])
    assert told is not None
    assert float(told[1]) == pytest.approx(4.0, abs=0.5)


def test_marks_alone_do_not_make_a_place_sure() -> None:
    template = form()
    found = doubts(drawn(template, bare=True), template)
    assert set(found) == {field.name for field in template.fields}
    assert all("placement in doubt" in doubt for doubt in found.values())


def test_a_form_with_marks_most_of_whose_lines_are_lost_is_read_in_doubt() -> None:
    template = form()
    few = replace(template, fields=template.fields[:3])  # the rest is too light for a scanner
    found = register(drawn(few), template)
    assert found.method == "marks"
    assert found.support is not None
    assert 0.1 < found.support < 0.24
    assert all("placement in doubt" in one.doubt for one in found.certainty)


def test_on_a_scan_a_field_moved_far_by_other_fields_lines_is_in_doubt() -> None:
    template, pins = form(), np.empty((0, 2))
    one = settle(drawn(template), template, np.diag([MM, MM, 1.0]), pins=pins, bent=False)
    nudge = Nudge(np.zeros(2), np.array(SIZE), np.full((2, 2, 2), (2.0, 0.0)))
    lost = one.whole[0].copy()
    lost[3] = False  # too few of its upright lines are where they were looked for
    moved = replace(one, nudge=nudge, whole=(lost, one.whole[1]))
    told = field_certainty(template, moved, pins=pins, bent=False)
    assert [k for k, each in enumerate(told) if "moved by 2.0 mm" in each.doubt] == [3]
    level = replace(one, nudge=nudge, whole=(one.whole[0], lost))  # they tell nothing of x
    assert not any(each.doubt for each in field_certainty(template, level, pins=pins, bent=False))


def measured(shifts: Sequence[float], *, x0: float = 20, x1: float = 60) -> Measured:
    n = len(shifts)
    points = np.column_stack([np.linspace(x0, x1, n), np.full(n, 80.0)])
    return Measured(points, np.array(shifts), np.arange(n), np.zeros(n), np.ones(n, bool))


def spread(shifts: Sequence[float], at: tuple[float, float], *, bent: bool) -> float:
    one = measured(shifts)
    pins = np.array([(10.0, 10.0), (200, 10), (200, 287), (10, 287)])
    found = fit_spread(SIZE, one, one, pins=pins, points=np.array([at]), bent=bent)
    return float(np.hypot(*found[0]))


def test_a_place_is_surer_near_what_was_measured_and_on_a_flatter_sheet() -> None:
    flat, bowed = [0.02, -0.02] * 8, [2.5 + 0.02 * k for k in range(16)]
    near, far = (40.0, 82.0), (150.0, 160.0)
    for shifts in (flat, bowed):
        assert spread(shifts, near, bent=True) < 0.25
        assert spread(shifts, far, bent=True) > 2 * spread(shifts, near, bent=True)
    assert spread(bowed, far, bent=True) > 1.5 * spread(flat, far, bent=True)
    assert spread(flat, far, bent=False) < 0.6 * spread(flat, far, bent=True)


def test_what_was_never_measured_is_not_sure() -> None:
    none = Measured.nothing()
    at = np.array([(100.0, 150.0)])
    found = fit_spread(SIZE, none, none, pins=np.empty((0, 2)), points=at, bent=False)
    assert np.hypot(*found[0]) > 2


def test_a_misplaced_field_is_never_accepted(
    tiny_reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, template = example("door-code")
    plain = tiny_reader.read(page, template=template)

    def doubting(*args: Any) -> Any:
        which, found = choose(*args)
        sure, *others = found.certainty
        doubt = Certainty(sure.spread, sure.found, "placement in doubt: moved by a test")
        return which, replace(found, certainty=(sure, *([doubt] * len(others))))

    monkeypatch.setattr("edge_runtime.reader.choose", doubting)
    form = tiny_reader.read(page, template=template)
    for before, after in zip(plain.fields[1:], form.fields[1:], strict=True):
        assert after.status is not Status.ACCEPTED
        assert after.reason.endswith("placement in doubt: moved by a test")
        assert after.text == before.text
    assert form.fields[0] == plain.fields[0]
    assert any(one.status is Status.ACCEPTED for one in plain.fields[1:])  # a check box


def test_the_reader_takes_the_one_of_several_templates_that_is_on_the_page(
    tiny_reader: Reader,
) -> None:
    page, own = example("door-code")
    other = example("medicine-list")[1]
    assert tiny_reader.read(page, template=[other, own]).template == {
        "name": own.name,
        "digest": own.digest,
    }
    with pytest.raises(TemplateError, match="none of the forms given"):
        tiny_reader.read(page, template=[other, form()])
    with pytest.raises(TemplateError, match="no template to choose from"):
        tiny_reader.read(page, template=[])


def test_the_command_line_takes_several_templates_or_the_one_beside(tmp_path: Path) -> None:
    given = [EXAMPLES / f"{name}.yaml" for name in ("door-code", "medicine-list")]
    picture = EXAMPLES / "account-opening.png"
    said: list[str] = []
    several = Templates(given, said.append).of(picture)
    assert isinstance(several, tuple)
    assert [one.name for one in several] == ["door-code", "medicine-list"]
    assert said == []
    for _ in range(2):
        beside = Templates(None, said.append).of(picture)
        assert isinstance(beside, Template)
        assert beside.name == "account-opening"
    assert len(said) == 2
    assert Templates(None, said.append).of(tmp_path / "lone.png") is None


def on_a_desk(page: Gray) -> tuple[Gray, NDArray[np.float64], NDArray[np.float64]]:
    """A page seen aslant on a dark desk, the homography to it, and its corners there."""
    h, w = page.shape
    corners = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32)
    seen = np.array([(0.2, 0.1), (0.8, 0.14), (0.93, 0.9), (0.08, 0.86)]) * (1.1 * w, h)
    to_photo = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    photo = np.random.default_rng(1).normal(70, 6, (h, round(1.1 * w))).clip(0, 255)
    photo = photo.astype(np.uint8)
    cv2.warpPerspective(
        page, to_photo, photo.shape[::-1], dst=photo, borderMode=cv2.BORDER_TRANSPARENT
    )
    return np.asarray(photo, np.uint8), np.asarray(to_photo, np.float64), seen


def test_a_sheet_stands_out_from_its_desk() -> None:
    page = drawn(form())
    photo, _, corners = on_a_desk(page)
    found = page_outlines(photo)
    assert found
    gap = np.hypot(*(found[0][:, None] - corners).transpose(2, 0, 1)).min(axis=0)
    assert gap.max() < 0.004 * max(photo.shape)
    assert page_outlines(np.full((600, 500), 90, np.uint8)) == []


def test_a_form_without_marks_is_found_by_its_sheet() -> None:
    page = drawn(form())
    photo, to_photo, _ = on_a_desk(page)
    told = replace(form(), marks=())
    found = register(photo, told)
    assert found.method == "outline"
    assert not any(one.doubt for one in found.certainty)
    for field in told.fields:
        assert field.box is not None
        x0, y0, x1, y1 = field.box
        want = project(to_photo, MM * np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]))
        assert np.hypot(*(found.corners(field.box) - want).T).max() < 0.5 * MM
