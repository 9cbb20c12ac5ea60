"""Keras's files: ``.keras``, ``.weights.h5`` and the older ``.h5``, read and written without Keras."""

from __future__ import annotations

import os
from typing import Any

import torch

from daneo.files import replaced_file
from daneo.layers.formats.keras_config_import import KerasConfig
from daneo.layers.formats.keras_file_reading import opened
from daneo.layers.formats.keras_file_writing import keras_file, older_file, weights_file
from daneo.layers.formats.keras_weights import check, fill, variables
from daneo.layers.sequential import Sequential

_PRECISIONS = {2: torch.float16, 4: torch.float32, 8: torch.float64}  # by the bytes of a number


def load_keras(path: str | os.PathLike[str]) -> Sequential:
    """Make a model from a file of Keras: its layers, and their weights.

    Parameters
    ----------
    path : path
        A Sequential that Keras 3, or ``tf.keras`` from version 2.12 on, saved as ``.keras``, or any Keras as
        ``.h5``. It may hold Embedding, SimpleRNN, GRU, LSTM, RNN over their cells, Bidirectional, TimeDistributed,
        Dense, Dropout and Activation.

    Returns
    -------
    Sequential
        Built, on the CPU, in the precision of the weights in the file. Dense becomes ``nn.Linear``, followed by
        ``nn.ReLU``, ``nn.Sigmoid``, ``nn.Tanh`` or ``nn.Softmax`` if it has such an activation.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is damaged, or is no Sequential, or has a layer, a setting or a class of somebody's own that daneo
        does not have; the message names it.
    ImportError
        The extra ``hdf5`` is not installed.

    Warns
    -----
    UserWarning
        A layer has a regularizer or a constraint; they are left out.

    Notes
    -----
    Nothing in the file is run or imported, sizes are checked before memory is taken, and links to other files are not
    followed. A Lambda layer is refused. So is a hard sigmoid of Keras 2, which was another function than today's.

    TensorFlow Addons' ``PeepholeLSTMCell`` in an RNN becomes an ``LSTM(peephole=True)``.

    The model is in training mode, as every new module: call ``model.eval()`` before it predicts. Where a layer with
    ``go_backwards`` hands on a mask, it is not the one that Keras hands on: see :class:`RNN`.

    Examples
    --------
    >>> import tempfile
    >>> from daneo.layers import LSTM, Embedding, Sequential
    >>> model = Sequential([Embedding(50, 8), LSTM(4)])
    >>> model([[1, 2, 3]]).shape
    torch.Size([1, 4])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_keras(model, f"{folder}/model.keras")
    ...     load_keras(f"{folder}/model.keras")
    Sequential of 2 layers
      0: Embedding(input_dim=50, output_dim=8), 400 parameters: embeddings (50, 8)
      1: LSTM(units=4) 8 -> 4, 208 parameters: kernel (8, 16), recurrent_kernel (4, 16), bias (16,)
    """
    with opened(path) as file:
        if file.config is None:
            raise ValueError(
                f"{file.name} holds weights without layers. Make the model yourself, and fill it with "
                "load_keras_weights."
            )
        # On the meta device sizes cost nothing, until the file has shown that it has that many numbers.
        with torch.device("meta"):
            model, frozen = KerasConfig(file.name, keras_2=file.keras_2).sequential(file.config)
        parts = list(variables(model))
        given = file.arrays(model, parts)
        check(parts, given)
        for part, (first, *_) in zip(parts, given, strict=True):
            part.owner.to(_PRECISIONS.get(first.dtype.itemsize, torch.float32))
        model.to_empty(device="cpu")
        fill(parts, given)
    for layer in frozen:
        layer.requires_grad_(False)
    return model


def load_keras_weights(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Fill a model with the weights in a file of Keras, layer by layer.

    Parameters
    ----------
    model : Sequential
        Of the same layers as the model in the file, an LSTM for an LSTM, ``nn.Linear`` for Dense. What has no weights
        may be there or not. Layers that are not built are built. Weights come to the precision and the device that
        the model has.
    path : path
        ``.weights.h5``, ``.keras`` or the older ``.h5``, with the weights alone or with the whole model.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is damaged, or does not fit the model; the message names the layer. The model keeps its weights.
    ImportError
        The extra ``hdf5`` is not installed.

    Notes
    -----
    The newer files name a layer after its class, and the second LSTM of a model ``lstm_1``; the older ones list the
    layers, and the first with weights there is the first here. Names that users gave do not matter in either.

    The file's settings are not looked at, if there are any. Keras 2 had another hard sigmoid than Keras 3 and daneo.
    """
    _sequential(model, "load_keras_weights")
    with opened(path) as file:
        parts = list(variables(model))
        fill(parts, file.arrays(model, parts))


def save_keras(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write a model as a file that Keras loads.

    Parameters
    ----------
    model : Sequential
        Built, of the layers that :func:`load_keras` makes.
    path : path
        Its end says what is written: ``.keras``, the model for ``keras.saving.load_model``; ``.weights.h5``, the
        weights for ``model.load_weights``; ``.h5``, the older form, the model for both. What stood there is replaced
        when all is written.

    Raises
    ------
    ValueError
        The name ends otherwise, or a layer has a setting that Keras lacks.
    TypeError
        The model is no Sequential, or a layer is unknown to Keras.
    RuntimeError
        The model is not built.
    ImportError
        The extra ``hdf5`` is not installed.

    Notes
    -----
    Keras itself has no peepholes: an ``LSTM(peephole=True)`` is written as TensorFlow Addons' cell in an RNN, which
    ``tf.keras`` with that package can load. All else is for every Keras from 2.12 on, and the older form for older
    ones too; but a ``hard_sigmoid`` means what it means in Keras 3. Initializers are not written, as the weights are.
    """
    _sequential(model, "save_keras")
    model.require_built("save_keras")
    name = os.fspath(path)
    if name.endswith(".weights.h5"):
        content = weights_file(model)
    elif name.endswith((".h5", ".hdf5")):
        content = older_file(model)
    elif name.endswith(".keras"):
        content = keras_file(model)
    else:
        raise ValueError(f"save_keras expected a name that ends in .keras, .weights.h5 or .h5; got {name!r}.")
    with replaced_file(path) as file:
        file.write(content)


def _sequential(model: Any, function: str) -> None:
    if not isinstance(model, Sequential):
        raise TypeError(f"{function} expected a Sequential, got {type(model).__name__}: write Sequential([layer]).")
