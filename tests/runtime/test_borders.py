"""Borders between cells are sought inside the crop, wherever its rules say that they lie."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from edge_runtime.borders import find_borders, lines_between


@pytest.mark.parametrize(("y0", "y1"), [(-1, 40), (-9, 41), (0, 55)])
def test_a_rule_beyond_the_crops_edge_counts_as_its_edge(y0: int, y1: int) -> None:
    ink = np.zeros((40, 200), np.uint8)
    centres = range(20, 190, 24)
    for x in centres:
        ink[:, x - 1 : x + 2] = 255
    inside = lines_between(ink, 0, 40, 5, cover=0.9)
    found = lines_between(ink, y0, y1, 5, cover=0.9)
    assert [line.row for line in found] == pytest.approx(list(centres), abs=1)
    for one, other in zip(found, inside, strict=True):
        for a, b in zip(astuple(one), astuple(other), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("top", "bottom"), [(-2, 40), (-9, -3), (3, 70)])
def test_rails_that_lean_out_of_a_plain_box_part_nothing(top: int, bottom: int) -> None:
    straight = np.zeros((50, 200), np.uint8)
    straight[:, [4, 195]] = 200
    assert find_borders(straight, top, bottom, 0, 4, ()) == ((), None)


def test_a_plain_box_with_even_upright_lines_is_parted() -> None:
    straight = np.zeros((50, 200), np.uint8)
    straight[:, 10:191:30] = 200
    found, _ = find_borders(straight, -2, 49, 0, 4, ())
    assert len(found) == 7
