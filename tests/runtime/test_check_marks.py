"""What was done to a check box. The boxes are drawn here."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.check_marks import PAD, STATES, look_at_check
from edge_runtime.preprocess import normalize_ink

Gray = NDArray[np.uint8]
SIDE, RIM = 44, 22
BOX = (float(RIM), float(RIM), float(RIM + SIDE), float(RIM + SIDE))


def strokes(*points: tuple[float, float]) -> NDArray[np.int32]:
    """Parts of the box's side to pixels."""
    return np.array([[(RIM + x * SIDE, RIM + y * SIDE) for x, y in points]]).astype(np.int32)


def zigzag(passes: int, low: float, high: float) -> NDArray[np.int32]:
    return strokes(*((low if k % 2 else high, 0.04 + 0.92 * k / passes) for k in range(passes + 1)))


MARKS = {
    "empty": [],
    "ticked": [strokes((0.15, 0.5), (0.42, 0.85), (1.05, -0.1))],
    "crossed": [strokes((0.02, 0.05), (0.98, 0.97)), strokes((0.95, 0.03), (0.04, 0.96))],
    "filled": [zigzag(13, 0.15, 0.85)],
    "corrected": [
        strokes((0.02, 0.05), (0.98, 0.97)), zigzag(9, -0.35, 1.4), zigzag(6, -0.2, 1.3),
    ],
}  # fmt: skip


def box_crop(mark: str, *, frame: bool = True) -> Gray:
    crop = np.full((SIDE + 2 * RIM, SIDE + 2 * RIM), 240, np.uint8)
    if frame:
        cv2.rectangle(crop, (RIM, RIM), (RIM + SIDE, RIM + SIDE), 70, 2)
    for one in MARKS[mark]:
        cv2.polylines(crop, [one], False, 40, 4, cv2.LINE_AA)
    return crop


@pytest.mark.parametrize("state", STATES)
def test_a_check_box_knows_its_state(state: str) -> None:
    mark = look_at_check(normalize_ink(box_crop(state)), BOX)
    if state == "filled":  # blackened to its edges: as an answer, or struck out? never surely no
        assert mark.state in ("filled", "corrected")
        assert mark.yes > 0.15
        return
    assert mark.state == state
    assert sum(mark.states) == pytest.approx(1)
    if state == "corrected":
        assert 0.05 < mark.yes < 0.5  # no, but never surely
    else:
        assert (mark.yes > 0.9) == (state != "empty")
        assert mark.yes > 0.9 or mark.yes < 0.1


def test_a_box_that_stands_beside_its_place_is_found() -> None:
    for dx, dy in ((5, -4), (-6, 3)):
        there = tuple(edge + (dx, dy)[i % 2] for i, edge in enumerate(BOX))
        mark = look_at_check(normalize_ink(box_crop("empty")), (*there,))  # type: ignore[arg-type]
        assert mark.yes < 0.1


def test_without_a_place_the_box_is_looked_for() -> None:
    assert look_at_check(normalize_ink(box_crop("empty"))).yes < 0.1
    assert look_at_check(normalize_ink(box_crop("crossed"))).yes > 0.9


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (300, 5), (40, 40)])
@pytest.mark.parametrize("value", [0, 255])
def test_paper_of_any_shape_is_an_empty_box(shape: tuple[int, int], value: int) -> None:
    assert look_at_check(normalize_ink(np.full(shape, value, np.uint8))).state == "empty"


def test_the_pad_shows_what_a_scribble_leaves_outside() -> None:
    assert PAD * SIDE < RIM
