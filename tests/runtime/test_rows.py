"""A row of cells and the row as one line: what both say together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime.decode import decode_cells
from edge_runtime.field import Field
from edge_runtime.grammar import compile_grammar
from edge_runtime.reader import Reader
from edge_runtime.row_ink import specks
from edge_runtime.rows import Row

LogProbs = NDArray[np.float32]

LABELS = ("", *"0123456789 .Xab")
DIGITS = compile_grammar(Field("f", kind="digits", cells=4), LABELS)


def said(text: str, *, sure: float = 0.99) -> LogProbs:
    """Frames that say `text`, a glyph every second frame."""
    frames = np.full((2 * len(text) + 1, len(LABELS)), (1 - sure) / (len(LABELS) - 1))
    path = [0] + [at for char in text for at in (LABELS.index(char), 0)]
    frames[np.arange(len(path)), path] = sure
    return np.log(frames).astype(np.float32)


def cells(text: str, *, sure: float = 0.99) -> list[LogProbs | None]:
    """A cell a character; a space is an empty one."""
    return [None if char == " " else said(char, sure=sure) for char in text]


def test_hearings_that_agree_are_surer_than_either() -> None:
    alone = decode_cells(cells("0866", sure=0.9), DIGITS)
    both = Row(cells("0866", sure=0.9), said("0866", sure=0.9), DIGITS).decoding()
    assert both.text == alone.text == "0866"
    assert both.alternatives[0].probability > alone.alternatives[0].probability
    assert [span.cell for span in both.spans] == [0, 1, 2, 3]


def test_a_glyph_that_its_cell_lost_is_read_from_the_line() -> None:
    row = Row(cells("08 6", sure=0.9), said("0856"), DIGITS).decoding()
    assert row.text == "0856"
    assert len(row.spans) == 4
    assert {span.cell for span in row.spans} == {None}  # three cells hold no four glyphs
    assert row.alternatives[0].probability < 0.999


def test_hearings_that_disagree_leave_doubt() -> None:
    row = Row(cells("0866"), said("0860"), DIGITS).decoding()
    texts = {one.text: one.probability for one in row.alternatives}
    assert texts.keys() >= {"0866", "0860"}
    assert max(texts.values()) < 0.99
    assert row.raw_text != row.text.replace(" ", "")  # confidence hears of it


def test_an_empty_cell_within_is_a_space_to_cells_and_none_to_the_eye() -> None:
    spaced = compile_grammar(Field("f", charset="ab ", cells=3), LABELS)
    for line in ("a b", "ab"):
        assert Row(cells("a b"), said(line), spaced).decoding().text == "a b"


def test_more_empty_cells_within_are_one_space_to_the_line_and_to_the_prior() -> None:
    """Rows with a prior: none of the ways to hear the gap may cost the cells' text its place."""
    with Reader(threads=1) as reader:
        prior = reader._priors.words
    assert prior is not None
    spaced = compile_grammar(Field("f", charset="ab ", cells=5), LABELS)
    for line in ("ab a", "aba"):
        row = Row(cells("ab  a", sure=0.95), said(line, sure=0.95), spaced, prior=prior)
        assert row.decoding().text == "ab  a"
    once = Row(cells("ab a"), said("ab a"), spaced, prior=prior)
    twice = Row(cells("ab  a"), said("ab a"), spaced, prior=prior)
    assert twice.share("ab  a") == pytest.approx(once.share("ab a"), abs=0.02)


def test_a_check_digit_chooses_among_what_both_say() -> None:
    card = compile_grammar(Field("f", kind="digits", cells=4, checksum="luhn"), LABELS)
    assert Row(cells("1236"), said("1230"), card).decoding().text == "1230"  # 1236 fails
    assert Row(cells("1236"), said("1236"), card).decoding().text == "1236"  # as it was written


def test_no_share_for_what_the_field_does_not_allow() -> None:
    row = Row(cells("0866"), said("0866"), DIGITS)
    assert row.share("08666") == row.share("ab") == 0.0
    assert 0 < row.share("0867") < row.share("0866") <= 1


@settings(max_examples=60, deadline=None)
@given(st.text("019", min_size=1, max_size=4), st.text("019", min_size=1, max_size=4), st.data())
def test_shares_are_shares(by_cells: str, by_line: str, data: st.DataObject) -> None:
    sure = st.floats(0.2, 0.999)
    row = Row(
        cells(by_cells.ljust(4), sure=data.draw(sure)), said(by_line, sure=data.draw(sure)), DIGITS
    )
    one = row.decoding()
    assert math.fsum(share for _, share in one.alternatives) <= 1 + 1e-9
    assert one.alternatives[0].text == one.text
    assert one.log_prob > -math.inf
    for text, share in one.alternatives:
        assert row.share(text) == pytest.approx(share, abs=1e-12)


def test_grain_beside_glyphs_is_specks_and_a_row_of_grain_is_not() -> None:
    def strokes(*sides: int) -> NDArray[np.int32]:
        return np.array([(0, 0, side // 2, side, side) for side in sides], np.int32).reshape(-1, 5)

    glyphs = [strokes(40), strokes(36, 5), strokes(4, 6), strokes(), strokes(44)]
    assert specks(glyphs) == [False, False, True, False, False]
    assert specks([strokes(4), strokes(5)]) == [False, False]
    assert specks([strokes()]) == [False]
