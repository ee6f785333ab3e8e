"""Blocks of several lines as they are drawn: what is told of them is what is in the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.blocks import drawn, measure
from edge_runtime import Reader
from train.blocks import draw_block
from train.engine import Engine, EngineConfig


@pytest.fixture(scope="module")
def engine(tiny_data: Path) -> Engine:
    with Reader() as reader:
        return Engine(tiny_data, reader.spec, EngineConfig(), part="train", seed=1)


def test_what_is_wanted_is_written_a_text_a_line(engine: Engine) -> None:
    rng = np.random.default_rng(5)
    for wanted in (("Hull",), ("Hull", "Oslo", "Turin")):
        found = [draw_block(engine, rng, lines=len(wanted), wanted=wanted) for _ in range(20)]
        blocks = [block for block in found if block is not None]
        assert {block.lines for block in blocks} == {wanted}
        shapes = np.array([block.picture.shape for block in blocks])
        # Three lines of four and five letters are about as high as wide, one is thrice as wide.
        wide = float(np.median(shapes[:, 1] / shapes[:, 0]))
        assert wide > 1.8 if len(wanted) == 1 else wide < 1.8


def test_the_same_seed_draws_the_same(engine: Engine) -> None:
    once, again = (drawn(engine, n=3, seed=4) for _ in range(2))
    for a, b in zip(once, again, strict=True):
        assert a.lines == b.lines
        assert np.array_equal(a.picture, b.picture)


def test_a_writer_who_lacks_a_letter_draws_none(engine: Engine) -> None:
    assert draw_block(engine, np.random.default_rng(0), lines=1, wanted=("~#~",)) is None


def test_blocks_are_measured(engine: Engine) -> None:
    blocks = drawn(engine, n=10, seed=2)
    assert sorted(len(block.lines) for block in blocks) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    with Reader() as reader:
        rows = [measure(reader, blocks, lines) for lines in (1, 3)]
    assert [row.n for row in rows] == [2, 2]
    assert all(0 <= row.line_exact <= 1 and row.exact <= row.told for row in rows)
