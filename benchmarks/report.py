"""README's numbers, from `benchmarks/results/*.json`: nothing is typed by hand.

    python -m benchmarks.report [--check]

`--check` fails where README says something else than the results do, and where they are of another
model than the bundled one. Results that are not there are left out; the first three must be there.
Results without a probability in them stay good when the same network's confidence is fitted anew;
README says so then.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report_more
from edge_runtime.recognize import bundled_model
from edge_runtime.spec import check_seal

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- numbers:begin -->", "<!-- numbers:end -->"

NEEDED = ("accuracy", "forms", "quantization")
Lines = Callable[[Mapping[str, Any]], Iterator[str]]
OPTIONAL: Mapping[str, Lines] = {
    "rivals": report_more.rivals,
    "latency": report_more.latency,
    "footprint": report_more.footprint,
    "classic": report_more.classic,
    "robustness": report_more.robustness,
    "service_same": report_more.service_same,
    "service_slope": report_more.service_slope,
}

# Times, sizes and texts: what they tell does not hang on confidence.
UNCALIBRATED = ("quantization", "rivals", "latency", "footprint", "classic", "service_slope")
# And this twin reads rows of cells alone: the sets of `benchmarks.accuracy`, on which int8 and the
# slope of memory are measured, hold none.
_ELSEWHERE = "twin_words_sha256"

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


def load(results: Path) -> dict[str, Any]:
    """Records by name.

    Raises:
        SystemExit: One that is needed is not there, or they are of different models.
    """
    held = {}
    for name in (*NEEDED, *OPTIONAL):
        path = results / f"{name}.json"
        if path.is_file():
            held[name] = json.loads(path.read_text(encoding="utf-8"))
        elif name in NEEDED:
            raise SystemExit(
                f"{path}: no such result; run `python -m benchmarks.{name} --out {path}`"
            )
    shown = held["accuracy"]
    by_digest: dict[str, list[str]] = {}
    for name, one in held.items():
        if name not in UNCALIBRATED or not _same_network(one, shown):
            by_digest.setdefault(_digest(one), []).append(name)
    if len(by_digest) != 1:
        told = "; ".join(f"{digest}: {', '.join(names)}" for digest, names in by_digest.items())
        raise SystemExit(f"the results are of different models ({told}); run the benchmarks again")
    return held


def _digest(held: Mapping[str, Any]) -> str:
    return str(held["model"]["digest"][:12])


def _same_network(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return _digest(one) == _digest(other) or (
        one.get("network") is not None and _parts(one) == _parts(other)
    )


def _parts(held: Mapping[str, Any]) -> dict[str, Any]:
    network: Mapping[str, Any] = held.get("network") or {}
    return {name: value for name, value in network.items() if name != _ELSEWHERE}


def report(held: Mapping[str, Any]) -> str:
    """The section between the markers."""
    lines = [*_accuracy(held["accuracy"]), ""]
    lines += [*_forms(held["forms"]), "", *_quantization(held["quantization"]), ""]
    for name, told in OPTIONAL.items():
        if name in held:
            lines += [*told(held[name]), ""]
    ran = [f"`benchmarks.{name.partition('_')[0]}`" for name in held]
    ran = [f"`python -m {ran[0].strip('`')}`", *dict.fromkeys(ran[1:])]
    lines.append(
        f"Printed by {', '.join(ran[:-1])} and {ran[-1]}; filled in by `benchmarks.report`."
    )
    shown = _digest(held["accuracy"])
    before: dict[str, list[str]] = {}
    for name, one in held.items():
        if _digest(one) != shown:
            before.setdefault(_digest(one), []).append(name.replace("_", " "))
    for digest, names in before.items():
        lines.append(
            f"Measured with the same network before confidence was fitted anew, or before it had "
            f"a twin for rows of words (digest `{digest}`): {', '.join(names)}; neither "
            f"probabilities nor such rows are in them."
        )
    return "\n".join(lines)


def _accuracy(held: Mapping[str, Any]) -> Iterator[str]:
    machine = held["machine"]
    flags = ", ".join(machine.get("flags", ()))  # int8 is three times as fast with VNNI
    yield (
        f"Model `{held['model']['name']}`, digest `{held['model']['digest'][:12]}`; "
        f"{machine['cpu']} ({flags}), {machine['cores']} cores, 1 thread, int8. Exact and "
        "character error rate without regard to case; the interval is 95 % (Wilson). *Wrong* is "
        "of the accepted."
    )
    yield ""
    yield "| set | n | exact % | 95 % | CER % | accepted % | wrong % | ms a field |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in held["rows"]:
        yield (
            f"| {_WHAT[row['name']]} | {row['n']} | {100 * row['exact_folded']:.1f} "
            f"| {100 * row['low']:.1f} to {100 * row['high']:.1f} | {100 * row['cer']:.1f} "
            f"| {100 * row['accepted']:.1f} | {100 * row['wrong_accepted']:.2f} "
            f"| {row['ms_per_field']:.1f} |"
        )


def _forms(held: Mapping[str, Any]) -> Iterator[str]:
    tally, page = held["tally"], held["account_opening_ms"]
    yield (
        f"Drawn forms: {held['forms']} (the examples and seeds {held['seeds'][0]} to "
        f"{held['seeds'][1]}), {tally['fields']} fields: "
        f"{100 * tally['exact'] / tally['fields']:.1f} % exact, "
        f"{100 * tally['accepted'] / tally['fields']:.1f} % accepted, "
        f"{tally['wrong_accepted']} wrong among the accepted. The account opening form takes "
        f"{page['median']:.0f} ms, all steps."
    )


def _quantization(held: Mapping[str, Any]) -> Iterator[str]:
    gains = [row["fp32_ms"] / row["int8_ms"] for row in held["speed"]]
    worst = max(held["sets"], key=lambda row: row["fp32"] - row["int8"])
    lost = 100 * (worst["fp32"] - worst["int8"])
    yield (
        f"int8 against fp32, the same tensors of 32 strips: {np.exp(np.mean(np.log(gains))):.2f} "
        f"times faster ({min(gains):.2f} at least, over the widths); the most lost on any set is "
        f"{lost:.2f} points ({_WHAT[worst['set']]})."
    )


def stale(held: Mapping[str, Any]) -> str:
    """Why the results are not of what is shipped; "" where they are."""
    shipped = check_seal(bundled_model().read_bytes())
    measured = held["accuracy"]["model"]["digest"]
    if shipped == measured:
        return ""
    return f"the results are of model {measured[:12]}, bundled is {shipped[:12]}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="fail where README is stale")
    told = parser.parse_args(arguments)
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    held = load(RESULTS)
    fresh = f"{before}{BEGIN}\n{report(held)}\n{END}{after}"
    if told.check:
        if why := stale(held):
            print(f"{why}; run the benchmarks again", file=sys.stderr)
            return 1
        if fresh != text:
            print("README.md is stale; run `python -m benchmarks.report`", file=sys.stderr)
            return 1
        return 0
    readme.write_text(fresh, encoding="utf-8")
    print(report(held))
    return 0


if __name__ == "__main__":
    sys.exit(main())
