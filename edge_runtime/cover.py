"""What hides a field: a sheet or a finger laid over it, the glare of a lamp.

Owns:   `covered`, `washed_out`.
Needs:  numpy, cv2, `features`, `refine`, `template`.

A field that is hidden looks like one that was left empty. What tells them apart is its print: a
form shows the lines of all fields alike, or (a colour that the scanner drops) of none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.features import reference_pixels, stamp_of
from edge_runtime.field import Field
from edge_runtime.levels import grey_percentile
from edge_runtime.refine import settle
from edge_runtime.template import Template

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]

_SHOWN = 0.6  # part of its lines by which a field is known to be printed with lines
# Of what it should show, by what tells so. Of 1,400 fields on 71 drawn scans and photos (seeds
# 980000 to 981007), none of them hidden, one had less than 0.7 of what the reference shows and was
# not in doubt already; of 1,050 on 48 (seeds 930000 to 930003) none had less than 0.58 of what
# others of its size show.
_OF_REFERENCE, _OF_OTHERS = 0.7, 0.5
_SOME = 0.3  # of its lines on the reference: an underline is half of a box's
_NONE = 0.1  # of the lines of a row of cells: it must have some
_FEWEST = 2  # other fields that tell what one should show
_SHRINK = 8  # the picture, before it is asked where it is overexposed
_CLIPPED = 252  # grey level from which a camera sees nothing but light
_WHITE, _PAPER = 247, 0.8  # as bright, this part of the page is a scanner's white, no glare
_BAND_BLOCKS = 32  # rows of blocks that are averaged at a time


def covered(template: Template, found: Sequence[float]) -> tuple[bool, ...]:
    """Of each field, whether its printed lines are missing where it must have some.

    That it has some is told by the reference picture, else by at least two other fields of its
    size and kind, or, for a row of cells, by the form's other rows; a single row has some.

    Args:
        template: The form.
        found: Of each field 0..1, the part of its lines that the page shows where it has them.
    """
    if template.reference is not None:
        lost, shown = _OF_REFERENCE, _on_reference(template, template.reference)
        wanted = [part if part >= _SOME else 0.0 for part in shown]
        # A page that shows no line at all has had its colour dropped, and so says nothing.
        if not any(want and part >= lost * want for part, want in zip(found, wanted, strict=True)):
            wanted = [0.0] * len(wanted)
    else:
        lost = _OF_OTHERS
        by_size, by_cells = _kin(template.fields, _size), _kin(template.fields, _has_cells)
        wanted = [
            max(_told(found[j] for j in one), _told(found[j] for j in other))
            for one, other in zip(by_size, by_cells, strict=True)
        ]
        rows = [field for field in template.fields if _has_cells(field)]
        if len(rows) <= _FEWEST:
            wanted = [
                max(want, _NONE / lost if _has_cells(field) else 0.0)
                for field, want in zip(template.fields, wanted, strict=True)
            ]
    return tuple(part < lost * want for part, want in zip(found, wanted, strict=True))


def washed_out(page: Gray, corners: Points) -> tuple[float, ...]:
    """Of each field 0..1, the part of it where a photo is overexposed, though its paper is not.

    Args:
        page: uint8 (h, w), h and w at least 8.
        corners: float64 (n, 4, 2), of the fields, pixels of the page.
    """
    none = (0.0,) * len(corners)
    if not _any_clipped(page, corners):
        return none
    small = np.empty((page.shape[0] // _SHRINK, page.shape[1] // _SHRINK), np.uint8)
    white, enough = 0, small.size - int(_PAPER * (small.size - 1))
    for top in range(0, len(small), _BAND_BLOCKS):  # of a white scan, hardly more than the first
        band = small[top : top + _BAND_BLOCKS]
        band[:] = _averaged(page, 0, top, small.shape[1], top + len(band))
        white += int(np.count_nonzero(band >= _WHITE))
        if white >= enough:
            return none
    if grey_percentile(small, 100 * _PAPER) >= _WHITE:
        return none
    glare = cv2.morphologyEx(
        (small >= _CLIPPED).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
    )
    if not cv2.countNonZero(glare):
        return none
    parts = []
    for x0, y0, x1, y1 in _blocks_of(corners):
        part = glare[y0:y1, x0:x1]
        parts.append(cv2.countNonZero(part) / part.size if part.size else 0.0)
    return tuple(parts)


def _blocks_of(corners: Points) -> list[list[int]]:
    """Left, top, right and bottom of each field in blocks of the page, the last two exclusive."""
    first = np.floor(corners.min(axis=1) / _SHRINK).astype(int).clip(0)
    last = np.ceil(corners.max(axis=1) / _SHRINK).astype(int) + 1
    blocks: list[list[int]] = np.hstack([first, last]).tolist()
    return blocks


def _any_clipped(page: Gray, corners: Points) -> bool:
    """Whether any block of a field is overexposed: it seldom is, and the page is large."""
    high, wide = page.shape[0] // _SHRINK, page.shape[1] // _SHRINK
    for x0, y0, x1, y1 in _blocks_of(corners):
        right, bottom = min(wide, x1), min(high, y1)
        shown = x0 < right and y0 < bottom
        if shown and _averaged(page, x0, y0, right, bottom).max() >= _CLIPPED:
            return True
    return False


def _averaged(page: Gray, left: int, top: int, right: int, bottom: int) -> Gray:
    """The grey of some whole blocks, which are averaged ten times as fast as others."""
    part = page[top * _SHRINK : bottom * _SHRINK, left * _SHRINK : right * _SHRINK]
    size = right - left, bottom - top
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)


def _kin(fields: Sequence[Field], key: Callable[[Field], Hashable]) -> Iterator[list[int]]:
    """For each field the numbers of the others that are printed as it is."""
    alike: dict[Hashable, list[int]] = defaultdict(list)
    keys = [key(field) for field in fields]
    for k, one in enumerate(keys):
        alike[one].append(k)
    for k, one in enumerate(keys):
        yield [] if one is None else [j for j in alike[one] if j != k]


def _size(field: Field) -> Hashable:
    x0, y0, x1, y1 = field.box or (0.0, 0.0, 0.0, 0.0)
    cells = 0 if field.cells is None else field.n_cells
    return round(x1 - x0), round(y1 - y0), cells, field.kind == "checkbox"


def _has_cells(field: Field) -> Hashable:
    return True if field.cells is not None and field.n_cells > 1 else None


def _told(parts: Iterable[float]) -> float:
    """What as many others show at least as it takes to tell; 0 where that is too little."""
    known = sorted(parts, reverse=True)[:_FEWEST]
    return known[-1] if len(known) == _FEWEST and known[-1] >= _SHOWN else 0.0


def _on_reference(template: Template, reference: Path) -> tuple[float, ...]:
    """Of each field, the part of its lines that the reference shows."""
    return _lines_of(template, str(reference), stamp_of(reference))


@lru_cache(maxsize=32)
def _lines_of(template: Template, reference: str, stamp: tuple[int, int]) -> tuple[float, ...]:
    picture = reference_pixels(reference, stamp)
    h, w = picture.shape
    wide, high = template.page_size
    to_picture = np.diag([w / wide, h / high, 1.0])
    none = np.empty((0, 2), np.float64)
    return settle(picture, template, to_picture, pins=none, bent=False, quick=True).found
