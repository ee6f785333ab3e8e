"""Differences between ways are counted, lines are fitted, and what is measured is what is said."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks import footprint, latency, service
from benchmarks.service import Same
from edge_runtime import Reader
from edge_runtime.drawn import drawn_fields

ITEMS = [(crop, field, "") for crop, field in drawn_fields(9)]


def test_differences_are_counted() -> None:
    wanted = [("a", "accepted", 0.9), ("b", "review", 0.5), ("c", "review", 0.5)]
    found = [("a", "accepted", 0.9 + 5e-5), ("x", "review", 0.5), ("c", "accepted", 0.2)]
    told = service.compared("way", found, wanted)
    assert (told.n, told.other_texts, told.other_statuses) == (3, 1, 1)
    assert told.most_apart == pytest.approx(0.3)
    assert not told.holds
    assert service.compared("way", found[:1], wanted[:1]).holds
    assert not Same("way", 1, 0, 0, 2e-4).holds


def test_every_way_gives_the_same_answers() -> None:
    ways = list(service.same(None, ITEMS, processes=1))
    assert [one.way for one in ways] == [
        "batches of 1", "batches of 7", "batches of 32", "batches of 64", "another order",
        "2 threads that share a reader", "2 threads inside the network", "1 process",
    ]  # fmt: skip
    assert all(one.n == len(ITEMS) for one in ways)
    assert all(one.holds for one in ways), ways


def test_a_line_is_fitted() -> None:
    x = np.arange(10.0)
    assert service.fitted(np.stack([x, 3 * x + 1], axis=1)) == pytest.approx(3)


def test_too_few_readings_of_memory_prove_nothing() -> None:
    row, _ = service.slope("w", lambda: 100, fields=500, seconds=60)
    assert row.mib_per_million is None
    assert not row.holds


def test_growth_after_the_warm_up_is_told_for_a_million(monkeypatch: pytest.MonkeyPatch) -> None:
    held = itertools.count(100)
    monkeypatch.setattr(service, "rss_mib", lambda: float(next(held)))
    row, seen = service.slope("w", lambda: 1000, fields=50_000, seconds=60)
    assert (row.fields, len(seen)) == (50_000, 50)
    assert row.mib_per_million == pytest.approx(1000.0)
    assert row.last_mib == 149.0
    assert not row.holds


def test_memory_is_read() -> None:
    assert 20 < service.rss_mib() < 20_000


def test_the_time_of_a_field_is_the_sum_of_its_parts() -> None:
    with Reader() as reader:
        before = reader._recognizer._sessions
        row = latency.field_row(reader, "drawn", ITEMS, seconds=0.05)
        assert reader._recognizer._sessions is before
    parts = row.image_ms + row.session_ms + row.rest_ms
    assert row.n == len(ITEMS)
    assert row.cpu_ms <= parts + 1e-9
    assert min(row.image_ms, row.session_ms) > 0
    assert row.outside_ms == pytest.approx(row.image_ms + row.rest_ms)
    assert row.one_min_ms <= row.one_p50_ms <= row.one_p95_ms


def test_a_timed_session_gives_the_answer_and_adds_up() -> None:
    session = latency.TimedSession(SimpleNamespace(run=lambda *a: sum(range(200_000)) and a))
    assert session.run(["log_probs"], {}) == (["log_probs"], {})
    first = session.spent_s
    session.run([], {})
    assert session.spent_s > first > 0


def test_what_is_required_is_followed_to_its_end() -> None:
    found = footprint.required()
    assert {"numpy", "pillow", "onnxruntime", "pydantic-core", "pygments"} <= found
    assert not {"torch", "pytest", "pypdfium2"} & found
    assert 5 < footprint.installed_mb("pillow") < 60


def test_a_page_of_300_dpi_is_one(tmp_path: Path) -> None:
    from edge_runtime.imaging import load_page

    command = footprint.example_at_300_dpi(tmp_path)
    assert load_page(command[1]).pixels.shape == (3508, 2480)
    assert Path(command[3]).is_file()


@pytest.mark.parametrize(("value", "asked", "holds"), [(3.0, 4.0, True), (5.0, 4.0, False)])
def test_a_figure_over_what_was_asked_does_not_hold(
    value: float, asked: float, holds: bool
) -> None:
    assert footprint.Row("model", value, "MB", asked).holds is holds
    assert footprint.Row("model", value, "MB").holds
