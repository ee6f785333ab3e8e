"""What a service asks: no growth of memory, and one answer whatever batch, order, thread, process.

    python -m benchmarks.service same [--fields 5000] [--out FILE.json]
    python -m benchmarks.service slope [--fields 1000000] [--minutes 20] [--ways thread,processes]
        [--out FILE.json]

`same` reads dev crops in one call, and again in batches of 1, 7, 32 and 64, in another order, with
2 threads inside the network, from 2 threads that share a reader, and in 1 to 4 processes: text and
status must be equal, probabilities within 1e-4. `slope` reads crops over and over from 1 thread, 2
threads and 2 processes, and fits a line through the memory held after the first minute (or tenth).
What is held at all is the benchmark's own: it has torch loaded, which a service has not.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import SETS, Item
from benchmarks.record import write_record
from edge_runtime import Reader
from train.config import data_folder

Answer = tuple[str, str, float]  # text, status, probability

SAME_SETS = ("words", "usernames", "digit_strings", "orand", "text", "digits", "upper", "mnist")
TOLERANCE = 1e-4
WAYS = ("thread", "threads", "processes")
GROWTH_MIB = 5.0  # over a million fields, asked
_WARM_S, _WARM_PART = 60.0, 0.1
_FEWEST = 10  # readings of the memory that a line is fitted to
_CHUNK = 256  # fields of one call while memory is watched


@dataclass(frozen=True, slots=True)
class Same:
    """One way to read the same fields, against all of them in one call."""

    way: str
    n: int
    other_texts: int
    other_statuses: int
    most_apart: float  # of probabilities

    @property
    def holds(self) -> bool:
        return not (self.other_texts or self.other_statuses) and self.most_apart <= TOLERANCE


@dataclass(frozen=True, slots=True)
class Slope:
    """Memory of one process while it reads."""

    way: str
    fields: int
    seconds: float
    first_mib: float  # at the end of the warm-up
    last_mib: float
    mib_per_million: float | None  # slope of a line fitted after the warm-up; None: too short
    fields_per_s: float

    @property
    def holds(self) -> bool:
        return self.mib_per_million is not None and self.mib_per_million < GROWTH_MIB


def answers(reader: Reader, items: Sequence[Item]) -> list[Answer]:
    """Readings as they are compared."""
    readings = reader.read_fields([(crop, field) for crop, field, _ in items])
    return [(one.text, one.status.value, one.confidence) for one in readings]


def compared(way: str, found: Sequence[Answer], wanted: Sequence[Answer]) -> Same:
    """Count what differs."""
    pairs = list(zip(found, wanted, strict=True))
    return Same(
        way, len(pairs),
        sum(a[0] != b[0] for a, b in pairs),
        sum(a[1] != b[1] for a, b in pairs),
        max((abs(a[2] - b[2]) for a, b in pairs), default=0.0),
    )  # fmt: skip


def same(model: Path | None, items: Sequence[Item], *, processes: int = 4) -> Iterator[Same]:
    """Every way; the first call of all fields is the yardstick."""
    with Reader(model, threads=1) as reader:
        wanted = answers(reader, items)
        for size in (1, 7, 32, 64):
            found = [one for part in _parts(items, size) for one in answers(reader, part)]
            yield compared(f"batches of {size}", found, wanted)
        order = np.random.default_rng(5).permutation(len(items)).tolist()
        moved = answers(reader, [items[at] for at in order])
        back = [one for _, one in sorted(zip(order, moved, strict=True), key=lambda pair: pair[0])]
        yield compared("another order", back, wanted)
        with ThreadPoolExecutor(2) as pool:
            parts = pool.map(lambda part: answers(reader, part), _parts(items, 64))
            found = list(itertools.chain.from_iterable(parts))
        yield compared("2 threads that share a reader", found, wanted)
    with Reader(model, threads=2) as reader:
        yield compared("2 threads inside the network", answers(reader, items), wanted)
    context = multiprocessing.get_context("spawn")
    for count in range(1, processes + 1):
        shares = [(model, list(items[at::count])) for at in range(count)]
        with context.Pool(count) as pool:
            told = pool.map(_read_share, shares, chunksize=1)
        found = [told[at % count][at // count] for at in range(len(items))]
        yield compared(f"{count} process{'es' * (count > 1)}", found, wanted)


def slope(
    way: str, read: Callable[[], int], *, fields: int, seconds: float
) -> tuple[Slope, list[tuple[int, float]]]:
    """Read until `fields` are read or `seconds` are over; the line, and (fields, MiB) behind it.

    Args:
        way: Its name.
        read: Reads some fields and says how many.
        fields: At most, about.
        seconds: At most, about.
    """
    began, done = time.perf_counter(), 0
    seen: list[tuple[float, int, float]] = []  # seconds, fields, MiB
    while done < fields and (not seen or seen[-1][0] < seconds):
        done += read()
        seen.append((time.perf_counter() - began, done, rss_mib()))
    took = seen[-1][0]
    warm = min(_WARM_S, max(took * _WARM_PART, seen[0][0]))
    after = [one for one in seen if one[0] >= warm] or seen[-1:]
    points = np.array([(n, mib) for _, n, mib in after], np.float64)
    rise = None if len(points) < _FEWEST else fitted(points) * 1e6
    row = Slope(way, done, took, after[0][2], after[-1][2], rise, done / took)
    return row, [(n, mib) for _, n, mib in seen]


def fitted(points: NDArray[np.float64]) -> float:
    """Slope of the least-squares line through float64 (n, 2), n at least 2."""
    x, y = (points - points.mean(axis=0)).T
    return float((x * y).sum() / (x * x).sum())


def slopes(
    model: Path | None,
    items: Sequence[Item],
    *,
    fields: int,
    seconds: float,
    ways: Sequence[str] = WAYS,
) -> Iterator[Slope]:
    """1 thread, 2 threads that share a reader, 2 processes; each has its share of the time."""
    share = seconds / len(ways)
    if "thread" in ways or "threads" in ways:
        with Reader(model, threads=1) as reader, ThreadPoolExecutor(2) as pool:
            calls = _calls(items)

            def one() -> int:
                return _read(reader, next(calls))

            def both() -> int:
                parts = [next(calls), next(calls)]
                return sum(pool.map(lambda part: _read(reader, part), parts))

            if "thread" in ways:
                yield slope("1 thread", one, fields=fields, seconds=share)[0]
            if "threads" in ways:
                yield slope("2 threads", both, fields=fields, seconds=share)[0]
    if "processes" in ways:
        job = (model, list(items), fields // 2, share)
        with multiprocessing.get_context("spawn").Pool(2) as pool2:
            yield from pool2.map(_slope_of_process, [(1, *job), (2, *job)], chunksize=1)


def rss_mib() -> float:
    """Memory that this process holds now, MiB (Linux)."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("/proc/self/status tells no VmRSS; this benchmark needs Linux")


def fields_of(data: Path, most: int) -> list[Item]:
    """Crops of many widths, MNIST filling up what the other sets leave."""
    found: list[Item] = []
    for name in SAME_SETS:
        found += itertools.islice(SETS[name](data), max(0, most - len(found)))
    return found


def _parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def _calls(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return itertools.cycle(list(_parts(items, _CHUNK)))


def _read(reader: Reader, items: Sequence[Item]) -> int:
    return len(reader.read_fields([(crop, field) for crop, field, _ in items]))


def _read_share(job: tuple[Path | None, list[Item]]) -> list[Answer]:
    cv2.setNumThreads(1)
    with Reader(job[0], threads=1) as reader:
        return answers(reader, job[1])


def _slope_of_process(job: tuple[int, Path | None, list[Item], int, float]) -> Slope:
    number, model, items, fields, seconds = job
    cv2.setNumThreads(1)
    with Reader(model, threads=1) as reader:
        calls = _calls(items)
        read = lambda: _read(reader, next(calls))  # noqa: E731
        return slope(f"process {number} of 2", read, fields=fields, seconds=seconds)[0]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.service",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=("same", "slope"))
    parser.add_argument("--model", type=Path)
    parser.add_argument("--fields", type=int, help="5,000 and 1,000,000 where left out")
    parser.add_argument("--minutes", type=float, default=20.0, help="of `slope`, all its ways")
    parser.add_argument("--ways", default=",".join(WAYS), help="of `slope`, with commas")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    n = told.fields or (5_000 if told.what == "same" else 1_000_000)
    items = fields_of(data_folder(), min(n, 5_000))
    rows: list[Same] | list[Slope]
    if told.what == "same":
        rows = same_rows = []
        for one in same(told.model, items):
            same_rows.append(one)
            print(
                f"{one.way:32}{one.n:6} fields: {one.other_texts} other texts, "
                f"{one.other_statuses} other statuses, probability {one.most_apart:.1e} apart "
                f"at most: {'holds' if one.holds else 'DOES NOT HOLD'}",
                flush=True,
            )
        fine = all(one.holds for one in same_rows)
    else:
        rows = slope_rows = []
        ways = told.ways.split(",")
        if unknown := set(ways) - set(WAYS):
            parser.error(f"--ways: {', '.join(sorted(unknown))} is none of {', '.join(WAYS)}")
        for line in slopes(told.model, items, fields=n, seconds=60 * told.minutes, ways=ways):
            slope_rows.append(line)
            rise = line.mib_per_million
            risen = "too short to tell" if rise is None else f"{rise:+.2f} MiB a million"
            print(
                f"{line.way:14}{line.fields:9} fields in {line.seconds:6.0f} s "
                f"({line.fields_per_s:.0f}/s): {line.first_mib:.1f} to {line.last_mib:.1f} MiB, "
                f"slope {risen} (asked: under {GROWTH_MIB:g})",
                flush=True,
            )
        fine = all(one.holds for one in slope_rows)
    if told.out:
        with Reader(told.model) as reader:
            write_record(told.out, reader, rows, what=told.what, sets=SAME_SETS)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
