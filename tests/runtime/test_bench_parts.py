"""Times, energy, truth files and new processes: what `edge-hwr bench` is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime import fresh
from edge_runtime.energy import Meter
from edge_runtime.errors import EdgeHwrError
from edge_runtime.results import FieldReading, FormReading, Status
from edge_runtime.scoring import load_truth, score
from edge_runtime.timing import measure, per, taken, thread_counts


@pytest.mark.parametrize(
    ("most", "counts"), [(1, (1,)), (2, (1, 2)), (6, (1, 2, 3, 4, 6)), (16, (1, 2, 3, 4, 8, 16))]
)
def test_threads_are_all_tried_to_four_and_then_double(most: int, counts: tuple[int, ...]) -> None:
    assert thread_counts(most) == counts


def test_measure_counts_every_turn_but_the_first() -> None:
    turns: list[int] = []
    took = measure(lambda: turns.append(1), "x", seconds=0.01)
    assert len(turns) == took.repeats + 1
    assert took.min_ms <= took.p50_ms <= took.p95_ms


def test_times_together_and_each() -> None:
    took = taken("x", [1.0, 2.0, 30.0])
    assert (took.min_ms, took.p50_ms, took.repeats) == (1.0, 2.0, 3)
    assert took.p95_ms == pytest.approx(27.2)
    assert per(took, 2, "y").p50_ms == 1.0


def zone(root: Path, name: str, energy: int, top: int = 1000) -> Path:
    folder = root / "powercap" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "energy_uj").write_text(f"{energy}\n")
    (folder / "max_energy_range_uj").write_text(f"{top}\n")
    (folder / "name").write_text(f"package-{name[-1]}\n")
    return folder


def test_packages_are_added_their_cores_not_and_a_counter_may_begin_again(tmp_path: Path) -> None:
    first, second = zone(tmp_path, "intel-rapl:0", 100), zone(tmp_path, "intel-rapl:1", 900)
    inner = zone(tmp_path, "intel-rapl:0:0", 0)
    meter = Meter(tmp_path)
    (first / "energy_uj").write_text("400")
    (second / "energy_uj").write_text("100")  # 900 to 1000, and 100 more
    (inner / "energy_uj").write_text("999")
    told = meter.stop(10, seconds=2.0)
    assert told.source == "package-0, package-1"
    assert told.watts == pytest.approx(500e-6 / 2)
    assert told.mj_per_field == pytest.approx(500e-6 * 1e3 / 10)


def test_a_battery_tells_only_while_it_gives(tmp_path: Path) -> None:
    folder = tmp_path / "power_supply" / "BAT0"
    folder.mkdir(parents=True)
    (folder / "status").write_text("Charging\n")
    (folder / "current_now").write_text("2000000")
    (folder / "voltage_now").write_text("5000000")
    assert Meter(tmp_path).stop(1, seconds=1.0).watts is None
    (folder / "status").write_text("Discharging\n")
    told = Meter(tmp_path).stop(100, seconds=1.0)
    assert (told.source, told.watts) == ("battery BAT0", 10.0)
    assert told.mj_per_field == pytest.approx(100.0)


def test_where_nothing_tells_it_is_said(tmp_path: Path) -> None:
    told = Meter(tmp_path).stop(1)
    assert (told.watts, told.source) == (None, "")
    assert "no RAPL" in told.note


PAGES = [Path("in/a.png"), Path("in/b.png")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.json", '{"a.png": {"sum": "10"}, "b.png": {"fields": {"sum": ""}}}'),
        ("t.csv", "page,field,text\na.png,sum,10\nb.png,sum,\n"),
        ("t.csv", "﻿text,field,page\n10,sum,a.png\n,sum,b.png\n"),
    ],
)
def test_a_truth_names_its_pages(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert load_truth(path, PAGES) == {PAGES[0]: {"sum": "10"}, PAGES[1]: {"sum": ""}}


@pytest.mark.parametrize(
    ("name", "text"), [("t.json", '{"sum": "1,50"}'), ("t.csv", 'field,text\nsum,"1,50"\n')]
)
def test_a_truth_of_one_page_need_not(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert load_truth(path, PAGES[:1]) == {PAGES[0]: {"sum": "1,50"}}
    with pytest.raises(EdgeHwrError, match="none is named"):
        load_truth(path, PAGES)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.json", "{"),
        ("t.json", "[1]"),
        ("t.json", "{}"),
        ("t.json", '{"a.png": {"sum": 3}}'),
        ("t.json", '{"c.png": {"sum": "3"}}'),
        ("t.csv", "name,value\na,b\n"),
        ("t.csv", "field,text\n"),
        ("t.csv", "field,text\nsum\n"),
    ],
)
def test_a_truth_of_another_form_is_refused_by_name(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(EdgeHwrError, match=rf"{name}.*give JSON") as told:
        load_truth(path, PAGES[:1])
    assert str(path) in str(told.value)


def test_a_truth_that_is_not_there_or_has_no_page(tmp_path: Path) -> None:
    with pytest.raises(EdgeHwrError, match="cannot be read"):
        load_truth(tmp_path / "no.json", PAGES)
    with pytest.raises(EdgeHwrError, match="name the IMAGE"):
        load_truth(tmp_path / "no.json", [])


def form(**texts: tuple[str, Status]) -> FormReading:
    fields = tuple(
        FieldReading(name, "text", text, None, 0.9, status, "", (), (), text, (0.0, 0.0, 1.0, 1.0))
        for name, (text, status) in texts.items()
    )
    return FormReading(fields, (1, 1), None, None, {})


def test_a_score_counts_what_is_accepted_and_wrong() -> None:
    read = form(
        a=("x", Status.ACCEPTED), b=("y", Status.ACCEPTED), c=("z", Status.REVIEW),
        d=("", Status.BLANK),
    )  # fmt: skip
    told = score([(read, {"a": "x", "b": "Y", "c": "!", "d": ""})])
    assert (told.fields, told.exact, told.accepted, told.wrong_accepted) == (4, 2, 2, 1)
    assert told.wrong == ("b", "c")
    two = score([(read, {"a": "x"}), (read, {"b": "Y"})], ["one.png", "two.png"])
    assert two.wrong == ("two.png: b",)
    with pytest.raises(EdgeHwrError, match="no field 'e'"):
        score([(read, {"e": "x"})])


def test_a_new_process_answers_with_its_last_line() -> None:
    script = "import json, sys; print('talk'); print(sys.argv[1])"
    assert fresh.ask(script, {"a": 1}) == {"a": 1}
    with pytest.raises(EdgeHwrError, match="ValueError: bad"):
        fresh.ask("raise ValueError('bad')", {})


def test_a_worker_answers_each_time_and_tells_its_end() -> None:
    script = (
        "import json, sys\n"
        "for line in sys.stdin:\n"
        "    n = json.loads(line)['n']\n"
        "    assert n, 'zero'\n"
        "    print(json.dumps({'n': n + 1}), flush=True)\n"
    )
    with fresh.Worker(script, {}) as worker:
        for n in (1, 5):
            worker.tell({"n": n})
            assert worker.hear() == {"n": n + 1}
        worker.tell({"n": 0})
        with pytest.raises(EdgeHwrError, match="zero"):
            worker.hear()
