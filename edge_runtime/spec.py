"""What a model is: one `ModelSpec`, born in the training configuration, stamped into the ONNX file.

Owns:   `ModelSpec`, `Calibration`, their JSON form, and the seal that notices a changed byte.
Needs:  `errors` and the standard library.
Words:  the runtime has no default for anything in here; a model without a spec is not read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from edge_runtime.errors import ModelError

SCHEMA = 1
SPEC_KEY = "edge_hwr.spec"  # ONNX metadata key of the spec's JSON
SEAL_KEY = "edge_hwr.seal"  # ONNX metadata key of the seal
# Where a strip is from: a field of one cell, a cell of a row, or a line; a row heard as one, too.
PLACES = ("alone", "cell", "line")
_UNSEALED = b"0" * 64  # what the seal's own 64 digits count as when the file is hashed


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic regression from decoder evidence to the probability that the text is right.

    `probability = 1 / (1 + exp(-(bias + sum(weights * features))))`; see `confidence`.
    """

    bias: float
    weights: tuple[float, ...]
    accept: float  # confidence from which a reading is accepted: the operating point
    reject: float  # confidence under which a reading is rejected
    fitted_on: int  # number of readings it was fitted on; 0 where it is a placeholder


@dataclass(frozen=True, slots=True)
class Twin:
    """The same graph with other numbers, for some of the strips; see `twin`."""

    characters: str = ""  # its fields hold no others; "": any
    groups: tuple[str, ...] = ()  # its fields' groups of calibration; none: all
    places: tuple[str, ...] = ()  # of `PLACES`; none: all

    def __post_init__(self) -> None:
        if not set(self.places) <= set(PLACES):
            raise ModelError(f"a twin for {self.places}: only {PLACES} are known; update edge-hwr")

    def reads(self, group: str, characters: Collection[str], *, place: str) -> bool:
        known = not self.characters or set(characters) <= set(self.characters)
        here = not self.places or place in self.places
        return known and here and (not self.groups or group in self.groups)


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """All that training, export and runtime must agree on.

    Raises:
        ModelError: The values contradict each other.
    """

    name: str
    labels: tuple[str, ...]  # labels[0] is the CTC blank and is ""
    height_px: int  # of a strip
    ink_px: int  # height that a line's ink is scaled to
    margin_px: int  # paper kept left and right of the ink
    min_ink_ratio: float  # ink lower than this part of its crop is not blown up further
    widths_px: tuple[int, ...]  # buckets, ascending; a wider strip is squeezed into the last
    stride_px: int  # strip pixels for one output frame
    mean: float  # of a pixel in 0..1, taken off before the network
    std: float
    stroke_pitch_px: float = 0.0  # strokes nearer to each other are brought this far apart; 0: left
    calibration: Mapping[str, Calibration] = field(default_factory=dict)  # by group of kinds
    twins: Mapping[str, Twin] = field(default_factory=dict)  # by name, the first that fits reads
    notes: Mapping[str, str] = field(default_factory=dict)  # provenance: data, config, licence
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise ModelError(
                f"model spec of schema {self.schema}, this runtime reads {SCHEMA}; "
                "install the edge-hwr version that the model names"
            )
        sound = (
            len(self.labels) > 1
            and self.labels[0] == ""
            and len(set(self.labels)) == len(self.labels)
            and all(len(label) == 1 for label in self.labels[1:])
            and 0 < self.ink_px <= self.height_px
            and self.widths_px == tuple(sorted(set(self.widths_px)))
            and all(width % self.stride_px == 0 for width in self.widths_px)
            and self.std > 0
            and self.stroke_pitch_px >= 0
        )
        if not sound:
            raise ModelError(f"model spec {self.name!r} contradicts itself; run `python -m export`")

    def twin_of(self, group: str, characters: Collection[str], *, place: str) -> str:
        """The twin that reads a strip of such a field; "": the network.

        Args:
            group: Of calibration.
            characters: That its texts may hold.
            place: One of `PLACES`.
        """
        fits = (
            name for name, twin in self.twins.items() if twin.reads(group, characters, place=place)
        )
        return next(fits, "")

    def to_json(self) -> str:
        # Keys in their order: of two twins that fit, the first reads.
        return json.dumps(asdict(self), ensure_ascii=True)

    @staticmethod
    def from_json(text: str) -> ModelSpec:
        """Read a spec back.

        Raises:
            ModelError: Not JSON, a missing or an unknown key, or a value of the wrong type.
        """
        try:
            raw: dict[str, Any] = json.loads(text)
            unknown = raw.keys() - {one.name for one in fields(ModelSpec)}
            if unknown:
                raise ModelError(f"model spec with unknown keys {sorted(unknown)}; update edge-hwr")
            raw["labels"] = tuple(raw["labels"])
            raw["widths_px"] = tuple(raw["widths_px"])
            raw["calibration"] = {
                group: Calibration(**{**one, "weights": tuple(one["weights"])})
                for group, one in raw.get("calibration", {}).items()
            }
            raw["twins"] = {
                name: Twin(
                    **{**one, "groups": tuple(one["groups"]), "places": tuple(one["places"])}
                )
                for name, one in raw.get("twins", {}).items()
            }
            return ModelSpec(**raw)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            fact = f"model spec cannot be read ({error})"
            raise ModelError(f"{fact}; run `python -m export`") from error


def seal(model: bytes) -> bytes:
    """Fill in the seal of a serialised ONNX model whose `SEAL_KEY` holds 64 zeros."""
    at = _seal_at(model)
    return model[:at] + hashlib.sha256(model).hexdigest().encode() + model[at + 64 :]


def check_seal(model: bytes) -> str:
    """The model's digest (SHA-256 of the unsealed file, 64 hex digits).

    Raises:
        ModelError: No seal, or a byte was changed after the export.
    """
    at = _seal_at(model)
    unsealed = model[:at] + _UNSEALED + model[at + 64 :]
    digest = hashlib.sha256(unsealed).hexdigest()
    if digest.encode() != model[at : at + 64]:
        raise ModelError("the file differs from what was exported; install or export it again")
    return digest


def _seal_at(model: bytes) -> int:
    """Where the 64 digits stand: after the key, and protobuf's tag and length of the value."""
    key = model.rfind(SEAL_KEY.encode())
    if key < 0:
        raise ModelError("no edge-hwr seal; export the model with `python -m export`")
    return key + len(SEAL_KEY) + 2  # tag 0x12 and length 0x40, one byte each
