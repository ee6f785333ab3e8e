"""Twins of a network: the same graph with other numbers, kept as what differs.

Owns:   `make_twin`, `apply_twin`, `twin_key`.
Needs:  the standard library.
Words:  a *twin* was trained on for the fields of some characters. Its large kernels are those of
        the model, so that what differs packs into a tenth of the file.
"""

from __future__ import annotations

import lzma

from edge_runtime.errors import ModelError

_KEY = "twin."  # of the enclosure, before the twin's name
_FILTERS = ({"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME},)


def twin_key(name: str) -> str:
    """What the enclosure of a twin is called."""
    return f"{_KEY}{name}"


def make_twin(model: bytes, twin: bytes) -> bytes:
    """What turns a serialised ONNX model without metadata into its twin, packed.

    Raises:
        ModelError: They are not of one graph.
    """
    if len(model) != len(twin):
        raise ModelError(
            f"a twin of {len(twin):,} bytes for a model of {len(model):,}: not the same graph"
        )
    packed = lzma.compress(_xor(model, twin), lzma.FORMAT_RAW, filters=_FILTERS)
    return b"%d %b" % (len(model), packed)


def apply_twin(model: bytes, told: bytes) -> bytes:
    """The twin, serialised and without metadata.

    Args:
        model: The file that `told` travelled in; the network comes first in it.
        told: From `make_twin`.

    Raises:
        ModelError: `told` cannot be read, or is of another model.
    """
    try:
        size, _, packed = told.partition(b" ")
        n = int(size)
        other = lzma.decompress(packed, lzma.FORMAT_RAW, filters=_FILTERS)
    except (ValueError, lzma.LZMAError) as error:
        raise ModelError(f"a twin cannot be read ({error}); export the model again") from error
    if not 0 < n == len(other) <= len(model):
        raise ModelError("a twin is of another model; export the model again")
    return _xor(model[:n], other)


def _xor(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a, "little") ^ int.from_bytes(b, "little")).to_bytes(len(a), "little")
