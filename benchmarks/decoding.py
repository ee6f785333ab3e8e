"""Decoding alone: milliseconds of one reading, one thread, by what the field allows.

    python -m benchmarks.decoding [--repeat N] [--out benchmarks/results/decoding.json]

What the network would say is drawn: peaks on a text's characters, some of them in doubt, noise
elsewhere. Left out: the network, and making a grammar, which is cached (timed apart). Times are of
this process' own work, so that what else the machine does is left out as far as it can be.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.decode import decode, grammar_log_total
from edge_runtime.field import Field
from edge_runtime.grammar import Grammar, compile_grammar
from edge_runtime.machine import Machine

_LABELS = ("", *map(chr, range(32, 127)))
_PATTERN = "[A-Z]{2}[0-9]{2}-[A-Z0-9]{4}-[0-9]{6}-[a-z]{3,10}/[0-9]{2,21}"  # 50 states
_SYLLABLES = (
    "an ba ker son mil ler har ris wal ton berg stein mac don ald fitz ger smi th jo hn ol sen van "
    "der gar cia lo pez kim ro si fer ra ri mo ha wil cox wood"
)
_NAMES = 100_000
_IBAN, _CARD = "GB82 WEST 1234 5698 7654 32", "4111 1111 1111 1111"


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of field. Times are of single readings, after one to warm up."""

    name: str
    what: str
    n: int  # readings
    p50_ms: float
    worst_ms: float
    compile_ms: float  # once for a field


def drawn(text: str, rng: np.random.Generator, *, doubt: float) -> NDArray[np.float32]:
    """float32 (t, n_labels): what a network might say to `text`; `doubt` of its frames are torn."""
    rows = [0]
    for char in text:
        rows += [_LABELS.index(char)] * int(rng.integers(1, 3)) + [0] * int(rng.integers(1, 3))
    logits = rng.normal(0, 1.5, (len(rows), len(_LABELS)))
    logits[np.arange(len(rows)), rows] += 12
    rivals = np.r_[0, 16:26, 33:59, 65:91]
    for t in np.flatnonzero((np.array(rows) > 0) & (rng.random(len(rows)) < doubt)):
        logits[t, rng.choice(rivals, 2)] += rng.normal(11, 1.5, 2)
    return np.asarray(logits - np.logaddexp.reduce(logits, axis=1)[:, None], np.float32)


def names(rng: np.random.Generator) -> tuple[str, ...]:
    """As many invented surnames, some of two words."""
    found: set[str] = set()
    syllables = _SYLLABLES.split()
    while len(found) < _NAMES:
        parts = ["".join(rng.choice(syllables, rng.integers(2, 5))).capitalize()]
        if rng.random() < 0.3:
            parts.append("".join(rng.choice(syllables, 2)).capitalize())
        found.add(" ".join(parts))
    return tuple(sorted(found))


def timed(
    name: str, what: str, field: Field, inks: Sequence[NDArray[np.float32]], *, repeat: int
) -> Row:
    """Each ink is read `repeat` times; the least counts, the others were disturbed."""
    began = time.process_time()
    grammar = compile_grammar(field, _LABELS)
    grammar_log_total(inks[0], grammar)  # makes what is kept with a grammar
    compiled = time.process_time() - began
    took = [min(_once(ink, grammar) for _ in range(repeat + 1)) for ink in inks]
    return Row(name, what, len(inks), 1e3 * float(np.median(took)), 1e3 * max(took), 1e3 * compiled)


def _once(ink: NDArray[np.float32], grammar: Grammar) -> float:
    began = time.process_time()
    decode(ink, grammar, k=5)
    return time.process_time() - began


def rows(*, repeat: int) -> list[Row]:
    rng = np.random.default_rng(7)

    def inks(texts: Sequence[str], doubt: float) -> list[NDArray[np.float32]]:
        return [drawn(text, rng, doubt=doubt) for text in texts]

    code = ["AB12-X7Z9-123456-abcdefgh/1234"] * 12
    listed = names(rng)
    some = [listed[at] for at in rng.integers(0, len(listed), 12)]
    pattern, lexicon = Field("code", pattern=_PATTERN), Field("name", "name", choices=listed)
    iban, card = Field("iban", "iban"), Field("card", "card")
    plan = (
        ("pattern", "30 characters, 50 states, k = 5", pattern, inks(code, 0.0)),
        ("pattern, doubtful", "a third of the characters in doubt", pattern, inks(code, 0.3)),
        ("lexicon", "100,000 names", lexicon, inks(some, 0.0)),
        ("lexicon, doubtful", "a third of the characters in doubt", lexicon, inks(some, 0.3)),
        ("lexicon, foreign", "the name is not listed", lexicon, inks(["Zyx Quvw"] * 4, 0.3)),
        ("iban, doubtful", "mod 97 as residue", iban, inks([_IBAN] * 12, 0.3)),
        ("card, doubtful", "Luhn as residue", card, inks([_CARD] * 12, 0.3)),
    )
    return [timed(*one, repeat=repeat) for one in plan]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decoding", description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    found = rows(repeat=told.repeat)
    print(f"{'field':20}{'median ms':>10}{'worst ms':>10}{'once ms':>10}  what")
    for row in found:
        print(
            f"{row.name:20}{row.p50_ms:10.2f}{row.worst_ms:10.2f}{row.compile_ms:10.1f}  {row.what}"
        )
    if told.out:
        facts = {
            "machine": asdict(Machine.here()),
            "threads": 1,
            "rows": [asdict(row) for row in found],
        }
        told.out.parent.mkdir(parents=True, exist_ok=True)
        told.out.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
