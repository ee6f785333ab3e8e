"""The classic comparison: six ways to read one glyph, and the shipped reader, on the same glyphs.

    python -m benchmarks.classic [--train 12000] [--test 10000] [--only mnist] [--out FILE.json]

MNIST: a random part of the 60,000 to train on, the 10,000 to test. UNIPEN: digits, capitals and
small letters, 62 classes, train writers to train on and val writers to test, every glyph drawn
alike with one pen, without paper. The classical ones see 28 x 28 pixels made by MNIST's recipe; the
network and the reader see the crop itself. The reader was not trained on these pictures: it learnt
from millions of drawn strips of the same train writers and of MNIST's 60,000. Isolated glyphs carry
no size, so that o and O, c and C cannot be told: the second figure leaves case aside.
Left out: drawing the glyphs, loading the models. One thread; times are of the CPU, so that other
work on the machine does not show in them.
"""

from __future__ import annotations

import argparse
import json
import pickle
import platform
import string
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.accuracy import wilson
from benchmarks.record import network_of
from edge_runtime import Field, Reader
from edge_runtime.machine import Machine
from train.config import ConfigError, data_folder
from train.datasets import mnist
from train.pen import Pen, draw_strokes
from train.strokes import StrokeSet

Gray = NDArray[np.uint8]

GLYPH_WEIGHTS = Path(__file__).resolve().parent.parent / "train" / "weights" / "glyph.pt"
_ALNUM = string.digits + string.ascii_letters
_SIDE, _INK = 28, 20  # MNIST: LeCun et al. 1998
_HEIGHT_PX, _PAD_PX = 40.0, 6  # of a drawn glyph: a cell of a form at 200 dpi
_PEN = Pen(width=0.08, pressure=0.0, fade=0.0, skips=0.0, texture=0.0)
_CNN = "glyph CNN (fp32)"
_BATCH = 64  # glyphs the network sees at a time


@dataclass(frozen=True, slots=True, eq=False)
class Glyphs:
    """Glyphs as crops and as MNIST has them."""

    crops: tuple[Gray, ...]  # dark on light, any size
    pixels: NDArray[np.float32]  # (n, 784), 0..1, ink bright
    labels: NDArray[np.str_]  # (n,)


@dataclass(frozen=True, slots=True)
class Row:
    """One way to read, on one set."""

    glyphs: str
    how: str
    trained_on: int | None  # glyphs; None where it came trained
    n: int
    right: float
    interval: tuple[float, float]  # 95 %, Wilson
    right_folded: float  # case aside
    train_s: float | None
    ms_per_glyph: float
    size_mb: float


class Classifier(Protocol):
    """What scikit-learn's have in common."""

    def fit(self, pixels: NDArray[np.float32], labels: NDArray[np.str_]) -> Any: ...

    def predict(self, pixels: NDArray[np.float32]) -> Any: ...


def classifiers(seed: int) -> dict[str, Classifier]:
    """The five, with settings as textbooks have them: nothing was tuned on the test glyphs."""
    return {
        "decision tree": DecisionTreeClassifier(random_state=seed),
        "kNN (k = 3)": KNeighborsClassifier(3, algorithm="brute"),
        "random forest (100)": RandomForestClassifier(100, random_state=seed, n_jobs=1),
        "SVM (RBF, 64 components)": make_pipeline(
            PCA(64, random_state=seed), SVC(C=10, gamma="scale", cache_size=500)
        ),
        # 784-256-128-classes; twenty passes, whether or not it has settled by then
        "MLP (three layers)": MLPClassifier((256, 128), max_iter=20, random_state=seed),
    }


def fit_glyph(ink: Gray, *, side: int = _SIDE, longest: int = _INK) -> Gray:
    """Ink, bright on black, scaled to `longest` and put by its centre of mass; uint8 (side, side).

    Source: the MNIST recipe, LeCun et al. 1998.
    """
    rows, columns = np.nonzero(ink)
    out = np.zeros((side, side), np.uint8)
    if rows.size == 0:
        return out
    tight = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    h, w = (max(1, round(edge * longest / max(tight.shape))) for edge in tight.shape)
    small = np.asarray(cv2.resize(tight, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
    mass = small.astype(np.float64)
    whole = max(1.0, float(mass.sum()))
    y = float((mass.sum(axis=1) * (np.arange(h) + 0.5)).sum()) / whole
    x = float((mass.sum(axis=0) * (np.arange(w) + 0.5)).sum()) / whole
    top = min(max(0, round(side / 2 - y)), side - h)
    left = min(max(0, round(side / 2 - x)), side - w)
    out[top : top + h, left : left + w] = small
    return out


def mnist_glyphs(data: Path, *, train: bool, n: int, rng: np.random.Generator) -> Glyphs:
    """`n` of MNIST, drawn at random; all where there are no more."""
    found = mnist(data, train=train)
    chosen = rng.permutation(len(found))[:n]
    samples = [found[int(at)] for at in chosen]
    pixels = np.array([255 - one.crop for one in samples], np.float32).reshape(len(samples), -1)
    labels = np.array([one.text for one in samples])
    return Glyphs(tuple(one.crop for one in samples), pixels / np.float32(255), labels)


def unipen_glyphs(data: Path, *, train: bool, n: int, rng: np.random.Generator) -> Glyphs:
    """`n` isolated digits and letters of train or of val writers, all drawn alike."""
    sets = [
        StrokeSet.load(data / "unipen" / f"{name}.npz") for name in ("digits", "upper", "lower")
    ]
    part = "train" if train else "val"
    places = [
        (one, at) for one in sets for at in one.of_part(part) if one.labels[at] in set(_ALNUM)
    ]
    chosen = [places[at] for at in rng.permutation(len(places))[:n]]
    inks = [
        draw_strokes(one.strokes(at), _PEN, rng, height_px=_HEIGHT_PX, pad_px=(_PAD_PX,) * 4)
        for one, at in chosen
    ]
    pixels = np.array([fit_glyph(ink) for ink in inks], np.float32).reshape(len(inks), -1)
    labels = np.array([one.labels[at] for one, at in chosen])
    return Glyphs(
        tuple(np.asarray(255 - ink, np.uint8) for ink in inks), pixels / np.float32(255), labels
    )


SETS = {"mnist": mnist_glyphs, "unipen62": unipen_glyphs}


class _Counter:
    """A file that keeps nothing but its length: a forest is hundreds of megabytes."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, held: bytes) -> int:
        length = memoryview(held).nbytes
        self.size += length
        return length


def pickled_size(model: object) -> int:
    """Bytes of a model as scikit-learn's are kept."""
    counter = _Counter()
    pickle.dump(model, counter)
    return counter.size


def _row(
    glyphs: str,
    how: str,
    truth: Glyphs,
    said: Sequence[str],
    *,
    trained_on: int | None,
    train_s: float | None,
    took_s: float,
    size: int,
) -> Row:
    pairs = [(str(a), str(b)) for a, b in zip(truth.labels, said, strict=True)]
    n, right = len(pairs), sum(a == b for a, b in pairs)
    return Row(
        glyphs=glyphs,
        how=how,
        trained_on=trained_on,
        n=n,
        right=right / n,
        interval=wilson(right, n),
        right_folded=sum(a.lower() == b.lower() for a, b in pairs) / n,
        train_s=train_s,
        ms_per_glyph=1000 * took_s / n,
        size_mb=size / 1e6,
    )


def classic_rows(name: str, train: Glyphs, test: Glyphs, *, seed: int) -> Iterator[Row]:
    """Train and test the five of scikit-learn."""
    for how, model in classifiers(seed).items():
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            began = time.process_time()
            model.fit(train.pixels, train.labels)
            trained = time.process_time()
            said = model.predict(test.pixels)
            ended = time.process_time()
        yield _row(
            name,
            how,
            test,
            said,
            trained_on=len(train.labels),
            train_s=trained - began,
            took_s=ended - trained,
            size=pickled_size(model),
        )


def network_row(name: str, test: Glyphs, weights: Path, *, charset: str) -> Row:
    """The glyph network on the same crops, among the characters that may stand here."""
    import torch

    from edge_runtime.preprocess import bucket_px, make_strip, normalize_ink, to_tensor
    from export.checkpoint import load_trained
    from train.loop import load_checkpoint

    trained = load_trained(weights)
    spec, network = trained.config.spec(), trained.network
    allowed = [spec.labels.index(char) for char in charset]
    torch.set_num_threads(1)
    began = time.process_time()
    by_bucket: dict[int, list[tuple[int, Gray]]] = {}
    for at, crop in enumerate(test.crops):
        strip = make_strip(normalize_ink(crop), spec)
        if strip is not None:
            bucket = bucket_px(strip.pixels.shape[1], spec)
            by_bucket.setdefault(bucket, []).append((at, strip.pixels))
    said = [""] * len(test.crops)
    with torch.inference_mode():
        for bucket, strips in by_bucket.items():
            for start in range(0, len(strips), _BATCH):
                part = strips[start : start + _BATCH]
                tensor = torch.from_numpy(to_tensor([one for _, one in part], bucket, spec))
                best = network(tensor)[:, allowed].argmax(dim=1).tolist()
                for (at, _), choice in zip(part, best, strict=True):
                    said[at] = charset[choice]
    took_s = time.process_time() - began
    spent_s = float(load_checkpoint(weights)["spent_s"])
    size = weights.stat().st_size
    return _row(
        name, _CNN, test, said,
        trained_on=None, train_s=spent_s, took_s=took_s, size=size,
    )  # fmt: skip


def reader_row(name: str, test: Glyphs, reader: Reader, *, charset: str, size: int) -> Row:
    """The shipped reader: one cell, the charset told."""
    field = Field("glyph", "text", charset=charset, cells=1)
    began = time.process_time()
    readings = reader.read_fields((crop, field) for crop in test.crops)
    took_s = time.process_time() - began
    said = [one.text for one in readings]
    return _row(
        name, "the shipped reader (int8)", test, said,
        trained_on=None, train_s=None, took_s=took_s, size=size,
    )  # fmt: skip


HEAD = (
    f"{'glyphs':10}{'how':27}{'trained on':>11}{'n':>7}{'right':>8}{'95 %':>12}{'no case':>9}"
    f"{'train s':>9}{'ms':>8}{'MB':>8}"
)


def line(row: Row) -> str:
    """One row of the table."""
    low, high = (100 * edge for edge in row.interval)
    return (
        f"{row.glyphs:10}{row.how:27}{'-' if row.trained_on is None else row.trained_on:>11}"
        f"{row.n:7}{100 * row.right:8.2f}{f'{low:.1f}-{high:.1f}':>12}"
        f"{100 * row.right_folded:9.2f}{'-' if row.train_s is None else f'{row.train_s:.1f}':>9}"
        f"{row.ms_per_glyph:8.3f}{row.size_mb:8.2f}"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.classic",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path, help="of the reader; default: the bundled one")
    parser.add_argument("--glyph", type=Path, default=GLYPH_WEIGHTS, help="weights of the CNN")
    parser.add_argument("--train", type=int, default=12_000, help="glyphs to train on")
    parser.add_argument("--test", type=int, default=10_000, help="at most so many to test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="with commas: " + ", ".join(SETS))
    parser.add_argument("--out", type=Path, help="JSON of the rows")
    told = parser.parse_args(arguments)
    bundled = Path(str(resources.files("edge_runtime") / "models" / "small" / "model.onnx"))
    reader, data, rows = Reader(told.model, threads=1), data_folder(), []
    print(f"{reader.model_id}; shares in %\n{HEAD}")
    if not told.glyph.is_file():
        print(f"{told.glyph}: no such file; the glyph CNN is left out", file=sys.stderr)
    for name in told.only.split(",") if told.only else SETS:
        rng = np.random.default_rng([told.seed, *name.encode()])
        train = SETS[name](data, train=True, n=told.train, rng=rng)
        test = SETS[name](data, train=False, n=told.test, rng=rng)
        charset = string.digits if name == "mnist" else _ALNUM
        for row in classic_rows(name, train, test, seed=told.seed):
            rows.append(row)
            print(line(row), flush=True)
        if told.glyph.is_file():
            try:
                rows.append(network_row(name, test, told.glyph, charset=charset))
                print(line(rows[-1]), flush=True)
            except ConfigError as error:  # weights of another version of the network
                print(f"the glyph CNN is left out: {error}", file=sys.stderr)
        size = (told.model or bundled).stat().st_size
        rows.append(reader_row(name, test, reader, charset=charset, size=size))
        print(line(rows[-1]), flush=True)
    if told.out:
        told.out.parent.mkdir(parents=True, exist_ok=True)
        facts = {
            "model": reader.model,
            "network": network_of(reader.spec),
            "machine": asdict(Machine.here()),
            "python": platform.python_version(),
            "scikit_learn": sklearn.__version__,
            "threads": 1,
            "seed": told.seed,
            "glyph_cnn": any(row.how == _CNN for row in rows),
            "rows": [asdict(row) for row in rows],
        }
        told.out.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
