"""The corner marks of a form on a page: solid dark rectangles, to part of a pixel.

Owns:   `find_marks`: candidates on a reduced page, the constellation they must form, refinement;
        `measure_marks`, the refinement alone.
Needs:  numpy, cv2.
Words:  *constellation*: one candidate a mark, standing as the template's marks stand.
Source: candidates by normalised correlation with a dark rectangle in a light frame: it bears
        shading, a damaged mark and a scanner's black border, where contours run together.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import radians
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.field import Box
from edge_runtime.levels import grey_percentile

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]

_SMALL_PX = 8.0  # a mark's shorter edge on the reduced page: enough to tell it from a letter
_SCALES = (
    1.0,
    0.75,
)  # page of the form to the picture's: it fills the scan, or lies on a larger glass
_CANDIDATES = 24  # best correlations kept; the C1 forms give 7 to 14
_LEAST_MATCH = 0.55  # correlation of a candidate; a square skewed by 10 degrees has 0.95
_TILT = radians(14)  # skew that is looked for; 10 degrees must work
_ZOOM = (0.65, 1.25)  # of the form to the picture's width or height
_STRAY = 0.045  # of the marks' span: stretch and perspective; 0.010 at most on C1 forms
_PATCH = 24  # pixels of a mark's edge in the patch it is measured in, at least
_PATCH_MOST = 64  # and at most: the page's own resolution in between
_CONTRAST = 40  # grey levels between a mark and its paper
_CORE = 0.7  # of a mark's core is dark: a gash through it is borne
_SOLID = 0.9  # of all marks together is dark; C1 forms have 0.97 or more, a torn mark among them
_MISFIT = 0.08  # of a mark's width; C1 forms have 0.03 at most
_BENT_MISFIT = 0.2  # on a bent sheet


@dataclass(frozen=True, slots=True, eq=False)
class FoundMarks:
    """Where the marks stand."""

    homography: Points  # float64 (3, 3), template unit to page pixels
    residual_px: float  # root mean square of the marks' edges about where the homography has them
    centres: Points  # float64 (n, 2), page pixels, origin at the corner of the first pixel


class _Doubt(NamedTuple):
    found: int  # marks
    what: str


def find_marks(page: Gray, marks: tuple[Box, ...], size: tuple[float, float]) -> FoundMarks | str:
    """Find every mark.

    Args:
        page: uint8 (h, w).
        marks: Four or more boxes in the template's unit.
        size: Width and height of the template's page.

    Returns:
        The marks, or the evidence that they are not there.
    """
    boxes = np.array(marks, np.float64)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    edges = boxes[:, 2:] - boxes[:, :2]
    h, w = page.shape
    fit = min(w / size[0], h / size[1])
    if edges.min() * fit * _SCALES[-1] < 4:
        return f"marks would be {edges.min() * fit:.1f} px small on a page of {w} x {h} px"
    edge_px = float(np.median(edges.min(axis=1))) * fit
    times = max(1, round(edge_px / _SMALL_PX))
    small = _reduced(page, times)
    points, scores = np.empty((0, 2)), np.empty(0)
    doubt = _Doubt(0, "no dark rectangle on the page")
    for scale in _SCALES:  # the second only where the first leads nowhere
        more, their = _candidates(small, np.median(edges, axis=0) * fit * scale, times)
        points, scores = _apart(np.vstack([points, more]), np.append(scores, their), edge_px / 2)
        if len(points) < len(marks) - 1:
            what = f"{len(points)} dark rectangles on the page, {len(marks)} marks in the template"
            doubt = doubt if doubt.found else _Doubt(0, what)
            continue
        what = f"the {len(points)} dark rectangles found do not stand as the {len(marks)} marks do"
        doubts = [doubt, _Doubt(1, what)]
        for start in _constellations(points, scores, middles, fit):
            found = _refine(page, start, boxes, _MISFIT)
            if isinstance(found, FoundMarks):
                return found
            doubts.append(found)
        doubt = max(doubts, key=lambda one: one.found)
    return doubt.what


def measure_marks(page: Gray, start: Points, marks: tuple[Box, ...]) -> FoundMarks | str:
    """Find every mark near where a first homography, in whatever turn, has it.

    A sheet may be bent: how wide a mark is may then differ from what its place tells.
    """
    found = _refine(page, start, np.array(marks, np.float64), _BENT_MISFIT)
    return found if isinstance(found, FoundMarks) else found.what


def _reduced(page: Gray, times: int) -> Gray:
    """The page by a whole number of times smaller: twice as fast as by a fraction."""
    w, h = page.shape[1] // times, page.shape[0] // times
    even = page[: h * times, : w * times]
    return np.asarray(cv2.resize(even, (w, h), interpolation=cv2.INTER_AREA), np.uint8)


def _candidates(small: Gray, edges_px: Points, times: int) -> tuple[Points, Points]:
    """Centres (n, 2) and scores (n,) of dark rectangles on a page reduced so many times.

    Centres and `edges_px`, a mark's width and height, are in pixels of the page.
    """
    mw, mh = (max(3, round(float(edge) / times)) for edge in edges_px)
    frame = max(2, round(0.4 * min(mw, mh)))
    w, h, rim = mw + 2 * frame, mh + 2 * frame, 2 * frame
    model = np.full((h, w), 255, np.uint8)
    model[frame : frame + mh, frame : frame + mw] = 0
    paper = grey_percentile(small[::4, ::4], 75)
    padded = cv2.copyMakeBorder(small, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=(paper,))
    match = cv2.matchTemplate(padded, model, cv2.TM_CCOEFF_NORMED)
    spread = 2 * min(mw, mh) + 1
    peak = cv2.dilate(match, np.ones((spread, spread), np.uint8))
    points, scores = [], []
    for row, col in np.argwhere((match >= peak) & (match > _LEAST_MATCH)):
        window = padded[row : row + h, col : col + w]
        core = window[frame : frame + mh, frame : frame + mw]
        if int(window.max()) - float(core.mean()) >= _CONTRAST:  # grain correlates too
            points.append(((col + w / 2 - rim) * times, (row + h / 2 - rim) * times))
            scores.append(float(match[row, col]))
    return np.array(points).reshape(-1, 2), np.array(scores)


def _likeness(picture: Gray, inner: tuple[int, int], frame: int) -> Points:
    """How like a dark rectangle in a light frame the picture is, float64 (places down, places
    across), -1..1: what `cv2.matchTemplate` calls TM_CCOEFF_NORMED, by sums over rectangles.

    Args:
        picture: uint8 (h, w), as large as the rectangle in its frame, at least.
        inner: Width and height of the rectangle, pixels.
        frame: Width of the frame.
    """
    (mw, mh), (w, h) = inner, (inner[0] + 2 * frame, inner[1] + 2 * frame)
    sums, squares = (
        np.asarray(one, np.float64) for one in cv2.integral2(picture, sdepth=cv2.CV_64F)
    )
    whole, square = _sums(sums, w, h), _sums(squares, w, h)
    core = _sums(sums[frame:-frame, frame:-frame], mw, mh)
    n, n_core = float(w * h), float(mw * mh)
    spread = np.maximum(n * square - whole**2, 0) * (n_core * (n - n_core))
    told = n_core * whole - n * core
    return np.asarray(np.divide(told, np.sqrt(spread), out=np.zeros_like(told), where=spread > 0))


def _sums(integral: Points, w: int, h: int) -> Points:
    """Of each rectangle of a width and height, from an integral picture."""
    rows = integral[h:] - integral[:-h]
    return np.asarray(rows[:, w:] - rows[:, :-w])


def _apart(points: Points, scores: Points, near_px: float) -> tuple[Points, Points]:
    """The best-scored points, none nearer to a better one than `near_px`."""
    kept: list[int] = []
    for at in np.argsort(-scores, kind="stable"):
        if len(kept) < _CANDIDATES and (
            not kept or np.abs(points[kept] - points[at]).sum(axis=1).min() > near_px
        ):
            kept.append(int(at))
    return points[kept], scores[kept]


def _constellations(points: Points, scores: Points, middles: Points, fit: float) -> list[Points]:
    """Homographies (3, 3) that put the marks onto candidates, the most convincing first.

    Every pair of candidates may be two marks far apart, which gives a similarity; the others are
    then looked for where it puts them. One may be missing, since refinement looks again: hence a
    second pair of marks that shares none with the first.
    """
    n = len(middles)
    axes = np.array([1, 1j])
    where, model = points @ axes, middles @ axes
    far = np.abs(model[:, None] - model)
    pairs = []
    for _ in range(2):
        a, b = (int(at) for at in np.unravel_index(int(far.argmax()), far.shape))
        pairs.append((a, b))
        far[[a, b]] = far[:, [a, b]] = 0
    found: dict[tuple[int, ...], tuple[float, Points]] = {}
    for a, b in pairs:
        turns = (where - where[:, None]) / (model[b] - model[a])
        zooms = np.abs(turns) / fit
        sound = (np.abs(np.angle(turns)) <= _TILT) & (zooms >= _ZOOM[0]) & (zooms <= _ZOOM[1])
        for i, j in np.argwhere(sound):
            want = where[i] + turns[i, j] * (model - model[a])
            gaps = np.abs(want[:, None] - where) / abs(where[j] - where[i])
            nearest = gaps.argmin(axis=1)
            gap = gaps[np.arange(n), nearest]
            hit = gap < _STRAY
            which = tuple(int(at) for at in np.where(hit, nearest, -1))
            if hit.sum() < n - 1 or len(set(nearest[hit])) < hit.sum() or which in found:
                continue
            to = np.where(hit, where[nearest], want)
            if not hit.all() and n == 4:  # three marks place the fourth as a parallelogram does
                to = _fourth(model, to, int(np.flatnonzero(~hit)[0]))
            worth = float((scores[nearest] - 4 * gap)[hit].sum())
            found[which] = worth, find_homography(middles, np.stack([to.real, to.imag], axis=1))
    ranked = sorted(found.values(), key=lambda one: -one[0])
    return [homography for _, homography in ranked[:4]]


def _fourth(model: NDArray[Any], to: NDArray[Any], lost: int) -> NDArray[Any]:
    rest = [k for k in range(4) if k != lost]
    rows = np.stack([model[rest].real, model[rest].imag, np.ones(3)], axis=1)
    affine = np.linalg.solve(rows, np.stack([to[rest].real, to[rest].imag], axis=1))
    x, y = np.array([model[lost].real, model[lost].imag, 1]) @ affine
    placed = to.copy()
    placed[lost] = x + 1j * y
    return placed


def find_homography(src: Points, dst: Points) -> Points:
    """The homography (3, 3) that maps points (n, 2), four or more, onto others."""
    found, _ = cv2.findHomography(src, dst, 0)
    return np.eye(3) if found is None else np.asarray(found, np.float64)


def project(homography: Points, points: Points) -> Points:
    """Points (n, 2) through a homography (3, 3)."""
    out = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ homography.T
    return np.asarray(out[:, :2] / out[:, 2:])


def _refine(page: Gray, start: Points, boxes: Points, misfit: float) -> FoundMarks | _Doubt:
    """Measure every mark at the page's resolution; twice, the second time from better places."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    homography = start
    for look in (True, False):
        if not (np.isfinite(homography).all() and np.linalg.cond(homography[:2, :2]) < 4):
            return _Doubt(0, "the dark rectangles found do not stand as a page's corners do")
        measured = [_measure(page, homography, box, search=look) for box in boxes]
        missing = [box for box, one in zip(boxes, measured, strict=True) if one is None]
        if missing:
            at = ", ".join(str([round(float(e), 1) for e in box]) for box in missing)
            n = len(boxes) - len(missing)
            return _Doubt(n, f"{n} of {len(boxes)} marks found; none at {at}")
        edges = np.array(
            [one[0] for one in measured if one]
        )  # (n, 4, 2): left, top, right, bottom edge's middle
        centres = edges.mean(axis=1)
        homography = find_homography(middles, centres)
    x0, y0, x1, y1 = boxes.T
    x, y = middles.T
    want = np.stack([np.stack(p, 1) for p in ((x0, y), (x, y0), (x1, y), (x, y1))], axis=1)
    off = project(homography, want.reshape(-1, 2)).reshape(edges.shape) - edges
    residual = float(np.sqrt((off**2).sum(axis=2).mean()))
    edge_px = float(np.hypot(*(edges[:, 2] - edges[:, 0]).T).mean())
    if residual > misfit * edge_px:
        what = f"the dark rectangles found differ from the marks by {residual:.1f} px"
        return _Doubt(len(boxes), what)
    solid = float(np.mean([one[1] for one in measured if one]))
    if solid < _SOLID:
        return _Doubt(len(boxes), f"what stands at the marks is only {100 * solid:.0f} % dark")
    return FoundMarks(homography, residual, centres)


def _measure(
    page: Gray, homography: Points, box: Points, *, search: bool
) -> tuple[Points, float] | None:
    """Middles (4, 2) of a mark's left, top, right, bottom edge in page pixels, and its dark part.

    None if it is no mark. The mark is rectified into a patch; a row's or column's median over its
    middle bears gashes and what touches the mark; where it crosses half the contrast is an edge.
    """
    w, h = box[2:] - box[:2]
    corners = np.array([box[:2], (box[2], box[1]), box[2:], (box[0], box[3])])
    on_page = project(homography, corners)
    long_px = np.hypot(*(on_page - np.roll(on_page, 1, axis=0)).T).max()
    per_unit = float(np.clip(long_px, _PATCH, _PATCH_MOST)) / max(w, h)
    margin = (1.5 if search else 0.6) * min(w, h)
    pw, ph = round((w + 2 * margin) * per_unit), round((h + 2 * margin) * per_unit)
    # patch pixel (u, v), at its centre, to the template: origin + (u + 0.5) / per_unit
    origin = box[:2] - margin
    to_template = np.array([[1 / per_unit, 0, origin[0]], [0, 1 / per_unit, origin[1]], [0, 0, 1]])
    to_page = homography @ to_template
    patch = _warp(page, to_page, (pw, ph))
    mw, mh = w * per_unit, h * per_unit
    cx, cy = pw / 2, ph / 2
    if search:
        frame = max(2, round(0.35 * min(mw, mh)))
        inner = round(mw), round(mh)
        _, best, _, (left, top) = cv2.minMaxLoc(_likeness(patch, inner, frame))
        if best < _LEAST_MATCH - 0.1:
            return None
        cx, cy = left + inner[0] / 2 + frame, top + inner[1] / 2 + frame
    column = slice(max(0, round(cx - 0.3 * mw)), round(cx + 0.3 * mw) + 1)
    row = slice(max(0, round(cy - 0.3 * mh)), round(cy + 0.3 * mh) + 1)
    core = patch[row, column]
    ink, paper = grey_percentile(core, 50), grey_percentile(patch, 85)
    if paper - ink < _CONTRAST or (core < (ink + paper) / 2).mean() < _CORE:
        return None
    across, down = np.median(patch[row], axis=0), np.median(patch[:, column], axis=1)
    xs, ys = _crossings(across, cx, mw, ink, paper), _crossings(down, cy, mh, ink, paper)
    if xs is None or ys is None:
        return None
    mx, my = sum(xs) / 2, sum(ys) / 2
    whole = patch[round(my - 0.4 * mh) : round(my + 0.4 * mh), :]
    whole = whole[:, round(mx - 0.4 * mw) : round(mx + 0.4 * mw)]
    dark = float((whole < (ink + paper) / 2).mean())
    middles = np.array([(xs[0], my), (mx, ys[0]), (xs[1], my), (mx, ys[1])])
    return project(to_page, middles), dark


def _crossings(
    profile: NDArray[np.float64], centre: float, side: float, ink: float, paper: float
) -> tuple[float, float] | None:
    """Where a profile falls to half the contrast, and rises from it, about `side` apart.

    Of several pairs (a gash in the mark, ink beside it) the one whose width and middle fit best;
    None if none does. Positions have their origin at the edge of the first pixel.
    """
    half = (ink + paper) / 2
    dark = profile < half
    steps = np.flatnonzero(dark[1:] != dark[:-1])
    low, high = profile[steps].astype(np.float64), profile[steps + 1].astype(np.float64)
    where = steps + 0.5 + (half - low) / (high - low)
    pairs = [
        (abs(right - left - side) + abs((left + right) / 2 - centre), float(left), float(right))
        for left in where[~dark[steps]]
        for right in where[dark[steps]]
        if 0.7 * side <= right - left <= 1.4 * side
    ]
    return min(pairs)[1:] if pairs else None


def _warp(page: Gray, to_page: Points, size: tuple[int, int]) -> Gray:
    """The patch whose pixel edges `to_page` maps onto the page's; outside is repeated."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    move = np.linalg.inv(half) @ to_page @ half  # cv2 counts from pixel centres
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpPerspective(page, move, size, flags=flags, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )
