"""The library's own decoder says what is right."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.base85 import decode85


@given(st.binary(max_size=60))
def test_what_was_encoded_comes_back(data: bytes) -> None:
    assert decode85(base64.b85encode(data).decode("ascii")) == data


@given(st.text(st.characters(codec="ascii"), max_size=12))
def test_what_the_library_refuses_is_refused(text: str) -> None:
    try:
        wanted = base64.b85decode(text)
    except ValueError:
        with pytest.raises(ValueError, match="base 85"):
            decode85(text)
    else:
        assert decode85(text) == wanted


def test_letters_beyond_ascii_are_refused() -> None:
    with pytest.raises(ValueError, match="ascii"):
        decode85("é")
