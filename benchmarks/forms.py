"""Whole forms through `Reader.read`: the committed examples and freshly drawn ones.

    python -m benchmarks.forms [--seeds 20] [--first 5000] [--model M] [--blind] [--photos]
        [--out FILE.json]

With `--blind` the pages are read without their templates: a field counts as found where one of
those that the reader found covers its middle. With `--photos` phones see the forms on desks, in any
turn; one that its own template does not find is named and left out.

Left out: decoding of the picture file (the pages are given as arrays), model load.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import wilson
from benchmarks.record import network_of
from edge_runtime import Reader, Template
from edge_runtime.errors import TemplateError
from edge_runtime.imaging import load_page
from edge_runtime.machine import Machine
from train.forms import FORMS, DrawnForm, draw_form, fill_sheet
from train.photo import FAIR, photograph

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
MEGAPIXELS = 5.0  # of a photo


@dataclass(frozen=True, slots=True)
class Fault:
    """A field that was not read as it was written."""

    form: str
    field: str
    truth: str
    text: str
    confidence: float
    status: str


@dataclass(slots=True)
class Tally:
    """Counts over many forms."""

    fields: int = 0
    exact: int = 0
    accepted: int = 0
    wrong_accepted: int = 0
    found: int = 0  # where fields are looked for


def check(
    reader: Reader, page: NDArray[np.uint8], template: Template, truth: dict[str, str], name: str
) -> tuple[Tally, list[Fault], float]:
    """Read one page; its counts, faults and milliseconds."""
    began = time.perf_counter()
    form = reader.read(page, template=template)
    ms = 1000 * (time.perf_counter() - began)
    tally, faults = Tally(), []
    for field, text in truth.items():
        reading = form[field]
        tally.fields += 1
        tally.exact += reading.text == text
        accepted = reading.status == "accepted"
        tally.accepted += accepted
        tally.wrong_accepted += accepted and reading.text != text
        if reading.text != text:
            faults.append(
                Fault(name, field, text, reading.text, reading.confidence, reading.status.value)
            )
    return tally, faults, ms


def check_blind(
    reader: Reader, page: NDArray[np.uint8], template: Template, truth: dict[str, str], name: str
) -> tuple[Tally, list[Fault], float]:
    """The same without the template, which only tells where fields are; those left empty and
    signatures are not counted."""
    places = reader.read(page, template=template)
    began = time.perf_counter()
    form = reader.read(page)
    ms = 1000 * (time.perf_counter() - began)
    tally, faults = Tally(), []
    for field, text in truth.items():
        if not text or places[field].kind == "signature":
            continue
        x0, y0, x1, y1 = places[field].box
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        over = [
            one for one in form
            if one.box[0] <= x <= one.box[2] and one.box[1] <= y <= one.box[3]
        ]  # fmt: skip
        tally.fields += 1
        tally.found += bool(over)
        right = any(one.text == text for one in over)
        # Upright boxes of a tilted page lie over each other: its own is the one about its middle.
        one = min(over, key=lambda one: _away(one.box, x, y), default=None)
        accepted = one is not None and one.status == "accepted"
        tally.exact += right
        tally.accepted += accepted
        tally.wrong_accepted += accepted and one is not None and one.text != text
        if not right:
            told = (one.text, one.confidence, one.status.value) if one else ("", 0.0, "not found")
            faults.append(Fault(name, field, text, *told))
    return tally, faults, ms


def _away(box: tuple[float, float, float, float], x: float, y: float) -> float:
    """From a box's middle, pixels."""
    return math.hypot((box[0] + box[2]) / 2 - x, (box[1] + box[3]) / 2 - y)


def photo_of(name: str, *, seed: int) -> DrawnForm:
    """A filled form as a phone sees it on a desk, in any turn; as `draw_form`, but for the scan."""
    rng = np.random.default_rng([seed, list(FORMS).index(name)])
    filled = fill_sheet(name, rng=rng)
    width, height = filled.template["page"]["size"]
    shot = photograph(filled.picture, (width, height), FAIR, rng=rng, megapixels=MEGAPIXELS)
    return DrawnForm(name, shot.picture, filled.template, filled.truth, filled.hand)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forms", description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=5000, help="the first seed")
    parser.add_argument("--blind", action="store_true", help="read without the templates")
    parser.add_argument("--photos", action="store_true", help="photos of the forms, on a desk")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    reader, whole, faults, times = Reader(told.model, threads=1), Tally(), [], []
    jobs: list[tuple[NDArray[np.uint8], Template, dict[str, str], str]] = []
    for path in sorted(EXAMPLES.glob("*.truth.json")) if not told.photos else ():
        stem = path.name.removesuffix(".truth.json")
        page = np.asarray(load_page(EXAMPLES / f"{stem}.png").pixels, np.uint8)
        truth = json.loads(path.read_text(encoding="utf-8"))["fields"]
        jobs.append((page, Template.load(EXAMPLES / f"{stem}.yaml"), truth, f"examples/{stem}"))
    for seed in range(told.first, told.first + told.seeds):
        for name in FORMS:
            drawn = photo_of(name, seed=seed) if told.photos else draw_form(name, seed=seed)
            template = Template.from_dict(drawn.template, base=None, source=name)
            page = np.asarray(drawn.picture, np.uint8)
            jobs.append((page, template, drawn.truth, f"{name}/{seed}"))
    for page, template, truth, name in jobs:
        look = check_blind if told.blind else check
        try:
            tally, wrong, ms = look(reader, page, template, truth, name)
        except TemplateError as error:
            print(f"{name:28} left out: {error}")
            continue
        whole.found += tally.found
        whole.fields += tally.fields
        whole.exact += tally.exact
        whole.accepted += tally.accepted
        whole.wrong_accepted += tally.wrong_accepted
        faults += wrong
        times.append((name, ms))
        for one in wrong:
            print(
                f"{one.form:28} {one.field:18} {one.truth!r} read as {one.text!r}, "
                f"{one.confidence:.3f} {one.status}"
            )
    low, high = wilson(whole.exact, whole.fields)
    warm = [ms for name, ms in times if "account-opening" in name][1:]
    print(
        f"{reader.model_id}: {len(jobs)} forms, {whole.fields} fields: "
        f"exact {100 * whole.exact / whole.fields:.2f} % ({100 * low:.1f}-{100 * high:.1f}), "
        f"accepted {100 * whole.accepted / whole.fields:.1f} %, "
        f"wrong among accepted {whole.wrong_accepted}"
        + (f"; without templates, found {100 * whole.found / whole.fields:.1f} %" * told.blind)
    )
    print(
        f"account-opening, 1 thread, warm: median {np.median(warm):.0f} ms, "
        f"worst {max(warm):.0f} ms"
    )
    if told.out:
        told.out.parent.mkdir(parents=True, exist_ok=True)
        facts = {
            "model": reader.model,
            "network": network_of(reader.spec),
            "machine": asdict(Machine.here()),
            "threads": 1,
            "seeds": [told.first, told.first + told.seeds - 1],
            "forms": len(jobs),
            "tally": asdict(whole),
            "faults": [asdict(one) for one in faults],
            "account_opening_ms": {"median": float(np.median(warm)), "worst": max(warm)},
        }
        told.out.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
