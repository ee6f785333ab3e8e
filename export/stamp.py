"""The spec in the file, and the seal over it.

Owns:   `stamp`: metadata and seal of an ONNX model.
Needs:  onnx, `edge_runtime.spec`.
"""

from __future__ import annotations

import onnx
from onnx import helper

from edge_runtime.prior import PRIOR_KEY
from edge_runtime.spec import SEAL_KEY, SPEC_KEY, ModelSpec, check_seal, seal

_SEAL_DIGITS = 64


def stamp(model: onnx.ModelProto, spec: ModelSpec, prior: str = "") -> bytes:
    """The model's bytes with spec and prior in its metadata, sealed; nothing else in there.

    Args:
        model: The network.
        spec: Of it.
        prior: `Prior.to_text`, "" for a model without.

    Raises:
        ModelError: The seal does not stand where the runtime looks for it.
    """
    held = onnx.ModelProto()
    held.CopyFrom(model)
    del held.metadata_props[:]
    del held.graph.value_info[:]  # what shape inference left: a third of a small file
    held.doc_string = ""
    for node in held.graph.node:
        node.doc_string = ""
    # The seal last: the runtime takes the last place that holds its key.
    props = {PRIOR_KEY: prior} if prior else {}
    props |= {SPEC_KEY: spec.to_json(), SEAL_KEY: "0" * _SEAL_DIGITS}
    helper.set_model_props(held, props)
    sealed = seal(held.SerializeToString())
    check_seal(sealed)
    return sealed
