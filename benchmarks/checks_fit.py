"""The weights that check boxes are judged with, fitted on drawn ones.

    python -m benchmarks.checks_fit squares > edge_runtime/check_weights.py
    python -m benchmarks.checks_fit bare > edge_runtime/bare_weights.py

Lone boxes of `train.form_makes`, plain squares or all others with their print taken out, and for
squares the sheets of `train.form_checks`, too. Needs scikit-learn. A mark that covers part of a box
counts as one that fills it; one that is a mere dot or stroke, as a tick.
"""

from __future__ import annotations

import argparse
import sys
import textwrap

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.checks import crops
from edge_runtime.bare_boxes import PrintedBox, clear_box, print_place, ring_box
from edge_runtime.check_marks import (
    FEATURES,
    PAD,
    STATES,
    amount_of_ink,
    bare_features,
    mark_features,
)
from edge_runtime.field import Box
from edge_runtime.preprocess import normalize_ink
from edge_runtime.reference_print import CONTRAST
from train.form_checks import draw_checks
from train.form_makes import MAKES, lone_box

Gray = NDArray[np.uint8]
Floats = NDArray[np.float64]

_MARKS = {  # what each counts as, of `STATES`, and its share
    "empty": (0, 0.26), "specks": (0, 0.03), "tail": (0, 0.03), "circled": (0, 0.02),
    "ticked": (1, 0.15), "ticked far": (1, 0.06), "slash": (1, 0.05), "dot": (1, 0.04),
    "crossed": (2, 0.11), "crossed twice": (2, 0.06),
    "filled": (3, 0.06), "scribble": (3, 0.04), "filled partly": (3, 0.03),
    "filled over": (3, 0.04),
    "corrected": (4, 0.06), "crossed out": (4, 0.04),
}  # fmt: skip
_SHORT = ("dot", "circled", "specks", "tail")  # not asked how much ink a mark has at least
_PLAIN = tuple("square" + more for more in ("", ", bold", ", grey", ", tinted", ", 2 mm", ", 8 mm"))
_SEED, _BOXES, _SHEETS = 97_000, 6000, 120
_HIDDEN = 16


def _seen(picture: Gray, box: Box, rng: np.random.Generator, *, blank: bool) -> tuple[Gray, Box]:
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


def lone_features(rng: np.random.Generator, *, plain: bool) -> tuple[Floats, str] | None:
    """Features of a box drawn by chance, and its mark; None where its print is not told."""
    make = str(rng.choice([make for make in MAKES if (make in _PLAIN) == plain]))
    shares = np.array([share for _, share in _MARKS.values()])
    mark = str(rng.choice(list(_MARKS), p=shares / shares.sum()))
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
    if plain:
        return mark_features(ink, inside), mark
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
    return None if bare is None else (bare_features(bare), mark)


def table_of(*, plain: bool, first: int, boxes: int) -> tuple[Floats, list[str]]:
    """Features of many boxes, float64 (n, len(FEATURES)), and their marks."""
    rng = np.random.default_rng(first)
    found = [lone_features(rng, plain=plain) for _ in range(boxes)]
    rows = [one for one in found if one is not None]
    for seed in range(first, first + _SHEETS if plain else first):
        rng = np.random.default_rng(seed)
        rows += [
            (mark_features(ink, box), state) for ink, box, state in crops(draw_checks(rng), rng)
        ]
    return np.array([one[0] for one in rows]), [one[1] for one in rows]


def weights_of(table: Floats, marks: list[str], what: str, command: str) -> str:
    """The text of a module of weights.

    Args:
        table: float64 (n, len(FEATURES)).
        marks: Of each.
        what: Boxes they are fitted on.
        command: That prints them.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    answers = np.array([_MARKS[mark][0] for mark in marks])
    long = np.array([mark not in _SHORT for mark in marks])
    amount = amount_of_ink(table)
    there = LogisticRegression(C=10.0).fit(amount[long], answers[long] > 0)
    tells = np.append(there.coef_[0], there.intercept_)
    if tells[1] < 0:  # more ink must never look emptier: length alone
        there = LogisticRegression(C=10.0).fit(amount[long, :1], answers[long] > 0)
        tells = np.array([there.coef_[0, 0], 0.0, there.intercept_[0]])
    mean, scale = table.mean(0), table.std(0) + 1e-6
    model = MLPClassifier((_HIDDEN,), alpha=1.0, max_iter=4000, random_state=1, solver="lbfgs")
    model.fit((table - mean) / scale, answers)
    first_layer, last = model.coefs_
    lines = [mean, scale, *first_layer, model.intercepts_[0], *last, model.intercepts_[1]]
    lines.append(tells)
    numbers = (f"{value:.4g}" for line in lines for value in line)
    text = textwrap.fill(" ".join(numbers), 98)
    return (
        f'"""Weights of `check_marks` for {what}: from `python -m {command}`.\n\n'
        f"Owns:   `WEIGHTS`: mean and spread of the {len(FEATURES)} features, a row for each, the "
        f"biases,\n        the last layer ({len(STATES)} states) with its own; last, how much ink "
        "a mark has.\n"
        f'"""\n\nWEIGHTS = """\\\n{text}\n"""\n'
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.checks_fit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=["squares", "bare"])
    told = parser.parse_args(arguments)
    plain = told.what == "squares"
    table, marks = table_of(plain=plain, first=_SEED, boxes=_BOXES)
    what = "plain squares" if plain else "bare boxes"
    print(weights_of(table, marks, what, f"benchmarks.checks_fit {told.what}"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
