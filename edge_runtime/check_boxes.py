"""Check boxes whose sides are hidden: crossed boldly, scribbled over, or printed in dots.

Owns:   `all_squares`.
Needs:  numpy, cv2, `box_lines`, `outlines`, `lettering`, `frames`, `found`,
        `rulings`.
Words:  boxes of one question stand in a row or a column and have one size: where one is seen
        plainly, half of another's outline tells that it is there.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge_runtime.box_lines import BoxLines
from edge_runtime.found import CHECK, Rect, overlap
from edge_runtime.frames import has_sides, stands_free
from edge_runtime.lettering import Lettering
from edge_runtime.outlines import Outlines
from edge_runtime.rulings import MM, Gray, Sheet

# Of a square's outline in line with another: all sides together, and the worst. Least on drawn
# boxes; letters in line with boxes reached 0.75.
_ALIGNED, _WORST = 0.84, 0.55
_STRAY_PX = 4  # by which boxes of one row or column may miss each other
_SQUARE = 1.12  # of a box's sides: one that is less square has a stroke for a side
_RING = 0.45  # of the paper half a side around a box that is ink: a bar, or a picture
_FAR = 70 * MM  # from a box to its like
_BLOB = 1.9  # sides of ink around a box, over the box's
_SAME_PRINT = 0.5  # of the depth of a box's lines: its like is printed no paler
_APART = 0.5  # of a sheet's width and height: between marks at its corners
_ALONE = round(0.9 * MM)  # paper to the left and the right of a box


def all_squares(
    sheet: Sheet, seen: Sequence[Rect], taken: Sequence[Rect]
) -> list[tuple[Rect, bool]]:
    """The check boxes seen, and those that no lines were found for.

    One whose lines are strokes of a scribble is put right where its row or column tells its size.

    Args:
        sheet: The page.
        seen: Check boxes that were found plainly.
        taken: Other places, which no check box overlaps.

    Returns:
        Boxes, each with whether its lines were seen plainly; else its place is in doubt.
    """
    outlines = Outlines(sheet.ink)
    lines, letters = BoxLines(sheet), Lettering(sheet.ink)
    seen = [box for box in seen if not letters.is_letter(box)]
    seen = [box for box in seen if lines.are_drawn(box) and not lines.go_on(box)]
    plain = [box for box in seen if _is_square(box)]
    odd = [box for box in seen if not _is_square(box)]
    blobs = _of_blobs(sheet.ink, outlines, [*seen, *taken])
    plain += [
        box for box in blobs
        if lines.are_drawn(box) and not lines.go_on(box) and not letters.is_letter(box)
    ]  # fmt: skip
    marks = _corner_marks([box for box in plain if lines.is_solid(box)], sheet.ink.shape)
    plain = [box for box in plain if box not in marks and not _is_mark(box, plain, lines)]
    out = list(plain)
    for box in plain:
        more = _in_line(box, outlines, sheet.ink, [*out, *taken])
        like = lines.depth(box)
        out += [
            one for one in more
            if lines.are_drawn(one, like=like) and lines.depth(one) >= _SAME_PRINT * like
        ]  # fmt: skip
    out += [box for box in odd if not any(overlap(box, one) for one in out)]
    out = [box for box in out if not letters.is_letter(box)]
    return [(box, box in seen and lines.are_plain(box)) for box in out]


def _corner_marks(solid: Sequence[Rect], shape: tuple[int, ...]) -> list[Rect]:
    """Black squares of one size at three or four corners of a sheet: what a form is placed by."""
    h, w = shape

    def of(box: Rect, axis: int, least: float) -> list[Rect]:
        """Its like, in one row (axis 0) or column (1) with it, far away."""
        return [
            one for one in solid
            if abs(_side(one) - _side(box)) <= (_SQUARE - 1) * _side(box)
            and abs(one[1 - axis] - box[1 - axis]) <= _side(box)
            and abs(one[axis] - box[axis]) >= least
        ]  # fmt: skip

    found: list[Rect] = []
    for box in solid:
        beside, under = of(box, 0, _APART * w), of(box, 1, _APART * h)
        if beside and under:
            found += [box, *beside, *under]
    return found


def _is_mark(box: Rect, others: Sequence[Rect], lines: BoxLines) -> bool:
    """Whether it is a printed black square: solid, and no box of its size is open."""
    side = _side(box)
    return lines.is_solid(box) and not any(
        abs(_side(one) - side) <= (_SQUARE - 1) * side and not lines.is_solid(one) for one in others
    )


def _side(box: Rect) -> float:
    return (box[2] - box[0] + box[3] - box[1]) / 2


def _is_square(box: Rect) -> bool:
    w, h = box[2] - box[0], box[3] - box[1]
    return max(w, h) <= _SQUARE * min(w, h)


def _of_blobs(ink: Gray, outlines: Outlines, known: Sequence[Rect]) -> list[Rect]:
    """Squares with four sides in ink that hangs together: a bold cross leaves no thin lines."""
    thick = np.asarray(cv2.dilate(ink, np.ones((3, 3), np.uint8)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    out: list[Rect] = []
    for k, (x, y, w, h, _) in enumerate(stats[1:count].tolist(), 1):
        short, long = min(w, h), max(w, h)
        if short < CHECK[0] or long > _BLOB * CHECK[1] or long > _BLOB * short:
            continue
        if any(overlap((x, y, x + w, y + h), one) for one in known):
            continue
        beside = labels[y : y + h, max(0, x - _ALONE) : x + w + _ALONE]
        if ((beside != 0) & (beside != k)).any():
            continue  # a letter has neighbours
        best: tuple[float, Rect] | None = None
        for side in range(int(max(CHECK[0], long / _BLOB)), int(min(CHECK[1], short)) + 1):
            seen = outlines.supports(x, y, (h - side + 1, w - side + 1), side)
            score = np.where(seen.min(-1) >= 0.9, seen.mean(-1), 0.0)
            row, column = divmod(int(score.argmax()), score.shape[1])
            value = float(score[row, column]) * (1 + 0.02 * side / short)  # of two the larger
            if score[row, column] > 0 and (best is None or value > best[0]):
                left, top = x + column, y + row
                best = value, (float(left), float(top), float(left + side), float(top + side))
        if best is not None and has_sides(best[1], thick) and stands_free(best[1], thick):
            out.append(best[1])
    return out


def _in_line(box: Rect, outlines: Outlines, ink: Gray, known: Sequence[Rect]) -> list[Rect]:
    """Squares of the size of `box` in its row and its column that are half hidden."""
    x0, y0, x1, y1 = (round(edge) for edge in box)
    side, far = round((x1 - x0 + y1 - y0) / 2), round(_FAR)
    near = np.arange(-_STRAY_PX, _STRAY_PX + 1)
    away = np.arange(-far, far + 1)
    out: list[Rect] = []
    for dx, dy in ((near[:, None], away[None, :]), (away[:, None], near[None, :])):
        x, y = np.broadcast_arrays(x0 + dx, y0 + dy)
        seen = outlines.support(x, y, side)
        score = np.where(seen.min(-1) >= _WORST, seen.mean(-1), 0.0)
        while score.size and score.max() >= _ALIGNED:
            at = int(score.argmax())
            left, top = int(x.flat[at]), int(y.flat[at])
            one = (float(left), float(top), float(left + side), float(top + side))
            score[(abs(x - left) < side) & (abs(y - top) < side)] = 0.0
            solid = _around(one, ink) > _RING
            if not (solid or any(overlap(one, other) for other in [*known, *out])):
                out.append(one)
    return out


def _around(box: Rect, ink: Gray) -> float:
    """The share of ink around a square, beyond what a scribble may leave there."""
    x0, y0, x1, y1 = (round(edge) for edge in box)
    far = round((x1 - x0) / 2)
    outer = ink[max(0, y0 - far) : y1 + far, max(0, x0 - far) : x1 + far]
    inner = ink[y0:y1, x0:x1]
    return float((outer.sum() - inner.sum()) / max(1, outer.size - inner.size))
