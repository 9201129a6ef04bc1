"""``lossbench verify``: torch's losses, or one implementation in place of one of them, against the reference."""

from __future__ import annotations

from benchkit.request import Request
from benchkit.verification import Bench
from benchkit.verification import verify as run
from lossbench.cases import cases
from lossbench.checks import CHECKS, OPTIONAL, run_case
from lossbench.reproducer import reproducer
from lossbench.subject import FormulaSubject, ModuleSubject
from reference import LOSSES

BENCH = Bench(
    "lossbench.verify:BENCH", LOSSES, tuple(CHECKS), cases, ModuleSubject, run_case, reproducer, FormulaSubject, OPTIONAL
)  # fmt: skip


def verify(request: Request) -> int:
    """Verify the losses that are asked for (default: all); 0 where they are right, 1 where one is not."""
    return run(request, BENCH)
