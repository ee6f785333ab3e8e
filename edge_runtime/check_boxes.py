"""Check boxes: those whose sides are hidden (crossed boldly, scribbled over, printed in dots), and
watermarks, which are none.

Owns:   `all_squares`, `in_cells`.
Needs:  numpy, cv2, `outlines`, `frames`, `found`, `rulings`.
Words:  boxes of one question stand in a row or a column and have one size: where one is seen
        plainly, half of another's outline tells that it is there.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge_runtime.found import CHECK, NEAR, Rect, overlap
from edge_runtime.frames import has_sides, stands_free
from edge_runtime.outlines import Outlines
from edge_runtime.rulings import MM, Gray, Sheet, depth_of

# Of a square's outline in line with another: all sides together, and the worst. Least on drawn
# boxes; letters in line with boxes reached 0.75.
_ALIGNED, _WORST = 0.84, 0.55
_STRAY_PX = 4  # by which boxes of one row or column may miss each other
_SQUARE = 1.12  # of a box's sides: one that is less square has a stroke for a side
_RING = 0.45  # of the paper half a side around a box that is ink: a bar, or a picture
_FAR = 70 * MM  # from a box to its like
_BLOB = 1.9  # sides of ink around a box, over the box's
# Of the darkness of the page's ink, the palest side of a box and the next: of 2,204 drawn boxes,
# some on faded pages, 0.13 and 0.15 at least; watermarks are printed at a tenth.
_PALEST, _PALE = 0.125, 0.14
_BLACK = 0.45  # of the paper's level: what stands in a bar
_ALONE = round(0.9 * MM)  # paper to the left and the right of a box


def all_squares(sheet: Sheet, seen: Sequence[Rect], taken: Sequence[Rect]) -> list[Rect]:
    """The check boxes seen, and those that no lines were found for.

    One whose lines are strokes of a scribble is put right where its row or column tells its size.

    Args:
        sheet: The page.
        seen: Check boxes that were found plainly.
        taken: Other places, which no check box overlaps.
    """
    seen = _printed(sheet, seen)
    outlines = Outlines(sheet.ink)
    plain = [box for box in seen if _is_square(box)]
    odd = [box for box in seen if not _is_square(box)]
    plain += _of_blobs(sheet.ink, outlines, [*seen, *taken])
    out = plain = _printed(sheet, plain)
    for box in plain:
        out = out + _in_line(box, outlines, sheet.ink, [*out, *taken])
    return _printed(sheet, out) + [box for box in odd if not any(overlap(box, one) for one in out)]


def _printed(sheet: Sheet, boxes: Sequence[Rect]) -> list[Rect]:
    """Those as dark as print: letters and crests of a watermark have sides and corners too."""
    if not boxes or not sheet.ink.any():
        return list(boxes)
    depth = depth_of(sheet.picture)
    ink = float(np.percentile(depth[sheet.ink > 0], 90))
    near = np.asarray(cv2.dilate(depth, np.ones((3, 3), np.uint8)), np.uint8)
    bottom, right = (edge - 1 for edge in near.shape)
    out: list[Rect] = []
    for box in boxes:
        x0, y0, x1, y1 = (max(0, round(edge)) for edge in box)
        x0, x1, y0, y1 = min(x0, right), min(x1, right), min(y0, bottom), min(y1, bottom)
        across, down = slice(x0, x1 + 1), slice(y0, y1 + 1)
        sides = near[y0, across], near[y1, across], near[down, x0], near[down, x1]
        palest, second = sorted(float(np.median(side)) for side in sides)[:2]
        if (
            palest >= _PALEST * ink
            and second >= _PALE * ink
            and not _in_a_bar(sheet.picture, (x0, y0, x1, y1))
        ):
            out.append(box)
    return out


def _in_a_bar(picture: Gray, box: tuple[int, int, int, int]) -> bool:
    """Whether there is no paper around: a watermark shows in black bars as well."""
    x0, y0, x1, y1 = box
    far = max(2, (x1 - x0) // 4)
    black = _BLACK * float(np.percentile(picture[::4, ::4], 90))
    left, right = (
        picture[y0 : y1 + 1, max(0, x0 - far) : x0],
        picture[y0 : y1 + 1, x1 + 1 :][:, :far],
    )
    above, below = picture[max(0, y0 - far) : y0, x0 : x1 + 1], picture[y1 + 1 :, x0 : x1 + 1][:far]
    return any(
        all(one.size and float(np.percentile(one, 85)) < black for one in pair)
        for pair in ((left, right), (above, below))
    )


def in_cells(boxes: Sequence[Rect]) -> tuple[list[Rect], list[tuple[Rect, ...]]]:
    """Check boxes that stand alone, and rows of those that share a wall: cells, from the left."""
    left = sorted(boxes)
    alone: list[Rect] = []
    rows: list[tuple[Rect, ...]] = []
    while left:
        row = [left.pop(0)]
        while (
            after := next((one for one in left if _shares_wall(row[-1], one)), None)
        ) is not None:
            left.remove(after)
            row.append(after)
        if len(row) > 1:
            rows.append(tuple(row))
        else:
            alone += row
    return alone, rows


def _shares_wall(a: Rect, b: Rect) -> bool:
    near = 0.5 * NEAR
    level = abs(a[1] - b[1]) <= NEAR and abs(a[3] - b[3]) <= NEAR
    return level and abs(b[0] - a[2]) <= near


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
            ys, xs = np.mgrid[y : y + h - side + 1, x : x + w - side + 1]
            seen = outlines.support(xs, ys, side)
            score = np.where(seen.min(-1) >= 0.9, seen.mean(-1), 0.0)
            at = int(score.argmax())
            value = float(score.flat[at]) * (1 + 0.02 * side / short)  # of two the larger
            if score.flat[at] > 0 and (best is None or value > best[0]):
                left, top = int(xs.flat[at]), int(ys.flat[at])
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
