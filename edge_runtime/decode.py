"""From network output to text, exactly: a grammar's best texts, their probabilities, their frames.

Owns:   `Decoding`, `Span`, `decode`, `favour`, `decode_cells`, and the sums behind them.
Needs:  numpy, `grammar`, `search`, `prior_search`, `casing`, `cells`, `shortlist`, `results`.
Words:  *sum*: probability of a text over all its alignments. *total*: sum over all allowed texts.
        *posterior*: the text's share of what is allowed, see `shortlist`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, compress, groupby, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.casing import as_name, case_nats
from edge_runtime.cells import Cells, cell_lattice_of
from edge_runtime.grammar import Grammar
from edge_runtime.holding import holding
from edge_runtime.outputs import Frames, frames_of
from edge_runtime.prior import Prior
from edge_runtime.prior_search import proposals_of
from edge_runtime.results import Alternative
from edge_runtime.search import Prefix
from edge_runtime.shortlist import (
    LEAST_POSTERIOR,
    CellTexts,
    ListTexts,
    Shortlist,
    StripTexts,
    inks_of,
    log_totals_of,
    outside_of,
)
from edge_runtime.sums import sums_of, text_sums

LogProbs = NDArray[np.float32]


class Span(NamedTuple):
    """One character of the text and where it stands."""

    char: str
    probability: float  # 0..1, against other characters and against none, in its own frames
    t0: int  # frames of the strip; in a cell 0 and 0, it has one glyph at most
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
    return decode_all([log_probs], grammar, k=k)[0]


class Heard(NamedTuple):
    """What strips say as the network gave them, where others are decoded: belief was moved."""

    log_totals: list[float]  # of the grammar, in each strip
    raw_texts: list[str]


def decode_all(
    given: Sequence[LogProbs], grammar: Grammar, *, k: int = 5, heard: Heard | None = None
) -> list[Decoding]:
    """Read many strips of one grammar; for each what `decode` says, to the last bit.

    Args:
        given: As in `decode`.
        grammar: As there.
        k: As there.
        heard: Goes into the decodings in place of what `given` would say.
    """

    def read(full: Sequence[LogProbs], told: Heard | None) -> list[Decoding]:
        return _spelled(*_weighed(full, grammar, k, told), grammar)

    return _each(given, grammar, read, heard)


def favour(
    log_probs: LogProbs, grammar: Grammar, prior: Prior, *, k: int = 5, among: int = 5
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
    return favour_all([log_probs], grammar, prior, k=k, among=among)[0]


def favour_all(
    given: Sequence[LogProbs],
    grammar: Grammar,
    prior: Prior,
    *,
    k: int = 5,
    among: int = 5,
    heard: Heard | None = None,
) -> list[Decoding]:
    """Read many strips; for each what `favour` says, to the last bit; `heard`: as `decode_all`."""

    def read(full: Sequence[LogProbs], told: Heard | None) -> list[Decoding]:
        whole, found = _weighed(full, grammar, among, told, prior)
        for one in found:
            if one.proposed or len(one.alternatives) > 1:
                _favour(one, prior, k, name=grammar.field.kind == "name")
        return _spelled(whole, found, grammar)

    return _each(given, grammar, read, heard)


def _each(
    given: Sequence[LogProbs],
    grammar: Grammar,
    read: Callable[[Sequence[LogProbs], Heard | None], list[Decoding]],
    heard: Heard | None,
) -> list[Decoding]:
    """What `read` says of strips that have frames, and nothing of others."""
    on = [len(one) > 0 for one in given]
    full = list(compress(given, on))
    if heard is not None and len(full) < len(on):
        totals, texts = heard
        heard = Heard(list(compress(totals, on)), list(compress(texts, on)))
    found = iter(read(full, heard) if full else ())
    nothing = Decoding("", -math.inf, -math.inf, (), (), "")
    return [next(found) if len(one) else nothing for one in given]


_AS_NAMES = 6  # of the best texts, whose capitals may be put right
# Nats under the best text's best alignment.
_FAINT = math.log(LEAST_POSTERIOR)


@dataclass(slots=True)
class _Weighed:
    """One strip's texts and what they sum to; the best of them, where any is allowed."""

    ink: StripTexts | ListTexts
    log_total: float  # of the grammar, and what the network says, as `Heard` has it
    raw: str
    texts: list[str]
    sums: list[float]
    best: int | None
    alternatives: tuple[Alternative, ...]
    exact: bool
    proposed: dict[str, float]  # what the prior proposes, with its sum


def _weighed(
    given: Sequence[LogProbs],
    grammar: Grammar,
    k: int,
    heard: Heard | None,
    prior: Prior | None = None,
) -> tuple[Frames, list[_Weighed]]:
    """The frames of all strips, and of each strip the k best texts and what the prior proposes."""
    whole, parts = frames_of(given, grammar)
    inks = inks_of(whole, parts, grammar)
    texts = [[] if ink.log_total == -math.inf else ink.texts(grammar, k) for ink in inks]
    names = [[text for text, _ in one] for one in texts]
    proposed: dict[int, list[str]] = {}
    if prior is not None:  # a strip with one text that counts has nothing to choose from
        asked = [at for at, its in enumerate(texts) if _in_doubt(its)]
        more = proposals_of([parts[at] for at in asked], grammar, prior)
        if grammar.field.kind == "name":
            more = [with_names(its, grammar) for its in more]
        proposed = dict(zip(asked, more, strict=True))
    # All of a strip's texts are summed at once: frames are gone through once.
    own = [isinstance(ink, StripTexts) for ink in inks]
    wanted = [
        [*(its if ours else ()), *proposed.get(at, ())]
        for at, (its, ours) in enumerate(zip(names, own, strict=True))
    ]
    labels = [[grammar.labels_of(text) for text in its] for its in wanted]
    found = []
    if heard is None:
        heard = Heard([ink.log_total for ink in inks], raw_texts(given, grammar))
    told_of = zip(inks, *heard, sums_of(parts, labels), strict=True)
    for at, (ink, log_total, raw, sums) in enumerate(told_of):
        n = len(names[at]) if own[at] else 0
        log_sums = sums[:n] if own[at] else ink.sums(names[at], grammar)
        ranked = _ranked(ink, texts[at], log_sums, grammar, k)
        told = dict(zip(proposed.get(at, ()), sums[n:], strict=True))
        found.append(_Weighed(ink, log_total, raw, *ranked, told))
    return whole, found


def with_names(texts: Sequence[str], grammar: Grammar) -> list[str]:
    """Texts, and the best of them as names are written, where they are not among them."""
    names = map(as_name, texts[:_AS_NAMES])
    return list(dict.fromkeys([*texts, *filter(grammar.accepts, names)]))


def _in_doubt(texts: Sequence[tuple[str, float]]) -> bool:
    """Whether a second text's best alignment says that it may have a share that is named."""
    return len(texts) > 1 and texts[1][1] - texts[0][1] > _FAINT


def _ranked(
    ink: StripTexts | ListTexts,
    texts: Sequence[tuple[str, float]],
    sums: Sequence[float],
    grammar: Grammar,
    k: int,
) -> tuple[list[str], list[float], int | None, tuple[Alternative, ...], bool]:
    """Texts with their sums, the place of the best, the best with their posteriors; whether none
    is missed."""
    if not texts:
        return [], [], None, (), True
    outside = outside_of(ink.frames, grammar, ink.log_total)
    whole = ink.log_total
    if outside > -math.inf:
        whole = float(np.logaddexp(whole, outside))
    shortlist, exact = Shortlist(grammar, k, ink.log_total, whole), True
    for (text, _), log_sum in zip(texts, sums, strict=True):
        shortlist.add(text, log_sum)
    if not shortlist.settled:
        more, exact = ink.holding(grammar, best=texts[0][1], k=k)
        shortlist.add_all([(one, 0.0) for one in more], ink)
    best, alternatives = shortlist.ranked()
    return shortlist.texts, shortlist.sums, best, alternatives, exact


def _favour(one: _Weighed, prior: Prior, k: int, *, name: bool) -> None:
    """Order texts anew, with those that the prior proposes and its say."""
    known = {**one.proposed, **dict(zip(one.texts, one.sums, strict=True))}
    one.texts = list(dict.fromkeys([*(text for text, _ in one.alternatives), *one.proposed]))
    one.sums = [known[text] for text in one.texts]
    sums = np.array(one.sums)
    shares = np.exp(sums - one.ink.log_total)
    scores = sums + [prior.score(text) + case_nats(text, name=name) for text in one.texts]
    weights = np.exp(scores - scores.max())
    weights *= min(1.0, float(shares.sum())) / weights.sum()
    order = (-weights).argsort(kind="stable")[:k].tolist()
    one.best = order[0]
    one.alternatives = tuple(
        Alternative(one.texts[at], float(weights[at]))
        for rank, at in enumerate(order)
        if rank == 0 or weights[at] >= LEAST_POSTERIOR
    )


def _spelled(whole: Frames, found: Sequence[_Weighed], grammar: Grammar) -> list[Decoding]:
    """Each strip's reading, with the place of every character of the best text."""
    labels, runs = [], []
    for one in found:
        said = [] if one.best is None else grammar.labels_of(one.texts[one.best])
        labels.append(said)
        runs.append([] if one.best is None else one.ink.runs(one.texts[one.best], said))
    starts = list(accumulate((one.ink.frames.n for one in found), initial=0))
    spans = _spans(whole, grammar, starts, labels, runs)
    return [
        Decoding("", -math.inf, one.log_total, (), (), one.raw)
        if one.best is None
        else Decoding(
            one.texts[one.best],
            one.sums[one.best],
            one.log_total,
            one.alternatives,
            its,
            one.raw,
            one.exact,
        )
        for one, its in zip(found, spans, strict=True)
    ]


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
    lattice = cell_lattice_of(grammar)
    raw = "".join(" " if one is None else raw_text(one, grammar) for one in log_probs).strip()
    log_total = lattice.log_total(seen)
    if log_total == -math.inf:
        return Decoding("", -math.inf, -math.inf, (), (), raw)
    cells = seen.within()
    inside = log_total if cells is seen else lattice.log_total(cells)
    whole = float(np.logaddexp(inside, outside_of(cells, grammar, inside)))
    if cells.n == 1 and not grammar.field.checksum:
        return _decode_lone(cells, whole, log_total, raw, grammar, k)
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


def _decode_lone(
    cells: Cells, whole: float, log_total: float, raw: str, grammar: Grammar, k: int
) -> Decoding:
    """The same for one cell, in which a text is a glyph: most boxes stand alone."""
    lone = cell_lattice_of(grammar).lone
    gains = cells.glyph[0].take(lone)
    order = (-gains).argsort(kind="stable")[:k]
    found = [
        (grammar.labels[label], gain)
        for label, gain in zip(lone[order].tolist(), gains[order].tolist(), strict=True)
    ]
    text, log_sum = found[0]
    alternatives = tuple(
        Alternative(one, share)
        for rank, (one, gain) in enumerate(found)
        if (share := math.exp(min(0.0, gain - whole))) >= LEAST_POSTERIOR or rank == 0
    )
    spans = tuple(Span(*one) for one in cells.spans(text))
    return Decoding(text, log_sum, log_total, alternatives, spans, raw)


def text_log_prob(
    log_probs: LogProbs | Sequence[LogProbs | None], text: str, grammar: Grammar
) -> float:
    """Log of a text's sum; -inf where the grammar does not allow it. Cells as in `decode_cells`,
    glyphs that are not allowed taken for those that are."""
    if isinstance(log_probs, np.ndarray):
        if not grammar.accepts(text):
            return -math.inf
        return text_sums(Frames(log_probs, grammar), [grammar.labels_of(text)])[0]
    if not cell_lattice_of(grammar).accepts(text):
        return -math.inf
    return Cells(log_probs, grammar).within().text_sum(text)


def grammar_log_total(log_probs: LogProbs | Sequence[LogProbs | None], grammar: Grammar) -> float:
    """Log of the grammar's total: how much of the network's belief is allowed. At most 0."""
    if isinstance(log_probs, np.ndarray):
        return grammar_log_totals([log_probs], grammar)[0]
    return cell_lattice_of(grammar).log_total(Cells(log_probs, grammar))


def grammar_log_totals(given: Sequence[LogProbs], grammar: Grammar) -> list[float]:
    """The same for many strips."""
    full = [one for one in given if len(one)]
    totals = iter(log_totals_of(full, grammar) if full else ())
    return [next(totals) if len(one) else -math.inf for one in given]


def line_spans(frames: Frames, text: str, grammar: Grammar) -> tuple[Span, ...]:
    """Each character of a text that the grammar allows, and where it stands in one strip."""
    labels = grammar.labels_of(text)
    runs = Prefix.of(frames, labels).runs(frames)
    return _spans(frames, grammar, [0, frames.n], [labels], [runs])[0]


def raw_text(log_probs: LogProbs, grammar: Grammar) -> str:
    """The network's best path, without the grammar."""
    return raw_texts([log_probs], grammar)[0]


def raw_texts(given: Sequence[LogProbs], grammar: Grammar) -> list[str]:
    """The same for many strips."""
    if not given:
        return []
    whole = given[0] if len(given) == 1 else np.concatenate(given)
    return raw_texts_within(whole, list(map(len, given)), grammar)


def raw_texts_within(whole: LogProbs, lengths: Sequence[int], grammar: Grammar) -> list[str]:
    """The same for strips of such lengths that lie end to end."""
    path, found, start = whole.argmax(axis=1).tolist(), [], 0
    for stop in accumulate(lengths):
        its = path[start:stop]
        found.append(grammar.spell([label for label, _ in groupby(its)]))
        start = stop
    return found


def _spans(
    whole: Frames,
    grammar: Grammar,
    starts: Sequence[int],
    labels: Sequence[Sequence[int]],
    runs: Sequence[Sequence[tuple[int, int]]],
) -> list[tuple[Span, ...]]:
    """Characters of some strips with their frames and probabilities.

    A character's frames reach half-way to its neighbours. There its peak is weighed against the
    peaks of all labels the grammar knows, and against these frames saying nothing at all.

    Args:
        whole: The strips' frames end to end.
        grammar: Of all of them.
        starts: The first frame of each strip in `whole`, and the end of the last.
        labels: Of each strip's text.
        runs: For each strip first and last frame (exclusive) of each label.
    """
    first: list[int] = []
    said: list[int] = []
    for start, its, of in zip(starts[:-1], labels, runs, strict=True):
        first.append(start)
        first += [start + (a[1] + b[0]) // 2 for a, b in pairwise(of)]
        said += its or [0]
    prob = whole.prob
    if len(grammar.spoken) < prob.shape[1]:
        prob = prob.take(grammar.spoken, axis=1)
    peaks = np.maximum.reduceat(prob, first, axis=0)
    nothing = np.exp(np.add.reduceat(whole.log[:, 0], first))
    total = np.add.reduce(peaks[:, 1:], axis=1) + nothing
    column = grammar.spoken.searchsorted(said)
    ours = zip(peaks[np.arange(len(said)), column].tolist(), total.tolist(), strict=True)
    shares = iter([own / all_of if all_of > 0 else 0.0 for own, all_of in ours])
    found = []
    for its, of in zip(labels, runs, strict=True):
        found.append(
            tuple(
                Span(grammar.labels[label], share, t0, t1)
                for label, share, (t0, t1) in zip(its, shares, of, strict=False)
            )
        )
        if not its:
            next(shares)
    return found
