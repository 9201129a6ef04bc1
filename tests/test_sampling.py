"""The sampler and the verdicts on pairs, on clocks that are made up: no test judges a time of this machine."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import binom

from benchkit import sampling
from benchkit.pairs import AMBIGUOUS, FASTER, MOST_PAIRS, SAME, SLOWER, compare, judge
from benchkit.sampling import Sample, batch, median_interval, sample
from benchkit.self_test import ask, rest, sentences


class FakeClock:
    """A clock on which every operation takes what it is worth, times a noise that drifts like that of a busy machine."""

    def __init__(self, noise: float = 0.0, drift: float = 0.0, seed: int = 0) -> None:
        self.rng, self.noise, self.drift = np.random.default_rng(seed), noise, drift
        self.time, self.readings = 0.0, 0

    def now(self):
        return self.time

    def __call__(self, run, calls):
        return self.sample(run(), calls)

    def sample(self, worth, calls):
        """A reading of what is worth so many seconds, which then have gone by."""
        self.readings += 1
        weather = math.exp(self.drift * math.sin(self.readings / 50.0))
        taken = worth * weather * math.exp(self.noise * self.rng.standard_normal())
        self.time += max(taken * calls, 1e-6)
        return Sample(taken)


def worth(seconds):
    return lambda: seconds


def contest(first, second, clock, seed=0, budget_s=1.0):
    return compare(first, second, clock, np.random.default_rng(seed), budget_s, now=clock.now)


RNG_SEEDS = range(20)


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_an_operation_is_never_faster_or_slower_than_itself(seed):
    """However the machine drifts, and although single samples scatter by ten percent."""
    found = contest(worth(1e-4), worth(1e-4), FakeClock(0.1, 0.5, seed=seed), seed)

    assert found.verdict in (SAME, AMBIGUOUS)


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_five_percent_are_found(seed):
    found = contest(worth(1e-4), worth(1.05e-4), FakeClock(0.1, 0.5, seed=seed), seed)

    assert found.verdict == SLOWER
    assert found.low <= found.ratio <= found.high
    assert found.low > 1.01


def test_the_faster_one_is_told_and_both_sides_are_kept():
    found = contest(worth(2e-4), worth(1e-4), FakeClock(0.01))

    assert found.verdict == FASTER
    assert found.ratio == pytest.approx(0.5, rel=0.02)
    assert len(found.first.samples) == len(found.second.samples) == found.pairs
    assert found.first.median_s == pytest.approx(2e-4, rel=0.05)


def test_a_difference_below_the_floor_is_none():
    """A true half percent, known exactly: there, and of no account."""
    found = contest(worth(1e-4), worth(1.005e-4), FakeClock(0.001))

    assert found.verdict == SAME


def test_what_the_budget_does_not_decide_is_ambiguous():
    """A true three percent under noise of a hundred, with no time to look for it."""
    found = contest(worth(1e-4), worth(1.03e-4), FakeClock(1.0), budget_s=0.0)

    assert found.verdict == AMBIGUOUS
    assert found.pairs == 2
    assert (found.low, found.high) == (0.0, math.inf)


def test_the_order_within_pairs_is_drawn():
    """A second place that costs a tenth more tells the two apart in a fixed order, and not in a drawn one."""
    order = []

    class Second(FakeClock):
        def __call__(self, run, calls):
            order.append(run)
            return self.sample(run() * (1.0 if len(order) % 2 else 1.1), calls)

    one, other = worth(1e-3), worth(1e-3)
    found = contest(one, other, Second(0.02))
    firsts = order[-2 * found.pairs :: 2]

    assert found.verdict in (SAME, AMBIGUOUS)
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

    def calls(seconds):
        clock = FakeClock()
        return batch(worth(seconds), clock, clock.now)

    assert calls(1e-6) * 1e-6 >= sampling.SHORTEST_SAMPLE_S * 0.999
    assert calls(1e-3) == 1
    assert calls(0.0) == sampling.MOST_CALLS


def test_sampling_stops_when_the_median_is_known():
    steady, noisy = (sample(worth(1e-3), clock, 60.0, now=clock.now) for clock in (FakeClock(0.001), FakeClock(0.3)))

    assert len(steady.samples) == 16
    assert len(noisy.samples) > 1000
    assert noisy.median_s == pytest.approx(1e-3, rel=0.02)


def test_a_spent_budget_still_leaves_a_spread():
    clock = FakeClock(0.1)
    found = sample(worth(10.0), clock, 0.0, now=clock.now)

    assert len(found.samples) == 5
    assert found.min_s < found.quantile(0.25) < found.median_s < found.quantile(0.75)


def test_described_times_are_in_order():
    clock = FakeClock(0.3)
    told = sample(worth(1e-3), clock, 0.1, now=clock.now).described()

    assert told["min_s"] <= told["p10_s"] <= told["q1_s"] <= told["median_s"] <= told["q3_s"]
    assert told["iqr_s"] == pytest.approx(told["q3_s"] - told["q1_s"])
    assert told["runs"] == told["samples"]


def test_the_processor_clock_counts_calls_and_time():
    """The real clock: every call is made, the time is positive, and work shows as CPU time."""
    made = []
    ticker = sampling.CpuClock()
    found = [ticker(lambda: made.append(sum(range(10_000))), 5) for _ in range(sampling.ASKED_EVERY)]

    assert len(made) == 5 * len(found)
    assert all(one.wall_s > 0.0 for one in found)
    assert [one.cpu_s is not None for one in found] == [one.faults is not None for one in found]
    (known,) = [one.cpu_s for one in found if one.cpu_s is not None]
    assert known > 0.0


def test_pairs_are_limited():
    """Without a decision, here for noise that is ten times what is looked for, they end somewhere, whatever the budget."""
    found = contest(worth(1.0), worth(1.01), FakeClock(10.0), budget_s=math.inf)

    assert found.pairs == MOST_PAIRS
    assert found.verdict == AMBIGUOUS


@pytest.mark.parametrize(
    ("known", "complaint"),
    [(1e-3, None), (1e-2, "an operation of 1 ms reads"), (1e-4, "an operation of 1 ms reads")],
)
def test_self_test_of_a_clock_that_reads_wrong(known, complaint):
    """A clock that is wrong by a factor passes every comparison; the operation of known duration shows it."""

    class Works(FakeClock):
        def __call__(self, run, calls):
            before = len(made)
            value = run()
            work = len(made) - before
            return self.sample(1e-4 * work if work else value, calls)

    made: list[int] = []
    clock = Works(0.001)
    found = ask(lambda: made.append(1), worth(known), clock, np.random.default_rng(0), 1.0, clock.now)

    assert [problem[: len(complaint or "")] for problem in found.problems] == ([complaint] if complaint else [])
    assert found.known_s == pytest.approx(known, rel=0.01)
    assert found.more.ratio == pytest.approx(1.05, abs=0.005)


def test_self_test_of_a_clock_that_sees_nothing():
    """A clock that always reads the same, as one that does not wait for the device: 5 % more work does not show."""

    class Blind(FakeClock):
        def __call__(self, run, calls):
            return self.sample(1e-3, calls)

    clock = Blind()
    found = ask(lambda: None, worth(1e-3), clock, np.random.default_rng(0), 0.5, clock.now)

    assert any("5 % more work reads same" in problem for problem in found.problems)


def test_self_test_without_a_kernel_of_known_duration():
    """A device on which torch cannot wait (such as MPS) is asked the other two questions, and the header says so."""

    class Works(FakeClock):
        def __call__(self, run, calls):
            before = len(made)
            run()
            return self.sample(1e-4 * (len(made) - before), calls)

    made: list[int] = []
    clock = Works(0.001)
    found = ask(lambda: made.append(1), None, clock, np.random.default_rng(0), 1.0, clock.now)

    assert rest("mps") is None
    assert found.known_s is None
    assert found.problems == []
    assert "was not asked for" in sentences(found.described() | {"device": "mps"})[0]


def test_the_accelerator_clock_encloses_every_call_and_waits(monkeypatch):
    """Flush, event, call, event, for each call anew; events are read once the device is done; the mean is in seconds."""
    said: list[str] = []

    class Event:
        made = 0

        def __init__(self, device, enable_timing):
            assert enable_timing
            Event.made += 1
            self.name = f"event {Event.made}"

        def record(self):
            said.append(self.name)

        def elapsed_time(self, other):
            said.append(f"{self.name} to {other.name}")
            return 3.0  # milliseconds

    monkeypatch.setattr(torch, "Event", Event)
    monkeypatch.setattr(torch.accelerator, "synchronize", lambda device: said.append("wait"))
    ticker = sampling.AcceleratorClock("cpu", flush_bytes=8)
    ticker.flush.fill_(1)
    found = ticker(lambda: said.append("flushed" if not ticker.flush.any() else "not flushed"), 2)

    assert found.wall_s == pytest.approx(3e-3)
    assert said == [
        "event 1", "flushed", "event 2", "event 3", "flushed", "event 4", "wait", "event 1 to event 2", "event 3 to event 4",
    ]  # fmt: skip
