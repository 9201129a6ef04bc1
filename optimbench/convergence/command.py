"""``converge``: optimizers on test problems, over many seeds, under three protocols."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import optimbench.convergence.problems  # noqa: F401  declares them
from benchkit.attribute import suggestion
from benchkit.request import DISCREPANCY, RIGHT, Request, UsageError, listed
from benchkit.results import Run
from optimbench.convergence import contenders, executors, protocols
from optimbench.convergence.campaign import Campaign, Plan
from optimbench.convergence.problem import PROBLEMS
from optimbench.convergence.protocols import PROTOCOLS
from optimbench.convergence.shards import Store
from optimbench.convergence.study import SHARDS, studies
from optimbench.convergence.summary import summary

SEEDS = 64
DEFAULT_PROBLEM = "parabola"  # the document's
LITTLE = 100  # training runs up to which processes are not worth their start


def converge(request: Request) -> int:
    """Train what the shards folder does not hold yet. ``extra`` may hold the command's own options, each by its name."""
    plan = asked(request)
    with Run.open(
        request,
        problems=plan.problems,
        protocols=plan.protocols,
        seeds=plan.seeds,
        labels=[contender.label for contender in plan.contenders],
    ) as run:
        status = carry_out(plan, run, request)
        run.end(failures=status != RIGHT)
    Console().print(summary(studies(request.results_file)))
    return status


def carry_out(plan: Plan, run: Run, request: Request) -> int:
    """Do what is planned under a progress bar; DISCREPANCY where something could not be trained that should have been."""
    scheduler = request.extra.get("scheduler")
    store = Store(request.results_file.parent / SHARDS)
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<40}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    total = total_runs(plan)
    with (
        executors.executor(scheduler, plan.device, total <= LITTLE) as executor,
        Progress(*columns, console=console, transient=True) as progress,
    ):
        task = progress.add_task("training runs", total=total)
        campaign = Campaign(
            plan, run, store, executor, lambda runs, what: progress.update(task, advance=runs, description=what[:40])
        )
        prepared = campaign.carry_out()
    left_out = [(problem, label, found.why) for (problem, label), found in prepared.items() if not found.path]
    for problem, label, why in left_out:
        console.print(f"{label} left out of {problem}: {why}", soft_wrap=True, highlight=False)
    for message in campaign.failures:
        console.print(message, soft_wrap=True, highlight=False)
    if len(left_out) == len(plan.problems) * len(plan.contenders):
        raise UsageError(f"there is nothing to train: {left_out[0][1]} cannot train {left_out[0][0]}")
    return DISCREPANCY if campaign.failures else RIGHT


def total_runs(plan: Plan) -> int:
    """How many training runs the plan holds at most, those of the tunings included."""
    total = 0
    for name in plan.problems:
        for contender in plan.contenders:
            for protocol in plan.protocols:
                total += len(plan.seeds) * (max(1, len(plan.lrs)) if protocol == "same" else 1)
                if protocol == "tuned":
                    total += len(protocols.grid(contender, plan.grid, plan.second)) * PROBLEMS[name].tuning_seeds
    return total


def asked(request: Request) -> Plan:
    """The plan of a request; UsageError names the first option that cannot be used."""
    extra = request.extra
    count = int(extra.get("seeds") or SEEDS)
    grid = protocols.read_sweep(extra["grid"], "--grid") if extra.get("grid") else None
    second = protocols.read_sweep(extra["second"], "--second") if extra.get("second") else None
    if grid and (grid.name != "lr" or not all(value > 0.0 for value in grid.values)):
        raise UsageError(f"cannot use --grid {extra['grid']!r}; it must sweep lr over positive numbers, as lr=1e-4:1:log9 does")
    own = tuple(extra.get("optimizer") or ())
    named = contenders.chosen(request.items, own)
    if second and not any(contenders.takes(contender, second.name) for contender in named):
        raise UsageError(f"cannot use --second {extra['second']!r}; no optimizer asked for has an option {second.name!r}")
    if second and second.name == "lr":
        raise UsageError("--second must name another hyperparameter than lr, which --grid sweeps")
    seeds = tuple(range(request.seed, request.seed + count))
    found = names(extra.get("protocol") or (), PROTOCOLS, "protocol")
    if "tuned" in found:
        protocols.tuning_seeds(seeds)
    problems = chosen_problems(extra.get("problem") or (DEFAULT_PROBLEM,))
    for name in problems:
        PROBLEMS[name].check()
    return Plan(
        problems=problems,
        contenders=tuple(named),
        protocols=found,
        seeds=seeds,
        steps=extra.get("steps"),
        lrs=tuple(map(float, extra.get("lr") or ())),
        grid=grid,
        second=second,
        device=request.devices[0],
    )


def names(given: Sequence[str], allowed: Sequence[str], what: str, forms: Sequence[str] = ()) -> tuple[str, ...]:
    """The given names, ``all`` or none standing for all of them; UsageError for an unknown one."""
    words = listed(given)
    if not words or "all" in words:
        return tuple(allowed)
    for word in words:
        if word not in allowed:
            known = ", ".join([*allowed, *forms])
            raise UsageError(f"unknown {what} {word!r}; it must be all or one of {known}{suggestion(word, list(allowed))}")
    return tuple(name for name in allowed if name in words)


def chosen_problems(given: Sequence[str]) -> tuple[str, ...]:
    """The problems named, those of a family included; ``all`` are those declared."""
    words = listed(given)
    made = tuple(dict.fromkeys(PROBLEMS[word].name for word in words if word not in PROBLEMS and PROBLEMS.knows(word)))
    rest = [word for word in words if word in PROBLEMS or not PROBLEMS.knows(word)]
    forms = [form for form, _ in PROBLEMS.families.values()]
    return (names(rest, tuple(PROBLEMS), "problem", forms) if rest or not made else ()) + made
