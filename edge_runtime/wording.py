"""How a text reads as words: what parts right readings from wrong ones beside the ink.

Owns:   `WORDING`, the names of these features, and `wording`.
Needs:  `prior`, `casing`.

A text of unlikely words may well be right, and the prior has had its say on which text it is. But
of the readings with the same evidence in the ink, those that are no words are wrong much more
often; how much more is for calibration to say, fitted on words that stand in no list as well.
"""

from __future__ import annotations

import math

from edge_runtime.casing import case_nats
from edge_runtime.prior import Prior

WORDING = (
    "odd_word_nats",  # what the least likely word costs, nats a character, over the usual
    "odder_word_nats",  # of that what goes beyond: the curve may bend
    "oddest_word_nats",
    "capitals",  # part of the letters
    "mixed_capitals",  # none where all or no letters are
    "case_nats",  # what the case of the words speaks against the text
    "figures_in_name",  # part of the characters
    "log_words",
)
UNSAID = (0.0,) * len(WORDING)  # where no words are expected; the usual, so that it says nothing

_USUAL, _ODDER, _ODDEST = 2.5, 0.5, 2.0  # nats; the latter over the usual
_MOST = 9.0  # beyond, characters are all but unknown to the prior


def wording(text: str, prior: Prior, *, name: bool = False) -> tuple[float, ...]:
    """The features of a text, in the order of `WORDING`.

    Args:
        text: Of a field in which words are expected.
        prior: On what people write.
        name: It is a person's name.
    """
    words = text.split()
    if not words:
        return UNSAID
    costs = (-prior.score(word) / prior.weight / len(word) + prior.bonus for word in words)
    odd = min(max(costs), _MOST) - _USUAL
    letters = [char for char in text if char.isalpha()]
    capitals = sum(map(str.isupper, letters)) / len(letters) if letters else 0.0
    return (
        odd,
        max(0.0, odd - _ODDER),
        max(0.0, odd - _ODDEST),
        capitals,
        capitals * (1.0 - capitals),
        -case_nats(text, name=name),
        sum(map(str.isdigit, text)) / len(text) if name else 0.0,
        math.log(len(words)),
    )
