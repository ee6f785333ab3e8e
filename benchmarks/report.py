"""README's numbers, from `benchmarks/results/*.json`: nothing is typed by hand.

python -m benchmarks.report [--check]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- numbers:begin -->", "<!-- numbers:end -->"

_WHAT = {
    "mnist": "MNIST test, one cell",
    "usps": "USPS test, one cell",
    "nsysu": "NSYSU pencil digits, one cell",
    "letters_az": "A-Z letters of NIST origin, one cell",
    "digits": "drawn digits, one cell",
    "upper": "drawn capitals, one cell",
    "lower": "drawn small letters, one cell",
    "digit_strings": "digit strings",
    "usernames": "usernames",
    "words": "words, no lexicon",
    "text": "lines of text, no lexicon",
    "orand": "ORAND cheque amounts, never trained on",
}


def _load(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        raise SystemExit(f"{path}: no such result; run `python -m benchmarks.{name} --out {path}`")
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return held


def report() -> str:
    """The section between the markers."""
    accuracy, forms, quantization = (_load(n) for n in ("accuracy", "forms", "quantization"))
    digests = {one["model"]["digest"] for one in (accuracy, forms, quantization)}
    if len(digests) != 1:
        raise SystemExit("the results are of different models; run the benchmarks again")
    machine = accuracy["machine"]
    lines = [
        f"Model `{accuracy['model']['name']}`, digest `{digests.pop()[:12]}`; "
        f"{machine['cpu']}, {machine['cores']} cores, 1 thread, int8. Exact and character error "
        "rate without regard to case; the interval is 95 % (Wilson). *Wrong* is of the accepted.",
        "",
        "| set | n | exact % | 95 % | CER % | accepted % | wrong % | ms a field |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {_WHAT[row['name']]} | {row['n']} | {100 * row['exact_folded']:.1f} "
        f"| {100 * row['low']:.1f} to {100 * row['high']:.1f} | {100 * row['cer']:.1f} "
        f"| {100 * row['accepted']:.1f} | {100 * row['wrong_accepted']:.2f} "
        f"| {row['ms_per_field']:.1f} |"
        for row in accuracy["rows"]
    ]
    tally, page = forms["tally"], forms["account_opening_ms"]
    gains = [row["fp32_ms"] / row["int8_ms"] for row in quantization["speed"]]
    worst = max(quantization["sets"], key=lambda row: row["fp32"] - row["int8"])
    lost = 100 * (worst["fp32"] - worst["int8"])
    lines += [
        "",
        f"Drawn forms: {forms['forms']} (the examples and seeds {forms['seeds'][0]} to "
        f"{forms['seeds'][1]}), {tally['fields']} fields: "
        f"{100 * tally['exact'] / tally['fields']:.1f} % exact, "
        f"{100 * tally['accepted'] / tally['fields']:.1f} % accepted, "
        f"{tally['wrong_accepted']} wrong among the accepted. The account opening form takes "
        f"{page['median']:.0f} ms, all steps.",
        "",
        f"int8 against fp32, the same tensors of 32 strips: {np.exp(np.mean(np.log(gains))):.2f} "
        f"times faster ({min(gains):.2f} at least, over the widths); the most lost on any set is "
        f"{lost:.2f} points ({_WHAT[worst['set']]}).",
        "",
        "Printed by `python -m benchmarks.accuracy`, `benchmarks.forms` and "
        "`benchmarks.quantization`; filled in by `benchmarks.report`.",
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail where README is stale")
    told = parser.parse_args(arguments)
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    fresh = f"{before}{BEGIN}\n{report()}\n{END}{after}"
    if told.check:
        if fresh != text:
            print("README.md is stale; run `python -m benchmarks.report`", file=sys.stderr)
            return 1
        return 0
    readme.write_text(fresh, encoding="utf-8")
    print(report())
    return 0


if __name__ == "__main__":
    sys.exit(main())
