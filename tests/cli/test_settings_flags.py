"""Flags follow from the settings dataclass: nothing can be forgotten, nothing can drift."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from daneo.cli.settings_flags import flag_name, with_flags
from daneo.corpus.cooccurrence_config import CooccurrencesConfig
from daneo.embeddings.fasttext_config import FastTextConfig
from daneo.embeddings.glove_config import GloVeConfig
from daneo.embeddings.neighbour_index_config import NeighbourIndexConfig
from daneo.embeddings.ppmi_config import PPMIConfig
from daneo.embeddings.word2vec_config import Word2VecConfig
from daneo.settings import check, opt


@dataclasses.dataclass(frozen=True, kw_only=True)
class TeaConfig:
    cups: int = opt(1, "how many", minimum=1)
    heat: float = opt(80.0, "degrees", above=0)
    milk: bool = opt(False, "with milk")
    leaf: str = opt("green", "what grows", choices=("green", "black"))
    guests: int | None = opt(None, "who comes")

    def __post_init__(self) -> None:
        check(self)


@pytest.fixture
def brew() -> Any:
    app = typer.Typer()
    seen: list[tuple[str, TeaConfig]] = []

    @app.command()
    @with_flags(TeaConfig)
    def make(pot: str, *, settings: TeaConfig) -> None:
        seen.append((pot, settings))

    def run(*arguments: str) -> tuple[str, TeaConfig]:
        result = CliRunner().invoke(app, ["china", *arguments], standalone_mode=False)
        if result.exception:
            raise result.exception
        return seen[-1]

    return run


def test_defaults_are_the_dataclass_s(brew: Any) -> None:
    assert brew() == ("china", TeaConfig())


def test_every_kind_of_flag(brew: Any) -> None:
    given = brew("--cups", "3", "--heat", "95", "--milk", "--leaf", "black", "--guests", "2")
    assert given == ("china", TeaConfig(cups=3, heat=95.0, milk=True, leaf="black", guests=2))
    assert type(given[1].heat) is float


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cups", "0"], "--cups expected at least 1, got 0."),
        (["--heat", "0"], "--heat expected more than 0, got 0.0."),
        (["--heat", "nan"], "--heat expected a finite number, got nan."),
        (["--heat", "inf"], "--heat expected a finite number, got inf."),
    ],
)
def test_wrong_value_names_the_flag(brew: Any, arguments: list[str], message: str) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        brew(*arguments)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("command", "config"),
    [
        ("train word2vec", Word2VecConfig),
        ("train fasttext", FastTextConfig),
        ("train glove", GloVeConfig),
        ("train ppmi", PPMIConfig),
        ("cooccur", CooccurrencesConfig),
        ("index", NeighbourIndexConfig),
    ],
)
def test_every_setting_is_a_flag_with_its_help(daneo: Any, command: str, config: type) -> None:
    status, output, _ = daneo(*command.split(), "--help")
    assert status == 0
    words = " ".join(output.split())
    for field in dataclasses.fields(config):
        assert f" {flag_name(field.name)} " in words, field.name
        assert field.metadata["help"][1:] in words, field.name
