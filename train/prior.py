"""The character prior: `python -m train.prior WORDS.txt... --out train/weights/prior.txt`.

Owns:   counting n-grams of the train writers' texts and of word lists, smoothing, pruning.
Needs:  numpy, `strokes` (labels alone), `texts`, `edge_runtime.prior`.
Source: smoothing after Witten and Bell 1991. A word list as Debian's `wamerican` (SCOWL, freely
        licensed) gives words that the handwriting does not hold.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from edge_runtime.errors import EdgeHwrError, ExitCode
from edge_runtime.prior import Prior, fold, pack
from edge_runtime.prior_tables import END, START
from train import texts as made
from train.config import data_folder
from train.strokes import StrokeSet

ORDER = 5
# In the middle of what helped (0.2 to 0.5); the prior must not outvote clear ink.
WEIGHT = 0.4
BONUS = 1.0
_LISTED = 0.5  # a word of a list counts half of one that somebody wrote
# What forms ask for and the handwriting hardly holds, written by the generators of the strips.
_MADE = {
    made.legal_amount: 4000,
    made.date: 2000,
    made.amount: 1500,
    made.phone: 500,
    made.measure: 2000,
}
_FEWEST = 1.6  # counts under this are dropped from the two longest orders


def texts(data: Path, lists: Iterable[Path]) -> Iterator[tuple[str, float]]:
    """Texts of train writers, of forms, and words of lists, with their weights."""
    for name in ("words", "text"):
        one = StrokeSet.load(data / "unipen" / f"{name}.npz")
        for index in one.of_part("train"):
            label = " ".join(one.labels[index].split())
            yield label, 1.0
            if " " in label:
                yield from ((word, 1.0) for word in label.split())
    rng = np.random.default_rng(0)
    for generator, n in _MADE.items():
        yield from ((generator(rng), _LISTED) for _ in range(n))
    for path in lists:
        for word in path.read_text(encoding="utf-8").split():
            if word.isascii() and word.isprintable():
                yield word, _LISTED


def count(weighted: Iterable[tuple[str, float]], order: int) -> list[Counter[str]]:
    """Counts of the grams of 1 to `order` characters."""
    counts: list[Counter[str]] = [Counter() for _ in range(order)]
    for text, weight in weighted:
        folded = START * (order - 1) + fold(text) + END
        for at in range(order - 1, len(folded)):
            for n in range(order):
                counts[n][folded[at - n : at + 1]] += weight  # type: ignore[assignment]
    return counts


def smooth(counts: list[Counter[str]]) -> tuple[dict[str, float], dict[str, float]]:
    """Log-probability of each gram, and of leaving each context for the next shorter one."""
    seen: dict[str, float] = {}
    off: dict[str, float] = {}
    chars = len(counts[0])
    whole = sum(counts[0].values())
    for gram, n in counts[0].items():
        seen[gram] = math.log((n + 1) / (whole + chars + 1))
    for order, grams in enumerate(counts[1:], 2):
        total: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        for gram, n in grams.items():
            total[gram[:-1]] += n
            kinds[gram[:-1]] += 1
        kept = {g: n for g, n in grams.items() if order < len(counts) - 1 or n >= _FEWEST}
        for context in {gram[:-1] for gram in kept}:
            off[context] = math.log(kinds[context] / (total[context] + kinds[context]))
        for gram, n in kept.items():
            context = gram[:-1]
            lower = math.exp(seen.get(gram[1:], -12.0))
            share = total[context] + kinds[context]
            seen[gram] = math.log((n + kinds[context] * lower) / share)
    # A cost is stored with its context's own gram; contexts that begin a text have none.
    for context in off:
        seen.setdefault(context, -12.0)
    return seen, off


def build(data: Path, lists: Iterable[Path]) -> Prior:
    """The prior of the shipped model."""
    seen, off = smooth(count(texts(data, lists), ORDER))
    return Prior(f"char-{ORDER}gram", ORDER, WEIGHT, BONUS, pack(seen, off))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m train.prior", description=__doc__)
    parser.add_argument("lists", type=Path, nargs="*", help="word lists, one word a line")
    parser.add_argument("--out", type=Path, default=Path("train/weights/prior.txt"))
    told = parser.parse_args(arguments)
    try:
        prior = build(data_folder(), told.lists)
    except (EdgeHwrError, OSError) as error:
        print(error, file=sys.stderr)
        return ExitCode.INTERNAL
    told.out.parent.mkdir(parents=True, exist_ok=True)
    told.out.write_text(prior.to_text() + "\n", encoding="ascii")
    print(f"{told.out}: {len(prior.packed):,} bytes packed")
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
