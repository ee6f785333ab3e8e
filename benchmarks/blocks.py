"""Fields of several lines: whether the lines are told apart, and how they are read.

    python -m benchmarks.blocks [--n 300] [--part val] [--seed 0] [--out FILE] [--save FOLDER]

Blocks of one to five lines by one writer each, whom the model never saw (`train.blocks`): from
wide apart to touching, leaning, on all the papers of training, some of which no one could read.
*Told*: as many lines as were written. *Line*: of their lines, those that are exact; blocks of one
line tell what the reading alone costs. *Asked nothing*: how many of the same pictures are accepted
by a field of one line, which must be none but those of one line.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.record import write_record
from edge_runtime import Field, Reader, Status
from train.blocks import Block, draw_block
from train.config import data_folder
from train.engine import Engine, EngineConfig

_MOST = 5


@dataclass(frozen=True, slots=True)
class Row:
    """Blocks of so many lines; shares are 0..1."""

    lines: int
    n: int
    told: float
    line_exact: float  # case aside
    exact: float  # the whole block, case aside
    accepted: float
    wrong_accepted: float  # of the accepted
    accepted_as_one: float  # by a field of one line


def drawn(engine: Engine, *, n: int, seed: int) -> list[Block]:
    """`n` blocks."""
    rng = np.random.default_rng(seed)
    found: list[Block] = []
    while len(found) < n:
        block = draw_block(engine, rng, lines=1 + len(found) % _MOST)
        if block is not None:
            found.append(block)
    return found


def measure(reader: Reader, blocks: list[Block], lines: int) -> Row:
    """Those of so many lines."""
    own = [block for block in blocks if len(block.lines) == lines]
    told = exact = line_exact = accepted = wrong = as_one = 0
    for block in own:
        one = reader.read_field(block.picture, Field("block", lines=_MOST))
        read, wanted = one.text.split("\n"), list(block.lines)
        told += len(read) == lines
        exact += [text.lower() for text in read] == [text.lower() for text in wanted]
        if len(read) == lines:
            line_exact += sum(a.lower() == b.lower() for a, b in zip(read, wanted, strict=True))
        if one.status is Status.ACCEPTED:
            accepted += 1
            wrong += read != wanted
        as_one += reader.read_field(block.picture, Field("line")).status is Status.ACCEPTED
    n = len(own)
    return Row(
        lines, n, told / n, line_exact / (n * lines), exact / n, accepted / n,
        wrong / max(1, accepted), as_one / n,
    )  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.blocks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--part", default="val", choices=["tuning", "val"], help="whose hands")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON of the rows")
    parser.add_argument("--save", type=Path, help="folder for the pictures")
    told = parser.parse_args(arguments)
    reader = Reader(told.model, threads=1)
    engine = Engine(data_folder(), reader.spec, EngineConfig(), part=told.part, seed=told.seed)
    blocks = drawn(engine, n=told.n, seed=told.seed)
    if told.save:
        told.save.mkdir(parents=True, exist_ok=True)
        for at, block in enumerate(blocks):
            cv2.imwrite(str(told.save / f"{at:04}.png"), block.picture)
    print(f"{reader.model_id}, hands: {told.part}, seed {told.seed}; in %")
    print(f"{'lines':>5}{'n':>5}{'told':>7}{'line':>7}{'block':>7}{'accepted':>10}{'wrong':>7}"
          f"{'as one line':>13}")  # fmt: skip
    rows = [measure(reader, blocks, lines) for lines in range(1, _MOST + 1)]
    for row in rows:
        print(
            f"{row.lines:5}{row.n:5}{100 * row.told:7.1f}{100 * row.line_exact:7.1f}"
            f"{100 * row.exact:7.1f}{100 * row.accepted:10.1f}{100 * row.wrong_accepted:7.1f}"
            f"{100 * row.accepted_as_one:13.1f}"
        )
    if told.out:
        write_record(told.out, reader, rows, part=told.part, seed=told.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
