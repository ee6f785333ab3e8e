"""Lines to write on that are printed as dots and dashes. The pages are drawn here."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime import Reader
from edge_runtime.detect import detect
from edge_runtime.dots import dot_rows
from edge_runtime.found import Found
from edge_runtime.results import Status

Gray = NDArray[np.uint8]
MM = 200 / 25.4  # A4 at 200 dpi
STYLES = {"full stops": (0.4, 1.0, 0.4), "loose": (0.4, 1.8, 0.4), "dashes": (0.3, 2.0, 1.2)}


def blank_page() -> Gray:
    return np.full((round(297 * MM), round(210 * MM)), 245, np.uint8)


def write(page: Gray, text: str, x: float, y: float, *, scale: float = 0.7) -> float:
    """Print, in millimetres from its left end and its foot; where it ends."""
    at = round(x * MM), round(y * MM)
    cv2.putText(page, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, 30, 2, cv2.LINE_AA)
    return x + cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)[0][0] / MM


def dots(page: Gray, x0: float, x1: float, y: float, *, style: str = "full stops") -> None:
    """A row of dots, drawn four times as fine as the page."""
    high, pitch, wide = STYLES[style]
    left, top = round(x0 * MM), round((y - 2) * MM)
    w, h = round((x1 - x0) * MM), round(3 * MM)
    fine = np.full((4 * h, 4 * w), 245, np.uint8)
    for x in np.arange(0, x1 - x0 - wide, pitch):
        a, b = round(4 * x * MM), round(4 * (x + wide) * MM)
        row = round(4 * 2 * MM)
        fine[row - round(2 * high * MM) : row + round(2 * high * MM), a:b] = 60
    small = cv2.resize(fine, (w, h), interpolation=cv2.INTER_AREA)
    page[top : top + h, left : left + w] = np.minimum(page[top : top + h, left : left + w], small)


def sign(page: Gray, x: float, y: float) -> None:
    """A scrawl that crosses the line it stands on."""
    t = np.linspace(0, 16, 160)
    xs = (x + 1.8 * t + 1.2 * np.sin(2 * t)) * MM
    ys = (y - 1.5 - 2.2 * np.cos(1.7 * t) + 0.6 * np.sin(0.4 * t)) * MM
    cv2.polylines(page, [np.stack([xs, ys], 1).astype(np.int32)], False, 40, 3, cv2.LINE_AA)


def form(style: str) -> Gray:
    page = blank_page()
    for k in range(3):
        x = write(page, "Name:", 20, 40 + 15 * k, scale=0.5)
        dots(page, x + 1, 185, 40 + 15 * k, style=style)
    x = write(page, "I,", 20, 90)
    for word in (", born on", "in", "agree."):
        dots(page, x + 1, x + 36, 90, style=style)
        x = write(page, word, x + 38, 90)
    return page


def turned(page: Gray, angle: float, scale: float) -> Gray:
    h, w = page.shape
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 1.0)
    leaning = cv2.warpAffine(page, turn, (w, h), borderValue=(245,))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(leaning, None, fx=scale, fy=scale, interpolation=way), np.uint8)


def lines(page: Gray) -> tuple[Found, ...]:
    return tuple(one for one in detect(page).found if one.under)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.0), (0.8, 0.75), (-0.6, 1.5)])
def test_lines_of_dots_are_fields(style: str, angle: float, scale: float) -> None:
    found = detect(turned(form(style), angle, scale)).found
    assert [one.under for one in found] == [True] * 6
    widths = [(one.box[2] - one.box[0]) / MM for one in found]
    zoom = min(1.0, scale)
    assert all(width == pytest.approx(35 * zoom, abs=3) for width in widths[3:])
    assert all(width > 120 * zoom for width in widths[:3])


@pytest.mark.parametrize("style", STYLES)
def test_writing_over_dots_hides_no_part_of_their_line(style: str) -> None:
    page = form(style)
    for y in (40, 70):
        sign(page, 60, y + 0.5)
    found = detect(page).found
    blank = detect(form(style)).found
    assert len(found) == len(blank) == 6
    for one, other in zip(found, blank, strict=True):
        assert one.box == pytest.approx(other.box, abs=MM)


def test_dots_of_running_text_and_lists_are_no_fields() -> None:
    page = blank_page()
    write(page, "And so we wait ... for more. . . and more", 20, 30)
    for k in range(8):
        y = 50 + 5 * k
        x = write(page, "Chapter of books"[: 9 + k], 20, y, scale=0.5)
        number = str(3 + 7 * k)
        right = 185 - cv2.getTextSize(number, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 2)[0][0] / MM
        dots(page, x + 1, right - 0.6, y)
        write(page, number, right, y, scale=0.5)
    for row in range(12):  # a screen
        dots(page, 20, 80, 150 + row)
    dots(page, 1, 209, 200, style="dashes")  # to be cut off there
    assert detect(page).found == ()


def test_dots_are_not_read(tiny_reader: Reader) -> None:
    page = form("full stops")
    assert {one.status for one in tiny_reader.read(page)} == {Status.BLANK}


def test_a_row_of_dots_along_the_edge_of_the_page_ends_with_it() -> None:
    ink = np.zeros((120, 400), np.uint8)
    ink[-1, 40:360:8] = ink[-1, 41:360:8] = 1  # nothing tells how dark it is there
    found = dot_rows(ink, np.where(ink > 0, 60, 245).astype(np.uint8), mm=4.0)
    assert all(0 <= one.start < one.stop <= 400 for one in found)
