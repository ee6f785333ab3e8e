"""Strips for ranges and gates, drawn from writers set aside for tuning.

Owns:   `Sample`, `draw_samples`, `batches`.
Needs:  `train.engine`, `edge_runtime.preprocess`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.preprocess import Gray, bucket_px, to_tensor
from edge_runtime.recognize import BATCH_STRIPS
from edge_runtime.spec import ModelSpec
from train.engine import Engine, EngineConfig

Tensor = NDArray[np.float32]

# Strips times their width: whoever finds ranges holds all activations of a batch.
_BATCH_COLUMNS = 32 * 256


class Sample(NamedTuple):
    """One strip that was drawn."""

    pixels: Gray  # (height_px, w)
    text: str
    source: str


class Group(NamedTuple):
    """Samples that go through the network together."""

    tensor: Tensor  # float32 (n, 1, height_px, bucket)
    samples: tuple[Sample, ...]


def draw_samples(
    data: Path, spec: ModelSpec, config: EngineConfig, *, part: str, n: int, seed: int
) -> list[Sample]:
    """As many of every source that the run was trained with, so that rare ones are judged too."""
    even = replace(
        config, **{one.name: float(getattr(config, one.name) > 0) for one in fields(config)}
    )
    engine = Engine(data, spec, even, part=part, seed=seed)
    rng = np.random.default_rng(seed)
    return [Sample(*engine.draw(rng)) for _ in range(n)]


def batches(samples: Sequence[Sample], spec: ModelSpec) -> Iterator[Group]:
    """Batches of one bucket each."""
    waiting: dict[int, list[Sample]] = defaultdict(list)
    for one in samples:
        waiting[bucket_px(one.pixels.shape[1], spec)].append(one)
    for bucket, found in sorted(waiting.items()):
        size = max(1, min(BATCH_STRIPS, _BATCH_COLUMNS // bucket))
        for start in range(0, len(found), size):
            some = tuple(found[start : start + size])
            yield Group(to_tensor([one.pixels for one in some], bucket, spec), some)
