"""Printed lines in a crop: rules, box borders, comb teeth.

Owns:   `find_lines` (straight thin lines of one direction), `stroke_width_px`.
Needs:  numpy, cv2, `tracks`.
Words:  *ink* is bright on black. A *line* runs along the columns of its array; for those that stand
        upright the callers hand in the transposed ink. *Thin* is meant across the line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.kernels import full_kernel
from edge_runtime.tracks import Tracks, find_tracks

Gray = NDArray[np.uint8]

ON = 40  # less ink is paper; the grain of scans ends at 30


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
    worth: Callable[[Line], bool] | None = None,
) -> list[Line]:
    """Every thin straight run of ink along the columns, at most `tracks.MAX_SLOPE` off.

    Args:
        ink: uint8 (h, w), ink bright on black.
        thick_px: Ink thicker than this, across, is no line.
        least: 0..1, share of the crop's width that a line covers at least.
        gap_px: Gaps up to this long do not end a line.
        length_px: Shorter ones are left out.
        cover: 0..1, and those that hold less ink.
        worth: Asked of each line before its thickness is measured, which is 0 until then; those it
            refuses are left out.

    Returns:
        Lines by their row, none that bends more than a track does. They are candidates: a bar of
        a T is among them, the callers judge.
    """
    tracks = find_tracks(ink, thick_px=thick_px, least=least)
    if tracks is None:
        return []
    return _measure(tracks, thick_px, gap_px, length_px, cover, worth or (lambda _: True))


def stroke_width_px(ink: Gray) -> float:
    """Mean width of the strokes, pixels: twice their area over their outline. 0 without ink."""
    mask = cv2.threshold(ink, 89, 1, cv2.THRESH_BINARY)[1]
    area = cv2.countNonZero(mask)
    core = cv2.erode(mask, full_kernel(3, 3), borderType=cv2.BORDER_REPLICATE)
    return 2 * area / max(1, area - cv2.countNonZero(core))


def _measure(
    tracks: Tracks,
    thick_px: int,
    gap_px: int,
    length_px: float,
    cover: float,
    worth: Callable[[Line], bool],
) -> list[Line]:
    """Ends, cover and thickness of every track, at full resolution."""
    at, bend, flat, w = tracks.rows, tracks.bend_px, tracks.padded.ravel(), tracks.rows.shape[1]
    guard = thick_px // 2 + 2
    place = at * w
    place += np.arange(w)
    centre = np.maximum(np.maximum(flat.take(place - w), flat.take(place)), flat.take(place + w))
    on = centre >= ON
    enough = np.add.reduce(on, axis=1) >= cover * length_px
    if not enough.any():
        return []
    if not enough.all():
        at, bend, place, centre, on = (one[enough] for one in (at, bend, place, centre, on))
    beside = guard * w
    edges = np.maximum(flat.take(place - beside), flat.take(place + beside))
    thin = on & (edges < centre >> 1)
    # Gaps close inside the crop only: beyond its sides there is no ink to close up to.
    whole = cv2.copyMakeBorder(
        on.view(np.uint8), 0, 0, gap_px, gap_px, cv2.BORDER_CONSTANT, value=0
    )
    whole = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, full_kernel(1, gap_px + 1))
    lines = []
    rows = at - tracks.pad
    across = (np.arange(-guard, guard + 1) * w)[:, None]
    extents = _extents(np.asarray(whole[:, gap_px : gap_px + w], np.uint8))
    for k, (start, stop) in enumerate(extents):
        slim = thin[k, start:stop]
        if stop - start < length_px or (n_slim := np.count_nonzero(slim)) == 0:
            continue
        if (covered := np.count_nonzero(on[k, start:stop]) / (stop - start)) < cover:
            continue
        line = Line(
            start, stop, rows[k], cover=covered,
            thin=n_slim / (stop - start), bend_px=float(bend[k]), thick_px=0.0,
        )  # fmt: skip
        if worth(line):
            own = place[k, start:stop][slim]
            girth = flat.take(own + across).sum(0, dtype=np.int32).astype(np.float32)
            girth /= np.maximum(centre[k, start:stop][slim], 1)
            thick = float(np.add.reduce(girth) / np.float32(n_slim))
            lines.append(replace(line, thick_px=thick))
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
