"""Photos and turned pages: a form is found in them, and another form is not."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.errors import TemplateError
from edge_runtime.imaging import load_page
from edge_runtime.marks import project
from edge_runtime.nudge import Measured, fit_nudge
from edge_runtime.reader import Reader
from edge_runtime.register import Registration, choose, cut_field, register
from edge_runtime.template import Template
from edge_runtime.turn import turned, upright_turn

Gray = NDArray[np.uint8]
EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("account-opening", "medicine-list", "door-code")


@lru_cache(maxsize=3)
def example(name: str) -> tuple[Gray, Template]:
    page = load_page(EXAMPLES / f"{name}.png").pixels
    return page, Template.load(EXAMPLES / f"{name}.yaml")


def quad(shape: tuple[int, int], tilt: float) -> NDArray[np.float32]:
    """Where a page's corners come to lie on a photo of (h, w)."""
    h, w = shape
    return np.array(
        [(0.16 * w + tilt * w, 0.1 * h), (0.84 * w - tilt * w, 0.13 * h),
         (0.93 * w, 0.9 * h), (0.08 * w, 0.87 * h)], np.float32,
    )  # fmt: skip


def photo(page: Gray, tilt: float) -> tuple[Gray, NDArray[np.float64]]:
    """A page on a dark desk, seen aslant; and the homography from its pixels to the photo's."""
    h, w = page.shape
    shape = (h, round(1.1 * w))
    corners = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32)
    to_photo = cv2.getPerspectiveTransform(corners, quad(shape, tilt))
    rng = np.random.default_rng(1)
    desk = rng.normal(70, 6, shape).clip(0, 255).astype(np.uint8)
    seen = cv2.warpPerspective(page, to_photo, shape[::-1], flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.full_like(page, 255), to_photo, shape[::-1])
    light = np.linspace(0.6, 1.0, shape[1])[None]
    return (np.where(mask > 127, seen, desk) * light).astype(np.uint8), to_photo


def worst_px(
    found: Registration, want: Registration, through: NDArray[np.float64], t: Template
) -> float:
    boxes = [field.box for field in t.fields if field.box is not None]
    return max(
        float(np.hypot(*(found.corners(box) - project(through, want.corners(box))).T).max())
        for box in boxes
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_is_turned_back(name: str, turn: int) -> None:
    page, template = example(name)
    plain = register(page, template)
    found = register(turned(page, turn), template)
    assert plain.turned_deg == 0
    assert found.turned_deg == 360 - turn
    assert worst_px(found, plain, np.eye(3), template) < 1.5


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_found_in_a_slanted_photo(name: str) -> None:
    page, template = example(name)
    seen, to_photo = photo(page, 0.08)
    found = register(turned(seen, 180), template)
    assert found.method == "marks"
    assert found.turned_deg == 180
    assert worst_px(found, register(page, template), to_photo, template) < 5


def test_every_form_is_taken_for_itself_and_for_no_other() -> None:
    templates = [example(name)[1] for name in NAMES]
    for name in NAMES:
        page, own = example(name)
        for template in templates:
            if template is not own:
                with pytest.raises(TemplateError, match="not the form"):
                    register(page, template)
        assert choose(page, templates)[0] is own


def test_a_page_of_none_of_the_forms_names_them_all() -> None:
    page, own = example("door-code")
    others = [example(name)[1] for name in NAMES if name != own.name]
    with pytest.raises(
        TemplateError, match=r"none of the forms.*\n.*account-opening.*\n.*medicine"
    ):
        choose(page, others)


def test_fields_follow_a_sheet_that_a_scanner_stretched() -> None:
    page, template = example("account-opening")
    plain = register(page, template)
    h, w = page.shape
    y = np.arange(h, dtype=np.float32)
    bump = 6 * np.sin(np.pi * np.clip((y - 120) / (h - 240), 0, 1))  # 0.8 mm in the middle
    rows = np.repeat((y - bump)[:, None], w, axis=1)
    columns = np.repeat(np.arange(w, dtype=np.float32)[None], h, axis=0)
    bent = cv2.remap(page, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    found = register(np.asarray(bent, np.uint8), template)
    assert found.nudge is not None
    for field in template.fields:
        assert field.box is not None
        want = plain.corners(field.box)
        want[:, 1] += np.interp(want[:, 1], y, bump)
        assert np.hypot(*(found.corners(field.box) - want).T).max() < 2.2


def test_a_bent_field_is_cut_along_its_bend() -> None:
    size = (210.0, 297.0)
    page = np.full((1188, 840), 240, np.uint8)
    x = np.arange(840)
    bow = np.round(400 + 10 * np.sin(np.pi * x / 840)).astype(int)
    page[bow, x] = page[bow + 1, x] = 20
    points = np.column_stack([np.linspace(0, 210, 60), np.full(60, 100.0)])
    shifts = 2.5 * np.sin(np.pi * points[:, 0] / 210)
    n = len(points)
    plain = (np.arange(n), np.zeros(n), np.ones(n, bool))
    nudge = fit_nudge(
        size, Measured(points[:0], shifts[:0], *(one[:0] for one in plain)),
        Measured(points, shifts, *plain), pins=np.empty((0, 2)),
    )  # fmt: skip
    found = Registration(np.diag([4.0, 4.0, 1.0]), "marks", 0.0, 4, nudge=nudge)
    crop, to_page = cut_field(page, found, (20, 92, 190, 108))
    rows = crop.argmin(axis=0)
    assert np.ptp(rows[5:-5]) <= 2
    middle = project(to_page, np.array([[crop.shape[1] / 2, crop.shape[0] / 2]]))
    assert middle[0] == pytest.approx((420, 410), abs=8)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_print_says_which_way_up_a_page_is(turn: int) -> None:
    page, _ = example("account-opening")
    said = upright_turn(turned(page, turn))
    assert said.turn == (360 - turn) % 360


def test_a_page_without_print_is_left_as_it_is() -> None:
    blank = np.full((900, 700), 240, np.uint8)
    assert upright_turn(blank).turn == 0
    noise = np.random.default_rng(0).integers(0, 256, (900, 700), dtype=np.uint8)
    assert upright_turn(noise).turn == 0


@pytest.mark.parametrize("shape", [(5000, 1), (1, 5000), (20000, 2)])
def test_a_sliver_of_a_page_is_upright(shape: tuple[int, int]) -> None:
    assert upright_turn(np.full(shape, 255, np.uint8)).turn == 0


def test_a_reading_says_how_far_the_page_was_turned(tiny_reader: Reader) -> None:
    page, template = example("door-code")
    plain = tiny_reader.read(page, template=template)
    form = tiny_reader.read(turned(page, 90), template=template)
    assert plain.registration is not None
    assert form.registration is not None
    assert (plain.registration["turned_deg"], form.registration["turned_deg"]) == (0, 270)
    assert form.page_size == plain.page_size == page.shape[::-1]
    for one, other in zip(form, plain, strict=True):
        assert np.abs(np.array(one.box) - other.box).max() < 1.5
    bare = tiny_reader.read(turned(page, 180))
    assert bare.registration == {"method": "print", "turned_deg": 180}
    assert tiny_reader.read(page).registration is None
