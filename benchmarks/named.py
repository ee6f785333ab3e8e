"""Names of people and addresses of mail, by writers the model never saw: on lines and in cells.

    python -m benchmarks.named [--n 300] [--part val] [--held WORDS.txt] [--out FILE]

Composed of glyphs of one writer each, as `train.people` and `train.mail` have them (`people.tsv`
lies in the folder of the data), and coined ones, which are on no list. Each is read with the priors
for names and mail, and with none but the one for words ("plain"). With `--held` a sixth of all
names is taken away before priors are counted anew, and those alone are drawn: what is gained on
names that nobody listed. The word list is that of the shipped priors.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np

from benchmarks.accuracy import Item, Row, measure
from benchmarks.record import write_record
from edge_runtime import Field, Reader
from edge_runtime.prior import Priors
from train import texts
from train.coined import Coiner
from train.config import data_folder
from train.engine import Engine, EngineConfig
from train.mail import Mailer
from train.people import FILE, Namer, People
from train.prior import build

_CELLS = 16
_HELD = 6  # one name in so many
_EMPTY = 8  # cells behind a name, at most


def apart(people: People, *, held: bool) -> People:
    """The names that are held back, or those that are not; whole ones by each of their words."""
    return People(tuple(row for row in people.rows if _held(row[2]) is held))


def _held(text: str) -> bool | None:
    """Whether all words are held back, or none is; None where some are."""
    words = text.lower().replace("-", " ").split()
    told = {sha256(word.encode()).digest()[0] % _HELD == 0 for word in words}
    return told.pop() if len(told) == 1 else None


def drawn(
    engine: Engine, make: Callable[[np.random.Generator], str], kind: str, *, n: int, seed: int
) -> Iterator[Item]:
    """`n` of a kind; in cells where it is "cells", which are names."""
    rng = np.random.default_rng([seed, len(kind)])
    while n:
        text = make(rng)
        if kind == "cells":
            text = "".join(char for char in text if char.isalpha() or char == " ")[:_CELLS].strip()
            cells = len(text) + int(rng.integers(_EMPTY))
            crop = engine.draw_row(text.ljust(cells), rng) if text else None
            field = Field("row", "name", cells=cells)
        else:
            written = engine.write(text, rng)
            crop = written[1] if written is not None and written[0] == text else None
            field = Field("line", kind)
        if crop is not None:
            n -= 1
            yield crop, field, text


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.named",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--n", type=int, default=300, help="of each sort")
    parser.add_argument("--part", default="val", choices=["tuning", "val"], help="whose hands")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held", type=Path, help="word list; names that no prior was counted on")
    parser.add_argument("--out", type=Path, help="JSON of the rows")
    told = parser.parse_args(arguments)
    reader = Reader(told.model, threads=1)
    data = data_folder()
    people = People.load(data / FILE)
    priors = reader._priors
    if told.held:
        priors = build(data, [told.held], apart(people, held=False))
        people = apart(people, held=True)
    engine = Engine(data, reader.spec, EngineConfig(), part=told.part, seed=told.seed)
    coiner = Coiner({engine.words.labels[i] for i in engine.words.of_part("train")})
    namer, mailer = Namer(people), Mailer(people)
    sorts = {
        "names": (namer.name, "name"),
        "names in cells": (namer.name, "cells"),
        "coined names": (coiner.name, "name"),
        "mail": (mailer.email, "email"),
        "random mail": (texts.email, "email"),
    }
    print(f"{reader.model_id}, hands: {told.part}, seed {told.seed}")
    print(
        f"{'':16}{'n':>5}{'plain':>8}{'exact':>8}{'no case':>9}{'95 %':>12}{'accepted':>10}"
        f"{'wrong of it':>13}"
    )
    rows: list[Row] = []
    for name, (make, kind) in sorts.items():
        items = list(drawn(engine, make, kind, n=told.n, seed=told.seed))
        reader._priors = Priors(priors.words)
        plain, _ = measure(reader, f"{name}, plain", items)
        reader._priors = priors
        row, _ = measure(reader, name, items)
        rows += [plain, row]
        print(
            f"{row.name:16}{row.n:5}{100 * plain.exact:8.1f}{100 * row.exact:8.1f}"
            f"{100 * row.exact_folded:9.1f}{f'{100 * row.low:.1f}-{100 * row.high:.1f}':>12}"
            f"{100 * row.accepted:10.1f}{100 * row.wrong_accepted:13.2f}",
            flush=True,
        )
    if told.out:
        write_record(told.out, reader, rows, part=told.part, seed=told.seed, held=bool(told.held))
    return 0


if __name__ == "__main__":
    sys.exit(main())
