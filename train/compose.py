"""Strings by one hand: glyphs set on a line, words beside words.

Owns:   the vertical metrics of a line, `compose` (glyphs to a string), `join_words`, `warp`.
Needs:  numpy, `strokes`.
Words:  units are x-heights; the baseline is y = 0, y grows downwards, so a small x spans -1..0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train import figures
from train.strokes import GlyphBank, Points, Strokes

Rng = np.random.Generator
Floats = NDArray[np.float32]

# Tops and bottoms in x-heights, of what all hands write alike; letters and digits see `Build`.
_METRICS: dict[str, tuple[float, float]] = {}
for _chars, _top, _bottom in (
    (".", -0.12, 0.02),
    (",", -0.2, 0.35),
    (":", -0.85, 0.0),
    (";", -0.85, 0.35),
    ("'`\"", -1.95, -1.4),
    ("-", -0.62, -0.55),
    ("~", -0.75, -0.45),
    ("_", 0.1, 0.15),
    ("=", -0.8, -0.4),
    ("+", -1.1, -0.2),
    ("*", -1.6, -0.9),
    ("^", -1.9, -1.4),
    ("<>", -1.2, -0.1),
    ("/\\|()[]{}", -2.0, 0.35),
    ("!?#%&", -1.85, 0.0),
    ("$", -1.95, 0.2),
    ("@", -1.5, 0.2),
):
    for _char in _chars:
        _METRICS[_char] = (_top, _bottom)

_CROSSED, _TAILED = "7", "479"  # who crosses or drops one of them does so always
_LONG_DASH = 0.35  # of the dashes of a number
_RAISED = 0.3  # of them stand higher than in a date
_OTHER_SCHOOL = 0.6  # of the hands that write numbers have figures of another school
_BY_WIDTH = set("-_~=")  # their width carries their size, their height is next to nothing


@dataclass(frozen=True, slots=True)
class Build:
    """How a hand's letters stand beside its small ones: tops above the line, bottoms below it.

    In x-heights; as a school hand has them. In words by the train writers ascenders are 1.0 to 2.4
    x-heights tall and dots of an i 0.8 to 2.0 (the middle eight tenths).
    """

    tall: float = 1.95  # b d f h k l
    capital: float = 1.85
    digit: float = 1.75
    cross: float = 1.6  # t
    dot: float = 1.5  # i and j
    hang: float = 0.8  # g p q y
    j_hang: float = 0.8
    f_hang: float = 0.25

    @staticmethod
    def draw(rng: Rng) -> Build:
        """Proportions of one hand, as wide as people's are."""
        tall, hang = float(rng.uniform(1.3, 2.1)), float(rng.uniform(0.3, 0.95))
        if rng.random() < _ON_LINE:
            hang = float(rng.uniform(0.0, 0.12))
        level = rng.random() < _LEVEL

        def beside(low: float, high: float) -> float:
            return tall if level else tall * float(rng.uniform(low, high))

        return Build(
            tall=tall,
            capital=beside(0.85, 1.1),
            digit=beside(0.78, 1.1),
            cross=beside(0.7, 1.0),
            dot=beside(0.65, 1.05),
            hang=hang,
            j_hang=hang if rng.random() > _J_ON_LINE else float(rng.uniform(0.0, 0.15)),
            f_hang=float(rng.uniform(0.0, 0.6)) if rng.random() < 0.5 else 0.0,
        )

    def span(self, char: str) -> tuple[float, float]:
        """Top and bottom of a character, y grows downwards."""
        if char in _METRICS:
            return _METRICS[char]
        if char.isdigit():
            return -self.digit, 0.0
        if char.isupper():
            return -self.capital, 0.0
        top = {"f": self.tall, "t": self.cross, "i": self.dot, "j": self.dot}.get(char, 1.0)
        if char in "bdhkl":
            top = self.tall
        hang = {"f": self.f_hang, "j": self.j_hang}.get(char, 0.0)
        return -top, self.hang if char in "gpqy" else hang

    def span_of(self, char: str, glyph: Strokes) -> tuple[float, float]:
        """The same of a glyph: as tall as with its dot, an i without would be an l."""
        top, bottom = self.span(char)
        return (-1.0, bottom) if char in "ij" and len(glyph) == 1 else (top, bottom)


SCHOOL = Build()
_LEVEL = 0.3  # of the hands have all that is tall at one height
_ON_LINE, _J_ON_LINE = 0.08, 0.3  # stand on the line with what others hang below it


@dataclass(frozen=True, slots=True)
class Hand:
    """How one writer sets a line: drawn once for a string."""

    gap: float  # between glyphs, x-heights
    gap_spread: float
    space: float  # of a word space
    size_spread: float
    drop_spread: float  # of the baseline
    build: Build
    wobble: float  # of a glyph's slant, turn and width
    zero: float  # height of noughts: many write them small, in amounts above all
    tail: float  # how far below the line 4, 7 and 9 reach, x-heights
    crossed: bool  # a bar through the seven
    running: float  # how often the pen stays on the paper between two glyphs
    first: float  # size of a number's first glyph, parts of the others'

    @staticmethod
    def draw(rng: Rng, *, tight: bool = False, numeric: bool = False, style: float = 1.0) -> Hand:
        """A hand.

        Args:
            tight: Letters stand close.
            numeric: No letter stands beside the digits, which may then be smaller.
            style: How far its glyphs are made into another's, 0..1.
        """
        gap = rng.normal(0.05, 0.12) if tight else rng.normal(0.3, 0.22)
        return Hand(
            gap=float(np.clip(gap, -0.25, 1.2)),
            gap_spread=float(rng.uniform(0.02, 0.18)),
            space=float(rng.uniform(0.6, 1.8)),
            size_spread=float(rng.uniform(0.02, 0.12)),
            drop_spread=float(rng.uniform(0.01, 0.12)),
            build=Build.draw(rng),
            wobble=float(rng.uniform(0.0, style)),
            zero=float(rng.uniform(0.5, 0.95)) if numeric and rng.random() < 0.35 else 1.0,
            tail=float(rng.uniform(0.1, 0.7)) if numeric and rng.random() < 0.25 else 0.0,
            crossed=bool(rng.random() < 0.15),
            running=float(rng.uniform(0.2, 0.9)) if rng.random() < 0.12 * style else 0.0,
            first=float(rng.uniform(1.0, 1.6)) if numeric and rng.random() < 0.2 * style else 1.0,
        )


def extent(text: str, build: Build = SCHOOL) -> tuple[float, float]:
    """Top and bottom of a text on its line, x-heights."""
    spans = [build.span(char) for char in text if char != " "] or [(-1.0, 0.0)]
    return min(top for top, _ in spans), max(bottom for _, bottom in spans)


def place(char: str, glyph: Strokes, hand: Hand, rng: Rng) -> Strokes:
    """One glyph at its size and height on the line, its left edge at x = 0."""
    if char in _CROSSED and hand.crossed:
        glyph = [*glyph, _bar(glyph, rng)]
    if hand.wobble and char not in _BY_WIDTH:
        glyph = _wobble(glyph, hand.wobble, rng)
    points = np.concatenate(glyph)
    low, high = points.min(axis=0), points.max(axis=0)
    width, height = np.maximum(high - low, 1.0)
    top, bottom = hand.build.span_of(char, glyph)
    if char == "0":
        top *= hand.zero
    elif char in _TAILED:
        bottom += hand.tail * float(rng.uniform(0.6, 1.2))
    grow = float(np.exp(rng.normal(0, hand.size_spread)))
    if char in _BY_WIDTH:
        scale = rng.uniform(0.5, 1.1) * grow / max(width, height)
    elif char == "." or (char in "'`," and width > height):
        scale = (bottom - top) * grow / max(width, height)
    else:
        # A glyph wider than any hand writes it was written flat: its height then gives way.
        scale = min((bottom - top) * grow / height, 3.2 * grow / width)
    middle = (top + bottom) / 2 + rng.normal(0, hand.drop_spread)
    centre = (low[1] + high[1]) / 2
    shift = np.array([-low[0] * scale, middle - centre * scale], np.float32)
    return [stroke * np.float32(scale) + shift for stroke in glyph]


def _bar(glyph: Strokes, rng: Rng) -> Points:
    """A bar through the middle of a seven's stem."""
    points = np.concatenate(glyph)
    low, high = points.min(axis=0), points.max(axis=0)
    y = low[1] + (high[1] - low[1]) * rng.uniform(0.4, 0.65)
    near = points[np.abs(points[:, 1] - y) < 0.15 * (high[1] - low[1]) + 1]
    x = float(near[:, 0].mean()) if len(near) else float(low[0] + high[0]) / 2
    half = (high[1] - low[1]) * rng.uniform(0.12, 0.3)
    tilt = half * rng.normal(0, 0.25)
    steps = np.linspace(-1, 1, 8, dtype=np.float32)
    return np.stack([x + half * steps, y + tilt * steps], axis=1).astype(np.float32)


def _wobble(glyph: Strokes, strength: float, rng: Rng) -> Strokes:
    """The same glyph with a slant, a turn and a width of its own."""
    slant, turn = (float(v) * strength for v in rng.normal(0, (0.12, 0.07)))
    wide = float(np.exp(rng.normal(0, 0.13 * strength)))
    move = np.array([[wide, turn], [-slant, 1.0]], np.float32)  # rows: x, y of the old to the new
    return [stroke @ move for stroke in glyph]


def compose(
    text: str,
    bank: GlyphBank,
    writer: str,
    rng: Rng,
    *,
    tight: bool = False,
    style: float = 1.0,
) -> tuple[str, Strokes]:
    """Write `text` with one writer's glyphs; `tight` and `style` as in `Hand.draw`.

    Returns:
        What could be written (characters that nobody wrote are left out) and its strokes.
    """
    numeric = not any(char.isalpha() for char in text)
    hand = Hand.draw(rng, tight=tight, numeric=numeric, style=style)
    own = figures.Figures.draw(rng, share=_OTHER_SCHOOL * style if numeric else 0.0)
    pen = 0.0
    written: list[str] = []
    strokes: Strokes = []
    kept: dict[str, Strokes] = {}
    for part in _parts(text, chained=own.chained):
        if part == " ":
            if written and written[-1] != " ":
                pen += max(hand.space * float(rng.uniform(0.8, 1.3)), hand.gap + 0.35)
                written.append(part)
            continue
        if len(part) > 1:
            placed = _on_line(figures.chain(len(part), rng), hand, rng)
        else:
            # People repeat a shape of theirs: now and then the same glyph comes again.
            glyph = kept.get(part) if rng.random() < 0.3 else None
            glyph = glyph or own.glyph(part, rng) or bank.glyph(writer, part, rng)
            if glyph is None:
                continue
            kept[part] = glyph
            placed = place(part, glyph, hand, rng)
            if numeric and part in "-=" and written and rng.random() < _LONG_DASH:
                # What closes an amount is drawn out, so that no figure fits behind it.
                long = np.array([rng.uniform(1.3, 4.5), 1.0], np.float32)
                placed = [stroke * long for stroke in placed]
            if numeric and part in "-=#" and written and rng.random() < _RAISED:
                up = np.array([0.0, -rng.uniform(0.1, 0.9)], np.float32)
                placed = [stroke + up for stroke in placed]
            if not written and hand.first > 1:  # grows upwards from the line
                placed = [stroke * np.float32(hand.first) for stroke in placed]
        right = max(float(stroke[:, 0].max()) for stroke in placed)
        moved = [stroke + np.array([pen, 0], np.float32) for stroke in placed]
        if strokes and hand.running and written[-1] != " " and rng.random() < hand.running:
            strokes += _joint(strokes[-1][-1], moved[0][0], rng)
        strokes += moved
        # Never less than touching for thin glyphs: "11" written over each other says "1".
        gap = max(rng.normal(hand.gap, hand.gap_spread), -0.35 * right)
        pen += right + max(float(gap), 0.3 - right)
        written.append(part)
    return "".join(written).strip(), strokes


def _parts(text: str, *, chained: bool) -> list[str]:
    """Characters, or runs of noughts as one."""
    return re.findall("00+|.", text) if chained else list(text)


def _on_line(noughts: Strokes, hand: Hand, rng: Rng) -> Strokes:
    """Noughts in one stroke, set on the line; they keep their proportions."""
    top, _ = hand.build.span("0")
    top *= hand.zero * float(rng.uniform(0.7, 1.05))
    points = np.concatenate(noughts)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = -top / float(high[1] - low[1])
    shift = np.array([-low[0] * scale, -high[1] * scale], np.float32)
    return [stroke * np.float32(scale) + shift for stroke in noughts]


def _joint(end: Points, start: Points, rng: Rng) -> Strokes:
    """The way from one glyph's end to the next one's start, if it is short enough to be run."""
    away = start - end
    if not 0.05 < float(np.hypot(*away)) < 0.9 or away[0] < -0.15:
        return []
    sag = np.array([0.0, float(rng.normal(0.05, 0.12))], np.float32)
    t = np.linspace(0, 1, 7, dtype=np.float32)[:, None]
    return [(end + away * t + sag * (4 * t * (1 - t))).astype(np.float32)]


def set_word(label: str, strokes: Strokes) -> Strokes:
    """A word of unknown scale put on the line, by what its letters' tops and bottoms must be."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    top, bottom = extent(label)
    scale = (bottom - top) / max(float(high[1] - low[1]), 1.0)
    shift = np.array([-low[0] * scale, top - low[1] * scale], np.float32)
    return [stroke * np.float32(scale) + shift for stroke in strokes]


def join_words(words: list[tuple[str, Strokes]], rng: Rng) -> tuple[str, Strokes]:
    """Words by one writer as one line."""
    pen, out = 0.0, []
    space = float(rng.uniform(0.7, 1.8))
    for label, strokes in words:
        placed = set_word(label, strokes)
        out += [stroke + np.array([pen, rng.normal(0, 0.08)], np.float32) for stroke in placed]
        pen += max(float(stroke[:, 0].max()) for stroke in placed) + space * float(
            rng.uniform(0.8, 1.25)
        )
    return " ".join(label for label, _ in words), out


def warp(strokes: Strokes, rng: Rng, *, strength: float = 1.0) -> Strokes:
    """The same text by another hand: slant, proportions, roundness, rotation, waves along the line.

    Unseen writers are read far worse than those of the training; so every sample changes hands.
    """
    ends = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    points = np.concatenate(_rounded(strokes, rng, strength))
    low, high = points.min(axis=0), points.max(axis=0)
    width, height = (max(float(edge), 1e-3) for edge in high - low)
    long = width > 2.5 * height
    slant = float(np.clip(rng.normal(0, 0.28 * strength), -0.7, 0.7))
    turn = float(rng.normal(0, 0.012 if long else 0.06) * strength)
    stretch = float(np.exp(rng.normal(0, 0.18 * strength)))
    letters = max(2, round(width / (0.5 * height)))
    x = _uneven((points[:, 0] - low[0]) / width, letters, 0.24 * strength, rng) * width * stretch
    # Long letters against small ones, the loops of an 8 against each other.
    y = _uneven((points[:, 1] - low[1]) / height, 3, 0.2 * strength, rng) * height
    x = x - slant * (y - height)
    y = y + turn * x
    # Two waves: one a few letters long, one about a letter.
    for size, length in ((0.045, 4.0), (0.035, 1.2)):
        amp = size * height * strength * rng.normal(size=2)
        phase, pace = rng.uniform(0, 2 * np.pi, 2), rng.uniform(0.6, 1.6, 2) / (length * height)
        x, y = (
            x + amp[0] * np.sin(2 * np.pi * pace[0] * y * 2 + phase[0]),
            y + amp[1] * np.sin(2 * np.pi * pace[1] * x + phase[1]),
        )
    moved = np.stack([x, y], axis=1).astype(np.float32)
    # Bars, dots and second strokes land a little elsewhere each time.
    away = rng.normal(0, 0.016 * height * strength, (len(strokes), 2)).astype(np.float32)
    return [stroke + by for stroke, by in zip(np.split(moved, ends), away, strict=True)]


def _uneven(at: Floats, zones: int, spread: float, rng: Rng) -> Floats:
    """0..1 to 0..1, zones of it widened or narrowed."""
    sizes = np.exp(rng.normal(0, spread, zones))
    knots = np.append(0, np.cumsum(sizes) / sizes.sum())
    return np.asarray(np.interp(at, np.linspace(0, 1, zones + 1), knots), np.float32)


def _rounded(strokes: Strokes, rng: Rng, strength: float) -> Strokes:
    """Rounder than it was written, or more angular: bends damped or overdone."""
    if rng.random() > 0.7:
        return strokes
    bend, reach = float(rng.uniform(-1.1, 1.1)) * strength, int(rng.integers(1, 6))
    out: Strokes = []
    for stroke in strokes:
        if len(stroke) < 2 * reach + 3:
            out.append(stroke)
            continue
        padded = np.pad(stroke, ((reach + 1, reach), (0, 0)), "edge")
        sums = padded.cumsum(axis=0, dtype=np.float64)
        smooth = (sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / (2 * reach + 1)
        out.append((stroke + bend * (stroke - smooth)).astype(np.float32))
    return out
