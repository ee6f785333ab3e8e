"""Damaged forms: every damage changes its picture, and what goes unnoticed is counted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import damaged
from benchmarks.copies import COPIES
from benchmarks.damages import DAMAGES
from edge_runtime.errors import TemplateError
from edge_runtime.marks import project

PAGE = np.full((400, 300, 3), 225, np.uint8)
PAGE[100:300:20, 40:260] = 60


@pytest.mark.parametrize("name", [name for name in DAMAGES if name != "none"])
def test_a_damage_changes_part_of_a_page_and_is_the_same_for_the_same_seed(name: str) -> None:
    before = PAGE.copy()
    first, again = (DAMAGES[name](PAGE, 2.0, np.random.default_rng(3)) for _ in range(2))
    assert (before == PAGE).all()
    assert first.shape == PAGE.shape
    assert first.dtype == np.uint8
    assert (first == again).all()
    assert (first != PAGE).any(axis=2).mean() > 0.001


@pytest.mark.parametrize("name", list(COPIES))
def test_a_copy_tells_where_every_point_comes_to_lie(name: str) -> None:
    page = np.full((590, 420, 3), 235, np.uint8)
    page[280:310, 160:260] = 40
    middle = np.array([[210.0, 295.0]])
    (first, matrix), (again, _) = (
        COPIES[name](page, 2.0, np.random.default_rng(3)) for _ in range(2)
    )
    assert np.array_equal(first, again)
    assert first.dtype == np.uint8
    x, y = project(matrix, middle)[0].astype(int)
    away_x, away_y = project(matrix, np.add(middle, (0, 60)))[0].astype(int)
    ink, paper = (
        float(first[b - 2 : b + 3, a - 2 : a + 3].mean()) for a, b in ((x, y), (away_x, away_y))
    )
    assert (ink - paper if name.startswith("inv") else paper - ink) > 40


def reading(text: str, status: str, confidence: float, reason: str = "") -> SimpleNamespace:
    return SimpleNamespace(text=text, status=status, confidence=confidence, reason=reason)


def test_what_goes_unnoticed_is_counted() -> None:
    truth = {"right": "12", "wrong": "4030", "lost": "7", "hidden": "9", "empty": ""}
    found = {
        "right": reading("12", "accepted", 0.999),
        "wrong": reading("40", "accepted", 0.999),
        "lost": reading("", "blank", 1.0),
        "hidden": reading("", "blank", 0.5, "no ink; print hidden: only 0 % ..."),
        "empty": reading("", "blank", 1.0),
    }
    form = damaged.Filled(PAGE, SimpleNamespace(), truth, 2.0, {})  # type: ignore[arg-type]
    tally = damaged.Tally("slip")
    reader: Any = SimpleNamespace(read=lambda picture, template: found)
    told = list(damaged.read(reader, form, tally))
    assert told == ["wrong: '4030' read as '40', 0.9990", "lost: '7' taken for blank, 1.00"]
    assert (tally.fields, tally.exact, tally.accepted) == (5, 2, 2)
    assert (tally.wrong, tally.unsaid, tally.doubted, tally.refused) == (1, 1, 1, 0)


def test_a_page_that_is_refused_loses_nothing() -> None:
    def refuse(picture: object, template: object) -> None:
        raise TemplateError("not that form")

    tally = damaged.Tally("slip")
    form = damaged.Filled(PAGE, SimpleNamespace(), {"a": "1"}, 2.0, {})  # type: ignore[arg-type]
    reader: Any = SimpleNamespace(read=refuse)
    assert not list(damaged.read(reader, form, tally))
    assert (tally.pages, tally.refused, tally.fields) == (1, 1, 0)


def test_a_damage_that_is_not_known_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        damaged.main(["--only", "glare,rain"])
    assert "unknown: rain; there are none, streaks" in capsys.readouterr().err
