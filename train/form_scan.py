"""From a filled sheet to what a flatbed scanner makes of it.

Owns:   `put_ink`, ink into paper; `scan`: skew, lid, shading, creases, specks, blur, grain, JPEG.
Needs:  numpy, cv2, `form_glyph.DPI`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.preprocess import Gray
from train.form_glyph import DPI

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
SCAN_DPI = 200
LID_MM = 3.0  # of the scanner's lid that shows around the paper


@dataclass(frozen=True, slots=True)
class ScanLook:
    """How one scanner and one piece of paper look; drawn once a form."""

    skew_deg: float
    paper: tuple[float, float, float]  # BGR, 0..1
    lid: float  # 0..1
    blur_px: float
    grain: float  # grey levels
    shade: float  # light lost across the page, 0..1
    crease: float | None  # height of a fold, 0..1 of the page; None: never folded
    jpeg_quality: int
    grey: bool  # a scanner set to grey


def random_look(rng: np.random.Generator, *, folded: bool = False, grey: bool = False) -> ScanLook:
    """A scanner on an ordinary day."""
    warm = float(rng.uniform(0.0, 0.022))
    light = float(rng.uniform(0.955, 0.985))
    side = 1 if rng.random() < 0.5 else -1
    return ScanLook(
        skew_deg=side * float(rng.uniform(0.25, 1.4)),
        paper=(light - warm, light - 0.3 * warm, light),
        lid=float(rng.uniform(0.8, 0.9)),
        blur_px=float(rng.uniform(0.45, 0.8)),
        grain=float(rng.uniform(1.1, 1.9)),
        shade=float(rng.uniform(0.03, 0.09)),
        crease=float(rng.uniform(0.48, 0.52)) if folded else None,
        jpeg_quality=int(rng.integers(58, 67)),
        grey=grey,
    )


def put_ink(sheet: Picture, ink: Gray, colour: tuple[int, int, int]) -> Picture:
    """Ink on a sheet: it takes light away from paper and print alike.

    Args:
        sheet: uint8 (h, w, 3) RGB.
        ink: uint8 (h, w) coverage.
        colour: RGB of full ink on white paper.

    Returns:
        uint8 (h, w, 3) BGR.
    """
    out = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
    rows, cols = np.nonzero(ink)
    if rows.size == 0:
        return np.asarray(out, np.uint8)
    area = (slice(rows.min(), rows.max() + 1), slice(cols.min(), cols.max() + 1))
    cover = ink[area][..., None].astype(np.float32) / 255
    through = 1 - cover * (1 - np.array(colour[::-1], np.float32) / 255)
    out[area] = np.round(out[area] * through).astype(np.uint8)
    return np.asarray(out, np.uint8)


def scan(sheet: Picture, look: ScanLook, *, rng: np.random.Generator) -> Picture:
    """Lay the sheet on the glass.

    Args:
        sheet: uint8 (h, w, 3) BGR at `DPI`.
        look: Scanner and paper.
        rng: For grain, specks and shading.

    Returns:
        uint8 (h, w, 3) BGR or (h, w) grey, at `SCAN_DPI`, with a rim of the lid.
    """
    shrink = SCAN_DPI / DPI
    margin = LID_MM / 25.4 * SCAN_DPI
    h, w = (round(edge * shrink + 2 * margin) for edge in sheet.shape[:2])
    turn = cv2.getRotationMatrix2D((sheet.shape[1] / 2, sheet.shape[0] / 2), look.skew_deg, shrink)
    middle = np.array([w - sheet.shape[1], h - sheet.shape[0]]) / 2
    turn[:, 2] = turn[:, 2] + middle + rng.uniform(-0.4, 0.4, 2) * margin
    soft = cv2.GaussianBlur(sheet, (3, 3), 0.5 / shrink)
    flat = cv2.warpAffine(soft, turn, (w, h), flags=cv2.INTER_LINEAR)
    whole = np.full(sheet.shape[:2], 255, np.uint8)
    mask = np.asarray(cv2.warpAffine(whole, turn, (w, h)), np.uint8)
    on_paper = (mask.astype(np.float32) / 255)[..., None]

    light = _paper_light((h, w), look, rng=rng)[..., None] * np.array(look.paper, np.float32)
    page = np.minimum(flat.astype(np.float32) * light, _specks((h, w), rng=rng)[..., None])
    seen: Floats = page * on_paper + _lid(mask, look)[..., None] * (1 - on_paper)
    if look.grey:
        seen = np.asarray(cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY), np.float32)[..., None]
    blurred = np.asarray(cv2.GaussianBlur(seen, (0, 0), look.blur_px), np.float32)
    grain = rng.standard_normal((h, w), dtype=np.float32) * look.grain
    noisy = blurred + (grain if look.grey else grain[..., None])
    return _jpeg(np.clip(np.round(noisy), 0, 255).astype(np.uint8), look.jpeg_quality)


def _paper_light(shape: tuple[int, int], look: ScanLook, *, rng: np.random.Generator) -> Floats:
    """Light that comes back from bare paper, 0..1: shading, waves, a crease."""
    h, w = shape
    y = np.linspace(0, 1, h, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, w, dtype=np.float32)[None, :]
    angle = float(rng.uniform(0, 6.283))
    slope = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
    light = 1 - look.shade * (0.5 + slope).clip(0, 1) ** 2
    waves = cv2.resize(
        rng.normal(0, 1, (6, 5)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC
    )
    light = light + 0.006 * waves
    if look.crease is not None:
        lean = np.tan(np.radians(look.skew_deg)) * w / h
        away = (y - look.crease + lean * (x - 0.5)) * h
        light = light - 0.09 * np.exp(-((away / 2.2) ** 2))
        light = light + 0.03 * np.exp(-(((away - 7) / 6) ** 2))
    return np.asarray(light, np.float32)


def _lid(mask: Gray, look: ScanLook) -> Floats:
    """The lid around the paper, with the shadow that the paper's edge throws."""
    shadow = cv2.GaussianBlur(mask, (0, 0), 5).astype(np.float32) / 255
    return np.asarray(255 * look.lid * (1 - 0.4 * shadow), np.float32)


def _specks(shape: tuple[int, int], *, rng: np.random.Generator) -> Floats:
    """Dust on the glass and fibres in the paper: too small and too faint for a full stop."""
    h, w = shape
    most = np.full(shape, 255, np.float32)
    for _ in range(int(rng.integers(15, 40))):
        at = (int(rng.integers(w)), int(rng.integers(h)))
        away = rng.uniform(-6, 6, 2)
        end = (int(at[0] + away[0]), int(at[1] + away[1]))
        cv2.line(most, at, end, float(rng.uniform(0.86, 0.95)) * 255, 1)
    return most


def _jpeg(picture: Picture, quality: int) -> Picture:
    """What is left after a scanner's own JPEG."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)
