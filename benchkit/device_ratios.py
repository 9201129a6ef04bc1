"""The CPU against another device: how many times faster it is, how sure that is, and from which size on it pays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchkit.results import Record

Interval = tuple[float, float, float]  # the ratio, its lower and its upper end


@dataclass(frozen=True)
class Comparison:
    """The CPU against another device for one operation: ``ratios[size]`` is CPU time / device time, above 1 the device wins.

    ``wins_from`` is the smallest size from which on the device is known to be faster (the whole interval lies above 1) at
    every size measured on both, None: never. ``loaded`` says the same of a run that first brings its inputs to the device.
    """

    item: str
    operation: str
    path: str
    dtype: str
    device: str
    workload: str
    ratios: dict[int, Interval]
    loaded: dict[int, Interval]

    @property
    def wins_from(self) -> int | None:
        return wins_from(self.ratios)

    @property
    def loaded_wins_from(self) -> int | None:
        return wins_from(self.loaded)


def wins_from(ratios: Mapping[int, Interval]) -> int | None:
    """The smallest size from which on every interval lies above 1."""
    found = None
    for size in sorted(ratios, reverse=True):
        if not ratios[size][1] > 1.0:
            break
        found = size
    return found


def compare_devices(records: Iterable[Record]) -> list[Comparison]:
    """The rows that were timed in pairs with the CPU, by the sizes at which they were."""
    rows: dict[tuple[str, str, str, str, str, str], dict[str, dict[int, Interval]]] = {}
    for record in records:
        versus = record.get("versus") or {}
        if record.get("status") != "measured" or not (versus.get("device") == "cpu" != record["device"] and "ratio" in versus):
            continue
        names = (*(record[n] for n in ("item", "operation", "path", "dtype", "device")), record.get("workload", ""))
        row = rows.setdefault(names, {"ratios": {}, "loaded": {}})
        row["ratios"][record["size"]] = _speedup(versus)
        if "ratio" in (record.get("loaded") or {}):
            row["loaded"][record["size"]] = _speedup(record["loaded"])
    return [Comparison(*names, found["ratios"], found["loaded"]) for names, found in rows.items()]


def _speedup(pairs: Mapping[str, float]) -> Interval:
    """How many times faster the second of two is: one over the ratio of its time to that of the first."""
    high = 1.0 / pairs["ratio_low"] if pairs["ratio_low"] > 0.0 else float("inf")
    return 1.0 / pairs["ratio"], 1.0 / pairs["ratio_high"], high


def without_accelerator(devices: Mapping[str, str], timed: Iterable[str]) -> str:
    """The plain sentence on why no accelerator was timed, empty where one was: ``devices`` names what the machine has."""
    if any(device != "cpu" for device in timed):
        return ""
    others = [f"{device} ({name})" for device, name in devices.items() if device != "cpu"]
    if others:
        return f"Only the CPU was timed; this machine also has {', '.join(others)}: ask for it with --device."
    return "No CUDA device was there: only the CPU was timed, and nothing is compared with a GPU."
