"""What no type can say of a template: boxes, names, patterns, files and rules.

Owns:   the checks across keys, and the way from a checked key to a `Field`.
Needs:  `template_schema`, `field`, `rules`, `grammar`; `imaging` where there is a reference.
        Loaded by `template` when the first template is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations, islice
from pathlib import Path

from edge_runtime.automaton import GrammarError, parsed
from edge_runtime.errors import ImageError, TemplateError
from edge_runtime.field import Box, Field
from edge_runtime.grammar import ASCII_LABELS, checksum_ok, compile_grammar, preset
from edge_runtime.rules import fields_of
from edge_runtime.template_schema import Fault, FieldModel, Parts

_PAIRS = 200  # of boxes that overlap, that are told of
_SLIVER = 0.05  # of the smaller box; hand-drawn neighbours overlap by a line's width, 1 of 30 px
_FEWEST_MARKS = 4  # a homography has eight unknowns
_NARROWING = ("choices", "pattern", "charset", "skip", "max_length", "cells")


def box_of(one: FieldModel) -> Box | None:
    """A field's box; where it has none, what its cells or boxes cover."""
    parts = one.cells if isinstance(one.cells, list) else one.boxes
    if one.box is not None or not isinstance(parts, list):
        return one.box
    x0, y0, x1, y1 = zip(*parts, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def field_of(one: FieldModel) -> Field:
    """The plain value that the rest of the runtime takes."""
    plain = one.model_dump(exclude={"box", "cells", "choices", "boxes"})
    cells, boxes = (tuple(k) if isinstance(k, list) else k for k in (one.cells, one.boxes))
    choices = None if one.choices is None else tuple(one.choices)
    return Field(**plain, box=box_of(one), cells=cells, choices=choices, boxes=boxes)


def faults_of(parts: Parts, base: Path | None, *, thorough: bool) -> list[Fault]:
    """All faults of the sound parts.

    Args:
        base: Where the reference is looked for.
        thorough: Also make the automaton of every field, some 20 ms each, as reading does.
    """
    boxes = [(f"{path}.box", box) for path, one in parts.fields if (box := box_of(one)) is not None]
    cells = [
        (f"{path}.{key}[{at}]", cell)
        for path, one in parts.fields
        for key, its in (("cells", one.cells), ("boxes", one.boxes))
        if isinstance(its, list)
        for at, cell in enumerate(its)
    ]
    size = parts.page.size if parts.page is not None else None
    every = [*boxes, *cells, *parts.marks]
    faults = [fault for path, box in every for fault in _off(path, box, size)]
    faults += _overlaps(boxes)
    faults += _overlaps(list(parts.marks))
    faults += _mark_faults(parts)
    faults += [fault for path, line in parts.lines for fault in _line_faults(path, line, size)]
    names: dict[str, str] = {}
    for path, one in parts.fields:
        if (first := names.setdefault(one.name, path)) != path:
            taken = f"{one.name!r} is the name of {first} too; give each its own"
            faults.append((f"{path}.name", taken))
        faults += _field_faults(path, one, thorough=thorough)
    if parts.reference is not None:
        file = (base or Path()) / parts.reference
        if not _is_file(file):
            faults.append(("reference", f"no file {file}; put it there, or leave the key out"))
        elif fault := _reference_fault(str(file), (told := file.stat()).st_mtime_ns, told.st_size):
            faults.append(("reference", fault))
    for path, rule in parts.rules:
        try:
            unknown = [name for name in fields_of(rule, parts.names) if name not in parts.names]
        except TemplateError as error:
            faults.append((path, str(error)))
        else:
            what = "no field is called {!r}; use a field's name"
            faults += [(path, what.format(name)) for name in unknown]
    return faults


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that may not be looked into
        return False


@lru_cache(maxsize=64)
def _reference_fault(file: str, changed_ns: int, size: int) -> str:
    """Why a reference cannot be read, or ""; looked at once, until its file changes.

    Its first page is decoded, for half a picture has a sound beginning.
    """
    from edge_runtime.imaging import load_page

    try:
        load_page(file, page=1, color=False)
    except ImageError as error:
        return str(error)
    return ""


def _off(path: str, box: Box, size: tuple[float, float] | None) -> Iterator[Fault]:
    x0, y0, x1, y1 = box
    if not (x0 < x1 and y0 < y1):
        yield path, f"{list(box)} is empty; give [x0, y0, x1, y1] with x0 < x1 and y0 < y1"
    elif size is not None and not (x0 >= 0 and y0 >= 0 and x1 <= size[0] and y1 <= size[1]):
        yield path, f"{list(box)} is not on the page of {size[0]:g} x {size[1]:g}; check the unit"


def _line_faults(path: str, line: Box, size: tuple[float, float] | None) -> Iterator[Fault]:
    x0, y0, x1, y1 = line
    if not ((x0 == x1 and y0 < y1) or (y0 == y1 and x0 < x1)):
        yield path, f"{list(line)} is no level or upright line; give x0 = x1 or y0 = y1"
    elif size is not None and not (x0 >= 0 and y0 >= 0 and x1 <= size[0] and y1 <= size[1]):
        yield path, f"{list(line)} is not on the page of {size[0]:g} x {size[1]:g}; check the unit"


def _overlaps(boxes: Sequence[tuple[str, Box]]) -> Iterator[Fault]:
    """Pairs that share more than a sliver, the first `_PAIRS`; found by sweeping from left to
    right."""
    return islice(_overlapping(boxes), _PAIRS)


def _overlapping(boxes: Sequence[tuple[str, Box]]) -> Iterator[Fault]:
    ordered = sorted(boxes, key=lambda one: one[1][0])
    open_: list[tuple[str, Box]] = []
    for path, box in ordered:
        open_ = [one for one in open_ if one[1][2] > box[0]]
        for other, its in open_:
            w = min(box[2], its[2]) - max(box[0], its[0])
            h = min(box[3], its[3]) - max(box[1], its[1])
            smaller = min(_area(box), _area(its))
            if w > 0 and h > 0 and smaller > 0 and w * h > _SLIVER * smaller:
                yield path, f"overlaps {other} by {w:g} x {h:g}; draw them apart"
        open_.append((path, box))


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _mark_faults(parts: Parts) -> Iterator[Fault]:
    if 0 < len(parts.marks) < _FEWEST_MARKS:
        yield "marks", f"{len(parts.marks)}, too few to register by; give four, or none"
    four = parts.marks[:_FEWEST_MARKS]
    centres = [((x0 + x1) / 2, (y0 + y1) / 2) for _, (x0, y0, x1, y1) in four]
    if len(centres) == _FEWEST_MARKS and parts.page is not None:
        least = 0.01 * parts.page.size[0] * parts.page.size[1]  # of the page, else the way is lost
        for (ax, ay), (bx, by), (cx, cy) in combinations(centres, 3):
            if abs((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)) < least:
                yield "marks", "three of the first four stand in a line; give those of the corners"
                return


def _field_faults(path: str, one: FieldModel, *, thorough: bool) -> Iterator[Fault]:
    n = len(one.cells) if isinstance(one.cells, list) else one.cells
    for key, parts in (("cells", one.cells), ("boxes", one.boxes)):
        if not isinstance(parts, list):
            continue
        yield from _overlaps([(f"{path}.{key}[{at}]", part) for at, part in enumerate(parts)])
        for at, (x0, y0, x1, y1) in enumerate(parts):
            x, y, box = (x0 + x1) / 2, (y0 + y1) / 2, one.box
            if box is not None and not (box[0] <= x <= box[2] and box[1] <= y <= box[3]):
                yield f"{path}.{key}[{at}]", "its middle is outside the field's box; mend either"
    try:  # without its boxes: those are looked at by themselves
        field = field_of(one.model_copy(update={"box": None, "cells": n}))
    except TemplateError as error:
        yield path, str(error)
        return
    if field.boxes is not None:  # marked, and not read
        return
    if field.n_cells and (field.min_length or 0) > field.n_cells:
        what = f"{field.min_length} characters do not go into {field.n_cells} cells; mend either"
        yield f"{path}.min_length", what
        return
    faults = list(_unreadable(path, field))
    yield from faults
    # Choices are spelled out here and now, for reading asks for the same and finds it made.
    if not faults and (thorough or (field.choices and field.pattern is None)):
        yield from _uncompiled(path, field)


def _unreadable(path: str, field: Field) -> Iterator[Fault]:
    """What would stop the reading of every page, as far as it costs next to nothing to tell."""
    if field.pattern is not None:
        try:
            re.compile(field.pattern)
            parsed(field.pattern)
        except GrammarError as error:
            yield f"{path}.pattern", str(error)
        except (re.error, OverflowError, RecursionError) as error:
            yield f"{path}.pattern", f"{field.pattern!r} is no regular expression: {error}; mend it"
    try:
        checksum_ok("0", field)
    except TemplateError as error:
        yield f"{path}.checksum", _told(error, field)
    try:
        full = preset(field)
    except TemplateError as error:
        yield f"{path}.choices", _told(error, field)
        return
    known = set(full.charset or "").intersection(ASCII_LABELS)
    if not known:
        what = f"{field.charset!r} holds nothing that the network knows; give printable ASCII"
        yield f"{path}.charset", what
    elif not full.choices and known <= {*(full.skip or ""), "" if full.pattern else " "}:
        key = "charset" if field.skip is None else "skip"
        yield f"{path}.{key}", "no character is left to read but skipped ones and spaces; add some"


def _uncompiled(path: str, field: Field) -> Iterator[Fault]:
    """Why no text would do, and the key that most likely says so."""
    try:
        compile_grammar(field, ASCII_LABELS)
    except TemplateError as error:
        key = next((f".{key}" for key in _NARROWING if getattr(field, key) is not None), "")
        yield f"{path}{key}", _told(error, field)


def _told(error: TemplateError, field: Field) -> str:
    """Its message without the field's name, for the path says which."""
    return str(error).removeprefix(f"field {field.name!r}: ")
