"""Printed lines taken out of ink, and the strokes that cross them left whole.

Owns:   `erase_lines`.
Needs:  numpy, cv2, `lines`.
Words:  as in `lines`. A *band* is a line with some rows to both sides of it, laid straight.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.kernels import full_kernel
from edge_runtime.lines import ON, Gray, Line

_CUT_PX = 3  # to each side of where another line meets a line


def erase_lines(
    ink: Gray,
    lines: Sequence[Line],
    *,
    stroke_px: float,
    foot_px: float = 0.0,
    cuts: Sequence[float] = (),
) -> Gray:
    """Take lines out; a stroke that crosses one stays whole.

    A pixel of the line is a stroke's where ink goes on beyond both edges of the line, where it is
    plainly darker than the line, or where a stroke lies along the line and sinks into it.

    Args:
        ink: uint8 (h, w), ink bright on black.
        lines: From `find_lines` of an array of this shape.
        stroke_px: Width of the pen.
        foot_px: The line stays between two contacts up to so far apart: the foot of a round glyph.
        cuts: Columns where other lines meet these: no contacts, and no foot reaches across.

    Returns:
        uint8 (h, w); the very same pixels where there is no line.
    """
    alike: dict[int, list[Line]] = {}
    for line in lines:
        alike.setdefault(round(line.thick_px), []).append(line)
    for group in alike.values():
        ink = _erase(ink, group, stroke=max(1, round(stroke_px)), foot_px=foot_px, cuts=cuts)
    return ink


def _erase(
    ink: Gray, lines: Sequence[Line], *, stroke: int, foot_px: float, cuts: Sequence[float]
) -> Gray:
    """Take out lines of one thickness."""
    h, w = ink.shape
    thick = round(lines[0].thick_px)
    half = thick // 2 + 4 + stroke
    pad = 2 * half
    out = cv2.copyMakeBorder(ink, pad, pad, 0, 0, cv2.BORDER_CONSTANT, value=0)
    x = np.arange(
        max(0, min(one.start for one in lines) - 1), min(w, max(one.stop for one in lines) + 1)
    )
    rows = np.array([np.clip(one.rows[x], -half, h - 1 + half) for one in lines])
    on = np.array([(x >= one.start - 1) & (x <= one.stop) for one in lines])
    place = (rows * w + x)[:, None] + (np.arange(pad - half, pad + half + 1) * w)[:, None]
    band = out.ravel()[place]  # (lines, 2 half + 1, length)
    low, high, level = _edges(band, on, half, thick)
    core = band[:, low:high]
    stay = core > 1.3 * level + 40  # darker than the line: the pen's
    above, below = band[:, low - 1] >= 50, band[:, high] >= 50
    _keep_crossing(stay, above & on, below & on)
    # One-sided: a foot of an L that lies on the line has sunk into it; give it its width back.
    for side, mine, order in ((band[:, :low][:, ::-1], above, 1), (band[:, high:], below, -1)):
        ink, depth = mine, np.zeros(mine.shape, np.intp)
        for row in range(min(stroke, side.shape[1])):
            ink = ink & (side[:, row] >= 50)
            depth += ink
        lack = np.where(depth >= 2, stroke - depth, 0)
        if lack.any():
            sunk = np.arange(high - low)[:, None] < lack[:, None]
            stay |= sunk[:, ::order]
    if foot_px >= 1:
        over, under = band[:, low - 2 : low], band[:, high : high + 2]
        stay |= _feet(over, under, on, x, thick=thick, foot_px=foot_px, cuts=cuts)
    gone = on[:, None] & ~stay
    out.ravel()[place[:, low:high][gone]] = 0
    return np.ascontiguousarray(out[pad : pad + h])


def _feet(
    over: Gray,
    under: Gray,
    on: NDArray[np.bool_],
    x: NDArray[np.intp],
    *,
    thick: int,
    foot_px: float,
    cuts: Sequence[float],
) -> NDArray[np.bool_]:
    """bool (lines, 1, length): the line under a round glyph, between two contacts on one side.

    The foot of a 0 or an e that stands on the line is the line for a stretch.

    Args:
        over: uint8 (lines, 2, length), the rows just above the lines.
        under: And just below.
        on: bool (lines, length), where the lines are.
        x: Their columns.
        thick: Their thickness, pixels.
        foot_px: Two contacts farther apart are those of two glyphs.
        cuts: Columns that no foot reaches across.
    """
    side = max(1, round(foot_px)) | 1
    bowl = full_kernel(1, side)
    wide = full_kernel(1, 2 * thick + 5)
    # Three rows of ink are a stroke; one or two are the line's own steps where it leans.
    feet = (over >= 50).all(1), (under >= 50).all(1)
    cut = np.zeros(x.size, np.uint8)
    cut[np.clip(np.searchsorted(x, np.rint(cuts)), 0, x.size - 1)] = len(cuts) > 0
    cut = cv2.dilate(cut[None], full_kernel(1, 2 * _CUT_PX + 1))[0]
    found = np.zeros(on.shape, bool)
    for mine, other in (feet, feet[::-1]):
        # What runs through does not stand on the line.
        through = cv2.dilate((other & on).astype(np.uint8), wide) > 0
        # Padded: a closing takes what is beyond the picture for a contact.
        met = np.zeros((len(on), on.shape[1] + 2 * side), np.uint8)
        met[:, side:-side] = mine & on & ~through & (cut == 0)
        met = np.asarray(cv2.morphologyEx(met, cv2.MORPH_CLOSE, bowl), np.uint8)[:, side:-side]
        for row in met if cut.any() else ():
            edges = np.flatnonzero(np.diff(row, prepend=0, append=0))
            for start, stop in zip(edges[::2], edges[1::2], strict=True):
                if cut[start:stop].any():
                    row[start:stop] = 0
        found |= met > 0
    return found[:, None]


def _edges(
    band: NDArray[np.uint8], on: NDArray[np.bool_], half: int, thick: int
) -> tuple[int, int, float]:
    """First and last row (exclusive) of the lines in their straightened bands, and their ink."""
    reach = thick // 2 + 3
    plain = on & (band[:, half - reach] < ON) & (band[:, half + reach] < ON)
    plain &= band[:, half - 1 : half + 2].max(1) >= ON  # tracks are right to a pixel
    if (count := int(plain.sum())) < 4:
        return half - thick // 2, half + thick // 2 + 1, 255.0
    near = band[:, half - reach + 1 : half + reach]
    sums = np.einsum("krx,kx->r", near, plain.view(np.uint8), dtype=np.int32, casting="unsafe")
    profile = sums.astype(np.float32) / count
    held = np.flatnonzero(profile >= max(10.0, 0.08 * float(profile.max())))
    # Print is uneven: its darkest tenth is no stroke yet.
    level = _ninth_tenth(near.max(1)[plain])
    first = half - reach + 1
    return first + int(held[0]), first + int(held[-1]) + 1, level


def _ninth_tenth(values: Gray) -> float:
    """The 90th percentile of uint8 (n,), at 2 or more of them."""
    at = 0.9 * (values.size - 1)
    k = min(int(at), values.size - 2)
    parted = np.partition(values, (k, k + 1))
    low, high = int(parted[k]), int(parted[k + 1])
    return low + (high - low) * (at - k)


def _keep_crossing(
    stay: NDArray[np.bool_], above: NDArray[np.bool_], below: NDArray[np.bool_]
) -> None:
    """Mark in `stay` (lines, rows, length) the strokes that run through, from `above` to `below`.

    A stroke leans by up to 45 degrees: ink above at x and below at x + lean are one stroke, and so
    is what lies on the way from one to the other.
    """
    n = stay.shape[1]
    d = n + 1
    row = full_kernel(1, 2 * d + 1)
    near = [cv2.dilate(side.view(np.uint8), row) for side in (above, below)]
    which, at = np.nonzero(np.minimum(*near))
    if at.size == 0:
        return
    up, down = np.zeros((2, len(above), above.shape[1] + 2 * d), np.bool_)
    up[:, d:-d], down[:, d:-d] = above, below
    lean = np.arange(-d, d + 1)[:, None, None]
    part = (np.arange(n)[:, None] + 1) / (n + 1)
    back = at + d - np.rint(lean * part).astype(np.intp)  # (leans, rows, places)
    fore = np.clip(back + lean, 0, down.shape[1] - 1)
    stay[which, :, at] |= (up[which, back] & down[which, fore]).any(0).T
