"""The checks of a loss: small functions from a case and a subject to outcomes, and the runner that turns these into records."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchkit.balls import Ball, Rules, floats
from benchkit.domains import Domain, Draw
from benchkit.judge import (
    ERROR,
    FAIL,
    PASS,
    UNSUPPORTED,
    Comparison,
    OracleError,
    alike,
    all_wrong,
    by_reference,
    compare,
    failure,
)
from benchkit.precision import PRECISIONS, Precision
from lossbench.case import Case
from lossbench.families import FIRST_SAMPLE
from lossbench.layouts import CONTIGUOUS, repeat
from lossbench.oracle import Formula, expect
from lossbench.paths import BACKENDS, BEST
from lossbench.subject import Answer, Array, Call, Subject, Unsupported, arguments_of

Record = dict[str, Any]


@dataclass
class Trial:
    """A case with its numbers drawn, which all its checks share, as they do the expectation."""

    case: Case
    drawn: Draw
    _gradients: dict[bytes, dict[str, Any]] = field(default_factory=dict, repr=False)

    @functools.cached_property
    def expected(self) -> Formula:
        """What the answer must be; made when it is first needed, so that a case without an implementation costs nothing."""
        return self.expected_in(self.case.computed.name)

    def expected_in(self, format: str) -> Formula:
        """What it must be of an implementation that rounds to this format."""
        case = self.case
        rules = replace(Rules.of(PRECISIONS[format], exact=case.lane == "exact"), cascaded=case.lane == "large")
        found: Formula = by_reference(
            expect, case.item, case.domains, self.drawn.inputs, self.drawn.options, case.reduction, rules, bool(case.formats),
            case.by,
        )  # fmt: skip
        return found

    @functools.cached_property
    def lanes(self) -> list[Trial]:
        """The further calls that run together with this one under vmap."""
        case = self.case
        return [Trial(case, drawn) for drawn in case.lanes(self.drawn)] if case.path == "vmap" else []

    def call(self, requires: Sequence[str] = (), upstreams: Sequence[Array] = ()) -> Call:
        case = self.case
        legacy = case.legacy
        deprecated = None if legacy is None else {"size_average": legacy[0], "reduce": legacy[1]}
        arguments = deprecated or arguments_of(case.item, case.reduction)
        return Call(
            case.domains, self.drawn.inputs, self.drawn.options, arguments, case.reduction, case.dtype, requires, upstreams,
            case.path, dict(case.layouts), dict(case.formats), case.stored[0], [lane.drawn.inputs for lane in self.lanes],
            self._fellows(), case.by,
        )  # fmt: skip

    def _fellows(self) -> tuple[str, int, Callable[[], list[Call]]] | None:
        """The calls that are compiled in one graph with this one; each for both incoming gradients that the checks ask for."""
        graph = self.case.graph
        if not graph:
            return None

        def calls() -> list[Call]:
            trials = [Trial(replace(member, graph=()), member.draw()) for member in graph]
            return [
                trial.call(trial.derivable(), [np.ones(s), trial.case.upstream(s)]) for trial in trials for s in [trial.shape]
            ]

        ids = [member.id("graph") for member in graph]
        return ids[0], ids.index(self.case.id("graph")), calls

    def gradients(self, upstream: Array) -> dict[str, Any]:
        """The expected gradients for an incoming gradient."""
        key = upstream.tobytes()
        if key not in self._gradients:
            self._gradients[key] = by_reference(self.expected.gradients, upstream)
        return self._gradients[key]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the answer."""
        shape: tuple[int, ...] = self.expected.value.shape
        return shape

    def derivable(self) -> list[str]:
        """The inputs to differentiate by in this sample: all that allow it, or each of them alone, in turn.

        Of more than three each second sample takes all, since few samples would not come round to the last of them.
        """
        formats, sample = dict(self.case.formats), self.case.sample
        names = [n for n, d in self.case.domains.items() if d.differentiable and formats.get(n, "float32") in PRECISIONS]
        turn = sample % (len(names) + 1) if len(names) > 1 else 0
        if len(names) > 3:
            turn = 0 if sample % 2 == 0 else 1 + sample // 2 % len(names)
        return names if turn == 0 else [names[turn - 1]]

    def stored_gradient(self, name: str) -> Precision:
        """The format of the gradient by an input: that of the input."""
        return PRECISIONS[dict(self.case.formats).get(name, self.case.dtype)]


Outcomes = Iterator[tuple[str, Comparison]]


def check_forward(trial: Trial, subject: Subject) -> Outcomes:
    """The value, with no derivative asked for."""
    answer = subject(trial.call())
    yield from _value(trial, answer)


def check_gradient(trial: Trial, subject: Subject) -> Outcomes:
    """The gradient by every differentiable input for an incoming gradient of ones; asking for it must not change the value."""
    yield from _gradients(trial, subject, np.ones, 0)


def check_incoming(trial: Trial, subject: Subject) -> Outcomes:
    """The gradient for an incoming gradient other than one, not uniform where the loss is not reduced."""
    yield from _gradients(trial, subject, trial.case.upstream, 1)


def check_weights(trial: Trial, subject: Subject) -> Outcomes:
    """The gradient by every option that is a tensor, such as class weights, for an incoming gradient that is not uniform."""
    yield from _gradients(trial, subject, trial.case.upstream, 1, trial.case.weights)


def check_forward_mode(trial: Trial, subject: Subject) -> Outcomes:
    """The derivative along a tangent of every differentiable input: the gradient times it, by forward-mode differentiation."""
    moving = tangents(trial)
    answer = subject.forward_mode(trial.call(), moving)
    yield from _value(trial, answer)
    got = answer.gradients[0][0]
    expected = by_reference(trial.expected.along, moving)
    yield "tangent", compare(expected, _zeros(got, expected), answer.stored, "the tangent", derivative=True)


def check_double_backward(trial: Trial, subject: Subject) -> Outcomes:
    """The gradients of a weighted sum of the gradient: by the inputs the Hessian times the weights, by the incoming gradient
    the derivative along them.

    Where numbers cancel, the second derivative of a right algorithm may lose what its first one keeps, and where branches meet
    it may be that of either. A class in torch's place is held to half of the digits, in float64, of ordinary numbers: that
    tells a wrong formula.
    """
    weights, upstream = directions(trial), trial.case.upstream(trial.shape)
    own = getattr(subject, "own", True)
    if not own and (trial.case.dtype != "float64" or trial.case.lane != "ordinary"):
        raise Unsupported("second derivatives of a class in torch's place are judged in float64, of ordinary numbers")
    answer = subject.double_backward(trial.call([*weights], [upstream]), weights)
    yield from _value(trial, answer)
    reference = trial.expected if own else trial.expected_in("float32")
    second = by_reference(reference.curvature, upstream, weights)
    along = by_reference(reference.along, weights, by_term=True)
    expected = {name: second[name] for name in weights} | {"incoming": along}
    for (name, ball), got in zip(expected.items(), answer.gradients[0], strict=True):
        part = f"d2/d{name}"
        zeros = Ball.exactly(np.zeros(np.shape(trial.drawn.inputs[name])), reference.rules) if ball is None else ball
        yield part, compare(zeros, _zeros(got, zeros), trial.case.precision, f"the second gradient by {name}", derivative=True)


def check_option_gradient(trial: Trial, subject: Subject) -> Outcomes:
    """The gradient by the tensor options that torch can differentiate by."""
    drawn = trial.drawn.options.items()
    names = [name for name, value in drawn if isinstance(value, np.ndarray) and name not in trial.case.weights]
    upstream = trial.case.upstream(trial.shape)
    answer = subject.option_gradient(trial.call((), [upstream]), names)
    yield from _value(trial, answer)
    for name, got in zip(names, answer.gradients[0], strict=True):
        if got is None:
            yield f"d/d{name}", failure(f"no gradient flows to {name}, which requires it")
        else:
            expected = trial.expected.by_option(name, upstream)
            yield f"d/d{name}", compare(expected, got, trial.case.precision, f"the gradient by {name}", derivative=True)


def directions(trial: Trial) -> dict[str, Array]:
    """Weights of the gradients by the inputs to differentiate by."""
    inputs, case = trial.drawn.inputs, trial.case
    return {
        n: repeat(case.dyadic(f"along {n}", inputs[n].shape), dict(case.layouts).get(n, CONTIGUOUS)) for n in trial.derivable()
    }


def tangents(trial: Trial) -> dict[str, Array]:
    """Tangents along which no input lowers the sum of the losses, so that its derivative does not cancel."""
    slopes = by_reference(trial.expected.gradients, np.ones(trial.shape))
    return {n: np.abs(t) * np.where(floats(slopes[n].value) < 0.0, -1.0, 1.0) for n, t in directions(trial).items()}


def _zeros(got: Array | None, expected: Any) -> Array:
    """What torch gives as None stands for zeros."""
    return np.zeros(expected.shape) if got is None else got


def _value(trial: Trial, answer: Answer) -> Outcomes:
    if answer.stored.name not in trial.case.stored:
        yield "value", failure(f"the answer is {answer.stored.name}, but should be {trial.case.stored[0]}")
    if answer.damaged:
        yield answer.damaged, failure(answer.damage)
    if not trial.lanes:
        yield "value", compare(trial.expected.value, answer.value, answer.stored)
        return
    for k, (lane, value) in enumerate(zip([trial, *trial.lanes], _lanes(trial, answer.value), strict=True)):
        yield f"value[{k}]", compare(lane.expected.value, value, answer.stored)


def _lanes(trial: Trial, array: Array) -> list[Array]:
    """What belongs to each of the calls under vmap."""
    count = len(trial.lanes) + 1
    if array.shape[:1] != (count,):
        raise ValueError(f"vmap of {count} calls gave an array of shape {array.shape}")
    return list(array)


def _gradients(
    trial: Trial, subject: Subject, incoming: Callable[[tuple[int, ...]], Array], turn: int, by: Sequence[str] | None = None
) -> Outcomes:
    requires = trial.derivable() if by is None else by
    if not requires:
        return
    upstream = incoming(trial.shape)
    answer = subject(trial.call(requires, [upstream]))
    yield from _value(trial, answer)
    found = answer.gradients[turn if len(answer.gradients) > 1 else 0]
    lanes = [trial, *trial.lanes]
    expected = [lane.gradients(upstream) for lane in lanes]
    eager = _by_eager(trial, subject, requires, upstream)
    domains = trial.case.domains
    for name, got in zip(requires, found, strict=True):
        if got is None and name in domains and domains[name].parameter and not floats(expected[0][name].value).any():
            got = np.zeros(
                expected[0][name].shape
            )  # no gradient of a parameter stands for 0, as for a cluster without a target
        if got is None:
            yield f"d/d{name}", failure(f"no gradient flows to {name}, which requires it")
            continue
        stored = trial.stored_gradient(name)
        for k, part in enumerate(_lanes(trial, got) if trial.lanes else [got]):
            lane = f"[{k}]" if trial.lanes else ""
            yield f"d/d{name}{lane}", compare(expected[k][name], part, stored, f"the gradient by {name}", derivative=True)
        if name in eager and (undefined := np.isnan(floats(expected[0][name].value))).any():
            yield f"d/d{name}", alike(got[undefined], eager[name][undefined])


def _by_eager(trial: Trial, subject: Subject, requires: Sequence[str], upstream: Array) -> dict[str, Array]:
    """The gradients of the class itself, to which its compiled graphs are held where the definition has none: at NaN."""
    if trial.case.path not in BACKENDS or trial.case.lane != "edge" or not getattr(subject, "own", True):
        return {}
    call = replace(trial.call(requires, [upstream]), path="eager", fellows=None)
    return {n: g for n, g in zip(requires, subject(call).gradients[0], strict=True) if g is not None}


CHECKS = {
    "forward": check_forward, "gradient": check_gradient, "incoming": check_incoming, "weights": check_weights,
    "forward_mode": check_forward_mode, "double_backward": check_double_backward, "option_gradient": check_option_gradient,
}  # fmt: skip
# No class must have these derivatives, or the options that they are by.
OPTIONAL = frozenset({"weights", "forward_mode", "double_backward", "option_gradient"})
FIRST_ORDER = ["forward", "gradient", "incoming"]


def checks_of(case: Case) -> list[str]:
    """The checks that a case gets; the deprecated arguments only choose the reduction, so their value is enough.

    The gradient checks look at the value, too: where the forward pass alone is checked elsewhere they are enough.
    """
    if case.legacy is not None:
        return ["forward"]
    if case.lane == "large":  # the gradient of a mean of a million is beneath the normal numbers of float16, whoever takes it
        return ["gradient"] if case.precision.smallest_normal < 1e-30 else ["forward"]
    if case.path == BEST:  # of two classes that are as good either may be found
        return ["forward"]
    if case.path in BACKENDS or (case.layouts and case.path != "vmap"):
        return ["gradient", "incoming"]
    # ``first_order``: the documentation says what the derivative is, against the value, and nothing of the next ones.
    only_first = "first_order" in case.item.tags or any(domain.parameter for domain in case.domains.values())
    if case.path not in ("eager", "functional") or case.formats:
        along = case.formats and case.path == "eager" and "elementwise" in case.item.tags and not only_first
        return ["forward", "incoming", *(["forward_mode"] if along else [])]
    first = [*FIRST_ORDER, *(["weights"] if case.weights else [])]
    if case.lane == "edge" or only_first:
        return first
    # The other derivatives cost more and are much the same for every sample and, but for a factor, every reduction: the cases
    # of the families are enough, and have longer axes.
    if case.sample < FIRST_SAMPLE or case.path != "eager":
        return first
    names = first
    if "elementwise" in case.item.tags or case.precision.bits >= 24:  # of a row of numbers a half format keeps too few digits
        names = [*names, "forward_mode"]
    if case.lane == "ordinary" or case.reduction == "none":
        names = [*names, "double_backward"]
    tensors = {name for name, value in case.options.items() if isinstance(value, Domain) and value.floating}
    return [*names, "option_gradient"] if tensors - set(case.weights) else names


def run_case(case: Case, subject: Subject, done: frozenset[str] | set[str] = frozenset()) -> Iterator[Record]:
    """Run the checks of a case that are not ``done``, one record each."""
    names = [name for name in checks_of(case) if case.id(name) not in done]
    if not names:
        return
    yield from _run(Trial(case, case.draw()), names, subject)


def prepare(case: Case) -> Callable[[Subject], Iterator[Record]]:
    """Draw a case; the function that it gives runs all its checks on a subject. All subjects share the expectation."""
    trial, names = Trial(case, case.draw()), checks_of(case)
    return lambda subject: _run(trial, names, subject)


def _run(trial: Trial, names: Sequence[str], subject: Subject) -> Iterator[Record]:
    case = trial.case
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
    own = [c for part, c in found if name == "forward" or not part.startswith("value") or c.status == FAIL]
    record |= {
        "status": worst.status,
        "compared": sum(c.compared for c in own),
        "telling": sum(c.telling for c in own),
        "ratio": worst.ratio,
        "wrong": all_wrong(comparison for _, comparison in found),
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
        "manner": case.manner,
        "lane": case.lane,
        "reduction": case.reduction,
        "options": case.settings,
        "variant": case.variant,
        "shape": list(case.shape),
        "compared": 0,
        "telling": 0,
        "ratio": None,
        "wrong": [],
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
