"""A tiny network with fixed random weights, exported all the way; and the road to the data."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    import onnx

    from edge_runtime.spec import ModelSpec
    from export.checkpoint import Trained
    from export.strips import Sample


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as `python -m train` writes it, of a network that learnt nothing."""
    torch = pytest.importorskip("torch")
    from train.config import StripConfig, TrainConfig
    from train.network import Network, NetworkConfig

    config = TrainConfig(
        name="tiny",
        strip=StripConfig(widths_px=(32, 64, 128, 256)),
        network=NetworkConfig(
            stem=4, channels=(6, 8, 10), blocks=(1, 1, 1), line_channels=16, line_blocks=1
        ),
    )
    torch.manual_seed(3)
    network = Network(config.network, len(config.spec().labels))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.2)
            torch.nn.init.normal_(module.running_mean, std=0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    torch.nn.init.normal_(network.head.weight, std=0.7)
    path = tmp_path_factory.mktemp("run") / "last.pt"
    state = network.state_dict()
    torch.save(
        {
            "name": config.name,
            "network": asdict(config.network),
            "strip": asdict(config.strip),
            "engine": asdict(config.engine),
            "schedule": asdict(config.schedule),
            "weights": state,
            "average": state,
            "average_steps": 1,
            "optimizer": {},
            "seen": 1234,
            "spent_s": 1.0,
        },
        path,
    )
    (path.parent / "curve.csv").write_text("strips,exact\n1000,0.5\n1234,0.6\n", "utf-8")
    return path


@pytest.fixture(scope="session")
def trained(checkpoint: Path) -> Trained:
    from export.checkpoint import load_trained

    return load_trained(checkpoint)


@pytest.fixture(scope="session")
def spec(trained: Trained) -> ModelSpec:
    from export.calibrate import placeholder

    return replace(trained.config.spec(), calibration=placeholder())


@pytest.fixture(scope="session")
def samples(spec: ModelSpec) -> list[Sample]:
    """Strips of many widths with texts and two sources: noise, but it takes the whole road."""
    from export.strips import Sample

    rng = np.random.default_rng(2)
    out = []
    for at in range(48):
        pixels = rng.integers(0, 256, (spec.height_px, int(rng.integers(12, 250)))).astype(np.uint8)
        pixels[rng.random(pixels.shape) < 0.7] = 0
        out.append(Sample(pixels, "7", ("word", "glyph")[at % 2]))
    return out


@pytest.fixture(scope="session")
def fp32(trained: Trained, spec: ModelSpec) -> onnx.ModelProto:
    from export.onnx_export import to_onnx

    return to_onnx(trained.network, spec)


@pytest.fixture(scope="session")
def int8(fp32: onnx.ModelProto, samples: list[Sample], spec: ModelSpec) -> onnx.ModelProto:
    from export.quantize import Recipe, find_ranges, quantize
    from export.strips import batches

    recipe = Recipe("minmax")
    ranges = find_ranges(fp32, [group.tensor for group in batches(samples, spec)], recipe)
    return quantize(fp32, ranges, recipe)


@pytest.fixture(scope="session")
def handwriting() -> Path:
    """The folder of real strokes, where there is one."""
    root = Path(os.environ.get("EDGE_HWR_DATA", Path(__file__).parents[2] / "data"))
    if not (root / "unipen" / "words.npz").is_file() or not (root / "mnist").is_dir():
        pytest.skip(f"no handwriting in {root}; set EDGE_HWR_DATA")
    return root
