"""The sheet's own edges, and rules beside the fields, tell how a bent sheet lies."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_runtime.errors import TemplateError
from edge_runtime.form_lines import template_lines
from edge_runtime.raster import Raster
from edge_runtime.sheet_edges import edge_shifts
from edge_runtime.template import Template

_SIZE = (148.0, 105.0)
_PX = 6.0  # to a millimetre
_RIM = 60


def _card(bow_mm: float, *, desk: int = 60, seed: int = 0) -> np.ndarray:
    """A card on a desk, its right edge bowed outwards by so much in the middle."""
    rng = np.random.default_rng(seed)
    w, h = (round(edge * _PX) for edge in _SIZE)
    page = np.full((h + 2 * _RIM, w + 2 * _RIM), float(desk))
    rows = np.arange(h)
    right = _RIM + w + bow_mm * _PX * (1 - (2 * rows / h - 1) ** 2)
    for row, end in zip(rows, np.round(right).astype(int), strict=True):
        page[_RIM + row, _RIM:end] = 225
    page += 4 * rng.standard_normal(page.shape)
    return np.clip(cv2.GaussianBlur(page, (0, 0), 1.2), 0, 255).astype(np.uint8)


def _laid(page: np.ndarray) -> Raster:
    return Raster(page, _SIZE, np.array([[_PX, 0, _RIM], [0, _PX, _RIM], [0, 0, 1.0]]))


@pytest.mark.parametrize("desk", [60, 150])
def test_a_bowed_edge_is_followed(desk: int) -> None:
    x, y = edge_shifts(_laid(_card(1.5, desk=desk)), 7)
    right = x.part(x.points[:, 0] > 100)
    along = right.points[:, 1]
    want = 1.5 * (1 - (2 * along / _SIZE[1] - 1) ** 2)
    assert np.abs(right.shifts - want).max() < 0.25
    assert np.abs(x.part(x.points[:, 0] < 100).shifts).max() < 0.2
    assert np.abs(y.shifts).max() < 0.2
    assert set(x.group) | set(y.group) == {7, 8, 9, 10}


def test_no_edge_is_seen_where_sheet_and_desk_are_alike() -> None:
    x, y = edge_shifts(_laid(_card(0.0, desk=225)), 0)
    assert len(x.shifts) == 0
    assert len(y.shifts) == 0


def _raw(lines: list[list[float]]) -> dict[str, object]:
    fields = [{"name": "a", "kind": "text", "box": [10, 10, 60, 20]}]
    return {"name": "f", "page": {"size": [148, 105], "unit": "mm"}, "fields": fields} | {
        "lines": lines
    }


def test_rules_of_a_template_are_sought_as_print() -> None:
    template = Template.from_dict(_raw([[14, 80, 134, 80], [70, 20, 70, 60]]))
    lines = template_lines(template)
    assert set(lines.field[lines.rule]) == {1, 2}
    assert not lines.upright[lines.field == 1].any()
    assert lines.upright[lines.field == 2].all()
    assert np.allclose(lines.points[lines.field == 1][:, 1], 80)
    half = template.scale_to(74, 52.5)
    assert half.lines == ((7, 40, 67, 40), (35, 10, 35, 30))


def test_a_slanted_line_or_one_beside_the_page_is_told() -> None:
    with pytest.raises(TemplateError, match=r"lines\[0\].*no level or upright line"):
        Template.from_dict(_raw([[14, 80, 134, 82]]))
    with pytest.raises(TemplateError, match=r"lines\[1\].*not on the page"):
        Template.from_dict(_raw([[14, 80, 134, 80], [14, 90, 150, 90]]))
