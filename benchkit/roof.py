"""The limit of the machine: how fast it moves as many bytes as a kernel must at least.

Memory is not one speed. A working set that stays in a cache moves several times faster than one that does not, so the limit of
a kernel is measured at its own working set, in pairs with it: a sum of two arrays into a third that together hold the bytes of
the kernel. The share of the limit is above one where a kernel has less in memory at once than it moves in all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchkit.pairs import compare
from benchkit.sampling import Clock, Run

SMALLEST = 3 * 64 * 4  # bytes; below this a sum is all launch and no traffic
NUMBER = 4  # bytes of a float32


@dataclass(frozen=True)
class Roof:
    """A share of the limit with its interval, and the limit itself in GB/s."""

    share: float
    low: float
    high: float
    gb_per_s: float

    def described(self) -> Mapping[str, Any]:
        """The fields of a record."""
        names = {"roof_share": self.share, "roof_share_low": self.low, "roof_share_high": self.high}
        return {**names, "roof_gb_per_s": self.gb_per_s}


def traffic(least: int, device: str) -> tuple[Run, int]:
    """An operation that reads two arrays and writes a third, ``least`` bytes in all, and the bytes that it moves."""
    import torch

    numbers = max(least, SMALLEST) // (3 * NUMBER)
    a, b, c = (torch.ones(numbers, dtype=torch.float32, device=device) for _ in range(3))
    return lambda: torch.add(a, b, out=c), 3 * NUMBER * numbers


def roof(run: Run, least: int, device: str, clock: Clock, rng: np.random.Generator, budget_s: float) -> Roof:
    """The share of the limit that a kernel reaches which must move ``least`` bytes: its rate over that of the sum beside it."""
    moving, moved = traffic(least, device)
    found = compare(moving, run, clock, rng, budget_s)
    worth = least / moved  # a kernel of half the bytes in the same time is at half the limit
    low, high = (worth / ratio if ratio else np.inf for ratio in (found.high, found.low))
    return Roof(worth / found.ratio, low, high, moved / found.first.median_s / 1e9)
