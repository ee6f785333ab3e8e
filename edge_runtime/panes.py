"""Fields that are lighter than the tint around them, beside those that lines close in.

Owns:   `framed`, `is_panel`.
Needs:  `rulings`, `frames`, `corners`, `combs`, `found`, `rooms`, `writing`. Panes are found by
        `tints`. A pane that holds frames, or lines to write on, is a panel of them and no field.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edge_runtime.combs import cut, even_teeth
from edge_runtime.corners import squared
from edge_runtime.found import NEAR, Rect, overlap
from edge_runtime.frames import RULE, frames_of, is_drawn
from edge_runtime.rooms import SURE
from edge_runtime.rulings import MM, Sheet, without_tint
from edge_runtime.writing import Word

_SAME = 0.75  # of a pane and a frame together that they share: one and the same place
_INNER = 0.8  # of a frame that lies in a pane, which holds it
_PROSE = 40  # letters of print in a pane: more than a label and a hint have
_OFF = 1.5 * MM  # from a pane's sides: a line so far inside divides it


class Framed(NamedTuple):
    """Paper closed in by lines or by tint, each place once."""

    sheet: Sheet  # without the tint around panes that no lines tell of
    sharp: Sheet  # the same, its corners drawn on
    frames: list[Rect]
    panes: frozenset[Rect]  # those of them that no lines tell of


def framed(sheet: Sheet) -> Framed:
    """A sheet without such panes is as it was."""
    sharp = squared(sheet)
    frames = frames_of(sharp)
    drawn = {pane: _drawn(pane, frames) for pane in sheet.tint.panes} if sheet.tint else {}
    left = [pane for pane, own in drawn.items() if not own]
    if not left:
        return Framed(sheet, sharp, frames, frozenset())
    sheet = without_tint(sheet, left)
    sharp = squared(sheet)
    out = list(dict.fromkeys(one for own in drawn.values() for one in own))
    out += [one for one in frames_of(sharp) if not any(overlap(one, own) for own in out)]
    panes = list[Rect]()
    for pane in left:
        over = [one for one in out if overlap(one, pane)]
        inner = [one for one in over if _shared(one, pane) >= _INNER * _area(one)]
        if any(_shared(one, pane) < _SAME * _area(pane) for one in inner) or _is_ruled(pane, sharp):
            continue
        holders = [one for one in over if _shared(one, pane) >= _INNER * _area(pane)]
        out = [
            one for one in out
            if one not in over or (one in holders and _area(one) > _area(pane) / _SAME)
        ]  # fmt: skip
        parts = _divided(pane, sharp)
        out += parts
        panes += parts
    return Framed(sheet, sharp, out, frozenset(panes))


def _drawn(pane: Rect, frames: Sequence[Rect]) -> list[Rect]:
    """The frames that lines close in where a pane is: its own, or the cells that it is cut into."""
    over = [one for one in frames if overlap(one, pane)]
    inner = [one for one in over if _shared(one, pane) >= _INNER * _area(one)]
    whole = sum(_shared(one, pane) for one in inner) >= _SAME * _area(pane)
    return inner if whole else []


def is_panel(pane: Rect, words: Sequence[Word]) -> bool:
    """Whether a pane holds so much print that nobody is asked to write there."""
    x0, y0, x1, y1 = pane
    inside = [
        one for one in words
        if one.print_share >= SURE
        and x0 <= (one.box[0] + one.box[2]) / 2 <= x1
        and y0 <= (one.box[1] + one.box[3]) / 2 <= y1
    ]  # fmt: skip
    return sum(one.letters for one in inside) >= _PROSE


def _divided(pane: Rect, sheet: Sheet) -> list[Rect]:
    """The cells that lines from side to side divide a pane into, or the pane alone."""
    x0, y0, x1, y1 = pane
    across = [
        one for one in sheet.upright
        if x0 + _OFF < one.at < x1 - _OFF and one.start <= y0 + NEAR and one.stop >= y1 - NEAR
    ]  # fmt: skip
    columns = even_teeth(x0, x1, y1 - y0, across)
    return list(cut(pane, columns)) if columns else [pane]


def _is_ruled(pane: Rect, sheet: Sheet) -> bool:
    x0, y0, x1, y1 = pane
    return any(
        one.length >= RULE and is_drawn(one)
        and x0 - NEAR <= one.start and one.stop <= x1 + NEAR
        and y0 + _OFF < one.at < y1 - _OFF
        for one in sheet.level
    )  # fmt: skip


def _area(one: Rect) -> float:
    return (one[2] - one[0]) * (one[3] - one[1])


def _shared(a: Rect, b: Rect) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, wide) * max(0.0, high)
