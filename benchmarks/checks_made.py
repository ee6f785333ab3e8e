"""Check boxes of every make, read with a template: right, for review, and wrong though accepted.

    python -m benchmarks.checks_made [--seeds 12] [--first 7200] [--only circle] [--out FILE.json]
    python -m benchmarks.checks_made --manner fills
    python -m benchmarks.checks_made --fit > edge_runtime/bare_weights.py

Sheets of `train.form_makes`: squares, circles, ovals, brackets, lines, with print inside or none,
scanned at 150, 200 and 300 dpi, every fourth a mild photo. Each is read with a template that has no
reference, one with a reference that may be filled, and one with a blank reference. Weights are
fitted on lone boxes of other seeds. Boxes are marked in every way by chance, or, with `--manner`,
as one person marks a sheet. Answer sheets are `benchmarks.bubbles`' own.
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

from benchmarks.checks import weights_of
from benchmarks.record import write_record
from edge_runtime import Reader, Template
from edge_runtime.bare_boxes import PrintedBox, clear_box, print_place, ring_box
from edge_runtime.check_marks import PAD, bare_features
from edge_runtime.errors import TemplateError
from edge_runtime.field import Box
from edge_runtime.preprocess import normalize_ink
from edge_runtime.reference_print import CONTRAST
from edge_runtime.results import Status
from train.form_bubbles import BubbleSheet
from train.form_makes import MAKES, MANNERS, MadeSheet, draw_makes, lone_box
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
        shot = photograph(
            picture, SIZE_MM, MILD, rng=rng, megapixels=_MEGAPIXELS, quarter_turns=0
        )
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


# --- the weights of boxes whose print is taken out ----------------------------------------------

_FITTED = {
    "empty": 0, "ticked": 1, "ticked far": 1, "crossed": 2, "slash": 1, "filled": 3,
    "scribble": 3, "dot": 3, "corrected": 4, "crossed out": 4,
}  # fmt: skip
_FIT_SEED, _FIT_BOXES = 97_000, 4000
_PLAIN = tuple("square" + more for more in ("", ", bold", ", grey", ", tinted", ", 2 mm", ", 8 mm"))
_FIT_SHARES = (0.3, 0.14, 0.06, 0.14, 0.05, 0.08, 0.05, 0.05, 0.08, 0.05)


def _seen(
    picture: NDArray[np.uint8], box: Box, rng: np.random.Generator, *, blank: bool
) -> tuple[NDArray[np.uint8], Box]:
    """What a scanner or a camera makes of a lone box, and its place there."""
    zoom = (200 if blank else float(rng.uniform(140, 310))) / 300
    turn = 0.0 if blank else float(rng.normal(0, 0.6))
    h, w = picture.shape
    move = cv2.getRotationMatrix2D((w / 2, h / 2), turn, 1)
    soft = cv2.warpAffine(picture, move, (w, h), borderValue=255)
    soft = cv2.GaussianBlur(soft, (0, 0), float(rng.uniform(0.6, 1.3)))
    small = cv2.resize(soft, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    noisy = small * float(rng.uniform(0.8, 1)) + rng.normal(0, rng.uniform(0, 4), small.shape)
    seen = np.clip(noisy, 0, 255).astype(np.uint8)
    if not blank and rng.random() < 0.2:
        seen = np.where(seen > rng.uniform(150, 205), 255, 0).astype(np.uint8)
    x0, y0, x1, y1 = (edge * zoom for edge in box)
    return seen, (x0, y0, x1, y1)


def _bare(rng: np.random.Generator) -> tuple[NDArray[np.float64], int] | None:
    """Features of a box drawn by chance, and its state; None where its print is not told."""
    make = str(rng.choice([make for make in MAKES if make not in _PLAIN]))
    mark = str(rng.choice(list(_FITTED), p=_FIT_SHARES))
    blank, marked, box = lone_box(rng, make, mark)
    page, (x0, y0, x1, y1) = _seen(marked, box, rng, blank=False)
    side = y1 - y0
    pad = PAD * side
    off = rng.normal(0, 0.06, 4) * side
    x0, y0, x1, y1 = x0 + off[0], y0 + off[1], x1 + off[2], y1 + off[3]
    left, top = max(0, round(x0 - pad)), max(0, round(y0 - pad))
    crop = page[top : round(y1 + pad), left : round(x1 + pad)]
    inside = (x0 - left, y0 - top, x1 - left, y1 - top)
    ink = normalize_ink(np.ascontiguousarray(crop))
    round_ = make.startswith(("circle", "oval"))
    printed = make.endswith(("lettered", "pale", "numbered"))
    if round_ and not printed and rng.random() < 0.6:  # the page alone does not tell a letter
        bare = ring_box(ink, inside)
    else:
        seen, _ = _seen(blank, box, rng, blank=True)
        shift = rng.normal(0, 0.02, 2) * side
        k = seen.shape[1] / page.shape[1]
        move = np.array([[k, 0, k * (left + shift[0])], [0, k, k * (top + shift[1])]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        own = cv2.warpAffine(
            seen, move, crop.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        own = normalize_ink(np.asarray(own, np.uint8), contrast=CONTRAST)
        place = print_place(own, inside)
        bare = None if place is None else clear_box(ink, PrintedBox(own, place))
    return None if bare is None else (bare_features(bare), _FITTED[mark])


def fitted(first: int, boxes: int) -> str:
    """The text of `edge_runtime/bare_weights.py`."""
    rng = np.random.default_rng(first)
    found = [one for one in (_bare(rng) for _ in range(boxes)) if one is not None]
    table, answers = np.array([one[0] for one in found]), np.array([one[1] for one in found])
    return weights_of(table, answers, "bare boxes", "benchmarks.checks_made")


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
    parser.add_argument("--fit", action="store_true", help="print weights of bare boxes")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    if told.fit:
        print(fitted(_FIT_SEED, _FIT_BOXES), end="")
        return 0
    rows = measured(told.first, told.seeds, told.only, told.show, told.manner)
    for one in rows:
        print(one)
    if told.out:
        write_record(told.out, Reader(), rows, seeds=[told.first, told.first + told.seeds - 1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
