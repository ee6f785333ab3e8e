"""Users' own data: upright, dark on light, or an error that says what to do."""

from __future__ import annotations

import gzip
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.errors import EdgeHwrError
from train.datasets import csv_crops, emnist, image_folder, mnist


def idx(array: NDArray[np.uint8]) -> bytes:
    head = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
    return head + array.tobytes()


def picture(path: Path, *, paper: int = 255, ink: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((9, 5), paper, np.uint8)
    pixels[2:7, 2] = ink
    cv2.imwrite(str(path), pixels)
    return path


@pytest.fixture
def corner() -> NDArray[np.uint8]:
    """Two glyphs with one bright pixel, right of the top left corner."""
    pixels = np.zeros((2, 28, 28), np.uint8)
    pixels[:, 0, 3] = 255
    return pixels


@pytest.mark.parametrize("folder", ["MNIST/raw", "mnist/MNIST/raw"])
@pytest.mark.parametrize("packed", [True, False])
def test_mnist_is_dark_on_light(
    tmp_path: Path, corner: NDArray[np.uint8], folder: str, packed: bool
) -> None:
    raw = tmp_path / folder
    raw.mkdir(parents=True)
    for name, array in (("images-idx3", corner), ("labels-idx1", np.array([7, 1], np.uint8))):
        data = idx(array)
        path = raw / f"t10k-{name}-ubyte{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(data) if packed else data)
    samples = mnist(tmp_path, train=False)
    assert len(samples) == 2
    assert [samples[i].text for i in range(2)] == ["7", "1"]
    assert samples[0].crop[0, 3] == 0
    assert samples[0].crop[3, 0] == 255


@pytest.mark.parametrize(
    "broken",
    [b"", b"not gzip", gzip.compress(b"\0\0\x08\x03\0\0"), gzip.compress(b"\0" * 99)[:-9]],
    ids=["empty", "text", "no lengths", "cut off"],
)
def test_broken_mnist_is_our_error(tmp_path: Path, broken: bytes) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte.gz").write_bytes(broken)
    with pytest.raises(EdgeHwrError, match="get MNIST anew"):
        mnist(tmp_path, train=True)


def test_missing_mnist_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(EdgeHwrError, match="download=True"):
        mnist(tmp_path, train=True)


def test_emnist_is_turned_upright_and_keeps_case(tmp_path: Path, corner: NDArray[np.uint8]) -> None:
    pytest.importorskip("torchvision", reason="EMNIST needs the extra `train`")
    raw = tmp_path / "EMNIST" / "raw"
    raw.mkdir(parents=True)
    lying = np.ascontiguousarray(corner.transpose(0, 2, 1))
    labels = np.array([10, 36], np.uint8)  # byclass: digits, capitals, small letters
    for part in ("train", "test"):
        (raw / f"emnist-byclass-{part}-images-idx3-ubyte").write_bytes(idx(lying))
        (raw / f"emnist-byclass-{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    samples = emnist(tmp_path, "byclass")
    assert [samples[i].text for i in range(len(samples))] == ["A", "a"]
    assert samples[0].crop[0, 3] == 0
    assert samples[0].crop.dtype == np.uint8


@pytest.mark.parametrize(
    ("split", "said"), [("balanced", "byclass"), ("capitals", "bymerge"), ("digits", "download")]
)
def test_emnist_errors_name_the_next_step(tmp_path: Path, split: str, said: str) -> None:
    pytest.importorskip("torchvision", reason="EMNIST needs the extra `train`")
    with pytest.raises(EdgeHwrError, match=said):
        emnist(tmp_path, split)


def test_folder_names_are_texts(tmp_path: Path) -> None:
    for name in ("7", "Abc", "_slash", "_upper_b"):
        picture(tmp_path / name / "one.png")
    (tmp_path / "7" / "notes.txt").write_text("no picture")
    samples = image_folder(tmp_path)
    assert {samples[i].text for i in range(len(samples))} == {"7", "Abc", "/", "B"}
    assert samples[0].crop.shape == (9, 5)


def test_bright_ink_is_inverted_on_request(tmp_path: Path) -> None:
    picture(tmp_path / "1" / "a.png", paper=0, ink=255)
    crop = image_folder(tmp_path, invert=True)[0].crop
    assert (crop[0, 0], crop[4, 2]) == (255, 0)


def test_folder_errors(tmp_path: Path) -> None:
    with pytest.raises(EdgeHwrError, match="no such folder"):
        image_folder(tmp_path / "none")
    with pytest.raises(EdgeHwrError, match="no picture"):
        image_folder(tmp_path)
    picture(tmp_path / "\u00e9" / "a.png")
    with pytest.raises(EdgeHwrError, match="printable ASCII"):
        image_folder(tmp_path)


def test_csv_crops_lie_beside_their_list(tmp_path: Path) -> None:
    picture(tmp_path / "crops" / "a.png")
    listing = tmp_path / "list.csv"
    listing.write_text('path,text,writer\ncrops/a.png,"10,50",w1\n', encoding="utf-8-sig")
    (sample,) = (csv_crops(listing)[0],)
    assert (sample.text, sample.writer, sample.crop.shape) == ("10,50", "w1", (9, 5))
    listing.write_text("path,text\ncrops/a.png,x\n")
    assert csv_crops(listing)[0].writer == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("file,text\na,b\n", "no column 'path'"),
        ("path,text\n", "no row"),
        ("path,text\na.png,\n", "line 2: empty text"),
        ("path,text\na.png\n", "line 2: empty text"),
        ("path,text\n,b\n", "line 2: no path"),
        ("path,text\na.png,na\u00efve\n", "printable ASCII"),
    ],
)
def test_csv_errors_name_the_line(tmp_path: Path, content: str, said: str) -> None:
    listing = tmp_path / "list.csv"
    listing.write_text(content, encoding="utf-8")
    with pytest.raises(EdgeHwrError, match=said):
        csv_crops(listing)


def test_a_picture_that_is_none_is_our_error(tmp_path: Path) -> None:
    listing = tmp_path / "list.csv"
    listing.write_text("path,text\na.png,x\nnone.png,x\nempty.png,x\n")
    (tmp_path / "a.png").write_text("no picture")
    (tmp_path / "empty.png").touch()
    samples = csv_crops(listing)
    for index, said in enumerate(("not a picture", "No such file", "not a picture")):
        with pytest.raises(EdgeHwrError, match=said):
            samples[index]
