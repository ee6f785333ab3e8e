"""What the reader weighs: files, memory, and the time until the first reading.

    python -m benchmarks.footprint [--starts 7] [--out FILE.json]

Model and wheel in megabytes; what installing adds to numpy, OpenCV and ONNX Runtime, counted over
the distributions of this environment that `edge-hwr[cpu]` requires; the peak memory of `edge-hwr
read` on an A4 page at 300 dpi, and the time from import to first reading, both in new processes
with their files warm and their modules compiled, as `pip install` leaves them. OpenCV and ONNX
Runtime alone are timed the same way.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np

from benchmarks.record import write_record
from edge_runtime import Reader
from edge_runtime.fresh import ask
from edge_runtime.imaging import load_page
from edge_runtime.recognize import bundled_model
from edge_runtime.startup import start_up
from edge_runtime.timing import taken

ROOT = Path(__file__).resolve().parent.parent
A4_300_DPI = (2480, 3508)
MB = 1e6
# Not counted: what every engine of this kind needs; and what ONNX Runtime itself requires.
_BIG = {"numpy", "opencv-python-headless", "onnxruntime"}
_WITH_ONNXRUNTIME = {"flatbuffers", "packaging", "protobuf"}

_READ = """
import json, sys
facts = json.loads(sys.argv[1])
from edge_runtime.cli import app
from edge_runtime.machine import peak_rss_mib
try:
    app(facts["command"], prog_name="edge-hwr", standalone_mode=False)
except SystemExit:
    pass
print(json.dumps({"rss_mib": peak_rss_mib()}))
"""
_IMPORT = """
import json, time
began = time.perf_counter()
import cv2, onnxruntime
print(json.dumps({"ms": 1000 * (time.perf_counter() - began)}))
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure and what was asked of it."""

    what: str
    value: float
    unit: str
    asked: float | None = None  # at most
    aim: float | None = None

    @property
    def holds(self) -> bool:
        return self.asked is None or self.value <= self.asked


def wheel_mb(folder: Path) -> tuple[float, float]:
    """Megabytes of a freshly built wheel, and of what it holds unpacked."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as held:
        return wheel.stat().st_size / MB, sum(one.file_size for one in held.infolist()) / MB


def required(extra: str = "cpu") -> set[str]:
    """Distributions that this project with `extra` needs, those they need, and so on."""
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    todo = [*project["dependencies"], *project["optional-dependencies"][extra]]
    found: set[str] = set()
    while todo:
        one = Requirement(todo.pop())
        name = plain(one.name)
        if name in found or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        todo += metadata.requires(one.name) or []
    return found


def plain(name: str) -> str:
    """A distribution's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_mb(name: str) -> float:
    """Megabytes on the disk, compiled files included."""
    files = metadata.distribution(name).files or ()
    paths = (Path(str(one.locate())) for one in files)
    return sum(path.stat().st_size for path in paths if path.is_file()) / MB


def example_at_300_dpi(folder: Path) -> list[str]:
    """`edge-hwr read` of the account form, enlarged to A4 at 300 dpi."""
    page, template = folder / "page.png", ROOT / "examples" / "account-opening.yaml"
    pixels = load_page(ROOT / "examples" / "account-opening.png")
    shown = pixels.pixels if pixels.color is None else pixels.color
    cv2.imwrite(str(page), cv2.resize(shown, A4_300_DPI, interpolation=cv2.INTER_CUBIC))
    out = folder / "out.json"
    return [
        "read", str(page), "--template", str(template), "--format", "json", "--output", str(out)
    ]  # fmt: skip


@contextmanager
def compiled() -> Iterator[None]:
    """New processes find their modules compiled, whatever the environment says of writing them."""
    kept = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        try:
            ask(_IMPORT, {})
            start_up(None, "cpu", starts=1)  # compiles
            yield
        finally:
            os.environ.clear()
            os.environ.update(kept)


def rows(model: Path | None, *, starts: int) -> Iterator[Row]:
    """Every figure, the quick ones first."""
    yield Row("model", (model or bundled_model()).stat().st_size / MB, "MB", 4.0)
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        packed, unpacked = wheel_mb(folder)
        yield Row("wheel", packed, "MB", 7.0)
        others = required() - _BIG - _WITH_ONNXRUNTIME
        install = unpacked + sum(map(installed_mb, others))
        yield Row("install beyond numpy, OpenCV, ONNX Runtime", install, "MB", 60.0, 35.0)
        command = example_at_300_dpi(folder)
        if model is not None:
            command += ["--model", str(model.resolve())]
        peak = float(np.median([ask(_READ, {"command": command})["rss_mib"] for _ in range(3)]))
        if not (folder / "out.json").read_text(encoding="utf-8").strip():
            raise SystemExit("`edge-hwr read` wrote nothing; run `edge-hwr doctor`")
        yield Row("peak memory of `edge-hwr read`, A4 at 300 dpi", peak, "MiB", 250.0, 150.0)
    found = [start_up(model, "cpu", starts=1) for _ in range(starts)]
    steps = {
        "import_ms": "imports",
        "load_ms": "model load",
        "first_read_ms": "first field",
        "ready_ms": "import to first reading",
    }
    for key, what in steps.items():
        took = taken(what, [float(one[key] or 0) for one in found])
        asked, aim = (1200.0, 650.0) if key == "ready_ms" else (None, None)
        yield Row(what, took.p50_ms, "ms", asked, aim)
        if key == "ready_ms":
            yield Row(f"{what}, least", took.min_ms, "ms")
    alone = [ask(_IMPORT, {})["ms"] for _ in range(starts)]
    yield Row("import of OpenCV and ONNX Runtime alone", float(np.median(alone)), "ms")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.footprint",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--starts", type=int, default=7, help="new processes; the median counts")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    found = []
    with compiled():
        for row in rows(told.model, starts=told.starts):
            found.append(row)
            asked = "" if row.asked is None else f"   asked: {row.asked:g}"
            aim = "" if row.aim is None else f", aim {row.aim:g}"
            verdict = "" if row.asked is None else f"   {'holds' if row.holds else 'DOES NOT HOLD'}"
            print(f"{row.what:48}{row.value:9.1f} {row.unit}{asked}{aim}{verdict}", flush=True)
    if told.out:
        with Reader(told.model) as reader:
            write_record(told.out, reader, found, starts=told.starts)
    return 0 if all(row.holds for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
