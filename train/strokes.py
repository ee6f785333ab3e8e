"""Handwriting as it was written: pen strokes by writer, from the npz form of UNIPEN.

Owns:   `StrokeSet` (one npz), the parts that train writers are divided into, `GlyphBank`.
Needs:  numpy.
Words:  a *stroke* is float32 (n, 2), x right, y down. A *part* is a group of writers.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import EdgeHwrError

Points = NDArray[np.float32]
Strokes = list[Points]

# Of twenty train writers one is kept for calibrating probabilities and one for choosing settings.
_PARTS = 20
_HELD_OUT = {0: "calibration", 1: "tuning"}


_WRONG_LABELS = Path(__file__).with_name("wrong_labels.txt")


class DataError(EdgeHwrError):
    """Training data is missing or not in the form that `docs/data.md` describes."""


@cache
def wrong_labels() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Digests of samples that say something else than their label, by set and label."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for line in _WRONG_LABELS.read_text(encoding="ascii").splitlines():
        if not line.startswith("#"):
            name, label, digest = line.split()
            found[name][label].add(digest)
    return {
        name: {label: frozenset(held) for label, held in one.items()} for name, one in found.items()
    }


def part_of(writer: str, split: str) -> str:
    """train | tuning | calibration for train writers, by their hash; else the split itself."""
    if split != "train":
        return split
    digest = int(hashlib.sha256(writer.encode()).hexdigest()[:8], 16)
    return _HELD_OUT.get(digest % _PARTS, "train")


@dataclass(frozen=True, slots=True)
class StrokeSet:
    """The samples of one category; see `docs/data.md` for the npz keys."""

    name: str
    points: NDArray[np.int32]  # (n, 2)
    stroke_end: NDArray[np.int32]
    sample_stroke_end: NDArray[np.int32]
    labels: tuple[str, ...]
    writers: tuple[str, ...]
    contributors: tuple[str, ...]
    parts: tuple[str, ...]

    @staticmethod
    def load(path: Path) -> StrokeSet:
        """Read one npz.

        Raises:
            DataError: No such file, or not of this form.
        """
        if not path.is_file():
            raise DataError(f"{path}: no such file; set EDGE_HWR_DATA or see docs/data.md")
        with np.load(path) as raw:
            writers, splits = raw["writer"].tolist(), raw["split"].tolist()
            return StrokeSet(
                name=path.stem,
                points=raw["dxy"].cumsum(axis=1, dtype=np.int32).T.copy(),
                stroke_end=raw["stroke_end"],
                sample_stroke_end=raw["sample_stroke_end"],
                labels=tuple(raw["label"].tolist()),
                writers=tuple(writers),
                contributors=tuple(raw["contributor"].tolist()),
                parts=tuple(part_of(w, s) for w, s in zip(writers, splits, strict=True)),
            )

    def __len__(self) -> int:
        return len(self.labels)

    def strokes(self, index: int) -> Strokes:
        """The strokes of one sample, in the set's units."""
        first = int(self.sample_stroke_end[index - 1]) if index else 0
        last = int(self.sample_stroke_end[index])
        start = int(self.stroke_end[first - 1]) if first else 0
        out: Strokes = []
        for end in self.stroke_end[first:last].tolist():
            if end > start:
                out.append(self.points[start:end].astype(np.float32))
            start = end
        return out

    def of_part(self, part: str) -> Iterator[int]:
        """Indices of a part's samples whose label is printable ASCII and not known to be wrong."""
        wrong = wrong_labels().get(self.name, {})
        for index, (label, where) in enumerate(zip(self.labels, self.parts, strict=True)):
            if where != part or not label or not label.isascii() or not label.isprintable():
                continue
            if label in wrong and self.digest(index) in wrong[label]:
                continue
            yield index

    def digest(self, index: int) -> str:
        """What names a sample's strokes, wherever it stands in its set."""
        points = b"".join(stroke.astype("<f4").tobytes() for stroke in self.strokes(index))
        return hashlib.sha256(points).hexdigest()[:12]


class GlyphBank:
    """Glyphs by writer and character: what strings by one hand are composed of."""

    def __init__(self, sets: Sequence[StrokeSet], part: str) -> None:
        self._sets = tuple(sets)
        by_writer: dict[str, dict[str, list[tuple[int, int]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        by_char: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, one in enumerate(sets):
            for index in one.of_part(part):
                by_writer[one.writers[index]][one.labels[index]].append((number, index))
                by_char[one.labels[index]].append((number, index))
        self._by_writer: Mapping[str, Mapping[str, list[tuple[int, int]]]] = by_writer
        self._by_char: Mapping[str, list[tuple[int, int]]] = by_char
        # A writer for a composed string must bring most of its characters.
        self.writers = sorted(w for w, chars in by_writer.items() if len(chars) >= 10)
        self.digit_writers = sorted(
            w for w, chars in by_writer.items() if sum(d in chars for d in "0123456789") >= 8
        )
        self.chars = "".join(sorted(by_char))

    def has(self, writer: str, char: str) -> bool:
        return char in self._by_writer[writer]

    def glyph(self, writer: str, char: str, rng: np.random.Generator) -> Strokes | None:
        """One glyph by this writer, by another where this one has none, None if nobody has."""
        found = self._by_writer[writer].get(char) or self._by_char.get(char)
        if not found:
            return None
        number, index = found[int(rng.integers(len(found)))]
        return self._sets[number].strokes(index)

    def random(self, rng: np.random.Generator, chars: str | None = None) -> tuple[str, Strokes]:
        """A glyph of a character drawn evenly, by any writer."""
        pool = chars or self.chars
        char = pool[int(rng.integers(len(pool)))]
        found = self._by_char[char]
        number, index = found[int(rng.integers(len(found)))]
        return char, self._sets[number].strokes(index)
