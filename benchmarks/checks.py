"""Check boxes on drawn sheets: found, and told empty, ticked, crossed, filled or corrected.

    python -m benchmarks.checks [--seeds 40] [--first 7000] [--out FILE.json]

Drawn by `train.form_checks`; weights are fitted by `benchmarks.checks_fit` on other seeds. What a
reading says: `yes` for ticked, crossed and filled, `no` for empty and corrected. *Sure* is from
0.98 on.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.detect import Row, row
from benchmarks.record import write_record
from edge_runtime import Reader
from edge_runtime.check_marks import PAD, STATES, look_at_check
from edge_runtime.detect import detect
from edge_runtime.field import Box
from edge_runtime.preprocess import normalize_ink
from train.form_checks import CheckSheet, draw_checks

Gray = NDArray[np.uint8]
_SURE = 0.98
_NEAR = 0.35  # of its side: so far off a box that was found may stand
_YES = ("ticked", "crossed", "filled")


def crops(
    sheet: CheckSheet, rng: np.random.Generator, *, jitter: float = 0.05
) -> Iterator[tuple[Gray, Box, str]]:
    """Ink of each box as a template cuts it, a little beside its place, at some resolution."""
    zoom = float(rng.uniform(0.75, 1.6))
    way = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    page = np.asarray(cv2.resize(sheet.picture, None, fx=zoom, fy=zoom, interpolation=way))
    h, w = page.shape
    for box, state in sheet.boxes:
        x0, y0, x1, _ = (edge * zoom for edge in box)
        side = x1 - x0
        x0, y0 = (a + float(rng.normal(0, jitter)) * side for a in (x0, y0))
        side *= float(rng.normal(1, 0.03))
        pad = PAD * side
        left, top = max(0, round(x0 - pad)), max(0, round(y0 - pad))
        right, bottom = min(w, round(x0 + side + pad)), min(h, round(y0 + side + pad))
        inside = (x0 - left, y0 - top, x0 + side - left, y0 + side - top)
        yield normalize_ink(np.ascontiguousarray(page[top:bottom, left:right])), inside, state


def measured(first: int, seeds: int) -> list[Row]:
    """Boxes found, states and answers told."""
    found: dict[str, list[bool]] = {state: [] for state in STATES}
    told: dict[str, list[bool]] = {state: [] for state in STATES}
    called: list[bool] = []
    sure: list[bool] = []
    confused: Counter[tuple[str, str]] = Counter()
    for seed in range(first, first + seeds):
        rng = np.random.default_rng(seed)
        sheet = draw_checks(rng)
        seen = detect(sheet.picture)
        zoom = seen.picture.shape[1] / sheet.picture.shape[1]
        squares = np.array([one.box for one in seen.found if one.kind == "checkbox"]).reshape(-1, 4)
        for box, state in sheet.boxes:
            corners = cv2.perspectiveTransform(np.array([[box[:2], box[2:]]]), seen.from_page)
            off = np.abs(squares - corners.reshape(4)).max(1, initial=0.0)
            found[state].append(bool((off <= _NEAR * (box[2] - box[0]) * zoom).any()))
        for ink, inside, state in crops(sheet, rng):
            mark = look_at_check(ink, inside)
            told[state].append(mark.state == state)
            confused[state, mark.state] += 1
            right = (mark.yes >= 0.5) == (state in _YES)
            called.append(right)
            if max(mark.yes, 1 - mark.yes) >= _SURE:
                sure.append(right)
    for (state, other), n in sorted(confused.items()):
        if state != other:
            print(f"{state} called {other}: {n}")
    rows = [row(f"check boxes found, {state}", hits) for state, hits in found.items()]
    rows += [row(f"check boxes told as they are, {state}", hits) for state, hits in told.items()]
    rows.append(row("check boxes, yes or no right", called))
    return [*rows, row(f"check boxes, yes or no right where sure ({_SURE})", sure)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.checks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--first", type=int, default=7000, help="the first seed")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    rows = measured(told.first, told.seeds)
    for one in rows:
        print(f"{one.name:60} {one.right:4} of {one.n:4}  {one.percent:5.1f} %")
    if told.out:
        seeds = [told.first, told.first + told.seeds - 1]
        write_record(told.out, Reader(), rows, seeds=seeds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
