"""Deterministic automata over the network's labels: from a charset, a regex, a list of texts.

Owns:   `Dfa` and how automata are built, crossed, trimmed and made minimal.
Needs:  numpy; interegular for regular expressions, imported when the first one is met.
Words:  *state*: a row. *label*: an index into the network's labels; 0, the CTC blank, is no text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.int32]
Mask = NDArray[np.bool_]
DEAD = -1

# What a pattern may cost. Dates, the largest of the kinds, take 1,500 states in all and 1.4 million
# steps; these take about a second.
_MOST_STATES = 8_000
_MOST_STEPS = 8_000_000
_MOST_CROSSED = 100_000  # rows of 95 labels: 38 MB


class GrammarError(ValueError):
    """Why no grammar came about; `grammar` adds the field's name and raises `TemplateError`."""


@dataclass(frozen=True, slots=True, eq=False)
class Dfa:
    """A deterministic automaton; state 0 is where it begins.

    Args:
        table: int32 (states, n_labels): the next state, or -1.
        accepting: bool (states,).
    """

    table: Table
    accepting: Mask


def free_texts(n_labels: int) -> Dfa:
    """Every text, the empty one too."""
    table = np.zeros((1, n_labels), np.int32)
    table[:, 0] = DEAD
    return Dfa(table, np.ones(1, np.bool_))


def single_spaces(labels: Sequence[str]) -> Dfa:
    """Every text in which spaces stand alone, between other characters."""
    table = np.full((3, len(labels)), 1, np.int32)  # begin, after a character, after a space
    table[:, 0] = DEAD
    if " " in labels:
        table[:, labels.index(" ")] = (DEAD, 2, DEAD)
    return Dfa(table, np.array([True, True, False]))


def lengths(n_labels: int, least: int, most: int | None) -> Dfa:
    """Every text of `least` to `most` characters; any number of them where `most` is None."""
    n = (least if most is None else most) + 1
    table = np.repeat(np.arange(1, n + 1, dtype=np.int32)[:, None], n_labels, axis=1)
    table[-1] = n - 1 if most is None else DEAD
    table[:, 0] = DEAD
    return Dfa(table, np.arange(n) >= least)


def parsed(pattern: str) -> list[tuple[str, Any]]:
    """A regular expression as trees, the quick half of `from_regex`: faults cost no automaton.

    Returns:
        The texts of the last tree, "", are meant, where they begin as those of a "=" do, and as
        none of a "!" does: look-aheads.

    Raises:
        GrammarError: A broken expression, or one with parts that no finite automaton can follow.
    """
    from interegular import parse_pattern  # 20 ms: only where needed

    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise GrammarError(f"broken pattern {pattern!r} ({error}); mend the expression") from error
    with _our_words(pattern):
        parts = _parts(_without_anchors(pattern), pattern)
        return [(sign, parse_pattern(_plain_sets(part))) for sign, part in parts]


def from_regex(pattern: str, labels: Sequence[str]) -> Dfa:
    """The texts that a regular expression matches as a whole.

    Raises:
        GrammarError: A broken expression, or one that no finite automaton can follow.
    """
    *heads, (_, rest) = parsed(pattern)
    dfa = _of_tree(rest, labels, pattern)
    for sign, head in heads:
        dfa = _beginning(dfa, _of_tree(head, labels, pattern), sign == "=")
    return dfa


def _of_tree(tree: Any, labels: Sequence[str], pattern: str) -> Dfa:
    with _bounded(), _our_words(pattern):
        fsm = tree.to_fsm()
    number = {state: row for row, state in enumerate(sorted(fsm.states, key=fsm.initial.__ne__))}
    table = np.full((len(number), len(labels)), DEAD, np.int32)
    symbols = [fsm.alphabet[label] for label in labels[1:]]
    for state, arcs in fsm.map.items():
        heads = (arcs.get(symbol) for symbol in symbols)
        table[number[state], 1:] = [DEAD if head is None else number[head] for head in heads]
    accepting = np.array([state in fsm.finals for state in number])
    return trimmed(Dfa(table, accepting))


def _beginning(dfa: Dfa, head: Dfa, wanted: bool) -> Dfa:
    """The texts of `dfa` that are among those of `head`, or are not."""
    n = len(head.table) + 1  # and a state for all other texts
    inside = np.where(head.table < 0, n - 1, head.table)
    inside = np.append(inside, np.full((1, inside.shape[1]), n - 1), axis=0)
    if len(dfa.table) * n > _MOST_CROSSED:
        raise GrammarError("the pattern's look-ahead is too large; say less in it")
    both = np.where(dfa.table[:, None] < 0, DEAD, dfa.table[:, None] * n + inside)
    ends = dfa.accepting[:, None] & (np.append(head.accepting, False) == wanted)
    return trimmed(Dfa(both.reshape(-1, inside.shape[1]).astype(np.int32), ends.ravel()))


def _parts(bare: str, pattern: str) -> list[tuple[str, str]]:
    """Look-aheads at the beginning, each with all that may follow, and the rest of a pattern.

    Elsewhere interegular gets them wrong where they reach beyond the texts they stand in.
    """
    found: list[tuple[str, str]] = []
    while bare.startswith(("(?=", "(?!")):
        depth, end = 0, 0
        for at, mark in _outside_sets(bare):
            depth += {"(": 1, ")": -1}.get(mark, 0)
            if mark == ")" and not depth:
                end = at
                break
        found.append((bare[2], f"(?:{bare[3:end]}).*"))
        bare = bare[end + 1 :]
    depth, barred = 0, False
    for _, mark in _outside_sets(bare):
        depth += {"(": 1, ")": -1}.get(mark, 0)
        barred |= mark == "|" and not depth
    ahead = [part[at : at + 3] for _, part in [*found, ("", bare)] for at, _ in _outside_sets(part)]
    if {"(?=", "(?!"} & set(ahead) or (found and (barred or bare.startswith(tuple("*+?{")))):
        raise GrammarError(
            f"pattern {pattern!r} looks ahead in its middle; put look-aheads first, and what "
            "follows them, where it has a |, in brackets"
        )
    return [*found, ("", bare)]


def _outside_sets(pattern: str) -> Iterator[tuple[int, str]]:
    """Places of brackets and bars that stand in no set, and of each `]` that a set begins with."""
    at, inside = 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 1
        elif inside:
            inside = char != "]"
        elif char == "[":
            inside = True
            at += pattern[at + 1 : at + 2] == "^"
            if pattern[at + 1 : at + 2] == "]":
                at += 1
                yield at, "]"
        elif char in "(|)":
            yield at, char
        at += 1


def _plain_sets(pattern: str) -> str:
    """`[]a]` as `[\\]a]`: to interegular the first is an empty set, and a text."""
    firsts = [at for at, mark in _outside_sets(pattern) if mark == "]"]
    for at in reversed(firsts):
        pattern = f"{pattern[:at]}\\{pattern[at:]}"
    return pattern


_WEIGHT = np.uint64(0x9E3779B97F4A7C15)  # 2^64 by the golden ratio: its multiples lie far apart


class _TooLargeError(Exception):
    """An automaton outgrew what a field may cost."""


@contextmanager
def _our_words(pattern: str) -> Iterator[None]:
    """What interegular raises, as the GrammarError that says what to write instead."""
    from interegular import InvalidSyntax, Unsupported

    try:
        yield
    except _TooLargeError as error:
        raise GrammarError(
            f"pattern {pattern[:80]!r} grows past {_MOST_STATES:,} states; shorten its repeats, "
            "or say less in the pattern and give min_length and max_length"
        ) from error
    except RecursionError as error:
        raise GrammarError(
            f"pattern {pattern[:80]!r} is nested too deeply; take brackets out"
        ) from error
    except GrammarError:
        raise
    except Exception as error:  # at a comment it is an AttributeError: its parser has gaps
        known = isinstance(error, InvalidSyntax | Unsupported | NotImplementedError)
        raise GrammarError(
            f"pattern {pattern!r} cannot be followed ({(known and str(error)) or 'unknown syntax'})"
            "; use characters, sets, groups, | and repeats, without anchors, look-behind, "
            "references and comments"
        ) from error


_left: ContextVar[list[int] | None] = ContextVar("_left", default=None)  # states, steps


@contextmanager
def _bounded() -> Iterator[None]:
    """Within it interegular stops where an automaton grows past all use.

    Some short patterns need 2^20 states. interegular makes all its automata by one function and
    sets it no bound, so the function is replaced, once, by one that does; elsewhere it acts as
    before, as a context variable says where it is bounded.
    """
    from interegular import fsm

    if not hasattr(fsm.crawl, "unbounded"):
        fsm.crawl = _counting(fsm.crawl)
    token = _left.set([_MOST_STATES, _MOST_STEPS])
    try:
        yield
    finally:
        _left.reset(token)


def _counting(crawl: Callable[..., Any]) -> Callable[..., Any]:
    """`crawl` with every state and step counted against what is left."""

    def counted(
        alphabet: Any, initial: Any, final: Callable[[Any], bool], follow: Callable[..., Any]
    ) -> Any:
        left = _left.get()
        if left is None:
            return crawl(alphabet, initial, final, follow)

        known = [0]  # states so far

        def ends(state: Any) -> bool:  # asked once for each state
            known[0] += 1
            left[0] -= 1
            if left[0] < 0:
                raise _TooLargeError
            return final(state)

        def step(state: Any, symbol: Any) -> Any:
            # Looking a state up costs as much as there are, at most.
            left[1] -= 20 + (len(state) if hasattr(state, "__len__") else 1) + known[0] // 8
            if left[1] < 0:
                raise _TooLargeError
            return follow(state, symbol)

        return crawl(alphabet, initial, ends, step)

    counted.unbounded = crawl  # type: ignore[attr-defined]
    return counted


def _without_anchors(pattern: str) -> str:
    """A whole text is matched anyway, so `^` in front and `$` behind say nothing."""
    head = pattern.removeprefix("^")
    escapes = len(head) - 1 - len(head.removesuffix("$").rstrip("\\"))
    return head.removesuffix("$") if head.endswith("$") and escapes % 2 == 0 else head


def crossed(one: Dfa, other: Dfa) -> Dfa:
    """The texts of both.

    Raises:
        GrammarError: No text is left, or the automaton would be too large.
    """
    n = len(other.table)
    if len(one.table) * n > _MOST_CROSSED:
        raise GrammarError(
            f"{len(one.table):,} states of the pattern times {n:,} lengths are too many; give a "
            "smaller max_length, or none where the pattern bounds the length itself"
        )
    both = one.table[:, None, :] * np.int32(n) + other.table[None, :, :]
    both[(one.table[:, None, :] < 0) | (other.table[None, :, :] < 0)] = DEAD
    accepting = (one.accepting[:, None] & other.accepting[None, :]).ravel()
    return trimmed(Dfa(both.reshape(-1, one.table.shape[1]), accepting))


def restricted(dfa: Dfa, allowed: Mask) -> Dfa:
    """The texts that hold allowed labels only; `allowed` is bool (n_labels,)."""
    return trimmed(Dfa(np.where(allowed, dfa.table, DEAD), dfa.accepting))


def trimmed(dfa: Dfa) -> Dfa:
    """Without states that cannot be reached or from which no text can end. Order is kept.

    Raises:
        GrammarError: Nothing is left.
    """
    at, label = np.nonzero(dfa.table >= 0)
    n = len(dfa.table)
    tail, head = np.divmod(np.unique(at * n + dfa.table[at, label]), n)
    useful = reached(np.arange(n) == 0, tail, head)
    useful &= reached(dfa.accepting.copy(), head, tail)
    if not useful[0]:
        raise GrammarError("no text fulfils all that is asked of it; loosen one condition")
    number = np.append(np.where(useful, np.cumsum(useful) - 1, DEAD), DEAD).astype(np.int32)
    return Dfa(number[dfa.table[useful]], dfa.accepting[useful])


def reached(seen: Mask, tail: NDArray[np.intp], head: NDArray[np.intp]) -> Mask:
    """States that are seen, and those that edges lead to from them."""
    while True:
        grown = seen.copy()
        grown[head[seen[tail]]] = True
        if np.array_equal(grown, seen):
            return seen
        seen = grown


def minimal(dfa: Dfa) -> Dfa:
    """The smallest automaton of the same texts, by Moore's refinement."""
    columns = dfa.table[:, np.unique(_same_rows(dfa.table.T), return_index=True)[1]]
    block = np.unique(dfa.accepting, return_inverse=True)[1].astype(np.int32)
    n_blocks = 0
    while block.max() + 1 > n_blocks:
        n_blocks = int(block.max()) + 1
        after = np.append(block, DEAD)[columns]
        block = _same_rows(np.concatenate([block[:, None], after], axis=1))
    first = np.unique(block, return_index=True)[1]
    table = np.append(block, DEAD)[dfa.table[first]]
    # Numbered as they are reached: interegular's order is another in every process, and with it
    # would be the last bits of every sum.
    order = _reached_in_order(table, start=int(block[0]))
    number = np.full(n_blocks + 1, DEAD, np.int32)
    number[order] = np.arange(len(order))
    return Dfa(number[table[order]], dfa.accepting[first[order]])


def _reached_in_order(table: Table, *, start: int) -> NDArray[np.intp]:
    """intp (n,): states from `start` on, breadth first, by the labels that lead to them."""
    seen = np.zeros(len(table) + 1, np.bool_)
    seen[[start, DEAD]] = True
    found = [front := np.array([start])]
    while len(front):
        heads = table[front].ravel()
        heads = heads[~seen[heads]]
        front = heads[np.sort(np.unique(heads, return_index=True)[1])]
        seen[front] = True
        found.append(front)
    return np.concatenate(found)


def _same_rows(rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """A number for each row, the same for rows that are the same.

    Rows are told by a sum of 64 bits, which sorts a hundred times faster than they do; that no two
    rows share one by chance is looked at.
    """
    weights = np.arange(1, rows.shape[1] + 1, dtype=np.uint64) ** 3 * _WEIGHT | np.uint64(1)
    sums = (rows.astype(np.uint64) * weights).sum(axis=1, dtype=np.uint64)
    _, first, same = np.unique(sums, return_index=True, return_inverse=True)
    if not np.array_equal(rows, rows[first[same.reshape(-1)]]):
        same = np.unique(rows, axis=0, return_inverse=True)[1]
    return same.reshape(-1).astype(np.int32)


def accepts(dfa: Dfa, text: str, index: dict[str, int]) -> bool:
    """Whether `text` is among the texts; `index` gives the label of a character."""
    state = 0
    for char in text:
        label = index.get(char, 0)
        state = int(dfa.table[state, label])
        if state < 0:
            return False
    return bool(dfa.accepting[state])


Edges = NDArray[np.int32]  # (n, 3): from, label, to; sorted by from, then label


def edges_of(dfa: Dfa) -> Edges:
    """The transitions of a table as rows (from, label, to)."""
    at, label = np.nonzero(dfa.table >= 0)
    return np.stack([at, label, dfa.table[at, label]], axis=1).astype(np.int32)


def from_texts(texts: Iterable[str], index: dict[str, int]) -> tuple[Edges, Mask]:
    """The minimal automaton of a list of texts, sparse: a lexicon has many states, few ways on.

    Source: Daciuk et al. 2000, incremental construction from sorted words.

    Returns:
        Edges, and bool (states,): which states accept. State 0 is the beginning.
    """
    arcs: list[dict[int, int]] = [{}]
    final = [False]
    register: dict[tuple[bool, tuple[tuple[int, int], ...]], int] = {}
    path: list[tuple[int, int, int]] = []  # (state, label, next) of the last word, not yet shared

    def share(down_to: int) -> None:
        while len(path) > down_to:
            state, label, child = path.pop()
            key = (final[child], tuple(arcs[child].items()))
            arcs[state][label] = register.setdefault(key, child)

    last: list[int] = []
    for word in sorted({tuple(index[char] for char in text) for text in texts}):
        same = 0
        while same < len(last) and last[same] == word[same]:
            same += 1
        share(same)
        state = path[-1][2] if path else 0
        for label in word[same:]:
            arcs.append({})
            final.append(False)
            arcs[state][label] = len(arcs) - 1
            path.append((state, label, len(arcs) - 1))
            state = len(arcs) - 1
        final[state] = True
        last = list(word)
    share(0)
    return _renumbered(arcs, final)


def _renumbered(arcs: list[dict[int, int]], final: list[bool]) -> tuple[Edges, Mask]:
    number = {0: 0}
    order = [0]
    for state in order:  # grows while it is walked: breadth first
        for child in arcs[state].values():
            if child not in number:
                number[child] = len(order)
                order.append(child)
    rows = [
        (number[state], label, number[child])
        for state in order
        for label, child in sorted(arcs[state].items())
    ]
    edges = np.array(rows, np.int32).reshape(-1, 3)
    return edges, np.array([final[state] for state in order], np.bool_)
