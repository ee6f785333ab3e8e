"""Words that change case in their middle are unlikely; clear ink still says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.casing import case_nats


@pytest.mark.parametrize(
    "text",
    ["", "word", "Word", "WORD", "A Word", "MacDonald", "XAVIER's {#'s}", "2.5 mg", "x Y"],
)
def test_what_people_write_costs_nothing(text: str) -> None:
    assert case_nats(text) == 0


def test_the_more_words_change_case_within_the_more_it_costs() -> None:
    assert 0 > case_nats("JusT one") > case_nats("JusT oNe")


def test_capitals_beside_small_letters_cost_less_than_within_a_word() -> None:
    assert 0 > case_nats("HOW TO waltz") > case_nats("HOW TO WaLTZ")


@given(st.text(st.characters(codec="ascii")))
def test_words_in_one_case_cost_nothing(text: str) -> None:
    assert case_nats(text.upper()) == case_nats(text.lower()) == 0 >= case_nats(text)
