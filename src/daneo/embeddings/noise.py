"""How often a word is drawn: as noise, and as a word of the text that is kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SMALLEST_TABLE = 1 << 22  # 16 MiB of int32; drawn through once in about a million words


def keep_probabilities(counts: npt.NDArray[np.int64], sample: float) -> npt.NDArray[np.float32]:
    """Return the probability with which each occurrence of a word is kept, float32 (V,).

    p = sqrt(t / f) + t / f, at most 1, where f is the word's share of the text and t is `sample`: the formula of
    word2vec.c, which differs from the 1 - sqrt(t / f) of the paper.

    Parameters
    ----------
    counts : int64 array of shape (V,)
        Occurrences of each word.
    sample : float
        The share from which on words are thinned out; 0 keeps all.

    References
    ----------
    Mikolov et al. 2013, arXiv:1310.4546, section 2.3.

    Examples
    --------
    >>> [round(float(p), 3) for p in keep_probabilities(np.array([90, 9, 1]), 0.01)]
    [0.117, 0.444, 1.0]
    """
    if sample == 0:
        return np.ones(len(counts), np.float32)
    with np.errstate(divide="ignore"):
        ratio = sample / (counts / counts.sum())
    return np.asarray(np.minimum(np.sqrt(ratio) + ratio, 1), np.float32)


def noise_table(counts: npt.NDArray[np.int64], exponent: float, seed: int) -> npt.NDArray[np.int32]:
    """Return word ids in random order, each as often as p ~ count**exponent says: noise is read off one after another.

    Parameters
    ----------
    counts : int64 array of shape (V,)
        Occurrences of each word.
    exponent : float
        0.75 in the paper; 0 draws all words alike, 1 as often as they occur.
    seed : int
        Of the order.

    Returns
    -------
    int32 array
        At least 4 V entries; a word's number of entries is right to within one.

    References
    ----------
    Mikolov et al. 2013, arXiv:1310.4546, section 2.2.

    Examples
    --------
    >>> table = noise_table(np.array([81, 16]), 0.75, seed=1)
    >>> (table == 0).mean().round(3) == np.round(27 / 35, 3)
    np.True_
    """
    size = max(SMALLEST_TABLE, 4 * len(counts))
    # A word that never occurred (it came with given vectors) is no noise, whatever the exponent.
    weight, occurs = np.zeros(len(counts)), counts > 0
    logarithms = exponent * np.log(counts[occurs])
    weight[occurs] = np.exp(logarithms - logarithms.max())  # the powers themselves may be too large for a number
    bounds = np.rint(np.cumsum(weight) / weight.sum() * size).astype(np.int64)
    table = np.repeat(np.arange(len(counts), dtype=np.int32), np.diff(bounds, prepend=0))
    np.random.default_rng(seed).shuffle(table)
    return table
