"""Texts are written by hands of one part, wrong ones are wrong, and what is accepted is counted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban, luhn

pytest.importorskip("torch")

from benchmarks import uses
from benchmarks.uses import Hands
from edge_runtime import Field, FieldReading, Status
from edge_runtime.confidence import FEATURES
from edge_runtime.spec import Calibration
from train.evaluate import edit_distance

seeds = st.integers(0, 10_000)


def test_the_lexicon_holds_the_confused_pairs_and_none_of_the_names_outside() -> None:
    assert len(uses.LEXICON) >= 200
    assert {"Celebrex", "Celexa", "Zantac", "Xanax", "hydroxyzine", "hydralazine"} <= {
        *uses.LEXICON
    }
    assert not {name.lower() for name in uses.LEXICON} & {name.lower() for name in uses.OUTSIDE}


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_a_near_miss_is_in_no_list_and_near(seed: int) -> None:
    name = uses.near_miss(np.random.default_rng(seed))
    assert name not in uses.LEXICON
    assert min(edit_distance(name, one) for one in uses.LEXICON) in (1, 2)


@settings(deadline=None, max_examples=40)
@given(seeds, st.text("0O1lI5Sab", min_size=2, max_size=9))
def test_a_wrong_code_is_another_of_the_same_length(seed: int, code: str) -> None:
    rng = np.random.default_rng(seed)
    other = uses.changed(code, "0O1lI5Sabc", rng)
    assert sum(a != b for a, b in zip(code, other, strict=True)) == 1
    swapped = uses.swapped(code, rng)
    assert sorted(swapped) == sorted(code)
    assert (swapped == code) == (len(set(code)) == 1)


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_numbers_hold_their_check_digits_and_miswritten_ones_do_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for name, valid in (("iban", iban.is_valid), ("card", luhn.is_valid)):
        written, truth = uses.READ[name][2](rng)
        assert truth == written.replace(" ", "")
        assert valid(truth)
        written, truth = uses.READ[f"{name}, miswritten"][2](rng)
        assert truth is None
        assert not valid(written.replace(" ", ""))


@pytest.fixture(scope="module")
def hands(tiny_data: Path) -> Hands:
    return Hands(tiny_data, seed=1)


def test_hands_write_dark_on_light_and_the_same_again(hands: Hands) -> None:
    crop = hands.write("Zyrtec", np.random.default_rng(4))
    assert crop.dtype == np.uint8
    assert crop.shape[1] > crop.shape[0]
    assert crop.min() < np.median(crop)
    assert np.array_equal(crop, hands.write("Zyrtec", np.random.default_rng(4)))


def test_hands_refuse_what_nobody_wrote(hands: Hands) -> None:
    with pytest.raises(ValueError, match="nobody wrote"):
        hands.write("a~b", np.random.default_rng(4))


class _Reader:
    """Says the same of every crop, and matches what it is told to."""

    spec = SimpleNamespace(
        name="test",
        calibration={"default": Calibration(0.0, (0.0,) * len(FEATURES), 0.9, 0.1, 1)},
    )

    def __init__(self, text: str = "", status: Status = Status.ACCEPTED, sure: float = 0.0) -> None:
        self._text, self._status, self._sure = text, status, sure

    def read_fields(self, items: Iterable[tuple[object, Field]]) -> list[FieldReading]:
        box = (0.0, 0.0, 1.0, 1.0)
        return [
            FieldReading(
                field.name, "text", self._text, None, 0.99, self._status, "", (), (), "", box
            )
            for _, field in items
        ]

    def match(self, crop: object, field: Field, expected: str) -> float:
        return self._sure

    def match_point(self, field: Field) -> float:
        return 0.9


def _read(reader: _Reader, hands: Hands, name: str, n: int, **more: object) -> uses.Count:
    return uses.read_trials(
        reader, hands, name, np.random.default_rng(0), n=n, **more  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_name_accepted_for_another_is_wrong_and_kept_to_look_at(
    hands: Hands, tmp_path: Path
) -> None:
    row = _read(_Reader("Zyrtec"), hands, "medicine, not listed", 6, save=tmp_path)
    assert (row.n, row.right, row.accepted, row.wrong) == (6, None, 6, 6)
    assert row.wrong_interval[1] == 1.0
    assert len(list(tmp_path.glob("*.png"))) == 6


def test_what_goes_to_review_is_never_wrong(hands: Hands) -> None:
    row = _read(_Reader("Zyrtec", Status.REVIEW), hands, "medicine, off by a letter", 5)
    assert (row.accepted, row.wrong, row.wrong_interval[0]) == (0, 0, 0.0)


def test_reading_goes_on_until_enough_are_accepted(hands: Hands) -> None:
    held = _read(_Reader("Zyrtec", Status.REVIEW), hands, "medicine", 2, most=20)
    assert held.n >= 20
    assert _read(_Reader("Zyrtec"), hands, "medicine", 2, most=20).n == 2


def test_a_match_counts_right_codes_and_wrong_ones_apart(hands: Hands) -> None:
    rng = np.random.default_rng(0)
    rows = uses.match_trials(_Reader(sure=0.95), hands, "door", rng, n=4)  # type: ignore[arg-type]
    right, changed, swapped = rows
    assert (right.n, right.right, right.accepted, right.wrong) == (4, 4, 4, 0)
    assert (changed.n, changed.accepted, changed.wrong) == (4, 4, 4)
    assert swapped.wrong == swapped.n
    assert dict(changed.curve)[0.95] == 4
    assert dict(changed.curve)[0.99] == 0
    none = uses.match_trials(_Reader(sure=0.2), hands, "door", rng, n=3)  # type: ignore[arg-type]
    assert [row.accepted for row in none] == [0, 0, 0]
