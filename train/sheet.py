"""A contact sheet of the data engine: `python -m train.sheet train/configs/small.toml sheet.png`.

Owns:   the picture: each source in rows of crops, under each crop the strip that is learnt from.
Needs:  numpy, cv2, `engine`, `config`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from edge_runtime.errors import EdgeHwrError, ExitCode
from edge_runtime.preprocess import Gray, make_strip, normalize_ink
from train.config import TrainConfig, load_config
from train.engine import SOURCES, Engine

_CELL = (300, 96)  # pixels of one sample, its text included
_CROP_PX = 40  # height that crops are shown at


def draw(config: TrainConfig, *, columns: int, rows: int, seed: int, part: str = "train") -> Gray:
    """The sheet, uint8 (h, w): `rows` rows of every source that has a share.

    Raises:
        DataError: The handwriting is not there.
    """
    rng = np.random.default_rng(seed)
    lines: list[Gray] = []
    for source in SOURCES:
        if getattr(config.engine, source) <= 0:
            continue
        alone = replace(config.engine, **{name: float(name == source) for name in SOURCES})
        engine = Engine(
            config.data_folder(), config.spec(), alone, part=part, seed=seed, own=config.own.load()
        )
        if source == "font" and not engine.fonts:
            continue  # none were fetched
        for _ in range(rows):
            cells = [_cell(engine, source, rng) for _ in range(columns)]
            lines.append(np.asarray(np.hstack(cells), np.uint8))
    return np.asarray(np.vstack(lines), np.uint8)


def _cell(engine: Engine, source: str, rng: np.random.Generator) -> Gray:
    """A crop, its strip below it, and its text; of cells out of rows the strip alone."""
    width, height = _CELL
    cell = np.full((height, width), 255, np.uint8)
    shown: Gray | None = None
    if source == "cell":
        strip, text = engine.cells.draw(rng)
    else:
        crop, strip, text = _learnt(engine, rng)
        wide = max(1, round(crop.shape[1] * _CROP_PX / len(crop)))
        shown = np.asarray(cv2.resize(crop, (wide, _CROP_PX), interpolation=cv2.INTER_AREA))
    for top, pixels in ((2, shown), (_CROP_PX + 4, 255 - strip)):
        if pixels is None:
            continue
        w = min(width - 6, pixels.shape[1])
        cell[top : top + len(pixels), 2 : 2 + w] = pixels[:, :w]
    cv2.putText(cell, f"{source}: {text}"[:44], (2, height - 6), 0, 0.4, 0, 1, cv2.LINE_AA)
    return cell


def _learnt(engine: Engine, rng: np.random.Generator) -> tuple[Gray, Gray, str]:
    """A crop that gives a strip, the strip's pixels, and the text."""
    while True:
        crop, text, _, line = engine.crop(rng)
        told = None if line is None else (line[0] * len(crop), line[1] * len(crop))
        strip = make_strip(normalize_ink(crop), engine.spec, line=told)
        if strip is not None and text:
            return crop, strip.pixels, text


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m train.sheet", description=__doc__)
    parser.add_argument("config", type=Path, help="TOML file, see train/configs/")
    parser.add_argument("picture", type=Path, help="PNG to write")
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--rows", type=int, default=4, help="of each source")
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args(arguments)
    try:
        sheet = draw(load_config(told.config), columns=told.columns, rows=told.rows, seed=told.seed)
    except EdgeHwrError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if not cv2.imwrite(str(told.picture), sheet):
        print(f"{told.picture}: cannot be written; name a .png in a folder", file=sys.stderr)
        return ExitCode.INTERNAL
    print(told.picture)
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
