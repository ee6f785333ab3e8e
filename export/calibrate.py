"""Calibrated probabilities, after int8, on writers that were never trained on.

Owns:   the fields that calibration asks for, `draw_items`, `read_items`, `judge_claims`,
        `fit_groups`.
Needs:  `edge_runtime.reader` (its own road, no other), `cells`, `logistic`, `train.engine`.
Words:  *item*: a crop, the field it is read as, and what is right. *foreign*: ink that its field
        does not allow; no reading of it is right. *claim*: a text that is said to stand there.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge_runtime.casing import as_name
from edge_runtime.confidence import (
    CLAIM_GROUPS,
    DEFAULT_GROUP,
    FEATURES,
    claim_group_of,
    group_of,
)
from edge_runtime.field import Field
from edge_runtime.grammar import Grammar, compile_grammar
from edge_runtime.preprocess import Gray
from edge_runtime.reader import Reader
from edge_runtime.spec import Calibration, ModelSpec
from export import logistic
from train import texts
from train.engine import Engine, EngineConfig
from train.strokes import DataError

Rng = np.random.Generator

GROUPS = ("cell", "cell_digits", "cell_text", "digits", "amount", "code", "text", "choices")
MAX_ERROR = 0.003  # among accepted readings: on real forms a wrong one must be an event
LEAST_ACCEPT = 0.95  # below it a reading is doubtful whatever a few hundred samples say
# A name that is one letter off its list's must not become the listed one: what MAX_ERROR asks for
# let 2 in 100 such drug names through (docs/decisions.md).
LISTED_ACCEPT = 0.998
UNREACHED_ACCEPT = 0.995  # where the error cannot be reached
REJECT = 0.02
MAX_CLAIM_ERROR = 0.001  # a door opens for a claim that is accepted
_FEWEST_ACCEPTED = 50  # fewer say nothing about one in a hundred
_FOREIGN = 0.04
_AGAINST_LIST = 0.5  # of single words
_NAMES = 0.3  # of the rows
_SMALL_NAMES = 0.1  # of texts with words without a capital may be names
_WORDS = 0.85  # of the names; the others are in no list
_EMPTY_AT_END = 0.5  # of the rows: forms have cells for the longest of texts
# A text is foreign to a field of figures for holding one of these: "7b 28" may be meant as 7628.
_UNLIKE_FIGURES = frozenset("acdefhkmnprtuvwxACEFHKMNPRUVWXYZ")
_ROWS = 0.28  # of the draws; the engine draws no boxes
_LISTED = 0.6  # of words that are read against a list stand on it
_LOOKALIKE = 0.5  # of the others have a near miss there: one drug for another
_LIST_SIZES = (4, 1000)
_LONG_LISTS = 4  # of half of all words each: thousands of rivals, as a lexicon has
_LONG = 0.5  # of words that are read against a list
# What a hand makes of one character that another may be meant by.
_ALIKE = (
    *("0OoQD", "1lI|7i", "2Zz", "5Ss", "6bG", "8B", "9gq", "4A", "uvUVn", "ceC", "mnw", "rv"),
    *("hkb", "tf", "ao", "xXK", "yg", "pP", "MN", "EF", "kK", "wW"),
)
_CLAIM_DRAWS = 20  # for one wrong claim
_DRAWS = 40  # for each item wanted, before a source is given up
# An amount closed against additions. Nobody asks for text there; and whether a space stands before
# its stroke or its star, no ink tells.
_CLOSED = re.compile(r"\d[^A-Za-z0-9]*[-*=/]$")
_CLOSED_APART = re.compile(r"[\d.] +[-*=/]+$")
_SKIPPED = str.maketrans("", "", " .,-=/*")  # what `digits` leaves out

# Surer evidence must not lower the probability; squeezed ink, the network's dissent and words in
# odd case must not raise it.
_SIGNS = {
    "posterior_logit": 1,
    "runner_up_nats": 1,
    "char_nats": 1,
    "grammar_nats": 1,
    "worst_glyph_nats": 1,
    "raw_differs": -1,
    "squeeze_nats": -1,
    "case_nats": -1,
    "figures_in_name": -1,
}
SIGNS = tuple(_SIGNS.get(name, 0) for name in FEATURES)


class Item(NamedTuple):
    """One field that is read for calibration."""

    crop: Gray
    field: Field
    right: str | None  # None where nothing is


@dataclass(frozen=True, slots=True)
class GroupReport:
    """How a group's probabilities came out; all numbers out of fold."""

    n: int
    exact: float  # part of the readings that is right
    ece: float
    threshold: float | None  # where `MAX_ERROR` is met
    read_rate: float  # at that threshold
    accepted: float  # part at the shipped `accept`
    wrong: float  # part of those
    calibration: Calibration

    def line(self) -> str:
        """For people."""
        return (
            f"{self.n}, {self.exact:.1%} right, ECE {self.ece:.3f}, at the asked error "
            f"{self.read_rate:.1%} of all, accept from {self.calibration.accept:.3f}"
        )


def placeholder() -> Mapping[str, Calibration]:
    """What a model is stamped with before it has been calibrated."""
    weights = tuple(float(name == "posterior_logit") for name in FEATURES)
    return {
        DEFAULT_GROUP: Calibration(
            0.0, weights, accept=UNREACHED_ACCEPT, reject=REJECT, fitted_on=0
        )
    }


def draw_items(
    data: Path,
    spec: ModelSpec,
    config: EngineConfig,
    *,
    n: int,
    seed: int,
    groups: Sequence[str] = GROUPS,
) -> list[Item]:
    """`n` items of each of the groups, from writers of the part "calibration"."""
    engine = Engine(data, spec, config, part="calibration", seed=seed)
    rng = np.random.default_rng([seed, 1])
    words = sorted({engine.words.labels[i] for i in engine.words.of_part("train")})
    written = [engine.words.labels[i] for i in engine.words.of_part(engine.part)]
    found: dict[str, list[Item]] = {group: [] for group in groups}
    for _ in range(_DRAWS * n * len(GROUPS)):
        if all(len(items) >= n for items in found.values()):
            return [item for items in found.values() for item in items]
        in_row = rng.random() < _ROWS
        item = _row(engine, spec, written, rng) if in_row else _item(engine, spec, words, rng)
        items = found.get(group_of(item.field)) if item is not None else None
        if item is not None and items is not None and len(items) < n:
            items.append(item)
    short = {group: len(items) for group, items in found.items() if len(items) < n}
    raise DataError(f"too few fields to calibrate on: {short} of {n}; see docs/data.md")


def _item(engine: Engine, spec: ModelSpec, words: Sequence[str], rng: Rng) -> Item | None:
    crop, text, source, _ = engine.crop(rng)
    if not text or source == "row":  # rows are drawn with all of their cells, see `_row`
        return None
    if source in ("glyph", "mnist"):
        cells = 1 if rng.random() < 0.8 else None
        kind = _pick(_kinds(text, ("digits", "upper", "lower", "code", "username"), spec), rng)
        return Item(crop, Field("glyph", kind=kind, cells=cells), text)
    digits = text.translate(_SKIPPED)
    if digits.isdigit():
        return Item(crop, Field("digits", kind="digits"), digits)
    if rng.random() < _FOREIGN and _UNLIKE_FIGURES & set(text):
        return Item(crop, Field("foreign", kind="digits"), None)
    if source == "word" and rng.random() < _AGAINST_LIST:
        return _listed(crop, text, words, rng)
    # Whoever writes in small letters was not asked for a name, but for a few.
    named = as_name(text) == text or rng.random() < _SMALL_NAMES
    free = ("name", "text") if named else ("text",)
    if source in ("word", "line", "joined"):
        kind = _pick(_kinds(text, free, spec), rng)
    else:  # the first that allows it: whoever writes a date was asked for one
        asked = ("email", "date", "time", "phone", "amount", "code", "username", *free)
        kind = _kinds(text, asked, spec)[0]
    if _CLOSED_APART.search(text) or (kind in free and _CLOSED.search(text)):
        return None
    return Item(crop, Field("field", kind=kind), text)


def _row(engine: Engine, spec: ModelSpec, written: Sequence[str], rng: Rng) -> Item | None:
    charset = None
    if rng.random() < _NAMES:
        text, charset = _name(written, rng)
        kind = "name"
    else:
        draw = (texts.digit_string, texts.username, texts.code)[int(rng.integers(3))]
        text = draw(rng).replace(" ", "")[: int(rng.integers(1, 13))]
        kind = _kinds(text, ("digits", "code", "username"), spec)[0]
    if not text:  # a word of figures alone is no name
        return None
    cells = len(text) + (int(rng.integers(1, 13)) if rng.random() < _EMPTY_AT_END else 0)
    crop = engine.draw_row(text.ljust(cells), rng)
    field = Field("row", kind=kind, cells=cells, charset=charset)
    return None if crop is None else Item(crop, field, text)


def _name(written: Sequence[str], rng: Rng) -> tuple[str, str | None]:
    """One or two words or none of any list; and the charset, where capitals alone may stand."""
    some = [written[i] for i in rng.integers(len(written), size=int(rng.integers(1, 3)))]
    text = " ".join(some) if rng.random() < _WORDS else texts.letters(rng)
    text = "".join(char for char in text if char.isalpha() or char == " ")[:16].strip()
    if rng.random() < 0.6:
        return text.upper(), texts.UPPER + " " if rng.random() < 0.5 else None
    return text.title(), None


def _listed(crop: Gray, text: str, words: Sequence[str], rng: Rng) -> Item:
    """A word read against a list that holds it or not; off the list no reading is right."""
    if rng.random() < _LONG:
        long = _long_list(tuple(words), int(rng.integers(_LONG_LISTS)))
        right = text if text in long else None
        return Item(crop, Field("listed", kind="text", choices=long), right)
    low, high = np.log(_LIST_SIZES)
    most = min(len(words), int(np.exp(rng.uniform(low, high))))
    chosen = rng.choice(len(words), size=most, replace=False)
    listed = [words[i] for i in chosen if words[i].lower() != text.lower()]
    if rng.random() < _LISTED:
        return Item(crop, Field("listed", kind="text", choices=(*listed, text)), text)
    if rng.random() < _LOOKALIKE:
        listed.append(_near_miss(text, rng))
    return Item(crop, Field("listed", kind="text", choices=tuple(listed) or ("-",)), None)


@lru_cache(maxsize=_LONG_LISTS)
def _long_list(words: tuple[str, ...], number: int) -> tuple[str, ...]:
    """The same half of the words each time, so that its grammar is made once."""
    held = np.random.default_rng(number).random(len(words)) < 0.5
    return tuple(word for word, kept in zip(words, held, strict=True) if kept) or ("-",)


def _near_miss(text: str, rng: Rng) -> str:
    """Another letter for one of the text's."""
    at = int(rng.integers(len(text)))
    others = [char for char in texts.LOWER if char != text[at].lower()]
    return text[:at] + _pick(others, rng) + text[at + 1 :]


def _kinds(text: str, kinds: Sequence[str], spec: ModelSpec) -> list[str]:
    """Of `kinds` those that allow the text; "text" where none does."""
    return [one for one in kinds if _grammar_accepts(one, spec.labels, text)] or ["text"]


@lru_cache(maxsize=1 << 16)
def _grammar_accepts(kind: str, labels: tuple[str, ...], text: str) -> bool:
    return compile_grammar(Field("any", kind=kind), labels).accepts(text)


def _pick(options: Sequence[str], rng: Rng) -> str:
    return options[int(rng.integers(len(options)))]


class Read(NamedTuple):
    """What was read of items: evidence, and whether it was right, by group."""

    evidence: Mapping[str, logistic.Floats]  # float64 (n, features)
    right: Mapping[str, logistic.Bools]
    blank: int  # items in which no ink was found


def read_items(model: Path, items: Sequence[Item]) -> Read:
    """Read every item with the model, as a caller would."""
    evidence: dict[str, list[logistic.Floats]] = defaultdict(list)
    right: dict[str, list[bool]] = defaultdict(list)
    blank = 0
    with Reader(model) as reader:
        explained = reader.explain((item.crop, item.field) for item in items)
        for item, (reading, seen) in zip(items, explained, strict=True):
            if seen is None or reading.text == "":  # a blank and an empty text have no probability
                blank += 1
                continue
            group = group_of(item.field)
            evidence[group].append(seen)
            right[group].append(reading.text == item.right)
    return Read(
        {group: np.stack(rows) for group, rows in evidence.items()},
        {group: np.array(rows) for group, rows in right.items()},
        blank,
    )


def judge_claims(model: Path, items: Sequence[Item], *, seed: int) -> Read:
    """What the model says of claims: for each item the right text, and one that is wrong."""
    evidence: dict[str, list[logistic.Floats]] = defaultdict(list)
    right: dict[str, list[bool]] = defaultdict(list)
    rng = np.random.default_rng([seed, 2])
    blank = 0
    with Reader(model) as reader:
        for item in items:
            group = claim_group_of(item.field)
            grammar = compile_grammar(item.field, reader.spec.labels)
            wrong = _wrong_claim(item.right or "", grammar, rng) if group else None
            if wrong is None or item.right is None:
                continue
            told = reader.explain_match(item.crop, item.field, [item.right, wrong])
            for truth, seen in zip((True, False), told, strict=True):
                if seen is None:  # never more than 0
                    blank += 1
                    continue
                evidence[group].append(seen)
                right[group].append(truth)
    # Right and wrong ones took turns, and would be in one fold each.
    orders = {group: rng.permutation(len(rows)) for group, rows in right.items()}
    return Read(
        {group: np.stack(evidence[group])[order] for group, order in orders.items()},
        {group: np.array(right[group])[order] for group, order in orders.items()},
        blank,
    )


def _wrong_claim(text: str, grammar: Grammar, rng: Rng) -> str | None:
    """Another text of the field: mostly one or two characters off; None where none was found."""
    pool = [char for char in sorted(grammar.characters) if char.isalnum()] or list(text)
    for _ in range(_CLAIM_DRAWS):
        at = int(rng.integers(max(1, len(text))))
        alike = [char for group in _ALIKE if text[at : at + 1] in group for char in group]
        how, other = rng.random(), _pick(pool, rng)
        if how < 0.3 and alike:
            found = text[:at] + _pick(alike, rng) + text[at + 1 :]
        elif how < 0.6:
            found = text[:at] + other + text[at + 1 :]
        elif how < 0.75:
            found = text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]
        elif how < 0.85:
            found = text[:at] + text[at + 1 :]
        elif how < 0.95:
            found = text[:at] + other + text[at:]
        else:
            found = "".join(_pick(pool, rng) for _ in text)
        if found not in ("", text) and grammar.accepts(found):
            return found
    return None


def fit_claims(read: Read) -> dict[str, GroupReport]:
    """A calibration for each group of claims; there is no default one."""
    return {
        group: _fit_group(read.evidence[group], read.right[group], max_error=MAX_CLAIM_ERROR)
        for group in CLAIM_GROUPS
        if group in read.right
    }


def fit_groups(read: Read) -> dict[str, GroupReport]:
    """A calibration for each group, and one for all: the default."""
    reports = {
        group: _fit_group(
            read.evidence[group],
            read.right[group],
            least=LISTED_ACCEPT if group == "choices" else LEAST_ACCEPT,
        )
        for group in GROUPS
        if group in read.evidence
    }
    # One group after the other would put a group into one fold: item by item instead.
    order = np.random.default_rng(0).permutation(sum(len(one) for one in read.right.values()))
    evidence = np.concatenate([read.evidence[group] for group in reports])[order]
    right = np.concatenate([read.right[group] for group in reports])[order]
    return {**reports, DEFAULT_GROUP: _fit_group(evidence, right)}


def _fit_group(
    evidence: logistic.Floats,
    right: logistic.Bools,
    *,
    least: float = LEAST_ACCEPT,
    max_error: float = MAX_ERROR,
) -> GroupReport:
    held = logistic.out_of_fold(evidence, right, signs=SIGNS)
    threshold, rate = logistic.operating_point(held, right, max_error=max_error)
    reached = threshold is not None and rate * len(right) >= _FEWEST_ACCEPTED
    accept = max(least, threshold) if reached and threshold is not None else UNREACHED_ACCEPT
    accept = math.floor(1e4 * accept) / 1e4
    bias, weights = logistic.fit(evidence, right, signs=SIGNS)
    taken = held >= accept
    return GroupReport(
        n=len(right),
        exact=float(right.mean()),
        ece=logistic.calibration_error(held, right),
        threshold=threshold if reached else None,
        read_rate=rate if reached else 0.0,
        accepted=float(taken.mean()),
        wrong=float((~right[taken]).mean()) if taken.any() else 0.0,
        calibration=Calibration(bias, weights, accept=accept, reject=REJECT, fitted_on=len(right)),
    )
