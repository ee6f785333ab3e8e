"""Logistic regression from evidence to a probability, and where to draw the line.

Owns:   `fit`, `out_of_fold`, `operating_point`, `calibration_error`.
Needs:  numpy.
Words:  *out of fold*: said of a reading by a curve that was fitted without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, lgamma, log, log1p

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_L2 = 1.0  # on standardised weights, against a sum over some thousand readings: only stops runaways
_L2_BIAS = 1e-3
_NEWTON_STEPS = 50
_BINS = 15  # of equal counts; Guo et al. 2017 take 15 of equal width
_CONTRADICTED = 0.05  # counts as bad as these come by chance less often
_FLAT = 1e-9  # a feature that never changes tells nothing


def fit(evidence: Floats, right: Bools, *, signs: Sequence[int]) -> tuple[float, tuple[float, ...]]:
    """Fit by Newton's method with a small ridge.

    Args:
        evidence: float64 (n, features).
        right: bool (n,).
        signs: For each feature +1 or -1 where more of it must not lower or raise the probability,
            else 0. A weight against its sign is set to nought, and the rest fitted anew.

    Returns:
        Bias and weights, for evidence as it is.
    """
    mean, spread = evidence.mean(axis=0), evidence.std(axis=0)
    kept = [at for at in range(evidence.shape[1]) if spread[at] > _FLAT]
    scaled = (evidence - mean) / np.where(spread > _FLAT, spread, 1.0)
    while True:
        solved = _newton(scaled[:, kept], right.astype(np.float64))
        against = [(signs[at] * solved[1 + i], at) for i, at in enumerate(kept)]
        worst = min(against, default=(0.0, -1))
        if worst[0] >= 0:
            break
        kept.remove(worst[1])
    weights = np.zeros(evidence.shape[1])
    weights[kept] = solved[1:] / spread[kept]
    bias = float(solved[0] - weights @ mean)
    return bias, tuple(float(one) for one in weights)


def said(evidence: Floats, bias: float, weights: Sequence[float]) -> Floats:
    """The probabilities, float64 (n,)."""
    return _sigmoid(bias + evidence @ np.asarray(weights, np.float64))


def out_of_fold(evidence: Floats, right: Bools, *, signs: Sequence[int], folds: int = 2) -> Floats:
    """Probability of each reading by a curve fitted on the other folds."""
    out = np.zeros(len(right))
    for fold in range(folds):
        held = np.arange(len(right)) % folds == fold
        bias, weights = fit(evidence[~held], right[~held], signs=signs)
        out[held] = said(evidence[held], bias, weights)
    return out


def operating_point(
    probabilities: Floats, right: Bools, *, max_error: float
) -> tuple[float | None, float]:
    """The lowest confidence from which `max_error` of the accepted are expected to be wrong.

    Expected by the probabilities themselves; counts have a veto where they contradict. Counts alone
    move the point far for one or two readings: three in a thousand of a few hundred is one.

    Args:
        probabilities: float64 (n,), out of fold.
        right: bool (n,).
        max_error: Part of the accepted, 0..1.

    Returns:
        The confidence, None where no set of accepted is that good, and the part that is accepted.
    """
    order = np.argsort(-probabilities, kind="stable")
    sure = probabilities[order]
    taken = np.arange(1, len(sure) + 1)
    expected = np.cumsum(1 - sure) / taken
    wrong = np.cumsum(~right[order])
    # Equal confidences are accepted together.
    last = np.append(sure[1:] != sure[:-1], True)
    for at in np.flatnonzero(last & (expected <= max_error))[::-1]:
        if chance_of(int(wrong[at]), int(taken[at]), max_error) > _CONTRADICTED:
            return float(sure[at]), float(taken[at]) / len(sure)
    return None, 0.0


def chance_of(least: int, n: int, share: float) -> float:
    """Probability that `least` or more of `n` are wrong where `share` of all are (binomial)."""
    if share <= 0 or share >= 1:
        return float(least == 0 or share >= 1)
    logs = (
        lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(share) + (n - k) * log1p(-share)
        for k in range(least)
    )
    return max(0.0, 1.0 - sum(exp(one) for one in logs))


def calibration_error(probabilities: Floats, right: Bools) -> float:
    """Expected calibration error over bins of equal counts, 0..1."""
    order = np.argsort(probabilities, kind="stable")
    bins = np.array_split(order, min(_BINS, len(order)))
    gaps = (len(one) * abs(probabilities[one].mean() - right[one].mean()) for one in bins)
    return float(sum(gaps)) / len(order)


def _newton(x: Floats, y: Floats) -> Floats:
    """Weights (1 + features,) of least penalised loss; the bias first."""
    rows = np.hstack([np.ones((len(x), 1)), x])
    ridge = np.full(rows.shape[1], _L2)
    ridge[0] = _L2_BIAS
    beta = np.zeros(rows.shape[1])
    loss = _loss(rows, y, beta, ridge)
    for _ in range(_NEWTON_STEPS):
        p = _sigmoid(rows @ beta)
        slope = rows.T @ (p - y) + ridge * beta
        curve = (rows * (p * (1 - p))[:, None]).T @ rows + np.diag(ridge)
        step = np.linalg.solve(curve, slope)
        size = 1.0
        while (lower := _loss(rows, y, beta - size * step, ridge)) > loss and size > 1e-6:
            size /= 2
        if lower > loss:
            break
        done = loss - lower < 1e-10 * max(1.0, loss)
        beta, loss = beta - size * step, lower
        if done:
            break
    return beta


def _loss(rows: Floats, y: Floats, beta: Floats, ridge: Floats) -> float:
    z = rows @ beta
    return float(np.sum(np.logaddexp(0, z) - y * z) + 0.5 * np.sum(ridge * beta**2))


def _sigmoid(z: Floats) -> Floats:
    return 0.5 * (1 + np.tanh(0.5 * z))
