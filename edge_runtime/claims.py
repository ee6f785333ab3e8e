"""What the ink says of a text that somebody claims stands there.

Owns:   `claimed`, a claim's evidence in the form of a reading.
Needs:  numpy, `decode`, `decoded`, `cells`, `grammar`.
Words:  *claim*: a text that was named before the ink was looked at. That it was named tells more
        than the ink alone does: of all texts it may be this one or another, instead of one of
        millions. So claims are calibrated apart from readings (`confidence.claim_group_of`).
"""

from __future__ import annotations

import math
from dataclasses import replace

from edge_runtime.cells import Cells
from edge_runtime.confidence import log_posterior
from edge_runtime.decode import Decoding, Span, line_spans, text_log_prob
from edge_runtime.decoded import Decoded, cell_frames, inside_line
from edge_runtime.outputs import Frames
from edge_runtime.results import Alternative


def claimed(one: Decoded, text: str) -> Decoding | None:
    """The claimed text as if it had been read: its sum, its share, its characters' places.

    Args:
        one: What was decoded, without a prior.
        text: Any.

    Returns:
        A decoding whose alternatives begin with the claim; None where the field does not allow it,
        or nothing that the field allows was found.
    """
    decoding = one.decoding
    if text == decoding.text:
        return decoding
    best = log_posterior(decoding)
    if text == "" or best == -math.inf:
        return None
    found = _row(one, text) if one.row else _alone(one, text, best)
    if found is None:
        return None
    log_prob, share, spans = found
    others = tuple(its for its in decoding.alternatives if its[0] != text)
    alternatives = (Alternative(text, share), *others)
    return replace(decoding, text=text, log_prob=log_prob, alternatives=alternatives, spans=spans)


_Found = tuple[float, float, tuple[Span, ...]]  # log of the sum, share, places


def _row(one: Decoded, text: str) -> _Found | None:
    assert one.row is not None
    share = one.row.share(text)
    return None if share <= 0 else (one.row.log_prob(text), share, one.row.spans(text))


def _alone(one: Decoded, text: str, best: float) -> _Found | None:
    grammar = one.grammar
    if one.ink.field.cells is None:
        frames = inside_line(one.frames[0], grammar)
        log_prob = text_log_prob(frames, text, grammar)
        if log_prob == -math.inf:
            return None
        spans = line_spans(Frames(frames, grammar), text, grammar)
    else:
        cells = cell_frames(one.ink, one.frames, grammar)
        log_prob = text_log_prob(cells, text, grammar)
        if log_prob == -math.inf:
            return None
        spans = tuple(Span(*its) for its in Cells(cells, grammar).within().spans(text))
    return log_prob, math.exp(min(0.0, best + log_prob - one.decoding.log_prob)), spans
