"""What ink meets on its way to a crop: paper, print, rules, cameras, scanners.

Owns:   `Paper` (a store of textures) and `Paper.photograph`: coverage in, crop out.
Needs:  numpy, cv2.
Words:  *coverage* is 255 where ink covers the paper; the *crop* is dark ink on light paper.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.preprocess import Gray

Rng = np.random.Generator
_TILE = (160, 1400)  # rows, columns: larger than any crop that is drawn
CLEAN = 0.3  # of the crops come from a good scanner: what a hand's shapes mean is learnt there
_TILES = 48  # of each kind; windows, flips and strengths make them many


class Paper:
    """Textures drawn once, of which every crop gets windows.

    Args:
        rng: Draws them.
        clean: Part of the crops that come from a good scanner.
    """

    def __init__(self, rng: Rng, *, clean: float = CLEAN) -> None:
        self._clean = clean
        self._grain = [_grain(rng) for _ in range(_TILES)]
        self._clouds = [_clouds(rng) for _ in range(_TILES)]
        self._guilloche = [_guilloche(rng) for _ in range(_TILES)]

    def photograph(self, coverage: Gray, rng: Rng) -> Gray:
        """Put ink on paper and take the picture.

        Args:
            coverage: uint8 (h, w).

        Returns:
            uint8 (h, w), about the same size: a low resolution shrinks it.
        """
        ink = coverage.astype(np.float32) * np.float32(1 / 255)
        h, w = ink.shape
        clean = bool(rng.random() < self._clean)
        if not clean and rng.random() < 0.3:  # grain that the pen leaves bare
            ink *= 1 - rng.uniform(0.1, 0.6) * np.abs(self._window(self._grain, h, w, rng))
        ink = _rules(ink, rng)
        if not clean and rng.random() < 0.05:
            ink = _strike_out_band(ink, rng)
        light = rng.uniform(0.55, 1.0)
        dark = (
            light * rng.uniform(0.0, 0.72)
            if clean or rng.random() < 0.85
            else light * rng.uniform(0.6, 0.82)
        )
        paper = np.full((h, w), light, np.float32)
        if rng.random() < 0.5:
            paper += rng.uniform(0.01, 0.06) * self._window(self._clouds, h, w, rng)
        if rng.random() < 0.17:
            paper -= (
                light
                * min(rng.uniform(0.03, 0.28), 0.75 * (1 - dark / light))
                * self._window(self._guilloche, h, w, rng)
            )
        if rng.random() < 0.25:
            along = np.linspace(-0.5, 0.5, w, dtype=np.float32)
            down = np.linspace(-0.5, 0.5, h, dtype=np.float32)[:, None]
            paper *= 1 + rng.normal(0, 0.12) * along + rng.normal(0, 0.06) * down
        picture = paper + (dark - light) * ink
        if not clean and rng.random() < 0.55:
            sigma = rng.uniform(0.3, max(0.5, 0.022 * h))
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
        if not clean and rng.random() < 0.05:
            picture = _motion(picture, rng)
        if rng.random() < 0.8:
            most = 0.004 + (0.04 if clean else 0.12) * (
                light - dark
            )  # stronger grain hides faint ink from people too
            picture = picture + rng.uniform(0.003, most) * self._window(self._grain, h, w, rng)
        out = np.clip(picture * 255, 0, 255).astype(np.uint8)
        return out if clean else _digitise(out, rng)

    def again(self, crop: Gray, rng: Rng) -> Gray:
        """Another picture of a real crop: a little blur, grain and coding on top of its own."""
        picture = crop.astype(np.float32)
        if rng.random() < 0.3:
            sigma = rng.uniform(0.3, max(0.5, 0.015 * len(crop)))
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
        if rng.random() < 0.5:
            picture = picture + rng.uniform(0.5, 8) * self._window(
                self._grain, crop.shape[0], crop.shape[1], rng
            )
        return _digitise(np.clip(picture, 0, 255).astype(np.uint8), rng)

    def _window(
        self, tiles: list[NDArray[np.float32]], h: int, w: int, rng: Rng
    ) -> NDArray[np.float32]:
        tile = tiles[int(rng.integers(len(tiles)))]
        if h > tile.shape[0] or w > tile.shape[1]:
            tile = np.pad(
                tile, ((0, max(0, h - tile.shape[0])), (0, max(0, w - tile.shape[1]))), "wrap"
            )
        y = int(rng.integers(tile.shape[0] - h + 1))
        x = int(rng.integers(tile.shape[1] - w + 1))
        window = tile[y : y + h, x : x + w]
        if rng.random() < 0.5:
            window = window[::-1]
        return window[:, ::-1] if rng.random() < 0.5 else window


def _grain(rng: Rng) -> NDArray[np.float32]:
    tile = rng.normal(size=_TILE).astype(np.float32)
    if rng.random() < 0.6:
        tile = np.asarray(cv2.GaussianBlur(tile, (0, 0), rng.uniform(0.5, 1.5)), np.float32)
    return np.asarray(tile / tile.std(), np.float32)


def _clouds(rng: Rng) -> NDArray[np.float32]:
    small = rng.normal(size=(_TILE[0] // 10, _TILE[1] // 10)).astype(np.float32)
    tile = cv2.resize(
        cv2.GaussianBlur(small, (0, 0), rng.uniform(0.8, 3)),
        _TILE[::-1],
        interpolation=cv2.INTER_CUBIC,
    )
    return np.asarray(tile / tile.std(), np.float32)


def _guilloche(rng: Rng) -> NDArray[np.float32]:
    """Security print: families of fine waving lines, hatching or dots; 0..1, 1 is print."""
    h, w = _TILE
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    out = np.zeros(_TILE, np.float32)
    for _ in range(int(rng.integers(1, 4))):
        angle, pitch = rng.uniform(0, np.pi), rng.uniform(2.5, 14)
        u = x * np.cos(angle) + y * np.sin(angle)
        v = -x * np.sin(angle) + y * np.cos(angle)
        wave = rng.uniform(0, 12) * np.sin(2 * np.pi * u / rng.uniform(30, 250) + rng.uniform(0, 6))
        wave += rng.uniform(0, 4) * np.sin(2 * np.pi * u / rng.uniform(10, 60))
        lines = np.cos(2 * np.pi * (v + wave) / pitch)
        out = np.maximum(out, np.clip((lines - rng.uniform(0.0, 0.8)) * 3, 0, 1))
    if rng.random() < 0.2:  # a raster of dots
        pitch = rng.uniform(2.5, 6)
        dots = np.cos(2 * np.pi * x / pitch) * np.cos(2 * np.pi * y / pitch)
        out = np.maximum(out, np.clip(dots * 2, 0, 1))
    return np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 0.9)), np.float32)


def _rules(ink: NDArray[np.float32], rng: Rng) -> NDArray[np.float32]:
    """Printed rules under and through the ink, rests of boxes at the edges, neighbours' ink."""
    h, w = ink.shape
    chance = rng.random()
    if chance < 0.2:  # a rule at or near the foot, solid or dotted, slightly skew
        level, thick = rng.uniform(0.3, 1.0), int(rng.integers(1, 2 + h // 30))
        y0 = h * rng.uniform(0.72, 1.0)
        y1 = y0 + w * rng.normal(0, 0.006)
        line = np.zeros((h, w), np.float32)
        cv2.line(line, (0, round(y0)), (w, round(y1)), level, thick, cv2.LINE_AA)
        if rng.random() < 0.25:
            pitch = int(rng.integers(3, 9))
            line[:, np.arange(w) % pitch < pitch // 2] = 0
        ink = np.maximum(ink, line)
    elif chance < 0.27:  # what is left of a box
        level, thick = rng.uniform(0.3, 1.0), int(rng.integers(1, 3))
        box = np.zeros((h, w), np.float32)
        left, top = (int(rng.integers(0, 4)) for _ in range(2))
        for side in range(4):
            if rng.random() < 0.5:
                ends = [
                    ((left, 0), (left, h)),
                    ((w - 1 - left, 0), (w - 1 - left, h)),
                    ((0, top), (w, top)),
                    ((0, h - 1 - top), (w, h - 1 - top)),
                ][side]
                cv2.line(box, *ends, level, thick, cv2.LINE_AA)
        ink = np.maximum(ink, box)
    if rng.random() < 0.05:  # a neighbour's ink reaches in from above or below
        rows = max(2, h // 12)
        piece = np.roll(ink, int(rng.integers(w)), axis=1)[h // 2 : h // 2 + rows]
        target = ink[:rows] if rng.random() < 0.5 else ink[-rows:]
        np.maximum(target, piece * (rng.random() < 0.7), out=target)
    if rng.random() < 0.06:  # specks
        for _ in range(int(rng.integers(1, 6))):
            at = (int(rng.integers(w)), int(rng.integers(h)))
            cv2.circle(ink, at, int(rng.integers(0, 2)), float(rng.uniform(0.3, 1)), -1)
    return ink


def _strike_out_band(ink: NDArray[np.float32], rng: Rng) -> NDArray[np.float32]:
    """What rule removal takes with it: a thin band across the strokes fades."""
    h = ink.shape[0]
    y = int(h * rng.uniform(0.5, 0.95))
    ink[y : y + int(rng.integers(1, 2 + h // 40))] *= rng.uniform(0, 0.5)
    return ink


def _motion(picture: NDArray[np.float32], rng: Rng) -> NDArray[np.float32]:
    n = int(rng.integers(3, 6))
    kernel = np.zeros((n, n), np.float32)
    cv2.line(kernel, (0, int(rng.integers(n))), (n - 1, int(rng.integers(n))), 1.0, 1)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.float32)


def _digitise(out: Gray, rng: Rng) -> Gray:
    """JPEG, a low resolution, or a scanner's threshold."""
    chance = rng.random()
    if chance < 0.2:
        coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 92))])[1]
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    if chance < 0.32 and out.shape[0] > 30:
        factor = rng.uniform(max(0.4, 26 / out.shape[0]), 1.0)
        small = cv2.resize(out, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)
    if chance < 0.38:
        ink, paper = (float(level) for level in np.percentile(out, (2, 70)))
        return np.where(out < paper - (paper - ink) * rng.uniform(0.25, 0.55), 0, 255).astype(
            np.uint8
        )
    return out
