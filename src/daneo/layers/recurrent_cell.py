"""What SimpleRNNCell, GRUCell and LSTMCell share: the input product, dropout, one step at a time."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from daneo.layers import activations, initializers
from daneo.layers.initializers import Initializer
from daneo.layers.layer import Layer, Shape
from daneo.settings import CheckedSettings, opt


@dataclass(frozen=True, kw_only=True)
class RecurrentCellConfig(CheckedSettings):
    """The settings that all three cells have."""

    units: int = opt(dataclasses.MISSING, "numbers in the hidden state", minimum=1, positional=True)
    activation: str | Callable[[Tensor], Tensor] | None = opt("tanh", "what candidates pass through")
    use_bias: bool = opt(True, "add a bias to the products")
    kernel_initializer: str | Initializer = opt("glorot_uniform", "how the kernel begins")
    recurrent_initializer: str | Initializer = opt("orthogonal", "how the recurrent kernel begins")
    bias_initializer: str | Initializer = opt("zeros", "how the bias begins")
    dropout: float = opt(0.0, "share of the inputs that training leaves out", minimum=0, below=1)
    recurrent_dropout: float = opt(0.0, "share of the hidden state that training leaves out", minimum=0, below=1)
    dtype: torch.dtype | str | None = opt(None, "precision of the weights (none: PyTorch's default)")
    device: torch.device | str | None = opt(None, "where the weights are (none: PyTorch's default)")


class RecurrentCell(Layer):
    """One step of a recurrent layer, in two halves: a product of the input alone, and the recurrence.

    The product does not depend on the state, so a layer makes it for all steps at once (:meth:`project`) and then
    takes the steps one by one (:meth:`step`). Called as ``cell(x_t, states)``, a cell does both for one step.

    Attributes
    ----------
    GATES : tuple of str
        The blocks of U columns in the kernels, in their order.
    INTERNALS : tuple of str
        Names of what :meth:`step` lets one see.
    """

    GATES: ClassVar[tuple[str, ...]]
    INTERNALS: ClassVar[tuple[str, ...]]

    config: RecurrentCellConfig
    kernel: Tensor
    recurrent_kernel: Tensor
    bias: Tensor | None

    def __init__(self, config: RecurrentCellConfig) -> None:
        super().__init__(config)
        self._activation = activations.get(config.activation)
        for field in dataclasses.fields(config):
            if field.name.endswith("_initializer"):
                initializers.get(getattr(config, field.name))  # a name that is wrong is refused now, not when built
        self.declare("kernel")
        self.declare("recurrent_kernel")
        self.declare("bias", wanted=config.use_bias)

    def declare(self, name: str, *, wanted: bool = True) -> None:
        """Register a weight, in the precision and on the device of the settings; None if it is not `wanted`."""
        if wanted:
            self.declare_weight(name, dtype=self.config.dtype, device=self.config.device)
        else:
            self.register_parameter(name, None)

    # --------------------------------------------------------------------------------------------------------- sizes

    @property
    def first_kernel(self) -> Tensor:
        """The weights that meet the input first: they tell what input is expected."""
        return self.kernel

    @property
    def output_size(self) -> int:
        """The numbers in an output, which is the first state."""
        return self.config.units

    @property
    def state_size(self) -> int | list[int]:
        """The numbers in each state."""
        return self.config.units

    def get_initial_state(self, batch_size: int) -> list[Tensor]:
        """Return zeros (B, U) for each state, in the weights' precision."""
        sizes = [self.state_size] if isinstance(self.state_size, int) else self.state_size
        kernel = self.kernel
        return [kernel.new_zeros(batch_size, size) for size in sizes]

    def make_weights(self, input_shape: Shape) -> None:
        """Make kernel (D, G*U), recurrent_kernel (U, G*U) and the bias."""
        features = input_shape[-1] if len(input_shape) else None
        if features is None or features < 1:
            raise ValueError(
                f"{type(self).__name__}.build expected a shape that ends with the number of features, "
                f"such as (None, None, 100); got {tuple(input_shape)}."
            )
        columns = len(self.GATES) * self.config.units
        self.make_weight("kernel", (features, columns), self.config.kernel_initializer)
        self.make_weight("recurrent_kernel", (self.output_size, columns), self.config.recurrent_initializer)
        if self.bias is not None:
            self.make_weight("bias", self.bias_shape, self.config.bias_initializer)

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """The shape of the bias, if there is one."""
        return (len(self.GATES) * self.config.units,)

    def input_shape_of(self, weights: Mapping[str, Tensor]) -> Shape | None:
        """Tell the number of features from the rows of a loaded kernel."""
        kernel = weights.get("kernel")
        return None if kernel is None or kernel.ndim != 2 else (None, kernel.shape[0])

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        """Return (B, U)."""
        return (*input_shape[:-1], self.output_size)

    def sizes_text(self) -> str:
        """Return what goes in and comes out, as ``" 100 -> 64"``."""
        return f" {self.kernel.shape[0]} -> {self.output_size}"

    # --------------------------------------------------------------------------------------------------------- steps

    def dropout_masks(self, batch_size: int) -> tuple[Tensor | None, Tensor | None]:
        """Draw the masks that all steps of one call share: what is dropped is dropped at every step.

        Returns
        -------
        input_masks : Tensor of shape (B, D), with recurrent dropout (G, B, D), or None
        recurrent_masks : Tensor of shape (G, B, U) or None
            0 where a number is left out, else ``1 / (1 - rate)``; None where nothing is, as always in ``eval()``.
        """
        config, gates = self.config, len(self.GATES)
        if not self.training or not (config.dropout or config.recurrent_dropout):
            return None, None
        kernel, inputs, recurrent = self.kernel, None, None
        if config.dropout:
            # As in Keras: the gates share one mask of the input unless recurrent dropout separates them.
            apart = (gates,) if config.recurrent_dropout and gates > 1 else ()
            inputs = functional.dropout(kernel.new_ones(*apart, batch_size, kernel.shape[0]), config.dropout)
        if config.recurrent_dropout:
            ones = kernel.new_ones(gates, batch_size, self.output_size)
            recurrent = functional.dropout(ones, config.recurrent_dropout)
        return inputs, recurrent

    def project(self, x: Tensor, input_masks: Tensor | None = None) -> Tensor:
        """Multiply inputs x (B, T, D) with the kernel and add the bias: (B, T, G*U)."""
        return linear(x, self.kernel, self.input_bias, input_masks)

    @property
    def input_bias(self) -> Tensor | None:
        """The bias (G*U,) that is added to the input product."""
        return self.bias

    @abstractmethod
    def step(
        self, projected: Tensor, states: Sequence[Tensor], recurrent_masks: Tensor | None = None
    ) -> tuple[list[Tensor], tuple[Tensor, ...]]:
        """Take one step.

        Parameters
        ----------
        projected : Tensor of shape (B, G*U)
            One step of what :meth:`project` returned.
        states : sequence of Tensor of shape (B, U)
        recurrent_masks : Tensor of shape (G, B, U) or None

        Returns
        -------
        states : list of Tensor
            The new states; the first of them is the output.
        internals : tuple of Tensor
            What INTERNALS names.
        """

    def forward(self, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Take one step from an input x (B, D); in training with dropout masks of its own.

        Returns
        -------
        output : Tensor of shape (B, U)
        states : list of Tensor
        """
        if not self.built:
            self.build(x.shape)
        input_masks, recurrent_masks = self.dropout_masks(len(x))
        states, _ = self.step(self.project(x[:, None], input_masks)[:, 0], states, recurrent_masks)
        return states[0], states


def linear(x: Tensor, kernel: Tensor, bias: Tensor | None, masks: Tensor | None) -> Tensor:
    """Compute ``x @ kernel + bias`` over the last axis of x (B, ..., D), after dropout.

    masks (B, D) are for all columns of the kernel; masks (G, B, D) have one for each of its G blocks.
    """
    if masks is None:
        return functional.linear(x, kernel.t(), bias)
    steps = (slice(None), *(None,) * (x.ndim - 2))  # one mask for all steps
    if masks.ndim == 2:
        return functional.linear(x * masks[steps], kernel.t(), bias)
    blocks = [(x * mask[steps]) @ block for mask, block in zip(masks, kernel.chunk(len(masks), 1), strict=True)]
    product = torch.cat(blocks, -1)
    return product if bias is None else product + bias
