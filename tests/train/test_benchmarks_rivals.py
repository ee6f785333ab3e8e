"""Rivals answer over a pipe, absent ones are named, and who is ahead is told from the counts."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks import rival_worker, rivals
from benchmarks.rivals import OURS, Rival, Row
from edge_runtime import Field, Reader
from edge_runtime.drawn import draw_digits


def test_every_rival_has_an_adapter_and_an_environment() -> None:
    assert set(rivals.RIVALS) == set(rival_worker.ADAPTERS)
    assert {home for home in rivals.RIVALS.values() if home} == set(rivals.PACKAGES)


def test_a_rival_that_is_not_installed_is_named_with_the_command(tmp_path: Path) -> None:
    with Rival("rapidocr-mask", tmp_path) as one:
        assert one.why == "not installed; python -m benchmarks.rivals --install rapidocr"


def test_a_worker_whose_rival_cannot_load_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-P", str(rivals.WORKER), "easyocr"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[0])
    assert done.returncode == 0
    assert "ready" in told or "easyocr" in told["absent"]


@pytest.mark.parametrize(
    ("field", "charset", "skip", "single"),
    [
        (Field("a", "digits"), "0123456789", "-", False),
        (Field("a", "text", charset="abc", cells=1, max_length=1), "abc", "", True),
        (Field("a", "text"), "Az ~", "", False),
    ],
)
def test_rivals_are_told_what_the_reader_is_told(
    field: Field, charset: str, skip: str, single: bool
) -> None:
    told = rivals.question((np.zeros((3, 5), np.uint8), field, "x"))
    assert set(charset) <= set(told["charset"])
    assert set(skip) <= set(told["skip"])
    assert (told["single"], told["shape"]) == (single, [3, 5])
    assert not set(told["charset"]) & set(told["skip"])


def test_marks_that_are_left_out_of_the_text_are_left_out_of_a_rivals() -> None:
    crop = rival_worker.Crop(np.zeros((1, 1), np.uint8), "0123456789.", "-., ", False)
    assert rival_worker._unmarked("-1.234 .-", crop) == "1.234."


def test_a_mask_leaves_the_blank_and_what_is_allowed() -> None:
    seen: list[np.ndarray] = []
    inner = SimpleNamespace(character=["blank", "a", "b", " "])

    class Inner:
        character = inner.character

        def __call__(self, scores: np.ndarray, *args: object) -> str:
            seen.append(scores)
            return "read"

    masked = rival_worker.Masked(Inner())
    masked.allowed = "b"
    assert masked(np.full((1, 2, 4), 0.25, np.float32)) == "read"
    assert seen[0].tolist() == [[[0.25, 0.0, 0.25, 0.0]] * 2]


def test_tesseract_sees_letters_of_the_height_its_manual_asks_for() -> None:
    view = rival_worker._tesseract_view(draw_digits("2075"))
    assert view.shape[0] == 56 + 2 * 12
    assert view.flags.c_contiguous
    assert view[0].min() > 200


def test_engines_read_the_same_crops_and_errors_are_counted() -> None:
    items = [(draw_digits(text), Field("f", "digits"), text) for text in ("2075", "331")]
    asked: list[str] = []

    def read(item: tuple[np.ndarray, Field, str]) -> tuple[str, float]:
        asked.append(item[2])
        return ("2075", 2.0)

    rival = SimpleNamespace(name="other", version="other 1", read=read, many=lambda items: None)
    with Reader() as reader:
        ours, theirs = rivals.compare(reader, [rival], "digits", items)
    assert asked == ["2075", "2075", "331"]  # the first one twice: a warm-up
    assert (ours.engine, ours.n, theirs.engine, theirs.n) == (OURS, 2, "other", 2)
    assert (theirs.exact, theirs.cer, theirs.p50_ms) == (0.5, 4 / 7, 2.0)
    assert ours.batch_ms is not None
    assert theirs.batch_ms is None


def row(engine: str, exact: float, high: float = 0.9, name: str = "words") -> Row:
    return Row(name, engine, f"{engine} 1", 100, exact, exact - 0.1, high, 0.1, 5.0, 6.0)


def test_engines_take_turns_of_a_form() -> None:
    items = [(draw_digits("2075"), Field("f", "digits"), "2075")] * (rivals.TURN + 2)
    order: list[str] = []

    def named(name: str) -> SimpleNamespace:
        def read(item: object) -> tuple[str, float]:
            order.append(name)
            return "2075", 1.0

        return SimpleNamespace(name=name, version=name, read=read, many=lambda items: 66.0)

    with Reader() as reader:
        rows = list(rivals.compare(reader, [named("a"), named("b")], "digits", items))
    assert "".join(order) == "a" * 21 + "b" * 21 + "aabb"  # one of the first turn is a warm-up
    assert [one.n for one in rows] == [22, 22, 22]
    assert [one.batch_ms for one in rows[1:]] == [3.0, 3.0]


def test_speed_is_told_over_all_sets_and_where_it_is_least() -> None:
    rows = [
        replace(row(OURS, 0.8, name="words"), p50_ms=2.0, batch_ms=1.0),
        replace(row(OURS, 0.8, name="text"), p50_ms=8.0, batch_ms=4.0),
        replace(row("rapidocr", 0.6, name="words"), p50_ms=14.0, batch_ms=15.0),
        replace(row("rapidocr", 0.6, name="text"), p50_ms=16.0, batch_ms=6.0),
        replace(row("ddddocr", 0.6, name="text"), p50_ms=1.0),
    ]
    (told,) = rivals.speeds(rows)
    assert told == rivals.Speed("rapidocr", 3.0, 4.0, ("text", 2.0), ("text", 1.5))


@pytest.mark.parametrize(
    ("ours", "theirs", "word"),
    [
        (row(OURS, 0.8), 0.6, "ahead, 0.50 of its errors"),
        (row(OURS, 0.6, 0.7), 0.65, "behind, within"),
        (row(OURS, 0.5, 0.6), 0.8, "behind"),
        (row(OURS, 1.0, 1.0), 1.0, "level"),
    ],
)
def test_where_a_rival_wins_it_is_said(ours: Row, theirs: float, word: str) -> None:
    (told,) = rivals.verdicts([ours, row("weak", 0.1), row("strong", theirs)])
    assert "strong" in told
    assert told.split(": ", 1)[1].split(": ")[1].startswith(word)


def test_the_picture_has_a_panel_for_every_set(tmp_path: Path) -> None:
    rows = [row(engine, 0.5, name=name) for name in ("words", "orand") for engine in (OURS, "b")]
    rivals.plot(rows, tmp_path / "r.png")
    assert cv2.imread(str(tmp_path / "r.png")).shape[1] > 800
