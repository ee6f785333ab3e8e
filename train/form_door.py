"""The example form `door-code`: an A6 card that a caretaker fills in for a tenant.

Owns:   its layout (`layout`) and what people write into it (`values`).
"""

from __future__ import annotations

import numpy as np

from train import form_values as say
from train.form_account import DATE, NAME
from train.form_print import Sheet, Theme

SIGNATURE = None
_THEME = Theme("libre-franklin", (150, 62, 40), (250, 241, 230), (150, 120, 104))


def layout() -> Sheet:
    """The blank form."""
    sheet = Sheet((148, 105), _THEME)
    sheet.area((2.5, 2.5, 145.5, 102.5), fill=_THEME.tint)
    sheet.corner_marks(5)
    _head(sheet)
    sheet.free("name", "Name", (14, 37, 96, 48), ruled=True, kind="name", pattern=NAME)
    home, number = (104, 37, 134, 48), "[1-9][0-9]?[A-F]"
    sheet.free("apartment", "Apartment", home, ruled=True, kind="code", pattern=number)
    sheet.cells(
        "door_code",
        "Door code: a letter, four digits, then # or *",
        (14, 59),
        6,
        cell=(9.0, 10.5),
        kind="code",
        charset="ABCDEF0123456789#*",
        pattern="[A-F][0-9]{4}[#*]",
    )
    until = (86.0, 58.0, 134.0, 69.5)
    sheet.free(
        "valid_until", "Valid until (dd/mm/yyyy)", until, ruled=True, kind="date", pattern=DATE
    )
    sheet.check("parking", "also opens the car park", (14, 76))
    sheet.rule(14, 86, 134, 86, mm=0.15)
    sheet.text(
        14, 90, "Keep this card apart from your keys. Lost it? Call the caretaker at once,", pt=6.5
    )
    sheet.text(14, 93, "the code will be changed the same day. Not transferable.", pt=6.5)
    sheet.text(134, 93, "No. 0482", pt=7, bold=True, anchor="rs")
    return sheet


def values(rng: np.random.Generator) -> dict[str, str]:
    """What the caretaker writes."""
    return {
        "name": say.person(rng).full_name,
        "apartment": say.apartment(rng),
        "door_code": say.door_code(rng),
        "valid_until": say.date(rng, years=(2026, 2029)),
        "parking": say.yes_or_no(rng),
    }


def _head(sheet: Sheet) -> None:
    main = _THEME.main
    sheet.polygon([(15, 18), (22, 12), (29, 18)], fill=main)
    sheet.area((17, 18, 27, 26), fill=main)
    sheet.area((20.6, 20.5, 23.4, 26), fill=_THEME.tint)
    sheet.text(33, 19.5, "Door code card", pt=15, bold=True, fill=main)
    sheet.text(33, 25, "Millpond Court, houses 1 to 5", pt=8)
    sheet.rule(14, 29, 134, 29, mm=0.5)
