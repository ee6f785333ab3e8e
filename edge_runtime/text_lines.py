"""A field of several lines of writing: the ink of each line by itself.

Owns:   `split_lines`, `lines_apart`; `is_tall`, `written_rows`.
Needs:  numpy, cv2, `components`, `lines`, `erasing`, `shares`.
Words:  *ink* is bright on black. The *profile* is how much ink each row holds, along the slope of
        the writing; a *band* is what lies between two of its valleys.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.components import Components, components_of
from edge_runtime.erasing import erase_lines
from edge_runtime.kernels import full_kernel
from edge_runtime.lines import Gray, Line, find_lines, stroke_width_px
from edge_runtime.preprocess import STROKE
from edge_runtime.shares import Ink

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]

_SLOPES = np.linspace(-0.12, 0.12, 25)  # seven degrees: nobody writes steeper on a form
_GLYPH = 0.45  # of the usual height: what is lower is a dot, a comma or a dash
_TALLEST = 3.0  # of it: higher is a printed line
_SMOOTH = 0.15  # of the usual height: one row of letters is one peak
_PITCH = 0.6  # of the usual height, at least, from line to line; it counts ascenders and tails
_VALLEY = 0.7  # of the lower peak beside it
_DEEP = 0.35  # of it: no more is asked
# Of their height that letters of another line reach into one, at most: behind a deep valley, behind
# another, and a letter by itself, which is a tail that hangs low, or the dot of a j.
_WITHIN_DEEP, _WITHIN, _WITHIN_ALONE = 0.8, 0.5, 0.15
_TALL = 6.0  # times as high as its letters is a crop that is cut down to its lines
_NOT_TALL = 0.07  # of the square of its height: of a larger piece of ink a crop is not tall
_LEAST_PX, _FEWEST = 7, 3  # letters are so high, and so many; else it may be dust,
_SURELY_PX, _BLOB = 12, 0.6  # if it is no higher than this, or fills so much of its bounds
_STEM = 2.5  # times as high as wide is a 1 or an l
_PART = 0.2  # of the ink's height is each of two lines high, at least
_WORD = 1.3  # of the usual height: what is wider is no letter by itself
_ALONE = 0.6  # of the usual height: lower is no letter by itself
_SPECK = 0.02  # of the square of the usual height
_TIED = 0.3  # of a component in each of two lines that it runs through: it ties them together
_AROUND_PX = 5  # of paler ink around a stroke that goes with it
_ROOM = 1.5  # of the usual height is a line's crop high, at least
_RULE = 0.08  # of a line's height: no printed rule is thicker
_SOLID, _DOTTED = 0.85, 0.25  # of its length is ink
_RULE_LONG = 0.7  # of the width
_FOOT = 0.45  # of a line's height: the foot of a round glyph on a rule


def split_lines(ink: Ink, most: int) -> tuple[Ink, ...]:
    """The lines of writing, from the first to the last.

    A component goes whole to the line that most of it stands on; one that ties two lines together
    is cut between them.

    Args:
        ink: uint8 (h, w), bright on black.
        most: Lines that the field has room for; as many as are seen are returned, be they more.

    Returns:
        One `Ink` a line; the very ink that was given where there are not two.
    """
    clean = _without_rules(ink.pixels, most)
    strokes = components_of(clean, STROKE)
    bands = _bands(strokes, len(clean))
    if bands is None:
        return (ink,)
    of = _lines_of(strokes, bands, clean.shape)
    x, y = ink.offset
    lines = []
    for one in range(len(bands.peaks)):
        pixels = np.where(of == one, clean, np.uint8(0))
        top, bottom = _rows(pixels, bands.usual)
        lines.append(Ink(pixels[top:bottom], (x, y + top)))
    return tuple(lines)


def lines_apart(ink: Ink) -> int:
    """How many lines of writing are plainly seen, with paper between them from side to side.

    Asked of every field that is one line: most answer at a glance, their ink has no such gap.
    """
    if not ink.pixels.size:
        return 1
    most = np.maximum.reduce(ink.pixels, axis=1).tobytes()  # OpenCV takes ten times as long
    rows = [row for row, dark in enumerate(most) if dark >= STROKE]
    if not rows or (high := rows[-1] - rows[0] + 1) == len(rows):
        return 1
    # What is above or below is higher than the dots over a row of small letters.
    apart = (
        _PART * high <= row - rows[0] <= (1 - _PART) * high
        for row, following in itertools.pairwise(rows)
        if following - row > 1
    )
    return len(split_lines(ink, 2)) if any(apart) else 1


def is_tall(strokes: Components, h: int) -> bool:
    """Whether a crop is so much higher than the letters in it that they look like specks.

    Args:
        strokes: Of ink, from `STROKE` on.
        h: The crop's height.
    """
    if strokes.count == 1 or strokes.areas.max() > _NOT_TALL * h * h:
        return False  # nearly all fields, at a glance
    _, _, wide, high, area = strokes.stats.astype(np.float64).T
    usual = _usual(high, area)
    if not _LEAST_PX <= usual <= h / _TALL:
        return False
    letters = _letters(high, area, usual)
    if letters.sum() >= _FEWEST or (letters & (wide >= 2 * usual)).any():
        return True
    stroke = (area < _BLOB * wide * high) | (high >= _STEM * wide)
    return bool(usual >= _SURELY_PX and (letters & stroke).any())


def written_rows(ink: Ink) -> tuple[int, int]:
    """From which row to which letters stand, and what may hang from them or stand above."""
    strokes = components_of(ink.pixels, STROKE)
    _, y, _, high, area = strokes.stats.astype(np.float64).T
    usual = _usual(high, area)
    letters = _letters(high, area, usual)
    top, bottom = y[letters].min(), (y + high)[letters].max()
    return max(0, int(top - usual)), min(len(ink.pixels), int(bottom + usual) + 1)


def _letters(high: Floats, area: Floats, usual: float) -> NDArray[np.bool_]:
    """Which components are letters or words, not dots, dust or printed lines."""
    letters = (high >= _GLYPH * usual) & (high <= _TALLEST * usual)
    return letters & (area >= _SPECK * usual * usual)


@dataclass(frozen=True, slots=True, eq=False)
class _Bands:
    """The lines that some ink stands on; rows are those where they meet the picture's middle."""

    slope: float  # rows a column
    usual: float  # height of letters or joined words
    peaks: tuple[int, ...]  # rows where each line is densest
    valleys: tuple[int, ...]  # rows between two lines
    spans: tuple[tuple[float, float], ...]  # usual top and bottom of each line's letters


def _without_rules(ink: Gray, most: int) -> Gray:
    """Without the rules on which the lines stand."""
    h, w = ink.shape
    high = h / most
    found = find_lines(
        ink,
        thick_px=max(3, round(_RULE * high)),
        least=0.4,
        gap_px=max(3, w // 50),
        length_px=max(_RULE_LONG * w, 2 * high),
        cover=_DOTTED,
    )
    rules = [line for line in found if _is_rule(line, w, high)]
    if not rules:
        return ink
    return erase_lines(ink, rules, stroke_px=stroke_width_px(ink), foot_px=_FOOT * high)


def _is_rule(line: Line, w: int, high: float) -> bool:
    """Whether a level line is printed to write on: solid, or dots with little else near them."""
    if line.cover >= _SOLID:
        return line.thin >= 0.45 and line.bend_px <= 0.8
    lone = line.thin >= 0.7 * line.cover and line.thick_px <= max(2.5, 0.06 * high)
    return lone and line.length >= 0.85 * w and line.bend_px <= 0.5


def _bands(strokes: Components, h: int) -> _Bands | None:
    """None where there are not two lines."""
    if strokes.count == 1:
        return None
    x, y, wide, high, area = strokes.stats.astype(np.float64).T
    usual = _usual(high, area)
    side = strokes.wide.shape[1]
    rows, columns = np.divmod((strokes.starts + strokes.stops) // 2, side)
    columns = columns - side / 2
    lengths = strokes.lengths
    profiles = [_profile(rows - slope * columns, lengths, h) for slope in _SLOPES]
    best = max(range(len(_SLOPES)), key=lambda at: float(np.square(profiles[at]).sum()))
    slope, profile = float(_SLOPES[best]), _smoothed(profiles[best], _SMOOTH * usual)
    peaks, valleys = _peaks(profile, _PITCH * usual)
    if len(peaks) < 2:
        return None
    # What a line is made of: letters and words, by their middles.
    real = _letters(high, area, usual)
    centre = (y + high / 2 - slope * (x + wide / 2 - side / 2))[real] + h // 2
    top, bottom = centre - high[real] / 2, centre + high[real] / 2
    while len(peaks) > 1:
        of = np.searchsorted(valleys, centre)
        deep = [
            profile[row] <= _DEEP * min(profile[a], profile[b])
            for row, (a, b) in zip(valleys, itertools.pairwise(peaks), strict=True)
        ]
        at = _doubtful(of, top, bottom, wide[real], deep, usual)
        if at is None:
            break
        peaks[at : at + 2] = [max(peaks[at : at + 2], key=lambda row: float(profile[row]))]
        del valleys[at]
    if len(peaks) < 2:
        return None
    spans = [
        (float(np.median(top[of == at])) - h // 2, float(np.median(bottom[of == at])) - h // 2)
        for at in range(len(peaks))
    ]
    return _Bands(
        slope,
        usual,
        tuple(row - h // 2 for row in peaks),
        tuple(row - h // 2 for row in valleys),
        tuple(spans),
    )


def _usual(high: Floats, area: Floats) -> float:
    """The height of letters or joined words: half of the ink is in what is as high, or higher."""
    order = high.argsort()
    sums = area[order].cumsum()
    return float(high[order][np.searchsorted(sums, sums[-1] / 2)])


def _profile(rows: Floats, lengths: Ints, h: int) -> Floats:
    """float64 (2 h,), the ink of each row along a slope; the first is row -h // 2."""
    at = np.clip(np.rint(rows).astype(np.intp) + h // 2, 0, 2 * h - 1)
    return np.asarray(np.bincount(at, lengths, 2 * h), np.float64)


def _smoothed(profile: Floats, px: float) -> Floats:
    side = 2 * max(1, round(2 * px)) + 1
    return np.asarray(cv2.GaussianBlur(profile[:, None], (1, side), px), np.float64)[:, 0]


def _peaks(profile: Floats, apart: float) -> tuple[list[int], list[int]]:
    """Rows where the profile is highest, so far apart and with a valley between, and the valleys'
    own."""
    inner = profile[1:-1]
    tops = ((inner >= profile[:-2]) & (inner > profile[2:])).nonzero()[0] + 1
    peaks: list[int] = []
    for top in tops.tolist():
        if peaks:
            low = float(profile[peaks[-1] : top + 1].min())
            if low > _VALLEY * min(profile[peaks[-1]], profile[top]) or top - peaks[-1] < apart:
                if profile[top] > profile[peaks[-1]]:
                    peaks[-1] = top
                continue
        peaks.append(top)
    valleys = []
    for a, b in itertools.pairwise(peaks):
        lowest = (profile[a:b] <= profile[a:b].min() + 1e-9).nonzero()[0]
        valleys.append(a + round(float(lowest.mean())))
    return peaks, valleys


def _doubtful(
    of: Ints, top: Floats, bottom: Floats, weight: Floats, deep: Sequence[bool], usual: float
) -> int | None:
    """The first band that is no line apart from the next: without letters, or among its letters."""
    for at, parted in enumerate(deep):
        one, two = of == at, of == at + 1
        if not one.any() or not two.any():
            return at
        less, more = (one, two) if weight[one].sum() < weight[two].sum() else (two, one)
        high = bottom[less] - top[less]
        shared = np.minimum(bottom[less], np.median(bottom[more]))
        shared -= np.maximum(top[less], np.median(top[more]))
        share = float(np.average(np.maximum(shared, 0) / high, weights=weight[less]))
        most = _WITHIN_DEEP if parted else _WITHIN
        if len(high) == 1 and weight[less][0] <= _WORD * usual:
            most = _WITHIN_ALONE if high[0] >= _ALONE * usual else -1.0
        if share > most:
            return at
    return None


def _lines_of(strokes: Components, bands: _Bands, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """uint8 (h, w), the line that each pixel belongs to."""
    h, w = shape
    n, side = len(bands.peaks), strokes.wide.shape[1]
    lean = bands.slope * (np.arange(w) + 1 - side / 2)
    level = np.arange(h)[:, None] - lean
    by_place = np.zeros((h, w), np.uint8)
    for valley in bands.valleys:
        by_place += level > valley
    # Where each component stands, by its runs.
    rows, columns = np.divmod((strokes.starts + strokes.stops) // 2, side)
    rows = rows - bands.slope * (columns - side / 2)
    of_run, count = strokes.of_run, strokes.count
    mass = np.bincount(of_run, strokes.lengths * rows, count)[1:] / strokes.areas
    share = np.zeros((n, count - 1))
    run_line = np.searchsorted(bands.valleys, rows)
    for one in range(n):
        share[one] = np.bincount(of_run, strokes.lengths * (run_line == one), count)[1:]
    share /= strokes.areas
    first, last = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(first, of_run, rows)
    np.maximum.at(last, of_run, rows)
    peaks = np.array(bands.peaks)[:, None]
    through = (first[1:] < peaks) & (last[1:] > peaks)
    tied = ((share >= _TIED) & through).sum(0) > 1
    owner = np.searchsorted(bands.valleys, mass)
    small = strokes.stats[:, 3] < _GLYPH * bands.usual
    # A dot of an i stands over its own line, a comma hangs from it.
    spans = np.array(bands.spans)
    away = np.maximum(spans[:, :1] - mass, mass - spans[:, 1:])
    owner[small] = away.argmin(0)[small]
    # Paler ink around a stroke goes with it.
    told = np.append(n, np.where(tied, n + 1, owner)).astype(np.uint8)[strokes.labels]
    cut = told == n + 1
    told[cut] = by_place[cut]
    found, sure = by_place.copy(), told < n
    near = [
        cv2.dilate((told == one).astype(np.uint8), full_kernel(_AROUND_PX, _AROUND_PX)) > 0
        for one in range(n)
    ]
    alone = np.add.reduce(near, dtype=np.uint8) == 1
    for one in range(n):
        found[near[one] & alone] = one
    found[sure] = told[sure]
    return found


def _rows(pixels: Gray, usual: float) -> tuple[int, int]:
    """From which row to which a line is cut out, so that a lone dash is not blown up."""
    rows = np.flatnonzero(pixels.max(axis=1) >= STROKE)
    first, last = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, len(pixels))
    spare = max(2.0, (_ROOM * usual - (last - first)) / 2)
    return max(0, round(first - spare)), min(len(pixels), round(last + spare))
