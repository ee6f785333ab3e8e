"""Pale tiles from edge to edge of a page are no check boxes; everything else stays."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.found import Found, Rect
from edge_runtime.rulings import MM
from edge_runtime.wallpaper import without_wallpaper

Gray = NDArray[np.uint8]
SHAPE = (round(297 * MM), round(210 * MM))
SIDE, STEP = 40, 80


def sheet_of(*, outlined: bool, grey: int = 210, margin: int = 20) -> tuple[Gray, list[Found]]:
    """A sheet full of squares, and the places found on it."""
    page = np.full(SHAPE, 250, np.uint8)
    found = [Found((200.0, 100.0, 900.0, 160.0))]  # a box to write in
    for y in range(margin, SHAPE[0] - SIDE - margin + 1, STEP):
        for x in range(margin, SHAPE[1] - SIDE - margin + 1, STEP):
            page[y : y + SIDE, x : x + SIDE] = grey
            if outlined:
                page[y + 3 : y + SIDE - 3, x + 3 : x + SIDE - 3] = 250
            box: Rect = (x, y, x + SIDE, y + SIDE)
            found.append(Found(box, kind="checkbox"))
    return page, found


def test_tiles_from_edge_to_edge_are_no_check_boxes() -> None:
    page, found = sheet_of(outlined=False)
    assert len(found) > 400
    assert without_wallpaper(found, page) == found[:1]


@pytest.mark.parametrize(
    ("outlined", "grey", "margin"),
    [
        (True, 210, 20),  # lines around paper
        (False, 90, 20),  # blackened, all of them
        (False, 210, 200),  # a block within the page
    ],
)
def test_check_boxes_stay(outlined: bool, grey: int, margin: int) -> None:
    page, found = sheet_of(outlined=outlined, grey=grey, margin=margin)
    assert without_wallpaper(found, page) == found


def test_a_few_tiles_stay() -> None:
    page, found = sheet_of(outlined=False)
    few = found[:1] + found[1::20]
    assert 10 < len(few) < 60
    assert without_wallpaper(few, page) == few
