"""From a page or a crop to the ink of its fields, ready for the network.

Owns:   `FieldCrop` and `FieldInk`, a field on its way to the network; the crops of a page.
Needs:  numpy, `register`, `locate`, `segment`, `preprocess`, `thin`, `glyphs`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime import segment
from edge_runtime.check_marks import PAD as CHECK_PAD
from edge_runtime.check_marks import look_at_check
from edge_runtime.field import Box, Field
from edge_runtime.glyphs import Matrix, map_box
from edge_runtime.grammar import preset
from edge_runtime.locate import locate_fields
from edge_runtime.preprocess import Strip, ink_box, make_strip, normalize_ink
from edge_runtime.register import Registration, cut_field
from edge_runtime.spec import ModelSpec
from edge_runtime.template import Template
from edge_runtime.thin import thickened

Gray = NDArray[np.uint8]

# Part of a field's height that is cut around it: registration is off by a pixel or two, and people
# write over the border. What belongs to the neighbours is told apart in `segment`.
_PAD = 0.1
# How far a border's ink reaches into its field: its own width and what registration is off by.
_BORDER, _BORDER_PX = 0.06, 3.0
_SPECK = 0.3  # of the longer side that the strokes of a row's glyphs usually have
_FAINT = 48  # of 255: fainter ink connects nothing
_FLAT = 2.0  # width over height from which a glyph is a flat stroke
_FEWEST_GLYPHS = 3  # other glyphs that a row's foot is taken from
_LOW = 0.15  # of a glyph's height above the foot: higher stands a dash
_SPARE = 0.12  # of the height of a row's writing: print beyond it is cut off
_OWN = 0.35  # part of a component that must lie inside


@dataclass(frozen=True, slots=True, eq=False)
class FieldCrop:
    """One field's pixels, and where they are on the page."""

    pixels: Gray  # (h, w), dark ink on light paper
    field: Field  # its cells, where they are boxes, in pixels of the crop
    box: Box  # of the reading: pixels of the page, or of the crop where that is all there is
    to_page: Matrix | None = None  # (3, 3) crop to page; None where there is no page
    inside: Box | None = None  # the field without its pad, pixels of the crop; None: the whole crop


@dataclass(frozen=True, slots=True, eq=False)
class FieldInk:
    """One field's ink."""

    field: Field
    box: Box
    to_page: Matrix | None
    inks: tuple[segment.Ink, ...] = ()  # one, or one a cell; none for check boxes and signatures
    strips: tuple[Strip | None, ...] = ()  # of each ink; None where it is blank
    struck: tuple[bool, ...] = ()  # of each ink: scribbled over
    dashes: tuple[str, ...] = ()  # of each ink of a row: "-" or "_" by its height; "" for others
    line: tuple[segment.Ink, Strip] | None = None  # a row of cells as one, print left in it
    mark: float | None = None  # check boxes and signatures: 0..1
    state: str = ""  # of a check box, see `check_marks.STATES`

    @property
    def filled(self) -> tuple[Strip, ...]:
        """The strips of inks that are not blank, in order."""
        return tuple(strip for strip in self.strips if strip is not None)

    @property
    def asked(self) -> tuple[Strip, ...]:
        """What goes to the network: the filled strips, then the row as one line if there is one."""
        return self.filled if self.line is None else (*self.filled, self.line[1])


def lone_crop(pixels: Gray, field: Field) -> FieldCrop:
    """A crop without a page: boxes are in its own pixels."""
    h, w = pixels.shape
    return FieldCrop(pixels, field, (0.0, 0.0, float(w), float(h)))


def template_crops(
    page: Gray, template: Template, registration: Registration
) -> tuple[FieldCrop, ...]:
    """The fields of a registered page, in the template's order, rectified."""
    return tuple(
        _cut(page, field, registration) for field in template.fields if field.box is not None
    )


def found_crops(page: Gray) -> tuple[FieldCrop, ...]:
    """The fields of a page without a template, as those of one with it."""
    located = locate_fields(page)
    lies = Registration(located.to_page, method="print", residual_px=0.0, inliers=0)
    return tuple(_cut(page, field, lies) for field in located.fields)


def take_ink(crop: FieldCrop, spec: ModelSpec) -> FieldInk:
    """Segment a crop: ink without rules, cut into cells where the field has them.

    Args:
        crop: The field's pixels.
        spec: Of the network that is to read it.
    """
    if crop.field.kind == "checkbox":
        seen = look_at_check(normalize_ink(crop.pixels), crop.inside)
        return FieldInk(crop.field, crop.box, crop.to_page, mark=seen.yes, state=seen.state)
    if crop.field.kind == "signature":
        mark = float(segment.signature_present(normalize_ink(crop.pixels)))
        mark = min(1.0, max(0.0, mark))
        return FieldInk(crop.field, crop.box, crop.to_page, mark=mark)
    inks = segment.field_ink(crop.pixels, crop.field, lone=crop.inside is None)
    if crop.inside is not None:
        inks = tuple(_of_field(ink, crop.inside) for ink in inks)
    strokes = [segment.written_strokes(ink.pixels) for ink in inks]
    blank = [segment.is_blank(ink.pixels, own) for ink, own in zip(inks, strokes, strict=True)]
    if len(inks) > 1 and not _marks_stand_alone(crop.field):
        blank = [one or small for one, small in zip(blank, _specks(strokes), strict=True)]
    level = None
    if len(inks) > 1 and _size_tells(crop.field):
        level = _line([ink for ink, none in zip(inks, blank, strict=True) if not none])
    strips = tuple(
        None if none else _strip(ink, spec, _in_ink(level, ink), in_cell=len(inks) > 1)
        for ink, none in zip(inks, blank, strict=True)
    )
    struck = tuple(
        strip is not None and segment.is_struck(ink.pixels, own)
        for ink, strip, own in zip(inks, strips, strokes, strict=True)
    )
    dashes = _dashes(inks, strips)
    line = _as_line(crop, spec, inks, strips) if len(inks) > 1 and any(strips) else None
    return FieldInk(crop.field, crop.box, crop.to_page, inks, strips, struck, dashes, line)


def _as_line(
    crop: FieldCrop, spec: ModelSpec, inks: Sequence[segment.Ink], strips: Sequence[Strip | None]
) -> tuple[segment.Ink, Strip] | None:
    """The whole row with its print, which the network sees through better than any removal.

    As high as what is written in it, so that glyphs are not small; and up to the first of the empty
    cells at its end.
    """
    ink = normalize_ink(crop.pixels)
    h, w = ink.shape
    level = _line([one for one, strip in zip(inks, strips, strict=True) if strip is not None])
    top, bottom = (0.0, float(h)) if level is None else level
    spare = _SPARE * (bottom - top) + 1
    y0, y1 = max(0, int(top - spare)), min(h, math.ceil(bottom + spare))
    last = max(at for at, strip in enumerate(strips) if strip is not None)
    after = inks[min(last + 1, len(inks) - 1)]
    x1 = w if last + 2 >= len(inks) else min(w, after.offset[0] + after.pixels.shape[1])
    cut = np.ascontiguousarray(ink[y0:y1, :x1])
    strip = make_strip(cut, spec)
    return None if strip is None else (segment.Ink(cut, (0, y0)), strip)


def _strip(
    ink: segment.Ink, spec: ModelSpec, line: tuple[float, float] | None, *, in_cell: bool
) -> Strip | None:
    pixels = thickened(ink.pixels, line) if in_cell else ink.pixels
    return make_strip(pixels, spec, line=line)


def _of_field(ink: segment.Ink, inside: Box) -> segment.Ink:
    """Without what belongs to the field's border or to its neighbours.

    A component counts as the field's own when a good part of it lies within the printed border: a
    descender that crosses the border stays whole, what is left of the border goes.
    """
    x0, y0, x1, y1 = inside
    border = max(_BORDER_PX, _BORDER * (y1 - y0))
    dx, dy = ink.offset
    left, top = (max(0, round(v)) for v in (x0 + border - dx, y0 + border - dy))
    right, bottom = (max(0, round(v)) for v in (x1 - border - dx, y1 - border - dy))
    mask = (ink.pixels >= _FAINT).astype(np.uint8)
    n, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    within = np.bincount(labels[top:bottom, left:right].ravel(), minlength=n)
    foreign = within < _OWN * stats[:, cv2.CC_STAT_AREA]
    foreign[0] = False
    if not foreign.any():
        return ink
    return replace(ink, pixels=np.where(foreign[labels], np.uint8(0), ink.pixels))


def _size_tells(field: Field) -> bool:
    """Whether characters may stand here that only size or height tells apart: o O, comma and '."""
    charset = preset(field).charset or ""
    both_cases = any(char.islower() and char.upper() in charset for char in charset)
    return both_cases or any(char in ".,'`-_" for char in charset)


def _marks_stand_alone(field: Field) -> bool:
    """Whether a cell may hold a dot, a dash or an apostrophe and nothing else."""
    return any(char in ".,'`-_:;\"~^*/=" for char in preset(field).charset or "")


def _specks(strokes: Sequence[NDArray[np.int32]]) -> list[bool]:
    """Which cells hold far smaller strokes than the row's glyphs: grain, and bits of borders."""
    sides = np.array(
        [
            one[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max() if len(one) else 0
            for one in strokes
        ]
    )
    seen = np.sort(sides[sides > 0])
    if not len(seen):
        return [False] * len(sides)
    usual = float(np.median(seen[len(seen) // 2 :]))  # the smaller half may be specks
    return [bool(0 < side < _SPECK * usual) for side in sides]


def _line(inks: Sequence[segment.Ink]) -> tuple[float, float] | None:
    """Top and bottom of what is written in a row of cells, rows of the crop."""
    boxes = [(ink_box(ink.pixels), ink.offset[1]) for ink in inks]
    found = [(box[1] + y, box[3] + y) for box, y in boxes if box is not None]
    if not found:
        return None
    return min(top for top, _ in found), max(bottom for _, bottom in found)


def _dashes(inks: Sequence[segment.Ink], strips: Sequence[Strip | None]) -> tuple[str, ...]:
    """Which flat strokes of a row stand on the line of writing, and which above it.

    A dash and an underscore are one shape; what tells them apart is where the other glyphs stand.
    """
    boxes: list[Box | None] = []
    for ink, strip in zip(inks, strips, strict=True):
        box = None if strip is None else ink_box(ink.pixels)
        y = ink.offset[1]
        boxes.append(None if box is None else (box[0], box[1] + y, box[2], box[3] + y))
    flat = [box is not None and box[2] - box[0] > _FLAT * (box[3] - box[1]) for box in boxes]
    tall = [box for box, low in zip(boxes, flat, strict=True) if box is not None and not low]
    if len(tall) < _FEWEST_GLYPHS:
        return ("",) * len(boxes)
    foot = float(np.median([box[3] for box in tall]))
    height = float(np.median([box[3] - box[1] for box in tall]))
    return tuple(
        ""
        if box is None or not low
        else "_"
        if (box[1] + box[3]) / 2 > foot - _LOW * height
        else "-"
        for box, low in zip(boxes, flat, strict=True)
    )


def _in_ink(line: tuple[float, float] | None, ink: segment.Ink) -> tuple[float, float] | None:
    return None if line is None else (line[0] - ink.offset[1], line[1] - ink.offset[1])


def _cut(page: Gray, field: Field, registration: Registration) -> FieldCrop:
    box = field.box or (0.0, 0.0, 0.0, 0.0)
    share = CHECK_PAD if field.kind == "checkbox" else _PAD
    pixels, to_page = cut_field(page, registration, box, pad=share * (box[3] - box[1]))
    to_crop = np.linalg.inv(to_page) @ registration.near(box)
    return FieldCrop(
        pixels,
        _in_crop(field, to_crop),
        registration.to_page(box),
        to_page,
        inside=map_box(box, to_crop),
    )


def _in_crop(field: Field, to_crop: Matrix) -> Field:
    """The field with the boxes of its cells carried into the crop."""
    if field.cells is None or isinstance(field.cells, int):
        return field
    return replace(field, cells=tuple(map_box(box, to_crop) for box in field.cells))
