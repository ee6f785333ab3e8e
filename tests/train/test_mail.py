"""Addresses are such as a field of mail allows, named after people, at providers there are."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from edge_runtime.field import Field
from edge_runtime.grammar import compile_grammar
from train.mail import Mailer
from train.people import FIRST, FULL, LAST, PLACES, People

PEOPLE = People(
    (
        *((FIRST, 1.0, "Anna Maria"), (LAST, 1.0, "O'Hara"), (FULL, 1.0, "Anna O'Hara")),
        *((part, 1.0, "Main Street 5") for part in PLACES),
    )
)
LABELS = ("", *(chr(code) for code in range(32, 127)))


def test_addresses_are_what_a_field_of_mail_allows() -> None:
    rng, mailer = np.random.default_rng(0), Mailer(PEOPLE)
    grammar = compile_grammar(Field("f", "email"), LABELS)
    mails = [mailer.email(rng) for _ in range(500)]
    assert all(map(grammar.accepts, mails))
    assert all(one == one.lower() for one in mails)
    assert sum("annamaria" in one or "ohara" in one for one in mails) > 350
    assert sum(one.endswith("@gmail.com") for one in mails) > 50
    assert len({one.split("@")[0] for one in mails}) > 40


def test_addresses_are_the_same_from_the_same_seed() -> None:
    once, again = (Mailer(PEOPLE).email(np.random.default_rng(3)) for _ in range(2))
    assert once == again
