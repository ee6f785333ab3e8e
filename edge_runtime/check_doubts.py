"""What speaks against accepting a check box, however surely it looks marked or empty.

Owns:   `check_doubt`, `far_beyond`, `is_circled`, `CIRCLED`.
Needs:  numpy, cv2.
Words:  a *patch* is a box in the middle of some paper, 0 or 1, strokes 1.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

CIRCLED = "ink around the box: it may be circled as an answer"
_CLEAR = 0.08  # of the side, outwards: the box's own lines
_SECTORS, _MOST_OF = 32, 0.55  # directions; and of them that one stroke takes, where it is circled
_GAP, _BESIDE = 0.12, 0.12  # of the side: by which it may be open; and the paper beside the box
_ARCH, _BENT = 0.7, 0.04  # of the side: how wide an arch is; how much higher its middle
_FREE_SIDES = 2  # of a box with paper between it and a circle
_LONG = 0.75  # of the patch's width or height: a line of the form's, and no stroke around a box
_END = 2  # pixels of a patch that a line of the form reaches on both sides
_CORE, _DOT = 0.3, 0.02  # of the side: about its middle; and of that what is no speck
_BAND, _OUT = 0.3, 0.2  # of the side: how far off its middle a box is struck out; and beyond it

_FAR, _MUCH = 0.22, 0.12  # of the side, outwards; and of the paper there that is ink


def check_doubt(patch: Gray, *, rim: int, marked: bool) -> str:
    """Why not to accept a box; "" where nothing speaks against it.

    Args:
        patch: uint8 (h, w), h and w alike.
        rim: Pixels of paper on each side of the box.
        marked: It looks marked inside.
    """
    side = patch.shape[0] - 2 * rim
    if marked:
        return "struck through" if _is_struck(patch, rim, side) else ""
    if _is_dotted(patch, rim, side):
        return "a dot in the box"
    return CIRCLED if is_circled(patch, rim=rim) else ""


def far_beyond(patch: Gray, *, rim: int) -> str:
    """Why not to accept a blackened box, even where that is how to answer: ink goes on far beyond
    it on two sides or more, as it does where it is scribbled out. Arguments as in `check_doubt`."""
    side = patch.shape[0] - 2 * rim
    away = rim - round(_FAR * side)
    inside = slice(rim, rim + side)
    # Of one piece with what is inside: a label and a neighbour are not.
    _, labels = cv2.connectedComponents(patch, connectivity=8)
    own = np.unique(labels[inside, inside])
    free = np.isin(labels, own[own > 0])
    beyond = (free[:away, inside], free[-away:, inside], free[inside, :away], free[inside, -away:])
    much = sorted(float(part.mean()) for part in beyond)[-2] >= _MUCH
    return "scribbled far beyond the box" if much else ""


def _is_struck(patch: Gray, rim: int, side: int) -> bool:
    """Whether ink of one piece goes through the box and beyond it on both sides, at its middle."""
    _, labels = cv2.connectedComponents(patch, connectivity=8)
    middle, half, out = rim + side // 2, round(_BAND * side), round(_OUT * side)
    band = labels[middle - half : middle + half + 1]
    left, right = band[:, max(0, rim - out)], band[:, min(labels.shape[1] - 1, rim + side + out)]
    both = np.intersect1d(left[left > 0], right[right > 0])
    return both.size > 0


def _is_dotted(patch: Gray, rim: int, side: int) -> bool:
    """Whether there is ink in the middle, short as it may be."""
    rows, columns = np.mgrid[: patch.shape[0], : patch.shape[1]]
    middle = rim + side / 2 - 0.5
    core = np.hypot(columns - middle, rows - middle) <= _CORE * side
    return float(patch[core].mean()) >= _DOT


def is_circled(patch: Gray, *, rim: int) -> bool:
    """Whether a stroke goes around the box, or nearly; lines of the form, labels and boxes beside
    it are none. Arguments as in `check_doubt`."""
    side = patch.shape[0] - 2 * rim
    free = _without_lines(patch)
    # Between a circle and the sides of a box there is paper; a frame or a tint begins at the box.
    at, beside = rim + side // 2, round(_BESIDE * side)
    ends = slice(rim - beside, rim - 1), slice(rim + side + 1, rim + side + beside)
    strips = [free[end, at] for end in ends] + [free[at, end] for end in ends]
    if sum(bool((one == 0).any()) for one in strips) < _FREE_SIDES:
        return False
    if _is_enclosed(free, rim, side) or _is_followed(free, rim, side):
        return True
    # A circle that is larger than the patch: what is left of it bends around the box.
    near = rim - round(_CLEAR * side)
    above, below, left, right = (
        _is_arched(one[:near], side) for one in (free, free[::-1], free.T, free.T[::-1])
    )
    return (above and below) or (left and right)


def _is_arched(part: Gray, side: int) -> bool:
    """Whether one stroke goes along the paper above a box, uint8 (h, w), its middle farther off
    than its ends: the side of another box is straight, and its corners turn away."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    for k, (x, _, w, _, _) in enumerate(stats[1:].tolist(), 1):
        if w < _ARCH * side:
            continue
        edge = (labels[:, x : x + w] == k).argmax(axis=0)  # of a bold stroke the outer one
        first, middle, last = (float(one.mean()) for one in np.array_split(edge, 3))
        if min(first, last) - middle >= _BENT * side:
            return True
    return False


def _is_enclosed(free: Gray, rim: int, side: int) -> bool:
    """Whether no way leads from the paper beside the box's sides out of the patch: the stroke may
    touch its corners."""
    gap = round(_GAP * side) | 1
    shut = np.pad(cv2.morphologyEx(np.pad(free, gap), cv2.MORPH_CLOSE, np.ones((gap, gap))), 1)
    reached = shut.copy()
    cv2.floodFill(reached, None, (0, 0), 2, flags=4)
    at, beside, edge = rim + side // 2, round(_BESIDE * side), gap + 1
    near = ((rim - beside, at), (rim + side + beside, at), (at, rim - beside),
            (at, rim + side + beside))  # fmt: skip
    return all(reached[y + edge, x + edge] != 2 for y, x in near)


def _is_followed(free: Gray, rim: int, side: int) -> bool:
    """Whether one stroke beyond the box takes most directions."""
    reach = side / 2 + round(_CLEAR * side)
    middle = rim + side / 2 - 0.5
    rows, columns = np.mgrid[: free.shape[0], : free.shape[1]]
    beyond = np.maximum(np.abs(rows - middle), np.abs(columns - middle)) > reach
    count, labels = cv2.connectedComponents(np.where(beyond, free, np.uint8(0)), connectivity=8)
    turn = np.arctan2(rows - middle, columns - middle) / (2 * np.pi) + 0.5
    sector = np.minimum((turn * _SECTORS).astype(np.intp), _SECTORS - 1)
    seen = np.zeros((count, _SECTORS), bool)
    seen[labels, sector] = True
    return int(seen[1:].sum(1).max(initial=0)) >= _MOST_OF * _SECTORS


def _without_lines(patch: Gray) -> Gray:
    """Without rows and columns that are ink nearly from end to end, a pixel of slope allowed."""
    out = patch.copy()
    for one, high in ((out, (3, 1)), (out.T, (1, 3))):
        thick = cv2.dilate(patch, np.ones(high, np.uint8))
        seen = thick if one is out else thick.T
        # A circle and the box's own line in one row do not go on beyond the circle.
        whole = seen[:, :_END].any(1) & seen[:, -_END:].any(1)
        one[whole & (seen.mean(1) >= _LONG)] = 0
    return out
