"""A template as a first draft: from what was found on a page to YAML that a person goes on with.

Owns:   `proposed_fields`, `draft`, `to_yaml`; `without_writing`, the page as a reference.
Needs:  numpy, cv2, `detect` and `found`, for their types; `field`, `preprocess`, `printed`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from edge_runtime.detect import Detected
from edge_runtime.field import MOST_LINES, Field
from edge_runtime.found import Found, Rect
from edge_runtime.preprocess import Gray, normalize_ink
from edge_runtime.printed import erase_printed, find_printed, within_border
from edge_runtime.rulings import MM

_EVEN = 0.06  # of a cell's width by which even cells may stray: the count alone says where they are
_LINE = 7 * MM  # from line to line, where people have as much room as they want
_PLAIN = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_FAINT, _WIDER = 30, 5  # of 255: ink that is painted over, and by how many pixels wider
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def proposed_fields(
    found: Sequence[Found], *, names: Sequence[str] | None = None
) -> tuple[Field, ...]:
    """Fields as they were found, boxes in pixels of the straightened page.

    Args:
        found: In reading order.
        names: Of the fields, in order; left out: field_1, field_2, ...
    """
    return tuple(
        Field(
            names[k] if names else f"field_{k + 1}",
            kind=one.kind,
            box=one.box,
            cells=(len(one.cells) if _is_even(one) else one.cells) if one.cells else None,
            lines=_room(one),
        )
        for k, one in enumerate(found)
    )


def draft(
    found: Detected,
    *,
    name: str,
    reference: str | None,
    size: tuple[float, float] | None = None,
    unit: str = "px",
    names: Sequence[str] | None = None,
    told: Sequence[Field] | None = None,
    blank: bool = False,
) -> dict[str, Any]:
    """A template of what was found, as plain values.

    Args:
        found: Places to write, pixels of the straightened page.
        name: Of the form.
        reference: File of the straightened page, beside the template; None for none.
        size: Of the page in `unit`, where it is known; else the page's pixels count.
        unit: mm, pt or px.
        names: Of the fields, in order; left out: field_1, field_2, ...
        told: The fields with their kinds, as far as they are known; left out: as they were found.
        blank: Nobody has written on the reference.
    """
    h, w = found.picture.shape
    wide, high = size or (float(w), float(h))
    sx, sy = wide / w, high / h
    fields = []
    for one in told or proposed_fields(found.found, names=names):
        field: dict[str, Any] = {"name": one.name}
        if one.kind is not None:
            field["kind"] = one.kind
        field |= {
            key: value for key in ("charset", "skip") if (value := getattr(one, key)) is not None
        }
        if one.box is not None:
            field["box"] = _scaled(one.box, sx, sy, (wide, high))
        if one.lines is not None:
            field["lines"] = one.lines
        if isinstance(one.cells, int):
            field["cells"] = one.cells
        elif one.cells is not None:
            field["cells"] = [_scaled(cell, sx, sy, (wide, high)) for cell in one.cells]
        fields.append(field)
    page = {"size": [_short(wide), _short(high)], "unit": unit}
    out: dict[str, Any] = {"name": name, "page": page}
    if reference is not None:
        out["reference"] = reference
        if blank:
            out["reference_blank"] = True
    return out | {"fields": fields}


def without_writing(picture: Gray, fields: Sequence[Field], written: Sequence[bool]) -> Gray:
    """The page with paper where somebody wrote into a field: a reference is kept, and what stands
    in it is no one else's business. Boxes, rules and combs stay.

    Args:
        picture: uint8 (h, w), dark on light.
        fields: With boxes, pixels of the picture.
        written: Of each field, whether somebody wrote there.
    """
    out = picture.copy()
    h, w = picture.shape
    for field, ink_there in zip(fields, written, strict=True):
        if field.box is None or not ink_there:
            continue
        x0, y0 = (max(0, math.floor(edge)) for edge in field.box[:2])
        x1, y1 = min(w, math.ceil(field.box[2])), min(h, math.ceil(field.box[3]))
        crop = np.ascontiguousarray(picture[y0:y1, x0:x1])
        if not crop.size:
            continue
        ink = normalize_ink(crop)
        bare = erase_printed(ink, find_printed(ink, 0 if field.cells is None else field.n_cells))
        left, top, right, bottom = within_border((0, 0, x1 - x0, y1 - y0))
        if field.kind == "checkbox":  # all that stands within its sides
            bare = ink
        gone = np.zeros_like(bare)
        gone[top:bottom, left:right] = bare[top:bottom, left:right] >= _FAINT
        gone = np.asarray(cv2.dilate(gone, np.ones((_WIDER, _WIDER), np.uint8)), np.uint8)
        paper = crop[ink < _FAINT]
        out[y0:y1, x0:x1][gone > 0] = np.median(paper) if paper.size else 255
    return out


def to_yaml(
    template: Mapping[str, Any], *, head: str = "", notes: Mapping[str, str] | None = None
) -> str:
    """YAML with one line a field.

    Args:
        template: Plain values, as `Template.from_dict` takes them.
        head: Comment at the top.
        notes: Comments behind fields, by name.
    """
    shown = ("".join(one for one in line if one.isprintable()) for line in head.splitlines())
    lines = [f"# {line}" for line in shown]
    for key, value in template.items():
        if key != "fields":
            lines.append(f"{key}: {_flow(value)}")
            continue
        lines.append("fields:")
        for field in value:
            note = (notes or {}).get(field["name"], "")
            lines.append(f"  - {_flow(field)}" + (f"  # {note}" if note else ""))
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """A value on one line; texts that YAML would read as something else stand in quotes."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
        return value if plain else _quoted(value)
    return json.dumps(value)


def _quoted(text: str) -> str:
    """In double quotes; what is no visible character, and YAML would refuse or fold, is spelled."""
    return "".join(
        char
        if char.isprintable()
        else f"\\u{ord(char):04x}"
        if ord(char) < 1 << 16
        else f"\\U{ord(char):08x}"
        for char in json.dumps(text, ensure_ascii=False)
    )


def _room(one: Found) -> int | None:
    """Lines of writing that a place has room for; None for one."""
    n = int((one.box[3] - one.box[1]) / _LINE)
    return min(n, MOST_LINES) if n > 1 and not one.cells and one.kind is None else None


def _is_even(one: Found) -> bool:
    step = (one.box[2] - one.box[0]) / len(one.cells)
    return all(
        max(abs(cell[0] - one.box[0] - k * step), abs(cell[2] - one.box[0] - (k + 1) * step))
        <= _EVEN * step
        for k, cell in enumerate(one.cells)
    )


def _scaled(box: Rect, sx: float, sy: float, size: tuple[float, float]) -> list[float | int]:
    """In the template's unit, and on the page, which a rounded edge must not leave."""
    x0, y0, x1, y1 = box
    edges = (x0 * sx, y0 * sy, x1 * sx, y1 * sy)
    most = (size[0], size[1], size[0], size[1])
    return [_short(min(max(0.0, edge), end)) for edge, end in zip(edges, most, strict=True)]


def _short(value: float) -> float | int:
    """9, not 9.0; two digits after the point."""
    short = round(float(value), 2)
    return int(short) if short == int(short) else short
