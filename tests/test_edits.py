"""Automatic edits: what they change, what they leave alone, and that every equivalence names one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import reference
from benchkit.edits import edits
from benchkit.proving import mutants
from benchkit.spec import Item, Loss
from lossbench.verify import BENCH as LOSS_BENCH
from optimbench.verify import BENCH as OPTIMIZER_BENCH

ITEMS = [*reference.LOSSES.values(), *reference.OPTIMIZERS.values()]


def helped(x):
    """A function of the same file that a part calls."""
    return np.maximum(x, 0.0)


def hinge(x, *, margin):
    """A formula with something of everything."""
    bent = helped(margin - x)
    return np.where(bent < 2.0, bent * bent, -x[0:1].sum(axis=0)) if margin > 0 else bent


@pytest.fixture(scope="module")
def item() -> Loss:
    """A loss that is declared nowhere."""
    return Loss("torch.nn.Fake", hinge)


def test_edits_of_a_formula(item: Loss) -> None:
    """Operators, comparisons, constants, branches and terms, in the formula and in what it calls."""
    texts = {edit.text for edit in edits(item)}

    assert {
        "helped(margin - x) → helped(margin + x)",
        "helped(margin - x) → helped(margin)",
        "margin > 0 → margin >= 0",
        "margin > 0 → margin < 0",
        "margin > 0 → margin > 0.001",
        "np.maximum(x, 0.0) → np.minimum(x, 0.0)",
        "np.maximum(x, 0.0) → np.maximum(x, 0.001)",
    } <= texts


def test_axes_and_indices_are_left_alone(item: Loss) -> None:
    """They choose, and count nothing."""
    assert not any("axis=0.001" in edit.text or "[0.001" in edit.text or "1.001]" in edit.text for edit in edits(item))


def test_an_edit_of_a_helper_reaches_the_formula(item: Loss) -> None:
    """And leaves the file itself as it is."""
    (edit,) = (edit for edit in edits(item) if edit.text == "np.maximum(x, 0.0) → np.minimum(x, 0.0)")

    assert edit.function == "helped"
    assert edit.parts["value"](np.array([0.5]), margin=1.0) == 0.0
    assert hinge(np.array([0.5]), margin=1.0) == 0.25


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_every_item_has_edits_of_different_names(item: Item) -> None:
    """Told apart by name, so that a record belongs to one of them."""
    names = Counter(edit.name for edit in edits(item))

    assert names
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_every_equivalence_names_an_edit_and_argues(item: Item) -> None:
    """One that matches nothing fails the proof, and one without an argument proves nothing."""
    bench = LOSS_BENCH if item.name in reference.LOSSES else OPTIMIZER_BENCH
    used = {id(mutant.equivalent) for mutant in mutants(bench.name, item.name)}

    assert [e.edit for e in item.equivalents if id(e) not in used] == []
    assert all(len(e.why) > 20 for e in item.equivalents)
