"""``optimbench verify``: torch's optimizers, or one implementation in place of one of them, in lockstep with the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchkit.attribute import public_classes
from benchkit.contract_check import extended
from benchkit.request import Request
from benchkit.spec import Optimizer
from benchkit.verification import Bench
from benchkit.verification import verify as run
from optimbench import checks, life, reproducer
from optimbench.cases import Case, cases
from optimbench.contract import CONTRACT
from optimbench.formula_subject import FormulaSubject
from optimbench.generic_bugs import generic_bugs
from optimbench.subject import Subject, TorchSubject
from reference import OPTIMIZERS

CHECKS = checks.CHECKS | life.checks()


def all_cases(item: Optimizer, level: str, dtypes: Sequence[str], device: str, seed: int) -> Iterator[Case]:
    """Every case of an item at a level, on one device: the runs in lockstep, and the scenarios of its life."""
    yield from cases(item, level, dtypes, device, seed)
    yield from life.cases(item, level, dtypes, device, seed)


def run_case(case: Case, subject: Subject, done: frozenset[str] | set[str] = frozenset()) -> Iterator[checks.Record]:
    """Run a case once and make its records."""
    return life.run_case(case, subject, done) if isinstance(case, life.LifeCase) else checks.run_case(case, subject, done)


def prepare(case: Case) -> Callable[[Subject], Iterator[checks.Record]]:
    """A function that runs one case on any subject."""
    return (lambda subject: life.run_case(case, subject)) if isinstance(case, life.LifeCase) else checks.prepare(case)


def reproduce(case: Case, check: str, subject: Subject, impl: str | None = None) -> str | None:
    """The script of a failure, or None where it does not fail again."""
    write = life.reproducer if isinstance(case, life.LifeCase) else reproducer.reproducer
    return write(case, check, subject, impl)  # type: ignore[arg-type]


def classes() -> list[str]:
    """Every optimizer class of the installed torch."""
    from torch.optim import Optimizer

    return public_classes("torch.optim", lambda name, found: issubclass(found, Optimizer) and found is not Optimizer)


def for_formulas(case: Case) -> bool:
    """Whether a case asks of a formula what no other asks: one path is enough."""
    return not isinstance(case, life.LifeCase) and case.path == case.item.paths[0]


BENCH = extended(
    Bench(
        "optimbench.verify:BENCH", OPTIMIZERS, tuple(CHECKS), all_cases, TorchSubject, run_case, reproduce, FormulaSubject,
        frozenset(life.SCENARIOS), classes, generic_bugs, prepare,
        for_formulas,
    ),
    CONTRACT,
)  # fmt: skip


def verify(request: Request) -> int:
    """Verify the optimizers that are asked for (default: all); 0 where they are right, 1 where one is not."""
    return run(request, BENCH)
