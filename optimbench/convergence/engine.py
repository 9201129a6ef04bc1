"""The engine: many replicas of a problem trained at once.

Replicas differ in their seed and in the setting of the optimizer. One backward pass of the sum of their losses gives the
gradients of all, since no loss depends on another replica's parameters; the real optimizer class makes the steps.

A budget is counted in evaluations of loss and gradient: an optimizer that evaluates several times in a step makes fewer
steps, and from its last one on the records repeat the objective that it reached.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from optimbench.convergence import contenders
from optimbench.convergence.problem import Arrays, Problem, recorded
from optimbench.convergence.replicas import ALONE, CLOSURE, LOOP, VIEWS, Replicas
from optimbench.convergence.trajectory import Contender, Setting

KEPT = 1000  # parameters up to which the trained ones of every replica are kept

Tensors = dict[str, torch.Tensor]
Differentiate = Callable[[Tensors, Tensors], tuple[torch.Tensor, Mapping[str, torch.Tensor]]]


@dataclass
class Trained:
    """What R replicas left behind; R = settings * seeds, T records.

    ``steps`` (T,); ``losses`` and ``evaluations`` (R, T); ``iterates`` (R, T, 2) for a problem of two variables, else None;
    ``parameters`` (R, P), the trained ones one after another, None where there are more than 1000; ``seconds`` of CPU.
    """

    steps: NDArray[np.int64]
    losses: NDArray[Any]
    evaluations: NDArray[np.int64]
    iterates: NDArray[Any] | None
    parameters: NDArray[Any] | None
    seconds: float


@functools.lru_cache(maxsize=512)
def _data(problem: Problem, seed: int) -> Arrays:
    """The data of a seed; kept, since every optimizer that is compared has the same."""
    return problem.data(seed)


@functools.lru_cache(maxsize=512)
def _start(problem: Problem, seed: int) -> Arrays:
    return problem.start(seed)


class Course:
    """The data of a problem for the replicas of some seeds, and the batches that each step takes of them.

    ``repeats`` is the number of settings: every setting trains all seeds.
    """

    def __init__(self, problem: Problem, seeds: Sequence[int], repeats: int, steps: int, device: str) -> None:
        self.problem, self.seeds, self.repeats, self.steps, self.device = problem, seeds, repeats, steps, device
        self.dtype = getattr(torch, problem.dtype)
        self.shared = {name: self._tensor(array)[None] for name, array in problem.shared().items()}
        self.own = self._stacked([_data(problem, seed) for seed in seeds])
        self.whole: Tensors = {**self.shared, **self.own}

    def starts(self) -> Tensors:
        """The initial parameters of all replicas, (R, ...)."""
        return self._stacked([_start(self.problem, seed) for seed in self.seeds])

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else tensor.dtype)

    def _stacked(self, each: Sequence[Mapping[str, NDArray[Any]]]) -> Tensors:
        return {name: self._tensor(np.stack([arrays[name] for arrays in each] * self.repeats)) for name in each[0]}

    def batches(self) -> Iterator[Tensors]:
        """The data of every step without end; of an epoch all at once, since one long copy is cheaper than many short."""
        if self.problem.batch is None:
            while True:
                yield self.whole
        epoch = 0
        while True:
            order = np.stack([self.problem.order(seed, epoch) for seed in self.seeds] * self.repeats)
            taken = self._in_order(torch.from_numpy(order).to(self.device))
            for at in range(0, self.problem.examples, self.problem.batch):
                part = slice(at, at + self.problem.batch)
                batch = {name: array[:, part] for name, array in taken.items()}
                yield {**self.whole, **batch}
            epoch += 1

    def _in_order(self, order: torch.Tensor) -> Tensors:
        """The data of an epoch, (R, examples, ...)."""
        rows = torch.arange(len(order), device=order.device)[:, None]
        taken = {}
        for name in self.problem.per_example:
            array = self.whole[name]
            taken[name] = array[0][order] if len(array) == 1 else array[rows, order]
        return taken


class Book:
    """The records of a training run, filled as it goes."""

    def __init__(self, problem: Problem, steps: int, count: int) -> None:
        self.steps = recorded(steps, problem.every)
        shape = (count, len(self.steps))
        self.losses = np.full(shape, np.nan, dtype=problem.dtype)
        self.evaluations = np.zeros(shape, dtype=np.int64)
        self.iterates = np.full((*shape, 2), np.nan, dtype=problem.dtype) if problem.plane else None
        self.next = 0

    def due(self, step: int) -> bool:
        """Whether the objective after that many steps is to be recorded."""
        return self.unfinished and step == self.steps[self.next]

    @property
    def unfinished(self) -> bool:
        return self.next < len(self.steps)

    def write(self, losses: torch.Tensor, evaluations: int, parameters: Tensors) -> None:
        """Record the objective of all replicas, (R,)."""
        self.losses[:, self.next] = losses.detach().cpu().numpy()
        self.evaluations[:, self.next] = evaluations
        if self.iterates is not None:
            (point,) = parameters.values()
            self.iterates[:, self.next] = point.detach().cpu().numpy()
        self.next += 1

    def fill(self) -> None:
        """Repeat the last record to the end."""
        for array in (self.losses, self.evaluations, self.iterates):
            if array is not None:
                array[:, self.next :] = array[:, self.next - 1 : self.next]
        self.next = len(self.steps)


def train(
    problem: Problem,
    contender: Contender,
    settings: Sequence[Setting],
    seeds: Sequence[int],
    steps: int,
    path: str,
    device: str = "cpu",
) -> Trained:
    """Train ``contender`` at all settings on all seeds, within a budget of ``steps`` evaluations."""
    began = time.process_time()
    if path == VIEWS and len(settings) * len(seeds) == 1:
        path = LOOP  # one replica needs no view, and torch's implementation for many tensors is slow for few
    if path in ALONE:
        runs = []
        for setting, seed in itertools.product(settings, seeds):
            with torch.random.fork_rng(devices=[] if device == "cpu" else [device]):
                torch.manual_seed(seed)  # for a class that draws numbers itself
                runs.append(_run(problem, contender, [setting], [seed], steps, path, device))
    else:
        runs = [_run(problem, contender, settings, seeds, steps, path, device)]
    books, trained = [book for book, _ in runs], [parameters for _, parameters in runs]
    iterates = [book.iterates for book in books if book.iterates is not None]
    return Trained(
        books[0].steps,
        np.concatenate([book.losses for book in books]),
        np.concatenate([book.evaluations for book in books]),
        np.concatenate(iterates) if iterates else None,
        _flat(trained),
        time.process_time() - began,
    )


Run = tuple[Book, Tensors]


def _run(
    problem: Problem,
    contender: Contender,
    settings: Sequence[Setting],
    seeds: Sequence[int],
    steps: int,
    path: str,
    device: str,
) -> Run:
    """Replicas of all settings and seeds, trained until the budget is spent."""
    course = Course(problem, seeds, len(settings), steps, device)
    replicas = Replicas(contender, settings, course.starts(), path, contenders.sparse(contender), problem.tables)
    book = Book(problem, steps, replicas.count)
    (_by_closure if path == CLOSURE else _together)(course, replicas, book)
    return book, replicas.parameters


def _together(course: Course, replicas: Replicas, book: Book) -> None:
    """All replicas at once, one evaluation in a step."""
    problem, whole = course.problem, course.problem.batch is None
    for step, batch in enumerate(course.batches()):
        due = book.due(step)
        if due and (step == course.steps or not whole):
            _record(book, replicas, course, step)
        if step == course.steps:
            return
        losses, gradients = problem.differentiate(replicas.parameters, batch)
        if due and whole:
            book.write(losses, step, replicas.parameters)
        replicas.hand_over(gradients, problem.touched(batch))
        replicas.step()


def _by_closure(course: Course, replicas: Replicas, book: Book) -> None:
    """One replica whose steps evaluate as often as they like, until the budget is spent or all its parameters are NaN.

    Whatever is added to NaN is NaN, so that nothing would come after.
    """
    evaluations = 0
    for step, batch in enumerate(course.batches()):
        over = step == course.steps or evaluations >= course.steps or _lost(replicas.parameters)
        if book.due(step) or (over and book.unfinished):
            _record(book, replicas, course, evaluations)
        if over:
            book.fill()
            return
        evaluations += step_alone(course.problem, replicas, batch, CLOSURE)


def _lost(parameters: Tensors) -> bool:
    return all(bool(parameter.isnan().all()) for parameter in parameters.values())


def step_alone(
    problem: Problem, replicas: Replicas, batch: Tensors, path: str, differentiate: Differentiate | None = None
) -> int:
    """One step, and how often loss and gradient were evaluated: once before it, or as often as it asked for the closure.

    ``differentiate`` stands in for that of the problem.
    """
    differentiate = differentiate or problem.differentiate
    calls = 0

    def closure() -> torch.Tensor:
        nonlocal calls
        calls += 1
        with torch.inference_mode(False), torch.enable_grad():  # whatever the mode of the step that asks
            losses, gradients = differentiate(replicas.parameters, batch)
            replicas.hand_over(gradients, problem.touched(batch))
        return losses[0]

    if path == CLOSURE:
        replicas.step(closure)
    else:
        closure()
        replicas.step()
    return calls


def _record(book: Book, replicas: Replicas, course: Course, evaluations: int) -> None:
    """Evaluate the objective over all data."""
    problem, losses = course.problem, []
    with torch.no_grad():
        for at in range(0, replicas.count, problem.sweep):
            rows = slice(at, at + problem.sweep)
            some = {name: parameter[rows] for name, parameter in replicas.parameters.items()}
            data = {name: array if name in course.shared else array[rows] for name, array in course.whole.items()}
            losses.append(problem.losses(some, data))
        book.write(torch.cat(losses), evaluations, replicas.parameters)


def _flat(runs: Sequence[Tensors]) -> NDArray[Any] | None:
    rows = [torch.cat([p.detach().flatten(1) for p in parameters.values()], dim=1).cpu().numpy() for parameters in runs]
    return np.concatenate(rows) if rows[0].shape[1] <= KEPT else None
