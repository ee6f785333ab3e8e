"""Configuration, network, loop: what is trained is what was asked for, and it can go on."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from train.__main__ import main
from train.batches import batch_size, fixed_batches
from train.config import ConfigError, ScheduleConfig, TrainConfig, load_config
from train.evaluate import confusions, edit_distance, greedy
from train.loop import Run, has_bfloat16, load_checkpoint, rate_at, train, train_beside
from train.network import Bounded, Network, NetworkConfig, n_macs, n_parameters

CONFIGS = sorted((Path(__file__).parents[2] / "train" / "configs").glob("*.toml"))
TINY = NetworkConfig(
    stem=4, channels=(8, 8, 8), blocks=(1, 1, 1), line_channels=16, line_blocks=1, dropout=0.0
)


def tiny_config(data: Path, *, strips: int, head: str = "ctc") -> TrainConfig:
    schedule = ScheduleConfig(
        strips=strips, batch_px=1024, evaluate_every=128, evaluate_on=48, checkpoint_minutes=0.0
    )
    config = TrainConfig(
        "tiny", data=str(data), network=replace(TINY, head=head), schedule=schedule
    )
    if head == "glyph":
        shares = replace(config.engine, string=0, word=0, line=0, joined=0, mnist_string=0, font=0)
        config = replace(config, engine=shares)
    return config


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_config_builds_its_network(path: Path) -> None:
    config = load_config(path)
    network = Network(config.network, len(config.spec().labels))
    assert n_parameters(network) > 10_000
    assert config.spec().labels[0] == ""


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('name = "a"\nstrps = 1\n', "unknown strps"),
        ('name = "a"\n[schedule]\nstripes = 1\n', "schedule: unknown stripes"),
        ('name = "a"\n[schedule]\nstrips = "many"\n', "strips = 'many' is not of type int"),
        ('name = "a"\nschedule = 3\n', "schedule must be a table"),
        ("", "missing 1 required"),
        ("name = ", "not TOML"),
    ],
)
def test_a_faulty_config_is_named(tmp_path: Path, text: str, fact: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=fact):
        load_config(path)


def test_the_command_reports_errors_with_an_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in capsys.readouterr().err


@settings(deadline=None)  # the first width builds its kernels
@given(st.integers(1, 40))
def test_frames_follow_the_width(columns: int) -> None:
    network = Network(TINY, 96).eval()
    with torch.no_grad():
        out = network(torch.zeros(2, 1, 32, 4 * columns))
    assert out.shape == (2, columns, 96)
    assert torch.allclose(out.exp().sum(dim=2), torch.ones(2, columns), atol=1e-5)


def test_macs_are_those_of_the_convolutions() -> None:
    network = Network(TINY, 96)
    assert n_macs(network, height_px=32, width_px=64) * 2 == n_macs(
        network, height_px=32, width_px=128
    )


@given(st.text("ab", max_size=6), st.text("ab", max_size=6), st.text("ab", max_size=6))
def test_edit_distance_is_a_distance(a: str, b: str, c: str) -> None:
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, b) == edit_distance(b, a) >= abs(len(a) - len(b))
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


def test_greedy_takes_repeats_and_blanks_out() -> None:
    labels = ("", "a", "b")
    frames = torch.nn.functional.one_hot(torch.tensor([[1, 1, 0, 1, 2, 2, 0]]), 3).float()
    assert greedy(frames, labels) == ["aab"]


def test_confusions_count_pairs_of_equal_length() -> None:
    assert confusions([("ab", "cb"), ("ab", "cb"), ("a", "abc")]) == (("a", "c", 2),)


def test_the_rate_rises_stays_and_falls() -> None:
    schedule = ScheduleConfig(rate=1.0, warmup=0.1, decay=0.4)
    assert [round(rate_at(part, schedule), 3) for part in (0, 0.05, 0.1, 0.5, 0.6, 0.8, 1)] == [
        0, 0.5, 1, 1, 1, 0.5, 0,
    ]  # fmt: skip


@pytest.mark.parametrize("has", [True, False])
def test_half_precision_is_asked_of_the_processor(
    has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": has}, raising=False)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert has_bfloat16(torch.device("cpu")) is has


def test_evaluation_sees_the_same_strips_every_time(tiny_data: Path) -> None:
    config = tiny_config(tiny_data, strips=1)
    first, again = (fixed_batches(config, part="tuning", n=20, seed=5) for _ in range(2))
    assert sum(len(batch.texts) for batch in first) == 20
    assert all(torch.equal(a.strips, b.strips) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize("head", ["ctc", "glyph"])
def test_training_goes_on_where_it_stopped(tiny_data: Path, tmp_path: Path, head: str) -> None:
    config = tiny_config(tiny_data, strips=256, head=head)
    first = load_checkpoint(train(Run(config, tmp_path)))
    assert first["seen"] >= 256
    longer = replace(config, schedule=replace(config.schedule, strips=first["seen"] + 64))
    second = load_checkpoint(train(Run(longer, tmp_path)))
    assert second["seen"] > first["seen"]
    assert second["average_steps"] > first["average_steps"]
    with (tmp_path / "curve.csv").open(encoding="utf-8") as file:
        seen = [int(row["strips"]) for row in csv.DictReader(file)]
    assert seen == sorted(seen)
    assert len(seen) >= 3


def test_processes_train_one_network_side_by_side(tiny_data: Path, tmp_path: Path) -> None:
    train_beside(Run(tiny_config(tiny_data, strips=256), tmp_path), 2)
    held = load_checkpoint(tmp_path / "last.pt")
    assert held["seen"] >= 256
    assert held["seen"] >= 16 * held["average_steps"]  # a step sees eight strips or more of each


def test_another_network_does_not_go_on_with_this_run(tiny_data: Path, tmp_path: Path) -> None:
    config = tiny_config(tiny_data, strips=32)
    train(Run(config, tmp_path))
    other = replace(config, network=replace(TINY, line_channels=32))
    with pytest.raises(ConfigError, match="another network"):
        train(Run(other, tmp_path))


def test_a_run_goes_on_from_a_base_and_keeps_what_is_frozen(
    tiny_data: Path, tmp_path: Path
) -> None:
    config = tiny_config(tiny_data, strips=32)
    base = train(Run(config, tmp_path / "base"))
    schedule = replace(config.schedule, base=str(base), frozen=("flatten", "line"), strips=64)
    last = train(Run(replace(config, schedule=schedule), tmp_path / "twin"))
    before, after = load_checkpoint(base)["average"], load_checkpoint(last)["weights"]
    kept = {
        name for name in before if name.startswith(("flatten.", "line.")) and "0.weight" in name
    }
    assert kept
    assert {name for name in before if torch.equal(before[name], after[name])} >= kept
    for name in ("stem.0.weight", "stage3.0.first.0.weight", "line.0.first.1.bias"):
        assert not torch.equal(before[name], after[name]), name


def test_a_base_of_another_network_and_an_unknown_part_are_refused(
    tiny_data: Path, tmp_path: Path
) -> None:
    config = tiny_config(tiny_data, strips=32)
    base = train(Run(config, tmp_path / "base"))
    other = replace(
        config,
        network=replace(TINY, line_channels=32),
        schedule=replace(config.schedule, base=str(base)),
    )
    with pytest.raises(ConfigError, match="cannot be the base"):
        train(Run(other, tmp_path / "a"))
    part = replace(config, schedule=replace(config.schedule, frozen=("tail",)))
    with pytest.raises(ConfigError, match="no part 'tail'"):
        train(Run(part, tmp_path / "b"))


def test_a_batch_of_wide_strips_is_smaller() -> None:
    schedule = ScheduleConfig()
    sizes = [batch_size(width, schedule) for width in TrainConfig("x").strip.widths_px]
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes) >= 8


def test_a_ceiling_settles_where_all_but_a_few_values_lie() -> None:
    torch.manual_seed(0)
    bounded = Bounded()
    for _ in range(400):
        bounded(torch.randn(8, 4, 16, 16))
    level = float(bounded.ceiling)
    assert 2.4 < level < 3.1  # 0.3 % of a normal distribution lie above 2.75
    told = bounded.eval()(torch.tensor([-1.0, 1.0, 9.0]))
    assert told.tolist() == pytest.approx([0.0, 1.0, level])
