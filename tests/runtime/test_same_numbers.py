"""What of a page is worked out in a shorter way comes to the numbers of the plain one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_runtime import cover, marks, nudge, profiles, sheet_edges, tone
from edge_runtime.field import Field
from edge_runtime.glyphs import map_box, map_boxes
from edge_runtime.levels import grey_percentile, grey_percentiles
from edge_runtime.outlines import Outlines
from edge_runtime.place import placed_crops

_SHAPES = [(1, 1), (1, 2), (2, 7), (33, 40), (120, 91)]


def _grey(shape: tuple[int, int], seed: int, *, sigma: float = 0.0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), sigma) if sigma else noise


@pytest.mark.parametrize("shape", _SHAPES)
def test_percentiles_are_those_of_numpy(shape: tuple[int, int]) -> None:
    picture = _grey(shape, 1) // 3
    asked = (0, 0.1, 25, 50, 77.7, 99.9, 100)
    assert grey_percentiles(picture, *asked) == tuple(np.percentile(picture, asked).tolist())
    assert grey_percentile(picture[::2, ::3], 50) == float(np.median(picture[::2, ::3]))


@pytest.mark.parametrize("seed", range(8))
def test_squares_in_a_part_of_a_mask_are_those_at_each_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = (rng.random((60, 75)) < 0.4).astype(np.uint8)
    left, top, side = int(rng.integers(-20, 50)), int(rng.integers(-20, 40)), 3 + 9 * seed
    x, y = np.meshgrid(left + np.arange(31), top + np.arange(24))
    whole = Outlines(mask)
    assert np.array_equal(whole.supports(left, top, (24, 31), side), whole.support(x, y, side))


def test_a_rectangle_is_likened_as_by_a_picture_of_it() -> None:
    patch = _grey((90, 104), 2, sigma=3)
    patch[30:64, 40:66] //= 4
    shape = np.full((34 + 14, 26 + 14), 255, np.uint8)
    shape[7:-7, 7:-7] = 0
    want = cv2.matchTemplate(patch, shape, cv2.TM_CCOEFF_NORMED)
    have = marks._likeness(patch, (26, 34), 7)
    assert np.abs(have - want).max() < 1e-3
    assert np.unravel_index(have.argmax(), have.shape) == (30 - 7, 40 - 7)
    assert not marks._likeness(np.full_like(patch, 200), (26, 34), 7).any()


def test_ridges_and_means_along_lines_are_those_of_blurs() -> None:
    depth = _grey((70, 90), 3)
    ridge = profiles.ridges(depth)
    image = cv2.blur(depth, (1, 3)).astype(int)
    above, below = image[3:-3] - image[:-6], image[3:-3] - image[6:]
    want = np.minimum(above, below).clip(0, profiles.CAP)
    assert np.array_equal(ridge[3:-3], want)
    assert not ridge[:3].any()
    assert not ridge[-3:].any()
    rows, columns = np.mgrid[: ridge.shape[0], : ridge.shape[1]]
    means = profiles._along(ridge, rows, columns)
    assert np.array_equal(means, cv2.blur(ridge, (profiles.PIECE_PX, 1)))


def test_several_paths_are_the_best_ones_each() -> None:
    worth = np.random.default_rng(4).random((3, 9, 11)).astype(np.float32)
    for each, path in zip(worth, sheet_edges._courses(worth), strict=True):
        total = each[0].astype(float)
        for row in each[1:]:
            came = [
                max(total[j] - sheet_edges._STIFF * abs(i - j) for j in range(11) if abs(i - j) < 3)
                for i in range(11)
            ]
            total = np.array(came) + row
        moves = np.abs(np.diff(path))
        own = each[np.arange(9), path].sum() - sheet_edges._STIFF * moves.sum()
        assert moves.max() <= 2
        assert own == pytest.approx(total.max(), abs=1e-5)


def test_likelihoods_are_those_of_the_normal_distribution() -> None:
    rng = np.random.default_rng(5)
    n = 30
    one = nudge.Measured(
        rng.uniform(0, 200, (n, 2)), rng.normal(0, 0.5, n), np.arange(n) // 3,
        np.zeros(n), np.ones(n, bool),
    )  # fmt: skip
    part = nudge._part(one, np.array([(5.0, 5.0), (190.0, 280.0)]).tobytes(), 297.0, 1.0)
    for scale in (0.2, 1.0, 2.5):
        whole = scale**2 * part.kernel + part.noise
        _, log_det = np.linalg.slogdet(whole)
        want = -0.5 * (part.values @ np.linalg.solve(whole, part.values) + log_det)
        assert part.log_likelihood(scale) == pytest.approx(want, rel=1e-9)


def test_a_fit_is_kept_for_its_own_measurements_alone() -> None:
    def shifted(by: float) -> np.ndarray:
        points = np.array([(20.0 + 15 * k, 40.0 + 20 * k) for k in range(10)])
        full = np.full(10, by)
        one = nudge.Measured(points, full, np.arange(10), np.zeros(10), np.ones(10, bool))
        return nudge.fit_nudge((210, 297), one, one, pins=np.empty((0, 2))).moved(points) - points

    assert np.allclose(shifted(1.0), 1.0, atol=0.2)
    assert np.allclose(shifted(-1.0), -1.0, atol=0.2)


def _glare_by_the_page(page: np.ndarray, corners: np.ndarray) -> tuple[float, ...]:
    h, w = (edge // 8 for edge in page.shape)
    small = cv2.resize(page[: 8 * h, : 8 * w], (w, h), interpolation=cv2.INTER_AREA)
    if np.percentile(small, 80) >= 247:
        return (0.0,) * len(corners)
    clipped = (small >= 252).astype(np.uint8)
    glare = cv2.morphologyEx(clipped, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    parts = []
    for one in corners / 8:
        x0, y0 = np.floor(one.min(axis=0)).astype(int).clip(0)
        x1, y1 = np.ceil(one.max(axis=0)).astype(int) + 1
        parts.append(float(glare[y0:y1, x0:x1].mean()) if glare[y0:y1, x0:x1].size else 0.0)
    return tuple(parts)


@pytest.mark.parametrize("paper", [200, 246, 248, 255])
@pytest.mark.parametrize("glare", [0, 40, 300])
def test_glare_is_what_all_of_the_page_says(paper: int, glare: int) -> None:
    page = np.full((400, 500), paper, np.uint8)
    if glare:
        cv2.circle(page, (250, 200), glare, 255, -1)
    boxes = [(20, 30, 180, 60), (200, 150, 330, 210), (450, 380, 560, 440), (600, 10, 640, 30)]
    corners = np.array([[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes], np.float64)
    assert cover.washed_out(page, corners) == pytest.approx(_glare_by_the_page(page, corners))


@pytest.mark.parametrize("shape", [(60, 130), (700, 500)])
def test_ink_is_measured_patch_by_patch(shape: tuple[int, int]) -> None:
    page = np.full(shape, 210, np.uint8)
    for at in range(10, min(shape), 29):
        cv2.line(page, (at, 5), (at + 9, shape[0] - 5), 90, 2)
    kernel, counts = np.ones((15, 15), np.uint8), np.zeros(256)
    rows, cols = (np.linspace(0, max(0, edge - 96), 6).astype(int) for edge in shape)
    for y in rows:
        for x in cols:
            patch = page[y : y + 96, x : x + 96].copy()
            depth = cv2.morphologyEx(patch, cv2.MORPH_BLACKHAT, kernel)
            counts += np.bincount(depth.ravel(), minlength=256)
    total = counts.sum()
    counts[:12] = 0
    fair = 0.003 * total <= counts.sum() <= 0.15 * total
    want = float(np.searchsorted(counts.cumsum(), 0.9 * counts.sum())) if fair else 0.0
    assert want > 0
    assert tone._ink_of(page) == want


def test_fields_cut_together_are_as_cut_alone() -> None:
    page = _grey((500, 400), 6, sigma=2)
    lean = np.array([[1.0, 0.02, 3], [-0.02, 1.01, 4], [1e-6, 2e-6, 1]])
    fields = [
        Field(name="a", kind="text", box=(20, 30, 200, 60)),
        Field(name="b", kind="checkbox", box=(220, 30, 240, 50)),
        Field(name="c", kind="code", box=(20, 90, 140, 120), cells=((20, 90, 80, 120),) * 2),
    ]
    for field, one in zip(fields, placed_crops(page, fields, lean), strict=True):
        (alone,) = placed_crops(page, [field], lean)
        assert np.array_equal(one.pixels, alone.pixels)
        assert one.box == pytest.approx(alone.box)
        assert one.inside == pytest.approx(alone.inside)
        assert one.field.n_cells == alone.field.n_cells
    assert placed_crops(page, [], lean) == ()


def test_boxes_carried_together_are_as_carried_alone() -> None:
    boxes = [(0.0, 0.0, 10.0, 5.0), (3.5, 2.0, 99.0, 44.0)]
    lean = np.array([[1.0, 0.1, 3], [-0.1, 1.01, 4], [1e-4, 2e-5, 1]])
    alone = [map_box(box, lean) for box in boxes]
    assert np.allclose(map_boxes(boxes, lean), alone)
    corners = cv2.perspectiveTransform(np.array([[(3.5, 2.0), (99, 2), (99, 44), (3.5, 44)]]), lean)
    assert alone[1] == pytest.approx((*corners[0].min(axis=0), *corners[0].max(axis=0)))
