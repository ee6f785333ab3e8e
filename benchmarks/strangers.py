"""Pages of another form, which have to be refused.

Owns:   `Wrong`, `stranger_rows`: drawn pages against the templates of other forms;
        `cheque_strangers`: real cheques and forms against each other's templates.
Needs:  `edge_runtime.register`, `train.form_any`, `train.forms`, `train.photo`.
Words:  *refused*: an error that says so. *Harmless*: taken, but every field in doubt, so that none
        can be accepted. *Taken*: neither.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.placed import c1_template, cheque_template
from edge_runtime.errors import TemplateError
from edge_runtime.imaging import load_page
from edge_runtime.register import register
from edge_runtime.template import Template
from train.form_any import any_sheet, text_sheet, values
from train.form_print import Sheet
from train.forms import FORMS, fill_sheet, write_on
from train.photo import SEVERITIES, photograph, scan_sheet
from train.photo_desk import desk

Gray = NDArray[np.uint8]

PAGES = ("example", "form", "form with marks", "cheque", "text", "desk")
_REFERENCE_SHARE = 0.5  # of the reference templates drawn on a filled sheet, the rest on a blank


@dataclass(frozen=True, slots=True)
class Wrong:
    """One page held against one template of another form."""

    name: str  # page/seed
    kind: str  # what the template goes by
    outcome: str  # refused | harmless | taken
    ms: float
    fact: str


def stranger_rows(seed: int) -> list[Wrong]:
    """One drawn page against six templates of other forms; the seed tells all of it."""
    rng = np.random.default_rng([seed, 1])
    what = PAGES[seed % len(PAGES)]
    page, own = _page(what, rng)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, template in _templates(Path(folder), rng):
            if template.name != own:
                rows.append(_held(f"{what}/{seed}", kind, page, template))
    return rows


def _page(what: str, rng: np.random.Generator) -> tuple[Gray, str]:
    """A photo or scan, and the name of its own template."""
    severity = SEVERITIES[int(rng.integers(3))]
    own = ""
    if what == "desk":
        size = (1500, 2000) if rng.random() < 0.5 else (2000, 1500)
        return _gray(desk(size, px_per_mm=float(rng.uniform(4, 9)), rng=rng)), own
    if what == "example":
        own = list(FORMS)[int(rng.integers(len(FORMS)))]
        filled = fill_sheet(own, rng=rng)
    else:
        sheet = text_sheet(rng) if what == "text" else _any(what, rng)
        filled = write_on(sheet, values(sheet, rng), name="own", rng=rng)
    size_mm = filled.template["page"]["size"]
    take = scan_sheet if rng.random() < 0.4 else photograph
    return _gray(take(filled.picture, tuple(size_mm), severity, rng=rng).picture), own


def _any(what: str, rng: np.random.Generator) -> Sheet:
    return any_sheet(rng, marks=what == "form with marks", cheque=what == "cheque")


def _templates(folder: Path, rng: np.random.Generator) -> list[tuple[str, Template]]:
    """An example form; forms with marks, with nothing, with a reference; a cheque with one."""
    example = list(FORMS)[int(rng.integers(len(FORMS)))]
    found = [("example", Template.from_dict(fill_sheet(example, rng=rng).template))]
    for kind in ("marks", "page", "reference", "reference", "cheque reference"):
        sheet = any_sheet(rng, marks=kind == "marks", cheque=kind.startswith("cheque"))
        raw: dict[str, Any] = sheet.template(kind)
        if not raw["marks"]:
            del raw["marks"]
        if kind.endswith("reference"):
            path = folder / f"{len(found)}.png"
            filled = rng.random() < _REFERENCE_SHARE
            picture = np.asarray(sheet.image)[..., ::-1]
            if filled:
                picture = write_on(sheet, values(sheet, rng), name="", rng=rng).picture
            small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(path), small)
            raw["reference"] = str(path)
        found.append((kind, Template.from_dict(raw)))
    return found


def _held(name: str, kind: str, page: Gray, template: Template) -> Wrong:
    began = time.process_time()
    try:
        found = register(page, template)
    except TemplateError as error:
        return Wrong(name, kind, "refused", 1000 * (time.process_time() - began), str(error))
    ms = 1000 * (time.process_time() - began)
    harmless = all(one.doubt for one in found.certainty)
    fact = f"{found.method}, {found.inliers} inliers, support {found.support or 0:.2f}"
    return Wrong(name, kind, "harmless" if harmless else "taken", ms, fact)


def cheque_strangers(dev: Path) -> list[Wrong]:
    """Real cheques against the templates of forms, real forms against the cheque's."""
    rows = []
    cheques = sorted((dev / "cheques" / "images").iterdir())
    forms = sorted((dev / "c1" / "images").iterdir())
    forms += sorted((dev / "quexf").glob("*.png")) + sorted((dev / "medical").glob("*.png"))
    rng = np.random.default_rng([0])
    examples = [Template.from_dict(fill_sheet(name, rng=rng).template) for name in FORMS]
    examples.append(c1_template(dev / "c1"))
    for path in cheques:
        page = load_page(path).pixels
        rows += [_held(path.name, "real cheque, form", page, one) for one in examples]
    cheque = cheque_template(dev / "cheques")
    for path in forms:
        rows.append(_held(path.name, "real form, cheque", load_page(path).pixels, cheque))
    return rows


def _gray(picture: NDArray[Any]) -> Gray:
    whole = np.clip(picture, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(whole, cv2.COLOR_BGR2GRAY), np.uint8)
