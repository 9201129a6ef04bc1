"""Cross-checks: the same kernel by our clock and by that of another harness, in pairs of random order.

torch's own benchmark Timer on the CPU, triton's ``do_bench`` on a GPU. Each is asked for the time of as many calls as one of
our samples has, and the two must agree within ten percent: a harness that multiplies by a count too many, does not wait for
the device, or has the making of its inputs inside, does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from benchkit.pairs import AMBIGUOUS, SAME, compare
from benchkit.sampling import WARM_UP_CALLS, Clock, Run, Sample

AGREE = 0.1
REPEAT_MS = 20  # how long do_bench repeats a kernel for one of its medians

T = TypeVar("T")


class TorchTimer:
    """``torch.utils.benchmark.Timer`` as a clock."""

    name = "torch.utils.benchmark.Timer"

    def __init__(self) -> None:
        self.timers: dict[int, Any] = {}  # by operation: making one compiles its statement

    def __call__(self, run: Run, calls: int) -> Sample:
        import torch
        from torch.utils.benchmark import Timer

        if id(run) not in self.timers:
            self.timers[id(run)] = Timer("run()", globals={"run": run}, num_threads=torch.get_num_threads())
        return Sample(self.timers[id(run)].timeit(calls).mean)


class TritonBench:
    """``triton.testing.do_bench`` as a clock; it flushes the cache and takes the median itself."""

    name = "triton.testing.do_bench"

    def __call__(self, run: Run, calls: int) -> Sample:
        from triton.testing import do_bench

        return Sample(1e-3 * do_bench(run, warmup=1, rep=REPEAT_MS, return_mode="median"))


def other_clock(device: str) -> TorchTimer | TritonBench | None:
    """The clock of the other harness for a device, None where there is none."""
    if device == "cpu":
        return TorchTimer()
    try:
        import triton.testing  # noqa: F401
    except ImportError:
        return None
    return TritonBench() if device == "cuda" else None


def cross_check(
    run: Run, clock: Clock, theirs: TorchTimer | TritonBench, rng: np.random.Generator, budget_s: float
) -> dict[str, Any]:
    """The fields of a record: the time by the other harness over that by ours, and whether they agree within ``AGREE``.

    ``agrees`` is None where the budget did not tell.
    """
    found = compare(run, run, _warmed(clock), rng, budget_s, floor=AGREE, second_clock=theirs)
    return {
        "harness": theirs.name,
        "ours_s": found.first.median_s,
        "theirs_s": found.second.median_s,
        **found.described(),
        "within": AGREE,
        "agrees": None if found.verdict == AMBIGUOUS else found.verdict == SAME,
    }


def _warmed(clock: Clock) -> Clock:
    """Our clock after the two calls that both other harnesses make before they begin to count."""

    def warmed(run: Run, calls: int) -> Sample:
        for _ in range(WARM_UP_CALLS):
            run()
        return clock(run, calls)

    return warmed


def spread_evenly(rows: Sequence[T], count: int) -> list[T]:
    """So many rows of all, from the first to the last at equal distances."""
    if len(rows) <= count:
        return list(rows)
    return [rows[round(k * (len(rows) - 1) / max(1, count - 1))] for k in range(count)]
