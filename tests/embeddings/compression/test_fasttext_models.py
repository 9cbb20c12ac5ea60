"""Decoding against fastText itself: a small supervised model that its own program has quantised."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daneo.embeddings.compression.product_quantizer import ProductQuantizer
from daneo.embeddings.compression.quantized_rows import QuantizedRows


@pytest.fixture(scope="module", params=[(2, False), (3, True), (4, True)], ids=str)
def quantised(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """fastText's model of 14 numbers (parts of 3 or 4 leave a shorter one), and the file that it saved."""
    fasttext = pytest.importorskip("fasttext")
    part_size, with_norms = request.param
    folder = tmp_path_factory.mktemp("ftz")
    rng = np.random.default_rng(0)
    lines = [f"__label__{n % 3} " + " ".join(f"w{i}" for i in rng.zipf(1.3, 12) % 500) for n in range(2000)]
    (folder / "text.txt").write_text("\n".join(lines) + "\n")
    model = fasttext.train_supervised(
        str(folder / "text.txt"), dim=14, epoch=2, thread=1, bucket=300, minn=2, maxn=3, verbose=0
    )
    model.quantize(dsub=part_size, qnorm=with_norms)
    model.save_model(str(folder / "model.ftz"))
    return model, folder / "model.ftz"


def test_input_rows_are_fasttexts(quantised: tuple[Any, Path]) -> None:
    model, path = quantised
    rows = read_input_matrix(path.read_bytes())
    assert rows.shape == (len(model.words) + 300, 14)
    want = np.array([model.get_input_vector(row) for row in range(len(rows))])
    np.testing.assert_array_equal(rows[:], want)
    np.testing.assert_array_equal(rows[len(rows) - 1], want[-1])


def read_input_matrix(data: bytes) -> QuantizedRows:
    """Find the quantised matrix in a file of fastText's: read here in a few lines, apart from daneo's own reader."""
    *_, num_entries, _, _, _, num_pruned = struct.unpack_from("<2i12idiiiqq", data)
    place = struct.calcsize("<2i12id") + struct.calcsize("<iiiqq")
    for _ in range(num_entries):
        place = data.index(b"\0", place) + 1 + 8 + 1
    place += 8 * max(num_pruned, 0)
    is_quantised, with_norms, num_rows, _, num_codes = struct.unpack_from("<??qqi", data, place)
    assert is_quantised
    place += struct.calcsize("<??qqi")
    codes = np.frombuffer(data, np.uint8, num_codes, place).reshape(num_rows, -1)
    quantizer, place = read_quantizer(data, place + num_codes)
    if not with_norms:
        return QuantizedRows(codes, quantizer)
    norm_codes = np.frombuffer(data, np.uint8, num_rows, place)
    return QuantizedRows(codes, quantizer, norm_codes, read_quantizer(data, place + num_rows)[0])


def read_quantizer(data: bytes, place: int) -> tuple[ProductQuantizer, int]:
    vector_size, num_parts, part_size, _ = struct.unpack_from("<4i", data, place)
    centroids = np.frombuffer(data, np.float32, 256 * vector_size, place + 16)
    quantizer = ProductQuantizer(centroids, part_size)
    assert quantizer.num_parts == num_parts
    return quantizer, place + 16 + centroids.nbytes
