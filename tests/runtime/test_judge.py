"""The verdict on a field: what is accepted, what goes to review, and why."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.decoded import _dash
from edge_runtime.field import Field
from edge_runtime.grammar import compile_grammar
from edge_runtime.judge import judge, match_probability
from edge_runtime.place import FieldInk, lone_crop, take_ink
from edge_runtime.preprocess import Strip
from edge_runtime.reader import _ruled
from edge_runtime.results import FieldReading, Status
from edge_runtime.segment import Ink
from edge_runtime.spec import ModelSpec
from edge_runtime.template import Template

LogProbs = NDArray[np.float32]
BOX = (0.0, 0.0, 80.0, 32.0)


def said(text: str, spec: ModelSpec, *, sure: float = 0.999) -> LogProbs:
    """Frames that say `text`, a glyph every second frame."""
    n = len(spec.labels)
    frames = np.full((2 * len(text) + 1, n), (1 - sure) / (n - 1))
    path = [0] + [at for char in text for at in (spec.labels.index(char), 0)]
    frames[np.arange(len(path)), path] = sure
    return np.log(frames).astype(np.float32)


def written(text: str, *, strokes: int = 0) -> NDArray[np.uint8]:
    """Ink of a text, with level strokes through it."""
    ink = np.zeros((60, 24 * len(text) + 40), np.uint8)
    cv2.putText(ink, text, (20, 44), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 255, 3)
    for at in range(strokes):
        row = 20 + 24 * (at + 1) // (strokes + 1)
        cv2.line(ink, (10, row), (ink.shape[1] - 10, row + 1), 255, 3)
    return ink


def inked(
    field: Field, spec: ModelSpec, *, cells: str = "", struck: str = "", squeeze: float = 1.0
) -> FieldInk:
    """Ink of a field; a space in `cells` is an empty cell, an s in `struck` a scribbled one."""
    ink = Ink(written("4" if cells else "hello"), (0, 0))
    strip = Strip(np.full((spec.height_px, 80), 255, np.uint8), 0.0, 0.0, 1.0 / squeeze, 1.0)
    n = len(cells) or 1
    filled = tuple(strip if one != " " else None for one in cells or "x")
    scribbled = tuple(one == "s" for one in struck) or (False,) * n
    return FieldInk(field, BOX, None, (ink,) * n, filled, scribbled)


def verdict(field: Field, text: str, spec: ModelSpec, **how: object) -> FieldReading:
    return judge(inked(field, spec, **how), [said(text, spec)], spec)[0]  # type: ignore[arg-type]


def test_what_is_clear_and_allowed_is_accepted(tiny_spec: ModelSpec) -> None:
    one = verdict(Field("f", kind="integer"), "1234", tiny_spec)
    assert (one.text, one.value, one.status, one.reason) == ("1234", 1234, Status.ACCEPTED, "")
    assert one.confidence > 0.9
    assert "".join(glyph.char for glyph in one.glyphs) == "1234"
    assert one.raw_text == "1234"


def test_ink_in_which_no_glyph_is_seen_has_a_text_all_the_same(tiny_spec: ModelSpec) -> None:
    frames = said("", tiny_spec)
    frames[:, tiny_spec.labels.index("k")] += 0.5
    field = Field("f", kind="lower", min_length=9)  # more than the ink has room for
    one, _ = judge(inked(field, tiny_spec), [frames], tiny_spec)
    assert (one.text, one.raw_text, one.status) == ("k", "", Status.REJECTED)


def test_marks_that_are_skipped_are_no_fault(tiny_spec: ModelSpec) -> None:
    one = verdict(Field("f", kind="digits"), "10.000.-", tiny_spec)
    assert (one.text, one.raw_text, one.status) == ("10000", "10.000.-", Status.ACCEPTED)


def test_ink_that_no_allowed_character_explains_goes_to_review(tiny_spec: ModelSpec) -> None:
    one = verdict(Field("f", kind="digits"), "12a45", tiny_spec)
    assert one.status in (Status.REVIEW, Status.REJECTED)
    assert "no allowed character explains" in one.reason
    assert one.text


@pytest.mark.parametrize(
    ("ink", "doubted"),
    [("zantac", False), ("ZANTAC", False), ("zan tac", False), ("zantae", True), ("zanctac", True)],
)
def test_a_choice_spelled_otherwise_is_never_accepted(
    ink: str, doubted: bool, tiny_spec: ModelSpec
) -> None:
    one = verdict(Field("f", kind="choice", choices=("zantac", "xanax")), ink, tiny_spec)
    assert one.text == "zantac"
    assert ("spells something else" in one.reason) == doubted
    if doubted:
        assert one.status is not Status.ACCEPTED


def test_a_check_digit_that_fails_is_never_accepted(tiny_spec: ModelSpec) -> None:
    field = Field("f", charset="0123456789", checksum="luhn")
    assert verdict(field, "79927398713", tiny_spec).status is Status.ACCEPTED
    assert verdict(field, "79927398710", tiny_spec).status is not Status.ACCEPTED


@pytest.mark.parametrize(("strokes", "status"), [(0, Status.ACCEPTED), (3, Status.REVIEW)])
def test_struck_out_ink_goes_to_review(strokes: int, status: Status, tiny_spec: ModelSpec) -> None:
    ink = inked(Field("f"), tiny_spec)
    ink = replace(ink, inks=(Ink(written("hello", strokes=strokes), (0, 0)),))
    one, _ = judge(ink, [said("hello", tiny_spec)], tiny_spec)
    assert (one.status, one.text) == (status, "hello")
    assert ("struck out" in one.reason) == (strokes > 0)
    assert (match_probability(ink, [said("hello", tiny_spec)], tiny_spec, "hello") > 0) == (
        strokes == 0
    )


def test_a_strip_squeezed_out_of_shape_goes_to_review(tiny_spec: ModelSpec) -> None:
    assert verdict(Field("f"), "hello", tiny_spec, squeeze=1.2).status is Status.ACCEPTED
    assert "too wide" in verdict(Field("f"), "hello", tiny_spec, squeeze=2.0).reason


@pytest.mark.parametrize(
    ("charset", "text", "status"),
    [
        ("0123X", "1X3", Status.ACCEPTED),
        ("0123ABX", "123", Status.REVIEW),  # it may as well be a bold glyph
        ("0123", "123", Status.REVIEW),
    ],
)
def test_a_struck_cell_reads_x_where_x_may_stand(
    charset: str, text: str, status: Status, tiny_spec: ModelSpec
) -> None:
    field = Field("f", charset=charset, cells=3)
    ink = inked(field, tiny_spec, cells="xxx", struck=" s ")
    one, _ = judge(ink, [said(char, tiny_spec) for char in "123"], tiny_spec)
    assert (one.text, one.status) == (text, status)
    assert status is Status.ACCEPTED or one.reason == "cell 2 struck out"


def test_ink_that_no_allowed_text_is_short_enough_for_keeps_what_it_says(
    tiny_spec: ModelSpec,
) -> None:
    one = verdict(Field("f", min_length=30), "12", tiny_spec)
    assert (one.text, one.raw_text, one.status) == ("12", "12", Status.REJECTED)
    assert (one.value, one.confidence, one.alternatives) == (None, 0.0, ())


def test_a_scribble_reads_x_among_other_letters_and_goes_to_review(tiny_spec: ModelSpec) -> None:
    scribble = np.zeros((60, 64), np.uint8)
    points = np.array([(12 + 40 * (k % 2), 8 + 2 * k) for k in range(23)], np.int32)
    cv2.polylines(scribble, [points], False, 255, 3)
    cv2.polylines(scribble, [points[:, ::-1] + 2], False, 255, 3)
    ink = inked(Field("f", charset="0123ABX", cells=3), tiny_spec, cells="xxx", struck=" s ")
    ink = replace(ink, inks=(ink.inks[0], Ink(scribble, (0, 0)), ink.inks[2]))
    one, _ = judge(ink, [said(char, tiny_spec) for char in "123"], tiny_spec)
    assert (one.text, one.status) == ("1X3", Status.REVIEW)
    assert "cell 2 struck out" in one.reason
    secret = replace(ink, field=replace(ink.field, secret=True))
    told = judge(secret, [said(char, tiny_spec) for char in "123"], tiny_spec)[0].reason
    assert "struck out" in told
    assert "2" not in told
    ink = replace(ink, field=replace(ink.field, charset="0123AB"))
    assert judge(ink, [said(char, tiny_spec) for char in "123"], tiny_spec)[0].text == "123"


def test_empty_cells_at_the_ends_give_nothing_and_within_a_space(tiny_spec: ModelSpec) -> None:
    field = Field("f", kind="digits", cells=5)
    ink = inked(field, tiny_spec, cells=" x x ")
    one, _ = judge(ink, [said(char, tiny_spec) for char in "47"], tiny_spec)
    assert one.text == "4 7"
    found = [
        match_probability(ink, [said(char, tiny_spec) for char in "47"], tiny_spec, text)
        for text in ("4 7", "4 1", "47", "4 a")
    ]
    assert found[0] == one.confidence > 0.9
    assert 0.0 < found[1] < 0.1
    assert found[2:] == [0.0, 0.0]


def test_ink_too_short_for_any_allowed_text_is_rejected(tiny_spec: ModelSpec) -> None:
    field = Field("f", pattern="[A-Z]{2}[0-9]{9}")
    frames = [said("A", tiny_spec)]
    one, evidence = judge(inked(field, tiny_spec), frames, tiny_spec)
    assert (one.status, one.confidence, one.raw_text) == (Status.REJECTED, 0.0, "A")
    assert evidence is not None
    assert np.isfinite(evidence).all()
    assert match_probability(inked(field, tiny_spec), frames, tiny_spec, "AB123456789") == 0.0


def test_reasons_say_nothing_of_what_was_read(tiny_spec: ModelSpec) -> None:
    field = Field("f", kind="digits", secret=True)
    one = verdict(field, "Q1~", tiny_spec, struck="s", squeeze=2.0)
    assert not {"Q", "~"} & set(one.reason)


def test_a_mark_is_read_without_the_network(tiny_spec: ModelSpec) -> None:
    for mark, text, value in ((0.97, "yes", True), (0.02, "no", False)):
        ink = FieldInk(Field("f", kind="checkbox"), BOX, None, mark=mark)
        one, evidence = judge(ink, [], tiny_spec)
        assert (one.text, one.value, one.status, evidence) == (text, value, Status.ACCEPTED, None)
        assert match_probability(ink, [], tiny_spec, text) == pytest.approx(one.confidence)
    ink = FieldInk(Field("f", kind="signature"), BOX, None, mark=0.6)
    assert judge(ink, [], tiny_spec)[0].status is Status.REVIEW
    assert judge(ink, [], tiny_spec)[0].text == "present"


def test_match_shares_what_confidence_leaves(tiny_spec: ModelSpec) -> None:
    frames = said("cat", tiny_spec)
    at = tiny_spec.labels.index
    frames[3, at("o")] = frames[3, at("a")] - 1.0  # "cot" is e times less likely
    field = Field("f", kind="choice", choices=("cat", "cot", "dog"))
    ink = inked(field, tiny_spec)
    texts = field.choices or ()
    found = {text: match_probability(ink, [frames], tiny_spec, text) for text in texts}
    one, _ = judge(ink, [frames], tiny_spec)
    assert found["cat"] == one.confidence
    assert found["cot"] == pytest.approx(one.alternatives[0].probability, rel=1e-3)
    assert found["cat"] > found["cot"] > found["dog"]
    assert math.fsum(found.values()) <= 1 + 1e-9
    assert match_probability(ink, [frames], tiny_spec, "cut") == 0.0


def test_a_broken_rule_sends_its_fields_to_review(tiny_spec: ModelSpec) -> None:
    names = ("net", "tax", "total", "other")
    fields = [
        {"name": name, "kind": "integer", "box": [0, 20 * at, 50, 20 * at + 10]}
        for at, name in enumerate(names)
    ]
    raw = {"name": "t", "page": {"size": [100, 100], "unit": "px"}, "fields": fields}
    template = Template.from_dict({**raw, "rules": ["total = net + tax"]})
    for total, status in (("12", Status.ACCEPTED), ("13", Status.REVIEW)):
        texts = dict(zip(names, ("10", "2", total, "5"), strict=True))
        read = tuple(
            verdict(Field(name, kind="integer"), text, tiny_spec) for name, text in texts.items()
        )
        ruled = _ruled(read, template)
        assert [one.status for one in ruled] == [status, status, status, Status.ACCEPTED]
        assert [one.text for one in ruled] == [one.text for one in read]
        assert status is Status.ACCEPTED or "total = net + tax" in ruled[0].reason


def row_of(dash_row: int) -> np.ndarray:
    """Six cells: upright strokes, and one flat one at a row of its own."""
    crop = np.full((60, 240), 255, np.uint8)
    for cell in range(6):
        x = 40 * cell + 20
        if cell == 2:
            crop[dash_row : dash_row + 3, x - 10 : x + 10] = 0
        else:
            crop[15:45, x - 2 : x + 2] = 0
    return crop


def test_where_a_flat_stroke_stands_tells_a_dash_from_an_underscore(tiny_spec: ModelSpec) -> None:
    field = Field("u", "username", cells=6)
    for row, dash in ((28, "-"), (44, "_")):
        ink = take_ink(lone_crop(row_of(row), field), tiny_spec)
        assert ink.dashes == ("", "", dash, "", "", "")
    grammar = compile_grammar(field, tiny_spec.labels)
    said = np.log(np.full((1, len(tiny_spec.labels)), 1e-9, np.float32))
    said[0, tiny_spec.labels.index("-")] = np.log(0.9)
    told = _dash(said, "_", grammar)
    assert told[0, tiny_spec.labels.index("_")] > -0.2
    assert told[0, tiny_spec.labels.index("-")] < -20


@pytest.mark.parametrize(
    ("char", "share", "fault"),
    [(".", 0.02, True), (",", 0.02, True), (".", 1e-6, False), ("7", 0.02, False)],
)
def test_a_point_in_doubt_is_not_accepted(
    tiny_spec: ModelSpec, char: str, share: float, fault: bool
) -> None:
    frames = np.exp(said("2-5 mg", tiny_spec, sure=1 - 1e-9)).astype(np.float64)
    dash = tiny_spec.labels.index("-")
    frames[3] = 1e-12
    frames[3, [0, tiny_spec.labels.index(char), dash]] = 1 - share, share, 1e-12
    field = Field("dose", kind="text", pattern="[0-9]{1,4}([.,][0-9]|[0-9])? mg")
    one = judge(inked(field, tiny_spec), [np.log(frames).astype(np.float32)], tiny_spec)[0]
    assert one.text == "25 mg"
    assert ("decimal point" in one.reason) == fault
    assert not (fault and one.status == Status.ACCEPTED)


def test_a_thousands_mark_is_no_doubt_about_an_amount(tiny_spec: ModelSpec) -> None:
    frames = np.exp(said("1.000", tiny_spec, sure=1 - 1e-9)).astype(np.float64)
    frames[3, 0] = 0.2
    frames[3, tiny_spec.labels.index(".")] = 0.8
    frames = (frames / frames.sum(axis=1, keepdims=True)).astype(np.float64)
    field = Field("sum", kind="amount")
    one = judge(inked(field, tiny_spec), [np.log(frames).astype(np.float32)], tiny_spec)[0]
    assert one.text == "1.000"
    assert "1000" in [other.text for other in one.alternatives]
    assert "decimal point" not in one.reason


def test_a_point_between_letters_is_no_decimal_point(tiny_spec: ModelSpec) -> None:
    frames = np.exp(said("a.b@c.de", tiny_spec, sure=1 - 1e-9)).astype(np.float64)
    frames[3, 0], frames[3, tiny_spec.labels.index(".")] = 0.1, 0.9
    field = Field("mail", kind="email")
    one = judge(inked(field, tiny_spec), [np.log(frames).astype(np.float32)], tiny_spec)[0]
    assert "ab@c.de" in [other.text for other in one.alternatives]
    assert "decimal point" not in one.reason


def numbered(
    tiny_spec: ModelSpec, text: str, *, doubt: str = "", share: float = 0.3
) -> FieldReading:
    """A card's number whose last figure leaves `share` to `doubt`."""
    frames = np.exp(said(text, tiny_spec, sure=1 - 1e-7))
    if doubt:
        at = 2 * len(text) - 1
        frames[at, tiny_spec.labels.index(text[-1])] = 1 - share
        frames[at, tiny_spec.labels.index(doubt)] = share
    return judge(inked(Field("f", "card"), tiny_spec), [np.log(frames)], tiny_spec)[0]


VALID = "4539148803436467"  # by Luhn's rule


def test_a_number_whose_check_digit_holds_is_surer_than_the_same_without_one(
    tiny_spec: ModelSpec,
) -> None:
    plain = verdict(Field("f", "text", charset="0123456789", max_length=19), VALID, tiny_spec)
    held, failed = numbered(tiny_spec, VALID), numbered(tiny_spec, VALID[:-1] + "8")
    assert held.text == plain.text == VALID
    assert held.confidence > plain.confidence
    assert failed.confidence < held.confidence
    assert "check digit" in failed.reason


def test_a_number_chosen_for_its_check_digit_is_not_made_surer_by_it(tiny_spec: ModelSpec) -> None:
    wrong = VALID[:-1] + "8"
    chosen = numbered(tiny_spec, wrong, doubt="7")
    assert chosen.text == VALID
    assert dict(chosen.alternatives)[wrong] > 0.3
    assert chosen.confidence < 0.5


def test_the_same_number_grouped_otherwise_is_no_other_number(tiny_spec: ModelSpec) -> None:
    grouped = "4539 1488 0343 6467"
    frames = np.exp(said(grouped, tiny_spec))
    space = 2 * grouped.index(" ") + 1
    frames[space, tiny_spec.labels.index(" ")] = 0.6
    frames[space, 0] = 0.4
    one = judge(inked(Field("f", "card"), tiny_spec), [np.log(frames)], tiny_spec)[0]
    assert one.text == grouped
    assert one.confidence > 0.9
