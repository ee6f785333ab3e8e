"""The reader: pages and crops in, frozen readings out.

Owns:   `Reader`, the public entry; the order of the steps and their timing.
Needs:  everything below it. One road: ink, strips, one run of the network, decoding, verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from os import PathLike
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from edge_runtime import confidence, judge
from edge_runtime.check_marks import STATES
from edge_runtime.company import in_company, vouched_for
from edge_runtime.errors import EdgeHwrError, TemplateError
from edge_runtime.field import Field
from edge_runtime.flat_sheet import FlatSheet, flat_sheet
from edge_runtime.grammar import compile_grammar
from edge_runtime.imaging import Page, Source, as_crop, count_pages, load_page
from edge_runtime.joined import joined
from edge_runtime.numbered import numbered
from edge_runtime.place import (
    FieldCrop,
    FieldInk,
    found_crops,
    lone_crop,
    placed_crops,
    take_ink,
    take_lines,
    template_crops,
)
from edge_runtime.prior import NO_PRIORS
from edge_runtime.recognize import LogProbs, Recognizer
from edge_runtime.register import Registration, choose
from edge_runtime.results import FieldReading, FormReading, Status
from edge_runtime.spec import ModelSpec
from edge_runtime.telling import told
from edge_runtime.template import Template, evaluate_rules
from edge_runtime.tone import positive
from edge_runtime.turn import turned, upright_turn
from edge_runtime.watch import Advice, Sight, Watch

Gray = NDArray[np.uint8]

_LIKELY = 0.5
Evidence = NDArray[np.float64]
TemplateSource = Template | Mapping[str, Any] | Path | str
Forms = TemplateSource | Sequence[TemplateSource]  # several: the page's own is chosen of them

# Strips that are held at a time: of 1024 x 48 pixels they and their log-probabilities take 19 MB.
# Four times as many save 2 % of the time, and callers that share a reader hold them twice over.
CHUNK_STRIPS = 128


class Reader:
    """Reads handwritten fields with one model. Safe to share between threads.

    Args:
        model: An exported ONNX file; None for the bundled one.
        providers: "cpu", "cuda" or ONNX Runtime's own names, the preferred first.
        threads: Threads inside one run of the network.
        allow_fallback: Take what is there instead of a provider that is not.
        prior: Let the model's character priors help with fields of kind `text`, `name` and
            `email`. Readings name it.
        accept: Confidence, 0..1, from which readings are accepted where nothing else speaks against
            them; None: the model's own operating points, 0.3 % wrong of the accepted. At 0.98 up to
            one in fifty may be wrong. What `match_point` tells stays the model's.

    Raises:
        ModelError: The model cannot be trusted.
        EdgeHwrError: `accept` is no probability, or under that from which readings are rejected.
        ProviderError: A provider that was asked for, or ONNX Runtime itself, is not there.
    """

    def __init__(
        self,
        model: Path | str | None = None,
        *,
        providers: Sequence[str] = ("cpu",),
        threads: int = 1,
        allow_fallback: bool = False,
        prior: bool = True,
        accept: float | None = None,
    ) -> None:
        self._recognizer = Recognizer(
            model, providers=providers, threads=threads, allow_fallback=allow_fallback
        )
        self._priors = self._recognizer.priors if prior else NO_PRIORS
        self._twins_of = lru_cache(maxsize=4096)(self._twins)
        confidence.check_calibration(self._recognizer.spec)
        self._judged_by = confidence.accepting_from(accept, self._recognizer.spec)

    @property
    def spec(self) -> ModelSpec:
        """What the model says of itself."""
        return self._recognizer.spec

    @property
    def model(self) -> dict[str, str]:
        """Name and digest of the model."""
        return {"name": self.spec.name, "digest": self._recognizer.digest}

    @property
    def model_id(self) -> str:
        """Name and short digest, for tables and logs."""
        return f"{self.spec.name}@{self._recognizer.digest[:12]}"

    @property
    def providers(self) -> tuple[str, ...]:
        """Execution providers in use, ONNX Runtime's names."""
        return self._recognizer.providers

    def close(self) -> None:
        """Give the model's memory back; reading afterwards raises `ModelError`."""
        self._recognizer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError(
            "a Reader holds an open model and cannot be copied or pickled; make one in each process"
        )

    def __repr__(self) -> str:
        return f"Reader(model={self.model_id!r}, providers={self.providers!r})"

    def read(
        self, source: Source, *, template: Forms | None = None, page: int | None = None
    ) -> FormReading:
        """Read one page.

        Args:
            source: Path, encoded bytes, or uint8 (h, w) or (h, w, 3) BGR, upright.
            template: The form: a `Template`, a path or a mapping; or several, of which the one is
                taken whose print is on the page. None: fields are found; on a photo with a desk
                around the page, on the page alone.
            page: Number of the page, from 1; needed where the source has several.

        Raises:
            ImageError: No picture, or several pages and none chosen.
            TemplateError: The template is wrong, or the page is not its form, or none of several.
        """
        forms = _templates(template)
        timer = Timer()
        with timer.step("load"):
            loaded = load_page(source, page=page, color=False)
        return self._read_page(loaded, forms, timer)

    def read_pages(self, source: Source, *, template: Forms | None = None) -> Iterator[FormReading]:
        """Read the pages of a PDF or TIFF one after the other.

        Arguments and errors as `read`; those of one page are raised when it is reached, and `next`
        goes on with the page after it.
        """
        forms = _templates(template)

        def read(number: int) -> FormReading:
            timer = Timer()
            with timer.step("load"):
                loaded = load_page(source, page=number, color=False)
            return self._read_page(loaded, forms, timer)

        return map(read, range(1, count_pages(source) + 1))

    def watch(
        self,
        frames: Iterable[NDArray[np.uint8]],
        *,
        template: Forms | None = None,
        settle: int = 3,
    ) -> Iterator[Sight]:
        """Read the pages that are held before a camera, each once.

        A page is read when it is whole, sharp, well lit and still. It is not read again before it
        was taken away.

        Args:
            frames: uint8 (h, w) or (h, w, 3) BGR, in order. The page must be seen with some desk
                around it.
            template: As in `read`.
            settle: Frames for which a page stays where it is before it is read.

        Yields:
            One `Sight` a frame: what to tell the person, and once a page its reading.

        Raises:
            ImageError: A frame is no such array.
            TemplateError: The template is wrong. (A page that is not its form is a `Sight`.)
        """
        forms, watch = _templates(template), Watch(settle=settle)
        for frame in frames:
            page = load_page(frame)
            sight = watch.look(page.pixels)
            if sight.advice is Advice.READ:
                try:
                    form = self._read_page(page, forms, Timer())
                    sight = replace(sight, form=form)
                except EdgeHwrError as error:
                    reason = str(error).removeprefix("<array>: ")
                    watch.refuse(reason)
                    sight = replace(sight, advice=Advice.WRONG, reason=reason)
            yield sight

    def read_field(self, crop: Source, field: Field) -> FieldReading:
        """Read the crop of one field, dark ink on light paper.

        Raises:
            ImageError: No picture.
            TemplateError: The field contradicts itself.
        """
        ((reading, _),) = self._judged(self._lines(as_crop(crop), field), Timer())
        return reading

    def read_fields(self, items: Iterable[tuple[Source, Field]]) -> list[FieldReading]:
        """Read many crops; the same answers as one by one, in order.

        Raises:
            ImageError: One of them is no picture; the message says which.
            TemplateError: A field contradicts itself.
        """
        return [reading for reading, _ in self.explain(items)]

    def explain(
        self, items: Iterable[tuple[Source, Field]]
    ) -> Iterator[tuple[FieldReading, Evidence | None]]:
        """As `read_fields`, each with the evidence behind it (see `confidence.FEATURES`)."""
        return self._judged(self._inks(items), Timer())

    def match(self, crop: Source, field: Field, expected: str) -> float:
        """Calibrated probability, 0..1, that the ink says exactly `expected`; reveals no reading.

        As probable as where every other text asked for is the right one, and most others are a
        character or two off. `match_point` tells from where on to accept.

        Raises:
            ImageError: No picture.
            TemplateError: The field contradicts itself.
        """
        if not isinstance(expected, str):
            raise TemplateError(f"expected is {type(expected).__name__}; give the text as str")
        ink, *others = self._lines(as_crop(crop), _one_line(field))
        if others:
            return 0.0  # nothing that is asked for stands on several lines
        (frames,) = self._heard([ink])
        return judge.match_probability(ink, frames, self.spec, expected)

    def match_point(self, field: Field) -> float:
        """The probability from which a match of such a field is to be accepted."""
        group = confidence.claim_group_of(_field(field))
        claims = self.spec.calibration.get(group)
        if claims is not None:
            return claims.accept
        return confidence.calibration_for(self.spec, confidence.group_of(field)).accept

    def explain_match(
        self, crop: Source, field: Field, expected: Sequence[str]
    ) -> list[Evidence | None]:
        """The evidence that `match` goes by, for each of some texts (`confidence.FEATURES`)."""
        ink, *others = self._lines(as_crop(crop), _one_line(field))
        if others:
            return [None] * len(expected)
        (frames,) = self._heard([ink])
        return [judge.claim_evidence(ink, frames, self.spec, text) for text in expected]

    def _inks(self, items: Iterable[tuple[Source, Field]]) -> Iterator[FieldInk]:
        for at, item in enumerate(items):
            try:
                crop, field = item
            except (TypeError, ValueError) as error:
                raise TemplateError(f"item {at} is no pair; give (crop, Field)") from error
            try:
                pixels = as_crop(crop)
                inks = self._lines(pixels, field)
            except EdgeHwrError as error:
                name = f", field {field.name!r}" if isinstance(field, Field) else ""
                raise type(error)(f"item {at}{name}: {error}") from error
            yield from inks

    def _lines(self, pixels: Gray, field: Field) -> list[FieldInk]:
        """A field's ink, the field by itself; one a line."""
        return in_company(take_lines(lone_crop(pixels, _field(field)), self.spec))

    def _judged(
        self, inks: Iterable[FieldInk], timer: Timer
    ) -> Iterator[tuple[FieldReading, Evidence | None]]:
        """Readings in order, the strips of many fields in one run of the network."""
        lines: list[FieldReading] = []
        for chunk in _chunks(inks):
            with timer.step("recognize"):
                heard = self._heard(chunk)
            with timer.step("decode"):
                judged = judge.judge_all(chunk, heard, self._judged_by, priors=self._priors)
            for ink, (reading, evidence) in zip(chunk, judged, strict=True):
                lines.append(reading)
                if ink.goes_on:
                    continue
                if len(lines) > 1:
                    yield joined(lines, ink.field, self._judged_by), None
                else:
                    yield reading, evidence
                lines = []

    def tell_kinds(self, page: NDArray[np.uint8], fields: Sequence[Field]) -> tuple[Field, ...]:
        """What kinds of fields they are, told from what is written in them.

        Args:
            page: uint8 (h, w), upright, dark on light: `detect`'s picture.
            fields: With boxes, pixels of the page.

        Returns:
            The fields in order; those of kind text that hold figures or letters alone have a kind,
            and with some a charset, that says so. Blank ones are as they were.
        """
        crops = placed_crops(page, fields, np.eye(3))
        inks = self._told(crops, [take_lines(crop, self.spec) for crop in crops])
        return tuple(
            replace(field, kind=its.kind, charset=its.charset, skip=its.skip, lines=its.lines)
            for field, its in zip(fields, (lines[0].field for lines in inks), strict=True)
        )

    def written(self, page: NDArray[np.uint8], fields: Sequence[Field]) -> tuple[bool, ...]:
        """Whether somebody has written into each of some fields, arguments as in `tell_kinds`."""
        crops = placed_crops(page, fields, np.eye(3))
        inks = in_company([take_ink(crop, self.spec) for crop in crops])
        return tuple(map(_is_written, inks))

    def _told(
        self, crops: Sequence[FieldCrop], inks: Sequence[tuple[FieldInk, ...]]
    ) -> list[tuple[FieldInk, ...]]:
        """Fields that show their kind are taken anew as fields of that kind; each with its lines,
        of which several show none."""
        found = []
        heard = iter(self._heard([lines[0] for lines in inks if len(lines) == 1]))
        for crop, lines in zip(crops, inks, strict=True):
            if len(lines) == 1:
                family, share = told(lines[0], next(heard), self.spec.labels)
                known = replace(crop, field=replace(crop.field, **family, lines=None))
                if family:  # a high box is cut down to its writing again
                    anew = take_lines(known, self.spec)
                    lines = tuple(replace(one, kind_share=share) for one in anew)
            found.append(lines)
        return found

    def _heard(self, inks: Sequence[FieldInk]) -> list[list[LogProbs]]:
        """The network's answer to each strip of each field, all of them in one run."""
        asked = [ink.asked for ink in inks]
        strips = [strip for its in asked for strip in its]
        twins: list[str] | None = None
        if self.spec.twins:
            twins = []
            for ink, its in zip(inks, asked, strict=True):
                if its:
                    own, line = self._twins_of(ink.field)
                    lines = ink.line is not None
                    twins += [own] * (len(its) - lines) + [line] * lines
        frames = iter(self._recognizer.run(strips, twins))
        return [[next(frames) for _ in its] for its in asked]

    def _twins(self, field: Field) -> tuple[str, str]:
        """Which of the model's twins reads a field's own strips, and its cells heard as a line."""
        characters = compile_grammar(field, self.spec.labels).characters
        group = confidence.base_group_of(field)
        own = "line" if field.cells is None else "alone" if field.n_cells == 1 else "cell"
        of = partial(self.spec.twin_of, group, characters)
        return of(place=own), of(place="line")

    def _read_page(self, page: Page, forms: Sequence[Template], timer: Timer) -> FormReading:
        template: Template | None = None
        registration: Registration | None = None
        sheet: FlatSheet | None = None
        try:
            with timer.step("register" if forms else "locate"):
                given = positive(page.pixels)
                if not forms:
                    sheet = flat_sheet(given)
                    turn = upright_turn(given).turn if sheet is None else sheet.turn
                    pixels = turned(given, turn)
                    crops = found_crops(pixels, sheet)
                else:
                    template, registration = choose(given, forms)
                    turn = registration.turned_deg
                    pixels = turned(given, turn)
                    crops = template_crops(pixels, template, registration)
            with timer.step("segment"):
                by_field = [take_lines(crop, self.spec) for crop in crops]
            if not forms:
                with timer.step("recognize"):
                    by_field = self._told(crops, by_field)
            inks = in_company([ink for lines in by_field for ink in lines])
        except EdgeHwrError as error:
            raise type(error)(f"{page.source}: {error}") from error
        readings = tuple(reading for reading, _ in self._judged(inks, timer))
        doubts = {crop.field.name: crop.doubt for crop in crops if crop.doubt}
        if template is not None and registration is not None:
            names = [field.name for field in template.fields]
            sure = {ink.field.name: vouched_for(ink) for ink in inks}
            told = zip(names, registration.certainty, strict=False)
            doubts |= numbered(inks)
            doubts |= {
                name: one.doubt for name, one in told if one.doubt and one.cause not in sure[name]
            }
        readings = _placed(readings, doubts)
        if template is not None:
            readings = _ruled(readings, template)
        h, w = pixels.shape
        return FormReading(
            fields=readings,
            page_size=(w, h),
            template=None if template is None else _id(template),
            registration=_told(registration, turn, photo=sheet is not None),
            model=self.model,
            timings_ms=timer.steps,
        )


class Timer:
    """Milliseconds by step of one page; their sum is the page's."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = perf_counter()
        try:
            yield
        finally:
            took = 1000 * (perf_counter() - start)
            self.steps[name] = self.steps.get(name, 0.0) + took


def _chunks(inks: Iterable[FieldInk]) -> Iterator[list[FieldInk]]:
    """Fields in order, about `CHUNK_STRIPS` strips at a time."""
    chunk: list[FieldInk] = []
    held = 0
    for ink in inks:
        chunk.append(ink)
        held += len(ink.asked)
        if held >= CHUNK_STRIPS or len(chunk) >= CHUNK_STRIPS:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


def _is_written(ink: FieldInk) -> bool:
    if ink.chosen is not None:
        return ink.chosen.none < _LIKELY
    return (any(ink.strips) or ink.tall) if ink.mark is None else ink.state not in ("", STATES[0])


def _field(field: Field) -> Field:
    if not isinstance(field, Field):
        raise TemplateError(f"{type(field).__name__} is no field; give Field(name=..., kind=...)")
    return field


def _one_line(field: Field) -> Field:
    if (_field(field).lines or 1) > 1:
        raise TemplateError(
            f"field {field.name!r} has {field.lines} lines; match what stands on one line, with a "
            "field without lines"
        )
    return field


def _templates(source: Forms | None) -> tuple[Template, ...]:
    """Every template that was given; none where fields are to be found."""
    if source is None:
        return ()
    if isinstance(source, Template | Mapping | Path | str):
        return (_template(source),)
    if not isinstance(source, Iterable) or isinstance(source, bytes):
        raise TemplateError(
            f"{type(source).__name__} is no template; give a path, a mapping or a Template"
        )
    forms = tuple(_template(one) for one in source)
    if not forms:
        raise TemplateError("no template to choose from; give one or more, or None to find fields")
    return forms


def _template(source: TemplateSource) -> Template:
    if isinstance(source, Template):
        return source
    if isinstance(source, Mapping):
        return Template.from_dict(source, base=None, source="template")
    if not isinstance(source, str | PathLike):
        raise TemplateError(
            f"{type(source).__name__} is no template; give a path, a mapping or a Template"
        )
    return Template.load(Path(source))


def _told(registration: Registration | None, turn: int, *, photo: bool) -> dict[str, Any] | None:
    """What a reading says of how the page lay; without a template, only that it was turned, and
    by what it was found in a photo."""
    if registration is not None:
        return registration.to_dict()
    if photo:
        return {"method": "outline", "turned_deg": turn}
    return {"method": "print", "turned_deg": turn} if turn else None


def _id(template: Template) -> dict[str, str]:
    return {"name": template.name, "digest": template.digest}


def _placed(
    readings: tuple[FieldReading, ...], doubts: Mapping[str, str]
) -> tuple[FieldReading, ...]:
    """What may have been read at the wrong place, or be hidden, goes to review; a blank says so."""
    return tuple(
        _reviewed(one, [doubts[one.name]]) if one.name in doubts else one for one in readings
    )


def _reviewed(one: FieldReading, reasons: Sequence[str]) -> FieldReading:
    """The reading, never accepted, with more reasons; a blank is one no longer surely."""
    status = Status.REVIEW if one.status is Status.ACCEPTED else one.status
    sure = min(one.confidence, judge.DOUBTED_BLANK) if status is Status.BLANK else one.confidence
    told = "; ".join(filter(None, [one.reason, *reasons]))
    return replace(one, status=status, confidence=sure, reason=told)


def _ruled(readings: tuple[FieldReading, ...], template: Template) -> tuple[FieldReading, ...]:
    """What breaks a rule of the template goes to review, with the rule as reason.

    So does what stands beside a field with ink but no value: the rule cannot vouch for it.
    """
    broken: dict[str, list[str]] = {}
    faults = evaluate_rules(
        template.rules,
        {one.name: one.value for one in readings},
        texts={one.name: one.text for one in readings if isinstance(one.value, bool)},
        valueless={
            one.name for one in readings if one.value is None and one.status is not Status.BLANK
        },
        secret={one.name for one in readings if one.secret},
    )
    for fault in faults:
        for name in fault.fields:
            broken.setdefault(name, []).append(fault.reason)
    return tuple(
        _reviewed(one, broken[one.name]) if one.name in broken else one for one in readings
    )
