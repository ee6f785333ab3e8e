"""`python -m train CONFIG.toml`: train, resume, evaluate."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from edge_runtime.errors import EdgeHwrError, ExitCode
from train.batches import fixed_batches
from train.config import load_config
from train.evaluate import score
from train.loop import Run, load_checkpoint, train, train_beside
from train.network import Network


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    parser.add_argument("config", type=Path, help="TOML file, see train/configs/")
    parser.add_argument("--out", type=Path, help="run folder; default runs/<name>")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--processes", type=int, default=1, help="that train side by side (CPU)")
    parser.add_argument("--threads", type=int, default=1, help="torch's threads, each process")
    parser.add_argument(
        "--workers", type=int, default=0, help="processes that draw strips; 0: in line"
    )
    parser.add_argument(
        "--evaluate", action="store_true", help="only score the checkpoint on val writers"
    )
    told = parser.parse_args(arguments)
    try:
        config = load_config(told.config)
        out = told.out or Path("runs") / config.name
        if told.evaluate:
            held = load_checkpoint(out / "last.pt")
            spec = config.spec()
            network = Network(config.network, len(spec.labels), height_px=spec.height_px)
            network.load_state_dict(held["average"])
            batches = fixed_batches(config, part="val", n=4000, seed=7)
            result = score(network.eval(), batches, spec, device=torch.device("cpu"))
            print(f"val writers, {held['seen']:,} strips seen: {result.line()}")
            print("written -> read: " + "  ".join(f"{a}->{b} {n}" for a, b, n in result.pairs))
            return ExitCode.OK
        run = Run(config, out, told.device, told.threads, told.workers)
        train_beside(run, told.processes) if told.processes > 1 else train(run)
    except EdgeHwrError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(out / "last.pt")
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
