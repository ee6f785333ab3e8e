"""Hands between two hands: a glyph of one writer moved towards, or away from, another's.

Owns:   `Blender`, `blended`.
Needs:  numpy, `strokes`.
Words:  two glyphs are *of one shape* where their strokes run close to each other, both scaled to
        one box, in whatever order and direction they were written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from train.strokes import Points, Strokes

Rng = np.random.Generator
Floats = NDArray[np.float32]
Key = tuple[int, int]

_STEPS = 24  # points of a stroke
_COARSE = 4  # one point in so many is looked at when partners are sought
_MOST_STROKES = 4
_SLIM = 0.35  # the least side of a glyph's box, parts of the longest
# How far apart strokes of one shape may run, parts of the box. Beyond that they are two shapes of
# one character, and what lies between them is neither.
_SAME_SHAPE = 0.17
_AWAY, _TOWARDS = -0.4, 0.9  # 0 is the one glyph, 1 the other
_ASKED = 48  # glyphs among which a partner is sought


class Blender:
    """Finds partners among the glyphs of a character, and blends.

    Args:
        strokes: The strokes of a glyph by its key.
    """

    def __init__(self, strokes: Callable[[Key], Strokes]) -> None:
        self._strokes = strokes
        self._tables: dict[str, dict[int, tuple[list[Key], Floats]]] = {}

    def blend(self, one: Strokes, among: Sequence[Key], name: str, rng: Rng) -> Strokes | None:
        """`one`, moved to or from a glyph of its shape; None where none was met.

        Args:
            one: The glyph.
            among: Keys of all glyphs of its character, the same at every call with this `name`.
            name: The character.
        """
        if name not in self._tables:
            self._tables[name] = self._table(among)
        keys, coarse = self._tables[name].get(len(one), ([], np.empty(0, np.float32)))
        if len(keys) < 2:
            return None
        asked = rng.integers(len(keys), size=min(_ASKED, len(keys)))
        this, others = _even(one)[0][None, :, ::_COARSE], coarse[asked]
        gaps = np.minimum(_apart(this, others), _apart(this, others[:, :, ::-1])).max(axis=1)
        alike = asked[(gaps < _SAME_SHAPE) & (gaps > 0)]
        if not len(alike):
            return None
        return blended(one, self._strokes(keys[int(alike[int(rng.integers(len(alike)))])]), rng)

    def _table(self, among: Sequence[Key]) -> dict[int, tuple[list[Key], Floats]]:
        """Keys of glyphs by the number of their strokes, and float32 (n, strokes, points, 2)."""
        held: dict[int, tuple[list[Key], list[Floats]]] = {}
        for key in among:
            glyph = self._strokes(key)
            if 0 < len(glyph) <= _MOST_STROKES:
                keys, found = held.setdefault(len(glyph), ([], []))
                keys.append(key)
                found.append(_even(glyph)[0][:, ::_COARSE])
        return {n: (keys, np.stack(found)) for n, (keys, found) in held.items()}


def blended(one: Strokes, other: Strokes, rng: Rng) -> Strokes | None:
    """A glyph between `one` and `other`, or beyond `one`, in the box of `one`.

    Args:
        one: A glyph, y downwards, any unit.
        other: The same character by another hand, any unit.

    Returns:
        As many strokes as `one` has; None where the two are not of one shape.
    """
    if len(one) != len(other) or len(one) > _MOST_STROKES:
        return None
    (this, low, size), (that, _, _) = _even(one), _even(other)
    ways = np.stack([that, that[:, ::-1]])  # (2, n, steps, 2)
    apart = _apart(this[None, :, None], ways[:, None])  # (2, n of this, n of that)
    turned, gaps = apart.argmin(axis=0), apart.min(axis=0)
    rows = range(len(one))
    order = min(permutations(rows), key=lambda to: sum(gaps[at, to[at]] for at in rows))
    if max(gaps[at, order[at]] for at in rows) > _SAME_SHAPE:
        return None
    partner = np.stack([ways[turned[at, order[at]], order[at]] for at in rows])
    share = np.float32(rng.uniform(_AWAY, _TOWARDS))
    mixed = (this + share * (partner - this)) * size + low
    return list(mixed.astype(np.float32))


def _apart(this: Floats, that: Floats) -> Floats:
    """Mean distance of the points (.., steps, 2) of strokes."""
    away = this - that
    return np.asarray(np.sqrt((away * away).sum(axis=-1)).mean(axis=-1), np.float32)


def _even(glyph: Strokes) -> tuple[Floats, Points, Points]:
    """Strokes at even steps in a box of 1 by 1 around them; its corner and its sides."""
    points = np.concatenate(glyph)
    low = points.min(axis=0)
    size = points.max(axis=0) - low
    size = np.maximum(size, max(_SLIM * float(size.max()), 1e-3))
    even = np.stack([_steps(stroke) for stroke in glyph])
    return (even - low) / size, low, size


def _steps(stroke: Points) -> Floats:
    """A stroke at even steps of its length, float32 (steps, 2)."""
    if len(stroke) == 1:
        return np.repeat(stroke, _STEPS, axis=0)
    away = np.hypot(*np.diff(stroke, axis=0).T)
    walked = np.concatenate([[0.0], np.cumsum(away)])
    at = np.linspace(0.0, walked[-1], _STEPS)
    both = [np.interp(at, walked, stroke[:, axis]) for axis in (0, 1)]
    return np.stack(both, axis=1).astype(np.float32)
