"""The shape of a template file, key by key: the one module that needs pydantic.

Owns:   the models behind `docs/template.schema.json`, and pydantic's complaints in our words.
Needs:  pydantic, `field`. Loaded by `template` when the first template is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from reprlib import Repr
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Tag, ValidationError
from pydantic import Field as Key
from pydantic_core import ErrorDetails

from edge_runtime.field import KINDS, MARKS, MOST_CELLS, MOST_CHARACTERS, MOST_LINES, Box

Fault = tuple[str, str]  # path of the key, what is wrong with it
Number = Annotated[float, Key(allow_inf_nan=False)]
Edge = Annotated[float, Key(gt=0, allow_inf_nan=False)]
Flat = tuple[Number, Number, Number, Number]
Corners = tuple[tuple[Number, Number], tuple[Number, Number]]
Model = TypeVar("Model", bound=BaseModel)
_SHORT = Repr()  # a few aliases of YAML within each other are a value of gigabytes
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother, _SHORT.maxlong = 2, 60, 60, 60
_TAGS = frozenset({"count", "each", "flat", "corners"})  # pydantic puts them into paths


def _cells_tag(value: object) -> str:
    return "each" if isinstance(value, list | tuple) else "count"


def _mark_tag(value: object) -> str:
    return "corners" if isinstance(value, list | tuple) and len(value) == 2 else "flat"


Mark = Annotated[
    Annotated[Corners, Tag("corners")] | Annotated[Flat, Tag("flat")], Discriminator(_mark_tag)
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=10_000)


class PageModel(_Model):
    """The sheet that all boxes refer to."""

    size: tuple[Edge, Edge] = Key(description="Width and height of the page, in `unit`.")
    unit: Literal["mm", "px", "pt"] = Key("px", description="Unit of every box; origin top left.")


class FieldModel(_Model):
    """One field of the form; all but `name` and `box` may be left out."""

    name: str = Key(min_length=1, max_length=100, description="Its name in the reading, unique.")
    kind: Literal[tuple(sorted(KINDS))] | None = Key(  # type: ignore[valid-type]
        None, description="What stands in it: a preset of the keys below."
    )
    box: Flat | None = Key(
        None, description="[x0, y0, x1, y1]; may be left out where `cells` or `boxes` lists boxes."
    )
    cells: (
        Annotated[
            Annotated[int, Key(ge=1, le=MOST_CELLS), Tag("count")]
            | Annotated[list[Flat], Key(min_length=1, max_length=MOST_CELLS), Tag("each")],
            Discriminator(_cells_tag),
        ]
        | None
    ) = Key(None, description="How many boxes of one glyph each, or those boxes.")
    pattern: str | None = Key(None, description="Regular expression of the whole text.")
    charset: str | None = Key(None, min_length=1, description="Every character allowed.")
    skip: str | None = Key(None, description="Marks that are read and left out of the text.")
    min_length: int | None = Key(None, ge=0, le=MOST_CHARACTERS, description="Fewest characters.")
    max_length: int | None = Key(None, ge=1, le=MOST_CHARACTERS, description="Most characters.")
    choices: list[str] | None = Key(None, min_length=1, description="The only texts allowed.")
    checksum: str | None = Key(None, description="A python-stdnum module: luhn, iban, ...")
    optional: bool | None = Key(None, description="A blank is no reason for review.")
    secret: bool | None = Key(None, description="Masked in every output.")
    boxes: (
        Annotated[
            Annotated[int, Key(ge=1, le=MOST_CELLS), Tag("count")]
            | Annotated[list[Flat], Key(min_length=1, max_length=MOST_CELLS), Tag("each")],
            Discriminator(_cells_tag),
        ]
        | None
    ) = Key(
        None,
        description="Of a choice that is marked: the boxes, bubbles or words of which one is to be "
        "marked, one for each of `choices`; or how many stand evenly in `box`.",
    )
    marks: Literal[tuple(sorted(MARKS))] | None = Key(  # type: ignore[valid-type]
        None,
        description="How a check box or such a choice is to be marked: fill (blackened), tick "
        "(ticked or crossed; a blackened one was withdrawn), circle (around a word), any.",
    )
    lines: int | None = Key(
        None,
        ge=1,
        le=MOST_LINES,
        description="Lines of writing that it has room for; each is read by itself.",
    )


class TemplateModel(_Model):
    """A form: its page, its marks and its fields."""

    name: str = Key(min_length=1, max_length=100, description="Name of the form.")
    page: PageModel
    marks: list[Mark] | None = Key(
        None,
        max_length=100,
        description="Solid dark rectangles to register by, four or more, as boxes: "
        "[[x0, y0], [x1, y1]] or [x0, y0, x1, y1].",
    )
    lines: list[Flat] | None = Key(
        None,
        max_length=2000,
        description="Printed straight rules beside the fields, level or upright, to register by: "
        "[x0, y0, x1, y1] with x0 = x1 or y0 = y1.",
    )
    reference: str | None = Key(
        None, description="Picture or PDF of the form, beside the template, to register by."
    )
    reference_blank: bool | None = Key(
        None,
        description="Whether nobody has written on the reference: then all that it shows in a "
        "field is print, and no ink.",
    )
    fields: list[FieldModel] = Key(min_length=1, max_length=2000)
    rules: list[str] | None = Key(
        None, description="What fields owe each other: total = net + tax."
    )


class _OneMark(_Model):
    mark: Mark


class _OneLine(_Model):
    line: Flat


_OWNERS: Mapping[str, type[_Model]] = {
    "": TemplateModel,
    "page": PageModel,
    "fields": FieldModel,
}


@dataclass(frozen=True, slots=True)
class Parts:
    """The sound pieces of a template, with their paths: a fault in one hides no other."""

    page: PageModel | None
    fields: tuple[tuple[str, FieldModel], ...]
    marks: tuple[tuple[str, Box], ...]
    lines: tuple[tuple[str, Box], ...]
    reference: str | None
    rules: tuple[tuple[str, str], ...]
    names: frozenset[str]  # of every field, sound or not


def validate(raw: object) -> tuple[TemplateModel | None, Parts, list[Fault]]:
    """The model, or None; what of it is sound; what is wrong with the rest."""
    model, faults = _validated(TemplateModel, raw)
    whole = raw if isinstance(raw, Mapping) else {}
    reference = whole.get("reference")
    marks = [
        (path, _validated(_OneMark, {"mark": one})[0]) for path, one in _listed(whole, "marks")
    ]
    raw_fields = [(path, one) for path, one in _listed(whole, "fields") if isinstance(one, Mapping)]
    for path, one in raw_fields:
        if one.get("box") is None and not any(
            isinstance(one.get(key), list | tuple) for key in ("cells", "boxes")
        ):
            faults.append((f"{path}.box", "missing; add [x0, y0, x1, y1]"))
    parts = Parts(
        page=_salvaged(PageModel, whole.get("page")),
        fields=tuple(
            (path, field)
            for path, one in raw_fields
            if (field := _salvaged(FieldModel, one)) is not None
        ),
        marks=()  # their number and place say nothing where one is broken
        if any(sound is None for _, sound in marks)
        else tuple((path, flat(sound.mark)) for path, sound in marks if sound is not None),
        lines=tuple(
            (path, sound.line)
            for path, one in _listed(whole, "lines")
            if (sound := _validated(_OneLine, {"line": one})[0]) is not None
        ),
        reference=reference if isinstance(reference, str) else None,
        rules=tuple((path, one) for path, one in _listed(whole, "rules") if isinstance(one, str)),
        names=frozenset(name for _, one in raw_fields if isinstance(name := one.get("name"), str)),
    )
    return model, parts, faults


def flat(mark: Flat | Corners) -> Box:
    """A mark as x0, y0, x1, y1."""
    if len(mark) == 2:
        (x0, y0), (x1, y1) = mark
        return x0, y0, x1, y1
    return mark


def _listed(whole: Mapping[Any, Any], key: str) -> Iterator[tuple[str, Any]]:
    value = whole.get(key)
    for at, one in enumerate(value if isinstance(value, list | tuple) else ()):
        yield f"{key}[{at}]", one


def _salvaged(kind: type[Model], raw: object) -> Model | None:
    """The model without its faulty keys; None where it cannot be without them."""
    model, faults = _validated(kind, raw)
    if model is not None or not isinstance(raw, Mapping):
        return model
    bad = {path.partition(".")[0].partition("[")[0] for path, _ in faults}
    return _validated(kind, {key: value for key, value in raw.items() if key not in bad})[0]


def _validated(kind: type[Model], raw: object) -> tuple[Model | None, list[Fault]]:
    try:
        return kind.model_validate(raw), []
    except ValidationError as error:
        return None, [_fault(one) for one in error.errors(include_url=False)]


def _fault(error: ErrorDetails) -> Fault:
    """A complaint of pydantic's as the path of a key and what to do."""
    path = ""
    for step in error["loc"]:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step not in _TAGS:
            path += f".{step}" if path else step
    try:
        given = _SHORT.repr(error["input"])[:60]
    except ValueError:  # Python spells no whole number of thousands of digits
        given = "a number of thousands of digits"
    what = error["msg"]
    if error["type"] == "extra_forbidden":
        owner = _OWNERS[str(error["loc"][0]) if len(error["loc"]) > 1 else ""]
        known = tuple(owner.model_fields)
        near = get_close_matches(str(error["loc"][-1]), known, 1)
        what = "unknown key; " + (f"did you mean {near[0]}?" if near else f"use {', '.join(known)}")
    elif error["type"] == "literal_error":
        words = KINDS | MARKS | {"mm", "px", "pt"}
        near = get_close_matches(given.strip("'").lower(), words, 1)
        hint = f"; did you mean {near[0]}?" if near else f"; use {error['ctx']['expected']}"
        what = f"{given} is not known{hint}"
    elif error["type"] == "missing":
        what = "missing; add it"
    elif not isinstance(error["input"], Mapping | list | tuple):
        what = f"{what[0].lower()}{what[1:]}, not {given}"
    return path, what
