"""The printed lines of a whole page: its ink, how it leans, every straight run that a form shows.

Owns:   `Sheet`, `look_at`, `without_tint`, `Ruling`.
Needs:  numpy, cv2, `dots`, `tints`.
Words:  *sheet*: a page made straight and brought to one size. A *ruling* is a printed line of it,
        *level* or *upright*. Lines of scans are hairlines with gaps: pieces are joined to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.dots import DotRow, dot_rows
from edge_runtime.tints import Tint, pane_slopes, tint_of

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Floats = NDArray[np.float64]

WORK_PX = 2340  # longer edge: A4 at 200 dpi, where a hairline is a pixel or two
MM = WORK_PX / 297  # pixels a millimetre of A4, which every page is taken for
_CONTRAST = 24  # grey levels under the paper from which on a pixel is ink, as `preprocess` has it
_LEAN = 0.08  # 4.6 degrees: a page that leans more is no scan
_LEVEL_MM, _UPRIGHT_MM = 2.0, 1.5  # a small check box, the tooth of a comb
_GAP_PX = 3  # white between the dots of a worn line
_JOIN_LEVEL_MM, _JOIN_UPRIGHT_MM = 2.5, 0.8  # and between its pieces
_THICK_MM = 1.2  # thicker ink is a bar
_COVER, _THIN = 0.6, 0.5  # shares of a ruling that hold ink, and that hold a line and no letter
_BESIDE = 0.2  # of its length: so much ink on both sides is a row of letters
_FEW_LINES_MM = 150.0  # of all level lines of a page: less may be strokes
_TINTED = 0.5  # of their length: so much longer edges of tint tell how a page leans
_OTHERS_MM = 25.0  # length of a row of dots that tells how a page leans
_TELLS_MM = 8.0  # so long a piece tells whether it is straight
# Of pieces over 12 mm of drawn forms, scans and photos of mild curl, one in a hundred strays for a
# tenth of its length by more than 0.08 mm; of those of waves, one in twenty by less than 0.27.
_OFF_MM, _SAG = 0.15, 0.003
_SIDEWAYS_MM = 0.35  # by which pieces of a line may miss each other


@dataclass(frozen=True, slots=True)
class Ruling:
    """A straight line. `at` is a row where it is level, a column where it is upright."""

    start: float  # along it, pixels of the sheet
    stop: float
    at: float  # in its middle
    thick: float
    climb: float = 0.0  # by which `at` grows a pixel along it: a sheet is not straight everywhere
    cover: float = 1.0  # share of it that holds ink
    clear: float = 1.0  # share of it with paper on both sides

    @property
    def length(self) -> float:
        return self.stop - self.start

    def near(self, along: float) -> float:
        """Where it is at a pixel along it, also beyond its ends."""
        return self.at + self.climb * (along - (self.start + self.stop) / 2)


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A page made straight, and its lines."""

    picture: Gray  # (h, w), the page itself
    ink: Gray  # (h, w), 0 or 1
    from_page: Matrix  # (3, 3) pixels of the page to those of the sheet
    level: tuple[Ruling, ...]
    upright: tuple[Ruling, ...]
    dotted: tuple[Ruling, ...] = ()  # level ones that are rows of dots or dashes
    dots: Floats = field(default_factory=lambda: np.zeros((0, 4)))  # boxes of their dots
    tint: Tint | None = None  # and panes in it
    shaded: Gray | None = None  # (h, w), the page before its paper was made white, where it was


def look_at(page: Gray, shaded: Gray | None = None) -> Sheet:
    """Straighten a page and find its lines.

    Args:
        page: uint8 (h, w), dark on light, upright but for a few degrees.
        shaded: The same page before its paper was made white, where it was: tints went with that.
    """
    h, w = page.shape
    scale = min(1.0, WORK_PX / max(h, w))
    size = max(1, round(w * scale)), max(1, round(h * scale))
    small = _resized(page, size)
    tinted = small if shaded is None else _resized(shaded, size)
    half = _resized(tinted, (max(1, size[0] // 2), max(1, size[1] // 2)))
    sides = pane_slopes(half, MM / 2)
    edges = [(slope, 2 * length) for slope, length in sides or ()]
    lean = _lean(ink_of(small), small, edges)
    zoom = np.diag([size[0] / w, size[1] / h, 1.0])
    straight = lean @ zoom
    flat = _straightened(small, lean)
    dim = None if shaded is None else _straightened(tinted, lean)
    tint = None if sides is None else tint_of(flat if dim is None else dim, MM)
    return replace(_with_lines(flat, flat, straight), tint=tint, shaded=dim)


def without_tint(sheet: Sheet, panes: Sequence[tuple[float, float, float, float]]) -> Sheet:
    """The sheet with the lines that it has were there no tint around some of its panes: a tint's
    edges are none, and what is printed on it is print."""
    if sheet.tint is None:
        return sheet
    even = sheet.tint.even(panes, None if sheet.shaded is None else sheet.picture)
    seen = _with_lines(sheet.picture, even, sheet.from_page)
    return replace(seen, tint=sheet.tint, shaded=sheet.shaded)


def _with_lines(picture: Gray, even: Gray, straight: Matrix) -> Sheet:
    """The sheet of a straight page; its ink is that of `even`."""
    ink = ink_of(even)
    level = _rulings(ink, _LEVEL_MM, _JOIN_LEVEL_MM)
    upright = _rulings(np.ascontiguousarray(ink.T), _UPRIGHT_MM, _JOIN_UPRIGHT_MM)
    rows = dot_rows(ink, even, mm=MM)
    dots = np.concatenate([np.zeros((0, 4)), *(one.dots for one in rows)])
    dotted = tuple(_as_ruling(one) for one in rows)
    return Sheet(picture, ink, straight, level, upright, dotted, dots)


def _resized(page: Gray, size: tuple[int, int]) -> Gray:
    return np.asarray(cv2.resize(page, size, interpolation=cv2.INTER_AREA), np.uint8)


def _straightened(page: Gray, lean: Matrix) -> Gray:
    way, rim = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    return np.asarray(
        cv2.warpAffine(page, lean[:2], page.shape[::-1], flags=way, borderMode=rim), np.uint8
    )


def _as_ruling(row: DotRow) -> Ruling:
    return Ruling(row.start, row.stop, row.at, row.thick, row.climb)


def ink_of(page: Gray) -> Gray:
    """Where the page is darker than the paper around: 0 or 1."""
    side = round(4 * MM) | 1  # wider than any stroke, narrower than a shadow
    paper = cv2.morphologyEx(page, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    depth = cv2.subtract(cv2.blur(paper, (side, side)), page)
    # Half of the darkest near by: a pale hairline stays, the grey around black print does not.
    around = cv2.dilate(depth, np.ones((5, 5), np.uint8))
    return ((depth >= _CONTRAST) & (depth >= 0.45 * around)).astype(np.uint8)


def _lean(ink: Gray, picture: Gray, sides: Sequence[tuple[float, float]]) -> Matrix:
    """What brings level lines to lie level, and upright ones to stand: float64 (3, 3).

    `sides` are slopes and lengths of level edges that are no lines.
    """
    level = _slopes(ink, 12 * MM)
    upright = _slopes(np.ascontiguousarray(ink.T), 8 * MM)
    if sum(length for _, length in level) < _FEW_LINES_MM * MM:
        others = _slopes_of_others(ink, picture)  # may be all that it has
        if sum(length for _, length in others) > sum(length for _, length in level + upright):
            level, upright = others, []
    edges = [one for one in sides if abs(one[0]) <= _LEAN]
    # Where much is tinted, its screen and the gaps in it make lines of all slopes.
    if sum(length for _, length in edges) > _TINTED * sum(length for _, length in level):
        level, upright = edges, []
    across, down = _usual(level), _usual(upright)
    if across is None and down is None:
        return np.eye(3)
    a = -(down or 0.0) if across is None else across
    b = -a if down is None else down
    h, w = ink.shape
    # columns: where a step to the right and a step down of the straight page lie on this one
    steps = np.array([[1 / np.hypot(1, a), b / np.hypot(1, b)],
                      [a / np.hypot(1, a), 1 / np.hypot(1, b)]])  # fmt: skip
    turn = np.linalg.inv(steps)
    middle = np.array([w / 2, h / 2])
    out = np.eye(3)
    out[:2, :2] = turn
    out[:2, 2] = middle - turn @ middle
    return out


def _slopes(ink: Gray, least: float) -> list[tuple[float, float]]:
    """Rows climbed a column by each line at least so long, and its length."""
    return [
        (slope, length)
        for length, slope in _pieces_with_slope(_runs(ink, round(2.5 * MM)))
        if length >= least and abs(slope) <= _LEAN
    ]


def _slopes_of_others(ink: Gray, picture: Gray) -> list[tuple[float, float]]:
    """The same of rows of dots."""
    rows = [(one.climb, one.stop - one.start) for one in dot_rows(ink, picture, mm=MM)]
    return [
        (slope, length) for slope, length in rows
        if length >= _OTHERS_MM * MM and abs(slope) <= _LEAN
    ]  # fmt: skip


def _usual(found: Sequence[tuple[float, float]]) -> float | None:
    """The median of slopes by length; None without any."""
    if not found:
        return None
    slopes, lengths = np.array(sorted(found)).T
    half = np.searchsorted(lengths.cumsum(), lengths.sum() / 2)
    return float(slopes[half])


def _runs(ink: Gray, length: int) -> Gray:
    """Thin level runs of ink, a step of one row allowed: 0 or 1."""
    solid = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((round(_THICK_MM * MM),) * 2, np.uint8))
    thin = cv2.subtract(ink, cv2.dilate(solid, np.ones((3, 3), np.uint8)))
    whole = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((1, _GAP_PX + 1), np.uint8))
    stepped = cv2.dilate(whole, np.ones((3, 1), np.uint8))
    return np.asarray(
        cv2.morphologyEx(stepped, cv2.MORPH_OPEN, np.ones((1, length), np.uint8)), np.uint8
    )


def _pieces_with_slope(runs: Gray) -> list[tuple[float, float]]:
    """Length and slope of each connected run."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(runs, connectivity=8)
    out = []
    for k in range(1, count):
        x, y, w, h, _ = stats[k].tolist()
        if w < 8 * MM or h > 0.12 * w + 8:
            continue
        part = labels[y : y + h, x : x + w] == k
        rows = (part * np.arange(h)[:, None]).sum(0) / np.maximum(1, part.sum(0))
        out.append((float(w), float(np.polyfit(np.arange(w), rows, 1)[0])))
    return out


def _rulings(ink: Gray, least_mm: float, join_mm: float) -> tuple[Ruling, ...]:
    """Level lines of the ink, pieces of one line joined; upright ones from the transposed."""
    runs = _runs(ink, round(least_mm * MM))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(runs, connectivity=8)
    pieces = []
    for k in range(1, count):
        x, y, w, h, _ = stats[k].tolist()
        if h > 0.06 * w + round(_THICK_MM * MM) + 4:
            continue
        part = labels[y : y + h, x : x + w] == k
        pieces.append(_measured(ink, part, x, y))
    return tuple(_joined([one for one in pieces if one is not None], join_mm * MM))


def _measured(ink: Gray, part: NDArray[np.bool_], x: int, y: int) -> Ruling | None:
    """The piece as a line; None where it is a row of letters."""
    h, w = part.shape
    here = ink[y : y + h, x : x + w] * part
    filled = here.sum(0)
    on = np.flatnonzero(filled)
    if on.size < _COVER * w:
        return None
    rows = (here * np.arange(h)[:, None]).sum(0)[on] / filled[on]
    thick = float(np.sort(filled[on])[on.size // 2])
    # Above and below a line is paper, but where it is crossed; along letters there is ink.
    off = round(max(2.0, thick / 2 + 2))
    row = np.rint(y + rows).astype(np.intp)
    last, columns = ink.shape[0] - 1, x + on
    above = ink[np.maximum(row - off, 0), columns] > 0
    below = ink[np.minimum(row + off, last), columns] > 0
    beside = np.count_nonzero(above | below) / on.size
    least = min(np.count_nonzero(above), np.count_nonzero(below)) / on.size
    if beside > 1 - _THIN and least > _BESIDE:
        return None
    if w >= _TELLS_MM * MM and _bent(on, rows):
        return None
    climb, first = np.polyfit(on, rows, 1) if w > 4 * h else (0.0, float(rows.mean()))
    middle = y + first + climb * (on[0] + on[-1]) / 2
    return Ruling(
        x + float(on[0]),
        x + float(on[-1]) + 1,
        float(middle),
        thick,
        float(climb),
        on.size / float(on[-1] + 1 - on[0]),
        float(1 - beside),
    )


def _bent(on: NDArray[np.intp], rows: Floats) -> bool:
    """Whether a piece, its rows at these columns, is no straight line on any paper that lies well:
    the wave of a security print, the edge of a blot or of a tint, print in a row."""
    along = (on - on.mean()) / MM
    line, arc = (np.polynomial.Polynomial.fit(along, rows, k)(along) for k in (1, 2))
    off, off_arc = (np.quantile(np.abs(rows - one), 0.9) / MM for one in (line, arc))
    length = along[-1] - along[0]
    return bool(off_arc > _OFF_MM or off > _OFF_MM + _SAG * length)


def _joined(pieces: Sequence[Ruling], gap: float) -> list[Ruling]:
    """Pieces that lie on one line, end to end."""
    out: list[Ruling] = []
    open_: list[Ruling] = []
    for one in sorted(pieces, key=lambda piece: piece.start):
        over = [other for other in open_ if other.stop < one.start - gap]
        out += over
        open_ = [other for other in open_ if other.stop >= one.start - gap]
        start, row = one.start, one.near(one.start)
        near = [  # few ends are near: rows are compared last
            other
            for other in open_
            if start - other.stop >= -MM and abs(other.near(start) - row) <= _SIDEWAYS_MM * MM
        ]
        if near:
            other = max(near, key=lambda piece: piece.stop)
            open_.remove(other)
            one = _both(other, one)
        open_.append(one)
    return out + open_


def _both(a: Ruling, b: Ruling) -> Ruling:
    """Two pieces as one line, from end to end."""
    stop = max(a.stop, b.stop)
    first, last = a.near(a.start), (b if b.stop == stop else a).near(stop)
    share = a.length / (a.length + b.length)
    return Ruling(
        a.start,
        stop,
        (first + last) / 2,
        a.thick * share + b.thick * (1 - share),
        (last - first) / (stop - a.start),
        min(1.0, (a.length * a.cover + b.length * b.cover) / (stop - a.start)),
        a.clear * share + b.clear * (1 - share),
    )
