"""The shape of a reading in JSON, key by key, for programs that take it up.

Owns:   the models behind `docs/reading.schema.json` (a page, and a field by itself), `json_schema`.
Needs:  pydantic, `field`, `results`. Loaded by nobody who only reads.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Key

from edge_runtime.field import KINDS
from edge_runtime.results import SCHEMA, Status

Share = Annotated[float, Key(ge=0, le=1)]
Box = Annotated[
    tuple[float, float, float, float],
    Key(description="x0, y0, x1, y1: pixels of the upright page, or of the crop."),
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GlyphModel(_Model):
    """One character, in reading order."""

    char: str
    probability: Share
    box: Box


class FieldReadingModel(_Model):
    """What one field says. The last three keys are not there where `secret` is not revealed."""

    name: str
    kind: Literal[tuple(sorted(KINDS))] = Key(description="Of the field.")  # type: ignore[valid-type]
    text: str = Key(description="What is written; a mask of fixed length for a secret.")
    value: str | int | bool | None = Key(
        description="The typed form: decimals as digits, dates and times in ISO 8601."
    )
    confidence: Share = Key(description="Calibrated probability that `text` is wholly right.")
    status: Literal[tuple(one.value for one in Status)]  # type: ignore[valid-type]
    reason: str = Key(description="Why it is not accepted; empty when it is.")
    box: Box
    secret: bool
    prior: str = Key(description="Name of the character prior that had a say; or empty.")
    raw_text: str | None = Key(None, description="What the network says without the grammar.")
    alternatives: list[tuple[str, Share]] | None = Key(
        None, description="Other texts with their probabilities, most probable first."
    )
    glyphs: list[GlyphModel] | None = None


class LoneFieldModel(FieldReadingModel):
    """A field that was read by itself (`edge-hwr field`). A batch is a list of these, or with
    `--format jsonl` one a line."""

    file: str | None = Key(None, description="Only from the command line.")
    page: int | None = Key(None, ge=1, description="Only from the command line; from 1.")


class FormReadingModel(_Model):
    """One page. A batch is a list of these, or with `--format jsonl` one a line."""

    file: str | None = Key(None, description="Only from the command line.")
    page: int | None = Key(None, ge=1, description="Only from the command line; from 1.")
    schema_: Literal[SCHEMA] = Key(  # type: ignore[valid-type]
        alias="schema", description="Version of this shape."
    )
    template: dict[str, str] | None = Key(description="Name and digest of the form.")
    model: dict[str, str] = Key(description="Name and digest.")
    page_size: tuple[int, int] = Key(description="Width, height of the upright page, pixels.")
    registration: dict[str, Any] | None = Key(description="How the page lay: method, residuals.")
    fields: list[FieldReadingModel]
    timings_ms: dict[str, float] | None = Key(None, description="By step.")


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a reading, as published in `docs/reading.schema.json`.

    It is that of a page; that of a field by itself stands under `$defs`, as `LoneFieldModel`.
    """
    page, lone = FormReadingModel.model_json_schema(), LoneFieldModel.model_json_schema()
    defs = page.pop("$defs") | lone.pop("$defs")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **page,
        "$defs": defs | {LoneFieldModel.__name__: lone},
        "title": "edge-hwr reading",
    }
