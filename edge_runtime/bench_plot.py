"""A benchmark's report as one picture: start-up, time, scaling and memory.

Owns:   `draw`.
Needs:  Pillow, whose own font it writes with; `bench_report`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge_runtime.bench_report import BATCH, MANY, ONE, WAYS, Report

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Box = tuple[float, float, float, float]

_SIZE, _HEAD_PX, _EDGE_PX, _LETTER_PX = (1280, 900), 78, 28, 15
_INK, _FAINT, _PAPER = (35, 35, 40), (205, 208, 214), (255, 255, 255)
# Okabe and Ito 2008: told apart by colour-blind eyes as well.
_COLORS = ((0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233))
_PARTS = {
    "import_ms": "imports",
    "load_ms": "model load",
    "first_read_ms": "first field",
}
_MEMORY = {
    "rss_one_field_mib": "1 field",
    "rss_batch_mib": f"{BATCH} fields",
    "rss_page_mib": "a page",
}


@dataclass(frozen=True, slots=True)
class _Bar:
    """A horizontal bar of several parts, and a whisker that may reach further."""

    name: str
    parts: tuple[float, ...]
    told: str
    reach: float = 0.0


def draw(report: Report) -> NDArray[np.uint8]:
    """uint8 (900, 1280, 3) BGR."""
    from PIL import Image, ImageDraw

    sheet = Image.new("RGB", _SIZE, _PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.fontmode = "L"
    _head(pen, report)
    left, right, top, middle, bottom = 0, _SIZE[0] // 2, _HEAD_PX, 490, _SIZE[1]
    _bars(
        pen, (left, top, right, middle), "import to first reading, ms (new process)",
        list(_starts(report)), list(_PARTS.values()),
    )  # fmt: skip
    fields = list(_times(report, pages=False))
    pages = list(_times(report, pages=True))  # on a scale of their own: a page holds many fields
    split = top + (middle - top) * (len(fields) + 1) / (len(fields) + len(pages) + 2)
    low = split if pages else middle
    _bars(
        pen,
        (right, top, _SIZE[0], low),
        "ms a field, one thread: p50 (and p95, the whisker)",
        fields,
        [],
    )
    if pages:
        _bars(pen, (right, low, _SIZE[0], middle), "ms a page, the same way", pages, [])
    _lines(pen, (left, middle, right, bottom), report)
    _bars(
        pen, (right, middle, _SIZE[0], bottom), "peak memory of a new process, MiB",
        list(_memory(report)), [],
    )  # fmt: skip
    return np.ascontiguousarray(np.asarray(sheet, np.uint8)[:, :, ::-1])


def _head(pen: ImageDraw, report: Report) -> None:
    here, first = report.machine, report.engines[0]
    quota = "" if here.quota is None else f", limited to {here.quota:g}"
    _text(pen, (_EDGE_PX, 16), "edge-hwr bench", size=24)
    fact = f"{here.cpu}, {here.system}, {here.cores} cores{quota}; {first.name} {first.digest[:12]}"
    _text(pen, (_EDGE_PX, 48), fact)


def _starts(report: Report) -> Iterator[_Bar]:
    for one in report.engines:
        parts = tuple(one.startup.get(key) or 0.0 for key in _PARTS)
        yield _Bar(one.label, parts, f"{sum(parts):.0f}")


def _times(report: Report, *, pages: bool) -> Iterator[_Bar]:
    for one in report.engines:
        for took in one.times:
            if (took.name not in (ONE, MANY)) == pages:
                name = f"{took.name.removeprefix('field, ')}, {one.label}"
                told = f"{_ms(took.p50_ms)} ({_ms(took.p95_ms)})"
                yield _Bar(name, (took.p50_ms,), told, took.p95_ms)


def _ms(time: float) -> str:
    return f"{time:.0f}" if time >= 100 else f"{time:.2f}"


def _memory(report: Report) -> Iterator[_Bar]:
    for one in report.engines:
        for key, name in _MEMORY.items():
            if (mib := one.startup.get(key)) is not None:
                yield _Bar(f"{name}, {one.label}", (mib,), f"{mib:.0f}")


def _bars(pen: ImageDraw, box: Box, title: str, bars: Sequence[_Bar], parts: Sequence[str]) -> None:
    """Bars under a title, their names above them; `parts` name their colours."""
    x0, y0, x1, y1 = _inside(box)
    _text(pen, (x0, y0), title, size=18)
    y0 += 34
    x = x0
    for at, name in enumerate(parts):
        pen.rectangle((x, y0 + 3, x + 12, y0 + 15), fill=_COLORS[at])
        x = _text(pen, (x + 18, y0), name) + 20
    y0 += 26 if parts else 0
    if not bars:
        _text(pen, (x0, y0), "unknown here")
        return
    most = max(max(sum(one.parts), one.reach) for one in bars) or 1.0
    step = min(56.0, (y1 - y0) / len(bars))
    width = x1 - x0 - 130  # room for the numbers
    for at, one in enumerate(bars):
        y, x = y0 + at * step, x0
        _text(pen, (x0, y), _cut(one.name, 72), size=min(_LETTER_PX, int(step * 0.4)))
        low, high = y + step * 0.42, y + step * 0.86
        for part, value in enumerate(one.parts):
            end = x + width * value / most
            pen.rectangle((x, low, max(x, end), high), fill=_COLORS[part % len(_COLORS)])
            x = end
        if one.reach > sum(one.parts):
            end = x0 + width * one.reach / most
            pen.line((x, (low + high) / 2, end, (low + high) / 2), fill=_INK, width=2)
            pen.line((end, low + 3, end, high - 3), fill=_INK, width=2)
            x = end
        _text(pen, (x + 6, (low + high) / 2 - 9), one.told)


def _lines(pen: ImageDraw, box: Box, report: Report) -> None:
    """Fields a second by the number of threads or processes."""
    x0, y0, x1, y1 = _inside(box)
    label = report.engines[report.scaled].label
    _text(pen, (x0, y0), f"fields a second by threads or processes ({label})", size=18)
    counts = sorted({one.count for one in report.rates})
    most = max((one.fields_per_s for one in report.rates), default=1.0)
    tick = _tick(most)
    left, right, top, bottom = x0 + 62, x1 - 20, y0 + 110, y1 - 30
    scale = (bottom - top) / most
    for n in range(int(most / tick) + 1):
        y = bottom - n * tick * scale
        pen.line((left, y, right, y), fill=_FAINT)
        _text(pen, (left - 8, y - 9), f"{n * tick:g}", right=True)
    x_of = {
        count: left + (right - left) * (at + 0.5) / len(counts) for at, count in enumerate(counts)
    }
    for count, x in x_of.items():
        _text(pen, (x - 4, bottom + 8), str(count))
    for at, (way, name) in enumerate(WAYS.items()):
        color, y = _COLORS[at], y0 + 30 + 22 * at
        pen.rectangle((x0, y + 3, x0 + 12, y + 15), fill=color)
        _text(pen, (x0 + 18, y), name)
        ours = [one for one in report.rates if one.way == way]
        if ours and way == "callers":  # one caller is one thread: the lines begin together
            alone = [one for one in report.rates if (one.way, one.count) == ("network", 1)]
            ours = [*alone, *ours]
        spots = [(x_of[one.count], bottom - one.fields_per_s * scale) for one in ours]
        if len(spots) > 1:
            pen.line(spots, fill=color, width=3)
        for x, y in spots:
            pen.ellipse((x - 5, y - 5, x + 5, y + 5), fill=color)


def _tick(most: float) -> float:
    """A round step that divides `most` into two to five parts."""
    size = 10.0 ** np.floor(np.log10(most))
    return float(next(size * part for part in (0.2, 0.5, 1.0, 2.0) if most / (size * part) <= 5))


def _inside(box: Box) -> Box:
    return box[0] + _EDGE_PX, box[1] + 14, box[2] - _EDGE_PX, box[3] - 18


def _cut(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _text(
    pen: ImageDraw,
    at: tuple[float, float],
    text: str,
    *,
    size: int = _LETTER_PX,
    right: bool = False,
) -> float:
    """Write, left end or (`right`) right end at `at`; the column where the text ends."""
    from PIL import ImageFont

    font = ImageFont.load_default(max(8, size))
    width = pen.textlength(text, font=font)
    x = at[0] - width if right else at[0]
    pen.text((x, at[1]), text, fill=_INK, font=font)
    return x + width
