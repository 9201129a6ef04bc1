"""What a command was asked to do, its options read and checked; every command takes one and returns an exit status."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LEVELS = ("quick", "standard", "thorough")
DTYPES = ("float64", "float32", "bfloat16", "float16")
ALLOCATORS = ("system", "keep")  # of the memory of the CPU, the usual one first

RIGHT, DISCREPANCY, USAGE = 0, 1, 2  # exit statuses


class UsageError(Exception):
    """Wrong input: the message is one sentence that names the input and what is allowed; the exit status is 2."""


def listed(given: Sequence[str]) -> list[str]:
    """The words of a repeatable option, each of which may hold several with commas between."""
    return [word.strip() for text in given for word in text.split(",") if word.strip()]


@dataclass(frozen=True)
class Request:
    """One invocation. ``items`` are class names (empty: all), ``reports`` the folder for results, figures and reproducers.

    ``json`` overrides the results file (default ``<reports>/<suite>-<command>.jsonl``); ``resume`` continues that file.
    ``extra`` holds the options of one command alone, by name; ``begun`` is when it was given, in seconds since the epoch.
    """

    suite: str
    command: str
    items: tuple[str, ...] = ()
    devices: tuple[str, ...] = ("cpu",)
    dtypes: tuple[str, ...] = DTYPES
    level: str = "standard"
    impl: str | None = None
    json: Path | None = None
    reports: Path = Path("reports")
    seed: int = 0
    resume: bool = False
    extra: dict[str, Any] = field(default_factory=dict)
    begun: float = field(default_factory=time.time, compare=False)

    @property
    def results_file(self) -> Path:
        return self.json or self.reports / f"{self.suite}-{self.command}.jsonl"
