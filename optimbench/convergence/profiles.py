"""Performance profiles: over all problems, how often a contender needs at most so many times what the best one needs.

Dolan and Moré, Benchmarking optimization software with performance profiles, Mathematical Programming 91 (2002).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from optimbench.convergence.targets import Reached
from optimbench.convergence.trajectory import Array

LIMIT = 64.0  # times the best: where the axis and the score end


def costs_of(labels: Sequence[str], reached: Sequence[Mapping[str, Reached]], axis: str) -> Array:
    """Costs (P, C) of problems and contenders; a contender that was not run on a problem has not solved it."""
    return np.array([[getattr(by[label], axis).value if label in by else np.inf for label in labels] for by in reached])


def ratios(costs: Array) -> Array:
    """Costs (P, C) of P problems and C contenders (``inf`` or NaN: not solved) over the least cost of each problem.

    A problem that nobody solves counts against everybody: all its ratios are ``inf``.
    """
    solved = np.where(np.isnan(costs), np.inf, costs)
    best = solved.min(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(solved == best, 1.0, solved / best)
    return np.where(np.isfinite(solved), found, np.inf)


def profile(found: Array, tau: Array) -> Array:
    """The share of the problems with a ratio of at most ``tau`` (K,), for ratios (P, C): (K, C)."""
    return np.asarray((found[None] <= tau[:, None, None]).mean(axis=1))


def score(found: Array, limit: float) -> Array:
    """The area under each profile between ratio 1 and ``limit`` on a logarithmic axis, as a share of the most possible, (C,).

    1: best on every problem; 0: within ``limit`` times the best on none.
    """
    inside = np.clip(found, 1.0, limit)
    return np.asarray(np.where(found <= limit, 1.0 - np.log(inside) / np.log(limit), 0.0).mean(axis=0))
