"""How people write capitals: words in one case, or with a capital in front.

Owns:   `case_nats`, what the case of its words says of a text.
Needs:  nothing.
Words:  a *word* here is two letters or more and nothing else. It is *regular* in capitals, in small
        letters, or with one capital in front. A *name* is what a field of kind `name` holds.

A third of the small letters differ from their capitals by size alone, and the prior on characters
folds case, so this is said apart.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile("[A-Za-z]{2,}")
_WITHIN = re.compile("(?:Mc|Mac|De|Di|Du|La|Le|Van|Fitz)[A-Z][a-z]+")  # as names have it
# In nats, by words, lines and rows of tuning and calibration writers (docs/decisions.md).
_IRREGULAR = 5.0  # a word
_MIXED = 1.0  # a word in capitals beside one that is not, or the other way round: the fewer count
_SMALL_IN_NAME = 4.0  # a word of a name without a capital, where another word has one
_SMALL_NAME = 2.0  # a name without any capital
_LATE, _FEW = 2.0, 3  # of a text of so few words, one without a capital before one that has it
# What stays small among capitals.
_PARTICLES = (
    "al am an and as at auf av bei bin by da das de del della den der des di do dos du el en et "
    "for from ibn im in is it la las le les los no not of on op or per tan te ten ter that the to "
    "und van vom von with zu zum zur"
)
_SMALL = frozenset(_PARTICLES.split())


def case_nats(text: str, *, name: bool = False) -> float:
    """What the case of its words speaks against a text, in nats: 0 or less.

    Args:
        text: Any.
        name: It is a person's name.
    """
    words = _WORD.findall(text)
    if len(words) == 1:  # nothing beside it to compare it with
        sort = _sort(words[0])
        small_name = name and sort == "small" and words[0] not in _SMALL
        return -_IRREGULAR if sort == "irregular" else -_SMALL_NAME if small_name else 0.0
    sorts = [_sort(word) for word in words]
    odd = min(sorts.count("capitals"), sorts.count("usual") + sorts.count("small"))
    nats = _IRREGULAR * sorts.count("irregular") + _MIXED * odd
    small = [sort == "small" for word, sort in zip(words, sorts, strict=True) if word not in _SMALL]
    if not any(small):
        return -nats
    if all(small):
        return -nats - (_SMALL_NAME if name else 0.0)
    if name:
        return -nats - _SMALL_IN_NAME * sum(small)
    return -nats - (_LATE if small[0] and len(words) <= _FEW else 0.0)


def as_name(text: str) -> str:
    """The text with a capital in front of each word that is not one of those that stay small."""
    return _WORD.sub(_capital, text)


def _capital(word: re.Match[str]) -> str:
    said = word.group()
    return said if said in _SMALL else said[0].upper() + said[1:]


@lru_cache(maxsize=1 << 14)
def _sort(word: str) -> str:
    if word.isupper():
        return "capitals"
    if word.islower():
        return "small"
    return "usual" if word[1:].islower() or _WITHIN.fullmatch(word) else "irregular"
