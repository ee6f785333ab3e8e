"""The list of training fonts is sound, and what a font lacks is seen; nothing is fetched here."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("fontTools", reason="making font files needs the extra `train`")

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from edge_runtime.errors import EdgeHwrError
from train.fonts_fetch import ASCII, LIST, caseless_letters, load_list, missing_characters


def triangle(side: int, lean: int) -> object:
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((side, 0))
    pen.lineTo((lean, side))
    pen.closePath()
    return pen.glyph()


@pytest.fixture
def font() -> TTFont:
    """Draws A, a (small A), B, b (another shape); C is mapped and empty."""
    glyphs = {".notdef": triangle(9, 0), "A": triangle(800, 400), "a": triangle(400, 200)}
    glyphs |= {"B": triangle(800, 0), "b": triangle(400, 400), "C": TTGlyphPen(None).glyph()}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap({ord(name): name for name in glyphs if len(name) == 1})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (900, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    return builder.font


def test_missing_and_caseless_glyphs_are_named(font: TTFont) -> None:
    assert missing_characters(font) == "".join(sorted(set(ASCII) - set("AaBb")))
    assert caseless_letters(font) == "a"


def test_the_list_is_whole_and_shares_no_family_with_the_examples() -> None:
    families = {source.family for source in load_list()}
    assert len(families) >= 30
    kept_out = {path.stem.rsplit("-", 1)[0] for path in (LIST.parent / "examples").glob("*.ttf")}
    assert kept_out
    assert not families & kept_out


WHOLE = '[[font]]\nfamily = "a"\npackage = "p"\nversion = "1"\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[[font", "give a list"),
        (WHOLE + 'weight = "400"\n', "unknown key 'weight'"),
        ('[[font]]\nfamily = "a"\n', "'package'"),
        (WHOLE * 2, "listed twice"),
    ],
)
def test_a_broken_list_is_our_error(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "list.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(EdgeHwrError, match=said):
        load_list(path)
