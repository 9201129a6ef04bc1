"""Hyperparameters and groups in the course of a run: changed, switched on, scheduled, added, of several formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchkit.precision import PRECISIONS
from benchkit.spec import Optimizer
from optimbench.cases import richest
from optimbench.found import Found
from optimbench.life.cases import LifeCase, scenario
from optimbench.life.script import Script

Options = Mapping[str, Any]
PARTNERS = {"float64": "float32", "float32": "bfloat16", "bfloat16": "float32", "float16": "float64"}


def entries(item: Optimizer, options: Options) -> set[str]:
    """The names in the state that an optimizer with these options keeps."""
    return set(item.initial_function(np.zeros((2, 2)), **options)) if item.initial_function else set()


def toward(item: Optimizer, options: Options, others: Options) -> Options:
    """The options with every value taken from ``others`` that leaves the state's entries and the constructor's rules alone."""
    now = dict(options)
    for name, value in others.items():
        new = now | {name: value}
        if entries(item, new) == entries(item, now) and (item.valid is None or item.valid(new)):
            now = new
    return now


def switches(item: Optimizer) -> list[str]:
    """The options whose second value gives the state an entry that it has not by default."""
    first = item.defaults
    return [n for n, v in item.options.items() if len(v) > 1 and entries(item, first | {n: v[1]}) > entries(item, first)]


@scenario("Hyperparameters that are changed between steps count from the next step on, each group for itself.")
def check_changed_options(case: LifeCase, script: Script) -> list[Found]:
    """Two groups exchange options after three steps and take their own again after three more."""
    drawn = case.draw()
    own = (case.options, case.others)
    other = [toward(case.item, *own), toward(case.item, *own[::-1])]
    run = script.start(drawn.groups, own)
    for step, gradients in enumerate(drawn.gradients[:8]):
        if step in (3, 6):
            for group in (0, 1):
                run.change(group, (other if step == 3 else own)[group])
        run.step(gradients)
    return script.judge()


@scenario(
    "An option that adds to the state may be switched on between steps: what it adds begins as in a first step.",
    variants=switches,
)
def check_switched_options(case: LifeCase, script: Script) -> list[Found]:
    """Off, on and off again."""
    drawn, name = case.draw(), case.variant
    on = case.item.options[name][1]
    off = {**case.options, name: case.item.defaults[name]}
    if case.item.valid is not None and not case.item.valid(off):
        off = {**case.item.defaults}
    run = script.start(drawn.groups, (off, off))
    for step, gradients in enumerate(drawn.gradients[:8]):
        if step in (2, 5):
            for group in (0, 1):
                run.change(group, off if step == 5 else {**off, name: on})
        with script.optional():
            run.step(gradients)
    return script.judge()


@scenario("The rate, and the momentum, that a scheduler of torch writes into the groups are those of the next step.")
def check_scheduled_options(case: LifeCase, script: Script) -> list[Found]:
    """OneCycleLR with a rate of its own for each group; it cycles momentum, or the first beta, where there is one."""
    drawn = case.draw()
    run = script.start(drawn.groups, (case.options, case.others))
    moved = [name for name in ("lr", "momentum", "betas") if name in case.item.options]
    cycles = bool({"momentum", "betas"} & set(moved))
    script.do(
        f"scheduler = torch.optim.lr_scheduler.OneCycleLR({run.name}, max_lr=[0.1, 0.05], total_steps=9, pct_start=0.5, "
        f"cycle_momentum={cycles})"
    )
    rates = set()
    for gradients in drawn.gradients[:8]:
        groups = run.optimizer.param_groups
        run.options = [{**chosen, **{n: _plain(g[n]) for n in moved}} for chosen, g in zip(run.options, groups, strict=True)]
        rates.add(run.options[0]["lr"])
        run.step(gradients)
        script.expect(_plain(groups[0]["lr"]) == run.options[0]["lr"], "the step wrote a learning rate", "False")
        script.do("scheduler.step()")
    if len(rates) < 8:
        raise ValueError("the scheduler has not moved the learning rate")
    return script.judge()


def _plain(value: Any) -> Any:
    return tuple(float(v) for v in value) if isinstance(value, (tuple, list)) else float(value)


@scenario("A group that is added in the middle of a run begins at its own first step, with the constructor's options.")
def check_added_group(case: LifeCase, script: Script) -> list[Found]:
    """The second group comes after two steps, with a learning rate of its own."""
    drawn = case.draw()
    first = len(drawn.groups[0])
    run = script.start(drawn.groups[:1], (case.options,))
    for gradients in drawn.gradients[:2]:
        run.step(gradients[:first])
    run.groups.append([])
    for number, start in enumerate(drawn.groups[1], first):
        run.declare(f"p{number}", start, case.dtype)
        run.groups[1].append(f"p{number}")
    rate = case.item.options["lr"][-1] / 2
    script.do(f"{run.name}.add_param_group({{'params': [{', '.join(run.groups[1])}], 'lr': {rate!r}}})")
    run.options.append({**case.options, "lr": rate})
    for gradients in drawn.gradients[2:7]:
        run.step(gradients)
    return script.judge()


def _formats(item: Optimizer) -> Sequence[str]:
    return ("one_group", "two_groups")


def _defaults_first(item: Optimizer, few: Sequence[Options]) -> list[Options]:
    """The set in which an option may stand for a number of the format comes first."""
    return [few[0], richest(item)]


@scenario(
    "Parameters of several formats are updated each in its own, in one group and in two.",
    variants=_formats, small=True, sets=_defaults_first,
)  # fmt: skip
def check_mixed_formats(case: LifeCase, script: Script) -> list[Found]:
    """The case's format and another one take turns within each group, or have a group each."""
    drawn, pair = case.draw(), (case.dtype, PARTNERS[case.dtype])
    if case.variant == "two_groups":
        dtypes = [pair[number] for number, group in enumerate(drawn.groups) for _ in group]
    else:
        dtypes = [pair[number % 2] for number in range(len(drawn.parameters))]
    coarse = max((PRECISIONS[name] for name in pair), key=lambda p: p.unit)
    groups = [[coarse.round(p) for p in group] for group in drawn.groups]
    run = script.start(groups, (case.options, case.others), dtypes=dtypes)
    for step, gradients in enumerate(drawn.gradients[:5]):
        # Every second step is by gradients so small that what depends on the format, as an eps that stands for its epsilon, shows.
        size = 2.0**-9 if step % 2 else 1.0
        run.step([None if g is None else coarse.round(g * size) for g in gradients])
    return script.judge()
