"""The best texts whose check digit holds, found exactly: the residue is part of the automaton.

Owns:   `holding`, and what it asks of the ink: `InkTexts`.
Needs:  numpy, `grammar`, `residues`.
Words:  *worth*: log-probability of the best alignment (or layout of cells). A text *holds* where
        its check digit does.

An automaton with residues is many times the size of the field's. So it is made of those of the
field's edges alone that some text near the best one takes, and the distance grows until there are
enough texts: every text within it is there, so those that are found are the best.
"""

from __future__ import annotations

from typing import Protocol

from edge_runtime.grammar import Grammar, checksum_ok
from edge_runtime.outputs import Floats
from edge_runtime.residues import residue_of, with_residue

# Nats under the best text. A text whose best alignment is e^-14 of it has no share that counts (see
# `decode.LEAST_POSTERIOR`), even if a hundred other alignments of it are as good.
_NEAR = (4.0, 8.0, 14.0)
# Nats under the best text that holds: within them no other is missed, as its sum may be the larger.
_LEVEL = 3.0
_MOST_EDGES = 60_000  # of a product: 0.1 s for a strip of 100 frames
_MOST_TRIED = (64, 512)  # texts, where there is no automaton of the check digit, or it is not all


class InkTexts(Protocol):
    """What the ink says, by strip or by cells."""

    def texts(self, grammar: Grammar, k: int) -> list[tuple[str, float]]:
        """The k best texts of a grammar, by worth, and their worth."""

    def edge_worth(self) -> Floats:
        """float64 (edges,): no less than the worth of the best text that takes an edge."""


def holding(ink: InkTexts, grammar: Grammar, *, best: float, k: int) -> tuple[list[str], bool]:
    """The k best texts, by worth, that hold.

    Args:
        ink: What was written.
        grammar: Of a field with a check digit.
        best: Worth of the grammar's best text.
        k: Texts wanted, at most.

    Returns:
        The texts, the best first, and whether the search was finished: then none is missed that is
        worth e^-3 of the first of them and e^-14 of the grammar's best text.
    """
    name = str(grammar.field.checksum)
    if residue_of(name) is None:
        texts, all_seen = _tried(ink, grammar, k, least=best - _NEAR[-1])
        return [text for text, _ in texts], all_seen
    worth = ink.edge_worth()
    texts = []
    for near in _NEAR:
        edges = grammar.edges[worth >= best - near]
        product = with_residue(edges, grammar.accepting, grammar.labels, name, most=_MOST_EDGES)
        if product is None:
            return [text for text, _ in texts], False
        if len(product[0]) == 0:
            continue
        narrow = grammar.narrowed(*product)
        texts, all_seen = _tried(ink, narrow, k, least=best - near)
        enough = sum(one >= best - near for _, one in texts) >= k
        if not all_seen or enough or (texts and texts[0][1] - _LEVEL >= best - near):
            return [text for text, _ in texts], all_seen
    return [text for text, _ in texts], True


def _tried(
    ink: InkTexts, grammar: Grammar, k: int, *, least: float
) -> tuple[list[tuple[str, float]], bool]:
    """The k best texts that hold, among ever more; whether all down to `least` were looked at."""
    for most in (k, *_MOST_TRIED):
        found = ink.texts(grammar, most)
        kept = [one for one in found if checksum_ok(one[0], grammar.field)]
        if len(kept) >= k or len(found) < most or found[-1][1] < least:
            return kept[:k], True
    return kept, False
