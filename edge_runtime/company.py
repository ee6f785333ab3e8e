"""What marks mean beside the other marks of their page.

Owns:   `in_company`, `vouched_for`.
Needs:  `place`, `chosen`.
Words:  *lined*: ticked or crossed. *dark*: blackened, within its edges or over them. Who blackens
        to answer blackens all; who ticks blackens what was ticked by mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge_runtime.check_marks import STATES
from edge_runtime.chosen import Row, choose
from edge_runtime.place import FieldInk

_FEWEST = 3  # dark boxes by which a page is known to be answered so
_LINED = 0.25  # of them that may look lined: a hasty scribble does
_MEANT = 0.997  # of dark boxes on such a page; assumed
_COVERED = 0.4  # of a dark box's middle; a hasty zigzag leaves as much paper
_AMID = "blackened, while others are ticked or crossed: perhaps withdrawn"
_DARK, _LINES = ("filled", "corrected"), ("ticked", "crossed")


def in_company(inks: Sequence[FieldInk]) -> list[FieldInk]:
    """The fields of one page, what each says of its marks put right by the others."""
    out = list(inks)
    if not any(ink.bubbles is not None or ink.state for ink in inks):
        return out
    at = [k for k, ink in enumerate(out) if ink.bubbles is not None]
    rows = [
        Row(ink.bubbles, ink.field.choices or (), ink.field.marks or "any")
        for ink in inks
        if ink.bubbles is not None
    ]
    for k, chosen in zip(at, choose(rows), strict=True):
        out[k] = replace(out[k], chosen=chosen)
    dark = sum(_is_dark(ink) for ink in inks)
    lined = sum(ink.state in _LINES for ink in inks)
    fills = dark >= _FEWEST and lined <= _LINED * dark
    for k, ink in enumerate(out):
        if _is_dark(ink):
            out[k] = _dark(ink, fills=fills, lined=lined > 0)
    return out


def _is_dark(ink: FieldInk) -> bool:
    return ink.state in _DARK and ink.core >= _COVERED


def vouched_for(ink: FieldInk) -> frozenset[str]:
    """Causes of doubts on a field's place (`certainty.Certainty`) that its own print rules out."""
    if ink.chosen is not None and ink.chosen.shown and ink.field.marks != "circle":
        return frozenset({"spread"})
    # A mark hides a box's lines as well as what lies over it does; but not all of their outline.
    return frozenset({"hidden"}) if ink.framed else frozenset()


def _dark(ink: FieldInk, *, fills: bool, lined: bool) -> FieldInk:
    """A blackened box, on a page that is answered so or not."""
    marks = ink.field.marks or "any"
    if marks == "fill" or (marks == "any" and fills):
        return replace(ink, mark=_MEANT * ink.there, state="filled", doubt=ink.over)
    if marks == "tick":
        return replace(ink, mark=min(ink.mark or 0.0, ink.states[STATES.index("filled")], 0.4))
    return replace(ink, doubt=ink.doubt or _AMID) if lined else ink
