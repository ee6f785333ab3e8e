"""What travels in a model file beside the network: bytes that ONNX has no place for.

Owns:   `enclose`, `enclosed`.
Needs:  the standard library.
Words:  an *enclosure* is a field of ONNX's message whose number ONNX does not use: whoever does not
        know it skips it, by the rules of protobuf
        (https://protobuf.dev/programming-guides/encoding). Metadata hold text alone, in which bytes
        take a quarter more room and have to be decoded whenever a model is loaded.
"""

from __future__ import annotations

from edge_runtime.errors import ModelError

_NUMBER = 7011  # of the field; ONNX's own end at 26, protobuf keeps 19000 to 19999
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # protobuf's wire types
_LONGEST = 10  # bytes of a number
_DAMAGED = "what the model file holds beside the network cannot be read; export the model again"


def enclose(name: str, data: bytes) -> bytes:
    """The field that is appended to a serialised model."""
    body = name.encode("ascii") + b"\0" + data
    return _number(_NUMBER << 3 | _BYTES) + _number(len(body)) + body


def enclosed(model: bytes) -> dict[str, bytes]:
    """What was enclosed in a serialised model, by name.

    Raises:
        ModelError: It is no message of protobuf.
    """
    held, at = {}, 0
    while at < len(model):
        tag, at = _read(model, at)
        wire, size = tag & 7, 0
        if wire == _VARINT:
            _, at = _read(model, at)
        elif wire == _BYTES:
            size, at = _read(model, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ModelError(_DAMAGED)
        if at + size > len(model):
            raise ModelError(_DAMAGED)
        if tag == _NUMBER << 3 | _BYTES:
            name, _, data = model[at : at + size].partition(b"\0")
            held[name.decode("ascii", "replace")] = data
        at += size
    return held


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last byte have the eighth bit set."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _read(model: bytes, at: int) -> tuple[int, int]:
    """The number that stands there, and where it ends."""
    value = 0
    for place, byte in enumerate(model[at : at + _LONGEST]):
        value |= (byte & 0x7F) << 7 * place
        if byte <= 0x7F:
            return value, at + place + 1
    raise ModelError(_DAMAGED)
