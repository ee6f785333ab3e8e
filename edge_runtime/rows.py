"""A row of cells heard twice: cell by cell, and as one line with all that is printed left in it.

Owns:   `Row` (what both say together), `line_field`.
Needs:  numpy, `grammar`, `decode`, `cells`, `search`, `alike`, `casing`, `prior_search`.
Words:  *hearing*: one of the two. Cells go wrong where their borders are not found or cut through
        ink; the line goes wrong where a border looks like a glyph. They seldom do so together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_runtime.alike import settle_alike, within
from edge_runtime.casing import case_nats
from edge_runtime.cells import Cells, cell_lattice_of
from edge_runtime.decode import (
    Decoding,
    Span,
    decode,
    decode_cells,
    line_spans,
    with_names,
)
from edge_runtime.field import Field
from edge_runtime.grammar import Grammar, checksum_ok, compile_grammar, preset
from edge_runtime.outputs import Floats, Frames
from edge_runtime.prior import Prior
from edge_runtime.prior_search import proposals
from edge_runtime.results import Alternative
from edge_runtime.shortlist import LEAST_POSTERIOR
from edge_runtime.sums import text_sums

LogProbs = NDArray[np.float32]

# How much a hearing counts, and the least share it may give a text: it may be wrong altogether.
# The likeliest on rows by tuning writers (docs/decisions.md).
_CELLS_SAY, _LEAST_BY_CELLS = 0.7, -8.0
_LINE_SAYS, _LEAST_BY_LINE = 1.0, -12.0
_AMONG = 10  # best texts of each hearing


@lru_cache(maxsize=1024)
def line_field(field: Field) -> Field:
    """The field of a row, read as one line."""
    return replace(field, cells=None, max_length=preset(field).max_length)


class Row:
    """What a row of cells says.

    Args:
        cells: For each cell float32 (t, n_labels); None for a cell without ink.
        line: float32 (t, n_labels) of the whole row.
        grammar: Of the field, with its cells.
        prior: On what people write, where words are expected.
    """

    def __init__(
        self,
        cells: Sequence[LogProbs | None],
        line: LogProbs,
        grammar: Grammar,
        *,
        prior: Prior | None = None,
    ) -> None:
        self._grammar, self._prior = grammar, prior
        self._as_line = compile_grammar(line_field(grammar.field), grammar.labels)
        line = within(settle_alike(line, self._as_line), self._as_line)
        self._frames = Frames(line, self._as_line)
        self._cells, self._lattice = Cells(cells, grammar).within(), cell_lattice_of(grammar)
        self._by_cells = decode_cells(cells, grammar, k=_AMONG)
        self._by_line = decode(line, self._as_line, k=_AMONG)
        found = [text for one in self._hearings for text, _ in one.alternatives]
        if prior and found:
            found += proposals(self._frames, self._as_line, prior)
            if self._is_name:
                found = with_names(found, self._as_line)
        if prior and any(one is None for one in cells):  # figures and codes seldom have gaps
            laid = (_laid_out(text, cells) for text in list(found))
            found += [text for text in laid if self._lattice.accepts(text)]
        self._texts = list(dict.fromkeys(found))
        self._scores = self.scores(self._texts)
        top = self._scores.max(initial=-np.inf)
        self._whole = top + math.log(np.exp(self._scores - top).sum()) if self._texts else 0.0
        heard = [sum(share for _, share in one.alternatives) for one in self._hearings]
        self._whole -= math.log(min(1.0, max(heard))) if self._texts else 0.0

    @property
    def _is_name(self) -> bool:
        return self._grammar.field.kind == "name"

    @property
    def _hearings(self) -> tuple[Decoding, Decoding]:
        return self._by_cells, self._by_line

    def scores(self, texts: Sequence[str]) -> Floats:
        """Logs of how well texts fit both hearings and the prior, up to a constant of the row; -inf
        where neither hearing allows a text."""
        by_cells = np.full(len(texts), -np.inf)
        held = [at for at, text in enumerate(texts) if self._lattice.accepts(text)]
        sums = self._cells.text_sums([texts[at] for at in held])
        by_cells[held] = np.array(sums) - _whole(self._by_cells)
        # Cells left empty are spaces among cells, and may be one or none to the eye.
        ways = [
            (at, one)
            for at, text in enumerate(texts)
            for one in dict.fromkeys([text, _single(text), _bare(text)])
            if one and self._as_line.accepts(one)
        ]
        by_line = np.full(len(texts), -np.inf)
        labels = [self._as_line.labels_of(one) for _, one in ways]
        for (at, _), log_sum in zip(ways, text_sums(self._frames, labels), strict=True):
            by_line[at] = np.logaddexp(by_line[at], log_sum - _whole(self._by_line))
        heard = _CELLS_SAY * np.logaddexp(np.minimum(by_cells, 0.0), _LEAST_BY_CELLS)
        heard += _LINE_SAYS * np.logaddexp(np.minimum(by_line, 0.0), _LEAST_BY_LINE)
        if self._prior:
            name = self._is_name
            # How many cells are left empty between two words is no matter of language.
            words = [_single(text) for text in texts]
            heard += [self._prior.score(text) + case_nats(text, name=name) for text in words]
        return np.where(np.isneginf(by_cells) & np.isneginf(by_line), -np.inf, heard)

    def share(self, text: str) -> float:
        """The text's posterior, 0..1."""
        return math.exp(min(0.0, float(self.scores([text])[0]) - self._whole))

    def log_prob(self, text: str) -> float:
        """Log of a text's sum in the cells, which are never believed to know all."""
        return float(
            np.logaddexp(self._by_cells_alone(text), _whole(self._by_cells) + _LEAST_BY_CELLS)
        )

    def spans(self, text: str) -> tuple[Span, ...]:
        """A text's characters in the cells where they can hold it, else in the line."""
        if self._by_cells_alone(text) > -math.inf:
            return tuple(Span(*one) for one in self._cells.spans(text))
        said = text if self._as_line.accepts(text) else _bare(text)
        return line_spans(self._frames, said, self._as_line)

    def _by_cells_alone(self, text: str) -> float:
        return self._cells.text_sum(text) if self._lattice.accepts(text) else -math.inf

    def decoding(self, *, k: int = 5) -> Decoding:
        """The best texts of both hearings by what both say of them.

        Spans are of the cells where they can hold the text, else of the line (`cell` is None then).
        The total is the cells'. `raw_text` is of the hearing that disagrees, if one does.
        """
        cells, line = self._hearings
        if not self._texts:
            return cells
        order = np.argsort(-self._scores, kind="stable").tolist()
        best = self._best(order)
        order = [best, *(at for at in order if at != best)]
        shares = np.exp(np.minimum(0.0, self._scores - self._whole)).tolist()
        text = self._texts[best]
        agrees = _bare(cells.raw_text) == _bare(text)
        return Decoding(
            text,
            self.log_prob(text),
            cells.log_total,
            tuple(
                Alternative(self._texts[at], shares[at])
                for rank, at in enumerate(order[:k])
                if rank == 0 or shares[at] >= LEAST_POSTERIOR
            ),
            self.spans(text),
            line.raw_text if agrees else cells.raw_text,
            cells.exact and line.exact,
        )

    def _best(self, order: Sequence[int]) -> int:
        """The text to read: the best whose check digit holds, unless it is far behind."""
        field = self._grammar.field
        if not field.checksum:
            return order[0]
        least = self._scores[order[0]] + math.log(LEAST_POSTERIOR)
        holding = (at for at in order if checksum_ok(self._texts[at], field) is not False)
        at = next(holding, order[0])
        return at if self._scores[at] >= least else order[0]


def _whole(one: Decoding) -> float:
    """Log of what a hearing's posteriors are shares of."""
    share = next((share for text, share in one.alternatives if text == one.text), 0.0)
    return one.log_prob - math.log(share) if share > 0 else 0.0


def _laid_out(text: str, cells: Sequence[LogProbs | None]) -> str:
    """A text as the row's cells have it: spaces where cells are empty and nowhere else. The text
    itself where it has other than a character for each filled cell."""
    chars = [char for char in text if char != " "]
    filled = [one is not None for one in cells]
    if len(chars) != sum(filled):
        return text
    left = iter(chars)
    return "".join(next(left) if full else " " for full in filled).strip()


def _single(text: str) -> str:
    return re.sub("  +", " ", text) if "  " in text else text


def _bare(text: str) -> str:
    return text.replace(" ", "")
