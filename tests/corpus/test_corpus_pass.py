"""The whole pass against its definition: a Counter and a dictionary."""

from __future__ import annotations

import random
from collections import Counter
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from daneo.corpus import Corpus, Phrases, Vocabulary, text_blocks, text_counter, token_counter, tokenizers
from daneo.corpus.text_files import COMPRESSED, NOT_TEXT

many = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
characters = st.one_of(
    st.sampled_from("aabcZ_9  \n\t\r-.\u0301\u3000éΣ단어ẞİKȺ😀\ud800\ufffd"), st.characters(codec=None)
)
texts = st.text(characters, max_size=60)
sizes = st.integers(4, 80)
threads = st.integers(1, 3)


def encoded(corpus: Corpus, **arguments) -> tuple[Vocabulary, list[list[int]], int]:
    """What an encoded corpus holds: vocabulary, ids by document, tokens dropped."""
    with corpus.encode(**arguments) as result:
        ids = result.tokens(0, result.num_tokens).tolist()
        offsets = result.offsets.tolist()
        assert len(offsets) == result.num_documents + 1
        documents = [ids[start:end] for start, end in pairwise(offsets)]
        assert (offsets[0], offsets[-1]) == (0, len(ids))
        return result.vocabulary, documents, result.num_dropped


def expected(documents: list[list[str]], min_count: int = 1) -> tuple[Vocabulary, list[list[int]], int]:
    counts = Counter(token for tokens in documents for token in tokens)
    kept = sorted((word for word in counts if counts[word] >= min_count), key=lambda word: (-counts[word], word))
    index = {word: i for i, word in enumerate(kept)}
    ids = [[index[token] for token in tokens if token in index] for tokens in documents]
    return Vocabulary(kept, [counts[word] for word in kept]), ids, counts.total() - sum(map(len, ids))


@many
@given(
    documents=st.lists(texts, max_size=8),
    size=sizes,
    num_threads=threads,
    name=st.sampled_from(["words", "whitespace"]),
    min_count=st.integers(1, 2),
)
def test_texts_of_an_iterable(documents, size, num_threads, name, min_count, monkeypatch):
    monkeypatch.setattr(text_counter, "BLOCK_SIZE", size)
    tokens = [tokenizers.get(name)(text) for text in documents]
    want = expected(tokens, min_count)
    if len(want[0]) == 0:
        with pytest.raises(ValueError, match="No word occurs 2 times|holds no words"):
            Corpus(documents, name).encode(min_count=min_count, num_threads=num_threads)
    else:
        assert encoded(Corpus(documents, name), min_count=min_count, num_threads=num_threads) == want
        words, counts = Corpus(documents, name).count(num_threads=num_threads)
        assert (words, counts.tolist()) == (lambda all_: (all_.words, all_.counts.tolist()))(expected(tokens)[0])
    assert list(Corpus(documents, name)) == tokens


@many
@given(
    data=st.one_of(
        st.binary(max_size=60),
        st.lists(st.sampled_from([*"ab \n", "é", "단", "😀", "K"]), max_size=60).map("".join).map(str.encode),
        st.lists(st.sampled_from([b"a", b" ", b"\n", b"\xe2\x82", b"\xff", "단".encode()]), max_size=40).map(b"".join),
    ),
    size=sizes,
    num_threads=threads,
    name=st.sampled_from(["words", "whitespace"]),
)
@example(data="단어".encode() * 10, size=4, num_threads=2, name="words")  # no place to cut
@example(data="İ".encode() + b"\xc3\xff", size=4, num_threads=1, name="words")  # the text grows, and then a letter
@example(data="단。".encode() * 10, size=4, num_threads=2, name="words")  # to cut where no ASCII stands
@example(data=b"a b c d e\n", size=4, num_threads=2, name="words")
@example(data=b"\xef\xbb\xbfa\r\nb\r\n", size=4, num_threads=1, name="words")
def test_bytes_of_a_file(data, size, num_threads, name, monkeypatch, tmp_path):
    monkeypatch.setattr(text_counter, "BLOCK_SIZE", size)
    path = tmp_path / "text.txt"
    path.write_bytes(data)
    assume(not data.startswith((*NOT_TEXT, *chain(*COMPRESSED.values()))))
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    lines = text.removesuffix("\n").split("\n") if text else []
    tokens = [tokenizers.get(name)(line) for line in lines]
    corpus = Corpus(path, name, errors="replace")
    assert list(corpus) == tokens
    if any(tokens):
        assert encoded(corpus, min_count=1, num_threads=num_threads) == expected(tokens)
        with corpus.encode(min_count=1, num_threads=num_threads) as result:
            assert result.num_replaced == text.count("\ufffd") - data.count("\ufffd".encode())
    else:
        with pytest.raises(ValueError, match="holds no words"):
            corpus.encode(min_count=1)


PIECES = [*map(str.encode, "aabcZ_9  \n\t\r-.\u0301\u3000éΣ단어ẞİKȾǅ😀\ufffd\ufeff")]
WRONG = [b"\xff", b"\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"]


@pytest.mark.parametrize("share_wrong", [0, 0.02, 0.2])
def test_long_random_files(share_wrong, monkeypatch, tmp_path):
    # Longer than what hypothesis makes: many blocks, and all combinations of what begins and ends them.
    rng = random.Random(1)
    path = tmp_path / "text.txt"
    for _ in range(150):
        pieces = [rng.choice(WRONG if rng.random() < share_wrong else PIECES) for _ in range(rng.randrange(300))]
        data = b"a " + b"".join(pieces)
        path.write_bytes(data)
        monkeypatch.setattr(text_counter, "BLOCK_SIZE", rng.choice([4, 5, 7, 16, 33, 64, 100, 1000]))
        name = rng.choice(["words", "whitespace"])
        lines = data.decode("utf-8", "replace").removesuffix("\n").split("\n")
        corpus = Corpus(path, name, errors="replace")
        got = encoded(corpus, min_count=1, num_threads=rng.choice([1, 2, 3]))
        assert got == expected([tokenizers.get(name)(line) for line in lines])


@many
@example(documents=[["a\n", "", "\n", ""], [], [""], ["", "a\n"]], batch=9, num_threads=1)
@given(
    documents=st.lists(st.lists(texts, max_size=6), min_size=1, max_size=8),
    batch=st.integers(1, 10),
    num_threads=threads,
)
def test_token_lists(documents, batch, num_threads, monkeypatch):
    monkeypatch.setattr(token_counter, "BATCH", batch)
    want = expected(documents)
    if len(want[0]) == 0:
        with pytest.raises(ValueError, match="holds no words"):
            Corpus(documents).encode(min_count=1)
    else:
        assert encoded(Corpus(documents), min_count=1, num_threads=num_threads) == want
        assert encoded(Corpus([tuple(tokens) for tokens in documents]), min_count=1) == want
    assert list(Corpus(documents)) == documents


class Dashes:
    """A tokenizer that nobody knows."""

    name = "dashes"

    def __call__(self, text: str) -> list[str]:
        return text.split("-")


TEXT = "the cat - the dog\n\nThe CAT İs K 단어, 단어를 Straße STRASSE\n \nno-end" * 3
LINES = TEXT.split("\n")


@pytest.mark.parametrize("tokenizer", ["words", "whitespace", "characters", "jamo", Dashes()], ids=str)
@pytest.mark.parametrize("num_threads", [1, 2, 5])
def test_files_and_texts_give_what_the_tokenizer_gives(tokenizer, num_threads, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    tokens = [tokenizers.get(tokenizer)(line) for line in LINES]
    for source in (path, LINES, (line for line in LINES)):
        assert encoded(Corpus(source, tokenizer), min_count=1, num_threads=num_threads) == expected(tokens)


def test_subclass_of_a_built_in_tokenizer_is_called(tmp_path):
    class Reversed(tokenizers.Words):
        def __call__(self, text):
            return super().__call__(text)[::-1]

    assert encoded(Corpus(["a b"], Reversed()), min_count=1)[1] == [[1, 0]]


@pytest.mark.parametrize("num_threads", [1, 2, 3, 8])
def test_result_does_not_depend_on_threads_or_blocks(num_threads, monkeypatch):
    rng = np.random.default_rng(1)
    documents = [" ".join(f"w{i}" for i in rng.zipf(1.3, 30) % 3000) for _ in range(400)]
    want = expected([text.split() for text in documents], min_count=2)
    for size in (64, 1000, 1 << 19):
        monkeypatch.setattr(text_counter, "BLOCK_SIZE", size)
        assert encoded(Corpus(documents), min_count=2, num_threads=num_threads) == want


def test_long_words_and_lines_are_kept_whole(monkeypatch, tmp_path):
    monkeypatch.setattr(text_counter, "BLOCK_SIZE", 256)
    long_word, long_line = "단" * 5000, "a b " * 20_000
    path = tmp_path / "text.txt"
    path.write_text(f"{long_word} x\n{long_line}\n{long_word}", encoding="utf-8")
    for num_threads in (1, 2):
        vocabulary, documents, _ = encoded(Corpus(path), min_count=1, num_threads=num_threads)
        assert vocabulary.words == ["a", "b", long_word, "x"]
        assert documents == [[2, 3], [0, 1] * 20_000, [2]]


def test_endless_words_do_not_take_endless_memory(monkeypatch, tmp_path):
    monkeypatch.setattr(text_counter, "BLOCK_SIZE", 64)
    monkeypatch.setattr(text_blocks, "LARGEST_BLOCK", 1024)
    path = tmp_path / "text.txt"
    path.write_bytes(b"\nx " + b"a" * 900 + b" " + b"a" * 5000)
    with pytest.raises(ValueError, match=r"text.txt, line 2: 1,\d\d\d bytes without an end of a word"):
        Corpus(path).count()
    monkeypatch.setattr(token_counter, "LARGEST_BATCH", 9)
    with pytest.raises(ValueError, match="at most 9 bytes in all of 2, got 10"):
        Corpus([["abcd", "efghi"]]).count()


def test_vocabulary_is_the_one_that_build_makes(tmp_path):
    documents = ["b a c a", "b d d e", "단어 e"]
    for arguments in ({"min_count": 2}, {"min_count": 1, "max_size": 3}):
        assert encoded(Corpus(documents), **arguments)[0] == Vocabulary.build(Corpus(documents), **arguments)
        tokens = [text.split() for text in documents]
        assert encoded(Corpus(tokens), **arguments)[0] == Vocabulary.build(Corpus(tokens), **arguments)


def test_max_size_keeps_the_most_frequent_words():
    vocabulary, documents, num_dropped = encoded(Corpus(["a b b c c c"]), min_count=1, max_size=2)
    assert (vocabulary.words, documents, num_dropped) == (["c", "b"], [[1, 1, 0, 0, 0]], 1)


@pytest.mark.parametrize(
    "source", [["b x a", "y", "", "a"], [["b", "x", "a"], ["y"], [], ["a"]]], ids=["texts", "lists"]
)
def test_given_vocabulary_drops_or_replaces_other_words(source):
    with Corpus(source).encode(Vocabulary(["a", "b", "never"])) as result:
        assert result.tokens(0, 3).tolist() == [1, 0, 0]
        assert result.offsets.tolist() == [0, 2, 2, 2, 3]
        assert (result.num_dropped, result.num_unknown) == (2, 0)
    with Corpus(source).encode(Vocabulary(["a", "b"], unknown="<unk>")) as result:
        assert result.tokens(0, 5).tolist() == [2, 0, 1, 0, 1]
        assert result.offsets.tolist() == [0, 3, 4, 4, 5]
        assert (result.num_dropped, result.num_unknown) == (0, 2)
    with Corpus(source).encode(Vocabulary(["never"])) as result:
        assert (result.num_tokens, result.num_dropped, result.offsets.tolist()) == (0, 5, [0] * 5)


def test_phrases_are_joined():
    phrases = Phrases({("new", "york"): 9.0})
    for source in (["In New York", "new, york"], [["in", "new", "york"], ["new", "york"]]):
        corpus = Corpus(source, phrases=phrases)
        assert list(corpus) == [["in", "new_york"], ["new_york"]]
        assert encoded(corpus, min_count=1)[0] == Vocabulary(["new_york", "in"], [2, 1])
        assert corpus.count()[0] == ["new_york", "in"]


def test_a_corpus_of_a_corpus_gives_the_same_tokens():
    inner = Corpus(["a b", "", "b"])
    assert encoded(Corpus(inner), min_count=1) == encoded(inner, min_count=1)


def test_no_word_left_says_how_many_there_were():
    for source in (["a b", "b"], [["a", "b"], ["b"]]):
        with pytest.raises(
            ValueError, match=r"No word occurs 3 times \(min_count\): .* 2 distinct words occurs 2 times"
        ):
            Corpus(source).encode(min_count=3)
        with pytest.raises(ValueError, match="of 2 .*words occurs 2 times"):
            Vocabulary.build(Corpus(source), min_count=3)
    with pytest.raises(ValueError, match="The corpus holds no words"):
        Corpus([]).encode()
    with pytest.raises(ValueError, match="The corpus holds no words"):
        Corpus(["", "."]).encode()


@pytest.mark.parametrize(
    ("arguments", "error", "complaint"),
    [
        ({"min_count": 0}, ValueError, "min_count of at least 1, got 0"),
        ({"max_size": 0}, ValueError, "max_size of at least 1, got 0"),
        ({"num_threads": 0}, ValueError, "num_threads of at least 1, got 0"),
        ({"vocabulary": "folder"}, TypeError, r"expected a Vocabulary or None, got 'folder' \(str\)"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_read(arguments, error, complaint):
    source = iter(["a"])
    with pytest.raises(error, match=complaint):
        Corpus(source).encode(**arguments)
    assert list(source) == ["a"]


def test_real_text_gives_what_python_gives(shared_data: Path):
    corpus = Corpus(shared_data / "wikitext-2" / "valid.txt.xz", "whitespace")
    counts = Counter(token for tokens in corpus for token in tokens)
    words, found = corpus.count()
    assert dict(zip(words, found.tolist(), strict=True)) == counts
    corpus = Corpus(shared_data / "corpora" / "naver-movie-reviews.txt.xz")
    with corpus.encode(num_threads=2) as result:
        start, stop = result.offsets[[1000, 1100]].tolist()
        tokens = [token for i, tokens in zip(range(1100), corpus, strict=False) if i >= 1000 for token in tokens]
        assert result.tokens(start, stop).tolist() == result.vocabulary.encode(tokens, skip_unknown=True).tolist()
