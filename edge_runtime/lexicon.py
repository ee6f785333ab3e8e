"""A long list of texts under CTC output: each text's sum, those that cannot count passed over.

Owns:   `Lexicon` (the texts as a tree of prefixes) and `Lexicon.sums`.
Needs:  numpy, `grammar`, `lattice`.
Words:  *place*: a label at a depth; what may follow at the next depth is known of places, so places
        allow every text of the list and more. *bound*: the mass of all texts through a place, so no
        less than that of the list's own.

The tree is walked one depth at a time, all prefixes together. A prefix's alignments are known up to
each frame, and from there on no text of the list can have more mass than its place has: where that
is nothing against the whole, the branch is left. What is left is added up, and the walk is done
again with a finer measure until it is too little to show in the sum.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_runtime.grammar import Grammar
from edge_runtime.lattice import segments
from edge_runtime.outputs import Floats, Frames, Ints

_MEASURE = 1e-10  # of the bound of all: the least a branch must have at first
_LOST = 3e-7  # of the list's mass that may be left out, at most
_MOST_WALKS = 8
_LEAST = 1e-280  # sums under it are no floats to rely on


class Lexicon:
    """Texts as a tree; made once for a grammar.

    Args:
        texts: All that the grammar allows, distinct.
        grammar: Over whose labels they are spelled.
    """

    def __init__(self, texts: tuple[str, ...], grammar: Grammar) -> None:
        spelled = _spelled(texts, grammar)
        order = np.lexsort(spelled.T[::-1])
        self.texts = [texts[at] for at in order.tolist()]
        spelled = spelled[order]
        fresh = np.ones(spelled.shape, np.bool_)  # where a text leaves the one before it
        fresh[1:] = np.logical_or.accumulate(spelled[1:] != spelled[:-1], axis=1)
        fresh &= spelled > 0
        n, depth = spelled.shape
        ends_at = (spelled > 0).sum(axis=1)
        node = np.zeros(n, np.intp)  # of each text, at the depth before
        self._levels: list[_Depth] = []
        for d in range(depth):
            text = np.flatnonzero(fresh[:, d])
            here = np.cumsum(fresh[:, d]) - 1
            parents = int(node.max()) + 1 if d else 1
            end = np.full(len(text), -1, np.intp)
            stop = np.flatnonzero(ends_at == d + 1)
            end[here[stop]] = stop
            self._levels.append(_Depth(spelled[text, d], node[text], parents, end))
            node = here
        self._join(grammar)

    def _join(self, grammar: Grammar) -> None:
        """Number the places of all depths, and find which follow which."""
        n_labels, count = len(grammar.labels), 0
        labels, ends, pairs = [], [], []
        before: Ints = np.zeros(1, np.intp)
        for level in self._levels:
            known, place = np.unique(level.label, return_inverse=True)
            level.place, level.labels = place.reshape(-1), known
            level.places = slice(count, count + len(known))
            labels.append(known)
            ended = np.zeros(len(known), np.bool_)
            ended[level.place[level.end >= 0]] = True
            ends.append(ended)
            pairs.append(np.unique(before[level.parent] * (1 << 32) + count + level.place))
            before = count + level.place
            count += len(known)
        self._label = np.concatenate(labels)
        self._ends = np.concatenate(ends).astype(np.float64)
        pair = np.concatenate(pairs[1:]) if len(pairs) > 1 else np.empty(0, np.intp)
        self._head = pair & ((1 << 32) - 1)
        self._first, self._tail = segments(pair >> 32)
        same = self._label[pair >> 32] == self._label[self._head]
        self._doubled, self._double = (pair >> 32)[same], self._head[same]
        assert n_labels > int(self._label.max())

    def sums(self, frames: Frames) -> tuple[Ints, Floats, float] | None:
        """The texts that have mass in these frames.

        Returns:
            Their places in `texts`; the logs of their sums, float64; the log of the mass of the
            whole list, to 1e-6. None where floats do not reach, or no text fits.
        """
        if frames.n == 0:
            return None
        top = frames.log.max(axis=1)
        prob = np.exp(frames.log - top[:, None])
        with np.errstate(over="ignore", invalid="ignore"):  # looked at below
            ahead = self._ahead(prob)
        first = self._levels[0].places
        silent: Floats = np.cumprod(np.r_[1.0, prob[:-1, 0]])[:, None].astype(np.float64)
        whole = float(_entered(prob, ahead, self._label[first], first, silent).sum())
        if not _LEAST < whole < math.inf:
            return None
        least = whole * _MEASURE
        for _ in range(_MOST_WALKS):
            text, mass, left = self._walk(prob, ahead, least)
            total = float(mass.sum())
            if total > 0 and float(left.sum()) <= total * _LOST:
                break
            least *= 1e-4
            if total > 0:  # as many branches as were left, each of them that small, are no loss
                least = min(least, total * _LOST / len(left))
            if least < _LEAST or not len(left):
                return None
        else:
            return None
        shift = float(top.sum())
        return text, np.log(mass) + shift, math.log(total) + shift

    def _ahead(self, prob: Floats) -> Floats:
        """float64 (t + 1, places): mass of all that may come once a place's label is being held."""
        ahead = np.empty((len(prob) + 1, len(self._label)))
        ahead[-1] = self._ends
        rest = self._ends.copy()  # the same once a blank was said
        onward = np.zeros(len(rest))
        for t in range(len(prob) - 1, -1, -1):
            p = prob[t]
            held = p[self._label]
            held *= ahead[t + 1]
            if len(self._tail):
                onward[self._tail] = np.add.reduceat(held[self._head], self._first)
            rest *= p[0]
            here = ahead[t]
            np.add(held, rest, out=here)
            here += onward
            if len(self._doubled):  # the same label at once would be one: rounding stays a bound
                double, whole = held[self._double], onward[self._doubled]
                here[self._doubled] -= np.minimum(double, whole * (1 - 1e-12))
            rest += onward
        return ahead

    def _walk(self, prob: Floats, ahead: Floats, least: float) -> tuple[Ints, Floats, Floats]:
        """Texts and their masses; of each branch that was left its mass, at most."""
        n = len(prob)
        held = np.zeros((n + 1, 1))
        rest: Floats = np.cumprod(np.r_[1.0, prob[:, 0]])[:, None].astype(np.float64)
        either, node, label = rest, np.zeros(1, np.intp), np.zeros(1, np.intp)
        texts, masses, left = [], [], []
        for level in self._levels:
            at, row = level.children(node)
            bound = _entered(prob, ahead, level.labels, level.places, either[:-1])
            worth = bound[row, level.place[at]]
            near = worth > least
            left.append(worth[~near])
            at, row = at[near], row[near]
            if not len(at):
                break
            entry = either[:-1, row]
            again = level.label[at] == label[row]
            entry[:, again] = rest[:-1, row[again]]
            node, label = at, level.label[at]
            held, rest = _held(entry, prob[:, label], prob[:, 0])
            either = held + rest
            end = level.end[at]
            done = end >= 0
            texts.append(end[done])
            masses.append(either[-1, done])
        text = np.concatenate([np.empty(0, np.intp), *texts])
        mass = np.concatenate([np.empty(0), *masses])
        return text[mass > 0], mass[mass > 0], np.concatenate(left)


class _Depth:
    """The nodes of one depth, by parent, then label."""

    places: slice  # of the labels of this depth, among all places
    labels: Ints  # int (labels of this depth,): ascending
    place: Ints  # int (nodes,): of a node's label among `labels`

    def __init__(self, label: Ints, parent: Ints, n_parents: int, end: Ints) -> None:
        self.label, self.parent, self.end = label, parent, end
        self._first = np.searchsorted(parent, np.arange(n_parents + 1))

    def children(self, nodes: Ints) -> tuple[Ints, Ints]:
        """Children of some nodes of the depth before, and each one's parent's place in these."""
        first = self._first[nodes]
        count = self._first[nodes + 1] - first
        row = np.repeat(np.arange(len(nodes)), count)
        return np.arange(len(row)) + np.repeat(first - (np.cumsum(count) - count), count), row


def _spelled(texts: tuple[str, ...], grammar: Grammar) -> NDArray[np.intp]:
    """int (texts, longest): labels, 0 behind the end."""
    label = np.zeros(256, np.intp)  # the network's charset is ASCII
    for at, char in enumerate(grammar.labels):
        if char:
            label[ord(char)] = at
    fixed = np.array([text.encode("ascii") for text in texts])
    return label[fixed.view(np.uint8).reshape(len(texts), -1)]


def _entered(prob: Floats, ahead: Floats, labels: Ints, places: slice, either: Floats) -> Floats:
    """float64 (rows, labels): the mass of all that may come if a row's prefix takes a label."""
    onward: Floats = prob[:, labels] * ahead[1:, places]
    found: Floats = either.T @ onward
    return found


def _held(entry: Floats, said: Floats, blank: Floats) -> tuple[Floats, Floats]:
    """float64 (t + 1, rows) twice: alignments that end on the label, and on a blank after it."""
    n, rows = entry.shape
    held, rest = np.zeros((n + 1, rows)), np.zeros((n + 1, rows))
    silent: list[float] = blank.tolist()
    for t in range(n):
        h, r = held[t + 1], rest[t + 1]
        np.add(held[t], entry[t], out=h)
        h *= said[t]
        np.add(held[t], rest[t], out=r)
        r *= silent[t]
    return held, rest


@lru_cache(maxsize=64)
def lexicon_of(grammar: Grammar) -> Lexicon | None:
    """The tree of a grammar's texts, made once; None where it has none, or only a few."""
    if grammar.texts is None or len(grammar.texts) < 64:  # the lattice is as quick for a few
        return None
    return Lexicon(grammar.texts, grammar)
