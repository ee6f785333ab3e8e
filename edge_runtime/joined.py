"""The reading of a field of several lines, from those of its lines.

Owns:   `joined`.
Needs:  `confidence`, `results`, `field`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from edge_runtime.confidence import calibration_for, group_of
from edge_runtime.field import Field
from edge_runtime.results import Alternative, FieldReading, Status
from edge_runtime.spec import ModelSpec

_ALTERNATIVES = 9  # as many as one line has, at most


def joined(lines: Sequence[FieldReading], field: Field, spec: ModelSpec) -> FieldReading:
    """One reading of all lines, "\\n" between two.

    It is as probable as all of them are right, each by itself; accepted where each line is, and all
    together are as sure as one must be.

    Args:
        lines: From the first to the last, two or more.
        field: Theirs, with the lines it has room for.
        spec: Of the model, with the operating points to go by.
    """
    # A bit of print that was taken for a line says nothing.
    lines = [one for one in lines if one.status is not Status.BLANK] or list(lines[:1])
    if len(lines) == 1:
        return lines[0]
    sure = math.prod(one.confidence for one in lines)
    accept = calibration_for(spec, group_of(field)).accept
    reasons = _reasons(lines)
    room = field.lines or 1
    if len(lines) > room:
        n = "more" if lines[0].secret else len(lines)
        reasons.append(f"{n} lines of writing in a field of {room}; give it as many lines")
    elif not reasons and sure < accept:
        reasons.append(f"confidence under {accept:.4g}")
    status = Status.REVIEW if reasons else Status.ACCEPTED
    if any(one.status is Status.REJECTED for one in lines):
        status = Status.REJECTED
    text = "\n".join(one.text for one in lines)
    x0, y0, x1, y1 = zip(*(one.box for one in lines), strict=True)
    return FieldReading(
        name=lines[0].name,
        kind=lines[0].kind,
        text=text,
        value=text if all(isinstance(one.value, str) for one in lines) else None,
        confidence=sure,
        status=status,
        reason="; ".join(reasons),
        alternatives=_alternatives(lines, sure),
        glyphs=tuple(glyph for one in lines for glyph in one.glyphs),
        raw_text="\n".join(one.raw_text for one in lines),
        box=(min(x0), min(y0), max(x1), max(y1)),
        secret=lines[0].secret,
        prior=next((one.prior for one in lines if one.prior), ""),
    )


def _reasons(lines: Sequence[FieldReading]) -> list[str]:
    """Each once, with the lines that it holds for; of a secret, nobody learns how many it has."""
    found: dict[str, list[str]] = {}
    for at, one in enumerate(lines, 1):
        if one.reason:
            found.setdefault(one.reason, []).append(str(at))
    if lines[0].secret:
        return list(found)
    return [f"line{'s' * (len(at) > 1)} {', '.join(at)}: {reason}" for reason, at in found.items()]


def _alternatives(lines: Sequence[FieldReading], sure: float) -> tuple[Alternative, ...]:
    """The likeliest texts in which one line says something else."""
    found = []
    for at, one in enumerate(lines):
        for text, probability in one.alternatives:
            others = [*lines[:at], *lines[at + 1 :]]
            said = [each.text for each in lines]
            said[at] = text
            share = probability * math.prod(each.confidence for each in others)
            found.append(Alternative("\n".join(said), min(share, 1.0 - sure)))
    found.sort(key=lambda each: -each.probability)
    return tuple(found[:_ALTERNATIVES])
