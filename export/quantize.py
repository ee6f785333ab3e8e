"""int8: static QDQ, U8 activations, S8 weights per channel; the way of finding ranges is measured.

Owns:   `Recipe`, `quantize`, `graft`, `divergence`, `choose`.
Needs:  onnx, onnxruntime.quantization, `strips`.
Words:  *ranges* of activations are int8's; *calibration* is the probabilities' (see `calibrate`).
"""

from __future__ import annotations

import contextlib
import copy
import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import create_calibrator
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from edge_runtime.errors import ModelError
from edge_runtime.preprocess import n_frames
from edge_runtime.recognize import INPUT, OUTPUT
from edge_runtime.spec import ModelSpec
from export.strips import Group, Tensor

# On x64 ONNX Runtime turns S8 activations into U8, but not those that two nodes take, as around a
# residual block: half of the convolutions then stay fp32. Measured with ONNX Runtime 1.32, VNNI, 32
# strips of 176 px, against fp32: S8 0.84x, S8 kept by `session.qdqisint8allowed` 0.13x, U8 2.60x.
ACTIVATIONS = QuantType.QUInt8
QUANTIZED = ["Conv", "Add", "Relu", "Clip"]  # LogSoftmax and what moves axes stay fp32


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to int8."""

    method: str  # "minmax", "entropy" or "percentile"
    percentile: float = 0.0  # of the activations that stay in range
    fp32: tuple[str, ...] = ()  # convolutions left as they are: "head", "stem"

    def __str__(self) -> str:
        ranges = f"{self.method} {self.percentile:g}" if self.percentile else self.method
        return f"{ranges}, {' and '.join(self.fp32)} fp32" if self.fp32 else ranges

    @staticmethod
    def read(told: str) -> Recipe:
        """The recipe that a model's notes name.

        Raises:
            ModelError: None that is known.
        """
        ranges, _, ends = told.partition(", ")
        method, _, percentile = ranges.partition(" ")
        fp32 = tuple(ends.removesuffix(" fp32").split(" and ")) if ends else ()
        try:
            recipe = Recipe(method, float(percentile or 0.0), fp32)
        except ValueError:
            recipe = Recipe("")
        if method not in _METHODS or not set(fp32) <= _ENDS.keys() or str(recipe) != told:
            raise ModelError(f"int8 by {told!r}: no recipe that is known; export the model again")
        return recipe


RECIPES = (
    Recipe("minmax"),
    Recipe("percentile", 99.999),
    Recipe("percentile", 99.99),
    Recipe("entropy"),
)
_METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "entropy": CalibrationMethod.Entropy,
    "percentile": CalibrationMethod.Percentile,
}


class _Feed(CalibrationDataReader):  # type: ignore[misc]
    """One batch: a calibrator holds all activations of what one feed gives it."""

    def __init__(self, tensor: Tensor) -> None:
        self._left: list[Tensor] = [tensor]

    def get_next(self) -> dict[str, Tensor] | None:
        return {INPUT: self._left.pop()} if self._left else None


def find_ranges(model: onnx.ModelProto, tensors: Sequence[Tensor], recipe: Recipe) -> Any:
    """Ranges of all activations, ONNX Runtime's `TensorsData`."""
    options = {"percentile": recipe.percentile} if recipe.percentile else {}
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        plain = Path(folder) / "fp32.onnx"
        onnx.save(model, plain)
        calibrator = create_calibrator(
            plain,
            QUANTIZED,
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=_METHODS[recipe.method],
            extra_options=options,
        )
        for tensor in tensors:
            calibrator.collect_data(_Feed(tensor))
        return calibrator.compute_data()


def quantize(model: onnx.ModelProto, ranges: Any, recipe: Recipe) -> onnx.ModelProto:
    """The int8 model; `model` stays as it is."""
    with contextlib.redirect_stdout(io.StringIO()):
        quantizer = QDQQuantizer(
            onnx.shape_inference.infer_shapes(copy.deepcopy(model)),
            True,  # per channel
            False,  # all eight bits
            QuantType.QInt8,  # U8 weights lose nearly all of the speed
            ACTIVATIONS,
            ranges,
            [],
            [_ENDS[one](model) for one in recipe.fp32],
            QUANTIZED,
            {"ActivationSymmetric": False, "WeightSymmetric": True},
        )
        quantizer.quantize_model()
    made: onnx.ModelProto = quantizer.model.model
    return made


def graft(model: onnx.ModelProto, twin: onnx.ModelProto) -> onnx.ModelProto:
    """The exported model with the twin's numbers: their bytes differ in nothing else.

    Raises:
        ModelError: They are not of one graph.
    """
    held = onnx.ModelProto()
    held.CopyFrom(model)
    nodes = [
        [(one.op_type, *one.input, "", *one.output) for one in of.graph.node]
        for of in (model, twin)
    ]
    numbers = {one.name: one for one in twin.graph.initializer}
    same = nodes[0] == nodes[1] and len(numbers) == len(held.graph.initializer)
    for own in held.graph.initializer:
        other = numbers.get(own.name)
        if not same or other is None or (own.dims, own.data_type) != (other.dims, other.data_type):
            raise ModelError("the twin's graph is not the model's: export both of them together")
        own.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(other), own.name))
    return held


def divergence(
    fp32: ort.InferenceSession, int8: ort.InferenceSession, groups: Sequence[Group], spec: ModelSpec
) -> float:
    """Mean Kullback-Leibler divergence of a frame, nats, from fp32 to int8; padding left out."""
    total, frames = 0.0, 0
    for group in groups:
        true, made = run(fp32, group.tensor), run(int8, group.tensor)
        each = np.sum(np.exp(true) * (true - made), axis=2)
        for row, sample in zip(each, group.samples, strict=True):
            shown = n_frames(sample.pixels.shape[1], spec)
            total += float(row[:shown].sum())
            frames += shown
    return total / max(1, frames)


def choose(
    model: onnx.ModelProto, ranges_on: Sequence[Tensor], judged_on: Sequence[Group], spec: ModelSpec
) -> tuple[onnx.ModelProto, Recipe, dict[str, float]]:
    """The recipe nearest to fp32 on strips that no range was found on.

    Returns:
        The int8 model, its recipe, and the divergence of each that was tried. The ends of the
        network, two convolutions of twenty that hold a hundredth of the work, stay fp32 where that
        is nearer by a tenth: head first, then stem.
    """
    fp32 = session(model)
    tried: dict[str, float] = {}
    best: tuple[float, Recipe, Any, onnx.ModelProto] | None = None
    for recipe in RECIPES:
        ranges = find_ranges(model, ranges_on, recipe)
        made = quantize(model, ranges, recipe)
        tried[str(recipe)] = far = divergence(fp32, session(made), judged_on, spec)
        if best is None or far < best[0]:
            best = far, recipe, ranges, made
    assert best is not None
    far, recipe, ranges, made = best
    for ends in (("head",), ("head", "stem")):
        other = replace(recipe, fp32=ends)
        also = quantize(model, ranges, other)
        tried[str(other)] = nearer = divergence(fp32, session(also), judged_on, spec)
        if nearer < _GAIN * far:
            far, recipe, made = nearer, other, also
    return made, recipe, tried


_GAIN = 0.9


def session(model: onnx.ModelProto | bytes, *, threads: int = 1) -> ort.InferenceSession:
    """A session as the runtime opens it."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    data = model if isinstance(model, bytes) else model.SerializeToString()
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def run(one: ort.InferenceSession, tensor: Tensor) -> NDArray[np.float32]:
    """float32 (n, frames, labels)."""
    log_probs: NDArray[np.float32] = one.run([OUTPUT], {INPUT: tensor})[0]
    return log_probs


def _end(at: int) -> Callable[[onnx.ModelProto], str]:
    return lambda model: str([n.name for n in model.graph.node if n.op_type == "Conv"][at])


_ENDS = {"head": _end(-1), "stem": _end(0)}
