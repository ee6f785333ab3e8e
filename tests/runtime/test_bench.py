"""The benchmark: the same work every time, and numbers that say where they come from."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge_runtime import bench, bench_pick, bench_plot, bench_table, machine, scaling, startup
from edge_runtime.bench_report import MANY, ONE, Engine, Rate, Report, Score
from edge_runtime.cli import app
from edge_runtime.drawn import draw_digits, drawn_fields
from edge_runtime.energy import Energy
from edge_runtime.errors import (
    EdgeHwrError,
    ExitCode,
    ModelError,
    ProviderError,
    TemplateError,
)
from edge_runtime.machine import Machine
from edge_runtime.timing import Took

HERE = Machine("Linux x86_64", "A CPU", ("avx2",), 2, 1.5, (("python", "3.11"),))


def engine(
    precision: str = "int8", *, one: float = 1.5, many: float = 1.0, exact: int | None = None
) -> Engine:
    times = (Took(ONE, one, 2.5, 1.0, 10), Took(MANY, many, 2.0, 0.9, 10))
    score = None if exact is None else Score(100, exact, 50, 1, ("amount",))
    started = {"import_ms": 100.0, "rss_batch_mib": None}
    return Engine(
        "bundled", "small", "ab" * 32, precision, "CPUExecutionProvider", started, times, 32, 32,
        score,
    )  # fmt: skip


def report(*engines: Engine, rates: tuple[Rate, ...] = ()) -> Report:
    spread = rates or (Rate("network", 1, 700.0, 1.5), Rate("processes", 2, 1100.0))
    energy = Energy("", None, None, "no RAPL counter here")
    return Report(HERE, engines or (engine(),), 0, spread, energy, 12.0)


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


def test_a_report_is_json_and_a_table() -> None:
    shown = json.loads(report(engine(exact=97)).to_json())
    assert shown["engines"][0]["digest"] == "ab" * 32
    assert shown["machine"]["versions"] == {"python": "3.11"}
    text = bench_table.to_text(report(engine(exact=97)), io.StringIO())
    for word in ("1.50", "1100", "abababababababab", "A CPU", "unknown", "97", "amount"):
        assert word in text


def test_the_picture_has_a_bar_for_every_engine() -> None:
    def coloured(picture: np.ndarray) -> int:
        return int((np.ptp(picture.astype(int), axis=2) > 60).sum())

    one = bench_plot.draw(report())
    two = bench_plot.draw(report(engine(), engine("float")))
    assert one.shape == two.shape == (900, 1280, 3)
    assert coloured(two) > 1.2 * coloured(one) > 0


def test_the_picture_shows_no_rate_that_was_not_measured() -> None:
    alone = bench_plot.draw(report(rates=(Rate("network", 1, 700.0, 2.0),)))
    orange = np.array(bench_plot._COLORS[1][::-1], np.uint8)  # of threads that share a reader
    spots = (alone[490:, :640] == orange).all(axis=2)
    assert spots.sum() == 13 * 13  # the square in the legend, and no dot


def test_a_page_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    class Refuses:
        def read(self, *_: object, **__: object) -> None:
            raise TemplateError("<array>: not that form; take the right template")

    sheet = bench._Sheet(tmp_path / "page.png", None, np.zeros((9, 9), np.uint8), None)
    with pytest.raises(TemplateError, match=r"page\.png: not that form"):
        bench._read(Refuses(), sheet)  # type: ignore[arg-type]


def test_a_thread_more_must_bring_a_tenth() -> None:
    rates = (
        Rate("network", 1, 700.0, 2.0),
        Rate("network", 2, 740.0, 1.9),
        Rate("callers", 2, 1000.0),
        Rate("processes", 2, 1300.0),
        Rate("processes", 4, 1310.0),
    )
    single, one_process, any_way = bench_pick.pick(report(rates=rates))
    assert single.settings == "Reader(threads=1)"
    assert one_process.settings == "Reader(threads=1), shared by 2 threads of the program"
    assert any_way.settings == "Reader(threads=1), in 2 processes"
    assert "1000" in any_way.why


def test_one_process_is_a_reader_of_its_own() -> None:
    spread = (Rate("processes", 1, 880.0), Rate("processes", 2, 890.0))
    rates = (Rate("network", 1, 680.0, 2.0), *spread)
    *_, any_way = bench_pick.pick(report(rates=rates))
    assert any_way.settings == "Reader(threads=1)"


@pytest.mark.parametrize(("exact", "chosen"), [(90, "float"), (100, "int8")])
def test_what_reads_less_right_is_not_picked_however_fast(exact: int, chosen: str) -> None:
    quick, slow = engine(exact=exact), engine("float", one=5.0, many=4.0, exact=100)
    advice = bench_pick.pick(report(replace(quick, model="q.onnx"), replace(slow, model="s.onnx")))
    model = {"int8": "'q.onnx'", "float": "'s.onnx'"}[chosen]
    assert all(model in one.settings for one in advice)
    assert ("left out" in advice[0].why) == (exact == 90)


def test_a_model_that_is_not_there_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no\.onnx"):
        bench.run(models=[tmp_path / "no.onnx"], seconds=1)


def test_a_provider_that_was_asked_for_and_is_not_there_is_an_error(tiny_model: Path) -> None:
    with pytest.raises(ProviderError, match="QNN"):
        bench.run(models=[tiny_model], providers=["cpu", "qnn"], seconds=1)


def test_a_new_process_that_cannot_read_names_the_doctor(tmp_path: Path) -> None:
    with pytest.raises(EdgeHwrError, match="run `edge-hwr doctor`"):
        startup.start_up(tmp_path / "no.onnx", "cpu", starts=1)
    with pytest.raises(EdgeHwrError, match="run `edge-hwr doctor`"):
        scaling._processes(tmp_path / "no.onnx", "cpu", 1, seconds=0.1)


def test_everything_is_measured(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "STARTS", 1)
    monkeypatch.setattr(machine, "affinity_cores", lambda: 1)  # more threads are not tried
    page, truth = tmp_path / "page.png", tmp_path / "truth.json"
    sheet = np.pad(draw_digits("2075"), 60, constant_values=235)
    cv2.imwrite(str(page), cv2.resize(sheet, None, fx=4, fy=4))
    form = {"name": "f", "page": {"size": [270, 184], "unit": "mm"}, "fields": [
        {"name": "number", "kind": "digits", "box": [50, 50, 210, 130]}
    ]}  # fmt: skip
    (tmp_path / "page.json").write_text(json.dumps(form))
    truth.write_text('{"fields": {"number": "not this"}}')
    result = CliRunner().invoke(app, [
        "bench", str(page), "-t", str(tmp_path / "page.json"), "--truth", str(truth),
        "--model", str(tiny_model), "--threads", "64", "--seconds", "1", "--provider", "cpu",
        "--json", "--pick", "--plot", str(tmp_path / "b.png"), "-o", str(tmp_path / "b.json"),
    ])  # fmt: skip
    assert result.exit_code == ExitCode.OK, result.output
    found = json.loads((tmp_path / "b.json").read_text())
    (one,) = found["engines"]
    assert [time["name"] for time in one["times"]] == ["page page.png", ONE, MANY]
    assert [rate["way"] for rate in found["rates"]] == ["network", "processes"]
    assert all(rate["fields_per_s"] > 1 for rate in found["rates"])
    assert one["startup"]["rss_page_mib"] >= one["startup"]["rss_one_field_mib"] > 10
    assert one["startup"]["ready_ms"] > one["startup"]["load_ms"] > 0
    assert (one["precision"], one["score"]["fields"], one["score"]["exact"]) == ("float", 1, 0)
    assert one["score"]["wrong"] == ["number"]
    assert len(found["pick"]) == 3
    assert cv2.imread(str(tmp_path / "b.png")).shape == (900, 1280, 3)
    assert "start-up" in result.stderr
    assert "64 threads were asked for; 1 may run here" in result.stderr
