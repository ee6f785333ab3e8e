"""What lies over a field, and the glare of a lamp: a hidden field is no field left empty."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.cover import covered, washed_out
from edge_runtime.reader import Reader
from edge_runtime.results import Status
from tests.runtime.test_certainty import MM, doubts, drawn, form

Gray = NDArray[np.uint8]


def paper_over(page: Gray, *fields: str) -> Gray:
    """A blank slip laid over some fields."""
    out = page.copy()
    for field in form().fields:
        if field.name in fields:
            assert field.box is not None
            x0, y0, x1, y1 = (round(edge * MM) for edge in field.box)
            out[y0 - 2 * MM : y1 + 2 * MM, x0 - 2 * MM : x1 + 2 * MM] = 236
    return out


def test_a_field_under_a_slip_of_paper_is_in_doubt_and_others_are_not() -> None:
    template = form()
    found = doubts(paper_over(drawn(template), "left_2", "right_5"), template)
    assert set(found) == {"left_2", "right_5"}
    assert all(doubt.startswith("print hidden") for doubt in found.values())


def test_a_field_that_is_printed_without_lines_is_not_hidden() -> None:
    told = [1.0, 1.0, 1.0, 0.0, 0.0]
    boxes = [(20, 40, 80, 48), (20, 60, 80, 68), (20, 80, 80, 88), (20, 100, 80, 108),
             (100, 40, 190, 70)]  # fmt: skip
    template = replace(
        form(), fields=tuple(
            replace(form().fields[0], name=f"f{k}", box=box) for k, box in enumerate(boxes)
        ),
    )  # fmt: skip
    # The fourth is of the size of three others that show their lines; the last has no like.
    assert covered(template, told) == (False, False, False, True, False)
    assert covered(template, [0.0] * 5) == (False,) * 5  # a scanner that drops the form's colour


def test_a_row_of_cells_has_lines_even_where_it_is_the_only_one() -> None:
    plain = form(rows=2)
    template = replace(plain, fields=(*plain.fields[:2], plain.fields[2]))  # one row of cells
    assert covered(template, [0.0, 0.0, 0.0]) == (False, True, False)
    assert covered(template, [0.0, 0.3, 0.0]) == (False, False, False)  # a comb's teeth
    # Three rows of which none shows a line: their colour was dropped.
    rows = replace(plain, fields=tuple(replace(plain.fields[1], name=f"r{k}") for k in range(3)))
    assert covered(rows, [0.0, 0.0, 0.0]) == (False, False, False)
    assert covered(rows, [0.9, 0.0, 0.9]) == (False, True, False)


def test_the_reference_tells_which_fields_have_lines(tmp_path: Path) -> None:
    plain = form(rows=3)
    boxes = [(20.0, 40.0 + 30 * k, 60.0 + 20 * k, 48.0 + 31 * k) for k in range(6)]  # no two alike
    fields = tuple(replace(plain.fields[0], name=f"f{k}", box=box) for k, box in enumerate(boxes))
    template = replace(plain, fields=fields)
    told = [1.0, 1.0, 1.0, 1.0, 0.1, 0.0]
    assert not any(covered(template, told))  # nothing says that they have some
    bare = replace(template, fields=fields[:5])  # the last is printed without
    cv2.imwrite(str(tmp_path / "blank.png"), drawn(bare))
    known = replace(template, reference=tmp_path / "blank.png")
    assert covered(known, told) == (False, False, False, False, True, False)
    assert covered(known, [0.0] * 6) == (False,) * 6


def glare(page: Gray, x: float, y: float, *, r: float = 14) -> Gray:
    """A lamp's reflection, millimetres."""
    light = np.zeros(page.shape, np.float32)
    cv2.circle(light, (round(x * MM), round(y * MM)), round(r * MM), 1.4, -1)
    light = np.minimum(1, cv2.GaussianBlur(light, (0, 0), 3 * MM))
    return np.asarray(np.clip(page + (np.float32(270) - page) * light, 0, 255), np.uint8)


def test_a_field_in_a_glare_is_in_doubt_where_its_print_is_washed_out() -> None:
    template = form()
    page = np.asarray(drawn(template) * np.float32(0.85), np.uint8)  # a photo's paper is not white
    found = doubts(glare(page, 60, 97), template)
    assert set(found) == {"left_2"}
    assert found["left_2"].startswith("overexposed")
    assert not doubts(glare(page, 102, 110, r=3), template)  # between the fields


def test_white_paper_is_no_glare() -> None:
    template = form()
    corners = np.array([[(100.0, 100), (300, 100), (300, 150), (100, 150)]])
    page = np.where(drawn(template) > 200, np.uint8(255), drawn(template))
    assert washed_out(page, corners) == (0.0,)
    assert washed_out(np.full((400, 400), 220, np.uint8), corners) == (0.0,)
    assert washed_out(page, corners[:0]) == ()


def test_a_hidden_field_is_no_sure_blank(tiny_reader: Reader) -> None:
    template = form()
    page = drawn(template)
    seen = tiny_reader.read(page, template=template)["left_2"]
    hidden = tiny_reader.read(paper_over(page, "left_2"), template=template)["left_2"]
    assert (seen.status, seen.confidence) == (Status.BLANK, 1.0)
    assert hidden.status is Status.BLANK
    assert hidden.confidence == pytest.approx(0.5)
    assert "print hidden" in hidden.reason
