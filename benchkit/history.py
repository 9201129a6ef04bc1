"""Earlier runs of ``time``: kept side by side, and compared without believing any absolute time.

A time of yesterday says as much about the machine of yesterday as about the kernel. What can be compared is a ratio that was
measured in pairs: the kernel to the sum of as much memory beside it (its yardstick), then and now. The change is the ratio of
these two ratios, on one machine as across two.
"""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchkit.pairs import AMBIGUOUS, judge
from benchkit.points import AGAINST, AXES, NUMPY, Point
from benchkit.request import Request, UsageError
from benchkit.results import Record, Results, read

FLOOR = 0.10  # between two processes a ratio differs by several percent: memory lies elsewhere
FOLDER = "history"


def keep(request: Request, header: Mapping[str, Any]) -> Path:
    """Put a copy of the finished results file, which has this header, into the history of its folder; the same run replaces its
    own copy."""
    moment = re.sub(r"\D", "", str(header["environment"]["time"]))[:14]
    folder = request.reports / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{request.suite}-time-{moment}.jsonl.gz"
    target.write_bytes(gzip.compress(request.results_file.read_bytes(), mtime=0))
    return target


def stored(reports: Path) -> list[Results]:
    """The runs of the history, the oldest first; a file that cannot be read is left out."""
    found = []
    for path in sorted((reports / FOLDER).glob("*-time-*.jsonl.gz")):
        try:
            results = read(path)
        except UsageError:
            continue
        if results.header:
            found.append(results)
    return sorted(found, key=lambda results: str(results.header["environment"].get("time")))


def restricted(request: Request, points: Sequence[Point]) -> tuple[list[Point], dict[str, Record], dict[str, Any]]:
    """The points of a run that an earlier one has a yardstick for, its records of them by id, and its environment.

    All points and nothing else where no earlier run is named.

    UsageError where the earlier file is none of this suite's ``time``, or has nothing in common with what was asked for.
    """
    earlier = request.extra.get("compare")
    if not earlier:
        return list(points), {}, {}
    results = read(earlier)
    if (results.header.get("suite"), results.header.get("command")) != (request.suite, "time"):
        raise UsageError(f"cannot compare with {earlier}: it is not a results file of '{request.suite} time'")
    then = {record["id"]: record for record in results.of("time") if record.get("roof_ratio")}
    if set(request.extra) & {*AXES, "size", "dtypes_given"}:
        wanted = [point for point in points if point.id in then]
    else:  # all that the earlier run has of these items, whatever its level was
        items = {point.item for point in points}
        wanted = [Point.of(record) for record in then.values() if record["item"] in items]
    common = [p for p in wanted if p.device in request.devices and not p.path.startswith((NUMPY, AGAINST))]
    if not common:
        raise UsageError(
            f"cannot compare with {earlier}: none of its {len(then)} rows with a yardstick is a point of this run; "
            "choose items, devices, dtypes or sizes that it has"
        )
    return common, {point.id: then[point.id] for point in common}, dict(results.header["environment"])


def change(then: Record | None, now: Mapping[str, Any]) -> dict[str, Any]:
    """The field ``change`` of a record: how many times longer the kernel takes now, relative to its yardstick, than then.

    The interval is the widest that the two intervals allow; ``verdict`` needs it to lie beyond ``FLOOR``.
    """
    if then is None or not now.get("roof_ratio"):
        return {}
    if then.get("roof_bytes") != now.get("roof_bytes"):
        return {"change": {"reason": f"the yardstick moved {_moved(then)} then and {_moved(now)} now"}}
    low = now["roof_ratio_low"] / then["roof_ratio_high"] if math.isfinite(then["roof_ratio_high"]) else 0.0
    high = now["roof_ratio_high"] / then["roof_ratio_low"] if then["roof_ratio_low"] > 0.0 else math.inf
    ratio = now["roof_ratio"] / then["roof_ratio"]
    return {"change": {"ratio": ratio, "ratio_low": low, "ratio_high": high, "verdict": judge(low, high, FLOOR)}}


def _moved(record: Mapping[str, Any]) -> str:
    return f"{record['roof_bytes']} bytes" if record.get("roof_bytes") else "nobody knows how much"


def seen_twice(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """The field ``change`` after a second look: the second one's, and ``ambiguous`` where the two do not say the same.

    ``looks`` holds the ratios of both.
    """
    verdict = second["verdict"] if second["verdict"] == first["verdict"] else AMBIGUOUS
    return {"change": {**second, "verdict": verdict, "looks": [first["ratio"], second["ratio"]]}}


def elsewhere(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What tells two environments apart, in words; empty where it is the same machine with the same software."""
    names = ("cpu", "cores", "threads", "devices", "torch", "python")
    differ = [f"{name} {then.get(name)} then, {now.get(name)} now" for name in names if then.get(name) != now.get(name)]
    return "; ".join(differ)


@dataclass(frozen=True)
class Trace:
    """One row over the runs of the history: its ratio to the yardstick in each, None where it was not measured."""

    item: str
    what: str
    ratios: tuple[float | None, ...]


def traces(runs: Sequence[Results]) -> list[Trace]:
    """The rows that two runs at least have measured, each at its largest common size."""
    found: dict[str, dict[int, Record]] = {}
    for number, run in enumerate(runs):
        for record in run.of("time"):
            if record.get("roof_bytes"):  # earlier versions had another yardstick
                found.setdefault(record["id"], {})[number] = record
    largest: dict[tuple[str, ...], tuple[int, str]] = {}
    for name, by_run in found.items():
        if len(by_run) < 2:
            continue
        record = next(iter(by_run.values()))
        row = tuple(str(record.get(key, "")) for key in ("item", "operation", "path", "device", "dtype", "workload"))
        largest[row] = max(largest.get(row, (0, "")), (int(record["size"]), name))
    made = []
    for row, (size, name) in sorted(largest.items(), key=lambda entry: tuple(part.lower() for part in entry[0])):
        ratios = tuple(found[name][k]["roof_ratio"] if k in found[name] else None for k in range(len(runs)))
        made.append(Trace(row[0], f"{' '.join(part for part in row[1:] if part)}, {size:,}", ratios))
    return made
