"""``optimbench verify``: torch's optimizers, or one implementation in place of one of them, in lockstep with the reference."""

from __future__ import annotations

from benchkit.contract_check import extended
from benchkit.request import Request
from benchkit.verification import Bench
from benchkit.verification import verify as run
from optimbench.cases import cases
from optimbench.checks import CHECKS, run_case
from optimbench.contract import CONTRACT
from optimbench.reproducer import reproducer
from optimbench.subject import FormulaSubject, TorchSubject
from reference import OPTIMIZERS

BENCH = extended(
    Bench("optimbench.verify:BENCH", OPTIMIZERS, tuple(CHECKS), cases, TorchSubject, run_case, reproducer, FormulaSubject),
    CONTRACT,
)


def verify(request: Request) -> int:
    """Verify the optimizers that are asked for (default: all); 0 where they are right, 1 where one is not."""
    return run(request, BENCH)
