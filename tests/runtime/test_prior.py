"""The prior helps free text, has no say elsewhere, and can be switched off."""

from __future__ import annotations

import math
import re
from functools import lru_cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.confidence import expects_words
from edge_runtime.decode import decode, favour
from edge_runtime.errors import ModelError
from edge_runtime.field import Field
from edge_runtime.grammar import compile_grammar
from edge_runtime.outputs import Frames
from edge_runtime.prior import NO_PRIORS, UNIT, Prior, Priors, fold, pack
from edge_runtime.prior_contexts import Contexts
from edge_runtime.prior_search import proposals, proposals_of
from edge_runtime.prior_tables import END, START, column_of
from edge_runtime.reader import Reader
from edge_runtime.recognize import Recognizer
from edge_runtime.shortlist import LEAST_POSTERIOR

LABELS = ("", *(chr(code) for code in range(32, 127)))
# "th" is likely, "tb" is not; everything else backs off to single characters.
SEEN = {"t": -1.0, "h": -2.0, "b": -2.0, "\x03": -1.0, "th": -0.125, "tb": -6.0, "h\x03": -0.125}
PRIOR = Prior("made-up", 2, 1.0, 0.0, pack(SEEN | {"\x02": -12.0}, {"t": -1.0, "\x02": -0.5}))


def frames_of(text: str, other: str, share: float) -> np.ndarray:
    """One sure frame a character, but the last, which is `other` with probability `share`."""
    probs = np.full((2 * len(text), len(LABELS)), 1e-9)
    probs[::2, 0] = 1.0
    for at, char in enumerate(text):
        probs[2 * at + 1, LABELS.index(char)] = 1.0
    probs[-1, LABELS.index(text[-1])] = 1 - share
    probs[-1, LABELS.index(other)] = share
    return np.log(probs / probs.sum(axis=1, keepdims=True)).astype(np.float32)


def test_the_prior_turns_what_the_ink_leaves_open() -> None:
    grammar = compile_grammar(Field("any", kind="text"), LABELS)
    frames = frames_of("tb", "h", 0.4)
    assert decode(frames, grammar).text == "tb"
    told = favour(frames, grammar, PRIOR)
    assert told.text == "th"
    assert [span.char for span in told.spans] == ["t", "h"]
    assert told.alternatives[0].text == "th"
    assert math.isclose(told.log_prob, math.log(0.4), abs_tol=1e-3)


def test_the_prior_does_not_turn_clear_ink() -> None:
    grammar = compile_grammar(Field("any", kind="text"), LABELS)
    assert favour(frames_of("tb", "h", 1e-6), grammar, PRIOR).text == "tb"


@given(st.floats(0.01, 0.99))
def test_posteriors_share_what_the_texts_had(share: float) -> None:
    grammar = compile_grammar(Field("any", kind="text"), LABELS)
    frames = frames_of("tb", "h", share)
    plain, told = decode(frames, grammar, k=30), favour(frames, grammar, PRIOR, k=30)
    assert math.isclose(
        sum(p for _, p in plain.alternatives), sum(p for _, p in told.alternatives), abs_tol=1e-3
    )
    assert told.log_total == plain.log_total


def test_the_prior_is_heard_where_the_ink_is_unsure_in_many_places() -> None:
    # Eight places with three ways each: what the prior wants is far down by ink alone.
    grammar = compile_grammar(Field("any", kind="text"), LABELS)
    probs = np.full((32, len(LABELS)), 1e-9)
    probs[::2, 0] = 1.0
    for at in range(16):
        if at % 2 == 0:
            probs[2 * at + 1, LABELS.index("t")] = 1.0
        else:
            for char, share in (("b", 0.4), ("q", 0.35), ("h", 0.25)):
                probs[2 * at + 1, LABELS.index(char)] = share
    frames = np.log(probs / probs.sum(axis=1, keepdims=True)).astype(np.float32)
    wanted = "th" * 8
    assert wanted not in [text for text, _ in decode(frames, grammar, k=200).alternatives]
    told = favour(frames, grammar, PRIOR)
    assert told.text == wanted
    assert math.isclose(told.log_prob, 8 * math.log(0.25), abs_tol=1e-3)


def test_the_prior_is_heard_where_no_text_has_a_share_that_would_be_named() -> None:
    grammar = compile_grammar(Field("any", kind="text"), LABELS)
    pairs = 15
    frames = np.tile(frames_of("tb", "h", 0.49), (pairs, 1))
    plain, told = decode(frames, grammar), favour(frames, grammar, PRIOR)
    assert math.exp(plain.log_prob - plain.log_total) < LEAST_POSTERIOR
    assert plain.text == "tb" * pairs
    assert told.text == "th" * pairs


def test_case_decides_what_the_ink_leaves_open() -> None:
    grammar = compile_grammar(Field("any", kind="text"), LABELS)
    frames = frames_of("TH", "h", 0.6)
    assert decode(frames, grammar).text == "Th"
    doubtful = np.tile(frames_of("TH", "h", 0.45), (2, 1))
    assert favour(doubtful, grammar, PRIOR).text == "THTH"
    assert favour(frames_of("THTT", "h", 0.999), grammar, PRIOR).text == "THTh"


def test_proposals_are_texts_of_the_grammar() -> None:
    grammar = compile_grammar(Field("any", kind="text", charset="tb"), LABELS)
    found = proposals(Frames(frames_of("tb", "h", 0.9), grammar), grammar, PRIOR)
    assert found
    assert all(set(text) <= set("tb") for text in found)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["any", "tbhx ", "th"]))
def test_strips_by_themselves_are_proposed_what_they_are_among_others(seed: int, own: str) -> None:
    rng = np.random.default_rng(seed)
    charset = None if own == "any" else own
    grammar = compile_grammar(Field("any", kind="text", charset=charset), LABELS)
    strips = []
    for _ in range(3):
        logits = rng.normal(0, 2, (int(rng.integers(1, 14)), len(LABELS)))
        chosen = rng.choice([0, *map(LABELS.index, "tbhx T-")], len(logits))
        logits[np.arange(len(logits)), chosen] += rng.uniform(2, 14, len(logits))
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        strips.append(Frames(logits.astype(np.float32), grammar))
    together = proposals_of(strips, grammar, PRIOR)
    assert together == [proposals(one, grammar, PRIOR) for one in strips]
    assert any(together) or charset


def step_by_step(prior: Prior, text: str) -> float:
    """What the search hears of the prior while a text grows, in nats."""
    contexts = Contexts(prior, LABELS)
    at, total = np.array([contexts.start]), 0.0
    for char in text:
        label = np.array([LABELS.index(char)])
        factor = contexts.factors(at[None], label)
        total += math.log(factor[0, 0])
        at = contexts.after(at, label)
    end = prior.tables.costs[at[0], column_of(END)] / UNIT
    return total - prior.weight * float(end)


@given(st.text("tbhxyz 59.", max_size=9))
def test_the_prior_says_the_same_step_by_step(text: str) -> None:
    assert math.isclose(step_by_step(PRIOR, text), PRIOR.score(text), abs_tol=1e-5)


@settings(deadline=None)  # its tables are read at the first call
@given(st.text("aeinrstTH 1.'", max_size=12))
def test_the_shipped_prior_says_the_same_step_by_step(text: str) -> None:
    prior = bundled()
    assert math.isclose(step_by_step(prior, text), prior.score(text), abs_tol=1e-4)


SPARSE = Prior(
    "sparse", 4, 0.5, 1.0,
    pack({"a": -1.0, "b": -2.0, "ab": -0.5, "bab": -0.25, "abab": -0.125, "\x02\x02\x02a": -3.0},
         {"ab": -0.5, "bab": -0.75, "b": -1.0}),
)  # fmt: skip


@given(st.sampled_from(["bundled", "made-up", "sparse"]), st.text("abehnrstTH 1.'-|", max_size=12))
def test_the_tables_say_what_the_grams_say(name: str, text: str) -> None:
    prior = {"made-up": PRIOR, "sparse": SPARSE}.get(name) or bundled()
    heard = START * (prior.order - 1) + re.sub("(?<=[a-z])-(?=[a-z])", " ", fold(text)) + END
    order = prior.order
    steps = [heard[at - order : at] for at in range(order, len(heard) + 1)]
    total = sum(prior.next(gram[:-1], gram[-1]) for gram in steps)
    assert math.isclose(prior.score(text), prior.weight * (total + prior.bonus * len(text)))


@lru_cache
def bundled() -> Prior:
    prior = Recognizer().priors.words
    assert prior is not None
    return prior


def test_an_unseen_gram_backs_off() -> None:
    assert math.isclose(PRIOR.score("th"), -0.5 - 1.0 - 0.125 - 0.125)
    assert math.isclose(PRIOR.score("t"), -0.5 - 1.0 - 1.0 - 1.0)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12))
def test_numbers_and_case_are_alike_to_the_prior(text: str) -> None:
    swapped = "".join("7" if char.isdigit() else char.swapcase() for char in text)
    assert fold(swapped) == fold(text)


def test_a_prior_survives_its_packing() -> None:
    again = Priors.from_bytes(Priors(PRIOR).to_bytes()).words
    assert again is not None
    assert (again.name, again.order, again.weight, again.bonus) == (
        "made-up",
        2,
        PRIOR.weight,
        PRIOR.bonus,
    )
    assert again.score("tbh") == PRIOR.score("tbh")


@pytest.mark.parametrize(
    "held",
    [
        b"\n", b"words a b\n", b"words a 5 x 1.0 2\n..", b"words a 5 0.4 1.0 3\n..",
        b"words a 5 0.4 1.0 0\n", b"words a 5 0.4 1.0 -1\n..", b"words a 5 0.4 1.0 1\n..",
        "wörds a 5 0.4 1.0 1\n.".encode(),
    ],
)  # fmt: skip
def test_a_broken_prior_is_named(held: bytes) -> None:
    with pytest.raises(ModelError, match="prior cannot be read"):
        Priors.from_bytes(held)


@pytest.mark.parametrize(
    ("field", "free"),
    [
        (Field("f", "text"), True),
        (Field("f", "name", pattern="[A-Z][a-z]+"), True),
        (Field("f", "name", secret=True), False),
        (Field("f", "text", cells=4), True),
        (Field("f", "name", cells=4, charset="ABC "), True),
        (Field("f", "name", cells=4, charset="ABC1"), False),
        (Field("f", "text", cells=1), False),
        (Field("f", "text", choices=("a", "b")), False),
        (Field("f", "text", charset="abc"), False),
        (Field("f", "text", charset="ABC "), True),
        (Field("f", "text", charset="ABC1 "), False),
        (Field("f", "text", charset="- "), False),
        (Field("f", "email"), True),
        (Field("f", "email", cells=20), True),
        (Field("f", "email", charset="abc@."), True),
        (Field("f", "email", charset="12@."), False),
        (Field("f", "email", secret=True), False),
        (Field("f", "username"), False),
        (Field("f", "code"), False),
        (Field("f", "digits"), False),
        (Field("f"), False),
    ],
)
def test_only_free_text_is_helped(field: Field, free: bool) -> None:
    assert expects_words(field) is free


def test_a_hyphen_between_letters_is_no_less_likely_than_a_space() -> None:
    spaced = Prior("spaced", 2, 1.0, 0.0, pack(SEEN | {"\x02": -12.0, " ": -1.0}, {"t": -1.0}))
    assert spaced.score("th-bt") == spaced.score("th bt")
    assert spaced.score("th-") < spaced.score("th ")  # a mark at the end is a mark
    assert spaced.score("1-2") < spaced.score("1 2")


def test_names_and_mail_have_priors_of_their_own() -> None:
    both = Priors(PRIOR, {"name": SPARSE})
    assert (both.of("name"), both.of("text"), both.of(None)) == (SPARSE, PRIOR, PRIOR)
    assert Priors(PRIOR).of("name") is PRIOR
    assert Priors(PRIOR).of("email") is None  # no address is made a word
    assert Priors(PRIOR, {"email": SPARSE}).of("email") is SPARSE
    assert NO_PRIORS.of("name") is None
    again = Priors.from_bytes(both.to_bytes())
    assert set(again.kinds) == {"name"}
    assert again.kinds["name"].score("tbh") == SPARSE.score("tbh")
    assert Priors.from_bytes(b"").words is None
    assert NO_PRIORS.to_bytes() == b""


def test_the_shipped_model_knows_names_from_words() -> None:
    priors = Recognizer().priors
    names, words = priors.of("name"), priors.of("text")
    assert names is not None
    assert words is not None
    for right, wrong in (("Gustav", "Gustar"), ("Kowalski", "Kowalshi")):
        assert names.score(right) - names.score(wrong) > words.score(right) - words.score(wrong)
    for name in ("Gustav", "Kowalski", "Nguyen", "O'Hara"):
        assert names.score(name) > words.score(name)


def test_a_reading_says_which_prior_had_a_say() -> None:
    crop = np.full((60, 200), 255, np.uint8)
    cv2.putText(crop, "Rio", (20, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 0, 3)
    with Reader() as reader:
        fields = [Field("f", kind=kind) for kind in ("name", "text", "email", "username")]
        fields += [Field("f", "email", secret=True), Field("f", "email", cells=9)]
        said = [one.prior for one in reader.read_fields([(crop, field) for field in fields])]
    assert said[:4] == ["names-5gram", "char-5gram", "mail-5gram", ""]
    assert said[4:] == ["", "mail-5gram"]
