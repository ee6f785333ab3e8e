"""Readings against what is truly written: a file of fields and texts.

Owns:   `load_truth`, `score`.
Needs:  `bench_report`, `results`.
Words:  *truth*: what a person says is written in a field, by its name.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_runtime.bench_report import Score
from edge_runtime.errors import EdgeHwrError
from edge_runtime.results import FormReading, Status

Truth = Mapping[str, str]

_FORMS = (
    'JSON {"field": "text", ...}, {"page.png": {"field": "text"}, ...} for several pages, '
    "or CSV with a first line `field,text` or `page,field,text`"
)


def load_truth(path: Path, pages: Sequence[Path]) -> dict[Path, Truth]:
    """What is written on each of `pages`.

    Args:
        path: JSON or CSV, see `_FORMS`. An object "fields" around the fields is looked through.
        pages: Pictures; where the file names pages, by their names without folders.

    Raises:
        EdgeHwrError: No such file, another form, or a page without its truth.
    """
    if not pages:
        raise EdgeHwrError(f"{path}: a truth without a page; name the IMAGE it belongs to")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EdgeHwrError(f"{path}: cannot be read ({error}); give {_FORMS}") from error
    by_page = _csv(path, text) if path.suffix.lower() == ".csv" else _json(path, text)
    if "" in by_page:  # no page named
        if len(pages) > 1:
            raise EdgeHwrError(f"{path}: {len(pages)} pages and none is named; give {_FORMS}")
        return {pages[0]: by_page[""]}
    for page in pages:
        if page.name not in by_page:
            raise EdgeHwrError(f"{path}: nothing about {page.name}; give {_FORMS}")
    return {page: by_page[page.name] for page in pages}


def score(forms: Sequence[tuple[FormReading, Truth]], pages: Sequence[str] = ()) -> Score:
    """Count what was read right.

    Args:
        forms: What was read and what is true of each page.
        pages: Their names; where there are several, each wrong field is told with its page.

    Raises:
        EdgeHwrError: A field of the truth is not on its page.
    """
    exact = accepted = wrong_accepted = fields = 0
    wrong: list[str] = []
    for at, (form, truth) in enumerate(forms):
        page = f"{pages[at]}: " if len(pages) > 1 else ""
        readings = {one.name: one for one in form}
        for name, text in truth.items():
            if name not in readings:
                there = ", ".join(readings) or "none"
                raise EdgeHwrError(f"truth: no field {name!r} was read; there is {there}")
            reading = readings[name]
            right, sure = reading.text == text, reading.status is Status.ACCEPTED
            fields, exact, accepted = fields + 1, exact + right, accepted + sure
            wrong_accepted += sure and not right
            wrong += [] if right else [f"{page}{name}"]
    return Score(fields, exact, accepted, wrong_accepted, tuple(wrong))


def _json(path: Path, text: str) -> dict[str, Truth]:
    try:
        held = json.loads(text)
    except ValueError as error:
        raise EdgeHwrError(f"{path}: no JSON ({error}); give {_FORMS}") from error
    held = _inner(held)
    if _is_truth(held):
        return {"": held}
    if isinstance(held, dict) and all(_is_truth(_inner(one)) for one in held.values()):
        return {name: _inner(one) for name, one in held.items()}
    raise EdgeHwrError(f"{path}: neither fields nor pages; give {_FORMS}")


def _inner(held: Any) -> Any:
    return held["fields"] if isinstance(held, dict) and "fields" in held else held


def _is_truth(held: Any) -> bool:
    return isinstance(held, dict) and bool(held) and all(isinstance(v, str) for v in held.values())


def _csv(path: Path, text: str) -> dict[str, Truth]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = set(reader.fieldnames or ())
    if not {"field", "text"} <= columns:
        raise EdgeHwrError(f"{path}: columns {sorted(columns)}; give {_FORMS}")
    by_page: dict[str, dict[str, str]] = {}
    for row in reader:
        if row["field"] is None or row["text"] is None:
            raise EdgeHwrError(f"{path}: line {reader.line_num} is short; give {_FORMS}")
        by_page.setdefault(row.get("page") or "", {})[row["field"]] = row["text"]
    if not by_page:
        raise EdgeHwrError(f"{path}: no field; give {_FORMS}")
    return {**by_page}
