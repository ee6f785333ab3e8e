"""Glyphs between two hands: of one shape or not at all, and never for writers who are measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.blend import Blender, blended
from train.config import TrainConfig
from train.engine import Engine, EngineConfig
from train.strokes import Strokes

SPEC = TrainConfig("test").spec()
STEM = np.array([[0, 0], [0, 100]], np.float32)
BAR = np.array([[-30, 40], [30, 40]], np.float32)


def leaning(by: float) -> Strokes:
    """A cross whose stem leans."""
    return [STEM + np.array([[by, 0], [0, 0]], np.float32), BAR]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_a_blend_lies_between_or_beyond(seed: int, turned: bool, other_order: bool) -> None:
    upright, other = leaning(0), leaning(10)
    if turned:
        other = [stroke[::-1] for stroke in other]
    if other_order:
        other = other[::-1]
    found = blended(upright, other, np.random.default_rng(seed))
    assert found is not None
    stem, bar = found
    # -0.4 to 0.9 of the way; the bar stays, and so does the foot of the stem.
    assert -4.1 <= stem[0, 0] <= 9.1
    assert np.allclose(stem[:, 1], np.linspace(0, 100, len(stem)), atol=1e-3)
    assert abs(stem[-1, 0]) < 1e-3
    assert np.allclose(bar[[0, -1]], BAR, atol=1e-3)


def test_blends_differ() -> None:
    rng = np.random.default_rng(0)
    tops = {float(blended(leaning(0), leaning(10), rng)[0][0, 0]) for _ in range(20)}  # type: ignore[index]
    assert len(tops) == 20
    assert min(tops) < 0 < max(tops)


def test_two_shapes_have_nothing_between_them() -> None:
    rng = np.random.default_rng(0)
    assert blended([STEM, BAR], [STEM], rng) is None
    assert blended([STEM, BAR], [STEM, BAR + np.array([0, 60], np.float32)], rng) is None


def test_a_partner_is_of_the_same_shape() -> None:
    held = [leaning(0), leaning(12), [BAR, BAR + np.float32(30), STEM], [STEM]]
    blender = Blender(lambda key: held[key[1]])
    keys = [(0, at) for at in range(len(held))]
    rng = np.random.default_rng(1)
    found = [blender.blend(held[0], keys, "+", rng) for _ in range(40)]
    kept = [one for one in found if one is not None]
    assert kept
    assert all(len(one) == 2 for one in kept)
    assert blender.blend(held[3], keys, "+", rng) is None  # alone with its one stroke


@pytest.mark.parametrize(("part", "same"), [("train", False), ("tuning", True)])
def test_only_train_writers_are_blended(tiny_data: Path, part: str, same: bool) -> None:
    plain, mixed = (
        Engine(tiny_data, SPEC, EngineConfig(blend=blend), part=part, seed=1) for blend in (0, 1)
    )
    drawn = [
        [one.bank.random(np.random.default_rng(seed))[1] for seed in range(60)]
        for one in (plain, mixed)
    ]
    alike = [
        len(a) == len(b)
        and all(x.shape == y.shape and (x == y).all() for x, y in zip(a, b, strict=True))
        for a, b in zip(*drawn, strict=True)
    ]
    assert all(alike) is same
