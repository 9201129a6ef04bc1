"""The document's walk through a life of an optimizer: SGD, lr 0.1, momentum 0.9, a (2, 2) weight and a gradient of ones."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD

from benchkit.document import Statement

START = [[-0.3077, -0.1808], [-0.7462, -1.5556]]
KEYS = ("lr", "momentum", "dampening", "weight_decay", "nesterov", "params")

NO_GRADIENT = "zero_grad() now sets the gradient to None"
STOPPED = f"{NO_GRADIENT}, and a parameter without gradient is not stepped; the next row has zeros"
MORE_KEYS = "torch has added maximize, foreach, differentiable and fused"


class Walk:
    """The objects of the walk-through after its first ``steps`` steps, with the gradient zeroed in the way of ``zeroing``."""

    def __init__(self, steps: int, **zeroing: bool) -> None:
        self.weight = torch.tensor(START, requires_grad=True)
        self.weight.grad = torch.ones(2, 2)
        self.optimizer = SGD([self.weight], lr=0.1, momentum=0.9)
        if steps >= 1:
            self.optimizer.step()
        if steps >= 2:
            self.optimizer.zero_grad(**zeroing)
        if steps >= 3:
            second = torch.ones(3, 3, requires_grad=True)
            self.optimizer.add_param_group({"params": second, "lr": 0.0001, "nesterov": True})
        if steps >= 5:
            for _ in range(50):
                self.optimizer.step()

    @property
    def state(self) -> dict[str, Any]:
        return self.optimizer.state_dict()


def show(tensor: Tensor | None) -> str:
    """A tensor in the four digits in which torch prints it."""
    if tensor is None:
        return "None"
    return str([[f"{entry:.4f}" for entry in row] for row in tensor.tolist()]).replace("'", "")


def show_like(printed: str, tensor: Tensor) -> str:
    """As printed where no entry is off by more than two roundings to four digits: that of the start, and its own."""
    wanted = torch.tensor(ast.literal_eval(printed))
    return printed if torch.allclose(tensor, wanted, rtol=0.0, atol=1.01e-4) else show(tensor)


def walk_through() -> Iterator[Statement]:
    """The six steps with what the document prints after each."""

    def say(what: str, printed: str, got: Any, drift: str = "") -> Statement:
        return Statement("3.6", f"walk-through, {what}", printed, got, drift)

    moved = "[[-0.4077, -0.2808], [-0.8462, -1.6556]]"
    far = "[[-1.3031, -1.1761], [-1.7415, -2.5510]]"
    ones, zeros, small = (str([[number] * 2] * 2).replace("'", "") for number in ("1.0000", "0.0000", "0.0052"))
    yield say("1: the weight after one step", moved, lambda: show(Walk(1).weight))
    yield say("2: the gradient after zero_grad()", zeros, lambda: show(Walk(2).weight.grad), NO_GRADIENT)
    yield say("2: the gradient after zero_grad(set_to_none=False)", zeros, lambda: show(Walk(2, set_to_none=False).weight.grad))
    yield say("3: the groups after add_param_group", "lr 0.1, nesterov False / lr 0.0001, nesterov True", groups)
    yield say("4: state_dict, momentum_buffer of parameter 0", ones, lambda: show(Walk(3).state["state"][0]["momentum_buffer"]))
    yield say("4: state_dict, params of the groups", "[0] / [1]", lambda: each_group("params"))
    yield say("4: state_dict, keys of a group", ", ".join(KEYS), keys, MORE_KEYS)
    yield say(
        "4: state_dict, values of the groups under those keys",
        "0.1, 0.9, 0, 0, False, [0] / 0.0001, 0.9, 0, 0, True, [1]",
        lambda: each_group(*KEYS),
    )
    for about, how, drift in (
        ("50 steps after zero_grad()", {}, STOPPED),
        ("50 steps after zero_grad(set_to_none=False)", {"set_to_none": False}, ""),
    ):
        yield say(f"5: momentum_buffer, {about}", small, partial(last_buffer, how), drift)
        yield say(f"5: weight, {about}", far, partial(last_weight, how, far), drift)
    yield say("6: state after torch.save, torch.load, load_state_dict", "the same", saved_and_loaded)


def last_buffer(zeroing: dict[str, bool]) -> str:
    return show(Walk(5, **zeroing).state["state"][0]["momentum_buffer"])


def last_weight(zeroing: dict[str, bool], printed: str) -> str:
    return show_like(printed, Walk(5, **zeroing).weight)


def groups() -> str:
    return " / ".join(f"lr {group['lr']}, nesterov {group['nesterov']}" for group in Walk(3).optimizer.param_groups)


def keys() -> str:
    found = list(Walk(3).state["param_groups"][0])
    return ", ".join([key for key in KEYS if key in found] + sorted(key for key in found if key not in KEYS))


def each_group(*names: str) -> str:
    return " / ".join(", ".join(str(group[name]) for name in names) for group in Walk(3).state["param_groups"])


def saved_and_loaded() -> str:
    """Save, load into a fresh optimizer and compare everything."""
    walk, file = Walk(5, set_to_none=False), io.BytesIO()
    torch.save(walk.state, file)
    file.seek(0)
    fresh = Walk(0)
    fresh.optimizer.add_param_group({"params": torch.ones(3, 3, requires_grad=True)})
    fresh.optimizer.load_state_dict(torch.load(file))
    before, after = walk.state, fresh.state
    buffers = [state["state"][0]["momentum_buffer"] for state in (before, after)]
    same = torch.equal(*buffers) and list(before["state"]) == list(after["state"])
    return "the same" if same and before["param_groups"] == after["param_groups"] else f"{after}"
