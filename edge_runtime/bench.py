"""How fast this machine reads, in numbers that travel with the machine and the model.

Owns:   `run`: what is measured, in which order, with how much of the time.
Needs:  `reader`, `startup`, `scaling`, `scoring`, `energy`, `bench_report`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge_runtime.bench_report import BATCH, MANY, ONE, Engine, Report, Score
from edge_runtime.drawn import drawn_fields
from edge_runtime.energy import Energy, Meter
from edge_runtime.errors import EdgeHwrError
from edge_runtime.imaging import load_page
from edge_runtime.machine import Machine
from edge_runtime.reader import Reader
from edge_runtime.recognize import bundled_model
from edge_runtime.results import FormReading
from edge_runtime.scaling import Items, rates
from edge_runtime.scoring import Truth, load_truth, score
from edge_runtime.startup import STARTS, start_up
from edge_runtime.timing import Took, measure, per

if TYPE_CHECKING:
    from edge_runtime.template import Template

# Of the time; energy has the rest. New processes come on top, and on a slow board there are fewer.
_ENGINES, _RATES, _STARTUPS = 0.5, 0.4, 0.3
_CPU = "CPUExecutionProvider"
_REMOTE = "AzureExecutionProvider"  # in every build; it asks a server, and so reads nothing here
_STARTS_OF_MANY = 2  # new processes for each of several engines: a median of three costs too long


@dataclass(frozen=True, slots=True, eq=False)
class _Sheet:
    """A page to read over and over."""

    path: Path
    template_path: Path | None
    pixels: NDArray[np.uint8]
    template: Template | None


@dataclass(slots=True)
class _Talk:
    """Tells what is being measured, and how far it is."""

    say: Callable[[str], None]
    began: float = field(default_factory=perf_counter)

    def __call__(self, what: str) -> None:
        self.say(f"{perf_counter() - self.began:4.0f} s  {what}")


def run(
    pages: Sequence[tuple[Path, Path | None]] = (),
    *,
    models: Sequence[Path | None] = (None,),
    providers: Sequence[str] | None = None,
    threads: int | None = None,
    seconds: float = 30.0,
    truth: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Report:
    """Measure. Decoding of files is left out of the pages' times, drawing out of the fields'.

    Args:
        pages: Forms and their templates; none: only drawn fields are read.
        models: Exported ONNX files, None for the bundled one; each is measured.
        providers: Each is measured; None: every one that works here.
        threads: Most threads to try; as many as may run at the same time, at most.
        seconds: Time to spend, about; start-ups and new processes come on top.
        truth: What is written on the pages, see `scoring.load_truth`.
        say: Told what is being measured.

    Raises:
        ProviderError: A provider that was asked for is not there.
        EdgeHwrError: A page, a template, the truth or a model cannot be read.
    """
    talk, here, items = _Talk(say), Machine.here(), drawn_fields(BATCH)
    written = None if truth is None else load_truth(truth, [path for path, _ in pages])
    sheets = [_sheet(path, template) for path, template in pages]
    # Opened first, and once: its errors say most, and nothing has been waited for yet.
    pairs = [(model, one) for model in models for one in providers or _working(model)]
    for model, provider in pairs:
        Reader(model, providers=[provider]).close()
    engines: list[Engine] = []
    texts: list[str] = []
    starts = STARTS if len(pairs) == 1 else _STARTS_OF_MANY
    for model, provider in pairs:
        share = seconds * _ENGINES / len(pairs)
        plan = _Plan(sheets, items, written, share, starts, texts)
        engines.append(_engine(model, provider, plan, talk))
    scaled = min(range(len(pairs)), key=lambda at: engines[at].p50_ms(MANY))
    model, provider = pairs[scaled]
    most = min(threads or here.threads, here.threads)
    if threads is not None and threads > most:
        talk(f"{threads} threads were asked for; {most} may run here")
    found = rates(
        model, provider, items,
        most=most, seconds=seconds * _RATES, say=talk,
    )  # fmt: skip
    spread = tuple(found)
    energy = _energy(model, provider, items, seconds=seconds * (1 - _ENGINES - _RATES), say=talk)
    return Report(here, tuple(engines), scaled, spread, energy, took_s=perf_counter() - talk.began)


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What every engine is to read, and for how long."""

    sheets: Sequence[_Sheet]
    items: Items
    written: dict[Path, Truth] | None
    seconds: float
    starts: int
    texts: list[str]  # of `items`, as the first engine reads them; filled by it


def _engine(model: Path | None, provider: str, plan: _Plan, talk: _Talk) -> Engine:
    name = "bundled" if model is None else str(model)
    with Reader(model, providers=[provider], threads=1) as reader:
        times = list(_page_times(reader, plan.sheets, plan.seconds / 2, talk))
        talk(f"{name}, {provider}: fields, 1 thread")
        share = plan.seconds / (4 if plan.sheets else 2)
        times.append(_one_by_one(reader, plan.items, seconds=share))
        took = measure(partial(reader.read_fields, plan.items), "", seconds=share)
        times.append(per(took, BATCH, MANY))
        texts = [one.text for one in reader.read_fields(plan.items)]
        if not plan.texts:
            plan.texts.extend(texts)
        talk(f"{name}, {provider}: start-up, up to {plan.starts} new processes")
        page = next(((one.path, one.template_path) for one in plan.sheets), None)
        startup = start_up(
            model,
            provider,
            page=page,
            starts=plan.starts,
            seconds=plan.seconds * _STARTUPS / _ENGINES,
        )
        return Engine(
            model=name,
            name=reader.model["name"],
            digest=reader.model["digest"],
            precision=_precision(model),
            provider=reader.providers[0],
            startup=startup,
            times=tuple(times),
            same_texts=sum(a == b for a, b in zip(texts, plan.texts, strict=True)),
            drawn=len(texts),
            score=_score(reader, plan),
        )


def _score(reader: Reader, plan: _Plan) -> Score | None:
    if plan.written is None:
        return None
    forms = [(_read(reader, one), plan.written[one.path]) for one in plan.sheets]
    return score(forms, [one.path.name for one in plan.sheets])


def _read(reader: Reader, sheet: _Sheet) -> FormReading:
    try:
        return reader.read(sheet.pixels, template=sheet.template)
    except EdgeHwrError as error:  # it was given as an array, which has no name
        raise type(error)(f"{sheet.path}: {str(error).removeprefix('<array>: ')}") from error


def _energy(
    model: Path | None, provider: str, items: Items, *, seconds: float, say: Callable[[str], None]
) -> Energy:
    if (silent := Meter().stop(1)).watts is None:  # nothing would come of it
        return silent
    say("energy")
    with Reader(model, providers=[provider], threads=1) as reader:
        reader.read_fields(items)
        meter, began, done = Meter(), perf_counter(), 0
        while perf_counter() - began < seconds or not done:
            reader.read_fields(items)
            done += len(items)
        return meter.stop(done)


def _working(model: Path | None) -> Sequence[str]:
    """Providers that open this model here; the CPU's own errors are told."""
    Reader(model).close()
    import onnxruntime

    found = []
    for name in onnxruntime.get_available_providers():
        if name in (_CPU, _REMOTE):
            continue
        try:
            Reader(model, providers=[name]).close()
        except EdgeHwrError:  # offered by the package, but not by this machine
            continue
        found.append(name)
    return [_CPU, *found]


def _precision(model: Path | None) -> str:
    """Operators stand by name in an ONNX file; only quantised networks have this one."""
    data = (bundled_model() if model is None else model).read_bytes()
    return "int8" if b"QuantizeLinear" in data else "float"


def _sheet(path: Path, template: Path | None) -> _Sheet:
    from edge_runtime.template import Template

    page = load_page(path)
    form = None if template is None else Template.load(template)
    return _Sheet(path, template, page.pixels if page.color is None else page.color, form)


def _page_times(
    reader: Reader, sheets: Sequence[_Sheet], seconds: float, say: Callable[[str], None]
) -> Iterator[Took]:
    for sheet in sheets:
        say(f"page {sheet.path}, 1 thread")
        read = partial(_read, reader, sheet)
        yield measure(read, f"page {sheet.path.name}", seconds=seconds / len(sheets))


def _one_by_one(reader: Reader, items: Items, *, seconds: float) -> Took:
    """Each field by itself, widths in turn."""
    turn = itertools.cycle(items)
    return measure(lambda: reader.read_field(*next(turn)), ONE, seconds=seconds)
