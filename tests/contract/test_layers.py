"""What may be loaded by whom, seen from a fresh process; the import contracts see the rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Every module that is neither numpy, cv2 nor of the standard library is as if not installed.
BARE = """
import importlib, importlib.abc, sys
ALLOWED = {"numpy", "cv2", "edge_runtime"} | set(sys.stdlib_module_names)
class Bare(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        # cv2's loader imports its own binary under other names; what it loads is its own matter.
        if name.partition(".")[0] not in ALLOWED and not name.startswith("_"):
            raise ModuleNotFoundError(f"{name} is not there", name=name)
sys.meta_path.insert(0, Bare())
"""
HEAVY = ("cv2", "numpy", "onnxruntime", "PIL", "pydantic", "rich", "stdnum", "typer", "yaml")


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", ["errors", "spec", "preprocess"])
def test_the_shared_road_needs_numpy_and_cv2_alone(module: str) -> None:
    run(f"{BARE}\nimportlib.import_module('edge_runtime.{module}')")


def test_importing_the_package_loads_nothing_heavy() -> None:
    told = run(
        f"import edge_runtime, sys; print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert told.strip() == "[]"


def test_a_reader_without_a_template_loads_neither_pydantic_nor_torch() -> None:
    told = run(
        "import sys; from edge_runtime import Reader; Reader;"
        "print([name for name in ('pydantic', 'torch', 'typer') if name in sys.modules])"
    )
    assert told.strip() == "[]"


def test_help_loads_neither_opencv_nor_onnxruntime() -> None:
    told = run(
        "import sys; sys.argv = ['edge-hwr', '--help']\n"
        "from edge_runtime.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('cv2', 'onnxruntime', 'PIL') if name in sys.modules])"
    )
    assert told.strip().endswith("[]")
