"""CPU seconds are those of all processes that worked for us, and the compiler's are told from those of the checks."""

import subprocess
import sys

import pytest
import torch

from benchkit import cpu_time
from benchkit.tally import Tally, Work

BUSY = "import time\nwhile time.process_time() < 0.3: pass"


def test_children_that_ended_are_counted() -> None:
    before = cpu_time.spent()
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert cpu_time.spent() - before >= 0.25


@pytest.mark.parametrize("again", [False, True], ids=["once", "after torch forgot"])
def test_the_compiler_has_a_clock_of_its_own(again: bool) -> None:
    if again:
        torch._dynamo.reset()
    cpu_time.fresh_compiler()
    before, compiling = cpu_time.spent(), cpu_time.compiling()
    fast = torch.compile(lambda x: (x * 2).exp().sum(), backend="aot_eager")
    x = torch.ones(3, requires_grad=True)
    fast(x).backward()
    took = cpu_time.compiling() - compiling
    assert 0 < took <= cpu_time.spent() - before
    fast(x)
    assert cpu_time.compiling() - compiling == took, "what is compiled already was compiled again"


def test_the_tally_keeps_them_apart() -> None:
    tally = Tally(asked=100.0)
    tally.time(Work(checks=30, seconds=2.0, compiling=5.0, begun=103.5))
    tally.time(Work(checks=10, seconds=3.0, compiling=1.0, begun=103.0))
    assert tally.speed == {"cpu_s": 5.0, "checks_per_cpu_s": 8.0, "start_up_s": 3.0, "compile_cpu_s": 6.0}


def test_a_run_without_a_check_took_no_start_up() -> None:
    assert Tally(asked=100.0).speed["start_up_s"] == 0.0
