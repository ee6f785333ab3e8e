"""Pale print under dark print is no writing; pale writing is, wherever it stands."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.detect import detect
from edge_runtime.rulings import look_at

Gray = NDArray[np.uint8]
MM = 200 / 25.4  # A4 at 200 dpi


def printed_page() -> Gray:
    page = np.full((round(297 * MM), round(210 * MM)), 245, np.uint8)
    for k in range(8):
        at = round(20 * MM), round((20 + 8 * k) * MM)
        cv2.putText(page, "Say in your own words", at, cv2.FONT_HERSHEY_SIMPLEX, 0.9, 20, 3)
    return page


def scrawls(page: Gray, grey: int, *, top: float, foot: float) -> Gray:
    """Lines of something that a hand may have written, from one row to another, millimetres."""
    rng = np.random.default_rng(4)
    for y in np.arange(top, foot, 11.0):
        x = 20.0
        while x < 180:
            for _ in range(int(rng.integers(3, 7))):
                high, wide = rng.uniform(2, 5), rng.uniform(1.5, 3.5)
                t = np.linspace(0, rng.uniform(4, 8), 40)
                xs = x + wide * (t / 8 + 0.35 * np.sin(t))
                ys = y - high * (0.5 + 0.5 * np.cos(t + rng.uniform(0, 2)))
                points = np.round(np.stack([xs, ys], 1) * MM).astype(np.int32)
                over = np.full_like(page, 255)
                cv2.polylines(over, [points], False, grey, 3, cv2.LINE_AA)
                np.minimum(page, over, out=page)
                x += 1.3 * wide + 0.6
            x += 5
    return page


@pytest.mark.parametrize("grey", [60, 150, 200])
def test_writing_below_print_is_found_however_pale(grey: int) -> None:
    found = detect(scrawls(printed_page(), grey, top=110, foot=270)).found
    assert len(found) >= 12


def test_pale_scrawls_that_print_stands_on_are_not() -> None:
    everywhere = scrawls(printed_page(), 200, top=8, foot=290)
    assert len(detect(everywhere).found) <= 3
    # As dark as print they may be somebody's.
    assert len(detect(scrawls(printed_page(), 60, top=8, foot=290)).found) >= 12


def test_a_few_pale_words_over_print_stay() -> None:
    found = detect(scrawls(printed_page(), 200, top=20, foot=30)).found
    below = detect(scrawls(printed_page(), 200, top=120, foot=130)).found
    assert below
    assert len(found) <= len(below)


@pytest.mark.parametrize("swing", [0.0, 0.1, 0.8])
def test_a_line_that_waves_is_no_line(swing: float) -> None:
    page = printed_page()
    x = np.arange(30, 150, 0.1)
    y = 150 + swing * np.sin(2 * np.pi * x / 24)
    cv2.polylines(page, [np.round(np.stack([x, y], 1) * MM).astype(np.int32)], False, 60, 2)
    lines = [one for one in look_at(page).level if one.at > 120 * MM]  # below the print
    long = [one for one in lines if one.length >= 12 * MM]
    assert bool(long) == (swing <= 0.1)
