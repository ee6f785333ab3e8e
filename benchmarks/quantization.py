"""int8 against fp32: time on the same tensors in the same run, and texts right on every set.

    python -m benchmarks.quantization --fp32 runs/small/model.fp32.onnx [--out FILE.json]

The fp32 twin comes from `python -m export`; both files carry the same spec. One thread, batch 32.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from benchmarks.accuracy import SETS, measure
from edge_runtime import Reader
from edge_runtime.machine import Machine
from edge_runtime.place import lone_crop, take_ink
from edge_runtime.preprocess import bucket_px, to_tensor
from train.config import data_folder

_BATCH, _REPEAT, _WARM_UP = 32, 15, 3


@dataclass(frozen=True, slots=True)
class Speed:
    """Median times of one `session.run` of 32 strips."""

    width_px: int
    fp32_ms: float
    int8_ms: float

    @property
    def gain(self) -> float:
        return self.fp32_ms / self.int8_ms


def _session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def tensors(reader: Reader, data: Path) -> dict[int, NDArray[np.float32]]:
    """A batch of real strips for every bucket that 32 strips of the dev sets fall into."""
    held: dict[int, list[NDArray[np.uint8]]] = {}
    for name in ("digits", "usernames", "words", "text", "orand"):
        for crop, field, _ in SETS[name](data):
            for strip in take_ink(lone_crop(crop, field), reader.spec).filled:
                bucket = bucket_px(strip.pixels.shape[1], reader.spec)
                held.setdefault(bucket, []).append(strip.pixels)
    return {
        bucket: to_tensor(strips[:_BATCH], bucket, reader.spec)
        for bucket, strips in sorted(held.items())
        if len(strips) >= _BATCH
    }


def speed(fp32: Path, int8: Path, batches: dict[int, NDArray[np.float32]]) -> list[Speed]:
    """Both sessions in turns, so that what else the machine does hits both alike."""
    sessions, rows = [_session(path) for path in (fp32, int8)], []
    for width, batch in batches.items():
        times: list[list[float]] = [[], []]
        for turn in range(_WARM_UP + _REPEAT):
            for took, session in zip(times, sessions, strict=True):
                began = time.perf_counter()
                session.run(None, {"strips": batch})
                if turn >= _WARM_UP:
                    took.append(1000 * (time.perf_counter() - began))
        rows.append(Speed(width, *(float(np.median(one)) for one in times)))
    return rows


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quantization", description=__doc__)
    parser.add_argument("--fp32", type=Path, required=True)
    parser.add_argument("--int8", type=Path, help="default: the bundled model")
    parser.add_argument("--most", type=int, help="at most so many of each set")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    bundled = Path(str(resources.files("edge_runtime") / "models" / "small" / "model.onnx"))
    int8, data = told.int8 or bundled, data_folder()
    readers = [Reader(path, threads=1) for path in (told.fp32, int8)]
    rows = speed(told.fp32, int8, tensors(readers[1], data))
    for row in rows:
        print(
            f"32 strips of {row.width_px:4} px: fp32 {row.fp32_ms:7.1f} ms, "
            f"int8 {row.int8_ms:7.1f} ms, {row.gain:.2f} times faster"
        )
    gains = [row.gain for row in rows]
    print(
        f"all widths: {np.exp(np.mean(np.log(gains))):.2f} times faster (geometric mean), "
        f"least {min(gains):.2f}"
    )
    losses = []
    print(f"{'set':14}{'n':>7}{'fp32':>8}{'int8':>8}{'lost':>7}  (no case, %)")
    for name, items_of in SETS.items():
        items = list(items_of(data))[: told.most]
        before, after = (measure(reader, name, items)[0].exact_folded for reader in readers)
        losses.append({"set": name, "n": len(items), "fp32": before, "int8": after})
        print(
            f"{name:14}{len(items):7}{100 * before:8.2f}{100 * after:8.2f}"
            f"{100 * (before - after):7.2f}",
            flush=True,
        )
    if told.out:
        told.out.parent.mkdir(parents=True, exist_ok=True)
        facts = {
            "model": readers[1].model,
            "machine": asdict(Machine.here()),
            "threads": 1,
            "batch": _BATCH,
            "speed": [asdict(row) for row in rows],
            "sets": losses,
        }
        told.out.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
