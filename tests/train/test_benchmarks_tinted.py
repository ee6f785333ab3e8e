"""What the measure of white fields on a tint counts, and the forms that it draws."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.tinted import Seen, Tally, judge, pages
from train.form_tinted import TintedForm, draw_tinted, draw_untinted
from train.photo import Shot


def corners(shot: Shot, box: tuple[float, ...]) -> np.ndarray:
    x0, y0, x1, y1 = box
    return shot.to_picture(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float64))


def drawn(form: TintedForm, shot: Shot, *, off_mm: float = 0.0) -> Seen:
    """What was drawn as if it had been found, a little to the right."""

    def moved(box: tuple[float, ...]) -> np.ndarray:
        return corners(shot, (box[0] + off_mm, box[1], box[2] + off_mm, box[3]))

    return Seen(
        tuple(moved(spot.box) for spot in form.spots),
        tuple(tuple(moved(cell) for cell in spot.cells) for spot in form.spots),
        tuple(spot.look == "check" for spot in form.spots),
    )


def test_the_same_seed_draws_the_same_form() -> None:
    one, two, other = (draw_tinted(np.random.default_rng(seed), filled=True) for seed in (5, 5, 6))
    assert np.array_equal(one.picture, two.picture)
    assert one.spots == two.spots != other.spots


def test_fields_are_paper_and_what_is_around_them_is_darker() -> None:
    for seed in range(4):
        form = draw_tinted(np.random.default_rng(seed), filled=False)
        grey = form.picture.mean(axis=2)
        mm = grey.shape[1] / 210
        for spot in form.spots:
            x0, y0, x1, y1 = (round(edge * mm) for edge in spot.box)
            inside = np.median(grey[y0 + 6 : y1 - 6, x0 + 6 : x1 - 6])
            assert inside == 255
            assert grey[y0 - 14 : y0 - 4, x0:x1].mean() < 255 * (1 - form.depth / 2)


@pytest.mark.parametrize("seed", [61000, 61003])
def test_what_was_drawn_counts_as_found_and_a_little_beside_it_does_not(seed: int) -> None:
    form, shot, _ = pages(seed, "tinted")
    for off_mm, share in ((0.0, 1.0), (3.0, 0.0)):
        tally = Tally("")
        hits = judge(form, shot, drawn(form, shot, off_mm=off_mm), tally)
        assert sum(hits) == share * len(form.spots) == tally.found
        assert tally.cells_found == share * tally.cells


def test_what_lies_in_no_field_is_false() -> None:
    form, shot, _ = pages(61000, "tinted")
    seen = Seen((corners(shot, (20, 10, 60, 16)),), ((),), (False,))
    tally = Tally("")
    judge(form, shot, seen, tally)
    assert (tally.found, tally.false) == (0, 1)


@pytest.mark.parametrize("look", ["zebra", "panels", "headed"])
def test_a_page_that_only_looks_like_it_has_tint_and_no_field(look: str) -> None:
    form = draw_untinted(np.random.default_rng(1), look)
    assert not form.spots
    assert form.depth >= 0.05
    assert (form.picture.mean(axis=2) < 255 * (1 - form.depth / 2)).mean() > 0.05
