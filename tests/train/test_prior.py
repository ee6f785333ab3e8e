"""The prior is a distribution, knows what it was shown, and comes out the same every time."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

pytest.importorskip("torch")

from edge_runtime.prior import Prior
from edge_runtime.prior_tables import END, START
from train.prior import build, count, main, smooth


def test_what_may_follow_a_context_adds_up_to_one() -> None:
    seen, off = smooth(count([("banana", 4.0), ("bandana", 4.0)], 3))
    prior = Prior("p", 3, 1.0, 0.0, b"")
    prior.__dict__["grams"] = (seen, off)  # as counted, before it is rounded to 1/8 nat
    chars = {gram for gram in seen if len(gram) == 1 and gram != START}
    for context in (START + START, START + "b", "an", "na"):
        mass = sum(math.exp(prior.next(context, char)) for char in chars)
        assert 0.9 < mass < 1.1
    assert prior.next("an", "a") > prior.next("an", "b")
    assert END in chars


def test_words_that_were_shown_are_likelier(tiny_data: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("harbour\nharvest\n" * 20, encoding="utf-8")
    prior = build(tiny_data, [words])
    assert prior.score("harbour") > prior.score("hxrbqur")
    assert prior.score("Noon") > prior.score("Noxn")  # from the train writers' own texts
    assert build(tiny_data, [words]).packed == prior.packed


def test_a_missing_list_is_named(
    tiny_data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_HWR_DATA", str(tiny_data))
    assert main(["nowhere.txt"]) == 1
    assert "nowhere.txt" in capsys.readouterr().err


def test_the_prior_knows_the_units_that_forms_ask_for(tiny_data: Path) -> None:
    prior = build(tiny_data, [])
    assert prior.score("10 mg") > prior.score("1o mg")
    assert prior.score("500 mg daily") > prior.score("500 rng daily")
