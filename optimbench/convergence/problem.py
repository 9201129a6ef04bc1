"""What a training problem declares: its data, start, objective, gradient, floor and budget.

One file under ``problems/`` declares one problem, or one family of them. Data and initial parameters of a seed are drawn by
numpy from a hash of problem, purpose and seed, so they are the same for every optimizer, torch and machine, and the global
generators are left alone.

Shapes: R replicas train at once. A parameter of shape (...) is stacked to (R, ...), the data of a seed likewise; arrays that
all seeds share have a first axis of 1.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchkit.request import UsageError

Array = NDArray[Any]
Arrays = dict[str, Array]
Tensors = Mapping[str, torch.Tensor]
MakeProblem = Callable[["re.Match[str]"], "Problem | None"]


class Registry(dict[str, "Problem"]):
    """The declared problems by name; those of a family are made when their name is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.families: dict[str, tuple[str, Callable[[re.Match[str]], Problem | None]]] = {}

    def __missing__(self, name: str) -> Problem:
        for pattern, (_, make) in self.families.items():
            if (match := re.fullmatch(pattern, name)) and (made := make(match)) is not None:
                return made
        raise KeyError(name)

    def knows(self, name: str) -> bool:
        """Whether there is a problem of that name."""
        try:
            return bool(self[name])
        except KeyError:
            return False


PROBLEMS = Registry()


def stream(problem: str, purpose: str, seed: int) -> np.random.Generator:
    """A stream of random numbers of its own for each problem, purpose and seed."""
    digest = hashlib.sha256(f"optimbench converge {problem} {purpose} {seed}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


class Problem:
    """One training problem; an instance registered by ``declare`` is known to ``converge`` by its ``name``.

    ``steps`` is the budget, in evaluations of loss and gradient; the objective is recorded every ``every`` steps. ``batch``
    examples make a step (None: all of them); ``per_example`` names the data that batches are taken from. ``block`` is how many
    replicas train at once without leaving the caches, ``sweep`` how many are evaluated at once over all data.
    ``learning_rate`` is the one that all optimizers share in the protocol ``same``, ``tuning_seeds`` how many seeds tuning
    takes. ``target`` is the objective that counts as solved. ``plane`` is the part of the plane to draw for a problem of two
    variables, ((low, high), (low, high)). ``tables`` names the parameters that are embeddings, of which a batch touches some
    rows. ``needs`` is the package without which there is no data, ``extra`` the extra of this project that brings it.
    """

    name: str = ""
    title: str = ""
    objective: str = "objective (dimensionless)"
    source: str = ""
    steps: int = 200
    every: int = 1
    batch: int | None = None
    per_example: Sequence[str] = ()
    examples: int = 0
    block: int = 256
    sweep: int = 256
    dtype: str = "float64"
    learning_rate: float = 0.01
    tuning_seeds: int = 8
    target: float | None = None
    plane: tuple[tuple[float, float], tuple[float, float]] | None = None
    document: bool = False  # the document's own experiment
    tables: Sequence[str] = ()
    needs: str = ""
    extra: str = "problems"

    def check(self) -> None:
        """UsageError where a package is missing that the data come from."""
        if self.needs and importlib.util.find_spec(self.needs) is None:
            raise UsageError(
                f"the problem {self.name} needs the package {self.needs}; install it with "
                f"python -m pip install 'lossbench[{self.extra}]'"
            )

    def data(self, seed: int) -> Arrays:
        """The arrays that a seed has for itself."""
        del seed
        return {}

    def shared(self) -> Arrays:
        """The arrays that all seeds share."""
        return {}

    def start(self, seed: int) -> Arrays:
        """The initial parameters of a seed."""
        raise NotImplementedError

    def losses(self, parameters: Tensors, data: Tensors) -> torch.Tensor:
        """The objective of every replica over the given data, (R,)."""
        raise NotImplementedError

    def differentiate(self, parameters: Tensors, data: Tensors) -> tuple[torch.Tensor, Tensors]:
        """The objective of every replica, (R,), and its gradients by the parameters, (R, ...) each, in memory of their own.

        By autograd. A problem whose derivatives are cheaper to state than to trace overrides this, and the tests hold what it
        states to autograd.
        """
        for parameter in parameters.values():
            parameter.grad = None
        losses = self.losses(parameters, data)
        losses.sum().backward()  # no loss depends on another replica's parameters
        return losses.detach(), {name: _gradient(parameter) for name, parameter in parameters.items()}

    def gradient(self, parameters: Arrays, data: Arrays) -> tuple[float, Arrays]:
        """Value and gradient of the objective of one replica, stated in numpy; it is what the tests hold ``losses`` to."""
        raise NotImplementedError

    def floor(self, seed: int) -> float:
        """The least objective that is known for the data of a seed, NaN where none is."""
        del seed
        return float("nan")

    def touched(self, data: Tensors) -> dict[str, torch.Tensor]:
        """The rows, (R, n), that a batch touches of each of the ``tables``."""
        del data
        return {}

    def optimum(self, seed: int) -> Arrays | None:
        """Parameters at which the objective takes its floor, where they are known."""
        del seed
        return None

    def order(self, seed: int, epoch: int) -> NDArray[np.int64]:
        """The order in which an epoch takes the examples."""
        return permutation(self.name, self.examples, seed, epoch)


@functools.lru_cache(maxsize=4096)
def permutation(problem: str, examples: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """An order of the examples; kept, since every optimizer that is compared takes them in the same one."""
    found = stream(problem, f"order of epoch {epoch}", seed).permutation(examples)
    found.flags.writeable = False
    return found


def _gradient(parameter: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def recorded(steps: int, every: int) -> NDArray[np.int64]:
    """From 0 to ``steps``, every ``every`` and the last."""
    return np.unique(np.append(np.arange(0, steps + 1, every), steps)).astype(np.int64)


def declare(problem: Problem) -> Problem:
    """Make a problem known by its name."""
    PROBLEMS[problem.name] = problem
    return problem


def family(pattern: str, form: str) -> Callable[[MakeProblem], MakeProblem]:
    """Decorator: problems whose names match the pattern are made by the function, None where a name means none.

    ``form`` is how the names look, for people.
    """

    def register(make: MakeProblem) -> MakeProblem:
        PROBLEMS.families[pattern] = (form, make)
        return make

    return register


def uniform_by_fan_in(rng: np.random.Generator, shape: Sequence[int], fan_in: int) -> Array:
    """Uniform within 1 / sqrt(fan-in), as torch starts the weights and biases of its layers."""
    bound = fan_in**-0.5
    return rng.uniform(-bound, bound, tuple(shape)).astype(np.float32)
