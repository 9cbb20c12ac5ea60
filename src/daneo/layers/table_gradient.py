"""Rows of a large table, with a gradient that costs what the looked-up rows cost.

The gradient of a table of V rows is as large as the table, and almost all of it is zero: a batch touches a few thousand
rows. Writing all those zeros takes longer than everything else. Here they are pages that the operating system hands
out as zeros and that nobody has written to.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

# Memory of fewer bytes often comes from the heap, where zeros have to be written: measured equal to torch below this.
LARGE_TABLE = 1 << 23


def look_up(table: Tensor, ids: Tensor) -> Tensor:
    """Return ``table[ids]`` for a table of shape (V, D): the ids' shape and D.

    Notes
    -----
    It is ``torch.nn.functional.embedding``, save that the gradient of a large table on the CPU is made as above: same
    sums, in the order of the ids. The table's gradient may be differentiated again, forwards, and under ``vmap``.
    """
    size = table.numel() * table.element_size()
    is_learned = table.requires_grad and torch.is_grad_enabled()
    # A compiler would have to look into NumPy; it has its own way with zeros.
    if size < LARGE_TABLE or not is_learned or table.device.type != "cpu" or torch.compiler.is_compiling():
        return F.embedding(ids, table)
    return _rows(table, ids)


class _Rows(torch.autograd.Function):
    """A linear map, table (V, D) to rows (*, D); its transpose is :class:`_SumsOfRows`."""

    @staticmethod
    def forward(table: Tensor, ids: Tensor) -> Tensor:
        return F.embedding(ids, table)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        table, ids = inputs
        ctx.num_rows = len(table)
        ctx.save_for_backward(ids)
        ctx.save_for_forward(ids)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (ids,) = ctx.saved_tensors
        return _sums_of_rows(grads[0], ids, ctx.num_rows), None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        (ids,) = ctx.saved_tensors
        return F.embedding(ids, tangents[0])

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], table: Tensor, ids: Tensor) -> tuple[Tensor, int]:
        if in_dims[0] is None:
            assert in_dims[1] is not None
            return _rows(table, ids.movedim(in_dims[1], 0)), 0
        tables = table.movedim(in_dims[0], 0)
        return _rows(tables.flatten(0, 1), _ids_of_stacked(ids, in_dims[1], *tables.shape[:2])), 0


class _SumsOfRows(torch.autograd.Function):
    """The transpose: rows (*, D) to a table (V, D) that holds, for each id, the sum of its rows."""

    @staticmethod
    def forward(rows: Tensor, ids: Tensor, num_rows: int) -> Tensor:
        width = rows.shape[-1]
        # Bytes, because NumPy has no bfloat16. numpy.zeros asks for cleared pages; torch.zeros writes the zeros.
        cleared = torch.from_numpy(np.zeros(num_rows * width * rows.element_size(), dtype=np.uint8))
        table, places = cleared.view(rows.dtype).view(num_rows, width), ids.reshape(-1)
        if len(np.unique(places.numpy())) == len(places):  # nothing to add up, and copying is several times faster
            table[places] = rows.reshape(-1, width)
            return table
        return table.index_add_(0, places, rows.reshape(-1, width))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, int], output: Tensor) -> None:
        _, ids, ctx.num_rows = inputs
        ctx.save_for_backward(ids)
        ctx.save_for_forward(ids)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (ids,) = ctx.saved_tensors
        return _rows(grads[0], ids), None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        (ids,) = ctx.saved_tensors
        return _sums_of_rows(tangents[0], ids, ctx.num_rows)

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, ...], rows: Tensor, ids: Tensor, num_rows: int
    ) -> tuple[Tensor, int]:
        size = info.batch_size
        rows = rows.expand(size, *rows.shape) if in_dims[0] is None else rows.movedim(in_dims[0], 0)
        tables = _sums_of_rows(rows, _ids_of_stacked(ids, in_dims[1], size, num_rows), size * num_rows)
        return tables.view(size, num_rows, -1), 0


def _ids_of_stacked(ids: Tensor, dim: int | None, size: int, num_rows: int) -> Tensor:
    """Ids into one table that `size` tables of `num_rows` rows are stacked to; `dim` counts the tables."""
    ids = ids.expand(size, *ids.shape) if dim is None else ids.movedim(dim, 0)
    first_rows = torch.arange(0, size * num_rows, num_rows).view(-1, *[1] * (ids.ndim - 1))
    return ids + first_rows


def _rows(table: Tensor, ids: Tensor) -> Tensor:
    rows: Tensor = _Rows.apply(table, ids)  # type: ignore[no-untyped-call]
    return rows


def _sums_of_rows(rows: Tensor, ids: Tensor, num_rows: int) -> Tensor:
    table: Tensor = _SumsOfRows.apply(rows, ids, num_rows)  # type: ignore[no-untyped-call]
    return table
