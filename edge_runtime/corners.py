"""Rounded corners of boxes: lines that end where an arc begins, drawn on to where they would meet.

Owns:   `squared`.
Needs:  numpy, cv2, `rulings`, `found`.
Words:  a corner is *round* where a level and an upright line end about as far from the point where
        they would meet, and ink goes from one end to the other along a quarter of a circle.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.rulings import MM, Gray, Ruling, Sheet

Points = NDArray[np.float64]

_LEAST, _MOST = 0.35 * MM, 6.5 * MM  # radius; a smaller one is bridged as any gap
_SLACK_PX = 4.0  # by which the line's two ends may be unlike far away: where an arc begins is vague
_LONG = 8.0 * MM  # of a level line that a box has for a side: letters have shorter ones
_ARC = 0.85  # of the arc that is ink
_MORE, _RADII = 2.2, 9  # times so far is the longest radius that may be; of those tried
_POINTS = 24  # of an arc that are looked at


def squared(sheet: Sheet) -> Sheet:
    """The sheet with its lines as if all corners were sharp, and no ink where the arcs are."""
    thick = np.asarray(cv2.dilate(sheet.ink, np.ones((3, 3), np.uint8)), np.uint8)
    level, upright, ink = list(sheet.level), list(sheet.upright), sheet.ink.copy()
    ends = np.array([(up.at, up.start, up.stop) for up in upright]).reshape(-1, 3).T
    for i, line in enumerate(sheet.level):
        if line.length < _LONG:
            continue
        for at_start in (True, False):
            end = line.start if at_start else line.stop
            out = -1 if at_start else 1
            for k in _near(line.near(end), end, out, ends):
                arc = _arc_at(line, upright[k], end, out, thick)
                if arc is None:
                    continue
                pen = 2 + round(max(line.thick, upright[k].thick))
                cv2.polylines(ink, [arc.astype(np.int32)], False, 0, pen)
                level[i] = _reaching(level[i], upright[k].at)
                upright[k] = _reaching(upright[k], line.near(upright[k].at))
    return replace(sheet, ink=ink, level=tuple(level), upright=tuple(upright))


def _near(row: float, end: float, out: int, ends: Points) -> list[int]:
    """Numbers of the upright lines, (3, n) columns and ends, that may go on from a level one."""
    across = out * (ends[0] - end)
    down = np.maximum(ends[1] - row, row - ends[2])  # to the end that is nearer
    low, high = np.minimum(across, down), np.maximum(across, down)
    near: list[int] = np.flatnonzero(
        (low >= -_SLACK_PX) & (high >= _LEAST) & (high <= _MOST)
    ).tolist()
    return near


def _arc_at(line: Ruling, up: Ruling, end: float, out: int, thick: Gray) -> Points | None:
    """The arc (n, 2) from the end of a level line to an upright one; None where there is none."""
    row = line.near(up.at)
    across = out * (up.at - end)
    for below in (True, False):
        down = (up.start - row) if below else (row - up.stop)
        radius = max(across, down)
        if not _LEAST <= radius <= _MOST or min(across, down) < -_SLACK_PX:
            continue
        # An arc's first and last pixels are level, or upright: they lengthen the lines.
        for r in np.linspace(radius, _MORE * radius, _RADII):
            arc = _arc(up.at, row, r, -out, 1 if below else -1)
            if _share(arc, thick) >= _ARC:
                return arc
    return None


def _arc(x: float, y: float, r: float, right: int, down: int) -> Points:
    """A quarter circle (n, 2), its sharp corner at (x, y), its middle to the right (1) or left (-1)
    and below (1) or above (-1)."""
    t = np.linspace(0, np.pi / 2, _POINTS)
    return np.stack([x + right * r * (1 - np.cos(t)), y + down * r * (1 - np.sin(t))], axis=1)


def _share(points: Points, thick: Gray) -> float:
    h, w = thick.shape
    x, y = np.rint(points).astype(np.intp).T
    on = (x >= 0) & (y >= 0) & (x < w) & (y < h)
    return float((thick[y[on], x[on]] > 0).sum() / _POINTS)


def _reaching(one: Ruling, along: float) -> Ruling:
    """The line, from or to a pixel along it that it did not reach."""
    start, stop = min(one.start, along), max(one.stop, along)
    return replace(one, start=start, stop=stop, at=one.near((start + stop) / 2))
