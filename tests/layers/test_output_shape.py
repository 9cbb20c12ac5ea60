"""Shapes that modules tell without computing: what they compute is the oracle."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from daneo.layers import LSTM, Layer
from daneo.layers.output_shape import output_shape


@pytest.mark.parametrize(
    ("module", "given", "want"),
    [
        (nn.Linear(5, 3), (None, None, 5), (None, None, 3)),
        (nn.Linear(5, 3), (7, 5), (7, 3)),
        (nn.Dropout(0.5), (None, None, 5), (None, None, 5)),
        (nn.LayerNorm(5, dtype=torch.float64), (None, 4, 5), (None, 4, 5)),
        (nn.BatchNorm1d(5), (None, 5), (None, 5)),
        (nn.Embedding(9, 3), (None, None), (None, None, 3)),
        (nn.Conv1d(5, 3, 2, stride=2), (None, 5, 8), (None, 3, 4)),
        (nn.Flatten(), (None, 4, 5), (None, 20)),
        (nn.Sequential(nn.Linear(5, 2), nn.ReLU()), (None, 5), (None, 2)),
        (LSTM(3), (None, None, 5), (None, 3)),
    ],
)
def test_shapes(module: nn.Module, given: tuple[int | None, ...], want: tuple[int | None, ...]) -> None:
    assert output_shape(module, given) == want


def test_nothing_is_changed() -> None:
    module = nn.Sequential(nn.BatchNorm1d(5), nn.Dropout(0.5))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    generator = torch.get_rng_state()
    output_shape(module, (None, 5))
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


class Nonzero(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[x > 0]


@pytest.mark.parametrize("module", [nn.Linear(4, 3), nn.LSTM(5, 3), Nonzero()])
def test_modules_that_do_not_tell(module: nn.Module) -> None:
    name = type(module).__name__
    with pytest.raises(
        ValueError, match=rf"^{name} does not tell the shape .* \(None, None, 5\) \(.*call the model"
    ) as caught:
        output_shape(module, (None, None, 5))
    assert "\n" not in str(caught.value)


def test_a_layer_of_ones_own_must_say() -> None:
    with pytest.raises(
        ValueError, match="Layer does not say what shape its output has. Write its compute_output_shape"
    ):
        output_shape(Layer(), (None, 5))
