"""Optimizers that take a closure: the run is recorded evaluation by evaluation, and the oracle replays it.

The oracle steps from the subject's own parameters and state. Where it would evaluate the closure it is compared with the
subject's evaluation of the same number, and is handed the loss and the gradient that the subject got there: so a step of many
evaluations is judged at each of them. Where rounding may turn a branch either way, the rest of that step is left undecided.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchkit.balls import Ball, Rules, Undecidable, lift
from benchkit.grid import generator
from benchkit.judge import PASS, Comparison, compare, failure
from benchkit.precision import Precision
from benchkit.spec import Function, Optimizer
from optimbench.cases import Array, Case
from optimbench.found import Found
from optimbench.layouts import LAYOUTS, placed
from optimbench.lockstep import memory_kept
from optimbench.subject import Recording, numbers

STEPS = 3  # each of up to max_iter iterations;
SHORT_STEPS = 12  # of one iteration, after each of which the oracle begins anew, so that rounding leaves few branches undecided
SHAPES = ((2, 2), (1,), (3,))  # the parameters that the flat vector of the problem is cut into
SIZE = 8
STATE_NUMBERS = ("func_evals", "n_iter")


class Mismatch(Exception):
    """The oracle evaluates the closure where the subject did not."""


class Enough(Exception):
    """The run has come to where its inner products leave the format; raised by the closure, judged up to there."""


@dataclass(frozen=True)
class Problem:
    """A function with its gradient, ``evaluate(x) -> (loss, gradient)``, for numpy arrays and tensors alike.

    The last ``silent`` parameters have no part in it, and no gradient. Every component of the start lies within ``reach``. A
    run ends early where the slope, the square of the gradient, leaves the range in which its own square and its inverse are
    numbers of float16; a ``small`` problem begins below that range. With ``answers`` it is a table, and no function.
    """

    name: str
    evaluate: Callable[[Any, Any, Any], tuple[Any, Any]]
    reach: float = 2.0
    small: bool = False
    silent: int = 0
    answers: Sequence[tuple[float, float]] = ()

    def answer(self, number: int, x: Any, a: Any, b: Any) -> tuple[Any, Any]:
        """The loss and its gradient at x in the evaluation of this number, from 0 on, of a run."""
        if not self.answers:
            return self.evaluate(x, a, b)
        loss, first = self.answers[min(number, len(self.answers) - 1)]
        gradient = x * 0.0
        gradient[:] = 0.0  # where x is NaN, too
        gradient[0] = first
        return gradient.sum() * 0.0 + loss, gradient

    def leaves(self, gradient: Array, precision: Precision) -> bool:
        """Whether a run on this problem ends with this gradient."""
        if self.answers:
            return False
        square = float(gradient @ gradient)
        return not square <= float(np.sqrt(precision.largest)) / 4.0 or (not self.small and square < 256.0 / precision.largest)

    def data(self, case: Case) -> tuple[Array, Array]:
        """The matrix (symmetric, eigenvalues from 1/4 to 4) and the vector of the problem, as numbers of the case's format."""
        rng = generator(self.name, case.item.slug, case.seed)
        q, _ = np.linalg.qr(rng.normal(size=(SIZE, SIZE)))
        a = q * np.geomspace(0.25, 4.0, SIZE) @ q.T
        round_ = case.precision.round
        return round_((a + a.T) / 2.0), round_(rng.normal(size=SIZE))


def _quadratic(x: Any, a: Any, b: Any) -> tuple[Any, Any]:
    ax = a @ x
    return 0.5 * (x * ax).sum() - (b * x).sum(), ax - b


def _rosenbrock(x: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """The extended function of Rosenbrock over pairs (u, v), 2 (v - u^2)^2 + (1 - u)^2 / 4: its valley is 8 times as steep
    across as along, and not 100, for the sake of float16."""
    half = SIZE // 2
    u, v = x[:half], x[half:]
    w = v - u * u
    slope = x * 0.0
    slope[:half] = -8.0 * u * w - 0.5 * (1.0 - u)
    slope[half:] = 4.0 * w
    return (2.0 * w * w + 0.25 * (1.0 - u) * (1.0 - u)).sum(), slope


def _quartic(x: Any, a: Any, b: Any) -> tuple[Any, Any]:
    ax = a @ x
    return 0.25 * (x * x * x * x).sum() + 0.5 * (x * ax).sum() - (b * x).sum(), x * x * x + ax - b


def _partial(x: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """The quadratic of all components but those of the last parameter."""
    heard = x * 1.0
    heard[-SHAPES[-1][0] :] = 0.0
    loss, slope = _quadratic(heard, a, b)
    slope[-SHAPES[-1][0] :] = 0.0
    return loss, slope


def _bowl(x: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """Half the square of the length; it starts at its minimum, where a step has nothing to do."""
    return 0.5 * (x * x).sum(), x * 1.0


def _shelf(x: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """A hole in a shallow bowl: steep near 0, almost level beyond 1, so that a cubic through two trials says little."""
    q = 1.0 + 4.0 * x * x
    return (4.0 * x * x / q + 0.03125 * x * x).sum(), 8.0 * x / (q * q) + 0.0625 * x


def _dents(x: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """A shallow bowl with a dent, or a bump, in every axis: several minima along a line."""
    q = 1.0 + x * x
    return (0.125 * x * x - b / q).sum(), 0.25 * x + 2.0 * b * x / (q * q)


PROBLEMS = (
    Problem("quadratic", _quadratic),
    Problem("quartic", _quartic, 1.25),
    Problem("rosenbrock", _rosenbrock, 1.0),
    Problem("shelf", _shelf, 4.0),
    Problem("dents", _dents, 4.0),
    Problem("bowl", _bowl, 1e-8, small=True),
    Problem("partial", _partial, silent=1),
)


@dataclass
class Evaluation:
    x: Array
    loss: float
    gradient: Array


@dataclass
class Step:
    """One step(closure): what the optimizer found, every evaluation it made, and what it left and returned."""

    before: Array
    state_before: dict[str, Any]
    evaluations: list[Evaluation] = field(default_factory=list)
    after: Array | None = None  # None where the step did not end
    state_after: dict[str, Any] = field(default_factory=dict)
    returned: float = float("nan")


def start(case: Case) -> tuple[Problem, Array, Array, Array]:
    """The problem of a case with its data and the point to start from."""
    for table in case.item.tabulated:
        if table.name == case.variant:
            return Problem(table.name, _bowl, answers=table.answers), np.zeros((SIZE, SIZE)), np.zeros(SIZE), np.zeros(SIZE)
    problem = next(p for p in PROBLEMS if p.name == case.variant)
    rng = generator(f"{case.item.slug}|{sorted(case.settings.items())}|{case.dtype}|{case.variant}|{case.sample}", case.seed)
    return (problem, *problem.data(case), case.precision.round(rng.uniform(-problem.reach, problem.reach, SIZE)))


def steps_of(case: Case) -> int:
    """How many steps a run makes."""
    if case.lane == "exact":
        return 1
    return SHORT_STEPS if case.options["max_iter"] == 1 else STEPS


def record(case: Case, build: Callable[[list[Any]], Any], recording: Recording) -> None:
    """Run torch's optimizer, or one with its interface, on the problem of the case, and record every step."""
    import torch

    dtype = getattr(torch, case.dtype)
    problem, a, b, x0 = start(case)
    ta, tb, tx = (torch.tensor(v, dtype=torch.float64).to(case.device, dtype) for v in (a, b, x0))
    sizes = [int(np.prod(s)) for s in SHAPES]
    of_parameter, of_gradient = LAYOUTS[case.layout]
    starts = [placed(part.reshape(s).clone(), of_parameter) for part, s in zip(tx.split(sizes), SHAPES, strict=True)]
    parameters = [torch.nn.Parameter(start) for start in starts]
    tensors = [(f"parameter {i}", p) for i, p in enumerate(starts)]
    optimizer = build(parameters)

    def flat() -> Any:
        return torch.cat([p.detach().reshape(-1) for p in parameters])

    def closure() -> Any:
        x = flat()
        loss, gradient = problem.answer(sum(len(step.evaluations) for step in recording.steps), x, ta, tb)
        heard = len(parameters) - problem.silent
        for p, part in zip(parameters[:heard], gradient.split(sizes), strict=False):
            p.grad = placed(part.reshape(p.shape).clone(), of_gradient)
            tensors.append(("a gradient", p.grad))
        recording.steps[-1].evaluations.append(Evaluation(numbers(x), float(loss), numbers(gradient)))
        if problem.leaves(numbers(gradient), case.precision):
            raise Enough
        return loss

    steps = recording.steps
    for _ in range(steps_of(case)):
        step = Step(numbers(flat()), _plain(optimizer.state.get(parameters[0], {})))
        steps.append(step)
        try:
            step.returned = float(optimizer.step(closure))
        except Enough:
            break
        step.after, step.state_after = numbers(flat()), _plain(optimizer.state.get(parameters[0], {}))
    recording.see_surroundings(tensors if case.layout else [])


def _plain(value: Any) -> Any:
    """A state as numbers, copied: tensors become arrays, lists and dicts keep their form."""
    import torch

    if isinstance(value, torch.Tensor):
        return numbers(value)
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


def record_formula(case: Case, parts: Mapping[str, Function], options: Mapping[str, Any]) -> list[Step]:
    """Run the parts of a formula on the problem in double, rounding every evaluation to the case's format."""
    problem, a, b, x = start(case)
    round_ = case.precision.round
    steps: list[Step] = []
    state = parts["initial"](x, **options)

    def closure(p: Array) -> tuple[float, Array]:
        at = round_(p)
        loss, gradient = problem.answer(sum(len(step.evaluations) for step in steps), at, a, b)
        steps[-1].evaluations.append(Evaluation(at, float(round_(loss)), round_(gradient)))
        if problem.leaves(steps[-1].evaluations[-1].gradient, case.precision):
            raise Enough
        return steps[-1].evaluations[-1].loss, steps[-1].evaluations[-1].gradient

    for number in range(steps_of(case)):
        steps.append(Step(x, state if number else {}))
        try:
            with np.errstate(all="ignore"):
                after, state, returned = parts["step"](closure, x, state, **options)
        except Enough:
            return steps
        state = {k: [round_(e) for e in v] if isinstance(v, list) else round_(v) if np.ndim(v) else v for k, v in state.items()}
        x = round_(after)
        steps[-1].after, steps[-1].state_after, steps[-1].returned = x, state, float(returned)
    return steps


def judge(case: Case, recording: Recording) -> Iterator[Found]:
    """Replay every step, from the state that the subject has.

    A class that is not torch's own may name its state otherwise; then the oracle goes on from its own, if it is known.
    """
    steps, own = recording.steps, recording.own
    yield from memory_kept(recording)
    rules = Rules.of(case.precision, exact=case.lane == "exact")
    carried: dict[str, Any] | None = {}
    for number, step in enumerate(steps):
        foreign = not own and number > 0 and not entries(case.item) <= set(step.state_before)
        if foreign and carried is None:
            return
        before = carried if foreign else _known(case, step, rules)
        carried = yield from _replay(case, step, number, rules, before or {}, own)


def most_evaluations(options: Mapping[str, Any]) -> int:
    """How often a step may evaluate its closure; by default a quarter more often than it may iterate."""
    return options["max_iter"] * 5 // 4 if options["max_eval"] is None else options["max_eval"]


@functools.cache
def entries(item: Optimizer) -> frozenset[str]:
    """The names in the state that the formula leaves, and that a step needs to go on from it."""
    x = np.ones(2)
    begun = dict(item.initial_function(x, **item.defaults)) if item.initial_function else {}
    _, state, _ = item.function(lambda p: (0.5 * np.sum(p * p), p), x, begun, **item.defaults)
    return frozenset(state) - set(item.scratch)


def _known(case: Case, step: Step, rules: Rules) -> dict[str, Any]:
    """The state that a step found, as balls; before the first one what the formula begins with."""
    given = {n: Ball.exactly(v, rules.host) if isinstance(v, float) else v for n, v in case.options.items()}
    initial = case.item.initial_function(step.before, **given) if case.item.initial_function else {}
    return {k: _balls(k, v, rules) for k, v in step.state_before.items() if k not in case.item.scratch} or initial


def _replay(
    case: Case, step: Step, number: int, rules: Rules, before: dict[str, Any], own: bool
) -> Generator[Found, None, dict[str, Any] | None]:
    """Replay one step; gives the oracle's new state, or None where a branch was left undecided."""
    label, found = f"step {number + 1}", list[Found]()
    made = iter(step.evaluations)

    def closure(x: Any) -> tuple[Ball, Ball]:
        evaluation = next(made, None)
        if evaluation is None and len(step.evaluations) >= most_evaluations(case.options):
            raise Undecidable  # documented as the most; the formula, as minFunc, looks at the number between iterations only
        if evaluation is None:
            raise Mismatch(f"the closure was evaluated {len(step.evaluations)} times, but should be once more")
        count = len(found) + 1
        comparison = compare(lift(x, rules), evaluation.x, case.precision)
        found.append(Found(comparison, f"{label}, point of evaluation {count}", expression=f"points[{number}][{count - 1}]"))
        return Ball.exactly(evaluation.loss, rules), Ball.exactly(evaluation.gradient, rules)

    given = {n: Ball.exactly(v, rules.host) if isinstance(v, float) else v for n, v in case.options.items()}
    try:
        with np.errstate(all="ignore"):
            after, state, returned = case.item.function(closure, Ball.exactly(step.before, rules), before, **given)
    except Undecidable:
        yield from found
        return None
    except Mismatch as difference:
        yield from found
        if step.after is not None:
            yield Found(failure(str(difference)), label, expression=f"len(points[{number}]) > {len(step.evaluations)}")
        return None
    yield from found
    if step.after is None and len(found) == len(step.evaluations):
        return None
    if step.after is None or next(made, None) is not None:
        why = f"the closure was evaluated {len(step.evaluations)} times, but should be {len(found)}"
        yield Found(failure(why), label, expression=f"len(points[{number}]) == {len(found)}")
        return None
    comparison = compare(lift(after, rules), step.after, case.precision)
    yield Found(comparison, f"{label}, parameter", expression=f"after[{number}]")
    comparison = compare(lift(returned, rules), np.asarray(step.returned), case.precision)
    yield Found(comparison, f"{label}, returned loss", expression=f"returned[{number}]")
    for name, expected in state.items():
        if step.state_after and name not in step.state_after:
            if not own:
                continue
            why = f"the state has no {name!r}, but should have it"
            yield Found(failure(why), label, expression=f"{name!r} in states[{number}]")
        elif step.state_after:
            where = f"states[{number}][{name!r}]"
            yield from _compare_state(f"{label}, {name}", where, expected, step.state_after[name], rules)
    return dict(state)


def _balls(name: str, value: Any, rules: Rules) -> Any:
    if isinstance(value, list):
        return [_balls(name, v, rules) for v in value]
    return value if name in STATE_NUMBERS or value is None else Ball.exactly(value, rules)


def _compare_state(label: str, where: str, expected: Any, got: Any, rules: Rules) -> Iterator[Found]:
    """Compare an entry of the state, which in a script is the expression ``where``."""
    if isinstance(expected, list):
        if not isinstance(got, list) or len(got) != len(expected):
            kept = len(got) if isinstance(got, list) else "no list"
            why = f"it holds {kept} entries, but should hold {len(expected)}"
            yield Found(failure(why), label, expression=f"len({where}) == {len(expected)}")
            return
        for i, (e, g) in enumerate(zip(expected, got, strict=True)):
            yield from _compare_state(f"{label}[{i}]", f"{where}[{i}]", e, g, rules)
    elif got is None:
        yield Found(failure("it is None, but should be a number"), label, expression=f"{where} is not None")
    elif isinstance(expected, (int, float)):
        same = float(expected) == float(np.asarray(got))
        comparison = Comparison(PASS, 0.0, 1, 1) if same else failure(f"it is {got}, but should be {expected}")
        yield Found(comparison, label, expression=f"float({where}) == {float(expected)}")
    else:
        comparison = compare(lift(expected, rules), np.asarray(got, dtype=np.float64), rules.precision)
        yield Found(comparison, label, expression=where)
