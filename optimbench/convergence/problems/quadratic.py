"""Convex quadratics of any condition number, along the axes or rotated: ``quadratic-1000-rotated``.

f = ½ xᵀ H x in 16 variables. The eigenvalues of H lie at equal ratios from 1 / condition to 1; its eigenvectors are the axes
or drawn for every seed. Where the axes are the eigenvectors, an optimizer that scales each element sees no ill condition.
"""

from __future__ import annotations

import re

import numpy as np
import torch
from scipy.stats import ortho_group

from optimbench.convergence.problem import Arrays, Problem, Tensors, declare, family, stream

SIZE = 16


class Quadratic(Problem):
    objective = "f(x) (dimensionless)"
    source = "any book on numerical optimization"
    steps = 500
    block = 128
    target = 1e-6
    learning_rate = 0.1

    def __init__(self, condition: float, rotated: bool) -> None:
        self.condition, self.rotated = condition, rotated
        self.name = f"quadratic-{condition:g}-{'rotated' if rotated else 'aligned'}"
        how = "rotated" if rotated else "along the axes"
        self.title = f"A quadratic of {SIZE} variables, condition number {condition:g}, {how}"

    def data(self, seed: int) -> Arrays:
        values = np.geomspace(1.0 / self.condition, 1.0, SIZE)
        if not self.rotated:
            return {"hessian": np.diag(values)}
        q = ortho_group.rvs(SIZE, random_state=stream(self.name, "rotation", seed))
        return {"hessian": (q * values) @ q.T}

    def start(self, seed: int) -> Arrays:
        return {"x": stream(self.name, "start", seed).standard_normal(SIZE)}

    def losses(self, parameters: Tensors, data: Tensors) -> torch.Tensor:
        x = parameters["x"]
        return 0.5 * (x * torch.bmm(data["hessian"], x[:, :, None])[:, :, 0]).sum(1)

    def differentiate(self, parameters: Tensors, data: Tensors) -> tuple[torch.Tensor, Tensors]:
        with torch.no_grad():
            x = parameters["x"]
            slope = torch.bmm(data["hessian"], x[:, :, None])[:, :, 0]
            return 0.5 * (x * slope).sum(1), {"x": slope}

    def gradient(self, parameters: Arrays, data: Arrays) -> tuple[float, Arrays]:
        slope = data["hessian"] @ parameters["x"]
        return float(0.5 * parameters["x"] @ slope), {"x": slope}

    def floor(self, seed: int) -> float:
        return 0.0

    def optimum(self, seed: int) -> Arrays | None:
        return {"x": np.zeros(SIZE)}


@family(r"quadratic-([0-9.]+(?:e[0-9]+)?)-(aligned|rotated)", "quadratic-CONDITION-aligned or -rotated")
def quadratic(match: re.Match[str]) -> Problem | None:
    """The quadratic of that name, None where the condition number is none."""
    condition = float(match[1]) if match[1].count(".") < 2 else 0.0
    return Quadratic(condition, match[2] == "rotated") if 1.0 <= condition <= 1e12 else None


for _condition in (10.0, 1000.0):
    for _rotated in (False, True):
        declare(Quadratic(_condition, _rotated))
