"""Printed lines in a crop: rules, box borders, comb teeth. Found, and taken out without strokes.

Owns:   `find_lines` (straight thin lines of one direction), `erase_lines`, `stroke_width_px`.
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
_CUT_PX = 3  # to each side of where another line meets a line
_ON = 40  # less ink is paper; the grain of scans ends at 30
_DOTS_PX = 7  # dots of a dotted rule stand up to 6 pixels apart at 200 dpi
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


def find_lines(ink: Gray, *, thick_px: int, least: float, gap_px: int) -> list[Line]:
    """Every thin straight run of ink along the columns, at most `MAX_SLOPE` off.

    Args:
        ink: uint8 (h, w), ink bright on black.
        thick_px: Ink thicker than this, across, is no line.
        least: 0..1, share of the crop's width that a line covers at least.
        gap_px: Gaps up to this long do not end a line.

    Returns:
        Lines by their row. They are candidates: a bar of a T is among them, the callers judge.
    """
    h, w = ink.shape
    reach = int(np.ceil(MAX_SLOPE * w / 2)) + 1
    half = thick_px // 2 + 4
    pad = reach + half
    padded = cv2.copyMakeBorder(ink, pad, pad, 0, 0, cv2.BORDER_CONSTANT, value=0)
    across = np.ones((thick_px + 2, 1), np.uint8)
    thin = np.minimum(cv2.morphologyEx(padded, cv2.MORPH_TOPHAT, across), np.uint8(_FAINT))
    thin = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((1, _DOTS_PX), np.uint8))
    n = max(4, -(-w // _BLOCK_PX))
    blocks = cv2.resize(thin, (n, thin.shape[0]), interpolation=cv2.INTER_AREA)
    middle = (np.arange(n) + 0.5) * (w / n) - w / 2
    slopes = np.linspace(-MAX_SLOPE, MAX_SLOPE, 2 * reach + 1)
    climb = np.rint(slopes[:, None] * middle).astype(np.intp)  # (slopes, blocks)
    # A line off by half a pixel shares its ink with the next row: look at three rows in one.
    wide = cv2.dilate(blocks, np.ones((3, 1), np.uint8)).ravel()
    rows = np.arange(pad, pad + h)
    sums = wide[(rows[:, None] + climb[:, None, :]) * n + np.arange(n)].sum(2, dtype=np.int32)
    seeds = _peaks(sums.max(0), least=least * n * _FAINT)
    if seeds.size == 0:
        return []
    chosen = sums.argmax(0)[seeds]
    shift, bend = _settle(np.asarray(blocks, np.uint8), rows[seeds, None] + climb[chosen])
    at = np.minimum(np.arange(w) * n // w, n - 1)
    tracks = rows[seeds, None] + climb[chosen][:, at] + shift[:, at]
    tracks += slopes[chosen][:, None] * (np.arange(w) + 0.5 - w / 2 - middle[at])
    # A line settled on a few blocks may run off at its far end: it stays where there are pixels.
    guard = thick_px // 2 + 2
    at_px = np.clip(np.rint(tracks), guard, padded.shape[0] - 1 - guard).astype(np.intp)
    return _measure(np.asarray(padded, np.uint8), at_px, bend, pad, thick_px, gap_px)


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


def stroke_width_px(ink: Gray) -> float:
    """Mean width of the strokes, pixels: twice their area over their outline. 0 without ink."""
    mask = (ink >= 90).astype(np.uint8)
    area = cv2.countNonZero(mask)
    core = cv2.erode(mask, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return 2 * area / max(1, area - cv2.countNonZero(core))


def _peaks(score: NDArray[Any], *, least: float) -> NDArray[np.intp]:
    """Where `score` is at its highest among its neighbours; of a plateau, the middle."""
    flat = score.astype(np.float32)[:, None]
    top = cv2.dilate(flat, np.ones((7, 1), np.uint8))
    found = np.flatnonzero((flat == top).ravel() & (score >= least))
    if found.size == 0:
        return found
    groups = np.split(found, np.flatnonzero(np.diff(found) > 3) + 1)
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
    around = np.pad(stray, ((0, 0), (2, 2)), "edge")
    calm = np.median([around[:, k : k + n] for k in range(5)], axis=0)
    return straight + np.clip(calm, -1, 1), bend


def _measure(
    padded: Gray,
    tracks: NDArray[np.intp],
    bend: NDArray[np.float64],
    pad: int,
    thick_px: int,
    gap_px: int,
) -> list[Line]:
    """Ends, cover and thickness of every track, at full resolution."""
    w = tracks.shape[1]
    guard = thick_px // 2 + 2
    band = padded[tracks[:, None, :] + np.arange(-guard, guard + 1)[:, None], np.arange(w)]
    centre = band[:, guard - 1 : guard + 2].max(1)
    on = centre >= _ON
    thin = on & (np.maximum(band[:, 0], band[:, -1]) < centre // 2)
    # Gaps close inside the crop only: beyond its sides there is no ink to close up to.
    whole = cv2.copyMakeBorder(
        on.astype(np.uint8), 0, 0, gap_px, gap_px, cv2.BORDER_CONSTANT, value=0
    )
    whole = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((1, gap_px + 1), np.uint8))
    girth = band.sum(1, dtype=np.float32) / np.maximum(centre, 1)
    lines = []
    for k in range(len(tracks)):
        start, stop = _extent(np.asarray(whole[k, gap_px : gap_px + w], np.uint8))
        slim = thin[k, start:stop]
        if (n_slim := int(slim.sum())) == 0:
            continue
        lines.append(
            Line(
                start, stop, tracks[k] - pad,
                cover=int(on[k, start:stop].sum()) / (stop - start),
                thin=n_slim / (stop - start), bend_px=float(bend[k]),
                thick_px=float(girth[k, start:stop][slim].mean()),
            )
        )  # fmt: skip
    return lines


def _extent(mask: NDArray[np.uint8]) -> tuple[int, int]:
    """(start, stop) of the longest run, with neighbours that are longer than the gap to them."""
    edges = np.flatnonzero(np.diff(mask, prepend=0, append=0))
    if edges.size == 0:
        return 0, 0
    starts, stops = edges[::2], edges[1::2]
    runs, gaps = stops - starts, starts[1:] - stops[:-1]
    first = last = int(runs.argmax())
    while first > 0 and runs[first - 1] > gaps[first - 1]:
        first -= 1
    while last < gaps.size and runs[last + 1] > gaps[last]:
        last += 1
    return int(starts[first]), int(stops[last])


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
    place = (rows[:, None] + np.arange(pad - half, pad + half + 1)[:, None]) * w + x
    band = out.ravel()[place]  # (lines, 2 half + 1, length)
    low, high, level = _edges(band, on, half, thick)
    core = band[:, low:high]
    stay = core > 1.3 * level + 40  # darker than the line: the pen's
    above, below = band[:, low - 1] >= 50, band[:, high] >= 50
    _keep_crossing(stay, above & on, below & on)
    # One-sided: a foot of an L that lies on the line has sunk into it; give it its width back.
    for side, mine, order in ((band[:, :low][:, ::-1], above, 1), (band[:, high:], below, -1)):
        depth = np.logical_and.accumulate(side[:, :stroke] >= 50, axis=1).sum(1)
        lack = np.where(mine & (depth >= 2), stroke - depth, 0)
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
    bowl, beyond = np.ones((1, side), np.uint8), ((0, 0), (side, side))
    wide = np.ones((1, 2 * thick + 5), np.uint8)
    # Three rows of ink are a stroke; one or two are the line's own steps where it leans.
    feet = (over >= 50).all(1), (under >= 50).all(1)
    cut = np.zeros(x.size, np.uint8)
    cut[np.clip(np.searchsorted(x, np.rint(cuts)), 0, x.size - 1)] = len(cuts) > 0
    cut = cv2.dilate(cut[None], np.ones((1, 2 * _CUT_PX + 1), np.uint8))[0]
    found = np.zeros(on.shape, bool)
    for mine, other in (feet, feet[::-1]):
        # What runs through does not stand on the line.
        through = cv2.dilate((other & on).astype(np.uint8), wide) > 0
        # Padded: a closing takes what is beyond the picture for a contact.
        met = np.pad((mine & on & ~through & (cut == 0)).astype(np.uint8), beyond)
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
    plain = on & (band[:, half - reach] < _ON) & (band[:, half + reach] < _ON)
    plain &= band[:, half - 1 : half + 2].max(1) >= _ON  # tracks are right to a pixel
    if (count := int(plain.sum())) < 4:
        return half - thick // 2, half + thick // 2 + 1, 255.0
    near = band[:, half - reach + 1 : half + reach].astype(np.float32)
    profile = (near @ plain[..., None].astype(np.float32)).sum((0, 2)) / count
    held = np.flatnonzero(profile >= max(10.0, 0.08 * float(profile.max())))
    # Print is uneven: its darkest tenth is no stroke yet.
    level = float(np.percentile(near.max(1)[plain], 90))
    first = half - reach + 1
    return first + int(held[0]), first + int(held[-1]) + 1, level


def _keep_crossing(
    stay: NDArray[np.bool_], above: NDArray[np.bool_], below: NDArray[np.bool_]
) -> None:
    """Mark in `stay` (lines, rows, length) the strokes that run through, from `above` to `below`.

    A stroke leans by up to 45 degrees: ink above at x and below at x + lean are one stroke, and so
    is what lies on the way from one to the other.
    """
    n = stay.shape[1]
    d = n + 1
    row = np.ones((1, 2 * d + 1), np.uint8)
    near = [cv2.dilate(side.astype(np.uint8), row) for side in (above, below)]
    which, at = np.nonzero(np.minimum(*near))
    if at.size == 0:
        return
    up, down = (np.pad(side, ((0, 0), (d, d))) for side in (above, below))
    lean = np.arange(-d, d + 1)[:, None, None]
    part = (np.arange(n)[:, None] + 1) / (n + 1)
    back = at + d - np.rint(lean * part).astype(np.intp)  # (leans, rows, places)
    fore = np.clip(back + lean, 0, down.shape[1] - 1)
    stay[which, :, at] |= (up[which, back] & down[which, fore]).any(0).T
