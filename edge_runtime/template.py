"""A form: its page, its marks, its fields, and what they owe each other.

Owns:   `Template`, its YAML and JSON form, and every fault of it told at once.
Needs:  `field`, `rules`, `errors`; once one is loaded PyYAML, and pydantic by `template_schema`.
Words:  a *fault* is a key's path and what is wrong with it. Scalars of YAML stay as they are
        written until a key's type is known: a choice of `no`, `007` or `2020-01-01` is a text.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_runtime.errors import TemplateError
from edge_runtime.field import Box, Field
from edge_runtime.rules import RuleFault, evaluate_rules

if TYPE_CHECKING:
    from edge_runtime.template_schema import Fault

__all__ = ["RuleFault", "Template", "evaluate_rules", "json_schema"]

_LARGEST_BYTES = 4_000_000  # two thousand fields with every key take 650,000
_MERGE = "tag:yaml.org,2002:merge"
_TOLD = 100  # faults of a file that are told


@dataclass(frozen=True, slots=True)
class Template:
    """A form, checked. Make one with `load` or `from_dict`."""

    name: str
    page_size: tuple[float, float]  # width, height, in `unit`
    unit: str  # mm | px | pt, of every box here
    marks: tuple[Box, ...]  # solid dark rectangles, four or more; or none
    reference: Path | None  # picture or PDF of the form
    fields: tuple[Field, ...]
    rules: tuple[str, ...]
    digest: str  # sha256 of the canonical JSON: the same form in YAML and JSON has the same
    lines: tuple[Box, ...] = ()  # printed rules beside the fields, of no height or no width
    reference_blank: bool = False  # nobody has written on the reference

    @staticmethod
    def load(path: str | Path, *, thorough: bool = False) -> Template:
        """Read a template from YAML or JSON.

        Args:
            path: Of the file.
            thorough: As in `from_dict`.

        Raises:
            TemplateError: It cannot be read, or is wrong: all faults together, each with its key.
        """
        path = Path(path)
        raw = _read(path)
        return Template.from_dict(raw, base=path.parent, source=str(path), thorough=thorough)

    @staticmethod
    def from_dict(
        raw: Mapping[str, Any],
        *,
        base: Path | None = None,
        source: str = "<template>",
        thorough: bool = False,
    ) -> Template:
        """Make a template of plain values.

        Args:
            raw: As `json_schema` has it.
            base: Where `reference` is looked for; the working directory by default.
            source: Name that messages use.
            thorough: Whether to find even the faults that take an automaton to see, some 20 ms a
                pattern: one that grows too large, conditions that leave no text.

        Raises:
            TemplateError: As `load`.
        """
        from edge_runtime.template_check import faults_of, field_of
        from edge_runtime.template_schema import flat, validate

        model, parts, faults = validate(raw)
        faults += faults_of(parts, base, thorough=thorough)
        if model is None or faults:
            raise _refusal(source, faults)
        plain = model.model_dump(mode="json", exclude_none=True)
        plain["marks"] = [flat(mark) for mark in model.marks or ()]
        canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return Template(
            name=model.name,
            page_size=model.page.size,
            unit=model.page.unit,
            marks=tuple(plain["marks"]),
            reference=None if model.reference is None else (base or Path()) / model.reference,
            fields=tuple(field_of(one) for one in model.fields),
            rules=tuple(model.rules or ()),
            digest=hashlib.sha256(canonical.encode()).hexdigest(),
            lines=tuple(model.lines or ()),
            reference_blank=bool(model.reference_blank),
        )

    def scale_to(self, width_px: float, height_px: float) -> Template:
        """The same form with every box in pixels of a page of this size; the digest stays."""
        sx, sy = width_px / self.page_size[0], height_px / self.page_size[1]

        def scaled(box: Box) -> Box:
            return box[0] * sx, box[1] * sy, box[2] * sx, box[3] * sy

        def moved(field: Field) -> Field:
            cells, boxes = (
                tuple(map(scaled, one)) if isinstance(one, tuple) else one
                for one in (field.cells, field.boxes)
            )
            box = None if field.box is None else scaled(field.box)
            return replace(field, box=box, cells=cells, boxes=boxes)

        return replace(
            self,
            page_size=(width_px, height_px),
            unit="px",
            marks=tuple(map(scaled, self.marks)),
            fields=tuple(map(moved, self.fields)),
            lines=tuple(map(scaled, self.lines)),
        )


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a template, as published in `docs/template.schema.json`."""
    from edge_runtime.template_schema import TemplateModel

    schema = TemplateModel.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "edge-hwr template",
    }


# --- files --------------------------------------------------------------------------------------


def _read(path: Path) -> Any:
    """The plain values in a file."""

    def fault(what: str) -> TemplateError:
        return TemplateError(f"{path}: {what}")

    try:
        if path.is_dir():
            raise fault("a directory; give a template's .yaml or .json file")
        if not path.exists():
            raise fault("no such file; check the path")
        if (size := path.stat().st_size) > _LARGEST_BYTES:
            raise fault(f"{size} bytes are no template; give its .yaml or .json file")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise fault("no text in UTF-8; save it as UTF-8, or give the template's file") from error
    except (OSError, ValueError) as error:
        raise fault(f"cannot be read ({error}); check the path and its rights") from error
    try:
        raw = _json(text) if path.suffix.lower() == ".json" else _yaml(text)
    except (ValueError, RecursionError) as error:
        raise fault(f"does not parse: {error}; mend it there") from error
    if not isinstance(raw, Mapping):
        what = "empty" if raw is None else f"a {type(raw).__name__}, no mapping of keys"
        raise fault(f"{what}; begin with 'name:', 'page:' and 'fields:'")
    return raw


def _json(text: str) -> Any:
    def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        if twice := sorted(key for key, n in counts.items() if n > 1):
            raise ValueError(f"the key {twice[0]!r} stands twice in one object")
        return dict(pairs)

    return json.loads(text, object_pairs_hook=once)


def _yaml(text: str) -> Any:
    """YAML with every scalar as written, but for null."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_object(self, node: Any, deep: bool = False) -> Any:
            try:
                return super().construct_object(node, deep)
            except (yaml.YAMLError, RecursionError):
                raise
            except Exception as error:  # !!bool foo is a KeyError there, !!int '' an IndexError
                what = f"{str(node.value)[:60]!r} is no {node.tag.rpartition(':')[2]}"
                raise yaml.constructor.ConstructorError(
                    None, None, what, node.start_mark
                ) from error

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen = set()
            for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
                if key.tag == _MERGE or not isinstance(key.value, str):
                    continue
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} stands twice", key.start_mark
                    )
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    Loader.yaml_implicit_resolvers = {
        start: [one for one in found if one[0] in ("tag:yaml.org,2002:null", _MERGE)]
        for start, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        loader = Loader(text)  # a SafeLoader with fewer types
        try:
            return loader.get_single_data()
        except (yaml.YAMLError, RecursionError):
            raise
        except Exception as error:  # the scanner's at "\UFFFFFFFF" is an OverflowError
            raise ValueError(f"line {loader.line + 1}: {error}") from error
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _refusal(source: str, faults: Sequence[Fault]) -> TemplateError:
    told = list(dict.fromkeys(f"{path or 'template'}: {what}" for path, what in faults))
    if len(told) == 1:
        return TemplateError(f"{source}: {told[0]}")
    head = f"{source}: {len(told)} faults; mend each:"
    more = [f"and {len(told) - _TOLD} more"] if len(told) > _TOLD else []
    return TemplateError("\n  ".join([head, *told[:_TOLD], *more]))
