"""Templates proposed from a page. The pages are drawn here."""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from edge_runtime.cli import app
from edge_runtime.detect import Detected, detect
from edge_runtime.frames import squares
from edge_runtime.rulings import Ruling, Sheet
from edge_runtime.template import Template

Gray = NDArray[np.uint8]
MM = 200 / 25.4  # A4 at 200 dpi
SIZE = (round(297 * MM), round(210 * MM))


def blank_page() -> Gray:
    return np.full(SIZE, 245, np.uint8)


def line(page: Gray, x0: float, y0: float, x1: float, y1: float, *, grey: int = 90) -> None:
    ends = [round(edge * MM) for edge in (x0, y0, x1, y1)]
    cv2.line(page, (ends[0], ends[1]), (ends[2], ends[3]), grey, 2)


def frame(page: Gray, x0: float, y0: float, x1: float, y1: float) -> None:
    for a, b, c, d in ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)):
        line(page, a, b, c, d)


def row(page: Gray, x: float, y: float, n: int, *, w: float = 6, h: float = 8) -> None:
    frame(page, x, y, x + n * w, y + h)
    for k in range(1, n):
        line(page, x + k * w, y, x + k * w, y + h)


def comb(page: Gray, x: float, y: float, n: int, *, w: float = 6) -> None:
    line(page, x, y, x + n * w, y)
    for k in range(n + 1):
        line(page, x + k * w, y - 3.5, x + k * w, y)


def write(page: Gray, text: str, x: float, y: float, *, scale: float = 0.9) -> None:
    at = round(x * MM), round(y * MM)
    cv2.putText(page, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, 30, 3, cv2.LINE_AA)


def scrawl(page: Gray, x: float, y: float, letters: int) -> None:
    """Something that a hand may have written: loops and hooks, no two alike."""
    rng = np.random.default_rng(letters)
    x, y = x * MM, y * MM
    for _ in range(letters):
        high, wide = rng.uniform(2, 5) * MM, rng.uniform(1.5, 3.5) * MM
        t = np.linspace(0, rng.uniform(4, 8), 40)
        xs = x + wide * (t / 8 + 0.35 * np.sin(t))
        ys = y + rng.uniform(-5, 5) - high * (0.5 + 0.5 * np.cos(t + rng.uniform(0, 2)))
        cv2.polylines(page, [np.stack([xs, ys], 1).astype(np.int32)], False, 30, 3, cv2.LINE_AA)
        x += 1.3 * wide + 6


def glyphs(page: Gray, text: str, x: float, y: float, *, w: float = 6) -> None:
    """One letter in the middle of each cell."""
    for k, char in enumerate(text):
        (wide, _), _ = cv2.getTextSize(char, cv2.FONT_HERSHEY_SIMPLEX, 1.2, 3)
        write(page, char, x + (k + 0.5) * w - wide / 2 / MM, y, scale=1.2)


def drawn_form() -> Gray:
    page = blank_page()
    write(page, "Application", 20, 25, scale=1.6)
    write(page, "Name and first name", 20, 38, scale=0.55)
    row(page, 20, 40, 16)
    for k in range(5):  # boxes that stand apart
        frame(page, 20 + k * 8, 60, 26.5 + k * 8, 68)
    comb(page, 20, 90, 12)
    frame(page, 20, 100, 110, 110)
    line(page, 120, 109, 185, 109)
    for k in range(3):
        frame(page, 20 + 40 * k, 130, 24.5 + 40 * k, 134.5)
        write(page, "yes", 27 + 40 * k, 134, scale=0.6)
    write(
        page, "Please write clearly, one letter in each box, and sign overleaf.", 20, 150, scale=0.6
    )
    return page


def shown(found: Detected) -> list[tuple[int, str | None]]:
    return [(len(one.cells), one.kind) for one in found.found]


EXPECTED = [
    (16, None), (5, None), (12, None), (0, None), (0, None),
    (0, "checkbox"), (0, "checkbox"), (0, "checkbox"),
]  # fmt: skip


@pytest.mark.parametrize("scale", [0.75, 1.0, 1.5])
def test_boxes_combs_lines_and_check_boxes_are_found_in_reading_order(scale: float) -> None:
    page = cv2.resize(drawn_form(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert shown(detect(np.asarray(page, np.uint8))) == EXPECTED


def test_check_boxes_in_the_cells_of_a_tick_list_are_found() -> None:
    page = blank_page()
    for k in range(5):
        frame(page, 20, 40 + 10 * k, 120, 50 + 10 * k)
        write(page, "Do you smoke", 22, 47 + 10 * k, scale=0.55)
        for x in (120, 140):
            frame(page, x, 40 + 10 * k, x + 20, 50 + 10 * k)
            frame(page, x + 8, 43 + 10 * k, x + 12, 47 + 10 * k)
    ticks = [one for one in detect(page).found if one.kind == "checkbox"]
    assert len(ticks) == 10
    assert all(one.box[2] - one.box[0] < 6 * MM for one in ticks)


def test_a_page_that_is_said_to_be_blank_is_kept_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "scan.png"
    drawn = drawn_form()
    scrawl(drawn, 25, 108, 4)  # print that looks like writing
    cv2.imwrite(str(page), drawn)
    told = {}
    for more in ([], ["--blank"]):
        words = ["template", "detect", str(page), "-o", str(tmp_path / "form.yaml"), *more]
        assert CliRunner().invoke(app, words).exit_code == 0
        text = (tmp_path / "form.yaml").read_text()
        kept = cv2.imread(str(tmp_path / "form.png"), cv2.IMREAD_GRAYSCALE)
        told[bool(more)] = "reference_blank: true" in text, int((kept < 90).sum())
    assert (told[False][0], told[True][0]) == (False, True)
    assert told[True][1] > told[False][1] + 200


@pytest.mark.parametrize("angle", [-2.0, 1.2])
def test_a_leaning_page_is_made_straight(angle: float) -> None:
    h, w = SIZE
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 1.0)
    leaning = cv2.warpAffine(drawn_form(), turn, (w, h), borderValue=(245,))
    found = detect(np.asarray(leaning, np.uint8))
    assert shown(found) == EXPECTED
    first = found.found[0]
    back = np.linalg.inv(found.from_page)
    corner = cv2.perspectiveTransform(np.array([[first.box[:2]]], np.float64), back)[0, 0]
    there = turn @ np.array([20 * MM, 40 * MM, 1.0])
    assert np.hypot(*(corner - there)) < 0.6 * MM


def test_writing_hides_no_field_and_adds_none() -> None:
    page = drawn_form()
    glyphs(page, "ELLEHTIF1B", 20, 46.5)
    glyphs(page, "HEIDI", 20, 66.5, w=8)
    glyphs(page, "BODENSEE", 20, 88)
    scrawl(page, 24, 108, 9)
    scrawl(page, 124, 107.5, 10)
    line(page, 19, 129, 25.5, 135.5, grey=20)
    line(page, 25.5, 129, 19, 135.5, grey=20)
    assert shown(detect(page)) == EXPECTED


def test_a_bilevel_scan_that_lost_the_lower_rail_keeps_the_box() -> None:
    page = blank_page()
    line(page, 20, 40, 160, 40)
    line(page, 20, 40, 20, 48)
    line(page, 160, 40, 160, 48)
    (one,) = detect(np.where(page > 150, 255, 0).astype(np.uint8)).found
    assert one.box[3] == pytest.approx(48 * MM, abs=4)
    assert not one.cells


def test_cells_whose_lines_are_lost_are_counted_by_the_writing_and_said_to_be_a_guess() -> None:
    page = blank_page()
    frame(page, 20, 40, 140, 49)
    glyphs(page, "WAGENINGEN BERG", 20, 47)
    (one,) = detect(page).found
    assert (len(one.cells), one.guessed) == (20, True)


def test_a_box_that_was_scribbled_over_is_found_in_line_with_its_like() -> None:
    page = blank_page()
    for k in range(3):
        for j in range(2):
            frame(page, 100 + 15 * k, 60 + 12 * j, 105 + 15 * k, 65 + 12 * j)
    for k in range(9):
        x0, x1 = (97.5, 107.0) if k % 2 else (106.5, 98.0)
        line(page, 15 + x0, 60 + 0.6 * k, 15 + x1, 60.5 + 0.6 * k, grey=20)
    assert shown(detect(page)) == [(0, "checkbox")] * 6


def test_a_sentence_in_a_box_makes_no_cells() -> None:
    page = blank_page()
    frame(page, 20, 40, 140, 49)
    scrawl(page, 24, 47, 20)
    (one,) = detect(page).found
    assert not one.cells


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (60, 2000), SIZE])
def test_empty_black_and_tiny_pages_hold_nothing(shape: tuple[int, int], value: int) -> None:
    assert detect(np.full(shape, value, np.uint8)).found == ()


def test_noise_does_not_break_it() -> None:
    rng = np.random.default_rng(0)
    for shape in ((200, 300), (48, 900), (900, 60)):
        detect(rng.integers(0, 256, shape).astype(np.uint8))


def stems(n: int) -> Sheet:
    """A sheet with n level and n upright lines, as short as strokes of letters, everywhere."""
    rng = np.random.default_rng(n)
    h, w = SIZE
    level, upright = (
        tuple(
            Ruling(start, start + 1.4 * MM, at, 2.0)
            for start, at in rng.uniform((0, 0), (along - 4 * MM, across - 1), (n, 2)).tolist()
        )
        for along, across in ((w, h), (h, w))
    )
    return Sheet(blank_page(), np.zeros(SIZE, np.uint8), np.eye(3), level, upright)


def test_four_times_the_strokes_take_few_times_as_long() -> None:
    took = []
    for n in (2000, 8000):
        sheet = stems(n)
        began = process_time()
        assert squares(sheet) == []
        took.append(process_time() - began)
    assert took[1] <= 10 * took[0]  # pairs of all with all: 16


def test_no_two_places_share_paper() -> None:
    page = drawn_form()
    line(page, 20, 114, 110, 114)  # an underline right below a box
    boxes = [one.box for one in detect(page).found]
    for k, a in enumerate(boxes):
        for b in boxes[k + 1 :]:
            assert min(a[2], b[2]) - max(a[0], b[0]) <= 1 or min(a[3], b[3]) - max(a[1], b[1]) <= 1


def test_the_command_writes_a_template_and_its_reference(tmp_path: Path) -> None:
    page, out = tmp_path / "scan.png", tmp_path / "form.yaml"
    cv2.imwrite(str(page), drawn_form())
    done = CliRunner().invoke(app, ["template", "detect", str(page), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "3 combs, 1 box, 1 line, 3 check boxes" in done.stderr
    form = Template.load(out)
    assert form.reference == tmp_path / "form.png"
    assert form.reference.is_file()
    assert [one.name for one in form.fields] == [f"field_{k}" for k in range(1, 9)]
    assert form.fields[0].cells == 16
    apart = form.fields[1].cells
    assert isinstance(apart, tuple)
    assert len(apart) == 5


def test_what_is_proposed_passes_the_check_and_reads_the_page(
    tiny_model: Path, tmp_path: Path
) -> None:
    page, out = tmp_path / "scan.png", tmp_path / "form.yaml"
    cv2.imwrite(str(page), drawn_form())
    run = CliRunner().invoke
    assert run(app, ["template", "detect", str(page), "-o", str(out)]).exit_code == 0
    assert run(app, ["template", "check", str(out)]).exit_code == 0
    words = ["read", str(page), "-t", str(out), "--model", str(tiny_model), "-f", "json"]
    done = run(app, words)
    assert done.exit_code == 0, done.output
    (form,) = json.loads(done.stdout) if done.stdout.startswith("[") else [json.loads(done.stdout)]
    assert form["template"]["name"] == "scan"
    assert form["registration"]["method"] == "features"
    assert len(form["fields"]) == len(EXPECTED)


def test_without_output_the_template_goes_to_stdout(tmp_path: Path) -> None:
    page = tmp_path / "scan.png"
    cv2.imwrite(str(page), drawn_form())
    done = CliRunner().invoke(app, ["template", "detect", str(page), "--name", "entry"])
    assert done.exit_code == 0, done.output
    assert "name: entry" in done.stdout
    assert "reference" not in done.stdout
    assert list(tmp_path.iterdir()) == [page]


def test_a_page_without_a_place_to_write_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    page = tmp_path / "scan.png"
    cv2.imwrite(str(page), blank_page())
    done = CliRunner().invoke(app, ["template", "detect", str(page)])
    assert done.exit_code == 4
    assert "write the template by hand" in done.stderr


def test_the_form_itself_is_never_written_over(tmp_path: Path) -> None:
    page = tmp_path / "form.png"
    cv2.imwrite(str(page), drawn_form())
    before = page.read_bytes()
    words = ["template", "detect", str(page), "-o", str(tmp_path / "form.yaml")]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert page.read_bytes() == before
    assert (tmp_path / "form.reference.png").is_file()
