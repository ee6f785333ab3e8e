"""Check digits as automata: what is left of a number so far, and what must be left at its end.

Owns:   `Residue`, `residue_of` (by python-stdnum's names), `with_residue` (its product with edges).
Needs:  numpy, `automaton`.
Words:  *residue*: the state of a check digit's sum. A text has one way from one of the starts to an
        end that holds at most, so nothing is counted twice.

Sources: ISO 7064; ISO 13616 (IBAN); ISO/IEC 7812 (Luhn); ISO 2108 (ISBN); GS1 (EAN).
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_runtime.automaton import DEAD, Edges, Mask, Table, reached

_DIGITS = string.digits
_BASE36 = _DIGITS + string.ascii_uppercase
SEPARATORS = " \t./-"  # `values.checksum_ok` leaves them out


@dataclass(frozen=True, slots=True, eq=False)
class Residue:
    """A check digit's automaton. What it refuses fails; what it takes, python-stdnum looks at.

    Args:
        chars: Characters that count, in the order of the table's columns.
        table: int32 (residues, chars): the next residue, or -1.
        starts: Residues to begin with.
        holds: bool (residues,): where a number may end.
    """

    chars: str
    table: Table
    starts: tuple[int, ...]
    holds: Mask


def _alternating(weigh: Callable[[int], int]) -> Residue:
    """Every second digit from the right is weighed; the sum is a multiple of 10.

    Which digits those are is known at the end alone, so both are begun: residues 0..9 take the next
    digit as it is, 10..19 weigh it, and a number ends before a digit that would be weighed.
    """
    total, digit = np.divmod(np.arange(100), 10)
    plain = 10 + (total + digit) % 10
    heavy = (total + [weigh(one) for one in digit.tolist()]) % 10
    table = np.concatenate([plain, heavy]).reshape(20, 10).astype(np.int32)
    return Residue(_DIGITS, table, (0, 10), np.arange(20) == 10)


def _summed(chars: str, n: int, begin: int, step: Callable[[int, int], int]) -> Residue:
    """What is left grows by a rule of its own value and the character's; 1 must be left."""
    table = np.array([[step(at, one) for one in range(len(chars))] for at in range(n)], np.int32)
    return Residue(chars, table, (begin,), np.arange(n) == 1)


def _base10(chars: str) -> Residue:
    """ISO 7064 mod 97,10: letters are two digits; the whole number leaves 1."""

    def step(at: int, one: int) -> int:
        return (at * (10 if one < 10 else 100) + one) % 97

    return _summed(chars, 97, 0, step)


def _iban() -> Residue:
    """Mod 97 of the number with its first four characters moved behind the others.

    Of the head h is known when the rest begins, and with it what the rest must leave: r with
    r * 10^6 + h = 1 (mod 97). Residues: place and value of the head, then what must be left and
    what is left so far.
    """
    n, head = 97, 4 * 97
    table = np.full((head + n * n, 36), DEAD, np.int32)
    value, inverse = np.arange(n), pow(10**6, -1, n)
    for one in range(36):
        grown = (value * (10 if one < 10 else 100) + one) % n
        for place in range(4):
            if (one < 10) == (place < 2):  # two letters, two digits
                continue
            after = (place + 1) * n + grown
            table[place * n + value, one] = (
                after if place < 3 else head + (1 - grown) * inverse % n * n
            )
        table[head:, one] = head + (np.arange(n)[:, None] * n + grown).ravel()
    holds = np.zeros(len(table), np.bool_)
    holds[head + value * (n + 1)] = True
    return Residue(_BASE36, table, (0,), holds)


def _weighted(chars: str, weights: Sequence[int]) -> Residue:
    """A number of as many characters as weights, mod 11; X is 10 and stands last."""
    n = len(weights)
    table = np.full((11 * (n + 1), 11), DEAD, np.int32)
    for place, weight in enumerate(weights):
        for left in range(11):
            for one in range(11 if place == n - 1 else 10):
                table[11 * place + left, one] = 11 * (place + 1) + (left + weight * one) % 11
    return Residue(chars, table, (0,), np.arange(len(table)) == 11 * n)


def _either(*some: Residue) -> Residue:
    """What holds for one of several, of which no number can hold for two: by their lengths."""
    chars = max((one.chars for one in some), key=len)
    tables, starts, at = [], [], 0
    for one in some:
        table = np.full((len(one.table), len(chars)), DEAD, np.int32)
        table[:, : len(one.chars)] = np.where(one.table < 0, DEAD, one.table + at)
        tables.append(table)
        starts += [start + at for start in one.starts]
        at += len(table)
    holds = np.concatenate([one.holds for one in some])
    return Residue(chars, np.concatenate(tables), tuple(starts), holds)


def _of_length(one: Residue, n: int) -> Residue:
    """The same for numbers of `n` characters."""
    size = len(one.table)
    table = np.full(((n + 1) * size, len(one.chars)), DEAD, np.int32)
    for place in range(n):
        rows = slice(place * size, (place + 1) * size)
        table[rows] = np.where(one.table < 0, DEAD, one.table + (place + 1) * size)
    holds = np.zeros(len(table), np.bool_)
    holds[n * size :] = one.holds
    return Residue(one.chars, table, one.starts, holds)


_ISBN = tuple(range(10, 0, -1))
_DIGITS_X = _DIGITS + "X"
_MAKERS: dict[str, Callable[[], Residue]] = {
    "luhn": lambda: _alternating(lambda digit: sum(divmod(2 * digit, 10))),
    "ean": lambda: _alternating(lambda digit: 3 * digit),
    "isbn": lambda: _either(
        _weighted(_DIGITS_X, _ISBN),
        _weighted(_DIGITS_X, _ISBN[1:]),  # older ones, of nine characters
        _of_length(_alternating(lambda digit: 3 * digit), 13),
    ),
    "issn": lambda: _weighted(_DIGITS_X, range(8, 0, -1)),
    "iban": _iban,
    "lei": lambda: _base10(_BASE36),
    "iso7064.mod_97_10": lambda: _base10(_BASE36),
    "iso7064.mod_11_10": lambda: _summed(
        _DIGITS, 10, 5, lambda at, one: ((at or 10) * 2 % 11 + one) % 10
    ),
    "iso7064.mod_11_2": lambda: _summed(_DIGITS_X, 11, 0, lambda at, one: (2 * at + one) % 11),
    "isni": lambda: _summed(_DIGITS_X, 11, 0, lambda at, one: (2 * at + one) % 11),
    "iso7064.mod_37_36": lambda: _summed(
        _BASE36, 36, 18, lambda at, one: ((at or 36) * 2 % 37 + one) % 36
    ),
    "iso7064.mod_37_2": lambda: _summed(_BASE36 + "*", 37, 0, lambda at, one: (2 * at + one) % 37),
}
# One in so many texts holds by chance. A text with one character wrong never does.
_ONE_IN = {
    **dict.fromkeys(("luhn", "ean", "isbn", "iso7064.mod_11_10"), 10),
    **dict.fromkeys(("issn", "isni", "iso7064.mod_11_2"), 11),
    **dict.fromkeys(("iso7064.mod_37_36", "iso7064.mod_37_2"), 36),
    **dict.fromkeys(("iban", "lei", "iso7064.mod_97_10"), 97),
}
# Those of which python-stdnum takes small letters for capitals.
_FOLDED = frozenset(("iban", "isbn", "issn", "isni", "lei", "iso7064.mod_97_10"))


@lru_cache(maxsize=16)
def residue_of(checksum: str) -> Residue | None:
    """The automaton of a check digit; None where there is no simple one, such as "de.idnr"."""
    maker = _MAKERS.get(checksum)
    return None if maker is None else maker()


def chance_of(checksum: str) -> float:
    """The share of misread texts that hold a check digit all the same; 1 where it is not known.

    Twice what holds by chance: one hand's misread characters are alike, and may make up for each
    other (docs/decisions.md).
    """
    return min(1.0, 2.0 / _ONE_IN.get(checksum, 1))


@lru_cache(maxsize=64)
def _steps(checksum: str, labels: tuple[str, ...]) -> Table:
    """int32 (residues, n_labels): the next residue by label; separators say nothing."""
    residue = residue_of(checksum)
    assert residue is not None
    table = np.full((len(residue.table), len(labels)), DEAD, np.int32)
    for at, label in enumerate(labels):
        char = label.upper() if checksum in _FOLDED else label
        if label and label in SEPARATORS:
            table[:, at] = np.arange(len(table))
        elif char and char in residue.chars:
            table[:, at] = residue.table[:, residue.chars.index(char)]
    return table


def with_residue(
    edges: Edges, accepting: Mask, labels: tuple[str, ...], checksum: str, *, most: int
) -> tuple[Edges, Mask] | None:
    """The texts of an automaton whose check digit holds, as an automaton.

    Args:
        edges: int32 (n, 3): from, label, to; sorted by from, then label. State 0 is the beginning.
        accepting: bool (states,).
        labels: Of the network.
        checksum: A name that `residue_of` knows.
        most: Edges of the product, at most.

    Returns:
        The same for the product, every state of which leads to a text; no edges where there is no
        such text, None where there would be too many.
    """
    residue, steps = residue_of(checksum), _steps(checksum, labels)
    assert residue is not None
    n = len(steps)
    first = np.searchsorted(edges[:, 0], np.arange(len(accepting) + 1))
    seen = np.zeros(len(accepting) * n, np.bool_)
    front = np.array(residue.starts, np.intp)  # of state 0
    seen[front] = True
    tails, names, heads = [], [], []
    total = 0
    while len(front):
        state, left = np.divmod(front, n)
        count = first[state + 1] - first[state]
        edge = np.arange(count.sum()) + np.repeat(first[state] - (np.cumsum(count) - count), count)
        after = steps[np.repeat(left, count), edges[edge, 1]]
        on = after >= 0
        head = edges[edge[on], 2].astype(np.intp) * n + after[on]
        tails.append(np.repeat(front, count)[on])
        names.append(edges[edge[on], 1])
        heads.append(head)
        total += len(head)
        if total > most:
            return None
        front = np.unique(head[~seen[head]])
        seen[front] = True
    tail, name, head = (np.concatenate(part).astype(np.intp) for part in (tails, names, heads))
    return _trimmed(tail, name, head, residue.starts, accepting, residue.holds)


def _trimmed(
    tail: NDArray[np.intp],
    name: NDArray[np.intp],
    head: NDArray[np.intp],
    starts: tuple[int, ...],
    accepting: Mask,
    holds: Mask,
) -> tuple[Edges, Mask]:
    """Edges between (state, residue) pairs, numbered anew, without ways that end nowhere."""
    n = len(holds)
    if not len(tail):  # no character that the check digit knows is allowed at the beginning
        return np.empty((0, 3), np.int32), np.zeros(1, np.bool_)
    # The beginning is a state of its own, so that several starts are one.
    at_start = np.isin(tail, starts)
    begin = np.full(int(at_start.sum()), len(accepting) * n)
    tail = np.concatenate([tail, begin])
    name, head = (np.concatenate([part, part[at_start]]) for part in (name, head))
    codes = np.unique(np.concatenate([tail, head]))
    tail, head = np.searchsorted(codes, tail), np.searchsorted(codes, head)
    state, left = np.divmod(codes, n)
    ends = np.append(accepting, False)[state] & holds[left]
    useful = reached(ends.copy(), head, tail)
    forward = np.zeros(len(codes), np.bool_)
    forward[-1:] = codes[-1:] == len(accepting) * n
    useful &= reached(forward, tail, head)
    number = np.cumsum(useful) - 1
    number[-1] = 0  # the beginning, which had the highest code
    number[:-1] += 1
    if not useful[-1]:
        return np.empty((0, 3), np.int32), np.zeros(1, np.bool_)
    kept = useful[tail] & useful[head]
    edges = np.stack([number[tail[kept]], name[kept], number[head[kept]]], axis=1).astype(np.int32)
    edges = edges[np.lexsort((edges[:, 2], edges[:, 1], edges[:, 0]))]
    return edges, np.r_[False, ends[:-1][useful[:-1]]]
