"""UNIPEN's raw distribution to the arrays that training reads: `python -m train.unipen RAW OUT`.

Owns:   which category goes where, what is dropped, normalisation, the split by writer, the npz.
Needs:  numpy, `train.unipen_format`.

The npz form, one file a set: `dxy` int16 (2, n), first differences of all points, one sample after
the other, y growing downwards (`xy = dxy.cumsum(axis=1, dtype=int32)`); `stroke_end` int32, end of
each stroke in points; `sample_stroke_end` int32, end of each sample in strokes; and one a sample
`label`, `writer`, `contributor`, `quality`, `split`. Every sample begins its box at (0, 0).
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import EdgeHwrError
from train.unipen_format import Component, Segment, counts_pen_up, cut, read_label_file

SIDE = 1000  # longest side of a glyph, height of a word or a line, units
WIDEST = 30_000  # a dash is no higher than it must be for its width to fit int16
VAL_SHARE = 0.08  # of the writers


@dataclass(frozen=True, slots=True)
class Category:
    """One folder of `data/`: where its samples go and which rows of it count."""

    target: str
    level: str  # of the `.SEGMENT` rows
    glyphs: bool  # one character a sample


CATEGORIES = {
    "1a": Category("digits", "CHARACTER", glyphs=True),
    "1b": Category("upper", "CHARACTER", glyphs=True),
    "1c": Category("lower", "CHARACTER", glyphs=True),
    "1d": Category("symbols", "CHARACTER", glyphs=True),
    "2": Category("chars_mixed", "CHARACTER", glyphs=True),  # those of 1a to 1d again, for the most
    "3": Category("chars_in_words", "CHARACTER", glyphs=True),
    "4": Category("words", "WORD", glyphs=False),
    "5": Category("words", "WORD", glyphs=False),
    "6": Category("words", "WORD", glyphs=False),
    "7": Category("words", "WORD", glyphs=False),
    "8": Category("text", "TEXT", glyphs=False),
}

# Contributors whose segments do not line up with their strokes in train_r01_v07, found by looking.
MISALIGNED = frozenset({"cea", "ceb", "lou", "tos"})
MISALIGNED_WORDS = MISALIGNED | {"abm", "cec", "hpp", "lex", "ugi", "sta"}


@dataclass(frozen=True, slots=True, eq=False)
class PenSample:
    """One labelled piece of writing."""

    strokes: tuple[NDArray[np.int32], ...]  # each (n, 2), x and y, y down, box from (0, 0)
    label: str
    writer: str  # hash of the writer's name
    contributor: str
    quality: str

    @property
    def split(self) -> str:
        """train | val, by the writer alone."""
        return split_of(self.writer)


def writer_hash(name: str) -> str:
    """Eight hexadecimal digits for a bare name: one person under two contributors is one."""
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def split_of(writer: str) -> str:
    """train | val: the same for a writer on every machine and for any selection of files."""
    draw = int(hashlib.sha256(f"split {writer}".encode()).hexdigest()[:8], 16)
    return "val" if draw < VAL_SHARE * 16**8 else "train"


def normalise(strokes: Sequence[Component], *, glyphs: bool) -> tuple[NDArray[np.int32], ...]:
    """Tablet units, y up, to `SIDE` units, y down.

    The tablet's resolution in x and y is not made even: what the files say of it is not reliable.

    Returns:
        For each stroke int32 (n, 2).
    """
    points = np.concatenate([stroke.points for stroke in strokes])
    low, high = points.min(axis=0), points.max(axis=0)
    width, height = (float(edge) for edge in np.maximum(high - low, 1e-9))
    scale = SIDE / max(width, height) if glyphs else min(SIDE / height, WIDEST / width)
    if (high == low).all():
        scale = 0.0  # a single dot
    corner = np.array([low[0], high[1]])
    flip = np.array([scale, -scale])
    return tuple(np.rint((s.points - corner) * flip).astype(np.int32) for s in strokes)


def samples_of(
    path: Path, category: Category, contributor: str, include_dir: Path, faults: Counter[str]
) -> Iterator[tuple[tuple[str, str], PenSample]]:
    """The samples of one label file, each with the (range, label) it stands at.

    What cannot be used is counted in `faults`.
    """
    file = read_label_file(path, include_dir=include_dir)
    faults.update({**file.faults, **file.recording.faults})
    components = file.recording.components
    if not counts_pen_up(file.recording, file.segments):
        components = tuple(component for component in components if component.down)
    for segment in file.segments:
        if fault := _unusable(segment, category):
            faults[fault] += 1
            continue
        try:
            strokes = cut(components, segment.delineation)
        except IndexError:
            faults["range outside the recording"] += 1
            continue
        if not strokes:
            faults["no points"] += 1
            continue
        yield (
            (segment.delineation, segment.label),
            PenSample(
                strokes=normalise(strokes, glyphs=category.glyphs),
                label=segment.label,
                writer=writer_hash(strokes[0].writer),
                contributor=contributor,
                quality=segment.quality,
            ),
        )


def _unusable(segment: Segment, category: Category) -> str | None:
    if segment.level != category.level:
        return "another level"
    if not segment.label:
        return "empty label"
    if not (segment.label.isascii() and segment.label.isprintable()):
        return "label outside printable ASCII"
    if category.glyphs and len(segment.label) != 1:
        return "label of several characters"
    return None


def pack(samples: Sequence[PenSample]) -> dict[str, NDArray[np.generic]]:
    """The arrays of one npz."""
    strokes = [stroke for sample in samples for stroke in sample.strokes]
    points = np.concatenate(strokes) if strokes else np.zeros((0, 2), np.int32)
    steps = np.diff(points, axis=0, prepend=np.zeros((1, 2), np.int32))
    assert np.abs(steps).max(initial=0) <= np.iinfo(np.int16).max  # WIDEST, and lines of a page
    return {
        "dxy": steps.T.astype(np.int16),
        "stroke_end": np.cumsum([len(stroke) for stroke in strokes], dtype=np.int32),
        "sample_stroke_end": np.cumsum([len(s.strokes) for s in samples], dtype=np.int32),
        "label": np.array([s.label for s in samples], np.str_),
        "writer": np.array([s.writer for s in samples], np.str_),
        "contributor": np.array([s.contributor for s in samples], np.str_),
        "quality": np.array([s.quality for s in samples], np.str_),
        "split": np.array([s.split for s in samples], np.str_),
    }


def convert(raw_dir: Path, out_dir: Path) -> dict[str, dict[str, int]]:
    """Convert a distribution; files and folders in order of name, so that the result is fixed.

    Args:
        raw_dir: Holds `data/<category>/<contributor>/...dat` and `include/`.
        out_dir: Gets `<set>.npz` and `report.json`; made if need be.

    Returns:
        For each set what went in and what was left out, as in `report.json`.

    Raises:
        EdgeHwrError: The folder is no UNIPEN distribution.
    """
    data_dir, include_dir = raw_dir / "data", raw_dir / "include"
    for folder in (data_dir, include_dir):
        if not folder.is_dir():
            raise EdgeHwrError(
                f"{folder}: no such folder; give the unpacked UNIPEN, with data/ and include/"
            )
    sets: defaultdict[str, list[PenSample]] = defaultdict(list)
    report: defaultdict[str, Counter[str]] = defaultdict(Counter)
    seen: set[tuple[str, str, str, tuple[str, str]]] = set()  # 4 to 7 repeat each other's words
    for name, category in CATEGORIES.items():
        faults = report[category.target]
        dropped = MISALIGNED if category.glyphs else MISALIGNED_WORDS
        for path in sorted((data_dir / name).rglob("*.dat")):
            inside = path.relative_to(data_dir / name)
            contributor = inside.parts[0]
            if contributor in dropped:
                faults["files of misaligned contributors"] += 1
                continue
            for at, sample in samples_of(path, category, contributor, include_dir, faults):
                key = (category.target, str(inside), sample.writer, at)
                if key in seen:
                    faults["repeated in another category"] += 1
                    continue
                seen.add(key)
                sets[category.target].append(sample)
    if not sets:
        raise EdgeHwrError(
            f"{data_dir}: no sample found; categories are folders named {', '.join(CATEGORIES)}"
        )
    out_dir.mkdir(parents=True, exist_ok=True)
    for target, samples in sets.items():
        np.savez_compressed(out_dir / f"{target}.npz", allow_pickle=False, **pack(samples))
        report[target].update(Counter(f"{sample.split} samples" for sample in samples))
    result = {target: dict(sorted(counts.items())) for target, counts in report.items() if counts}
    (out_dir / "report.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def main(arguments: Sequence[str]) -> int:
    """Convert, and say what went in and what was left out."""
    if len(arguments) != 2:
        print("usage: python -m train.unipen RAW_DIR OUT_DIR", file=sys.stderr)
        return 2
    try:
        report = convert(Path(arguments[0]), Path(arguments[1]))
    except EdgeHwrError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    for target, counts in report.items():
        print(f"{target}: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
