"""Forms that nobody laid out: what other people's sheets look like, by seed.

Owns:   `any_sheet`, a form or a cheque with a layout of its own, and `text_sheet`, a page of print.
Needs:  numpy, `form_print`, `form_values`.
Words:  labels, type and borders are of few kinds and shared by all, as on the forms of one office:
        what differs is where things stand.
"""

from __future__ import annotations

import string

import numpy as np

from train import form_values as say
from train.form_print import RGB, Sheet, Theme, bars

_SIZES = ((210.0, 297.0), (210.0, 297.0), (148.0, 210.0), (210.0, 148.0))
_CHEQUES = ((178.0, 76.0), (160.0, 72.0), (203.0, 89.0))
_FACES = ("open-sans", "libre-franklin")
_LABELS = (
    "Name", "First name", "Date", "Date of birth", "Address", "Town", "Post code", "Telephone",
    "E-mail", "Account number", "Customer no.", "Amount", "Reference", "Height", "Weight", "Code",
    "Signature", "Place", "Remarks", "Employer", "Insurance no.", "Page", "Class", "Number",
)  # fmt: skip
_TEXT = (
    "please fill in with a blue or black pen and stay inside the boxes by signing below i confirm"
    " that the details given above are complete and correct the office may verify them with others"
    " as far as the law allows keep this part for your records it is not transferable we will tell"
    " you of any change without delay the general terms of business apply to all orders"
)
_WORDS = tuple(_TEXT.split())


def any_sheet(rng: np.random.Generator, *, marks: bool = False, cheque: bool = False) -> Sheet:
    """A blank form.

    Args:
        rng: Decides all of it.
        marks: Print corner marks.
        cheque: A cheque: what is printed on it all cheques share, where it stands they do not.
    """
    sizes = _CHEQUES if cheque else _SIZES
    theme = Theme(_FACES[int(rng.integers(2))], _ink(rng), (238, 242, 245), _ink(rng))
    sheet = Sheet(sizes[int(rng.integers(len(sizes)))], theme)
    if marks:
        sheet.corner_marks(round(float(rng.uniform(4, 10)), 1))
    if cheque:
        _cheque(sheet, rng)
    else:
        _form(sheet, rng)
    return sheet


def text_sheet(rng: np.random.Generator) -> Sheet:
    """A letter or a page of a book: print and no field."""
    sheet = Sheet((210, 297), Theme(_FACES[int(rng.integers(2))], _ink(rng), (255,) * 3, (90,) * 3))
    y, pt = float(rng.uniform(18, 40)), float(rng.uniform(8, 12))
    left, width = float(rng.uniform(14, 30)), float(rng.uniform(140, 170))
    if rng.random() < 0.7:
        sheet.text(left, y, _phrase(rng, 4).title(), pt=16, bold=True)
        y += 14
    while y < 270:
        y = sheet.paragraph(left, y, _phrase(rng, int(rng.integers(20, 90))), width=width, pt=pt)
        y += float(rng.uniform(3, 8))
    return sheet


def values(sheet: Sheet, rng: np.random.Generator) -> dict[str, str]:
    """Something for every field of a sheet; one in six stays empty."""
    truth = {}
    for slot in sheet.slots:
        if slot.look == "check":
            truth[slot.name] = say.yes_or_no(rng)
        elif rng.random() < 1 / 6:
            truth[slot.name] = ""
        elif slot.look == "cells":
            n = int(rng.integers(1, len(slot.cells) + 1))
            truth[slot.name] = "".join(rng.choice(list(string.digits), n))
        else:
            wide = slot.box[2] - slot.box[0] > 45
            truth[slot.name] = say.person(rng).full_name if wide else say.amount(rng)
    return truth


def _form(sheet: Sheet, rng: np.random.Generator) -> None:
    w, h = sheet.size
    left, right = float(rng.uniform(14, 24)), w - float(rng.uniform(14, 24))
    y = float(rng.uniform(20, 34))
    sheet.text(left, y, _phrase(rng, 2).title(), pt=float(rng.uniform(12, 20)), bold=True)
    if rng.random() < 0.6:
        sheet.text(right, y, f"Form {_phrase(rng, 1)[:2].upper()}-{rng.integers(99)}", anchor="rs")
    if rng.random() < 0.5:
        sheet.rule(left, y + 5, right, y + 5, mm=float(rng.uniform(0.2, 0.6)))
    y += float(rng.uniform(11, 18))
    k, high, gap = 0, float(rng.uniform(7, 11)), float(rng.uniform(5, 9))
    cell = float(rng.uniform(5, 8))
    ruled, comb = bool(rng.random() < 0.3), bool(rng.random() < 0.4)
    while y + high < h - 22:
        what = float(rng.random())
        if what < 0.14:
            sheet.bar(y - 2, f"{k + 1}   {_phrase(rng, 2).capitalize()}", left=left, right=right)
            y += 8
        elif what < 0.26:
            words = _phrase(rng, int(rng.integers(8, 40)))
            y = sheet.paragraph(left, y, words, width=right - left, pt=7) + 4
        elif what < 0.36:
            sheet.check(f"field_{k}", _phrase(rng, int(rng.integers(2, 8))), (left, y))
            k, y = k + 1, y + 5 + gap * 0.6
        else:
            k = _row(sheet, rng, k, (left, right, y, high), cell=cell, ruled=ruled, comb=comb)
            y += high + gap
    if k == 0:
        sheet.free("field_0", "Name", (left, h - 32, right, h - 32 + high), kind="text")


def _row(
    sheet: Sheet,
    rng: np.random.Generator,
    k: int,
    room: tuple[float, float, float, float],
    *,
    cell: float,
    ruled: bool,
    comb: bool,
) -> int:
    """Some fields beside each other; the number of the next."""
    left, right, y, high = room
    x = left
    while x < right - 24:
        label = _LABELS[int(rng.integers(len(_LABELS)))]
        if rng.random() < 0.45:
            most = int((right - x) / cell)
            n = int(rng.integers(2, max(3, min(16, most) + 1)))
            sheet.cells(f"field_{k}", label, (x, y), n, cell=(cell, high), comb=comb, kind="digits")
            x += n * cell
        else:
            end = min(right, x + float(rng.uniform(24, right - left)))
            sheet.free(f"field_{k}", label, (x, y, end, y + high), ruled=ruled, kind="text")
            x = end
        x += float(rng.uniform(6, 16))
        k += 1
    return k


def _cheque(sheet: Sheet, rng: np.random.Generator) -> None:
    w, h = sheet.size
    left, right = float(rng.uniform(6, 14)), w - float(rng.uniform(6, 14))
    sheet.text(
        left, float(rng.uniform(10, 16)), _phrase(rng, 2).title() + " Bank", pt=11, bold=True
    )
    sheet.text(right, 9, f"{rng.integers(1000, 9999)}", pt=10, anchor="rs")
    top, step = float(rng.uniform(12, 19)), float(rng.uniform(10, 13)) * h / 76
    far = right - float(rng.uniform(28, 38))
    date = (far - float(rng.uniform(0, 30)), top, right, top + 7)
    sheet.free("date", "Date", date, ruled=True, kind="text")
    y = top + step
    sheet.text(left, y + 4, "PAY TO THE", pt=6)
    sheet.text(left, y + 6.5, "ORDER OF", pt=6)
    sheet.free("payee", "", (left + 18, y, far - 6, y + 8), ruled=True, kind="text")
    sheet.text(far - 3, y + 6, "$", pt=12, bold=True)
    sheet.free("amount", "", (far, y, right, y + 8), kind="text")
    y += step
    sheet.free("words", "", (left, y, right - 20, y + 8), ruled=True, kind="text")
    sheet.text(right, y + 6, "DOLLARS", pt=7, anchor="rs")
    y = max(y + 8.5, h - float(rng.uniform(20, 24)))  # below the amount in words
    sheet.text(left, y + 6, "MEMO", pt=6)
    sheet.free("memo", "", (left + 10, y, left + 0.4 * w, y + 8), ruled=True, kind="text")
    sheet.rule(0.55 * w, y + 5.5, right, y + 5.5)
    bars(sheet, (left + 8, h - 8, left + 0.6 * w, h - 4.5), rng.integers(1, 4, 41).tolist())


def _phrase(rng: np.random.Generator, n: int) -> str:
    return " ".join(_WORDS[int(rng.integers(len(_WORDS)))] for _ in range(n))


def _ink(rng: np.random.Generator) -> RGB:
    r, g, b = (int(level) for level in rng.integers(20, 130, 3))
    return r, g, b
