"""Texts that ink and prior together speak for: a beam over prefixes, the prior's say within it.

Owns:   `proposals`.
Needs:  numpy, `grammar`, `lattice`, `prior`.

The k best texts by ink alone differ in the few places where the ink is least sure; of a long line
with many unsure places they never reach the one a reader would think of. This beam does. What it
finds is proposed only: `decode.favour` weighs proposals and the exact k best by their exact sums.
"""

from __future__ import annotations

import heapq
from operator import attrgetter

import numpy as np

from edge_runtime.grammar import Grammar
from edge_runtime.outputs import Frames
from edge_runtime.prior import START, Prior

_WIDTH = 24
_LEAST = 1e-3  # probability of a label in a frame that is followed up
_SURE = 0.999  # of blank: such a frame changes no text


class _Node:
    """A prefix; the mass of its alignments that end in blank, and in its last label."""

    __slots__ = (
        "blank",
        "context",
        "factor",
        "kids",
        "label",
        "new_blank",
        "new_said",
        "parent",
        "said",
    )

    def __init__(self, parent: _Node | None, label: int, context: str, factor: float) -> None:
        self.parent, self.label, self.context, self.factor = parent, label, context, factor
        self.kids: dict[int, _Node] = {}
        self.blank = self.said = self.new_blank = self.new_said = 0.0

    @property
    def mass(self) -> float:
        return self.blank + self.said

    @property
    def new_mass(self) -> float:
        return self.new_blank + self.new_said

    def labels(self) -> list[int]:
        found: list[int] = []
        node = self
        while node.parent is not None:
            found.append(node.label)
            node = node.parent
        return found[::-1]


def proposals(frames: Frames, grammar: Grammar, prior: Prior, *, width: int = _WIDTH) -> list[str]:
    """Texts of the grammar, best first, at most `width`.

    Args:
        frames: Of one strip.
        grammar: Of a field without a check digit.
        prior: Of the model.
        width: Prefixes that are kept after a frame.
    """
    prob = frames.prob
    worth = np.where(grammar.used, prob, 0.0)
    worth[:, 0] = 0.0
    root = _Node(None, 0, START * (prior.order - 1), 1.0)
    root.blank = 1.0
    beam = [root]
    by_mass = attrgetter("new_mass")
    for t in range(frames.n):
        row = prob[t].tolist()
        followed = np.flatnonzero(worth[t] > _LEAST).tolist()
        blank = row[0]
        if blank > _SURE or not followed:
            for node in beam:
                node.blank, node.said = node.mass, 0.0
            continue
        touched: dict[_Node, None] = {}
        for node in beam:
            mass, last = node.blank + node.said, node.label
            touched[node] = None
            node.new_blank += mass * blank
            if node.parent is not None:
                node.new_said += node.said * row[last]
            for label in followed:
                said = (node.blank if label == last else mass) * row[label]
                if said <= 0.0:
                    continue
                kid = node.kids.get(label)
                if kid is None:
                    context, factor = prior.step(node.context, grammar.labels[label])
                    kid = node.kids[label] = _Node(node, label, context, factor)
                touched[kid] = None
                kid.new_said += said * kid.factor
        kept = heapq.nlargest(width, touched, key=by_mass)
        most = kept[0].new_mass or 1.0
        for node in kept:
            node.blank, node.said = node.new_blank / most, node.new_said / most
        for node in touched:
            node.new_blank = node.new_said = 0.0
        beam = kept
    found = (grammar.spell(node.labels()) for node in beam)
    return list(dict.fromkeys(text for text in found if grammar.accepts(text)))


def proposals_of(parts, grammar, prior):
    return [proposals(one, grammar, prior) for one in parts]
