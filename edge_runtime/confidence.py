"""From decoder evidence to a probability that can be trusted.

Owns:   the features of a reading, the groups that are calibrated apart, the curve.
Needs:  numpy, `decode`, `preprocess`, `wording` and `spec`. Export fits `Calibration` to these
        very features.
Words:  *evidence*: the feature vector of one reading. *group*: kinds of field that err alike.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_runtime.decode import Decoding
from edge_runtime.errors import EdgeHwrError, ModelError
from edge_runtime.field import Field
from edge_runtime.preprocess import Strip
from edge_runtime.prior import Prior
from edge_runtime.spec import Calibration, ModelSpec
from edge_runtime.wording import UNSAID, WORDING, wording

FEATURES = (
    "posterior_logit",  # the text's share of the grammar, log odds
    "runner_up_nats",  # how far behind the next text is
    "char_nats",  # log-probability of the text under the network, per character
    "grammar_nats",  # log mass of everything the grammar allows, per character
    "worst_glyph_nats",  # the least sure character
    "log_chars",  # longer texts have more to go wrong
    "raw_differs",  # 1 where the network alone reads something else
    "squeeze_nats",  # how much a too wide strip was squeezed
    "blow_up_nats",  # how much low ink was enlarged: coarse scans
    *WORDING,  # how the text reads as words, where words are expected
)
_IN_INK = len(FEATURES) - len(WORDING)  # of models whose calibration does not look at words

# Evidence is clipped: a reading unlike any that was calibrated must not run off with the line. Odds
# beyond e^12 (1 in 160,000) cannot be measured on any set we hold.
_ODDS = 12.0
_NATS = 20.0
_ENLARGED = 2.0  # e^2: ink of 4 pixels blown up to a strip's height

_CHARSET_DIGITS = frozenset("0123456789")
_GROUPS = {
    "digits": "digits integer card account iban",
    "amount": "amount phone date time",
    "code": "username code email",
    "text": "text name upper lower choice checkbox signature",
}
_CLAIMS = {
    **dict.fromkeys(("digits", "amount"), "claim_digits"),
    **dict.fromkeys(("cell", "cell_digits", "cell_text"), "claim_cells"),
    "code": "claim_code",
    "text": "claim_text",
}
CLAIM_GROUPS = tuple(dict.fromkeys(_CLAIMS.values()))
_GROUP_OF_KIND = {kind: group for group, kinds in _GROUPS.items() for kind in kinds.split()}
# Kinds with words of their own, taken out of the groups whose networks and claims are theirs.
_APART = {("name", "text"): "name", ("email", "code"): "email", ("email", "cell"): "cell_email"}
_BASES = {group: base for (_, base), group in _APART.items()}
_WORDS = frozenset(("text", "name", "email"))  # kinds
_BY_PATTERN = "_pattern"  # what the name of a group ends with that has a pattern of the template's
_PATTERNED = ("cell", "digits", "amount", "code", "text")  # which have one
DEFAULT_GROUP = "default"


def features(
    decoding: Decoding,
    strips: Sequence[Strip],
    *,
    skip: str = "",
    field: Field | None = None,
    prior: Prior | None = None,
) -> NDArray[np.float64]:
    """The evidence for one reading.

    Args:
        decoding: What was decoded.
        strips: The strips it was decoded from: one, or one for each filled cell.
        skip: Marks that the field leaves out of its text.
        field: With `prior`, to look at the text's words where words are expected of it.
        prior: On what people write; None: nothing is said of words.

    Returns:
        float64 (len(FEATURES),), finite, in the order of `FEATURES`.
    """
    chars = max(1, len(decoding.text))
    rivals = [p for text, p in decoding.alternatives if text != decoding.text]
    posterior = log_posterior(decoding)
    rival = math.log(rivals[0]) if rivals and rivals[0] > 0 else -math.inf
    worst = min([span.probability for span in decoding.spans], default=0.0)
    words = UNSAID
    if prior is not None and field is not None and expects_words(field):
        words = wording(decoding.text, prior, name=field.kind == "name")
    evidence = (
        _logit(posterior),
        _clip(posterior - rival if posterior > -math.inf else 0.0, -_ODDS, _ODDS),
        _clip(decoding.log_prob / chars, -_NATS, 0.0),
        _clip(decoding.log_total / chars, -_NATS, 0.0),
        _clip(math.log(worst) if worst > 0 else -math.inf, -_NATS, 0.0),
        math.log(chars),
        float(_bare(decoding.raw_text, skip) != _bare(decoding.text, skip)),
        max([math.log(one.scale_y / one.scale_x) for one in strips], default=0.0),
        _clip(max([math.log(one.scale_y) for one in strips], default=0.0), 0.0, _ENLARGED),
        *words,
    )
    return np.array(evidence, np.float64)


def log_posterior(decoding: Decoding) -> float:
    """Log of the text's posterior, at most 0; -inf where nothing fits.

    Not simply its sum over the total: texts that fail a check digit are off the total by then.
    """
    for text, posterior in decoding.alternatives:
        if text == decoding.text and posterior > 0:
            return min(0.0, math.log(posterior))
    return -math.inf


def probability(evidence: NDArray[np.float64], calibration: Calibration) -> float:
    """The calibrated probability, 0..1, that the text is wholly right."""
    weights = _array(calibration.weights)
    z = calibration.bias + float(np.dot(evidence[: len(weights)], weights))
    if z >= 0:
        return 1.0 / (1.0 + math.exp(-z))
    odds = math.exp(max(z, -700.0))  # below that exp underflows to 0, which is the answer
    return odds / (1.0 + odds)


@lru_cache(maxsize=64)
def _array(weights: tuple[float, ...]) -> NDArray[np.float64]:
    return np.asarray(weights, np.float64)


def other_probability(share: float, best: float, confidence: float) -> float:
    """Calibrated probability of a text that is not the best one.

    What confidence leaves to the others is split among them by their posteriors, so that all texts
    together never exceed 1, and a more probable text never gets less.

    Args:
        share: The text's posterior, 0..1.
        best: The best text's posterior, 0..1.
        confidence: The best text's calibrated probability, 0..1.
    """
    if best >= 1.0:
        return 0.0
    return (1.0 - confidence) * min(1.0, share / (1.0 - best))


def checked(confidence: float, holding: float, chance: float) -> float:
    """Probability of a text that was the best before its check digit was looked at, and holds it.

    Bayes' rule: were another text the right one, this one would hold by chance alone. Whoever wrote
    a number that fails wrote another text, too: one in some hundred, and then all but surely no
    text that is read holds.

    Args:
        confidence: Calibrated probability, 0..1, the check digit aside.
        holding: Of the other texts that hold, together.
        chance: See `residues.chance_of`.
    """
    left = max(0.0, 1.0 - confidence - holding)
    whole = confidence + holding + chance * left
    return confidence / whole if whole > 0 else 0.0


def group_of(field: Field) -> str:
    """The group a field is calibrated with: "choices", "digits", "amount", "code" or "text"; "name"
    and "email" where words are expected of such a field.

    A row of cells belongs to "cell_digits" where it holds figures, to "cell_text" where words are
    expected, to "cell_email" where mail is, else to "cell", where O is in doubt with 0. In "amount"
    the marks between the figures are part of the text, and an apostrophe is lost more easily than a
    figure.

    Where the template gives a pattern, most look-alikes are ruled out, and what is written may be
    ruled out with them: "text", "name", "code", "email", "amount", "digits" and "cell" have a group
    "..._pattern" each.
    """
    base = base_group_of(field)
    group = _APART.get((field.kind or "text", base), base) if expects_words(field) else base
    return group + _BY_PATTERN if field.pattern is not None and base in _PATTERNED else group


def base_group_of(field: Field) -> str:
    """The group of a field whatever its pattern: by it networks are chosen, and claims judged."""
    if field.choices is not None and field.cells is None:
        return "choices"
    only_digits = bool(field.charset) and set(field.charset or "") <= _CHARSET_DIGITS
    group = "digits" if only_digits else _GROUP_OF_KIND[field.kind or "text"]
    if field.cells is not None:
        words = "cell_text" if group == "text" and expects_words(field) else "cell"
        return "cell_digits" if group in ("digits", "amount") else words
    coded = field.charset is not None and group == "text" and not expects_words(field)
    return "code" if coded else group


def claim_groups_within(groups: Collection[str]) -> set[str]:
    """Groups of claims about fields of these groups and of no others."""
    return {
        claim
        for claim in CLAIM_GROUPS
        if all(group in groups for group, one in _CLAIMS.items() if one == claim)
    }


def claim_group_of(field: Field) -> str:
    """The group that claims about a field are calibrated with; "" where there is none apart.

    Of lists of choices nothing is gained: what may stand there is known before.
    """
    return _CLAIMS.get(base_group_of(field), "")


def expects_words(field: Field) -> bool:
    """Whether words may be expected: never of codes, digits, user names, nor of secrets.

    Addresses of mail are words of a kind: people name them after themselves. A text whose
    characters are named is a code, unless they are letters and the space between words; a name may
    well be asked for in capitals.
    """
    if field.secret or field.choices is not None or field.kind not in _WORDS:
        return False
    if field.cells == 1:
        return False
    if field.charset is None:
        return True
    if field.kind == "email":
        return "@" in field.charset and any(map(str.isalpha, field.charset))
    if any(char.isdigit() for char in field.charset):
        return False
    return field.kind == "name" or (" " in field.charset and any(map(str.isalpha, field.charset)))


def base_of(group: str) -> str:
    """The group that a group was taken out of: of fields of any pattern, and of its kinds."""
    plain = group.removesuffix(_BY_PATTERN)
    return _BASES.get(plain, plain)


def calibration_for(spec: ModelSpec, group: str) -> Calibration:
    """The group's calibration, that of the group it was taken out of, or the default one.

    Raises:
        ModelError: The model has none of these.
    """
    plain = group.removesuffix(_BY_PATTERN)
    base = base_of(group)
    nearest = (group, plain, base + group.removeprefix(plain), base, DEFAULT_GROUP)
    found = next((spec.calibration[one] for one in nearest if one in spec.calibration), None)
    if found is None:
        raise ModelError(
            f"model {spec.name!r} has no calibration for {group!r} and none by default; "
            "run `python -m export`"
        )
    return found


def accepting_from(accept: float | None, spec: ModelSpec) -> ModelSpec:
    """The spec with another operating point for every kind of reading; claims keep theirs.

    Args:
        accept: Confidence, 0..1; None: the spec as it is.
        spec: Of the model.

    Raises:
        EdgeHwrError: No probability, or under that from which some readings are rejected.
    """
    if accept is None:
        return spec
    if isinstance(accept, bool) or not isinstance(accept, (int, float)):
        raise EdgeHwrError(f"accept is {type(accept).__name__}; give a number from 0 to 1, or none")
    own = {name: one for name, one in spec.calibration.items() if name not in CLAIM_GROUPS}
    least = max((one.reject for one in own.values()), default=0.0)
    if not least <= accept <= 1.0:  # not a number, too
        raise EdgeHwrError(
            f"accept={accept:g}: readings are rejected under {least:g}; give a probability from "
            f"{least:g} to 1, such as 0.99, or none for the model's own"
        )
    changed = {name: replace(one, accept=accept) for name, one in own.items()}
    return replace(spec, calibration={**spec.calibration, **changed})


def check_calibration(spec: ModelSpec) -> None:
    """Every calibration must fit `FEATURES`, and a default one must be there.

    Raises:
        ModelError: A weight too many or too few, thresholds out of order, no default.
    """
    calibration_for(spec, DEFAULT_GROUP)
    for group, one in spec.calibration.items():
        if (
            len(one.weights) not in (_IN_INK, len(FEATURES))
            or not 0 <= one.reject <= one.accept <= 1
        ):
            raise ModelError(
                f"model {spec.name!r}: the calibration of {group!r} has {len(one.weights)} weights "
                f"for {len(FEATURES)} features, accept {one.accept}, reject {one.reject}; "
                "run `python -m export`"
            )


def _logit(log_p: float) -> float:
    """Log odds of a log-probability, clipped."""
    if log_p == -math.inf:
        return -_ODDS
    rest = -math.expm1(log_p)
    return _ODDS if rest <= 0 else _clip(log_p - math.log(rest), -_ODDS, _ODDS)


def _clip(value: float, low: float, high: float) -> float:
    return value if low < value < high else min(high, max(low, value))


def _bare(text: str, skip: str) -> str:
    """Without spaces and skipped marks: where a word ends is no doubt about its letters."""
    for mark in (" ", *skip):
        text = text.replace(mark, "")
    return text
