"""Check boxes that are no plain squares: what is printed is taken out, and the mark stands alone.

Owns:   `BareBox`, `PrintedBox`, `ring_box`, `clear_box`, `print_place`.
Needs:  numpy, cv2, `rings`, `outlines`.
Words:  *ink* is bright on black. A box is *bare* when its print is gone: its ring, which the page
        shows, or all that the form's blank reference has there.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.field import Box
from edge_runtime.outlines import Outlines
from edge_runtime.rings import Ring, find_ring, is_full, roundness, without_ring

Gray = NDArray[np.uint8]

SIDE = 40  # pixels that a box's sides are brought to
_INK, _PALE = 90, 48  # a pixel of this much ink is a stroke's; and a pale ring's, beside a pen's
_PLAIN, _WORST = 0.9, 0.75  # of a square's outline that is ink, and of its worst side
_CLEAN = 0.004  # of the inside of a plain square that is ink
_BOLD = 0.16  # of the side: what plain squares are judged with ends there
_FRAME, _LINE = 0.25, 0.8  # of the side: no line is so thick; and of a line's row that is ink
_STRAY, _SIZE = 0.2, (0.8, 1.2)  # of the side: how far off a square may stand; and its size
_ROUND = 0.3  # by which a ring must be seen better than a square, see `roundness`
_LONG = 1.25  # times as wide as high, or high as wide: an oval. Boxes are drawn less exactly
_OVALS = (1.0, 0.9, 1.1, 0.82, 1.2)  # by which their proportions may be off
_SHIFT = 0.14  # of the side, by which print may be off after registration
_INNER = 0.15  # of a side, inwards: what of a box is looked at for more ink than print
_DARKER, _BY = 1.3, 40  # ink darker than that is the pen's, as in `reference_print`


@dataclass(frozen=True, slots=True, eq=False)
class PrintedBox:
    """What a form's blank reference has where a check box is, and is no plain square."""

    ink: Gray  # (h, w), of the same crop as the page's
    place: Box  # of its ring or square, else of the field; pixels of the crop


@dataclass(frozen=True, slots=True, eq=False)
class BareBox:
    """A check box without its print."""

    whole: Gray  # (h, w), ink of the box and some paper around it, its print, too
    ink: Gray  # (h, w), without it
    own: Gray  # (h, w), the same without pieces that do not come near the box: labels, neighbours
    box: Box  # pixels of `ink`
    met: float = 1.0  # 0..1, of what the form prints there the part that the page shows
    more: float = 0.0  # -1..1, of the box's inside by how much more is ink than the form prints


def ring_box(ink: Gray, box: Box, *, sure: bool = False) -> BareBox | None:
    """A box whose ring the page shows, without it; None where it shows a square as well, or none.

    None, too, where it is blackened: a scribble over a square is round.

    Args:
        ink: uint8 (h, w), the box and some paper around it.
        box: About where it stands, pixels.
        sure: It is known to be a circle.
    """
    w, h = box[2] - box[0], box[3] - box[1]
    best: tuple[float, BareBox] | None = None
    for stretch in _OVALS if max(w, h) > _LONG * min(w, h) else _OVALS[:1]:
        small, place = _sized(ink, box, stretch)
        for least in (_INK, _PALE):
            mask = (small >= least).astype(np.uint8)
            found = find_ring(mask, place)
            if found is None:
                continue
            score = roundness(mask, found)
            shown = score >= _ROUND and not is_full(mask, found)
            if (sure or shown) and (best is None or score > best[0]):
                best = score, _without(small, found, least)
                break
    return None if best is None else best[1]


def _without(ink: Gray, ring: Ring, least: int) -> BareBox:
    r = ring.radius
    around = ring.x - r, ring.y - r, ring.x + r, ring.y + r
    bare = without_ring(ink, ring, least=least)
    return BareBox(ink, bare, np.where(_near(ink, around), bare, np.uint8(0)), around)


def clear_box(ink: Gray, printed: PrintedBox) -> BareBox:
    """A box without what the form prints there; `ink` and `printed` of one shape."""
    small, place = _sized(ink, printed.place)
    blank, _ = _sized(printed.ink, printed.place)
    dx, dy, blank = _moved_onto(small, blank)
    place = place[0] + dx, place[1] + dy, place[2] + dx, place[3] + dy
    on = blank >= _INK
    if not on.any():
        return BareBox(small, small, np.where(_near(small, place), small, np.uint8(0)), place)
    wide = cv2.dilate(small, np.ones((3, 3), np.uint8))
    # A page's ink is stretched to the darkest of its crop, which may be the pen's.
    gain = float(np.median(small[on]) / max(1.0, np.median(blank[on])))
    level = cv2.dilate(blank, np.ones((5, 5), np.uint8))
    gone = (level >= _BY) & (small <= _DARKER * gain * level.astype(np.float32) + _BY)
    bare = np.where(gone, np.uint8(0), small)
    own = np.where(_near(bare, place), bare, np.uint8(0))
    x0, y0, x1, y1 = place
    wx, wy = _INNER * (x1 - x0), _INNER * (y1 - y0)
    inner = np.s_[max(0, round(y0 + wy)) : round(y1 - wy), max(0, round(x0 + wx)) : round(x1 - wx)]
    met, more = float((wide[on] >= _PALE).mean()), 0.0
    if small[inner].size:
        more = float((small[inner] >= _INK).mean() - (blank[inner] >= _INK).mean())
    return BareBox(small, bare, own, place, met=met, more=more)


def print_place(blank: Gray, box: Box) -> Box | None:
    """Where a blank form has a ring or a square with something in it; the box itself where it has
    other print or none; None where it has a square of plain lines and nothing else.

    Args:
        blank: uint8 (h, w), ink of the form, the box and some paper around it.
        box: About where it stands, pixels.
    """
    small, place = _sized(blank, box)
    kx = (box[2] - box[0]) / (place[2] - place[0])
    ky = (box[3] - box[1]) / (place[3] - place[1])
    mask = (small >= _INK).astype(np.uint8)
    found = find_ring(mask, place)
    if found is not None and roundness(mask, found) >= _ROUND:
        r = found.radius
        seen = found.x - r, found.y - r, found.x + r, found.y + r
    else:
        square = _square(mask, place)
        if square is None:
            return box
        if _is_plain(mask, square):
            return None
        x, y, side = square
        seen = float(x), float(y), float(x + side), float(y + side)
    return kx * seen[0], ky * seen[1], kx * seen[2], ky * seen[3]


def _sized(ink: Gray, box: Box, stretch: float = 1.0) -> tuple[Gray, Box]:
    """A crop in which the sides of the box are about `SIDE`, a long one's made alike, and its place
    there."""
    w, h = max(1.0, box[2] - box[0]), max(1.0, box[3] - box[1])
    if max(w, h) <= _LONG * min(w, h):
        w = h = (w + h) / 2
    kx, ky = SIDE / w * stretch, SIDE / h
    high, wide = ink.shape
    size = max(1, round(kx * wide)), max(1, round(ky * high))
    way = cv2.INTER_AREA if kx * ky < 1 else cv2.INTER_LINEAR
    kx, ky = size[0] / wide, size[1] / high
    small = np.asarray(cv2.resize(ink, size, interpolation=way), np.uint8)
    return small, (kx * box[0], ky * box[1], kx * box[2], ky * box[3])


def _square(mask: Gray, box: Box) -> tuple[int, int, int] | None:
    """Left, top and side of the largest square that is seen near a box."""
    outlines = Outlines(mask)
    side = (box[2] - box[0] + box[3] - box[1]) / 2
    stray = round(_STRAY * side)
    across = 2 * stray + 1
    best: tuple[float, tuple[int, int, int]] = (0.0, (0, 0, 0))
    for side_px in range(int(_SIZE[0] * side), int(_SIZE[1] * side) + 1):
        left = round((box[0] + box[2] - side_px) / 2) - stray
        top = round((box[1] + box[3] - side_px) / 2) - stray
        seen = outlines.supports(left, top, (across, across), side_px)
        mean, worst = seen.mean(-1), seen.min(-1)
        score = np.where((mean >= _PLAIN) & (worst >= _WORST), mean + 0.05 * side_px / side, 0.0)
        row, column = divmod(int(score.argmax()), across)
        if score[row, column] > best[0]:
            best = float(score[row, column]), (left + column, top + row, side_px)
    return best[1] if best[0] > 0 else None


def _is_plain(mask: Gray, square: tuple[int, int, int]) -> bool:
    """Whether a square has thin lines and nothing is printed within."""
    x, y, side = square
    out = 2  # a line may begin a little beside the square that was found
    box = mask[max(0, y - out) : y + side + out + 1, max(0, x - out) : x + side + out + 1]
    reach = []
    for one in (box, box[::-1], box.T, box.T[::-1]):
        line = one[: round(_FRAME * side)].mean(1) >= _LINE
        begin = int(line.argmax())
        reach.append(begin + int(np.argmin(np.append(line[begin:], False))) + 1)
    inner = box[reach[0] : -reach[1], reach[2] : -reach[3]]
    bold = max(reach) > out + _BOLD * side
    return not bold and bool(inner.size) and float(inner.mean()) <= _CLEAN


def _near(ink: Gray, box: Box) -> NDArray[np.bool_]:
    """bool (h, w), where pieces of ink are that a box holds a part of."""
    _, labels = cv2.connectedComponents((ink >= _PALE).view(np.uint8), connectivity=8)
    x0, y0, x1, y1 = (max(0, round(edge)) for edge in box)
    own = np.unique(labels[y0 : y1 + 1, x0 : x1 + 1])
    return np.asarray(np.isin(labels, own[own > 0]))


def _moved_onto(ink: Gray, blank: Gray) -> tuple[int, int, Gray]:
    """By how much what the blank form has stands to the right and below of where it was expected,
    and that moved."""
    k = round(_SHIFT * SIDE)
    where = (blank >= _INK).astype(np.float32)
    around = cv2.copyMakeBorder(
        (ink >= _INK).astype(np.float32), k, k, k, k, cv2.BORDER_CONSTANT, value=0
    )
    met = cv2.matchTemplate(around, where, cv2.TM_CCORR)
    # Of shifts that meet as much, the smallest: under a scribble all meet.
    off = np.hypot(*np.mgrid[-k : k + 1, -k : k + 1])
    row, column = np.unravel_index(int((met - 0.01 * where.sum() * off).argmax()), met.shape)
    dx, dy = int(column) - k, int(row) - k
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
    return dx, dy, np.asarray(cv2.warpAffine(blank, move, ink.shape[::-1]), np.uint8)
