"""Two recurrent layers over one sequence: one reads it forwards, the other backwards."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from daneo.layers import any_cell
from daneo.layers.inside.gradient_flow import GradientFlow, Loss, gradient_flow_both_ways
from daneo.layers.inside.trace import Trace, trace
from daneo.layers.layer import Layer, Shape
from daneo.layers.layer_descriptions import deserialize, serialize
from daneo.layers.recurrent_layer import RecurrentLayer
from daneo.layers.recurrent_paths import Path
from daneo.layers.rnn import RNN

MERGE_MODES = ("concat", "sum", "mul", "ave", None)


class Bidirectional(Layer):
    r"""Read a sequence in both directions, with separate weights, and merge the outputs.

    .. math:: y_t = \operatorname{merge}(\overrightarrow{h}_t, \overleftarrow{h}_t)

    where the second layer has read the steps from the last down to t. Without `return_sequences`, y merges what each
    layer put out last: the first one after step T - 1, the second one after step 0.

    Parameters
    ----------
    layer : SimpleRNN, GRU, LSTM or RNN
        Says what both layers are like. Both are made anew from its settings: its own weights are not used.
    merge_mode : {"concat", "sum", "mul", "ave", None}, default "concat"
        Outputs side by side, (B, T, 2U), or their sum, product or mean; None returns both.
    backward_layer : recurrent layer or None
        The layer to read backwards with, used as it is. It must differ from `layer` in `go_backwards`, and agree in
        `stateful`, `return_sequences` and `return_state`. None makes one like `layer`.

    Attributes
    ----------
    forward_layer, backward_layer : RNN
        The two layers. :attr:`weights` has those of the first, then those of the second.

    Raises
    ------
    ValueError
        The merge mode is not known, or the two layers do not go together.
    TypeError
        `layer` is not recurrent, or it has a cell that cannot be made anew because it has no ``get_config``.

    Notes
    -----
    As in Keras, both layers put out zeros at masked steps if `return_sequences`, whatever they were told. In
    ``torch.nn``, a bidirectional layer's output at the last step holds a backward state that has read one step; here
    the output without `return_sequences` holds one that has read them all.

    References
    ----------
    Schuster and Paliwal 1997, doi:10.1109/78.650093.

    Examples
    --------
    >>> import torch
    >>> from daneo.layers import LSTM
    >>> both = Bidirectional(LSTM(64, return_sequences=True, return_state=True))
    >>> [tuple(part.shape) for part in both(torch.ones(1, 5, 100))]
    [(1, 5, 128), (1, 64), (1, 64), (1, 64), (1, 64)]
    >>> Bidirectional(LSTM(64), merge_mode="ave")(torch.ones(1, 5, 100)).shape
    torch.Size([1, 64])
    """

    takes_mask: ClassVar[bool] = True
    takes_custom_objects: ClassVar[bool] = True

    forward_layer: RNN
    backward_layer: RNN

    def __init__(self, layer: RNN, merge_mode: str | None = "concat", backward_layer: RNN | None = None) -> None:
        super().__init__()
        for one in (layer, *([] if backward_layer is None else [backward_layer])):
            if not isinstance(one, RNN):
                raise TypeError(f"Bidirectional expected a recurrent layer such as LSTM(64), got {type(one).__name__}.")
        if merge_mode not in MERGE_MODES:
            raise ValueError(
                f"Bidirectional expected merge_mode 'concat', 'sum', 'mul', 'ave' or None, got {merge_mode!r}."
            )
        self.merge_mode = merge_mode
        shown = {"zero_output_for_mask": layer.config.return_sequences}
        self.forward_layer = _made_anew(layer, shown)
        if backward_layer is None:
            self.backward_layer = _made_anew(layer, {**shown, "go_backwards": True})
        else:
            backward_layer.config = dataclasses.replace(backward_layer.config, **shown)
            self.backward_layer = backward_layer
        self._check_pair()

    def _check_pair(self) -> None:
        """Raise if the two layers do not go together."""
        ahead, back = self.forward_layer, self.backward_layer
        if ahead.config.go_backwards == back.config.go_backwards:
            raise ValueError(
                "Bidirectional needs one layer for each direction, "
                f"but both have go_backwards={back.config.go_backwards}."
            )
        for name in ("stateful", "return_sequences", "return_state"):
            mine, its = getattr(ahead.config, name), getattr(back.config, name)
            if mine != its:
                raise ValueError(
                    f"Bidirectional needs layers that agree in {name}, got {mine} and, in backward_layer, {its}."
                )
        mine, its = (any_cell.output_size(layer.cell) for layer in (ahead, back))
        if self.merge_mode not in ("concat", None) and mine != its:
            raise ValueError(
                f"merge_mode={self.merge_mode!r} needs outputs of one size, got {mine} and {its}: "
                "give the layers the same units, or take merge_mode='concat'."
            )

    # ------------------------------------------------------------------------------------------------------ building

    @property
    def built(self) -> bool:
        """Whether both layers are built."""
        return self.forward_layer.built and self.backward_layer.built

    def make_weights(self, input_shape: Shape) -> None:
        """Build both layers."""
        self.forward_layer.build(input_shape)
        self.backward_layer.build(input_shape)

    # ------------------------------------------------------------------------------------------------------- calling

    def forward(
        self,
        x: Tensor | Any,
        initial_state: Sequence[Tensor] | None = None,
        mask: Tensor | None = None,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> Tensor | tuple[Tensor, ...]:
        """Read sequences in both directions.

        Parameters
        ----------
        x : Tensor of shape (B, T, D)
        initial_state : sequence of Tensor of shape (B, U), or None
            The states of the forward layer, then those of the backward layer; None begins with zeros.
        mask : Tensor of bool of shape (B, T), or None
            True where a step counts.
        lengths : integers of shape (B,), or None
            Instead of `mask`: how many steps count.

        Returns
        -------
        output : Tensor of shape (B, T, U) in the order of time, or (B, U) without `return_sequences`; merged
            With ``merge_mode=None`` two of them, forward and backward.
        states : Tensor of shape (B, U), with `return_state`
            The last states of the forward layer, then those of the backward layer.

        Raises
        ------
        ValueError
            The number of states is not that of both layers.
        """
        # Past the search for attributes that a module has: a short sequence takes little longer.
        forward_layer: Any = self._modules["forward_layer"]
        backward_layer: Any = self._modules["backward_layer"]
        forward_state, backward_state = self._split(initial_state)
        ahead = forward_layer(x, forward_state, mask, lengths)
        back = backward_layer(x, backward_state, mask, lengths)
        config, states = forward_layer.config, ()
        if config.return_state:
            ahead, back, states = ahead[0], back[0], (*ahead[1:], *back[1:])
        if config.return_sequences:
            back = _in_order_of_time(back)
        outputs = self._merged(ahead, back)
        return (*outputs, *states) if states or len(outputs) > 1 else outputs[0]

    def _split(self, initial_state: Sequence[Tensor] | None) -> tuple[Sequence[Tensor] | None, Sequence[Tensor] | None]:
        """Return the states of each layer."""
        if initial_state is None:
            return None, None
        ahead, back = (len(any_cell.state_sizes(layer.cell)) for layer in (self.forward_layer, self.backward_layer))
        if isinstance(initial_state, Tensor) or len(initial_state) != ahead + back:
            got = "one tensor" if isinstance(initial_state, Tensor) else len(initial_state)
            raise ValueError(
                f"Bidirectional expected a list of {ahead + back} initial states, {ahead} forward and then {back} "
                f"backward, got {got}."
            )
        return initial_state[:ahead], initial_state[ahead:]

    def _merged(self, ahead: Tensor, back: Tensor) -> tuple[Tensor, ...]:
        match self.merge_mode:
            case "concat":
                return (torch.cat([ahead, back], -1),)
            case "sum":
                return (ahead + back,)
            case "mul":
                return (ahead * back,)
            case "ave":
                return ((ahead + back) / 2,)
        return ahead, back

    # -------------------------------------------------------------------------------------------------------- states

    @property
    def stateful(self) -> bool:
        """Whether each call begins with the states at the end of the one before."""
        return self.forward_layer.config.stateful

    @property
    def return_sequences(self) -> bool:
        """Whether the output has every step."""
        return self.forward_layer.config.return_sequences

    @property
    def return_state(self) -> bool:
        """Whether the last states are returned too."""
        return self.forward_layer.config.return_state

    @property
    def states(self) -> list[Tensor] | None:
        """What a stateful layer will begin with, forward then backward; None before its first call."""
        ahead, back = self.forward_layer.states, self.backward_layer.states
        return None if ahead is None or back is None else [*ahead, *back]

    def reset_state(self) -> None:
        """Forget the states of the calls so far: the next one begins with zeros."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    # --------------------------------------------------------------------------------------------------- as in Keras

    def compute_mask(self, inputs: Any, mask: Tensor | None = None) -> Tensor | None:
        """Return the mask that came: None if only the last output is returned."""
        return mask if self.return_sequences else None

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        """Return (B, T, 2U), (B, T, U) unless concatenated, without T unless `return_sequences`.

        With ``merge_mode=None`` it is the shape of the forward output.
        """
        *kept, units = self.forward_layer.compute_output_shape(input_shape)
        if self.merge_mode == "concat":
            units = any_cell.output_size(self.forward_layer.cell) + any_cell.output_size(self.backward_layer.cell)
        return (*kept, units)

    def get_config(self) -> dict[str, Any]:
        """Return the merge mode and descriptions of both layers, as JSON can hold them."""
        return {
            "layer": serialize(self.forward_layer),
            "merge_mode": self.merge_mode,
            "backward_layer": serialize(self.backward_layer),
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, type[nn.Module]] | None = None
    ) -> Self:
        """Make both layers again, with fresh weights."""
        layers = {
            name: deserialize(config[name], custom_objects)
            for name in ("layer", "backward_layer")
            if config.get(name) is not None
        }
        return cls(**{**config, **layers})

    # ------------------------------------------------------------------------------------------------- to see inside

    def explain(self, x: Any = None, mask: Tensor | None = None) -> tuple[Path, Path]:
        """Say which code would run the forward and the backward layer, and why."""
        return self.forward_layer.explain(x, mask), self.backward_layer.explain(x, mask)

    def trace(self, x: Any, initial_state: Any = None, mask: Any = None, lengths: Any = None) -> tuple[Trace, Trace]:
        """Return a trace of the forward and one of the backward layer, both in the order of time."""
        states = self._split(initial_state)
        return (
            trace(self.forward_layer, x, states[0], mask, lengths),
            trace(self.backward_layer, x, states[1], mask, lengths),
        )

    def gradient_flow(
        self, x: Any, loss: Loss = "last", initial_state: Any = None, mask: Any = None, lengths: Any = None
    ) -> tuple[GradientFlow, GradientFlow]:
        """Measure what reaches the states of the forward and of the backward layer, of a loss of the merged output.

        See :meth:`daneo.layers.LSTM.gradient_flow`; "last" and "sum" are of the hidden states of both layers.
        """

        def merged(ahead: Tensor, back: Tensor) -> Any:
            outputs = self._merged(ahead, _in_order_of_time(back) if self.return_sequences else back)
            return outputs[0] if len(outputs) == 1 else outputs

        layers, states = (self.forward_layer, self.backward_layer), self._split(initial_state)
        return gradient_flow_both_ways(layers, merged, x, loss, states, mask, lengths)

    # ------------------------------------------------------------------------------------------------------- a text

    def settings_text(self) -> str:
        """Return the layer and the merge mode, as ``LSTM(units=64), merge_mode='sum'``."""
        layer = self.forward_layer
        merge = "" if self.merge_mode == "concat" else f", merge_mode={self.merge_mode!r}"
        return f"{type(layer).__name__}({layer.settings_text()}){merge}"

    def sizes_text(self) -> str:
        """Return what goes in and comes out, as ``" 100 -> 128"``."""
        features, arrow, _ = self.forward_layer.sizes_text().partition(" -> ")
        return f"{features}{arrow}{self.compute_output_shape((None, None, None))[-1]}" if arrow else ""


def _in_order_of_time(backward_output: Tensor) -> Tensor:
    """Turn the backward layer's outputs round; the only place that knows in which order they come."""
    return backward_output.flip(1)


def _made_anew(layer: RNN, changes: Mapping[str, Any]) -> RNN:
    """Make a layer of the same settings but for `changes`, with fresh weights, where the weights of `layer` are."""
    made: RNN
    if isinstance(layer, RecurrentLayer):
        settings = {field.name: getattr(layer.config, field.name) for field in dataclasses.fields(layer.config)}
        made = layer.from_config({**settings, **changes})
    else:  # the cell must say how to make another
        description = serialize(layer)
        description["config"].update(changes)
        made = deserialize(description, {type(module).__name__: type(module) for module in layer.modules()})
    weight = next(layer.parameters(), None)
    return made if weight is None else made.to(weight.device, weight.dtype)
