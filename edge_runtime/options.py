"""What every command has: its options, and errors told in one line.

Owns:   the `Annotated` types of options, `say`, `told`.
Needs:  typer, `field` (for the kinds). Nothing that takes long to load.
"""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec

import typer

from edge_runtime import batch
from edge_runtime.batch import PICTURES
from edge_runtime.field import KINDS
from edge_runtime.render import Format, OutputError, harmless

P = ParamSpec("P")

_NOBODY_READS = 141  # as of programs that end by SIGPIPE, 128 + 13: `| head -1` is no error


def say(line: str) -> None:
    """One line for the person at the terminal."""
    typer.echo(harmless(line), err=True)


def told(command: Callable[P, None]) -> Callable[P, None]:
    """Errors become one line on stderr and an exit code; `--debug` adds the traceback.

    Where nobody reads the output any more, nothing is said.
    """

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except BrokenPipeError:
            batch.mute(sys.stdout)
            raise typer.Exit(_NOBODY_READS) from None
        except Exception as error:
            if isinstance(error, OSError | OutputError):
                batch.mute(sys.stdout)
            if kwargs.get("debug"):
                traceback.print_exc()
            say(batch.explain(error))
            raise typer.Exit(batch.exit_code(error)) from None

    return guarded


def _known_kind(kind: str) -> str:
    if kind not in KINDS:
        raise typer.BadParameter(f"{kind!r}; use one of {', '.join(sorted(KINDS))}")
    return kind


def _kinds(incomplete: str) -> list[str]:
    return [kind for kind in sorted(KINDS) if kind.startswith(incomplete)]


def _probability(value: float | None) -> float | None:
    if value is not None and not 0 < value <= 1:  # not a number, too
        raise typer.BadParameter(f"{value:g} is no probability; give one up to 1, such as 0.99")
    return value


def _picture(path: Path | None) -> Path | None:
    if path is not None and path.suffix and path.suffix.lower() not in PICTURES:
        raise typer.BadParameter(f"{path}: end the name in one of {', '.join(PICTURES)}")
    return path


def _one_picture(path: Path | None) -> Path | None:
    """As `_picture`; a name without an ending is no folder here."""
    if path is not None and not path.suffix:
        raise typer.BadParameter(f"{path}: end the name in one of {', '.join(PICTURES)}")
    return _picture(path)


def _template(path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in (".yaml", ".yml"):
        raise typer.BadParameter(f"{path}: end the name in .yaml")
    return path


Debug = Annotated[
    bool, typer.Option("--debug", envvar="EDGE_HWR_DEBUG", help="Show where an error came from.")
]
Model = Annotated[
    Path | None, typer.Option("--model", help="An exported .onnx file; left out: the bundled one.")
]
Providers = Annotated[
    list[str] | None,
    typer.Option("--provider", help="cpu (default), cuda, ...; repeat it, the preferred first."),
]
Models = Annotated[
    list[Path] | None,
    typer.Option("--model", help="An exported .onnx file; repeat it to compare, int8 and fp32."),
]
EachProvider = Annotated[
    list[str] | None,
    typer.Option("--provider", help="cpu, cuda, ...; repeat it. Left out: every one that works."),
]
Plot = Annotated[
    Path | None,
    typer.Option("--plot", callback=_one_picture, help="Picture of the report to write."),
]
Fallback = Annotated[
    bool, typer.Option("--allow-fallback", help="Go on where a provider is not there.")
]
Threads = Annotated[
    int, typer.Option("--threads", min=1, max=1024, help="Threads inside the network.")
]
Accept = Annotated[
    float | None,
    typer.Option(
        callback=_probability,
        help="Confidence from which to accept; left out: the model's own, 0.3 % wrong.",
    ),
]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show what secret fields say.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write here instead of to stdout.")
]
AsFormat = Annotated[Format, typer.Option("--format", "-f", help="How readings are written.")]
PageNumber = Annotated[
    int | None, typer.Option("--page", min=1, help="Only this page, counted from 1.")
]
Camera = Annotated[
    str | None,
    typer.Option(
        "--camera", help="Read what is held before this camera, from 0, or in this video file."
    ),
]
Overlay = Annotated[
    Path | None,
    typer.Option(
        "--overlay",
        callback=_picture,
        help="Picture of what was read where; for several images a folder.",
    ),
]
PictureOutput = Annotated[
    Path, typer.Option("--output", "-o", callback=_one_picture, help="The picture to write.")
]
TemplateOutput = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        callback=_template,
        help="The template to write; left out: stdout, and no reference picture.",
    ),
]
Kind = Annotated[
    str,
    typer.Option(
        "--kind", "-k", callback=_known_kind, autocompletion=_kinds, help="What the field holds."
    ),
]
