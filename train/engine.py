"""The data engine: an endless stream of strips with their texts, every one drawn anew.

Owns:   `EngineConfig` (shares of the sources), `Engine.draw`, `Engine.crop`.
Needs:  numpy, cv2, Pillow (fonts), `edge_runtime.preprocess`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.preprocess import Gray, make_strip, normalize_ink
from edge_runtime.spec import ModelSpec
from train import texts
from train.compose import Hand, compose, extent, join_words, place, warp
from train.datasets import ArraySamples, Samples, mnist
from train.fontfaces import FontFaces
from train.paper import CLEAN, Paper
from train.pen import Pen, draw_strokes
from train.people import FILE, Namer, People
from train.raster import side_by_side
from train.row_cells import RowCells
from train.rows import row_ink
from train.strokes import DataError, GlyphBank, Strokes, StrokeSet

Rng = np.random.Generator
_MNIST_HELD_OUT = 12  # every twelfth is for calibration; the file may be sorted by label
_SMALLEST, _TALLEST = 16, 60  # height of the ink in a crop, pixels: 100 to 300 dpi
_SMALLEST_WORD, _SMALLEST_LINE = 20, 28  # with room for what stands above and below small letters

_HELD_OUT_STYLE = 0.3  # of the distortion of style: as much as a writer differs from himself
_HELD_OUT_CLEAN = 0.6  # trained on is what is hard, probabilities are fitted on what is usual
_SMALL_MARK = 0.6  # x-heights: a point, a dash, a quote
_WIDEST_ON_LINE = 0.11  # of a pen, in parts of the line's height
_POOLS = (texts.LOWER, texts.LOWER, texts.UPPER, texts.DIGITS, None)  # None: as they were written
_IN_CELLS = (texts.digit_string, texts.digit_string, texts.code, texts.username, texts.letters)


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Shares of the sources; they need not add up to one."""

    glyph: float = 0.15  # one UNIPEN glyph
    mnist: float = 0.09  # one MNIST digit
    mnist_string: float = 0.08  # digits of MNIST side by side
    string: float = 0.30  # glyphs by one writer, of every field kind
    word: float = 0.21
    line: float = 0.05
    joined: float = 0.04  # words by one writer, put side by side
    font: float = 0.08
    row: float = 0.0  # a row of cells, its boxes or comb left in it
    cell: float = 0.0  # a cell cut out of such a row as the reader does it: strips, never crops
    own: float = 0.0  # crops of the user's own sets
    # No sources: shares of the texts that are drawn for glyphs, strings, fonts and rows.
    figures: float = 0.0  # numbers, amounts, dates and times without a letter
    codes: float = 0.0  # usernames, passwords and the like: characters that make no words
    prose: float = 0.0  # names, places, words of the sets, amounts in words, doses
    # How hard the strips of train writers are.
    clean: float = CLEAN  # of the crops come from a good scanner
    style: float = 1.0  # how far a glyph is made into another hand's

    def __post_init__(self) -> None:
        if min(getattr(self, one.name) for one in fields(self)) < 0:
            raise DataError("shares of the sources must not be negative")


# In the order of the configuration; what else it holds are shares of texts.
_NO_SOURCES = ("figures", "codes", "prose", "clean", "style")
SOURCES = tuple(one.name for one in fields(EngineConfig) if one.name not in _NO_SOURCES)


class Engine:
    """Draws samples of one part of the writers.

    Args:
        data: Folder of `unipen/`, `mnist/` and `fonts/`.
        spec: What a strip is.
        config: Shares of the sources.
        part: "train", "tuning", "calibration" or "val".
        seed: Of the textures alone; every sample takes its own generator.
        own: The user's sets, drawn from evenly where `config.own` gives them a share.
    """

    def __init__(
        self,
        data: Path,
        spec: ModelSpec,
        config: EngineConfig,
        *,
        part: str,
        seed: int,
        own: Sequence[Samples] = (),
    ) -> None:
        self.spec = spec
        self.part = part
        # Train writers are made into others; whoever is measured or calibrated on stays who he is.
        self._style = config.style if part == "train" else _HELD_OUT_STYLE
        names = ("digits", "upper", "lower", "symbols", "chars_in_words", "words", "text")
        sets = {name: StrokeSet.load(data / "unipen" / f"{name}.npz") for name in names}
        self.singles = GlyphBank([sets[n] for n in names[:4]], part)
        self.cut = GlyphBank([sets["chars_in_words"]], part)
        # Strings use both: isolated glyphs, and letters cut out of words with their real joins.
        self.bank = GlyphBank([sets[n] for n in names[:5]], part)
        self.words, self.lines = sets["words"], sets["text"]
        self._word_at = [i for i in self.words.of_part(part) if len(self.words.labels[i]) <= 24]
        self._line_at = [i for i in self.lines.of_part(part) if self._one_line(i)]
        self._by_writer: dict[str, list[int]] = {}
        for i in self._word_at:
            self._by_writer.setdefault(self.words.writers[i], []).append(i)
        self._joiners = sorted(w for w, found in self._by_writer.items() if len(found) >= 5)
        self.digits, self.digit_labels = _mnist(data, part)
        self._own_samples = own
        clean = config.clean if part == "train" else _HELD_OUT_CLEAN
        self.paper = Paper(np.random.default_rng(seed), clean=clean)
        self.fonts = FontFaces(data / "fonts", part)
        self.cells = RowCells(self.bank, self.paper, spec, style=self._style)
        shares = {name: getattr(config, name) for name in SOURCES}
        self._figures, self._codes, self._prosaic = config.figures, config.codes, config.prose
        listed = data / FILE
        self._namer = Namer(People.load(listed)) if config.prose and listed.is_file() else None
        if not self.fonts:
            shares["font"] = 0.0
        if not own:
            shares["own"] = 0.0
        self._cell_share = shares.pop("cell") / max(sum(shares.values()) + config.cell, 1e-9)
        self._sources = [name for name, share in shares.items() if share > 0]
        self._shares = np.cumsum([shares[name] for name in self._sources])

    def draw(self, rng: Rng) -> tuple[Gray, str, str]:
        """One sample that can be learnt.

        Returns:
            Strip pixels uint8 (height_px, w), its text, the source it came from.
        """
        while True:
            if self._cell_share and rng.random() < self._cell_share:
                return (*self.cells.draw(rng), "cell")
            crop, text, source, line = self.crop(rng)
            ink = normalize_ink(crop)
            if line is not None:
                line = (line[0] * crop.shape[0], line[1] * crop.shape[0])
            strip = make_strip(ink, self.spec, line=line)
            if strip is None or not text:
                continue
            # CTC cannot say a text in fewer frames than its length and one for each repeat.
            needed = len(text) + sum(a == b for a, b in itertools.pairwise(text))
            if strip.pixels.shape[1] // self.spec.stride_px >= needed:
                return strip.pixels, text, source

    def crop(self, rng: Rng) -> tuple[Gray, str, str, tuple[float, float] | None]:
        """A crop, its text, its source; the line's top and bottom, parts of its height, if told."""
        at = int(np.searchsorted(self._shares, rng.random() * self._shares[-1], side="right"))
        source = self._sources[min(at, len(self._sources) - 1)]
        if source == "own":
            samples = self._own_samples[int(rng.integers(len(self._own_samples)))]
            sample = samples[int(rng.integers(len(samples)))]
            return self.paper.again(sample.crop, rng), sample.text, source, None
        text, coverage, line = getattr(self, f"_{source}")(rng)
        return self.paper.photograph(coverage, rng), text, source, line

    # Each source gives the text, coverage, and the line (top and bottom in 0..1) or None.

    def _glyph(self, rng: Rng) -> tuple[str, Gray, tuple[float, float] | None]:
        bank = self.cut if rng.random() < 0.2 else self.singles
        pool = texts.DIGITS if bank is self.singles and rng.random() < 0.25 else None
        family = self._family(rng)
        if family is texts.figures:
            bank, pool = self.singles, texts.DIGITS
        elif family is texts.codes:
            bank, pool = self.singles, _POOLS[int(rng.integers(len(_POOLS)))]
        char, strokes = bank.random(rng, pool)
        alone = rng.random() < 0.55
        hand = Hand.draw(rng, style=self._style)
        own_top, own_bottom = hand.build.span_of(char, strokes)
        small = own_bottom - own_top < _SMALL_MARK
        if alone and not small:
            return char, self._ink(self._warp(strokes, rng), rng, wide=True), None
        placed = self._warp(place(char, strokes, hand, rng), rng, strength=0.6)
        if alone:
            return char, self._mark(placed, rng), None
        # As in a row of cells: at its height on a line that other glyphs span.
        top, bottom = extent(char + texts.draw(rng), hand.build)
        points = np.concatenate(placed)
        low, high = points.min(axis=0), points.max(axis=0)
        # The warp stretches; of a mark next to no height is left to tell it by.
        unit = 1.0 if small else max(float(high[1] - low[1]), 1e-3) / (own_bottom - own_top)
        above, below = max(0.0, own_top - top) * unit, max(0.0, bottom - own_bottom) * unit
        whole = max(float(high[1] - low[1]) + above + below, 0.05)
        height = self._height(rng)
        px = height / whole
        pad = (*self._side(rng, height), *self._side(rng, height))
        edges = (pad[0], round(above * px) + pad[1], pad[2], round(below * px) + pad[3])
        pen = Pen.draw(rng)
        if small:  # the pen is the letters', beside which the mark is small
            pen = replace(pen, width=min(pen.width, _WIDEST_ON_LINE))
            coverage = draw_strokes(placed, pen, rng, height_px=whole * px, scale=px, pad_px=edges)
        else:
            own = max(2.0, float(high[1] - low[1]) * px)
            coverage = draw_strokes(placed, pen, rng, height_px=own, pad_px=edges)
        h = coverage.shape[0]
        return char, coverage, (pad[1] / h, min(1.0, (pad[1] + whole * px) / h))

    def _mark(self, strokes: Strokes, rng: Rng) -> Gray:
        """A point, a dash or the like by itself, at its size beside letters."""
        height = self._height(rng)
        pad = (*self._side(rng, height, wide=True), *self._side(rng, height, wide=True))
        pen, scale = Pen.draw(rng), height / -extent("A")[0]
        return draw_strokes(strokes, pen, rng, height_px=height, scale=scale, pad_px=pad)

    def _string(self, rng: Rng) -> tuple[str, Gray, None]:
        return self._written(self._text(rng, words=0.15), rng)

    def write(self, text: str, rng: Rng) -> tuple[str, Gray] | None:
        """A photograph of a text in glyphs of one writer, uint8 (h, w), dark ink on light paper.

        Returns:
            The text without what the writer has no glyph of, and the crop; None without any.
        """
        text, coverage, _ = self._written(text, rng)
        return (text, self.paper.photograph(coverage, rng)) if text else None

    def _written(self, text: str, rng: Rng) -> tuple[str, Gray, None]:
        numeric = sum(c.isdigit() for c in text) > 0.6 * len(text)
        writers = self.bank.digit_writers if numeric else self.bank.writers
        writer = writers[int(rng.integers(len(writers)))]
        tight = rng.random() < 0.35
        text, strokes = compose(text, self.bank, writer, rng, tight=tight, style=self._style)
        if not strokes:
            return "", np.zeros((8, 8), np.uint8), None
        return (
            text,
            self._ink(self._warp(strokes, rng, strength=0.8), rng, smallest=_SMALLEST_WORD),
            None,
        )

    def _word(self, rng: Rng) -> tuple[str, Gray, None]:
        index = self._word_at[int(rng.integers(len(self._word_at)))]
        return (
            self.words.labels[index],
            self._ink(self._warp(self.words.strokes(index), rng), rng, smallest=_SMALLEST_WORD),
            None,
        )

    def _line(self, rng: Rng) -> tuple[str, Gray, None]:
        index = self._line_at[int(rng.integers(len(self._line_at)))]
        label = " ".join(self.lines.labels[index].split())
        strokes = self._warp(self.lines.strokes(index), rng, strength=0.6)
        return label, self._ink(strokes, rng, smallest=_SMALLEST_LINE), None

    def _joined(self, rng: Rng) -> tuple[str, Gray, None]:
        found = self._by_writer[self._joiners[int(rng.integers(len(self._joiners)))]]
        chosen = [found[i] for i in rng.integers(len(found), size=int(rng.integers(2, 5)))]
        text, strokes = join_words(
            [(self.words.labels[i], self.words.strokes(i)) for i in chosen], rng
        )
        return (
            text,
            self._ink(self._warp(strokes, rng, strength=0.6), rng, smallest=_SMALLEST_LINE),
            None,
        )

    def words_of_one(self, rng: Rng) -> list[tuple[str, Strokes]]:
        """The words of one writer who has five and more, as he wrote them."""
        found = self._by_writer[self._joiners[int(rng.integers(len(self._joiners)))]]
        return [(self.words.labels[i], self.words.strokes(i)) for i in found]

    def _mnist(self, rng: Rng) -> tuple[str, Gray, None]:
        at = int(rng.integers(len(self.digits)))
        coverage = side_by_side([self.digits[at]], rng, height=self._height(rng))
        return self.digit_labels[at], coverage, None

    def _mnist_string(self, rng: Rng) -> tuple[str, Gray, None]:
        wanted = texts.digit_string(rng)
        at = rng.integers(len(self.digits), size=len(wanted))
        text = "".join(self.digit_labels[i] for i in at)
        return text, side_by_side([self.digits[i] for i in at], rng, height=self._height(rng)), None

    def _font(self, rng: Rng) -> tuple[str, Gray, None]:
        text = self._text(rng, words=0.35)
        text, coverage = self.fonts.write(text, rng, height=self._height(rng))
        pads = (*self._side(rng, coverage.shape[0]), *self._side(rng, coverage.shape[0]))
        return text, np.pad(coverage, ((pads[1], pads[3]), (pads[0], pads[2]))), None

    def _row(self, rng: Rng) -> tuple[str, Gray, None]:
        """As a reader meets it that hears a row as one line: up to some empty cells at its end."""
        family = self._family(rng)
        if family == self._prose:
            text = family(rng)[:16].strip()
        elif family is not None:
            text = family(rng).replace(" ", "")[:14]
            if family is texts.figures and rng.random() < 0.1:  # cells that are not needed
                text = ("X" * int(rng.integers(1, 4)) + text)[:14]
        elif rng.random() < 0.35:  # dates, amounts, names: with their points, and cells left empty
            text = (texts.draw(rng) if rng.random() < 0.7 else self._some_words(rng))[:16].strip()
        else:
            text = _IN_CELLS[int(rng.integers(len(_IN_CELLS)))](rng).replace(" ", "")[:14]
        if rng.random() < 0.6:  # "in block letters"
            text = text.upper()
        empty = " " * int(rng.integers(0, 4))
        ahead = " " if rng.random() < 0.1 else ""
        ink = row_ink(ahead + text + empty, self.bank, rng, style=self._style)
        return ("", np.zeros((8, 8), np.uint8), None) if ink is None else (text, ink, None)

    def draw_row(self, text: str, rng: Rng) -> Gray | None:
        """A photograph of a row of `len(text)` cells, uint8 (h, w), dark ink on light paper.

        A space is an empty cell. None where nobody wrote one of the characters.
        """
        ink = row_ink(text, self.bank, rng, style=_HELD_OUT_STYLE)
        return None if ink is None else self.paper.photograph(ink, rng)

    def _family(self, rng: Rng) -> Callable[[Rng], str] | None:
        """What this run is about, as often as it asks for it."""
        asked: tuple[tuple[float, Callable[[Rng], str]], ...] = (
            (self._figures, texts.figures),
            (self._codes, texts.codes),
            (self._prosaic, self._prose),
        )
        drawn = rng.random() if any(share for share, _ in asked) else 1.0
        for share, family in asked:
            if drawn < share:
                return family
            drawn -= share
        return None

    def _prose(self, rng: Rng) -> str:
        """What is written where words are expected; names are made up where no list is at hand."""
        drawn = rng.random()
        if drawn < 0.4:
            return self._some_words(rng)
        if drawn < 0.8:
            if self._namer is None:
                return texts.letters(rng)
            text = self._namer.name(rng) if drawn < 0.68 else self._namer.place(rng)
            return text.lower() if rng.random() < 0.05 else text
        return (texts.measure if drawn < 0.9 else texts.legal_amount)(rng)

    def _text(self, rng: Rng, *, words: float) -> str:
        """A text of the run's family, of any kind, or (`words` of the time) words of the sets."""
        family = self._family(rng)
        if family is not None:
            return family(rng)
        return texts.draw(rng) if rng.random() >= words else self._some_words(rng)

    def _some_words(self, rng: Rng) -> str:
        """One to three words as people wrote them, or all in capitals, or begun with one."""
        chosen = rng.integers(len(self._word_at), size=int(rng.integers(1, 4)))
        text = " ".join(self.words.labels[self._word_at[i]] for i in chosen)
        style = rng.random()
        return text.upper() if style < 0.15 else text.title() if style < 0.3 else text

    def _warp(self, strokes: Strokes, rng: Rng, *, strength: float = 1.0) -> Strokes:
        return warp(strokes, rng, strength=strength * self._style)

    def _ink(
        self, strokes: Strokes, rng: Rng, *, wide: bool = False, smallest: float = _SMALLEST
    ) -> Gray:
        height = self._height(rng, smallest)
        pad = (*self._side(rng, height, wide=wide), *self._side(rng, height, wide=wide))
        pen = Pen.draw(rng)
        if not wide:  # the height is that of a whole line: a felt pen would fill its small letters
            pen = replace(pen, width=min(pen.width, _WIDEST_ON_LINE))
        return draw_strokes(strokes, pen, rng, height_px=height, pad_px=pad)

    def _height(self, rng: Rng, smallest: float = _SMALLEST) -> float:
        return float(np.exp(rng.uniform(np.log(smallest), np.log(_TALLEST))))

    def _side(self, rng: Rng, height: float, *, wide: bool = False) -> tuple[int, int]:
        """Paper beside and above the ink."""
        most = 0.6 if wide else 0.4
        x, y = rng.uniform(0.02, most, 2) * height
        return max(1, round(float(x))), max(1, round(float(y)))

    def _one_line(self, index: int) -> bool:
        """Told by proportions: a letter is seldom narrower than a fifth of its line."""
        label = self.lines.labels[index]
        if not 1 <= len(label) <= 48:
            return False
        points = np.concatenate(self.lines.strokes(index))
        width, height = np.ptp(points[:, 0]), max(float(np.ptp(points[:, 1])), 1.0)
        return bool(0.2 * len(label) < width / height < 1.6 * len(label) + 1)


def _mnist(data: Path, part: str) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Images (n, 28, 28) ink bright, and labels; val is the test file."""
    found = mnist(data, train=part != "val")
    assert isinstance(found, ArraySamples)
    if part == "val":
        return found.pixels, found.texts
    held = np.arange(len(found)) % _MNIST_HELD_OUT == 0
    kept = np.flatnonzero(~held if part == "train" else held)
    return found.pixels[kept], tuple(found.texts[i] for i in kept)
