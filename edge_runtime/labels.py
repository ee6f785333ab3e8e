"""Where the labels of fields stand: at their field, on nobody's ink, one beside the other.

Owns:   `Labels`: what there is to hide on a page, places for labels, a corner for the legend.
Needs:  `redact` (its rectangles); numpy, cv2.
Words:  *leader*: the line from a label that stands apart to its field. *Price*: what a place
        hides, in parts of the label's area, weighed; below 1 there is nothing to complain of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.redact import Canvas, Rect

Size = tuple[int, int]  # width, height
_Mask = NDArray[np.uint8]
_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]

# Ink shows as contrast, on white paper as on a dark head of a table; 30 grey levels are a pencil.
_CONTRAST = 30
_INK, _RULE = 100, 3  # weights: a rule that goes on under a label is missed by nobody
_RULE_THICK, _RULE_LONG = 0.5, 2.5  # heights of a letter, at most and at least
_CELLS_PER_LETTER = 12  # ink is looked up on a grid as fine as that, at any resolution
# Prices of a label that lies wholly over such, found by looking at pictures of the examples and of
# scanned forms. Print of the page is rather hidden than the field's own ink. In another field's
# room, even a blank one, a label would be read as that field's; that field's ink is worst to hide.
_PRINT, _OWN_INK, _OTHER_FIELD, _OTHER_INK, _OTHER_LABEL = 120.0, 500.0, 50.0, 2000.0, 5000.0
_NEAR_OTHER = 4.0  # for touching another field; from half a label's height away it costs nothing
_ASTRIDE = 1.5  # for lying across the edge of its own box
_SMALLER = 1.0  # for every step to smaller letters
_APART, _APART_PER_HEIGHT = 5.0, 0.15  # for a leader, and for its length in heights of a label
_CROSSED, _STRUCK = 30.0, 5.0  # for a leader wholly over other fields or labels; over ink
_GOOD = 1.0  # a price under which nothing better is looked for
_REACH = 8  # heights of a label: how far from its field a label is looked for at first
_TRIED, _POINTS = 48, 16  # leaders that are looked at, and places on each
_LEGEND_HIDES = 0.1  # of its area may be print: half a line of it


@dataclass(frozen=True, slots=True)
class Place:
    """A label's place."""

    at: Rect
    size: int  # which of the sizes that were offered
    leader: Rect | None  # x, y at the label and x, y at the field; None where it stands at it


@dataclass(frozen=True, slots=True)
class _Spots:
    at: _Ints  # (n, 4)
    price: _Floats  # (n,)

    def best(self) -> tuple[float, Rect]:
        """The cheapest, the first among equals."""
        n = int(np.argmin(self.price))
        return float(self.price[n]), _rect(self.at[n])


class Labels:
    """Places for labels on one page.

    Args:
        canvas: uint8 (h, w, 3) BGR, as it will be shown: what is painted over is no ink.
        boxes: The fields.
        outside: Of each field, whether its label has to leave its box free, as of a check box.
        letter_px: Height of print.
        line: Width of the fields' frames, pixels.
    """

    def __init__(
        self,
        canvas: Canvas,
        boxes: Sequence[Rect],
        *,
        outside: Sequence[bool],
        letter_px: int,
        line: int,
    ) -> None:
        self._page = (canvas.shape[1], canvas.shape[0])
        self._boxes = np.array(boxes, np.int64).reshape(-1, 4)
        self._outside = tuple(outside)
        self._letter, self._line = letter_px, line
        self._cell = max(1, min(round(letter_px / _CELLS_PER_LETTER), *self._page))
        ink = _weighed_ink(canvas, self._cell, letter_px)
        for box in boxes:
            self._clear_edge(ink, box)
        self._ink = np.asarray(cv2.integral(ink), np.int64)
        self._room = np.zeros_like(ink)  # _INK where a field or a label is
        for box in boxes:
            self._fill(box)
        self._taken: list[Rect] = []

    def place(self, sizes: Sequence[Sequence[Size]]) -> list[Place]:
        """A place for every field's label.

        Args:
            sizes: Of each field's label, the wished one first, then smaller ones.
        """
        wished = [self._near(n, some[0]) for n, some in enumerate(sizes)]
        # who can stand in few places chooses first; who can stand in none has to go elsewhere
        freedom = [int((one.price < _GOOD).sum()) or len(one.price) for one in wished]
        places: dict[int, Place] = {}
        for n in sorted(range(len(sizes)), key=lambda n: (freedom[n], n)):
            places[n] = self._best(n, sizes[n], wished[n])
            self._take(places[n])
        return [places[n] for n in range(len(sizes))]

    def corner(self, size: Size, gap: int) -> Rect | None:
        """Where the legend hides least at the page's edges; None where it would hide much."""
        (page_w, page_h), (w, h) = self._page, size
        at = [
            (x, y, x + w, y + h)
            for y in (page_h - h - gap, gap)
            for x in (gap, (page_w - w) // 2, page_w - w - gap)
            if x >= 0 and y >= 0 and x + w <= page_w
        ]
        if not at:
            return None
        spots = np.array(at, np.int64)
        hidden = self._share(spots, spots)
        hidden += _area(_common(spots, self._busy(self._boxes))).sum(axis=1)
        n = int(np.argmin(hidden))
        return _rect(spots[n]) if hidden[n] < _LEGEND_HIDES else None

    def _clear_edge(self, ink: _Mask, box: Rect) -> None:
        """Forget the printed edge of a field: a frame is drawn over it, labels stand on that."""
        x0, y0, x1, y1 = (edge // self._cell for edge in box)
        out = 1 + (self._line + self._letter // 6) // self._cell
        left, top = max(0, x0 - out), max(0, y0 - out)
        ink[top : y0 + 1, left : x1 + out] = 0
        ink[y1 : y1 + out, left : x1 + out] = 0
        ink[top : y1 + out, left : x0 + 1] = 0
        ink[top : y1 + out, x1 : x1 + out] = 0

    def _fill(self, box: Rect) -> None:
        x0, y0, x1, y1 = (max(0, edge) // self._cell for edge in box)
        self._room[y0 : y1 + 1, x0 : x1 + 1] = _INK

    def _best(self, n: int, sizes: Sequence[Size], wished: _Spots) -> Place:
        """The first good place: at the field, then with smaller letters, then apart from it."""
        best = (np.inf, _rect(self._boxes[n]), 0)
        for step, size in enumerate(sizes):
            spots = self._near(n, size) if step else wished
            price, at = _Spots(spots.at, spots.price + self._labels_under(spots.at)).best()
            best = min(best, (price + _SMALLER * step, at, step), key=lambda one: one[0])
            if best[0] < _GOOD:
                return Place(best[1], best[2], None)
        for reach in (_REACH, None) if best[0] > _APART else ():
            for step in sorted({0, len(sizes) - 1}):
                price, at = self._apart(n, sizes[step], reach).best()
                best = min(best, (price + _SMALLER * step, at, step), key=lambda one: one[0])
            if best[0] < _OTHER_FIELD:
                break
        ends = _leaders(np.array([best[1]], np.int64), self._boxes[n])[0]
        apart = max(abs(ends[0] - ends[2]), abs(ends[1] - ends[3])) > 2 * self._line
        return Place(best[1], best[2], _rect(ends) if apart else None)

    def _take(self, place: Place) -> None:
        """Keep later labels off this one and off its leader."""
        taken = [place.at]
        if place.leader is not None:
            points = _along(np.array([place.leader], np.int64))[0]
            pad = 2 * self._line
            taken += [_rect(one) for one in np.concatenate([points - pad, points + pad], axis=1)]
        for one in taken:
            self._fill(one)
        self._taken += taken

    def _near(self, n: int, size: Size) -> _Spots:
        """Places at the field's edges, then in it; the tastes in order of reading: above first."""
        (w, h), (x0, y0, x1, y1), half = size, _rect(self._boxes[n]), max(1, self._letter // 2)
        xs, ys = _spread(x0, x1 - w, half), _spread(y0, y1 - h, half)
        slid = np.minimum(np.linspace(0, 0.2, xs.size), 0.05 + np.linspace(0.2, 0, xs.size))
        off = np.abs(np.linspace(-0.2, 0.2, ys.size))
        parts = [
            _spots(xs, y0 - h, size, slid),
            _spots(x1, ys, size, 0.1 + off),
            _spots(xs, y1, size, 0.15 + slid),
            _spots(x0 - w, ys, size, 0.3 + off),
        ]
        pad = max(self._line, self._letter // 6)
        fits = w + 2 * pad <= x1 - x0 and h + 2 * pad <= y1 - y0
        if fits and not self._outside[n]:
            xs, ys = _spread(x0 + pad, x1 - pad - w, half), _spread(y0 + pad, y1 - pad - h, half)
            right, middle = np.linspace(0.3, 0, xs.size), np.abs(np.linspace(-0.1, 0.1, ys.size))
            gx, gy = np.meshgrid(xs, ys)
            taste = 0.5 + right[None, :] + middle[:, None]
            parts.append(_spots(gx.ravel(), gy.ravel(), size, taste.ravel()))
        return self._priced(n, size, parts)

    def _apart(self, n: int, size: Size, reach: int | None) -> _Spots:
        """Places that need a leader, within `reach` heights of the field or on the whole page."""
        (w, h), (x0, y0, x1, y1) = size, _rect(self._boxes[n])
        far = max(self._page) if reach is None else reach * h
        xs = _spread(max(0, x0 - far - w), min(self._page[0] - w, x1 + far), h)
        ys = _spread(max(0, y0 - far - h), min(self._page[1] - h, y1 + far), h)
        gx, gy = np.meshgrid(xs, ys)
        at = _spots(gx.ravel(), gy.ravel(), size, 0).at
        leaders = _leaders(at, self._boxes[n])
        length = np.hypot(leaders[:, 0] - leaders[:, 2], leaders[:, 1] - leaders[:, 3])
        price = _APART + _APART_PER_HEIGHT * length / h
        # of hundreds only those are looked at closely that lie on little at first sight
        room = np.asarray(cv2.integral(self._room), np.int64)
        hidden = _PRINT * self._share(at, at) + _OTHER_FIELD * self._share(at, at, room)
        few = np.argsort(price + hidden, kind="stable")[:_TRIED]
        spots = self._priced(n, size, [_Spots(at[few], price[few])])
        crossing = self._crossing(n, _leaders(spots.at, self._boxes[n]))
        return _Spots(spots.at, spots.price + self._labels_under(spots.at) + crossing)

    def _crossing(self, n: int, leaders: _Ints) -> _Floats:
        """The price of what the leaders of a field cross."""
        points = _along(leaders)
        busy, at = self._busy(np.delete(self._boxes, n, axis=0)), points[:, :, None, :]
        within = np.all((at >= busy[:, :2]) & (at < busy[:, 2:]), axis=3)
        crossed = np.any(within, axis=2).mean(axis=1)
        around = np.concatenate([points - self._line, points + self._line], axis=2).reshape(-1, 4)
        struck = self._share(around, around).reshape(-1, _POINTS).mean(axis=1)
        return np.asarray(_CROSSED * crossed + _STRUCK * struck, np.float64)

    def _priced(self, n: int, size: Size, parts: Sequence[_Spots]) -> _Spots:
        """The spots, moved onto the page, with what they hide in their price."""
        at = np.vstack([one.at for one in parts])
        taste = np.concatenate([one.price for one in parts])
        room = np.maximum(0, np.array(self._page) - size)
        at[:, :2] = np.clip(at[:, :2], 0, room)
        at[:, 2:] = at[:, :2] + size
        around = _rect(np.concatenate([at.min(axis=0)[:2], at.max(axis=0)[2:]]))
        margin = max(1, size[1] // 2)
        others = self._others(n, around, margin)
        own = self._boxes[n : n + 1]
        mine = _common(at, own)[:, 0]
        price = taste + _PRINT * self._share(at, at)
        price += (_OWN_INK - _PRINT) * self._share(mine, at)
        # in its own box a label is its own field's, whoever is near
        inside = (at == mine).all(axis=1)
        price += _ASTRIDE * ((_area(mine) > 0) & ~inside)
        if others.size:
            shared = _common(at, others)
            price += _OTHER_FIELD * (_area(shared).sum(axis=1) / _area(at))
            price += _OTHER_INK * self._share(shared, at[:, None]).sum(axis=1)
            near = np.clip(1 - _distance(at, others).min(axis=1) / margin, 0, 1)
            price += np.where(inside, 0, _NEAR_OTHER * near)
        return _Spots(at, price)

    def _others(self, n: int, around: Rect, margin: int) -> _Ints:
        """The other fields' boxes, with their frames, that lie in the rectangle or near it."""
        boxes = np.delete(self._boxes, n, axis=0)
        boxes = boxes + np.array([-1, -1, 1, 1]) * self._line
        x0, y0, x1, y1 = around
        near = (boxes[:, 0] < x1 + margin) & (boxes[:, 2] > x0 - margin)
        near &= (boxes[:, 1] < y1 + margin) & (boxes[:, 3] > y0 - margin)
        return np.asarray(boxes[near], np.int64)

    def _busy(self, boxes: _Ints) -> _Ints:
        """The boxes, the labels that stand already, and their leaders, in pieces."""
        return np.vstack([boxes, np.array(self._taken, np.int64).reshape(-1, 4)])

    def _labels_under(self, at: _Ints) -> _Floats:
        taken = self._busy(self._boxes[:0]) + np.array([-1, -1, 1, 1]) * self._line
        covered = _area(_common(at, taken)).sum(axis=1) / _area(at)
        return np.asarray(_OTHER_LABEL * covered, np.float64)

    def _share(self, parts: _Ints, of: _Ints, what: _Ints | None = None) -> _Floats:
        """Ink in rectangles (..., 4), as a share of the areas of their labels (..., 4)."""
        summed = self._ink if what is None else what
        rows, columns = summed.shape
        edge = np.rint(parts / self._cell).astype(np.int64)
        xs = np.clip(edge[..., 0::2], 0, columns - 1)
        ys = np.clip(edge[..., 1::2], 0, rows - 1) * columns
        x0, x1, y0, y1 = xs[..., 0], xs[..., 1], ys[..., 0], ys[..., 1]
        flat = summed.ravel()
        ink = flat[y1 + x1] - flat[y0 + x1] - flat[y1 + x0] + flat[y0 + x0]
        covered = np.where(_area(parts) > 0, ink, 0) * (self._cell**2 / _INK)
        return np.asarray(covered / _area(of), np.float64)


def _weighed_ink(canvas: Canvas, cell: int, letter_px: int) -> _Mask:
    """uint8 (h / cell, w / cell): the weight of ink or of a rule, 0 for none."""
    gray = cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY)
    steps = cv2.morphologyEx(gray, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    _, seen = cv2.threshold(steps, _CONTRAST, 255, cv2.THRESH_BINARY)
    h, w = gray.shape[0] // cell, gray.shape[1] // cell
    if cell > 1:  # what is cut off at the far edges is less than a cell
        seen = cv2.resize(seen[: h * cell, : w * cell], (w, h), interpolation=cv2.INTER_AREA)
    ink = np.asarray(seen > 0, np.uint8)
    rules = np.maximum(_rules(ink, letter_px / cell), _rules(ink.T, letter_px / cell).T)
    # a label that touches a stroke makes it hard to read: it keeps off by a sixth of a letter
    strokes = cv2.dilate(np.asarray(ink - rules, np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(np.where(strokes > 0, _INK, _RULE * rules), np.uint8)


def _rules(ink: _Mask, letter: float) -> _Mask:
    """The part of `ink` in level rules: long, and thin all along, as no line of letters is."""
    thick, long = (max(2, round(part * letter)) for part in (_RULE_THICK, _RULE_LONG))
    high = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((thick, 1), np.uint8))
    thin = np.asarray(ink - high, np.uint8)
    rules = cv2.morphologyEx(thin, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    # a leaning rule runs in steps, and the joints are short
    return np.minimum(thin, np.asarray(cv2.dilate(rules, np.ones((3, 3), np.uint8)), np.uint8))


def _spread(first: int, last: int, step: int) -> _Ints:
    """Whole numbers from one to the other, a step apart or more: 32 at most."""
    count = min(32, 2 + abs(last - first) // step) if last != first else 1
    return np.rint(np.linspace(first, last, count)).astype(np.int64)


def _spots(x: _Ints | int, y: _Ints | int, size: Size, taste: _Floats | float) -> _Spots:
    left, top, price = np.broadcast_arrays(x, y, np.asarray(taste, np.float64))
    return _Spots(np.stack([left, top, left + size[0], top + size[1]], axis=1), price)


def _leaders(at: _Ints, box: _Ints) -> _Ints:
    """The shortest lines (n, 4) from labels to a box; level or upright where they can be."""
    ends = []
    for low, high in ((0, 2), (1, 3)):
        first, last = np.maximum(at[:, low], box[low]), np.minimum(at[:, high], box[high])
        middle = (first + last) // 2
        beside = first > last
        ends.append(
            (
                np.where(beside, np.where(at[:, low] > box[low], at[:, low], at[:, high]), middle),
                np.where(beside, np.where(at[:, low] > box[low], box[high], box[low]), middle),
            )
        )
    (x0, x1), (y0, y1) = ends
    return np.stack([x0, y0, x1, y1], axis=1)


def _along(leaders: _Ints) -> _Ints:
    """Points (n, 16, 2) on the lines."""
    part = np.linspace(0, 1, _POINTS)[None, :, None]
    return np.rint(leaders[:, None, :2] * (1 - part) + leaders[:, None, 2:] * part).astype(np.int64)


def _common(some: _Ints, others: _Ints) -> _Ints:
    """(n, m, 4): what each has in common with each; where that is nothing, its area is 0."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    return np.concatenate([low, np.minimum(some[:, None, 2:], others[None, :, 2:])], axis=2)


def _area(some: _Ints) -> _Ints:
    w, h = some[..., 2] - some[..., 0], some[..., 3] - some[..., 1]
    return np.asarray(np.maximum(0, w) * np.maximum(0, h), np.int64)


def _distance(some: _Ints, others: _Ints) -> _Ints:
    """(n, m): pixels between each and each, along the wider gap; 0 where they touch."""
    gaps = np.maximum(
        others[None, :, :2] - some[:, None, 2:], some[:, None, :2] - others[None, :, 2:]
    )
    return np.asarray(np.maximum(0, gaps.max(axis=2)), np.int64)


def _rect(edges: _Ints) -> Rect:
    x0, y0, x1, y1 = (int(edge) for edge in edges)
    return x0, y0, x1, y1
