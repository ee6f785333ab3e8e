"""The character priors: `python -m train.prior WORDS.txt... --people data/people.tsv`.

Owns:   counting n-grams of the train writers' texts, word lists and names, smoothing, pruning.
Needs:  numpy, `strokes` (labels alone), `texts`, `people`, `edge_runtime.prior`.
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
from edge_runtime.prior import Prior, Priors, fold, joined_apart, pack
from edge_runtime.prior_tables import END, START
from train import texts as made
from train.config import data_folder
from train.mail import Mailer
from train.people import FIRST, FULL, LAST, People
from train.strokes import StrokeSet

ORDER = 5
# In the middle of what helped (0.2 to 0.5); the prior must not outvote clear ink.
WEIGHT = 0.4
BONUS = 1.0
_LISTED = 0.5  # a word of a list counts half of one that somebody wrote
# Free text may hold names, places and firms; the prior for names, words that are none.
_PEOPLE_IN_TEXT, _WORDS_IN_NAMES = 0.1, 0.2
_MAILS, _RANDOM_MAILS = 40_000, 12_000  # addresses that the prior for these is counted on
# What forms ask for and the handwriting hardly holds, written by the generators of the strips.
_MADE = {
    made.legal_amount: 4000,
    made.date: 2000,
    made.amount: 1500,
    made.phone: 500,
    made.measure: 2000,
}
# Counts under this are dropped from the two longest orders; mail would fill half a megabyte.
_FEWEST, _FEWEST_MAILS = 1.6, 2.5


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
        folded = START * (order - 1) + joined_apart(fold(text)) + END
        for at in range(order - 1, len(folded)):
            for n in range(order):
                counts[n][folded[at - n : at + 1]] += weight  # type: ignore[assignment]
    return counts


def smooth(
    counts: list[Counter[str]], fewest: float = _FEWEST
) -> tuple[dict[str, float], dict[str, float]]:
    """Log-probability of each gram, and of leaving each context for the next shorter one.

    What was counted less than once is a part of a kind: names that are to weigh little in free text
    would else make every context look as if anything could follow.
    """
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
            kinds[gram[:-1]] += min(1.0, n)  # type: ignore[assignment]
        kept = {g: n for g, n in grams.items() if order < len(counts) - 1 or n >= fewest}
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


def build(data: Path, lists: Iterable[Path], people: People | None = None) -> Priors:
    """The priors of the shipped model; without people one alone, for words."""
    words = list(texts(data, lists))
    if people is None:
        return Priors(_counted(f"char-{ORDER}gram", words))
    some = ((text, _PEOPLE_IN_TEXT * weight) for text, weight in people.texts())
    names = people.texts((FIRST, LAST, FULL))
    fewer = ((text, _WORDS_IN_NAMES * weight) for text, weight in words)
    rng, mailer = np.random.default_rng(0), Mailer(people)
    mails = [*(mailer.email(rng) for _ in range(_MAILS))]
    mails += (made.email(rng) for _ in range(_RANDOM_MAILS))
    return Priors(
        _counted(f"char-{ORDER}gram", [*words, *some]),
        {
            "name": _counted(f"names-{ORDER}gram", [*fewer, *names]),
            "email": _counted(f"mail-{ORDER}gram", ((one, 1.0) for one in mails), _FEWEST_MAILS),
        },
    )


def _counted(name: str, weighted: Iterable[tuple[str, float]], fewest: float = _FEWEST) -> Prior:
    seen, off = smooth(count(weighted, ORDER), fewest)
    return Prior(name, ORDER, WEIGHT, BONUS, pack(seen, off))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m train.prior", description=__doc__)
    parser.add_argument("lists", type=Path, nargs="*", help="word lists, one word a line")
    parser.add_argument("--people", type=Path, help="from `python -m train.people`")
    parser.add_argument("--out", type=Path, default=Path("train/weights/priors.bin"))
    told = parser.parse_args(arguments)
    try:
        people = People.load(told.people) if told.people else None
        priors = build(data_folder(), told.lists, people)
    except (EdgeHwrError, OSError) as error:
        print(error, file=sys.stderr)
        return ExitCode.INTERNAL
    told.out.parent.mkdir(parents=True, exist_ok=True)
    told.out.write_bytes(priors.to_bytes())
    for one in filter(None, (priors.words, *priors.kinds.values())):
        print(f"{told.out}: {one.name}, {len(one.packed):,} bytes packed")
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
