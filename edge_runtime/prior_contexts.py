"""What a prior says of a network's labels after a context, as the search asks for it.

Owns:   `Contexts`, `contexts_of`.
Needs:  numpy, `prior`, `prior_tables`.
Words:  *context*: the last characters of a text, as many as the prior knows, folded as it folds; a
        number.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_runtime.outputs import Ints
from edge_runtime.prior import Prior, fold
from edge_runtime.prior_tables import JOINED, SHIFT, column_of


class Contexts:
    """By how much a label after a context changes probability, and which context comes next."""

    def __init__(self, prior: Prior, labels: tuple[str, ...]) -> None:
        tables = prior.tables
        self._costs, self._after, self.start = tables.costs.ravel(), tables.after, tables.start
        self.columns = [JOINED if label == "-" else column_of(fold(label)) for label in labels]
        self._column = np.array(self.columns, np.intp)
        self._factor = prior.factors(np.arange(int(tables.costs.max()) + 1)).astype(np.float32)
        self.factor_of: list[float] = self._factor.tolist()  # by cost
        self.costs, self.after_of = tables.flat  # at `(context << SHIFT) + column`

    def factors(self, contexts: Ints, labels: Ints) -> NDArray[np.float32]:
        """float32 (n, slots): by how much a label after a context changes probability.

        Args:
            contexts: int (n, slots).
            labels: int (n,).
        """
        places = (contexts << SHIFT) + self._column[labels][:, None]
        found: NDArray[np.float32] = self._factor.take(self._costs.take(places))
        return found

    def after(self, contexts: Ints, labels: Ints) -> Ints:
        """The contexts after one more label."""
        return self._after[contexts, self._column[labels]].astype(np.intp)


@lru_cache(maxsize=4)
def contexts_of(prior: Prior, labels: tuple[str, ...]) -> Contexts:
    return Contexts(prior, labels)
