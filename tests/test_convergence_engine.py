"""The engine: many replicas train as each would in a loop written by hand, whatever the optimizer; the probe finds how."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import optimbench.convergence.problems  # noqa: F401
from optimbench.convergence import contenders, engine, preparation, probe
from optimbench.convergence.contenders import Unsuitable
from optimbench.convergence.problem import PROBLEMS, Problem
from optimbench.convergence.problems.parabola import Parabola
from optimbench.convergence.replicas import CLOSURE, LOOP, STACK, VIEWS, Replicas, in_sparse_form
from optimbench.convergence.trajectory import Contender
from reference import OPTIMIZERS

STEPS, EVERY = 53, 10
BATCHES = Parabola("parabola-batches", dtype="float64", batch=20, every=EVERY)
CONTENDERS = [pytest.param(contender, id=contender.label) for contender in contenders.chosen([])]


def rate(contender: Contender) -> float:
    """A learning rate at which every optimizer moves without running away."""
    return 0.1 if contender.name in ("Adadelta", "LBFGS") else 0.01


def path_of(contender: Contender, problem: Problem = BATCHES) -> str:
    return probe.probe(problem, contender, {"lr": rate(contender)}).path


def by_hand(contender: Contender, lr: float, seed: int) -> tuple[list[float], list[torch.Tensor]]:
    """The loop that people write: a module, a DataLoader, one run; the loss over all points every ten steps."""
    item = OPTIMIZERS[contender.name]
    arrays = {**BATCHES.shared(), **BATCHES.data(seed)}
    x, y = (torch.from_numpy(arrays[name]).double() for name in ("x", "y"))
    module = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1)).double()
    with torch.no_grad():
        for p, start in zip(module.parameters(), BATCHES.start(seed).values(), strict=True):
            p.copy_(torch.from_numpy(start))
    optimizers = [getattr(torch.optim, item.name)(chosen(module, item), lr=lr, **contender.options)]
    if item.companion:
        others = [p for p in module.parameters() if p.ndim != 2]
        optimizers.append(getattr(torch.optim, item.companion)(others, lr=lr))
    losses, made = [], 0
    for epoch in range(99):
        loader = DataLoader(TensorDataset(x, y), batch_size=20, sampler=BATCHES.order(seed, epoch).tolist())
        for inputs, target in loader:
            if made % EVERY == 0 or made == STEPS:
                losses.append(nn.functional.mse_loss(module(x), y).item())
            if made == STEPS:
                return losses, list(module.parameters())

            def closure(inputs: Any = inputs, target: Any = target) -> torch.Tensor:
                module.zero_grad()
                loss = nn.functional.mse_loss(module(inputs), target)
                loss.backward()
                for p in module.parameters() if "sparse" in item.tags else ():
                    assert p.grad is not None
                    p.grad = p.grad.to_sparse()
                return loss.detach()

            closure()
            for optimizer in optimizers:
                optimizer.step(closure) if "closure" in item.tags else optimizer.step()
            made += 1
    raise AssertionError


def chosen(module: nn.Module, item: Any) -> Iterable[nn.Parameter]:
    return [p for p in module.parameters() if p.ndim == 2] if item.companion else module.parameters()


@pytest.mark.parametrize("contender", CONTENDERS)
def test_replicas_train_as_the_loop_by_hand(contender: Contender) -> None:
    """Two seeds at two learning rates, all at once: losses and trained parameters are those of four runs by hand."""
    lr, seeds = rate(contender), (3, 4)
    steps = STEPS * (25 if "closure" in OPTIMIZERS[contender.name].tags else 1)  # a budget of evaluations
    trained = engine.train(BATCHES, contender, [{"lr": lr}, {"lr": lr / 4}], seeds, steps, path_of(contender))
    assert trained.parameters is not None
    count = len(range(0, STEPS, EVERY))
    for row, (rated, seed) in enumerate((rated, seed) for rated in (lr, lr / 4) for seed in seeds):
        losses, parameters = by_hand(contender, rated, seed)
        few = slice(0, 2 if steps > STEPS else count)  # an optimizer that searches along lines parts by its rounding
        np.testing.assert_allclose(trained.losses[row, few], losses[few], rtol=1e-9, err_msg=f"lr {rated}, seed {seed}")
        if steps == STEPS:
            assert trained.steps.tolist() == [*range(0, STEPS, EVERY), STEPS]
            flat = torch.cat([p.detach().flatten() for p in parameters]).numpy()
            np.testing.assert_allclose(trained.parameters[row], flat, rtol=1e-7, atol=1e-9)
            assert trained.evaluations[row].tolist() == trained.steps.tolist()


@pytest.mark.parametrize("contender", CONTENDERS)
def test_the_probe_finds_what_the_declaration_says(contender: Contender) -> None:
    """Elementwise optimizers share a stack, those that look at a whole tensor do not, those with a closure train alone."""
    tags = OPTIMIZERS[contender.name].tags
    expected = STACK if "elementwise" in tags else VIEWS if "whole" in tags else CLOSURE
    assert {"elementwise", "whole", "closure"} & tags

    for name in ("parabola", "factorisation"):
        assert path_of(contender, PROBLEMS[name]) == expected


class Clipped(torch.optim.SGD):
    """Descent that scales the gradient of each tensor to length 1."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = p.grad / p.grad.norm()
        super().step()


class ClippedTogether(torch.optim.SGD):
    """Descent that scales the gradient of all its tensors together to length 1."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        length = torch.stack([g.norm() for g in gradients]).norm()
        for g in gradients:
            g /= length
        super().step()


class Late(torch.optim.SGD):
    """Descent that looks at the whole tensor from its tenth step on only."""

    made = 0

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        self.made += 1
        for group in self.param_groups:
            for p in group["params"]:
                if self.made >= 10:
                    p.grad = p.grad / p.grad.abs().max()
        super().step()


class FirstRate(torch.optim.SGD):
    """Descent that uses the learning rate of its first group for all."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            group["lr"] = self.param_groups[0]["lr"]
        super().step()


class Noisy(torch.optim.SGD):
    """Descent with noise of its own."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = p.grad + 0.1 * torch.randn_like(p)
        super().step()


class Elsewhere(torch.optim.SGD):
    """Descent that puts its parameters into new memory at every step."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.data = torch.add(p.data, p.grad, alpha=-group["lr"])


class Refusing(torch.optim.SGD):
    """Descent that refuses to step."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        raise ArithmeticError("not today")


@pytest.mark.parametrize(
    ("cls", "path"),
    [(Clipped, VIEWS), (ClippedTogether, LOOP), (Late, VIEWS), (FirstRate, LOOP), (Noisy, LOOP), (Elsewhere, STACK)],
    ids=lambda value: value.__name__ if isinstance(value, type) else value,
)
def test_the_probe_sees_what_couples_replicas(cls: type, path: str, own: Callable[[type], Contender]) -> None:
    """Classes that look at a tensor, at all tensors, at another group, at random numbers or late: none may share too much."""
    assert probe.probe(PROBLEMS["parabola"], own(cls), {"lr": 0.1}).path == path


def test_new_memory_is_brought_home(own: Callable[[type], Contender]) -> None:
    """An optimizer that replaces its tensors trains like one that changes them."""
    problem, sgd = PROBLEMS["parabola"], Contender("SGD", "SGD")
    for path in (STACK, VIEWS, LOOP):
        expected = engine.train(problem, sgd, [{"lr": 0.1}], (0, 1), 9, path).losses
        assert np.array_equal(engine.train(problem, own(Elsewhere), [{"lr": 0.1}], (0, 1), 9, path).losses, expected)


def test_a_class_that_cannot_train_is_told(own: Callable[[type], Contender]) -> None:
    """Its own words are in the message; matrices alone are asked for where there are none."""
    with pytest.raises(Unsuitable, match="its step fails: ArithmeticError: not today"):
        probe.probe(PROBLEMS["parabola"], own(Refusing), {"lr": 0.1})
    with pytest.raises(Unsuitable, match="matrices only"):
        probe.probe(PROBLEMS["rosenbrock"], Contender("Muon", "Muon"), {"lr": 0.1})


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Callable[[type], Contender]:
    """A contender of a class of this file, found as a user's is."""
    found = {}
    monkeypatch.setattr(contenders, "load_attribute", lambda spec, option: found[spec])

    def register(cls: type) -> Contender:
        found[f"here:{cls.__name__}"] = cls
        return Contender(f"here:{cls.__name__}", cls.__name__)

    return register


def test_a_budget_is_one_of_evaluations() -> None:
    """LBFGS stops when its evaluations are spent, and the records after that repeat what it reached."""
    problem, contender = PROBLEMS["rosenbrock"], Contender("LBFGS", "LBFGS")
    trained = engine.train(problem, contender, [{"lr": 1.0}], (0, 1), 60, CLOSURE)

    for losses, evaluations in zip(trained.losses, trained.evaluations, strict=True):
        spent = int(np.argmax(evaluations >= 60))
        assert 0 < spent < 60
        assert evaluations[0] == 0
        assert (np.diff(evaluations[: spent + 1]) > 1).any()
        assert 60 <= evaluations[-1] < 60 + 25
        assert (losses[spent:] == losses[-1]).all()
        assert losses[spent] < losses[0]
    assert trained.iterates is not None
    assert np.array_equal(trained.iterates[:, -1], trained.parameters)


class Lost(torch.optim.SGD):
    """Descent by a closure that is lost at its third step."""

    made = 0

    def step(self, closure: Any) -> None:  # type: ignore[override]
        self.made += 1
        with torch.enable_grad():
            closure()
        super().step()
        for group in self.param_groups if self.made == 3 else ():
            for p in group["params"]:
                p.detach().fill_(float("nan"))


def test_the_pace_is_that_of_a_loop_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a problem states of its derivatives makes training faster, not the optimizers that are timed."""
    traced, called = Problem.differentiate, []
    monkeypatch.setattr(Problem, "differentiate", lambda *given: called.append("traced") or traced(*given))
    monkeypatch.setattr(Parabola, "differentiate", lambda *given: called.append("stated"))

    for contender, path in ((Contender("SGD", "SGD"), STACK), (Contender("LBFGS", "LBFGS"), CLOSURE)):
        step, evaluation = preparation.pace(PROBLEMS["parabola"], contender, {"lr": 0.1}, path)
        assert np.isfinite([step, evaluation]).all()
    assert set(called) == {"traced"}


def test_a_run_that_has_become_nan_is_over(own: Callable[[type], Contender]) -> None:
    """No evaluation is spent on it any more, and the rest of its records is NaN; before that nothing is cut."""
    trained = engine.train(PROBLEMS["parabola"], own(Lost), [{"lr": 0.1}], (0, 1), 9, CLOSURE)

    assert trained.evaluations.tolist() == [[0, 1, 2, *[3] * 7]] * 2
    assert np.isfinite(trained.losses[:, :3]).all()
    assert np.isnan(trained.losses[:, 3:]).all()


def test_iterates_lie_where_the_objective_is_recorded() -> None:
    """The objective at each recorded point of the plane is the loss recorded there."""
    problem = PROBLEMS["beale"]
    trained = engine.train(problem, Contender("Adam", "Adam"), [{"lr": 0.1}], (0, 1, 2), 12, STACK)
    assert trained.iterates is not None

    for row in range(3):
        values = [problem.gradient({"point": point}, {})[0] for point in trained.iterates[row]]
        np.testing.assert_allclose(trained.losses[row], values, rtol=1e-12)


@pytest.mark.parametrize(
    "contender", [one for one in contenders.chosen([]) if contenders.sparse(one)], ids=lambda one: one.label
)
def test_a_gradient_of_one_element_moves_that_element(contender: Contender) -> None:
    """Of the second setting, whose part of the stack does not begin where the memory does."""
    starts = {"w": torch.ones(2, 3, dtype=torch.float64)}
    replicas = Replicas(contender, [{"lr": 0.25}] * 2, starts, STACK, sparse=True)
    gradient = torch.zeros(2, 3, dtype=torch.float64)
    gradient[1, 0] = 1.0
    replicas.hand_over({"w": gradient})
    replicas.step()
    assert (replicas.parameters["w"] != 1.0).tolist() == [[False] * 3, [True, False, False]]


def test_sparse_gradients_are_those_of_an_embedding() -> None:
    """Touched rows of stacked tables, stored as the backward pass of a sparse embedding stores them."""
    generator = torch.Generator().manual_seed(0)
    touched = torch.randint(0, 5, (3, 4), generator=generator)
    weights = torch.randn(3, 4, 2, generator=generator)
    dense = torch.zeros(3, 5, 2)
    table = torch.zeros(15, 2, requires_grad=True)
    rows = nn.functional.embedding(touched + 5 * torch.arange(3)[:, None], table, sparse=True)
    (rows * weights).sum().backward()
    for replica in range(3):
        dense[replica].index_add_(0, touched[replica], weights[replica])
    got = in_sparse_form(dense, touched, (15, 2))
    assert table.grad is not None
    expected = table.grad.coalesce()

    assert got.is_coalesced()
    assert torch.equal(got.indices(), expected.indices())
    torch.testing.assert_close(got.values(), expected.values())


def test_a_diverged_replica_leaves_the_others_alone() -> None:
    """A learning rate that is far too high in one group, and the other group's numbers are those without it."""
    problem, sgd = PROBLEMS["parabola"], Contender("SGD", "SGD")
    both = engine.train(problem, sgd, [{"lr": 1e30}, {"lr": 0.1}], (0, 1), 20, STACK)
    alone = engine.train(problem, sgd, [{"lr": 0.1}], (0, 1), 20, STACK)

    assert not np.isfinite(both.losses[:2, -1]).any()
    assert np.isfinite(both.losses[2:]).all()
    np.testing.assert_allclose(both.losses[2:], alone.losses, rtol=1e-5)


def test_every_optimizer_of_this_torch_is_a_contender() -> None:
    """All declared ones and the curves that they declare, each label once; a default learning rate for each."""
    found = contenders.chosen([])

    assert {contender.name for contender in found} == set(OPTIMIZERS)
    assert len({contender.label for contender in found}) == len(found) == len(OPTIMIZERS) + 1
    assert "SGD, momentum 0.9" in {contender.label for contender in found}
    for contender in found:
        assert contenders.default_lr(contender) == OPTIMIZERS[contender.name].defaults["lr"]
