"""What a prior says of each label after a context, worked out once and remembered.

Owns:   `Contexts`, `contexts_of`.
Needs:  numpy, `prior`.
Words:  *context*: the last characters of a text, as many as the prior knows, folded as it folds.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.outputs import Floats, Ints
from edge_runtime.prior import START, Prior, fold

_MOST_CONTEXTS = 24_000  # remembered; some 16 MB
_SHORT = 2  # characters of contexts from which longer ones are worked out


class Contexts:
    """What the prior says of each label after a context; worked out when it is first asked.

    A context is named by as many of its last characters as the prior knows: there are far fewer.
    """

    def __init__(self, prior: Prior, labels: tuple[str, ...]) -> None:
        self.lock = threading.Lock()
        self._prior = prior
        folded = [fold(label) for label in labels]
        self._chars = "".join(dict.fromkeys("".join(folded)))  # of the labels, as the prior has it
        self._of = np.array([self._chars.index(one) if one else 0 for one in folded], np.intp)
        self._chars_of: list[int] = self._of.tolist()
        self._hyphen, self._space = self._chars.find("-"), self._chars.find(" ")
        self._short: dict[str, Floats] = {}
        self._by_log: dict[float, float] = {}
        self._forget()

    def _forget(self) -> None:
        start = self._prior.known(START * (self._prior.order - 1))
        self._names, self._numbers = [start], {start: 0}
        self._factor = np.full((256, len(self._chars)), np.nan, np.float32)
        self._whole = np.zeros(256, np.bool_)  # whether all of a context's factors are known
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
        for number in set(contexts[~self._whole[contexts]].tolist()):
            self._factor[number], self._whole[number] = self._row(self._names[number]), True
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
            found[at] = self._work_out(int(contexts[at]), int(chars[at]))
        return found

    def _work_out(self, context: int, char: int) -> int:
        name = self._names[context]
        name += self._prior.heard_as(name, self._chars[char])
        name = self._prior.known(name[1 - self._prior.order :])
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._names)
            self._names.append(name)
            if number == len(self._factor):
                self._factor = _doubled(self._factor, np.nan)
                self._whole = _doubled(self._whole, False)
                self._after = _doubled(self._after, -1)
        self._after[context, char] = number
        return number

    def factor(self, context: int, label: int) -> float:
        """By how much one label after one context changes probability."""
        char = self._chars_of[label]
        found = self._factor.item(context, char)
        if found != found:  # not worked out yet
            name = self._names[context]
            joins = char == self._hyphen and self._space >= 0 and name[-1:].isalpha()
            log = self._prior.next(name, self._chars[self._space if joins else char])
            if log not in self._by_log:  # they are few: the prior's are multiples of a unit
                one = self._prior.factors(np.array([log])).astype(np.float32)
                self._by_log[log] = one.item()
            found = self._factor[context, char] = self._by_log[log]
        return found

    def next(self, context: int, label: int) -> int:
        """The context after one more label."""
        char = self._chars_of[label]
        found = self._after.item(context, char)
        return found if found >= 0 else self._work_out(context, char)

    def make_room(self) -> None:
        """Forget what is known, where it has grown too much; not while contexts are in use."""
        if len(self._names) > _MOST_CONTEXTS:
            self._forget()


def _doubled(table: NDArray[Any], fill: Any) -> NDArray[Any]:
    return np.concatenate([table, np.full_like(table, fill)])


@lru_cache(maxsize=4)
def contexts_of(prior: Prior, labels: tuple[str, ...]) -> Contexts:
    return Contexts(prior, labels)
