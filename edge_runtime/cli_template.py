"""`edge-hwr template`: make one, is it right, what does it mean on a page, what may stand in it.

Owns:   the commands `detect`, `from-pdf`, `check`, `preview`, `blank` and `schema`.
Needs:  typer; the rest loads inside a command.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_runtime import batch, options
from edge_runtime.render import harmless

if TYPE_CHECKING:
    from edge_runtime.detect import Detected
    from edge_runtime.field import Box
    from edge_runtime.imaging import Page
    from edge_runtime.redact import Canvas
    from edge_runtime.template import Template

app = typer.Typer(
    help="Make a template, check it, look at it, print its schema.", no_args_is_help=True
)

_LONGEST_NAME = 100  # of a form
_PREVIEW_PX = 1754  # longer edge of an empty page: A4 at 150 dpi


@app.command()
@options.told
def detect(
    image: Annotated[Path, typer.Argument(help="The form, blank or filled: picture or PDF.")],
    output: options.TemplateOutput = None,
    name: Annotated[str | None, typer.Option(help="Of the form; left out: the file's.")] = None,
    page: options.PageNumber = None,
    nobody_wrote: Annotated[
        bool, typer.Option("--blank", help="The page is blank: all that stands on it is print.")
    ] = False,
    debug: options.Debug = False,
) -> None:
    """Propose a template: boxes, combs, underlines and check boxes that are printed on a page.

    On a filled form, what is written tells a field of figures from one of letters.
    """
    from edge_runtime import proposal
    from edge_runtime.detect import detect as find
    from edge_runtime.dots import without_dots
    from edge_runtime.errors import TemplateError
    from edge_runtime.flat_sheet import flat_sheet
    from edge_runtime.imaging import load_page
    from edge_runtime.reader import Reader
    from edge_runtime.turn import turned, upright_turn

    pixels = load_page(image, page=page).pixels
    sheet = flat_sheet(pixels)
    if sheet is None:
        found = find(turned(pixels, upright_turn(pixels).turn))
    else:
        found = find(sheet.picture, sheet.shaded)
    if not found.found:
        raise TemplateError(
            f"{image}: nothing to write on was found; scan it flat at 200 dpi or more, or write "
            "the template by hand (docs/templates.md)"
        )
    picture = None if output is None else _picture_beside(output, image)
    fields = proposal.proposed_fields(found.found)
    with Reader() as reader:
        bare = without_dots(found.picture, found.dots)
        told = reader.tell_kinds(bare, fields)
        written = (False,) * len(told) if nobody_wrote else reader.written(bare, told)
    if picture is not None:
        batch.write_picture(picture, proposal.without_writing(found.picture, told, written))
    plain = proposal.draft(
        found,
        name=name or image.stem[:_LONGEST_NAME],
        reference=None if picture is None else picture.name,
        told=told,
        blank=not any(written),
    )
    guess = "as the writing stands, no line between them is seen: count them"
    hidden = "its sides are half hidden: it may be no check box"
    notes = {
        field["name"]: hidden if one.kind == "checkbox" else guess
        for field, one in zip(plain["fields"], found.found, strict=True)
        if one.guessed
    }
    head = f"Proposed from {image.name}: look at it with `edge-hwr template preview`,\ngive the "
    head += "fields their names and kinds, take out what is none, then `edge-hwr template check`."
    with batch.output_to(output) as stream:
        stream.write(proposal.to_yaml(plain, head=head, notes=notes))
    if sheet is not None:
        options.say(
            f"{image}: a photo; the template is of the sheet in it, made flat. A flat scan at 200 "
            "dpi gives truer places"
        )
    options.say(f"{image}: {_counted(found)}" + (f"; wrote {output}" if output else ""))
    if picture is not None:
        out = sum(written)
        kept = f"the page without what is written in {out} fields" if out else "the page itself"
        options.say(f"wrote {picture}, the reference: {kept}; look whether writing is left on it")


@app.command("from-pdf")
@options.told
def from_pdf(
    pdf: Annotated[Path, typer.Argument(help="A PDF with form fields.")],
    output: options.TemplateOutput = None,
    name: Annotated[str | None, typer.Option(help="Of the form; left out: the file's.")] = None,
    page: options.PageNumber = None,
    debug: options.Debug = False,
) -> None:
    """Take the fields of a PDF form over: places, combs, lengths, choices, names."""
    import os

    from edge_runtime import proposal
    from edge_runtime.acroform import read_acroform
    from edge_runtime.errors import TemplateError
    from edge_runtime.imaging import count_pages, load_page
    from edge_runtime.template import Template

    pages = [one for one in read_acroform(pdf) if page in (None, one.number)]
    if len(pages) != 1:
        numbers = ", ".join(str(one.number) for one in pages or read_acroform(pdf))
        raise TemplateError(f"{pdf}: form fields on the pages {numbers}; choose one with --page")
    one = pages[0]
    plain: dict[str, Any] = {
        "name": name or pdf.stem[:_LONGEST_NAME],
        "page": {"size": list(one.size), "unit": "pt"},
    }
    if output is not None:
        reference = Path(os.path.relpath(pdf, output.parent))
        if count_pages(pdf) > 1:  # a reference is one page
            beside = _picture_beside(output, pdf)
            reference = Path(beside.name)
            picture = load_page(pdf, page=one.number)
            batch.write_picture(beside, picture.pixels)
        plain["reference"] = reference.as_posix()
    plain["fields"] = list(one.fields)
    head = f"From the form fields of {pdf.name}, page {one.number}; boxes in points."
    with batch.output_to(output) as stream:
        stream.write(proposal.to_yaml(plain, head=head))
    left = f", left out: {', '.join(one.left_out)}" if one.left_out else ""
    options.say(f"{pdf}: {len(one.fields)} fields{left}" + (f"; wrote {output}" if output else ""))
    base = None if output is None else output.parent
    Template.from_dict(plain, base=base, source=str(pdf), thorough=True)


@app.command()
@options.told
def check(
    templates: Annotated[list[Path], typer.Argument(help="Templates, YAML or JSON.")],
    debug: options.Debug = False,
) -> None:
    """Say whether templates can be used, and where they cannot."""
    from edge_runtime.template import Template

    work = batch.Batch(options.say, debug)
    for path in templates:
        with work.each(str(path)):
            one = Template.load(path, thorough=True)
            title = " ".join(one.name.split())
            told = f"{path}: {title}, {len(one.fields)} fields, digest {one.digest[:12]}: ok"
            typer.echo(harmless(told))
    work.close()
    raise typer.Exit(work.worst)


@app.command()
@options.told
def schema(
    reading: Annotated[
        bool, typer.Option("--reading", help="That of readings in JSON, for programs.")
    ] = False,
    debug: options.Debug = False,
) -> None:
    """Print the JSON Schema of templates, for editors that check while you type."""
    from edge_runtime import results_schema, template

    shape = results_schema.json_schema() if reading else template.json_schema()
    typer.echo(json.dumps(shape, indent=2, sort_keys=True))


@app.command()
@options.told
def preview(
    template: Annotated[Path, typer.Argument(help="The template.")],
    image: Annotated[
        Path | None, typer.Argument(help="A page; left out: the reference, or an empty page.")
    ] = None,
    output: options.PictureOutput = Path("template.png"),
    page: options.PageNumber = None,
    debug: options.Debug = False,
) -> None:
    """Draw a template's fields onto a page that is registered to it."""
    from edge_runtime.imaging import load_page
    from edge_runtime.overlay import outline
    from edge_runtime.redact import hide_boxes
    from edge_runtime.template import Template

    form = Template.load(template)
    taken = [path for path in (image, form.reference, template) if path is not None]
    if output.resolve() in [path.resolve() for path in taken]:
        raise typer.BadParameter(f"{output} is one of the files given; choose another --output")
    shown = image or form.reference
    if shown is None:
        canvas, boxes = _empty(form)
    else:
        upright, boxes = _placed(form, load_page(shown, page=page))
        hidden = [box for field, box in zip(form.fields, boxes, strict=True) if field.secret]
        plain = [box for field, box in zip(form.fields, boxes, strict=True) if not field.secret]
        canvas = hide_boxes(upright, hidden, plain)
    named = [(field.name, box) for field, box in zip(form.fields, boxes, strict=True)]
    title = f"{form.name}, {len(form.fields)} fields"
    batch.write_picture(output, outline(canvas, named, title=title))
    options.say(f"wrote {output}")


@app.command()
@options.told
def blank(
    template: Annotated[Path, typer.Argument(help="The form's template.")],
    pages: Annotated[
        list[Path], typer.Argument(help="Filled pages of it, three or more; ten are better.")
    ],
    output: options.PictureOutput = Path("blank.png"),
    debug: options.Debug = False,
) -> None:
    """Make a picture of the blank form out of filled pages: what nearly all of them have.

    With it as `reference` and `reference_blank: true`, what is printed in fields is not read.
    """
    from edge_runtime.blank_form import MOST, BlankForm
    from edge_runtime.template import Template
    from edge_runtime.tone import positive

    form = Template.load(template)
    taken = [*pages, template] if form.reference is None else [*pages, template, form.reference]
    if output.resolve() in [path.resolve() for path in taken]:
        raise typer.BadParameter(f"{output} is one of the files given; choose another --output")
    work, made = batch.Batch(options.say, debug), BlankForm(form)
    for path in pages:
        with work.each(str(path)):
            for _, name, load in batch.each_page(path, page=None, color=False):
                with work.part(name):
                    if not made.is_full:
                        made.add(positive(load().pixels))
    work.close()
    batch.write_picture(output, made.picture())
    more = f" ({MOST} are enough)" if made.is_full else ""
    options.say(
        f"wrote {output}, of {len(made)} pages{more}; look whether writing is left on it, then "
        f'give the template "reference: {output.name}" and "reference_blank: true"'
    )
    raise typer.Exit(work.worst)


def _picture_beside(output: Path, form: Path) -> Path:
    """Where the reference of a template goes that was made from `form`: in place of no picture but
    the one that the template had until now."""
    own = output.read_text(encoding="utf-8", errors="replace") if output.is_file() else ""
    more = (f"{output.stem}.reference{count}.png" for count in itertools.count(2))
    names = itertools.chain((f"{output.stem}.png", f"{output.stem}.reference.png"), more)
    return next(
        path
        for path in map(output.with_name, names)
        if not path.exists() or (_names(own, path.name) and path.resolve() != form.resolve())
    )


def _names(template: str, reference: str) -> bool:
    return any(f"reference: {told}\n" in template for told in (reference, f'"{reference}"'))


def _counted(found: Detected) -> str:
    """As in "3 combs, 2 lines, 4 check boxes"."""
    kinds = {"comb": 0, "box": 0, "line": 0, "check box": 0}
    for one in found.found:
        if one.cells:
            kinds["comb"] += 1
        elif one.kind is not None:
            kinds["check box"] += 1
        else:
            kinds["line" if one.under else "box"] += 1
    plural = {"box": "boxes", "check box": "check boxes"}
    return ", ".join(
        f"{n} {kind if n == 1 else plural.get(kind, kind + 's')}" for kind, n in kinds.items() if n
    )


def _placed(form: Template, page: Page) -> tuple[Canvas, list[Box]]:
    """The page, upright, and the fields' boxes in its pixels."""
    from edge_runtime.errors import EdgeHwrError
    from edge_runtime.register import register
    from edge_runtime.tone import positive
    from edge_runtime.turn import turned

    try:
        found = register(positive(page.pixels), form)
    except EdgeHwrError as error:
        raise type(error)(f"{page.source}: {error}") from error
    canvas = turned(batch.pixels_of(page), found.turned_deg)
    return canvas, [found.to_page(box) for box in _boxes(form)]


def _empty(form: Template) -> tuple[Canvas, list[Box]]:
    """White paper of the form's proportions, and the boxes on it."""
    import numpy as np

    scale = _PREVIEW_PX / max(form.page_size)
    w, h = (max(1, round(edge * scale)) for edge in form.page_size)
    boxes = [(x0 * scale, y0 * scale, x1 * scale, y1 * scale) for x0, y0, x1, y1 in _boxes(form)]
    return np.full((h, w, 3), 255, np.uint8), boxes


def _boxes(form: Template) -> list[Box]:
    return [field.box for field in form.fields if field.box is not None]
