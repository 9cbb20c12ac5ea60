"""Layers written down as plain data, and made again from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from daneo import layers


def serialize(layer: Any) -> dict[str, Any]:
    """Write down what kind of layer this is, without its weights, as JSON can hold it.

    Parameters
    ----------
    layer : nn.Module
        A layer or cell with ``get_config()``.

    Returns
    -------
    dict
        ``{"class_name": ..., "config": ...}``.

    Raises
    ------
    TypeError
        The layer has no ``get_config``, or a setting that is a function without a name.

    Examples
    --------
    >>> from daneo.layers import SimpleRNN
    >>> description = serialize(SimpleRNN(4, return_sequences=True))
    >>> deserialize(description)
    SimpleRNN(units=4, return_sequences=True), not built
    """
    if not hasattr(layer, "get_config"):
        raise TypeError(f"A {type(layer).__name__} cannot be written down: it has no get_config().")
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


def deserialize(description: Mapping[str, Any], custom_objects: Mapping[str, type[nn.Module]] | None = None) -> Any:
    """Make a layer, with fresh weights, from what :func:`serialize` returned.

    Parameters
    ----------
    description : mapping
        ``{"class_name": ..., "config": ...}``.
    custom_objects : mapping of str to class, or None
        Classes of one's own, by the names in the description. Each needs ``from_config``.

    Raises
    ------
    ValueError
        The class is neither one of daneo's layers nor in `custom_objects`: nothing else is looked up or imported.
    """
    if not isinstance(description, Mapping) or not {"class_name", "config"} <= description.keys():
        raise ValueError(f"Expected a description of a layer, with class_name and config; got {description!r}.")
    name, config = description["class_name"], description["config"]
    found: Any = (custom_objects or {}).get(name)
    if found is None and name in layers.__all__:
        found = getattr(layers, name)
    if not (isinstance(found, type) and hasattr(found, "from_config")):
        raise ValueError(f"No layer is called {name!r}: pass its class as custom_objects={{{name!r}: ...}}.")
    if custom_objects and getattr(found, "takes_custom_objects", False):
        return found.from_config(config, custom_objects)
    return found.from_config(config)
