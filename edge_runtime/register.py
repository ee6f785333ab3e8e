"""From a form's template to the page in hand: which way up it is, and where every field stands.

Owns:   `Registration`, `register`, `cut_field`.
Needs:  numpy, cv2, `placing`, `refine`, `tone`, `turn`, `template`. Never a model.
Words:  page pixels have their origin at the corner of the first pixel, so that a box ends where the
        next begins; a homography maps the template's unit to them. *turn* as in `turn`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.beyond import (
    FEWEST_ENDS,
    GOING_ON,
    LINES_OF_ITS_OWN,
    lines_beyond,
    long_lines,
)
from edge_runtime.bubble_places import rows_shown
from edge_runtime.certainty import (
    FEWEST_PIECES,
    LEAST_SUPPORT,
    OVER_CHANCE,
    Certainty,
    box_corners,
    field_certainty,
)
from edge_runtime.cover import washed_out
from edge_runtime.errors import TemplateError
from edge_runtime.field import Box
from edge_runtime.levels import grey_percentiles
from edge_runtime.marks import project
from edge_runtime.nudge import Nudge
from edge_runtime.placing import Placing, placings
from edge_runtime.raster import Raster, bent_crop
from edge_runtime.refine import Settled, settle
from edge_runtime.template import Template
from edge_runtime.tone import strengthened
from edge_runtime.turn import SURE, turn_matrix, upright_turn

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Points = NDArray[np.float64]

_SMALLEST_PX = 200  # of a page's shorter edge: A4 at 25 dpi, where no writing can be read
_CONTRAST = 24  # grey levels between paper and ink, as `preprocess` asks them of a crop
_STRAIGHT_PX = 0.5  # a box that stands straight to within this is cut out, not resampled
_LARGEST_CROP_PX = 20_000_000
# A strip is 32 px high, so more pixels than some cost time alone. But writing may be a third of a
# box high: no crop is shrunk to less than from 300 to 180 dpi, nor for less than a seventh.
_LEAST_SHRINK, _WORTH_SHRINKING = 0.6, 0.85
_AROUND_PX = 4
_NEXT = [1, 2, 3, 0]  # of a box's corners, clockwise
_HALF = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
_UNHALF = np.linalg.inv(_HALF)
_CLEAR = 0.78  # support of a page that needs no second look; a table upside down has 0.62
_LIKELY, _RIVAL = 0.5, 0.15  # after the first, others get a quick look, unless they come near it
_CLEAR_SIDES = 0.5  # of the fields whose left and right edges are found: tables' rules go on
_CLEAR_BY_MARKS = 0.6  # and of one that has marks in the right places, too
_BARE = 0.06  # chance on a page with no lines to speak of, as after dropping a form's colour
_LEFT = 4.0  # times as many lines in their places as by chance, where most of them were lost
_MANY = 0.3  # of the fields, in doubt: how a page lies is sought in other ways, too
_TELLING = 0.08  # of support that tells one turn from the other
# Of a form's rows of bubbles, by which it is known to lie so; and fewer, by which it is not.
_ROWS_SEEN, _ROWS_LOST = 0.9, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """How a template lies on a page."""

    homography: Matrix  # float64 (3, 3), template unit to pixels of the upright page
    method: str  # "marks" | "features" | "outline" | "page"
    residual_px: float  # root mean square; for "page" what width and height disagree by
    inliers: int  # marks or matches that agree; 0 for "outline" and "page"
    turned_deg: int = 0  # clockwise, by which the page given has to be turned to stand upright
    nudge: Nudge | None = None  # what the homography leaves over; None: nothing
    support: float | None = None  # part of the fields' printed lines found; None: not looked for
    field_px: tuple[float | None, ...] = ()  # residual of each field; None: no line of it found
    spread_px: tuple[float, ...] = ()  # standard deviation of each field's place
    certainty: tuple[Certainty, ...] = ()  # of each field; a doubt is a reason not to accept it

    def project(self, points: Points) -> Points:
        """Points (n, 2) of the template in pixels of the upright page."""
        return project(self.homography, points if self.nudge is None else self.nudge.moved(points))

    def corners(self, box: Box) -> Points:
        """The corners (4, 2) of a box of the template on the page, clockwise from the top left."""
        x0, y0, x1, y1 = box
        return self.project(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float64))

    def to_page(self, box: Box) -> Box:
        """The upright box on the page that holds a box of the template."""
        return around(self.corners(box))

    def near(self, box: Box, seen: Points | None = None) -> Matrix:
        """The homography (3, 3) that holds at a box's corners; `seen` are these, where known."""
        if self.nudge is None:
            return self.homography
        x0, y0, x1, y1 = box
        flat = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)
        # cv2 takes float32 here, and pages are thousands of pixels wide: the offset is added last.
        seen = self.corners(box) if seen is None else seen
        middle, home = seen.mean(axis=0), flat.mean(axis=0)
        found = cv2.getPerspectiveTransform(flat - home, (seen - middle).astype(np.float32))
        there = np.array([[1, 0, middle[0]], [0, 1, middle[1]], [0, 0, 1]])
        here = np.array([[1, 0, -home[0]], [0, 1, -home[1]], [0, 0, 1]])
        return np.asarray(there @ found @ here)

    def to_dict(self) -> dict[str, Any]:
        """Method and residuals, as a `FormReading` tells them."""
        told: dict[str, Any] = {
            "method": self.method,
            "residual_px": round(self.residual_px, 3),
            "inliers": self.inliers,
            "turned_deg": self.turned_deg,
        }
        if self.support is not None:
            told["support"] = round(self.support, 3)
            told["field_px"] = [None if px is None else round(px, 2) for px in self.field_px]
        if self.spread_px:
            told["spread_px"] = [round(px, 2) for px in self.spread_px]
        return told


def around(points: Points) -> Box:
    """The upright box that holds points (n, 2)."""
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return left, top, right, bottom


def register(page: Gray, template: Template) -> Registration:
    """Find the form on a page: by its marks, else by its reference, its outline, the page itself.

    Args:
        page: uint8 (h, w), a scan or a photo, in any turn.
        template: The form.

    Raises:
        TemplateError: The page is not that form, with the evidence.
    """
    h, w = page.shape
    if min(h, w) < _SMALLEST_PX:
        raise _refusal(
            template, f"a page of {w} x {h} px is too small", "scan it at 150 dpi or more"
        )
    sample = page[:: max(1, h // 500), :: max(1, w // 500)]
    dark, light = grey_percentiles(sample, 0.1, 99.9)
    if light - dark < _CONTRAST:
        raise _refusal(
            template,
            f"the page is empty, all about {(dark + light) / 2:.0f} of 255",
            "scan it again",
        )
    evidence: list[str] = []
    last: Registration | None = None
    strong = strengthened(page)
    for group in placings(strong, template, evidence, pale=strong is not page):
        found = _best(strong, template, group)
        if isinstance(found, str):
            evidence.append(found)
        elif sum(one.doubt != "" for one in found.certainty) > _MANY * len(found.certainty):
            # another group may do better
            last = found if last is None or _strength(found) > _strength(last) else last
        else:
            return found
    if last is not None:
        return last
    step = "scan the whole sheet, flat and in focus, or give the template of this form"
    raise _refusal(template, "; ".join(dict.fromkeys(evidence)), step)


def choose(page: Gray, templates: Sequence[Template]) -> tuple[Template, Registration]:
    """The template of several whose print is on the page, and how it lies there.

    Raises:
        TemplateError: The page is none of these forms, with the evidence on each.
    """
    if not templates:
        raise TemplateError("no template to choose from; give one or more")
    if len(templates) == 1:
        return templates[0], register(page, templates[0])
    found: list[tuple[float, int, Registration]] = []
    faults = []
    for k, template in enumerate(templates):
        try:
            registration = register(page, template)
        except TemplateError as error:
            faults.append(str(error))
            continue
        found.append((_strength(registration), -k, registration))
    if not found:
        raise TemplateError("\n  ".join(["the page is none of the forms given:", *faults]))
    _, k, registration = max(found, key=lambda one: one[:2])
    return templates[-k], registration


def _strength(one: Registration) -> float:
    """Fields whose places are sure come first; then print that was found outweighs marks, and marks
    a page's mere proportions."""
    rank = {"features": 0.3, "marks": 0.2, "outline": 0.05, "page": 0.0}[one.method]
    sure = sum(not each.doubt for each in one.certainty) / max(1, len(one.certainty))
    return 2 * sure + rank + (one.support or 0.0)


def _best(page: Gray, template: Template, group: Sequence[Placing]) -> Registration | str:
    """The placing of several under which the form's print comes to lie, or why none."""
    looked: list[tuple[Placing, Settled]] = []
    shrunk: dict[int, Gray] = {}
    for placing in group:
        lead = max((seen.support for _, seen in looked), default=0.0)
        one = settle(
            page,
            template,
            placing.homography,
            pins=placing.pins,
            bent=placing.bent,
            quick=lead >= _LIKELY,
            rival=lead if lead >= _LIKELY else 0.0,
            shrunk=shrunk,
        )
        if lead >= _LIKELY and one.support >= lead - _RIVAL:
            one = settle(
                page,
                template,
                placing.homography,
                pins=placing.pins,
                bent=placing.bent,
                shrunk=shrunk,
            )
        looked.append((placing, one))
        if one.support >= _CLEAR and one.support >= one.chance + 2 * OVER_CHANCE:
            break
    looked.sort(key=lambda pair: -(pair[1].support - pair[1].chance))
    placing, one = looked[0]
    if placing.strict and (
        fault := _denied(one, photo=placing.bent, marked=placing.method == "marks")
        or _other_lines(page, template, placing, one)
    ):
        return fault
    known = True
    if len(looked) > 1:
        placing, one, known = _upright(page, template, looked)
    shown = None
    if one.pieces < FEWEST_PIECES:
        shown = rows_shown(page, template, placing.homography)
    if shown is not None and shown < _ROWS_LOST:
        return f"only {100 * shown:.0f} % of its rows of boxes are where the template has them"
    return _registration(page, template, placing, one, known=known)


def _denied(one: Settled, *, photo: bool, marked: bool = False) -> str:
    """What the fields' lines have to say against a page; "" if nothing.

    A scanner may drop a form's colour, and all its lines with it; a photo shows them. Where some
    of them are left on a page with marks in the right places, hardly any stand elsewhere.
    """
    bare = one.chance + one.support < 2 * _BARE
    left = marked and one.chance < _BARE and one.support >= _LEFT * one.chance
    if one.pieces < FEWEST_PIECES or ((bare or left) and not photo):
        return ""
    if one.support >= LEAST_SUPPORT and one.support >= one.chance + OVER_CHANCE:
        return ""
    return (
        f"{100 * one.support:.0f} % of the fields' printed lines are where the template has them, "
        f"{100 * one.chance:.0f} % by chance"
    )


def _other_lines(page: Gray, template: Template, placing: Placing, one: Settled) -> str:
    """What lines that are not the form's have to say against a page; "" if nothing."""
    sides = float(np.mean(one.whole[0][: len(template.fields)])) if one.pieces else 0.0
    clear = one.support >= _CLEAR and sides >= _CLEAR_SIDES
    if placing.method == "marks":
        clear = one.support >= _CLEAR_BY_MARKS
    if one.pieces < FEWEST_PIECES or clear:
        return ""
    if one.support < one.chance + OVER_CHANCE:  # taken for a form whose colour was dropped
        share = long_lines(page, template, placing.homography)
        return "" if share < LINES_OF_ITS_OWN else "the lines on the page are not those of the form"
    seen = lines_beyond(page, template, placing.homography, one)
    if seen.ends < FEWEST_ENDS or seen.share < GOING_ON:
        return ""
    return (
        f"{seen.going_on} of {seen.ends} printed lines go on where those of the form end, as "
        "another form's do (if it is this one: list its marks, a reference, or its further lines)"
    )


def _upright(
    page: Gray, template: Template, looked: Sequence[tuple[Placing, Settled]]
) -> tuple[Placing, Settled, bool]:
    """Of placings in several turns the one whose print stands upright, where lines do not tell;
    whether anything tells it."""
    placing, one = looked[0]
    others = [each for other, each in looked[1:] if _angle(other, placing) > 45]
    second = max((each.support - each.chance for each in others), default=-1.0)
    if (one.support - one.chance) - second >= _TELLING:
        return placing, one, True
    shares = [rows_shown(page, template, each.homography) or 0.0 for each, _ in looked]
    best = int(np.argmax(shares))
    turned = [
        share
        for share, (other, _) in zip(shares, looked, strict=True)
        if _angle(other, looked[best][0]) > 45
    ]
    if shares[best] >= _ROWS_SEEN and max(turned, default=0.0) < _ROWS_LOST:
        return *looked[best], True
    said = upright_turn(Raster(page, template.page_size, placing.homography).draw())
    if said.turn == 180:
        opposite = [pair for pair in looked[1:] if _angle(pair[0], placing) > 135]
        if opposite:
            return *opposite[0], True
    level = [pair for pair in looked if pair[0].turn == 0]
    chosen = level[0] if said.lines == 0 and level else (placing, one)
    return *chosen, said.sure >= SURE


def _angle(a: Placing, b: Placing) -> float:
    """Degrees between the ups of two placings, 0..180."""
    return abs((a.turn - b.turn + 180) % 360 - 180)


def _registration(
    page: Gray, template: Template, placing: Placing, one: Settled, *, known: bool
) -> Registration:
    size = np.array(template.page_size)
    homography = turn_matrix(page.shape, placing.turn) @ placing.homography
    homography = homography / homography[2, 2]
    middle = np.array([size / 2, size / 2 + (1, 0), size / 2 + (0, 1)])
    at = project(homography, middle)
    zoom = float(np.sqrt(abs(np.linalg.det(at[1:] - at[0]))))  # page pixels a unit
    looked = one.pieces > 0
    # What the reference's own print says needs no help from lines: a form may have lost them.
    nudge = one.nudge if placing.measured is None else placing.nudge
    corners = box_corners(template).reshape(-1, 2)
    seen = project(placing.homography, corners if nudge is None else nudge.moved(corners))
    certainty = field_certainty(
        template,
        one,
        pins=placing.pins,
        bent=placing.bent,
        measured=placing.measured,
        upright=known,
        washed=washed_out(page, seen.reshape(-1, 4, 2)),
    )
    return Registration(
        homography=homography,
        method=placing.method,
        residual_px=placing.residual_px,
        inliers=placing.inliers,
        turned_deg=placing.turn,
        nudge=nudge,
        support=one.support if looked else None,
        field_px=tuple(None if r is None else r * zoom for r in one.residuals) if looked else (),
        spread_px=tuple(one.spread * zoom for one in certainty),
        certainty=certainty,
    )


def box_points(box: Box, pad: float = 0.0) -> Points:
    """The corners (9, 2) of a box with paper about it, clockwise from the top left, the middles of
    its sides and its own middle: what `cut_field` carries onto the page."""
    x0, y0, x1, y1 = box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    ends = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    return np.array([*ends, (x, y0), (x1, y), (x, y1), (x0, y), (x, y)])


def cut_field(
    page: Gray,
    registration: Registration,
    box: Box,
    *,
    pad: float = 0.0,
    high_px: int | None = None,
    seen: Points | None = None,
) -> tuple[Gray, Matrix]:
    """The crop of a box, upright in the template's sense.

    Args:
        page: uint8 (h, w).
        registration: Of this page.
        box: In the template's unit.
        pad: Paper around the box that is cut along, in the template's unit.
        high_px: A crop that is higher is shrunk to about this, though never to less than
            `_LEAST_SHRINK`; None: the page's own resolution.
        seen: Where `box_points` are on the page, if that is known.

    Returns:
        uint8 (h, w), h and w at least 1, and the float64 (3, 3) matrix from crop to page pixels.
        A box that stands straight gives the page's own pixels, so its edge may be half a pixel off.

    Raises:
        TemplateError: The box is not on the page.
    """
    x0, y0, x1, y1 = box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad
    h, w = page.shape
    within = box_points(box, pad)
    seen = registration.project(within) if seen is None else seen
    corners = seen[:4]
    left, top, right, bottom = around(corners)
    if not (left < w and top < h and right > 0 and bottom > 0):
        raise TemplateError(
            f"box {[round(edge, 2) for edge in box]} is at {left:.0f}, {top:.0f} px, outside the "
            f"page of {w} x {h} px; scan the whole sheet, or mend the template"
        )
    edges = np.hypot(*(corners[_NEXT] - corners).T)  # top, right, bottom, left
    wide, high = max(1.0, edges[0], edges[2]), max(1.0, edges[1], edges[3])
    near, homography = registration.near((x0, y0, x1, y1), corners), registration.homography
    bend = 0.0  # how far the box strays from what its corners say, pixels
    if registration.nudge is not None:
        bend = float(np.hypot(*(seen - project(near, within)).T).max())
    back: Matrix = np.eye(3)
    if high_px is not None and (shrink := max(_LEAST_SHRINK, high_px / high)) <= _WORTH_SHRINKING:
        page, there = _shrunk(page, (left, top, right, bottom), shrink)
        corners = project(there, corners)
        near, homography = there @ near, there @ homography
        back = np.asarray(np.linalg.inv(there), np.float64)
        wide, high, bend = wide * shrink, high * shrink, bend * shrink
        left, top, right, bottom = around(corners)
    upright = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    if np.abs(corners - upright).max() <= _STRAIGHT_PX and bend <= _STRAIGHT_PX:
        crop, to_page = _slice(page, left, top, right, bottom)
        return crop, back @ to_page
    size = max(1, round(wide)), max(1, round(high))
    if size[0] * size[1] > _LARGEST_CROP_PX:
        raise TemplateError(
            f"box {list(box)} is {size[0]} x {size[1]} px on the page; mend the template"
        )
    scale = np.array([[(x1 - x0) / size[0], 0, x0], [0, (y1 - y0) / size[1], y0], [0, 0, 1]])
    to_page = np.asarray(back @ near @ scale)
    if registration.nudge is not None and bend > _STRAIGHT_PX:
        crop = bent_crop(page, homography, registration.nudge, scale, size, way=cv2.INTER_CUBIC)
        return crop, to_page / to_page[2, 2]
    move = _UNHALF @ near @ scale @ _HALF  # cv2 counts from pixel centres
    flat = cv2.warpPerspective(
        page,
        move,
        size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,  # linear would soften a thin stroke
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(flat, np.uint8), to_page / to_page[2, 2]


def _shrunk(page: Gray, box: Box, by: float) -> tuple[Gray, Matrix]:
    """The page about a box, made smaller, and the matrix (3, 3) from the page's pixels to its."""
    h, w = page.shape
    x0, y0 = (max(0, floor(edge) - _AROUND_PX) for edge in box[:2])
    x1, y1 = min(w, ceil(box[2]) + _AROUND_PX), min(h, ceil(box[3]) + _AROUND_PX)
    size = max(1, round((x1 - x0) * by)), max(1, round((y1 - y0) * by))
    small = cv2.resize(page[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    sx, sy = size[0] / (x1 - x0), size[1] / (y1 - y0)
    return np.asarray(small, np.uint8), np.array([[sx, 0, -x0 * sx], [0, sy, -y0 * sy], [0, 0, 1]])


def _slice(page: Gray, left: float, top: float, right: float, bottom: float) -> tuple[Gray, Matrix]:
    """The page's own pixels; what reaches beyond it is left out."""
    h, w = page.shape
    x0, y0 = min(w - 1, max(0, floor(left + 0.5))), min(h - 1, max(0, floor(top + 0.5)))
    x1, y1 = max(x0 + 1, min(w, ceil(right - 0.5))), max(y0 + 1, min(h, ceil(bottom - 0.5)))
    to_page = np.array([[1, 0, x0], [0, 1, y0], [0, 0, 1]], np.float64)
    return np.ascontiguousarray(page[y0:y1, x0:x1]), to_page


def _refusal(template: Template, fact: str, step: str) -> TemplateError:
    return TemplateError(f"the page is not the form {template.name!r}: {fact}; {step}")
