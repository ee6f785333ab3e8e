"""Lines that a form has not tell that a page is another's; ends of rules tell where they lie."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime import refine
from edge_runtime.beyond import GOING_ON, LINES_OF_ITS_OWN, lines_beyond, long_lines
from edge_runtime.errors import TemplateError
from edge_runtime.form_lines import template_lines
from edge_runtime.nudge import Measured
from edge_runtime.raster import Raster
from edge_runtime.refine import Settled, settle
from edge_runtime.register import register
from edge_runtime.rule_ends import end_shifts
from edge_runtime.template import Template

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]

SIZE = (210.0, 148.0)
PX = 8.0  # to a millimetre
LAID = np.diag([PX, PX, 1.0])
TOPS = (24.0, 46.0, 68.0, 90.0, 112.0)


def form(*, marks: bool = False, ruled: bool = False) -> Template:
    """Two fields in each of five rows: boxes, or underlines that the template lists."""
    boxes = [box for y in TOPS for box in ([20, y, 92, y + 10], [110, y, 186, y + 10])]
    raw: dict[str, Any] = {
        "name": "rows",
        "page": {"size": SIZE, "unit": "mm"},
        "fields": [{"name": f"f{k}", "box": box} for k, box in enumerate(boxes)],
    }
    if ruled:
        raw["lines"] = [[x0, y1 - 2.6, x1, y1 - 2.6] for x0, _, x1, y1 in boxes]
    if marks:
        raw["marks"] = [
            [[x, y], [x + 5, y + 5]] for x, y in ((6, 6), (199, 6), (199, 137), (6, 137))
        ]
    return Template.from_dict(raw)


def blank() -> Gray:
    return np.full((round(SIZE[1] * PX), round(SIZE[0] * PX)), 235, np.uint8)


def line(page: Gray, x0: float, y0: float, x1: float, y1: float) -> None:
    """A third of a millimetre thick, its ends where they are said to be."""
    left, top, right, bottom = (round(edge * PX) for edge in (x0, y0, x1, y1))
    if y0 == y1:
        page[top - 1 : top + 2, left:right] = 70
    else:
        page[top:bottom, left - 1 : left + 2] = 70


def printed(template: Template, *, longer_mm: float = 0.0) -> Gray:
    """The form; or another, whose level lines stand at its heights and are longer."""
    page = blank()
    for x0, y0, x1, y1 in template.marks:
        cv2.rectangle(
            page, (round(x0 * PX), round(y0 * PX)), (round(x1 * PX), round(y1 * PX)), 20, -1
        )
    for x0, y0, x1, y1 in template.lines:
        line(page, x0, y0, x1, y1)
    for field in () if template.lines else template.fields:
        x0, y0, x1, y1 = field.box or (0, 0, 0, 0)
        line(page, x0 - longer_mm, y0, x1 + longer_mm, y0)
        line(page, x0 - longer_mm, y1, x1 + longer_mm, y1)
        line(page, x0 - longer_mm, y0, x0 - longer_mm, y1)
        line(page, x1 + longer_mm, y0, x1 + longer_mm, y1)
    return page


def settled(page: Gray, template: Template) -> Settled:
    return settle(page, template, LAID, pins=np.empty((0, 2)), bent=False)


def test_lines_of_the_form_itself_end_where_the_template_ends_them() -> None:
    template = form()
    page = printed(template)
    seen = lines_beyond(page, template, LAID, settled(page, template))
    assert seen.ends == 2 * 2 * len(template.fields)
    assert seen.going_on == 0


def test_lines_of_another_form_go_on() -> None:
    template = form()
    page = printed(template, longer_mm=8)
    one = settled(page, template)
    assert one.support > 0.5  # by which alone it would be taken
    seen = lines_beyond(page, template, LAID, one)
    assert seen.share > 2 * GOING_ON
    with pytest.raises(TemplateError, match="lines go on where those of the form end"):
        register(page, template)
    assert register(printed(template), template).method == "page"


def test_neighbours_that_share_a_line_do_not_count_as_going_on() -> None:
    fields = [{"name": f"f{k}", "box": [20 + 40 * k, 40, 60 + 40 * k, 52]} for k in range(4)]
    raw = {"name": "table", "page": {"size": SIZE, "unit": "mm"}, "fields": fields}
    template = Template.from_dict(raw)
    page = printed(template)
    seen = lines_beyond(page, template, LAID, settled(page, template))
    assert seen.ends == 4  # of the row, not of each box in it
    assert seen.going_on == 0


def test_marks_in_the_right_places_do_not_make_another_form_of_it() -> None:
    template = form(marks=True)
    other = blank()
    for x0, y0, x1, y1 in template.marks:
        cv2.rectangle(
            other, (round(x0 * PX), round(y0 * PX)), (round(x1 * PX), round(y1 * PX)), 20, -1
        )
    bare = other.copy()  # as a scanner leaves a form whose colour it drops
    for x in (30.0, 50, 70, 130, 150, 170):
        line(other, x, 15, x, 130)
    assert long_lines(bare, template, LAID) < 0.5 * LINES_OF_ITS_OWN
    assert long_lines(other, template, LAID) > LINES_OF_ITS_OWN
    with pytest.raises(TemplateError, match="the lines on the page are not those of the form"):
        register(other, template)
    assert all(one.doubt for one in register(bare, template).certainty)


@pytest.mark.parametrize("off_mm", [-2.6, -0.8, 0.0, 0.45, 1.3, 3.1])
def test_a_rules_ends_tell_how_far_it_lies_along_itself(off_mm: float) -> None:
    template = form(ruled=True)
    page = blank()
    for x0, y0, x1, y1 in template.lines:
        line(page, x0 + off_mm, y0, x1 + off_mm, y1)
    lines, sheet = template_lines(template), Raster(page, SIZE, LAID)
    n, at = len(lines.points), sheet.of(lines.points)
    x, y = end_shifts(sheet.draw(), lines, at, np.zeros(n), np.ones(n, bool), first_group=100)
    assert len(x.shifts) == 2 * len(template.lines)
    assert len(y.shifts) == 0
    assert np.abs(x.shifts / sheet.per_unit - off_mm).max() < 0.18
    assert set(x.group) == set(range(100, 100 + len(template.lines)))


def test_a_rule_that_does_not_end_near_by_tells_nothing() -> None:
    template = form(ruled=True)
    page = blank()
    for _, y0, _, _ in template.lines:
        line(page, 2, y0, 208, y0)
    lines, sheet = template_lines(template), Raster(page, SIZE, LAID)
    n = len(lines.points)
    x, _ = end_shifts(
        sheet.draw(), lines, sheet.of(lines.points), np.zeros(n), np.ones(n, bool), first_group=0
    )
    assert len(x.shifts) == 0


def bulged(page: Gray, *, mm: float) -> Gray:
    """A sheet whose middle lies so far to the right; its left and right edges do not move."""
    h, w = page.shape
    x = np.arange(w, dtype=np.float32)
    columns = x - mm * PX * np.sin(np.pi * x / w)
    rows = np.repeat(np.arange(h, dtype=np.float32)[:, None], w, axis=1)
    wide = np.repeat(columns[None].astype(np.float32), h, axis=0)
    out = cv2.remap(page, wide, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)


def test_underlined_fields_of_a_bent_sheet_are_placed_along_their_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    template = form(ruled=True)
    page = bulged(printed(template), mm=2.5)
    pins = np.array([(0.0, 0.0), (210, 0), (210, 148), (0, 148)])
    middle = np.array([(92.0, y) for y in TOPS])

    def off_mm() -> float:
        one = settle(page, template, LAID, pins=pins, bent=True)
        assert one.nudge is not None
        there = one.nudge.moved(middle)[:, 0]
        return float(np.abs(there - 2.5 * np.sin(np.pi * there / 210) - middle[:, 0]).max())

    assert off_mm() < 0.5
    nothing = Measured.nothing()
    monkeypatch.setattr(refine, "end_shifts", lambda *_, **__: (nothing, nothing))
    assert off_mm() > 1.5


def test_what_was_found_of_a_field_by_half_is_not_trusted() -> None:
    template = form()
    page = printed(template)
    x0, _, x1, y1 = (round(edge * PX) for edge in template.fields[3].box or ())
    page[y1 - 8 : y1 + 8, x0 - 8 : x1 + 8] = 235  # its lower edge is gone
    one = settled(page, template)
    assert 3 in one.measured[1].group
    assert 3 not in one.trusted[1].group
    assert 3 in one.trusted[0].group
    assert set(one.measured[1].group) - set(one.trusted[1].group) == {3}
