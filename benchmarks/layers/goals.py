"""What the results say of each goal: the worst cell and where it is, the median, and how many cells reach the goal.

Prints a table; measures nothing.

    python benchmarks/layers/goals.py
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from report import RESULTS

Cell = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """A ratio of a result, in the cells that `among` picks: at least or, for a cost, at most so much."""

    claim: str
    result: str
    ratio: str
    least: float | None = None
    most: float | None = None
    among: Callable[[Cell], bool] = lambda cell: True


def units(most: int) -> Callable[[Cell], bool]:
    """Pick GRU and SimpleRNN where the layer is small, or of just this size beyond 128 units."""
    return lambda cell: (
        cell["layer"] != "LSTM" and (cell["shape"]["units"] == most or cell["shape"]["units"] <= most == 128)
    )


def lstm(*, small: bool) -> Callable[[Cell], bool]:
    """Pick the LSTM at batch 1 and 8, or larger."""
    return lambda cell: cell["layer"] == "LSTM" and (cell["shape"]["batch"] <= 8) == small


def training(cell: Cell) -> bool:
    """Pick training."""
    return cell["mode"] == "training"


TORCH = "torch / daneo"
GOALS = (
    Goal("GRU, SimpleRNN up to 128 units over torch", "recurrent", TORCH, least=2.0, among=units(128)),
    Goal("GRU, SimpleRNN of 256 units over torch", "recurrent", TORCH, least=1.4, among=units(256)),
    Goal("GRU, SimpleRNN of 512 units over torch", "recurrent", TORCH, least=1.1, among=units(512)),
    Goal("LSTM at batch 1 and 8 over torch", "recurrent", TORCH, least=1.5, among=lstm(small=True)),
    Goal("LSTM at larger batches over torch", "recurrent", TORCH, least=0.95, among=lstm(small=False)),
    Goal("Inference over onnxruntime", "recurrent", "onnxruntime / daneo"),
    Goal("Peephole LSTM's cost, training", "peephole", "peephole / plain", most=1.15, among=training),
    Goal("Peephole LSTM over a torch loop, training", "peephole", "torch loop / peephole", least=8.0, among=training),
    Goal("Mask of ones, cost", "masks", "mask of ones / dense", most=1.15),
    Goal("Mask of uneven rows, cost at the same work", "masks", "mask / dense of half the steps", most=1.15),
    Goal("Mask with holes, cost over its whole batch", "masks", "mask with holes / dense", most=1.15),
    Goal("Mask over packed sequences", "masks", "packed, unsorted / mask", least=3.0),
    Goal("Mask over packed sequences, sorted", "masks", "packed, sorted / mask", least=3.0),
    Goal("Recurrent dropout, cost", "dropout_and_trace", "recurrent dropout / plain", most=1.25),
    Goal("Trace of the gates, cost", "dropout_and_trace", "trace / plain", most=1.25),
    Goal("Embedding and LSTM on text over torch", "embedding_text", TORCH, least=1.4),
    Goal("Training over Keras on torch", "keras_backends", "Keras on torch / daneo", least=5.0),
    Goal("Training over Keras on JAX", "keras_backends", "Keras on jax / daneo", least=1.0),
)


def main() -> None:
    print("| claim | goal | reached | worst | median | best | worst at |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for goal in GOALS:
        print(line(goal))


def line(goal: Goal) -> str:
    """Return the goal's row of the table."""
    cells = list(picked(goal))
    if not cells:
        return f"| {goal.claim} | | | not measured | | | |"
    ratios = [cell["ratio"][goal.ratio]["median"] for cell in cells]
    worst, best = (max(ratios), min(ratios)) if goal.most else (min(ratios), max(ratios))
    bound = reached = ""
    if goal.most:
        bound, reached = f"≤ {goal.most:g}", f"{sum(ratio <= goal.most for ratio in ratios)} of {len(cells)}"
    elif goal.least:
        bound, reached = f"≥ {goal.least:g}", f"{sum(ratio >= goal.least for ratio in ratios)} of {len(cells)}"
    middle, where = statistics.median(ratios), place(cells[ratios.index(worst)])
    return f"| {goal.claim} | {bound} | {reached} | {worst:.2f} | {middle:.2f} | {best:.2f} | {where} |"


def picked(goal: Goal) -> Iterator[Cell]:
    """Yield the cells that the goal speaks of."""
    path = RESULTS / f"{goal.result}.json"
    if path.exists():
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if goal.ratio in cell["ratio"] and goal.among(cell):
                yield cell


def place(cell: Cell) -> str:
    """Say which cell it is."""
    parts = [str(cell[key]) for key in ("layer", "mode") if key in cell]
    if "shape" in cell:
        parts.append(" x ".join(str(size) for size in cell["shape"].values()))
    if "sparse" in cell:
        parts.append("sparse" if cell["sparse"] else "dense")
    return ", ".join([*parts, f"threads {cell['threads']}"])


if __name__ == "__main__":
    main()
