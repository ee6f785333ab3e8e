"""A page held before a camera: when it can be read, and until then what is wrong.

Owns:   `Advice`, `Sight`, `Watch`.
Needs:  numpy, cv2, `page_outline`, `results`.
Words:  a *frame* is one picture of a stream, uint8 (h, w) or (h, w, 3) BGR. A page is *whole* when
        all four corners are in it, *still* when it stays for some frames where it is.

What it leaves out: a camera that sees nothing but the page; it must see some desk all around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.page_outline import page_outlines
from edge_runtime.results import FormReading

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]

_DARK = 70  # grey level of the paper under which a camera's grain eats thin strokes
_BLACK = 40  # no desk is darker by day
_RIM = 0.008  # of the frame's longer edge: a corner so near to its edge is cut off
_LEAST_PX = 900  # the page's longer edge: 3 pixels a millimetre of A4
_TOUCHING = 0.12  # of the frame that light paper takes which reaches its edge
_SOFT_MM = 0.32  # sigma of a blur that a pen's stroke of half a millimetre does not survive
_REBLUR_PX = 1.5  # by which a frame is blurred anew to tell how much it was before
_STEPS = 99.7  # percentile of slopes: the edges of print and of the page
_MOVED = 0.004  # of the page's longer edge, from frame to frame: a resting hand
_THUMB, _BLOCK_PX = (180, 240), 12  # of a page, to tell it from another
# Grey levels by which blocks of one page differ at most: drawn pages that were moved, leant and
# dimmed differ by 1.3, those with four other numbers on them by 6.
_OTHER = 3.0
_BLOCKS = 2  # that may differ more, for a thumb or a shadow
_A4_MM = 297.0


class Advice(StrEnum):
    """What to do, in words for the person who holds the page."""

    NO_PAGE = "no page"
    TOO_DARK = "too dark"
    CORNER = "corner missing"
    CLOSER = "come closer"
    STILL = "hold still"
    SHARP = "not sharp"
    WRONG = "not the form"
    READ = "read"  # the frame that was read
    DONE = "done"  # it was read before: take it away


@dataclass(frozen=True, slots=True)
class Sight:
    """What one frame shows."""

    advice: Advice
    corners: tuple[tuple[float, float], ...] = ()  # of the page, clockwise, pixels; () if not seen
    form: FormReading | None = None  # once for each page
    reason: str = ""  # why a page that was ready could not be read


class Watch:
    """Looks at one frame after the other; keeps where the page was. One stream, one thread.

    Args:
        settle: Frames for which a page stays where it is before it is read.
        page_mm: The longer edge of the page, as far as it is known.
    """

    def __init__(self, *, settle: int = 3, page_mm: float = _A4_MM) -> None:
        self._settle, self._page_mm = max(1, settle), page_mm
        self._corners: Points | None = None
        self._still = 0
        self._gone = 0
        self._last: Gray | None = None  # thumb of the page that was read, or was to be
        self._refused = ""  # why that page could not be read

    def look(self, frame: NDArray[np.uint8]) -> Sight:
        """Whether the page in this frame is ready (`READ`: the caller reads it now), or why not."""
        gray = _gray(frame)
        corners = next(iter(page_outlines(gray)), None)
        if corners is None:
            self._lost()
            return Sight(_without_page(gray))
        told = tuple((float(x), float(y)) for x, y in corners)
        moved = self._moved(corners)
        self._corners = corners
        thumb = _thumb(gray, corners)
        self._still = self._still + 1 if moved <= _MOVED else 1
        self._gone = 0
        advice = self._advice(gray, corners, thumb)
        if advice is Advice.READ:
            self._last, self._refused = thumb, ""
        return Sight(advice, told, reason=self._refused if advice is Advice.WRONG else "")

    def refuse(self, reason: str) -> None:
        """Say so of the page that was ready for as long as it is there: it could not be read."""
        self._refused = reason

    def _advice(self, gray: Gray, corners: Points, thumb: Gray) -> Advice:
        edge = _longer_edge(corners)
        if float(np.percentile(thumb, 75)) < _DARK:
            return Advice.TOO_DARK
        if _cut_off(gray, corners):
            return Advice.CORNER
        if edge < _LEAST_PX:
            return Advice.CLOSER
        if self._still < self._settle:
            return Advice.STILL
        if self._last is not None and _difference(thumb, self._last) <= _OTHER:
            return Advice.WRONG if self._refused else Advice.DONE
        if blur_px(gray, corners) * self._page_mm / edge > _SOFT_MM:
            return Advice.SHARP
        return Advice.READ

    def _moved(self, corners: Points) -> float:
        """How far the page went since the frame before, parts of its longer edge."""
        if self._corners is None:
            return np.inf
        # corners may be counted from another one when the page turns
        ways = [np.roll(self._corners, k, axis=0) for k in range(4)]
        return min(float(np.abs(corners - way).max()) for way in ways) / _longer_edge(corners)

    def _lost(self) -> None:
        self._corners, self._still = None, 0
        self._gone += 1
        if self._gone >= self._settle:  # the next page is read, even if it looks the same
            self._last = None


def _gray(frame: NDArray[np.uint8]) -> Gray:
    return (
        frame if frame.ndim == 2 else np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
    )


def blur_px(gray: Gray, corners: Points) -> float:
    """Sigma by which edges on the page are blurred, pixels.

    Edges that are blurred once more by a known sigma lose slope by as much as tells what they had:
    slopes go with 1 / sigma, and sigmas add as squares.

    Source:
        Zhuo and Sim, "Defocus map estimation from a single image", 2011.
    """
    (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
    h, w = gray.shape
    part = gray[max(0, int(y0)) : min(h, int(y1) + 1), max(0, int(x0)) : min(w, int(x1) + 1)]
    if min(part.shape) < 16:
        return float("inf")
    smooth = np.asarray(
        cv2.GaussianBlur(part, (0, 0), 0.6), np.uint8
    )  # the camera's grain is no edge
    again = np.asarray(cv2.GaussianBlur(smooth, (0, 0), _REBLUR_PX), np.uint8)
    ratio = _slope(smooth) / max(_slope(again), 1e-6)
    return float(_REBLUR_PX / np.sqrt(ratio**2 - 1)) if ratio > 1 else float("inf")


def _slope(part: Gray) -> float:
    dx = cv2.Sobel(part, cv2.CV_32F, 1, 0)
    dy = cv2.Sobel(part, cv2.CV_32F, 0, 1)
    return float(np.percentile(cv2.magnitude(dx, dy), _STEPS))


def _without_page(gray: Gray) -> Advice:
    """Why no page is seen: no light, a page that leaves the frame, or none."""
    light = float(np.percentile(gray, 95))
    if light < _BLACK:
        return Advice.TOO_DARK
    small = np.asarray(cv2.resize(gray, (160, 120), interpolation=cv2.INTER_AREA), np.uint8)
    level, paper = cv2.threshold(small, 0, 1, cv2.THRESH_OTSU)
    if light - level < 20:
        return Advice.NO_PAGE
    count, labels, stats, _ = cv2.connectedComponentsWithStats(np.asarray(paper, np.uint8))
    for k in range(1, count):
        x, y, w, h, area = stats[k].tolist()
        touches = x == 0 or y == 0 or x + w == 160 or y + h == 120
        if touches and area >= _TOUCHING * labels.size:
            return Advice.CORNER
    return Advice.NO_PAGE


def _cut_off(gray: Gray, corners: Points) -> bool:
    h, w = gray.shape
    rim = _RIM * max(h, w)
    inside = (corners > rim).all() and (corners[:, 0] < w - rim).all()
    return not (inside and (corners[:, 1] < h - rim).all())


def _longer_edge(corners: Points) -> float:
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    return float(max((sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2))


def _thumb(gray: Gray, corners: Points) -> Gray:
    """The page alone, small, upright or not: uint8 (240, 180)."""
    w, h = _THUMB
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    if sides[0] + sides[2] > sides[1] + sides[3]:  # lies on its side
        corners = np.roll(corners, -1, axis=0)
    to = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    flat = cv2.getPerspectiveTransform(corners.astype(np.float32), to)
    scale = max(1, round(_longer_edge(corners) / (3 * h)))  # every pixel would only be noise
    small = cv2.resize(gray, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
    flat = flat @ np.diag([scale, scale, 1.0])
    soft = cv2.blur(small, (3, 3))
    return np.asarray(cv2.warpPerspective(soft, flat, _THUMB, flags=cv2.INTER_LINEAR), np.uint8)


def _difference(a: Gray, b: Gray) -> float:
    """Grey levels by which most blocks of two thumbs differ at most; either way up."""
    blocks = [_blocks(one) for one in (a, b)]
    ways = (blocks[1], blocks[1][::-1, ::-1])
    return min(float(np.sort(np.abs(blocks[0] - way), axis=None)[-1 - _BLOCKS]) for way in ways)


def _blocks(thumb: Gray) -> NDArray[np.float32]:
    """How dark the parts of a page are, whatever the light; its rim left out."""
    light = max(1.0, float(np.percentile(thumb, 75)))
    size = (_THUMB[0] // _BLOCK_PX, _THUMB[1] // _BLOCK_PX)
    small = cv2.resize(thumb.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small[1:-1, 1:-1] * (255 / light), np.float32)
