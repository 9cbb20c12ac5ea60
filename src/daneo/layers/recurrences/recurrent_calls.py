"""What a recurrent operator is given and gives back, as NumPy arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

from daneo.layers.recurrences.recurrence_buffers import Floats, Integers

ACTIVATIONS = ("tanh", "sigmoid", "relu", "linear", "hard_sigmoid")  # what the kernels know, by number


class Call(NamedTuple):
    """The settings of one call.

    Attributes
    ----------
    activation, recurrent_activation : int
        Places in ACTIVATIONS.
    variant : bool
        The GRU's reset_after, the LSTM's coupled.
    reverse : bool
        Take the steps from the last to the first; outputs stay in the order of time.
    sequences : bool
        Whether all outputs are wanted, not only the last.
    zero_output : bool
        Put out zeros at masked steps.
    states : bool
        Whether the final states are wanted.
    keep : bool
        Keep all states and gates, for a backward pass or to be looked at.
    num_threads : int
    """

    activation: int
    recurrent_activation: int
    variant: bool
    reverse: bool
    sequences: bool
    zero_output: bool
    states: bool
    keep: bool
    num_threads: int


class Inputs(NamedTuple):
    """The arrays of one call, all of one float type.

    Attributes
    ----------
    x : (B, T, D), or with `tokens` (N, D)
        Inputs; with tokens the distinct ones, and token t of sequence b is row tokens[b, t]. Without a kernel the input
        product itself, (B, T, G * U).
    kernel : (D, G * U) or None
    recurrent_kernel : (U, G * U)
    bias : (G * U,), the GRU's with reset_after (2, G * U), or None
    peephole : (3, U) or None
    hidden, cell : (B, U) or None
        The initial states, None for zeros; `cell` only of an LSTM.
    mask : bool (B, T) or None
    recurrent_masks : (G, B, U) or None
    tokens : int64 (B, T) or None
    """

    x: Floats
    kernel: Floats | None
    recurrent_kernel: Floats
    bias: Floats | None
    peephole: Floats | None
    hidden: Floats | None
    cell: Floats | None
    mask: Any
    recurrent_masks: Floats | None
    tokens: Integers | None

    @property
    def num_sequences(self) -> int:
        """B."""
        return len(self.x if self.tokens is None else self.tokens)

    @property
    def num_steps(self) -> int:
        """T."""
        return int((self.x if self.tokens is None else self.tokens).shape[1])

    @property
    def units(self) -> int:
        """U."""
        return len(self.recurrent_kernel)


class Saved(NamedTuple):
    """What a backward pass needs from the forward pass: rows of gates, states, and cells or candidates."""

    gates: Floats
    hidden: Floats
    more: Floats


class OutputGradients(NamedTuple):
    """The loss's gradients by what a forward pass returned: None where there is none.

    `outputs` (B, T, U) with `sequences`, else (B, U); `hidden` and `cell` (B, U), of the final states.
    """

    outputs: Floats | None
    hidden: Floats | None
    cell: Floats | None


class InputGradients(NamedTuple):
    """Gradients by what a call was given; None where nothing was asked for or there is none."""

    x: Floats | None
    kernel: Floats | None
    recurrent_kernel: Floats
    bias: Floats | None
    peephole: Floats | None
    hidden: Floats
    cell: Floats | None
