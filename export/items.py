"""The fields that calibration asks for, on writers that were never trained on.

Owns:   `Item`, `GROUPS`, `draw_items`, `pick`.
Needs:  `edge_runtime.grammar`, `patterns`, `train.engine`, `train.coined`.
Words:  *item*: a crop, the field it is read as, and what is right. *foreign*: ink that its field
        does not allow; no reading of it is right.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge_runtime.casing import as_name
from edge_runtime.confidence import group_of
from edge_runtime.errors import TemplateError
from edge_runtime.field import Field
from edge_runtime.grammar import compile_grammar
from edge_runtime.preprocess import Gray
from edge_runtime.spec import ModelSpec
from export.patterns import pattern_of, vocabulary_of
from train import texts
from train.coined import Coiner
from train.engine import Engine, EngineConfig
from train.mail import Mailer
from train.people import FILE, Namer, People
from train.strokes import DataError

Rng = np.random.Generator

GROUPS = (
    *("cell", "cell_digits", "cell_text", "digits", "amount", "code", "text", "choices"),
    *("cell_pattern", "digits_pattern", "amount_pattern", "code_pattern", "text_pattern"),
    *("name", "name_pattern", "email", "email_pattern", "cell_email"),
)
_FOREIGN = 0.04
_AGAINST_LIST = 0.5  # of single words
_NAMES = 0.3  # of the rows
_SMALL_NAMES = 0.1  # of texts with words without a capital may be names
_WORDS = 0.35  # of the names in rows
_NAMED = 0.6  # of the others, and of composed names, are people's; the rest are in no list
_PLACES = 0.4  # of the other composed texts are somewhere; the rest are words that nobody wrote
_MAILED = 0.75  # of the composed addresses are as people have them
_COMPOSED = 0.3  # of the other draws: texts composed for a field of their kind
_BY_PATTERN = 0.4  # of the fields have one where their authors give any
_AGAINST_PATTERN = 0.04  # of those: something else was written than was asked for
_VOCABULARY = 0.3  # of the patterns of words say which
_VOCABULARY_SIZES = (4, 40)  # words that do not stand there
_VOCABULARY_CHARS = 220  # of them, at most: an automaton has its bounds
_POOL = 200  # texts whose patterns others are read against
_EMPTY_AT_END = 0.5  # of the rows: forms have cells for the longest of texts
# A text is foreign to a field of figures for holding one of these: "7b 28" may be meant as 7628.
_UNLIKE_FIGURES = frozenset("acdefhkmnprtuvwxACEFHKMNPRUVWXYZ")
_MAILS = 0.12  # of the rows
_MAIL_CELLS = 32  # at most
_ROWS = 0.28  # of the draws; the engine draws no boxes
_LISTED = 0.6  # of words that are read against a list stand on it
_LOOKALIKE = 0.5  # of the others have a near miss there: one drug for another
_KINDS_OF = {  # what is composed
    "text": ("name", "text"),
    "amount": ("amount", "amount", "amount", "date", "time", "phone"),
    "code": ("username", "username", "email", "email", "code"),
}
# Where no others are wanted any more nothing else is drawn.
_IN_ROWS = frozenset(("cell_text", "cell_email"))
_COMPOSED_ALONE = frozenset(("email", "email_pattern", "name", "name_pattern"))
_LIST_SIZES = (4, 1000)
_LONG_LISTS = 4  # of half of all words each: thousands of rivals, as a lexicon has
_LONG = 0.5  # of words that are read against a list
_DRAWS = 40  # for each item wanted, before a source is given up
# An amount closed against additions. Nobody asks for text there; and whether a space stands before
# its stroke or its star, no ink tells.
_CLOSED = re.compile(r"\d[^A-Za-z0-9]*[-*=/]$")
_CLOSED_APART = re.compile(r"[\d.] +[-*=/]+$")
_SKIPPED = str.maketrans("", "", " .,-=/*")  # what `digits` leaves out


class Item(NamedTuple):
    """One field that is read for calibration."""

    crop: Gray
    field: Field
    right: str | None  # None where nothing is


def draw_items(
    data: Path,
    spec: ModelSpec,
    config: EngineConfig,
    *,
    n: int,
    seed: int,
    groups: Sequence[str] = GROUPS,
) -> list[Item]:
    """`n` items of each of the groups, from writers of the part "calibration"."""
    engine = Engine(data, spec, config, part="calibration", seed=seed)
    rng = np.random.default_rng([seed, 1])
    words = sorted({engine.words.labels[i] for i in engine.words.of_part("train")})
    written = [engine.words.labels[i] for i in engine.words.of_part(engine.part)]
    coiner = Coiner(words)
    namer = _Namer(coiner, data / FILE)
    ask = _Patterns(words, coiner, spec)
    found: dict[str, list[Item]] = {group: [] for group in groups}
    for _ in range(_DRAWS * n * len(GROUPS)):
        wanted = {group for group, items in found.items() if len(items) < n}
        if not wanted:
            return [item for items in found.values() for item in items]
        if rng.random() < _ROWS or wanted <= _IN_ROWS:
            item = _row(engine, spec, written, namer, wanted, rng)
        else:
            item = _composed(engine, spec, namer, wanted, rng)
            item = item or _item(engine, spec, words, rng)
        if item is not None:
            item = ask.by_pattern(item, rng, wanted=wanted)
        items = found.get(group_of(item.field)) if item is not None else None
        if item is not None and items is not None and len(items) < n:
            items.append(item)
    short = {group: len(items) for group, items in found.items() if len(items) < n}
    raise DataError(f"too few fields to calibrate on: {short} of {n}; see docs/data.md")


def _item(engine: Engine, spec: ModelSpec, words: Sequence[str], rng: Rng) -> Item | None:
    crop, text, source, _ = engine.crop(rng)
    if not text or source == "row":  # rows are drawn with all of their cells, see `_row`
        return None
    if source in ("glyph", "mnist"):
        cells = 1 if rng.random() < 0.8 else None
        kind = pick(_kinds(text, ("digits", "upper", "lower", "code", "username"), spec), rng)
        return Item(crop, Field("glyph", kind=kind, cells=cells), text)
    digits = text.translate(_SKIPPED)
    if digits.isdigit():
        return Item(crop, Field("digits", kind="digits"), digits)
    if rng.random() < _FOREIGN and _UNLIKE_FIGURES & set(text):
        return Item(crop, Field("foreign", kind="digits"), None)
    if source == "word" and rng.random() < _AGAINST_LIST:
        return _listed(crop, text, words, rng)
    # Whoever writes in small letters was not asked for a name, but for a few.
    named = as_name(text) == text or rng.random() < _SMALL_NAMES
    free = ("name", "text") if named else ("text",)
    if source in ("word", "line", "joined"):
        kind = pick(_kinds(text, free, spec), rng)
    else:  # the first that allows it: whoever writes a date was asked for one
        asked = ("email", "date", "time", "phone", "amount", "code", "username", *free)
        kind = _kinds(text, asked, spec)[0]
    if _CLOSED_APART.search(text) or (kind in free and _CLOSED.search(text)):
        return None
    return Item(crop, Field("field", kind=kind), text)


def _composed(
    engine: Engine,
    spec: ModelSpec,
    namer: _Namer,
    wanted: Collection[str],
    rng: Rng,
) -> Item | None:
    """A text of the kind that was asked for; half of the names and phrases no prior knows.

    None most of the time, and where no such field is wanted.
    """
    kinds = {
        group: some
        for group, all_of_it in _KINDS_OF.items()
        if (some := [kind for kind in all_of_it if _wanted(Field("any", kind), wanted)])
    }
    if not kinds or (rng.random() >= _COMPOSED and not _COMPOSED_ALONE.issuperset(wanted)):
        return None
    kind = pick(kinds[pick(tuple(kinds), rng)], rng)
    ours = {"name": namer.name, "text": namer.phrase, "email": namer.email}
    make = ours.get(kind) or getattr(texts, kind)
    written = engine.write(make(rng), rng)
    if written is None:
        return None
    text, crop = written
    if kind == "name" and rng.random() < 0.5:  # asked for as any text
        kind = "text"
    if not _grammar_accepts(kind, spec.labels, text) or _CLOSED_APART.search(text):
        return None
    return Item(crop, Field("composed", kind=kind), text)


def _wanted(field: Field, wanted: Collection[str]) -> bool:
    """Whether such a field is, as it is or with a pattern."""
    return group_of(field) in wanted or group_of(replace(field, pattern=".")) in wanted


def _row(
    engine: Engine,
    spec: ModelSpec,
    written: Sequence[str],
    namer: _Namer,
    wanted: Collection[str],
    rng: Rng,
) -> Item | None:
    charset, draw = None, rng.random()
    if draw < _NAMES:
        text, charset = _name(written, namer, rng)
        kind = "name"
    elif draw < _NAMES + _MAILS:
        text, charset = _mail(namer, rng)
        kind = "email"
    else:
        make = (texts.digit_string, texts.username, texts.code)[int(rng.integers(3))]
        text = make(rng).replace(" ", "")[: int(rng.integers(1, 13))]
        kind = _kinds(text, ("digits", "code", "username"), spec)[0]
    if not text:  # a word of figures alone is no name
        return None
    cells = len(text) + (int(rng.integers(1, 13)) if rng.random() < _EMPTY_AT_END else 0)
    field = Field("row", kind=kind, cells=cells, charset=charset)
    crop = engine.draw_row(text.ljust(cells), rng) if _wanted(field, wanted) else None
    return None if crop is None else Item(crop, field, text)


class _Namer:
    """Names, places and mail, most of them of the list that priors were counted on, where it is.

    Somebody's name is on such a list more often than not, and confidence must hold for both.
    """

    def __init__(self, coiner: Coiner, path: Path) -> None:
        self._coiner = coiner
        people = People.load(path) if path.exists() else None
        self._listed = Namer(people) if people else None
        self._mailer = Mailer(people) if people else None

    def name(self, rng: Rng) -> str:
        listed = self._listed if rng.random() < _NAMED else None
        return (listed or self._coiner).name(rng)

    def phrase(self, rng: Rng) -> str:
        listed = self._listed if rng.random() < _PLACES else None
        return self._coiner.phrase(rng) if listed is None else listed.place(rng)

    def email(self, rng: Rng) -> str:
        mailer = self._mailer if rng.random() < _MAILED else None
        return (mailer or texts).email(rng)


def _name(written: Sequence[str], namer: _Namer, rng: Rng) -> tuple[str, str | None]:
    """One or two words or somebody's name; and the charset, where capitals alone may stand."""
    some = [written[i] for i in rng.integers(len(written), size=int(rng.integers(1, 3)))]
    text = " ".join(some) if rng.random() < _WORDS else namer.name(rng)
    text = "".join(char for char in text if char.isalpha() or char == " ")[:16].strip()
    if rng.random() < 0.6:
        return text.upper(), texts.UPPER + " " if rng.random() < 0.5 else None
    return text.title(), None


def _mail(namer: _Namer, rng: Rng) -> tuple[str, str | None]:
    """An address that has room in a row, and its charset, where capitals alone may stand."""
    text = namer.email(rng)
    while len(text) > _MAIL_CELLS:
        text = namer.email(rng)
    if rng.random() < 0.5:
        return text.upper(), texts.UPPER + texts.DIGITS + "@._-" if rng.random() < 0.5 else None
    return text, None


def _listed(crop: Gray, text: str, words: Sequence[str], rng: Rng) -> Item:
    """A word read against a list that holds it or not; off the list no reading is right."""
    if rng.random() < _LONG:
        long = _long_list(tuple(words), int(rng.integers(_LONG_LISTS)))
        right = text if text in long else None
        return Item(crop, Field("listed", kind="text", choices=long), right)
    low, high = np.log(_LIST_SIZES)
    most = min(len(words), int(np.exp(rng.uniform(low, high))))
    chosen = rng.choice(len(words), size=most, replace=False)
    listed = [words[i] for i in chosen if words[i].lower() != text.lower()]
    if rng.random() < _LISTED:
        return Item(crop, Field("listed", kind="text", choices=(*listed, text)), text)
    if rng.random() < _LOOKALIKE:
        listed.append(_near_miss(text, rng))
    return Item(crop, Field("listed", kind="text", choices=tuple(listed) or ("-",)), None)


class _Patterns:
    """Gives fields patterns as authors of templates do, where these have a calibration apart."""

    def __init__(self, words: Sequence[str], coiner: Coiner, spec: ModelSpec) -> None:
        self._words, self._coiner, self._spec = words, coiner, spec
        self._seen: dict[str, list[str]] = defaultdict(list)

    def by_pattern(self, item: Item, rng: Rng, *, wanted: Collection[str]) -> Item:
        """The same ink, read by a pattern if such a field is wanted: mostly one that it fulfils."""
        plain, group = group_of(item.field), group_of(replace(item.field, pattern="."))
        if item.right is None or group == plain or group not in wanted:
            return item
        if plain in wanted and rng.random() >= _BY_PATTERN:
            return item
        seen = self._seen[group]
        if item.field.kind == "amount" and not item.right[-1].isdigit():
            return item  # how an amount is closed is in no pattern, and yet written
        told = pick(seen, rng) if seen and rng.random() < _AGAINST_PATTERN else item.right
        if len(seen) < _POOL:
            seen.append(item.right)
        else:
            seen[int(rng.integers(_POOL))] = item.right
        words = told.split()
        if plain == "text" and all(map(str.isalpha, words)):
            pattern = self._of_words(words, rng) if rng.random() < _VOCABULARY else None
        else:
            pattern = None
        pattern = pattern or pattern_of(told, rng)
        if not pattern:
            return item
        field = replace(item.field, pattern=pattern)
        if len(told) > (item.field.n_cells or len(told)):  # nobody asks for more than there is room
            return item
        if re.fullmatch(pattern, item.right) is not None:
            return item._replace(field=field)
        try:
            compile_grammar(field, self._spec.labels)
        except TemplateError:  # capitals alone, and small ones asked for
            return item
        return Item(item.crop, field, None)

    def _of_words(self, words: Sequence[str], rng: Rng) -> str:
        """A vocabulary with these words among others, written as they are."""
        low, high = np.log(_VOCABULARY_SIZES)
        others = [
            pick(self._words, rng) if rng.random() < 0.5 else self._coiner.word(rng)
            for _ in range(int(np.exp(rng.uniform(low, high))))
        ]
        others = [word for word in others if word.isascii() and word.isalpha()]
        if rng.random() < 0.25:  # "sixteen" and "sixty"
            others += [_near_miss(word, rng) for word in words]
        lengths = np.cumsum([len(word) for word in (*words, *others)])
        others = others[: max(0, int(np.sum(lengths <= _VOCABULARY_CHARS)) - len(words))]
        like = pick(words, rng)
        if like.isupper() and len(like) > 1:
            others = [word.upper() for word in others]
        elif like.istitle() and rng.random() < 0.5:
            others = [word.capitalize() for word in others]
        else:
            others = [word.lower() for word in others]
        return vocabulary_of([*words, *others], rng)


@lru_cache(maxsize=_LONG_LISTS)
def _long_list(words: tuple[str, ...], number: int) -> tuple[str, ...]:
    """The same half of the words each time, so that its grammar is made once."""
    held = np.random.default_rng(number).random(len(words)) < 0.5
    return tuple(word for word, kept in zip(words, held, strict=True) if kept) or ("-",)


def _near_miss(text: str, rng: Rng) -> str:
    """Another letter for one of the text's."""
    at = int(rng.integers(len(text)))
    others = [char for char in texts.LOWER if char != text[at].lower()]
    return text[:at] + pick(others, rng) + text[at + 1 :]


def _kinds(text: str, kinds: Sequence[str], spec: ModelSpec) -> list[str]:
    """Of `kinds` those that allow the text; "text" where none does."""
    return [one for one in kinds if _grammar_accepts(one, spec.labels, text)] or ["text"]


@lru_cache(maxsize=1 << 16)
def _grammar_accepts(kind: str, labels: tuple[str, ...], text: str) -> bool:
    return compile_grammar(Field("any", kind=kind), labels).accepts(text)


def pick(options: Sequence[str], rng: Rng) -> str:
    """One of them, each as likely."""
    return options[int(rng.integers(len(options)))]
