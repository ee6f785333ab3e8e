"""A tiny sealed model with fixed random weights, and the road to the data.

The tiny model reads rubbish, but it takes the whole road: what must hold whatever the network says
is tested with it, in milliseconds and without the bundled model.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edge_runtime.spec import SEAL_KEY, SPEC_KEY, Calibration, ModelSpec, seal

if TYPE_CHECKING:
    from edge_runtime.reader import Reader

Gray = NDArray[np.uint8]
PRINTABLE = "".join(chr(code) for code in range(32, 127))


@pytest.fixture(scope="session")
def tiny_spec() -> ModelSpec:
    """The 95 printable ASCII characters and the blank; three buckets."""
    from edge_runtime.confidence import FEATURES

    weights = tuple(0.5 if name == "posterior_logit" else 0.0 for name in FEATURES)
    calibration = Calibration(bias=0.0, weights=weights, accept=0.9, reject=0.05, fitted_on=0)
    return ModelSpec(
        name="tiny",
        labels=("", *PRINTABLE),
        height_px=32,
        ink_px=24,
        margin_px=4,
        min_ink_ratio=0.3,
        widths_px=(64, 128, 512),
        stride_px=4,
        mean=0.0,
        std=1.0,
        calibration={"default": calibration},
    )


@pytest.fixture(scope="session")
def tiny_model(tiny_spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sealed ONNX file. Never write to it: copy its bytes first."""
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    path.write_bytes(seal(serialized(network(len(tiny_spec.labels)), tiny_spec)))
    return path


@pytest.fixture(scope="session")
def tiny_reader(tiny_model: Path) -> Iterator[Reader]:
    from edge_runtime.reader import Reader

    with Reader(tiny_model) as reader:
        yield reader


@pytest.fixture(scope="session")
def crops() -> tuple[Gray, ...]:
    """Ink-like crops of many shapes, dark on light: drawn words, noise, lines."""
    rng = np.random.default_rng(11)
    words = ["hello", "42", "a.b@c.de", "X", "10.000.-", "Zurich", "5-5-2015"]
    return tuple(written(word, rng=rng) for word in words)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real handwriting, where there is one."""
    root = Path(os.environ.get("EDGE_HWR_DATA", Path(__file__).parents[2] / "data"))
    if not (root / "dev").is_dir():
        pytest.skip(f"no handwriting in {root}; set EDGE_HWR_DATA")
    return root


def written(word: str, *, rng: np.random.Generator) -> Gray:
    """uint8 (h, w): a word in cv2's stroke font on grainy paper, of a random size."""
    scale = float(rng.uniform(0.8, 2.0))
    (w, h), base = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)
    crop = np.full((h + base + 16, w + 20), 235, np.uint8)
    cv2.putText(crop, word, (10, h + 8), cv2.FONT_HERSHEY_SIMPLEX, scale, 40, 2, cv2.LINE_AA)
    grain = rng.normal(0, 2, crop.shape)
    return np.clip(crop + grain, 0, 255).astype(np.uint8)


def network(n_labels: int, *, seed: int = 5) -> onnx.GraphProto:
    """float32 (n, 1, 32, w) "strips" to float32 (n, w / 4, n_labels) "log_probs"."""
    rng = np.random.default_rng(seed)

    def constant(name: str, *shape: int, spread: float) -> onnx.TensorProto:
        return numpy_helper.from_array(rng.normal(0, spread, shape).astype(np.float32), name)

    bias = np.zeros(n_labels, np.float32)
    bias[0] = 3.0  # blank is the commonest frame, as in a trained network
    weights = [
        constant("w1", 8, 1, 3, 3, spread=0.6),
        constant("w2", 24, 8, 16, 3, spread=0.2),
        constant("w3", n_labels, 24, 1, 1, spread=0.9),
        numpy_helper.from_array(bias, "b3"),
        numpy_helper.from_array(np.array([2], np.int64), "axes"),
    ]
    nodes = [
        helper.make_node("Conv", ["strips", "w1"], ["c1"], strides=[2, 2], pads=[1, 1, 0, 0]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], strides=[1, 2], pads=[0, 1, 0, 0]),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("Conv", ["r2", "w3", "b3"], ["c3"]),
        helper.make_node("Squeeze", ["c3", "axes"], ["s3"]),
        helper.make_node("Transpose", ["s3"], ["t3"], perm=[0, 2, 1]),
        helper.make_node("LogSoftmax", ["t3"], ["log_probs"], axis=-1),
    ]
    strips = helper.make_tensor_value_info("strips", TensorProto.FLOAT, ["n", 1, 32, "w"])
    log_probs = helper.make_tensor_value_info("log_probs", TensorProto.FLOAT, ["n", "t", n_labels])
    return helper.make_graph(nodes, "tiny", [strips], [log_probs], weights)


def serialized(graph: onnx.GraphProto, spec: ModelSpec | None) -> bytes:
    """ONNX bytes, unsealed; the spec in the metadata unless None."""
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    metadata = {} if spec is None else {SPEC_KEY: spec.to_json()}
    helper.set_model_props(model, {**metadata, SEAL_KEY: "0" * 64})
    return bytes(model.SerializeToString())
