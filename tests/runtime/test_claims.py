"""Claims: how surely ink says a text that was named before, calibrated apart from readings."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime.claims import claimed
from edge_runtime.confidence import FEATURES, claim_group_of
from edge_runtime.decode import text_log_prob
from edge_runtime.decoded import decode_fields
from edge_runtime.field import Field
from edge_runtime.grammar import compile_grammar
from edge_runtime.judge import claim_evidence, judge, match_probability
from edge_runtime.place import FieldInk
from edge_runtime.preprocess import Strip
from edge_runtime.reader import Reader
from edge_runtime.segment import Ink
from edge_runtime.spec import Calibration, ModelSpec

BOX = (0.0, 0.0, 80.0, 32.0)
STROKES = cv2.putText(np.zeros((60, 160), np.uint8), "hello", (20, 44), 0, 1.2, 255, 3)


def heard(text: str, other: str, spec: ModelSpec, *, share: float) -> NDArray[np.float32]:
    """Frames that say `text`, each character `other`'s with probability `share`."""
    n = len(spec.labels)
    frames = np.full((2 * len(text) + 1, n), 1e-5)
    frames[::2, 0] = 1.0
    for at, (char, alike) in enumerate(zip(text, other, strict=True)):
        frames[2 * at + 1, spec.labels.index(alike)] += share
        frames[2 * at + 1, spec.labels.index(char)] += 1 - share
    return np.log(frames / frames.sum(axis=1, keepdims=True)).astype(np.float32)


def inked(field: Field, spec: ModelSpec, *, n: int = 1) -> FieldInk:
    strip = Strip(np.full((spec.height_px, 80), 255, np.uint8), 0.0, 0.0, 1.0, 1.0)
    return FieldInk(
        field,
        BOX,
        None,
        (Ink(np.asarray(STROKES, np.uint8), (0, 0)),) * n,
        (strip,) * n,
        (False,) * n,
    )


def with_claims(spec: ModelSpec) -> ModelSpec:
    """A spec whose claims go by their share against the next text."""
    weights = tuple(float(name == "runner_up_nats") for name in FEATURES)
    own = Calibration(2.0, weights, accept=0.9, reject=0.02, fitted_on=1)
    return replace(spec, calibration={**spec.calibration, "claim_code": own})


CODE = Field("door", kind="code", secret=True)


def test_a_claim_is_surer_than_a_reading_and_still_in_order(tiny_spec: ModelSpec) -> None:
    frames = [heard("4711", "9777", tiny_spec, share=0.3)]
    ink, spec = inked(CODE, tiny_spec), with_claims(tiny_spec)
    texts = ("4711", "4777", "9777", "4712")
    found = [match_probability(ink, frames, spec, text) for text in texts]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.9 > judge(ink, frames, tiny_spec)[0].confidence
    assert found[-1] < 0.01


@given(text=st.text("479", min_size=1, max_size=5), share=st.floats(0.01, 0.6))
def test_a_claims_sum_is_the_texts_own(text: str, share: float, tiny_spec: ModelSpec) -> None:
    field = Field("f", kind="digits")
    frames = heard("4711", "9777", tiny_spec, share=share)
    (one,) = decode_fields([inked(field, tiny_spec)], [[frames]], tiny_spec.labels)
    claim = claimed(one, text)
    assert claim is not None
    assert claim.text == text
    assert claim.log_prob <= claim.log_total + 1e-6
    assert "".join(span.char for span in claim.spans) == text
    shares = dict(claim.alternatives)
    assert shares[text] <= dict(one.decoding.alternatives)[one.decoding.text] + 1e-9
    known = dict(one.decoding.alternatives).get(text)
    if known is not None:
        assert shares[text] == pytest.approx(known, rel=1e-4)


@pytest.mark.parametrize("text", ["", "ab", "é"])
def test_what_the_field_does_not_allow_is_no_claim(text: str, tiny_spec: ModelSpec) -> None:
    field = Field("f", kind="digits")
    frames = [heard("4711", "9777", tiny_spec, share=0.3)]
    ink = inked(field, tiny_spec)
    assert match_probability(ink, frames, with_claims(tiny_spec), text) == 0.0
    assert claim_evidence(ink, frames, tiny_spec, text) is None


def test_claims_on_cells_are_spelled_by_their_cells(tiny_spec: ModelSpec) -> None:
    field = Field("f", kind="digits", cells=2)
    cells = [heard("4", "9", tiny_spec, share=0.2), heard("7", "1", tiny_spec, share=0.2)]
    (one,) = decode_fields([inked(field, tiny_spec, n=2)], [cells], tiny_spec.labels)
    claim = claimed(one, "91")
    assert claim is not None
    grammar = compile_grammar(field, tiny_spec.labels)
    assert math.isclose(claim.log_prob, text_log_prob(cells, "91", grammar))
    assert [(span.char, span.cell) for span in claim.spans] == [("9", 0), ("1", 1)]


@pytest.mark.parametrize(
    ("field", "group"),
    [
        (CODE, "claim_code"),
        (Field("f", kind="iban"), "claim_digits"),
        (Field("f", kind="name"), "claim_text"),
        (Field("f", kind="digits", cells=4), "claim_cells"),
        (Field("f", kind="choice", choices=("a", "b")), ""),
    ],
)
def test_claims_have_groups(field: Field, group: str) -> None:
    assert claim_group_of(field) == group


def test_the_point_of_a_match_is_the_claims(tiny_reader: Reader) -> None:
    listed = Field("f", kind="choice", choices=("a", "b"))
    assert 0 < tiny_reader.match_point(listed) <= 1
    assert 0 < tiny_reader.match_point(CODE) <= 1
