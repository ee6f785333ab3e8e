"""From what was decoded to what is said: status, reason, alternatives and the boxes of glyphs.

Owns:   the verdict on a field: `judge`, `judge_all`, and `match_probability`.
Needs:  numpy, `place`, `marked`, `grammar`, `decoded`, `confidence`, `glyphs`, `strikes`. No
        session.
Words:  *fault*: a reason in plain words not to accept a reading, however sure the network is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from edge_runtime.claims import claimed
from edge_runtime.confidence import (
    calibration_for,
    checked,
    claim_group_of,
    features,
    group_of,
    log_posterior,
    other_probability,
    probability,
)
from edge_runtime.decode import Decoding
from edge_runtime.decoded import Decoded, decode_fields, x_strikes
from edge_runtime.field import Field
from edge_runtime.glyphs import cell_box, line_boxes, map_boxes
from edge_runtime.grammar import Grammar, checksum_ok, compile_grammar, value_of
from edge_runtime.marked import MARKS, judge_choice, judge_mark, reading_of
from edge_runtime.place import FieldInk
from edge_runtime.preprocess import Strip
from edge_runtime.prior import NO_PRIORS, Priors
from edge_runtime.residues import SEPARATORS, chance_of
from edge_runtime.results import Alternative, FieldReading, Glyph, Status, Value
from edge_runtime.spec import Calibration, ModelSpec
from edge_runtime.strikes import CALLED, measured_as_cell, strike_share, usual_share
from edge_runtime.text_lines import lines_apart
from edge_runtime.values import no_value

Gray = NDArray[np.uint8]
LogProbs = NDArray[np.float32]
Evidence = NDArray[np.float64]
Matrix = NDArray[np.float64]

# A strip squeezed to less than two thirds of its width has letters no writer of ours drew.
_MAX_SQUEEZE = 1.5
# The grammar must hold a twentieth of what the network believes; foreign characters below that are
# not a 0 seen as an O, they are something else.
_LEAST_GRAMMAR_LOG = math.log(0.05)
# A decimal point lost or gained makes ten times the dose: one chance in ten thousand of that is too
# many, however likely the reading is otherwise.
_POINT_SHARE = 1.0e-4
_POINT = re.compile("[.,](?=[0-9])")
_WORDS = frozenset(("name", "username", "email", "code", "upper", "lower"))  # no decimals in them
DOUBTED_BLANK = 0.5  # confidence of a blank at a place that may be wrong or hidden; assumed
_NO_SEPARATORS = str.maketrans("", "", SEPARATORS)


def judge(
    ink: FieldInk, frames: Sequence[LogProbs], spec: ModelSpec, *, priors: Priors = NO_PRIORS
) -> tuple[FieldReading, Evidence | None]:
    """The reading of a field.

    Args:
        ink: From `take_ink`.
        frames: The network's answer to each of `ink.asked`, float32 (t, n_labels).
        spec: Of that network.
        priors: On what people write, for free text and names alone; without, the ink has the only
            say.

    Returns:
        The reading, and the evidence its confidence came from: None where no network was asked.
    """
    return judge_all([ink], [frames], spec, priors=priors)[0]


def judge_all(
    inks: Sequence[FieldInk],
    frames: Sequence[Sequence[LogProbs]],
    spec: ModelSpec,
    *,
    priors: Priors = NO_PRIORS,
) -> list[tuple[FieldReading, Evidence | None]]:
    """The readings of many fields, each to the last bit what `judge` says of it alone."""
    heard = [ink.mark is None and any(ink.strips) for ink in inks]
    decoded = iter(
        decode_fields(
            list(compress(inks, heard)), list(compress(frames, heard)), spec.labels, priors=priors
        )
    )
    return [
        _verdict(next(decoded), spec, priors) if there else (_unheard(ink, spec), None)
        for ink, there in zip(inks, heard, strict=True)
    ]


def _verdict(one: Decoded, spec: ModelSpec, priors: Priors) -> tuple[FieldReading, Evidence]:
    ink, grammar, decoding = one.ink, one.grammar, one.decoding
    skip, filled = grammar.field.skip or "", ink.filled
    value = value_of(decoding.text, grammar.field)
    known = None if grammar.spells_words else priors.of(ink.field.kind)
    evidence = features(decoding, filled, skip=skip, field=ink.field, prior=known)
    calibration = calibration_for(spec, group_of(ink.field))
    struck = _struck_shares(ink, grammar)
    fits = _checked(_sure(decoding, evidence, calibration), decoding, grammar.field)
    sure = fits * _meant(struck) * ink.kind_share
    faults = _faults(ink, filled, decoding, value, grammar, struck)
    status, reason = _status(sure, fits, calibration, faults)
    best = math.exp(log_posterior(decoding))
    others = (one for one in decoding.alternatives if one[0] != decoding.text)
    reading = reading_of(
        ink,
        text=decoding.text or one.said or _faintest(one),  # ink too short for any text is no blank
        value=value,
        confidence=sure,
        status=status,
        reason=reason,
        alternatives=tuple(
            Alternative(text, other_probability(share, best, sure)) for text, share in others
        ),
        glyphs=_glyphs(ink, decoding, spec),
        raw_text=one.said,
        prior=one.prior,
    )
    return reading, evidence


def match_probability(
    ink: FieldInk, frames: Sequence[LogProbs], spec: ModelSpec, expected: str
) -> float:
    """Calibrated probability, 0..1, that the ink says exactly `expected`.

    Args and shapes as `judge`. 0 for a text that the field does not allow, and for struck-out ink.
    """
    if ink.mark is not None:
        there, absent = MARKS[str(ink.field.kind)]
        return {there: ink.mark, absent: 1.0 - ink.mark}.get(expected, 0.0)
    if ink.chosen is not None:
        names = ink.field.choices or ()
        if expected == "":
            return ink.chosen.none
        return ink.chosen.alone[names.index(expected)] if expected in names else 0.0
    if not ink.filled:
        return (DOUBTED_BLANK if ink.doubt else 1.0) if expected == "" else 0.0
    grammar = compile_grammar(ink.field, spec.labels)
    struck = _struck_shares(ink, grammar)
    if expected == "" or _struck_out(ink, struck):
        return 0.0
    (one,) = decode_fields([ink], [frames], spec.labels)
    claim = claimed(one, expected)
    if claim is None or checksum_ok(expected, grammar.field) is False:
        return 0.0
    calibration = spec.calibration.get(claim_group_of(ink.field))
    if calibration is not None:
        evidence = features(claim, ink.filled, skip=grammar.field.skip or "")
        return probability(evidence, calibration) * _meant(struck)
    # A list of choices, or a model without calibrated claims: as probable as among all readings.
    decoding = one.decoding
    evidence = features(decoding, ink.filled, skip=grammar.field.skip or "")
    sure = _sure(decoding, evidence, calibration_for(spec, group_of(ink.field)))
    sure = _checked(sure, decoding, grammar.field) * _meant(struck)
    if expected == decoding.text:
        return sure
    share, best = math.exp(log_posterior(claim)), math.exp(log_posterior(decoding))
    return other_probability(share, best, sure)


def claim_evidence(
    ink: FieldInk, frames: Sequence[LogProbs], spec: ModelSpec, expected: str
) -> Evidence | None:
    """What `match_probability` judges by; None where it answers without the network."""
    if ink.mark is not None or not ink.filled or expected == "":
        return None
    (one,) = decode_fields([ink], [frames], spec.labels)
    claim = claimed(one, expected)
    if claim is None:
        return None
    return features(claim, ink.filled, skip=one.grammar.field.skip or "")


def _unheard(ink: FieldInk, spec: ModelSpec) -> FieldReading:
    """The reading of a mark, or of a field without ink."""
    if ink.mark is not None:
        return judge_mark(ink, ink.mark, spec)
    if ink.chosen is not None:
        return judge_choice(ink, ink.chosen, spec)
    optional = "the field is optional" if ink.field.optional else "the field is not optional"
    if ink.doubt:
        return reading_of(ink, confidence=DOUBTED_BLANK, reason=f"no ink; {ink.doubt}; {optional}")
    return reading_of(ink, reason=f"no ink; {optional}")


def _faintest(one: Decoded) -> str:
    """The likeliest character of ink in which the network sees none: no text is a blank's alone."""
    peaks = np.concatenate(one.frames)[:, 1:].max(axis=0)
    return one.grammar.labels[1 + int(peaks.argmax())]


def _sure(decoding: Decoding, evidence: Evidence, calibration: Calibration) -> float:
    if decoding.text == "" or decoding.log_total == -math.inf:
        return 0.0
    return probability(evidence, calibration)


def _checked(sure: float, decoding: Decoding, field: Field) -> float:
    """`sure`, raised where the check digit confirms what was read without it."""
    chance = chance_of(field.checksum or "")
    if chance == 1.0 or not decoding.alternatives or not checksum_ok(decoding.text, field):
        return sure
    (_, best), *others = decoding.alternatives
    if any(share > best for _, share in others):  # chosen for its check digit: that is used up
        return sure
    number, same, holding = _bare(decoding.text), 0.0, 0.0
    for text, share in others:
        if checksum_ok(text, field):
            probable = other_probability(share, best, sure)
            if _bare(text) == number:  # grouped otherwise: the same number
                same += probable
            else:
                holding += probable
    return checked(min(1.0, sure + same), holding, chance)


def _bare(number: str) -> str:
    return number.translate(_NO_SEPARATORS)


def _status(
    sure: float, fits: float, calibration: Calibration, faults: list[str]
) -> tuple[Status, str]:
    """`fits` is the probability that the text fits the ink, whether the ink is meant or not."""
    if fits < calibration.reject:
        return Status.REJECTED, "; ".join([*faults, "no allowed text fits the ink well"])
    if sure < calibration.accept:
        return Status.REVIEW, "; ".join([*faults, f"confidence under {calibration.accept:.4g}"])
    return (Status.REVIEW if faults else Status.ACCEPTED), "; ".join(faults)


def _struck_shares(ink: FieldInk, grammar: Grammar) -> tuple[float, ...]:
    """For each ink, how surely it was struck out or is no writing; 0 where it may be an X."""
    if ink.field.cells is not None and x_strikes(grammar):
        return (0.0,) * len(ink.inks)
    # A flat stroke alone in its cell is a dash or an underscore: it strikes nothing out.
    dashes = ink.dashes or ("",) * len(ink.inks)
    bounds, plain = ink.bounds or (None,) * len(ink.inks), ink.plain or (False,) * len(ink.inks)
    in_cells = ink.field.cells is not None
    return tuple(
        0.0
        if strip is None or dash or clear
        else strike_share(one.pixels, cell=measured_as_cell(box, in_cells=in_cells), box=box)
        for one, strip, dash, box, clear in zip(
            ink.inks, ink.strips, dashes, bounds, plain, strict=True
        )
    )


def _struck_out(ink: FieldInk, shares: Sequence[float]) -> list[int]:
    """Which inks are called struck out, counted from 0."""
    if ink.field.cells is None:
        bounds = ink.bounds or (None,) * len(ink.inks)
        lone = [measured_as_cell(box, in_cells=False) for box in bounds]
        called = [CALLED["cell" if alone else "line"] for alone in lone]
        return [at for at, share in enumerate(shares) if share >= called[at]]
    asked = any(shares)  # else an X may stand there
    return [
        at
        for at, (share, scribbled) in enumerate(zip(shares, ink.struck, strict=True))
        if share >= CALLED["cell"] or (scribbled and asked)
    ]


def _meant(shares: Sequence[float]) -> float:
    """The probability that all of the ink is meant to be read."""
    return math.prod(1.0 - usual_share(share) for share in shares)


def _faults(
    ink: FieldInk,
    filled: Sequence[Strip],
    decoding: Decoding,
    value: Value,
    grammar: Grammar,
    struck: Sequence[float],
) -> list[str]:
    """Why the reading is not to be accepted. Never names what was read: it may be a secret."""
    found = []
    field = ink.field
    if called := _struck_out(ink, struck):
        where = ", ".join(str(at + 1) for at in called)
        alone = "struck out, or no writing"
        # Which cells of a secret hold something is a part of it.
        plain = field.cells is None or field.secret
        found.append(alone if plain else f"cell {where} struck out")
    if (field.lines or 1) == 1 and field.cells is None and len(decoding.text) > 1:
        n = lines_apart(ink.inks[0])
        if n > 1:
            many = "several" if field.secret else n
            found.append(f"{many} lines of writing; give the field as many lines, or cut it")
    if any(one.scale_y > _MAX_SQUEEZE * one.scale_x for one in filled):
        found.append("too wide for one line of the network; cut it into fields")
    foreign = set(decoding.raw_text) - grammar.readable - {" "}
    if foreign and decoding.log_total < _LEAST_GRAMMAR_LOG:
        found.append("ink that no allowed character explains")
    if checksum_ok(decoding.text, field) is False:
        found.append(f"the check digit ({grammar.field.checksum}) does not hold")
    if _point_in_doubt(decoding, grammar.field, value):
        found.append("a decimal point is in doubt")
    if value is None and (what := no_value(decoding.text, grammar.field)):
        found.append(f"the text is no valid {what}")
    if field.choices is not None and field.cells is None and _spelled_otherwise(decoding):
        found.append("without the list the ink spells something else")
    return found


def _spelled_otherwise(decoding: Decoding) -> bool:
    """Whether other letters or figures are seen than those of the choice that was read.

    A name that is one letter off a list's must not become the listed one: one drug for another.
    """
    said, seen = (
        [char for char in text.casefold() if char.isalnum()]
        for text in (decoding.text, decoding.raw_text)
    )
    return said != seen


def _point_in_doubt(decoding: Decoding, field: Field, value: Value) -> bool:
    """Whether the ink may say the same digits with a point more, less or elsewhere; `value` is that
    of the text."""
    if field.kind in _WORDS:
        return False
    bare = _POINT.sub("", decoding.text)
    pointed = "." in decoding.text or "," in decoding.text
    return any(
        text != decoding.text
        and share > _POINT_SHARE
        and (pointed or "." in text or "," in text)
        and _POINT.sub("", text) == bare
        and (value is None or value_of(text, field) != value)
        for text, share in decoding.alternatives
    )


def _glyphs(ink: FieldInk, decoding: Decoding, spec: ModelSpec) -> tuple[Glyph, ...]:
    """Every character of the text with the box of its ink."""
    one_line = ink.line if ink.line is not None else (ink.inks[0], ink.filled[0])
    if any(span.cell is None for span in decoding.spans):
        runs = [(span.t0, span.t1) for span in decoding.spans]
        boxes = line_boxes(runs, *one_line, spec.stride_px)
    else:
        whole = [cell_box(one) for one in ink.inks]
        boxes = [whole[span.cell or 0] for span in decoding.spans]
    if ink.to_page is not None:
        boxes = map_boxes(boxes, ink.to_page) if boxes else []
    return tuple(
        Glyph(span.char, span.probability, box)
        for span, box in zip(decoding.spans, boxes, strict=True)
    )
