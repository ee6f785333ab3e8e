"""From the network's answers to what each field's ink says: lines together, rows of cells singly.

Owns:   `Decoded` (one field, decoded), `decode_fields`.
Needs:  numpy, `alike`, `confidence`, `decode`, `grammar`, `place`, `prior`, `rows`.
Words:  *settled*: with belief in characters of one shape given to the one that is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from edge_runtime.alike import settle_alike, within
from edge_runtime.confidence import expects_words
from edge_runtime.decode import (
    Decoding,
    Heard,
    decode_all,
    decode_cells,
    favour_all,
    grammar_log_totals,
    raw_texts,
    raw_texts_within,
)
from edge_runtime.field import Field
from edge_runtime.grammar import Grammar, compile_grammar
from edge_runtime.place import FieldInk
from edge_runtime.prior import NO_PRIORS, Prior, Priors
from edge_runtime.rows import Row
from edge_runtime.strikes import CALLED, strike_share

LogProbs = NDArray[np.float32]

# A struck-out cell reads X where X may be written; the network's own view keeps a tenth of the say.
_STRUCK_SAY = 0.9
_TOGETHER = 32  # lines that are decoded together: their frames take a few megabytes


@dataclass(slots=True)
class Decoded:
    """What one field's ink says."""

    ink: FieldInk
    frames: Sequence[LogProbs]  # of `ink.filled`
    grammar: Grammar
    decoding: Decoding
    said: str  # what the network says without the grammar; a space for an empty cell
    row: Row | None = None  # of a row of cells that was heard as a line, too
    prior: str = ""  # its name, where it had a say


def decode_fields(
    inks: Sequence[FieldInk],
    frames: Sequence[Sequence[LogProbs]],
    labels: tuple[str, ...],
    *,
    priors: Priors = NO_PRIORS,
) -> list[Decoded]:
    """Decode fields, each to the last bit as if it were alone.

    Args:
        inks: With ink, and no marks.
        frames: For each field the network's answer to each of `ink.asked`, float32 (t, n_labels).
        labels: Of the network.
        priors: For free text and names.
    """
    found: list[Decoded | None] = [None] * len(inks)
    grammars: dict[Field, Grammar] = {}
    lines: dict[tuple[Grammar, Prior | None], list[int]] = {}
    for at, (ink, its) in enumerate(zip(inks, frames, strict=True)):
        grammar = grammars.get(ink.field)
        if grammar is None:
            grammar = grammars[ink.field] = compile_grammar(ink.field, labels)
        prior = priors.of(ink.field.kind) if expects_words(ink.field) else None
        if ink.field.cells is None:
            lines.setdefault((grammar, prior), []).append(at)
        else:
            found[at] = _decode_cells(ink, its, grammar, prior)
    for (grammar, prior), group in lines.items():
        for start in range(0, len(group), _TOGETHER):
            part = group[start : start + _TOGETHER]
            given = [frames[at][0] for at in part]
            decodings, said = _decode_lines(given, grammar, prior)
            for at, decoding, raw in zip(part, decodings, said, strict=True):
                name = prior.name if prior is not None else ""
                found[at] = Decoded(inks[at], frames[at][:1], grammar, decoding, raw, prior=name)
    return [one for one in found if one is not None]


def _decode_lines(
    given: Sequence[LogProbs], grammar: Grammar, prior: Prior | None
) -> tuple[list[Decoding], list[str]]:
    """The best texts among what the field allows; total and raw text are of the settled frames. And
    what the network says without the grammar."""
    whole, lengths = given[0] if len(given) == 1 else np.concatenate(given), list(map(len, given))
    settled = settle_alike(whole, grammar)
    inside = within(settled, grammar)
    strips = _parted(inside, given)
    heard = None
    if inside is not settled:  # belief was moved
        before = _parted(settled, given)
        heard = Heard(
            grammar_log_totals(before, grammar), raw_texts_within(settled, lengths, grammar)
        )
    if prior is None:
        found = decode_all(strips, grammar, heard=heard)
    else:
        found = favour_all(strips, grammar, prior, heard=heard)
    own = settled is whole
    said = [one.raw_text for one in found] if own else raw_texts_within(whole, lengths, grammar)
    return found, [text.strip() for text in said]


def _parted(whole: LogProbs, like: Sequence[LogProbs]) -> list[LogProbs]:
    """Frames that lie end to end, strip by strip."""
    if len(like) == 1:
        return [whole]
    ends = accumulate(map(len, like), initial=0)
    return [whole[start:stop] for start, stop in pairwise(ends)]


def inside_line(frames: LogProbs, grammar: Grammar) -> LogProbs:
    """A line's frames as they are decoded.

    Those of cells are taken as they are: a cell has one glyph or none, so nothing can be dropped
    there between two others, and with as much belief in one shape as in another the grammar decides
    well alone (docs/decisions.md).
    """
    return within(settle_alike(frames, grammar), grammar)


def _decode_cells(
    ink: FieldInk, frames: Sequence[LogProbs], grammar: Grammar, prior: Prior | None
) -> Decoded:
    own = frames[: len(ink.filled)]
    cells = cell_frames(ink, own, grammar)
    leant = any(_read_as_x(ink, grammar))
    # Where an X strikes a cell out, only the cells know of it.
    if ink.line is None or leant:
        decoding = decode_cells(cells, grammar)
        as_given = not leant and not any(ink.dashes)
        said = decoding.raw_text if as_given else _said(ink, own, grammar)
        return Decoded(ink, own, grammar, decoding, said)
    said = _said(ink, own, grammar)
    row = Row(cells, frames[-1], grammar, prior=prior)
    name = prior.name if prior else ""
    return Decoded(ink, own, grammar, row.decoding(), said, row, prior=name)


def cell_frames(
    ink: FieldInk, frames: Sequence[LogProbs], grammar: Grammar
) -> list[LogProbs | None]:
    """Each cell's frames, None for an empty one; a struck cell leans to X where X may stand."""
    left = iter(frames)
    cells = [None if strip is None else next(left) for strip in ink.strips]
    cells = [
        one if one is None or not dash else _dash(one, dash, grammar)
        for one, dash in zip(cells, ink.dashes or ("",) * len(cells), strict=True)
    ]
    as_x = _read_as_x(ink, grammar)
    if not any(as_x):
        return cells
    at = grammar.labels.index("X")
    return [
        _lean(one, at) if one is not None and struck else one
        for one, struck in zip(cells, as_x, strict=True)
    ]


@lru_cache(maxsize=256)
def x_strikes(grammar: Grammar) -> bool:
    """Whether an X surely says that a cell was struck out: where it is the one letter allowed."""
    return {char for char in grammar.readable if char.isalpha()} == {"X"}


def _read_as_x(ink: FieldInk, grammar: Grammar) -> tuple[bool, ...]:
    """Which cells read X because they are struck out: where the field's own charset names X.

    Among other letters a bold glyph passes for a scribble too easily, so there the measures of
    struck-out ink have to say so as well; and the field goes to review.
    """
    if not any(ink.struck) or x_strikes(grammar):
        return ink.struck
    if "X" not in (ink.field.charset or ""):
        return (False,) * len(ink.struck)
    bounds = ink.bounds or (None,) * len(ink.inks)
    return tuple(
        struck and strike_share(one.pixels, cell=True, box=box) >= CALLED["cell"]
        for one, struck, box in zip(ink.inks, ink.struck, bounds, strict=True)
    )


def _said(ink: FieldInk, frames: Sequence[LogProbs], grammar: Grammar) -> str:
    left = iter(raw_texts(frames, grammar))
    return "".join(" " if strip is None else next(left) for strip in ink.strips).strip()


def _dash(frames: LogProbs, dash: str, grammar: Grammar) -> LogProbs:
    """A flat stroke's frames: on the line it is an underscore, above it a dash."""
    this, that = (grammar.labels.index(char) for char in (dash, "_" if dash == "-" else "-"))
    out = frames.copy()
    out[:, this] = np.logaddexp(frames[:, this], frames[:, that])
    out[:, that] = np.log(np.float32(1e-30))
    return out


def _lean(frames: LogProbs, label: int) -> LogProbs:
    said = (1 - _STRUCK_SAY) * np.exp(frames)
    said[:, label] += _STRUCK_SAY
    return np.log(np.maximum(said, np.float32(1e-30)))
