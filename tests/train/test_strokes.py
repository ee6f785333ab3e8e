"""Stroke sets: samples with a wrong label stay out of every part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from train import strokes
from train.strokes import StrokeSet

SET = StrokeSet(
    name="digits",
    points=np.array([[0, 0], [5, 9], [1, 1], [7, 3]], np.int32),
    stroke_end=np.array([2, 4], np.int32),
    sample_stroke_end=np.array([1, 2], np.int32),
    labels=("4", "4"),
    writers=("a", "a"),
    contributors=("x", "x"),
    parts=("train", "train"),
)


def test_a_wrong_label_is_known_by_its_strokes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(SET.of_part("train")) == [0, 1]
    listed = {"digits": {"4": frozenset({SET.digest(1)})}}
    monkeypatch.setattr(strokes, "wrong_labels", lambda: listed)
    assert list(SET.of_part("train")) == [0]
    # The same strokes under another label are not listed.
    assert list(replace(SET, labels=("4", "1")).of_part("train")) == [0, 1]


def test_the_list_names_known_sets() -> None:
    listed = strokes.wrong_labels()
    assert set(listed) <= {"digits", "upper", "lower", "symbols", "chars_in_words", "words", "text"}
    assert all(
        len(digest) == 12 for one in listed.values() for held in one.values() for digest in held
    )
