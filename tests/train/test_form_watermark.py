"""Security print is no place to write."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.detect import detect
from train.form_watermark import put_watermark

Gray = NDArray[np.uint8]
MM = 200 / 25.4  # A4 at 200 dpi


def marked_page(look: str, seed: int) -> Gray:
    page = np.full((round(297 * MM), round(210 * MM)), 250, np.uint8)
    for k in range(6):
        at = round(20 * MM), round((30 + 12 * k) * MM)
        cv2.putText(page, "Printed words of a form", at, cv2.FONT_HERSHEY_SIMPLEX, 0.9, 10, 3)
    marked = put_watermark(page, look, px_per_mm=MM, rng=np.random.default_rng(seed))
    assert np.any(marked != page)
    return marked


@pytest.mark.parametrize(
    ("look", "seed"), [("emblems", 3), ("texture", 1), ("grid", 1), ("grid", 5)]
)
def test_no_check_boxes_are_found_in_a_watermark(look: str, seed: int) -> None:
    found = detect(marked_page(look, seed)).found
    assert not [one for one in found if one.kind == "checkbox"]


@pytest.mark.parametrize(
    ("look", "seed"), [("waves", 0), ("waves", 1), ("waves", 3), ("letters", 2), ("texture", 0)]
)
def test_hardly_anything_is_found_in_a_watermark(look: str, seed: int) -> None:
    """Of these each had from 54 to 192 fields."""
    assert len(detect(marked_page(look, seed)).found) <= 20
