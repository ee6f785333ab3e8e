"""Fields that no form has and crops that no scanner gives: a reading, or an error in our words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import pairwise, product

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from numpy.typing import NDArray

from edge_runtime.automaton import _same_rows
from edge_runtime.errors import TemplateError
from edge_runtime.field import Field
from edge_runtime.grammar import ASCII_LABELS, compile_grammar
from edge_runtime.reader import Reader
from edge_runtime.results import Status

Gray = NDArray[np.uint8]

NO_NUMBERS = (
    Field("small letters", kind="lower", checksum="luhn"),
    Field("cells of letters", kind="code", cells=4, charset="ABCHELO", checksum="luhn"),
    Field("too few cells", kind="phone", cells=20, checksum="iban"),
)


@pytest.mark.parametrize("field", NO_NUMBERS, ids=lambda field: field.name)
def test_ink_in_which_no_number_holds_is_read_and_not_accepted(
    field: Field, tiny_reader: Reader, crops: tuple[Gray, ...]
) -> None:
    for crop in crops:
        one = tiny_reader.read_field(crop, field)
        assert one.text
        assert one.status is not Status.ACCEPTED
        assert one.value is None or "check digit" in one.reason


@pytest.mark.parametrize("shape", [(2000, 20), (4000, 12), (900, 3), (3, 900)])
def test_a_sliver_of_a_crop_is_read(shape: tuple[int, int], tiny_reader: Reader) -> None:
    h, w = shape
    rng = np.random.default_rng(0)
    crop = np.full(shape, 255, np.uint8)
    for x0, y0, x1, y1 in rng.integers(0, [w, h, w, h], (12, 4)).tolist():
        cv2.line(crop, (x0, y0), (x1, y1), 0, 2)
    assert 0 <= tiny_reader.read_field(crop, Field("line")).confidence <= 1
    assert 0 <= tiny_reader.read_field(crop, Field("cells", cells=2)).confidence <= 1


@given(
    nps.arrays(
        np.int32, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=st.integers(-1, 2)
    )
)
def test_rows_are_told_apart_by_what_they_hold(rows: NDArray[np.int32]) -> None:
    number = _same_rows(rows)
    for (one, its), (other, others) in pairwise(zip(number, rows, strict=True)):
        assert (one == other) == np.array_equal(its, others)


def test_another_process_makes_the_same_automata() -> None:
    """Sums go by the order of states: it must not hang on how Python hashes texts this time."""
    program = (
        "import hashlib\n"
        "from edge_runtime.field import Field\n"
        "from edge_runtime.grammar import ASCII_LABELS, compile_grammar\n"
        "kinds = ('amount', 'date', 'time', 'phone', 'email', 'card')\n"
        "made = [compile_grammar(Field('f', kind=kind), ASCII_LABELS) for kind in kinds]\n"
        "edges = b''.join(one.edges.tobytes() for one in made)\n"
        "print(hashlib.sha256(edges).hexdigest())\n"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2, 3)
    }
    assert len(told) == 1


@pytest.mark.parametrize(
    "pattern",
    [
        "(?!0)[01]+", "(?!.*00)[01]+", "(?=.*1)(?!.*a.*a)[ab1]+", "^(?!00|11)[01]{2,3}$",
        "(?=a)(a|1)[01]*", "[]a]+", "[^]a]{1,2}", "([]1])?a", r"[a\]]+", "(?![]])[]0]+",
    ],
)  # fmt: skip
def test_a_pattern_means_what_it_means_to_python(pattern: str) -> None:
    grammar = compile_grammar(Field("f", pattern=pattern), ASCII_LABELS)
    for n in range(1, 5):
        for told in product("ab01]", repeat=n):
            text = "".join(told)
            assert grammar.accepts(text) == bool(re.fullmatch(pattern, text)), text


@pytest.mark.parametrize(
    "pattern", ["[01]+(?!1)", "a(?=b)", "((?!a)[ab])+", "(?!a)b|1", "(?!a){2}b", "(?=(?!a)b)b"]
)
def test_look_aheads_in_the_middle_are_refused(pattern: str) -> None:
    with pytest.raises(TemplateError, match="put look-aheads first"):
        compile_grammar(Field("f", pattern=pattern), ASCII_LABELS)
