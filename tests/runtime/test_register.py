"""A form is found on its page to the pixel, and what is not that form is refused with evidence."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.errors import TemplateError
from edge_runtime.imaging import load_page
from edge_runtime.marks import project
from edge_runtime.register import Registration, cut_field, register
from edge_runtime.template import Template

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]

SIZE = (210.0, 297.0)  # mm
MARKS = ((12, 12, 17, 17), (193, 12, 198, 17), (193, 280, 198, 285), (12, 280, 17, 285))
BOX = (30.0, 100.0, 90.0, 108.0)
GRID = np.array([(x, y) for x in (5, 60, 105, 205) for y in (5, 80, 200, 292)], np.float64)
HALF = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])


def template(*, marks: bool = True, reference: Path | None = None, **keys: Any) -> Template:
    raw: dict[str, Any] = {"name": "card", "page": {"size": SIZE, "unit": "mm"}}
    raw["fields"] = [{"name": "total", "box": BOX}]
    if marks:
        raw["marks"] = MARKS
    if reference is not None:
        raw["reference"] = str(reference)
    return Template.from_dict(raw | keys)


@lru_cache(maxsize=2)
def draw(*, marks: bool = True) -> Gray:
    """The form, print and rules and all, larger than it is scanned."""
    per_mm = 12.0
    page = np.full((round(SIZE[1] * per_mm), round(SIZE[0] * per_mm)), 245, np.uint8)

    def px(*values: float) -> list[int]:
        return [round(value * per_mm) for value in values]

    if marks:
        for x0, y0, x1, y1 in (px(*mark) for mark in MARKS):
            page[y0:y1, x0:x1] = 20
    rng = np.random.default_rng(3)
    words = [
        "Name",
        "Date",
        "of",
        "birth",
        "Account",
        "number",
        "Amount",
        "due",
        "Signature",
        "Street",
        "Phone",
        "Total",
    ]
    for row in range(24):
        y = 30 + 10 * row
        x, y_px = px(22 + 4 * rng.random(), y)
        text = " ".join(rng.choice(words, 5)) + f" {row}{rng.integers(1000)}"
        scale = per_mm * (0.08 + 0.04 * rng.random())
        cv2.putText(page, text, (x, y_px), cv2.FONT_HERSHEY_SIMPLEX, scale, 60, 4, cv2.LINE_AA)
        cv2.line(page, px(20, y + 3), px(190, y + 3), 90, max(1, round(per_mm / 4)))
    x0, y0, x1, y1 = px(*BOX)
    cv2.rectangle(page, (x0, y0), (x1, y1), 40, max(1, round(per_mm / 4)))
    return page


def blank(path: Path, *, marks: bool = False) -> Path:
    """A reference picture of the form at 150 dpi."""
    small = cv2.resize(draw(marks=marks), (1240, 1754), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), small)
    return path


def scan(
    form: Gray, *, dpi: float, skew: float = 0, shift: tuple[float, float] = (0, 0), tilt: float = 0
) -> tuple[Gray, Matrix]:
    """A page as a scanner gives it, and the true homography from mm to its pixels."""
    per_mm = dpi / 25.4
    w, h = round(SIZE[0] * per_mm), round(SIZE[1] * per_mm)
    angle = np.radians(skew)
    room = np.cos(angle) + abs(np.sin(angle)) * h / w if skew else 1.0
    cos, sin = np.cos(angle) * per_mm / room, np.sin(angle) * per_mm / room
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [tilt * 1e-5, -tilt * 2e-5, 1]])
    to_page = np.array([[1, 0, w / 2 + shift[0]], [0, 1, h / 2 + shift[1]], [0, 0, 1]]) @ turn
    to_page = to_page @ np.array([[1, 0, -SIZE[0] / 2], [0, 1, -SIZE[1] / 2], [0, 0, 1]])
    of_form = np.diag([SIZE[0] / form.shape[1], SIZE[1] / form.shape[0], 1])
    move = np.linalg.inv(HALF) @ to_page @ of_form @ HALF
    shrink = form.shape[1] / w
    soft = cv2.GaussianBlur(form, (0, 0), 0.5 * max(1.0, shrink))
    page = cv2.warpPerspective(soft, move, (w, h), flags=cv2.INTER_LINEAR, borderValue=250)
    rng = np.random.default_rng(5)
    light = np.linspace(0.75, 1, w)[None] * np.linspace(1, 0.9, h)[:, None]
    noisy = page * light + rng.normal(0, 5, page.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), to_page


def error_px(found: Registration, truth: Matrix) -> float:
    return float(np.hypot(*(project(found.homography, GRID) - project(truth, GRID)).T).max())


@pytest.mark.parametrize("skew", [-10, -3, 0, 1.5, 10])
@pytest.mark.parametrize("dpi", [75, 100, 150, 300])
def test_marks_register_to_the_pixel(dpi: float, skew: float) -> None:
    page, truth = scan(draw(), dpi=dpi, skew=skew, shift=(3.3, -2.6))
    found = register(page, template())
    assert found.method == "marks"
    assert found.inliers == 4
    assert error_px(found, truth) < 1
    assert found.residual_px < 1


def test_marks_register_at_600_dpi_and_in_perspective() -> None:
    page, truth = scan(draw(), dpi=600, skew=2)
    assert error_px(register(page, template()), truth) < 1
    page, truth = scan(draw(), dpi=150, skew=2, tilt=6)
    assert error_px(register(page, template()), truth) < 1


def test_a_torn_mark_and_a_black_border_do_no_harm() -> None:
    page, truth = scan(draw(), dpi=150, skew=1)
    x, y = project(truth, np.array([(12.0, 12.0)]))[0].astype(int)
    page[: y + 20, : x - 1] = 0  # the scanner's lid reaches the mark
    x, y = project(truth, np.array([(195.5, 282.5)]))[0].astype(int)
    cv2.line(page, (x - 16, y + 4), (x + 3, y + 7), 255, 3)
    assert error_px(register(page, template()), truth) < 1.5


def test_a_missing_mark_is_named() -> None:
    page, truth = scan(draw(), dpi=150)
    x, y = project(truth, np.array([(195.5, 282.5)]))[0].astype(int)
    page[y - 25 : y + 25, x - 25 : x + 25] = 240
    with pytest.raises(TemplateError, match=r"3 of 4 marks found; none at \[193"):
        register(page, template())


@pytest.mark.parametrize("dpi", [100, 150, 300])
@pytest.mark.parametrize("skew", [-8, 0, 4])
def test_a_reference_registers_to_the_pixel(dpi: float, skew: float, tmp_path: Path) -> None:
    path = blank(tmp_path / "blank.png")
    page, truth = scan(draw(marks=False), dpi=dpi, skew=skew, tilt=2)
    cv2.putText(page, "1234", (page.shape[1] // 3, page.shape[0] // 3), 4, dpi / 60, 30, 3)
    found = register(page, template(marks=False, reference=path))
    assert found.method == "features"
    assert found.inliers >= 40
    assert error_px(found, truth) < 1


def test_where_marks_fail_the_reference_helps(tmp_path: Path) -> None:
    path = blank(tmp_path / "blank.png", marks=True)
    page, truth = scan(draw(marks=False), dpi=150)
    found = register(page, template(reference=path))
    assert found.method == "features"
    assert error_px(found, truth) < 1


def test_a_reference_that_changed_is_read_again(tmp_path: Path) -> None:
    path = blank(tmp_path / "blank.png")
    form = template(marks=False, reference=path)
    page, _ = scan(draw(marks=False), dpi=100)
    register(page, form)
    path.write_bytes(b"no picture any more")
    with pytest.raises(TemplateError, match=r"reference .*blank\.png"):
        register(page, form)
    cv2.imwrite(str(path), draw()[:900])
    with pytest.raises(TemplateError, match="proportions"):
        register(page, form)
    path.unlink()
    with pytest.raises(TemplateError, match="gone"):
        register(page, form)


def test_without_marks_the_picture_is_the_page() -> None:
    page, truth = scan(draw(marks=False), dpi=100)
    found = register(page, template(marks=False))
    assert found.method == "page"
    assert error_px(found, truth) < 1
    with pytest.raises(TemplateError, match="proportions"):
        register(np.ascontiguousarray(page[:, :700]), template(marks=False))


def empties() -> list[Gray]:
    sheets = [np.full((1754, 1240), level, np.uint8) for level in (255, 0, 128)]
    grain = np.clip(np.random.default_rng(0).normal(250, 2, (1754, 1240)), 0, 255).astype(np.uint8)
    return [*sheets, grain, np.zeros((1, 1), np.uint8), np.full((1, 5000), 255, np.uint8)]


@pytest.mark.parametrize("page", empties())
@pytest.mark.parametrize("way", ["marks", "features", "page"])
def test_an_empty_page_is_refused(page: Gray, way: str, tmp_path: Path) -> None:
    path = blank(tmp_path / "blank.png")
    form = template(marks=way == "marks", reference=path if way == "features" else None)
    with pytest.raises(TemplateError, match=r"not the form 'card': .*(empty|small).*; "):
        register(page, form)


def test_another_form_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    letter = np.full((1754, 1240), 240, np.uint8)
    for y in range(100, 1650, 40):
        word = "".join(rng.choice(list("abcdefghij klmnop"), 40))
        cv2.putText(letter, word, (100, y), cv2.FONT_HERSHEY_DUPLEX, 1, 30, 2)
    noise = rng.integers(0, 256, (1754, 1240), dtype=np.uint8)
    path = blank(tmp_path / "blank.png")
    for page in (letter, noise):
        for form in (template(), template(marks=False, reference=path)):
            with pytest.raises(TemplateError, match=r"not the form 'card': .*; scan"):
                register(page, form)


def test_a_straight_box_is_cut_from_the_pages_own_pixels() -> None:
    page = np.random.default_rng(2).integers(0, 256, (2970, 2100), dtype=np.uint8)
    found = Registration(np.diag([10.0, 10.0, 1.0]), "page", 0.0, 0)
    crop, to_page = cut_field(page, found, BOX)
    assert np.array_equal(crop, page[1000:1080, 300:900])
    assert to_page[:2, 2].tolist() == [300, 1000]
    padded, to_page = cut_field(page, found, BOX, pad=1)
    assert np.array_equal(padded, page[990:1090, 290:910])
    assert found.to_page(BOX) == pytest.approx((300, 1000, 900, 1080))


def test_a_skewed_box_comes_upright_and_its_pixels_know_their_place() -> None:
    page, truth = scan(draw(), dpi=150, skew=7)
    crop, to_page = cut_field(page, Registration(truth, "marks", 0.0, 4), BOX, pad=2)
    straight, flat = scan(draw(), dpi=150)
    want, _ = cut_field(straight, Registration(flat, "marks", 0.0, 4), BOX, pad=2)
    like = cv2.resize(want, crop.shape[::-1])
    assert np.corrcoef(crop.ravel(), like.ravel())[0, 1] > 0.8
    h, w = crop.shape
    corners = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float64)
    box = np.array([(28, 98), (92, 98), (92, 110), (28, 110)], np.float64)
    assert np.abs(project(to_page, corners) - project(truth, box)).max() < 0.01


@pytest.mark.parametrize("skew", [0, 7])
def test_a_crop_finer_than_is_read_is_shrunk_and_knows_its_place(skew: float) -> None:
    page, truth = scan(draw(), dpi=300, skew=skew)
    found = Registration(truth, "marks", 0.0, 4)
    fine, to_page = cut_field(page, found, BOX, pad=2)
    for high_px in (100, 20):
        small, there = cut_field(page, found, BOX, pad=2, high_px=high_px)
        shrink = max(0.6, high_px / fine.shape[0])
        assert np.abs(np.array(small.shape) - shrink * np.array(fine.shape)).max() <= 1.5
        like = cv2.resize(fine, small.shape[::-1], interpolation=cv2.INTER_AREA)
        assert np.corrcoef(small.ravel(), like.ravel())[0, 1] > 0.95
        ends = np.array([(0, 0), small.shape[::-1]], np.float64)
        home = project(to_page, np.array([(0, 0), fine.shape[::-1]], np.float64))
        assert np.abs(project(there, ends) - home).max() < 2.5
    same, _ = cut_field(page, found, BOX, pad=2, high_px=round(0.9 * fine.shape[0]))
    assert np.array_equal(same, fine)


def test_boxes_at_the_edge_are_cut_and_those_beyond_refused() -> None:
    page = np.full((297, 210), 200, np.uint8)
    for skew in (0.0, 0.2):
        homography = np.array([[1, -skew, 0], [skew, 1, 0], [0, 0, 1.0]])
        found = Registration(homography, "page", 0.0, 0)
        assert min(cut_field(page, found, (200, 10, 230, 20))[0].shape) >= 1
        assert min(cut_field(page, found, (50, 50, 50.01, 50.01))[0].shape) == 1
        assert min(cut_field(page, found, (150, 180, 200, 330), high_px=72)[0].shape) >= 1
        with pytest.raises(TemplateError, match="outside the page"):
            cut_field(page, found, (400, 10, 430, 20))


def test_registration_is_told_in_plain_values() -> None:
    told = Registration(np.eye(3), "marks", 0.12345, 4, 90, None, 0.98765, (0.456, None)).to_dict()
    assert json.dumps(told) == (
        '{"method": "marks", "residual_px": 0.123, "inliers": 4, "turned_deg": 90, '
        '"support": 0.988, "field_px": [0.46, null]}'
    )


@pytest.fixture
def c1() -> Path:
    folder = Path(os.environ.get("EDGE_HWR_DATA", "data")) / "dev" / "c1"
    if not folder.is_dir():
        pytest.skip(f"no C1 scans at {folder}; set EDGE_HWR_DATA")
    return folder


def test_all_c1_scans_register_by_their_marks(c1: Path) -> None:
    """Truth was measured by another program; on some scans it strays (1.3, 1) px from the ink."""
    geometry = json.loads((c1 / "geometry.json").read_text())
    truths = json.loads((c1 / "truth.json").read_text())
    side, corners = geometry["corner_square_side_px"] / 2, ("TL", "TR", "BR", "BL")
    centres = np.array([geometry["corner_square_centres"][c] for c in corners]) + 0.5
    form = Template.from_dict(
        {
            "name": "c1",
            "page": {"size": geometry["canonical_size"], "unit": "px"},
            "marks": [[x - side, y - side, x + side, y + side] for x, y in centres],
            "fields": [{"name": "suara_01", "box": [1018, 281, 1164, 367], "cells": 3}],
        }
    )
    assert len(truths) == 13
    for name, truth in truths.items():
        found = register(load_page(c1 / "images" / f"{name}.jpg").pixels, form)
        want = np.array([truth["geometry"]["corner_squares_found"][c] for c in corners]) + 0.5
        assert found.method == "marks"
        assert np.hypot(*(project(found.homography, centres) - want).T).max() < 2.5
