"""Registration: pages whose every point is known, the dev forms, and pages of other forms.

    python -m benchmarks.registration [--most 36] [--seed 9000] [--only drawn,c1,cheques,strangers]
                                      [--out FILE.json] [--go-on]

*Drawn*: the example forms, filled, as photos and scans in four turns; `benchmarks.placed` says what
the words mean. *Strangers*: one page against up to six templates of other forms; pairs that share a
page are not independent of each other. `--most` counts the seeds of either. With `--go-on`, rows
that FILE holds of the same code are kept and only seeds it lacks are drawn: several runs, one
after the other, make one figure. Left out: decoding, model load, reading.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.accuracy import wilson
from benchmarks.placed import Row, c1_rows, cheque_rows, drawn_row
from benchmarks.strangers import Wrong, cheque_strangers, stranger_rows
from edge_runtime.machine import Machine
from train.config import data_folder

KINDS = ("drawn", "c1", "cheques", "strangers")
ASKED = {"drawn": 0.97, "c1": 1.0, "cheque": 24 / 25, "strangers": 0.99}
_ROOT = Path(__file__).resolve().parent.parent
# What a figure hangs on: rows of other code are not counted together.
_CODE = ("edge_runtime/*.py", "train/photo*.py", "train/form*.py", "train/texts.py")
_CODE_MORE = ("benchmarks/placed.py", "benchmarks/strangers.py")


@dataclass(frozen=True, slots=True)
class Line:
    """A share of pages: registered ones, or refused ones."""

    name: str
    n: int
    right: int
    low: float  # 95 % Wilson interval
    high: float
    asked: float | None
    fact: str

    def __str__(self) -> str:
        asked = "" if self.asked is None else f", asked {100 * self.asked:.0f}"
        return (
            f"{self.name:34}{self.right:5} of {self.n:5}  {100 * self.right / self.n:6.2f} % "
            f"({100 * self.low:.1f}-{100 * self.high:.1f}{asked})  {self.fact}"
        )


def share(name: str, right: int, n: int, *, asked: float | None = None, fact: str = "") -> Line:
    return Line(name, n, right, *wilson(right, n), asked, fact)


def code_digest() -> str:
    """Tells whether two figures come of the same code."""
    whole = hashlib.sha256()
    for pattern in (*_CODE, *_CODE_MORE):
        for path in sorted(_ROOT.glob(pattern)):
            whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


def placed_lines(rows: Sequence[Row]) -> list[Line]:
    """A line a kind, and one for all that were drawn."""
    lines = []
    for kind in dict.fromkeys(row.kind for row in rows):
        lines.append(_placed(kind, [row for row in rows if row.kind == kind]))
    drawn = [row for row in rows if row.kind.startswith(("photo", "scan"))]
    for name in dict.fromkeys(row.name.split("/")[0] for row in drawn):
        lines.append(_placed(name, [row for row in drawn if row.name.startswith(f"{name}/")]))
    if drawn:
        lines.append(_placed("drawn", drawn))
    return lines


def _placed(name: str, own: Sequence[Row]) -> Line:
    worst = [row.worst_px for row in own if row.worst_px is not None]
    facts = [f"refused {sum(row.worst_px is None for row in own)}"]
    if worst:
        facts.append(f"worst {max(worst):.1f} px, median {np.median(worst):.1f}")
    facts.append(
        f"fields {sum(row.fields for row in own)}, {sum(row.doubted for row in own)} in doubt"
    )
    facts.append(
        f"{sum(row.misplaced for row in own)} misplaced, {sum(row.unsaid for row in own)} unsaid"
    )
    facts.append(f"{np.median([row.ms for row in own]):.0f} ms")
    right = sum(row.registered for row in own)
    return share(name, right, len(own), asked=ASKED.get(name), fact="; ".join(facts))


def stranger_lines(rows: Sequence[Wrong]) -> list[Line]:
    """A line for each thing that templates go by, and one for all."""
    kinds = [*dict.fromkeys(row.kind for row in rows), "strangers"]
    lines = []
    for kind in kinds:
        own = [row for row in rows if kind in (row.kind, "strangers")]
        harmless = sum(row.outcome == "harmless" for row in own)
        taken = sum(row.outcome == "taken" for row in own)
        ms = float(np.median([row.ms for row in own]))
        refused = len(own) - harmless - taken
        asked = ASKED.get(kind)
        pages = len({row.name for row in own})
        fact = f"{pages} pages; all for review {harmless}, taken {taken}; {ms:.0f} ms"
        lines.append(share(f"refused: {kind}", refused, len(own), asked=asked, fact=fact))
    return lines


def _kept(path: Path | None, digest: str) -> tuple[list[Row], list[Wrong]]:
    """Rows of an earlier run of the same code."""
    if path is None or not path.is_file():
        return [], []
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if held["code"] != digest:
        raise SystemExit(
            f"{path}: of other code ({held['code']}, now {digest}); give another --out"
        )
    return [Row(**one) for one in held["rows"]], [Wrong(**one) for one in held["strangers"]]


def _write(path: Path, digest: str, rows: Sequence[Row], wrong: Sequence[Wrong]) -> None:
    facts = {
        "machine": asdict(Machine.here()),
        "threads": cv2.getNumThreads(),
        "code": digest,
        "summary": [asdict(line) for line in _lines(rows, wrong)],
        "rows": [asdict(row) for row in rows],
        "strangers": [asdict(row) for row in wrong],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _lines(rows: Sequence[Row], wrong: Sequence[Wrong]) -> list[Line]:
    return placed_lines(rows) + (stranger_lines(wrong) if wrong else [])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.registration",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--most", type=int, default=36, help="drawn pages, and strangers' pages")
    parser.add_argument("--seed", type=int, default=9000, help="the first")
    parser.add_argument("--only", default=",".join(KINDS), help=f"with commas: {', '.join(KINDS)}")
    parser.add_argument("--out", type=Path, help="JSON of the rows")
    parser.add_argument("--go-on", action="store_true", help="keep what FILE holds already")
    told = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    dev, only, digest = data_folder() / "dev", told.only.split(","), code_digest()
    rows, wrong = _kept(told.out, digest) if told.go_on else ([], [])
    drawn = {row.name.rpartition("/")[2] for row in rows}
    held = {row.name.rpartition("/")[2] for row in wrong}
    seeds = range(told.seed, told.seed + told.most)
    if "c1" in only and not any(row.kind == "c1" for row in rows):
        rows += c1_rows(dev / "c1")
    if "cheques" in only and not any(row.kind == "cheque" for row in rows):
        rows += cheque_rows(dev / "cheques")
    if "strangers" in only and not any(row.kind.startswith("real") for row in wrong):
        wrong += cheque_strangers(dev)
    for count, seed in enumerate(seeds, 1):
        if "drawn" in only and str(seed) not in drawn:
            rows.append(drawn_row(seed))
            if not rows[-1].registered:
                print(rows[-1], flush=True)
        if "strangers" in only and str(seed) not in held:
            wrong += stranger_rows(seed)
        if told.out and count % 12 == 0:
            _write(told.out, digest, rows, wrong)
    for line in _lines(rows, wrong):
        print(line)
    if told.out:
        _write(told.out, digest, rows, wrong)
    return 0


if __name__ == "__main__":
    sys.exit(main())
