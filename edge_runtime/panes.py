"""Fields that are lighter than the tint around them, beside those that lines close in.

Owns:   `with_panes`.
Needs:  `rulings`, `frames`, `combs`, `found`. Panes are found by `tints`.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_runtime.combs import cut, even_teeth
from edge_runtime.found import NEAR, Rect, overlap
from edge_runtime.frames import RULE, is_drawn
from edge_runtime.rulings import MM, Sheet

_SAME = 0.75  # of a pane and a frame together that they share: one and the same place
_INNER = 0.8  # of a frame that lies in a pane, which holds it
_OFF = 1.5 * MM  # from a pane's sides: a line so far inside divides it


def with_panes(frames: Sequence[Rect], sheet: Sheet) -> tuple[list[Rect], frozenset[Rect]]:
    """Frames and panes as frames, each place once; and which of them are panes.

    A pane that holds frames, or lines to write on, is a panel of them and no field.
    """
    out, panes = list(frames), list[Rect]()
    for pane in sheet.panes:
        over = [one for one in out if overlap(one, pane)]
        inner = [
            one for one in over
            if _shared(one, pane) >= _INNER * _area(one)
            and _shared(one, pane) < _SAME * _area(pane)
        ]  # fmt: skip
        if inner or _is_ruled(pane, sheet):
            continue
        holders = [one for one in over if _shared(one, pane) >= _INNER * _area(pane)]
        out = [
            one for one in out
            if one not in over or (one in holders and _area(one) > _area(pane) / _SAME)
        ]  # fmt: skip
        parts = _divided(pane, sheet)
        out += parts
        panes += parts
    return out, frozenset(panes)


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
