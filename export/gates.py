"""What an export must fulfil before it is written: the same numbers, the same texts, less time.

Owns:   `Gate`, `GateError`, the gates and their limits.
Needs:  numpy, torch, `quantize`, `strips`.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
import torch
from torch import nn

from edge_runtime.errors import EdgeHwrError
from edge_runtime.spec import ModelSpec
from export.quantize import run
from export.strips import Group, Tensor
from train.evaluate import greedy

FP32_TOLERANCE = 1e-3  # nats; float32 sums in another order differ by a tenth of it
MAX_LOSS = 0.5  # points of exact texts, int8 against fp32
CHANCE_SD = 1.64  # a source of some hundred strips fails where chance (1 in 20) does not explain it
LEAST_SPEED = 1.0  # times fp32; the aim is what VNNI gives
AIM_SPEED = 1.8


class GateError(EdgeHwrError):
    """An export that must not ship."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One demand and what was measured."""

    name: str
    measured: str
    limit: str
    passed: bool

    def line(self) -> str:
        said = "pass" if self.passed else "FAIL"
        return f"{said}  {self.name}: {self.measured} (limit {self.limit})"


def check(gates: Sequence[Gate]) -> None:
    """Raise `GateError` where one failed."""
    failed = [gate.line() for gate in gates if not gate.passed]
    if failed:
        raise GateError(
            "export stopped at its gates: "
            + "; ".join(failed)
            + ". Nothing was written; train longer, or look at the ranges (export/quantize.py)"
        )


def same_numbers(network: nn.Module, fp32: ort.InferenceSession, groups: Sequence[Group]) -> Gate:
    """torch and the fp32 ONNX agree, over batches of several sizes and widths."""
    worst = 0.0
    with torch.no_grad():
        for group in groups:
            told = network(torch.from_numpy(group.tensor)).numpy()
            worst = max(worst, float(np.abs(told - run(fp32, group.tensor)).max()))
    shapes = len({group.tensor.shape for group in groups})
    return Gate(
        "torch = fp32 ONNX",
        f"{worst:.1e} nats apart at most, {shapes} shapes",
        f"{FP32_TOLERANCE:g}",
        worst <= FP32_TOLERANCE,
    )


def same_texts(
    fp32: ort.InferenceSession, int8: ort.InferenceSession, groups: Sequence[Group], spec: ModelSpec
) -> list[Gate]:
    """int8 loses under `MAX_LOSS` points of exact texts: over all, and on each source."""
    pairs: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for group in groups:
        before, after = (
            greedy(torch.from_numpy(run(one, group.tensor)), spec.labels) for one in (fp32, int8)
        )
        for sample, a, b in zip(group.samples, before, after, strict=True):
            pairs[sample.source].append((a == sample.text, b == sample.text))
    every = [pair for found in pairs.values() for pair in found]
    return [
        _loss_gate("all sources", every, sd=0.0),
        *(_loss_gate(name, found, sd=CHANCE_SD) for name, found in sorted(pairs.items())),
    ]


def _loss_gate(name: str, pairs: Sequence[tuple[bool, bool]], *, sd: float) -> Gate:
    """The loss, less what chance makes of so few strips."""
    n = len(pairs)
    before, after = (100 * sum(pair[which] for pair in pairs) / n for which in (0, 1))
    chance = 100 * math.sqrt(sum(a != b for a, b in pairs)) / n
    loss = before - after
    limit = f"loss < {MAX_LOSS} point" + (f" + {sd} x {chance:.2f} of chance" if sd else "")
    return Gate(
        f"int8 reads as fp32, {name}",
        f"{before:.2f} % -> {after:.2f} % of {n} strips, loss {loss:+.2f}",
        limit,
        loss < MAX_LOSS + sd * chance,
    )


def faster(
    fp32: ort.InferenceSession, int8: ort.InferenceSession, tensor: Tensor, *, repeat: int
) -> tuple[Gate, dict[str, float]]:
    """int8 takes less time than fp32: same tensors, same run, turn by turn, the best of each.

    Args:
        fp32: One thread.
        int8: One thread.
        tensor: Of 32 strips.
        repeat: Runs of each; the best counts, since what else the machine does only adds.

    Returns:
        The gate, and milliseconds of a batch by name.
    """
    best = {"fp32": math.inf, "int8": math.inf}
    for turn in range(repeat + 1):
        for name, one in (("fp32", fp32), ("int8", int8)):
            began = time.perf_counter()
            run(one, tensor)
            if turn:  # the first run of a shape plans its memory
                best[name] = min(best[name], 1000 * (time.perf_counter() - began))
    times = best["fp32"] / best["int8"]
    n, width = tensor.shape[0], tensor.shape[3]
    gate = Gate(
        f"int8 is faster, {n} strips of {width} px, 1 thread",
        f"{times:.2f}x ({best['fp32']:.1f} -> {best['int8']:.1f} ms; aim {AIM_SPEED}x)",
        f"> {LEAST_SPEED:g}x",
        times > LEAST_SPEED,
    )
    return gate, best
