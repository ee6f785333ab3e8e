"""What a field allows settles shapes that are the same, and keeps a character a character."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_runtime.alike import settle_alike, within
from edge_runtime.decode import decode
from edge_runtime.field import Field
from edge_runtime.grammar import compile_grammar

LABELS = ("", *(chr(code) for code in range(32, 127)))
DIGITS = compile_grammar(Field("d", kind="digits"), LABELS)
ANY = compile_grammar(Field("t", kind="text"), LABELS)
LOWER = compile_grammar(Field("l", kind="lower"), LABELS)


def frames(*rows: dict[str, float]) -> np.ndarray:
    probs = np.full((len(rows), len(LABELS)), 1e-7)
    for row, said in zip(probs, rows, strict=True):
        for char, share in said.items():
            row[LABELS.index(char)] = share
    return np.log(probs / probs.sum(axis=1, keepdims=True)).astype(np.float32)


def test_an_o_among_digits_is_a_zero() -> None:
    told = settle_alike(frames({"o": 0.7, "0": 0.2, "": 0.1}), DIGITS)
    assert np.isclose(np.exp(told[0, LABELS.index("0")]), 0.9, atol=1e-3)
    assert np.exp(told[0, LABELS.index("o")]) < 1e-9


def test_letters_take_nothing_from_digits() -> None:
    said = frames({"o": 0.5, "0": 0.4, "": 0.1})
    assert settle_alike(said, LOWER) is said
    assert settle_alike(said, ANY) is said


def test_a_letter_among_digits_is_read_as_the_digit_it_may_be() -> None:
    said = frames({"1": 1.0}, {"": 1.0}, {"e": 0.85, "0": 0.05, "": 0.1}, {"": 1.0})
    assert decode(said, DIGITS).text == "1"
    assert decode(within(said, DIGITS), DIGITS).text == "10"


def test_a_slash_that_says_nothing_may_be_a_one() -> None:
    said = frames({"5": 1.0}, {"": 1.0}, {"/": 0.8, "1": 0.15, "": 0.05}, {"": 1.0})
    assert decode(said, DIGITS).text == "5"
    told = decode(settle_alike(said, DIGITS), DIGITS)
    assert told.text == "51"
    # What the slash would have said stays beside it: the field is a doubt, not a figure more.
    assert told.alternatives[1].text == "5"
    assert told.alternatives[0].probability < 0.65


def test_a_slash_that_is_read_keeps_what_it_has() -> None:
    dates = compile_grammar(Field("d", kind="date"), LABELS)
    said = frames({"/": 0.8, "1": 0.15, "": 0.05})
    assert settle_alike(said, dates) is said


def test_text_is_left_alone() -> None:
    said = frames({"a": 0.5, "7": 0.5})
    assert within(said, ANY) is said


@given(arrays(np.float64, (4, len(LABELS)), elements=st.floats(1e-6, 1)))
def test_the_blank_keeps_its_share_and_all_shares_are_one(weights: np.ndarray) -> None:
    said = np.log(weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    told = within(said, DIGITS)
    assert np.array_equal(told[:, 0], said[:, 0])
    assert np.allclose(np.exp(told).sum(axis=1), 1, atol=1e-4)
