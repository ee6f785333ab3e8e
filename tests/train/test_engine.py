"""The data engine: every strip can be said by CTC, is the right people's, and is drawn anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

import itertools
import shutil

from train import sheet, texts
from train.compose import Build, Hand, compose, extent, join_words, place, warp
from train.config import TrainConfig
from train.datasets import ArraySamples
from train.engine import Engine, EngineConfig
from train.paper import Paper
from train.pen import Pen, draw_strokes
from train.people import FILE, PARTS, People
from train.strokes import DataError, GlyphBank, StrokeSet, part_of

SPEC = TrainConfig("test").spec()
SQUARE = [np.array([[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], np.float32)]


@pytest.fixture(scope="module")
def engine(tiny_data: Path) -> Engine:
    return Engine(tiny_data, SPEC, EngineConfig(), part="train", seed=1)


@given(st.integers(0, 2**32))
def test_every_text_can_be_said_by_the_network(seed: int) -> None:
    text = texts.draw(np.random.default_rng(seed))
    assert text
    assert set(text) <= set(SPEC.labels)


@given(st.text("abc123", min_size=1), st.sampled_from(["train", "val"]))
def test_a_writer_is_in_one_part_only(writer: str, split: str) -> None:
    part = part_of(writer, split)
    assert part == part_of(writer, split)
    assert (part == "val") == (split == "val")


def test_the_parts_share_no_writer(tiny_data: Path) -> None:
    lower = StrokeSet.load(tiny_data / "unipen" / "lower.npz")
    writers = {
        part: {lower.writers[i] for i in lower.of_part(part)}
        for part in ("train", "tuning", "calibration", "val")
    }
    assert writers["train"]
    assert sum(map(len, writers.values())) == len(set(lower.writers))


def test_strips_have_enough_frames_for_their_texts(engine: Engine) -> None:
    rng = np.random.default_rng(4)
    sources = set()
    for _ in range(120):
        pixels, text, source = engine.draw(rng)
        repeats = sum(a == b for a, b in itertools.pairwise(text))
        assert pixels.shape[0] == SPEC.height_px
        assert pixels.dtype == np.uint8
        assert pixels.shape[1] // SPEC.stride_px >= len(text) + repeats
        assert pixels.max() > 0
        sources.add(source)
    assert sources >= {"glyph", "mnist", "string", "word"}


def test_the_same_generator_draws_the_same_strips(engine: Engine) -> None:
    first = [engine.draw(np.random.default_rng(9)) for _ in range(3)]
    again = [engine.draw(np.random.default_rng(9)) for _ in range(3)]
    for (a, text_a, _), (b, text_b, _) in zip(first, again, strict=True):
        assert text_a == text_b
        assert np.array_equal(a, b)


def test_own_crops_come_in_by_their_share(tiny_data: Path) -> None:
    crops = np.zeros((3, 40, 60), np.uint8)
    crops[:, 10:30, 20:25] = 255
    shares = EngineConfig(0, 0, 0, 0, 0, 0, 0, 0, own=1.0)
    engine = Engine(
        tiny_data, SPEC, shares, part="train", seed=1, own=[ArraySamples(crops, ("l", "l", "l"))]
    )
    assert {engine.draw(np.random.default_rng(s))[1:] for s in range(5)} == {("l", "own")}


@given(st.integers(0, 2**32))
def test_families_hold_to_their_characters(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert not any(char.isalpha() for char in texts.figures(rng))
    assert set(texts.codes(rng)) <= set(SPEC.labels)


@pytest.mark.parametrize(
    ("figures", "codes", "letters"), [(1.0, 0.0, set("X")), (0.0, 1.0, None), (0.5, 0.5, None)]
)
def test_a_run_about_figures_draws_figures(
    tiny_data: Path, figures: float, codes: float, letters: set[str] | None
) -> None:
    shares = EngineConfig(1, 0, 0, 2, 0, 0, 0, 0, row=2, figures=figures, codes=codes)
    engine = Engine(tiny_data, SPEC, shares, part="train", seed=1)
    drawn = [engine.draw(np.random.default_rng(seed)) for seed in range(60)]
    assert {source for _, _, source in drawn} == {"glyph", "string", "row"}
    found = {char for _, text, _ in drawn for char in text if char.isalpha()}
    if letters is None:
        assert len(found) > 3
    else:
        assert found <= letters
    if codes == 1.0:
        assert not any(" " in text for _, text, source in drawn if source == "row")


def test_a_run_about_words_draws_names_of_the_list(tiny_data: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    parts = {"first": "abba", "last": "bagga", "full": "ag bagga"}
    rows = [(part, 1.0, parts.get(part, "gab")) for part in PARTS]
    People(tuple(rows)).save(data / FILE)
    shares = EngineConfig(0, 0, 0, 1, 0, 0, 0, 0, prose=1.0)
    engine = Engine(data, SPEC, shares, part="train", seed=1)
    drawn = {engine.draw(np.random.default_rng(seed))[1].lower() for seed in range(60)}
    assert drawn & {"abba", "bagga", "ag bagga", "gab"}


def test_missing_data_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"digits\.npz: no such file; set EDGE_HWR_DATA"):
        Engine(tmp_path, SPEC, EngineConfig(), part="train", seed=1)


@given(st.text("abgT7.-", min_size=1, max_size=8), st.integers(0, 99))
def test_glyphs_stand_in_writing_order(text: str, seed: int) -> None:
    samples = StrokeSet(
        "made up",
        np.tile(np.array([[0, 0], [800, 1000]], np.int32), (7, 1)),
        np.arange(2, 16, 2, dtype=np.int32),
        np.arange(1, 8, dtype=np.int32),
        tuple("abgT7.-"),
        ("w",) * 7,
        ("c",) * 7,
        ("train",) * 7,
    )
    bank = GlyphBank([samples], "train")
    # Without figures of another school and joints, which have strokes that begin elsewhere.
    written, strokes = compose(text, bank, "w", np.random.default_rng(seed), style=0.0)
    assert written == text
    lefts = [float(stroke[:, 0].min()) for stroke in strokes]
    assert lefts == sorted(lefts)


def test_a_tall_letter_is_taller_than_a_small_one() -> None:
    assert extent("l")[0] < extent("a")[0]
    assert extent("g")[1] > extent("a")[1]
    joined = join_words([("a", SQUARE), ("l", SQUARE)], np.random.default_rng(1))[1]
    assert np.ptp(joined[1][:, 1]) > np.ptp(joined[0][:, 1])


def test_hands_differ_in_how_tall_and_deep_their_letters_are() -> None:
    builds = [Build.draw(np.random.default_rng(seed)) for seed in range(200)]
    ratios = [build.span("i")[0] / build.span("l")[0] for build in builds]
    assert min(ratios) < 0.75
    # An i as tall as an l: only its dot tells them apart.
    assert 0.15 < np.mean([ratio == 1.0 for ratio in ratios]) < 0.5
    assert 0.15 < np.mean([build.span("j")[1] < 0.2 for build in builds]) < 0.6
    assert np.mean([build.span("g")[1] > 0.25 for build in builds]) > 0.8
    assert {build.span("-") for build in builds} == {Build().span("-")}


def test_a_glyph_fills_the_span_of_its_hand() -> None:
    rng = np.random.default_rng(3)
    hand = replace(
        Hand.draw(rng), build=Build(j_hang=0.0, dot=1.4), wobble=0.0, size_spread=0.0,
        drop_spread=0.0,
    )  # fmt: skip
    dot = np.array([[4, -6], [6, -6]], np.float32)
    rows = np.concatenate(place("j", [*SQUARE, dot], hand, rng))[:, 1]
    assert (rows.min(), rows.max()) == pytest.approx((-1.4, 0.0), abs=1e-4)


@pytest.mark.parametrize(("char", "bottom"), [("i", 0.0), ("j", 0.8)])
def test_an_i_without_its_dot_is_no_taller_than_small_letters(char: str, bottom: float) -> None:
    rng = np.random.default_rng(3)
    hand = replace(Hand.draw(rng), build=Build(), wobble=0.0, size_spread=0.0, drop_spread=0.0)
    rows = np.concatenate(place(char, SQUARE, hand, rng))[:, 1]
    assert (rows.min(), rows.max()) == pytest.approx((-1.0, bottom), abs=1e-4)


def test_what_a_glyph_spans_depends_on_its_dot() -> None:
    dotted = [*SQUARE, *SQUARE]
    assert Build(dot=1.4).span_of("i", dotted) == (-1.4, 0.0)
    assert Build(dot=1.4).span_of("i", SQUARE) == (-1.0, 0.0)
    assert Build().span_of("l", SQUARE) == Build().span("l")


@given(st.integers(0, 500))
def test_warping_keeps_strokes_and_points(seed: int) -> None:
    warped = warp([*SQUARE, *SQUARE], np.random.default_rng(seed))
    assert [len(stroke) for stroke in warped] == [5, 5]
    assert np.isfinite(np.concatenate(warped)).all()


def test_a_wider_pen_leaves_more_ink_inside_the_same_frame() -> None:
    inks = []
    for width in (0.05, 0.2):
        pen = Pen(width, 0.0, 0.0, 0.0, 0.0)
        drawn = draw_strokes(
            SQUARE, pen, np.random.default_rng(1), height_px=40, pad_px=(9, 9, 9, 9)
        )
        assert drawn.shape == (58, 58)
        inks.append(int(drawn.sum()))
    assert inks[1] > 2 * inks[0]


def test_ink_is_darker_than_its_paper() -> None:
    paper = Paper(np.random.default_rng(2))
    coverage = np.zeros((60, 200), np.uint8)
    coverage[20:40, 50:150] = 255
    for seed in range(25):
        crop = paper.photograph(coverage, np.random.default_rng(seed))
        h, w = crop.shape
        ink = crop[round(0.4 * h) : round(0.6 * h), round(0.3 * w) : round(0.7 * w)]
        assert np.median(ink) < np.median(crop[: round(0.25 * h)])


def test_warped_words_are_other_shapes_of_the_same_size() -> None:
    zigzag = [np.array([[10 * i, 30 * (i % 2)] for i in range(20)], np.float32)]
    first, second = (warp(zigzag, np.random.default_rng(seed)) for seed in (1, 2))
    assert not np.allclose(first[0] - first[0][0], second[0] - second[0][0], atol=2)
    assert all(0.3 < np.ptp(one[0][:, 0]) / 190 < 3 for one in (first, second))


def test_noughts_are_small_only_where_no_letter_stands_beside_them() -> None:
    hands = [Hand.draw(np.random.default_rng(seed)) for seed in range(60)]
    numeric = [Hand.draw(np.random.default_rng(seed), numeric=True) for seed in range(60)]
    assert {hand.zero for hand in hands} == {1.0}
    assert min(hand.zero for hand in numeric) < 0.8


def test_a_crossed_seven_has_a_stroke_more() -> None:
    seven = [np.array([[0, 0], [10, 0], [4, 20]], np.float32)]
    rng = np.random.default_rng(1)
    plain = replace(Hand.draw(rng), crossed=False)
    assert len(place("7", seven, plain, rng)) == 1
    assert len(place("7", seven, replace(plain, crossed=True), rng)) == 2
    assert len(place("1", seven, replace(plain, crossed=True), rng)) == 1


def test_the_contact_sheet_shows_every_source(tiny_data: Path, tmp_path: Path) -> None:
    config = TrainConfig(
        "test", data=str(tiny_data), engine=EngineConfig(font=0.1, cell=0.1, figures=0.5)
    )
    drawn = sheet.draw(config, columns=2, rows=1, seed=3)
    sources = 8  # there are no fonts, own crops have no share
    assert drawn.shape == (96 * sources, 600)
    assert all(row.min() < 128 for row in np.vsplit(drawn, sources))
    assert sheet.main([str(tmp_path / "none.toml"), str(tmp_path / "sheet.png")]) != 0
