"""From a form's template to the page in hand: where every field stands.

Owns:   `Registration`, `register`, `cut_field`.
Needs:  numpy, cv2, `marks`, `features`, `template`. Never a model.
Words:  page pixels have their origin at the corner of the first pixel, so that a box ends where the
        next begins; a homography maps the template's unit to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import TemplateError
from edge_runtime.features import match_reference
from edge_runtime.field import Box
from edge_runtime.marks import FoundMarks, find_marks, project
from edge_runtime.template import Template

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_SMALLEST_PX = 200  # of a page's shorter edge: A4 at 25 dpi, where no writing can be read
_CONTRAST = 24  # grey levels between paper and ink, as `preprocess` asks them of a crop
_ASPECT = 0.04  # letter and A4 differ by 0.09; the C1 scans stray by 0.025 from their sheet
_STRAIGHT_PX = 0.5  # a box that stands straight to within this is cut out, not resampled
_LARGEST_CROP_PX = 20_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """How a template lies on a page."""

    homography: Matrix  # float64 (3, 3), template unit to page pixels
    method: str  # "marks" | "features" | "page"
    residual_px: float  # root mean square; for "page" what width and height disagree by
    inliers: int  # marks or matches that agree; 0 for "page"

    def to_page(self, box: Box) -> Box:
        """The upright box on the page that holds a box of the template."""
        x0, y0, x1, y1 = box
        corners = project(self.homography, np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]))
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    def to_dict(self) -> dict[str, Any]:
        """Method and residual, as a `FormReading` tells them."""
        return {
            "method": self.method,
            "residual_px": round(self.residual_px, 3),
            "inliers": self.inliers,
        }


def register(page: Gray, template: Template) -> Registration:
    """Find the form on a page: by its marks, else by its reference, else by the page itself.

    Args:
        page: uint8 (h, w), upright; the form may be skewed by up to 10 degrees.
        template: The form.

    Raises:
        TemplateError: The page is not that form, with the evidence.
    """
    h, w = page.shape
    if min(h, w) < _SMALLEST_PX:
        raise _refusal(
            template, f"a page of {w} x {h} px is too small", "scan it at 150 dpi or more"
        )
    levels = np.percentile(page[:: max(1, h // 500), :: max(1, w // 500)], (0.1, 99.9))
    if levels[1] - levels[0] < _CONTRAST:
        raise _refusal(
            template, f"the page is empty, all about {levels.mean():.0f} of 255", "scan it again"
        )
    evidence = []
    if template.marks:
        found = find_marks(page, template.marks, template.page_size)
        if isinstance(found, FoundMarks):
            return Registration(found.homography, "marks", found.residual_px, len(found.centres))
        evidence.append(found)
    if template.reference is not None:
        match = match_reference(page, template.reference, template.page_size)
        if not isinstance(match, str):
            return Registration(match.homography, "features", match.residual_px, match.inliers)
        evidence.append(match)
    if evidence:
        step = "scan the whole sheet upright and flat, or give the template of this form"
        raise _refusal(template, "; ".join(evidence), step)
    return _by_page(page, template)


def cut_field(
    page: Gray, registration: Registration, box: Box, *, pad: float = 0.0
) -> tuple[Gray, Matrix]:
    """The crop of a box, upright in the template's sense, at the page's own resolution.

    Args:
        page: uint8 (h, w).
        registration: Of this page.
        box: In the template's unit.
        pad: Paper around the box that is cut along, in the template's unit.

    Returns:
        uint8 (h, w), h and w at least 1, and the float64 (3, 3) matrix from crop to page pixels.
        A box that stands straight gives the page's own pixels, so its edge may be half a pixel off.

    Raises:
        TemplateError: The box is not on the page.
    """
    x0, y0, x1, y1 = box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad
    h, w = page.shape
    corners = project(registration.homography, np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]))
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    if not (left < w and top < h and right > 0 and bottom > 0):
        raise TemplateError(
            f"box {[round(edge, 2) for edge in box]} is at {left:.0f}, {top:.0f} px, outside the "
            f"page of {w} x {h} px; scan the whole sheet, or mend the template"
        )
    upright = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    if np.abs(corners - upright).max() <= _STRAIGHT_PX:
        return _slice(page, left, top, right, bottom)
    edges = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)  # top, right, bottom, left
    size = max(1, round(max(edges[0], edges[2]))), max(1, round(max(edges[1], edges[3])))
    if size[0] * size[1] > _LARGEST_CROP_PX:
        raise TemplateError(
            f"box {list(box)} is {size[0]} x {size[1]} px on the page; mend the template"
        )
    scale = np.array([[(x1 - x0) / size[0], 0, x0], [0, (y1 - y0) / size[1], y0], [0, 0, 1]])
    to_page = np.asarray(registration.homography @ scale)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    move = np.linalg.inv(half) @ to_page @ half  # cv2 counts from pixel centres
    crop = cv2.warpPerspective(
        page,
        move,
        size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,  # linear would soften a thin stroke
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(crop, np.uint8), to_page / to_page[2, 2]


def _slice(page: Gray, left: float, top: float, right: float, bottom: float) -> tuple[Gray, Matrix]:
    """The page's own pixels; what reaches beyond it is left out."""
    h, w = page.shape
    x0, y0 = min(w - 1, max(0, floor(left + 0.5))), min(h - 1, max(0, floor(top + 0.5)))
    x1, y1 = max(x0 + 1, min(w, ceil(right - 0.5))), max(y0 + 1, min(h, ceil(bottom - 0.5)))
    to_page = np.array([[1, 0, x0], [0, 1, y0], [0, 0, 1]], np.float64)
    return np.ascontiguousarray(page[y0:y1, x0:x1]), to_page


def _by_page(page: Gray, template: Template) -> Registration:
    """The picture is the page, edge to edge."""
    h, w = page.shape
    sx, sy = w / template.page_size[0], h / template.page_size[1]
    if abs(sx / sy - 1) > _ASPECT:
        raise _refusal(
            template,
            f"a page of {w} x {h} px has not the form's proportions "
            f"{template.page_size[0]:g} x {template.page_size[1]:g}",
            "scan the whole sheet upright, or give the template corner marks or a reference",
        )
    off = abs(w - h * template.page_size[0] / template.page_size[1])
    return Registration(np.diag([sx, sy, 1.0]), "page", float(off), 0)


def _refusal(template: Template, fact: str, step: str) -> TemplateError:
    return TemplateError(f"the page is not the form {template.name!r}: {fact}; {step}")
