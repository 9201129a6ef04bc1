"""The conditions that a time was taken under: load and clock of the machine, threads, and how memory comes from the system."""

from __future__ import annotations

import ctypes
import math
import os
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchkit.request import ALLOCATORS

SYSTEM, KEPT = ALLOCATORS

# mallopt's parameters, from glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_MOST = 2**31 - 1

_allocator = SYSTEM


def keep_memory() -> bool:
    """Tell glibc to keep what it has got from the system, and to map nothing for itself; whether there is one that heeds it.

    By default a large temporary is mapped anew each time, and its pages are faulted in one by one: at ten million elements that
    is most of the time of a loss. It holds for the whole process from here on.
    """
    global _allocator
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = ((_MMAP_THRESHOLD, _MOST), (_TRIM_THRESHOLD, _MOST), (_TOP_PAD, 64 * 2**20))
    if not all(mallopt(parameter, value) for parameter, value in settings):
        return False
    _allocator = KEPT
    return True


def conditions() -> dict[str, Any]:
    """What a record says of the moment: threads, load of the last minute, clock in MHz (None: unknown), allocator."""
    import torch

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"threads": torch.get_num_threads(), "load": load, "clock_mhz": clock_mhz(), "allocator": _allocator}


@contextmanager
def threads(count: int) -> Iterator[int]:
    """torch on so many threads; gives the usual number, which it has again afterwards."""
    import torch

    usual = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield usual
    finally:
        torch.set_num_threads(usual)


def free_bytes(device: str) -> float:
    """The memory that a device has left, without what only the cache of files takes; infinite where nobody says."""
    if device != "cpu":
        import torch

        module: Any = getattr(torch, device, None)
        if not hasattr(module, "mem_get_info"):
            return math.inf
        kept = module.memory_reserved() - module.memory_allocated()  # torch's own store, which it hands out again
        return float(module.mem_get_info()[0] + kept)
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return math.inf
    return next((1024.0 * float(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), math.inf)


def clock_mhz() -> float | None:
    """The clock of the cores now, their mean; None where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    found = [float(line.partition(":")[2]) for line in lines if line.lower().startswith("cpu mhz")]
    return round(statistics.mean(found), 1) if found else None
