"""What the network believes, seen through what a field allows.

Owns:   `settle_alike` (characters of one shape), `within` (some character stands here: which?).
Needs:  numpy, `grammar`, `outputs`.
Words:  *alike*: drawn alone, nobody tells them apart. The network splits its belief among them; a
        grammar that knows only one of them must not lose the belief in the others.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_runtime.grammar import Grammar
from edge_runtime.outputs import Ints, log_sum

LogProbs = NDArray[np.float32]

# The digit first: it alone takes. Shapes that are the same by themselves, not merely near: 5 and S,
# 2 and Z are told apart by most hands, so that a letter among digits still means review. Letters
# do not take: l of 1 and I made small letters 0.9 points worse.
ALIKE = ("0Oo", "1lI|")
# A slanted one is a slash. Where a slash may stand but says nothing, half of what is believed in it
# is the one's: a figure that would be dropped without a word becomes a doubt.
_SLASH, _ONE, _HALF = "/", "1", float(np.log(0.5))
_NOTHING = np.float32(np.log(1e-30))


def settle_alike(log_probs: LogProbs, grammar: Grammar) -> LogProbs:
    """Give the one character that is allowed what the network gave to others of its shape.

    A slash that is skipped shares with the one; nothing else changes among allowed characters.

    Args:
        log_probs: float32 (t, n_labels), natural logarithms.
        grammar: Of the field, over the same labels.

    Returns:
        float32 (t, n_labels): the same where no shape has exactly one allowed character.
    """
    moves, slash, one = _moves(grammar)
    if not moves and not slash:
        return log_probs
    out = log_probs.copy()
    for target, others in moves:
        of_shape = log_probs.take([target, *others], axis=1)
        out[:, target] = np.logaddexp.reduce(of_shape, axis=1)
        out[:, others] = _NOTHING
    if slash:
        out[:, slash] += _HALF
        out[:, one] = np.logaddexp(out[:, one], out[:, slash])
    return out


def within(log_probs: LogProbs, grammar: Grammar) -> LogProbs:
    """Ink that the network takes for a character stays a character, one that the field allows.

    Where the network sees a letter among digits, the automaton alone would rather drop it than read
    the digit it may be: "1.eo" became 10 instead of 1000. So what is believed in characters that
    are not allowed goes to those that are, in proportion; the blank keeps its share. How much moved
    is told by the grammar's total over the frames as they were: confidence looks at that one.

    Args:
        log_probs: float32 (t, n_labels), natural logarithms.
        grammar: Of the field, over the same labels.

    Returns:
        float32 (t, n_labels).
    """
    on = _characters(grammar)
    if on is None:
        return log_probs
    # Label by label in memory: as they are summed, so the last bit falls.
    own = log_probs[:, on]
    blank = log_probs[:, 0]
    character = np.log1p(-np.minimum(np.exp(blank), np.float32(1 - 1e-6)))
    own += np.maximum(character - log_sum(own), 0)[:, None]
    out = np.full(log_probs.shape, _NOTHING, log_probs.dtype)
    out[:, 0] = blank
    out[:, on] = own
    return out


@lru_cache(maxsize=256)
def _characters(grammar: Grammar) -> Ints | None:
    """Labels that are allowed or skipped; None where that is none or all."""
    on = grammar.used | grammar.skip
    on[0] = False
    return None if on[1:].all() or not on.any() else on.nonzero()[0]


@lru_cache(maxsize=256)
def _moves(grammar: Grammar) -> tuple[tuple[tuple[int, list[int]], ...], int, int]:
    """(label that takes, labels that give) of each shape of which one character is allowed; then as
    `_slash_and_one`."""
    on = grammar.used | grammar.skip
    labels, found = grammar.labels, []
    for shape in ALIKE:
        known = [labels.index(char) for char in shape if char in labels]
        kept = [at for at in known if on[at]]
        if kept == known[:1] and labels[kept[0]] == shape[0]:
            found.append((kept[0], known[1:]))
    return tuple(found), *_slash_and_one(grammar)


def _slash_and_one(grammar: Grammar) -> tuple[int, int]:
    """Labels of a slash that is skipped and of the one that it may be; twice 0 where not both."""
    if _SLASH not in grammar.labels or _ONE not in grammar.labels:
        return 0, 0
    slash, one = grammar.labels.index(_SLASH), grammar.labels.index(_ONE)
    shares = grammar.skip[slash] and not grammar.used[slash] and grammar.used[one]
    return (slash, one) if shares else (0, 0)
