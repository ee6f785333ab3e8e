"""From the engine's samples to batches of one width each.

Owns:   `Batch`, `StripStream` (drawn in worker processes), `fixed_batches` (for evaluation).
Needs:  torch, `engine`, `edge_runtime.preprocess`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from edge_runtime.preprocess import Gray, bucket_px
from edge_runtime.spec import ModelSpec
from train.config import ScheduleConfig, TrainConfig
from train.engine import Engine


class Batch(NamedTuple):
    """Strips of one bucket."""

    strips: Tensor  # uint8 (n, 1, height_px, bucket)
    targets: Tensor  # int64, all labels one after the other
    lengths: Tensor  # int64 (n,), labels a strip
    sources: tuple[str, ...]
    texts: tuple[str, ...]


def batch_size(bucket: int, schedule: ScheduleConfig) -> int:
    """Fixed for each bucket: a new shape costs oneDNN seconds."""
    return max(8, min(schedule.max_batch, schedule.batch_px // bucket // 8 * 8))


def collate(samples: list[tuple[Gray, str, str]], bucket: int, spec: ModelSpec) -> Batch:
    """Pad to the bucket with paper, as `preprocess.to_tensor` does."""
    strips = np.zeros((len(samples), 1, spec.height_px, bucket), np.uint8)
    index = {label: number for number, label in enumerate(spec.labels)}
    for row, (pixels, _, _) in zip(strips, samples, strict=True):
        row[0, :, : pixels.shape[1]] = pixels
    targets = [index[char] for _, text, _ in samples for char in text]
    return Batch(
        torch.from_numpy(strips),
        torch.tensor(targets),
        torch.tensor([len(text) for _, text, _ in samples]),
        tuple(source for _, _, source in samples),
        tuple(text for _, text, _ in samples),
    )


class StripStream(IterableDataset[Batch]):
    """Endless batches; each worker draws its own strips.

    Args:
        config: The run.
        start: Strips seen before: a resumed run goes on with fresh strips, not with the old ones.
        rank: Number of the training process.
    """

    def __init__(self, config: TrainConfig, *, start: int, rank: int = 0) -> None:
        self.config, self.start, self.rank = config, start, rank

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        info = get_worker_info()
        worker = 100 * self.rank + (0 if info is None else info.id)
        seed = self.config.schedule.seed
        rng = np.random.default_rng([seed, self.start, worker])
        spec = self.config.spec()
        engine = Engine(
            self.config.data_folder(),
            spec,
            self.config.engine,
            part="train",
            seed=seed + worker,
            own=self.config.own.load(),
        )
        waiting: dict[int, list[tuple[Gray, str, str]]] = defaultdict(list)
        while True:
            sample = engine.draw(rng)
            bucket = bucket_px(sample[0].shape[1], spec)
            waiting[bucket].append(sample)
            if len(waiting[bucket]) == batch_size(bucket, self.config.schedule):
                yield collate(waiting.pop(bucket), bucket, spec)


def fixed_batches(config: TrainConfig, *, part: str, n: int, seed: int) -> list[Batch]:
    """The same `n` strips every time: what curves are measured on."""
    spec = config.spec()
    engine = Engine(config.data_folder(), spec, config.engine, part=part, seed=seed)
    rng = np.random.default_rng(seed)
    by_bucket: dict[int, list[tuple[Gray, str, str]]] = defaultdict(list)
    for _ in range(n):
        sample = engine.draw(rng)
        by_bucket[bucket_px(sample[0].shape[1], spec)].append(sample)
    out = []
    for bucket, samples in sorted(by_bucket.items()):
        size = batch_size(bucket, config.schedule)
        out += [collate(samples[i : i + size], bucket, spec) for i in range(0, len(samples), size)]
    return out
