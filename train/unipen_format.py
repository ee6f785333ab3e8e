r"""UNIPEN 1.0 files as values: strokes and the segments that label them.

Owns:   the grammar of the format (`.INCLUDE`, `.COORD`, `.PEN_DOWN`, `.SEGMENT`) and its faults.
Needs:  numpy and the standard library.
Words:  a *component* is one `.PEN_DOWN` or `.PEN_UP` list; a *stroke* a `.PEN_DOWN` one; a *range*
        names components, `7`, `7-9`, or `7:12-9:30` with points, both ends included.

Source: The UNIPEN 1.0 format definition (Guyon et al., 1994), and what the files of train_r01_v07
        do instead: ranges of most files count pen-down components alone, labels escape with `\`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (n, 2): x, y in the tablet's units

_KEYWORD = re.compile(r"^\.([A-Z][A-Z_0-9]*)", re.MULTILINE)
_SEGMENT = re.compile(r'\s*(\w+)\s+([\d:,\s-]*\d)\s+(\S+)\s+"(.*)"\s*\Z', re.DOTALL)
_RANGE = re.compile(r"(\d+)(?::(\d+))?(?:-(\d+)(?::(\d+))?)?\Z")
_DEPTH = 8  # of includes; the deepest of train_r01_v07 is 2
# So many segments must agree before a file is taken to count pen-up components: with strokes alone
# counted, both ends of this many ranges fall on pen-down components once in 4 ** 8 files.
_VOTES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """One list of points."""

    points: Points  # may be empty
    down: bool
    writer: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One `.SEGMENT` row."""

    level: str  # CHARACTER | WORD | TEXT | ...
    delineation: str  # white space removed
    quality: str  # OK | GOOD | BAD | ?
    label: str  # escapes resolved, runs of white space are one space


@dataclass(slots=True)
class _State:
    """What a keyword leaves behind for the next ones."""

    columns: tuple[str, ...] = ("X", "Y")
    writer: str = ""
    components: list[Component] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Everything that was written in a file and what it includes."""

    components: tuple[Component, ...]
    faults: dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class LabelFile:
    """A `.dat` file: its strokes, its segments, and what could not be used."""

    recording: Recording
    segments: tuple[Segment, ...]
    faults: dict[str, int]  # of this file alone, the recording's not counted again


def read_label_file(path: Path, *, include_dir: Path) -> LabelFile:
    """Read a file of `.SEGMENT` rows and the recordings it includes.

    A row or a point list that cannot be understood is left out and counted in `faults`.
    """
    faults: Counter[str] = Counter()
    included, segments = [], []
    own_strokes = False
    for keyword, body in _keywords(path):
        if keyword == "INCLUDE":
            included.append(body.strip())
        elif keyword == "SEGMENT":
            segment = parse_segment(body)
            if segment is None:
                faults["row not understood"] += 1
            else:
                segments.append(segment)
        elif keyword in ("PEN_DOWN", "PEN_UP"):
            own_strokes = True
    if own_strokes:
        recording = read_recording((path,), include_dir)
    else:
        paths = []
        for name in included:
            found = _find(name, path, include_dir)
            if found is None:
                faults["include not found"] += 1
            else:
                paths.append(found)
        recording = read_recording(tuple(paths), include_dir)
    return LabelFile(recording, tuple(segments), dict(faults))


@lru_cache(maxsize=64)  # the categories share their recordings
def read_recording(paths: tuple[Path, ...], include_dir: Path) -> Recording:
    """The components of some files, one after the other, their own includes followed."""
    state = _State()
    for path in paths:
        _feed(path, include_dir, state, depth=0)
    return Recording(tuple(state.components), dict(state.faults))


def _feed(path: Path, include_dir: Path, state: _State, *, depth: int) -> None:
    if not state.writer:
        state.writer = path.stem  # until a .WRITER_ID says better
    for keyword, body in _keywords(path):
        if keyword == "COORD":
            columns = tuple(body.split())
            if {"X", "Y"} <= set(columns):
                state.columns = columns
            else:
                state.faults["coordinates without X and Y"] += 1
        elif keyword == "WRITER_ID" and body.split():
            state.writer = body.split()[0]
        elif keyword in ("PEN_DOWN", "PEN_UP"):
            points, bad = _points(body, state.columns)
            if bad:
                state.faults["point not understood"] += bad
            state.components.append(Component(points, keyword == "PEN_DOWN", state.writer))
        elif keyword == "INCLUDE":
            found = _find(body.strip(), path, include_dir)
            if found is None or depth >= _DEPTH:
                state.faults["include not found" if found is None else "includes too deep"] += 1
            else:
                _feed(found, include_dir, state, depth=depth + 1)


def _keywords(path: Path) -> Iterable[tuple[str, str]]:
    """(keyword, what follows up to the next keyword); Latin-1, as the files are of 1993."""
    text = path.read_text(encoding="latin-1")
    parts = _KEYWORD.split(text)[1:]
    return zip(parts[::2], parts[1::2], strict=True)


def _find(name: str, at: Path, include_dir: Path) -> Path | None:
    """An included file; None also for a name that leads out of the distribution."""
    root = include_dir.resolve()
    for base in (root, at.parent):
        path = (base / name).resolve()
        if name and path.is_file() and path.is_relative_to(root.parent):
            return path
    return None


def _points(body: str, columns: tuple[str, ...]) -> tuple[Points, int]:
    """float64 (n, 2), and how many rows were no points."""
    x, y = columns.index("X"), columns.index("Y")
    try:  # nearly always every row is whole
        table = np.array(list(map(float, body.split())), np.float64).reshape(-1, len(columns))
        if np.isfinite(table).all() and body.count("\n") >= len(table):
            return table[:, [x, y]], 0
    except ValueError:
        pass
    rows, bad = [], 0
    for line in body.splitlines():
        if not (words := line.split()):
            continue
        try:
            point = float(words[x]), float(words[y])
        except (ValueError, IndexError):
            bad += 1
            continue
        if np.isfinite(point).all():
            rows.append(point)
        else:
            bad += 1
    return np.array(rows, np.float64).reshape(-1, 2), bad


def parse_segment(body: str) -> Segment | None:
    """What follows `.SEGMENT`; None if it is not a row with range, quality and quoted label."""
    match = _SEGMENT.match(body)
    if match is None:
        return None
    level, delineation, quality, label = match.groups()
    delineation = re.sub(r"\s+", "", delineation)
    if not all(_RANGE.match(part) for part in delineation.split(",")):
        return None
    return Segment(level.upper(), delineation, quality, clean_label(label))


def clean_label(raw: str) -> str:
    r"""Resolve `\"`, `\\` and `\ `, drop the cut mark `\@`, and make white space one space.

    A lone backslash is a backslash: some contributors do not escape.
    """
    label = re.sub(r'\\([@"\\ ])', lambda m: "" if m[1] == "@" else str(m[1]), raw)
    return " ".join(label.split())


def counts_pen_up(recording: Recording, segments: Iterable[Segment]) -> bool:
    """Whether the ranges count `.PEN_UP` components too; most files count strokes alone."""
    down = [component.down for component in recording.components]
    ends = [
        (int(match[1]), int(match[3] or match[1]))
        for segment in segments
        for part in segment.delineation.split(",")
        if (match := _RANGE.match(part))
    ]
    if not ends or max(last for _, last in ends) >= len(down) or all(down):
        return False
    if max(last for _, last in ends) >= sum(down):
        return True
    return len(ends) >= _VOTES and all(down[first] and down[last] for first, last in ends)


def cut(components: tuple[Component, ...], delineation: str) -> list[Component]:
    """The strokes that a range names, in the order written; empty lists are left out.

    Args:
        components: The components that the range counts.
        delineation: Ranges, parted by commas.

    Raises:
        IndexError: The range leaves the recording, or runs backwards.
    """
    strokes = []
    for part in delineation.split(","):
        match = _RANGE.match(part)
        if match is None:
            raise IndexError(part)
        first, from_point, last, to_point = (None if g is None else int(g) for g in match.groups())
        assert first is not None  # the pattern begins with it
        if last is None:  # "7" is the whole stroke, "7:12" one point of it
            last, to_point = first, from_point
        if last < first or last >= len(components):
            raise IndexError(part)
        for index in range(first, last + 1):
            component = components[index]
            start = from_point if index == first and from_point is not None else 0
            stop = to_point + 1 if index == last and to_point is not None else None
            if start > len(component.points) or (stop or 0) > len(component.points):
                raise IndexError(part)
            points = component.points[start:stop]
            if component.down and len(points):
                strokes.append(Component(points, True, component.writer))
    return strokes
