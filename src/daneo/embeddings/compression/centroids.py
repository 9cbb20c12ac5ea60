"""The centroids of a part of many vectors: k-means."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
NUM_CENTROIDS = 256  # so that a code is a byte

_CANDIDATES = 8_192  # points that the first centroids are drawn from, if there are more


def learn_centroids(points: Floats, rng: np.random.Generator, epochs: int, weights: Doubles | None = None) -> Floats:
    """Return 256 centroids, float32 (256, P), of points, float32 (N, P): a local least of the squared distances.

    Parameters
    ----------
    points : float32 array of shape (N, P)
        C-contiguous and finite, N at least 1.
    rng : numpy.random.Generator
        Draws the points that the centroids begin as.
    epochs : int
        Rounds of assigning points and moving centroids; fewer if nothing moves any more.
    weights : float64 array of shape (N,), or None
        Above 0: how many points each one counts for. ``None`` means one.
    """
    centroids = first_centroids(points, rng, weights)
    codes = np.empty((len(points), 1), dtype=np.uint8)
    distances = np.empty((len(points), 1), dtype=np.float32)
    for _ in range(epochs):
        assign(points, centroids.ravel(), points.shape[1], codes, distances)
        moved = moved_centroids(points, centroids, codes[:, 0], distances[:, 0], weights)
        if np.array_equal(moved, centroids):
            break
        centroids = moved
    return centroids


def first_centroids(points: Floats, rng: np.random.Generator, weights: Doubles | None = None) -> Floats:
    """Return 256 of the points, each drawn with a chance that grows with its squared distance from those before it.

    Where there are fewer distinct points, points are repeated. Drawn evenly instead, centroids lie where points are
    many, and k-means hardly moves them away: after 25 rounds the loss is a tenth higher for pairs of normal numbers,
    and five times as high for single ones.

    References
    ----------
    Arthur and Vassilvitskii: k-means++, the advantages of careful seeding, 2007
    """
    drawn = rng.permutation(len(points))[:_CANDIDATES]
    candidates = points[drawn]
    heavy = np.ones(1) if weights is None else weights[drawn]
    chosen = np.zeros(NUM_CENTROIDS, dtype=np.int64)  # the first candidate is the first centroid
    distances = _squared_distances(candidates, candidates[0])
    for place in range(1, NUM_CENTROIDS):
        sums = np.cumsum(distances * heavy, dtype=np.float64)
        # The least index whose sum is beyond the draw: never one of distance 0, unless all are.
        chosen[place] = min(np.searchsorted(sums, rng.random() * sums[-1], side="right"), len(sums) - 1)
        np.minimum(distances, _squared_distances(candidates, candidates[chosen[place]]), out=distances)
    centroids: Floats = candidates[chosen]
    return centroids


def _squared_distances(points: Floats, one: Floats) -> Floats:
    distances: Floats = np.einsum("np,np->n", points - one, points - one)
    return distances


def moved_centroids(
    points: Floats,
    centroids: Floats,
    codes: npt.NDArray[np.integer[Any]],
    distances: Floats,
    weights: Doubles | None = None,
) -> Floats:
    """Return each centroid moved to the mean of its points, and one without points moved to a point far from its own.

    Parameters
    ----------
    points, centroids : float32 arrays of shapes (N, P) and (256, P)
    codes, distances : arrays of shape (N,)
        Each point's nearest centroid, and the squared distance to it.
    weights : float64 array of shape (N,), or None
        As for :func:`learn_centroids`.
    """
    codes = codes.astype(np.intp)  # once, and not in every count
    counts = np.bincount(codes, weights, minlength=NUM_CENTROIDS)
    moved = centroids.copy()
    has_points = counts > 0
    for column, values in enumerate(points.T):
        heavy = values if weights is None else values * weights
        sums = np.bincount(codes, weights=heavy, minlength=NUM_CENTROIDS)  # in double precision
        moved[has_points, column] = sums[has_points] / counts[has_points]
    (empty,) = np.nonzero(~has_points)
    if empty.size:
        far = np.argsort(-distances, kind="stable")[: len(empty)]
        far = far[distances[far] > 0]  # else every point is a centroid already
        moved[empty[: len(far)]] = points[far]
    return moved


def assign(rows: Floats, centroids: Floats, part_size: int, codes: npt.NDArray[np.uint8], distances: Floats) -> None:
    """Overwrite codes and distances (N, M) as the kernel does; rows (N, D) and centroids (256 * D,) of any layout."""
    from daneo.embeddings.compression.product_quantizer_kernels import encode

    encode(_readable(rows), _readable(centroids), part_size, codes, distances)


def _readable(values: Floats) -> Floats:
    """Return a read-only view: Numba would compile once more for arrays that may be written to."""
    view = np.require(values, np.float32, ["C", "A"]).view()
    view.flags.writeable = False
    return view
