"""Every fault of the bug history is a planted bug of the classes that had it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import reference

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FAULTS = tomllib.loads((Path(__file__).parent / "bug_history.toml").read_text(encoding="utf-8"))["fault"]
ITEMS = {**reference.LOSSES, **reference.OPTIMIZERS}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["thread"].replace(" ", "-"))
def test_every_fault_is_planted(fault: dict) -> None:
    """In each class that had it, by the thread that tells of it."""
    for name in fault["items"]:
        threads = {thread.strip() for bug in ITEMS[name].planted_bugs for thread in bug.thread.split(",")}

        assert fault["thread"] in threads, f"{name}: {fault['what']}"


def test_no_fault_is_listed_twice() -> None:
    """One entry for each thread."""
    threads = [fault["thread"] for fault in FAULTS]

    assert len(threads) == len(set(threads))
