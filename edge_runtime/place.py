"""From a page or a crop to the ink of its fields, ready for the network.

Owns:   `FieldCrop` and `FieldInk`, a field on its way to the network; the crops of a page.
Needs:  numpy, `register`, `reference_print`, `locate`, `segment`, `row_ink`, `components`,
        `preprocess`, `thin`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge_runtime import segment
from edge_runtime.bare_boxes import PrintedBox
from edge_runtime.bubbles import PAD as BUBBLE_PAD
from edge_runtime.bubbles import Bubbles, boxes_of, look_at_bubbles
from edge_runtime.check_marks import PAD as CHECK_PAD
from edge_runtime.check_marks import look_at_check
from edge_runtime.chosen import Chosen
from edge_runtime.circled import PAD as WORD_PAD
from edge_runtime.circled import look_at_words
from edge_runtime.components import components_of
from edge_runtime.dots import without_dots
from edge_runtime.errors import TemplateError
from edge_runtime.field import Box, Field
from edge_runtime.flat_sheet import FlatSheet
from edge_runtime.glyphs import Matrix, map_boxes
from edge_runtime.grammar import preset
from edge_runtime.locate import locate_fields
from edge_runtime.nudge import Nudge
from edge_runtime.preprocess import IntBox, Strip, make_strip, normalize_ink
from edge_runtime.printed import within_border
from edge_runtime.reference_print import ReferencePrint, without_print
from edge_runtime.register import Registration, around, box_points, cut_field
from edge_runtime.row_ink import Seen, as_line, dashes, line_of, specks
from edge_runtime.spec import ModelSpec
from edge_runtime.strikes import measured_as_cell, plainly_writing, strokes_box
from edge_runtime.template import Template
from edge_runtime.text_lines import is_tall, split_lines, written_rows
from edge_runtime.thin import thickened

Gray = NDArray[np.uint8]

# Part of a field's height that is cut around it: registration is off by a pixel or two, and people
# write over the border. What belongs to the neighbours is told apart in `segment`.
_PAD = 0.1
_HIGH_PX = 72  # of a crop: a row of 7.5 mm at 200 dpi
_PAPER = 70  # grey level under which no paper is seen: `watch` waits for more light, too
_SPECKS = 0.02  # of a crop, that may be lighter
_SHROUDED = "dark all over, no paper is seen"
_MOST_INK = 0.5  # of a crop; the boldest signatures of those drawn cover a fifth
_A4_MM, _LINE_MM = 297.0, 10.0  # the longer side of a page; the room of a line of large writing
_CUT_DOWN = 0.8  # of its height: a crop that is written on over more of it is not cut down
_FAINT = 48  # of 255: fainter ink connects nothing
_OWN = 0.35  # part of a component that must lie inside


@dataclass(frozen=True, slots=True, eq=False)
class FieldCrop:
    """One field's pixels, and where they are on the page."""

    pixels: Gray  # (h, w), dark ink on light paper
    field: Field  # its cells, where they are boxes, in pixels of the crop
    box: Box  # of the reading: pixels of the page, or of the crop where that is all there is
    to_page: Matrix | None = None  # (3, 3) crop to page; None where there is no page
    inside: Box | None = None  # the field without its pad, pixels of the crop; None: the whole crop
    doubt: str = ""  # why its place is not sure; "" where it is
    round: bool = False  # a check box that is a circle
    printed: Gray | None = None  # (h, w) ink of what the form's reference prints in it; None: none
    check: PrintedBox | None = None  # what it prints where a check box is, if no plain square
    blank: Gray | None = None  # (h, w) what it shows where bubbles are, dark on light; None: none


@dataclass(frozen=True, slots=True, eq=False)
class FieldInk:
    """One field's ink."""

    field: Field
    box: Box
    to_page: Matrix | None
    inks: tuple[segment.Ink, ...] = ()  # one, or one a cell; none for check boxes and signatures
    strips: tuple[Strip | None, ...] = ()  # of each ink; None where it is blank
    struck: tuple[bool, ...] = ()  # of each ink of cells: scribbled over
    dashes: tuple[str, ...] = ()  # of each ink of a row: "-" or "_" by its height; "" for others
    line: tuple[segment.Ink, Strip] | None = None  # a row of cells as one, print left in it
    mark: float | None = None  # check boxes and signatures: 0..1
    state: str = ""  # of a check box, see `check_marks.STATES`
    states: tuple[float, ...] = ()  # of each of those, 0..1
    there: float = 0.0  # that it is not empty, 0..1
    core: float = 0.0  # of its middle that is ink, 0..1
    over: str = ""  # why a blackened one is not to be accepted where that is how to answer
    doubt: str = ""  # why a mark is not to be accepted, or a blank no sure one
    ringed: bool = False  # a check box that the page alone shows as a circle
    held: bool = False  # a check box with something inside, be it print
    framed: bool = False  # a check box whose printed lines are seen, marked or not
    bubbles: Bubbles | None = None  # of a choice that is marked
    chosen: Chosen | None = None  # what they say, in the company of their page
    bounds: tuple[IntBox | None, ...] = ()  # of each ink without its specks; None: not known
    plain: tuple[bool, ...] = ()  # of each ink: a glance shows that it is not struck out
    kind_share: float = 1.0  # how probable the field's kind is, where the ink alone told it
    goes_on: bool = False  # another line of the field follows
    tall: bool = False  # the crop is many times as high as its letters

    @property
    def filled(self) -> tuple[Strip, ...]:
        """The strips of inks that are not blank, in order."""
        return tuple([strip for strip in self.strips if strip is not None])

    @property
    def asked(self) -> tuple[Strip, ...]:
        """What goes to the network: the filled strips, then the row as one line if there is one."""
        return self.filled if self.line is None else (*self.filled, self.line[1])


def lone_crop(pixels: Gray, field: Field) -> FieldCrop:
    """A crop without a page: boxes are in its own pixels.

    Raises:
        TemplateError: A cell lies outside of it, and would be read as blank.
    """
    h, w = pixels.shape
    for at, (x0, y0, x1, y1) in enumerate(field.cells if isinstance(field.cells, tuple) else ()):
        if x0 >= w or y0 >= h or x1 <= 0 or y1 <= 0:
            raise TemplateError(
                f"field {field.name!r}: cell {at + 1} lies outside the crop of {w} x {h} px; give "
                "the boxes of cells in pixels of the crop, or their number"
            )
    return FieldCrop(pixels, field, (0.0, 0.0, float(w), float(h)))


def template_crops(
    page: Gray, template: Template, registration: Registration
) -> tuple[FieldCrop, ...]:
    """The fields of a registered page, in the template's order, rectified."""
    own = None
    if template.reference is not None and template.reference_blank:
        own = ReferencePrint(template.reference, template.page_size)
    fields = [field for field in template.fields if field.box is not None]
    return _cuts(page, fields, registration, own)


def found_crops(page: Gray, sheet: FlatSheet | None = None) -> tuple[FieldCrop, ...]:
    """The fields of a page without a template, as those of one with it; arguments as those of
    `locate_fields`."""
    located = locate_fields(page, sheet)
    page = without_dots(page, located.dots)
    return tuple(
        replace(crop, doubt=doubt, round=is_round)
        for crop, doubt, is_round in zip(
            placed_crops(page, located.fields, located.to_page, located.bend),
            located.doubts,
            located.round,
            strict=True,
        )
    )


def placed_crops(
    page: Gray, fields: Sequence[Field], to_page: Matrix, bend: Nudge | None = None
) -> tuple[FieldCrop, ...]:
    """Fields whose boxes lie on the page by a homography, float64 (3, 3), and what it leaves."""
    lies = Registration(to_page, method="print", residual_px=0.0, inliers=0, nudge=bend)
    return _cuts(page, fields, lies)


def take_ink(crop: FieldCrop, spec: ModelSpec) -> FieldInk:
    """Segment a crop: ink without rules, cut into cells where the field has them.

    Args:
        crop: The field's pixels.
        spec: Of the network that is to read it.
    """
    if crop.field.kind == "checkbox":
        seen = look_at_check(
            normalize_ink(crop.pixels), crop.inside, ring=crop.round, printed=crop.check
        )
        if _shrouded(crop.pixels):
            return FieldInk(crop.field, crop.box, crop.to_page, mark=0.5, doubt=_SHROUDED)
        return FieldInk(
            crop.field, crop.box, crop.to_page,
            mark=seen.yes, state=seen.state, states=seen.states, doubt=seen.doubt, over=seen.over,
            there=seen.there, core=seen.core, ringed=seen.ringed, framed=seen.framed,
            held=seen.held,
        )  # fmt: skip
    if crop.field.boxes is not None:
        look = look_at_words if crop.field.marks == "circle" else look_at_bubbles
        bubbles = look(crop.pixels, _boxes_in(crop), printed=crop.blank)
        return FieldInk(crop.field, crop.box, crop.to_page, bubbles=bubbles)
    whole = normalize_ink(crop.pixels)
    if crop.printed is not None:
        whole = without_print(whole, crop.printed)
    if crop.field.kind == "signature":
        mark = float(segment.signature_present(whole))
        mark = min(1.0, max(0.0, mark))
        dark = (crop.pixels < np.percentile(crop.pixels, 98) / 2).mean()
        doubt = "more ink than a signature has" if dark > _MOST_INK else ""
        if _shrouded(crop.pixels):
            mark, doubt = 0.5, _SHROUDED
        return FieldInk(crop.field, crop.box, crop.to_page, mark=mark, doubt=doubt)
    inside = crop.inside
    inks = segment.inks_of(whole, crop.field, lone=inside is None, inside=inside)
    if crop.inside is not None:
        inks = tuple(_of_field(ink, crop.inside) for ink in inks)
    cells = [Seen(ink) for ink in inks]
    if crop.field.cells is None:  # what is written in it is asked by cells alone
        blank = [not one.surely_written and one.blank for one in cells]
    else:
        blank = [one.blank for one in cells]
    in_row = len(inks) > 1
    if in_row and not _marks_stand_alone(crop.field):
        blank = [
            one or small
            for one, small in zip(blank, specks([one.strokes for one in cells]), strict=True)
        ]
    level = None
    if in_row and _size_tells(crop.field):
        level = line_of([one for one, none in zip(cells, blank, strict=True) if not none])
    strips = tuple(
        None if none else _strip(one, spec, level, in_row=in_row)
        for one, none in zip(cells, blank, strict=True)
    )
    filled = [strip is not None for strip in strips]
    struck = tuple(
        full and crop.field.cells is not None and one.struck
        for one, full in zip(cells, filled, strict=True)
    )
    line = as_line(whole, spec, cells, filled) if in_row and any(filled) else None
    bounds = tuple(
        strokes_box(one.components) if full else None
        for one, full in zip(cells, filled, strict=True)
    )
    in_cells = crop.field.cells is not None
    plain = tuple(
        box is not None
        and not scribbled
        and plainly_writing(one.components, box, cell=measured_as_cell(box, in_cells=in_cells))
        for one, box, scribbled in zip(cells, bounds, struck, strict=True)
    )
    flat = dashes(cells, filled)
    doubt = "" if any(filled) or not _shrouded(crop.pixels) else _SHROUDED
    tall = crop.field.cells is None and is_tall(cells[0].components, len(whole))
    return FieldInk(
        crop.field, crop.box, crop.to_page, inks, strips, struck, flat, line,
        doubt=doubt, bounds=bounds, plain=plain, tall=tall,
    )  # fmt: skip


def _shrouded(pixels: Gray) -> bool:
    """Whether something lies over the whole of a crop, or no light: then nothing tells a blank."""
    return bool(np.count_nonzero(pixels >= _PAPER) <= _SPECKS * pixels.size)


def take_lines(crop: FieldCrop, spec: ModelSpec, *, cut_down: bool = False) -> tuple[FieldInk, ...]:
    """As `take_ink`, each line of a field that may hold several by itself, the first first.

    So is what stands in a box much higher than its letters, whatever was said of its lines: all
    that is measured against the height of a crop would take them for specks.

    Args:
        crop: The field's pixels.
        spec: Of the network that is to read it.
        cut_down: These are the rows of such a box that are written on.
    """
    room = crop.field.lines or 1
    ink = take_ink(crop, spec)
    if not ink.inks or ink.mark is not None or not (room > 1 or ink.tall or cut_down):
        return (ink,)
    (given,) = ink.inks
    if ink.tall:
        top, bottom = written_rows(given)
        if bottom - top < _CUT_DOWN * len(given.pixels):
            return take_lines(_rows_of(crop, top, bottom), spec, cut_down=True)
    lines = split_lines(given, room)
    if len(lines) == 1:
        return (ink,)
    found = []
    for at, line in enumerate(lines, 1):
        alone = FieldCrop(
            255 - line.pixels, crop.field, crop.box, _to_page_from(crop.to_page, *line.offset)
        )
        found.append(replace(take_ink(alone, spec), goes_on=at < len(lines)))
    return tuple(found)


def _rows_of(crop: FieldCrop, top: int, bottom: int) -> FieldCrop:
    """Some rows of a free field's crop."""
    inside = crop.inside
    return replace(
        crop,
        pixels=np.ascontiguousarray(crop.pixels[top:bottom]),
        to_page=_to_page_from(crop.to_page, 0, top),
        inside=inside and (inside[0], inside[1] - top, inside[2], inside[3] - top),
        printed=None if crop.printed is None else crop.printed[top:bottom],
    )


def _to_page_from(to_page: Matrix | None, x: int, y: int) -> Matrix:
    """(3, 3): from pixels of a part of a crop, its corner at x and y, to those of the page."""
    moved = np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
    return moved if to_page is None else np.asarray(to_page @ moved, np.float64)


def _boxes_in(crop: FieldCrop) -> tuple[Box, ...]:
    """The boxes of a choice that is marked, pixels of the crop."""
    h, w = crop.pixels.shape
    return boxes_of(crop.field.boxes, crop.inside or (0.0, 0.0, float(w), float(h)))


def _strip(
    one: Seen, spec: ModelSpec, level: tuple[float, float] | None, *, in_row: bool
) -> Strip | None:
    """The strip of an ink; `level` is the row's line of writing, rows of the crop."""
    if one.box is None:
        return None
    pixels, y = one.ink.pixels, one.ink.offset[1]
    if not in_row:
        return make_strip(pixels, spec, box=one.box)
    line = None if level is None else (level[0] - y, level[1] - y)
    thick = thickened(pixels, line, box=one.box)
    return make_strip(thick, spec, line=line, box=one.box if thick is pixels else None)


def _of_field(ink: segment.Ink, inside: Box) -> segment.Ink:
    """Without what belongs to the field's border or to its neighbours.

    A component counts as the field's own when a good part of it lies within the printed border: a
    descender that crosses the border stays whole, what is left of the border goes.
    """
    dx, dy = ink.offset
    own = inside[0] - dx, inside[1] - dy, inside[2] - dx, inside[3] - dy
    left, top, right, bottom = within_border(own)
    around = (
        ink.pixels[:top],
        ink.pixels[bottom:],
        ink.pixels[:, :left],
        ink.pixels[:, right:],
    )
    if all(part.max(initial=0) < _FAINT for part in around):
        return ink
    seen = components_of(ink.pixels, _FAINT)
    foreign = np.concatenate([[False], seen.within(left, top, right, bottom) < _OWN * seen.areas])
    if not foreign.any():
        return ink
    return replace(ink, pixels=np.where(foreign[seen.labels], np.uint8(0), ink.pixels))


def _size_tells(field: Field) -> bool:
    """Whether characters may stand here that only size or height tells apart: o O, comma and '."""
    charset = preset(field).charset or ""
    both_cases = any(char.islower() and char.upper() in charset for char in charset)
    return both_cases or any(char in ".,'`-_" for char in charset)


def _marks_stand_alone(field: Field) -> bool:
    """Whether a cell may hold a dot, a dash or an apostrophe and nothing else."""
    return any(char in ".,'`-_:;\"~^*/=" for char in preset(field).charset or "")


def _cuts(
    page: Gray,
    fields: Sequence[Field],
    registration: Registration,
    own: ReferencePrint | None = None,
) -> tuple[FieldCrop, ...]:
    """The crops of fields that have boxes; all of their points are carried onto the page at once,
    since each way there takes its time."""
    if not fields:
        return ()
    points = [
        each
        for field in fields
        for each in (box_points(_box(field), _pad(field)), box_points(_box(field))[:4])
    ]
    seen = registration.project(np.concatenate(points)).reshape(len(fields), -1, 2)
    return tuple(
        _cut(page, field, registration, own, one) for field, one in zip(fields, seen, strict=True)
    )


def _box(field: Field) -> Box:
    return field.box or (0.0, 0.0, 0.0, 0.0)


def _pad(field: Field) -> float:
    """Paper around a field that is cut along, units of its box."""
    if field.boxes is not None:
        pad = WORD_PAD if field.marks == "circle" else BUBBLE_PAD
        return pad * _height_of_boxes(field, _box(field))
    _, top, _, bottom = _box(field)
    return (CHECK_PAD if field.kind == "checkbox" else _PAD) * (bottom - top) / (field.lines or 1)


def _cut(
    page: Gray,
    field: Field,
    registration: Registration,
    own: ReferencePrint | None,
    seen: NDArray[np.float64],
) -> FieldCrop:
    """`seen` are where `box_points` with pad, and the four corners without, are on the page."""
    box, mark = _box(field), field.kind == "checkbox"
    # A mark is told by its finest strokes, writing by what is left of it in a strip of 32 px.
    high_px = None
    if not mark and field.kind != "signature":
        high_px = round(_HIGH_PX * _rows_of_writing(field, seen[-4:], page.shape))
    if field.boxes is not None:
        high_px = None
    pad, corners = _pad(field), seen[-4:]
    pixels, to_page = cut_field(page, registration, box, pad=pad, high_px=high_px, seen=seen[:-4])
    to_crop = np.linalg.inv(to_page) @ registration.near(box, corners)
    printed, check, blank = None, None, None
    if own is not None:
        to_template = np.asarray(np.linalg.inv(to_crop), np.float64)
        if field.boxes is not None:
            blank = own.picture_of(to_template, pixels.shape)
        elif mark:
            check = own.check_of(box, pad, to_template, pixels.shape)
        else:
            n = field.n_cells if field.cells is not None else 0
            printed = own.of(box, n, to_template, pixels.shape)
    cells = field.cells if isinstance(field.cells, tuple) else ()
    boxes = field.boxes if isinstance(field.boxes, tuple) else ()
    inside, *placed = map_boxes([box, *cells, *boxes], to_crop)
    if cells:
        field = replace(field, cells=tuple(placed[: len(cells)]))
    if boxes:
        field = replace(field, boxes=tuple(placed[len(cells) :]))
    return FieldCrop(
        pixels,
        field,
        around(corners),
        to_page,
        inside=inside,
        printed=printed,
        check=check,
        blank=blank,
    )


def _rows_of_writing(field: Field, corners: NDArray[np.float64], shape: tuple[int, ...]) -> float:
    """How many lines of writing its crop is to show as sharply as one; 1 and more.

    Where the template does not say, as many as the box has room for, the page taken for A4.
    """
    if field.cells is not None:
        return 1.0
    high = float(np.ptp(corners[:, 1])) * _A4_MM / max(shape)
    return max(1.0, field.lines or 1, high / _LINE_MM)


def _height_of_boxes(field: Field, box: Box) -> float:
    """Of the lowest of a choice's boxes, template units."""
    if isinstance(field.boxes, tuple):
        return min(y1 - y0 for _, y0, _, y1 in field.boxes)
    return min(box[2] - box[0], box[3] - box[1])
