"""Generic planted bugs of losses: wrong versions that make sense for every item of a kind, each a formula that errs in one way.

A bug that an item cannot have, such as a scaled epsilon where there is none, is not planted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from benchkit.precision import PRECISIONS
from benchkit.spec import Loss
from lossbench import oracle
from lossbench.formula_subject import FormulaSubject
from lossbench.layouts import place
from lossbench.subject import Answer, Array, Call

BELOW = {"float64": "float32", "float32": "bfloat16"}  # the format below, which the half types have not
Subjects = Mapping[str, Callable[[], FormulaSubject]]


class Wrong(FormulaSubject):
    """The reference with its question, its parts or its answer changed on the way."""

    def __init__(
        self,
        item: Loss,
        asked: Callable[[Call], Call] = lambda call: call,
        parts: Callable[[Call], Mapping[str, Callable[..., Any]]] = lambda call: {},
        answered: Callable[[Call, Answer], Answer] = lambda call, answer: answer,
    ) -> None:
        super().__init__(item)
        self.asked, self.parts, self.answered = asked, parts, answered

    def __call__(self, call: Call) -> Answer:
        return self.answered(call, super().__call__(self.asked(call)))

    def _formula(self, call: Call, inputs: Mapping[str, Array]) -> oracle.Formula:
        parts = self.parts(call)
        return oracle.Formula(self.item, call.domains, inputs, call.options, call.reduction, parts, by=call.derivable)


def generic_bugs(item: Loss) -> Subjects:
    """The generic bugs of an item by name."""
    found: dict[str, Callable[[], FormulaSubject]] = {}

    def plant(name: str, **how: Any) -> None:
        found[name] = lambda: Wrong(item, **how)

    _reductions(item, plant)
    _options(item, plant)
    _numbers(item, plant)
    _memory(item, plant)
    _gradients(item, plant)
    return found


def _divided(item: Loss, *arguments: Any, **options: Any) -> Any:
    """The unreduced losses."""
    return item.function(*arguments, **options)


def _reductions(item: Loss, plant: Callable[..., None]) -> None:
    """Sums and their denominators. In ``answers`` a class has one reduction that is always the mean of itself."""
    means = [name for name in item.reductions if name not in ("none", "sum")]
    if not means:
        return

    def right(call: Call, *arguments: Any, **options: Any) -> Any:
        own = item.reductions.get(call.reduction)
        losses = _divided(item, *arguments, **options)
        return float(losses.size) if own is None else own(*arguments, **options)

    def denominators(change: Callable[..., Any]) -> Callable[[Call], Mapping[str, Callable[..., Any]]]:
        def parts(call: Call) -> Mapping[str, Callable[..., Any]]:
            if call.reduction not in means:
                return {}
            return {call.reduction: lambda *a, **o: change(right(call, *a, **o), _divided(item, *a, **o))}

        return parts

    plant("mean: sum instead", parts=denominators(lambda right, losses: 1.0))
    plant("mean: divided by one more", parts=denominators(lambda right, losses: right + 1.0))
    if any(len(shape) > 1 for shape in item.shapes) and item.row_axes == ():
        rows = denominators(lambda right, losses: float(np.shape(losses)[0]) if np.ndim(losses) else right)
        if "batchmean" not in means:
            plant("mean: divided by the rows alone", parts=rows)

    def without_last(call: Call) -> Mapping[str, Callable[..., Any]]:
        def value(*arguments: Any, **options: Any) -> Any:
            losses = np.array(_divided(item, *arguments, **options))
            if losses.size > 1:
                losses.reshape(-1)[-1] = 0.0
            return losses

        return {} if call.reduction == "none" else {"value": value}

    plant("reduction: last element dropped", parts=without_last)


def _options(item: Loss, plant: Callable[..., None]) -> None:
    """Options that are numbers, one at a time."""
    for name, values in {**item.options, **item.edge_options}.items():
        every = [*item.options.get(name, ()), *item.edge_options.get(name, ())]
        if not any(isinstance(v, float) and v and math.isfinite(v) for v in every):
            continue

        def asked(change: Callable[[float], float], name: str = name) -> Callable[[Call], Call]:
            def changed(call: Call) -> Call:
                value = call.options[name]
                return replace(call, options={**call.options, name: change(value)}) if isinstance(value, float) else call

            return changed

        plant(f"{name} off by 1e-4", asked=asked(lambda x: x * (1.0 + 1e-4)))
        if name == "eps":
            plant("eps doubled", asked=asked(lambda x: 2.0 * x))
            plant("eps left out", asked=asked(lambda x: 0.0))
        if any(isinstance(v, float) and math.isfinite(v) and float(np.float32(v)) != v for v in every):
            plant(f"{name} held in float32", asked=asked(lambda x: float(np.float32(x))))
        del values


def _numbers(item: Loss, plant: Callable[..., None]) -> None:
    """Values and derivatives that lose digits, or are not numbers."""

    def rounded(call: Call, array: Any) -> Any:
        return PRECISIONS[BELOW[call.dtype]].round(array) if call.dtype in BELOW else array

    def value(call: Call) -> Mapping[str, Callable[..., Any]]:
        return {"value": lambda *a, **o: rounded(call, _divided(item, *a, **o))}

    plant("losses held in the format below", parts=value)
    if item.gradient_function is None:
        return
    gradient = item.gradient_function

    def slopes(call: Call) -> Mapping[str, Callable[..., Any]]:
        return {"gradient": lambda *a, **o: tuple(rounded(call, slope) for slope in gradient(*a, **o))}

    plant("derivative held in the format below", parts=slopes)
    pairs = all(sum(d.floating for d in variant.values()) > 1 for variant in item.variants.values())
    if "elementwise" in item.tags and pairs:

        def tied(call: Call) -> Mapping[str, Callable[..., Any]]:
            def at_ties(*arguments: Any, **options: Any) -> Any:
                same = arguments[0] == arguments[1]
                return tuple(np.where(same, np.nan, slope) for slope in gradient(*arguments, **options))

            return {"gradient": at_ties}

        plant("derivative NaN where the inputs are equal", parts=tied)


def _memory(item: Loss, plant: Callable[..., None]) -> None:
    """Strides, damage, and what another call left."""
    names = dict.fromkeys(name for variant in item.variants.values() for name, d in variant.items() if not d.parameter)
    for name in names:

        def contiguously(call: Call, name: str = name) -> Call:
            layout = dict(call.layouts).get(name)
            if layout is None or call.path == "vmap":
                return call
            return replace(call, inputs={**call.inputs, name: read_as_contiguous(call.inputs[name], layout)})

        plant(f"strides of {name} ignored", asked=contiguously)

        def damaged(call: Call, answer: Answer, name: str = name) -> Answer:
            return replace(answer, damaged=name) if name in call.inputs else answer

        plant(f"{name} changed in place", answered=damaged)

    def foreign(call: Call) -> Call:
        layout = dict(call.layouts).get("incoming")
        return call if layout is None else replace(call, upstreams=[read_as_contiguous(up, layout) for up in call.upstreams])

    plant("strides of the incoming gradient ignored", asked=foreign)
    before: list[Answer] = []

    def stale(call: Call, answer: Answer) -> Answer:
        old = before[-1] if before else answer
        before[:] = [answer]
        return replace(answer, value=old.value) if old.value.shape == answer.value.shape else answer

    plant("answer of the call before", answered=stale)


def read_as_contiguous(array: Array, layout: str) -> Array:
    """What a kernel reads that begins at the first element of a tensor in this layout and goes on without regard to strides."""
    where = place(array.shape, layout)
    storage = np.full(where.length, np.nan) if array.dtype.kind == "f" else np.zeros(where.length, dtype=array.dtype)
    storage[where.positions(array.shape).reshape(-1)] = np.reshape(array, -1)
    read = storage[where.offset : where.offset + array.size]
    return np.resize(read, array.shape) if read.size else array


def _gradients(item: Loss, plant: Callable[..., None]) -> None:
    """Where the incoming gradient goes, and whom it reaches."""
    if item.gradient_function is None:
        return
    plant("incoming gradient ignored", parts=lambda call: {"incoming": np.ones_like})
    names = dict.fromkeys(n for v in item.variants.values() for n, d in v.items() if d.differentiable and not d.parameter)
    for name in names:

        def lost(call: Call, answer: Answer, name: str = name, zero: bool = False) -> Answer:
            for row in answer.gradients:
                for place_, wanted in enumerate(call.requires):
                    if wanted == name:
                        found = row[place_]
                        row[place_] = np.zeros_like(found) if zero and found is not None else None
            return answer

        def cleared(call: Call, answer: Answer, lost: Callable[..., Answer] = lost) -> Answer:
            return lost(call, answer, zero=True)

        plant(f"no gradient by {name}", answered=lost)
        plant(f"gradient by {name} zero", answered=cleared)
