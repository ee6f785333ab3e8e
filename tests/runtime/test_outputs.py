"""Where readings and pictures go: odd names, narrow encodings, closed pipes, full disks."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime import batch, imaging
from edge_runtime.errors import EdgeHwrError, ExitCode
from edge_runtime.render import Format, OutputError, Writer
from edge_runtime.results import FieldReading, FormReading, Status

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")


def reading(name: str = "name", text: str = "Anna", **rest: Any) -> FieldReading:
    values: dict[str, Any] = {"kind": "text", "value": text, "confidence": 0.99}
    values |= {"status": Status.ACCEPTED, "reason": "", "alternatives": (), "glyphs": ()}
    values |= {"raw_text": text, "box": (60.0, 100.0, 360.0, 140.0)}
    return FieldReading(name=name, text=text, **(values | rest))


def form(*fields: FieldReading) -> FormReading:
    return FormReading(fields, (500, 700), None, None, {"name": "m", "digest": "d"})


def paper() -> NDArray[np.uint8]:
    return np.full((700, 500, 3), 240, np.uint8)


def written(kind: Format, file: str, *, encoding: str = "utf-8", text: str = "Anna") -> str:
    """What a stream of that encoding holds of two pages."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(
        raw, encoding, errors="strict" if kind is Format.JSON else "backslashreplace"
    )
    writer = Writer(stream, kind, many=True)
    for name in ("good.png", file):
        writer.add(form(reading(text=text)), file=name)
    writer.close()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("kind", list(Format))
def test_a_name_that_is_no_text_costs_no_reading(kind: Format) -> None:
    shown = written(kind, "ok\udcff.png")
    assert shown.count("Anna") >= 2
    assert "ok\\udcff.png" in shown.replace("\\\\", "\\")


@pytest.mark.parametrize("kind", [Format.JSON, Format.JSONL])
def test_json_is_whole_where_the_stream_holds_ascii_alone(kind: Format) -> None:
    file, text = "\xfcn\xef.pdf", "Zo\xeb \U0001d11e"
    shown = written(kind, file, encoding="ascii", text=text)
    pages = json.loads(shown) if kind is Format.JSON else list(map(json.loads, shown.splitlines()))
    assert [page["file"] for page in pages] == ["good.png", file]
    assert pages[1]["fields"][0]["text"] == text


def test_json_keeps_letters_that_the_stream_holds() -> None:
    assert "\xfcn\xef.pdf" in written(Format.JSON, "\xfcn\xef.pdf")


@pytest.mark.parametrize("kind", [Format.TABLE, Format.CSV, Format.JSONL])
def test_a_page_is_on_its_way_before_the_next_is_read(kind: Format) -> None:
    raw = io.BytesIO()
    writer = Writer(io.TextIOWrapper(raw, "utf-8"), kind, many=True)
    writer.add(form(reading()), file="a.png")
    assert b"Anna" in raw.getvalue()


class Spoilt(io.StringIO):
    """Takes nothing."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str, /) -> int:
        raise self.error


@pytest.mark.parametrize("kind", [Format.TABLE, Format.CSV, Format.JSONL])
@pytest.mark.parametrize(
    ("error", "told"),
    [(OSError(28, "No space left on device"), OutputError), (BrokenPipeError(), BrokenPipeError)],
)
def test_a_stream_that_takes_no_more_is_told_apart_from_a_bad_page(
    kind: Format, error: OSError, told: type[Exception]
) -> None:
    writer = Writer(Spoilt(error), kind, many=True)
    work = batch.Batch(lambda line: None)
    with pytest.raises(told), work.each("a.png"):
        writer.add(form(reading()), file="a.png")
    assert not work.failed


# --- files --------------------------------------------------------------------------------------


def test_a_file_keeps_what_it_held_until_something_is_written(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("a longer text, of an earlier run")
    with batch.output_to(path) as stream:
        stream.flush()
    assert path.read_text() == "a longer text, of an earlier run"
    with batch.output_to(path) as stream:
        stream.write("new ")
        stream.write("text")
    assert path.read_text() == "new text"


def test_a_file_that_nothing_was_written_to_is_not_made(tmp_path: Path) -> None:
    with batch.output_to(tmp_path / "none.csv"):
        pass
    with pytest.raises(KeyboardInterrupt), batch.output_to(tmp_path / "none.csv"):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["no/results.csv", "."])
def test_a_file_that_cannot_be_opened_is_told_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="cannot be written") as caught:
        batch.output_to(tmp_path / name).__enter__()
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such pipes here")
def test_a_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        with batch.output_to(pipe) as stream:
            stream.write("through")
        assert reader.stdout is not None
        assert reader.stdout.read() == "through"
    assert pipe.is_fifo()


@needs_full
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="No space left"),
        batch.output_to(FULL) as stream,
    ):
        stream.write("text")


def ran(*words: str, stdout: Any = subprocess.PIPE, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_runtime", *words],
        stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, env={**os.environ, **env},
    )  # fmt: skip


def test_a_pipe_that_nobody_reads_ends_the_command_without_a_word() -> None:
    nobody, end = os.pipe()
    os.close(nobody)
    done = ran("template", "schema", stdout=end)
    os.close(end)
    assert (done.returncode, done.stderr) == (141, "")


@needs_full
def test_a_full_disk_under_stdout_is_no_bug_of_ours() -> None:
    with FULL.open("w") as full:
        done = ran("template", "schema", stdout=full)
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_stdout_takes_a_name_that_it_cannot_spell(
    tmp_path: Path, tiny_model: Path, kind: str
) -> None:
    path = tmp_path / "\xfcn\xef.png"
    path.write_bytes(cv2.imencode(".png", paper()[:60])[1].tobytes())
    words = ["field", str(path), "--model", str(tiny_model), "-f", kind]
    done = ran(*words, PYTHONIOENCODING="ascii", PYTHONUTF8="1")
    assert done.returncode == 0, done.stderr
    if kind == "json":
        assert json.loads(done.stdout)["file"] == str(path)
    else:
        assert "\\xfcn\\xef.png,1," in done.stdout


# --- pictures -----------------------------------------------------------------------------------


def page() -> imaging.Page:
    return imaging.load_page(paper())


def test_crops_of_fields_with_like_names_are_all_written(tmp_path: Path) -> None:
    names = ["a/b", "a_b", "A_b", "a_b-2", "c"]
    fields = (
        reading(name, box=(60, 100 + 50 * k, 360, 140 + 50 * k)) for k, name in enumerate(names)
    )
    batch.Pictures(None, tmp_path, many=False).write("form", 1, page(), form(*fields))
    assert len(list(tmp_path.iterdir())) == len(names)


@pytest.mark.parametrize("where", ["out", "o.png"])
def test_overlays_of_pages_and_files_with_like_names_are_all_written(
    tmp_path: Path, where: str
) -> None:
    pictures = batch.Pictures(tmp_path / where, None, many=True)
    told = []
    for stem, number in zip(batch.stems([Path("f.tif"), Path("f-page2.png")]), (2, 1), strict=True):
        told += pictures.write(stem, number, page(), form(reading()))
    assert len(set(told)) == 2
    assert all(path.is_file() for path in told)


def test_names_that_differ_in_case_alone_are_numbered() -> None:
    assert batch.stems([Path("a/F.png"), Path("b/f.png")]) == ("F", "f-2")


def test_no_picture_replaces_a_file_that_is_to_be_kept(tmp_path: Path) -> None:
    source = tmp_path / "form.name.png"
    source.write_bytes(b"the second picture")
    pictures = batch.Pictures(None, tmp_path, many=True, kept=batch.aliases(source))
    with pytest.raises(EdgeHwrError, match="one of the files given"):
        pictures.write("form", 1, page(), form(reading()))
    assert source.read_bytes() == b"the second picture"


def test_a_link_is_another_name_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    os.link(tmp_path / "a.png", tmp_path / "b.png")
    (tmp_path / "c.png").symlink_to("a.png")
    for name in ("b.png", "c.png"):
        assert batch.aliases(tmp_path / "a.png") & batch.aliases(tmp_path / name)
    assert not batch.aliases(tmp_path / "a.png") & batch.aliases(tmp_path / "none.png")


@pytest.mark.parametrize("name", ["q", "q.xyz"])
def test_a_name_without_a_format_is_our_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(EdgeHwrError, match=r"ends in \.png"):
        batch.write_picture(tmp_path / name, np.zeros((4, 4), np.uint8))


def test_a_picture_that_cannot_be_written_is_the_callers_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EdgeHwrError) as caught:
        batch.write_picture(tmp_path / "file" / "a.png", np.zeros((4, 4), np.uint8))
    assert batch.exit_code(caught.value) is ExitCode.USAGE


def test_the_systems_errors_ask_for_no_report() -> None:
    error = PermissionError(13, "Permission denied", "a.png")
    assert batch.explain(error, "a.png").startswith("a.png: Permission denied; ")
    assert batch.exit_code(error) is ExitCode.USAGE
    assert "report" in batch.explain(cv2.error("odd"), "a.png")
