"""What comes out of a reading: frozen values that explain their own doubt and keep secrets.

Owns:   `Status`, `Glyph`, `Alternative`, `FieldReading`, `FormReading`, their dict and JSON forms.
Needs:  `field` (for `Box`) and the standard library.

What goes by the fields of a dataclass (`dataclasses.asdict`, pickle, a YAML dump) gives the plain
text, as `.text` does: another process must get what this one read. pydantic asks first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from edge_runtime.field import Box

SCHEMA = 1
MASK = "********"  # of fixed length: a mask must not tell how long the secret is

Value = str | int | bool | Decimal | date | time | datetime | None


class Status(StrEnum):
    """What a caller should do with a field."""

    ACCEPTED = "accepted"
    REVIEW = "review"
    BLANK = "blank"
    REJECTED = "rejected"


class Alternative(NamedTuple):
    """Another text the ink may say, with its probability."""

    text: str
    probability: float


class Glyph(NamedTuple):
    """One character, its probability, and the box of its ink."""

    char: str
    probability: float
    box: Box


@dataclass(frozen=True, slots=True, repr=False)
class FieldReading:
    """What one field says, and how far to trust it.

    `repr`, `to_dict` and all that is made from them show a mask where `secret`.
    """

    name: str
    kind: str
    text: str  # "" when the field is blank
    value: Value  # the typed, normalised form, or None
    confidence: float  # 0..1, calibrated: the probability that `text` is wholly right
    status: Status
    reason: str  # why it is not accepted; "" when it is
    alternatives: tuple[Alternative, ...]  # most probable first, `text` itself left out
    glyphs: tuple[Glyph, ...]  # in reading order
    raw_text: str  # what the network says without the grammar
    box: Box  # pixels of the upright page, or of the crop
    secret: bool = False
    prior: str = ""  # name of the character prior that had a say; "" where the ink alone decided

    def __repr__(self) -> str:
        text = MASK if self.secret else self.text
        return (
            f"FieldReading(name={self.name!r}, kind={self.kind!r}, text={text!r}, confidence="
            f"{self.confidence:.3f}, status={self.status.value!r}, reason={self.reason!r})"
        )

    def to_dict(self, *, reveal: bool = False) -> dict[str, Any]:
        """Plain values for JSON; a secret is masked unless `reveal`."""
        shown: dict[str, Any] = {"name": self.name, "kind": self.kind}
        if self.secret and not reveal:
            shown |= {"text": MASK, "value": None if self.value is None else MASK}
        else:
            shown |= {"text": self.text, "value": _plain(self.value)}
        shown |= {
            "confidence": round(self.confidence, 6),
            "status": self.status.value,
            "reason": self.reason,
            "box": [round(edge, 2) for edge in self.box],
            "secret": self.secret,
            "prior": self.prior,
        }
        if not self.secret or reveal:
            shown |= {
                "raw_text": self.raw_text,
                "alternatives": [[text, round(p, 6)] for text, p in self.alternatives],
                "glyphs": [
                    {"char": c, "probability": round(p, 6), "box": [round(e, 2) for e in box]}
                    for c, p, box in self.glyphs
                ],
            }
        return shown

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: Callable[[object], Mapping[str, Any]]
    ) -> dict[str, Any]:
        """pydantic writes what `to_dict` does, and so does a web service that returns this."""
        return _written_by_to_dict(handler(source))


@dataclass(frozen=True, slots=True)
class FormReading:
    """A page read: its fields in the template's order, and how they were come by."""

    fields: tuple[FieldReading, ...]
    page_size: tuple[int, int]  # width, height of the upright page, pixels
    template: Mapping[str, str] | None  # name and digest
    registration: Mapping[str, Any] | None  # method and residuals, pixels of the page
    model: Mapping[str, str]  # name and digest
    schema: int = SCHEMA
    timings_ms: Mapping[str, float] = field(default_factory=dict, compare=False)

    def __getitem__(self, name: str) -> FieldReading:
        for reading in self.fields:
            if reading.name == name:
                return reading
        raise KeyError(f"{name!r}; the fields are {', '.join(one.name for one in self.fields)}")

    def __contains__(self, name: object) -> bool:
        """Whether there is a field of that name, or that very reading."""
        return any(name == one.name or name is one for one in self.fields)

    def __iter__(self) -> Iterator[FieldReading]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def to_dict(self, *, reveal: bool = False, timings: bool = True) -> dict[str, Any]:
        """Plain values for JSON; secrets are masked unless `reveal`."""
        shown: dict[str, Any] = {
            "schema": self.schema,
            "template": None if self.template is None else dict(self.template),
            "model": dict(self.model),
            "page_size": list(self.page_size),
            "registration": None if self.registration is None else dict(self.registration),
            "fields": [one.to_dict(reveal=reveal) for one in self.fields],
        }
        if timings:
            shown["timings_ms"] = {name: round(ms, 3) for name, ms in self.timings_ms.items()}
        return shown

    def to_json(self, *, reveal: bool = False, timings: bool = False) -> str:
        """JSON text; the same input gives the same bytes unless `timings` are asked for."""
        shown = self.to_dict(reveal=reveal, timings=timings)
        return json.dumps(shown, ensure_ascii=False, indent=2)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: Callable[[object], Mapping[str, Any]]
    ) -> dict[str, Any]:
        """pydantic writes what `to_dict` does, and so does a web service that returns this."""
        return _written_by_to_dict(handler(source))


def _plain(value: Value) -> str | int | bool | None:
    """Decimal as its digits, dates and times in ISO 8601: no float ever touches an amount."""
    if value is None or isinstance(value, str | int):
        return value
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _written_by_to_dict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema of pydantic's whose values are written as their `to_dict` gives them, masked."""

    def shown(one: FieldReading | FormReading) -> dict[str, Any]:
        return one.to_dict()

    return {**schema, "serialization": {"type": "function-plain", "function": shown}}
