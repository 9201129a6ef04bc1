"""The limit of the machine: how fast it moves as many bytes as a kernel must at least.

Memory is not one speed. A working set that stays in a cache moves several times faster than one that does not, and what is
changed where it lies costs less than what is written elsewhere, which a processor reads before it writes. So the limit of a
kernel is measured in pairs with it, at its own working set and in its own manner: a sum of two arrays, into a third or into the
first of them, that together are as large as the memory of the kernel.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchkit import devices
from benchkit.pairs import compare
from benchkit.points import Kernel
from benchkit.sampling import Clock, Run, sample

SMALLEST = 3 * 64 * 4  # bytes; below this a sum is all launch and no traffic
NUMBER = 4  # bytes of a float32
PRECISION = 0.05  # how well the share is to be known, where the budget allows it
SIDE = 1024  # of the matrices whose product shows the arithmetic of the machine
LAUNCHES = 200  # in a row, without waiting for any


@dataclass(frozen=True)
class Roof:
    """A kernel beside the sum of ``moved`` bytes: the ratio of the times with its interval, and the rate of the sum."""

    worth: float  # the bytes of the kernel over those of the sum
    moved: int  # the bytes of the sum
    ratio: float
    low: float
    high: float
    gb_per_s: float

    def described(self) -> Mapping[str, Any]:
        """The fields of a record: the share of the limit that the kernel reaches, and the ratio of times that it comes from."""
        return {
            "roof_ratio": self.ratio,
            "roof_ratio_low": self.low,
            "roof_ratio_high": self.high,
            "roof_share": self.worth / self.ratio,  # a kernel of half the bytes in the same time is at half the limit
            "roof_share_low": self.worth / self.high,
            "roof_share_high": self.worth / self.low if self.low > 0.0 else np.inf,
            "roof_gb_per_s": self.gb_per_s,
            "roof_bytes": self.moved,
        }


def traffic(held: int, device: str, in_place: bool = False) -> tuple[Run, int]:
    """An operation that reads two arrays and writes a third, or ``in_place`` the first, ``held`` bytes of memory in all, and
    the bytes that it moves."""
    import torch

    arrays = 2 if in_place else 3
    numbers = max(held, SMALLEST) // (arrays * NUMBER)
    a, b, *c = (torch.ones(numbers, dtype=torch.float32, device=devices.place(device)) for _ in range(arrays))
    target = c[0] if c else a
    return lambda: torch.add(a, b, out=target), 3 * NUMBER * numbers


def roof(kernel: Kernel, device: str, clock: Clock, rng: np.random.Generator, budget_s: float) -> Roof:
    """The share of the limit that a kernel reaches whose bytes are known: its rate over that of the sum beside it."""
    moving, moved = traffic(kernel.held or kernel.bytes, device, in_place=bool(kernel.changes))
    found = compare(moving, kernel.run, clock, rng, budget_s, precision=PRECISION)
    return Roof(kernel.bytes / moved, moved, found.ratio, found.low, found.high, moved / found.first.median_s / 1e9)


def machine(device: str, clock: Clock, budget_s: float) -> dict[str, Any]:
    """The limits of a device that do not depend on a kernel, the fields of a record.

    ``gflop_per_s`` of a product of two matrices in float32; ``launch_host_s``, how long the host needs to give the device a
    kernel without waiting for it; ``launch_device_s``, how long a kernel takes that has one number to add.
    """
    import torch

    place = devices.place(device)
    a, b, c = (torch.ones(SIDE, SIDE, device=place) for _ in range(3))
    product = sample(lambda: torch.mm(a, b, out=c), clock, budget_s)
    one = torch.ones(1, device=place)
    smallest = sample(lambda: torch.add(one, one, out=one), clock, budget_s)
    devices.synchronize(device)
    begun = time.perf_counter()
    for _ in range(LAUNCHES):
        torch.add(one, one, out=one)
    given = (time.perf_counter() - begun) / LAUNCHES
    devices.synchronize(device)
    return {
        "gflop_per_s": 2.0 * SIDE**3 / product.min_s / 1e9,
        "launch_host_s": given,
        "launch_device_s": smallest.min_s,
    }
