"""How well a network reads: exact texts, character error rate, confusion pairs.

Owns:   `Score`, `score`, `greedy`, `edit_distance`, `confusions`.
Needs:  torch, numpy.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from edge_runtime.spec import ModelSpec
from train.batches import Batch


@dataclass(frozen=True, slots=True)
class Score:
    """What was read of a set of strips, without any grammar."""

    exact: float  # part of the texts
    cer: float  # edits over characters
    by_source: Mapping[str, float]  # part exact
    pairs: tuple[tuple[str, str, int], ...]  # written, read, how often

    def line(self) -> str:
        parts = ", ".join(
            f"{name} {100 * part:.1f}" for name, part in sorted(self.by_source.items())
        )
        return f"exact {100 * self.exact:.1f} %, CER {100 * self.cer:.1f} % ({parts})"


def greedy(log_probs: Tensor, labels: tuple[str, ...]) -> list[str]:
    """The best label of each frame, repeats and blanks taken out; float (n, t, labels).

    Of a glyph head's float (n, labels) simply the best.
    """
    if log_probs.ndim == 2:
        return [labels[best] for best in log_probs.argmax(dim=1).tolist()]
    out = []
    for best in log_probs.argmax(dim=2).tolist():
        kept = [b for a, b in zip([0, *best], best, strict=False) if b and b != a]
        out.append("".join(labels[one] for one in kept))
    return out


def edit_distance(a: str, b: str) -> int:
    """Levenshtein's."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (left != right))
    return row[-1]


def confusions(
    pairs: Iterable[tuple[str, str]], *, most: int = 30
) -> tuple[tuple[str, str, int], ...]:
    """Characters read for others where the lengths agree, the most frequent first."""
    counts = Counter(
        (a, b)
        for written, read in pairs
        if len(written) == len(read)
        for a, b in zip(written, read, strict=True)
        if a != b
    )
    return tuple((a, b, n) for (a, b), n in counts.most_common(most))


@torch.no_grad()
def score(
    network: nn.Module, batches: list[Batch], spec: ModelSpec, *, device: torch.device
) -> Score:
    """Read all batches greedily, in full precision."""
    told: list[tuple[str, str, str]] = []
    for batch in batches:
        strips = (batch.strips.to(device).float() / 255 - spec.mean) / spec.std
        read = greedy(network(strips), spec.labels)
        told += zip(batch.sources, batch.texts, read, strict=True)
    right: dict[str, list[bool]] = defaultdict(list)
    for source, written, said in told:
        right[source].append(written == said)
    return Score(
        exact=sum(map(sum, right.values())) / len(told),
        cer=sum(edit_distance(w, r) for _, w, r in told) / sum(len(w) for _, w, _ in told),
        by_source={name: sum(all_) / len(all_) for name, all_ in right.items()},
        pairs=confusions((w, r) for _, w, r in told),
    )
