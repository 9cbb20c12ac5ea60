from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import threading

import pytest

from daneo.corpus import Corpus, progress_reports, text_counter, text_files
from daneo.corpus.sources import find_files

TEXT = "What time is it?\n\n단어 time\n"
TOKENS = [["what", "time", "is", "it"], [], ["단어", "time"]]


def zstd_compressed(data: bytes) -> bytes:
    return text_files._zstd().compress(data)


FORMATS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd_compressed, "": bytes}


def ids_and_words(corpus: Corpus) -> tuple[list[int], list[str]]:
    with corpus.encode(min_count=1) as encoded:
        return encoded.tokens(0, encoded.num_tokens).tolist(), encoded.vocabulary.words


@pytest.mark.parametrize("name", ["a{}", "a.txt{}", "a.dat"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_files_are_decompressed_by_what_they_hold(tmp_path, suffix, name):
    path = tmp_path / name.format(suffix)
    path.write_bytes(FORMATS[suffix](TEXT.encode()))
    assert list(Corpus(path)) == TOKENS
    assert list(Corpus(str(path))) == TOKENS
    assert ids_and_words(Corpus(path)) == ids_and_words(Corpus(TOKENS))


@pytest.mark.parametrize("suffix", FORMATS)
def test_several_streams_in_one_file(tmp_path, suffix):
    path = tmp_path / "a"
    path.write_bytes(FORMATS[suffix](b"a b\nc ") + FORMATS[suffix](b"d\n"))
    assert list(Corpus(path)) == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize("suffix", FORMATS)
def test_byte_order_mark_and_carriage_returns_are_no_part_of_the_text(tmp_path, suffix):
    path = tmp_path / "a"
    for data, want in (
        (b"\xef\xbb\xbfa b\r\nc\r\n", [["a", "b"], ["c"]]),
        (b"\xef\xbb\xbf", []),
        (b"", []),
        (b"a", [["a"]]),
    ):
        path.write_bytes(FORMATS[suffix](data))
        corpus = Corpus(path, "whitespace")
        assert list(corpus) == want
        assert corpus.count()[0] == sorted({token for tokens in want for token in tokens})
    path.write_bytes(FORMATS[suffix](b"x\xef\xbb\xbfy\n\xef\xbb\xbfz"))
    assert Corpus(path, "whitespace").count()[0] == ["x\ufeffy", "\ufeffz"]
    assert list(Corpus(path, "whitespace")) == [["x\ufeffy"], ["\ufeffz"]]


def test_folders_and_globs_are_read_in_the_order_of_names(tmp_path):
    for name, text in {"b.txt": "b", "a.txt": "a\n", "c/d.txt": "d", ".hidden": "no", "c/.git/x.txt": "no"}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "e.gz").write_bytes(gzip.compress(b"e"))
    assert list(Corpus(tmp_path)) == [["a"], ["b"], ["d"], ["e"]]
    assert list(Corpus(str(tmp_path / "*.txt"))) == [["a"], ["b"]]
    assert list(Corpus(tmp_path / "**" / "*.txt")) == [["a"], ["b"], ["d"]]
    with Corpus(tmp_path).encode(min_count=1) as encoded:
        assert encoded.offsets.tolist() == [0, 1, 2, 3, 4]
        assert encoded.vocabulary.decode(encoded.tokens(0, 4)) == ["a", "b", "d", "e"]


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        (
            '{"format": "daneo", "kind": "word-vectors"}',
            r"holds is a directory that daneo wrote \(word-vectors\), not text",
        ),
        (
            '{"format": "daneo", "kind": "cooccurrences"}',
            "`daneo train glove` and `daneo train ppmi` learn from counts",
        ),
        ('{"format": "ours"}', None),
        ("[1]", None),
        ("{", None),
        ("[" * 100_000, None),
    ],
)
def test_what_daneo_wrote_is_no_text_and_all_else_may_be(tmp_path, config, complaint):
    folder = tmp_path / "holds"
    folder.mkdir()
    (folder / "config.json").write_text(config)
    if complaint is None:
        assert find_files(folder) == [str(folder / "config.json")]
    else:
        with pytest.raises(ValueError, match=complaint):
            Corpus(folder)


def test_a_name_with_brackets_is_a_file_before_it_is_a_glob(tmp_path):
    path = tmp_path / "a[1].txt"
    path.write_text("a")
    assert find_files(path) == [str(path)]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("nothing.txt", "There is no file or folder .*nothing.txt'. Check the path."),
        ("nothing/*.txt", "No file matches .*nothing"),
        ("empty", "The folder .*empty holds no files"),
        ("The text itself.", r"give text itself, put it in a list: Corpus\(\[text\]\)"),
        ("x" * 10_000, "There is no file or folder"),
        ("a\0b", "There is no file or folder"),
    ],
)
def test_missing_sources(tmp_path, source, complaint, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=complaint) as caught:
        Corpus(source)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        ("a.gz", b"just text", "a.gz does not hold what .gz stands for"),
        ("a.zst", b"", "a.zst does not hold what .zst stands for"),
        ("a.zip", b"PK\x03\x04...", "a zip archive or an office document; unpack it"),
        ("a.txt", b"PK\x03\x04...", "a zip archive"),
        ("a.pdf", b"%PDF-1.7", "a PDF; extract its text"),
        ("a.txt", "text".encode("utf-16"), "text in UTF-16; convert it: iconv -f utf-16 -t utf-8"),
        ("a.tar.gz", gzip.compress(b"..."), "a tar archive; unpack it"),
        ("a.tgz", gzip.compress(b"..."), "a tar archive; unpack it"),
    ],
)
def test_what_is_not_text_is_refused(tmp_path, name, data, complaint):
    path = tmp_path / name
    path.write_bytes(data)
    for read in (list, Corpus.count):
        with pytest.raises(ValueError, match=complaint):
            read(Corpus(path, errors="replace"))


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_damaged_compressed_files_are_named(tmp_path, suffix, damage):
    data = bytearray(FORMATS[suffix](os.urandom(30_000).hex().encode()))
    path = tmp_path / f"a{suffix}"
    if damage == "cut":
        del data[len(data) // 2 :]
    else:
        # Where each format would notice: zstd has no checksum, but a block's header.
        start = 6 if suffix == ".zst" else 100
        data[start : start + 40] = b"\xff" * 40
    path.write_bytes(data)
    for read in (list, Corpus.count):
        with pytest.raises(
            ValueError, match=rf"a{suffix} is damaged or was cut short \(.*\). Get or compress it again."
        ):
            read(Corpus(path))


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("size", [8, 64, 1 << 19])
def test_undecodable_bytes_are_found_with_file_and_line(tmp_path, monkeypatch, num_threads, size):
    monkeypatch.setattr(text_counter, "BLOCK_SIZE", size)
    (tmp_path / "1.txt").write_bytes(("단어 word\n" * 50).encode())
    (tmp_path / "2.txt").write_bytes(b"first\nsecond \n\nfourth " + b"x " * 50 + b"caf\xe9 later\n\xff\n")
    for read in (list, lambda corpus: corpus.count(num_threads=num_threads)):
        with pytest.raises(
            ValueError, match=r"2.txt, line 4: the bytes e9 are not UTF-8.*iconv.*errors=\"replace\""
        ) as caught:
            read(Corpus(tmp_path))
        assert "\n" not in str(caught.value)
    corpus = Corpus(tmp_path, errors="replace")
    with corpus.encode(min_count=1, num_threads=num_threads) as encoded:
        assert encoded.num_replaced == 2
        assert encoded.num_documents == 55
    with Corpus(tmp_path, "characters", errors="replace").encode(min_count=1) as encoded:
        assert encoded.num_replaced == 2


def test_first_undecodable_line_is_named_even_if_later_ones_are_found_first(tmp_path, monkeypatch):
    monkeypatch.setattr(text_counter, "BLOCK_SIZE", 1000)
    path = tmp_path / "a.txt"
    lines = [b"word " * 30] * 1000
    lines[500] = lines[501] = lines[999] = b"\xff"
    path.write_bytes(b"\n".join(lines))
    for _ in range(5):
        with pytest.raises(ValueError, match="line 501: the bytes ff"):
            Corpus(path).count(num_threads=4)


def test_unknown_errors_setting():
    with pytest.raises(ValueError, match="strict or replace, got 'ignore'"):
        Corpus([], errors="ignore")


def test_standard_input(monkeypatch):
    for data in (TEXT.encode(), gzip.compress(TEXT.encode()), b"\xef\xbb\xbf" + TEXT.encode()):
        stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(data)))
        monkeypatch.setattr(sys, "stdin", stdin)
        corpus = Corpus("-")
        assert ids_and_words(corpus) == ids_and_words(Corpus(TOKENS))
        with pytest.raises(
            ValueError, match="a pipe or standard input, which can be read only once, and has been read"
        ):
            corpus.count()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"a\n\xff"))))
    with pytest.raises(ValueError, match="standard input, line 2: the bytes ff"):
        Corpus("-").count()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_named_pipes(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(TEXT,))
    writer.start()
    corpus = Corpus(path)
    reports = []
    with corpus.encode(min_count=1, progress=reports.append) as encoded:
        assert encoded.num_documents == 3
    writer.join()
    assert (reports[-1].done, reports[-1].total) == (len(TEXT.encode()), None)
    with pytest.raises(ValueError, match="can be read only once"):
        iter(corpus)


def test_generators_are_read_once():
    for make in (lambda: (text for text in TEXT.splitlines()), lambda: iter(TOKENS), lambda: map(str, [1, 2])):
        list(Corpus(make()))
        Corpus(make()).encode(min_count=1).close()
        corpus = Corpus(make())
        corpus.count()
        for again in (list, Corpus.count, Corpus.encode):
            with pytest.raises(
                ValueError, match="generator or iterator, which can be read only once, and has been read"
            ):
                again(corpus)


def test_objects_that_start_again_are_read_again():
    class Texts:
        def __iter__(self):
            return iter(TEXT.splitlines())

    corpus = Corpus(Texts())
    assert list(corpus) == list(corpus) == TOKENS
    assert corpus.count()[0][0] == "time"


def test_newline_in_a_text_is_a_space():
    texts = ["a\nb\r\nc", "\n", "d\n"]
    assert list(Corpus(texts)) == [["a", "b", "c"], [], ["d"]]
    with Corpus(texts).encode(min_count=1) as encoded:
        assert encoded.offsets.tolist() == [0, 3, 3, 4]


def test_lone_surrogates_of_a_str_stay():
    texts = ["a \ud800b \udcff", "\U0001f600 \ud83d\ude00"]
    corpus = Corpus(texts, "whitespace")
    assert corpus.count()[0] == sorted(["a", "\ud800b", "\udcff", "\U0001f600", "\ud83d\ude00"])
    with corpus.encode(min_count=1) as encoded:
        assert encoded.vocabulary.decode(encoded.tokens(0, 5)) == [token for tokens in corpus for token in tokens]


@pytest.mark.parametrize("read", [list, Corpus.count], ids=["iter", "count"])
@pytest.mark.parametrize(
    ("items", "complaint"),
    [
        ([1], "Item 0 of the corpus: expected a str or a list of str, got int"),
        ([b"a"], "Item 0 .* got bytes. Decode it first"),
        (["a", ["b"]], "Item 1 of the corpus: expected a str, as the first item is, got list"),
        (["a", None], "Item 1 .* got NoneType"),
        ([["a"], "b"], "Item 1 of the corpus: expected a list of str, as the first item is, got str"),
        ([{"a"}], "Item 0 .* got set"),
    ],
)
def test_wrong_items(read, items, complaint):
    with pytest.raises(TypeError, match=complaint):
        read(Corpus(items))


@pytest.mark.parametrize(
    ("tokens", "complaint"),
    [(["a", 1], r"token to be a str, got 1 \(int\)"), (["a", ["b"]], r"got \['b'\] \(list\)"), ([None], "got None")],
)
def test_wrong_tokens(tokens, complaint):
    with pytest.raises(TypeError, match=complaint):
        Corpus([tokens]).count()


@pytest.mark.parametrize("source", [b"path", 5, None])
def test_wrong_sources(source):
    with pytest.raises(TypeError, match="Corpus expected a path, or an iterable of str or of lists of str"):
        Corpus(source)


def test_progress_of_each_kind_of_source(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(TEXT, encoding="utf-8")
    size = len(TEXT.encode())
    compressed = tmp_path / "a.gz"
    compressed.write_bytes(gzip.compress(TEXT.encode()))
    sources = [
        (path, "words", size, size, "bytes"),
        (path, "characters", size, size, "bytes"),
        (compressed, "words", compressed.stat().st_size, compressed.stat().st_size, "bytes"),
        (TEXT.splitlines(), "words", size, None, "bytes"),
        (TEXT.splitlines(), "jamo", 6, None, "words"),
        (TOKENS, "words", 6, None, "words"),
    ]
    for source, tokenizer, done, total, unit in sources:
        reports = []
        Corpus(source, tokenizer).count(progress=reports.append)
        last = reports[-1]
        assert (last.stage, last.done, last.total, last.unit) == ("reading", done, total, unit)
        assert last.seconds_left == (None if total is None else 0)


def test_progress_of_writing_is_reported_if_it_takes_a_while(monkeypatch):
    for seconds, stages in ((1000, ["reading"]), (0, ["reading", "writing"])):
        monkeypatch.setattr(progress_reports, "SECONDS_BETWEEN", seconds)
        reports = []
        Corpus(TOKENS).encode(min_count=1, progress=reports.append).close()
        assert list(dict.fromkeys(report.stage for report in reports)) == stages
        assert (reports[-1].done, reports[-1].seconds_left) == (6, None if seconds else 0)
