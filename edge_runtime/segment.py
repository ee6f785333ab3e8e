"""From a field's crop to its ink: rules and boxes out, one piece of ink a field or a cell.

Owns:   `field_ink`, the entry, and `inks_of`; `remove_rules`, `split_cells`, `cell_inks`. What
        else is asked of ink is here by name: `Ink`, `is_blank`, `is_struck`, `signature_present`.
Needs:  `preprocess`, `printed`, `shares`, `presence`, `field`.
Words:  *ink* is bright on black, 255 the darkest ink of the crop.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_runtime.field import Box, Field
from edge_runtime.preprocess import Gray, normalize_ink
from edge_runtime.presence import (
    is_blank,
    is_struck,
    signature_present,
    surely_written,
    written_strokes,
)
from edge_runtime.printed import erase_printed, find_printed, may_hold_box
from edge_runtime.shares import Ink, cell_boxes, share_ink

__all__ = [
    "Ink",
    "cell_inks",
    "field_ink",
    "inks_of",
    "is_blank",
    "is_struck",
    "remove_rules",
    "signature_present",
    "split_cells",
    "surely_written",
    "written_strokes",
]


def field_ink(crop: Gray, field: Field, *, lone: bool = False) -> tuple[Ink, ...]:
    """The ink of a field, ready for `preprocess.make_strip`.

    Args:
        crop: uint8 (h, w), dark ink on light paper.
        field: Its `cells` decide. Boxes of cells are pixels of the crop.
        lone: Nothing is known of what is printed around. Then a rule without a box stays: the
            network sees through it better than any removal does without harm (docs/decisions.md).

    Returns:
        One `Ink` for a free field, one a cell else, from left to right.
    """
    return inks_of(normalize_ink(crop), field, lone=lone)


def inks_of(
    ink: Gray, field: Field, *, lone: bool = False, inside: Box | None = None
) -> tuple[Ink, ...]:
    """As `field_ink`, of ink that is normalised already: uint8 (h, w), bright on black. `inside`
    is where the field lies in it, pixels, if that is known."""
    if field.cells is None:
        if lone and not may_hold_box(ink):
            return (Ink(ink, (0, 0)),)
        printed = find_printed(ink, 0, inside)
        bare_rule = lone and not printed.upright
        return (Ink(ink if bare_rule else erase_printed(ink, printed), (0, 0)),)
    if not isinstance(field.cells, int):
        return cell_inks(ink, field.cells)
    printed = find_printed(ink, field.cells)
    return share_ink(erase_printed(ink, printed), cell_boxes(ink.shape, printed, field.cells))


def remove_rules(ink: Gray) -> Gray:
    """Take out printed rules, box borders and comb teeth; strokes that cross them stay whole.

    Args:
        ink: uint8 (h, w), ink bright on black.

    Returns:
        uint8 (h, w). The same pixels where no rule is found.
    """
    return erase_printed(ink, find_printed(ink, 0))


def split_cells(ink: Gray, n: int) -> tuple[Box, ...]:
    """The cells of a row of `n` boxes or of a comb.

    Args:
        ink: uint8 (h, w), ink bright on black, rules included.
        n: Number of cells, 1 or more.

    Returns:
        `n` boxes in pixels of `ink`, from left to right: up to the middle of the printed lines,
        evenly divided where there is no line. One cell without lines is the whole crop.
    """
    return cell_boxes(ink.shape, find_printed(ink, n), n)


def cell_inks(ink: Gray, boxes: Sequence[Box]) -> tuple[Ink, ...]:
    """The ink of each cell, without its borders.

    Args:
        ink: uint8 (h, w), ink bright on black.
        boxes: The cells, from left to right, in pixels of `ink`.

    Returns:
        One `Ink` a box. A stroke that reaches into the next cell goes whole to the cell that holds
        most of it, so an `Ink` can be larger than its box.
    """
    return share_ink(erase_printed(ink, find_printed(ink, len(boxes))), boxes)
