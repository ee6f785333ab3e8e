"""Texts under CTC output: their sums over all alignments, and the k best of a grammar.

Owns:   `Prefix` (a text so far), `text_sums`, `k_best`.
Needs:  numpy, `grammar`, `lattice`.
Words:  *ahead*: the best that the frames still to come can add; exact, so the search never errs and
        expands little more than the texts it returns.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from itertools import count

import numpy as np

from edge_runtime.grammar import Grammar
from edge_runtime.lattice import RESCALE_EVERY, SCALED_LEAST, Floats, Frames, Lattice

_END = -1  # in place of an edge: the text ends here
_LOWEST = -1e300  # anything but -inf
_ROUNDING = 1e-6  # nats; sums of a thousand frames agree to 1e-9


class Prefix:
    """A text so far, and how well the first frames say it.

    `held` float64 (t + 1,): the best alignment of the first frames that ends on the last character.
    `rest`: that ends on a blank. `either`: the better of the two.
    """

    __slots__ = ("either", "held", "label", "parent", "rest", "state")

    def __init__(self, frames: Frames, parent: Prefix | None, label: int, state: int) -> None:
        self.parent, self.label, self.state = parent, label, state
        self.held: Floats = np.full(frames.n + 1, -np.inf)
        self.rest: Floats = frames.summed(0)
        if parent is not None:
            entry = parent.rest if parent.label == label else parent.either
            self.held = _run(entry, frames.summed(label), np.maximum)
            self.rest = _run(self.held, frames.summed(0), np.maximum)
        self.either: Floats = np.maximum(self.held, self.rest)

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


def _run(entry: Floats, summed: Floats, over: np.ufunc) -> Floats:
    """Alignments that enter a label at any frame and stay on it.

    out[t + 1] = log p[t] + over(out[t], entry[t]), without a loop over frames: with the label's
    running sum taken off, it is an accumulation.
    """
    out = np.empty_like(summed)
    out[0] = -np.inf
    over.accumulate(entry[:-1] - summed[:-1], out=out[1:])
    out[1:] += summed[1:]
    return out


def text_sums(frames: Frames, texts: Sequence[Sequence[int]]) -> list[float]:
    """Logs of the probabilities of texts: each over all its alignments, marks wherever they stand.

    Args:
        frames: Network output.
        texts: Labels of each text.

    Source: the forward sums of Graves et al. 2006, all texts at once, rescaled as they shrink.
    """
    n, longest = len(texts), max(map(len, texts), default=0)
    chain = np.zeros((n, 2 * longest + 1), np.intp)  # blank, first character, blank, second, ...
    for row, text in zip(chain, texts, strict=True):
        row[1 : 2 * len(text) : 2] = text
    leap = np.zeros(chain.shape)  # 1 where a character may follow another without a blank between
    leap[:, 3::2] = chain[:, 3::2] != chain[:, 1:-2:2]
    leap[:, 1:2] = 1
    probs = frames.prob[:, chain]
    state = np.zeros((n, chain.shape[1] + 2))  # two nodes before the chain save all edge cases
    state[:, 1] = 1
    two_back, one_back, here = state[:, :-2], state[:, 1:-1], state[:, 2:]
    scratch = np.empty(chain.shape)
    log = np.zeros(n)
    for t in range(frames.n):
        np.multiply(two_back, leap, out=scratch)
        scratch += one_back
        scratch += here
        np.multiply(scratch, probs[t], out=here)
        if t == 0:
            state[:, :2] = 0
        if t % RESCALE_EVERY == RESCALE_EVERY - 1:
            scale = here.sum(axis=1)
            scale[scale == 0] = 1
            here /= scale[:, None]
            log += np.log(scale)
    ends = np.array([2 * len(text) for text in texts])[:, None]
    mass = np.take_along_axis(state, ends + np.array([1, 2]), axis=1).sum(axis=1)
    sums = np.log(mass, out=np.full(n, -np.inf), where=mass > 0) + log
    return [
        float(one) if one > SCALED_LEAST else _text_log_sum(frames, text)
        for one, text in zip(sums, texts, strict=True)
    ]


def _text_log_sum(frames: Frames, labels: Sequence[int]) -> float:
    """The same in the log domain, for one text that is as good as impossible."""
    rest = either = frames.summed(0)
    last = 0
    for label in labels:
        held = _run(rest if last == label else either, frames.summed(label), np.logaddexp)
        rest = _run(held, frames.summed(0), np.logaddexp)
        either, last = np.logaddexp(held, rest), label
    return float(either[-1])


def k_best(
    frames: Frames,
    grammar: Grammar,
    lattice: Lattice,
    *,
    k: int,
    add: Callable[[Prefix], bool],
    most_expansions: int,
) -> bool:
    """Distinct texts of a grammar, the one with the best alignment first, until `add` says enough.

    A best-first search over prefixes. What a prefix is worth is the best alignment of any text that
    begins with it: known exactly, so that each way that is taken ends in a text worth returning.

    Args:
        frames: Network output.
        grammar: What is allowed.
        lattice: Of that grammar.
        k: Texts that may be asked for; what cannot be among them is not followed.
        add: Takes a text; true where no further text is wanted.
        most_expansions: Prefixes to expand at most.

    Returns:
        Whether the search was finished rather than cut off.
    """
    ahead = lattice.best_ahead(frames)
    ways = _Ways(frames, grammar, lattice, ahead, k)
    order = count()
    heap: list[tuple[float, int, Prefix, _Children, int]] = []

    def push(prefix: Prefix, children: _Children, rank: int) -> None:
        if rank < len(children):
            heapq.heappush(heap, (-children[rank][0], next(order), prefix, children, rank))

    root = Prefix(frames, None, 0, 0)
    push(root, ways.children(root), 0)
    expanded = given = 0
    while heap and given < k:
        _, _, prefix, children, rank = heapq.heappop(heap)
        push(prefix, children, rank + 1)
        edge = children[rank][1]
        if edge == _END:
            given += 1
            if add(prefix):
                return True
            continue
        if expanded == most_expansions:
            return False
        expanded += 1
        _, label, state = grammar.edges[edge].tolist()
        child = Prefix(frames, prefix, label, state)
        push(child, ways.children(child), 0)
    return True


_Children = list[tuple[float, int]]  # what each edge, or the end, is worth; best first


class _Ways:
    """What each way on from a prefix is worth at best.

    All ways that are known and not yet taken end in different texts, each worth just that. So the
    k-th best of them bounds what is looked for: frames and edges under it are passed over.
    """

    def __init__(
        self, frames: Frames, grammar: Grammar, lattice: Lattice, ahead: Floats, k: int
    ) -> None:
        self._frames, self._grammar, self._lattice, self._ahead = frames, grammar, lattice, ahead
        self._of_state: dict[int, tuple[Floats, Floats]] = {}
        self._first: list[int] = grammar.first_edge.tolist()
        self._accepting: list[bool] = grammar.accepting.tolist()
        self._best = [-math.inf] * k  # a heap; its first is the bound

    def _on(self, state: int) -> tuple[Floats, Floats]:
        """float64 (t, edges): an edge taken at a frame, and the best after it; maxima (t,)."""
        found = self._of_state.get(state)
        if found is None:
            first, last = self._first[state : state + 2]
            on = self._ahead[1:, self._lattice.edge_node[first:last]]
            on += self._frames.log[:, self._lattice.edge_label[first:last]]
            found = self._of_state[state] = (on, np.maximum.reduce(on, axis=1))
        return found

    def children(self, prefix: Prefix) -> _Children:
        first, last = self._first[prefix.state], self._first[prefix.state + 1]
        found: _Children = []
        bound = self._best[0] - _ROUNDING
        if last > first:
            on, top = self._on(prefix.state)
            either = prefix.either[:-1]
            there = (top + either >= bound).nonzero()[0]
            if len(there):
                rows = slice(there[0], there[-1] + 1)
                on = on[rows]
                worth = np.maximum.reduce(on + either[rows, None], axis=0)
                again = self._again(prefix, first, last)
                if again is not None:
                    worth[again] = np.maximum.reduce(on[:, again] + prefix.rest[rows])
                near = (worth >= max(bound, _LOWEST)).nonzero()[0]
                found = list(zip(worth[near].tolist(), (near + first).tolist(), strict=True))
        if self._accepting[prefix.state] and prefix.either[-1] > -math.inf:
            found.append((float(prefix.either[-1]), _END))
        if len(found) > 1:
            found.sort(key=_best_first)
            del found[len(self._best) :]
        # The first is worth what the prefix was, and the prefix has been counted; but for the root.
        for worth_of, _ in found[prefix.parent is not None :]:
            heapq.heappushpop(self._best, worth_of)
        return found

    def _again(self, prefix: Prefix, first: int, last: int) -> int | None:
        """The edge that repeats the last character, which only a blank lets through."""
        if prefix.parent is None:
            return None
        at = int(self._lattice.edge_label[first:last].searchsorted(prefix.label))
        if first + at < last and self._lattice.edge_label[first + at] == prefix.label:
            return at
        return None


def _best_first(way: tuple[float, int]) -> tuple[float, int]:
    return -way[0], way[1]
