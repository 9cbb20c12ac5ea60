"""The kernel equals its reference, and the reference names the centroid that a plain loop finds."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from daneo.embeddings.compression import product_quantizer_kernels as kernels
from daneo.embeddings.compression import product_quantizer_reference as reference

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
few = settings(deadline=None, max_examples=40 if COMPILED else 2)


def coded(encode, rows: np.ndarray, centroids: np.ndarray, part_size: int) -> tuple[np.ndarray, np.ndarray]:
    num_parts = -(-rows.shape[1] // part_size)
    codes = np.full((len(rows), num_parts), 77, dtype=np.uint8)
    distances = np.full((len(rows), num_parts), -1, dtype=np.float32)
    for array in (rows, centroids):
        array.flags.writeable = False
    encode(rows, centroids, part_size, codes, distances)
    return codes, distances


@st.composite
def tasks(draw):
    """Rows fewer and more than a tile holds, parts with and without a shorter last one, numbers that often tie."""
    shape = draw(st.tuples(st.integers(0, 2 * kernels.TILE + 3), st.integers(1, 7)))
    part_size = draw(st.integers(1, shape[1]))
    whole = st.integers(-4, 4).map(float)
    rows = draw(hnp.arrays(np.float32, shape, elements=whole))
    centroids = draw(hnp.arrays(np.float32, 256 * shape[1], elements=whole, fill=whole))
    return rows, centroids, part_size


@given(tasks())
@few
def test_kernel_equals_reference(task) -> None:
    # Whole numbers: no rounding, so that ties are ties in both, and the first of equal centroids must win in both.
    for got, want in zip(coded(kernels.encode, *task), coded(reference.encode, *task), strict=True):
        np.testing.assert_array_equal(got, want)


def test_kernel_distances_of_any_numbers() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((130, 7)).astype(np.float32)
    centroids = rng.standard_normal(256 * 7).astype(np.float32)
    for got, want in zip(
        coded(kernels.encode, rows, centroids, 3), coded(reference.encode, rows, centroids, 3), strict=True
    ):
        np.testing.assert_allclose(got, want, rtol=1e-5)


@pytest.mark.parametrize("part_size", [1, 2, 3, 5])
def test_reference_finds_what_a_loop_finds(part_size: int) -> None:
    rng = np.random.default_rng(part_size)
    rows, centroids = rng.standard_normal((4, 5)).astype(np.float32), rng.standard_normal(256 * 5).astype(np.float32)
    codes, distances = coded(reference.encode, rows, centroids, part_size)
    for n in range(4):
        for m in range(codes.shape[1]):
            width = min(part_size, 5 - m * part_size)  # only the last part may be shorter
            part = rows[n, m * part_size :][:width]
            squares = [
                ((part - centroids[256 * m * part_size + i * width :][:width]).astype(np.float64) ** 2).sum()
                for i in range(256)
            ]
            assert codes[n, m] == np.argmin(squares)
            np.testing.assert_allclose(distances[n, m], min(squares), rtol=1e-5)


@pytest.mark.skipif(not COMPILED, reason="this is that run")
def test_these_tests_without_compilation() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
