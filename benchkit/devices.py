"""Devices: the CPU and, where torch finds one, its accelerator (CUDA, MPS, XPU ...), behind a few words of their own.

torch is imported inside the functions, so that the command line can name devices without paying for it.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchkit.request import UsageError


def available() -> list[str]:
    """The device types of this machine, the CPU first: ``["cpu"]`` or ``["cpu", "cuda"]``; UsageError without torch."""
    try:
        import torch
    except ModuleNotFoundError:
        raise UsageError("torch is not installed here; this command needs torch 2.9 or newer") from None

    if not torch.accelerator.is_available():
        return ["cpu"]
    accelerator = torch.accelerator.current_accelerator()
    return ["cpu"] if accelerator is None else ["cpu", accelerator.type]


def check(name: str) -> str:
    """The device's name, or UsageError where this machine has no such device."""
    present = available()
    if name not in present:
        raise UsageError(f"unknown or absent device {name!r}; this machine has {', '.join(present)}")
    return name


def place(device: str) -> str:
    """Where the tensors of a device lie, as torch calls it: the device itself, but for one that only a test has."""
    return device


def loading(there: Sequence[Any], device: str) -> Callable[[], None] | None:
    """The transfer of tensors on a device from the host, from memory that it can fetch from by itself where there is such; None
    on the CPU, where there is nothing to bring."""
    if device == "cpu":
        return None
    here = [tensor.cpu().pin_memory() if device == "cuda" else tensor.cpu().clone() for tensor in there]

    def load() -> None:
        for target, source in zip(there, here, strict=True):
            target.copy_(source, non_blocking=True)

    return load


def synchronize(device: str) -> None:
    """Wait until the device has done all work that was given to it; the CPU always has."""
    if device != "cpu":
        import torch

        torch.accelerator.synchronize(torch.device(device))


def describe(device: str) -> str:
    """The model of a device, for people: ``NVIDIA H200``."""
    if device == "cpu":
        return cpu_model()
    import torch

    module = getattr(torch, device, None)
    name = getattr(module, "get_device_name", None)
    return str(name()) if name else device


def cpu_model() -> str:
    """The model of the processor as the operating system knows it."""
    try:
        lines: Iterable[str] = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = ()
    names = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
