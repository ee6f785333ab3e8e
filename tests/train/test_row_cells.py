"""Cells cut out of drawn rows: each is what was written there, or the row is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from train import row_cells
from train.config import TrainConfig
from train.engine import Engine, EngineConfig

SPEC = TrainConfig("test").spec()
CELLS_ALONE = EngineConfig(
    glyph=0, mnist=0, mnist_string=0, string=0, word=0, line=0, joined=0, font=0, cell=1
)


@pytest.fixture(scope="module")
def engine(tiny_data: Path) -> Engine:
    return Engine(tiny_data, SPEC, CELLS_ALONE, part="train", seed=1)


def test_a_run_of_cells_draws_cells(engine: Engine) -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        pixels, text, source = engine.draw(rng)
        assert source == "cell"
        assert len(text) == 1
        assert text in SPEC.labels
        assert pixels.shape[0] == SPEC.height_px
        assert pixels.max() > 0


def test_a_row_gives_its_filled_cells_in_order(engine: Engine) -> None:
    rng = np.random.default_rng(4)
    cut = [engine.cells.cut("2 71  ", rng) for _ in range(20)]
    said = ["".join(char for _, char in row) for row in cut]
    assert set(said) <= {"271", ""}
    assert said.count("271") > 5


def test_a_row_whose_ink_is_elsewhere_is_left_out(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = row_cells.row_ink

    def shifted(text: str, *rest: object, **named: object) -> object:
        return drawn(text[1:] + text[0], *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(row_cells, "row_ink", shifted)
    rng = np.random.default_rng(5)
    assert not any(engine.cells.cut("4 7 ", rng) for _ in range(10))


def test_the_same_generator_draws_the_same_cells(tiny_data: Path) -> None:
    first, again = (
        Engine(tiny_data, SPEC, CELLS_ALONE, part="train", seed=1).draw(np.random.default_rng(9))
        for _ in range(2)
    )
    assert first[1] == again[1]
    assert np.array_equal(first[0], again[0])
