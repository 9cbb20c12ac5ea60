"""Embedding: the lookup, its gradient, its mask, and what it refuses."""

from __future__ import annotations

import copy
import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

import daneo
from daneo.layers import Embedding, table_gradient
from daneo.layers import embedding as embedding_module

from .keras_in_float64 import (
    assert_all_close,
    copy_to_keras,
    keras_in_float64,
    keras_weights,
    outputs_and_gradients,
    randomise,
)

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


@given(
    st.integers(1, 40), st.integers(1, 6), st.lists(st.integers(0, 4), max_size=3), st.booleans(), st.integers(0, 2**31)
)
@settings(deadline=None, max_examples=25)
def test_lookup_is_the_product_with_one_hot_rows(
    num_rows: int, width: int, shape: list[int], own_gradient: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    layer = Embedding(num_rows, width, "random_normal", dtype="float64")
    table = layer.weights[0]
    ids = torch.from_numpy(rng.integers(0, num_rows, shape))
    weights = torch.from_numpy(rng.normal(size=(*shape, width)))
    product = F.one_hot(ids, num_rows).double() @ table
    with pytest.MonkeyPatch.context() as patch:
        if own_gradient:
            patch.setattr(table_gradient, "LARGE_TABLE", 0)
        rows = layer(ids)
        (got,) = torch.autograd.grad((rows * weights).sum(), table)
    assert torch.equal(rows, product)
    (want,) = torch.autograd.grad((product * weights).sum(), table)
    torch.testing.assert_close(got, want, rtol=1e-13, atol=1e-13)


def test_equals_keras() -> None:
    rng = np.random.default_rng(1)
    ids = torch.from_numpy(rng.integers(0, 20, (4, 9)))
    ours = Embedding(20, 5, mask_zero=True, dtype="float64")
    randomise(ours.weights, rng)
    with keras_in_float64() as keras_layers:
        theirs = keras_layers.Embedding(20, 5, mask_zero=True, dtype="float64")
        theirs.build()
        copy_to_keras(ours.weights, theirs)
        want = outputs_and_gradients(theirs(ids), keras_weights(theirs), 1)
        mask = theirs.compute_mask(ids)
    assert_all_close(outputs_and_gradients(ours(ids), ours.weights, 1), want, 1e-13)
    assert torch.equal(ours.compute_mask(ids), mask)


# --------------------------------------------------------------------------------------------------- what ids may be


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("kind", ["tensor", "array"])
def test_ids_of_every_integer_type(dtype: str, kind: str) -> None:
    layer = Embedding(100, 3)
    ids = np.array([[3, 57, 99]], dtype=dtype)
    rows = layer(torch.from_numpy(ids) if kind == "tensor" else ids)
    assert torch.equal(rows, layer.weights[0][torch.tensor([[3, 57, 99]])])


@pytest.mark.parametrize(
    "ids",
    [
        [[3, 57], [99, 0]],
        ((3, 57), (99, 0)),
        np.array([[3, 57], [99, 0]], dtype=">i4"),
        np.array([[0, 99], [57, 3]])[::-1, ::-1],
        np.asfortranarray([[3, 57], [99, 0]]),
    ],
    ids=["lists", "tuples", "big-endian", "reversed", "fortran"],
)
def test_ids_as_lists_and_arrays_of_any_layout(ids: object) -> None:
    layer = Embedding(100, 3)
    assert torch.equal(layer(ids), layer.weights[0][torch.tensor([[3, 57], [99, 0]])])


def test_read_only_ids_bring_no_warning() -> None:
    ids = np.array([1, 2])
    ids.flags.writeable = False
    layer = Embedding(3, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(layer(ids), layer.weights[0][1:])


@pytest.mark.parametrize(
    ("strange", "dtype"),
    [
        (100, "int64"),
        (-1, "int64"),
        (-1, "int32"),
        (-1, "int8"),
        (100, "uint8"),
        (2**32 + 1, "int64"),
        (2**31 + 1, "uint32"),
        (2**63 + 5, "uint64"),
        (2**64 - 1, "uint64"),
        (-(2**63), "int64"),
    ],
)
@pytest.mark.parametrize("kind", ["tensor", "array"])
@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("own_gradient", [True, False])
def test_ids_out_of_range_are_named(
    strange: int, dtype: str, kind: str, learned: bool, own_gradient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if own_gradient:
        monkeypatch.setattr(table_gradient, "LARGE_TABLE", 0)
    layer = Embedding(100, 3, trainable=learned)
    ids = np.array([[3, 57], [strange, 99]], dtype=dtype)
    with pytest.raises(IndexError, match=rf"no row {strange}: its table has 100 rows, for ids 0 to 99\."):
        layer(torch.from_numpy(ids) if kind == "tensor" else ids)


def test_sparse_names_ids_out_of_range_too() -> None:
    with pytest.raises(IndexError, match="no row 7: its table has 7 rows"):
        Embedding(7, 2, sparse=True)(torch.tensor([7]))


def test_range_is_checked_ahead_on_other_devices() -> None:
    # The check that a GPU gets before the lookup, which there would end the process.
    layer = Embedding(100, 3)
    ids = torch.tensor([0, 99])
    layer._check_range(ids, ids)
    layer._check_range(ids[:0], ids[:0])
    with pytest.raises(IndexError, match="no row 100"):
        layer._check_range(ids + 1, ids + 1)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (torch.tensor([1.0]), "expected integer ids, got float32. It looks rows up by id.*no gradient.*long()"),
        (np.array([1.0]), "got float64"),
        ([1.5], "got float64"),
        ([], "got float64"),
        (torch.tensor([1.0], dtype=torch.bfloat16), "got bfloat16"),
        (torch.tensor([True]), "got bool"),
        (np.array([True]), "got bool"),
        (torch.tensor([1j]), "got complex64"),
        ([2**64], "got object"),
        (None, "got object"),
        (["cat", "dog"], "got text: vocabulary.encode"),
        ("cat", "got text: vocabulary.encode"),
    ],
)
def test_what_is_no_id_is_a_type_error(ids: object, message: str) -> None:
    with pytest.raises(TypeError, match=message) as caught:
        Embedding(5, 2)(ids)
    assert "\n" not in str(caught.value)


def test_ragged_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="lists of different lengths: pad them"):
        Embedding(5, 2)([[1, 2], [3]])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 2), ValueError, r"Embedding\(input_dim=...\) expected at least 1, got 0"),
        ((2, -1), ValueError, r"output_dim=...\) expected at least 1"),
        ((2.0, 2), TypeError, "expected int, got 2.0"),
        ((True, 2), TypeError, "expected int, got True"),
        ((2,), TypeError, "Embedding needs output_dim"),
        ((2, 2, "unifrom"), ValueError, "No initializer is called 'unifrom'"),
    ],
)
def test_wrong_settings(arguments: tuple[object, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Embedding(*arguments)


# ------------------------------------------------------------------------------------------------------------- masks


def test_mask_zero_marks_padding_and_keeps_a_mask_that_came() -> None:
    ids = torch.tensor([[5, 3, 0, 0], [0, 1, 2, 3]], dtype=torch.int32)
    came = torch.tensor([[True, False, True, False]]).expand(2, 4)
    with_padding, without = Embedding(9, 2, mask_zero=True), Embedding(9, 2)
    for given_ids in (ids, ids.numpy(), ids.tolist(), ids.to(torch.uint64)):
        assert torch.equal(with_padding.compute_mask(given_ids), ids != 0)
    assert torch.equal(with_padding.compute_mask(ids, came), (ids != 0) & came)
    assert without.compute_mask(ids) is None
    assert without.compute_mask(ids, came) is came


def test_the_row_of_padding_is_looked_up_and_trained_as_in_keras() -> None:
    layer = Embedding(3, 2, "ones", mask_zero=True)
    layer(torch.tensor([0, 0, 1])).sum().backward()
    assert layer.weights[0].grad.tolist() == [[2, 2], [1, 1], [0, 0]]


# ----------------------------------------------------------------------------------------------------- sparse, frozen


@pytest.mark.parametrize("dtype", INTEGERS)
def test_sparse_gradient_holds_the_rows_that_were_looked_up(dtype: str) -> None:
    torch.manual_seed(0)
    layer, dense = Embedding(50, 3, sparse=True, dtype="float64"), Embedding(50, 3, dtype="float64")
    dense.load_state_dict(layer.state_dict())
    ids = torch.from_numpy(np.array([[4, 9, 4], [0, 49, 9]], dtype=dtype))
    for one in (layer, dense):
        (one(ids) ** 3).sum().backward()
    gradient = layer.weights[0].grad
    assert gradient.is_sparse
    assert gradient.coalesce().indices().tolist() == [[0, 4, 9, 49]]
    torch.testing.assert_close(gradient.to_dense(), dense.weights[0].grad, rtol=1e-14, atol=0)
    torch.optim.SparseAdam(layer.parameters(), lr=0.1).step()
    changed = (layer.weights[0] != dense.weights[0]).any(1)
    assert changed.nonzero().flatten().tolist() == [0, 4, 9, 49]


def test_a_frozen_table_gets_no_gradient_and_can_be_thawed() -> None:
    layer = Embedding(5, 2, trainable=False)
    assert not layer(torch.tensor([1])).requires_grad
    assert layer.get_config()["trainable"] is False
    assert layer.requires_grad_()(torch.tensor([1])).requires_grad
    assert layer.get_config()["trainable"] is True


@pytest.mark.parametrize("sparse", [True, False])
def test_training_equals_torchs_embedding(sparse: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_gradient, "LARGE_TABLE", 0)
    rng = np.random.default_rng(3)
    ours = Embedding(30, 4, sparse=sparse, dtype="float64")
    theirs = torch.nn.Embedding(30, 4, sparse=sparse, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight.copy_(ours.weights[0])
    optimizers = [torch.optim.SGD(layer.parameters(), lr=0.3) for layer in (ours, theirs)]
    for _ in range(5):
        ids = torch.from_numpy(rng.integers(0, 30, (6, 7)))
        for layer, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            layer(ids).pow(2).sum().backward()
            optimizer.step()
    torch.testing.assert_close(ours.weights[0], theirs.weight, rtol=1e-12, atol=1e-12)


# ------------------------------------------------------------------------------------------------------ word vectors


def test_from_vectors_copies_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_module, "_ROWS_AT_A_TIME", 3)
    matrix = np.random.default_rng(1).normal(size=(8, 5)).astype(np.float32)
    matrix.flags.writeable = False
    vectors = daneo.WordVectors(list("abcdefgh"), matrix)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layer = Embedding.from_vectors(vectors)
    assert layer.weights[0].requires_grad
    np.testing.assert_array_equal(layer(vectors.vocabulary.encode(["c", "a", "h"])).detach(), vectors[["c", "a", "h"]])
    with torch.no_grad():
        layer.weights[0].zero_()
    assert vectors["a"].any()
    json.dumps(layer.get_config())


def test_from_vectors_reads_a_mapped_file(tmp_path: Path) -> None:
    matrix = np.random.default_rng(2).normal(size=(5, 3)).astype(np.float32)
    daneo.WordVectors(list("abcde"), matrix).save(tmp_path / "vectors")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layer = Embedding.from_vectors(daneo.WordVectors.load(tmp_path / "vectors"))
    np.testing.assert_array_equal(layer.weights[0].detach(), matrix)


def test_from_vectors_takes_precision_and_freezes() -> None:
    vectors = daneo.WordVectors(["a", "b"], [[0.1, 2], [3, 4]])
    layer = Embedding.from_vectors(vectors, trainable=False, dtype="float64", sparse=True)
    assert layer.weights[0].dtype == torch.float64
    assert not layer.weights[0].requires_grad
    np.testing.assert_array_equal(layer.weights[0], vectors.matrix.astype(np.float64))
    assert Embedding.from_vectors(vectors, dtype="bfloat16").weights[0][1].tolist() == [3, 4]


def test_from_vectors_masks_padding_only() -> None:
    words = daneo.Vocabulary(["<pad>", "cat"], special_tokens=["<pad>"])
    layer = Embedding.from_vectors(daneo.WordVectors(words, [[0, 0], [1, 2]]), mask_zero=True)
    assert layer.compute_mask([[1, 0]]).tolist() == [[True, False]]
    for vectors in (
        daneo.WordVectors(["cat", "dog"], [[0, 0], [1, 2]]),
        daneo.WordVectors(daneo.Vocabulary(["cat"], unknown="<unk>"), [[0, 0], [1, 2]]),
    ):
        with pytest.raises(ValueError, match="leaves out id 0, which is '(cat|<unk>)' here"):
            Embedding.from_vectors(vectors, mask_zero=True)
    with pytest.raises(TypeError, match="expected daneo.WordVectors, got ndarray"):
        Embedding.from_vectors(np.zeros((2, 2)))


# --------------------------------------------------------------------------------------------------------- as a layer


def test_table_begins_as_in_keras() -> None:
    torch.manual_seed(0)
    table = Embedding(1000, 50).weights[0].detach()
    assert table.abs().max() <= 0.05
    np.testing.assert_allclose(table.std(), 0.05 / np.sqrt(3), rtol=0.02)  # 50,000 draws


def test_shows_itself_and_its_shapes() -> None:
    layer = Embedding(64, 100)
    assert repr(layer) == "Embedding(input_dim=64, output_dim=100), 6,400 parameters: embeddings (64, 100)"
    assert layer.built
    assert layer.count_params() == 6400
    assert layer.compute_output_shape((None, 7)) == (None, 7, 100)


def test_config_copy_and_pickle() -> None:
    layer = Embedding(6, 2, "ones", mask_zero=True, trainable=False, sparse=True, dtype="float64")
    config = json.loads(json.dumps(layer.get_config()))
    assert config == {
        "input_dim": 6, "output_dim": 2, "embeddings_initializer": "ones", "mask_zero": True, "trainable": False,
        "sparse": True, "dtype": "float64",
    }  # fmt: skip
    again = Embedding.from_config(config)
    assert again.get_config() == config
    assert torch.equal(again.weights[0], torch.ones(6, 2, dtype=torch.float64))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert repr(twin) == repr(layer)
        assert torch.equal(twin.weights[0], layer.weights[0])
        assert not twin.weights[0].requires_grad


def test_casts_and_moves_as_a_module() -> None:
    layer = Embedding(6, 2)
    assert layer.double()(torch.tensor([1])).dtype == torch.float64
    assert layer.bfloat16()(torch.tensor([1])).dtype == torch.bfloat16
    assert Embedding(6, 2, device="meta").weights[0].device.type == "meta"
    with torch.inference_mode():
        made = Embedding(6, 2)
    made(torch.tensor([1])).sum().backward()
    assert made.weights[0].grad.sum() == 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu() -> None:
    layer = Embedding(100, 3, device="cuda")
    table = layer.weights[0]
    for ids in (torch.tensor([[3, 99]], device="cuda"), np.array([[3, 99]])):
        assert torch.equal(layer(ids), table[torch.tensor([[3, 99]])])
    with pytest.raises(IndexError, match="no row 100"):
        layer(torch.tensor([[3, 100]], device="cuda"))
