"""The form that every benchmark leaves its numbers in.

Owns:   `write_record`, `network_of`.
Needs:  `edge_runtime.machine`.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_runtime import Reader
from edge_runtime.machine import Machine
from edge_runtime.spec import ModelSpec


def network_of(spec: ModelSpec) -> dict[str, str]:
    """What the network and its twins were made from: the same after a new fit of confidence."""
    return {k: v for k, v in sorted(spec.notes.items()) if k == "int8" or k.endswith("_sha256")}


def write_record(path: Path, reader: Reader, rows: Sequence[Any], **more: object) -> None:
    """Rows (dataclasses) with model, machine and Python, as JSON; `more` are facts of the run."""
    facts = {
        "model": reader.model,
        "network": network_of(reader.spec),
        "machine": asdict(Machine.here()),
        "python": platform.python_version(),
        "threads": 1,
        **more,
        "rows": [asdict(row) for row in rows],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
