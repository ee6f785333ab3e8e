"""What offices do to pages: copies, faxes, scans of all kinds; and where every point comes to lie.

Owns:   `COPIES`, by name; each takes a scan (h, w, 3) BGR of 200 dpi and gives a picture and the
        homography from the scan's pixels to the picture's.
Needs:  numpy, cv2, `damages`. Nothing of the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.damages import Picture

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]
Copied = tuple[Picture, Matrix]
Copy = Callable[[Picture, float, np.random.Generator], Copied]  # pixels a millimetre
Bilevel = Callable[[Floats, np.random.Generator], NDArray[np.bool_]]  # True: paper

_FAX_PER_MM = 8.03, 3.85  # 204 x 98 dpi; twice as many lines in the fine mode
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 + 1 / 32


def _grey(picture: Picture) -> Floats:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.float32)


def _bgr(grey: NDArray[np.floating]) -> Picture:
    whole = np.clip(np.round(grey), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(whole, cv2.COLOR_GRAY2BGR), np.uint8)


def _scaling(x: float, y: float) -> Matrix:
    return np.diag([x, y, 1.0])


def _paper(grey: Floats) -> float:
    return float(np.percentile(grey[::4, ::4], 75))


def _none(picture: Picture, per_mm: float, rng: np.random.Generator) -> Copied:
    return picture, np.eye(3)


def _pale(picture: Picture, per_mm: float, rng: np.random.Generator, *, part: float) -> Copied:
    """A photocopy that has `part` of its ink left, and some grain."""
    grey = _grey(picture)
    paper = _paper(grey)
    ink = np.maximum(0, paper - grey)
    out = min(paper + 10, 248) - part * ink + rng.normal(0, 1.5, grey.shape)
    return _bgr(out), np.eye(3)


# --- black and white ----------------------------------------------------------------------------


def _otsu(grey: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    whole = np.clip(grey, 0, 255).astype(np.uint8)
    level, _ = cv2.threshold(whole, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(grey > level)


def _fixed(grey: Floats, rng: np.random.Generator, *, part: float) -> NDArray[np.bool_]:
    return np.asarray(grey > part * _paper(grey))


def _ordered(grey: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    h, w = grey.shape
    dots = np.tile(_BAYER, (h // 4 + 1, w // 4 + 1))[:h, :w]
    return np.asarray(grey / _paper(grey) > 0.04 + 0.92 * dots)


def _spread(grey: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Error diffusion (Floyd and Steinberg 1976), a diagonal front at a time."""
    h, w = grey.shape
    # Pixels of one front x + 2 y do not depend on each other.
    level = np.zeros((h + 1, w + 2), np.float64)
    level[:h, 1 : w + 1] = grey / _paper(grey)
    for front in range(w + 2 * (h - 1)):
        y = np.arange(max(0, (front - w + 2) // 2), min(h - 1, front // 2) + 1)
        x = front - 2 * y + 1
        old = level[y, x]
        new = (old > 0.5).astype(np.float64)
        rest = np.clip(old - new, -1, 1)
        level[y, x] = new
        level[y, x + 1] += rest * 7 / 16
        level[y + 1, x - 1] += rest * 3 / 16
        level[y + 1, x] += rest * 5 / 16
        level[y + 1, x + 1] += rest * 1 / 16
    return np.asarray(level[:h, 1 : w + 1] > 0.5)


def _bilevel(picture: Picture, per_mm: float, rng: np.random.Generator, *, by: Bilevel) -> Copied:
    return _bgr(255 * by(_grey(picture), rng).astype(np.float32)), np.eye(3)


def _fax(
    picture: Picture, per_mm: float, rng: np.random.Generator, *, fine: bool, raw: bool
) -> Copied:
    """Black and white at 204 dpi by 98 or 196; `raw`: as sent, else with its lines repeated."""
    grey = _grey(picture)
    h, w = grey.shape
    rows = _FAX_PER_MM[1] * (2 if fine else 1)
    size = round(w * _FAX_PER_MM[0] / per_mm), round(h * rows / per_mm)
    sent = _fixed(
        np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32), rng,
        part=float(rng.uniform(0.6, 0.8)),
    )  # fmt: skip
    out = 255 * sent.astype(np.float32)
    if not raw:
        whole = size[0], round(h * _FAX_PER_MM[0] / per_mm)
        out = np.asarray(cv2.resize(out, whole, interpolation=cv2.INTER_NEAREST), np.float32)
    return _bgr(out), _scaling(out.shape[1] / w, out.shape[0] / h)


# --- tone ---------------------------------------------------------------------------------------


def _dropout(picture: Picture, per_mm: float, rng: np.random.Generator) -> Copied:
    """Contrast so high that what is lighter than a middle grey is gone, soft for the rest."""
    grey = _grey(picture) / _paper(_grey(picture))
    light, dark = float(rng.uniform(0.55, 0.75)), 0.15
    return _bgr(255 * np.clip((grey - dark) / (light - dark), 0, 1)), np.eye(3)


def _bold(picture: Picture, per_mm: float, rng: np.random.Generator) -> Copied:
    """A copy of a copy: strokes grow by a fifth of a millimetre, all of it goes black."""
    grey = _grey(picture)
    for _ in range(2):
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.11 * per_mm), np.float32)
        paper = _paper(grey)
        grey = 255 * np.clip((grey / paper - 0.72) / 0.2, 0, 1)
    specks = rng.random(grey.shape) < 1e-4
    return _bgr(grey * ~specks), np.eye(3)


def _thin(picture: Picture, per_mm: float, rng: np.random.Generator) -> Copied:
    """A copy of a copy, too light: strokes shrink, and thin ones break."""
    grey: NDArray[np.floating] = _grey(picture)
    for _ in range(2):
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.09 * per_mm), np.float32)
        grain = cv2.GaussianBlur(rng.normal(0, 1, grey.shape), (0, 0), 1.0)
        level = float(np.percentile(grey[::4, ::4], 75))
        grey = 255 * np.clip((grey / level + 0.1 * grain - 0.3) / 0.4, 0, 1)
    return _bgr(grey), np.eye(3)


def _background(picture: Picture, per_mm: float, rng: np.random.Generator) -> Copied:
    """A grey paper, unevenly lit, inside the black rim that an open lid leaves."""
    grey = _grey(picture) * float(rng.uniform(0.55, 0.75))
    h, w = grey.shape
    x = np.linspace(-1, 1, w, dtype=np.float32)[None]
    y = np.linspace(-1, 1, h, dtype=np.float32)[:, None]
    grey *= 1 + 0.12 * (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1))
    rim = [int(v * per_mm) for v in rng.uniform(2, 15, 4)]
    top, bottom, left, right = rim
    lit = np.asarray(grey, np.float32)
    out = cv2.copyMakeBorder(lit, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(18,))
    return _bgr(np.asarray(out) + rng.normal(0, 2.5, out.shape)), np.array(
        [[1, 0, left], [0, 1, top], [0, 0, 1.0]]
    )


def _toner(picture: Picture, per_mm: float, rng: np.random.Generator) -> Copied:
    """Bands of a worn drum, dark and light, all the way down, and specks."""
    grey = _grey(picture)
    h, w = grey.shape
    for k in range(6):
        x, wide = rng.uniform(0, w), rng.uniform(0.3, 4) * per_mm
        band = np.exp(-(((np.arange(w) - x) / wide) ** 2))[None].astype(np.float32)
        ragged = cv2.resize(rng.uniform(0.3, 1, (60, 1)).astype(np.float32), (1, h))
        band = band * ragged.reshape(h, 1)
        grey = grey * (1 - 0.55 * band) if k % 2 else grey + (255 - grey) * 0.7 * band
    specks = cv2.dilate((rng.random((h, w)) < 8e-5).astype(np.uint8), np.ones((2, 2), np.uint8))
    return _bgr(np.where(specks > 0, 40, grey)), np.eye(3)


def _tint(picture: Picture, per_mm: float, rng: np.random.Generator) -> Copied:
    """Half of the page printed on a tint of dots, 60 to the inch."""
    grey = _grey(picture)
    h, w = grey.shape
    step = 25.4 / 60 * per_mm
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    u, v = (x + y) / 1.414 / step, (x - y) / 1.414 / step
    dots = np.cos(6.283 * u) + np.cos(6.283 * v)
    share = float(rng.uniform(1.0, 1.5))
    tone = np.asarray(1 - 0.7 / (1 + np.exp(-8 * (dots - share))), np.float32)
    part = np.zeros((h, w), bool)
    for _ in range(4):
        y0, high = int(rng.uniform(0.05, 0.85) * h), int(rng.uniform(0.05, 0.15) * h)
        part[y0 : y0 + high, int(0.06 * w) : int(0.94 * w)] = True
    return _bgr(np.where(part, grey * tone, grey)), np.eye(3)


def _jpeg(picture: Picture, per_mm: float, rng: np.random.Generator) -> Copied:
    quality = int(rng.integers(20, 31))
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8), np.eye(3)


def _inverted(
    picture: Picture, per_mm: float, rng: np.random.Generator, *, bilevel: bool
) -> Copied:
    """White on black, as of microfilm or a fax stored the wrong way round."""
    if bilevel:
        picture = _bilevel(picture, per_mm, rng, by=_otsu)[0]
    return np.asarray(255 - picture, np.uint8), np.eye(3)


# --- geometry -----------------------------------------------------------------------------------


def _resampled(picture: Picture, per_mm: float, rng: np.random.Generator, *, dpi: float) -> Copied:
    k = dpi / 25.4 / per_mm
    h, w = picture.shape[:2]
    out = cv2.resize(picture, (round(w * k), round(h * k)), interpolation=cv2.INTER_AREA)
    return np.asarray(out, np.uint8), _scaling(out.shape[1] / w, out.shape[0] / h)


def _lean(picture: Picture, per_mm: float, rng: np.random.Generator) -> Copied:
    """Laid on the glass at 2 to 6 degrees, under a white or a black lid."""
    h, w = picture.shape[:2]
    degrees = float(rng.uniform(2, 6)) * (1 if rng.random() < 0.5 else -1)
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1.0)
    lid = (250,) * 3 if rng.random() < 0.5 else (25,) * 3
    return _warped(picture, np.vstack([turn, [0, 0, 1]]), (w, h), lid)


def _warped(
    picture: Picture, matrix: Matrix, size: tuple[int, int], lid: tuple[int, ...]
) -> Copied:
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    move = np.linalg.inv(half) @ matrix @ half
    way = cv2.INTER_AREA if np.linalg.det(matrix) < 0.8 else cv2.INTER_LINEAR
    out = cv2.warpPerspective(
        picture, move, size, flags=way, borderMode=cv2.BORDER_CONSTANT, borderValue=lid
    )
    return np.asarray(out, np.uint8), matrix


def _spreads(picture: Picture, per_mm: float, rng: np.random.Generator) -> Copied:
    """Another page beside it: a letter of printed lines, or a blank one."""
    h, w = picture.shape[:2]
    other = np.full((h, w, 3), 238, np.uint8)
    if rng.random() < 0.7:
        for y in range(int(25 * per_mm), h - int(25 * per_mm), int(5 * per_mm)):
            x = int(20 * per_mm)
            while x < w - 25 * per_mm:
                long = int(rng.uniform(2, 12) * per_mm)
                at = (x, y), (x + long, y + int(1.6 * per_mm))
                cv2.rectangle(other, *at, (90, 90, 90), max(1, int(0.3 * per_mm)))
                x += long + int(1.5 * per_mm)
    gutter = np.full((h, int(2 * per_mm), 3), 130, np.uint8)
    if rng.random() < 0.5:
        return np.hstack([picture, gutter, other]), np.eye(3)
    right = np.hstack([other, gutter, picture])
    return right, np.array([[1, 0, right.shape[1] - w], [0, 1, 0], [0, 0, 1.0]])


def _cut(picture: Picture, per_mm: float, rng: np.random.Generator) -> Copied:
    """One to three centimetres of one side are missing."""
    gone, side = int(rng.uniform(10, 30) * per_mm), int(rng.integers(4))
    h, w = picture.shape[:2]
    x, y = (gone if side == 0 else 0), (gone if side == 1 else 0)
    out = picture[y : h - (gone if side == 3 else 0), x : w - (gone if side == 2 else 0)]
    return np.ascontiguousarray(out), np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1.0]])


def _fitted(picture: Picture, per_mm: float, rng: np.random.Generator) -> Copied:
    """Printed at 94 to 97 %, in the middle or at the top left."""
    h, w = picture.shape[:2]
    k = float(rng.uniform(0.94, 0.97))
    at = np.array([w, h]) * (1 - k) / 2 * (1 if rng.random() < 0.5 else 0)
    matrix = np.array([[k, 0, at[0]], [0, k, at[1]], [0, 0, 1]])
    return _warped(picture, matrix, (w, h), (250,) * 3)


def _on_paper(
    picture: Picture, per_mm: float, rng: np.random.Generator, *, size: tuple[float, float]
) -> Copied:
    """Fitted on a paper of another size, millimetres."""
    h, w = picture.shape[:2]
    wide, high = size if h >= w else size[::-1]
    room = np.array([wide, high]) * per_mm
    k = float(min(room / (w, h)))
    at = (room - k * np.array([w, h])) / 2
    matrix = np.array([[k, 0, at[0]], [0, k, at[1]], [0, 0, 1]])
    cols, rows = (round(float(edge)) for edge in room)
    return _warped(picture, matrix, (cols, rows), (250,) * 3)


COPIES: Mapping[str, Copy] = {
    "none": _none,
    "pale50": partial(_pale, part=0.5),
    "pale35": partial(_pale, part=0.35),
    "pale25": partial(_pale, part=0.25),
    "otsu": partial(_bilevel, by=_otsu),
    "fixed55": partial(_bilevel, by=partial(_fixed, part=0.55)),
    "fixed80": partial(_bilevel, by=partial(_fixed, part=0.8)),
    "ordered": partial(_bilevel, by=_ordered),
    "diffused": partial(_bilevel, by=_spread),
    "fax": partial(_fax, fine=False, raw=False),
    "faxfine": partial(_fax, fine=True, raw=False),
    "faxraw": partial(_fax, fine=False, raw=True),
    "dropout": _dropout,
    "bold": _bold,
    "thin": _thin,
    "backgrnd": _background,
    "toner": _toner,
    "tint": _tint,
    "jpeg": _jpeg,
    "dpi100": partial(_resampled, dpi=100),
    "dpi150": partial(_resampled, dpi=150),
    "inverted": partial(_inverted, bilevel=False),
    "inv1bit": partial(_inverted, bilevel=True),
    "lean": _lean,
    "spread": _spreads,
    "cut": _cut,
    "fitted": _fitted,
    "a5": partial(_on_paper, size=(148, 210)),
    "letter": partial(_on_paper, size=(215.9, 279.4)),
}
