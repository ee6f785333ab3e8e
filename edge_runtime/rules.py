"""What the fields of a form owe each other: "total = net + tax", checked and never corrected.

Owns:   the grammar of a rule, `fields_of`, `evaluate_rules`.
Needs:  the standard library, `errors` and `results`.
Words:  rule := sum (("=" | "!=" | "<" | "<=" | ">" | ">=") sum)+; sum and product have + - * / and
        brackets; an atom is a number, a "text" in quotes, or a field's name. A name that is no
        plain word ("date-of-birth") is found because the form has such a field.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import (
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import lru_cache
from typing import Any

from edge_runtime.errors import TemplateError
from edge_runtime.results import Value

_LONGEST = 500  # characters of a rule
_DEEPEST = 40  # brackets and signs of a rule, each a level of recursion or five
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_TOKEN = r"""(?P<number>\d+(?:\.\d+)?)(?!\w)|(?P<text>"[^"]*"|'[^']*')|(?P<name>[^\W\d]\w*)"""
_SIGN = r"|(?P<sign><=|>=|==|!=|[-+*/()<>=])"
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?", re.ASCII)

# Digits that sums and products keep; a quotient that does not end is cut there.
_EXACT = Context(prec=500, traps=[DivisionByZero, InvalidOperation, Overflow])

# ("number", Decimal) | ("text", str) | ("field", name) | (sign, left, right)
Node = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class RuleFault:
    """A rule that the values of a form break, or that cannot be asked of them.

    The reason tells no value. Where a field of the rule is secret it does not tell the rule either:
    of pin != "1234" that would be the pin.
    """

    rule: str
    fields: tuple[str, ...]  # that the rule names, in its order
    reason: str


@dataclass(frozen=True, slots=True, order=True)
class _Mark:
    """A check box or a signature: beside its like it is on or off, beside a text what it reads."""

    on: bool
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Rule:
    sums: tuple[Node, ...]
    signs: tuple[str, ...]  # between neighbouring sums
    fields: tuple[str, ...]


def fields_of(rule: str, names: Iterable[str] = ()) -> tuple[str, ...]:
    """The fields that a rule names, each once.

    Args:
        rule: Its text.
        names: Fields of the form, so that names with blanks or hyphens are known.

    Raises:
        TemplateError: The rule does not parse.
    """
    return _parse(rule, _odd(names)).fields


def evaluate_rules(
    rules: Sequence[str],
    values: Mapping[str, Value],
    *,
    texts: Mapping[str, str] | None = None,
    valueless: Collection[str] = (),
    secret: Collection[str] = (),
) -> tuple[RuleFault, ...]:
    """The rules that the values break.

    A rule with a blank field (its value absent, None or "") is left out. Texts that are numbers
    count as numbers, unless two texts stand against each other: "007" is not "7".

    Args:
        rules: Of a template, in its order: a secret one is told by its number, from 1.
        values: By the fields' names.
        texts: What a bool reads where it is compared with a text; left out: yes or no.
        valueless: Fields that are not blank and have no value all the same: they break their rules.
        secret: Fields of which no reason may tell anything.

    Raises:
        TemplateError: A rule does not parse; a `Template` was checked for that.
    """
    faults = []
    marks = {
        name: _Mark(value, (texts or {}).get(name, "yes" if value else "no"))
        for name, value in values.items()
        if isinstance(value, bool)
    }
    known = {**values, **marks}
    for number, text in enumerate(rules, 1):
        rule = _parse(text, _odd(values))
        said = f"rule {number}" if set(rule.fields) & set(secret) else text
        missing = [name for name in rule.fields if values.get(name) in (None, "")]
        if any(name not in valueless for name in missing):
            continue
        if missing:
            reason = f"{said} cannot be checked: no value of {', '.join(missing)}"
        else:
            what = _broken(rule, known)
            if not what:
                continue
            reason = f"{said} {what}"
        faults.append(RuleFault(text, rule.fields, reason))
    return tuple(faults)


def _broken(rule: _Rule, values: Mapping[str, Value | _Mark]) -> str:
    """What is wrong with a rule; "" where it holds."""
    try:
        with localcontext(_EXACT):  # whatever the program around us has set for itself
            sums = [_value(node, values) for node in rule.sums]
            pairs = zip(rule.signs, sums, sums[1:], strict=False)
            holds = all(_compare(sign, left, right) for sign, left, right in pairs)
        return "" if holds else "does not hold"
    except (TypeError, DecimalException):
        return "cannot be computed from what was read"


def _value(node: Node, values: Mapping[str, Value | _Mark]) -> Any:
    sign = node[0]
    if sign == "field":
        value = values[node[1]]
        return Decimal(value) if isinstance(value, int) else value
    if sign in ("number", "text"):
        return node[1]
    left, right = (_number(_value(side, values)) for side in node[1:])
    return _ARITHMETIC[sign](left, right)


def _compare(sign: str, left: Any, right: Any) -> bool:
    if isinstance(left, _Mark) and isinstance(right, str):
        left = left.text
    elif isinstance(right, _Mark) and isinstance(left, str):
        right = right.text
    if isinstance(left, str) and isinstance(right, str):
        if sign in ("=", "==", "!="):
            return _COMPARE[sign](left, right)
        left, right = _number(left), _number(right)
    elif isinstance(left, Decimal) or isinstance(right, Decimal):
        left, right = _number(left), _number(right)
    elif type(left) is not type(right) and not isinstance(left, date) & isinstance(right, date):
        raise TypeError("values of different types")
    return _COMPARE[sign](left, right)


def _number(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return Decimal(value)
    raise TypeError("no number")


def _odd(names: Iterable[str]) -> tuple[str, ...]:
    """Names that are no plain word, longest first."""
    odd = {name for name in names if name.strip() and not re.fullmatch(r"[^\W\d]\w*", name)}
    return tuple(sorted(odd, key=lambda name: (-len(name), name)))


@lru_cache(maxsize=256)
def _parse(text: str, odd: tuple[str, ...]) -> _Rule:
    def fault(what: str) -> TemplateError:
        return TemplateError(f"rule {text[:80]!r}: {what}; write it as in 'total = net + tax'")

    if len(text) > _LONGEST:
        raise fault(f"{len(text)} characters, {_LONGEST} at most")
    if text.count("(") + text.count("-") > _DEEPEST:
        raise fault(f"more than {_DEEPEST} brackets and minus signs")
    known = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in odd)
    token = re.compile((f"(?P<odd>{known})|" if odd else "") + _TOKEN + _SIGN)
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        if (found := token.match(text, at)) is None:
            raise fault(f"what is {text[at : at + 10]!r}?")
        if found.lastgroup == "odd" and _NUMBER.fullmatch(found[0]):
            raise fault(f"{found[0]} is a number and a field's name; name the field otherwise")
        tokens.append(("name" if found.lastgroup == "odd" else str(found.lastgroup), found[0]))
        at = found.end()
    tokens.append(("end", "its end"))
    fields: dict[str, None] = {}
    place = 0

    def peek(signs: Iterable[str]) -> bool:
        return tokens[place][0] == "sign" and tokens[place][1] in signs

    def take() -> tuple[str, str]:
        nonlocal place
        place += 1
        return tokens[place - 1]

    def atom() -> Node:
        kind, word = take()
        if kind == "number":
            return "number", Decimal(word)
        if kind == "text":
            return "text", word[1:-1]
        if kind == "name":
            fields[word] = None
            return "field", word
        if word == "-" and kind == "sign":
            return "-", ("number", Decimal(0)), atom()
        if word == "(" and kind == "sign":
            inner = level("+-")
            if take()[1] != ")":
                raise fault("a bracket is not closed")
            return inner
        raise fault(f"a field or a number is missing before {word!r}")

    def level(signs: str) -> Node:
        def below() -> Node:
            return level("*/") if signs == "+-" else atom()

        left = below()
        while peek(signs):
            left = (take()[1], left, below())
        return left

    sums, signs = [level("+-")], []
    while peek(_COMPARE):
        signs.append(take()[1])
        sums.append(level("+-"))
    if tokens[place][0] != "end":
        raise fault(f"{tokens[place][1]!r} was not expected")
    if not signs:
        raise fault("it compares nothing")
    if not fields:
        raise fault("it names no field")
    return _Rule(tuple(sums), tuple(signs), tuple(fields))
