"""Training on the CPU: daneo against Keras 3 on torch, and against Keras 3 on JAX, compiled.

A process has one Keras backend, and XLA takes as many threads as its process has cores when it starts. So each backend
and number of threads gets a process, kept to as many cores, in which ours and Keras take turns on the same weights and
tensors. JAX's step is value_and_grad of the layer, for the weights and the input, under jit; compiling is not timed.
Needs jax, which nothing else of ours does: pip install jax. Writes benchmarks/results/keras_backends.json.

    python benchmarks/layers/keras_backends.py
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
from typing import Any

import torch
from timing import Call, Contender, Shape, assert_same, cell, finish, parsed, parser, random_tensors

from daneo import layers

BACKENDS = ("torch", "jax")


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--backends", nargs="+", choices=BACKENDS, default=list(BACKENDS))
    made.add_argument("--inside", choices=BACKENDS, help=argparse.SUPPRESS)  # we are the process of this backend
    options = parsed(made)
    if options.inside:
        json.dump([measure(*job, options) for job in itertools.product(options.layers, options.shapes)], sys.stdout)
        return
    cells = [
        found
        for threads, backend in itertools.product(options.threads, options.backends)
        for found in run_process(threads, backend)
    ]
    finish("keras_backends", cells, options, ("torch", "keras", "jax", "jaxlib"))


def run_process(threads: int, backend: str) -> list[dict[str, Any]]:
    """Measure in a process of its own."""
    command = [sys.executable, *sys.argv, "--inside", backend, "--threads", str(threads)]
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(everywhere)[:threads])  # the process inherits it
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    finally:
        os.sched_setaffinity(0, everywhere)
    return json.loads(done.stdout)


def measure(name: str, shape: Shape, options: argparse.Namespace) -> dict[str, Any]:
    """Measure training of a layer at a shape."""
    import keras

    backend, (threads,) = options.inside, options.threads
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    ours = getattr(layers, name)(shape.units, return_sequences=True)
    theirs = getattr(keras.layers, name)(shape.units, return_sequences=True)
    for layer in (ours, theirs):
        layer.build((None, None, shape.features))
    theirs.set_weights([weight.detach().numpy() for weight in ours.weights])
    x, loss_weights = random_tensors(shape)
    rival = f"Keras on {backend}"
    calls = {
        "daneo": Contender(ours, x, loss_weights).training(),
        rival: Contender(theirs, x, loss_weights).training()
        if backend == "torch"
        else jax_training(theirs, x.numpy(), loss_weights.numpy()),
    }
    assert_same(calls, tolerance=1e-4)  # float32 sums over all steps
    what = {"layer": name, "shape": shape, "threads": threads}
    return cell(calls, options, ratios=[(rival, "daneo")], mode="training", **what)


def jax_training(layer: Any, x: Any, loss_weights: Any) -> Call:
    """Return a call that goes forward and back, to every parameter and to x, and gives the gradient of x."""
    import jax

    fixed = [variable.value for variable in layer.non_trainable_variables]

    def loss(trained: list[jax.Array], x: jax.Array, loss_weights: jax.Array) -> jax.Array:
        outputs, _ = layer.stateless_call(trained, fixed, x, training=True)
        return (outputs * loss_weights).sum()

    step = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
    trained = [variable.value for variable in layer.trainable_variables]
    on_device = jax.device_put((x, loss_weights))

    def call() -> jax.Array:
        _, (_, x_gradient) = jax.block_until_ready(step(trained, *on_device))
        return x_gradient

    return call


if __name__ == "__main__":
    main()
