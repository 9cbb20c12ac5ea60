"""Settings: one frozen dataclass an algorithm, read by the Python API, the command line and the saved file."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
C = TypeVar("C")
S = TypeVar("S")


def opt(
    default: Any,
    help: str,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
    choices: tuple[str, ...] | None = None,
    positional: bool = False,
    in_bytes: bool = False,
) -> Any:
    """Return a dataclass field that carries its help text and its bounds.

    Parameters
    ----------
    default : Any
        The value when the user gives none; ``dataclasses.MISSING`` means that the user must give one.
    help : str
        One line without a full stop; the command line shows it.
    minimum, above, maximum, below : float or None
        Inclusive and exclusive lower bound, inclusive and exclusive upper bound; ``None`` means no bound.
    choices : tuple of str or None
        The only values allowed.
    positional : bool
        The value may also be given without its name, as ``LSTM(64)``.
    in_bytes : bool
        The value is an amount of memory; on the command line it may be given as 2GB.
    """
    metadata = {
        "help": help,
        "minimum": minimum,
        "above": above,
        "maximum": maximum,
        "below": below,
        "choices": choices,
        "in_bytes": in_bytes,
    }
    return dataclasses.field(default=default, metadata=metadata, kw_only=not positional)


def check(settings: Any) -> None:
    """Raise one clear error for the first value of a settings dataclass that has the wrong type or is out of bounds.

    Raises
    ------
    TypeError
        A value's type is not the one declared.
    ValueError
        A value is outside its bounds or choices.
    """
    hints = typing.get_type_hints(type(settings))
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        where = f"{type(settings).__name__.removesuffix('Config')}({field.name}=...)"
        _check_type(where, value, hints[field.name])
        if value is not None:
            _check_bounds(where, value, field.metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckedSettings:
    """A base for settings that several classes share: whatever inherits from it is checked when it is made."""

    def __post_init__(self) -> None:
        check(self)


def option_type(annotation: Any) -> type:
    """Return the plain type of an annotation: ``int`` for both ``int`` and ``int | None``."""
    if isinstance(annotation, types.UnionType):
        (plain,) = (one for one in typing.get_args(annotation) if one is not type(None))
        return typing.cast(type, plain)
    return typing.cast(type, annotation)


def _check_type(where: str, value: Any, annotation: Any) -> None:
    if value is None and isinstance(annotation, types.UnionType):
        return
    members = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    kinds = tuple(typing.get_origin(one) or one for one in members if one is not type(None))
    # bool is an int to Python, never to a user; an int is good where a float is asked for.
    accepted = (*kinds, int) if float in kinds else kinds
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"{where} expected {names}, got {value!r} ({type(value).__name__}).")


def _check_bounds(where: str, value: Any, bounds: Mapping[str, Any]) -> None:
    minimum, above, maximum, below, choices = (
        bounds.get(key) for key in ("minimum", "above", "maximum", "below", "choices")
    )
    if choices is not None and value not in choices:
        raise ValueError(f"{where} expected one of {', '.join(choices)}; got {value!r}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where} expected a finite number, got {value}.")
    if minimum is not None and value < minimum:
        raise ValueError(f"{where} expected at least {minimum}, got {value}.")
    if above is not None and value <= above:
        raise ValueError(f"{where} expected more than {above}, got {value}.")
    if maximum is not None and value > maximum:
        raise ValueError(f"{where} expected at most {maximum}, got {value}.")
    if below is not None and value >= below:
        raise ValueError(f"{where} expected less than {below}, got {value}.")


def from_mapping(config: type[C], values: Mapping[str, Any]) -> C:
    """Build a settings dataclass from a mapping (a saved file, a command line), refusing unknown names."""
    fields = dataclasses.fields(config)  # type: ignore[arg-type]
    names = [field.name for field in fields]
    whose = config.__name__.removesuffix("Config")
    for name in values:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f" Did you mean {near[0]}?" if near else f" Known settings: {', '.join(names)}."
            raise TypeError(f"{whose} has no setting {name!r}.{hint}")
    for field in fields:
        if field.default is dataclasses.MISSING and field.name not in values:
            raise TypeError(f"{whose} needs {field.name}: {field.metadata['help']}.")
    return config(**values)


def subset(config: type[Any], settings: Any) -> dict[str, Any]:
    """Return those values of a settings dataclass that the dataclass `config` has too, as keyword arguments."""
    return {field.name: getattr(settings, field.name) for field in dataclasses.fields(config)}


def configured(config: Callable[P, C]) -> Callable[[Callable[[S, C], None]], Callable[Concatenate[S, P], None]]:
    """Give ``__init__(self, config)`` the signature, types and defaults of the settings dataclass `config`.

    Type checkers, ``help()`` and editors see the dataclass's own arguments, so they are written down once.
    """
    fields = dataclasses.fields(config)  # type: ignore[arg-type]
    positional = [field.name for field in fields if not field.kw_only]
    example = next(f"{field.name}={field.default!r}" for field in fields if field.kw_only)

    def decorate(init: Callable[[S, C], None]) -> Callable[Concatenate[S, P], None]:
        @functools.wraps(init)
        def with_settings(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
            if len(args) > len(positional):
                few = f"all but {', '.join(positional)}" if positional else "its settings"
                raise TypeError(f"{type(self).__name__} takes {few} by name, for example {example}.")
            values = dict(zip(positional, args, strict=False))
            if twice := values.keys() & kwargs.keys():
                raise TypeError(f"{type(self).__name__} got {min(twice)} twice: by position and by name.")
            init(self, from_mapping(typing.cast("type[C]", config), {**values, **kwargs}))

        signature = inspect.signature(config)
        first = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        with_settings.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[first, *signature.parameters.values()], return_annotation=None
        )
        return with_settings

    return decorate
