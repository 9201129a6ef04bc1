"""Optimizers that are not elementwise, judged in lockstep tensor by tensor: the steps of one parameter are stacked.

An implementation may hold a state tensor as a multiple of what the formula holds, where the declaration says that this changes
no parameter (``multiples``). Which of the two it holds shows in the first steps of the run; the lockstep follows it, in every
step by the options of that step, and whether it is the documented one is a check of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchkit.balls import Ball, Rules, floats, lift
from benchkit.judge import LIMIT, PASS, Comparison, compare, failure
from benchkit.precision import Precision
from optimbench.cases import Array, Case
from optimbench.film import Stored
from optimbench.found import Found
from optimbench.subject import Segment

COUNTER = "step"
Factors = dict[str, Any]


def judge(
    case: Case, options: Mapping[str, Any], segments: Sequence[Segment], rules: Rules, everything: Sequence[Segment]
) -> Iterator[Found]:
    """Judge the segments of one group of parameters, parameter by parameter; ``everything`` are all segments of the run."""
    factors, forms = _factors(case, options, segments, everything)
    yield from forms
    for number in dict.fromkeys(s.parameter for s in segments):
        # What is not finite was judged in the step that left it.
        alike = [s for s in segments if s.parameter == number and all(np.isfinite(a).all() for a in _found_by(s))]
        if alike:
            yield from _judge_parameter(case, options, alike, rules, factors)


def _found_by(segment: Segment) -> list[Array]:
    """What a step finds: the parameter and its state."""
    return [segment.before, *(s.value for s in segment.state_before.values() if s.value is not None)]


def _judge_parameter(
    case: Case, options: Mapping[str, Any], segments: Sequence[Segment], rules: Rules, factors: Factors
) -> Iterator[Found]:
    """One parameter in all its steps."""
    from optimbench.lockstep import judge_at_rest

    p = Ball.exactly(np.stack([s.before for s in segments]), rules)
    gradient = np.stack([s.gradient for s in segments])
    state = _state(case, segments, options, rules, factors)
    with np.errstate(all="ignore"):
        after, expected = case.item.function(p, Ball.exactly(gradient, rules), state, dims=segments[0].before.ndim, **options)
        expected |= {name: expected[name] * factor for name, factor in factors.items() if name in expected}
    after, got = _defined(lift(after, rules).reshape(-1)), np.stack([s.after for s in segments]).ravel()
    alike = {name: v.reshape(-1) if isinstance(v, Ball) else v for name, v in state.items() if np.shape(v) == p.shape}
    after, at_rest = judge_at_rest(after, got, gradient.ravel(), alike)
    if at_rest is not None:
        yield _place(at_rest, "parameter", segments, segments[0].before.shape, check="at_rest")
    yield _locate("parameter", after, got, case.precision, segments, segments[0].before.shape)
    for name, ball in expected.items():
        yield _compare_state(name, ball, segments, rules)


def _defined(ball: Ball) -> Ball:
    """The ball with no claim on what the formula leaves undefined, as where the mean square of an update is 0 / 0."""
    undefined = np.isnan(floats(ball.value))
    return Ball(ball.value, np.where(undefined, np.inf, ball.radius), ball.rules, ball.spread) if undefined.any() else ball


def _state(
    case: Case, segments: Sequence[Segment], options: Mapping[str, Any], rules: Rules, factors: Factors
) -> dict[str, Any]:
    """The states before the steps, stacked as the formula wants them; what the subject lacks is as at the start."""
    item, dims = case.item, segments[0].before.ndim
    fresh: dict[str, Any] = dict(item.initial_function(segments[0].before, **options)) if item.initial_function else {}
    state: dict[str, Any] = {}
    for name, start in fresh.items():
        rows: list[Any] = []
        held = rules
        for segment in segments:
            stored = segment.state_before.get(name)
            known = stored is not None and stored.value is not None and stored.value.shape == np.shape(start)
            rows.append(stored.value if stored is not None and known else start)
            if stored is not None and known:
                held = rules.host if np.ndim(start) == 0 and dims else replace(rules, precision=stored.precision)
        column = np.stack([np.asarray(row, dtype=np.float64) for row in rows])
        column = column.reshape(len(segments), *(np.shape(start) or (1,) * dims))
        state[name] = column if name == COUNTER else Ball.exactly(column, held)
        if name in factors:
            state[name] = state[name] / factors[name]
    return state


def _compare_state(name: str, expected: Any, segments: Sequence[Segment], rules: Rules) -> Found:
    """A state tensor or number in every step."""
    stored: list[Stored | None] = [s.state_after.get(name) for s in segments]
    present = [x for x in stored if x is not None and x.value is not None]
    if len(present) < len(stored):
        kept = ", ".join(sorted(segments[0].state_after)) or "nothing"
        return Found(failure(f"the state has no {name!r}, but should have it (it has {kept})"), name, segments[0])
    ball = lift(expected, rules.host)
    shape = ball.shape[1:]
    arrays = [np.asarray(x.value) for x in present]
    if all(a.ndim == 0 for a in arrays) and ball.size == len(arrays):
        shape = ()
    if any(a.shape != shape for a in arrays):
        wrong = next(a.shape for a in arrays if a.shape != shape)
        return Found(failure(f"has the shape {wrong}, but should have {shape}"), name, segments[0])
    return _locate(name, ball.reshape(-1), np.stack(arrays).ravel(), present[0].precision, segments, shape)


def _locate(
    name: str, expected: Ball, flat: Array, stored: Precision, segments: Sequence[Segment], shape: tuple[int, ...]
) -> Found:
    """Judge stacked tensors; where one fails, report the worst element of the first step that fails."""
    found = compare(expected, flat, stored)
    size = flat.size // len(segments)
    if found.ratio > LIMIT and found.where:
        for row in range(len(segments)):
            one = compare(expected[row * size : (row + 1) * size], flat[row * size : (row + 1) * size], stored)
            if one.ratio > LIMIT:
                where = (row * size + one.where[0],)
                found = replace(
                    one, compared=found.compared, telling=found.telling, where=where, wrong=found.wrong, overall=found.ratio
                )
                break
    return _place(found, name, segments, shape)


def _place(found: Comparison, name: str, segments: Sequence[Segment], shape: tuple[int, ...], check: str = "lockstep") -> Found:
    """Name the segment and the element that an index into stacked tensors stands for."""
    if not found.where:
        return Found(found, name, check=check)
    size = int(np.prod(shape))
    row, offset = divmod(found.where[0], size)
    return Found(found, name, segments[row], tuple(int(i) for i in np.unravel_index(offset, shape)) if shape else (), check)


def _factors(
    case: Case, options: Mapping[str, Any], segments: Sequence[Segment], everything: Sequence[Segment]
) -> tuple[Factors, list[Found]]:
    """By name of a state tensor the factor by which the subject holds it, and whether it is held as documented."""
    factors: Factors = {}
    found: list[Found] = []
    plain = {name: _float(value) for name, value in options.items()}
    for name, function in case.item.multiples.items():
        factor = function(plain)
        scaled = None if factor == 1.0 else _held_scaled(case, name, everything)
        if scaled is None:
            continue
        if scaled:
            factors[name] = function(options)
        why = f"is held {factor:g} times as large as the documented one"
        found.append(Found(failure(why) if scaled else Comparison(PASS, 0.0, 1, 1), name, segments[0], check="state_form"))
    return factors, found


def _held_scaled(case: Case, name: str, segments: Sequence[Segment]) -> bool | None:
    """Whether a class holds a state tensor as the multiple, and not as the formula does; None where no step shows it.

    The steps that found it at its start decide, or all where none did: of these the one in which the two are farthest apart.
    """
    widest, answer = 0.0, None
    function = case.item.multiples[name]
    starting = [s for s in segments if _starts(s, name) and function(_options(case, s)) != 1.0]
    for segment in starting or segments:
        options = _options(case, segment)
        factor, got = function(options), segment.state_after.get(name)
        if not factor > 0.0 or factor == 1.0 or got is None or got.value is None or got.value.shape != segment.before.shape:
            continue
        stored = segment.state_before.get(name)
        state = dict(case.item.initial_function(segment.before, **options)) if case.item.initial_function else {}
        start = state[name] if stored is None or stored.value is None else stored.value
        ends = []
        with np.errstate(all="ignore"):
            for multiple in (1.0, factor):
                _, after = case.item.function(segment.before, segment.gradient, state | {name: start / multiple}, **options)
                ends.append(after[name] * multiple)
            apart = np.abs(ends[1] - ends[0])
            place = np.unravel_index(np.argmax(apart), apart.shape) if apart.size else ()
            if apart.size and widest < apart[place] < np.inf:
                widest = float(apart[place])
                answer = bool(abs(got.value[place] - ends[1][place]) < abs(got.value[place] - ends[0][place]))
    return answer


def _options(case: Case, segment: Segment) -> dict[str, Any]:
    """The options of a step as plain numbers."""
    return case.item.given(segment.options or (case.options, case.others)[segment.group], 2.0 * case.precision.unit)


def _starts(segment: Segment, name: str) -> bool:
    """Whether a step found a state tensor that is still at its start."""
    stored = segment.state_before.get(name)
    return stored is None or stored.value is None or not stored.value.any()


def _float(value: Any) -> Any:
    """An option without its bound."""
    if isinstance(value, tuple):
        return tuple(map(_float, value))
    return float(floats(value.value)) if isinstance(value, Ball) else value
