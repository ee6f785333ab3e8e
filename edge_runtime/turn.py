"""Which way up a page stands, by its print alone, and pages turned by quarters.

Owns:   `turned`, `turn_matrix`, `upright_turn`, `look_at_sheet`.
Needs:  numpy, cv2.
Words:  *turn*: degrees clockwise, 0, 90, 180 or 270, by which a picture is turned to stand upright.
Source: lines of Latin print have more ink over their small letters (capitals, ascenders, digits)
        than under them (descenders); across them, rows of ink and paper alternate.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

_LOOK_PX = 2000  # longer edge that the page is looked at: small letters of 8 pt are 10 px high
_CONTRAST = 40
_PAPER_PX = 31
_LETTER_PX = (6, 56)  # height of the letters that are looked at
_FEWEST_LINES = 6  # of print, before anything is said
_SHEET_LOOKS_PX = (2000, 1500, 1100)  # longer edge of a sheet that may be A4 or a card
_FEWEST_ON_SHEET = 2  # lines of print on a card, at each look
# Standard errors, their mean over the looks: on 57 drawn photos the right way had 0.7 or more.
_LIKELY = 0.5
_SMALL = 0.3  # of the print's width that is in lower lines
_LEVEL = 1.5  # times as much print stands in lines along the page as across it
SURE = 2.5  # standard errors that ascenders outweigh descenders by


class Upright(NamedTuple):
    """What print says of a page."""

    turn: int  # degrees clockwise
    lines: int  # of print that were looked at; 0: nothing is known
    sure: float  # standard errors by which up and down differ


class SheetLook(NamedTuple):
    """What print says of a sheet by itself."""

    turn: int  # degrees clockwise
    print_high: float  # of its smaller lines, part of the longer edge; 0: no print is seen


def turned(pixels: Gray, turn: int) -> Gray:
    """A picture (h, w) or (h, w, 3) turned clockwise by 0, 90, 180 or 270 degrees."""
    return pixels if turn % 360 == 0 else np.ascontiguousarray(np.rot90(pixels, -(turn // 90)))


def turn_matrix(shape: tuple[int, ...], turn: int) -> NDArray[np.float64]:
    """Where `turned` brings the points of a picture of shape (h, w): float64 (3, 3)."""
    h, w = shape[:2]
    return {
        0: np.eye(3),
        90: np.array([[0, -1, h], [1, 0, 0], [0, 0, 1.0]]),
        180: np.array([[-1, 0, w], [0, -1, h], [0, 0, 1.0]]),
        270: np.array([[0, 1, 0], [-1, 0, w], [0, 0, 1.0]]),
    }[turn % 360]


def upright_turn(page: Gray) -> Upright:
    """By how much a page has to be turned; 0 unless its print says otherwise for sure.

    Args:
        page: uint8 (h, w), dark on light.
    """
    along, across = _lines_of(page, min(_LOOK_PX, max(page.shape)))
    n, m = len(along), len(across)
    if max(n, m) < _FEWEST_LINES:
        return Upright(0, 0, 0.0)
    # A column of short words may look like lines across: the wider set of lines is the print.
    level = sum(len(one) for one in along), sum(len(one) for one in across)
    if level[0] * _LEVEL >= level[1]:
        base, lines = 0, along
    else:
        base, lines = 90, across
    count, sure = _lean_of(lines)
    if count < _FEWEST_LINES:
        return Upright(0, 0, 0.0)
    if base == 0:
        return Upright(180 if sure < -SURE else 0, count, abs(sure))
    if abs(sure) < SURE:
        return Upright(0, count, abs(sure))
    return Upright(90 if sure > 0 else 270, count, abs(sure))


def look_at_sheet(sheet: Gray) -> SheetLook:
    """Which way a sheet out of a photo stands, and how large its print is.

    Nothing tells how large the sheet is, nor its letters: several sizes are looked at. A camera is
    held over a desk from any side, so the likelier way is taken.

    Args:
        sheet: uint8 (h, w), dark on light.
    """
    level, leans = [0.0, 0.0], ([0.0], [0.0])
    heights: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for longer in _SHEET_LOOKS_PX:
        for k, lines in enumerate(_lines_of(sheet, longer)):
            level[k] += sum(len(one) for one in lines) / longer
            heights[k].extend((one.shape[1] / longer, len(one) / longer) for one in lines)
            count, sure = _lean_of(lines)
            leans[k].extend([sure] if count >= _FEWEST_ON_SHEET else [])
    along, across = (sum(own) / max(1, len(own) - 1) for own in leans)
    if level[0] * _LEVEL >= level[1]:
        return SheetLook(180 if along < -_LIKELY else 0, _small(heights[0]))
    turn = 0 if abs(across) < _LIKELY else 90 if across > 0 else 270
    return SheetLook(turn, _small(heights[1]))


def _small(weighted: list[tuple[float, float]]) -> float:
    """What most values are above of, by their weights; 0 of none. Writing is larger than print."""
    if not weighted:
        return 0.0
    values, weights = np.array(sorted(weighted)).T
    return float(values[np.searchsorted(weights.cumsum(), _SMALL * weights.sum())])


def _lines_of(page: Gray, longer: int) -> tuple[list[Gray], list[Gray]]:
    """Lines of print along the rows and across them, the page's longer edge so many pixels."""
    scale = longer / max(page.shape)
    h, w = (max(1, round(edge * scale)) for edge in page.shape)
    way = cv2.INTER_AREA if scale <= 1 else cv2.INTER_LINEAR
    small = cv2.resize(page, (w, h), interpolation=way)
    ink = _letters(np.asarray(small, np.uint8))
    return _lines(ink), _lines(np.ascontiguousarray(np.rot90(ink, -1)))


def _lean_of(lines: list[Gray]) -> tuple[int, float]:
    """How many lines tell up from down, and by how many standard errors it is up."""
    lean = np.array([_lean(one) for one in lines])
    weight = np.array([len(one) for one in lines], np.float64)[np.isfinite(lean)]
    lean = lean[np.isfinite(lean)]
    if len(lean) == 0:
        return 0, 0.0
    mean = float((weight * lean).sum() / weight.sum())  # a long line tells more
    error = float(np.sqrt((weight**2 * (lean - mean) ** 2).sum()) / weight.sum())
    return len(lean), mean / (error + 1e-3)


def _letters(small: Gray) -> Gray:
    """Components as high and as wide as letters, 0 or 1."""
    paper = cv2.blur(
        cv2.dilate(small, np.ones((_PAPER_PX, _PAPER_PX), np.uint8)), (_PAPER_PX, _PAPER_PX)
    )
    ink = (cv2.subtract(paper, small) > _CONTRAST).astype(np.uint8)
    n, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    w, h = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    low, high = _LETTER_PX
    keep = (np.maximum(w, h) <= high) & (np.maximum(w, h) >= low) & (stats[:, 4] >= low)
    keep[0] = False
    return np.asarray(keep[labels].astype(np.uint8)) if n else ink


def _lines(ink: Gray) -> list[Gray]:
    """The pictures of lines of letters that run along the rows."""
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, 15), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    for k, (x, y, w, h, _) in enumerate(stats[1:].tolist(), 1):
        if w >= 5 * h and _LETTER_PX[0] <= h <= _LETTER_PX[1]:
            own = labels[y : y + h, x : x + w] == k
            found.append((ink[y : y + h, x : x + w] * own).astype(np.uint8).T)
    return found


def _lean(line: Gray) -> float:
    """Ink over the small letters less that under them, of all; NaN where no letters show.

    Args:
        line: uint8 (w, h), transposed, so that its length is the line's.
    """
    along, across = np.nonzero(line)
    if len(along) < _LETTER_PX[0] ** 2:
        return float("nan")
    spread = along - along.mean()
    slope = float((spread * across).sum() / max(1e-9, float((spread**2).sum())))
    level = np.round(across - slope * spread).astype(int)  # a skewed line is made level
    rows = np.bincount(level - level.min()).astype(np.float64)
    rows = np.trim_zeros(rows)
    h = len(rows)
    if h < _LETTER_PX[0] + 1:
        return float("nan")
    body = np.flatnonzero(rows >= 0.55 * np.sort(rows)[-max(1, h // 4)])
    top, bottom = int(body[0]), int(body[-1]) + 1
    return float((rows[:top].sum() - rows[bottom:].sum()) / rows.sum())
