"""``daneo ngrams``, on vectors whose parts are worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import daneo as package
from daneo.corpus.hangul import NO_FINAL
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords


def test_nearest_ngrams(daneo: Any, with_ngrams: Path) -> None:
    status, output, errors = daneo("ngrams", with_ngrams, "sea", "-n", 4)
    assert (status, errors) == (0, "")
    rows = [line.split("\t") for line in output.splitlines()]
    assert {ngram for ngram, score in rows if score == "1.0000"} == {"<s", "se", "ea", "a>"}  # of its direction
    _, output, _ = daneo("ngrams", with_ngrams, "sea", "-n", 4, "--json")
    wanted = package.WordVectors.load(with_ngrams).nearest_ngrams("sea", topn=4)
    assert [(one["ngram"], one["similarity"]) for one in json.loads(output)] == wanted


def test_the_shares_of_parts_add_up_to_the_similarity(daneo: Any, with_ngrams: Path) -> None:
    vectors = package.WordVectors.load(with_ngrams)
    status, output, errors = daneo("ngrams", with_ngrams, "seas", "moon", "-n", 2)
    assert status == 0
    assert errors == "daneo: 'seas' was not seen in training; its vector is made of its n-grams.\n"
    (_, _, total), *rows = (line.split("\t") for line in output.splitlines())
    assert total == f"{vectors.similarity('seas', 'moon'):.4f}" == "0.4472"  # (1, 2) and (1, 0)
    for word, parts in (("seas", ["<s", "se", "1 other"]), ("moon", ["moon (whole word)", "<m", "4 others"])):
        found = [(part, float(share)) for one, part, share in rows if one == word]
        assert [part for part, _ in found] == parts
        assert sum(share for _, share in found) == pytest.approx(0.4472, abs=2e-4)
    _, output, _ = daneo("ngrams", with_ngrams, "seas", "moon", "--json")
    found = json.loads(output)
    assert found["similarity"] == pytest.approx(5**-0.5, abs=1e-6)
    assert found["parts"]["moon"][0] == {"part": "moon", "is_ngram": False, "share": found["similarity"]}
    assert sum(part["share"] for part in found["parts"]["seas"]) == pytest.approx(found["similarity"])


def test_jamo_can_be_read(daneo: Any, tmp_path: Path) -> None:
    subwords = Subwords(kind="jamo", min_ngram=1, max_ngram=2, min_jamo=3, max_jamo=3, num_buckets=50)
    rows = [[bucket + 1.0, 1.0] for bucket in range(50)]
    ngrams = NgramVectors(subwords, package.WordVectors([f"{i}" for i in range(50)], rows).matrix)
    package.SubwordVectors(["나라"], [[1, 1]], ngrams).save(tmp_path / "v")
    _, output, _ = daneo("ngrams", tmp_path / "v", "나라")
    found = {line.split("\t")[0] for line in output.splitlines()}
    assert {"ㄴㅏ·", "ㄹㅏ·", "ㅏ·>"} <= found
    assert not any(NO_FINAL in ngram for ngram in found)
    _, output, _ = daneo("ngrams", tmp_path / "v", "나라", "--json")  # machines get the symbol itself
    assert f"ㄴㅏ{NO_FINAL}" in {one["ngram"] for one in json.loads(output)}


def test_vectors_without_ngrams(daneo: Any, tmp_path: Path) -> None:
    package.WordVectors(["sea"], [[1.0]]).save(tmp_path / "v")
    status, output, errors = daneo("ngrams", tmp_path / "v", "sea")
    assert (status, output) == (1, "")
    assert errors.startswith(f"daneo: {tmp_path / 'v'} has no n-grams.")
    assert errors.count("\n") == 1


def test_a_word_that_nothing_is_known_of(daneo: Any, with_ngrams: Path) -> None:
    status, output, errors = daneo("ngrams", with_ngrams, "sea", "xyz")
    assert (status, output) == (1, "")
    assert errors == "daneo: 'xyz' was not seen in training, and neither was any n-gram of it.\n"
