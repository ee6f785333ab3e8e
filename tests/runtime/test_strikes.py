"""Struck-out ink, scribbles and what is no writing, drawn here; real hands in the benchmark."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime import Field, Reader
from edge_runtime.grammar import compile_grammar
from edge_runtime.judge import _struck_shares
from edge_runtime.place import lone_crop, take_ink
from edge_runtime.strikes import CALLED, FEATURES, strike_features, strike_share, usual_share

Gray = NDArray[np.uint8]


def written(text: str) -> Gray:
    ink = np.zeros((60, 24 * len(text) + 40), np.uint8)
    cv2.putText(ink, text, (20, 44), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 255, 3)
    return ink


def lined(ink: Gray, rows: tuple[int, ...]) -> Gray:
    out = ink.copy()
    for row in rows:
        cv2.line(out, (10, row), (out.shape[1] - 10, row + 1), 255, 3)
    return out


def coiled(width: int) -> Gray:
    t = np.linspace(0, 1, 40 * width // 20)
    turn = 2 * np.pi * width / 11 * t
    points = np.stack([12 + t * (width - 24) + 9 * np.cos(turn), 30 + 18 * np.sin(turn)], axis=1)
    ink = np.zeros((60, width), np.uint8)
    cv2.polylines(ink, [np.rint(points).astype(np.int32)], False, 255, 2)
    return ink


@pytest.mark.parametrize("text", ["hello", "20137", "Maria K.", "x", "1000", "if"])
def test_clean_writing_is_not_called_struck_out(text: str) -> None:
    assert strike_share(written(text), cell=False) < CALLED["line"]


def test_lines_through_the_writing_are_told_from_a_rule_under_it() -> None:
    clean = written("hello")
    for rows in ((32, 38), (28, 34, 40)):
        assert strike_share(lined(clean, rows), cell=False) >= CALLED["line"]
    under = lined(clean, (52,))
    assert strike_share(under, cell=False) < CALLED["line"]


def test_scribbles_hatching_and_bars_are_no_writing() -> None:
    y, x = np.mgrid[0:60, 0:220]
    hatching = np.where(np.mod(x + y, 9) < 3, 255, 0).astype(np.uint8)
    for ink in (coiled(220), hatching):
        assert strike_share(ink, cell=False) >= CALLED["line"]


def test_ink_from_edge_to_edge_and_no_ink_at_all_are_answered() -> None:
    full = np.full((40, 40), 255, np.uint8)
    for cell in (True, False):
        assert 0.0 <= strike_share(full, cell=cell) <= 1.0
        assert strike_share(np.zeros((40, 40), np.uint8), cell=cell) == 0.0
    assert strike_features(np.zeros((1, 1), np.uint8)) is None


def test_measures_do_not_depend_on_the_scale_of_the_scan() -> None:
    small = written("hello")
    large = cv2.resize(small, None, fx=3, fy=3, interpolation=cv2.INTER_LINEAR)
    a, b = strike_features(small), strike_features(np.asarray(large, np.uint8))
    assert a is not None
    assert b is not None
    assert len(a) == len(FEATURES)
    assert np.abs(a - b).max() < 0.35


def test_a_rare_thing_is_believed_less() -> None:
    shares = [usual_share(one) for one in (0.0, 0.25, 0.5, 0.97, 0.9999, 1.0)]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[2] < 0.02
    assert shares[-1] > 0.999


def test_a_dash_in_a_row_of_cells_strikes_nothing_out() -> None:
    row = np.full((64, 40 + 5 * 56), 255, np.uint8)
    for at in range(6):
        cv2.line(row, (20 + at * 56, 6), (20 + at * 56, 58), 120, 2)
    cv2.line(row, (20, 6), (300, 6), 120, 2)
    cv2.line(row, (20, 58), (300, 58), 120, 2)
    for at, char in enumerate("ab cd"):
        place = (34 + at * 56, 46)
        cv2.putText(row, char, place, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 20, 3, cv2.LINE_AA)
    cv2.line(row, (138, 47), (168, 48), 20, 3)
    with Reader() as reader:
        reading = reader.read_field(row, Field("user", kind="username", cells=5))
    assert "struck" not in reading.reason
    assert reading.text[2:3] in ("_", "-")


def test_hair_lines_that_fade_are_not_struck_out() -> None:
    ink = np.zeros((200, 3000), np.uint8)
    x = np.arange(20, 2980)
    y = (100 + 50 * np.sin(x / 50)).astype(int)
    cv2.polylines(ink, [np.stack([x, y], 1).astype(np.int32)], False, 255, 1)
    assert strike_features(ink) is None
    assert strike_share(ink, cell=False) == 0.0


def _share(page: Gray, field: Field) -> float:
    with Reader() as reader:
        ink = take_ink(lone_crop(page, field), reader.spec)
        return _struck_shares(ink, compile_grammar(field, reader.spec.labels))[0]


@pytest.mark.parametrize(
    ("height", "lean", "pen"), [(22, 0, 3), (18, 3, 2), (26, -2, 3), (40, 4, 4)]
)
def test_a_lone_one_on_a_line_is_not_struck_out(height: int, lean: int, pen: int) -> None:
    page = np.full((72, 140), 240, np.uint8)
    cv2.line(page, (30 + lean, 20), (30, 20 + height), 60, pen, cv2.LINE_AA)
    field = Field("f", kind="digits")
    assert _share(page, field) < 0.5
    with Reader() as reader:
        reading = reader.read_field(page, field)
    assert reading.text == "1"
    assert "struck out" not in reading.reason


def test_what_is_scribbled_over_by_itself_on_a_line_is_still_told() -> None:
    page = np.full((72, 140), 240, np.uint8)
    t = np.linspace(0, 1, 200)
    turn = 18 * np.pi * t
    points = np.stack([30 + 20 * t + 5 * np.cos(turn), 36 + 12 * np.sin(turn * 1.3)], axis=1)
    cv2.polylines(page, [np.rint(points * 8).astype(np.int32)], False, 50, 2, cv2.LINE_AA, 3)
    assert _share(page, Field("f", kind="digits")) >= CALLED["cell"]
