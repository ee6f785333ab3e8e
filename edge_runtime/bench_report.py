"""What a benchmark found, as values: for the tables, the picture, the advice and JSON.

Owns:   `Engine`, `Rate`, `Score`, `Report`, `Advice`.
Needs:  `machine`, `timing`, `energy`.
Words:  *engine*: one model on one provider. *way*: how work is spread, see `WAYS`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from edge_runtime.energy import Energy
from edge_runtime.machine import Machine
from edge_runtime.timing import Took

BATCH = 32  # fields in one call of `read_fields`, as the recogniser batches strips
ONE, MANY = "field, one at a time", f"field, {BATCH} at a time"

WAYS = {
    "network": "threads inside the network",
    "callers": "threads that share a reader",
    "processes": "processes of one thread",
}


@dataclass(frozen=True, slots=True)
class Score:
    """Readings of the pages against their truth; right is exact, case and all."""

    fields: int
    exact: int
    accepted: int
    wrong_accepted: int
    wrong: tuple[str, ...]  # names of the fields that were not right, never what they say


@dataclass(frozen=True, slots=True)
class Engine:
    """One model on one provider, one thread."""

    model: str  # file, or "bundled"
    name: str  # of its spec
    digest: str
    precision: str  # "int8" or "float"
    provider: str  # ONNX Runtime's name
    startup: dict[str, float | None]  # medians over new processes; ms, and MiB of peak memory
    times: tuple[Took, ...]  # of a field, and of each page
    same_texts: int  # drawn fields that say what the first engine says
    drawn: int
    score: Score | None = None

    @property
    def label(self) -> str:
        return f"{self.precision}, {self.provider.removesuffix('ExecutionProvider')}"

    def p50_ms(self, name: str) -> float:
        """Of the thing called `name`."""
        return next(one.p50_ms for one in self.times if one.name == name)


@dataclass(frozen=True, slots=True)
class Rate:
    """Fields a second with work spread over `count` threads or processes, `BATCH` at a time."""

    way: str  # one of `WAYS`
    count: int
    fields_per_s: float
    one_ms: float | None = None  # p50 of a field by itself, where the way can speed that up


@dataclass(frozen=True, slots=True)
class Advice:
    """Settings for one use."""

    use: str
    settings: str  # as one writes them in a program
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured, on what, with what."""

    machine: Machine
    engines: tuple[Engine, ...]
    scaled: int  # the engine, by number, that `rates` belong to
    rates: tuple[Rate, ...]
    energy: Energy
    took_s: float

    def to_dict(self) -> dict[str, Any]:
        shown = {
            "machine": self.machine.to_dict(),
            "engines": [asdict(one) for one in self.engines],
            "scaled": self.scaled,
            "rates": [asdict(one) for one in self.rates],
            "energy": asdict(self.energy),
            "took_s": self.took_s,
        }
        return shown

    def to_json(self, **more: object) -> str:
        """JSON text; `more` are further facts."""
        return json.dumps(self.to_dict() | more, indent=2)
