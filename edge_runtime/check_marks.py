"""What was done to a check box: nothing, a tick, a cross, blackened, or marked and scribbled out.

Owns:   `STATES`, `CheckMark`, `look_at_check`, `mark_features`, `bare_features`,
        `amount_of_ink`.
Needs:  numpy, cv2, `outlines`, `rings`, `bare_boxes`, `check_doubts`. Weights are fitted by
        `python -m benchmarks.checks_fit`.
Words:  *ink* is bright on black. The *inside* of a box ends short of its printed sides. A *bare*
        box is one whose print was taken out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.bare_boxes import BareBox, PrintedBox, clear_box, ring_box
from edge_runtime.bare_weights import WEIGHTS as BARE
from edge_runtime.check_doubts import CIRCLED, check_doubt, far_beyond, is_circled
from edge_runtime.check_weights import WEIGHTS
from edge_runtime.field import Box
from edge_runtime.outlines import Outlines
from edge_runtime.rings import has_corners

Gray = NDArray[np.uint8]
Floats = NDArray[np.float64]

STATES = ("empty", "ticked", "crossed", "filled", "corrected")
FEATURES = (
    "inside", "middle", "outside_2", "outside_3", "crossings_level", "crossings_upright",
    "widest_paper", "pen", "length", "holes", "reach", "full_rows", "heaviest_quarter",
    "lightest_quarter",
)  # fmt: skip
PAD = 0.45  # of a box's side: paper around it that is looked at
_INK = 90  # a pixel of this much ink is a stroke's, as in `presence`
_SIDE, _RIM = 40, 18  # pixels that a box and the paper around it are looked at with
_PRINT = 0.12  # of the side, inwards and outwards: where its own lines stand
_FRAME, _LINE = 0.25, 0.8  # of the side: no line is so thick; and of a line's row that is ink
_LATE, _BOLD = 3, 6  # pixels of `_SIDE`: so late a line may begin that reaches so far
_SEEN = 0.62  # of an outline: less is no box, and where it should be counts
_STRAY, _SIZE = 0.2, (0.82, 1.18)  # of the side: how far off it may stand; and its size
_LEAST_PX = 8
_SEEN_STILL = 0.5  # of an outline: a bold line goes on
_PLAIN, _WORST = 0.9, 0.75  # of an outline, and of its worst side: a square beyond doubt
_CORE, _SPOT = 0.6, 0.012  # of a ring's radius; of what is within it that is ink: no speck
_IN_DOUBT = 0.5
_MET, _UNSEEN = 0.75, "what the form prints there is not seen"  # of its print
_INK_AROUND = 0.4  # of what is around a box that strokes and labels take at most
_AMOUNTS = 3  # weights of the amount of ink
# Of a box's inside that is ink beyond the form's print, where pen and print cannot be told apart;
# and how many such boxes are marked: assumed.
_MORE, _LIKELY, _UNPRINTED = 0.08, 0.6, "more ink than the form prints there"
_LITTLE = 0.05  # of the side: strokes shorter than this are specks
_CLEAN = 0.02  # of the middle of a box that is not marked inside
_NO_INK = 0.01  # the probability that a box with hardly any ink inside is marked
_DISAGREED = 0.9  # the most that is believed where network and amount of ink disagree
_CIRCLED = 0.8  # of empty boxes with a circle around them, how many are meant as an answer: assumed
# Of boxes scribbled over, and of those filled, how many are meant as an answer: assumed, so that
# by itself such a box is never accepted. Its page tells more, see `company`.
_MEANT, _FILLED = 0.2, 0.9


@dataclass(frozen=True, slots=True)
class CheckMark:
    """How a check box was marked."""

    yes: float  # 0..1, that it is an answer
    states: tuple[float, ...]  # of each of `STATES`, 0..1, together 1
    there: float = 0.0  # 0..1, that it is not empty, by the amount of ink as well
    core: float = 0.0  # 0..1, of its middle that is ink
    doubt: str = ""  # why it is not to be accepted, however sure; "" where nothing speaks against
    over: str = ""  # the same of a blackened one, where that is how to answer
    framed: bool = False  # its printed lines are seen where it should be, with paper around them
    held: bool = False  # something is inside, be it print
    ringed: bool = False  # a circle by what the page shows; what is printed in it is not known

    @property
    def state(self) -> str:
        """The likeliest."""
        return STATES[int(np.argmax(self.states))]


def look_at_check(
    ink: Gray, box: Box | None = None, *, ring: bool = False, printed: PrintedBox | None = None
) -> CheckMark:
    """How a check box is marked.

    Args:
        ink: uint8 (h, w), ink bright on black: the box and some paper around it.
        box: About where the box stands, pixels; None: the only one in the crop.
        ring: It is a circle. One that is not seen is never sure to be marked, or not.
        printed: What the form prints there, if that is known and no plain square.
    """
    h, w = ink.shape
    mask = (ink >= _INK).astype(np.uint8)
    if ring:
        bare = ring_box(ink, box or (0.0, 0.0, float(w), float(h)), sure=True)
        if bare is None:
            return CheckMark(0.5, (0.5, 0.0, 0.0, 0.0, 0.5))  # neither answer is sure
        return replace(_judged(bare), ringed=True, framed=_has_paper(bare.whole, bare.box))
    if printed is not None:
        bare = clear_box(ink, printed)
        mark = _judged(bare)
        if bare.met < _MET:
            return replace(mark, doubt=mark.doubt or _UNSEEN, over=mark.over or _UNSEEN)
        if mark.state == STATES[0] and bare.more >= _MORE:
            mark = replace(mark, yes=max(mark.yes, _LIKELY), doubt=mark.doubt or _UNPRINTED)
        return replace(mark, framed=_has_paper(bare.whole, bare.box))
    place, plain = _placed(mask, box)
    if box is not None and not plain and (bare := ring_box(ink, box)) is not None:
        return replace(_judged(bare), ringed=True, framed=_has_paper(bare.whole, bare.box))
    patch = _patch(ink, *place)
    x, y, side = place
    seen = Outlines(mask).support(np.array(x), np.array(y), side)
    framed = bool(seen.mean() >= _PLAIN) and _has_paper(ink, (x, y, x + side, y + side))
    measured = _measured(patch)
    mark = _marked_as(_states_of(measured), patch)
    return replace(mark, framed=framed, there=_there(mark, measured, WEIGHTS))


def _has_paper(ink: Gray, box: Box) -> bool:
    """Whether what is around a box is mostly paper: no finger, no bar lies over it."""
    patch = _bare_patch(ink, box)
    inner = patch[_RIM : _RIM + _SIDE, _RIM : _RIM + _SIDE]
    around = patch.size - inner.size
    return float(patch.sum() - inner.sum()) <= _INK_AROUND * around


def bare_features(bare: BareBox) -> Floats:
    """float64 (len(FEATURES),), of a box without its print."""
    return _measured(_bare_patch(bare.own, bare.box))


def _judged(bare: BareBox) -> CheckMark:
    patch = _bare_patch(bare.own, bare.box)
    measured = _measured(patch)
    states = _states_of(measured, BARE)
    rows, columns = np.mgrid[: patch.shape[0], : patch.shape[1]]
    middle = _RIM + _SIDE / 2 - 0.5
    core = np.hypot(columns - middle, rows - middle) <= _CORE * _SIDE / 2
    held = bool(patch[core].mean() >= _SPOT)
    if held and states[0] > _IN_DOUBT:
        # A dot is short, and yet a mark, or a printer's.
        rest = (1 - _IN_DOUBT) / max(1e-9, 1 - states[0])
        states = np.append(_IN_DOUBT, states[1:] * rest)
    seen, whole = (_bare_patch(ink, bare.box) for ink in (bare.ink, bare.whole))
    mark = _marked_as(states, seen, whole=whole)
    return replace(mark, held=held, there=_there(mark, measured, BARE))


def _there(mark: CheckMark, measured: Floats, weights: str) -> float:
    """That a box is not empty: both the network and the amount of ink would have to err."""
    return 1 - mark.states[0] * (1 - _marked(measured, _weights(weights)[-1]))


def _marked_as(states: Floats, patch: Gray, whole: Gray | None = None) -> CheckMark:
    yes = float(states[1] + states[2] + _FILLED * states[3] + _MEANT * states[4])
    mark = CheckMark(yes, tuple(states.tolist()))
    # A stroke that goes through a box, or around it, is parted where the print was taken out.
    through = patch if whole is None else whole
    quarter = _SIDE // 4
    middle = slice(_RIM + quarter, _RIM + _SIDE - quarter)
    core = float(patch[middle, middle].mean())
    mark = replace(mark, core=core)
    if core <= _CLEAN and (is_circled(patch, rim=_RIM) or is_circled(through, rim=_RIM)):
        return replace(mark, yes=_CIRCLED, doubt=CIRCLED)
    over = far_beyond(through, rim=_RIM)
    if mark.state == "corrected":
        return replace(mark, over=over)  # that is a doubt of its own
    marked = yes >= _IN_DOUBT
    doubt = check_doubt(through if marked else patch, rim=_RIM, marked=marked)
    if doubt == CIRCLED:
        return replace(mark, yes=_CIRCLED, doubt=doubt)
    return replace(mark, doubt=doubt, over=over or doubt)


def _bare_patch(ink: Gray, box: Box) -> Gray:
    x0, y0, x1, y1 = box
    side = (x1 - x0 + y1 - y0) / 2
    return _patch(ink, (x0 + x1 - side) / 2, (y0 + y1 - side) / 2, side)


def _states_of(seen: Floats, weights: str = WEIGHTS) -> Floats:
    """float64 (len(STATES),), how probable each is.

    The network has seen what it was shown; how much ink there is holds for any mark. Where the
    two do not agree, neither answer is sure.
    """
    first, last, mean, scale, amount = _weights(weights)
    hidden = np.maximum((seen - mean) / scale @ first[:-1] + first[-1], 0.0)
    z = np.asarray(hidden @ last[:-1] + last[-1])
    e = np.exp(z - z.max())
    states = e / e.sum()
    there = 1 - float(states[0])
    enough = _marked(seen, amount)
    if enough <= _NO_INK and there > enough:  # nothing inside is no mark, whatever is beside it
        states[1:] *= enough / there
        states[0] = 1 - enough
        return np.asarray(states)
    if (there >= _IN_DOUBT) != (enough >= _IN_DOUBT):
        kept = min(max((there + enough) / 2, 1 - _DISAGREED), _DISAGREED)
        states[1:] *= kept / max(1e-9, there)
        states[0] = 1 - kept
    return np.asarray(states)


def amount_of_ink(seen: Floats) -> Floats:
    """What alone tells a mark from an empty box, float64 (..., 2): how long its strokes are, and
    how far they reach. More of either never makes a box look emptier."""
    length, reach = seen[..., FEATURES.index("length")], seen[..., FEATURES.index("reach")]
    return np.stack([np.log(_LITTLE + length), reach], axis=-1)


def _marked(seen: Floats, weights: Floats) -> float:
    """The probability that there is a mark, by the amount of ink."""
    z = float(amount_of_ink(seen) @ weights[:-1] + weights[-1])
    return float(1 / (1 + np.exp(-min(max(z, -30.0), 30.0))))


def mark_features(ink: Gray, box: Box | None = None) -> Floats:
    """float64 (len(FEATURES),), arguments as in `look_at_check`."""
    mask = (ink >= _INK).astype(np.uint8)
    return _measured(_patch(ink, *_placed(mask, box)[0]))


def _patch(ink: Gray, x: float, y: float, side: float) -> Gray:
    """Where there are strokes, 0 or 1: a box in the middle, paper around it."""
    k = _SIDE / side
    size = _SIDE + 2 * _RIM
    move = np.array([[k, 0, _RIM - k * x], [0, k, _RIM - k * y]])
    seen = cv2.warpAffine(ink, move, (size, size), flags=cv2.INTER_AREA)
    return (np.asarray(seen) >= _INK).astype(np.uint8)


def _placed(mask: Gray, box: Box | None) -> tuple[tuple[int, int, int], bool]:
    """Left, top and side of the printed box, and whether a square is seen there beyond doubt."""
    h, w = mask.shape
    outlines = Outlines(mask)
    if box is None:
        guess = (0.05 * w, 0.05 * h, max(_LEAST_PX, 0.9 * min(h, w)))
        sides = range(max(_LEAST_PX, int(0.4 * min(h, w))), min(h, w))
        left, top, shape = 0, 0, (h, w)
    else:
        side = max(float(_LEAST_PX), ((box[2] - box[0]) + (box[3] - box[1])) / 2)
        guess = ((box[0] + box[2] - side) / 2, (box[1] + box[3] - side) / 2, side)
        sides = range(int(_SIZE[0] * side), int(_SIZE[1] * side) + 2)
        stray = round(_STRAY * side)
        left, top = round(guess[0]) - stray, round(guess[1]) - stray
        shape = 2 * stray + 1, 2 * stray + 1
    best: tuple[float, tuple[int, int, int]] = (0.0, (0, 0, 0))
    plain = False
    for side_px in sides:
        seen = outlines.supports(left, top, shape, side_px)
        means, worsts = seen.mean(-1), seen.min(-1)
        score = means + 0.5 * worsts + 0.05 * side_px / min(h, w)
        row, column = divmod(int(score.argmax()), shape[1])
        mean, worst = means[row, column], worsts[row, column]
        if mean >= _SEEN and score[row, column] > best[0]:
            best = float(score[row, column]), (left + column, top + row, side_px)
            plain = bool(mean >= _PLAIN and worst >= _WORST)
    plain = plain and has_corners(mask, *_outer(outlines, *best[1]))
    if best[0] == 0.0:
        return (round(guess[0]), round(guess[1]), max(1, round(guess[2]))), False
    return best[1], plain


def _outer(outlines: Outlines, x: int, y: int, side: int) -> tuple[int, int, int]:
    """The square about another that a bold line ends with: of a bold circle it has no corners."""
    grown = x, y, side
    for k in range(1, round(_FRAME * side)):
        at = np.array(x - k), np.array(y - k)
        if outlines.support(*at, side + 2 * k).mean() < _SEEN_STILL:
            break
        grown = x - k, y - k, side + 2 * k
    return grown


def _measured(patch: Gray) -> Floats:
    """The features of a box that stands in the middle of a patch."""
    wide = max(round(_PRINT * _SIDE), _frame_px(patch) + 2)
    lo, hi = _RIM + wide, _RIM + _SIDE - wide
    inner = patch[lo:hi, lo:hi]
    n = hi - lo
    away = round(_PRINT * _SIDE)
    near, far = _RIM - away, _RIM + _SIDE + away
    inside = slice(_RIM, _RIM + _SIDE)
    strips = sorted(
        float(part.mean())
        for part in (patch[:near, inside], patch[far:, inside], patch[inside, :near],
                     patch[inside, far:])
    )  # fmt: skip
    paper = np.asarray(cv2.distanceTransform(np.pad(1 - inner, 1), cv2.DIST_L2, 3))
    area = float(inner.sum())
    padded = np.pad(inner, 1).astype(np.int8)
    edge = np.count_nonzero(np.diff(padded, axis=0)) + np.count_nonzero(np.diff(padded, axis=1))
    pen = 2.5 * area / edge if edge else 0.0
    contours, _ = cv2.findContours(np.pad(inner, 1), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    outer, _ = cv2.findContours(np.pad(inner, 1), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    rows = (np.diff(padded[1:-1], axis=1) > 0).sum(1)
    columns = (np.diff(padded[:, 1:-1], axis=0) > 0).sum(0)
    ys, xs = np.nonzero(inner)
    reach = 0.0 if xs.size == 0 else float(np.ptp(xs) + np.ptp(ys)) / (2 * n)
    half = n // 2
    quarters = sorted(
        float(q.mean())
        for q in (inner[:half, :half], inner[:half, half:], inner[half:, :half],
                  inner[half:, half:])
    )  # fmt: skip
    return np.array(
        [
            area / inner.size,
            float(inner[n // 4 : -(n // 4), n // 4 : -(n // 4)].mean()),
            strips[1],
            strips[2],
            float(rows.mean()),
            float(columns.mean()),
            float(paper.max()) / n,
            pen / n,
            area / max(pen, 1.0) / n,
            float(np.log1p(len(contours) - len(outer))),
            reach,
            float((inner.mean(1) > 0.5).mean()),
            quarters[3],
            quarters[0],
        ]
    )


def _frame_px(patch: Gray) -> int:
    """How far the box's own lines reach into it: the usual side of the four."""
    box = patch[_RIM : _RIM + _SIDE, _RIM : _RIM + _SIDE]
    reach = []
    for one in (box, box[::-1], box.T, box.T[::-1]):
        line = one[: round(_FRAME * _SIDE)].mean(1) >= _LINE
        begin = int(line.argmax())
        end = begin + int(np.argmin(np.append(line[begin:], False)))
        # A bold line may begin a little within the outline.
        reach.append(end if begin == 0 or (begin <= _LATE and end > _BOLD) else 0)
    return sorted(reach)[1]


@lru_cache(maxsize=2)
def _weights(text: str) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Hidden units (features + 1, hidden), answers (hidden + 1, states), mean and scale; and those
    of the amount of ink."""
    numbers = np.array(text.split(), np.float64)
    n, out = len(FEATURES), len(STATES)
    hidden = (len(numbers) - 2 * n - out - _AMOUNTS) // (n + 1 + out)
    at = np.cumsum([n, n, (n + 1) * hidden, (hidden + 1) * out])
    mean, scale, first, last, amount = np.split(numbers, at)
    return first.reshape(n + 1, hidden), last.reshape(hidden + 1, out), mean, scale, amount
