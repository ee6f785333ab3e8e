"""From any file to an upright grey page, bounded in size before a pixel is decoded.

Owns:   `Page`, `load_page`, `count_pages`, `as_crop`; what may be given as a source.
Needs:  numpy, cv2, `codecs`. Never the network.
Words:  *upright*: EXIF orientation applied, for a path and for bytes alike; an array is upright.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime import codecs
from edge_runtime.errors import ImageError

Gray = NDArray[np.uint8]
Source = str | Path | bytes | bytearray | memoryview | NDArray[Any]

MAX_MEGAPIXELS = 80.0  # an A3 page at 600 dpi has 70; 80 in colour take 240 MB


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One upright page."""

    pixels: Gray  # uint8 (h, w)
    color: Gray | None  # uint8 (h, w, 3) BGR; None where the source is grey or nobody asked
    source: str  # the file, or "<bytes>", "<array>"; "scan.pdf, page 2" where there are several


def load_page(
    source: Source,
    *,
    max_megapixels: float = MAX_MEGAPIXELS,
    page: int | None = None,
    color: bool = True,
) -> Page:
    """Decode one page.

    Args:
        source: Path, encoded bytes, or uint8 array (h, w) or (h, w, 3) BGR.
        max_megapixels: A larger picture is refused before it is decoded; a PDF is drawn smaller.
        page: Number of the page, from 1, as viewers count. May be left out where there is only one.
        color: Keep the colours, too; the grey pixels are the same without them.

    Raises:
        ImageError: Missing, empty, broken, too large, of a wrong type or shape, or several pages
            and none chosen.
    """
    if page is not None and (isinstance(page, bool) or not isinstance(page, int)):
        raise ImageError(f"page is {type(page).__name__}; give a page's number, from 1, as int")
    if isinstance(source, np.ndarray):
        if page not in (None, 1):
            raise ImageError(f"<array>: no page {page}; an array is one page")
        return _from_array(source, max_megapixels=max_megapixels)
    with _opened(source) as (stream, name):
        n = codecs.count(stream, name)
        if page is None and n > 1:
            step = f"choose one from 1 to {n} with --page (in a program page=, or read_pages)"
            raise ImageError(f"{name}: {n} pages; {step}")
        if page is not None and not 1 <= page <= n:
            raise ImageError(f"{name}: no page {page}; choose one from 1 to {n}")
        return _decode(stream, name, page or 1, n, max_megapixels, color=color)


def count_pages(source: Source) -> int:
    """Number of pages, from the header alone.

    Raises:
        ImageError: As `load_page`.
    """
    if isinstance(source, np.ndarray):
        return 1
    with _opened(source) as (stream, name):
        return codecs.count(stream, name)


def as_crop(source: Source, *, max_megapixels: float = MAX_MEGAPIXELS) -> Gray:
    """The grey pixels of a field's crop, uint8 (h, w), h and w at least 1.

    Raises:
        ImageError: As `load_page`.
    """
    return load_page(source, max_megapixels=max_megapixels, color=False).pixels


# --- arrays -------------------------------------------------------------------------------------


def _from_array(array: NDArray[Any], *, max_megapixels: float) -> Page:
    name, shape = "<array>", array.shape
    if array.dtype != np.uint8:
        nan = array.dtype.kind == "f" and bool(np.isnan(array).any())
        raise ImageError(
            f"{name}: dtype {array.dtype}{' with NaN' if nan else ''}, not uint8; "
            "scale to 0..255 and convert with .astype(numpy.uint8)"
        )
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and shape[2] == 3)):
        raise ImageError(f"{name}: shape {shape}; give (h, w) grey or (h, w, 3) BGR, not empty")
    codecs.check_size(name, shape[1], shape[0], max_megapixels)
    return _page(np.ascontiguousarray(array), name)


def _page(pixels: Gray, name: str) -> Page:
    """uint8 (h, w) or (h, w, 3) BGR."""
    if pixels.ndim == 2:
        return Page(pixels, None, name)
    return Page(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8), pixels, name)


# --- files and bytes ----------------------------------------------------------------------------


@contextmanager
def _opened(source: Source) -> Iterator[tuple[BinaryIO, str]]:
    """A seekable stream and the name that messages use."""
    if isinstance(source, bytes | bytearray | memoryview):
        if len(source) == 0:
            raise ImageError("<bytes>: empty; give the whole encoded picture")
        yield io.BytesIO(source), "<bytes>"
        return
    if not isinstance(source, str | Path):
        what = type(source).__name__
        raise ImageError(f"<{what}>: no picture; give a path, bytes or a numpy array")
    path = Path(source)
    try:
        if path.is_dir():
            raise ImageError(f"{source}: a directory; give a picture, or {path / '*.jpg'}")
        if not path.exists():
            raise ImageError(f"{source}: no such file; check the path")
        if path.stat().st_size == 0:
            raise ImageError(f"{source}: an empty file; scan or copy it again")
        stream = path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ImageError(f"{source}: cannot be opened ({error}); check path and rights") from error
    with stream:
        yield stream, str(source)


def _decode(
    stream: BinaryIO, name: str, number: int, n: int, max_megapixels: float, *, color: bool
) -> Page:
    label = name if n == 1 else f"{name}, page {number}"
    decode = partial(codecs.decode, stream, label, number=number, max_megapixels=max_megapixels)
    if not color:
        return Page(decode(gray=True), None, label)
    page = _page(decode(), label)
    if page.color is None or not codecs.has_brightness(stream):
        return page
    return replace(page, pixels=decode(gray=True))
