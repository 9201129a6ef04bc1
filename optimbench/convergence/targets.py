"""When a contender reaches the target: one step for all seeds, found by a test, with what it costs in evaluations and seconds.

A person who trains decides beforehand how long; so the number of steps is fixed for all seeds, as in studies of steps to
result, and is the smallest recorded one at which a one-sided test says that the mean objective over seeds lies below the
target. Trying every recorded step is trying often: at one step after another that lies exactly on the target, a test at 5 %
would soon say yes. The threshold of the t statistic is therefore that of the least t over all recorded steps of a run when
the sign of each seed's distance from the target is drawn at random (Westfall and Young, Resampling-Based Multiple Testing,
1993), which takes the dependence between steps as it is. With fewer than five seeds no such test can say anything.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from benchkit.grid import generator
from optimbench.convergence.statistics import CONFIDENCE, diverged
from optimbench.convergence.trajectory import Array, Trajectories

LEVEL = 0.05  # of the test
RULE = (
    "Reached: the smallest recorded step, the same for all seeds, at which a one-sided test at 5 %, corrected for the number "
    "of steps tried, says that the mean objective lies below the target; 95 % intervals by bootstrap of the seeds."
)
COSTS = ("steps", "evaluations", "seconds")  # the kinds of cost, fields of ``Reached``
FEWEST_SEEDS = 5  # 2**-5 < LEVEL <= 2**-4
FLIPS = 999
RESAMPLES = 1000


@dataclass(frozen=True)
class Cost:
    """An estimate with its interval; ``inf``: the target was not reached, NaN: not known."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Reached:
    """What reaching the target costs, and the share of the seeds whose own objective was ever at or below it."""

    steps: Cost
    evaluations: Cost  # of loss and gradient, median over the seeds
    seconds: Cost
    share: float

    def columns(self) -> dict[str, float]:
        """Every cost with the ends of its interval, by the names of the columns of tables."""
        kinds = ((kind, getattr(self, kind)) for kind in COSTS)
        return {f"{kind}{end}": value for kind, cost in kinds for end, value in zip(("", "_low", "_high"), astuple(cost))}

    @property
    def ever(self) -> bool:
        return bool(np.isfinite(self.steps.value))


def t_statistics(losses: Array, target: float) -> Array:
    """Student's t of the mean minus the target at every step, (S, T) to (T,); ``inf`` where a run has diverged."""
    return _resampled(losses, target, np.ones((1, len(losses))))[0]


def threshold(losses: Array, target: float, *names: object) -> float:
    """The t under which the mean is said to lie below the target, for all recorded steps together; ``-inf``: never.

    The observed signs count among the random ones, so the level holds for any number of draws.
    """
    distances = np.where(diverged(losses), 0.0, losses - target)
    signs = generator("signs", *names).choice((-1.0, 1.0), (FLIPS, len(losses)))
    squares = np.square(distances).sum(axis=0)
    least = np.sort(_student(signs @ distances, squares, len(losses)).min(axis=1))
    allowed = int(LEVEL * (FLIPS + 1)) - 1  # this many of the random ones may lie below
    return float(least[allowed])


def reached(runs: Trajectories, target: float, *names: object) -> Reached:
    """Steps, evaluations and seconds to the target; intervals by a bootstrap of the seeds, drawn from ``names``."""
    losses = runs.losses
    share = float(np.mean((~diverged(losses) & (losses <= target)).any(axis=1)))
    if len(losses) < FEWEST_SEEDS:
        unknown = Cost(np.nan, np.nan, np.nan)
        return Reached(unknown, unknown, unknown, share)
    limit = threshold(losses, target, *names)
    count = generator("bootstrap of the steps", *names).multinomial(
        len(losses), np.full(len(losses), 1 / len(losses)), RESAMPLES
    )
    first = _first(t_statistics(losses, target)[None] < limit)[0]
    firsts = np.sort(_first(_resampled(losses, target, count.astype(float)) < limit))
    tail = (1.0 - CONFIDENCE) / 2
    ends = [first, *(int(q) for q in np.quantile(firsts, (tail, 1.0 - tail), method="inverted_cdf"))]
    steps = [*runs.steps.astype(float), np.inf]
    evaluations = [*np.median(runs.evaluations, axis=0).astype(float), np.inf]
    seconds = [0.0, *map(float, runs.seconds[1:]), np.inf]
    return Reached(
        Cost(*(float(steps[k]) for k in ends)),
        Cost(*(float(evaluations[k]) for k in ends)),
        Cost(*(seconds[k] for k in ends)),
        share,
    )


def _first(said: np.ndarray) -> np.ndarray:
    """The first index of each row (R, T) that is true, T where there is none."""
    return np.where(said.any(axis=1), said.argmax(axis=1), said.shape[1])


def _resampled(losses: Array, target: float, count: Array) -> Array:
    """The t statistics (R, T) of samples that hold seed s ``count[r, s]`` times."""
    wrong = diverged(losses)
    distances = np.where(wrong, 0.0, losses - target)
    found = _student(count @ distances, count @ np.square(distances), len(losses))
    return np.where(count @ wrong.astype(float) > 0, np.inf, found)


def _student(sums: Array, squares: Array, n: int) -> Array:
    """Student's t against zero from the sums and the sums of squares of n numbers; without scatter ``inf`` with the sign."""
    scatter = np.maximum(squares - np.square(sums) / n, 0.0)
    scatter = np.where(scatter <= 1e-12 * squares, 0.0, scatter)  # what rounding leaves
    with np.errstate(divide="ignore", invalid="ignore"):
        t = sums / np.sqrt(n * scatter / (n - 1))
    return np.where(np.isnan(t), 0.0, t)  # 0 / 0: every number is exactly the target, which is not below it
