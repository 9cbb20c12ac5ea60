"""LSTM: long short-term memory, with the variants of the literature."""

from __future__ import annotations

from dataclasses import dataclass

from daneo.layers.lstm_cell import LSTMCell, LSTMCellConfig
from daneo.layers.recurrent_layer import RecurrentLayer
from daneo.layers.rnn import RNNConfig
from daneo.settings import configured, subset


@dataclass(frozen=True, kw_only=True)
class LSTMConfig(RNNConfig, LSTMCellConfig):
    """Settings of :class:`LSTM`: those of its cell, and what it does with the steps."""


class LSTM(RecurrentLayer):
    r"""Long short-term memory: a cell state that gates write to, forget from and show.

    .. math::

        i_t &= \sigma(x_t W_i + h_{t-1} R_i + b_i) & \text{input gate} \\
        f_t &= \sigma(x_t W_f + h_{t-1} R_f + b_f) & \text{forget gate} \\
        g_t &= \tanh(x_t W_c + h_{t-1} R_c + b_c) & \text{candidate} \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t & \text{cell state} \\
        o_t &= \sigma(x_t W_o + h_{t-1} R_o + b_o) & \text{output gate} \\
        h_t &= o_t \odot \tanh(c_t) & \text{hidden state}

    The states are h and c, in this order. The weights, in the order of :attr:`weights`, with blocks of U columns in the
    order i, f, c, o: ``kernel`` W (D, 4U), ``recurrent_kernel`` R (U, 4U), ``bias`` b (4U,); then those of the options.

    Parameters
    ----------
    units : int
        U, the numbers in the cell state.
    activation, recurrent_activation : str, callable or None, default "tanh" and "sigmoid"
        In the places of tanh and of σ: names in ``daneo.layers.activations``, or functions of a tensor. None is linear.
    use_bias : bool, default True
        Whether there is a bias.
    unit_forget_bias : bool, default True
        Let :math:`b_f` begin at 1, so that a new layer remembers.
    kernel_initializer, recurrent_initializer, bias_initializer : str or callable
        How the weights begin: "glorot_uniform", "orthogonal" and "zeros", each for the whole matrix at once; or another
        name in ``daneo.layers.initializers``, or a function that fills a tensor, as those of ``torch.nn.init`` do.
    dropout, recurrent_dropout : float, default 0
        In training, the share of x_t and of the h_{t-1} before R that is left out. What is left out is drawn once a
        call and the same at all steps; the rest is scaled up by 1 / (1 - rate). The gates share what is left out of
        x_t; with recurrent dropout, each has masks of its own for x_t and h_{t-1}.
    peephole : bool, default False
        Let the gates see the cell state: :math:`p_i \odot c_{t-1}` and :math:`p_f \odot c_{t-1}` are added within σ of
        the input and forget gate, and :math:`p_o \odot c_t`, of the new cell state, within that of the output gate.
        ``peephole_kernel`` (3, U) holds p_i, p_f and p_o.
    peephole_initializer : str or callable, default "glorot_uniform"
        How each row of it begins, as a vector.
    coupled : bool, default False
        Forget as much as is written: :math:`f_t = 1 - i_t`. The weights of the forget gate stay, and play no part.
    projection_size : int or None, default None
        P: after the output gate, h_t is multiplied with ``projection_kernel`` (U, P). Outputs and h then have P numbers
        and R is (P, 4U).
    projection_initializer : str or callable, default "glorot_uniform"
        How the projection begins.
    cell_clip : float or None, default None
        Keep each number of c_t between -cell_clip and cell_clip, before the output gate sees and shows it.
    projection_clip : float or None, default None
        Keep each number of the projected h_t between -projection_clip and projection_clip.
    layer_norm : bool, default False
        Normalise each of :math:`x_t W` and :math:`h_{t-1} R` over all its 4U numbers to mean 0 and variance 1, times
        ``input_scale`` and ``recurrent_scale`` (4U,); and c_t over its U numbers, times ``cell_scale`` plus
        ``cell_shift`` (U,), within :math:`h_t = o_t \odot \tanh(\cdot)`. The c_t that is carried on is as it was.
    zoneout : float or (float, float), default 0
        In training, each number of c and of h stays as it was with this probability, drawn anew at every step; out of
        training, the mean of both cases is taken. Two rates are for c and for h. h_t is computed from the c_t before
        zoneout.
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

    ``torch.nn.LSTM`` has the same blocks in the same order, in the rows of the transposed matrices, and two biases
    where one says as much. Keras has none of the options from `peephole` to `zoneout`; it also takes a dropout of 1,
    which it then ignores, and here rates are below 1. What layer normalisation divides by is the root of variance +
    1e-5. Draws are from PyTorch's generator: ``torch.manual_seed``.

    References
    ----------
    Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735; the forget gate: Gers, Schmidhuber and Cummins
    2000, doi:10.1162/089976600300015015; its bias: Jozefowicz, Zaremba and Sutskever 2015, PMLR 37:2342.
    Peepholes: Gers and Schmidhuber 2000, doi:10.1109/IJCNN.2000.861302. Coupled gates: Greff et al. 2017,
    arXiv:1503.04069. Projection: Sak, Senior and Beaufays 2014, arXiv:1402.1128. Layer normalisation: Ba, Kiros and
    Hinton 2016, arXiv:1607.06450, equations 20 to 22. Zoneout: Krueger et al. 2017, arXiv:1606.01305. Dropout: Gal and
    Ghahramani 2016, arXiv:1512.05287.

    Examples
    --------
    >>> import torch
    >>> layer = LSTM(64, return_sequences=True, peephole=True)
    >>> layer(torch.randn(2, 5, 100)).shape
    torch.Size([2, 5, 64])
    >>> layer
    LSTM(units=64, peephole=True, return_sequences=True) 100 -> 64, 42,432 parameters: kernel (100, 256),
    recurrent_kernel (64, 256), bias (256,), peephole_kernel (3, 64)

    The states at the end of one part are those at the beginning of the next:

    >>> layer = LSTM(64, return_state=True)
    >>> output, hidden, cell = layer(torch.randn(2, 5, 100))
    >>> output, hidden, cell = layer(torch.randn(2, 7, 100), initial_state=[hidden, cell])
    """

    config: LSTMConfig
    cell: LSTMCell

    @configured(LSTMConfig)
    def __init__(self, config: LSTMConfig) -> None:
        super().__init__(LSTMCell(**subset(LSTMCellConfig, config)), config)
