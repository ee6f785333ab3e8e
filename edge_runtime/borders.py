"""Where the borders of cells stand: upright printed lines from rail to rail, and teeth of combs.

Owns:   `find_borders` for a row of cells, `lines_between` for any upright lines.
Needs:  numpy, cv2, `lines`.
Words:  *rails* are the level rules above and below a row of cells. Lines are of the transposed ink.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.kernels import full_kernel
from edge_runtime.lines import ON, Gray, Line, find_lines
from edge_runtime.tracks import MAX_SLOPE

_INK = 60  # a pixel of this much ink belongs to a line or a stroke
_WHOLE = 0.85  # of the way from rail to rail: a line that runs so far is hardly a stroke

_FEWEST = 3  # lines that may part a field into cells of which nothing was said
_OUTSIDE = 0.5  # of a border: what a cell's width of crop beside the row costs
_FRAMED = 0.8  # of a border a cell: what a frame closed at both ends counts more


def find_borders(
    straight: Gray, top: int | None, bottom: int | None, n: int, thick: int, ends: Sequence[float]
) -> tuple[tuple[Line, ...], NDArray[np.float64] | None]:
    """Borders between cells: lines from rail to rail, or teeth on the rail of a comb."""
    h, w = straight.shape
    ends = [x for x in ends if 2 < x < w - 2]
    y0, y1 = top or 0, h if bottom is None else bottom + 1
    if n < 2:
        if top is None or bottom is None:
            return (), None
        # A leaning rule may lie beyond the crop's edge.
        if not _may_be_parted(straight[max(0, y0) : max(0, y1)], cover=0.9):
            return (), None
        return _regular(lines_between(straight, y0, y1, thick, cover=0.9)), None
    # Between rails a broken line is a line; without rails it may be a stem.
    railed = top is not None or bottom is not None
    found = lines_between(straight, y0, y1, thick, cover=0.6 if railed else 0.9)
    chosen, borders = _lattice(found, w, n, span_px=y1 - y0, ends=ends)
    if 2 * len(chosen) < n and bottom is not None and top is None:
        low = bottom - max(4, round(0.25 * (bottom - y0)))
        teeth = lines_between(straight, low, y1, thick, cover=0.8)
        comb, places = _lattice(teeth, w, n, span_px=y1 - low, ends=ends)
        if len(comb) > len(chosen):
            return _teeth(straight, comb), places
    return chosen, borders


def lines_between(straight: Gray, y0: int, y1: int, thick: int, *, cover: float) -> list[Line]:
    """Upright lines from row `y0` to row `y1`; what is a column to them is a row of the crop."""
    y0, y1 = max(0, y0), min(len(straight), y1)  # a leaning rule may lie beyond the crop's edge
    span = y1 - y0
    if span < 6:
        return []
    part = np.ascontiguousarray(straight[y0:y1].T)
    found = find_lines(
        part, thick_px=thick, least=0.75 * cover, gap_px=max(2, span // 8),
        length_px=0.95 * cover * span, cover=cover,
    )  # fmt: skip
    good = [line for line in found if line.thin >= 0.35]
    rows = np.clip(np.arange(straight.shape[0]) - y0, 0, span - 1)
    return [
        replace(one, start=one.start + y0, stop=one.stop + y0, rows=one.rows[rows]) for one in good
    ]


def _may_be_parted(part: Gray, *, cover: float) -> bool:
    """Whether ink runs from top to bottom at enough places: a tenth of the time to look for lines.

    A line that leans lies in a band of some columns. Where this says no, no three are found that
    could part cells.
    """
    span = len(part)
    if span == 0:
        return False
    mask = cv2.threshold(part, ON - 1, 1, cv2.THRESH_BINARY)[1]
    band = 2 * math.ceil(MAX_SLOPE / 2 * span + 1) + 1
    filled = cv2.reduce(cv2.dilate(mask, full_kernel(1, band)), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    edges = np.flatnonzero(np.diff(filled.ravel() >= 0.95 * cover**2 * span, prepend=0, append=0))
    runs = edges[1::2] - edges[::2]
    return len(runs) >= _FEWEST or int(runs.max(initial=0)) > _FEWEST * band


def _regular(lines: list[Line]) -> tuple[Line, ...]:
    """All lines if they stand evenly spaced, else none: a lone 1 stands where it likes."""
    at = np.array([line.row for line in lines])
    if at.size < _FEWEST:
        return ()
    steps = np.diff(at)
    return tuple(lines) if steps.std() <= 0.12 * steps.mean() else ()


def _lattice(
    lines: Sequence[Line], w: int, n: int, *, span_px: int, ends: Sequence[float]
) -> tuple[tuple[Line, ...], NDArray[np.float64] | None]:
    """The lines that divide a row into `n` cells of about one width.

    Returns:
        The lines chosen, and float64 (n + 1,) the places of all borders, also of those not seen;
        None where there are no lines.
    """
    if not lines:
        return (), None
    at = np.array([line.row for line in lines])
    mean_px = w / n
    near = max(2.0, 0.12 * mean_px)
    # Whole lines count three times: a 1 or an l that happens to fit must not outbid them.
    whole = np.array([line.cover * line.length / span_px for line in lines])
    # The rails end where the first and the last border stand, seen or not.
    known = np.append(at, ends)
    weight = np.append(whole**2 + 2 * (whole >= _WHOLE), np.full(len(ends), 0.8))
    slope = 1.5 - np.abs(np.arange(w + 1)[:, None] - known) / near
    score = (np.minimum(np.maximum(slope, 0), 1) * weight).max(1)
    # Tried: crops padded by up to 0.4 of their width, and crops that lack a border or two.
    step = max(1.0, mean_px / 12)
    pitch = np.arange(0.6 * mean_px, 1.08 * mean_px, step / max(1, n // 4))
    left = np.arange(-0.08 * mean_px, 0.4 * w, step)
    pitch, left = (grid.ravel() for grid in np.meshgrid(pitch, left))
    fits = left + n * pitch <= w + 0.08 * mean_px
    pitch, left = pitch[fits], left[fits]
    framed = _framed(lines, whole, ends, near)
    if framed is not None:  # the grid is too coarse to meet both ends of many cells
        left = np.append(left, framed[0])
        pitch = np.append(pitch, (framed[1] - framed[0]) / n)
    places = left[:, None] + pitch[:, None] * np.arange(n + 1)
    columns = np.rint(places)
    np.minimum(np.maximum(columns, 0, out=columns), w, out=columns)
    hits = score.take(columns.astype(np.intp)).sum(1)
    if framed is not None:
        hits[-1] += _FRAMED * n
    # Where next to no border is seen, the row fills its crop: else a stem would move all cells.
    outside = (np.abs(left) + np.abs(w - left - n * pitch)) / mean_px
    centred = np.abs(2 * left + n * pitch - w) / w
    best = int((hits - 1.5 * centred - _OUTSIDE * outside).argmax())
    borders = places[best]
    if framed is not None and best == len(hits) - 1:  # stems move no cells of a frame
        known = np.append(at[whole >= _WHOLE], ends)
    before: tuple[list[int], list[int]] | None = None
    for _ in range(3):
        gaps = np.abs(borders[:, None] - known)
        held = np.flatnonzero(gaps.min(1) <= 0.3 * pitch[best])
        near_by = gaps.argmin(1)[held]
        same = before == (before := (held.tolist(), near_by.tolist()))
        if held.size < 2 or same:
            break
        borders = np.polyval(np.polyfit(held, known[near_by], 1), np.arange(n + 1))
    # Boxes that stand apart have two whole lines at a border; a 1 may stand that near to it.
    close = np.where(whole >= _WHOLE, 0.3, 0.12) * pitch[best]
    mine = np.abs(borders[:, None] - at) <= close
    if 2 * mine.any(1).sum() <= n:  # so few may be stems of letters
        return _undivided(lines, whole, w, n, ends=ends)
    if n > 1 and 2 * np.count_nonzero(mine[1:-1].sum(1) > 1) < n - 1:
        # Boxes do not stand apart: a second line at a border is the side of a glyph.
        off = np.where(mine, np.abs(borders[:, None] - at) - close * (whole >= _WHOLE), np.inf)
        mine &= off == off.min(1, keepdims=True)
    return tuple(lines[k] for k in map(int, np.flatnonzero(mine.any(0)))), borders


def _undivided(
    lines: Sequence[Line],
    whole: NDArray[np.float64],
    w: int,
    n: int,
    *,
    ends: Sequence[float],
) -> tuple[tuple[Line, ...], NDArray[np.float64]]:
    """A row whose cells no line divides, as pale ones after a scan: the frame alone, cut evenly.

    Where a rail runs out of the crop, the row begins or ends with it.
    """
    left = min((x for x in ends if x < w / 2), default=0.0)
    right = max((x for x in ends if x > w / 2), default=float(w))
    near = max(2.0, 0.12 * w / n)
    sides = []
    for end in (left, right):
        walls = [
            line for line, full in zip(lines, whole, strict=True)
            if full >= _WHOLE and abs(line.row - end) <= near
        ]  # fmt: skip
        sides.append(min(walls, key=lambda line: abs(line.row - end)) if walls else None)
    first, last = (
        end if one is None else one.row for one, end in zip(sides, (left, right), strict=True)
    )
    kept = tuple(one for one in sides if one is not None)
    return kept, np.linspace(first, last, n + 1)


def _framed(
    lines: Sequence[Line], whole: NDArray[np.float64], ends: Sequence[float], near: float
) -> tuple[float, float] | None:
    """The columns of two whole lines at both ends of the rails: the frame of all cells."""
    if len(ends) != 2:
        return None
    at = np.array([line.row for line in lines])[whole >= _WHOLE]
    sides = [at[np.abs(at - end).argmin()] for end in ends if at.size]
    if len(sides) != 2 or any(abs(a - b) > near for a, b in zip(sides, ends, strict=True)):
        return None
    return float(sides[0]), float(sides[1])


def _teeth(straight: Gray, comb: Sequence[Line]) -> tuple[Line, ...]:
    """Teeth up to the height that they have in common: a 1 on top of one is not theirs."""
    tops = []
    for line in comb:
        column = straight[: line.start, int(line.rows[0])] >= _INK
        free = np.flatnonzero(~column)
        tops.append(int(free[-1]) + 1 if free.size else 0)
    top = int(np.median(tops))
    return tuple(replace(line, start=max(top, own)) for line, own in zip(comb, tops, strict=True))
