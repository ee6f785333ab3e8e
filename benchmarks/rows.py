"""Rows of cells, boxes and combs, by writers the model never saw: figures, codes, and words.

    python -m benchmarks.rows [--n 500] [--part tuning] [--save FOLDER] [--out FILE]

Drawn with the pens and papers of training, some of which no one could read. Each row is read as a
crop with the number of its cells and nothing else: where they stand has to be found. Half of the
rows have empty cells at their end. For names of people see `benchmarks.named`. What is drawn
changes with the training's engine: compare models by runs of one version of `train`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from benchmarks.accuracy import Item, measure
from benchmarks.record import write_record
from edge_runtime import Field, Reader
from train import texts
from train.config import data_folder
from train.engine import Engine, EngineConfig

_MOST_CELLS = 12
_IN_WORDS = set(texts.UPPER + " ")
_CHARSETS = {
    "digits": None,
    "code": texts.UPPER + texts.DIGITS + "-/",
    "text": texts.UPPER + " ",
}


def drawn_rows(engine: Engine, kind: str, *, n: int, seed: int) -> list[Item]:
    """`n` rows of "digits", "code" or "text" (words in capitals) with their fields and texts."""
    # A stream of its own for each kind.
    rng = np.random.default_rng([seed, {"digits": 6, "code": 4, "text": 5}[kind]])
    words = [engine.words.labels[i] for i in engine.words.of_part(engine.part)]
    found: list[Item] = []
    while len(found) < n:
        if kind == "text":
            text = " ".join(words[i] for i in rng.integers(len(words), size=rng.integers(1, 3)))
            text = text.upper()
        else:
            text = texts.digit_string(rng) if kind == "digits" else texts.code(rng).upper()
            text = text.replace(" ", "")[:_MOST_CELLS]
        if not 2 <= len(text) <= _MOST_CELLS or (kind == "text" and set(text) - _IN_WORDS):
            continue
        cells = len(text) + (int(rng.integers(1, 13)) if rng.random() < 0.5 else 0)
        crop = engine.draw_row(text.ljust(cells), rng)
        if crop is not None:
            found.append((crop, Field("row", kind, cells=cells, charset=_CHARSETS[kind]), text))
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rows",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--n", type=int, default=500, help="of each sort")
    parser.add_argument("--part", default="val", choices=["tuning", "val"], help="whose hands")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, help="folder for the crops of what is wrong")
    parser.add_argument("--out", type=Path, help="JSON of the rows")
    told = parser.parse_args(arguments)
    reader = Reader(told.model, threads=1)
    engine = Engine(data_folder(), reader.spec, EngineConfig(), part=told.part, seed=told.seed)
    print(f"{reader.model_id}, hands: {told.part}, seed {told.seed}")
    print(f"{'':8}{'n':>6}{'exact':>8}{'95 %':>14}{'CER':>7}{'accepted':>10}{'wrong of them':>15}")
    rows = []
    for kind in _CHARSETS:
        items = drawn_rows(engine, kind, n=told.n, seed=told.seed)
        row, readings = measure(reader, kind, items)
        rows.append(row)
        print(
            f"{row.name:8}{row.n:6}{100 * row.exact:8.2f}"
            f"{f'{100 * row.low:.1f}-{100 * row.high:.1f}':>14}{100 * row.cer:7.2f}"
            f"{100 * row.accepted:10.1f}{100 * row.wrong_accepted:15.2f}",
            flush=True,
        )
        if told.save:
            told.save.mkdir(parents=True, exist_ok=True)
            for at, ((crop, _, _), one) in enumerate(zip(items, readings, strict=True)):
                if one[0] != one[1]:
                    cv2.imwrite(str(told.save / f"{kind}-{at}.png"), crop)
                    print(f"    {kind}-{at}: {one[0]!r} read as {one[1]!r}, {one[2]:.3f} {one[3]}")
    if told.out:
        write_record(told.out, reader, rows, part=told.part, seed=told.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
