"""Flags from a settings dataclass: name, type, default and help are written down once, in the dataclass."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import typing
from collections.abc import Callable
from typing import Annotated, Any

import typer

from daneo.settings import option_type


def with_flags(config: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a typer command one flag for each field of the dataclass `config`; it receives them as `settings`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        hints = typing.get_type_hints(config)
        flags = [_flag(field, hints[field.name]) for field in dataclasses.fields(config)]

        @functools.wraps(command)
        def with_settings(**values: Any) -> None:
            settings = _build(config, {flag.name: values.pop(flag.name) for flag in flags})
            command(settings=settings, **values)

        signature = inspect.signature(command, eval_str=True)
        own = [parameter for parameter in signature.parameters.values() if parameter.name != "settings"]
        with_settings.__signature__ = signature.replace(parameters=[*own, *flags])  # type: ignore[attr-defined]
        with_settings.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *flags]}
        return with_settings

    return decorate


def _flag(field: dataclasses.Field[Any], annotation: Any) -> inspect.Parameter:
    choices = field.metadata["choices"]
    # Literal takes its values at run time too; only type checkers ask for them in the source.
    plain: Any = typing.Literal.__getitem__(choices) if choices else option_type(annotation)
    text = field.metadata["help"]
    option = typer.Option(help=f"{text[0].upper()}{text[1:]}.", show_default=field.default is not None)
    if field.metadata["in_bytes"]:
        option.parser, option.metavar = num_bytes, "SIZE"
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=field.default,
        annotation=Annotated[plain if plain is annotation or choices else plain | None, option],
    )


def _build(config: type[Any], values: dict[str, Any]) -> Any:
    try:
        return config(**values)
    except (TypeError, ValueError) as error:
        # The dataclass says "Word2Vec(window=...) expected ..."; who typed a flag wants to read the flag.
        message = re.sub(r"^\w+\((\w+)=[^)]*\)", lambda found: flag_name(found[1]), str(error))
        raise typer.BadParameter(message) from error


def num_bytes(text: str) -> int:
    """Read an amount of memory.

    Examples
    --------
    >>> num_bytes("2GB"), num_bytes("1.5 MiB"), num_bytes("4096")
    (2000000000, 1572864, 4096)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([kmgt]?)(i?)b)?", text.strip(), re.IGNORECASE | re.ASCII)
    if found is None:
        raise typer.BadParameter(f"expected an amount of memory such as 500MB, 2GB or 1.5GiB, got {text!r}")
    number, prefix, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** " kmgt".index((prefix or " ").lower()))


def flag_name(setting: str) -> str:
    """``vector_size`` -> ``--vector-size``."""
    return "--" + setting.replace("_", "-")
