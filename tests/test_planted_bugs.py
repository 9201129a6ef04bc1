"""The planted bugs of the items: enough of them, and caught at the default level."""

from __future__ import annotations

from collections import Counter

import pytest

import reference
from benchkit.proving import CONTROL, PLANTED, Task, attempt, mutants
from benchkit.spec import Item
from lossbench.verify import BENCH as LOSS_BENCH
from optimbench.verify import BENCH as OPTIMIZER_BENCH

ITEMS = [*reference.LOSSES.values(), *reference.OPTIMIZERS.values()]
QUICK_TO_PROVE = ["L1Loss", "MSELoss", "SoftMarginLoss", "BCELoss", "Rprop"]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_every_item_has_three_planted_bugs_of_different_names(item: Item) -> None:
    """At least three for each item, told apart by name."""
    names = Counter(bug.name for bug in item.planted_bugs)

    assert len(item.planted_bugs) >= 3
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("name", QUICK_TO_PROVE)
def test_planted_bugs_are_caught_and_the_reference_passes(name: str) -> None:
    """At the default level; the command ``prove`` does the same for every item."""
    bench = LOSS_BENCH if name in reference.LOSSES else OPTIMIZER_BENCH
    known = mutants(bench.name, name)
    numbers = tuple(n for n, mutant in enumerate(known) if mutant.kind == PLANTED and not mutant.where)
    control = attempt(Task(bench.name, name, (0,), "quick", 0))
    outcome = attempt(Task(bench.name, name, numbers, "standard", 0))

    assert known[0].kind == CONTROL
    assert control.caught == {}
    assert control.checks[0] > 0
    assert [known[n].name for n in numbers if n not in outcome.caught] == []
