"""Checkpoints as the export sees them: averaged weights, and what they were trained with.

Owns:   `Trained`, `load_trained`, `save_weights` (the small file that is kept with the model).
Needs:  torch, `train.loop`, `train.config`, `train.network`.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from train.config import ConfigError, ScheduleConfig, StripConfig, TrainConfig
from train.engine import EngineConfig
from train.loop import load_checkpoint
from train.network import Network, NetworkConfig

Weights = dict[str, Tensor]

_KEPT = ("name", "network", "strip", "engine", "schedule", "seen", "spent_s")
# Statistics of a normalisation go under what half precision tells from nought; they are few.
_LEAST_DIMENSIONS_HALVED = 2


@dataclass(frozen=True, slots=True)
class Trained:
    """A network that was trained, and where it comes from."""

    config: TrainConfig
    network: Network  # averaged weights, evaluation mode
    seen: int  # strips
    sha256: str  # of the checkpoint file
    curve: Mapping[str, str]  # last row of the run's curve.csv; empty where there is none


def load_trained(path: Path) -> Trained:
    """Read a checkpoint of `python -m train`, or one that `save_weights` made.

    Raises:
        ConfigError: No checkpoint, or its tables are not those of this version.
    """
    held = load_checkpoint(path)
    try:
        config = TrainConfig(
            name=held["name"],
            strip=StripConfig(**_table(held["strip"])),
            engine=EngineConfig(**held["engine"]),
            network=NetworkConfig(**_table(held["network"])),
            schedule=ScheduleConfig(**held["schedule"]),
        )
        spec = config.spec()
        network = Network(config.network, len(spec.labels), height_px=spec.height_px)
        network.load_state_dict({name: _full(one) for name, one in held["average"].items()})
    except (KeyError, TypeError, RuntimeError) as error:
        raise ConfigError(
            f"{path}: of another version of the network ({error}); train it anew"
        ) from error
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Trained(config, network.eval(), int(held["seen"]), digest, _last_row(path.parent))


def save_weights(
    checkpoint: Path,
    out: Path,
    *,
    mix: float = 1.0,
    other: Path | None = None,
    base: Path | None = None,
) -> int:
    """Write the averaged weights alone, convolutions in half precision.

    Args:
        checkpoint: Of `python -m train`.
        out: File that `load_trained` and `train.loop.load_checkpoint` read.
        mix: How far the weights go from the run's base to where it ended, 0..2. What was trained on
            for some kinds of fields reads other hands better a little short of its end (Wortsman
            and others, "Robust fine-tuning of zero-shot models", 2022), and the mean of two runs
            beyond it: what each learnt by heart is halved there.
        other: Weights of another run from the same base; the mean of both is mixed.
        base: What to mix with, and what the weights are a twin of, where the run went on from
            weights that came from it; default the run's own.

    Returns:
        Bytes written.

    Raises:
        ConfigError: No checkpoint, one without a base to mix with, or `other` of another network.
    """
    held = load_checkpoint(checkpoint)
    average = held["average"]
    if other is not None:
        beside = load_checkpoint(other)
        if beside["network"] != held["network"]:
            raise ConfigError(f"{other}: of another network than {checkpoint}")
        average = _between(average, beside["average"], 0.5)
    if mix != 1.0:
        begun = base or held["schedule"].get("base")
        if not begun:
            raise ConfigError(f"{checkpoint}: was trained from no base; leave --mix out")
        average = _between(load_checkpoint(Path(begun))["average"], average, mix)
    average = {
        name: one.half() if one.ndim >= _LEAST_DIMENSIONS_HALVED else one.clone()
        for name, one in average.items()
    }
    kept = {key: held[key] for key in _KEPT}
    if base is not None:
        kept["schedule"] = {**kept["schedule"], "base": base.as_posix()}
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save({**kept, "mix": mix, "average": average}, out)
    return out.stat().st_size


def _between(begun: Mapping[str, Tensor], ended: Mapping[str, Tensor], far: float) -> Weights:
    """From one set of weights towards another; counts are the latter's."""
    return {
        name: _full(begun[name]).lerp(_full(one), far) if one.is_floating_point() else one
        for name, one in ended.items()
    }


def _table(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(one) if isinstance(one, list) else one for key, one in raw.items()}


def _full(one: Tensor) -> Tensor:
    return one.float() if one.dtype == torch.float16 else one


def _last_row(run: Path) -> Mapping[str, str]:
    curve = run / "curve.csv"
    if not curve.is_file():
        return {}
    with curve.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return rows[-1] if rows else {}
