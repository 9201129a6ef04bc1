"""What a run of verification adds up to: what its units of work took, and the tally of their records."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchkit import cpu_time
from benchkit.judge import ERROR, FAIL, MARGINAL, PASS, SHARED, UNSUPPORTED, WAIVED

Record = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """What a unit took: its checks, the CPU seconds that they had without those of the compiler, these, and when it began."""

    checks: int = 0
    seconds: float = 0.0
    compiling: float = 0.0
    begun: float = math.inf


class Stopwatch:
    """Started where a unit begins: says at its end what the unit took of this process and its children."""

    def __init__(self) -> None:
        self.begun, self.spent, self.compiling = time.time(), cpu_time.spent(), cpu_time.compiling()

    def work(self, checks: int) -> Work:
        compiling = cpu_time.compiling() - self.compiling
        return Work(checks, cpu_time.spent() - self.spent - compiling, compiling, self.begun)


@dataclass
class Tally:
    """What the records of a run add up to."""

    statuses: Counter[str] = field(default_factory=Counter)
    by_item: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    worst: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    telling: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    judged: set[tuple[str, str, str, str]] = field(default_factory=set)
    unsupported: set[tuple[str, str, str]] = field(default_factory=set)
    met: set[tuple[str, str, str]] = field(default_factory=set)  # item, format and device of what has any record at all
    compared: int = 0
    failures: list[Record] = field(default_factory=list)
    seconds: float = 0.0  # CPU seconds that checks took in all processes
    compiling: float = 0.0  # CPU seconds that torch.compile took
    timed: int = 0  # checks that the seconds went into
    asked: float = 0.0  # when the command was given
    begun: float = math.inf  # when the first of them began

    def time(self, done: Work) -> None:
        self.seconds += done.seconds
        self.compiling += done.compiling
        self.timed += done.checks
        self.begun = min(self.begun, done.begun)

    @property
    def speed(self) -> dict[str, float]:
        """CPU seconds of the checks and checks for each of them; apart, the seconds on the clock until the first check began,
        and the CPU seconds of the compiler."""
        rate = self.timed / self.seconds if self.seconds else 0.0
        start_up = self.begun - self.asked if self.timed else 0.0
        found = {"cpu_s": self.seconds, "checks_per_cpu_s": rate, "start_up_s": start_up, "compile_cpu_s": self.compiling}
        return {name: round(value, 2) for name, value in found.items()}

    @property
    def described(self) -> str:
        """The speed as a sentence."""
        rate = "{checks_per_cpu_s:.0f} checks for each of {cpu_s:.1f} CPU-seconds"
        apart = "{start_up_s:.1f} s of start-up and {compile_cpu_s:.1f} CPU-seconds of compilation"
        return f"{rate}; apart from these, {apart}".format(**self.speed)

    def add(self, record: Mapping[str, Any]) -> None:
        status, item = record["status"], record["item"]
        self.statuses[status] += 1
        self.by_item[item][status] += 1
        self.compared += record.get("compared") or 0
        self.met.add((item, record["dtype"], record["device"]))
        if status in (PASS, MARGINAL):
            self.worst[item] = max(self.worst[item], record["ratio"] or 0.0)
        if status in (PASS, MARGINAL, FAIL, WAIVED, SHARED):
            key = (item, record["check"], record["dtype"], record["device"])
            self.judged.add(key)
            self.telling[key] += (record.get("telling") or 0) + (status not in (PASS, MARGINAL))
        if status == UNSUPPORTED:
            self.unsupported.add((item, record["check"], record["device"]))
        if status in (FAIL, ERROR):
            self.failures.append(dict(record))

    def silent(self) -> list[tuple[str, str, str, str]]:
        """The checks of which no comparison could have told right from wrong."""
        return sorted(key for key in self.judged if not self.telling[key])

    def never(self) -> list[tuple[str, str, str]]:
        """The checks that are unsupported throughout, in every format and with every option."""
        return sorted(self.unsupported - {(item, check, device) for item, check, _, device in self.judged})
