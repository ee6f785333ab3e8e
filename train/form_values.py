"""What people write into the example forms: invented persons, numbers that check, real medicines.

Owns:   one drawing function a kind of value. None of these texts is used in training.
Needs:  numpy.
Words:  telephone numbers are of ranges kept for fiction, mail domains of those for examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    "Anna Ben Carla David Emma Frank Greta Hannah Jonas Karin Lena Martin Nora Paul Rita Samuel"
    " Tanja Ursula Victor Wanda Marta Peter Helen Robert Diana Erik Julia Kemal Leyla Marek"
    " Nadia Omar Priya Ravi Sofia Tomas Yusuf Zoe Amara Bruno Chiara Dario Elena Fatima Gustav"
    " Hugo Jana Kofi"
)
_LAST = _words(
    "Keller Meyer Brandt Hartmann Novak Peters Schubert Turner Weber Walker Bennett Carter"
    " Dawson Emery Fletcher Grant Harper Jensen Kramer Lambert Mercer Norton Parker Quinn Ramsey"
    " Sanders Thornton Underwood Vaughn Whitaker Yates Zimmer Andrade Baptiste Costa Demir"
    " Eriksen Ferrari Garcia Haddad Kowalski Laurent Moreau Nakamura Okafor Petrov Rahman Santos"
    " Tanaka Varga"
)
# Where a text may say either of two look-alikes, a person cannot tell them either. So digits follow
# letters only where both stay themselves, and passwords are issued without look-alikes at all.
_PLAIN = frozenset("acdefhkmnprtuvwxy")  # without b g i j l o q s z
_DIGITS = "23478"  # without 0 1 5 6 9
PASSWORD_CHARSET = "abdefhkmnrtwyADEFGHLMNQRT234789#$%@?"
_DOMAINS = _words("example.com example.org example.net post.example mail.example home.example")
_AREAS = _words("0113 0114 0115 0116 0117 0118 0121 0131 0141 0151 0161")
_MEDICINES: dict[str, tuple[str, ...]] = {
    "Allopurinol": ("100 mg", "300 mg"),
    "Amlodipine": ("5 mg", "10 mg"),
    "Amoxicillin": ("250 mg", "500 mg"),
    "Apixaban": ("2.5 mg", "5 mg"),
    "Aspirin": ("75 mg", "100 mg"),
    "Atenolol": ("25 mg", "50 mg"),
    "Atorvastatin": ("20 mg", "40 mg"),
    "Bisoprolol": ("1.25 mg", "2.5 mg", "5 mg"),
    "Candesartan": ("8 mg", "16 mg"),
    "Cetirizine": ("10 mg",),
    "Citalopram": ("10 mg", "20 mg"),
    "Clopidogrel": ("75 mg",),
    "Diclofenac": ("50 mg", "75 mg"),
    "Digoxin": ("125 mcg", "250 mcg"),
    "Doxazosin": ("1 mg", "4 mg"),
    "Enalapril": ("5 mg", "20 mg"),
    "Folic acid": ("5 mg",),
    "Furosemide": ("20 mg", "40 mg"),
    "Gabapentin": ("100 mg", "300 mg"),
    "Gliclazide": ("40 mg", "80 mg"),
    "Ibuprofen": ("400 mg", "600 mg"),
    "Indapamide": ("1.5 mg", "2.5 mg"),
    "Lansoprazole": ("15 mg", "30 mg"),
    "Levothyroxine": ("50 mcg", "75 mcg", "100 mcg"),
    "Lisinopril": ("5 mg", "10 mg"),
    "Loratadine": ("10 mg",),
    "Losartan": ("50 mg", "100 mg"),
    "Metformin": ("500 mg", "850 mg", "1000 mg"),
    "Metoprolol": ("50 mg", "95 mg"),
    "Mirtazapine": ("15 mg", "30 mg"),
    "Naproxen": ("250 mg", "500 mg"),
    "Omeprazole": ("20 mg", "40 mg"),
    "Pantoprazole": ("20 mg", "40 mg"),
    "Paracetamol": ("500 mg", "1000 mg"),
    "Prednisolone": ("5 mg", "20 mg"),
    "Ramipril": ("2.5 mg", "5 mg", "10 mg"),
    "Rosuvastatin": ("5 mg", "10 mg"),
    "Sertraline": ("50 mg", "100 mg"),
    "Simvastatin": ("20 mg", "40 mg"),
    "Spironolactone": ("25 mg", "50 mg"),
    "Tamsulosin": ("0.4 mg",),
    "Tramadol": ("50 mg",),
    "Valsartan": ("80 mg", "160 mg"),
    "Vitamin D": ("25 mcg",),
    "Warfarin": ("1 mg", "3 mg", "5 mg"),
}
MEDICINES = tuple(_MEDICINES)  # the formulary that the medicine list's template names


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    first: str
    last: str
    middle: str = ""

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.first, self.middle, self.last) if part)


def person(rng: np.random.Generator) -> Person:
    """A first and a last name, sometimes two of one kind."""
    first, last = _one(_FIRST, rng), _one(_LAST, rng)
    luck, middle, second = rng.random(), _one(_FIRST, rng), _one(_LAST, rng)
    if luck < 0.15 and second != last:
        return Person(first, f"{last}-{second}")
    return Person(first, last, middle if 0.15 <= luck < 0.3 and middle != first else "")


def date(rng: np.random.Generator, *, years: tuple[int, int]) -> str:
    """dd/mm/yyyy; some writers put full stops."""
    mark = "/" if rng.random() < 0.75 else "."
    year = int(rng.integers(years[0], years[1] + 1))
    return f"{rng.integers(1, 29):02d}{mark}{rng.integers(1, 13):02d}{mark}{year}"


def username(who: Person, rng: np.random.Generator, *, cells: int) -> str:
    """Such as "m.keller82": letters, then digits, and no look-alikes where the two meet."""
    names = [name.lower() for name in _LAST if name[-1] in _PLAIN and len(name) <= cells - 4]
    own = who.last.lower()
    last = own if own in names else _one(names, rng)
    digits = _digits(rng, int(rng.integers(1, 3)), of=_DIGITS)
    return f"{who.first[0].lower()}{_one('._-', rng)}{last}{digits}"


def password(rng: np.random.Generator, *, length: int) -> str:
    """Letters in both cases, a digit and a mark at least, none of them twice in a row."""
    groups = ("abdefhkmnrtwy", "ADEFGHLMNQRT", "234789", "#$%@?")
    while True:
        chars = [_one(group, rng) for group in groups]
        chars += [_one(PASSWORD_CHARSET, rng) for _ in range(length - len(chars))]
        chars = [chars[i] for i in rng.permutation(length)]
        if all(a != b for a, b in pairwise(chars)):
            return "".join(chars)


def email(who: Person, rng: np.random.Generator) -> str:
    """A mail address whose digits, if any, no letter resembles."""
    first, last = who.first.lower(), who.last.split("-")[0].lower()
    forms = f"{first}.{last}", f"{first[0]}.{last}", f"{last}.{first}", f"{first}-{last}"
    local = _one(forms, rng)
    if rng.random() < 0.35 and local[-1] in _PLAIN:
        local += _digits(rng, 2, of=_DIGITS)
    return f"{local}@{_one(_DOMAINS, rng)}"


def phone(rng: np.random.Generator) -> str:
    """0xxx xxx xxxx."""
    return f"{_one(_AREAS, rng)} 496 0{_digits(rng, 3)}"


def amount(rng: np.random.Generator) -> str:
    """1,250.00: round, as first deposits are, or not."""
    whole = int(rng.choice([250, 500, 750, 1250, 2500, 4800, 12000, int(rng.integers(120, 20000))]))
    cents = int(rng.integers(100)) if rng.random() < 0.5 else 0
    return f"{whole:,}.{cents:02d}"


def account_number(rng: np.random.Generator, *, length: int = 10) -> str:
    """Digits whose last is the Luhn digit of the others."""
    body = _one("123456789", rng) + _digits(rng, length - 2)
    return body + next(digit for digit in "0123456789" if luhn_ok(body + digit))


def luhn_ok(number: str) -> bool:
    """Whether the last digit checks: from the right every second digit counts double."""
    total = 0
    for i, digit in enumerate(reversed(number)):
        twice = int(digit) * (1 + i % 2)
        total += twice - 9 if twice > 9 else twice
    return total % 10 == 0


def medicines(rng: np.random.Generator, *, rows: int) -> list[tuple[str, str, str]]:
    """Name, strength and times a day of `rows` different medicines."""
    picked = [MEDICINES[int(i)] for i in rng.permutation(len(MEDICINES))[:rows]]
    times = [_one("11122234", rng) for _ in picked]
    return [
        (name, _one(_MEDICINES[name], rng), often)
        for name, often in zip(picked, times, strict=True)
    ]


def apartment(rng: np.random.Generator) -> str:
    """Such as "12B"."""
    return f"{rng.integers(1, 60)}{_one('ABCDEF', rng)}"


def door_code(rng: np.random.Generator) -> str:
    """Such as "C4071#": a letter, four digits and the key that opens."""
    return _one("ABCDEF", rng) + _digits(rng, 4) + _one("#*", rng)


def yes_or_no(rng: np.random.Generator) -> str:
    return "yes" if rng.random() < 0.5 else "no"


def _one(of: Sequence[str], rng: np.random.Generator) -> str:
    return of[int(rng.integers(len(of)))]


def _digits(rng: np.random.Generator, n: int, *, of: str = "0123456789") -> str:
    return "".join(_one(of, rng) for _ in range(n))
