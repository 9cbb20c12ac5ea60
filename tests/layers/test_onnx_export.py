"""export_onnx: what onnxruntime makes of the file is what the layer says, on ragged batches and from any states."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import Tensor, nn

from daneo.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Embedding,
    GRUCell,
    LSTMCell,
    Sequential,
    SimpleRNN,
    SimpleRNNCell,
    TimeDistributed,
    export_onnx,
)

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

ROWS, STEPS, FEATURES = 5, 7, 3
RAGGED = torch.arange(STEPS) < torch.tensor([7, 3, 0, 1, 5])[:, None]
# Holes, left padding, an empty row, a full row, a single step.
ANY = torch.tensor([[0, 1, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1], [0] * 7, [1] * 7, [0, 0, 0, 0, 0, 0, 1]]) > 0
MASKS = {"none": (None, None), "lengths": ("lengths", RAGGED), "ragged": ("any", RAGGED), "any": ("any", ANY)}
KINDS: dict[str, Callable[..., Any]] = {
    "simple": lambda **options: SimpleRNN(4, **options),
    "gru": lambda **options: GRU(4, **options),
    "gru, reset before": lambda **options: GRU(4, reset_after=False, **options),
    "lstm": lambda **options: LSTM(4, **options),
    "peephole": lambda **options: LSTM(4, peephole=True, **options),
    "coupled": lambda **options: LSTM(4, peephole=True, coupled=True, use_bias=False, **options),
    "cells": lambda **options: RNN([LSTMCell(4), GRUCell(3), SimpleRNNCell(2)], **options),
}


def session(model: nn.Module, folder: Path, **options: Any) -> Any:
    """Export, check the file, and open it."""
    path = folder / "model.onnx"
    export_onnx(model, path, **options)
    onnx.checker.check_model(str(path), full_check=True)
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 3  # that inputs with a default are not constants is what we want
    return runtime.InferenceSession(str(path), settings)


def operators(folder: Path) -> list[str]:
    """The recurrent operators of the file."""
    nodes = onnx.load(str(folder / "model.onnx")).graph.node
    return [node.op_type for node in nodes if node.op_type in ("RNN", "GRU", "LSTM")]


def randomised(model: Any, x: Tensor) -> Any:
    """Build a model, and give it weights that are far from zero; biases too."""
    model(x)
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.5)
    return model.eval()


def assert_equal_outputs(got: list[np.ndarray], want: Any) -> None:
    wanted = want if isinstance(want, tuple) else (want,)
    assert len(got) == len(wanted)
    for theirs, ours in zip(got, wanted, strict=True):
        assert theirs.dtype == np.float32
        assert_allclose(theirs, ours.detach().numpy(), rtol=1e-5, atol=1e-5)


def vectors(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("masked", MASKS)
@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_layers(kind: str, masked: str, tmp_path: Path) -> None:
    x, (name, mask) = vectors(ROWS, STEPS, FEATURES), MASKS[masked]
    for sequences, backwards, zero in itertools.product((True, False), repeat=3):
        layer = randomised(
            KINDS[kind](
                return_sequences=sequences, go_backwards=backwards, zero_output_for_mask=zero, return_state=True
            ),
            x,
        )
        feed = {"lengths": mask.sum(1).numpy()} if name == "lengths" else {"mask": mask.numpy()} if name else {}
        got = session(layer, tmp_path, mask=name).run(None, {"x": x.numpy(), **feed})
        assert_equal_outputs(got, layer(x, mask=mask))


@pytest.mark.parametrize("masked", MASKS)
@pytest.mark.parametrize("kind", KINDS)
def test_bidirectional_layers(kind: str, masked: str, tmp_path: Path) -> None:
    x, (name, mask) = vectors(ROWS, STEPS, FEATURES), MASKS[masked]
    merges = ("concat", "sum", "mul", "ave", None) if kind == "gru" else ("concat", None)
    for sequences, merge in itertools.product((True, False), merges):
        layer = randomised(Bidirectional(KINDS[kind](return_sequences=sequences, return_state=True), merge), x)
        feed = {"lengths": mask.sum(1).numpy()} if name == "lengths" else {"mask": mask.numpy()} if name else {}
        got = session(layer, tmp_path, mask=name).run(None, {"x": x.numpy(), **feed})
        assert_equal_outputs(got, layer(x, mask=mask))
    if kind != "cells":
        assert operators(tmp_path) == [{"simple": "RNN", "g": "GRU"}.get(kind if kind == "simple" else kind[0], "LSTM")]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Bidirectional(GRU(4), backward_layer=GRU(5, go_backwards=True)), ["GRU", "GRU"]),
        (Bidirectional(GRU(4), backward_layer=GRU(4, go_backwards=True, reset_after=False)), ["GRU", "GRU"]),
        (Bidirectional(LSTM(4), backward_layer=GRU(4, go_backwards=True)), ["LSTM", "GRU"]),
        (Bidirectional(LSTM(4, go_backwards=True), backward_layer=LSTM(4)), ["LSTM", "LSTM"]),
        (Bidirectional(LSTM(4), backward_layer=LSTM(4, go_backwards=True, peephole=True, activation="relu")), ["LSTM"]),
        (Bidirectional(LSTM(4), backward_layer=LSTM(4, go_backwards=True, use_bias=False)), ["LSTM"]),
    ],
    ids=str,
)
def test_bidirectional_of_two_kinds(layer: Any, expected: list[str], tmp_path: Path) -> None:
    """Directions that differ in what an operator has once need two operators."""
    x = vectors(ROWS, STEPS, FEATURES)
    got = session(randomised(layer, x), tmp_path, mask="any").run(None, {"x": x.numpy(), "mask": ANY.numpy()})
    assert_equal_outputs(got, layer(x, mask=ANY))
    assert operators(tmp_path) == expected


ACTIVATIONS = ["tanh", "sigmoid", "relu", "hard_sigmoid", "elu", "softplus", "softsign", "linear", None]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation: str | None, tmp_path: Path) -> None:
    """Each in every place, beside others, so that slopes and offsets must find theirs."""
    x = vectors(ROWS, 3, FEATURES) / 2  # gates that are not between 0 and 1 make states grow
    for layer in (
        SimpleRNN(4, activation=activation),
        LSTM(4, activation=activation, recurrent_activation="hard_sigmoid"),
        Bidirectional(GRU(4, recurrent_activation=activation), None, GRU(4, activation="elu", go_backwards=True)),
    ):
        got = session(randomised(layer, x), tmp_path).run(None, {"x": x.numpy()})
        assert_equal_outputs(got, layer(x))


def test_peepholes_are_input_p(tmp_path: Path) -> None:
    x = vectors(1, 2, FEATURES)
    layer = randomised(LSTM(2, peephole=True), x)
    export_onnx(layer, tmp_path / "model.onnx")
    graph = onnx.load(str(tmp_path / "model.onnx")).graph
    (node,) = (node for node in graph.node if node.op_type == "LSTM")
    stored = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    i, f, o = layer.weights[3].detach().numpy()
    assert_allclose(stored[node.input[7]], [np.concatenate([i, o, f])], rtol=0, atol=0)


def test_batch_and_time_are_free_and_masks_optional(tmp_path: Path) -> None:
    x = vectors(ROWS, STEPS, FEATURES)
    layer = randomised(Bidirectional(LSTM(4, return_sequences=True)), x)
    for mask in (None, "lengths", "any"):
        opened = session(layer, tmp_path, mask=mask)
        for shape in ((1, 1), (2, 9), (6, 3)):
            x = vectors(*shape, FEATURES)
            assert_equal_outputs(opened.run(None, {"x": x.numpy()}), layer(x))


def test_lengths_beyond_the_end_are_an_error(tmp_path: Path) -> None:
    x = vectors(2, 3, FEATURES)
    opened = session(randomised(GRU(4), x), tmp_path, mask="lengths")
    with pytest.raises(Exception, match="sequence_lens"):
        opened.run(None, {"x": x.numpy(), "lengths": np.array([4, 1])})


@pytest.mark.parametrize("kind", KINDS)
def test_initial_states(kind: str, tmp_path: Path) -> None:
    x = vectors(ROWS, STEPS, FEATURES)
    layer = randomised(KINDS[kind](return_sequences=True, return_state=True), x)
    opened = session(layer, tmp_path, mask="any", states=True)
    given = [one.name for one in opened.get_inputs()[2:] + opened.get_overridable_initializers()]
    names = sorted((name for name in given if name.startswith("initial_")), key=lambda name: name.split("_")[1:2])
    states = [vectors(ROWS, layer.cell.state_size if isinstance(layer.cell.state_size, int) else size) * (k + 1)
              for k, size in enumerate(np.atleast_1d(layer.cell.state_size).tolist())]  # fmt: skip
    ordered = [one.name for one in opened.get_outputs()[1:]]
    assert sorted(names) == sorted(f"initial_{name}" for name in ordered)
    feed = {f"initial_{name}": state.numpy() for name, state in zip(ordered, states, strict=True)}
    got = opened.run(None, {"x": x.numpy(), "mask": ANY.numpy(), **feed})
    # The row without any step keeps its states.
    assert_equal_outputs(got, layer(x, initial_state=states, mask=ANY))
    assert_equal_outputs(opened.run(None, {"x": x.numpy()}), layer(x))
    one_row = {name: state[:1] for name, state in feed.items()}
    same = [state[:1].expand_as(state) for state in states]
    assert_equal_outputs(opened.run(None, {"x": x.numpy(), **one_row}), layer(x, initial_state=same))


def test_long_text_piece_by_piece(tmp_path: Path) -> None:
    """States that come out and go back in make pieces one sequence: what a stateful layer does."""
    x = vectors(2, 9, FEATURES)
    model = Sequential([LSTM(4, return_sequences=True, stateful=True), GRU(3, return_sequences=True, stateful=True)])
    randomised(model, x)
    opened = session(model, tmp_path, states=True)
    outputs = [one.name for one in opened.get_outputs()]
    assert outputs == ["output", "lstm_hidden_state", "lstm_cell_state", "gru_hidden_state"]
    model.reset_state()
    feed: dict[str, np.ndarray] = {}
    for piece in x.split([4, 1, 4], 1):
        output, *states = opened.run(None, {"x": piece.numpy(), **feed})
        feed = {f"initial_{name}": state for name, state in zip(outputs[1:], states, strict=True)}
        assert_equal_outputs([output], model(piece))


def test_bidirectional_states_have_directions(tmp_path: Path) -> None:
    x = vectors(2, 4, FEATURES)
    layer = randomised(Bidirectional(LSTM(4, return_state=True)), x)
    opened = session(layer, tmp_path, states=True)
    names = [one.name for one in opened.get_outputs()[1:]]
    assert names == ["forward_hidden_state", "forward_cell_state", "backward_hidden_state", "backward_cell_state"]
    states = [vectors(2, 4) * k for k in (1, 2, 3, 4)]
    feed = {f"initial_{name}": state.numpy() for name, state in zip(names, states, strict=True)}
    assert_equal_outputs(opened.run(None, {"x": x.numpy(), **feed}), layer(x, initial_state=states))


IDS = torch.tensor([[0, 5, 0, 2, 1, 0, 0], [3, 3, 3, 0, 0, 0, 0], [0] * 7, [1, 2, 3, 4, 5, 4, 3]])


def test_models_of_ids(tmp_path: Path) -> None:
    model = Sequential(
        [
            Embedding(6, 4, mask_zero=True),
            Bidirectional(LSTM(3, return_sequences=True)),
            nn.Dropout(0.5),
            TimeDistributed(nn.Linear(6, 5)),
            nn.ReLU(),
            GRU(4, return_sequences=True, go_backwards=True),
            Sequential([SimpleRNN(3, return_sequences=True), nn.Linear(3, 2, bias=False), nn.Tanh()]),
            LSTM(3, peephole=True, return_state=True),
        ]
    )
    randomised(model, IDS)
    opened = session(model, tmp_path)
    assert [(one.name, one.type, one.shape) for one in opened.get_inputs()] == [
        ("ids", "tensor(int64)", ["batch", "time"])
    ]
    assert [(one.name, one.shape) for one in opened.get_outputs()] == [
        ("output", ["batch", 3]),
        ("lstm_hidden_state", ["batch", 3]),
        ("lstm_cell_state", ["batch", 3]),
    ]
    assert_equal_outputs(opened.run(None, {"ids": IDS.numpy()}), model(IDS))
    assert operators(tmp_path) == ["LSTM", "GRU", "RNN", "LSTM"]


@pytest.mark.parametrize("mask_zero", [True, False])
def test_lengths_beside_padding(mask_zero: bool, tmp_path: Path) -> None:
    """Ids of zero within the lengths are left out too if they are padding."""
    lengths = torch.tensor([5, 7, 2, 3])
    model = Sequential(
        [Embedding(6, 4, mask_zero=mask_zero), GRU(3, return_sequences=True), nn.Linear(3, 2), nn.Softmax(-1)]
    )
    randomised(model, IDS)
    opened = session(model, tmp_path, mask="lengths")
    got = opened.run(None, {"ids": IDS.numpy(), "lengths": lengths.numpy()})
    assert_equal_outputs(got, model(IDS, lengths=lengths))


def test_single_modules(tmp_path: Path) -> None:
    embedding = Embedding(6, 4)
    got = session(embedding, tmp_path).run(None, {"ids": IDS.numpy()})
    assert_equal_outputs(got, embedding(IDS))
    linear = TimeDistributed(nn.Linear(FEATURES, 2))
    x = vectors(2, 3, FEATURES)
    assert_equal_outputs(session(linear, tmp_path).run(None, {"x": x.numpy()}), linear(x))
    model = Sequential([nn.Linear(FEATURES, 2), nn.Sigmoid()])
    assert_equal_outputs(session(model, tmp_path).run(None, {"x": x.numpy()}), model(x))


def test_ids_out_of_range_are_an_error(tmp_path: Path) -> None:
    opened = session(Embedding(6, 4), tmp_path)
    with pytest.raises(Exception, match="out of data bounds"):
        opened.run(None, {"ids": np.array([[6]])})


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_other_precisions_are_written_as_they_are(dtype: torch.dtype, tmp_path: Path) -> None:
    layer = LSTM(4, dtype=dtype, peephole=True, return_state=True)
    layer.build((None, None, FEATURES))
    export_onnx(layer, tmp_path / "model.onnx", mask="any", states=True)
    model = onnx.load(str(tmp_path / "model.onnx"))
    onnx.checker.check_model(model, full_check=True)
    kinds = {one.type.tensor_type.elem_type for one in model.graph.output}
    assert kinds == {onnx.TensorProto.DOUBLE if dtype is torch.float64 else onnx.TensorProto.FLOAT16}


class OwnCell(nn.Module):
    state_size = 2

    def forward(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return x, states


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (LSTM(4, projection_size=2), "ONNX's LSTM has no projection_size; LSTM has projection_size=2"),
        (LSTM(4, cell_clip=3.0), "has no cell_clip; LSTM has cell_clip=3.0"),
        (LSTM(4, layer_norm=True), "has no layer_norm"),
        (LSTM(4, zoneout=(0.0, 0.1)), r"has no zoneout; LSTM has zoneout=\(0.0, 0.1\)"),
        (LSTM(4, stateful=True), "LSTM is stateful, and an ONNX model keeps nothing.*states=True"),
        (GRU(4, activation="gelu"), "no activation 'gelu', as GRU has. They have: tanh, sigmoid, relu"),
        (GRU(4, recurrent_activation=torch.tanh), "no activation <built-in method tanh"),
        (Bidirectional(LSTM(4, cell_clip=3.0)), "Bidirectional has cell_clip=3.0"),
        (Sequential([LSTM(4, return_sequences=True), LSTM(4, layer_norm=True)]), "lstm_1 has layer_norm=True"),
        (Sequential([LSTM(3, return_sequences=True, return_state=True)] * 2), "Only the last layer.*and lstm does"),
        (Sequential([Bidirectional(LSTM(4, return_sequences=True), None), LSTM(4)]), "Only the last.*bidirectional"),
        (RNN(OwnCell()), "RNN runs a OwnCell; ONNX has operators for"),
        (Sequential([nn.ReLU(), LSTM(4)]), "first layer says what its input is; ReLU does not"),
        (Sequential(), "nothing to export"),
    ],
    ids=str,
)
def test_what_onnx_cannot_say_is_named(layer: Any, message: str, tmp_path: Path) -> None:
    for one in layer.modules():
        if isinstance(one, RNN) and not isinstance(one.cell, OwnCell):
            one.build((None, None, FEATURES))
    with pytest.raises(ValueError, match=message):
        export_onnx(layer, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_other_refusals(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with pytest.raises(RuntimeError, match=r"LSTM.export_onnx: this LSTM is not built"):
        export_onnx(Sequential([Embedding(3, 2), LSTM(4)]), path)
    with pytest.raises(TypeError, match=r"export_onnx cannot write Conv1d\(.*It writes Embedding, recurrent layers, "):
        export_onnx(Sequential([Embedding(3, 2), nn.Conv1d(2, 2, 1)]), path)
    with pytest.raises(TypeError, match="cannot write TimeDistributed"):
        layer = TimeDistributed(LSTM(4))
        layer.build((None, None, None, FEATURES))
        export_onnx(layer, path)
    with pytest.raises(ValueError, match="expected mask 'lengths', 'any' or None, got True"):
        export_onnx(Embedding(3, 2), path, mask=True)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one type, float16, float32 or float64; got float32, float64"):
        export_onnx(Sequential([Embedding(3, 2), nn.Linear(2, 2, dtype=torch.float64)]), path)
    with pytest.raises(ValueError, match="got bfloat16"):
        export_onnx(Embedding(3, 2, dtype="bfloat16"), path)
    with pytest.raises(ValueError, match="The weights take 2,400,000,000 bytes, more than an ONNX file holds"):
        export_onnx(nn.Linear(600_000, 1000, bias=False, device="meta"), path)


def test_a_failed_export_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"what stood here")
    layer = LSTM(4, layer_norm=True)
    layer.build((None, None, FEATURES))
    with pytest.raises(ValueError, match="layer_norm"):
        export_onnx(layer, path)
    assert path.read_bytes() == b"what stood here"
    export_onnx(Embedding(3, 2), path)
    assert onnx.load(str(path)).producer_name == "daneo"


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"needs onnx, which is not installed. Run: pip install 'daneo\[onnx\]'"):
        export_onnx(Embedding(3, 2), tmp_path / "model.onnx")
