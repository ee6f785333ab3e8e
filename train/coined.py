"""Words that nobody wrote, made after the letters of words that people did.

Owns:   `Coiner`: names and phrases of such words.
Needs:  numpy, `texts`.

Other people's names and other languages are words that no prior knows, and yet are written as words
are. Random letters cannot stand for them, and lists of names would have to come from somewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from train import texts

Rng = np.random.Generator

_CONTEXT = 2  # letters that the next one follows; with three, half of the words are real ones
_SHORTEST, _LONGEST = 3, 12
_TRIES = 200  # a word list of a few words may allow no other
_SYLLABLES = 0.4  # of the words: consonant and vowel in turn, as in many languages
_CAPITALS, _CAPITALIZED = 0.3, 0.5  # of the phrases


class Coiner:
    """Makes words by which letter follows which two.

    Args:
        words: To learn from; none of them is made again. Letters alone count.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._known = {word.lower() for word in words if word.isascii() and word.isalpha()}
        follows: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self._known):
            padded = " " * _CONTEXT + word + " "
            for at in range(_CONTEXT, len(padded)):
                follows[padded[at - _CONTEXT : at]].append(padded[at])
        self._follows = {context: "".join(chars) for context, chars in follows.items()}

    def word(self, rng: Rng) -> str:
        """Small letters, 3 to 12 of them."""
        if rng.random() >= _SYLLABLES:
            for _ in range(_TRIES):
                word = self._chain(rng)
                if _SHORTEST <= len(word) <= _LONGEST and word not in self._known:
                    return word
        return texts.syllables(rng, int(rng.integers(_SHORTEST, 10)))

    def name(self, rng: Rng) -> str:
        """One to three words, capitals in front or everywhere."""
        words = [self.word(rng) for _ in range(_pick(rng, (1, 2, 2, 3)))]
        if len(words) > 1 and rng.random() < 0.1:  # J. Smith
            words[0] = words[0][0] + "."
        text = " ".join(word.capitalize() for word in words)
        return text.upper() if rng.random() < _CAPITALS else text

    def phrase(self, rng: Rng) -> str:
        """One to five words, in one case or with a capital in front."""
        text = " ".join(self.word(rng) for _ in range(_pick(rng, (1, 1, 2, 3, 4, 5))))
        if rng.random() < _CAPITALS:
            return text.upper()
        return text.capitalize() if rng.random() < _CAPITALIZED else text

    def _chain(self, rng: Rng) -> str:
        word, context = "", " " * _CONTEXT
        while len(word) <= _LONGEST:
            chars = self._follows.get(context, " ")
            char = chars[int(rng.integers(len(chars)))]
            if char == " ":
                break
            word, context = word + char, (context + char)[-_CONTEXT:]
        return word


def _pick(rng: Rng, options: tuple[int, ...]) -> int:
    return options[int(rng.integers(len(options)))]
