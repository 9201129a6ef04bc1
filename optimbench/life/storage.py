"""The state of a run stored and taken up again: saved, loaded, copied, into other formats and layouts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchkit.precision import FLOAT32, PRECISIONS
from benchkit.spec import Optimizer
from optimbench.cases import Drawn, richest
from optimbench.found import Found
from optimbench.life.cases import LifeCase, scenario
from optimbench.life.options import PARTNERS
from optimbench.life.script import Run, Script, same_future
from optimbench.lockstep import COUNTER

ALL: frozenset[str] = frozenset()
BEFORE, AFTER = slice(0, 3), slice(3, 6)  # the steps before and after the state is stored


def begin(case: LifeCase, script: Script, drawn: Drawn) -> Run:
    """A run of three steps; optimizers that take a closure have one group."""
    if "closure" in case.item.tags:
        run = script.start([drawn.parameters], [case.options])
    else:
        run = script.start(drawn.groups, [case.options, case.others])
    for gradients in drawn.gradients[BEFORE]:
        run.step(gradients)
    return run


def twin(run: Run, name: str = "other", prefix: str = "q", dtype: str = "", fresh: bool = True) -> Run:
    """Another optimizer of the same class over copies of the parameters; its options are the constructor's defaults."""
    script, more = run.script, Run(run.script, name, prefix, run.complex)
    for group in run.groups:
        more.groups.append([prefix + parameter.removeprefix(run.prefix) for parameter in group])
    if fresh:
        cast = f".to(torch.{dtype})" if dtype else ""
        script.do(
            "\n".join(
                f"{q} = torch.nn.Parameter({p}.detach().clone(){cast})"
                for p, q in zip(run.parameters, more.parameters, strict=True)
            )
        )
        more.construct([script.item.defaults] * len(run.groups))
    more.options = [dict(options) for options in run.options]
    return more


def both(run: Run, other: Run, drawn: Drawn) -> list[Found]:
    """Take both runs on by the same gradients, and note whether they have the same future."""
    same_future(run, other)
    for gradients in drawn.gradients[AFTER]:
        run.step(gradients)
        other.step(gradients)
        same_future(run, other)
    return run.script.found


def _state_as_torch(script: Script, run: Run) -> None:
    """Leave out classes that keep state in a finer format than the parameter's: loading rounds it, as is documented."""
    if script.subject.kin:
        return
    for parameter in run.tensors():
        for name, value in run.optimizer.state.get(parameter, {}).items():
            fine = getattr(value, "dtype", None) in (None, parameter.dtype) or not value.is_floating_point()
            if name != COUNTER and not fine:
                with script.optional():
                    raise TypeError(f"{name} is held in another format than the parameter")


@scenario("A state that is saved to a file and loaded with weights_only has the same future, bit by bit.", without=ALL)
def check_saved_and_loaded(case: LifeCase, script: Script) -> list[Found]:
    drawn = case.draw()
    run = begin(case, script, drawn)
    _state_as_torch(script, run)
    script.do("import io\nfile = io.BytesIO()")
    script.do(f"torch.save({run.name}.state_dict(), file)\nfile.seek(0)")
    script.do("saved = torch.load(file, weights_only=True)")
    other = twin(run)
    script.do(f"{other.name}.load_state_dict(saved)")
    return both(run, other, drawn)


@scenario("An optimizer that is copied together with its parameters has the same future, bit by bit.", without=ALL)
def check_copied(case: LifeCase, script: Script) -> list[Found]:
    drawn = case.draw()
    run = begin(case, script, drawn)
    script.do("import copy")
    other = twin(run, fresh=False)
    names = f"[{', '.join(run.parameters)}], {run.name}"
    script.do(f"[{', '.join(other.parameters)}], {other.name} = copy.deepcopy(({names}))")
    return both(run, other, drawn)


@scenario("An optimizer that is pickled together with its parameters has the same future, bit by bit.", without=ALL)
def check_pickled(case: LifeCase, script: Script) -> list[Found]:
    drawn = case.draw()
    run = begin(case, script, drawn)
    script.do("import pickle")
    other = twin(run, fresh=False)
    names = f"[{', '.join(run.parameters)}], {run.name}"
    with script.optional("pickle"):
        script.do(f"[{', '.join(other.parameters)}], {other.name} = pickle.loads(pickle.dumps(({names})))")
    return both(run, other, drawn)


@scenario("A state that was loaded belongs to the optimizer that loaded it: neither run disturbs the other.", without=ALL)
def check_load_is_a_copy(case: LifeCase, script: Script) -> list[Found]:
    """Each optimizer makes a step and leaves the state of the other, and its parameters, as they are."""
    drawn = case.draw()
    run = begin(case, script, drawn)
    other = twin(run)
    script.do(f"{other.name}.load_state_dict({run.name}.state_dict())")
    for mover, rest in ((run, other), (other, run)):
        before = rest.keep()
        mover.step(drawn.gradients[3])
        rest.unchanged(before, f"changed in a step of {mover.name}, another optimizer")
    return script.found


@scenario(
    "A state that is loaded for parameters of another format is held in theirs; the step counter stays as it was.", small=True
)
def check_loaded_into_other_format(case: LifeCase, script: Script) -> list[Found]:
    drawn, dtype = case.draw(), PARTNERS[case.dtype]
    run = begin(case, script, drawn)
    _state_as_torch(script, run)
    other = twin(run, dtype=dtype)
    script.do(f"import copy\n{other.name}.load_state_dict(copy.deepcopy({run.name}.state_dict()))")
    precision = PRECISIONS[dtype]
    states, loaded = run.look()[1], other.look()[1]
    for number, (p, q) in enumerate(zip(run.parameters, other.parameters, strict=True)):
        for name, stored in states[number].items():
            got, text = loaded[number].get(name), f"{other.name}.state[{q}][{name!r}]"
            if got is None or stored.value is None:
                script.expect(got is not None, f"{name} of {q} was not loaded", f"{name!r} in {other.name}.state[{q}]")
                continue
            counter, source = name == COUNTER, f"{run.name}.state[{p}][{name!r}]"
            if np.ndim(stored.value) == 0 and not counter:
                continue  # a number that no format is promised for; a saved state has the same future, which is checked
            held = got.precision.unit <= FLOAT32.unit if counter else got.precision == precision
            fits = f"torch.finfo({text}.dtype).eps <= 2.0**-23" if counter else f"{text}.dtype == {q}.dtype"
            script.expect(held, f"{name} of {q} was loaded as {got.precision.name} beside a {dtype} parameter", fits)
            wanted = stored.value if counter else precision.round(stored.value)
            right = np.array_equal(np.asarray(got.value), wanted, equal_nan=True)
            cast = source if counter else f"{source}.to({q}.dtype)"
            why = f"{name} of {q} has other numbers than were loaded"
            script.expect(right, why, f"torch.equal({text}, {cast})", wanted.size or 1)
    for gradients in drawn.gradients[AFTER]:
        other.step([None if g is None else precision.round(g) for g in gradients])
    return script.judge()


def _arrangements(item: Optimizer) -> tuple[str, ...]:
    return ("transposed", "strided")


@scenario(
    "A state whose tensors lie otherwise in memory than the parameter's goes on all the same.",
    variants=_arrangements, long=True,
)  # fmt: skip
def check_loaded_in_other_layout(case: LifeCase, script: Script) -> list[Found]:
    """What is loaded was laid out anew, as that of a parameter in another memory format."""
    drawn = case.draw()
    run = begin(case, script, drawn)
    script.do("import copy\nfrom copy import deepcopy")
    script.do(f"saved = deepcopy({run.name}.state_dict())")
    from optimbench.layouts import SOURCE

    script.do(SOURCE)
    script.do(
        "for state in saved['state'].values():\n"
        "    for name, value in state.items():\n"
        "        if isinstance(value, torch.Tensor) and value.dim() > 0:\n"
        f"            state[name] = place(value, {case.variant!r})"
    )
    other = twin(run)
    script.do(f"{other.name}.load_state_dict(saved)")
    for gradients in drawn.gradients[AFTER]:
        other.step(gradients)
    return script.judge()


def _journeys(item: Optimizer) -> list[str]:
    """From every path to every other one, as far as they need no compiler and no graph."""
    paths = [path for path in ("forloop", "foreach", "fused") if path in item.paths]
    return [f"{one}_to_{other}" for one in paths for other in paths if one != other]


@scenario(
    "A state that was saved on one path goes on in an optimizer that was made for another one, also by the gradient scaler.",
    without=frozenset({"closure", "sparse"}), variants=_journeys, everywhere=False, formats=("float32", "float64"),
    sets=lambda item, few: [richest(item)],
)  # fmt: skip
def check_loaded_on_another_path(case: LifeCase, script: Script) -> list[Found]:
    """A step as ever, then one of gradients that are scaled by 4."""
    drawn, (before, after) = case.draw(), case.variant.split("_to_")
    script.case = replace(case, path=before)
    run = begin(case, script, drawn)
    script.case = replace(case, path=after)
    other = twin(run)
    script.case = case
    script.do(f"{other.name}.load_state_dict({run.name}.state_dict())")
    first, second = drawn.gradients[AFTER][:2]
    other.step(first)
    script.do(f"scaler = torch.amp.GradScaler({case.device!r}, init_scale=4.0)")
    script.do(f"scaler.scale(torch.zeros((), device={case.device!r}))")  # makes the scale
    other.give([None if g is None else g * 4.0 for g in second])
    looked = other.look()
    script.do(f"scaler.step({other.name})")
    other.record(second, looked, other.look())
    return script.judge()


SWITCHES = {"foreach", "fused", "capturable", "differentiable"}


@scenario("A state_dict of an older torch, without the switches that came later and with a plain step counter, still loads.")
def check_loaded_from_older_version(case: LifeCase, script: Script) -> list[Found]:
    """The groups lack every option that is off, and every switch of the implementation; the counters are plain numbers."""
    if not script.subject.kin:
        with script.optional():
            raise TypeError("only torch's own classes have older versions")
    drawn = case.draw()
    run = begin(case, script, drawn)
    late = {n for n, v in case.item.defaults.items() if v is False and "complete" not in case.item.tags}
    missing = sorted({n for n in late if not any(options[n] for options in run.options)} | SWITCHES)
    script.do(f"import copy\nsaved = copy.deepcopy({run.name}.state_dict())")
    script.do(
        f"for group in saved['param_groups']:\n    for name in {missing!r}:\n        group.pop(name, None)\n"
        "for state in saved['state'].values():\n"
        f"    if {COUNTER!r} in state:\n        state[{COUNTER!r}] = int(state[{COUNTER!r}])"
    )
    other = twin(run)
    script.do(f"{other.name}.load_state_dict(saved)")
    for gradients in drawn.gradients[AFTER]:
        other.step(gradients)
    return script.judge()
