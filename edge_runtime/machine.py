"""What this machine is, as far as the speed of a reading depends on it.

Owns:   `Machine`, the cores a process may really use, peak memory, versions of what is installed.
Needs:  the standard library: it works where numpy or ONNX Runtime are broken, for `doctor`.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from edge_runtime import __version__

# Distributions that write into one package folder: two of a group break each other.
ONNXRUNTIMES = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-directml",
    "onnxruntime-openvino",
    "onnxruntime-qnn",
)
OPENCVS = (
    "opencv-python-headless",
    "opencv-python",
    "opencv-contrib-python-headless",
    "opencv-contrib-python",
)
# What int8 and float32 convolutions are built on: x86 flags, then ARM's (asimddp: dot product).
_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimd", "asimddp", "i8mm")
_CGROUP = Path("/sys/fs/cgroup")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Machine:
    """Machine and versions, to stand beside every number that was measured on it."""

    system: str
    cpu: str
    flags: tuple[str, ...]  # of `_FLAGS`, those that the CPU has; empty where nobody tells
    cores: int  # that this process may run on (affinity)
    quota: float | None  # cores' worth of time a cgroup allows; None where there is no limit
    versions: tuple[tuple[str, str], ...]

    @staticmethod
    def here() -> Machine:
        cpu, flags = _cpu()
        return Machine(
            system=f"{platform.system()} {platform.machine()}",
            cpu=cpu,
            flags=flags,
            cores=affinity_cores(),
            quota=cgroup_quota(),
            versions=versions(),
        )

    @property
    def threads(self) -> int:
        """Threads that run at the same time: cores, cut by the quota, at least 1."""
        return max(1, min(self.cores, int(self.quota) if self.quota is not None else self.cores))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"flags": list(self.flags), "versions": dict(self.versions)}


def affinity_cores() -> int:
    """Cores this process may run on; not those of the machine."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cgroup_quota(*, cgroup: Path = _CGROUP, proc: Path = _PROC) -> float | None:
    """The tightest limit on CPU time above this process, in cores; None without one.

    Args:
        cgroup: Where the control groups are mounted; version 2 and version 1 are understood.
        proc: Where the process tells its own group.
    """
    limits = []
    for line in _text(proc / "self" / "cgroup").splitlines():
        _, controllers, group = (*line.split(":", 2), "", "")[:3]
        root = cgroup
        if controllers:  # version 1: one tree a controller
            if "cpu" not in controllers.split(","):
                continue
            root = cgroup / "cpu"
        here = root / group.strip().lstrip("/")
        for folder in (here, *here.parents):
            if folder != root and root not in folder.parents:
                break
            limits.append(_limit(folder))
    found = [limit for limit in limits if limit is not None]
    return min(found) if found else None


def peak_rss_mib() -> float | None:
    """Most memory this process ever held, MiB; None where the system does not tell."""
    for line in _text(_PROC / "self" / "status").splitlines():
        # not getrusage: after fork and exec that still counts the parent's memory
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def installed(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(distribution, version) of those of `names` that are installed."""
    found = []
    for name in names:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(found)


def versions() -> tuple[tuple[str, str], ...]:
    """Versions of Python, of edge-hwr and of what it computes with."""
    own = (("python", platform.python_version()), ("edge-hwr", __version__))
    return own + installed(("numpy", *OPENCVS, *ONNXRUNTIMES))


def _cpu() -> tuple[str, tuple[str, ...]]:
    told: dict[str, str] = {}
    for line in _text(_PROC / "cpuinfo").splitlines():
        key, _, value = line.partition(":")
        told.setdefault(key.strip().lower(), value.strip())  # the first core speaks for all
    has = set((told.get("flags") or told.get("features") or "").split())
    name = told.get("model name") or platform.processor() or platform.machine()
    return name, tuple(flag for flag in _FLAGS if flag in has)


def _limit(folder: Path) -> float | None:
    if two := _text(folder / "cpu.max").split():
        quota, period = two[0], two[1]
    else:
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    try:
        cores = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max", or no such file
        return None
    return cores if cores > 0 else None  # version 1 writes -1 for no limit


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
