"""Print told from handwriting, word by word, as `detect` meets both on a page.

    python -m benchmarks.written [--part val] [--n 1500] [--seed 5] [--out FILE.json]
    python -m benchmarks.written --fit > edge_runtime/writing_weights.py

Handwriting: words, lines, user names and numbers of one part of UNIPEN's writers, 2.5 to 9 mm high.
Print: phrases of the drawn forms, 6 to 20 points, in the faces of Matplotlib and of the drawn
forms. Fitted on some faces, measured on others. Both go through the same grain, blur and scanner.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.accuracy import wilson
from edge_runtime.recognize import Recognizer
from edge_runtime.rulings import MM, Gray, Sheet, ink_of
from edge_runtime.spec import ModelSpec
from edge_runtime.writing import FEATURES, Word, group_words, word_features, words_of
from train import texts
from train.compose import compose
from train.config import data_folder
from train.engine import Engine, EngineConfig
from train.form_any import _TEXT
from train.form_glyph import FONT_DIR, PX_PER_MM
from train.form_hand import Place, random_hand, write_line
from train.form_random import _LABELS, FAMILIES
from train.pen import Pen, draw_strokes

Rng = np.random.Generator
Floats = NDArray[np.float64]

_FITTED = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Bold",
    "DejaVuSerif-Italic", "DejaVuSansMono", "cmr10", "cmss10", "cmtt10", "STIXGeneral",
    "STIXGeneralItalic",
)  # fmt: skip
_MEASURED = ("STIXGeneralBol", "cmb10", "DejaVuSansMono-Bold", "DejaVuSans-BoldOblique")
_FORMS_FITTED, _FORMS_MEASURED = ("open-sans-400", "open-sans-700"), ("libre-franklin-400",)
_HANDS_FITTED = ("caveat", "dekko", "indie-flower", "mali", "shadows-into-light")
_FINE = 2  # drawn so many times larger than a sheet is
_HIDDEN = 12


def faces(*, fit: bool) -> list[Path]:
    """Type: files of fonts."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    of_forms = _FORMS_FITTED if fit else _FORMS_MEASURED
    names = _FITTED if fit else _MEASURED
    return [*(folder / f"{name}.ttf" for name in names), *(FONT_DIR / f"{n}.ttf" for n in of_forms)]


def printed(rng: Rng, fonts: Sequence[Path]) -> Gray:
    """Coverage of a phrase in print."""
    words = _TEXT.split()
    if rng.random() < 0.4:
        text = str(rng.choice(_LABELS))
    else:
        text = " ".join(rng.choice(words, int(rng.integers(1, 8))))
    style = rng.random()
    text = text.upper() if style < 0.15 else text.capitalize() if style < 0.6 else text
    if rng.random() < 0.25:
        text += str(rng.choice([":", "?", ".", " *", f" {rng.integers(1, 2030)}", " (1)"]))
    points = float(np.exp(rng.uniform(np.log(6), np.log(12 if rng.random() < 0.8 else 20))))
    file = str(fonts[int(rng.integers(len(fonts)))])
    font = ImageFont.truetype(file, points / 72 * 25.4 * MM * _FINE)
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new("L", (round(right - left) + 24, round(bottom - top) + 24), 0)
    ImageDraw.Draw(picture).text((12 - left, 12 - top), text, font=font, fill=255)
    return np.asarray(picture, np.uint8)


def written(rng: Rng, engine: Engine) -> Gray | None:
    """Coverage of some handwriting."""
    what, pen = rng.random(), Pen.draw(rng)
    if what < 0.1 and engine.fonts:
        text = texts.draw(rng)
        _, ink = engine.fonts.write(text, rng, height=float(rng.uniform(3, 9)) * MM * _FINE)
        return np.pad(ink, 12)
    if what < 0.25:
        return _by_font(rng, fit=engine.part == "train")
    if what < 0.45:
        at = engine._word_at[int(rng.integers(len(engine._word_at)))]
        strokes = engine.words.strokes(at)
    elif what < 0.65:
        strokes = engine.lines.strokes(engine._line_at[int(rng.integers(len(engine._line_at)))])
    else:
        numeric = rng.random() < 0.5
        writers = engine.bank.digit_writers if numeric else engine.bank.writers
        wanted = texts.digit_string(rng) if numeric else texts.username(rng)
        wanted = wanted.upper() if rng.random() < 0.4 else wanted
        writer = writers[int(rng.integers(len(writers)))]
        _, strokes = compose(wanted, engine.bank, writer, rng, style=0.3)
        if not strokes:
            return None
    mm = float(np.exp(rng.uniform(np.log(2.5), np.log(9))))
    pads = (12, 12, 12, 12)
    # A pen is as wide on small writing as on large.
    pen_mm = float(rng.uniform(0.25, 0.8))
    pen = replace(pen, width=pen_mm / mm)
    return draw_strokes(
        engine._warp(strokes, rng), pen, rng, height_px=mm * MM * _FINE, pad_px=pads
    )


def _by_font(rng: Rng, *, fit: bool) -> Gray:
    """As forms of the synthesiser are filled in: a font's glyphs, shaken."""
    families = _HANDS_FITTED if fit else FAMILIES
    hand = random_hand(rng, family=families[int(rng.integers(len(families)))])
    text = str(rng.choice(_LABELS)) if rng.random() < 0.6 else texts.draw(rng)
    ink = np.zeros((round(14 * PX_PER_MM), round((8 + 4 * len(text)) * PX_PER_MM)), np.uint8)
    place = Place(3 * PX_PER_MM, 9 * PX_PER_MM, ink.shape[1] - 6 * PX_PER_MM)
    write_line(ink, text, hand, place, rng=rng)
    zoom = MM * _FINE / PX_PER_MM
    return np.asarray(cv2.resize(ink, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA))


def scanned(cover: Gray, rng: Rng) -> Gray:
    """Ink, 0 or 1, of coverage that went through a scanner."""
    lean = float(rng.normal(0, 0.004))
    h, w = cover.shape
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), np.degrees(lean), 1.0)
    seen: Any = cv2.warpAffine(cover, turn, (w, h)).astype(np.float32)
    seen = cv2.GaussianBlur(seen, (0, 0), float(rng.uniform(0.4, 1.6)))
    paper, dark = float(rng.uniform(225, 252)), float(rng.uniform(10, 110))
    page = paper - seen / 255 * (paper - dark)
    through = float(rng.choice([1.0, 1.0, 0.75, 0.5]))  # the scanner's own resolution
    less = through / _FINE
    small = cv2.resize(page, None, fx=less, fy=less, interpolation=cv2.INTER_AREA)
    small = small + rng.normal(0, rng.uniform(0.5, 3), small.shape)
    if rng.random() < 0.35:
        small = np.where(small > paper - rng.uniform(0.25, 0.6) * (paper - dark), 255, 0)
    size = (max(1, round(w / _FINE)), max(1, round(h / _FINE)))
    small = cv2.resize(np.clip(small, 0, 255).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    side = round(6 * MM)
    return ink_of(np.pad(np.asarray(small, np.uint8), side, constant_values=round(paper)))


def sheets(engine: Engine, *, n: int, seed: int, fit: bool) -> Iterator[tuple[bool, Gray]]:
    """Whether it is print, and the ink of something printed or written, by turns."""
    rng, fonts = np.random.default_rng(seed), faces(fit=fit)
    for k in range(n):
        cover = printed(rng, fonts) if k % 2 else written(rng, engine)
        if cover is not None:
            yield bool(k % 2), scanned(cover, rng)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.written", description=__doc__)
    parser.add_argument("--part", default="val", choices=["tuning", "val"], help="whose hands")
    parser.add_argument("--n", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--fit", action="store_true", help="print weights fitted on train writers")
    told = parser.parse_args(arguments)
    spec: ModelSpec = Recognizer(None).spec
    part = "train" if told.fit else told.part
    engine = Engine(data_folder(), spec, EngineConfig(), part=part, seed=told.seed)
    rows: list[NDArray[np.float64]] = []
    words: list[Word] = []
    answers: list[bool] = []
    empty = Sheet(np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.uint8), np.eye(3), (), ())
    for is_print, ink in sheets(engine, n=told.n, seed=told.seed, fit=told.fit):
        if told.fit:
            for parts, stats in group_words(ink):
                rows.append(word_features(parts, stats))
                answers.append(is_print)
        else:
            for word in words_of(replace(empty, ink=ink)):
                words.append(word)
                answers.append(is_print)
    truth = np.array(answers)
    if told.fit:
        print(_fitted(np.array(rows), truth))
        return 0
    _say(words, truth)
    return 0


def _say(words: Sequence[Word], truth: NDArray[np.bool_]) -> None:
    share = np.array([one.print_share for one in words])
    many = np.array([one.letters for one in words])
    for name, of in (("all", many > 0), ("3 letters and more", many >= 3), ("fewer", many < 3)):
        for level in (0.5, 0.9):
            for what, own, called in (
                ("print called print", truth, share >= level),
                ("writing called print", ~truth, share >= level),
            ):
                here = own & of
                k, n = int((called & here).sum()), int(here.sum())
                low, high = wilson(k, n) if n else (0.0, 0.0)
                print(
                    f"{name:20} {what:22} at {level}: {k:5} of {n:5} {100 * k / max(1, n):5.1f} %"
                    f"  [{100 * low:.1f}, {100 * high:.1f}]"
                )


def _fitted(rows: Floats, truth: NDArray[np.bool_]) -> str:
    from sklearn.neural_network import MLPClassifier

    mean, scale = rows.mean(0), rows.std(0)
    # As many of each, whatever the lines fell apart into, among long words and among short ones.
    rng, keep = np.random.default_rng(0), []
    sizes = np.digitize(rows[:, FEATURES.index("count")], np.log([1.5, 2.5, 5.5]))
    for size in range(4):
        sides = [np.flatnonzero((truth == side) & (sizes == size)) for side in (False, True)]
        most = max(map(len, sides))
        keep += [rng.choice(one, most) for one in sides if len(one)]
    kept = np.concatenate(keep)
    model = MLPClassifier((_HIDDEN,), alpha=1.0, max_iter=3000, random_state=1, solver="lbfgs")
    model.fit(((rows - mean) / scale)[kept], truth[kept])
    first, last = model.coefs_
    lines = [mean, scale, *first, model.intercepts_[0], np.append(last[:, 0], model.intercepts_[1])]
    text = "\n".join(" ".join(f"{value:.3g}" for value in line) for line in lines)
    return (
        '"""Weights of `writing`: from `python -m benchmarks.written --fit`.\n\n'
        "Owns:   `WEIGHTS`: mean and spread of the features, a row of eight for each, the biases, "
        'and\n        the last layer.\n"""\n\n'
        f'WEIGHTS = """\\\n{text}\n"""\n'
    )


if __name__ == "__main__":
    sys.exit(main())
