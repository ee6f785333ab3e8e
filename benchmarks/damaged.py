"""Forms that something happened to, read with their template: what is wrong and goes unsaid.

    python -m benchmarks.damaged [--first 990000] [--seeds 6] [--only glare,slip] [--photos]
        [--bare] [--copies] [--out FILE.json]

Drawn forms of any layout, each with its blank sheet as the template's reference (`--bare`: none),
scanned at 200 dpi or photographed, then damaged (`damages`). Counted are fields that were accepted
and are wrong, and blanks at more than half confidence where something is written: both go
unnoticed. A page that is refused loses nothing.

With `--copies` pages are copied, faxed and scanned as offices do (`copies`), the example forms
among them; told is also how many fields are more than 1 mm (of the paper) from their place.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.copies import COPIES, Copy
from benchmarks.damages import DAMAGES, Picture
from benchmarks.placed import corners_of
from benchmarks.record import write_record
from edge_runtime import FormReading, Reader, Template
from edge_runtime.errors import TemplateError
from edge_runtime.marks import project
from train.form_any import any_sheet, values
from train.forms import FORMS, fill_sheet, write_on
from train.photo import FAIR, MILD, photograph, scan_sheet

DPI, MEGAPIXELS = 200, 5.0
ASTRAY_MM = 1.0  # of the paper: a tenth of a field's height or more

Points = NDArray[np.float64]


@dataclass(slots=True)
class Tally:
    """One damage, over all forms."""

    damage: str
    pages: int = 0
    refused: int = 0
    fields: int = 0
    exact: int = 0
    accepted: int = 0
    wrong: int = 0  # of the accepted
    unsaid: int = 0  # blank, and sure of it, where something is written
    doubted: int = 0  # said to be hidden or overexposed
    astray: int = 0  # more than `ASTRAY_MM` from their place
    untold: int = 0  # of these, not said to be in doubt
    told: bool = False  # refusals are named

    def __str__(self) -> str:
        n = max(1, self.fields)
        return (
            f"{self.damage:9} {self.fields:5} fields, exact {100 * self.exact / n:5.1f} %, "
            f"accepted {100 * self.accepted / n:5.1f} %, wrong among these {self.wrong}, blank and "
            f"sure of it though written {self.unsaid}, said to be hidden {self.doubted}; refused "
            f"{self.refused} of {self.pages} pages; astray {self.astray}, untold {self.untold}"
        )


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it comes in, before anything happens to it."""

    picture: Picture
    template: Template
    truth: dict[str, str]
    per_mm: float
    corners: dict[str, Points]  # (4, 2) of every field, pixels of the picture


def forms(
    seeds: range, folder: Path, *, photos: bool, bare: bool, examples: bool = False
) -> Iterator[tuple[int, Filled]]:
    """Drawn forms of any layout, every third an example form if these are asked for, too; their
    blank sheets are put in `folder`."""
    for seed in seeds:
        rng = np.random.default_rng([seed, 77])
        if examples and seed % 3 == 0:
            name = list(FORMS)[seed // 3 % len(FORMS)]
            sheet, filled = FORMS[name].layout(), fill_sheet(name, rng=rng)
        else:
            sheet = any_sheet(rng, marks=bool(rng.random() < 0.5))
            filled = write_on(sheet, values(sheet, rng), name="any", rng=rng)
        told = dict(filled.template)
        if not bare:
            told["reference"] = f"{seed}.png"
            sheet.image.save(folder / told["reference"])
        template = Template.from_dict(told, base=folder, source="any")
        if photos:
            shot = photograph(
                filled.picture, sheet.size, FAIR, rng=rng, megapixels=MEGAPIXELS, quarter_turns=0
            )
        else:
            shot = scan_sheet(filled.picture, sheet.size, MILD, rng=rng, dpi=DPI, quarter_turns=0)
        per_mm = max(shot.picture.shape) / max(sheet.size)
        corners = {
            field.name: shot.to_picture(corners_of(field.box))
            for field in template.fields
            if field.box is not None
        }
        picture = np.asarray(shot.picture, np.uint8)
        yield seed, Filled(picture, template, filled.truth, per_mm, corners)


def copied(form: Filled, copy: Copy, rng: np.random.Generator) -> Filled:
    """What an office made of it."""
    picture, matrix = copy(form.picture, form.per_mm, rng)
    corners = {name: project(matrix, points) for name, points in form.corners.items()}
    return replace(form, picture=picture, corners=corners)


def _astray(form: Filled, found: FormReading, name: str) -> bool:
    """Whether a field is read beside its place, by the upright boxes of both."""
    truth = form.corners.get(name)
    if truth is None:
        return False
    if (found.registration or {}).get("turned_deg", 0):
        return True  # no page is turned by quarters
    want = np.concatenate([truth.min(axis=0), truth.max(axis=0)])
    box = next(field.box for field in form.template.fields if field.name == name)
    x0, y0, x1, y1 = box or (0, 0, 1, 1)
    wide, high = truth[1] - truth[0], truth[3] - truth[0]
    per_mm = np.array([np.hypot(*wide) / (x1 - x0), np.hypot(*high) / (y1 - y0)])
    return bool((np.abs(np.array(found[name].box) - want) > ASTRAY_MM * np.tile(per_mm, 2)).any())


def read(reader: Reader, form: Filled, tally: Tally) -> Iterator[str]:
    """Read one page into the tally; yields what goes unnoticed."""
    tally.pages += 1
    try:
        found = reader.read(form.picture, template=form.template)
    except TemplateError as error:
        tally.refused += 1
        if tally.told:
            yield f"refused: {error}"
        return
    for name, text in form.truth.items():
        one = found[name]
        accepted, blank = one.status == "accepted", one.status == "blank"
        tally.fields += 1
        tally.exact += one.text == text
        tally.accepted += accepted
        tally.doubted += "hidden" in one.reason or "overexposed" in one.reason
        if _astray(form, found, name):
            tally.astray += 1
            tally.untold += "placement" not in one.reason
        if accepted and one.text != text:
            tally.wrong += 1
            yield f"{name}: {text!r} read as {one.text!r}, {one.confidence:.4f}"
        if blank and text and one.confidence > 0.5:
            tally.unsaid += 1
            yield f"{name}: {text!r} taken for blank, {one.confidence:.2f}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.damaged", description=__doc__)
    parser.add_argument("--first", type=int, default=990000, help="the first seed")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--only", help="damages, with commas")
    parser.add_argument("--photos", action="store_true", help="photographed, not scanned")
    parser.add_argument("--bare", action="store_true", help="templates without a reference")
    parser.add_argument("--copies", action="store_true", help="copied, faxed, scanned")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    kinds = list(COPIES if told.copies else DAMAGES)
    names = told.only.split(",") if told.only else kinds
    if unknown := sorted({*names} - {*kinds}):
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(kinds)}")
    tallies = {name: Tally(name, told=told.copies) for name in names}
    with Reader(threads=1) as reader, tempfile.TemporaryDirectory() as folder:
        seeds = range(told.first, told.first + told.seeds)
        drawn = forms(seeds, Path(folder), photos=told.photos, bare=told.bare, examples=told.copies)
        for seed, form in drawn:
            for name, tally in tallies.items():
                rng = np.random.default_rng([seed, *name.encode()])
                if told.copies:
                    seen = copied(form, COPIES[name], rng)
                else:
                    seen = replace(form, picture=DAMAGES[name](form.picture, form.per_mm, rng))
                for fault in read(reader, seen, tally):
                    print(f"{name} {seed} {fault}", flush=True)
        for tally in tallies.values():
            print(tally)
        if told.out:
            write_record(
                told.out, reader, list(tallies.values()),
                first=told.first, seeds=told.seeds, photos=told.photos, bare=told.bare,
                copies=told.copies,
            )  # fmt: skip
    return 0


if __name__ == "__main__":
    cv2.setNumThreads(1)
    sys.exit(main())
