"""Reading accuracy on real crops through `Reader.read_fields`, one thread.

    python -m benchmarks.accuracy [--model M] [--only words,orand] [--out benchmarks/results/x.json]

Left out: page registration (see `benchmarks.forms`). Every set is for measuring only.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.record import write_record
from edge_runtime import Field, Reader
from train.config import data_folder
from train.evaluate import edit_distance

Item = tuple[NDArray[np.uint8], Field, str]

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_CHARSETS = {"digits": "0123456789", "lower": _LOWER, "upper": _LOWER.upper()}


@dataclass(frozen=True, slots=True)
class Row:
    """One set. Shares are of all texts; `wrong_accepted` is of the accepted."""

    name: str
    n: int
    exact: float
    low: float  # 95 % Wilson interval of `exact_folded`
    high: float
    exact_folded: float  # case aside
    cer: float  # case aside
    accepted: float
    wrong_accepted: float
    ece: float
    ms_per_field: float


def list_field(told: str) -> Field:
    """A field as the lists write it: "kind=digits" or "charset=upper length=1"."""
    facts = dict(part.split("=", 1) for part in told.split())
    if "kind" in facts:
        return Field("field", facts["kind"])
    length = int(facts["length"])
    return Field(
        "field",
        "text",
        charset=_CHARSETS[facts["charset"]],
        min_length=length,
        max_length=length,
        cells=1 if length == 1 else None,
    )


def _list(data: Path, name: str) -> Iterator[Item]:
    with (data / "dev" / "lists" / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            crop = _gray(data / "dev" / "lists" / row["path"])
            yield crop, list_field(row["field"]), row["text"]


def _orand(data: Path) -> Iterator[Item]:
    with (data / "dev" / "orand" / "truth.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield (
                _gray(data / "dev" / "orand" / row["path"]),
                Field("amount", "digits"),
                row["text"],
            )


def _mnist(data: Path) -> Iterator[Item]:
    raw = data / "mnist" / "MNIST" / "raw"
    with gzip.open(raw / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(raw / "t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    for image, label in zip(images, labels, strict=True):
        yield 255 - image, Field("digit", "digits", cells=1), str(label)


def _array(name: str, kind: str, *, ink_bright: bool) -> Callable[[Path], Iterator[Item]]:
    def items(data: Path) -> Iterator[Item]:
        with np.load(data / "dev" / f"{name}.npz") as held:
            for image, label in zip(held["image"], held["label"], strict=True):
                yield (
                    255 - image if ink_bright else image,
                    Field("glyph", kind, cells=1),
                    str(label),
                )

    return items


SETS: Mapping[str, Callable[[Path], Iterator[Item]]] = {
    "mnist": _mnist,
    "usps": _array("usps_test", "digits", ink_bright=True),
    "nsysu": _array("nsysu_digits", "digits", ink_bright=False),
    "letters_az": _array("letters_az", "upper", ink_bright=True),
    **{
        name: (lambda data, name=name: _list(data, name))  # type: ignore[misc]
        for name in ("digits", "upper", "lower", "digit_strings", "usernames", "words", "text")
    },
    "orand": _orand,
}


def wilson(right: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    z, p = 1.96, right / n
    middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def ece(confidences: list[float], right: list[bool], *, bins: int = 15) -> float:
    """Expected calibration error over bins of equal mass."""
    order = np.argsort(confidences)
    parts = np.array_split(order, min(bins, len(order)))
    c, r = np.asarray(confidences), np.asarray(right, float)
    return float(sum(len(p) * abs(c[p].mean() - r[p].mean()) for p in parts) / len(order))


def measure(
    reader: Reader, name: str, items: list[Item]
) -> tuple[Row, list[tuple[str, str, float, str]]]:
    """Read a set; its row, and (truth, text, confidence, status) of each."""
    began = time.perf_counter()
    readings = reader.read_fields([(crop, field) for crop, field, _ in items])
    took = time.perf_counter() - began
    truths = [truth for _, _, truth in items]
    right = [r.text == t for r, t in zip(readings, truths, strict=True)]
    folded = [r.text.lower() == t.lower() for r, t in zip(readings, truths, strict=True)]
    edits = sum(
        edit_distance(t.lower(), r.text.lower()) for r, t in zip(readings, truths, strict=True)
    )
    accepted = [i for i, r in enumerate(readings) if r.status == "accepted"]
    low, high = wilson(sum(folded), len(items))
    row = Row(
        name=name,
        n=len(items),
        exact=sum(right) / len(items),
        low=low,
        high=high,
        exact_folded=sum(folded) / len(items),
        cer=edits / sum(map(len, truths)),
        accepted=len(accepted) / len(items),
        wrong_accepted=sum(not folded[i] for i in accepted) / max(1, len(accepted)),
        ece=ece([r.confidence for r in readings], right),
        ms_per_field=1000 * took / len(items),
    )
    return row, [
        (t, r.text, r.confidence, r.status.value) for r, t in zip(readings, truths, strict=True)
    ]


def _gray(path: Path) -> NDArray[np.uint8]:
    crop = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if crop is None:
        raise FileNotFoundError(path)
    return np.asarray(crop, np.uint8)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--only", help="names of sets, with commas")
    parser.add_argument("--most", type=int, help="at most so many of each set")
    parser.add_argument("--out", type=Path, help="JSON of the rows")
    parser.add_argument("--readings", type=Path, help="TSV of every reading")
    told = parser.parse_args(arguments)
    reader, data = Reader(told.model, threads=1), data_folder()
    names = told.only.split(",") if told.only else list(SETS)
    rows, lines = [], []
    print(
        f"{reader.model_id}\n{'set':14}{'n':>6}{'exact':>8}{'no case':>9}{'95 %':>14}{'CER':>7}"
        f"{'accepted':>10}{'wrong of them':>15}{'ECE':>7}{'ms':>7}"
    )
    for name in names:
        row, told_texts = measure(reader, name, list(SETS[name](data))[: told.most])
        rows.append(row)
        lines += [(name, *one) for one in told_texts]
        print(
            f"{row.name:14}{row.n:6}{100 * row.exact:8.2f}{100 * row.exact_folded:9.2f}"
            f"{f'{100 * row.low:.1f}-{100 * row.high:.1f}':>14}{100 * row.cer:7.2f}"
            f"{100 * row.accepted:10.1f}{100 * row.wrong_accepted:15.2f}{row.ece:7.3f}"
            f"{row.ms_per_field:7.2f}",
            flush=True,
        )
    if told.out:
        write_record(told.out, reader, rows)
    if told.readings:
        with told.readings.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter="\t").writerows(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
