"""Figures of other schools: drawn shapes, chained noughts, glyphs run together."""

from __future__ import annotations

import re

import numpy as np
import pytest

from train import compose, figures, texts
from train.strokes import GlyphBank, Strokes


class _Bank(GlyphBank):
    """Every glyph an upright stroke, its first point above."""

    def __init__(self) -> None:
        super().__init__([], "train")

    def glyph(self, writer: str, char: str, rng: np.random.Generator) -> Strokes:
        return [np.array([[0, 0], [40, 500], [60, 1000]], np.float32)]


@pytest.mark.parametrize("digit", "0123456789")
def test_every_digit_has_shapes_of_its_own_height(digit: str) -> None:
    rng = np.random.default_rng(int(digit))
    drawn = 0
    for _ in range(60):
        glyph = figures.Figures.draw(rng, share=1.0).glyph(digit, rng)
        if glyph is None:
            continue
        drawn += 1
        points = np.concatenate(glyph)
        assert np.isfinite(points).all()
        assert 700 < np.ptp(points[:, 1]) < 1400
        assert all(len(stroke) >= 8 for stroke in glyph)
    assert drawn > 10


def test_a_hand_without_another_school_has_no_shapes() -> None:
    own = figures.Figures.draw(np.random.default_rng(0), share=0.0)
    assert own.glyph("9", np.random.default_rng(0)) is None
    assert not own.chained


def test_a_corner_stays_sharp() -> None:
    shape = np.array([[0, 0], [0, 1], [0, 1], [1, 1]], np.float32)
    curve = figures._curve(shape)
    assert (np.abs(curve - [0, 1]).sum(axis=1) < 1e-6).any()
    # Between the points nothing bulges out of the two straight lines.
    assert ((curve[:, 0] < 1e-3) | (curve[:, 1] > 1 - 1e-3)).all()


@pytest.mark.parametrize("n", [2, 4])
def test_chained_noughts_are_one_stroke_of_n_loops(n: int) -> None:
    rng = np.random.default_rng(n)
    downs = []
    for _ in range(100):
        strokes = figures.chain(n, rng)
        assert len(strokes) == 1
        # Each loop comes down to the foot once; a chain that begins at the foot says nothing.
        low = strokes[0][:, 1] > 700
        downs.append(np.count_nonzero(np.diff(low.astype(int)) == 1))
    assert sum(one == n for one in downs) > 70


def test_chaining_keeps_the_text() -> None:
    assert compose._parts("1.000,-00", chained=True) == ["1", ".", "000", ",", "-", "00"]
    rng = np.random.default_rng(1)
    bank = _Bank()
    lengths = set()
    for _ in range(60):
        text, strokes = compose.compose("1000", bank, "w", rng)
        assert text == "1000"
        lengths.add(len(strokes))
    assert 2 in lengths, "no hand chained its noughts"


def test_glyphs_run_together_only_over_short_ways() -> None:
    rng = np.random.default_rng(0)
    start = np.array([0.0, 0.0], np.float32)
    near = compose._joint(start, np.array([0.4, -0.3], np.float32), rng)
    assert len(near) == 1
    assert np.allclose(near[0][0], start)
    assert np.allclose(near[0][-1], [0.4, -0.3])
    assert compose._joint(start, np.array([1.5, 0.0], np.float32), rng) == []
    assert compose._joint(start, np.array([-0.5, 0.0], np.float32), rng) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (7, "seven"),
        (40, "forty"),
        (86, "eighty-six"),
        (310, "three hundred ten"),
        (12_005, "twelve thousand five"),
        (999_999, "nine hundred ninety-nine thousand nine hundred ninety-nine"),
    ],
)
def test_numbers_in_words(number: int, words: str) -> None:
    assert texts.in_words(number) == words


def test_spaced_characters_stand_alone() -> None:
    rng = np.random.default_rng(0)
    assert all(re.fullmatch(r"\w( \w)+", texts.spaced(rng)) for _ in range(30))
