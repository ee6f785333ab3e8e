"""The whole road with a network that reads rubbish: what must hold whatever it says."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from numpy.typing import NDArray

from edge_runtime import glyphs, reader
from edge_runtime.confidence import FEATURES
from edge_runtime.errors import EdgeHwrError, ImageError, ModelError, TemplateError
from edge_runtime.field import Field
from edge_runtime.preprocess import Strip
from edge_runtime.reader import Reader
from edge_runtime.results import MASK, FieldReading, Status
from edge_runtime.segment import Ink

Gray = NDArray[np.uint8]

FIELDS = (
    Field("word"),
    Field("digits", kind="digits"),
    Field("amount", kind="amount"),
    Field("user", kind="username", secret=True),
    Field("date", kind="date", optional=True),
    Field("code", pattern="[A-Z]{2}[0-9]{1,4}"),
    Field("one of", kind="choice", choices=("yes", "no", "maybe")),
    Field("row", kind="digits", cells=4),
    Field("cell", kind="upper", cells=1),
    Field("box", kind="checkbox"),
    Field("name", kind="signature"),
)
FIXTURES = [HealthCheck.function_scoped_fixture]
WHITE = np.full((40, 120), 255, np.uint8)


@pytest.fixture(scope="module")
def items(crops: tuple[Gray, ...]) -> list[tuple[Gray, Field]]:
    """Every crop as every kind of field, and blanks in between."""
    mixed = [(crop, field) for field in FIELDS for crop in crops]
    return [*mixed, (WHITE, FIELDS[0]), (WHITE, FIELDS[4]), (WHITE, FIELDS[7])]


@pytest.fixture(scope="module")
def one_by_one(tiny_reader: Reader, items: list[tuple[Gray, Field]]) -> list[FieldReading]:
    return [tiny_reader.read_field(crop, field) for crop, field in items]


def check(one: FieldReading, crop: Gray, field: Field) -> None:
    """What holds of every reading."""
    h, w = crop.shape[:2]
    assert (one.name, one.kind) == (field.name, field.kind or "text")
    assert 0.0 <= one.confidence <= 1.0
    assert isinstance(one.status, Status)
    assert (one.text == "") == (one.status is Status.BLANK)
    assert (one.reason == "") == (one.status is Status.ACCEPTED)
    assert one.box == (0.0, 0.0, w, h)
    assert one.secret is bool(field.secret)
    assert one.text not in [text for text, _ in one.alternatives]
    shares = [probability for _, probability in one.alternatives]
    assert shares == sorted(shares, reverse=True)
    assert one.status is Status.BLANK or one.confidence + sum(shares) <= 1 + 1e-6
    for char, probability, (x0, y0, x1, y1) in one.glyphs:
        assert len(char) == 1
        assert 0.0 <= probability <= 1.0 + 1e-6
        assert 0 <= x0 <= x1 <= w
        assert 0 <= y0 <= y1 <= h
    hash(one)
    json.dumps(one.to_dict(reveal=True))


def test_readings_hold_together(
    items: list[tuple[Gray, Field]], one_by_one: list[FieldReading]
) -> None:
    for (crop, field), one in zip(items, one_by_one, strict=True):
        check(one, crop, field)


def test_many_read_the_same_as_one_by_one(
    tiny_reader: Reader, items: list[tuple[Gray, Field]], one_by_one: list[FieldReading]
) -> None:
    assert tiny_reader.read_fields(items) == one_by_one
    assert tiny_reader.read_fields(iter(items)) == one_by_one


def test_order_and_chunks_change_nothing(
    tiny_reader: Reader,
    items: list[tuple[Gray, Field]],
    one_by_one: list[FieldReading],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = np.random.default_rng(2).permutation(len(items)).tolist()
    monkeypatch.setattr(reader, "CHUNK_STRIPS", 7)
    found = tiny_reader.read_fields([items[at] for at in order])
    assert found == [one_by_one[at] for at in order]


def test_threads_change_nothing(
    tiny_model: Path, items: list[tuple[Gray, Field]], one_by_one: list[FieldReading]
) -> None:
    with Reader(tiny_model, threads=2) as two, ThreadPoolExecutor(3) as pool:
        assert two.read_fields(items) == one_by_one
        assert list(pool.map(lambda item: two.read_field(*item), items)) == one_by_one


def test_a_reading_survives_pickling(one_by_one: list[FieldReading]) -> None:
    assert pickle.loads(pickle.dumps(one_by_one)) == one_by_one


def test_a_file_its_bytes_and_its_pixels_read_the_same(
    tiny_reader: Reader, crops: tuple[Gray, ...], tmp_path: Path
) -> None:
    path = tmp_path / "crop.png"
    cv2.imwrite(str(path), crops[0])
    color = cv2.cvtColor(crops[0], cv2.COLOR_GRAY2BGR)
    sources = [crops[0], color, path, str(path), path.read_bytes()]
    assert len({tiny_reader.read_field(one, FIELDS[0]) for one in sources}) == 1


def test_a_blank_says_whether_it_was_optional(tiny_reader: Reader) -> None:
    for optional, reason in ((True, "is optional"), (None, "not optional")):
        one = tiny_reader.read_field(WHITE, Field("f", optional=optional))
        assert (one.status, one.text, one.value, one.glyphs) == (Status.BLANK, "", None, ())
        assert reason in one.reason
    row = tiny_reader.read_field(WHITE, Field("f", kind="digits", cells=5))
    assert row.status is Status.BLANK


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (2, 3), (40, 300), (300, 40)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_crops_of_one_level_are_blank_and_odd_shapes_are_read(
    tiny_reader: Reader, shape: tuple[int, int], level: int
) -> None:
    crop = np.full(shape, level, np.uint8)
    noise = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    for field in FIELDS:
        one = tiny_reader.read_field(crop, field)
        check(one, crop, field)
        if field.kind not in ("checkbox", "signature"):
            assert one.status is Status.BLANK
        check(tiny_reader.read_field(noise, field), noise, field)


@pytest.mark.parametrize("level", [0, 30, 60])
def test_of_a_crop_that_is_dark_all_over_nothing_is_sure(tiny_reader: Reader, level: int) -> None:
    crop = np.full((40, 40), level, np.uint8)
    for field in FIELDS:
        one = tiny_reader.read_field(crop, field)
        assert one.status in (Status.BLANK, Status.REVIEW)
        assert one.confidence == 0.5
        assert "no paper is seen" in one.reason
    assert tiny_reader.match(crop, Field("word"), "") == 0.5
    assert tiny_reader.read_field(255 - crop, Field("word")).confidence == 1


def test_a_black_block_is_no_signature(tiny_reader: Reader) -> None:
    crop = np.full((60, 200), 250, np.uint8)
    for at in range(15, 180, 25):
        cv2.ellipse(crop, (at, 30), (14, 22), 20, 0, 300, 30, 3)
    signature = Field("name", kind="signature")
    assert tiny_reader.read_field(crop, signature).status is Status.ACCEPTED
    crop[5:55, 5:195] = 20
    one = tiny_reader.read_field(crop, signature)
    assert (one.status, one.text) == (Status.REVIEW, "present")


@settings(max_examples=30, deadline=None, suppress_health_check=FIXTURES)
@given(
    crop=nps.arrays(np.uint8, nps.array_shapes(min_dims=2, max_dims=2, max_side=90)),
    field=st.sampled_from(FIELDS),
)
def test_any_pixels_give_a_reading(tiny_reader: Reader, crop: Gray, field: Field) -> None:
    check(tiny_reader.read_field(crop, field), crop, field)


def test_secrets_stay_inside(tiny_reader: Reader, crops: tuple[Gray, ...]) -> None:
    plain = tiny_reader.read_field(crops[0], Field("user", kind="username"))
    secret = tiny_reader.read_field(crops[0], Field("user", kind="username", secret=True))
    assert plain.text
    assert (secret.text, secret.value) == (plain.text, plain.value)
    assert dataclasses.replace(secret, secret=False) == plain
    for shown in (repr(secret), json.dumps(secret.to_dict())):
        assert MASK in shown
        assert f"'{plain.text}'" not in shown
        assert f'"{plain.text}"' not in shown


def test_match_agrees_with_the_reading_and_reveals_none(
    tiny_reader: Reader, items: list[tuple[Gray, Field]], one_by_one: list[FieldReading]
) -> None:
    for (crop, field), one in zip(items, one_by_one, strict=True):
        if "struck out" in one.reason:
            assert tiny_reader.match(crop, field, one.text) == 0.0
            continue
        assert tiny_reader.match(crop, field, one.text) == pytest.approx(one.confidence)
        others = [tiny_reader.match(crop, field, text) for text, _ in one.alternatives]
        said = [probability for _, probability in one.alternatives]
        assert others == pytest.approx(said, abs=1e-4)
        assert tiny_reader.match(crop, field, "no such text, surely \u00e9") == 0.0
        assert isinstance(tiny_reader.match(crop, field, "a1"), float)


def test_match_of_nothing_is_about_the_blank(tiny_reader: Reader, crops: tuple[Gray, ...]) -> None:
    assert tiny_reader.match(WHITE, Field("f"), "") > 0.9
    assert tiny_reader.match(WHITE, Field("f"), "a") == 0.0
    assert tiny_reader.match(crops[0], Field("f"), "") == 0.0


def test_explain_gives_the_evidence_beside_the_reading(
    tiny_reader: Reader, items: list[tuple[Gray, Field]], one_by_one: list[FieldReading]
) -> None:
    for one, (reading, evidence) in zip(one_by_one, tiny_reader.explain(items), strict=True):
        assert reading == one
        asked = one.status is not Status.BLANK and one.kind not in ("checkbox", "signature")
        assert (evidence is not None) == asked
        if evidence is not None:
            assert evidence.shape == (len(FEATURES),)
            assert np.isfinite(evidence).all()


def test_a_bad_crop_is_named_by_its_place_and_field(
    tiny_reader: Reader, crops: tuple[Gray, ...]
) -> None:
    for wrong in (np.zeros((4, 4), np.float32), np.zeros((0, 4), np.uint8), b"", "no/such.png"):
        with pytest.raises(ImageError, match=r"item 1, field 'digits'"):
            tiny_reader.read_fields([(crops[0], FIELDS[0]), (wrong, FIELDS[1])])


@pytest.mark.parametrize("item", [WHITE, (WHITE,), (WHITE, FIELDS[0], 1), None, (FIELDS[0], WHITE)])
def test_what_is_no_pair_of_crop_and_field_is_named_by_its_place(
    tiny_reader: Reader, item: object
) -> None:
    with pytest.raises(EdgeHwrError, match=r"^item 1") as told:
        tiny_reader.read_fields([(WHITE, FIELDS[0]), item])  # type: ignore[list-item]
    assert "\n" not in str(told.value)


def test_a_field_that_is_none_is_refused(tiny_reader: Reader) -> None:
    with pytest.raises(TemplateError, match="Field"):
        tiny_reader.read_field(WHITE, "amount")  # type: ignore[arg-type]


def test_a_closed_reader_says_so(tiny_model: Path, crops: tuple[Gray, ...]) -> None:
    with Reader(tiny_model) as closed:
        assert closed.model_id.startswith("tiny@")
    for crop in (crops[0], WHITE):
        with pytest.raises(ModelError, match="closed"):
            closed.read_field(crop, FIELDS[0])


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_reader_that_is_sent_elsewhere_says_what_to_do(
    tiny_reader: Reader, copied: Callable[[Reader], object]
) -> None:
    with pytest.raises(TypeError, match="make one in each process"):
        copied(tiny_reader)


def page_and_template(crops: tuple[Gray, ...]) -> tuple[Gray, dict[str, object]]:
    """A page with words in printed boxes, and the template of it in pixels."""
    page = np.full((900, 700), 245, np.uint8)
    fields = []
    for at, crop in enumerate(crops[:4]):
        h, w = min(60, crop.shape[0]), min(260, crop.shape[1])
        y0 = 80 + 180 * at
        cv2.rectangle(page, (100, y0), (420, y0 + 70), 60, 2)
        word = cv2.resize(crop, (w, h), interpolation=cv2.INTER_AREA)
        part = page[y0 + 5 : y0 + 5 + h, 110 : 110 + w]
        np.minimum(part, word, out=part)
        fields.append({"name": f"f{at}", "kind": "text", "box": [100, y0, 420, y0 + 70]})
    template = {"name": "t", "page": {"size": [700, 900], "unit": "px"}, "fields": fields}
    return page, template


def test_a_page_is_read_with_its_template(tiny_reader: Reader, crops: tuple[Gray, ...]) -> None:
    page, template = page_and_template(crops)
    form = tiny_reader.read(page, template=template)
    assert [one.name for one in form] == ["f0", "f1", "f2", "f3"]
    assert form.page_size == (700, 900)
    assert form.template is not None
    assert form.template["name"] == "t"
    assert form.registration is not None
    assert form.model == {"name": "tiny", "digest": tiny_reader.model["digest"]}
    assert {"load", "register", "segment", "recognize", "decode"} == set(form.timings_ms)
    for at, one in enumerate(form):
        assert one.box == pytest.approx((100, 80 + 180 * at, 420, 150 + 180 * at), abs=12)
        for glyph in one.glyphs:
            assert 90 <= glyph.box[0] <= glyph.box[2] <= 432
            assert 70 + 180 * at <= glyph.box[1] <= glyph.box[3] <= 162 + 180 * at
    again = tiny_reader.read(page.copy(), template=template)
    assert again == form
    assert again.to_json() == form.to_json()


def test_a_page_without_a_template_is_read(tiny_reader: Reader, crops: tuple[Gray, ...]) -> None:
    page, _ = page_and_template(crops)
    form = tiny_reader.read(page)
    assert form.template is None
    assert len(form) > 0
    assert len({one.name for one in form}) == len(form)


def test_a_blank_page_gives_a_form_not_an_error(tiny_reader: Reader) -> None:
    for level in (0, 255):
        form = tiny_reader.read(np.full((400, 300), level, np.uint8))
        assert form.page_size == (300, 400)
        json.loads(form.to_json())


def test_pages_come_one_by_one(
    tiny_reader: Reader, crops: tuple[Gray, ...], tmp_path: Path
) -> None:
    page, template = page_and_template(crops)
    path = tmp_path / "two.tiff"
    cv2.imwritemulti(str(path), [page, page])
    both = list(tiny_reader.read_pages(path, template=template))
    assert len(both) == 2
    assert both[0] == both[1] == tiny_reader.read(path, template=template, page=2)
    with pytest.raises(ImageError, match="2 pages"):
        tiny_reader.read(path, template=template)


def test_a_page_that_cannot_be_read_costs_none_after_it(
    tiny_reader: Reader, crops: tuple[Gray, ...], tmp_path: Path
) -> None:
    page, template = page_and_template(crops)
    path = tmp_path / "three.tiff"
    cv2.imwritemulti(str(path), [page, np.full_like(page, 255), page])
    pages = tiny_reader.read_pages(path, template=template)
    first = next(pages)
    with pytest.raises(TemplateError, match="page 2"):
        next(pages)
    assert next(pages) == first
    assert next(pages, None) is None


def test_line_boxes_follow_the_ink() -> None:
    ink = np.zeros((20, 100), np.uint8)
    for left in (10, 40, 70):
        ink[5:15, left : left + 12] = 255
    strip = Strip(np.zeros((32, 100), np.uint8), 0.0, 0.0, 1.0, 1.0)
    spans = [(4, 5), (11, 12), (18, 19)]
    boxes = glyphs.line_boxes(spans, Ink(ink, (3, 2)), strip, 4)
    assert boxes == [(13, 7, 25, 17), (43, 7, 55, 17), (73, 7, 85, 17)]
    assert all(one[2] <= two[0] for one, two in pairwise(boxes))


def test_map_box_undoes_itself() -> None:
    matrix = np.array([[1.1, 0.0, 5], [0.0, 0.9, -3], [0, 0, 1]])
    box = (1.0, 2.0, 30.0, 40.0)
    there = glyphs.map_box(box, matrix)
    assert glyphs.map_box(there, np.linalg.inv(matrix)) == pytest.approx(box)


EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_line_between_accepted_and_review_may_be_drawn_elsewhere() -> None:
    page, template = EXAMPLES / "account-opening.png", EXAMPLES / "account-opening.yaml"
    with Reader() as own, Reader(accept=0.9) as other:
        usual, free = own.read(page, template=template), other.read(page, template=template)
        assert other.spec == own.spec
        assert other.match_point(Field("p", "username")) == own.match_point(Field("p", "username"))
    assert [one.text for one in free] == [one.text for one in usual]
    assert [one.confidence for one in free] == [one.confidence for one in usual]
    for one in free:
        under = "confidence under 0.9" in one.reason
        assert under == (one.confidence < 0.9)
        assert (one.status is Status.ACCEPTED) == (one.reason == "")
    accepted = [sum(one.status is Status.ACCEPTED for one in form) for form in (usual, free)]
    assert accepted[0] < accepted[1]


@pytest.mark.parametrize("accept", [-0.1, 1.5, 0.001, float("nan")])
def test_a_line_that_is_no_probability_is_refused(accept: float) -> None:
    with pytest.raises(EdgeHwrError, match="give a probability"):
        Reader(accept=accept)
