"""What fields may say, what it is worth, and what is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date, time
from decimal import Decimal
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.errors import TemplateError
from edge_runtime.field import KINDS, Field
from edge_runtime.grammar import checksum_ok, compile_grammar, preset, value_of

LABELS = ("", *map(chr, range(32, 127)))


def accepts(text: str, **asked: object) -> bool:
    return compile_grammar(Field(name="f", **asked), LABELS).accepts(text)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", sorted(KINDS - {"choice"}))
def test_every_kind_compiles_to_a_trim_automaton(kind: str) -> None:
    grammar = compile_grammar(Field(name="f", kind=kind), LABELS)
    table = grammar.next_state
    assert table.dtype == np.int32
    assert table.shape == (grammar.n_states, len(LABELS))
    assert not grammar.accepting[0]  # a blank field is told from its ink
    assert not (grammar.used & grammar.skip).any()
    assert (table[:, grammar.skip] == np.arange(grammar.n_states)[:, None]).all()
    alive = grammar.accepting.copy()
    for _ in range(grammar.n_states):
        alive[grammar.edges[:, 0][alive[grammar.edges[:, 2]]]] = True
    assert alive.all()


WRITTEN = {
    "text": ["Spring Street 12, Columbus", "a", "94/623=15.08%"],
    "name": ["O'Brien-Smith, J. 2nd", "ANNA"],
    "username": ["hunter2!", "Scknwhlecj68"],
    "digits": ["007"],
    "integer": ["-5", "1.250", "10.000.-", "1 000"],
    "amount": [
        "1.250,00", "$ 45.10", "10.000.-", "233.00", "EUR 12,50", "**233.00**", "45 10/100",
        "=450=", "5.000,=", "Rp. 10.000,-", "1'250.00", ".50", "200 xx/100", "1,25,000.00",
    ],
    "date": [
        "5-5-2015", "05/11/1987", "Oct. 20, 2019", "20 October 2019", "1.1.99", "2019-10-20",
        "12345678", "20-Oct-2019", "5. 5. 2015", "3rd May 2001",
        "10 Agustus 2019", "5/5", "05/2019",
    ],
    "time": ["12:30", "9.15", "9 am", "9:15 PM", "14h30", "1430", "8:05 p.m.", "9 Uhr"],
    "email": ["LETTERS@ADD.EXT", "a.b+c@x-y.co.uk"],
    "phone": ["+49 (0)30 123456", "(800) 978-2174, x104", "030/1234-56"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"],
    "card": ["4111 1111 1111 1111", "4111-1111-1111-1112"],
    "account": ["12-345/67 A", "0012345678"],
    "code": ["aB3", "X"],
    "upper": ["X", "ABC"],
    "lower": ["q"],
    "checkbox": ["yes", "no"],
    "signature": ["present"],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, texts in WRITTEN.items() for t in texts])
def test_what_people_write_is_allowed(kind: str, text: str) -> None:
    assert accepts(text, kind=kind)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("text", "two  spaces"), ("text", " in front"), ("username", "a b"), ("digits", "1O"),
        ("date", "32/13/2019"), ("time", "12:61"), ("email", "a@b"), ("upper", "a"),
        ("amount", "abc"),
        ("iban", "de89370400440532013000"), ("code", "a-b"), ("text", ""),
    ],
)  # fmt: skip
def test_what_a_kind_is_not_is_refused(kind: str, text: str) -> None:
    assert not accepts(text, kind=kind)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([r"(ab|c)*d?", r"[a-c]{2,3}", r"^a.c$", r"\d+\$", r"[^a-y]z?", r"a(?:b|)c"]),
    st.text("abcdz19$ ", max_size=5),
    st.integers(0, 3),
    st.none() | st.integers(3, 4),
)
def test_pattern_and_lengths_are_those_of_re(
    pattern: str, text: str, least: int, most: int | None
) -> None:
    if pattern == "[^a-y]z?":
        least = min(least, 2)  # else nothing is left, which is an error
    expected = bool(re.fullmatch(pattern, text)) and max(1, least) <= len(text) <= (most or 99)
    assert accepts(text, pattern=pattern, min_length=least, max_length=most) == expected


def test_a_callers_charset_takes_the_place_of_the_kinds() -> None:
    field = Field(name="f", kind="digits", charset="0123456789X-")
    assert preset(field).skip == " .,=/*"  # the dash is text now
    assert accepts("1-X", kind="digits", charset="0123456789X-")
    assert accepts("17", kind="date", charset="0123456789")


def test_skip_marks_win_over_a_charset_that_holds_them() -> None:
    grammar = compile_grammar(Field(name="f", charset="ab-", skip="-"), LABELS)
    assert grammar.accepts("ab")
    assert not grammar.accepts("a-b")


@pytest.mark.parametrize("most", [385, 3_000, 10_000])
def test_a_bound_that_no_line_reaches_costs_nothing(most: int) -> None:
    grammar = compile_grammar(Field(name="f", max_length=most), LABELS)
    assert grammar.n_states == compile_grammar(Field(name="f"), LABELS).n_states
    far = compile_grammar(Field(name="f", min_length=most, kind="digits"), LABELS)
    assert far.n_states < 500
    assert not far.accepts("1" * 192)  # all that the widest strip could show


def test_a_bound_that_a_line_reaches_is_kept() -> None:
    assert accepts("a" * 384, max_length=384, kind="code")
    assert not accepts("a" * 385, max_length=384, kind="code")
    assert accepts("a" * 384, min_length=384, kind="code")
    assert not accepts("a" * 383, min_length=384, kind="code")


def test_cells_bound_the_length() -> None:
    assert accepts("1234", kind="digits", cells=4)
    assert not accepts("12345", kind="digits", cells=4)


def test_choices_and_nothing_else() -> None:
    words = ("Celebrex", "Celexa", "Xanax")
    grammar = compile_grammar(Field(name="f", choices=words), LABELS)
    assert all(map(grammar.accepts, words))
    assert not any(map(grammar.accepts, ("Cele", "Xanaxa", "Celebexa", "")))
    assert accepts("Xanax", choices=words, max_length=5)
    assert not accepts("Celexa", choices=words, max_length=5)
    assert not accepts("Celexa", choices=words, pattern="X.*")
    assert accepts("Xanax", choices=words, charset="Xanx")
    assert not accepts("Celexa", choices=words, charset="Xanx")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"pattern": "(a|b)*a(a|b){20}"}, "grows past 8,000 states.*min_length"),
        ({"pattern": "((a{200}){200}){200}"}, "grows past"),
        ({"pattern": "(.*a.{18}|.*b.{17})x"}, "grows past"),
        ({"pattern": "[ab]{400}", "max_length": 400, "min_length": 400}, "smaller max_length"),
        ({"pattern": "(" * 400 + "a" + ")" * 400}, "too deeply"),
    ],
)
def test_a_pattern_that_explodes_is_refused_soon(asked: dict[str, object], says: str) -> None:
    began = process_time()
    with pytest.raises(TemplateError, match=rf"(?s)'serial'.*{says}"):
        compile_grammar(Field(name="serial", **asked), LABELS)  # type: ignore[arg-type]
    assert process_time() - began < 20  # 2 s on a machine that does nothing else


def test_the_bound_on_patterns_is_not_felt_elsewhere() -> None:
    from interegular import parse_pattern

    with pytest.raises(TemplateError):
        compile_grammar(Field(name="serial", pattern="(a|b)*a(a|b){20}"), LABELS)
    assert len(parse_pattern("(a|b)*a(a|b){3}").to_fsm().states) >= 16


def test_the_same_rules_share_one_automaton() -> None:
    one = compile_grammar(Field(name="a", kind="digits", box=(0, 0, 1, 1)), LABELS)
    assert compile_grammar(Field(name="b", kind="digits", optional=True), LABELS) is one


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"pattern": "(ab"}, "broken pattern"),
        ({"pattern": "[z-a]"}, "broken pattern"),
        ({"pattern": r"(a)\1"}, "cannot be followed"),
        ({"pattern": r"a\b"}, "cannot be followed"),
        ({"pattern": "(?#x)1"}, r"cannot be followed \(unknown syntax\); use .* comments"),
        ({"pattern": "(" * 5000 + "a" + ")" * 5000}, "broken pattern|too deeply"),
        ({"pattern": "[a-z]+", "charset": "0123"}, "no text"),
        ({"pattern": "abc", "max_length": 2}, "no text"),
        ({"charset": ""}, "no text"),
        ({"choices": ("José",)}, "spell it otherwise"),
        ({"choices": ("ab",), "max_length": 1}, "no choice"),
        ({"kind": "choice"}, "without choices"),
        ({"checksum": "nonsense"}, "unknown checksum"),
        ({"checksum": "../os"}, "unknown checksum"),
    ],
)
def test_what_cannot_be_is_an_error_that_names_the_field(
    asked: dict[str, object], says: str
) -> None:
    with pytest.raises(TemplateError, match=rf"'iban_2'.*{says}"):
        compile_grammar(Field(name="iban_2", **asked), LABELS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("amount", "1.250,00", Decimal("1250.00")),
        ("amount", "1,250.00", Decimal("1250.00")),
        ("amount", "10.000.-", Decimal(10000)),
        ("amount", "$ 45.10", Decimal("45.10")),
        ("amount", "45 10/100", Decimal("45.10")),
        ("amount", "200 xx/100", Decimal("200.00")),
        ("amount", "1.250", Decimal(1250)),
        ("amount", "1.25", Decimal("1.25")),
        ("amount", "1 250,50 EUR", Decimal("1250.50")),
        ("amount", "-12.00", Decimal("-12.00")),
        ("amount", "**233.00**", Decimal("233.00")),
        ("amount", "--", None),
        ("integer", "10.000.-", 10000),
        ("integer", "-5", -5),
        ("integer", "x", None),
        ("date", "5-5-2015", date(2015, 5, 5)),
        ("date", "05/11/1987", date(1987, 11, 5)),
        ("date", "11/22/2018", date(2018, 11, 22)),
        ("date", "Oct. 20, 2019", date(2019, 10, 20)),
        ("date", "10 Agustus 2019", date(2019, 8, 10)),
        ("date", "3rd May 2001", date(2001, 5, 3)),
        ("date", "1.1.99", date(1999, 1, 1)),
        ("date", "20191020", date(2019, 10, 20)),
        ("date", "17 04 2019", date(2019, 4, 17)),
        ("date", "31/02/2019", None),
        ("date", "2019-10-05", date(2019, 10, 5)),
        ("date", "2019-13-10", None),  # a year is never followed by a day
        ("date", "20191310", None),
        ("date", "12345678", None),
        ("date", "5/5", None),
        ("time", "9:15 PM", time(21, 15)),
        ("time", "14h30", time(14, 30)),
        ("time", "24:00", time(0)),
        ("time", "25:00", None),
        ("phone", "+49 (0)30 12-34", "+49301234"),
        ("phone", "(800) 978-2174, x104", "8009782174x104"),
        ("iban", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("card", "4111-1111 11111111", "4111111111111111"),
        ("digits", "007", "007"),
        ("checkbox", "yes", True),
        ("text", "hello", "hello"),
        ("text", "", None),
    ],
)
def test_values_are_typed_and_normalised(kind: str, text: str, value: object) -> None:
    got = value_of(text, Field(name="f", kind=kind))
    assert got == value
    assert type(got) is type(value)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.text("0123456789.,-/=$ :'+xXOctapmh", max_size=12))
def test_a_value_never_raises(kind: str, text: str) -> None:
    value_of(text, Field(name="f", kind=kind))


def test_check_digits() -> None:
    card, iban = Field(name="c", kind="card"), Field(name="i", kind="iban")
    assert checksum_ok("4111 1111 1111 1111", card) is True
    assert checksum_ok("4111 1111 1111 1112", card) is False
    assert checksum_ok("DE89 3704 0044 0532 0130 00", iban) is True
    assert checksum_ok("anything", Field(name="t")) is None
    assert checksum_ok("86095742719", Field(name="t", checksum="de.idnr")) is not None


@pytest.mark.parametrize(
    ("field", "spells"),
    [
        (Field("f", pattern="(one|two|three)( (one|two|three))*"), True),
        (Field("f", pattern="([oO][nN][eE]|[tT][wW][oO])"), True),
        (Field("f", kind="name", pattern="[A-Z][a-z]+( [A-Z][a-z]+)*"), False),
        (Field("f", pattern="[0-9]{1,4} (mg|ml)"), False),
        (Field("f"), False),
        (Field("f", choices=("one", "two")), False),
    ],
)
def test_a_pattern_may_say_which_words_there_are(field: Field, spells: bool) -> None:
    assert compile_grammar(field, LABELS).spells_words is spells


_TELL = """
from edge_runtime.field import Field
from edge_runtime.grammar import compile_grammar
labels = ("", *map(chr, range(32, 127)))
for kind in ("amount", "phone", "date", "time", "iban"):
    print(compile_grammar(Field("f", kind=kind), labels).edges.tolist())
"""


def test_states_are_numbered_alike_in_every_process() -> None:
    told = [
        subprocess.run(
            [sys.executable, "-c", _TELL],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]
    assert told[0]
    assert told[0] == told[1] == told[2]
