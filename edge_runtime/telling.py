"""What kind of field it is, told from what is written in it: where no template says so.

Owns:   `told`: figures, a name or a word, or anything.
Needs:  `decode`, `decoded`, `grammar`, `place`.
Words:  *family*: texts of some characters alone. Most fields hold figures or letters and not both,
        so that what is a figure among figures, and a letter among letters, is the likelier reading.
"""

from __future__ import annotations

import math
import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.decode import grammar_log_total
from edge_runtime.decoded import cell_frames
from edge_runtime.grammar import compile_grammar
from edge_runtime.place import FieldInk
from edge_runtime.rows import line_field

LogProbs = NDArray[np.float32]
Family = Mapping[str, Any]

# What a family says of a field, by how many nats it is favoured over any text, and by how many for
# each filled cell besides: of many characters one that is no letter, or small among capitals, is
# likelier to be misread than meant. Chosen on rows and lines by tuning and calibration writers
# (docs/decisions.md).
_FIGURES = {"kind": "text", "charset": string.digits + " .,-/:+()$%#*="}
_IN_CELLS: tuple[tuple[Family, float, float], ...] = (
    # A point in doubt is no mark to be left out: 2.5 is not 25.
    ({"kind": "digits", "skip": ""}, 1.4, 0.1),
    (_FIGURES, 1.3, 0.1),
    ({"kind": "name", "charset": string.ascii_uppercase + " .,'-"}, 1.4, 0.25),
    ({"kind": "name", "charset": string.ascii_letters + " .,'-"}, 1.0, 0.1),
)
# By how many nats texts of a family alone are more usual than mixed ones that look like them: nine
# fields to one. (What favours a family above is less: what it costs the mixed ones counted there.)
_USUAL = 2.2
# Of words the prior knows more than their characters do.
_ON_LINES: tuple[tuple[Family, float, float], ...] = ((_FIGURES, 0.4, 0.0),)


def told(
    ink: FieldInk, frames: Sequence[LogProbs], labels: tuple[str, ...]
) -> tuple[Family, float]:
    """What the ink says of its field; nothing where it may be anything, or where more is known.

    Args:
        ink: Of a field of kind text.
        frames: The network's answer to each of `ink.asked`, float32 (t, n_labels).
        labels: Of the network.

    Returns:
        Values for `Field`: kind and, with some, charset or skip. And how probable that is, 0..1:
        what is left may be any text, as "42D" where the D was taken for a 0.
    """
    field = ink.field
    known = (field.charset, field.pattern, field.choices, field.skip, field.checksum)
    if field.kind not in (None, "text") or any(known) or not any(ink.strips):
        return {}, 1.0
    whole = _totals(ink, frames, labels, {})
    best: tuple[float, Family, float] = (0.0, {}, 1.0)
    n_cells = len(ink.filled)
    for family, favour, by_cell in _ON_LINES if field.cells is None else _IN_CELLS:
        part = _totals(ink, frames, labels, family)
        # Where cells were cut wrongly, the row as one line still knows, and the other way round.
        kept = max((a - b for a, b in zip(part, whole, strict=True) if b > -math.inf), default=0.0)
        worth = kept + favour + by_cell * n_cells
        if worth > best[0]:
            others = -math.expm1(min(0.0, kept))
            best = worth, family, 1.0 / (1.0 + others * math.exp(-kept - _USUAL))
    return best[1:]


def _totals(
    ink: FieldInk, frames: Sequence[LogProbs], labels: tuple[str, ...], family: Family
) -> list[float]:
    """Log of how much of the network's belief a family holds: by cells and as a line."""
    field = replace(ink.field, **family)
    if field.cells is None:
        return [grammar_log_total(frames[0], compile_grammar(field, labels))]
    grammar = compile_grammar(field, labels)
    own = frames[: len(ink.filled)]
    totals = [grammar_log_total(cell_frames(ink, own, grammar), grammar)]
    if ink.line is not None:
        totals.append(grammar_log_total(frames[-1], compile_grammar(line_field(field), labels)))
    return totals
