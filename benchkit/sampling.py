"""One sampler for all times: how long single calls take, on a clock that knows the device.

A sample is one call, or a batch of calls where one is too short for the clock; a sample of several calls counts as their mean.
Nothing but the calls lies between the two readings of the clock, and an accelerator is waited for within them. torch is
imported where a clock needs it; the arithmetic does not.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Run = Callable[[], Any]

SHORTEST_SAMPLE_S = 50e-6  # of a shorter one the reading of the clock itself is a part that shows
MOST_CALLS = 10_000  # in one batch
ASKED_EVERY = 4  # samples of the CPU, of which one asks for more than the time
MOST_KEPT = 100  # samples that a record holds
WARM_UP_CALLS = 2
WARM_UP_S = 0.02


@dataclass(frozen=True)
class Sample:
    """The mean of one call of a batch: seconds by the clock and, where they were asked for, CPU seconds of the calling thread
    and page faults a call."""

    wall_s: float
    cpu_s: float | None = None
    faults: float | None = None


class Clock(Protocol):
    """Something that takes the time of ``calls`` calls in a row."""

    def __call__(self, run: Run, calls: int) -> Sample: ...


def page_faults() -> int:
    """The page faults of this process that needed no disk; 0 where the system does not count them."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


class CpuClock:
    """``perf_counter`` around the calls; for some samples also page faults, and the time of the thread, which tells work from
    waiting. Not for all: asking the system for these just before a call makes one of a hundred microseconds a few percent
    slower.
    """

    def __init__(self) -> None:
        self.taken = 0

    def __call__(self, run: Run, calls: int) -> Sample:
        self.taken += 1
        asking = self.taken % ASKED_EVERY == 0
        faults, cpu = (page_faults(), time.thread_time_ns()) if asking else (0, 0)
        begun = time.perf_counter_ns()
        for _ in range(calls):
            run()
        wall_s = (time.perf_counter_ns() - begun) / calls * 1e-9
        if not asking:
            return Sample(wall_s)
        spent = time.thread_time_ns() - cpu
        return Sample(wall_s, spent / calls * 1e-9, (page_faults() - faults) / calls)


class AcceleratorClock:
    """Events on the stream of an accelerator, one before and one after every call, so that the host's pace does not count.

    Before each call the cache is overwritten, since a kernel that finds its inputs there reads no memory; ``flush_bytes`` is
    how much is written, best more than the last level of the cache holds (0: the inputs stay where they are).
    """

    def __init__(self, device: str, flush_bytes: int = 0) -> None:
        import torch

        self.device = torch.device(device)
        self.flush = torch.empty(flush_bytes, dtype=torch.uint8, device=self.device) if flush_bytes else None

    def __call__(self, run: Run, calls: int) -> Sample:
        import torch

        events = [[torch.Event(self.device, enable_timing=True) for _ in range(2)] for _ in range(calls)]
        cpu = time.thread_time_ns()
        for before, after in events:
            if self.flush is not None:
                self.flush.zero_()
            before.record()
            run()
            after.record()
        spent = time.thread_time_ns() - cpu
        torch.accelerator.synchronize(self.device)
        wall_ms = sum(before.elapsed_time(after) for before, after in events)
        return Sample(wall_ms / calls * 1e-3, spent / calls * 1e-9)


def clock(device: str) -> Clock:
    """The clock of a device; the cache of an accelerator is flushed where torch says how large it is."""
    if device == "cpu":
        return CpuClock()
    import torch

    module: Any = getattr(torch, device, None)
    properties = module.get_device_properties() if hasattr(module, "get_device_properties") else None
    return AcceleratorClock(device, 2 * int(getattr(properties, "L2_cache_size", 0)))


Now = Callable[[], float]  # the time of day in seconds, by which budgets are kept


def batch(run: Run, clock: Clock, now: Now = time.perf_counter) -> int:
    """How many calls make a sample that is long enough, after warming up."""
    warm, deadline = 0, now() + WARM_UP_S
    while warm < WARM_UP_CALLS or now() < deadline:
        taken = clock(run, 1).wall_s
        warm += 1
        if taken > WARM_UP_S:
            break
    taken = min(clock(run, 1).wall_s for _ in range(3))
    if taken >= SHORTEST_SAMPLE_S:
        return 1
    return min(MOST_CALLS, int(np.ceil(SHORTEST_SAMPLE_S / max(taken, 1e-9))))


@dataclass(frozen=True)
class Times:
    """The samples of one operation: how they spread, in seconds for one call.

    The smallest repeats best from process to process; the median is what a user meets.
    """

    samples: tuple[Sample, ...]
    calls: int

    @property
    def wall_s(self) -> list[float]:
        return [sample.wall_s for sample in self.samples]

    @property
    def min_s(self) -> float:
        return min(self.wall_s)

    @property
    def median_s(self) -> float:
        return statistics.median(self.wall_s)

    def quantile(self, q: float) -> float:
        """The time that a share ``q`` of the samples stays below."""
        return float(np.quantile(self.wall_s, q))

    def described(self) -> dict[str, Any]:
        """The fields of a record."""
        return {
            "min_s": self.min_s,
            "p10_s": self.quantile(0.1),
            "q1_s": self.quantile(0.25),
            "median_s": self.median_s,
            "q3_s": self.quantile(0.75),
            "iqr_s": self.quantile(0.75) - self.quantile(0.25),
            "cpu_s": _median_of_known(sample.cpu_s for sample in self.samples),
            "page_faults": _median_of_known(sample.faults for sample in self.samples),
            "samples": len(self.samples),
            "runs": len(self.samples) * self.calls,
            "calls": self.calls,
            "samples_s": self.kept(),
        }

    def kept(self) -> list[float]:
        """The samples in the order in which they were taken, to four digits; evenly thinned where they are very many."""
        stride = -(-len(self.samples) // MOST_KEPT)
        return [float(f"{value:.4g}") for value in self.wall_s[::stride]]


def _median_of_known(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def sample(
    run: Run,
    clock: Clock,
    budget_s: float,
    precision: float = 0.01,
    least: int = 5,
    most: int = 10_000,
    now: Now = time.perf_counter,
) -> Times:
    """Time calls until the median is known to a share of ``precision`` with 95 %, or the budget is spent.

    At least ``least`` samples are taken whatever they cost, so that there is a spread to tell.
    """
    calls, looked = batch(run, clock, now), 16
    found: list[Sample] = []
    deadline = now() + budget_s
    while len(found) < most and (len(found) < least or now() < deadline):
        found.append(clock(run, calls))
        if len(found) == looked:
            looked = looked * 3 // 2
            low, high = median_interval([one.wall_s for one in found], 0.95)
            if high - low <= precision * high:
                break
    return Times(tuple(found), calls)


def median_interval(values: Sequence[float], level: float) -> tuple[float, float]:
    """The interval of a sign test that holds the median of what the values are drawn from with at least this probability.

    No distribution is assumed. Infinite where the values are too few to say.
    """
    from scipy.stats import binom

    ordered, count = np.sort(np.asarray(values, dtype=np.float64)), len(values)
    k = int(binom.ppf((1.0 - level) / 2.0, count, 0.5))
    while k > 0 and 2.0 * binom.cdf(k - 1, count, 0.5) > 1.0 - level:
        k -= 1
    if k <= 0:
        return -np.inf, np.inf
    return float(ordered[k - 1]), float(ordered[count - k])
