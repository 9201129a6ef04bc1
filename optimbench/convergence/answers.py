"""What the studies say: the comparisons, intervals and costs that tables and figures share, worked out once for each study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from optimbench.convergence.comparison import Comparison, compare
from optimbench.convergence.statistics import median_interval
from optimbench.convergence.targets import Reached, reached
from optimbench.convergence.trajectory import Study


@dataclass(frozen=True)
class Answer:
    """One study with what can be said of it.

    ``intervals`` holds the interval of the median final objective of each entry; ``reached``, by label, the cost of the
    target, empty where the problem declares none.
    """

    study: Study
    compared: Comparison
    intervals: tuple[tuple[float, float], ...]
    reached: dict[str, Reached] = field(default_factory=dict)


def answer(study: Study) -> Answer:
    """Work out what a study says; it must have an entry."""
    names = study.problem, study.protocol
    found: dict[str, Reached] = {}
    if study.target is not None:
        for runs in study.entries:
            found[runs.contender.label] = reached(runs, study.target, *names, runs.contender.label)
    return Answer(
        study,
        compare(np.stack([runs.final for runs in study.entries])),
        tuple(median_interval(runs.final, *names, runs.contender.label) for runs in study.entries),
        found,
    )


def by_problem(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    """The answers of each problem, in the order of their protocols."""
    return _by(answers, lambda study: study.problem)


def by_protocol(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    """The answers of each protocol, in the order of their problems."""
    return _by(answers, lambda study: study.protocol)


def _by(answers: Sequence[Answer], key: Callable[[Study], str]) -> dict[str, list[Answer]]:
    groups: dict[str, list[Answer]] = {}
    for one in answers:
        groups.setdefault(key(one.study), []).append(one)
    return groups
