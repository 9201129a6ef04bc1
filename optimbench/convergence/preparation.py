"""What must be known of a contender on a problem before it is trained: the path of its replicas, and its pace alone."""

from __future__ import annotations

import contextlib
import functools
import statistics
import time
from dataclasses import dataclass

import torch

from optimbench.convergence import contenders, probe
from optimbench.convergence.engine import Course, step_alone
from optimbench.convergence.problem import PROBLEMS, Problem
from optimbench.convergence.replicas import ALONE, LOOP, Replicas
from optimbench.convergence.trajectory import Contender, Setting

PACE_STEPS, PACE_SECONDS = 30, 0.3  # how long the pace is measured, whichever ends first


@dataclass(frozen=True)
class Prepared:
    """``path`` is "" where the contender cannot train the problem; ``why`` says what the probe saw.

    ``step_seconds``: median seconds of one step of one replica trained alone; ``evaluation_seconds``: of one evaluation of loss
    and gradient with its share of the step, for steps may make many evaluations or few.
    """

    path: str
    why: str
    step_seconds: float
    evaluation_seconds: float


def prepare(problem_name: str, contender: Contender, setting: Setting) -> Prepared:
    """Probe a contender and measure its pace; the work of a worker, like a shard."""
    import optimbench.convergence.problems  # noqa: F401

    torch.set_num_threads(1)
    problem = PROBLEMS[problem_name]
    try:
        answer = probe.probe(problem, contender, setting)
    except contenders.Unsuitable as error:
        return Prepared("", str(error), float("nan"), float("nan"))
    return Prepared(answer.path, answer.why, *pace(problem, contender, setting, answer.path))


def pace(problem: Problem, contender: Contender, setting: Setting, path: str) -> tuple[float, float]:
    """Median seconds of a step of one replica alone, and of an evaluation with its share; NaN where a step fails.

    As a loop written by hand would make it: the gradient by autograd, the step as it is called.
    """
    alone = path if path in ALONE else LOOP
    course = Course(problem, [0], 1, PACE_STEPS, "cpu")
    replicas = Replicas(contender, [setting], course.starts(), alone, contenders.sparse(contender), problem.tables)
    replicas.mode = contextlib.nullcontext
    traced = functools.partial(Problem.differentiate, problem)
    times: list[float] = []
    calls: list[int] = []
    for _, batch in zip(range(PACE_STEPS), course.batches()):
        began = time.perf_counter()
        try:
            calls.append(step_alone(problem, replicas, batch, alone, traced))
        except Exception:  # of anybody's class; where it is trained, it is told
            return float("nan"), float("nan")
        times.append(time.perf_counter() - began)
        if sum(times) > PACE_SECONDS:
            break
    # Each evaluation counts once, so that the many of a long step tell more than the one of a step that has nothing left to do.
    of_evaluations = [seconds / count for seconds, count in zip(times, calls) for _ in range(count)]
    return statistics.median(times), statistics.median(of_evaluations) if of_evaluations else float("nan")
