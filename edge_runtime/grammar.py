"""What a field may say: kinds filled in, and the automaton of all texts that are allowed.

Owns:   `preset`, `Grammar`, `compile_grammar`; `value_of` and `checksum_ok` come from `values`.
Needs:  numpy, `automaton`, `field`, `values`.
Words:  *skip*: marks that are read and left out of the text; a caller's win over the charset.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime import automaton
from edge_runtime.automaton import Dfa, Edges, GrammarError, Mask
from edge_runtime.errors import TemplateError
from edge_runtime.field import Field
from edge_runtime.values import checksum_ok, value_of

__all__ = ["Grammar", "checksum_ok", "compile_grammar", "preset", "value_of"]

_LETTERS = string.ascii_letters
_DIGITS = string.digits
_GRAPHIC = _LETTERS + _DIGITS + string.punctuation
_PRINTABLE = _GRAPHIC + " "
ASCII_LABELS = ("", *map(chr, range(32, 127)))  # of the bundled model

# Twice the 192 characters that the widest strip of the bundled model has room for, one a frame. A
# bound that no strip reaches says nothing (and no row has as many cells), but its automaton costs:
# one of 3,000 half a minute.
_MOST_COUNTED = 384

# 1..31 serves day and month alike, so that both orders are read; four-digit years 1500 to 2199.
_N31 = "(0?[1-9]|[12][0-9]|3[01])"
_YEAR4 = "(1[5-9]|2[01])[0-9]{2}"
_YEAR = f"({_YEAR4}|'?[0-9]{{2}})"
_SEP = "([-/.,] ?| )"
_MONTH = "[A-Za-z]{3,10}\\.?"  # any language that is written in ASCII
_DAY = "([1-9]|0[1-9]|[12][0-9]|3[01])(st|nd|rd|th|\\.)?"
_DATE = "|".join(
    (
        f"{_N31}{_SEP}{_N31}({_SEP}{_YEAR})?",
        f"{_YEAR4}{_SEP}{_N31}{_SEP}{_N31}",
        f"{_N31}{_SEP}{_YEAR4}",
        "[0-9]{6}|[0-9]{8}",
        f"{_MONTH} ?{_DAY}( ?[,.] ?| ){_YEAR}",
        f"({_DAY}( ?[-/., ] ?)?)?{_MONTH}( ?[-/., ] ?)?{_YEAR}",
    )
)
_TIME = (
    "([01]?[0-9]|2[0-4])"
    "( ?[:.hH] ?[0-5][0-9]([:.'][0-5][0-9])?| ?[hH]|[0-5][0-9])?"
    "( ?([AaPp]\\.?[Mm]\\.?|Uhr|uhr|h|hrs))?"
)
_GROUPED = "[0-9]+([., '][0-9]{2,3})*"  # 1.250  1,25,000  10 000
_MONEY = "([$]|[A-Z]{1,3}[$]?|[A-Z]?[a-z]{1,2}\\.?|S/\\.?)"  # $ US$ EUR Rp. kr S/.
_AMOUNT = (
    f"[*#=-]{{0,3}}({_MONEY} ?)?[+-]?"
    f"({_GROUPED}([.,][0-9]{{1,2}})?|[.,][0-9]{{2}})"
    "([., ]?[-=]{1,3}|( |-)?([0-9]{2}|[xX]{2}|no|NO|No)/(100|[xX]{2}))?"
    f"[*#]{{0,3}}( ?{_MONEY})?"
)
_INTEGER = "[+-]?[0-9]+([., '][0-9]{3})*([.,]?[-=]{1,3})?"
_PHONE = "(\\+ ?)?\\(?\\+?[0-9]([-./() ]{0,3}[0-9]){2,}( ?,? ?([xX]|[Ee]xt\\.?|#) ?[0-9]{1,6})?"
_EMAIL = "[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+"

_KINDS: dict[str, dict[str, Any]] = {
    "text": {"charset": _PRINTABLE},
    "name": {"charset": _LETTERS + _DIGITS + " .,'-&/()"},
    "username": {"charset": _GRAPHIC},
    "digits": {"charset": _DIGITS, "skip": " .,-=/*"},
    "integer": {"charset": _DIGITS + "+-=., '", "pattern": _INTEGER},
    "amount": {"charset": _PRINTABLE, "pattern": _AMOUNT},
    "date": {"charset": _PRINTABLE, "pattern": _DATE},
    "time": {"charset": _PRINTABLE, "pattern": _TIME},
    "email": {"charset": _GRAPHIC, "pattern": _EMAIL},
    "phone": {"charset": _PRINTABLE, "pattern": _PHONE},
    "iban": {
        "charset": string.ascii_uppercase + _DIGITS + " ",
        "pattern": "[A-Z]{2} ?[0-9]{2}( ?[A-Z0-9]){11,30}",
        "checksum": "iban",
    },
    "card": {"charset": _DIGITS + " -", "pattern": "[0-9]([ -]?[0-9]){11,18}", "checksum": "luhn"},
    "account": {"charset": string.ascii_uppercase + _DIGITS + " ./-"},
    "code": {"charset": _LETTERS + _DIGITS},
    "upper": {"charset": string.ascii_uppercase},
    "lower": {"charset": string.ascii_lowercase},
    "choice": {"charset": _PRINTABLE},
    "checkbox": {"charset": _PRINTABLE, "choices": ("yes", "no")},
    "signature": {"charset": _PRINTABLE, "choices": ("present", "absent")},
}


@lru_cache(maxsize=4096)
def preset(field: Field) -> Field:
    """The field with all that its kind implies filled in.

    A caller's charset, pattern or choices take the place of the kind's pattern; a kind's skip marks
    give way to a charset or choices that hold them; cells bound the length.

    Raises:
        TemplateError: A choice without choices.
    """
    kind = field.kind or ("choice" if field.choices else "text")
    ours = _KINDS[kind]
    own = field.charset is not None or field.choices is not None or field.pattern is not None
    choices = field.choices if field.choices is not None else ours.get("choices")
    if kind == "choice" and not choices:
        raise TemplateError(f"field {field.name!r}: a choice without choices; list them")
    charset = field.charset
    if charset is None:
        charset = _PRINTABLE if choices else str(ours["charset"])
    skip = field.skip
    if skip is None:
        spoken = set("".join(choices or ())) | set(field.charset or "")
        skip = "".join(mark for mark in ours.get("skip", "") if mark not in spoken)
    most = field.max_length
    if field.n_cells:
        most = min(field.n_cells, most or field.n_cells)
    return replace(
        field,
        kind=kind,
        charset=charset,
        skip=skip,
        pattern=field.pattern if own else ours.get("pattern"),
        choices=choices,
        min_length=max(1, field.min_length or 0),  # a blank is told from its ink, not from its text
        max_length=most,
        checksum=ours.get("checksum") if field.checksum is None else field.checksum,
        optional=bool(field.optional),
        secret=bool(field.secret),
    )


_SPELLED = 4  # characters of either case, and where a word ends


@dataclass(frozen=True, eq=False)
class Grammar:
    """All texts of a field, as a deterministic automaton in which every state leads to a text.

    Args:
        labels: Of the network; labels[0] is the CTC blank.
        make: Makes `edges` and `accepting`, when they are first asked for: a long list of choices
            is read without them.
        skip: bool (n_labels,): read and left out of the text; they leave every state as it is.
        n_cells: 0 for a free field.
        field: The preset it was made of.
        texts: All that are allowed, where choices were listed.
    """

    labels: tuple[str, ...]
    make: Callable[[], tuple[Edges, Mask]]
    skip: Mask
    n_cells: int
    field: Field
    texts: tuple[str, ...] | None = None
    _index: dict[str, int] = attribute(init=False, repr=False)

    def __post_init__(self) -> None:
        index = {label: at for at, label in enumerate(self.labels) if label}
        object.__setattr__(self, "_index", index)

    def narrowed(self, edges: Edges, accepting: Mask) -> Grammar:
        """The same field with fewer texts: those of another automaton."""
        return replace(self, make=lambda: (edges, accepting), texts=None)

    @cached_property
    def _made(self) -> tuple[Edges, Mask]:
        return self.make()

    @property
    def edges(self) -> Edges:
        """int32 (n, 3): from, label, to; sorted by from, then label. State 0 is the beginning."""
        return self._made[0]

    @property
    def accepting(self) -> Mask:
        """bool (states,): where a text may end."""
        return self._made[1]

    @cached_property
    def _listed(self) -> frozenset[str]:
        return frozenset(self.texts or ())

    @property
    def n_states(self) -> int:
        return len(self.accepting)

    @cached_property
    def first_edge(self) -> NDArray[np.intp]:
        """intp (states + 1,): the edges of state q are first_edge[q] to first_edge[q + 1]."""
        return np.searchsorted(self.edges[:, 0], np.arange(self.n_states + 1))

    @cached_property
    def spells_words(self) -> bool:
        """Whether the pattern says which words may stand there: a prior knows no better then.

        Told by how many characters may follow, in the median of the states.
        """
        if self.texts is not None or self.field.pattern is None:
            return False
        follow = np.bincount(self.edges[:, 0])
        return bool(np.median(follow[follow > 0]) <= _SPELLED)

    @cached_property
    def characters(self) -> frozenset[str]:
        """All that stand in some text, and the skip marks."""
        if self.texts is not None:
            texts = frozenset().union(*self.texts)
        else:
            texts = frozenset(self.labels[at] for at in np.unique(self.edges[:, 1]))
        return texts | {label for label, skip in zip(self.labels, self.skip, strict=True) if skip}

    @cached_property
    def allowed(self) -> Mask:
        """bool (n_labels,): the field's charset, whether or not it stands in some text."""
        charset = self.field.charset or ""
        return np.array([label != "" and label in charset for label in self.labels]) & ~self.skip

    @cached_property
    def used(self) -> Mask:
        """bool (n_labels,): labels that stand in some text."""
        on = np.zeros(len(self.labels), np.bool_)
        if self.texts is not None:
            on[self.labels_of("".join(set("".join(self.texts))))] = True
        else:
            on[self.edges[:, 1]] = True
        return on

    @cached_property
    def hush(self) -> NDArray[np.intp]:
        """intp (n,): what a cell says that holds neither a glyph nor a mark: the blank, a space."""
        return np.array([0, *self.labels_of(" ")] if " " in self.labels else [0], np.intp)

    @cached_property
    def quiet(self) -> NDArray[np.intp]:
        """intp (n,): these and the skip marks, ascending: what is no glyph in a cell."""
        return np.union1d(self.hush, self.skip.nonzero()[0])

    @cached_property
    def readable(self) -> frozenset[str]:
        """Characters that some text holds, or that are skipped."""
        return frozenset(self.labels[at] for at in np.flatnonzero(self.used | self.skip).tolist())

    @cached_property
    def next_state(self) -> NDArray[np.int32]:
        """int32 (states, n_labels), -1 where not allowed; skip marks stay where they are."""
        table = np.full((self.n_states, len(self.labels)), -1, np.int32)
        table[self.edges[:, 0], self.edges[:, 1]] = self.edges[:, 2]
        table[:, self.skip] = np.arange(self.n_states)[:, None]
        return table

    @cached_property
    def ways(self) -> dict[tuple[int, int], int]:
        """(state, label) to the next state, where there is one."""
        return {(at, label): to for at, label, to in self.edges.tolist()}

    @cached_property
    def _moves(self) -> list[dict[str, int]]:
        """For each state, character to the next state."""
        found: list[dict[str, int]] = [{} for _ in range(self.n_states)]
        for at, label, to in self.edges.tolist():
            found[at][self.labels[label]] = to
        return found

    @cached_property
    def ends(self) -> list[bool]:
        """As `accepting`."""
        found: list[bool] = self.accepting.tolist()
        return found

    @cached_property
    def spoken(self) -> NDArray[np.intp]:
        """intp (1 + labels that stand in some text,): the blank and these, ascending."""
        on = self.used.copy()
        on[0] = True
        return on.nonzero()[0]

    def labels_of(self, text: str) -> list[int]:
        """The labels that spell a text; 0 for a character the network does not know."""
        try:
            return list(map(self._index.__getitem__, text))
        except KeyError:
            return [self._index.get(char, 0) for char in text]

    def spell(self, labels: Iterable[int]) -> str:
        """The text of some labels."""
        return "".join(map(self.labels.__getitem__, labels))

    def accepts(self, text: str) -> bool:
        """Whether `text` is one of the allowed texts."""
        if self.texts is not None:
            return text in self._listed
        state, moves = 0, self._moves
        for char in text:
            state = moves[state].get(char, -1)
            if state < 0:
                return False
        return self.ends[state]


@lru_cache(maxsize=1024)
def compile_grammar(field: Field, labels: tuple[str, ...]) -> Grammar:
    """The automaton of a field over a network's labels; fields that allow the same share it.

    Raises:
        TemplateError: A broken pattern, a choice that cannot be spelled, or no text is allowed.
    """
    full = preset(field)
    checksum_ok("0", full)  # for its complaint where there is no such number
    try:
        rules = replace(full, name="", box=None, cells=full.n_cells or None)
        return _compiled(replace(rules, optional=None, secret=None), labels)
    except GrammarError as fault:
        raise TemplateError(f"field {field.name!r}: {fault}") from fault


@lru_cache(maxsize=1024)
def _compiled(full: Field, labels: tuple[str, ...]) -> Grammar:
    skip = np.array([label != "" and label in (full.skip or "") for label in labels])
    allowed = np.array([label != "" and label in (full.charset or "") for label in labels]) & ~skip
    if not full.choices:
        dfa = _language(full, labels, allowed)
        made = automaton.edges_of(dfa), dfa.accepting
        return Grammar(labels, lambda: made, skip, full.n_cells, full)
    texts = _listed(full, labels, allowed)
    index = {label: at for at, label in enumerate(labels) if label}
    return Grammar(
        labels, lambda: automaton.from_texts(texts, index), skip, full.n_cells, full, texts
    )


def _language(full: Field, labels: tuple[str, ...], allowed: Mask) -> Dfa:
    """Everything but choices. Spaces stand alone in free text; a pattern places its own."""
    if full.pattern is not None:
        dfa = automaton.from_regex(full.pattern, labels)
    else:
        dfa = automaton.single_spaces(labels)
    dfa = automaton.minimal(automaton.restricted(dfa, allowed))
    least = min(full.min_length or 1, _MOST_COUNTED + 1)
    most = None if (full.max_length or 0) > _MOST_COUNTED else full.max_length
    counted = automaton.lengths(len(labels), least, most)
    return automaton.minimal(automaton.crossed(dfa, counted))


def _listed(full: Field, labels: tuple[str, ...], allowed: Mask) -> tuple[str, ...]:
    """The choices that fulfil all else, each once."""
    index = {label: at for at, label in enumerate(labels) if label}
    spoken = set("".join(full.choices or ()))  # all at once: there are lists of 100,000 texts
    if not spoken <= index.keys():
        for text in full.choices or ():
            if strange := set(text) - index.keys():
                raise GrammarError(
                    f"choice {text!r} holds {', '.join(map(repr, sorted(strange)))}, which the "
                    "network does not know; spell it otherwise"
                )
    ours = {label for label, on in zip(labels, allowed, strict=True) if on}
    all_ours = spoken <= ours
    rule = None if full.pattern is None else automaton.from_regex(full.pattern, labels)
    least, most = full.min_length or 1, full.max_length or 10**9
    texts = tuple(
        text
        for text in dict.fromkeys(full.choices or ())
        if least <= len(text) <= most
        and (all_ours or ours.issuperset(text))
        and (rule is None or automaton.accepts(rule, text, index))
    )
    if not texts:
        raise GrammarError("no choice fulfils all that is asked of it; loosen one condition")
    return texts
