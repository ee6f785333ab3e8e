"""Fields a second when work is spread: over threads in the network, over callers, over processes.

Owns:   `rates`.
Needs:  `reader`, `fresh`, `timing`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from edge_runtime.bench_report import BATCH, Rate
from edge_runtime.field import Field
from edge_runtime.fresh import Worker
from edge_runtime.reader import Reader
from edge_runtime.timing import measure, thread_counts

Items = Sequence[tuple[NDArray[np.uint8], Field]]

_LEAST_S = 0.3  # shorter spells measure the scheduler

_SCRIPT = """
import json, sys, time
import cv2
cv2.setNumThreads(1)
facts = json.loads(sys.argv[1])
from edge_runtime.drawn import drawn_fields
from edge_runtime.reader import Reader
items = drawn_fields(facts["batch"])
reader = Reader(facts["model"], providers=facts["providers"], threads=1)
reader.read_fields(items)
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    end, done, began = time.perf_counter() + json.loads(line)["seconds"], 0, time.perf_counter()
    while time.perf_counter() < end or not done:
        reader.read_fields(items)
        done += len(items)
    print(json.dumps({"fields_per_s": done / (time.perf_counter() - began)}), flush=True)
"""


def rates(
    model: Path | None,
    provider: str,
    items: Items,
    *,
    most: int,
    seconds: float,
    say: Callable[[str], None],
) -> Iterator[Rate]:
    """Every way, with 1 to `most` threads or processes.

    Args:
        model: An exported ONNX file; None for the bundled one.
        provider: As for `Reader`.
        items: A batch of fields.
        most: Threads and processes to try, at most.
        seconds: Time to spend, about.
        say: Told what is being measured.

    Raises:
        EdgeHwrError: A new process cannot read.
    """
    counts = thread_counts(most)
    share = seconds / (4 * len(counts))  # network twice: one at a time, and many
    for count in counts:
        say(f"{count} thread{'s' * (count > 1)} inside the network")
        with Reader(model, providers=[provider], threads=count) as reader:
            yield _network(reader, items, count, seconds=share)
    with Reader(model, providers=[provider], threads=1) as reader:
        for count in counts[1:]:  # one caller is one thread
            say(f"{count} threads that share a reader")
            yield Rate("callers", count, _callers(reader, items, count, seconds=share))
    for count in counts:
        say(f"{count} process{'es' * (count > 1)}")
        yield Rate("processes", count, _processes(model, provider, count, seconds=share))


def _network(reader: Reader, items: Items, count: int, *, seconds: float) -> Rate:
    many = measure(partial(reader.read_fields, items), "", seconds=seconds)
    turn = itertools.cycle(items)
    one = measure(lambda: reader.read_field(*next(turn)), "", seconds=seconds)
    return Rate("network", count, len(items) / many.p50_ms * 1e3, one.p50_ms)


def _callers(reader: Reader, items: Items, count: int, *, seconds: float) -> float:
    """Fields a second of `count` Python threads that share one reader."""
    reader.read_fields(items)
    began = perf_counter()
    end = began + max(_LEAST_S, seconds)

    def work() -> int:
        done = 0
        while perf_counter() < end or not done:
            reader.read_fields(items)
            done += len(items)
        return done

    with ThreadPoolExecutor(count) as pool:
        done = sum(one.result() for one in [pool.submit(work) for _ in range(count)])
    return done / (perf_counter() - began)


def _processes(model: Path | None, provider: str, count: int, *, seconds: float) -> float:
    """Fields a second of `count` processes together, once all are warm."""
    facts = {
        "model": None if model is None else str(model.resolve()),
        "providers": [provider],
        "batch": BATCH,
    }
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(_SCRIPT, facts)) for _ in range(count)]
        for worker in workers:
            worker.hear()
        for worker in workers:
            worker.tell({"seconds": max(_LEAST_S, seconds)})
        return sum(float(worker.hear()["fields_per_s"]) for worker in workers)
