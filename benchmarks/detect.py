"""Templates proposed from a page: what of it is found, and what is read with the proposal.

    python -m benchmarks.detect [--data DIR] [--seeds 40] [--first 9000] [--model M] [--out F.json]

Real pages: a questionnaire (blank PDF and three scans) and a medical form, `dev/quexf` and
`dev/medical`; nothing was fitted on them. Drawn pages: `train.form_random`, seeds that the fitting
did not see. A comb counts as found where the field over its middle has its number of cells.

Left out: fields that are no combs, on the real pages; registration between scans of other devices.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import wilson
from benchmarks.record import write_record
from edge_runtime import EdgeHwrError, FormReading, Reader, Template
from edge_runtime.detect import Detected, detect
from edge_runtime.found import Found
from edge_runtime.imaging import load_page
from edge_runtime.proposal import draft, proposed_fields, without_writing
from train.form_random import RandomForm, Spot, draw_random

Gray = NDArray[np.uint8]

_STRAY_MM = 1.5  # by which the middle of what was found may lie outside of a field
_NEAR_MM = 2.5  # by which a drawn field may stand off: the scanner's rim is not known exactly


@dataclass(frozen=True, slots=True)
class Comb:
    """One comb of a real page, counted by eye."""

    name: str  # as in truth.json; "" where no truth is written down
    at: tuple[float, float]  # its middle, parts of the page's width and height
    cells: int


# The questionnaire's cells: its scans show none of the lines between them (the blank sheet is a
# scan, too); the number is that of the letters that the third writer put one into each.
_QUEXF = (
    Comb("First Name", (0.480, 0.539), 24),
    Comb("Surname", (0.481, 0.598), 24),
    Comb("Please specify other location", (0.482, 0.771), 24),
    Comb("AUD", (0.776, 0.831), 4),
)
_QUEXF_BACK = (Comb("", (0.477, 0.254), 24),)
_MEDICAL = (
    Comb("First Name", (0.332, 0.115), 12),
    Comb("Last Name", (0.669, 0.116), 14),
    Comb("Date of Birth", (0.314, 0.142), 8),
    Comb("Email Address", (0.508, 0.174), 29),
    Comb("Address", (0.486, 0.204), 29),
    Comb("", (0.357, 0.232), 14),
    Comb("", (0.565, 0.232), 2),
    Comb("", (0.721, 0.232), 5),
    Comb("Phone", (0.285, 0.259), 10),
)
_YES, _NO = (0.801, 0.710), (0.801, 0.684)  # check boxes of the questionnaire's B3
_BLANK = "quexf/test_blank.pdf"
PAGES: Mapping[tuple[str, int], tuple[Comb, ...]] = {
    (_BLANK, 1): _QUEXF,
    (_BLANK, 2): _QUEXF_BACK,
    ("quexf/test_filled_1_p1.png", 1): _QUEXF,
    ("quexf/test_filled_2_p1.png", 1): _QUEXF,
    ("quexf/test_filled_3_p1.png", 1): _QUEXF,
    ("medical/adult_medical_p1.png", 1): _MEDICAL,
}
# What a person would write into the template that was proposed.
KINDS: Mapping[str, dict[str, Any]] = {
    "First Name": {"kind": "name", "charset": "ABCDEFGHIJKLMNOPQRSTUVWXYZ "},
    "Last Name": {"kind": "name", "charset": "ABCDEFGHIJKLMNOPQRSTUVWXYZ "},
    "Surname": {"kind": "name", "charset": "ABCDEFGHIJKLMNOPQRSTUVWXYZ "},
    "Please specify other location": {"kind": "text", "charset": "ABCDEFGHIJKLMNOPQRSTUVWXYZ "},
    "AUD": {"kind": "digits"},
    "Date of Birth": {"kind": "digits"},
    "Phone": {"kind": "digits"},
    "Email Address": {"kind": "email", "charset": "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._-"},
    "Address": {"kind": "text", "charset": "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,-/ "},
}


@dataclass(frozen=True, slots=True)
class Row:
    """A share, and what it is of."""

    name: str
    n: int
    right: int
    percent: float
    low: float  # Wilson, 95 %
    high: float


@dataclass(frozen=True, slots=True)
class Miss:
    """What was not found, or not read as it was written."""

    page: str
    field: str
    wanted: str
    got: str


def row(name: str, right: Sequence[bool]) -> Row:
    low, high = wilson(sum(right), len(right)) if right else (0.0, 0.0)
    share = sum(right) / len(right) if right else 0.0
    return Row(name, len(right), sum(right), 100 * share, 100 * low, 100 * high)


def over(found: Detected, page: Gray, at: tuple[float, float]) -> int | None:
    """The number of the field over a point, given in parts of the page; None where none is."""
    h, w = page.shape
    point = cv2.perspectiveTransform(np.array([[[at[0] * w, at[1] * h]]]), found.from_page)[0, 0]
    for k, one in enumerate(found.found):
        x0, y0, x1, y1 = one.box
        if x0 <= point[0] <= x1 and y0 <= point[1] <= y1:
            return k
    return None


def combs_found(
    found: Detected, page: Gray, combs: Iterable[Comb], name: str
) -> tuple[list[bool], list[Miss]]:
    """Which combs have a field with their number of cells."""
    right, misses = [], []
    for comb in combs:
        k = over(found, page, comb.at)
        n = len(found.found[k].cells) if k is not None else 0
        right.append(n == comb.cells)
        if n != comb.cells:
            misses.append(Miss(name, comb.name or str(comb.at), str(comb.cells), str(n)))
    return right, misses


# --- drawn forms --------------------------------------------------------------------------------


def drawn_found(form: RandomForm, found: Detected) -> tuple[list[tuple[Spot, bool]], list[Found]]:
    """Which fields of a drawn form were found, combs with their number of cells; and what was
    found where none is."""
    h, w = form.picture.shape[:2]
    k = form.px_per_mm
    rim = (w - 210 * k) / 2, (h - 297 * k) / 2
    zoom = found.picture.shape[1] / w
    out, stray = [], list(found.found)
    for spot in form.spots:
        x0, y0, x1, y1 = (edge * k + rim[i % 2] for i, edge in enumerate(spot.box))
        # Where it stands on the straight sheet: the scanner's lean was about the page's middle.
        seen = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) * zoom
        middle, size = seen.mean(0), np.array([x1 - x0, y1 - y0]) * zoom
        near = [one for one in found.found if _is_there(one, middle, size, _NEAR_MM * k * zoom)]
        out.append((spot, any(_is_like(one, spot) for one in near)))
        rim_px = np.array([1, 1, 1, 1 if spot.look != "rule" else 3]) * _STRAY_MM * k * zoom
        low, high = seen.min(0) - rim_px[:2], seen.max(0) + rim_px[2:]
        stray = [one for one in stray if not _has_middle(one, low, high)]
    return out, stray


def _is_there(
    one: Found, middle: NDArray[np.float64], size: NDArray[np.float64], near: float
) -> bool:
    x0, y0, x1, y1 = one.box
    apart = np.abs(np.array([(x0 + x1) / 2, (y0 + y1) / 2]) - middle)
    tall = size[1] / 2 if one.under else near  # the room above a line is anybody's guess
    return bool(
        apart[0] <= near and apart[1] <= max(near, tall) and abs(x1 - x0 - size[0]) <= 2 * near
    )


def _has_middle(one: Found, low: NDArray[np.float64], high: NDArray[np.float64]) -> bool:
    x0, y0, x1, y1 = one.box
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    return bool((low <= middle).all() and (middle <= high).all())


def _is_like(one: Found, spot: Spot) -> bool:
    return len(one.cells) == len(spot.cells) and (one.kind == "checkbox") == (spot.look == "check")


def drawn(first: int, seeds: int) -> list[Row]:
    """Fields of drawn forms, every other one filled in."""
    right: dict[str, list[bool]] = {}
    real: list[bool] = []
    for seed in range(first, first + seeds):
        form = draw_random(np.random.default_rng(seed), filled=seed % 2 == 1)
        picture = form.picture
        grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        found = detect(np.ascontiguousarray(grey))
        hits, stray = drawn_found(form, found)
        for spot, hit in hits:
            look = "combs" if spot.cells else spot.look
            right.setdefault(look, []).append(hit)
        real += [False] * len(stray) + [True] * (len(found.found) - len(stray))
    rows = [row(f"drawn forms, {look}", hits) for look, hits in sorted(right.items())]
    return [*rows, row("drawn forms, what was found is a field", real)]


# --- end to end ---------------------------------------------------------------------------------


def proposed(
    page: Gray, combs: Sequence[Comb], folder: Path, reader: Reader, *, kinds: bool
) -> tuple[Template, dict[str, str], Detected]:
    """The template that `detect` proposes, the names of the combs' fields in it, what was found.

    Args:
        page: What it is proposed from.
        combs: Whose fields are looked up.
        folder: Where the reference is written.
        reader: Tells kinds from what is written.
        kinds: Whether somebody has written kinds into it.
    """
    found = detect(page)
    told = reader.tell_kinds(found.picture, proposed_fields(found.found))
    written = reader.written(found.picture, told)
    cv2.imwrite(str(folder / "reference.png"), without_writing(found.picture, told, written))
    plain = draft(found, name="proposed", reference="reference.png", told=None if kinds else told)
    names = {}
    for comb in combs:
        k = over(found, page, comb.at)
        if k is not None and comb.name:
            names[comb.name] = plain["fields"][k]["name"]
            if kinds:
                plain["fields"][k] |= KINDS[comb.name]
    return Template.from_dict(plain, base=folder), names, found


def read_with(
    reader: Reader,
    page: Gray,
    template: Template,
    names: Mapping[str, str],
    truth: Mapping[str, str],
    name: str,
) -> tuple[list[bool], list[bool], list[Miss]]:
    """Fields exact, fields exact but for case, and what was read otherwise."""
    try:
        form: FormReading | None = reader.read(page, template=template)
    except EdgeHwrError as error:
        form, fact = None, str(error)
    exact, caseless, misses = [], [], []
    for field, text in truth.items():
        if field not in KINDS:
            continue
        got = form[names[field]].text if form is not None and field in names else None
        exact.append(got == text)
        caseless.append(got is not None and got.casefold() == text.casefold())
        if not caseless[-1]:
            told = got if got is not None else "no such field" if form is not None else fact
            misses.append(Miss(name, field, text, told))
    return exact, caseless, misses


def ticked(
    reader: Reader, page: Gray, template: Template, found: Detected, source: Gray
) -> str | None:
    """Which of the questionnaire's Yes and No is marked; None where not just one is."""
    ends = {"Yes": over(found, source, _YES), "No": over(found, source, _NO)}
    try:
        form = reader.read(page, template=template)
    except EdgeHwrError:
        return None
    marked = [
        word
        for word, k in ends.items()
        if k is not None and form[template.fields[k].name].text == "yes"
    ]
    return marked[0] if len(marked) == 1 else None


def end_to_end(
    reader: Reader, dev: Path, *, kinds: bool, blank: bool
) -> tuple[list[Row], list[Miss]]:
    """Read the filled pages with templates proposed from themselves, or from the blank sheet."""
    exact: list[bool] = []
    caseless: list[bool] = []
    misses: list[Miss] = []
    for folder in ("quexf", "medical"):
        truths = json.loads((dev / folder / "truth.json").read_text(encoding="utf-8"))
        if blank and folder == "medical":
            continue  # there is no blank one
        for file, truth in truths.items():
            page = load_page(dev / folder / file).pixels
            source = load_page(dev / _BLANK, page=1).pixels if blank else page
            combs = _QUEXF if folder == "quexf" else _MEDICAL
            with tempfile.TemporaryDirectory() as place:
                template, names, found = proposed(source, combs, Path(place), reader, kinds=kinds)
                one, other, wrong = read_with(reader, page, template, names, truth, file)
                if "B3" in truth:
                    got = ticked(reader, page, template, found, source)
                    one, other = [*one, got == truth["B3"]], [*other, got == truth["B3"]]
                    if got != truth["B3"]:
                        wrong.append(Miss(file, "B3", truth["B3"], str(got)))
            exact, caseless, misses = exact + one, caseless + other, misses + wrong
    of = "blank sheet" if blank else "page itself"
    by = "kinds by hand" if kinds else "as proposed"
    rows = [
        row(f"fields exact, template of the {of}, {by}", exact),
        row(f"the same but for case, template of the {of}, {by}", caseless),
    ]
    return rows, misses


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detect", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--model", type=Path)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--first", type=int, default=9000, help="the first seed")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    dev, reader = told.data / "dev", Reader(told.model)
    rows: list[Row] = []
    misses: list[Miss] = []
    if (dev / "quexf").is_dir():
        right: dict[str, list[bool]] = {}
        for (file, number), combs in PAGES.items():
            page = load_page(dev / file, page=number).pixels
            hits, wrong = combs_found(detect(page), page, combs, f"{file}, page {number}")
            misses += wrong
            part = "blank" if file == _BLANK else "filled"
            right.setdefault(f"combs, {file.split('/')[0]}, {part}", []).extend(hits)
        rows += [row(name, hits) for name, hits in right.items()]
        rows.append(row("combs, all real pages", [hit for hits in right.values() for hit in hits]))
        for blank, kinds in ((False, False), (False, True), (True, True)):
            more, wrong = end_to_end(reader, dev, kinds=kinds, blank=blank)
            rows, misses = rows + more, misses + wrong
    else:
        print(f"{dev}: no quexf there; set --data", file=sys.stderr)
    rows += drawn(told.first, told.seeds)
    for miss in misses:
        print(f"{miss.page}: {miss.field}: {miss.wanted!r}, got {miss.got!r}")
    for one in rows:
        print(f"{one.name:70} {one.right:4} of {one.n:4}  {one.percent:5.1f} %")
    if told.out:
        seeds = [told.first, told.first + told.seeds - 1]
        write_record(told.out, reader, rows, seeds=seeds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
