"""Rows of a table and which of them each step reads: what an Embedding puts out, before it is spread out."""

from __future__ import annotations

import torch
from torch import Tensor


class LookedUp:
    """Stands for the tensor ``rows[tokens]`` of shape (B, T, D) in a recurrent layer, which multiplies each row once.

    Parameters
    ----------
    rows : Tensor of shape (N, D)
        Every row that is read, once.
    tokens : int64 Tensor of shape (B, T)
        Which row each step reads.
    """

    ndim = 3

    def __init__(self, rows: Tensor, tokens: Tensor) -> None:
        self.rows, self.tokens = rows, tokens
        self.shape = torch.Size((*tokens.shape, rows.shape[1]))
        self.dtype, self.device = rows.dtype, rows.device

    def __len__(self) -> int:
        return self.shape[0]

    def is_floating_point(self) -> bool:
        """Tell that these are numbers, not ids."""
        return self.rows.is_floating_point()

    def spread(self) -> Tensor:
        """Return the tensor (B, T, D)."""
        return self.rows[self.tokens]
