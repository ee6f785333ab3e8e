"""README's further tables: rivals, time, size, robustness, a service.

Owns:   one function for each record, from its JSON to lines of Markdown.
Needs:  numpy; `report` puts them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.rivals import OURS, TIMED, Row, speeds

Record = Mapping[str, Any]


def rivals(held: Record) -> Iterator[str]:
    """Engines beside each other, a row for each set and engine."""
    cores = held["machine"]["cpu"]
    yield (
        f"Beside other engines, the same crops in the same run, one thread each, {cores}; at most "
        f"{held['most']} crops of a set. Exact and CER without regard to case, ms of CPU time a "
        "field, read one at a time. *Mask*: the field's characters are given to it."
    )
    yield ""
    yield "| set | engine | exact % | 95 % | CER % | ms |"
    yield "|---|---|---|---|---|---|"
    for row in held["rows"]:
        ours = row["engine"] == OURS
        name = f"**{row['engine']}**" if ours else f"{row['engine']}"
        batch = f" ({row['batch_ms']:.1f} of many)" if row["batch_ms"] is not None else ""
        yield (
            f"| {row['name']} | {name} | {100 * row['exact']:.1f} "
            f"| {100 * row['low']:.1f} to {100 * row['high']:.1f} | {100 * row['cer']:.1f} "
            f"| {row['p50_ms']:.1f}{batch} |"
        )
    yield ""
    versions = dict.fromkeys(r["version"] for r in held["rows"] if r["engine"] != OURS)
    away = "".join(f"; {one['engine']} absent" for one in held["absent"])
    yield f"Measured: {'; '.join(versions)}{away}."
    for one in speeds([Row(**row) for row in held["rows"]]):
        (name, least), (of_many, least_of_many) = one.least, one.least_of_many
        theirs = [row for row in held["rows"] if row["engine"] == one.rival]
        both = any(row["batch_ms"] is not None for row in theirs)
        how = "each engine as it does that best" if both else "the rival one at a time"
        yield (
            f"Against {TIMED[one.rival]}, over all of these sets: {one.one:.1f} times as fast one "
            f"at a time (least on {name}, {least:.1f}), {one.many:.1f} times where many crops are "
            f"read at once, {how} (least on {of_many}, {least_of_many:.1f})."
        )


def latency(held: Record) -> Iterator[str]:
    """Where a field's time goes."""
    yield "Where the time goes, ms a field on one thread (wall; then CPU time of calls of 32):"
    yield ""
    yield "| set | one: p50 | p95 | of 32 | image work | session | decoding and the rest |"
    yield "|---|---|---|---|---|---|---|"
    for row in held["rows"]:
        values = ("one_p50_ms", "one_p95_ms", "many_ms", "image_ms", "session_ms", "rest_ms")
        yield f"| {row['name']} | {' | '.join(f'{row[one]:.2f}' for one in values)} |"
    yield ""
    pages = (
        f"{page['name']} ({page['fields']} fields) {page['p50_ms']:.0f} ms"
        for page in held["pages"]
    )
    yield f"Pages, all steps: {', '.join(pages)}."


def classic(held: Record) -> Iterator[str]:
    """Ways to read one glyph, beside each other."""
    yield "One glyph, the same ones for all, times of the CPU on one thread:"
    yield ""
    yield "| glyphs | how | trained on | right % | case aside % | to train | ms a glyph | MB |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in held["rows"]:
        told = "-" if row["trained_on"] is None else f"{row['trained_on']}"
        spent = "-" if row["train_s"] is None else f"{row['train_s']:.1f} s"
        yield (
            f"| {row['glyphs']} | {row['how']} | {told} | {100 * row['right']:.1f} "
            f"| {100 * row['right_folded']:.1f} | {spent} | {row['ms_per_glyph']:.3f} "
            f"| {row['size_mb']:.1f} |"
        )


def footprint(held: Record) -> Iterator[str]:
    """Sizes, memory, start."""
    yield "| what | measured | asked, at most |"
    yield "|---|---|---|"
    for row in held["rows"]:
        asked = "" if row["asked"] is None else f"{row['asked']:g} {row['unit']}"
        digits = 0 if row["unit"] == "ms" else 1
        yield f"| {row['what']} | {row['value']:.{digits}f} {row['unit']} | {asked} |"


def robustness(held: Record) -> Iterator[str]:
    """Errors among the accepted by strength."""
    rows = held["rows"]
    names = list(dict.fromkeys(row["corruption"] for row in rows if row["strength"]))
    yield (
        f"Under {len(names)} corruptions ({', '.join(one.replace('_', ' ') for one in names)}), "
        "three strengths:"
    )
    yield ""
    yield "| what | strength | fields | right % | accepted % | wrong of the accepted % |"
    yield "|---|---|---|---|---|---|"
    for forms, what in ((False, "crops"), (True, "drawn forms")):
        kept = [row for row in rows if (row["name"] == "forms") == forms]
        for strength in sorted({row["strength"] for row in kept}):
            ours = [row for row in kept if row["strength"] == strength]
            n, right, accepted, wrong = (
                sum(row[key] for row in ours)
                for key in ("n", "right", "accepted", "wrong_accepted")
            )
            shown = "none" if strength == 0 else str(strength)
            yield (
                f"| {what} | {shown} | {n} | {100 * right / n:.1f} | {100 * accepted / n:.1f} "
                f"| {100 * wrong / max(1, accepted):.2f} |"
            )


def service_same(held: Record) -> Iterator[str]:
    """One answer everywhere."""
    rows = held["rows"]
    other = sum(row["other_texts"] + row["other_statuses"] for row in rows)
    apart = max(row["most_apart"] for row in rows)
    ways = ", ".join(row["way"] for row in rows)
    yield (
        f"The same {rows[0]['n']} fields read in other ways ({ways}): {other} other texts or "
        f"statuses, probabilities {apart:.0e} apart at most."
    )


def service_slope(held: Record) -> Iterator[str]:
    """Memory over many fields."""
    told = "; ".join(
        f"{row['way']}: {row['fields']} fields at {row['fields_per_s']:.0f}/s, "
        + ("unknown" if row["mib_per_million"] is None else f"{row['mib_per_million']:+.1f} MiB")
        + " a million"
        for row in held["rows"]
    )
    yield f"Memory of a service after the first minute, slope of a fitted line: {told}."
