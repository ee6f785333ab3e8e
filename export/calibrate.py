"""Calibrated probabilities, after int8, on writers that were never trained on.

Owns:   `read_items`, `judge_claims`, `fit_groups`.
Needs:  `edge_runtime.reader` (its own road, no other), `items`, `logistic`.
Words:  *claim*: a text that is said to stand there.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge_runtime.confidence import (
    CLAIM_GROUPS,
    DEFAULT_GROUP,
    FEATURES,
    claim_group_of,
    group_of,
)
from edge_runtime.grammar import Grammar, compile_grammar
from edge_runtime.reader import Reader
from edge_runtime.spec import Calibration
from export import logistic
from export.items import GROUPS, Item, pick

Rng = np.random.Generator

MAX_ERROR = 0.003  # among accepted readings: on real forms a wrong one must be an event
LEAST_ACCEPT = 0.95  # below it a reading is doubtful whatever a few hundred samples say
# A name that is one letter off its list's must not become the listed one: what MAX_ERROR asks for
# let 2 in 100 such drug names through (docs/decisions.md).
LISTED_ACCEPT = 0.998
UNREACHED_ACCEPT = 0.995  # where the error cannot be reached
REJECT = 0.02
MAX_CLAIM_ERROR = 0.001  # a door opens for a claim that is accepted
_FEWEST_ACCEPTED = 50  # fewer say nothing about one in a hundred
# What a hand makes of one character that another may be meant by.
_ALIKE = (
    *("0OoQD", "1lI|7i", "2Zz", "5Ss", "6bG", "8B", "9gq", "4A", "uvUVn", "ceC", "mnw", "rv"),
    *("hkb", "tf", "ao", "xXK", "yg", "pP", "MN", "EF", "kK", "wW"),
)
_CLAIM_DRAWS = 20  # for one wrong claim
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
        how, other = rng.random(), pick(pool, rng)
        if how < 0.3 and alike:
            found = text[:at] + pick(alike, rng) + text[at + 1 :]
        elif how < 0.6:
            found = text[:at] + other + text[at + 1 :]
        elif how < 0.75:
            found = text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]
        elif how < 0.85:
            found = text[:at] + text[at + 1 :]
        elif how < 0.95:
            found = text[:at] + other + text[at:]
        else:
            found = "".join(pick(pool, rng) for _ in text)
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
