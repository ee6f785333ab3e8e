"""Photos of a page on a desk, without a template: fields are found on the sheet alone."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from typer.testing import CliRunner

from edge_runtime.cli import app
from edge_runtime.flat_sheet import flat_sheet
from edge_runtime.imaging import load_page
from edge_runtime.marks import project
from edge_runtime.nudge import Nudge
from edge_runtime.reader import Reader
from edge_runtime.register import register
from edge_runtime.results import FormReading
from edge_runtime.template import Template
from edge_runtime.turn import look_at_sheet, turn_matrix, turned

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]
EXAMPLES = Path(__file__).parents[2] / "examples"


@lru_cache(maxsize=2)
def example(name: str) -> tuple[Gray, dict[str, Points]]:
    """The sheet of an example without its rim, and the corners (4, 2) of each of its fields."""
    page, form = (
        load_page(EXAMPLES / f"{name}.png").pixels,
        Template.load(EXAMPLES / f"{name}.yaml"),
    )
    found = register(page, form)
    rim = np.array([26, 26])
    corners = {
        field.name: found.corners(field.box) - rim for field in form.fields if field.box is not None
    }
    return np.ascontiguousarray(page[26:-26, 26:-26]), corners


def on_desk(sheet: Gray, desk: Gray) -> tuple[Gray, Points]:
    """A photo of a sheet on a desk, aslant and ill lit; and the homography to it."""
    h, w = sheet.shape
    high, wide = desk.shape
    lean = cv2.Rodrigues(np.array([0.3, 0.15, 0.0]))[0] @ cv2.Rodrigues(np.array([0, 0, 0.12]))[0]
    corners = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float64)
    centred = (corners - (w / 2, h / 2)) / max(w, h)
    x, y, z = lean[:, :2] @ centred.T
    seen = 0.8 * max(high, wide) * np.stack([x, y], 1) / (z[:, None] + 1.12)
    seen += (0.5 * wide, 0.5 * high)
    to_photo = cv2.getPerspectiveTransform(corners.astype(np.float32), seen.astype(np.float32))
    laid = cv2.warpPerspective(sheet, to_photo, (wide, high), flags=cv2.INTER_AREA)
    cover = cv2.warpPerspective(np.full_like(sheet, 255), to_photo, (wide, high))
    light = np.linspace(0.65, 1.0, wide)[None]
    return (np.where(cover > 127, laid, desk) * light).astype(np.uint8), np.asarray(to_photo)


def tiles(high: int, wide: int) -> Gray:
    """A dark desk full of what would pass for fields: joints, and squares between them."""
    desk = np.full((high, wide), 130, np.uint8)
    for y in range(20, high, 90):
        cv2.line(desk, (0, y), (wide, y), 60, 3)
    for x in range(30, wide, 160):
        cv2.line(desk, (x, 0), (x, high), 60, 3)
        for y in range(50, high, 90):
            cv2.rectangle(desk, (x + 40, y), (x + 64, y + 24), 40, 2)
    noise = np.random.default_rng(0).normal(0, 3, desk.shape)
    return (desk + noise).clip(0, 255).astype(np.uint8)


def over(form: FormReading, points: Points) -> bool:
    x, y = points.mean(axis=0)
    return any(b[0] <= x <= b[2] and b[1] <= y <= b[3] for b in (one.box for one in form))


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_fields_of_a_photo_are_found_on_the_sheet_and_none_on_the_desk(
    tiny_reader: Reader, turn: int
) -> None:
    sheet, fields = example("door-code")
    photo, to_photo = on_desk(sheet, tiles(1300, 1700))
    form = tiny_reader.read(turned(photo, turn))
    assert form.page_size == photo.shape[::-1]  # as it stands upright
    assert form.registration == {"method": "outline", "turned_deg": (360 - turn) % 360}
    for name in ("apartment", "door_code", "valid_until", "parking"):
        corners = project(to_photo, fields[name])
        assert over(form, corners), name
    h, w = sheet.shape
    outline = project(to_photo, np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float64))
    for one in form:
        middle = ((one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2)
        assert cv2.pointPolygonTest(outline.astype(np.float32), middle, False) > 0


def test_rows_of_cells_keep_their_number_in_a_photo(tiny_reader: Reader) -> None:
    sheet, fields = example("account-opening")
    photo, to_photo = on_desk(sheet, tiles(2000, 1700))
    form = tiny_reader.read(photo)
    for name in ("full_name", "date_of_birth", "email", "username", "account_number", "amount"):
        corners = project(to_photo, fields[name])
        low, high = corners.min(axis=0), corners.max(axis=0)
        gaps = [np.abs(np.array(one.box) - [*low, *high]).max() for one in form]
        assert min(gaps) < 14, name  # 2 mm


@pytest.mark.parametrize("name", ["account-opening", "medicine-list", "door-code"])
def test_a_scan_is_its_own_page(name: str) -> None:
    assert flat_sheet(load_page(EXAMPLES / f"{name}.png").pixels) is None


@pytest.mark.parametrize("level", [255, 200])
def test_a_printed_frame_is_no_sheet(level: int) -> None:
    page = np.full((1600, 1200), level, np.uint8)
    cv2.rectangle(page, (150, 250), (1050, 1400), 30, 12)
    cv2.putText(page, "Application", (160, 150), cv2.FONT_HERSHEY_COMPLEX, 2, 40, 3)
    cv2.putText(page, "Name", (200, 400), cv2.FONT_HERSHEY_COMPLEX, 1, 40, 2)
    assert flat_sheet(page) is None
    corners = np.array([(0, 0), (1200, 0), (1200, 1600), (0, 1600)], np.float32)
    aslant = corners + np.array([(-40, 0), (60, -20), (20, 40), (0, 0)], np.float32)
    leaning = cv2.warpPerspective(
        page,
        cv2.getPerspectiveTransform(corners, aslant),
        (1200, 1600),
        borderMode=cv2.BORDER_REPLICATE,
    )
    assert flat_sheet(np.asarray(leaning, np.uint8)) is None


def test_a_white_panel_on_a_tinted_page_is_no_sheet() -> None:
    page = np.full((1600, 1200), 190, np.uint8)
    cv2.rectangle(page, (150, 350), (1050, 1500), 255, -1)
    assert flat_sheet(page) is None


def test_on_a_white_desk_nothing_of_the_sheet_is_cut_off() -> None:
    sheet, _ = example("door-code")
    photo, to_photo = on_desk(sheet, np.full((1300, 1700), 235, np.uint8))
    found = flat_sheet(photo)
    if found is not None:  # a shadow tells its edge, or nothing does
        h, w = found.picture.shape
        seen = project(np.linalg.inv(found.to_photo), project(to_photo, np.array([[20.0, 20.0]])))
        assert (seen > 0).all()
        assert (seen < (w, h)).all()


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (40, 40), (60, 3000), (900, 700)])
def test_empty_pictures_show_no_sheet(shape: tuple[int, int], value: int) -> None:
    assert flat_sheet(np.full(shape, value, np.uint8)) is None


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_sheet_is_turned_by_its_print_whatever_its_size(turn: int) -> None:
    sheet, _ = example("door-code")
    for scale in (0.8, 1.0, 2.0):
        sized = cv2.resize(sheet, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        look = look_at_sheet(turned(np.asarray(sized, np.uint8), turn))
        assert look.turn == (360 - turn) % 360
        assert 2.0 < look.print_high * 148 < 3.2  # mm of a card


def test_a_bend_is_the_same_seen_from_another_plane() -> None:
    rng = np.random.default_rng(2)
    bend = Nudge(np.array([-8.0, -12.0]), np.array([15.4, 23.1]), rng.normal(0, 1, (15, 15, 2)))
    to_own = np.diag([0.5, 0.5, 1.0]) @ turn_matrix((600, 400), 90)
    seen = bend.seen_through(np.asarray(to_own, np.float64), (400, 600))
    nodes = seen.origin + seen.step * np.array([(4, 7), (10, 3)])
    want = bend.moved(project(to_own, nodes))
    assert project(to_own, seen.moved(nodes)) == pytest.approx(want, abs=1e-6)


def test_a_template_is_proposed_of_the_sheet_in_a_photo(tmp_path: Path) -> None:
    sheet, fields = example("door-code")
    photo, _ = on_desk(sheet, tiles(1300, 1700))
    cv2.imwrite(str(tmp_path / "photo.png"), turned(photo, 180))
    out = tmp_path / "card.yaml"
    result = CliRunner().invoke(
        app, ["template", "detect", str(tmp_path / "photo.png"), "-o", str(out)]
    )
    assert result.exit_code == 0, result.output
    assert "a photo" in result.stderr
    told = yaml.safe_load(out.read_text(encoding="utf-8"))
    reference = load_page(tmp_path / told["reference"]).pixels
    h, w = reference.shape
    assert w / h == pytest.approx(sheet.shape[1] / sheet.shape[0], abs=0.15)
    assert told["page"]["size"] == [w, h]
    assert np.percentile(reference, 20) > 180  # paper, and no desk
    assert len(fields) <= len(told["fields"]) <= len(fields) + 4
