"""Damaged forms: every damage changes its picture, and what goes unnoticed is counted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import damaged
from benchmarks.damages import DAMAGES
from edge_runtime.errors import TemplateError

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
    form = damaged.Filled(PAGE, SimpleNamespace(), truth, 2.0)  # type: ignore[arg-type]
    tally = damaged.Tally("slip")
    reader: Any = SimpleNamespace(read=lambda picture, template: found)
    told = list(damaged.read(reader, form, PAGE, tally))
    assert told == ["wrong: '4030' read as '40', 0.9990", "lost: '7' taken for blank, 1.00"]
    assert (tally.fields, tally.exact, tally.accepted) == (5, 2, 2)
    assert (tally.wrong, tally.unsaid, tally.doubted, tally.refused) == (1, 1, 1, 0)


def test_a_page_that_is_refused_loses_nothing() -> None:
    def refuse(picture: object, template: object) -> None:
        raise TemplateError("not that form")

    tally = damaged.Tally("slip")
    form = damaged.Filled(PAGE, SimpleNamespace(), {"a": "1"}, 2.0)  # type: ignore[arg-type]
    reader: Any = SimpleNamespace(read=refuse)
    assert not list(damaged.read(reader, form, PAGE, tally))
    assert (tally.pages, tally.refused, tally.fields) == (1, 1, 0)


def test_a_damage_that_is_not_known_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        damaged.main(["--only", "glare,rain"])
    assert "unknown: rain; there are none, streaks" in capsys.readouterr().err
