"""Which values of which arguments a run really judged: what was never tried, no verdict speaks of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from benchkit.judge import FAIL, MARGINAL, PASS, SHARED, WAIVED
from benchkit.spec import Item

JUDGED = (PASS, MARGINAL, FAIL, WAIVED, SHARED)


class Exercised:
    """Checks that came to a verdict, counted by item, argument and value; ``declared`` are the items of the run."""

    def __init__(self, declared: Iterable[Item]) -> None:
        self.counts: dict[str, dict[str, Counter[str]]] = {}
        self.defaults: dict[str, dict[str, str]] = {}
        for item in declared:
            self.defaults[item.name] = {name: text(value) for name, value in item.defaults.items()}
            self.counts[item.name] = {
                name: Counter({text(value): 0 for value in (*values, *item.edge_options.get(name, ()))})
                for name, values in item.options.items()
            }

    def add(self, record: Mapping[str, Any]) -> None:
        """Count a check; what its record does not name stood at its default."""
        counts = self.counts.get(record["item"])
        if counts is None or record["status"] not in JUDGED:
            return
        for name, value in (self.defaults[record["item"]] | dict(record["options"])).items():
            if name in counts:
                counts[name][value] += 1

    def described(self) -> dict[str, dict[str, dict[str, int]]]:
        """Item, argument, value and number of checks, as JSON; a value that was never judged has 0."""
        return {item: {name: dict(values) for name, values in options.items()} for item, options in self.counts.items()}


def text(value: Any) -> str:
    """An argument's value as a record names it: a set of inputs by its label."""
    return getattr(value, "label", None) or str(value)
