"""From a text to its value: amounts, dates, times, and numbers without their separators.

Owns:   `value_of` and `checksum_ok`.
Needs:  the standard library, `field`, `results` for `Value`; python-stdnum for check digits.
Words:  a value is None where the text has no sure meaning; it never raises for what people write.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import MAXYEAR, date, time
from decimal import Decimal
from functools import lru_cache
from importlib import import_module

from edge_runtime.errors import TemplateError
from edge_runtime.field import Field
from edge_runtime.results import Value

# A pivot that moves with the clock would change answers from year to year, so it is fixed.
_PIVOT = 40  # '39 is 2039, '40 is 1940

# The first letters that tell a month, in English, German, Dutch, French, Spanish, Italian,
# Portuguese, Indonesian and the Nordic languages, as far as they are written in ASCII.
_MONTHS = (
    ("jan", "ene", "gen"), ("feb", "fev", "peb"), ("mar", "mrt", "mae", "maa"),
    ("apr", "avr", "abr"),
    ("may", "mai", "mei", "mag", "maj"), ("jun", "juin", "giu"), ("jul", "juil", "lug"),
    ("aug", "aou", "ago", "agu", "agt"), ("sep", "set"), ("oct", "okt", "out", "ott"),
    ("nov", "nop"), ("dec", "dez", "des", "dic"),
)  # fmt: skip
_MONTH_OF = {start: n for n, starts in enumerate(_MONTHS, 1) for start in starts}

_PLAIN = frozenset(("digits", "code", "account", "iban", "card", "phone"))


def value_of(text: str, field: Field) -> Value:
    """The typed, normalised form of a field's text.

    Args:
        text: As transcribed.
        field: Its kind says which type: Decimal for `amount`, int for `integer`, date, time, bool
            for `checkbox` and `signature`; numbers lose their separators; else it is the text.

    Returns:
        The value, or None for an empty text and where there is no such amount, date or time. Day
        stands before month unless that is impossible.
    """
    text = text.strip()
    kind = field.kind or "text"
    if not text:
        return None
    if kind in _PLAIN:
        return _compact(text, kind)
    if kind in ("checkbox", "signature"):
        return {"yes": True, "present": True, "no": False, "absent": False}.get(text)
    maker = _MAKERS.get(kind)
    return text if maker is None else maker(text)


def checksum_ok(text: str, field: Field) -> bool | None:
    """Whether the check digits hold; None where the field, or its kind, has none.

    Raises:
        TemplateError: python-stdnum has no such number.
    """
    name = field.checksum or {"iban": "iban", "card": "luhn"}.get(field.kind or "")
    if not name:
        return None
    check = _checker(name)
    if check is None:
        raise TemplateError(
            f"field {field.name!r}: unknown checksum {name!r}; give a module of python-stdnum, "
            "such as 'luhn', 'iban', 'isbn' or 'de.idnr'"
        )
    return check(re.sub(r"[\s./-]", "", text))


@lru_cache(maxsize=64)
def _checker(name: str) -> Callable[[str], bool] | None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?", name):
        return None  # a template's word goes no further than python-stdnum
    try:
        found = getattr(import_module(f"stdnum.{name}"), "is_valid", None)
    except ImportError:
        return None
    if not callable(found):
        return None

    def check(number: str) -> bool:
        return bool(found(number))

    return check


def _compact(text: str, kind: str) -> str | None:
    if kind == "phone":
        number, _, extension = re.sub(r"(?i)ext\.?|#", "x", text).lower().partition("x")
        digits = re.sub(r"[^0-9]", "", number)
        plus = "+" if "+" in number else ""
        tail = re.sub(r"[^0-9]", "", extension)
        return f"{plus}{digits}{'x' + tail if tail else ''}" if digits else None
    return re.sub(r"[\s./-]", "", text) or None


def _integer(text: str) -> int | None:
    bare = re.sub(r"[.,]?[-=]+$", "", text)
    if not re.fullmatch(r"[+-]?(\d+|\d{1,3}([., ']\d{3})+)", bare, re.ASCII):
        return None
    return int(re.sub(r"[., ']", "", bare))


def _amount(text: str) -> Decimal | None:
    """1.250,00 and 1,250.00, "10.000.-", "45 10/100", "$ 45.10", "**233.00**", "1 250,50 EUR"."""
    bare = text.strip("*#= ")
    cents = re.search(r"[ -]?(\d{2}|xx|no)/(?:100|xx)\b", bare, re.IGNORECASE)
    over = ""
    if cents:
        bare, over = bare[: cents.start()], cents[1] if cents[1].isdigit() else "00"
    found = re.search(r"(-?)\D{0,6}?((?:[.,]?\d)[\d., ']*)", bare)
    if found is None:
        return None
    sign = "-" if found[1] and bare.startswith("-") and not bare.startswith("--") else ""
    number = re.sub(r"[ ']", "", found[2].rstrip(" .,"))
    whole, fraction = _split_decimals(number)
    if whole is None or (over and fraction):
        return None
    return (
        Decimal(f"{sign}{whole or '0'}.{over or fraction or '0'}")
        if over or fraction
        else (Decimal(f"{sign}{whole}"))
    )


def _split_decimals(number: str) -> tuple[str | None, str]:
    """Whole digits and decimals; (None, "") where the marks contradict each other.

    The last mark is the decimal one if it differs from those before it, or if it stands alone and
    not three digits follow: 1.250 is a thousand, 1.25 is not.
    """
    marks = [char for char in number if char in ".,"]
    if not marks:
        return number, ""
    head, tail = re.split(rf"{re.escape(marks[-1])}(?=[^.,]*$)", number, maxsplit=1)
    alone = len(marks) == 1
    decimal = (marks[-1] not in marks[:-1]) if not alone else len(tail) != 3 or head == ""
    if not decimal and not alone and len(tail) in (1, 2) and len(set(marks)) == 1:
        decimal = True  # 1.250.50: people do write it
    if decimal:
        whole = re.sub(r"[.,]", "", head)
        return (whole, tail) if tail.isdigit() else (None, "")
    if len(set(marks)) > 1:
        return None, ""
    return re.sub(r"[.,]", "", number), ""


def _date(text: str) -> date | None:
    words = re.findall(r"[A-Za-z]{3,}", re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", text))
    numbers = re.findall(r"\d+", text)
    if words:
        month = _month(words[0])
        if month is None or len(numbers) not in (1, 2):
            return None
        if len(numbers) == 1:
            return None  # a month is not a day
        first, last = numbers
        if len(first) == 4:
            return _made(first, month, int(last))
        return _made(last, month, int(first))
    if len(numbers) == 1:
        numbers = _cut(numbers[0])
    if len(numbers) != 3:
        return None
    a, b, c = numbers
    if len(a) == 4:
        return _made(a, int(b), int(c)) or _made(a, int(c), int(b))
    return _made(c, int(b), int(a)) or _made(c, int(a), int(b))


def _cut(digits: str) -> list[str]:
    """Digits without separators: ddmmyy, ddmmyyyy or yyyymmdd."""
    if len(digits) == 6:
        return [digits[:2], digits[2:4], digits[4:]]
    if len(digits) != 8:
        return []
    if digits[:2] in ("19", "20") and int(digits[4:6]) in range(1, 13) and int(digits[4:8]) > 0:
        day_first = _made(digits[4:], int(digits[2:4]), int(digits[:2]))
        if day_first is None or not 1900 <= day_first.year <= 2099:
            return [digits[:4], digits[4:6], digits[6:]]
    return [digits[:2], digits[2:4], digits[4:]]


def _month(word: str) -> int | None:
    low = word.lower()
    return _MONTH_OF.get(low[:4]) or _MONTH_OF.get(low[:3])


def _made(year: str, month: int, day: int) -> date | None:
    y = int(year)
    if len(year) <= 2:
        y += 2000 if y < _PIVOT else 1900
    if not 1 <= y <= MAXYEAR:
        return None
    try:
        return date(y, month, day)
    except ValueError:
        return None


def _time(text: str) -> time | None:
    found = re.fullmatch(
        r"(\d{1,2})(?:\s?[:.hH]\s?)?(\d{2})?(?:[:.'](\d{2}))?\s?(?:([aApP])\.?[mM]\.?|[uU]hr|h|hrs)?",
        text,
    )
    if found is None:
        return None
    hour, minute, second = (int(part or 0) for part in found.group(1, 2, 3))
    if half := found[4]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in "pP" else 0)
    if hour == 24 and minute == second == 0:
        hour = 0
    try:
        return time(hour, minute, second)
    except ValueError:
        return None


_MAKERS: dict[str, Callable[[str], Value]] = {
    "amount": _amount,
    "integer": _integer,
    "date": _date,
    "time": _time,
}
