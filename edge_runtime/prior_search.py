"""Texts that ink and prior together speak for: a beam over prefixes, the prior's say within it.

Owns:   `proposals`, `proposals_of`.
Needs:  numpy, `grammar`, `outputs`, `prior`.
Words:  *slot*: a place in a strip's beam; a prefix holds it. *context*: the last characters, as the
        prior has them.

The k best texts by ink alone differ in the few places where the ink is least sure; of a long line
with many unsure places they never reach the one a reader would think of. This beam does. What it
finds is proposed only: `decode.favour` weighs proposals and the exact k best by their exact sums.

Many strips' beams go on together, each by its own frames: their numbers are never mixed. One or
two go on by themselves, prefix by prefix, to the same texts: arrays so small take longer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import add

import numpy as np
from numpy.typing import NDArray

from edge_runtime.grammar import Grammar
from edge_runtime.outputs import Floats, Frames, Ints
from edge_runtime.prior import Prior
from edge_runtime.prior_contexts import Contexts, contexts_of
from edge_runtime.prior_tables import SHIFT

_WIDTH = 24
_LEAST = 1e-3  # probability of a label in a frame that is followed up
_HOPELESS = 5e-5  # of the best prefix's mass: such a text has no share that would be named
_LOST = 3e-5  # of the best prefix's mass: from there no prefix has come back
_SURE = 0.999  # of blank: such a frame changes no text
_TAIL = 0.5  # probability of a label where its glyph begins or ends
_ROUNDING = 1e-9
_FEW = 2  # strips for which arrays do not pay
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits are spread: 2^64 over the golden ratio


def proposals(frames: Frames, grammar: Grammar, prior: Prior, *, width: int = _WIDTH) -> list[str]:
    """Texts of the grammar, best first, at most `width`.

    Args:
        frames: Of one strip.
        grammar: Of a field without a check digit.
        prior: Of the model.
        width: Prefixes that are kept after a frame.
    """
    return proposals_of([frames], grammar, prior, width=width)[0]


def proposals_of(
    parts: Sequence[Frames], grammar: Grammar, prior: Prior, *, width: int = _WIDTH
) -> list[list[str]]:
    """The same for many strips."""
    if not parts:
        return []
    contexts = contexts_of(prior, grammar.labels)
    if len(parts) <= _FEW:
        return [_alone(one, grammar, contexts, width) for one in parts]
    return _Beams(parts, grammar, contexts, width).texts()


def _telling(prob: Floats, grammar: Grammar) -> NDArray[np.bool_]:
    """bool (t, n_labels): what is followed up in each frame of a strip.

    Not a glyph's tails: where a single label says no more than `_TAIL`, less than in the frame on
    one side, and nothing in the one on the other. They change what a text sums to, hardly ever
    which texts come first.
    """
    telling = prob > _LEAST
    telling &= grammar.used
    telling[:, 0] = False
    single = np.flatnonzero(np.add.reduce(telling, axis=1) == 1)
    label = telling[single].argmax(axis=1)
    padded = np.zeros((len(prob) + 2, prob.shape[1]))
    padded[1:-1] = prob
    before, own, after = (padded[single + at, label] for at in range(3))
    tail = np.minimum(before, after) <= _LEAST
    tail &= (np.maximum(before, after) > own) & (own <= _TAIL)
    telling[single[tail]] = False
    return telling


def _frames_that_tell(telling: NDArray[np.bool_], prob: Floats) -> Ints:
    return np.flatnonzero(telling.any(axis=1) & (prob[:, 0] <= _SURE))


def _alone(frames: Frames, grammar: Grammar, contexts: Contexts, width: int) -> list[str]:
    """One strip's texts: what `_Beams` does, number by number."""
    prob, labels, columns = frames.prob, grammar.labels, contexts.columns
    costs, after, factor_of = contexts.costs, contexts.after_of, contexts.factor_of
    most = max(factor_of)
    telling = _telling(prob, grammar)
    # Of each prefix its last label, the row of its context in the tables, the mass that ends in
    # blank, and that in its last label.
    texts, lasts, places = [""], [0], [contexts.start << SHIFT]
    rests, helds = [1.0], [0.0]
    before = -2
    for at in _frames_that_tell(telling, prob).tolist():
        row, said = prob[at].tolist(), telling[at].nonzero()[0].tolist()
        masses = list(map(add, rests, helds))
        if at - before > 1:
            rests, helds = masses, [0.0] * len(masses)
        before = at
        blank = row[0]
        still_rests = [mass * blank for mass in masses]
        still_helds = [held * row[last] for held, last in zip(helds, lasts, strict=True)]
        stay = list(map(add, still_rests, still_helds))
        floor = _LOST * max(stay)
        # What is worth no more than each of as many as are kept is not kept itself.
        least = max(floor, min(stay)) if len(stay) == width else floor
        changed = False
        kids: list[tuple[float, int, int]] = []
        for label in said:
            share, column = row[label], columns[label]
            if label not in lasts:
                hopeless = least / (share * most) * (1 - _ROUNDING)  # whatever the prior says
                kids += [
                    (worth, number, label)
                    for number, mass in enumerate(masses)
                    if mass > hopeless
                    and (worth := mass * (share * factor_of[costs[places[number] + column]]))
                    > least
                ]
                continue
            # Only a prefix that ends in it may be what a label makes of another.
            owns = {texts[own][:-1]: own for own, last in enumerate(lasts) if last == label}
            for number, (last, place) in enumerate(zip(lasts, places, strict=True)):
                mass = rests[number] if last == label else masses[number]
                worth = mass * (share * factor_of[costs[place + column]])
                if worth <= floor:
                    continue
                own = owns.get(texts[number])
                if own is not None:
                    still_helds[own] += worth
                    changed = True
                elif worth > least:
                    kids.append((worth, number, label))
        if changed:
            stay = list(map(add, still_rests, still_helds))
        worths = stay + [worth for worth, _, _ in kids]
        top = max(worths)
        kept = _kept(worths, _LOST * top, width)
        old = kept[: bisect_left(kept, len(stay))]
        new = [kids[number - len(stay)] for number in kept[len(old) :]]
        rests = [still_rests[number] / top for number in old] + [0.0] * len(new)
        helds = [still_helds[number] / top for number in old]
        helds += [worth / top for worth, _, _ in new]
        grown = [texts[number] + labels[label] for _, number, label in new]
        texts = [texts[number] for number in old] + grown
        lasts = [lasts[number] for number in old] + [label for _, _, label in new]
        moved = [after[places[number] + columns[label]] << SHIFT for _, number, label in new]
        places = [places[number] for number in old] + moved
    masses = list(map(add, rests, helds))
    least = _HOPELESS * max(masses)
    ranked = sorted(zip(masses, texts, strict=True), key=lambda one: -one[0])
    return [text for mass, text in ranked if mass >= least and grammar.accepts(text)]


def _kept(worths: Sequence[float], lost: float, width: int) -> list[int]:
    """The places of the greatest, ascending; of equal ones the first."""
    kept = [number for number, worth in enumerate(worths) if worth >= lost]
    if len(kept) > width:
        kept.sort(key=worths.__getitem__, reverse=True)  # stable
        kept = sorted(kept[:width])
    return kept


class _Beams:
    """Prefixes of many strips, a row a strip, those with the most telling frames first.

    For each slot uint64 `prefix`, a number that tells a strip's prefixes apart, 0 where there is
    none, and that of its `parent`; its last `label`, its `context`, its `state` in the grammar;
    `rest` and `held`: the mass of its alignments that end in blank, and in its last label, the
    prior's say in it, at most 1 in a strip.
    """

    def __init__(
        self, parts: Sequence[Frames], grammar: Grammar, contexts: Contexts, width: int
    ) -> None:
        self._contexts, self._width, self._grammar = contexts, width, grammar
        self._prob = np.concatenate([one.prob for one in parts])
        self._telling = np.concatenate([_telling(one.prob, grammar) for one in parts])
        frame = _frames_that_tell(self._telling, self._prob)
        ends = np.cumsum([one.n for one in parts])
        first = np.asarray(frame.searchsorted([0, *ends]), np.intp)
        count = np.diff(first)
        self._order = np.argsort(-count, kind="stable")
        self._rows = [
            frame[first[self._order[: int((count > at).sum())]] + at]
            for at in range(int(count.max()))
        ]
        self._last = (ends - 1)[self._order]
        nowhere = np.full((1, len(grammar.labels)), -1, np.int32)
        self._next = np.concatenate([grammar.next_state, nowhere])
        shape = len(parts), width
        self.prefix, self.parent = np.zeros(shape, np.uint64), np.zeros(shape, np.uint64)
        self.label, self.context = np.zeros(shape, np.intp), np.zeros(shape, np.intp)
        self.state, self.rest, self.held = (
            np.zeros(shape, np.intp),
            np.zeros(shape),
            np.zeros(shape),
        )
        self.prefix[:, 0], self.rest[:, 0] = 1, 1.0
        self.context[:, 0] = contexts.start
        self._steps: list[tuple[Ints, Ints]] = []  # of each step the slots grown from, and labels

    def texts(self) -> list[list[str]]:
        """The texts of each strip, best first, in the order the strips were given."""
        before = np.full(len(self._order), -2)
        for rows in self._rows:
            n = len(rows)
            self._say_blank(rows - before[:n] > 1)
            before[:n] = rows
            self._grow(rows)
        self._say_blank(self._last > before)
        chars = self._spelled()
        mass = self.rest + self.held
        ends = np.append(self._grammar.accepting, False)[self.state] & (self.prefix > 0)
        ends &= mass >= _HOPELESS * mass.max(axis=1, keepdims=True)
        ranks = np.argsort(-mass, axis=1, kind="stable")
        found: list[list[str]] = [[] for _ in self._order]
        for row, at in enumerate(self._order.tolist()):
            slots = ranks[row][ends[row, ranks[row]]]
            named = (bytes(chars[row, slot]) for slot in slots.tolist())
            found[at] = list(
                dict.fromkeys(one.replace(b"\0", b"").decode("ascii") for one in named)
            )
        return found

    def _spelled(self) -> NDArray[np.uint8]:
        """uint8 (strips, slots, steps): the character that each prefix got at a step, or 0."""
        codes = np.array([ord(one) if one else 0 for one in self._grammar.labels], np.uint8)
        n = len(self._order)
        found = np.zeros((n, self._width, len(self._steps)), np.uint8)
        slot = np.tile(np.arange(self._width), (n, 1))
        for at in range(len(self._steps) - 1, -1, -1):
            came, label = self._steps[at]
            here, by = slot[: len(came)], np.arange(len(came))[:, None]
            found[: len(came), :, at] = codes[label[by, here]]
            slot[: len(came)] = came[by, here]
        return found

    def _say_blank(self, said: NDArray[np.bool_]) -> None:
        """Frames that change no text lie before those of some of the first strips."""
        n = len(said)
        self.rest[:n] += np.where(said[:, None], self.held[:n], 0.0)
        self.held[:n][said] = 0.0

    def _grow(self, rows: Ints) -> None:
        """One telling frame of each of the first strips: what it may say, and the best kept."""
        n, width = len(rows), self._width
        prob, by = self._prob[rows], np.arange(n)[:, None]
        # What is followed up, strip by strip: few labels of most strips, many of some.
        strip, said = self._telling[rows].nonzero()
        prefix, label, context = self.prefix[:n], self.label[:n], self.context[:n]
        rest, held, state = self.rest[:n], self.held[:n], self.state[:n]
        mass = rest + held
        still_rest = mass * prob[:, :1]
        still_held = held * prob[by, label]
        stay = still_rest + still_held
        floor = _LOST * stay.max(axis=1)
        kid = prob[strip, said][:, None] * self._contexts.factors(context[strip], said)
        kid *= np.where(label[strip] == said[:, None], rest[strip], mass[strip])
        kid *= kid > floor[strip, None]  # (said, slots)

        # Some of these are held already, by a slot whose prefix they grow to.
        there = self.parent[:n, None, :] == prefix[:, :, None]
        there &= (prefix > 0)[:, :, None]
        of, slot, own = np.unravel_index(there.ravel().nonzero()[0], there.shape)
        place = np.full(prob.shape, -1)
        place[strip, said] = np.arange(len(said))
        at = place[of, label[of, own]]
        known = at >= 0
        of, slot, own, at = of[known], slot[known], own[known], at[known]
        still_held[of, own] += kid[at, slot]
        kid[at, slot] = 0.0

        # The others behind those that stay as they are, by slots and then labels; not what is worth
        # no more than each of as many as are kept.
        slot, at = (kid > stay.min(axis=1)[strip, None]).T.nonzero()
        order = strip[at].astype(np.uint16).argsort(kind="stable")
        slot, at = slot[order], at[order]
        of = strip[at]
        column = np.arange(len(of)) - of.searchsorted(np.arange(n))[of]
        shape = n, int(column.max(initial=-1)) + 1
        worth = np.zeros((n, width + shape[1]))
        worth[:, :width] = still_rest + still_held
        worth[of, width + column] = kid[at, slot]
        grew, new = np.zeros(shape, np.intp), np.zeros(shape, np.intp)
        grew[of, column], new[of, column] = slot, said[at]
        worth *= worth >= _LOST * worth.max(axis=1, keepdims=True)
        kept = _best(worth, width)
        best = worth.take(kept + by * worth.shape[1])
        old, there = kept < width, best > 0
        slot, spoken = kept.copy(), np.zeros(kept.shape, np.intp)
        number = (kept - width + by * shape[1])[~old]
        slot[~old], spoken[~old] = grew.take(number), new.take(number)
        came = slot + by * width  # the same, where slots lie end to end
        parent = prefix.take(came)
        grown, stays = ~old & there, old & there
        top = best.max(axis=1, keepdims=True)
        top[top == 0] = 1.0
        context = context.take(came)
        context[grown] = self._contexts.after(context[grown], spoken[grown])
        name = parent * _SPREAD + spoken.astype(np.uint64)
        self.rest[:n] = np.where(stays, still_rest.take(came), 0.0) / top
        self.held[:n] = np.where(stays, still_held.take(came), best) / top
        self.parent[:n] = np.where(stays, self.parent.take(came), np.where(grown, parent, 0))
        self.label[:n] = np.where(old, label.take(came), spoken)
        state = state.take(came)
        self.state[:n] = np.where(old, state, self._next[state, spoken])
        self.context[:n] = context
        self.prefix[:n] = np.where(stays, parent, np.where(grown, name, 0))
        self._steps.append((slot, spoken))


def _best(worth: Floats, width: int) -> Ints:
    """int (n, width): the places of each row's greatest, ascending; of equal ones the first."""
    # The greatest first: many are 0, and a partition goes astray among so many equal ones.
    least = -np.partition(-worth, width - 1, axis=1)[:, width - 1, None]
    sure = worth >= least
    if np.count_nonzero(sure) > width * len(worth):
        sure, tied = worth > least, worth == least
        room = width - sure.sum(axis=1, keepdims=True)
        sure |= tied & (np.cumsum(tied, axis=1) <= room)
    return sure.nonzero()[1].reshape(len(worth), width)
