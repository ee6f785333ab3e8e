"""What scanners and copiers do to the tones of a page: negatives, and copies that came out pale.

Owns:   `positive`, `strengthened`.
Needs:  numpy, cv2.
Words:  *ink*: what stands out dark from its paper, and is thin. Both functions give back the very
        page they were given where there is nothing to do.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

_EVERY_PX = 16  # pixels that are asked first, in either direction
_DARK = 100  # grey level under which most of a negative is; of a photo most is desk and paper
_LOOK_PX = 700  # longer edge that a dark page is looked at: writing is one or two pixels wide
_WIDE_PX = 9  # on it, wider than any stroke, narrower than a card on a black desk
_RIM = 0.1  # of either edge, left out: what lies about a page is turned, too
_TILES = 8  # to each edge
_FINE = 0.004  # of a tile is writing or print
# Tiles of a negative: at least written on, and so many times as many as are light as paper. Drawn
# ones have 0.65 to 1 written, 0.16 light at most; of photos and scans none comes near.
_WRITTEN, _TIMES = 0.15, 3.0

_SIDE_PX, _PATCHES = 96, 6  # patches by which ink is measured, to each edge
_STROKE_PX = 15  # wider than a stroke or a line at 300 dpi
_NO_INK = 12  # grey levels: grain and shadows
_LEAST_INK = 0.003  # of the patches
_MOST_INK = 0.15  # more is grain or a pattern, and no measure of ink
_STRONG = 0.9  # of the ink is lighter than what is called its strength
# Grey levels. Copies with half of their ink have 79 to 90, drawn scans 150 or more, on a grey paper
# 95 or more; what is paler is made as strong as a scan.
_PALE, _FULL = 85.0, 150.0
_MOST_GAIN = 5.0
_PAPER_SHRINK, _PAPER_TILES = 16, 9  # paper is the lightest within some 150 pixels
_PAPER = 240  # its grey level in a page made strong: no camera's white


def positive(page: Gray) -> Gray:
    """A negative turned into what was photographed or scanned, light paper and dark ink.

    Most of a negative is dark, and what is light on it is thin, but for the rim around the page.
    On a black desk a sheet is light as a whole.

    Args:
        page: uint8 (h, w).
    """
    if np.median(page[::_EVERY_PX, ::_EVERY_PX]) >= _DARK:
        return page
    shrink = max(page.shape) / _LOOK_PX
    size = tuple(max(_TILES, round(edge / shrink)) for edge in page.shape[::-1])
    small = np.asarray(cv2.resize(page, size, interpolation=cv2.INTER_AREA), np.uint8)
    h, w = small.shape
    y, x = round(_RIM * h), round(_RIM * w)
    inner = small[y : h - y, x : w - x]
    dark, bright = (float(level) for level in np.percentile(inner, (10, 99.8)))
    light = (inner > (dark + bright) / 2).astype(np.uint8)
    kernel = np.ones((_WIDE_PX, _WIDE_PX), np.uint8)
    wide = np.asarray(cv2.morphologyEx(light, cv2.MORPH_OPEN, kernel), np.uint8)
    tiles = (_TILES, _TILES)
    fine = cv2.resize((light & ~wide) * 1.0, tiles, interpolation=cv2.INTER_AREA)
    paper = cv2.resize(light * 1.0, tiles, interpolation=cv2.INTER_AREA) > 0.5
    written = (np.asarray(fine) > _FINE) & ~paper
    share = float(written.mean())
    if bright - dark < _NO_INK or share < max(_WRITTEN, _TIMES * float(paper.mean())):
        return page
    return np.asarray(cv2.bitwise_not(page), np.uint8)


def strengthened(page: Gray) -> Gray:
    """A pale copy with ink as dark as a scan's, on even paper: to find its form by, not to read.

    Args:
        page: uint8 (h, w), dark on light.
    """
    ink = _ink_of(page)
    if not 0 < ink < _PALE:
        return page
    gain = min(_MOST_GAIN, _FULL / ink)
    h, w = page.shape
    small = cv2.resize(
        page, (-(-w // _PAPER_SHRINK), -(-h // _PAPER_SHRINK)), interpolation=cv2.INTER_AREA
    )
    small = cv2.dilate(small, np.ones((_PAPER_TILES, _PAPER_TILES), np.uint8))
    small = cv2.blur(small, (_PAPER_TILES, _PAPER_TILES))
    paper = np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)
    depth = cv2.convertScaleAbs(cv2.subtract(paper, page), alpha=gain)
    return np.asarray(cv2.subtract(np.full_like(page, _PAPER), depth), np.uint8)


def _ink_of(page: Gray) -> float:
    """By how many grey levels ink is darker than its paper; 0 where too little, or no ink is."""
    high, wide = (min(_SIDE_PX, edge) for edge in page.shape)
    rows, cols = (
        np.linspace(0, max(0, edge - _SIDE_PX), _PATCHES).astype(int).tolist()
        for edge in page.shape
    )
    # All patches side by side, so far apart that none has a say in the closing of another.
    apart = _STROKE_PX // 2
    shape = _PATCHES, high + apart, _PATCHES, wide + apart
    beside = np.zeros(shape, np.uint8)
    for i, y in enumerate(rows):
        for j, x in enumerate(cols):
            beside[i, :high, j, :wide] = page[y : y + high, x : x + wide]
    kernel = np.ones((_STROKE_PX, _STROKE_PX), np.uint8)
    flat = beside.reshape(shape[0] * shape[1], -1)
    closed = np.asarray(cv2.dilate(flat, kernel), np.uint8).reshape(shape)
    closed[:, high:] = closed[..., wide:] = 255
    depth = cv2.subtract(cv2.erode(closed.reshape(flat.shape), kernel), flat)
    own = np.asarray(depth, np.uint8).reshape(shape)[:, :high, :, :wide].reshape(-1, wide)
    counts = np.asarray(cv2.calcHist([own], [0], None, [256], [0, 256]), np.float64).ravel()
    total = counts.sum()
    counts[:_NO_INK] = 0
    seen = counts.sum()
    if not _LEAST_INK * total <= seen <= _MOST_INK * total:
        return 0.0
    return float(np.searchsorted(counts.cumsum(), _STRONG * seen))
