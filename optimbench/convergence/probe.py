"""Which way an optimizer can train many replicas: measured, on the parameters of the problem, before anything is trained.

Replicas are stepped together and apart with the same gradients, on the same implementation of the optimizer. Where every
number of the parameters comes out the same, bit for bit, the replicas may share: a whole tensor (``stack``), or an optimizer
with a leaf for each (``views``). Where they do not, because the optimizer looks further or draws random numbers, each is
trained alone (``loop``), and so is one whose step needs a closure (``closure``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from optimbench.convergence import contenders
from optimbench.convergence.contenders import Unsuitable, sentence
from optimbench.convergence.engine import Course, step_alone
from optimbench.convergence.problem import Problem, stream
from optimbench.convergence.replicas import ALONE, CLOSURE, LOOP, STACK, VIEWS, Replicas
from optimbench.convergence.trajectory import Contender, Setting

STEPS = 12  # past the sixth, where the rectification of RAdam begins, and past the usual periods of a lookahead
SEEDS = (0, 1)

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Answer:
    """The path that was found, and what was seen on the way."""

    path: str
    why: str


def probe(problem: Problem, contender: Contender, setting: Setting) -> Answer:
    """The fastest path on which replicas come out as alone. Unsuitable where the contender cannot even train one."""
    if refused := train_one(problem, contender, setting):
        return Answer(CLOSURE, f"needs a closure: {refused}")
    settings = (setting, {**setting, "lr": setting["lr"] / 2})
    course = Course(problem, SEEDS, len(settings), STEPS, "cpu")
    starts = course.starts()
    gradients = list(drawn(problem, starts))
    touched = [problem.touched(batch) for _, batch in zip(range(STEPS), course.batches())]  # rows of embedding tables
    reasons = []
    for path in (STACK, VIEWS):
        foreach = path == VIEWS
        try:
            alone = [
                stepped(
                    contender,
                    [settings[row // len(SEEDS)]],
                    {name: start[row : row + 1] for name, start in starts.items()},
                    [{name: g[row : row + 1] for name, g in gradient.items()} for gradient in gradients],
                    [{name: r[row : row + 1] for name, r in some.items()} for some in touched],
                    LOOP,
                    foreach,
                    problem.tables,
                )
                for row in range(len(settings) * len(SEEDS))
            ]
        except Exception as error:
            return Answer(LOOP, f"needs a closure: {sentence(error)}")
        try:
            together = stepped(contender, settings, starts, gradients, touched, path, foreach, problem.tables)
        except Exception as error:
            reasons.append(f"{path}: {sentence(error)}")
            continue
        if apart := differing(together, alone):
            reasons.append(f"{path}: differs in {apart}")
        else:
            return Answer(path, "; ".join([*reasons, f"{path}: equal to the last bit after {STEPS} steps"]))
    return Answer(LOOP, "; ".join(reasons))


def train_one(problem: Problem, contender: Contender, setting: Setting) -> str:
    """Two steps of one replica as a user would make them: "" where that needs no closure, else what is said without one.

    Unsuitable, with the reason, where it fails with a closure too.
    """
    refused = ""
    for path in ALONE:
        course = Course(problem, SEEDS[:1], 1, 2, "cpu")
        replicas = Replicas(contender, [setting], course.starts(), path, contenders.sparse(contender), problem.tables)
        try:
            for _, batch in zip(range(2), course.batches()):
                step_alone(problem, replicas, batch, path)
        except Exception as error:
            refused = refused or sentence(error)
        else:
            return refused
    raise Unsuitable(f"its step fails: {refused}")


def drawn(problem: Problem, starts: Tensors) -> Iterator[Tensors]:
    """Gradients of the shapes of the parameters; normal numbers whose size differs from replica to replica."""
    rng = stream(problem.name, "probe", 0)
    for _ in range(STEPS):
        found = {}
        for name, start in starts.items():
            size = 10.0 ** rng.integers(-2, 2, (len(start), *(1,) * (start.ndim - 1)))
            found[name] = torch.from_numpy(np.asarray(size * rng.standard_normal(start.shape))).to(start.dtype)
        yield found


def stepped(
    contender: Contender,
    settings: Sequence[Setting],
    starts: Tensors,
    gradients: Sequence[Tensors],
    touched: Sequence[Mapping[str, torch.Tensor]],
    path: str,
    foreach: bool,
    tables: Collection[str] = (),
) -> Tensors:
    """The parameters after a step with each of the gradients."""
    replicas = Replicas(contender, settings, starts, path, contenders.sparse(contender), tables, foreach)
    for gradient, some in zip(gradients, touched):
        replicas.hand_over({name: g.clone() for name, g in gradient.items()}, some)  # a step may change them
        replicas.step()
    return {name: parameter.detach() for name, parameter in replicas.parameters.items()}


def differing(together: Tensors, alone: Sequence[Tensors]) -> str:
    """The first parameter in which they differ, "" where all are equal to the last bit (NaN equals NaN)."""
    for name, stack in together.items():
        if not torch.equal(stack.nan_to_num(nan=0.5), torch.cat([one[name] for one in alone]).nan_to_num(nan=0.5)):
            return name
    return ""
