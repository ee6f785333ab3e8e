"""The example form `medicine-list`: a surgery's A5 table of what a patient takes.

Owns:   its layout (`layout`) and what people write into it (`values`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from train import form_values as say
from train.form_account import DATE, NAME
from train.form_print import Sheet, Theme

ROWS = 6
SIGNATURE = None
_THEME = Theme("libre-franklin", (46, 110, 84), (232, 242, 235), (96, 128, 112))
_LEFT, _RIGHT, _TOP, _ROW = 12.0, 136.0, 74.0, 11.5
_EDGES = (12.0, 19.0, 81.0, 112.0, 136.0)  # of the columns: number, medicine, strength, times a day


def layout() -> Sheet:
    """The blank form."""
    sheet = Sheet((148, 210), _THEME)
    sheet.corner_marks(6)
    _head(sheet)
    sheet.free("patient_name", "Patient", (24, 39, 95, 50), ruled=True, kind="name", pattern=NAME)
    sheet.free("list_date", "Date", (103, 39, 136, 50), ruled=True, kind="date", pattern=DATE)
    sheet.area((_LEFT, _TOP - 9, _RIGHT, _TOP), fill=_THEME.main)
    heads = ("", "Medicine", "Strength", "Times a day")
    for x, words in zip(_EDGES, heads, strict=False):
        sheet.text(x + 1.6, _TOP - 3.2, words, pt=8, bold=True, fill=(255, 255, 255))
    for row in range(ROWS):
        _row(sheet, row)
    bottom = _TOP + ROWS * _ROW
    for x in _EDGES:
        sheet.rule(x, _TOP - 9, x, bottom)
    for row in range(ROWS + 1):
        sheet.rule(_LEFT, _TOP + row * _ROW, _RIGHT, _TOP + row * _ROW)
    _foot(sheet, bottom)
    return sheet


def values(rng: np.random.Generator) -> dict[str, str]:
    """What one patient writes; the last rows may stay empty."""
    out = {
        "patient_name": say.person(rng).full_name,
        "list_date": say.date(rng, years=(2021, 2025)),
    }
    taken = say.medicines(rng, rows=int(rng.integers(4, ROWS + 1)))
    for row, three in enumerate([*taken, *[("", "", "")] * (ROWS - len(taken))], start=1):
        for name, text in zip(("medicine", "strength", "times"), three, strict=True):
            out[f"{name}_{row}"] = text
    return out


def _row(sheet: Sheet, row: int) -> None:
    """One line of the table: three fields, each a table cell less its rules."""
    y0, y1 = _TOP + row * _ROW, _TOP + (row + 1) * _ROW
    if row % 2:
        sheet.area((_LEFT, y0, _RIGHT, y1), fill=_THEME.tint)
    sheet.text(_LEFT + 3.5, y1 - 4, f"{row + 1}", pt=8, anchor="ms")
    columns: tuple[tuple[str, dict[str, Any]], ...] = (
        ("medicine", {"kind": "text", "choices": say.MEDICINES}),
        ("strength", {"kind": "text", "pattern": "[0-9]{1,4}([.][0-9]{1,2})? (mg|mcg|g|ml)"}),
        ("times", {"kind": "digits", "pattern": "[1-6]"}),
    )
    for x0, x1, (name, says) in zip(_EDGES[1:-1], _EDGES[2:], columns, strict=True):
        may_stay_blank = {"optional": True} if row >= 3 else {}
        box = (x0 + 0.4, y0 + 0.4, x1 - 0.4, y1 - 0.4)
        sheet.table_cell(f"{name}_{row + 1}", box, **says, **may_stay_blank)


def _head(sheet: Sheet) -> None:
    main = _THEME.main
    sheet.area((14, 15, 26, 27), fill=main, round_mm=6)
    sheet.area((18.8, 17, 21.2, 25), fill=(255, 255, 255))
    sheet.area((16, 19.8, 24, 22.2), fill=(255, 255, 255))
    sheet.text(29, 20.5, "My medicines", pt=15, bold=True, fill=main)
    sheet.text(29, 25.5, "Please bring this list to every appointment.", pt=7.5)
    sheet.text(136, 20.5, "Linden Road Surgery", pt=8.5, bold=True, anchor="rs")
    sheet.text(136, 24.5, "2 Linden Road, Eastbridge", pt=7, anchor="rs")
    sheet.rule(_LEFT, 31, _RIGHT, 31, mm=0.5)
    sheet.text(
        _LEFT,
        59,
        "Write one medicine on each line, with the strength as printed on the box",
        pt=7.5,
    )
    sheet.text(_LEFT, 62.4, "(for example 5 mg) and how often you take it in a day.", pt=7.5)


def _foot(sheet: Sheet, bottom: float) -> None:
    sheet.paragraph(
        _LEFT,
        bottom + 6,
        "This list does not replace the advice of your doctor or pharmacist. Tell them about"
        " everything you take, also what you buy without a prescription. Do not stop a medicine on"
        " your own.",
        width=122,
        pt=6.5,
    )
    sheet.area((_LEFT, bottom + 15, _RIGHT, bottom + 40), frame=_THEME.frame, round_mm=2)
    sheet.text(_LEFT + 3, bottom + 20, "Notes of the surgery", pt=7, bold=True)
    for i in range(3):
        y = bottom + 25 + 5 * i
        sheet.rule(_LEFT + 3, y, _RIGHT - 3, y, mm=0.15)
    sheet.text(74, 196.5, "LRS 7 / patient copy", pt=6.5, anchor="ms")
