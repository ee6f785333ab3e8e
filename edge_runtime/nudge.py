"""What a plane projection leaves over: a smooth shift of the template, fitted to measurements.

Owns:   `Nudge`, a grid of shifts; `fit_nudge`, which makes one of measured shifts.
Needs:  numpy.
Words:  *piece*: a short stretch of a printed line, which tells of its shift across itself alone.
Source: Gaussian process regression (Rasmussen and Williams 2006, chapter 2) with a wide and a
        narrow squared exponential; outliers are weighed down as by a Cauchy loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

# Lengths are parts of the page's longer edge, 0.001 being 0.3 mm of A4.
_WIDE, _WIDE_SHIFT = 0.4, 0.008  # rollers and curl: over much of the page, by a few millimetres
_NARROW, _NARROW_SHIFT = 0.1, 0.0012  # what is left: over a field or two, by less than half
_INSET = 0.0017  # boxes are drawn a little inside or outside the lines: half a millimetre
_NOISE = 0.0006  # of one measurement
_CAUCHY = 0.0012  # a measurement so far off counts half
_UNSURE = 3.0  # times the noise of a line that may be another than the box's
_ROUNDS = 3
_MOST = 160  # measurements that are used along either axis
_NODES = 15  # of the grid along either edge
_OVER = 0.04  # part of the page by which the grid reaches beyond it


@dataclass(frozen=True, slots=True, eq=False)
class Nudge:
    """Shifts of the template's points, in its unit, on an even grid; linear in between."""

    origin: Points  # (2,) of the first node
    step: Points  # (2,)
    shifts: Points  # float64 (ny, nx, 2)

    def moved(self, points: Points) -> Points:
        """Points (n, 2) of the template, shifted."""
        ny, nx = self.shifts.shape[:2]
        at = np.clip((points - self.origin) / self.step, 0, (nx - 1.001, ny - 1.001))
        low = at.astype(np.intp)
        part = at - low
        x, y = low.T
        fx, fy = part[:, :1], part[:, 1:]
        top = self.shifts[y, x] * (1 - fx) + self.shifts[y, x + 1] * fx
        bottom = self.shifts[y + 1, x] * (1 - fx) + self.shifts[y + 1, x + 1] * fx
        return np.asarray(points + top * (1 - fy) + bottom * fy)

    @property
    def largest(self) -> float:
        """Length of the longest shift, template units."""
        return float(np.hypot(self.shifts[..., 0], self.shifts[..., 1]).max())


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Shifts along one axis; n measurements, lengths in the template's unit."""

    points: Points  # (n, 2)
    shifts: Points  # (n,)
    group: NDArray[np.intp]  # (n,) field that a piece is of
    side: Points  # (n,) -1 for a field's first edge, 1 for its last, 0 in between
    sure: NDArray[np.bool_]  # (n,) certain to be printed: of a row of cells

    def part(self, keep: NDArray[np.bool_]) -> Measured:
        return Measured(
            self.points[keep],
            self.shifts[keep],
            self.group[keep],
            self.side[keep],
            self.sure[keep],
        )


def fit_nudge(
    size: tuple[float, float],
    across: Measured,
    down: Measured,
    *,
    pins: Points,
    slack: float = 1.0,
) -> Nudge:
    """The smoothest shift that explains what was measured.

    Args:
        size: Width and height of the page, template units.
        across: Measured shifts in x.
        down: Measured shifts in y.
        pins: float64 (k, 2), points that are known not to shift.
        slack: How many times the usual shift is expected.
    """
    whole = max(size)
    reach = np.array(size)
    origin, step = -_OVER * reach, reach * (1 + 2 * _OVER) / (_NODES - 1)
    x, y = (origin[k] + step[k] * np.arange(_NODES) for k in (0, 1))
    nodes = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2) / whole
    shifts = [_fit(one, pins, nodes, whole, slack) for one in (across, down)]
    return Nudge(origin, step, np.stack(shifts, axis=-1).reshape(_NODES, _NODES, 2))


def _fit(one: Measured, pins: Points, nodes: Points, whole: float, slack: float) -> Points:
    """Shifts (n,) at `nodes`, of one axis."""
    if len(one.shifts) > _MOST:
        keep = np.zeros(len(one.shifts), bool)
        keep[np.linspace(0, len(one.shifts) - 1, _MOST).astype(int)] = True
        one = one.part(keep)
    n = len(one.shifts)
    if n == 0:
        return np.zeros(len(nodes))
    points = np.vstack([one.points, pins]) / whole
    values = np.concatenate([one.shifts, np.zeros(len(pins))]) / whole
    kernel = _kernel(points, points, slack)
    side = one.side * (one.group[:, None] == one.group) * one.side[:, None]
    kernel[:n, :n] += _INSET**2 * side
    base = np.full(len(values), _NOISE**2)
    base[:n][~one.sure] *= _UNSURE**2
    noise = base.copy()
    for _ in range(_ROUNDS):
        weights = np.linalg.solve(kernel + np.diag(noise), values)
        off = values - kernel @ weights
        noise = base * (1 + (off / _CAUCHY) ** 2)
        noise[n:] = base[n:]
    return np.asarray(_kernel(nodes, points, slack) @ weights * whole)


def _kernel(a: Points, b: Points, slack: float) -> Points:
    gap = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * (a @ b.T)
    wide = (slack * _WIDE_SHIFT) ** 2 * np.exp(-gap / (2 * _WIDE**2))
    return np.asarray(wide + _NARROW_SHIFT**2 * np.exp(-gap / (2 * _NARROW**2)))
