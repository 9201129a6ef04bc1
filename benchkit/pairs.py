"""Two operations side by side: pairs of samples in random order, and a verdict that can be believed.

Times of one machine drift by tens of percent within seconds, so two operations that are timed one after the other differ even
if they are the same. What does not drift is the ratio of two samples taken directly after each other. Which of them comes
first is drawn for every pair, since the second one finds the caches and the clock as the first one left them.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchkit.sampling import Clock, Now, Run, Sample, Times, batch, median_interval

FASTER, SLOWER, SAME, AMBIGUOUS = "faster", "slower", "same", "ambiguous"
LEVEL = 0.99
FLOOR = 0.01  # a difference below this is none: layouts of memory alone can make it
LEAST_PAIRS, MOST_PAIRS = 16, 20_000
FEWEST_PAIRS = 8  # with fewer no interval has the level, whatever they say
STRETCH = 4.0


@dataclass(frozen=True)
class Paired:
    """What the pairs say of the second operation beside the first: ``ratio`` is its time over that of the first one.

    ``low`` and ``high`` are the sign-test interval of the median ratio. The verdict is ``faster`` or ``slower`` where the whole
    interval lies beyond the floor, ``same`` where it lies within, and ``ambiguous`` where the budget did not decide.
    """

    verdict: str
    ratio: float
    low: float
    high: float
    pairs: int
    first: Times
    second: Times

    def described(self) -> dict[str, Any]:
        """The fields of a record."""
        return {
            "verdict": self.verdict,
            "ratio": self.ratio,
            "ratio_low": self.low,
            "ratio_high": self.high,
            "pairs": self.pairs,
        }


def judge(low: float, high: float, floor: float = FLOOR) -> str:
    """The verdict on an interval of ratios; ``ambiguous`` also means that more pairs may decide."""
    if low > 1.0 + floor:
        return SLOWER
    if high < 1.0 / (1.0 + floor):
        return FASTER
    return SAME if low >= 1.0 / (1.0 + floor) and high <= 1.0 + floor else AMBIGUOUS


def compare(
    first: Run,
    second: Run,
    clock: Clock,
    rng: np.random.Generator,
    budget_s: float = 1.0,
    floor: float = FLOOR,
    now: Now = time.perf_counter,
    *,
    second_clock: Clock | None = None,
    precision: float = math.inf,
) -> Paired:
    """Time two operations in pairs until they are told apart or are known to be the same, and the interval of the ratio is
    no wider than a share of ``precision``; or until the budget is spent.

    Both samples of a pair have as many calls, so that the work between the readings of the clock differs by nothing but the
    operations. With a ``second_clock``, for an operation on another device, each has the number that its own clock needs.
    A budget that is too small for ``FEWEST_PAIRS``, without which there is no interval, may be exceeded ``STRETCH`` times.
    """
    other_clock = second_clock or clock
    calls, other_calls = batch(first, clock, now), batch(second, other_clock, now)
    if second_clock is None:
        calls = other_calls = max(calls, other_calls)
    ones: list[Sample] = []
    others: list[Sample] = []
    begun, look = now(), LEAST_PAIRS
    low, high, verdict = -math.inf, math.inf, AMBIGUOUS
    while len(ones) < MOST_PAIRS:
        if rng.random() < 0.5:
            one, other = clock(first, calls), other_clock(second, other_calls)
        else:
            other, one = other_clock(second, other_calls), clock(first, calls)
        ones.append(one)
        others.append(other)
        spent, enough = now() - begun, len(ones) >= FEWEST_PAIRS
        late = spent >= budget_s * (1.0 if enough else STRETCH) and len(ones) >= 2
        # Looks grow apart, so that chance has few occasions to decide.
        if len(ones) >= look or late:
            look = look * 3 // 2
            low, high = interval(ones, others)
            verdict = judge(low, high, floor)
            if late or (verdict != AMBIGUOUS and high <= low * (1.0 + precision)):
                break
    ratio = float(np.exp(np.median(_log_ratios(ones, others))))
    return Paired(verdict, ratio, low, high, len(ones), Times(tuple(ones), calls), Times(tuple(others), other_calls))


def interval(first: list[Sample], second: list[Sample]) -> tuple[float, float]:
    """The interval of the median ratio of second to first."""
    low, high = median_interval(_log_ratios(first, second).tolist(), LEVEL)
    return math.exp(low), math.exp(high)


def _log_ratios(first: list[Sample], second: list[Sample]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.log([other.wall_s for other in second]) - np.log([one.wall_s for one in first])
