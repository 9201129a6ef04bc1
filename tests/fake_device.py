"""An accelerator that only the tests have: its tensors lie on the CPU, and its clock reads a launch and a share of the time."""

from __future__ import annotations

import pytest

from benchkit import devices, timing
from benchkit.sampling import CpuClock, Sample

NAME = "fake"
LAUNCH_S, FASTER = 20e-6, 10.0


class Clock:
    """What the CPU takes, ten times faster, and a launch for every call."""

    def __call__(self, run, calls):
        taken = CpuClock()(run, calls)
        return Sample(LAUNCH_S + taken.wall_s / FASTER, taken.cpu_s)


def install(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put the device beside the CPU; returns the waits for it, which grow as it is used."""
    waited: list[str] = []
    before = timing.clock
    monkeypatch.setattr(devices, "available", lambda: ["cpu", NAME])
    monkeypatch.setattr(devices, "place", lambda device: "cpu" if device == NAME else device)
    monkeypatch.setattr(devices, "synchronize", waited.append)
    monkeypatch.setattr(timing, "clock", lambda device: Clock() if device == NAME else before(device))
    return waited
