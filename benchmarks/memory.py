"""Peak memory of `edge-hwr read` on pages at the size limit, by format.

    python -m benchmarks.memory [--megapixels 80] [--only jpeg-colour,...] [--limit 1000]

An example form is enlarged to the limit and saved as JPEG, PNG, TIFF and PDF, grey and in colour;
each is read with its template in a new process, all steps, overlay included. Above the limit a
page must be refused (a PDF is drawn smaller instead). Exits with 1 where a page takes more than
`--limit` megabytes or ends with another exit code than it should. Left out: arrays, whose memory is
the caller's.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
from PIL import Image

from edge_runtime.imaging import MAX_MEGAPIXELS

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "account-opening.png"
FORMATS = ("jpeg", "png", "tiff", "pdf")
MODES = {"grey": "L", "colour": "RGB"}

_READ = """
import json, sys
facts = json.loads(sys.argv[1])
from edge_runtime.cli import app
from edge_runtime.machine import peak_rss_mib
code = 0
try:
    code = app(facts["command"], prog_name="edge-hwr", standalone_mode=False)
except SystemExit as told:
    code = told.code
print(json.dumps({"rss_mib": peak_rss_mib(), "code": int(code or 0)}))
"""


def write_page(folder: Path, kind: str, look: str, *, megapixels: float) -> Path:
    """The example at so many megapixels, a little less for rounding."""
    picture = cv2.imread(str(EXAMPLE))
    if picture is None:
        raise SystemExit(f"{EXAMPLE}: gone; run this from a checkout")
    h, w = picture.shape[:2]
    scale = (megapixels * 1e6 / (h * w)) ** 0.5
    size = int(w * scale), int(h * scale)
    large = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    image = Image.fromarray(cv2.cvtColor(large, cv2.COLOR_BGR2RGB)).convert(MODES[look])
    path = folder / f"{kind}-{look}.{kind}"
    # 300 dots to the inch: a PDF of that size in points is drawn pixel for pixel.
    image.save(path, resolution=300) if kind == "pdf" else image.save(path)
    return path


def read(page: Path) -> tuple[float, int]:
    """Peak memory in MB, and the exit code."""
    out = page.with_suffix(".json")
    command = ["read", str(page), "--template", str(EXAMPLE.with_suffix(".yaml"))]
    command += ["--format", "json", "--output", str(out)]
    command += ["--overlay", str(page.with_suffix(".overlay.png"))]
    words = [sys.executable, "-c", _READ, json.dumps({"command": command})]
    told = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    facts = json.loads(told.stdout.splitlines()[-1])
    return facts["rss_mib"] * 1.048576, int(facts["code"])


def rows(megapixels: float, only: set[str]) -> Iterator[tuple[str, float, int]]:
    """Name, MB and exit code of each format."""
    for kind in FORMATS:
        for look in MODES:
            name = f"{kind}-{look}"
            if only and name not in only:
                continue
            with tempfile.TemporaryDirectory() as folder:
                page = write_page(Path(folder), kind, look, megapixels=megapixels)
                yield name, *read(page)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--megapixels", type=float, default=MAX_MEGAPIXELS)
    parser.add_argument("--only", default="")
    parser.add_argument("--limit", type=float, default=1000.0, help="MB")
    told = parser.parse_args(arguments)
    worst, bad = 0.0, False
    for name, rss_mb, code in rows(told.megapixels, set(filter(None, told.only.split(",")))):
        # A PDF above the limit is drawn smaller; everything else is refused, exit code 3.
        expected = 3 if told.megapixels > MAX_MEGAPIXELS and not name.startswith("pdf") else 0
        print(f"{name:12} {rss_mb:6.0f} MB  exit code {code}", flush=True)
        worst, bad = max(worst, rss_mb), bad or code != expected
    print(f"most {worst:.0f} MB at {told.megapixels:g} megapixels, {told.limit:g} allowed")
    return int(bad or worst > told.limit)


if __name__ == "__main__":
    sys.exit(main())
