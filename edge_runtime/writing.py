"""What stands on a sheet beside its lines: words of print, and words of handwriting.

Owns:   `Word`, `words_of`, `group_words`, `word_features`.
Needs:  numpy, cv2, `rulings`. Its weights are fitted by `python -m benchmarks.written --fit`.
Words:  a *word* is ink that stands together on one row, no wider a gap in it than between words of
        small print. Print stands on one line, in few heights, on upright stems of one width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.found import Rect
from edge_runtime.frames import is_drawn
from edge_runtime.rulings import MM, Gray, Ruling, Sheet
from edge_runtime.writing_weights import WEIGHTS

Floats = NDArray[np.float64]

FEATURES = (
    "height", "row", "feet", "heads", "stems", "stem_spread", "bars", "pen", "pens", "dense",
    "wide", "widths", "joined", "count", "steps",
)  # fmt: skip
_GAP = 1.3 * MM  # within a word: between words of 12 points stands a millimetre
_SPECK = 0.45 * MM  # longer side of a full stop of 8 points
_GLYPH = (0.9 * MM, 18 * MM)  # of a letter, height; and of what is no letter, but a picture
_LONGEST = 120 * MM
_LINE = 6 * MM  # longer than any stem of a letter
_LEVEL = 0.07  # of the tallest letters: so near letters stand on one line
_TWIN = 0.3  # letters lower than this, of the usual, are dots and marks


@dataclass(frozen=True, slots=True)
class Word:
    """Ink that stands together on a row, pixels of the sheet."""

    box: Rect
    print_share: float  # 0..1, how surely it is print, were both equally usual
    letters: int


def words_of(sheet: Sheet, *, without: Sequence[Rect] = ()) -> list[Word]:
    """Every word that stands on a sheet, from left to right as they begin.

    Args:
        sheet: The page and its lines, which are left out.
        without: Places that are not looked at.
    """
    ink = _bare(sheet, without)
    groups = group_words(ink)
    out = []
    for labels, stats in groups:
        seen = word_features(labels, stats)
        x0, y0 = stats[:, 0].min(), stats[:, 1].min()
        x1, y1 = (stats[:, 0] + stats[:, 2]).max(), (stats[:, 1] + stats[:, 3]).max()
        box = (float(x0), float(y0), float(x1), float(y1))
        out.append(Word(box, _share(seen), len(stats)))
    return sorted(out, key=lambda one: one.box)


def _bare(sheet: Sheet, without: Sequence[Rect]) -> Gray:
    """The ink without printed lines, nor what stands in some places."""
    ink = sheet.ink.copy()
    for lines, across in ((sheet.level, False), (sheet.upright, True)):
        for one in lines:
            if one.length >= _LINE and is_drawn(one):
                _erase(ink, one, across=across)
    dots = [(x0 - 1, y0 - 1, x1 + 1, y1 + 1) for x0, y0, x1, y1 in sheet.dots.tolist()]
    for x0, y0, x1, y1 in (*without, *dots):
        ink[max(0, round(y0)) : max(0, round(y1)), max(0, round(x0)) : max(0, round(x1))] = 0
    return ink


def _erase(ink: Gray, one: Ruling, *, across: bool) -> None:
    ends = [(x, one.near(x)) for x in (one.start, one.stop)]
    points = [(round(y), round(x)) if across else (round(x), round(y)) for x, y in ends]
    cv2.line(ink, points[0], points[1], 0, max(1, round(one.thick)) + 2)


def group_words(ink: Gray) -> list[tuple[list[Gray], NDArray[np.int32]]]:
    """Letters of each word: their pictures, 0 or 1, and (n, 5) left, top, width, height, area."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    w, h = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    keep = (np.maximum(w, h) >= _SPECK) & (h <= _GLYPH[1]) & (w <= _LONGEST)
    keep[0] = False
    kept = np.asarray(keep[labels], np.uint8)
    wide = cv2.morphologyEx(kept, cv2.MORPH_CLOSE, np.ones((1, round(_GAP) | 1), np.uint8))
    _, rows = cv2.connectedComponents(np.asarray(wide, np.uint8), connectivity=8)
    members: dict[int, list[int]] = {}
    for k in np.flatnonzero(keep).tolist():
        x, y, width, height, _ = stats[k].tolist()
        part = labels[y : y + height, x : x + width] == k
        at = int(np.argmax(part[0]))
        members.setdefault(int(rows[y, x + at]), []).append(k)
    out = []
    for ks in members.values():
        if not any(stats[k, cv2.CC_STAT_HEIGHT] >= _GLYPH[0] for k in ks):
            continue
        parts = []
        for k in ks:
            x, y, width, height, _ = stats[k].tolist()
            parts.append((labels[y : y + height, x : x + width] == k).astype(np.uint8))
        out.append((parts, np.asarray(stats[ks], np.int32)))
    return out


def word_features(parts: Sequence[Gray], stats: NDArray[np.int32]) -> Floats:
    """float64 (len(FEATURES),) of a word.

    Args:
        parts: uint8 (h, w), 0 or 1: the letters, or what of them hangs together.
        stats: int32 (n, 5), left, top, width, height and area of each.
    """
    heights = stats[:, 3].astype(np.float64)
    usual = float(np.median(heights[heights >= 0.5 * heights.max()]))
    full = heights >= _TWIN * usual
    x, y, w, h, _ = stats[full].T.astype(np.float64)
    tall = float(np.quantile(h, 0.9))
    near = max(1.0, _LEVEL * tall)
    feet, heads = y + h, y
    stems, bars, pens = [], [], []
    for part, on in zip(parts, full.tolist(), strict=True):
        if not on:
            continue
        stems.append(float(part.sum(0).max()) / part.shape[0])
        bars.append(float(part.sum(1).max()) / part.shape[1])
        padded = np.pad(part, 1).astype(np.int8)
        edge = np.count_nonzero(np.diff(padded, axis=0)) + np.count_nonzero(np.diff(padded, axis=1))
        pens.append(2.5 * float(part.sum()) / max(1, int(edge)))
    pen = np.array(pens)
    row = float((stats[:, 1] + stats[:, 3]).max() - stats[:, 1].min())
    width = float((x + w).max() - x.min())
    n = len(h)
    return np.array(
        [
            math.log(tall / MM),
            row / tall,
            _on_levels(feet, near, 1),
            _on_levels(heads, near, 2),
            float(np.mean(stems)),
            float(np.std(stems)),
            float(np.mean(bars)),
            float(np.median(pen)) / tall,
            float(np.std(np.log(pen + 0.3))),
            n * tall / max(width, tall),
            float(np.median(w)) / tall,
            float(np.std(np.log(w / tall + 0.1))),
            float((w > 2.2 * tall).mean()),
            math.log(n),
            float(np.std(np.diff(np.sort(x))) / tall) if n > 2 else 0.0,
        ]
    )


def _on_levels(rows: Floats, near: float, levels: int) -> float:
    """The share of rows that lie near to the one or two rows that most lie near to."""
    left, total = rows, 0
    for _ in range(levels):
        if left.size == 0:
            break
        close = np.abs(left[:, None] - left) <= near
        best = int(close.sum(1).argmax())
        total += int(close[best].sum())
        left = left[~close[best]]
    return total / rows.size


def _share(seen: Floats) -> float:
    first, last, mean, scale = _weights()
    hidden = np.maximum((seen - mean) / scale @ first[:-1] + first[-1], 0.0)
    z = float(hidden @ last[:-1] + last[-1])
    return 1.0 / (1.0 + math.exp(-min(max(z, -50.0), 50.0)))


@lru_cache(maxsize=1)
def _weights() -> tuple[Floats, Floats, Floats, Floats]:
    """Of the hidden units (features + 1, hidden), of the answer (hidden + 1,); mean and scale."""
    rows: list[Any] = [np.array(line.split(), np.float64) for line in WEIGHTS.split("\n") if line]
    return np.stack(rows[2:-1]), rows[-1], rows[0], rows[1]
