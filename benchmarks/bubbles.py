"""Answer sheets with a template: rows of bubbles and words, one of each marked.

    python -m benchmarks.bubbles [--seeds 8] [--first 8200] [--manner fill] [--out FILE.json]
    python -m benchmarks.bubbles --fit > edge_runtime/bubble_weights.py

Sheets of `train.form_bubbles`, scanned at 150, 200 and 300 dpi, every fourth a mild photo, read
with a template that has no reference and with a blank one. A row with two marks, or with one that
is rubbed out and no other, takes a person: accepted it is wrong, whatever was read. Weights are
fitted on sheets of other seeds, which takes ten minutes and scikit-learn.
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
from edge_runtime.chosen import Row, evidence_of
from edge_runtime.errors import TemplateError
from edge_runtime.imaging import load_page
from edge_runtime.place import take_ink, template_crops
from edge_runtime.register import choose as choose_form
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
        sheet = (
            draw_words(rng) if manner == "words" else draw_bubbles(rng, manner=manner, says=says)
        )
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


# --- the weights of bubbles -------------------------------------------------------------------

_FIT = [("fill", 90_000 + k) for k in range(24)] + [
    (manner, 90_100 + k) for k in range(10) for manner in ("tick", "cross", "scribble")
]
_HIDDEN = 8


def fitted() -> str:
    """The text of `edge_runtime/bubble_weights.py`."""
    from sklearn.neural_network import MLPClassifier

    parts, marked = [], []
    for manner, seed in _FIT:
        rng = np.random.default_rng(seed)
        sheet = draw_bubbles(rng, manner=manner)
        page = load_page(shot_of(sheet.picture, seed, rng)[0], color=False).pixels
        with tempfile.TemporaryDirectory() as folder:
            forms = [template for _, template in templates(sheet, Path(folder))]
            template, lies = choose_form(page, [forms[0 if seed % 2 else 2]])
            crops = template_crops(page, template, lies)
        spec = Reader().spec
        seen = [take_ink(crop, spec).bubbles for crop in crops]
        rows = [
            Row(bubbles, crop.field.choices or (), crop.field.marks or "any")
            for bubbles, crop in zip(seen, crops, strict=True)
            if bubbles is not None
        ]
        if not all(row.bubbles.shown for row in rows):  # laid wrongly
            continue
        for (evidence, _), row, told in zip(evidence_of(rows), rows, sheet.rows, strict=True):
            parts.append(evidence)
            marked += [name in told.marked for name in row.choices]
    table = np.vstack(parts)
    mean, scale = table.mean(0), table.std(0) + 1e-6
    model = MLPClassifier((_HIDDEN,), alpha=1.0, max_iter=3000, random_state=1, solver="lbfgs")
    model.fit((table - mean) / scale, marked)
    first, last = model.coefs_
    lines = [mean, scale, *first, model.intercepts_[0], *last, model.intercepts_[1]]
    text = "\n".join(" ".join(f"{value:.4g}" for value in line) for line in lines)
    return (
        '"""Weights of `chosen`: from `python -m benchmarks.bubbles --fit`.\n\n'
        "Owns:   `WEIGHTS`: mean and spread of the features, a row for each, the biases, the "
        "answer's own.\n"
        '"""\n\n'
        f'WEIGHTS = """\\\n{text}\n"""\n'
    )


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
    parser.add_argument("--fit", action="store_true", help="print weights")
    parser.add_argument("--show", action="store_true", help="every row that is not accepted, right")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    if told.fit:
        print(fitted(), end="")
        return 0
    rows = measured(told.first, told.seeds, told.manner, told.says, told.show)
    for one in rows:
        print(one)
    if told.out:
        write_record(told.out, Reader(), rows, seeds=[told.first, told.first + told.seeds - 1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
