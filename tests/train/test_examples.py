"""The example forms: drawn by seed alone, true to their templates, equal to the committed files."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from edge_runtime.field import Field
from train import form_values as say
from train.examples import COMMITTED_SEED, main, template_yaml
from train.form_glyph import FONT_DIR
from train.forms import EXAMPLE_FONTS, FORMS, DrawnForm, draw_form

ROOT = Path(__file__).parents[2]
SEEDS = range(200)
# Other releases of FreeType and libjpeg round other pixels; measured within one release: 0.
_MEAN_LEVELS, _FAR_LEVELS, _FAR_SHARE = 1.0, 48, 0.002


@pytest.fixture(scope="module", params=list(FORMS))
def committed(request: pytest.FixtureRequest) -> DrawnForm:
    return draw_form(request.param, seed=COMMITTED_SEED)


def _fields(name: str) -> list[Field]:
    return [Field(**says) for says in FORMS[name].layout().template(name)["fields"]]


def _values(name: str, seed: int) -> dict[str, str]:
    values: dict[str, str] = FORMS[name].values(np.random.default_rng(seed))
    return values


def test_same_seed_same_form() -> None:
    here, there = (draw_form("door-code", seed=5) for _ in range(2))
    assert here.truth == there.truth
    assert np.array_equal(here.picture, there.picture)


def test_other_seed_other_form() -> None:
    here, there = (draw_form("door-code", seed=seed) for seed in (5, 6))
    assert here.truth != there.truth
    assert not np.array_equal(here.picture, there.picture)
    assert here.template == there.template


def test_committed_files_are_what_the_seed_draws(committed: DrawnForm) -> None:
    folder = ROOT / "examples"
    path = folder / f"{committed.name}.png"
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.shape == committed.picture.shape
    away = np.abs(picture.astype(np.int16) - committed.picture)
    assert away.mean() <= _MEAN_LEVELS
    assert (away > _FAR_LEVELS).mean() <= _FAR_SHARE
    assert path.stat().st_size < 1_500_000
    truth = json.loads((folder / f"{committed.name}.truth.json").read_text(encoding="utf-8"))
    assert truth == {"fields": committed.truth}
    text = (folder / f"{committed.name}.yaml").read_text(encoding="utf-8")
    assert text == template_yaml(committed.template)


def test_template_survives_yaml(committed: DrawnForm) -> None:
    read = yaml.safe_load(template_yaml(committed.template))
    assert json.dumps(read) == json.dumps(committed.template)


@pytest.mark.parametrize("name", list(FORMS))
def test_truth_names_the_fields_of_the_template(name: str) -> None:
    assert list(_values(name, 1)) == [field.name for field in _fields(name)]


@pytest.mark.parametrize("name", list(FORMS))
def test_boxes_are_inside_the_page_and_apart(name: str) -> None:
    sheet = FORMS[name].layout()
    w, h = sheet.size
    boxes = [slot.box for slot in sheet.slots]
    boxes += [(*low, *high) for low, high in sheet.marks]
    for i, (x0, y0, x1, y1) in enumerate(boxes):
        assert 0 <= x0 < x1 <= w
        assert 0 <= y0 < y1 <= h
        for a0, b0, a1, b1 in boxes[:i]:
            assert x1 <= a0 or a1 <= x0 or y1 <= b0 or b1 <= y0


@pytest.mark.parametrize("name", list(FORMS))
def test_values_are_what_their_fields_allow(name: str) -> None:
    fields = _fields(name)
    for seed in SEEDS:
        for field, text in zip(fields, _values(name, seed).values(), strict=True):
            if not text:
                assert field.optional
                continue
            assert text.isascii()
            assert field.pattern is None or re.fullmatch(field.pattern, text)
            assert field.charset is None or set(text) <= set(field.charset)
            assert field.choices is None or text in field.choices
            assert (field.min_length or 0) <= len(text) <= (field.max_length or 99)
            assert not field.cells or len(text) <= field.n_cells
            if field.kind == "checkbox":
                assert text in {"yes", "no"}


def test_luhn_is_stdnums() -> None:
    luhn = pytest.importorskip("stdnum.luhn")
    for seed in SEEDS:
        number = say.account_number(np.random.default_rng(seed))
        assert luhn.is_valid(number)
        wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
        assert not say.luhn_ok(wrong)


def test_the_runtime_takes_the_templates(tmp_path: Path, committed: DrawnForm) -> None:
    from edge_runtime.template import Template

    path = tmp_path / "form.yaml"
    path.write_text(template_yaml(committed.template), encoding="utf-8")
    template = Template.load(path)
    assert [field.name for field in template.fields] == list(committed.truth)
    assert len(template.marks) == 4


def test_the_grammar_admits_what_was_written(committed: DrawnForm) -> None:
    from edge_runtime.grammar import compile_grammar

    labels = ("", *map(chr, range(32, 127)))
    for field in _fields(committed.name):
        if field.kind == "checkbox" or not (text := committed.truth[field.name]):
            continue
        grammar, state = compile_grammar(field, labels), 0
        for glyph in text:
            state = int(grammar.next_state[state, labels.index(glyph)])
            assert state >= 0, field.name
        assert grammar.accepting[state], field.name


def test_the_command_writes_three_files_a_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, committed: DrawnForm
) -> None:
    monkeypatch.setattr("train.examples.draw_form", lambda name, *, seed: committed)
    monkeypatch.setattr("train.examples.FORMS", {committed.name: None})
    assert main(["--seed", "7", "--out", str(tmp_path / "new")]) == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        f"{committed.name}.{end}" for end in ("png", "yaml", "truth.json")
    }


def test_a_folder_that_is_a_file_is_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (taken := tmp_path / "taken").write_text("x")
    assert main(["--out", str(taken)]) != 0
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize("family", EXAMPLE_FONTS)
def test_every_font_comes_with_its_licence(family: str) -> None:
    assert (FONT_DIR / f"{family}-400.ttf").is_file()
    licence = (FONT_DIR / f"{family}-OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE" in licence.upper()
    assert "with Reserved Font Name" not in licence


def test_training_draws_with_other_fonts() -> None:
    text = (ROOT / "train" / "fonts" / "TRAINING.toml").read_text(encoding="utf-8")
    training = {font["family"] for font in tomllib.loads(text)["font"]}
    assert training
    assert not training & set(EXAMPLE_FONTS)
    others = {path.name for path in (ROOT / "train").rglob("*.ttf") if path.parent != FONT_DIR}
    assert not others & {f"{family}{end}.ttf" for family in EXAMPLE_FONTS for end in ("", "-400")}
