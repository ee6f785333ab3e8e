"""The benchmark: the same work every time, and numbers that say where they come from."""

from __future__ import annotations

import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime import bench
from edge_runtime.drawn import draw_digits, drawn_fields
from edge_runtime.errors import EdgeHwrError, ModelError
from edge_runtime.machine import Machine


def report() -> bench.Report:
    return bench.Report(
        Machine("Linux x86_64", "A CPU", ("avx2",), 2, 1.5, (("python", "3.11"),)),
        {"name": "small", "digest": "ab" * 32},
        ("CPUExecutionProvider",),
        {"import_ms": 100.0, "rss_batch_mib": None},
        (bench.Took("field", 1.5, 2.5, 1.0, 10),),
        (bench.Rate(1, 700.0), bench.Rate(2, 1100.0)),
    )


def test_drawn_fields_are_the_same_every_time_and_of_many_widths() -> None:
    once, again = drawn_fields(12), drawn_fields(12)
    assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(once, again, strict=True))
    assert len({crop.shape[1] for crop, _ in once}) == 10
    assert len({field.name for _, field in once}) == 12


def test_digits_are_dark_on_light() -> None:
    crop = draw_digits("0123456789")
    assert crop.dtype == np.uint8
    assert np.median(crop) > 200
    assert crop.min() < 60


@pytest.mark.parametrize(("most", "counts"), [(1, (1,)), (2, (1, 2)), (6, (1, 2, 4, 6))])
def test_threads_double_up_to_the_most(most: int, counts: tuple[int, ...]) -> None:
    assert bench.thread_counts(most) == counts


def test_measure_counts_every_turn_but_the_first() -> None:
    turns: list[int] = []
    took = bench.measure(lambda: turns.append(1), "x", seconds=0.01)
    assert len(turns) == took.repeats + 1
    assert took.min_ms <= took.p50_ms <= took.p95_ms


def test_a_report_is_json_and_a_table() -> None:
    shown = json.loads(report().to_json())
    assert shown["model"]["digest"] == "ab" * 32
    assert shown["machine"]["versions"] == {"python": "3.11"}
    text = bench.to_text(report(), io.StringIO())
    for word in ("1.50", "1100", "abababababababab", "A CPU", "unknown"):
        assert word in text


def test_a_model_that_is_not_there_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no\.onnx"):
        bench.run(model=tmp_path / "no.onnx", seconds=1)


def test_a_new_process_that_cannot_read_names_the_doctor(tmp_path: Path) -> None:
    with pytest.raises(EdgeHwrError, match="run `edge-hwr doctor`"):
        bench._startup(tmp_path / "no.onnx", ("cpu",))


def test_everything_is_measured(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    cv2.imwrite(str(path), np.pad(draw_digits("2075"), 60, constant_values=235))
    told: list[str] = []
    found = bench.run([(path, None)], model=tiny_model, threads=1, seconds=1, say=told.append)
    assert [one.name for one in found.times] == [
        "page page.png", "field, one at a time", "field, 32 at a time"
    ]  # fmt: skip
    assert found.rates[0].fields_per_s > 1
    assert (found.startup["load_ms"] or 0) > 0
    assert len(found.model["digest"]) == 64
    assert told
    assert "start-up" in told[0]
    assert bench.to_text(found, io.StringIO())
