"""What a form prints inside a field, taken out by the form's reference picture.

Owns:   `ReferencePrint`, `without_print`.
Needs:  numpy, cv2, `components`, `features`, `preprocess`, `printed`, `glyphs`, `bare_boxes`.
Words:  *print* here is what stands in a field and is no rule and no box: hints such as DD/MM/YYYY,
        a currency, a crest. A *piece* is a component of the reference's ink.

A piece counts as print only where nearly all of it stands on the page, too, at its place. It takes
a reference that nobody has written on: one that is filled may hold the page's own text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.bare_boxes import PrintedBox, print_place
from edge_runtime.components import Components, components_of
from edge_runtime.features import reference_pixels, stamp_of
from edge_runtime.field import Box
from edge_runtime.glyphs import map_box
from edge_runtime.preprocess import normalize_ink
from edge_runtime.printed import erase_printed, find_printed, within_border

_Any = TypeVar("_Any", bound=np.generic)
Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_ON = 48  # of 255: ink of a piece; hints are often pale
CONTRAST = 80  # grey levels: an empty field's watermark must not be stretched to full ink
_THERE = 0.8  # of a piece's pixels hold ink on the page, or it is not printed there
_SHIFT_PX = 3  # by which print may be off after registration
_SMALLEST = 0.12  # of the field's height: pieces lower and narrower may be there by chance,
_NEAR = 0.4  # of it: but for those that stand so near to others, as the dot of an i
_DARKER, _BY = 1.3, 40  # ink darker than that is the pen's, as where lines are taken out


@dataclass(frozen=True, slots=True, eq=False)
class ReferencePrint:
    """What a form's reference prints in its fields.

    Args:
        path: Picture or PDF of the whole form, blank.
        size: Width and height of the form's page, template units.
    """

    path: Path
    size: tuple[float, float]

    def of(self, box: Box, n: int, to_template: Matrix, shape: tuple[int, int]) -> Gray | None:
        """The reference's ink within a field, rules and boxes taken out; None without any.

        Args:
            box: The field, template units.
            n: Its cells; 0: a free field.
            to_template: float64 (3, 3), pixels of the field's crop to template units.
            shape: Of the crop.

        Raises:
            TemplateError: The reference is gone, or cannot be read.
        """
        key = str(self.path), stamp_of(self.path), self.size
        if not _holds_print(*key, box, n):
            return None
        return _cut(*key, box, n, to_template, shape)

    def picture_of(self, to_template: Matrix, shape: tuple[int, int]) -> Gray:
        """A part of the reference as it is, uint8 of `shape`, dark on light; arguments and errors
        as in `of`."""
        return _cut_out(str(self.path), stamp_of(self.path), self.size, to_template, shape)

    def check_of(
        self, box: Box, pad: float, to_template: Matrix, shape: tuple[int, int]
    ) -> PrintedBox | None:
        """What the reference prints where a check box is; None for a square of plain lines.

        Args:
            box: The check box, template units.
            pad: Paper around it that belongs to its crop, template units.
            to_template, shape: As in `of`.

        Raises:
            TemplateError: The reference is gone, or cannot be read.
        """
        key = str(self.path), stamp_of(self.path), self.size
        place = _check_place(*key, box, pad)
        if place is None:
            return None
        to_crop = np.asarray(np.linalg.inv(to_template), np.float64)
        return PrintedBox(_seen(*key, to_template, shape), map_box(place, to_crop))


@lru_cache(maxsize=4096)
def _check_place(
    path: str, stamp: tuple[int, int], size: tuple[float, float], box: Box, pad: float
) -> Box | None:
    """As `print_place`, in template units: it is the same on every page."""
    h, w = reference_pixels(path, stamp).shape
    per_x, per_y = w / size[0], h / size[1]
    x0, y0, x1, y1 = box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad
    shape = max(1, round((y1 - y0) * per_y)), max(1, round((x1 - x0) * per_x))
    to_template = np.array([[1 / per_x, 0, x0], [0, 1 / per_y, y0], [0, 0, 1]])
    to_crop = np.asarray(np.linalg.inv(to_template), np.float64)
    place = print_place(_seen(path, stamp, size, to_template, shape), map_box(box, to_crop))
    return None if place is None else map_box(place, to_template)


@lru_cache(maxsize=4096)
def _holds_print(
    path: str, stamp: tuple[int, int], size: tuple[float, float], box: Box, n: int
) -> bool:
    """Whether a field has print in it at all: most have none, and cost nothing more."""
    h, w = reference_pixels(path, stamp).shape
    per_x, per_y = w / size[0], h / size[1]
    shape = max(1, round((box[3] - box[1]) * per_y)), max(1, round((box[2] - box[0]) * per_x))
    to_template = np.array([[1 / per_x, 0, box[0]], [0, 1 / per_y, box[1]], [0, 0, 1]])
    ink = _cut(path, stamp, size, box, n, to_template, shape)
    return bool(_are_large(components_of(ink, _ON), shape[0]).any())


def _cut(
    path: str,
    stamp: tuple[int, int],
    size: tuple[float, float],
    box: Box,
    n: int,
    to_template: Matrix,
    shape: tuple[int, int],
) -> Gray:
    """uint8, of `shape`: the ink of a part of the reference, without its lines and what stands
    beyond the field's border."""
    ink = _seen(path, stamp, size, to_template, shape)
    bare = erase_printed(ink, find_printed(ink, n))
    left, top, right, bottom = within_border(map_box(box, np.asarray(np.linalg.inv(to_template))))
    out = np.zeros_like(bare)
    out[top:bottom, left:right] = bare[top:bottom, left:right]
    return out


def _seen(
    path: str,
    stamp: tuple[int, int],
    size: tuple[float, float],
    to_template: Matrix,
    shape: tuple[int, int],
) -> Gray:
    """uint8, of `shape`: the ink of a part of the reference."""
    return normalize_ink(_cut_out(path, stamp, size, to_template, shape), contrast=CONTRAST)


def _cut_out(
    path: str,
    stamp: tuple[int, int],
    size: tuple[float, float],
    to_template: Matrix,
    shape: tuple[int, int],
) -> Gray:
    """uint8, of `shape`: a part of the reference, dark on light."""
    picture = reference_pixels(path, stamp)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])  # cv2 counts from pixel centres
    to_picture = np.diag([picture.shape[1] / size[0], picture.shape[0] / size[1], 1.0])
    move = np.linalg.inv(half) @ to_picture @ to_template @ half
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpPerspective(
        picture, move, shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(crop, np.uint8)


def without_print(ink: Gray, printed: Gray) -> Gray:
    """The ink of a field without what its reference prints there.

    Args:
        ink: uint8 (h, w), bright on black.
        printed: As `ReferencePrint.of` has it, of the same shape.

    Returns:
        uint8 (h, w); the very same pixels where nothing of it stands on the page.
    """
    seen = components_of(printed, _ON)
    large = _are_large(seen, len(printed))
    if not large.any():
        return ink
    dx, dy = _shift_of(ink, large[seen.labels])
    labels, printed = _moved(seen.labels, dx, dy), _moved(printed, dx, dy)
    wide = cv2.dilate(ink, np.ones((3, 3), np.uint8)) >= _ON
    area = np.bincount(labels.ravel(), minlength=seen.count)
    there = np.bincount(labels.ravel(), wide.ravel(), seen.count) >= _THERE * np.maximum(area, 1)
    near = cv2.dilate(
        (large & there)[labels].view(np.uint8), np.ones((2 * round(_NEAR * len(ink)) + 1,) * 2)
    )
    close = np.bincount(labels.ravel(), near.ravel(), seen.count) >= _THERE * np.maximum(area, 1)
    own = there & (large | close)
    own[0] = False
    if not own.any():
        return ink
    where = own[labels]
    # A page's ink is stretched to the darkest of its crop, which may be the pen's.
    gain = float(np.median(ink[where]) / max(1.0, np.median(printed[where])))
    level = cv2.dilate(np.where(where, printed, np.uint8(0)), np.ones((3, 3), np.uint8))
    gone = (level > 0) & (ink <= _DARKER * gain * level.astype(np.float32) + _BY)
    return np.where(gone, np.uint8(0), ink)


def _are_large(seen: Components, h: int) -> NDArray[np.bool_]:
    """bool (count,), which pieces are no specks; False for paper."""
    return np.append(False, seen.stats[:, 2:4].max(axis=1, initial=0) >= _SMALLEST * h)


def _shift_of(ink: Gray, where: NDArray[np.bool_]) -> tuple[int, int]:
    """By how much print stands to the right and below, so that most of it is met by ink."""
    k = _SHIFT_PX
    around = cv2.copyMakeBorder(
        (ink >= _ON).astype(np.float32), k, k, k, k, cv2.BORDER_CONSTANT, value=0
    )
    met = cv2.matchTemplate(around, where.astype(np.float32), cv2.TM_CCORR)
    # Of shifts that meet as much, the smallest.
    off = np.hypot(*np.mgrid[-k : k + 1, -k : k + 1])
    dy, dx = np.unravel_index(int((met - 0.01 * where.sum() * off).argmax()), met.shape)
    return int(dx) - k, int(dy) - k


def _moved(picture: NDArray[_Any], dx: int, dy: int) -> NDArray[_Any]:
    out = np.zeros_like(picture)
    h, w = picture.shape
    out[max(0, dy) : h + min(0, dy), max(0, dx) : w + min(0, dx)] = picture[
        max(0, -dy) : h - max(0, dy), max(0, -dx) : w - max(0, dx)
    ]
    return out
