"""A class that is wrong on one of its paths only, or from a late step on, is told, also by the short runs of level quick."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from benchkit.judge import FAIL
from benchkit.request import DTYPES
from optimbench.cases import SHORT_STEPS, STEPS, Case
from optimbench.subject import TorchSubject
from optimbench.verify import BENCH
from reference import OPTIMIZERS

ITEM = OPTIMIZERS["SGD"]
CASES = [c for c in BENCH.cases(ITEM, "quick", DTYPES, "cpu", 0) if type(c) is Case and c.lane == "ordinary" and not c.layout]


def subject(path: str, first: int) -> TorchSubject:
    """SGD whose parameters are 10 % too large after every step from the ``first`` on, on one path."""

    class Wrong(torch.optim.SGD):
        made = 0

        def step(self, closure: Any = None) -> Any:
            answer = super().step(closure)
            self.made += 1
            group = self.param_groups[0]
            taken = "fused" if group["fused"] else "foreach" if group["foreach"] else "forloop"
            if taken == path and self.made >= first:
                with torch.no_grad():
                    for group in self.param_groups:
                        for p in group["params"]:
                            p.mul_(1.1)
            return answer

    Wrong.__module__ = torch.optim.SGD.__module__
    return TorchSubject(ITEM, "cpu", Wrong)


@pytest.mark.parametrize("path", ITEM.paths)
@pytest.mark.parametrize("first", [1, 3, SHORT_STEPS, STEPS])
def test_wrong_on_one_path_from_one_step_on(path: str, first: int) -> None:
    """Every run of the path that comes to the step fails, and no run of another path does; one run at least comes to it."""
    chosen = [case for case in CASES if case.path in ITEM.paths and (case.path == path or case.sample < 2)]
    reached = 0
    for case in chosen:
        (record,) = [r for r in BENCH.run_case(case, subject(path, first), frozenset()) if r["check"] == "lockstep"]
        wrong = case.path == path and case.steps >= first
        reached += wrong
        if wrong or case.path != "fused":  # the fused path has a defect of its own
            assert (record["status"] == FAIL) == wrong, record["id"]
    assert reached


def test_short_runs_beside_whole_ones() -> None:
    """At level quick every item has whole runs on each of its paths; where one format alone is asked for no run is short."""
    for item in OPTIMIZERS.values():
        cases = [c for c in BENCH.cases(item, "quick", DTYPES, "cpu", 0) if type(c) is Case]
        for path in item.paths if "closure" not in item.tags else ():
            assert any(c.path == path and c.steps == STEPS for c in cases), (item.name, path)
        alone = [c for c in BENCH.cases(item, "quick", ("float64",), "cpu", 0) if type(c) is Case]
        assert not any(c.short for c in alone)
