"""Probabilities of texts under CTC output, over all their alignments: many texts at once.

Owns:   `text_sums`, `sums_of`.
Needs:  numpy, `outputs`.
Words:  *node*: a beginning that texts of a strip share; its alignments are summed once.
Source: the forward sums of Graves et al. 2006, over a tree of texts, rescaled as they shrink.

Every number is worked out by itself and rescaled by powers of two alone, so that no text's sum
depends on the texts beside it, down to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from edge_runtime.outputs import Floats, Frames, Ints

# Scaled sums lose what is e^-700 under the rest; from here on the log domain does them again.
SCALED_LEAST = -600.0
RESCALE_EVERY = 8  # frames; e^-80 a frame may be lost before a sum underflows
_LEAST_MASS = 1e-240  # of a scaled sum, the strip's greatest being 1
_FEW_CHARS = 1000  # of one strip's texts, up to which arrays take longer than a loop
_AT_ONCE = 20_000  # characters; their nodes stay in the processor's cache

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
    found: list[list[float]] = [[] for _ in asked]
    strips = [at for at, texts in enumerate(asked) if texts]
    strips.sort(key=lambda at: -parts[at].n)  # so that those with frames left always come first
    for some in _portions(strips, asked):
        sums = iter(_Tree([asked[at] for at in some]).sums([parts[at] for at in some]))
        for at in some:
            frames = parts[at]
            found[at] = [
                _log_sum(frames, text) if log_sum is None else log_sum
                for text, log_sum in zip(asked[at], sums, strict=False)
            ]
    return found


def _portions(strips: Sequence[int], asked: Sequence[Sequence[Labels]]) -> Iterator[list[int]]:
    """Strips in order, about `_AT_ONCE` characters at a time."""
    some: list[int] = []
    chars = 0
    for at in strips:
        some.append(at)
        chars += sum(map(len, asked[at]))
        if chars >= _AT_ONCE:
            yield some
            some, chars = [], 0
    if some:
        yield some


class _Tree:
    """The nodes of some strips' texts, strip by strip, each strip's root first; the first node of
    all is nothing, from which roots come.

    Args:
        asked: For each strip the labels of its texts, at least one.
    """

    def __init__(self, asked: Sequence[Sequence[Labels]]) -> None:
        if len(asked) == 1 and sum(map(len, asked[0])) <= _FEW_CHARS:
            self._grow(asked[0])
            return
        rows: list[bytes] = []
        place: list[int] = []  # of each text asked, its row
        firsts: list[int] = []
        for texts in asked:
            spelled = list(map(bytes, texts))
            known = {text: len(rows) + at for at, text in enumerate(sorted(set(spelled)))}
            firsts.append(len(rows))
            rows += known
            place += map(known.__getitem__, spelled)
        length = np.array(list(map(len, rows)))
        shape = len(rows), max(1, int(length.max()))
        on = np.arange(shape[1]) < length[:, None]
        label = np.zeros(shape, np.uint8)
        label[on] = np.frombuffer(b"".join(rows), np.uint8)
        # Where a text leaves the one before it.
        fresh = np.ones(shape, np.bool_)
        fresh[1:] = ~np.logical_and.accumulate((label[1:] == label[:-1]) & on[:-1], axis=1)
        fresh[firsts] = True
        fresh &= on
        strip = np.zeros(len(rows), np.intp)
        strip[firsts[1:]] = 1
        strip = np.cumsum(strip)
        number = (np.cumsum(fresh) + 1).reshape(shape) + strip[:, None]
        node = np.maximum.accumulate(np.where(fresh, number, 0), axis=0)
        before = np.concatenate(([0], np.cumsum(fresh.sum(axis=1))))[firsts]
        self.roots: Ints = before + np.arange(len(firsts)) + 1
        parent = np.concatenate([self.roots[strip][:, None], node[:, :-1]], axis=1)
        self.n = int(fresh.sum()) + len(firsts) + 1
        self.label, self.parent = np.zeros(self.n, np.intp), np.zeros(self.n, np.intp)
        self.label[number[fresh]] = label[fresh]
        self.parent[number[fresh]] = parent[fresh]
        end = node[np.arange(len(rows)), np.maximum(length - 1, 0)]
        self.ends: Ints = np.where(length > 0, end, self.roots[strip])[place]
        self.strip: Ints = strip[place]

    def _grow(self, texts: Sequence[Labels]) -> None:
        """One strip's nodes, character by character: soon done where there are few."""
        label, parent, ends = [0, 0], [0, 0], []
        known: dict[int, int] = {}
        for text in texts:
            at = 1
            for one in text:
                key = at << 8 | one  # labels are bytes
                node = known.get(key)
                if node is None:
                    node = known[key] = len(label)
                    label.append(one)
                    parent.append(at)
                at = node
            ends.append(at)
        self.n = len(label)
        self.label, self.parent = np.array(label, np.intp), np.array(parent, np.intp)
        self.roots, self.ends = np.ones(1, np.intp), np.array(ends, np.intp)
        self.strip = np.zeros(len(ends), np.intp)

    def sums(self, parts: Sequence[Frames]) -> list[float | None]:
        """Logs of the sums of all texts asked; None where logs have to be summed.

        Args:
            parts: The strips' frames, the most first.
        """
        if len(parts) == 1:
            return self._sums_of_one(parts[0])
        probs = [one.prob for one in parts]
        flat = (probs[0] if len(probs) == 1 else np.concatenate(probs)).ravel()
        n_labels = probs[0].shape[1]
        bounds = np.append(self.roots, self.n).tolist()
        nodes = np.diff(bounds)
        starts = np.cumsum([0, *map(len, probs)])[:-1] * n_labels
        # Where a node's label and the blank stand in a frame.
        at = np.zeros((2, self.n), np.intp)
        at[:, 1:] = np.repeat(starts, nodes)
        at[0] += self.label
        ahead = np.arange(RESCALE_EVERY)[:, None, None] * n_labels
        table, whence = self._table()
        sums, power, left = table.ravel(), np.zeros(len(parts), np.intp), len(parts)
        add, multiply = np.add, np.multiply
        held, rest, entered, either = table
        after, before, come = table[:2], table[2:], whence
        for first in range(0, parts[0].n, RESCALE_EVERY):
            last = min(first + RESCALE_EVERY, parts[0].n)
            # What lies behind a strip's end is read, and not used.
            said = flat.take(at[:, : bounds[left]] + (ahead + first * n_labels), mode="clip")
            for t in range(first, last):
                if parts[left - 1].n <= t:
                    while parts[left - 1].n <= t:  # its sums are done
                        left -= 1
                    n = bounds[left]
                    held, rest, entered, either = own = table[:, :n]
                    after, before, come, said = own[:2], own[2:], whence[:n], said[..., :n]
                add(sums.take(come), held, entered)
                multiply(before, said[t - first], after)
                add(held, rest, either)
            _rescale(table[:, 1 : bounds[left]], self.roots[:left] - 1, nodes[:left], power[:left])
        return _logs(table[3].take(self.ends), power[self.strip])

    def _table(self) -> tuple[Floats, Ints]:
        """Sums before the first frame, float64 (4, nodes), and of each node the place in it, flat,
        from which its label is entered.

        Rows: what ends on a label, and on its blank; what a frame's label goes on from, and a
        blank, which is all that ends on the node. A label is entered from all of the node before,
        or from its blank alone where that says the same label.
        """
        table = np.zeros((4, self.n))
        table[1::2, self.roots] = 1.0
        same = self.label == self.label[self.parent]
        return table, self.parent + np.where(same, self.n, 3 * self.n)

    def _sums_of_one(self, frames: Frames) -> list[float | None]:
        """The same of a single strip, with as few calls as can be: small arrays are gone through
        faster than they are asked for."""
        said = np.empty((frames.n, 2, self.n))
        said[:, 0] = frames.prob.take(self.label, axis=1)
        said[:, 1] = frames.prob[:, :1]
        table, whence = self._table()
        held, rest, entered, either = table
        after, before = table[:2], table[2:]
        power, flat = 0, table.ravel()
        multiply, add = np.multiply, np.add
        for t, frame in enumerate(said, 1):
            add(flat[whence], held, entered)
            multiply(before, frame, after)
            add(held, rest, either)
            if t % RESCALE_EVERY == 0 or t == frames.n:
                _, scale = math.frexp(np.maximum.reduce(after, axis=None))
                table *= np.ldexp(1.0, -scale)
                power += scale
        return _logs(either[self.ends], np.full(len(self.ends), power))


def _rescale(table: Floats, roots: Ints, nodes: Ints, power: Ints) -> None:
    """Bring each strip's greatest number to 1 or a little less, by a power of two."""
    most = np.maximum.reduceat(np.maximum(table[0], table[1]), roots)
    scale = np.frexp(most)[1]
    table *= np.repeat(np.ldexp(1.0, -scale), nodes)
    power += scale


def _logs(mass: Floats, power: Ints) -> list[float | None]:
    part, more = np.frexp(mass)
    powers = (power + more).tolist()
    return [
        math.log(one) + by * math.log(2) if whole > _LEAST_MASS else None
        for one, by, whole in zip(part.tolist(), powers, mass.tolist(), strict=True)
    ]


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
