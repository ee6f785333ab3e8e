"""Twins: the same graph with other numbers comes back to the byte, and reads its own fields."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from edge_runtime import Field, Reader
from edge_runtime.enclosed import enclose, enclosed
from edge_runtime.errors import ModelError
from edge_runtime.grammar import compile_grammar
from edge_runtime.preprocess import Strip
from edge_runtime.recognize import Recognizer
from edge_runtime.spec import SEAL_KEY, SPEC_KEY, ModelSpec, Twin, seal
from edge_runtime.twin import apply_twin, make_twin, twin_key

Gray = NDArray[np.uint8]
FIGURES = Twin("0123456789.,-=/* X")


def bare(model: Path, *, changed: bool = False) -> onnx.ModelProto:
    """The network without metadata; `changed` gives its first kernel other numbers."""
    held = onnx.load(model)
    del held.metadata_props[:]
    if changed:
        kernel = held.graph.initializer[0]
        kernel.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(kernel), kernel.name))
    return held


def sealed(model: onnx.ModelProto, spec: ModelSpec, told: bytes = b"") -> bytes:
    stamped = onnx.ModelProto()
    helper.set_model_props(stamped, {SPEC_KEY: spec.to_json(), SEAL_KEY: "0" * 64})
    beside = enclose(twin_key("figures"), told) if told else b""
    return seal(model.SerializeToString() + beside + stamped.SerializeToString())


def with_twin(tiny_model: Path, spec: ModelSpec, told: bytes | None = None) -> bytes:
    """The tiny model with the changed one as its twin "figures"."""
    spec = replace(spec, twins={"figures": FIGURES})
    model, twin = bare(tiny_model), bare(tiny_model, changed=True)
    if told is None:
        told = make_twin(model.SerializeToString(), twin.SerializeToString())
    return sealed(model, spec, told)


@pytest.fixture(scope="module")
def model(tiny_model: Path, tiny_spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("twin") / "model.onnx"
    path.write_bytes(with_twin(tiny_model, tiny_spec))
    return path


@given(st.integers(1, 400), st.integers(0, 99), st.binary(max_size=50))
def test_a_twin_comes_back_to_the_byte(n: int, seed: int, behind: bytes) -> None:
    a, b = np.random.default_rng(seed).integers(0, 256, (2, n), dtype=np.uint8)
    told = make_twin(a.tobytes(), b.tobytes())
    assert apply_twin(a.tobytes() + behind, told) == b.tobytes()


def test_what_is_alike_costs_nothing() -> None:
    model = np.random.default_rng(1).integers(0, 256, 100_000, dtype=np.uint8)
    twin = model.copy()
    twin[500:600] += 1
    assert len(make_twin(model.tobytes(), twin.tobytes())) < 600


def test_another_graph_is_no_twin() -> None:
    with pytest.raises(ModelError, match="not the same graph"):
        make_twin(b"123", b"1234")


@pytest.mark.parametrize("told", [b"", b"3", b"x 00", b"3 ~~~~~", b"9999999 00000"])
def test_a_damaged_twin_is_refused(told: bytes) -> None:
    with pytest.raises(ModelError, match="export the model again"):
        apply_twin(b"123", told)


@pytest.mark.parametrize(
    ("group", "characters", "place", "name"),
    [
        ("digits", "0123", "line", "figures"),
        ("cell", "X12", "cell", "figures"),
        ("cell", "X12", "alone", "figures"),
        ("cell", "A1", "cell", "codes"),
        ("cell", "A1", "alone", ""),
        ("code", "A1", "line", "codes"),
        ("text", "A1", "line", ""),
    ],
)
def test_the_first_twin_that_fits_reads(
    tiny_spec: ModelSpec, group: str, characters: str, place: str, name: str
) -> None:
    codes = Twin(groups=("cell", "code"), places=("cell", "line"))
    spec = replace(tiny_spec, twins={"figures": FIGURES, "codes": codes})
    assert spec.twin_of(group, characters, place=place) == name
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert list(ModelSpec.from_json(spec.to_json()).twins) == ["figures", "codes"]


@pytest.mark.parametrize(
    ("field", "characters"),
    [
        (Field("f", "digits"), "0123456789 .,-=/*"),
        (Field("f", "digits", cells=3, charset="0123456789X"), "0123456789X"),
        (Field("f", "text", choices=("ab", "bc")), "abc"),
        (Field("f", "text", pattern="[A-C]{2}1"), "ABC1"),
    ],
)
def test_a_grammar_knows_its_characters(
    tiny_spec: ModelSpec, field: Field, characters: str
) -> None:
    found = compile_grammar(field, tiny_spec.labels).characters
    skip = set(compile_grammar(field, tiny_spec.labels).field.skip or "")
    assert found == set(characters) | skip


def test_a_pattern_does_not_change_which_twin_reads(
    model: Path, tiny_spec: ModelSpec, tmp_path: Path
) -> None:
    given = model.read_bytes()
    spec = replace(tiny_spec, twins={"figures": Twin(groups=("code",), places=("line",))})
    held = onnx.load_model_from_string(given)
    told = enclosed(given)[twin_key("figures")]
    del held.metadata_props[:]
    held.DiscardUnknownFields()
    path = tmp_path / "codes.onnx"
    path.write_bytes(sealed(held, spec, told))
    with Reader(path) as reader:
        for field in (Field("f", "code"), Field("f", "code", pattern="[A-Z][0-9]")):
            assert reader._twins_of(field) == ("figures", "figures")
        assert reader._twins_of(Field("f", "text", pattern="[A-Z][0-9]")) == ("", "")


def test_each_strip_is_read_by_its_twin(
    model: Path, tiny_model: Path, tiny_spec: ModelSpec, tmp_path: Path
) -> None:
    rng = np.random.default_rng(2)
    strips = [
        Strip(rng.integers(0, 256, (32, int(w)), dtype=np.uint8), 0.0, 0.0, 1.0, 1.0)
        for w in rng.integers(5, 500, 20)
    ]
    other = tmp_path / "other.onnx"
    other.write_bytes(sealed(bare(tiny_model, changed=True), tiny_spec))
    one, two, both = Recognizer(model), Recognizer(other), Recognizer(model)
    mixed = both.run(strips, ["figures" if at % 3 else "" for at in range(20)])
    plain, twin = one.run(strips), two.run(strips)
    for at, frames in enumerate(mixed):
        np.testing.assert_array_equal(frames, (twin if at % 3 else plain)[at])
    assert not np.array_equal(plain[1], twin[1])


def test_cells_and_the_row_they_stand_in_have_twins_of_their_own(
    model: Path, tiny_spec: ModelSpec
) -> None:
    with Reader(model) as reader:
        reader._recognizer.spec = replace(
            tiny_spec, twins={"a": Twin(places=("alone", "cell")), "b": Twin(places=("line",))}
        )
        assert reader._twins(Field("f", "digits", cells=3)) == ("a", "b")
        assert reader._twins(Field("f", "digits", cells=1)) == ("a", "b")
        assert reader._twins(Field("f", "digits")) == ("b", "b")


def test_a_twin_for_a_place_that_is_not_known_is_refused() -> None:
    with pytest.raises(ModelError, match="update edge-hwr"):
        Twin(places=("page",))


def test_fields_go_to_their_twin_alone_and_together(model: Path, crops: tuple[Gray, ...]) -> None:
    fields = [
        Field("a", "digits"),
        Field("b", "text"),
        Field("c", "username"),
        Field("d", "digits"),
    ]
    items = list(zip(crops, fields, strict=False))
    asked: list[tuple[str, ...]] = []
    with Reader(model) as reader:
        run = reader._recognizer.run

        def spy(strips: list[Strip], twins: list[str]) -> object:
            asked.append(tuple(twins))
            return run(strips, twins)

        reader._recognizer.run = spy  # type: ignore[method-assign, assignment]
        together = reader.read_fields(items)
        alone = [reader.read_field(*item) for item in items]
        likely = reader.match(*items[0], together[0].text)
    assert asked[0] == ("figures", "", "", "figures")
    assert asked[1:] == [("figures",), ("",), ("",), ("figures",), ("figures",)]
    assert [one.text for one in together] == [one.text for one in alone]
    assert likely == pytest.approx(together[0].confidence)


def test_a_model_without_its_twin_is_refused(
    tiny_model: Path, tiny_spec: ModelSpec, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(with_twin(tiny_model, tiny_spec, b""))
    with pytest.raises(ModelError, match="twin 'figures' is missing"):
        Recognizer(path)


def test_a_twin_that_cannot_be_unpacked_is_told_each_time_it_is_asked(
    tiny_model: Path, tiny_spec: ModelSpec, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(with_twin(tiny_model, tiny_spec, b"5 ?"))
    strip = Strip(np.full((32, 40), 90, np.uint8), 0.0, 0.0, 1.0, 1.0)
    recognizer = Recognizer(path)
    recognizer.run([strip])
    for _ in range(2):
        with pytest.raises(ModelError, match="export"):
            recognizer.run([strip], ["figures"])


def test_a_closed_reader_opens_no_twin(model: Path) -> None:
    strip = Strip(np.full((32, 40), 90, np.uint8), 0.0, 0.0, 1.0, 1.0)
    recognizer = Recognizer(model)
    recognizer.close()
    with pytest.raises(ModelError, match="closed"):
        recognizer.run([strip], ["figures"])


def test_the_bundled_model_has_twins_of_its_own_graph() -> None:
    with Reader() as reader:
        names = list(reader.spec.twins)
        path = Path(str(Path(__file__).parents[2] / "edge_runtime/models/small/model.onnx"))
        data = path.read_bytes()
        model = onnx.load_from_string(data)
    beside = enclosed(data)
    nodes = [one.name for one in model.graph.node]
    assert names == ["cells", "figures", "codes", "words"]
    for name in names:
        twin = onnx.load_from_string(apply_twin(data, beside[twin_key(name)]))
        assert not twin.metadata_props
        assert [one.name for one in twin.graph.node] == nodes
