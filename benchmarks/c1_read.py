"""The dev election form end to end: original file and template in, texts out.

    python -m benchmarks.c1_read [--words]

Numbers: cells whose truth is uncertain are left out, as in `benchmarks.fields`; there the same
fields are cut at their true places, here registration has to find them. With `--words` the fields
for numbers in words, which the form prints "(ditulis dengan huruf)" into over a watermark: without
a reference, and with the blank form that `edge-hwr template blank` makes of the other pages. Empty
fields count as read where a text comes of them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2

from benchmarks.accuracy import wilson
from benchmarks.fields import NUMBERS, SPELLED
from benchmarks.placed import c1_template
from edge_runtime import Reader
from edge_runtime.blank_form import BlankForm
from edge_runtime.imaging import load_page
from train.config import data_folder


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.c1_read",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--words", action="store_true", help="numbers in words, not in figures")
    told = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    folder = data_folder() / "dev" / "c1"
    truths = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    with Reader(threads=1) as reader:
        if told.words:
            _words(reader, folder, truths)
        else:
            _numbers(reader, folder, truths)
    return 0


def _numbers(reader: Reader, folder: Path, truths: Mapping[str, Any]) -> None:
    template = c1_template(folder)
    fields = (
        replace(one, kind="text", charset="0123456789X") if one.name in NUMBERS else one
        for one in template.fields
    )
    template = replace(template, fields=tuple(fields))
    n = right = accepted = wrong = 0
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


def _words(reader: Reader, folder: Path, truths: Mapping[str, Any]) -> None:
    template = c1_template(folder)
    pages = {
        name: load_page(folder / "images" / form["file"], color=False).pixels
        for name, form in truths.items()
    }
    with tempfile.TemporaryDirectory() as kept:
        for way in ("without a reference", "with a blank form made of the others"):
            n = exact = folded = empty = read = wrong = 0
            for name, form in truths.items():
                its = template
                if way != "without a reference":
                    blank = BlankForm(template)
                    for one, page in pages.items():
                        if one != name:
                            blank.add(page)
                    path = Path(kept) / f"{name}.png"
                    cv2.imwrite(str(path), blank.picture())
                    its = replace(template, reference=path, reference_blank=True)
                readings = reader.read(folder / "images" / form["file"], template=its)
                for truth, one in _spelled(form, readings):
                    if truth:
                        n, exact = n + 1, exact + (one.text == truth)
                        folded += _folded(one.text) == _folded(truth)
                    else:
                        empty, read = empty + 1, read + (one.text != "")
                    wrong += one.status == "accepted" and _folded(one.text) != _folded(truth)
            print(
                f"c1 numbers in words, {way}: {exact} of {n} exact, case and full stop aside "
                f"{folded}; of {empty} empty fields {read} are read as something; "
                f"{wrong} accepted and wrong"
            )


def _spelled(form: Mapping[str, Any], readings: Any) -> Iterator[tuple[str, Any]]:
    for name in SPELLED:
        if name not in form["uncertain"] and name not in form["illegible"]:
            yield str(form[name]).strip(), readings[name]


def _folded(text: str) -> str:
    return text.lower().rstrip(".")


if __name__ == "__main__":
    sys.exit(main())
