"""Which characters follow which in words that people write: an n-gram prior for free text.

Owns:   `Prior` and its packed form, which travels in the model file.
Needs:  numpy.
Words:  a *gram* is a context and the character after it. Case is folded, every digit is a 0: the
        prior knows words, and must not know that one number is likelier than another.
"""

from __future__ import annotations

import base64
import lzma
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ModelError

Floats = NDArray[np.float64]

PRIOR_KEY = "edge_hwr.prior"  # ONNX metadata key of the packed prior
START, END = "\x02", "\x03"
UNIT = 8.0  # parts of a nat that are stored
_NO_COST = 255  # of a gram that is no context
_FILTERS = ({"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME},)
_MOST_GRAMS = 60_000  # remembered; some 6 MB
_DIGITS = str.maketrans("123456789", "0" * 9)
_NEVER = -12.0  # nats: a character that no word held
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
    def _tables(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Log-probability of grams, and what backing off from a context costs."""
        held = lzma.decompress(self.packed, lzma.FORMAT_RAW, filters=_FILTERS)
        told, _, rest = held.partition(b"\n")
        n = int(told)
        grams = rest[: -2 * n].decode("ascii").split("\n")
        values, costs = rest[-2 * n : -n], rest[-n:]
        seen = {gram: -value / UNIT for gram, value in zip(grams, values, strict=True)}
        off = {
            gram: -cost / UNIT for gram, cost in zip(grams, costs, strict=True) if cost != _NO_COST
        }
        return seen, off

    def score(self, text: str) -> float:
        """What the prior adds to the log-probability of a text, in nats."""
        folded = fold(text)
        if "-" in folded:
            folded = _HYPHEN.sub(" ", folded)
        folded = START * (self.order - 1) + folded + END
        known, order = self._grams, self.order
        total = 0.0
        for at in range(order, len(folded) + 1):
            gram = folded[at - order : at]
            try:
                total += known[gram]
            except KeyError:
                if len(known) >= _MOST_GRAMS:
                    known.clear()
                known[gram] = self.next(gram[:-1], gram[-1])
                total += known[gram]
        return self.weight * (total + self.bonus * len(text))

    @cached_property
    def _kids(self) -> Mapping[str, str]:
        """The characters that were seen after a context."""
        kids: dict[str, str] = {}
        for gram in self._tables[0]:
            context = gram[:-1]
            kids[context] = kids.get(context, "") + gram[-1]
        return kids

    @cached_property
    def _grams(self) -> dict[str, float]:
        return {}

    def heard_as(self, context: str, char: str) -> str:
        """A character as the prior has it: folded; between letters a hyphen counts as a space, and
        here already after a letter."""
        folded = fold(char)
        return " " if folded == "-" and context[-1:].isalpha() else folded

    def known(self, context: str) -> str:
        """The last characters of a context that make a difference."""
        off, kids = self._tables[1], self._kids
        while context and context not in off and context not in kids:
            context = context[1:]
        return context

    def following(self, context: str, chars: str, shorter: Floats | None) -> Floats:
        """What may follow a context.

        Args:
            context: As `known` gives it.
            chars: Folded, each once.
            shorter: The same of the context without its first character; None where it is empty.

        Returns:
            float64 (len(chars),), log-probability of each.
        """
        seen, off = self._tables
        found = np.full(len(chars), _NEVER) if shorter is None else shorter + off.get(context, 0.0)
        for char in self._kids.get(context, ()):
            at = chars.find(char)
            if at >= 0:
                found[at] = seen[context + char]
        return found

    def factors(self, logs: Floats) -> Floats:
        """By how much one more character changes probability, as `score` does it in the end."""
        return np.asarray(np.exp(self.weight * (logs + self.bonus)), np.float64)

    def next(self, context: str, char: str) -> float:
        """Log-probability of one character after a context, both folded."""
        seen, off = self._tables
        cost = 0.0
        while True:
            found = seen.get(context + char)
            if found is not None:
                return cost + found
            if not context:
                return cost + _NEVER
            cost += off.get(context, 0.0)
            context = context[1:]

    def to_text(self) -> str:
        """One line of ASCII for the model's metadata."""
        body = base64.b85encode(self.packed).decode("ascii")
        return f"{self.name} {self.order} {self.weight!r} {self.bonus!r} {body}"

    @staticmethod
    def from_text(text: str) -> Prior:
        """Read `to_text` back.

        Raises:
            ModelError: Not of that form.
        """
        try:
            name, order, weight, bonus, body = text.split(" ")
            packed = base64.b85decode(body)
            return Prior(name, int(order), float(weight), float(bonus), packed)
        except ValueError as error:
            raise ModelError(f"the model's prior cannot be read ({error}); export again") from error


def pack(seen: Mapping[str, float], off: Mapping[str, float]) -> bytes:
    """Tables to bytes: the grams, a line each, then their log-probabilities and costs in 1/8 nats.

    Like stands beside like: that takes half of what lines of gram and numbers would.
    """
    grams = sorted(seen)
    values = bytes(_stored(seen[gram]) for gram in grams)
    costs = bytes(_stored(off[gram]) if gram in off else _NO_COST for gram in grams)
    lines = "\n".join([str(len(grams)), *grams])
    held = lines.encode("ascii") + values + costs
    return lzma.compress(held, lzma.FORMAT_RAW, filters=_FILTERS)


def _stored(nats: float) -> int:
    return min(round(-nats * UNIT), _NO_COST - 1)


def fold(text: str) -> str:
    """Case and digits aside."""
    text = text.lower()
    if text.isascii():
        return text.translate(_DIGITS)
    return "".join("0" if char.isdigit() else char for char in text)
