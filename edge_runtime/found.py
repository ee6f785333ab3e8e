"""A place to write that was found on a page, and the measures that those who look share.

Owns:   `Found`, `Rect`, how near is near, boxes that overlap or lie around others.
Needs:  `rulings` (for its scale).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_runtime.rulings import MM

Rect = tuple[float, float, float, float]
NEAR, NEAR_PART = 0.9 * MM, 0.12  # so near lines meet; and so near for their length
CHECK = (2.4 * MM, 9 * MM)  # sides of a check box
SQUARE, TALL = 1.35, 1.6  # of a check box's sides; of a cell's that stands apart
LINE_LOW = 4.0 * MM  # of a frame that a line of writing goes into
CELL_LEAST, CELL_HIGH = 3.0 * MM, 24 * MM


@dataclass(frozen=True, slots=True)
class Found:
    """One place to write, pixels of the sheet."""

    box: Rect
    cells: tuple[Rect, ...] = ()
    kind: str | None = None  # "checkbox", or None
    under: bool = False  # a line to write on, the room above it
    # Cells by the spacing of the writing, no line between them is seen; a check box whose sides are
    # hidden in part, or no lines.
    guessed: bool = False
    round: bool = False  # a check box that is a circle


def overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def around(boxes: Sequence[Rect]) -> Rect:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)
