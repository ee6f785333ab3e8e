"""The command line: thin wrappers around the package. Data on stdout, talk on stderr.

Owns:   the commands and their exit codes (`errors.ExitCode`; a batch ends with its highest).
Needs:  typer. Everything else loads inside a command: `--help` must not wait for OpenCV.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import edge_runtime
from edge_runtime import batch, cli_template, options
from edge_runtime.errors import TemplateError
from edge_runtime.field import Field
from edge_runtime.render import Format, OutputError, Writer

if TYPE_CHECKING:
    from edge_runtime.reader import Reader

app = typer.Typer(
    name="edge-hwr",
    help="Read handwritten form fields on this machine: no network, no GPU needed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # their tracebacks print local variables, and so secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(cli_template.app, name="template")


def main() -> None:
    """Entry point of `edge-hwr`."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file may be called in letters it cannot hold
        sys.stdout.reconfigure(errors="backslashreplace")
    app(prog_name="edge-hwr")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"edge-hwr {edge_runtime.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


@app.command()
@options.told
def read(
    images: Annotated[
        list[Path] | None, typer.Argument(help="Pictures, PDFs, or - for stdin.")
    ] = None,
    template: Annotated[
        list[Path] | None,
        typer.Option(
            "--template",
            "-t",
            help="The form; repeated, each page's own is chosen; left out: IMAGE.yaml beside it.",
        ),
    ] = None,
    format: options.AsFormat = Format.TABLE,
    overlay: options.Overlay = None,
    crops: Annotated[Path | None, typer.Option(help="Folder for a picture of each field.")] = None,
    reveal: options.Reveal = False,
    page: options.PageNumber = None,
    camera: options.Camera = None,
    model: options.Model = None,
    provider: options.Providers = None,
    allow_fallback: options.Fallback = False,
    threads: options.Threads = 1,
    accept: options.Accept = None,
    output: options.Output = None,
    debug: options.Debug = False,
) -> None:
    """Read handwritten forms: the fields, what they say, and how sure that is."""
    images = images or []
    if bool(images) == (camera is not None):
        raise typer.BadParameter("give pictures, or --camera, and not both")
    templates, stems = batch.Templates(template, options.say), batch.stems(images)
    given = _given(
        ("a picture to read", images),
        ("the video to read", () if camera is None else (Path(camera),)),
        ("a template or its reference", templates.files(images or (Path(batch.STDIN),))),
        ("the model", (model,)),
    )
    many = len(images) > 1 or camera is not None
    kept = {*given, *_given(("the output", (output,)))}
    work = batch.Batch(options.say, debug)
    pictures = batch.Pictures(overlay, crops, many, reveal, kept)
    first = [pictures.overlay_path(stem) for stem in stems] if overlay is not None else []
    _refuse_overwriting(given, [output, *dict.fromkeys([overlay, *first])])
    reader = _reader(model, provider, threads=threads, allow_fallback=allow_fallback, accept=accept)
    with _writer(output, format, work, many=many, reveal=reveal) as writer:
        if camera is not None:
            with work.each(f"camera {camera}"):
                _watch(reader, camera, templates, work, pictures, writer)
        for image, stem in _progress(list(zip(images, stems, strict=True)), output):
            with work.each(str(image)):
                form_of = templates.of(image)
                pages = list(batch.each_page(image, page=page, color=overlay is not None))
                writer.many |= len(pages) > 1
                for number, name, load in pages:
                    with work.part(name):
                        pixels = load()
                        form = reader.read(pixels.pixels, template=form_of)
                        writer.add(form, file=str(image), page=number)
                        files = pictures.write(stem, number, pixels, form)
                        work.add(form)
                        options.say(batch.summary(pixels.source, form, files))
    raise typer.Exit(work.worst)


@app.command()
@options.told
def field(
    crops: Annotated[list[Path], typer.Argument(help="A picture of one field each; - for stdin.")],
    kind: options.Kind = "text",
    name: Annotated[str | None, typer.Option(help="Its name; left out: the file's.")] = None,
    cells: Annotated[int | None, typer.Option(min=1, help="Boxes of one glyph each.")] = None,
    lines: Annotated[int | None, typer.Option(min=1, help="Lines it has room for.")] = None,
    pattern: Annotated[str | None, typer.Option(help="Regular expression, whole text.")] = None,
    charset: Annotated[str | None, typer.Option(help="Characters that may be written.")] = None,
    skip: Annotated[str | None, typer.Option(help="Marks that are left out of the text.")] = None,
    min_length: Annotated[int | None, typer.Option(min=0, help="Fewest characters.")] = None,
    max_length: Annotated[int | None, typer.Option(min=1, help="Most characters.")] = None,
    choice: Annotated[list[str] | None, typer.Option(help="An allowed text; repeat it.")] = None,
    checksum: Annotated[str | None, typer.Option(help="A python-stdnum name: luhn, ...")] = None,
    optional: Annotated[bool | None, typer.Option(help="A blank is no reason for review.")] = None,
    secret: Annotated[bool | None, typer.Option(help="Mask what it says.")] = None,
    format: options.AsFormat = Format.TABLE,
    reveal: options.Reveal = False,
    model: options.Model = None,
    provider: options.Providers = None,
    allow_fallback: options.Fallback = False,
    threads: options.Threads = 1,
    accept: options.Accept = None,
    output: options.Output = None,
    debug: options.Debug = False,
) -> None:
    """Read cut-out fields: each picture shows one field, dark ink on light paper."""
    _refuse_overwriting(_given(("a picture to read", crops), ("the model", (model,))), [output])
    like = Field(
        name=name or "field", kind=kind, cells=cells, pattern=pattern, charset=charset, skip=skip,
        min_length=min_length, max_length=max_length, choices=tuple(choice) if choice else None,
        checksum=checksum, optional=optional, secret=secret, lines=lines,
    )  # fmt: skip
    reader = _reader(model, provider, threads=threads, allow_fallback=allow_fallback, accept=accept)
    work = batch.Batch(options.say, debug)
    with _writer(output, format, work, many=len(crops) > 1, reveal=reveal) as writer:
        for crop, stem in _progress(list(zip(crops, batch.stems(crops), strict=True)), output):
            with work.each(str(crop)):
                one = replace(like, name=name or stem)
                pages = list(batch.each_page(crop, page=None, color=False))
                writer.many |= len(pages) > 1
                for number, label, load in pages:
                    with work.part(label):
                        reading = reader.read_field(load().pixels, one)
                        writer.add(reading, file=str(crop), page=number)
    raise typer.Exit(work.worst)


@app.command()
@options.told
def doctor(
    model: options.Model = None,
    provider: options.Providers = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    debug: options.Debug = False,
) -> None:
    """Check the installation, the machine and the model; say what to do about what is wrong."""
    from edge_runtime import doctor as own

    checks = []
    for check in own.diagnose(model=model, providers=provider or ("cpu",)):
        checks.append(check)
        if not json:
            mark = typer.style(f"{check.verdict:<4}", fg=own.COLORS[check.verdict], bold=True)
            typer.echo(f"{mark}  {check.name:<12} {check.fact}")
            if check.next_step:
                typer.echo(f"{'':18} -> {check.next_step}")
    if json:
        typer.echo(own.to_json(checks))
    raise typer.Exit(own.worst(checks))


@app.command()
@options.told
def bench(
    images: Annotated[
        list[Path] | None, typer.Argument(help="Forms to read, their templates beside them.")
    ] = None,
    template: Annotated[
        Path | None, typer.Option("--template", "-t", help="The form that the images show.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    plot: options.Plot = None,
    pick: Annotated[
        bool, typer.Option("--pick", help="Say which settings are best here, and why.")
    ] = False,
    truth: Annotated[
        Path | None,
        typer.Option(help="What is written on the images, JSON or CSV: scores the readings."),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Most threads and processes to try, of those that may run."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Time to spend, about.")] = 30.0,
    model: options.Models = None,
    provider: options.EachProvider = None,
    output: options.Output = None,
    debug: options.Debug = False,
) -> None:
    """Measure this machine: start-up, time for a field, fields per second, memory."""
    import cv2

    from edge_runtime import bench as own
    from edge_runtime import bench_pick, bench_plot, bench_table

    cv2.setNumThreads(1)  # what is tried out are the network's threads, callers and processes
    forms = batch.Templates([template] if template else None, lambda line: None)
    given = _given(
        ("a picture to read", images or ()),
        ("a template or its reference", forms.files(images or ())),
        ("the truth", (truth,)),
        ("a model", model or ()),
    )
    _refuse_overwriting(given, [output, plot])
    report = own.run(
        [(image, template or batch.template_beside(image)) for image in images or ()],
        models=model or (None,),
        providers=provider,
        threads=threads,
        seconds=seconds,
        truth=truth,
        say=options.say,
    )
    advice = bench_pick.pick(report) if pick else ()
    with batch.output_to(output) as stream:
        if json:
            more = {"pick": [asdict(one) for one in advice]} if pick else {}
            stream.write(report.to_json(**more) + "\n")
        else:
            stream.write(bench_table.to_text(report, stream, advice=advice))
    if plot is not None:
        batch.write_picture(plot, bench_plot.draw(report))
        options.say(f"wrote {plot}")


def _watch(
    reader: Reader,
    camera: str,
    templates: batch.Templates,
    work: batch.Batch,
    pictures: batch.Pictures,
    writer: Writer,
) -> None:
    """Read what is held before a camera until it ends, or until Ctrl-C."""
    from edge_runtime.imaging import load_page
    from edge_runtime.watch import Advice

    said, number, refused = "", 0, ""
    try:
        shots = batch.frames(camera)
        kept: list[Any] = []  # the frame that the sight is of
        sights = reader.watch(_kept(shots, kept), template=templates.of(Path(batch.STDIN)))
        for sight in sights:
            told = f"{sight.advice}: {sight.reason}" if sight.reason else str(sight.advice)
            if told != said:
                options.say(told)
                said = told
            if sight.advice is Advice.WRONG:
                refused = sight.reason
            if sight.form is not None:
                number += 1
                with work.part(f"camera {camera}, page {number}"):
                    writer.add(sight.form, file=f"camera {camera}", page=number)
                    files = pictures.write("camera", number, load_page(kept[0]), sight.form)
                    work.add(sight.form)
                    options.say(batch.summary(f"page {number}", sight.form, files))
    except KeyboardInterrupt:
        options.say("stopped")
        return
    if refused and not number:
        raise TemplateError(f"camera {camera}: nothing was read: {refused}")


def _kept(frames: Iterable[Any], last: list[Any]) -> Iterator[Any]:
    for frame in frames:
        last[:] = [frame]
        yield frame


def _reader(
    model: Path | None,
    provider: list[str] | None,
    *,
    threads: int,
    allow_fallback: bool,
    accept: float | None,
) -> Reader:
    import cv2

    from edge_runtime.reader import Reader

    # OpenCV's own threads gain nothing on crops, and wait for each other by turning in circles.
    cv2.setNumThreads(threads)
    return Reader(
        model,
        providers=provider or ["cpu"],
        threads=threads,
        allow_fallback=allow_fallback,
        accept=accept,
    )


@contextmanager
def _writer(
    output: Path | None, form: Format, work: batch.Batch, *, many: bool, reveal: bool
) -> Iterator[Writer]:
    """Where readings go. They are whole, and the summary is said, after Ctrl-C as well."""
    with batch.output_to(output) as stream:
        writer = Writer(stream, form, many=many, reveal=reveal)
        try:
            yield writer
        except (BrokenPipeError, OutputError):  # nothing more can be written
            raise
        except BaseException:
            _end(writer, output, work, whole=False)
            raise
        _end(writer, output, work, whole=True)


def _end(writer: Writer, output: Path | None, work: batch.Batch, *, whole: bool) -> None:
    """Close the output and say what came of it. `whole`: not stopped before its end."""
    if writer.empty and (work.failed or not whole) and output is not None and output.is_file():
        options.say(f"nothing was read; {output} is left as it was")
    else:
        writer.close()
    work.close()


def _progress(items: Sequence[tuple[Path, str]], output: Path | None) -> Iterable[tuple[Path, str]]:
    """A bar on stderr for several files, unless the data goes to the same terminal."""
    if len(items) < 2 or not sys.stderr.isatty() or (output is None and sys.stdout.isatty()):
        return items
    from rich.console import Console
    from rich.progress import Progress

    def barred() -> Iterator[tuple[Path, str]]:
        # stdout is left alone: it carries the data
        with Progress(console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
            yield from bar.track(items, description="reading")

    return barred()


def _given(*files: tuple[str, Iterable[Path | None]]) -> dict[object, str]:
    """What files are that must not be overwritten, by what they go by (see `batch.aliases`)."""
    return {
        alias: what
        for what, paths in files
        for path in paths
        if path is not None
        for alias in batch.aliases(path)
    }


def _refuse_overwriting(given: Mapping[object, str], written: Collection[Path | None]) -> None:
    """A slip like `--overlay form.png` must not cost the form, nor two outputs each other."""
    taken = dict(given)
    for path in written:
        if path is None:
            continue
        for alias in batch.aliases(path):
            if (what := taken.get(alias)) is not None:
                raise typer.BadParameter(f"{path} is {what}; choose another name")
        taken |= dict.fromkeys(batch.aliases(path), "written to already")
