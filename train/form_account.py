"""The example form `account-opening`: a bank's A4 sheet, boxes on tinted panels.

Owns:   its layout (`layout`) and what people write into it (`values`).
"""

from __future__ import annotations

import numpy as np

from train import form_values as say
from train.form_print import BLACK, Sheet, Theme, bars

SIGNATURE = (30.0, 262.0, 46.0)  # mm: left end, baseline, room
DATE = r"(0[1-9]|[12][0-9]|3[01])[/.](0[1-9]|1[0-2])[/.](19|20)[0-9]{2}"
NAME = r"[A-Z][a-z]+([ -][A-Z][a-z]+)+"
_THEME = Theme("open-sans", (38, 84, 124), (228, 238, 245), (118, 148, 172))
_LEFT, _RIGHT = 20.0, 190.0
_SMALL = (
    "By signing below I confirm that the details given above are complete and correct, that I act"
    " on my own account, and that I have received the price list, the general terms of business and"
    " the notice on data protection. I will tell the bank of any change without delay. The bank may"
    " verify these details with third parties as far as the law allows. Never hand your password to"
    " anybody: our staff will not ask for it."
)
_BARS = (2, 1, 1, 1, 3, 1, 1, 2, 1, 1, 2, 2, 1, 3, 1, 1, 2, 1, 1, 1, 3, 1, 2)


def layout() -> Sheet:
    """The blank form."""
    sheet = Sheet((210, 297), _THEME)
    sheet.corner_marks(9)
    _head(sheet)
    panel = _THEME.tint

    sheet.bar(49, "1   About you", left=_LEFT, right=_RIGHT)
    sheet.area((_LEFT, 56, _RIGHT, 95), fill=panel)
    sheet.free(
        "full_name", "Full name (first name first)", (24, 63, 130, 73), kind="name", pattern=NAME
    )
    born = (138.0, 63.0, 186.0, 73.0)
    sheet.free("date_of_birth", "Date of birth (dd/mm/yyyy)", born, kind="date", pattern=DATE)
    number = r"0[0-9]{3} [0-9]{3} [0-9]{4}"
    sheet.free("phone", "Telephone (0xxx xxx xxxx)", (24, 81, 78, 91), kind="phone", pattern=number)
    mail = r"[a-z]+([.-][a-z]+)*[0-9]{0,4}@[a-z]+([.-][a-z]+)*[.][a-z]{2,}"
    sheet.free("email", "E-mail", (86, 81, 186, 91), kind="email", pattern=mail)

    sheet.bar(101, "2   Online banking", left=_LEFT, right=_RIGHT)
    sheet.area((_LEFT, 108, _RIGHT, 146), fill=panel)
    sheet.cells(
        "username",
        "User name: letters, then digits; small letters only; one character in each box",
        (24, 115),
        12,
        kind="username",
        pattern=r"[a-z][._-][a-z]+[0-9]{1,4}",
    )
    sheet.cells(
        "password",
        "First password, from your letter (8 characters)",
        (24, 132),
        8,
        kind="code",
        charset=say.PASSWORD_CHARSET,
        min_length=8,
        max_length=8,
        secret=True,
    )
    sheet.text(
        84, 135, "Passwords hold no look-alikes: neither O nor 0, neither l, I nor 1,", pt=6.5
    )
    sheet.text(84, 138.4, "neither S nor 5, neither Z. Signs in use: # $ % @ ?", pt=6.5)

    sheet.bar(152, "3   Your account", left=_LEFT, right=_RIGHT)
    sheet.area((_LEFT, 159, _RIGHT, 177), fill=panel)
    sheet.cells(
        "account_number",
        "Account number with check digit",
        (24, 165.5),
        10,
        cell=(7.5, 8.5),
        comb=True,
        kind="account",
        pattern="[0-9]{10}",
        checksum="luhn",
    )
    figures = r"[0-9]{1,3}(,[0-9]{3})*[.][0-9]{2}"
    sheet.free("amount", "First deposit", (128, 164.5, 186, 174.5), kind="amount", pattern=figures)
    sheet.text(117.5, 171.3, "EUR", pt=10, bold=True)

    sheet.bar(183, "4   What you wish to receive", left=_LEFT, right=_RIGHT)
    sheet.area((_LEFT, 190, _RIGHT, 211), fill=panel)
    sheet.check("newsletter", "The newsletter, by e-mail, four times a year", (24, 193.5))
    sheet.check("paper_statements", "Account statements on paper (1.50 a month)", (24, 202.5))
    _foot(sheet)
    return sheet


def values(rng: np.random.Generator) -> dict[str, str]:
    """What one customer writes."""
    who = say.person(rng)
    return {
        "full_name": who.full_name,
        "date_of_birth": say.date(rng, years=(1946, 2005)),
        "phone": say.phone(rng),
        "email": say.email(who, rng),
        "username": say.username(who, rng, cells=12),
        "password": say.password(rng, length=8),
        "account_number": say.account_number(rng),
        "amount": say.amount(rng),
        "newsletter": say.yes_or_no(rng),
        "paper_statements": say.yes_or_no(rng),
    }


def _head(sheet: Sheet) -> None:
    main = _THEME.main
    sheet.area((22, 17, 36, 31), fill=main, round_mm=3)
    for i, rise in enumerate((3.0, 5.5, 8.0)):  # the house's mark: three stairs in a square
        sheet.area((24.5 + 3.2 * i, 29 - rise, 26.9 + 3.2 * i, 29), fill=(255, 255, 255))
    sheet.text(40, 23.5, "Harbour & Hill", pt=15, bold=True, fill=main)
    sheet.text(40, 28.8, "Savings Bank, founded 1887", pt=8, fill=(90, 96, 104))
    sheet.text(188, 24, "Account opening", pt=17, bold=True, anchor="rs")
    sheet.text(188, 29.5, "Form AO-12, private customers", pt=8, anchor="rs")
    sheet.rule(_LEFT, 35, _RIGHT, 35, mm=0.5)
    sheet.text(
        _LEFT, 40.5, "Please fill in with a blue or black pen and stay inside the boxes.", pt=8
    )
    sheet.text(_LEFT, 44.3, "If you make a mistake, please ask for a new sheet.", pt=8)


def _foot(sheet: Sheet) -> None:
    sheet.paragraph(_LEFT, 217, _SMALL, width=168)
    sheet.area((118, 234, _RIGHT, 266), fill=(236, 236, 238), frame=(150, 150, 156), round_mm=1)
    sheet.text(121, 239, "For the bank only", pt=7, bold=True)
    for y, words in ((247, "Branch"), (254, "Seen by"), (261, "Customer no.")):
        sheet.text(121, y, words, pt=7)
        sheet.rule(141, y, 187, y, mm=0.15)
    sheet.rule(24, 264, 100, 264)
    sheet.text(24, 268, "Place, signature", pt=7)
    sheet.text(
        105, 284, "Harbour & Hill Savings Bank  -  AO-12  -  page 1 of 1", pt=6.5, anchor="ms"
    )
    bars(sheet, (22, 274, 58, 280), _BARS)
    sheet.text(60, 279, "AO12 0001", pt=6.5, fill=BLACK)
