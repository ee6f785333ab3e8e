"""Readings without a value, rules that cannot be asked, and what no reason may tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edge_runtime.field import Field
from edge_runtime.judge import judge
from edge_runtime.place import FieldInk
from edge_runtime.reader import _ruled
from edge_runtime.results import FieldReading, Status
from edge_runtime.spec import ModelSpec
from edge_runtime.template import Template, evaluate_rules
from tests.runtime.test_judge import BOX, inked, said, verdict


def form(rules: list[str], *fields: dict[str, Any]) -> Template:
    placed = [
        {"box": [0, 20 * at, 50, 20 * at + 10], **one}  # one below the other
        for at, one in enumerate(fields)
    ]
    page = {"size": [100, 200], "unit": "px"}
    return Template.from_dict({"name": "t", "page": page, "fields": placed, "rules": rules})


def read(template: Template, texts: dict[str, str], spec: ModelSpec) -> dict[str, FieldReading]:
    """The readings of a form by its rules; "" is a blank."""
    found = []
    for field in template.fields:
        text, field = texts[field.name], replace(field, box=None)
        if field.kind in ("checkbox", "signature"):
            ink = FieldInk(field, BOX, None, mark=0.999 if text in ("yes", "present") else 0.001)
            found.append(judge(ink, [], spec)[0])
        elif not text:
            found.append(judge(FieldInk(field, BOX, None), [], spec)[0])
        else:
            found.append(verdict(field, text, spec))
    return {one.name: one for one in _ruled(tuple(found), template)}


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("date", "31.2.2015", "the text is no valid date"),
        ("integer", "12 45", "the text is no valid whole number"),
        ("amount", "12 50", "the text is no valid amount"),
    ],
)
def test_a_typed_field_without_a_value_is_never_accepted(
    kind: str, text: str, says: str, tiny_spec: ModelSpec
) -> None:
    pattern = "[0-9]{2} [0-9]{2}" if kind == "integer" else None
    one = verdict(Field("f", kind, pattern=pattern), text, tiny_spec)
    assert (one.text, one.value, one.status, one.reason) == (text, None, Status.REVIEW, says)


def test_a_month_is_accepted_where_the_form_asks_for_one(tiny_spec: ModelSpec) -> None:
    pattern = "(0[1-9]|1[0-2])/[0-9]{4}"
    one = verdict(Field("until", "date", pattern=pattern), "05/2019", tiny_spec)
    assert (one.text, one.value, one.status) == ("05/2019", None, Status.ACCEPTED)


def test_a_card_without_its_check_digit_is_accepted_where_none_is_asked(
    tiny_spec: ModelSpec,
) -> None:
    frames = said("4539148803436468", tiny_spec, sure=1 - 1e-7)
    for checksum in ("", None):
        ink = inked(Field("c", "card", checksum=checksum), tiny_spec)
        one, _ = judge(ink, [frames], tiny_spec)
        assert (one.status is Status.ACCEPTED) == (checksum == "")
        assert ("check digit" in one.reason) == (checksum is None)


SUM = [{"name": name, "kind": "amount"} for name in ("net", "tax", "total")]


def test_ink_without_a_value_does_not_switch_its_rules_off(tiny_spec: ModelSpec) -> None:
    template = form(["total = net + tax"], *SUM, {"name": "other", "kind": "amount"})
    texts = {"net": "10", "tax": "12 50", "total": "12", "other": "5"}
    one = read(template, texts, tiny_spec)
    assert [one[name].status for name in texts] == [Status.REVIEW] * 3 + [Status.ACCEPTED]
    for name in ("net", "total"):
        assert one[name].reason == "total = net + tax cannot be checked: no value of tax"
    assert one["tax"].reason.startswith("the text is no valid amount; total")


def test_a_rule_with_a_blank_is_not_asked(tiny_spec: ModelSpec) -> None:
    template = form(["total = net + tax"], *SUM)
    one = read(template, {"net": "10", "tax": "", "total": "12"}, tiny_spec)
    assert [one[name].status for name in ("net", "tax", "total")] == [
        Status.ACCEPTED,
        Status.BLANK,
        Status.ACCEPTED,
    ]
    one = read(template, {"net": "12 50", "tax": "", "total": "12"}, tiny_spec)
    assert (one["total"].status, one["total"].reason) == (Status.ACCEPTED, "")


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("box = 'yes'", True),
        ("box = 'no'", False),
        ("box != 'no'", True),
        ("'yes' = box", True),
        ("signed = 'present'", True),
        ("signed = 'yes'", False),
        ("signed != 'absent'", True),
        ("box = word", True),
        ("box = other", False),
        ("other <= box", True),
        ("box = signed", True),
    ],
)
def test_marks_are_compared_as_what_they_read(rule: str, holds: bool, tiny_spec: ModelSpec) -> None:
    template = form(
        [rule],
        {"name": "box", "kind": "checkbox"},
        {"name": "other", "kind": "checkbox"},
        {"name": "signed", "kind": "signature"},
        {"name": "word"},
    )
    texts = {"box": "yes", "other": "no", "signed": "present", "word": "yes"}
    one = read(template, texts, tiny_spec)
    reasons = {reading.reason for reading in one.values()} - {""}
    assert reasons == (set() if holds else {f"{rule} does not hold"})


@pytest.mark.parametrize("rule", ["box < 'yes'", "box = 1", "box + 1 = 2"])
def test_a_mark_is_no_number(rule: str) -> None:
    (fault,) = evaluate_rules([rule], {"box": True})
    assert "cannot be computed" in fault.reason


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ('pin != "1234"', "does not hold"),
        ("pin != again", "does not hold"),
        ("pin + word = 1", "cannot be computed from what was read"),
    ],
)
def test_a_rule_of_a_secret_is_told_by_its_number(
    rule: str, what: str, tiny_spec: ModelSpec
) -> None:
    template = form(
        ["again = again", rule],
        {"name": "pin", "kind": "digits", "secret": True},
        {"name": "again", "kind": "digits"},
        {"name": "word"},
    )
    one = read(template, {"pin": "1234", "again": "1234", "word": "abc"}, tiny_spec)
    reasons = {reading.reason for reading in one.values()} - {""}
    assert reasons == {f"rule 2 {what}"}
    assert one["pin"].status is Status.REVIEW


def test_a_rule_of_a_secret_without_a_value_is_told_by_its_number(tiny_spec: ModelSpec) -> None:
    born = {"name": "born", "kind": "date", "secret": True}
    template = form(["born < signed"], born, {"name": "signed", "kind": "date"})
    one = read(template, {"born": "31.2.1990", "signed": "1.2.2015"}, tiny_spec)
    assert one["signed"].reason == "rule 1 cannot be checked: no value of born"


@pytest.mark.parametrize(
    ("kind", "text"), [("email", "a.5@c.de"), ("username", "a.5b"), ("text", "a.5b")]
)
def test_only_numbers_have_a_decimal_point(kind: str, text: str, tiny_spec: ModelSpec) -> None:
    frames = np.exp(said(text, tiny_spec, sure=1 - 1e-9)).astype(np.float64)
    frames[3, 0], frames[3, tiny_spec.labels.index(".")] = 0.1, 0.9
    ink = inked(Field("f", kind), tiny_spec)
    one = judge(ink, [np.log(frames).astype(np.float32)], tiny_spec)[0]
    assert text.replace(".", "", 1) in [other.text for other in one.alternatives]
    assert ("decimal point" in one.reason) == (kind == "text")
