"""The spec in the file, and the seal over it.

Owns:   `stamp`: what goes with the network, metadata and seal of an ONNX model.
Needs:  onnx, `edge_runtime.enclosed`, `edge_runtime.spec`.
"""

from __future__ import annotations

from collections.abc import Mapping

import onnx
from onnx import helper, numpy_helper

from edge_runtime.enclosed import enclose, enclosed
from edge_runtime.errors import ModelError
from edge_runtime.prior import PRIORS
from edge_runtime.spec import SEAL_KEY, SPEC_KEY, ModelSpec, check_seal, seal
from edge_runtime.twin import apply_twin, make_twin, twin_key

_SEAL_DIGITS = 64


def stamp(
    model: onnx.ModelProto,
    spec: ModelSpec,
    priors: bytes = b"",
    twins: Mapping[str, onnx.ModelProto] | None = None,
) -> bytes:
    """The model's bytes, then priors and twins, then the spec in its metadata, and sealed.

    Args:
        model: The network.
        spec: Of it.
        priors: `Priors.to_bytes`, nothing for a model without.
        twins: Networks of the same graph, by the names that the spec has for them.

    Raises:
        ModelError: A twin is of another graph, or the seal does not stand where the runtime looks
            for it.
    """
    held = _bare(model)
    plain = held.SerializeToString()
    bare = {name: _bare(twin).SerializeToString() for name, twin in (twins or {}).items()}
    beside = {PRIORS: priors} if priors else {}
    beside |= {twin_key(name): make_twin(plain, twin) for name, twin in bare.items()}
    # The seal last: the runtime takes the last place that holds its key.
    stamped = onnx.ModelProto()
    helper.set_model_props(stamped, {SPEC_KEY: spec.to_json(), SEAL_KEY: "0" * _SEAL_DIGITS})
    told = b"".join(enclose(name, data) for name, data in beside.items())
    # Messages of protobuf one after the other are one message.
    sealed = seal(plain + told + stamped.SerializeToString())
    check_seal(sealed)
    if enclosed(sealed) != beside:
        raise ModelError("priors and twins do not come back")
    for name, twin in bare.items():
        if apply_twin(sealed, beside[twin_key(name)]) != twin:
            raise ModelError(f"the twin {name!r} does not come back: the network is not first")
    return sealed


def _bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy without metadata, enclosures and words, twins of one length."""
    held = onnx.ModelProto()
    held.CopyFrom(model)
    held.DiscardUnknownFields()  # enclosures
    del held.metadata_props[:]
    del held.graph.value_info[:]  # what shape inference left: a third of a small file
    held.doc_string = ""
    for node in held.graph.node:
        node.doc_string = ""
    for one in held.graph.initializer:  # as raw bytes: as many whatever the values are
        one.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(one), one.name))
    return held
