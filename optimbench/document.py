"""``document``: what section 3.6 of the source document says of the optimizers, and what this torch says today."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from benchkit.document import Statement, check, outcome
from benchkit.request import Request
from optimbench.document_walk import walk_through
from optimbench.models import MODELS
from reference import OPTIMIZERS

LISTED = ("ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "RMSprop", "Rprop", "SGD", "SparseAdam")


def document(request: Request) -> int:
    """Check every statement on the optimizers; DISCREPANCY where one drifted unexpectedly or a declared drift is gone."""
    return check(request, statements())


def statements() -> Iterator[Statement]:
    """Everything that the document says of optimizers and of the models that it trains, as far as a program can check it."""
    yield from the_list()
    yield from base_class()
    yield from groups()
    yield from loading()
    yield from walk_through()
    yield from training_step()
    yield from models()


def say(what: str, printed: str, program: Callable[[], str], drift: str = "") -> Statement:
    return Statement("3.6", what, printed, program, drift)


def kind(program: Callable[[], Any]) -> str:
    """``raises ValueError``, ``warns UserWarning`` or ``accepts``: the outcome without its message."""
    return outcome(program).partition(":")[0]


def leaf(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.ones(shape, dtype=dtype, requires_grad=True)


def the_list() -> Iterator[Statement]:
    def exist() -> str:
        found = [name for name in LISTED if isinstance(getattr(torch.optim, name, None), type)]
        return ", ".join(name for name in found if issubclass(getattr(torch.optim, name), Optimizer))

    yield say("the optimizers listed", ", ".join(LISTED), exist)
    yield say(
        "the same, declared and verified here", ", ".join(LISTED), lambda: ", ".join(n for n in LISTED if n in OPTIMIZERS)
    )


def base_class() -> Iterator[Statement]:
    """Attributes, zero_grad and step."""

    def attributes() -> str:
        optimizer = SGD([leaf(2)], lr=0.1)
        return ", ".join(name for name in ("defaults", "state", "param_groups") if hasattr(optimizer, name))

    def methods() -> str:
        names = ("zero_grad", "step", "add_param_group", "state_dict", "load_state_dict")
        return ", ".join(name for name in names if callable(getattr(Optimizer, name, None)))

    def zeroed(**how: bool) -> str:
        p = leaf(2, 2)
        p.grad = torch.ones(2, 2)
        SGD([p], lr=0.1).zero_grad(**how)
        return "None" if p.grad is None else "zeros" if not p.grad.any() else "unchanged"

    def closure() -> str:
        p, calls = leaf(2), []
        optimizer = SGD([p], lr=0.1)

        def evaluate() -> Tensor:
            calls.append(p.detach().clone())
            optimizer.zero_grad()
            loss = p.square().sum()
            loss.backward()
            return loss

        returned = optimizer.step(evaluate)
        stepped = torch.allclose(p.detach(), torch.full((2,), 0.8))
        return f"called {len(calls)} time, returns its loss {returned:g}" + (", steps" if stepped else ", does not step")

    yield say("attributes of the base class", "defaults, state, param_groups", attributes)
    yield say("methods of the base class", "zero_grad, step, add_param_group, state_dict, load_state_dict", methods)
    yield say(
        "zero_grad: default of set_to_none",
        "False",
        lambda: str(inspect.signature(Optimizer.zero_grad).parameters["set_to_none"].default),
        "torch has changed the default to True, which frees the gradients",
    )
    yield say("zero_grad(set_to_none=False): the gradient", "zeros", lambda: zeroed(set_to_none=False))
    yield say("zero_grad(set_to_none=True): the gradient", "None", lambda: zeroed(set_to_none=True))
    yield say("step(closure)", "called 1 time, returns its loss 2, steps", closure)


def groups() -> Iterator[Statement]:
    """add_param_group: what it rejects, what it warns of, what it fills in."""

    def added(params: Any) -> str:
        return kind(lambda: SGD([first], lr=0.1).add_param_group({"params": params}))

    def filled() -> str:
        optimizer = SGD([leaf(2)], lr=0.1, momentum=0.9)
        optimizer.add_param_group({"params": leaf(3), "lr": 1e-4})
        group = optimizer.param_groups[1]
        return ", ".join(f"{name} {group[name]}" for name in ("lr", "momentum", "dampening", "weight_decay", "nesterov"))

    first, twice = leaf(2), leaf(3)
    yield say("add_param_group: a set", "raises TypeError", lambda: added({leaf(2)}))
    yield say("add_param_group: a tensor that is no leaf", "raises ValueError", lambda: added(leaf(2) * 2))
    yield say("add_param_group: something that is no tensor", "raises TypeError", lambda: added([1.0]))
    yield say("add_param_group: a parameter that is in a group", "raises ValueError", lambda: added([first]))
    yield say("add_param_group: the same parameter twice", "warns UserWarning", lambda: added([twice, twice]))
    yield say("add_param_group: a new parameter", "accepts", lambda: added([leaf(4)]))
    yield say(
        "add_param_group fills in the defaults", "lr 0.0001, momentum 0.9, dampening 0, weight_decay 0, nesterov False", filled
    )


def stepped(*params: Tensor) -> SGD:
    """An optimizer with a momentum buffer of ones for every parameter."""
    optimizer = SGD(params, lr=0.1, momentum=0.9)
    for p in params:
        p.grad = torch.ones_like(p)
    optimizer.step()
    return optimizer


def loading() -> Iterator[Statement]:
    """state_dict and load_state_dict."""

    def indices() -> str:
        optimizer = stepped(leaf(2))
        optimizer.add_param_group({"params": leaf(3)})
        state = optimizer.state_dict()
        return f"state of {list(state['state'])}, params " + " / ".join(str(group["params"]) for group in state["param_groups"])

    def load(*sizes: int) -> str:
        """Load the state of one group with one parameter into groups of these sizes."""
        target = SGD([{"params": [leaf(2) for _ in range(size)]} for size in sizes], lr=0.1, momentum=0.9)
        return kind(lambda: target.load_state_dict(stepped(leaf(2)).state_dict()))

    def group_copied() -> str:
        source, p = stepped(leaf(2)).state_dict(), leaf(2)
        target = SGD([p], lr=0.5)
        target.load_state_dict(source)
        source["param_groups"][0]["lr"] = 7.0
        return "copied" if target.param_groups[0]["lr"] == 0.1 else "shared"

    def buffer_copied() -> str:
        source, p = stepped(leaf(2)).state_dict(), leaf(2)
        target = SGD([p], lr=0.5)
        target.load_state_dict(source)
        source["state"][0]["momentum_buffer"].fill_(7.0)
        return "copied" if torch.equal(target.state[p]["momentum_buffer"], torch.ones(2)) else "shared"

    def cast() -> str:
        p = leaf(2, dtype=torch.float64)
        target = SGD([p], lr=0.1)
        target.load_state_dict(stepped(leaf(2)).state_dict())
        return f"float32 state becomes {target.state[p]['momentum_buffer'].dtype}".replace("torch.", "")

    yield say("state_dict holds indices in place of tensors", "state of [0], params [0] / [1]", indices)
    yield say("load_state_dict: another number of groups", "raises ValueError", lambda: load(1, 1))
    yield say("load_state_dict: a group of another length", "raises ValueError", lambda: load(2))
    yield say("load_state_dict: the same groups", "accepts", lambda: load(1))
    yield say("load_state_dict, deep copy: the groups", "copied", group_copied)
    yield say("load_state_dict, deep copy: the state tensors", "copied", buffer_copied, SHARED)
    yield say("load_state_dict casts the state to a float64 parameter", "float32 state becomes float64", cast)


SHARED = (
    "torch now copies the dictionaries and casts the tensors; a tensor that needs no cast is the very one of the loaded "
    "dictionary, so that the two optimizers share it"
)


def training_step() -> Iterator[Statement]:
    """zero_grad, backward, step: the order, and what two wrong orders do."""

    def two_steps(order: str) -> str:
        """Two steps on x**2 from 1 with lr 0.1: right is 1 -> 0.8 -> 0.64."""
        p = leaf(1, dtype=torch.float64)
        optimizer = SGD([p], lr=0.1)
        does: dict[str, Callable[[], Any]] = {
            "zero_grad": optimizer.zero_grad,
            "backward": lambda: p.square().sum().backward(),
            "step": optimizer.step,
        }
        reached = ["1"]
        for _ in range(2):
            for name in order.split(", "):
                does[name]()
            reached.append(f"{p.item():.4g}")
        return " -> ".join(reached)

    for order, path in (("zero_grad, backward, step", "1 -> 0.8 -> 0.64"), ("backward, step", "1 -> 0.8 -> 0.44")):
        yield Statement("training", f"gradient descent on x² in the order {order}", path, partial(two_steps, order))
    nowhere = "backward, zero_grad, step"
    yield Statement("training", f"gradient descent on x² in the order {nowhere}", "1 -> 1 -> 1", partial(two_steps, nowhere))


SHAPES = {
    "MLP": "(256, 784), (256,), (10, 256), (10,)",
    "LeNet": "(6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,), (120, 400), (120,), (84, 120), (84,), (10, 84), (10,)",
    "AlexNet": "(96, 1, 11, 11), (96,), (256, 96, 5, 5), (256,), (384, 256, 3, 3), (384,), (384, 384, 3, 3), (384,), "
    "(256, 384, 3, 3), (256,), (4096, 6400), (4096,), (4096, 4096), (4096,), (10, 4096), (10,)",
}


def models() -> Iterator[Statement]:
    """Parameter shapes and the shape of the output, worked out on the meta device, without memory."""

    def parameters(name: str) -> str:
        with torch.device("meta"):
            return ", ".join(str(tuple(p.shape)) for p in MODELS[name][0]().parameters())

    def forward(name: str) -> str:
        constructor, size = MODELS[name]
        with torch.device("meta"), torch.no_grad():
            model: nn.Module = constructor()
            return f"{tuple(model(torch.empty(2, *size)).shape)}"

    for name, (_, size) in MODELS.items():
        yield Statement("models", f"{name}: parameter shapes", SHAPES[name], partial(parameters, name))
        yield Statement("models", f"{name}: output for an input {(2, *size)}", "(2, 10)", partial(forward, name))
