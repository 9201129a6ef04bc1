"""What can be said of losses over seeds: medians, bands, bootstrap intervals. A run that diverged is the worst, never left out.

A run has diverged where its objective is NaN, infinite or above ``DIVERGED``. In all order statistics it counts as worse than
every run that has not; a median or an end of an interval that falls among such runs is ``inf``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from benchkit.grid import generator
from optimbench.convergence.trajectory import Array

DIVERGED = 1e30  # beyond any objective of these problems, and within float32
_STAND_IN = (
    1e140  # for a run that diverged: even a thousandth of it, by interpolation, lies above DIVERGED; its square is finite
)
CONFIDENCE = 0.95
RESAMPLES = 2000


def diverged(losses: Array) -> NDArray[np.bool_]:
    """Where training has left the numbers, of the shape of ``losses``."""
    return ~(losses <= DIVERGED) | np.isneginf(losses)


def comparable(losses: Array) -> Array:
    """The losses with one huge finite number for all runs that diverged, so that they sort last and tie."""
    return np.where(diverged(losses), _STAND_IN, losses)


def told(values: ArrayLike) -> Array:
    """Order statistics of ``comparable`` losses with ``inf`` where runs that diverged decide them."""
    return np.where(np.asarray(values) > DIVERGED, np.inf, values)


@dataclass(frozen=True)
class Bands:
    """Order statistics over seeds at every recorded step, each (T,): the median, the middle half and the middle 90 %."""

    median: Array
    half: tuple[Array, Array]
    most: tuple[Array, Array]


def bands(losses: Array) -> Bands:
    """The bands of losses (S, T)."""
    low, lower, median, upper, high = told(np.percentile(comparable(losses), (5, 25, 50, 75, 95), axis=0))
    return Bands(median, (lower, upper), (low, high))


def median(losses: Array) -> float:
    """The median over the seeds, (S,) to a number; ``inf`` where half of them diverged."""
    return float(told(np.median(comparable(losses))))


def median_interval(losses: Array, *names: object, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Bootstrap interval (percentile method) of the median over seeds (S,); its resamples follow from ``names``.

    NaN at both ends for fewer than two seeds, of which nothing can be said.
    """
    if len(losses) < 2:
        return np.nan, np.nan
    found = stats.bootstrap(
        (comparable(losses),),
        np.median,
        confidence_level=confidence,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=generator("bootstrap of the median", *names),
    ).confidence_interval
    return float(told(found.low)), float(told(found.high))
