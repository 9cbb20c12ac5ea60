"""The README.md of a classifier: what it is and how it came about, filled from the run."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daneo.models.fasttext_classifier_files import SavedClassifier

MOST_LABELS = 20


def card(saved: SavedClassifier) -> str:
    """Return the text of the card."""
    labels, words = saved.model.labels, saved.model.table.words
    shown = ", ".join(f"`{label}`" for label in labels.words[:MOST_LABELS])
    more = f" and {len(labels) - MOST_LABELS:,} more" if len(labels) > MOST_LABELS else ""
    settings = "\n".join(f"| {name} | {value} |" for name, value in dataclasses.asdict(saved.config).items())
    scores = dict(enumerate(saved.validation_scores, start=1))
    epochs = "\n".join(
        f"| {epoch} | {loss:.4f} | {f'{scores[epoch]:.4f}' if epoch in scores else ''} |"
        f"{' kept' if epoch == saved.best_epoch else ''}"
        for epoch, loss in enumerate(saved.losses, start=1)
    )
    return f"""# A text classifier

{len(labels):,} labels ({shown}{more}), {len(words):,} words, vectors of {saved.config.vector_size} numbers. The mean of
the vectors of a text's words and n-grams, and one layer on top: the model of fastText (arXiv:1607.01759).

```python
import daneo

model = daneo.FastTextClassifier.load(".")  # this directory
model.predict("some text", k=3)
```

| file | what |
| --- | --- |
| model.safetensors | the rows of words and n-grams, which word and which n-gram has which, and the rows of the labels |
| vocabulary.txt, labels.txt | the words and the labels, each with its count |
| config.json | the settings, and how training went |

| setting | value |
| --- | --- |
{settings}

| epoch | mean loss | validation |
| --- | --- | --- |
{epochs}
"""
