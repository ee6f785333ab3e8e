"""Patterns as a template's author would give them to fields that hold such texts.

Owns:   `pattern_of`, a pattern that a text fulfils; `vocabulary_of`, one of words and no others.
Needs:  `train.texts` for its kinds of characters.

Authors say what sort of characters stands where and how many at most, not which. Where letters and
figures change often they say no more than that either may stand there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

Rng = np.random.Generator

_THOUSANDS = re.compile(r"(?<![0-9])[0-9]{1,3}(?:([,.' ])[0-9]{3})(?:\1[0-9]{3})*(?![0-9])")
_PIECE = re.compile(rf"{_THOUSANDS.pattern}|[A-Za-z0-9]+|[^A-Za-z0-9]")
_RUN = re.compile(r"[A-Z][a-z]+|[A-Z]+|[a-z]+|[0-9]+")
_MANY_RUNS = 3  # in one piece: a password, a serial number
_REPEATABLE = re.compile(r"\[[A-Za-z0-9]")  # characters of a piece, no mark
_NO_SET = frozenset("[]^\\")  # mean something within brackets
_SPECIAL = re.compile(r"([\\.^$|?*+()\[\]{}-])")
_DATED = re.compile(r"[0-9]+([/.-])[0-9]+\1[0-9]+")
_LOOSE = 0.3  # of those let any mark stand between
_ODD_MARKS = frozenset('!"%;<>?[]^`{|}~\\')  # stand in passwords, of which no more is told
_EXACT = 0.5  # of the patterns tell how many characters stand there
_REPEATED = 0.7  # of them leave open how many words there are
_ANY_CASE = 0.3  # of those of words
_OPEN = 0.5  # of the others say nothing of it
_OF_SOME = 0.5  # of those of one figure allow some of the ten
_COUNTED = 2  # more letters are words, and nobody counts those
_SPARE = 6  # characters more than there are, at most


def pattern_of(text: str, rng: Rng) -> str:
    """A regular expression that the text fulfils, as strict as authors make them.

    Args:
        text: Not empty, printable ASCII.
        rng: How strict.

    Returns:
        "" where authors would give none: for passwords, and for a mark alone.
    """
    if not any(map(str.isalnum, text)) or (_ODD_MARKS & set(text) and " " not in text):
        return ""
    most = max(map(len, _RUN.findall(text)), default=1) + int(rng.integers(0, _SPARE))
    loose = "+" if rng.random() < _OPEN else f"{{1,{most}}}"
    if len(text) == 1 and text.isdigit() and rng.random() < _OF_SOME:  # a class, a dose
        low, high = int(rng.integers(int(text) + 1)), int(rng.integers(int(text), 10))
        return f"[{low}-{high}]"
    exact, any_case = rng.random() < _EXACT, rng.random() < _ANY_CASE
    dated = rng.random() < _LOOSE and _DATED.fullmatch(text) is not None
    told: list[str] = []
    for found in _PIECE.finditer(text):
        piece, mark = found.group(), found.group(1)
        if mark is not None:
            told.append(f"[0-9]{{1,3}}({_escaped(mark)}[0-9]{{3}})*")
        elif piece.isalnum():
            told.append(_piece(piece, loose, exact=exact, any_case=any_case))
        else:
            told.append("[/.-]" if dated and piece in "/.-" else _escaped(piece))
    return _again(told) if rng.random() < _REPEATED else "".join(told)


def vocabulary_of(words: Sequence[str], rng: Rng) -> str:
    """One to some of the words, a space between, as amounts in words are."""
    one = "|".join(_escaped(word) for word in sorted(set(words)))
    return f"({one})( ({one}))*" + ("[.]?" if rng.random() < 0.3 else "")


def _piece(piece: str, loose: str, *, exact: bool, any_case: bool) -> str:
    runs = _RUN.findall(piece)
    if len(runs) >= _MANY_RUNS:
        kinds = ((str.isupper, "A-Z"), (str.islower, "a-z"), (str.isdigit, "0-9"))
        chars = "".join(said for kind, said in kinds if any(map(kind, piece)))
        return f"[{chars}]{f'{{{len(piece)}}}' if exact else '+'}"
    return "".join(_run(run, loose, exact=exact, any_case=any_case) for run in runs)


def _run(run: str, loose: str, *, exact: bool, any_case: bool) -> str:
    count = "" if len(run) == 1 else f"{{{len(run)}}}"
    if run.isdigit():
        return f"[0-9]{count if exact else loose}"
    if any_case and len(run) > 1:
        return f"[A-Za-z]{loose}"
    if len(run) > 1 and run[0].isupper() and run[1:].islower():
        return "[A-Z][a-z]+"
    counted = exact and len(run) <= _COUNTED
    return f"[{'A-Z' if run.isupper() else 'a-z'}]{count if counted else loose}"


def _again(told: Sequence[str]) -> str:
    """With "A A A" said as "A( A)*": a piece, and a mark with the like of it, again and again."""
    out: list[str] = []
    at = 0
    while at < len(told):
        end = at + 1
        if _REPEATABLE.match(told[at]) and told[at + 1 : at + 2] != ["@"]:
            while told[end : end + 2] == [*told[at + 1 : at + 2], told[at]]:
                end += 2
        out.append(told[at] if end == at + 1 else f"{told[at]}({told[at + 1]}{told[at]})*")
        at = end
    return "".join(out)


def _escaped(text: str) -> str:
    return re.escape(text) if set(text) & _NO_SET else _SPECIAL.sub(r"[\1]", text)
