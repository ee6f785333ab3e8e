"""Where straight thin ink may run through a crop: the tracks of lines, their ends not known yet.

Owns:   `Tracks`, `find_tracks`.
Needs:  numpy, cv2.
Words:  as in `lines`. *Blocks*: the crop with some columns in one, in which lines are sought.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.kernels import full_kernel

Gray = NDArray[np.uint8]
Floats = NDArray[np.float64]

MAX_SLOPE = 0.055  # 3 degrees and a little: what a page is off after registration
MOST_BEND_PX = 0.8  # from a straight line, root mean square: no printed line strays farther
_FAINT = 64  # from this ink on a line counts fully: printed rules are often paler than the pen
_DOTS_PX = 7  # dots of a dotted rule stand up to 6 pixels apart at 200 dpi
_BLOCK_PX = 16  # a line 3 degrees off climbs less than a pixel in a block


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Where lines may run."""

    padded: Gray  # (h + 2 pad, w), the ink with paper above and below
    pad: int
    rows: NDArray[np.intp]  # (tracks, w), centre rows of `padded`
    bend_px: NDArray[np.float64]  # (tracks,) from a straight line, root mean square


def find_tracks(ink: Gray, *, thick_px: int, least: float) -> Tracks | None:
    """The straightest ways through thin ink, at most `MAX_SLOPE` off; None without any.

    Args:
        ink: uint8 (h, w), ink bright on black.
        thick_px: Ink thicker than this, across, is no line.
        least: 0..1, share of the crop's width that holds ink along a track.
    """
    h, w = ink.shape
    reach = math.ceil(MAX_SLOPE * w / 2) + 1
    half = thick_px // 2 + 4
    pad = reach + half
    padded = np.asarray(
        cv2.copyMakeBorder(ink, pad, pad, 0, 0, cv2.BORDER_CONSTANT, value=0), np.uint8
    )
    slopes, climb, at, along = _ways(w, reach)
    n = climb.shape[1]
    blocks = np.zeros((h + 2 * pad, n), np.uint8)
    blocks[pad : pad + h] = _thin_blocks(padded, h, n, thick_px)
    # A line off by half a pixel shares its ink with the next row: look at three rows in one.
    wide = np.asarray(cv2.dilate(blocks, full_kernel(3, 1)), np.uint8)
    sums = _sums_along(wide, pad + climb, h)
    seeds = _peaks(np.maximum.reduce(sums), least=least * n * _FAINT)
    if seeds.size == 0:
        return None
    chosen = sums.take(seeds, axis=1).argmax(0)
    base = climb.take(chosen, axis=0)
    base += (seeds + pad)[:, None]
    shift, bend = _settle(blocks, base)
    straight = (bend <= MOST_BEND_PX).nonzero()[0]
    if not len(straight):
        return None
    if len(straight) < len(bend):
        chosen, bend = chosen.take(straight), bend.take(straight)
        base, shift = base.take(straight, axis=0), shift.take(straight, axis=0)
    tracks = (base + shift).take(at, axis=1)
    tracks += slopes.take(chosen)[:, None] * along
    # A line settled on a few blocks may run off at its far end: it stays where there are pixels.
    guard = thick_px // 2 + 2
    np.rint(tracks, out=tracks)
    np.maximum(tracks, guard, out=tracks)
    np.minimum(tracks, padded.shape[0] - 1 - guard, out=tracks)
    return Tracks(padded, pad, tracks.astype(np.intp), bend)


@lru_cache(maxsize=128)  # widths come again on every page of a form
def _ways(w: int, reach: int) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp], Floats]:
    """Slopes (slopes,); how far they climb in each block, (slopes, blocks); and for each of `w`
    columns its block, and how far it lies beside its block's middle."""
    n = max(4, -(-w // _BLOCK_PX))
    middle = (np.arange(n) + 0.5) * (w / n) - w / 2
    slopes = np.asarray(np.arange(-reach, reach + 1) * (MAX_SLOPE / reach), np.float64)
    climb = np.rint(slopes[:, None] * middle).astype(np.intp)
    at = np.minimum(np.arange(w) * n // w, n - 1)
    beside = np.arange(w) + 0.5 - w / 2 - middle[at]
    return slopes, climb, at.astype(np.intp), np.asarray(beside, np.float64)


def _thin_blocks(padded: Gray, h: int, n: int, thick_px: int) -> Gray:
    """uint8 (h, n), how much thin ink is in each block of the middle `h` rows; `_FAINT` at most."""
    beyond = min(thick_px + 2, (padded.shape[0] - h) // 2)  # what an opening looks at
    top = (padded.shape[0] - h) // 2
    near = padded[top - beyond : top + h + beyond]
    across = full_kernel(thick_px + 2, 1)
    thin = cv2.morphologyEx(near, cv2.MORPH_TOPHAT, across)[beyond : beyond + h]
    thin = cv2.threshold(thin, _FAINT, _FAINT, cv2.THRESH_TRUNC)[1]
    thin = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, full_kernel(1, _DOTS_PX))
    return np.asarray(cv2.resize(thin, (n, h), interpolation=cv2.INTER_AREA), np.uint8)


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
    down, on = turned.strides
    shape = (n, turned.shape[1] - h + 1, h)
    windows: NDArray[Any] = np.ndarray(shape, kind, turned, strides=(down, on, on))
    return np.asarray(np.add.reduce(windows[np.arange(n), starts], axis=1, dtype=kind))


def _peaks(score: NDArray[Any], *, least: float) -> NDArray[np.intp]:
    """Where `score` is at its highest among its neighbours; of a plateau, the middle."""
    flat = score if score.dtype == np.uint16 else score.astype(np.float32)
    top = cv2.dilate(flat[None], full_kernel(1, 7))[0]
    found = np.flatnonzero((flat == top) & (score >= least))
    if found.size == 0:
        return found
    groups: list[list[int]] = []
    for at in found.tolist():
        if groups and at - groups[-1][-1] <= 3:
            groups[-1].append(at)
        else:
            groups.append([at])
    return np.array([group[len(group) // 2] for group in groups], np.intp)


def _settle(
    blocks: Gray, base: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bring rough lines onto their ink, block by block.

    Returns:
        float64 (lines, blocks) rows to add, and float64 (lines,) the root mean square of what a
        straight line leaves.
    """
    n = blocks.shape[1]
    x, near, sides = _windows(n)
    # Whole numbers up to here: however they are summed, the sums are the same.
    weight = blocks.ravel().take((base * n)[..., None] + near).astype(np.float64)
    summed = weight @ sides  # weight: (lines, blocks, 7)
    total = np.ascontiguousarray(summed[..., 0])
    off = summed[..., 1] / np.maximum(total, 1)
    sure = np.where(np.maximum.reduce(weight, axis=2) >= _FAINT / 3, total, 0.0)
    add = partial(np.add.reduce, axis=1, keepdims=True)
    mass = np.maximum(add(sure), 1e-9)
    run = x - (sure @ x)[:, None] / mass
    mean = add(sure * off) / mass
    leaning = sure * run
    spread = np.maximum(add(leaning * run), 1e-9)
    straight = mean + add(leaning * off) / spread * run
    stray = np.where(sure > 0, off - straight, 0.0)
    bend = np.sqrt(add(sure * np.square(stray)) / mass)[:, 0]
    # Paper curls by a pixel or so, and printed lines with it, but over many blocks: what a single
    # block strays is the pull of a stroke.
    around = np.empty((len(stray), n + 4))
    around[:, :2], around[:, 2:-2], around[:, -2:] = stray[:, :1], stray, stray[:, -1:]
    down, on = around.strides
    five: Floats = np.ndarray((len(stray), n, 5), np.float64, around, strides=(down, on, on))
    calm = np.sort(five, axis=2)[..., 2]  # the median
    return straight + np.minimum(np.maximum(calm, -1), 1), bend


@lru_cache(maxsize=128)
def _windows(n: int) -> tuple[Floats, NDArray[np.intp], Floats]:
    """Numbers of `n` blocks; the seven places around each, flat, intp (blocks, 7); and what sums
    those up, float64 (7, 2): ink, and how far above or below it lies."""
    x, reach = np.arange(n), np.arange(-3, 4)
    sides = np.stack([np.ones(7), reach.astype(np.float64)], axis=1)
    return x.astype(np.float64), reach * n + x[:, None], sides
