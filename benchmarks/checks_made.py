"""Check boxes of every make, read with a template: right, for review, and wrong though accepted.

    python -m benchmarks.checks_made [--seeds 12] [--first 7200] [--only circle] [--out FILE.json]
    python -m benchmarks.checks_made --manner fills

Sheets of `train.form_makes`: squares, circles, ovals, brackets, lines, with print inside or none,
scanned at 150, 200 and 300 dpi, every fourth a mild photo. Each is read with a template that has no
reference, one with a reference that may be filled, and one with a blank reference. Boxes are marked
in every way by chance, or, with `--manner`, as one person marks a sheet. Weights are fitted by
`benchmarks.checks_fit` on other seeds; answer sheets are `benchmarks.bubbles`' own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.record import write_record
from edge_runtime import Reader, Template
from edge_runtime.errors import TemplateError
from edge_runtime.results import Status
from train.form_bubbles import BubbleSheet
from train.form_makes import MANNERS, MadeSheet, draw_makes
from train.photo import MILD, photograph, scan_sheet

KINDS = ("no reference", "reference", "blank reference")
SIZE_MM = (210, 297)
_PHOTOS, _MEGAPIXELS = 4, 8.0
_REFERENCE_DPI = 200


@dataclass(slots=True)
class Tally:
    """Boxes of one sort."""

    name: str
    n: int = 0
    right: int = 0  # whether accepted or not
    accepted: int = 0  # rightly
    wrong: int = 0  # though accepted

    def add(self, *, right: bool, accepted: bool) -> None:
        self.n += 1
        self.right += right
        self.accepted += right and accepted
        self.wrong += accepted and not right

    def __str__(self) -> str:
        n = max(1, self.n)
        return (
            f"{self.name:46} {self.n:5}  right {100 * self.right / n:5.1f} %, "
            f"right and accepted {100 * self.accepted / n:5.1f} %, wrong and accepted {self.wrong}"
        )


def pictures(seed: int, manner: str = "mixed") -> tuple[MadeSheet, NDArray[np.uint8], str]:
    """A sheet of that seed, a scan or photo of it, and which."""
    rng = np.random.default_rng(seed)
    sheet = draw_makes(rng, manner=manner)
    return sheet, *shot_of(sheet.picture, seed, rng)


def shot_of(
    picture: NDArray[np.uint8], seed: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], str]:
    """A scan or photo of a sheet, and which."""
    if seed % _PHOTOS == _PHOTOS - 1:
        shot = photograph(picture, SIZE_MM, MILD, rng=rng, megapixels=_MEGAPIXELS, quarter_turns=0)
        return shot.picture, "photo"
    dpi = (150, 200, 300)[seed % _PHOTOS]
    shot = scan_sheet(picture, SIZE_MM, MILD, rng=rng, dpi=dpi, quarter_turns=0)
    return shot.picture, f"{dpi} dpi"


def templates(sheet: MadeSheet | BubbleSheet, folder: Path) -> Iterator[tuple[str, Template]]:
    """The sheet's template of each of `KINDS`; its blank picture is put into a folder."""
    blank = cv2.resize(
        sheet.blank, None, fx=_REFERENCE_DPI / 300, fy=_REFERENCE_DPI / 300,
        interpolation=cv2.INTER_AREA,
    )  # fmt: skip
    cv2.imwrite(str(folder / "blank.png"), blank)
    for kind in KINDS:
        facts = dict(sheet.template)
        if kind != KINDS[0]:
            facts |= {"reference": "blank.png", "reference_blank": kind == KINDS[2]}
        yield kind, Template.from_dict(facts, base=folder, source="makes")


def measured(
    first: int, seeds: int, only: str = "", show: bool = False, manner: str = "mixed"
) -> list[Tally]:
    """Tallies by kind of template, and by make, mark and picture."""
    tallies: dict[str, Tally] = defaultdict(lambda: Tally(""))
    reader = Reader()
    for seed in range(first, first + seeds):
        sheet, picture, look = pictures(seed, manner)
        with tempfile.TemporaryDirectory() as folder:
            for kind, template in templates(sheet, Path(folder)):
                try:
                    read = {one.name: one for one in reader.read(picture, template=template).fields}
                except TemplateError as error:
                    print(f"seed {seed}, {kind}: {error}", file=sys.stderr)
                    tallies[f"{kind}: refused"].add(right=False, accepted=False)
                    continue
                for box in sheet.boxes:
                    if only not in box.make:
                        continue
                    one = read[box.name]
                    right = (one.text == "yes") == box.answer
                    accepted = one.status is Status.ACCEPTED
                    for name in ("all", look, f"made {box.make}", f"mark {box.mark}"):
                        tallies[f"{kind}: {name}"].add(right=right, accepted=accepted)
                    if show and not (right and accepted):
                        print(
                            f"seed {seed} {look} {kind} {box.name}: {box.make} {box.mark}, "
                            f"{one.text} {one.confidence:.4f} {one.status} {one.reason}"
                        )
    out = []
    for name in sorted(tallies, key=lambda one: (KINDS.index(one.split(":")[0]), one)):
        tallies[name].name = name
        out.append(tallies[name])
    return out


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.checks_made",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--first", type=int, default=7200, help="the first seed")
    parser.add_argument("--only", default="", help="makes whose names hold this")
    parser.add_argument("--manner", default="mixed", choices=["mixed", *MANNERS])
    parser.add_argument("--show", action="store_true", help="every box that is not accepted, right")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    rows = measured(told.first, told.seeds, told.only, told.show, told.manner)
    for one in rows:
        print(one)
    if told.out:
        write_record(told.out, Reader(), rows, seeds=[told.first, told.first + told.seeds - 1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
