"""The four trainers of word2vec, compiled. Same names, arguments and draws as in word2vec_reference.py.

All take a stretch of text and update the matrices in place, without a lock: any number of threads may train the same
matrices, each with `random` and a stretch of its own. Nothing is checked. A step takes its rows into two blocks, X of
input and Y of output vectors; all else is three small matrix products (block_products_kernels.py). Negative sampling
takes CENTERS neighbouring centers at once, which share noise and contexts. The next step's rows are prefetched.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.embeddings.block_products_kernels import (
    Floats,
    add_products,
    add_to_rows,
    compiled,
    gather,
    gradients,
    mean_of_rows,
    prefetch_row,
    scores,
    scores_of_row,
    update_rows_and_row,
    zero_rows,
)
from daneo.embeddings.subsampling_kernels import Random, next_random

CENTERS = 4  # centers that share one set of noise words
f32 = np.float32
Ids = npt.NDArray[np.integer]
Ends = npt.NDArray[np.int64]


@compiled
def longest_document(ends: Ends) -> Any:
    """Return the length of the longest document: no window reaches further, whatever was asked for."""
    longest = ends[0] if len(ends) else 0
    for document in range(1, len(ends)):
        longest = max(longest, ends[document] - ends[document - 1])
    return longest


@compiled
def draw_reach(window: int, shrink_windows: bool, random: Random) -> int:
    """Draw how far a center looks."""
    if not shrink_windows:
        return window
    return window - int(np.int64((next_random(random) >> np.uint64(33)) % np.uint64(window)))


@compiled
def take_noise(noise: Ids, random: Random, outputs: Floats, rows: Ids, first: int, count: int) -> None:
    """Fill rows[first : first + count] with the next words of the table: it is shuffled, and jumping misses caches."""
    size = len(noise)
    cursor = int(np.int64(random[1] % np.uint64(size)))
    ahead = (cursor + count) % size
    for k in range(count):
        rows[first + k] = noise[cursor]
        prefetch_row(outputs, noise[ahead])
        cursor = cursor + 1 if cursor + 1 < size else 0  # a division for each would cost more than all the rest
        ahead = ahead + 1 if ahead + 1 < size else 0
    random[1] = np.uint64(cursor)


@compiled
def pair_weights(
    center: int,
    low: int,
    num_contexts: int,
    reach: int,
    rate: np.float32,
    noise_rate: np.float32,
    weight: Floats,
    column: int,
) -> int:
    """Weigh the pairs of one center, and for every context the noise that each of its pairs brings."""
    first, last = max(0, center - reach - low), min(num_contexts, center + reach + 1 - low)
    for j in range(first, last):
        if j != center - low:
            weight[j, column] = rate
            weight[j, CENTERS] += noise_rate
    return last - first - 1


@compiled
def weigh_noise(rows: Ids, num_centers: int, num_rows: int, num_columns: int, weight: Floats) -> None:
    """Give all noise words the weight of the first; noise that is one of the centers is no noise."""
    for k in range(CENTERS + 1, num_columns):
        for j in range(num_rows):
            weight[j, k] = weight[j, CENTERS]
    for k in range(CENTERS, num_columns):
        for i in range(num_centers):
            if rows[i] == rows[k]:
                weight[:num_rows, k] = 0


@compiled
def skipgram_negative_sampling(
    kept: Ids,
    ends: Ends,
    vectors: Floats,
    outputs: Floats,
    input_rows: Ids,
    updated_rows: Ids,
    position_weights: Floats,
    noise: Ids,
    num_noise: int,
    negative: float,
    window: int,
    shrink_windows: bool,
    learning_rate: np.float32,
    random: Random,
) -> tuple[float, int]:
    """Each context word predicts its center. Returns the loss and the number of pairs."""
    width, spare, nobody = vectors.shape[1], len(vectors) - 1, len(outputs) - 1
    most = (CENTERS + 2 * min(window, longest_document(ends)) + 3) // 4 * 4
    columns = CENTERS + num_noise
    x, y = zero_rows(most, width), zero_rows(columns, width)
    score, weight = zero_rows(most, columns), zero_rows(most, columns)
    words, targets, rows = np.zeros(most, np.int64), np.zeros(most, np.int64), np.zeros(columns, np.int64)
    rate, noise_rate = f32(learning_rate), f32(-learning_rate * negative / num_noise)
    loss, num_pairs, start = 0.0, 0, 0
    for end in ends:
        for begin in range(start, end, CENTERS):
            stop = min(begin + CENTERS, end)
            low, high = max(start, begin - window), min(end, stop + window)
            count = high - low
            padded = (count + 3) // 4 * 4
            for i in range(stop, stop + CENTERS):
                prefetch_row(outputs, kept[i])
                prefetch_row(vectors, input_rows[kept[i + window]])
            take_noise(noise, random, outputs, rows, CENTERS, num_noise)
            for j in range(padded):
                words[j] = input_rows[kept[low + j]] if j < count else spare
                targets[j] = updated_rows[kept[low + j]] if j < count else spare
                weight[j] = 0
            for i in range(CENTERS):
                rows[i] = kept[begin + i] if begin + i < stop else nobody
                if begin + i < stop:
                    reach = draw_reach(window, shrink_windows, random)
                    num_pairs += pair_weights(begin + i, low, count, reach, rate, noise_rate, weight, i)
            weigh_noise(rows, stop - begin, padded, columns, weight)
            gather(vectors, words, padded, x)
            gather(outputs, rows, columns, y)
            scores(x, padded, y, columns, score)
            loss += gradients(score, weight, padded, columns)
            add_products(vectors, targets, padded, score, y, columns)
            add_products(outputs, rows, columns, score.T, x, padded)
        start = end
    return float(loss / learning_rate), num_pairs


@compiled
def cbow_negative_sampling(
    kept: Ids,
    ends: Ends,
    vectors: Floats,
    outputs: Floats,
    input_rows: Ids,
    updated_rows: Ids,
    position_weights: Floats,
    noise: Ids,
    num_noise: int,
    negative: float,
    window: int,
    shrink_windows: bool,
    learning_rate: np.float32,
    random: Random,
) -> tuple[float, int]:
    """The mean of the context words predicts the center. Returns the loss and the number of centers."""
    width, nobody = vectors.shape[1], len(outputs) - 1
    columns = CENTERS + num_noise
    x, y, change = zero_rows(CENTERS, width), zero_rows(columns, width), zero_rows(CENTERS, width)
    score, weight = zero_rows(CENTERS, columns), zero_rows(CENTERS, columns)
    rows, every = np.zeros(columns, np.int64), np.arange(CENTERS)
    first, last = np.zeros(CENTERS, np.int64), np.zeros(CENTERS, np.int64)
    rate, noise_rate = f32(learning_rate), f32(-learning_rate * negative / num_noise)
    loss, num_examples, start = 0.0, 0, 0
    for end in ends:
        for begin in range(start, end, CENTERS):
            for i in range(begin + CENTERS, begin + 2 * CENTERS):
                prefetch_row(outputs, kept[i])
                prefetch_row(vectors, input_rows[kept[i + window]])
            take_noise(noise, random, outputs, rows, CENTERS, num_noise)
            x[:], change[:], weight[:] = 0, 0, 0
            for i in range(CENTERS):
                center = begin + i
                rows[i] = kept[center] if center < end else nobody
                first[i], last[i] = center, center
                if center < end:
                    reach = draw_reach(window, shrink_windows, random)
                    first[i], last[i] = max(start, center - reach), min(end, center + reach + 1)
                    if last[i] - first[i] == 1:
                        continue
                    mean_of_rows(vectors, input_rows, kept, first[i], center, last[i], position_weights, x, i)
                    num_examples += 1
                    weight[i, i] = rate
                    for k in range(CENTERS, columns):
                        weight[i, k] = 0 if rows[k] == rows[i] else noise_rate
            gather(outputs, rows, columns, y)
            scores(x, CENTERS, y, columns, score)
            loss += gradients(score, weight, CENTERS, columns)
            add_products(change, every, CENTERS, score, y, columns)
            add_products(outputs, rows, columns, score.T, x, CENTERS)
            for i in range(CENTERS):
                add_to_rows(vectors, updated_rows, kept, first[i], begin + i, last[i], position_weights, change, i)
        start = end
    return float(loss / learning_rate), num_examples


@compiled
def take_path(
    word: int,
    path_starts: Ends,
    path_nodes: Ids,
    path_signs: Floats,
    spare: int,
    rate: np.float32,
    rows: Ids,
    weight: Floats,
) -> int:
    """Take the inner nodes from the root of the Huffman tree to a word, filled up to a multiple of four."""
    start, count = path_starts[word], int(path_starts[word + 1] - path_starts[word])
    padded = (count + 3) // 4 * 4
    for k in range(count):
        rows[k] = path_nodes[start + k]
        weight[0, k] = rate * path_signs[start + k]
    for k in range(count, padded):
        rows[k] = spare
    for k in range(count, weight.shape[1]):
        weight[0, k] = 0
    return padded


@compiled
def skipgram_hierarchical_softmax(
    kept: Ids,
    ends: Ends,
    vectors: Floats,
    outputs: Floats,
    input_rows: Ids,
    updated_rows: Ids,
    position_weights: Floats,
    path_starts: Ends,
    path_nodes: Ids,
    path_signs: Floats,
    longest_path: int,
    window: int,
    shrink_windows: bool,
    learning_rate: np.float32,
    random: Random,
) -> tuple[float, int]:
    """Each context word predicts the path to its center. Returns the loss and the number of pairs."""
    width, spare, spare_node = vectors.shape[1], len(vectors) - 1, len(outputs) - 1
    most, columns = (2 * min(window, longest_document(ends)) + 3) // 4 * 4, (longest_path + 3) // 4 * 4
    x, y = zero_rows(most, width), zero_rows(columns, width)
    score, weight = zero_rows(most, columns), zero_rows(most, columns)
    words, targets, rows = np.zeros(most, np.int64), np.zeros(most, np.int64), np.zeros(columns, np.int64)
    rate = f32(learning_rate)
    loss, num_pairs, start = 0.0, 0, 0
    for end in ends:
        for center in range(start, end):
            reach = draw_reach(window, shrink_windows, random)
            prefetch_row(vectors, input_rows[kept[center + window + 1]])
            count = 0
            for j in range(max(start, center - reach), min(end, center + reach + 1)):
                if j != center:
                    words[count], targets[count] = input_rows[kept[j]], updated_rows[kept[j]]
                    count += 1
            if count == 0:
                continue
            length = take_path(kept[center], path_starts, path_nodes, path_signs, spare_node, rate, rows, weight)
            padded = (count + 3) // 4 * 4
            words[count:padded], targets[count:padded] = spare, spare
            for j in range(1, padded):
                for k in range(columns):
                    weight[j, k] = weight[0, k] if j < count else f32(0)
            gather(vectors, words, padded, x)
            gather(outputs, rows, length, y)
            scores(x, padded, y, length, score)
            loss += gradients(score, weight, padded, length)
            add_products(vectors, targets, padded, score, y, length)
            add_products(outputs, rows, length, score.T, x, padded)
            num_pairs += count
        start = end
    return float(loss / learning_rate), num_pairs


@compiled
def cbow_hierarchical_softmax(
    kept: Ids,
    ends: Ends,
    vectors: Floats,
    outputs: Floats,
    input_rows: Ids,
    updated_rows: Ids,
    position_weights: Floats,
    path_starts: Ends,
    path_nodes: Ids,
    path_signs: Floats,
    longest_path: int,
    window: int,
    shrink_windows: bool,
    learning_rate: np.float32,
    random: Random,
) -> tuple[float, int]:
    """The mean of the context words predicts the path to the center. Returns the loss and the number of centers."""
    width, spare_node = vectors.shape[1], len(outputs) - 1
    columns = (longest_path + 3) // 4 * 4
    x, change = zero_rows(1, width), zero_rows(1, width)
    score, weight = zero_rows(1, columns), zero_rows(1, columns)
    rows, rate = np.zeros(columns, np.int64), f32(learning_rate)
    loss, num_examples, start = 0.0, 0, 0
    for end in ends:
        for center in range(start, end):
            reach = draw_reach(window, shrink_windows, random)
            prefetch_row(vectors, input_rows[kept[center + window + 1]])
            first, last = max(start, center - reach), min(end, center + reach + 1)
            if last - first == 1:
                continue
            length = take_path(kept[center], path_starts, path_nodes, path_signs, spare_node, rate, rows, weight)
            mean_of_rows(vectors, input_rows, kept, first, center, last, position_weights, x, 0)
            scores_of_row(x, 0, outputs, rows, length, score)
            loss += gradients(score, weight, 1, length)
            update_rows_and_row(outputs, rows, length, score, x, change, 0)
            add_to_rows(vectors, updated_rows, kept, first, center, last, position_weights, change, 0)
            num_examples += 1
        start = end
    return float(loss / learning_rate), num_examples
