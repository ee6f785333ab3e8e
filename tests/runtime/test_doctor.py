"""The doctor: finds what is wrong, says what to do, and survives what it looks at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime import doctor, machine
from edge_runtime.doctor import Check, Verdict, diagnose, to_json, worst
from edge_runtime.errors import ExitCode


def named(checks: Iterator[Check], name: str) -> Check:
    return next(check for check in checks if check.name == name)


def test_a_missing_model_fails_with_the_models_exit_code(tmp_path: Path) -> None:
    check = named(diagnose(model=tmp_path / "no.onnx"), "model")
    assert check.verdict is Verdict.FAIL
    assert check.exit_code is ExitCode.MODEL
    assert check.next_step
    assert "no.onnx" in check.fact


def test_no_check_stops_the_next_one(tmp_path: Path) -> None:
    names = [check.name for check in diagnose(model=tmp_path / "no.onnx")]
    assert names[-1] == "reading"
    assert len(names) == 10


def test_a_provider_that_is_not_there_is_a_failure() -> None:
    check = named(diagnose(providers=("tensorrt",)), "providers")
    assert check.exit_code is ExitCode.PROVIDER


def test_two_onnx_runtimes_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"onnxruntime": "1.2", "onnxruntime-gpu": "1.3"}
    monkeypatch.setattr(
        machine, "installed", lambda names: tuple((n, there[n]) for n in names if n in there)
    )
    check = named(diagnose(), "installs")
    assert check.verdict is Verdict.WARN
    assert "onnxruntime 1.2 and onnxruntime-gpu 1.3" in check.fact
    assert "pip uninstall onnxruntime onnxruntime-gpu" in check.next_step


def test_a_package_that_cannot_be_imported_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise ImportError("libGL.so.1: no such file")

    monkeypatch.setattr(doctor, "import_module", broken)
    check = named(diagnose(), "opencv")
    assert check.verdict is Verdict.FAIL
    assert "libGL" in check.fact
    assert "pip install" in check.next_step


def test_the_exit_code_is_the_highest_of_all() -> None:
    bad = Check("model", Verdict.FAIL, "", "", ExitCode.MODEL)
    assert worst([]) is ExitCode.OK
    assert worst([Check("a", Verdict.WARN, ""), bad]) is ExitCode.MODEL
    assert json.loads(to_json([bad]))["exit_code"] == 5


def test_the_bundled_model_is_sound_and_reads_what_is_drawn() -> None:
    checks = list(diagnose())
    failed = [f"{check.name}: {check.fact}" for check in checks if check.verdict is Verdict.FAIL]
    assert not failed


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, None),
        ({"cgroup": "0::/\n", "fs/cpu.max": "max 100000\n"}, None),
        ({"cgroup": "0::/\n", "fs/cpu.max": "150000 100000\n"}, 1.5),
        ({"cgroup": "0::/a/b\n", "fs/a/cpu.max": "50000 100000", "fs/a/b/cpu.max": "max 1"}, 0.5),
        (
            {
                "cgroup": "4:memory:/x\n2:cpu,cpuacct:/pod\n",
                "fs/cpu/pod/cpu.cfs_quota_us": "200000",
                "fs/cpu/pod/cpu.cfs_period_us": "100000",
            },
            2.0,
        ),
        (
            {
                "cgroup": "1:cpu:/\n",
                "fs/cpu/cpu.cfs_quota_us": "-1",
                "fs/cpu/cpu.cfs_period_us": "100000",
            },
            None,
        ),
    ],
)
def test_the_tightest_cgroup_limit_counts(
    tmp_path: Path, files: dict[str, str], cores: float | None
) -> None:
    for name, text in files.items():
        path = tmp_path / ("self/cgroup" if name == "cgroup" else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert machine.cgroup_quota(cgroup=tmp_path / "fs", proc=tmp_path) == cores


def test_threads_are_cores_cut_by_the_quota() -> None:
    def here(cores: int, quota: float | None) -> int:
        return machine.Machine("", "", (), cores, quota, ()).threads

    assert [here(4, None), here(4, 2.5), here(4, 0.5), here(2, 8.0)] == [4, 2, 1, 2]


def test_this_machine_can_be_described() -> None:
    shown = machine.Machine.here().to_dict()
    assert shown["cores"] >= 1
    assert "python" in shown["versions"]
    assert (machine.peak_rss_mib() or 0) > 5
