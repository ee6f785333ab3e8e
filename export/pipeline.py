"""The whole export: a checkpoint in, the model's folder out, nothing where a gate fails.

Owns:   `Options`, `TWINS`, `export`, `make` (one network's fp32 and int8).
Needs:  everything else in here.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import onnx
import torch

from edge_runtime.machine import Machine
from edge_runtime.preprocess import bucket_px, to_tensor
from edge_runtime.recognize import BATCH_STRIPS, MODEL_FILE
from edge_runtime.spec import ModelSpec, Twin, check_seal
from export import card, gates
from export.calibrate import (
    fit_claims,
    fit_groups,
    judge_claims,
    placeholder,
    read_items,
)
from export.checkpoint import Trained, load_trained
from export.items import draw_items
from export.onnx_export import to_onnx
from export.quantize import Recipe, choose, find_ranges, quantize, session
from export.stamp import stamp
from export.strips import Sample, Tensor, batches, draw_samples
from export.widths import reading_widths
from train.config import ConfigError
from train.network import n_macs, n_parameters

_TIMED_PX = 176  # a bucket in the middle
_MACS_PX = (64, 160, 480)
_SAME_NUMBERS_ON = 12  # batches
# What stands in fields of figures: any mark, and the X that strikes out a cell.
_FIGURES = "".join(char for char in map(chr, range(32, 127)) if not char.isalpha()) + "X"
TWINS = {
    "cells": Twin(places=("alone", "cell")),
    "figures": Twin(_FIGURES, places=("line",)),
    "codes": Twin(groups=("cell", "code"), places=("line",)),
    "words": Twin(groups=("cell_text",), places=("line",)),
}


@dataclass(frozen=True)
class Options:
    """How much is measured, and where things are."""

    data: Path
    ranges_on: int = 3000  # strips, for int8's ranges; as many others choose among the recipes
    gate_on: int = 6000  # strips: of each source some 650, so that chance fails no source
    calibrate_on: int = 2500  # fields of each group
    timed: int = 20  # runs of each session
    seed: int = 1
    prior: Path | None = None  # from `python -m train.prior`; None: a model without
    fp32: Path | None = None  # the same in fp32 goes there; None: beside the checkpoint
    twins: tuple[Path, ...] = ()  # checkpoints of twins, by the names in `TWINS`


def export(checkpoint: Path, out: Path, options: Options, *, log: Callable[[str], None]) -> Path:
    """Export a checkpoint.

    Args:
        checkpoint: Of `python -m train`, or weights alone.
        out: Folder of the model, its card and its licence.
        options: How much is measured.
        log: Called with a line of text.

    Returns:
        Path of the int8 model.

    Raises:
        GateError: The model must not ship; `out` is as it was.
        ConfigError: No checkpoint.
        DataError: The handwriting is not there.
    """
    steps = Steps(log)
    one_thread()
    trained = load_trained(checkpoint)
    found = {one.config.name: one for one in map(load_trained, options.twins)}
    for twin in found.values():
        check_twin(trained, twin)
    twins = {name: found[name] for name in TWINS if name in found}
    versions = {name: version(name) for name in ("torch", "onnx", "onnxruntime", "numpy")}
    spec = trained.config.spec()
    spec = replace(spec, widths_px=reading_widths(spec))
    made = make(trained, spec, options, steps)
    others = {
        name: make(one, spec, options, steps, recipe=made.recipe) for name, one in twins.items()
    }
    passed = [*made.gates, *(gate for one in others.values() for gate in one.gates)]
    gates.check(passed)
    spec = replace(
        spec,
        notes=card.notes(trained, versions, str(made.recipe), twins),
        calibration=placeholder(),
        twins={name: TWINS[name] for name in twins},
    )
    int8, fp32 = (
        partial(stamp, getattr(made, one), twins={k: getattr(v, one) for k, v in others.items()})
        for one in ("int8", "fp32")
    )
    priors = options.prior.read_bytes() if options.prior else b""
    items = draw_items(
        options.data, spec, trained.config.engine, n=options.calibrate_on, seed=options.seed
    )
    steps.done(f"{len(items)} fields")
    with TemporaryDirectory() as folder:
        bare = Path(folder) / MODEL_FILE
        bare.write_bytes(int8(spec, priors))
        read = read_items(bare, items)
        claims = judge_claims(bare, items, seed=options.seed)
    groups = {**fit_groups(read), **fit_claims(claims)}
    spec = replace(spec, calibration={name: one.calibration for name, one in groups.items()})
    for name, one in groups.items():
        log(f"{name}: {one.line()}")
    steps.done("calibration")
    data, plain = int8(spec, priors), fp32(spec, priors)
    facts = card.Facts(
        trained=trained,
        spec=spec,
        parameters=n_parameters(trained.network),
        macs={w: n_macs(trained.network, height_px=spec.height_px, width_px=w) for w in _MACS_PX},
        sha256=hashlib.sha256(data).hexdigest(),
        digest=check_seal(data),
        bytes_int8=len(data),
        bytes_fp32=len(plain),
        recipe=str(made.recipe),
        tried=made.tried,
        ranges_on=options.ranges_on,
        twins=twins,
        gates=passed,
        groups=groups,
        blank=read.blank,
        versions={**versions, "python": platform.python_version()},
        machine=Machine.here().cpu,
    )
    _write(options.fp32 or checkpoint.parent / "model.fp32.onnx", plain)
    _write(out / MODEL_FILE, data)
    card.write_card(out / card.CARD_FILE, facts)
    card.write_licences(out / "LICENSES", trained)
    steps.done(f"{out / MODEL_FILE}, {len(data):,} bytes, {facts.sha256}")
    return out / MODEL_FILE


def one_thread() -> None:
    """As the runtime reads; torch's sums hang on how many share them."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def check_twin(model: Trained, twin: Trained) -> None:
    """A twin must have been trained on from the model, its large kernels untouched.

    Raises:
        ConfigError: It was not.
    """
    if twin.config.name not in TWINS:
        raise ConfigError(
            f"a twin named {twin.config.name!r}; for which fields only {', '.join(TWINS)} are known"
        )
    own, other = model.network.state_dict(), twin.network.state_dict()
    frozen = tuple(f"{part}." for part in twin.config.schedule.frozen)
    kept = [name for name in own if frozen and name.startswith(frozen) and own[name].ndim > 1]
    same_shape = {k: v.shape for k, v in own.items()} == {k: v.shape for k, v in other.items()}
    if not kept or not same_shape or any(not torch.equal(own[k], other[k]) for k in kept):
        raise ConfigError(
            f"{twin.config.name!r} is no twin of {model.config.name!r}: train it with the model's "
            "weights as schedule.base and with schedule.frozen, as train/configs/figures.toml does"
        )


@dataclass(frozen=True)
class Made:
    """One network in fp32 and int8, and what its gates say."""

    fp32: onnx.ModelProto
    int8: onnx.ModelProto
    recipe: Recipe
    tried: dict[str, float]
    gates: list[gates.Gate]


def make(
    trained: Trained,
    spec: ModelSpec,
    options: Options,
    steps: Steps,
    *,
    recipe: Recipe | None = None,
) -> Made:
    """fp32 and int8 of one network; a twin is given the model's own `recipe`: one graph."""
    name, n_ranges = trained.config.name, options.ranges_on
    fp32 = to_onnx(trained.network, spec)
    steps.done(f"{name}: fp32 ONNX")
    n = options.gate_on + 2 * n_ranges
    samples = draw_samples(
        options.data, spec, trained.config.engine, part="tuning", n=n, seed=options.seed
    )
    ranges_on, judged_on = samples[:n_ranges], samples[n_ranges : 2 * n_ranges]
    gated = list(batches(samples[2 * n_ranges :], spec))
    steps.done(f"{name}: {n} strips")
    tensors = [group.tensor for group in batches(ranges_on, spec)]
    twin = recipe is not None
    tried: dict[str, float] = {}
    if recipe is None:
        int8, recipe, tried = choose(fp32, tensors, list(batches(judged_on, spec)), spec)
    else:
        int8 = quantize(fp32, find_ranges(fp32, tensors, recipe), recipe)
    steps.done(f"{name}: int8, {recipe}")
    before, after = session(fp32), session(int8)
    found = [
        gates.same_numbers(trained.network, before, gated[:: -(-len(gated) // _SAME_NUMBERS_ON)]),
        *gates.same_texts(before, after, gated, spec),
        gates.faster(before, after, _timed(samples, spec), repeat=options.timed)[0],
    ]
    if twin:
        found = [replace(gate, name=f"{name}: {gate.name}") for gate in found]
    for gate in found:
        steps.log(gate.line())
    steps.done(f"{name}: gates")
    return Made(fp32, int8, recipe, tried, found)


class Steps:
    """Says what each step took."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self.log, self._since = log, time.monotonic()

    def done(self, what: str) -> None:
        now = time.monotonic()
        self.log(f"{now - self._since:6.1f} s  {what}")
        self._since = now


def _timed(samples: list[Sample], spec: ModelSpec) -> Tensor:
    """32 strips of one width."""
    bucket = bucket_px(min(_TIMED_PX, spec.widths_px[-1]), spec)
    fitting = [one.pixels for one in samples if one.pixels.shape[1] <= bucket]
    return to_tensor((fitting * BATCH_STRIPS)[:BATCH_STRIPS], bucket, spec)


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held = path.with_suffix(".tmp")
    held.write_bytes(data)
    os.replace(held, path)
