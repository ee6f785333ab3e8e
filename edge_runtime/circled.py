"""Printed words of which one is circled: where ink goes around each.

Owns:   `look_at_words`, `circled`, `usual_of`.
Needs:  numpy, cv2, `bubbles`, `field`.
Words:  *around* a word is what lies beyond its box, up to its neighbours' and a word's height. Of
        that the *sectors* are directions from its middle, its width made as its height.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.bubbles import Bubbles
from edge_runtime.field import Box

Gray = NDArray[np.uint8]
Floats = NDArray[np.float64]

PAD = 1.0  # of a word's height: paper around a row that is looked at
SECTORS = 32
_ON = 0.2  # of the paper's light: a pixel that lacks as much is ink
_PAPER = 80  # per cent of a row that are no lighter than its paper
_GROWN = 0.08  # of a word's height, beyond its box: print goes no farther
# Log odds by the share of sectors with ink that is no print. Of 172 drawn circles all but one took
# 0.7 of them or more, of 468 other words 99 % 0.36 or less, those underlined up to 0.5.
_HALF, _STEEP = 0.6, 30.0
_TRACE = 0.1  # of the sectors; less may be a speck
_DARKER = 0.06  # of the word's own box, by which it is darker than print where it is struck out
_FEWEST, _USUAL = 4, 0.7  # rows that tell what is printed; and of them that have ink there


def look_at_words(pixels: Gray, boxes: Sequence[Box], *, printed: Gray | None = None) -> Bubbles:
    """Measure a row of words; arguments as those of `bubbles.look_at_bubbles`.

    Returns:
        `features` float64 (n, SECTORS + 2): of each sector whether ink is there, the share of
        sectors that one stroke takes, and how much of the word's own box is ink.
    """
    sizes = np.array([(x1 - x0, y1 - y0) for x0, y0, x1, y1 in boxes])
    blank = None if printed is None else _measured(printed, boxes)
    return Bubbles(_measured(pixels, boxes), blank, True, sizes)


def circled(features: Floats, usual: Floats | None) -> tuple[Floats, NDArray[np.bool_]]:
    """Log odds that each word of a row is circled, float64 (n,), and of each whether anything is
    there beside its print, bool (n,).

    Args:
        features: As `look_at_words` has them.
        usual: The same of the form's print; None: not known.
    """
    known = np.zeros_like(features) if usual is None else usual
    free = known[:, :SECTORS] < _USUAL
    more = (features[:, :SECTORS] > 0) & free
    share = more.sum(1) / np.maximum(1, free.sum(1))
    around = np.maximum(share, np.minimum(features[:, SECTORS], 1.0))
    traces = share >= _TRACE
    if usual is not None:
        traces |= features[:, SECTORS + 1] - known[:, SECTORS + 1] >= _DARKER
    return _STEEP * (np.minimum(around, share + 0.2) - _HALF), traces


def usual_of(rows: Sequence[Bubbles], own: Bubbles) -> Floats | None:
    """What is printed around the words of a row, told by a blank reference, or by other rows of
    the same words; None where neither tells."""
    if own.blank is not None:
        return own.blank
    if len(rows) < _FEWEST:
        return None
    every = np.stack([one.features for one in rows])
    usual = every.mean(axis=0)
    usual[:, SECTORS + 1] = np.percentile(every[:, :, SECTORS + 1], 30, axis=0)
    return np.asarray(usual)


def _measured(pixels: Gray, boxes: Sequence[Box]) -> Floats:
    paper = max(1.0, float(np.percentile(pixels, _PAPER)))
    ink = (pixels < (1 - _ON) * paper).astype(np.uint8)
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]]
    out = []
    for k, (x0, y0, x1, y1) in enumerate(boxes):
        high = max(1.0, y1 - y0)
        grown, reach = _GROWN * high, PAD * high
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        dx, dy = np.abs(columns + 0.5 - x) - (x1 - x0) / 2, np.abs(rows + 0.5 - y) - high / 2
        away = np.maximum(dx, dy)
        around = (away > grown) & (away <= reach)
        for j, (a, b, c, d) in enumerate(boxes):
            if j != k:  # nor what is nearer to another word
                around &= ~((columns >= a) & (columns <= c) & (rows >= b) & (rows <= d))
        free = np.where(around, ink, np.uint8(0))
        count, labels = cv2.connectedComponents(free, connectivity=8)
        turn = np.arctan2(
            (rows + 0.5 - y) / (high + reach), (columns + 0.5 - x) / (x1 - x0 + reach)
        )
        sector = ((turn / (2 * np.pi) + 0.5) * SECTORS).astype(np.intp).clip(0, SECTORS - 1)
        seen = np.zeros((count, SECTORS), bool)
        seen[labels, sector] = True
        strokes = seen[1:]
        own = ink[max(0, int(y0)) : int(y1) + 1, max(0, int(x0)) : int(x1) + 1]
        out.append(
            [
                *strokes.any(0).astype(float),
                float(strokes.sum(1).max(initial=0)) / SECTORS,
                float(own.mean()) if own.size else 0.0,
            ]
        )
    return np.array(out)
