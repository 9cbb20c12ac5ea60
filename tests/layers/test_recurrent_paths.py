"""Which code runs a recurrent layer, and that it makes no difference to anything but time."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import warnings
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn.utils import parametrizations, parametrize, prune

from daneo import layers
from daneo.layers import cudnn_run, recurrent_operator
from daneo.layers.looked_up import LookedUp
from daneo.layers.recurrent_paths import Path, path_of

from .recurrent_options import (
    KINDS,
    OPTIONS,
    B,
    D,
    T,
    U,
    assert_as_plain,
    assert_close,
    counted,
    every_option,
    layer_of,
    numbers,
    plain_loop,
    states_of,
    tensors,
    with_gradients,
)

SOME = ["SimpleRNN", "GRU", "GRU, reset before", "LSTM, peephole", "LSTM, peephole, dropout"]
some_options = pytest.mark.parametrize("option", SOME)


@pytest.fixture(autouse=True)
def same_numbers() -> None:
    torch.manual_seed(0)


# --------------------------------------------------------------------------------------------------- what explain says


@every_option
def test_every_option_is_compiled(option: str) -> None:
    kind, chosen = OPTIONS[option]
    for dtype in (torch.float32, torch.float64):
        layer = kind(U, dtype=dtype, **chosen)
        layer.build((None, None, D))
        text = f"compiled: kernels for the CPU, in {str(dtype).removeprefix('torch.')}"
        assert str(layer.explain()) == str(layer.explain(torch.zeros(B, T, D, dtype=dtype))) == text


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (layers.LSTM(U, layer_norm=True), "layer_norm has no kernel"),
        (layers.LSTM(U, zoneout=(0.0, 0.1)), "zoneout has no kernel"),
        (layers.LSTM(U, projection_size=2), "projection_size has no kernel"),
        (layers.LSTM(U, cell_clip=0.5), "cell_clip has no kernel"),
        (layers.GRU(U, activation="softplus"), "activation softplus has no kernel"),
        (layers.GRU(U, recurrent_activation=torch.erf), "activation function has no kernel"),
        (layers.SimpleRNN(U, activation="softsign"), "activation softsign has no kernel"),
    ],
    ids=repr,
)
def test_settings_without_a_kernel_take_the_loop(layer: Any, reason: str) -> None:
    assert str(layer.explain()) == f"plain: {reason}"
    with counted() as calls:
        layer(torch.zeros(B, T, D))
    assert not calls


@pytest.mark.parametrize("settings", [{"zoneout": 0.0}, {"zoneout": (0.0, 0.0)}, {"activation": None}, {}], ids=str)
def test_settings_that_change_nothing_are_compiled(settings: dict[str, Any]) -> None:
    assert layers.LSTM(U, **settings).explain().name == "compiled"


def test_a_cell_of_ones_own_takes_the_loop() -> None:
    class Mine(layers.LSTMCell):
        pass

    layer = layers.LSTM(U)
    layer.cell = Mine(U)
    layer.build((None, None, D))
    assert str(layer.explain()) == "plain: Mine is not one of daneo's cells"


def test_inputs_that_take_the_loop() -> None:
    layer = layers.LSTM(U)
    layer.build((None, None, D))
    x = torch.zeros(B, T, D)
    assert str(layer.explain(x[:0])) == "plain: there are no sequences"
    assert str(layer.explain(x.to("meta"))) == "plain: there are no kernels for device meta"
    assert str(layer.explain(x.to(torch.complex64))) == "plain: there are no kernels for complex64"
    half = "compiled: kernels for the CPU, in float32, from and to bfloat16"
    assert str(layer.explain(x.bfloat16())) == half
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert str(layer.explain(x)) == "plain: autocast chooses the precision of every operation by itself"

    class Other(Tensor):
        pass

    assert layer.explain(x.as_subclass(Other)).reason.endswith("tensors of other classes need PyTorch's operations")
    assert layer.explain(torch.nn.Parameter(x)).name == "compiled"


@pytest.mark.parametrize(
    ("option", "masked", "name", "reason"),
    [
        ("LSTM", False, "cudnn", "settings that cuDNN knows, and no mask"),
        ("GRU", False, "cudnn", "settings that cuDNN knows, and no mask"),
        ("SimpleRNN", False, "cudnn", "settings that cuDNN knows, and no mask"),
        ("LSTM", True, "plain", "cuDNN knows no masks such as these"),
        ("LSTM, peephole", False, "plain", "cuDNN knows no peepholes"),
        ("LSTM, coupled", False, "plain", "cuDNN knows no coupled gates"),
        ("LSTM, others", False, "plain", "cuDNN knows no other activations than tanh and sigmoid"),
        ("GRU, reset before", False, "plain", "cuDNN knows no reset_after=False"),
        ("GRU, dropout", False, "plain", "cuDNN knows no dropout between steps"),
    ],
)
def test_what_would_run_on_a_gpu(option: str, masked: bool, name: str, reason: str) -> None:
    assert on_gpu(option, masked) == (name, reason)


# ------------------------------------------------------------------------------------------------ cuDNN's own operators


class OnGPU(LookedUp):
    """Rows that say that they are on a GPU, of which there may be none."""

    def __init__(self, rows: Tensor) -> None:
        super().__init__(rows[0], torch.zeros(rows.shape[:2]))
        self.device = torch.device("cuda")


def on_gpu(option: str, masked: bool = False) -> Path:
    """What explain() would say of a tensor on a GPU."""
    layer, config = layer_of(option), OPTIONS[option][1]
    dropped, peephole = bool(config.get("recurrent_dropout")), bool(config.get("peephole"))
    return path_of(layer.plan(), OnGPU(torch.zeros(B, T, D)), masked, dropped, peephole)


CUDNN = [option for option in OPTIONS if on_gpu(option).name == "cudnn" and "dropout" not in option]


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("option", CUDNN)
def test_cudnn_would_compute_the_same(option: str, sequences: bool) -> None:
    """PyTorch's operators, which run on a CPU too, in the place of the kernels: outputs, states, all gradients."""
    layer = layer_of(option, return_sequences=sequences)
    plan, cell = layer.plan(), layer.cell
    for given_states in ([None, None], [*states_of(layer), None][:2]):
        leaves = [one for one in (numbers(1, B, T, D), *given_states) if one is not None]
        x, *states = [one.requires_grad_() for one in leaves]
        given = (x, cell.kernel, cell.recurrent_kernel, cell.bias, None, *[*states, None, None][:2], None, None, None)
        wanted = [x, *states, *layer.weights]
        got = with_gradients(lambda given=given: cudnn_run.run(plan, given), wanted)
        assert_close(got, with_gradients(lambda given=given: recurrent_operator.run(plan, cell, given), wanted))


def test_cudnn_is_told_to_keep_what_gradients_need(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, told = layer_of("LSTM"), []
    lstm = torch.lstm

    def spy(*arguments: Any) -> Any:
        told.append(arguments[6])
        return lstm(*arguments)

    monkeypatch.setattr(torch, "lstm", spy)
    cell = layer.cell
    given = (numbers(1, B, T, D), cell.kernel, cell.recurrent_kernel, cell.bias, *[None] * 6)
    for mode in (torch.enable_grad, torch.no_grad):
        with mode():
            cudnn_run.run(layer.plan(), given)
    assert told == [True, False]


def test_transforms_and_empty_batches_are_not_for_cudnn() -> None:
    plan = layer_of("LSTM").plan()
    assert path_of(plan, OnGPU(torch.zeros(B, T, D)), False, False, False).name == "cudnn"
    nobody = OnGPU(torch.zeros(B, T, D))
    nobody.shape = torch.Size((0, T, D))
    assert path_of(plan, nobody, False, False, False) == ("plain", "there are no sequences")
    with forward_ad.dual_level():
        assert path_of(plan, OnGPU(torch.zeros(B, T, D)), False, False, False).name == "plain"


def test_cudnn_is_tried_with_every_kind() -> None:
    assert {OPTIONS[option][0] for option in CUDNN} == {layers.SimpleRNN, layers.GRU, layers.LSTM}
    assert any("no bias" in option for option in CUDNN)
    assert any("backwards" in option for option in CUDNN)


# ------------------------------------------------------------------------------------------------ how tensors lie about


def lying_about() -> dict[str, Tensor]:
    x = numbers(3, B, T, D)
    complex_numbers = torch.view_as_complex(torch.stack([x, -x], -1))
    return {
        "steps first": x.transpose(0, 1).contiguous().transpose(0, 1),
        "every other": numbers(3, 2 * B, 2 * T, 2 * D)[::2, 1::2, ::2],
        "one sequence, expanded": x[:1].expand(B, T, D),
        "one step, expanded": x[:, :1].expand(B, T, D),
        "one number, expanded": x[:1, :1, :1].expand(B, T, D),
        "overlapping": torch.as_strided(numbers(3, 100), (B, T, D), (1, 1, 2)),
        "a minus put off": complex_numbers.conj().imag,
        "an inner offset": numbers(3, B + 1, T, D)[1:],
    }


@pytest.mark.parametrize("how", lying_about())
@some_options
def test_inputs_however_they_lie_in_memory(option: str, how: str) -> None:
    layer, x = layer_of(option), lying_about()[how]
    with torch.no_grad():
        torch.manual_seed(1)
        want = layer(x.clone())
        torch.manual_seed(1)
        got = layer(x)
    assert all(torch.equal(one, other) for one, other in zip(got, want, strict=True))


@some_options
def test_weights_states_and_masks_however_they_lie_in_memory(option: str) -> None:
    layer, x = layer_of(option), numbers(1, B, T, D).requires_grad_()
    for weight in layer.weights:
        weight.data = weight.data.mT.contiguous().mT if weight.ndim == 2 else weight.data[None].expand(2, -1)[1]
    one = numbers(2, 1, U).requires_grad_()
    states = [one.expand(B, U) for _ in states_of(layer)]
    mask = torch.tensor([[True, False, True]]).T.expand(B, T)
    assert_as_plain(layer, lambda: layer(x, states, mask), [x, one, *layer.weights])
    assert_as_plain(layer, lambda: layer(x, states, mask[:, :1].expand(B, T)), [x, one, *layer.weights])


@some_options
def test_gradients_however_they_lie_in_memory(option: str) -> None:
    layer, x = layer_of(option), numbers(1, B, T, D).requires_grad_()
    weighing = numbers(2, B, T, U)

    def gradients(weights: Tensor) -> Any:
        torch.manual_seed(1)
        return torch.autograd.grad(layer(x)[0], [x, *layer.weights], weights)

    for weights in (weighing[:1, :1, :1].expand(B, T, U), weighing.transpose(0, 1).contiguous().transpose(0, 1)):
        got, want = gradients(weights), gradients(weights.clone(memory_format=torch.contiguous_format))
        assert all(torch.equal(one, other) for one, other in zip(got, want, strict=True))


@KINDS
def test_shapes_at_the_edge(kind: Any) -> None:
    layer = kind(U, return_sequences=True, return_state=True, dtype="float64")
    layer.build((None, None, D))
    x = numbers(1, 1, 1, D).requires_grad_()
    assert_as_plain(layer, lambda: layer(x), [x, *layer.weights])
    assert_as_plain(layer, lambda: layer(x, mask=torch.tensor([[False]])), [x, *layer.weights])
    nobody = torch.zeros(0, T, D, dtype=torch.float64, requires_grad=True)
    outputs, *states = layer(nobody)
    assert outputs.shape == (0, T, U)
    assert {state.shape for state in states} == {(0, U)}
    outputs.sum().backward()
    assert nobody.grad is not None
    assert all(not weight.grad.any() for weight in layer.weights)
    with pytest.raises(ValueError, match="at least one step"):
        layer(x[:, :0])


# ------------------------------------------------------------------------------------------------------------ precision


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@some_options
def test_half_precision_is_computed_in_float32(option: str, dtype: torch.dtype) -> None:
    """Results, and gradients, are those of float32 with the same numbers, rounded once."""
    layer = layer_of(option).to(dtype)
    x = numbers(1, B, T, D).to(dtype).requires_grad_()
    wide, wide_x = copy.deepcopy(layer).float(), x.detach().float().requires_grad_()
    got = with_gradients(lambda: layer(x), [x, *layer.weights])
    want = with_gradients(lambda: wide(wide_x), [wide_x, *wide.weights])
    assert {one.dtype for one in got} == {dtype}
    number = len(tensors(layer(x)))
    if "dropout" not in option:  # whose product is made gate by gate, in half precision
        assert all(torch.equal(one, other.to(dtype)) for one, other in zip(got[:number], want[:number], strict=True))
    # The weighing of the results is rounded to half precision, too.
    for one, other in zip(got, want, strict=True):
        bound = 20 * torch.finfo(dtype).eps * max(1.0, float(other.abs().max()))
        torch.testing.assert_close(one.float(), other, rtol=0, atol=bound)


@KINDS
def test_float32_is_close_to_float64(kind: Any) -> None:
    layer = kind(70, return_sequences=True, dtype="float64")
    x = numbers(1, 9, 30, 20).requires_grad_()
    layer(x)
    single = copy.deepcopy(layer).float()
    single_x = x.detach().float().requires_grad_()
    got = with_gradients(lambda: single(single_x), [single_x, *single.weights])
    want = with_gradients(lambda: layer(x), [x, *layer.weights])
    assert_close([one.double() for one in got], want, 3e-6)


# ------------------------------------------------------------------------------------------------ transforms of PyTorch


@some_options
def test_transforms_take_the_loop_and_agree(option: str) -> None:
    layer = layer_of(option, return_sequences=False, return_state=False).eval()
    x = numbers(1, B, T, D)
    loss = lambda one: layer(one[None]).sin().sum()  # noqa: E731
    inputs = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(layer(inputs).sin().sum(), inputs)
    torch.testing.assert_close(torch.vmap(layer)(x[:, None])[:, 0], layer(x), rtol=0, atol=1e-12)
    torch.testing.assert_close(torch.vmap(torch.func.grad(loss))(x), gradient, rtol=0, atol=1e-12)
    tangent = numbers(2, B, T, D)
    along = (gradient * tangent).sum((1, 2))
    total = lambda one: layer(one).sin().sum(1)  # noqa: E731
    torch.testing.assert_close(torch.func.jvp(total, (x,), (tangent,))[1], along, rtol=0, atol=1e-12)
    for grad_mode in (torch.enable_grad(), torch.no_grad()):
        with grad_mode, forward_ad.dual_level():
            assert layer.explain(x).name == "plain"
            found = forward_ad.unpack_dual(total(forward_ad.make_dual(x, tangent))).tangent
            torch.testing.assert_close(found, along, rtol=0, atol=1e-12)
    assert layer.explain(x).name == "compiled"


def test_recorded_operations_take_the_loop() -> None:
    layer = layers.LSTM(U)
    x = torch.randn(B, T, D)
    layer(x)
    with counted() as calls, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scripts are on their way out
        recorded = torch.jit.trace(layer, (x,), check_trace=False)
        assert not calls
    torch.testing.assert_close(recorded(x), layer(x), rtol=0, atol=1e-6)


# -------------------------------------------------------------------------------------------- weights that are computed


class Halved(torch.nn.Module):
    """A parametrization."""

    def forward(self, weight: Tensor) -> Tensor:
        return weight / 2


@pytest.mark.parametrize("called_before", [True, False])
@KINDS
def test_parametrized_weights_are_learned_through_kernels(kind: Any, called_before: bool) -> None:
    layer, x = kind(U, dtype="float64", return_sequences=True), numbers(1, B, T, D).requires_grad_()
    layer.build((None, None, D))
    if called_before:
        layer(x)
    parametrize.register_parametrization(layer.cell, "recurrent_kernel", Halved())
    parametrize.register_parametrization(layer.cell, "bias", Halved())
    leaves = [x, *layer.parameters()]
    assert layer.explain(x).name == "compiled"
    assert_as_plain(layer, lambda: layer(x), leaves)

    def twice() -> list[Tensor]:
        gradients = torch.autograd.grad(layer(x).sum(), leaves, create_graph=True)
        return list(torch.autograd.grad(torch.stack([one.square().sum() for one in gradients]).sum(), leaves))

    got = twice()
    with plain_loop():
        assert_close(got, twice())


def test_a_weight_of_a_norm_of_its_own() -> None:
    layer, x = layers.LSTM(U, dtype="float64", peephole=True), numbers(1, B, T, D)
    layer.build((None, None, D))
    parametrizations.weight_norm(layer.cell, "recurrent_kernel")
    assert_as_plain(layer, lambda: layer(x), list(layer.parameters()))


def test_pruned_weights() -> None:
    layer, x = layers.GRU(U), torch.randn(B, T, D)
    layer(x)
    prune.random_unstructured(layer.cell, "recurrent_kernel", 0.5)
    pruned = layer(x)
    with plain_loop():
        torch.testing.assert_close(pruned, layer(x), rtol=0, atol=1e-6)
    pruned.sum().backward()
    assert not layer.cell.recurrent_kernel_orig.grad[layer.cell.recurrent_kernel_mask == 0].any()


# ---------------------------------------------------------------------------------------------- memory, copies, threads


@KINDS
def test_a_training_step_leaves_nothing_behind(kind: Any) -> None:
    """What a step used goes as soon as nobody holds it, without the help of the garbage collector."""
    layer, x = kind(U, return_sequences=True, return_state=True), torch.randn(B, T, D, requires_grad=True)
    layer(x)
    gc.collect()
    gc.disable()
    try:
        for backward in (False, True):
            results = layer(x)
            held = [weakref.ref(one) for one in (*results, results[0].grad_fn)]
            if backward:
                results[0].sum().backward()
            del results
            assert all(one() is None for one in held)
    finally:
        gc.enable()


@KINDS
def test_what_is_kept_goes_with_the_backward_pass(kind: Any) -> None:
    layer, x = kind(U, return_sequences=True), torch.randn(B, T, D)
    output = layer(x)
    assert sum(one.numel() for one in output.grad_fn.saved_tensors if one is not None) > B * T * U
    output.sum().backward()
    with pytest.raises(RuntimeError, match="after they have already been freed"):
        output.grad_fn.saved_tensors  # noqa: B018


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@some_options
def test_without_gradients_the_results_are_the_same(option: str, mode: Any) -> None:
    layer, x = layer_of(option).eval(), numbers(1, B, T, D)
    want = layer(x)
    with mode():
        got = layer(x)
    assert all(one.requires_grad for one in want)
    assert not any(one.requires_grad for one in got)
    assert all(torch.equal(one, other) for one, other in zip(got, want, strict=True))
    if mode is torch.inference_mode:  # states made there may begin what is learned from
        outputs, *_ = layer(x, [one.clone() for one in got[1:]])
        outputs.sum().backward()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
@some_options
def test_copies_of_a_layer_that_has_run(option: str, duplicate: Any) -> None:
    layer, x = layer_of(option).eval(), numbers(1, B, T, D)
    layer(x)[0].sum().backward()
    twin = duplicate(layer)
    with counted() as calls:
        got = twin(x)
    assert calls
    assert all(torch.equal(one, other) for one, other in zip(got, layer(x), strict=True))
    twin.cell.kernel.data.zero_()
    assert not torch.equal(twin(x)[0], layer(x)[0])


@pytest.mark.parametrize("num_threads", [1, 2])
def test_layers_called_by_several_threads_at_once(num_threads: int) -> None:
    threads_before = torch.get_num_threads()
    layer = layers.LSTM(40, return_sequences=True)
    inputs = [torch.randn(6, 30, 20) for _ in range(4)]
    layer(inputs[0])

    def results(x: Tensor) -> list[Tensor]:
        return with_gradients(lambda: layer(x), layer.weights)

    found: dict[int, list[list[Tensor]]] = {}
    torch.set_num_threads(num_threads)
    try:
        want = [results(x) for x in inputs]

        def work(number: int) -> None:
            torch.set_num_threads(num_threads)
            found[number] = [results(inputs[number]) for _ in range(5)]

        threads = [threading.Thread(target=work, args=(number,)) for number in range(len(inputs))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        torch.set_num_threads(threads_before)
    for number, expected in enumerate(want):
        for got in found[number]:
            assert all(torch.equal(one, other) for one, other in zip(got, expected, strict=True))


def test_distinct_rows_are_those_that_are_looked_up() -> None:
    rows, tokens = numbers(1, 5, D), torch.tensor([[0, 4, 4], [2, 0, 1]])
    looked_up = LookedUp(rows, tokens)
    assert torch.equal(looked_up.spread(), rows[tokens])
    assert looked_up.shape == (2, 3, D)
    assert (len(looked_up), looked_up.ndim, looked_up.dtype) == (2, 3, torch.float64)
    assert looked_up.is_floating_point()
