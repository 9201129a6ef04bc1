"""``lossbench verify``: torch's losses, or one implementation in place of one of them, against the reference."""

from __future__ import annotations

from benchkit.attribute import public_classes
from benchkit.contract_check import extended
from benchkit.request import Request
from benchkit.verification import Bench
from benchkit.verification import verify as run
from lossbench.case import Case
from lossbench.cases import cases
from lossbench.checks import CHECKS, OPTIONAL, prepare, run_case
from lossbench.contract import CONTRACT
from lossbench.formula_subject import FormulaSubject
from lossbench.generic_bugs import generic_bugs
from lossbench.reproducer import reproducer
from lossbench.subject import ModuleSubject
from reference import LOSSES


def classes() -> list[str]:
    """Every loss class of the installed torch, deprecated names too: what is called a loss, and what is one by descent."""
    from torch.nn.modules.loss import _Loss

    return public_classes("torch.nn", lambda name, found: name.endswith("Loss") or issubclass(found, _Loss))


def for_formulas(case: Case) -> bool:
    """Whether a case asks of a formula what no other asks; a large input is for the bugs that show there alone."""
    return case.path in ("eager", "functional") and case.lane != "large"


BENCH = extended(
    Bench(
        "lossbench.verify:BENCH",
        LOSSES,
        tuple(CHECKS),
        cases,
        ModuleSubject,
        run_case,
        reproducer,
        FormulaSubject,
        OPTIONAL,
        classes,
        generic_bugs,
        prepare,
        for_formulas,
    ),
    CONTRACT,
)


def verify(request: Request) -> int:
    """Verify the losses that are asked for (default: all); 0 where they are right, 1 where one is not."""
    return run(request, BENCH)
