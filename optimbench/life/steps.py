"""How a step is asked for: with a closure, through the gradient scaler, without autograd, as part of a graph."""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchkit.spec import Optimizer
from optimbench.cases import Array
from optimbench.found import Found
from optimbench.life.cases import LifeCase, scenario
from optimbench.life.script import Run, Script, same_future
from optimbench.life.storage import twin
from optimbench.subject import Unsupported

CLOSURE = """
modes = []


def closure():
    modes.append(torch.is_grad_enabled())
    GRADIENTS
    LAST
"""


def takes_closure(script: Script) -> None:
    """Unsupported where the step of a class of another kin has no closure among its arguments."""
    with contextlib.suppress(ValueError, TypeError):
        step: Any = getattr(script.subject.constructor, "step", None)
        arguments = inspect.signature(step).parameters.values()
        if len(arguments) < 2 and not any(a.kind is a.VAR_POSITIONAL for a in arguments):
            with script.optional():
                raise TypeError("step takes no closure")


def closing(run: Run, gradients: Sequence[Array | None], last: str) -> str:
    """A closure that sets the gradients and ends with the line ``last``."""
    return CLOSURE.replace("GRADIENTS", "\n    ".join(run.gradients(gradients))).replace("LAST", last)


@scenario("step(closure) evaluates the closure once, with gradients enabled, returns its loss and steps by its gradients.")
def check_closure(case: LifeCase, script: Script) -> list[Found]:
    """Plainly, without autograd around it, and with a loss that is NaN; the gradients from before the call do not count."""
    takes_closure(script)
    drawn = case.draw()
    run = script.start(drawn.groups, (case.options, case.others))
    run.step(drawn.gradients[0])
    plays = ((3.25, "enable_grad"), (3.25, "no_grad"), (math.nan, "enable_grad"), (1.0, "no_grad"))
    for gradients, (loss, mode) in zip(drawn.gradients[1:], plays, strict=False):
        script.do(closing(run, gradients, f"return torch.tensor({loss})"))
        call = f"with torch.{mode}():\n    loss = {run.name}.step(closure)\n    enabled = torch.is_grad_enabled()"
        run.step(gradients, call, given=True)
        modes = script["modes"]
        if not modes:
            with script.optional():
                raise TypeError("step does not evaluate a closure")
        why = f"the closure was evaluated {len(modes)} times, gradients enabled: {modes}"
        script.expect(modes == [True], why, "modes == [True]")
        returned = script["loss"]
        same = returned is not None and (float(returned) == loss or (math.isnan(loss) and math.isnan(float(returned))))
        test = "loss is not None and " + ("loss != loss" if math.isnan(loss) else f"float(loss) == {loss}")
        script.expect(same, f"step returned {returned!r}, but the closure {loss}", test)
        kept = script["enabled"] == (mode == "enable_grad")
        script.expect(kept, f"a step under {mode} changed the mode", f"enabled == {mode == 'enable_grad'}")
    return script.judge()


@scenario("A closure that raises ends the step with its exception: parameters and state stay, and the next step is as ever.")
def check_raising_closure(case: LifeCase, script: Script) -> list[Found]:
    takes_closure(script)
    drawn = case.draw()
    run = script.start(drawn.groups, (case.options, case.others))
    run.step(drawn.gradients[0])
    before = run.keep()
    script.do(closing(run, [None] * len(run.parameters), "raise KeyError('no data')"))
    script.do(f"raised = False\ntry:\n    {run.name}.step(closure)\nexcept KeyError:\n    raised = True")
    if not script["modes"]:
        with script.optional():
            raise TypeError("step does not evaluate a closure")
    script.expect(script["raised"], "the exception of the closure was lost", "raised")
    enabled = "torch.is_grad_enabled()"
    script.expect(script[enabled], "gradients are disabled after a step that raised", enabled)
    run.unchanged(before, "changed in a step whose closure raised")
    for gradients in drawn.gradients[1:3]:
        run.step(gradients)
    return script.judge()


def _limits(item: Optimizer) -> tuple[str, ...]:
    return ("1", "2", "3", "4", "7", "nan", "raises")


LIMITED = """
modes, losses = [], []


def counted(optimizer):
    inner = problem(optimizer)

    def closure():
        modes.append(torch.is_grad_enabled())
        losses.append(LOSS)
        return losses[-1]

    return closure
"""


def _searches(item: Optimizer, few: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The defaults with each way to search along a line."""
    name = "line_search_fn"
    return [{**few[0], "lr": item.options["lr"][-1], name: value} for value in item.options.get(name, (None,))]


@scenario(
    "A step evaluates the closure max_eval times at most, always with gradients enabled, and returns the first loss.",
    needs=frozenset({"closure"}), without=frozenset(), variants=_limits, sets=_searches, formats=("float32", "float64"),
)  # fmt: skip
def check_evaluations(case: LifeCase, script: Script) -> list[Found]:
    """Small limits; a loss that turns into NaN after some evaluations; a closure that raises after some."""
    drawn = case.draw()
    limit = int(case.variant) if case.variant.isdigit() else 5
    run = script.start([drawn.parameters], ({**case.options, "max_eval": limit},))
    loss = {"nan": "inner() * (nan if len(losses) > 1 else 1.0)", "raises": "inner() if len(losses) < 2 else {}[0]"}
    script.do(LIMITED.replace("LOSS", loss.get(case.variant, "inner()")))
    if case.variant == "raises":
        script.do(f"raised = False\ntry:\n    {run.name}.step(counted({run.name}))\nexcept KeyError:\n    raised = True")
        script.expect(script["raised"], "the exception of the closure was lost", "raised")
        return script.found
    script.do(f"with torch.no_grad():\n    loss = {run.name}.step(counted({run.name}))")
    modes = script["modes"]
    why = f"the closure was evaluated {len(modes)} times with max_eval={limit}"
    script.expect(1 <= len(modes) <= limit, why, f"1 <= len(modes) <= {limit}")
    script.expect(all(modes), "the closure was evaluated without gradients", "all(modes)")
    first = "float(loss) == float(losses[0])"
    script.expect(script[first], "step did not return the first loss", first)
    return script.found


HISTORIES = {"longer": (1, 10), "shorter": (10, 2)}


@scenario(
    "How many pairs a history keeps may be changed between steps: a longer one grows on, a shorter one drops the oldest.",
    needs=frozenset({"closure"}), without=frozenset(), variants=lambda item: tuple(HISTORIES), formats=("float32", "float64"),
    sets=_searches,
)  # fmt: skip
def check_changed_history(case: LifeCase, script: Script) -> list[Found]:
    """Steps of one iteration; a run whose history became long in time is that of a long one."""
    drawn, (before, after) = case.draw(), HISTORIES[case.variant]
    once = {**case.options, "max_iter": 1, "lr": 0.1}
    run = script.start([drawn.parameters], ({**once, "history_size": before},))
    other = twin(run)
    other.construct(({**once, "history_size": after},))
    filled = 2 if case.variant == "longer" else 6
    for _ in range(filled):
        run.step([])
        other.step([])
    run.change(0, {**once, "history_size": after})
    for _ in range(4):
        run.step([])
        if case.variant == "longer":
            other.step([])
            same_future(run, other)
    state = f"{run.name}.state[{run.parameters[0]}]"
    if case.variant == "shorter":
        if "old_dirs" not in script[state]:
            raise Unsupported("the state has no old_dirs, which would show how many pairs it keeps")
        kept = len(script[f"{state}['old_dirs']"])
        script.expect(kept <= after, f"{kept} pairs are kept with history_size={after}", f"len({state}['old_dirs']) <= {after}")
    return script.found


@scenario(
    "The gradient scaler's step divides by its scale, and is skipped as if it were not there where a gradient overflowed.",
    without=frozenset({"closure", "sparse"}), formats=("float32", "float64", "bfloat16"),
)  # fmt: skip
def check_scaled_steps(case: LifeCase, script: Script) -> list[Found]:
    """The first step and a later one overflow; memory that nobody wrote is NaN, so that it shows."""
    drawn = case.draw()
    run = script.start(drawn.groups, (case.options, case.others))
    script.do("torch.use_deterministic_algorithms(True)")  # memory that was never written is filled with NaN
    try:
        script.do(f"scaler = torch.amp.GradScaler({case.device!r}, init_scale=1024.0, growth_interval=2)")
        script.do(f"scaler.scale(torch.zeros((), device={case.device!r}))")  # makes the scale
        for step, gradients in enumerate(drawn.gradients[:6]):
            scale = script["scaler.get_scale()"]
            scaled = [case.precision.round(np.asarray(g) * scale) for g in gradients if g is not None]
            overflows = step in (0, 3)
            if overflows:
                scaled[-1] = np.where(np.arange(scaled[-1].size).reshape(scaled[-1].shape) == 0, np.inf, scaled[-1])
            run.give(scaled)
            before = run.keep() if overflows else run.look()
            script.do(f"scaler.step({run.name})")
            if overflows:
                run.unchanged(before, "changed in a step that the scaler skipped")
            else:
                run.record(gradients, before, run.look())
            script.do("scaler.update()")
    finally:
        script.do("torch.use_deterministic_algorithms(False)")
    for name in run.parameters:
        script.expect(script[f"bool({name}.isfinite().all())"], f"{name} is no number any more", f"{name}.isfinite().all()")
    return script.judge()


@scenario(
    "A step under no_grad or in inference mode is the step made outside, bit by bit, and leaves autograd as it was.", long=True
)
def check_without_autograd(case: LifeCase, script: Script) -> list[Found]:
    drawn = case.draw()
    run = script.start(drawn.groups, (case.options, case.others))
    names = ("no_grad", "inference_mode", "enable_grad")
    others = [twin(run, mode, prefix) for mode, prefix in zip(names, ("q", "r", "s"), strict=True)]
    for other in others:
        other.construct((case.options, case.others))
    for gradients in drawn.gradients[:4]:
        run.step(gradients)
        for mode, other in zip(names, others, strict=True):
            other.give(gradients)
            script.do(f"with torch.{mode}():\n    {other.name}.step()\n    enabled = torch.is_grad_enabled()")
            kept = script["enabled"] == (mode == "enable_grad")
            script.expect(kept, f"a step under {mode} changed the mode", f"enabled == {mode == 'enable_grad'}")
            same_future(run, other)
    return script.judge()
