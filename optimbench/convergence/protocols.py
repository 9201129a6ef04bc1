"""How learning rates are chosen: the same for all, each one's default, or tuned.

A ranking at one shared learning rate mostly shows which optimizer that rate suits, so the protocols stand side by side. In
every one of them a seed means the same data, the same initial parameters and the same batches for all contenders.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchkit.request import UsageError
from optimbench.convergence import contenders
from optimbench.convergence.trajectory import Array, Contender, Setting, Tuning

PROTOCOLS = ("same", "default", "tuned")
TUNING_SEEDS = 8
FIRST_TUNING_SEED = 1_000_000  # far from those that are reported


@dataclass(frozen=True)
class Sweep:
    """The values of one hyperparameter."""

    name: str
    values: tuple[float, ...]


def read_sweep(text: str, option: str) -> Sweep:
    """``lr=1e-4:1:log9`` (nine values at equal ratios), ``momentum=0:0.9:lin4``, ``momentum=0,0.9``; UsageError for others."""
    name, equals, values = text.partition("=")
    try:
        if not (equals and name.strip().isidentifier()):
            raise ValueError
        found = tuple(_values(values))
    except ValueError:
        raise UsageError(
            f"cannot read {option} {text!r}; it must look like lr=1e-4:1:log9, lr=0.1:0.5:lin5 or lr=0.01,0.1"
        ) from None
    return Sweep(name.strip(), found)


def _values(text: str) -> Iterator[float]:
    if not (match := re.fullmatch(r"([^:]+):([^:]+):(log|lin)(\d+)", text.strip())):
        found = [float(word) for word in text.split(",")]
    else:
        low, high, count = float(match[1]), float(match[2]), int(match[4])
        if count < 1 or not low < high or (match[3] == "log" and low <= 0.0):
            raise ValueError
        made = np.geomspace(low, high, count) if match[3] == "log" else np.linspace(low, high, count)
        found = [float(f"{value:.6g}") for value in made]
    if not found or not np.isfinite(found).all():
        raise ValueError
    yield from dict.fromkeys(found)


def grid(contender: Contender, lr: Sweep | None, second: Sweep | None) -> tuple[Setting, ...]:
    """The settings to try: all learning rates with all values of the second hyperparameter, where the contender has it."""
    low, high, count = contenders.grid(contender)
    rates = lr.values if lr else Sweep("lr", tuple(_values(f"{low}:{high}:log{count}"))).values
    if second is None or not contenders.takes(contender, second.name) or second.name in contender.options:
        return tuple({"lr": rate} for rate in rates)
    return tuple({"lr": rate, second.name: value} for rate, value in itertools.product(rates, second.values))


def tuning_seeds(seeds: Sequence[int], count: int = TUNING_SEEDS) -> tuple[int, ...]:
    """Seeds for tuning, none of which is reported."""
    found = tuple(range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + count))
    if set(found) & set(seeds):
        raise UsageError(f"seeds from {FIRST_TUNING_SEED} on are those that tuning uses; report others")
    return found


def tuned(settings: Sequence[Setting], finals: Array) -> Tuning:
    """The tuning of which ``finals`` (settings, seeds) came out: the best median counts, the first of equals.

    A run that diverged counts as infinitely bad.
    """
    medians = np.median(np.where(np.isfinite(finals), finals, np.inf), axis=1)
    return Tuning(tuple(settings), finals, int(np.argmin(medians)), finals.size)
