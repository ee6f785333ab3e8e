"""Network output as an automaton sees it: one strip's frames, or many strips' end to end.

Owns:   `Frames`, `frames_of`.
Needs:  numpy, `grammar`.
Words:  *label*: what a frame may say; labels[0] is the blank.

A skip mark is read and left out, so for the text it is a blank: its mass is added to the blank's,
and all that follows is exact without skip marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_runtime.grammar import Grammar

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
LogProbs = NDArray[np.float32]
_Float = TypeVar("_Float", np.float32, np.float64)

# Log-probabilities are floored: e^-1e4 is no evidence, and sums of 1e3 frames keep 9 decimals.
FLOOR = -1.0e4
_FEW = 0.4  # of all labels


class Frames:
    """What the network says, frame by frame, blank and skip marks taken together.

    Args:
        log_probs: float (t, n_labels), natural logarithms.
        grammar: Whose skip marks count as blank.
    """

    def __init__(self, log_probs: NDArray[np.floating], grammar: Grammar) -> None:
        assert log_probs.shape == (len(log_probs), len(grammar.labels)), log_probs.shape
        log: Floats = np.maximum(log_probs, FLOOR, dtype=np.float64)
        marks = grammar.skip.nonzero()[0]
        if len(marks):
            log[:, 0] = log_sum(log.take([0, *marks], axis=1))
        self.n, self._spoken = len(log), grammar.spoken
        self._of: tuple[Floats, Frames | None, int] = log, None, 0

    def part(self, start: int, stop: int) -> Frames:
        """Some of these frames, without a copy; what is worked out of all is theirs, too."""
        found = Frames.__new__(Frames)
        found.n, found._spoken, found._of = stop - start, self._spoken, (self.log, self, start)
        return found

    @cached_property
    def log(self) -> Floats:
        """float64 (t, n_labels)."""
        log, _, start = self._of
        return log[start : start + self.n]

    def log_free(self, allowed: NDArray[np.bool_]) -> float:
        """Log of the mass of all texts of some labels, the empty one too."""
        on = allowed.copy()
        on[0] = True
        return float(log_sum(self.log.take(on.nonzero()[0], axis=1)).sum())

    @cached_property
    def prob(self) -> Floats:
        """float64 (t, n_labels); of labels that the grammar never says not worked out, but 0, where
        it says few."""
        _, whole, start = self._of
        if whole is not None:
            return whole.prob[start : start + self.n]
        if len(self._spoken) > _FEW * self.log.shape[1]:
            prob: Floats = np.exp(self.log)
            return prob
        prob = np.zeros(self.log.shape)
        prob[:, self._spoken] = np.exp(self.log.take(self._spoken, axis=1))
        return prob

    @cached_property
    def sums(self) -> Floats:
        """float64 (n_labels, t + 1): log-probability that the first frames all say a label."""
        sums = np.zeros((self.log.shape[1], self.n + 1))
        np.cumsum(self.log.T, axis=1, out=sums[:, 1:])
        return sums

    def summed(self, label: int) -> Floats:
        """float64 (t + 1,): the same for one label."""
        found: Floats = self.sums[label]
        return found


def frames_of(given: Sequence[LogProbs], grammar: Grammar) -> tuple[Frames, list[Frames]]:
    """Frames of all strips end to end, and of each by itself. `given` is not empty."""
    whole = Frames(given[0] if len(given) == 1 else np.concatenate(given), grammar)
    if len(given) == 1:
        return whole, [whole]
    parts, start = [], 0
    for one in given:
        parts.append(whole.part(start, start + len(one)))
        start += len(one)
    return whole, parts


def log_sum(logs: NDArray[_Float]) -> NDArray[_Float]:
    """log(sum(exp)) of each row, (t, n) to (t,), finite where its greatest is.
    `np.logaddexp.reduce` is slower, a label at a time."""
    most = logs.max(axis=1, keepdims=True)
    found: NDArray[_Float] = np.log(np.exp(logs - most).sum(axis=1)) + most[:, 0]
    return found
