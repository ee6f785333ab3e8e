"""Enclosures come back to the byte, and whoever does not know them reads the model as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.enclosed import enclose, enclosed
from edge_runtime.errors import ModelError

NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)


@given(st.dictionaries(NAMES, st.binary(max_size=300), max_size=4), st.booleans())
def test_enclosures_come_back_among_other_fields(held: dict[str, bytes], last: bool) -> None:
    plain = onnx.ModelProto(ir_version=8, producer_name="x" * 200, model_version=-1)
    told = b"".join(enclose(name, data) for name, data in held.items())
    model = plain.SerializeToString()
    whole = model + told if last else told + model
    assert enclosed(whole) == held
    again = onnx.ModelProto.FromString(whole)
    again.DiscardUnknownFields()
    assert again == plain
    assert enclosed(model) == {}


def test_numbers_of_fixed_length_are_stepped_over() -> None:
    fixed = b"\x09" + bytes(8) + b"\x0d" + bytes(4)  # field 1, of 64 and of 32 bits
    assert enclosed(fixed + enclose("a", b"bc") + fixed) == {"a": b"bc"}


@pytest.mark.parametrize(
    "model",
    [
        enclose("a", b"bc")[:-1],
        enclose("a", b"bc") + b"\x0a",
        b"\x0a" + b"\xff" * 12,  # a length without an end
        b"\x0b",  # a wire type that nobody writes any more
        b"\x09\x00",
    ],
)
def test_what_is_no_message_is_refused(model: bytes) -> None:
    with pytest.raises(ModelError, match="export the model again"):
        enclosed(model)


def test_onnx_runtime_reads_on(tiny_model: Path) -> None:
    told = enclose("a", np.random.default_rng(1).bytes(5000))
    plain = tiny_model.read_bytes()
    a, b = (ort.InferenceSession(data) for data in (plain, plain + told))
    assert a.get_modelmeta().custom_metadata_map == b.get_modelmeta().custom_metadata_map
    strip = np.random.default_rng(2).random((1, 1, 32, 64), np.float32)
    for one, other in zip(a.run(None, feed(a, strip)), b.run(None, feed(b, strip)), strict=True):
        np.testing.assert_array_equal(one, other)


def feed(session: ort.InferenceSession, strip: np.ndarray) -> dict[str, np.ndarray]:
    return {session.get_inputs()[0].name: strip}
