"""The session around the network: what it refuses, and that a strip's answer is its own."""

from __future__ import annotations

import dataclasses
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from edge_runtime import recognize
from edge_runtime.errors import ExitCode, ModelError, ProviderError
from edge_runtime.preprocess import Strip, n_frames
from edge_runtime.recognize import Recognizer, batch_strips, choose_providers
from edge_runtime.spec import SEAL_KEY, SPEC_KEY, ModelSpec, seal

FIXTURES = [HealthCheck.function_scoped_fixture]


@pytest.fixture(scope="module")
def recognizer(tiny_model: Path) -> Recognizer:
    return Recognizer(tiny_model)


@pytest.fixture(scope="module")
def strips(tiny_spec: ModelSpec) -> list[Strip]:
    """Strips of every bucket, some of the same width."""
    rng = np.random.default_rng(3)
    widths = [4, 60, 64, 65, 128, 130, 500, 512, 90, 33, 512, 64]
    return [strip(width, tiny_spec, rng) for width in widths]


def strip(width: int, spec: ModelSpec, rng: np.random.Generator) -> Strip:
    pixels = rng.integers(0, 256, (spec.height_px, width), dtype=np.uint8)
    return Strip(pixels, 0.0, 0.0, 1.0, 1.0)


def test_run_gives_each_strip_its_own_frames_in_order(
    recognizer: Recognizer, strips: list[Strip]
) -> None:
    spec = recognizer.spec
    out = recognizer.run(strips)
    shapes = [(n_frames(one.pixels.shape[1], spec), len(spec.labels)) for one in strips]
    assert [one.shape for one in out] == shapes
    for frames in out:
        assert frames.dtype == np.float32
        assert np.allclose(np.exp(frames).sum(axis=1), 1.0, atol=1e-4)


def test_run_of_nothing_is_nothing(recognizer: Recognizer) -> None:
    assert recognizer.run([]) == []


@settings(max_examples=15, deadline=None, suppress_health_check=FIXTURES)
@given(order=st.permutations(range(12)), take=st.integers(1, 12))
def test_a_strip_reads_the_same_in_any_company(
    recognizer: Recognizer, strips: list[Strip], order: list[int], take: int
) -> None:
    alone = [recognizer.run([one])[0] for one in strips]
    together = recognizer.run([strips[at] for at in order[:take]])
    for at, frames in zip(order, together, strict=False):
        assert np.array_equal(frames, alone[at])


def test_many_strips_go_through_in_bounded_batches(
    recognizer: Recognizer, strips: list[Strip]
) -> None:
    many = recognizer.run(strips * 7)
    few = recognizer.run(strips)
    assert all(np.array_equal(frames, few[at % len(few)]) for at, frames in enumerate(many))
    assert [batch_strips(width, 2048) for width in (32, 64, 256, 1024, 9999)] == [32, 32, 8, 2, 1]


def test_threads_never_change_an_answer(tiny_model: Path, strips: list[Strip]) -> None:
    one, two = Recognizer(tiny_model, threads=1), Recognizer(tiny_model, threads=2)
    pairs = zip(one.run(strips), two.run(strips), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_callers_in_many_threads_get_their_own_answers(
    recognizer: Recognizer, strips: list[Strip]
) -> None:
    alone = [recognizer.run([one])[0] for one in strips]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: recognizer.run([one])[0], strips * 4))
    assert all(np.array_equal(frames, alone[at % len(alone)]) for at, frames in enumerate(found))


def test_callers_take_turns_in_a_session(tiny_model: Path, strips: list[Strip]) -> None:
    recognizer = Recognizer(tiny_model)
    session, inside, most = recognizer._sessions[""], [0], [0]

    class Watched:
        def run(self, *args: object) -> object:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.002)
            out = session.run(*args)
            inside[0] -= 1
            return out

    recognizer._sessions[""] = Watched()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(recognizer.run, [strips[:3]] * 8))
    assert most == [1]


def test_a_closed_recognizer_says_so(tiny_model: Path, strips: list[Strip]) -> None:
    closed = Recognizer(tiny_model)
    closed.close()
    closed.close()
    with pytest.raises(ModelError, match="closed"):
        closed.run(strips)


def test_digest_and_spec_come_from_the_file(tiny_model: Path, tiny_spec: ModelSpec) -> None:
    found = Recognizer(tiny_model)
    assert found.spec == tiny_spec
    assert len(found.digest) == 64
    assert found.digest.encode() in tiny_model.read_bytes()


# What is refused. Every message names the file; each error has its exit code.


def refused(path: Path, match: str) -> None:
    with pytest.raises(ModelError, match=match) as caught:
        Recognizer(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code is ExitCode.MODEL


def test_a_missing_file_a_folder_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none.onnx", "no model")
    refused(tmp_path, "no model")
    (tmp_path / "empty.onnx").touch()
    refused(tmp_path / "empty.onnx", "empty")


def test_what_is_not_an_onnx_is_refused(tmp_path: Path) -> None:
    text, sealed = tmp_path / "text.onnx", tmp_path / "sealed.onnx"
    text.write_bytes(b"not a model at all")
    refused(text, "seal")
    sealed.write_bytes(seal(b"rubbish " + SEAL_KEY.encode() + b"\x12\x40" + b"0" * 64))
    refused(sealed, "cannot load")


@settings(max_examples=40, deadline=None, suppress_health_check=FIXTURES)
@given(part=st.floats(0, 1), flip=st.integers(1, 255))
def test_one_changed_byte_is_noticed(
    tiny_model: Path, tmp_path: Path, part: float, flip: int
) -> None:
    data = bytearray(tiny_model.read_bytes())
    data[round(part * (len(data) - 1))] ^= flip
    changed = tmp_path / "changed.onnx"
    changed.write_bytes(data)
    refused(changed, "seal|differs")


def test_a_truncated_model_is_noticed(tiny_model: Path, tmp_path: Path) -> None:
    data, cut = tiny_model.read_bytes(), tmp_path / "cut.onnx"
    for size in (1, 100, len(data) // 2, len(data) - 1):
        cut.write_bytes(data[:size])
        refused(cut, "seal|differs")


def test_an_onnx_without_our_spec_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.onnx"
    path.write_bytes(seal(foreign({SEAL_KEY: "0" * 64})))
    refused(path, "without our spec")
    path.write_bytes(seal(foreign({SPEC_KEY: "{]", SEAL_KEY: "0" * 64})))
    refused(path, "spec cannot be read")


def test_an_unknown_schema_is_refused(tiny_spec: ModelSpec, tmp_path: Path) -> None:
    path = tmp_path / "future.onnx"
    future = tiny_spec.to_json().replace('"schema": 1', '"schema": 99')
    path.write_bytes(seal(foreign({SPEC_KEY: future, SEAL_KEY: "0" * 64})))
    refused(path, "schema 99")


def test_a_network_with_other_names_is_refused(tiny_spec: ModelSpec, tmp_path: Path) -> None:
    path = tmp_path / "names.onnx"
    path.write_bytes(seal(foreign({SPEC_KEY: tiny_spec.to_json(), SEAL_KEY: "0" * 64})))
    refused(path, "inputs and outputs")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"labels": ("", "a", "b")}, "3 labels"),
        ({"height_px": 48}, "does not take"),
        ({"stride_px": 2}, "expects an output"),
    ],
)
def test_a_spec_that_does_not_fit_the_network_is_refused(
    change: dict[str, object], match: str, tiny_model: Path, tiny_spec: ModelSpec, tmp_path: Path
) -> None:
    model = onnx.load(tiny_model)
    spec = dataclasses.replace(tiny_spec, **change)  # type: ignore[arg-type]
    helper.set_model_props(model, {SPEC_KEY: spec.to_json(), SEAL_KEY: "0" * 64})
    path = tmp_path / "misfit.onnx"
    path.write_bytes(seal(model.SerializeToString()))
    refused(path, match)


def foreign(metadata: dict[str, str]) -> bytes:
    """An ONNX of other names, with this metadata."""
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value[0]], [value[1]])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    helper.set_model_props(model, metadata)
    return bytes(model.SerializeToString())


# Providers.


def test_an_absent_provider_is_an_error_that_names_what_is_there(tiny_model: Path) -> None:
    with pytest.raises(ProviderError, match=r"CPUExecutionProvider.*install") as caught:
        Recognizer(tiny_model, providers=["acl", "cpu"])
    assert caught.value.exit_code is ExitCode.PROVIDER
    assert "--allow-fallback" in str(caught.value)
    assert "allow_fallback=True" in str(caught.value)


def test_an_unknown_provider_is_an_error(tiny_model: Path) -> None:
    with pytest.raises(ProviderError, match="unknown provider 'abacus'"):
        Recognizer(tiny_model, providers=["abacus"])


def test_a_fallback_is_taken_only_when_allowed(tiny_model: Path) -> None:
    found = Recognizer(tiny_model, providers=["acl"], allow_fallback=True)
    assert found.providers == ("CPUExecutionProvider",)


def test_own_names_and_short_names_mean_the_same() -> None:
    there = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    for asked in (["cuda", "cpu"], there, ["CUDA", "CPUExecutionProvider", "cpu"]):
        chosen = choose_providers(asked, available=there, allow_fallback=False)
        assert chosen == ("CUDAExecutionProvider", "CPUExecutionProvider")
    assert choose_providers("cpu", available=there, allow_fallback=False) == (there[1],)
    with pytest.raises(ProviderError, match="no provider"):
        choose_providers([], available=there, allow_fallback=True)


def test_a_provider_that_does_not_come_after_all_is_an_error(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU build lists CUDA even where its libraries are missing, and then goes on without it."""
    import onnxruntime

    listed = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: listed)
    monkeypatch.setattr(recognize, "_open_session", lambda *_: Cpu())
    with pytest.raises(ProviderError, match=r"CUDAExecutionProvider.*there is CPU"):
        Recognizer(tiny_model, providers=["cuda"])


class Cpu:
    """A session that silently fell back."""

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]


def test_a_missing_onnxruntime_is_an_error_with_the_install_line(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ProviderError, match=r'pip install "edge-hwr\[cpu\]"'):
        Recognizer(tiny_model)


@pytest.mark.parametrize("threads", [0, -1, 1_000_000, 1.5, "2", None])
def test_a_number_of_threads_that_is_none_is_refused(tiny_model: Path, threads: int) -> None:
    with pytest.raises(ProviderError, match=f"threads={threads!r}"):
        Recognizer(tiny_model, threads=threads)
