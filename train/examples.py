"""Draw the example forms: `python -m train.examples --seed N --out DIR`.

Owns:   the files of an example: `<name>.png`, `<name>.yaml` (template), `<name>.truth.json`.
Needs:  `forms`, cv2, PyYAML.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import yaml

from edge_runtime.errors import EdgeHwrError
from train.forms import FORMS, DrawnForm, draw_form

COMMITTED_SEED = 1128  # of the files in `examples/`


class _Row(dict[str, Any]):
    """A mapping that stands on one line of the YAML."""


class _Dumper(yaml.SafeDumper):
    """Repeated lists become anchors with a plain name."""

    def generate_anchor(self, node: Any) -> str:
        return f"list{super().generate_anchor(node)[2:].lstrip('0')}"


_Dumper.add_representer(
    _Row,
    lambda dumper, row: dumper.represent_mapping("tag:yaml.org,2002:map", row, flow_style=True),
)


def template_yaml(template: dict[str, Any]) -> str:
    """A template as a person would write it: one line a field."""
    shown = template | {
        "page": _Row(template["page"]),
        "fields": [_Row(field) for field in template["fields"]],
    }
    text = yaml.dump(
        shown,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=None,
        width=110,
        allow_unicode=False,
    )
    return f"# Drawn by `python -m train.examples`; boxes are [x0, y0, x1, y1] in mm.\n{text}"


def write_form(form: DrawnForm, folder: Path) -> None:
    """Write picture, template and truth.

    Raises:
        EdgeHwrError: The folder cannot be written to.
    """
    done, png = cv2.imencode(".png", form.picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert done
    truth = json.dumps({"fields": form.truth}, indent=2) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{form.name}.png").write_bytes(png.tobytes())
        (folder / f"{form.name}.yaml").write_text(template_yaml(form.template), encoding="utf-8")
        (folder / f"{form.name}.truth.json").write_text(truth, encoding="utf-8")
    except OSError as error:
        raise EdgeHwrError(f"{folder}: {error}; give --out a folder that can be written") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw every form into a folder."""
    parser = argparse.ArgumentParser(prog="python -m train.examples", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=COMMITTED_SEED, help="other people, other values"
    )
    parser.add_argument("--out", type=Path, default=Path("examples"), help="folder to write to")
    given = parser.parse_args(arguments)
    if given.seed < 0:
        parser.error(f"--seed {given.seed} is below 0; give 0 or more")
    try:
        for name in FORMS:
            write_form(draw_form(name, seed=given.seed), given.out)
            print(given.out / f"{name}.png")
    except EdgeHwrError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
