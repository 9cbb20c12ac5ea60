"""SimpleRNN: the recurrent layer without gates."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.layers.recurrent_layer import RecurrentLayer
from daneo.layers.rnn import RNNConfig
from daneo.layers.simple_rnn_cell import SimpleRNNCell, SimpleRNNCellConfig
from daneo.settings import configured, subset


@dataclass(frozen=True, kw_only=True)
class SimpleRNNConfig(RNNConfig, SimpleRNNCellConfig):
    """Settings of :class:`SimpleRNN`: those of its cell, and what it does with the steps."""


class SimpleRNN(RecurrentLayer):
    r"""A recurrent layer without gates: each state is a function of the input and of the state before.

    .. math:: h_t = \tanh(x_t W + b + h_{t-1} R)

    Its weights, in the order of :attr:`weights`: ``kernel`` W (D, U), ``recurrent_kernel`` R (U, U), ``bias`` b (U,).

    Parameters
    ----------
    units : int
        U, the numbers in the hidden state.
    activation : str, callable or None, default "tanh"
        In the place of tanh: a name in ``daneo.layers.activations``, or a function of a tensor. None is linear.
    use_bias : bool, default True
        Whether there is a bias.
    kernel_initializer, recurrent_initializer, bias_initializer : str or callable
        How the weights begin: "glorot_uniform", "orthogonal" and "zeros", or another name in
        ``daneo.layers.initializers``, or a function that fills a tensor, as those of ``torch.nn.init`` do.
    dropout, recurrent_dropout : float, default 0
        In training, the share of x_t and of the h_{t-1} before R that is left out. What is left out is drawn once a
        call and the same at all steps; the rest is scaled up by 1 / (1 - rate).
    return_sequences, return_state, go_backwards, stateful, zero_output_for_mask : bool, default False
        What the layer does with the steps: see :class:`daneo.layers.RNN`.
    dtype, device
        Precision and place of the weights; None means PyTorch's default.

    Raises
    ------
    TypeError, ValueError
        A setting, or later an input, has the wrong type, shape or size; the message names it.

    Notes
    -----
    Called as ``layer(x, initial_state=None, mask=None, lengths=None)``: see :meth:`daneo.layers.RNN.forward`.
    Gradients through many steps vanish or explode: :class:`daneo.layers.LSTM` and :class:`daneo.layers.GRU` are for
    what lies further back.

    ``torch.nn.RNN`` has two biases, where one says as much, and begins all weights alike. Keras also takes a dropout
    of 1, which drops everything; here rates are below 1. Draws are from PyTorch's generator: ``torch.manual_seed``.

    References
    ----------
    Elman 1990, doi:10.1207/s15516709cog1402_1. Dropout: Gal and Ghahramani 2016, arXiv:1512.05287.

    Examples
    --------
    >>> import torch
    >>> layer = SimpleRNN(64, return_sequences=True)
    >>> layer(torch.randn(2, 5, 100)).shape
    torch.Size([2, 5, 64])
    >>> layer
    SimpleRNN(units=64, return_sequences=True) 100 -> 64, 10,560 parameters: kernel (100, 64),
    recurrent_kernel (64, 64), bias (64,)
    """

    config: SimpleRNNConfig
    cell: SimpleRNNCell

    @configured(SimpleRNNConfig)
    def __init__(self, config: SimpleRNNConfig) -> None:
        super().__init__(SimpleRNNCell(**subset(SimpleRNNCellConfig, config)), config)
