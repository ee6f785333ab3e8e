"""A back-off n-gram prior as two tables: what a character costs after a context, what comes next.

Owns:   `PriorTables`, its `read` from a prior's packed lines.
Needs:  numpy.
Words:  *context*: the last characters of a text, as many as the prior knows. *column*: of a
        character, folded as the prior has it; two more are for what it does not know, and for a
        hyphen where text grows step by step.
Source: back-off as Katz 1987 has it: a context's row is that of its own last characters and what
        backing off costs, but where it has seen the character itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

START, END = "\x02", "\x03"
NO_COST = 255  # of a gram that is no context
NEVER = 96  # of a character that no word held, in the prior's units
_PRINTED = "".join(dict.fromkeys("".join(map(chr, range(32, 127))).lower()))
CHARS = START + END + "".join(char for char in _PRINTED if char not in "123456789")
UNKNOWN, JOINED = len(CHARS), len(CHARS) + 1  # columns
SHIFT = 6
WIDTH = 1 << SHIFT  # of a row; so that a place in the tables is the context's number and a column

Ints = NDArray[np.int64]
_COLUMN = np.full(256, UNKNOWN, np.int64)
_COLUMN[np.frombuffer(CHARS.encode(), np.uint8)] = np.arange(len(CHARS))
_LETTERS = _COLUMN[np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", np.uint8)]


# What `str.encode` makes of printed ASCII, case and digits folded, to columns.
COLUMNS = bytes(_COLUMN[ord(chr(code).lower() if not chr(code).isdigit() else "0")]
                if code < 128 else UNKNOWN for code in range(256))  # fmt: skip


def column_of(char: str) -> int:
    """Of a folded character."""
    return int(_COLUMN[ord(char)]) if len(char) == 1 and ord(char) < 256 else UNKNOWN


@dataclass(frozen=True, eq=False)
class PriorTables:
    """Contexts by number; the one without any characters is 0.

    Args:
        costs: int16 (contexts, WIDTH), minus the log-probability of a character, in the prior's
            units.
        after: int (contexts, WIDTH), the context after it.
        start: The context of a text's first character.
    """

    costs: NDArray[np.int16]
    after: NDArray[np.uint16] | NDArray[np.uint32]
    start: int

    @cached_property
    def flat(self) -> tuple[memoryview, memoryview]:
        """Costs and contexts at `(context << SHIFT) + column`: one number at a time these are read
        several times as fast as arrays."""
        return self.costs.reshape(-1).data, self.after.reshape(-1).data

    @staticmethod
    def read(lines: bytes, values: bytes, costs: bytes, order: int) -> PriorTables:
        """Tables of a prior's grams.

        Args:
            lines: The grams, ASCII, a newline between two.
            values: Of each gram, minus its log-probability.
            costs: Of each, minus what backing off from it costs, or `NO_COST`.
            order: Characters of a gram, at most.
        """
        grams = _by_length(lines, values, costs, order)
        known = _contexts(grams, order)
        first = np.cumsum([0, *map(len, known)])
        n_contexts = int(first[-1])
        table = np.empty((n_contexts, WIDTH), np.int16)
        after = np.empty((n_contexts, WIDTH), np.uint16 if n_contexts < 1 << 16 else np.uint32)
        table[0], after[0] = NEVER, 0
        for n, own in enumerate(known):
            if n:  # as after fewer characters, but for what is set below
                rows = slice(first[n], first[n + 1])
                shorter = _longest(own % WIDTH ** (n - 1), n - 1, known, first)
                for one in (table, after):
                    np.take(one, shorter, axis=0, out=one[rows], mode="clip")  # no copy between
                at, there = _found(_code(grams[n].columns), own)
                off = np.where(grams[n].cost == NO_COST, 0, grams[n].cost)
                table[first[n] + at[there]] += off[there, None]
            seen = grams[n + 1]
            at, there = _found(_code(seen.columns[:, :-1]), own)
            table[first[n] + at[there], seen.columns[there, -1]] = seen.value[there]
            if n + 1 < order:
                longer = known[n + 1]
                at, there = _found(longer // WIDTH, own)
                after[first[n] + at[there], longer[there] % WIDTH] = (
                    first[n + 1] + there.nonzero()[0]
                )
        # Between letters a hyphen counts as a space; of a text that grows, already after a letter.
        hyphen, space = column_of("-"), column_of(" ")
        last = np.concatenate([own % WIDTH if n else [-1] for n, own in enumerate(known)])
        letter = np.isin(last, _LETTERS)
        for one in (table, after):
            one[:, JOINED] = np.where(letter, one[:, space], one[:, hyphen])
        opening = _code(np.full((1, order - 1), column_of(START)))
        return PriorTables(table, after, int(_longest(opening, order - 1, known, first)[0]))


class _Grams(NamedTuple):
    """Those of one length."""

    columns: Ints  # (n, length), of their characters
    value: NDArray[np.int16]
    cost: NDArray[np.int16]


def _by_length(lines: bytes, values: bytes, costs: bytes, order: int) -> list[_Grams]:
    """Grams of 0 (there are none) to `order` characters; arguments as `PriorTables.read`."""
    flat = np.frombuffer(lines, np.uint8)
    ends = np.append((flat == ord("\n")).nonzero()[0], len(flat))
    starts = np.append(0, ends[:-1] + 1)
    value, cost = (np.frombuffer(one, np.uint8).astype(np.int16) for one in (values, costs))
    found = []
    for n in range(order + 1):
        own = ((ends - starts == n) & (n > 0)).nonzero()[0]
        columns = _COLUMN[flat[starts[own][:, None] + np.arange(n)]]
        found.append(_Grams(columns, value[own], cost[own]))
    return found


def _contexts(grams: Sequence[_Grams], order: int) -> list[Ints]:
    """Contexts of each length as ascending numbers: what stands before a character in some gram,
    and what costs something to back off from."""
    found = [np.zeros(1, np.int64)]
    for n in range(1, order):
        own = _code(grams[n].columns)[grams[n].cost != NO_COST]
        # Both are in order already but for a few signs, which this kind of sort makes use of.
        codes = np.append(_fresh(own), _fresh(_code(grams[n + 1].columns[:, :-1])))
        found.append(_fresh(np.sort(codes, kind="stable")))
    return found


def _fresh(codes: Ints) -> Ints:
    """Those that are not the one before."""
    return codes[np.append(True, codes[1:] != codes[:-1])] if len(codes) else codes


def _code(columns: Ints) -> Ints:
    """int (n,): characters as one number, among those of the same length."""
    found = np.zeros(len(columns), np.int64)
    for at in range(columns.shape[1]):
        found = found * WIDTH + columns[:, at]
    return found


def _found(codes: Ints, among: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Where each stands among the ascending ones, and whether it does."""
    if not len(among):
        return np.zeros(len(codes), np.int64), np.zeros(len(codes), np.bool_)
    at = np.minimum(np.searchsorted(among, codes), len(among) - 1)
    return at, among[at] == codes


def _longest(codes: Ints, n: int, known: Sequence[Ints], first: Ints) -> Ints:
    """Numbers of the contexts that hold most of the last characters of some of length `n`."""
    found = np.full(len(codes), -1)
    for length in range(n, -1, -1):
        if length:
            at, there = _found(codes % WIDTH**length, known[length])
        else:
            at, there = np.zeros(len(codes), np.int64), np.ones(len(codes), np.bool_)
        fresh = there & (found < 0)
        found[fresh] = first[length] + at[fresh]
    return found
