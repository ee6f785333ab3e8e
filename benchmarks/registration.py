"""Registration on photos and scans whose every point is known, and on the dev forms.

    python -m benchmarks.registration [--shots 60] [--first 9000] [--out FILE.json]

*Worst*: the field corner farthest from its place, in pixels of a page 1240 wide or 1754 high, of
which one is 0.17 mm of A4. *Registered*: the worst is within 1 mm of A4, 5.9 pixels. *Misplaced*: a
field farther off; *unsaid*: misplaced and not in doubt, so that it could be accepted. Drawn are the
example forms from fresh seeds, filled, in four turns; every page is also shown to the templates of
the other forms. Left out: decoding, model load, reading.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import TemplateError
from edge_runtime.imaging import load_page
from edge_runtime.machine import Machine
from edge_runtime.marks import project
from edge_runtime.register import Registration, register
from edge_runtime.template import Template
from train.forms import FORMS, fill_sheet
from train.photo import SEVERITIES, Shot, photograph, scan_sheet

Points = NDArray[np.float64]

WIDTH, HEIGHT = 1240, 1754  # pixels that errors are told in: A4 at 150 dpi
LIMIT_PX = HEIGHT / 297  # 1 mm of A4
CHEQUE_LIMIT_PX = 16.0  # 2 mm of a cheque: people write on a line, not all at one height


@dataclass(frozen=True, slots=True)
class Row:
    """One page."""

    name: str
    kind: str  # photo mild, scan hard, c1, ...
    worst_px: float | None  # None: refused
    ms: float
    fact: str = ""
    false_accepts: int = 0
    others: int = 0
    limit_px: float = LIMIT_PX
    fields: int = 0
    doubted: int = 0  # fields whose placement is in doubt
    misplaced: int = 0
    unsaid: int = 0  # misplaced, and not in doubt

    @property
    def registered(self) -> bool:
        return self.worst_px is not None and self.worst_px <= self.limit_px


def corners_of(box: Sequence[float]) -> Points:
    x0, y0, x1, y1 = box
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float64)


def worst_corners(found: Registration, template: Template, shot: Shot) -> list[float]:
    """Of each field, pixels at `WIDTH` x `HEIGHT`, on the sheet: a photo has not one scale."""
    h, w = shot.picture.shape[:2]
    back = {
        0: np.eye(3),
        90: np.array([[0, 1, 0], [-1, 0, h], [0, 0, 1.0]]),
        180: np.array([[-1, 0, w], [0, -1, h], [0, 0, 1.0]]),
        270: np.array([[0, -1, w], [1, 0, 0], [0, 0, 1.0]]),
    }[found.turned_deg]
    unit = max(HEIGHT, WIDTH) / max(template.page_size)
    worst = []
    for field in template.fields:
        points = corners_of(field.box or (0, 0, 0, 0))
        want = shot.to_picture(points)
        have = project(back, found.project(points))
        step = 0.5
        across = (shot.to_picture(points + np.array([step, 0])) - want) / step
        down = (shot.to_picture(points + np.array([0, step])) - want) / step
        local = np.stack([across, down], axis=2)  # pixels a millimetre
        off = np.linalg.solve(local, (have - want)[..., None])[..., 0]
        worst.append(float(np.hypot(*off.T).max()) * unit)
    return worst


def drawn_rows(first: int, count: int) -> list[Row]:
    """Photos and scans of filled example forms; every fourth is a scan."""
    rows = []
    names = list(FORMS)
    templates: dict[str, Template] = {}
    for k in range(count):
        rng = np.random.default_rng([first + k])
        name, severity = names[k % 3], SEVERITIES[(k // 3) % 3]
        filled = fill_sheet(name, rng=rng)
        template = templates.setdefault(name, Template.from_dict(filled.template, source=name))
        is_scan = (k // 9) % 4 == 3
        take = scan_sheet if is_scan else photograph
        shot = take(filled.picture, template.page_size, severity, rng=rng)
        page = np.asarray(cv2.cvtColor(shot.picture, cv2.COLOR_BGR2GRAY), np.uint8)
        kind = f"{'scan' if is_scan else 'photo'} {severity.name}"
        rows.append(_row(f"{name}/{first + k}", kind, page, template, shot, templates))
        print(rows[-1], flush=True)
    return rows


def _row(
    name: str,
    kind: str,
    page: NDArray[np.uint8],
    template: Template,
    shot: Shot,
    templates: dict[str, Template],
) -> Row:
    began = time.process_time()
    worst, fact = None, ""
    off: list[float] = []
    doubt: list[bool] = []
    try:
        found = register(page, template)
        off = worst_corners(found, template, shot)
        doubt = [one.doubt != "" for one in found.certainty]
        worst = max(off)
        fact = f"{found.method}, turned {found.turned_deg}, support {found.support or 0:.2f}"
    except TemplateError as error:
        fact = str(error)
    ms = 1000 * (time.process_time() - began)
    others = [one for one in templates.values() if one is not template]
    accepted = []
    for other in others:
        try:
            wrong = register(page, other)
            accepted.append(f"{other.name} {wrong.support or 0:.2f}")
        except TemplateError:
            continue
    if accepted:
        fact += f"; taken for {', '.join(accepted)}"
    misplaced = [one > LIMIT_PX for one in off]
    return Row(
        name, kind, worst, ms, fact, len(accepted), len(others), fields=len(off),
        doubted=sum(doubt), misplaced=sum(misplaced),
        unsaid=sum(far and not said for far, said in zip(misplaced, doubt, strict=True)),
    )  # fmt: skip


def c1_rows(folder: Path) -> list[Row]:
    """The scans of the dev election form, from the original files, without a hint."""
    geometry = json.loads((folder / "geometry.json").read_text(encoding="utf-8"))
    truths = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    template = c1_template(geometry)
    rows = []
    for name, truth in truths.items():
        page = load_page(folder / "images" / truth["file"]).pixels
        began = time.process_time()
        try:
            found = register(page, template)
        except TemplateError as error:
            rows.append(Row(name, "c1", None, 1000 * (time.process_time() - began), str(error)))
            print(rows[-1], flush=True)
            continue
        ms = 1000 * (time.process_time() - began)
        canonical = np.array(truth["geometry"]["homography_original_to_canonical"])
        worst, where = 0.0, ""
        for field in template.fields:
            residual = truth["geometry"]["residual_px"].get(field.name)
            if residual is None or field.box is None:
                continue
            want = corners_of(field.box) - 0.5 + np.array(residual)
            have = project(canonical, found.corners(field.box) - 0.5)
            if (off := float(np.hypot(*(have - want).T).max())) > worst:
                worst, where = off, field.name
        fact = (
            f"{found.method}, turned {found.turned_deg}, support {found.support or 0:.2f}, {where}"
        )
        doubted = sum(one.doubt != "" for one in found.certainty)
        rows.append(Row(name, "c1", worst, ms, fact, fields=len(template.fields), doubted=doubted))
        print(rows[-1], flush=True)
    return rows


def c1_template(geometry: dict[str, Any]) -> Template:
    """The template of the dev election form; boxes of the truth count from pixel centres."""
    side = geometry["corner_square_side_px"] / 2
    centres = [geometry["corner_square_centres"][c] for c in ("TL", "TR", "BR", "BL")]
    fields: list[dict[str, Any]] = [
        {"name": name, "box": [e + 0.5 for e in one["box"]], "cells": one["n_cells"]}
        for name, one in geometry["digit_fields"].items()
    ]
    fields += [
        {"name": name, "box": [e + 0.5 for e in one["box"]]}
        for name, one in geometry["text_fields"].items()
    ]
    return Template.from_dict(
        {
            "name": "c1",
            "page": {"size": geometry["canonical_size"], "unit": "px"},
            "marks": [
                [x + 0.5 - side, y + 0.5 - side, x + 0.5 + side, y + 0.5 + side] for x, y in centres
            ],
            "fields": fields,
        }
    )


def cheque_rows(folder: Path, drawn_on: str = "scan_ex15.png") -> list[Row]:
    """Photos and scans of one printed cheque; the template's reference is one of the scans.

    Every one must register; how well is told by the heights at which the fields are written: their
    boxes were drawn around ink, which stands on its line within part of a letter's height.
    """
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["images"]
    home = next(one for one in truth if one["image"] == drawn_on)
    fields = [{"name": f["field"], "box": _core(f["box"])} for f in home["fields"]]
    template = Template.from_dict(
        {
            "name": "cheque",
            "page": {"size": [home["width"], home["height"]], "unit": "px"},
            "reference": str(folder / "images" / drawn_on),
            "fields": fields,
        }
    )
    rows = []
    for one in truth:
        page = load_page(folder / "images" / one["image"]).pixels
        began = time.process_time()
        try:
            found = register(page, template)
        except TemplateError as error:
            ms = 1000 * (time.process_time() - began)
            rows.append(Row(one["image"], "cheque", None, ms, str(error)))
            print(rows[-1], flush=True)
            continue
        ms = 1000 * (time.process_time() - began)
        unit = WIDTH / one["width"]
        own = {f["field"]: _core(f["box"]) for f in one["fields"]}
        off = [
            abs(sum(found.to_page(f.box)[1::2]) - sum(own[f.name][1::2])) / 2 * unit
            for f in template.fields
            if f.box is not None and f.name in own
        ]
        fact = f"{found.method}, {found.inliers} inliers, writing off by {np.round(off).tolist()}"
        doubted = sum(each.doubt != "" for each in found.certainty)
        rows.append(
            Row(
                one["image"],
                "cheque",
                float(np.median(off)),
                ms,
                fact,
                limit_px=CHEQUE_LIMIT_PX,
                fields=len(template.fields),
                doubted=doubted,
            )
        )
        print(rows[-1], flush=True)
    return rows


def _core(box: Sequence[float]) -> list[float]:
    """The middle of an ink box x, y, w, h: neighbours' ascenders and descenders overlap."""
    x, y, w, h = box
    return [x, y + 0.3 * h, x + w, y + 0.7 * h]


def summary(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A line a kind."""
    lines = []
    for kind in dict.fromkeys(row.kind for row in rows):
        own = [row for row in rows if row.kind == kind]
        worst = [row.worst_px for row in own if row.worst_px is not None]
        lines.append(
            {
                "kind": kind,
                "pages": len(own),
                "registered": sum(row.registered for row in own),
                "refused": sum(row.worst_px is None for row in own),
                "median_px": float(np.median(worst)) if worst else None,
                "largest_px": max(worst) if worst else None,
                "others_shown": sum(row.others for row in own),
                "others_accepted": sum(row.false_accepts for row in own),
                "fields": sum(row.fields for row in own),
                "doubted": sum(row.doubted for row in own),
                "misplaced": sum(row.misplaced for row in own),
                "unsaid": sum(row.unsaid for row in own),
                "median_ms": float(np.median([row.ms for row in own])),
            }
        )
    return lines


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.registration", description=__doc__)
    parser.add_argument("--shots", type=int, default=60, help="pages to draw")
    parser.add_argument("--first", type=int, default=9000, help="the first seed")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("EDGE_HWR_DATA", "data")))
    parser.add_argument("--only", choices=["drawn", "c1", "cheques"])
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    rows: list[Row] = []
    dev = told.data / "dev"
    if told.only in (None, "c1") and (dev / "c1").is_dir():
        rows += c1_rows(dev / "c1")
    if told.only in (None, "cheques") and (dev / "cheques").is_dir():
        rows += cheque_rows(dev / "cheques")
    if told.only in (None, "drawn"):
        rows += drawn_rows(told.first, told.shots)
    lines = summary(rows)
    for line in lines:
        print(line)
    if told.out:
        told.out.parent.mkdir(parents=True, exist_ok=True)
        facts = {
            "machine": asdict(Machine.here()),
            "threads": cv2.getNumThreads(),
            "first_seed": told.first,
            "summary": lines,
            "rows": [asdict(row) for row in rows],
        }
        told.out.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
