"""The reference as an implementation under test: a numpy formula that steps on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchkit.precision import PRECISIONS, Precision
from benchkit.spec import Function, Optimizer
from optimbench.cases import Array, Case, Drawn
from optimbench.film import Stored
from optimbench.subject import Recording, Segment


class FormulaSubject:
    """The reference stepping on its own, rounded to the format after each step; ``replaced`` puts a wrong part in place."""

    def __init__(self, item: Optimizer, **replaced: Function) -> None:
        self.item, self.parts = item, {**item.parts(), **replaced}

    own = True

    def fitted(self, case: Case) -> Case:
        """A formula takes every option."""
        return case

    def arguments(self, case: Case) -> dict[str, Any]:
        """A formula is not constructed."""
        return {}

    def held(self, case: Case) -> dict[str, Precision]:
        """A formula holds its options in double, as the oracle does."""
        return {}

    def __call__(self, case: Case, drawn: Drawn) -> Recording:
        if "closure" in self.item.tags:
            from optimbench import closures

            return Recording(steps=closures.record_formula(case, self.parts, self.options(case)[0]))
        round_ = case.precision.round
        options = [self.item.given(chosen, 2.0 * case.precision.unit) for chosen in self.options(case)]
        group_of = [i for i, group in enumerate(drawn.groups) for _ in group]
        values = [p.copy() for p in drawn.parameters]
        states: list[dict[str, Any] | None] = [None] * len(values)
        recording = Recording()
        with np.errstate(all="ignore"):
            for step, gradients in enumerate(drawn.gradients):
                for number, g in enumerate(gradients):
                    if g is None:
                        values[number] = self.rested(recording, step, number, values[number])
                        continue
                    chosen = dict(options[group_of[number]])
                    known = {} if states[number] is None else self._stored(states[number] or {}, case.precision)
                    state = states[number] if states[number] is not None else self.parts["initial"](values[number], **chosen)
                    extra = {"touched": drawn.touched[step][number]} if "sparse" in self.item.tags else {}
                    given = g.copy()
                    after, new = self.step(case, number, values[number], given, state or {}, {**chosen, **extra})
                    recording.see_gradient(step, number, g, given)
                    states[number] = {
                        n: v if n == "step" or v is None or np.ndim(v) == 0 else round_(v) for n, v in new.items()
                    }
                    left = self._stored(states[number] or {}, case.precision)
                    segment = Segment(
                        step, number, group_of[number], values[number], g, drawn.touched[step][number], known,
                        round_(after), left,
                    )  # fmt: skip
                    values[number] = segment.after
                    recording.segments.append(segment)
        return recording

    def options(self, case: Case) -> Sequence[Mapping[str, Any]]:
        """The options of both groups."""
        return case.options, case.others

    def step(self, case: Case, number: int, p: Array, g: Array, state: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """The parameter of this number and its state after a step."""
        del case, number
        return self.parts["step"](p, g, state, **options)

    def rested(self, recording: Recording, step: int, number: int, p: Array) -> Array:
        """A parameter after a step in which it has no gradient."""
        del recording, step, number
        return p

    @staticmethod
    def _stored(state: Mapping[str, Any], precision: Precision) -> dict[str, Stored]:
        return {
            name: Stored(
                None if v is None else np.asarray(v, dtype=np.float64), precision if np.ndim(v) else PRECISIONS["float64"]
            )
            for name, v in state.items()
        }
