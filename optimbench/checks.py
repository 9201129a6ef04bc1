"""The checks of an optimizer as data: run a case on a subject, judge it, and make a record of the outcome."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from benchkit.judge import ERROR, FAIL, PASS, UNSUPPORTED, OracleError, all_wrong, by_reference, failure
from optimbench import closures
from optimbench.cases import Case, Drawn
from optimbench.found import Found
from optimbench.lockstep import judge
from optimbench.subject import Recording, Subject, Unsupported

Record = dict[str, Any]
LOCKSTEP = "lockstep"
CHECKS = {
    LOCKSTEP: "every parameter and every number of the state after every step",
    "at_rest": "elements whose gradient is zero and always was stay numbers",
    "gradient_kept": "the step does not write to the gradients",
    "memory_kept": "the step writes to nothing around parameters and gradients that lie in larger memory",
    "state_format": "the state is held in formats that do for it",
    "state_begins": "what a constructor makes of the state is what the first step should find",
    "group_begins": "the same in a group whose own options give the state another start",
    "state_form": "the state is what the documentation says, and not a multiple of it",
    "completes": "no step raises an exception",
}


def run_case(case: Case, subject: Subject, done: frozenset[str] | set[str] = frozenset()) -> Iterator[Record]:
    """Run a case once and make a record of each check that is not ``done``.

    A check other than lockstep has no record where it does not apply: no element was at rest, there is no state, the optimizer
    makes its gradients itself by a closure, no exception came after steps that can be judged. The lockstep record is the last.
    """
    if case.id(LOCKSTEP) in done:
        return
    case = subject.fitted(case)
    yield from _records(case, _attempt(case, subject), done)


def _records(case: Case, outcome: Outcome, done: frozenset[str] | set[str]) -> Iterator[Record]:
    for check in reversed(CHECKS):
        if case.id(check) not in done and (check == LOCKSTEP or any(f.check == check for f in outcome.found)):
            yield make_record(case, check, outcome)


def prepare(case: Case) -> Callable[[Subject], Iterator[Record]]:
    """Draw a case; the function that it gives runs it on a subject. Runs that are the same to the last bit are judged once."""
    drawn = case.draw()
    known: dict[bytes, list[Record]] = {}

    def run(subject: Subject) -> Iterator[Record]:
        fitted = subject.fitted(case)
        try:
            recording = subject(fitted, drawn)
        except (Exception, SystemExit):  # what becomes of it is told where a case is run
            yield from run_case(case, subject)
            return
        key = pickle.dumps(recording, protocol=pickle.HIGHEST_PROTOCOL)
        if key not in known:
            outcome = _attempt(fitted, lambda _case, _drawn: recording, drawn)
            known[key] = list(_records(fitted, outcome, frozenset()))
        yield from known[key]

    return run


@dataclass
class Outcome:
    """What one run compared, or why it could not."""

    found: list[Found] = field(default_factory=list)
    unsupported: str = ""
    error: str = ""


def outcomes(case: Case, subject: Callable[..., Recording], drawn: Drawn | None = None) -> list[Found]:
    """Everything that one run compares; an exception of the subject is a failure. Unsupported is raised."""
    try:
        recording = subject(case, drawn or case.draw())
    except Unsupported:
        raise
    except (Exception, SystemExit) as error:
        first = str(error).strip().splitlines() or [""]
        recording = Recording(raised=f"raised {type(error).__name__}: {first[0]}")
    ended = [Found(failure(recording.raised), "step", check="completes")] if recording.raised else []
    if ended and not (recording.segments or any(step.evaluations for step in recording.steps)):
        return [replace(ended[0], check=LOCKSTEP)]
    return ended + by_reference(_judge, case, recording)


def _judge(case: Case, recording: Recording) -> list[Found]:
    return list(closures.judge(case, recording) if "closure" in case.item.tags else judge(case, recording))


def worst_of(found: list[Found]) -> Found:
    """The largest ratio; of several the one of the first step."""
    return max(found, key=lambda f: (f.comparison.ratio, -(f.segment.step if f.segment else 0)))


def _attempt(case: Case, subject: Callable[..., Recording], drawn: Drawn | None = None) -> Outcome:
    try:
        return Outcome(outcomes(case, subject, drawn))
    except Unsupported as reason:
        return Outcome(unsupported=str(reason))
    except OracleError as error:
        return Outcome(error=str(error))


def make_record(case: Case, check: str, outcome: Outcome) -> Record:
    """One check of a run. A run that compared nothing, or whose oracle failed, is an error and never a pass."""
    record = describe(case, check)
    if outcome.unsupported:
        return record | {"status": UNSUPPORTED, "message": [outcome.unsupported]}
    if outcome.error:
        return record | {"status": ERROR, "message": [outcome.error]}
    found = [f for f in outcome.found if f.check == check]
    compared = sum(f.comparison.compared for f in found)
    if compared == 0:
        return record | {"status": ERROR, "message": ["nothing could be compared"]}
    worst = worst_of(found)
    record |= {
        "status": worst.comparison.status,
        "compared": compared,
        "telling": sum(f.comparison.telling for f in found),
        "ratio": max(worst.comparison.ratio, worst.comparison.overall),
        "wrong": all_wrong(f.comparison for f in found),
    }
    if worst.comparison.status != PASS:
        record["message"] = message(case, worst)
    return record


def describe(case: Case, check: str) -> Record:
    """The fields of a record that follow from its case and check."""
    return {
        "id": case.id(check),
        "item": case.item.name,
        "check": check,
        "device": case.device,
        "dtype": case.dtype,
        "path": case.path,
        "lane": case.lane,
        "reduction": "",
        "options": case.settings,
        "variant": case.variant,
        "shape": [list(shape) for group in case.shapes for shape in group],
        "compared": 0,
        "telling": 0,
        "ratio": None,
        "wrong": [],
        "message": [],
        "waiver": None,
        "repro": None,
    }


def message(case: Case, worst: Found) -> list[str]:
    """At most six lines: item, case, first wrong step and worst element, ratio to the bound."""
    kind = "differs" if worst.comparison.status == FAIL else "is marginal"
    lines = [
        f"{case.item.name} {kind}: {case.path} path, {case.dtype} on {case.device}, {case.lane} lane",
        f"case {case.id(worst.check)}",
        worst.sentence(),
    ]
    if not worst.comparison.why:
        lines.append(f"error / bound = {worst.comparison.ratio:.3g}, bound {worst.comparison.bound:.3g}")
    return lines
