"""What a text is worth: no sign, no cent, no mark and no order of a date is lost on the way."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.field import Field
from edge_runtime.grammar import preset
from edge_runtime.values import checksum_ok, no_value, value_of

AMOUNTS = {
    # signs, on either side of the currency
    "$-5.00": "-5.00", "-$5.00": "-5.00", "EUR -45.10": "-45.10", "$-.50": "-0.50",
    "- 12.00": "-12.00", "*-5.00*": "-5.00", "+5": "5", "-5.-": "-5", "-EUR 5": "-5",
    "--5.00": "5.00", "---5": "5", "--$-5": "-5",
    # brackets, as accountants write what is owed
    "(5.00)": "-5.00", "($5.00)": "-5.00", "EUR (5.00)": "-5.00", "(EUR) 5.00": "5.00",
    # the point of a word is none of the number
    "Rs.50": "50", "kr.50": "50", "S/.50": "50", "Rs.500": "500", "Rp.500": "500",
    "Rp. 500": "500", "RP. 500": "500", "Fr.5.-": "5", "Fr.5.50": "5.50", "S/.1.250,50": "1250.50",
    "$.50": "0.50", ".50": "0.50", ",50": "0.50", "EUR .50": "0.50",
    # marks of thousands and of decimals
    "0.125": "0.125", "0,500": "0.500", "1.000": "1000", "1,000": "1000", "$ 1,000": "1000",
    "1234,50": "1234.50", "1.234.567,89": "1234567.89", "1,234,567.89": "1234567.89",
    "1.234.567": "1234567", "1.250.50": "1250.50", "1.234,567": "1234.567",
    "1'234.50": "1234.50", "1'234,567.89": "1234567.89", "1 234,50": "1234.50",
    "1 234 567": "1234567", "12,34,567.00": "1234567.00", "1,25,000": "125000", "007": "7",
    # what closes an amount
    "10.000.-": "10000", "10.000,-": "10000", "5,-": "5", "5.--": "5", "5-": "5", "500/-": "500",
    "=5,00=": "5.00", "5.00=": "5.00", "5.00--": "5.00", "5.000,=": "5000", "5.00.": "5.00",
    # cents as a fraction
    "1,250 and 50/100": "1250.50", "1,250 50/100": "1250.50", "45-10/100": "45.10",
    "45 10/100 EUR": "45.10", "200 no/100": "200.00",
    "1 250,50 EUR": "1250.50", "5 kr.": "5",
}  # fmt: skip
UNSURE = [
    # a gap, or marks that nobody sets like this
    "12 50", "1 250 50", "1234.567", "1 234,500", "1'234,567", "012.500", "00.125", "12.34.50",
    "1.234,567.89", "1.250.5", "0.234,50", "1'50", "1. 250",
    # a minus or a frame, a word's point or a decimal one
    "5.00-", "5.00 -", "-5.00-", "-5-", "(-5.00)", "-(5.00)", "(5.00", "-+5", "5.00 EUR-",
    "=-5.00=", "EUR.50", "RS.50", "Rs,50",
    # another size or sign, other numbers
    "5k", "5 M", "50 ct", "5.00 CR", "45 5/100", "5/8", "5 x 3", "1.25 50/100", "10/100", "--", "$",
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), AMOUNTS.items())
def test_an_amount_keeps_sign_and_size(text: str, value: str) -> None:
    got = value_of(text, Field("f", "amount"))
    assert str(got) == value


@pytest.mark.parametrize("text", UNSURE)
def test_an_amount_that_may_be_another_has_no_value(text: str) -> None:
    assert value_of(text, Field("f", "amount")) is None


@given(
    st.integers(0, 10**9),
    st.sampled_from(["", "-", "$-", "EUR -", "-$ "]),
    st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", "."), ("", "."), ("", ",")]),
    st.integers(0, 99),
)
def test_an_amount_is_what_was_written(
    units: int, sign: str, marks: tuple[str, str], cents: int
) -> None:
    text = f"{sign}{units:,}".replace(",", marks[0]) + f"{marks[1]}{cents:02}"
    exact = Decimal(f"{'-' if '-' in sign else ''}{units}.{cents:02}")
    assert value_of(text, Field("f", "amount")) == exact


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12 45", None), ("1 245", 1245), ("0.125", None), ("0,500", None), ("1.250,500", None),
        ("1.250.500", 1250500), ("012.500", None), ("-5-", None), ("-5.-", -5), ("5-", 5),
        ("007", 7), ("+5", 5),
    ],
)  # fmt: skip
def test_a_whole_number_keeps_sign_and_size(text: str, value: int | None) -> None:
    assert value_of(text, Field("f", "integer")) == value


MONTH, DAY = "(0[1-9]|1[0-2])", "(0[1-9]|[12][0-9]|3[01])"


@pytest.mark.parametrize(
    ("pattern", "text", "value"),
    [
        (f"{MONTH}/{DAY}/[0-9]{{4}}", "03/04/2015", date(2015, 3, 4)),
        (f"{MONTH}/{DAY}/[0-9]{{4}}", "12/31/2015", date(2015, 12, 31)),
        (f"{MONTH}/{DAY}/[0-9]{{4}}", "02/30/2015", None),
        (f"{MONTH}{DAY}[0-9]{{4}}", "03042015", date(2015, 3, 4)),
        ("([1-9]|1[0-2])/([1-9]|[12][0-9]|3[01])/[0-9]{2}", "3/4/15", date(2015, 3, 4)),
        (f"{MONTH}/(01|15)/[0-9]{{4}}", "03/01/2015", date(2015, 3, 1)),
        (f"{DAY}/{MONTH}/[0-9]{{4}}", "03/04/2015", date(2015, 4, 3)),
        ("[0-9]{2}/[0-9]{2}/[0-9]{4}", "03/04/2015", date(2015, 4, 3)),
        (None, "03/04/2015", date(2015, 4, 3)),
        (f"[0-9]{{4}}-{DAY}-{MONTH}", "2015-03-04", date(2015, 4, 3)),
        (f"[0-9]{{4}}-{MONTH}-{DAY}", "2015-03-04", date(2015, 3, 4)),
        (f"[0-9]{{2}}{MONTH}{DAY}", "150304", date(2015, 3, 4)),
        ("(broken", "03/04/2015", date(2015, 4, 3)),
    ],
)
def test_a_pattern_says_where_the_month_stands(
    pattern: str | None, text: str, value: date | None
) -> None:
    field = Field("d", "date", pattern=pattern)
    assert value_of(text, field) == value
    if pattern != "(broken":
        assert value_of(text, preset(field)) == value


def test_no_pattern_makes_a_value_slow() -> None:
    field = Field("d", "date", pattern="([0-9/]|[0-9/])*x")
    assert value_of("03/04/2015", field) == date(2015, 4, 3)


@pytest.mark.parametrize("text", ["ab-1.x y", "a b", "-1/2.", "hunter2"])
def test_a_code_is_worth_what_it_says(text: str) -> None:
    assert value_of(text, Field("p", "code", charset="abx1-. y/2.hunter")) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("+44(0)20 7946 0958", "+442079460958"),
        ("(+44) (0)20 7946", "+44207946"),
        ("0044 (0)20 7946", "0044207946"),
        ("+39 (0)6 1234", "+39061234"),  # Italy's is dialled from abroad
        ("(0)30 1234", "0301234"),
        ("(020) 7946 0958", "02079460958"),
    ],
)
def test_a_nought_for_calls_at_home_is_no_part_of_a_number_from_abroad(
    text: str, value: str
) -> None:
    assert value_of(text, Field("p", "phone")) == value


def test_an_empty_checksum_means_none() -> None:
    for kind in ("card", "iban", None):
        field = Field("c", kind, checksum="")
        assert checksum_ok("4111 1111 1111 1112", field) is None
        assert checksum_ok("4111 1111 1111 1112", preset(field)) is None
    assert checksum_ok("4111 1111 1111 1112", Field("c", "card")) is False


def test_a_number_that_a_check_falls_over_does_not_hold() -> None:
    assert checksum_ok("825148797607302079", Field("c", checksum="cn.ric")) is False


@pytest.mark.parametrize(
    ("asked", "text", "says"),
    [
        ({"kind": "date"}, "31.2.2015", "date"),
        ({"kind": "date"}, "5/5", "date"),
        ({"kind": "date", "pattern": f"{MONTH}/[0-9]{{4}}"}, "05/2019", ""),
        ({"kind": "date", "pattern": f"{MONTH}[0-9]{{2}}"}, "0519", ""),
        ({"kind": "date", "pattern": f"{MONTH}/{DAY}/[0-9]{{4}}"}, "02/30/2015", "date"),
        ({"kind": "date"}, "5.5.2015", ""),
        ({"kind": "integer"}, "12 45", "whole number"),
        ({"kind": "amount"}, "12 50", "amount"),
        ({"kind": "amount", "choices": ("none", "50")}, "none", ""),
        ({"kind": "time", "pattern": "[0-9]{2}:[0-9]{2}"}, "25:00", "time"),
        ({"kind": "account"}, "-", "number"),
        ({"kind": "digits"}, "007", ""),
        ({"kind": "code"}, "-", ""),
        ({"kind": "checkbox"}, "yes", ""),
        ({}, "anything", ""),
        ({"kind": "date"}, "", ""),
    ],
)
def test_a_text_that_should_have_a_value_and_has_none_is_told(
    asked: dict[str, object], text: str, says: str
) -> None:
    field = Field("f", **asked)  # type: ignore[arg-type]
    assert no_value(text, field) == no_value(text, preset(field)) == says
