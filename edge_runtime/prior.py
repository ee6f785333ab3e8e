"""Which characters follow which in words that people write: an n-gram prior for free text.

Owns:   `Prior` and its packed form, which travels in the model file.
Needs:  the standard library.
Words:  a *gram* is a context and the character after it. Case is folded, every digit is a 0: the
        prior knows words, and must not know that one number is likelier than another.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from edge_runtime.errors import ModelError

PRIOR_KEY = "edge_hwr.prior"  # ONNX metadata key of the packed prior
START, END = "\x02", "\x03"
UNIT = 8.0  # parts of a nat that are stored
_NEVER = -12.0  # nats: a character that no word held


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
        seen: dict[str, float] = {}
        off: dict[str, float] = {}
        for line in zlib.decompress(self.packed).decode("ascii").split("\n"):
            gram, value, cost = line.rsplit(" ", 2)
            seen[gram] = -int(value) / UNIT
            if cost:
                off[gram] = -int(cost) / UNIT
        return seen, off

    def score(self, text: str) -> float:
        """What the prior adds to the log-probability of a text, in nats."""
        folded = START * (self.order - 1) + fold(text) + END
        total = 0.0
        for at in range(self.order - 1, len(folded)):
            total += self._next(folded[at - self.order + 1 : at], folded[at])
        return self.weight * (total + self.bonus * len(text))

    def _next(self, context: str, char: str) -> float:
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
        body = base64.b64encode(self.packed).decode("ascii")
        return f"{self.name} {self.order} {self.weight!r} {self.bonus!r} {body}"

    @staticmethod
    def from_text(text: str) -> Prior:
        """Read `to_text` back.

        Raises:
            ModelError: Not of that form.
        """
        try:
            name, order, weight, bonus, body = text.split(" ")
            packed = base64.b64decode(body, validate=True)
            return Prior(name, int(order), float(weight), float(bonus), packed)
        except ValueError as error:
            raise ModelError(f"the model's prior cannot be read ({error}); export again") from error


def pack(seen: Mapping[str, float], off: Mapping[str, float]) -> bytes:
    """Tables to bytes: one gram a line, log-probability and cost of backing off in 1/8 nats."""
    lines = [
        f"{gram} {round(-value * UNIT)} {round(-off[gram] * UNIT) if gram in off else ''}"
        for gram, value in sorted(seen.items())
    ]
    return zlib.compress("\n".join(lines).encode("ascii"), 9)


def fold(text: str) -> str:
    """Case and digits aside."""
    return "".join("0" if char.isdigit() else char for char in text.lower())
