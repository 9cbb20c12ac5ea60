"""RNN over any cell, and what all recurrent layers do with steps, masks and states."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from torch import Tensor, nn

from daneo import layers

KINDS: list[Any] = [layers.SimpleRNN, layers.GRU, layers.LSTM]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
GENERATOR = torch.Generator().manual_seed(0)


def numbers(*shape: int) -> Tensor:
    return torch.randn(shape, generator=GENERATOR, dtype=torch.float64)


class Counter(nn.Module):
    """Puts out how many steps it has taken, from where it was told to begin."""

    state_size = 2

    def forward(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return states[0] + 1, [states[0] + 1]


class Windows(nn.Module):
    """Two states of different sizes, an output of a third, weights made by `build`, a beginning of its own."""

    state_size = (3, 1)
    output_size = 5

    def build(self, input_shape: Any) -> None:
        self.built_for = tuple(input_shape)
        self.out = nn.Linear(input_shape[-1] + 3, 5, dtype=torch.float64)

    def get_initial_state(self, batch_size: int) -> list[Tensor]:
        return [torch.ones(batch_size, 3, dtype=torch.float64), torch.zeros(batch_size, 1, dtype=torch.float64)]

    def forward(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        return self.out(torch.cat([x, states[0]], 1)), (x[:, :1] + states[0], states[1] + 1)


class Alone(nn.Module):
    """A single state, handed over as it is."""

    state_size = 2

    def get_initial_state(self, batch_size: int) -> Tensor:
        return torch.zeros(batch_size, 2)

    def forward(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, Tensor]:
        return states[0] + x, states[0] + x


# ------------------------------------------------------------------------------------------------- cells of one's own


def test_any_cell_runs() -> None:
    layer = layers.RNN(Windows(), return_sequences=True, return_state=True)
    x = numbers(2, 4, 6)
    outputs, first, second = layer(x)
    assert layer.cell.built_for == (2, 6)
    assert layer.compute_output_shape((None, 7, 6)) == (None, 7, 5)
    state = torch.ones(2, 3, dtype=torch.float64)
    for t in range(4):
        assert_array_equal(outputs[:, t].detach(), layer.cell.out(torch.cat([x[:, t], state], 1)).detach())
        state = x[:, t, :1] + state
    assert_array_equal(first, state)
    assert_array_equal(second, torch.full((2, 1), 4.0))
    assert layer.count_params() == 9 * 5 + 5


def test_a_cell_is_built_once() -> None:
    layer = layers.RNN(Windows())
    layer(numbers(2, 4, 6))
    weight = layer.cell.out.weight
    layer(numbers(2, 4, 6))
    assert layer.cell.out.weight is weight


def test_a_single_state_needs_no_list() -> None:
    layer = layers.RNN(Alone(), return_state=True)
    x = torch.ones(1, 3, 2)
    assert [one.tolist() for one in layer(x, initial_state=torch.ones(1, 2))] == [[[4.0, 4.0]]] * 2
    assert layer(x)[0].tolist() == [[3.0, 3.0]]


@pytest.mark.parametrize(
    ("cell", "error", "message"),
    [
        (3, TypeError, "^A cell is an nn.Module with state_size and forward"),
        (nn.Linear(2, 2), TypeError, r"^Linear.state_size says how many .* got None\.$"),
        (layers.LSTM, TypeError, "^A cell is an nn.Module"),
        ([], ValueError, "^StackedRNNCells expected at least one cell"),
        ([layers.GRUCell(3), nn.ReLU()], TypeError, "^ReLU.state_size says"),
    ],
)
def test_what_is_no_cell_is_refused(cell: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        layers.RNN(cell)


@pytest.mark.parametrize(("size", "error"), [([], ValueError), (0, ValueError), ("2", TypeError), ([2.0], TypeError)])
def test_sizes_of_states_must_make_sense(size: Any, error: type[Exception]) -> None:
    cell = Counter()
    cell.state_size = size
    with pytest.raises(error, match=r"^Counter\.state_size"):
        layers.RNN(cell)


def test_stacked_cells_take_a_step_as_they_run() -> None:
    layer = layers.RNN([layers.LSTMCell(3), layers.GRUCell(4), layers.SimpleRNNCell(2)], return_state=True).double()
    x = numbers(3, 5, 6)
    output, *states = layer(x)
    stepped = layer.cell.get_initial_state(3)
    assert [tuple(state.shape) for state in stepped] == [(3, 3), (3, 3), (3, 4), (3, 2)]
    for t in range(5):
        stepped_output, stepped = layer.cell(x[:, t], stepped)
    for mine, other in zip([output, *states], [stepped_output, *stepped], strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)


def test_stacked_cells_drop_the_same_at_every_step() -> None:
    torch.manual_seed(5)
    cells = [layers.LSTMCell(8, dropout=0.5), layers.GRUCell(8, dropout=0.5, recurrent_dropout=0.5)]
    layer = layers.RNN(cells, return_sequences=True)
    drawn = []
    for cell in cells:
        draw = cell.dropout_masks
        cell.dropout_masks = lambda size, draw=draw: drawn.append(draw(size)) or drawn[-1]  # type: ignore[method-assign]
    layer(torch.ones(2, 7, 3))
    assert len(drawn) == 2
    assert drawn[0][0].shape == (2, 3)
    assert drawn[1][0].shape == (3, 2, 8)
    assert drawn[1][1].shape == (3, 2, 8)


# --------------------------------------------------------------------------------------------------------------- cells


@every_kind
def test_a_cell_by_itself_takes_the_steps_of_its_layer(kind: Any) -> None:
    layer = kind(4, return_sequences=True).double()
    x = numbers(3, 5, 6)
    outputs = layer(x)
    states = layer.cell.get_initial_state(3)
    for t in range(5):
        output, states = layer.cell(x[:, t], states)
        torch.testing.assert_close(output, outputs[:, t], rtol=1e-12, atol=1e-12)


@every_kind
def test_rnn_over_a_cell_is_the_layer(kind: Any) -> None:
    layer = kind(4, return_sequences=True, go_backwards=True).double()
    x, mask = numbers(3, 5, 6), torch.rand(3, 5) < 0.5
    torch.testing.assert_close(
        layers.RNN(layer.cell, return_sequences=True, go_backwards=True)(x, mask=mask),
        layer(x, mask=mask),
        rtol=1e-12,
        atol=1e-12,
    )


@every_kind
def test_internals_are_named_and_belong_to_the_step(kind: Any) -> None:
    cell = kind(4, dtype="float64").cell
    x, states = numbers(3, 6), [numbers(3, 4) for _ in range(2 if kind is layers.LSTM else 1)]
    output, new_states = cell(x, states)
    _, internals = cell.step(cell.project(x[:, None])[:, 0], states)
    named = dict(zip(cell.INTERNALS, internals, strict=True))
    assert_array_equal(named["hidden_state"].detach(), output.detach())
    if kind is layers.LSTM:
        assert_array_equal(
            named["cell_state"].detach(),
            (named["forget_gate"] * states[1] + named["input_gate"] * named["candidate"]).detach(),
        )
        assert_array_equal(named["cell_state"].detach(), new_states[1].detach())
    if kind is layers.GRU:
        kept = named["update_gate"] * states[0] + (1 - named["update_gate"]) * named["candidate"]
        assert_array_equal(kept.detach(), output.detach())


# --------------------------------------------------------------------------------------------------- masks and lengths


def test_what_a_mask_does_step_by_step() -> None:
    x = torch.zeros(3, 5, 1)
    mask = torch.tensor([[0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]])
    begin = torch.full((3, 2), 10.0)

    def first_column(**options: Any) -> list[Any]:
        outputs, state = layers.RNN(Counter(), return_sequences=True, return_state=True, **options)(x, begin, mask)
        return [outputs[..., 0].tolist(), state[:, 0].tolist()]

    # Before the first step that counts, the output is zero and not the initial state.
    assert first_column() == [[[0, 11, 11, 12, 12], [0, 0, 0, 0, 0], [11, 12, 13, 14, 15]], [12, 10, 15]]
    assert first_column(zero_output_for_mask=True) == [
        [[0, 11, 0, 12, 0], [0, 0, 0, 0, 0], [11, 12, 13, 14, 15]],
        [12, 10, 15],
    ]
    backwards = layers.RNN(Counter(), return_sequences=True, go_backwards=True)
    uneven = torch.tensor([[1, 1, 0, 0, 0]])
    assert backwards(x[:1], begin[:1], uneven)[..., 0].tolist() == [[0, 0, 0, 11, 12]]
    assert backwards.compute_mask(x, uneven).tolist() == [[0, 0, 0, 1, 1]]


def test_the_last_output_follows_the_mask() -> None:
    x, mask, begin = torch.zeros(2, 3, 1), torch.tensor([[1, 1, 0], [0, 0, 0]]), torch.full((2, 2), 10.0)
    assert layers.RNN(Counter())(x, begin, mask)[:, 0].tolist() == [12, 0]
    assert layers.RNN(Counter(), zero_output_for_mask=True)(x, begin, mask)[:, 0].tolist() == [0, 0]


@given(
    kind=st.sampled_from(KINDS),
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=4),
    backwards=st.booleans(),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=40)
def test_padded_is_trimmed(kind: Any, lengths: list[int], backwards: bool, seed: int) -> None:
    torch.manual_seed(seed)
    layer = kind(4, return_state=True, go_backwards=backwards, dtype="float64")
    x = torch.randn(len(lengths), 6, 3, dtype=torch.float64)
    for row, length in enumerate(lengths):
        x[row, length:] = 1e6  # what is in the padding must not matter
    padded = layer(x, lengths=lengths)
    for row, length in enumerate(lengths):
        begin = [torch.zeros(1, 4, dtype=torch.float64)] * (len(padded) - 1)
        trimmed = layer(x[row : row + 1, :length]) if length else [begin[0], *begin]
        for mine, other in zip(padded, trimmed, strict=True):
            torch.testing.assert_close(mine[row : row + 1], other, rtol=1e-12, atol=1e-12)


@every_kind
def test_nothing_flows_back_through_masked_steps(kind: Any) -> None:
    x = numbers(2, 5, 3).requires_grad_()
    mask = torch.tensor([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0]], dtype=torch.bool)
    kind(4, dtype="float64")(x, mask=mask).sum().backward()
    assert x.grad is not None
    assert_array_equal(x.grad.abs().sum(2) > 0, mask)


def test_masks_and_lengths_may_be_arrays_of_whole_numbers() -> None:
    layer, x = layers.GRU(4, dtype="float64"), numbers(2, 3, 5)
    expected = layer(x, mask=torch.tensor([[True, True, False], [True, False, False]]))
    for given_mask in (np.array([[1, 1, 0], [7, 0, 0]]), [[True, True, False], [True, False, False]]):
        assert torch.equal(layer(x, mask=given_mask), expected)
    for lengths in ([2, 1], np.array([2, 1]), torch.tensor([2, 1], dtype=torch.int32)):
        assert torch.equal(layer(x, lengths=lengths), expected)


@every_kind
def test_only_sequences_hand_a_mask_on(kind: Any) -> None:
    mask = torch.tensor([[True, False]])
    assert kind(4).compute_mask(None, mask) is None
    assert kind(4, return_sequences=True).compute_mask(None, mask) is mask
    assert kind(4, return_sequences=True).compute_mask(None, None) is None
    assert kind.takes_mask


# -------------------------------------------------------------------------------------------------------------- states


@every_kind
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("state", [False, True])
def test_what_is_returned(kind: Any, sequences: bool, state: bool) -> None:
    layer = kind(4, return_sequences=sequences, return_state=state)
    returned = layer(torch.ones(2, 3, 5))
    shape = (2, 3, 4) if sequences else (2, 4)
    assert layer.compute_output_shape((2, 3, 5)) == shape
    if not state:
        assert isinstance(returned, Tensor)
        assert returned.shape == shape
        return
    assert isinstance(returned, tuple)
    assert [tuple(one.shape) for one in returned] == [shape] + [(2, 4)] * (2 if kind is layers.LSTM else 1)
    assert torch.equal(returned[0][:, -1] if sequences else returned[0], returned[1])


@every_kind
def test_states_passed_on_are_one_long_run(kind: Any) -> None:
    layer = kind(4, return_state=True, dtype="float64")
    x = numbers(2, 9, 3)
    whole = layer(x)
    first = layer(x[:, :4])
    second = layer(x[:, 4:], initial_state=first[1:])
    for mine, other in zip(second, whole, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)


@every_kind
def test_stateful_is_one_long_run_without_its_gradient(kind: Any) -> None:
    layer, plain = kind(4, stateful=True, dtype="float64"), kind(4, dtype="float64")
    x = numbers(2, 9, 3).requires_grad_()
    layer(x[:, :4])
    output = layer(x[:, 4:])
    plain.load_state_dict(layer.state_dict())
    torch.testing.assert_close(output, plain(x), rtol=1e-12, atol=1e-12)
    output.sum().backward()
    assert x.grad is not None
    assert x.grad[:, :4].abs().max() == 0
    assert x.grad[:, 4:].abs().min() > 0
    layer.reset_state()
    assert torch.equal(layer(x), plain(x))


def test_states_given_go_before_states_remembered() -> None:
    layer = layers.RNN(Counter(), stateful=True)
    x = torch.zeros(1, 3, 1)
    assert layer(x)[0, 0] == 3
    assert layer(x, initial_state=torch.full((1, 2), 10.0))[0, 0] == 13
    assert layer(x)[0, 0] == 16


def test_another_batch_size_needs_a_reset() -> None:
    layer = layers.GRU(4, stateful=True)
    layer(torch.ones(3, 2, 5))
    with pytest.raises(ValueError, match=r"^GRU is stateful and remembers 3 sequences, got 2: call reset_state\(\)"):
        layer(torch.ones(2, 2, 5))
    layer.reset_state()
    assert layer(torch.ones(2, 2, 5)).shape == (2, 4)


def test_what_was_remembered_in_inference_mode_can_be_trained_on() -> None:
    layer = layers.LSTM(4, stateful=True)
    with torch.inference_mode():
        layer(torch.ones(2, 3, 5))
    layer(torch.ones(2, 3, 5)).sum().backward()
    assert layer.cell.recurrent_kernel.grad is not None


def test_a_copy_remembers_for_itself() -> None:
    layer = layers.RNN(Counter(), stateful=True)
    x = torch.zeros(1, 3, 1)
    layer(x)
    other = copy.deepcopy(layer)
    other(x)
    assert layer(x)[0, 0] == 6
    assert other(x)[0, 0] == 9


# ------------------------------------------------------------------------------------------------------------- dropout


@every_kind
def test_dropout_is_for_training_alone(kind: Any) -> None:
    layer = kind(8, dropout=0.5, recurrent_dropout=0.5)
    x = torch.ones(2, 5, 6)
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    plain = kind(8)
    plain.load_state_dict(layer.state_dict())
    assert torch.equal(layer(x), plain(x))


@every_kind
def test_a_cell_by_itself_drops_in_training_alone(kind: Any) -> None:
    cell = kind(8, dropout=0.5, recurrent_dropout=0.5).cell
    x = torch.ones(2, 6)
    states = [torch.ones(2, 8)] * (2 if kind is layers.LSTM else 1)
    assert not torch.equal(cell(x, states)[0], cell(x, states)[0])
    cell.eval()
    assert torch.equal(cell(x, states)[0], cell(x, states)[0])


@every_kind
def test_dropout_follows_the_seed(kind: Any) -> None:
    layer, x = kind(8, dropout=0.5, recurrent_dropout=0.5), torch.ones(2, 5, 6)
    layer(x)
    torch.manual_seed(3)
    first = layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)


@every_kind
def test_dropout_keeps_the_mean(kind: Any) -> None:
    torch.manual_seed(0)
    cell = kind(50, dropout=0.2, recurrent_dropout=0.6).cell
    cell.build((None, 40))
    inputs, recurrent = cell.dropout_masks(100)
    for masks, rate in ((inputs, 0.2), (recurrent, 0.6)):
        kept = masks[masks > 0]
        torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - rate)))
        deviation = (rate / (1 - rate) / masks.numel()) ** 0.5
        assert abs(float(masks.mean()) - 1) < 5 * deviation
