"""Compiled passes through whole sequences against the references: every output, state and gradient, every option."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from daneo.layers.recurrences import (
    forward_buffers,
    gru_backward_kernels,
    gru_forward_kernels,
    gru_passes,
    gru_reference,
    lstm_backward_kernels,
    lstm_forward_kernels,
    lstm_passes,
    lstm_reference,
    matrix_product_kernels,
    simple_rnn_backward_kernels,
    simple_rnn_forward_kernels,
    simple_rnn_passes,
    simple_rnn_reference,
)
from daneo.layers.recurrences import recurrent_calls as compiled
from daneo.layers.recurrences.forward_buffers import run_of

from . import recurrences
from .recurrences import NUM_GATES, STATES, Call, Results, assert_same, calls

COMPILED = os.environ.get("NUMBA_DISABLE_JIT") != "1"
PASSES = {"simple_rnn": simple_rnn_passes, "gru": gru_passes, "lstm": lstm_passes}
REFERENCES = {"simple_rnn": simple_rnn_reference, "gru": gru_reference, "lstm": lstm_reference}
KERNELS = (
    *(matrix_product_kernels, simple_rnn_forward_kernels, simple_rnn_backward_kernels, gru_forward_kernels),
    *(gru_backward_kernels, lstm_forward_kernels, lstm_backward_kernels),
)
every_layer = pytest.mark.parametrize("layer", PASSES)
some = settings(deadline=None, max_examples=60 if COMPILED else 8)
few = settings(deadline=None, max_examples=20 if COMPILED else 3)
# A register has 2 to 16 numbers, a panel up to four registers, a tile up to eight rows.
SIZES: dict[str, Any] = {
    "units": [1, 3, 8, 15, 16, 17, 33, 64, 80],
    "num_rows": range(1, 13) if COMPILED else range(1, 4),
}
SMOOTH = ("tanh", "sigmoid", "linear")


@dataclass(frozen=True)
class Case:
    """A call of a recurrence, and how a compiled pass is to be given it."""

    call: Call  # with the product of what `inputs` say
    inputs: str  # "x": (B, T, D); "tokens": rows (N, D) and which of them; "product": no kernel
    x: np.ndarray
    tokens: np.ndarray | None
    kernel: np.ndarray | None
    bias: np.ndarray | None  # what is added to x @ kernel
    from_zeros: bool  # no initial states are given
    num_threads: int
    num_threads_back: int

    @property
    def settings(self) -> compiled.Call:
        """As the passes take them."""
        given = self.call.settings
        names = [given["activation"], given.get("recurrent_activation", "sigmoid")]
        variant = bool(given.get("reset_after") or given.get("coupled"))
        sequences = self.call.d_outputs is not None
        codes = map(recurrences.ACTIVATIONS.index, names)
        return compiled.Call(
            *codes, variant, given["reverse"], sequences, given["zero_output"], True, True, self.num_threads
        )

    @property
    def given(self) -> compiled.Inputs:
        """As the passes take it."""
        call, states = self.call, [None if self.from_zeros else state for state in self.call.states]
        is_gru = call.layer == "gru" and call.settings["reset_after"]
        bias, peephole = self.bias, call.weights_by_unit if call.layer == "lstm" else None
        if is_gru:
            bias = None if call.weights_by_unit is None else np.stack([self.input_bias, call.weights_by_unit])
        return compiled.Inputs(
            self.x,
            self.kernel,
            call.recurrent_kernel,
            bias,
            peephole,
            states[0],
            states[1] if len(states) > 1 else None,
            None if call.mask is None else call.mask.T,
            call.recurrent_masks,
            self.tokens,
        )

    @property
    def input_bias(self) -> np.ndarray:
        """The bias of the product; zeros where there is none."""
        return np.zeros_like(self.call.recurrent_kernel[0]) if self.bias is None else self.bias

    def astype(self, dtype: Any) -> Case:
        """The same in another precision."""
        converted = {name: None if array is None else array.astype(dtype) for name, array in self.floats.items()}
        return replace(self, call=self.call.astype(dtype), **converted)

    @property
    def floats(self) -> dict[str, np.ndarray | None]:
        return {"x": self.x, "kernel": self.kernel, "bias": self.bias}


@st.composite
def cases(draw: st.DrawFn, layer: str, **choices: Any) -> Case:
    """A case of `layer`; `choices` as `calls` has them."""
    call = draw(calls(layer, **(SIZES | choices)))
    inputs = draw(st.sampled_from(["x", "tokens", "product"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    from_zeros, has_bias = draw(st.booleans()), draw(st.booleans())
    threads = [draw(st.integers(1, 3)) for _ in range(2)]
    features = draw(st.sampled_from([1, 2, 7, 16, 19, 40]))
    return make_case(call, inputs, features, has_bias, from_zeros, *threads, rng)


def make_case(
    call: Call,
    inputs: str,
    features: int,
    has_bias: bool,
    from_zeros: bool,
    num_threads: int,
    num_threads_back: int,
    rng: np.random.Generator,
) -> Case:
    """Put together a call and what its product is made of."""
    (num_steps, size, _), dtype = call.sizes, call.product.dtype
    columns = call.product.shape[2]
    if from_zeros:
        call = replace(call, states=[np.zeros_like(state) for state in call.states])
    if call.d_outputs is not None:  # the last output has no gradient of its own then
        call = replace(call, d_last=np.zeros_like(call.d_last))
    if inputs == "product":
        x = np.ascontiguousarray(call.product.transpose(1, 0, 2))
        return Case(call, inputs, x, None, None, None, from_zeros, num_threads, num_threads_back)
    scale = dtype.type(np.abs(call.product).mean() / np.sqrt(features))
    kernel = scale * rng.standard_normal((features, columns)).astype(dtype)
    if call.layer == "gru" and call.settings["reset_after"]:
        has_bias = call.weights_by_unit is not None
    bias = scale * rng.standard_normal(columns).astype(dtype) if has_bias else None
    tokens = rng.integers(0, 5, (size, num_steps)) if inputs == "tokens" else None
    x = rng.standard_normal((size, num_steps, features) if tokens is None else (5, features)).astype(dtype)
    spread = x if tokens is None else x[tokens]
    product = spread @ kernel + (0 if bias is None else bias)
    call = replace(call, product=np.ascontiguousarray(product.transpose(1, 0, 2)))
    return Case(call, inputs, x, tokens, kernel, bias, from_zeros, num_threads, num_threads_back)


def expected(case: Case) -> Results:
    """What the reference makes of it, carried on to what the product is made of."""
    call = case.call
    made = recurrences.run(REFERENCES[call.layer], call)
    in_time = {name: np.moveaxis(made[name], 0, 1) for name in ("outputs",) if name in made}
    wanted = in_time | {name: made[name] for name in made if name.startswith(("final", "d_initial", "d_recurrent_k"))}
    if call.d_outputs is None:
        wanted["outputs"] = made["last_output"]
    if "d_peephole" in made:
        wanted["d_peephole"] = made["d_peephole"]
    d_product = np.moveaxis(made["d_product"], 0, 1)
    d_bias = np.zeros_like(case.input_bias) if case.kernel is None else d_product.sum((0, 1))
    if case.given.bias is not None:
        wanted["d_bias"] = np.stack([d_bias, made["d_recurrent_bias"]]) if case.given.bias.ndim == 2 else d_bias
    if case.kernel is None:
        return wanted | {"d_x": d_product}
    d_x = d_product @ case.kernel.T
    spread = case.x if case.tokens is None else case.x[case.tokens]
    if case.tokens is not None:
        by_row = np.zeros_like(case.x)
        np.add.at(by_row, case.tokens, d_x)
        d_x = by_row
    return wanted | {"d_x": d_x, "d_kernel": np.einsum("btd,btg->dg", spread, d_product)}


def found(case: Case) -> Results:
    """What the compiled passes make of it."""
    call, passes = case.call, PASSES[case.call.layer]
    outputs, states, saved = passes.forward(case.settings, case.given)
    made = {"outputs": outputs.copy()}
    made |= {f"final_{name}": state for name, state in zip(STATES[call.layer], states, strict=True)}
    gradients = compiled.OutputGradients(
        call.d_last if call.d_outputs is None else np.ascontiguousarray(call.d_outputs.transpose(1, 0, 2)),
        *[*call.d_states, None][:2],
    )
    settings_back = case.settings._replace(num_threads=case.num_threads_back)
    back = passes.backward(settings_back, case.given, saved, gradients, True)
    names = ("d_x", "d_kernel", "d_recurrent_kernel", "d_bias", "d_peephole", "d_initial_hidden", "d_initial_cell")
    return made | {name: array for name, array in zip(names, back, strict=True) if array is not None}


def assert_found(case: Case, tolerance: float = 1e-10) -> None:
    got, want = found(case), expected(case)
    assert got.keys() == want.keys()
    assert {array.dtype for array in got.values()} == {case.x.dtype}
    for name, array in want.items():
        assert got[name].shape == array.shape, name
    assert_same(got, want, tolerance)


# ----------------------------------------------------------------------------------------------------- every option


@every_layer
def test_every_option(layer: str) -> None:
    @some
    @given(case=cases(layer))
    def check(case: Case) -> None:
        assert_found(case)

    check()


@every_layer
def test_single_precision_loses_only_what_it_must(layer: str) -> None:
    @few
    @given(case=cases(layer, dtype=(np.float32,), activation=SMOOTH, recurrent_activation=("sigmoid",)))
    def check(case: Case) -> None:
        # Some hundred roundings, by up to 6e-8 each, of which most cancel.
        got, want = found(case), expected(case.astype(np.float64))
        assert {array.dtype for array in got.values()} == {np.dtype(np.float32)}
        assert_same(got, want, 5e-6)

    check()


@every_layer
def test_without_anything_kept_the_results_are_the_same_bits(layer: str) -> None:
    @few
    @given(case=cases(layer))
    def check(case: Case) -> None:
        passes, given = PASSES[layer], case.given
        outputs, states, _ = passes.forward(case.settings, given)
        others, other_states, _ = passes.forward(case.settings._replace(keep=False), given)
        assert_array_equal(outputs, others)
        for one, other in zip(states, other_states, strict=True):
            assert_array_equal(one, other)

    check()


@every_layer
def test_what_is_kept_are_gates_and_states(layer: str) -> None:
    @few
    @given(case=cases(layer))
    def check(case: Case) -> None:
        num_steps, size, units = case.call.sizes
        want = recurrences.run(REFERENCES[layer], case.call)
        _, _, saved = PASSES[layer].forward(case.settings, case.given)
        made = {"hidden": saved.hidden.reshape(size, num_steps + 1, -1)}
        if layer != "simple_rnn":
            gates = saved.gates.reshape(size, num_steps, NUM_GATES[layer], -1)[..., :units]
            made |= {"gates": gates.reshape(size, num_steps, -1)}
        if layer != "simple_rnn":
            name, slots = ("candidates", num_steps) if layer == "gru" else ("cells", num_steps + 1)
            made[name] = saved.more.reshape(size, slots, -1)
        got = {name: np.moveaxis(array, 0, 1)[..., : want[name].shape[2]] for name, array in made.items()}
        assert_same(got, {name: want[name] for name in got})

    check()


@every_layer
def test_the_same_call_has_the_same_bits(layer: str) -> None:
    @few
    @given(case=cases(layer))
    def check(case: Case) -> None:
        first, second = found(case), found(case)
        for name, array in first.items():
            assert_array_equal(array, second[name], name)

    check()


@every_layer
def test_what_a_masked_step_holds_makes_no_difference(layer: str) -> None:
    @few
    @given(case=cases(layer).filter(lambda case: case.call.mask is not None and case.inputs != "tokens"))
    def check(case: Case) -> None:
        assert case.call.mask is not None
        spoiled = replace(case, x=np.where(case.call.mask.T[..., None], case.x, np.nan))
        got, want = found(spoiled), found(case)
        for name, array in want.items():
            assert_array_equal(got[name], array, name)

    check()


@every_layer
def test_nothing_is_read_that_was_not_written(layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory as it comes is full of anything; here of numbers that spoil whatever they touch."""
    empty = np.empty

    def spoiled(shape: Any, dtype: Any = np.float64) -> np.ndarray:
        array = empty(shape, dtype)
        if array.dtype.kind == "f":
            array.fill(np.nan)
        return array

    @few
    @given(case=cases(layer))
    def check(case: Case) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(np, "empty", spoiled)
            patch.setattr(np, "empty_like", lambda array: spoiled(array.shape, array.dtype))
            got = found(case)
        for name, array in found(case).items():
            assert_array_equal(got[name], array, name)

    check()


# -------------------------------------------------------------------------------------------------------- large shapes

LARGE = [(1, 1100), (600, 2), (5, 330)] if COMPILED else [(1, 40), (40, 2)]  # more than products are made for at a time


@pytest.mark.parametrize("shape", LARGE, ids=str)
@pytest.mark.parametrize("inputs", ["x", "tokens"])
@every_layer
def test_many_steps_and_many_sequences(
    layer: str, inputs: str, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows than a chunk has, of the input product and of a weight's gradient."""
    if not COMPILED:
        monkeypatch.setattr(forward_buffers, "PRODUCT_ROWS", 16)
        monkeypatch.setattr(matrix_product_kernels, "CHUNK", 16)
    size, num_steps = shape
    options = ("holes", True) if layer == "gru" else ("left padding", False)
    for mask, reverse in (("none", False), options):
        case = large_case(layer, inputs, size, num_steps, mask, reverse)
        assert run_of(case.settings, case.given).chunk < num_steps or num_steps == 1
        assert_found(case, 1e-9)  # sums of up to 1650 products
        outputs, _, _ = PASSES[layer].forward(case.settings._replace(keep=False), case.given)
        assert_array_equal(outputs, PASSES[layer].forward(case.settings, case.given)[0])


def large_case(layer: str, inputs: str, size: int, num_steps: int, mask: str, reverse: bool) -> Case:
    rng, units = np.random.default_rng(size), 9
    columns = NUM_GATES[layer] * units
    chosen = {"activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True, "coupled": False}
    chosen |= {"reverse": reverse, "zero_output": False}
    by_unit = {"simple_rnn": None, "gru": rng.standard_normal(columns), "lstm": rng.standard_normal((3, units))}
    call = Call(
        layer=layer,
        product=rng.standard_normal((num_steps, size, columns)),
        states=[rng.standard_normal((size, units)) for _ in STATES[layer]],
        recurrent_kernel=rng.standard_normal((units, columns)) / 3,
        weights_by_unit=by_unit[layer],
        mask=recurrences.draw_mask(rng, mask, num_steps, size),
        recurrent_masks=None,
        d_outputs=rng.standard_normal((num_steps, size, units)) / num_steps,
        d_last=np.zeros((size, units)),
        d_states=[rng.standard_normal((size, units)) for _ in STATES[layer]],
        settings={name: chosen[name] for name in recurrences.SETTINGS[layer]},
    )
    return make_case(call, inputs, 7, True, False, 1, 2, rng)


# ------------------------------------------------------------------------------------------------- gradients not given


@every_layer
@pytest.mark.parametrize("sequences", [True, False])
def test_a_gradient_that_is_none_is_a_gradient_of_zeros(layer: str, sequences: bool) -> None:
    case = large_case(layer, "x", 3, 4, "holes", True)
    call, passes = case.settings._replace(sequences=sequences), PASSES[layer]
    gradients = [case.call.d_outputs.transpose(1, 0, 2).copy() if sequences else case.call.d_states[0]]
    gradients += [*case.call.d_states, None][:2]
    for left_out in range(1 + len(STATES[layer])):
        given = [None if n == left_out else one for n, one in enumerate(gradients)]
        zeros = [None if one is None else one * (n != left_out) for n, one in enumerate(gradients)]
        found = [
            passes.backward(call, case.given, passes.forward(call, case.given)[2], compiled.OutputGradients(*one), True)
            for one in (given, zeros)
        ]
        for one, other in zip(*found, strict=True):
            assert one is other is None or np.array_equal(one, other)


@every_layer
@pytest.mark.parametrize("inputs", ["x", "tokens"])
def test_a_gradient_of_x_is_made_only_where_it_is_wanted(layer: str, inputs: str) -> None:
    case, passes = large_case(layer, inputs, 3, 4, "holes", False), PASSES[layer]
    gradients = compiled.OutputGradients(None, case.call.d_states[0], None)
    made = [
        passes.backward(case.settings, case.given, passes.forward(case.settings, case.given)[2], gradients, wanted)
        for wanted in (True, False)
    ]
    assert made[0].x.shape == case.x.shape
    assert made[1].x is None
    for one, other in zip(made[0][1:], made[1][1:], strict=True):
        assert one is other is None or np.array_equal(one, other)


# ----------------------------------------------------------------------------------------------------- the compiler


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled")
def test_nothing_a_user_may_do_compiles_a_kernel_again() -> None:
    """A kernel takes seconds to compile: one for each precision is all that there may be, whatever comes in."""
    for layer in PASSES:
        for case in (large_case(layer, "x", 1, 1, "none", False), large_case(layer, "tokens", 3, 4, "holes", True)):
            found(case)
            found(case.astype(np.float32))
    for module in KERNELS:
        dispatchers = [one for one in vars(module).values() if hasattr(one, "py_func")]
        entries = [one for one in dispatchers if one.stats.cache_path is not None]
        assert entries
        for one in entries:
            assert len(one.signatures) <= 2, one.signatures


@pytest.mark.skipif(not COMPILED, reason="this is that run")
def test_the_same_holds_without_the_compiler() -> None:
    names = ("lanes_kernels", "matrix_product_kernels", "recurrent_steps_kernels", "recurrent_passes")
    modules = [str(Path(__file__).with_name(f"test_{name}.py")) for name in names]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *modules]
    done = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
