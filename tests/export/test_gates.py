"""Gates let the good through and stop the bad."""

from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from edge_runtime.spec import ModelSpec
from export import gates
from export.checkpoint import Trained
from export.onnx_export import fold
from export.quantize import RECIPES, choose, divergence, session
from export.strips import Group, Sample, batches
from train.evaluate import greedy


def groups_of(samples: list[Sample], spec: ModelSpec) -> list[Group]:
    return list(batches(samples, spec))


def told(fp32: onnx.ModelProto, samples: list[Sample], spec: ModelSpec) -> list[Group]:
    """The same strips, their texts what fp32 reads: exact by definition."""
    one, out = session(fp32), []
    for group in groups_of(samples, spec):
        log_probs = torch.from_numpy(gates.run(one, group.tensor))
        texts = greedy(log_probs, spec.labels)
        renamed = (s._replace(text=t) for s, t in zip(group.samples, texts, strict=True))
        out.append(group._replace(samples=tuple(renamed)))
    return out


def test_the_same_network_passes(
    trained: Trained, fp32: onnx.ModelProto, samples: list[Sample], spec: ModelSpec
) -> None:
    groups = groups_of(samples, spec)
    assert gates.same_numbers(trained.network, session(fp32), groups).passed
    assert all(one.passed for one in gates.same_texts(session(fp32), session(fp32), groups, spec))


def test_tampered_weights_are_stopped(
    trained: Trained, fp32: onnx.ModelProto, samples: list[Sample], spec: ModelSpec
) -> None:
    network = fold(trained.network)
    with torch.no_grad():
        network.head.weight[5, 3] += 0.5
    gate = gates.same_numbers(network, session(fp32), groups_of(samples, spec))
    assert not gate.passed
    with pytest.raises(gates.GateError, match="torch = fp32 ONNX"):
        gates.check([gate])


def test_an_int8_that_reads_worse_is_stopped(
    fp32: onnx.ModelProto, samples: list[Sample], spec: ModelSpec
) -> None:
    broken = copy.deepcopy(fp32)
    for weight in broken.graph.initializer:
        if weight.name == "head.weight":
            value = onnx.numpy_helper.to_array(weight)
            weight.CopyFrom(onnx.numpy_helper.from_array(value[::-1].copy(), weight.name))
    found = gates.same_texts(session(fp32), session(broken), told(fp32, samples, spec), spec)
    assert [one.name for one in found if not one.passed] == [one.name for one in found]
    with pytest.raises(gates.GateError, match="all sources"):
        gates.check(found)


def test_a_slower_model_is_stopped(fp32: onnx.ModelProto, trained: Trained) -> None:
    class Slow:
        def __init__(self, inner: object, times: int) -> None:
            self.inner, self.times = inner, times

        def run(self, *arguments: object) -> object:
            for _ in range(self.times - 1):
                self.inner.run(*arguments)  # type: ignore[attr-defined]
            return self.inner.run(*arguments)  # type: ignore[attr-defined]

    tensor = np.zeros((4, 1, 32, 64), np.float32)
    one = session(fp32)
    gate, times = gates.faster(one, Slow(one, 6), tensor, repeat=5)  # type: ignore[arg-type]
    assert not gate.passed
    assert times["int8"] > times["fp32"]


def test_the_recipe_nearest_to_fp32_is_taken(
    fp32: onnx.ModelProto, samples: list[Sample], spec: ModelSpec
) -> None:
    groups = groups_of(samples, spec)
    made, recipe, tried = choose(fp32, [one.tensor for one in groups], groups, spec)
    assert len(tried) == len(RECIPES) + 2  # the head in fp32, then the stem too
    # Ends in fp32 cost speed, so they must be nearer by a tenth.
    assert tried[str(recipe)] <= min(tried.values()) / 0.9**2
    assert recipe.fp32 in ((), ("head",), ("head", "stem"))
    assert divergence(session(fp32), session(made), groups, spec) == pytest.approx(
        tried[str(recipe)], rel=1e-6
    )
    assert divergence(session(fp32), session(fp32), groups, spec) == 0.0


def test_weights_are_signed_and_activations_are_not(int8: onnx.ModelProto) -> None:
    kinds = {node.op_type for node in int8.graph.node}
    assert {"QuantizeLinear", "DequantizeLinear", "LogSoftmax"} <= kinds
    unsigned = [one for one in int8.graph.initializer if one.data_type == onnx.TensorProto.UINT8]
    assert unsigned
    assert all(one.name.endswith("_zero_point") and len(one.dims) == 0 for one in unsigned)
    convolutions = sum(node.op_type == "Conv" for node in int8.graph.node)
    weights = [
        one
        for one in int8.graph.initializer
        if one.data_type == onnx.TensorProto.INT8 and len(one.dims) == 4
    ]
    assert len(weights) == convolutions
