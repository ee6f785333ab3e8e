"""Fields that are white on a printed tint: how many are found without a template, and what is
found that is none.

    python -m benchmarks.tinted [--forms 40] [--first 61000] [--look FOLDER] [--out FILE.json]
        [--read]

Forms of `train.form_tinted`: scans of 150, 200 and 300 dpi in grey, every fourth a photo on a desk;
every other one filled in. A field is found where all four corners of what was found lie within
1.5 mm of those drawn, its kind and number of cells are right; a cell where a comb over it has one
whose left and right edge lie within 0.8 mm. False is what has its middle in no drawn field. The
same on pages where nothing white is a field (`NEGATIVES`): there `found` counts those drawn by
lines. `--read` reads the filled forms and counts texts that are exact, accepted, and wrong though
accepted; a text of a free field counts without spaces at its ends, case as it is.

Left out: the reader's choice of a page's turn.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime import Reader
from edge_runtime.flat_sheet import flat_sheet
from edge_runtime.locate import locate_fields
from edge_runtime.marks import project
from edge_runtime.turn import turn_matrix, turned
from train.form_tinted import NEGATIVES, TintedForm, draw_tinted, draw_untinted
from train.photo import FAIR, MILD, Shot, photograph, scan_sheet

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]

NEAR_MM, CELL_NEAR_MM, STRAY_MM = 1.5, 0.8, 1.5
_PHOTOS, _MEGAPIXELS = 4, 6.0


@dataclass(slots=True)
class Tally:
    """Fields of one sort of page."""

    name: str
    pages: int = 0
    fields: int = 0
    found: int = 0
    cells: int = 0
    cells_found: int = 0
    false: int = 0
    written: int = 0  # fields that were read
    exact: int = 0
    accepted: int = 0  # and exact
    wrong: int = 0  # though accepted

    def __str__(self) -> str:
        told = (
            f"{self.name:22} {self.pages:3} pages  found {self.found:5} of {self.fields:5}  "
            f"cells {self.cells_found:5} of {self.cells:5}  false {self.false:4} "
            f"({self.false / max(1, self.pages):.2f} a page)"
        )
        if self.written:
            told += (
                f"  read {self.exact} of {self.written}, accepted {self.accepted}, "
                f"wrong though accepted {self.wrong}"
            )
        return told


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was found on one page, all of it in pixels of the picture given."""

    boxes: tuple[Points, ...]  # (4, 2) each, clockwise from the top left
    cells: tuple[tuple[Points, ...], ...]
    checks: tuple[bool, ...]


def pages(seed: int, look: str) -> tuple[TintedForm, Shot, Gray]:
    """A form of that seed, a picture of it, and its grey levels."""
    rng = np.random.default_rng([seed, 77])
    filled = seed % 2 == 1
    form = draw_tinted(rng, filled=filled) if look == "tinted" else draw_untinted(rng, look)
    if seed % _PHOTOS == _PHOTOS - 1:
        severity = MILD if rng.random() < 0.6 else FAIR
        shot = photograph(
            form.picture, form.size, severity, rng=rng, megapixels=_MEGAPIXELS, quarter_turns=0
        )
    else:
        dpi = (200, 150, 300)[seed // 2 % 3]
        shot = scan_sheet(form.picture, form.size, MILD, rng=rng, dpi=dpi, quarter_turns=0)
    return form, shot, np.asarray(cv2.cvtColor(shot.picture, cv2.COLOR_BGR2GRAY), np.uint8)


def look_for(page: Gray) -> Seen:
    """The very road of a reader without templates, but for the turn of a scan."""
    sheet = flat_sheet(page)
    turn = 0 if sheet is None else sheet.turn
    located = locate_fields(turned(page, turn), sheet)
    back = np.linalg.inv(turn_matrix(page.shape, turn)).astype(np.float64)

    def on_page(box: Sequence[float]) -> Points:
        x0, y0, x1, y1 = box
        corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float64)
        if located.bend is not None:
            corners = located.bend.moved(corners)
        return project(back, project(located.to_page, corners))

    boxes, cells, checks = [], [], []
    for one in located.fields:
        assert one.box is not None
        boxes.append(on_page(one.box))
        checks.append(one.kind == "checkbox")
        x0, y0, x1, y1 = one.box
        if isinstance(one.cells, int):
            edges = np.linspace(x0, x1, one.cells + 1)
            own = [(float(a), y0, float(b), y1) for a, b in pairwise(edges)]
        else:
            own = list(one.cells or ())
        cells.append(tuple(on_page(cell) for cell in own))
    return Seen(tuple(boxes), tuple(cells), tuple(checks))


def judge(form: TintedForm, shot: Shot, seen: Seen, tally: Tally) -> list[bool]:
    """Count what was found into the tally; which spots were."""
    middle = np.array(form.size) / 2
    steps = shot.to_picture(middle + np.array([(0, 0), (1, 0), (0, 1)], np.float64))
    mm = float(np.sqrt(abs(np.linalg.det(steps[1:] - steps[0]))))
    tally.pages += 1
    hits, own = [], set()
    for spot in form.spots:
        drawn = _corners(shot, spot.box)
        at = [k for k, box in enumerate(seen.boxes) if _apart(box, drawn) <= NEAR_MM * mm]
        like = [
            k for k in at
            if seen.checks[k] == (spot.look == "check") and len(seen.cells[k]) == len(spot.cells)
        ]  # fmt: skip
        hits.append(bool(like))
        rim = STRAY_MM * mm * (1 if spot.look != "rule" else 3)
        for k, box in enumerate(seen.boxes):
            if cv2.pointPolygonTest(drawn.astype(np.float32), _middle(box), True) >= -rim:
                own.add(k)
        others = [cell for k in own for cell in seen.cells[k]]
        for cell in spot.cells:
            want = _corners(shot, cell)
            tally.cells += 1
            tally.cells_found += any(
                np.abs(got[:, 0] - want[:, 0]).max() <= CELL_NEAR_MM * mm
                and np.abs(got[:, 1] - want[:, 1]).max() <= NEAR_MM * mm
                for got in others
            )
    tally.fields += len(hits)
    tally.found += sum(hits)
    tally.false += len(seen.boxes) - len(own)
    return hits


def _corners(shot: Shot, box: Sequence[float]) -> Points:
    x0, y0, x1, y1 = box
    return shot.to_picture(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float64))


def _apart(a: Points, b: Points) -> float:
    return float(np.hypot(*(a - b).T).max())


def _middle(box: Points) -> tuple[float, float]:
    x, y = box.mean(axis=0)
    return float(x), float(y)


def read_all(reader: Reader, form: TintedForm, shot: Shot, page: Gray, tally: Tally) -> None:
    """Read a filled form and count its texts."""
    reading = reader.read(page)
    for spot in form.spots:
        if not spot.text:
            continue
        drawn = _corners(shot, spot.box).astype(np.float32)
        over = [
            one for one in reading
            if cv2.pointPolygonTest(
                drawn, ((one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2), False
            ) >= 0
        ]  # fmt: skip
        tally.written += 1
        right = [one for one in over if one.text.strip() == spot.text]
        tally.exact += bool(right)
        tally.accepted += any(one.status == "accepted" for one in right)
        tally.wrong += any(one.status == "accepted" and one not in right for one in over)


def picture_of(form: TintedForm, shot: Shot, seen: Seen, hits: Sequence[bool]) -> Gray:
    """What was found in red, drawn fields that were not in blue."""
    out = shot.picture.copy()
    for spot, hit in zip(form.spots, hits, strict=True):
        if not hit:
            corners = np.round(_corners(shot, spot.box)).astype(np.int32)
            cv2.polylines(out, [corners], True, (255, 80, 0), 5)
    for box, cells, check in zip(seen.boxes, seen.cells, seen.checks, strict=True):
        colour = (0, 160, 0) if check else (0, 0, 230)
        for one in (box, *cells):
            cv2.polylines(out, [np.round(one).astype(np.int32)], True, colour, 2)
    return np.asarray(out, np.uint8)


def measured(
    first: int, forms: int, *, look: Path | None, reader: Reader | None
) -> Iterator[Tally]:
    """A tally for forms with tint, by how deep it is, then one for each other look."""
    shares = {
        "tint under 12 %": (0.0, 0.12),
        "tint to 25 %": (0.12, 0.25),
        "tint over": (0.25, 1.0),
    }
    tallies = {name: Tally(name) for name in shares}
    looks = {name: Tally(f"  {name}") for name in ("box", "area", "comb", "check")}
    made = {name: Tally(f"  {name}") for name in ("scans", "photos", "blank", "filled")}
    for seed in range(first, first + forms):
        form, shot, page = pages(seed, "tinted")
        seen = look_for(page)
        name = next(n for n, (a, b) in shares.items() if a <= form.depth < b)
        before = tallies[name].false
        hits = judge(form, shot, seen, tallies[name])
        for spot, hit in zip(form.spots, hits, strict=True):
            looks[spot.look].fields += 1
            looks[spot.look].found += hit
        for own in ("photos" if seed % _PHOTOS == _PHOTOS - 1 else "scans",
                    "filled" if seed % 2 else "blank"):  # fmt: skip
            made[own].pages += 1
            made[own].fields += len(hits)
            made[own].found += sum(hits)
            made[own].false += tallies[name].false - before
        if reader is not None and seed % 2 == 1:
            read_all(reader, form, shot, page, tallies[name])
        _show(look, f"tinted-{seed}", form, shot, seen, hits)
    yield from tallies.values()
    yield _sum("tinted, all", list(tallies.values()))
    yield from looks.values()
    yield from made.values()
    others = []
    for kind in NEGATIVES:
        others.append(Tally(kind))
        for seed in range(first, first + max(2, forms // 5)):
            form, shot, page = pages(seed, kind)
            seen = look_for(page)
            hits = judge(form, shot, seen, others[-1])
            _show(look, f"{kind}-{seed}", form, shot, seen, hits)
        yield others[-1]
    yield _sum("others, all", others)


def _show(
    look: Path | None, name: str, form: TintedForm, shot: Shot, seen: Seen, hits: Sequence[bool]
) -> None:
    if look is not None:
        look.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(look / f"{name}.png"), picture_of(form, shot, seen, hits))


def _sum(name: str, tallies: Sequence[Tally]) -> Tally:
    out = Tally(name)
    for one in tallies:
        for key, value in asdict(one).items():
            if key != "name":
                setattr(out, key, getattr(out, key) + value)
    return out


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tinted", description=__doc__)
    parser.add_argument("--forms", type=int, default=40)
    parser.add_argument("--first", type=int, default=61000, help="the first seed")
    parser.add_argument("--look", type=Path, help="folder for pictures of what was found")
    parser.add_argument("--read", action="store_true")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    reader = Reader() if told.read else None
    rows = []
    for tally in measured(told.first, told.forms, look=told.look, reader=reader):
        print(tally, flush=True)
        rows.append(asdict(tally))
    if told.out:
        told.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
