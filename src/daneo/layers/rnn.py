"""RNN: any cell, run over the steps of a sequence."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from daneo.layers import any_cell, plain_loop
from daneo.layers.layer import Layer, Shape
from daneo.layers.layer_descriptions import deserialize, serialize
from daneo.layers.looked_up import LookedUp
from daneo.layers.recurrent_inputs import as_input, as_mask, as_states, check_input
from daneo.layers.recurrent_operator import Plan
from daneo.layers.recurrent_paths import Path, path_of, settings_plan
from daneo.layers.recurrent_run import run_fast
from daneo.layers.stacked_rnn_cells import StackedRNNCells
from daneo.settings import CheckedSettings, opt


@dataclass(frozen=True, kw_only=True)
class RNNConfig(CheckedSettings):
    """What a recurrent layer does with its steps."""

    return_sequences: bool = opt(False, "return the output of every step, not of the last one only")
    return_state: bool = opt(False, "return the last states after the output")
    go_backwards: bool = opt(False, "read the steps from the last to the first, and return outputs in that order")
    stateful: bool = opt(False, "begin each call with the states at the end of the one before")
    zero_output_for_mask: bool = opt(False, "put out zeros at masked steps, not the output before them")


class RNN(Layer):
    r"""Run a cell over the steps of a sequence.

    .. math:: y_t, s_t = \mathrm{cell}(x_t, s_{t-1}) \qquad t = 1, \dots, T

    Parameters
    ----------
    cell : nn.Module or sequence of nn.Module
        One of daneo's cells or any module with

        - ``state_size``, an int or a list of int: the numbers in each state;
        - ``forward(x, states) -> (output, states)`` for x (B, D) and a list of states (B, U);

        and, if it needs them, ``output_size`` (the first state's size), ``build(input_shape)`` and
        ``get_initial_state(batch_size)`` (zeros). Several cells stand one above the other.
    return_sequences : bool, default False
        Return the outputs of all steps (B, T, U), not only the last one (B, U).
    return_state : bool, default False
        Return ``(output, *states)``, with the states after the last step.
    go_backwards : bool, default False
        Read from the last step to the first. Outputs come in the order in which they were made: the first of them
        belongs to the last step.
    stateful : bool, default False
        Begin each call with the states at the end of the one before, without a gradient into the past. See
        :meth:`reset_state`.
    zero_output_for_mask : bool, default False
        Put out zeros at masked steps.

    Attributes
    ----------
    cell : nn.Module
        The cell; several are a :class:`daneo.layers.StackedRNNCells`.
    states : list of Tensor or None
        Of a stateful layer, the states that the next call begins with; None means zeros.

    Raises
    ------
    TypeError, ValueError
        The cell has no ``state_size``; an input has the wrong type or shape. The message names it.

    Notes
    -----
    A masked step carries all states over, and its output repeats the one before it: zeros if there is none, whatever
    the initial states are. Masks may have any pattern, and rows that are masked throughout.

    Stacked cells run one after the other, each over the whole sequence: the same numbers as step by step, with the
    input product of each made at once.

    Differences from Keras: with ``go_backwards`` the mask is handed on in the order of the outputs, where Keras hands
    it on as it came; the states of stacked cells are one flat list; a stateful layer takes another batch size after
    :meth:`reset_state`; x always has three axes.

    Examples
    --------
    A cell that keeps a running sum:

    >>> class Sum(nn.Module):
    ...     state_size = 2
    ...     def forward(self, x, states):
    ...         total = states[0] + x
    ...         return total, [total]
    >>> RNN(Sum(), return_sequences=True)(torch.ones(1, 3, 2))
    tensor([[[1., 1.], [2., 2.], [3., 3.]]])
    """

    takes_mask = True
    takes_custom_objects: ClassVar[bool] = True
    config: RNNConfig
    cell: Any
    states: list[Tensor] | None

    def __init__(
        self,
        cell: nn.Module | Sequence[nn.Module],
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        zero_output_for_mask: bool = False,
    ) -> None:
        config = RNNConfig(
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            zero_output_for_mask=zero_output_for_mask,
        )
        super().__init__(config)
        self.cell = StackedRNNCells(cell) if isinstance(cell, list | tuple) else cell
        any_cell.check_cell(self.cell)
        self.states = None
        self._planned: tuple[RNNConfig, Any, Plan | str] = config, self.cell, settings_plan(self)

    # ------------------------------------------------------------------------------------------------------- calling

    def forward(
        self,
        x: Tensor | Any,
        initial_state: Tensor | Sequence[Tensor] | None = None,
        mask: Tensor | None = None,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> Tensor | tuple[Tensor, ...]:
        """Read sequences.

        Parameters
        ----------
        x : Tensor or array of shape (B, T, D)
            T is at least 1. An array comes to the precision of the weights.
        initial_state : sequence of Tensor of shape (B, U), or one such Tensor, or None
            The states to begin with, as many as the cell has; None means zeros, or where a stateful layer stopped.
        mask : bool Tensor or array of shape (B, T), or None
            True where a step counts; whole numbers other than 0 are True. None: all steps count.
        lengths : whole numbers of shape (B,), or None
            How many steps of each row count, from the first: a shorthand for a mask.

        Returns
        -------
        output : Tensor of shape (B, U), or (B, T, U) with `return_sequences`
        *states : Tensor of shape (B, U)
            Only with `return_state`.

        Raises
        ------
        ValueError
            A shape is wrong, or there are too many or too few states.
        TypeError
            Something is not of numbers of the right kind.
        """
        config, input_masks, recurrent_masks = self.config, None, None
        x, states, mask = self._prepared(x, initial_state, mask, lengths)
        any_cell.recompute_weights(self._modules["cell"])
        if self.training:
            input_masks, recurrent_masks = any_cell.dropout_masks(self._modules["cell"], x.shape[0])
        output, last = self._run(x, states, mask, input_masks, recurrent_masks)
        if config.stateful:
            # Copies: what is returned may be written to.
            self.states = [state.detach().clone() for state in last]
        return (output, *last) if config.return_state else output

    def _prepared(
        self, x: Any, initial_state: Any, mask: Any, lengths: Any
    ) -> tuple[Tensor, list[Tensor] | None, Tensor | None]:
        """Check what a call was given, and build the layer if need be; no states stand for zeros."""
        cell = self._modules["cell"]
        kernel = getattr(cell, "first_kernel", None)
        if not isinstance(x, Tensor | LookedUp):
            x = as_input(type(self).__name__, x, next(self.cell.parameters(), torch.empty(0)))
        if not self.built:
            check_input(self, x, kernel, features=None)
            self.build(x.shape)
        check_input(self, x, kernel, features=None if kernel is None else kernel.shape[0])
        if mask is not None or lengths is not None:
            mask = as_mask(type(self).__name__, x, mask, lengths)
        if initial_state is None and self.states is None:
            return x, None, mask
        return x, self._first_states(x, initial_state), mask

    def _run(
        self,
        x: Tensor | LookedUp,
        states: list[Tensor] | None,
        mask: Tensor | None,
        input_masks: Any,
        recurrent_masks: Any,
    ) -> tuple[Tensor, list[Tensor]]:
        """Take all steps, by kernels, by cuDNN or by the plain loop: the same results.

        Returns the outputs in the order of the steps, or the last one, and the last states.
        """
        cell, config = self._modules["cell"], self.config
        found = run_fast(
            self.plan(),
            cell,
            x,
            states,
            mask,
            input_masks,
            recurrent_masks,
            wants_states=config.return_state or config.stateful,
        )
        if found is not None:
            return found
        if isinstance(x, LookedUp):
            x = x.spread()
        return plain_loop.run(
            self.cell,
            x,
            any_cell.initial_states(self.cell, x) if states is None else states,
            mask,
            input_masks,
            recurrent_masks,
            return_sequences=config.return_sequences,
            go_backwards=config.go_backwards,
            zero_output_for_mask=config.zero_output_for_mask,
        )

    def plan(self) -> Plan | str:
        """Return how kernels would run these settings, or why there are none that do."""
        cell: Any = self._modules["cell"]
        config, planned_cell, plan = self._planned
        if config is not self.config or planned_cell is not cell:
            plan = settings_plan(self)
            self._planned = self.config, cell, plan
        return plan

    def explain(self, x: Any = None, mask: Tensor | None = None) -> Path:
        """Say which code would run this layer, and why.

        Parameters
        ----------
        x : Tensor or array of shape (B, T, D), or None
            What it would be called with; None stands for inputs of the weights' precision on their device.
        mask : Tensor of shape (B, T), or None

        Returns
        -------
        Path
            ``name``: "compiled" (kernels for the CPU), "cudnn", or "plain" (a loop of PyTorch's operations with the
            same results, many times slower); ``reason``: why.

        Examples
        --------
        >>> from daneo.layers import LSTM
        >>> print(LSTM(64, peephole=True).explain())
        compiled: kernels for the CPU, in float32
        >>> print(LSTM(64, layer_norm=True).explain())
        plain: layer_norm has no kernel
        """
        config = getattr(self.cell, "config", None)
        dropped = self.training and getattr(config, "recurrent_dropout", 0) > 0
        weight = next(self.cell.parameters(), torch.empty(0))
        like = torch.empty(1, dtype=weight.dtype, device=weight.device)
        if x is not None:
            like = x if isinstance(x, Tensor) else as_input(type(self).__name__, x, like)
        return path_of(self.plan(), like, mask is not None, dropped, getattr(config, "peephole", False))

    def _first_states(self, x: Tensor, initial_state: Any) -> list[Tensor]:
        if initial_state is not None:
            return as_states(type(self).__name__, initial_state, any_cell.state_sizes(self.cell), x)
        assert self.states is not None
        if self.states[0].shape[0] != x.shape[0]:
            raise ValueError(
                f"{type(self).__name__} is stateful and remembers {self.states[0].shape[0]} sequences, "
                f"got {len(x)}: call reset_state() before a batch of another size."
            )
        # What was left by a call in inference mode cannot be differentiated through unless it is copied.
        if torch.compiler.is_compiling():
            return [state.to(x.device) for state in self.states]
        return [state.clone() if state.is_inference() else state.to(x.device) for state in self.states]

    def reset_state(self) -> None:
        """Let a stateful layer forget: the next call begins with zeros."""
        self.states = None

    # ------------------------------------------------------------------------------------------------------ building

    @property
    def built(self) -> bool:
        """Whether the cell has its weights."""
        return any_cell.is_built(self._modules["cell"], self._built)

    def make_weights(self, input_shape: Shape) -> None:
        """Build the cell for one step of sequences (B, T, D)."""
        any_cell.build(self.cell, (input_shape[0], *input_shape[2:]) if len(input_shape) > 2 else input_shape)

    # --------------------------------------------------------------------------------------------------- as in Keras

    def compute_mask(self, inputs: Any, mask: Tensor | None = None) -> Tensor | None:
        """Return the mask of the outputs, in their order: None if only the last one is returned."""
        if mask is None or not self.config.return_sequences:
            return None
        return torch.as_tensor(mask).flip(1) if self.config.go_backwards else mask

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        """Return the output's shape, without the states': (B, U), or (B, T, U) with `return_sequences`."""
        kept = input_shape[:2] if self.config.return_sequences else input_shape[:1]
        return (*kept, any_cell.output_size(self.cell))

    def get_config(self) -> dict[str, Any]:
        """Return the settings, and a description of the cell, as JSON can hold them."""
        return {"cell": serialize(self.cell), **dataclasses.asdict(self.config)}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, type[nn.Module]] | None = None
    ) -> Self:
        """Make a layer, with fresh weights, from what :meth:`get_config` returned.

        Parameters
        ----------
        config : mapping
        custom_objects : mapping of str to class, or None
            Cells of one's own, by the names of their classes. Each needs ``get_config`` and ``from_config``.
        """
        settings = dict(config)
        return cls(deserialize(settings.pop("cell"), custom_objects), **settings)

    def settings_text(self) -> str:
        """Return the cell and the settings that differ from their defaults."""
        return ", ".join(part for part in (any_cell.text(self.cell), super().settings_text()) if part)

    def sizes_text(self) -> str:
        """Return what goes in and comes out, as ``" 100 -> 64"``."""
        return self.cell.sizes_text() if isinstance(self.cell, Layer) else ""
