"""A step that is part of a graph: what reaches the numbers that it was made from, against differences of the formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from benchkit.balls import Ball, Rules, floats, lift
from benchkit.judge import by_reference
from benchkit.precision import FLOAT64
from benchkit.spec import Optimizer
from optimbench.cases import Array
from optimbench.found import Found
from optimbench.life.cases import LifeCase, scenario
from optimbench.life.script import Run, Script
from optimbench.lockstep import host
from optimbench.subject import Unsupported

STEPS = 3
DIFFERENCE = 2.0**-30  # of a difference quotient in double-double arithmetic: its square is below the roundoff of double
RESOLUTION = 1e-7  # of the largest derivative: autograd in double comes to 1e-12 or so, a wrong derivative is off by its size
GRAIN = 2.0**20  # numbers are multiples of 1 / GRAIN, so that the difference is added to them without rounding


def _leaves(item: Optimizer) -> tuple[str, ...]:
    return ("start", "gradients", "lr", *(name for name in ("weight_decay",) if name in item.options))


@scenario(
    "A differentiable step passes derivatives on: to the parameters before, to the gradients, to a learning rate in a tensor, "
    "and to a weight decay where it may be one.",
    needs=frozenset({"elementwise"}), without=frozenset({"closure", "sparse"}), formats=("float64",), variants=_leaves,
    everywhere=False,
)  # fmt: skip
def check_derivatives(case: LifeCase, script: Script) -> list[Found]:
    """Three steps; the derivatives of a weighted sum of the parameters after them."""
    if "differentiable" not in script.subject.accepted:
        with script.optional("differentiable"):
            raise TypeError("the constructor has no differentiable switch")
    if case.variant in set(case.item.options) - {"lr"} and "Tensor" not in str(script.subject.annotations.get(case.variant)):
        raise Unsupported(f"the constructor does not say that it takes a {case.variant} in a tensor")
    if case.variant in case.item.options and not case.options[case.variant]:  # none, and the formula leaves it out
        case = replace(case, options={**case.options, case.variant: case.item.options[case.variant][1]})
    rng = case.rng
    sign = rng.choice([-1.0, 1.0], (STEPS + 1, 5))
    start, *slopes = np.round(sign * rng.uniform(0.5, 2.0, (STEPS + 1, 5)) * GRAIN) / GRAIN
    weights = np.round(rng.uniform(0.5, 1.5, 5) * 64.0) / 64.0
    run = Run(script, "optimizer", "p")
    leaf = case.variant
    text = f"start = {run.number(start, 'float64')}"
    script.do(f"{text}.requires_grad_()" if leaf == "start" else text)
    script.do("p0 = start.clone().requires_grad_()" if leaf != "start" else "p0 = start.clone()")
    script.do("p0 = p0.clone()\np0.retain_grad()")
    given = {n: repr(v) for n, v in case.options.items() if v != case.item.defaults[n]} | {"differentiable": "True"}
    given |= {n: "False" for n in ("foreach", "fused") if n in script.subject.accepted}
    if leaf in case.item.options:
        script.do(f"{leaf} = torch.tensor({case.options[leaf]!r}, dtype=torch.float64).requires_grad_()")
        given[leaf] = leaf
    with script.optional("must be Number"):
        _play(script, run, leaf, given, slopes)
    script.do(f"(p0 * {run.number(weights, 'float64')}).sum().backward()")
    leaves: list[str] = [f"slopes[{i}]" for i in range(STEPS)] if leaf == "gradients" else [leaf]
    for number, name in enumerate(leaves):
        wanted = weights * by_reference(_quotient, case, leaf, number, start, slopes)
        _compare(script, f"{name}.grad", np.sum(wanted) if leaf in case.item.options else wanted)
    return script.found


def _play(script: Script, run: Run, leaf: str, given: Mapping[str, str], slopes: list[Array]) -> None:
    """Write the optimizer and its steps."""
    script.do(f"{run.name} = Optimizer([p0]{''.join(f', {n}={v}' for n, v in given.items())})\nslopes = []")
    for row in slopes:
        value = run.number(row, "float64")
        script.do(f"slopes.append({value}{'.requires_grad_()' if leaf == 'gradients' else ''})\np0.grad = slopes[-1]")
        script.do(f"{run.name}.step()")
        if leaf != "gradients":
            script.expect(
                script[f"torch.equal(p0.grad, {value})"], "p0.grad was changed in place", f"torch.equal(p0.grad, {value})"
            )


def _compare(script: Script, expression: str, wanted: Any) -> None:
    got = script[expression]
    if got is None:
        script.expect(False, f"no derivative reaches {expression.removesuffix('.grad')}", f"{expression} is not None")
        return
    apart = float(np.max(np.abs(got.detach().numpy() - wanted)))
    allowed = RESOLUTION * float(np.max(np.abs(wanted)))
    right = f"torch.tensor({np.asarray(wanted).tolist()!r}, dtype=torch.float64)"
    why = f"{expression} is {got.tolist()}, but should be {np.asarray(wanted).tolist()}"
    script.expect(apart <= allowed, why, f"({expression} - {right}).abs().max() <= {allowed!r}", np.size(wanted))


def _quotient(case: LifeCase, leaf: str, number: int, start: Array, slopes: list[Array]) -> Array:
    """The derivative of every parameter after the steps by the number of its own that is the leaf."""
    ends = []
    for sign in (DIFFERENCE, -DIFFERENCE):
        moved = [row + sign if leaf == "gradients" and i == number else row for i, row in enumerate(slopes)]
        begun = start + sign if leaf == "start" else start
        ends.append(_end(case, begun, moved, {leaf: sign} if leaf in case.item.options else {}))
    return np.asarray(floats(ends[0] - ends[1]) / (2.0 * DIFFERENCE))


def _end(case: LifeCase, start: Array, slopes: list[Array], moved: Mapping[str, float]) -> Any:
    """The parameters after the steps by the formula, as double-double numbers."""
    rules = Rules.of(FLOAT64)
    given: Mapping[str, Any] = {name: host(value, rules) for name, value in case.options.items()}
    for name, by in moved.items():  # another number, not one that was computed: a formula may ask whether it is 0
        other = lift(given[name] + by, rules)
        given = {**given, name: Ball(other.value, np.zeros(other.shape), rules)}
    p: Any = Ball.exactly(start, rules)
    state = case.item.initial_function(p, **given) if case.item.initial_function else {}
    for row in slopes:
        p, state = case.item.function(p, Ball.exactly(row, rules), state, **given)
    return lift(p, rules).value
