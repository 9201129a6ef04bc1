"""Lockstep: before every step the oracle takes the subject's own parameters and state, makes one step, and compares everything.

The run is recorded first and judged afterwards, all its steps at once: most formulas are elementwise, so the segments of a
group are laid end to end and the step counter becomes an array (``whole`` is about the others). Errors do not pile up, and the
first wrong step is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchkit.balls import Ball, Rules, floats, lift
from benchkit.judge import LIMIT, PASS, Comparison, compare, failure, kinds
from benchkit.precision import FLOAT32, Precision
from benchkit.spec import Optimizer
from optimbench import free_running, whole
from optimbench.cases import Array, Case
from optimbench.film import Stored
from optimbench.found import Found
from optimbench.subject import Recording, Segment

COUNTER = "step"  # a whole number in every state that has one


def host(value: Any, rules: Rules) -> Any:
    """An option as the formula gets it: a number that the subject holds in double.

    A number below the normal range of the format under test may be held there on the coarse grid of the subnormal ones.
    """
    if isinstance(value, tuple):
        return tuple(host(v, rules) for v in value)
    if not isinstance(value, float):
        return value
    ball, precision = Ball.exactly(value, rules.host), rules.precision
    if abs(value) < precision.smallest_normal and not precision.represents(value):
        ball.radius = np.asarray(0.5 * precision.smallest_subnormal)
    return ball


def judge(case: Case, recording: Recording) -> Iterator[Found]:
    """Compare every parameter and every state tensor after every step with the oracle's, and look after the gradients."""
    for complaint in recording.complaints[:1]:
        yield Found(failure(complaint), "run")
    if not recording.own and free_running.state_is_foreign(case, recording):
        yield from free_running.judge(case, recording, hyperparameters)
    else:
        for segments in alike(recording.segments):
            first = segments[0]
            options = first.options or (case.options, case.others)[first.group]
            precision = first.precision or case.precision
            yield from _judge_group(replace(case, dtype=precision.name), options, segments, recording)
        yield from _judge_formats(case, recording)
        yield from _judge_beginnings(case, recording)
    kept = Comparison(PASS, 0.0, recording.gradients, recording.gradients)
    yield Found(failure(recording.damaged[0]) if recording.damaged else kept, "run", check="gradient_kept")
    yield from memory_kept(recording)


def memory_kept(recording: Recording) -> Iterator[Found]:
    """Whether the memory around tensors that lie in larger memory is as it was; nothing where no tensor does."""
    if recording.around:
        kept = Comparison(PASS, 0.0, recording.around, recording.around)
        yield Found(failure(recording.spilled[0]) if recording.spilled else kept, "run", check="memory_kept")


def alike(segments: Sequence[Segment]) -> list[list[Segment]]:
    """The segments of parameters that are not empty in lists of one group, with the same options and format; where these vary
    in the course of a run, also with the same names in the state that they found, held in the same formats."""
    lists: dict[Any, list[Segment]] = {}
    for s in segments:
        if s.before.size:
            kept = frozenset((name, stored.precision.name) for name, stored in s.state_before.items()) if s.options else None
            lists.setdefault((s.group, id(s.options), s.precision, kept), []).append(s)
    return list(lists.values())


def hyperparameters(case: Case, options: Mapping[str, Any], recording: Recording, precision: Precision) -> dict[str, Any]:
    """The options as the formula gets them: numbers in double, or in the format of the tensors that hold them."""
    rules = Rules.of(precision)
    taken = case.item.given(options, 2.0 * rules.precision.unit)
    given = {name: host(value, rules) for name, value in taken.items()}
    for name, format in recording.held.items():
        given[name] = _held(options[name], replace(rules, precision=format))
    return given


def _held(value: Any, rules: Rules) -> Any:
    if isinstance(value, tuple):
        return tuple(_held(v, rules) for v in value)
    return Ball.exactly(rules.precision.round(value), rules)


def _judge_group(case: Case, options: Mapping[str, Any], segments: Sequence[Segment], recording: Recording) -> Iterator[Found]:
    """Judge the segments of one group of parameters; first steps on their own where they find an empty slot in the state."""
    rules = Rules.of(case.precision, exact=case.lane == "exact")
    given = hyperparameters(case, options, recording, case.precision)
    if "whole" in case.item.tags:
        yield from whole.judge(case, given, segments, rules, recording.segments)
        return
    fresh = dict(case.item.initial_function(segments[0].before, **given)) if case.item.initial_function else {}
    if all(value is not None for value in fresh.values()):
        yield from _judge_alike(case, given, segments, rules)
        return
    for first in (True, False):
        alike = [s for s in segments if (not s.state_before) == first]
        if alike:
            yield from _judge_alike(case, given, alike, rules)


def _judge_alike(case: Case, options: Mapping[str, Any], segments: Sequence[Segment], rules: Rules) -> Iterator[Found]:
    """Judge segments laid end to end."""
    p = Ball.exactly(_join([s.before for s in segments]), rules)
    gradient = _join([s.gradient for s in segments])
    given = dict(options)
    if "sparse" in case.item.tags:
        given["touched"] = _join([s.touched for s in segments]).astype(bool)
    state = _state(case.item, p, segments, given, rules)
    with np.errstate(all="ignore"):
        after, expected = case.item.function(p, Ball.exactly(gradient, rules), state, **given)
    strange = _strange(p, state)
    after, got = _open(lift(after, rules), strange), _join([s.after for s in segments])
    fresh = case.item.initial_function(segments[0].before, **options) if case.item.initial_function else {}
    tensors = {name: value for name, value in state.items() if np.ndim(fresh[name])}
    after, at_rest = judge_at_rest(after, got, gradient, tensors)
    if at_rest is not None:
        yield place(at_rest, "parameter", segments, check="at_rest")
    yield _locate("parameter", after, got, case.precision, segments)
    for name, ball in expected.items():
        yield _compare_state(case, name, ball, segments, rules, strange)


def _strange(p: Ball, state: Mapping[str, Any]) -> NDArray[np.bool_]:
    """The elements of which a step finds an infinity or NaN: the numbers drawn are finite, so an earlier step left it there and
    was judged for it; what a formula makes of it depends on how it is written."""
    strange = ~np.isfinite(floats(p.value))
    for value in state.values():
        kept = floats(value.value) if isinstance(value, Ball) else np.asarray(value)
        if kept.shape == strange.shape and kept.dtype == np.float64:
            strange = strange | ~np.isfinite(kept)
    return strange


def _open(ball: Ball, where: NDArray[np.bool_]) -> Ball:
    """The ball with no claim on the elements ``where``."""
    if not where.any():
        return ball
    return Ball(ball.value, np.where(where, np.inf, ball.radius), ball.rules, ball.spread)


def judge_at_rest(after: Ball, got: Array, gradient: Array, tensors: Mapping[str, Any]) -> tuple[Ball, Comparison | None]:
    """Judge the elements whose gradient is zero and always was: where their step is a number, the subject may not lose it.

    A denominator that is eps alone may underflow in the format under test: no error bound holds there, but the definition does.
    An element that was lost is taken out of the expectation of the other checks.
    """
    rest = gradient == 0.0
    for value in tensors.values():
        kept = floats(value.value) if isinstance(value, Ball) else np.asarray(value)
        if kept.shape == rest.shape:
            rest = rest & (kept == 0.0)
    centre = floats(after.value)
    rest = rest & np.isfinite(centre)
    if not rest.any():
        return after, None
    lost = rest & ~np.isfinite(got)
    count = int(rest.sum())
    if not lost.any():
        return after, Comparison(PASS, 0.0, count, count)
    first = int(np.argmax(lost))
    bound = after.rules.precision.unit * abs(float(centre[first]))
    comparison = replace(failure(""), compared=count, telling=count, where=(first,), expected=float(centre[first]), bound=bound)
    return _open(after, lost), replace(comparison, got=float(got[first]), wrong=kinds(got[lost], centre[lost]))


def _judge_formats(case: Case, recording: Recording) -> Iterator[Found]:
    """Whether the state is held in formats that do for it: numbers in the parameter's, the counter in one that can count.

    Of a state that the formula does not know it is not known what would do.
    """
    last = {segment.parameter: segment for segment in recording.segments}
    options = case.item.given(case.item.defaults | dict(case.options), 2.0 * case.precision.unit)
    for segment in last.values():
        known = case.item.initial_function(segment.before, **options) if case.item.initial_function else {}
        for name, stored in segment.state_after.items():
            if stored.value is None or name not in known:
                continue
            needed = FLOAT32 if name == COUNTER else case.precision
            held = stored.precision.unit <= needed.unit
            why = f"is held in {stored.precision.name}, but needs {needed.name} at least"
            comparison = Comparison(PASS, 0.0, 1, 1) if held else failure(why)
            yield Found(comparison, name, segment, check="state_format")


def _judge_beginnings(case: Case, recording: Recording) -> Iterator[Found]:
    """Whether a state that is there before the first step, as that of Adagrad, is what a run begins with."""
    firsts: dict[int, Segment] = {}
    for segment in recording.segments:
        firsts.setdefault(segment.parameter, segment)
    for segment in firsts.values():
        if not segment.state_before or segment.options or case.item.initial_function is None:
            continue
        fresh, first = (
            case.item.initial_function(segment.before, **case.item.given(options, 2.0 * case.precision.unit))
            for options in ((case.options, case.others)[segment.group], case.options)
        )
        for name, wanted in fresh.items():
            stored = segment.state_before.get(name)
            if stored is None or stored.value is None or wanted is None or not segment.before.size:
                continue
            right = np.broadcast_to(stored.precision.round(wanted), stored.value.shape).astype(float)
            held = np.array_equal(stored.value, right)
            why = f"begins with {float(stored.value.flat[0])!r}, but should begin with {float(right.flat[0])!r}"
            comparison = Comparison(PASS, 0.0, right.size, right.size) if held else failure(why)
            yield Found(
                comparison, name, segment, check="state_begins" if np.array_equal(wanted, first[name]) else "group_begins"
            )


def _state(item: Optimizer, p: Ball, segments: Sequence[Segment], given: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """The state before the step as the formula wants it: counters plain, scalars in double, tensors in their own format."""
    fresh: dict[str, Any] = dict(item.initial_function(p, **given)) if item.initial_function else {}
    first_seen = next((s.state_after for s in segments if not s.state_before), {})
    for name, value in fresh.items():
        kept = first_seen.get(name)
        if isinstance(value, Ball) and not value.ndim and kept is not None and kept.precision.unit > rules.precision.unit:
            # The first step finds a number that was rounded to the format it is held in; that format is judged on its own.
            fresh[name] = Ball(value.value, value.radius + kept.precision.unit * np.abs(floats(value.value)), value.rules)
        if name in item.running and kept is not None:
            fresh[name] = _rounded(Ball.exactly(value, rules.host), kept)
    if not any(s.state_before for s in segments):
        return fresh
    first = np.repeat([not s.state_before for s in segments], [s.before.size for s in segments])
    state: dict[str, Any] = {}
    for name, value in fresh.items():
        stored = [s.state_before.get(name) for s in segments if s.state_before]
        present = [x for x in stored if x is not None and x.value is not None]
        if len(present) < len(stored):
            state[name] = value  # the subject has no such entry, which is told where its state is compared
            continue
        held = rules.host if np.asarray(present[0].value).ndim == 0 else replace(rules, precision=present[0].precision)
        flat = np.zeros(first.size)
        flat[~first] = _spread(present, [s for s in segments if s.state_before])
        if name == COUNTER:
            state[name] = flat + np.where(first, value, 0.0)
        else:
            ball = Ball.exactly(flat, held)
            ball = _rounded(ball, present[0]) if name in item.running else ball
            state[name] = np.where(first, value, ball) if first.any() else ball
    return state


def _rounded(ball: Ball, stored: Stored) -> Ball:
    """The ball with the error of a product in the format that holds it: of the factor, and of the product itself."""
    return Ball(ball.value, ball.radius + 2.0 * stored.precision.unit * np.abs(floats(ball.value)), ball.rules, ball.spread)


def _spread(stored: Sequence[Stored], segments: Sequence[Segment]) -> Array:
    """State entries laid end to end, one number for each element of the parameter."""
    if all(np.asarray(x.value).ndim == 0 for x in stored):
        return np.repeat(np.array([x.value for x in stored], dtype=np.float64), [s.before.size for s in segments])
    arrays = [np.asarray(x.value) for x in stored]
    if all(a.shape == s.before.shape for a, s in zip(arrays, segments, strict=True)):
        return _join(arrays)
    return _join([np.broadcast_to(a, s.before.shape) for a, s in zip(arrays, segments, strict=True)])


def _compare_state(
    case: Case, name: str, expected: Any, segments: Sequence[Segment], rules: Rules, strange: NDArray[np.bool_]
) -> Found:
    stored = [s.state_after.get(name) for s in segments]
    if expected is None:
        return Found(Comparison(PASS, 0.0, 1, 1), name)
    present = [x for x in stored if x is not None and x.value is not None]
    if len(present) < len(stored):
        kept = sorted(segments[0].state_after)
        return Found(failure(f"the state has no {name!r}, but should have it (it has {', '.join(kept) or 'nothing'})"), name)
    size = sum(s.before.size for s in segments)
    ball = lift(expected, rules.host)
    if ball.shape != (size,):
        ball = ball.map(lambda a: np.broadcast_to(a, (size,)))
    return _locate(name, _open(ball, strange), _spread(present, segments), present[0].precision, segments)


def _locate(name: str, expected: Ball, flat: Array, stored: Precision, segments: Sequence[Segment]) -> Found:
    """Judge arrays laid end to end; where one fails, report the worst element of the first step that fails."""
    found = compare(expected, flat, stored)
    if found.ratio > LIMIT and found.where:
        end = 0
        for segment in segments:  # in the order of the steps
            part = slice(end, end := end + segment.before.size)
            one = compare(expected[part], flat[part], stored)
            if one.ratio > LIMIT:
                where = (part.start + one.where[0],)
                found = replace(
                    one, compared=found.compared, telling=found.telling, where=where, wrong=found.wrong, overall=found.ratio
                )
                break
    return place(found, name, segments)


def place(found: Comparison, name: str, segments: Sequence[Segment], check: str = "lockstep") -> Found:
    """Name the segment and the element that an index into arrays laid end to end stands for."""
    if not found.where:
        return Found(found, name, check=check)
    ends = np.cumsum([s.before.size for s in segments])
    chosen = int(np.searchsorted(ends, found.where[0], side="right"))
    shape = segments[chosen].before.shape
    offset = found.where[0] - int(ends[chosen]) + segments[chosen].before.size
    return Found(found, name, segments[chosen], tuple(int(i) for i in np.unravel_index(offset, shape)), check)


def _join(arrays: Sequence[Array]) -> Array:
    return np.concatenate([a.ravel() for a in arrays])
