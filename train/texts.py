"""What people write into fields: texts of every kind, drawn at random.

Owns:   one generator a kind, and `draw`, which chooses among them.
Needs:  numpy. No list of real people or words: words come from the handwriting sets themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

Rng = np.random.Generator

LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
DIGITS = "0123456789"
SYMBOLS = "".join(chr(c) for c in range(33, 127) if not chr(c).isalnum())
_VOWELS, _CONSONANTS = "aeiou", "bcdfghjklmnpqrstvwxyz"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_MONTHS_LONG = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def _pick(rng: Rng, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def _some(rng: Rng, chars: str, n: int) -> str:
    return "".join(chars[i] for i in rng.integers(len(chars), size=n))


def _digits(rng: Rng, n: int) -> str:
    return _some(rng, DIGITS, n)


def syllables(rng: Rng, n: int) -> str:
    """Letters that could be a name: people do not choose usernames evenly."""
    return "".join(_pick(rng, _CONSONANTS) + _pick(rng, _VOWELS) for _ in range(n // 2 + 1))[:n]


def digit_string(rng: Rng) -> str:
    """1 to 12 digits, sometimes one digit many times over: "000" and "11" are what CTC loses."""
    n = int(rng.integers(1, 13))
    if rng.random() < 0.15:
        return "".join(_pick(rng, DIGITS) * int(rng.integers(1, 5)) for _ in range(3))[:n]
    return _digits(rng, n)


# What is written behind an amount so that nothing can be added; half of them are none or cents.
_CLOSINGS = (
    *("", "", "", "", "", "", "CENTS", "CENTS", ".-", ".-", "-", "=", ",-", ".=", ".--", "."),
    *("--", "/", "*", "#", "//", "-//-", "/-", " -", " --", " =", ". -", ".#", "-//", " *"),
)


def amount(rng: Rng) -> str:
    """As on cheques and invoices: thousands marks, cents, currency, closing dashes."""
    whole = str(int(10 ** rng.uniform(0.3, 6.5)))
    if rng.random() < 0.45:  # round sums are common
        whole = whole[: max(1, len(whole) // 2)].ljust(len(whole), "0")
    mark = _pick(rng, ("", "", "", ".", ".", ",", " ", "'"))
    if mark:
        first = len(whole) % 3 or 3
        groups = [whole[:first], *(whole[i : i + 3] for i in range(first, len(whole), 3))]
        whole = mark.join(groups)
    tail = _pick(rng, _CLOSINGS)
    if tail == "CENTS":
        tail = ("," if mark == "." else ".") + _digits(rng, 2)
    head = _pick(rng, ("", "", "", "", "", "$", "$ ", "#", "*", "=", "-", "EUR ", "Rs. "))
    return head + whole + tail


def date(rng: Rng) -> str:
    """All usual orders, marks and lengths of a year."""
    day, month, year = (
        int(rng.integers(1, 32)),
        int(rng.integers(1, 13)),
        int(rng.integers(1930, 2035)),
    )
    pad = rng.random() < 0.6
    d, m = (f"{day:02d}", f"{month:02d}") if pad else (str(day), str(month))
    y = str(year) if rng.random() < 0.75 else f"{year % 100:02d}"
    if rng.random() < 0.2:
        name = _pick(rng, (*_MONTHS, *_MONTHS_LONG))
        return _pick(
            rng,
            (
                f"{name} {d}, {year}",
                f"{d} {name} {year}",
                f"{name}. {d}, {year}",
                f"{d}-{name}-{y}",
            ),
        )
    mark = _pick(rng, ("/", "/", "-", "-", ".", ".", " "))
    order = _pick(rng, ("dmy", "dmy", "mdy", "ymd"))
    parts = {"d": d, "m": m, "y": str(year) if order == "ymd" else y}
    return mark.join(parts[letter] for letter in order)


def time(rng: Rng) -> str:
    hour, minute = int(rng.integers(0, 24)), int(rng.integers(0, 60))
    mark = _pick(rng, (":", ":", ".", "h"))
    return f"{hour:02d}{mark}{minute:02d}" + _pick(rng, ("", "", "", " am", " pm", "h"))


def phone(rng: Rng) -> str:
    mark = _pick(rng, (" ", " ", "-", "-", ".", "/", ""))
    parts = [_digits(rng, int(n)) for n in rng.integers(2, 5, size=int(rng.integers(2, 5)))]
    head = _pick(rng, ("", "", "+", "0", "("))
    if head == "(":
        parts[0] = f"({parts[0]})"
        head = ""
    return head + mark.join(parts)


def username(rng: Rng) -> str:
    """3 to 14 characters: letters in one case or mixed, digits at the end, a mark now and then."""
    n = int(rng.integers(3, 13))
    letters = _some(rng, LOWER, n) if rng.random() < 0.6 else syllables(rng, n)
    style = rng.random()
    if style < 0.2:
        letters = letters.capitalize()
    elif style < 0.32:
        letters = letters.upper()
    elif style < 0.38:
        letters = "".join(c.upper() if rng.random() < 0.4 else c for c in letters)
    if rng.random() < 0.25 and n > 4:
        cut = int(rng.integers(1, n))
        letters = letters[:cut] + _pick(rng, "._-") + letters[cut:]
    return letters + (_digits(rng, int(rng.integers(1, 5))) if rng.random() < 0.6 else "")


def password(rng: Rng) -> str:
    return _some(rng, LOWER + LOWER + UPPER + DIGITS + DIGITS + SYMBOLS, int(rng.integers(4, 13)))


def email(rng: Rng) -> str:
    end = _pick(rng, ("com", "com", "org", "net", "de", "fr", "co.uk", "edu", "info", "io"))
    host = syllables(rng, int(rng.integers(3, 9)))
    return f"{username(rng).lower()}@{host}.{end}"


def code(rng: Rng) -> str:
    """Door codes, licence plates, postcodes, IBAN: capitals and digits, in groups."""
    style = rng.random()
    if style < 0.35:
        return _some(rng, UPPER + DIGITS, int(rng.integers(3, 10)))
    if style < 0.6:
        groups = [
            _some(rng, UPPER if rng.random() < 0.4 else DIGITS, int(n))
            for n in rng.integers(1, 5, size=3)
        ]
        return _pick(rng, ("-", " ", "/")).join(groups)
    if style < 0.8:
        digits = _some(rng, UPPER, 2) + _digits(rng, int(rng.integers(8, 17)))
        return (
            " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))
            if rng.random() < 0.6
            else digits
        )
    return _digits(rng, int(rng.integers(3, 7))) + _pick(rng, ("#", "*", ""))


def letters(rng: Rng) -> str:
    """Names in capitals or small letters, of one or two words."""
    words = [syllables(rng, int(n)) for n in rng.integers(2, 10, size=int(rng.integers(1, 3)))]
    style = rng.random()
    if style < 0.45:
        return " ".join(words).upper()
    return " ".join(word.capitalize() for word in words) if style < 0.8 else " ".join(words)


_ONES = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def in_words(number: int) -> str:
    """A number from 1 to 999,999 as it is spelled on cheques."""
    if number >= 1000:
        rest = number % 1000
        return f"{in_words(number // 1000)} thousand" + (f" {in_words(rest)}" if rest else "")
    if number >= 100:
        rest = number % 100
        return f"{_ONES[number // 100 - 1]} hundred" + (f" {in_words(rest)}" if rest else "")
    if number < 20:
        return _ONES[number - 1]
    ones = number % 10
    return _TENS[number // 10 - 2] + (f"-{_ONES[ones - 1]}" if ones else "")


def legal_amount(rng: Rng) -> str:
    """An amount in words, its cents as a fraction, whole or a part of it."""
    words = in_words(int(10 ** rng.uniform(0, 5.5)))
    if rng.random() < 0.3:
        words = words.replace("-", " ")
    cents = _pick(rng, ("00/100", "0/100", "no/100", "xx/100", "", f"{rng.integers(100):02d}/100"))
    tail = _pick(rng, ("", "", " dollars", " only", " euros", " pounds"))
    text = words + (f" {_pick(rng, ('and ', 'and ', '& ', ''))}{cents}" if cents else "") + tail
    style = rng.random()
    text = text.upper() if style < 0.12 else text.title() if style < 0.35 else text.capitalize()
    pieces = text.split()
    most = int(rng.integers(2, 6))  # a strip holds some words, not a whole line
    at = int(rng.integers(max(1, len(pieces) - most + 1)))
    return " ".join(pieces[at : at + most])


_UNITS = (
    *("mg", "mg", "mg", "mcg", "g", "ml", "ml", "mg/ml", "IU", "units", "%", "drops"),
    *("tab", "tabs", "tablet", "tablets", "caps", "puffs", "kg", "cm", "m", "km", "years"),
    *("months", "weeks", "days", "hours", "min"),
)
_TAKEN = (
    *("daily", "a day", "once daily", "twice daily", "at night", "per day", "weekly"),
    *("as needed", "every 6 hours", "with food", "for 7 days", "3 times a day", "1x", "2x daily"),
)


def measure(rng: Rng) -> str:
    """A quantity with its unit: a strength, a dose and how it is taken, a weight, an age."""
    amount = str(int(10 ** rng.uniform(0, 3)))
    style = rng.random()
    if style < 0.2:
        amount += "." + _pick(rng, ("5", "25", "5", "75", _digits(rng, 1)))
    elif style < 0.3 and len(amount) > 1:
        amount = amount[0].ljust(len(amount), "0")
    text = amount + _pick(rng, (" ", " ", "")) + _pick(rng, _UNITS)
    if rng.random() < 0.3:
        text += " " + _pick(rng, _TAKEN)
    elif rng.random() < 0.1:
        text = f"{rng.integers(1, 5)} x {text}"
    return text


def spaced(rng: Rng) -> str:
    """Single characters with space between, as in codes that are dictated."""
    return " ".join(_some(rng, _pick(rng, (DIGITS, DIGITS, LOWER, UPPER)), int(rng.integers(3, 9))))


_OF_FIGURES = (digit_string, digit_string, digit_string, amount, amount, date, time, phone)


def figures(rng: Rng) -> str:
    """A text of one of the kinds that hold figures and marks alone."""
    while True:
        text = _OF_FIGURES[int(rng.integers(len(_OF_FIGURES)))](rng)
        if not any(char.isalpha() for char in text):
            return text


_OF_CODES = (username, username, username, password, email, code)


def codes(rng: Rng) -> str:
    """A text whose characters make no words."""
    return _OF_CODES[int(rng.integers(len(_OF_CODES)))](rng)


GENERATORS: Mapping[str, tuple[float, Callable[[Rng], str]]] = {
    "digit_string": (0.24, digit_string),
    "amount": (0.28, amount),
    "date": (0.07, date),
    "time": (0.02, time),
    "phone": (0.05, phone),
    "username": (0.20, username),
    "password": (0.06, password),
    "email": (0.05, email),
    "code": (0.06, code),
    "letters": (0.05, letters),
    "legal_amount": (0.05, legal_amount),
    "spaced": (0.02, spaced),
}
_NAMES = tuple(GENERATORS)
_SHARES = np.cumsum([share for share, _ in GENERATORS.values()])


def draw(rng: Rng) -> str:
    """A text of a kind drawn by its share."""
    at = int(np.searchsorted(_SHARES, rng.random() * _SHARES[-1], side="right"))
    return GENERATORS[_NAMES[min(at, len(_NAMES) - 1)]][1](rng)
