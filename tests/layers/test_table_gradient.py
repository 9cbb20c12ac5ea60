"""The gradient of a large table: torch's own embedding is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.func import grad, hessian, vmap

from daneo.layers import table_gradient
from daneo.layers.table_gradient import look_up


@pytest.fixture(autouse=True)
def every_table_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_gradient, "LARGE_TABLE", 0)


def table_and_ids(seed: int, num_rows: int = 50, width: int = 7, shape: tuple[int, ...] = (4, 30)):
    rng = np.random.default_rng(seed)
    table = torch.tensor(rng.normal(size=(num_rows, width)), requires_grad=True)
    return table, torch.from_numpy(rng.integers(0, num_rows, shape))


@pytest.mark.parametrize("shape", [(4, 30), (1000,), (), (0, 3)])
@pytest.mark.parametrize("ids_dtype", [torch.int64, torch.int32])
def test_rows_and_sums_equal_torchs(shape: tuple[int, ...], ids_dtype: torch.dtype) -> None:
    table, ids = table_and_ids(1, shape=shape)
    ids = ids.to(ids_dtype)
    weights = torch.randn(*shape, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    rows = look_up(table, ids)
    assert rows.grad_fn is not None
    assert "_Rows" in rows.grad_fn.name()
    assert torch.equal(rows, F.embedding(ids, table))
    (got,) = torch.autograd.grad((rows * weights).sum(), table)
    (want,) = torch.autograd.grad((F.embedding(ids, table) * weights).sum(), table)
    torch.testing.assert_close(got, want, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_other_floats(dtype: torch.dtype) -> None:
    table, ids = table_and_ids(3, shape=(20,))
    table = table.detach().to(dtype).requires_grad_()
    ids = torch.randperm(50, generator=torch.Generator().manual_seed(3))[:20]  # no sums: exact in any float
    (got,) = torch.autograd.grad(look_up(table, ids).square().sum(), table)
    (want,) = torch.autograd.grad(F.embedding(ids, table).square().sum(), table)
    assert got.dtype == dtype
    assert torch.equal(got, want)


def test_an_id_that_occurs_often_is_summed_the_same_each_time() -> None:
    table = torch.zeros(10, 64, requires_grad=True)
    ids = torch.randint(0, 3, (5000,), generator=torch.Generator().manual_seed(4))
    weights = torch.randn(5000, 64, generator=torch.Generator().manual_seed(5))
    first, *others = (torch.autograd.grad((look_up(table, ids) * weights).sum(), table)[0] for _ in range(5))
    assert all(torch.equal(first, other) for other in others)
    exact = np.zeros((10, 64))
    np.add.at(exact, ids.numpy(), weights.numpy().astype(np.float64))
    np.testing.assert_allclose(first, exact, rtol=0, atol=2e-4)  # sums of 1,700 float32 of size 1


def test_derivatives_of_every_order() -> None:
    table, ids = table_and_ids(6, num_rows=5, width=2, shape=(2, 3))
    assert torch.autograd.gradcheck(lambda t: look_up(t, ids), (table,), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(lambda t: look_up(t, ids) ** 3, (table,), check_fwd_over_rev=True)


def cubes(table: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    return (look_up(table, ids) ** 3).sum()


def cubes_by_torch(table: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    return (F.embedding(ids, table) ** 3).sum()


def test_gradients_of_each_sample_and_hessian() -> None:
    table, ids = table_and_ids(7, num_rows=6, width=2, shape=(3, 4))
    table = table.detach()
    tables = torch.stack([table, table + 1, table * 2])
    for in_dims, arguments in (
        ((None, 0), (table, ids)),
        ((0, None), (tables, ids[0])),
        ((0, 0), (tables, ids)),
        ((0, 1), (tables, ids.T)),
    ):
        got = vmap(grad(cubes), in_dims)(*arguments)
        want = vmap(grad(cubes_by_torch), in_dims)(*arguments)
        torch.testing.assert_close(got, want, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(hessian(cubes)(table, ids), hessian(cubes_by_torch)(table, ids))


def test_the_optimizer_gets_the_gradient_without_a_copy() -> None:
    table, ids = table_and_ids(8)
    seen: list[int] = []
    table.register_hook(lambda gradient: seen.append(gradient.data_ptr()))
    look_up(table, ids).sum().backward()
    assert table.grad is not None
    assert seen == [table.grad.data_ptr()]
    look_up(table, ids).sum().backward()  # accumulates
    assert torch.equal(table.grad, 2 * torch.bincount(ids.flatten(), minlength=50).double()[:, None].expand(50, 7))


@pytest.mark.parametrize("why", ["frozen", "no_grad", "small"])
def test_torch_serves_where_there_is_nothing_to_win(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table, ids = table_and_ids(9)
    if why == "small":
        monkeypatch.setattr(table_gradient, "LARGE_TABLE", 50 * 7 * 8 + 1)
    with torch.set_grad_enabled(why != "no_grad"):
        rows = look_up(table.detach() if why == "frozen" else table, ids)
    assert rows.grad_fn is None or "Embedding" in rows.grad_fn.name()
    assert torch.equal(rows, table[ids])
