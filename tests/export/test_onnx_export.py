"""The graph says what the network says; the file is what the runtime takes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from edge_runtime.errors import ModelError
from edge_runtime.preprocess import Strip
from edge_runtime.recognize import Recognizer
from edge_runtime.spec import ModelSpec, check_seal
from export.checkpoint import Trained, load_trained, save_weights
from export.onnx_export import fold, to_onnx
from export.quantize import run, session
from export.stamp import stamp
from export.strips import Sample
from train.config import ConfigError


def noise(n: int, width: int) -> np.ndarray:
    return np.random.default_rng(n * width).normal(0, 1, (n, 1, 32, width)).astype(np.float32)


def test_folding_changes_no_number_and_leaves_no_normalisation(trained: Trained) -> None:
    folded = fold(trained.network)
    assert not any(isinstance(one, torch.nn.BatchNorm2d) for one in folded.modules())
    x = torch.from_numpy(noise(2, 64))
    with torch.no_grad():
        torch.testing.assert_close(folded(x), trained.network(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("n", "width"), [(1, 32), (3, 64), (8, 128), (1, 252)])
def test_the_graph_takes_any_batch_and_width(
    trained: Trained, fp32: onnx.ModelProto, n: int, width: int
) -> None:
    x = noise(n, width)
    with torch.no_grad():
        expected = trained.network(torch.from_numpy(x)).numpy()
    got = run(session(fp32), x)
    assert got.shape == (n, width // 4, 96)
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_the_graph_holds_nothing_but_the_network(fp32: onnx.ModelProto) -> None:
    kinds = {node.op_type for node in fp32.graph.node}
    assert kinds == {"Conv", "Clip", "Add", "Squeeze", "Transpose", "LogSoftmax"}


def test_a_network_with_an_unknown_step_is_refused(spec: ModelSpec) -> None:
    with pytest.raises(ConfigError, match="no ONNX node is known"):
        to_onnx(torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.GELU()), spec)


def test_the_seal_stands_where_the_runtime_looks(int8: onnx.ModelProto, spec: ModelSpec) -> None:
    data = stamp(int8, spec)
    assert len(check_seal(data)) == 64
    for at in (100, len(data) // 2, len(data) - 1):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(ModelError):
            check_seal(bytes(changed))


def test_stamping_twice_gives_the_same_bytes(int8: onnx.ModelProto, spec: ModelSpec) -> None:
    assert stamp(int8, spec) == stamp(int8, spec)


def test_the_file_names_no_path_of_the_machine_it_was_made_on(
    int8: onnx.ModelProto, spec: ModelSpec
) -> None:
    assert str(Path(__file__).parents[2]).encode() not in stamp(int8, spec)


def test_the_int8_file_reads_and_neighbours_change_nothing(
    int8: onnx.ModelProto, spec: ModelSpec, samples: list[Sample], tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(stamp(int8, spec))
    recognizer = Recognizer(path)
    assert recognizer.spec == spec
    strips = [Strip(one.pixels, 0, 0, 1, 1) for one in samples]
    together = recognizer.run(strips)
    for strip, beside in zip(strips, together, strict=True):
        (alone,) = recognizer.run([strip])
        np.testing.assert_array_equal(alone, beside)
        assert len(alone) == -(-strip.pixels.shape[1] // spec.stride_px)


def test_weights_alone_are_small_and_read_like_a_checkpoint(
    checkpoint: Path, trained: Trained, tmp_path: Path
) -> None:
    path = tmp_path / "weights.pt"
    size = save_weights(checkpoint, path)
    assert size == path.stat().st_size < checkpoint.stat().st_size
    again = load_trained(path)
    assert (again.config, again.seen, again.curve) == (trained.config, 1234, {})
    assert again.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    for name, one in trained.network.state_dict().items():
        torch.testing.assert_close(again.network.state_dict()[name], one, rtol=1e-3, atol=1e-4)


def test_weights_are_mixed_with_the_base_of_their_run(checkpoint: Path, tmp_path: Path) -> None:
    held = torch.load(checkpoint, weights_only=True)
    moved = {k: v + 1 if v.is_floating_point() else v for k, v in held["average"].items()}
    twin, out = tmp_path / "twin.pt", tmp_path / "out.pt"
    schedule = {**held["schedule"], "base": str(checkpoint)}
    torch.save({**held, "schedule": schedule, "average": moved}, twin)
    for mix in (0.0, 0.75, 1.0, 1.5):
        save_weights(twin, out, mix=mix)
        mixed = torch.load(out, weights_only=True)
        assert mixed["mix"] == mix
        for name, one in mixed["average"].items():
            far = mix if one.is_floating_point() else 0
            torch.testing.assert_close(
                one.float(), held["average"][name].float() + far, rtol=2e-3, atol=2e-3
            )
    with pytest.raises(ConfigError, match="leave --mix out"):
        save_weights(checkpoint, out, mix=0.5)


def test_a_run_that_went_on_is_mixed_with_what_the_first_began_from(
    checkpoint: Path, tmp_path: Path
) -> None:
    held = torch.load(checkpoint, weights_only=True)

    def moved(by: float) -> dict[str, torch.Tensor]:
        return {k: v + by if v.is_floating_point() else v for k, v in held["average"].items()}

    first, second, out = (tmp_path / f"{name}.pt" for name in ("first", "second", "out"))
    torch.save({**held, "average": moved(1)}, first)
    schedule = {**held["schedule"], "base": str(first)}
    torch.save({**held, "schedule": schedule, "average": moved(3)}, second)
    for base, by in ((None, 1 + 1.5 * 2), (checkpoint, 1.5 * 3)):
        save_weights(second, out, mix=1.5, base=base)
        mixed = torch.load(out, weights_only=True)
        assert mixed["schedule"]["base"] == str(base or first)
        for name, one in mixed["average"].items():
            far = by if one.is_floating_point() else 0
            torch.testing.assert_close(
                one.float(), held["average"][name].float() + far, rtol=3e-3, atol=3e-3
            )


def test_two_runs_are_averaged(checkpoint: Path, tmp_path: Path) -> None:
    held = torch.load(checkpoint, weights_only=True)
    moved = {k: v + 1 if v.is_floating_point() else v for k, v in held["average"].items()}
    other, out = tmp_path / "other.pt", tmp_path / "out.pt"
    torch.save({**held, "average": moved}, other)
    save_weights(checkpoint, out, other=other)
    for name, one in torch.load(out, weights_only=True)["average"].items():
        far = 0.5 if one.is_floating_point() else 0
        torch.testing.assert_close(
            one.float(), held["average"][name].float() + far, rtol=2e-3, atol=2e-3
        )
    torch.save({**held, "network": {**held["network"], "line_blocks": 9}}, other)
    with pytest.raises(ConfigError, match="another network"):
        save_weights(checkpoint, out, other=other)


def test_the_curve_is_read_beside_the_checkpoint(trained: Trained) -> None:
    assert trained.curve == {"strips": "1234", "exact": "0.6"}


def test_no_checkpoint_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="python -m train"):
        load_trained(tmp_path / "none.pt")
