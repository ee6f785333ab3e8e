"""Connected ink and its measures, several times as fast as OpenCV counts them.

Owns:   `Components`, `components_of`.
Needs:  numpy, cv2.
Words:  a *run* is a stretch of ink along one row. OpenCV's labelling is fast, its measuring of the
        components pixel by pixel is not: here they are measured by their runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Ints = NDArray[np.intp]
IntBox = tuple[int, int, int, int]
Labels = NDArray[np.uint16] | NDArray[np.int32]

_SHORT = (1 << 16) - 1  # labels that sixteen bits hold, the paper's aside


@dataclass(eq=False)
class Components:
    """The ink of a picture by components, 8-connected; what is asked for is measured then.

    Label 0 is paper. Components are in the order of OpenCV's labels, the first is number 1.
    """

    count: int  # with the paper, as OpenCV counts
    mask: Gray  # (h, w + 1) 1 where there is ink, with a column of paper on the left
    wide: Labels  # (h, w + 1) labels of the same
    starts: Ints  # of each run its first pixel in `wide`, flat, by rows
    stops: Ints  # and the pixel after its last
    lengths: Ints  # and how many it has
    _boxes: dict[int, IntBox] = field(default_factory=dict)  # by how many components they hold

    @property
    def labels(self) -> Labels:
        """(h, w), the label of every pixel."""
        return self.wide[:, 1:]

    @cached_property
    def of_run(self) -> Labels:
        """(runs,), the label of every run."""
        found: Labels = self.wide.ravel().take(self.starts)
        return found

    @cached_property
    def _sizes(self) -> Ints:
        """intp (count,), the same as `areas` with a 0 for the paper."""
        if self.count == 2:  # a glyph of one piece: nothing to sort
            return np.array([0, np.add.reduce(self.lengths)], np.intp)
        return np.bincount(self.of_run, self.lengths, self.count).astype(np.intp)

    @property
    def areas(self) -> Ints:
        """intp (count - 1,), pixels of every component."""
        return self._sizes[1:]

    @property
    def total(self) -> int:
        """Pixels of all of them."""
        return int(np.add.reduce(self._sizes))

    @property
    def largest(self) -> int:
        """Pixels of the largest."""
        return int(np.maximum.reduce(self._sizes))

    def box(self, least: float) -> IntBox | None:
        """(x0, y0, x1, y1) around the components of `least` pixels or more; None without any."""
        kept = self._sizes >= least
        kept[0] = False
        n = cv2.countNonZero(kept.view(np.uint8))
        if n and n not in self._boxes:  # as many are the same ones, the largest
            self._boxes[n] = self._box(kept, n)
        return self._boxes[n] if n else None

    def _box(self, kept: NDArray[np.bool_], n: int) -> IntBox:
        if n == len(kept) - 1:
            x, y, w, h = cv2.boundingRect(self.mask)
            return x - 1, y, x - 1 + w, y + h
        runs = kept.take(self.of_run).nonzero()[0]
        side, starts = self.wide.shape[1], self.starts.take(runs)
        left = starts % side
        right = left + self.lengths.take(runs)
        top, bottom = int(starts[0]) // side, int(starts[-1]) // side + 1
        return int(np.minimum.reduce(left)) - 1, top, int(np.maximum.reduce(right)) - 1, bottom

    @cached_property
    def stats(self) -> NDArray[np.int32]:
        """int32 (count - 1, 5), left, top, width, height, area of every component."""
        found = np.zeros((self.count - 1, 5), np.int32)
        if self.count == 1:
            return found
        if self.count == 2:  # a glyph of one piece: nothing to sort
            x, y, w, h = cv2.boundingRect(self.mask)
            found[0] = x - 1, y, w, h, self.areas[0]
            return found
        # Rows stay in order; sixteen bits are sorted by counting.
        kind = np.uint16 if self.count <= 1 << 16 else np.int32
        order = self.of_run.astype(kind, copy=False).argsort(kind="stable")
        runs = np.bincount(self.of_run, minlength=self.count)[1:]
        ends = runs.cumsum()
        begins = ends - runs
        starts, lengths = self.starts[order], self.lengths[order]
        row, left = np.divmod(starts, self.wide.shape[1])
        found[:, 0] = np.minimum.reduceat(left, begins) - 1
        found[:, 1] = row[begins]
        found[:, 2] = np.maximum.reduceat(left + lengths, begins) - 1 - found[:, 0]
        found[:, 3] = row[ends - 1] + 1 - found[:, 1]
        found[:, 4] = self.areas
        return found

    def within(self, left: int, top: int, right: int, bottom: int) -> Ints:
        """intp (count - 1,), pixels of every component from column `left` to `right` (exclusive),
        and from row `top` to `bottom`."""
        side = self.wide.shape[1]
        first, last = np.searchsorted(self.starts, (top * side, bottom * side))
        row_at = self.starts[first:last] // side * side + 1
        length = np.minimum(self.stops[first:last], row_at + right)
        length -= np.maximum(self.starts[first:last], row_at + left)
        sums = np.bincount(self.of_run[first:last], np.maximum(length, 0), self.count)
        return sums[1:].astype(np.intp)

    def holding(self, ink: Gray, least: int) -> NDArray[np.bool_]:
        """bool (count - 1,), whether a component has a pixel of `least` or more in `ink` (h, w)."""
        found = np.zeros(self.count, np.bool_)
        found[self.labels[ink >= least]] = True
        return found[1:]


def components_of(ink: Gray, least: int) -> Components:
    """The components of the pixels of uint8 (h, w) that have `least` ink or more, 1..255."""
    h, w = ink.shape
    # A column of paper on the left and a pixel at the end: no run goes on in the next row.
    flat = np.zeros(h * (w + 1) + 1, np.uint8)
    mask = flat[:-1].reshape(h, w + 1)
    cv2.threshold(ink, least - 1, 1, cv2.THRESH_BINARY, dst=mask[:, 1:])
    # No more components than squares of four pixels. Labels of sixteen bits take half the time.
    short = (h + 1) // 2 * ((w + 2) // 2) <= _SHORT
    kind = cv2.CV_16U if short else cv2.CV_32S
    count, labels = cv2.connectedComponents(mask, connectivity=8, ltype=kind)
    edges = (flat[1:] != flat[:-1]).nonzero()[0]
    edges += 1
    starts, stops = edges[::2], edges[1::2]
    wide: Labels = np.asarray(labels)  # type: ignore[assignment]  # of one of the two kinds
    return Components(count, mask, wide, starts, stops, stops - starts)
