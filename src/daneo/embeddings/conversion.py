"""From one file of word vectors to another: all that both can hold, and a line for each thing that is lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daneo.embeddings import formats
from daneo.embeddings.conversion_losses import (
    losses_of_directory,
    losses_of_fasttext,
    losses_of_file,
    losses_of_record,
    losses_of_vectors,
)
from daneo.embeddings.formats.daneo_directory import (
    DIRECTORY_NAMES,
    is_trained_model,
    read_config,
    refuse_to_lose_training,
)
from daneo.embeddings.word_vectors import WordVectors
from daneo.files import replaced_directory

if TYPE_CHECKING:
    from daneo.embeddings.fasttext_files import SavedFastText
    from daneo.embeddings.glove import GloVe

TARGETS = (*formats.FORMATS, "glove-binary")
"""The formats that :func:`convert` writes."""


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """What :func:`convert` did.

    Attributes
    ----------
    format : str
        What was written.
    num_words, vector_size : int
    lost : tuple of str
        What the format has no place for, a line each; empty if it holds everything.
    remarks : tuple of str
        What else is to be said of the file that was written.
    """

    format: str
    num_words: int
    vector_size: int
    lost: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    format: str = "daneo",
    vocabulary: str | os.PathLike[str] | None = None,
    errors: str = "strict",
    vectors_only: bool = False,
) -> Conversion:
    """Write a model or vectors in another format, with all that both formats can hold.

    Parameters
    ----------
    source : path
        Anything that :meth:`daneo.WordVectors.load` opens, sparse rows of PPMI, or a .bin of Stanford's GloVe.
    target : path
        A directory for ``"daneo"``, otherwise a file.
    format : str, default "daneo"
        One of `TARGETS`. ``"glove-binary"`` writes its vocab.txt beside: ``x.vocab.txt`` for ``x.bin``.
    vocabulary : path or None
        The vocab.txt that a .bin of Stanford's GloVe was trained with.
    errors : str, default "strict"
        What to do with words that are not UTF-8, as for :meth:`daneo.WordVectors.load`.
    vectors_only : bool, default False
        Leave out what further training needs, also where the format has a place for it.

    Returns
    -------
    Conversion
        It says what was lost.

    Raises
    ------
    FileNotFoundError, EOFError
        There is nothing at `source`, or it is cut off.
    ValueError
        The source is damaged, or the format cannot hold what is there at all.
    FileExistsError
        The target is a directory with other files in it, or a trained model that vectors alone would replace.

    Notes
    -----
    What is kept beside words and vectors: a directory of daneo's is copied as it is; FastText and a .bin of Facebook's
    become each other with all that further training needs; Word2Vec becomes a .bin without n-grams, with its outputs;
    GloVe and the .bin of Stanford's program become each other; Facebook's files become Facebook's files, classifiers
    too. Compressed vectors with n-grams, and those that lack some, are quantised anew for a ``.ftz``.

    Examples
    --------
    >>> import daneo, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     daneo.Word2Vec(vector_size=2, epochs=1, min_count=1, sample=0).fit(["a b"]).save(f"{folder}/model")
    ...     for line in convert(f"{folder}/model", f"{folder}/model.txt", format="word2vec-text").lost:
    ...         print(line)
    how often each word occurred. daneo and fasttext-bin keep it.
    what further training needs (outputs). daneo keeps it.
    how the vectors were trained: the settings and the losses of 1 epoch. daneo keeps it.
    """
    if format not in TARGETS:
        raise ValueError(f"convert(format=...) expected one of {', '.join(TARGETS)}; got {format!r}.")
    source, target = Path(source), Path(target)
    if vocabulary is not None:
        return _of_glove_binary(source, Path(vocabulary), target, format, errors, vectors_only)
    if source.is_dir():
        return _of_directory(source, target, format, vectors_only)
    if source.is_file() and formats.recognise(source) == "fasttext-bin":
        return _of_fasttext(source, target, format, errors, vectors_only)
    return convert_vectors(WordVectors.load(source, errors=errors), target, format=format)


def convert_vectors(
    vectors: WordVectors, target: str | os.PathLike[str], *, format: str = "daneo", lost: Sequence[str] = ()
) -> Conversion:
    """Write vectors that are opened already: :func:`convert` without what else a file may hold.

    Parameters
    ----------
    vectors : WordVectors
    target, format
        As for :func:`convert`.
    lost : sequence of str
        What was lost before, to be said too.
    """
    if format == "glove-binary":
        raise ValueError(
            "glove-binary holds vectors of words and of contexts with their biases, as GloVe learns them; these have "
            "none. glove-text holds vectors alone."
        )
    lost = [*lost]
    if format == "fasttext-bin":
        vectors, anew = _as_fasttext_holds(vectors)
        lost = [*anew, *lost]
    remarks = formats.written(vectors, target, format=format)
    return _done(format, vectors, [*losses_of_vectors(vectors, format), *lost], remarks)


def _of_directory(source: Path, target: Path, format: str, vectors_only: bool) -> Conversion:
    from daneo.embeddings.fasttext_files import write_bin

    record = read_config(source, None)
    if record.get("kind") == "sparse-vectors":
        return _of_sparse(source, target, format)
    vectors = WordVectors.load(source)
    training = record.get("training")
    algorithm = training.get("algorithm") if isinstance(training, dict) and not vectors_only else None
    if format == "daneo" and not vectors_only:
        if not is_trained_model(source):
            refuse_to_lose_training(target)
        copy_directory(source, target, DIRECTORY_NAMES)
        return _done(format, vectors, [])
    if format == "fasttext-bin" and algorithm in ("fasttext", "word2vec"):
        model = _as_fasttext(source, algorithm)
        write_bin(target, model)
        return _done(format, vectors, losses_of_fasttext(model, source))
    if format == "glove-binary" and algorithm == "glove":
        from daneo.embeddings.glove import GloVe

        _write_glove(GloVe.load(source), target)
        return _done(format, vectors, losses_of_record(record))
    return convert_vectors(vectors, target, format=format, lost=losses_of_directory(source))


def _of_sparse(source: Path, target: Path, format: str) -> Conversion:
    from daneo.embeddings.sparse_vectors import SparseVectors

    vectors = SparseVectors.load(source)
    if format != "daneo":
        raise ValueError(
            f"{source} holds sparse rows of {len(vectors)} numbers, which {format} cannot hold; daneo can. PPMI with a "
            "vector_size makes vectors of them that every format holds."
        )
    copy_directory(source, target, DIRECTORY_NAMES)
    return Conversion(format=format, num_words=len(vectors), vector_size=len(vectors), lost=())


def _of_fasttext(source: Path, target: Path, format: str, errors: str, vectors_only: bool) -> Conversion:
    """Convert a model file of Facebook's."""
    from daneo.embeddings.fasttext import FastText
    from daneo.embeddings.formats.fasttext_file import read_fasttext, write_fasttext

    model = read_fasttext(source, errors=errors)
    if format == "fasttext-bin" and not vectors_only:
        write_fasttext(target, model)
        return Conversion(format=format, num_words=len(model.words), vector_size=model.vector_size, lost=())
    lost = losses_of_file(model, format)
    if format == "daneo" and lost and not vectors_only and model.model != "supervised":
        try:
            trained = FastText.load(source, errors=errors)
        except ValueError as error:
            lost.append(f"that it could be trained further: {error}")
        else:
            trained.save(target)
            return _done(format, trained.vectors, [])
    return convert_vectors(WordVectors.load(source, errors=errors), target, format=format, lost=lost)


def _of_glove_binary(
    source: Path, vocabulary: Path, target: Path, format: str, errors: str, vectors_only: bool
) -> Conversion:
    from daneo.embeddings.formats.glove_binary import read_glove_binary
    from daneo.embeddings.glove import GloVe

    if format == "glove-binary":
        read_glove_binary(source, vocabulary, errors=errors)
        raise ValueError(f"{source} is a glove-binary already. Copy it and {vocabulary}.")
    model = GloVe.load(source, vocabulary=vocabulary, errors=errors)
    if format == "daneo" and not vectors_only:
        model.save(target)
        return _done(format, model.vectors, [])
    lost = "the vectors of words and of contexts, whose sum was taken, and their biases. daneo keeps them."
    return convert_vectors(model.vectors, target, format=format, lost=[lost])


def _as_fasttext_holds(vectors: WordVectors) -> tuple[WordVectors, list[str]]:
    """Return vectors that a .bin or .ftz holds, quantised anew where there is no other way, and what that cost."""
    from daneo.embeddings.compression.cost import mean_cosine
    from daneo.embeddings.formats.fasttext_quantizing import must_be_quantised, quantised_anew

    if not must_be_quantised(vectors):
        return vectors, []
    anew = quantised_anew(vectors)
    near = mean_cosine(vectors.rows, anew.rows)
    return anew, [
        f"the rows' own storage: a .ftz has one quantizer for words and n-grams, so they were quantised anew. The mean "
        f"cosine to the vectors before is {near:.4f}. daneo keeps them."
    ]


def _as_fasttext(source: Path, algorithm: str) -> SavedFastText:
    """Open a model of FastText, or one of Word2Vec as a FastText without n-grams."""
    from daneo.embeddings.fasttext_files import of_word2vec, read_directory
    from daneo.embeddings.word2vec_files import read_model

    return read_directory(source) if algorithm == "fasttext" else of_word2vec(read_model(source))


def _write_glove(model: GloVe, target: Path) -> None:
    from daneo.embeddings.formats.glove_binary import write_glove_binary

    found = model.parameters
    write_glove_binary(
        target, vocabulary_beside(target), model.vocabulary,
        found.words, found.contexts, found.word_biases, found.context_biases,
    )  # fmt: skip


def vocabulary_beside(path: Path) -> Path:
    """Return where the vocab.txt of a glove-binary is written: ``x.vocab.txt`` for ``x.bin``."""
    return path.with_name(f"{path.stem}.vocab.txt")


def copy_directory(source: Path, target: Path, names: Collection[str]) -> None:
    """Copy what daneo wrote into a directory, which the caller has opened and found sound."""
    with replaced_directory(target, known=names) as fresh:
        for name in sorted(names):
            if (source / name).is_file():
                (fresh / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(source / name, fresh / name)


def _done(format: str, vectors: Any, lost: list[str], remarks: list[str] | None = None) -> Conversion:
    return Conversion(
        format=format, num_words=len(vectors), vector_size=vectors.vector_size, lost=tuple(lost),
        remarks=tuple(remarks or ()),
    )  # fmt: skip
