"""The prior is a distribution, knows what it was shown, and comes out the same every time."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

pytest.importorskip("torch")

from edge_runtime.prior import Prior, Priors
from edge_runtime.prior_tables import END, START
from train.people import FIRST, FULL, LAST, PLACES, People
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


def only(priors: Priors) -> Prior:
    assert priors.words is not None
    assert not priors.kinds
    return priors.words


def test_words_that_were_shown_are_likelier(tiny_data: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("harbour\nharvest\n" * 20, encoding="utf-8")
    prior = only(build(tiny_data, [words]))
    assert prior.score("harbour") > prior.score("hxrbqur")
    assert prior.score("Noon") > prior.score("Noxn")  # from the train writers' own texts
    assert only(build(tiny_data, [words])).packed == prior.packed


def test_a_missing_list_is_named(
    tiny_data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_HWR_DATA", str(tiny_data))
    assert main(["nowhere.txt"]) == 1
    assert "nowhere.txt" in capsys.readouterr().err


def test_the_prior_knows_the_units_that_forms_ask_for(tiny_data: Path) -> None:
    prior = only(build(tiny_data, []))
    assert prior.score("10 mg") > prior.score("1o mg")
    assert prior.score("500 mg daily") > prior.score("500 rng daily")


PEOPLE = People(
    (
        (FIRST, 2.0, "Gustav"),
        (LAST, 2.0, "Villanueva"),
        (FULL, 1.0, "Gustav Villanueva"),
        ("city", 1.0, "Strazske"),
        *((part, 1.0, "Main Street 5") for part in PLACES[1:]),
    )
)


def test_names_are_known_best_where_names_are_asked_for(tiny_data: Path) -> None:
    priors = build(tiny_data, [], PEOPLE)
    names, words, bare = priors.of("name"), priors.of("text"), only(build(tiny_data, []))
    assert names is not None
    assert words is not None
    assert names.score("Gustav") > names.score("Gustar")
    assert names.score("Gustav") > words.score("Gustav") > bare.score("Gustav")
    assert words.score("Strazske") > names.score("Strazske")  # a place is nobody's name
    assert words.score("10 mg") > names.score("10 mg")


def test_mail_is_expected_to_be_after_names(tiny_data: Path) -> None:
    mail = build(tiny_data, [], PEOPLE).of("email")
    assert mail is not None
    assert mail.score("gustav.villanueva@gmail.com") > mail.score("gustar.villanueva@gmail.com")
    assert mail.score("gustav@hotmail.com") > mail.score("gustav@hotmoil.com")
    assert mail.score("gustav-v@web.de") > mail.score("gustav+v@web.de")
    assert only(build(tiny_data, [])).score("a@b.de") < mail.score("a@b.de")


def test_hyphens_count_as_the_spaces_that_they_are_heard_as() -> None:
    assert count([("Meyer-Grant", 1.0)], 3) == count([("Meyer Grant", 1.0)], 3)


def test_the_command_writes_all(
    tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_HWR_DATA", str(tiny_data))
    PEOPLE.save(tmp_path / "people.tsv")
    out = tmp_path / "priors.bin"
    assert main(["--people", str(tmp_path / "people.tsv"), "--out", str(out)]) == 0
    priors = Priors.from_bytes(out.read_bytes())
    assert set(priors.kinds) == {"name", "email"}
    assert priors.to_bytes() == build(tiny_data, [], PEOPLE).to_bytes()
