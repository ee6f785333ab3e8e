"""Processes of their own: modules load once in a process, and its memory never shrinks.

Owns:   how a new Python finds this package; `ask` one for its answer, `Worker` for a talk with one.
Needs:  the standard library.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge_runtime.errors import EdgeHwrError

_PATIENCE_S = 120.0  # to load a model on a slow board, with its files cold
_STEP = "run `edge-hwr doctor`"


def ask(script: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Run `script` in a new process; its last line on stdout is a JSON object, the answer.

    Args:
        script: Python; `sys.argv[1]` is `facts` as JSON.
        facts: What it is to know.

    Raises:
        EdgeHwrError: It failed, or took too long.
    """
    try:
        done = subprocess.run(
            _command(script, facts), env=_environment(), timeout=_PATIENCE_S,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EdgeHwrError(f"a new process took over {_PATIENCE_S:.0f} s; {_STEP}") from error
    if done.returncode:
        raise _failed(done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


class Worker:
    """A process that is asked several times: a line of JSON in, a line of JSON out."""

    def __init__(self, script: str, facts: Mapping[str, Any]) -> None:
        self._process = subprocess.Popen(
            _command(script, facts), env=_environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def tell(self, facts: Mapping[str, Any]) -> None:
        """Say something; the answer is waited for by `hear`."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(facts) + "\n")
            self._process.stdin.flush()
        except OSError as error:  # it has ended
            raise self._end() from error

    def hear(self) -> dict[str, Any]:
        """The next answer.

        Raises:
            EdgeHwrError: The process ended instead.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._end()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _end(self) -> EdgeHwrError:
        assert self._process.stderr is not None
        return _failed(self._process.stderr.read())


def _command(script: str, facts: Mapping[str, Any]) -> list[str]:
    # -P: a file of the user's folder that is called json.py is not ours to import
    return [sys.executable, "-P", "-c", script, json.dumps(facts)]


def _environment() -> dict[str, str]:
    """The new process finds the package where this one did, installed or not."""
    root = str(Path(__file__).parent.parent)
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    return os.environ | {"PYTHONPATH": path}


def _failed(stderr: str) -> EdgeHwrError:
    last = (stderr.strip().splitlines() or ["no message"])[-1]
    return EdgeHwrError(f"a new process cannot read ({last}); {_STEP}")
