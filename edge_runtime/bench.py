"""How fast this machine reads, in numbers that travel with the machine and the model.

Owns:   `run`, `Report`, `measure`.
Needs:  `reader`, `machine`, `drawn`; rich for the table.
Words:  *start-up*: imports, model load and first reading of a new process, its files warm.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from numpy.typing import NDArray

from edge_runtime.drawn import drawn_fields
from edge_runtime.errors import EdgeHwrError
from edge_runtime.field import Field
from edge_runtime.imaging import load_page
from edge_runtime.machine import Machine
from edge_runtime.reader import Reader

if TYPE_CHECKING:
    from rich.table import Table

    from edge_runtime.template import Template

Gray = NDArray[np.uint8]

BATCH = 32  # fields in one call of `read_fields`, as the recogniser batches strips
_FEWEST, _MOST = 5, 2000  # times that a thing is measured
_STARTS = 3  # processes; the median counts
_SHARES = {"page": 0.3, "field": 0.3, "threads": 0.3}  # of the time; start-ups take the rest

_STARTUP_WORDS = {
    "import": "imports",
    "load": "model load",
    "first_read": "first field",
    "rss_one_field": "peak memory, one field",
    "rss_batch": f"peak memory, {BATCH} fields",
}
# A process of its own, for modules load once and memory never shrinks in this one.
_START = """
import json, sys, time
begin = time.perf_counter()
from edge_runtime.reader import Reader
import cv2, onnxruntime
imported = time.perf_counter()
reader = Reader({model!r}, providers={providers!r})
loaded = time.perf_counter()
from edge_runtime.drawn import drawn_fields
from edge_runtime.machine import peak_rss_mib
items = drawn_fields(32)
drawn = time.perf_counter()
reader.read_field(*items[0])
first = time.perf_counter()
one_mib = peak_rss_mib()
reader.read_fields(items)
print(json.dumps({{
    "import_ms": (imported - begin) * 1e3, "load_ms": (loaded - imported) * 1e3,
    "first_read_ms": (first - drawn) * 1e3,
    "rss_one_field_mib": one_mib, "rss_batch_mib": peak_rss_mib(),
}}))
"""


@dataclass(frozen=True, slots=True)
class Took:
    """How long one thing takes, milliseconds."""

    name: str
    p50_ms: float
    p95_ms: float
    min_ms: float
    repeats: int


@dataclass(frozen=True, slots=True)
class Rate:
    """Fields a second with a number of threads inside the network, batches of `BATCH`."""

    threads: int
    fields_per_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured, on what, with what."""

    machine: Machine
    model: dict[str, str]  # name and digest
    providers: tuple[str, ...]
    startup: dict[str, float | None]  # medians of `_STARTS` processes; ms, and MiB of peak memory
    times: tuple[Took, ...]  # 1 thread; of a field, and of each page
    rates: tuple[Rate, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "machine": self.machine.to_dict(),
            "model": self.model,
            "providers": list(self.providers),
            "startup": self.startup,
            "times": [asdict(one) for one in self.times],
            "rates": [asdict(one) for one in self.rates],
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2)


def run(
    pages: Sequence[tuple[Path, Template | None]] = (),
    *,
    model: Path | None = None,
    providers: Sequence[str] = ("cpu",),
    threads: int | None = None,
    seconds: float = 30.0,
    say: Callable[[str], None] = lambda line: None,
) -> Report:
    """Measure. Decoding of files is left out of the pages' times, drawing out of the fields'.

    Args:
        pages: Forms and their templates; none: only drawn fields are read.
        model: An exported ONNX file; None for the bundled one.
        providers: As for `Reader`.
        threads: Most threads to try; None: as many as may run at the same time.
        seconds: Time to spend, about; the start-ups come on top.
        say: Told what is being measured.

    Raises:
        EdgeHwrError: A page, a template or the model cannot be read.
    """
    here = Machine.here()
    items = drawn_fields(BATCH)
    with Reader(model, providers=providers, threads=1) as reader:  # first: its errors say most
        say(f"start-up: {_STARTS} new processes")
        startup = _startup(model, providers)
        times = [*_page_times(reader, pages, seconds * _SHARES["page"], say)]
        say("fields, 1 thread")
        share = seconds * _SHARES["field"] / 2
        times.append(_one_by_one(reader, items, seconds=share))
        took = measure(partial(reader.read_fields, items), "", seconds=share)
        times.append(_per(took, BATCH, f"field, {BATCH} at a time"))
        facts = reader.model, reader.providers
    counts = thread_counts(threads or here.threads)
    rates = []
    for count in counts:
        say(f"threads: {count}")
        with Reader(model, providers=providers, threads=count) as reader:
            share = seconds * _SHARES["threads"] / len(counts)
            took = measure(partial(reader.read_fields, items), "", seconds=share)
            rates.append(Rate(count, BATCH / took.p50_ms * 1e3))
    return Report(here, facts[0], facts[1], startup, tuple(times), tuple(rates))


def measure(action: Callable[[], object], name: str, *, seconds: float) -> Took:
    """Repeat for about `seconds`, after one turn that does not count."""
    action()
    took: list[float] = []
    end = perf_counter() + seconds
    while len(took) < _FEWEST or (perf_counter() < end and len(took) < _MOST):
        start = perf_counter()
        action()
        took.append((perf_counter() - start) * 1e3)
    return _took(name, took)


def thread_counts(most: int) -> tuple[int, ...]:
    """1, 2, 4, ... and `most`: doublings show where more threads stop to help."""
    counts = [1]
    while counts[-1] * 2 < most:
        counts.append(counts[-1] * 2)
    return tuple(sorted({*counts, most}))


def to_text(report: Report, stream: TextIO) -> str:
    """The report as tables, in colour where `stream` is a terminal that shows it."""
    from rich.console import Console
    from rich.table import Table

    console = Console(file=stream)
    with console.capture() as text:
        times = Table(title="one thread", title_justify="left")
        for name in ("what", "p50 ms", "p95 ms", "min ms", "times"):
            times.add_column(name, justify="left" if name == "what" else "right")
        for one in report.times:
            milliseconds = (f"{ms:.2f}" for ms in (one.p50_ms, one.p95_ms, one.min_ms))
            times.add_row(one.name, *milliseconds, str(one.repeats))
        rates = Table(title=f"fields, {BATCH} at a time", title_justify="left")
        rates.add_column("threads", justify="right")
        rates.add_column("fields/s", justify="right")
        for rate in report.rates:
            rates.add_row(str(rate.threads), f"{rate.fields_per_s:.0f}")
        console.print(_startup_table(report.startup), times, rates)
        console.print(_facts(report), markup=False, highlight=False, soft_wrap=True)
    return text.get()


def _startup(model: Path | None, providers: Sequence[str]) -> dict[str, float | None]:
    script = _START.format(
        model=None if model is None else str(model.resolve()), providers=list(providers)
    )
    # the new process finds the package where this one did, installed or not
    root = str(Path(__file__).parent.parent)
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    found: list[dict[str, float | None]] = []
    for _ in range(_STARTS):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise EdgeHwrError(f"a new process cannot read ({last}); run `edge-hwr doctor`")
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return {name: _median([one[name] for one in found]) for name in found[0]}


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if len(known) == len(values) else None


def _page_times(
    reader: Reader,
    pages: Sequence[tuple[Path, Template | None]],
    seconds: float,
    say: Callable[[str], None],
) -> Iterator[Took]:
    for path, template in pages:
        say(f"page {path}, 1 thread")
        page = load_page(path)
        pixels = page.pixels if page.color is None else page.color
        read = partial(reader.read, pixels, template=template)
        yield measure(read, f"page {path.name}", seconds=seconds / len(pages))


def _one_by_one(reader: Reader, items: Sequence[tuple[Gray, Field]], *, seconds: float) -> Took:
    """Each field by itself, widths in turn."""
    turn = itertools.cycle(items)
    return measure(lambda: reader.read_field(*next(turn)), "field, one at a time", seconds=seconds)


def _per(took: Took, n: int, name: str) -> Took:
    return Took(name, took.p50_ms / n, took.p95_ms / n, took.min_ms / n, took.repeats)


def _took(name: str, took: Sequence[float]) -> Took:
    p50, p95 = np.percentile(took, [50, 95])
    return Took(name, float(p50), float(p95), min(took), len(took))


def _startup_table(startup: dict[str, float | None]) -> Table:
    from rich.table import Table

    table = Table(title=f"a new process (median of {_STARTS})", title_justify="left")
    table.add_column("what")
    table.add_column("", justify="right")
    for name, value in startup.items():
        what, _, unit = name.rpartition("_")
        unit = {"ms": "ms", "mib": "MiB"}[unit]
        shown = "unknown" if value is None else f"{value:.0f} {unit}"
        table.add_row(_STARTUP_WORDS[what], shown)
    return table


def _facts(report: Report) -> str:
    here, digest = report.machine, report.model["digest"][:16]
    quota = "" if here.quota is None else f", limited to {here.quota:g}"
    return "\n".join((
        f"model    {report.model['name']} {digest}, {', '.join(report.providers)}",
        f"machine  {here.cpu}, {here.system}, {here.cores} cores{quota}",
        f"versions {', '.join(f'{name} {version}' for name, version in here.versions)}",
    ))  # fmt: skip
