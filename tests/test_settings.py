"""Settings: one dataclass an algorithm, and one clear error for each wrong value."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneo.embeddings.word2vec_config import Word2VecConfig
from daneo.settings import CheckedSettings, check, configured, from_mapping, opt, option_type, subset


@dataclasses.dataclass(frozen=True, kw_only=True)
class TeaConfig:
    """A small settings dataclass with every kind of bound."""

    cups: int = opt(1, "how many", minimum=1, maximum=9)
    heat: float = opt(80.0, "degrees", above=0)
    milk: bool = opt(False, "with milk")
    leaf: str = opt("green", "what grows", choices=("green", "black"))
    guests: int | None = opt(None, "who comes", minimum=2)

    def __post_init__(self) -> None:
        check(self)


class Tea:
    @configured(TeaConfig)
    def __init__(self, config: TeaConfig) -> None:
        self.config = config


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"cups": 0}, ValueError, "Tea(cups=...) expected at least 1, got 0."),
        ({"cups": 10}, ValueError, "Tea(cups=...) expected at most 9, got 10."),
        ({"cups": 1.0}, TypeError, "Tea(cups=...) expected int, got 1.0 (float)."),
        ({"cups": True}, TypeError, "Tea(cups=...) expected int, got True (bool)."),
        ({"cups": None}, TypeError, "Tea(cups=...) expected int, got None (NoneType)."),
        ({"heat": 0.0}, ValueError, "Tea(heat=...) expected more than 0, got 0.0."),
        ({"heat": "hot"}, TypeError, "Tea(heat=...) expected float, got 'hot' (str)."),
        ({"heat": False}, TypeError, "Tea(heat=...) expected float, got False (bool)."),
        ({"heat": float("nan")}, ValueError, "Tea(heat=...) expected a finite number, got nan."),
        ({"heat": float("inf")}, ValueError, "Tea(heat=...) expected a finite number, got inf."),
        ({"milk": 1}, TypeError, "Tea(milk=...) expected bool, got 1 (int)."),
        ({"leaf": "blue"}, ValueError, "Tea(leaf=...) expected one of green, black; got 'blue'."),
        ({"guests": 1}, ValueError, "Tea(guests=...) expected at least 2, got 1."),
    ],
)
def test_wrong_value_is_one_clear_error(values: dict[str, Any], error: type[Exception], message: str) -> None:
    for build in (lambda: TeaConfig(**values), lambda: from_mapping(TeaConfig, values), lambda: Tea(**values)):
        with pytest.raises(error) as caught:
            build()
        assert str(caught.value) == message


@given(
    cups=st.integers(1, 9),
    heat=st.floats(min_value=0, exclude_min=True, allow_infinity=False) | st.integers(1, 10**6),
    milk=st.booleans(),
    leaf=st.sampled_from(["green", "black"]),
    guests=st.none() | st.integers(2, 10**9),
)
def test_right_values_survive_a_saved_file(**values: Any) -> None:
    config = TeaConfig(**values)
    assert from_mapping(TeaConfig, dataclasses.asdict(config)) == config
    assert Tea(**values).config == config


def test_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(TypeError, match=r"^Tea has no setting 'cup'\. Did you mean cups\?$"):
        Tea(cup=1)  # type: ignore[call-arg]
    with pytest.raises(
        TypeError, match=r"^Tea has no setting 'zzz'\. Known settings: cups, heat, milk, leaf, guests\.$"
    ):
        from_mapping(TeaConfig, {"zzz": 1})


def test_settings_are_taken_by_name_only() -> None:
    with pytest.raises(TypeError, match=r"^Tea takes its settings by name"):
        Tea(3)  # type: ignore[misc]


def test_signature_is_the_dataclass() -> None:
    parameters = inspect.signature(Tea).parameters
    assert list(parameters) == [field.name for field in dataclasses.fields(TeaConfig)]
    assert {name: one.default for name, one in parameters.items()} == dataclasses.asdict(TeaConfig())


def test_option_type() -> None:
    assert option_type(int) is int
    assert option_type(int | None) is int
    assert option_type(None | str) is str


def test_every_setting_of_word2vec_has_help_and_a_good_default() -> None:
    for field in dataclasses.fields(Word2VecConfig):
        help_text = field.metadata["help"]
        assert help_text, field.name
        assert not help_text.endswith("."), field.name
    assert Word2VecConfig().vector_size == 100


@dataclasses.dataclass(frozen=True, kw_only=True)
class PotConfig(CheckedSettings):
    """What TeaConfig lacks: a value that must be given, and by position; several types; an upper bound left out."""

    size: int = opt(dataclasses.MISSING, "how large", minimum=1, positional=True)
    lid: str | Callable[[float], float] | None = opt("flat", "what covers it")
    filled: float = opt(0.5, "how full", minimum=0, below=1)
    spouts: float | tuple[float, float] = opt(1.0, "how long")


class Pot:
    @configured(PotConfig)
    def __init__(self, config: PotConfig) -> None:
        self.config = config


def test_one_value_may_come_without_its_name() -> None:
    assert Pot(3).config == Pot(size=3).config == PotConfig(size=3) == PotConfig(3)
    with pytest.raises(TypeError, match=r"^Pot takes all but size by name, for example lid='flat'\.$"):
        Pot(3, "round")  # type: ignore[misc]
    with pytest.raises(TypeError, match=r"^Pot got size twice: by position and by name\.$"):
        Pot(3, size=4)  # type: ignore[misc]


def test_a_value_without_default_must_be_given() -> None:
    with pytest.raises(TypeError, match=r"^Pot needs size: how large\.$"):
        Pot()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^Pot needs size: how large\.$"):
        from_mapping(PotConfig, {"filled": 0.1})


@pytest.mark.parametrize(
    "values", [{"lid": None}, {"lid": abs}, {"lid": "round"}, {"spouts": (1.0, 2.0)}, {"spouts": 2}]
)
def test_a_value_may_be_of_one_of_several_types(values: dict[str, Any]) -> None:
    assert getattr(Pot(1, **values).config, next(iter(values))) == next(iter(values.values()))


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"lid": 3}, TypeError, r"^Pot\(lid=...\) expected str or Callable, got 3 \(int\)\.$"),
        ({"lid": True}, TypeError, r"^Pot\(lid=...\) expected str or Callable, got True \(bool\)\.$"),
        ({"spouts": "two"}, TypeError, r"^Pot\(spouts=...\) expected float or tuple, got 'two' \(str\)\.$"),
        ({"filled": 1.0}, ValueError, r"^Pot\(filled=...\) expected less than 1, got 1.0\.$"),
        ({"size": 0}, ValueError, r"^Pot\(size=...\) expected at least 1, got 0\.$"),
    ],
)
def test_what_inherits_from_checked_settings_is_checked(
    values: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Pot(**{"size": 1, **values})


def test_a_subset_has_the_values_that_both_have() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class PartConfig:
        size: int = 1
        filled: float = 0.0

    assert subset(PartConfig, PotConfig(4, filled=0.25)) == {"size": 4, "filled": 0.25}
