"""The command line: data on stdout, talk on stderr, exit codes that mean something."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from edge_runtime import __version__
from edge_runtime.cli import app
from edge_runtime.errors import ModelError, TemplateError
from edge_runtime.field import Field
from edge_runtime.results import MASK, FieldReading, FormReading, Status

SECRET = "hunter2"
TEMPLATE = """
name: card
page: {size: [200, 100], unit: px}
fields:
  - {name: code, kind: digits, box: [10, 10, 90, 40]}
  - {name: password, kind: text, secret: true, box: [10, 50, 90, 80]}
"""


class FakeReader:
    """Reads the same of every picture; what it was given is kept."""

    calls: list[tuple[str, Any]]

    def __init__(self, model: Path | None = None, **options: Any) -> None:
        if model is not None:
            raise ModelError(f"{model}: no model; name another")
        self.calls.append(("made", options))

    def read(self, source: Any, *, template: Any = None) -> FormReading:
        if source.shape[0] == 13:
            raise TemplateError("<array>: not that form; take the right template")
        if source.shape[0] == 17:
            raise RuntimeError("a bug\nof ours")
        if source.shape[0] == 19:
            raise KeyboardInterrupt
        self.calls.append(("template", template and template.name))
        code = one("code", "270415")
        password = one("password", SECRET, secret=True, box=(10.0, 50.0, 90.0, 80.0))
        h, w = source.shape[:2]
        return FormReading((code, password), (w, h), None, None, {"name": "m", "digest": "d"})

    def read_field(self, crop: Any, field: Field) -> FieldReading:
        self.calls.append(("field", field))
        return one(field.name, "270415", secret=bool(field.secret))


def one(name: str, text: str, **rest: Any) -> FieldReading:
    values: dict[str, Any] = {"kind": "digits", "value": text, "confidence": 0.99}
    values |= {"status": Status.ACCEPTED, "reason": "", "alternatives": (), "glyphs": ()}
    values |= {"raw_text": text, "box": (10.0, 10.0, 90.0, 40.0)}
    return FieldReading(name=name, text=text, **(values | rest))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The reader replaced; what it was asked."""
    module = ModuleType("edge_runtime.reader")
    module.Reader = FakeReader  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "edge_runtime.reader", module)
    FakeReader.calls = []
    return FakeReader.calls


@pytest.fixture
def form(tmp_path: Path) -> Path:
    return draw(tmp_path / "form.png")


def draw(path: Path, *, height: int = 100) -> Path:
    path.parent.mkdir(exist_ok=True)
    page = np.full((height, 200, 3), 240, np.uint8)
    cv2.line(page, (20, 65), (80, 65), (0, 0, 0), 3)  # in the secret's box
    cv2.imwrite(str(path), page)
    return path


def pages(path: Path, *, bad: tuple[int, ...] = (), number: int = 3) -> Path:
    """A TIFF of so many pages, some of which cannot be decoded; numbers from 1."""
    sheets = [Image.new("L", (200, 100), 240)] * number
    sheets[0].save(path, save_all=True, append_images=sheets[1:], compression="tiff_adobe_deflate")
    data = bytearray(path.read_bytes())
    with Image.open(path) as image:
        for page in bad:
            image.seek(page - 1)
            at = image.tag_v2[273][0]  # type: ignore[attr-defined]
            data[at : at + 20] = b"\xff" * 20
    path.write_bytes(data)
    return path


def run(*words: Any, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=stdin)


@pytest.mark.parametrize("words", [["--help"], ["read", "--help"], ["--version"]])
def test_help_and_version_load_nothing_heavy(words: list[str]) -> None:
    script = (
        "import sys\nfrom edge_runtime.cli import app\n"
        f"app({words!r}, standalone_mode=False)\n"
        "heavy = {'numpy', 'cv2', 'onnxruntime', 'PIL', 'yaml'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_python_dash_m_says_the_version() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edge_runtime", "--version"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == f"edge-hwr {__version__}\n"


def test_data_goes_to_stdout_and_talk_to_stderr(calls: list[Any], form: Path) -> None:
    done = run("read", form, "--format", "json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["fields"][0]["text"] == "270415"
    assert "2 accepted" in done.stderr


@pytest.mark.parametrize("format", ["table", "json", "jsonl", "csv"])
def test_no_format_shows_a_secret_unasked(calls: list[Any], form: Path, format: str) -> None:
    done = run("read", form, "-f", format, "--debug")
    assert SECRET not in done.stdout + done.stderr
    assert MASK in done.stdout
    assert SECRET in run("read", form, "-f", format, "--reveal").stdout


def test_a_bad_file_does_not_stop_the_batch_and_the_highest_code_wins(
    calls: list[Any], form: Path, tmp_path: Path
) -> None:
    wrong_form, missing = draw(tmp_path / "other.png", height=13), tmp_path / "missing.png"
    done = run("read", missing, wrong_form, form, "--format", "jsonl")
    assert done.exit_code == 4
    assert [json.loads(line)["file"] for line in done.stdout.splitlines()] == [str(form)]
    assert f"{wrong_form}: not that form; take the right template" in done.stderr
    assert f"2 of 3 failed: {missing} (exit code 3), {wrong_form} (exit code 4)" in done.stderr


def test_our_own_bug_is_one_line_and_a_traceback_only_on_demand(
    calls: list[Any], tmp_path: Path
) -> None:
    bug = draw(tmp_path / "bug.png", height=17)
    done = run("read", bug)
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        f"{bug}: unexpected RuntimeError: a bug of ours; --debug shows where, please report it"
    ]
    assert "Traceback" in run("read", bug, "--debug").stderr


def test_a_model_that_is_not_there_ends_the_command(calls: list[Any], form: Path) -> None:
    done = run("read", form, "--model", "no.onnx")
    assert done.exit_code == 5
    assert done.stderr == "no.onnx: no model; name another\n"


@pytest.mark.parametrize(
    "words",
    [
        ["read"],
        ["read", "a.png", "--format", "xml"],
        ["read", "a.png", "--threads", "0"],
        ["read", "a.png", "--overlay", "b.txt"],
        ["read", "a.png", "--overlay", "a.png"],
        ["read", "a.png", "--output", "./a.png"],
        ["read", "a.png", "--output", "o.png", "--overlay", "o.png"],
        ["read", "a.png", "ovd/a.overlay.png", "--overlay", "ovd"],
        ["read", "a.png", "b.png", "o.b.png", "--overlay", "o.png"],
        ["read", "a.png", "-o", "out/a.overlay.png", "--overlay", "out"],
        ["read", "a.png", "--model", "m.onnx", "-o", "m.onnx"],
        ["read", "--camera", "v.avi", "-o", "v.avi"],
        ["read", "--camera", "0", "-t", "f.yaml", "-o", "f.yaml"],
        ["read", "a.png", "--accept", "0"],
        ["read", "a.png", "--accept", "2"],
        ["read", "a.png", "--accept", "nan"],
        ["field", "a.png", "--accept", "-1"],
        ["field", "a.png", "-o", "a.png"],
        ["bench", "a.png", "-t", "a.yaml", "-o", "a.yaml"],
        ["bench", "a.png", "--truth", "t.json", "--json", "-o", "t.json"],
        ["bench", "a.png", "--plot", "a.png"],
        ["bench", "a.png", "--plot", "p.png", "-o", "p.png"],
        ["bench", "a.png", "--plot", "p"],
        ["bench", "--model", "m.onnx", "-o", "m.onnx"],
        ["template", "preview", "f.yaml", "-o", "q"],
        ["field", "a.png", "--kind", "nonsense"],
        ["nonsense"],
    ],
)
def test_usage_errors_exit_with_2(calls: list[Any], words: list[str]) -> None:
    assert run(*words).exit_code == 2


@pytest.mark.parametrize("written", ["sheet.png", "form.yaml"])
@pytest.mark.parametrize("option", ["--overlay", "--output"])
def test_a_template_and_its_reference_are_not_overwritten(
    calls: list[Any], form: Path, option: str, written: str
) -> None:
    reference = draw(form.with_name("sheet.png"))
    form.with_suffix(".yaml").write_text(
        "name: card\npage: {size: [200, 100], unit: px}\nreference: sheet.png\n"
        "fields: [{name: a, box: [10, 10, 90, 40]}]\n"
    )
    before = reference.read_bytes(), form.with_suffix(".yaml").read_bytes()
    done = run("read", form, option, form.with_name(written))
    assert done.exit_code == 2
    assert (reference.read_bytes(), form.with_suffix(".yaml").read_bytes()) == before


def test_the_template_beside_the_picture_is_used_and_said(calls: list[Any], form: Path) -> None:
    beside = form.with_suffix(".yaml")
    beside.write_text(TEMPLATE)
    done = run("read", form)
    assert done.exit_code == 0, done.stderr
    assert ("template", "card") in calls
    assert f"template {beside}" in done.stderr


def test_without_a_template_fields_are_found(calls: list[Any], form: Path) -> None:
    run("read", form)
    assert ("template", None) in calls


def test_stdin_is_a_picture_too(calls: list[Any], form: Path) -> None:
    done = run("read", "-", "--format", "json", stdin=form.read_bytes())
    assert json.loads(done.stdout)["file"] == "-"
    empty = run("read", "-", stdin=b"")
    assert empty.exit_code == 3
    assert empty.stderr.startswith("<stdin>: empty")


def test_threads_providers_and_the_line_reach_the_reader(calls: list[Any], form: Path) -> None:
    run(
        "read",
        form,
        "--threads",
        "2",
        "--provider",
        "cuda",
        "--provider",
        "cpu",
        "--allow-fallback",
        "--accept",
        "0.98",
    )
    told = {"providers": ["cuda", "cpu"], "threads": 2, "allow_fallback": True, "accept": 0.98}
    assert calls[0] == ("made", told)


def test_an_overlay_is_written_and_hides_the_secret(calls: list[Any], form: Path) -> None:
    path = form.with_name("out") / "o.png"
    done = run("read", form, "--overlay", path)
    assert f"wrote {path}" in done.stderr
    assert (cv2.imread(str(path))[50:80, 12:88] > 60).all()


def test_overlays_of_several_files_do_not_overwrite_each_other(
    calls: list[Any], tmp_path: Path
) -> None:
    images = [draw(tmp_path / name / "form.png") for name in "ab"]
    assert run("read", *images, "--overlay", tmp_path / "out").exit_code == 0
    assert run("read", *images, "--overlay", tmp_path / "o.png").exit_code == 0
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*o*.png"))
    assert found == [
        "a/form.png", "b/form.png", "o.form-2.png", "o.form.png",
        "out/form-2.overlay.png", "out/form.overlay.png",
    ]  # fmt: skip


def test_crops_leave_out_secrets(calls: list[Any], form: Path, tmp_path: Path) -> None:
    run("read", form, "--crops", tmp_path / "crops")
    assert [path.name for path in (tmp_path / "crops").iterdir()] == ["form.code.png"]
    run("read", form, "--crops", tmp_path / "all", "--reveal")
    assert len(list((tmp_path / "all").iterdir())) == 2


def test_output_goes_to_a_file(calls: list[Any], form: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    assert run("read", form, "--format", "csv", "--output", path).stdout == ""
    with path.open(newline="") as stream:
        assert [row["field"] for row in csv.DictReader(stream)] == ["code", "password"]
    bad = run("read", form, "--output", tmp_path / "no" / "out.csv")
    assert bad.exit_code == 2
    assert "cannot be written" in bad.stderr
    assert "report" not in bad.stderr


def test_pages_of_a_tiff_are_read_one_by_one_or_alone(calls: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "pages.tiff"
    cv2.imwritemulti(str(path), [np.full((100, 200), 240, np.uint8)] * 3)
    both = run("read", path, "--format", "csv")
    assert {row["page"] for row in csv.DictReader(io.StringIO(both.stdout))} == {"1", "2", "3"}
    alone = run("read", path, "--format", "json", "--page", "2")
    assert json.loads(alone.stdout)["page"] == 2
    assert run("read", path, "--page", "4").exit_code == 3


def test_a_name_that_is_no_text_does_not_cost_the_batch(
    calls: list[Any], form: Path, tmp_path: Path
) -> None:
    odd = tmp_path / os.fsdecode(b"ok\xff.png")
    try:
        odd.write_bytes(form.read_bytes())
    except OSError:
        pytest.skip("no such name in this file system")
    out = tmp_path / "out.json"
    assert run("read", form, odd, "-f", "json", "-o", out).exit_code == 0
    assert [Path(one["file"]).name for one in json.loads(out.read_text())] == [
        "form.png",
        "ok\\udcff.png",
    ]


@pytest.mark.parametrize("format", ["table", "json", "jsonl", "csv"])
@pytest.mark.parametrize("number", [1, 2])
def test_what_an_earlier_run_wrote_is_kept_where_nothing_is_read(
    calls: list[Any], tmp_path: Path, format: str, number: int
) -> None:
    out = tmp_path / "results"
    out.write_text("dear results")
    typos = [tmp_path / f"typo{k}.png" for k in range(number)]
    done = run("read", *typos, "-f", format, "-o", out)
    assert done.exit_code == 3
    assert out.read_text() == "dear results"
    assert f"{out} is left as it was" in done.stderr
    assert run("read", *typos, "-f", format, "-o", tmp_path / "new").exit_code == 3
    assert not (tmp_path / "new").exists()


def test_a_picture_to_read_is_not_overwritten_by_a_crop(
    calls: list[Any], form: Path, tmp_path: Path
) -> None:
    second = draw(tmp_path / "form.code.png")
    before = second.read_bytes()
    done = run("read", form, second, "--crops", tmp_path, "-f", "csv")
    assert done.exit_code == 2
    assert second.read_bytes() == before
    assert "1 of 2 failed" in done.stderr


@pytest.mark.parametrize("command", ["read", "field"])
def test_pages_after_a_broken_one_are_read(calls: list[Any], tmp_path: Path, command: str) -> None:
    path = pages(tmp_path / "fb.tif", bad=(2,))
    done = run(command, path, "-f", "csv")
    assert done.exit_code == 3
    found = {row["page"] for row in csv.DictReader(io.StringIO(done.stdout))}
    assert found == {"1", "3"}
    assert f"1 of 3 failed: {path}, page 2 (exit code 3)" in done.stderr


def test_failures_are_counted_as_what_was_tried_is(calls: list[Any], tmp_path: Path) -> None:
    some, none = pages(tmp_path / "a.tif", bad=(1, 3)), pages(tmp_path / "b.tif", bad=(1, 2, 3))
    assert "5 of 6 failed: " in run("read", some, none).stderr
    assert "6 of 7 failed: " in run("read", tmp_path / "no.png", some, none).stderr


@pytest.mark.parametrize("command", ["read", "field"])
@pytest.mark.parametrize("bad", [(), (1,), (1, 2), (1, 2, 3)])
def test_several_pages_are_a_list_in_json_however_many_are_read(
    calls: list[Any], tmp_path: Path, command: str, bad: tuple[int, ...]
) -> None:
    done = run(command, pages(tmp_path / "a.tif", bad=bad), "-f", "json")
    assert len(json.loads(done.stdout)) == 3 - len(bad)
    assert isinstance(json.loads(done.stdout), list)


def test_a_page_that_was_asked_for_by_its_number_is_one(calls: list[Any], tmp_path: Path) -> None:
    done = run("read", pages(tmp_path / "a.tif"), "--page", "2", "-f", "json")
    assert json.loads(done.stdout)["page"] == 2


def test_a_page_whose_output_failed_is_not_counted_as_read(
    calls: list[Any], form: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = run("read", form, pages(tmp_path / "a.tif"), "--overlay", tmp_path / "file" / "out")
    assert done.exit_code == 2
    assert "4 of 4 failed" in done.stderr
    assert "pages:" not in done.stderr
    assert "report" not in done.stderr


@pytest.mark.parametrize("format", ["table", "json", "jsonl", "csv"])
@pytest.mark.parametrize("to_file", [False, True])
def test_ctrl_c_keeps_what_was_read(
    calls: list[Any], form: Path, tmp_path: Path, format: str, to_file: bool
) -> None:
    stop, out = draw(tmp_path / "stop.png", height=19), tmp_path / "out"
    more = ["-o", out] if to_file else []
    done = run("read", form, draw(tmp_path / "b.png"), stop, form, "-f", format, *more)
    assert done.exit_code == 130
    shown = out.read_text() if to_file else done.stdout
    if format == "json":
        assert [Path(one["file"]).name for one in json.loads(shown)] == ["form.png", "b.png"]
    else:
        assert shown.count("270415") >= 2
    assert "2 pages: 4 accepted" in done.stderr


def test_ctrl_c_before_anything_is_read_keeps_an_earlier_file(
    calls: list[Any], tmp_path: Path
) -> None:
    stop, out = draw(tmp_path / "stop.png", height=19), tmp_path / "out"
    out.write_text("dear results")
    assert run("read", stop, stop, "-f", "json", "-o", out).exit_code == 130
    assert out.read_text() == "dear results"
    assert json.loads(run("read", stop, stop, "-f", "json").stdout) == []


def test_a_bad_truth_is_the_callers_error(tmp_path: Path, form: Path) -> None:
    bad = tmp_path / "truth.json"
    bad.write_text("[]")
    done = run("bench", form, "--truth", bad)
    assert done.exit_code == 2
    assert "neither fields nor pages" in done.stderr


def test_field_passes_on_what_may_stand_in_it(calls: list[Any], form: Path) -> None:
    done = run(
        "field", form, "--kind", "code", "--cells", "6", "--pattern", "[0-9]+", "--charset", "0123",
        "--choice", "1", "--choice", "2", "--optional", "--secret", "--format", "json",
    )  # fmt: skip
    assert calls[-1] == (
        "field",
        Field(
            name="form", kind="code", cells=6, pattern="[0-9]+", charset="0123",
            choices=("1", "2"), optional=True, secret=True,
        ),
    )  # fmt: skip
    assert json.loads(done.stdout)["text"] == MASK


def test_field_reads_on_after_a_bad_crop(calls: list[Any], form: Path, tmp_path: Path) -> None:
    done = run("field", tmp_path / "no.png", form, "--format", "jsonl")
    assert done.exit_code == 3
    assert json.loads(done.stdout)["name"] == "form"


def test_template_check_tells_good_from_bad(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(TEMPLATE)
    bad.write_text(TEMPLATE.replace("kind: digits", "knd: digits"))
    done = run("template", "check", good, bad)
    assert done.exit_code == 4
    assert f"{good}: card, 2 fields" in done.stdout
    assert str(bad) in done.stderr


def test_template_schema_is_json() -> None:
    assert json.loads(run("template", "schema").stdout)["type"] == "object"


def test_template_preview_draws_an_empty_page(tmp_path: Path) -> None:
    path, out = tmp_path / "card.yaml", tmp_path / "out.png"
    path.write_text(TEMPLATE)
    done = run("template", "preview", path, "--output", out)
    assert done.exit_code == 0, done.stderr
    drawn = cv2.imread(str(out))
    assert drawn.shape == (877, 1754, 3)
    assert (drawn < 200).any()


def test_doctor_exits_with_what_failed(tmp_path: Path) -> None:
    done = run("doctor", "--model", tmp_path / "no.onnx")
    assert done.exit_code == 5
    assert "fail  model" in done.stdout
    shown = json.loads(run("doctor", "--model", tmp_path / "no.onnx", "--json").stdout)
    assert shown["exit_code"] == 5


def test_what_is_said_of_a_file_gives_no_orders_to_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["read", "no\x1b[2Jsuch.png"], color=True)
    assert told.exit_code == 3
    assert "\x1b" not in told.stderr
    assert r"no\x1b[2Jsuch.png: no such file" in told.stderr
