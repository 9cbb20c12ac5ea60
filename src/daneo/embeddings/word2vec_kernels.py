"""The four trainers of word2vec, compiled. Same names, arguments and draws as in word2vec_reference.py.

All take one stretch of text and update the matrices in place, without a lock: any number of threads may train the same
matrices, each with `random` and a stretch of its own. Nothing is checked.

What they share: a step takes the rows that it needs into two blocks, X of input and Y of output vectors, so that
everything else is three small matrix products (block_products_kernels.py) in the innermost cache. Skip-gram and CBOW with
negative sampling take CENTERS neighbouring centers at once, which share most of their contexts, and one set of noise
words for all of them. The rows of the next step are prefetched during this one.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from daneo.embeddings.block_products_kernels import (
    add_products,
    add_row,
    add_scaled_row,
    gather,
    gradients,
    prefetch_row,
    scores,
)

CENTERS = 4  # centers that share one set of noise words
f32 = np.float32
_MULTIPLIER, _INCREMENT = np.uint64(6364136223846793005), np.uint64(1442695040888963407)


@njit(nogil=True, cache=True)
def _next_random(random):
    # Knuth's 64-bit linear congruential generator; its high bits are the good ones.
    random[0] = random[0] * _MULTIPLIER + _INCREMENT
    return random[0]


@njit(nogil=True, cache=True)
def subsample(ids, ends, keep, random, kept, kept_ends):
    count, start = 0, 0
    for document in range(len(ends)):
        for position in range(start, ends[document]):
            word = ids[position]
            kept[count] = word
            if f32(_next_random(random) >> np.uint64(40)) * f32(2.0**-24) < keep[word]:
                count += 1
        start = ends[document]
        kept_ends[document] = count
    kept[count:] = 0  # what is prefetched beyond the end must be a row
    return count


@njit(nogil=True, cache=True)
def _draw_reach(window, shrink_windows, random):
    if not shrink_windows:
        return window
    return window - np.int64((_next_random(random) >> np.uint64(33)) % np.uint64(window))


@njit(nogil=True, cache=True)
def _take_noise(noise, random, outputs, rows, first, count):
    # The table is shuffled, so going through it in order draws at random and spares the cache misses of jumping.
    cursor = np.int64(random[1])
    size = len(noise)
    for k in range(count):
        rows[first + k] = noise[(cursor + k) % size]
        prefetch_row(outputs, noise[(cursor + count + k) % size])
    random[1] = np.uint64((cursor + count) % size)


@njit(nogil=True, cache=True)
def _transpose(block, num_rows, num_columns, out):
    for j in range(num_rows):
        for k in range(num_columns):
            out[k, j] = block[j, k]


@njit(nogil=True, cache=True)
def _pair_weights(center, low, num_contexts, reach, rate, noise_rate, weight, column):
    # The pairs of one center, and for every context the noise that each of its pairs brings.
    first, last = max(0, center - reach - low), min(num_contexts, center + reach + 1 - low)
    for j in range(first, last):
        if j != center - low:
            weight[j, column] = rate
            weight[j, CENTERS] += noise_rate
    return last - first - 1


@njit(nogil=True, cache=True)
def _weigh_noise(rows, num_centers, num_rows, num_columns, weight):
    for k in range(CENTERS + 1, num_columns):
        for j in range(num_rows):
            weight[j, k] = weight[j, CENTERS]
    for k in range(CENTERS, num_columns):
        for i in range(num_centers):
            if rows[i] == rows[k]:  # noise that is one of the centers is no noise
                weight[:num_rows, k] = 0


@njit(nogil=True, cache=True)
def skipgram_negative_sampling(
    kept,
    ends,
    vectors,
    outputs,
    updated_rows,
    noise,
    num_noise,
    negative,
    window,
    shrink_windows,
    learning_rate,
    random,
):
    width, spare = vectors.shape[1], len(vectors) - 1
    most = (CENTERS + 2 * window + 3) // 4 * 4
    columns = CENTERS + num_noise
    x, y = np.zeros((most, width), f32), np.zeros((columns, width), f32)
    score, weight, sign = np.zeros((most, columns), f32), np.zeros((most, columns), f32), np.ones((most, columns), f32)
    turned = np.zeros((columns, most), f32)
    sign[:, CENTERS:] = -1
    words, targets, rows = np.zeros(most, np.int64), np.zeros(most, np.int64), np.zeros(columns, np.int64)
    rate, noise_rate = f32(learning_rate), f32(learning_rate * negative / num_noise)
    loss, num_pairs, start = 0.0, 0, 0
    for end in ends:
        for begin in range(start, end, CENTERS):
            stop = min(begin + CENTERS, end)
            low, high = max(start, begin - window), min(end, stop + window)
            count = high - low
            padded = (count + 3) // 4 * 4
            for i in range(stop, stop + CENTERS):
                prefetch_row(outputs, kept[i])
                prefetch_row(vectors, kept[i + window])
            _take_noise(noise, random, outputs, rows, CENTERS, num_noise)
            for j in range(padded):
                words[j] = kept[low + j] if j < count else spare
                targets[j] = updated_rows[words[j]]
                weight[j] = 0
            for i in range(CENTERS):
                rows[i] = kept[begin + i] if begin + i < stop else spare
                if begin + i < stop:
                    reach = _draw_reach(window, shrink_windows, random)
                    num_pairs += _pair_weights(begin + i, low, count, reach, rate, noise_rate, weight, i)
            _weigh_noise(rows, stop - begin, padded, columns, weight)
            gather(vectors, words, padded, x)
            gather(outputs, rows, columns, y)
            scores(x, padded, y, columns, score)
            loss += gradients(score, sign, weight, padded, columns)
            _transpose(score, padded, columns, turned)
            add_products(vectors, targets, padded, score, y, columns)
            add_products(outputs, rows, columns, turned, x, padded)
        start = end
    return loss / learning_rate, num_pairs


@njit(nogil=True, cache=True)
def cbow_negative_sampling(
    kept,
    ends,
    vectors,
    outputs,
    updated_rows,
    noise,
    num_noise,
    negative,
    window,
    shrink_windows,
    learning_rate,
    random,
):
    width, spare = vectors.shape[1], len(vectors) - 1
    columns = CENTERS + num_noise
    x, y, change = np.zeros((CENTERS, width), f32), np.zeros((columns, width), f32), np.zeros((CENTERS, width), f32)
    score, weight, sign = (
        np.zeros((CENTERS, columns), f32),
        np.zeros((CENTERS, columns), f32),
        np.ones((CENTERS, columns), f32),
    )
    turned = np.zeros((columns, CENTERS), f32)
    sign[:, CENTERS:] = -1
    rows, every = np.zeros(columns, np.int64), np.arange(CENTERS)
    first, last = np.zeros(CENTERS, np.int64), np.zeros(CENTERS, np.int64)
    rate, noise_rate = f32(learning_rate), f32(learning_rate * negative / num_noise)
    loss, num_examples, start = 0.0, 0, 0
    for end in ends:
        for begin in range(start, end, CENTERS):
            for i in range(begin + CENTERS, begin + 2 * CENTERS):
                prefetch_row(outputs, kept[i])
                prefetch_row(vectors, kept[i + window])
            _take_noise(noise, random, outputs, rows, CENTERS, num_noise)
            x[:], change[:], weight[:] = 0, 0, 0
            for i in range(CENTERS):
                center = begin + i
                rows[i] = kept[center] if center < end else spare
                first[i], last[i] = center, center
                if center < end:
                    reach = _draw_reach(window, shrink_windows, random)
                    first[i], last[i] = max(start, center - reach), min(end, center + reach + 1)
                    if _mean_of_contexts(kept, center, first[i], last[i], vectors, x, i) == 0:
                        continue
                    num_examples += 1
                    weight[i, i] = rate
                    for k in range(CENTERS, columns):
                        weight[i, k] = 0 if rows[k] == rows[i] else noise_rate
            gather(outputs, rows, columns, y)
            scores(x, CENTERS, y, columns, score)
            loss += gradients(score, sign, weight, CENTERS, columns)
            _transpose(score, CENTERS, columns, turned)
            add_products(change, every, CENTERS, score, y, columns)
            add_products(outputs, rows, columns, turned, x, CENTERS)
            for i in range(CENTERS):
                _change_contexts(kept, begin + i, first[i], last[i], vectors, updated_rows, change, i)
        start = end
    return loss / learning_rate, num_examples


@njit(nogil=True, cache=True)
def _mean_of_contexts(kept, center, first, last, vectors, x, row):
    count = last - first - 1
    for j in range(first, last):
        if j != center:
            add_scaled_row(x, row, vectors, kept[j], f32(1) / f32(count))
    return count


@njit(nogil=True, cache=True)
def _change_contexts(kept, center, first, last, vectors, updated_rows, change, row):
    for j in range(first, last):
        if j != center:
            add_row(vectors, updated_rows[kept[j]], change, row)


@njit(nogil=True, cache=True)
def _take_path(word, path_starts, path_nodes, path_signs, spare, rows, sign):
    # The inner nodes from the root of the Huffman tree to a word, filled up to a multiple of four.
    count = path_starts[word + 1] - path_starts[word]
    padded = (count + 3) // 4 * 4
    for k in range(padded):
        place = path_starts[word] + k
        rows[k] = path_nodes[place] if k < count else spare
        sign[:, k] = path_signs[place] if k < count else 1
    return count, padded


@njit(nogil=True, cache=True)
def skipgram_hierarchical_softmax(
    kept,
    ends,
    vectors,
    outputs,
    updated_rows,
    path_starts,
    path_nodes,
    path_signs,
    longest_path,
    window,
    shrink_windows,
    learning_rate,
    random,
):
    width, spare, spare_node = vectors.shape[1], len(vectors) - 1, len(outputs) - 1
    most, columns = (2 * window + 3) // 4 * 4, (longest_path + 3) // 4 * 4
    x, y = np.zeros((most, width), f32), np.zeros((columns, width), f32)
    score, weight, sign = np.zeros((most, columns), f32), np.zeros((most, columns), f32), np.ones((most, columns), f32)
    turned = np.zeros((columns, most), f32)
    words, targets, rows = np.zeros(most, np.int64), np.zeros(most, np.int64), np.zeros(columns, np.int64)
    loss, num_pairs, start = 0.0, 0, 0
    for end in ends:
        for center in range(start, end):
            reach = _draw_reach(window, shrink_windows, random)
            prefetch_row(vectors, kept[center + window + 1])
            count = 0
            for j in range(max(start, center - reach), min(end, center + reach + 1)):
                if j != center:
                    words[count] = kept[j]
                    count += 1
            if count == 0:
                continue
            length, padded_length = _take_path(
                kept[center], path_starts, path_nodes, path_signs, spare_node, rows, sign
            )
            padded = (count + 3) // 4 * 4
            words[count:padded] = spare
            for j in range(padded):
                targets[j] = updated_rows[words[j]]
                weight[j, :length] = f32(learning_rate) if j < count else f32(0)
                weight[j, length:] = 0
            gather(vectors, words, padded, x)
            gather(outputs, rows, padded_length, y)
            scores(x, padded, y, padded_length, score)
            loss += gradients(score, sign, weight, padded, padded_length)
            _transpose(score, padded, padded_length, turned)
            add_products(vectors, targets, padded, score, y, padded_length)
            add_products(outputs, rows, padded_length, turned, x, padded)
            num_pairs += count
        start = end
    return loss / learning_rate, num_pairs


@njit(nogil=True, cache=True)
def cbow_hierarchical_softmax(
    kept,
    ends,
    vectors,
    outputs,
    updated_rows,
    path_starts,
    path_nodes,
    path_signs,
    longest_path,
    window,
    shrink_windows,
    learning_rate,
    random,
):
    width, spare_node = vectors.shape[1], len(outputs) - 1
    columns = (longest_path + 3) // 4 * 4
    x, y, change = np.zeros((4, width), f32), np.zeros((columns, width), f32), np.zeros((4, width), f32)
    score, weight, sign = np.zeros((4, columns), f32), np.zeros((4, columns), f32), np.ones((4, columns), f32)
    turned = np.zeros((columns, 4), f32)
    rows, every = np.zeros(columns, np.int64), np.arange(4)
    loss, num_examples, start = 0.0, 0, 0
    for end in ends:
        for center in range(start, end):
            reach = _draw_reach(window, shrink_windows, random)
            prefetch_row(vectors, kept[center + window + 1])
            first, last = max(start, center - reach), min(end, center + reach + 1)
            if last - first == 1:
                continue
            x[0], change[0] = 0, 0
            _mean_of_contexts(kept, center, first, last, vectors, x, 0)
            length, padded = _take_path(kept[center], path_starts, path_nodes, path_signs, spare_node, rows, sign)
            weight[0, :length] = f32(learning_rate)
            weight[0, length:] = 0
            gather(outputs, rows, padded, y)
            scores(x, 4, y, padded, score)
            loss += gradients(score, sign, weight, 1, padded)
            _transpose(score, 1, padded, turned)
            add_products(change, every, 4, score, y, padded)
            add_products(outputs, rows, padded, turned, x, 1)
            _change_contexts(kept, center, first, last, vectors, updated_rows, change, 0)
            num_examples += 1
        start = end
    return loss / learning_rate, num_examples
