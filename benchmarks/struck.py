"""Struck-out writing, scribbles and what is no writing at all: recognised, or read?

    python -m benchmarks.struck [--part val] [--n 60] [--seed 12] [--model M] [--out FILE.json]
    python -m benchmarks.struck --fit > edge_runtime/strike_weights.py
    python -m benchmarks.struck --fit-glance --n 250 > edge_runtime/glance_weights.py

Writing is drawn from one part of the writers as it is trained on; then the same hand strikes it out
with the same pen. For each way of striking out: the part that is recognised, and the part that is
accepted, where any acceptance is wrong. For the same writing left as it is: the part that is
wrongly called struck out. What is no writing is drawn by rules: blots, bars, print, pictures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import wilson
from benchmarks.record import write_record
from benchmarks.strikes_drawn import CELLS, LINES, NO_WRITING, Extent, Gray, Marks, Rng
from edge_runtime import Field, Reader, Status
from edge_runtime.components import components_of
from edge_runtime.place import lone_crop, take_ink
from edge_runtime.preprocess import STROKE
from edge_runtime.recognize import Recognizer
from edge_runtime.spec import ModelSpec
from edge_runtime.strikes import (
    glance_features,
    measured_as_cell,
    strike_features,
    strike_share,
)
from train import texts
from train.compose import compose
from train.config import data_folder
from train.engine import Engine, EngineConfig
from train.strokes import Strokes

_CLEAN = 16  # times as much clean writing as of one way of striking out
_STYLE = 0.3  # as much as a writer differs from himself, see `train.engine`
Item = tuple[Gray, Field, str]


class Hands:
    """Writing of one part of the writers, left or struck out."""

    def __init__(self, data: Path, spec: ModelSpec, *, part: str, seed: int) -> None:
        self.engine = Engine(data, spec, EngineConfig(), part=part, seed=seed)

    def line(self, rng: Rng, marks: Marks | None) -> Item | None:
        """A word, a user name or a number; a free field."""
        engine = self.engine
        if rng.random() < 0.45:
            at = engine._word_at[int(rng.integers(len(engine._word_at)))]
            text, strokes = engine.words.labels[at], engine.words.strokes(at)
            field = Field("f", "text")
            if len(text) < 2:
                return None
        else:
            numeric = rng.random() < 0.5
            writers = engine.bank.digit_writers if numeric else engine.bank.writers
            writer = writers[int(rng.integers(len(writers)))]
            wanted = texts.digit_string(rng) if numeric else texts.username(rng)
            text, strokes = compose(wanted, engine.bank, writer, rng, style=_STYLE)
            if len(text) < 2:
                return None
            field = Field("f", "digits" if numeric else "username")
        strokes = engine._warp(strokes, rng)
        return self._drawn(strokes, marks, rng, wide=False), field, text

    def cell(self, rng: Rng, marks: Marks | None) -> Item:
        """One glyph in a cell."""
        pool = texts.DIGITS if rng.random() < 0.6 else None
        char, strokes = self.engine.singles.random(rng, pool)
        kind = "digits" if char.isdigit() else "code" if char.isalpha() else "username"
        strokes = self.engine._warp(strokes, rng)
        return self._drawn(strokes, marks, rng, wide=True), Field("f", kind, cells=1), char

    def _drawn(self, strokes: Strokes, marks: Marks | None, rng: Rng, *, wide: bool) -> Gray:
        if marks is not None:
            strokes = [*strokes, *marks(Extent.of(strokes), rng)]
        return self.engine.paper.photograph(self.engine._ink(strokes, rng, wide=wide), rng)

    def clean(self, rng: Rng, *, cell: bool) -> Item | None:
        """Half of it whatever the network is trained on: lines, dates, amounts, MNIST, fonts."""
        if rng.random() < 0.5:
            return self.cell(rng, None) if cell else self.line(rng, None)
        crop, text, source, _ = self.engine.crop(rng)
        if len(text) == 0 or cell != (source in ("glyph", "mnist")):
            return None
        kind = "digits" if text.isdigit() else "text"
        return crop, Field("f", kind, cells=1 if cell else None), text


_KINDS = ("text", "username", "digits", "code")


def items(hands: Hands, *, n: int, seed: int) -> Iterator[tuple[str, list[Item]]]:
    """Sets by name: (crop, field, what was written)."""
    plans: dict[str, Callable[[Rng], Item | None]] = {
        "line, clean": lambda rng: hands.clean(rng, cell=False),
        "cell, clean": lambda rng: hands.clean(rng, cell=True),
    }
    for name, marks in LINES.items():
        plans[f"line, {name}"] = partial(hands.line, marks=marks)
    for name, marks in CELLS.items():
        plans[f"cell, {name}"] = partial(hands.cell, marks=marks)
    for name, draw in NO_WRITING.items():
        plans[f"none, {name}"] = partial(_drawn, draw)
    for at, (name, plan) in enumerate(plans.items()):
        rng = np.random.default_rng([seed, at])
        wanted = _CLEAN * n if name.endswith("clean") else n
        found: list[Item] = []
        while len(found) < wanted:
            if (item := plan(rng)) is not None:
                found.append(item)
        yield name, found


def _drawn(draw: Callable[[Rng], Gray], rng: Rng) -> Item:
    return draw(rng), _any_field(rng), ""


def _any_field(rng: Rng) -> Field:
    kind = _KINDS[int(rng.integers(len(_KINDS)))]
    return Field("f", kind, cells=1 if rng.random() < 0.3 else None)


# ---- fitting the detector's weights, on tuning writers alone ----

_HIDDEN, _DECAY, _ROUNDS, _FOLDS = 8, 0.2, 250, 4
_FALSE = 0.0015  # of clean writing that may be called struck out
# One stroke of each of these can as well be a letter's own, or cannot be told from poor paper: they
# would teach that clean writing is none.
_UNTOLD = {"line": ("crossed", "noise", "stamp"), "cell": ("crossed", "many", "noise", "stamp")}
_HEAD = """\"\"\"Weights of `strikes`, printed by `python -m benchmarks.struck --fit`; none by hand.

Owns:   `LINE` and `CELL`: a row of eight for each feature, the biases, and the last layer.
\"\"\"
"""
Weights = tuple[NDArray[np.float64], NDArray[np.float64]]


def fit_weights(
    kind: str, clean: NDArray[np.float64], struck: Mapping[str, NDArray[np.float64]]
) -> tuple[Weights, float, float]:
    """Weights of `edge_runtime.strikes`, the threshold (out of fold), the part that was struck."""
    from sklearn.model_selection import cross_val_predict
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    used = [rows for name, rows in struck.items() if name.split(", ")[1] not in _UNTOLD[kind]]
    x = np.vstack([clean, *used])
    y = np.arange(len(x)) >= len(clean)
    net = MLPClassifier((_HIDDEN,), alpha=_DECAY, max_iter=_ROUNDS, random_state=1)
    model = make_pipeline(StandardScaler(), net)
    held = cross_val_predict(model, x, y, cv=_FOLDS, method="predict_proba")[: len(clean), 1]
    model.fit(x, y)
    scaler, net = model[0], model[1]
    first = net.coefs_[0] / scaler.scale_[:, None]
    bias = net.intercepts_[0] - scaler.mean_ @ first
    weights = np.vstack([first, bias]), np.append(net.coefs_[1].ravel(), net.intercepts_[1])
    return weights, float(np.quantile(held, 1 - _FALSE)), float(y.mean())


def told_weights(weights: Weights) -> str:
    rows = [*weights[0], weights[1]]
    return "\n".join(" ".join(f"{one:.4g}" for one in row) for row in rows)


def fit(*, n: int, seed: int) -> str:
    """`edge_runtime/strike_weights.py`; thresholds go to stderr."""
    spec = Recognizer().spec
    hands = Hands(data_folder(), spec, part="tuning", seed=seed)
    seen = {
        name: np.array([one for one in _measured(found, spec) if one is not None])
        for name, found in items(hands, n=n, seed=seed)
    }
    told = [_HEAD]
    for kind, name in (("line", "LINE"), ("cell", "CELL")):
        clean = seen[f"{kind}, clean"]
        struck = {
            one: rows
            for one, rows in seen.items()
            if not one.endswith("clean") and one.startswith((kind, "none"))
        }
        weights, threshold, share = fit_weights(kind, clean, struck)
        print(f"{kind}: {len(clean)} clean, {share:.2f} struck, {threshold:.4f}", file=sys.stderr)
        told.append(f'{name} = """\\\n{told_weights(weights)}\n"""')
    return "\n".join(told)


def _measured(found: list[Item], spec: ModelSpec) -> Iterator[NDArray[np.float64] | None]:
    for crop, field, _ in found:
        ink = take_ink(lone_crop(crop, field), spec)
        yield None if ink.strips[0] is None else strike_features(ink.inks[0].pixels)


# ---- fitting the glance that spares most writing the detector ----

_GLANCE_HIDDEN, _GLANCE_DECAY, _GLANCE_ROUNDS = 16, 0.1, 500
# A share over the first is to be seen at a glance; of those over the second no more than a part may
# be missed.
_SEEN, _MISSED, _MOST_MISSED = {"line": 0.2, "cell": 0.05}, 0.3, {"line": 0.005, "cell": 0.002}
_GLANCE_HEAD = """\"\"\"Weights of `strikes.plainly_writing`; none by hand.

Owns:   `LINE` and `CELL`, from `python -m benchmarks.struck --fit-glance --n 250`: a row a unit,
        of each feature, its bias and its say in the sum; at the end the sum under which ink is
        plain.
\"\"\"
"""


def fit_glance(*, n: int, seed: int) -> str:
    """`edge_runtime/glance_weights.py`; how much clean writing passes goes to stderr."""
    spec = Recognizer().spec
    hands = Hands(data_folder(), spec, part="tuning", seed=seed)
    rows: dict[str, list[NDArray[np.float64]]] = {"line": [], "cell": []}
    shares: dict[str, list[float]] = {"line": [], "cell": []}
    clean: dict[str, list[bool]] = {"line": [], "cell": []}
    for name, found in items(hands, n=n, seed=seed):
        for crop, field, _ in found:
            ink = take_ink(lone_crop(crop, field), spec)
            box = ink.bounds[0] if ink.bounds else None
            if box is None:
                continue
            pixels, cell = ink.inks[0].pixels, measured_as_cell(box, in_cells=bool(field.cells))
            kind = "cell" if cell else "line"
            rows[kind].append(glance_features(components_of(pixels, STROKE), box))
            shares[kind].append(strike_share(pixels, cell=cell, box=box))
            clean[kind].append(name.endswith("clean"))
    told = [_GLANCE_HEAD]
    for kind, its in rows.items():
        own, share = np.array(its), np.array(shares[kind])
        weights, z = _glance(own, share > _SEEN[kind])
        most = float(np.quantile(z[share > _MISSED], _MOST_MISSED[kind])) - weights[1][-1]
        passed = (z - weights[1][-1] < most)[np.array(clean[kind])].mean()
        print(f"{kind}: {len(own)}, of clean ones {100 * passed:.0f} % pass", file=sys.stderr)
        units = np.vstack([*weights[0], weights[1][:-1]]).T
        rows_told = [" ".join(f"{one:.4g}" for one in unit) for unit in [*units, [most]]]
        told.append("\n".join([f'{kind.upper()} = """\\', *rows_told, '"""']))
    return "\n".join(told)


def _glance(x: NDArray[np.float64], y: NDArray[np.bool_]) -> tuple[Weights, NDArray[np.float64]]:
    """Weights of a small network, and what its last layer says of each row."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(x)
    net = MLPClassifier(
        (_GLANCE_HIDDEN,), alpha=_GLANCE_DECAY, max_iter=_GLANCE_ROUNDS, random_state=1
    ).fit(scaler.transform(x), y)
    first = net.coefs_[0] / scaler.scale_[:, None]
    bias = net.intercepts_[0] - scaler.mean_ @ first
    last = np.append(net.coefs_[1].ravel(), net.intercepts_[1])
    z = np.maximum(x @ first + bias, 0) @ last[:-1] + last[-1]
    return (np.vstack([first, bias]), last), z


@dataclass(frozen=True, slots=True)
class Row:
    """One way of striking out, or clean writing. Shares are 0..1."""

    name: str
    n: int
    called: float  # struck out, or no writing
    called_interval: tuple[float, float]
    accepted: float
    wrong: int  # among the accepted: all of them, but for clean writing
    refused: float  # called, rejected or blank


def row(reader: Reader, name: str, found: list[Item]) -> Row:
    readings = reader.read_fields([(crop, field) for crop, field, _ in found])
    n, clean = len(found), name.endswith("clean")
    called = ["struck out" in one.reason for one in readings]
    accepted = [one.status is Status.ACCEPTED for one in readings]
    wrong = sum(
        taken and not (clean and one.text == text)
        for taken, one, (_, _, text) in zip(accepted, readings, found, strict=True)
    )
    none = (Status.REJECTED, Status.BLANK)
    refused = sum(call or one.status in none for call, one in zip(called, readings, strict=True))
    interval = wilson(sum(called), n)
    return Row(name, n, sum(called) / n, interval, sum(accepted) / n, wrong, refused / n)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.struck",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--part", default="val", help="of the writers: val, tuning, calibration")
    parser.add_argument("--n", type=int, default=60, help="of each way; 16 times as much clean")
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--fit", action="store_true", help="print weights, on tuning writers")
    parser.add_argument("--fit-glance", action="store_true", help="print those of the glance")
    parser.add_argument("--out", type=Path, help="JSON of the rows")
    told = parser.parse_args(arguments)
    if told.fit:
        print(fit(n=told.n, seed=told.seed))
        return 0
    if told.fit_glance:
        print(fit_glance(n=told.n, seed=told.seed))
        return 0
    reader, rows = Reader(told.model, threads=1), []
    hands = Hands(data_folder(), reader.spec, part=told.part, seed=told.seed)
    print(f"{reader.model_id}, writers: {told.part}; shares in %")
    print(f"{'':20}{'n':>6}{'called':>8}{'95 %':>16}{'refused':>9}{'accepted':>10}{'wrong':>7}")
    for name, found in items(hands, n=told.n, seed=told.seed):
        rows.append(one := row(reader, name, found))
        low, high = (100 * edge for edge in one.called_interval)
        print(
            f"{name:20}{one.n:6}{100 * one.called:8.1f}{low:8.1f} to{high:5.1f}"
            f"{100 * one.refused:9.1f}{100 * one.accepted:10.1f}{one.wrong:7}",
            flush=True,
        )
    if told.out:
        write_record(told.out, reader, rows, seed=told.seed, part=told.part)
    return 0


if __name__ == "__main__":
    sys.exit(main())
