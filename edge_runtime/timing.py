"""How long a thing takes: repeated, and told by its middle, its slow end and its best.

Owns:   `Took`, `measure`, `per`, `thread_counts`.
Needs:  numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

_FEWEST, _MOST = 3, 2000  # times that a thing is measured
_EVERY = 4  # up to so many threads each number is tried, then doublings


@dataclass(frozen=True, slots=True)
class Took:
    """How long one thing takes, milliseconds."""

    name: str
    p50_ms: float
    p95_ms: float
    min_ms: float
    repeats: int


def measure(
    action: Callable[[], object], name: str, *, seconds: float, fewest: int = _FEWEST
) -> Took:
    """Repeat for about `seconds`, after one turn that does not count."""
    action()
    took: list[float] = []
    end = perf_counter() + seconds
    while len(took) < fewest or (perf_counter() < end and len(took) < _MOST):
        start = perf_counter()
        action()
        took.append((perf_counter() - start) * 1e3)
    return taken(name, took)


def taken(name: str, took_ms: Sequence[float]) -> Took:
    """What single measurements say together."""
    p50, p95 = np.percentile(took_ms, [50, 95])
    return Took(name, float(p50), float(p95), float(min(took_ms)), len(took_ms))


def per(took: Took, n: int, name: str) -> Took:
    """The time of one of `n` things that were done together."""
    return Took(name, took.p50_ms / n, took.p95_ms / n, took.min_ms / n, took.repeats)


def thread_counts(most: int) -> tuple[int, ...]:
    """1, 2, 3, 4, 8, ... and `most`: doublings show where more threads stop to help."""
    counts = set(range(1, min(_EVERY, most) + 1))
    step = _EVERY * 2
    while step < most:
        counts.add(step)
        step *= 2
    return tuple(sorted({*counts, most}))
