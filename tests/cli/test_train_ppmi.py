"""``daneo train ppmi``, and how its result is asked."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from numpy.testing import assert_array_equal

from daneo.cli.terminal import program
from daneo.embeddings import PPMI, SparseVectors, WordVectors, ppmi_weights

Run = Callable[..., tuple[int, str, str]]

TEXT = "the sun is hot\nthe sun is bright\nthe moon is cold\nthe moon is bright\n" * 30


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


@pytest.fixture
def trained(text: Path, tmp_path: Path, daneo: Run) -> Path:
    output = tmp_path / "vectors"
    assert daneo("train", "ppmi", text, "-o", output, "--vector-size", 4, "--window", 2, "--quiet")[:2] == (0, "")
    return output


def test_text_becomes_a_model(text: Path, tmp_path: Path, daneo: Run) -> None:
    output = tmp_path / "vectors"
    status, printed, said = daneo(
        "train", "ppmi", text, "-o", output, "--vector-size", 4, "--window", 2, "--shift", 0.9, "--no-symmetric"
    )
    assert status == 0
    model = PPMI.load(output)
    assert (model.config.vector_size, model.config.window, model.config.shift) == (4, 2, 0.9)
    assert not model.config.symmetric
    assert f"7 words; {model.sparse.rows.num_stored} pairs" in printed
    assert "reduced to vectors of 4 numbers" in printed
    assert [line.split()[0] for line in said.splitlines() if "100%" in line][-1] == "weighing"
    shown = [line.strip().removeprefix(program()) for line in printed.splitlines()[2:]]
    commands = [shlex.split(line.split("      ")[0]) for line in shown]
    assert [command[0] for command in commands] == ["similar", "contexts", "similar", "convert"]
    for command in commands:
        assert daneo(*command)[0] == 0


def test_counts_become_the_same_model(text: Path, tmp_path: Path, daneo: Run) -> None:
    counts = tmp_path / "counts"
    assert daneo("cooccur", text, "-o", counts, "--window", 2, "--quiet")[0] == 0
    assert daneo("train", "ppmi", counts, "-o", tmp_path / "a", "--vector-size", 4, "--quiet")[0] == 0
    assert daneo("train", "ppmi", text, "-o", tmp_path / "b", "--vector-size", 4, "--window", 2, "--quiet")[0] == 0
    models = [PPMI.load(tmp_path / name) for name in "ab"]
    assert_array_equal(models[0].vectors.matrix, models[1].vectors.matrix)
    assert_array_equal(models[0].sparse.matrix.toarray(), models[1].sparse.matrix.toarray())
    assert models[0].config.window == 2


def test_report_for_machines(text: Path, tmp_path: Path, daneo: Run) -> None:
    status, printed, _ = daneo("train", "ppmi", text, "-o", tmp_path / "v", "--json", "--phrases", 1)
    facts = json.loads(printed)
    assert status == 0
    assert facts["vector_size"] == 100
    assert facts["words"] == len(WordVectors.load(tmp_path / "v"))
    assert facts["pairs"] == SparseVectors.load(tmp_path / "v").rows.num_stored


def test_dense_vectors_are_asked_as_any_others(trained: Path, tmp_path: Path, daneo: Run) -> None:
    vectors = WordVectors.load(trained)
    status, printed, _ = daneo("similar", trained, "sun", "-n", 2, "--json")
    assert status == 0
    found = [(one["word"], one["similarity"]) for one in json.loads(printed)["sun"]]
    assert found == vectors.most_similar("sun", topn=2)
    assert daneo("analogy", trained, "sun", "hot", "moon")[0] == 0
    assert daneo("convert", trained, tmp_path / "v.txt")[0] == 0
    assert_array_equal(WordVectors.load(tmp_path / "v.txt").matrix, vectors.matrix)
    status, printed, _ = daneo("info", trained, "--json")
    facts = json.loads(printed)
    assert (status, facts["settings"]["alpha"], facts["training"]["algorithm"]) == (0, 0.75, "ppmi")


def test_sparse_rows_are_asked(trained: Path, tmp_path: Path, daneo: Run) -> None:
    vectors = SparseVectors.load(trained)
    status, printed, _ = daneo("similar", trained, "sun", "--sparse", "-n", 2, "--json")
    assert status == 0
    found = [(one["word"], one["similarity"]) for one in json.loads(printed)["sun"]]
    assert found == vectors.most_similar("sun", topn=2)
    status, printed, _ = daneo("analogy", trained, "sun", "hot", "moon", "--sparse", "--json")
    best = vectors.most_similar(positive=["hot", "moon"], negative=["sun"], topn=1)[0][0]
    assert (status, json.loads(printed)[0]["word"]) == (0, best)
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("sun\tmoon\t9\nhot\tcold\t7\nthe\tcold\t1\n")
    status, printed, _ = daneo("evaluate", trained, "--similarities", pairs, "--sparse", "--json")
    figures = json.loads(printed)["similarities"]["pairs.tsv"]
    assert (status, figures["pearson"]) == (0, vectors.evaluate_similarities(pairs).pearson)
    status, _, said = daneo("evaluate", trained, "--similarities", pairs, "--sparse", "--unseen")
    assert status == 2
    assert "--unseen needs vectors with n-grams" in said


def test_contexts(trained: Path, daneo: Run) -> None:
    strongest = SparseVectors.load(trained).strongest_contexts("moon", topn=2)
    status, printed, _ = daneo("contexts", trained, "moon", "moon", "-n", 2)
    assert status == 0
    assert [line.split("\t")[:2] for line in printed.splitlines()] == [["moon", word] for word, _ in strongest]
    status, printed, said = daneo("contexts", trained, "moon", "mooon", "--json", "-n", 2)
    assert (status, json.loads(printed)) == (1, {"moon": [{"context": c, "value": v} for c, v in strongest]})
    assert "'mooon'" in said


def test_sparse_rows_that_are_not_there(tmp_path: Path, daneo: Run) -> None:
    WordVectors(["a", "b"], [[1, 0], [0, 1]]).save(tmp_path / "dense")
    for command in (["contexts", tmp_path / "dense", "a"], ["similar", tmp_path / "dense", "a", "--sparse"]):
        status, _, said = daneo(*command)
        assert status == 1
        assert "holds no sparse rows" in said
        assert said.count("\n") == 1


def test_info_of_sparse_rows_alone(tmp_path: Path, daneo: Run) -> None:
    model = PPMI(vector_size=None).fit(TEXT.splitlines())
    model.save(tmp_path / "v")
    status, printed, _ = daneo("info", tmp_path / "v", "--json")
    facts = json.loads(printed)
    assert (status, facts["kind"], facts["words"]) == (0, "sparse-vectors", 7)
    assert facts["numbers"] == model.sparse.rows.num_stored
    assert daneo("similar", tmp_path / "v", "sun")[0] == 1
    assert daneo("similar", tmp_path / "v", "sun", "--sparse")[0] == 0


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--alpha", "2"], 2, "--alpha expected at most 1"),
        (["--shift", "0"], 2, "--shift expected more than 0"),
        (["--weighting", "linear"], 2, "linear"),
        (["--min-count", "1000"], 1, "1000"),
        (["--shift", "1e9"], 1, "No two words stand together more often than by chance"),
    ],
)
def test_what_is_refused(options: list[str], status: int, message: str, text: Path, tmp_path: Path, daneo: Run) -> None:
    found, printed, said = daneo("train", "ppmi", text, "-o", tmp_path / "v", "--quiet", *options)
    assert (found, printed) == (status, "")
    assert message in said.splitlines()[-1]
    assert not (tmp_path / "v").exists()


def test_phrases_and_text_do_not_go_with_everything(text: Path, tmp_path: Path, daneo: Run) -> None:
    status, _, said = daneo("train", "ppmi", "-", "-o", tmp_path / "v", "--phrases", 10)
    assert (status, "read only once" in said) == (2, True)
    assert daneo("cooccur", text, "-o", tmp_path / "counts", "--window", 2, "--quiet")[0] == 0
    status, _, said = daneo("train", "ppmi", tmp_path / "counts", "-o", tmp_path / "v", "--phrases", 10)
    assert (status, "counted already" in said) == (2, True)
    status, _, said = daneo("train", "ppmi", tmp_path / "counts", "-o", tmp_path / "v", "--window", 3)
    assert (status, "counts that were made with 2" in said) == (1, True)


def test_foreign_files_are_refused_before_anything_is_read(text: Path, tmp_path: Path, daneo: Run) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "letter.txt").write_text("dear")
    status, _, said = daneo("train", "ppmi", text, "-o", tmp_path / "v")
    assert (status, "letter.txt" in said, "reading" in said) == (1, True, False)


def test_ctrl_c_leaves_nothing(text: Path, tmp_path: Path, daneo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(ppmi_weights, "weigh", interrupted)
    status, printed, said = daneo("train", "ppmi", text, "-o", tmp_path / "v")
    assert (status, printed, said.splitlines()[-1]) == (130, "", "Stopped. Nothing was written.")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["temporary", "text.txt"]


def test_help_shows_how(daneo_process: Run) -> None:
    status, printed, _ = daneo_process("train", "ppmi", "--help")
    assert status == 0
    for words in ("Examples:", "--alpha", "--shift", "--power", "daneo cooccur reviews.txt -o counts/"):
        assert words in printed
