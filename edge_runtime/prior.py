"""Which characters follow which in words that people write: an n-gram prior for free text.

Owns:   `Prior` and its packed form, which travels in the model file; `Priors`, those of a model.
Needs:  numpy.
Words:  a *gram* is a context and the character after it. Case is folded, every digit is a 0: the
        prior knows words, and must not know that one number is likelier than another.
"""

from __future__ import annotations

import lzma
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ModelError
from edge_runtime.prior_tables import COLUMNS, END, NEVER, NO_COST, SHIFT, PriorTables, column_of

Floats = NDArray[np.float64]

PRIORS = "priors"  # what their enclosure in a model file is called
_WORDS = "words"  # what stands for the kind of the prior for free text
UNIT = 8.0  # parts of a nat that are stored
_FILTERS = ({"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME},)
_DIGITS = str.maketrans("123456789", "0" * 9)
# Names and words that are joined are as likely as those that stand apart: the ink says which.
_HYPHEN = re.compile("(?<=[a-z])-(?=[a-z])")


@dataclass(frozen=True, eq=False)
class Prior:
    """A back-off n-gram model over characters.

    Args:
        name: What readings call it.
        order: Characters of a gram, at most.
        weight: Part of its say against the ink's.
        bonus: Nats for each character, so that longer texts are not put at a disadvantage.
        packed: From `pack`.
    """

    name: str
    order: int
    weight: float
    bonus: float
    packed: bytes

    @cached_property
    def tables(self) -> PriorTables:
        """What each character costs after a context, in parts of a nat, and what comes next."""
        lines, values, costs = self._unpacked()
        return PriorTables.read(lines, values, costs, self.order)

    def _unpacked(self) -> tuple[bytes, bytes, bytes]:
        """Grams a line each; minus log-probability and what backing off costs, of each."""
        held = lzma.decompress(self.packed, lzma.FORMAT_RAW, filters=_FILTERS)
        told, _, rest = held.partition(b"\n")
        n = int(told)
        return rest[: -2 * n], rest[-2 * n : -n], rest[-n:]

    @cached_property
    def grams(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Log-probability of grams, and what backing off from a context costs."""
        lines, values, costs = self._unpacked()
        grams = lines.decode("ascii").split("\n")
        seen = {gram: -value / UNIT for gram, value in zip(grams, values, strict=True)}
        off = {
            gram: -cost / UNIT for gram, cost in zip(grams, costs, strict=True) if cost != NO_COST
        }
        return seen, off

    def score(self, text: str) -> float:
        """What the prior adds to the log-probability of a text, in nats."""
        folded = joined_apart(fold(text)) if "-" in text or not text.isascii() else text
        costs, after = self.tables.flat
        at, total = self.tables.start << SHIFT, 0
        for column in _columns(folded + END):
            place = at + column
            total += costs[place]
            at = after[place] << SHIFT
        return self.weight * (self.bonus * len(text) - total / UNIT)

    def factors(self, costs: NDArray[np.integer]) -> Floats:
        """By how much a character of such a cost changes probability, as `score` does it."""
        return np.asarray(np.exp(self.weight * (self.bonus - costs / UNIT)), np.float64)

    def next(self, context: str, char: str) -> float:
        """Log-probability of one character after a context, both folded, gram by gram."""
        seen, off = self.grams
        cost = 0.0
        while True:
            found = seen.get(context + char)
            if found is not None:
                return cost + found
            if not context:
                return cost - NEVER / UNIT
            cost += off.get(context, 0.0)
            context = context[1:]

    def _to_bytes(self, kind: str) -> bytes:
        told = f"{kind} {self.name} {self.order} {self.weight!r} {self.bonus!r} {len(self.packed)}"
        return told.encode("ascii") + b"\n" + self.packed


@dataclass(frozen=True, eq=False)
class Priors:
    """What a model knows of words: each of its priors is for the fields that ask for such words.

    Args:
        words: For free text; None: nothing is expected.
        kinds: For fields of kinds that hold words of their own: names of people, addresses of mail.
    """

    words: Prior | None = None
    kinds: Mapping[str, Prior] = field(default_factory=dict)

    def of(self, kind: str | None) -> Prior | None:
        """The prior for fields of a kind, where words are expected of the field."""
        return self.kinds.get(kind or "text") or (None if kind == "email" else self.words)

    def to_bytes(self) -> bytes:
        """For the model file: of each a line of ASCII that says what it is, then its packed form.

        Nothing where there are none for words.
        """
        if self.words is None:
            return b""
        named = {_WORDS: self.words, **self.kinds}
        return b"".join(one._to_bytes(kind) for kind, one in named.items())

    @staticmethod
    def from_bytes(held: bytes) -> Priors:
        """Read `to_bytes` back.

        Raises:
            ModelError: Not of that form.
        """
        found: dict[str, Prior] = {}
        try:
            while held:
                told, _, rest = held.partition(b"\n")
                kind, name, order, weight, bonus, size = told.decode("ascii").split(" ")
                n = int(size)
                if not 0 < n <= len(rest):
                    raise ValueError(f"{len(rest):,} bytes where {n:,} were to come")
                found[kind] = Prior(name, int(order), float(weight), float(bonus), rest[:n])
                held = rest[n:]
        except ValueError as error:
            raise ModelError(f"the model's prior cannot be read ({error}); export again") from error
        return Priors(found.pop(_WORDS, None), found)


NO_PRIORS = Priors()


def pack(seen: Mapping[str, float], off: Mapping[str, float]) -> bytes:
    """Tables to bytes: the grams, a line each, then their log-probabilities and costs in 1/8 nats.

    Like stands beside like: that takes half of what lines of gram and numbers would.
    """
    grams = sorted(seen)
    values = bytes(_stored(seen[gram]) for gram in grams)
    costs = bytes(_stored(off[gram]) if gram in off else NO_COST for gram in grams)
    lines = "\n".join([str(len(grams)), *grams])
    held = lines.encode("ascii") + values + costs
    return lzma.compress(held, lzma.FORMAT_RAW, filters=_FILTERS)


def _stored(nats: float) -> int:
    return min(round(-nats * UNIT), NO_COST - 1)


def _columns(text: str) -> Sequence[int]:
    if text.isascii():
        return text.encode("ascii").translate(COLUMNS)
    return [column_of(char) for char in text]


def joined_apart(folded: str) -> str:
    """A folded text with spaces for hyphens between letters, as texts are counted and heard."""
    return _HYPHEN.sub(" ", folded)


def fold(text: str) -> str:
    """Case and digits aside."""
    text = text.lower()
    if text.isascii():
        return text.translate(_DIGITS)
    return "".join("0" if char.isdigit() else char for char in text)
