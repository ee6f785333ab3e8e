"""`edge-hwr template`: is it right, what does it mean on a page, what may stand in it.

Owns:   the commands `check`, `preview` and `schema`.
Needs:  typer; the rest loads inside a command.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_runtime import batch, options

if TYPE_CHECKING:
    from edge_runtime.field import Box
    from edge_runtime.imaging import Page
    from edge_runtime.redact import Canvas
    from edge_runtime.template import Template

app = typer.Typer(help="Check a template, look at it, print its schema.", no_args_is_help=True)

_PREVIEW_PX = 1754  # longer edge of an empty page: A4 at 150 dpi


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
            one = Template.load(path)
            typer.echo(
                f"{path}: {one.name}, {len(one.fields)} fields, digest {one.digest[:12]}: ok"
            )
    work.close()
    raise typer.Exit(work.worst)


@app.command()
@options.told
def schema(debug: options.Debug = False) -> None:
    """Print the JSON Schema of templates, for editors that check while you type."""
    from edge_runtime.template import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, sort_keys=True))


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
    from edge_runtime.template import Template

    form = Template.load(template)
    shown = image or form.reference
    if shown is None:
        canvas, boxes = _empty(form)
    else:
        if output.resolve() == shown.resolve():
            raise typer.BadParameter(f"{output} is the page itself; choose another name")
        pixels = load_page(shown, page=page)
        canvas, boxes = batch.pixels_of(pixels), _placed(form, pixels)
    named = [(field.name, box) for field, box in zip(form.fields, boxes, strict=True)]
    title = f"{form.name}, {len(form.fields)} fields"
    batch.write_picture(output, outline(canvas, named, title=title))
    options.say(f"wrote {output}")


def _placed(form: Template, page: Page) -> list[Box]:
    """The fields' boxes in pixels of the page."""
    import cv2
    import numpy as np

    from edge_runtime.register import register

    to_page = register(page.pixels, form).homography
    boxes: list[Box] = []
    for x0, y0, x1, y1 in _boxes(form):
        corners = np.array([[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]], np.float64)
        seen = cv2.perspectiveTransform(corners, to_page)[0]
        (left, top), (right, bottom) = seen.min(axis=0), seen.max(axis=0)
        boxes.append((float(left), float(top), float(right), float(bottom)))
    return boxes


def _empty(form: Template) -> tuple[Canvas, list[Box]]:
    """White paper of the form's proportions, and the boxes on it."""
    import numpy as np

    scale = _PREVIEW_PX / max(form.page_size)
    w, h = (max(1, round(edge * scale)) for edge in form.page_size)
    boxes = [(x0 * scale, y0 * scale, x1 * scale, y1 * scale) for x0, y0, x1, y1 in _boxes(form)]
    return np.full((h, w, 3), 255, np.uint8), boxes


def _boxes(form: Template) -> list[Box]:
    return [field.box for field in form.fields if field.box is not None]
