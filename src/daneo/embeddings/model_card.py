"""The README.md of a trained model: what it is and how it came about, filled from the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from daneo.embeddings.word_vectors import WordVectors


def card(
    name: str,
    config: Any,
    vectors: WordVectors,
    losses: Sequence[float],
    num_tokens: int,
    *,
    purpose: str = "to go on training: model.continue_training(corpus)",
) -> str:
    """Return the text of the card of a model of the class `name`; `purpose` says what its ``load`` is good for."""
    settings = "\n".join(f"| {name} | {value} |" for name, value in dataclasses.asdict(config).items())
    epochs = "\n".join(f"| {epoch} | {loss:.4f} |" for epoch, loss in enumerate(losses, 1))
    return f"""# Word vectors by {name}

{len(vectors):,} words, {vectors.vector_size} numbers each, learned from {num_tokens:,} words of text.

```python
import daneo

vectors = daneo.WordVectors.load(".")  # this directory
vectors.most_similar({vectors.words[0]!r})
model = daneo.{name}.load(".")  # {purpose}
```

| setting | value |
| --- | --- |
{settings}

| epoch | mean loss |
| --- | --- |
{epochs}
"""
