"""Time for a field and for a page on one thread, and where it goes.

    python -m benchmarks.latency [--most 320] [--seconds 3] [--out FILE.json]

For each set: a field by itself (p50, p95, least), and in calls of 32: image work (crop to strips),
the session's own runs, all the rest (buckets, tensors, decoding, verdict). *Outside* is what is not
the session's. Beside wall time stands CPU time, which a busy machine does not lengthen. Files are
decoded and the model is loaded before.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from benchmarks.accuracy import SETS, Item
from benchmarks.record import write_record
from benchmarks.robustness import spread
from edge_runtime import Reader, Template
from edge_runtime.imaging import load_page
from edge_runtime.place import lone_crop, take_ink
from edge_runtime.timing import Took, measure, taken
from train.config import data_folder

BATCH = 32
TIMED = ("mnist", "digit_strings", "orand", "usernames", "words", "text")
OUTSIDE_MS = 1.0  # asked of ORAND, calls of 32; aim 0.4
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@dataclass(frozen=True, slots=True)
class Row:
    """One set; milliseconds a field."""

    name: str
    n: int
    one_p50_ms: float
    one_p95_ms: float
    one_min_ms: float
    many_ms: float  # calls of `BATCH`, the median call
    cpu_ms: float  # of the same, CPU time
    image_ms: float  # CPU time from here on
    session_ms: float
    rest_ms: float

    @property
    def outside_ms(self) -> float:
        return self.image_ms + self.rest_ms


@dataclass(frozen=True, slots=True)
class PageRow:
    """One form, all steps; milliseconds."""

    name: str
    fields: int
    p50_ms: float
    p95_ms: float
    min_ms: float
    steps_ms: dict[str, float]  # of the last reading


class TimedSession:
    """An ONNX Runtime session that adds up the CPU time of its runs."""

    def __init__(self, session: Any) -> None:
        self._session, self.spent_s = session, 0.0

    def run(self, *args: Any) -> Any:
        began = time.process_time()
        try:
            return self._session.run(*args)
        finally:
            self.spent_s += time.process_time() - began


def field_row(reader: Reader, name: str, items: Sequence[Item], *, seconds: float) -> Row:
    """Time of one set's fields."""
    pairs = [(crop, field) for crop, field, _ in items]
    turn = itertools.cycle(pairs)
    one = measure(lambda: reader.read_field(*next(turn)), "", seconds=seconds)
    calls = [pairs[at : at + BATCH] for at in range(0, len(pairs) - BATCH + 1, BATCH)] or [pairs]
    for call in calls:
        reader.read_fields(call)
    held = reader._recognizer._sessions or {}
    timed = {name: TimedSession(session) for name, session in held.items()}
    reader._recognizer._sessions = timed
    took: list[float] = []
    cpu = image = 0.0
    end = time.perf_counter() + seconds
    while not took or time.perf_counter() < end:
        for call in calls:
            wall, used = time.perf_counter(), time.process_time()
            reader.read_fields(call)
            took.append(1000 * (time.perf_counter() - wall) / len(call))
            cpu += time.process_time() - used
            used = time.process_time()  # once more by itself: inside, steps take turns
            for crop, field in call:
                take_ink(lone_crop(crop, field), reader.spec)
            image += time.process_time() - used
    reader._recognizer._sessions = held
    each = 1000 / (len(took) * len(calls[0]))
    spent_s = sum(one.spent_s for one in timed.values())
    cpu_ms, image_ms, session_ms = cpu * each, image * each, spent_s * each
    return Row(
        name, len(items), one.p50_ms, one.p95_ms, one.min_ms, taken("", took).p50_ms, cpu_ms,
        image_ms, session_ms, max(0.0, cpu_ms - image_ms - session_ms),
    )  # fmt: skip


def page_rows(reader: Reader, *, seconds: float) -> Iterator[PageRow]:
    """The committed examples, with their templates."""
    for path in sorted(EXAMPLES.glob("*.truth.json")):
        stem = path.name.removesuffix(".truth.json")
        page, template = load_page(EXAMPLES / f"{stem}.png"), EXAMPLES / f"{stem}.yaml"
        pixels = page.pixels if page.color is None else page.color
        form = Template.load(template)
        steps: dict[str, float] = {}

        def read() -> None:
            steps.update(reader.read(pixels, template=form).timings_ms)  # noqa: B023

        took: Took = measure(read, stem, seconds=seconds)
        fields = len(json.loads(path.read_text(encoding="utf-8"))["fields"])
        yield PageRow(stem, fields, took.p50_ms, took.p95_ms, took.min_ms, dict(steps))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.latency",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--only", help=f"with commas: {', '.join(TIMED)}")
    parser.add_argument("--most", type=int, default=320, help="at most so many of each set")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each figure")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    names = told.only.split(",") if told.only else list(TIMED)
    reader, rows = Reader(told.model, threads=1), []
    print(
        f"{reader.model_id}, ms a field\n{'set':15}{'n':>5}{'one':>8}{'p95':>8}{'least':>8}"
        f"{'of 32':>8}{'CPU':>8}{'image':>8}{'session':>9}{'rest':>8}{'outside':>9}"
    )
    for name in names:
        items = spread(list(SETS[name](data_folder())), told.most)
        row = field_row(reader, name, items, seconds=told.seconds)
        rows.append(row)
        print(
            f"{row.name:15}{row.n:5}{row.one_p50_ms:8.2f}{row.one_p95_ms:8.2f}{row.one_min_ms:8.2f}"
            f"{row.many_ms:8.2f}{row.cpu_ms:8.2f}{row.image_ms:8.2f}{row.session_ms:9.2f}"
            f"{row.rest_ms:8.2f}{row.outside_ms:9.2f}",
            flush=True,
        )
        if name == "orand":
            print(f"{'':15}outside the session: asked {OUTSIDE_MS:g} ms")
    pages = list(page_rows(reader, seconds=told.seconds))
    for page in pages:
        steps = ", ".join(f"{name} {ms:.0f}" for name, ms in page.steps_ms.items())
        print(
            f"{page.name:20}{page.fields:3} fields: {page.p50_ms:.0f} ms (p95 {page.p95_ms:.0f}, "
            f"least {page.min_ms:.0f}); {steps}"
        )
    if told.out:
        held = [{name: getattr(page, name) for name in PageRow.__slots__} for page in pages]
        write_record(told.out, reader, rows, pages=held, batch=BATCH)
    return 0


if __name__ == "__main__":
    sys.exit(main())
