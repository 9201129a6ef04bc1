"""What the page shows of times: the tables of one run, its conditions, what was measured in pairs, and the earlier runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchkit import history, time_tables
from benchkit.device_ratios import Comparison, compare_devices
from benchkit.results import Record, Results
from benchkit.self_test import sentences
from benchkit.time_tables import (
    all_threads_text,
    by_item,
    change_sentence,
    check_sentence,
    column,
    goal_text,
    interval_text,
    is_skipped,
    late_sentence,
    launch_sentence,
    short,
    tables_of,
    threads_of,
    whole,
)

__all__ = [
    "all_threads_text",
    "change_sentence",
    "check_sentence",
    "goal_text",
    "interval_text",
    "is_skipped",
    "late_sentence",
    "launch_sentence",
    "sentences",
    "short",
    "threads_of",
    "whole",
]


@dataclass(frozen=True)
class Times:
    """One table: ``rows`` holds by item, by what was done, and by column the record; ``reasons`` why points were left out."""

    device: str
    dtype: str
    threads: list[int]
    columns: list[str]
    rows: dict[str, dict[str, dict[str, Record]]]
    reasons: dict[str, int]


def times(records: Sequence[Record]) -> list[Times]:
    """The tables of a run, each of one device and dtype, with the reasons why points were left out and how many each."""
    found = []
    for chosen in tables_of([_complete(record) for record in records]):
        reasons: dict[str, int] = {}
        for record in chosen:
            if is_skipped(record):
                reasons[str(record.get("reason"))] = reasons.get(str(record.get("reason")), 0) + 1
        threads = sorted({record["threads"] for record in chosen if not is_skipped(record)})
        columns = list(dict.fromkeys(map(column, sorted(chosen, key=lambda record: record["size"]))))
        found.append(Times(chosen[0]["device"], chosen[0]["dtype"], threads, columns, by_item(chosen), reasons))
    return found


def _complete(record: Record) -> Record:
    """A record with the fields that those of earlier versions lack."""
    return {"size": record["elements"], "status": "measured", "workload": "", "fixed": False, "doubts": [], **record}


def timed_devices(records: Iterable[Record]) -> list[str]:
    """The devices that were measured at one point at least."""
    return sorted({str(record["device"]) for record in records if not is_skipped(record)})


def comparisons(records: Sequence[Record]) -> list[Comparison]:
    """The CPU against the other devices of one run."""
    return compare_devices(map(_complete, records))


def paired(records: Iterable[Record]) -> list[Record]:
    """The rows of another implementation that were timed in pairs with torch on the same device."""
    return time_tables.paired(map(_complete, records))


def references_of(records: Iterable[Record]) -> list[Record]:
    """The rows of the reference in numpy that were timed in pairs with torch."""
    return time_tables.references_of(map(_complete, records))


def compiled(records: Iterable[Record]) -> list[Record]:
    """The rows that a compiler made."""
    return time_tables.compiled(map(_complete, records))


def changed(records: Iterable[Record]) -> list[Record]:
    """The rows that were compared with an earlier run: slower and faster ones first, and the largest change first."""
    return time_tables.changed(map(_complete, records))


def weather(records: Iterable[Record]) -> str:
    """The conditions under which the rows of a run were measured, in words; empty where no row tells them."""
    rows = [record for record in records if not is_skipped(record) and record.get("allocator")]
    if not rows:
        return ""
    loads = [record["load"] for record in rows if record.get("load") is not None]
    clocks = [record["clock_mhz"] for record in rows if record.get("clock_mhz")]
    words = [f"load of the machine {min(loads):.1f} to {max(loads):.1f}"] if loads else []
    words += [f"clock {min(clocks):.0f} to {max(clocks):.0f} MHz"] if clocks else []
    return ", ".join([*words, f"allocator {rows[0]['allocator']}"])


@dataclass(frozen=True)
class Past:
    """The history of one suite: the environments of its runs, the oldest first, and its rows over them."""

    suite: str
    runs: list[Mapping[str, Any]]
    traces: list[history.Trace]


def past(runs: Sequence[Results]) -> list[Past]:
    """The history by suite."""
    found = []
    for suite in dict.fromkeys(str(run.header["suite"]) for run in runs):
        mine = [run for run in runs if run.header["suite"] == suite]
        headers: list[Mapping[str, Any]] = [{**run.header["environment"], "level": run.header["level"]} for run in mine]
        found.append(Past(suite, headers, history.traces(mine)))
    return found
