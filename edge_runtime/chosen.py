"""Which of a row's bubbles is marked: what each has more than its like.

Owns:   `Chosen`, `Row`, `choose`, `evidence_of`.
Needs:  numpy, `bubbles`, `circled`; weights by `python -m benchmarks.bubbles --fit`.
Words:  *like*: the bubbles of a page's other rows with the same choices, at the same place in the
        row. What most of them show is print.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.bubble_weights import WEIGHTS
from edge_runtime.bubbles import FEATURES, Bubbles
from edge_runtime.circled import circled, usual_of

Floats = NDArray[np.float64]

_FEWEST = 4  # rows that tell what is printed in each bubble
_USUAL = 30  # per cent of a bubble's like that have less: more than two in three are not marked
_APART = 0.12  # by which letters printed in one row differ at most: I and W in bold
_FAINT = 0.03  # by which a bubble is darker than its print by chance
_SIZE = 0.2  # by which sizes of bubbles differ that are alike
_SET_BY_PRINT = ("dark", "covered", "darkest", "solid")  # what print adds to
_CLIP = 30.0  # of a logit
_SHOWN = 0.9  # of a page's rows
_IS_MARKED = 0.5
_STREAK = 0.25  # how dark strokes are that go on beyond a bubble's corners
_FULL, _FAR_MORE = 0.85, 1.25  # of a blackened bubble that is covered; times what a tick covers
# By how much a bubble is darker than its print where something was rubbed out, at least: of 114
# drawn rows without a mark none had more than 0.019, of 26 with a rubbed-out one 25 had.
_TRACE = 0.025
_TRACE_ALONE = 0.06  # where nothing tells what each bubble's print is: letters differ by that


@dataclass(frozen=True, slots=True)
class Row:
    """One choice on its way to be told."""

    bubbles: Bubbles
    choices: tuple[str, ...]
    marks: str  # of `field.MARKS`


@dataclass(frozen=True, slots=True)
class Chosen:
    """How surely each of a row's bubbles is marked, 0..1."""

    marked: tuple[float, ...]
    traces: tuple[bool, ...] = ()  # of each, whether anything is there beside its print
    withdrawn: tuple[bool, ...] = ()  # of each, whether its mark looks taken back, beside another
    shown: bool = True  # whether the lines of bubbles are seen where they should be

    @property
    def none(self) -> float:
        """That none is."""
        return float(np.prod(1 - np.array(self.marked)))

    @property
    def alone(self) -> tuple[float, ...]:
        """That each is, and no other."""
        p = np.array(self.marked)
        rest = [float(np.prod(np.delete(1 - p, k))) for k in range(len(p))]
        return tuple((p * rest).tolist())


def choose(rows: Sequence[Row]) -> list[Chosen]:
    """What the rows of one page say, in order."""
    around = [k for k, row in enumerate(rows) if row.marks == "circle"]
    within = [k for k, row in enumerate(rows) if row.marks != "circle"]
    out: dict[int, Chosen] = dict(zip(within, _filled([rows[k] for k in within]), strict=True))
    out |= dict(zip(around, _circled([rows[k] for k in around]), strict=True))
    return [out[k] for k in range(len(rows))]


def _circled(rows: Sequence[Row]) -> list[Chosen]:
    """Of words of which one is circled."""
    out = []
    for row, kin in zip(rows, _kin(rows), strict=True):
        usual = usual_of([rows[j].bubbles for j in kin], row.bubbles)
        z, traces = circled(row.bubbles.features, usual)
        p = 1 / (1 + np.exp(-np.clip(z, -_CLIP, _CLIP)))
        out.append(Chosen(tuple(p.tolist()), tuple(traces.tolist())))
    return out


def _filled(rows: Sequence[Row]) -> list[Chosen]:
    """Of boxes and bubbles of which one is filled, ticked or crossed."""
    if not rows:
        return []
    # Where many rows are not seen the others are seen by chance.
    shown = bool(np.mean([row.bubbles.shown for row in rows]) >= _SHOWN)
    out = []
    for row, (evidence, known) in zip(rows, evidence_of(rows), strict=True):
        p = 1 / (1 + np.exp(-np.clip(_network(evidence), -_CLIP, _CLIP)))
        more = evidence[:, len(FEATURES) + _SET_BY_PRINT.index("dark")]
        traces = (more >= (_TRACE if known else _TRACE_ALONE)).tolist()
        withdrawn = _withdrawn(row, p >= _IS_MARKED)
        out.append(Chosen(tuple(p.tolist()), tuple(traces), withdrawn, shown and row.bubbles.shown))
    return out


def _withdrawn(row: Row, marked: NDArray[np.bool_]) -> tuple[bool, ...]:
    """Of a row's marks those that are crossed out, or blackened beside one that is ticked or
    crossed; none where that is true of all."""
    streak, full = (row.bubbles.features[:, FEATURES.index(name)] for name in ("streak", "covered"))
    taken = marked & (streak >= _STREAK)
    if row.marks != "fill" and not taken.any():
        taken = marked & (full >= _FULL) & (full >= _FAR_MORE * full[marked].min(initial=1.0))
    return tuple((taken & (taken != marked).any()).tolist())


def evidence_of(rows: Sequence[Row]) -> list[tuple[Floats, bool]]:
    """Of each row float64 (n, features): what its bubbles show, what that is more than their
    print, and how that compares with the most of the row; and whether their print is known."""
    which = [FEATURES.index(name) for name in _SET_BY_PRINT]
    print_of: dict[bytes, Floats] = {}
    out = []
    for row, kin in zip(rows, _kin(rows), strict=True):
        seen, blank = row.bubbles.features, row.bubbles.blank
        if known := len(kin) >= _FEWEST:
            key = kin.tobytes()
            if key not in print_of:
                print_of[key] = _usual(np.stack([rows[j].bubbles.features for j in kin]))
            usual = print_of[key]
        else:
            usual = _by_itself(seen, blank)
        more = (seen - usual)[:, which]
        # Against the darkest of the others: a faint mark beside a dark one is what is left of it.
        dark = more[:, 0]
        others = np.array([np.delete(dark, i).max(initial=0.0) for i in range(len(dark))])
        against = np.log((_FAINT + dark.clip(0)) / (_FAINT + others.clip(0)))
        out.append((np.column_stack([seen, more, against]), known or blank is not None))
    return out


def _kin(rows: Sequence[Row]) -> list[NDArray[np.intp]]:
    """Of each row of a page the numbers of those that are printed as it is, itself among them."""
    alike: dict[Hashable, list[int]] = defaultdict(list)
    for k, row in enumerate(rows):
        alike[row.choices, row.marks].append(k)
    sizes = np.array([row.bubbles.sizes.mean(axis=0) for row in rows])
    out = []
    for k, row in enumerate(rows):
        group = np.array(alike[row.choices, row.marks])
        off = np.abs(sizes[group] / sizes[k] - 1).max(axis=1)
        out.append(group[off <= _SIZE])
    return out


def _usual(every: Floats) -> Floats:
    """float64 (n, features), what most of (k, n, features) show."""
    usual = np.percentile(every, _USUAL, axis=0)
    # Where nearly all marked the same, the others tell.
    return np.asarray(np.minimum(usual, np.median(usual, axis=0) + _APART))


def _by_itself(seen: Floats, blank: Floats | None) -> Floats:
    """What is printed in a row's bubbles, told by the emptier half of them, and by a reference."""
    half = max(1, len(seen) // 2)
    low = np.sort(seen, axis=0)[:half]
    if blank is None:
        return np.broadcast_to(np.median(low, axis=0), seen.shape)
    # A page is darker or paler than its reference: told by the bubbles nearest to theirs.
    off = np.median(np.sort(seen - blank, axis=0)[:half], axis=0)
    return np.asarray(blank + np.clip(off, -_APART, _APART))


def _network(evidence: Floats) -> Floats:
    """float64 (n,), log odds that each bubble is marked."""
    first, last, mean, scale = _weights()
    hidden = np.maximum((evidence - mean) / scale @ first[:-1] + first[-1], 0.0)
    return np.asarray((hidden @ last[:-1] + last[-1])[:, 0])


@lru_cache(maxsize=1)
def _weights() -> tuple[Floats, Floats, Floats, Floats]:
    """Hidden units (features + 1, hidden), answer (hidden + 1, 1), mean and scale."""
    rows: list[Any] = [np.array(line.split(), np.float64) for line in WEIGHTS.split("\n") if line]
    n = len(rows[0])
    return np.stack(rows[2 : n + 3]), np.stack(rows[n + 3 :]), rows[0], rows[1]
