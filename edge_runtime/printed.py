"""What is printed in a field's crop, rules and boxes, and the ink without it.

Owns:   `Printed`, `find_printed`, `erase_printed`; `within_border`.
Needs:  numpy, cv2, `lines`, `tracks`, `erasing`, `borders`.
Words:  *ink* is bright on black. *Rules* are printed level lines. What may be a stroke stays: the
        network has been taught to see through what is left of rules.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.borders import find_borders, lines_between
from edge_runtime.erasing import erase_lines
from edge_runtime.field import Box
from edge_runtime.kernels import full_kernel
from edge_runtime.lines import ON, Gray, Line, find_lines, stroke_width_px
from edge_runtime.tracks import MAX_SLOPE

_LEAST_PX = 14  # crops lower or narrower than this show no rule that could be told from a stroke
_THICK = 0.08  # of the crop's height: thicker than this no rule is printed under a free field
_BORDER = 0.12  # and than this no box around cells
_THICKEST_PX = 64  # of any printed line: 2.7 mm at 600 dpi; the time to look grows with it
_WIDE = 1.6  # width over height from which a bar across the crop is no bar of a glyph
_SHARE, _PARTED_SHARE = 0.7, 0.55  # of the width that a rule is long; and beside cells
_LEAST = 0.4  # of the width, at least, are the lines long that are looked for
_EDGE = 0.22  # of the height: a rule without its box stands so near to the crop's foot or head
_SOLID = 0.95  # of a line that is no rule under writing: of a box, or at a glyph's edge
_SIDE = 0.75  # of a box's height, at least, is ink in each of its upright sides
_DOTTED = 0.25  # of a dotted rule is dots
_REACH = 0.04  # of the width: a rule that ends this near to the crop's side runs through it
_BOX_PX = 16  # the side of a box of 2 mm at 200 dpi
_INK = 60  # a pixel of this much ink belongs to a line or a stroke
_BAND = 0.05  # of the height: how far a rule may lean, to each side
_SHORTEST_RULE = 0.5  # of the middle of the width that any rule covers in long runs
_FOOT = 0.45  # of the crop's height: the foot of a round glyph
_NEAR_RAIL = 0.25  # of the way from rail to rail: so far a second rule stands from one
_FOOT_IN_CELL = 0.5  # of a cell's width
# How far a field's border reaches into it: its own width and what registration is off by.
_FRAME, _FRAME_PX = 0.06, 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Printed:
    """What is printed in a crop. Lines are those of the crop sheared until its rules lie level."""

    shear: NDArray[np.intp] | None  # (w,) rows by which a column was moved up; None: not at all
    level: tuple[Line, ...]
    upright: tuple[Line, ...]  # of the transposed crop
    borders: NDArray[np.float64] | None = None  # (n + 1,) columns of the cells' borders


def find_printed(ink: Gray, n: int, inside: Box | None = None) -> Printed:
    """What is printed around `n` cells; `n` = 0: a free field, of which nothing is known.

    Args:
        ink: uint8 (h, w), ink bright on black.
        n: Number of cells.
        inside: Where the field lies in it, pixels; None where that is not known.
    """
    h, w = ink.shape
    nothing = Printed(None, (), ())
    if min(h, w) < _LEAST_PX:
        return nothing
    thick = min(_THICKEST_PX, max(3, round((_BORDER if n > 1 else _THICK) * h)))
    gap = max(3, w // 50, round(0.3 * w / n) if n > 1 else 0)  # boxes may stand apart
    narrow = w < _WIDE * h and n < 2
    known = narrow and inside is not None
    through = _through(w, inside if narrow else None)
    if narrow and not _may_be_printed(ink, through, known=known):
        return nothing
    shortest = _BOX_PX if narrow else _PARTED_SHARE * w if n > 1 else _SHARE * w
    cover = _SOLID if narrow else _DOTTED
    is_rule = partial(_is_rule, shape=ink.shape, ends=through, parted=n > 1, known=known)
    # What would be no rule however thin it were is left out before its thickness is measured.
    worth = None if narrow else is_rule
    lines = find_lines(
        ink, thick_px=thick, least=_LEAST, gap_px=gap, length_px=shortest, cover=cover, worth=worth
    )
    if narrow:
        closed = _closed_box(ink, lines, thick)
        if closed is not None:
            return closed
    level = list(filter(is_rule, lines))
    level = _outer(level, h) if n > 1 else level
    if n < 2 and None in rails(level, h):  # no row of boxes: no upright lines to look for
        return Printed(None, tuple(level), ())
    shear = None
    if level:
        guide = max(level, key=lambda line: line.length)
        shear = guide.rows - guide.rows[w // 2]
        level = [replace(line, rows=line.rows - shear) for line in level]
    straight = _shift(ink, shear, -1) if shear is not None and shear.any() else ink
    top, bottom = rails(level, h)
    ends = (min(one.start for one in level), max(one.stop for one in level)) if level else ()
    upright, borders = find_borders(straight, top, bottom, n, thick, ends)
    return Printed(shear, tuple(level), upright, borders)


def _through(w: int, inside: Box | None) -> tuple[float, float]:
    """Columns: a rule that begins before the first and ends behind the second runs through."""
    left, right = (0.0, float(w)) if inside is None else (inside[0], inside[2])
    return left + _REACH * w, right - _REACH * w


def _may_be_printed(ink: Gray, ends: tuple[float, float], *, known: bool) -> bool:
    """Whether there is ink enough around one glyph for a rule from side to side, or for a box.

    A tenth of the time to look for lines; where it says no, no line is taken for a printed one.
    """
    h, w = ink.shape
    mask = np.asarray(cv2.threshold(ink, ON - 1, 1, cv2.THRESH_BINARY)[1], np.uint8)
    both = bool(mask[:, : int(ends[0]) + 1].any() and mask[:, int(ends[1]) :].any())
    if min(h, w) < _BOX_PX and not both:
        return False
    level = _filled(mask, 1)
    if both:
        through = level >= _SOLID * (ends[1] - ends[0])
        if not known:
            edge = int(_EDGE * h) + 2
            through[edge : h - edge] = False
        if through.any():
            return True
        if min(h, w) < _BOX_PX:
            return False
    rows = (level >= max(_SOLID * _BOX_PX, _LEAST * w - 2)).nonzero()[0]
    behind = rows.searchsorted(rows + _BOX_PX - 2)
    second = rows[behind[behind < len(rows)]]
    if not len(second):
        return False
    tall = int((second - rows[: len(second)]).min())
    sides = (_filled(mask, 0) >= _SIDE * max(tall, _BOX_PX)).nonzero()[0]
    return bool(len(sides) and sides[-1] - sides[0] + 2 * _spare(h) >= _BOX_PX)


def _spare(across: int) -> int:
    """How far what leans or bends lies from its row, over so many columns."""
    return math.ceil(MAX_SLOPE / 2 * across + 1)


def _filled(mask: Gray, along: int) -> NDArray[np.int32]:
    """How much of each row (`along` = 1) or column is ink, or stands beside ink within a lean."""
    band = 2 * _spare(mask.shape[along]) + 1
    wide = cv2.dilate(mask, full_kernel(band, 1) if along else full_kernel(1, band))
    total = cv2.reduce(wide, along, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    return np.asarray(total, np.int32).ravel()


def may_hold_box(ink: Gray) -> bool:
    """Whether long level ink stands both above and below: a tenth of the time to look for lines.

    Seen is the middle of the width, which a rule of `_SHARE` of it runs through wherever it lies. A
    rule that leans by some pixels still fills most columns of a band a few rows high.
    """
    h, w = ink.shape
    if min(h, w) < _LEAST_PX:
        return False
    run = full_kernel(1, max(5, min(h, w) // 3))
    half = max(1, round(_BAND * h))
    top, bottom = round(0.45 * h), round(0.55 * h)
    # Half by half: writing seldom has such strokes even in one of them.
    above = _long_level(ink[: top + half], run, half)[:top]
    return bool(above.any() and _long_level(ink[bottom - half :], run, half)[half:].any())


def _long_level(ink: Gray, run: Gray, half: int) -> NDArray[np.bool_]:
    """bool (h,), in which rows, and `half` of them above and below, runs fill much of the middle
    of the width."""
    w, long = ink.shape[1], run.shape[1]
    left, right = int((1 - _SHARE) * w), math.ceil(_SHARE * w)
    # A run that reaches into the middle may begin or end beside it.
    start = max(0, left - long)
    mask = cv2.threshold(ink[:, start : right + long], _INK - 1, 1, cv2.THRESH_BINARY)[1]
    core = cv2.erode(mask, run)
    if not cv2.countNonZero(core):
        return np.zeros(len(ink), np.bool_)
    filled = cv2.dilate(core, full_kernel(2 * half + 1, long))[:, left - start : right - start]
    total = cv2.reduce(filled, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    return np.asarray(total.ravel() >= _SHORTEST_RULE * (right - left), np.bool_)


def within_border(field: Box) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what the ink of a field's border does not reach, pixels."""
    x0, y0, x1, y1 = field
    border = max(_FRAME_PX, _FRAME * (y1 - y0))
    left, top, right, bottom = (
        max(0, round(edge)) for edge in (x0 + border, y0 + border, x1 - border, y1 - border)
    )
    return left, top, right, bottom


def erase_printed(ink: Gray, printed: Printed) -> Gray:
    """The ink without what is printed: uint8 (h, w), the very same pixels where nothing is."""
    if not printed.level and not printed.upright:
        return ink
    shear, h = printed.shear, ink.shape[0]
    stroke = stroke_width_px(ink)
    if shear is None or not shear.any():
        return _erase_straight(ink, printed, stroke)
    # Padded, so that nothing is lost on the way there and back.
    pad = int(np.abs(shear).max())
    tall = cv2.copyMakeBorder(ink, pad, pad, 0, 0, cv2.BORDER_CONSTANT, value=0)
    longer = np.clip(np.arange(-pad, h + pad), 0, h - 1)
    moved = Printed(
        None,
        tuple(replace(line, rows=line.rows + pad) for line in printed.level),
        tuple(
            replace(
                line,
                start=line.start + pad,
                stop=line.stop + pad,
                rows=line.rows[longer],
            )
            for line in printed.upright
        ),
    )
    clean = _erase_straight(_shift(np.asarray(tall, np.uint8), shear, -1), moved, stroke)
    return _shift(clean, shear, 1)[pad : pad + h]


def _is_rule(
    line: Line, *, shape: tuple[int, ...], ends: tuple[float, float], parted: bool, known: bool
) -> bool:
    """Whether a level line is a printed one: straight, thin, and too long for a glyph."""
    h, w = shape
    through = line.start <= ends[0] and line.stop >= ends[1]
    if w < _WIDE * h and not parted:
        # A bar of a T can run from side to side of its crop: only a hair line at the edge is a
        # rule. From side to side of a field of a page runs what is printed.
        edge = known or min(line.row, h - 1 - line.row) <= _EDGE * h
        through &= edge and line.thick_px <= 0.045 * h and line.bend_px <= 0.4
        return through and line.cover >= _SOLID and line.thin >= 0.6
    share, high = (_PARTED_SHARE, 0.7) if parted else (_SHARE, 2.5)
    long = through or (line.length >= share * w and line.length >= high * h)
    if not long or line.bend_px > 0.8:
        return False
    if parted and line.cover >= 0.6:
        return line.thin >= 0.45 * line.cover
    if line.cover >= 0.9:
        # Cursive writing strings its joins along a line, too, but strokes leave it all the time:
        # measured, 0.44 to 0.63 of the columns are thin; under a rule that is written on 0.45 to 1.
        return (line.thin >= (0.65 if through else 0.75)) or (
            through and line.cover >= 0.97 and line.thin >= 0.45 and line.thick_px <= 0.07 * h
        )
    # Dots and dashes: nothing above or below, or it is a row of letters.
    dotted = line.cover >= _DOTTED and line.length >= 0.85 * w and line.length >= 2.5 * h
    lone = line.thin >= 0.85 * line.cover and line.thick_px <= max(2.5, 0.04 * h)
    return dotted and lone and line.bend_px <= 0.5


def _outer(level: list[Line], h: int) -> list[Line]:
    """Lines but those in the middle between two rails: what runs through a row is a row of bars."""
    if len(level) < 3:
        return level
    top, bottom = min(line.row for line in level), max(line.row for line in level)
    if bottom - top < 0.5 * h:
        return level
    near = _NEAR_RAIL * (bottom - top)
    return [line for line in level if min(line.row - top, bottom - line.row) <= near]


def rails(level: Sequence[Line], h: int) -> tuple[int | None, int | None]:
    """Rows of the rules above and below the writing."""
    above = [line.row for line in level if line.row < 0.45 * h]
    below = [line.row for line in level if line.row > 0.55 * h]
    return (round(max(above)) if above else None), (round(min(below)) if below else None)


def _closed_box(ink: Gray, lines: Sequence[Line], thick: int) -> Printed | None:
    """A printed box with all four sides, such as that of a check box."""
    near = thick + 1
    sides = [
        x for x in lines
        if x.cover >= _SOLID and x.thin >= 0.4 and x.bend_px <= 0.6 and x.length >= _BOX_PX
    ]  # fmt: skip
    for a, b in itertools.combinations(sides, 2):
        tall = b.row - a.row
        if tall < _BOX_PX or abs(a.start - b.start) > near or abs(a.stop - b.stop) > near:
            continue
        ups = lines_between(ink, round(a.row), round(b.row) + 1, thick, cover=0.9)
        left = [u for u in ups if abs(u.row - (a.start + b.start) / 2) <= near]
        right = [u for u in ups if abs(u.row - (a.stop + b.stop) / 2) <= near]
        for one, two in itertools.product(left, right):
            slim = max(a.thick_px, b.thick_px, one.thick_px, two.thick_px) <= 0.12 * tall
            # An O has four sides, too, but no corners.
            if slim and all(_corner(ink, x, y) for x in (a, b) for y in (one, two)):
                return Printed(None, (a, b), (one, two))
    return None


def _corner(ink: Gray, level: Line, upright: Line) -> bool:
    """Whether two lines meet in ink, give or take half their width."""
    col = int(np.clip(upright.row, 0, ink.shape[1] - 1))
    row = int(np.clip(level.rows[col], 0, ink.shape[0] - 1))
    near = round(max(level.thick_px, upright.thick_px) / 2)
    around = ink[max(0, row - near) : row + near + 1, max(0, col - near) : col + near + 1]
    return bool(around.max() >= _INK)


def _erase_straight(ink: Gray, printed: Printed, stroke: float) -> Gray:
    # Where a row of cells has a rail, no foot is wider than half a cell.
    foot, cuts = _FOOT * ink.shape[0], [line.row for line in printed.upright]
    if printed.borders is not None:
        foot = min(foot, _FOOT_IN_CELL * float(np.diff(printed.borders).mean()))
        cuts += printed.borders.tolist()
    clean = erase_lines(ink, printed.level, stroke_px=stroke, foot_px=foot, cuts=cuts)
    if not printed.upright:
        return clean
    turned = erase_lines(np.ascontiguousarray(clean.T), printed.upright, stroke_px=stroke)
    return np.ascontiguousarray(turned.T)


def _shift(ink: Gray, shear: NDArray[np.intp], sign: int) -> Gray:
    """Columns moved: -1 brings rules to lie level, +1 takes the crop back."""
    h, w = ink.shape
    out = np.zeros((h, w), np.uint8)
    # Rules climb less than a pixel in many columns: those move as one.
    edges = np.append(np.flatnonzero(np.diff(shear)) + 1, w).tolist()
    left = 0
    for right in edges:
        down = sign * int(shear[left])
        top, bottom = max(0, down), min(h, h + down)
        if bottom > top:
            out[top:bottom, left:right] = ink[top - down : bottom - down, left:right]
        left = right
    return out
