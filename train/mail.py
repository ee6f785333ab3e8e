"""Addresses of mail as people have them: after their names, with the providers that they use.

Owns:   `Mailer`.
Needs:  numpy, `people`, `texts`.

An address is seldom random: the prior for such fields is counted on these, and calibration asks for
them. None is anybody's: names are put together by chance.
"""

from __future__ import annotations

import numpy as np

from train import texts
from train.people import FIRST, LAST, Namer, People

Rng = np.random.Generator

# Roughly by how many use them; the first ones all over the world.
_PROVIDERS = {
    "gmail.com": 30, "yahoo.com": 8, "hotmail.com": 8, "outlook.com": 7, "icloud.com": 4,
    "live.com": 3, "gmx.de": 3, "web.de": 3, "aol.com": 2, "protonmail.com": 2, "yahoo.co.uk": 2,
    "orange.fr": 2, "libero.it": 2, "proton.me": 1, "msn.com": 1, "mail.com": 1, "gmx.net": 1,
    "gmx.at": 1, "gmx.ch": 1, "t-online.de": 1, "freenet.de": 1, "bluewin.ch": 1, "free.fr": 1,
    "wanadoo.fr": 1, "laposte.net": 1, "hotmail.fr": 1, "hotmail.co.uk": 1, "btinternet.com": 1,
    "yahoo.it": 1, "hotmail.it": 1, "yahoo.es": 1, "hotmail.es": 1, "wp.pl": 1, "o2.pl": 1,
    "seznam.cz": 1, "comcast.net": 1, "verizon.net": 1, "att.net": 1, "yahoo.com.br": 1,
    "uol.com.br": 1, "yahoo.co.in": 1, "rediffmail.com": 1, "ziggo.nl": 1, "live.nl": 1,
    "skynet.be": 1, "telenet.be": 1, "telia.com": 1, "online.no": 1, "sapo.pt": 1,
}  # fmt: skip
_ENDS = (
    "com", "com", "com", "com", "com", "com", "org", "net", "net", "de", "de", "fr", "it", "es",
    "nl", "co.uk", "co.uk", "pl", "ch", "at", "se", "eu", "info", "io", "edu", "be", "dk", "no",
    "pt", "cz", "ie", "com.au", "ca",
)  # fmt: skip
_DESKS = ("info", "contact", "office", "mail", "sales", "hello", "service", "kontakt", "admin")
_OWN_HOST = 0.3  # of the addresses: a firm's, somebody's own
_COMPOUND = 0.2  # of such hosts


class Mailer:
    """Draws addresses."""

    def __init__(self, people: People) -> None:
        self._namer = Namer(people)
        self._hosts = tuple(_PROVIDERS)
        self._upto = np.cumsum(list(_PROVIDERS.values()))

    def email(self, rng: Rng) -> str:
        """One address in small letters."""
        return f"{self._local(rng)}@{self._host(rng)}"

    def _local(self, rng: Rng) -> str:
        first, last = (_folded(self._namer.one(part, rng)) for part in (FIRST, LAST))
        draw = rng.random()
        if draw < 0.04:
            return _DESKS[int(rng.integers(len(_DESKS)))]
        if draw < 0.08:
            return texts.username(rng).lower()
        if draw < 0.12:
            return last
        figures = draw > 0.7
        forms = (
            *(f"{first}.{last}", f"{first}.{last}", f"{first[0]}.{last}", f"{first}{last}"),
            *(f"{first[0]}{last}", f"{first}_{last}", f"{last}.{first}", f"{first}-{last}"),
            *((first, first, first, last) if figures else ()),
        )
        local: str = forms[int(rng.integers(len(forms)))]
        return local + _figures(rng) if figures else local

    def _host(self, rng: Rng) -> str:
        if rng.random() >= _OWN_HOST:
            at = np.searchsorted(self._upto, rng.random() * self._upto[-1], "right")
            return self._hosts[int(at)]
        host = _folded(self._namer.one(LAST, rng))
        if rng.random() < _COMPOUND:
            host += "-" + texts.syllables(rng, int(rng.integers(3, 8)))
        elif rng.random() < 0.5:
            host = texts.syllables(rng, int(rng.integers(3, 9)))
        return f"{host}.{_ENDS[int(rng.integers(len(_ENDS)))]}"


def _folded(name: str) -> str:
    """A name as it stands in an address: small letters without gaps."""
    return "".join(char for char in name.lower() if char.isalpha())


def _figures(rng: Rng) -> str:
    """A number, or somebody's year."""
    return str(rng.integers(1, 100) if rng.random() < 0.6 else rng.integers(1940, 2012))
