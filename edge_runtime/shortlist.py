"""Texts that the ink may say, and what is worth naming of them: by strip, by cells, by a long list.

Owns:   `StripTexts`, `CellTexts`, `ListTexts` (texts and their sums), `inks_of`, `Shortlist`
        (their shares), `outside_of` (what stands against a list of choices).
Needs:  numpy, `grammar`, `holding`, `lattice`, `lexicon`, `near_search`, `search`, `sums`,
        `cells`, `results`.
Words:  *posterior*: a text's share of all that the grammar allows, and of what is outside a list.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice

import numpy as np

from edge_runtime.cells import CellLattice, Cells, k_best_cells
from edge_runtime.grammar import Grammar, checksum_ok
from edge_runtime.holding import holding
from edge_runtime.lattice import Lattice, lattice_of
from edge_runtime.lexicon import Lexicon, lexicon_of
from edge_runtime.near_search import Near, near_of
from edge_runtime.outputs import Floats, Frames, Ints, LogProbs, frames_of
from edge_runtime.results import Alternative
from edge_runtime.search import Prefix, k_best
from edge_runtime.sums import text_sums

# Texts under this posterior are not looked for: no calibration tells one in ten thousand from less.
LEAST_POSTERIOR = 1.0e-4
# What the mass of texts that are not on a list counts against that of listed ones. The likeliest
# for 260 words of tuning writers under a list of 1,000, read with and without their own word on it
# (docs/decisions.md): a listed word then is given 0.51 on average where 0.45 are right.
OUTSIDE = 3.0e-5
# Nats under the best text's best alignment: a text so far behind has no share that counts, even if
# a hundred other alignments of it are as good.
_BEHIND = 14.0


def inks_of(
    whole: Frames, parts: Sequence[Frames], grammar: Grammar
) -> list[StripTexts | ListTexts]:
    """The texts of some strips.

    Args:
        whole: The strips' frames end to end.
        parts: Those of each, none without frames.
        grammar: What is allowed.
    """
    lexicon = lexicon_of(grammar)
    if lexicon is None:
        lattice = lattice_of(grammar)
        totals, near = lattice.log_totals(whole, parts), near_of(whole, parts, grammar)
        ways = zip(parts, near, totals, strict=True)
        return [StripTexts(one, lattice, its, total) for one, its, total in ways]
    return [_listed(one, lexicon, grammar) for one in parts]


def _listed(frames: Frames, lexicon: Lexicon, grammar: Grammar) -> StripTexts | ListTexts:
    found = lexicon.sums(frames)
    if found is not None:
        return ListTexts(frames, lexicon, *found)
    lattice = lattice_of(grammar)
    (near,) = near_of(frames, [frames], grammar)
    return StripTexts(frames, lattice, near, lattice.log_total(frames))


def log_totals_of(given: Sequence[LogProbs], grammar: Grammar) -> list[float]:
    """Log of the grammar's total in each strip.

    Args:
        given: float32 (t, n_labels) of each strip, none without frames.
        grammar: What is allowed.
    """
    if lexicon_of(grammar) is not None:
        return [one.log_total for one in inks_of(*frames_of(given, grammar), grammar)]
    whole, lattice = given[0] if len(given) == 1 else np.concatenate(given), lattice_of(grammar)
    skip = np.flatnonzero(grammar.skip).tolist()
    totals = lattice.totals_at_once(whole, list(map(len, given)), skip)
    left = [one for one, total in zip(given, totals, strict=True) if total is None]
    others = iter(lattice.log_totals(*frames_of(left, grammar)) if left else ())
    return [next(others) if total is None else total for total in totals]


def outside_of(frames: Frames | Cells, grammar: Grammar, log_total: float) -> float:
    """Log of the mass of texts that are not on the list of choices, as far as it counts.

    Every text of the field's charset may have been written, listed or not; the network's belief in
    all of them, but for the listed ones, stands against these. -inf where there is no list.
    """
    if grammar.texts is None:
        return -math.inf
    rest = frames.log_free(grammar.allowed) - log_total
    return log_total + math.log(OUTSIDE * math.expm1(rest)) if rest > 0 else -math.inf


class StripTexts:
    """Texts of one strip and their sums."""

    def __init__(self, frames: Frames, lattice: Lattice, near: Near, log_total: float) -> None:
        self.frames, self._lattice, self.near = frames, lattice, near
        self.log_total = log_total
        self._losses: dict[str, float] = {}

    def holding(self, grammar: Grammar, *, best: float, k: int) -> tuple[list[str], bool]:
        return holding(self, grammar, best=best, k=k)

    def texts(self, grammar: Grammar, k: int) -> list[tuple[str, float]]:
        own = grammar.accepting is self._lattice.accepting
        near = self.near.texts(grammar, k, behind=_BEHIND) if own else None
        if near is not None:
            spelled = [(grammar.spell(labels), loss) for labels, loss in near]
            self._losses.update(spelled)
            return [(text, self.near.best - loss) for text, loss in spelled]
        lattice = self._lattice if own else Lattice(grammar)
        found = k_best(self.frames, grammar, lattice, k=k)
        return [(grammar.spell(one.labels()), float(one.either[-1])) for one in found]

    def edge_worth(self) -> Floats:
        return self._lattice.edge_worth(self.frames)

    def runs(self, text: str, labels: Sequence[int]) -> list[tuple[int, int]]:
        """Frames (first, last exclusive) of each character in the text's best alignment."""
        found = self.near.runs(labels, self._losses.get(text))
        return Prefix.of(self.frames, labels).runs(self.frames) if found is None else found

    def sums(self, texts: Sequence[str], grammar: Grammar) -> list[float]:
        return text_sums(self.frames, [grammar.labels_of(text) for text in texts])


class ListTexts:
    """Texts of a long list and their sums in one strip."""

    def __init__(
        self, frames: Frames, lexicon: Lexicon, places: Ints, sums: Floats, log_total: float
    ) -> None:
        self.frames, self.log_total = frames, min(0.0, log_total)
        order = np.argsort(-sums, kind="stable")
        texts = [lexicon.texts[at] for at in places[order].tolist()]
        self._sums = dict(zip(texts, sums[order].tolist(), strict=True))  # best first

    def texts(self, grammar: Grammar, k: int) -> list[tuple[str, float]]:
        return list(islice(self._sums.items(), k))

    def holding(self, grammar: Grammar, *, best: float, k: int) -> tuple[list[str], bool]:
        kept = (text for text in self._sums if checksum_ok(text, grammar.field))
        return list(islice(kept, k)), True

    def runs(self, text: str, labels: Sequence[int]) -> list[tuple[int, int]]:
        return Prefix.of(self.frames, labels).runs(self.frames)

    def sums(self, texts: Sequence[str], grammar: Grammar) -> list[float]:
        return [self._sums[text] for text in texts]


class CellTexts:
    """Texts of a row of cells and their sums."""

    def __init__(self, cells: Cells, lattice: CellLattice) -> None:
        self._cells, self._lattice = cells, lattice
        self.cut_off = False  # whether some search was

    def texts(self, grammar: Grammar, k: int) -> list[tuple[str, float]]:
        own = grammar is self._lattice.grammar
        lattice = self._lattice if own else CellLattice(grammar)
        found: list[tuple[str, float]] = []

        def add(text: str, worth: float) -> bool:
            found.append((text, worth))
            return len(found) >= k

        if not k_best_cells(self._cells, lattice, k=k, add=add):
            self.cut_off = True
        return found

    def edge_worth(self) -> Floats:
        return self._lattice.edge_worth(self._cells)

    def sums(self, texts: Sequence[str], grammar: Grammar) -> list[float]:
        return self._cells.text_sums(texts)


class Shortlist:
    """The texts that were found, and what they tell of those that were not."""

    def __init__(self, grammar: Grammar, k: int, log_total: float, whole: float) -> None:
        self._grammar, self._k, self._log_total = grammar, k, log_total
        self._whole = whole  # log of what posteriors are shares of: the total, and what is outside
        self.texts: list[str] = []
        self.sums: list[float] = []
        self._best_holding = -math.inf  # sum of the best text that holds
        self._mass = 0.0  # of all texts so far, as part of the total

    def holds(self, text: str) -> bool:
        """Whether the check digit holds; true where there is none."""
        field = self._grammar.field
        return not field.checksum or checksum_ok(text, field) is not False

    def add(self, text: str, log_sum: float) -> None:
        """Take one more text, or one again."""
        if text in self.texts:
            return
        self.texts.append(text)
        self.sums.append(log_sum)
        self._mass += _share(log_sum, self._log_total)
        if log_sum > self._best_holding and self.holds(text):
            self._best_holding = log_sum

    def add_all(
        self, found: Sequence[tuple[str, float]], ink: StripTexts | ListTexts | CellTexts
    ) -> None:
        """Take texts with what they sum to in this ink."""
        texts = [text for text, _ in found]
        for text, log_sum in zip(texts, ink.sums(texts, self._grammar), strict=True):
            self.add(text, log_sum)

    @property
    def is_full(self) -> bool:
        """Whether no text that is worth naming can be missing."""
        return self._mass >= 1 - LEAST_POSTERIOR

    @property
    def settled(self) -> bool:
        """Whether no text that was not found can take the place of the best one that holds."""
        if not self._grammar.field.checksum:
            return True
        left, best = 1 - self._mass, max(self.sums, default=-math.inf)
        holding = _share(self._best_holding, self._log_total)
        return left <= max(holding, LEAST_POSTERIOR * _share(best, self._log_total))

    def ranked(self) -> tuple[int, tuple[Alternative, ...]]:
        """The best text's place among `texts`, and all that are worth naming, it first."""
        order = sorted(range(len(self.texts)), key=lambda at: -self.sums[at])
        if self._best_holding >= self.sums[order[0]] + math.log(LEAST_POSTERIOR):
            best = self.sums.index(self._best_holding)
            order = [best, *(at for at in order if at != best)]
        named = [
            Alternative(self.texts[at], _share(self.sums[at], self._whole))
            for at in order[: self._k]
        ]
        return order[0], tuple(
            one for rank, one in enumerate(named) if rank == 0 or one.probability >= LEAST_POSTERIOR
        )


def _share(log_sum: float, log_total: float) -> float:
    return math.exp(min(0.0, log_sum - log_total))
