"""CPU seconds: what a process and its children had, and what of it went into torch.compile."""

from __future__ import annotations

import os
from dataclasses import dataclass


def spent() -> float:
    """CPU seconds of this process and of those of its children that have ended."""
    return sum(os.times()[:4])


@dataclass
class _Compiler:
    """The CPU seconds that torch.compile had in this process, its C++ compiler among them."""

    seconds: float = 0.0
    begun: float = 0.0

    def started(self, _: object) -> None:
        self.begun = spent()

    def ended(self, _: object) -> None:
        self.seconds += spent() - self.begun


_compiler = _Compiler()


def compiling() -> float:
    """CPU seconds that torch.compile had so far of what was compiled after ``fresh_compiler``."""
    return _compiler.seconds


def fresh_compiler() -> None:
    """Make torch.compile forget all that it compiled and counted, and keep time of what it compiles from now on."""
    import torch
    from torch._dynamo.utils import counters

    torch._dynamo.reset()  # which forgets who keeps time, too
    counters.clear()
    torch._dynamo.callback.on_compile_start(_compiler.started)
    torch._dynamo.callback.on_compile_end(_compiler.ended)
