"""Files of judged word pairs: reading every layout; the same correlations as gensim's on the same vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from daneo.embeddings import SimilarityResult, WordVectors
from daneo.embeddings.similarity_sets import read_similarities

PAIRS = [("cat", "dog", 8.0), ("cat", "pear", 1.5), ("dog", "ice cream", 2.0)]
LAYOUTS = {
    "tabs": "cat\tdog\t8\ncat\tpear\t1.5\ndog\tice cream\t2\n",
    "tabs, comments and a header": "# about\n# word\tword\n\nword 1\tword 2\tmean\n"
    + "cat\tdog\t8\ncat\tpear\t1.5\r\ndog\tice cream\t2",
    "commas, BOM and a header": "\ufeffword 1,word 2,score\r\ncat,dog,8.00\r\ncat, pear ,1.50\r\ndog,ice cream,2e0\r\n",
    "more columns": "cat\tdog\t8\t7\t9\ncat\tpear\t1.5\t1\t2\ndog\tice cream\t2\t2\t2\n",
}


def write(folder: Path, text: str) -> Path:
    path = folder / "pairs.txt"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_layouts(tmp_path: Path, text: str) -> None:
    assert read_similarities(write(tmp_path, text)) == PAIRS


def test_spaces_between_columns(tmp_path: Path) -> None:
    assert read_similarities(write(tmp_path, "cat dog 8\ncat  pear 1.5\n")) == PAIRS[:2]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("cat\tdog\t8\ncat\tpear\n", r"line 2: expected two words and a number, got 'cat\\tpear'"),
        ("word\tword\tscore\nword\tword\tscore\n", "line 2: expected two words and a number"),
        ("cat\tdog\t8\n\tpear\t2\n", "line 2"),
        ("cat\tdog\t8\ncat\tpear\tnan\n", "line 2"),
        ("word,word,score\n", "holds no pairs"),
        ("", "holds no pairs"),
    ],
)
def test_damaged_files(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_similarities(write(tmp_path, text))


def animals() -> WordVectors:
    return WordVectors(["Cat", "dog", "pear", "hole", "cat"], [[3, 1], [2, 1], [0, 1], [np.nan, 0], [0, 1]])


@pytest.mark.filterwarnings("error")
def test_hand_worked(tmp_path: Path) -> None:
    path = write(tmp_path, "cat\tdog\t8\ncat\tpear\t1\ndog\tpear\t3\ncat\tcow\t5\ndog\thole\t5\n")
    cosines = [7 / 50**0.5, 1 / 10**0.5, 1 / 5**0.5]
    result = animals().evaluate_similarities(path)
    assert (result.name, result.num_pairs, result.num_left_out) == ("pairs.txt", 3, 2)
    assert result.spearman == pytest.approx(1)
    assert result.pearson == pytest.approx(np.corrcoef([8, 1, 3], cosines)[0, 1])
    assert str(result).startswith("pairs.txt: Spearman 1.0000 (p = ")
    assert str(result).endswith(", 3 pairs, 2 left out")
    exact_case = animals().evaluate_similarities(path, case_insensitive=False)
    assert exact_case.pearson == pytest.approx(np.corrcoef([8, 1, 3], [1 / 5**0.5, 1, 1 / 5**0.5])[0, 1])
    assert animals().evaluate_similarities(path, restrict_vocab=3) == result
    with pytest.raises(ValueError, match="both words of 1 of its 5 pairs; a correlation needs 2"):
        animals().evaluate_similarities(path, restrict_vocab=2)


@pytest.mark.filterwarnings("error")
def test_constant_judgements_correlate_with_nothing(tmp_path: Path) -> None:
    result = animals().evaluate_similarities(write(tmp_path, "cat dog 5\ncat pear 5\ndog pear 5\n"))
    assert np.isnan([result.spearman, result.spearman_pvalue, result.pearson, result.pearson_pvalue]).all()


@pytest.mark.parametrize(
    ("name", "options"),
    [("wordsim353.tsv", {}), ("simlex999.txt", {}), ("WS353_korean.csv", {"delimiter": ",", "encoding": "utf-8-sig"})],
)
def test_correlations_equal_gensims(shared_data: Path, to_gensim, name: str, options) -> None:
    path = shared_data / "evaluation" / name
    rng = np.random.default_rng(8)
    words = sorted({word.upper() for pair in read_similarities(path) for word in pair[:2]})
    known = [word for word in words if rng.random() < 0.9]
    table = WordVectors(known, rng.standard_normal((len(known), 8)))
    for limits in ({}, {"restrict_vocab": len(known) // 2}):
        result = table.evaluate_similarities(path, **limits)
        pearson, spearman, left_out = to_gensim(table).evaluate_word_pairs(path, **options, **limits)
        assert isinstance(result, SimilarityResult)
        assert_allclose([result.pearson, result.pearson_pvalue], list(pearson), rtol=1e-4)
        assert_allclose([result.spearman, result.spearman_pvalue], list(spearman), rtol=1e-4)
        assert 100 * result.num_left_out / (result.num_pairs + result.num_left_out) == pytest.approx(left_out)
        assert result.num_left_out > 0
