"""A data folder small enough for a test: strokes of a few made-up writers, a few made-up digits."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from train.strokes import part_of

SETS = {
    "digits": "0123456789",
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "lower": "abcdefghijklmnopqrstuvwxyz",
    "symbols": ".,-/@",
    "chars_in_words": "aeinot",
}
_NAMES = [f"w{number}" for number in range(200)]
_WRITERS = {
    part: [name for name in _NAMES if part_of(name, "train") == part][:count]
    for part, count in (("train", 8), ("tuning", 2), ("calibration", 2))
}
WRITERS = tuple(name for names in _WRITERS.values() for name in names) + tuple(_NAMES[-2:])


def _save(path: Path, samples: list[tuple[str, str, list[np.ndarray]]]) -> None:
    points = np.concatenate([stroke for _, _, strokes in samples for stroke in strokes])
    lengths = [len(stroke) for _, _, strokes in samples for stroke in strokes]
    xy = points.T.astype(np.int32)
    np.savez(
        path,
        dxy=np.diff(xy, axis=1, prepend=0).astype(np.int16),
        stroke_end=np.cumsum(lengths).astype(np.int32),
        sample_stroke_end=np.cumsum([len(strokes) for _, _, strokes in samples]).astype(np.int32),
        label=np.array([label for label, _, _ in samples]),
        writer=np.array([writer for _, writer, _ in samples]),
        contributor=np.array(["abc"] * len(samples)),
        quality=np.array(["OK"] * len(samples)),
        split=np.array(["val" if writer in WRITERS[-2:] else "train" for _, writer, _ in samples]),
    )


def _scrawl(rng: np.random.Generator, letters: int) -> list[np.ndarray]:
    n = 12 * letters
    x = np.linspace(0, 600 * letters, n)
    y = 500 + 480 * np.sin(np.linspace(0, 3 * letters, n) + rng.uniform(0, 6))
    return [np.stack([x, y], axis=1)]


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """EDGE_HWR_DATA of made-up writing."""
    root, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(3)
    (root / "unipen").mkdir()
    for name, chars in SETS.items():
        _save(
            root / "unipen" / f"{name}.npz",
            [(char, writer, _scrawl(rng, 1)) for writer in WRITERS for char in chars],
        )
    for name, labels in {"words": ("tea", "word", "Noon"), "text": ("two words", "a b c")}.items():
        _save(
            root / "unipen" / f"{name}.npz",
            [(one, writer, _scrawl(rng, len(one))) for writer in WRITERS for one in labels * 2],
        )
    raw = root / "mnist" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for stem, n in (("train", 5200), ("t10k", 100)):
        images = np.zeros((n, 28, 28), np.uint8)
        images[:, 4:24, 10:18] = 255
        labels = (np.arange(n) % 10).astype(np.uint8)
        with gzip.open(raw / f"{stem}-images-idx3-ubyte.gz", "wb") as file:
            file.write(struct.pack(">IIII", 2051, n, 28, 28) + images.tobytes())
        with gzip.open(raw / f"{stem}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(struct.pack(">II", 2049, n) + labels.tobytes())
    return root
