"""Probabilities of texts under CTC output, over all their alignments: many texts at once.

Owns:   `text_sums`, `sums_of`.
Needs:  numpy, `outputs`.
Source: the forward sums of Graves et al. 2006, rescaled as they shrink.

Every number is worked out by itself and rescaled by powers of two alone, so that no text's sum
depends on the texts beside it, down to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edge_runtime.outputs import Floats, Frames, Ints

# Scaled sums lose what is e^-700 under the rest; from here on the log domain does them again.
SCALED_LEAST = -600.0
RESCALE_EVERY = 8  # frames; e^-80 a frame may be lost before a sum underflows
_AT_ONCE = 20_000  # numbers of a step that stay in the processor's cache

Labels = Sequence[int]


def text_sums(frames: Frames, texts: Sequence[Labels]) -> list[float]:
    """Logs of the probabilities of texts in one strip, marks wherever they stand.

    Args:
        frames: Network output.
        texts: Labels of each text.
    """
    return sums_of([frames], [texts])[0]


def sums_of(parts: Sequence[Frames], asked: Sequence[Sequence[Labels]]) -> list[list[float]]:
    """The same for texts of several strips, those of each in `asked`."""
    found: list[list[float]] = [[0.0] * len(texts) for texts in asked]
    rows = [(parts[at].n, at, k) for at, texts in enumerate(asked) for k in range(len(texts))]
    rows.sort(key=lambda row: -row[0])  # so that those with frames left always come first
    longest = max((len(text) for texts in asked for text in texts), default=0)
    step = max(1, _AT_ONCE // (2 * longest + 3))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        strips = {at: parts[at] for _, at, _ in part}
        sums = _sums(strips, [(at, asked[at][k]) for _, at, k in part])
        for (_, at, k), one in zip(part, sums, strict=True):
            found[at][k] = one if one > SCALED_LEAST else _log_sum(parts[at], asked[at][k])
    return found


def _sums(strips: dict[int, Frames], rows: Sequence[tuple[int, Labels]]) -> list[float]:
    """Logs of the sums of (strip, text), those with the most frames first."""
    probs = [one.prob for one in strips.values()]
    flat = (probs[0] if len(probs) == 1 else np.concatenate(probs)).ravel()
    n_labels = probs[0].shape[1]
    firsts = dict(zip(strips, np.cumsum([0, *map(len, probs)]).tolist(), strict=False))
    lengths = [len(text) for _, text in rows]
    chain = np.zeros((len(rows), 2 * max(lengths) + 1), np.intp)  # blank, character, blank, ...
    for row, (_, text) in zip(chain, rows, strict=True):
        row[1 : 2 * len(text) : 2] = text
    leap = np.zeros(chain.shape)  # 1 where a character may follow another without a blank between
    leap[:, 3::2] = chain[:, 3::2] != chain[:, 1:-2:2]
    leap[:, 1:2] = 1
    chain += np.array([firsts[at] * n_labels for at, _ in rows])[:, None]
    state = np.zeros((len(rows), chain.shape[1] + 2))  # two nodes before the chain save edge cases
    state[:, 1] = 1
    scale: Ints = np.zeros(len(rows), np.intp)
    said, scratch = np.empty(chain.shape), np.empty(chain.shape)
    frames = [strips[at].n for at, _ in rows]
    left = len(rows)
    for t in range(frames[0]):
        while frames[left - 1] <= t:
            left -= 1
        here, new, p = state[:left, 2:], scratch[:left], said[:left]
        np.multiply(state[:left, :-2], leap[:left], out=new)
        new += state[:left, 1:-1]
        new += here
        flat.take(chain[:left], out=p, mode="clip")  # none lies outside: clip is the quick mode
        np.multiply(new, p, out=here)
        chain[:left] += n_labels
        if t == 0:
            state[:, :2] = 0
        if t % RESCALE_EVERY == RESCALE_EVERY - 1:
            _rescale(here, scale[:left])
    ends = 2 * np.array(lengths)
    at = np.arange(len(rows))
    mass, shift = np.frexp(state[at, ends + 1] + state[at, ends + 2])
    scale += shift
    return [
        math.log(one) + power * math.log(2) if one > 0 else -math.inf
        for one, power in zip(mass.tolist(), scale.tolist(), strict=True)
    ]


def _rescale(here: Floats, scale: Ints) -> None:
    """Bring each row's greatest number to 1 or a little less, by a power of two."""
    power = np.frexp(here.max(axis=1))[1]
    np.ldexp(here, -power[:, None], out=here)
    scale += power


def _log_sum(frames: Frames, labels: Labels) -> float:
    """The same in the log domain, for one text that is as good as impossible."""
    blank = frames.summed(0)
    rest = either = blank
    last = 0
    for label in labels:
        held = staying(rest if last == label else either, frames.summed(label), np.logaddexp)
        rest = staying(held, blank, np.logaddexp)
        either, last = np.logaddexp(held, rest), label
    return float(either[-1])


def staying(entry: Floats, summed: Floats, over: np.ufunc) -> Floats:
    """Alignments that enter a label at any frame and stay on it; float64 (..., t + 1).

    out[t + 1] = log p[t] + over(out[t], entry[t]), without a loop over frames: with the label's
    running sum taken off, it is an accumulation.
    """
    out = np.empty_like(entry)
    out[..., 0] = -np.inf
    over.accumulate(entry[..., :-1] - summed[..., :-1], axis=-1, out=out[..., 1:])
    out[..., 1:] += summed[..., 1:]
    return out
