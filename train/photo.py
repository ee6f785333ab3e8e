"""Photos and scans of a sheet whose every point is known: what registration is measured on.

Owns:   `Severity` and its steps, `photograph`, `scan_sheet`, `Shot` (the picture and its truth).
Needs:  numpy, cv2, `photo_desk`.
Words:  *sheet*: uint8 (h, w, 3) BGR, the paper edge to edge. Its points are in millimetres from
        its top left corner; pixels of a picture count from the corner of the first pixel.
Source: a pinhole camera of 24 to 50 mm (of 35 mm film), paper that bends without stretching (a
        cylinder whose arc length is the paper's), light that falls off across the desk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from train.photo_desk import desk

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]
Floats = NDArray[np.float32]
Forward = Callable[[Points], Points]

_STEP_PX = 8  # of the coarse grid on which a picture's map is solved
_GAMMA = 2.2  # light to grey level
_BASE_LUX = 400.0  # of an office desk, at which the grain below was set
_GRAIN = 1.6  # grey levels of a mid-grey at that light, a phone's small sensor
_ARC_STEPS = 400
_ARC_OVER = 0.3  # of the paper's length by which its bend goes on beyond its edges
_SETTLE = 12  # rounds in which a picture's map settles


@dataclass(frozen=True, slots=True)
class Severity:
    """How bad a photo or scan is; every pair is a range that is drawn from evenly."""

    name: str
    tilt_deg: tuple[float, float]  # camera's axis off the sheet's normal
    roll_deg: float  # most, either way, on top of the quarter turns
    curl_mm: tuple[float, float]  # highest point of the sheet over the desk
    lux: tuple[float, float]  # less light, more grain
    shade: tuple[float, float]  # brightest to darkest part of the desk, a ratio
    blur_mm: tuple[float, float]  # sigma, on the sheet
    motion_mm: tuple[float, float]  # of the hand, on the sheet
    fill: tuple[float, float]  # part of the picture's width or height that the sheet takes
    stretch_mm: tuple[float, float] = (0.0, 0.0)  # scans: most that the rollers strayed


MILD = Severity(
    "mild", (0, 10), 5, (0, 1), (300, 800), (1, 1.3), (0.05, 0.12), (0, 0.05), (0.8, 0.95),
    (0, 0.3),
)  # fmt: skip
FAIR = Severity(
    "fair", (8, 22), 15, (0.5, 4), (120, 500), (1.1, 2), (0.08, 0.18), (0, 0.15), (0.65, 0.92),
    (0.2, 0.8),
)  # fmt: skip
HARD = Severity(
    "hard", (20, 35), 25, (2, 8), (50, 200), (1.5, 3), (0.1, 0.25), (0, 0.3), (0.55, 0.9),
    (0.5, 1.5),
)  # fmt: skip
SEVERITIES = (MILD, FAIR, HARD)


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A picture of a sheet, and where every point of the sheet is in it."""

    picture: Picture  # (h, w, 3) BGR
    to_picture: Forward  # millimetres (n, 2) to pixels (n, 2)
    quarter_turns: int  # clockwise, that the sheet lies turned in the picture
    told: dict[str, float]  # what was drawn: tilt_deg, curl_mm, lux, ...


def photograph(
    sheet: Picture,
    size_mm: tuple[float, float],
    severity: Severity,
    *,
    rng: np.random.Generator,
    megapixels: float = 3.0,
    quarter_turns: int | None = None,
) -> Shot:
    """Hold a phone over the sheet.

    Args:
        sheet: The paper.
        size_mm: Its width and height.
        severity: How badly.
        rng: Decides everything else.
        megapixels: Of the picture, 4 by 3 or 3 by 4.
        quarter_turns: Clockwise; None: any of the four.
    """
    turns = int(rng.integers(4)) if quarter_turns is None else quarter_turns
    upright = bool(rng.random() < 0.6)
    w, h = (
        round((megapixels * 1e6 * k) ** 0.5)
        for k in ((3 / 4, 4 / 3) if upright else (4 / 3, 3 / 4))
    )
    told = {
        "tilt_deg": float(rng.uniform(*severity.tilt_deg)),
        "roll_deg": float(rng.uniform(-severity.roll_deg, severity.roll_deg)),
        "curl_mm": float(rng.uniform(*severity.curl_mm)),
        "lux": float(rng.uniform(*severity.lux)),
        "shade": float(rng.uniform(*severity.shade)),
        "blur_mm": float(rng.uniform(*severity.blur_mm)),
        "motion_mm": float(rng.uniform(*severity.motion_mm)),
        "fill": float(rng.uniform(*severity.fill)),
    }
    bend = _bend(size_mm, told["curl_mm"], rng=rng)
    to_picture = _camera((w, h), size_mm, bend, told, turns, rng=rng)
    per_mm = _scale(to_picture, size_mm)
    around = desk((w, h), px_per_mm=per_mm, rng=rng)
    seen = _lay(sheet, size_mm, to_picture, around, per_mm)
    seen = _light(seen, told, per_mm, rng=rng)
    return Shot(_sensor(seen, told, per_mm, rng=rng), to_picture, turns, told)


def scan_sheet(
    sheet: Picture,
    size_mm: tuple[float, float],
    severity: Severity,
    *,
    rng: np.random.Generator,
    dpi: float = 150,
    quarter_turns: int | None = None,
) -> Shot:
    """Feed the sheet through a scanner whose rollers slip: skew, stretch, a rim of its lid."""
    turns = int(rng.integers(4)) if quarter_turns is None else quarter_turns
    per_mm = dpi / 25.4
    skew = np.radians(rng.uniform(-1, 1) * min(6.0, severity.roll_deg / 3) + 90 * turns)
    turn = np.array([[np.cos(skew), np.sin(skew)], [-np.sin(skew), np.cos(skew)]])
    stretch = float(rng.uniform(*severity.stretch_mm)) * (1 if rng.random() < 0.5 else -1)
    phase, waves = float(rng.uniform(0, 6.283)), float(rng.uniform(0.4, 0.9))
    slip, feed = float(rng.uniform(-0.3, 0.3)), size_mm[1]
    rim_mm = float(rng.uniform(1, 12))
    corners = np.array([(0, 0), (size_mm[0], 0), size_mm, (0, size_mm[1])], np.float64)
    low = (corners @ turn).min(axis=0)
    room = (corners @ turn).max(axis=0) - low
    w, h = (round(float(edge + 2 * rim_mm) * per_mm) for edge in room)

    def to_picture(points: Points) -> Points:
        along = np.sin(waves * 6.283 * points[:, 1] / feed + phase)[:, None]
        moved = points + stretch * along * np.array([slip, 1.0])
        return np.asarray(((moved @ turn) - low + rim_mm) * per_mm)

    lid = np.full((h, w, 3), float(rng.choice([20, 205, 240])), np.float32)
    seen = _lay(sheet, size_mm, to_picture, lid, per_mm)
    told = {
        "stretch_mm": abs(stretch),
        "lux": 1500.0,
        "blur_mm": severity.blur_mm[0],
        "motion_mm": 0,
    }
    return Shot(_sensor(seen, told, per_mm, rng=rng), to_picture, turns, told)


def _bend(size: tuple[float, float], curl_mm: float, *, rng: np.random.Generator) -> Forward:
    """Millimetres (n, 2) of the paper to places (n, 3) in space, the desk at height 0."""
    angle = float(rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.25))
    axis = np.array([np.cos(angle), np.sin(angle)])
    middle = np.array(size) / 2
    corners = (np.array([(0, 0), (size[0], 0), size, (0, size[1])]) - middle) @ axis
    low, high = float(corners.min()), float(corners.max())
    over = _ARC_OVER * (high - low)
    arc = np.linspace(low - over, high + over, _ARC_STEPS)
    t = (arc - low) / (high - low)
    shapes = [np.sin(np.pi * t), t**2, (1 - t) ** 2, 0.5 - 0.5 * np.cos(2 * np.pi * t)]
    mix = rng.dirichlet(np.ones(len(shapes)))
    height = sum(part * shape for part, shape in zip(mix, shapes, strict=True))
    inside = (t >= 0) & (t <= 1)
    height = curl_mm * (height - height[inside].min()) / float(np.ptp(height[inside]))
    rise = np.clip(np.gradient(height, arc), -0.8, 0.8)
    ground = np.concatenate([[0], np.cumsum(np.diff(arc) * np.sqrt(1 - rise[1:] ** 2))])
    ground -= np.interp(0, arc, ground)

    def lift(points: Points) -> Points:
        off = points - middle
        u = off @ axis
        flat = off + np.outer(np.interp(u, arc, ground) - u, axis)
        return np.column_stack([flat, np.interp(u, arc, height)])

    return lift


def _camera(
    size_px: tuple[int, int],
    size_mm: tuple[float, float],
    bend: Forward,
    told: dict[str, float],
    turns: int,
    *,
    rng: np.random.Generator,
) -> Forward:
    """A pinhole camera so far away that the sheet fills its part of the picture."""
    w, h = size_px
    focal = float(rng.uniform(24, 50)) / 36 * max(w, h)
    tilt, way = np.radians(told["tilt_deg"]), float(rng.uniform(0, 6.283))
    lean = cv2.Rodrigues(tilt * np.array([np.cos(way), np.sin(way), 0]))[0]
    roll = cv2.Rodrigues(np.radians(told["roll_deg"] + 90 * turns) * np.array([0, 0, 1.0]))[0]
    turn = lean @ roll @ np.diag([1, 1, -1.0])  # y grows downwards: up is away from the camera
    shift = np.zeros(2)

    def shoot(points: Points, distance: float) -> Points:
        x, y, z = (bend(points) @ turn.T).T
        return np.stack([focal * x / (z + distance), focal * y / (z + distance)], axis=1)

    edge = np.linspace(0, 1, 9)
    rim = [(a, b) for a in (0, 1) for b in edge] + [(b, a) for a in (0, 1) for b in edge]
    outline = np.array(rim) * size_mm
    near, far = 0.7 * max(size_mm), 40.0 * max(size_mm)
    for _ in range(40):
        distance = (near * far) ** 0.5
        took = np.ptp(shoot(outline, distance), axis=0) / (w, h)
        near, far = (near, distance) if took.max() < told["fill"] else (distance, far)
    seen = shoot(outline, far)
    low, high = seen.min(axis=0), seen.max(axis=0)
    free = np.array([w, h]) - (high - low)
    shift = free * rng.uniform(0.15, 0.85, 2) - low
    return lambda points: shoot(points, far) + shift


def _scale(to_picture: Forward, size: tuple[float, float]) -> float:
    """Pixels a millimetre in the sheet's middle."""
    middle = np.array(size) / 2
    at = to_picture(middle + np.array([(0, 0), (1, 0), (0, 1)], np.float64))
    return float(np.sqrt(abs(np.linalg.det(at[1:] - at[0]))))


def _lay(
    sheet: Picture, size: tuple[float, float], to_picture: Forward, around: Floats, per_mm: float
) -> Floats:
    """The sheet on the desk, with the shadow that its edge throws; float32 (h, w, 3)."""
    h, w = around.shape[:2]
    nx, ny = w // _STEP_PX + 2, h // _STEP_PX + 2
    grid = np.stack(np.meshgrid(np.arange(nx), np.arange(ny)), axis=-1).reshape(-1, 2) * _STEP_PX
    pixels = grid + 0.5
    corners = np.array([(0, 0), (size[0], 0), size, (0, size[1])], np.float32)
    seen = to_picture(corners.astype(np.float64)).astype(np.float32)
    back = cv2.getPerspectiveTransform(seen, corners)

    def flat(points: Points) -> Points:
        return np.asarray(cv2.perspectiveTransform(points[None], back)[0], np.float64)

    aim = flat(pixels)
    room = np.array(size) * 0.25
    at = np.clip(aim, -room, size + room)
    for _ in range(_SETTLE):
        at = np.clip(at + aim - flat(to_picture(at)), -room, size + room)
    shrink = max(1.0, sheet.shape[1] / size[0] / per_mm)
    small = cv2.resize(sheet, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
    to_sheet = np.array([small.shape[1] / size[0], small.shape[0] / size[1]])
    coarse = (at * to_sheet).astype(np.float32).reshape(ny, nx, 2)
    zoom = np.array([[1 / _STEP_PX, 0, 0], [0, 1 / _STEP_PX, 0]])
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    where = cv2.warpAffine(coarse, zoom, (w, h), flags=way, borderMode=cv2.BORDER_REPLICATE)
    paper = cv2.remap(
        small,
        where[..., 0] - 0.5,
        where[..., 1] - 0.5,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)
    away = np.minimum(where, np.array(small.shape[1::-1], np.float32) - where).min(axis=2)
    cover = np.clip(away + 0.5, 0, 1).astype(np.float32)[..., None]
    shadow = cv2.GaussianBlur(cover, (0, 0), 2.0 * per_mm)[..., None]
    return np.asarray(0.95 * paper * cover + around * (1 - 0.35 * shadow) * (1 - cover), np.float32)


def _light(
    seen: Floats, told: dict[str, float], per_mm: float, *, rng: np.random.Generator
) -> Floats:
    """A lamp to one side, now and then the shadow of a hand; the camera's exposure after it."""
    h, w = seen.shape[:2]
    angle = float(rng.uniform(0, 6.283))
    x = np.linspace(-0.5, 0.5, w, dtype=np.float32)[None]
    y = np.linspace(-0.5, 0.5, h, dtype=np.float32)[:, None]
    side = x * np.cos(angle) + y * np.sin(angle)
    side = (side - side.min()) / np.ptp(side)
    light = told["shade"] ** (-side)
    if rng.random() < 0.4:
        edge = rng.uniform(-0.4, 0.4) + x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1)
        soft = max(1.0, float(rng.uniform(1, 15)) * per_mm)
        hand = cv2.GaussianBlur((edge > 0).astype(np.float32), (0, 0), soft)
        light = light * (1 - (1 - told["shade"] ** -0.5) * hand)
    warm = float(rng.uniform(-0.08, 0.12))
    tint = np.array([1 - warm, 1, 1 + warm / 2], np.float32)
    lit = seen * (light.astype(np.float32) ** (1 / _GAMMA))[..., None] * tint
    white = float(np.percentile(lit[::8, ::8], 97))
    return np.asarray(lit * (float(rng.uniform(195, 240)) / max(white, 1.0)), np.float32)


def _sensor(
    seen: Floats, told: dict[str, float], per_mm: float, *, rng: np.random.Generator
) -> Picture:
    """Blur, the hand's motion, grain by the light there is, JPEG."""
    soft = cv2.GaussianBlur(seen, (0, 0), max(0.4, told["blur_mm"] * per_mm))
    if (n := round(told["motion_mm"] * per_mm)) > 1:
        kernel = np.zeros((2 * n + 1, 2 * n + 1), np.float32)
        angle = float(rng.uniform(0, 6.283))
        away = np.array([np.cos(angle), np.sin(angle)]) * n / 2
        ends = [tuple(int(v) for v in np.round(n + k * away)) for k in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1.0, 1)
        soft = cv2.filter2D(soft, -1, kernel / kernel.sum())
    h, w = soft.shape[:2]
    grain = _GRAIN * np.sqrt(_BASE_LUX / told["lux"])
    level = grain * np.sqrt(np.clip(soft, 8, 255) / 128)
    soft = soft + level * rng.standard_normal((h, w, 1), dtype=np.float32)
    done, data = cv2.imencode(
        ".jpg",
        np.clip(np.round(soft), 0, 255).astype(np.uint8),
        [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 93))],
    )
    assert done
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
