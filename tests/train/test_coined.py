"""Words that nobody wrote."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from train.coined import Coiner

WORDS = ("handle", "candle", "hander", "candid", "handy", "dandy", "sandal", "it's", "x2")
VOWELS = frozenset("aeiou")


@pytest.fixture(scope="module")
def coiner() -> Coiner:
    return Coiner(WORDS)


def test_no_word_is_one_that_was_learnt_from(coiner: Coiner) -> None:
    rng = np.random.default_rng(0)
    words = [coiner.word(rng) for _ in range(300)]
    assert not set(words) & set(WORDS)
    assert all(3 <= len(word) <= 12 and word.isalpha() and word.islower() for word in words)
    assert len(set(words)) > 100


def test_letters_follow_as_they_did_or_vowels_and_consonants_take_turns(coiner: Coiner) -> None:
    rng = np.random.default_rng(1)
    pairs = {word[i : i + 2] for word in WORDS if word.isalpha() for i in range(len(word) - 1)}
    told = [coiner.word(rng) for _ in range(300)]
    chained = [all(one[i : i + 2] in pairs for i in range(len(one) - 1)) for one in told]
    turning = [all((a in VOWELS) != (b in VOWELS) for a, b in pairwise(one)) for one in told]
    assert all(a or b for a, b in zip(chained, turning, strict=True))
    assert sum(chained) > 50


def test_names_have_capitals(coiner: Coiner) -> None:
    rng = np.random.default_rng(2)
    names = [coiner.name(rng) for _ in range(200)]
    assert all(word[0].isupper() for name in names for word in name.split())
    assert any(name.isupper() and len(name) > 2 for name in names)
    assert {len(name.split()) for name in names} == {1, 2, 3}
    assert all(name != "A." and len(name) > 2 for name in names)


def test_phrases_are_in_one_case_or_begin_with_a_capital(coiner: Coiner) -> None:
    rng = np.random.default_rng(3)
    phrases = [coiner.phrase(rng) for _ in range(200)]
    assert all(p.isupper() or p.islower() or p == p.capitalize() for p in phrases)
    assert {len(phrase.split()) for phrase in phrases} == {1, 2, 3, 4, 5}


def test_nothing_to_learn_from_still_gives_words() -> None:
    assert Coiner(()).word(np.random.default_rng(4)).isalpha()
