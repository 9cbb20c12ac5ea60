"""Names for the layers of a model, as Keras makes them when nobody gives any."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator


def numbered(classes: Iterable[str]) -> Iterator[str]:
    """Turn the names of classes into names of layers: in snake case, and numbered from the second of a kind on.

    Examples
    --------
    >>> list(numbered(["Embedding", "LSTM", "SimpleRNN", "LSTM"]))
    ['embedding', 'lstm', 'simple_rnn', 'lstm_1']
    """
    seen: Counter[str] = Counter()
    for name in classes:
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
        yield f"{snake}_{seen[snake]}" if seen[snake] else snake
        seen[snake] += 1
