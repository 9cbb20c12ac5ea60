"""The tree is the data flow: imports point only to the left. Read from the sources with ast, also inside functions."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "daneo"
STAGES = ("foundations", "corpus", "embeddings", "layers", "models", "training", "web", "cli")
VAGUE_NAMES = {"utils", "util", "core", "misc", "helpers", "common"}
LONGEST_MODULE = 350  # aim for 250; a kernel file may need more, for its reference can share nothing with another
# The root names a home for every public name, so it alone may point to the right.
ROOT = "daneo/__init__.py"


def imported_modules(source: str, module: str) -> Iterator[str]:
    """Every module that `source` may import, by its full name; `module` resolves the relative imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(module.split(".")[: -node.level]) if node.level else ""
            name = ".".join(part for part in (base, node.module) if part)
            # `from daneo.corpus import x`: x may be a module; the longer name tells the checker more.
            yield from (f"{name}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in {
            "import_module",
            "__import__",
        }:
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))


def stage_of(module: str) -> str:
    """`daneo.corpus.hangul` -> corpus; `daneo.files` -> foundations."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in STAGES else "foundations"


def references_of(kernels: str) -> set[str]:
    """Names that the reference of some kernels may have: both directions of a layer share one."""
    name = kernels.removesuffix("_kernels")
    return {f"{name}_reference.py", f"{name.removesuffix('_forward').removesuffix('_backward')}_reference.py"}


def violations(path: str, source: str, siblings: set[str]) -> list[str]:
    """What the module at `path` (as `daneo/corpus/vocabulary.py`, among files named `siblings`) does wrong."""
    stem = Path(path).stem
    module = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    # In a package's __init__ one dot means the package itself, in a module its parent.
    anchor = f"{module}.__init__" if stem == "__init__" else module
    imports = set(imported_modules(source, anchor))
    ours = {name for name in imports if name.split(".")[0] == "daneo"}
    theirs = {name.split(".")[0] for name in imports - ours}
    found = []
    if stem in VAGUE_NAMES:
        found.append(f"{path}: name a file after what it computes, not {stem!r}")
    if source.count("\n") > LONGEST_MODULE:
        found.append(f"{path}: {source.count(chr(10))} lines; split it ({LONGEST_MODULE} at most)")
    if path != ROOT:
        own = STAGES.index(stage_of(module))
        found += [
            f"{path}: imports {name} from the right" for name in sorted(ours) if STAGES.index(stage_of(name)) > own
        ]
    if "numba" in theirs and not stem.endswith("_kernels"):
        found.append(f"{path}: only *_kernels.py import numba")
    if "torch" in theirs and STAGES.index(stage_of(module)) < STAGES.index("layers"):
        found.append(f"{path}: torch is for layers/ and what comes after it")
    if stem.endswith("_reference") and (ours or theirs & {"numba", "torch"}):
        found.append(f"{path}: a reference is plain Python and NumPy and imports nothing of ours")
    if stem.endswith("_kernels") and not references_of(stem) & siblings:
        found.append(f"{path}: has no {stem.replace('_kernels', '_reference')}.py beside it")
    return found


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_keeps_the_architecture(path: Path) -> None:
    siblings = {other.name for other in path.parent.iterdir()}
    name = f"daneo/{path.relative_to(PACKAGE).as_posix()}"
    assert violations(name, path.read_text(encoding="utf-8"), siblings) == []


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("daneo/corpus/x.py", "from daneo.embeddings import Word2Vec", "from the right"),
        ("daneo/corpus/x.py", "from daneo import embeddings", "from the right"),
        ("daneo/corpus/x.py", "from ..embeddings import Word2Vec", "from the right"),
        ("daneo/corpus/__init__.py", "from .. import cli", "from the right"),
        ("daneo/corpus/x.py", "def f():\n    import daneo.cli.train", "from the right"),
        ("daneo/corpus/x.py", "importlib.import_module('daneo.embeddings')", "from the right"),
        ("daneo/files.py", "import daneo.corpus", "from the right"),
        ("daneo/corpus/x.py", "def f():\n    from numba import njit", "only *_kernels.py import numba"),
        ("daneo/corpus/x_reference.py", "from daneo.files import replaced_file", "imports nothing of ours"),
        ("daneo/layers/x_reference.py", "import torch.nn", "imports nothing of ours"),
        ("daneo/embeddings/x.py", "def f():\n    import torch", "torch is for layers/"),
        ("daneo/layers/x.py", "from daneo.models import TextClassifier", "from the right"),
        ("daneo/corpus/lonely_kernels.py", "import numba", "has no lonely_reference.py"),
        ("daneo/corpus/utils.py", "", "name a file after what it computes"),
        ("daneo/corpus/x.py", "\n" * 351, "351 lines"),
    ],
)
def test_checker_sees(path: str, source: str, complaint: str) -> None:
    found = violations(path, source, {"x.py", "x_reference.py"})
    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "daneo/embeddings/x.py",
            "from daneo.corpus import Corpus\nfrom ..files import replaced_file",
        ),
        ("daneo/corpus/__init__.py", "from . import vocabulary"),
        ("daneo/corpus/x_kernels.py", "from numba import njit"),
        ("daneo/layers/x_backward_kernels.py", "from numba import njit"),
        ("daneo/layers/x.py", "import torch\nfrom daneo.embeddings import WordVectors"),
        ("daneo/corpus/x_reference.py", "import numpy as np"),
        ("daneo/cli/x.py", "def f():\n    from daneo.embeddings import WordVectors"),
    ],
)
def test_checker_lets_pass(path: str, source: str) -> None:
    assert violations(path, source, {"x_reference.py"}) == []


HEAVY = (
    *("numba", "torch", "scipy", "rich", "typer", "kiwipiepy", "safetensors"),
    *("keras", "onnx", "onnxruntime", "h5py", "matplotlib", "usearch"),
)


@pytest.mark.parametrize(
    "statement",
    [
        "import daneo",
        "import daneo.corpus, daneo.embeddings",
        "dir(__import__('daneo'))",
        "import daneo.layers; dir(daneo.layers)",
        "import daneo.models; dir(daneo.models)",
    ],
)
def test_import_loads_nothing_heavy(statement: str) -> None:
    code = f"{statement}\nimport sys; print([name for name in {HEAVY} if name in sys.modules])"
    assert run_python(code) == "[]"


def test_public_names_are_there_and_load_when_asked_for() -> None:
    code = "import daneo; print([name for name in daneo.__all__ if getattr(daneo, name) is None], len(daneo.__all__))"
    assert run_python(code) == "[] 16"


@pytest.mark.parametrize("format", ["daneo", "fasttext-bin"])
def test_opening_vectors_and_asking_a_few_compiles_nothing(format: str, tmp_path: Path) -> None:
    import daneo
    from daneo.embeddings.subwords.ngram_vectors import NgramVectors
    from daneo.embeddings.subwords.subwords import Subwords

    ngrams = NgramVectors(Subwords(num_buckets=9), np.ones((9, 2), np.float32))
    daneo.SubwordVectors(["sea", "sun"], np.eye(2, dtype=np.float32), ngrams).save(tmp_path / "v", format=format)
    code = f"""
import sys, daneo
vectors = daneo.WordVectors.load(r"{tmp_path / "v"}")
vectors["sea"], vectors["seas"], "seas" in vectors, vectors.similarity("sea", "suns")
print([name for name in ("numba", "torch", "scipy") if name in sys.modules])"""
    assert run_python(code) == "[]"


def test_layers_load_torch_and_nothing_else_until_they_run() -> None:
    pytest.importorskip("torch")
    # What torch itself brings is torch's business.
    code = f"""
import sys, torch
before = set(sys.modules)
from daneo import layers
layer = layers.LSTM(4)
layer.build((None, None, 3))
print([name for name in {HEAVY} if name in set(sys.modules) - before])"""
    assert run_python(code) == "[]"


def test_the_classifier_needs_no_torch() -> None:
    code = """
import sys
sys.modules["torch"] = None  # as if it were not installed
import daneo
model = daneo.FastTextClassifier(vector_size=2, epochs=1, num_threads=1).fit(["a b", "a c"] * 9, ["up", "down"] * 9)
print(sorted(model.labels), [label for label, _ in model.predict("a b", k=2)] != [])"""
    assert run_python(code) == "['down', 'up'] True"


@pytest.mark.parametrize("statement", ["from daneo.layers import LSTM", "import daneo.layers as x; x.Embedding(2, 3)"])
def test_layers_without_torch_name_the_command_to_run(statement: str) -> None:
    code = f"""
import sys
sys.modules["torch"] = None  # as if it were not installed
try:
    {statement}
except ImportError as error:
    print(error)"""
    assert "needs torch, which is not installed. Run: pip install 'daneo[neural]'" in run_python(code)


def test_unknown_public_name_is_an_attribute_error() -> None:
    import daneo

    with pytest.raises(AttributeError, match="no attribute 'Word3Vec'. It offers: Cooccurrences, Corpus"):
        daneo.Word3Vec  # noqa: B018


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
