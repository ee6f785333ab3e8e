"""Calibration and read rates say what they mean, whatever the number of fields."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from benchmarks import knowing
from benchmarks.knowing import Judged, debiased_ece, ece, surest
from edge_runtime import FieldReading, Status
from edge_runtime.results import Alternative


def _drawn(n: int, *, seed: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Confidences and what comes of them, which is right `shift` less often than they say."""
    rng = np.random.default_rng(seed)
    sure = rng.uniform(0.4, 1.0, n)
    return sure, rng.random(n) < sure - shift


def test_perfect_confidences_show_a_plain_ece_and_hardly_a_debiased_one() -> None:
    found = [debiased_ece(*_drawn(300, seed=seed), np.random.default_rng(0)) for seed in range(4)]
    assert min(raw for _, _, raw, _ in found) > 0.02
    assert np.mean([value for value, _, _, _ in found]) < 0.015
    assert all(low <= 0.01 for _, (low, _), _, _ in found)


def test_confidences_that_are_too_high_show_it() -> None:
    value, (low, high), _, _ = debiased_ece(
        *_drawn(2000, seed=1, shift=0.2), np.random.default_rng(0)
    )
    assert 0.12 < low <= value <= high < 0.22  # chance is taken off: a little under 0.2


def test_ece_of_many_samples_is_that_of_each() -> None:
    samples = [_drawn(90, seed=seed) for seed in range(3)]
    together = ece(np.stack([s for s, _ in samples]), np.stack([r for _, r in samples]))
    assert together == pytest.approx([float(ece(s, r)) for s, r in samples])


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40),
    st.sampled_from([0.0, 0.01, 0.1, 0.3]),
)
def test_the_surest_are_the_most_that_some_threshold_gives(
    told: list[tuple[int, bool]], error: float
) -> None:
    sure = np.array([a for a, _ in told], float)
    right = np.array([b for _, b in told])
    best = 0
    for threshold in sorted(set(sure.tolist())):
        taken = sure >= threshold
        if (~right[taken]).sum() <= error * taken.sum():
            best = max(best, int(taken.sum()))
    assert surest(sure, right, error) == best


def test_a_read_rate_tells_its_fields_and_how_sure_it_is() -> None:
    sure = np.linspace(1, 0, 200)
    right = np.arange(200) < 120
    rate = knowing.read_rate(sure, right, 0.01, np.random.default_rng(0))
    assert (rate.fields, rate.wrong) == (121, 1)
    assert rate.interval[0] < rate.read < rate.interval[1]
    assert 0.01 < rate.wrong_most < 0.06


def test_nothing_sure_is_a_read_rate_of_nought() -> None:
    rate = knowing.read_rate(np.ones(30), np.zeros(30, bool), 0.01, np.random.default_rng(0))
    assert (rate.read, rate.fields, rate.wrong_most) == (0.0, 0, 1.0)


def _judged(name: str) -> Judged:
    sure, right = _drawn(120, seed=3)
    folded = right.copy()
    folded[np.argsort(-sure)[:5]] = False
    return Judged(name, sure, right, folded)


def test_errors_among_the_surest_are_told_of_c1_numbers_alone() -> None:
    one = _judged("c1_numbers")
    top = np.argsort(-one.sure)[:90]
    assert knowing.know(one, seed=0).surest_wrong == int((~one.folded[top]).sum()) >= 5
    assert knowing.know(_judged("words"), seed=0).surest_wrong is None


def test_the_curves_are_drawn(tmp_path: Path) -> None:
    knowing.plot([_judged("words"), _judged("orand")], tmp_path / "docs" / "knowing.png")
    assert (tmp_path / "docs" / "knowing.png").stat().st_size > 10_000


def test_where_case_does_not_count_texts_that_differ_by_it_are_one() -> None:
    others = (Alternative("satu", 0.25), Alternative("dua", 0.1))
    reading = FieldReading(
        name="f",
        kind="text",
        text="Satu",
        value=None,
        confidence=0.5,
        status=Status.REVIEW,
        reason="",
        alternatives=others,
        glyphs=(),
        raw_text="",
        box=(0.0, 0.0, 1.0, 1.0),
    )
    assert knowing._sure("c1_spelled", reading) == pytest.approx(0.75)
    assert knowing._sure("words", reading) == 0.5
