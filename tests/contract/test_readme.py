"""The README is held to what the code does: its commands, tables, links and programs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import edge_runtime
from edge_runtime import ExitCode, Status
from edge_runtime.field import KINDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
RUN = re.findall(r"<!-- test:run -->\n```python\n(.*?)```", README, re.DOTALL)


def command(name: str) -> str:
    (block,) = re.findall(rf"<!-- ci:{name} -->\n```sh\n(.*?)```", README, re.DOTALL)
    return str(block)


def section(title: str) -> str:
    return README.split(f"# {title}\n", 1)[1].split("\n#", 1)[0]


def rows(title: str) -> list[list[str]]:
    """First-column words in code marks, one list a row, of the last table under a heading."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [re.findall(r"`([^`]+)`", line.split("|")[1]) for line in lines[2:]]


@pytest.mark.parametrize("name", ["first", "second"])
def test_a_marked_command_is_one_line_and_installs_this_checkout(name: str) -> None:
    (line,) = command(name).splitlines()
    assert '".[cpu' in line


def test_the_first_command_reads_an_example_that_is_here() -> None:
    words = shlex.split(command("first").split("&&", 1)[1])
    assert words[:2] == ["edge-hwr", "read"]
    read = [word for word in words if word.startswith("examples/") and "overlay" not in word]
    assert len(read) == 2
    assert all((ROOT / word).is_file() for word in read)


@pytest.mark.parametrize("program", PYTHON)
def test_a_python_block_is_python(program: str) -> None:
    compile(program, "README.md", "exec")


@pytest.mark.parametrize("program", RUN)
def test_the_marked_program_runs_from_the_checkout(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert '"fields"' in done.stdout


def test_there_is_a_marked_program() -> None:
    assert RUN


def test_names_that_programs_import_are_public() -> None:
    for program in PYTHON:
        for names in re.findall(r"from edge_runtime import (.+)", program):
            assert set(names.split(", ")) <= set(edge_runtime.__all__)


def test_the_table_of_exit_codes_is_the_code() -> None:
    table = re.findall(r"^\| (\d) \|", README, re.MULTILINE)
    assert [int(code) for code in table] == sorted(ExitCode)


def test_the_table_of_kinds_is_complete() -> None:
    told = [kind for row in rows("Templates") for kind in row]
    assert sorted(told) == sorted(KINDS)


def test_the_table_of_statuses_is_complete() -> None:
    told = re.findall(r"^\| `(\w+)` \|", section("A reading"), re.MULTILINE)
    assert {status.value for status in Status} <= set(told)


def test_every_extra_is_described_and_is_one() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    told = {row[0] for row in rows("Extras")}
    assert told == set(project["optional-dependencies"])


def test_the_template_of_the_readme_is_sound(tmp_path: Path) -> None:
    from edge_runtime import Template

    (block,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "account.yaml"
    path.write_text(block, "utf-8")
    assert [field.name for field in Template.load(path).fields] == [
        "username",
        "password",
        "birth",
        "total",
    ]


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_commands_of_the_readme_exist() -> None:
    import typer
    from typer.main import get_command

    from edge_runtime.cli import app

    group = get_command(app)
    known = set(getattr(group, "commands", {}))
    told = set(re.findall(r"^edge-hwr (\w+)", README, re.MULTILINE))
    assert isinstance(app, typer.Typer)
    assert told
    assert told <= known
