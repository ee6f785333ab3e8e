"""Sets of crops with texts that users train with: MNIST, EMNIST, folders of pictures, CSV lists.

Owns:   reading them into `Sample`s: upright, dark ink on light paper, text in printable ASCII.
Needs:  numpy, cv2; torchvision for EMNIST alone, imported there.
"""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import EdgeHwrError
from edge_runtime.preprocess import Gray

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm"})
# Characters that some file system does not take as a folder's name, letters whose case it loses.
FOLDER_NAMES = {
    "_slash": "/",
    "_backslash": "\\",
    "_dot": ".",
    "_colon": ":",
    "_asterisk": "*",
    "_question": "?",
    "_quote": '"',
    "_less": "<",
    "_greater": ">",
    "_bar": "|",
    "_percent": "%",
    "_tilde": "~",
    **{f"_upper_{letter}": letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"},
    **{f"_lower_{letter}": letter for letter in "abcdefghijklmnopqrstuvwxyz"},
}
# EMNIST splits in which the small and the capital form of some letters are one class.
MERGED_CASE = frozenset({"balanced", "bymerge", "letters"})


class Sample(NamedTuple):
    """One crop and what it says."""

    crop: Gray  # uint8 (h, w), dark ink on light paper
    text: str  # printable ASCII
    writer: str  # "" where the set does not say


class Samples(Protocol):
    """A set with random access; pictures are decoded when asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Sample: ...


@dataclass(frozen=True, slots=True, eq=False)
class ArraySamples:
    """Samples that lie in memory."""

    pixels: NDArray[np.uint8]  # (n, h, w), ink bright on black
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int, /) -> Sample:
        return Sample(np.asarray(255 - self.pixels[index], np.uint8), self.texts[index], "")


@dataclass(frozen=True, slots=True, eq=False)
class FileSamples:
    """Samples that lie in files."""

    paths: tuple[Path, ...]
    texts: tuple[str, ...]
    writers: tuple[str, ...]
    invert: bool  # the pictures show ink bright on black

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int, /) -> Sample:
        pixels = read_gray(self.paths[index])
        crop = np.asarray(255 - pixels, np.uint8) if self.invert else pixels
        return Sample(crop, self.texts[index], self.writers[index])


def read_gray(path: Path) -> Gray:
    """Decode a picture.

    Returns:
        uint8 (h, w).

    Raises:
        EdgeHwrError: There is no such file, or it is no picture.
    """
    try:
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        fact = error.strerror or error
        raise EdgeHwrError(f"{path}: {fact}; correct the path or delete the row") from error
    pixels = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE) if encoded.size else None
    if pixels is None:
        raise EdgeHwrError(f"{path}: not a picture OpenCV reads; convert it to PNG or delete it")
    return np.asarray(pixels, np.uint8)


def mnist(root: Path, *, train: bool) -> Samples:
    """MNIST from its IDX files, gzipped or not, without torchvision.

    Args:
        root: Holds `MNIST/raw` (torchvision's layout) or `mnist/MNIST/raw`.
        train: The 60,000, else the 10,000 of the test.

    Raises:
        EdgeHwrError: The files are missing or broken.
    """
    folders = (root / "mnist" / "MNIST" / "raw", root / "MNIST" / "raw")
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if folder is None:
        raise EdgeHwrError(
            f"{folders[1]}: no such folder; get it with torchvision.datasets.MNIST(root,"
            " download=True)"
        )
    part = "train" if train else "t10k"
    pixels = _read_idx(folder / f"{part}-images-idx3-ubyte", n_axes=3)
    labels = _read_idx(folder / f"{part}-labels-idx1-ubyte", n_axes=1)
    if len(pixels) != len(labels) or labels.max(initial=0) > 9:
        raise EdgeHwrError(f"{folder}: {part} pictures and labels do not fit; get MNIST anew")
    return ArraySamples(pixels, tuple(map(str, labels.tolist())))


def _read_idx(path: Path, *, n_axes: int) -> NDArray[np.uint8]:
    """An IDX file (0, 0, 8, number of axes, lengths, bytes: LeCun's format), or its .gz."""
    packed = path.with_name(path.name + ".gz")
    try:
        raw = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise EdgeHwrError(f"{packed}: {error}; get MNIST anew") from error
    start = 4 + 4 * n_axes
    shape = tuple(int.from_bytes(raw[at : at + 4], "big") for at in range(4, start, 4))
    if raw[:4] != bytes((0, 0, 8, n_axes)) or len(raw) - start != math.prod(shape):
        raise EdgeHwrError(f"{path}: not a whole IDX file of {n_axes} axes; get MNIST anew")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def emnist(root: Path, split: str, *, train: bool = True, merged_case: bool = False) -> Samples:
    """EMNIST as torchvision lays it out, turned upright.

    Args:
        root: What torchvision was given; holds `EMNIST/raw`.
        split: byclass | bymerge | balanced | letters | digits | mnist.
        train: The training part, else the test part.
        merged_case: Take the splits in which c and C are one class, under one of the two.

    Raises:
        EdgeHwrError: torchvision or the files are missing, the split is unknown or merges cases.
    """
    try:
        from torchvision.datasets import EMNIST
    except ImportError as error:
        raise EdgeHwrError("EMNIST needs torchvision; install the extra `train`") from error
    if split not in EMNIST.splits:
        raise EdgeHwrError(f"EMNIST has no split {split!r}; it has {', '.join(EMNIST.splits)}")
    if split in MERGED_CASE and not merged_case:
        raise EdgeHwrError(
            f"EMNIST {split!r} labels c and C alike; take 'byclass', or say merged_case=True if"
            " your fields ignore case"
        )
    try:
        found = EMNIST(str(root), split=split, train=train, download=False)
    except (RuntimeError, ValueError, OSError) as error:
        raise EdgeHwrError(
            f"{root}: {error}; get it with torchvision.datasets.EMNIST({str(root)!r},"
            f" split={split!r}, download=True)"
        ) from error
    pixels = np.ascontiguousarray(found.data.numpy().transpose(0, 2, 1))  # stored on their side
    return ArraySamples(pixels, tuple(found.classes[k] for k in found.targets.tolist()))


def image_folder(root: Path, *, invert: bool = False) -> Samples:
    """A folder a text, its pictures inside: `root/A/0001.png`, `root/_slash/0001.png`.

    Args:
        root: Its folders' names are the texts; `FOLDER_NAMES` stand for what a name cannot be.
        invert: The pictures show ink bright on black.

    Raises:
        EdgeHwrError: No such folder, no picture in it, or a text outside printable ASCII.
    """
    if not root.is_dir():
        raise EdgeHwrError(f"{root}: no such folder; give the folder that holds one folder a text")
    rows = [
        (path, FOLDER_NAMES.get(folder.name, folder.name))
        for folder in sorted(path for path in root.iterdir() if path.is_dir())
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in PICTURES
    ]
    if not rows:
        raise EdgeHwrError(f"{root}: no picture in its folders; put them at <text>/<name>.png")
    paths, texts = zip(*rows, strict=True)
    for path, text in rows:
        _check_text(text, where=str(path.parent))
    return FileSamples(paths, texts, ("",) * len(paths), invert)


def csv_crops(path: Path, *, invert: bool = False) -> Samples:
    """A CSV list with the columns `path`, `text` and, if known, `writer`.

    Args:
        path: UTF-8 with a header; the pictures' paths are relative to its folder.
        invert: The pictures show ink bright on black.

    Raises:
        EdgeHwrError: No such file, a column or value missing, a text outside printable ASCII.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            columns: Sequence[str] = reader.fieldnames or ()
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EdgeHwrError(f"{path}: {error}; give a CSV in UTF-8") from error
    if lacking := sorted({"path", "text"} - set(columns)):
        raise EdgeHwrError(f"{path}: no column {lacking[0]!r}; begin with path,text,writer")
    if not rows:
        raise EdgeHwrError(f"{path}: no row under the header; add crops")
    for line, row in rows:
        if not row["path"]:
            raise EdgeHwrError(f"{path}, line {line}: no path; fill it in or delete the row")
        _check_text(row["text"] or "", where=f"{path}, line {line}")
    return FileSamples(
        paths=tuple(path.parent / row["path"] for _, row in rows),
        texts=tuple(row["text"] for _, row in rows),
        writers=tuple(row.get("writer") or "" for _, row in rows),
        invert=invert,
    )


def _check_text(text: str, *, where: str) -> None:
    if not text.strip():
        raise EdgeHwrError(f"{where}: empty text; a crop says something, or leave it out")
    if not (text.isascii() and text.isprintable()):
        raise EdgeHwrError(f"{where}: {text!r} is outside printable ASCII; leave it out")
