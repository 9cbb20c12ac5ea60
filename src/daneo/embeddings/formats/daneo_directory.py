"""daneo's own format: a directory of config.json, vectors.safetensors, vocabulary.txt and README.md.

The matrix is memory-mapped, so opening takes as long as reading the vocabulary, and several processes share one copy.
A trainer writes the same directory and adds its own: keys in the config, tensors, and ``training.safetensors``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from daneo.embeddings.formats.tensors import map_tensors, write_tensors

if TYPE_CHECKING:
    from daneo.corpus.vocabulary import Vocabulary
    from daneo.embeddings.rows import Rows

HEADER: dict[str, Any] = {"format": "daneo", "version": 1, "kind": "word-vectors"}

DIRECTORY_NAMES = frozenset(
    {"config.json", "vectors.safetensors", "sparse.safetensors", "vocabulary.txt", "README.md", "training.safetensors"}
    # An index of the vectors, which is none of other ones that take their place.
    | {"neighbours/config.json", "neighbours/index.usearch", "neighbours/README.md"}
)
"""All that daneo may put into such a directory: what `daneo.files.replaced_directory` needs as `known`."""

_ASKED_WITH = {
    "word-vectors": "`daneo similar` and WordVectors.load open word vectors.",
    "sparse-vectors": "Ask sparse rows with --sparse, in Python through SparseVectors.load.",
    "cooccurrences": "`daneo train glove` and `daneo train ppmi` make vectors of counts.",
    "neighbour-index": "An index is asked together with its vectors: give their directory, and --approximate.",
    "fasttext-classifier": "`daneo predict` and FastTextClassifier.load open a classifier.",
}
_CONFIG_LIMIT = 16 << 20  # bytes; a config is a few hundred, so more than this is not one


def write_directory(
    directory: str | os.PathLike[str],
    vocabulary: Vocabulary | Sequence[str],
    matrix: np.ndarray[Any, Any] | Rows,
    *,
    config: Mapping[str, Any] | None = None,
    card: str | None = None,
    tensors: Mapping[str, np.ndarray[Any, Any]] | None = None,
    rows_name: str = "vectors",
) -> None:
    """Write word vectors into a directory that exists, is empty, and is renamed into place by the caller.

    Parameters
    ----------
    directory : path
        What ``daneo.files.replaced_directory(target, known=DIRECTORY_NAMES)`` yields. The caller may add files to it.
    vocabulary : Vocabulary or sequence of str
        The V words; their position is the row.
    matrix : array of shape (V, D), or Rows
        Saved as float32, without a copy where it is C-contiguous float32 already. Compressed rows stay compressed.
    config : mapping or None
        More keys for config.json, for example ``{"settings": ..., "training": ...}``: anything that JSON can say.
        ``format``, ``version`` and ``kind`` are added here.
    card : str or None
        The text of README.md; ``None`` means a short one that says what lies here and how to open it.
    tensors : mapping of str to array, or None
        More arrays for vectors.safetensors, for example ``{"norms": norms}``. Training state that is not needed to
        use the vectors belongs in a file of its own (`write_tensors` to ``training.safetensors``).
    rows_name : str, default "vectors"
        What the rows are called, if they are not the vectors themselves.

    Raises
    ------
    ValueError
        The matrix is not (V, D), or a key or a tensor is given that this format uses itself.

    Examples
    --------
    >>> import tempfile
    >>> from daneo.files import replaced_directory
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replaced_directory(f"{folder}/vectors", known=DIRECTORY_NAMES) as fresh:
    ...         write_directory(fresh, ["sea", "sun"], np.eye(2, dtype=np.float32), config={"settings": {"window": 5}})
    ...     vocabulary, matrix, config = read_directory(f"{folder}/vectors")
    >>> vocabulary.words, matrix.tolist(), config["settings"]
    (['sea', 'sun'], [[1.0, 0.0], [0.0, 1.0]], {'window': 5})
    """
    from daneo.corpus.vocabulary import Vocabulary

    if not isinstance(vocabulary, Vocabulary):
        vocabulary = Vocabulary(vocabulary)
    if len(matrix.shape) != 2 or len(matrix) != len(vocabulary):
        raise ValueError(f"Expected a matrix of shape ({len(vocabulary)}, D), one row a word; got {matrix.shape}.")
    config, tensors = dict(config or {}), dict(tensors or {})
    for key, value in HEADER.items():
        if config.setdefault(key, value) != value:
            raise ValueError(f"The config's key {key!r} is the format's own and means {value!r}; got {config[key]!r}.")
    own = row_tensors(rows_name, matrix)
    if taken := sorted({*own, rows_name} & tensors.keys()):
        raise ValueError(f"The tensor {taken[0]!r} is the matrix itself. Give the other one another name.")
    text = json.dumps(HEADER | config, ensure_ascii=False, indent=2, allow_nan=False)
    directory = Path(directory)
    (directory / "config.json").write_text(text + "\n", encoding="utf-8")
    write_tensors(directory / "vectors.safetensors", {**own, **tensors})
    vocabulary.save(directory / "vocabulary.txt")
    if card is None:
        card = plain_card(*matrix.shape)
    (directory / "README.md").write_text(card, encoding="utf-8")


def row_tensors(name: str, rows: np.ndarray[Any, Any] | Rows) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays that hold some rows: compressed ones as they are, any others as one float32 array."""
    from daneo.embeddings.compression.stored_rows import is_stored, rows_to_tensors

    return rows_to_tensors(name, rows if is_stored(rows) else rows[:])


def read_directory(path: str | os.PathLike[str]) -> tuple[Vocabulary, np.ndarray[Any, Any], dict[str, Any]]:
    """Open a directory whose matrix is not compressed: its vocabulary, its matrix and its config.

    Returns
    -------
    vocabulary : Vocabulary
    matrix : array of shape (V, D), float32
        Memory-mapped and read-only: copy it before changing it. It stays valid when the directory is replaced.
    config : dict
        All of config.json.

    Raises
    ------
    FileNotFoundError
        The directory or one of its files is missing.
    ValueError
        A file is damaged, or the files do not fit each other; the message names the file.
    """
    path = Path(path)
    config = read_config(path)
    matrix = read_directory_tensors(path).get("vectors")
    if matrix is None or matrix.dtype != np.float32 or matrix.ndim != 2:
        came = "none" if matrix is None else f"{matrix.dtype} of shape {matrix.shape}"
        raise ValueError(
            f"{path / 'vectors.safetensors'}: expected a tensor 'vectors', float32 of shape (V, D); got {came}."
        )
    return read_vocabulary(path, len(matrix)), matrix, config


def read_vocabulary(path: str | os.PathLike[str], num_rows: int) -> Vocabulary:
    """Read a directory's vocabulary.

    Raises
    ------
    FileNotFoundError
        There is none.
    ValueError
        It is damaged, or has not as many words as there are rows.
    """
    from daneo.corpus.vocabulary import Vocabulary

    vocabulary = Vocabulary.load(Path(path) / "vocabulary.txt")
    if len(vocabulary) != num_rows:
        raise ValueError(
            f"{path}: vocabulary.txt has {len(vocabulary)} words, vectors.safetensors has {num_rows} rows; "
            "expected as many. The files are of two different models."
        )
    return vocabulary


def read_directory_tensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray[Any, Any]]:
    """Map every array of a directory's vectors.safetensors: ``"vectors"`` and what the writer added."""
    return map_tensors(_existing(Path(path), "vectors.safetensors"))


def read_config(path: str | os.PathLike[str], kind: str | None = HEADER["kind"]) -> dict[str, Any]:
    """Read and check config.json of a directory in daneo's format.

    Parameters
    ----------
    path : path
    kind : str or None
        What the directory must hold; None: anything.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is not JSON, of another program, of a newer version or of another kind of model.
    """
    file = _existing(Path(path), "config.json")
    if file.stat().st_size > _CONFIG_LIMIT:
        raise ValueError(f"{file} has {file.stat().st_size} bytes; a config has at most {_CONFIG_LIMIT}.")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # RecursionError: nested a thousand deep
        raise ValueError(f"{file} is not JSON: {error}") from error
    if not isinstance(config, dict) or config.get("format") != HEADER["format"]:
        raise ValueError(
            f'{file}: expected a JSON object with "format": "daneo". Another program wrote this directory.'
        )
    if config.get("version") != HEADER["version"]:
        raise ValueError(
            f"{file}: this daneo reads version {HEADER['version']} of its format, got {config.get('version')!r}. "
            "A newer daneo may open it."
        )
    if kind is not None and config.get("kind") != kind:
        asked = _ASKED_WITH.get(str(config.get("kind")), "Give another directory.")
        raise ValueError(f"{file}: expected kind {kind!r}, got {config.get('kind')!r}. {asked}")
    return config


def _existing(path: Path, name: str) -> Path:
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist.")
    if not (path / name).is_file():
        raise FileNotFoundError(f"{path} has no {name}, so it is not a directory of word vectors that daneo wrote.")
    return path / name


_OF_MODELS = {"training.safetensors": "what further training needs", "sparse.safetensors": "sparse rows"}


def is_trained_model(path: str | os.PathLike[str]) -> bool:
    """Whether a directory holds more of a model than its vectors."""
    return any((Path(path) / name).is_file() for name in _OF_MODELS)


def refuse_to_lose_training(path: str | os.PathLike[str]) -> None:
    """Raise FileExistsError where vectors alone would take the place of a model that holds more than its vectors."""
    for name, what in _OF_MODELS.items():
        if (Path(path) / name).is_file():
            raise FileExistsError(
                f"{os.fspath(path)} holds a trained model with {what} ({name}), which vectors alone would replace. "
                "Give another directory, or remove this one first."
            )


def plain_card(num_words: int, vector_size: int, *, rows_name: str = "vectors", has_ngrams: bool = False) -> str:
    """Return the README.md of a directory that its writer says no more about."""
    tensors = f"tensor `{rows_name}`, a row a word" + "; `ngrams`, a row a bucket in `ngram_buckets`" * has_ngrams
    return f"""# Word vectors

{num_words:,} words, {vector_size} numbers each. Saved by daneo.

```python
import daneo

vectors = daneo.WordVectors.load(".")  # this directory
vectors.most_similar(vectors.words[0])
```

| file | what |
| --- | --- |
| vectors.safetensors | the numbers: {tensors} |
| vocabulary.txt | the words, in the order of the rows, each with its count |
| config.json | the format, and how the vectors came about |
"""
