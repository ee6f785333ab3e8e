"""The published shape of a reading is the one that readings have."""

from __future__ import annotations

import io
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from edge_runtime.render import Format, Writer
from edge_runtime.results import Alternative, FieldReading, FormReading, Glyph, Status
from edge_runtime.results_schema import FormReadingModel, LoneFieldModel, json_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "reading.schema.json"


def form() -> FormReading:
    def one(name: str, value: object, *, secret: bool = False) -> FieldReading:
        return FieldReading(
            name, "text", "x", value, 0.5, Status.REVIEW, "in doubt",  # type: ignore[arg-type]
            (Alternative("y", 0.25),), (Glyph("x", 0.9, (0, 0, 1, 1)),), "x", (0, 0, 9, 9), secret,
        )  # fmt: skip

    values = ("a", 3, True, Decimal("1.50"), date(2020, 1, 31), None)
    fields = [one(f"field_{k}", value) for k, value in enumerate(values)]
    return FormReading(
        (*fields, one("pin", "1234", secret=True)), (100, 200), {"name": "f", "digest": "d"},
        {"method": "marks", "residual_px": 0.4}, {"name": "m", "digest": "d"},
        timings_ms={"load": 1.5},
    )  # fmt: skip


@pytest.mark.parametrize("reveal", [False, True])
@pytest.mark.parametrize("timings", [False, True])
def test_a_reading_has_the_published_shape(reveal: bool, timings: bool) -> None:
    shown = form().to_dict(reveal=reveal, timings=timings)
    model = FormReadingModel.model_validate_json(json.dumps(shown))
    assert model.fields[0].name == "field_0"
    assert (model.fields[-1].glyphs is None) is not reveal


@pytest.mark.parametrize(("key", "value"), [("schema", 2), ("fields", [{}]), ("unknown", 1)])
def test_another_shape_is_not_taken_for_it(key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        FormReadingModel.model_validate(form().to_dict() | {key: value})


@pytest.mark.parametrize("reveal", [False, True])
def test_a_field_read_by_itself_has_a_published_shape(reveal: bool) -> None:
    lone = json_schema()["$defs"]["LoneFieldModel"]
    for one in form().fields:
        stream = io.StringIO()
        writer = Writer(stream, Format.JSON, many=False, reveal=reveal)
        writer.add(one, file="a.tif", page=2)
        writer.close()
        shown = json.loads(stream.getvalue())
        model = LoneFieldModel.model_validate_json(stream.getvalue())
        assert (model.name, model.file, model.page) == (one.name, "a.tif", 2)
        assert set(lone["required"]) <= set(shown) <= set(lone["properties"])
        with pytest.raises(ValidationError):
            FormReadingModel.model_validate(shown)


def test_every_definition_that_the_schema_names_is_in_it() -> None:
    names = set(re.findall(r"#/\$defs/(\w+)", json.dumps(json_schema())))
    assert names | {"LoneFieldModel"} == set(json_schema()["$defs"])


def test_the_published_schema_is_that_of_the_code() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == json_schema()
