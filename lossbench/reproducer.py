"""A failing check as a script that needs torch alone, on the fewest numbers that still fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchkit.domains import Draw
from benchkit.judge import FAIL, LIMIT, Comparison
from benchkit.snippets import HEAD, RAN_THROUGH, constructor, element, tensor, verdict
from benchkit.spec import Native
from lossbench.case import Case
from lossbench.checks import Trial, outcomes
from lossbench.subject import Subject, arguments_of

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
    domains = case.item.variants[case.variant]
    batched = {n: a for n, a in drawn.inputs.items() if not domains[n].parameter}
    lengths = {a.shape[0] if isinstance(a, np.ndarray) and a.ndim else 0 for a in batched.values()}
    if len(lengths) != 1 or max(lengths) < 2:
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
            inputs={n: a[index] if n in batched else a for n, a in drawn.inputs.items()},
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
    requires = {"forward": [], "weights": case.weights}.get(check, trial.derivable())
    parameters = {argument: domain.parameter for argument, domain in domains.items() if domain.parameter}
    leaves = [argument for argument in requires if argument not in parameters]
    for argument, array in {**drawn.inputs, **{n: drawn.options[n] for n in leaves if n in drawn.options}}.items():
        if isinstance(array, np.ndarray):
            floating = argument not in domains or domains[argument].floating
            made = tensor(array, case.dtype if floating else str(array.dtype))
            device = "" if case.device == "cpu" else f'.to("{case.device}")'
            grad = ".requires_grad_()" if argument in leaves else ""
            text += f"{argument} = {made}{device}{grad}\n"
        else:
            text += f"{argument} = {array!r}\n"
    text += f"loss = {name}({_arguments(case, drawn, leaves)})"
    text += "\n" if case.device == "cpu" else f'.to("{case.device}")\n'
    if parameters:
        state = ", ".join(f'"{of_module}": {argument}' for argument, of_module in parameters.items())
        text += f"loss.load_state_dict({{{state}}}, strict=False)\nloss.requires_grad_(False)\n"
        text += "".join(f'loss.get_parameter("{parameters[n]}").requires_grad_()\n' for n in requires if n in parameters)
    passed = [f"torch.log_softmax({a}, -1)" if domains[a].through == "log_softmax" else a for a in drawn.inputs]
    call = f"loss({', '.join(a for a in passed if a not in parameters)})"
    field = case.item.answers.get(case.reduction, "")
    text += f"value = {'-' * field.startswith('-')}{call}{'.' * bool(field)}{field.removeprefix('-')}\n"
    if requires:
        shape = trial.shape
        upstream = np.ones(shape) if check == "gradient" else case.upstream(shape)
        text += f"value.backward({tensor(upstream, case.dtype)}.to(value))\n"
    if worst.why.startswith("raised"):
        return text + RAN_THROUGH
    by = part.removeprefix("d/d")
    leaf = f'loss.get_parameter("{parameters[by]}")' if by in parameters else by
    if worst.why.startswith("no gradient"):
        return text + f"\nprint({first!r})\nsys.exit(1 if {leaf}.grad is None else 0)\n"
    if worst.why:
        return text + f"\nprint({first!r})\nprint(value)\nsys.exit(1)\n"
    got = f"{leaf}.grad" if part.startswith("d/d") else "value.detach()"
    return text + verdict(part, element(got, worst.where), worst.expected, LIMIT * worst.bound + worst.spread)


def _arguments(case: Case, drawn: Draw, leaves: Sequence[str]) -> str:
    """The constructor's arguments: the required ones, the options that are not at their defaults, and the reduction."""
    given = []
    for name, value in drawn.options.items():
        if name in leaves:
            given.append(f"{name}={name}")
        elif isinstance(value, np.ndarray):
            given.append(f"{name}={tensor(value, case.dtype)}")
        elif isinstance(value, Native):
            given.append(f"{name}={value.expression}")
        elif name in case.settings or name in case.item.required:
            given.append(f"{name}={value!r}")
    if any(domain.parameter for domain in case.item.variants[case.variant].values()) and case.dtype != "float32":
        given.append(f"dtype=torch.{case.dtype}")
    if case.legacy is not None:
        return ", ".join([*given, "size_average={}, reduce={}".format(*case.legacy)])
    return ", ".join([*given, *(f"{name}={value!r}" for name, value in arguments_of(case.item, case.reduction).items())])
