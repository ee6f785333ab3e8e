"""The public interface, pinned: programs outside this repository call these names."""

from __future__ import annotations

import dataclasses
import inspect
import json
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest

import edge_runtime
from edge_runtime import (
    Alternative,
    EdgeHwrError,
    ExitCode,
    Field,
    FieldReading,
    FormReading,
    Glyph,
    ImageError,
    ModelError,
    ProviderError,
    Reader,
    Status,
    Template,
    TemplateError,
)

PUBLIC = {
    "Alternative", "Box", "EdgeHwrError", "ExitCode", "Field", "FieldReading", "FormReading",
    "Glyph", "ImageError", "ModelError", "ProviderError", "Reader", "Status", "Template",
    "TemplateError", "__version__",
}  # fmt: skip
KINDS = [
    "text", "name", "username", "digits", "integer", "amount", "date", "time", "email", "phone",
    "iban", "card", "account", "code", "upper", "lower", "choice", "checkbox", "signature",
]  # fmt: skip


def shape(function: Any) -> list[tuple[str, str]]:
    """Parameters as (name, kind), `self` left out; a name with a default ends in `=`."""
    short = {
        inspect.Parameter.POSITIONAL_OR_KEYWORD: "any",
        inspect.Parameter.KEYWORD_ONLY: "keyword",
    }
    return [
        (one.name + ("" if one.default is one.empty else "="), short[one.kind])
        for one in inspect.signature(function).parameters.values()
        if one.name != "self"
    ]


def field_reading(**changes: Any) -> FieldReading:
    values: dict[str, Any] = {
        "name": "pin", "kind": "digits", "text": "1234", "value": "1234", "confidence": 0.97,
        "status": Status.ACCEPTED, "reason": "", "alternatives": (Alternative("1284", 0.02),),
        "glyphs": (Glyph("1", 0.99, (0.0, 0.0, 5.0, 9.0)),), "raw_text": "l234",
        "box": (0.0, 0.0, 40.0, 12.0), "secret": False,
    }  # fmt: skip
    return FieldReading(**(values | changes))


def form_reading(*fields: FieldReading) -> FormReading:
    return FormReading(
        fields=fields, page_size=(100, 140), template={"name": "t", "digest": "d"},
        registration={"residual_px": 0.4}, model={"name": "m", "digest": "d"},
        timings_ms={"total": 12.5},
    )  # fmt: skip


def test_the_package_exports_these_names() -> None:
    assert set(edge_runtime.__all__) == PUBLIC
    assert set(dir(edge_runtime)) >= PUBLIC
    for name in PUBLIC:
        assert getattr(edge_runtime, name) is not None
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        _ = edge_runtime.nothing_of_ours  # type: ignore[attr-defined]


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, edge_runtime; from edge_runtime import Field, Status, FieldReading;"
        "heavy = 'numpy', 'cv2', 'onnxruntime', 'pydantic', 'torch';"
        "print([name for name in heavy if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
    assert out.stderr == ""


def test_reader_takes_these_arguments() -> None:
    assert shape(Reader) == [
        ("model=", "any"), ("providers=", "keyword"), ("threads=", "keyword"),
        ("allow_fallback=", "keyword"), ("prior=", "keyword"), ("accept=", "keyword"),
    ]  # fmt: skip
    defaults = {one.name: one.default for one in inspect.signature(Reader).parameters.values()}
    assert defaults == {
        "model": None, "providers": ("cpu",), "threads": 1, "allow_fallback": False, "prior": True,
        "accept": None,
    }  # fmt: skip
    assert shape(Reader.read) == [("source", "any"), ("template=", "keyword"), ("page=", "keyword")]
    assert shape(Reader.read_pages) == [("source", "any"), ("template=", "keyword")]
    assert shape(Reader.read_field) == [("crop", "any"), ("field", "any")]
    assert shape(Reader.read_fields) == [("items", "any")]
    assert shape(Reader.match) == [("crop", "any"), ("field", "any"), ("expected", "any")]
    assert shape(Reader.close) == []
    assert hasattr(Reader, "__enter__")
    assert isinstance(inspect.getattr_static(Reader, "model_id"), property)


def test_field_takes_these_arguments_and_is_frozen() -> None:
    assert [one.name for one in dataclasses.fields(Field)] == [
        "name", "kind", "box", "cells", "pattern", "charset", "skip", "min_length", "max_length",
        "choices", "checksum", "optional", "secret", "boxes", "marks", "lines",
    ]  # fmt: skip
    assert all(one.default is None for one in dataclasses.fields(Field)[1:])
    with pytest.raises(dataclasses.FrozenInstanceError):
        Field("f").name = "g"  # type: ignore[misc]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_known(kind: str) -> None:
    assert Field("f", kind=kind).kind == kind


def test_template_is_loaded_from_a_path_or_a_mapping() -> None:
    assert callable(Template.load)
    assert callable(Template.from_dict)


def test_status_has_four_values_that_are_strings() -> None:
    assert issubclass(Status, StrEnum)
    assert [one.value for one in Status] == ["accepted", "review", "blank", "rejected"]


def test_field_reading_holds_these_values() -> None:
    assert [one.name for one in dataclasses.fields(FieldReading)] == [
        "name", "kind", "text", "value", "confidence", "status", "reason", "alternatives", "glyphs",
        "raw_text", "box", "secret", "prior",
    ]  # fmt: skip
    one = field_reading()
    assert one == field_reading()
    assert hash(one) == hash(field_reading())
    text, probability = one.alternatives[0]
    char, chance, box = one.glyphs[0]
    assert (text, probability, char, chance, len(box)) == ("1284", 0.02, "1", 0.99, 4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.text = "no"  # type: ignore[misc]


def test_field_reading_as_a_dict() -> None:
    assert field_reading().to_dict() == {
        "name": "pin", "kind": "digits", "text": "1234", "value": "1234", "confidence": 0.97,
        "status": "accepted", "reason": "", "box": [0.0, 0.0, 40.0, 12.0], "secret": False,
            "prior": "",
        "raw_text": "l234", "alternatives": [["1284", 0.02]],
        "glyphs": [{"char": "1", "probability": 0.99, "box": [0.0, 0.0, 5.0, 9.0]}],
    }  # fmt: skip


def test_form_reading_is_indexed_by_name_iterated_and_written_as_json() -> None:
    one = field_reading()
    form = form_reading(one)
    assert [one.name for one in dataclasses.fields(FormReading)] == [
        "fields", "page_size", "template", "registration", "model", "schema", "timings_ms",
    ]  # fmt: skip
    assert form["pin"] is one
    assert list(form) == [one]
    assert len(form) == 1
    with pytest.raises(KeyError, match="pin"):
        form["other"]
    shown = json.loads(form.to_json())
    assert set(shown) == {"schema", "template", "model", "page_size", "registration", "fields"}
    assert set(form.to_dict()) == {*shown, "timings_ms"}
    assert isinstance(form.timings_ms, Mapping)
    later = dataclasses.replace(form, timings_ms={"total": 99.0})
    assert later.to_json() == form.to_json()


def test_a_secret_is_plain_to_the_caller_and_masked_everywhere_else() -> None:
    one = field_reading(secret=True)
    form = form_reading(one)
    assert (one.text, one.value) == ("1234", "1234")
    for shown in (repr(one), str(one), repr(form), str(form.to_dict()), form.to_json(), f"{one}"):
        assert not any(leak in shown for leak in ("1234", "1284", "l234"))
    assert not {"alternatives", "glyphs", "raw_text"} & one.to_dict().keys()
    longer = field_reading(secret=True, text="123456789", value="123456789")
    assert longer.to_dict() == one.to_dict()
    assert one.to_dict(reveal=True)["text"] == "1234"
    assert "1234" in form.to_json(reveal=True)


def test_errors_share_a_base_and_have_their_exit_codes() -> None:
    codes = {ImageError: 3, TemplateError: 4, ModelError: 5, ProviderError: 6}
    for error, code in codes.items():
        assert issubclass(error, EdgeHwrError)
        assert error("x").exit_code == ExitCode(code) == code
    assert not issubclass(EdgeHwrError, OSError | ValueError)
