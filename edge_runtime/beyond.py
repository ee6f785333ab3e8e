"""Whether lines end where the template ends them: those of another form, or of text, go on.

Owns:   `Beyond`, `lines_beyond`; `long_lines`, which are anywhere on a page.
Needs:  numpy, cv2, `form_lines`, `profiles`, `raster`, `refine`, `template`.
Words:  *end*: one of a line's two, where the template has nothing that goes on from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.form_lines import PIECE_PX, Lines, template_lines
from edge_runtime.profiles import CAP, REACH_PX, depth_of, profiles_of, ridges
from edge_runtime.raster import PAD_PX, RASTER_PX, Raster
from edge_runtime.refine import LEAST, Settled
from edge_runtime.template import Template

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Points = NDArray[np.float64]

# Of 28 drawn pages laid on their own form, 0.03 of the ends at most went on; of 40 laid on another
# that passed for it so far, 0.38 or more. The bound lies between them, nearer to the wrong ones: a
# template may leave out a rule that goes on from a box.
GOING_ON = 0.25
FEWEST_ENDS = 4  # before they speak against a page
# Two pages of other forms that had marks in the right places had 0.44 and 0.71; letters have 0.01.
LINES_OF_ITS_OWN = 0.2
_LONG_PX, _LONG_FULL = 96, 0.5  # 24 mm of A4, and how much of it must be a line
_RIM_PX = 4  # the sheet's edges are no lines
_GAP_PX = 6.0  # beyond an end, 1.5 mm of A4: boxes are drawn a little longer or shorter
_SAME_PX = 6.0  # two lines so near to each other are one
_ASIDE_PX = 2  # by which a line may stray from its place


@dataclass(frozen=True, slots=True)
class Beyond:
    """What was seen at the ends of the level lines that are on the page."""

    ends: int
    going_on: int  # of these, so many have a line beyond them

    @property
    def share(self) -> float:
        """0..1; 0 where there are no ends."""
        return self.going_on / max(1, self.ends)


def lines_beyond(page: Gray, template: Template, homography: Matrix, one: Settled) -> Beyond:
    """Look beyond the ends of the level lines that were found.

    Rows of text and other forms' lines are level, too, and are easily taken for a form's own, but
    they do not end where those do. Upright ones are short, and tell nothing.

    Args:
        page: uint8 (h, w).
        template: The form.
        homography: Template unit to page pixels.
        one: How the form's lines lie on the page.
    """
    lines, sheet = template_lines(template), Raster(page, template.page_size, homography)
    pieces, points = _ends(template)
    if len(pieces) == 0:
        return Beyond(0, 0)
    raster = sheet.draw(one.nudge)
    here = _seen(raster, sheet.of(lines.points)[pieces], _part(lines, pieces))
    beyond = replace(_part(lines, pieces), part=np.ones(len(pieces)))
    there = _seen(raster, points, beyond)
    return Beyond(int(here.sum()), int((here & there).sum()))


def long_lines(page: Gray, template: Template, homography: Matrix) -> float:
    """Length of all long lines on the page, wherever they are, in parts of the form's own lines.

    A scanner that drops a form's colour leaves next to none; another form has its own.

    Args:
        page: uint8 (h, w).
        template: The form.
        homography: Template unit to page pixels.
    """
    depth = depth_of(Raster(page, template.page_size, homography).draw())
    total = 0
    for picture in (depth, np.ascontiguousarray(depth.T)):
        along = cv2.blur(ridges(picture), (_LONG_PX, 1))
        inner = along[PAD_PX + _RIM_PX : -PAD_PX - _RIM_PX, PAD_PX + _RIM_PX : -PAD_PX - _RIM_PX]
        found = (inner >= _LONG_FULL * CAP).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=8)
        total += int(stats[1:, cv2.CC_STAT_WIDTH].sum())
    return total / max(1.0, float(template_lines(template).part.sum()) * PIECE_PX)


@lru_cache(maxsize=32)
def _ends(template: Template) -> tuple[NDArray[np.intp], Points]:
    """The last piece (n,) at each end, and the raster's points (n, 2) beyond it."""
    lines = template_lines(template)
    at = lines.points * RASTER_PX / max(template.page_size) + PAD_PX
    level = ~lines.upright
    pieces, points = [], []
    for edge in np.unique(lines.edge[level]):
        own = np.flatnonzero(lines.edge == edge)
        own = own[np.argsort(at[own, 0])]
        away = PIECE_PX * lines.part[own[0]] / 2 + _GAP_PX + PIECE_PX / 2
        for piece, way in ((own[0], -1), (own[-1], 1)):
            x, y = at[piece, 0] + way * away, at[piece, 1]
            near = np.abs(at[:, 0] - x) < PIECE_PX
            if not (level & near & (np.abs(at[:, 1] - y) < _SAME_PX)).any():
                pieces.append(int(piece))
                points.append((x, y))
    return np.array(pieces, np.intp), np.array(points, np.float64).reshape(-1, 2)


def _part(lines: Lines, which: NDArray[np.intp]) -> Lines:
    return Lines(
        lines.points[which], lines.upright[which], lines.field[which], lines.side[which],
        lines.part[which], lines.sure[which], lines.edge[which], lines.rule[which],
    )  # fmt: skip


def _seen(raster: Gray, at: Points, lines: Lines) -> NDArray[np.bool_]:
    profiles = profiles_of(raster, at, lines)
    near = profiles[:, REACH_PX - _ASIDE_PX : REACH_PX + _ASIDE_PX + 1]
    return np.asarray(near.max(axis=1) >= LEAST)
