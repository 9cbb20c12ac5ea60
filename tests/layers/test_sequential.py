"""Sequential: the mask's way through the layers, shapes, and what torch's own modules do inside."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from daneo.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Embedding,
    Layer,
    Sequential,
    SimpleRNN,
    TimeDistributed,
    table_gradient,
)
from daneo.layers.sequential_stages import reads_rows, stages

from .keras_in_float64 import (
    assert_all_close,
    copy_to_keras,
    keras_in_float64,
    keras_weights,
    outputs_and_gradients,
    randomise,
)

IDS = torch.tensor([[5, 3, 8, 0, 0], [2, 0, 7, 6, 0], [1, 2, 3, 4, 5], [0, 0, 0, 0, 0]])


class Shift(nn.Module):
    """Ids to ids."""

    def forward(self, ids: Tensor) -> Tensor:
        return ids + 1


def tagger() -> Sequential:
    return Sequential(
        [
            Embedding(9, 4, mask_zero=True, dtype="float64"),
            Bidirectional(LSTM(3, return_sequences=True, dtype="float64")),
            nn.Dropout(0.5),
            GRU(3, return_sequences=True, dtype="float64"),
            TimeDistributed(nn.Linear(3, 2, dtype=torch.float64)),
        ]
    )


# ------------------------------------------------------------------------------------------------------------- masks


@pytest.mark.parametrize("return_sequences", [True, False])
def test_equals_keras(return_sequences: bool) -> None:
    """The mask that begins at the Embedding reaches the third layer, in Keras too."""
    options = {"return_sequences": True, "dtype": "float64"}
    last = {**options, "return_sequences": return_sequences}
    ours = Sequential(
        [
            Embedding(9, 4, mask_zero=True, dtype="float64"),
            Bidirectional(LSTM(3, **options), merge_mode="sum"),
            GRU(3, **options),
            SimpleRNN(2, **last),
        ]
    )
    ours.build((None, None))
    randomise(ours.weights, np.random.default_rng(1))
    with keras_in_float64() as keras_layers:
        theirs = [
            keras_layers.Embedding(9, 4, mask_zero=True, dtype="float64"),
            keras_layers.Bidirectional(keras_layers.LSTM(3, **options), merge_mode="sum", dtype="float64"),
            keras_layers.GRU(3, **options),
            keras_layers.SimpleRNN(2, **last),
        ]
        y = IDS
        for layer, mine in zip(theirs, ours, strict=True):
            layer.build(tuple(y.shape))
            copy_to_keras(mine.weights, layer)
            y = layer(y)
        want = outputs_and_gradients(y, [weight for layer in theirs for weight in keras_weights(layer)], 1)
    got = outputs_and_gradients(ours(IDS), ours.weights, 1)
    assert_all_close(got, want)


def test_equals_the_layers_called_one_by_one_with_the_mask() -> None:
    model = tagger().eval()
    embedding, both, _, gru, linear = model
    mask = IDS != 0
    want = linear(gru(both(embedding(IDS), mask=mask), mask=mask))
    assert torch.equal(model(IDS), want)
    assert not torch.equal(linear(gru(both(embedding(IDS)))), want)


def test_padding_changes_nothing() -> None:
    model = tagger().eval()
    torch.testing.assert_close(model(IDS)[:1, :3], model(IDS[:1, :3]), rtol=1e-12, atol=1e-12)


def test_a_mask_or_lengths_of_the_call() -> None:
    model = Sequential([Embedding(9, 4, dtype="float64"), LSTM(3, dtype="float64")])
    embedding, lstm = model
    mask = torch.tensor([[True, False, True, True, False]] * 4)
    want = lstm(embedding(IDS), mask=mask)
    for kind in (mask, mask.numpy(), mask.int(), mask.tolist()):
        assert torch.equal(model(IDS, mask=kind), want)
    assert torch.equal(model(IDS, lengths=[3, 4, 5, 0]), lstm(embedding(IDS), lengths=[3, 4, 5, 0]))
    padded = Sequential([Embedding(9, 4, mask_zero=True, dtype="float64"), lstm])
    both_masks = lstm(padded[0](IDS), mask=mask & (IDS != 0))
    assert torch.equal(padded(IDS, mask=mask), both_masks)


def test_inner_sequences_hand_masks_on() -> None:
    flat = tagger().eval()
    nested = Sequential([Sequential([flat[0]]), Sequential(flat[1:3]), *flat[3:]])
    assert torch.equal(nested(IDS), flat(IDS))
    assert torch.equal(flat.compute_mask(IDS), IDS != 0)
    assert torch.equal(nested.compute_mask(IDS), IDS != 0)
    assert Sequential([*flat[:2], LSTM(3)]).compute_mask(IDS) is None
    seen: list[int] = []
    nested[0].register_forward_hook(lambda *_: seen.append(1))
    nested(IDS)
    assert seen == [1]


def test_a_mask_may_begin_after_a_module_that_makes_ids() -> None:
    embedding, gru = Embedding(10, 4, mask_zero=True), GRU(3)
    ids = IDS - 1
    assert torch.equal(Sequential([Shift(), embedding, gru])(ids), gru(embedding(IDS), mask=IDS != 0))
    with pytest.raises(TypeError, match="inside an inner Sequential must be its first layer"):
        Sequential([Sequential([Shift(), embedding]), gru])(ids)


def test_the_mask_ends_where_the_output_has_other_steps() -> None:
    mask = torch.tensor([[True, True, False, False, True]] * 4)

    class Pool(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, ::2]

    torch.manual_seed(0)
    embedding, lstm = Embedding(10, 5), LSTM(3)
    assert torch.equal(Sequential([embedding, Pool(), lstm])(IDS, mask=mask), lstm(embedding(IDS)[:, ::2]))
    # Numbers (B, D) may have as many columns as there are steps: they are no steps.
    first = Sequential([embedding, LSTM(5)])
    assert torch.equal(Sequential([first, nn.Linear(5, 2)])[0](IDS, mask=mask), first(IDS, mask=mask))
    assert torch.equal(Sequential([Shift(), embedding, lstm])(IDS, mask=mask), lstm(embedding(IDS + 1), mask=mask))


@pytest.mark.parametrize("own_gradient", [True, False])
def test_gradients_of_each_sample(own_gradient: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if own_gradient:
        monkeypatch.setattr(table_gradient, "LARGE_TABLE", 0)
    model = Sequential([Embedding(9, 4, dtype="float64"), GRU(3, dtype="float64"), nn.Linear(3, 1).double()])
    model(IDS)
    weights = {name: weight.detach() for name, weight in model.named_parameters()}

    def loss(weights: dict[str, Tensor], ids: Tensor) -> Tensor:
        return torch.func.functional_call(model, weights, (ids[None],)).square().sum()

    got = torch.func.vmap(torch.func.grad(loss), (None, 0))(weights, IDS)
    for number, ids in enumerate(IDS):
        want = torch.func.grad(loss)(weights, ids)
        for name, gradient in got.items():
            torch.testing.assert_close(gradient[number], want[name], rtol=1e-12, atol=1e-12)


def test_compiles_without_a_break() -> None:
    model = tagger().eval()
    want = model(IDS)
    want.square().sum().backward()
    gradients = [weight.grad for weight in model.weights]
    model.zero_grad()
    got = torch.compile(model, fullgraph=True, backend="aot_eager")(IDS)
    torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-12)
    got.square().sum().backward()
    for weight, gradient in zip(model.weights, gradients, strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=1e-12, atol=1e-12)


# ---------------------------------------------------------------------------------------------------- layers and calls


@pytest.mark.parametrize("kind", [lambda ids: ids.numpy(), lambda ids: ids.tolist(), lambda ids: ids.to(torch.uint8)])
def test_ids_of_any_kind(kind: Callable[[Tensor], object]) -> None:
    model = tagger().eval()
    assert torch.equal(model(kind(IDS)), model(IDS))


@pytest.mark.parametrize("first", [nn.Linear(4, 2), LSTM(2, return_sequences=True), TimeDistributed(nn.Linear(4, 2))])
def test_arrays_of_vectors(first: nn.Module) -> None:
    model = Sequential([first, nn.Linear(2, 3)])
    x = np.random.default_rng(1).normal(size=(2, 5, 4))
    assert torch.equal(model(x), model(torch.from_numpy(x).float()))


def test_the_last_layer_may_return_states() -> None:
    model = Sequential([Embedding(9, 4), LSTM(3, return_state=True)])
    output, hidden, cell = model(IDS)
    assert torch.equal(output, hidden)
    assert torch.equal(cell, model[1](model[0](IDS))[2])
    first, second = Sequential([Embedding(9, 4), Bidirectional(LSTM(3), merge_mode=None)])(IDS)
    assert first.shape == second.shape == (4, 3)
    for layer in (LSTM(3, return_sequences=True, return_state=True), nn.LSTM(4, 3)):
        with pytest.raises(TypeError, match="Linear would get a tuple: only the last layer may return states"):
            Sequential([Embedding(9, 4), layer, nn.Linear(3, 2)])(IDS)


def test_stateful_layers_forget_together() -> None:
    model = Sequential([Embedding(9, 4), LSTM(3, stateful=True, return_sequences=True), GRU(2, stateful=True)])
    first, second = model(IDS), model(IDS)
    assert not torch.equal(first, second)
    model.reset_state()
    assert torch.equal(model(IDS), first)


def test_training_changes_every_weight() -> None:
    model = tagger()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)  # before anything is built
    model(IDS).square().sum().backward()
    before = [weight.clone() for weight in model.weights]
    optimizer.step()
    assert all(not torch.equal(weight, old) for weight, old in zip(model.weights, before, strict=True))


def test_layers_by_number() -> None:
    model = Sequential([Embedding(9, 4)])
    model.add(LSTM(3))
    model.add(nn.Linear(3, 1))
    assert [type(layer).__name__ for layer in model] == ["Embedding", "LSTM", "Linear"]
    assert model.layers == list(model)
    assert len(model) == 3
    assert model[-1] is model[2]
    assert model[:2].layers == model.layers[:2]
    assert torch.equal(model[:2](IDS), model[1](model[0](IDS)))
    with pytest.raises(IndexError, match="has 3 layers: there is no layer 3"):
        model[3]
    assert Sequential()(IDS) is IDS


def test_weights_are_those_of_the_layers() -> None:
    model = tagger()
    with pytest.raises(RuntimeError, match="Sequential.weights: this Sequential is not built"):
        model.weights  # noqa: B018
    model.build((None, None))
    assert model.built
    assert [id(weight) for weight in model.weights] == [id(weight) for layer in model for weight in layer.parameters()]
    assert model.count_params() == sum(weight.numel() for weight in model.weights) == 36 + 192 + 99 + 8
    assert list(model.state_dict())[:2] == ["0.embeddings", "1.forward_layer.cell.kernel"]


def test_a_layer_that_occurs_twice_is_built_and_counted_once() -> None:
    layer = GRU(4, return_sequences=True)
    model = Sequential([layer, layer])
    model.build((None, None, 4))
    assert len(model.weights) == 3
    x = torch.ones(2, 3, 4)
    assert torch.equal(model(x), layer(layer(x)))
    assert f"{layer.count_params()} parameters" in str(model.summary())


# ------------------------------------------------------------------------------------------------------------- shapes


def test_building_needs_no_input() -> None:
    model = tagger()
    assert model.compute_output_shape((None, None)) == (None, None, 2)
    model.build((None, None))
    assert all(layer.built for layer in model if isinstance(layer, Layer))
    assert model.compute_output_shape((4, 5)) == tuple(model(IDS).shape)
    with pytest.raises(ValueError, match=r"LSTM does not tell the shape.*tuple.*call the model on an input"):
        Sequential([nn.LSTM(4, 3), GRU(2)]).build((None, None, 4))


def test_summary_is_a_table() -> None:
    model = Sequential([Embedding(64, 100), Bidirectional(LSTM(64)), nn.Dropout(0.1), nn.Linear(128, 1)])
    model[0].requires_grad_(False)
    lines = repr(model.summary()).split("\n")
    assert [line.split() for line in lines[2:4]] == [
        ["Embedding", "?", "6,400"],
        ["Bidirectional(LSTM)", "?", "not", "built"],
    ]
    assert lines[-1] == "6,529 parameters (0.02 MiB), 129 trainable, and those of layers that are not built yet"
    model(torch.zeros(2, 5, dtype=torch.int64))
    assert str(model.summary()).split("\n") == [
        "Layer                Output shape    Parameters",
        "-----------------------------------------------",
        "Embedding            (None, 5, 100)       6,400",
        "Bidirectional(LSTM)  (None, 128)         84,480",
        "Dropout              (None, 128)              0",
        "Linear               (None, 1)              129",
        "-----------------------------------------------",
        "91,009 parameters (0.35 MiB), 84,609 trainable",
    ]
    model.build((None, None))
    assert "(None, None, 100)" in model.summary()


def test_summary_of_modules_that_do_not_tell_their_shape() -> None:
    model = Sequential([Embedding(9, 4), nn.LSTM(4, 3)])
    model(IDS)
    assert [line.split()[1] for line in model.summary().split("\n")[2:4]] == ["(None,", "?"]
    own = nn.Sequential(LSTM(3))  # built inside, at the first call
    model = Sequential([own])
    assert "not built" in model.summary()
    model(torch.ones(1, 2, 4))
    assert "not built" not in model.summary()


def test_shows_its_layers() -> None:
    model = Sequential([Sequential([Embedding(9, 4)]), nn.Linear(4, 1)])
    assert repr(model) == (
        "Sequential of 2 layers\n"
        "  0: Sequential of 1 layer\n"
        "    0: Embedding(input_dim=9, output_dim=4), 36 parameters: embeddings (9, 4)\n"
        "  1: Linear(in_features=4, out_features=1, bias=True)"
    )


# --------------------------------------------------------------------------------------------------- config and copies


class Twice(Layer):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * x

    def get_config(self) -> dict[str, object]:
        return {}

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


def test_config() -> None:
    model = Sequential(
        [
            Embedding(9, 4, mask_zero=True),
            Sequential([Bidirectional(LSTM(3, return_sequences=True)), Twice()]),
            TimeDistributed(Twice()),
            RNN([GRU(2).cell, LSTM(3).cell]),
        ]
    )
    config = json.loads(json.dumps(model.get_config()))
    again = Sequential.from_config(config, {"Twice": Twice})
    model.build((None, None))
    again.load_state_dict(model.state_dict())
    assert torch.equal(again(IDS), model(IDS))
    assert again.get_config() == config
    with pytest.raises(ValueError, match="No layer is called 'Twice': pass its class as custom_objects"):
        Sequential.from_config(config)
    with pytest.raises(TypeError, match="A Linear cannot be written down"):
        Sequential([nn.Linear(2, 2)]).get_config()


def test_copies() -> None:
    model = tagger().eval()
    unbuilt = pickle.loads(pickle.dumps(model))
    output = model(IDS)
    unbuilt.load_state_dict(model.state_dict())
    for twin in (unbuilt, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(twin(IDS), output)
        assert twin.weights[0] is not model.weights[0]
    assert model.float()(IDS).dtype == torch.float32


# ------------------------------------------------------------------------------------------------------------- stages


def test_an_embedding_and_the_layer_that_reads_its_rows_are_one_stage() -> None:
    class Own(Embedding):
        pass

    embedding = Embedding(9, 4)
    for layer in (SimpleRNN(2), GRU(2), LSTM(2), Bidirectional(LSTM(2))):
        assert reads_rows(embedding, layer)
        assert not reads_rows(layer, embedding)
        assert not reads_rows(Own(9, 4), layer)
    for layer in (
        RNN(GRU(2).cell),
        Bidirectional(RNN(GRU(2).cell)),
        nn.Linear(4, 2),
        TimeDistributed(GRU(2)),
        embedding,
    ):
        assert not reads_rows(embedding, layer)
    layers = [embedding, embedding, GRU(2), LSTM(2), embedding, nn.Linear(2, 2)]
    grouped = stages(layers)
    assert [len(stage) for stage in grouped] == [1, 2, 1, 1, 1]
    assert [layer for stage in grouped for layer in stage] == layers


# ---------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (LSTM(3), r"expected a list of layers, got LSTM: Sequential\(\[...\]\)"),
        ([LSTM], r"expected layers, got <class .*LSTM'>. Write LSTM\(...\)."),
        ([LSTM(3), None], "expected layers, got None"),
        ([LSTM(3), torch.tanh], "expected layers, got <built-in"),
    ],
)
def test_what_is_no_layer(layers: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Sequential(layers)


def test_wrong_calls() -> None:
    model = Sequential([Embedding(9, 4), LSTM(3)])
    with pytest.raises(IndexError, match="no row 9"):
        model([[9]])
    with pytest.raises(TypeError, match="expected integer ids, got float32"):
        model(torch.ones(1, 2))
    with pytest.raises(ValueError, match=r"Sequential expected a mask of shape \(B, T\) = \(4, 5\), got \(4, 4\)"):
        model(IDS, mask=torch.ones(4, 4, dtype=torch.bool))
    with pytest.raises(ValueError, match="Sequential got a mask and lengths"):
        model(IDS, mask=IDS != 0, lengths=[1, 2, 3, 4])
    with pytest.raises(ValueError, match=r"LSTM expected x of shape \(B, T, D\), got \(5, 4\)"):
        Sequential([Embedding(9, 4), LSTM(3)])(IDS[0])
