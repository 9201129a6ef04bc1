"""The checks of a loss: small functions from a case and a subject to outcomes, and the runner that turns these into records."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchkit.balls import Rules, floats
from benchkit.domains import Draw
from benchkit.judge import ERROR, FAIL, PASS, UNSUPPORTED, Comparison, compare, failure
from lossbench.cases import Case
from lossbench.oracle import Expectation, expect
from lossbench.subject import Answer, Array, Call, Subject, Unsupported, arguments_of

Record = dict[str, Any]


class OracleError(Exception):
    """The reference itself failed: the check says nothing about the subject."""


@dataclass
class Trial:
    """A case with its numbers drawn, which all its checks share, as they do the expectation."""

    case: Case
    drawn: Draw

    @functools.cached_property
    def expected(self) -> Expectation:
        """What the answer must be; made when it is first needed, so that a case without an implementation costs nothing."""
        case = self.case
        rules = Rules.of(case.precision, exact=case.lane == "exact")
        domains = case.item.variants[case.variant]
        try:
            return expect(case.item, domains, self.drawn.inputs, self.drawn.options, case.reduction, rules, case.by)
        except Exception as error:
            raise OracleError(f"the reference failed: {type(error).__name__}: {error}") from error

    def call(self, requires: Sequence[str] = (), upstreams: Sequence[Array] = ()) -> Call:
        case = self.case
        legacy = case.legacy
        arguments = (
            arguments_of(case.item, case.reduction) if legacy is None else {"size_average": legacy[0], "reduce": legacy[1]}
        )
        domains, drawn = case.item.variants[case.variant], self.drawn
        return Call(domains, drawn.inputs, drawn.options, arguments, case.reduction, case.dtype, requires, upstreams, case.by)

    def derivable(self) -> list[str]:
        """The inputs to differentiate by in this sample: all that allow it, or each of them alone, in turn.

        Of more than three each second sample takes all, since few samples would not come round to the last of them.
        """
        names, sample = [n for n in self.case.by if n in self.drawn.inputs], self.case.sample
        turn = sample % (len(names) + 1) if len(names) > 1 else 0
        if len(names) > 3:
            turn = 0 if sample % 2 == 0 else 1 + sample // 2 % len(names)
        return names if turn == 0 else [names[turn - 1]]


def check_forward(trial: Trial, subject: Subject) -> Iterator[tuple[str, Comparison]]:
    """The value, with no derivative asked for."""
    answer = subject(trial.call())
    yield from _value(trial, answer)


def check_gradient(trial: Trial, subject: Subject) -> Iterator[tuple[str, Comparison]]:
    """The gradient by every differentiable input for an incoming gradient of ones; asking for it must not change the value."""
    yield from _gradients(trial, subject, np.ones)


def check_incoming(trial: Trial, subject: Subject) -> Iterator[tuple[str, Comparison]]:
    """The gradient for an incoming gradient other than one, not uniform where the loss is not reduced."""
    yield from _gradients(trial, subject, trial.case.upstream)


def check_weights(trial: Trial, subject: Subject) -> Iterator[tuple[str, Comparison]]:
    """The gradient by every option that is a tensor, such as class weights, for an incoming gradient that is not uniform."""
    yield from _gradients(trial, subject, trial.case.upstream, trial.case.weights)


def _value(trial: Trial, answer: Answer) -> Iterator[tuple[str, Comparison]]:
    if answer.stored is not trial.case.precision:
        yield "value", failure(f"the answer is {answer.stored.name}, but should be {trial.case.dtype} like the input")
    if answer.damaged:
        yield answer.damaged, failure("the input was changed in place")
    yield "value", compare(trial.expected.value, answer.value, answer.stored)


def _gradients(
    trial: Trial, subject: Subject, incoming: Callable[[tuple[int, ...]], Array], by: Sequence[str] | None = None
) -> Iterator[tuple[str, Comparison]]:
    requires = trial.derivable() if by is None else by
    if not requires:
        return
    upstream = incoming(trial.expected.value.shape)
    answer = subject(trial.call(requires, [upstream]))
    yield from _value(trial, answer)
    expected = trial.expected.gradients(upstream)
    domains = trial.case.item.variants[trial.case.variant]
    for name, got in zip(requires, answer.gradients[0], strict=True):
        if got is None and name in domains and domains[name].parameter and not floats(expected[name].value).any():
            got = np.zeros(expected[name].shape)  # no gradient of a parameter stands for 0, as for a cluster without a target
        if got is None:
            yield f"d/d{name}", failure(f"no gradient flows to {name}, which requires it")
        else:
            yield f"d/d{name}", compare(expected[name], got, trial.case.precision, f"the gradient by {name}", derivative=True)


CHECKS = {"forward": check_forward, "gradient": check_gradient, "incoming": check_incoming, "weights": check_weights}


def checks_of(case: Case) -> list[str]:
    """The checks that a case gets; the deprecated arguments only choose the reduction, so their value is enough."""
    if case.legacy is not None:
        return ["forward"]
    return [name for name in CHECKS if name != "weights" or case.weights]


def run_case(case: Case, subject: Subject, done: frozenset[str] | set[str] = frozenset()) -> Iterator[Record]:
    """Run the checks of a case that are not ``done``, one record each."""
    names = [name for name in checks_of(case) if case.id(name) not in done]
    if not names:
        return
    trial = Trial(case, case.draw())
    unsupported: Record = {}
    for name in names:
        if not unsupported:
            record = run_check(case, name, trial, subject)
            # Without a forward pass there is nothing to differentiate; the other checks need not try.
            if name == "forward" and record["status"] == UNSUPPORTED:
                unsupported = {k: record[k] for k in ("status", "message")}
            yield record
        else:
            yield describe(case, name) | unsupported


def outcomes(name: str, trial: Trial, subject: Subject) -> list[tuple[str, Comparison]]:
    """Everything that one check compares; an exception of the subject is a failure. Unsupported is raised."""
    try:
        return list(CHECKS[name](trial, subject))
    except (Unsupported, OracleError):
        raise
    except (Exception, SystemExit) as error:
        first = str(error).strip().splitlines() or [""]
        return [("answer", failure(f"raised {type(error).__name__}: {first[0]}"))]


def run_check(case: Case, name: str, trial: Trial, subject: Subject) -> Record:
    """One check as data. A check that compared nothing, or whose oracle failed, is an error and never a pass."""
    record = describe(case, name)
    try:
        found = outcomes(name, trial, subject)
    except Unsupported as reason:
        return record | {"status": UNSUPPORTED, "message": [str(reason)]}
    except OracleError as error:
        return record | {"status": ERROR, "message": [str(error)]}
    if not found:
        return record | {"status": UNSUPPORTED, "message": ["the item has no input to differentiate by"]}
    what, worst = max(found, key=lambda pair: (pair[1].ratio, pair[1].compared))
    # A check of gradients looks at the value too, but must not live on that.
    own = [c for part, c in found if name == "forward" or part.startswith("d/d") or c.status == FAIL]
    record |= {
        "status": worst.status,
        "compared": sum(c.compared for c in own),
        "telling": sum(c.telling for c in own),
        "ratio": worst.ratio,
    }
    if record["compared"] == 0 and case.lane != "edge":
        record |= {"status": ERROR, "message": ["nothing could be compared: the bound is infinite everywhere"]}
    elif worst.status != PASS:
        record["message"] = message(case, name, what, worst)
    return record


def describe(case: Case, name: str) -> Record:
    """The fields of a record that follow from its case."""
    return {
        "id": case.id(name),
        "item": case.item.name,
        "check": name,
        "device": case.device,
        "dtype": case.dtype,
        "path": case.path if case.legacy is None else "legacy",
        "lane": case.lane,
        "reduction": case.reduction,
        "options": case.settings,
        "variant": case.variant,
        "shape": list(case.shape),
        "compared": 0,
        "telling": 0,
        "ratio": None,
        "message": [],
        "waiver": None,
        "repro": None,
    }


def message(case: Case, name: str, what: str, worst: Comparison) -> list[str]:
    """At most six lines: item, case, worst element, expected, got, ratio to the bound."""
    kind = "differs" if worst.status == FAIL else "is marginal"
    lines = [f"{case.item.name} {kind}: {name}, reduction {case.reduction}, {case.dtype} on {case.device}, {case.lane} lane",
             f"case {case.id(name)}",
             worst.sentence(what)]  # fmt: skip
    if not worst.why:
        lines.append(f"error / bound = {worst.ratio:.3g}, bound {worst.bound:.3g}")
    return lines
