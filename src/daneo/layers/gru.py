"""GRU: gated recurrent units."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.layers.gru_cell import GRUCell, GRUCellConfig
from daneo.layers.recurrent_layer import RecurrentLayer
from daneo.layers.rnn import RNNConfig
from daneo.settings import configured, subset


@dataclass(frozen=True, kw_only=True)
class GRUConfig(RNNConfig, GRUCellConfig):
    """Settings of :class:`GRU`: those of its cell, and what it does with the steps."""


class GRU(RecurrentLayer):
    r"""Gated recurrent units: two gates decide how much of the state is kept, and how much of it the candidate sees.

    .. math::

        z_t &= \sigma(x_t W_z + b_z + h_{t-1} R_z + b'_z) \\
        r_t &= \sigma(x_t W_r + b_r + h_{t-1} R_r + b'_r) \\
        \tilde h_t &= \tanh(x_t W_h + b_h + r_t \odot (h_{t-1} R_h + b'_h)) \\
        h_t &= z_t \odot h_{t-1} + (1 - z_t) \odot \tilde h_t

    With ``reset_after=False`` the reset gate acts before the product, and there is one bias for both products:

    .. math:: \tilde h_t = \tanh(x_t W_h + b_h + (r_t \odot h_{t-1}) R_h)

    Its weights, in the order of :attr:`weights`, with blocks of U columns in the order z, r, h: ``kernel`` W (D, 3U),
    ``recurrent_kernel`` R (U, 3U), ``bias`` (2, 3U) with the rows b and b', or (3U,) with ``reset_after=False``.

    Parameters
    ----------
    units : int
        U, the numbers in the hidden state.
    activation, recurrent_activation : str, callable or None, default "tanh" and "sigmoid"
        In the place of tanh and of σ: names in ``daneo.layers.activations``, or functions of a tensor. None is linear.
    reset_after : bool, default True
        Whether the reset gate acts after the recurrent product, as in PyTorch and cuDNN, or before it.
    use_bias : bool, default True
        Whether there are biases.
    kernel_initializer, recurrent_initializer, bias_initializer : str or callable
        How the weights begin: "glorot_uniform", "orthogonal" and "zeros", each for the whole matrix at once; or another
        name in ``daneo.layers.initializers``, or a function that fills a tensor, as those of ``torch.nn.init`` do.
    dropout, recurrent_dropout : float, default 0
        In training, the share of x_t and of the h_{t-1} before R that is left out. What is left out is drawn once a
        call and the same at all steps; the rest is scaled up by 1 / (1 - rate). The gates share what is left out of
        x_t; with recurrent dropout, each has masks of its own for x_t and h_{t-1}. :math:`z_t \odot h_{t-1}` is whole.
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

    ``torch.nn.GRU`` has the blocks in the order r, z, n, in the rows of the transposed matrices, and only
    ``reset_after=True``; the meaning of z is the same. Keras also takes a dropout of 1, which it then ignores; here
    rates are below 1. Draws are from PyTorch's generator: ``torch.manual_seed``.

    References
    ----------
    Cho et al. 2014, arXiv:1406.1078, equations 5 to 8, which have ``reset_after=False``.
    Dropout: Gal and Ghahramani 2016, arXiv:1512.05287.

    Examples
    --------
    >>> import torch
    >>> layer = GRU(64, return_state=True)
    >>> output, state = layer(torch.randn(2, 5, 100), lengths=[5, 3])
    >>> output.shape, bool((output == state).all())
    (torch.Size([2, 64]), True)
    >>> layer
    GRU(units=64, return_state=True) 100 -> 64, 31,872 parameters: kernel (100, 192), recurrent_kernel (64, 192),
    bias (2, 192)
    """

    config: GRUConfig
    cell: GRUCell

    @configured(GRUConfig)
    def __init__(self, config: GRUConfig) -> None:
        super().__init__(GRUCell(**subset(GRUCellConfig, config)), config)
