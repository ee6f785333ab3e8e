"""The best texts near the network's own best path: quick where the ink says what is allowed.

Owns:   `Near` (what each frame may say at little loss), `near_of`.
Needs:  numpy, `grammar`, `outputs`.
Words:  *loss*: nats that a label has less than the best one of its frame; of a text, all of its
        best alignment's. *quiet*: a frame in which nothing but the blank is near the best.

The network's best path loses nothing, and a text that loses little leaves it in few frames. So
prefixes are followed frame by frame with what they lost so far, none of them that lost more than
a limit: then every text within the limit is found, each with its best alignment. The limit is
guessed from the likeliest single changes and widened until there are enough texts. No text can be
missed; but where the grammar hardly allows what the ink says the limit grows, and so does what lies
within. Then the search is given up, and `search.k_best`, which looks ahead, has to do it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import attrgetter, ne

import numpy as np

from edge_runtime.grammar import Grammar
from edge_runtime.outputs import Floats, Frames, Ints

# Nats: labels of one in 500, which often are enough, of one in 10,000; and beyond the last the
# grammar asks for another text than was written.
_LEVELS = (6.2, 9.2, 18.0)
_LAST = _LEVELS[-1]
_SPARE = 6  # fewer labels beside the best ones of a strip's frames: the next level will be asked
_WIDER = 1.5
_LOOSE = 3  # states of a grammar that allows nearly all texts of its labels
_MOST_PREFIXES = 4000  # over all frames, beyond six for each text wanted and frame
_ROUNDING = 1e-9

Loss = tuple[float, int]  # and the label


class _Prefix:
    """A text so far, and what its best alignments lose that end on blank, and on its last label."""

    __slots__ = ("held", "kids", "label", "new_held", "new_rest", "parent", "rest", "state")

    def __init__(self, parent: _Prefix | None, label: int, state: int) -> None:
        self.parent, self.label, self.state = parent, label, state
        self.kids: dict[int, _Prefix | None] = {}  # None where the grammar does not allow it
        self.rest = self.held = self.new_rest = self.new_held = math.inf

    @property
    def loss(self) -> float:
        return self.rest if self.rest < self.held else self.held

    def labels(self) -> list[int]:
        found: list[int] = []
        at = self
        while at.parent is not None:
            found.append(at.label)
            at = at.parent
        return found[::-1]


class Near:
    """One strip's frames with the labels that lose little.

    Args:
        loss: float64 (t, labels), of each label that counts.
        labels: Their numbers; the blank's, 0, is the first.
        ways: For each frame the labels within `known`, the best first.
        known: One of `_LEVELS`, from which on losses are not in `ways`.
        best: Log-probability of the path that loses nothing.
    """

    def __init__(
        self, loss: Floats, labels: Ints, ways: list[list[Loss]], known: float, best: float
    ) -> None:
        self._loss, self._labels, self._widest, self._known = loss, labels, _LEVELS[0], known
        self.best = best
        self._path = [its[0][1] for its in ways]  # the network's own
        self._runs = list(accumulate(map(ne, self._path, [0, *self._path])))
        self._take(ways)

    def texts(
        self, grammar: Grammar, k: int, *, behind: float
    ) -> list[tuple[list[int], float]] | None:
        """The labels of the k best texts and their losses, the best first.

        Args:
            grammar: What is allowed.
            k: Texts wanted, at most.
            behind: Texts that lose more than this over the best one need not be found.

        Returns:
            None where the search was given up.
        """
        rest = _Rest(grammar, self._path) if grammar.n_states > _LOOSE else None
        if rest is not None and not rest.accepted:
            return None
        limit = min((self._guess(k, rest) or _LAST) + _ROUNDING, self._widest)
        most = _MOST_PREFIXES + 6 * k * len(self._ways)
        while True:
            found = self._within(grammar, limit, k, most=most)
            if found is None:
                return None
            if len(found) >= k or (found and found[0].loss + behind <= limit):
                return [(one.labels(), one.loss) for one in found[:k]]
            if limit >= _LAST:
                return None
            limit = min(limit * _WIDER + 1.0, _LAST)
            while limit > self._widest:
                self._widen()

    def _widen(self) -> None:
        self._widest = next(one for one in _LEVELS if one > self._widest)
        if self._widest > self._known:
            self._known = self._widest
            self._take(_ways(self._loss, self._labels, self._known))

    def _take(self, ways: list[list[Loss]]) -> None:
        self._ways = ways
        self._open = [at for at, its in enumerate(ways) if len(its) > 1]  # more than one way

    def _guess(self, k: int, rest: _Rest | None) -> float:
        """What the k best texts may lose: as much as the best ways to change some places at once.

        Ways are widened to the first level at which enough changes are known.
        """
        if rest is not None:
            changes = self._allowed_changes(rest, k)
            if len(changes) < k:
                while self._widest < _LAST:
                    self._widen()
                return _LAST
        else:
            while len(changes := self._changes(k)) < k:
                self._widest = self._known
                if self._widest >= _LAST:
                    return _LAST
                self._widen()
        while self._widest < changes[-1]:
            self._widen()
        losses = [0.0]
        for one in changes:
            if len(losses) > k and one >= losses[k]:
                break
            losses = sorted([*losses, *(one + other for other in losses)])[: k + 1]
        return losses[min(k, len(losses) - 1)]

    def _changes(self, k: int) -> list[float]:
        """Losses of the k best texts that leave the best path in one frame, ascending; fewer where
        fewer are known. Some may be one text, or none that is allowed."""
        ways, path, runs = self._ways, self._path, self._runs
        least: dict[tuple[int, int], float] = {}
        last = len(ways) - 1
        for at in self._open:
            label, before = path[at], path[at - 1] if at else 0
            after = path[at + 1] if at < last else 0
            for loss, other in ways[at][1:]:
                if other == 0:
                    if (label == before) != (label == after):
                        continue  # a glyph ends a frame sooner
                elif other in (before, after):
                    continue
                known = least.get(key := (runs[at], other))
                if known is None or loss < known:
                    least[key] = loss
        return sorted(least.values())[:k]

    def _allowed_changes(self, rest: _Rest, k: int) -> list[float]:
        """The same of texts that are allowed, up to the last level, whatever ways are known."""
        path, frames = np.array(self._path), np.arange(len(self._path))
        own = self._labels.searchsorted(path)
        before, after = np.append(0, own[:-1]), np.append(own[1:], 0)
        loss = self._loss.copy()
        # Not the path itself; a glyph that begins or ends a frame sooner is the same text.
        loss[frames, own] = math.inf
        loss[(own == before) != (own == after), 0] = math.inf
        for beside in (before, after):
            on = beside > 0
            loss[frames[on], beside[on]] = math.inf
        starts = np.flatnonzero(np.diff(self._runs, prepend=-1))
        least = np.minimum.reduceat(loss, starts, axis=0)
        near = np.flatnonzero(least <= _LAST)
        order = least.ravel().take(near).argsort(kind="stable")
        ends, found = np.append(starts[1:], len(path)), []
        for place in near.take(order).tolist():
            run, column = divmod(place, least.shape[1])
            at = int(starts[run] + loss[starts[run] : ends[run], column].argmin())
            if rest.allows(at, int(self._labels[column])):
                found.append(float(least[run, column]))
                if len(found) == k:
                    break
        return found

    def _within(self, grammar: Grammar, limit: float, k: int, *, most: int) -> list[_Prefix] | None:
        """The k best texts of those that lose no more than `limit` and some more of them, the best
        first; None where there are too many on the way."""
        to = grammar.ways
        root = _Prefix(None, 0, 0)
        made = [root]
        root.rest = 0.0
        beam: Sequence[_Prefix] = [root]
        quiet, only = False, 0
        for ways in self._ways:
            if len(ways) == 1 or ways[1][0] > limit:
                before, only = only, ways[0][1]
                if only == 0:
                    quiet = True
                    continue
                if only == before:  # all are on this label already, and lose nothing by staying
                    continue
            else:
                only = 0
            if quiet:
                _say_blank(beam)
                beam = _best_of_states(beam, k)
                quiet = False
            touched: dict[_Prefix, None] = {}
            for one in beam:
                rest, held, own, kids = one.rest, one.held, one.label, one.kids
                lost = rest if rest < held else held
                for more, label in ways:
                    loss = lost + more
                    if loss > limit:
                        break
                    if label == 0:
                        one.new_rest = loss
                        touched[one] = None
                        continue
                    if label == own:
                        if held + more <= limit and held + more < one.new_held:
                            one.new_held = held + more
                            touched[one] = None
                        loss = rest + more
                        if loss > limit:
                            continue
                    if label in kids:
                        kid = kids[label]
                    else:
                        state = to.get((one.state, label))
                        kid = None if state is None else _Prefix(one, label, state)
                        kids[label] = kid
                        if kid is not None:
                            made.append(kid)
                    if kid is not None and loss < kid.new_held:
                        kid.new_held = loss
                        touched[kid] = None
            for one in beam:
                one.rest = one.held = math.inf
            for one in touched:
                one.rest, one.held = one.new_rest, one.new_held
                one.new_rest = one.new_held = math.inf
            beam = list(touched)
            if only:
                beam = _best_of_states(beam, k)
            most -= len(beam)
            if most < 0:
                return None
        for one in made:  # no circles are left behind for the garbage collector
            one.kids.clear()
        return sorted((one for one in beam if grammar.ends[one.state]), key=attrgetter("loss"))

    def runs(self, labels: Sequence[int], loss: float | None) -> list[tuple[int, int]] | None:
        """Frames (first, last exclusive) of each label in the best alignment of a text.

        Of two as good, each label begins and ends as early as it may.

        Args:
            labels: Of the text.
            loss: What the text loses, where it is known.

        Returns:
            None where there is none near the network's best path.
        """
        if loss is not None and loss < _ROUNDING and (best := self._best_runs(labels)):
            return best
        limit, last = (self._widest if loss is None else loss) + _ROUNDING, len(labels)
        # Before a frame: by how many labels were said and whether the last is held, what was lost.
        here: dict[tuple[int, bool], float] = {(0, False): 0.0}
        steps: list[dict[tuple[int, bool], tuple[int, bool]]] = []
        for ways in self._ways:
            new: dict[tuple[int, bool], float] = {}
            came: dict[tuple[int, bool], tuple[int, bool]] = {}
            for at, lost in here.items():
                n, held = at
                for more, label in ways:
                    total = lost + more
                    if total > limit:
                        break
                    if label == 0:
                        # From rest, not from held, where both are as good: the glyph ended sooner.
                        _offer(new, came, (n, False), total, at, first=not held)
                        continue
                    if held and label == labels[n - 1]:
                        _offer(new, came, at, total, at, first=True)
                    elif n < last and label == labels[n]:
                        _offer(new, came, (n + 1, True), total, at, first=False)
            here = new
            steps.append(came)
        ends = [at for at in ((last, True), (last, False)) if at in here]
        if not ends or not last:
            return None
        at = min(ends, key=lambda one: here[one])
        found: list[tuple[int, int]] = []
        end = len(steps)
        for t in range(len(steps) - 1, -1, -1):
            before = steps[t][at]
            if at[1] and before[0] < at[0]:
                found.append((t, end))
            if before[1] and before != at:  # on a label until here
                end = t
            at = before
        return found[::-1]

    def _best_runs(self, labels: Sequence[int]) -> list[tuple[int, int]] | None:
        """The same for the text of the best path; None where another path is as good."""
        found: list[tuple[int, int]] = []
        said: list[int] = []
        before = start = 0
        for at, its in enumerate(self._ways):
            if len(its) > 1 and its[1][0] <= _ROUNDING:
                return None
            label = its[0][1]
            if label != before:
                if before:
                    found.append((start, at))
                    said.append(before)
                before, start = label, at
        if before:
            found.append((start, len(self._ways)))
            said.append(before)
        return found if said == list(labels) else None


class _Rest:
    """Which states of a strict grammar may go on with the rest of a path, from each of its frames.

    Args:
        grammar: What is allowed.
        path: A label a frame.
    """

    def __init__(self, grammar: Grammar, path: Sequence[int]) -> None:
        self._path, self._to = path, grammar.ways
        nowhere = grammar.n_states
        # bool (states and nowhere,): where the frame's label is said anew, and where it goes on.
        anew = on = np.append(grammar.accepting, False)
        self._anew, self._on = [anew], [on]
        columns: dict[int, Ints] = {}
        after = -1
        for label in reversed(path):
            its = on if label == after else anew
            on = anew = its
            if label:
                if label not in columns:
                    to = np.append(grammar.next_state[:, label], -1)
                    columns[label] = np.where(to < 0, nowhere, to)
                anew = its.take(columns[label])
            self._anew.append(anew)
            self._on.append(on)
            after = label
        self._anew.reverse()
        self._on.reverse()
        self.accepted = bool(anew[0])
        self._state = [0]  # before each frame, of a path that is accepted
        before = 0
        for label in path if self.accepted else ():
            state = self._state[-1]
            said = label and label != before
            self._state.append(self._to[state, label] if said else state)
            before = label

    def allows(self, at: int, other: int) -> bool:
        """Whether the text is allowed that an accepted path says with another label in a frame."""
        path, state = self._path, self._state[at]
        if other and (at == 0 or path[at - 1] != other):
            state = self._to.get((state, other), -1)
            if state < 0:
                return False
        goes_on = at + 1 < len(path) and path[at + 1] == other
        return bool((self._on if goes_on else self._anew)[at + 1][state])


def _say_blank(beam: Sequence[_Prefix]) -> None:
    for one in beam:
        if one.held < one.rest:
            one.rest = one.held
        one.held = math.inf


def _best_of_states(beam: Sequence[_Prefix], k: int) -> Sequence[_Prefix]:
    """The k best prefixes of each state, where all have just said the same label, or the blank.

    What may follow one of a state may follow all of them, to distinct texts: a prefix behind k
    others ends in none of the k best.
    """
    if len(beam) <= k:
        return beam
    left: dict[int, int] = {}
    kept = []
    for one in sorted(beam, key=attrgetter("loss")):
        held = left.get(one.state, k)
        if held:
            left[one.state] = held - 1
            kept.append(one)
        else:
            one.rest = one.held = math.inf
    return kept


def _offer(
    new: dict[tuple[int, bool], float],
    came: dict[tuple[int, bool], tuple[int, bool]],
    at: tuple[int, bool],
    lost: float,
    before: tuple[int, bool],
    *,
    first: bool,
) -> None:
    """Take a way to a place if it loses less than the one known; of equal ones, a `first` one."""
    known = new.get(at, math.inf)
    if lost < known or (first and lost == known):
        new[at], came[at] = lost, before


def near_of(whole: Frames, parts: Sequence[Frames], grammar: Grammar) -> list[Near]:
    """The frames of each strip with the labels that lose little.

    Args:
        whole: All strips' frames.
        parts: Each strip's.
        grammar: Labels other than its own and the blank are never said.
    """
    on = grammar.spoken
    loss = whole.log.take(on, axis=1)
    top = loss.max(axis=1)
    np.subtract(top[:, None], loss, out=loss)
    starts = list(accumulate([one.n for one in parts], initial=0))
    known = _levels(loss, starts)
    ways = _ways(loss, on, known[0] if len(known) == 1 else known.repeat(np.diff(starts))[:, None])
    return [
        Near(loss[start:stop], on, ways[start:stop], level, float(top[start:stop].sum()))
        for (start, stop), level in zip(pairwise(starts), known.tolist(), strict=True)
    ]


def _levels(loss: Floats, starts: Sequence[int]) -> Floats:
    """float64 (strips,): the first of `_LEVELS`, or the second where the first says too little."""
    if len(starts) == 2:
        alone = int(np.count_nonzero(loss <= _LEVELS[0])) - len(loss)
        return np.array([_LEVELS[1] if alone < _SPARE else _LEVELS[0]])
    near = np.count_nonzero(loss <= _LEVELS[0], axis=1)
    spare = np.add.reduceat(near, starts[:-1]) - np.diff(starts)
    return np.where(spare < _SPARE, _LEVELS[1], _LEVELS[0])


def _ways(loss: Floats, labels: Ints, widest: float | Floats) -> list[list[Loss]]:
    """For each frame the labels that lose no more than `widest`, the best first; float64 (t, 1), or
    a number for all frames."""
    at = (loss <= widest).ravel().nonzero()[0]
    frame, column = np.divmod(at, loss.shape[1])
    found = list(zip(loss.ravel().take(at).tolist(), labels.take(column).tolist(), strict=True))
    first = frame.searchsorted(np.arange(len(loss) + 1)).tolist()
    return [found[a:b] if b == a + 1 else sorted(found[a:b]) for a, b in pairwise(first)]
