"""What a caller says of a field: its kind and what may stand in it.

Owns:   `Field`, a plain value, sound in itself; what its kind implies is worked out in `grammar`.
Needs:  `errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from math import inf, nan
from operator import index
from typing import Any

from edge_runtime.errors import TemplateError

Box = tuple[float, float, float, float]  # (x0, y0, x1, y1), origin top left, x1 and y1 exclusive

KINDS = frozenset(
    {
        *("text", "name", "username", "digits", "integer", "amount", "date", "time", "email"),
        *("phone", "iban", "card", "account", "code", "upper", "lower", "choice", "checkbox"),
        "signature",
    }
)
MARKS = frozenset({"any", "fill", "tick", "circle"})
_LINED = frozenset(
    {
        *("text", "name", "upper", "lower", "choice", "digits", "code", "username", "email"),
        "phone",
    }
)  # kinds of which a field may hold several, a line each
MOST_LINES = 60  # of A4, 5 mm each
MOST_CELLS = 200  # a row of A3, the long way, has 84 boxes of 5 mm
MOST_CHARACTERS = 10_000  # a line shows a few hundred


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. None means: as the kind has it.

    Args:
        name: Its name in the template and in the reading.
        kind: One of `KINDS`; a preset of what follows.
        box: Where it is on the page, in the template's unit.
        cells: Number of boxes that hold one glyph each, or the boxes themselves.
        pattern: Regular expression that the whole text fulfils.
        charset: Every character that may be written.
        skip: Marks that are read and left out of `text`.
        min_length: Fewest characters of the text.
        max_length: Most characters of the text.
        choices: The only texts that are allowed; a set of them is put in order.
        checksum: Name of a python-stdnum module, such as "luhn" or "iban".
        optional: A blank is no reason for review.
        secret: Masked in everything but `.text` and `.value`.
        boxes: Of a choice that is marked, not written: the boxes, bubbles or words of which one is
            to be marked, one for each of `choices` in order; or their number, where they stand
            evenly from one end of `box` to the other, each as wide as high.
        marks: How a check box or such a choice is to be marked. "fill": blackened. "tick": ticked
            or crossed, and a blackened one was withdrawn. "circle": a circle around a word.
            "any", as without: what a blackened one means is told by the others on its page.
        lines: Lines of writing that it has room for; None: one. What is said of its text holds for
            each line, and "\\n" stands between them.

    Boxes and choices may come as lists, arrays or whatever else gives one after the other; they
    are kept as tuples.

    Raises:
        TemplateError: An unknown kind, a bad length, box or number of cells, or a value of a type
            that its key does not take.
    """

    name: str
    kind: str | None = None
    box: Box | None = None
    cells: int | tuple[Box, ...] | None = None
    pattern: str | None = None
    charset: str | None = None
    skip: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    choices: tuple[str, ...] | None = None
    checksum: str | None = None
    optional: bool | None = None
    secret: bool | None = None
    boxes: int | tuple[Box, ...] | None = None
    marks: str | None = None
    lines: int | None = None

    def __post_init__(self) -> None:
        try:
            for key, kept in _KEPT.items():
                if (value := getattr(self, key)) is not None or key == "name":
                    object.__setattr__(self, key, kept(key, value))
            if self.kind is not None and self.kind not in KINDS:
                known = ", ".join(sorted(KINDS))
                raise ValueError(f"unknown kind {self.kind!r}; use one of {known}")
            least, most = self.min_length or 0, self.max_length
            if least < 0 or (most is not None and most < max(1, least)):
                raise ValueError(
                    f"lengths {least}..{most} allow no text; give 0 <= min_length <= max_length"
                )
            if fault := _marking_fault(self) or _lines_fault(self):
                raise ValueError(fault)
        except ValueError as error:
            name = self.name if isinstance(self.name, str) else ""
            raise TemplateError(f"field {name!r}: {error}") from error

    @property
    def n_cells(self) -> int:
        """Number of cells; 0 for a free field."""
        if self.cells is None:
            return 0
        return self.cells if isinstance(self.cells, int) else len(self.cells)


def _marking_fault(field: Field) -> str:
    """What is wrong with a field that is to be marked; "" where nothing is."""
    if field.marks is not None and field.marks not in MARKS:
        return f"unknown marks {field.marks!r}; use one of {', '.join(sorted(MARKS))}"
    if field.kind in ("checkbox", "signature") and field.n_cells > 1:
        return f"a {field.kind} is one place; leave cells out, or make each cell a field"
    if field.boxes is None:
        if field.marks is not None and (field.kind != "checkbox" or field.marks == "circle"):
            return "marks are for check boxes, and for a choice with boxes; add boxes, or no marks"
        return ""
    n = field.boxes if isinstance(field.boxes, int) else len(field.boxes)
    if field.kind != "choice":
        return "boxes are for the kind choice; use it, or cells for boxes of one character each"
    if field.cells is not None or field.pattern is not None or field.checksum:
        return "a choice with boxes is marked, not written; leave cells, pattern, checksum out"
    if len(field.choices or ()) != n or len(set(field.choices or ())) != n:
        return f"{n} boxes and {len(field.choices or ())} choices; give each box a name of its own"
    if "" in (field.choices or ()):
        return "a choice without a name, which is how a blank reads; name it"
    return ""


def _lines_fault(field: Field) -> str:
    """What is wrong with a field of several lines; "" where nothing is."""
    if (field.lines or 1) == 1:
        return ""
    if (field.kind or "text") not in _LINED:
        known = ", ".join(sorted(_LINED))
        return f"a {field.kind} stands on one line; leave lines out, or use a kind of {known}"
    if field.cells is not None or field.boxes is not None:
        return "cells and boxes stand in one row; leave lines out, or make each row a field"
    return ""


# --- a key's value as it is kept; ValueError says what is wrong with it --------------------------


def _text(key: str, value: Any) -> str:
    if isinstance(value, str):
        return str.__str__(value)  # NumPy has strings of its own
    raise ValueError(f"{key} is {_shown(value)}; give a string")


def _box(key: str, value: Any) -> Box:
    try:
        x0, y0, x1, y1 = map(float, [] if isinstance(value, str | bytes) else value)
    except (TypeError, ValueError, OverflowError):
        x0 = y0 = x1 = y1 = nan
    if -inf < x0 < x1 < inf and -inf < y0 < y1 < inf:  # not so with NaN
        return x0, y0, x1, y1
    raise ValueError(
        f"{key} is {_shown(value)}; give finite numbers x0, y0, x1, y1 with x0 < x1 and y0 < y1"
    )


def _cells(key: str, value: Any) -> int | tuple[Box, ...]:
    if not isinstance(value, int | tuple):
        with suppress(TypeError):  # boxes, then
            value = index(value)
    boxes: list[Any] = []
    if not isinstance(value, int):
        boxes += islice(_each(key, value, "how many there are, or their boxes"), MOST_CELLS + 1)
    n = value if isinstance(value, int) else len(boxes)
    if n < 1:
        raise ValueError(f"{key} must be 1 or more; leave it out for a free field")
    if n > MOST_CELLS:
        raise ValueError(f"{key} must be {MOST_CELLS:,} or fewer; count the boxes of the field")
    return tuple(_box(f"{key}[{at}]", box) for at, box in enumerate(boxes)) or n


def _choices(key: str, value: Any) -> tuple[str, ...]:
    texts: tuple[str, ...]
    if type(value) is tuple and _all_texts(value):
        texts = value
    else:
        told = _each(key, value, "a list of texts")
        texts = tuple(_text(f"{key}[{at}]", text) for at, text in enumerate(told))
    if not texts:
        raise ValueError("choices are empty; list them, or leave the key out")
    # The order of a set differs from run to run.
    return tuple(sorted(texts)) if isinstance(value, set | frozenset) else texts


def _all_texts(value: tuple[Any, ...]) -> bool:
    try:
        "".join(value)  # the quickest look at each: fields are copied for every page
    except TypeError:
        return False
    return True


def _each(key: str, value: Any, wanted: str) -> Iterator[Any]:
    with suppress(TypeError):
        if not isinstance(value, str | bytes):
            return iter(value)
    raise ValueError(f"{key} is {_shown(value)}; give {wanted}")


def _count(key: str, value: Any) -> int:
    try:
        count = index(value)
    except TypeError:
        raise ValueError(f"{key} is {_shown(value)}; give a whole number") from None
    if count > MOST_CHARACTERS:
        raise ValueError(f"{key} must be {MOST_CHARACTERS:,} or less; no line holds more")
    return count


def _line_count(key: str, value: Any) -> int:
    count = _count(key, value)
    if not 1 <= count <= MOST_LINES:
        raise ValueError(f"{key} must be 1 to {MOST_LINES}; leave it out for one line")
    return count


def _switch(key: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    with suppress(TypeError, ValueError):  # an array
        if value in (0, 1):  # NumPy has a bool of its own
            return bool(value)
    raise ValueError(f"{key} is {_shown(value)}; give True or False")


def _shown(value: object) -> str:
    return repr(value)[:80]


_KEPT: dict[str, Callable[[str, Any], Any]] = {
    "name": _text,
    "kind": _text,
    "box": _box,
    "cells": _cells,
    "pattern": _text,
    "charset": _text,
    "skip": _text,
    "min_length": _count,
    "max_length": _count,
    "choices": _choices,
    "checksum": _text,
    "optional": _switch,
    "secret": _switch,
    "boxes": _cells,
    "marks": _text,
    "lines": _line_count,
}
