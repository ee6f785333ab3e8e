"""A template says what a form is, and all that is wrong with one is told at once."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge_runtime import Reader, automaton, grammar
from edge_runtime.errors import ExitCode, TemplateError
from edge_runtime.results import Value
from edge_runtime.rules import fields_of
from edge_runtime.template import RuleFault, Template, evaluate_rules, json_schema

SCHEMA = Path(__file__).parents[2] / "docs" / "template.schema.json"
EXAMPLES = Path(__file__).parents[2] / "examples"
YAML = """
name: account-opening
page: {size: [210, 297], unit: mm}
marks: [[[15, 15], [20, 20]], [190, 15, 195, 20], [190, 270, 195, 275], [[15, 270], [20, 275]]]
fields:
  - {name: username, kind: username, box: [20, 60, 120, 68], cells: 12, secret: yes, optional: no}
  - {name: total, kind: amount, box: [140, 200, 190, 208]}
  - name: pick
    choices: [yes, no, 007, 1.50, 2020-01-01, 12:30, 1_000, 0x10, on]
    box: [140, 210, 190, 218]
  - {name: code, cells: [[20, 80, 25, 88], [25, 80, 30, 88]], pattern: null}
rules:
  - total = pick
"""
GOOD: dict[str, Any] = {
    "name": "card",
    "page": {"size": [210, 297], "unit": "mm"},
    "fields": [
        {"name": "net", "kind": "amount", "box": [10, 10, 50, 20]},
        {"name": "tax", "kind": "amount", "box": [10, 30, 50, 40]},
        {"name": "total", "kind": "amount", "box": [10, 50, 50, 60]},
    ],
    "rules": ["total = net + tax"],
}


def test_yaml_scalars_stay_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "form.yaml"
    path.write_text(YAML)
    form = Template.load(path)
    username, total, pick, code = form.fields
    assert (form.name, form.page_size, form.unit) == ("account-opening", (210.0, 297.0), "mm")
    assert form.marks[0] == (15, 15, 20, 20)
    assert form.marks[1] == (190, 15, 195, 20)
    assert (username.cells, username.secret, username.optional) == (12, True, False)
    assert total.box == (140, 200, 190, 208)
    assert pick.choices == (
        "yes",
        "no",
        "007",
        "1.50",
        "2020-01-01",
        "12:30",
        "1_000",
        "0x10",
        "on",
    )
    assert (code.n_cells, code.box, code.pattern) == (2, (20, 80, 30, 88), None)


def test_the_same_form_in_json_has_the_same_digest(tmp_path: Path) -> None:
    (tmp_path / "form.yml").write_text(YAML)
    form = Template.load(tmp_path / "form.yml")
    plain: dict[str, Any] = {
        "rules": ["total = pick"],
        "marks": [list(mark) for mark in form.marks],
        "page": {"unit": "mm", "size": [210.0, 297]},
        "name": "account-opening",
        "fields": [
            {
                key: value
                for key in ("name", "kind", "box", "cells", "choices", "secret", "optional")
                if (value := getattr(field, key)) is not None
            }
            for field in form.fields
        ],
    }
    del plain["fields"][3]["box"]
    (tmp_path / "form.json").write_text(json.dumps(plain, indent="\t"))
    again = Template.load(tmp_path / "form.json")
    assert again == form
    assert len(form.digest) == 64
    assert Template.from_dict(GOOD).digest != form.digest


def test_scaling_moves_every_box_and_keeps_the_digest() -> None:
    form = Template.from_dict(
        GOOD | {"fields": [{"name": "a", "cells": [[10, 10, 20, 20]]}], "rules": []}
    )
    large = form.scale_to(2100, 2970)
    assert (large.page_size, large.unit, large.digest) == ((2100, 2970), "px", form.digest)
    assert large.fields[0].cells == (pytest.approx((100, 100, 200, 200)),)
    assert large.fields[0].box == pytest.approx((100, 100, 200, 200))


def refused(change: Callable[[dict[str, Any]], object]) -> str:
    raw = deepcopy(GOOD)
    change(raw)
    with pytest.raises(TemplateError) as caught:
        Template.from_dict(raw, source="card.yaml")
    assert caught.value.exit_code == ExitCode.TEMPLATE
    assert str(caught.value).startswith("card.yaml: ")
    return str(caught.value)


def in_field(at: int, **keys: object) -> Callable[[dict[str, Any]], object]:
    return lambda raw: raw["fields"][at].update(keys)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (in_field(1, knd="amount"), "fields[1].knd: unknown key; did you mean kind?"),
        (lambda raw: raw.update(filds=[]), "filds: unknown key; did you mean fields?"),
        (lambda raw: raw["page"].update(dpi=300), "page.dpi: unknown key; use size, unit"),
        (in_field(0, kind="amuont"), "fields[0].kind: 'amuont' is not known; did you mean amount?"),
        (in_field(0, box=[10, 10, 250, 20]), "fields[0].box: [10.0, 10.0, 250.0, 20.0] is not on"),
        (in_field(0, box=[-1, 10, 50, 20]), "is not on the page of 210 x 297"),
        (in_field(0, box=[50, 10, 10, 20]), "is empty; give [x0, y0, x1, y1]"),
        (in_field(0, box=[10, 10, 50]), "fields[0].box[3]: missing"),
        (in_field(0, box=[10, 10, 50, float("nan")]), "fields[0].box[3]: input should be a finite"),
        (in_field(0, box=None), "fields[0].box: missing; add"),
        (in_field(1, box=[10, 15, 50, 25]), "overlaps fields[0].box by 40 x 5"),
        (in_field(1, box=[20, 12, 30, 18]), "overlaps fields[0].box"),
        (in_field(1, name="net"), "fields[1].name: 'net' is the name of fields[0] too"),
        (in_field(1, name=""), "fields[1].name: "),
        (in_field(2, pattern="[0-9"), "fields[2].pattern: '[0-9' is no regular expression"),
        (in_field(2, pattern=r"(a)\1"), "fields[2].pattern: pattern '(a)\\\\1' cannot be followed"),
        (in_field(2, pattern="(?#x)1"), "fields[2].pattern: pattern '(?#x)1' cannot be followed"),
        (in_field(2, kind="choice"), "fields[2].choices: a choice without choices; list them"),
        (in_field(2, choices=["é"]), "fields[2].choices: choice 'é' holds 'é', which the network"),
        (in_field(2, choices=["ok", "né"]), "fields[2].choices: choice 'né' holds 'é', which the"),
        (in_field(2, choices=[""]), "fields[2].choices: no choice fulfils all that is asked"),
        (in_field(2, choices=["abc"], max_length=2), "fields[2].choices: no choice fulfils all"),
        (in_field(2, choices=["ab"], charset="a"), "fields[2].choices: no choice fulfils all"),
        (
            in_field(2, checksum="lunh"),
            "fields[2].checksum: unknown checksum 'lunh'; give a module",
        ),
        (
            in_field(2, checksum="util"),
            "fields[2].checksum: unknown checksum 'util'; give a module",
        ),
        (in_field(2, charset="é"), "fields[2].charset: 'é' holds nothing that the network knows"),
        (in_field(2, charset=" "), "fields[2].charset: no character is left to read but skipped"),
        (in_field(2, kind="digits", skip="0123456789"), "fields[2].skip: no character is left to"),
        (in_field(2, max_length=10**9), "fields[2].max_length: input should be less than or equal"),
        (
            in_field(2, max_length=10**20),
            "fields[2].max_length: input should be less than or equal",
        ),
        (in_field(2, min_length=10**9), "fields[2].min_length: input should be less than or equal"),
        (in_field(2, cells=10**9), "fields[2].cells: input should be less than or equal to 200"),
        (in_field(2, cells=0), "fields[2].cells: input should be greater than or equal to 1"),
        (in_field(2, cells=[]), "fields[2].cells: "),
        (in_field(2, cells="many"), "fields[2].cells: "),
        (in_field(2, cells=[[10, 50, 20, 60], [12, 50, 22, 60]]), "fields[2].cells[1]: overlaps"),
        (in_field(2, cells=[[100, 50, 120, 60]]), "fields[2].cells[0]: its middle is outside"),
        (in_field(2, min_length=5, max_length=3), "fields[2]: field 'total': lengths 5..3"),
        (in_field(2, min_length=5, cells=4), "5 characters do not go into 4 cells"),
        (in_field(2, choices=[]), "fields[2].choices: "),
        (lambda raw: raw["page"].update(size=[210, 0]), "page.size[1]: "),
        (lambda raw: raw["page"].update(size=[210]), "page.size[1]: missing"),
        (lambda raw: raw["page"].update(unit="inch"), "page.unit: 'inch' is not known"),
        (lambda raw: raw.pop("page"), "page: missing; add it"),
        (lambda raw: raw.update(fields=[]), "fields: "),
        (lambda raw: raw.update(fields={}), "fields: "),
        (lambda raw: raw["fields"].append(7), "fields[3]: "),
        (lambda raw: raw.update(reference="gone.png"), "reference: no file gone.png"),
        (lambda raw: raw.update(reference="."), "reference: no file"),
        (lambda raw: raw.update(reference="x" * 300), "reference: no file xxx"),
        (lambda raw: raw.update(reference="x\0"), "reference: no file"),
        (lambda raw: raw.update(marks=[[1, 1, 5, 5]]), "marks: 1, too few"),
        (lambda raw: raw.update(marks=[[x, 1, x + 4, 5] for x in (1, 9, 19, 29)]), "in a line"),
        (lambda raw: raw.update(marks=[[1, 1, 5]] * 4), "marks[0][3]: missing"),
        (lambda raw: raw["rules"].append("total = vat"), "rules[1]: no field is called 'vat'"),
        (lambda raw: raw["rules"].append("total ="), "rules[1]: rule 'total ='"),
        (lambda raw: raw["rules"].append({"a": 1}), "rules[1]: "),
    ],
)
def test_every_fault_is_told_with_its_key(
    change: Callable[[dict[str, Any]], object], told: str
) -> None:
    assert told in refused(change)


def test_all_faults_are_told_together() -> None:
    def spoil(raw: dict[str, Any]) -> None:
        raw["pages"] = 1
        raw["page"]["unit"] = "inch"
        raw["reference"] = "gone.png"
        raw["fields"][0] |= {"kind": "amuont", "box": [10, 10, 250, 20]}
        raw["fields"][1] |= {"name": "net", "pattern": "("}
        raw["rules"] += ["total <", "total = vat"]

    told = refused(spoil)
    assert told.startswith("card.yaml: 10 faults; ")
    paths = ["pages", "page.unit", "reference", "fields[0].kind", "fields[0].box", "fields[1].name"]
    for path in [*paths, "fields[1].pattern", "rules[1]", "rules[2]"]:
        assert f"\n  {path}: " in told
    assert "no field is called 'tax'" in told  # for fields[1] is net now


def test_a_field_tells_all_its_faults() -> None:
    told = refused(in_field(2, checksum="lunh", pattern="(a", kind="choice"))
    assert told.startswith("card.yaml: 3 faults; ")
    for key in ("checksum", "pattern", "choices"):
        assert f"\n  fields[2].{key}: " in told


THOROUGH = [
    ({"pattern": "(ab){1000000}"}, "fields[2].pattern: pattern '(ab){1000000}' grows past"),
    ({"pattern": "(?<=a)b"}, "fields[2].pattern: pattern '(?<=a)b' cannot be followed"),
    ({"pattern": "abc", "max_length": 2}, "fields[2].pattern: no text fulfils all that is asked"),
    ({"choices": ["b"], "pattern": "a"}, "fields[2].choices: no choice fulfils all that is asked"),
    ({"kind": "iban", "max_length": 5}, "fields[2].max_length: no text fulfils all that is asked"),
]


@pytest.mark.parametrize(("keys", "told"), THOROUGH)
def test_a_thorough_look_finds_what_takes_an_automaton(keys: dict[str, Any], told: str) -> None:
    raw = deepcopy(GOOD)
    raw["fields"][2] |= keys
    Template.from_dict(raw)
    with pytest.raises(TemplateError) as caught:
        Template.from_dict(raw, thorough=True)
    assert told in str(caught.value)


@pytest.mark.parametrize("form", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_thorough_look_changes_nothing_of_a_sound_template(form: Path) -> None:
    assert Template.load(form, thorough=True) == Template.load(form)


@pytest.mark.parametrize("keys", [{"charset": "aé"}, {"choices": ["", "a"]}, {"checksum": ""}])
def test_what_can_be_read_in_part_is_no_fault(keys: dict[str, Any]) -> None:
    raw = deepcopy(GOOD)
    raw["fields"][2] |= keys
    Template.from_dict(raw, thorough=True)


def test_loading_makes_no_automaton(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(automaton, "minimal", lambda *_: made.append("automaton"))
    for form in EXAMPLES.glob("*.yaml"):
        Template.load(form)
    assert not made


def test_choices_that_loading_spells_out_are_found_made_by_reading() -> None:
    raw = deepcopy(GOOD)
    raw["fields"][2] |= {"choices": [f"choice {at}" for at in range(1000)]}
    form = Template.from_dict(raw).scale_to(2100, 2970)
    before = grammar._compiled.cache_info()
    grammar.compile_grammar(form.fields[2], grammar.ASCII_LABELS)
    after = grammar._compiled.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 1)


def test_the_labels_that_are_checked_against_are_the_bundled_models() -> None:
    with Reader() as reader:
        assert reader.spec.labels == grammar.ASCII_LABELS


def test_neighbours_may_touch_and_share_a_line() -> None:
    raw = deepcopy(GOOD)
    raw["fields"][1]["box"] = [10, 19.7, 50, 30]
    assert len(Template.from_dict(raw).fields) == 3


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("form.yaml", "", "empty; begin with"),
        ("form.yaml", "- a\n- b", "a list, no mapping"),
        ("form.yaml", "name: [a", "does not parse"),
        ("form.yaml", "name: a\nname: b", "'name' stands twice"),
        ("form.yaml", "name: !!python/object:os.system x", "does not parse"),
        ("form.yaml", "? [a, b]\n: c", "does not parse"),
        ("form.yaml", "[" * 5000, "does not parse"),
        ("form.json", "[" * 100_000, "does not parse"),
        ("form.json", "{'name': 1}", "does not parse"),
        ("form.json", '{"name": 1, "name": 2}', "'name' stands twice"),
        ("form.json", "null", "empty"),
        ("form.yaml", "name: \x00", "does not parse"),
        (
            "form.yaml",
            "page: 1\nname: !!bool foo",
            "'foo' is no bool in \"<unicode string>\", line 2",
        ),
        ("form.yaml", "page: 1\nname: !!timestamp foo", "'foo' is no timestamp"),
        ("form.yaml", "page: 1\nname: !!timestamp 2020-13-45", "'2020-13-45' is no timestamp"),
        ("form.yaml", "page: 1\nname: !!int ''", "'' is no int"),
        ("form.yaml", "page: 1\nname: !!int '-'", "'-' is no int"),
        ("form.yaml", "page: 1\nname: !!int x", "'x' is no int"),
        ("form.yaml", "page: 1\nname: !!float ''", "'' is no float"),
        ("form.yaml", "page: 1\nname: !!map x", "expected a mapping node, but found scalar"),
        ("form.yaml", "page: 1\n!!int '': 1", "'' is no int"),
        ("form.yaml", 'page: 1\nname: "\\UFFFFFFFF"', "does not parse: line 2: "),
        ("form.yaml", "fields: !!bool foo", "line 1"),
    ],
)
def test_a_file_that_is_no_template_is_refused(
    name: str, text: str, told: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(TemplateError, match="; ") as caught:
        Template.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert told in str(caught.value)


def test_aliases_that_stand_for_gigabytes_are_refused_soon(tmp_path: Path) -> None:
    lists = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for one, last in zip("bcdefghij", "abcdefghi", strict=True):
        lists.append(f"{one}: &{one} [{', '.join(['*' + last] * 10)}]")
    path = tmp_path / "form.yaml"
    path.write_text("\n".join([*lists, "name: *j", "fields: [{name: *j, kind: *j, cells: *i}]"]))
    with pytest.raises(TemplateError, match=r"fields\[0\].kind: .* is not known"):
        Template.load(path)


def test_missing_binary_and_huge_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "form.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\xff")
    (tmp_path / "huge.yaml").write_bytes(b"a" * 5_000_000)
    for name, told in [("gone.yaml", "no such file"), ("", "directory"), ("form.png", "UTF-8")]:
        with pytest.raises(TemplateError, match=told):
            Template.load(tmp_path / name)
    with pytest.raises(TemplateError, match="5000000 bytes"):
        Template.load(tmp_path / "huge.yaml")


def test_anchors_and_a_byte_order_mark_are_welcome(tmp_path: Path) -> None:
    path = tmp_path / "form.yaml"
    path.write_text(
        "\ufeffname: a\npage: {size: [9, 9]}\nfields:\n"
        "  - &one {name: x, kind: digits, box: [0, 0, 3, 3]}\n"
        "  - {<<: *one, name: y, box: [4, 4, 8, 8]}\n",
        encoding="utf-8",
    )
    assert [(one.name, one.kind) for one in Template.load(path).fields] == [
        ("x", "digits"),
        ("y", "digits"),
    ]


def test_the_reference_stands_beside_the_template(tmp_path: Path) -> None:
    Image.new("L", (20, 30), 255).save(tmp_path / "blank.png")
    (tmp_path / "form.json").write_text(json.dumps(GOOD | {"reference": "blank.png"}))
    assert Template.load(tmp_path / "form.json").reference == tmp_path / "blank.png"


def test_a_reference_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    blank, form = tmp_path / "blank.png", tmp_path / "form.json"
    form.write_text(json.dumps(GOOD | {"reference": "blank.png"}))
    Image.effect_noise((200, 300), 50).save(blank)
    sound = blank.read_bytes()
    for data, told in ((b"Dear sir", "text, not a picture"), (sound[:5000], "cut short")):
        blank.write_bytes(data)
        with pytest.raises(TemplateError) as caught:
            Template.load(form)
        assert f"{form}: reference: {blank}: " in str(caught.value)
        assert told in str(caught.value)
    blank.write_bytes(sound)  # a file that was mended is looked at anew
    assert Template.load(form).reference == blank


def test_the_published_schema_is_that_of_the_code() -> None:
    step = "write json.dumps(edge_runtime.template.json_schema(), indent=2) to it"
    assert json.loads(SCHEMA.read_text()) == json_schema(), f"{SCHEMA} is old; {step}"


def test_pydantic_and_yaml_load_with_the_first_template_only() -> None:
    script = (
        "import sys, edge_runtime, edge_runtime.template, edge_runtime.register\n"
        "print(sorted({'pydantic', 'yaml', 'PIL', 'pypdfium2'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


# --- rules --------------------------------------------------------------------------------------

VALUES: dict[str, Value] = {
    "net": Decimal("10.10"),
    "tax": Decimal("1.90"),
    "total": Decimal("12.00"),
    "n": 3,
    "digits": "0012",
    "from": date(2020, 1, 1),
    "to": date(2021, 1, 1),
    "word": "abc",
    "again": "abc",
    "date-of-birth": date(1990, 1, 1),
    "blank": None,
    "empty": "",
    "ticked": True,
}


@pytest.mark.parametrize(
    "rule",
    [
        "total = net + tax",
        "total == net + tax",
        "net + tax = total",
        "total - tax - net = 0",
        "tax < net < total",
        "net <= net",
        "total >= 12",
        "total != net",
        "2 * (net + tax) = total * 2",
        "-net < 0",
        "total / n = 4",
        "digits = total",
        "digits < 13",
        "from < to",
        "date-of-birth < from",
        "word = again",
        "word = 'abc'",
        "digits != '12'",
        "blank = net",
        "empty = net",
        "nobody = net",
    ],
)
def test_a_rule_that_holds_or_cannot_be_asked_is_no_fault(rule: str) -> None:
    assert evaluate_rules([rule], VALUES) == ()


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("total = net", ("total", "net")),
        ("net = tax + total + net", ("net", "tax", "total")),
        ("to <= from", ("to", "from")),
        ("word = digits", ("word", "digits")),
        ("total < net < 100", ("total", "net")),
    ],
)
def test_a_rule_that_is_broken_names_its_fields(rule: str, fields: tuple[str, ...]) -> None:
    (fault,) = evaluate_rules([rule], VALUES)
    assert fault == RuleFault(rule, fields, f"{rule} does not hold")


@pytest.mark.parametrize(
    "rule", ["word < 3", "net / (tax - tax) = 1", "from < net", "word + net = 1", "ticked < net"]
)
def test_a_rule_that_cannot_be_computed_is_a_fault(rule: str) -> None:
    (fault,) = evaluate_rules([rule], VALUES)
    assert "cannot be computed" in fault.reason


def test_a_fault_tells_no_value() -> None:
    (fault,) = evaluate_rules(["pin = again"], {"pin": "hunter2", "again": "hunter3"})
    assert "hunter" not in repr(fault)


@pytest.mark.parametrize(
    "rule",
    ["", "total", "1 = 1", "total = ", "= total", "total = (net", "total = net)", "total = net net",
     "total => net", "__import__('os')", "total = net.real", "a[0] = b", "total = 1e5", "(" * 400,
     "a = b" * 200, "total = \"net"],
)  # fmt: skip
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(TemplateError, match="write it as"):
        fields_of(rule)


@given(st.text(alphabet="ab1 .+-*/()<>=!'\"", max_size=40))
def test_any_text_is_a_rule_or_our_error(text: str) -> None:
    with contextlib.suppress(TemplateError):
        evaluate_rules([text], {"a": 2, "b": Decimal(3)})


@given(st.decimals(0, 10**6, places=2), st.decimals(0, 10**6, places=2))
def test_sums_are_exact(net: Decimal, tax: Decimal) -> None:
    values: dict[str, Value] = {"net": net, "tax": tax, "total": net + tax}
    assert evaluate_rules(["total = net + tax"], values) == ()
    values["total"] = net + tax + Decimal("0.01")
    assert len(evaluate_rules(["total = net + tax"], values)) == 1


def test_rules_are_exact_whatever_the_program_has_set_for_its_own_sums() -> None:
    long = Decimal("12345678901234567890123456789012345")
    values: dict[str, Value] = {"a": long, "b": long + 1, "net": Decimal("1234.56")}
    values |= {"tax": Decimal("0.01"), "total": Decimal("1234.99")}
    assert not evaluate_rules(["a = a"], values)
    with localcontext(prec=4):
        assert len(evaluate_rules(["a + 1 = b + 1", "net + tax = total"], values)) == 2


def test_a_field_named_like_a_number_is_told_where_a_rule_names_it() -> None:
    values: dict[str, Value] = {"total": Decimal(10), "net": Decimal(5), "2": Decimal(7)}
    with pytest.raises(TemplateError, match="2 is a number and a field's name"):
        evaluate_rules(["total = 2 * net"], values)
    assert not evaluate_rules(["total = net + net"], values)


def test_thousands_of_faults_and_keys_are_told_soon(tmp_path: Path) -> None:
    box = [1, 1, 5, 5]
    fields = [{"name": f"f{at}", "box": box} for at in range(400)]
    plain = {"name": "t", "page": {"size": [100, 100], "unit": "px"}, "fields": fields}
    with pytest.raises(TemplateError, match=r"and \d+ more") as told:
        Template.from_dict(plain)
    assert len(str(told.value)) < 20_000
    path = tmp_path / "t.json"
    path.write_text("{" + ",".join(f'"k{at}": 1' for at in range(40_000)) + "}", encoding="utf-8")
    began = process_time()
    with pytest.raises(TemplateError):
        Template.load(path)
    assert process_time() - began < 10


def test_a_number_of_thousands_of_digits_is_a_fault() -> None:
    plain = {
        "name": "t",
        "page": {"size": [100, 100], "unit": "px"},
        "fields": [{"name": "f", "box": [1, 1, 5, 5], "cells": 10**5000}],
    }
    with pytest.raises(TemplateError, match="cells"):
        Template.from_dict(plain)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"kind": "checkbox", "cells": [[1, 1, 3, 5], [3, 1, 5, 5]]}, "is one place"),
        ({"kind": "signature", "cells": 4}, "is one place"),
        ({"kind": "choice", "choices": ["a", "", "c"], "boxes": 3}, "without a name"),
    ],
)
def test_what_a_mark_cannot_say_is_a_fault(keys: dict[str, Any], told: str) -> None:
    """Two cells were read as one check box, and an empty choice as a blank that is sure."""
    page = {"size": [100, 100], "unit": "px"}
    field = {"name": "f", "box": [1, 1, 31, 5], **keys}
    with pytest.raises(TemplateError, match=told):
        Template.from_dict({"name": "t", "page": page, "fields": [field]})
