"""Settings of a trainer that was given counts: those of counting are the counts' own."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

from daneo.corpus.cooccurrence_config import CooccurrencesConfig

if TYPE_CHECKING:
    from daneo.corpus import Cooccurrences

C = TypeVar("C", bound=CooccurrencesConfig)


def with_counts_settings(config: C, counts: Cooccurrences) -> C:
    """Return the settings with those that the pairs were counted with.

    Raises
    ------
    ValueError
        A setting is neither the default nor that of the counts: somebody wanted other counts than came.
    """
    own: dict[str, Any] = {"window": counts.window, "weighting": counts.weighting, "symmetric": counts.symmetric}
    name_of_class = type(config).__name__.removesuffix("Config")
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name in own and value not in (field.default, own[field.name]):
            raise ValueError(
                f"{name_of_class}({field.name}={value!r}) got counts that were made with {own[field.name]!r}. "
                "Leave the setting out, or count anew."
            )
        if field.name in ("min_count", "max_size") and value != field.default:
            raise ValueError(
                f"{name_of_class}({field.name}={value!r}) got counts, whose words are chosen already. "
                "Leave the setting out, or count anew."
            )
    return dataclasses.replace(config, **own)
