"""A field is sound once it is made: what it takes, what it keeps, what it refuses."""

from __future__ import annotations

import itertools
import pickle
import re
from dataclasses import replace
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.drawn import draw_digits
from edge_runtime.errors import TemplateError
from edge_runtime.field import MOST_CELLS, MOST_CHARACTERS, Field
from edge_runtime.preprocess import normalize_ink
from edge_runtime.reader import Reader
from edge_runtime.segment import field_ink

BOXES = ((0.0, 0.0, 9.0, 9.0), (10.0, 0.0, 19.0, 9.0))


def made(**keys: Any) -> Field:
    return Field(**{"name": "f", **keys})


@pytest.mark.parametrize(
    ("key", "told", "kept"),
    [
        ("cells", np.int64(5), 5),
        ("cells", [list(box) for box in BOXES], BOXES),
        ("cells", np.array(BOXES), BOXES),
        ("cells", map(np.array, BOXES), BOXES),
        ("cells", iter(BOXES), BOXES),
        ("cells", MOST_CELLS, MOST_CELLS),
        ("box", np.array([1, 2, 3, 4]), (1, 2, 3, 4)),
        ("box", [1, 2, 3, 4], (1, 2, 3, 4)),
        ("box", range(4), (0, 1, 2, 3)),
        ("choices", ["b", "a"], ("b", "a")),
        ("choices", {"b": 1, "a": 2}, ("b", "a")),
        ("choices", {"b": 1, "a": 2}.keys(), ("b", "a")),
        ("choices", {"b", "c", "a"}, ("a", "b", "c")),
        ("choices", frozenset(("b", "a")), ("a", "b")),
        ("choices", np.array(["b", "a"]), ("b", "a")),
        ("choices", (one for one in ("b", "a")), ("b", "a")),
        ("min_length", np.int32(3), 3),
        ("max_length", MOST_CHARACTERS, MOST_CHARACTERS),
        ("kind", np.str_("digits"), "digits"),
        ("secret", np.True_, True),
        ("optional", 0, False),
    ],
)
def test_what_can_be_understood_is_kept_as_a_plain_value(key: str, told: Any, kept: Any) -> None:
    field = made(**{key: told})
    value = getattr(field, key)
    assert value == kept
    assert type(value) in (int, str, bool, tuple)
    if key == "choices":
        assert {type(one) for one in value} == {str}
    assert field == made(**{key: kept})
    assert hash(field) == hash(made(**{key: kept}))
    assert repr(field) == repr(replace(field)) == repr(pickle.loads(pickle.dumps(field)))


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"name": None}, "name is None; give a string"),
        ({"name": 5}, "name is 5; give a string"),
        ({"kind": ["digits"]}, "kind is ['digits']; give a string"),
        ({"kind": "digit"}, "unknown kind 'digit'; use one of account"),
        ({"charset": ["a"]}, "charset is ['a']; give a string"),
        ({"skip": ["-"]}, "skip is ['-']; give a string"),
        ({"checksum": 3}, "checksum is 3; give a string"),
        ({"pattern": re.compile("a")}, "pattern is re.compile('a'); give a string"),
        ({"min_length": "3"}, "min_length is '3'; give a whole number"),
        ({"max_length": 3.0}, "max_length is 3.0; give a whole number"),
        ({"max_length": 0}, "lengths 0..0 allow no text"),
        ({"min_length": -1}, "lengths -1..None allow no text"),
        ({"min_length": 5, "max_length": 3}, "lengths 5..3 allow no text"),
        ({"max_length": 10**9}, "max_length must be 10,000 or less"),
        ({"max_length": 10**20}, "max_length must be 10,000 or less"),
        ({"min_length": 10**9}, "min_length must be 10,000 or less"),
        ({"cells": 0}, "cells must be 1 or more; leave it out"),
        ({"cells": []}, "cells must be 1 or more; leave it out"),
        ({"cells": 10_000}, "cells must be 200 or fewer; count the boxes"),
        ({"cells": 10**20}, "cells must be 200 or fewer; count the boxes"),
        ({"cells": itertools.repeat(BOXES[0])}, "cells must be 200 or fewer; count the boxes"),
        ({"cells": 5.0}, "cells is 5.0; give how many there are, or their boxes"),
        ({"cells": "12"}, "cells is '12'; give how many there are, or their boxes"),
        ({"cells": [(0, 0, 5)]}, "cells[0] is (0, 0, 5); give finite numbers x0, y0, x1, y1"),
        ({"cells": (0, 0, 5, 5)}, "cells[0] is 0; give finite numbers"),
        ({"cells": ["1234"]}, "cells[0] is '1234'; give finite numbers"),
        ({"cells": [BOXES[0], (60, 0, 0, 70)]}, "cells[1] is (60, 0, 0, 70); give finite numbers"),
        ({"cells": [(5, 5, 5, 5)]}, "cells[0] is (5, 5, 5, 5); give finite numbers"),
        ({"cells": [(0, 0, nan, 5)]}, "cells[0] is (0, 0, nan, 5); give finite numbers"),
        ({"cells": [(0, 0, inf, 5)]}, "cells[0] is (0, 0, inf, 5); give finite numbers"),
        ({"cells": [(0, 0, 10**400, 5)]}, "cells[0] is (0, 0, 1000000"),
        ({"cells": [(0, 0, None, 5)]}, "cells[0] is (0, 0, None, 5); give finite numbers"),
        ({"cells": np.array([1.0, 2.0])}, "cells[0] is "),
        ({"box": 7}, "box is 7; give finite numbers"),
        ({"box": "1234"}, "box is '1234'; give finite numbers"),
        ({"box": (0, 9, 9, 0)}, "with x0 < x1 and y0 < y1"),
        ({"box": (-inf, 0, 9, 9)}, "box is (-inf, 0, 9, 9); give finite numbers"),
        ({"choices": "ab"}, "choices is 'ab'; give a list of texts"),
        ({"choices": 3}, "choices is 3; give a list of texts"),
        ({"choices": [1, 2]}, "choices[0] is 1; give a string"),
        ({"choices": ("a", None)}, "choices[1] is None; give a string"),
        ({"choices": b"ab"}, "choices is b'ab'; give a list of texts"),
        ({"choices": ()}, "choices are empty; list them, or leave the key out"),
        ({"choices": (one for one in "")}, "choices are empty; list them"),
        ({"secret": "no"}, "secret is 'no'; give True or False"),
        ({"optional": np.array([1, 2])}, "optional is array([1, 2]); give True or False"),
    ],
)
def test_what_cannot_is_refused_with_the_fields_name(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Field(**{"name": "serial", **keys})
    name = "" if "name" in keys else "serial"
    assert str(caught.value).startswith(f"field {name!r}: ")
    assert says in str(caught.value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.tuples(inner, inner, inner, inner),
    max_leaves=8,
)
KEYS = st.sampled_from([key for key in Field.__slots__ if key != "name"])


@given(st.dictionaries(KEYS, anything, max_size=3))
def test_any_value_makes_a_field_that_can_be_hashed_or_is_refused(keys: dict[str, Any]) -> None:
    try:
        field = made(**keys)
    except TemplateError:
        return
    assert hash(replace(field)) == hash(field)
    assert 0 <= field.n_cells <= MOST_CELLS


@pytest.mark.parametrize("cells", [7, 50, 100, 200])
def test_clear_ink_is_somebodys_even_of_far_too_many_cells(cells: int) -> None:
    crop = draw_digits("3141592", seed=1)
    whole = int((normalize_ink(crop) > 200).sum())
    kept = sum(int((one.pixels > 200).sum()) for one in field_ink(crop, made(cells=cells)))
    assert kept > 0.3 * whole


def test_cells_outside_the_crop_are_no_blank(tiny_reader: Reader) -> None:
    crop = np.full((40, 120), 255, np.uint8)
    inside, outside = (5, 5, 30, 35), (1205, 5, 1230, 35)
    tiny_reader.read_field(crop, Field("f", "digits", cells=[inside]))
    with pytest.raises(TemplateError, match="cell 2 lies outside"):
        tiny_reader.read_field(crop, Field("f", "digits", cells=[inside, outside]))
