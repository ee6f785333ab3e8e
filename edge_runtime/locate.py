"""The fields of a page of which no template is known, where they stand on it.

Owns:   `Located`, `locate_fields`.
Needs:  `detect`, `proposal`: the very road on which templates are proposed; `flat_sheet`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.detect import detect
from edge_runtime.field import Field
from edge_runtime.flat_sheet import FlatSheet
from edge_runtime.marks import project
from edge_runtime.nudge import Nudge
from edge_runtime.proposal import proposed_fields

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_DOUBT = "found without a template, its sides half hidden or no lines; it may be no check box"


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """Fields, and the way back from where they were looked for."""

    fields: tuple[Field, ...]  # `field_1`, ... in reading order, boxes in pixels of a straight page
    doubts: tuple[str, ...]  # for each field, why its place is not sure; "" where it is
    round: tuple[bool, ...]  # of each field, whether it is a check box that is a circle
    to_page: Matrix  # float64 (3, 3), from those to pixels of the page given
    dots: Matrix  # float64 (n, 4), boxes of the dots that lines are printed with, on the page given
    bend: Nudge | None = None  # what that leaves over, pixels of the straight page; None: nothing


def locate_fields(page: Gray, sheet: FlatSheet | None = None) -> Located:
    """Find the places to write on a page, and the writing that has no place of its own.

    Args:
        page: uint8 (h, w), upright but for a few degrees, dark on light.
        sheet: The page by itself, where `page` is a photo that shows more; upright as `page` is.

    Returns:
        No field for a page without any, or one too small to be a page.
    """
    found = detect(page) if sheet is None else detect(sheet.picture, sheet.shaded)
    h, w = page.shape
    to_page: Matrix = np.linalg.inv(found.from_page).astype(np.float64)
    bend = None
    if sheet is not None:
        high, wide = found.picture.shape
        bend = sheet.bend.seen_through(to_page, (wide, high))
        to_page = sheet.to_photo @ to_page
    on_page = [
        (field, _DOUBT if one.kind == "checkbox" and one.guessed else "", one.round)
        for field, one in zip(proposed_fields(found.found), found.found, strict=True)
        if _is_on(field, to_page, (w, h))
    ]
    fields, doubts, rings = zip(*on_page, strict=True) if on_page else ((), (), ())
    dots = _boxes_on_page(found.dots, to_page, bend)
    return Located(tuple(fields), tuple(doubts), tuple(rings), to_page, dots, bend)


def _boxes_on_page(boxes: Matrix, to_page: Matrix, bend: Nudge | None) -> Matrix:
    """float64 (n, 4): boxes around what boxes of the straight page are on the page."""
    x0, y0, x1, y1 = boxes.T
    corners = np.stack([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]).transpose(2, 0, 1).reshape(-1, 2)
    seen = project(to_page, corners if bend is None else bend.moved(corners)).reshape(-1, 4, 2)
    return np.concatenate([seen.min(axis=1), seen.max(axis=1)], axis=1)


def _is_on(field: Field, to_page: Matrix, size: tuple[int, int]) -> bool:
    """Whether some of the field is on the page: a page made straight has corners of its own."""
    if field.box is None:
        return False
    x0, y0, x1, y1 = field.box
    corners = to_page @ np.array([[x0, x1, x1, x0], [y0, y0, y1, y1], [1, 1, 1, 1]], np.float64)
    xs, ys = corners[0] / corners[2], corners[1] / corners[2]
    w, h = size
    return bool(xs.min() < w - 1 and ys.min() < h - 1 and xs.max() > 1 and ys.max() > 1)
