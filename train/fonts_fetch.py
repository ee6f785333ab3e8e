"""Handwriting fonts for the synthesiser: `python -m train.fonts_fetch OUT_DIR`.

Owns:   the road from `train/fonts/TRAINING.toml` to `OUT_DIR`: `<family>.ttf`, `fonts.json` and
        `LICENSES/<family>.txt`.
Needs:  npm on the PATH, fontTools with brotli. Reads nothing that a package brings but font,
        licence and metadata; no script of a package is run.
Words:  a glyph is *missing* if the font has no outline for it; *caseless* if its capital and its
        small letter are the same shape, size aside.
"""

from __future__ import annotations

import json
import shutil
import string
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from numpy.typing import NDArray

from edge_runtime.errors import EdgeHwrError

ASCII = "".join(map(chr, range(32, 127)))
LIST = Path(__file__).with_name("fonts") / "TRAINING.toml"
LICENCES = frozenset({"OFL-1.1", "Apache-2.0"})  # both leave pictures of the glyphs free
_KEYS = frozenset({"family", "package", "version", "no_lower", "avoid"})
_SAME = 0.02  # of a glyph's box: outlines nearer than this are one shape


@dataclass(frozen=True, slots=True)
class FontSource:
    """One line of the list.

    Args:
        family: Name of the file to write.
        package: npm package that holds `files/<family>-latin-400-normal.woff2`.
        version: Exact version of the package.
        no_lower: The small letters are drawn as capitals: compose in upper case only.
        avoid: Characters whose glyph is there but does not look like what it says.
    """

    family: str
    package: str
    version: str
    no_lower: bool = False
    avoid: str = ""


@dataclass(frozen=True, slots=True)
class FontRecord:
    """What `fonts.json` says of a font that was fetched."""

    family: str
    package: str
    version: str
    licence: str  # SPDX name
    attribution: str
    no_lower: bool
    missing: str  # printable ASCII without a usable outline, the listed `avoid` with it
    caseless: str  # small letters whose shape is that of their capital


def load_list(path: Path = LIST) -> tuple[FontSource, ...]:
    """The fonts to fetch.

    Raises:
        EdgeHwrError: The list is missing, is not TOML, or a font has a key too many or too few.
    """
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("font", [])
    except (OSError, ValueError) as error:
        raise EdgeHwrError(f"{path}: {error}; give a list like {LIST.name}") from error
    for row in rows:
        if unknown := sorted(row.keys() - _KEYS):
            raise EdgeHwrError(f"{path}: unknown key {unknown[0]!r}; known are {sorted(_KEYS)}")
        if lacking := sorted({"family", "package", "version"} - row.keys()):
            raise EdgeHwrError(f"{path}: {row} has no {lacking[0]!r}; add it")
    fonts = tuple(FontSource(**row) for row in rows)
    names = [font.family for font in fonts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise EdgeHwrError(f"{path}: {twice[0]} is listed twice; delete one")
    return fonts


def fetch(sources: Sequence[FontSource], out_dir: Path, *, workers: int = 4) -> list[FontRecord]:
    """Fetch every font of the list and write `fonts.json`.

    Raises:
        EdgeHwrError: npm is missing, a package cannot be had, or its licence is not in `LICENCES`.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise EdgeHwrError("npm is not on the PATH; install Node.js or copy fonts by hand")
    (out_dir / "LICENSES").mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(workers) as pool:
        records = list(pool.map(lambda source: _fetch_one(source, out_dir, npm), sources))
    listing = json.dumps([asdict(record) for record in records], indent=1)
    (out_dir / "fonts.json").write_text(listing + "\n", encoding="utf-8")
    return records


def _fetch_one(source: FontSource, out_dir: Path, npm: str) -> FontRecord:
    name = f"{source.package}@{source.version}"
    with tempfile.TemporaryDirectory() as scratch:
        command = [npm, "pack", name, "--silent", "--ignore-scripts", "--pack-destination", scratch]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=scratch)
        packed = sorted(Path(scratch).glob("*.tgz"))
        if done.returncode or not packed:
            raise EdgeHwrError(
                f"{name}: npm pack says {done.stderr.strip() or done.stdout.strip()!r}; check the"
                " network, or take the font out of the list"
            )
        woff, licence_text, meta = _unpack(packed[0], source)
    licence = str(meta["license"]["type"])
    if licence not in LICENCES:
        raise EdgeHwrError(f"{name}: licence {licence}; only {sorted(LICENCES)} may be trained on")
    font = to_ascii_ttf(woff)
    font.save(out_dir / f"{source.family}.ttf")
    (out_dir / "LICENSES" / f"{source.family}.txt").write_bytes(licence_text)
    missing = set(missing_characters(font)) | set(source.avoid)
    return FontRecord(
        family=source.family,
        package=source.package,
        version=source.version,
        licence=licence,
        attribution=str(meta["license"].get("attribution", "")),
        no_lower=source.no_lower,
        missing="".join(sorted(missing)),
        caseless=caseless_letters(font),
    )


def _unpack(packed: Path, source: FontSource) -> tuple[bytes, bytes, dict[str, dict[str, str]]]:
    """Font, licence text and metadata of a package."""
    wanted = (
        f"package/files/{source.family}-latin-400-normal.woff2",
        "package/LICENSE",
        "package/metadata.json",
    )
    found = []
    with tarfile.open(packed) as tar:
        for name in wanted:
            try:
                member = tar.extractfile(name)
            except KeyError:
                member = None
            if member is None:
                raise EdgeHwrError(
                    f"{source.package}@{source.version}: holds no {name}; correct the family"
                )
            found.append(member.read())
    return found[0], found[1], json.loads(found[2])


def to_ascii_ttf(woff: bytes) -> TTFont:
    """A WOFF2 font as TrueType, cut down to printable ASCII, kerning kept."""
    font = TTFont(BytesIO(woff))
    options = Options()
    # No ligatures: each glyph stays one character (the "rs" of one family is 64,001 units wide).
    options.layout_features = ["kern", "calt"]
    options.name_IDs = [0, 1, 2, 13, 14]  # copyright, family, style and licence stay with the font
    subsetter = Subsetter(options)
    subsetter.populate(text=ASCII)
    subsetter.subset(font)
    font.flavor = None
    return font


def _outline(font: TTFont, char: str) -> NDArray[np.float64] | None:
    """Points of a glyph, float64 (n, 2), font units; None if it has none."""
    name = font.getBestCmap().get(ord(char))
    if name is None or name == ".notdef":
        return None
    glyphs = font.getGlyphSet()
    pen = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(pen)
    points = [point for _, args in pen.value for point in args if point is not None]
    return np.array(points, np.float64) if points else None


def missing_characters(font: TTFont) -> str:
    """Printable ASCII that the font cannot draw; a space needs no outline, only a width."""
    cmap = font.getBestCmap()
    return "".join(
        char
        for char in ASCII
        if (ord(char) not in cmap if char == " " else _outline(font, char) is None)
    )


def caseless_letters(font: TTFont) -> str:
    """Small letters that have the outline of their capital, size and place aside."""
    return "".join(
        char
        for char in string.ascii_lowercase
        if _same_shape(_outline(font, char), _outline(font, char.upper()))
    )


def _same_shape(a: NDArray[np.float64] | None, b: NDArray[np.float64] | None) -> bool:
    if a is None or b is None or a.shape != b.shape:
        return False
    boxed = []
    for points in (a, b):
        size = np.ptp(points, axis=0)
        boxed.append((points - points.min(axis=0)) / np.maximum(size, 1))
    return bool(np.abs(boxed[0] - boxed[1]).max() < _SAME)


def main(arguments: Sequence[str]) -> int:
    """Fetch the list into a folder, and say what each font lacks."""
    if len(arguments) != 1:
        print("usage: python -m train.fonts_fetch OUT_DIR", file=sys.stderr)
        return 2
    try:
        records = fetch(load_list(), Path(arguments[0]))
    except EdgeHwrError as error:
        print(error, file=sys.stderr)
        return 1
    for record in records:
        lacks = f"missing {record.missing!r}" if record.missing else "whole ASCII"
        caseless = f", one shape in both cases {record.caseless!r}" if record.caseless else ""
        only_upper = ", upper case only" if record.no_lower else ""
        print(f"{record.family}: {record.licence}, {lacks}{caseless}{only_upper}")
    print(f"{len(records)} fonts in {arguments[0]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
