"""Accuracy under sixteen corruptions, and what matters more: errors among the accepted.

    python -m benchmarks.robustness [--most 100] [--seeds 3] [--plot docs/robustness.png]
        [--only words,mnist] [--corruptions fog,jpeg] [--out FILE.json]

Sets are dev crops, and `forms` are whole drawn forms, read with their templates. Right is told
case aside, as in `benchmarks.accuracy`. A page that is refused has none of its fields read: they
count as not right and not accepted. Marks fall where they fall, and may hide what is written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import SETS, Item, wilson
from benchmarks.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from benchmarks.record import write_record
from edge_runtime import FieldReading, Reader, Template
from edge_runtime.errors import EdgeHwrError
from train.config import data_folder
from train.forms import FORMS, draw_form

STRIP_SETS = ("mnist", "digits", "upper", "digit_strings", "usernames", "words")
FORM_SET, CLEAN = "forms", "clean"
FLOOR, AIM = 0.03, 0.01  # error among the accepted at strength 2


@dataclass(frozen=True, slots=True)
class Row:
    """One set under one corruption."""

    name: str
    corruption: str  # "clean" at strength 0
    strength: int
    n: int
    right: int
    accepted: int
    wrong_accepted: int
    refused: int = 0  # pages


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A drawn form and what is written on it."""

    pixels: NDArray[np.uint8]
    template: Template
    truth: dict[str, str]
    em_px: float  # height of its lowest field


def tally(
    name: str,
    corruption: str,
    strength: int,
    read: Iterable[tuple[FieldReading | None, str]],
    *,
    refused: int = 0,
) -> Row:
    """Count readings (None: the page was refused) against their texts."""
    n = right = accepted = wrong = 0
    for reading, text in read:
        n += 1
        if reading is None:
            continue
        good, sure = reading.text.lower() == text.lower(), reading.status == "accepted"
        right, accepted, wrong = right + good, accepted + sure, wrong + (sure and not good)
    return Row(name, corruption, strength, n, right, accepted, wrong, refused)


def strips(
    reader: Reader, name: str, items: Sequence[Item], corruption: str, strength: int, seed: int
) -> Row:
    """A set's crops under one corruption; each crop has marks of its own, the same every time."""
    changed = []
    for at, (crop, field, _) in enumerate(items):
        if strength:
            rng = np.random.default_rng([seed, at, strength, *corruption.encode()])
            crop = corrupt(corruption, crop, strength, em_px=crop.shape[0], rng=rng)
        changed.append((crop, field))
    readings = reader.read_fields(changed)
    texts = (text for _, _, text in items)
    return tally(name, corruption, strength, zip(readings, texts, strict=True))


def forms(reader: Reader, pages: Sequence[Page], corruption: str, strength: int, seed: int) -> Row:
    """Whole pages under one corruption, registered and read with their templates."""
    read: list[tuple[FieldReading | None, str]] = []
    refused = 0
    for at, page in enumerate(pages):
        pixels = page.pixels
        if strength:
            rng = np.random.default_rng([seed, at, strength, *corruption.encode()])
            pixels = corrupt(corruption, pixels, strength, em_px=page.em_px, rng=rng)
        try:
            form = reader.read(pixels, template=page.template)
        except EdgeHwrError:
            refused += 1
            read += [(None, text) for text in page.truth.values()]
            continue
        read += [(form[name], text) for name, text in page.truth.items()]
    return tally(FORM_SET, corruption, strength, read, refused=refused)


def drawn_pages(seeds: Iterable[int]) -> list[Page]:
    """Every example form for each seed."""
    pages = []
    for seed in seeds:
        for name in FORMS:
            drawn = draw_form(name, seed=seed)
            template = Template.from_dict(drawn.template, base=None, source=name)
            pixels = np.asarray(drawn.picture, np.uint8)
            heights = [one.box[3] - one.box[1] for one in template.fields if one.box is not None]
            scale = pixels.shape[0] / drawn.template["page"]["size"][1]
            pages.append(Page(pixels, template, drawn.truth, float(min(heights)) * scale))
    return pages


def cases(corruptions: Sequence[str], strengths: Sequence[int]) -> Iterator[tuple[str, int]]:
    """The clean set first."""
    yield CLEAN, 0
    for name in corruptions:
        for strength in strengths:
            yield name, strength


def pooled(rows: Iterable[Row]) -> tuple[int, int, float, float, float]:
    """Accepted, wrong among them, their share and its 95 % interval."""
    kept = list(rows)
    accepted, wrong = sum(r.accepted for r in kept), sum(r.wrong_accepted for r in kept)
    low, high = wilson(wrong, accepted) if accepted else (0.0, 1.0)
    return accepted, wrong, wrong / max(1, accepted), max(0.0, low), high


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """A line for each strength, of strips and of forms."""
    for of_forms, what in ((False, "crops"), (True, "forms")):
        kept = [row for row in rows if (row.name == FORM_SET) == of_forms]
        for strength in sorted({row.strength for row in kept}):
            ours = [row for row in kept if row.strength == strength]
            n, right = sum(row.n for row in ours), sum(row.right for row in ours)
            accepted, wrong, share, low, high = pooled(ours)
            asked = f"; asked: {100 * FLOOR:g} %, aim {100 * AIM:g} %" if strength == 2 else ""
            yield (
                f"{what}, strength {strength}: {n} fields, {100 * right / n:.1f} % right, "
                f"{accepted} accepted, {wrong} wrong of them: {100 * share:.2f} % "
                f"({100 * low:.2f} to {100 * high:.2f}){asked}"
            )


def plot(rows: Sequence[Row], path: Path) -> None:
    """Right and wrong-among-accepted by corruption and strength, crops beside forms."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    kinds = [kind for kind in (False, True) if any((r.name == FORM_SET) == kind for r in rows)]
    names = list(dict.fromkeys(row.corruption for row in rows if row.strength))
    figure, grid = plt.subplots(
        2, len(kinds), figsize=(6.5 * len(kinds), 8), squeeze=False, sharex="col", sharey="row"
    )
    shades = {1: "#a6cee3", 2: "#1f78b4", 3: "#08306b"}
    for column, of_forms in enumerate(kinds):
        ours = [row for row in rows if (row.name == FORM_SET) == of_forms]
        clean = [row for row in ours if row.strength == 0]
        for strength in sorted({row.strength for row in ours if row.strength}):
            x = np.arange(len(names)) + (strength - 2) * 0.27
            held = [
                [r for r in ours if (r.corruption, r.strength) == (name, strength)]
                for name in names
            ]
            right = [
                100 * sum(r.right for r in one) / max(1, sum(r.n for r in one)) for one in held
            ]
            wrong = [100 * pooled(one)[2] for one in held]
            grid[0, column].bar(
                x, right, 0.26, color=shades[strength], label=f"strength {strength}"
            )
            grid[1, column].bar(x, wrong, 0.26, color=shades[strength])
        if clean:
            level = 100 * sum(r.right for r in clean) / sum(r.n for r in clean)
            grid[0, column].axhline(level, color="black", lw=1, ls="--", label="clean")
        grid[1, column].axhline(100 * FLOOR, color="crimson", lw=1, ls="--", label="asked: 3 %")
        grid[0, column].set_title("drawn forms" if of_forms else "crops of the dev sets")
        grid[1, column].set_xticks(range(len(names)), [n.replace("_", " ") for n in names])
        grid[1, column].tick_params(axis="x", rotation=70)
    grid[0, 0].set_ylabel("fields right, %")
    grid[1, 0].set_ylabel("wrong among the accepted, %")
    grid[0, 0].legend(fontsize=8)
    grid[1, 0].legend(fontsize=8)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.robustness",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--only", help=f"with commas: {', '.join((*STRIP_SETS, FORM_SET))}")
    parser.add_argument("--corruptions", help="with commas; all where left out")
    parser.add_argument("--strengths", default="1,2,3")
    parser.add_argument("--most", type=int, default=100, help="at most so many crops of each set")
    parser.add_argument("--seeds", type=int, default=3, help="of each form")
    parser.add_argument("--first", type=int, default=7000, help="the first seed")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    names = told.only.split(",") if told.only else [*STRIP_SETS, FORM_SET]
    corruptions = told.corruptions.split(",") if told.corruptions else list(CORRUPTIONS)
    strengths = [one for one in map(int, told.strengths.split(",")) if one in STRENGTHS]
    reader, rows = Reader(told.model, threads=1), []
    print(
        f"{reader.model_id}\n{'set':14}{'corruption':14}{'':>3}{'n':>6}{'right':>8}{'accepted':>10}{'wrong':>7}"
    )
    pages = drawn_pages(range(told.first, told.first + told.seeds)) if FORM_SET in names else []
    for name in names:
        items = [] if name == FORM_SET else spread(list(SETS[name](data_folder())), told.most)
        for corruption, strength in cases(corruptions, strengths):
            if name == FORM_SET:
                row = forms(reader, pages, corruption, strength, told.first)
            else:
                row = strips(reader, name, items, corruption, strength, told.first)
            rows.append(row)
            print(
                f"{row.name:14}{row.corruption:14}{row.strength:3}{row.n:6}"
                f"{100 * row.right / row.n:8.1f}{100 * row.accepted / row.n:10.1f}"
                f"{row.wrong_accepted:7}" + (f"  {row.refused} refused" if row.refused else ""),
                flush=True,
            )
    print("\n".join(summary(rows)))
    if told.plot:
        plot(rows, told.plot)
    if told.out:
        write_record(told.out, reader, rows, most=told.most, seeds=told.seeds, first=told.first)
    return 0


def spread(items: list[Item], most: int) -> list[Item]:
    """At most so many, from the whole length of the set: some are sorted."""
    if len(items) <= most:
        return items
    return [items[at] for at in np.linspace(0, len(items) - 1, most).round().astype(int)]


if __name__ == "__main__":
    sys.exit(main())
