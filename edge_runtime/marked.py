"""What is said of marks: check boxes, signatures, and choices of which one is marked.

Owns:   `judge_mark`, `judge_choice`, `reading_of`, `MARKS`.
Needs:  `place`, `confidence`, `results`.
"""

from __future__ import annotations

from edge_runtime.chosen import Chosen
from edge_runtime.confidence import calibration_for
from edge_runtime.field import Field
from edge_runtime.grammar import preset
from edge_runtime.place import FieldInk
from edge_runtime.results import Alternative, FieldReading, Glyph, Status, Value
from edge_runtime.spec import ModelSpec

MARKS = {"checkbox": ("yes", "no"), "signature": ("present", "absent")}
_GROUP = "text"  # of calibrations, whose operating point is that of marks
_TOLD = 4  # alternatives
# Of rows with a mark that looks withdrawn, how many answer by the other: 30 of 38 drawn ones; in
# the others both are meant.
_STANDS = 0.75


def judge_mark(ink: FieldInk, mark: float, spec: ModelSpec) -> FieldReading:
    """The reading of a check box or a signature; `mark` is the probability that it is there."""
    there, absent = MARKS[str(ink.field.kind)]
    text = there if mark >= 0.5 else absent
    sure = max(mark, 1.0 - mark)
    accept = calibration_for(spec, _GROUP).accept
    other = absent if text == there else there
    faults = ["scribbled over"] if ink.state == "corrected" else []
    faults += [ink.doubt] if ink.doubt else []
    faults += [f"confidence under {accept:.4g}"] if sure < accept else []
    return reading_of(
        ink,
        text=text,
        value=mark >= 0.5,
        confidence=sure,
        status=Status.REVIEW if faults else Status.ACCEPTED,
        reason="; ".join(faults),
        alternatives=(Alternative(other, 1.0 - sure),),
        raw_text=text,
    )


def judge_choice(ink: FieldInk, chosen: Chosen, spec: ModelSpec) -> FieldReading:
    """The reading of a choice of which one is marked."""
    names, alone = ink.field.choices or (), chosen.alone
    accept = calibration_for(spec, _GROUP).accept
    faults = [] if chosen.shown else ["the boxes are not seen where the template has them"]
    if chosen.none >= accept and not any(chosen.traces):
        optional = "the field is optional" if ink.field.optional else "the field is not optional"
        if faults:
            return reading_of(ink, confidence=0.5, reason="; ".join(["no mark", *faults]))
        return reading_of(ink, reason=f"no mark; {optional}")
    traces = chosen.traces or (False,) * len(names)
    order = sorted(range(len(names)), key=lambda k: (-chosen.marked[k], not traces[k]))
    best = order[0]
    two = 1.0 - chosen.none - sum(alone)
    stands: list[int] = []  # the mark beside one that looks withdrawn
    if two > max(alone[best], chosen.none):
        several = [k for k in order if chosen.marked[k] >= 0.5]
        faults.append(_named("more than one is marked", several, ink.field))
        taken = [k for k in several if any(chosen.withdrawn) and chosen.withdrawn[k]]
        if taken:
            faults.append(_named("one may be withdrawn", taken, ink.field))
            order.sort(key=lambda k: k in taken)
            best = order[0]
            stands = [best] if len(several) == len(taken) + 1 else []
    else:
        if chosen.none > alone[best]:
            faults.append("faintly marked, perhaps not at all")
        others = [k for k in order[1:] if traces[k]]
        if others and alone[best] < accept:
            faults.append(_named("something is at another, too", others, ink.field))
    sure = alone[best] if best not in stands else max(alone[best], _STANDS * two)
    faults += [f"confidence under {accept:.4g}"] if sure < accept else []
    rest = sorted(order[1:], key=lambda k: -alone[k])[:_TOLD]
    return reading_of(
        ink,
        text=names[best],
        value=names[best],
        confidence=sure,
        status=Status.REVIEW if faults else Status.ACCEPTED,
        reason="; ".join(faults),
        alternatives=tuple(Alternative(names[k], alone[k]) for k in rest),
        raw_text=names[best],
    )


def _named(what: str, which: list[int], field: Field) -> str:
    """A fault with the choices it is about; a secret's are not told."""
    if field.secret or not which:
        return what
    return f"{what}: {', '.join((field.choices or ())[k] for k in sorted(which))}"


def reading_of(
    ink: FieldInk,
    *,
    text: str = "",
    value: Value = None,
    confidence: float = 1.0,
    status: Status = Status.BLANK,
    reason: str = "",
    alternatives: tuple[Alternative, ...] = (),
    glyphs: tuple[Glyph, ...] = (),
    raw_text: str = "",
    prior: str = "",
) -> FieldReading:
    """A reading of this field; of a blank, unless said otherwise."""
    return FieldReading(
        name=ink.field.name,
        kind=preset(ink.field).kind or "text",
        text=text,
        value=value,
        confidence=confidence,
        status=status,
        reason=reason,
        alternatives=alternatives,
        glyphs=glyphs,
        raw_text=raw_text,
        box=ink.box,
        secret=bool(ink.field.secret),
        prior=prior,
    )
