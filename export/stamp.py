"""The spec in the file, and the seal over it.

Owns:   `stamp`: metadata and seal of an ONNX model.
Needs:  onnx, `edge_runtime.spec`.
"""

from __future__ import annotations

from collections.abc import Mapping

import onnx
from onnx import helper, numpy_helper

from edge_runtime.errors import ModelError
from edge_runtime.prior import PRIOR_KEY
from edge_runtime.spec import SEAL_KEY, SPEC_KEY, ModelSpec, check_seal, seal
from edge_runtime.twin import apply_twin, make_twin, twin_key

_SEAL_DIGITS = 64


def stamp(
    model: onnx.ModelProto,
    spec: ModelSpec,
    prior: str = "",
    twins: Mapping[str, onnx.ModelProto] | None = None,
) -> bytes:
    """The model's bytes with spec, prior and twins in its metadata, sealed; nothing else in there.

    Args:
        model: The network.
        spec: Of it.
        prior: `Prior.to_text`, "" for a model without.
        twins: Networks of the same graph, by the names that the spec has for them.

    Raises:
        ModelError: A twin is of another graph, or the seal does not stand where the runtime looks
            for it.
    """
    held = _bare(model)
    plain = held.SerializeToString()
    props = {PRIOR_KEY: prior} if prior else {}
    for name, twin in (twins or {}).items():
        props[twin_key(name)] = make_twin(plain, _bare(twin).SerializeToString())
    # The seal last: the runtime takes the last place that holds its key.
    props |= {SPEC_KEY: spec.to_json(), SEAL_KEY: "0" * _SEAL_DIGITS}
    helper.set_model_props(held, props)
    sealed = seal(held.SerializeToString())
    check_seal(sealed)
    for name, twin in (twins or {}).items():
        if apply_twin(sealed, props[twin_key(name)]) != _bare(twin).SerializeToString():
            raise ModelError(f"the twin {name!r} does not come back: metadata is not at the end")
    return sealed


def _bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy without metadata and words, twins of one length."""
    held = onnx.ModelProto()
    held.CopyFrom(model)
    del held.metadata_props[:]
    del held.graph.value_info[:]  # what shape inference left: a third of a small file
    held.doc_string = ""
    for node in held.graph.node:
        node.doc_string = ""
    for one in held.graph.initializer:  # as raw bytes: as many whatever the values are
        one.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(one), one.name))
    return held
