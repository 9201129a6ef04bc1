"""The scenarios of an optimizer's life refuse what is wrong in one event of it, and nothing else."""

from __future__ import annotations

import datetime

import pytest
import torch
from meta import alternatives, broken_lives, newer_optimizers, plain_optimizers

from benchkit.judge import ERROR, FAIL, PASS, UNSUPPORTED
from benchkit.waivers import Waivers
from optimbench import life
from optimbench.subject import TorchSubject
from reference import OPTIMIZERS


def plays(item: str, constructor, dtypes=("float32",), level: str = "standard", only: str = ""):
    """The records of all plays of a life, or those of one scenario."""
    declared = OPTIMIZERS[item]
    subject = TorchSubject(declared, "cpu", constructor)
    for case in life.cases(declared, level, dtypes, "cpu", 0):
        if not only or case.scenario == only:
            yield from life.run_case(case, subject)


WRONG = [(c, *about) for c, about in broken_lives.WRONG.items()]


@pytest.mark.parametrize(("constructor", "item", "scenario", "dtype"), WRONG, ids=[c.__name__ for c, *_ in WRONG])
def test_a_wrong_life_fails_in_the_scenario_that_is_about_it(constructor, item: str, scenario: str, dtype: str) -> None:
    """Not as an error, and with a number of things compared."""
    modes = torch.is_grad_enabled()
    try:
        found = list(plays(item, constructor, (dtype,), only=scenario))
    finally:
        torch.set_grad_enabled(modes)
    failed = [r for r in found if r["status"] == FAIL]
    assert failed
    assert all(r["compared"] for r in failed)
    assert not [r for r in found if r["status"] == ERROR]


def test_what_the_wrong_lives_start_from_is_right() -> None:
    """So that each is refused for its own fault; what torch's own base class does wrong is waived for it, too."""
    waivers = Waivers.load(None, torch.__version__, datetime.date.today())
    found = list(plays("Adam", broken_lives.Optimizer))
    assert {r["status"] for r in found if not (r["status"] == FAIL and waivers.match(r))} <= {PASS, UNSUPPORTED}


RIGHT = [
    *((c, item) for c, item in alternatives.OPTIMIZERS.items()),
    *((c, item) for c, item in newer_optimizers.RIGHT.items()),
    *((c, item) for c, item in plain_optimizers.RIGHT.items()),
]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("constructor", "item"), RIGHT, ids=[c.__name__ for c, _ in RIGHT])
def test_a_right_class_lives_however_it_keeps_its_state(constructor, item: str, dtype: str) -> None:
    """What it does not take (closures, sparse or complex numbers, switches) is unsupported; nothing fails."""
    waivers = Waivers.load(None, torch.__version__, datetime.date.today())
    found = list(plays(item, constructor, (dtype,)))
    assert not [r["message"] for r in found if r["status"] == ERROR or (r["status"] == FAIL and not waivers.match(r))]
    assert any(r["compared"] for r in found)


@pytest.mark.parametrize("item", OPTIMIZERS)
def test_every_item_has_a_life_at_every_level(item: str) -> None:
    """Level by level more plays; each scenario that concerns the item is played at level standard on every path it has."""
    declared = OPTIMIZERS[item]
    counts = [len(list(life.cases(declared, level, ("float32",), "cpu", 0))) for level in ("quick", "standard", "thorough")]
    assert 0 < counts[0] <= counts[1] <= counts[2]
    played = {(c.scenario, c.path) for c in life.cases(declared, "standard", ("float32",), "cpu", 0)}
    for one in life.SCENARIOS.values():
        if one.concerns(declared) and one.variants(declared) and "float32" in one.formats:
            assert {p for s, p in played if s == one.name} == set(declared.paths if one.everywhere else declared.paths[:1])
