"""The sampler and the verdicts on pairs, on clocks that are made up: no test judges a time of this machine."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom

from benchkit import sampling
from benchkit.pairs import AMBIGUOUS, FASTER, MOST_PAIRS, SAME, SLOWER, compare, judge
from benchkit.sampling import Sample, batch, median_interval, sample
from benchkit.self_test import ask


class FakeClock:
    """A clock on which every operation takes what it is worth, times a noise that drifts like that of a busy machine."""

    def __init__(self, noise: float = 0.0, drift: float = 0.0, second: float = 1.0, seed: int = 0) -> None:
        self.rng, self.noise, self.drift, self.second = np.random.default_rng(seed), noise, drift, second
        self.readings, self.calls, self.before = itertools.count(), 0, False

    def __call__(self, run, calls):
        reading = next(self.readings)
        self.calls += calls
        weather = math.exp(self.drift * math.sin(reading / 50.0))
        worth = run() * weather * math.exp(self.noise * self.rng.standard_normal())
        return Sample(worth)


def worth(seconds):
    return lambda: seconds


RNG_SEEDS = range(20)


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_an_operation_is_never_faster_or_slower_than_itself(seed):
    """However the machine drifts, and although single samples scatter by ten percent."""
    found = compare(worth(1e-4), worth(1e-4), FakeClock(0.1, 0.5, seed=seed), np.random.default_rng(seed), budget_s=0.3)

    assert found.verdict in (SAME, AMBIGUOUS)


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_five_percent_are_found(seed):
    found = compare(worth(1e-4), worth(1.05e-4), FakeClock(0.1, 0.5, seed=seed), np.random.default_rng(seed), budget_s=10.0)

    assert found.verdict == SLOWER
    assert found.low <= found.ratio <= found.high
    assert found.low > 1.01


def test_the_faster_one_is_told_and_both_sides_are_kept():
    found = compare(worth(2e-4), worth(1e-4), FakeClock(0.01), np.random.default_rng(0))

    assert found.verdict == FASTER
    assert found.ratio == pytest.approx(0.5, rel=0.02)
    assert len(found.first.samples) == len(found.second.samples) == found.pairs
    assert found.first.median_s == pytest.approx(2e-4, rel=0.05)


def test_a_difference_below_the_floor_is_none():
    """A true half percent, known exactly: there, and of no account."""
    found = compare(worth(1e-4), worth(1.005e-4), FakeClock(0.001), np.random.default_rng(0))

    assert found.verdict == SAME


def test_what_the_budget_does_not_decide_is_ambiguous():
    """A true three percent under noise of a hundred, with no time to look for it."""
    found = compare(worth(1e-4), worth(1.03e-4), FakeClock(1.0), np.random.default_rng(0), budget_s=0.0)

    assert found.verdict == AMBIGUOUS
    assert found.pairs == 2
    assert (found.low, found.high) == (0.0, math.inf)


def test_the_order_within_pairs_is_drawn():
    """A second place that costs a tenth more tells the two apart in a fixed order, and not in a drawn one."""
    order = []

    class Second(FakeClock):
        def __call__(self, run, calls):
            self.before = not self.before
            order.append(run)
            return Sample(run() * (1.0 if self.before else 1.1) * math.exp(0.02 * self.rng.standard_normal()))

    one, other = worth(1e-3), worth(1e-3)
    clock = Second()
    batch_readings = 2 * (sampling.WARM_UP_CALLS + 3)
    found = compare(one, other, clock, np.random.default_rng(0), budget_s=0.2)
    firsts = order[-2 * found.pairs :: 2]

    assert batch_readings % 2 == 0
    assert found.verdict != SLOWER
    assert 0.3 < sum(run is one for run in firsts) / len(firsts) < 0.7


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (1.02, 1.08, SLOWER),
        (0.9, 0.98, FASTER),
        (0.995, 1.005, SAME),
        (0.995, 1.02, AMBIGUOUS),
        (0.98, 1.005, AMBIGUOUS),
        (1.005, 1.2, AMBIGUOUS),
        (0.0, math.inf, AMBIGUOUS),
    ],
)
def test_verdict_of_an_interval(low, high, verdict):
    assert judge(low, high, 0.01) == verdict


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("count", [1, 2, 5, 8, 16, 37, 200])
def test_the_sign_interval_keeps_its_level_and_is_the_narrowest_that_does(count, level):
    """By the definition: the chance that fewer than k of n values, or more than n - k, lie below the median."""
    values = np.arange(1.0, count + 1.0)
    low, high = median_interval(values.tolist(), level)
    if math.isinf(low):
        assert 2.0 * binom.cdf(0, count, 0.5) > 1.0 - level
        return
    k = int(low)

    assert high == count + 1 - k
    assert 2.0 * binom.cdf(k - 1, count, 0.5) <= 1.0 - level < 2.0 * binom.cdf(k, count, 0.5)


def test_short_calls_are_timed_in_batches_that_last():
    """A call of a microsecond is repeated until the clock can see it; one of a millisecond is timed alone."""
    assert batch(worth(1e-6), FakeClock()) * 1e-6 >= sampling.SHORTEST_SAMPLE_S * 0.999
    assert batch(worth(1e-3), FakeClock()) == 1
    assert batch(worth(0.0), FakeClock()) == sampling.MOST_CALLS


def test_sampling_stops_when_the_median_is_known():
    steady = sample(worth(1e-3), FakeClock(0.001), budget_s=60.0)
    noisy = sample(worth(1e-3), FakeClock(0.3), budget_s=60.0)

    assert len(steady.samples) == 16
    assert len(noisy.samples) > 1000
    assert noisy.median_s == pytest.approx(1e-3, rel=0.02)


def test_a_spent_budget_still_leaves_a_spread():
    found = sample(worth(10.0), FakeClock(0.1), budget_s=0.0)

    assert len(found.samples) == 5
    assert found.min_s < found.quantile(0.25) < found.median_s < found.quantile(0.75)


def test_described_times_are_in_order():
    told = sample(worth(1e-3), FakeClock(0.3), budget_s=0.1).described()

    assert told["min_s"] <= told["p10_s"] <= told["q1_s"] <= told["median_s"] <= told["q3_s"]
    assert told["iqr_s"] == pytest.approx(told["q3_s"] - told["q1_s"])
    assert told["runs"] == told["samples"]


def test_the_processor_clock_counts_calls_and_time():
    """The real clock: every call is made, the time is positive, and work shows as CPU time."""
    made = []
    found = sampling.CpuClock()(lambda: made.append(sum(range(10_000))), 5)

    assert len(made) == 5
    assert found.wall_s > 0.0
    assert found.cpu_s > 0.0


def test_pairs_are_limited():
    """Without a decision the pairs end somewhere, whatever the budget."""
    times = iter(range(10**9))
    found = compare(
        worth(1.0), worth(1.01), FakeClock(0.0), np.random.default_rng(0), budget_s=math.inf, now=lambda: float(next(times))
    )

    assert found.pairs == MOST_PAIRS
    assert found.verdict == AMBIGUOUS


@pytest.mark.parametrize(
    ("clock", "known", "complaint"),
    [
        (FakeClock(0.001), 1e-3, None),
        (FakeClock(0.001), 1e-2, "an operation of 1 ms reads 10 ms"),
        (FakeClock(0.001), 1e-4, "an operation of 1 ms reads 0.1 ms"),
    ],
)
def test_self_test_of_a_clock_that_reads_wrong(clock, known, complaint):
    """A clock that is wrong by a factor passes every comparison; the operation of known duration shows it."""

    class Works(FakeClock):
        def __call__(self, run, calls):
            before = len(made)
            value = run()
            work = len(made) - before
            return Sample((1e-4 * work if work else value) * math.exp(0.001 * self.rng.standard_normal()))

    made: list[int] = []
    found = ask(lambda: made.append(1), worth(known), Works(), np.random.default_rng(0), 1.0)

    assert found.problems == ([complaint] if complaint else [])
    assert found.more.ratio == pytest.approx(1.05, abs=0.005)


def test_self_test_of_a_clock_that_sees_nothing():
    """A clock that always reads the same, as one that does not wait for the device: 5 % more work does not show."""
    found = ask(lambda: None, worth(1e-3), lambda run, calls: Sample(1e-3), np.random.default_rng(0), 0.5)

    assert any("5 % more work reads same" in problem for problem in found.problems)
