"""What happens to a picture on its way: sixteen corruptions, three strengths each.

Twelve are of MNIST-C's kind (Mu and Gilmer 2019: all but translation, glass blur and Canny edges);
defocus, JPEG, contrast and an elastic sheet come from ImageNet-C (Hendrycks and Dietterich 2019)
and Simard et al. 2003. Written anew after those descriptions, for dark ink on light paper. Where
ImageNet-C has a number that does not depend on the size of the picture, strengths 1, 2, 3 are its
severities 1, 2, 3; other sizes are parts of an *em*, the height of a line of writing.

Owns:   `CORRUPTIONS`, `corrupt`.
Needs:  numpy, cv2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # (h, w) grey or (h, w, 3)
Floats = NDArray[np.float32]
Corruption = Callable[[Picture, int, float, np.random.Generator], Picture]

STRENGTHS = (1, 2, 3)
_EMS_A_MARK = 8  # a page has a line, zigzag or stripe to so many lines of writing


def corrupt(
    name: str, picture: Picture, strength: int, *, em_px: float, rng: np.random.Generator
) -> Picture:
    """`picture` with one of `CORRUPTIONS`, uint8; what is turned or leant takes more paper.

    Args:
        name: One of `CORRUPTIONS`.
        picture: uint8 (h, w) or (h, w, 3), dark ink on light paper.
        strength: 1, 2 or 3.
        em_px: Height of a line of writing; of a crop, its own height.
        rng: Where the marks fall.
    """
    if strength not in STRENGTHS:
        raise ValueError(f"strength {strength}; give 1, 2 or 3")
    out = CORRUPTIONS[name](picture, strength - 1, em_px, rng)
    return np.ascontiguousarray(out, np.uint8)


def _clipped(values: Floats | NDArray[np.float64]) -> Picture:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _spread(mask: Floats, like: Picture) -> Floats:
    """A plane as broad as the picture: colours share it."""
    return mask if like.ndim == 2 else mask[..., None]


# --- noise --------------------------------------------------------------------------------------


def _shot_noise(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    photons = (60, 25, 12)[at]  # of white; ImageNet-C
    return _clipped(rng.poisson(picture * (photons / 255)) * (255 / photons))


def _impulse_noise(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    share = (0.03, 0.06, 0.09)[at]  # ImageNet-C
    thrown = rng.random(picture.shape[:2])
    out = picture.copy()
    out[thrown < share / 2] = 0
    out[thrown > 1 - share / 2] = 255
    return out


# --- lenses and files ---------------------------------------------------------------------------


def _defocus_blur(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    radius = em * (0.02, 0.035, 0.05)[at]
    side = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-side : side + 1, -side : side + 1]
    disk = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)  # its edge is soft
    return _filtered(picture, disk)


def _motion_blur(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    length, angle = em * (0.06, 0.11, 0.16)[at], rng.uniform(0, np.pi)
    side = int(np.ceil(length / 2)) + 1
    steps = np.linspace(-length / 2, length / 2, 8 * side)
    kernel = np.zeros((2 * side + 1, 2 * side + 1), np.float32)
    spots = np.rint([steps * np.sin(angle), steps * np.cos(angle)]).astype(int) + side
    np.add.at(kernel, (spots[0], spots[1]), 1)
    return _filtered(picture, kernel)


def _filtered(picture: Picture, kernel: Floats) -> Picture:
    out = cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)


def _jpeg(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    quality = (25, 18, 15)[at]  # ImageNet-C
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    flag = cv2.IMREAD_GRAYSCALE if picture.ndim == 2 else cv2.IMREAD_COLOR
    return np.asarray(cv2.imdecode(data, flag), np.uint8)


# --- light --------------------------------------------------------------------------------------


def _contrast(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    left = (0.4, 0.3, 0.2)[at]  # ImageNet-C
    mean = picture.mean(axis=(0, 1))
    return _clipped((picture - mean) * left + mean)


def _brightness(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    return _clipped(picture + 255.0 * (0.1, 0.2, 0.3)[at])  # ImageNet-C


def _fog(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    thick, decay = ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7))[at]  # ImageNet-C
    plasma = _plasma(picture.shape[:2], decay, rng)
    most = float(picture.max()) / 255
    out = (picture / 255.0 + thick * _spread(plasma, picture)) * most / (most + thick)
    return _clipped(255 * out)


def _plasma(shape: tuple[int, int], decay: float, rng: np.random.Generator) -> Floats:
    """Clouds, 0..1: noise of ever finer grain, each octave weaker by `decay`."""
    h, w = shape
    out, weight, cells = np.zeros(shape, np.float32), 1.0, 2
    while cells <= max(h, w):
        size = max(2, round(cells * w / max(h, w))), max(2, round(cells * h / max(h, w)))
        grain = rng.random((size[1], size[0]), dtype=np.float32)
        out += weight * cv2.resize(grain, (w, h), interpolation=cv2.INTER_CUBIC)
        weight, cells = weight / decay, cells * 2
    out -= out.min()
    return np.asarray(out / max(float(out.max()), 1e-6), np.float32)


# --- shape --------------------------------------------------------------------------------------


def _shear(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    lean = (0.2, 0.4, 0.6)[at] * rng.choice((-1, 1))
    return _warped(picture, np.array([[1, lean], [0, 1]]))


def _rotate(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    angle = np.deg2rad((4, 8, 12)[at]) * rng.choice((-1, 1))
    c, s = np.cos(angle), np.sin(angle)
    return _warped(picture, np.array([[c, s], [-s, c]]))


def _scale(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    return _warped(picture, np.eye(2) * (0.8, 0.65, 0.5)[at])


def _warped(picture: Picture, turn: NDArray[np.float64]) -> Picture:
    """About the middle; the paper grows as far as the turned corners reach, and is cut for pages.

    A crop that was cut for the writing would lose its ends: it grows. Pages are large beside that.
    """
    h, w = picture.shape[:2]
    corners = turn @ np.array([[-w, w, -w, w], [-h, -h, h, h]]) / 2
    size = np.maximum(np.ceil(np.abs(corners).max(axis=1) * 2), (w, h)).astype(int)
    move = np.hstack([turn, (size / 2 - turn @ np.array([w / 2, h / 2]))[:, None]])
    paper = np.median(picture.reshape(h * w, -1), axis=0)
    out = cv2.warpAffine(
        picture, move, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=tuple(map(float, paper)),
    )  # fmt: skip
    return np.asarray(out, np.uint8)


def _elastic(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    far, smooth = em * (0.02, 0.035, 0.05)[at], 0.15 * em
    h, w = picture.shape[:2]
    small = max(1.0, smooth / 4)  # the field is smooth: it is drawn small and enlarged
    size = max(2, round(w / small)), max(2, round(h / small))
    shifts = []
    for _ in range(2):
        noise = rng.standard_normal((size[1], size[0])).astype(np.float32)
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), smooth / small), np.float32)
        noise = np.asarray(noise * (far / max(float(noise.std()), 1e-6)), np.float32)
        shifts.append(cv2.resize(noise, (w, h), interpolation=cv2.INTER_LINEAR))
    y, x = np.mgrid[:h, :w].astype(np.float32)
    out = cv2.remap(
        picture, x + shifts[0], y + shifts[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(out, np.uint8)


# --- marks --------------------------------------------------------------------------------------


def _spatter(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    share = (0.01, 0.02, 0.035)[at]
    h, w = picture.shape[:2]
    noise = rng.standard_normal((h, w)).astype(np.float32)
    wet = cv2.GaussianBlur(noise, (0, 0), max(0.8, 0.04 * em))
    edge = float(np.quantile(wet, 1 - share))
    soft = np.clip((wet - edge) / max(float(wet.std()) * 0.2, 1e-6), 0, 1)
    soft = _spread(np.asarray(soft, np.float32), picture)
    return _clipped(picture * (1 - soft) + 80 * soft)  # grey mud


def _dotted_line(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    out, step = picture.copy(), em * 0.09
    w = picture.shape[1]
    for top, bottom in _places(picture, em, rng, each=(1, 2, 3)[at]):
        ends = rng.uniform(top, bottom, 2)
        x = np.arange(rng.uniform(0, step), w, step)
        y = ends[0] + (ends[1] - ends[0]) * x / w
        _dots(out, x, y, radius=0.022 * em)
    return out


def _zigzag(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    out = picture.copy()
    w = picture.shape[1]
    for top, bottom in _places(picture, em, rng, each=1):
        middle, high = rng.uniform(top, bottom), em * (0.06, 0.12, 0.18)[at]
        x = np.arange(0, w + 0.25 * em, 0.25 * em)
        y = middle + high * np.where(np.arange(len(x)) % 2, 1, -1)
        points = np.rint(np.stack([x, y], axis=1) * 8).astype(np.int32)
        width = max(1, round(0.03 * em))
        cv2.polylines(out, [points], False, _ink(picture), width, cv2.LINE_AA, 3)
    return out


def _stripe(picture: Picture, at: int, em: float, rng: np.random.Generator) -> Picture:
    """An inverted band from top to bottom, as MNIST-C's."""
    out, wide = picture.copy(), max(1, round(em * (0.08, 0.16, 0.24)[at]))
    x = int(rng.integers(0, max(1, picture.shape[1] - wide)))
    out[:, x : x + wide] = 255 - out[:, x : x + wide]
    return out


def _places(
    picture: Picture, em: float, rng: np.random.Generator, *, each: int
) -> list[tuple[float, float]]:
    """Rows between which marks lie: the crop's, or bands of a page, `each` times."""
    h = picture.shape[0]
    if h <= 2 * em:
        return [(0.15 * h, 0.85 * h)] * each
    tops = rng.uniform(0, h - em, round(h / (_EMS_A_MARK * em)) * each)
    return [(float(top), float(top + em)) for top in tops]


def _dots(out: Picture, x: NDArray[np.float64], y: NDArray[np.float64], *, radius: float) -> None:
    for spot in zip(x, y, strict=True):
        at = tuple(round(v * 8) for v in spot)
        cv2.circle(out, at, max(4, round(radius * 8)), _ink(out), -1, cv2.LINE_AA, 3)


def _ink(picture: Picture) -> tuple[float, ...]:
    """As dark as the writing."""
    dark = float(np.quantile(picture, 0.02))
    return (dark,) * (1 if picture.ndim == 2 else 3)


CORRUPTIONS: Mapping[str, Corruption] = {
    "shot_noise": _shot_noise,
    "impulse_noise": _impulse_noise,
    "defocus_blur": _defocus_blur,
    "motion_blur": _motion_blur,
    "jpeg": _jpeg,
    "contrast": _contrast,
    "brightness": _brightness,
    "fog": _fog,
    "shear": _shear,
    "rotate": _rotate,
    "scale": _scale,
    "elastic": _elastic,
    "spatter": _spatter,
    "dotted_line": _dotted_line,
    "zigzag": _zigzag,
    "stripe": _stripe,
}
