"""A failing check as a script that needs torch alone, on the fewest numbers that still fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchkit.domains import Draw
from benchkit.judge import FAIL, Comparison
from lossbench.case import Case
from lossbench.checks import Trial, outcomes
from lossbench.paths import BACKENDS
from lossbench.script import script
from lossbench.subject import Subject

Failure = tuple[str, Comparison]
MANY = 1024  # rows of a batch above which it is also tried with a few rows over and over
PERIOD = 8


def reproducer(case: Case, check: str, subject: Subject, impl: str | None = None) -> str | None:
    """The text of the script, or None where the check does not fail when it is run again, on its own."""
    case = replace(case, graph=())
    drawn = case.draw()
    failure = fails(case, check, subject, drawn)
    if failure is None:
        return None
    if (
        case.path not in BACKENDS and case.path != "vmap"
    ):  # a compilation for each trial takes too long; lanes have their own rows
        drawn, failure = shrink(case, check, subject, drawn, failure)
    return script(Trial(case, drawn), check, *failure, impl)


def fails(case: Case, check: str, subject: Subject, drawn: Draw) -> Failure | None:
    """The worst difference of a check on these numbers, if it is an error."""
    try:
        found = outcomes(check, Trial(case, drawn), subject)
    except Exception:  # a smaller input may be none that the formula or the subject takes; then it is no reproducer
        return None
    worst = max(found, key=lambda pair: pair[1].ratio, default=None)
    return worst if worst is not None and worst[1].status == FAIL else None


def shrink(case: Case, check: str, subject: Subject, drawn: Draw, failure: Failure) -> tuple[Draw, Failure]:
    """Keep fewer and fewer rows of the batch, as long as the check still fails in the same part of the answer."""
    shrinking = True
    while shrinking:
        shrinking = False
        for smaller in _smaller(case, drawn):
            found = fails(case, check, subject, smaller)
            if found is not None and found[0] == failure[0] and bool(found[1].why) == bool(failure[1].why):
                drawn, failure, shrinking = smaller, found, True
                break
    return drawn, failure


def _smaller(case: Case, drawn: Draw) -> Iterator[Draw]:
    """The two halves of the batch, then the batch without each of its rows; only where all inputs run along one first axis.
    Many rows also as a few of them over and over, which makes a short script though the batch is as long."""
    batched = {n: a for n, a in drawn.inputs.items() if not case.domains[n].parameter}
    lengths = {a.shape[0] if isinstance(a, np.ndarray) and a.ndim else 0 for a in batched.values()}
    if len(lengths) != 1 or max(lengths) < 2:
        return
    (length,) = lengths
    half = length // 2
    kept: list[Sequence[int]] = [range(half), range(half, length)]
    if length <= 16:
        kept += [[i for i in range(length) if i != without] for without in range(length)]
    if length > MANY and not all((a == np.resize(a[:PERIOD], a.shape)).all() for a in batched.values()):
        kept.insert(0, [i % PERIOD for i in range(length)])
    for rows in kept:
        index = list(rows)
        options = {n: v[index] if _follows(case, n, v, length) else v for n, v in drawn.options.items()}
        yield replace(
            drawn,
            shape=(len(index), *drawn.shape[1:]),
            inputs={n: a[index] if n in batched else a for n, a in drawn.inputs.items()},
            options=options,
        )


def _follows(case: Case, name: str, value: Any, length: int) -> bool:
    """Whether an option has one entry for each row of the batch."""
    label = getattr(case.options.get(name), "label", "")
    return label == "elementwise" and isinstance(value, np.ndarray) and value.shape[:1] == (length,)
