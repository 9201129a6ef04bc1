"""What a run of verification adds up to: units of work done, and the tally of their records."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchkit.judge import ERROR, FAIL, MARGINAL, PASS, SHARED, UNSUPPORTED, WAIVED

Record = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """A unit done: its records, and the CPU seconds that went into starting up (imports, mostly) and into its cases."""

    records: list[Record]
    start_up: float = 0.0
    seconds: float = 0.0


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
    start_up: float = 0.0  # CPU seconds, of this process and its workers
    seconds: float = 0.0
    timed: int = 0  # checks that the seconds went into

    def time(self, done: Work) -> None:
        self.start_up += done.start_up
        self.seconds += done.seconds
        self.timed += len(done.records)

    @property
    def speed(self) -> dict[str, float]:
        """CPU seconds and checks for each of them, start-up apart."""
        rate = self.timed / self.seconds if self.seconds else 0.0
        return {"cpu_s": round(self.seconds, 2), "start_up_cpu_s": round(self.start_up, 2), "checks_per_cpu_s": round(rate, 1)}

    @property
    def described(self) -> str:
        """The speed as a sentence."""
        words = "{checks_per_cpu_s:.0f} checks for each CPU-second of {cpu_s:.1f}; start-up took {start_up_cpu_s:.1f} more"
        return words.format(**self.speed)

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
