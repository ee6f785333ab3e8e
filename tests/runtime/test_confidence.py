"""Evidence and its curve: finite whatever comes, monotone, and never more than 1 in all."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.confidence import (
    FEATURES,
    base_group_of,
    base_of,
    calibration_for,
    check_calibration,
    checked,
    claim_group_of,
    features,
    group_of,
    other_probability,
    probability,
)
from edge_runtime.decode import Decoding, Span
from edge_runtime.errors import ModelError
from edge_runtime.field import KINDS, Field
from edge_runtime.preprocess import Strip
from edge_runtime.results import Alternative
from edge_runtime.spec import Calibration, ModelSpec

STRIP = Strip(np.zeros((32, 64), np.uint8), 0.0, 0.0, 0.5, 1.0)
logs = st.floats(-1e4, 0) | st.just(-math.inf)


def decoding(
    log_prob: float, log_total: float, *, rival: float = 0.0, glyph: float = 0.5, raw: str = "abc"
) -> Decoding:
    spans = tuple(Span(char, glyph, at, at + 1) for at, char in enumerate("abc"))
    share = math.exp(min(0.0, log_prob - log_total)) if log_total > -math.inf else 0.0
    others = (Alternative("abd", rival),) if rival else ()
    return Decoding(
        text="abc", log_prob=log_prob, log_total=log_total,
        alternatives=(Alternative("abc", share), *others), spans=spans, raw_text=raw,
    )  # fmt: skip


def named(evidence: np.ndarray) -> dict[str, float]:
    return dict(zip(FEATURES, evidence.tolist(), strict=True))


@given(logs, logs, st.floats(0, 1), st.floats(0, 1))
def test_evidence_is_finite_whatever_was_decoded(
    a: float, b: float, rival: float, glyph: float
) -> None:
    found = features(decoding(a, b, rival=rival, glyph=glyph), [STRIP])
    assert found.shape == (len(FEATURES),)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()


def test_evidence_says_what_its_names_say() -> None:
    found = named(features(decoding(-0.3, -0.1, rival=0.1, raw="a-b c"), [STRIP], skip="-"))
    share = math.exp(-0.2)
    assert found["posterior_logit"] == pytest.approx(math.log(share / (1 - share)))
    assert found["runner_up_nats"] == pytest.approx(-0.2 - math.log(0.1))
    assert found["char_nats"] == pytest.approx(-0.1)
    assert found["grammar_nats"] == pytest.approx(-0.1 / 3)
    assert found["worst_glyph_nats"] == pytest.approx(math.log(0.5))
    assert found["log_chars"] == pytest.approx(math.log(3))
    assert found["raw_differs"] == 0.0
    assert found["squeeze_nats"] == pytest.approx(math.log(2))
    assert found["blow_up_nats"] == 0.0
    assert named(features(decoding(-1, 0, raw="abd"), [STRIP]))["raw_differs"] == 1.0


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_probability_is_a_probability_and_rises_with_evidence(z: float, more: float) -> None:
    rising = Calibration(0.0, (1.0,), accept=0.9, reject=0.1, fitted_on=0)
    low, high = (probability(np.array([at]), rising) for at in (z, z + more))
    assert 0.0 <= low <= high <= 1.0


@given(st.lists(st.floats(1e-6, 1), min_size=2, max_size=6), st.floats(0, 1), st.floats(1.001, 3))
def test_all_texts_together_never_exceed_one(parts: list[float], sure: float, rest: float) -> None:
    total = sum(parts) * rest
    shares = sorted((part / total for part in parts), reverse=True)
    others = [other_probability(share, shares[0], sure) for share in shares[1:]]
    assert sure + sum(others) <= 1 + 1e-9
    assert others == sorted(others, reverse=True)
    assert other_probability(0.0, 1.0, sure) == 0.0


@pytest.mark.parametrize(
    ("field", "group"),
    [
        (Field("f"), "text"),
        (Field("f", kind="name"), "name"),
        (Field("f", kind="choice", choices=("a", "b")), "choices"),
        (Field("f", kind="amount"), "amount"),
        (Field("f", kind="date"), "amount"),
        (Field("f", kind="date", cells=8), "cell_digits"),
        (Field("f", charset="0123"), "digits"),
        (Field("f", kind="username"), "code"),
        (Field("f", charset="abc123"), "code"),
        (Field("f", kind="digits", cells=1), "cell_digits"),
        (Field("f", kind="text", cells=1), "cell"),
        (Field("f", kind="code", cells=((0, 0, 9, 9),)), "cell"),
        (Field("f", kind="name", cells=((0, 0, 9, 9), (9, 0, 18, 9))), "cell_text"),
        (Field("f", kind="name", charset="ABC"), "name"),
        (Field("f", pattern="[A-Z]+"), "text_pattern"),
        (Field("f", kind="name", pattern="[A-Z]+"), "name_pattern"),
        (Field("f", kind="date", pattern="[0-9/]+"), "amount_pattern"),
        (Field("f", kind="username", pattern="[a-z]+[0-9]"), "code_pattern"),
        (Field("f", kind="username", pattern="[a-z]+[0-9]", cells=6), "cell_pattern"),
        (Field("f", kind="digits", pattern="[1-6]"), "digits_pattern"),
        (Field("f", kind="digits", pattern="[1-6]", cells=1), "cell_digits"),
        (Field("f", kind="account", pattern="[0-9]{10}", cells=10), "cell_digits"),
        (Field("f", kind="name", pattern="[A-Z]+", cells=8), "cell_text"),
        (Field("f", choices=("a", "b"), pattern="[ab]"), "choices"),
    ],
)
def test_fields_are_grouped_by_what_they_hold(field: Field, group: str) -> None:
    assert group_of(field) == group


def test_every_kind_has_a_group() -> None:
    for kind in KINDS:
        assert base_group_of(Field("f", kind=kind)) in {"digits", "amount", "code", "text"}


def test_a_group_without_calibration_takes_the_default(tiny_spec: ModelSpec) -> None:
    default = tiny_spec.calibration["default"]
    own = dataclasses.replace(default, accept=0.5)
    spec = dataclasses.replace(tiny_spec, calibration={"default": default, "cell": own})
    assert calibration_for(spec, "cell") is own
    assert calibration_for(spec, "digits") is default
    check_calibration(spec)


def test_fields_with_a_pattern_take_the_plain_group_of_models_that_know_no_other(
    tiny_spec: ModelSpec,
) -> None:
    default = tiny_spec.calibration["default"]
    plain, own = dataclasses.replace(default, accept=0.5), dataclasses.replace(default, accept=0.6)
    spec = dataclasses.replace(tiny_spec, calibration={"default": default, "text": plain})
    assert calibration_for(spec, "text_pattern") is plain
    assert calibration_for(spec, "code_pattern") is default
    spec = dataclasses.replace(spec, calibration={**spec.calibration, "text_pattern": own})
    assert calibration_for(spec, "text_pattern") is own
    assert calibration_for(spec, "text") is plain


def test_claims_and_networks_go_by_the_group_without_a_pattern() -> None:
    field = Field("f", kind="username", pattern="[a-z]+[0-9]")
    assert base_group_of(field) == "code" == base_of(group_of(field))
    assert claim_group_of(field) == "claim_code"


@pytest.mark.parametrize(
    ("field", "group", "base", "claim"),
    [
        (Field("f", "name"), "name", "text", "claim_text"),
        (Field("f", "name", pattern="[A-Z][a-z]+"), "name_pattern", "text", "claim_text"),
        (Field("f", "name", secret=True), "text", "text", "claim_text"),
        (Field("f", "email"), "email", "code", "claim_code"),
        (Field("f", "email", pattern=".*@.*"), "email_pattern", "code", "claim_code"),
        (Field("f", "email", secret=True), "code", "code", "claim_code"),
        (Field("f", "email", charset="ABC@."), "email", "code", "claim_code"),
        (Field("f", "email", charset="0123@."), "code", "code", "claim_code"),
        (Field("f", "email", cells=20), "cell_email", "cell", "claim_cells"),
        (Field("f", "name", cells=20), "cell_text", "cell_text", "claim_cells"),
    ],
)
def test_names_and_mail_are_calibrated_apart(
    field: Field, group: str, base: str, claim: str
) -> None:
    assert group_of(field) == group
    assert base_group_of(field) == base == base_of(group)
    assert claim_group_of(field) == claim


def test_names_and_mail_take_the_groups_of_models_that_know_no_other(tiny_spec: ModelSpec) -> None:
    default = tiny_spec.calibration["default"]
    known = ("code", "code_pattern", "cell")
    own = {
        name: dataclasses.replace(default, accept=0.5 + at / 10) for at, name in enumerate(known)
    }
    spec = dataclasses.replace(tiny_spec, calibration={"default": default, **own})
    assert calibration_for(spec, "email") is own["code"]
    assert calibration_for(spec, "email_pattern") is own["code_pattern"]
    assert calibration_for(spec, "cell_email") is own["cell"]
    assert calibration_for(spec, "name_pattern") is default


@pytest.mark.parametrize(
    "change", [{"weights": (1.0,)}, {"accept": 0.1, "reject": 0.2}, {"accept": 1.5}]
)
def test_a_calibration_that_does_not_fit_is_a_model_error(
    change: dict[str, object], tiny_spec: ModelSpec
) -> None:
    wrong = dataclasses.replace(tiny_spec.calibration["default"], **change)  # type: ignore[arg-type]
    for groups in ({"default": wrong}, {**tiny_spec.calibration, "cell": wrong}, {}):
        with pytest.raises(ModelError, match="python -m export"):
            check_calibration(dataclasses.replace(tiny_spec, calibration=groups))


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 1))
def test_a_check_digit_that_holds_never_lowers_and_never_makes_certain(
    sure: float, part: float, chance: float
) -> None:
    holding = part * (1 - sure)
    raised = checked(sure, holding, chance)
    assert sure - 1e-12 <= raised <= 1.0
    if 0 < sure < 0.99:
        assert raised < 1.0
        assert checked(sure, holding, min(1.0, 2 * chance)) <= raised + 1e-12
    # What holds as well is no less likely than it was.
    if sure + holding > 0:
        assert raised <= sure / (sure + holding) + 1e-12


def test_the_check_digit_counts_as_bayes_rule_has_it() -> None:
    assert checked(0.5, 0.0, 1.0) == pytest.approx(0.5)
    assert checked(0.5, 0.0, 0.1) == pytest.approx(0.5 / 0.55)
    assert checked(0.5, 0.5, 0.1) == pytest.approx(0.5)
    assert checked(0.0, 0.0, 0.1) == 0.0
