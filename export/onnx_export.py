"""From the network to a plain fp32 ONNX graph.

Owns:   `fold` (normalisation into convolutions), `to_onnx`, `save`.
Needs:  torch (fx), onnx, `edge_runtime.recognize` for the names of input and output.
Words:  the graph is written here, node by node, from the traced network. torch's own exporter gives
        the same nodes, takes minutes on a small machine, and leaves stack traces in the file.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import fx, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from edge_runtime.recognize import INPUT, OUTPUT
from edge_runtime.spec import ModelSpec
from train.config import ConfigError
from train.network import Bounded

OPSET = 17  # LayerNormalization aside, what ONNX Runtime 1.12 and all providers since know
IR_VERSION = 8  # of that opset


def fold(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode, every normalisation folded into the convolution before it."""
    folded = copy.deepcopy(network).eval()
    for module in list(folded.modules()):
        if not isinstance(module, nn.Sequential):
            continue
        for at in range(len(module) - 1):
            first, second = module[at], module[at + 1]
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                module[at] = fuse_conv_bn_eval(first, second)
                module[at + 1] = nn.Identity()
    return folded


def to_onnx(network: nn.Module, spec: ModelSpec) -> onnx.ModelProto:
    """The graph: float32 (n, 1, height, w) "strips" to float32 (n, w / stride, labels) "log_probs".

    Raises:
        ConfigError: The network does what no node is known for.
    """
    folded = fold(network)
    graph = _Graph(dict(folded.named_modules()))
    for node in _Tracer().trace(folded).nodes:
        graph.add(node)
    strips = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", 1, spec.height_px, "w"])
    log_probs = helper.make_tensor_value_info(
        OUTPUT, TensorProto.FLOAT, ["n", "frames", len(spec.labels)]
    )
    model = helper.make_model(
        helper.make_graph(graph.nodes, spec.name, [strips], [log_probs], graph.weights),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="edge-hwr",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


class _Tracer(fx.Tracer):
    """Keeps together what becomes one node."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, Bounded) or super().is_leaf_module(module, name)


class _Graph:
    """ONNX nodes of a traced network."""

    def __init__(self, modules: dict[str, Any]) -> None:
        self.modules = modules
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._names: dict[fx.Node, str] = {}  # traced node -> ONNX tensor

    def add(self, node: fx.Node) -> None:
        if node.op == "placeholder":
            self._names[node] = INPUT
        elif node.op == "output":
            (last,) = node.all_input_nodes
            self.nodes[-1].output[0] = OUTPUT
            assert self.nodes[-1].name == self._names[last]
        elif node.op == "call_module":
            self._module(node)
        elif node.op == "call_function" and node.target in _FUNCTIONS:
            _FUNCTIONS[node.target](self, node)
        elif node.op == "call_method" and node.target in _METHODS:
            _METHODS[node.target](self, node)
        else:
            raise ConfigError(f"{node.target}: no ONNX node is known for it; add it to onnx_export")

    def emit(self, node: fx.Node, kind: str, *more: str, **attributes: Any) -> None:
        """One ONNX node; `more` are inputs after the traced ones."""
        inputs = [self._names[one] for one in node.all_input_nodes]
        self.nodes.append(
            helper.make_node(kind, [*inputs, *more], [node.name], name=node.name, **attributes)
        )
        self._names[node] = node.name

    def skip(self, node: fx.Node) -> None:
        self._names[node] = self._names[node.all_input_nodes[0]]

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _module(self, node: fx.Node) -> None:
        name, module = str(node.target), self.modules[str(node.target)]
        if isinstance(module, nn.Dropout | nn.Identity):
            return self.skip(node)
        if isinstance(module, Bounded):
            ends = (0.0, float(module.ceiling.detach()))
            made = [
                self.constant(f"{name}.{end}", np.array(value, np.float32))
                for end, value in zip(("floor", "ceiling"), ends, strict=True)
            ]
            return self.emit(node, "Clip", *made)
        if not isinstance(module, nn.Conv2d) or isinstance(module.padding, str):
            raise ConfigError(f"{name}: no ONNX node is known for it; add it to onnx_export")
        inputs = [self.constant(f"{name}.weight", module.weight.detach().numpy())]
        if module.bias is not None:
            inputs.append(self.constant(f"{name}.bias", module.bias.detach().numpy()))
        self.emit(
            node,
            "Conv",
            *inputs,
            kernel_shape=module.kernel_size,
            strides=module.stride,
            pads=[*module.padding, *module.padding],
            dilations=module.dilation,
            group=module.groups,
        )

    def squeeze(self, node: fx.Node) -> None:
        axes = self.constant(f"{node.name}.axes", np.array([node.args[1]], np.int64))
        self.emit(node, "Squeeze", axes)


_FUNCTIONS: dict[Any, Callable[[_Graph, fx.Node], None]] = {
    functional.relu: lambda graph, node: graph.emit(node, "Relu"),
    torch.relu: lambda graph, node: graph.emit(node, "Relu"),
    operator.add: lambda graph, node: graph.emit(node, "Add"),
    functional.log_softmax: lambda graph, node: graph.emit(
        node, "LogSoftmax", axis=node.kwargs["dim"]
    ),
}
_METHODS: dict[Any, Callable[[_Graph, fx.Node], None]] = {
    "float": _Graph.skip,
    "squeeze": _Graph.squeeze,
    "permute": lambda graph, node: graph.emit(node, "Transpose", perm=_integers(node.args[1:])),
    "mean": lambda graph, node: graph.emit(
        node, "ReduceMean", axes=_integers(node.kwargs["dim"]), keepdims=0
    ),
}


def _integers(values: Any) -> list[int]:
    return [int(one) for one in values]
