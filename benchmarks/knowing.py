"""Does the reader know when it is right? Calibration, read rates and curves, one thread.

    python -m benchmarks.knowing [--model M] [--plot docs/knowing.png] [--out FILE.json]

Right means wholly right, case included, but for C1's words, whose truth says nothing of case and
punctuation; where a column says "no case", case aside. ECE: bins of equal
mass; what perfect confidences of this number of fields would show by chance is taken off, which is
a little too much where they are far from perfect, so the plain ECE stands beside it. Read
rate: the largest part of the fields, the surest first, of which no more than 1 % (0.1 %) is wrong.
Intervals are of 95 %, fields drawn again. Read rates at 0.1 % stand on no error at all where there
are fewer than a thousand fields: the upper bound of the error among them is printed beside.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import SETS, Item, wilson
from benchmarks.fields import FIELDS, c1_numbers, fold
from benchmarks.record import write_record
from edge_runtime import FieldReading, Reader
from train.config import data_folder

mpl.use("Agg")
from matplotlib import pyplot as plt

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_BINS = 15
_CHANCE = 400  # draws of perfect confidences
_RESAMPLES, _CHANCE_EACH = 400, 8  # bootstrap samples, and draws for each of them
_SUREST = 0.75  # of the C1 number fields
_ERRORS = (0.01, 0.001)
_FOLDED = ("c1_spelled",)  # its truth counts neither case nor punctuation, nor does its grammar

# Labels of ORAND that the picture contradicts, with what stands there: told by eye among all fields
# that were read otherwise. Where a person could hesitate, the label was left to stand.
_ORAND_WRONG = {
    "a_car_000285.jpg": "89800, labelled 80800",
    "a_car_000365.jpg": "13817, labelled 13317",
    "a_car_000414.jpg": "30.8.., labelled 30000",
    "a_car_000498.jpg": "104927, labelled 104027",
    "a_car_000525.jpg": "22107, labelled 72107",
    "a_car_000768.jpg": "17146, labelled 17746",
    "a_car_000803.jpg": "39300, labelled 59300",
    "a_car_000819.jpg": "671, labelled 611",
    "a_car_001027.jpg": "15775, labelled 11775",
    "a_car_001037.jpg": "110820, labelled 110800",
    "a_car_001163.jpg": "5965, labelled 5966",
    "a_car_001165.jpg": "15371, labelled 153",
    "a_car_001192.jpg": "198, labelled 178",
}


@dataclass(frozen=True, slots=True)
class Rate:
    """The largest part of the fields, the surest first, with no more than `error` wrong."""

    error: float
    read: float
    interval: tuple[float, float]
    fields: int
    wrong: int
    wrong_most: float  # upper end of the Wilson interval of wrong / fields


@dataclass(frozen=True, slots=True)
class Knowing:
    """One set. Shares are 0..1, intervals of 95 %."""

    name: str
    n: int
    right: float
    right_interval: tuple[float, float]
    ece: float  # debiased
    ece_interval: tuple[float, float]
    ece_raw: float
    ece_chance: float  # what perfect confidences would show
    rates: tuple[Rate, ...]
    rates_folded: tuple[Rate, ...]
    surest_wrong: int | None  # among the surest 75 %, scored as the set says; C1 numbers alone


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What was read of a set."""

    name: str
    sure: Floats  # (n,)
    right: Bools  # (n,) case counts, but for `_FOLDED`
    folded: Bools  # (n,)


def ece(sure: Floats, right: Bools, *, bins: int = _BINS) -> Floats:
    """Expected calibration error over bins of equal mass, of many samples at once.

    Args:
        sure: float64 (..., n), confidences.
        right: bool (..., n).
        bins: At most so many, of at least ten fields each where there are as many.

    Returns:
        float64 (...,).
    """
    order = np.argsort(sure, axis=-1, kind="stable")
    gap = np.take_along_axis(right - sure, order, axis=-1)
    n = gap.shape[-1]
    edges = np.linspace(0, n, max(1, min(bins, n // 10)) + 1).astype(int)
    return np.asarray(np.abs(np.add.reduceat(gap, edges[:-1], axis=-1)).sum(axis=-1) / n)


def debiased_ece(
    sure: Floats, right: Bools, rng: np.random.Generator
) -> tuple[float, tuple[float, float], float, float]:
    """ECE less what perfect confidences show by chance.

    Returns:
        The difference, its interval, the plain ECE, what chance shows.
    """
    raw = float(ece(sure, right))
    perfect = rng.random((_CHANCE, len(sure))) < sure
    chance = float(ece(np.broadcast_to(sure, perfect.shape), perfect).mean())
    found = np.empty(_RESAMPLES)
    for at in range(_RESAMPLES):
        again = rng.integers(len(sure), size=len(sure))
        # Fields drawn twice are wrong twice: perfect ones are drawn again with their doubles too.
        perfect = (rng.random((_CHANCE_EACH, len(sure))) < sure)[:, again]
        by_chance = ece(np.broadcast_to(sure[again], perfect.shape), perfect).mean()
        found[at] = ece(sure[again], right[again]) - by_chance
    low, high = np.quantile(found, (0.025, 0.975))
    return max(0.0, raw - chance), (max(0.0, float(low)), max(0.0, float(high))), raw, chance


def surest(sure: Floats, right: Bools, error: float) -> int:
    """How many fields, the surest first, have no more than `error` wrong; equals go together."""
    order = np.argsort(-sure, kind="stable")
    wrong = np.cumsum(~right[order])
    count = np.arange(1, len(sure) + 1)
    ends = np.append(np.diff(sure[order]) != 0, True)  # a threshold cannot part equals
    fine = np.flatnonzero(ends & (wrong <= error * count))
    return int(fine[-1]) + 1 if len(fine) else 0


def read_rate(sure: Floats, right: Bools, error: float, rng: np.random.Generator) -> Rate:
    """The read rate at an error, and its interval."""
    n = len(sure)
    fields = surest(sure, right, error)
    again = rng.integers(n, size=(_RESAMPLES, n))
    low, high = np.quantile(
        [surest(sure[one], right[one], error) / n for one in again], (0.025, 0.975)
    )
    wrong = int((~right[np.argsort(-sure, kind="stable")[:fields]]).sum())
    most = wilson(wrong, fields)[1] if fields else 1.0
    return Rate(error, fields / n, (float(low), float(high)), fields, wrong, most)


def _orand_right(data: Path) -> Iterator[Item]:
    """ORAND without the labels that are wrong."""
    with (data / "dev" / "orand" / "truth.tsv").open(encoding="utf-8") as file:
        paths = [row.split("\t", 1)[0] for row in list(file)[1:]]
    for path, item in zip(paths, SETS["orand"](data), strict=True):
        if Path(path).name not in _ORAND_WRONG:
            yield item


KNOWN: Mapping[str, Callable[[Path], Iterator[Item]]] = {
    "words": SETS["words"],
    "words_choices": FIELDS["words_choices"],
    "orand": SETS["orand"],
    "orand_right_labels": _orand_right,
    "usernames": SETS["usernames"],
    "digit_strings": SETS["digit_strings"],
    "c1_numbers": c1_numbers,
    "c1_spelled": FIELDS["c1_spelled"],
}


def _sure(name: str, reading: FieldReading) -> float:
    """Probability of the text; where case does not count, of all that differ by nothing else."""
    if name not in _FOLDED:
        return reading.confidence
    alike = [
        other.probability
        for other in reading.alternatives
        if other.text != reading.text and fold(name, other.text) == fold(name, reading.text)
    ]
    return min(1.0, reading.confidence + sum(alike))


def judged(reader: Reader, name: str, items: list[Item]) -> Judged:
    """Read a set."""
    readings = reader.read_fields([(crop, field) for crop, field, _ in items])
    pairs = [(truth, one.text) for (_, _, truth), one in zip(items, readings, strict=True)]
    folded = np.array([fold(name, a) == fold(name, b) for a, b in pairs])
    exact = np.array([a == b for a, b in pairs])
    return Judged(
        name=name,
        sure=np.array([_sure(name, one) for one in readings]),
        right=folded if name in _FOLDED else exact,
        folded=folded,
    )


def know(one: Judged, *, seed: int) -> Knowing:
    """The row of a set."""
    rng = np.random.default_rng(seed)
    n, right = len(one.sure), int(one.right.sum())
    value, interval, raw, chance = debiased_ece(one.sure, one.right, rng)
    top = np.argsort(-one.sure, kind="stable")[: round(_SUREST * n)]
    return Knowing(
        name=one.name,
        n=n,
        right=right / n,
        right_interval=wilson(right, n),
        ece=value,
        ece_interval=interval,
        ece_raw=raw,
        ece_chance=chance,
        rates=tuple(read_rate(one.sure, one.right, error, rng) for error in _ERRORS),
        rates_folded=tuple(read_rate(one.sure, one.folded, error, rng) for error in _ERRORS),
        surest_wrong=int((~one.folded[top]).sum()) if one.name == "c1_numbers" else None,
    )


def plot(sets: list[Judged], picture: Path) -> None:
    """Risk over coverage on the left, reliability on the right."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    for one in sets:
        order = np.argsort(-one.sure, kind="stable")
        count = np.arange(1, len(order) + 1)
        risk = np.cumsum(~one.right[order]) / count
        (drawn,) = left.plot(100 * count / len(order), 100 * risk, label=one.name, lw=1.3)
        order = order[::-1]
        parts = np.array_split(order, max(1, min(_BINS, len(order) // 10)))
        said = [float(one.sure[part].mean()) for part in parts]
        seen = [float(one.right[part].mean()) for part in parts]
        edges = np.array([wilson(int(one.right[part].sum()), len(part)) for part in parts]).T
        right.errorbar(
            said, seen, yerr=np.abs(edges - seen), color=drawn.get_color(),
            marker=".", lw=1, elinewidth=0.4,
        )  # fmt: skip
    left.axhline(1, color="grey", ls=":", lw=1)
    left.set(xlabel="fields read, the surest first, %", ylabel="of them wrong, %", xlim=(0, 100))
    left.set_yscale("symlog", linthresh=1)
    left.set_yticks([0, 0.5, 1, 2, 5, 10, 20, 50], ["0", "0.5", "1", "2", "5", "10", "20", "50"])
    left.set_ylim(0, 80)
    left.set_title("risk and coverage (dotted: 1 %)")
    right.plot([0, 1], [0, 1], color="grey", ls=":", lw=1)
    right.set(xlabel="confidence", ylabel="part that is right", xlim=(0, 1), ylim=(0, 1))
    right.set_title("reliability, bins of equal mass, 95 %")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside lower center", ncols=8, fontsize=8
    )
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=110)
    plt.close(figure)


def _told_rate(rate: Rate) -> str:
    low, high = (100 * edge for edge in rate.interval)
    return f"{100 * rate.read:5.1f} ({low:4.1f}-{high:5.1f}), error < {100 * rate.wrong_most:.1f}"


def line(row: Knowing) -> str:
    """One row of the table."""
    low, high = (100 * edge for edge in row.ece_interval)
    seen = f"{100 * row.ece:.1f} ({low:.1f}-{high:.1f}), plain {100 * row.ece_raw:.1f}"
    low, high = (100 * edge for edge in row.right_interval)
    right = f"{100 * row.right:.1f} ({low:.1f}-{high:.1f})"
    rates = "".join(
        f"{_told_rate(one):34}" for one in (row.rates[0], row.rates_folded[0], row.rates[1])
    )
    return f"{row.name:19}{row.n:6}  {right:18}{seen:28}{rates}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.knowing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--only", help="names of sets, with commas: " + ", ".join(KNOWN))
    parser.add_argument("--most", type=int, help="at most so many of each set")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn again")
    parser.add_argument("--plot", type=Path, help="picture of the curves")
    parser.add_argument("--out", type=Path, help="JSON of the rows")
    told = parser.parse_args(arguments)
    reader, data = Reader(told.model, threads=1), data_folder()
    rows, sets = [], []
    print(
        f"{reader.model_id}; shares in %, in brackets the 95 % interval\n"
        f"{'set':19}{'n':>6}  {'right':18}{'ECE':28}{'read at 1 % error':34}"
        f"{'the same, no case':34}{'read at 0.1 % error':34}"
    )
    for name in told.only.split(",") if told.only else KNOWN:
        sets.append(judged(reader, name, list(KNOWN[name](data))[: told.most]))
        row = know(sets[-1], seed=told.seed)
        rows.append(row)
        print(line(row), flush=True)
        if row.surest_wrong is not None:
            among = round(_SUREST * row.n)
            print(f"    {row.surest_wrong} wrong among the surest 75 %, n = {among}")
    if told.plot:
        plot(sets, told.plot)
    if told.out:
        write_record(
            told.out, reader, rows, seed=told.seed, bins=_BINS, orand_wrong_labels=_ORAND_WRONG
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
