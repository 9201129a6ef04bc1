"""The oracle on its own state: for a class whose state is not named as torch's, so that it cannot be taken over at every step.

The parameters are still taken from the subject before each step; the state is the oracle's, as balls whose radii hold what the
subject's state may have gathered in rounding since the start. State tensors are compared where the names match.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchkit.balls import Ball, Rules, lift
from benchkit.judge import compare
from optimbench.cases import Case
from optimbench.found import Found
from optimbench.subject import Recording, Segment


def state_is_foreign(case: Case, recording: Recording) -> bool:
    """Whether some of the state that the formula needs is not there under its name."""
    for segment in recording.segments:
        options = segment.options or (case.options, case.others)[segment.group]
        expected = case.item.initial_function(segment.before, **options) if case.item.initial_function else {}
        if not set(expected) <= set(segment.state_after):
            return True
    return False


def judge(case: Case, recording: Recording, hyperparameters: Callable[..., dict[str, Any]]) -> Iterator[Found]:
    """Follow every parameter from its first step on; ``hyperparameters`` makes of options what the formula takes."""
    states: dict[int, dict[str, Any]] = {}
    for segment in recording.segments:
        if not segment.before.size:
            continue
        precision = segment.precision or case.precision
        rules = Rules.of(precision, exact=case.lane == "exact")
        options = hyperparameters(case, segment.options or (case.options, case.others)[segment.group], recording, precision)
        p, g = Ball.exactly(segment.before, rules), Ball.exactly(segment.gradient, rules)
        fresh = dict(case.item.initial_function(p, **options)) if case.item.initial_function else {}
        state = fresh | states.get(segment.parameter, {})
        if "sparse" in case.item.tags:
            options["touched"] = segment.touched.astype(bool)
        with np.errstate(all="ignore"):
            after, states[segment.parameter] = case.item.function(p, g, state, **options)
        yield _found("parameter", lift(after, rules), segment.after, case, segment)
        for name, expected in states[segment.parameter].items():
            stored = segment.state_after.get(name)
            got = None if stored is None else stored.value
            if isinstance(expected, Ball) and expected.ndim and got is not None and got.shape == expected.shape:
                yield _found(name, expected, got, case, segment)


def _found(name: str, expected: Ball, got: Any, case: Case, segment: Segment) -> Found:
    comparison = compare(expected, got, segment.precision or case.precision)
    return Found(comparison, name, segment, comparison.where)
