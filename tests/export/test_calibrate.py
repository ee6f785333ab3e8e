"""Probabilities that mean what they say."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from edge_runtime.confidence import FEATURES, check_calibration, group_of, probability
from edge_runtime.errors import ModelError
from edge_runtime.field import Field
from edge_runtime.grammar import compile_grammar
from edge_runtime.preprocess import Strip
from edge_runtime.reader import Reader
from edge_runtime.spec import Calibration, ModelSpec
from export import calibrate, logistic
from export import card as card_module
from export import items as asked
from export.card import recalibrated
from export.checkpoint import load_trained
from export.pipeline import Options, check_twin, export
from export.quantize import RECIPES, Recipe
from export.recalibrate import recalibrate
from export.widths import reading_widths
from train.config import ConfigError
from train.engine import EngineConfig


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Evidence, right or wrong, and the true probabilities of a known curve."""
    rng = np.random.default_rng(seed)
    x = rng.normal([3, -1, 0], [2, 0.5, 0], (n, 3))
    p = 1 / (1 + np.exp(-(-0.7 + 0.9 * x[:, 0] + 1.5 * x[:, 1])))
    return x, rng.random(n) < p, p


def test_a_known_curve_is_found_again() -> None:
    x, right, p = drawn(20_000)
    bias, weights = logistic.fit(x, right, signs=(1, 1, 0))
    assert bias == pytest.approx(-0.7, abs=0.15)
    assert weights == pytest.approx((0.9, 1.5, 0.0), abs=0.12)
    assert np.abs(logistic.said(x, bias, weights) - p).max() < 0.04
    one = Calibration(bias, weights, accept=0.9, reject=0.1, fitted_on=len(x))
    assert probability(x[5], one) == pytest.approx(logistic.said(x, bias, weights)[5])


def test_a_weight_against_its_sign_is_left_out() -> None:
    x, right, _ = drawn(4_000)
    _, weights = logistic.fit(x, right, signs=(1, -1, 0))
    assert weights[1] == 0.0
    assert weights[0] > 0


@pytest.mark.parametrize("answer", [True, False])
def test_readings_that_are_all_alike_do_not_run_away(answer: bool) -> None:
    x, _, _ = drawn(200)
    bias, weights = logistic.fit(x, np.full(200, answer), signs=(0, 0, 0))
    assert np.isfinite([bias, *weights]).all()
    assert (logistic.said(x, bias, weights).mean() > 0.5) == answer


def test_separable_readings_do_not_run_away() -> None:
    x = np.linspace(-3, 3, 300)[:, None]
    bias, weights = logistic.fit(x, x[:, 0] > 0, signs=(1,))
    assert np.isfinite([bias, *weights]).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_the_operating_point_is_the_lowest_that_is_expected_and_not_contradicted(
    readings: list[tuple[float, bool]],
) -> None:
    p = np.array([one for one, _ in readings])
    right = np.array([one for _, one in readings])
    threshold, rate = logistic.operating_point(p, right, max_error=0.2)

    def good(q: float) -> bool:
        taken = p >= q
        tail = logistic.chance_of(int((~right[taken]).sum()), int(taken.sum()), 0.2)
        return bool((1 - p[taken]).mean() <= 0.2 and tail > 0.05)

    if threshold is None:
        assert rate == 0.0
    else:
        assert rate == pytest.approx((p >= threshold).mean())
        assert good(threshold)
    lower = p if threshold is None else p[p < threshold]
    assert not any(good(q) for q in lower)


def test_two_wrong_of_the_surest_do_not_move_the_point_and_many_do() -> None:
    p = np.linspace(1, 0.9, 2000)
    right = np.ones(2000, bool)
    calm, _ = logistic.operating_point(p, right, max_error=0.003)
    right[[5, 40]] = False
    assert logistic.operating_point(p, right, max_error=0.003)[0] == calm
    right[50:100] = False
    assert logistic.operating_point(p, right, max_error=0.003)[0] != calm


@pytest.mark.parametrize(("least", "n", "share"), [(0, 10, 0.3), (3, 10, 0.3), (10, 10, 0.5)])
def test_chance_of_so_many_wrong_is_the_binomial_tail(least: int, n: int, share: float) -> None:
    exact = sum(math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(least, n + 1))
    assert logistic.chance_of(least, n, share) == pytest.approx(exact, abs=1e-12)


def test_calibration_error_of_the_truth_is_small_and_of_a_lie_large() -> None:
    _, right, p = drawn(20_000)
    assert logistic.calibration_error(p, right) < 0.015
    assert logistic.calibration_error(np.clip(p + 0.2, 0, 1), right) > 0.05


def test_groups_come_with_thresholds_in_order() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 2, (600, len(FEATURES)))
    right = rng.random(600) < 1 / (1 + np.exp(-3 * x[:, 0]))
    read = calibrate.Read({"cell": x, "text": x}, {"cell": right, "text": right}, 0)
    reports = calibrate.fit_groups(read)
    assert set(reports) == {"cell", "text", "default"}
    for one in reports.values():
        assert len(one.calibration.weights) == len(FEATURES)
        assert calibrate.LEAST_ACCEPT <= one.calibration.accept <= 1
        assert one.calibration.reject < one.calibration.accept
    assert reports["default"].n == 1200


@pytest.mark.parametrize("answer", [True, False])
def test_a_group_without_one_kind_of_answer_has_a_threshold(answer: bool) -> None:
    x = np.random.default_rng(1).normal(0, 2, (40, len(FEATURES)))
    read = calibrate.Read({"code": x}, {"code": np.full(40, answer)}, 0)
    assert 0.8 <= calibrate.fit_groups(read)["code"].calibration.accept <= 1


def test_a_wrong_claim_is_another_text_of_the_field(spec: ModelSpec) -> None:
    rng = np.random.default_rng(2)
    for kind, text in (("digits", "0471"), ("code", "A17Q"), ("username", "u.vogel7")):
        grammar = compile_grammar(Field("f", kind=kind), spec.labels)
        claims = [calibrate._wrong_claim(text, grammar, rng) for _ in range(60)]
        assert len(set(claims)) > 20
        assert all(claim and claim != text and grammar.accepts(claim) for claim in claims)
    only = compile_grammar(Field("f", kind="text", pattern="7"), spec.labels)
    assert calibrate._wrong_claim("7", only, rng) is None


def test_claims_are_calibrated_by_their_own_groups() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 2, (900, len(FEATURES)))
    right = rng.random(900) < 1 / (1 + np.exp(-4 * x[:, 0]))
    reports = calibrate.fit_claims(calibrate.Read({"claim_code": x}, {"claim_code": right}, 0))
    assert set(reports) == {"claim_code"}
    assert reports["claim_code"].wrong <= 0.02


def test_items_of_every_group_are_drawn_from_real_hands(handwriting: Path, spec: ModelSpec) -> None:
    items = asked.draw_items(handwriting, spec, EngineConfig(), n=6, seed=4)
    assert [group_of(item.field) for item in items] == [
        group for group in asked.GROUPS for _ in range(6)
    ]
    assert all(item.crop.dtype == np.uint8 and item.crop.ndim == 2 for item in items)
    again = asked.draw_items(handwriting, spec, EngineConfig(), n=6, seed=4)
    assert [item.right for item in again] == [item.right for item in items]


def test_the_whole_export_writes_a_model_that_reads(
    checkpoint: Path, handwriting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a network that learnt nothing, and far too small to be faster in int8."""
    from export import gates

    monkeypatch.setattr(gates, "LEAST_SPEED", 0.0)
    options = Options(
        handwriting, ranges_on=16, gate_on=48, calibrate_on=12, timed=2, fp32=tmp_path / "fp32.onnx"
    )
    path = export(checkpoint, tmp_path / "tiny", options, log=lambda line: None)
    card = (path.parent / "MODEL_CARD.md").read_text("utf-8")
    with Reader(path) as reader:
        check_calibration(reader.spec)
        assert reader.spec.notes["licence"] == "CC-BY-4.0"
        assert reader.spec.notes["strips"] == "1234"
        assert reader.model["digest"] in card
    assert "10.5281/zenodo.1195803" in (path.parent / "LICENSES").read_text("utf-8")
    with Reader(tmp_path / "fp32.onnx") as twin:
        assert twin.spec.calibration == reader.spec.calibration


def twin_of(
    checkpoint: Path, path: Path, *, name: str, changed: str, base: str = "base.pt"
) -> Path:
    """The checkpoint as a twin: other numbers in `changed`."""
    held = torch.load(checkpoint, weights_only=True)
    state = {k: v.clone() for k, v in held["average"].items()}
    state[changed] = state[changed] + 0.1 * torch.randn(state[changed].shape)
    schedule = {**held["schedule"], "base": base, "frozen": ("flatten", "line")}
    path.parent.mkdir()
    torch.save({**held, "name": name, "schedule": schedule, "average": state}, path)
    return path


def test_a_twin_is_exported_with_its_model(
    checkpoint: Path, handwriting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from export import gates

    monkeypatch.setattr(gates, "LEAST_SPEED", 0.0)
    made = twin_of(checkpoint, tmp_path / "t" / "last.pt", name="figures", changed="stem.0.weight")
    options = Options(
        handwriting,
        ranges_on=16,
        gate_on=48,
        calibrate_on=12,
        timed=2,
        fp32=tmp_path / "fp32.onnx",
        twins=(made,),
    )
    path = export(checkpoint, tmp_path / "tiny", options, log=lambda line: None)
    for one in (path, tmp_path / "fp32.onnx"):
        with Reader(one) as reader:
            assert list(reader.spec.twins) == ["figures"]
            twin = reader.spec.twins["figures"]
            assert twin.reads("digits", "0123456789", place="line")
            assert not twin.reads("code", "A", place="line")
            assert not twin.reads("cell_digits", "0123456789", place="cell")
            strip = Strip(np.full((32, 40), 90, np.uint8), 0.0, 0.0, 1.0, 1.0)
            own, other = reader._recognizer.run([strip, strip], ["", "figures"])
            assert not np.allclose(own, other)
    card = (path.parent / "MODEL_CARD.md").read_text("utf-8")
    assert "## Twin: figures" in card
    assert "figures: int8 reads as fp32" in card

    again = recalibrate(
        path,
        tmp_path / "again",
        data=handwriting,
        config=load_trained(checkpoint).config,
        calibrate_on=14,
        seed=2,
        log=lambda line: None,
    )
    with Reader(path) as old, Reader(again) as new:
        assert new.spec == replace(old.spec, calibration=new.spec.calibration)
        assert new.spec.calibration != old.spec.calibration
        assert (
            new.spec.calibration["text"].fitted_on <= 14 < new.spec.calibration["default"].fitted_on
        )
        for twin_name in ("", "figures"):
            before = old._recognizer.run([strip], [twin_name])
            after = new._recognizer.run([strip], [twin_name])
            assert np.array_equal(before, after)
        told = (again.parent / "MODEL_CARD.md").read_text("utf-8")
        assert new.model["digest"] in told
        assert old.model["digest"] not in told
    assert len(told.splitlines()) == len(card.splitlines())
    assert card[card.index("## Training") :] == told[told.index("## Training") :]


def test_a_twin_joins_an_exported_model(
    checkpoint: Path, handwriting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if both had been exported together; other fields' confidence stays."""
    from export import gates

    monkeypatch.setattr(gates, "LEAST_SPEED", 0.0)
    options = Options(
        handwriting, ranges_on=16, gate_on=48, calibrate_on=12, timed=2, fp32=tmp_path / "fp32.onnx"
    )
    base = str(checkpoint)
    figures, codes = (
        twin_of(checkpoint, tmp_path / name / "last.pt", name=name, changed="head.bias", base=base)
        for name in ("figures", "codes")
    )
    both = export(
        checkpoint,
        tmp_path / "both",
        replace(options, twins=(figures, codes)),
        log=lambda line: None,
    )
    one = export(
        checkpoint, tmp_path / "one", replace(options, twins=(figures,)), log=lambda line: None
    )
    joined = recalibrate(
        one,
        tmp_path / "joined",
        data=handwriting,
        config=load_trained(checkpoint).config,
        calibrate_on=12,
        seed=options.seed,
        log=lambda line: None,
        twins=(codes,),
        options=options,
    )
    strip = Strip(np.full((32, 40), 90, np.uint8), 0.0, 0.0, 1.0, 1.0)
    with Reader(both) as wanted, Reader(one) as old, Reader(joined) as new:
        assert list(new.spec.twins) == ["figures", "codes"]
        assert new.spec.notes["twin_codes_sha256"] == wanted.spec.notes["twin_codes_sha256"]
        for name in ("", "figures", "codes"):
            assert np.array_equal(
                wanted._recognizer.run([strip], [name]), new._recognizer.run([strip], [name])
            )
        before, after = old.spec.calibration, new.spec.calibration
        assert before.keys() == after.keys()
        changed = {name for name in after if after[name] != before[name]}
        assert "code" in changed
        mails = {"email", "email_pattern", "cell_email"}
        assert changed <= {"cell", "code", "cell_pattern", "code_pattern", "claim_code", *mails}
    card = (joined.parent / "MODEL_CARD.md").read_text("utf-8")
    assert card.count("## Twin: figures") == card.count("## Twin: codes") == 1
    assert "codes: int8 reads as fp32" in card
    rows = [line for line in card.splitlines() if line.startswith("| code | ")]
    assert [row.count("|") for row in rows] == [9, 2 + 1 + len(calibrate.FEATURES)]
    (fitted,) = re.findall(r"Fitted last: (.*); the others keep", card)
    own = {"cell", "code", "cell_pattern", "code_pattern", "claim_code"}
    assert set(fitted.split(", ")) == own | mails
    again = recalibrate(
        joined,
        tmp_path / "again",
        data=handwriting,
        config=load_trained(checkpoint).config,
        calibrate_on=12,
        seed=options.seed,
        log=lambda line: None,
        twins=(codes,),
        options=options,
    )
    told = (again.parent / "MODEL_CARD.md").read_text("utf-8")
    assert len(told.splitlines()) == len(card.splitlines())
    with pytest.raises(ConfigError, match="no groups of fields: words; known are cell"):
        recalibrate(
            joined, tmp_path / "no", data=handwriting, config=load_trained(checkpoint).config,
            calibrate_on=12, seed=1, log=lambda line: None, groups=("words",),
        )  # fmt: skip


def test_rows_of_an_earlier_fit_are_filled_up() -> None:
    """A card of before the newest features: what is not fitted anew has no weight for them."""
    head = "| group | fields | exact | ECE | rate | accept | accepted | wrong |\n|" + " --- |" * 8
    old = "\n".join([
        "## Confidence", "Told.", "", head, "| text | 9 | 1 | 2 | 3 | 4 | 5 | 6 |", "",
        "| group | bias | " + " | ".join(calibrate.FEATURES[:9]) + " |", "|" + " --- |" * 11,
        "| text | 0.5" + " | 0.25" * 9 + " |", "| code | 0.1" + " | 0.2" * 9 + " |",
    ])  # fmt: skip
    full = len(calibrate.FEATURES)
    fresh = "\n".join([
        head, "| code | 7 | 1 | 2 | 3 | 4 | 5 | 6 |", "",
        "| group | bias | " + " | ".join(calibrate.FEATURES) + " |", "|" + " --- |" * (full + 2),
        "| code | 0.7" + " | 0.8" * full + " |",
    ])  # fmt: skip
    told = card_module._merged(old, fresh, ["code"]).splitlines()
    weights = [line for line in told if line.count("|") > 10]
    assert {line.count("|") for line in weights} == {full + 3}
    assert weights[-1] == "| code | 0.7" + " | 0.8" * full + " |"
    assert weights[-2] == "| text | 0.5" + " | 0.25" * 9 + " | 0.000" * (full - 9) + " |"
    assert "Fitted last: code; the others keep what was fitted before." in told


def test_a_twin_of_another_checkpoint_does_not_join(
    checkpoint: Path, handwriting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from export import gates

    monkeypatch.setattr(gates, "LEAST_SPEED", 0.0)
    options = Options(
        handwriting, ranges_on=16, gate_on=48, calibrate_on=12, timed=2, fp32=tmp_path / "fp32.onnx"
    )
    path = export(checkpoint, tmp_path / "one", options, log=lambda line: None)
    other = twin_of(checkpoint, tmp_path / "b" / "last.pt", name="base", changed="head.bias")
    twin = twin_of(
        other, tmp_path / "t" / "last.pt", name="codes", changed="head.bias", base=str(other)
    )
    with pytest.raises(ConfigError, match="not what the model was exported from"):
        recalibrate(
            path, tmp_path / "joined", data=handwriting, config=load_trained(checkpoint).config,
            calibrate_on=12, seed=1, log=lambda line: None, twins=(twin,), options=options,
        )  # fmt: skip
    assert not (tmp_path / "joined").exists()


@pytest.mark.parametrize("told", ["", "nearest", "percentile x", "minmax, tail fp32"])
def test_a_recipe_that_is_not_known_is_refused(told: str) -> None:
    with pytest.raises(ModelError, match="no recipe"):
        Recipe.read(told)


def test_every_recipe_is_read_back() -> None:
    for recipe in RECIPES:
        for ends in ((), ("head",), ("head", "stem")):
            wanted = replace(recipe, fp32=ends)
            assert Recipe.read(str(wanted)) == wanted


def test_what_has_no_card_is_not_recalibrated(spec: ModelSpec) -> None:
    with pytest.raises(ModelError, match="no card"):
        recalibrated(
            "# a card\n", spec=spec, groups={}, blank=0, sha256="", digest="", bytes_int8=0
        )


def test_to_read_with_there_are_buckets_between_those_of_training(spec: ModelSpec) -> None:
    widths = reading_widths(spec)
    assert set(spec.widths_px) < set(widths)
    assert widths[-1] == spec.widths_px[-1]
    assert replace(spec, widths_px=widths).widths_px == widths  # strides of whole frames


@pytest.mark.parametrize(
    ("name", "changed", "fact"),
    [
        ("figures", "line.0.first.0.weight", "no twin of 'tiny'"),
        ("other", "stem.0.weight", "figures, codes, words are known"),
    ],
)
def test_what_is_no_twin_is_refused(
    checkpoint: Path, tmp_path: Path, name: str, changed: str, fact: str
) -> None:
    twin = twin_of(checkpoint, tmp_path / "t" / "last.pt", name=name, changed=changed)
    with pytest.raises(ConfigError, match=fact):
        check_twin(load_trained(checkpoint), load_trained(twin))


def test_a_failed_gate_writes_nothing(
    checkpoint: Path, handwriting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from export import gates

    monkeypatch.setattr(gates, "FP32_TOLERANCE", -1.0)
    options = Options(handwriting, ranges_on=8, gate_on=16, calibrate_on=4, timed=1)
    with pytest.raises(gates.GateError, match="torch = fp32 ONNX"):
        export(checkpoint, tmp_path / "tiny", options, log=lambda line: None)
    assert not (tmp_path / "tiny").exists()


@given(st.text("abcXYZ", min_size=1, max_size=8), st.integers(0, 99))
def test_a_near_miss_is_another_word_of_the_same_length(text: str, seed: int) -> None:
    told = asked._near_miss(text, np.random.default_rng(seed))
    assert len(told) == len(text)
    assert sum(a.lower() != b.lower() for a, b in zip(told, text, strict=True)) == 1


def test_off_its_list_no_reading_of_a_word_is_right() -> None:
    crop = np.full((20, 60), 255, np.uint8)
    words = [f"word{number}" for number in range(1200)]
    rng = np.random.default_rng(1)
    items = [asked._listed(crop, "zebra", words, rng) for _ in range(160)]
    for item in items:
        assert item.field.choices
        assert (item.right == "zebra") == ("zebra" in item.field.choices)
    short = [item for item in items if item.field.choices and len(item.field.choices) < 400]
    off = [item for item in short if item.right is None]
    near = [item for item in off if any(len(one) == 5 for one in item.field.choices or ())]
    assert 0 < len(near) < len(off) < len(short) < len(items)


def test_a_long_list_holds_half_of_the_words_and_is_made_once() -> None:
    words = tuple(f"word{number}" for number in range(1000))
    first = asked._long_list(words, 0)
    assert 400 < len(first) < 600
    assert asked._long_list(words, 0) is first
    assert asked._long_list(words, 1) != first
