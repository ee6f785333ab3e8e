"""A benchmark's report as tables for a terminal.

Owns:   `to_text`.
Needs:  `bench_report`; rich, when a table is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from edge_runtime.bench_report import BATCH, WAYS, Advice, Report

if TYPE_CHECKING:
    from rich.table import Table

_STARTUP = {
    "import_ms": "imports, ms",
    "load_ms": "model load, ms",
    "first_read_ms": "first field, ms",
    "ready_ms": "import to first reading, ms",
    "rss_one_field_mib": "peak memory, one field, MiB",
    "rss_batch_mib": f"peak memory, {BATCH} fields, MiB",
    "rss_page_mib": "peak memory, a page, MiB",
}


def to_text(report: Report, stream: TextIO, *, advice: Sequence[Advice] = ()) -> str:
    """The report as tables, in colour where `stream` is a terminal that shows it."""
    from rich.console import Console

    console = Console(file=stream)
    with console.capture() as text:
        for table in _tables(report):
            console.print(table)
        for line in (*_advised(advice), *_facts(report)):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    return text.get()


def _tables(report: Report) -> Iterator[Table]:
    labels = [one.label for one in report.engines]
    starts = _table("a new process", ["what", *labels])
    for key, name in _STARTUP.items():
        values = [one.startup.get(key) for one in report.engines]
        if any(key in one.startup for one in report.engines):
            starts.add_row(name, *("unknown" if v is None else f"{v:.0f}" for v in values))
    yield starts
    times = _table("one thread", ["what", "engine", "p50 ms", "p95 ms", "min ms", "times"])
    for engine in report.engines:
        for one in engine.times:
            told = (f"{ms:.2f}" for ms in (one.p50_ms, one.p95_ms, one.min_ms))
            times.add_row(one.name, engine.label, *told, str(one.repeats))
    yield times
    rates = _table(
        f"fields a second, {BATCH} at a time: {labels[report.scaled]}",
        ["spread over", "how many", "fields/s", "one field, ms"],
    )
    for rate in report.rates:
        alone = "" if rate.one_ms is None else f"{rate.one_ms:.2f}"
        rates.add_row(WAYS[rate.way], str(rate.count), f"{rate.fields_per_s:.0f}", alone)
    yield rates
    if any(one.score for one in report.engines):
        scores = _table("against the truth", ["engine", "fields", "exact", "accepted", "of them"])
        scores.columns[-1].header = "wrong of them"
        for engine in report.engines:
            if score := engine.score:
                numbers = (score.fields, score.exact, score.accepted, score.wrong_accepted)
                scores.add_row(engine.label, *map(str, numbers))
        yield scores


def _table(title: str, columns: Sequence[str]) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for name in columns:
        words = name in ("what", "engine", "spread over")
        table.add_column(name, justify="left" if words else "right")
    return table


def _advised(advice: Sequence[Advice]) -> Iterator[str]:
    for one in advice:
        yield f"best for {one.use}: {one.settings}"
        yield f"  because {one.why}"


def _facts(report: Report) -> Iterator[str]:
    here, energy = report.machine, report.energy
    for one in report.engines:
        if one.score and one.score.wrong:
            yield f"wrong    {one.label}: {', '.join(one.score.wrong)}"
        if one.same_texts < one.drawn:
            n = one.drawn - one.same_texts
            yield f"texts    {one.label}: {n} of {one.drawn} drawn fields read otherwise"
    if energy.watts is None:
        yield f"energy   unknown: {energy.note}"
    else:
        each = f"{energy.mj_per_field or 0:.2f} mJ a field"
        yield f"energy   {energy.watts:.1f} W, {each}; {energy.source}: {energy.note}"
    for one in report.engines:
        yield f"model    {one.model}: {one.name} {one.digest[:16]}, {one.precision}, {one.provider}"
    quota = "" if here.quota is None else f", limited to {here.quota:g}"
    yield f"machine  {here.cpu}, {here.system}, {here.cores} cores{quota}"
    yield f"versions {', '.join(f'{name} {version}' for name, version in here.versions)}"
    yield f"took     {report.took_s:.0f} s"
