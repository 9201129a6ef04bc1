"""The error contract of the optimizers: what holds for all of them, the cases of every clause, and each of them as a script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchkit.contract import ADDED, CONSTRUCTOR, EVERY_PATH, GROUP, WAYS, Acceptance, Clause, Refusal, Text
from benchkit.contract_check import Contract, ContractCase, Script
from benchkit.spec import Optimizer
from optimbench import forms
from optimbench.paths import PATHS
from optimbench.subject import TorchSubject

ITERABLE = "params: an iterable of torch.Tensor s or dict s"
ORDERED = "Parameters need to be specified as collections that have a deterministic ordering ... sets do not (Optimizer)"
NAMED = "When using named_parameters, all parameters in all groups should be named"

REFUSALS = [
    Refusal("no parameters", ITERABLE, lines="answer = make([])"),
    Refusal("a tensor for the parameters", ITERABLE, lines="answer = make(p)"),
    Refusal("a set of parameters", ORDERED, lines="answer = make({p, q})"),
    Refusal("a set of parameters in a group", ORDERED, lines='answer = make([{"params": {p, q}}])'),
    Refusal("a number among the parameters", ITERABLE, lines="answer = make([p, 1.0])"),
    Refusal("a parameter that is no leaf", lines="answer = step(make([p, q * 2.0]))"),
    Refusal("a parameter in two groups", lines='answer = step(make([{"params": [p]}, {"params": [p]}]))'),
    Refusal("a parameter added again", lines='answer = make([p])\nanswer.add_param_group({"params": [p]})'),
    Refusal(
        "a parameter twice in a group, without a warning",
        lines="""\
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("error")
    answer = make([p, p])""",
    ),
    Refusal("a group without parameters", lines='answer = make([{"lr": 0.125}])'),
    Refusal("an added group that is a list", "param_group (dict)", lines="answer = make([p])\nanswer.add_param_group([q])"),
    Refusal("one parameter named and one not", NAMED, lines='answer = make([("p", p), q])'),
    Refusal(
        "a state of more groups",
        lines="""\
state = make([p]).state_dict()
state["param_groups"] = state["param_groups"] * 2
answer = make([q])
answer.load_state_dict(state)""",
    ),
    Refusal("a state of fewer parameters", lines="answer = make([p, q])\nanswer.load_state_dict(make([p]).state_dict())"),
    Refusal("lr in a tensor of three", options={"lr": Text("torch.tensor([0.125, 0.25, 0.5])")}, ways=WAYS, paths=EVERY_PATH),
]
ACCEPTANCES = [
    Acceptance("a generator of parameters", ITERABLE, lines="answer = step(make(x for x in (p, q)))"),
    Acceptance("a tuple of parameters", ITERABLE, lines="answer = step(make((p, q)))"),
    Acceptance("a group of all parameters", ITERABLE, lines='answer = step(make([{"params": [p, q]}]))'),
    Acceptance(
        "named parameters", "iterable of parameters or named_parameters", lines='answer = step(make([("p", p), ("q", q)]))'
    ),
]
ADDING = "answer = make([p])\nanswer.add_param_group({})"
OF_GROUPS = [  # for those that take more than one
    Refusal("a set of parameters in an added group", ORDERED, lines=ADDING.format('{"params": {q}}')),
    Refusal("a number among the parameters of an added group", ITERABLE, lines=ADDING.format('{"params": [q, 1.0]}')),
    Refusal("an added parameter that is no leaf", lines=ADDING.format('{"params": [q * 2.0]}')),
    Refusal("an added group without parameters", lines=ADDING.format('{"lr": 0.125}')),
    Refusal("one group named and one not", NAMED, lines='answer = make([{"params": [("p", p)]}, {"params": [q]}])'),
    Acceptance("a tensor for the parameters of a group", lines='answer = step(make([{"params": p}, {"params": q}]))'),
]
SUFFIXES = {CONSTRUCTOR: "", GROUP: " in a group", ADDED: " in an added group"}

SETUP = """
def parameters(dtype=torch.{dtype}):
    values = torch.arange(1.0, 7.0, device="{device}").reshape(2, 3).to(dtype)
    return torch.nn.Parameter(values), torch.nn.Parameter(-0.5 * values)


def dense(x):
    return 0.5 * x.detach()


def sparse(x):
    rows = torch.arange(len(x), device=x.device).reshape(1, -1)
    return torch.sparse_coo_tensor(rows, dense(x), x.shape, device=x.device, check_invariants=True).coalesce()


def step(optimizer, gradient={gradient}):
    held = [x for group in optimizer.param_groups for x in group["params"]]

    def closure():
        for x in held:
            x.grad = gradient(x)
        return sum(0.25 * x.detach().abs().square().sum() for x in held)

    for _ in range(3):
        {step}
    return torch.cat([x.detach().flatten() for x in held])
"""
START = "p, q = parameters()\n"
STEP = {False: "closure()\n        optimizer.step()", True: "optimizer.step(closure)"}
SOUND = "answer = step(make([p, q]))"


def clauses(item: Optimizer) -> list[Clause]:
    """The contract of an item, with what holds for every optimizer."""
    grouped = [] if "closure" in item.tags else OF_GROUPS
    return [*REFUSALS, *grouped, *ACCEPTANCES, *forms.clauses(item), *item.contract]


def cases(item: Optimizer, level: str, dtypes: Sequence[str], device: str, seed: int) -> Iterator[ContractCase]:
    """Every clause by every way that it takes, on all paths where it names them, else on one; at level thorough on all."""
    formats = [d for d in ("float32", "float64", "bfloat16", "float16") if d in dtypes]
    for number, clause in enumerate(clauses(item)):
        paths = [p for p in item.paths if clause.paths is None or p in clause.paths]
        if clause.paths is None and level != "thorough":
            paths = [paths[number % len(paths)]]
        for way in clause.ways:
            if way == ADDED and "closure" in item.tags:
                continue  # there can be only one group
            words = clause.name + SUFFIXES[way]
            for path in paths:
                for dtype in formats if level == "thorough" else formats[:1]:
                    yield ContractCase(item, clause, words, path, dtype, device, shape=(2, 3), way=way, seed=seed)


def script(case: ContractCase) -> Script:
    """The case as text: parameters, gradients and steps, the usual right call, and the call of the clause."""
    clause, closure = case.clause, "closure" in case.item.tags
    gradient = "sparse" if "sparse" in case.item.tags else "dense"
    setup = SETUP.format(dtype=case.dtype, device=case.device, gradient=gradient, step=STEP[closure])
    sound = START + (clause.sound or SOUND)
    return Script(setup, sound, START + (clause.lines or _optioned(clause.options, case.way, closure)))


def _optioned(options: Any, way: str, closure: bool) -> str:
    """A call with hyperparameters by one of the ways that they take."""
    texts = {name: value.text if isinstance(value, Text) else repr(value) for name, value in options.items()}
    entries = "".join(f', "{name}": {text}' for name, text in texts.items())
    if way == CONSTRUCTOR:
        return f"answer = step(make([p, q], {', '.join(f'{name}={text}' for name, text in texts.items())}))"
    if way == ADDED:
        return f'optimizer = make([p])\noptimizer.add_param_group({{"params": [q]{entries}}})\nanswer = step(optimizer)'
    groups = f'{{"params": [p, q]{entries}}}' if closure else f'{{"params": [p]}}, {{"params": [q]{entries}}}'
    return f"answer = step(make([{groups}]))"


def make(case: ContractCase, own: bool) -> str:
    """The class with the switches of the path; a class in torch's place need not have those of the for-loop."""
    paths = case.item.paths  # type: ignore[attr-defined]
    switches = dict(PATHS[case.path].switches) if len(paths) > 1 else {}
    if "fused" not in paths:
        switches.pop("fused", None)
    if not switches or (not own and case.path == "forloop"):
        return "{}"
    return f"functools.partial({{}}, {', '.join(f'{name}={flag}' for name, flag in switches.items())})"


def prepare(compiled: bool) -> None:
    """Load what the scripts need: a group that is added loads the compiler."""
    import torch._dynamo  # noqa: F401


CONTRACT = Contract("optimbench", cases, script, make, TorchSubject, prepare)
