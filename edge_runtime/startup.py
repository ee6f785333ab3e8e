"""What it takes until the first field is read, and memory: in new processes.

Owns:   `start_up`, the median over a few processes.
Needs:  `fresh`; the rest loads in the new process.
Words:  *start-up*: imports, model load and first reading of a new process, its files warm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from edge_runtime.bench_report import BATCH
from edge_runtime.fresh import ask

STARTS = 3  # processes; the median counts

# The page comes last: peak memory is told after each step, and never shrinks.
_SCRIPT = """
import json, sys, time
begin = time.perf_counter()
from edge_runtime.reader import Reader
import cv2, onnxruntime
imported = time.perf_counter()
facts = json.loads(sys.argv[1])
reader = Reader(facts["model"], providers=facts["providers"])
loaded = time.perf_counter()
from edge_runtime.drawn import drawn_fields
from edge_runtime.machine import peak_rss_mib
items = drawn_fields(facts["batch"])
drawn = time.perf_counter()
reader.read_field(*items[0])
first = time.perf_counter()
told = {
    "import_ms": (imported - begin) * 1e3, "load_ms": (loaded - imported) * 1e3,
    "first_read_ms": (first - drawn) * 1e3,
    "ready_ms": (loaded - begin + first - drawn) * 1e3,
    "rss_one_field_mib": peak_rss_mib(),
}
reader.read_fields(items)
told["rss_batch_mib"] = peak_rss_mib()
if facts["page"]:
    reader.read(facts["page"], template=facts["template"])
    told["rss_page_mib"] = peak_rss_mib()
print(json.dumps(told))
"""


def start_up(
    model: Path | None,
    provider: str,
    *,
    page: tuple[Path, Path | None] | None = None,
    starts: int = STARTS,
    seconds: float = math.inf,
) -> dict[str, float | None]:
    """Medians over at most `starts` processes: milliseconds, and MiB of peak memory.

    Args:
        model: An exported ONNX file; None for the bundled one.
        provider: As for `Reader`.
        page: A page and its template, whose memory is wanted as well.
        starts: Processes, one after the other.
        seconds: No further process begins after so long.

    Raises:
        EdgeHwrError: A new process cannot read.
    """
    sheet, template = page or (None, None)
    began = perf_counter()
    facts = {
        "model": _resolved(model),
        "providers": [provider],
        "batch": BATCH,
        "page": _resolved(sheet),
        "template": _resolved(template),
    }
    found, end = [ask(_SCRIPT, facts)], began + seconds
    while len(found) < starts and perf_counter() < end:
        found.append(ask(_SCRIPT, facts))
    return {name: _median([one[name] for one in found]) for name in found[0]}


def _resolved(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if len(known) == len(values) else None
