"""Patterns that authors of templates would give."""

from __future__ import annotations

import re

import numpy as np
import pytest

from edge_runtime import Field
from edge_runtime.grammar import compile_grammar
from export.patterns import pattern_of, vocabulary_of
from train import texts

LABELS = ("", *map(chr, range(32, 127)))


@pytest.mark.parametrize("seed", range(4))
def test_a_text_fulfils_its_own_pattern_for_reader_and_re_alike(seed: int) -> None:
    rng = np.random.default_rng(seed)
    patterns = 0
    for _ in range(60):
        text = " ".join(texts.draw(rng).split())
        pattern = pattern_of(text, rng)
        if pattern:
            patterns += 1
            assert re.fullmatch(pattern, text), pattern
            field = Field("f", kind="text", pattern=pattern)
            assert compile_grammar(field, LABELS).accepts(text), pattern
    assert patterns > 40


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("1,234.50", "12,345,678.90"),
        ("3,000", "17"),
        ("12/03/1999", "01/12/2024"),
        ("Ann Lee", "Bo Hu"),
        ("mk_82", "ab_10"),
    ],
)
def test_others_of_the_same_build_fulfil_most_patterns(text: str, other: str) -> None:
    rng = np.random.default_rng(5)
    told = [pattern_of(text, rng) for _ in range(40)]
    assert sum(re.fullmatch(one, other) is not None for one in told) > 20


@pytest.mark.parametrize("text", ["a<b>c", "!", "--", "x;y|z"])
def test_no_author_gives_one_to_passwords_and_marks(text: str) -> None:
    assert pattern_of(text, np.random.default_rng(1)) == ""


def test_a_pattern_rules_look_alikes_out() -> None:
    rng = np.random.default_rng(2)
    told = [pattern_of("0171", rng) for _ in range(20)]
    assert not any(re.fullmatch(one, "O171") for one in told)


def test_a_lone_figure_may_be_one_of_some() -> None:
    rng = np.random.default_rng(4)
    told = [pattern_of("4", rng) for _ in range(60)]
    assert all(re.fullmatch(one, "4") for one in told)
    assert sum(re.fullmatch(one, "9") is None for one in told) > 10


def test_a_vocabulary_allows_its_words_and_no_others() -> None:
    told = vocabulary_of(["two", "hundred", "a.b"], np.random.default_rng(3))
    assert re.fullmatch(told, "two hundred two")
    assert re.fullmatch(told, "a.b")
    assert not re.fullmatch(told, "axb")
    assert not re.fullmatch(told, "twohundred")
