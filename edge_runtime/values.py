"""From a text to its value: amounts, dates, times, and numbers without their separators.

Owns:   `value_of`, `no_value` and `checksum_ok`.
Needs:  the standard library, `automaton`, `field`, `results` for `Value`; python-stdnum for check
        digits; `grammar`, when a date has a pattern, for the pattern that dates have anyhow.
Words:  a value is None where the text has no sure meaning; it never raises for what people write.
        *close*: the dash or mark behind an amount that keeps others from adding figures.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import MAXYEAR, date, time
from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from itertools import pairwise

from edge_runtime import automaton
from edge_runtime.automaton import Dfa, GrammarError
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

_PLAIN = frozenset(("digits", "account", "iban", "card", "phone"))
_ASCII = ("", *map(chr, range(32, 127)))  # as a network's labels, for automata
_INDEX = {char: at for at, char in enumerate(_ASCII) if char}

# What stands before the number may end a word with a point: "Rs.50" and "S/.50" are fifty, "$.50"
# is not. Of "EUR.50" nobody knows, so a point belongs to capitals only where a space follows it.
_AMOUNT = re.compile(
    r"(?P<before>(?:[^\d.,]|(?<=[a-z/])\.|(?<=[A-Z])\.(?=\s))*)"
    r"(?P<number>(?:(?<![A-Za-z/])[.,])?\d+(?:[., ']\d+)*)"
    r"(?P<after>\D*)",
    re.ASCII,
)
_CLOSE = re.compile(r"\s?(?P<mark>[.,:/]?)\s?(?P<dashes>[-=]*)(?P<word>[^-=+]*)")
_CENTS = re.compile(r"[ -]?(\d{2}|xx|no)/(?:100|xx)\b", re.ASCII | re.IGNORECASE)
# Behind a number these are thousands, millions, cents, credit or debit, and no currency.
_NO_CURRENCY = frozenset((
    "k", "tsd", "lac", "m", "mm", "mn", "mio", "bn", "mrd", "cr", "dr", "c", "ct", "cts", "p", "pf",
))  # fmt: skip
_HEAD = "[1-9][0-9]{0,2}"  # what stands before a mark of thousands
_THOUSANDS = f"{_HEAD}(,[0-9]{{3}})+"
_INDIAN = "[1-9][0-9]?(,[0-9]{2})+,[0-9]{3}"  # 12,34,567: from thousands on by hundreds


def value_of(text: str, field: Field) -> Value:
    """The typed, normalised form of a field's text.

    Args:
        text: As transcribed.
        field: Its kind says which type: Decimal for `amount`, int for `integer`, date, time, bool
            for `checkbox` and `signature`; numbers lose their separators; else it is the text.

    Returns:
        The value, or None for an empty text and where there is no such amount, date or time. Day
        stands before month unless that is impossible, or the field's pattern has it otherwise.
    """
    text = text.strip()
    kind = field.kind or "text"
    if not text:
        return None
    if kind in _PLAIN:
        return _compact(text, kind)
    if kind in ("checkbox", "signature"):
        return {"yes": True, "present": True, "no": False, "absent": False}.get(text)
    if kind == "date":
        return _date(text, field)
    maker = _MAKERS.get(kind)
    return text if maker is None else maker(text)


def no_value(text: str, field: Field) -> str:
    """What a text with no value should be and is not: "date", "amount"; "" where nothing is amiss.

    A choice is what the form lists, and a month and a year are what a pattern of its own asks for.
    """
    kind = field.kind or "text"
    if not text or text in (field.choices or ()) or value_of(text, field) is not None:
        return ""
    if kind == "date" and _part_of_date(text) and _own_pattern(field) is not None:
        return ""
    return {"integer": "whole number", "date": "date", "amount": "amount", "time": "time"}.get(
        kind, "number" if kind in _PLAIN else ""
    )


def checksum_ok(text: str, field: Field) -> bool | None:
    """Whether the check digits hold; None where the field, or its kind, has none.

    A checksum of "" takes away that of the kind.

    Raises:
        TemplateError: python-stdnum has no such number.
    """
    name = field.checksum
    if name is None:
        name = {"iban": "iban", "card": "luhn"}.get(field.kind or "")
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
        try:
            return bool(found(number))
        except Exception:  # some modules fall over numbers that their tables lack
            return False

    return check


def _compact(text: str, kind: str) -> str | None:
    if kind == "phone":
        number, _, extension = re.sub(r"(?i)ext\.?|#", "x", text).lower().partition("x")
        digits = re.sub(r"[^0-9]", "", _without_trunk(number))
        plus = "+" if "+" in number else ""
        tail = re.sub(r"[^0-9]", "", extension)
        return f"{plus}{digits}{'x' + tail if tail else ''}" if digits else None
    return re.sub(r"[\s./-]", "", text) or None


def _without_trunk(number: str) -> str:
    """+44 (0)20 without the (0), which is dialled within the country alone.

    Italy and San Marino keep theirs when called from abroad (ITU-T E.164, national plans).
    """
    code = r"(?!(?:39|378)(?![0-9]))[1-9][0-9]{0,2}"
    return re.sub(rf"^([\s(]*(?:\+|00)[\s(]*{code}[\s)./-]*)\(\s*0\s*\)", r"\1", number)


def _integer(text: str) -> int | None:
    found = re.fullmatch(
        rf"([+-]?)(\d+|{_HEAD}([., '])\d{{3}}(?:\3\d{{3}})*)(?:([.,]?)([-=]+))?", text, re.ASCII
    )
    if found is None:
        return None
    sign, number, _, mark, dashes = found.groups()
    if sign == "-" and dashes and not mark and "=" not in dashes:
        return None  # dashes on both sides: a minus, or a frame
    return int(sign + re.sub(r"[., ']", "", number))


def _amount(text: str) -> Decimal | None:
    """1.250,00 and 1,250.00, "10.000.-", "45 10/100", "$ -45.10", "**233.00**", "(5.00)"."""
    bare, cents = _bracketed(text.strip("*# ")), ""
    if over := _CENTS.search(bare):
        cents = over[1] if over[1].isdigit() else "00"
        bare = f"{bare[: over.start()]} {bare[over.end() :]}".rstrip()
    found = _AMOUNT.fullmatch(bare)
    if found is None:
        return None
    sign, parts = _sign(found["before"]), _split_decimals(found["number"])
    close = _CLOSE.fullmatch(found["after"])
    if sign is None or parts is None or close is None or (cents and parts[1]):
        return None
    whole, fraction = parts[0] or "0", cents or parts[1]
    # A dash in place of the cents closes, 5-, and so do two. 5.00- may be less than nothing, and
    # so may what stands between dashes.
    bare_dash = bool(re.fullmatch("-+", close["dashes"])) and not close["mark"]
    if bare_dash and (sign == "-" or (fraction and close["dashes"] == "-")):
        return None
    if _NO_CURRENCY & set(re.findall("[a-z]+", close["word"].lower())):
        return None
    return Decimal(f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}")


def _bracketed(text: str) -> str:
    """What stands in brackets, as accountants have it, with a minus; other brackets left out."""
    text = re.sub(r"\([^()\d]*\)", " ", text)
    found = re.fullmatch(r"([^()\d]*)\(([^()]*)\)([^()\d]*)", text)
    if found is None or re.search("[-+]", text):
        return text
    return f"{found[1]}-{found[2]}{found[3]}"


def _sign(before: str) -> str | None:
    """A minus or nothing, by what stands before a number; None where that is not sure."""
    if re.search("[()]", before):
        return None
    words = before.lstrip("-=*# ")
    lead = before[: len(before) - len(words)].strip()
    if "-" in lead and set(lead) != {"-"}:
        return None
    signs = ["-"] if lead == "-" else []  # two and more fill the room before the number
    signs += re.findall("[-+]", words)
    if len(signs) > 1 or (len(signs) == 1 and lead != "-" and words[-1] != signs[0]):
        return None
    return "-" if signs == ["-"] else ""


def _split_decimals(number: str) -> tuple[str, str] | None:
    """Whole digits and decimals; None where the marks contradict each other, or may mean either.

    The last mark is the decimal one if it differs from those before it, or if it stands alone and
    not three digits follow: 1.250 is a thousand, 1.25 and 0.250 are not. Of 1234.567 and 1 234,500
    none knows: a mark may be wrong, and a gap no mark.
    """
    *heads, tail = re.split("[., ']", number)
    *others, last = re.findall("[., ']", number) or [""]
    before, whole, decimal = set(others), [*heads, tail], False
    if not last:
        return number, ""
    if last in ".,":
        if not before:
            decimal = len(tail) != 3 or heads[0] in ("", "0")
        elif last in before:  # 1.250.50: people do write it
            decimal = before == {last} and len(tail) == 2 and _grouped(heads, _THOUSANDS)
        elif len(tail) != 3 or before <= {".", ","}:
            decimal = _grouped(heads, _by_marks(before))
    if decimal:
        return "".join(heads), tail
    alike = before <= {last}
    return ("".join(whole), "") if alike and _grouped(whole, _by_marks({last})) else None


def _by_marks(marks: set[str]) -> str:
    """How figures are grouped by some marks."""
    return f"{_THOUSANDS}|{_INDIAN}" if marks <= {".", ","} else _THOUSANDS


def _grouped(groups: list[str], how: str) -> bool:
    return re.fullmatch(how, ",".join(groups)) is not None


def _date(text: str, field: Field) -> date | None:
    words = _month_words(text)
    spans = [found.span() for found in re.finditer(r"\d+", text)]
    if len(spans) == 1 and not words:
        spans = _cut(text, *spans[0])
    numbers = [text[start:end] for start, end in spans]
    if words:
        month = _month(words[0])
        if month is None or len(numbers) != 2:
            return None  # a month is not a day
        day, year = reversed(numbers) if len(numbers[0]) == 4 else numbers
        return _made(year, month, int(day))
    if len(numbers) != 3:
        return None
    year_at, month_at, day_at = _places(text, spans, field)
    year, a, b = numbers[year_at], int(numbers[month_at]), int(numbers[day_at])
    if year_at == 0:  # nobody writes the day between: 2019-13-10 is a slip, or misread
        return _made(year, a, b)
    return _made(year, a, b) or _made(year, b, a)


def _month_words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z]{3,}", re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", text))


def _part_of_date(text: str) -> bool:
    """Whether day, month or year are missing: 05/2019, 5/5, May 2019, 0519."""
    numbers = re.findall(r"\d+", text)
    if _month_words(text) or len(numbers) != 1:
        return len(numbers) == (1 if _month_words(text) else 2)
    return len(numbers[0]) <= 4


def _places(text: str, spans: list[tuple[int, int]], field: Field) -> tuple[int, int, int]:
    """Which of a date's three numbers are year, month and day.

    Where the field has a pattern, it is asked what may stand in their places: only a day exceeds
    12, and only a year 31.
    """
    dfa = _pattern(_own_pattern(field))

    def may(place: int, numbers: range) -> bool:
        start, end = spans[place]
        return dfa is not None and any(
            automaton.accepts(dfa, f"{text[:start]}{number}{text[end:]}", _INDEX)
            for number in numbers
        )

    years, days = range(32, 100), range(13, 32)
    first = spans[0][1] - spans[0][0] == 4
    last = spans[2][1] - spans[2][0] == 4
    if first or (not last and may(0, years) and not may(2, years)):
        return (0, 2, 1) if may(1, days) and not may(2, days) else (0, 1, 2)
    return (2, 0, 1) if may(1, days) and not may(0, days) else (2, 1, 0)


def _own_pattern(field: Field) -> str | None:
    """The field's pattern where it is not that of its kind."""
    if field.pattern is None:
        return None
    from edge_runtime.grammar import preset  # here: `grammar` needs this module

    return None if field.pattern == preset(Field("", kind=field.kind)).pattern else field.pattern


@lru_cache(maxsize=64)
def _pattern(pattern: str | None) -> Dfa | None:
    """Its automaton, for no text makes that one slow; None where there is none."""
    try:
        return None if pattern is None else automaton.from_regex(pattern, _ASCII)
    except GrammarError:
        return None


def _cut(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Digits without separators, as spans: ddmmyy, ddmmyyyy or yyyymmdd."""
    digits = text[start:end]
    cuts = [0, 2, 4, len(digits)]
    if len(digits) not in (6, 8):
        return []
    if (
        len(digits) == 8
        and digits[:2] in ("19", "20")
        and int(digits[4:6]) in range(1, 13)
        and int(digits[4:8]) > 0
    ):
        day_first = _made(digits[4:], int(digits[2:4]), int(digits[:2]))
        if day_first is None or not 1900 <= day_first.year <= 2099:
            cuts = [0, 4, 6, 8]
    return [(start + a, start + b) for a, b in pairwise(cuts)]


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
    "time": _time,
}
