"""Number fields of the dev election form, end to end: original file and template in, texts out.

    python -m benchmarks.c1_read

Cells whose truth is uncertain are left out, as in `benchmarks.fields`; there the same fields are
cut at their true places, here registration has to find them.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

from benchmarks.accuracy import wilson
from benchmarks.fields import NUMBERS
from benchmarks.placed import c1_template
from edge_runtime import Reader
from train.config import data_folder


def main() -> int:
    folder = data_folder() / "dev" / "c1"
    template = c1_template(folder)
    fields = (
        replace(one, kind="text", charset="0123456789X") if one.name in NUMBERS else one
        for one in template.fields
    )
    template = replace(template, fields=tuple(fields))
    truths = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    n = right = accepted = wrong = 0
    with Reader(threads=1) as reader:
        for form in truths.values():
            readings = reader.read(folder / "images" / form["file"], template=template)
            for name in NUMBERS:
                if name in form["uncertain_cells"]:
                    continue
                one, truth = readings[name], str(form[name]).strip()
                n, right = n + 1, right + (one.text == truth)
                accepted += one.status == "accepted"
                wrong += one.status == "accepted" and one.text != truth
                if one.text != truth:
                    print(f"{form['file']} {name}: {truth!r} read as {one.text!r}, {one.status}")
    low, high = wilson(right, n)
    print(
        f"c1 numbers, end to end: {right} of {n} exact, {100 * right / n:.1f} % "
        f"({100 * low:.1f}-{100 * high:.1f}; asked 88); {accepted} accepted, {wrong} of them wrong"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
