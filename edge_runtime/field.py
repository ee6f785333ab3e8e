"""What a caller says of a field: its kind and what may stand in it.

Owns:   `Field`, a plain value; what its kind implies is worked out in `grammar`.
Needs:  `errors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_runtime.errors import TemplateError

Box = tuple[float, float, float, float]  # (x0, y0, x1, y1), origin top left, x1 and y1 exclusive

KINDS = frozenset(
    {
        *("text", "name", "username", "digits", "integer", "amount", "date", "time", "email"),
        *("phone", "iban", "card", "account", "code", "upper", "lower", "choice", "checkbox"),
        "signature",
    }
)


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
        choices: The only texts that are allowed.
        checksum: Name of a python-stdnum module, such as "luhn" or "iban".
        optional: A blank is no reason for review.
        secret: Masked in everything but `.text` and `.value`.

    Raises:
        TemplateError: An unknown kind, a bad length, no cell.
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

    def __post_init__(self) -> None:
        def fault(what: str) -> TemplateError:
            return TemplateError(f"field {self.name!r}: {what}")

        if self.kind is not None and self.kind not in KINDS:
            raise fault(f"unknown kind {self.kind!r}; use one of {', '.join(sorted(KINDS))}")
        for name in ("box", "choices"):  # lists are welcome, the stored value is a tuple
            if isinstance(value := getattr(self, name), Sequence) and not isinstance(value, str):
                object.__setattr__(self, name, tuple(value))
        if self.cells is not None and not isinstance(self.cells, int):
            object.__setattr__(self, "cells", tuple(tuple(map(float, box)) for box in self.cells))
        if self.cells is not None and self.n_cells < 1:
            raise fault("cells must be 1 or more; leave it out for a free field")
        least, most = self.min_length or 0, self.max_length
        if least < 0 or (most is not None and most < max(1, least)):
            raise fault(
                f"lengths {least}..{most} allow no text; give 0 <= min_length <= max_length"
            )

    @property
    def n_cells(self) -> int:
        """Number of cells; 0 for a free field."""
        if self.cells is None:
            return 0
        return self.cells if isinstance(self.cells, int) else len(self.cells)
