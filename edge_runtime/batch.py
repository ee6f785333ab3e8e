"""Several files, one after the other: a bad one is told and the next one is read.

Owns:   `Batch` (what failed, the worst exit code), a file's pages and template, where readings and
        pictures go and what they must not overwrite.
Needs:  `imaging`, `overlay`, `redact`, `template`: they load with the first page.
"""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import os
import re
import stat
import sys
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from edge_runtime import render
from edge_runtime.errors import EdgeHwrError, ExitCode, ImageError
from edge_runtime.render import OutputError
from edge_runtime.results import FieldReading, FormReading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_runtime.imaging import Page
    from edge_runtime.template import Template

STDIN = "-"
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
_TEMPLATES = (".yaml", ".yml")  # looked for beside a picture; .json is left to its truth


@dataclass(slots=True)
class Batch:
    """What became of the files so far."""

    say: Callable[[str], None]  # one line for the person at the terminal
    debug: bool = False
    tried: int = 0  # pages, and files that are read as one
    failed: list[tuple[str, ExitCode]] = field(default_factory=list)
    read: list[FieldReading] = field(default_factory=list)  # of all pages, for the summary
    pages: int = 0

    @contextmanager
    def each(self, name: str) -> Iterator[None]:
        """Around the work on one file: an error is told, counted, and goes no further."""
        before = self.tried
        with self.part(name):
            yield
            if self.tried > before + 1:  # its pages are counted instead
                self.tried -= 1

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Around the work on one page of a file: the pages after a bad one are read as well."""
        self.tried += 1
        try:
            yield
        except (BrokenPipeError, OutputError):  # there is no place for any page after this one
            raise
        except Exception as error:
            self.failed.append((name, exit_code(error)))
            self.say(explain(error, name))
            if self.debug:
                traceback.print_exc()

    @property
    def worst(self) -> ExitCode:
        return max((code for _, code in self.failed), default=ExitCode.OK)

    def add(self, form: FormReading) -> None:
        """Count a page that was read, once all that was asked for is written."""
        self.pages += 1
        self.read += form.fields

    def close(self) -> None:
        """Say at the end what came of it, for the lines above may have scrolled away."""
        if self.pages > 1:
            self.say(f"{self.pages} pages: {render.summary(self.read)}")
        if self.failed and self.tried > 1:
            names = ", ".join(f"{name} (exit code {code:d})" for name, code in self.failed)
            self.say(f"{len(self.failed)} of {self.tried} failed: {names}")


def exit_code(error: Exception) -> ExitCode:
    # Of no class of its own, or the system's: what was asked for cannot be had. No bug of ours.
    if type(error) is EdgeHwrError or isinstance(error, OSError):
        return ExitCode.USAGE
    return error.exit_code if isinstance(error, EdgeHwrError) else ExitCode.INTERNAL


def explain(error: Exception, name: str = "") -> str:
    """One line: the file, the fact, the next step."""
    if isinstance(error, EdgeHwrError):
        text = str(error)
    elif isinstance(error, ModuleNotFoundError):
        text = f'{error.name} is not installed; pip install "edge-hwr[cpu]"'
    elif isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        text = f"{where}{error.strerror or error}; check the path, its rights and the space left"
    else:
        fact = " ".join(str(error).split())  # one line, whatever it was
        text = f"unexpected {type(error).__name__}: {fact}; --debug shows where, please report it"
    shown = "<stdin>" if name == STDIN else name
    text = text.removeprefix("<array>: ").removeprefix("<bytes>: ").removeprefix(f"{shown}: ")
    return text if text.startswith(shown) else f"{shown}: {text}"


def summary(source: str, form: FormReading, files: Sequence[Path]) -> str:
    """One line on a page that was read."""
    counts = render.summary(form.fields)
    took = sum(form.timings_ms.values())
    parts = [counts, f"{took:.0f} ms" if took else "", *(f"wrote {path}" for path in files)]
    name = "<stdin>" if source == "<bytes>" else source
    return f"{name}: {'; '.join(part for part in parts if part)}"


@contextmanager
def output_to(path: Path | None) -> Iterator[TextIO]:
    """A file, or stdout.

    A file is opened at once, for what is wrong with it is told before anything is read, and emptied
    when something is written: a slip in the other arguments must not cost what it held.

    Raises:
        OutputError: It cannot be written.
    """
    made = path is not None and not os.path.lexists(path)
    try:
        if path is None:
            if sys.stdout is None:  # closed by who started this
                raise OutputError("<stdout>: closed; give a file with --output, or leave it open")
            yield sys.stdout
            sys.stdout.flush()
            return
        raw = open(path, "wb", opener=_as_it_is)  # noqa: SIM115, `stream` closes it
        stream = _Kept(raw, encoding="utf-8", errors="backslashreplace", newline="")
        try:
            with stream:
                yield stream
        finally:
            if made and not stream.begun:
                path.unlink(missing_ok=True)
    except (BrokenPipeError, OutputError):
        raise
    except OSError as error:
        raise OutputError.of(str(path or "<stdout>"), error) from error


class _Kept(io.TextIOWrapper):
    """A file that is emptied with the first text that is written."""

    begun = False

    def write(self, text: str, /) -> int:
        if not self.begun:
            self.begun = True
            if stat.S_ISREG(os.fstat(self.fileno()).st_mode):  # no pipe, no terminal
                self.buffer.truncate(0)
        return super().write(text)


def _as_it_is(name: str, flags: int) -> int:
    """Opens a file without emptying it."""
    return os.open(name, flags & ~os.O_TRUNC, 0o666)


def mute(stream: TextIO | None) -> None:
    """Drop what a stream still holds: Python would try once more to write it, and complain."""
    with contextlib.suppress(OSError, ValueError):  # it is no file, or closed
        if stream is not None:
            end = stream.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, end)
            os.close(nowhere)


def each_page(
    image: Path, *, page: int | None, color: bool
) -> Iterator[tuple[int, str, Callable[[], Page]]]:
    """Number, name and pixels of the pages of a file or of stdin, decoded when they are asked for;
    `color` as in `imaging.load_page`.

    Raises:
        ImageError: The file cannot be opened. What is wrong with one page its own call raises.
    """
    from edge_runtime import imaging

    source = _source(image)
    n = imaging.count_pages(source)
    for number in range(1, n + 1) if page is None else (page,):
        name = str(image) if n == 1 else f"{image}, page {number}"
        yield number, name, functools.partial(imaging.load_page, source, page=number, color=color)


def frames(camera: str) -> Iterator[NDArray[Any]]:
    """Pictures of a camera, by its number, or of a video file: uint8 (h, w, 3) BGR.

    Raises:
        ImageError: There is no such camera or file, or nothing comes from it.
    """
    import cv2

    if not camera.isdecimal() and not Path(camera).is_file():
        raise ImageError(f"{camera}: no such video; give a file, or a camera's number, from 0")
    stream = cv2.VideoCapture(int(camera) if camera.isdecimal() else camera)
    try:
        ok, frame = stream.read()
        if not ok:
            what = f"camera {camera}" if camera.isdecimal() else camera
            raise ImageError(f"{what}: no picture comes; is it plugged in, and not in use?")
        while ok:
            yield frame
            ok, frame = stream.read()
    finally:
        stream.release()


def _source(image: Path) -> Path | bytes:
    if str(image) == STDIN and sys.stdin is None:
        raise ImageError("<stdin>: closed; pipe a picture in, as in `edge-hwr read - < form.jpg`")
    source = sys.stdin.buffer.read() if str(image) == STDIN else image
    if isinstance(source, bytes) and not source:
        raise ImageError("<stdin>: empty; pipe a picture in, as in `edge-hwr read - < form.jpg`")
    return source


@dataclass(slots=True)
class Templates:
    """The templates of each picture: those that were given, or the file beside the picture."""

    given: Sequence[Path] | None
    say: Callable[[str], None]
    _loaded: dict[Path, Template] = field(default_factory=dict)

    def of(self, image: Path) -> Template | tuple[Template, ...] | None:
        """One, or several to choose from; None where there is none: fields are found.

        Raises:
            TemplateError: One cannot be used.
        """
        beside = None if self.given else template_beside(image)
        paths = self.given or ((beside,) if beside else ())
        for path in paths:
            if path not in self._loaded:
                from edge_runtime.template import Template

                self._loaded[path] = Template.load(path)
                if path == beside:
                    self.say(f"{image}: template {path}")
        found = tuple(self._loaded[path] for path in paths)
        return found if len(found) > 1 else found[0] if found else None

    def files(self, images: Sequence[Path]) -> set[Path]:
        """The templates of these pictures and their references; none of one that cannot be used."""
        out: set[Path] = set()
        for image in images:
            out |= {*(self.given or ()), *filter(None, [template_beside(image)])}
            with contextlib.suppress(EdgeHwrError):  # told where the picture is read
                self.of(image)
        out |= {one.reference for one in self._loaded.values() if one.reference is not None}
        return out


def template_beside(image: Path) -> Path | None:
    """`form.yaml` for `form.png`; None where there is none, and for stdin."""
    if str(image) == STDIN or not image.suffix:
        return None
    beside = (image.with_suffix(suffix) for suffix in _TEMPLATES)
    return next((path for path in beside if path.is_file()), None)


def pixels_of(page: Page) -> NDArray[Any]:
    """In colour where there is colour."""
    return page.pixels if page.color is None else page.color


@dataclass(slots=True)
class Pictures:
    """Where overlays and crops go. None is written twice: a number tells two of one name apart.

    Args:
        overlay: File for one page; for several, a folder, or a file whose name gets theirs added.
        crops: Folder, one picture a field; secret fields give none.
        many: Several files were asked for.
        reveal: Secrets are shown.
        kept: See `aliases`; of files that no picture may replace.
    """

    overlay: Path | None
    crops: Path | None
    many: bool
    reveal: bool = False
    kept: Collection[object] = ()
    _taken: set[str] = field(default_factory=set)

    def write(self, stem: str, number: int, page: Page, form: FormReading) -> tuple[Path, ...]:
        """Write the pictures of page `number` of the file called `stem`; what was written.

        Raises:
            EdgeHwrError: A file cannot be written.
        """
        if self.overlay is None and self.crops is None:
            return ()
        from edge_runtime import overlay, redact
        from edge_runtime.turn import turned

        turn = (form.registration or {}).get("turned_deg", 0)  # boxes are of the upright page
        name = stem if number == 1 else f"{stem}-page{number}"
        written = []
        if self.overlay is not None:
            path = self._free(self.overlay_path(name, number))
            upright = turned(pixels_of(page), turn)
            shown, placed = overlay.of_viewing_size(upright, form)
            write_picture(path, overlay.overlay(shown, placed, reveal=self.reveal))
            written.append(path)
        if self.crops is not None:
            upright = turned(page.pixels, turn)
            hidden = upright if self.reveal else redact.hide_secrets(upright, form)
            for one in form.fields:
                pixels = redact.cut(hidden, one)
                if pixels is not None and (self.reveal or not one.secret):
                    path = self._free(self.crops / f"{name}.{_plain(one.name)}.png")
                    write_picture(path, pixels)
            written.append(self.crops)
        return tuple(written)

    def overlay_path(self, name: str, number: int = 1) -> Path:
        """Where the overlay of page `number` goes, called `name`; there must be an `overlay`."""
        path = self.overlay
        assert path is not None
        if path.is_dir() or path.suffix.lower() not in PICTURES:
            return path / f"{name}.overlay.png"
        return path.with_stem(f"{path.stem}.{name}") if self.many or number > 1 else path

    def _free(self, path: Path) -> Path:
        """The path, or one beside it where a picture of this run has it."""
        free = path.with_stem(_numbered(path.stem, self._taken, at=path.parent.resolve()))
        if not aliases(free).isdisjoint(self.kept):
            raise EdgeHwrError(f"{free}: one of the files given; choose another folder")
        return free


def aliases(path: Path) -> set[object]:
    """What a file goes by; two names of one file that is there have something in common."""
    found: set[object] = {path.resolve()}
    with contextlib.suppress(OSError):
        told = path.stat()
        if stat.S_ISREG(told.st_mode):  # stdin and stdout may be one terminal
            found.add((told.st_dev, told.st_ino))
    return found


def stems(images: Sequence[Path]) -> tuple[str, ...]:
    """A name for each file's pictures; a second `form.png`, of another folder, is `form-2`."""
    taken: set[str] = set()
    names = ("stdin" if str(image) == STDIN else _plain(image.stem) for image in images)
    return tuple(_numbered(name, taken) for name in names)


def _numbered(name: str, taken: set[str], *, at: Path | None = None) -> str:
    """The name, with a number where it is taken already; from now on it is.

    Names that differ in case alone are one, for so they are in many file systems.
    """

    def key(one: str) -> str:
        return (one if at is None else str(at / one)).casefold()

    names = itertools.chain([name], (f"{name}-{n}" for n in itertools.count(2)))
    free = next(one for one in names if key(one) not in taken)
    taken.add(key(free))
    return free


def _plain(name: str) -> str:
    """A name that is a file's name everywhere, and no path."""
    return re.sub(r"[^\w.-]", "_", name).lstrip(".") or "_"


def write_picture(path: Path, pixels: NDArray[Any]) -> None:
    """Write a picture in the format of its name.

    Raises:
        EdgeHwrError: It cannot be written.
    """
    import cv2

    try:
        ok, data = cv2.imencode(path.suffix.lower(), pixels)
    except cv2.error:  # of a name without a format; older OpenCV returns False
        ok = False
    if not ok:
        raise EdgeHwrError(f"{path}: cannot be encoded; choose a name that ends in .png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())  # not imwrite: it cannot spell every path
    except OSError as error:
        raise EdgeHwrError(f"{path}: cannot be written ({error}); choose another folder") from error
