"""Any picture becomes an upright grey page, or an error that names the file and the next step."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import sys
import textwrap
import threading
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from edge_runtime.errors import ExitCode, ImageError
from edge_runtime.imaging import as_crop, count_pages, load_page

Gray = NDArray[np.uint8]


def gray_picture(w: int = 61, h: int = 40) -> Gray:
    """No symmetry and no edge sharp enough for JPEG to ring."""
    y, x = np.mgrid[:h, :w]
    return np.asarray(255 - (x * 2 + y * 3) * 120 // (2 * w + 3 * h), np.uint8)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_bomb(side: int) -> bytes:
    """A grey PNG of side x side zeros; its pixels are never all in memory."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    packer, row = zlib.compressobj(1), bytes(side + 1)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_grey_comes_back_to_the_pixel(kind: str, tmp_path: Path) -> None:
    pixels = gray_picture()
    path = tmp_path / "page"
    path.write_bytes(encode(Image.fromarray(pixels), kind))
    for source in (path, str(path), path.read_bytes()):
        page = load_page(source)
        assert np.array_equal(page.pixels, pixels)
    assert load_page(str(path)).source == str(path)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_grey_comes_back_nearly(kind: str) -> None:
    pixels = gray_picture()
    page = load_page(encode(Image.fromarray(pixels), kind, quality=95))
    assert np.abs(page.pixels.astype(int) - pixels).max() <= 4


def test_colour_is_bgr_and_its_grey_is_that_of_the_array() -> None:
    rgb = np.zeros((5, 7, 3), np.uint8)
    rgb[..., 0], rgb[1, 2] = 200, (10, 20, 30)
    page = load_page(encode(Image.fromarray(rgb), "PNG"))
    assert page.color is not None
    assert page.color[1, 2].tolist() == [30, 20, 10]
    assert np.array_equal(page.pixels, load_page(rgb[..., ::-1]).pixels)
    assert np.array_equal(page.pixels, as_crop(page.color))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_to_file_and_bytes_alike(
    kind: str, orientation: int, tmp_path: Path
) -> None:
    upright = gray_picture()
    turn_back = {  # what a camera that was held so has stored
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.T,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).T,
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(turn_back(upright)))
    options = {} if kind in ("PNG", "TIFF") else {"quality": 95}
    data = encode(stored, kind, exif=exif, **options)
    path = tmp_path / "photo"
    path.write_bytes(data)
    for page in (load_page(data), load_page(path)):
        assert page.pixels.shape == upright.shape
        assert np.abs(page.pixels.astype(int) - upright).max() <= 4


def test_a_phones_heic_is_read_upright() -> None:
    heif = pytest.importorskip("pillow_heif", reason="install the extra heic")
    upright = gray_picture(96, 64)
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(upright))).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned clockwise to be upright
    buffer = io.BytesIO()
    heif.from_pillow(stored).save(buffer, quality=95, exif=exif.tobytes())
    page = load_page(buffer.getvalue())
    assert page.pixels.shape == upright.shape
    assert np.abs(page.pixels.astype(int) - upright).max() <= 6
    with pytest.raises(ImageError, match="over the limit"):
        load_page(buffer.getvalue(), max_megapixels=0.001)
    assert "HEIF" not in Image.OPEN  # Pillow's list of formats is as it was


def test_heic_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match=r"edge-hwr\[heic\]"):
        load_page(b"\0\0\0\x18ftypheic" + bytes(64))


def test_bands_join_to_the_whole_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (37, 23, 3), dtype=np.uint8)
    monkeypatch.setattr("edge_runtime.codecs._BAND_PX", 100)
    for picture in (Image.fromarray(noise), Image.fromarray(noise[..., 0])):
        page = load_page(encode(picture, "PNG"))
        seen = page.pixels if page.color is None else page.color[..., ::-1]
        assert np.array_equal(seen, np.asarray(picture))


MEMORY = """
import sys
import numpy as np
from PIL import Image
if sys.argv[2] == "draw":
    Image.fromarray(np.full((10_580, 7_550, 3), 240, np.uint8)).save(sys.argv[1], quality=80)
else:
    from edge_runtime.imaging import load_page
    assert load_page(sys.argv[1]).color is not None
    from edge_runtime.machine import peak_rss_mib
    print(int(peak_rss_mib()))
"""


def test_eighty_megapixels_in_colour_stay_under_the_limit_of_memory(tmp_path: Path) -> None:
    path = str(tmp_path / "large.jpg")
    run = [sys.executable, "-c", MEMORY, path]
    subprocess.run([*run, "draw"], check=True)
    told = subprocess.run([*run, "read"], check=True, capture_output=True, text=True)
    assert int(told.stdout) < 800  # MB; 1000 are allowed for all steps of reading


def test_broken_exif_leaves_the_picture_as_it_is() -> None:
    data = encode(
        Image.fromarray(gray_picture()), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff", quality=95
    )
    assert load_page(data).pixels.shape == gray_picture().shape


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_to_eight(kind: str) -> None:
    pixels = gray_picture()
    deep = Image.fromarray(pixels.astype(np.uint16) * 257)
    assert np.array_equal(load_page(encode(deep, kind)).pixels, pixels)


def test_transparent_paper_is_white() -> None:
    rgba = np.zeros((4, 6, 4), np.uint8)  # black, and see-through but for one pixel
    rgba[1, 2, 3], rgba[2, 2, 3] = 255, 128
    for image in (Image.fromarray(rgba), Image.fromarray(rgba).convert("LA")):
        pixels = load_page(encode(image, "PNG")).pixels
        assert pixels[0, 0] == 255
        assert pixels[1, 2] == 0
        assert 120 <= pixels[2, 2] <= 135


def test_palette_bilevel_and_cmyk_become_grey() -> None:
    pixels = gray_picture()
    palette = Image.fromarray(pixels).convert("RGB").quantize(256)
    assert np.abs(load_page(encode(palette, "PNG")).pixels.astype(int) - pixels).max() <= 2
    clear = Image.new("P", (3, 3), 0)
    clear.putpalette([0, 0, 0, 255, 0, 0])
    assert load_page(encode(clear, "PNG", transparency=0)).pixels.min() == 255
    clear.info["transparency"] = b"\x00\xff"
    assert load_page(encode(clear, "PNG", transparency=b"\x00\xff")).pixels.min() == 255
    bilevel = load_page(encode(Image.fromarray(pixels > 200), "PNG")).pixels
    assert np.array_equal(bilevel, np.where(pixels > 200, 255, 0))
    cmyk = Image.merge("CMYK", [Image.new("L", (9, 9))] * 3 + [Image.new("L", (9, 9), 255)])
    for kind in ("JPEG", "TIFF"):
        assert load_page(encode(cmyk, kind)).pixels.max() <= 4
    assert load_page(encode(Image.new("CMYK", (9, 9)), "JPEG")).pixels.min() >= 251


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (1, 1, 3), (1, 5000, 3)])
def test_the_smallest_pictures_are_crops_too(shape: tuple[int, ...]) -> None:
    array = np.full(shape, 255, np.uint8)
    assert as_crop(array).shape == shape[:2]
    assert np.array_equal(as_crop(encode(Image.fromarray(array), "PNG")), as_crop(array))


def test_an_array_that_is_a_view_gives_contiguous_pixels() -> None:
    pixels = gray_picture()
    page = load_page(pixels[::-1, ::2])
    assert page.pixels.flags.c_contiguous
    assert np.array_equal(page.pixels, pixels[::-1, ::2])


# --- refusals -----------------------------------------------------------------------------------


def refused(source: object) -> str:
    with pytest.raises(ImageError) as caught:
        load_page(source)  # type: ignore[arg-type]
    assert caught.value.exit_code == ExitCode.IMAGE
    message = str(caught.value)
    assert ": " in message
    assert ";" in message  # what follows is the next step
    return message


@pytest.mark.parametrize(
    ("array", "fact"),
    [
        (np.zeros((4, 4)), "float64"),
        (np.full((4, 4), np.nan, np.float32), "NaN"),
        (np.zeros((4, 4), np.int64), "int64"),
        (np.zeros((4, 4), np.uint16), "uint16"),
        (np.zeros((4, 4), bool), "bool"),
        (np.zeros((4, 4), object), "object"),
        (np.zeros(4, np.uint8), "(4,)"),
        (np.zeros((4, 4, 1), np.uint8), "(4, 4, 1)"),
        (np.zeros((4, 4, 4), np.uint8), "(4, 4, 4)"),
        (np.zeros((2, 4, 4, 3), np.uint8), "(2, 4, 4, 3)"),
        (np.zeros((0, 4), np.uint8), "(0, 4)"),
        (np.zeros((4, 0, 3), np.uint8), "(4, 0, 3)"),
        (np.zeros((), np.uint8), "()"),
    ],
)
def test_a_wrong_array_is_refused(array: NDArray[np.uint8], fact: str) -> None:
    assert fact in refused(array)


@pytest.mark.parametrize("source", [None, 3, [[0, 1]], Image.new("L", (2, 2)), object()])
def test_what_is_no_source_is_refused(source: object) -> None:
    assert type(source).__name__ in refused(source)


def test_bad_files_are_refused_by_name(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "gone.jpg")
    assert "directory" in refused(str(tmp_path))
    assert "directory" in refused("")
    refused("a\0b.jpg")
    refused("x" * 5000)
    (tmp_path / "empty.jpg").touch()
    assert "empty" in refused(tmp_path / "empty.jpg")
    assert "empty" in refused(b"")
    (tmp_path / "text.jpg").write_text("Dear sir,\nplease find enclosed")
    message = refused(tmp_path / "text.jpg")
    assert "text.jpg" in message
    assert "text, not a picture" in message
    assert "AVIF" in refused(b"\0\0\0\x18ftypavif" + bytes(64))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_truncated_file_is_refused(kind: str, share: float, tmp_path: Path) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (64, 64), dtype=np.uint8)
    data = encode(Image.fromarray(noise), kind)
    path = tmp_path / f"cut.{kind.lower()}"
    path.write_bytes(data[: int(len(data) * share)])
    assert path.name in refused(path)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "TIFF", "BMP", "WEBP"]), st.data())
def test_changed_bytes_give_a_page_or_our_error(kind: str, data: st.DataObject) -> None:
    good = bytearray(encode(Image.fromarray(gray_picture()), kind))
    for _ in range(data.draw(st.integers(1, 8))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ImageError):
        assert load_page(bytes(good)).pixels.dtype == np.uint8


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_bomb(30_000))
    assert "pixels" in refused(path)
    script = """
        import sys, warnings
        from edge_runtime.errors import ImageError
        from edge_runtime.imaging import load_page
        from edge_runtime.machine import peak_rss_mib
        load_page(open(sys.argv[2], "rb").read())  # what every picture costs
        before = peak_rss_mib()
        warnings.simplefilter("default")
        try:
            load_page(sys.argv[1])
        except ImageError:
            print(peak_rss_mib() - before)
    """
    small = tmp_path / "small.png"
    small.write_bytes(encode(Image.new("L", (8, 8)), "PNG"))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(path), str(small)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < 50  # MiB; decoded it would take 860
    assert done.stderr == ""


def test_the_limit_of_megapixels_is_the_callers() -> None:
    data = encode(Image.new("L", (1001, 1000)), "PNG")
    assert load_page(data, max_megapixels=1.01).pixels.shape == (1000, 1001)
    with pytest.raises(ImageError, match="1001 x 1000 pixels, over the limit of 1 megapixels"):
        load_page(data, max_megapixels=1)
    with pytest.raises(ImageError, match="over the limit"):
        load_page(np.zeros((1000, 1001), np.uint8), max_megapixels=1)


@pytest.mark.parametrize(("dpi", "size"), [((204, 98), (83, 61)), ((204, 196), (42, 61))])
def test_a_fax_with_coarser_rows_is_stretched(dpi: tuple[int, int], size: tuple[int, int]) -> None:
    data = encode(Image.fromarray(gray_picture() > 200), "TIFF", dpi=dpi)
    assert load_page(data).pixels.shape == size
    upright = encode(Image.fromarray(gray_picture() > 200), "TIFF", dpi=dpi[::-1])
    assert load_page(upright).pixels.shape[0] == 40
    assert load_page(upright).pixels.shape[1] > 61


@pytest.mark.parametrize("dpi", [(0, 98), (300, 300), (1, 200), (200.4, 200)])
def test_a_resolution_that_says_nothing_changes_nothing(dpi: tuple[float, float]) -> None:
    data = encode(Image.fromarray(gray_picture()), "TIFF", dpi=dpi)
    assert np.array_equal(load_page(data).pixels, gray_picture())


def test_thirty_two_bits_are_refused() -> None:
    assert "32 bits" in refused(encode(Image.new("F", (4, 4)), "TIFF"))


def test_warning_filters_are_left_as_they_were() -> None:
    before = list(warnings.filters)
    load_page(encode(Image.fromarray(gray_picture()), "TIFF"))
    assert list(warnings.filters) == before


# --- pages --------------------------------------------------------------------------------------


def pages_of(kind: str, n: int) -> bytes:
    sheets = [Image.new("L", (60, 80), 255 - 60 * i) for i in range(n)]
    return encode(sheets[0], kind, save_all=True, append_images=sheets[1:])


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_pages_are_counted_and_chosen(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "batch"
    path.write_bytes(pages_of(kind, 3))
    assert count_pages(path) == 3
    with pytest.raises(ImageError, match=r"3 pages; choose one from 1 to 3 with --page \("):
        load_page(path)
    for page in (0, 4):
        with pytest.raises(ImageError, match=f"no page {page}"):
            load_page(path, page=page)
    pages = [load_page(path, page=i) for i in (1, 2, 3)]
    shades = [int(page.pixels.mean()) for page in pages]
    assert shades[0] > shades[1] > shades[2]
    assert [page.source for page in pages] == [f"{path}, page {i}" for i in (1, 2, 3)]


def test_one_page_needs_no_number() -> None:
    assert load_page(pages_of("TIFF", 1)).source == "<bytes>"
    assert load_page(pages_of("PDF", 1), page=1).source == "<bytes>"
    assert count_pages(np.zeros((3, 3), np.uint8)) == 1
    animation = encode(
        Image.new("L", (9, 9)), "WEBP", save_all=True, append_images=[Image.new("L", (9, 9), 255)]
    )
    assert count_pages(animation) == 1


def test_a_pdf_is_drawn_at_300_dpi_or_within_the_megapixels() -> None:
    sheet = encode(Image.new("RGB", (595, 842), "white"), "PDF", resolution=72)
    assert load_page(sheet).pixels.shape == pytest.approx((3508, 2479), abs=2)
    h, w = load_page(sheet, max_megapixels=1).pixels.shape
    assert 0.95e6 < h * w <= 1e6


def test_a_broken_pdf_is_refused() -> None:
    whole = pages_of("PDF", 1)
    assert "PDF" in refused(whole[:200])
    assert "PDF" in refused(b"%PDF-1.7\nno more")


def test_threads_read_the_same_pages() -> None:
    sources = [
        pages_of("PDF", 1),
        pages_of("TIFF", 1),
        encode(Image.fromarray(gray_picture()), "PNG"),
    ]
    alone = [load_page(source).pixels for source in sources]
    same: list[bool] = []

    def work() -> None:
        for source, pixels in zip(sources, alone, strict=True):
            same.append(np.array_equal(load_page(source).pixels, pixels))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same == [True] * 12


def test_opencv_and_pillow_agree_on_a_jpeg() -> None:
    data = encode(Image.fromarray(gray_picture()), "JPEG", quality=90)
    seen = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert np.abs(seen.astype(int) - load_page(data).pixels).max() <= 1


def test_an_array_has_one_page() -> None:
    array = np.full((40, 60), 255, np.uint8)
    assert load_page(array, page=1).pixels.shape == (40, 60)
    with pytest.raises(ImageError, match="no page 7"):
        load_page(array, page=7)
