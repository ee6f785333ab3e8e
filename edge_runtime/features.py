"""A page laid onto a picture of its form: what is printed on both is matched.

Owns:   `match_reference`, `flattened`; `stamp_of`, `reference_pixels` and the features of a
        reference (kept while its file stays as it is).
Needs:  numpy, cv2, `imaging`, `tone`.
Source: SIFT features (Lowe 2004) and RANSAC give a first homography; ORB is 1.8 times as fast and
        3 to 17 times as far off on a drawn form, whose words repeat. Printed corners followed by
        optical flow (Lucas and Kanade 1981) between the rectified page and the form refine it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ImageError, TemplateError
from edge_runtime.imaging import load_page
from edge_runtime.nudge import Measured, Nudge, fit_nudge
from edge_runtime.tone import strengthened

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_COARSE_PX = 1000  # longer edge of the pictures that features are taken of: text is still text
_FINE_PX = 1600  # and of those that flow refines: print of 8 pt has 14 px
_FEATURES = 1500  # of either picture; filled forms match with a fifth of them
_RATIO = 0.8  # best to second best distance, Lowe 2004
_SPREAD_PX = 4.0  # RANSAC, on the coarse picture: keypoints of the upper scales are rough
_FEWEST = 12  # matches at places of their own that agree, before the print is asked
_PLACE_PX = 3.0  # matches so near to each other say the same
# The verdict: printed corners of the form that stand on the page where its projection has them. Of
# drawn pairs wrong ones had 11 at most and right ones 43 or more: 22 is their geometric mean. One
# that flow leads astray agrees by chance with the area of `_FINE_SPREAD_PX` in that of its window.
_FOLLOWING, _BY_CHANCE = 22, 0.016
_FINE_SPREAD_PX = 1.5
_BENT_PX = 12.0  # of the fine picture, 2 mm of A4: what flow may find beyond the homography
_STRAIGHT_PX = 0.4  # a nudge that is smaller everywhere is left out
_PAPER_PX = 15  # wider than a printed stroke of the fine picture, narrower than a shadow
_ASPECT = 0.04


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A page's place on its form."""

    homography: Matrix  # float64 (3, 3), template unit to page pixels
    residual_px: float  # root mean square of the inliers, page pixels
    inliers: int
    measured: tuple[Measured, Measured]  # shifts in x and in y that are left over
    nudge: Nudge | None = None  # fitted to them


@dataclass(frozen=True, slots=True, eq=False)
class _Form:
    fine: Gray
    coarse_points: NDArray[np.float32]  # (n, 2) coarse pixels
    descriptors: NDArray[np.float32]  # (n, 128)
    corners: NDArray[np.float32]  # (m, 1, 2) fine pixels
    coarse_size: tuple[int, int]  # width, height


def match_reference(
    page: Gray, reference: Path, size: tuple[float, float], *, pale: bool = False
) -> Match | str:
    """Lay a page onto its form.

    Args:
        page: uint8 (h, w).
        reference: Picture or PDF of the whole form, blank or filled.
        size: Width and height of the form, in the template's unit.
        pale: The page was pale, and is `strengthened`; so is a pale reference then.

    Returns:
        The match, or the evidence that there is none.

    Raises:
        TemplateError: The reference cannot be read, or has not the form's proportions.
    """
    form = _form(str(reference), stamp_of(reference), pale=pale)
    fh, fw = form.fine.shape
    if abs(fw / fh / (size[0] / size[1]) - 1) > _ASPECT:
        raise TemplateError(
            f"{reference}: {fw} x {fh} has not the page's proportions {size[0]:g} x {size[1]:g}; "
            "give a picture of the whole page"
        )
    coarse, points, descriptors = _features(page)
    start, n = _first(form, points, descriptors)
    if start is None:
        return f"{n} of {len(points)} printed details agree with {reference.name}, {_FEWEST} needed"
    # pixel centres of coarse pictures -> page and form, in the corner convention
    to_form = _scaling(form.coarse_size, (fw, fh))
    to_page = _scaling((coarse.shape[1], coarse.shape[0]), (page.shape[1], page.shape[0]))
    homography = to_page @ start @ np.linalg.inv(to_form)
    refined = _flow(page, form, homography)
    if isinstance(refined, str):
        return f"{refined} of {reference.name} stand on the page where {n} matches put them"
    homography, residual, inliers, where, shifts = refined
    per_unit = np.array([fw / size[0], fh / size[1]])
    homography = homography @ np.diag([*per_unit, 1.0])
    points, shifts = where / per_unit, shifts / per_unit
    n = len(points)
    group, side, sure = np.arange(n), np.zeros(n), np.ones(n, bool)
    x, y = (Measured(points, shifts[:, k], group, side, sure) for k in (0, 1))
    nudge = fit_nudge(size, x, y, pins=np.empty((0, 2)))
    bent = nudge.largest * float(per_unit.max()) >= _STRAIGHT_PX
    return Match(homography / homography[2, 2], residual, inliers, (x, y), nudge if bent else None)


def stamp_of(reference: Path) -> tuple[int, int]:
    """What changes when the file does.

    Raises:
        TemplateError: It is not there.
    """
    try:
        stat = reference.stat()
    except OSError as error:
        raise TemplateError(f"{reference}: gone ({error}); put the reference back") from error
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=2)
def reference_pixels(reference: str, stamp: tuple[int, int]) -> Gray:
    """uint8 (h, w); `stamp` is part of the key, so that a changed file is read anew.

    Raises:
        TemplateError: It cannot be read.
    """
    try:
        return load_page(reference, page=1, color=False).pixels
    except ImageError as error:
        raise TemplateError(f"reference {error}") from error


@lru_cache(maxsize=8)
def _form(reference: str, stamp: tuple[int, int], *, pale: bool) -> _Form:
    """A reference's features."""
    pixels = reference_pixels(reference, stamp)
    if pale:
        pixels = strengthened(pixels)
    fine = flattened(_fit(pixels, _FINE_PX))
    coarse, points, descriptors = _features(pixels)
    corners = cv2.goodFeaturesToTrack(fine, 600, 0.02, _FINE_PX / 60)
    return _Form(
        fine=fine,
        coarse_points=points,
        descriptors=descriptors,
        corners=np.empty((0, 1, 2), np.float32)
        if corners is None
        else np.asarray(corners, np.float32),
        coarse_size=(coarse.shape[1], coarse.shape[0]),
    )


def _fit(pixels: Gray, longer_px: int) -> Gray:
    scale = longer_px / max(pixels.shape)
    size = tuple(max(1, round(edge * scale)) for edge in pixels.shape[::-1])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size, interpolation=way), np.uint8)


def _features(pixels: Gray) -> tuple[Gray, NDArray[np.float32], NDArray[np.float32]]:
    coarse = _fit(pixels, _COARSE_PX)
    sift: Any = cv2.SIFT_create(_FEATURES)  # type: ignore[attr-defined]
    keys, descriptors = sift.detectAndCompute(coarse, None)
    if descriptors is None:
        return coarse, np.empty((0, 2), np.float32), np.empty((0, 128), np.float32)
    return coarse, np.array([key.pt for key in keys], np.float32), descriptors


def _first(
    form: _Form, points: NDArray[np.float32], descriptors: NDArray[np.float32]
) -> tuple[Matrix | None, int]:
    """Homography of coarse form pixels to coarse page pixels, and its inliers."""
    if min(len(points), len(form.coarse_points)) < _FEWEST:
        return None, 0
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(form.descriptors, descriptors, k=2)
    good = [a for a, b in pairs if a.distance < _RATIO * b.distance]
    if len(good) < _FEWEST:
        return None, len(good)
    src = form.coarse_points[[one.queryIdx for one in good]]
    dst = points[[one.trainIdx for one in good]]
    found, mask = cv2.findHomography(
        src, dst, cv2.RANSAC, _SPREAD_PX, maxIters=3000, confidence=0.999
    )
    if found is None or not _sound(np.asarray(found)):
        return None, 0
    agree = mask.ravel() == 1
    n = min(
        len(np.unique(np.round(at[agree] / _PLACE_PX), axis=0))  # a pattern's matches repeat
        for at in (src, dst)
    )
    if n < _FEWEST:
        return None, n
    return np.asarray(found, np.float64), n


def _sound(homography: Matrix) -> bool:
    """No mirror, no fold, no sheet seen edge on."""
    det = np.linalg.det(homography[:2, :2])
    return bool(det > 0.05 and np.linalg.cond(homography[:2, :2]) < 4)


def _flow(
    page: Gray, form: _Form, homography: Matrix
) -> tuple[Matrix, float, int, Matrix, Matrix] | str:
    """Follow the form's corners into the rectified page, and fit again.

    Returns:
        Homography of fine form pixels to the page, its residual in page pixels, its inliers; then
        points (n, 2) of the form and what they are off by there (n, 2), within `_BENT_PX`. Or how
        many of its printed corners are there, where that is too few.
    """
    fh, fw = form.fine.shape
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    move = np.linalg.inv(half) @ homography @ half
    shrink = max(1, min(page.shape) // min(fh, fw))  # sampling a large page would alias
    source = page
    if shrink > 1:
        source = np.asarray(cv2.blur(page, (shrink, shrink)), np.uint8)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    flat = cv2.warpPerspective(source, move, (fw, fh), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    flat = flattened(np.asarray(flat, np.uint8))
    least = _FOLLOWING + round(_BY_CHANCE * len(form.corners))
    of = f"of {len(form.corners)} printed corners, {least} needed,"
    if len(form.corners) < least:
        return f"only {len(form.corners)} printed corners, {least} needed,"
    flow: Any = cv2.calcOpticalFlowPyrLK
    way = {"winSize": (21, 21), "maxLevel": 2}
    there, ok, _ = flow(form.fine, flat, form.corners, None, **way)
    back, ok_back, _ = flow(flat, form.fine, there, None, **way)
    same = np.hypot(*(back - form.corners).reshape(-1, 2).T) < 0.5
    kept = same & (ok.ravel() == 1) & (ok_back.ravel() == 1)
    if kept.sum() < least:
        return f"{int(kept.sum())} {of}"
    src = form.corners[kept].reshape(-1, 2).astype(np.float64)
    dst = there[kept].reshape(-1, 2).astype(np.float64)
    found, mask = cv2.findHomography(
        src, dst, cv2.RANSAC, _FINE_SPREAD_PX, maxIters=2000, confidence=0.999
    )
    if found is None or (n := int(mask.sum())) < least or not _sound(np.asarray(found)):
        return f"{0 if found is None else int(mask.sum())} {of}"
    inside = mask.ravel() == 1
    off = cv2.perspectiveTransform(src[inside][None], found)[0] - dst[inside]
    zoom = float(np.sqrt(abs(np.linalg.det(homography[:2, :2]))))  # page pixels per fine pixel
    residual = float(np.sqrt((off**2).sum(axis=1).mean())) * zoom
    both = homography @ half @ np.asarray(found, np.float64) @ np.linalg.inv(half)
    back = cv2.perspectiveTransform(dst[None], np.linalg.inv(found))[0]  # where the form has them
    bent = np.hypot(*(back - src).T) <= _BENT_PX
    return both, residual, n, src[bent] + 0.5, (back - src)[bent]


def flattened(pixels: Gray, paper_px: int = _PAPER_PX) -> Gray:
    """Paper made white, uint8 (h, w): what is darker over more than `paper_px` is shade, no ink."""
    paper = cv2.dilate(pixels, np.ones((paper_px, paper_px), np.uint8))
    paper = cv2.blur(paper, (paper_px, paper_px))
    return np.asarray(cv2.divide(pixels, paper, scale=255), np.uint8)


def _scaling(small: tuple[int, int], large: tuple[int, int]) -> Matrix:
    """Pixel centres of a small picture to the large one it was made of, corner convention."""
    sx, sy = large[0] / small[0], large[1] / small[1]
    return np.array([[sx, 0, 0.5 * sx], [0, sy, 0.5 * sy], [0, 0, 1]])
