from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from daneo import Corpus, Phrases, Vocabulary
from daneo.corpus import phrase_counts
from daneo.corpus import phrases_reference as reference

# Few words and long texts, so that phrases, and chains of candidates, are common.
tokens = st.lists(st.sampled_from(["a", "b", "c", "d", "of", "the", "단어"]), max_size=30)
documents = st.lists(tokens, max_size=8).filter(any)
connector_words = st.sets(st.sampled_from(["of", "the", "absent"]))


@dataclass
class InMemory:
    """What counting reads of an encoded corpus."""

    documents: list[list[str]]

    def __post_init__(self):
        counts = Counter(token for document in self.documents for token in document)
        self.vocabulary = Vocabulary.from_counts(list(counts), list(counts.values()), min_count=1)
        self.ids = self.vocabulary.encode([token for document in self.documents for token in document])
        self.offsets = np.cumsum([0, *map(len, self.documents)])
        self.num_tokens = len(self.ids)

    def tokens(self, start, stop):
        return self.ids[start:stop]


def counted(documents, min_count, connectors, progress=None):
    encoded = InMemory(documents)
    found = phrase_counts.count_candidates(encoded, min_count, connectors, progress)
    counts = {}
    for i, (first, last) in enumerate(zip(found.firsts, found.lasts, strict=True)):
        candidate = (encoded.vocabulary.words[first], *found.between(i), encoded.vocabulary.words[last])
        assert candidate not in counts
        counts[candidate] = int(found.counts[i])
    return counts


def expected(documents, min_count, connectors):
    counts = reference.count_candidates(documents, connectors)
    return {candidate: count for candidate, count in counts.items() if count >= min_count}


# counting


def test_reference_by_hand():
    documents = [["the", "bank", "of", "the", "river", "bank"], ["bank", "of"], ["the", "river"]]
    assert reference.count_candidates(documents, {"of", "the"}) == {
        ("bank", "of", "the", "river"): 1,
        ("river", "bank"): 1,
    }
    assert reference.count_candidates(documents)["bank", "of"] == 2
    # (8 - 5) / (20 * 10) * 1000 and log(.008 / (.02 * .01)) / -log(.008)
    assert reference.word2phrase_score(8, 20, 10, 5, 1000) == 15.0
    assert_allclose(reference.npmi_score(8, 20, 10, 1000), math.log(40) / math.log(125))


@given(documents, st.integers(1, 3), connector_words)
@settings(deadline=None)
def test_kernel_matches_reference(documents, min_count, connectors):
    assert counted(documents, min_count, connectors) == expected(documents, min_count, connectors)


@given(documents, st.integers(1, 3), connector_words, st.integers(1, 5))
@settings(deadline=None)
def test_blocks_and_full_tables_change_nothing(documents, min_count, connectors, block):
    with pytest.MonkeyPatch.context() as patch:
        # A table of four rows, of which three are used, is full at once, so that the candidates are counted in
        # many parts; and a block ends within nearly every document.
        patch.setattr(phrase_counts, "MAX_ROWS", 4)
        patch.setattr(phrase_counts, "BLOCK", block)
        assert counted(documents, min_count, connectors) == expected(documents, min_count, connectors)


@pytest.mark.parametrize("num_between", [6, 7, 8, 300])
def test_long_rows_of_connector_words(num_between):
    documents = [["a", *["of"] * num_between, "b"], ["a", "b"]]
    counts = counted(documents, 1, {"of"})
    assert counts == expected(documents, 1, {"of"})
    assert (("a", *["of"] * num_between, "b") in counts) == (num_between <= 7)


def test_progress_of_counting():
    reports = []
    counted([["a", "b", "c"]], 1, (), reports.append)
    assert [(report.stage, report.done, report.total) for report in reports] == [("counting phrases", 3, 3)]


# joining


@given(tokens, documents, connector_words)
def test_join_matches_reference(tokens, documents, connectors):
    candidates = sorted(reference.count_candidates(documents, connectors))[::2]
    phrases = Phrases(dict.fromkeys(candidates, 1.0), delimiter="+", connector_words=connectors)
    assert phrases(tokens) == reference.join(tokens, candidates, "+", connectors)
    assert phrases(iter(tokens)) == phrases(tokens)


def test_join_from_left_to_right():
    phrases = Phrases({("a", "b"): 1.0, ("b", "c"): 9.0, ("a", "of", "the", "b"): 2.0}, connector_words=["of", "the"])
    assert phrases(["a", "b", "c", "b", "c"]) == ["a_b", "c", "b_c"]
    assert phrases(["of", "a", "of", "the", "b", "of"]) == ["of", "a_of_the_b", "of"]
    assert phrases(["a", "of", "b", "c", "the"]) == ["a", "of", "b_c", "the"]
    assert phrases([]) == []


def test_long_rows_of_connector_words_are_joined_in_linear_time():
    phrases = Phrases({("a", "b"): 1.0}, connector_words=["of"])
    text = ["a", *["of"] * 200_000, "a", "b"]
    assert phrases(text) == [*text[:-2], "a_b"]


# learning


@given(documents, st.integers(1, 3), connector_words, st.sampled_from([("word2phrase", 0.0, 3.0), ("npmi", -1.0, 0.3)]))
@settings(deadline=None, max_examples=30)
def test_learned_scores_match_reference(documents, min_count, connectors, how):
    scoring, *thresholds = how
    single = Counter(token for document in documents for token in document)
    num_tokens = single.total()
    for threshold in thresholds:
        want = {}
        for candidate, count in expected(documents, min_count, connectors).items():
            first, last = single[candidate[0]], single[candidate[-1]]
            if scoring == "word2phrase":
                score = reference.word2phrase_score(count, first, last, min_count, num_tokens)
            else:
                score = reference.npmi_score(count, first, last, num_tokens)
            if not math.isclose(score, threshold) and score > threshold:
                want[candidate] = score
        phrases = Phrases.learn(
            Corpus(documents), min_count=min_count, threshold=threshold, scoring=scoring, connector_words=connectors
        )
        got = {candidate: s for candidate, s in phrases.scores.items() if not math.isclose(s, threshold)}
        assert got.keys() == want.keys()
        assert_allclose([got[candidate] for candidate in want], list(want.values()), rtol=1e-12)
        assert list(phrases.scores.values()) == sorted(phrases.scores.values(), reverse=True)


def test_learn_from_text():
    texts = ["I saw New York.", "New York is big!", "they like new york", "is it new?", "we like it"]
    phrases = Phrases.learn(texts, min_count=1, threshold=2)
    assert list(phrases.scores) == [("new", "york")]
    assert phrases.scores["new", "york"] == 3.0  # (3 - 1) / (4 * 3) * 18
    assert next(iter(Corpus(texts, phrases=phrases))) == ["i", "saw", "new_york"]


def test_phrases_of_phrases():
    texts = ["new york times", "the new york times", "new york", "old times"] * 3
    pairs = Phrases.learn(texts, min_count=1, threshold=1.5)
    once = Corpus(texts, phrases=pairs)
    triples = Phrases.learn(once, min_count=1, threshold=1.0)
    assert ("new_york", "times") in triples.scores
    assert next(iter(Corpus(once, phrases=triples))) == ["new_york_times"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scoring": "pmi"}, "one of word2phrase, npmi; got 'pmi'"),
        ({"min_count": 0}, "min_count of at least 1, got 0"),
        ({"threshold": -1}, "threshold of 0 or more for word2phrase"),
        ({"threshold": math.nan}, "threshold of 0 or more"),
        ({"threshold": 10, "scoring": "npmi"}, "threshold from -1 to 1 for npmi, got 10"),
        ({"connector_words": [str(number) for number in range(256)]}, "at most 255 connector words, got 256"),
    ],
)
def test_refused_settings(options, message):
    with pytest.raises(ValueError, match=message):
        Phrases.learn(["a b"], **options)


@pytest.mark.parametrize(
    ("scores", "connectors"),
    [
        ({("a",): 1.0}, []),
        ({(): 1.0}, []),
        ({("a", "b", "c"): 1.0}, []),
        ({("a", "of"): 1.0}, ["of"]),
        ({("of", "a"): 1.0}, ["of"]),
        ({("a", *["of"] * 8, "b"): 1.0}, ["of"]),
    ],
)
def test_what_is_no_phrase_is_refused(scores, connectors):
    with pytest.raises(ValueError, match="two words, between which only connector words may stand"):
        Phrases(scores, connector_words=connectors)


@pytest.mark.parametrize("corpus", [[], ["", " "]])
def test_an_empty_corpus_is_refused(corpus):
    with pytest.raises(ValueError, match="no (words|tokens)"):
        Phrases.learn(corpus)


def test_a_text_without_phrases():
    assert Phrases.learn(["a"]).scores == {}
    assert Phrases.learn(["a b", "b a"], min_count=1).scores == {}


def test_a_str_of_connector_words_is_refused():
    with pytest.raises(TypeError, match="got the str 'of the'"):
        Phrases({}, connector_words="of the")


# saving

any_word = st.text(st.characters() | st.sampled_from("\t\n\r\\ \x85\u2028\ud800"), max_size=4)


@given(st.dictionaries(st.tuples(any_word, any_word), st.floats(allow_nan=False, allow_infinity=False)), any_word)
def test_any_phrases_survive(tmp_path_factory, scores, delimiter):
    path = tmp_path_factory.getbasetemp() / "phrases.txt"
    phrases = Phrases(scores, delimiter=delimiter)
    phrases.save(path)
    assert Phrases.load(path) == phrases
    assert list(Phrases.load(path).scores.items()) == list(scores.items())


def test_connector_words_survive_and_the_file_is_readable(tmp_path):
    path = tmp_path / "phrases.txt"
    phrases = Phrases(
        {("bank", "of", "america"): 31.5, ("새", "해"): 2.0}, delimiter="·", connector_words=["of", "the"]
    )
    phrases.save(path)
    assert path.read_text(encoding="utf-8") == (
        '{"format": "daneo-phrases", "version": 1, "delimiter": "·", "connector_words": ["of", "the"]}\n'
        "31.5\tbank\tof\tamerica\n2.0\t새\t해\n"
    )
    assert Phrases.load(path) == phrases


HEADER = b'{"format": "daneo-phrases", "version": 1, "delimiter": "_", "connector_words": []}\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "does not start with"),
        (b"the\t12\n", "does not start with"),
        (b"[" * 100_000 + b"\n", "does not start with"),
        (b'{"format": "daneo-phrases", "version": 2}\n', "version 2"),
        (
            b'{"format": "daneo-phrases", "version": 1, "delimiter": 1, "connector_words": []}\n',
            "line 1: expected a string",
        ),
        (b'{"format": "daneo-phrases", "version": 1, "delimiter": "_", "connector_words": "of"}\n', "line 1: expected"),
        (HEADER[:-1], "cut short"),
        (HEADER + b"1.0\ta\tb", "cut short"),
        (HEADER + b"1.0\ta\n", "line 2: expected a score and two words"),
        (HEADER + b"nan\ta\tb\n", "line 2: expected a number as the score, got 'nan'"),
        (HEADER + b"x\ta\tb\n", "line 2: expected a number as the score, got 'x'"),
        (HEADER + b"1.0\ta\tb\n2.0\ta\tb\n", "line 3: the phrase 'a b' is there already"),
        (HEADER + b"1.0\ta\tb\\x\n", "line 2: a backslash"),
        (HEADER + b"1.0\ta\tb\xff\n", "line 2: the bytes .* are not UTF-8"),
        (HEADER + b"1.0\ta\tb\tc\n", "only connector words may stand"),
    ],
)
def test_damaged_files_are_refused(tmp_path, content, message):
    path = tmp_path / "phrases.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        Phrases.load(path)
    assert "\n" not in str(caught.value)


def test_mutated_files_give_an_error_or_phrases(tmp_path):
    """10,000 damaged files: each is refused with a ValueError, or holds phrases that join."""
    path = tmp_path / "phrases.txt"
    phrases = Phrases(
        {("bank", "of", "america"): 31.5, ("새", "a\\b"): 2.0, ("c\td", "é"): 1e-3}, connector_words=["of"]
    )
    phrases.save(path)
    intact = path.read_bytes()
    generator = random.Random(1)
    num_refused = 0
    with path.open("r+b") as file:  # one open file for all: opening is the slow part on some systems
        for _ in range(10_000):
            data = bytearray(intact)
            for _ in range(generator.randint(1, 3)):
                position = generator.randrange(len(data) + 1)
                piece = generator.choice(
                    [b"\t", b"\n", b"\r", b"\\", b"0", b"-", b"e9", b'"', b"[", b"\xff", b"\x00", b""]
                )
                data[position : position + generator.randint(0, 2)] = piece
            file.seek(0)
            file.write(data)
            file.truncate()
            file.flush()
            try:
                loaded = Phrases.load(path)
            except ValueError:
                num_refused += 1
                continue
            assert [loaded(phrase) for phrase in loaded.scores] == [
                [loaded.delimiter.join(phrase)] for phrase in loaded.scores
            ]
    assert 3_000 < num_refused < 10_000
