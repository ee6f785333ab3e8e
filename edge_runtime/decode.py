"""From network output to text, exactly: a grammar's best texts, their probabilities, their frames.

Owns:   `Decoding`, `Span`, `decode`, `favour`, `decode_cells`, and the sums behind them.
Needs:  numpy, `grammar`, `lattice`, `search`, `prior_search`, `cells`, `shortlist`, `results`.
Words:  *sum*: probability of a text over all its alignments. *total*: sum over all allowed texts.
        *posterior*: the text's share of what is allowed, see `shortlist`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.cells import CellLattice, Cells
from edge_runtime.grammar import Grammar
from edge_runtime.holding import holding
from edge_runtime.lattice import Frames
from edge_runtime.prior import Prior
from edge_runtime.prior_search import proposals
from edge_runtime.results import Alternative
from edge_runtime.search import Prefix, text_sums
from edge_runtime.shortlist import LEAST_POSTERIOR, CellTexts, Shortlist, ink_of, outside_of

LogProbs = NDArray[np.float32]


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
    `LEAST_POSTERIOR` are left out.

    Where the field has a check digit, the text is the best one that holds it. Posteriors are shares
    among all texts of the grammar, failing ones too: a check digit that a misread text fulfils by
    chance, or that a writer got wrong, must not make a reading sure. So a failing text may follow
    with a greater posterior. Where no text that holds comes within `LEAST_POSTERIOR` of the best
    one, the ink says a number that fails, and that is the text.

    Args:
        log_probs: float32 (t, n_labels), natural logarithms, padding cut.
        grammar: Of the field, over the same labels.
        k: Number of texts wanted, at most.
    """
    frames = Frames(log_probs, grammar)
    raw = raw_text(log_probs, grammar)
    ink = ink_of(frames, grammar)
    log_total = ink.log_total
    if log_total == -math.inf:
        return Decoding("", -math.inf, -math.inf, (), (), raw)
    outside = outside_of(frames, grammar, log_total)
    whole = float(np.logaddexp(log_total, outside))

    # The best path of the network alone; where the grammar allows it and it holds nearly all the
    # mass, no search can find more.
    path = np.argmax(np.where(grammar.used, frames.log, -np.inf), axis=1)
    path[frames.log[:, 0] >= frames.log[np.arange(frames.n), path]] = 0
    labels, runs = _collapsed(path)
    shortlist = Shortlist(grammar, k, log_total, whole)
    if grammar.accepts(text := grammar.spell(labels)):
        (log_prob,) = text_sums(frames, [labels])
        shortlist.add(text, log_prob)
        if shortlist.is_full and shortlist.settled:
            spans = _spans(frames, grammar, labels, runs)
            alternatives = shortlist.ranked()[1]
            return Decoding(text, log_prob, log_total, alternatives, spans, raw)

    shortlist = Shortlist(grammar, k, log_total, whole)
    shortlist.add_all(found := ink.texts(grammar, k), ink)
    exact = True
    if found and not shortlist.settled:
        texts, exact = ink.holding(grammar, best=found[0][1], k=k)
        shortlist.add_all([(one, 0.0) for one in texts], ink)
    if not shortlist.texts:
        return Decoding("", -math.inf, log_total, (), (), raw)
    best, alternatives = shortlist.ranked()
    prefix = ink.prefix(shortlist.texts[best], grammar)
    spans = _spans(frames, grammar, prefix.labels(), prefix.runs(frames))
    return Decoding(
        shortlist.texts[best], shortlist.sums[best], log_total, alternatives, spans, raw, exact
    )


def favour(
    log_probs: LogProbs, grammar: Grammar, prior: Prior, *, k: int = 5, among: int = 10
) -> Decoding:
    """Read one strip of free text with a prior on what people write.

    Weighed are the `among` texts with the best alignments, found exactly, and what a search with
    the prior in it proposes. Each counts by its exact sum and its prior; posteriors share what
    these texts have together by the ink alone.

    Args:
        log_probs: As in `decode`.
        grammar: Of a field without a check digit.
        prior: Of the model.
        k: Number of texts named, at most.
        among: Texts weighed for their ink alone.
    """
    plain = decode(log_probs, grammar, k=among)
    if len(plain.alternatives) < 2:
        return plain
    frames = Frames(log_probs, grammar)
    by_ink = [text for text, _ in plain.alternatives]
    texts = list(dict.fromkeys([*by_ink, *proposals(frames, grammar, prior)]))
    labels = [grammar.labels_of(text) for text in texts]
    sums = np.array(text_sums(frames, labels))
    shares = np.exp(sums - plain.log_total)
    scores = sums + [prior.score(text) for text in texts]
    weights = np.exp(scores - scores.max())
    weights *= min(1.0, float(shares.sum())) / weights.sum()
    order = np.argsort(-weights, kind="stable").tolist()
    named = tuple(
        Alternative(texts[at], float(weights[at]))
        for rank, at in enumerate(order[:k])
        if rank == 0 or weights[at] >= LEAST_POSTERIOR
    )
    best = order[0]
    if texts[best] == plain.text:
        return replace(plain, alternatives=named)
    spans = line_spans(frames, texts[best], grammar)
    return replace(
        plain, text=texts[best], log_prob=float(sums[best]), alternatives=named, spans=spans
    )


def decode_cells(log_probs: Sequence[LogProbs | None], grammar: Grammar, *, k: int = 5) -> Decoding:
    """Read a row of cells, each with one glyph or none.

    Empty cells at the ends give nothing, an empty one between filled ones a space: the automaton
    takes it where a space is allowed and is not asked where none is. A cell with skip marks alone
    gives nothing and is not empty. More than one glyph in a cell is not allowed by any grammar. A
    glyph that is not allowed is taken for one that is (`Cells.within`); `log_total` alone is of
    what the network says as it is, and tells how much that was.

    Args:
        log_probs: For each cell float32 (t, n_labels); None for a cell without ink.
        grammar: Of the field, over the same labels.
        k: Number of texts wanted, at most.
    """
    seen = Cells(log_probs, grammar)
    lattice = CellLattice(grammar)
    raw = "".join(" " if one is None else raw_text(one, grammar) for one in log_probs).strip()
    log_total = lattice.log_total(seen)
    if log_total == -math.inf:
        return Decoding("", -math.inf, -math.inf, (), (), raw)
    cells = seen.within()
    inside = log_total if cells is seen else lattice.log_total(cells)
    whole = float(np.logaddexp(inside, outside_of(cells, grammar, inside)))
    ink, shortlist = CellTexts(cells, lattice), Shortlist(grammar, k, inside, whole)
    shortlist.add_all(found := ink.texts(grammar, k), ink)
    exact = True
    if not shortlist.settled:
        texts, exact = holding(ink, grammar, best=found[0][1], k=k)
        shortlist.add_all([(one, 0.0) for one in texts], ink)
    best, alternatives = shortlist.ranked()
    text = shortlist.texts[best]
    spans = tuple(Span(*one) for one in cells.spans(text))
    exact = exact and not ink.cut_off
    return Decoding(text, shortlist.sums[best], log_total, alternatives, spans, raw, exact)


def text_log_prob(
    log_probs: LogProbs | Sequence[LogProbs | None], text: str, grammar: Grammar
) -> float:
    """Log of a text's sum; -inf where the grammar does not allow it. Cells as in `decode_cells`,
    glyphs that are not allowed taken for those that are."""
    if isinstance(log_probs, np.ndarray):
        if not grammar.accepts(text):
            return -math.inf
        return text_sums(Frames(log_probs, grammar), [grammar.labels_of(text)])[0]
    if not CellLattice(grammar).accepts(text):
        return -math.inf
    return Cells(log_probs, grammar).within().text_sum(text)


def grammar_log_total(log_probs: LogProbs | Sequence[LogProbs | None], grammar: Grammar) -> float:
    """Log of the grammar's total: how much of the network's belief is allowed. At most 0."""
    if isinstance(log_probs, np.ndarray):
        return ink_of(Frames(log_probs, grammar), grammar).log_total
    return CellLattice(grammar).log_total(Cells(log_probs, grammar))


def line_spans(frames: Frames, text: str, grammar: Grammar) -> tuple[Span, ...]:
    """Each character of a text that the grammar allows, and where it stands in one strip."""
    labels = grammar.labels_of(text)
    return _spans(frames, grammar, labels, Prefix.of(frames, labels).runs(frames))


def _collapsed(path: NDArray[np.intp]) -> tuple[list[int], list[tuple[int, int]]]:
    """CTC's reading of a path: labels without repeats and blanks, and the frames of each."""
    if len(path) == 0:
        return [], []
    first = np.append(0, np.flatnonzero(path[1:] != path[:-1]) + 1)
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
