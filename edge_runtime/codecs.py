"""What Pillow and PDFium know, in our words: a stream in, upright 8-bit pixels out.

Owns:   decoding of one page, the size check before it, and decoders' errors and warnings made ours.
Needs:  numpy, cv2, Pillow; pypdfium2 (the extra `pdf`) once a PDF comes, pillow-heif (the extra
        `heic`) once a phone's HEIC does. Never the network.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from math import inf, sqrt
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ImageError

if TYPE_CHECKING:
    from PIL import Image

Gray = NDArray[np.uint8]

_LEAST_RATIO, _MOST_RATIO = 1.01, 3.0  # of dots across to dots down; of faxes 1.04, 1.92, 2.08
PDF_DPI = 300.0  # what office scanners give; more only costs time
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")  # a phone's MPO opens as JPEG
_JPEG = b"\xff\xd8\xff"
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")  # brands, ISO 23008-12
_SNIFF_BYTES = 1024  # a PDF may begin with this much of something else (PDF 1.7, appendix H.3.4.1)
_ORIENTATION = 0x0112  # EXIF and TIFF tag
_BAND_PX = 400_000  # of a picture that are converted at a time: they stay in the cache
_PHOTOMETRIC, _MIN_IS_WHITE = 0x0106, 0  # TIFF tag and the value that means negative
# EXIF orientation -> (transpose first?, flip rows?, flip columns?), EXIF 2.32, section 4.6.4
_TURNS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
_PDF_LOCK = threading.Lock()  # PDFium is not safe between threads
_WARNINGS_LOCK = threading.RLock()  # nor is the list of warning filters


def count(stream: BinaryIO, name: str) -> int:
    if _is_pdf(stream):
        with open_pdf(stream, name) as document:
            return len(document)
    with _picture(stream, name) as image:
        # Frames of other formats are an animation, or the preview in a phone's JPEG.
        return int(getattr(image, "n_frames", 1)) if image.format == "TIFF" else 1


def decode(
    stream: BinaryIO, name: str, *, number: int, max_megapixels: float, gray: bool = False
) -> Gray:
    """Page `number`, from 1, of the picture or PDF in `stream`.

    Returns:
        uint8 (h, w), or without `gray` (h, w, 3) BGR where there is colour; upright.

    Raises:
        ImageError: It cannot be decoded, or has more than `max_megapixels`.
    """
    if _is_pdf(stream):
        drawn = _draw_pdf(stream, name, number, max_megapixels)
        return np.asarray(cv2.cvtColor(drawn, cv2.COLOR_BGR2GRAY), np.uint8) if gray else drawn
    with _picture(stream, name) as image:
        if number > 1:
            image.seek(number - 1)
        check_size(name, image.width, image.height, max_megapixels)
        if gray and image.format == "JPEG":  # its brightness is stored apart from its colours
            image.draft("L", None)
        image.load()  # before the orientation is asked: Pillow itself turns a TIFF
        pixels, orientation = _in_bands(image, name, gray=gray), _orientation(image)
        ratio = _ratio(image)
    del image  # its memory, before a turned copy is made
    return _upright(_squared(pixels, ratio, max_megapixels), orientation)


def has_brightness(stream: BinaryIO) -> bool:
    """Whether the grey of the file is stored, and not made of its colours: of JPEG."""
    stream.seek(0)
    return stream.read(len(_JPEG)) == _JPEG


def check_size(name: str, w: int, h: int, max_megapixels: float) -> None:
    """Raise `ImageError` where a picture has no pixel or too many."""
    if w < 1 or h < 1:
        raise ImageError(f"{name}: {w} x {h} pixels; give a picture with something in it")
    if w * h > max_megapixels * 1e6:
        raise ImageError(
            f"{name}: {w} x {h} pixels, over the limit of {max_megapixels:g} megapixels; "
            "scan at 300 dpi, or shrink it first"
        )


def _is_pdf(stream: BinaryIO) -> bool:
    stream.seek(0)
    return b"%PDF-" in stream.read(_SNIFF_BYTES)


@contextmanager
def _picture(stream: BinaryIO, name: str) -> Iterator[Image.Image]:
    """Pillow's lazy image; whatever Pillow says of it inside the block becomes an `ImageError`."""
    from PIL import Image, UnidentifiedImageError

    stream.seek(0)
    try:
        with _quiet():
            heic = _is_heic(stream)
            image = _heic(stream, name) if heic else Image.open(stream, formats=_FORMATS)
        with image, _quiet() if image.format == "TIFF" else nullcontext():  # TIFF tags come late
            yield image
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            f"{name}: too many pixels to be decoded ({error}); scan at 300 dpi, or shrink it first"
        ) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name}: {_what(stream)}; give JPEG, PNG, WebP, TIFF, BMP or PDF"
        ) from error
    except Exception as error:  # decoders meet hostile bytes with whatever exception comes up
        raise ImageError(
            f"{name}: broken or cut short ({error}); scan or copy the file again"
        ) from error


def _is_heic(stream: BinaryIO) -> bool:
    stream.seek(0)
    head = stream.read(12)
    stream.seek(0)
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC


def _heic(stream: BinaryIO, name: str) -> Image.Image:
    """Lazy, turned upright by its own frame; Pillow's list of formats is left as it is."""
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise ImageError(f"{name}: reading HEIC needs `pip install 'edge-hwr[heic]'`") from error
    opened: Any = HeifImageFile  # it has no types
    image: Image.Image = opened(stream)
    return image


@contextmanager
def _quiet() -> Iterator[None]:
    """Odd metadata of a sound picture is no news; a bomb is an error, whatever filters are set."""
    from PIL import Image

    with _WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _what(stream: BinaryIO) -> str:
    """What an unknown file seems to be."""
    stream.seek(0)
    head = stream.read(64)
    if head[4:8] == b"ftyp":
        return "an AVIF picture or a film, which is not read"
    is_text = all(byte >= 32 or byte in b"\t\r\n" for byte in head)
    return "text, not a picture" if is_text else "not a picture"


def _in_bands(image: Image.Image, name: str, *, gray: bool) -> Gray:
    """As `decode`; some rows at a time, for Pillow's own copy is large enough."""
    negative = image.format == "TIFF" and image.tag_v2.get(_PHOTOMETRIC) == _MIN_IS_WHITE  # type: ignore[attr-defined]
    out: Gray | None = None
    rows = max(1, _BAND_PX // image.width)
    for top in range(0, image.height, rows):
        bottom = min(image.height, top + rows)
        band = _pixels(image.crop((0, top, image.width, bottom)), name, negative=negative)
        if out is None:
            out = np.empty((image.height, *band.shape[1 : 2 if gray else None]), np.uint8)
        if band.ndim == 3:
            way = cv2.COLOR_RGB2GRAY if gray else cv2.COLOR_RGB2BGR
            cv2.cvtColor(band, way, dst=out[top:bottom])
        else:
            out[top:bottom] = band
    assert out is not None  # a picture has a row
    return out


def _pixels(image: Image.Image, name: str, *, negative: bool) -> Gray:
    """uint8 (h, w) or (h, w, 3) RGB, transparency on white, 16 bits scaled to 8."""
    mode = image.mode
    if mode.startswith("I;16"):
        deep = np.asarray(image).astype(np.uint16)  # astype: to the machine's byte order
        return ((~deep if negative else deep) >> 8).astype(np.uint8)
    if mode in ("I", "F"):
        raise ImageError(f"{name}: 32 bits a pixel; save it with 8 or 16")
    if mode.endswith(("A", "a")) or "transparency" in image.info:
        return _on_white(image)
    if mode == "L":
        return np.asarray(image, np.uint8)
    if mode == "1":
        return np.asarray(image.convert("L"), np.uint8)
    if mode == "P" and image.palette is not None and image.palette.mode == "L":
        return np.asarray(image.convert("L"), np.uint8)
    # P, CMYK, YCbCr; RGB itself is not copied once more
    return np.asarray(image if mode == "RGB" else image.convert("RGB"), np.uint8)


def _on_white(image: Image.Image) -> Gray:
    from PIL import Image

    gray = image.mode in ("L", "LA", "La", "1")
    shown = image.convert("RGBA")
    sheet = Image.new("RGB", image.size, "white")
    sheet.paste(shown, mask=shown.getchannel("A"))
    return np.asarray(sheet.convert("L") if gray else sheet, np.uint8)


def _ratio(image: Image.Image) -> float:
    """Dots to the inch across by those down: of a fax 204 by 98 or 196; 1 where nothing sensible
    is said."""
    try:
        across, down = (float(each) for each in image.info.get("dpi", (1, 1)))
    except (TypeError, ValueError, ZeroDivisionError):  # a fraction of nothing
        return 1.0
    if not (0 < across < inf and 0 < down < inf):
        return 1.0
    ratio = across / down
    return ratio if _LEAST_RATIO <= max(ratio, 1 / ratio) <= _MOST_RATIO else 1.0


def _squared(pixels: Gray, ratio: float, max_megapixels: float) -> Gray:
    """A picture whose dots are no squares, its coarser way stretched."""
    h, w = pixels.shape[:2]
    size = (w, round(h * ratio)) if ratio > 1 else (round(w / ratio), h)
    if ratio == 1 or size[0] * size[1] > max_megapixels * 1e6:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1..8; 1 where there is none or it makes no sense."""
    try:
        with _quiet():
            found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # Pillow raises what it likes on broken EXIF; the picture itself is sound
        return 1
    return found if found in _TURNS else 1


def _upright(pixels: Gray, orientation: int) -> Gray:
    transpose, flip_rows, flip_columns = _TURNS[orientation]
    if transpose:
        pixels = pixels.swapaxes(0, 1)
    pixels = pixels[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]
    return np.ascontiguousarray(pixels)


@contextmanager
def open_pdf(stream: BinaryIO, name: str) -> Iterator[Any]:
    """An open PDF document; PDFium is ours alone until the block ends."""
    if not _is_pdf(stream):
        step = "the fields of a picture are found by edge-hwr template detect"
        raise ImageError(f"{name}: not a PDF; {step}")
    try:
        import pypdfium2
    except ImportError as error:
        raise ImageError(f"{name}: reading a PDF needs `pip install 'edge-hwr[pdf]'`") from error

    stream.seek(0)
    with _PDF_LOCK:
        try:
            document = pypdfium2.PdfDocument(stream.read())
        except pypdfium2.PdfiumError as error:
            raise ImageError(
                f"{name}: a PDF that cannot be opened ({error}); take off its password, "
                "or print it anew"
            ) from error
        try:
            yield document
        except pypdfium2.PdfiumError as error:
            raise ImageError(f"{name}: a broken PDF page ({error}); print it anew") from error
        finally:
            document.close()


def _draw_pdf(stream: BinaryIO, name: str, number: int, max_megapixels: float) -> Gray:
    """A PDF page at `PDF_DPI`, or as fine as the megapixels allow."""
    with open_pdf(stream, name) as document:
        document.init_forms()  # what was typed into form fields is drawn too
        sheet = document[number - 1]
        w, h = sheet.get_size()  # points, 72 to the inch
        if w <= 0 or h <= 0:
            raise ImageError(f"{name}: a page of {w:g} x {h:g} pt; print the PDF anew")
        scale = min(PDF_DPI / 72, sqrt(max_megapixels * 1e6 / (w * h)) * 0.999)  # sizes round up
        drawn = sheet.render(scale=scale, rev_byteorder=False, prefer_bgrx=False)
        pixels = np.array(drawn.to_numpy()[..., :3], np.uint8)  # the bitmap's memory goes with it
    return np.ascontiguousarray(pixels)
