"""The training loop: strips in, checkpoints and a curve out.

Owns:   `train`, the checkpoint's form, the learning rate.
Needs:  torch, `network`, `batches`.
Words:  progress is counted in strips, never in steps: batches of narrow strips are larger.
"""

from __future__ import annotations

import csv
import math
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from tqdm import tqdm

from edge_runtime.spec import ModelSpec
from train.batches import Batch, StripStream, fixed_batches
from train.config import ConfigError, ScheduleConfig, TrainConfig
from train.evaluate import Score, score
from train.network import Network, n_macs, n_parameters


def rate_at(part: float, schedule: ScheduleConfig) -> float:
    """Learning rate when `part` (0..1) of the strips have been seen."""
    if part < schedule.warmup:
        return schedule.rate * part / schedule.warmup
    left = (1 - part) / schedule.decay
    return schedule.rate * min(1.0, max(left, 0.0))


def loss_of(
    network: nn.Module, batch: Batch, spec: ModelSpec, power: float, device: torch.device
) -> Tensor:
    """CTC loss, mean over the batch of a strip's loss over its length to `power`."""
    # The very arithmetic of `preprocess.to_tensor`, on whichever device the batch is.
    strips = (batch.strips.to(device).float() / 255 - spec.mean) / spec.std
    strips = strips.contiguous(memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16, enabled=has_bfloat16(device)):
        log_probs = network(strips)
    if log_probs.ndim == 2:  # a glyph head: one label a strip
        return F.nll_loss(log_probs, batch.targets.to(device))
    n, frames, _ = log_probs.shape
    lengths = batch.lengths.to(device)
    if log_probs.device.type == "cpu":
        lengths = batch.lengths
    losses = F.ctc_loss(
        log_probs.transpose(0, 1),
        batch.targets.to(device),
        torch.full((n,), frames, device=lengths.device),
        lengths,
        reduction="none",
        zero_infinity=True,
    )
    return torch.mean(losses / batch.lengths.to(device) ** power)


def has_bfloat16(device: torch.device) -> bool:
    """Whether half precision is quicker there.

    A CPU whose AVX-512 lacks it takes twice as long with it, one without AVX-512 100 times.
    """
    if device.type != "cpu":
        return True
    has = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    if "avx512_bf16" in has:
        return bool(has["avx512_bf16"])
    return torch.backends.cpu.get_cpu_capability() not in ("DEFAULT", "NO AVX", "AVX2")


class Average:
    """Exponential moving average of weights and statistics: what is evaluated and exported."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}

    def update(self, network: nn.Module) -> None:
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            for name, value in network.state_dict().items():
                held = self.state[name]
                if held.dtype.is_floating_point:
                    held.lerp_(value, 1 - decay)
                else:
                    held.copy_(value)


def share_gradients(network: nn.Module, n: int) -> int:
    """Mean of all processes' gradients into each of them; the strips that all of them saw."""
    if not dist.is_initialized():
        return n
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat(
        [*(g.reshape(-1) for g in grads), torch.tensor([float(n)], device=grads[0].device)]
    )
    dist.all_reduce(flat)
    flat[:-1] /= dist.get_world_size()
    parts = torch.split(flat[:-1], [g.numel() for g in grads])
    for grad, part in zip(grads, parts, strict=True):
        grad.copy_(part.view_as(grad))
    return round(float(flat[-1]))


@dataclass(frozen=True, slots=True)
class Run:
    """A training run and what it may use.

    Args:
        config: The run.
        out: Folder of `last.pt` and `curve.csv`.
        device: "cpu" or "cuda".
        threads: Torch's, in each process.
        workers: Processes that draw strips; 0 draws in the training process.
    """

    config: TrainConfig
    out: Path
    device: str = "cpu"
    threads: int = 1
    workers: int = 0


def train_beside(run: Run, processes: int) -> None:
    """Train in several processes that share their gradients.

    One thread each, drawing its own strips: two threads of one process wait for each other wherever
    one of them is held up.
    """
    run.out.mkdir(parents=True, exist_ok=True)
    meeting = (run.out / "meeting").resolve()
    meeting.unlink(missing_ok=True)
    spawn(_join, (run, meeting, processes), processes)  # type: ignore[no-untyped-call]


def _join(rank: int, run: Run, meeting: Path, processes: int) -> None:
    dist.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=processes
    )
    train(run, rank=rank)
    # Together: one that leaves while the other still measures takes its threads down with it.
    dist.barrier()
    dist.destroy_process_group()


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def train(run: Run, *, rank: int = 0) -> Path:
    """Train, or go on with what the run's folder holds.

    Args:
        run: What to train, where, with what.
        rank: Number of this process; only 0 measures, writes and logs.

    Returns:
        Path of the last checkpoint.

    Raises:
        ConfigError: The folder holds a run with another network or another strip.
    """
    config, out, threads, workers, device = (
        run.config,
        run.out,
        run.threads,
        run.workers,
        run.device,
    )
    log = _log if rank == 0 else lambda _line: None
    torch.set_num_threads(threads)
    torch.manual_seed(config.schedule.seed)
    where, spec, schedule = torch.device(device), config.spec(), config.schedule
    network = Network(config.network, len(spec.labels), height_px=spec.height_px).to(where)
    network = network.to(memory_format=torch.channels_last)
    macs = n_macs(network, height_px=spec.height_px, width_px=160)
    log(f"{config.name}: {n_parameters(network):,} parameters, {macs / 1e6:.0f} M MACs for 160 px")
    if schedule.base:
        network.load_state_dict(_base(config))
    freeze(network, schedule.frozen)
    decayed = [p for p in network.parameters() if p.ndim > 1 and p.requires_grad]
    others = [p for p in network.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": schedule.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=schedule.rate,
        fused=True,
    )
    average = Average(network, schedule.ema)
    out.mkdir(parents=True, exist_ok=True)
    last, seen, spent = out / "last.pt", 0, 0.0
    if last.is_file():
        held = load_checkpoint(last)
        if held["network"] != asdict(config.network) or held["strip"] != asdict(config.strip):
            raise ConfigError(f"{last}: of another network; choose another --out or remove it")
        network.load_state_dict(held["weights"])
        optimizer.load_state_dict(held["optimizer"])
        average.state, average.steps = held["average"], held["average_steps"]
        seen, spent = held["seen"], held["spent_s"]
        log(f"resumed at {seen:,} strips")

    def save() -> None:
        saved = {
            "name": config.name,
            "network": asdict(config.network),
            "strip": asdict(config.strip),
            "engine": asdict(config.engine),
            "schedule": asdict(config.schedule),
            "weights": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "average": average.state,
            "average_steps": average.steps,
            "seen": seen,
            "spent_s": spent + time.monotonic() - began,
        }
        torch.save(saved, last.with_suffix(".tmp"))
        os.replace(last.with_suffix(".tmp"), last)

    began = saved_at = time.monotonic()
    tuning = (
        fixed_batches(config, part="tuning", n=schedule.evaluate_on, seed=schedule.seed)
        if rank == 0
        else []
    )
    measured = Network(config.network, len(spec.labels), height_px=spec.height_px).to(where)
    stream = DataLoader(
        StripStream(config, start=seen, rank=rank),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=16 if workers else None,
        multiprocessing_context="spawn" if workers else None,  # OpenCV hangs in forked processes
    )
    since, running = seen, 0.0
    with tqdm(
        total=schedule.strips, initial=seen, unit="strip", mininterval=10, disable=rank > 0
    ) as progress:
        for batch in stream:
            rate = rate_at(seen / schedule.strips, schedule)
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = loss_of(network.train(), batch, spec, schedule.length_power, where)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            n = share_gradients(network, len(batch.lengths))
            nn.utils.clip_grad_norm_(network.parameters(), schedule.clip)
            optimizer.step()
            average.update(network)
            before, seen = seen, seen + n
            value = loss.item()
            running = 0.99 * running + 0.01 * value if running else value
            if not math.isfinite(running):
                raise ConfigError(f"{config.name}: the loss is {running}; lower schedule.rate")
            progress.update(n)
            progress.set_postfix(loss=f"{running:.3f}", lr=f"{rate:.1e}", refresh=False)
            ended = seen >= schedule.strips
            due = seen // schedule.evaluate_every > before // schedule.evaluate_every
            if rank == 0 and (ended or due):
                measured.load_state_dict(average.state)
                pace = (seen - since) / (time.monotonic() - began)
                result = score(measured.eval(), tuning, spec, device=where)
                _append(
                    out / "curve.csv",
                    seen,
                    rate,
                    running,
                    pace,
                    spent + time.monotonic() - began,
                    result,
                )
                log(f"{seen:,} strips, {pace:.0f}/s, loss {running:.3f}: {result.line()}")
            if rank == 0 and (
                ended or time.monotonic() - saved_at > 60 * schedule.checkpoint_minutes
            ):
                save()
                saved_at = time.monotonic()
            if ended:
                break
    return last


def freeze(network: nn.Module, parts: tuple[str, ...]) -> None:
    """Kernels of the named parts stay as they are; their normalisations go on learning.

    Raises:
        ConfigError: The network has no such part.
    """
    for part in parts:
        found = [p for name, p in network.named_parameters() if name.startswith(f"{part}.")]
        if not found:
            raise ConfigError(f"schedule.frozen: the network has no part {part!r}")
        for one in found:
            one.requires_grad_(one.ndim <= 1)


def _base(config: TrainConfig) -> dict[str, Tensor]:
    """Averaged weights of the run that this one begins with."""
    path = Path(config.schedule.base)
    held = load_checkpoint(path)
    if held["network"] != asdict(config.network) or held["strip"] != asdict(config.strip):
        raise ConfigError(f"{path}: of another network; it cannot be the base of {config.name}")
    state: dict[str, Tensor] = {
        name: v.float() if v.is_floating_point() else v for name, v in held["average"].items()
    }
    return state


def load_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's tables and tensors, on the CPU.

    Raises:
        ConfigError: No such file, or no checkpoint of ours.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such checkpoint; train one with `python -m train`")
    held: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if "average" not in held or "network" not in held:
        raise ConfigError(f"{path}: not a checkpoint of `python -m train`")
    return held


def _append(
    path: Path, seen: int, rate: float, loss: float, pace: float, spent_s: float, result: Score
) -> None:
    """One more line of the curve; sources that came later stand empty in the lines before."""
    line = {
        "strips": f"{seen}",
        "rate": f"{rate:.3e}",
        "loss": f"{loss:.4f}",
        "strips_per_s": f"{pace:.0f}",
        "seconds": f"{spent_s:.0f}",
        "exact": f"{result.exact:.4f}",
        "cer": f"{result.cer:.4f}",
        **{f"exact_{one}": f"{share:.4f}" for one, share in sorted(result.by_source.items())},
    }
    lines: list[dict[str, str]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file, restval=""))
    names = list(dict.fromkeys(name for one in [*lines, line] for name in one))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, names, restval="")
        table.writeheader()
        table.writerows([*lines, line])
