"""Negatives become positive, pale copies find their form, and ordinary pages stay as they are."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.reader import Reader
from edge_runtime.register import register
from edge_runtime.tone import positive, strengthened
from tests.runtime.test_register import blank, draw, error_px, scan, template

Gray = NDArray[np.uint8]
EXAMPLE = Path(__file__).parents[2] / "examples" / "account-opening.png"


def example() -> Gray:
    return np.asarray(cv2.imread(str(EXAMPLE), cv2.IMREAD_GRAYSCALE), np.uint8)


def pale(page: Gray, part: float) -> Gray:
    """A copy with part of its ink left."""
    grain = np.random.default_rng(4).normal(0, 1.5, page.shape)
    return np.clip(245 - part * (245 - page.astype(np.float32)) + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("bilevel", [False, True])
def test_a_negative_is_turned_positive(bilevel: bool) -> None:
    page = np.where(example() > 128, np.uint8(255), np.uint8(0)) if bilevel else example()
    assert np.array_equal(positive(255 - page), page)
    assert positive(page) is page


def test_a_negative_whose_scanner_had_a_black_lid_is_turned_positive() -> None:
    rim = cv2.copyMakeBorder(example(), 60, 60, 160, 60, cv2.BORDER_CONSTANT, value=(15,))
    page = np.asarray(rim, np.uint8)
    assert np.array_equal(positive(255 - page), page)
    assert positive(page) is page


@pytest.mark.parametrize("part", [0.15, 0.25, 0.4])
def test_a_sheet_on_a_black_desk_is_no_negative(part: float) -> None:
    desk = np.full((1600, 1200), 22, np.uint8)
    sheet = cv2.resize(example(), None, fx=part, fy=part, interpolation=cv2.INTER_AREA)
    h, w = sheet.shape
    desk[300 : 300 + h, 200 : 200 + w] = sheet[: 1600 - 300, : 1200 - 200]
    turn = cv2.getRotationMatrix2D((600.0, 800.0), 8.0, 1.0)
    desk = np.asarray(cv2.warpAffine(desk, turn, (1200, 1600), borderValue=(22,)), np.uint8)
    assert np.median(desk) < 60
    assert positive(desk) is desk
    night = np.full((1600, 1200), 22, np.uint8)
    assert positive(night) is night


def test_only_pale_pages_are_made_stronger() -> None:
    page = example()
    assert strengthened(page) is page
    empty = np.full((900, 700), 240, np.uint8)
    assert strengthened(empty) is empty
    for part in (0.45, 0.3):
        strong = strengthened(pale(page, part))
        ink = page < 90
        assert np.median(strong[ink]) < 120
        assert np.median(strong[page > 230]) > 225


def test_a_pale_copy_is_laid_on_its_reference(tmp_path: Path) -> None:
    path = blank(tmp_path / "blank.png")
    page, truth = scan(draw(marks=False), dpi=150, skew=1)
    found = register(pale(page, 0.2), template(marks=False, reference=path))
    assert found.method == "features"
    assert error_px(found, truth) < 1


def test_a_negative_reads_as_its_positive(tiny_reader: Reader) -> None:
    page = example()
    form = EXAMPLE.with_suffix(".yaml")
    read = partial(tiny_reader.read, template=form)
    assert read(255 - page).fields == read(page).fields
