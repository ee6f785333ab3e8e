"""What reading costs in energy, where the system says: hints, for nothing else may be running.

Owns:   `Energy`, `Meter`: RAPL's counters through powercap, and a battery that is discharging.
Needs:  the standard library.
Source: Linux, Documentation/power/powercap and Documentation/ABI/testing/sysfs-class-power.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

_SYS = Path("/sys/class")


@dataclass(frozen=True, slots=True)
class Energy:
    """Power while fields were read, of the whole package or board; None where nobody tells."""

    source: str  # "package-0, package-1", "battery BAT0"; "" where there is none
    watts: float | None
    mj_per_field: float | None
    note: str  # what the figure covers, or why there is none


class Meter:
    """Reads before and after; make it at the start and ask `stop` at the end."""

    def __init__(self, root: Path = _SYS) -> None:
        self._root = root
        self._begin = perf_counter()
        self._before = _counters(root)

    def stop(self, fields: int, *, seconds: float | None = None) -> Energy:
        """Energy since the start, over `fields` that were read; `seconds` None: by the clock."""
        took = perf_counter() - self._begin if seconds is None else seconds
        after, before = _counters(self._root), self._before
        spent = [_spent(before[zone], after[zone]) for zone in before if zone in after]
        if spent and took > 0:
            joules = sum(spent) / 1e6
            names = ", ".join(sorted(name for name, _ in before))
            note = "the whole package, whatever else runs on it"
            return Energy(names, joules / took, 1e3 * joules / max(1, fields), note)
        for battery in sorted((self._root / "power_supply").glob("*")):
            watts = _discharge(battery)
            if watts is not None:
                each = 1e3 * watts * took / max(1, fields)
                note = "the whole device, screen and all, as its battery tells"
                return Energy(f"battery {battery.name}", watts, each, note)
        return Energy("", None, None, self._why())

    def _why(self) -> str:
        if _zones(self._root):
            return "RAPL counters are there, but only root may read them"
        return "no RAPL counter and no discharging battery here"


def _zones(root: Path) -> list[Path]:
    """Packages, not the cores inside them, which would count twice."""
    zones = sorted((root / "powercap").glob("*:*"))
    return [one for one in zones if one.name.count(":") == 1 and (one / "energy_uj").exists()]


def _counters(root: Path) -> dict[tuple[str, str], tuple[int, int]]:
    """(name, zone) to microjoules and where the counter begins again."""
    found = {}
    for zone in _zones(root):
        value, top = _number(zone / "energy_uj"), _number(zone / "max_energy_range_uj")
        if value is not None:
            found[_text(zone / "name") or zone.name, zone.name] = value, top or 0
    return found


def _spent(before: tuple[int, int], after: tuple[int, int]) -> int:
    gone = after[0] - before[0]
    return gone if gone >= 0 else gone + after[1]


def _discharge(battery: Path) -> float | None:
    """Watts that a battery gives; None where it gives none or does not tell."""
    if _text(battery / "status") != "Discharging":
        return None
    power = _number(battery / "power_now")  # microwatts
    if power:
        return abs(power) / 1e6
    current, voltage = _number(battery / "current_now"), _number(battery / "voltage_now")
    return abs(current * voltage) / 1e12 if current and voltage else None


def _number(path: Path) -> int | None:
    try:
        return int(_text(path))
    except ValueError:
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
