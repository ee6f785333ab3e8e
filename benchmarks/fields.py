"""Fields with a form or a grammar around them, through `Reader.read_fields`, one thread.

    python -m benchmarks.fields [--model M] [--only cheques_date,...] [--most N] [--out FILE.json]

Cheques: crops cut by the boxes of the truth. C1: the page brought to the canonical one by the true
homography, fields cut by geometry.json; fields with an uncertain cell are left out, and so are
uncertain words. Words with choices: a lexicon of 20,000 words of Debian's package `wamerican`
(`apt-get install wamerican` puts it at /usr/share/dict/american-english) and the true ones.
Left out: finding and registering the page. Every set is for measuring only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import string
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import SETS, Item, wilson
from benchmarks.record import write_record
from edge_runtime import Field, FieldReading, Reader, Status
from train.config import data_folder
from train.evaluate import edit_distance

WORD_LIST = Path("/usr/share/dict/american-english")
LEXICON_SIZE = 20_000
_PAPER = (255.0,)
_PAD = 0.1  # of a field's height, around it: as much as a registered page gives
_RESAMPLES = 1000

_KINDS = {
    "amount": "amount",
    "date": "date",
    "payee": "name",
    "legal_amount": "text",
    "memo": "text",
}
NUMBERS = ("suara_01", "suara_02", "jumlah_a", "jumlah_b", "jumlah_c")
SPELLED = ("kata_01", "kata_02", "kata_a", "kata_b", "kata_c")


@dataclass(frozen=True, slots=True)
class Score:
    """One set. Shares are of all fields; intervals are of 95 %."""

    name: str
    n: int
    exact: float  # case counts
    exact_folded: float  # scored as the set says: case aside, with C1 words punctuation too
    folded_interval: tuple[float, float]  # Wilson
    cer: float  # folded
    cer_interval: tuple[float, float]  # fields drawn again
    accepted: float
    wrong_accepted: int  # folded
    wrong_interval: tuple[float, float]  # of their share of the accepted, Wilson
    ms_per_field: float


def any_case(word: str) -> str:
    """A pattern for a word in small letters, capitals or both."""
    return "".join(f"[{char}{char.upper()}]" if char.isalpha() else char for char in word)


def numeral_pattern() -> str:
    """Indonesian numerals from 0 to 999 as people write them: any case, a full stop at the end."""
    units = ["satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan"]
    unit, many = ("|".join(map(any_case, some)) for some in (units, units[1:]))
    zero, ten, eleven, teens, tens, hundred, hundreds = map(
        any_case, ["nol", "sepuluh", "sebelas", "belas", "puluh", "seratus", "ratus"]
    )
    below = f"({ten}|{eleven}|({many}) {teens}|({many}) {tens}( ({unit}))?|{unit})"
    return f"({zero}|{below}|({hundred}|({many}) {hundreds})( {below})?)[.]?"


def lexicon(
    true: Sequence[str], *, n: int = LEXICON_SIZE, source: Path = WORD_LIST
) -> tuple[str, ...]:
    """`n` words of a word list and the true ones, the same on every machine.

    The list has no frequencies: words without an apostrophe are taken evenly, by their SHA-256.

    Raises:
        SystemExit: No such list.
    """
    if not source.is_file():
        raise SystemExit(f"{source}: no such word list; install Debian's `wamerican`")
    held = source.read_text(encoding="utf-8").split()
    words = [word for word in held if word.isascii() and word.isalpha() and len(word) > 1]
    words.sort(key=lambda word: hashlib.sha256(word.encode()).digest())
    return tuple(sorted({*words[:n], *true}))


def _words_choices(data: Path) -> Iterator[Item]:
    items = list(SETS["words"](data))
    field = Field("word", "text", choices=lexicon([truth for _, _, truth in items]))
    for crop, _, truth in items:
        yield crop, field, truth


def _cheques(data: Path, wanted: str) -> Iterator[Item]:
    folder = data / "dev" / "cheques"
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    for image in truth["images"]:
        page = _page(folder / "images" / image["image"])
        for one in image["fields"]:
            if one["field"] == wanted:
                x, y, w, h = one["box"]
                yield page[y : y + h, x : x + w], Field(wanted, _KINDS[wanted]), one["text"]


@dataclass(frozen=True, slots=True)
class Form:
    """One C1 form: its canonical page and what is on it."""

    page: NDArray[np.uint8]  # (1754, 1240)
    truth: Mapping[str, Any]
    geometry: Mapping[str, Any]


def c1_forms(data: Path) -> Iterator[Form]:
    """Every form, brought to the canonical page by its true homography."""
    folder = data / "dev" / "c1"
    geometry = json.loads((folder / "geometry.json").read_text(encoding="utf-8"))
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    for form in truth.values():
        matrix = np.array(form["geometry"]["homography_original_to_canonical"], np.float64)
        found = _page(folder / "images" / form["file"])
        page = cv2.warpPerspective(
            found, matrix, tuple(geometry["canonical_size"]), borderValue=_PAPER
        )
        yield Form(np.asarray(page, np.uint8), form, geometry)


def c1_numbers(data: Path, *, pad: float = 0.0) -> Iterator[Item]:
    """Three cells, X allowed. Without a pad the crop is the row, with one its cells are boxes."""
    for form in c1_forms(data):
        for name in NUMBERS:
            if name in form.truth["uncertain_cells"]:
                continue
            place = form.geometry["digit_fields"][name]
            crop, (left, top) = _cut(form.page, place["box"], pad)
            boxes = [(a - left, b - top, c - left, d - top) for a, b, c, d in place["cells"]]
            cells = tuple(boxes) if pad else len(boxes)
            field = Field(name, "text", charset="0123456789X", cells=cells)
            yield crop, field, str(form.truth[name]).strip()


def c1_spelled(data: Path, *, print_taken_out: bool = False) -> Iterator[Item]:
    """Numbers in words; "(ditulis dengan huruf)" is printed in each field's lower right."""
    pattern = numeral_pattern()
    for form in c1_forms(data):
        for name in SPELLED:
            truth = str(form.truth[name])
            if not truth or name in form.truth["uncertain"]:
                continue
            page = form.page
            if print_taken_out:
                x0, y0, x1, y1 = form.geometry["printed_inside_text_fields"][
                    "ditulis_dengan_huruf"
                ][name]
                page = page.copy()
                page[y0:y1, x0:x1] = np.median(page[y0:y1, x0:x1])
            crop, _ = _cut(page, form.geometry["text_fields"][name]["box"], 0.0)
            yield crop, Field(name, "text", pattern=pattern), truth


def _cut(
    page: NDArray[np.uint8], box: Sequence[float], pad: float
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    x0, y0, x1, y1 = box
    more = pad * (y1 - y0)
    left, top = max(0, round(x0 - more)), max(0, round(y0 - more))
    return page[top : round(y1 + more), left : round(x1 + more)], (left, top)


def _page(path: Path) -> NDArray[np.uint8]:
    page = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if page is None:
        raise FileNotFoundError(path)
    return np.asarray(page, np.uint8)


FIELDS: Mapping[str, Callable[[Path], Iterator[Item]]] = {
    **{
        f"cheques_{name}": (lambda data, name=name: _cheques(data, name))  # type: ignore[misc]
        for name in _KINDS
    },
    "c1_numbers": c1_numbers,
    "c1_numbers_padded": lambda data: c1_numbers(data, pad=_PAD),
    "c1_spelled": c1_spelled,
    "c1_spelled_no_print": lambda data: c1_spelled(data, print_taken_out=True),
    "words_choices": _words_choices,
}


def fold(name: str, text: str) -> str:
    """A text as its set is scored: case aside, and of C1's words punctuation aside."""
    low = text.lower()
    if name.startswith("c1_spelled"):
        low = " ".join(low.translate(str.maketrans("", "", string.punctuation)).split())
    return low


def score(
    name: str, truths: Sequence[str], readings: Sequence[FieldReading], *, took_ms: float
) -> Score:
    """The row of one set."""
    pairs = [(fold(name, t), fold(name, r.text)) for t, r in zip(truths, readings, strict=True)]
    n, right = len(pairs), [a == b for a, b in pairs]
    taken = [ok for ok, one in zip(right, readings, strict=True) if one.status is Status.ACCEPTED]
    edits = np.array([edit_distance(a, b) for a, b in pairs])
    chars = np.array([len(a) for a, _ in pairs])
    again = np.random.default_rng(0).integers(n, size=(_RESAMPLES, n))
    low, high = np.quantile(
        edits[again].sum(axis=1) / np.maximum(1, chars[again].sum(axis=1)), (0.025, 0.975)
    )
    wrong = len(taken) - sum(taken)
    return Score(
        name=name,
        n=n,
        exact=sum(t == r.text for t, r in zip(truths, readings, strict=True)) / n,
        exact_folded=sum(right) / n,
        folded_interval=wilson(sum(right), n),
        cer=float(edits.sum() / max(1, chars.sum())),
        cer_interval=(float(low), float(high)),
        accepted=len(taken) / n,
        wrong_accepted=wrong,
        wrong_interval=wilson(wrong, len(taken)) if taken else (0.0, 1.0),
        ms_per_field=took_ms / n,
    )


def line(row: Score) -> str:
    """One row of the table."""
    low, high = (100 * edge for edge in row.folded_interval)
    cer_low, cer_high = (100 * edge for edge in row.cer_interval)
    bad_low, bad_high = row.wrong_interval
    bad_low = max(0.0, bad_low)  # rounding puts the end of 0 just outside
    return (
        f"{row.name:21}{row.n:6}{100 * row.exact:8.1f}{100 * row.exact_folded:9.1f}"
        f"{f'{low:.1f}-{high:.1f}':>13}{100 * row.cer:7.1f}{f'{cer_low:.1f}-{cer_high:.1f}':>12}"
        f"{100 * row.accepted:10.1f}{row.wrong_accepted:7}"
        f"{f'{100 * bad_low:.1f}-{100 * bad_high:.1f} %':>13}{row.ms_per_field:8.2f}"
    )


HEAD = (
    f"{'set':21}{'n':>6}{'exact':>8}{'no case':>9}{'95 %':>13}{'CER':>7}{'95 %':>12}"
    f"{'accepted':>10}{'wrong':>7}{'95 %':>13}{'ms':>8}"
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fields",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--only", help="names of sets, with commas: " + ", ".join(FIELDS))
    parser.add_argument("--most", type=int, help="at most so many of each set")
    parser.add_argument("--faults", action="store_true", help="print every field read wrongly")
    parser.add_argument("--out", type=Path, help="JSON of the rows")
    told = parser.parse_args(arguments)
    reader, data, rows = Reader(told.model, threads=1), data_folder(), []
    print(f"{reader.model_id}\n{HEAD}")
    for name in told.only.split(",") if told.only else FIELDS:
        items = list(FIELDS[name](data))[: told.most]
        began = time.perf_counter()
        readings = reader.read_fields([(crop, field) for crop, field, _ in items])
        took_ms = 1000 * (time.perf_counter() - began)
        truths = [truth for _, _, truth in items]
        rows.append(score(name, truths, readings, took_ms=took_ms))
        print(line(rows[-1]), flush=True)
        for truth, one in zip(truths, readings, strict=True):
            if told.faults and fold(name, truth) != fold(name, one.text):
                print(f"    {truth!r} read as {one.text!r}, {one.confidence:.3f} {one.status}")
    if told.out:
        write_record(told.out, reader, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
