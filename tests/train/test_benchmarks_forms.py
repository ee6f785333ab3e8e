"""Forms read with and without their templates: what is counted."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.forms import check, check_blind
from edge_runtime import Reader, Template
from train.forms import draw_form


def test_a_form_read_blind_counts_what_is_found() -> None:
    drawn = draw_form("medicine-list", seed=7003)
    template = Template.from_dict(drawn.template, base=None, source="medicine-list")
    page = np.asarray(drawn.picture, np.uint8)
    with Reader() as reader:
        seen, faults, _ = check(reader, page, template, drawn.truth, "seen")
        blind, missed, _ = check_blind(reader, page, template, drawn.truth, "blind")
        empty, lost, _ = check_blind(
            reader, page, template, dict.fromkeys(drawn.truth, "~~"), "wrong"
        )
    assert seen.exact + len(faults) == seen.fields == len(drawn.truth)
    assert blind.fields == sum(bool(text) for text in drawn.truth.values())
    assert blind.exact + len(missed) == blind.fields
    # A table under a filled heading, in which one medicine is written as neatly as print.
    assert blind.found == blind.fields
    assert blind.exact >= 0.7 * blind.fields
    assert empty.exact == 0
    assert len(lost) == empty.fields
    assert empty.wrong_accepted == empty.accepted
