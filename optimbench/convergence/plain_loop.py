"""The loop that people write by hand: a module, a DataLoader, one run at a time. What the engine is measured against."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from optimbench.convergence import contenders
from optimbench.convergence.problem import Problem
from optimbench.convergence.trajectory import Contender


def train(problem: Problem, contender: Contender, lr: float, seed: int, steps: int, closure: bool) -> list[float]:
    """One run on the document's data, from the same start and in the same batches as the engine's; the loss of every step.

    ``closure`` says that the optimizer evaluates the loss itself; it stops once ``steps`` evaluations are made.
    """
    arrays = {**problem.shared(), **problem.data(seed)}
    dataset = TensorDataset(*(torch.from_numpy(arrays[name]) for name in ("x", "y")))
    module = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1))
    with torch.no_grad():
        for p, start in zip(module.parameters(), problem.start(seed).values()):
            p.copy_(torch.from_numpy(start))
    optimizer = contenders.build(contender, [{"params": list(module.parameters()), "lr": lr}])
    sparse = contenders.sparse(contender)
    losses: list[float] = []
    epoch = 0
    while len(losses) < steps:
        for x, y in _loader(problem, dataset, seed, epoch):
            evaluate = _evaluation(module, x, y, losses, sparse)
            if closure:
                optimizer.step(evaluate)
            else:
                evaluate()
                optimizer.step()
            if len(losses) >= steps:
                break
        epoch += 1
    return losses


def _loader(problem: Problem, dataset: TensorDataset, seed: int, epoch: int) -> DataLoader[tuple[torch.Tensor, ...]]:
    """The batches of an epoch; where all points make a step, they are one tensor and nobody would collect them one by one."""
    if problem.batch is None:
        return DataLoader(dataset, batch_size=None, sampler=[slice(None)])
    return DataLoader(dataset, batch_size=problem.batch, sampler=problem.order(seed, epoch).tolist())


def _evaluation(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, losses: list[float], sparse: bool
) -> Callable[[], torch.Tensor]:
    def evaluate() -> torch.Tensor:
        module.zero_grad()
        loss = nn.functional.mse_loss(module(x), y)
        loss.backward()
        for p in module.parameters() if sparse else ():
            p.grad = None if p.grad is None else p.grad.to_sparse()
        losses.append(loss.item())
        return loss.detach()

    return evaluate
