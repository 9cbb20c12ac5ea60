"""Rows into tensors and back, and tensors that come from a stranger."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneo.embeddings.compression.int8_rows import Int8Rows
from daneo.embeddings.compression.product_quantizer import ProductQuantizer
from daneo.embeddings.compression.quantized_rows import HalfRows, QuantizedRows
from daneo.embeddings.compression.stored_rows import rows_from_tensors, rows_to_tensors
from daneo.embeddings.compression.turned_rows import TurnedRows
from daneo.embeddings.formats.tensors import map_tensors, write_tensors

ROWS = np.random.default_rng(0).standard_normal((300, 7)).astype(np.float32)
ROTATION = np.linalg.qr(np.random.default_rng(1).standard_normal((7, 7)))[0].astype(np.float32)
KINDS = {
    "array": lambda: ROWS,
    "half": lambda: HalfRows.of(ROWS),
    "quantised": lambda: QuantizedRows.learn(ROWS, 4),
    "quantised evenly": lambda: QuantizedRows.learn(ROWS, 2, num_long=2),
    "quantised, norms apart": lambda: QuantizedRows.learn(ROWS, 3, norms=True),
    "int8": lambda: Int8Rows.of(ROWS),
    "turned": lambda: TurnedRows(QuantizedRows.learn(ROWS, 3, norms=True), ROTATION),
}


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back_through_a_file(kind: str, tmp_path) -> None:
    rows = KINDS[kind]()
    write_tensors(tmp_path / "x.safetensors", {"other": np.zeros(3), **rows_to_tensors("ngrams", rows)})
    again = rows_from_tensors("ngrams", map_tensors(tmp_path / "x.safetensors"))
    assert type(again) is type(rows)
    np.testing.assert_array_equal(again[:], rows[:])


def test_nothing_is_copied() -> None:
    tensors = rows_to_tensors("x", KINDS["quantised, norms apart"]())
    rows = rows_from_tensors("x", tensors)
    assert isinstance(rows, QuantizedRows)
    assert rows.codes is tensors["x.codes"]
    assert rows.quantizer.centroids is tensors["x.centroids"]
    assert rows.norm_codes is tensors["x.norm_codes"]


def test_rows_of_another_kind() -> None:
    with pytest.raises(TypeError, match="expected an array or compressed rows, got list"):
        rows_to_tensors("x", [[1.0]])
    with pytest.raises(TypeError, match="got TurnedRows"):  # read as an array, these would not be turned
        rows_to_tensors("x", TurnedRows(ROWS, ROTATION))


def sound() -> dict[str, np.ndarray]:
    return rows_to_tensors("x", KINDS["turned"]())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x.codes": None}, "Expected either a tensor 'x' or a tensor 'x.codes', got none"),
        ({"x": ROWS}, "got both"),
        ({"x.centroids": None}, "Tensor 'x.centroids' is missing"),
        ({"x.part_size": None}, "Tensor 'x.part_size' is missing"),
        ({"x.norm_codes": None}, "Tensor 'x.norm_codes' is missing"),
        ({"x.norm_centroids": None}, "Tensor 'x.norm_centroids' is missing"),
        ({"x.codes": np.zeros((300, 3), np.int8)}, "'x.codes': expected uint8, got int8"),
        ({"x.codes": np.zeros((300, 2), np.uint8)}, "do not fit each other"),
        ({"x.codes": np.zeros(300, np.uint8)}, "do not fit each other"),
        ({"x.codes": np.zeros((299, 3), np.uint8)}, r"norm_codes as uint8 of shape \(299,\)"),
        ({"x.centroids": np.zeros(1792, np.float64)}, "'x.centroids': expected float32, got float64"),
        ({"x.centroids": np.zeros(1791, np.float32)}, "do not fit each other"),
        ({"x.centroids": np.zeros((256, 7), np.float32)}, "do not fit each other"),
        ({"x.centroids": np.zeros(0, np.float32)}, "do not fit each other"),
        ({"x.part_size": np.array([0], np.int32)}, "part_size from 1 to the vectors' 7, got 0"),
        ({"x.part_size": np.array([-2147483648], np.int32)}, "got -2147483648"),
        ({"x.part_size": np.array([8], np.int32)}, "got 8"),
        ({"x.part_size": np.array([2], np.int32)}, "do not fit each other"),
        ({"x.part_size": np.array([3, 3], np.int32)}, "cannot cut 7 numbers into 3 parts of 3 and others of 2"),
        ({"x.part_size": np.array([3, 0], np.int32)}, "cannot cut 7 numbers into 0 parts of 3"),
        ({"x.part_size": np.array([3, -2147483648], np.int32)}, "cannot cut 7 numbers"),
        ({"x.part_size": np.array([1, 3], np.int32)}, "cannot cut 7 numbers into 3 parts of 1 and others of 0"),
        ({"x.part_size": np.array([4, 1], np.int32)}, "do not fit each other"),
        ({"x.part_size": np.array([3, 1, 2], np.int32)}, r"expected shape \(1,\) or \(2,\), got \(3,\)"),
        ({"x.part_size": np.zeros((), np.int32)}, r"expected shape \(1,\) or \(2,\), got \(\)"),
        ({"x.part_size": np.array([3.0], np.float32)}, "expected int32, got float32"),
        ({"x.norm_codes": np.zeros((300, 1), np.uint8)}, "do not fit each other"),
        ({"x.norm_centroids": np.zeros(512, np.float32)}, r"norm_centroids: expected shape \(256,\), got \(512,\)"),
        ({"x.rotation": np.eye(7)}, "'x.rotation': expected float32, got float64"),
        ({"x.rotation": ROTATION[:6]}, r"'x.rotation': .* float32 of shape \(7, 7\), got float32 of shape \(6, 7\)"),
        ({"x.rotation": 1.001 * ROTATION}, "'x.rotation': .* rows of the rotation that are orthonormal"),
        ({"x.rotation": np.full((7, 7), np.nan, np.float32)}, "orthonormal; they are off by nan"),
        ({"x.rotation": np.full((7, 7), 3e38, np.float32)}, "orthonormal; they are off by"),
    ],
)
def test_tensors_that_do_not_fit(changes: dict[str, np.ndarray | None], message: str) -> None:
    tensors = {name: array for name, array in {**sound(), **changes}.items() if array is not None}
    with pytest.raises(ValueError, match=message):
        rows_from_tensors("x", tensors)


@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 2), np.float64), np.zeros(4, np.float32), np.zeros((2, 0), np.float32), np.zeros((1, 2), int)],
)
def test_plain_arrays_that_do_not_fit(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Tensor 'x': expected float32, float16 or int8 of shape"):
        rows_from_tensors("x", {"x": array})


@pytest.mark.parametrize(
    ("scales", "message"),
    [
        (None, "Tensor 'x.scales' is missing"),
        (np.ones(2), "Tensor 'x.scales': expected float32, got float64"),
        (np.ones(3, np.float32), r"scales as float32 of shape \(2,\), one a row; got float32 of shape \(3,\)"),
        (np.ones((2, 1), np.float32), r"got float32 of shape \(2, 1\)"),
    ],
)
def test_scales_that_do_not_fit(scales: np.ndarray | None, message: str) -> None:
    tensors = {"x": np.ones((2, 3), np.int8), **({} if scales is None else {"x.scales": scales})}
    with pytest.raises(ValueError, match=message):
        rows_from_tensors("x", tensors)


shapes = st.lists(st.sampled_from([0, 1, 2, 3, 7, 256, 300, 1792]), max_size=3).map(tuple)


@given(st.dictionaries(st.sampled_from(sorted(sound())), st.tuples(shapes, st.sampled_from("fbBie")), max_size=3))
@settings(deadline=None, max_examples=100)
def test_whatever_comes_is_refused_or_sound(changes: dict[str, tuple[tuple[int, ...], str]]) -> None:
    tensors = {**sound(), **{name: np.zeros(shape, dtype) for name, (shape, dtype) in changes.items()}}
    try:
        rows = rows_from_tensors("x", tensors)
    except ValueError:
        return
    assert rows[:].shape == rows.shape


def test_part_sizes_that_make_as_many_parts_are_told_apart() -> None:
    # Seven numbers in two parts: 4 + 3, 5 + 2 or 6 + 1.
    for part_size in (4, 5, 6):
        quantizer = ProductQuantizer(np.arange(1792, dtype=np.float32), part_size)
        rows = QuantizedRows(np.array([[1, 2]], np.uint8), quantizer)
        again = rows_from_tensors("x", rows_to_tensors("x", rows))
        np.testing.assert_array_equal(again[:], rows[:])
