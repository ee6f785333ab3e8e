"""What `benchmarks.registration` says of its rows, and that runs of other code are kept apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.placed import Row
from benchmarks.registration import main, placed_lines, stranger_lines
from benchmarks.strangers import PAGES, Wrong, _page
from train.form_any import any_sheet, text_sheet, values


def _row(seed: int, worst: float | None) -> Row:
    return Row(f"door-code/{seed}", "photo hard", worst, 10.0)


def test_a_page_counts_as_registered_within_a_millimetre() -> None:
    lines = {one.name: one for one in placed_lines([_row(1, 5.9), _row(2, 6.0), _row(3, None)])}
    assert (lines["drawn"].right, lines["drawn"].n) == (1, 3)
    assert lines["drawn"].low < 1 / 3 < lines["drawn"].high
    assert "refused 1" in lines["door-code"].fact


def test_a_page_for_review_is_not_refused() -> None:
    rows = [
        Wrong("text/1", "page", outcome, 1.0, "") for outcome in ("refused", "harmless", "taken")
    ]
    whole = stranger_lines(rows)[-1]
    assert (whole.right, whole.n, whole.asked) == (1, 3, 0.99)


def test_rows_of_other_code_are_not_counted_with_these(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"code": "another", "rows": [], "strangers": []}), encoding="utf-8")
    with pytest.raises(SystemExit, match="of other code"):
        main(["--only", "drawn", "--most", "0", "--go-on", "--out", str(path)])


@pytest.mark.parametrize("cheque", [False, True])
def test_a_drawn_form_is_its_seed_s(cheque: bool) -> None:
    one, same, other = (any_sheet(np.random.default_rng(k), cheque=cheque) for k in (1, 1, 2))
    assert one.template("a") == same.template("a") != other.template("a")
    assert set(values(one, np.random.default_rng(0))) == {slot.name for slot in one.slots}


def test_a_text_page_has_print_and_no_field() -> None:
    sheet = text_sheet(np.random.default_rng(0))
    assert not sheet.fields
    assert (np.asarray(sheet.image) < 128).mean() > 0.01


def test_a_desk_is_a_page_of_no_form() -> None:
    page, own = _page(PAGES[-1], np.random.default_rng(0))
    assert page.ndim == 2
    assert own == ""
