"""Option grids and drawn inputs: no option value is left out, no pair at level standard, and a name always draws the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossbench.cases
import optimbench.cases
from benchkit.grid import combinations, generator, one_at_a_time, pairwise, product, same
from benchkit.request import DTYPES, LEVELS
from reference import LOSSES, OPTIMIZERS

ITEMS = {**LOSSES, **OPTIMIZERS}
EVERY_ITEM = pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
EVERY_LEVEL = pytest.mark.parametrize("level", LEVELS)
GRIDS = st.lists(st.integers(1, 4), min_size=1, max_size=5).map(
    lambda sizes: {f"o{i}": list(range(10 * i, 10 * i + n)) for i, n in enumerate(sizes)}
)


def everything(item):
    """Every case of an item at level quick on the CPU, in all formats."""
    cases = lossbench.cases.cases if item.name in LOSSES else optimbench.cases.cases
    return list(cases(item, "quick", DTYPES, "cpu", 0))


def checks(item):
    return ("forward", "gradient", "incoming") if item.name in LOSSES else ("lockstep",)


def accepted(item):
    """What the cases of an item pass as ``valid``: for a loss, whether one of its variants takes the options."""
    if item.valid is None or item.name in OPTIMIZERS:
        return item.valid
    return lambda options: any(item.valid({**options, "variant": v}) for v in item.variants)


@given(grid=GRIDS)
def test_one_at_a_time(grid):
    """The defaults first, then every other value once, with all else at the default."""
    rows = one_at_a_time(grid)
    defaults = {name: values[0] for name, values in grid.items()}
    assert rows[0] == defaults
    assert len(rows) == 1 + sum(len(v) - 1 for v in grid.values())
    for name, values in grid.items():
        for value in values:
            assert defaults | {name: value} in rows


@given(grid=GRIDS)
def test_every_pair_of_values_meets(grid):
    """Pairwise rows are complete, begin with the defaults, and hold every pair; they are no more than the product."""
    rows = pairwise(grid)
    assert rows[0] == {name: values[0] for name, values in grid.items()}
    for row in rows:
        assert list(row) == list(grid)
        assert all(row[name] in values for name, values in grid.items())
    for (a, left), (b, right) in itertools.combinations(grid.items(), 2):
        for u, v in itertools.product(left, right):
            assert any(row[a] == u and row[b] == v for row in rows), (a, u, b, v)
    assert len(rows) <= len(product(grid))


def test_pairwise_is_far_less_than_the_product():
    """Seven options of three values: a few rows of the 2187."""
    assert len(pairwise({f"o{i}": [1, 2, 3] for i in range(7)})) < 30


@EVERY_LEVEL
@given(grid=GRIDS, data=st.data())
def test_no_value_is_lost(level, grid, data):
    """Every value of every option and every edge value appears, whatever the constructor refuses in combination."""
    edges = {name: [-1 - i] for i, name in enumerate(grid)}
    assert_each_value(combinations(grid, edges, level, None), {n: [*v, *edges[n]] for n, v in grid.items()})
    names = list(grid)
    a, b = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
    # The constructor takes the second value of one option only without the first (default) value of another.
    refused = a != b and len(grid[a]) > 1 and len(grid[b]) > 1
    if refused:
        rows = combinations(grid, {}, level, lambda o: not (o[a] == grid[a][1] and o[b] == grid[b][0]))
        assert not any(row[a] == grid[a][1] and row[b] == grid[b][0] for row in rows)
        assert_each_value(rows, grid)


def assert_each_value(rows, grid):
    for name, values in grid.items():
        for value in values:
            assert any(row[name] == value for row in rows), (name, value)


def test_thorough_is_the_product():
    """All combinations, and the edges besides."""
    grid = {"a": [1, 2], "b": [3, 4, 5]}
    rows = combinations(grid, {"b": [9]}, "thorough", None)
    assert [r for r in rows if r["b"] != 9] == product(grid)
    assert {"a": 1, "b": 9} in rows


def test_true_is_not_one():
    """A flag and a number are different option values, in a grid as in a case."""
    assert not same(True, 1)
    assert not same(0, 0.0)
    assert same(0.5, 0.5)
    rows = combinations({"f": [False, True], "n": [0, 1]}, {}, "quick", lambda o: o["f"] is False or o["n"] == 1)
    assert any(r["f"] is True for r in rows)


@pytest.mark.parametrize("level", ["quick", "standard"])
@EVERY_ITEM
def test_every_declared_value_is_tried(item, level):
    """No value of an item's grid or of its edges is missing from a level, and all combinations are ones it accepts."""
    valid = accepted(item)
    rows = combinations(item.options, item.edge_options, level, valid)
    assert rows
    for name, values in item.options.items():
        for value in [*values, *item.edge_options.get(name, ())]:
            assert any(row[name] is value or same(row[name], value) for row in rows), (name, value)
    assert all(valid is None or valid(row) for row in rows)


@EVERY_ITEM
def test_names_of_checks_are_unique(item):
    """An id names one check: --resume and waivers depend on it."""
    ids = [case.id(check) for case in everything(item) for check in checks(item)]
    assert len(ids) == len(set(ids)) > 0


@EVERY_ITEM
def test_every_format_and_lane_has_cases(item):
    """None of the formats, paths, reductions or declared lanes is left without a case."""
    cases = everything(item)
    assert {c.dtype for c in cases} == set(DTYPES)
    if item.name in LOSSES:
        assert {c.lane for c in cases} == set(lossbench.cases.lanes(item))
        assert {c.reduction for c in cases} == set(item.reductions)
        assert {c.variant for c in cases} == set(item.variants)
    else:
        assert {c.path for c in cases} >= set(item.paths)
        assert "ordinary" in {c.lane for c in cases}


def numbers_of(case):
    """Every array that a case draws, in order."""
    drawn = case.draw()
    if isinstance(drawn, optimbench.cases.Drawn):
        return [*drawn.parameters, *(g for row in drawn.gradients for g in row if g is not None)]
    return [a for values in (drawn.inputs, drawn.options) for a in values.values() if isinstance(a, np.ndarray)]


@EVERY_ITEM
def test_a_case_draws_the_same_numbers_again(item):
    """The draw follows from the id alone: same case, same bits; another seed or sample, other numbers."""
    ordinary = next(c for c in everything(item) if c.lane == "ordinary")
    first, again = numbers_of(ordinary), numbers_of(ordinary)
    assert len(first) == len(again) > 0
    assert all(a.tobytes() == b.tobytes() for a, b in zip(first, again, strict=True))
    cases = lossbench.cases.cases if item.name in LOSSES else optimbench.cases.cases
    other = next(c for c in cases(item, "quick", DTYPES, "cpu", 1) if c.id("x") == ordinary.id("x"))
    assert any(a.shape != b.shape or a.tobytes() != b.tobytes() for a, b in zip(first, numbers_of(other), strict=True))


@EVERY_ITEM
def test_drawn_numbers_are_numbers_of_the_format(item):
    """What is handed to the oracle is exactly what the subject gets: nothing is rounded on the way."""
    for case in everything(item)[:: max(1, len(everything(item)) // 24)]:
        for array in numbers_of(case):
            if np.issubdtype(array.dtype, np.floating):
                assert case.precision.represents(array).all(), case.id("draw")


def test_the_generator_follows_from_its_names():
    """Same names, same stream; the names do not run together; the global state plays no part."""
    np.random.seed(0)  # noqa: NPY002
    a = generator("x", 1).random(4)
    np.random.seed(1)  # noqa: NPY002
    assert np.array_equal(a, generator("x", 1).random(4))
    assert not np.array_equal(a, generator("x", 2).random(4))
    assert not np.array_equal(generator("ab", "c").random(4), generator("a", "bc").random(4))
