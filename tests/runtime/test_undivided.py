"""Rows of cells of which a scan kept the frame alone: stems of letters are no borders."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_runtime.segment import split_cells


def row(n: int, *, width: int = 40, lean: int = 0, divided: bool = False) -> np.ndarray:
    """Ink of `n` cells, most with an F in it, 10 px of paper around."""
    ink = np.zeros((90, 20 + n * width), np.uint8)
    cv2.rectangle(ink, (10, 10), (10 + n * width, 80), 255, 2)
    rng = np.random.default_rng(n)
    for k in range(n):
        x, top, foot = (int(rng.integers(*span)) for span in ((18, 30), (22, 32), (60, 70)))
        x += k * width
        if k % 4 != 3:
            cv2.line(ink, (x + lean, top), (x, foot), 255, 4)
            cv2.line(ink, (x, 45), (x + 10, 45), 255, 4)
        if divided and k:
            cv2.line(ink, (10 + k * width, 10), (10 + k * width, 80), 255, 2)
    return ink


@pytest.mark.parametrize("lean", [4, 8])
@pytest.mark.parametrize("n", [6, 12, 24])
def test_stems_divide_nothing(n: int, lean: int) -> None:
    cells = split_cells(row(n, lean=lean), n)
    for k, (x0, _, x1, _) in enumerate(cells):
        assert x0 == pytest.approx(10 + 40 * k, abs=3)
        assert x1 == pytest.approx(50 + 40 * k, abs=3)


def test_borders_that_are_seen_are_still_taken() -> None:
    cells = split_cells(row(12, divided=True), 12)
    assert [x0 for x0, *_ in cells] == pytest.approx([10 + 40 * k for k in range(12)], abs=3)
