"""A failing check as a script that needs torch alone, on the fewest numbers that still fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchkit.domains import Draw
from benchkit.judge import FAIL, LIMIT, Comparison
from benchkit.snippets import HEAD, RAN_THROUGH, constructor, element, tensor, verdict
from lossbench.case import Case
from lossbench.checks import Trial, outcomes
from lossbench.subject import Subject

Failure = tuple[str, Comparison]


def reproducer(case: Case, check: str, subject: Subject, impl: str | None = None) -> str | None:
    """The text of the script, or None where the check does not fail when it is run again."""
    drawn = case.draw()
    failure = fails(case, check, subject, drawn)
    if failure is None:
        return None
    drawn, failure = shrink(case, check, subject, drawn, failure)
    return script(case, check, drawn, failure, impl)


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
    """The two halves of the batch, then the batch without each of its rows; only where all inputs run along one first axis."""
    arrays = {n: a for n, a in drawn.inputs.items() if isinstance(a, np.ndarray)}
    lengths = {a.shape[0] if a.ndim else 0 for a in arrays.values()}
    if len(lengths) != 1 or len(arrays) != len(drawn.inputs) or max(lengths) < 2:
        return
    (length,) = lengths
    half = length // 2
    kept: list[Sequence[int]] = [range(half), range(half, length)]
    if length <= 16:
        kept += [[i for i in range(length) if i != without] for without in range(length)]
    for rows in kept:
        index = list(rows)
        options = {n: v[index] if _follows(case, n, v, length) else v for n, v in drawn.options.items()}
        yield replace(
            drawn,
            shape=(len(index), *drawn.shape[1:]),
            inputs={n: a[index] for n, a in drawn.inputs.items()},
            options=options,
        )


def _follows(case: Case, name: str, value: Any, length: int) -> bool:
    """Whether an option has one entry for each row of the batch."""
    label = getattr(case.options.get(name), "label", "")
    return label == "elementwise" and isinstance(value, np.ndarray) and value.shape[:1] == (length,)


def script(case: Case, check: str, drawn: Draw, failure: Failure, impl: str | None) -> str:
    """Write the script: inputs, constructor, call, and the worst element against what it should be."""
    part, worst = failure
    domains = case.item.variants[case.variant]
    first = worst.sentence(part)
    text = HEAD.format(title=f"{case.item.name}: {first}\n\nCase {case.id(check)}.", suite="lossbench")
    imports, name = constructor(case.item.path, impl)
    text += imports
    trial = Trial(case, drawn)
    requires = trial.derivable() if check != "forward" else []
    for argument, array in drawn.inputs.items():
        if isinstance(array, np.ndarray):
            made = tensor(array, case.dtype if domains[argument].floating else str(array.dtype))
            device = "" if case.device == "cpu" else f'.to("{case.device}")'
            grad = ".requires_grad_()" if argument in requires else ""
            text += f"{argument} = {made}{device}{grad}\n"
        else:
            text += f"{argument} = {array!r}\n"
    text += f"loss = {name}({_arguments(case, drawn)})"
    text += "\n" if case.device == "cpu" else f'.to("{case.device}")\n'
    passed = [f"torch.log_softmax({a}, -1)" if domains[a].through == "log_softmax" else a for a in drawn.inputs]
    text += f"value = loss({', '.join(passed)})\n"
    if requires:
        shape = trial.shape
        upstream = np.ones(shape) if check == "gradient" else case.upstream(shape)
        text += f"value.backward({tensor(upstream, case.dtype)}.to(value))\n"
    if worst.why.startswith("raised"):
        return text + RAN_THROUGH
    if worst.why:
        return text + f"\nprint({first!r})\nprint(value)\nsys.exit(1)\n"
    got = f"{part.removeprefix('d/d')}.grad" if part.startswith("d/d") else "value.detach()"
    return text + verdict(part, element(got, worst.where), worst.expected, LIMIT * worst.bound + worst.spread)


def _arguments(case: Case, drawn: Draw) -> str:
    """The constructor's arguments: the options that are not at their defaults, and the reduction."""
    given = []
    for name, value in drawn.options.items():
        if isinstance(value, np.ndarray):
            given.append(f"{name}={tensor(value, case.dtype)}")
        elif name in case.settings:
            given.append(f"{name}={value!r}")
    if case.legacy is not None:
        return ", ".join([*given, "size_average={}, reduce={}".format(*case.legacy)])
    return ", ".join([*given, f"reduction={case.reduction!r}"])
