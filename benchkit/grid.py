"""Which combinations of option values a level tries, and how numbers are drawn for a case: both follow from names alone."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Options = dict[str, Any]


def generator(*names: object) -> np.random.Generator:
    """The random generator of a case: its seed is a hash of its name, so the same command draws the same numbers."""
    digest = hashlib.sha256("|".join(map(str, names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def one_at_a_time(grid: Mapping[str, Sequence[Any]]) -> list[Options]:
    """The defaults, and for every other value the defaults with that one value changed."""
    defaults = {name: values[0] for name, values in grid.items()}
    return [defaults, *(defaults | {name: value} for name, values in grid.items() for value in values[1:])]


def product(grid: Mapping[str, Sequence[Any]]) -> list[Options]:
    """All combinations."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def pairwise(grid: Mapping[str, Sequence[Any]]) -> list[Options]:
    """Few combinations that contain every pair of values of two options at least once, the defaults first (greedy)."""
    names = list(grid)
    if len(names) < 2:
        return product(grid)
    missing = {
        (a, i, b, j)
        for a, b in itertools.combinations(range(len(names)), 2)
        for i in range(len(grid[names[a]]))
        for j in range(len(grid[names[b]]))
    }
    rows: list[list[int]] = []
    row = [0] * len(names)
    while True:
        rows.append(row)
        missing -= set(_pairs(row))
        if not missing:
            break
        row = _row_for(missing, [len(grid[n]) for n in names])
    return [{n: grid[n][i] for n, i in zip(names, row, strict=True)} for row in rows]


def _pairs(row: Sequence[int]) -> list[tuple[int, int, int, int]]:
    return [(a, row[a], b, row[b]) for a, b in itertools.combinations(range(len(row)), 2)]


def _row_for(missing: set[tuple[int, int, int, int]], sizes: Sequence[int]) -> list[int]:
    """A combination that starts from one missing pair and takes, option by option, the value that meets most of the others."""
    a, i, b, j = min(missing)
    row: dict[int, int] = {a: i, b: j}
    for c in range(len(sizes)):
        if c not in row:
            row[c] = max(range(sizes[c]), key=lambda k: sum(_meets(missing, d, row[d], c, k) for d in row))
    return [row[c] for c in range(len(sizes))]


def _meets(missing: set[tuple[int, int, int, int]], d: int, i: int, c: int, k: int) -> bool:
    return ((d, i, c, k) if d < c else (c, k, d, i)) in missing


def combinations(
    grid: Mapping[str, Sequence[Any]],
    edges: Mapping[str, Sequence[Any]],
    level: str,
    valid: Callable[[Mapping[str, Any]], bool] | None,
    together: Sequence[Mapping[str, Any]] = (),
) -> list[Options]:
    """The option sets of a level: quick changes one option at a time, standard pairs them, thorough takes all; every edge
    value and every set of ``together`` joins the defaults in each. Combinations that the constructor refuses (``valid``) are
    left out, never the values in them."""
    choose = {"quick": one_at_a_time, "standard": pairwise, "thorough": product}[level]
    chosen = choose(grid) + one_at_a_time({n: [*v[:1], *edges.get(n, ())] for n, v in grid.items()})[1:]
    kept = [options for options in chosen if valid is None or valid(options)]
    if valid is not None:
        everything = [options for options in product(grid) if valid(options)]
        for name, values in grid.items():
            for value in values:
                if not any(same(options[name], value) for options in kept):
                    kept += [options for options in everything if same(options[name], value)][:1]
    defaults = {name: values[0] for name, values in grid.items()}
    return kept + [row for row in (defaults | dict(values) for values in together) if row not in kept]


def same(a: object, b: object) -> bool:
    """Equality in which True is not 1."""
    return type(a) is type(b) and a == b
