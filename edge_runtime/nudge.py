"""What a plane projection leaves over: a smooth shift of the template, fitted to measurements.

Owns:   `Nudge`, a grid of shifts; `fit_nudge`, which makes one of measured shifts; `fit_spread`,
        which says how sure that is.
Needs:  numpy.
Words:  *piece*: a short stretch of a printed line, which tells of its shift across itself alone.
Source: Gaussian process regression (Rasmussen and Williams 2006, chapter 2) with a wide and a
        narrow squared exponential; outliers are weighed down as by a Cauchy loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

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
_SCALES = (
    0.1,
    0.2,
    0.4,
    0.7,
    1.0,
    1.5,
    2.5,
)  # of the usual shift: a flat sheet to a badly bent one
_LEAST_BENT = 0.4  # of a photo: a card's corner may rise where all is flat in its middle
_FEWEST_TELLING = 8  # measurements along one axis, before they tell how far a sheet is bent
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

    def seen_through(self, to_own: Points, size: tuple[float, float]) -> Nudge:
        """The same shift for another plane, a page of `size`, of which `to_own` is the affine
        matrix (3, 3) to this one's unit."""
        reach = np.array(size)
        origin, step = -_OVER * reach, reach * (1 + 2 * _OVER) / (_NODES - 1)
        x, y = (origin[k] + step[k] * np.arange(_NODES) for k in (0, 1))
        nodes = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        own = nodes @ to_own[:2, :2].T + to_own[:2, 2]
        shifts = (self.moved(own) - own) @ np.linalg.inv(to_own[:2, :2]).T
        return Nudge(origin, step, shifts.reshape(_NODES, _NODES, 2))

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

    @classmethod
    def nothing(cls) -> Measured:
        none = np.empty(0)
        return cls(np.empty((0, 2)), none, np.empty(0, np.intp), none, np.empty(0, bool))

    @classmethod
    def all_of(cls, parts: Sequence[Measured]) -> Measured:
        """Several as one."""
        parts = [cls.nothing(), *parts]
        return cls(
            np.concatenate([one.points for one in parts]),
            np.concatenate([one.shifts for one in parts]),
            np.concatenate([one.group for one in parts]),
            np.concatenate([one.side for one in parts]),
            np.concatenate([one.sure for one in parts]),
        )

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


def fit_spread(
    size: tuple[float, float],
    across: Measured,
    down: Measured,
    *,
    pins: Points,
    points: Points,
    bent: bool,
) -> Points:
    """How far off a fitted shift may be at points: what is measured near by, and how bent it is.

    The measurements themselves say by how much this sheet strays: the scale under which they are
    the likeliest is taken, so that a flat sheet is trusted where nothing is printed, and a bent
    one is not.

    Args:
        size: As `fit_nudge`.
        across: As `fit_nudge`.
        down: As `fit_nudge`.
        pins: As `fit_nudge`.
        points: float64 (n, 2), template units.
        bent: A photo, whose sheet may be bent where nothing was measured.

    Returns:
        float64 (n, 2), standard deviations in x and y, template units.
    """
    whole = max(size)
    parts = [_part(one, pins.tobytes(), whole, 1.0) for one in (across, down)]
    told = [part for part in parts if part.n >= _FEWEST_TELLING]
    scale = 1.0
    if told:
        scales = [one for one in _SCALES if not bent or one >= _LEAST_BENT]
        scale = max(scales, key=lambda each: sum(part.log_likelihood(each) for part in told))
    at = points / whole
    return np.stack([part.spread(at, scale) for part in parts], axis=1) * whole


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One axis's measurements and pins, parts of the page's longer edge."""

    points: Points  # (m, 2)
    values: Points  # (m,)
    kernel: Points  # float64 (m, m), of the points, at a scale of 1
    noise: Points  # float64 (m, m)
    weights: Points  # float64 (m,), of each point's kernel in the fitted shift
    n: int  # of the points, the first, that were measured

    def log_likelihood(self, scale: float) -> float:
        # With the values as a last row and column, and a corner that keeps it positive, one
        # triangular root tells both the determinant and how far the values lie off.
        m = len(self.values)
        whole = np.empty((m + 1, m + 1))
        np.multiply(scale**2, self.kernel, out=whole[:m, :m])
        whole[:m, :m] += self.noise
        whole[m, :m] = whole[:m, m] = self.values
        whole[m, m] = 1 + self.values @ self.values / _NOISE**2
        root = np.linalg.cholesky(whole)
        log_det = 2 * np.log(np.diagonal(root)[:m]).sum()
        return float(-0.5 * (root[m, :m] @ root[m, :m] + log_det))

    def spread(self, at: Points, scale: float) -> Points:
        own = np.diag(_kernel(at[:1], at[:1], 1.0)) * scale**2
        if len(self.points) == 0:
            return np.sqrt(np.repeat(own, len(at)))
        between = scale**2 * _kernel(at, self.points, 1.0)
        whole = scale**2 * self.kernel + self.noise
        known = (between * np.linalg.solve(whole, between.T).T).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(own - known, 0)))


@lru_cache(maxsize=8)  # what a page's shifts are fitted by tells how sure they are, too
def _part(one: Measured, pins: bytes, whole: float, slack: float) -> _Part:
    """`pins` are the bytes of float64 (k, 2)."""
    one, held = _thinned(one), np.frombuffer(pins).reshape(-1, 2)
    n = len(one.shifts)
    points = np.vstack([one.points, held]) / whole
    values = np.concatenate([one.shifts, np.zeros(len(held))]) / whole
    own, base, inset = _kernel(points, points, slack), _base_noise(one, len(held)), _inset(one)
    kernel = own.copy()
    kernel[:n, :n] += inset
    weights, settled = _settled_noise(kernel, values, base, n)
    noise = np.diag(settled)
    noise[:n, :n] += inset
    return _Part(points, values, own, noise, weights, n)


def _thinned(one: Measured) -> Measured:
    if len(one.shifts) <= _MOST:
        return one
    keep = np.zeros(len(one.shifts), bool)
    keep[np.linspace(0, len(one.shifts) - 1, _MOST).astype(int)] = True
    return one.part(keep)


def _inset(one: Measured) -> Points:
    """Covariance (n, n) of the edges of one box, which is drawn inside or outside its lines."""
    side = one.side * (one.group[:, None] == one.group) * one.side[:, None]
    return np.asarray(_INSET**2 * side)


def _base_noise(one: Measured, n_pins: int) -> Points:
    base = np.full(len(one.shifts) + n_pins, _NOISE**2)
    base[: len(one.shifts)][~one.sure] *= _UNSURE**2
    return base


def _settled_noise(kernel: Points, values: Points, base: Points, n: int) -> tuple[Points, Points]:
    """Weights (m,), and the noise (m,) under which the n that are measured, pins apart, agree."""
    noise = base.copy()
    for _ in range(_ROUNDS):
        weights = np.linalg.solve(kernel + np.diag(noise), values)
        off = values - kernel @ weights
        noise = base * (1 + (off / _CAUCHY) ** 2)
        noise[n:] = base[n:]
    return np.asarray(weights, np.float64), noise


def _fit(one: Measured, pins: Points, nodes: Points, whole: float, slack: float) -> Points:
    """Shifts (n,) at `nodes`, of one axis."""
    if len(one.shifts) == 0:
        return np.zeros(len(nodes))
    part = _part(one, pins.tobytes(), whole, slack)
    return np.asarray(_kernel(nodes, part.points, slack) @ part.weights * whole)


def _kernel(a: Points, b: Points, slack: float) -> Points:
    gap, both = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1), a @ b.T
    both *= 2
    gap -= both
    # In place: new arrays would take as long as all but the powers.
    wide = np.divide(gap, -(2 * _WIDE**2), out=both)
    np.exp(wide, out=wide)
    wide *= (slack * _WIDE_SHIFT) ** 2
    narrow = np.divide(gap, -(2 * _NARROW**2), out=gap)
    np.exp(narrow, out=narrow)
    narrow *= _NARROW_SHIFT**2
    wide += narrow
    return np.asarray(wide)
