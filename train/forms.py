"""The example forms: which there are, and one filled and scanned sheet of each by seed.

Owns:   `EXAMPLE_FONTS`, `FORMS`, `fill_sheet`, `draw_form`, `write_on`.
Needs:  the layouts in `form_account`, `form_medicine`, `form_door`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from edge_runtime.preprocess import Gray
from train import form_account, form_door, form_medicine
from train.form_glyph import PX_PER_MM
from train.form_hand import (
    Hand,
    Place,
    mark_box,
    random_hand,
    scribble,
    write_cells,
    write_line,
)
from train.form_print import Sheet, Slot
from train.form_scan import Picture, put_ink, random_look, scan

# Families kept for the examples: no training picture is drawn with them.
EXAMPLE_FONTS = (
    "architects-daughter",
    "caveat",
    "dekko",
    "delius",
    "indie-flower",
    "kalam",
    "mali",
    "neucha",
    "pangolin",
    "patrick-hand",
    "shadows-into-light",
)
FORMS: dict[str, ModuleType] = {
    "account-opening": form_account,
    "medicine-list": form_medicine,
    "door-code": form_door,
}
_MARGIN_MM = 2.0  # paper that a writer leaves before the first letter of a free field


@dataclass(frozen=True, slots=True, eq=False)
class DrawnForm:
    """A filled form as a scanner gives it, with all that is known of it."""

    name: str
    picture: Picture  # (h, w, 3) BGR or (h, w) grey
    template: dict[str, Any]
    truth: dict[str, str]  # by field; "" where nothing was written
    hand: Hand


@dataclass(frozen=True, slots=True, eq=False)
class FilledSheet:
    """A filled form before anything looks at it."""

    picture: Picture  # (h, w, 3) BGR at `form_glyph.DPI`, the paper edge to edge
    template: dict[str, Any]
    truth: dict[str, str]  # by field; "" where nothing was written
    hand: Hand


def draw_form(name: str, *, seed: int) -> DrawnForm:
    """Draw one filled form.

    Args:
        name: One of `FORMS`.
        seed: Decides person, values, font, pen, paper and scanner; the layout stays.
    """
    rng = np.random.default_rng([seed, list(FORMS).index(name)])
    filled = fill_sheet(name, rng=rng)
    look = random_look(rng, folded=name == "medicine-list", grey=rng.random() < 0.25)
    picture = scan(filled.picture, look, rng=rng)
    return DrawnForm(name, picture, filled.template, filled.truth, filled.hand)


def fill_sheet(name: str, *, rng: np.random.Generator) -> FilledSheet:
    """Print one of `FORMS` and fill it in."""
    module = FORMS[name]
    sheet: Sheet = module.layout()
    truth: dict[str, str] = module.values(rng)
    return write_on(sheet, truth, name=name, signature=module.SIGNATURE, rng=rng)


def write_on(
    sheet: Sheet,
    truth: dict[str, str],
    *,
    name: str,
    signature: tuple[float, float, float] | None = None,
    rng: np.random.Generator,
) -> FilledSheet:
    """Fill a printed sheet in by one hand.

    Args:
        sheet: Blank.
        truth: Text of every field.
        name: Of its template.
        signature: Left end, baseline and room in millimetres; None: it is not signed.
        rng: Decides hand and pen.
    """
    hand = random_hand(rng, family=EXAMPLE_FONTS[int(rng.integers(len(EXAMPLE_FONTS)))])
    ink = np.zeros((sheet.image.height, sheet.image.width), np.uint8)
    for slot in sheet.slots:
        _fill(ink, slot, truth[slot.name], hand, rng=rng)
    if signature is not None:
        left, baseline, room = (mm * PX_PER_MM for mm in signature)
        scribble(ink, hand, Place(left, baseline, room), rng=rng)
    picture = put_ink(np.asarray(sheet.image), ink, hand.colour)
    return FilledSheet(picture, sheet.template(name), truth, hand)


def _fill(ink: Gray, slot: Slot, text: str, hand: Hand, *, rng: np.random.Generator) -> None:
    """Write one field."""
    x0, y0, x1, y1 = (mm * PX_PER_MM for mm in slot.box)
    if slot.look == "cells":
        cells = [(a * PX_PER_MM, y0, b * PX_PER_MM, y1) for a, _, b, _ in slot.cells]
        write_cells(ink, text, hand, cells, rng=rng)
    elif slot.look == "check":
        if text == "yes":
            mark_box(ink, (x0, y0, x1, y1), hand, rng=rng)
    elif text:
        start = x0 + (_MARGIN_MM + float(rng.uniform(-0.6, 1.6))) * PX_PER_MM
        baseline = (slot.baseline + float(rng.normal(0, 0.2))) * PX_PER_MM
        room = x1 - start - _MARGIN_MM * PX_PER_MM
        write_line(ink, text, hand, Place(start, baseline, room), rng=rng)
