"""Readings for people and for programs: tables, JSON, CSV, and pictures (see `overlay`).

Owns:   `Format`, `Writer`, `OutputError`, `Row`, `table`, `to_csv`, `harmless`, and the colours of
        a status on the terminal.
Needs:  `errors`, `results`; rich for tables. Secrets come out masked because every text here is
        taken from `FieldReading.to_dict`, never from `.text`.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TextIO

from edge_runtime.errors import EdgeHwrError, ExitCode
from edge_runtime.results import FieldReading, FormReading, Status

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = (
    "file", "page", "field", "kind", "text", "value", "confidence", "status", "reason", "box",
)  # fmt: skip
# A spreadsheet computes a cell that begins so, some do for wide letters, too (OWASP, "CSV
# Injection"); a quote in front makes it a text. Where ; or tabs are the separators they begin a new
# cell; lines' ends do everywhere. A signed number is what it says, in groups of figures or not
# ("-5.00", "+49 171 1234"); with another sign in it ("+49-171") it is a sum. What has quotes there
# already gets one more: taking one away gives back what was read.
_STARTS, _COMPUTED = r"(^|[;\t\r\n])", r"[\s']*[=+\-@\uff1d\uff0b\uff0d\uff20]"
_NUMBER = r"[+-][0-9]+(?:[ .,][0-9]+)*(?:[;\t\r\n]|\Z)"
_FORMULA = re.compile(rf"{_STARTS}(?!{_NUMBER})(?={_COMPUTED}|'*[\t\r\n])")
_FILE_COLUMNS = 140  # of a table that goes to a file or a pipe, which has no width of its own
# Terminal colours that differ in lightness too; the status is written out beside them.
STYLES: Mapping[Status, str] = {
    Status.ACCEPTED: "cyan",
    Status.REVIEW: "yellow",
    Status.BLANK: "bright_black",
    Status.REJECTED: "bold red",
}


# Orders to a terminal, and marks that turn the order of letters: names of files and of fields come
# from others.
_ORDERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class OutputError(EdgeHwrError):
    """Readings cannot be written where they were to go."""

    exit_code = ExitCode.USAGE

    @classmethod
    def of(cls, name: str, error: OSError) -> Self:
        fact = error.strerror or error
        return cls(f"{name}: cannot be written ({fact}); make room, or choose another name")


class Format(StrEnum):
    """How readings are written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


class Row(NamedTuple):
    """One field of one page of one file."""

    file: str
    page: int  # from 1
    reading: FieldReading


def rows(form: FormReading, *, file: str = "", page: int = 1) -> Iterator[Row]:
    """The fields of a form as rows, in the template's order."""
    return (Row(file, page, reading) for reading in form.fields)


def harmless(text: str) -> str:
    """A text as a terminal may have it: what would be an order to it is spelled out."""
    return _ORDERS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def percent(confidence: float) -> str:
    """Rounded down: 100 % is only said of 1."""
    return f"{math.floor(confidence * 1000 + 1e-9) / 10:.1f} %"


def table(
    what: FormReading | Iterable[Row], *, title: str | None = None, reveal: bool = False
) -> Table:
    """A table for the terminal.

    Args:
        what: A form, or rows of several.
        title: Stands above it.
        reveal: Shows what secret fields say.
    """
    from rich.table import Table
    from rich.text import Text  # `Text`, for "[b]" in a password is a password, not markup

    out = Table(title=None if title is None else Text(harmless(title)), title_justify="left")
    for name in ("field", "text", "sure", "status", "reason"):
        out.add_column(name, justify="right" if name == "sure" else "left", overflow="fold")
    for row in rows(what) if isinstance(what, FormReading) else what:
        shown = row.reading.to_dict(reveal=reveal)
        style = STYLES[row.reading.status]
        out.add_row(
            Text(harmless(shown["name"])),
            Text(harmless(shown["text"])),
            percent(shown["confidence"]),
            Text(shown["status"], style=style),
            Text(harmless(shown["reason"]), style="dim"),
        )
    return out


def summary(readings: Iterable[FieldReading]) -> str:
    """How many fields of each status, as in "17 accepted, 2 review"."""
    found = [reading.status for reading in readings]
    counts = ((status, found.count(status)) for status in Status)
    return ", ".join(f"{n} {status.value}" for status, n in counts if n) or "no fields"


def to_csv(what: FormReading | Iterable[Row], *, reveal: bool = False, header: bool = True) -> str:
    """CSV text (RFC 4180, lines end in CR LF), one line a field, columns `COLUMNS`.

    No text is a formula to a spreadsheet: what would be begins with a quote.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if header:
        writer.writerow(COLUMNS)
    for row in rows(what) if isinstance(what, FormReading) else what:
        shown = row.reading.to_dict(reveal=reveal)
        own = {"file": row.file, "page": row.page, "field": shown["name"]}
        cells = {name: _cell(one) for name, one in (shown | own).items() if name in COLUMNS}
        cells["box"] = " ".join(f"{edge:g}" for edge in shown["box"])  # our numbers alone
        writer.writerow([cells[name] for name in COLUMNS])
    return text.getvalue()


def _cell(value: object) -> object:
    """As JSON writes it, for one value reads the same in both, but for quotes before formulas; None
    is an empty cell."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _FORMULA.sub(r"\1'", value)
    return "" if value is None else value


class Writer:
    """Writes readings as they come, in one format; each page is on its way when `add` returns.

    Args:
        stream: Where to.
        form: Table, CSV and JSON Lines are written page by page; JSON, one document, at `close`.
        many: Several were asked for: JSON is then a list, however many could be read. May be set
            until `close`, for how many pages a file has is told by the file.
        reveal: Shows what secret fields say.
    """

    def __init__(self, stream: TextIO, form: Format, *, many: bool, reveal: bool = False) -> None:
        self.many = many
        self.empty = True
        self._stream, self._form, self._reveal = stream, form, reveal
        self._documents: list[dict[str, Any]] = []

    def add(self, what: FormReading | FieldReading, *, file: str, page: int = 1) -> None:
        """Write a page, or a field that was read by itself.

        Raises:
            OutputError: The stream takes no more.
        """
        # A name that is no UTF-8 comes with surrogates, which no output may hold; as on stderr.
        file = file.encode(errors="backslashreplace").decode()
        with self._told():
            self._add(what, file, page)
        self.empty = False

    def _add(self, what: FormReading | FieldReading, file: str, page: int) -> None:
        fields = what.fields if isinstance(what, FormReading) else (what,)
        found = [Row(file, page, one) for one in fields]
        if self._form is Format.TABLE:
            self._print(found, title=file if page == 1 else f"{file}, page {page}")
        elif self._form is Format.CSV:
            self._stream.write(to_csv(found, reveal=self._reveal, header=self.empty))
        else:
            document = {"file": file, "page": page} | what.to_dict(reveal=self._reveal)
            if self._form is Format.JSONL:
                self._stream.write(self._json(document, separators=(",", ":")))
            else:
                self._documents.append(document)
                return
        self._stream.flush()  # whoever waits at the other end of a pipe has it now

    def close(self) -> None:
        """Write what only the end knows. Nothing, where one file was asked for and failed.

        Raises:
            OutputError: The stream takes no more.
        """
        text = ""  # is written too: what a file held before must not pass for these readings
        if self._form is Format.JSON and (self.many or self._documents):
            many = self.many or len(self._documents) > 1
            text = self._json(self._documents if many else self._documents[0], indent=2)
        with self._told():
            self._stream.write(text)
            self._stream.flush()

    def _json(self, what: object, **layout: Any) -> str:
        """JSON and a line's end; in ASCII where the stream cannot hold its characters."""
        text = json.dumps(what, ensure_ascii=False, **layout) + "\n"
        try:
            text.encode(self._stream.encoding or "utf-8")
        except UnicodeEncodeError:
            return json.dumps(what, ensure_ascii=True, **layout) + "\n"
        return text

    @contextmanager
    def _told(self) -> Iterator[None]:
        """The system's errors in our words; that nobody reads any more is no error."""
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError.of(str(getattr(self._stream, "name", "output")), error) from error

    def _print(self, found: list[Row], *, title: str) -> None:
        from rich.console import Console

        class Plain(Console):
            def on_broken_pipe(self) -> None:  # rich would end the program
                raise

        console = Plain(file=self._stream)
        if not console.is_terminal:
            console = Plain(file=self._stream, width=_FILE_COLUMNS)
        console.print(table(found, title=title, reveal=self._reveal))
