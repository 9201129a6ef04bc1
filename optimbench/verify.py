"""``optimbench verify``: torch's optimizers, or one implementation in place of one of them, in lockstep with the reference."""

from __future__ import annotations

from benchkit.attribute import public_classes
from benchkit.request import Request
from benchkit.verification import Bench
from benchkit.verification import verify as run
from optimbench.cases import cases
from optimbench.checks import CHECKS, run_case
from optimbench.reproducer import reproducer
from optimbench.subject import FormulaSubject, TorchSubject
from reference import OPTIMIZERS


def classes() -> list[str]:
    """Every optimizer class of the installed torch."""
    from torch.optim import Optimizer

    return public_classes("torch.optim", lambda name, found: issubclass(found, Optimizer) and found is not Optimizer)


BENCH = Bench(
    "optimbench.verify:BENCH", OPTIMIZERS, tuple(CHECKS), cases, TorchSubject, run_case, reproducer, FormulaSubject, classes
)


def verify(request: Request) -> int:
    """Verify the optimizers that are asked for (default: all); 0 where they are right, 1 where one is not."""
    return run(request, BENCH)
