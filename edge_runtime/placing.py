"""First guesses at how a form lies on a page, the cheapest way first.

Owns:   `Placing`, `placings`: by marks as scanned, by marks on a photo, by the reference, by the
        sheet's outline, by the page's own edges; each with its opposite where it looks the same.
Needs:  numpy, `marks`, `blots`, `features`, `page_outline`, `turn`, `template`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.blots import blot_starts
from edge_runtime.features import match_reference
from edge_runtime.marks import FoundMarks, find_homography, find_marks, measure_marks, project
from edge_runtime.nudge import Measured, Nudge
from edge_runtime.page_outline import page_outlines
from edge_runtime.template import Template
from edge_runtime.turn import turned

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Points = NDArray[np.float64]

_ASPECT = 0.04  # letter and A4 differ by 0.09; the C1 scans stray by 0.025 from their sheet
_SAME = 0.02  # of the page: marks that a turn brings so near to each other look the same after it
_NONE = np.empty((0, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Placing:
    """One guess."""

    homography: Matrix  # float64 (3, 3), template unit to pixels of the page as given
    method: str  # "marks" | "features" | "outline" | "page"
    residual_px: float
    inliers: int
    pins: Points  # (k, 2) points of the template at which the guess holds
    bent: bool  # the sheet may be curled
    strict: bool  # the fields' lines may refuse it
    turn: int  # degrees clockwise, by which the page is to be turned
    nudge: Nudge | None = None  # already measured, on a reference
    measured: tuple[Measured, Measured] | None = None  # what that was fitted to


def placings(
    page: Gray, template: Template, evidence: list[str], *, pale: bool = False
) -> Iterator[list[Placing]]:
    """Groups of guesses; those of a group differ by their turn, or all come from one search.

    Args:
        page: uint8 (h, w).
        template: The form.
        evidence: What was looked for in vain is added to it.
        pale: The page was pale, and is `strengthened`.
    """
    if template.marks:
        yield from _by_marks(page, template, evidence)
    if template.reference is not None:
        match = match_reference(page, template.reference, template.page_size, pale=pale)
        if isinstance(match, str):
            evidence.append(match)
        else:
            yield [
                Placing(
                    match.homography, "features", match.residual_px, match.inliers, _NONE,
                    bent=True, strict=False, turn=_turn(match.homography, template),
                    nudge=match.nudge, measured=match.measured,
                )
            ]  # fmt: skip
    if template.marks or template.reference is not None:
        return
    yield from _by_edges(page, template, evidence)


def _by_marks(page: Gray, template: Template, evidence: list[str]) -> Iterator[list[Placing]]:
    size = template.page_size
    first = ""
    for turn in (0, 90):  # 180 and 270 are these for marks that look the same
        found = find_marks(turned(page, turn), template.marks, size)
        if isinstance(found, FoundMarks):
            back = _unturn(page, turn) @ found.homography
            yield _opposites(template, back, found, bent=False)
        else:
            first = first or found
    group: list[Placing] = []
    for start in blot_starts(page, template.marks, size):
        seen = measure_marks(page, start, template.marks)
        if isinstance(seen, FoundMarks):
            group.append(_by_found(template, seen.homography, seen, bent=True))
    if group:
        yield group
    evidence.append(first)


def _by_found(template: Template, homography: Matrix, found: FoundMarks, *, bent: bool) -> Placing:
    return Placing(
        homography, "marks", found.residual_px, len(found.centres), _middles(template),
        bent=bent, strict=True, turn=_turn(homography, template),
    )  # fmt: skip


def _opposites(
    template: Template, homography: Matrix, found: FoundMarks, *, bent: bool
) -> list[Placing]:
    """A placing, and its opposite where the marks look the same after half a turn."""
    both = [_by_found(template, homography, found, bent=bent)]
    middles = _middles(template)
    other = np.array(template.page_size) - middles
    gaps = np.hypot(*(other[:, None] - middles).transpose(2, 0, 1))
    nearest = gaps.argmin(axis=1)
    if len(set(nearest)) == len(middles) and gaps.min(axis=1).max() < _SAME * max(
        template.page_size
    ):
        swapped = find_homography(middles, project(homography, middles[nearest]))
        both.append(_by_found(template, swapped, found, bent=bent))
    return both


def _by_edges(page: Gray, template: Template, evidence: list[str]) -> Iterator[list[Placing]]:
    """By the sheet's outline in a photo, or by the page's own edges."""
    h, w = page.shape
    fw, fh = template.page_size
    corners = np.array([(0, 0), (fw, 0), (fw, fh), (0, fh)], np.float64)
    edges = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float64)
    whole: list[Placing] = []
    for quarter in range(4):
        # turned clockwise by `turn`, the page's corner number `quarter` comes to the top left
        seen = np.roll(edges, -quarter, axis=0)
        sides = np.hypot(*(np.roll(seen, -1, axis=0) - seen).T)
        off = sides[0] * fh / (sides[1] * fw)
        if abs(off - 1) <= _ASPECT:
            homography = find_homography(corners, seen)
            stray = float(abs(sides[0] - sides[1] * fw / fh))
            turn = _turn(homography, template)
            whole.append(
                Placing(homography, "page", stray, 0, _NONE, bent=False, strict=True, turn=turn)
            )
    if whole:
        whole.sort(key=lambda one: one.turn != 0)
        yield whole
    for outline in page_outlines(page):
        group = []
        for quarter in range(4):
            homography = find_homography(corners, np.roll(outline, -quarter, axis=0))
            turn = _turn(homography, template)
            group.append(
                Placing(homography, "outline", 0.0, 0, corners, bent=True, strict=True, turn=turn)
            )
        yield group
    if not whole:
        evidence.append(
            f"a page of {w} x {h} px has not the form's proportions {fw:g} x {fh:g}, and no sheet "
            "stands out from it; corner marks or a reference in the template would help"
        )


def _middles(template: Template) -> Points:
    boxes = np.array(template.marks, np.float64)
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2)


def _turn(homography: Matrix, template: Template) -> int:
    """Degrees clockwise, in quarters, by which the page is to be turned."""
    fw, fh = template.page_size
    low, high = project(homography, np.array([(fw / 2, 0.75 * fh), (fw / 2, 0.25 * fh)]))
    x, y = high - low  # where the form's top lies
    return int(round(float(np.degrees(np.arctan2(-x, -y))) / 90) * 90) % 360


def _unturn(page: Gray, turn: int) -> Matrix:
    """Pixels of the page turned clockwise by 0 or 90 degrees to those of the page."""
    if turn == 0:
        return np.eye(3)
    return np.array([[0, 1, 0], [-1, 0, page.shape[0]], [0, 0, 1.0]])
