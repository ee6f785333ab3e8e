"""The same network, its probabilities fitted anew: after a change of decoding, or on other writers.

Owns:   `recalibrate`.
Needs:  onnx, `calibrate`, `card`, `stamp`, `widths`.

Neither the numbers of the network nor those of its twins change, nor does the prior; the buckets
are those of the configuration.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx

from edge_runtime.prior import PRIOR_KEY
from edge_runtime.recognize import MODEL_FILE
from edge_runtime.spec import SPEC_KEY, ModelSpec, check_seal
from edge_runtime.twin import apply_twin, twin_key
from export import card
from export.calibrate import (
    draw_items,
    fit_claims,
    fit_groups,
    judge_claims,
    placeholder,
    read_items,
)
from export.stamp import stamp
from export.widths import reading_widths
from train.config import TrainConfig


def recalibrate(
    model: Path,
    out: Path,
    *,
    data: Path,
    config: TrainConfig,
    calibrate_on: int,
    seed: int,
    log: Callable[[str], None],
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

    Returns:
        Path of the new file.

    Raises:
        ModelError: `model` was not exported here, or was changed.
        DataError: The handwriting is not there.
    """
    given = model.read_bytes()
    check_seal(given)
    network = onnx.load_model_from_string(given)
    told = {one.key: one.value for one in network.metadata_props}
    spec = ModelSpec.from_json(told[SPEC_KEY])
    spec = replace(spec, widths_px=reading_widths(config.spec()))
    twins = {
        name: onnx.load_model_from_string(apply_twin(given, told[twin_key(name)]))
        for name in spec.twins
    }
    prior = told.get(PRIOR_KEY, "")
    items = draw_items(data, spec, config.engine, n=calibrate_on, seed=seed)
    log(f"{len(items)} fields")
    with TemporaryDirectory() as folder:
        bare = Path(folder) / MODEL_FILE
        bare.write_bytes(stamp(network, replace(spec, calibration=placeholder()), prior, twins))
        read = read_items(bare, items)
        log("read")
        claims = judge_claims(bare, items, seed=seed)
    groups = {**fit_groups(read), **fit_claims(claims)}
    for name, one in groups.items():
        log(f"{name}: {one.line()}")
    spec = replace(spec, calibration={name: one.calibration for name, one in groups.items()})
    new = stamp(network, spec, prior, twins)
    text = (model.parent / card.CARD_FILE).read_text(encoding="utf-8")
    text = card.recalibrated(
        text,
        spec=spec,
        groups=groups,
        blank=read.blank,
        sha256=hashlib.sha256(new).hexdigest(),
        digest=check_seal(new),
        bytes_int8=len(new),
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / MODEL_FILE).write_bytes(new)
    (out / card.CARD_FILE).write_text(text, encoding="utf-8")
    return out / MODEL_FILE
