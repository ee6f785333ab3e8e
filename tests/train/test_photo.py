"""A drawn photo knows where every point of its sheet is, and shows it there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from train.photo import HARD, MILD, SEVERITIES, Severity, photograph, scan_sheet
from train.photo_desk import DESKS, desk

SIZE = (120.0, 170.0)
DOTS = np.array([(x, y) for x in (12.0, 60.0, 108.0) for y in (12.0, 85.0, 158.0)])


def sheet() -> NDArray[np.uint8]:
    """White paper with black dots of 5 mm."""
    page = np.full((680, 480, 3), 255, np.uint8)
    for x, y in DOTS:
        cv2.circle(page, (round(4 * x), round(4 * y)), 10, (20, 20, 20), -1, cv2.LINE_AA)
    return page


def off_px(picture: NDArray[np.uint8], at: NDArray[np.float64]) -> float:
    """How far the dark about a point is from it."""
    x, y = (int(v) for v in at)
    side = 16
    light = picture[y - side : y + side + 1, x - side : x + side + 1].mean(axis=2)
    part = (light < (light.min() + light.max()) / 2).astype(np.float64)
    rows, cols = np.indices(part.shape)
    seen = np.array([(part * cols).sum(), (part * rows).sum()]) / part.sum()
    return float(np.hypot(*(seen + (x - side, y - side) + 0.5 - at)))


@pytest.mark.parametrize("severity", SEVERITIES, ids=lambda one: one.name)
@pytest.mark.parametrize("take", [photograph, scan_sheet])
def test_dots_are_where_the_truth_has_them(severity: Severity, take: object) -> None:
    rng = np.random.default_rng(3)
    if take is photograph:
        shot = photograph(sheet(), SIZE, severity, rng=rng, megapixels=0.6)
    else:
        shot = scan_sheet(sheet(), SIZE, severity, rng=rng, dpi=100)
    assert max(off_px(shot.picture, at) for at in shot.to_picture(DOTS)) < 1.5


def test_the_same_seed_gives_the_same_photo() -> None:
    one, other = (
        photograph(sheet(), SIZE, HARD, rng=np.random.default_rng(4), megapixels=0.3)
        for _ in range(2)
    )
    assert np.array_equal(one.picture, other.picture)
    assert one.told == other.told


@pytest.mark.parametrize("turns", range(4))
def test_quarter_turns_are_clockwise(turns: int) -> None:
    rng = np.random.default_rng(5)
    shot = photograph(sheet(), SIZE, MILD, rng=rng, megapixels=0.3, quarter_turns=turns)
    top, bottom = shot.to_picture(np.array([(60.0, 20.0), (60.0, 150.0)]))
    way = (top - bottom) / np.hypot(*(top - bottom))
    assert way @ np.array([(0, -1), (1, 0), (0, 1), (-1, 0)])[turns] > 0.9


def test_every_desk_can_be_drawn() -> None:
    for seed in range(3 * len(DESKS)):
        drawn = desk((90, 70), px_per_mm=1.5, rng=np.random.default_rng(seed))
        assert drawn.shape == (70, 90, 3)
        assert np.isfinite(drawn).all()
