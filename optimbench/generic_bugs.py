"""Generic planted bugs of optimizers: wrong versions that make sense for every item of a kind, each a formula that errs once.

A bug that an item cannot have, such as a state that is not kept where there is none, is not planted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchkit.precision import PRECISIONS
from benchkit.spec import Optimizer
from optimbench.cases import Array, Case, Drawn
from optimbench.formula_subject import FormulaSubject
from optimbench.layouts import LAYOUTS, placed
from optimbench.lockstep import COUNTER
from optimbench.subject import Recording

BELOW = {"float64": "float32", "float32": "bfloat16"}  # the format below, which the half types have not
Options = Mapping[str, Any]
SLIGHTLY = 1.0 + 1e-4


class WrongOptions(FormulaSubject):
    """The reference with its options changed on the way."""

    def __init__(self, item: Optimizer, change: Callable[[Options], Options]) -> None:
        super().__init__(item)
        self.change = change

    def options(self, case: Case) -> Sequence[Options]:
        return [self.change(group) for group in (case.options, case.others)]


class OneGroup(FormulaSubject):
    """The options of the first group for both."""

    def options(self, case: Case) -> Sequence[Options]:
        return case.options, case.options


class WrongStep(FormulaSubject):
    """The reference with something else around its step: ``change(step, case, number, p, g, state, options)``."""

    def __init__(self, item: Optimizer, change: Callable[..., Any]) -> None:
        super().__init__(item)
        self.change = change

    def step(self, case: Case, number: int, p: Array, g: Array, state: Options, options: Options) -> Any:
        return self.change(self.item.function, case, number, p, g, state, options)


class Restless(FormulaSubject):
    """It steps by a gradient of zeros where there is none."""

    def rested(self, recording: Recording, step: int, number: int, p: Array) -> Array:
        last = [s for s in recording.segments if s.parameter == number]
        if last:
            moved = p + (last[-1].after - last[-1].before)
            if p.size and not np.array_equal(moved, p, equal_nan=True):
                recording.complaints.append(f"step {step + 1}: parameter {number} changed though it has no gradient")
            return moved
        return p


class SharedCounter(FormulaSubject):
    """All parameters share one step counter, which each step of one of them advances for all."""

    def __call__(self, case: Case, drawn: Drawn) -> Recording:
        recording = super().__call__(case, drawn)
        seen: dict[int, int] = {}
        for count, segment in enumerate(recording.segments, 1):
            # What a parameter finds and leaves is what all that came before it have made of the counter.
            before, after = segment.state_before.get(COUNTER), segment.state_after.get(COUNTER)
            if before is not None and before.value is not None:
                before.value = np.asarray(float(seen[segment.parameter]))
            if after is not None:
                after.value = np.asarray(float(count))
            seen[segment.parameter] = count
        return recording


def generic_bugs(item: Optimizer) -> Mapping[str, Callable[[], FormulaSubject]]:
    """The generic bugs of an item by name."""
    found = {name: _maker(WrongOptions, item, change) for name, change in _options(item).items()}
    if "closure" in item.tags:
        return found
    found["options of the second group ignored"] = _maker(OneGroup, item)
    found["a parameter without a gradient is stepped"] = _maker(Restless, item)
    found |= {name: _maker(WrongStep, item, change) for name, change in _steps(item).items()}
    if COUNTER in _initial(item):
        found["step counter shared by all parameters"] = _maker(SharedCounter, item)
    return found


def _maker(kind: Callable[..., FormulaSubject], *arguments: Any) -> Callable[[], FormulaSubject]:
    return lambda: kind(*arguments)


def _initial(item: Optimizer) -> Options:
    """The state before the first step with as many options switched on as there are, for a small parameter."""
    if item.initial_function is None:
        return {}
    options = {n: True if isinstance(v[0], bool) else v[-1] for n, v in item.options.items()}
    return dict(item.initial_function(np.zeros((2, 2)), **item.given(options, 2.0**-52)))


# ---- Options -----------------------------------------------------------------------------------------------------------------


def _options(item: Optimizer) -> dict[str, Callable[[Options], Options]]:
    """Each option that is a number, or each number of a tuple, by a ten-thousandth off, and what else may become of options."""
    found: dict[str, Callable[[Options], Options]] = {}

    def scaled(name: str, place: int | None, factor: float) -> Callable[[Options], Options]:
        def change(options: Options) -> Options:
            value = options[name]
            if place is None:
                return {**options, name: value * factor if isinstance(value, float) else value}
            return {**options, name: tuple(v * factor if n == place else v for n, v in enumerate(value))}

        return change

    def fixed(name: str, value: Any) -> Callable[[Options], Options]:
        return lambda options: {**options, name: value}

    for name, values in item.options.items():
        every = [*values, *item.edge_options.get(name, ())]
        if any(isinstance(v, float) and v and math.isfinite(v) for v in every):
            found[f"{name} off by 1e-4"] = scaled(name, None, SLIGHTLY)
        for v in every:
            for place in range(len(v)) if isinstance(v, tuple) else ():
                if isinstance(v[place], float) and v[place]:
                    found[f"{name}[{place}] off by 1e-4"] = scaled(name, place, SLIGHTLY)
    if isinstance(item.defaults.get("eps"), float):
        found["eps doubled"] = scaled("eps", None, 2.0)
        found["eps left out"] = scaled("eps", None, 0.0)
    if "weight_decay" in item.options:
        found["weight decay applied twice"] = scaled("weight_decay", None, 2.0)
        found["weight decay left out"] = scaled("weight_decay", None, 0.0)
    for name in ("maximize", "nesterov", "amsgrad"):
        if name in item.options:
            found[f"{name} ignored"] = fixed(name, False)
    return found


# ---- Steps -------------------------------------------------------------------------------------------------------------------


def _steps(item: Optimizer) -> dict[str, Callable[..., Any]]:
    """What may go wrong around a step: the first parameter alone, half types, strides, old states, damage."""

    def first_alone(step: Any, case: Case, number: int, p: Array, g: Array, state: Options, options: Options) -> Any:
        after, new = step(p, g, state, **options)
        return (after, new) if number == 0 else (p, {**dict(state)})

    def rounded(step: Any, case: Case, number: int, p: Array, g: Array, state: Options, options: Options) -> Any:
        after, new = step(p, g, state, **options)
        if case.dtype not in BELOW:
            return after, new
        return p + PRECISIONS[BELOW[case.dtype]].round(after - p), new

    def gradient_rounded(step: Any, case: Case, number: int, p: Array, g: Array, state: Options, options: Options) -> Any:
        held = PRECISIONS[BELOW[case.dtype]].round(g) if case.dtype in BELOW else g
        return step(p, held, state, **options)

    def of_gradient(step: Any, case: Case, number: int, p: Array, g: Array, state: Options, options: Options) -> Any:
        return step(p, read_as_contiguous(g, LAYOUTS[case.layout][1]), state, **options)

    def of_parameter(step: Any, case: Case, number: int, p: Array, g: Array, state: Options, options: Options) -> Any:
        return step(read_as_contiguous(p, LAYOUTS[case.layout][0]), g, state, **options)

    def damaged(step: Any, case: Case, number: int, p: Array, g: Array, state: Options, options: Options) -> Any:
        found = step(p, g.copy(), state, **options)
        g *= 2.0
        return found

    found = {
        "only the first parameter updated": first_alone,
        "step held in the format below": rounded,
        "gradient held in the format below": gradient_rounded,
        "strides of the gradient ignored": of_gradient,
        "strides of the parameter ignored": of_parameter,
        "p.grad changed in place": damaged,
    }
    initial = _initial(item)
    for name in initial:
        if name == COUNTER or name in item.scratch:
            continue

        def stale(
            step: Any, case: Case, number: int, p: Array, g: Array, state: Options, options: Options, name: str = name
        ) -> Any:
            after, new = step(p, g, state, **options)
            return after, {**new, name: state[name]} if name in new and state.get(name) is not None else new

        found[f"{name} of the step before kept"] = stale
    if COUNTER in initial:

        def late(step: Any, case: Case, number: int, p: Array, g: Array, state: Options, options: Options) -> Any:
            ahead = {**state, COUNTER: state[COUNTER] + 1} if state[COUNTER] == 0 else state
            return step(p, g, ahead, **options)

        def stuck(step: Any, case: Case, number: int, p: Array, g: Array, state: Options, options: Options) -> Any:
            after, new = step(p, g, state, **options)
            return after, {**new, COUNTER: np.minimum(new[COUNTER], 8)}

        found["step counter begins at one"] = late
        found["step counter stops at 8"] = stuck
    return found


def read_as_contiguous(array: Array, arrangement: str) -> Array:
    """What a kernel reads that begins at the first element of an arranged tensor and goes on without regard to strides."""
    import torch

    if not arrangement or not array.size:
        return array
    tensor = placed(torch.tensor(array), arrangement)
    whole = tensor.as_strided((tensor.untyped_storage().nbytes() // tensor.element_size(),), (1,), 0)
    first = tensor.storage_offset()
    return np.asarray(whole[first : first + array.size].numpy().reshape(array.shape))
