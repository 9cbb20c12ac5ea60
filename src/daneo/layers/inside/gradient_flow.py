"""Gradient flow: how much of the loss's gradient reaches each step of a recurrent layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from daneo.layers.inside.gradient_decline import GradientDecline
from daneo.layers.inside.gradient_figures import norms_over_steps
from daneo.layers.inside.visible_steps import STATE_NAMES, prepared, shown, visible_steps

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from daneo.layers.rnn import RNN

Loss = str | Callable[[Any], Tensor]


@dataclass(frozen=True, eq=False, repr=False)
class GradientFlow:
    r"""The norm of a loss's gradient at the states of each step: what ``layer.gradient_flow(x, loss)`` measured.

    .. math:: \left\| \frac{\partial L}{\partial h_t} \right\|_2 \quad\text{and}\quad
        \left\| \frac{\partial L}{\partial c_t} \right\|_2

    with everything that follows from the state: the outputs of that step and of all that are read after it.

    Attributes
    ----------
    layer : str
        The kind of layer: "LSTM".
    hidden_state : Tensor of shape (B, T)
        The norm at each hidden state, in float64 on the CPU. Step t is the step of ``x[:, t]``, also if the layer reads
        backwards. At masked steps it is NaN, because they make no state of their own.
    cell_state : Tensor of shape (B, T), or None
        The norm at each cell state of an LSTM.
    loss : float
        The loss.
    mask : Tensor of bool of shape (B, T), or None
        True where a step counts; on the CPU.
    go_backwards : bool
        Whether the layer reads from the last step to the first.

    Notes
    -----
    :attr:`verdict` follows a rule. The norm of a step is taken over all of its states, for each row, and divided by
    that of the step at which the loss enters: the last step read whose gradient is not zero. Steps are counted back
    from there, and the mean over the rows that reach as far is what has become of the gradient.

    - It **explodes** if at some step it is more than 1000, or not finite.
    - Otherwise it **vanishes** if at the furthest step it is less than 1/1000.
    - Otherwise it **holds**.

    :attr:`rate` is the factor from one step to the one before it: the least-squares line through the logarithms. A
    sequence may be too short for a verdict that its rate foretells: 0.8 a step takes 31 steps to a thousandth.

    References
    ----------
    Bengio, Simard and Frasconi 1994, doi:10.1109/72.279181; Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063,
    equation 5.

    Examples
    --------
    >>> from daneo.layers import SimpleRNN
    >>> layer = SimpleRNN(1, activation="linear", recurrent_initializer=torch.nn.init.ones_)
    >>> layer.build((None, None, 1))
    >>> with torch.no_grad():
    ...     layer.cell.recurrent_kernel.mul_(0.5)
    Parameter containing:
    tensor([[0.5000]], requires_grad=True)
    >>> flow = layer.gradient_flow(torch.ones(1, 20, 1))
    >>> flow.hidden_state[0, -4:]
    tensor([0.1250, 0.2500, 0.5000, 1.0000], dtype=torch.float64)
    >>> print(flow.verdict)
    The gradient vanishes: 19 steps back it is 1.91e-06 times what it is where the loss enters, and less than a
    thousandth from 10 steps back on. It changes by a factor of 0.5 a step.
    """

    layer: str
    hidden_state: Tensor
    cell_state: Tensor | None
    loss: float
    mask: Tensor | None
    go_backwards: bool

    def __repr__(self) -> str:
        return f"GradientFlow of {self.layer}, (B, T) = {tuple(self.hidden_state.shape)}: {self.verdict}"

    def over_batch(self) -> dict[str, Tensor]:
        """Return the norms of the gradient at the states of all rows together.

        Returns
        -------
        dict of str to Tensor of shape (T,)
            Of "hidden_state" and, for an LSTM, "cell_state": the root of the sum over the rows of the squared norms,
            which is the norm of the gradient (B, U). NaN where all rows are masked.
        """
        if self.mask is None:
            return {name: torch.linalg.vector_norm(norms, dim=0) for name, norms in self._norms().items()}
        # What is not a number at a step that counts stays so.
        counted = {name: torch.where(self.mask, norms, 0) for name, norms in self._norms().items()}
        return {
            name: torch.where(self.mask.any(0), torch.linalg.vector_norm(norms, dim=0), torch.nan)
            for name, norms in counted.items()
        }

    @property
    def vanishes(self) -> bool:
        """Whether the gradient has all but gone at the furthest step; see Notes."""
        return self._decline.vanishes

    @property
    def explodes(self) -> bool:
        """Whether the gradient grows more than a thousandfold on its way back; see Notes."""
        return self._decline.explodes

    @property
    def rate(self) -> float:
        """The factor by which the gradient changes from one step to the one before it; NaN if nothing tells."""
        return self._decline.rate

    @property
    def ratio(self) -> float:
        """The gradient at the furthest step, in parts of that where the loss enters."""
        return self._decline.ratio

    @property
    def verdict(self) -> str:
        """Whether the gradient vanishes, explodes or holds, and where, in words."""
        return self._decline.in_words()

    @cached_property
    def _decline(self) -> GradientDecline:
        hidden, mask = self.hidden_state, self.mask
        together = hidden if self.cell_state is None else torch.hypot(hidden, self.cell_state)
        rows = [row if mask is None else row[mask[number]] for number, row in enumerate(together)]
        return GradientDecline.of(rows if self.go_backwards else [row.flip(0) for row in rows])

    def _norms(self) -> dict[str, Tensor]:
        norms = {"hidden_state": self.hidden_state, "cell_state": self.cell_state}
        return {name: values for name, values in norms.items() if values is not None}

    def plot(
        self,
        words: Sequence[str] | None = None,
        *,
        row: int | None = None,
        axes: Axes | None = None,
        label: str | None = None,
    ) -> Figure:
        """Draw the norms over the steps, on a logarithmic scale.

        Parameters
        ----------
        words : sequence of str or None
            What to write below the steps, one for each. None writes their numbers.
        row : int or None, default None
            Draw one of the B sequences; None draws :meth:`over_batch`.
        axes : matplotlib.axes.Axes or None
            Where to draw, to compare several flows in one figure; None makes a figure.
        label : str or None
            What to call the layer in the legend; None is its kind.

        Returns
        -------
        matplotlib.figure.Figure
            Needs no display: ``figure.savefig("flow.svg")``. A notebook shows it.

        Raises
        ------
        ImportError
            matplotlib is not installed.
        ValueError, IndexError
            There are too few or too many words, or no such row.

        Notes
        -----
        A logarithmic scale has no place for steps whose gradient is exactly zero: there the line ends.
        """
        rows, steps = self.hidden_state.shape
        if words is not None and len(words) != steps:
            raise ValueError(f"This gradient flow has {steps} steps, got {len(words)} words: give one for each.")
        if row is not None and not 0 <= row < rows:
            raise IndexError(f"This gradient flow has rows 0 to {rows - 1}, got row={row}.")
        drawn = self.over_batch() if row is None else {name: norms[row] for name, norms in self._norms().items()}
        lines = {name: values.numpy() for name, values in drawn.items()}
        return norms_over_steps(lines, words, axes, label or self.layer)


class _Path(NamedTuple):
    """A layer's way through x: the nodes at which the gradient is taken, and what came out."""

    layer: RNN
    nodes: list[list[Tensor]]  # the states after each step, in the order of time
    mask: Tensor | None
    hidden_states: Tensor
    output: Tensor


def gradient_flow(
    layer: RNN,
    x: Any,
    loss: Loss = "last",
    initial_state: Any = None,
    mask: Any = None,
    lengths: Any = None,
) -> GradientFlow:
    """Measure one layer; see :meth:`daneo.layers.RecurrentLayer.gradient_flow`."""
    with torch.inference_mode(False), torch.enable_grad():
        path = _walk(layer, x, initial_state, mask, lengths)
        return _flows([path], path.output, loss)[0]


def gradient_flow_both_ways(
    layers: tuple[RNN, RNN],
    merged: Callable[[Tensor, Tensor], Any],
    x: Any,
    loss: Loss,
    initial_states: tuple[Any, Any],
    mask: Any,
    lengths: Any,
) -> tuple[GradientFlow, GradientFlow]:
    """Measure two layers whose outputs are merged; see :meth:`daneo.layers.Bidirectional.gradient_flow`."""
    with torch.inference_mode(False), torch.enable_grad():
        paths = [_walk(layer, x, state, mask, lengths) for layer, state in zip(layers, initial_states, strict=True)]
        ahead, back = _flows(paths, merged(paths[0].output, paths[1].output), loss)
        return ahead, back


def _walk(layer: RNN, x: Any, initial_state: Any, mask: Any, lengths: Any) -> _Path:
    x, states, mask = prepared(layer, x, initial_state, mask, lengths)
    # Whatever x and the states were computed from is no part of this.
    steps = visible_steps(layer, _leaf(x), [_leaf(state).requires_grad_() for state in states], mask)
    nodes = [step.states for step in steps]
    # From the nodes themselves, so that a step's own output counts as following from its state.
    hidden_states = torch.stack([states[0] for states in nodes], 1)
    return _Path(layer, nodes, mask, hidden_states, shown(layer, hidden_states, mask))


def _leaf(tensor: Tensor) -> Tensor:
    # Autograd takes nothing that was made in inference mode.
    return tensor.clone() if tensor.is_inference() else tensor.detach()


def _flows(paths: list[_Path], output: Any, loss: Loss) -> list[GradientFlow]:
    """Differentiate the loss by all nodes of all paths."""
    value = _value(paths, output, loss)
    nodes = [node for path in paths for states in path.nodes for node in states]
    gradients = iter(torch.autograd.grad(value, nodes, allow_unused=True, materialize_grads=True))
    flows = []
    for path in paths:
        # In float64, because squares of what is left after many steps are too small for float32.
        norms = torch.stack(
            [
                torch.stack([torch.linalg.vector_norm(next(gradients).cpu().double(), dim=1) for _ in states])
                for states in path.nodes
            ],
            2,
        )
        mask = None if path.mask is None else path.mask.cpu()
        if mask is not None:
            norms = torch.where(mask, norms, torch.nan)
        hidden, cell = [*norms, None][: len(STATE_NAMES)]
        name, backwards = type(path.layer).__name__, path.layer.config.go_backwards
        assert hidden is not None
        flows.append(GradientFlow(name, hidden, cell, float(value.detach()), mask, backwards))
    return flows


def _value(paths: list[_Path], output: Any, loss: Loss) -> Tensor:
    """Compute the loss."""
    if loss == "last":
        return torch.stack([path.nodes[0 if path.layer.config.go_backwards else -1][0].sum() for path in paths]).sum()
    if loss == "sum":
        every = [
            path.hidden_states if path.mask is None else torch.where(path.mask[..., None], path.hidden_states, 0)
            for path in paths
        ]
        return torch.stack([states.sum() for states in every]).sum()
    if not callable(loss):
        raise ValueError(
            "gradient_flow expected the loss as 'last', 'sum' or a function of the layer's output, got "
            f"{repr(loss) if isinstance(loss, str) else type(loss).__name__}."
        )
    value = loss(output)
    if not isinstance(value, Tensor) or value.numel() != 1:
        got = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
        raise ValueError(f"gradient_flow expected loss(output) to be a tensor with one number, got {got}.")
    if not value.requires_grad:
        raise ValueError(
            "The loss does not depend on the layer's output, so it has no gradient: compute it from the output alone "
            "with operations of PyTorch, without detach() or item()."
        )
    return value.reshape(())
