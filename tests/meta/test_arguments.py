"""Every constructor argument of every declared class is an option, a switch of the implementation or a reduction, and is tried
at values that matter: an argument that a newer torch adds shows here."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest
from test_optimizer_formulas import PROBLEMS, alike, extra, gradients, shapes, steps_of

from benchkit.arguments import SWITCHES, exercised, uncovered, unknown
from benchkit.attribute import torch_class
from benchkit.domains import Domain
from benchkit.grid import combinations, same
from reference import LOSSES, OPTIMIZERS

ITEMS = {**LOSSES, **OPTIMIZERS}
EVERY_ITEM = pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
EVERY_OPTIMIZER = pytest.mark.parametrize("item", OPTIMIZERS.values(), ids=OPTIMIZERS)

# Values that torch's documentation calls the same as the default.
SYNONYMS = {("Muon", "adjust_lr_fn", "original")}


def constructor(item):
    """torch's class; the installed torch may lack it."""
    found = torch_class(item.path)
    if found is None:
        pytest.skip(f"the installed torch has no {item.path}")
    return found


@EVERY_ITEM
def test_every_argument_is_covered(item):
    """None is left that the declaration does not know, and it declares none that is not there."""
    assert uncovered(item, constructor(item)) == []
    assert unknown(item, constructor(item)) == []


def test_an_argument_that_is_new_shows():
    """The check above would see one that a newer torch adds, and one that it takes away."""

    def newer(params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, *, foreach=None, clipping=None):
        raise NotImplementedError

    assert uncovered(OPTIMIZERS["Adam"], newer) == ["clipping"]
    assert unknown(OPTIMIZERS["Adam"], newer) == ["maximize", "decoupled_weight_decay"]


@EVERY_OPTIMIZER
def test_every_switch_of_a_path_is_declared(item):
    """Whether torch has a foreach and a fused implementation is seen by its switches."""
    arguments = inspect.signature(constructor(item)).parameters

    assert set(item.paths) - {"forloop"} == set(arguments) & SWITCHES & {"foreach", "fused"}


@EVERY_ITEM
def test_every_option_has_another_value_than_its_default(item):
    """No option is tried at its default alone; a flag is tried both ways."""
    for name, values in exercised(item).items():
        assert len(values) > 1, name
        if isinstance(values[0], bool):
            assert {v for v in values if not isinstance(v, Domain)} >= {True, False}, name


@EVERY_OPTIMIZER
def test_every_number_is_tried_at_an_edge(item):
    """Besides the default and what users have there is a value at the end of what is allowed, or far from both."""
    for name, values in exercised(item).items():
        if isinstance(values[0], (float, tuple)):
            assert len(values) > min(len(item.options[name]), 2), f"{item.name}: {name} {values}"


@EVERY_OPTIMIZER
def test_sets_of_values_that_meet(item):
    """Every declared set is tried whole, at every level, and is one that the constructor accepts."""
    for level in ("quick", "standard"):
        rows = combinations(item.options, item.edge_options, level, item.valid, item.together)
        for values in item.together:
            assert item.defaults | dict(values) in rows
            assert item.valid is None or item.valid(item.defaults | dict(values))


def differ(item, options, others):
    """Whether two option sets give other numbers within twelve steps, for ordinary or for tiny gradients."""
    if "closure" in item.tags:
        return any(
            not alike(a, b)
            for problem, start in PROBLEMS
            for a, b in zip(steps_of(item, options, problem, start), steps_of(item, others, problem, start), strict=True)
        )
    for shape, size in itertools.product(shapes(item), (1.0, 1e-20)):
        p, g, touched = gradients(item, 12, shape)
        ends = [list(walk(item, chosen, p, g * size, touched)) for chosen in (options, others)]
        if not all(alike(a, b) for a, b in zip(*ends, strict=True)):
            return True
    return False


def walk(item, options, p, g, touched):
    state = item.initial_function(p, **options)
    with np.errstate(all="ignore"):
        for gradient, here in zip(g, touched, strict=True):
            p, state = item.function(p, gradient, state, **extra(item, here), **options)
            yield p, state


@EVERY_OPTIMIZER
def test_no_value_is_inert(item):
    """Each value changes a number in one at least of the option sets that have it."""
    rows = combinations(item.options, item.edge_options, "standard", item.valid, item.together)
    for name, values in exercised(item).items():
        for value in values[1:]:
            if (item.name, name, value) not in SYNONYMS:
                having = [row for row in rows if same(row[name], value)]

                assert any(differ(item, row, row | {name: values[0]}) for row in having), (name, value)
