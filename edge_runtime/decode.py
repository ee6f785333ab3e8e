"""From network output to text, exactly: a grammar's best texts, their probabilities, their frames.

Owns:   `Decoding`, `Span`, `decode`, `favour`, `decode_cells`, and the sums behind them.
Needs:  numpy, `grammar`, `lattice`, `search`, `cells`, `results`.
Words:  *sum*: probability of a text over all its alignments. *total*: sum over all allowed texts.
        *posterior*: sum / total, the text's share of what is allowed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.cells import CellLattice, Cells, k_best_cells
from edge_runtime.grammar import Grammar, checksum_ok
from edge_runtime.lattice import Frames, lattice_of
from edge_runtime.prior import Prior
from edge_runtime.results import Alternative
from edge_runtime.search import Prefix, k_best, text_sums

LogProbs = NDArray[np.float32]

# Texts under this posterior are not looked for: no calibration tells one in ten thousand from less.
LEAST_POSTERIOR = 1.0e-4
_MOST_EXPANSIONS = 20_000  # a search with an exact bound expands about k * length; this is a stop
_MOST_CHECKED = 64  # texts tried for one whose check digit holds


class Span(NamedTuple):
    """One character of the text and where it stands."""

    char: str
    probability: float  # 0..1, against other characters and against none, in its own frames
    t0: int  # frames of the strip, or of the cell
    t1: int  # exclusive
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Decoding:
    """What the ink says under a grammar."""

    text: str  # "" where nothing that is allowed can be read
    log_prob: float  # log of the text's sum
    log_total: float  # log of the grammar's total, at most 0
    alternatives: tuple[Alternative, ...]  # (text, posterior), `text` itself first, best first
    spans: tuple[Span, ...]  # one for each character of `text`
    raw_text: str  # the network's best path, without the grammar
    exact: bool = True  # whether the search for the best texts was finished


def decode(log_probs: LogProbs, grammar: Grammar, *, k: int = 5) -> Decoding:
    """Read one strip.

    The texts with the k best alignments are found exactly, then ordered by their sums. Texts under
    `LEAST_POSTERIOR` are left out. Where the field has a check digit, texts that fail it are passed
    over if one of the first k holds it, or else one of the first 64; the failing ones that were met
    are taken off the total, so that posteriors are lower bounds of those among texts that hold it.

    Args:
        log_probs: float32 (t, n_labels), natural logarithms, padding cut.
        grammar: Of the field, over the same labels.
        k: Number of texts wanted, at most.
    """
    frames = Frames(log_probs, grammar)
    lattice = lattice_of(grammar)
    raw = raw_text(log_probs, grammar)
    log_total = lattice.log_total(frames)
    if log_total == -math.inf:
        return Decoding("", -math.inf, -math.inf, (), (), raw)

    # The best path of the network alone; where the grammar allows it and it holds nearly all the
    # mass, no search can find more.
    path = np.argmax(np.where(grammar.used, frames.log, -np.inf), axis=1)
    path[frames.log[:, 0] >= frames.log[np.arange(frames.n), path]] = 0
    labels, runs = _collapsed(path)
    shortlist = _Shortlist(grammar, k, log_total)
    if grammar.accepts(text := grammar.spell(labels)):
        (log_prob,) = text_sums(frames, [labels])
        if shortlist.add(text, log_prob) and shortlist.holds(text):
            spans = _spans(frames, grammar, labels, runs)
            alternatives = shortlist.ranked()[1]
            return Decoding(text, log_prob, log_total, alternatives, spans, raw)

    for most in sorted({k, shortlist.most}):  # further only while no check digit holds
        found, exact = _searched(frames, grammar, log_total, k, most)
        if not found:
            return Decoding("", -math.inf, log_total, (), (), raw, exact)
        texts = [one.labels() for one in found]
        shortlist = _Shortlist(grammar, k, log_total)
        for one, log_prob in zip(texts, text_sums(frames, texts), strict=True):
            shortlist.add(grammar.spell(one), log_prob)
        if shortlist.settled or len(found) < most:
            break
    best, alternatives = shortlist.ranked()
    spans = _spans(frames, grammar, texts[best], found[best].runs(frames))
    return Decoding(
        shortlist.texts[best], shortlist.sums[best], log_total, alternatives, spans, raw, exact
    )


def favour(
    log_probs: LogProbs, grammar: Grammar, prior: Prior, *, k: int = 5, among: int = 30
) -> Decoding:
    """Read one strip of free text with a prior on what people write.

    The prior weighs the `among` texts with the best alignments, which are found exactly; it adds
    none. Posteriors share what these texts had together.

    Args:
        log_probs: As in `decode`.
        grammar: Of a field without a check digit.
        prior: Of the model.
        k: Number of texts named, at most.
        among: Texts weighed.
    """
    plain = decode(log_probs, grammar, k=among)
    if len(plain.alternatives) < 2:
        return plain
    texts = [text for text, _ in plain.alternatives]
    shares = np.array([share for _, share in plain.alternatives])
    scores = np.log(np.maximum(shares, 1e-30)) + [prior.score(text) for text in texts]
    weights = np.exp(scores - scores.max())
    weights *= shares.sum() / weights.sum()
    order = np.argsort(-weights, kind="stable").tolist()
    named = tuple(
        Alternative(texts[at], float(weights[at]))
        for rank, at in enumerate(order[:k])
        if rank == 0 or weights[at] >= LEAST_POSTERIOR
    )
    best = texts[order[0]]
    if best == plain.text:
        return replace(plain, alternatives=named)
    frames, labels = Frames(log_probs, grammar), grammar.labels_of(best)
    prefix = Prefix(frames, None, 0, 0)
    for label in labels:
        prefix = Prefix(frames, prefix, label, 0)
    spans = _spans(frames, grammar, labels, prefix.runs(frames))
    (log_prob,) = text_sums(frames, [labels])
    return replace(plain, text=best, log_prob=log_prob, alternatives=named, spans=spans)


def _searched(
    frames: Frames, grammar: Grammar, log_total: float, k: int, most: int
) -> tuple[list[Prefix], bool]:
    """The texts with the best alignments, `most` at most; whether the search was finished."""
    found: list[Prefix] = []
    shortlist = _Shortlist(grammar, k, log_total)

    def add(prefix: Prefix) -> bool:
        found.append(prefix)
        # A path is one alignment, so less than its text's sum: the search may go on too long only.
        return shortlist.add(grammar.spell(prefix.labels()), float(prefix.either[-1]))

    exact = k_best(
        frames, grammar, lattice_of(grammar), k=most, add=add, most_expansions=_MOST_EXPANSIONS
    )
    return found, exact


def decode_cells(log_probs: Sequence[LogProbs | None], grammar: Grammar, *, k: int = 5) -> Decoding:
    """Read a row of cells, each with one glyph or none.

    Empty cells at the ends give nothing, an empty one between filled ones a space: the automaton
    takes it where a space is allowed and is not asked where none is. A cell with skip marks alone
    gives nothing and is not empty. More than one glyph in a cell is not allowed by any grammar.

    Args:
        log_probs: For each cell float32 (t, n_labels); None for a cell without ink.
        grammar: Of the field, over the same labels.
        k: Number of texts wanted, at most.
    """
    cells = Cells(log_probs, grammar)
    lattice = CellLattice(grammar)
    raw = "".join(" " if one is None else raw_text(one, grammar) for one in log_probs).strip()
    log_total = lattice.log_total(cells)
    if log_total == -math.inf:
        return Decoding("", -math.inf, -math.inf, (), (), raw)
    shortlist = _Shortlist(grammar, k, log_total)
    exact = k_best_cells(cells, lattice, k=shortlist.most, add=shortlist.add)
    best, alternatives = shortlist.ranked()
    text = shortlist.texts[best]
    spans = tuple(Span(*one) for one in cells.spans(text))
    return Decoding(text, shortlist.sums[best], log_total, alternatives, spans, raw, exact)


def text_log_prob(
    log_probs: LogProbs | Sequence[LogProbs | None], text: str, grammar: Grammar
) -> float:
    """Log of a text's sum; -inf where the grammar does not allow it. Cells as in `decode_cells`."""
    if isinstance(log_probs, np.ndarray):
        if not grammar.accepts(text):
            return -math.inf
        return text_sums(Frames(log_probs, grammar), [grammar.labels_of(text)])[0]
    if not CellLattice(grammar).accepts(text):
        return -math.inf
    return Cells(log_probs, grammar).text_sum(text)


def grammar_log_total(log_probs: LogProbs | Sequence[LogProbs | None], grammar: Grammar) -> float:
    """Log of the grammar's total: how much of the network's belief is allowed. At most 0."""
    if isinstance(log_probs, np.ndarray):
        return lattice_of(grammar).log_total(Frames(log_probs, grammar))
    return CellLattice(grammar).log_total(Cells(log_probs, grammar))


class _Shortlist:
    """The texts that were found, until there are enough of them."""

    def __init__(self, grammar: Grammar, k: int, log_total: float) -> None:
        self._field, self._k, self._log_total = grammar.field, k, log_total
        self.most = max(k, _MOST_CHECKED) if grammar.field.checksum else k
        self.texts: list[str] = []
        self.sums: list[float] = []
        self._holding: list[bool] = []
        self._mass = 0.0  # of all texts so far, as part of the total

    def holds(self, text: str) -> bool:
        """Whether the check digit holds; true where there is none."""
        return not self._field.checksum or checksum_ok(text, self._field) is not False

    def add(self, text: str, log_sum: float) -> bool:
        """Take one more text, or one again; true where no further one is wanted."""
        if text not in self.texts:
            self.texts.append(text)
            self.sums.append(log_sum)
            self._holding.append(self.holds(text))
            self._mass += _share(log_sum, self._log_total)
        enough = len(self.texts) >= (self._k if self.settled else self.most)
        return enough or self._mass >= 1 - LEAST_POSTERIOR

    @property
    def settled(self) -> bool:
        """Whether some text's check digit holds."""
        return any(self._holding)

    def ranked(self) -> tuple[int, tuple[Alternative, ...]]:
        """The best text's place among `texts`, and all that are worth naming, best first."""
        some = self.settled
        failing = 0.0
        kept = []
        for at, holding in enumerate(self._holding):
            if some and not holding:
                failing += _share(self.sums[at], self._log_total)
            else:
                kept.append(at)
        kept.sort(key=lambda at: -self.sums[at])
        shares = [_share(self.sums[at], self._log_total) for at in kept]
        left = max(1 - failing, sum(shares))
        named = [
            Alternative(self.texts[at], min(1.0, share / left) if left > 0 else 0.0)
            for at, share in zip(kept, shares, strict=True)
        ]
        return kept[0], tuple(
            one
            for rank, one in enumerate(named[: self._k])
            if rank == 0 or one.probability >= LEAST_POSTERIOR
        )


def _share(log_sum: float, log_total: float) -> float:
    return math.exp(min(0.0, log_sum - log_total))


def _collapsed(path: NDArray[np.intp]) -> tuple[list[int], list[tuple[int, int]]]:
    """CTC's reading of a path: labels without repeats and blanks, and the frames of each."""
    if len(path) == 0:
        return [], []
    first = np.flatnonzero(np.r_[True, path[1:] != path[:-1]])
    last = np.append(first[1:], len(path))
    on = path[first] != 0
    starts, ends = first[on].tolist(), last[on].tolist()
    return path[first[on]].tolist(), list(zip(starts, ends, strict=True))


def raw_text(log_probs: LogProbs, grammar: Grammar) -> str:
    """The network's best path, without the grammar."""
    labels, _ = _collapsed(np.argmax(log_probs, axis=1))
    return grammar.spell(labels)


def _spans(
    frames: Frames, grammar: Grammar, labels: Sequence[int], runs: Sequence[tuple[int, int]]
) -> tuple[Span, ...]:
    """Characters with their frames and probabilities.

    A character's frames reach half-way to its neighbours. There its peak is weighed against the
    peaks of all labels the grammar knows, and against these frames saying nothing at all.
    """
    if not runs:
        return ()
    starts = [0] + [(a[1] + b[0]) // 2 for a, b in pairwise(runs)]
    peaks = np.exp(np.maximum.reduceat(frames.log, starts, axis=0))
    nothing = np.exp(np.add.reduceat(frames.log[:, 0], starts))
    whole = peaks @ grammar.used + nothing
    own = peaks[np.arange(len(labels)), labels]
    shares = np.divide(own, whole, out=np.zeros_like(own), where=whole > 0).tolist()
    return tuple(
        Span(grammar.labels[label], share, t0, t1)
        for label, share, (t0, t1) in zip(labels, shares, runs, strict=True)
    )
