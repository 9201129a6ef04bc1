"""The reference as an implementation under test: a numpy formula behind the call that modules answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchkit.precision import PRECISIONS
from benchkit.spec import Loss
from lossbench import oracle
from lossbench.subject import Answer, Array, Call


class FormulaSubject:
    """A formula evaluated in double and rounded once: the reference itself, or one of its planted wrong versions."""

    def __init__(self, item: Loss, **replaced: Callable[..., Any]) -> None:
        self.item, self.replaced = item, replaced

    def __call__(self, call: Call) -> Answer:
        parts = [self._one(call, inputs) for inputs in (call.inputs, *call.lanes)]
        if not call.lanes:
            return parts[0]
        gradients: list[list[Array | None]] = [
            [np.stack(of_lanes) for of_lanes in zip(*of_upstream, strict=True)]
            for of_upstream in zip(*(part.gradients for part in parts), strict=True)
        ]
        return Answer(np.stack([part.value for part in parts]), parts[0].stored, gradients)

    def _one(self, call: Call, inputs: Mapping[str, Array]) -> Answer:
        stored = PRECISIONS[call.stored or call.dtype]
        with np.errstate(all="ignore"):
            found = self._formula(call, inputs)
            answer = Answer(stored.round(found.value), stored)
            for upstream in call.upstreams:
                by_input = found.gradients(upstream)
                answer.gradients.append([self._rounded(call, n, by_input[n]) for n in call.requires])
        return answer

    def _formula(self, call: Call, inputs: Mapping[str, Array]) -> oracle.Formula:
        return oracle.Formula(self.item, call.domains, inputs, call.options, call.reduction, self.replaced, by=call.derivable)

    def _rounded(self, call: Call, name: str, numbers: Any) -> Array:
        format = call.formats.get(name, call.dtype)
        return PRECISIONS[format if format in PRECISIONS else call.dtype].round(numbers)

    def forward_mode(self, call: Call, tangents: Mapping[str, Array]) -> Answer:
        stored = PRECISIONS[call.stored or call.dtype]
        with np.errstate(all="ignore"):
            found = self._formula(call, call.inputs)
            return Answer(stored.round(found.value), stored, [[stored.round(found.along(tangents))]])

    def double_backward(self, call: Call, directions: Mapping[str, Array]) -> Answer:
        stored = PRECISIONS[call.dtype]
        with np.errstate(all="ignore"):
            found = self._formula(call, call.inputs)
            second = found.curvature(call.upstreams[0], directions)
            by_all = [*(second[n] for n in call.requires), found.along(directions)]
            return Answer(stored.round(found.value), stored, [[stored.round(g) for g in by_all]])

    def option_gradient(self, call: Call, names: Sequence[str]) -> Answer:
        stored = PRECISIONS[call.dtype]
        with np.errstate(all="ignore"):
            found = self._formula(call, call.inputs)
            gradients = [stored.round(found.by_option(n, call.upstreams[0])) for n in names]
            return Answer(stored.round(found.value), stored, [list(gradients)])
