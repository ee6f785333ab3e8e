"""The classical readers see the same glyphs as the reader, by writers they did not learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("sklearn")

import pickle

from benchmarks import classic
from benchmarks.classic import Glyphs, fit_glyph


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 60), st.integers(3, 60), st.integers(0, 30), st.integers(0, 30))
def test_a_glyph_is_fitted_wherever_its_ink_sat(h: int, w: int, top: int, left: int) -> None:
    ink = np.zeros((h + top + 5, w + left + 5), np.uint8)
    ink[top : top + h, left : left + w] = 200
    fitted = fit_glyph(ink)
    rows, columns = np.nonzero(fitted)
    assert fitted.shape == (28, 28)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    assert abs(rows.mean() - 13.5) <= 1
    assert abs(columns.mean() - 13.5) <= 1


def test_no_ink_gives_no_glyph() -> None:
    assert not fit_glyph(np.zeros((9, 9), np.uint8)).any()


def test_unipen_glyphs_are_of_the_writers_asked_for(tiny_data: Path) -> None:
    found = {
        train: classic.unipen_glyphs(tiny_data, train=train, n=10_000, rng=np.random.default_rng(0))
        for train in (True, False)
    }
    assert len(found[False].labels) == 2 * 62  # two val writers, a glyph of each class
    assert len(found[True].labels) == 8 * 62
    assert all(set(one.labels.tolist()) == set(classic._ALNUM) for one in found.values())
    one = found[False]
    assert one.pixels.shape == (124, 784)
    assert one.pixels.max() == 1.0
    assert all(crop.min() < 60 < 250 < crop.max() for crop in one.crops)


def test_mnist_glyphs_are_as_many_as_asked_for_and_drawn_at_random(tiny_data: Path) -> None:
    rng = np.random.default_rng(0)
    one = classic.mnist_glyphs(tiny_data, train=True, n=40, rng=rng)
    assert one.pixels.shape == (40, 784)
    assert len(set(one.labels.tolist())) > 5
    assert np.array_equal(255 - one.crops[3], (255 * one.pixels[3]).reshape(28, 28))


def _toy(n: int, seed: int) -> Glyphs:
    """Two classes that anyone can tell: ink on the left, ink on the right."""
    rng = np.random.default_rng(seed)
    labels = np.array(["a", "B"])[rng.integers(2, size=n)]
    pixels = rng.uniform(0, 0.2, (n, 28, 28)).astype(np.float32)
    for one, label in zip(pixels, labels, strict=True):
        one[8:20, 4:10] += 0.8 * (label == "a")
        one[8:20, 18:24] += 0.8 * (label == "B")
    return Glyphs((), pixels.reshape(n, -1), labels)


def test_all_five_learn_what_anyone_can_tell() -> None:
    rows = list(classic.classic_rows("toy", _toy(300, 0), _toy(50, 1), seed=0))
    assert len(rows) == 5
    for row in rows:
        assert row.right == 1.0
        assert (row.trained_on, row.n) == (300, 50)
        assert row.interval[0] < row.interval[1] <= 1.0
        assert row.train_s is not None
        assert min(row.train_s, row.ms_per_glyph, row.size_mb) > 0


def test_case_is_counted_apart() -> None:
    truth = Glyphs((), np.zeros((4, 784), np.float32), np.array(["a", "B", "c", "d"]))
    row = classic._row(
        "toy", "x", truth, ["a", "b", "C", "x"], trained_on=1, train_s=0.0, took_s=0.004, size=10**6
    )
    assert (row.right, row.right_folded, row.ms_per_glyph, row.size_mb) == (0.25, 0.75, 1.0, 1.0)


def test_the_size_is_that_of_the_pickle() -> None:
    held = {"weights": np.arange(5000.0), "name": "x" * 100}
    assert classic.pickled_size(held) == len(pickle.dumps(held))
