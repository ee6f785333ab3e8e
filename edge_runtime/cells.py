"""Boxed fields: one network output a cell, one glyph or none in each, under the field's automaton.

Owns:   `Cells` (what each cell may say, and texts' sums), `CellLattice` (totals), `k_best_cells`.
Needs:  numpy, `grammar`, `lattice` for its number formats.
Words:  A cell says *a glyph*, *a mark* (skip marks alone, no glyph) or *nothing*. A *layout* says
        that of each cell; several layouts may give one text.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.grammar import Grammar
from edge_runtime.lattice import segments
from edge_runtime.outputs import FLOOR, Floats, Ints
from edge_runtime.sums import SCALED_LEAST

_LEAST_LOST = math.log(1e-3)  # belief in glyphs that are not allowed: less decides nothing
_MOST_LAYOUTS = 512  # complete layouts looked at; several share a text only where ink is doubtful

# How a row may stand after some cells: nothing yet, a glyph last, a gap that a glyph must end, or
# the text is over. Told apart, each layout is counted once.
_BEGIN, _INSIDE, _GAP, _OVER = range(4)


class Cells:
    """What each cell says, summed over all its alignments.

    `glyph` float64 (cells, n_labels), `mark` and `nothing` float64 (cells,): log-probabilities;
    `still` is mark or nothing. A space in a cell is no glyph: a cell of spaces says nothing.
    """

    glyph: Floats
    mark: Floats
    nothing: Floats
    still: Floats

    def __init__(self, log_probs: Sequence[NDArray[np.floating] | None], grammar: Grammar) -> None:
        n, n_labels = len(log_probs), len(grammar.labels)
        self._grammar = grammar
        self.n = n
        self.glyph, self.mark = np.empty((n, n_labels)), np.empty(n)
        self.nothing = np.zeros(n)
        self.glyph.fill(-np.inf)
        self.mark.fill(-np.inf)
        quiet, hush = grammar.quiet, grammar.hush
        skipping = len(quiet) > len(hush)
        for at, one in enumerate(log_probs):
            if one is None or len(one) == 0:
                continue
            log = np.maximum(one, FLOOR, dtype=np.float64)
            off = np.logaddexp.reduce(log.take(quiet, axis=1), axis=1)
            silence = float(np.add.reduce(off))
            # Between frames, how much likelier a label is than silence so far: an interval's sum is
            # a difference of two of these.
            rise = np.zeros((len(log) + 1, n_labels))
            np.add.accumulate(log - off[:, None], axis=0, out=rise[1:])
            begin = np.logaddexp.accumulate(-rise[:-1], axis=0)
            begin += rise[1:]
            self.glyph[at] = np.logaddexp.reduce(begin, axis=0) + silence
            if not skipping:  # all that is quiet is hushed
                self.nothing[at] = silence
                continue
            hushed = np.logaddexp.reduce(log.take(hush, axis=1), axis=1)
            self.nothing[at] = nothing = float(np.add.reduce(hushed))
            rest = nothing - silence  # of silence, the part without marks
            if rest < 0:
                self.mark[at] = silence + math.log(-math.expm1(rest))
        np.minimum(self.glyph, 0.0, out=self.glyph)
        self.glyph[:, quiet] = -np.inf
        self.still = np.logaddexp(self.mark, self.nothing)

    def within(self) -> Cells:
        """The same, where a glyph that is not allowed stays a glyph: one of those that are.

        Else a letter in a cell of digits would rather be nothing than the digit it may be. Whether
        a cell holds a glyph is decided with all of them; the mass of what is allowed stays what it
        was, and is shared out anew: nothing, a mark and the allowed glyphs, which take over from
        the others in proportion. Glyphs that are not allowed and hold less than `_LEAST_LOST`
        change nothing.
        """
        used = self._grammar.used
        if self._grammar.texts is not None:  # unlisted texts are weighed too
            used = used | self._grammar.allowed
        allowed = np.logaddexp.reduce(self.glyph[:, used], axis=1, initial=-np.inf)
        lost = np.logaddexp.reduce(self.glyph[:, ~used], axis=1, initial=-np.inf)
        moved = (lost >= _LEAST_LOST) & (allowed > -np.inf)
        if not moved.any():
            return self
        any_glyph = np.logaddexp(allowed[moved], lost[moved])
        still = self.still[moved]
        shrunk = np.logaddexp(still, allowed[moved]) - np.logaddexp(still, any_glyph)
        found = Cells.__new__(Cells)
        found.__dict__.update(self.__dict__)
        found.glyph, found.mark = self.glyph.copy(), self.mark.copy()
        found.nothing, found.still = self.nothing.copy(), self.still.copy()
        for one in (found.mark, found.nothing, found.still):
            one[moved] += shrunk
        found.glyph[moved] += (any_glyph - allowed[moved] + shrunk)[:, None]
        found.glyph[:, ~used] = np.where(moved[:, None], -np.inf, self.glyph[:, ~used])
        return found

    def _chars(self, text: str) -> list[int]:
        """Labels of a text's characters; 0 for a space, which no cell holds as a glyph."""
        return [0 if char == " " else self._grammar.labels_of(char)[0] for char in text]

    def _table(self, text: str) -> tuple[Floats, list[Floats]]:
        """Maxima over layouts: row i, column j: the first i cells give j characters."""
        labels = self._chars(text)
        m = len(labels)
        gap = np.array([label == 0 for label in labels], np.bool_)
        table = np.full((self.n + 1, m + 1), -np.inf)
        table[0, 0] = 0
        stays = []
        for at in range(self.n):
            said = np.where(gap, self.nothing[at], self.glyph[at, labels])
            stay = np.full(m + 1, self.mark[at])
            stay[[0, m]] = self.still[at]
            stays.append(stay)
            table[at + 1] = table[at] + stay
            table[at + 1, 1:] = np.maximum(table[at + 1, 1:], table[at, :-1] + said)
        return table, stays

    def log_free(self, allowed: NDArray[np.bool_]) -> float:
        """Log of the mass of all layouts with glyphs of some labels, none at all too."""
        glyphs = np.logaddexp.reduce(self.glyph[:, allowed], axis=1, initial=-np.inf)
        return float(np.logaddexp(glyphs, self.still).sum())

    def text_sum(self, text: str) -> float:
        """Log of the probability of a text over all its layouts."""
        return self.text_sums([text])[0]

    def text_sums(self, texts: Sequence[str]) -> list[float]:
        """The same for many texts, each as if it were alone."""
        spelled = list(map(self._chars, texts))
        if self.n == 1 and all(len(one) == 1 for one in spelled):  # the table would say the same
            nothing, glyph = float(self.nothing[0]), self.glyph[0]
            return [float(glyph[label]) if label else nothing for (label,) in spelled]
        shape = len(texts), max(map(len, spelled), default=0)
        labels = np.zeros(shape, np.intp)
        ends = np.zeros((shape[0], shape[1] + 1), np.bool_)  # before the text and after it
        ends[:, 0] = True
        for at, one in enumerate(spelled):
            labels[at, : len(one)] = one
            ends[at, len(one)] = True
        said = np.where(labels == 0, self.nothing[:, None, None], self.glyph[:, labels])
        stay = np.where(ends, self.still[:, None, None], self.mark[:, None, None])
        table = np.full(ends.shape, -np.inf)  # text, character: the cells so far give so many
        table[:, 0] = 0
        for at in range(self.n):
            entered = table[:, :-1] + said[at]
            table = table + stay[at]
            np.logaddexp(table[:, 1:], entered, out=table[:, 1:])
        return [row[len(one)] for row, one in zip(table.tolist(), spelled, strict=True)]

    def spans(self, text: str) -> list[tuple[str, float, int, int, int]]:
        """(char, probability, 0, 0, cell) of each character, in the best layout: a `Span`."""
        if self.n == 1 and len(text) == 1:
            return [self._span(text, self._chars(text)[0], 0)]
        table, stays = self._table(text)
        labels = self._chars(text)
        found = []
        j = len(labels)
        for at in range(self.n - 1, -1, -1):
            if j == 0 or table[at + 1, j] == table[at, j] + stays[at][j]:
                continue
            j -= 1
            found.append(self._span(text[j], labels[j], at))
        return found[::-1]

    def _span(self, char: str, label: int, cell: int) -> tuple[str, float, int, int, int]:
        glyphs = np.logaddexp.reduce(self.glyph[cell, self._grammar.used])
        whole = np.logaddexp(glyphs, self.still[cell])
        own = self.nothing[cell] if label == 0 else self.glyph[cell, label]
        return char, math.exp(min(0.0, own - whole)), 0, 0, cell


class CellLattice:
    """How a row of cells goes through the automaton."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.tail, self.label, self.head = grammar.edges.T.astype(np.intp)
        self.after_space = np.arange(grammar.n_states)
        self._is_glyph = np.ones(len(grammar.edges), np.bool_)
        if " " in grammar.labels:
            spaces = self.label == grammar.labels.index(" ")
            self.after_space[self.tail[spaces]] = self.head[spaces]
            keep = ~spaces
            self.tail, self.label, self.head = self.tail[keep], self.label[keep], self.head[keep]
            self._is_glyph = keep

    @cached_property
    def lone(self) -> Ints:
        """The glyphs that are a whole text, ascending."""
        ends = (self.tail == 0) & self.grammar.accepting[self.head]
        found: Ints = self.label[ends]
        return found

    @cached_property
    def _from(self) -> tuple[Ints, Ints]:
        """Where the edges of each state begin, and which states have some."""
        return segments(self.tail)

    @cached_property
    def _ways(self) -> dict[tuple[int, int], int]:
        return {(int(q), int(label)): int(to) for q, label, to in self.grammar.edges}

    def accepts(self, text: str) -> bool:
        """Whether some layout of cells may give this text."""
        state, ways = 0, self._ways
        for char in text:
            if char == " ":
                state = int(self.after_space[state])
                continue
            state = ways.get((state, self.grammar.labels_of(char)[0]), -1)
            if state < 0:
                return False
        return text == text.strip() != "" and bool(self.grammar.accepting[state])

    def log_total(self, cells: Cells) -> float:
        """Log of the mass of all layouts that give an allowed text."""
        if cells.n == 1:
            glyphs = cells.glyph[0].take(self.lone)
            return min(0.0, float(np.logaddexp.reduce(glyphs, initial=-np.inf)))
        total = self._log_total(cells, _scattered)
        return total if total > SCALED_LEAST else self._log_total(cells, _scattered_logs)

    def _log_total(self, cells: Cells, scattered: Callable[[Floats, Ints, int], Floats]) -> float:
        n, accepting = self.grammar.n_states, self.grammar.accepting
        begin, over = 0.0, -math.inf
        inside, gap = np.full(n, -np.inf), np.full(n, -np.inf)
        for at in range(cells.n):
            mark, nothing, still = cells.mark[at], cells.nothing[at], cells.still[at]
            before = np.logaddexp(inside, gap)
            source = before.copy()
            source[0] = np.logaddexp(source[0], begin)
            ended = np.logaddexp.reduce(inside[accepting], initial=-np.inf)
            over = float(np.logaddexp(over + still, ended + nothing))
            begin += float(still)
            gap = np.logaddexp(gap + mark, scattered(before + nothing, self.after_space, n))
            said = source[self.tail] + cells.glyph[at, self.label]
            inside = np.logaddexp(inside + mark, scattered(said, self.head, n))
        ended = np.logaddexp.reduce(inside[accepting], initial=-np.inf)
        return min(0.0, float(np.logaddexp(over, ended)))

    def best_ahead(self, cells: Cells) -> Floats:
        """float64 (cells + 1, 4, states): the best that cells still to come can add, by stand."""
        n, accepting = self.grammar.n_states, self.grammar.accepting
        ahead = np.full((cells.n + 1, 4, n), -np.inf)
        ahead[-1, _OVER] = 0
        ahead[-1, _INSIDE, accepting] = 0
        first, state = self._from
        for at in range(cells.n - 1, -1, -1):
            later, now = ahead[at + 1], ahead[at]
            glyph = np.full(n, -np.inf)
            said = later[_INSIDE, self.head] + cells.glyph[at, self.label]
            glyph[state] = np.maximum.reduceat(said, first)
            mark = cells.mark[at]
            onward = np.maximum(glyph, later[_GAP, self.after_space] + cells.nothing[at])
            ending = np.where(accepting, later[_OVER] + cells.nothing[at], -np.inf)
            now[_OVER] = later[_OVER] + cells.still[at]
            now[_BEGIN] = np.maximum(later[_BEGIN] + cells.still[at], glyph)
            now[_GAP] = np.maximum(later[_GAP] + mark, onward)
            now[_INSIDE] = np.maximum(np.maximum(later[_INSIDE] + mark, onward), ending)
        return ahead

    def edge_worth(self, cells: Cells) -> Floats:
        """float64 (edges,): worth of the best layout that takes an edge of the grammar.

        Edges of spaces are worth anything: a space is a cell with nothing in it.
        """
        n, ahead = self.grammar.n_states, self.best_ahead(cells)
        begin = 0.0
        inside, gap = np.full(n, -np.inf), np.full(n, -np.inf)
        worth = np.full(len(self.tail), -np.inf)
        for at in range(cells.n):
            mark, nothing, still = cells.mark[at], cells.nothing[at], cells.still[at]
            before = np.maximum(inside, gap)
            source = before.copy()
            source[0] = max(source[0], begin)
            said = source[self.tail] + cells.glyph[at, self.label]
            worth = np.maximum(worth, said + ahead[at + 1, _INSIDE, self.head])
            begin += float(still)
            inside, gap = inside + mark, gap + mark
            np.maximum.at(gap, self.after_space, before + nothing)
            np.maximum.at(inside, self.head, said)
        found = np.full(len(self._is_glyph), np.inf)
        found[self._is_glyph] = worth
        return found


@lru_cache(maxsize=256)
def cell_lattice_of(grammar: Grammar) -> CellLattice:
    """The grammar's lattice of cells, made once."""
    return CellLattice(grammar)


def _scattered(values: Floats, index: Ints, n: int) -> Floats:
    """Log sums of `values` by `index`; what is e^-700 under the largest is lost."""
    top = float(values.max(initial=-np.inf))
    if top == -math.inf:
        return np.full(n, -np.inf)
    sums = np.bincount(index, np.exp(values - top), minlength=n)
    return np.log(sums, out=np.full(n, -np.inf), where=sums > 0) + top


def _scattered_logs(values: Floats, index: Ints, n: int) -> Floats:
    out = np.full(n, -np.inf)
    np.logaddexp.at(out, index, values)
    return out


class _Step(NamedTuple):
    """What one cell may say next, and how the row stands after it."""

    worth: float  # of this cell and the best of those to come
    gain: float  # of this cell
    stand: int
    state: int
    char: str


def k_best_cells(
    cells: Cells, lattice: CellLattice, *, k: int, add: Callable[[str, float], bool]
) -> bool:
    """Distinct texts, the one with the best layout first, each once, until `add` says enough.

    Best-first over layouts, with what lies ahead known exactly.

    Args:
        cells: What each cell says.
        lattice: Of the grammar.
        k: Texts that may be asked for.
        add: Takes a text and the log of its best layout; true where no further text is wanted.

    Returns:
        Whether the search was finished rather than cut off.
    """
    steps = _Steps(cells, lattice, k)
    order = count()
    heap: list[tuple[float, int, float, int, str, list[_Step], int]] = []

    def push(score: float, at: int, text: str, ways: list[_Step], rank: int) -> None:
        if rank < len(ways) and ways[rank].worth > -math.inf:
            worth = score + ways[rank].worth
            heapq.heappush(heap, (-worth, next(order), score, at, text, ways, rank))

    push(0.0, 0, "", steps.of(0, _BEGIN, 0), 0)
    seen: set[str] = set()
    layouts = 0
    while heap:
        _, _, score, at, text, ways, rank = heapq.heappop(heap)
        push(score, at, text, ways, rank + 1)
        step = ways[rank]
        text += step.char
        if at + 1 < cells.n:
            push(score + step.gain, at + 1, text, steps.of(at + 1, step.stand, step.state), 0)
            continue
        layouts += 1
        if text not in seen:
            seen.add(text)
            if add(text, score + step.gain):
                return True
        if layouts == _MOST_LAYOUTS:
            return False
    return True


class _Steps:
    """What each cell may say, best first, made once for a cell, a stand and a state."""

    def __init__(self, cells: Cells, lattice: CellLattice, k: int) -> None:
        self._cells, self._lattice, self._k = cells, lattice, k
        self._ahead = lattice.best_ahead(cells)
        self._first = np.searchsorted(lattice.tail, np.arange(lattice.grammar.n_states + 1))
        self._made: dict[tuple[int, int, int], list[_Step]] = {}

    def of(self, at: int, stand: int, state: int) -> list[_Step]:
        key = (at, stand, state)
        if key not in self._made:
            quiet = (_Step(gain + float(self._ahead[at + 1, to, q]), gain, to, q, char)
                     for gain, to, q, char in self._quiet(at, stand, state))  # fmt: skip
            glyphs = () if stand == _OVER else self._glyphs(at, state)
            self._made[key] = sorted((*quiet, *glyphs), key=lambda step: -step.worth)
        return self._made[key]

    def _quiet(self, at: int, stand: int, state: int) -> list[tuple[float, int, int, str]]:
        mark, nothing = float(self._cells.mark[at]), float(self._cells.nothing[at])
        if stand in (_BEGIN, _OVER):
            return [(float(self._cells.still[at]), stand, state, "")]
        ways = [(mark, stand, state, "")]
        ways.append((nothing, _GAP, int(self._lattice.after_space[state]), " "))
        if stand == _INSIDE and self._lattice.grammar.accepting[state]:
            ways.append((nothing, _OVER, state, ""))
        return ways

    def _glyphs(self, at: int, state: int) -> list[_Step]:
        """The k best glyphs: they make k texts that differ here, better than any with another."""
        edges = slice(*self._first[state : state + 2].tolist())
        label, head = self._lattice.label[edges], self._lattice.head[edges]
        gain = self._cells.glyph[at, label]
        worth = gain + self._ahead[at + 1, _INSIDE, head]
        labels = self._lattice.grammar.labels
        return [
            _Step(float(worth[i]), float(gain[i]), _INSIDE, int(head[i]), labels[label[i]])
            for i in np.argsort(-worth, kind="stable")[: self._k]
        ]
