"""Texts that ink and prior together speak for: a beam over prefixes, the prior's say within it.

Owns:   `proposals`, `proposals_of`.
Needs:  numpy, `grammar`, `outputs`, `prior`.
Words:  *slot*: a place in a strip's beam; a prefix holds it. *context*: the last characters, as the
        prior has them.

The k best texts by ink alone differ in the few places where the ink is least sure; of a long line
with many unsure places they never reach the one a reader would think of. This beam does. What it
finds is proposed only: `decode.favour` weighs proposals and the exact k best by their exact sums.

All strips' beams go on together, each by its own frames: their numbers are never mixed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.grammar import Grammar
from edge_runtime.outputs import Floats, Frames, Ints
from edge_runtime.prior import START, Prior, fold

_WIDTH = 24
_LEAST = 1e-3  # probability of a label in a frame that is followed up
_HOPELESS = 5e-5  # of the best prefix's mass: such a text has no share that would be named
_SURE = 0.999  # of blank: such a frame changes no text
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits are spread: 2^64 over the golden ratio
_MOST_CONTEXTS = 24_000  # remembered; some 16 MB
_SHORT = 2  # characters of contexts from which longer ones are worked out


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
    contexts = _contexts_of(prior, grammar.labels)
    with contexts.lock:
        contexts.make_room()
        return _Beams(parts, grammar, contexts, width).texts()


class _Beams:
    """Prefixes of many strips, a row a strip, those with the most telling frames first.

    For each slot uint64 `prefix`, a number that tells a strip's prefixes apart, 0 where there is
    none, and that of its `parent`; its last `label`, its `context`, its `state` in the grammar;
    `rest` and `held`: the mass of its alignments that end in blank, and in its last label, the
    prior's say in it, at most 1 in a strip.
    """

    def __init__(
        self, parts: Sequence[Frames], grammar: Grammar, contexts: _Contexts, width: int
    ) -> None:
        self._contexts, self._width, self._grammar = contexts, width, grammar
        self._prob = np.concatenate([one.prob for one in parts])
        self._telling = self._prob > _LEAST
        self._telling &= grammar.used
        self._telling[:, 0] = False
        frame = (self._telling.any(axis=1) & (self._prob[:, 0] <= _SURE)).nonzero()[0]
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
        followed, labels = _packed(self._telling[rows])  # (n, most)
        prefix, label, context = self.prefix[:n], self.label[:n], self.context[:n]
        rest, held, state = self.rest[:n], self.held[:n], self.state[:n]
        mass = rest + held
        still_rest = mass * prob[:, :1]
        still_held = held * prob[by, label]
        again = labels[:, None, :] == label[:, :, None]
        kid = np.where(again, rest[:, :, None], mass[:, :, None])
        kid *= (prob[by, labels] * followed)[:, None, :]  # (n, slots, most)
        kid *= self._contexts.factors(context, labels, kid > 0)

        # Some of these are held already, by a slot whose prefix they grow to.
        there = self.parent[:n, None, :] == prefix[:, :, None]
        there &= (prefix > 0)[:, :, None]
        strip, slot, own = np.unravel_index(there.ravel().nonzero()[0], there.shape)
        at = _place_of(labels, strip, self.label[strip, own])
        said = at >= 0
        strip, slot, own, at = strip[said], slot[said], own[said], at[said]
        still_held[strip, own] += kid[strip, slot, at]
        kid[strip, slot, at] = 0.0

        most = labels.shape[1]
        worth = np.concatenate([still_rest + still_held, kid.reshape(n, -1)], axis=1)
        kept = _best(worth, width)
        best = worth[by, kept]
        old = kept < width
        slot, at = np.divmod(kept - width, most)
        slot = np.where(old, kept, slot)
        parent, spoken = prefix[by, slot], np.where(old, 0, labels[by, at])
        grown = ~old & (best > 0)
        top = best.max(axis=1, keepdims=True)
        top[top == 0] = 1.0
        context = context[by, slot]
        context[grown] = self._contexts.after(context[grown], spoken[grown])
        number = parent * _SPREAD + spoken.astype(np.uint64)
        self.rest[:n] = np.where(old, still_rest[by, slot], 0.0) / top
        self.held[:n] = np.where(old, still_held[by, slot], best) / top
        self.parent[:n] = np.where(old, self.parent[by, slot], parent)
        self.label[:n] = np.where(old, label[by, slot], spoken)
        self.state[:n] = np.where(old, state[by, slot], self._next[state[by, slot], spoken])
        self.context[:n] = context
        self.prefix[:n] = np.where(old, parent, np.where(grown, number, 0))
        self._steps.append((slot, spoken))


def _best(worth: Floats, width: int) -> Ints:
    """int (n, width): the places of each row's greatest, of equal ones the first."""
    if worth.shape[1] <= 4 * width:
        return np.argsort(-worth, axis=1, kind="stable")[:, :width]
    least = -np.partition(-worth, width - 1, axis=1)[:, width - 1 : width]
    sure = worth > least
    tied = worth == least
    room = width - sure.sum(axis=1, keepdims=True)
    sure |= tied & (np.cumsum(tied, axis=1) <= room)
    return sure.nonzero()[1].reshape(len(worth), width)


def _packed(on: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Ints]:
    """The places of what is true in each row, ascending: (n, most), and which of these count."""
    row, place = on.nonzero()
    count = on.sum(axis=1)
    at = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    places = np.zeros((len(on), int(count.max())), np.intp)
    places[row, at] = place
    return np.arange(places.shape[1]) < count[:, None], places


def _place_of(labels: Ints, strip: Ints, label: Ints) -> Ints:
    """Where among its strip's `labels` each label is; -1 where it is not."""
    same = labels[strip] == label[:, None]
    return np.where(same.any(axis=1), same.argmax(axis=1), -1)


class _Contexts:
    """What the prior says of each label after a context; worked out when it is first asked.

    A context is named by as many of its last characters as the prior knows: there are far fewer.
    """

    def __init__(self, prior: Prior, labels: tuple[str, ...]) -> None:
        self.lock = threading.Lock()
        self._prior = prior
        folded = [fold(label) for label in labels]
        self._chars = "".join(dict.fromkeys("".join(folded)))  # of the labels, as the prior has it
        self._of = np.array([self._chars.index(one) if one else 0 for one in folded], np.intp)
        self._hyphen, self._space = self._chars.find("-"), self._chars.find(" ")
        self._short: dict[str, Floats] = {}
        self._forget()

    def _forget(self) -> None:
        start = self._prior.known(START * (self._prior.order - 1))
        self._names, self._numbers = [start], {start: 0}
        self._factor = np.full((256, len(self._chars)), np.nan, np.float32)
        self._after = np.full((256, len(self._chars)), -1, np.int32)

    def factors(
        self, contexts: Ints, labels: Ints, wanted: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """float32 (n, slots, most): by how much a label after a context changes probability.

        Args:
            contexts: int (n, slots).
            labels: int (n, most).
            wanted: bool (n, slots, most); elsewhere it is 0.
        """
        new = contexts[np.isnan(self._factor[contexts, 0])]
        for number in set(new.tolist()):
            self._factor[number] = self._row(self._names[number])
        found = self._factor[contexts[:, :, None], self._of[labels][:, None, :]]
        found[~wanted] = 0.0
        return found

    def _row(self, context: str) -> Floats:
        """float64 (characters,): the factor of each."""
        logs = self._following(context)
        # Between letters a hyphen counts as a space, see `Prior.heard_as`.
        if self._hyphen >= 0 and self._space >= 0 and context[-1:].isalpha():
            logs = logs.copy()
            logs[self._hyphen] = logs[self._space]
        return self._prior.factors(logs)

    def _following(self, context: str) -> Floats:
        found = self._short.get(context)
        if found is None:
            shorter = self._following(context[1:]) if context else None
            found = self._prior.following(context, self._chars, shorter)
            if len(context) <= _SHORT:
                self._short[context] = found
        return found

    def after(self, contexts: Ints, labels: Ints) -> Ints:
        """The contexts after one more label."""
        chars = self._of[labels]
        found = self._after[contexts, chars].astype(np.intp)
        for at in (found < 0).nonzero()[0].tolist():
            one, char = int(contexts[at]), int(chars[at])
            name = self._names[one]
            name += self._prior.heard_as(name, self._chars[char])
            name = self._prior.known(name[1 - self._prior.order :])
            number = self._numbers.get(name)
            if number is None:
                number = self._numbers[name] = len(self._names)
                self._names.append(name)
                if number == len(self._factor):
                    self._factor = _doubled(self._factor, np.nan)
                    self._after = _doubled(self._after, -1)
            found[at] = self._after[one, char] = number
        return found

    def make_room(self) -> None:
        """Forget what is known, where it has grown too much; not while contexts are in use."""
        if len(self._names) > _MOST_CONTEXTS:
            self._forget()


def _doubled(table: NDArray[Any], fill: float) -> NDArray[Any]:
    return np.concatenate([table, np.full_like(table, fill)])


@lru_cache(maxsize=4)
def _contexts_of(prior: Prior, labels: tuple[str, ...]) -> _Contexts:
    return _Contexts(prior, labels)
