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

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.features import reference_pixels, stamp_of
from edge_runtime.field import Field
from edge_runtime.refine import settle
from edge_runtime.template import Template

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]

# Of 1,050 fields on 48 drawn pages (seeds 930000 to 930003) that fields of their size showed at
# least `_SHOWN` of their lines, none had less than 0.58 of what these had.
_SHOWN = 0.75  # part of its lines by which a field is known to be printed with lines
_LOST = 0.5  # of what it should show
_FEWEST = 2  # other fields that tell what one should show
_SHRINK = 8  # the picture, before it is asked where it is overexposed
_CLIPPED = 252  # grey level from which a camera sees nothing but light
_WHITE = 247  # paper as bright as this all over the page: a scanner's white, no glare


def covered(template: Template, found: Sequence[float]) -> tuple[bool, ...]:
    """Of each field, whether its printed lines are missing where it must have some.

    That it has some is told by the reference picture, else by at least two other fields of its size
    and kind, or, for a row of cells, by the form's other rows.

    Args:
        template: The form.
        found: Of each field 0..1, the part of its lines that the page shows where it has them.
    """
    shown = _on_reference(template) if template.reference is not None else None
    if shown is not None:
        lined = [k for k, part in enumerate(shown) if part >= _SHOWN]
        others = [_median(found[j] for j in lined if j != k) for k in range(len(found))]
        # A page without any lines has had its colour dropped, and so says nothing.
        wanted = [min(a, b) for a, b in zip(shown, others, strict=True)]
    else:
        by_size, by_cells = _kin(template.fields, _size), _kin(template.fields, _has_cells)
        wanted = [
            max(_median(found[j] for j in one), _median(found[j] for j in other))
            for one, other in zip(by_size, by_cells, strict=True)
        ]
    return tuple(
        want >= _SHOWN and part < _LOST * want for part, want in zip(found, wanted, strict=True)
    )


def washed_out(page: Gray, corners: Points) -> tuple[float, ...]:
    """Of each field 0..1, the part of it where a photo is overexposed, though its paper is not.

    Args:
        page: uint8 (h, w).
        corners: float64 (n, 4, 2), of the fields, pixels of the page.
    """
    h, w = page.shape
    size = max(1, w // _SHRINK), max(1, h // _SHRINK)
    small = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    if not len(corners) or float(np.percentile(small, 80)) >= _WHITE:
        return (0.0,) * len(corners)
    glare = cv2.morphologyEx(
        (small >= _CLIPPED).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
    )
    if not cv2.countNonZero(glare):
        return (0.0,) * len(corners)
    parts = []
    for one in corners * (size[0] / w, size[1] / h):
        x0, y0 = np.floor(one.min(axis=0)).astype(int).clip(0)
        x1, y1 = np.ceil(one.max(axis=0)).astype(int) + 1
        part = glare[y0:y1, x0:x1]
        parts.append(cv2.countNonZero(part) / part.size if part.size else 0.0)
    return tuple(parts)


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


def _median(parts: Iterable[float]) -> float:
    """0 where too few tell."""
    known = list(parts)
    return float(np.median(known)) if len(known) >= _FEWEST else 0.0


def _on_reference(template: Template) -> tuple[float, ...]:
    assert template.reference is not None
    return _reference_lines(template, stamp_of(template.reference))


@lru_cache(maxsize=32)
def _reference_lines(template: Template, stamp: tuple[int, int]) -> tuple[float, ...]:
    """Of each field, the part of its lines that the reference shows."""
    picture = reference_pixels(str(template.reference), stamp)
    h, w = picture.shape
    wide, high = template.page_size
    to_picture = np.diag([w / wide, h / high, 1.0])
    none = np.empty((0, 2), np.float64)
    return settle(picture, template, to_picture, pins=none, bent=False, quick=True).found
