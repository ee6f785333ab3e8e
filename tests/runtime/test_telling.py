"""Kinds told from what is written: favoured where nearly all of the belief is, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime import Field, Reader
from edge_runtime.judge import judge
from edge_runtime.place import FieldInk
from edge_runtime.preprocess import Strip
from edge_runtime.shares import Ink
from edge_runtime.spec import ModelSpec
from edge_runtime.telling import told

BOX = (0.0, 0.0, 80.0, 20.0)
FIGURES = "0123456789 .,-/:+()$%#*="


def said(text: str, spec: ModelSpec, *, doubt: str = "", share: float = 0.0) -> NDArray[np.float32]:
    """float32 (2 * len(text) + 1, n_labels): each character in a frame of its own, blank between.

    The last character leaves `share` to `doubt`.
    """
    prob = np.full((2 * len(text) + 1, len(spec.labels)), 1e-6)
    prob[::2, 0] = 1.0
    for at, char in enumerate(text):
        prob[2 * at + 1, spec.labels.index(char)] = 1.0
    if doubt:
        prob[-2, spec.labels.index(text[-1])] = 1.0 - share
        prob[-2, spec.labels.index(doubt)] = share
    return np.log(prob / prob.sum(axis=1, keepdims=True)).astype(np.float32)


def asked(field: Field, spec: ModelSpec, text: str) -> FieldInk:
    strip = Strip(np.full((spec.height_px, 80), 255, np.uint8), 0.0, 0.0, 1.0, 1.0)
    ink = Ink(np.zeros((20, 80), np.uint8), (0, 0))
    n = len(text) if field.cells else 1
    return FieldInk(field, BOX, None, (ink,) * n, (strip,) * n, (False,) * n)


@pytest.mark.parametrize(
    ("text", "kind", "charset"),
    [
        ("1234", "digits", None),
        ("12.5", "text", FIGURES),
        ("FRANCO", "name", "ABC"),
        ("Franco", "name", "abc"),
        ("B12C3", None, None),
    ],
)
def test_cells_tell_their_kind(
    tiny_spec: ModelSpec, text: str, kind: str | None, charset: str | None
) -> None:
    field = Field("f", cells=len(text))
    found, _ = told(
        asked(field, tiny_spec, text), [said(c, tiny_spec) for c in text], tiny_spec.labels
    )
    assert found.get("kind") == kind
    if charset is None:
        assert "charset" not in found
    else:
        assert found["charset"].startswith(charset)


@pytest.mark.parametrize(("share", "kind"), [(0.3, "name"), (0.004, None)])
def test_a_letter_in_doubt_with_a_figure_is_a_letter_among_letters(
    tiny_spec: ModelSpec, share: float, kind: str | None
) -> None:
    frames = [*(said(c, tiny_spec) for c in "FRANC"), said("0", tiny_spec, doubt="O", share=share)]
    found, _ = told(asked(Field("f", cells=6), tiny_spec, "FRANC0"), frames, tiny_spec.labels)
    assert found.get("kind") == kind


def test_a_letter_among_many_is_a_letter_though_it_looks_more_like_a_figure(
    tiny_spec: ModelSpec,
) -> None:
    # log 0.04 is -3.2 nats: more than six cells are favoured by, less than twelve are.
    doubted = said("0", tiny_spec, doubt="O", share=0.04)
    for word, kind in (("FRANC", None), ("FRANCISCODO", "name")):
        frames = [*(said(c, tiny_spec) for c in word), doubted]
        field = Field("f", cells=len(frames))
        found, _ = told(asked(field, tiny_spec, word + "0"), frames, tiny_spec.labels)
        assert found.get("kind") == kind


def test_a_point_in_doubt_keeps_its_place(tiny_spec: ModelSpec) -> None:
    dot = said("1", tiny_spec)
    dot[1] = np.log(1e-6)
    dot[1, [0, tiny_spec.labels.index(".")]] = np.log([0.7, 0.3])
    frames = [said("1", tiny_spec), dot, said("5", tiny_spec)]
    found, _ = told(asked(Field("f", cells=3), tiny_spec, "1.5"), frames, tiny_spec.labels)
    assert "." in found["charset"]


@pytest.mark.parametrize(("text", "charset"), [("12/3", FIGURES), ("hello", None), ("x1", None)])
def test_of_lines_only_figures_are_told(
    tiny_spec: ModelSpec, text: str, charset: str | None
) -> None:
    found, _ = told(asked(Field("f"), tiny_spec, text), [said(text, tiny_spec)], tiny_spec.labels)
    assert found.get("charset") == charset


@pytest.mark.parametrize(
    "field",
    [
        Field("f", "name"),
        Field("f", charset="12ab"),
        Field("f", pattern="[0-9a]+"),
        Field("f", choices=("1234", "b")),
        Field("f", "checkbox"),
    ],
)
def test_what_is_known_is_left_as_it_is(tiny_spec: ModelSpec, field: Field) -> None:
    heard = [said("1234", tiny_spec)]
    assert told(asked(field, tiny_spec, "1234"), heard, tiny_spec.labels) == ({}, 1.0)


def test_a_kind_is_as_sure_as_the_belief_in_it(tiny_spec: ModelSpec) -> None:
    shares = []
    for share in (0.001, 0.1, 0.3):
        frames = [said("42", tiny_spec)[:-1], said("0", tiny_spec, doubt="D", share=share)]
        line = np.concatenate(frames)
        family, sure = told(asked(Field("f"), tiny_spec, "420"), [line], tiny_spec.labels)
        assert family["charset"] == FIGURES
        shares.append(sure)
    assert shares[0] > 0.99 > shares[1] > shares[2] > 0.5


def test_a_reading_is_no_surer_than_its_kind(tiny_spec: ModelSpec) -> None:
    ink = asked(Field("f", "digits"), tiny_spec, "42")
    heard = [said("42", tiny_spec)]
    sure, _ = judge(ink, heard, tiny_spec)
    told_so, _ = judge(replace(ink, kind_share=0.6), heard, tiny_spec)
    assert told_so.text == sure.text
    assert told_so.confidence == pytest.approx(0.6 * sure.confidence)


@given(st.text("0123456789abcXYZ.-", min_size=1, max_size=6))
def test_whatever_is_told_allows_what_was_surely_read(tiny_spec: ModelSpec, text: str) -> None:
    field = Field("f", cells=len(text))
    found, _ = told(
        asked(field, tiny_spec, text), [said(c, tiny_spec) for c in text], tiny_spec.labels
    )
    allowed = found.get("charset") or {"digits": FIGURES[:10]}.get(found.get("kind", ""), text)
    assert set(text) <= set(allowed)


def test_a_page_is_read_with_the_kinds_that_it_shows(
    tiny_reader: Reader, crops: tuple[NDArray[np.uint8], ...]
) -> None:
    page = np.full((300, 400), 235, np.uint8)
    fields = (Field("a", box=(10, 10, 200, 60)), Field("b", box=(10, 100, 200, 150)))
    crop = crops[0][:45, :180]
    page[12 : 12 + crop.shape[0], 12 : 12 + crop.shape[1]] = crop
    found = tiny_reader.tell_kinds(page, fields)
    assert [one.name for one in found] == ["a", "b"]
    assert found[1] == fields[1]  # blank
    assert found[0].box == fields[0].box
