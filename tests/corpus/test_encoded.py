from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daneo.corpus import Corpus, EncodedCorpus, array_files
from daneo.corpus.array_files import ArrayFile, array_header, check_array_file

DOCUMENTS = ["what time is it", "", "it is time", "단어 time"]
WORDS = ["time", "is", "it", "what", "단어"]
IDS = [3, 0, 1, 2, 2, 1, 0, 4, 0]
OFFSETS = [0, 4, 4, 7, 9]


@pytest.fixture
def directory(tmp_path):
    path = tmp_path / "encoded"
    Corpus(DOCUMENTS).encode(min_count=1, path=path).close()
    return path


def test_directory_holds_what_numpy_and_people_can_read(directory):
    assert sorted(os.listdir(directory)) == ["config.json", "ids.npy", "offsets.npy", "vocabulary.txt"]
    ids, offsets = (np.load(directory / name, allow_pickle=False) for name in ("ids.npy", "offsets.npy"))
    assert (ids.tolist(), ids.dtype) == (IDS, np.int32)
    assert (offsets.tolist(), offsets.dtype) == (OFFSETS, np.int64)
    assert (directory / "vocabulary.txt").read_text(encoding="utf-8").splitlines()[0] == "time\t3"
    config = json.loads((directory / "config.json").read_text())
    assert (config["format"], config["kind"], config["tokenizer"], config["num_tokens"]) == (
        "daneo",
        "encoded-corpus",
        "words",
        9,
    )
    assert not any(name.startswith(".") for name in os.listdir(directory.parent))


def test_open_gives_what_encode_gave(directory):
    made = Corpus(DOCUMENTS).encode(min_count=1)
    opened = EncodedCorpus.open(directory)
    for encoded in (made, opened):
        assert encoded.vocabulary.words == WORDS
        assert encoded.tokens(0, 9).tolist() == IDS
        assert encoded.offsets.tolist() == OFFSETS
        assert (encoded.num_tokens, encoded.num_documents, encoded.num_dropped) == (9, 4, 0)
        assert (encoded.num_replaced, encoded.num_unknown, encoded.tokenizer) == (0, 0, "words")
    assert opened.path == directory


def test_ranges_of_tokens(directory):
    encoded = EncodedCorpus.open(directory)
    for start in range(10):
        for stop in range(start, 10):
            ids = encoded.tokens(start, stop)
            assert ids.tolist() == IDS[start:stop]
            assert ids.dtype == np.int32
    for start, stop in ((-1, 3), (3, 2), (0, 10), (10, 10)):
        with pytest.raises(IndexError, match=rf"0 <= start <= stop <= 9, got start={start}, stop={stop}"):
            encoded.tokens(start, stop)
    with pytest.raises(ValueError, match="read-only"):
        encoded.tokens(0, 3)[0] = 1
    assert encoded.offsets[1:3].tolist() == OFFSETS[1:3]


def test_closing_removes_a_temporary_directory_and_no_other(directory):
    with Corpus(DOCUMENTS).encode(min_count=1) as encoded:
        path = encoded.path
        assert path.is_dir()
        kept = encoded.tokens(0, 9)
    assert not path.exists()
    assert kept.tolist() == IDS
    with EncodedCorpus.open(directory) as opened:
        pass
    opened.close()
    assert directory.is_dir()
    for closed in (encoded, opened):
        with pytest.raises(ValueError, match="has been closed"):
            closed.tokens(0, 1)
        with pytest.raises(ValueError, match="has been closed"):
            closed.offsets  # noqa: B018


def test_a_forgotten_temporary_corpus_leaves_no_directory():
    encoded = Corpus(DOCUMENTS).encode(min_count=1)
    path = encoded.path
    del encoded
    gc.collect()
    assert not path.exists()


def test_a_corpus_written_again_is_not_the_one_that_was_opened(tmp_path):
    path = tmp_path / "encoded"
    encoded = Corpus(DOCUMENTS).encode(min_count=1, path=path)
    opened, unasked = EncodedCorpus.open(path), EncodedCorpus.open(path)
    ids = opened.tokens(0, 9)
    newest = Corpus([" ".join(f"w{i}" for i in range(50))]).encode(min_count=1, path=path)
    questions = [lambda: unasked.vocabulary, lambda: opened.offsets, lambda: opened.tokens(0, 0)]
    for question in (*questions, lambda: opened.tokens(0, 9), lambda: encoded.tokens(0, 9)):
        with pytest.raises(ValueError, match=r"encoded was written again, or removed, since it was opened") as caught:
            question()
        assert "\n" not in str(caught.value)
    assert ids.tolist() == IDS  # what was mapped stays
    assert sorted(newest.tokens(0, 50).tolist()) == list(range(50))


def test_encoding_again_replaces_and_a_strange_directory_is_refused(directory):
    Corpus(["a a"]).encode(min_count=1, path=directory).close()
    with EncodedCorpus.open(directory) as encoded:
        assert encoded.tokens(0, 2).tolist() == [0, 0]
    (directory / "thesis.doc").write_text("precious")
    with pytest.raises(FileExistsError, match=r"thesis.doc"):
        Corpus(["b"]).encode(min_count=1, path=directory)
    assert (directory / "thesis.doc").read_text() == "precious"


class Interruption(BaseException):
    """Stands for Ctrl-C."""


def failing_texts():
    yield from ["word " * 20] * 100
    raise Interruption


def failing_tokenizer(text):
    raise Interruption


failing_tokenizer.name = "failing"


def interrupt(progress):
    raise Interruption


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize(
    "encode",
    [
        lambda **where: Corpus(failing_texts()).encode(**where),
        lambda **where: Corpus(DOCUMENTS, failing_tokenizer).encode(**where),
        lambda **where: Corpus(DOCUMENTS).encode(progress=interrupt, **where),
    ],
    ids=["source", "tokenizer", "progress"],
)
def test_failing_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch, encode, existing, num_threads):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = tmp_path / "encoded"
    if existing:
        Corpus(DOCUMENTS).encode(min_count=1, path=path).close()
    for target in (path, None):
        with pytest.raises(Interruption):
            encode(path=target, num_threads=num_threads)
    assert os.listdir(tmp_path) == (["encoded"] if existing else [])
    if existing:
        assert EncodedCorpus.open(path).tokens(0, 9).tolist() == IDS


def test_full_disk_is_reported_and_leaves_nothing(tmp_path, monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    texts = ["a b c d " * 1000] * 100
    for path in (tmp_path / "encoded", None):
        # What a full disk does, the system does here for files above 100 KB.
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                Corpus(texts).encode(path=path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert os.listdir(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_ctrl_c_stops_at_once_and_leaves_nothing(tmp_path):
    code = (
        "import itertools, sys; from daneo import Corpus\n"
        "report = lambda progress: print('going', flush=True)\n"
        f"Corpus(itertools.repeat('some words ' * 9)).encode(path={str(tmp_path / 'encoded')!r}, progress=report)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "going\n"
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert process.returncode != 0
    assert errors.splitlines()[-1].startswith("KeyboardInterrupt")
    assert os.listdir(tmp_path) == []


def changed(directory: Path, **values) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def rewrite(directory: Path, name: str, values: np.ndarray) -> None:
    np.save(directory / name, values)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda d: (d / "config.json").unlink(), "is not an encoded corpus: it has no config.json"),
        (lambda d: (d / "config.json").write_text("{"), "config.json is not JSON"),
        (lambda d: (d / "config.json").write_text("[" * 100_000), "config.json is not JSON"),
        (lambda d: (d / "config.json").write_text(" " * (1 << 21)), "too large"),
        (lambda d: (d / "config.json").write_text("[]"), "is not an encoded corpus"),
        (lambda d: changed(d, kind="word-vectors"), "is not an encoded corpus"),
        (lambda d: changed(d, version=2), "has version 2; this daneo reads version 1"),
        (lambda d: changed(d, num_tokens="9"), "num_tokens is missing or wrong"),
        (lambda d: changed(d, num_documents=-1), "num_documents is missing or wrong"),
        (lambda d: changed(d, num_tokens=True), "num_tokens is missing or wrong"),
        (lambda d: changed(d, num_tokens=10**30), "num_tokens is missing or wrong"),
        (lambda d: changed(d, num_tokens=10**15), "ids.npy is damaged: expected 4000000000000128 bytes"),
        (lambda d: changed(d, tokenizer=None), "tokenizer is missing or wrong"),
        (lambda d: (d / "ids.npy").unlink(), "ids.npy"),
        (lambda d: (d / "ids.npy").write_bytes(b""), "ids.npy is damaged: expected 164 bytes, got 0"),
        (lambda d: rewrite(d, "ids.npy", np.array(IDS, dtype=np.float32)), "ids.npy is damaged: expected the header"),
        (lambda d: rewrite(d, "ids.npy", np.array(IDS, dtype=">i4")), "ids.npy is damaged: expected the header"),
        (lambda d: rewrite(d, "offsets.npy", np.array([0, 4, 4, 7, 10])), "expected 0 first and 9 last, got 0 and 10"),
        (lambda d: rewrite(d, "offsets.npy", np.array([-1, 4, 4, 7, 9])), "expected 0 first and 9 last, got -1 and 9"),
        (lambda d: shutil.rmtree(d), "is not an encoded corpus"),
    ],
)
def test_damaged_directories_are_refused(directory, damage, complaint):
    damage(directory)
    with pytest.raises((ValueError, FileNotFoundError), match=complaint) as caught:
        EncodedCorpus.open(directory)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wrong", [-1, 5, 2**31 - 1])
def test_ids_outside_the_vocabulary_never_reach_a_kernel(directory, wrong):
    rewrite(directory, "ids.npy", np.array([*IDS[:-1], wrong], dtype=np.int32))
    encoded = EncodedCorpus.open(directory)
    assert encoded.tokens(0, 8).tolist() == IDS[:-1]
    with pytest.raises(ValueError, match="tokens 5 to 9 hold an id that is not among the 5 words"):
        encoded.tokens(5, 9)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_files_give_a_clear_error_or_valid_ids(directory, data, tmp_path_factory):
    copy = tmp_path_factory.mktemp("mutated") / "encoded"
    shutil.copytree(directory, copy)
    path = copy / data.draw(st.sampled_from(["config.json", "ids.npy", "offsets.npy", "vocabulary.txt"]))
    content = bytearray(path.read_bytes())
    start = data.draw(st.integers(0, len(content)))
    content[start : start + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
    path.write_bytes(content)
    with suppress(ValueError, FileNotFoundError):
        encoded = EncodedCorpus.open(copy)
        ids, num_words = encoded.tokens(0, encoded.num_tokens), len(encoded.vocabulary)
        assert ids.size == 0 or 0 <= ids.min() <= ids.max() < num_words


def test_array_file_is_overwritten_behind_what_is_read(tmp_path):
    path = tmp_path / "a.npy"
    with ArrayFile(path, np.int32) as file:
        file.write(np.arange(10))
        file.write(np.arange(10, 15, dtype=np.int64))
        file.rewind()
        assert file.read(10).tolist() == list(range(10))
        file.write(np.array([7, 8]))
        assert file.read(5).tolist() == [10, 11, 12, 13, 14]
        file.write(np.array([], dtype=np.int32))
        file.write(np.array([9]))
        file.finish()
    assert np.load(path).tolist() == [7, 8, 9]
    check_array_file(path, np.int32, 3)


@pytest.mark.parametrize("size", [0, 1, 10**18])
def test_headers_are_numpys(tmp_path, size):
    path = tmp_path / "header"
    path.write_bytes(array_header(np.int64, size))
    np.save(tmp_path / "empty.npy", np.empty(0, dtype=np.int64))
    assert (tmp_path / "empty.npy").read_bytes() == array_header(np.int64, 0)
    with open(path, "rb") as file:
        assert np.lib.format.read_magic(file) == (1, 0)
        assert np.lib.format.read_array_header_1_0(file) == ((size,), False, np.dtype(np.int64))
        assert file.tell() == array_files.HEADER_SIZE == file.seek(0, os.SEEK_END)
