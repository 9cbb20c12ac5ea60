"""Ids to vectors: a table with one row a word."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from daneo.embeddings import WordVectors
from daneo.layers import initializers
from daneo.layers.initializers import Initializer
from daneo.layers.layer import Layer, Shape
from daneo.layers.table_gradient import look_up
from daneo.layers.unbuilt_parameter import UnbuiltParameter
from daneo.settings import check, configured, opt

_UNSIGNED_AND_SHORT = frozenset({torch.int8, torch.int16, torch.uint8, torch.uint16, torch.uint32, torch.uint64})
_ROWS_AT_A_TIME = 1 << 16


@dataclass(frozen=True, kw_only=True)
class EmbeddingConfig:
    """Settings of :class:`Embedding`."""

    input_dim: int = opt(
        dataclasses.MISSING, "rows of the table: words, or the largest id + 1", minimum=1, positional=True
    )
    output_dim: int = opt(dataclasses.MISSING, "numbers in a vector", minimum=1, positional=True)
    embeddings_initializer: str | Initializer = opt("uniform", "how the table begins", positional=True)
    mask_zero: bool = opt(False, "id 0 is padding, which the layers that follow leave out", positional=True)
    trainable: bool = opt(True, "the table learns; otherwise it is frozen")
    sparse: bool = opt(False, "the gradient is a sparse tensor, for torch.optim.SparseAdam and SGD")
    dtype: torch.dtype | str | None = opt(None, "precision of the table (none: PyTorch's default)")
    device: torch.device | str | None = opt(None, "where the table is (none: PyTorch's default)")

    def __post_init__(self) -> None:
        check(self)


class Embedding(Layer):
    r"""Look up a row of a table for each id.

    With the ids as one-hot rows :math:`O`, and the table E of V rows by D columns,

    .. math:: y = O E

    which is the same numbers as ``E[ids]``, none of the zeros. An id is a name and not a quantity: nothing can be
    differentiated with respect to it, so the layer can only be the first one of a model.

    Parameters
    ----------
    input_dim : int
        V. Ids are 0 to V - 1.
    output_dim : int
        D.
    embeddings_initializer : str or callable, default "uniform"
        How the table begins: uniform from -0.05 to 0.05. A callable fills a tensor, as ``torch.nn.init.normal_`` does.
    mask_zero : bool, default False
        Id 0 is padding: :meth:`compute_mask` marks it, and a :class:`daneo.layers.Sequential` hands that mask on. Row 0
        is looked up all the same, as in Keras.
    trainable : bool, default True
        Whether the table learns. ``layer.requires_grad_(...)`` changes it later.
    sparse : bool, default False
        Make the table's gradient a sparse tensor that holds the looked-up rows only.
    dtype, device
        Of the table; None is PyTorch's default.

    Notes
    -----
    Called with ids of any shape and any integer type, a tensor, an array or lists, it returns the ids' shape and D.
    :attr:`weights` is ``[embeddings]``, of shape (V, D); it is there from the start.

    The gradient of a table on the CPU of 8 MiB or more costs what its looked-up rows cost, although it is as large as
    the table: the rest of it is memory that nobody has written to. Rows of an id that occurs several times are added
    in the order in which they occur.

    Differences from Keras: an id out of range raises on every device and is never clamped or wrapped; a float is not
    rounded down to an id; a mask that came with the input is passed on. On a device that is not the CPU the range check
    waits for the device. Code that ``torch.compile`` made checks ids in its own way.

    Examples
    --------
    >>> import torch
    >>> layer = Embedding(5, 3, mask_zero=True)
    >>> layer
    Embedding(input_dim=5, output_dim=3, mask_zero=True), 15 parameters: embeddings (5, 3)
    >>> ids = torch.tensor([[4, 2, 0]])
    >>> layer(ids).shape, layer.compute_mask(ids).tolist()
    (torch.Size([1, 3, 3]), [[True, True, False]])
    >>> one_hot = torch.nn.functional.one_hot(ids, 5).float()
    >>> torch.equal(layer(ids), one_hot @ layer.weights[0])
    True
    """

    config: EmbeddingConfig
    embeddings: Tensor

    @configured(EmbeddingConfig)
    def __init__(self, config: EmbeddingConfig) -> None:
        super().__init__(config)
        with torch.inference_mode(False):  # a table made there could never be trained
            self.declare_weight("embeddings", dtype=config.dtype, device=config.device)
            self.build(())  # its shape does not depend on any input

    @classmethod
    def from_vectors(
        cls,
        vectors: WordVectors,
        *,
        trainable: bool = True,
        mask_zero: bool = False,
        sparse: bool = False,
        dtype: torch.dtype | str | None = None,
        device: torch.device | str | None = None,
    ) -> Self:
        """Make the layer whose table is a copy of word vectors; ids are those of ``vectors.vocabulary``.

        Parameters
        ----------
        vectors : WordVectors
            V words of D numbers.
        trainable : bool, default True
            Let the vectors learn; False freezes them.
        mask_zero : bool, default False
            As above. Row 0 must then be a special token of the vocabulary, such as ``"<pad>"``.
        sparse, dtype, device
            As above.

        Raises
        ------
        TypeError
            `vectors` are not WordVectors.
        ValueError
            `mask_zero` would leave out a word.

        Examples
        --------
        >>> import daneo
        >>> vectors = daneo.WordVectors(["cat", "dog"], [[3, 1], [2, 1]])
        >>> layer = Embedding.from_vectors(vectors, trainable=False)
        >>> layer(vectors.vocabulary.encode(["dog", "cat"]))
        tensor([[2., 1.],
                [3., 1.]])
        """
        if not isinstance(vectors, WordVectors):
            raise TypeError(
                f"Embedding.from_vectors expected daneo.WordVectors, got {type(vectors).__name__}. "
                "Load a file with daneo.WordVectors.load(path), or take model.vectors of a trained model."
            )
        words = vectors.vocabulary
        if mask_zero and (not words.special_tokens or words.words[0] == words.unknown):
            raise ValueError(
                f"mask_zero=True leaves out id 0, which is {words.words[0]!r} here: the first row must be padding. "
                'Make the vocabulary with special_tokens=("<pad>",).'
            )

        def copy_rows(table: Tensor) -> None:
            # In pieces: the file may be mapped, and PyTorch wraps no array that it must not write to.
            for start in range(0, len(table), _ROWS_AT_A_TIME):
                piece = slice(start, start + _ROWS_AT_A_TIME)
                table[piece] = torch.tensor(vectors.rows[piece])

        layer = cls(
            input_dim=len(vectors),
            output_dim=vectors.vector_size,
            embeddings_initializer=copy_rows,
            mask_zero=mask_zero,
            trainable=trainable,
            sparse=sparse,
            dtype=dtype,
            device=device,
        )
        layer.config = dataclasses.replace(layer.config, embeddings_initializer="uniform")
        return layer

    def make_weights(self, input_shape: Shape) -> None:
        """Make the table (V, D)."""
        table = self._parameters["embeddings"]
        assert isinstance(table, UnbuiltParameter)
        table.materialize((self.config.input_dim, self.config.output_dim))
        # In place, because a table may fill half of the memory.
        initializers.get(self.config.embeddings_initializer)(table)
        table.requires_grad_(self.config.trainable)

    def forward(self, inputs: Tensor | npt.ArrayLike) -> Tensor:
        """Return the rows of the ids.

        Parameters
        ----------
        inputs : integer Tensor or array of any shape
            Ids from 0 to V - 1.

        Returns
        -------
        Tensor of shape (*inputs.shape, D)

        Raises
        ------
        IndexError
            An id is not in the table.
        TypeError
            The ids are not integers.
        """
        table = self._parameters["embeddings"]
        assert table is not None
        ids = self.as_ids(inputs)
        if table.device.type != "cpu" and not torch.compiler.is_compiling():
            self._check_range(ids, inputs)
        try:
            return F.embedding(ids, table, sparse=True) if self.config.sparse else look_up(table, ids)
        except IndexError:  # on the CPU every id is checked as its row is copied: looking for it first would cost more
            self._check_range(ids, inputs)
            raise

    def as_ids(self, inputs: Tensor | npt.ArrayLike) -> Tensor:
        """Return ids as the int32 or int64 tensor of the same shape that :meth:`forward` looks up.

        Raises
        ------
        TypeError
            They are not integers.
        ValueError
            Lists within a list differ in length.
        """
        if isinstance(inputs, Tensor):
            if inputs.dtype is torch.int64 or inputs.dtype is torch.int32:
                return inputs
            if inputs.dtype in _UNSIGNED_AND_SHORT:
                return inputs.to(torch.int64)
            raise _not_ids(str(inputs.dtype).removeprefix("torch."))
        try:
            array = np.asarray(inputs)
        except ValueError as error:
            raise ValueError(
                "Embedding expected ids of one shape, got lists of different lengths: "
                "pad them with an id that stands for padding, and see mask_zero."
            ) from error
        if array.dtype.kind not in "iu":
            raise _not_ids(array.dtype.name)
        # A copy: the array may be read-only, mapped, or in another byte order.
        return torch.from_numpy(np.array(array, dtype=np.int64)).to(self.embeddings.device)

    def _check_range(self, ids: Tensor, inputs: Tensor | npt.ArrayLike) -> None:
        """Raise an IndexError that names an id outside the table, if there is one."""
        num_rows = self.config.input_dim
        if ids.numel() == 0:
            return
        lowest, highest = torch.aminmax(ids)
        if lowest >= 0 and highest < num_rows:
            return
        # As they came: an unsigned id beyond int64 has become a negative one.
        given = inputs.detach().cpu().numpy() if isinstance(inputs, Tensor) else np.asarray(inputs)
        strange = int(given[(given < 0) | (given >= num_rows)][0])
        raise IndexError(
            f"Embedding has no row {strange}: its table has {num_rows:,} rows, for ids 0 to {num_rows - 1}. "
            "Give unknown words an id of the table, or make it larger with input_dim."
        )

    def compute_mask(self, inputs: Any, mask: Tensor | None = None) -> Tensor | None:
        """Return ``ids != 0`` if `mask_zero`, and where a mask came with the ids, what both let through."""
        if not self.config.mask_zero:
            return mask
        words = self.as_ids(inputs) != 0
        return words if mask is None else words & mask

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        """Return the ids' shape and D."""
        return (*input_shape, self.config.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Return the settings as JSON can hold them; the table is not among them."""
        return {**super().get_config(), "trainable": self.embeddings.requires_grad}


def _not_ids(kind: str) -> TypeError:
    if kind.startswith("str"):
        return TypeError("Embedding expected ids, got text: vocabulary.encode(words) turns words into ids.")
    return TypeError(
        f"Embedding expected integer ids, got {kind}. It looks rows up by id: an id is a name, not a quantity, "
        "and no gradient can flow through it. If these are ids, convert them with .long()."
    )
