"""README's tables come from the records, of one model, and of the one that is shipped."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from benchmarks import footprint, latency, report, rivals, robustness, service


def held(digest: str = "ab" * 32) -> dict[str, Any]:
    facts = {"model": {"name": "small", "digest": digest}, "machine": {"cpu": "A CPU", "cores": 2}}
    accuracy = {
        "name": "words", "n": 10, "exact_folded": 0.5, "low": 0.2, "high": 0.8, "cer": 0.1,
        "accepted": 0.3, "wrong_accepted": 0.0, "ms_per_field": 4.0,
    }  # fmt: skip
    tally = {"fields": 100, "exact": 98, "accepted": 60, "wrong_accepted": 0}
    page = latency.PageRow("door-code", 7, 80.0, 90.0, 70.0, {"load": 1.0})
    rows: dict[str, list[Any]] = {
        "rivals": [
            rivals.Row("words", rivals.OURS, "small@x", 9, 0.8, 0.7, 0.9, 0.1, 4.0, 5.0, 3.0),
            rivals.Row("words", "other", "other 2", 9, 0.9, 0.8, 1.0, 0.1, 14.0, 15.0),
        ],
        "latency": [latency.Row("words", 9, 4.0, 5.0, 3.0, 3.5, 3.4, 0.5, 2.5, 0.4)],
        "footprint": [footprint.Row("model", 3.2, "MB", 4.0)],
        "robustness": [robustness.Row("words", "fog", 2, 100, 80, 50, 2)],
        "service_same": [service.Same("batches of 7", 5000, 0, 0, 2e-7)],
        "service_slope": [service.Slope("1 thread", 10**6, 900.0, 150.0, 150.5, 0.6, 1111.0)],
    }
    more: dict[str, dict[str, Any]] = {
        "rivals": {"absent": [{"engine": "easyocr", "why": "x"}], "most": 200},
        "latency": {"pages": [asdict(page)]},
    }
    return {
        "accuracy": facts | {"rows": [accuracy]},
        "forms": facts | {
            "forms": 63, "seeds": [1, 2], "tally": tally, "account_opening_ms": {"median": 149.0},
        },
        "quantization": facts | {
            "speed": [{"fp32_ms": 6.0, "int8_ms": 2.0}],
            "sets": [{"set": "words", "fp32": 0.8, "int8": 0.79}],
        },
        **{
            name: facts | {"rows": [asdict(one) for one in ours]} | more.get(name, {})
            for name, ours in rows.items()
        },
    }  # fmt: skip


def written(folder: Path, records: dict[str, Any]) -> Path:
    for name, one in records.items():
        (folder / f"{name}.json").write_text(json.dumps(one))
    return folder


def test_every_record_has_its_table(tmp_path: Path) -> None:
    text = report.report(report.load(written(tmp_path, held())))
    for part in (
        "| words, no lexicon | 10 | 50.0 |", "98.0 % exact", "3.00 times faster",
        "| words | **edge-hwr** | 80.0 |", "| words | other | 90.0 |", "easyocr absent",
        "| words | 4.00 | 5.00 | 3.50 | 0.50 | 2.50 | 0.40 |", "door-code (7 fields) 80 ms",
        "| model | 3.2 MB | 4 MB |", "| crops | 2 | 100 | 80.0 | 50.0 | 4.00 |",
        "0 other texts or statuses", "+0.6 MiB a million", "`benchmarks.service`",
    ):  # fmt: skip
        assert part in text


def test_times_stay_when_confidence_is_fitted_anew_and_the_report_says_so(tmp_path: Path) -> None:
    network = {"int8": "minmax", "checkpoint_sha256": "cd" * 32}
    records = {name: one | {"network": network} for name, one in held().items()}
    records["latency"]["model"] = {"name": "small", "digest": "ef" * 32}
    text = report.report(report.load(written(tmp_path, records)))
    told = "latency; neither probabilities nor such rows are in them"
    assert f"(digest `{'ef' * 6}`): {told}" in text
    records["latency"]["network"] = network | {"twin_words_sha256": "12" * 32}
    assert report.load(written(tmp_path, records))
    records["latency"]["network"] = network | {"int8": "entropy"}
    with pytest.raises(SystemExit, match="different models"):
        report.load(written(tmp_path, records))


def test_probabilities_do_not_stay(tmp_path: Path) -> None:
    network = {"int8": "minmax", "checkpoint_sha256": "cd" * 32}
    records = {name: one | {"network": network} for name, one in held().items()}
    records["robustness"]["model"] = {"name": "small", "digest": "ef" * 32}
    with pytest.raises(SystemExit, match="different models"):
        report.load(written(tmp_path, records))


def test_what_was_not_measured_is_left_out(tmp_path: Path) -> None:
    kept = {name: one for name, one in held().items() if name in report.NEEDED}
    text = report.report(report.load(written(tmp_path, kept)))
    assert "edge-hwr**" not in text
    assert text.endswith(
        "Printed by `python -m benchmarks.accuracy`, `benchmarks.forms` and "
        "`benchmarks.quantization`; filled in by `benchmarks.report`."
    )


def test_results_of_two_models_are_refused(tmp_path: Path) -> None:
    records = held()
    records["rivals"]["model"] = {"name": "small", "digest": "cd" * 32}
    records["rivals"] = dict(records["rivals"])
    with pytest.raises(SystemExit, match="cdcdcdcdcdcd: rivals"):
        report.load(written(tmp_path, records))


def test_a_result_that_is_needed_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"python -m benchmarks\.accuracy"):
        report.load(tmp_path)


def test_results_of_another_model_than_the_shipped_one_are_stale() -> None:
    assert "bundled is" in report.stale(held())


def test_check_tells_stale_from_fresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\n\n{report.END}\nafter\n")
    monkeypatch.setattr(report, "ROOT", tmp_path)
    monkeypatch.setattr(report, "RESULTS", written(tmp_path, held()))
    monkeypatch.setattr(report, "stale", lambda records: "")
    assert report.main(["--check"]) == 1
    assert report.main([]) == 0
    assert report.main(["--check"]) == 0
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    readme.write_text(text.replace("98.0", "99.0"))
    assert report.main(["--check"]) == 1
    assert "stale" in capsys.readouterr().err
