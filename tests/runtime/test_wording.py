"""How a text reads as words: likely words, their case, and where nothing is said of them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime import Field, Reader
from edge_runtime.confidence import FEATURES, features, probability
from edge_runtime.decode import Decoding
from edge_runtime.preprocess import Strip
from edge_runtime.prior import Prior
from edge_runtime.results import Alternative
from edge_runtime.spec import Calibration
from edge_runtime.wording import UNSAID, WORDING, wording

STRIP = Strip(np.zeros((32, 64), np.uint8), 0.0, 0.0, 1.0, 1.0)
TEXT = Field("remark", kind="text")


@pytest.fixture(scope="module")
def prior() -> Prior:
    with Reader() as reader:
        found = reader._priors.words
    assert found is not None
    return found


def named(text: str, prior: Prior, *, name: bool = False) -> dict[str, float]:
    return dict(zip(WORDING, wording(text, prior, name=name), strict=True))


def decoding(text: str) -> Decoding:
    return Decoding(
        text=text, log_prob=-0.2, log_total=-0.1, alternatives=(Alternative(text, 0.9),),
        spans=(), raw_text=text,
    )  # fmt: skip


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30))
def test_features_are_finite_whatever_the_text(text: str, prior: Prior) -> None:
    for name in (False, True):
        found = wording(text, prior, name=name)
        assert len(found) == len(WORDING)
        assert all(map(math.isfinite, found))


def test_the_least_likely_word_counts(prior: Prior) -> None:
    good, odd = named("paid in full", prior), named("paid in fuxq", prior)
    assert odd["odd_word_nats"] > good["odd_word_nats"] + 0.5
    assert named("fuxq", prior)["odd_word_nats"] == odd["odd_word_nats"]
    assert good["odder_word_nats"] <= odd["odder_word_nats"]
    assert good["oddest_word_nats"] == 0.0
    assert odd["log_words"] == pytest.approx(math.log(3))


def test_case_is_told_by_its_share_and_its_order(prior: Prior) -> None:
    assert named("EVAN", prior)["capitals"] == 1.0
    assert named("EVAN", prior)["mixed_capitals"] == 0.0
    assert named("Evan", prior)["mixed_capitals"] == pytest.approx(3 / 16)
    assert named("eVan", prior)["case_nats"] > 0 == named("Evan", prior)["case_nats"]
    assert named("evan", prior, name=True)["case_nats"] > 0 == named("evan", prior)["case_nats"]


def test_figures_speak_against_names_alone(prior: Prior) -> None:
    assert named("Apt 4b", prior)["figures_in_name"] == 0.0
    assert named("Apt 4b", prior, name=True)["figures_in_name"] == pytest.approx(1 / 6)


def test_an_empty_text_says_nothing(prior: Prior) -> None:
    assert wording("", prior) == wording(" ", prior) == UNSAID


@pytest.mark.parametrize(
    "field",
    [
        Field("a", kind="username"),
        Field("a", kind="code"),
        Field("a", kind="text", secret=True),
        Field("a", kind="text", charset="ABC1"),
        Field("a", kind="digits", cells=3),
    ],
)
def test_where_no_words_are_expected_nothing_is_said_of_them(field: Field, prior: Prior) -> None:
    bare = features(decoding("fuxq"), [STRIP])
    assert np.array_equal(features(decoding("fuxq"), [STRIP], field=field, prior=prior), bare)
    assert np.array_equal(features(decoding("fuxq"), [STRIP], field=TEXT), bare)
    assert tuple(bare[-len(WORDING) :]) == UNSAID
    words = features(decoding("fuxq"), [STRIP], field=TEXT, prior=prior)
    assert not np.array_equal(words, bare)
    assert np.array_equal(words[: -len(WORDING)], bare[: -len(WORDING)])


def test_a_model_calibrated_without_words_says_what_it_said(prior: Prior) -> None:
    """Files of before have a weight for each feature of the ink, and none for words."""
    weights = tuple(np.linspace(-0.5, 0.5, len(FEATURES) - len(WORDING)))
    old = Calibration(0.3, weights, accept=0.9, reject=0.1, fitted_on=5)
    new = dataclasses.replace(old, weights=(*weights, *UNSAID))
    evidence = features(decoding("fuxq"), [STRIP], field=TEXT, prior=prior)
    assert probability(evidence, old) == pytest.approx(probability(evidence, new), abs=1e-15)
    z = 0.3 + float(np.dot(evidence[: len(weights)], weights))
    assert probability(evidence, old) == pytest.approx(1 / (1 + math.exp(-z)))
