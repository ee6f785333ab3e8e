"""The lines that a form's fields are printed with, cut into pieces.

Owns:   `Lines`, `template_lines`.
Needs:  numpy, `template`.
Words:  *piece*: a short stretch of a box's edge or of the line between two cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_runtime.raster import RASTER_PX
from edge_runtime.template import Template

Points = NDArray[np.float64]

PIECE_PX = 24  # of the raster: longer than a letter, short enough to follow a curl


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """The pieces of a template's lines."""

    points: Points  # (n, 2) middles, template units
    upright: NDArray[np.bool_]  # (n,) tells of x; else of y
    field: NDArray[np.intp]  # (n,)
    side: Points  # (n,) as in `Measured`
    part: Points  # (n,) 0..1: of `PIECE_PX` that the piece is long
    sure: NDArray[np.bool_]  # (n,) as in `Measured`
    edge: NDArray[np.intp]  # (n,) number of the line that a piece is of
    rule: NDArray[np.bool_]  # (n,) of a line beside the fields, whose number is beyond theirs


@lru_cache(maxsize=32)
def template_lines(template: Template) -> Lines:
    """Edges of the fields' boxes, the lines between their cells and beside them, in pieces."""
    per_unit = RASTER_PX / max(template.page_size)
    rows: list[tuple[float, float, bool, int, float, float, int]] = []
    edges = iter(range(1_000_000))

    def add(x0: float, y0: float, x1: float, y1: float, k: int, side: float) -> None:
        length = max(x1 - x0, y1 - y0) * per_unit
        n = max(1, round(length / PIECE_PX))
        part, edge = min(1.0, length / n / PIECE_PX), next(edges)
        for t in (np.arange(n) + 0.5) / n:
            rows.append((x0 + t * (x1 - x0), y0 + t * (y1 - y0), x1 == x0, k, side, part, edge))

    for k, field in enumerate(template.fields):
        if field.box is None or field.boxes is not None:  # bubbles are round, words have no sides
            continue
        x0, y0, x1, y1 = field.box
        add(x0, y0, x1, y0, k, -1)
        add(x0, y1, x1, y1, k, 1)
        add(x0, y0, x0, y1, k, -1)
        add(x1, y0, x1, y1, k, 1)
        if isinstance(field.cells, int):
            between = [x0 + (x1 - x0) * j / field.cells for j in range(1, field.cells)]
            spans = [(x, y0, y1) for x in between]
        else:
            spans = [(c[0], c[1], c[3]) for c in (field.cells or ())[1:]]
        for x, top, bottom in spans:
            add(x, top, x, bottom, k, 0)
    for k, (x0, y0, x1, y1) in enumerate(template.lines, len(template.fields)):
        add(x0, y0, x1, y1, k, 0)
    table = np.array(rows, np.float64).reshape(-1, 7)
    celled = np.array(
        [field.cells is not None for field in template.fields] + [True] * len(template.lines)
    )
    return Lines(
        points=table[:, :2],
        upright=table[:, 2] > 0,
        field=table[:, 3].astype(np.intp),
        side=table[:, 4],
        part=table[:, 5],
        sure=celled[table[:, 3].astype(np.intp)],
        edge=table[:, 6].astype(np.intp),
        rule=table[:, 3] >= len(template.fields),
    )
