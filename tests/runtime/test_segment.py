"""Rules out, strokes whole; cells by their lines. The forms are drawn here."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_runtime.field import Field
from edge_runtime.preprocess import normalize_ink
from edge_runtime.printed import may_hold_box
from edge_runtime.segment import (
    cell_inks,
    field_ink,
    is_blank,
    is_struck,
    remove_rules,
    signature_present,
    split_cells,
)

Gray = NDArray[np.uint8]
PAPER = 235
SUB = 4  # drawing is done at 1/16 pixel: cv2 shifts coordinates by this many bits
seeds = st.integers(0, 2**32 - 1)


def line(
    canvas: Gray, a: tuple[float, float], b: tuple[float, float], grey: int, thick: int
) -> None:
    one, two = (tuple(round(v * 2**SUB) for v in point) for point in (a, b))
    cv2.line(canvas, one, two, grey, thick, cv2.LINE_AA, SUB)


def scribble(rng: np.random.Generator, h: int, w: int, thick: int, *, apart_px: int = 34) -> Gray:
    """Ink of a few strokes across the middle of a crop, most of them across its lower rule."""
    ink = np.zeros((h, w), np.uint8)
    for x in np.arange(40, w - 40, apart_px):
        top = (x + rng.uniform(-8, 8), rng.uniform(0.15, 0.4) * h)
        low = (x + rng.uniform(-10, 10), rng.uniform(0.87, 0.97) * h)
        line(ink, top, low, 255, thick)
    return ink


def on_paper(ink: Gray, grey: int) -> Gray:
    """Ink to a crop: dark on light."""
    shade = ink.astype(np.float32) / 255
    return np.asarray(PAPER - shade * (PAPER - grey), np.uint8)


def printed_row(
    rng: np.random.Generator, n: int, *, comb: bool, ends: bool = True
) -> tuple[Gray, NDArray[np.float64], float]:
    """A row of `n` boxes or a comb, skewed; its crop, the borders' columns, the slope."""
    pitch = rng.uniform(26, 44)
    pad, h = rng.uniform(0.15, 0.6) * pitch, round(rng.uniform(46, 80))
    w = round(n * pitch + 2 * pad)
    slope = np.tan(np.radians(rng.uniform(-1, 1) * min(3.0, np.degrees(0.12 * h / w))))
    x = pad + pitch * np.arange(n + 1) + rng.uniform(-0.5, 0.5, n + 1)
    top, bottom = 0.2 * h, 0.8 * h
    grey, thick = int(rng.integers(20, 150)), int(rng.integers(1, 3))
    crop = np.full((h, w), PAPER, np.uint8)

    def at(col: float, row: float) -> tuple[float, float]:  # turned about the crop's middle
        return col - slope * (row - h / 2), row + slope * (col - w / 2)

    for row in (bottom,) if comb else (top, bottom):
        line(crop, at(x[0], row), at(x[-1], row), grey, thick)
    for col in x if ends else x[1:-1]:
        line(crop, at(col, 0.62 * h if comb else top), at(col, bottom), grey, thick)
    noise = rng.normal(0, 2, crop.shape)
    return np.clip(crop + noise, 0, 255).astype(np.uint8), x, slope


# The same draws each time: one in some ten thousand, a thick rule as dark as the pen that leans by
# three degrees, keeps its step as a foot (docs/decisions.md).
@settings(max_examples=40, deadline=None, derandomize=True)
@given(seeds)
def test_a_rule_goes_and_the_strokes_across_it_stay(seed: int) -> None:
    rng = np.random.default_rng(seed)
    h, w = 80, int(rng.integers(240, 480))
    # Farther apart than the sides of a round glyph: between those the rule may be its foot.
    strokes = scribble(rng, h, w, int(rng.integers(3, 6)), apart_px=64)
    rule = np.zeros((h, w), np.uint8)
    climb = np.tan(np.radians(rng.uniform(-3, 3))) * w / 2
    level = 0.7 * h
    line(rule, (0, level - climb / 2), (w, level + climb / 2), 255, int(rng.integers(1, 4)))
    crop = np.minimum(on_paper(strokes, 40), on_paper(rule, int(rng.integers(40, 150))))
    ink = normalize_ink(crop)
    clean = remove_rules(ink)
    pen, only_rule = strokes >= 128, (rule >= 128) & (cv2.dilate(strokes, np.ones((5, 5))) == 0)
    assert clean[pen].sum() >= 0.95 * ink[pen].sum()
    assert clean[only_rule].sum() <= 0.05 * ink[only_rule].sum()
    assert np.all(clean <= ink)


@pytest.mark.parametrize(("on", "off"), [(1, 3), (2, 2), (3, 5), (8, 5)])
def test_dotted_and_dashed_rules_go(on: int, off: int) -> None:
    crop = np.full((80, 400), PAPER, np.uint8)
    dots = np.arange(400) % (on + off) < on
    crop[60:62, dots] = 60
    cv2.putText(crop, "Amount 7", (30, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 30, 3, cv2.LINE_AA)
    ink = normalize_ink(crop)
    clean = remove_rules(ink)
    assert np.count_nonzero(clean[60:62]) <= 0.05 * np.count_nonzero(ink[60:62])
    assert np.array_equal(clean[:56], ink[:56])


@settings(max_examples=60, deadline=None)
@given(seeds, st.text("ETLFHZtfl17420-=+._/|BDOQ", min_size=1, max_size=12))
def test_writing_without_rules_comes_back_bit_for_bit(seed: int, text: str) -> None:
    rng = np.random.default_rng(seed)
    thick = int(rng.integers(2, 6))
    scale = rng.uniform(1.0, 1.8)
    (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    pad = int(rng.integers(4, 24))
    crop = np.full((h + 2 * pad, w + 2 * pad), PAPER, np.uint8)
    cv2.putText(crop, text, (pad, h + pad), cv2.FONT_HERSHEY_SIMPLEX, scale, 40, thick, cv2.LINE_AA)
    ink = normalize_ink(crop)
    assert np.array_equal(remove_rules(ink), ink)


@pytest.mark.parametrize("text", ["1", "l", "-", "=", "T", "7", "E", "H", "0", "B", "D", "/"])
@pytest.mark.parametrize("side", [28, 60])
def test_a_lone_glyph_in_its_cell_is_untouched(text: str, side: int) -> None:
    crop = np.full((side, side), PAPER, np.uint8)
    scale, thick = side / 40, max(2, side // 9)
    (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    at = ((side - w) // 2, (side + h) // 2)
    cv2.putText(crop, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, 40, thick, cv2.LINE_AA)
    (ink,) = field_ink(crop, Field("cell", cells=1))
    assert ink.offset == (0, 0)
    assert np.array_equal(ink.pixels, normalize_ink(crop))


@pytest.mark.parametrize("comb", [False, True])
@pytest.mark.parametrize("n", range(2, 21))
def test_cells_are_found_by_their_lines(n: int, comb: bool) -> None:
    for seed in range(3):
        crop, x, slope = printed_row(np.random.default_rng(100 * n + seed), n, comb=comb)
        boxes = np.array(split_cells(normalize_ink(crop), n))
        assert boxes.shape == (n, 4)
        lean = abs(slope) * crop.shape[0] / 2  # a border leans to and fro about its middle
        assert np.abs(boxes[:, 0] - x[:-1]).max() <= 2 + lean
        assert np.abs(boxes[:, 2] - x[1:]).max() <= 2 + lean


@pytest.mark.parametrize("n", [3, 5, 8, 12])
def test_missing_end_lines_are_made_up(n: int) -> None:
    crop, x, slope = printed_row(np.random.default_rng(n), n, comb=False, ends=False)
    boxes = np.array(split_cells(normalize_ink(crop), n))
    lean = abs(slope) * crop.shape[0] / 2
    assert np.abs(boxes[:, 0] - x[:-1]).max() <= 3 + lean
    assert np.abs(boxes[:, 2] - x[1:]).max() <= 3 + lean


@pytest.mark.parametrize("comb", [False, True])
@pytest.mark.parametrize("n", [2, 5, 12, 20])
def test_empty_cells_are_blank_and_written_ones_are_not(n: int, comb: bool) -> None:
    rng = np.random.default_rng(n)
    crop, x, slope = printed_row(rng, n, comb=comb)
    h, w = crop.shape
    written = [k for k in range(n) if k % 2 == 0]
    for k in written:
        at = (round((x[k] + x[k + 1]) / 2 - 6), round(0.6 * h + slope * (x[k] - w / 2)))
        cv2.putText(crop, "5", at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 30, 2, cv2.LINE_AA)
    inks = field_ink(crop, Field("code", cells=n))
    assert [k for k in range(n) if not is_blank(inks[k].pixels)] == written


def test_boxes_that_stand_apart_are_single_cells() -> None:
    crop = np.full((70, 300), PAPER, np.uint8)
    for k in range(6):
        cv2.rectangle(crop, (12 + 47 * k, 12), (12 + 47 * k + 36, 58), 70, 2)
    boxes = np.array(split_cells(normalize_ink(crop), 6))
    assert np.abs(boxes[:, 0] - (12 + 47 * np.arange(6))).max() <= 2
    assert np.abs(boxes[:, 2] - (48 + 47 * np.arange(6))).max() <= 2


def test_without_lines_the_crop_is_divided_evenly() -> None:
    ink = np.zeros((40, 200), np.uint8)
    assert split_cells(ink, 4) == tuple((50.0 * k, 0.0, 50.0 * k + 50, 40.0) for k in range(4))
    assert split_cells(ink, 1) == ((0.0, 0.0, 200.0, 40.0),)


def test_a_tail_that_reaches_next_door_goes_home() -> None:
    ink = np.zeros((60, 120), np.uint8)
    cv2.line(ink, (20, 10), (30, 45), 255, 3)
    cv2.line(ink, (30, 45), (70, 50), 255, 3)  # ten pixels into the second cell
    cv2.line(ink, (90, 15), (90, 45), 255, 3)
    first, second = cell_inks(ink, ((0, 0, 60, 60), (60, 0, 120, 60)))
    assert first.offset == (0, 0)
    assert first.pixels.shape[1] >= 70
    assert np.count_nonzero(second.pixels[:, : 80 - second.offset[0]]) == 0
    total = first.pixels.astype(int).sum() + second.pixels.astype(int).sum()
    assert total == ink.astype(int).sum()


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5, 300), (300, 5), (40, 40), (30, 400)])
@pytest.mark.parametrize("value", [0, 255])
def test_any_shape_is_taken(shape: tuple[int, int], value: int) -> None:
    crop = np.full(shape, value, np.uint8)
    for cells in (None, 1, 2, 7):
        inks = field_ink(crop, Field("any", cells=cells))
        assert len(inks) == (cells or 1)
        assert all(is_blank(ink.pixels) and ink.pixels.size for ink in inks)
        assert not any(is_struck(ink.pixels) for ink in inks)
    assert signature_present(normalize_ink(crop)) == 0


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_noise_never_breaks_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    h, w = rng.integers(1, 90), rng.integers(1, 300)
    crop = rng.integers(0, 256, (h, w)).astype(np.uint8)
    cells = int(rng.integers(1, 9))
    assert len(field_ink(crop, Field("any", cells=cells))) == cells


def test_grain_specks_and_a_rule_are_blank_but_a_full_stop_and_a_one_are_not() -> None:
    rng = np.random.default_rng(0)
    paper = np.clip(rng.normal(PAPER, 4, (80, 400)), 0, 255).astype(np.uint8)
    speck, ruled, stop, one = (paper.copy() for _ in range(4))
    speck[[20, 50, 51], [30, 200, 200]] = 60
    ruled[65:67] = 90
    cv2.circle(stop, (200, 60), 3, 40, -1, cv2.LINE_AA)
    cv2.line(one, (200, 20), (198, 60), 40, 4, cv2.LINE_AA)
    crops = (paper, speck, ruled, stop, one)
    blank = [is_blank(field_ink(crop, Field("text"))[0].pixels) for crop in crops]
    assert blank == [True, True, True, False, False]


def test_a_scribble_is_struck_and_a_bold_eight_is_not() -> None:
    rng = np.random.default_rng(1)
    scribbled = np.zeros((60, 60), np.uint8)
    points = rng.integers(12, 48, (40, 2)).astype(np.int32)
    cv2.polylines(scribbled, [points], False, 255, 4)
    bold = np.zeros((60, 60), np.uint8)
    cv2.putText(bold, "8", (16, 48), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 255, 7, cv2.LINE_AA)
    assert is_struck(scribbled)
    assert not is_struck(bold)


def test_a_signature_on_its_rule_is_present_and_the_rule_alone_is_not() -> None:
    crop = np.full((90, 360), PAPER, np.uint8)
    crop[70:72] = 90
    assert signature_present(normalize_ink(crop)) == 0
    x = np.arange(40, 300)
    wave = np.stack([x, 50 + 25 * np.sin(x / 9.0)], 1).round().astype(np.int32)
    cv2.polylines(crop, [wave], False, 40, 3, cv2.LINE_AA)
    assert signature_present(normalize_ink(crop)) >= 0.9


@pytest.fixture(scope="module")
def mnist() -> Gray:
    """The first 2000 digits of the test set, dark on light."""
    root = Path(os.environ.get("EDGE_HWR_DATA", Path(__file__).parents[2] / "data"))
    path = root / "mnist/MNIST/raw/t10k-images-idx3-ubyte.gz"
    if not path.is_file():
        pytest.skip("the MNIST test set is not here; set EDGE_HWR_DATA to the data's folder")
    pixels = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16)
    return np.asarray(255 - pixels.reshape(-1, 28, 28)[:2000], np.uint8)


def test_digits_in_one_cell_keep_all_their_ink(mnist: Gray) -> None:
    for crop in mnist:
        (ink,) = field_ink(crop, Field("digit", cells=1))
        assert np.array_equal(ink.pixels, normalize_ink(crop))


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 120))),
    st.sampled_from([None, 1, 2, 5]),
)
def test_no_picture_is_too_strange_to_segment(crop: Gray, cells: int | None) -> None:
    inks = field_ink(crop, Field("any", cells=cells))
    assert len(inks) == (cells or 1)


def test_a_line_that_runs_off_the_crop_is_no_crash() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):  # faint small digits are where it happened
        crop = np.full((28, 28), 255, np.uint8)
        points = rng.integers(0, 28, (4, 2)).astype(np.int32)
        cv2.polylines(crop, [points], False, int(rng.integers(100, 220)), 1)
        assert len(field_ink(crop, Field("digit", cells=1))) == 1


def test_the_foot_of_a_zero_on_the_rule_stays() -> None:
    crop = np.full((60, 300), PAPER, np.uint8)
    for x in (60, 120, 180, 240):
        cv2.ellipse(crop, (x, 32), (13, 18), 0, 0, 360, 30, 3, cv2.LINE_AA)
    ring = crop < 128
    cv2.line(crop, (0, 50), (300, 50), 60, 2, cv2.LINE_AA)
    ink = normalize_ink(crop)
    clean = remove_rules(ink)
    assert clean[ring].sum() >= 0.97 * ink[ring].sum()
    assert clean[50, :40].max() == 0  # beside the zeros the rule has gone


def comb(n: int, *, pitch: int, h: int, thick: int) -> Gray:
    """A rail with teeth a quarter of its height, ink bright on black."""
    ink = np.zeros((h, n * pitch + 20), np.uint8)
    low = h - 8
    line(ink, (10, low), (10 + n * pitch, low), 170, thick)
    for at in range(n + 1):
        line(ink, (10 + at * pitch, low), (10 + at * pitch, low - h // 4), 170, thick)
    return ink


@pytest.mark.parametrize("pitch", [30, 36, 44])
@pytest.mark.parametrize("char", "0683")
def test_the_rail_under_narrow_cells_goes_though_glyphs_stand_on_it(pitch: int, char: str) -> None:
    n, h = 4, 56
    ink = comb(n, pitch=pitch, h=h, thick=3)
    size = 0.028 * pitch
    for at in range(n):
        place = (round(10 + (at + 0.18) * pitch), h - 9)
        cv2.putText(ink, char, place, cv2.FONT_HERSHEY_SIMPLEX, size, 255, 2, cv2.LINE_AA)
    cells = field_ink(on_paper(ink, 40), Field("row", kind="digits", cells=n))
    assert len(cells) == n
    for cell in cells:
        assert not is_blank(cell.pixels)
        # Each cell holds its own glyph and no rail that would tie it to the next.
        filled = np.flatnonzero((cell.pixels >= 90).any(axis=0))
        assert np.ptp(filled) < 1.1 * pitch


def test_a_pale_stroke_is_ink_and_grain_is_not() -> None:
    rng = np.random.default_rng(3)
    grain = rng.integers(0, 24, (44, 36)).astype(np.uint8)
    assert is_blank(grain)
    pale = grain.copy()
    line(pale, (9, 22), (27, 22), 80, 2)  # a dash in pencil
    assert not is_blank(pale)
    rough = rng.integers(0, 70, (44, 36)).astype(np.uint8)
    assert is_blank(rough)


def test_bars_of_glyphs_in_a_row_are_no_rails() -> None:
    h, pitch = 48, 26
    ink = np.zeros((h, 2 * pitch + 12), np.uint8)
    cv2.rectangle(ink, (5, 4), (5 + 2 * pitch, h - 5), 150, 1)
    cv2.line(ink, (5 + pitch, 4), (5 + pitch, h - 5), 150, 1)
    for at in range(2):
        middle = (round(5 + (at + 0.5) * pitch), h // 2)
        cv2.ellipse(ink, middle, (11, 6), 0, 0, 360, 255, 3, cv2.LINE_AA)
    cells = field_ink(on_paper(ink, 30), Field("row", kind="digits", cells=2))
    for cell in cells:
        # A flat nought keeps its upper and its lower bow.
        assert (cell.pixels >= 150).sum() > 100


def test_a_box_is_looked_for_only_where_one_can_be() -> None:
    boxed = np.zeros((60, 300), np.uint8)
    turned = cv2.getRotationMatrix2D((150, 30), 0.6, 1)
    cv2.rectangle(boxed, (8, 6), (291, 53), 200, 2)
    boxed = np.asarray(cv2.warpAffine(boxed, turned, (300, 60)), np.uint8)
    assert may_hold_box(boxed)
    written = scribble(np.random.default_rng(0), 60, 300, 3)
    assert not may_hold_box(written)
    line(written, (0, 52), (299, 50), 200, 2)  # a rule below is no box
    assert not may_hold_box(written)
