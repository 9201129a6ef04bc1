"""Which figures and tables a set of studies gets, in the order of the page.

A run on one problem gets every figure under every protocol. A run on several gets those that belong to one protocol for the
tuned one alone (or the last that was run), beside what compares protocols and problems; the tables are always complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from optimbench.convergence import answers as answering
from optimbench.convergence import tables
from optimbench.convergence.answers import Answer
from optimbench.convergence.figures import curves, document, finals, parts, plane, profiles, sensitivity, targets
from optimbench.convergence.figures.document import Fits
from optimbench.convergence.figures.parts import Drawing
from optimbench.convergence.figures.plane import Landscape
from optimbench.convergence.tables import Table
from optimbench.convergence.trajectory import Study

ALL_PROBLEMS = "All problems"


@dataclass(frozen=True)
class Place:
    """A figure to draw: the heading under which it shows, whether it is among the first to see, and how it is made."""

    heading: str
    first: bool
    draw: Callable[[], Drawing | None]


@dataclass(frozen=True)
class Facts:
    """What figures need beside the results: the landscape of a study, and its data with what was learnt; None: it has none.

    ``document`` tells whether a study is that of the document's own experiment.
    """

    landscape: Callable[[Study], Landscape | None]
    fits: Callable[[Study], Fits | None]
    document: Callable[[Study], bool]


def all_tables(answers: Sequence[Answer]) -> Iterator[tuple[str, Table]]:
    """Every table with its heading."""
    problems = answering.by_problem(answers)
    if len(problems) > 1:
        for mine in answering.by_protocol(answers).values():
            if len(mine) > 1:
                yield ALL_PROBLEMS, tables.ranks(mine)
            if solved := tables.solved(mine):
                yield ALL_PROBLEMS, solved
    for mine in problems.values():
        for one in mine:
            yield one.study.title, tables.table(one)


def all_figures(answers: Sequence[Answer], facts: Facts) -> Iterator[Place]:
    """Every figure, not drawn yet; a place can be sent to another process, with what it needs of the studies."""
    problems = answering.by_problem(answers)
    if len(problems) > 1:
        for protocol, mine in answering.by_protocol(answers).items():
            draw = partial(profiles.performance, protocol, [one.study for one in mine], [one.reached for one in mine])
            yield Place(ALL_PROBLEMS, protocol == _main(answers).study.protocol, draw)
    for mine in problems.values():
        yield from _of_problem(mine, facts, every=len(problems) == 1)


def _main(mine: Sequence[Answer]) -> Answer:
    """The answer that is shown first: the tuned one, or the last."""
    return next((one for one in mine if one.study.protocol == "tuned"), mine[-1])


def _of_problem(mine: Sequence[Answer], facts: Facts, every: bool) -> Iterator[Place]:
    """The figures of one problem, first those that tell most."""
    main = _main(mine)
    study, shown = main.study, parts.above_minimum(main.study)
    studies = [one.study for one in mine]
    place = partial(Place, study.title)

    if facts.document(study):
        yield place(True, partial(document.view, mine[0].study, mine[0].compared))
    yield place(True, partial(curves.overview, shown))
    yield place(True, partial(curves.every_curve, shown, "steps", main.compared))
    yield place(True, partial(finals.distributions, [parts.above_minimum(one) for one in studies]))
    if main.reached:
        yield place(True, partial(targets.costs, studies, {one.study.protocol: one.reached for one in mine}))
    yield place(True, partial(sensitivity.sensitivity, study))
    yield place(True, partial(_plane, study, facts))
    yield place(True, partial(finals.pairs, study, main.compared))
    yield place(False, partial(_seconds, main))
    yield place(False, partial(curves.evaluations, shown))
    yield place(False, partial(_fits, study, facts))
    for other in [one for one in mine if one is not main] if every else []:
        yield from (place(False, draw) for draw in _of_protocol(other, facts))


def _of_protocol(one: Answer, facts: Facts) -> Iterator[Callable[[], Drawing | None]]:
    """The figures of another protocol than the main one."""
    shown = parts.above_minimum(one.study)
    yield partial(curves.overview, shown)
    yield partial(curves.every_curve, shown, "steps", one.compared)
    yield partial(_seconds, one)
    yield partial(curves.evaluations, shown)
    yield partial(_plane, one.study, facts)
    yield partial(finals.pairs, one.study, one.compared)


def _seconds(one: Answer) -> Drawing | None:
    """Curves against time, where the time of a step was measured for every contender."""
    timed = all(runs.evaluation_seconds > 0.0 for runs in one.study.entries)
    return curves.every_curve(parts.above_minimum(one.study), "seconds", one.compared) if timed else None


def _plane(study: Study, facts: Facts) -> Drawing | None:
    land = facts.landscape(study)
    return plane.paths(study, land) if land else None


def _fits(study: Study, facts: Facts) -> Drawing | None:
    data = facts.fits(study)
    return document.fits(study, data) if data else None
