"""Buckets to read with, from those of training.

Owns:   `reading_widths`.
Needs:  `edge_runtime.spec`.
"""

from __future__ import annotations

from itertools import pairwise

from edge_runtime.spec import ModelSpec


def reading_widths(spec: ModelSpec) -> tuple[int, ...]:
    """Buckets to read with: those of training, and one half-way between each two.

    Training has few, for each costs it seconds; reading pays for every column of paper that fills a
    bucket up.
    """
    own, step = spec.widths_px, spec.stride_px
    between = [-(-(a + b) // (2 * step)) * step for a, b in pairwise(own)]
    return tuple(sorted({*own, *between}))
