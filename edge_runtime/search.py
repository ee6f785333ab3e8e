"""The k best texts of a grammar under CTC output, whatever the ink says.

Owns:   `Prefix` (a text so far), `k_best`.
Needs:  numpy, `grammar`, `lattice`, `outputs`, `sums`.
Words:  *ahead*: the best that the frames still to come can add; exact, so the search never errs and
        expands little more than the texts it returns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_runtime.grammar import Grammar
from edge_runtime.lattice import Lattice
from edge_runtime.outputs import Floats, Frames
from edge_runtime.sums import staying

_LOWEST = -1e300  # anything but -inf
_ROUNDING = 1e-6  # nats; sums of a thousand frames agree to 1e-9


class Prefix:
    """A text so far, and how well the first frames say it.

    `held` float64 (t + 1,): the best alignment of the first frames that ends on the last character.
    `rest`: that ends on a blank. `either`: the better of the two.
    """

    __slots__ = ("either", "held", "label", "parent", "rest")

    def __init__(
        self, parent: Prefix | None, label: int, held: Floats, rest: Floats, either: Floats
    ) -> None:
        self.parent, self.label = parent, label
        self.held, self.rest, self.either = held, rest, either

    @staticmethod
    def of(frames: Frames, labels: Sequence[int]) -> Prefix:
        """The prefix that these labels spell."""
        rest = frames.summed(0)
        found = Prefix(None, 0, np.full(frames.n + 1, -np.inf), rest, rest)
        for label in labels:
            entry = found.rest if found.label == label else found.either
            held = staying(entry, frames.summed(label), np.maximum)
            rest = staying(held, frames.summed(0), np.maximum)
            found = Prefix(found, label, held, rest, np.maximum(held, rest))
        return found

    def labels(self) -> list[int]:
        """The characters' labels, first to last."""
        found: list[int] = []
        at = self
        while at.parent is not None:
            found.append(at.label)
            at = at.parent
        return found[::-1]

    def runs(self, frames: Frames) -> list[tuple[int, int]]:
        """Frames (first, last exclusive) of each character in the best alignment."""
        found: list[tuple[int, int]] = []
        at, end, on_blank = self, frames.n, False
        while at.parent is not None:
            if on_blank or at.rest[end] > at.held[end]:
                end = int(np.argmax(at.held[:end] - frames.summed(0)[:end]))
            entry = at.parent.rest if at.parent.label == at.label else at.parent.either
            start = int(np.argmax(entry[:end] - frames.summed(at.label)[:end]))
            found.append((start, end))
            on_blank = at.parent.label == at.label
            at, end = at.parent, start
        return found[::-1]


def k_best(frames: Frames, grammar: Grammar, lattice: Lattice, *, k: int) -> list[Prefix]:
    """The texts of a grammar with the k best alignments, the best first; exact.

    All prefixes of one length at a time. What a prefix is worth is the best alignment of any text
    that begins with it, known exactly from the frames still to come. Prefixes of one length begin
    different texts, so one that k others (or texts that have ended) surpass begins none of the k
    best: no more than k are ever kept, and none is lost.

    Args:
        frames: Network output.
        grammar: What is allowed; each text by one way through its states alone.
        lattice: Of that grammar.
        k: Texts wanted, at most.
    """
    ways = _Ways(frames, grammar, lattice)
    level = _Level.root(frames)
    ended: list[tuple[float, Prefix]] = []
    bound = -math.inf
    while level.state:
        at_end: list[float] = level.either[:, -1].tolist()
        ended += [
            (worth, level.prefix(row))
            for row, (state, worth) in enumerate(zip(level.state, at_end, strict=True))
            if ways.accepting[state] and worth >= max(bound, _LOWEST)
        ]
        worth, row, edge = ways.children(level, bound)
        values = np.concatenate([worth, [one for one, _ in ended]])
        if len(values) > k:
            bound = float(np.partition(values, len(values) - k)[len(values) - k]) - _ROUNDING
            near = worth >= bound
            worth, row, edge = worth[near], row[near], edge[near]
            ended = [one for one in ended if one[0] >= bound]
        if len(worth) > k:  # alike to the last digit
            first = np.argsort(-worth, kind="stable")[:k]
            row, edge = row[first], edge[first]
        level = level.grown(frames, row, grammar.edges[edge])
    ended.sort(key=lambda one: -one[0])
    return [prefix for _, prefix in ended[:k]]


class _Level:
    """Prefixes of one length: for each a row of what `Prefix` holds."""

    def __init__(
        self,
        prefixes: list[Prefix] | None,
        held: Floats,
        rest: Floats,
        label: list[int],
        state: list[int],
    ) -> None:
        self.held, self.rest, self.either = held, rest, np.maximum(held, rest)
        self.label, self.state, self._parents = label, state, prefixes
        self._made: list[Prefix | None] = [None] * len(state)

    @staticmethod
    def root(frames: Frames) -> _Level:
        rest = frames.summed(0)[None]
        return _Level(None, np.full(rest.shape, -np.inf), rest, [0], [0])

    def prefix(self, row: int) -> Prefix:
        found = self._made[row]
        if found is None:
            parent = None if self._parents is None else self._parents[row]
            found = self._made[row] = Prefix(
                parent, self.label[row], self.held[row], self.rest[row], self.either[row]
            )
        return found

    def grown(self, frames: Frames, row: NDArray[np.intp], edges: NDArray[np.int32]) -> _Level:
        """Each prefix `row` with the label of its edge after it."""
        rows, label = row.tolist(), edges[:, 1].tolist()
        entry = self.either[row]
        for at, (parent, one) in enumerate(zip(rows, label, strict=True)):
            if self.label[parent] == one:
                entry[at] = self.rest[parent]
        held = staying(entry, frames.sums[edges[:, 1]], np.maximum)
        rest = staying(held, frames.sums[:1], np.maximum)
        return _Level([self.prefix(at) for at in rows], held, rest, label, edges[:, 2].tolist())


class _Ways:
    """What each way on from a prefix is worth at best."""

    def __init__(self, frames: Frames, grammar: Grammar, lattice: Lattice) -> None:
        self._frames, self._lattice, self._ahead = frames, lattice, lattice.best_ahead(frames)
        self._first: list[int] = grammar.first_edge.tolist()
        self.accepting: list[bool] = grammar.accepting.tolist()

    def _on(self, state: int, span: slice) -> Floats:
        """float64 (frames of `span`, edges): an edge taken at a frame, and the best after it."""
        first, last = self._first[state : state + 2]
        later, said = self._ahead[1:][span], self._frames.log[span]
        on: Floats = later.take(self._lattice.edge_node[first:last], axis=1)
        on += said.take(self._lattice.edge_label[first:last], axis=1)
        return on

    def _repeat(self, state: int, label: int) -> int | None:
        """Which of a state's edges has the label that was said last: a blank must come between."""
        if label == 0:
            return None
        first, last = self._first[state : state + 2]
        at = int(self._lattice.edge_label[first:last].searchsorted(label))
        found = first + at < last and self._lattice.edge_label[first + at] == label
        return at if found else None

    def children(
        self, level: _Level, bound: float
    ) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
        """What children are worth, whose they are, by which edge; those under `bound` are left out.

        No frame on which a prefix and the best way on from it are under the bound is looked at.
        """
        of: dict[int, list[int]] = {}
        for row, state in enumerate(level.state):
            if self._first[state + 1] > self._first[state]:
                of.setdefault(state, []).append(row)
        found = [_NO_CHILDREN]
        for state, rows in of.items():
            either = level.either[rows, :-1]
            # A state's own best ahead is no less than that of any of its edges.
            hope = np.maximum.reduce(either, axis=0) + self._ahead[:-1, state]
            there = (hope >= max(bound, _LOWEST)).nonzero()[0]
            if not len(there):
                continue
            span = slice(int(there[0]), int(there[-1]) + 1)
            on = self._on(state, span)
            worth = np.maximum.reduce(either[:, span, None] + on, axis=1)
            for at, row in enumerate(rows):
                again = self._repeat(state, level.label[row])
                if again is not None:
                    worth[at, again] = np.maximum.reduce(on[:, again] + level.rest[row, :-1][span])
            near, edge = (worth >= max(bound, _LOWEST)).nonzero()
            found.append((worth[near, edge], np.array(rows)[near], edge + self._first[state]))
        if len(found) == 2:
            return found[1]
        return tuple(map(np.concatenate, zip(*found, strict=True)))  # type: ignore[return-value]


_NONE = np.empty(0, np.intp)
_NO_CHILDREN = (np.empty(0), _NONE, _NONE)
