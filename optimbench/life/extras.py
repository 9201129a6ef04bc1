"""Hooks, learning rates in tensors, complex states in another format, and counters of long runs."""

from __future__ import annotations

from benchkit.precision import FLOAT32, PRECISIONS
from optimbench.found import Found
from optimbench.life.cases import PAIRS, LifeCase, scenario
from optimbench.life.gradients import COMPLEX_WORDS, speaks_of
from optimbench.life.options import PARTNERS, entries
from optimbench.life.script import Script
from optimbench.life.storage import twin
from optimbench.lockstep import COUNTER
from optimbench.subject import Unsupported

LONG_RUN = 2**24  # steps

HOOKS = """
calls = []


def before(optimizer, args, kwargs):
    calls.append(p0.detach().clone())


def after(optimizer, args, kwargs):
    calls.append(p0.detach().clone())


hooks = [OPTIMIZER.register_step_pre_hook(before), OPTIMIZER.register_step_post_hook(after)]
"""

STORED = """
def saved(optimizer, state_dict):
    return {**state_dict, "note": 1}


def loading(optimizer, state_dict):
    return {**state_dict, "param_groups": [{**group, "lr": 0.25} for group in state_dict["param_groups"]]}


hooks = [OPTIMIZER.register_state_dict_post_hook(saved), OPTIMIZER.register_load_state_dict_pre_hook(loading)]
hooks.append(OPTIMIZER.register_load_state_dict_post_hook(lambda optimizer: calls.append(optimizer)))
"""


@scenario(
    "Hooks are called around a step and around storing, once each, and no more once they are removed.",
    sets=lambda item, few: few[:1], formats=("float32",),
)  # fmt: skip
def check_hooks(case: LifeCase, script: Script) -> list[Found]:
    """What a hook sees is the parameter before and after the step; what it returns takes the place of the state."""
    if not script.subject.kin:
        raise Unsupported("only torch's own classes, and what is derived from them, have their hooks")
    drawn = case.draw()
    run = script.start(drawn.groups, (case.options, case.others))
    script.do(HOOKS.replace("OPTIMIZER", run.name) + "start = p0.detach().clone()")
    run.step(drawn.gradients[0])
    seen = "len(calls) == 2 and torch.equal(calls[0], start) and torch.equal(calls[1], p0)"
    script.expect(script[seen], "the hooks did not see the parameter before and after the step", seen)
    script.do("for hook in hooks:\n    hook.remove()")
    run.step(drawn.gradients[1])
    script.expect(script["len(calls) == 2"], "a hook that was removed is called", "len(calls) == 2")
    script.do(STORED.replace("OPTIMIZER", run.name) + f"calls.clear()\nstate = {run.name}.state_dict()")
    noted = "state.get('note') == 1"
    script.expect(script[noted], "what the hook made of the state_dict is lost", noted)
    script.do(f"import copy\n{run.name}.load_state_dict(copy.deepcopy(state))")
    script.expect(script[f"len(calls) == 1 and calls[0] is {run.name}"], "the hook after loading was not called once", "False")
    rates = f"all(group['lr'] == 0.25 for group in {run.name}.param_groups)"
    script.expect(script[rates], "what the hook made of the state that is loaded is lost", rates)
    run.options = [{**options, "lr": 0.25} for options in run.options]
    run.step(drawn.gradients[2])
    return script.judge()


@scenario("A learning rate in a tensor counts as it is in each step, also after it was filled anew, and no step writes to it.")
def check_rate_in_a_tensor(case: LifeCase, script: Script) -> list[Found]:
    """The tensor is given to the groups, and filled between steps as a scheduler does."""
    if "Tensor" not in str(script.subject.annotations.get("lr")):
        raise Unsupported("the constructor does not say that it takes a learning rate in a tensor")
    drawn = case.draw()
    run = script.start(drawn.groups, (case.options, case.others))
    script.recording.held = {"lr": FLOAT32}
    groups = f"{run.name}.param_groups"
    script.do(f"for group in {groups}:\n    group['lr'] = torch.tensor(group['lr'], dtype=torch.float32)")
    for step, gradients in enumerate(drawn.gradients[:4]):
        if step:
            rates = [FLOAT32.round(options["lr"] * 2.0 ** (step % 3 - 1)).item() for options in run.options]
            script.do("\n".join(f"{groups}[{number}]['lr'].fill_({rate!r})" for number, rate in enumerate(rates)))
            run.options = [{**options, "lr": rate} for options, rate in zip(run.options, rates, strict=True)]
        with script.optional("as a Tensor is not supported"):
            run.step(gradients)
        for number, options in enumerate(run.options):
            held = f"float({groups}[{number}]['lr']) == {FLOAT32.round(options['lr']).item()!r}"
            script.expect(script[held], "the step wrote to the tensor that holds lr", held)
    return script.judge()


@scenario(
    "A scheduler moves the learning rate of each group alone, also where the constructor was given it in a tensor.",
    everywhere=False, formats=("float32", "float64"),
)  # fmt: skip
def check_scheduled_rate_in_a_tensor(case: LifeCase, script: Script) -> list[Found]:
    """The rate of the first group stays, that of the second one is halved with every step."""
    if "Tensor" not in str(script.subject.annotations.get("lr")):
        raise Unsupported("the constructor does not say that it takes a learning rate in a tensor")
    drawn, rate = case.draw(), 2.0**-4
    options = [{**chosen, "lr": rate} for chosen in (case.options, case.others)]
    run = script.start(drawn.groups, options, written={"lr": f"torch.tensor({rate})"})
    script.recording.held = {"lr": FLOAT32}
    script.do(f"scheduler = torch.optim.lr_scheduler.LambdaLR({run.name}, [lambda step: 1.0, lambda step: 0.5**step])")
    for step, gradients in enumerate(drawn.gradients[:3]):
        run.options = [{**chosen, "lr": rate * factor**step} for chosen, factor in zip(run.options, (1.0, 0.5), strict=True)]
        with script.optional("as a Tensor is not supported"):
            run.step(gradients)
        script.do("scheduler.step()")
    return script.judge()


@scenario(
    "A complex state that is loaded for parameters of another format is held in theirs, and goes on.",
    needs=frozenset({"elementwise"}), without=frozenset({"closure", "sparse"}), shapes=PAIRS, formats=("float32", "float64"),
)  # fmt: skip
def check_complex_loaded_into_other_format(case: LifeCase, script: Script) -> list[Found]:
    if not script.subject.kin and not speaks_of(script.subject.constructor, COMPLEX_WORDS):
        raise Unsupported("the class does not speak of complex numbers")
    drawn, dtype = case.draw(), PARTNERS[case.dtype] if case.dtype == "float64" else "float64"
    with script.optional("complex", "Complex"):
        run = script.start(drawn.groups, (case.options, case.others), complex_=True)
        for gradients in drawn.gradients[:2]:
            run.step(gradients)
    other = twin(run, dtype="complex128" if dtype == "float64" else "complex64")
    script.do(f"import copy\n{other.name}.load_state_dict(copy.deepcopy({run.name}.state_dict()))")
    for name, state in zip(other.parameters, other.look()[1], strict=True):
        for entry, stored in state.items():
            if stored.value is not None and stored.value.ndim:
                text = f"{other.name}.state[{name}][{entry!r}].dtype == {name}.dtype"
                held = stored.precision == PRECISIONS[dtype]
                script.expect(held, f"{entry} of {name} was loaded in parts of {stored.precision.name}, not {dtype}", text)
    for gradients in drawn.gradients[2:4]:
        other.step([None if g is None else PRECISIONS[dtype].round(g) for g in gradients])
    return script.judge()


@scenario(
    "The step counter counts on however long a run has been: the averages and rates of later steps are made from it.",
    variants=lambda item: ("",) * (COUNTER in entries(item, item.defaults)), everywhere=False, formats=("float32",),
    sets=lambda item, few: few[:1],
)  # fmt: skip
def check_counts_on(case: LifeCase, script: Script) -> list[Found]:
    """Two steps of a run that has 2**24 behind it, the last whole number below which float32 has all."""
    drawn = case.draw()
    run = script.start(drawn.groups, (case.options, case.others))
    run.step(drawn.gradients[0])
    states = run.look()[1]
    if not script.subject.kin or COUNTER not in states[0]:
        raise Unsupported("the state has no step that could be set")
    held = [f"{run.name}.state[{name}]" for name in run.parameters]
    for counter in (f"{state}[{COUNTER!r}]" for state in held):
        a_number = isinstance(script[counter], (int, float))
        script.do(f"{counter} = {LONG_RUN}" if a_number else f"{counter}.fill_({LONG_RUN})")
    for gradients in drawn.gradients[1:3]:
        run.give(gradients)
        script.do(f"{run.name}.step()")
    for state in held:
        count = float(script[f"{state}[{COUNTER!r}]"])
        right = f"float({state}[{COUNTER!r}]) == {LONG_RUN} + 2"
        script.expect(count == LONG_RUN + 2, f"the step counter is {count} after {LONG_RUN} + 2 steps", right)
    return script.found
