"""A run written as Python text and executed as it is written, so that the reproducer of a failure is the run itself.

A ``Script`` holds the text so far, a ``Run`` one optimizer in it. What the optimizer does is recorded step by step and judged
by the oracle in lockstep, each parameter by the options that its group has in that step and in its own format.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchkit.judge import PASS, Comparison, by_reference, failure
from benchkit.precision import PRECISIONS
from benchkit.snippets import element, tensor
from benchkit.spec import Optimizer
from optimbench.cases import Array, Case
from optimbench.film import Stored, look
from optimbench.found import Found
from optimbench.free_running import state_is_foreign
from optimbench.layouts import SOURCE
from optimbench.lockstep import judge
from optimbench.subject import Recording, Segment, TorchSubject, Unsupported, described, unimplemented

CLASS = "Optimizer"  # what a script calls the class under test
Options = Mapping[str, Any]
NOTHING: Mapping[str, str] = {}

PROBLEM = '''
def problem(optimizer):
    """A closure for the optimizer: the sum of parabolas and fourth powers of its parameters."""

    def closure():
        optimizer.zero_grad()
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        loss = sum((0.5 * (i + 1) * (p - 1.0).square() + 0.25 * p.pow(4)).sum() for i, p in enumerate(parameters))
        loss.backward()
        return loss.detach()

    return closure
'''


class Script:
    """The text of a run, the names that it has made, and what was recorded of it."""

    def __init__(self, case: Case, subject: TorchSubject) -> None:
        import torch

        self.case, self.subject = case, subject
        self.lines: list[str] = []
        self.scope: dict[str, Any] = {
            "torch": torch, "F": float.fromhex, "inf": float("inf"), "nan": float("nan"), CLASS: subject.constructor,
        }  # fmt: skip
        self.recording = Recording(own=subject.own)
        self.marks: list[tuple[int, Run, str]] = []  # for every segment the lines up to it, its run and its parameter
        self.found: list[Found] = []
        self.gaps = False  # whether steps were made that nobody recorded

    @property
    def item(self) -> Optimizer:
        return self.case.item

    def do(self, text: str) -> None:
        """Write text and execute it; Unsupported where torch has no kernel for it."""
        self.lines.append(text)
        with unimplemented():
            exec(compile(text, f"<line {len(self.lines)}>", "exec"), self.scope)

    def __getitem__(self, expression: str) -> Any:
        """The value of an expression, which does not become part of the text."""
        return eval(expression, self.scope)

    def start(
        self, groups: Sequence[Sequence[Array]], options: Sequence[Options], name: str = "optimizer", prefix: str = "p",
        dtypes: Sequence[str] = (), layout: str = "", complex_: bool = False, written: Mapping[str, str] = NOTHING,
    ) -> Run:  # fmt: skip
        """Write parameters of these numbers and their optimizer; ``dtypes`` gives them formats in turn."""
        if layout and "place" not in self.scope:
            self.do(SOURCE)
        if "closure" in self.item.tags and "problem" not in self.scope:
            self.do(PROBLEM)
        run, formats = Run(self, name, prefix, complex_), itertools.cycle(dtypes or (self.case.dtype,))
        names = itertools.count()
        for group in groups:
            run.groups.append([])
            for start in group:
                parameter = f"{prefix}{next(names)}"
                run.declare(parameter, start, next(formats), layout)
                run.groups[-1].append(parameter)
        run.construct(options, written=written)
        return run

    def judge(self, kinds: Sequence[str] = ("lockstep",), item: Optimizer | None = None) -> list[Found]:
        """What has been found so far, and what the oracle, by the formula of ``item``, says of the recorded steps."""
        case = replace(self.case, item=item or self.item)
        self._own_state_only(case)
        marks = {id(segment): mark for segment, mark in zip(self.recording.segments, self.marks, strict=True)}
        judged = [f for f in by_reference(lambda: list(judge(case, self.recording))) if f.check in kinds]
        return self.found + [self._marked(f, *marks[id(f.segment)]) if f.segment else f for f in judged]

    def _own_state_only(self, case: Case) -> None:
        """Of a class whose state is not named as torch's the oracle follows the first run alone, with a state of its own: it
        could not take over what another one has loaded. Unsupported where it would have to skip steps."""
        if self.recording.own or not state_is_foreign(case, self.recording):
            return
        if self.gaps:
            raise Unsupported("the state is not named as torch's: it cannot be taken over after steps that were not recorded")
        kept = [i for i, (_, run, _) in enumerate(self.marks) if run is self.marks[0][1]]
        self.recording.segments = [self.recording.segments[i] for i in kept]
        self.marks = [self.marks[i] for i in kept]

    def _marked(self, found: Found, lines: int, run: Run, parameter: str) -> Found:
        """What the oracle has found, with its place in the text and the expression of its worst element."""
        assert found.segment is not None
        expression, index = f"{parameter}.detach()", found.element
        if found.name != "parameter":
            expression = f"{run.name}.state[{parameter}][{found.name!r}]"
            stored = found.segment.state_after.get(found.name)
            index = () if stored is None or stored.value is None or stored.value.ndim == 0 else index
        if index and run.index is not None:
            index = (int(run.index[index[0]]),)
        if index and run.complex:
            expression = f"torch.view_as_real({expression})"
        expression += ".to_dense()" if index and run.sparse else ""
        return replace(found, lines=lines, expression=element(expression, index))

    def expect(self, holds: bool, sentence: str, expression: str, count: int = 1) -> None:
        """Note whether something holds that the script can say of itself: ``expression`` is True there."""
        comparison = Comparison(PASS, 0.0, count, count) if holds else failure(sentence)
        self.found.append(Found(comparison, "run", expression=expression, lines=len(self.lines)))

    @contextlib.contextmanager
    def optional(self, *words: str) -> Iterator[None]:
        """A part of which an exception that speaks of one of the words, or any of a class that is not torch's kind, says only
        that there is no such part."""
        try:
            yield
        except (Exception, SystemExit) as error:
            if isinstance(error, Unsupported) or (self.subject.kin and not any(word in str(error) for word in words)):
                raise
            raise Unsupported(f"it is declined: {described(error)}") from error


class Run:
    """One optimizer of a script, with the names of its parameters and the options of its groups."""

    def __init__(self, script: Script, name: str, prefix: str, complex_: bool = False) -> None:
        self.script, self.name, self.prefix, self.complex, self.sparse = script, name, prefix, complex_, False
        self.groups: list[list[str]] = []
        self.options: list[Options] = []
        self.index: NDArray[np.int_] | None = None  # of a long parameter the elements that the oracle looks at

    @property
    def parameters(self) -> list[str]:
        return [name for group in self.groups for name in group]

    @property
    def optimizer(self) -> Any:
        return self.script[self.name]

    def tensors(self) -> list[Any]:
        """The parameters themselves."""
        return [self.script[name] for name in self.parameters]

    def number(self, array: Array, dtype: str, layout: str = "") -> str:
        """An expression for a tensor of these numbers, complex where the run is: then pairs along the last dimension."""
        text = tensor(np.asarray(array), dtype)
        text = f"torch.view_as_complex({text})" if self.complex else text
        text += "" if self.script.case.device == "cpu" else f'.to("{self.script.case.device}")'
        return f"place({text}, {layout!r})" if layout else text

    def declare(self, parameter: str, start: Array, dtype: str, layout: str = "") -> None:
        """Write a parameter."""
        self.script.do(f"{parameter} = torch.nn.Parameter({self.number(start, dtype, layout)})")

    def construct(self, options: Sequence[Options], listed: Sequence[str] = (), written: Mapping[str, str] = NOTHING) -> None:
        """Write the optimizer: the first group's options go to the constructor, those of the others into their groups.

        ``written`` are expressions for arguments of the constructor."""
        script, given = self.script, dict(self.script.subject.arguments(self.script.case))
        defaults = script.item.defaults
        for name, value in options[0].items():
            given.pop(name, None)
            if value != defaults[name] or type(value) is not type(defaults[name]):
                given[name] = value
        known = [n for n in defaults if script.subject.own or n in script.subject.accepted]
        text = []
        for number, (group, chosen) in enumerate(zip(self.groups, options, strict=True)):
            more = "".join(f", {n!r}: {chosen[n]!r}" for n in known if chosen[n] != options[0][n]) if number else ""
            text.append(f'{{"params": [{", ".join(listed or group)}]{more}}}')
        texts = {name: repr(value) for name, value in given.items()} | dict(written)
        arguments = "".join(f", {name}={text}" for name, text in texts.items())
        self.options = [dict(chosen) for chosen in options]
        try:
            script.do(f"{self.name} = {CLASS}([{', '.join(text)}]{arguments})")
        except TypeError as error:
            if "unexpected keyword argument" in str(error):
                raise Unsupported(f"the constructor does not accept it: {error}") from error
            raise

    def change(self, group: int, options: Options) -> None:
        """Write new values into the options of a group."""
        new = {name: value for name, value in options.items() if value != self.options[group][name]}
        self.script.do(f"{self.name}.param_groups[{group}].update({new!r})")
        self.options[group] = dict(options)

    def gradients(self, gradients: Sequence[Array | None]) -> list[str]:
        """Lines that set the gradients of all parameters, in their formats; None is none."""
        lines = []
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            value = "None" if gradient is None else self.number(gradient, self.format(parameter))
            value += ".to_sparse(1)" if gradient is not None and "sparse" in self.script.item.tags else ""
            lines.append(f"{parameter}.grad = {value}")
            if gradient is None:
                lines.append(f"rest_{parameter} = {parameter}.detach().clone()")
        return lines

    def give(self, gradients: Sequence[Array | None]) -> None:
        """Write gradients."""
        self.script.do("\n".join(self.gradients(gradients)))

    def format(self, parameter: str) -> str:
        """The name of a parameter's format; of a complex one that of its parts."""
        dtype = self.script[f"{parameter}.dtype"]
        return str(dtype.to_real() if dtype.is_complex else dtype).removeprefix("torch.")

    def step(self, gradients: Sequence[Array | None], call: str = "", given: bool = False) -> None:
        """Write gradients (unless they are ``given`` by the text) and a step, and record it for the oracle.

        ``call`` is the text of the step, where it is not ``optimizer.step()``. A closure makes the gradients of optimizers that
        take one; of their steps nothing is recorded.
        """
        script = self.script
        if "closure" in script.item.tags:
            script.do(call or f"{self.name}.step(problem({self.name}))")
            return
        if not given:
            self.give(gradients)
        before, states_before = self.look()
        script.do(call or f"{self.name}.step()")
        after, states_after = self.look()
        self.record(gradients, (before, states_before), (after, states_after))
        if self.index is None:
            self._gradients_kept(gradients)

    def _gradients_kept(self, gradients: Sequence[Array | None]) -> None:
        """Note whether the gradients are those that were given."""
        kept = look(self.tensors(), self.optimizer)[2]
        for name, gradient, now in zip(self.parameters, gradients, kept, strict=True):
            if gradient is None:
                continue
            held = now is not None and np.array_equal(now, PRECISIONS[self.format(name)].round(gradient))
            dense = f"{name}.grad.to_dense()" if self.sparse or "sparse" in self.script.item.tags else f"{name}.grad"
            right = "True" if held else f"torch.equal({dense}, {self.number(gradient, self.format(name))})"
            self.script.expect(held, f"the gradient of {name} was changed in place", right, gradient.size or 1)

    def look(self) -> tuple[list[Array], list[dict[str, Stored]]]:
        """Parameters and states as numbers, of a long parameter those of some elements."""
        values, states, _ = look(self.tensors(), self.optimizer)
        if self.index is None:
            return values, states
        for state in states:
            for stored in state.values():
                if stored.value is not None and stored.value.ndim:
                    stored.value = stored.value[self.index]
        return [value[self.index] for value in values], states

    def record(
        self, gradients: Sequence[Array | None], before: tuple[list[Array], list[Any]], after: tuple[list[Array], list[Any]],
        touched: Sequence[Array] = (),
    ) -> None:  # fmt: skip
        """Add one step to the recording; a parameter without a gradient may not move."""
        script, recording = self.script, self.script.recording
        group_of = [number for number, group in enumerate(self.groups) for _ in group]
        step = len({s.step for s in recording.segments})
        for number, (name, gradient) in enumerate(zip(self.parameters, gradients, strict=True)):
            same = np.array_equal(before[0][number], after[0][number], equal_nan=True)
            if gradient is None:
                if not same:
                    why = f"{name} changed though it has no gradient"
                    script.expect(False, why, f"torch.equal({name}, rest_{name})")
                continue
            mask = touched[number] if touched else _stored(np.asarray(gradient))
            segment = Segment(
                step, number, group_of[number], before[0][number], np.asarray(gradient), mask, before[1][number],
                after[0][number], after[1][number], self.options[group_of[number]], PRECISIONS[self.format(name)],
            )  # fmt: skip
            recording.segments.append(segment)
            script.marks.append((len(script.lines), self, name))

    def unchanged(self, before: tuple[list[Array], list[dict[str, Stored]]], why: str) -> None:
        """Note whether parameters and states still are what they were, bit by bit."""
        now = self.look()
        for number, name in enumerate(self.parameters):
            held = np.array_equal(before[0][number], now[0][number], equal_nan=True)
            self.script.expect(held, f"{name} {why}", f"torch.equal({name}, kept_{name})", now[0][number].size or 1)
            for entry, old in before[1][number].items():
                new = now[1][number].get(entry)
                held = new is not None and same(old, new)
                text = f"torch.equal(torch.as_tensor({self.name}.state[{name}][{entry!r}]), kept_{name}_{entry})"
                self.script.expect(held, f"{entry} of {name} {why}", text)
            for entry in set(now[1][number]) - set(before[1][number]):
                self._begins(number, name, entry, now[1][number][entry], why)

    def _begins(self, number: int, name: str, entry: str, got: Stored, why: str) -> None:
        """Note whether an entry of the state that was made meanwhile is what a run begins with."""
        item, group = self.script.item, next(i for i, names in enumerate(self.groups) if name in names)
        start = np.zeros(self.look()[0][number].shape)
        fresh = item.initial_function(start, **self.options[group]) if item.initial_function else {}
        if entry not in fresh:
            return
        wanted, text = fresh[entry], f"{self.name}.state[{name}][{entry!r}]"
        if wanted is None:
            self.script.expect(got.value is None, f"{entry} of {name} was made and {why}", f"{text} is None")
        elif got.value is not None:
            wanted = np.broadcast_to(got.precision.round(wanted), got.value.shape)
            right = f"torch.equal({text}.double(), torch.tensor({wanted.tolist()!r}, dtype=torch.float64))"
            held = np.array_equal(got.value, wanted)
            self.script.expect(held, f"{entry} of {name} does not begin as it should, and {why}", right)

    def keep(self) -> tuple[list[Array], list[dict[str, Stored]]]:
        """Write copies of parameters and states, for ``unchanged``."""
        now, lines = self.look(), []
        for name, state in zip(self.parameters, now[1], strict=True):
            lines.append(f"kept_{name} = {name}.detach().clone()")
            for entry, stored in state.items():
                if stored.value is not None:
                    lines.append(f"kept_{name}_{entry} = torch.as_tensor({self.name}.state[{name}][{entry!r}]).clone()")
        self.script.do("\n".join(lines))
        return now


def _stored(gradient: Array) -> NDArray[np.bool_]:
    """What a sparse gradient made from a dense one stores: the rows that are not zero."""
    if not gradient.ndim:
        return np.ones((), dtype=bool)
    rows = (gradient != 0.0).any(axis=tuple(range(1, gradient.ndim)), keepdims=True)
    return np.broadcast_to(rows, gradient.shape)


def same(a: Stored, b: Stored) -> bool:
    """Whether two entries of a state are the same numbers in the same format."""
    if a.value is None or b.value is None:
        return a.value is b.value
    return a.precision == b.precision and np.array_equal(a.value, b.value, equal_nan=True)


def same_future(one: Run, other: Run) -> None:
    """Note whether two runs hold the same numbers in parameters and states, bit by bit and in the same formats."""
    script, (values, states), (values2, states2) = one.script, one.look(), other.look()
    for number, (p, q) in enumerate(zip(one.parameters, other.parameters, strict=True)):
        held = np.array_equal(values[number], values2[number], equal_nan=True)
        why = f"{q} of {other.name} differs from {p} of {one.name}"
        script.expect(held, why + _first(values[number], values2[number]), f"torch.equal({p}, {q})", values[number].size or 1)
        if set(states[number]) != set(states2[number]):
            why = f"the state of {q} has {sorted(states2[number])}, but should have {sorted(states[number])}"
            script.expect(False, why, f"set({one.name}.state[{p}]) == set({other.name}.state[{q}])")
            continue
        for entry, stored in states[number].items():
            text = [f"torch.as_tensor({run.name}.state[{n}][{entry!r}])" for run, n in ((one, p), (other, q))]
            got = states2[number][entry]
            why = f"{entry} of {q} in {other.name} differs from that of {p} in {one.name}" + _apart(stored, got)
            script.expect(same(stored, got), why, f"torch.equal({text[0]}, {text[1]}) and {text[0]}.dtype == {text[1]}.dtype")


def _apart(a: Stored, b: Stored) -> str:
    if a.precision != b.precision:
        return f": it is held in {b.precision.name}, and was in {a.precision.name}"
    return "" if a.value is None or b.value is None else _first(a.value, b.value)


def _first(a: Array, b: Array) -> str:
    """Where two arrays first differ, in words."""
    if a.shape != b.shape:
        return f": its shape is {b.shape}, and not {a.shape}"
    where = np.flatnonzero(~((a == b) | (np.isnan(a) & np.isnan(b))).ravel())
    if not where.size:
        return ""
    return f": {float(b.ravel()[where[0]])!r}, and not {float(a.ravel()[where[0]])!r}"
