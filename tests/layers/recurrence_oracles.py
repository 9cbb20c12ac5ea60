"""What other programs make of a call of a recurrence: torch.nn, Keras on its torch backend, ONNX Runtime, autograd.

They get an identity for the kernel, so that their input is the product and its gradient is the product's. All results
are time first, as the references have them; each oracle returns what it knows, by the names of `recurrences.run`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch

from .recurrences import STATES, Call, Results, gradient_names

TORCH_ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "linear": lambda x: x,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": lambda x: torch.nn.functional.relu6(x + 3) / 6,
}


def leaf(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array, requires_grad=True)


def results(call: Call, outputs: torch.Tensor, last: torch.Tensor, final: Any, leaves: list[torch.Tensor]) -> Results:
    """Outputs (T, B, U), the last of them, final states and, by `leaves` in the order of their names, all gradients."""
    shown = [] if call.d_outputs is None else [(outputs, call.d_outputs)]
    pairs = [*shown, (last, call.d_last), *zip(final, call.d_states, strict=True)]
    loss = torch.stack([(tensor * torch.tensor(gradient)).sum() for tensor, gradient in pairs]).sum()
    gradients = torch.autograd.grad(loss, leaves, materialize_grads=True)
    tensors = {"last_output": last} | {f"final_{name}": t for name, t in zip(STATES[call.layer], final, strict=True)}
    tensors |= {"outputs": outputs} if shown else {}
    tensors |= dict(zip(gradient_names(call.layer), gradients, strict=False))
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


def autograd_loop(call: Call) -> Results:
    """One torch operation after the other, every option included; also the gates and the states of each step."""
    num_steps, num_rows, units = call.sizes
    product, kernel, states = leaf(call.product), leaf(call.recurrent_kernel), [leaf(state) for state in call.states]
    by_unit = [] if call.weights_by_unit is None else [leaf(call.weights_by_unit)]
    used = torch.ones(num_steps, num_rows, dtype=torch.bool) if call.mask is None else torch.tensor(call.mask)
    step = {"simple_rnn": simple_rnn_step, "gru": gru_step, "lstm": lstm_step}[call.layer]
    output, current, seen = torch.zeros(num_rows, units, dtype=product.dtype), states, [None] * num_steps
    for t in reversed(range(num_steps)) if call.settings["reverse"] else range(num_steps):
        new, inner = step(call, product[t], current, kernel, by_unit)
        use = used[t, :, None]
        current = [torch.where(use, after, before) for after, before in zip(new, current, strict=True)]
        output = torch.where(use, new[0], 0 * output if call.settings["zero_output"] else output)
        seen[t] = output, *current, *(torch.where(use, tensor, 0) for tensor in inner)
    outputs, *history = (torch.stack(tensors) for tensors in zip(*seen, strict=True))
    found = results(call, outputs, output, current, [product, *states, kernel, *by_unit])
    slots = slice(None, -1) if call.settings["reverse"] else slice(1, None)
    for name, initial, tensor in zip(("hidden", "cells"), call.states, history, strict=False):
        found[name] = np.empty((num_steps + 1, num_rows, units))
        found[name][-1 if call.settings["reverse"] else 0], found[name][slots] = initial, tensor.detach().numpy()
    for name, tensor in zip(("gates", "candidates"), history[len(states) :], strict=False):
        found[name] = tensor.detach().numpy()
    return found


def recurrent_products(call: Call, state: torch.Tensor, kernel: torch.Tensor) -> list[torch.Tensor]:
    """The state, with units dropped, times each gate's block of the recurrent kernel."""
    blocks = kernel.split(len(kernel), dim=1)
    dropped = np.ones((len(blocks), 1, 1)) if call.recurrent_masks is None else call.recurrent_masks
    return [(state * torch.tensor(keep)) @ block for keep, block in zip(dropped, blocks, strict=True)]


def simple_rnn_step(
    call: Call, product: torch.Tensor, states: list[torch.Tensor], kernel: torch.Tensor, by_unit: list[torch.Tensor]
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """The states after a step, and its gates; for a GRU also what the reset gate makes of the state, or gets."""
    (recurrent,) = recurrent_products(call, states[0], kernel)
    new = TORCH_ACTIVATIONS[call.settings["activation"]](product + recurrent)
    return [new], [new]


def gru_step(
    call: Call, product: torch.Tensor, states: list[torch.Tensor], kernel: torch.Tensor, by_unit: list[torch.Tensor]
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Likewise; there is a recurrent bias only if the reset comes after the product."""
    act, gate = (TORCH_ACTIVATIONS[call.settings[name]] for name in ("activation", "recurrent_activation"))
    (h,), inputs = states, product.chunk(3, dim=1)
    keep = 1 if call.recurrent_masks is None else torch.tensor(call.recurrent_masks[2])
    biases = by_unit[0].chunk(3) if by_unit else [torch.zeros(())] * 3
    recurrent = [part + bias for part, bias in zip(recurrent_products(call, h, kernel), biases, strict=True)]
    update, reset = gate(inputs[0] + recurrent[0]), gate(inputs[1] + recurrent[1])
    if call.settings["reset_after"]:
        candidate, inner = recurrent[2], reset * recurrent[2]
    else:
        candidate, inner = reset * h * keep, recurrent_products(call, reset * h, kernel)[2]
    new = act(inputs[2] + inner)
    return [update * h + (1 - update) * new], [torch.cat([update, reset, new], dim=1), candidate]


def lstm_step(
    call: Call, product: torch.Tensor, states: list[torch.Tensor], kernel: torch.Tensor, by_unit: list[torch.Tensor]
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Likewise."""
    act, gate = (TORCH_ACTIVATIONS[call.settings[name]] for name in ("activation", "recurrent_activation"))
    h, c = states
    sums = [a + b for a, b in zip(product.chunk(4, dim=1), recurrent_products(call, h, kernel), strict=True)]
    peephole = by_unit[0] if by_unit else torch.zeros(3, 1)
    write = gate(sums[0] + peephole[0] * c)
    forget = 1 - write if call.settings["coupled"] else gate(sums[1] + peephole[1] * c)
    candidate = act(sums[2])
    new_c = forget * c + write * candidate
    show = gate(sums[3] + peephole[2] * new_c)
    return [show * act(new_c), new_c], [torch.cat([write, forget, candidate, show], dim=1)]


def torch_module(call: Call) -> Results:
    """torch.nn.RNN, GRU or LSTM; a right padding without empty rows becomes a packed sequence, and shows zeros."""
    num_steps, _, units = call.sizes
    reverse = call.settings["reverse"]
    order = [1, 0, 2] if call.layer == "gru" else range(len(call.recurrent_kernel.T) // units)  # torch's gates: r, z, n
    columns = np.concatenate([np.arange(gate * units, (gate + 1) * units) for gate in order])
    make = {"simple_rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[call.layer]
    options = {"nonlinearity": call.settings["activation"]} if call.layer == "simple_rnn" else {}
    # There is no layer that only runs backwards, so the reversed half of a bidirectional one stands in for it.
    module = make(len(columns), units, bidirectional=reverse, dtype=torch.float64, **options)
    weights = {name: getattr(module, name + "_l0" + reverse * "_reverse") for name in ("weight_ih", "weight_hh")}
    bias, recurrent_bias = (getattr(module, name + "_l0" + reverse * "_reverse") for name in ("bias_ih", "bias_hh"))
    with torch.no_grad():
        weights["weight_ih"].copy_(torch.eye(len(columns))[columns])
        weights["weight_hh"].copy_(torch.tensor(call.recurrent_kernel.T[columns]))
        bias.zero_()
        recurrent_bias.zero_()
        if call.weights_by_unit is not None:
            recurrent_bias.copy_(torch.tensor(call.weights_by_unit[columns]))
    product, states = leaf(call.product), [leaf(state) for state in call.states]
    given = tuple(state.expand(1 + reverse, -1, -1).contiguous() for state in states)
    packed = torch.nn.utils.rnn.pack_padded_sequence(product, torch.tensor(call.lengths), enforce_sorted=False)
    padded = product if call.mask is None else packed
    outputs, final = module(padded, given if call.layer == "lstm" else given[0])
    if call.mask is not None:
        outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(outputs, total_length=num_steps)
    outputs, final = outputs[..., -units:], [state[-1] for state in (final if call.layer == "lstm" else [final])]
    last = outputs[0 if reverse else -1]
    by_unit = [recurrent_bias] if call.weights_by_unit is not None else []
    found = results(call, outputs, last, final, [product, *states, weights["weight_hh"], *by_unit])
    back = np.argsort(columns)
    found["d_recurrent_kernel"] = found["d_recurrent_kernel"][back].T
    if by_unit:
        found["d_recurrent_bias"] = found["d_recurrent_bias"][back]
    return found


def keras_tolerance(call: Call) -> float:
    """torch's hardsigmoid, which Keras takes, has 1/6 rounded to float32 for its derivative, also in float64."""
    return 1e-6 if "hard_sigmoid" in call.settings.values() else 1e-10


def keras_layer(call: Call) -> Results:
    """Keras's SimpleRNN, GRU or LSTM on torch, with the call's dropout masks in place of ones that it draws."""
    layers = pytest.importorskip("keras").layers
    promotion = importlib.import_module("keras.src.backend.common.dtypes")
    num_steps, num_rows, units = call.sizes
    num_gates = call.product.shape[2] // units
    recurrent_bias = call.layer == "gru" and call.weights_by_unit is not None
    make = {"simple_rnn": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}[call.layer]
    names = {"reverse": "go_backwards", "zero_output": "zero_output_for_mask"}
    layer = make(
        units,
        return_sequences=True,
        return_state=True,
        use_bias=recurrent_bias,
        recurrent_dropout=0.0 if call.recurrent_masks is None else 0.3,
        dtype="float64",
        **{names.get(name, name): value for name, value in call.settings.items() if name != "coupled"},
    )
    layer.build((num_rows, num_steps, num_gates * units))
    biases = [np.stack([np.zeros(3 * units), call.weights_by_unit])] if recurrent_bias else []
    layer.set_weights([np.eye(num_gates * units), call.recurrent_kernel, *biases])
    if call.recurrent_masks is not None:
        masks = [torch.tensor(keep) for keep in call.recurrent_masks]
        layer.cell.get_recurrent_dropout_mask = lambda state: masks if num_gates > 1 else masks[0]
    product, states = leaf(call.product), [leaf(state) for state in call.states]
    mask = None if call.mask is None else torch.tensor(call.mask.T)
    # Outside of TensorFlow, Keras multiplies matrices of float64 in float32, layers of dtype float64 included.
    with mock.patch.dict(promotion.BIT64_TO_BIT32_DTYPE, float64="float64"):
        outputs, *final = layer(product.transpose(0, 1), initial_state=states, mask=mask, training=True)
    outputs = outputs.transpose(0, 1)
    leaves = [product, *states, *(variable.value for variable in layer.trainable_variables[1:])]
    # Keras shows the outputs in the order in which it made them.
    in_time = outputs.flip(0) if call.settings["reverse"] else outputs
    found = results(call, in_time, outputs[-1], final, leaves)
    if recurrent_bias:
        found["d_recurrent_bias"] = found["d_recurrent_bias"][1]
    return found


def onnx_lstm(call: Call) -> Results:
    """ONNX Runtime's LSTM, in float32, with peepholes and coupled gates; it shows zeros in a right padding."""
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    units = len(call.recurrent_kernel)
    names = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu"}
    act, gate = (names[call.settings[name]] for name in ("activation", "recurrent_activation"))

    def by_gate(weights: np.ndarray) -> np.ndarray:
        """(N, 4U) -> (1, 4U, N) with the gates in the order i, o, f, g."""
        return np.concatenate([np.split(weights.T, 4)[gate] for gate in (0, 3, 1, 2)])[None]

    inputs = {
        "X": call.product,
        "W": by_gate(np.eye(4 * units)),
        "R": by_gate(call.recurrent_kernel),
        "": None,
        "sequence_lens": call.lengths.astype(np.int32),
        "initial_h": call.states[0][None],
        "initial_c": call.states[1][None],
    }
    if call.weights_by_unit is not None:
        inputs["P"] = call.weights_by_unit[[0, 2, 1]].reshape(1, -1)
    node = onnx.helper.make_node(
        "LSTM",
        list(inputs),
        ["outputs", "final_hidden", "final_cell"],
        direction="reverse" if call.settings["reverse"] else "forward",
        activations=[gate, act, act],
        hidden_size=units,
        input_forget=int(call.settings["coupled"]),
    )
    given = {
        name: array if name == "sequence_lens" else array.astype(np.float32)
        for name, array in inputs.items()
        if array is not None
    }
    values = [
        onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in given.items()
    ]
    made = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in node.output]
    graph = onnx.helper.make_graph([node], "lstm", values, made)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 14)], ir_version=8)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    outputs, hidden, cell = session.run(None, given)
    return {"outputs": outputs[:, 0], "final_hidden": hidden[0], "final_cell": cell[0]}
