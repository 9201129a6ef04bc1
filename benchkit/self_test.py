"""The self-test of a timing run: does this machine, now, tell what is known beforehand?

Three questions with known answers: an operation against itself is the same; against itself with one part in twenty more of the
same work it is slower by 5 %; an operation that lasts as long as it is told reads that long. Whoever reads a table of times
sees the answers above it, and where one is wrong every row is marked.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchkit import devices
from benchkit.pairs import FASTER, SLOWER, Paired, compare
from benchkit.sampling import Clock, Now, Run, sample

PARTS = 20  # of the known work; one more is 5 %
KNOWN_S = 1e-3
KNOWN_WITHIN = 0.1
FOUND_WITHIN = 0.02  # how far the 5 % may read from 5 %
NOT_ASKED = "and a known duration was not asked for, since torch has no kernel that waits there"


@dataclass(frozen=True)
class SelfTest:
    """The three answers: the verdicts with their ratios, and the reading of the known duration in seconds.

    ``known_s`` is None where the device has nothing of known duration, and the question was not asked.
    """

    same: Paired
    more: Paired
    known_s: float | None

    @property
    def problems(self) -> list[str]:
        """What went wrong, a sentence each; empty where the times of the run can be believed."""
        found = []
        if self.same.verdict in (SLOWER, FASTER):
            found.append(f"an operation against itself reads {self.same.verdict}: ratio {self.same.ratio:.4f}")
        if self.more.verdict != SLOWER or abs(self.more.ratio - 1.0 - 1.0 / PARTS) > FOUND_WITHIN:
            found.append(f"5 % more work reads {self.more.verdict}: ratio {self.more.ratio:.4f}")
        if self.known_s is not None and abs(self.known_s / KNOWN_S - 1.0) > KNOWN_WITHIN:
            found.append(f"an operation of {1e3 * KNOWN_S:g} ms reads {1e3 * self.known_s:.3g} ms")
        return found

    def described(self) -> dict[str, Any]:
        """The fields of a record."""
        return {
            "same": self.same.described(), "more": self.more.described(), "known_s": self.known_s, "expected_s": KNOWN_S,
            "problems": self.problems,
        }  # fmt: skip


def sentences(record: Mapping[str, Any]) -> list[str]:
    """The record of a self-test for people: what it read, then what is wrong, a sentence each."""
    same, more = record["same"], record["more"]
    known = f"{1e3 * record['expected_s']:g} ms read {1e3 * record['known_s']:.3g} ms" if record["known_s"] else NOT_ASKED
    read = (
        f"Self-test on {record['device']}: an operation against itself is {same['verdict']} (ratio {same['ratio']:.4f}), "
        f"5 % more work is {more['verdict']} (ratio {more['ratio']:.4f}), {known}."
    )
    return [read, *(f"The times of {record['device']} are in doubt: {problem}." for problem in record["problems"])]


def self_test(device: str, clock: Clock, rng: np.random.Generator, budget_s: float = 1.0) -> SelfTest:
    """Ask the three questions on a device, each for ``budget_s`` seconds at most."""
    return ask(addition(device), spin if device == "cpu" else rest(device), clock, rng, budget_s)


def ask(
    work: Run, wait: Run | None, clock: Clock, rng: np.random.Generator, budget_s: float, now: Now = time.perf_counter
) -> SelfTest:
    """Ask the three questions with ``work``, a short operation like those that are to be timed, and ``wait``, one of
    ``KNOWN_S`` seconds (None: that question is not asked)."""
    base = repeated(work, PARTS)
    same = compare(base, repeated(work, PARTS), clock, rng, budget_s, now=now)
    more = compare(base, repeated(work, PARTS + 1), clock, rng, budget_s, now=now)
    return SelfTest(same, more, sample(wait, clock, budget_s / 4.0, now=now).min_s if wait else None)


def repeated(work: Run, parts: int) -> Run:
    """So many times the same work as one operation."""

    def run() -> None:
        for _ in range(parts):
            work()

    return run


def addition(device: str, elements: int = 50_000) -> Run:
    """A sum of two tensors, which takes some ten microseconds on a processor at 50,000 elements."""
    import torch

    a, b, c = (torch.ones(elements, device=devices.place(device)) for _ in range(3))
    return lambda: torch.add(a, b, out=c)


def spin() -> None:
    """Do nothing for ``KNOWN_S`` seconds, by another clock than the one that times it."""
    end = time.monotonic_ns() + int(KNOWN_S * 1e9)
    while time.monotonic_ns() < end:
        pass


def rest(device: str) -> Run | None:
    """A kernel that does nothing for ``KNOWN_S`` seconds by the clock of the host; None where torch has none for the device."""
    import torch

    sleep = getattr(getattr(torch, device, None), "_sleep", None)
    if sleep is None:
        return None
    tried = 10_000_000
    sleep(tried)
    torch.accelerator.synchronize()
    begun = time.perf_counter()
    sleep(tried)
    torch.accelerator.synchronize()
    cycles = round(tried * KNOWN_S / (time.perf_counter() - begun))
    return lambda: sleep(cycles)
