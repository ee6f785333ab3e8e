"""Answer sheets with a template: rows of bubbles and words, one of each marked.

    python -m benchmarks.bubbles [--seeds 8] [--first 8200] [--manner fill] [--show] [--out FILE.json]

Sheets of `train.form_bubbles`, scanned at 150, 200 and 300 dpi, every fourth a mild photo, read
with a template that has no reference and with a blank one. A row with two marks, or with one that
is rubbed out and no other, takes a person: accepted it is wrong, whatever was read.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.checks_made import KINDS, Tally, shot_of, templates
from benchmarks.record import write_record
from edge_runtime import Reader
from edge_runtime.errors import TemplateError
from edge_runtime.results import Status
from train.form_bubbles import MANNERS, draw_bubbles, draw_words


def measured(
    first: int, seeds: int, manner: str, says: str | None = None, show: bool = False
) -> list[Tally]:
    """Tallies by kind of template, and by case and picture."""
    tallies: dict[str, Tally] = defaultdict(lambda: Tally(""))
    reader = Reader()
    for seed in range(first, first + seeds):
        rng = np.random.default_rng(seed)
        sheet = draw_words(rng) if manner == "words" else draw_bubbles(rng, manner=manner, says=says)
        picture, look = shot_of(sheet.picture, seed, rng)
        with tempfile.TemporaryDirectory() as folder:
            for kind, template in templates(sheet, Path(folder)):
                if kind == KINDS[1]:
                    continue
                try:
                    read = {one.name: one for one in reader.read(picture, template=template)}
                except TemplateError as error:
                    print(f"seed {seed}, {kind}: {error}", file=sys.stderr)
                    tallies[f"{kind}: refused"].add(right=False, accepted=False)
                    continue
                for row in sheet.rows:
                    one = read[row.name]
                    sure = one.status is Status.ACCEPTED
                    sure |= one.status is Status.BLANK and one.confidence > 0.9
                    right = one.text == row.text or (row.text is None and not sure)
                    for name in ("all", look, f"case {row.case}"):
                        tallies[f"{kind}: {name}"].add(right=right, accepted=sure)
                    if show and not (right and (sure or row.text is None)):
                        print(
                            f"seed {seed} {look} {kind} {row.name}: {row.case} {row.text!r}, "
                            f"{one.text!r} {one.confidence:.4f} {one.status} {one.reason}"
                        )
    for name, tally in tallies.items():
        tally.name = name
    return [tallies[name] for name in sorted(tallies)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bubbles",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first", type=int, default=8200, help="the first seed")
    parser.add_argument("--manner", default="fill", choices=[*MANNERS, "words"])
    parser.add_argument("--says", help="what the template says of `marks`, if not what it should")
    parser.add_argument("--show", action="store_true", help="every row that is not accepted, right")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    rows = measured(told.first, told.seeds, told.manner, told.says, told.show)
    for one in rows:
        print(one)
    if told.out:
        write_record(told.out, Reader(), rows, seeds=[told.first, told.first + told.seeds - 1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
