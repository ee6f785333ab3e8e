"""Which settings are best here, and why: what a report says to someone who has to choose.

Owns:   `pick`.
Needs:  `bench_report`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge_runtime.bench_report import BATCH, MANY, ONE, WAYS, Advice, Engine, Rate, Report

# Another thread or process must bring a tenth: less is what two runs of the same thing differ by.
_GAIN = 1.1
_FEWER = 0.01  # of all fields: an engine that reads this part less right is not advised

_HOW = {
    "network": "threads={count}",
    "callers": "threads=1, shared by {count} threads of the program",
    "processes": "threads=1, in {count} processes",
}


def pick(report: Report) -> tuple[Advice, ...]:
    """For a field at a time, for many in one program, for many however they are spread."""
    scaled = report.engines[report.scaled]
    fit, left_out = _fit(report.engines)
    quick = min(fit, key=lambda one: one.p50_ms(ONE))
    advice = [_one_at_a_time(quick, report, left_out)]
    if scaled not in fit:  # it was taken for its speed alone: spread the best of the others alike
        best = min(fit, key=lambda one: one.p50_ms(MANY))
        why = f"{best.p50_ms(MANY):.2f} ms a field; {left_out}"
        return (*advice, Advice("many fields", _reader(best, "threads=1"), why))
    uses = {
        "many fields, one process": [one for one in report.rates if one.way != "processes"],
        "many fields, however spread": list(report.rates),
    }
    for use, rates in uses.items():
        advice.append(_many(use, rates, scaled, left_out))
    return tuple(advice)


def _fit(engines: Sequence[Engine]) -> tuple[list[Engine], str]:
    """Engines that read as well as the best one, and a word on the others."""
    scores = [one.score for one in engines if one.score is not None]
    if len(scores) == len(engines):
        best = max(one.exact for one in scores)
        least = best - _FEWER * scores[0].fields
        keep: Callable[[Engine], bool] = lambda one: (  # noqa: E731
            one.score is not None and one.score.exact >= least
        )
        fact = "read fewer fields of --truth right"
    else:
        keep = lambda one: one.same_texts == one.drawn  # noqa: E731
        fact = "read drawn digits otherwise than the first; --truth would say which is right"
    fit = [one for one in engines if keep(one)]
    out = [one.label for one in engines if not keep(one)]
    return fit, f"left out: {'; '.join(out)}, which {fact}" if out else ""


def _one_at_a_time(engine: Engine, report: Report, left_out: str) -> Advice:
    count, least = 1, engine.p50_ms(ONE)
    why = [f"{least:.2f} ms for a field by itself (p50)"]
    if engine is report.engines[report.scaled]:
        ours = [one for one in report.rates if one.way == "network" and one.one_ms is not None]
        chosen = _fewest(ours, lambda one: 1 / (one.one_ms or 1))
        count, least = chosen.count, chosen.one_ms or least
        told = ", ".join(f"{one.count}: {one.one_ms:.2f}" for one in ours)
        why = [f"{least:.2f} ms for a field by itself (p50; ms by threads: {told})"]
    others = [one for one in report.engines if one is not engine]
    why += [f"{one.label}: {one.p50_ms(ONE):.2f} ms" for one in others]
    return Advice(
        "a field or page at a time", _reader(engine, f"threads={count}"), _told(why, left_out)
    )


def _many(use: str, rates: Sequence[Rate], engine: Engine, left_out: str) -> Advice:
    chosen = _fewest(rates, lambda one: one.fields_per_s)
    memory = engine.startup.get("rss_batch_mib")
    why = [f"{chosen.fields_per_s:.0f} fields/s in batches of {BATCH}"]
    for way, word in WAYS.items():
        best = max((o for o in rates if o.way == way), key=lambda o: o.fields_per_s, default=None)
        if best is not None and best is not chosen:
            why.append(f"{word}: at best {best.fields_per_s:.0f} with {best.count}")
    if memory is not None:
        n = chosen.count if chosen.way == "processes" else 1
        why.append(f"about {n * memory:.0f} MiB")
    how = _HOW["network" if chosen.count == 1 else chosen.way].format(count=chosen.count)
    return Advice(use, _reader(engine, how), _told(why, left_out))


def _fewest(rates: Sequence[Rate], speed: Callable[[Rate], float]) -> Rate:
    """The fewest threads or processes that no greater number beats by `_GAIN`."""
    best = max(speed(one) for one in rates)
    return min(
        (one for one in rates if speed(one) * _GAIN >= best),
        key=lambda one: (one.count, list(WAYS).index(one.way)),
    )


def _reader(engine: Engine, how: str) -> str:
    model = "" if engine.model == "bundled" else f"{engine.model!r}, "
    provider = engine.provider.removesuffix("ExecutionProvider").lower()
    providers = "" if provider == "cpu" else f'providers=["{provider}"], '
    head, _, rest = how.partition(", ")
    return f"Reader({model}{providers}{head})" + (f", {rest}" if rest else "")


def _told(why: Sequence[str], left_out: str) -> str:
    return "; ".join([*why, left_out] if left_out else why)
