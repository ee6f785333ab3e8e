"""Words seldom change case in their middle, names have capitals; clear ink still says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.casing import as_name, case_nats


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


def test_a_name_wants_capitals_in_front() -> None:
    whole, part, none = (
        case_nats(text, name=True) for text in ("Omar Fletcher", "omar Fletcher", "omar fletcher")
    )
    assert whole == 0 > none > part
    assert case_nats("Ludwig van der Rohe", name=True) == 0
    assert case_nats("OMAR FLETCHER", name=True) == 0


def test_a_text_that_is_no_name_may_begin_with_a_capital_alone() -> None:
    assert case_nats("Take daily") == 0 > case_nats("take Daily")
    assert case_nats("of the Rhine") == 0  # such words are small wherever they stand


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("omar fletcher-grant", "Omar Fletcher-Grant"),
        ("Vincent van Gogh", "Vincent van Gogh"),
        ("DE LA CRUZ", "DE LA CRUZ"),
        ("e 7", "e 7"),
        ("", ""),
    ],
)
def test_names_are_written_with_capitals_in_front(text: str, name: str) -> None:
    assert as_name(text) == name


@given(st.text(st.characters(codec="ascii")))
def test_a_name_written_so_stays_so(text: str) -> None:
    once = as_name(text)
    assert as_name(once) == once
    assert once.lower() == text.lower()
    assert case_nats(once, name=True) >= case_nats(text, name=True) - 1.0  # "no ONE" gets mixed
