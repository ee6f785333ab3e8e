"""The same network, its probabilities fitted anew: after a change of decoding, on other writers, or
with a twin more.

Owns:   `recalibrate`.
Needs:  onnx, `calibrate`, `card`, `pipeline`, `stamp`, `widths`.

Neither the numbers of the network nor those of the twins that it has change, nor do the priors,
but where others are given;
the buckets are those of the configuration. A twin that is added is made by the model's own recipe
for int8, so that a processor that would choose another recipe changes nothing for other fields;
fitted anew are its fields' groups alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx

from edge_runtime.confidence import (
    CLAIM_GROUPS,
    base_of,
    claim_group_of,
    claim_groups_within,
)
from edge_runtime.enclosed import enclosed
from edge_runtime.prior import PRIORS
from edge_runtime.recognize import MODEL_FILE
from edge_runtime.spec import SPEC_KEY, ModelSpec, check_seal
from edge_runtime.twin import apply_twin, twin_key
from export import card, gates
from export.calibrate import (
    fit_claims,
    fit_groups,
    judge_claims,
    placeholder,
    read_items,
)
from export.checkpoint import Trained, load_trained
from export.items import GROUPS, draw_items
from export.pipeline import TWINS, Options, Steps, check_twin, make, one_thread
from export.quantize import Recipe, graft
from export.stamp import stamp
from export.widths import reading_widths
from train.config import ConfigError, TrainConfig


@dataclass(frozen=True, slots=True)
class _Added:
    """A twin that joins an exported model."""

    trained: Trained
    int8: onnx.ModelProto  # of the model's graph
    gates: Sequence[gates.Gate]


def recalibrate(
    model: Path,
    out: Path,
    *,
    data: Path,
    config: TrainConfig,
    calibrate_on: int,
    seed: int,
    log: Callable[[str], None],
    twins: Sequence[Path] = (),
    options: Options | None = None,
    groups: Sequence[str] = (),
    prior: Path | None = None,
) -> Path:
    """Fit an exported model's confidence anew.

    Args:
        model: An exported file; its card lies beside it.
        out: Folder of the new file and its card; may be the model's own.
        data: The handwriting.
        config: The model's own: what is drawn, and the buckets.
        calibrate_on: Fields of each group.
        seed: Of what is drawn.
        log: Called with a line of text.
        twins: Checkpoints of twins to add, or to put in place of those of their names.
        options: How much is measured of these.
        prior: From `python -m train.prior`, in place of the model's.
        groups: Of `GROUPS` and `CLAIM_GROUPS`, those that are fitted; claims are judged on the
            fields of the groups that are. None: all, or those of the twins that are added.

    Returns:
        Path of the new file.

    Raises:
        ModelError: `model` was not exported here, or was changed.
        ConfigError: A checkpoint is no twin of the model.
        GateError: A twin must not ship.
        DataError: The handwriting is not there.
    """
    one_thread()
    given = model.read_bytes()
    check_seal(given)
    network = onnx.load_model_from_string(given)
    told, beside = {one.key: one.value for one in network.metadata_props}, enclosed(given)
    spec = ModelSpec.from_json(told[SPEC_KEY])
    spec = replace(spec, widths_px=reading_widths(config.spec()))
    others = {
        name: onnx.load_model_from_string(apply_twin(given, beside[twin_key(name)]))
        for name in spec.twins
    }
    added = _add(network, spec, twins, options or Options(data, seed=seed), Steps(log))
    others |= {name: one.int8 for name, one in added.items()}
    spec = replace(
        spec,
        twins={name: TWINS[name] for name in TWINS if name in others},
        notes={**spec.notes, **card.twin_notes({k: one.trained for k, one in added.items()})},
    )
    named = set(groups or _groups_of(added))
    if unknown := sorted(named - {*GROUPS, *CLAIM_GROUPS}):
        known = ", ".join((*GROUPS, *CLAIM_GROUPS))
        raise ConfigError(f"no groups of fields: {', '.join(unknown)}; known are {known}")
    asked = tuple(one for one in GROUPS if one in named)
    kept = named if groups else {*asked, *claim_groups_within(asked)}
    priors = prior.read_bytes() if prior else beside.get(PRIORS, b"")
    items = draw_items(data, spec, config.engine, n=calibrate_on, seed=seed, groups=asked)
    log(f"{len(items)} fields")
    with TemporaryDirectory() as folder:
        bare = Path(folder) / MODEL_FILE
        bare.write_bytes(stamp(network, replace(spec, calibration=placeholder()), priors, others))
        read = read_items(bare, items)
        log("read")
        claimed = [item for item in items if claim_group_of(item.field) in kept]
        claims = judge_claims(bare, claimed, seed=seed)
    fitted = {**fit_groups(read), **fit_claims(claims)}
    if len(asked) < len(GROUPS):  # what hangs on the others as well stays as it was
        fitted = {name: one for name, one in fitted.items() if name in kept}
    for name, one in fitted.items():
        log(f"{name}: {one.line()}")
    fresh = {name: one.calibration for name, one in fitted.items()}
    held = spec.calibration if len(asked) < len(GROUPS) else {}
    spec = replace(spec, calibration={**held, **fresh})
    new = stamp(network, spec, priors, others)
    text = (model.parent / card.CARD_FILE).read_text(encoding="utf-8")
    text = card.recalibrated(
        text,
        spec=spec,
        groups=fitted,
        blank=read.blank,
        sha256=hashlib.sha256(new).hexdigest(),
        digest=check_seal(new),
        bytes_int8=len(new),
        twins={name: one.trained for name, one in added.items()},
        gates=[gate for one in added.values() for gate in one.gates],
        partly=len(asked) < len(GROUPS),
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / MODEL_FILE).write_bytes(new)
    (out / card.CARD_FILE).write_text(text, encoding="utf-8")
    return out / MODEL_FILE


def _add(
    network: onnx.ModelProto, spec: ModelSpec, twins: Sequence[Path], options: Options, steps: Steps
) -> dict[str, _Added]:
    added: dict[str, _Added] = {}
    for trained in map(load_trained, twins):
        base = load_trained(Path(trained.config.schedule.base or "-"))
        check_twin(base, trained)
        if base.sha256 != spec.notes.get("checkpoint_sha256"):
            raise ConfigError(
                f"{trained.config.schedule.base}, the base of {trained.config.name!r}, is not what "
                "the model was exported from"
            )
        made = make(trained, spec, options, steps, recipe=Recipe.read(spec.notes.get("int8", "")))
        gates.check(made.gates)
        added[trained.config.name] = _Added(trained, graft(network, made.int8), made.gates)
    return added


def _groups_of(added: Mapping[str, _Added]) -> tuple[str, ...]:
    """Groups of calibration that read otherwise now; all where nothing was added."""
    named = [TWINS[name].groups or GROUPS for name in added]
    return tuple(one for one in GROUPS if not named or any(base_of(one) in some for some in named))
