"""Round check boxes: found, and what was done to them. The pages are drawn here."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime import Reader
from edge_runtime.detect import detect
from edge_runtime.locate import locate_fields
from edge_runtime.results import Status

Gray = NDArray[np.uint8]
MM = 200 / 25.4  # A4 at 200 dpi


def blank_page() -> Gray:
    return np.full((round(297 * MM), round(210 * MM)), 245, np.uint8)


def write(page: Gray, text: str, x: float, y: float, *, scale: float = 0.6) -> None:
    at = round(x * MM), round(y * MM)
    cv2.putText(page, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, 30, 2, cv2.LINE_AA)


def ring(page: Gray, x: float, y: float, radius: float, *, grey: int = 80) -> None:
    at = round(x * MM * 16), round(y * MM * 16)
    cv2.circle(page, at, round(radius * MM * 16), grey, 2, cv2.LINE_AA, 4)


def mark(page: Gray, kind: str, x: float, y: float, radius: float) -> None:
    strokes = {
        "tick": [(-0.8, 0.0, -0.2, 0.8), (-0.2, 0.8, 1.3, -1.2)],
        "cross": [(-1.1, -1.1, 1.1, 1.1), (1.1, -1.1, -1.1, 1.1)],
        "filled": [(-0.8, 0.05 * k, 0.8, 0.05 * k) for k in range(-12, 13, 3)],
    }
    for stroke in strokes.get(kind, []):
        a, b, c, d = (round(edge * radius * MM) for edge in stroke)
        cx, cy = round(x * MM), round(y * MM)
        cv2.line(page, (cx + a, cy + b), (cx + c, cy + d), 40, 3, cv2.LINE_AA)
    if kind == "dot":
        cv2.circle(page, (round(x * MM), round(y * MM)), round(0.4 * radius * MM), 20, -1)


def form(radius: float, marks: dict[tuple[int, int], str]) -> Gray:
    page = blank_page()
    cv2.line(page, (160, 1400), (1400, 1400), 90, 2)
    write(page, "Questions on OOO and O, O or 0", 20, 25, scale=1.0)
    for row in range(5):
        write(page, "Do you smoke", 20, 41 + 12 * row)
        for k, word in enumerate(("yes", "no", "Other")):
            x, y = 80 + 30 * k, 40 + 12 * row
            ring(page, x, y, radius)
            write(page, word, x + radius + 1.5, y + 1)
            mark(page, marks.get((row, k), ""), x, y, radius)
    return page


MARKS = {(0, 1): "tick", (1, 0): "cross", (2, 2): "filled", (3, 1): "dot"}


@pytest.mark.parametrize("radius", [1.4, 1.9, 2.4])
@pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.0), (0.6, 0.75), (-0.5, 1.5)])
def test_circles_are_check_boxes_and_letters_are_none(
    radius: float, angle: float, scale: float
) -> None:
    page = form(radius, MARKS)
    h, w = page.shape
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 1.0)
    seen = cv2.warpAffine(page, turn, (w, h), borderValue=(245,))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    seen = cv2.resize(seen, None, fx=scale, fy=scale, interpolation=way)
    located = locate_fields(np.asarray(seen, np.uint8))
    checks = [one for one in located.fields if one.kind == "checkbox"]
    assert len(checks) == sum(located.round) == 15
    zoom = min(1.0, scale) * MM
    for one in checks:
        assert one.box is not None
        assert one.box[2] - one.box[0] == pytest.approx(2 * radius * zoom, abs=0.7 * zoom)


def test_what_is_in_a_circle_is_told_and_doubt_is_not_accepted(tiny_reader: Reader) -> None:
    readings = [one for one in tiny_reader.read(form(1.9, MARKS)) if one.kind == "checkbox"]
    assert len(readings) == 15
    for k, one in enumerate(readings):
        kind = MARKS.get((k // 3, k % 3), "")
        if kind in ("tick", "cross", "filled"):
            assert one.text == "yes"
        elif not kind:
            assert (one.text, one.status) == ("no", Status.ACCEPTED)
        assert (one.status, one.text == "yes") != (Status.ACCEPTED, not kind)


def test_bullets_numbers_in_circles_and_pictures_are_no_check_boxes() -> None:
    page = blank_page()
    cv2.line(page, (160, 2000), (1400, 2000), 90, 2)
    for k in range(4):
        ring(page, 25, 40 + 12 * k, 2.4)  # steps, counted
        write(page, str(k + 1), 24.1, 41 + 12 * k, scale=0.5)
        write(page, "Please read all pages", 32, 41 + 12 * k)
        cv2.circle(page, (200, round((110 + 8 * k) * MM)), 8, 30, -1)  # bullets
        write(page, "and sign the last", 32, 111 + 8 * k)
        ring(page, 150 + 6 * k, 20, 4)  # a crest
    ring(page, 100, 200, 2)  # one alone
    assert not any(one.round for one in detect(page).found)
