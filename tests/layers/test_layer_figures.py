"""Figures of traces and gradient flows: their axes, labels, scales and fonts; drawn without a display or a warning."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from daneo.layers import GRU, LSTM, Bidirectional, SimpleRNN
from daneo.layers.inside.figure_words import families_for

matplotlib = pytest.importorskip("matplotlib")

WORDS = ["the", "king", "wears", "a", "crown"]
T = len(WORDS)
KINDS = {"LSTM": LSTM, "GRU": GRU, "SimpleRNN": SimpleRNN}


@pytest.fixture(autouse=True)
def warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def drawn(figure: Any) -> Any:
    """Lay a figure out, which is when missing letters and impossible layouts are noticed."""
    figure.draw_without_rendering()
    return figure


def maps(figure: Any) -> dict[str, Any]:
    return {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_images()}


def labels(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_xticklabels()]


@pytest.mark.parametrize(
    ("kind", "names", "bars"),
    [
        ("LSTM", ["input gate", "forget gate", "output gate", "candidate", "cell state", "hidden state"], 4),
        ("GRU", ["update gate", "reset gate", "candidate", "hidden state"], 3),
        ("SimpleRNN", ["hidden state"], 1),
    ],
)
def test_heat_maps(kind: str, names: list[str], bars: int) -> None:
    trace = KINDS[kind](4).trace(torch.randn(2, T, 3))
    figure = drawn(trace.plot(WORDS, row=1))
    found = maps(figure)
    assert list(found) == names
    assert len(figure.axes) == len(names) + bars  # one colour bar for all gates, one for each of the others
    assert figure.get_suptitle() == f"{kind}, row 1"
    assert labels(list(found.values())[-1]) == WORDS
    for name, axes in found.items():
        (picture,) = axes.get_images()
        values = trace.internals[name.replace(" ", "_")][1]
        assert_allclose(picture.get_array(), values.T)
        low, high = picture.get_clim()
        assert (low, high) == (0, 1) if name.endswith("gate") else low == -high
        assert high >= values.abs().max() * (1 - 1e-6)


def test_heat_maps_show_masked_steps_and_leave_out_what_follows_the_last_that_counts() -> None:
    mask = torch.tensor([[True, False, True, True, False], [True] * 5])
    trace = LSTM(2).trace(torch.randn(2, T, 3), mask=mask)
    for words in (WORDS, WORDS[:4]):
        found = maps(drawn(trace.plot(words)))
        assert labels(found["hidden state"]) == WORDS[:4]
        shown = found["input gate"].get_images()[0].get_array()
        assert np.ma.getmaskarray(shown)[0].tolist() == [False, True, False, False]
        assert not np.ma.getmaskarray(found["cell state"].get_images()[0].get_array()).any()
    assert maps(drawn(trace.plot(row=1)))["input gate"].get_xlabel() == ""
    assert maps(drawn(trace.plot(row=1)))["hidden state"].get_xlabel() == "step"


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("LSTM", [["input gate", "forget gate", "output gate"], ["candidate", "cell state", "hidden state"]]),
        ("GRU", [["update gate", "reset gate"], ["candidate", "hidden state"]]),
        ("SimpleRNN", [["hidden state"]]),
    ],
)
def test_curves_of_a_unit(kind: str, lines: list[list[str]]) -> None:
    trace = KINDS[kind](4).trace(torch.randn(1, T, 3))
    figure = drawn(trace.plot(WORDS, unit=2))
    assert figure.get_suptitle() == f"{kind}, unit 2"
    assert [axes.get_legend_handles_labels()[1] for axes in figure.axes] == lines
    assert labels(figure.axes[-1]) == WORDS
    for axes in figure.axes:
        for line, name in zip(*axes.get_legend_handles_labels(), strict=True):
            assert_allclose(line.get_ydata(), trace.internals[name.replace(" ", "_")][0, :, 2])
    if kind != "SimpleRNN":
        assert figure.axes[0].get_ylim() == (-0.05, 1.05)


def test_projected_states_belong_to_no_unit() -> None:
    figure = drawn(LSTM(4, projection_size=2).trace(torch.randn(1, T, 3)).plot(unit=3))
    assert figure.axes[1].get_legend_handles_labels()[1] == ["candidate", "cell state"]


def test_gradient_norms() -> None:
    x = torch.randn(2, T, 3)
    flow = LSTM(4).gradient_flow(x, lengths=[T, 3])
    figure = drawn(flow.plot(WORDS))
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert axes.get_ylabel() == "norm of the gradient"
    assert labels(axes) == WORDS
    lines, names = axes.get_legend_handles_labels()
    assert names == ["LSTM, hidden state", "LSTM, cell state"]
    assert_allclose(lines[0].get_ydata(), flow.over_batch()["hidden_state"])
    assert SimpleRNN(4).gradient_flow(x).plot(axes=axes, label="plain", row=1) is figure
    lines, names = drawn(figure).axes[0].get_legend_handles_labels()
    assert names == ["LSTM, hidden state", "LSTM, cell state", "plain, hidden state"]
    assert_allclose(drawn(flow.plot(row=1)).axes[0].lines[1].get_ydata(), flow.cell_state[1])


def test_steps_without_a_gradient_have_no_place_on_the_scale() -> None:
    flow = SimpleRNN(4, return_sequences=True).gradient_flow(torch.randn(1, T, 3), lambda output: output[:, 1].sum())
    assert (flow.hidden_state[0, 2:] == 0).all()
    drawn(flow.plot())


def test_both_directions() -> None:
    both = Bidirectional(GRU(3))
    x = torch.randn(1, T, 3)
    for trace, flow in zip(both.trace(x), both.gradient_flow(x), strict=True):
        assert len(drawn(trace.plot(WORDS)).axes) == 4 + 3
        assert labels(drawn(flow.plot(WORDS)).axes[0]) == WORDS


@pytest.mark.parametrize(("steps", "last"), [(20, 19), (21, 20), (100, 95), (1000, 950)])
def test_long_sequences_are_numbered_at_intervals(steps: int, last: int) -> None:
    (axes,) = SimpleRNN(2).gradient_flow(torch.randn(1, steps, 3)).plot().axes
    ticks = axes.get_xticks().tolist()
    assert (ticks[0], ticks[-1]) == (0, last)
    assert len(ticks) <= 20


# -------------------------------------------------------------------------------------------------------------- letters


def test_korean_words_are_written_or_numbered() -> None:
    words = ["나는", "학교에", "갔다", "a", "b"]
    found = maps(drawn(SimpleRNN(2).trace(torch.randn(1, T, 3)).plot(words)))["hidden state"]
    if families_for(words) is None:  # this machine has no such font
        assert labels(found) == ["0", "1", "2", "3", "4"]
        assert found.get_xlabel() == "step (no installed font has the letters of all words)"
    else:
        assert labels(found) == words


def test_a_font_that_has_the_letters_is_found() -> None:
    with matplotlib.rc_context(
        {"font.family": ["cmr10"], "axes.formatter.use_mathtext": True}
    ):  # which has ASCII and little else
        assert families_for(["a"]) == ["cmr10"]
        families = families_for(["a", "ψυχή", "два"])
        assert families is not None
        assert families[0] == "cmr10"
        assert len(families) == 2
        words = ["a", "ψυχή", "два", "three words here", "$x$ a_b"]
        axes = maps(drawn(SimpleRNN(2).trace(torch.randn(1, T, 3)).plot(words)))["hidden state"]
        assert labels(axes)[1:3] == ["ψυχή", "два"]
        assert axes.get_xticklabels()[1].get_fontfamily() == families
    assert families_for(["\U0010fffe"]) == families_for([]) == list(matplotlib.rcParams["font.family"])
    assert families_for(["\U0001e94b"]) is None or "Adlam" in str(families_for(["\U0001e94b"]))


# ------------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (
            lambda trace, flow: trace.plot(["a"]),
            ValueError,
            "Row 0 has 4 steps to draw, got 1 words: give one for each",
        ),
        (lambda trace, flow: flow.plot(["a"]), ValueError, "has 5 steps, got 1 words: give one for each"),
        (lambda trace, flow: trace.plot(row=1), ValueError, "All steps of row 1 are masked: there is nothing to draw."),
        (lambda trace, flow: trace.plot(row=2), IndexError, "This trace has rows 0 to 1, got row=2"),
        (lambda trace, flow: flow.plot(row=-1), IndexError, "has rows 0 to 1, got row=-1"),
        (lambda trace, flow: trace.plot(unit=3), IndexError, "This GRU has units 0 to 2, got unit=3"),
    ],
)
def test_what_is_not_there_cannot_be_drawn(draw: Callable[..., object], error: type[Exception], message: str) -> None:
    layer, x = GRU(3), torch.randn(2, T, 3)
    with pytest.raises(error, match=message) as caught:
        draw(layer.trace(x, lengths=[4, 0]), layer.gradient_flow(x, lengths=[4, 0]))
    assert "\n" not in str(caught.value)


def test_matplotlib_is_loaded_when_something_is_drawn_and_no_window_opens() -> None:
    code = """
import sys, torch
from daneo.layers import GRU
trace = GRU(2).trace(torch.ones(1, 2, 3))
print("matplotlib" in sys.modules)
trace.plot().savefig("/dev/null", format="png")
print("matplotlib.pyplot" in sys.modules)
sys.modules["matplotlib.figure"] = None  # as if it were not installed
try:
    trace.plot()
except ImportError as error:
    print(error)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "False",
        "False",
        "Drawing a figure needs matplotlib.figure, which is not installed. Run: pip install 'daneo[plots]'",
    ]
