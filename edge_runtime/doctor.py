"""What stands between this machine and a reading, and what to do about it.

Owns:   `Check`, `diagnose`: installation, providers, CPU, model, and one reading drawn in memory.
Needs:  `machine`. numpy, cv2 and ONNX Runtime load inside the checks: they may be what is broken.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import partial
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from edge_runtime import __version__, machine
from edge_runtime.errors import EdgeHwrError, ExitCode

TEST_TEXT = "2075"  # drawn and read: each digit once that is hard to take for another
_CPU_STEP = 'pip install "edge-hwr[cpu]"'
_REPORT_STEP = "install edge-hwr again; if that does not help, report it with this line"
_DRIVERS = (Path("/proc/driver/nvidia/version"), Path("/dev/nvidiactl"))


class Verdict(StrEnum):
    """What a check found."""

    OK = "ok"
    WARN = "warn"  # it works, but not as well as it could
    FAIL = "fail"  # nothing will be read


COLORS = MappingProxyType({Verdict.OK: "cyan", Verdict.WARN: "yellow", Verdict.FAIL: "red"})


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    name: str
    verdict: Verdict
    fact: str
    next_step: str = ""  # what to do; "" where all is well
    exit_code: ExitCode = ExitCode.OK


def diagnose(*, model: Path | None = None, providers: Sequence[str] = ("cpu",)) -> Iterator[Check]:
    """Check one thing after the other; none of them stops the next.

    Args:
        model: An exported ONNX file; None for the bundled one.
        providers: What the caller means to use.
    """
    steps: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("edge-hwr", _own),
        ("numpy", partial(_import, "numpy")),
        ("opencv", partial(_import, "cv2")),
        ("onnxruntime", partial(_import, "onnxruntime")),
        ("installs", _double_installs),
        ("providers", partial(_providers, providers)),
        ("cpu", _cpu),
        ("cores", _cores),
        ("model", partial(_model, model)),
        ("reading", partial(_reading, model, providers)),
    )
    for name, step in steps:
        yield replace(_guarded(step), name=name)


def worst(checks: Iterable[Check]) -> ExitCode:
    """The exit code: the highest of the failed checks."""
    return max((check.exit_code for check in checks), default=ExitCode.OK)


def to_json(checks: Sequence[Check]) -> str:
    shown = {
        "machine": machine.Machine.here().to_dict(),
        "checks": [asdict(check) for check in checks],
        "exit_code": int(worst(checks)),
    }
    return json.dumps(shown, indent=2)


def _guarded(step: Callable[[], Check]) -> Check:
    try:
        return step()
    except EdgeHwrError as error:
        fact, _, next_step = str(error).partition("; ")  # an error ends with its next step
        return Check("", Verdict.FAIL, fact, next_step, error.exit_code)
    except Exception as error:  # a broken installation raises anything
        fact = f"{type(error).__name__}: {' '.join(str(error).split())}"
        advice = _CPU_STEP if isinstance(error, ImportError) else _REPORT_STEP
        return Check("", Verdict.FAIL, fact, advice, ExitCode.INTERNAL)


def _ok(fact: str) -> Check:
    return Check("", Verdict.OK, fact)


def _warn(fact: str, next_step: str) -> Check:
    return Check("", Verdict.WARN, fact, next_step)


def _fail(fact: str, next_step: str, code: ExitCode = ExitCode.INTERNAL) -> Check:
    return Check("", Verdict.FAIL, fact, next_step, code)


def _own() -> Check:
    here = Path(__file__).parent
    python = f"Python {platform.python_version()}, {platform.platform(terse=True)}"
    return _ok(f"{__version__} in {here}; {python}")


def _import(name: str) -> Check:
    module = import_module(name)
    return _ok(f"{getattr(module, '__version__', '?')} in {Path(module.__file__ or '?').parent}")


def _double_installs() -> Check:
    """Two distributions in one package folder overwrite each other's files."""
    doubles = [
        [f"{name} {version}" for name, version in found]
        for group in (machine.ONNXRUNTIMES, machine.OPENCVS)
        if len(found := machine.installed(group)) > 1
    ]
    if not doubles:
        return _ok("one ONNX Runtime, one OpenCV")
    fact = "; ".join(" and ".join(names) for names in doubles) + " share one package folder"
    names = " ".join(name.split()[0] for group in doubles for name in group)
    return _warn(fact, f'pip uninstall {names}, then {_CPU_STEP} or "edge-hwr[gpu]"')


def _providers(asked: Sequence[str]) -> Check:
    import onnxruntime

    from edge_runtime.recognize import choose_providers

    there = onnxruntime.get_available_providers()
    choose_providers(asked, available=there, allow_fallback=False)
    fact = f"{', '.join(there)}; asked for {', '.join(asked)}"
    driver = any(path.exists() for path in _DRIVERS)
    if "CUDAExecutionProvider" in there and not driver:
        return _warn(f"{fact}; no NVIDIA driver", f"install the driver, or {_CPU_STEP}")
    if driver and "CUDAExecutionProvider" not in there:
        return _ok(f'{fact}; an NVIDIA driver is there too, for "edge-hwr[gpu]"')
    return _ok(fact)


def _cpu() -> Check:
    here = machine.Machine.here()
    fact = f"{here.cpu}: {' '.join(here.flags) or 'nothing known of its instructions'}"
    if {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"} & set(here.flags) or not here.flags:
        return _ok(fact)
    step = "none needed; readings are the same, but int8 gains little over fp32 on this CPU"
    return _warn(f"{fact}; no int8 dot product", step)


def _cores() -> Check:
    here = machine.Machine.here()
    fact = f"{here.cores} to run on, " + (
        "no cgroup limit" if here.quota is None else f"cgroup limit of {here.quota:g}"
    )
    if here.quota is not None and here.quota < 1:
        return _warn(fact, "give the container a whole core; a part of one makes times jump")
    return _ok(f"{fact}; threads={here.threads} is the most that helps")


def _model(model: Path | None) -> Check:
    from edge_runtime.recognize import Recognizer, bundled_model

    path = model or bundled_model()
    one = Recognizer(path)
    spec, size = one.spec, path.stat().st_size / 1e6
    one.close()
    fact = f"{spec.name}, {size:.1f} MB, sealed {one.digest[:16]}, {len(spec.labels) - 1} labels"
    unsure = [group for group, fitted in spec.calibration.items() if not fitted.fitted_on]
    if unsure:
        step = "measure it and run `python -m export`"
        return _warn(f"{fact}; confidence is not calibrated for {', '.join(unsure)}", step)
    return _ok(fact)


def _reading(model: Path | None, providers: Sequence[str]) -> Check:
    from edge_runtime.drawn import draw_digits
    from edge_runtime.field import Field
    from edge_runtime.reader import Reader

    with Reader(model, providers=providers) as reader:
        one = reader.read_field(draw_digits(TEST_TEXT), Field(name="test", kind="digits"))
    fact = f"drew {TEST_TEXT}, read {one.text!r} at {one.confidence:.3f}, {one.status.value}"
    if one.text != TEST_TEXT:
        return _fail(fact, "install edge-hwr again, or name a sound --model", ExitCode.MODEL)
    return _ok(fact)
