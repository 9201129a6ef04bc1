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
from optimbench.life.script import Run, Script
from optimbench.lockstep import COUNTER
from optimbench.subject import Unsupported

Options = Mapping[str, Any]
STEPS = 8  # of a run in which options change, enough for the averages that begin late to begin
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


def compounding(item: Optimizer) -> set[str]:
    """The options from which the state keeps numbers, a product or a rate: what a class that computes these anew in every step
    makes of a change in the middle of a run is not defined."""
    found: set[str] = set()
    for name, values in item.options.items():
        kept = []
        for value in values[:2] if carried(item) else ():
            options, p = dict(item.defaults) | {name: value}, np.ones(1)
            state = item.initial_function(p, **options) if item.initial_function else {}
            for _ in range(STEPS):
                p, state = item.function(p, np.ones(1), state, **options)
            kept.append([float(np.max(state[entry])) for entry in carried(item)])
        if kept and kept[0] != kept[-1]:
            found.add(name)
    return found


def carried(item: Optimizer) -> list[str]:
    """The numbers in the state besides the step counter."""
    start = item.initial_function(np.zeros((2, 2)), **item.defaults) if item.initial_function else {}
    return [name for name, value in start.items() if value is not None and np.ndim(value) == 0 and name != COUNTER]


def fixed(script: Script, run: Run) -> set[str]:
    """The options that may not change in a run that has made a step, for a class that does not keep what depends on them."""
    kept = set(carried(script.item)) <= set(run.look()[1][0])
    return set() if script.recording.own or kept else compounding(script.item)


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
    for step, gradients in enumerate(drawn.gradients[:STEPS]):
        if step == 3:
            held = fixed(script, run)
            other = [{**new, **{n: v for n, v in now.items() if n in held}} for now, new in zip(own, other, strict=True)]
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
    held: set[str] = set()
    if carried(case.item) and not script.recording.own:  # only a step shows what the class keeps
        run.step(drawn.gradients[8])
        held = fixed(script, run)
    moved = [name for name in ("lr", "momentum", "betas") if name in set(case.item.options) & (script.subject.accepted - held)]
    if "lr" in held:
        raise Unsupported("the class does not keep what depends on the learning rate")
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
    before, new = run.keep(), [f"p{number}" for number, _ in enumerate(drawn.groups[1], first)]
    for name, start in zip(new, drawn.groups[1], strict=True):
        run.declare(name, start, case.dtype)
    rate = case.item.options["lr"][-1] / 2
    script.do(f"{run.name}.add_param_group({{'params': [{', '.join(new)}], 'lr': {rate!r}}})")
    run.unchanged(before, "changed when a group was added")
    run.groups.append(new)
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
        dtypes = [pair[(number + place) % 2] for number, group in enumerate(drawn.groups) for place, _ in enumerate(group)]
    coarse = max((PRECISIONS[name] for name in pair), key=lambda p: p.unit)
    groups = [[coarse.round(p) for p in group] for group in drawn.groups]
    run = script.start(groups, (case.options, case.others), dtypes=dtypes)
    for step, gradients in enumerate(drawn.gradients[:5]):
        # An option that stands for a number of the format, as an eps for its epsilon, shows in small gradients.
        size = 2.0**-9 if case.item.resolve_function and step < 2 else 1.0
        run.step([None if g is None else coarse.round(g * size) for g in gradients])
    return script.judge()
