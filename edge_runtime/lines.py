"""Printed lines in a crop: rules, box borders, comb teeth.

Owns:   `find_lines` (straight thin lines of one direction), `stroke_width_px`.
Needs:  numpy, cv2.
Words:  *ink* is bright on black. A *line* runs along the columns of its array; for those that stand
        upright the callers hand in the transposed ink. *Thin* is meant across the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

MAX_SLOPE = 0.055  # 3 degrees and a little: what a page is off after registration
_FAINT = 64  # from this ink on a line counts fully: printed rules are often paler than the pen
ON = 40  # less ink is paper; the grain of scans ends at 30
_DOTS_PX = 7  # dots of a dotted rule stand up to 6 pixels apart at 200 dpi
MOST_BEND_PX = 0.8  # from a straight line, root mean square: no printed line strays farther
_BLOCK_PX = 16  # a line 3 degrees off climbs less than a pixel in a block


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A straight thin line of ink along the columns."""

    start: int  # first column
    stop: int  # last column, exclusive
    rows: NDArray[np.intp]  # (w,) its centre row at every column of the crop
    cover: float  # share of the columns from start to stop that hold ink
    thin: float  # share of them where the ink is no thicker than a line
    bend_px: float  # how far it strays from a straight line, root mean square
    thick_px: float

    @property
    def length(self) -> int:
        """Columns from end to end."""
        return self.stop - self.start

    @property
    def row(self) -> float:
        """Centre row in the middle of its extent."""
        return float(self.rows[min((self.start + self.stop) // 2, self.rows.size - 1)])


def find_lines(
    ink: Gray,
    *,
    thick_px: int,
    least: float,
    gap_px: int,
    length_px: float = 1.0,
    cover: float = 0.0,
) -> list[Line]:
    """Every thin straight run of ink along the columns, at most `MAX_SLOPE` off.

    Args:
        ink: uint8 (h, w), ink bright on black.
        thick_px: Ink thicker than this, across, is no line.
        least: 0..1, share of the crop's width that a line covers at least.
        gap_px: Gaps up to this long do not end a line.
        length_px: Shorter ones are left out.
        cover: 0..1, and those that hold less ink.

    Returns:
        Lines by their row, none that strays more than `MOST_BEND_PX`. They are candidates: a bar of
        a T is among them, the callers judge.
    """
    h, w = ink.shape
    reach = int(np.ceil(MAX_SLOPE * w / 2)) + 1
    half = thick_px // 2 + 4
    pad = reach + half
    padded = cv2.copyMakeBorder(ink, pad, pad, 0, 0, cv2.BORDER_CONSTANT, value=0)
    n = max(4, -(-w // _BLOCK_PX))
    blocks = np.zeros((h + 2 * pad, n), np.uint8)
    blocks[pad : pad + h] = _thin_blocks(padded, h, n, thick_px)
    middle = (np.arange(n) + 0.5) * (w / n) - w / 2
    slopes = np.linspace(-MAX_SLOPE, MAX_SLOPE, 2 * reach + 1)
    climb = np.rint(slopes[:, None] * middle).astype(np.intp)  # (slopes, blocks)
    # A line off by half a pixel shares its ink with the next row: look at three rows in one.
    wide = np.asarray(cv2.dilate(blocks, np.ones((3, 1), np.uint8)), np.uint8)
    sums = _sums_along(wide, pad + climb, h)
    seeds = _peaks(sums.max(0), least=least * n * _FAINT)
    if seeds.size == 0:
        return []
    chosen, seeds = sums[:, seeds].argmax(0), seeds + pad
    shift, bend = _settle(blocks, seeds[:, None] + climb[chosen])
    straight = bend <= MOST_BEND_PX
    if not straight.any():
        return []
    chosen, seeds, shift, bend = (one[straight] for one in (chosen, seeds, shift, bend))
    at = np.minimum(np.arange(w) * n // w, n - 1)
    tracks = seeds[:, None] + climb[chosen][:, at] + shift[:, at]
    tracks += slopes[chosen][:, None] * (np.arange(w) + 0.5 - w / 2 - middle[at])
    # A line settled on a few blocks may run off at its far end: it stays where there are pixels.
    guard = thick_px // 2 + 2
    at_px = np.clip(np.rint(tracks), guard, padded.shape[0] - 1 - guard).astype(np.intp)
    seen = _Seen(np.asarray(padded, np.uint8), pad, at_px, bend)
    return _measure(seen, thick_px, gap_px=gap_px, length_px=length_px, cover=cover)


def _thin_blocks(padded: Gray, h: int, n: int, thick_px: int) -> Gray:
    """uint8 (h, n), how much thin ink is in each block of the middle `h` rows; `_FAINT` at most."""
    beyond = min(thick_px + 2, (padded.shape[0] - h) // 2)  # what an opening looks at
    top = (padded.shape[0] - h) // 2
    near = padded[top - beyond : top + h + beyond]
    across = np.ones((thick_px + 2, 1), np.uint8)
    thin = cv2.morphologyEx(near, cv2.MORPH_TOPHAT, across)[beyond : beyond + h]
    thin = cv2.threshold(thin, _FAINT, _FAINT, cv2.THRESH_TRUNC)[1]
    thin = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((1, _DOTS_PX), np.uint8))
    return np.asarray(cv2.resize(thin, (n, h), interpolation=cv2.INTER_AREA), np.uint8)


def stroke_width_px(ink: Gray) -> float:
    """Mean width of the strokes, pixels: twice their area over their outline. 0 without ink."""
    mask = (ink >= 90).astype(np.uint8)
    area = cv2.countNonZero(mask)
    core = cv2.erode(mask, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return 2 * area / max(1, area - cv2.countNonZero(core))


def _sums_along(wide: Gray, starts: NDArray[np.intp], h: int) -> NDArray[np.unsignedinteger[Any]]:
    """What lies along lines of some slopes, from every row.

    Args:
        wide: uint8 (rows, blocks).
        starts: intp (slopes, blocks), the row at which the first line of a slope meets a block.
        h: Lines, each a row lower.

    Returns:
        Unsigned (slopes, h).
    """
    n = wide.shape[1]
    kind = np.uint16 if n * _FAINT < 1 << 16 else np.uint32
    turned = np.ascontiguousarray(wide.T.astype(kind))
    # A window of h rows is copied as a whole: 35 times as fast as place by place.
    windows = np.lib.stride_tricks.sliding_window_view(turned, h, axis=1)
    return np.asarray(windows[np.arange(n), starts].sum(1, dtype=kind))


def _peaks(score: NDArray[Any], *, least: float) -> NDArray[np.intp]:
    """Where `score` is at its highest among its neighbours; of a plateau, the middle."""
    flat = score.astype(np.float32)[:, None]
    top = cv2.dilate(flat, np.ones((7, 1), np.uint8))
    found = np.flatnonzero((flat == top).ravel() & (score >= least))
    if found.size == 0:
        return found
    apart = np.flatnonzero(np.diff(found) > 3) + 1
    first, last = np.append(0, apart), np.append(apart, found.size)
    return np.asarray(found[first + (last - first) // 2], np.intp)


def _settle(
    blocks: Gray, base: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bring rough lines onto their ink, block by block.

    Returns:
        float64 (lines, blocks) rows to add, and float64 (lines,) the root mean square of what a
        straight line leaves.
    """
    n = blocks.shape[1]
    x = np.arange(n)
    reach = np.arange(-3, 4)
    near = (base[..., None] + reach) * n + x[:, None]
    weight = blocks.ravel()[near].astype(np.float64)  # (lines, blocks, 7)
    total = weight.sum(2)
    off = (weight @ reach) / np.maximum(total, 1)
    sure = np.where(weight.max(2) >= _FAINT / 3, total, 0.0)
    mass = np.maximum(sure.sum(1, keepdims=True), 1e-9)
    run = x - (sure @ x)[:, None] / mass
    mean = (sure * off).sum(1, keepdims=True) / mass
    spread = np.maximum((sure * run * run).sum(1, keepdims=True), 1e-9)
    straight = mean + (sure * run * off).sum(1, keepdims=True) / spread * run
    stray = np.where(sure > 0, off - straight, 0.0)
    bend = np.sqrt((sure * stray**2).sum(1) / mass[:, 0])
    # Paper curls by a pixel or so, and printed lines with it, but over many blocks: what a single
    # block strays is the pull of a stroke.
    around = stray[:, np.clip(np.arange(-2, n + 2), 0, n - 1)]
    calm = _median_of_five([around[:, k : k + n] for k in range(5)])
    return straight + np.clip(calm, -1, 1), bend


def _median_of_five(of: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    a, b, c, d, e = of
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    return np.asarray(np.maximum(np.minimum(low, high), np.minimum(np.maximum(low, high), e)))


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Where lines run, their ends not known yet."""

    padded: Gray  # (h + 2 pad, w)
    pad: int
    tracks: NDArray[np.intp]  # (lines, w), rows of `padded`
    bend: NDArray[np.float64]  # (lines,)


def _measure(
    seen: _Seen, thick_px: int, *, gap_px: int, length_px: float, cover: float
) -> list[Line]:
    """Ends, cover and thickness of every track, at full resolution."""
    tracks = seen.tracks
    w = tracks.shape[1]
    guard = thick_px // 2 + 2
    place = tracks * w + np.arange(w)
    band = seen.padded.ravel()[place[:, None] + (np.arange(-guard, guard + 1) * w)[:, None]]
    centre = np.maximum(np.maximum(band[:, guard - 1], band[:, guard]), band[:, guard + 1])
    on = centre >= ON
    thin = on & (np.maximum(band[:, 0], band[:, -1]) < centre // 2)
    # Gaps close inside the crop only: beyond its sides there is no ink to close up to.
    whole = cv2.copyMakeBorder(
        on.view(np.uint8), 0, 0, gap_px, gap_px, cv2.BORDER_CONSTANT, value=0
    )
    whole = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((1, gap_px + 1), np.uint8))
    girth = band.sum(1, dtype=np.int32).astype(np.float32) / np.maximum(centre, 1)
    lines = []
    rows = tracks - seen.pad
    extents = _extents(np.asarray(whole[:, gap_px : gap_px + w], np.uint8))
    for k, (start, stop) in enumerate(extents):
        slim = thin[k, start:stop]
        if stop - start < length_px or (n_slim := np.count_nonzero(slim)) == 0:
            continue
        if (covered := np.count_nonzero(on[k, start:stop]) / (stop - start)) < cover:
            continue
        lines.append(
            Line(
                start, stop, rows[k], cover=covered,
                thin=n_slim / (stop - start), bend_px=float(seen.bend[k]),
                thick_px=float(girth[k, start:stop][slim].mean()),
            )
        )  # fmt: skip
    return lines


def _extents(masks: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """(start, stop) of each row's longest run, with neighbours longer than the gap to them."""
    n, w = masks.shape
    flat = np.zeros(n * (w + 1) + 1, np.uint8)  # nothing runs on from row to row
    flat[1:].reshape(n, w + 1)[:, :w] = masks
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    ends = np.searchsorted(edges, np.arange(1, n + 1) * (w + 1)).tolist()
    first, found = 0, []
    for k, last in enumerate(ends):
        found.append(_extent((edges[first:last] - k * (w + 1)).tolist()))
        first = last
    return found


def _extent(edges: Sequence[int]) -> tuple[int, int]:
    """(start, stop) of the longest run of one row, from where its runs start and stop."""
    if not edges:
        return 0, 0
    starts, stops = edges[::2], edges[1::2]
    runs = [stop - start for start, stop in zip(starts, stops, strict=True)]
    gaps = [start - stop for start, stop in zip(starts[1:], stops, strict=False)]
    first = last = runs.index(max(runs))
    while first > 0 and runs[first - 1] > gaps[first - 1]:
        first -= 1
    while last < len(gaps) and runs[last + 1] > gaps[last]:
        last += 1
    return starts[first], stops[last]
