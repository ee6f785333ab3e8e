"""Pages whose every point is known, registered with the template of their own form.

Owns:   `Row`, `drawn_row`, `c1_rows`, `cheque_rows`.
Needs:  `edge_runtime.register`, `train.forms`, `train.photo`.
Words:  *worst*: the field corner farthest from its place, in pixels of a page 1240 wide or 1754
        high, of which one is 0.17 mm of A4. *Registered*: the worst is within 1 mm of A4, 5.9
        pixels. *Misplaced*: a field farther off; *unsaid*: misplaced and not in doubt, so that it
        could be accepted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import TemplateError
from edge_runtime.imaging import load_page
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


def drawn_row(seed: int) -> Row:
    """A photo or, one in four, a scan of a filled example form; the seed tells all of it."""
    rng = np.random.default_rng([seed])
    name, severity = list(FORMS)[seed % 3], SEVERITIES[(seed // 3) % 3]
    filled = fill_sheet(name, rng=rng)
    template = Template.from_dict(filled.template, source=name)
    is_scan = (seed // 9) % 4 == 3
    take = scan_sheet if is_scan else photograph
    shot = take(filled.picture, template.page_size, severity, rng=rng)
    page = np.asarray(cv2.cvtColor(shot.picture, cv2.COLOR_BGR2GRAY), np.uint8)
    kind = f"{'scan' if is_scan else 'photo'} {severity.name}"
    began = time.process_time()
    try:
        found = register(page, template)
    except TemplateError as error:
        return Row(f"{name}/{seed}", kind, None, 1000 * (time.process_time() - began), str(error))
    ms = 1000 * (time.process_time() - began)
    off = worst_corners(found, template, shot)
    doubt = [one.doubt != "" for one in found.certainty]
    misplaced = [one > LIMIT_PX for one in off]
    return Row(
        f"{name}/{seed}", kind, max(off), ms,
        f"{found.method}, turned {found.turned_deg}, support {found.support or 0:.2f}",
        fields=len(off), doubted=sum(doubt), misplaced=sum(misplaced),
        unsaid=sum(far and not said for far, said in zip(misplaced, doubt, strict=True)),
    )  # fmt: skip


def c1_rows(folder: Path) -> list[Row]:
    """The scans of the dev election form, from the original files, without a hint."""
    truths = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    template = c1_template(folder)
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


def c1_template(folder: Path) -> Template:
    """The template of the dev election form; boxes of the truth count from pixel centres."""
    geometry = json.loads((folder / "geometry.json").read_text(encoding="utf-8"))
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


def cheque_template(folder: Path, drawn_on: str = "scan_ex15.png") -> Template:
    """The template of the dev cheque; its reference is one of the scans."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["images"]
    home = next(one for one in truth if one["image"] == drawn_on)
    fields = [{"name": f["field"], "box": _core(f["box"])} for f in home["fields"]]
    return Template.from_dict(
        {
            "name": "cheque",
            "page": {"size": [home["width"], home["height"]], "unit": "px"},
            "reference": str(folder / "images" / drawn_on),
            "fields": fields,
        }
    )


def cheque_rows(folder: Path) -> list[Row]:
    """Photos and scans of one printed cheque, all with the template drawn on one of them.

    Every one must register; how well is told by the heights at which the fields are written: their
    boxes were drawn around ink, which stands on its line within part of a letter's height.
    """
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["images"]
    template = cheque_template(folder)
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
