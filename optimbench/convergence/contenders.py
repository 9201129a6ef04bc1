"""What is compared: torch's optimizers, some with several choices of options, and any class of a user's own.

A class is a contender by its name: that of torch's class, or ``module:attribute``. What is known of torch's own comes from
their declarations; of a user's class nothing is known but its constructor.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from benchkit.attribute import load_attribute, there, torch_class
from benchkit.spec import Optimizer
from optimbench.convergence.trajectory import Contender
from reference import OPTIMIZERS

GRID = (1e-4, 1.0, 9)  # learning rates to tune over, where a declaration says nothing: lowest, highest, how many

Groups = Sequence[Mapping[str, Any]]


def declared(contender: Contender) -> Optimizer | None:
    """The declaration of torch's own, None for a user's class."""
    return OPTIMIZERS.get(contender.name)


def chosen(items: Sequence[str], own: Sequence[str] = ()) -> list[Contender]:
    """The items (none named: all that this torch has), each with the curves that it declares, then the classes of a user."""
    found: list[Contender] = []
    for item in sorted(there(OPTIMIZERS, items, "to train with"), key=lambda item: item.name.lower()):
        label = f"{item.name} with {item.companion}" if item.companion else item.name
        found.append(Contender(item.name, label))
        for options in item.curves:
            words = ", ".join(f"{option} {value}" for option, value in options.items())
            found.append(Contender(item.name, f"{label}, {words}", options))
    for spec in own:
        constructor = load_attribute(spec, "--optimizer")
        label = getattr(constructor, "__name__", spec.rpartition(":")[2])
        taken = {contender.label for contender in found}
        found.append(Contender(spec, spec if label in taken else label))
    return found


def constructor(contender: Contender) -> Callable[..., Any]:
    """The class of a contender; UsageError where a user's cannot be imported."""
    item = declared(contender)
    return torch_class(item.path) if item else load_attribute(contender.name, "--optimizer")


def default_lr(contender: Contender) -> float | None:
    """The learning rate that the constructor has by default, None where it has none."""
    parameter = inspect.signature(constructor(contender)).parameters.get("lr")
    default = None if parameter is None else parameter.default
    return float(default) if isinstance(default, (int, float, torch.Tensor)) and not isinstance(default, bool) else None


def takes(contender: Contender, option: str) -> bool:
    """Whether the constructor names the option."""
    return option in inspect.signature(constructor(contender)).parameters


def grid(contender: Contender) -> tuple[float, float, int]:
    """Lowest and highest learning rate to tune over, and how many at equal ratios."""
    item = declared(contender)
    return item.learning_rates if item and item.learning_rates else GRID


def sparse(contender: Contender) -> bool:
    """Whether it takes nothing but sparse gradients."""
    item = declared(contender)
    return item is not None and "sparse" in item.tags


class Unsuitable(Exception):
    """The contender cannot train this problem; the message says why."""


class Several:
    """Optimizers that step together: one for matrices, its companion for everything else."""

    def __init__(self, parts: Iterable[Any]) -> None:
        self.parts = list(parts)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            part.step()
        return loss


def build(contender: Contender, groups: Groups, **switches: bool) -> Any:
    """The optimizer over groups, each with its parameters, its learning rate and what else is set for it.

    Unsuitable where the constructor takes no such options or no such parameters.
    """
    item = declared(contender)
    if item is None or not item.companion:
        return _made(contender, groups, switches)
    matrices = [{**group, "params": [p for p in group["params"] if p.ndim == 2]} for group in groups]
    others = [{**group, "params": [p for p in group["params"] if p.ndim != 2]} for group in groups]
    if not matrices[0]["params"]:
        raise Unsuitable("it takes matrices only, and this problem has none")
    parts = [_made(contender, matrices, switches)]
    if others[0]["params"]:
        plain = [{name: group[name] for name in ("params", "lr")} for group in others]
        parts.append(_made(Contender(item.companion, item.companion), plain, switches))
    return Several(parts)


def _made(contender: Contender, groups: Groups, switches: Mapping[str, bool]) -> Any:
    """One optimizer; options of the first group are also the constructor's, since not every class has a default for each."""
    first = {name: value for name, value in groups[0].items() if name != "params"}
    wanted = {name: flag for name, flag in switches.items() if takes(contender, name)}
    try:
        return constructor(contender)([dict(group) for group in groups], **{**contender.options, **first, **wanted})
    except (TypeError, ValueError, RuntimeError, AssertionError, NotImplementedError) as error:
        raise Unsuitable(f"its constructor refuses: {sentence(error)}") from error


def sentence(error: BaseException) -> str:
    """An exception in one line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
