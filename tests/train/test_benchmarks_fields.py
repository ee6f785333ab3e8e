"""Fields are cut where they are, scored as their set says, and read against the right texts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

from benchmarks import fields
from edge_runtime import FieldReading, Status

_UNITS = ["", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan"]


def _spelled(number: int) -> str:
    if number == 0:
        return "nol"
    hundreds, rest = divmod(number, 100)
    words = [["", "seratus"][hundreds] if hundreds < 2 else f"{_UNITS[hundreds]} ratus"]
    if rest in (10, 11):
        words.append("sepuluh" if rest == 10 else "sebelas")
    elif 11 < rest < 20:
        words.append(f"{_UNITS[rest - 10]} belas")
    else:
        tens, unit = divmod(rest, 10)
        words += [f"{_UNITS[tens]} puluh" if tens else "", _UNITS[unit]]
    return " ".join(word for word in words if word)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 999), st.sampled_from([str.lower, str.upper, str.title, str.capitalize]))
def test_every_numeral_up_to_999_is_allowed_in_any_case(number: int, case: object) -> None:
    text = case(_spelled(number))  # type: ignore[operator]
    assert re.fullmatch(fields.numeral_pattern(), text)
    assert re.fullmatch(fields.numeral_pattern(), text + ".")


@pytest.mark.parametrize("text", ["satu ratus", "dua seratus", "satu puluh", "sebelas belas", ""])
def test_what_is_no_numeral_is_not_allowed(text: str) -> None:
    assert not re.fullmatch(fields.numeral_pattern(), text)


def test_a_lexicon_is_the_same_every_time_and_holds_the_true_words(tmp_path: Path) -> None:
    listed = tmp_path / "words"
    listed.write_text("".join(f"{a}{b}\n{a}{b}'s\n" for a in "abcde" for b in "vwxyz"))
    found = fields.lexicon(["Ft.", "it's"], n=10, source=listed)
    assert found == fields.lexicon(["it's", "Ft."], n=10, source=listed)
    assert len(found) == 12
    assert {word for word in found if not word.isalpha()} == {"Ft.", "it's"}


def test_a_missing_word_list_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="wamerican"):
        fields.lexicon(["a"], source=tmp_path / "none")


@pytest.fixture
def forms(tmp_path: Path) -> Path:
    """A data folder with one C1 form, twice as large as the canonical page and moved."""
    folder = tmp_path / "dev" / "c1"
    (folder / "images").mkdir(parents=True)
    page = np.full((700, 500), 255, np.uint8)
    page[220:240, 110:190] = 0  # where the number field is: canonical 40..80, 100..110
    page[260:280, 110:310] = 90  # the words: canonical 40..140, 120..130
    page[270:280, 250:310] = 0  # print in them: canonical 110..140, 125..130
    cv2.imwrite(str(folder / "images" / "one.png"), page)
    names = ("suara_01", "suara_02", "jumlah_a", "jumlah_b", "jumlah_c")
    words = ("kata_01", "kata_02", "kata_a", "kata_b", "kata_c")
    cells = [[40, 100, 50, 110], [50, 100, 60, 110], [60, 100, 80, 110]]
    geometry = {
        "canonical_size": [240, 340],
        "digit_fields": {name: {"box": [40, 100, 80, 110], "cells": cells} for name in names},
        "text_fields": {name: {"box": [40, 120, 140, 130]} for name in words},
        "printed_inside_text_fields": {
            "ditulis_dengan_huruf": {name: [110, 125, 140, 130] for name in words}
        },
    }
    truth = {
        "file": "one.png",
        "uncertain_cells": {"jumlah_b": [1]},
        "uncertain": {"kata_c": "blotched"},
        "geometry": {"homography_original_to_canonical": [[0.5, 0, -15], [0, 0.5, -10], [0, 0, 1]]},
        **dict.fromkeys(names, " 44"),
        **{name: "" if name == "kata_a" else "Empat puluh." for name in words},
    }
    (folder / "geometry.json").write_text(json.dumps(geometry))
    (folder / "truth.json").write_text(json.dumps({"one": truth}))
    return tmp_path


def test_number_fields_are_cut_by_the_true_homography_and_doubtful_ones_left_out(
    forms: Path,
) -> None:
    items = list(fields.c1_numbers(forms))
    assert [field.name for _, field, _ in items] == ["suara_01", "suara_02", "jumlah_a", "jumlah_c"]
    crop, field, truth = items[0]
    assert (truth, field.cells, crop.shape) == ("44", 3, (10, 40))
    assert crop[1:-1, 1:-1].max() == 0  # nothing but the field


def test_a_padded_row_says_where_its_cells_are(forms: Path) -> None:
    crop, field, _ = next(fields.c1_numbers(forms, pad=0.2))
    assert crop.shape == (14, 44)
    assert field.cells == ((2, 2, 12, 12), (12, 2, 22, 12), (22, 2, 42, 12))


def test_blank_and_uncertain_words_are_left_out_and_print_can_be(forms: Path) -> None:
    printed = list(fields.c1_spelled(forms))
    assert [field.name for _, field, _ in printed] == ["kata_01", "kata_02", "kata_b"]
    clean = next(fields.c1_spelled(forms, print_taken_out=True))[0]
    assert np.count_nonzero(clean != printed[0][0]) == 0  # a field of print alone stays so
    assert printed[0][0].shape == (10, 100)


def _reading(text: str, status: Status) -> FieldReading:
    return FieldReading(
        "field", "text", text, text, 0.9, status, "", (), (), text, (0.0, 0.0, 1.0, 1.0)
    )


def test_a_score_counts_case_apart_and_the_wrong_among_the_accepted() -> None:
    readings = [
        _reading("Tea", Status.ACCEPTED),
        _reading("noon", Status.ACCEPTED),
        _reading("lake", Status.ACCEPTED),
        _reading("", Status.REJECTED),
    ]
    row = fields.score("words", ["Tea", "Noon", "cake", "pot"], readings, took_ms=8.0)
    assert (row.n, row.exact, row.exact_folded, row.accepted) == (4, 0.25, 0.5, 0.75)
    assert row.wrong_accepted == 1
    assert row.cer == pytest.approx(4 / 14)
    assert row.cer_interval[0] <= row.cer <= row.cer_interval[1]
    assert row.folded_interval[0] < 0.5 < row.folded_interval[1]
    assert row.ms_per_field == 2.0


def test_only_c1_words_are_scored_without_punctuation() -> None:
    assert fields.fold("c1_spelled", "Enam puluh Dua.") == "enam puluh dua"
    assert fields.fold("cheques_amount", "1.250") == "1.250"
