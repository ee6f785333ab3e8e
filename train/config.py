"""The training configuration: one TOML file, in which an unknown key is an error.

Owns:   `TrainConfig` and its sections, `load_config`.
Needs:  tomllib, `edge_runtime.spec`.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from edge_runtime.errors import EdgeHwrError
from edge_runtime.spec import ModelSpec
from train.datasets import Samples, csv_crops, emnist, image_folder
from train.engine import EngineConfig
from train.network import NetworkConfig


class ConfigError(EdgeHwrError):
    """The configuration names what does not exist or leaves out what must be there."""


@dataclass(frozen=True, slots=True)
class StripConfig:
    """What a strip is; goes into the model's spec."""

    height_px: int = 32
    ink_px: int = 28
    margin_px: int = 4
    min_ink_ratio: float = 0.35
    stroke_pitch_px: float = 10.5
    widths_px: tuple[int, ...] = (32, 48, 64, 96, 128, 176, 240, 336, 480, 768)
    mean: float = 0.0
    std: float = 0.3
    charset: str = "".join(chr(code) for code in range(32, 127))


@dataclass(frozen=True, slots=True)
class OwnConfig:
    """The user's own sets; `engine.own` is their share of the strips."""

    emnist: str = ""  # the root that torchvision was given
    emnist_split: str = "byclass"
    folder: str = ""  # one folder a text, pictures inside
    csv: str = ""  # columns path, text and, if known, writer

    def load(self) -> tuple[Samples, ...]:
        """The sets that are named.

        Raises:
            EdgeHwrError: One of them is not there or not of its form.
        """
        found: list[Samples] = []
        if self.emnist:
            found.append(emnist(Path(self.emnist), self.emnist_split))
        if self.folder:
            found.append(image_folder(Path(self.folder)))
        if self.csv:
            found.append(csv_crops(Path(self.csv)))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class ScheduleConfig:
    """How long and how fast.

    The rate rises for `warmup` of the strips, stays, and falls to nought over the last `decay`.
    """

    strips: int = 2_600_000
    batch_px: int = 12_288  # widths in a batch add up to this
    max_batch: int = 128
    rate: float = 2e-3
    warmup: float = 0.02
    decay: float = 0.35
    weight_decay: float = 0.02
    clip: float = 2.0
    ema: float = 0.9995
    length_power: float = 0.5  # a strip's loss is divided by its length to this power
    base: str = ""  # weights to begin with, of `python -m export --weights-only` or a run
    frozen: tuple[str, ...] = ()  # parts of the network whose kernels stay as they were in `base`
    seed: int = 20
    evaluate_every: int = 200_000  # strips
    evaluate_on: int = 2_000  # strips drawn from tuning writers
    checkpoint_minutes: float = 4.0


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """All of a training run. `data` is EDGE_HWR_DATA unless the file names another folder."""

    name: str
    data: str = ""
    strip: StripConfig = field(default_factory=StripConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)
    own: OwnConfig = field(default_factory=OwnConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)

    def spec(self) -> ModelSpec:
        strip = self.strip
        return ModelSpec(
            name=self.name,
            labels=("", *strip.charset),
            height_px=strip.height_px,
            ink_px=strip.ink_px,
            margin_px=strip.margin_px,
            min_ink_ratio=strip.min_ink_ratio,
            widths_px=strip.widths_px,
            stride_px=4,
            stroke_pitch_px=strip.stroke_pitch_px,
            mean=strip.mean,
            std=strip.std,
        )

    def data_folder(self) -> Path:
        return Path(self.data) if self.data else data_folder()


def data_folder() -> Path:
    """EDGE_HWR_DATA, or `data/` in the checkout."""
    told = os.environ.get("EDGE_HWR_DATA")
    return Path(told) if told else Path(__file__).resolve().parent.parent / "data"


def load_config(path: Path) -> TrainConfig:
    """Read a configuration.

    Raises:
        ConfigError: No such file, not TOML, an unknown key, a value of the wrong type.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; see train/configs/") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    config: TrainConfig = _build(TrainConfig, raw, str(path))
    return config


def _build(kind: Any, raw: dict[str, Any], where: str) -> Any:
    known = {one.name for one in fields(kind)}
    if unknown := sorted(raw.keys() - known):
        raise ConfigError(
            f"{where}: unknown {', '.join(unknown)}; known: {', '.join(sorted(known))}"
        )
    hints, values = get_type_hints(kind), {}
    for name, value in raw.items():
        hint = hints[name]
        if is_dataclass(hint):
            if not isinstance(value, dict):
                raise ConfigError(f"{where}: {name} must be a table")
            values[name] = _build(hint, value, f"{where}: {name}")
        elif isinstance(value, list):
            values[name] = tuple(value)
        elif hint is float and isinstance(value, int) and not isinstance(value, bool):
            values[name] = float(value)
        elif type(value) is hint:
            values[name] = value
        else:
            raise ConfigError(f"{where}: {name} = {value!r} is not of type {hint.__name__}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f"{where}: {error}") from error
