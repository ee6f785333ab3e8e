"""Whether something is there at all: a blank, a struck-out glyph, a signature.

Owns:   `written_strokes`, `surely_written`, `is_blank`, `is_struck`, `signature_present`.
Needs:  numpy, cv2, `components`, `lines`, `preprocess`, `printed`.
Words:  *ink* is bright on black. Answers between 0 and 1 are shares, not calibrated.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.components import Components, components_of
from edge_runtime.kernels import full_kernel
from edge_runtime.lines import Gray, stroke_width_px
from edge_runtime.preprocess import STROKE
from edge_runtime.printed import erase_printed, find_printed

Strokes = NDArray[np.int32]  # (n, 5)

_FULL = 140  # and somewhere a stroke has this much; grain has not
_PALE, _PALE_PEAK = 45, 60  # a pale stroke's pixels, and its darker ones
_STANDS_OUT = 2.5  # times the darkest of the paper around it
_LONG = 0.2  # of its field's height
_SIDE = 0.12  # of a cell, along each of its sides
_DOT = 0.0015  # of the square of its field's height: a full stop half a millimetre wide in 12 mm
_SPECK_PX = 5
_HAIR = 0.05  # of the height: no thicker is what a border leaves behind
_DENSE = 0.55  # of its hull a scribble fills
_SCRIBBLE_PX = 18  # smaller ones cannot be told from a bold glyph


def is_blank(ink: Gray, strokes: Strokes | None = None) -> bool:
    """Whether nobody wrote here: paper grain, specks and left-over bits of rules do not count.

    Args:
        ink: uint8 (h, w), ink bright on black, rules removed.
        strokes: From `written_strokes`, where they are known.
    """
    kept = written_strokes(ink) if strokes is None else strokes
    return len(kept) == 0 and not _faint(ink)


def is_struck(ink: Gray, strokes: Strokes | None = None) -> bool:
    """Whether a glyph has been scribbled over, so that nobody is meant to read it.

    Strokes over strokes leave little paper between them: within its outline a glyph is a third ink,
    a scribble is mostly ink, and far more strokes wide than a pen can make one glyph.

    Args:
        ink: uint8 (h, w), ink bright on black, of one cell or one glyph.
        strokes: From `written_strokes`, where they are known.
    """
    kept = written_strokes(ink) if strokes is None else strokes
    if len(kept) == 0:
        return False
    x, y, w, h, area = kept[kept[:, cv2.CC_STAT_AREA].argmax()].tolist()
    least = max(_SCRIBBLE_PX, 0.35 * ink.shape[0])
    if w * h < least * least:  # no rectangle around it has two sides as long
        return False
    # A margin of paper: ink from edge to edge has no distance to any paper.
    mask = np.zeros((h + 2, w + 2), np.uint8)
    mask[1:-1, 1:-1] = ink[y : y + h, x : x + w] >= STROKE
    outline, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    points = np.concatenate(outline)
    sides = sorted(cv2.minAreaRect(points)[1])
    if sides[0] < least or sides[1] > 2 * sides[0]:
        return False
    hull = max(1.0, cv2.contourArea(cv2.convexHull(points)))
    dense = area / hull
    if dense < _DENSE:
        return False
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    loops = len(contours) - len(outline)  # paper between crossing strokes: two in an 8
    blob = cv2.distanceTransform(mask, cv2.DIST_L2, 3).max() * 2
    thick = blob >= 0.5 * sides[0]
    return bool((dense >= 0.78 and thick) or loops >= 6)


def signature_present(ink: Gray) -> float:
    """How surely somebody signed: the length of what was written against the height of the field.

    Args:
        ink: uint8 (h, w), ink bright on black, rules included or not.

    Returns:
        0 for an empty field or a cross where to sign, 1 for more writing than an initial needs.
    """
    clean = erase_printed(ink, find_printed(ink, 0))
    kept = written_strokes(clean)
    if len(kept) == 0:
        return 0.0
    pen = max(1.0, stroke_width_px(clean))
    length = float(kept[:, cv2.CC_STAT_AREA].sum()) / pen / ink.shape[0]
    return float(np.clip((length - 0.4) / 1.2, 0, 1))


def _faint(ink: Gray) -> bool:
    """Whether a pale stroke stands out from its paper: beside bold writing a pencil's is pale.

    Looked at is what stands clear of the sides, where borders leave remains.
    """
    h, w = ink.shape
    edge_y, edge_x = round(_SIDE * h), round(_SIDE * w)
    inner = ink[edge_y : h - edge_y, edge_x : w - edge_x]
    if inner.size == 0:
        return False
    pale = components_of(inner, _PALE)
    if pale.count == 1:
        return False
    largest = int(pale.areas.argmax())
    _, _, width, height, area = pale.stats[largest].tolist()
    if max(width, height) < _LONG * h or area < 2 * _SPECK_PX:
        return False
    mine = pale.labels == 1 + largest
    around = cv2.dilate(mine.astype(np.uint8), full_kernel(5, 5)) == 0
    if not around.any():
        return False
    stroke = float(np.percentile(inner[mine], 80))
    paper = float(np.percentile(inner[around], 98))
    return stroke >= _PALE_PEAK and stroke >= _STANDS_OUT * paper


def surely_written(ink: Gray, strokes: Components) -> bool:
    """Whether the largest component is plainly written; where not, `written_strokes` has to look.

    Args:
        ink: uint8 (h, w), ink bright on black, rules removed.
        strokes: Its components from `STROKE` on.
    """
    if strokes.count == 1:
        return False
    h, areas = ink.shape[0], strokes.areas
    largest = int(areas.argmax())
    if areas[largest] < max(_SPECK_PX, _DOT * h * h):
        return False
    own = (strokes.of_run == largest + 1).nonzero()[0]
    longest = int(own[strokes.lengths.take(own).argmax()])
    start, stop = int(strokes.starts[longest]), int(strokes.stops[longest])
    side, first, last = strokes.wide.shape[1], int(own[0]), int(own[-1])
    high = int(strokes.starts[last]) // side - int(strokes.starts[first]) // side + 1
    if min(stop - start, high) <= max(2.0, _HAIR * h):
        return False
    row, column = divmod(start, side)
    return bool(np.maximum.reduce(ink[row, column - 1 : column - 1 + stop - start]) >= _FULL)


def written_strokes(ink: Gray, strokes: Components | None = None) -> Strokes:
    """Components of ink that are written: (n, 5) left, top, width, height, area.

    Args:
        ink: uint8 (h, w), ink bright on black, rules removed.
        strokes: Its components from `STROKE` on, where they are known.
    """
    h, w = ink.shape
    strokes = components_of(ink, STROKE) if strokes is None else strokes
    if strokes.count == 1:
        return np.zeros((0, 5), np.int32)
    x, y, width, height, area = strokes.stats.T
    written = area >= max(_SPECK_PX, _DOT * h * h)
    written &= strokes.holding(ink, _FULL)
    # A hair line along a side of the crop is what a border or a rule left behind.
    hair = max(2.0, _HAIR * h)
    if not (written & (np.minimum(width, height) <= hair)).any():
        return np.asarray(strokes.stats[written], np.int32)
    at_side = (x <= hair) | (x + width >= w - hair)
    at_edge = (y <= hair) | (y + height >= h - hair)
    written &= ~((width <= hair) & at_side & (height >= 3 * width))
    written &= ~((height <= hair) & at_edge & (width >= 4 * height))
    written &= ~((height <= hair) & (width >= 0.8 * w) & (w >= 2 * h))
    return np.asarray(strokes.stats[written], np.int32)
