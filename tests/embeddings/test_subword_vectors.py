"""Vectors of words never seen: as fastText has them, and in every question as if they were rows of a plain table."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from daneo.embeddings import SubwordVectors, WordVectors
from daneo.embeddings.rows import ChosenRows
from daneo.embeddings.subwords import word_means
from daneo.embeddings.subwords.ngram_vectors import NgramVectors
from daneo.embeddings.subwords.subwords import Subwords
from daneo.embeddings.subwords.word_means import WordMeans

SUBWORDS = Subwords(min_ngram=3, max_ngram=5, num_buckets=400)
STEMS, ENDINGS = ("sing", "walk", "고양이", "tree"), ("", "s", "ing", "는", "er")
SEEN = ["</s>", *(stem + ending for stem in STEMS for ending in ENDINGS)]
UNSEEN = ["singingly", "walkable", "고양이들은", "trées", "q", "", "<", "sinG"]


def made(*, lazily: bool = False, dense: bool = True) -> SubwordVectors:
    rng = np.random.default_rng(7)
    buckets = np.arange(400) if dense else np.unique(SUBWORDS.of_words(SEEN)[1])
    rows = rng.standard_normal((len(buckets), 6)).astype(np.float32)
    own = rng.standard_normal((len(SEEN), 6)).astype(np.float32)
    ngrams = NgramVectors(SUBWORDS, rows, None if dense else buckets)
    means = WordMeans(own, SEEN, ngrams)
    return SubwordVectors(SEEN, means if lazily else means[:], ngrams)


def as_plain(vectors: SubwordVectors) -> WordVectors:
    """A table in which the unseen words are rows after the seen ones."""
    return WordVectors([*SEEN, *UNSEEN], np.concatenate([vectors.matrix, vectors[UNSEEN]]))


@pytest.fixture(scope="module")
def vectors() -> SubwordVectors:
    return made(lazily=True)


@pytest.fixture(scope="module")
def plain(vectors: SubwordVectors) -> WordVectors:
    return as_plain(vectors)


def test_seen_and_unseen(vectors: SubwordVectors) -> None:
    assert "sing" in vectors
    assert all(word not in vectors for word in [*UNSEEN, 5, None, ["sing"]])
    assert len(vectors) == len(vectors.words) == len(list(vectors)) == len(vectors.matrix) == len(SEEN)
    assert vectors.vocabulary.words == SEEN
    assert repr(vectors) == "<SubwordVectors: 21 words, 6 dimensions, 400 rows of n-grams>"
    for word in UNSEEN:
        assert_array_equal(vectors[word], vectors.ngrams.vector(word))
    assert vectors[""].tolist() == [0] * 6
    assert vectors["singingly"].any()
    some = ["walkable", "sing", "q", "sing"]
    assert_array_equal(vectors[some], [vectors[word] for word in some])
    assert vectors[["walkable"]].dtype == vectors[[]].dtype == np.float32
    assert vectors[[]].shape == (0, 6)
    for ask in (lambda: vectors[["sing", 5]], lambda: vectors[[None]], lambda: vectors.similarity("sing", 5)):
        with pytest.raises(TypeError, match=r"Expected a word \(str\)"):
            ask()


words_asked = st.sampled_from([*SEEN[1:], *UNSEEN])
many_words = st.lists(words_asked, min_size=3, max_size=6)


@settings(deadline=None, max_examples=60)
@given(a=words_asked, b=words_asked, some=many_words, others=many_words)
def test_every_question_as_of_a_plain_table(a: str, b: str, some: list[str], others: list[str]) -> None:
    lazy, near = made(lazily=True), made(dense=False)
    for vectors in (lazy, near):
        plain = as_plain(vectors)
        all_seen = len(SEEN)

        def answers(table: WordVectors, seen: int = all_seen) -> list[Any]:
            return [
                table.similarity(a, b),
                table.distance(a, b),
                table.similarities(a, some).tolist(),
                table.distances(a, some).tolist(),
                table.n_similarity(some, others),
                table.most_similar_to_given(a, some),
                table.rank_by_centrality(some),
                table.doesnt_match(some),
                table.get_vector(a, norm=True).tolist(),
                table.get_mean_vector(some).tolist(),
                table.get_mean_vector(some, weights=range(1, len(some) + 1), pre_normalize=False).tolist(),
                table.most_similar(a, topn=5, restrict_vocab=seen),
                table.most_similar(some, topn=3, restrict_vocab=seen),
                table.most_similar(positive=some, negative=[b], topn=3, restrict_vocab=seen),
                table.most_similar(positive=[(a, 2.5), table[b]], topn=100, restrict_vocab=seen),
                table.most_similar(a, topn=4, clip_start=3, clip_end=9),
                table.similar_by_word(a, restrict_vocab=seen),
                table.most_similar_cosmul(some, [b], topn=4, restrict_vocab=seen),
            ]

        assert answers(vectors) == answers(plain)
        assert_allclose(vectors.similarities(a), plain.similarities(a)[:all_seen], atol=1e-6)
        seen_words = set(SEEN)
        nearer = [word for word in plain.closer_than(a, b) if word in seen_words]
        assert vectors.closer_than(a, b) == nearer
        assert vectors.rank(a, b) == len(nearer) + 1
        if sum(score for _, score in vectors.most_similar(a)):
            total = sum(score for _, score in plain.most_similar(a, restrict_vocab=all_seen))
            assert vectors.relative_cosine_similarity(a, b) == plain.similarity(a, b) / total


def test_only_the_words_of_the_question_are_left_out(vectors: SubwordVectors) -> None:
    found = [word for word, _ in vectors.most_similar("singingly", topn=100)]
    assert sorted(found) == sorted(SEEN)
    found = [word for word, _ in vectors.most_similar(["sing", "singingly"], topn=100)[0]]
    assert sorted([*found, "sing"]) == sorted(SEEN)


def test_a_mean_may_leave_out_what_was_never_seen(vectors: SubwordVectors) -> None:
    assert_array_equal(
        vectors.get_mean_vector(["sing", "walkable"], ignore_missing=True), vectors.get_mean_vector(["sing"])
    )
    assert (vectors.get_mean_vector(["sing", "walkable"]) != vectors.get_mean_vector(["sing"])).any()
    with pytest.raises(KeyError, match="None of the 1 words is in the vocabulary"):
        vectors.get_mean_vector(["walkable"], ignore_missing=True)


def test_a_word_without_ngrams_is_like_nothing(vectors: SubwordVectors) -> None:
    for word in ("", "</s"):
        empty = SubwordVectors(["sing"], [[1, 0]], NgramVectors(Subwords(num_buckets=0), np.empty((0, 2), np.float32)))
        assert empty[word].tolist() == [0, 0]
        assert empty.similarity(word, "sing") == 0
        assert empty.most_similar(word) == [("sing", 0.0)]
    assert vectors.similarity("", "sing") == 0


def test_vectors_of_ngrams_that_are_not_finite() -> None:
    rows = np.ones((400, 2), np.float32)
    rows[SUBWORDS.buckets("bad")[0]] = np.inf
    vectors = SubwordVectors(["sing"], [[1, 0]], NgramVectors(SUBWORDS, rows))
    for ask in (
        lambda: vectors.similarity("sing", "bad"),
        lambda: vectors.most_similar("bad"),
        lambda: vectors.nearest_ngrams("bad"),
        lambda: vectors.explain_similarity("bad", "sing"),
    ):
        with pytest.raises(ValueError, match="'bad' holds NaN or infinity"):
            ask()


def test_sizes_must_fit() -> None:
    ngrams = NgramVectors(SUBWORDS, np.ones((400, 2), np.float32))
    with pytest.raises(ValueError, match="expected n-grams of 3 numbers, as many as the words have; got 2"):
        SubwordVectors(["sing"], [[1, 0, 0]], ngrams)
    with pytest.raises(ValueError, match=r"SubwordVectors expected a matrix of shape \(1, D\)"):
        SubwordVectors(["sing"], [[1, 0], [0, 1]], ngrams)


def test_fewer_words_keep_the_ngrams(vectors: SubwordVectors) -> None:
    for fewer in (vectors.restricted(7), vectors.restricted(SEEN[:7])):
        assert isinstance(fewer, SubwordVectors)
        assert fewer.ngrams is vectors.ngrams
        assert_array_equal(fewer.matrix, vectors.matrix[:7])
        assert fewer.most_similar("walkable", topn=3) == vectors.most_similar("walkable", topn=3, restrict_vocab=7)
        assert SEEN[8] not in fewer
        assert_array_equal(fewer[SEEN[8]], vectors.ngrams.vector(SEEN[8]))
    with pytest.raises(KeyError, match="'walkable' is not among"):
        vectors.restricted(["walkable"])


def test_restricting_computes_nothing() -> None:
    vectors = made(lazily=True)
    assert isinstance(vectors.restricted(7).rows, ChosenRows)
    assert vectors.restricted(7).restricted(3).words == SEEN[:3]
    assert "_kept_rows" not in vars(vectors.rows)


def test_words_that_are_added_are_seen() -> None:
    for vectors in (made(lazily=True), made()):
        before = vectors["walkable"].copy(), vectors.matrix
        vectors.add_vectors(["walkable", "sing"], np.ones((2, 6)))
        assert "walkable" in vectors
        assert vectors["walkable"].tolist() == [1] * 6
        assert_array_equal(vectors["sing"], before[1][1])
        vectors["sing"] = np.zeros(6)
        assert vectors["sing"].tolist() == [0] * 6
        assert_array_equal(vectors.ngrams.vector("walkable"), before[0])
        assert "walkable" in [word for word, _ in vectors.most_similar("singingly", topn=50)]
        vectors.unit_normalize_all()
        assert_allclose(np.linalg.norm(vectors["walker"]), 1, rtol=1e-6)
        assert_array_equal(vectors["walked"], vectors.ngrams.vector("walked"))


def test_copies() -> None:
    vectors = made(lazily=True)
    for other in (copy.deepcopy(vectors), pickle.loads(pickle.dumps(vectors))):
        assert_array_equal(other[[*SEEN, *UNSEEN]], vectors[[*SEEN, *UNSEEN]])


PAIRS = """sing\tsings\t9
sing\twalkable\t3
singingly\twalkable\t4
SING\ttree\t1
SING\tTREEHOUSE\t2
tree\twalker\t2.5
"""


def test_evaluation_with_unseen_words(vectors: SubwordVectors, plain: WordVectors, tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text(PAIRS)
    without = vectors.evaluate_similarities(path)
    assert (without.num_pairs, without.num_left_out, without.num_unseen) == (3, 3, 0)
    assert without == plain.evaluate_similarities(path, restrict_vocab=len(SEEN))
    found = vectors.evaluate_similarities(path, unseen=True)
    assert (found.num_pairs, found.num_left_out, found.num_unseen) == (6, 0, 3)
    assert "6 pairs, 3 of them with unseen words, 0 left out" in str(found)
    pairs = [line.split("\t") for line in PAIRS.splitlines()]
    known = {word.upper(): word for word in SEEN}
    cosines = [vectors.similarity(known.get(a.upper(), a), known.get(b.upper(), b)) for a, b, _ in pairs]
    scores = [float(score) for *_, score in pairs]
    assert found.pearson == pytest.approx(np.corrcoef(cosines, scores)[0, 1], abs=1e-6)
    # Words beyond the limit are as if they had not been seen.
    few = vectors.evaluate_similarities(path, unseen=True, restrict_vocab=6, case_insensitive=False)
    assert (few.num_pairs, few.num_unseen) == (6, 5)
    assert few.pearson == vectors.restricted(6).evaluate_similarities(path, unseen=True, case_insensitive=False).pearson


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, SubwordVectors, Path]:
    """A small model as fastText's own package holds it, and as daneo opens its file."""
    fasttext = pytest.importorskip("fasttext")
    folder = tmp_path_factory.mktemp("fasttext")
    (folder / "text").write_text("the cats sat on mats where dogs and a cat sing 고양이는 노래한다 naïve\n" * 300)
    model = fasttext.train_unsupervised(
        str(folder / "text"), dim=12, minCount=1, bucket=300, epoch=4, thread=1, verbose=0
    )
    model.save_model(str(folder / "model.bin"))
    vectors = WordVectors.load(folder / "model.bin")
    assert isinstance(vectors, SubwordVectors)
    return model, vectors, folder


ASKED = ["", "a", "ca", "catfish", "고양이", "고양이들", "naive", "naïvely", "SING", "a b", "\udcff", "x" * 200]


def test_vectors_are_fasttexts_to_the_last_bit(
    trained: tuple[Any, SubwordVectors, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, vectors, folder = trained
    assert vectors.words == model.words
    asked = [*model.words, *ASKED]
    for word in asked:
        if not word.startswith("\udcff"):  # a str that its binding cannot pass on
            assert_array_equal(vectors[word], model.get_word_vector(word))
    monkeypatch.setattr(word_means, "FEW_WORDS", 0)  # the compiled way
    matrix = WordVectors.load(folder / "model.bin").matrix
    assert_array_equal(matrix, [model.get_word_vector(word) for word in model.words])


def test_neighbours_are_fasttexts(trained: tuple[Any, SubwordVectors, Path]) -> None:
    model, vectors, _ = trained
    for word in ("cats", "catfish", "고양이들"):
        want = model.get_nearest_neighbors(word, k=8)
        found = vectors.most_similar(word, topn=8)
        assert [name for name, _ in found] == [name for _, name in want]
        assert_allclose([score for _, score in found], [score for score, _ in want], atol=1e-6)


def test_vectors_are_gensims(trained: tuple[Any, SubwordVectors, Path]) -> None:
    gensim = pytest.importorskip("gensim.models.fasttext")
    _, vectors, folder = trained
    keyed = gensim.load_facebook_vectors(str(folder / "model.bin"))
    # gensim gives n-grams to the end of a line too, which to fastText is no word.
    for word in [*set(vectors.words) - {"</s>"}, "catfish", "고양이들", "naïvely"]:
        assert_allclose(vectors[word], keyed[word], atol=1e-6)
    assert vectors.similarity("catfish", "dogs") == pytest.approx(keyed.similarity("catfish", "dogs"), abs=1e-6)


def nearest_by_hand(vectors: SubwordVectors, word: str) -> dict[int, float]:
    """The cosine of each bucket that a word of the vocabulary uses."""
    ngrams, query = vectors.ngrams, vectors[word].astype(np.float64)
    used = sorted({bucket for other in vectors.words for bucket in ngrams.subwords.buckets(other).tolist()})
    rows = ngrams.rows[ngrams.rows_of(used)].astype(np.float64)
    cosines = rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
    return dict(zip(used, cosines.tolist(), strict=True))


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("word", ["sing", "walkable", "고양이들은"])
def test_nearest_ngrams(dense: bool, word: str) -> None:
    vectors = made(dense=dense)
    want = nearest_by_hand(vectors, word)
    found = vectors.nearest_ngrams(word, topn=1000)
    assert_allclose([score for _, score in found], sorted(want.values(), reverse=True), atol=1e-6)
    first_use: dict[int, str] = {}
    for other in SEEN:
        for ngram, bucket in zip(SUBWORDS.ngrams(other), SUBWORDS.buckets(other).tolist(), strict=True):
            first_use.setdefault(bucket, ngram)
    bucket_of = {ngram: bucket for bucket, ngram in first_use.items()}
    assert {ngram for ngram, _ in found} == set(bucket_of)
    for ngram, score in found:
        assert score == pytest.approx(want[bucket_of[ngram]], abs=1e-6)
    assert vectors.nearest_ngrams(word, topn=3) == found[:3] == vectors.nearest_ngrams(vectors[word], topn=3)


def test_nearest_ngrams_are_of_the_words_that_there_are() -> None:
    vectors = made()
    everything = vectors.nearest_ngrams("sing", topn=1000)
    vectors.add_vectors(["zebra"], np.ones((1, 6)))
    more = {ngram for ngram, _ in vectors.nearest_ngrams("sing", topn=1000)} - {ngram for ngram, _ in everything}
    assert more <= set(SUBWORDS.ngrams("zebra"))
    assert more
    assert vectors.restricted(len(SEEN)).nearest_ngrams("sing", topn=1000) == everything
    none = SubwordVectors(["sing"], [[1, 0]], NgramVectors(Subwords(num_buckets=0), np.empty((0, 2), np.float32)))
    assert none.nearest_ngrams("sing") == []
    with pytest.raises(ValueError, match="topn expected at least 1, got 0"):
        vectors.nearest_ngrams("sing", topn=0)


@settings(deadline=None, max_examples=80)
@given(a=words_asked, b=words_asked, dense=st.booleans(), lazily=st.booleans())
def test_shares_add_up(a: str, b: str, dense: bool, lazily: bool) -> None:
    vectors = made(dense=dense, lazily=lazily)
    shares = vectors.explain_similarity(a, b)
    assert (shares.a, shares.b, shares.shares.shape) == (a, b, (len(shares.parts_of_a), len(shares.parts_of_b)))
    cosine = vectors.similarity(a, b)
    assert shares.similarity == pytest.approx(cosine, abs=1e-6)
    for ranked in (shares.of_a(), shares.of_b(), shares.pairs()):
        values = [one[-1] for one in ranked]
        assert sum(values) == pytest.approx(cosine, abs=1e-6)
        assert values == sorted(values, reverse=True)
    for word, parts in ((a, shares.parts_of_a), (b, shares.parts_of_b)):
        assert [part.text for part in parts if not part.is_ngram] == ([word] if word in vectors else [])
        rows = dict(zip(SUBWORDS.ngrams(word), vectors.ngrams.rows_of(SUBWORDS.buckets(word)).tolist(), strict=True))
        assert [part.text for part in parts if part.is_ngram] == [ngram for ngram, row in rows.items() if row >= 0]


def test_a_share_is_what_would_be_lost() -> None:
    """Without one part, all else as it was, the product of the two vectors is smaller by just its share."""
    vectors = made()
    shares = vectors.explain_similarity("walkable", "walks")
    a, b = (vectors[word].astype(np.float64) for word in ("walkable", "walks"))
    ngrams = SUBWORDS.ngrams("walkable")
    row = vectors.ngrams.rows[int(SUBWORDS.buckets("walkable")[ngrams.index("alk")])].astype(np.float64)
    lost = (row / len(ngrams)) @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert {part.text: share for part, share in shares.of_a()}["alk"] == pytest.approx(lost, abs=1e-7)


def ring() -> SubwordVectors:
    rows = np.array([[1, 1], [3, 0], [1, 0], [0, 1]], dtype=np.float32)
    subwords = Subwords(min_ngram=3, max_ngram=3, num_buckets=100)
    ngrams = NgramVectors(subwords, rows, [0, 7, 41, 47])  # of "ng>", "ing", "sin" and "<si"
    return SubwordVectors(["sing", "tree"], [[2, 1], [0, 2]], ngrams)


def test_shares_are_printed_as_tables() -> None:
    assert str(ring().explain_similarity("sing", "ring")) == (
        "similarity of sing and ring: 0.9762\n"
        "\n"
        "  share  parts of sing\n"
        " 0.4989  sing (whole word)\n"
        " 0.2603  ing\n"
        " 0.1085  ng>\n"
        " 0.0868  sin\n"
        " 0.0217  <si\n"
        "\n"
        "  share  parts of ring\n"
        " 0.6508  ing\n"
        " 0.3254  ng>\n"
        "\n"
        "  share  pairs of parts\n"
        " 0.3254  sing (whole word)  ing\n"
        " 0.1952  ing  ing\n"
        " 0.1735  sing (whole word)  ng>\n"
        " 0.0651  sin  ing\n"
        " 0.0651  ng>  ing\n"
        " 0.0651  ing  ng>\n"
        " 0.0434  ng>  ng>\n"
        " 0.0217  <si  ng>\n"
        " 0.0217  sin  ng>\n"
        " 0.0000  <si  ing"
    )
    long = str(made().explain_similarity("singer", "walking"))
    assert "other" in long
    for table in long.split("\n\n")[1:]:
        printed = [float(line.split()[0]) for line in table.splitlines()[1:]]
        assert sum(printed) == pytest.approx(made().similarity("singer", "walking"), abs=1e-3)


def test_shares_of_a_word_that_is_like_nothing(vectors: SubwordVectors) -> None:
    shares = vectors.explain_similarity("", "sing")
    assert shares.similarity == 0
    assert (shares.parts_of_a, shares.of_b()[-1][1]) == ((), 0)
    nothing = ring().explain_similarity("", "sing")
    assert (nothing.parts_of_a, nothing.similarity, nothing.pairs()) == ((), 0.0, [])
    assert str(nothing).startswith("similarity of  and sing: 0.0000\n")


def test_jamo_without_a_final_consonant_are_printed_with_a_dot() -> None:
    jamo = Subwords(kind="jamo", num_buckets=500)
    rows = np.random.default_rng(1).standard_normal((500, 3)).astype(np.float32)
    vectors = SubwordVectors(["나무"], [[1, 0, 0]], NgramVectors(jamo, rows))
    shares = vectors.explain_similarity("나무", "나문")
    assert [part.text for part in shares.parts_of_a[1:]] == list(dict.fromkeys(jamo.ngrams("나무")))
    assert shares.similarity == pytest.approx(vectors.similarity("나무", "나문"), abs=1e-6)
    assert "  ㄴㅏ·\n" in str(shares)
    assert "\ue000" not in str(shares)
