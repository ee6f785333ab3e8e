"""How people write capitals: words in one case, or with a capital in front.

Owns:   `case_nats`, what the case of its words says of a text.
Needs:  nothing.
Words:  a *word* here is two letters or more and nothing else. It is *regular* in capitals, in small
        letters, or with one capital in front.

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


def case_nats(text: str) -> float:
    """What the case of its words speaks against a text, in nats: 0 or less."""
    if text.islower():
        return 0.0
    sorts = [_sort(word) for word in _WORD.findall(text)]
    odd = min(sorts.count("capitals"), sorts.count("usual"))
    return -(_IRREGULAR * sorts.count("irregular") + _MIXED * odd)


@lru_cache(maxsize=1 << 14)
def _sort(word: str) -> str:
    if word.isupper():
        return "capitals"
    return "usual" if word[1:].islower() or _WITHIN.fullmatch(word) else "irregular"
