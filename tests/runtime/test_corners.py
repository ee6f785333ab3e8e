"""Boxes with rounded corners. The pages are drawn here."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.detect import detect

Gray = NDArray[np.uint8]
MM = 200 / 25.4  # A4 at 200 dpi


def rounded(page: Gray, x0: float, y0: float, x1: float, y1: float, radius: float) -> None:
    a, b, c, d = (round(edge * MM) for edge in (x0, y0, x1, y1))
    r = round(radius * MM)
    for p, q in (((a + r, b), (c - r, b)), ((a + r, d), (c - r, d)),
                 ((a, b + r), (a, d - r)), ((c, b + r), (c, d - r))):  # fmt: skip
        cv2.line(page, p, q, 90, 2)
    for centre, turn in (((a + r, b + r), 180), ((c - r, b + r), 270), ((c - r, d - r), 0),
                         ((a + r, d - r), 90)):  # fmt: skip
        cv2.ellipse(page, centre, (r, r), turn, 0, 90, 90, 2)


@pytest.mark.parametrize("radius", [1.2, 2.0, 3.0])
@pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.0), (0.7, 0.75), (-0.5, 1.5)])
def test_a_box_with_rounded_corners_is_one_field(radius: float, angle: float, scale: float) -> None:
    page = np.full((round(297 * MM), round(210 * MM)), 245, np.uint8)
    rounded(page, 12, 20, 198, 280, 4.0)  # around all of them
    for k in range(4):
        rounded(page, 20, 40 + 20 * k, 110, 48 + 20 * k, radius)
        rounded(page, 120, 40 + 20 * k, 185, 48 + 20 * k, radius)
    rounded(page, 20, 140, 68, 148, radius)
    for k in range(1, 8):
        x = round((20 + 6 * k) * MM)
        cv2.line(page, (x, round(140 * MM)), (x, round(148 * MM)), 90, 2)
    rounded(page, 20, 170, 150, 200, radius)
    cv2.putText(page, "Remarks", (180, 1372), cv2.FONT_HERSHEY_SIMPLEX, 0.55, 30, 2, cv2.LINE_AA)
    h, w = page.shape
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 1.0)
    seen = cv2.warpAffine(page, turn, (w, h), borderValue=(245,))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    seen = cv2.resize(seen, None, fx=scale, fy=scale, interpolation=way)
    found = detect(np.asarray(seen, np.uint8)).found
    assert [len(one.cells) for one in found] == [0] * 8 + [8, 0]
    assert not any(one.under for one in found)
