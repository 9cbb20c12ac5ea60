"""Texts to labels, compiled: the fast copy of ``predictions_reference``, which returns what is overwritten here.

Every kernel releases the GIL, trusts its arguments, and may run in several threads at once on different arrays.
Matrices are C-contiguous float32 and read-only, so that they may be memory-mapped, and so that each kernel is compiled
once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.block_products_kernels import Floats, compiled
from daneo.embeddings.float_lanes_kernels import LANES, increase, load, prefetch

f32 = np.float32
Ids = npt.NDArray[np.int32]
Starts = npt.NDArray[np.int64]

NO_ROW = -1
AHEAD = 16  # rows that are asked for before they are needed


@compiled
def _add_row(matrix: Floats, row: int, sums: Floats, index: int) -> None:
    width = matrix.shape[1]
    whole = width // LANES * LANES
    for d in range(0, whole, LANES):
        increase(sums, index, d, load(matrix, row, d))
    for d in range(whole, width):
        sums[index, d] += matrix[row, d]


@compiled
def _prefetch_row(matrix: Floats, row: int) -> None:
    if row >= 0:
        for d in range(0, matrix.shape[1], LANES):
            prefetch(matrix, row, d)


@compiled
def sum_parts(own: Ids, starts: Starts, parts: Ids, matrix: Floats, sums: Floats, sizes: Ids) -> None:
    """Overwrite sums (G, at least D), zeros before, and sizes (G,)."""
    for i in range(len(own)):
        count = 0
        if own[i] >= 0:
            _add_row(matrix, own[i], sums, i)
        count += own[i] >= NO_ROW
        for place in range(starts[i], starts[i + 1]):
            if place + AHEAD < len(parts):
                _prefetch_row(matrix, parts[place + AHEAD])
            if parts[place] >= 0:
                _add_row(matrix, parts[place], sums, i)
            count += parts[place] >= NO_ROW
        sizes[i] = count


@compiled
def text_means(
    starts: Starts,
    types: Ids,
    type_rows: Ids,
    type_sizes: Ids,
    type_matrix: Floats,
    ngram_starts: Starts,
    ngrams: Ids,
    matrix: Floats,
    means: Floats,
    sizes: Ids,
) -> None:
    """Overwrite means (N, at least D), zeros before, and sizes (N,)."""
    width = matrix.shape[1]
    for i in range(len(starts) - 1):
        count = 0
        for place in range(starts[i], starts[i + 1]):
            if place + AHEAD < len(types):
                _prefetch_row(type_matrix, type_rows[types[place + AHEAD]])
            row = type_rows[types[place]]
            if row >= 0:
                _add_row(type_matrix, row, means, i)
            count += type_sizes[types[place]]
        for place in range(ngram_starts[i], ngram_starts[i + 1]):
            if place + AHEAD < len(ngrams):
                _prefetch_row(matrix, ngrams[place + AHEAD])
            if ngrams[place] >= 0:
                _add_row(matrix, ngrams[place], means, i)
            count += ngrams[place] >= NO_ROW
        sizes[i] = count
        scale = f32(1) / f32(max(count, 1))
        for d in range(width):
            means[i, d] *= scale


@compiled
def _insert(label: int, probability: np.float32, count: int, labels: Ids, found: Floats, index: int) -> Any:
    # Keeps the best ones sorted, equal ones by their number.
    most = labels.shape[1]
    if count == most and not _is_better(label, probability, labels[index, most - 1], found[index, most - 1]):
        return count
    at = min(count, most - 1)
    while at > 0 and _is_better(label, probability, labels[index, at - 1], found[index, at - 1]):
        labels[index, at], found[index, at] = labels[index, at - 1], found[index, at - 1]
        at -= 1
    labels[index, at], found[index, at] = label, probability
    return min(count + 1, most)


@compiled
def _is_better(label: int, probability: np.float32, other: int, others: np.float32) -> bool:
    return bool(probability > others or (probability == others and label < other))


@compiled
def best_labels(probabilities: Floats, threshold: float, labels: Ids, found: Floats) -> None:
    """Overwrite labels and found (N, k), which hold -1 and 0."""
    for i in range(len(probabilities)):
        count = 0
        for label in range(probabilities.shape[1]):
            if probabilities[i, label] >= threshold:
                count = _insert(label, probabilities[i, label], count, labels, found, i)


@compiled
def best_in_tree(means: Floats, outputs: Floats, children: Ids, threshold: float, labels: Ids, found: Floats) -> None:
    """Overwrite labels and found (N, k), which hold -1 and 0; branches that cannot win are not looked into."""
    size, width = len(children) + 1, outputs.shape[1]
    stack, chances = np.empty(size + 1, np.int64), np.empty(size + 1, np.float64)
    for i in range(len(means)):
        count, depth = 0, 1
        stack[0], chances[0] = 2 * size - 2, 1.0
        while depth:
            depth -= 1
            node, chance = stack[depth], chances[depth]
            if chance < threshold or (count == labels.shape[1] and f32(chance) < found[i, count - 1]):
                continue
            if node < size:
                count = _insert(node, f32(chance), count, labels, found, i)
                continue
            score = f32(0)
            for d in range(width):
                score += means[i, d] * outputs[node - size, d]
            second = 1 / (1 + np.exp(-np.float64(score)))
            # The likelier branch goes on top: what it finds may spare us the other.
            for side in range(2):
                likelier = second >= 0.5
                goes_second = likelier == (side == 1)
                stack[depth] = children[node - size, 1 if goes_second else 0]
                chances[depth] = chance * (second if goes_second else 1 - second)
                depth += 1
