"""What the benchmark of proposed templates counts, and the forms that it draws."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks import detect as bench
from benchmarks.detect import Comb, combs_found, drawn_found, proposed, row
from edge_runtime import Reader
from edge_runtime.detect import detect
from train.form_random import draw_random
from train.forms import draw_form


def grey(picture: np.ndarray) -> np.ndarray:
    seen = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return np.ascontiguousarray(seen)


@pytest.mark.parametrize("seed", [3, 8])
def test_the_same_seed_draws_the_same_form(seed: int) -> None:
    one, two = (draw_random(np.random.default_rng(seed), filled=True) for _ in range(2))
    assert np.array_equal(one.picture, two.picture)
    assert one.spots == two.spots
    other = draw_random(np.random.default_rng(seed + 1), filled=True)
    assert other.spots != one.spots


def test_fields_of_a_drawn_form_lie_apart_and_on_the_paper() -> None:
    for seed in range(4):
        form = draw_random(np.random.default_rng(seed), filled=False, scanned=False)
        assert form.spots
        for k, one in enumerate(form.spots):
            x0, y0, x1, y1 = one.box
            assert 0 < x0 < x1 < 210
            assert 0 < y0 < y1 < 297
            for other in form.spots[k + 1 :]:
                a, b, c, d = other.box
                assert min(x1, c) <= max(x0, a) + 0.01 or min(y1, d) <= max(y0, b) + 0.01


def test_most_of_a_drawn_form_is_found_and_nothing_of_another() -> None:
    form = draw_random(np.random.default_rng(12), filled=False)
    found = detect(grey(form.picture))
    hits = [hit for _, hit in drawn_found(form, found)[0]]
    assert sum(hits) >= 0.8 * len(hits)
    other = draw_random(np.random.default_rng(13), filled=False)
    assert sum(hit for _, hit in drawn_found(other, found)[0]) < 0.5 * len(other.spots)


def test_a_comb_counts_only_with_its_number_of_cells(tmp_path: Path) -> None:
    page = np.full((2339, 1654), 245, np.uint8)
    for k in range(10):
        cv2.rectangle(page, (200 + 50 * k, 400), (250 + 50 * k, 460), 60, 2)
    at = (450 / 1654, 430 / 2339)
    found = detect(page)
    assert combs_found(found, page, [Comb("code", at, 10)], "p")[0] == [True]
    right, misses = combs_found(found, page, [Comb("code", at, 9), Comb("off", (0.9, 0.9), 3)], "p")
    assert right == [False, False]
    assert [(miss.wanted, miss.got) for miss in misses] == [("9", "10"), ("3", "0")]
    with Reader() as reader:
        template, names, _ = proposed(page, [Comb("Phone", at, 10)], tmp_path, reader, kinds=True)
    assert names == {"Phone": "field_1"}
    assert template.fields[0].kind == "digits"
    assert template.fields[0].cells == 10


def test_shares_come_with_their_interval() -> None:
    one = row("combs", [True, True, False, True])
    assert (one.n, one.right, one.percent) == (4, 3, 75.0)
    assert one.low < 75 < one.high
    assert row("none", []).n == 0


def test_the_record_holds_rows_and_seeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "detect.json"
    words = ["--data", str(tmp_path), "--seeds", "1", "--first", "12", "--out", str(out)]
    assert bench.main(words) == 0
    facts = json.loads(out.read_text(encoding="utf-8"))
    assert facts["seeds"] == [12, 12]
    assert {one["name"] for one in facts["rows"]} >= {"drawn forms, combs"}
    assert "drawn forms, combs" in capsys.readouterr().out


@pytest.mark.parametrize("seed", [9000, 9014, 9030, 9036])
def test_a_number_in_a_filled_heading_is_no_check_box(seed: int) -> None:
    form = draw_random(np.random.default_rng(seed), filled=seed % 2 == 1)
    picture = form.picture
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    _, stray = drawn_found(form, detect(np.ascontiguousarray(grey)))
    assert [one.box for one in stray if one.kind == "checkbox"] == []


def test_most_round_letters_of_a_line_are_no_check_boxes() -> None:
    drawn = draw_form("door-code", seed=7003)  # "Kofi Underwood", wide and round
    picture = np.asarray(drawn.picture, np.uint8)
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    boxes = [one.box for one in detect(np.ascontiguousarray(grey)).found if one.kind == "checkbox"]
    assert sum(box[2] - box[0] > 30 for box in boxes) == 1  # the form's own
    assert len(boxes) <= 4  # nine letters passed for one before
