"""CTC output crossed with a field's automaton: the mass of all texts, the best way on from a node.

Owns:   `Lattice` (nodes, their transitions).
Needs:  numpy, `grammar`, `outputs`.
Words:  *node*: where an alignment stands after a frame. A state has a pool node, for alignments in
        which any label may follow, and a held node for each label that must not follow at once,
        because CTC would merge it with the frame before.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_runtime.grammar import Grammar
from edge_runtime.outputs import Floats, Frames, Ints
from edge_runtime.sums import RESCALE_EVERY, SCALED_LEAST

_LEAST_REST = 1e-6  # of a sum: a difference so small keeps ten decimals, see `Lattice._mend`
_SMALL_TOGETHER = 16  # the same where many strips share the product's cost
_SMALL = 8  # nodes up to which a product of matrices beats a loop over frames


class Lattice:
    """Nodes and transitions of CTC output x automaton; made once for a grammar."""

    def __init__(self, grammar: Grammar) -> None:
        tail, label, head = grammar.edges.T.astype(np.intp)
        n_labels = len(grammar.labels)
        self.n_states = grammar.n_states
        self.accepting = grammar.accepting
        self.n_labels = n_labels
        key = tail * n_labels + label  # ascending, as edges are
        self._edge_tail, self.edge_label = tail, label

        # A label that leads from a state to itself may follow itself: no node need be held for it.
        held = ~_at(key, head * n_labels + label, head)
        held_key = np.unique(head[held] * n_labels + label[held])
        self.held_state, self.held_label = held_key // n_labels, held_key % n_labels
        self.n_nodes = self.n_states + len(held_key)
        node = head.copy()
        node[held] = self.n_states + np.searchsorted(held_key, head[held] * n_labels + label[held])
        self.edge_node = node

        # Edges whose tail holds a node of the same label: that node cannot take them.
        place = np.minimum(np.searchsorted(held_key, key), max(0, len(held_key) - 1))
        barred = held_key[place] == key if len(held_key) else np.zeros(len(key), np.bool_)
        self._merge(tail, label, node, barred)
        self.barred_node = place[barred]  # counted among held nodes
        self.barred_state = tail[barred]

    def _merge(self, tail: Ints, label: Ints, node: Ints, barred: NDArray[np.bool_]) -> None:
        """Edges that run side by side between the same nodes become one, of all their labels."""
        # Barred ones stay apart.
        group = np.where(barred, np.arange(len(tail)) + self.n_nodes, node)
        order = np.lexsort((label, group, tail))
        tail, label, node, group = tail[order], label[order], node[order], group[order]
        first = np.flatnonzero(np.r_[True, (np.diff(tail) != 0) | (np.diff(group) != 0)])
        self.arc_tail, self.arc_node = tail[first], node[first]
        self.label_list, self.label_first = label, first
        self.arc_label = label[first] if len(first) == len(label) else None
        self.arc_start = np.flatnonzero(np.r_[True, np.diff(self.arc_tail) != 0])
        self.arc_state = self.arc_tail[self.arc_start]
        position = np.empty(len(order), np.intp)
        position[order] = np.cumsum(np.isin(np.arange(len(order)), first)) - 1
        self.barred_arc = position[barred]

    # ---- all texts: sums ----

    def log_total(self, frames: Frames) -> float:
        """Log of the probability that the network's text is one of the grammar's; -inf for none."""
        if frames.n == 0:
            return -math.inf
        small = self.n_nodes <= _SMALL
        total = self._by_matrices(frames) if small else self._by_frames(frames)
        return min(0.0, total if total > SCALED_LEAST else self._by_logs(frames))

    @cached_property
    def _selector(self) -> Floats:
        """float64 (n_labels, nodes * nodes): 1 where a label leads from one node to another."""
        n = self.n_nodes
        on = np.zeros((self.n_labels, n, n))
        states = np.arange(self.n_states)
        on[0, states, states] = 1
        for at, (q, held) in enumerate(zip(self.held_state, self.held_label, strict=True)):
            on[0, self.n_states + at, q] = on[held, self.n_states + at, self.n_states + at] = 1
        last = np.append(self.label_first[1:], len(self.label_list))
        spans = zip(self.arc_tail, self.arc_node, self.label_first, last, strict=True)
        for tail, node, a, b in spans:
            for label in self.label_list[a:b]:
                on[label, tail, node] = 1
                same = (self.held_state == tail) & (self.held_label != label)
                on[label, self.n_states + np.flatnonzero(same), node] = 1
        return on.reshape(self.n_labels, n * n)

    def _by_matrices(self, frames: Frames) -> float:
        """Few nodes: one matrix a frame, multiplied pairwise; rows sum to at most 1 throughout."""
        n = self.n_nodes
        steps = (frames.prob @ self._selector).reshape(-1, n, n)
        log = 0.0
        while len(steps) > 1:
            paired = steps[0 : len(steps) // 2 * 2 : 2] @ steps[1::2]
            steps = np.concatenate([paired, steps[-1:]]) if len(steps) % 2 else paired
            scale = steps.max(axis=(1, 2))
            if not scale.all():
                return -math.inf
            steps = steps / scale[:, None, None]
            log += float(np.log(scale).sum())
        ends = steps[0, 0, : self.n_states][self.accepting].sum()
        ends += steps[0, 0, self.n_states :][self.accepting[self.held_state]].sum()
        return log + math.log(ends) if ends > 0 else -math.inf

    def _by_frames(self, frames: Frames) -> float:
        s, n = self.n_states, self.n_nodes
        # The last stays 0: what is left out for arcs that every node can take.
        x: Floats = np.zeros(n + 1)
        x[0] = 1
        log = 0.0
        held_at, held_state = segments(self.held_state)
        arc_prob = self._arc_values(frames.prob, np.add)
        whole, rest, said = (np.empty(len(self.arc_tail)) for _ in range(3))
        stay = np.empty(n - s)
        for t in range(frames.n):
            mass, held, p = x[:s].copy(), x[s:n], frames.prob[t]
            if len(held):
                mass[held_state] += np.add.reduceat(held, held_at)
            _take(mass, self.arc_tail, whole)
            if len(self.barred_arc):
                _take(x, self._arc_bar, rest)
                np.subtract(whole, rest, out=rest)
                self._mend(rest, whole, x, mass)
            else:
                rest[:] = whole
            rest *= arc_prob[t] if self.arc_label is None else _take(p, self.arc_label, said)
            new = np.asarray(np.bincount(self.arc_node, rest, minlength=n + 1), np.float64)
            mass *= p[0]
            new[:s] += mass
            held *= _take(p, self.held_label, stay)
            new[s:n] += held
            x = new
            if t % RESCALE_EVERY == RESCALE_EVERY - 1:
                scale = x.sum()
                if scale == 0:
                    return -math.inf
                x /= scale
                log += math.log(scale)
        ends = x[:s][self.accepting].sum() + x[s:n][self.accepting[self.held_state]].sum()
        return log + math.log(ends) if ends > 0 else -math.inf

    @cached_property
    def _arc_bar(self) -> Ints:
        """intp (arcs,): the node that cannot take an arc, `n_nodes` where all can."""
        found = np.full(len(self.arc_tail), self.n_nodes)
        found[self.barred_arc] = self.n_states + self.barred_node
        return found

    def _mend(self, rest: Floats, whole: Floats, x: Floats, mass: Floats) -> None:
        """Sum anew what is a difference of rounding alone.

        `rest` is the mass of an arc's state without the node that cannot take it. Where that node
        is all but `_LEAST_REST`, the others are summed; no two nodes of a state can be so large.
        """
        lost = (rest < _LEAST_REST * whole).nonzero()[0]
        if len(lost):
            held = x[self.n_states : self.n_nodes]
            few = np.where(held > 0.998 * mass[self.held_state], 0, held)
            others = x[: self.n_states] + np.bincount(self.held_state, few, minlength=self.n_states)
            rest[lost] = others[self.arc_tail[lost]]

    def _by_logs(self, frames: Frames) -> float:
        """The same in the log domain: slow, for what lies under e^-600."""
        s = self.n_states
        x = np.full(self.n_nodes, -np.inf)
        x[0] = 0
        arc_log = self._arc_values(frames.log, np.logaddexp)
        for t in range(frames.n):
            held = x[s:]
            mass = x[:s].copy()
            np.logaddexp.at(mass, self.held_state, held)
            large = held > mass[self.held_state] - 0.69  # more than half: one node at most
            others = x[:s].copy()
            np.logaddexp.at(others, self.held_state, np.where(large, -np.inf, held))
            whole = np.where(np.isneginf(held), 0.0, mass[self.held_state])
            less = mass[self.held_state] + np.log1p(-np.exp(np.minimum(held - whole, -0.69)))
            rest = np.where(large, others[self.held_state], less)
            out = mass[self.arc_tail]
            out[self.barred_arc] = rest[self.barred_node]
            p = frames.log[t]
            out += arc_log[t] if self.arc_label is None else p[self.arc_label]
            x = np.concatenate([mass + p[0], held + p[self.held_label]])
            np.logaddexp.at(x, self.arc_node, out)
        x[:s][~self.accepting] = -np.inf
        x[s:][~self.accepting[self.held_state]] = -np.inf
        return float(np.logaddexp.reduce(x))

    def _arc_values(self, values: Floats, over: np.ufunc) -> Floats:
        """(t, arcs) where some arc has several labels; else a frame's values are looked up."""
        if self.arc_label is not None:
            return np.empty((0, 0))
        found: Floats = over.reduceat(values[:, self.label_list], self.label_first, axis=1)
        return found

    @cached_property
    def is_free(self) -> bool:
        """Whether any labels of one set make a text, as long as there is one."""
        if self.n_nodes != 2 or self.n_states != 2 or self.accepting.tolist() != [False, True]:
            return False
        first, again = (self.edge_label[self._edge_tail == state].tolist() for state in (0, 1))
        return first == again and bool((self.edge_node == 1).all())

    @cached_property
    def _first_labels(self) -> Ints:
        """Labels that lead on from the beginning."""
        found: Ints = self.edge_label[self._edge_tail == 0]
        return found

    def log_totals(self, whole: Frames, parts: Sequence[Frames]) -> list[float]:
        """`log_total` of each of some strips.

        Args:
            whole: The strips' frames end to end.
            parts: The frames of each, none without frames.
        """
        if self.is_free:
            found = self._free_totals(whole, parts)
        elif self.n_nodes <= _SMALL_TOGETHER:
            found = self._small_totals(whole, parts)
        else:
            return [self.log_total(one) for one in parts]
        return [
            min(0.0, total if total > SCALED_LEAST else self._by_logs(one))
            for total, one in zip(found, parts, strict=True)
        ]

    def _free_totals(self, whole: Frames, parts: Sequence[Frames]) -> list[float]:
        """All ways through the labels of a set, but the one that says nothing."""
        said = np.add.reduce(whole.prob.take(self._first_labels, axis=1), axis=1)
        return _any_of(said, whole.prob[:, 0], [one.n for one in parts])

    def totals_at_once(
        self, log_probs: NDArray[np.float32], lengths: Sequence[int], skip: Sequence[int]
    ) -> list[float | None]:
        """As `log_totals`, by a few labels alone; None where all of them are needed.

        Args:
            log_probs: float32 (t, n_labels), the strips' frames end to end.
            lengths: Frames of each strip.
            skip: The labels that are read and left out.
        """
        if not self.is_free:
            return [None] * len(lengths)
        first = self._first_labels
        prob = np.exp(log_probs.take([*first, 0, *skip], axis=1), dtype=np.float64)
        said, blank = (
            np.add.reduce(some, axis=1) for some in (prob[:, : len(first)], prob[:, len(first) :])
        )
        totals = _any_of(said, blank, lengths)
        # What is so improbable is summed by its logs.
        return [min(0.0, one) if one > SCALED_LEAST else None for one in totals]

    def _small_totals(self, whole: Frames, parts: Sequence[Frames]) -> list[float]:
        """As `_by_matrices`, of all strips at once; powers of two keep each one's own sum exact."""
        n = self.n_nodes
        steps = np.zeros((whole.n + 1, n, n))
        steps[-1] = np.eye(n)  # behind a strip's end
        for labels, links in self._bundles:
            said = np.add.reduce(whole.prob.take(labels, axis=1), axis=1)
            for i, j in links:
                steps[:-1, i, j] = said
        size = 1 << (max([one.n for one in parts]) - 1).bit_length()
        if len(parts) == 1:
            at = np.arange(size)[None]
            at[:, whole.n :] = whole.n
        else:
            starts = np.cumsum([0, *(one.n for one in parts)])
            at = starts[:-1, None] + np.arange(size)
            at = np.where(at < starts[1:, None], at, whole.n)
        steps = steps.take(at, axis=0)
        # No row sums to more than 1, so what is lost under the smallest number that there is has no
        # say in a total over `SCALED_LEAST`, and of lower ones none is taken from here.
        while size > 1:
            steps = steps[:, 0::2] @ steps[:, 1::2]
            size //= 2
        power = np.frexp(np.maximum.reduce(steps[:, 0], axis=(1, 2)))[1]
        steps = np.ldexp(steps, -power[:, None, None, None])
        ends = np.add.reduce(steps[:, 0, 0].take(self._ends.nonzero()[0], axis=1), axis=1)
        return [
            math.log(one) + scaled * math.log(2) if one > 0 else -math.inf
            for one, scaled in zip(ends.tolist(), power.tolist(), strict=True)
        ]

    # ---- the best text: maxima ----

    def best_ahead(self, frames: Frames) -> Floats:
        """float64 (t + 1, nodes): log-probability of the best alignment of frames still to come.

        Row t counts frames t and later, and ends in an accepting state; -inf where none does.
        """
        ahead = np.empty((frames.n + 1, self.n_nodes))
        ahead[-1] = np.where(self._ends, 0.0, -np.inf)
        if self.n_nodes <= _SMALL:
            self._ahead_by_matrices(frames, ahead)
        else:
            self._ahead_by_frames(frames, ahead)
        return ahead

    @cached_property
    def _ends(self) -> NDArray[np.bool_]:
        """bool (nodes,), whether a text may end there."""
        states = np.concatenate([np.arange(self.n_states), self.held_state])
        return np.asarray(self.accepting[states])

    @cached_property
    def _links(self) -> list[tuple[int, int, Ints]]:
        """Which labels lead from one node to another."""
        n = self.n_nodes
        on = self._selector.reshape(-1, n, n)
        pairs = itertools.product(range(n), range(n))
        links = [(i, j, np.flatnonzero(on[:, i, j])) for i, j in pairs]
        return [link for link in links if len(link[2])]

    @cached_property
    def _bundles(self) -> list[tuple[Ints, list[tuple[int, int]]]]:
        """The same by the labels: those that lead from one node to another often lead elsewhere."""
        found: dict[bytes, tuple[Ints, list[tuple[int, int]]]] = {}
        for i, j, labels in self._links:
            found.setdefault(labels.tobytes(), (labels, []))[1].append((i, j))
        return list(found.values())

    def _ahead_by_matrices(self, frames: Frames, ahead: Floats) -> None:
        n = self.n_nodes
        steps = np.full((frames.n, n, n), -np.inf)
        for i, j, labels in self._links:
            steps[:, i, j] = (
                frames.log[:, labels[0]] if len(labels) == 1 else frames.log[:, labels].max(axis=1)
            )
        for t in range(frames.n - 1, -1, -1):
            step = steps[t]
            step += ahead[t + 1]
            np.maximum.reduce(step, axis=1, out=ahead[t])

    def _ahead_by_frames(self, frames: Frames, ahead: Floats) -> None:
        s = self.n_states
        arc_log = self._arc_values(frames.log, np.maximum)
        best = np.full(s, -np.inf)  # states without a way on stay so
        value, said = np.empty(len(self.arc_tail)), np.empty(len(self.arc_tail))
        held, onward = np.empty(self.n_nodes - s), np.empty(self.n_nodes - s)
        barred, most = np.empty(len(self.barred_arc)), np.empty(len(self.barred_arc))
        for t in range(frames.n - 1, -1, -1):
            later, now, p = ahead[t + 1], ahead[t], frames.log[t]
            _take(later, self.arc_node, value)
            value += arc_log[t] if self.arc_label is None else _take(p, self.arc_label, said)
            best[self.arc_state] = np.maximum.reduceat(value, self.arc_start)
            rest = later[:s] + p[0]
            np.maximum(rest, best, out=now[:s])
            _take(p, self.held_label, held)
            held += later[s:]
            np.maximum(held, _take(now[:s], self.held_state, onward), out=now[s:])
            # A node that cannot take its state's best arc goes by the second best.
            _take(value, self.barred_arc, barred)
            own = (barred >= _take(best, self.barred_state, most)).nonzero()[0]
            if len(own):
                node, state = self.barred_node[own], self.barred_state[own]
                value[self.barred_arc[own]] = -np.inf
                second = best.copy()
                second[self.arc_state] = np.maximum.reduceat(value, self.arc_start)
                if (state[1:] == state[:-1]).any():  # two arcs equally good: either will do
                    tied = state[1:][state[1:] == state[:-1]]
                    second[tied] = best[tied]
                now[s + node] = np.maximum(held[node], np.maximum(rest, second)[state])

    def edge_worth(self, frames: Frames) -> Floats:
        """float64 (edges,): no less than the best alignment of any text that takes an edge.

        A blank between two characters of one kind is not asked for, so it may be a little more.
        """
        s, ahead = self.n_states, self.best_ahead(frames)
        order = np.argsort(self.edge_node, kind="stable")
        first, node = segments(self.edge_node[order])
        tail, label = self._edge_tail[order], self.edge_label[order]
        held_at, held_state = segments(self.held_state)
        reached = np.full((frames.n, s), -np.inf)  # a state, before a frame
        x = np.full(self.n_nodes, -np.inf)
        x[0] = 0
        for t in range(frames.n):
            mass, p = reached[t], frames.log[t]
            mass[:] = x[:s]
            if len(held_at):
                best = np.maximum.reduceat(x[s:], held_at)
                mass[held_state] = np.maximum(mass[held_state], best)
            x[s:] += p[self.held_label]
            x[:s] = mass + p[0]
            x[node] = np.maximum(x[node], np.maximum.reduceat(mass[tail] + p[label], first))
        through = reached[:, self._edge_tail] + frames.log[:, self.edge_label]
        through += ahead[1:, self.edge_node]
        worth: Floats = np.max(through, axis=0, initial=-np.inf)
        return worth


def _take(values: Floats, places: Ints, out: Floats) -> Floats:
    """`values[places]` into `out`, twice as fast; places are ours, so none lies outside."""
    return values.take(places, out=out, mode="clip")


def _at(sorted_keys: Ints, wanted: Ints, head: Ints) -> NDArray[np.bool_]:
    """Which wanted keys are edges that lead to where they come from, `head`."""
    place = np.minimum(np.searchsorted(sorted_keys, wanted), len(sorted_keys) - 1)
    found: NDArray[np.bool_] = (sorted_keys[place] == wanted) & (head[place] == head)
    return found


def segments(sorted_values: Ints) -> tuple[Ints, Ints]:
    """Where runs of equal values begin, and their values."""
    if len(sorted_values) == 0:
        return sorted_values, sorted_values
    first = np.flatnonzero(np.r_[True, np.diff(sorted_values) != 0])
    return first, sorted_values[first]


@lru_cache(maxsize=256)
def lattice_of(grammar: Grammar) -> Lattice:
    """The grammar's lattice, made once."""
    return Lattice(grammar)


def _any_of(said: Floats, blank: Floats, lengths: Sequence[int]) -> list[float]:
    """Log of the mass of all texts of a set of labels but the empty one, in each of some strips.

    Args:
        said: float64 (t,), in each frame the probability of all of the labels.
        blank: float64 (t,), that of the blank.
        lengths: Frames of each strip.
    """
    any_of = said + blank
    starts = list(itertools.accumulate(lengths[:-1], initial=0))
    with np.errstate(divide="ignore", invalid="ignore"):  # what is not finite is done by logs
        log = np.add.reduceat(np.log(any_of), starts)
        silent = np.add.reduceat(np.log1p(-said / any_of), starts)
        totals = log + np.log(-np.expm1(silent))
    return np.where(np.isfinite(totals), totals, -np.inf).tolist()  # type: ignore[no-any-return]
