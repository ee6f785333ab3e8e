"""What happens to filled forms: glare, slips laid over them, stamps, folds, a scanner's dust.

Owns:   `DAMAGES`, by name; each takes a picture (h, w, 3) BGR and gives one of its kind.
Needs:  numpy, cv2. Nothing of the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
Damage = Callable[[Picture, float, np.random.Generator], Picture]  # pixels a millimetre


def _clipped(values: NDArray[np.floating]) -> Picture:
    return np.asarray(np.clip(np.round(values), 0, 255), np.uint8)


def _mixed(picture: Picture, mask: Floats, colour: tuple[float, float, float]) -> Picture:
    """The picture under a colour, as far as the mask (h, w) says."""
    part = mask[..., None]
    return _clipped(picture * (1 - part) + np.array(colour, np.float32) * part)


def _place(picture: Picture, rng: np.random.Generator) -> tuple[int, int]:
    h, w = picture.shape[:2]
    return int(rng.uniform(0.1, 0.9) * w), int(rng.uniform(0.1, 0.9) * h)


def _none(picture: Picture, per_mm: float, rng: np.random.Generator) -> Picture:
    return picture


def _streaks(picture: Picture, per_mm: float, rng: np.random.Generator) -> Picture:
    """Dust on the glass of a scanner that feeds: up to three thin dark lines, all the way down."""
    h, w = picture.shape[:2]
    mask = np.zeros((h, w), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        x, wide = rng.uniform(0.06, 0.94) * w, rng.uniform(0.08, 0.3) * per_mm
        line = np.clip(wide / 2 + 0.5 - np.abs(np.arange(w) - x), 0, 1) * rng.uniform(0.25, 0.8)
        mask = np.maximum(mask, line.astype(np.float32)[None])
    return _mixed(picture, mask, (30, 30, 30))


def _folds(picture: Picture, per_mm: float, rng: np.random.Generator) -> Picture:
    """Two creases, as of a letter."""
    h, w = picture.shape[:2]
    out = picture.astype(np.float32)
    for part in (1 / 3, 2 / 3):
        at = h * (part + rng.uniform(-0.03, 0.03)) + rng.uniform(-0.01, 0.01) * np.arange(w)
        away = np.arange(h)[:, None] - at[None]
        crease = np.exp(-((away / (rng.uniform(0.15, 0.5) * per_mm)) ** 2))
        out *= (1 - rng.uniform(0.15, 0.5) * crease)[..., None].astype(np.float32)
    return _clipped(out)


def _stains(picture: Picture, per_mm: float, rng: np.random.Generator) -> Picture:
    """Rings that a cup left."""
    mask = np.zeros(picture.shape[:2], np.float32)
    for _ in range(3):
        middle, r = _place(picture, rng), int(rng.uniform(15, 40) * per_mm)
        cv2.circle(mask, middle, r, 0.25, -1)
        edge = int(rng.uniform(1, 3) * per_mm)
        cv2.circle(mask, middle, r, float(rng.uniform(0.4, 0.8)), edge)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.4 * per_mm), np.float32)
    return _clipped(picture * (1 - mask[..., None] * np.array([0.75, 0.5, 0.3])))


def _glare(picture: Picture, per_mm: float, rng: np.random.Generator) -> Picture:
    """Two reflections of a lamp, in whose middle nothing is left."""
    h, w = picture.shape[:2]
    mask = np.zeros((h, w), np.float32)
    for _ in range(2):
        axes = int(rng.uniform(0.06, 0.18) * w), int(rng.uniform(0.03, 0.08) * h)
        angle = float(rng.uniform(0, 180))
        cv2.ellipse(mask, _place(picture, rng), axes, angle, 0, 360, 1.0, -1)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.01, 0.03) * w), np.float32)
    return _mixed(picture, np.minimum(1.0, 1.3 * mask), (275, 275, 275))


def _marker(picture: Picture, per_mm: float, rng: np.random.Generator) -> Picture:
    """Six strokes of a highlighter."""
    mask = np.zeros(picture.shape[:2], np.float32)
    for _ in range(6):
        x, y = _place(picture, rng)
        end = x + int(rng.uniform(30, 90) * per_mm), y + int(rng.uniform(-1, 1) * per_mm)
        cv2.line(mask, (x, y), end, 1.0, int(rng.uniform(4, 7) * per_mm))
    colours = ((60, 250, 250), (180, 120, 250), (120, 250, 120), (250, 200, 90))
    colour = np.array(colours[int(rng.integers(len(colours)))], np.float32) / 255
    return _clipped(picture * (1 - mask[..., None] * (1 - colour)))


def _stamps(picture: Picture, per_mm: float, rng: np.random.Generator) -> Picture:
    """Two stamps with a date, in coloured ink, askew."""
    out = picture
    for _ in range(2):
        side = int(70 * per_mm)
        mask = np.zeros((side, side), np.uint8)
        pen, scale = max(1, round(0.6 * per_mm)), 0.16 * per_mm
        corners = (side // 20, side * 7 // 20), (side * 19 // 20, side * 13 // 20)
        cv2.rectangle(mask, *corners, 255, pen)
        for k, line in enumerate(("RECEIVED", "12 MAR 2026")):
            at = side // 10, side * (9 + 3 * k) // 20
            cv2.putText(mask, line, at, cv2.FONT_HERSHEY_DUPLEX, scale, 255, pen, cv2.LINE_AA)
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), float(rng.uniform(-25, 25)), 1.0)
        x, y = _place(picture, rng)
        turn[:, 2] += np.array([x - side / 2, y - side / 2])
        size = picture.shape[1], picture.shape[0]
        whole = np.asarray(cv2.warpAffine(mask, turn, size), np.float32) * np.float32(1 / 255)
        inks = ((60, 40, 200), (180, 60, 40), (120, 40, 140))
        dark = float(rng.uniform(0.5, 0.9))
        out = _mixed(out, np.asarray(whole * dark, np.float32), inks[int(rng.integers(len(inks)))])
    return out


def _holes(picture: Picture, per_mm: float, rng: np.random.Generator) -> Picture:
    """Two holes of a punch, dark as the scanner's lid, somewhere in the left half."""
    mask = np.zeros(picture.shape[:2], np.float32)
    for part in (0.38, 0.62):
        x = int((11 + rng.uniform(0, 60)) * per_mm)
        middle = x, int(part * picture.shape[0])
        cv2.circle(mask, middle, int(3 * per_mm), 1.0, -1, cv2.LINE_AA)
    return _mixed(picture, mask, (25, 25, 25))


def _slip(picture: Picture, per_mm: float, rng: np.random.Generator) -> Picture:
    """A yellow note of 60 mm that was left on the form."""
    out, side = picture.copy(), int(60 * per_mm)
    h, w = picture.shape[:2]
    x, y = int(rng.uniform(0.1, 0.7) * w), int(rng.uniform(0.2, 0.7) * h)
    out[y : y + side, x : x + side] = (150, 240, 250)
    return out


def _finger(picture: Picture, per_mm: float, rng: np.random.Generator) -> Picture:
    """A finger that reaches in from one side."""
    h, w = picture.shape[:2]
    mask = np.zeros((h, w), np.float32)
    root = 0 if rng.random() < 0.5 else w, int(rng.uniform(0.2, 0.8) * h)
    axes = int(rng.uniform(25, 60) * per_mm), int(9 * per_mm)
    cv2.ellipse(mask, root, axes, float(rng.uniform(-20, 20)), 0, 360, 1.0, -1)
    return _mixed(
        picture, np.asarray(cv2.GaussianBlur(mask, (0, 0), 2), np.float32), (130, 160, 205)
    )


def _through(picture: Picture, per_mm: float, rng: np.random.Generator) -> Picture:
    """Its own print, mirrored, shows through as if it stood on the back, too."""
    back = cv2.GaussianBlur(cv2.flip(picture, 1), (0, 0), 1.2).astype(np.float32)
    return _clipped(picture - (255 - back) * rng.uniform(0.12, 0.3))


def _fax(picture: Picture, per_mm: float, rng: np.random.Generator) -> Picture:
    """Black and white, half the lines."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    h, w = grey.shape
    half = cv2.resize(grey, (w, h // 2), interpolation=cv2.INTER_AREA)
    both = cv2.threshold(half, 170, 255, cv2.THRESH_BINARY)[1]
    whole = cv2.resize(both, (w, h), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.cvtColor(whole, cv2.COLOR_GRAY2BGR), np.uint8)


DAMAGES: Mapping[str, Damage] = {
    "none": _none, "streaks": _streaks, "folds": _folds, "stains": _stains, "glare": _glare,
    "marker": _marker, "stamps": _stamps, "holes": _holes, "slip": _slip, "finger": _finger,
    "through": _through, "fax": _fax,
}  # fmt: skip
